/* test_compare - the same run again: reuse, verify, and runs side by side. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sqlite3.h>
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

TestSuite(compare, .init = setup, .fini = teardown, .timeout = 60);

static const char *const waiting[] = { "Prefer: wait=20", NULL };

static void run_to_end(const char *body, char id[64])
{
	struct reply r = harness_ask(&h, "POST", "/v1/runs", body, waiting);

	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded");
	(void)snprintf(id, 64, "%s", reply_text(&r, "/id"));
	reply_release(&r);
}

static struct reply verify(const char *id, const char *const *headers)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/v1/runs/%s/verify", id);
	return harness_ask(&h, "POST", path, NULL, headers);
}

/* Change the store of a stopped server. */
static void tamper(const char *sql)
{
	char path[300];
	sqlite3 *db = NULL;

	(void)snprintf(path, sizeof(path), "%s/stdpd.db", h.dir);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

Test(compare, verify_runs_again_and_finds_the_digest_equal)
{
	char id[64];
	struct reply r;

	run_to_end(SPECS_FAST, id);
	r = verify(id, waiting);
	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert_str_neq(reply_text(&r, "/id"), id, "verify runs again, it does not reuse");
	cr_assert_str_eq(reply_text(&r, "/verification/run_id"), id);
	cr_assert_str_eq(reply_text(&r, "/verification/digest"), reply_text(&r, "/digest"));
	cr_assert(json_is_true(reply_at(&r, "/verification/equal")), "%s", r.body);
	reply_release(&r);
}

Test(compare, verify_tells_when_the_digest_is_another)
{
	char id[64];
	struct reply r;

	run_to_end(SPECS_FAST, id);
	cr_assert_eq(harness_stop(&h), 0);
	tamper("UPDATE run SET digest='0123456789abcdef'");
	harness_again(&h, NULL);
	r = verify(id, waiting);
	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert(json_is_false(reply_at(&r, "/verification/equal")), "%s", r.body);
	reply_release(&r);
}

Test(compare, only_what_succeeded_is_verified)
{
	char id[64];
	struct reply r;

	harness_run(&h, SPECS_SLOW, id);
	r = verify(id, NULL);
	cr_assert_eq(r.status, 409, "%s", r.body);
	reply_release(&r);
	r = verify("00000000000000000000000000000000", NULL);
	cr_assert_eq(r.status, 404);
	reply_release(&r);
}

Test(compare, a_run_of_another_engine_is_not_reused)
{
	static const char *const reuse[] = { "Prefer: reuse, wait=20", NULL };
	char id[64];
	struct reply r;

	run_to_end(SPECS_FAST, id);
	r = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, reuse);
	cr_assert_str_eq(reply_text(&r, "/id"), id);
	reply_release(&r);
	cr_assert_eq(harness_stop(&h), 0);
	tamper("UPDATE run SET provenance=json_set(provenance,'$.version','0.0.0-old')");
	harness_again(&h, NULL);
	r = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, reuse);
	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert_str_neq(reply_text(&r, "/id"), id);
	reply_release(&r);
}

Test(compare, runs_side_by_side_show_where_they_differ)
{
	char a[64], b[64], path[256];
	struct reply r;

	run_to_end("{\"name\":\"one\",\"spec\":" SPECS_NET("200", "10") "}", a);
	run_to_end("{\"name\":\"two\",\"spec\":" SPECS_NET(
			   "200", "10") ",\"overrides\":[{\"path\":"
					"\"/projections/wire/synapse/weight\",\"value\":60}]}",
		   b);
	(void)snprintf(path, sizeof(path), "/v1/compare?runs=%s,%s", a, b);
	r = harness_get(&h, path);
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/runs/0"), a);
	cr_assert_str_eq(reply_text(&r, "/name/1"), "two");
	cr_assert(json_is_false(reply_at(&r, "/same_spec")));
	cr_assert(json_is_false(reply_at(&r, "/same_digest")));
	cr_assert_eq(reply_number(&r, "/spec/count"), 1.0, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/spec/pointer/0"), "/projections/wire/synapse/weight");
	cr_assert_eq(reply_number(&r, "/spec/values/0/0"), 50.0);
	cr_assert_eq(reply_number(&r, "/spec/values/0/1"), 60.0);
	cr_assert_gt(json_array_size(reply_at(&r, "/counts/name")), 0);
	cr_assert_eq(json_array_size(reply_at(&r, "/counts/values/0")), 2);
	cr_assert_gt(json_array_size(reply_at(&r, "/metrics/name")), 0);
	cr_assert_not_null(strstr(r.body, "\"rate_hz.cell\""), "%s", r.body);
	cr_assert(json_is_number(reply_at(&r, "/metrics/values/0/0")) &&
			  json_is_number(reply_at(&r, "/metrics/values/0/1")),
		  "%s", r.body);
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/compare?runs=%s,%s", a, a);
	r = harness_get(&h, path);
	cr_assert(json_is_true(reply_at(&r, "/same_spec")));
	cr_assert(json_is_true(reply_at(&r, "/same_digest")));
	cr_assert_eq(reply_number(&r, "/spec/count"), 0.0);
	reply_release(&r);
}

Test(compare, what_cannot_be_compared_is_said)
{
	char a[64], path[256];
	struct reply r;

	run_to_end(SPECS_FAST, a);
	(void)snprintf(path, sizeof(path), "/v1/compare?runs=%s", a);
	r = harness_get(&h, path);
	cr_assert_eq(r.status, 422);
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/compare?runs=%s,00000000000000000000000000000000",
		       a);
	r = harness_get(&h, path);
	cr_assert_eq(r.status, 404);
	reply_release(&r);
	r = harness_get(&h, "/v1/compare");
	cr_assert_eq(r.status, 422);
	reply_release(&r);
}
