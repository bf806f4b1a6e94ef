/* test_encode - answers compressed for who accepts it, and only where it pays. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "server/gzip.h"
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

TestSuite(encode, .init = setup, .fini = teardown, .timeout = 120);

static bool packed(const struct reply *r)
{
	char text[32] = "";

	return reply_header(r, "Content-Encoding", text, sizeof(text)) && strcmp(text, "gzip") == 0;
}

/* The same bytes, fewer of them on the way, under an ETag that serves as well. */
static void is_packed(const char *path)
{
	char etag[2][128] = { "", "" }, line[320], vary[128] = "";
	struct reply whole = world_ask(&w, "GET", path, NULL, NULL), r;
	struct buf b;

	cr_assert_eq(whole.status, 200, "%s: %s", path, whole.body);
	cr_assert(!packed(&whole), "%s", path);
	cr_assert(reply_header(&whole, "ETag", etag[0], sizeof(etag[0])));
	r = world_ask(&w, "GET", path, NULL, "Accept-Encoding: deflate, gzip;q=0.5, br");
	cr_assert_eq(r.status, 200);
	cr_assert(packed(&r), "%s", path);
	cr_assert_not_null(strstr(r.headers, "Vary: Accept-Encoding"));
	cr_assert(reply_header(&r, "ETag", etag[1], sizeof(etag[1])));
	cr_assert_str_neq(etag[0], etag[1], "two bodies, one ETag");
	cr_assert_lt(r.len, whole.len * 7 / 8 + 1);
	buf_init(&b, 1 << 24);
	cr_assert_eq(gzip_expand(&b, r.body, r.len, NULL), 0, "%s", path);
	cr_assert_eq(b.len, whole.len);
	cr_assert_arr_eq(b.data, whole.body, whole.len);
	buf_release(&b);
	reply_release(&r);
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(line, sizeof(line), "If-None-Match: %s", etag[i]);
		r = world_ask(&w, "GET", path, NULL, line);
		cr_assert_eq(r.status, 304, "%s %s", path, etag[i]);
		cr_assert(reply_header(&r, "ETag", vary, sizeof(vary)));
		cr_assert_str_eq(vary, etag[i]);
		cr_assert_not_null(strstr(r.headers, "Vary: Accept-Encoding"));
		reply_release(&r);
	}
	reply_release(&whole);
}

Test(encode, text_is_packed)
{
	static const char *const formats[] = { "json", "csv", "ndjson" };
	char path[WORLD_PATH_MAX];

	is_packed("/v1/models");
	is_packed("/style.css");
	is_packed("/openapi.json");
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		(void)snprintf(path, sizeof(path),
			       "/v1/runs/%s/states/V_m?population=cell&format=%s", w.run,
			       formats[i]);
		is_packed(path);
	}
}

static bool asks(const char *path, const char *accept)
{
	char line[128];
	struct reply r;
	bool yes;

	(void)snprintf(line, sizeof(line), "Accept-Encoding: %s", accept);
	r = world_ask(&w, "GET", path, NULL, line);
	cr_assert_eq(r.status, 200, "%s: %d", path, r.status);
	yes = packed(&r);
	reply_release(&r);
	return yes;
}

Test(encode, only_who_accepts_it_gets_it)
{
	static const struct {
		const char *accept;
		bool packed;
	} cases[] = {
		{ "gzip", true },
		{ "GZIP", true },
		{ "*", true },
		{ "*;q=0.1", true },
		{ "gzip;q=0", false },
		{ "gzip; q=0.0, *", false },
		{ "identity", false },
		{ "br", false },
		{ "", false },
		{ "*;q=0, gzip", true },
		{ "*;q=0", false },
		{ "gzipped", false },
		{ "br;q=0, gzip;q=1", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(asks("/v1/models", cases[i].accept), cases[i].packed, "%s",
			     cases[i].accept);
}

Test(encode, what_is_short_packed_already_or_a_part_stays)
{
	char path[WORLD_PATH_MAX];
	struct reply r;

	cr_assert(!asks("/livez", "gzip"));
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/states/V_m?population=cell&format=npz",
		       w.run);
	cr_assert(!asks(path, "gzip"));
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/artifacts/spec.json", w.run);
	cr_assert(!asks(path, "gzip"));
	r = world_ask(&w, "GET", path, NULL, "Range: bytes=0-9");
	cr_assert_eq(r.status, 206);
	cr_assert_eq(r.len, 10);
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/events", w.run);
	r = world_ask(&w, "GET", path, NULL, "Accept-Encoding: gzip");
	cr_assert_eq(r.status, 200);
	cr_assert(!packed(&r));
	reply_release(&r);
}

Test(encode, a_repeated_post_is_packed_anew)
{
	const char *const headers[] = { w.admin, "Idempotency-Key: k", "Accept-Encoding: gzip",
					NULL };
	const char *const plain[] = { w.admin, "Idempotency-Key: k", NULL };
	char path[WORLD_PATH_MAX];
	struct reply a, b, c;

	(void)snprintf(path, sizeof(path), "/v1/runs/%s/rerun", w.run);
	a = harness_ask(&w.h, "POST", path, "{}", headers);
	b = harness_ask(&w.h, "POST", path, "{}", headers);
	c = harness_ask(&w.h, "POST", path, "{}", plain);
	cr_assert_eq(a.status, 202, "%s", a.body);
	cr_assert_eq(b.status, 202);
	cr_assert_eq(a.len, b.len);
	cr_assert_arr_eq(a.body, b.body, a.len);
	cr_assert(packed(&a) == packed(&b));
	cr_assert(!packed(&c));
	cr_assert_eq(strlen(reply_text(&c, "/id")), 32);
	reply_release(&a);
	reply_release(&b);
	reply_release(&c);
}
