/* test_routes - every row of the route table: answered as it declares, by exactly its scope, refused as the
 * contract says. A row that nothing here asks fails the test by its name. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/auth.h"
#include "server/route.h"
#include "tests/e2e/specs.h"
#include "tests/e2e/world.h"

static struct world w;
static char only[AUTH_SCOPE_N][128];   /* "Authorization: ..." of a token with this scope alone */
static char others[AUTH_SCOPE_N][128]; /* with all but this */

/* Make a token with the scopes whose bits are set. */
static void add(unsigned bits, char header[128])
{
	char body[256] = "{\"name\":\"world\",\"scopes\":[";
	struct reply r;

	for (size_t i = 0; auth_scope(i); i++)
		if (bits & auth_scope_bit(auth_scope(i)))
			(void)snprintf(body + strlen(body), sizeof(body) - strlen(body), "%s\"%s\"",
				       body[strlen(body) - 1] == '[' ? "" : ",", auth_scope(i));
	strncat(body, "]}", sizeof(body) - strlen(body) - 1);
	r = world_ask(&w, "POST", "/v1/tokens", body, NULL);
	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(header, 128, "Authorization: Bearer %s", reply_text(&r, "/token"));
	reply_release(&r);
}

static void setup(void)
{
	world_new(&w, NULL);
	for (unsigned i = 0; i < AUTH_SCOPE_N; i++) {
		unsigned bit = auth_scope_bit(auth_scope(i));

		add(bit, only[i]);
		add(((1U << AUTH_SCOPE_N) - 1) & ~bit, others[i]);
	}
}

static void teardown(void)
{
	world_free(&w);
}

TestSuite(routes, .init = setup, .fini = teardown, .timeout = 180);

static size_t scope_of(const struct route *r)
{
	size_t i = 0;

	while (auth_scope(i) && strcmp(auth_scope(i), r->scope) != 0)
		i++;
	cr_assert_lt(i, AUTH_SCOPE_N, "%s", r->scope);
	return i;
}

static bool is(const struct route *r, const char *method, const char *pattern)
{
	return strcmp(r->method, method) == 0 && (!pattern || strcmp(r->pattern, pattern) == 0);
}

static bool is_stream(const struct route *r)
{
	size_t n = strlen(r->pattern);

	return n > 7 && strcmp(r->pattern + n - 7, "/events") == 0;
}

/* ---- bodies and targets of what changes something ---- */

#define CELL \
	"{\"spec\":{\"duration_ms\":10,\"populations\":{\"cell\":{\"model\":\"iaf_psc_exp\"," \
	"\"size\":1}},\"projections\":{}}}"

static const struct {
	const char *method, *pattern, *body;
} bodies[] = {
	{ "POST", "/v1/specs/validate", CELL },
	{ "POST", "/v1/runs", CELL },
	{ "PATCH", "/v1/runs/{id}", "{\"name\":\"new\"}" },
	{ "POST", "/v1/runs/{id}/cancel", "{}" },
	{ "POST", "/v1/runs/{id}/rerun", "{}" },
	{ "POST", "/v1/runs/{id}/verify", "{}" },
	{ "POST", "/v1/sweeps",
	  "{\"spec\":" SPECS_NET("20",
				 "5") ",\"axes\":[{\"path\":\"/duration_ms\",\"values\":[10]}]}" },
	{ "POST", "/v1/sweeps/{id}/cancel", "{}" },
	{ "POST", "/v1/sessions", CELL },
	{ "POST", "/v1/sessions/{id}/step", "{\"duration_ms\":1}" },
	{ "POST", "/v1/sessions/{id}/play", "{\"speed\":0.01}" },
	{ "POST", "/v1/sessions/{id}/pause", "{}" },
	{ "POST", "/v1/sessions/{id}/stimuli",
	  "{\"set\":{\"population\":\"cell\",\"params\":{\"I_e\":1}}}" },
	{ "POST", "/v1/sessions/{id}/parameters",
	  "{\"set\":{\"population\":\"cell\",\"params\":{\"I_e\":2}}}" },
	{ "POST", "/v1/sessions/{id}/fork", "{\"name\":\"twig\"}" },
	{ "POST", "/v1/sessions/{id}/checkpoints", "{}" },
	{ "POST", "/v1/sessions/{id}/restore", NULL }, /* names the checkpoint */
	{ "POST", "/v1/sessions/{id}/save", "{}" },
	{ "POST", "/v1/datasets", "1,2\n3,4\n" },
	{ "POST", "/v1/webhooks", "{\"url\":\"http://localhost:9/y\",\"active\":false}" },
	{ "PATCH", "/v1/webhooks/{id}", "{\"name\":\"new\"}" },
	{ "POST", "/v1/webhooks/{id}/test", "{}" },
	{ "POST", "/v1/tokens", "{\"name\":\"eve\",\"scopes\":[\"read\"]}" },
	{ "PATCH", "/v1/tokens/{id}", "{\"name\":\"world\"}" },
};

