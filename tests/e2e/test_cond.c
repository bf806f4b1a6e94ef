/* test_cond - ETag on every GET, 304 for who has it, 412 for who has not what is changed. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/world.h"

static struct world w;

static void setup(void)
{
	world_new(&w, NULL);
}

static void teardown(void)
{
	world_free(&w);
}

TestSuite(cond, .init = setup, .fini = teardown, .timeout = 120);

static int ask_if(const char *method, const char *path, const char *before, const char *etag)
{
	char line[192];
	struct reply r;
	int status;

	(void)snprintf(line, sizeof(line), "If-None-Match: %s%s", before, etag);
	r = world_ask(&w, method, path, NULL, line);
	status = r.status;
	if (status == 304)
		cr_assert_eq(r.len, 0, "%s: a body in 304", path);
	reply_release(&r);
	return status;
}

/* A GET that answers 200 has an ETag, the same for HEAD, and 304 for who sends it back. What may change at
 * any moment (progress, room, times of use) is asked for again. */
static void is_conditional(const char *path, bool open)
{
	char etag[128] = "", text[128] = "";
	int status = 0;

	for (int i = 0; i < 5 && status != 304; i++) {
		struct reply r = world_ask(&w, "GET", path, NULL, NULL);

		cr_assert_eq(r.status, 200, "%s: %d %s", path, r.status, r.body);
		cr_assert(reply_header(&r, "ETag", etag, sizeof(etag)), "%s has no ETag", path);
		cr_assert_eq(etag[0], '"', "%s: %s", path, etag);
		cr_assert(reply_header(&r, "Cache-Control", text, sizeof(text)));
		if (strcmp(path, "/livez") != 0 && strcmp(path, "/readyz") != 0)
			cr_assert_str_eq(text, open ? "no-cache" : "private, no-cache", "%s", path);
		reply_release(&r);
		status = ask_if("GET", path, "\"x\", W/", etag);
	}
	cr_assert_eq(status, 304, "%s: %d", path, status);
	status = ask_if("HEAD", path, "", etag);
	cr_assert(status == 304 || strcmp(path, "/v1") == 0, "HEAD %s: %d", path, status);
	cr_assert_eq(ask_if("GET", path, "", "\"other\""), 200, "%s", path);
}

Test(cond, every_get_has_an_etag)
{
	struct reply r = harness_get(&w.h, "/openapi.json");
	const char *pattern;
	json_t *methods;
	size_t n = 0;

	json_object_foreach(reply_at(&r, "/paths"), pattern, methods)
	{
		json_t *get = json_object_get(methods, "get");
		char path[WORLD_PATH_MAX];
		size_t len = strlen(pattern);

		if (!get || world_status(pattern, 200) != 200 ||
		    (len > 7 && strcmp(pattern + len - 7, "/events") == 0))
			continue;
		world_path(&w, pattern, path);
		is_conditional(path, json_array_size(json_object_get(get, "security")) == 0);
		n++;
	}
	cr_assert_gt(n, 50);
	reply_release(&r);
}

/* What is changed under a condition, and its ETag after that. */
static void changes_once(const char *path, const char *first, const char *second)
{
	char etag[128] = "", now[128] = "", line[192];
	struct reply r = world_ask(&w, "GET", path, NULL, NULL);

	cr_assert(reply_header(&r, "ETag", etag, sizeof(etag)));
	reply_release(&r);
	(void)snprintf(line, sizeof(line), "If-Match: %s", etag);
	r = world_ask(&w, "PATCH", path, first, line);
	cr_assert_eq(r.status, 200, "%d %s", r.status, r.body);
	cr_assert(reply_header(&r, "ETag", now, sizeof(now)));
	cr_assert_str_neq(now, etag);
	reply_release(&r);
	r = world_ask(&w, "PATCH", path, second, line);
	cr_assert_eq(r.status, 412, "%d %s", r.status, r.body);
	cr_assert_str_eq(reply_text(&r, "/code"), "precondition");
	reply_release(&r);
	(void)snprintf(line, sizeof(line), "If-None-Match: %s", now);
	r = world_ask(&w, "GET", path, NULL, line);
	cr_assert_eq(r.status, 304, "the ETag of a PATCH is that of the next GET: %d", r.status);
	reply_release(&r);
	(void)snprintf(line, sizeof(line), "If-Match: \"x\", %s", now);
	r = world_ask(&w, "PATCH", path, second, line);
	cr_assert_eq(r.status, 200, "%d %s", r.status, r.body);
	reply_release(&r);
	r = world_ask(&w, "PATCH", path, first, "If-Match: *");
	cr_assert_eq(r.status, 200, "%d %s", r.status, r.body);
	reply_release(&r);
}

Test(cond, a_stale_if_match_changes_nothing)
{
	char path[WORLD_PATH_MAX];

	world_path(&w, "/v1/runs/{id}", path);
	changes_once(path, "{\"name\":\"a\"}", "{\"name\":\"b\"}");
	world_path(&w, "/v1/tokens/{id}", path);
	changes_once(path, "{\"quotas\":{\"runs\":7}}", "{\"quotas\":{\"runs\":8}}");
}

/* Deleted only as it was seen: the world's own, the token last. */
Test(cond, a_stale_if_match_deletes_nothing)
{
	static const char *const patterns[] = { "/v1/runs/{id}",     "/v1/sessions/{id}",
						"/v1/sweeps/{id}",   "/v1/datasets/{id}",
						"/v1/webhooks/{id}", "/v1/tokens/{id}" };

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		char path[WORLD_PATH_MAX], etag[128] = "", line[192];
		struct reply r;

		world_path(&w, patterns[i], path);
		r = world_ask(&w, "DELETE", path, NULL, "If-Match: \"0-0\"");
		cr_assert_eq(r.status, 412, "%s: %d %s", path, r.status, r.body);
		reply_release(&r);
		r = world_ask(&w, "GET", path, NULL, NULL);
		cr_assert_eq(r.status, 200, "%s: %d", path, r.status);
		cr_assert(reply_header(&r, "ETag", etag, sizeof(etag)));
		reply_release(&r);
		(void)snprintf(line, sizeof(line), "If-Match: %s", etag);
		r = world_ask(&w, "DELETE", path, NULL, line);
		cr_assert_eq(r.status, 204, "%s: %d %s", path, r.status, r.body);
		reply_release(&r);
	}
}

Test(cond, errors_are_not_to_be_kept)
{
	char text[64] = "", etag[64];
	struct reply r = world_ask(&w, "GET", "/v1/runs/x", NULL, "If-None-Match: *");

	cr_assert_eq(r.status, 404);
	cr_assert(reply_header(&r, "Cache-Control", text, sizeof(text)));
	cr_assert_str_eq(text, "no-store");
	cr_assert(!reply_header(&r, "ETag", etag, sizeof(etag)));
	reply_release(&r);
}
