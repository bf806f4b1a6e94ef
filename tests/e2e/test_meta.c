/* test_meta - what the server says about itself. */
/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

enum { CONNECTIONS = 400 };

static struct harness h;

static void setup(void)
{
	static const char *const args[] = { "--queue-max", "77", NULL };

	harness_new(&h, args);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(meta, .init = setup, .fini = teardown, .timeout = 60);

Test(meta, it_lives_and_is_ready)
{
	struct reply live = harness_get(&h, "/livez"), ready = harness_get(&h, "/readyz");

	cr_assert_eq(live.status, 200);
	cr_assert_eq(ready.status, 200);
	reply_release(&live);
	reply_release(&ready);
}

Test(meta, v1_shows_version_limits_features_and_links)
{
	static const char *const limits[] = { "neurons",
					      "synapses",
					      "wall_s",
					      "body_bytes",
					      "run_memory_bytes",
					      "slots",
					      "connections_per_address",
					      "answer_points" };
	struct reply r = harness_get(&h, "/v1");

	cr_assert_eq(r.status, 200);
	cr_assert_str_eq(reply_text(&r, "/name"), "stdpd");
	cr_assert_str_neq(reply_text(&r, "/version"), "");
	cr_assert_eq(reply_number(&r, "/limits/queue"), 77.0);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		cr_assert_gt(json_number_value(json_object_get(reply_at(&r, "/limits"), limits[i])),
			     0.0, "%s", limits[i]);
	cr_assert_geq(json_array_size(reply_at(&r, "/features")), 1);
	cr_assert_str_eq(reply_text(&r, "/links/runs"), "/v1/runs");
	reply_release(&r);
}

/* Without options, as much as callers may rely on. */
Test(meta, a_server_admits_as_much_as_is_promised)
{
	static const struct {
		const char *limit;
		double least;
	} cases[] = {
		{ "neurons", 1e6 },
		{ "synapses", 1e8 },
		{ "wall_s", 3600 },
		{ "connections", 400 },
		{ "connections_per_address", 400 },
		{ "page_size", 500 },
		{ "wait_s", 30 },
		{ "idempotency_h", 24 },
		{ "body_bytes", 1 << 20 },
		{ "json_depth", 100 },
		{ "queue", 1 },
		{ "slots", 1 },
		{ "sessions_awake", 1 },
		{ "streams", 1 },
	};
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)h.port) };
	struct reply r = harness_get(&h, "/v1");
	int fds[CONNECTIONS];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_geq(
			json_number_value(json_object_get(reply_at(&r, "/limits"), cases[i].limit)),
			cases[i].least, "%s", cases[i].limit);
	reply_release(&r);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; i < CONNECTIONS; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		cr_assert_eq(connect(fds[i], (const struct sockaddr *)&at, sizeof(at)), 0);
	}
	for (size_t i = 0; i < CONNECTIONS; i += CONNECTIONS - 1) { /* the first and the last */
		static const char ask[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
		char text[256];

		cr_assert_eq(send(fds[i], ask, strlen(ask), MSG_NOSIGNAL), (ssize_t)strlen(ask));
		cr_assert_gt(recv(fds[i], text, sizeof(text), 0), 12);
		cr_assert_eq(strncmp(text, "HTTP/1.1 200", 12), 0, "connection %zu", i);
	}
	for (size_t i = 0; i < CONNECTIONS; i++)
		(void)close(fds[i]);
}

Test(meta, every_line_of_the_log_is_json_and_a_requests_bears_its_id)
{
	static const char *const given[] = { "X-Request-Id: the-one", NULL };
	struct reply r = harness_ask(&h, "GET", "/v1/nothing?a=\"b", NULL, given);
	char path[300], line[8192];
	size_t lines = 0, found = 0;
	FILE *f;

	reply_release(&r);
	cr_assert_eq(harness_stop(&h), 0);
	(void)snprintf(path, sizeof(path), "%s.log", h.dir);
	f = fopen(path, "r");
	cr_assert_not_null(f);
	while (fgets(line, sizeof(line), f)) {
		json_t *entry = json_loads(line, 0, NULL);
		const char *id = json_string_value(json_object_get(entry, "request_id"));

		cr_assert(json_is_string(json_object_get(entry, "time")) &&
				  json_is_string(json_object_get(entry, "level")),
			  "%s", line);
		lines++;
		if (id && strcmp(id, "the-one") == 0) {
			found++;
			cr_assert_str_eq(json_string_value(json_object_get(entry, "path")),
					 "/v1/nothing");
			cr_assert_eq(json_integer_value(json_object_get(entry, "status")), 404);
			cr_assert(json_is_number(json_object_get(entry, "ms")));
		}
		json_decref(entry);
	}
	(void)fclose(f);
	cr_assert_geq(lines, 2);
	cr_assert_eq(found, 1);
}