static const char *body_of(const struct route *r, char text[128])
{
	if (!r->schema)
		return NULL;
	(void)snprintf(text, 128, "{\"checkpoint_id\":\"%s\"}", w.checkpoint);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		if (is(r, bodies[i].method, bodies[i].pattern))
			return bodies[i].body ? bodies[i].body : text;
	cr_assert_fail("tests/e2e/test_routes.c has no body for %s %s", r->method, r->pattern);
	return NULL;
}

/* POST that makes something, for another to end; its path. */
static void make(const char *group, const char *body, char path[WORLD_PATH_MAX])
{
	struct reply r = world_ask(&w, "POST", group, body, NULL);

	cr_assert(r.status == 201 || r.status == 202, "%d %s", r.status, r.body);
	(void)snprintf(path, WORLD_PATH_MAX, "%s/%s", group, reply_text(&r, "/id"));
	reply_release(&r);
}

/* A run that still waits is cancelled at once, which is another answer. */
static void wait_until_running(const char *path)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	bool waits = true;

	for (int i = 0; waits && i < 2000; i++) {
		struct reply r = world_ask(&w, "GET", path, NULL, NULL);

		waits = strcmp(reply_text(&r, "/state"), "queued") == 0;
		reply_release(&r);
		(void)nanosleep(&nap, NULL);
	}
	cr_assert_not(waits, "%s", path);
}

/* What is ended or removed is made for it: the world stays as it is. */
static void target(const struct route *r, char path[WORLD_PATH_MAX])
{
	static const char slow[] = "{\"spec\":" SPECS_NET(
		"50000000", "10") ",\"axes\":[{\"path\":\"/resolution_ms\",\"values\":[0.1,0.2]}]}";

	if (is(r, "POST", "/v1/runs/{id}/cancel")) {
		make("/v1/runs", SPECS_SLOW, path);
		wait_until_running(path);
	} else if (is(r, "POST", "/v1/sweeps/{id}/cancel"))
		make("/v1/sweeps", slow, path);
	else if (is(r, "DELETE", "/v1/tokens/{id}"))
		make("/v1/tokens", "{\"name\":\"eve\",\"scopes\":[\"read\"]}", path);
	else if (is(r, "DELETE", "/v1/sessions/{id}"))
		make("/v1/sessions", CELL, path);
	else
		world_path(&w, r->pattern, path);
	if (strstr(r->pattern, "/cancel"))
		strncat(path, "/cancel", WORLD_PATH_MAX - strlen(path) - 1);
}

/* ---- asking ---- */

static struct reply ask(const struct route *r, const char *path, const char *body, const char *who)
{
	bool file = r->schema && !*r->schema;
	const char *const headers[] = { file ? "Content-Type: text/csv" : "X-Y: z", who, NULL };

	return harness_ask(&w.h, r->method, path, body, headers);
}

/* A stream may go on for ever: what comes in the first second. */
static int ask_stream(const char *path, const char *who)
{
	char request[640], text[4096];
	int status = 0;

	(void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s\r\n",
		       path, who ? who : "", who ? "\r\n" : "");
	harness_raw(&w.h, request, strlen(request), text, sizeof(text));
	cr_assert_eq(sscanf(text, "HTTP/1.1 %d", &status), 1, "%s: %s", path, text);
	if (status == 200)
		cr_assert_not_null(strstr(text, "text/event-stream"), "%s", text);
	return status;
}

