/* test_wait - how long a request may have the server wait: as long as it says, at most 30 s. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "tests/desk.h"

TestSuite(wait, .init = desk_new, .fini = desk_free, .timeout = 60);

/* Seconds that the answer waits; 0: it does not. */
static double waits(const char *text, int *ret_status)
{
	static struct desk_request r;
	struct mem_arena arena;
	struct response rs = { 0 };
	struct request rq = { .id = "desk", .arena = &arena };
	double s;

	cr_assert(desk_read(&r, text, strlen(text)));
	rq.method = r.method;
	rq.path = r.path;
	rq.body = r.body;
	rq.body_len = r.body ? strlen(r.body) : 0;
	mem_arena_init(&arena, 0);
	buf_init(&rs.body, DESK_ANSWER);
	route_handle(&desk.api, &rq, &rs);
	s = rs.status ? 0.0 : rs.wait_s;
	*ret_status = rs.status;
	buf_release(&rs.body);
	mem_arena_release(&arena);
	return s;
}

Test(wait, nobody_waits_longer_than_30_s)
{
	static const struct {
		const char *prefer;
		double s;
		int status;
	} cases[] = {
		{ "wait=20", 20.0, 0 },	     { "wait=0.5", 0.5, 0 },
		{ "wait=30", 30.0, 0 },	     { "wait=31", 30.0, 0 },
		{ "wait=1000000", 30.0, 0 }, { "reuse, wait=7", 7.0, 0 },
		{ "wait=0", 0.0, 202 },	     { "wait=-5", 0.0, 202 },
		{ "wait=x", 0.0, 202 },	     { "respond-async", 0.0, 202 },
	};
	char text[256], id[ID_SIZE];
	int status;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double s;

		(void)snprintf(
			text, sizeof(text),
			"POST /v1/runs\nPrefer: %s\n\n{\"preset\":\"stdp_window\",\"seed\":%zu}",
			cases[i].prefer, i);
		s = waits(text, &status);
		cr_assert_eq(s, cases[i].s, "%s: %g", cases[i].prefer, s);
		cr_assert_eq(status, cases[i].status, "%s: %d", cases[i].prefer, status);
	}
	id_new(id); /* one that nobody runs here */
	cr_assert_eq(desk_add_run(id, NULL), 0);
	(void)snprintf(text, sizeof(text), "GET /v1/runs/%s?wait=3600", id);
	cr_assert_eq(waits(text, &status), 30.0);
	(void)snprintf(text, sizeof(text), "GET /v1/runs/%s?wait=2.5&since_version=1", id);
	cr_assert_eq(waits(text, &status), 2.5);
	(void)snprintf(text, sizeof(text), "GET /v1/runs/%s?wait=-1", id);
	cr_assert_eq(waits(text, &status), 0.0);
	cr_assert_eq(status, 422);
}