Test(meta, every_link_of_v1_answers)
{
	struct reply r = harness_get(&h, "/v1"), one;
	const char *key;
	json_t *link;

	json_object_foreach(reply_at(&r, "/links"), key, link)
	{
		one = harness_get(&h, json_string_value(link));
		cr_assert(one.status == 200 || one.status == 405, "%s: %d", key,
			  one.status); /* validate is a POST */
		reply_release(&one);
	}
	reply_release(&r);
}

Test(meta, openapi_and_docs_are_served_and_may_be_kept)
{
	const char *headers[] = { NULL, NULL };
	char etag[128], match[160];
	struct reply r = harness_get(&h, "/openapi.json");

	cr_assert_eq(r.status, 200);
	cr_assert_str_eq(reply_text(&r, "/openapi"), "3.1.0");
	cr_assert_not_null(json_object_get(reply_at(&r, "/paths"), "/v1/runs/{id}"));
	reply_release(&r);
	r = harness_get(&h, "/docs");
	cr_assert_eq(r.status, 200);
	cr_assert_not_null(strstr(r.body, "/v1/runs"));
	cr_assert(reply_header(&r, "ETag", etag, sizeof(etag)));
	reply_release(&r);
	(void)snprintf(match, sizeof(match), "If-None-Match: %s", etag);
	headers[0] = match;
	r = harness_ask(&h, "GET", "/docs", NULL, headers);
	cr_assert_eq(r.status, 304);
	cr_assert_eq(r.len, 0);
	reply_release(&r);
}

Test(meta, each_answer_has_its_id_and_its_guards)
{
	static const char *const given[] = { "X-Request-Id: my-own.id_1", NULL };
	static const char *const ugly[] = { "X-Request-Id: a b\"c", NULL };
	static const char *const guards[][2] = {
		{ "X-Content-Type-Options", "nosniff" },
		{ "X-Frame-Options", "DENY" },
		{ "Content-Security-Policy", "default-src 'self'" },
		{ "Referrer-Policy", "no-referrer" },
	};
	struct reply r = harness_ask(&h, "GET", "/livez", NULL, given);
	char text[512];

	cr_assert(reply_header(&r, "X-Request-Id", text, sizeof(text)));
	cr_assert_str_eq(text, "my-own.id_1");
	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		cr_assert(reply_header(&r, guards[i][0], text, sizeof(text)), "%s", guards[i][0]);
		cr_assert_eq(strncmp(text, guards[i][1], strlen(guards[i][1])), 0, "%s: %s",
			     guards[i][0], text);
	}
	cr_assert(!reply_header(&r, "Access-Control-Allow-Origin", text, sizeof(text)));
	cr_assert(reply_header(&r, "Server-Timing", text, sizeof(text)));
	cr_assert_eq(strncmp(text, "total;dur=", 10), 0, "%s", text);
	cr_assert(!reply_header(&r, "traceparent", text, sizeof(text)));
	reply_release(&r);
	r = harness_ask(&h, "GET", "/livez", NULL, ugly);
	cr_assert(reply_header(&r, "X-Request-Id", text, sizeof(text)));
	cr_assert_eq(strlen(text), 32, "one of our own: %s", text);
	reply_release(&r);
}

Test(meta, head_answers_as_get_without_a_body)
{
	struct reply r = harness_ask(&h, "HEAD", "/v1", NULL, NULL);
	char length[32];

	cr_assert_eq(r.status, 200);
	cr_assert_eq(r.len, 0);
	cr_assert(reply_header(&r, "Content-Length", length, sizeof(length)));
	cr_assert_str_neq(length, "0");
	reply_release(&r);
}