static int status_of(const struct route *r, const char *path, const char *body, const char *who)
{
	struct reply a;
	int status;

	if (is_stream(r))
		return ask_stream(path, who);
	a = ask(r, path, body, who);
	status = a.status;
	if (status >= 400)
		cr_assert_not_null(strstr(a.headers, "application/problem+json"), "%s %s: %s",
				   r->method, path, a.headers);
	if (status >= 400 && status != 401 && status != 403)
		(void)fprintf(stderr, "%s %s: %d %.300s\n", r->method, path, status, a.body);
	reply_release(&a);
	return status;
}

/* What the contract says of scopes, against the table. */
Test(routes, each_has_the_scope_that_is_promised)
{
	static const char *const open[] = { "/",   "/{file}", "/docs",	"/openapi.json",
					    "/v1", "/livez",  "/readyz" };
	static const char tokens[] = "/v1/tokens", sessions[] = "/v1/sessions";

	for (size_t i = 0; route_at(i); i++) {
		const struct route *r = route_at(i);
		const char *want = "run";

		if (strncmp(r->pattern, tokens, strlen(tokens)) == 0)
			want = "admin";
		else if (is(r, "GET", NULL) || is(r, "POST", "/v1/specs/validate"))
			want = "read";
		else if (strncmp(r->pattern, sessions, strlen(sessions)) == 0)
			want = "session";
		for (size_t k = 0; k < sizeof(open) / sizeof(open[0]); k++)
			want = strcmp(r->pattern, open[k]) == 0 ? "" : want;
		cr_assert_str_eq(r->scope ? r->scope : "", want, "%s %s", r->method, r->pattern);
	}
}

/* Without a token, with one that may all but this, with one that may this alone. */
static void is_scoped(const struct route *r)
{
	char path[WORLD_PATH_MAX], text[128];
	const char *body = body_of(r, text), *who = NULL;

	if (is(r, "GET", NULL))
		world_path(&w, r->pattern, path);
	else
		target(r, path);
	if (r->scope) {
		cr_assert_eq(status_of(r, path, body, NULL), 401, "%s %s without a token",
			     r->method, r->pattern);
		cr_assert_eq(status_of(r, path, body, others[scope_of(r)]), 403,
			     "%s %s by a token without the scope %s", r->method, r->pattern,
			     r->scope);
		who = only[scope_of(r)];
	}
	cr_assert_eq(status_of(r, path, body, who), world_status(r->pattern, r->status),
		     "%s %s declares %d", r->method, r->pattern, r->status);
}

/* In this order, so that what is removed has been looked at. */
Test(routes, each_answers_as_declared_to_its_scope_alone)
{
	static const char *const methods[] = { "GET", "PATCH", "POST", "DELETE" };
	size_t asked = 0, rows = 0;

	while (route_at(rows))
		rows++;
	for (size_t m = 0; m < sizeof(methods) / sizeof(methods[0]); m++) {
		for (size_t i = 0; i < rows; i++) {
			if (!is(route_at(i), methods[m], NULL))
				continue;
			is_scoped(route_at(i));
			asked++;
		}
	}
	cr_assert_eq(asked, rows, "%zu of %zu routes were asked", asked, rows);
}

/* ---- refusals ---- */

/* A path without its query. */
static const char *split(const char *path)
{
	static char text[WORLD_PATH_MAX];

	(void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(path, "?"), path);
	return text;
}

static void gets(int expected, const struct route *r, const char *path, const char *body,
		 const char *header)
{
	struct reply a;

	a = world_ask(&w, r->method, path, body, header);
	cr_assert_eq(a.status, expected, "%s %s: %d, not %d: %.300s", r->method, path, a.status,
		     expected, a.body);
	cr_assert_not_null(strstr(a.headers, "application/problem+json"), "%s", a.headers);
	cr_assert_eq(reply_number(&a, "/status"), (double)expected);
	cr_assert_geq(strlen(reply_text(&a, "/detail")), 8);
	cr_assert_str_eq(reply_text(&a, "/instance"), split(path), "%s", a.body);
	cr_assert_null(strstr(a.body, w.h.dir), "a path of the machine: %s", a.body);
	cr_assert_null(strstr(a.body, ".c:"), "a place in the source: %s", a.body);
	reply_release(&a);
}

