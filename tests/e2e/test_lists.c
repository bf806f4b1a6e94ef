/* test_lists - what lists are filtered by, and what a run keeps of the request that made it. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

static struct harness h;

static void setup(void)
{
	harness_new(&h, NULL);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(lists, .init = setup, .fini = teardown, .timeout = 60);

static void ends(const char *body, const char *state, char id[64])
{
	struct reply r;
	char path[128];

	harness_run(&h, body, id);
	if (strcmp(state, "cancelled") == 0) {
		(void)snprintf(path, sizeof(path), "/v1/runs/%s/cancel", id);
		r = harness_ask(&h, "POST", path, NULL, NULL);
		cr_assert_lt(r.status, 300, "%s", r.body);
		reply_release(&r);
	}
	r = harness_wait(&h, id, 30);
	cr_assert_str_eq(reply_text(&r, "/state"), state, "%s", r.body);
	reply_release(&r);
}

/* The names of the runs that a query finds, in its order. */
static void finds(const char *query, const char *names)
{
	struct reply r;
	char path[256], found[64] = "";
	json_t *run;
	size_t i;

	(void)snprintf(path, sizeof(path), "/v1/runs?total=true&%s", query);
	r = harness_get(&h, path);
	cr_assert_eq(r.status, 200, "%s: %s", query, r.body);
	json_array_foreach(reply_at(&r, "/items"), i, run)(void)
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s",
			 json_string_value(json_object_get(run, "name")));
	cr_assert_str_eq(found, names, "%s: %s", query, r.body);
	cr_assert_eq(reply_number(&r, "/total"), (double)strlen(names), "%s", query);
	reply_release(&r);
}

Test(lists, each_filter_finds_what_it_says)
{
	static const char *const cases[][2] = {
		{ "", "CBA" },
		{ "sort=created_at", "ABC" },
		{ "sort=-created_at", "CBA" },
		{ "state=succeeded", "BA" },
		{ "state=cancelled", "C" },
		{ "state=queued", "" },
		{ "preset=stdp_window", "A" },
		{ "preset=latency", "" },
		{ "tag=even", "B" },
		{ "tag=all", "BA" },
		{ "tag=al", "" },
		{ "tag=all&state=succeeded&preset=stdp_window", "A" },
		{ "tag=even&preset=stdp_window", "" },
		{ "q=EVEN", "B" },
		{ "q=stdp_win", "A" },
		{ "q=nowhere", "" },
		{ "created_after=2020-01-01T00:00:00Z", "CBA" },
		{ "created_after=2999-01-01T00:00:00Z", "" },
		{ "spec_sha256=00", "" },
	};
	char a[64], b[64], c[64], path[128], query[128];
	struct reply r;

	ends("{\"name\":\"A\",\"preset\":\"stdp_window\",\"tags\":[\"all\",\"odd\"]}", "succeeded",
	     a);
	ends("{\"name\":\"B\",\"tags\":[\"even\",\"all\"],\"spec\":" SPECS_NET("200", "10") "}",
	     "succeeded", b);
	ends("{\"name\":\"C\",\"spec\":" SPECS_NET("50000000", "100") "}", "cancelled", c);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		finds(cases[i][0], cases[i][1]);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s", b);
	r = harness_get(&h, path);
	(void)snprintf(query, sizeof(query), "spec_sha256=%s", reply_text(&r, "/spec_sha256"));
	reply_release(&r);
	finds(query, "B");
}

Test(lists, an_unknown_value_of_a_filter_is_422)
{
	static const char *const cases[][2] = {
		{ "/v1/runs?state=done", "?state" },
		{ "/v1/runs?sort=size", "?sort" },
		{ "/v1/runs?total=yes", "?total" },
		{ "/v1/runs?created_after=now", "?created_after" },
		{ "/v1/sweeps?state=done", "?state" },
		{ "/v1/sessions?state=done", "?state" },
		{ "/v1/webhooks/@/deliveries?state=done", "?state" },
	};
	struct reply hook =
		harness_ask(&h, "POST", "/v1/webhooks", "{\"url\":\"https://example.com/\"}", NULL);

	cr_assert_eq(hook.status, 201, "%s", hook.body);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = strchr(cases[i][0], '@');
		char path[128];
		struct reply r;

		(void)snprintf(path, sizeof(path), "%.*s%s%s",
			       at ? (int)(at - cases[i][0]) : (int)strlen(cases[i][0]), cases[i][0],
			       at ? reply_text(&hook, "/id") : "", at ? at + 1 : "");
		r = harness_get(&h, path);
		cr_assert_eq(r.status, 422, "%s: %d %s", path, r.status, r.body);
		cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), cases[i][1], "%s", r.body);
		reply_release(&r);
	}
	reply_release(&hook);
}

Test(lists, a_run_keeps_what_stood_beside_its_spec)
{
	static const char *const wait[] = { "Prefer: wait=20", NULL };
	char location[128];
	struct reply r = harness_ask(
		&h, "POST", "/v1/runs",
		"{\"preset\":\"stdp_window\",\"overrides\":[{\"path\":\"/params/pairs\",\"value\":"
		"2}],\"seed\":\"18446744073709551615\",\"name\":\"n\",\"tags\":[\"a\",\"b\"],"
		"\"notes\":\"why\",\"threads\":1,\"keep_days\":7}",
		wait);
	struct reply one;

	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert(reply_header(&r, "Location", location, sizeof(location)));
	one = harness_get(&h, location);
	cr_assert(json_equal(one.json, r.json), "%s\n%s", one.body, r.body);
	cr_assert_str_eq(reply_text(&r, "/preset"), "stdp_window");
	cr_assert_str_eq(reply_text(&r, "/experiment"), "stdp_window");
	cr_assert_str_eq(reply_text(&r, "/name"), "n");
	cr_assert_str_eq(reply_text(&r, "/tags/1"), "b");
	cr_assert_str_eq(reply_text(&r, "/notes"), "why");
	cr_assert_str_eq(reply_text(&r, "/seed"), "18446744073709551615");
	cr_assert_eq(reply_number(&r, "/threads"), 1.0);
	cr_assert_eq(reply_number(&r, "/keep_days"), 7.0);
	cr_assert(json_is_string(reply_at(&r, "/expires_at")));
	reply_release(&r);
	reply_release(&one);
}