#define TRACE "0af7651916cd43dd8448eb211c80319c"

Test(meta, a_trace_goes_on_with_the_answer_and_in_the_log)
{
	static const char *const bad[] = {
		"traceparent: 00-" TRACE "-b7ad6b7169203331",
		"traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"traceparent: 00-" TRACE "-B7AD6B7169203331-01",
		"traceparent: 01-" TRACE "-b7ad6b7169203331-01",
	};
	const char *headers[] = { "traceparent: 00-" TRACE "-b7ad6b7169203331-01", NULL };
	struct reply r = harness_ask(&h, "GET", "/livez", NULL, headers);
	char text[128], path[300], log[65536];
	size_t n;
	FILE *f;

	cr_assert(reply_header(&r, "traceparent", text, sizeof(text)));
	cr_assert_eq(strlen(text), 55, "%s", text);
	cr_assert_eq(strncmp(text, "00-" TRACE "-", 36), 0, "%s", text);
	cr_assert_neq(strncmp(text + 36, "b7ad6b7169203331", 16), 0, "a span of its own: %s", text);
	cr_assert_str_eq(text + 52, "-01");
	reply_release(&r);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char none[128];

		headers[0] = bad[i];
		r = harness_ask(&h, "GET", "/livez", NULL, headers);
		cr_assert(!reply_header(&r, "traceparent", none, sizeof(none)), "%s", bad[i]);
		reply_release(&r);
	}
	cr_assert_eq(harness_stop(&h), 0);
	(void)snprintf(path, sizeof(path), "%s.log", h.dir);
	f = fopen(path, "r");
	cr_assert_not_null(f);
	n = fread(log, 1, sizeof(log) - 1, f);
	log[n] = '\0';
	(void)fclose(f);
	cr_assert_not_null(strstr(log, text), "%s is in no line of the log: %s", text, log);
}

/* What a page of this origin is told. */
static struct reply from(const char *method, const char *path, const char *body, const char *origin)
{
	const char *const headers[] = {
		origin, "Sec-Fetch-Site: cross-site",
		strcmp(method, "OPTIONS") == 0 ? "Access-Control-Request-Method: POST" : NULL, NULL
	};

	return harness_ask(&h, method, path, body, headers);
}

Test(meta, other_sites_may_ask_where_they_are_listed)
{
	static const char *const args[] = { "--cors", "https://a.example,https://b.example:8443",
					    NULL };
	static const char validate[] = "/v1/specs/validate", body[] = "{\"spec\":{}}";
	static const struct {
		const char *origin;
		bool listed;
	} cases[] = {
		{ "Origin: https://a.example", true },
		{ "Origin: https://b.example:8443", true },
		{ "Origin: https://b.example", false },
		{ "Origin: http://a.example", false },
		{ "Origin: https://a.example.c", false },
		{ "Origin: null", false },
	};
	char text[256];

	harness_free(&h);
	harness_new(&h, args);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply get = from("GET", "/v1", NULL, cases[i].origin),
			     post = from("POST", validate, body, cases[i].origin),
			     before = from("OPTIONS", validate, NULL, cases[i].origin);

		cr_assert_eq(get.status, 200);
		cr_assert_eq(post.status, cases[i].listed ? 200 : 403, "%s: %d", cases[i].origin,
			     post.status);
		cr_assert_eq(before.status, cases[i].listed ? 204 : 403, "%s: %d", cases[i].origin,
			     before.status);
		cr_assert_eq(reply_header(&get, "Access-Control-Allow-Origin", text, sizeof(text)),
			     cases[i].listed, "%s", cases[i].origin);
		if (cases[i].listed)
			cr_assert_str_eq(text, cases[i].origin + 8);
		cr_assert_eq(
			reply_header(&before, "Access-Control-Allow-Headers", text, sizeof(text)),
			cases[i].listed);
		cr_assert(reply_header(&get, "Vary", text, sizeof(text)));
		reply_release(&get);
		reply_release(&post);
		reply_release(&before);
	}
}