/* "/v1/runs/{id}/spikes" with an id of nobody. */
static void unknown_id(const char *pattern, char path[WORLD_PATH_MAX])
{
	char known[WORLD_PATH_MAX];
	size_t from = strcspn(pattern, "{");

	world_path(&w, pattern, known);
	(void)snprintf(path, WORLD_PATH_MAX, "%.*s%032d%s", (int)from, known, 0,
		       known + from + strcspn(known + from, "/?"));
}

Test(routes, what_is_not_there_is_404)
{
	char path[WORLD_PATH_MAX], text[128];
	size_t n = 0;

	for (size_t i = 0; route_at(i); i++) {
		const struct route *r = route_at(i);

		if (!strchr(r->pattern, '{'))
			continue;
		unknown_id(r->pattern, path);
		gets(404, r, path, body_of(r, text), NULL);
		n++;
	}
	cr_assert_gt(n, 50);
}

Test(routes, another_method_is_405_and_told_which)
{
	char path[WORLD_PATH_MAX], allow[128];

	for (size_t i = 0; route_at(i); i++) {
		struct reply a;

		world_path(&w, route_at(i)->pattern, path);
		a = world_ask(&w, "PUT", path, "{}", NULL);
		cr_assert_eq(a.status, 405, "PUT %s: %d", path, a.status);
		cr_assert(reply_header(&a, "Allow", allow, sizeof(allow)));
		cr_assert_not_null(strstr(allow, route_at(i)->method), "%s: %s", path, allow);
		reply_release(&a);
	}
}

Test(routes, unknown_parameters_are_422)
{
	char path[WORLD_PATH_MAX + 16], text[128];

	for (size_t i = 0; route_at(i); i++) {
		const struct route *r = route_at(i);

		if (r->query && strcmp(r->query, "*") == 0 && !r->scope) /* the page's files */
			continue;
		world_path(&w, r->pattern, path);
		strncat(path, strchr(path, '?') ? "&nonsense=1" : "?nonsense=1",
			sizeof(path) - strlen(path) - 1);
		gets(422, r, path, body_of(r, text), NULL);
	}
}

Test(routes, bodies_must_be_json_and_well_formed)
{
	char path[WORLD_PATH_MAX];

	for (size_t i = 0; route_at(i); i++) {
		const struct route *r = route_at(i);

		if (!r->schema)
			continue;
		world_path(&w, r->pattern, path);
		gets(415, r, path, "{}", "Content-Type: text/html");
		if (!*r->schema)
			continue;
		gets(400, r, path, "{\"a\":", NULL);
		if (strcmp(r->pattern, "/v1/specs/validate") != 0) /* its answer is the verdict */
			gets(422, r, path, "{\"nonsense\":1}", NULL);
	}
}

/* ---- lists ---- */

/* What <...>; rel="next" names, of this server; false: no more. */
static bool next_of(const struct reply *r, char path[512])
{
	char link[512];
	const char *end;

	if (!reply_header(r, "Link", link, sizeof(link)))
		return false;
	end = strstr(link, ">; rel=\"next\"");
	cr_assert(link[0] == '<' && end, "%s", link);
	(void)snprintf(path, 512, "%.*s", (int)(end - link - 1), link + 1);
	return true;
}

Test(routes, every_list_can_be_walked_by_its_links)
{
	static const char *const lists[][2] = {
		{ "/v1/runs", CELL },
		{ "/v1/sweeps",
		  "{\"spec\":" SPECS_NET("20", "5") ",\"axes\":[{\"path\":"
						    "\"/duration_ms\",\"values\":[10]}]}" },
		{ "/v1/sessions", CELL },
		{ "/v1/webhooks", "{\"url\":\"http://localhost:9/z\",\"active\":false}" },
		{ "/v1/tokens", "{\"name\":\"eve\",\"scopes\":[\"read\"]}" },
		{ "/v1/datasets", NULL }, /* made here */
	};
	struct reply d = world_ask(&w, "POST", "/v1/datasets", "1,2\n", "Content-Type: text/csv");

	cr_assert_eq(d.status, 201, "%s", d.body);
	reply_release(&d);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		char path[512], made[WORLD_PATH_MAX];
		size_t n = 0, all;
		bool more = true;
		struct reply r;

		if (lists[i][1])
			make(lists[i][0], lists[i][1], made);
		r = world_ask(&w, "GET", lists[i][0], NULL, NULL);
		all = json_array_size(reply_at(&r, "/items"));
		cr_assert_geq(all, 2, "%s: %s", lists[i][0], r.body);
		cr_assert(!next_of(&r, path), "%s", path);
		reply_release(&r);
		for ((void)snprintf(path, sizeof(path), "%s?page_size=1", lists[i][0]); more; n++) {
			r = world_ask(&w, "GET", path, NULL, NULL);
			cr_assert_eq(r.status, 200, "%s: %s", path, r.body);
			cr_assert_eq(json_array_size(reply_at(&r, "/items")), 1);
			more = next_of(&r, path);
			cr_assert_eq(more, json_is_string(reply_at(&r, "/next_page_token")));
			reply_release(&r);
			cr_assert_leq(n, all);
		}
		cr_assert_eq(n, all, "%s: %zu of %zu", lists[i][0], n, all);
	}
}

/* 501 rows more, copies of the oldest, `set` changed. */
static void copy_rows(const char *table, const char *set)
{
	char path[320], sql[1024];
	sqlite3 *db = NULL;

	(void)snprintf(path, sizeof(path), "%s/stdpd.db", w.h.dir);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 10000);
	(void)snprintf(
		sql, sizeof(sql),
		"CREATE TEMP TABLE one AS SELECT * FROM %s ORDER BY seq LIMIT 1; BEGIN IMMEDIATE",
		table);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	(void)snprintf(sql, sizeof(sql),
		       "UPDATE one SET %s id=lower(hex(randomblob(16))),"
		       "seq=(SELECT MAX(seq)+1 FROM %s); INSERT INTO %s SELECT * FROM one",
		       set, table, table);
	for (int i = 0; i < 501; i++)
		cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s: %s", table,
			     sqlite3_errmsg(db));
	cr_assert_eq(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

Test(routes, a_page_of_more_than_500_is_one_of_500)
{
	char tried[WORLD_PATH_MAX], test[WORLD_PATH_MAX];
	const struct {
		const char *path, *table, *set;
	} lists[] = { { "/v1/runs", "run", "" },
		      { "/v1/sweeps", "sweep", "" },
		      { "/v1/sessions", "session", "state='parked'," },
		      { "/v1/datasets", "dataset", "" },
		      { "/v1/webhooks", "webhook", "" },
		      { tried, "webhook_delivery", "state='failed',next_ms=NULL," },
		      { "/v1/tokens", "token", "" } };
	struct reply r;

	(void)snprintf(tried, sizeof(tried), "/v1/webhooks/%s/deliveries", w.hook);
	(void)snprintf(test, sizeof(test), "/v1/webhooks/%s/test", w.hook);
	r = world_ask(&w, "POST", test, "{}", NULL);
	cr_assert_eq(r.status, 202, "%s", r.body);
	reply_release(&r);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		static const struct {
			const char *query;
			size_t n;
		} pages[] = { { "?page_size=501", 500 },
			      { "?page_size=9223372036854775807", 500 },
			      { "?page_size=500", 500 },
			      { "?page_size=499", 499 },
			      { "", 50 } };
		char path[512];

		copy_rows(lists[i].table, lists[i].set);
		for (size_t k = 0; k < sizeof(pages) / sizeof(pages[0]); k++) {
			(void)snprintf(path, sizeof(path), "%s%s", lists[i].path, pages[k].query);
			r = world_ask(&w, "GET", path, NULL, NULL);
			cr_assert_eq(r.status, 200, "%s: %s", path, r.body);
			cr_assert_eq(json_array_size(reply_at(&r, "/items")), pages[k].n, "%s: %zu",
				     path, json_array_size(reply_at(&r, "/items")));
			cr_assert(next_of(&r, path) && strstr(path, "page_token="), "%s", path);
			reply_release(&r);
		}
	}
}
