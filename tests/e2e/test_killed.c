/* test_killed - the server is killed in every state of a run: each goes on to the end it would have had. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

static struct harness h;
static const char *const args[] = { "--slots", "1", "--checkpoint-s", "0.2", NULL };

static void setup(void)
{
	harness_new(&h, args);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(killed, .init = setup, .fini = teardown, .timeout = 120);

static void again(void)
{
	harness_kill(&h);
	harness_again(&h, args);
}

/* Digest of the same spec, undisturbed, in a server of its own. */
static void digest_of(const char *body, char digest[32])
{
	struct harness other;
	struct reply r;
	char id[64];

	harness_new(&other, NULL);
	harness_run(&other, body, id);
	r = harness_wait(&other, id, 60);
	(void)snprintf(digest, 32, "%s", reply_text(&r, "/digest"));
	reply_release(&r);
	harness_free(&other);
	cr_assert_eq(strlen(digest), 16);
}

static void ends_with(const char *id, const char *state, const char *digest)
{
	struct reply r = harness_wait(&h, id, 60);

	cr_assert_str_eq(reply_text(&r, "/state"), state, "%s", r.body);
	if (digest)
		cr_assert_str_eq(reply_text(&r, "/digest"), digest);
	reply_release(&r);
}

static void database_is_intact(void)
{
	char path[300];
	sqlite3_stmt *q = NULL;
	sqlite3 *db = NULL;

	cr_assert_eq(harness_stop(&h), 0);
	(void)snprintf(path, sizeof(path), "%s/stdpd.db", h.dir);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_step(q), SQLITE_ROW);
	cr_assert_str_eq((const char *)sqlite3_column_text(q, 0), "ok");
	(void)sqlite3_finalize(q);
	cr_assert_eq(sqlite3_prepare_v2(db, "SELECT COUNT(*) FROM recording WHERE visible=0", -1,
					&q, NULL),
		     SQLITE_OK);
	cr_assert_eq(sqlite3_step(q), SQLITE_ROW);
	cr_assert_eq(sqlite3_column_int(q, 0), 0, "parts of a result that nobody sees");
	(void)sqlite3_finalize(q);
	(void)sqlite3_close(db);
}

static int ask(const char *method, const char *id, const char *more)
{
	char path[128];
	struct reply r;
	int status;

	(void)snprintf(path, sizeof(path), "/v1/runs/%s%s", id, more);
	r = harness_ask(&h, method, path, NULL, NULL);
	status = r.status;
	reply_release(&r);
	return status;
}

Test(killed, while_a_run_is_queued_and_while_one_is_running)
{
	char digest[32], first[64], second[64];

	digest_of(SPECS_MEDIUM, digest);
	harness_run(&h, SPECS_MEDIUM, first);
	harness_run(&h, SPECS_MEDIUM, second);
	cr_assert(harness_state(&h, first, "running", 20));
	again();
	cr_assert(harness_state(&h, first, "running", 20));
	again(); /* once more, after it went on */
	ends_with(first, "succeeded", digest);
	ends_with(second, "succeeded", digest);
	database_is_intact();
}

/* Its process does not hear: the server is killed before that has ended. */
Test(killed, while_a_run_is_cancelling)
{
	char id[64];
	pid_t child;

	harness_run(&h, SPECS_SLOW, id);
	cr_assert(harness_state(&h, id, "running", 20));
	child = harness_child_soon(id);
	cr_assert_gt(child, 0);
	cr_assert_eq(kill(child, SIGSTOP), 0);
	cr_assert_eq(ask("POST", id, "/cancel"), 202);
	cr_assert(harness_state(&h, id, "cancelling", 20));
	again();
	ends_with(id, "cancelled", NULL);
	database_is_intact();
}

Test(killed, while_a_run_is_interrupted)
{
	char digest[32], id[64];

	digest_of(SPECS_MEDIUM, digest);
	harness_run(&h, SPECS_MEDIUM, id);
	cr_assert(harness_state(&h, id, "running", 20));
	cr_assert_eq(harness_stop(&h), 0); /* leaves it interrupted */
	harness_again(&h, args);
	again();
	ends_with(id, "succeeded", digest);
	database_is_intact();
}

Test(killed, after_each_kind_of_end)
{
	char digest[32], good[64], bad[64], late[64], gone[64];

	digest_of(SPECS_FAST, digest);
	harness_run(&h, SPECS_FAST, good);
	ends_with(good, "succeeded", digest);
	harness_run(&h,
		    "{\"spec\":{\"duration_ms\":1000,\"populations\":{\"a\":{\"model\":"
		    "\"poisson_generator\",\"size\":100,\"params\":{\"rate\":500}}},\"record\":{"
		    "\"spikes\":[\"a\"]},\"limits\":{\"max_spikes\":10}}}",
		    bad);
	ends_with(bad, "failed", NULL);
	harness_run(&h, SPECS_SLOW, gone);
	cr_assert(harness_state(&h, gone, "running", 20));
	harness_run(&h, SPECS_FAST, late);
	cr_assert_eq(ask("POST", late, "/cancel"), 200);
	cr_assert_eq(ask("POST", gone, "/cancel"), 202);
	ends_with(gone, "cancelled", NULL);
	again();
	ends_with(good, "succeeded", digest);
	ends_with(bad, "failed", NULL);
	ends_with(late, "cancelled", NULL);
	ends_with(gone, "cancelled", NULL);
	cr_assert_eq(ask("DELETE", bad, ""), 204);
	again();
	cr_assert_eq(ask("GET", bad, ""), 404);
	database_is_intact();
}

/* About 6 MB of spikes: killed as soon as its process has ended, mostly as they are brought in. */
Test(killed, while_a_result_is_brought_in)
{
	static const char body[] =
		"{\"spec\":{\"duration_ms\":1000,\"seed\":\"1\",\"populations\":{\"a\":{\"model\":"
		"\"poisson_generator\",\"size\":500,\"params\":{\"rate\":1000}}},"
		"\"record\":{\"spikes\":[\"a\"]}}}";
	char digest[32], id[64];

	digest_of(body, digest);
	for (int i = 0; i < 3; i++) {
		harness_run(&h, body, id);
		for (int k = 0; k < 100000 && !harness_child(id); k++)
			if (harness_state(&h, id, "succeeded", 0))
				break;
		while (harness_child(id))
			;
		again();
		ends_with(id, "succeeded", digest);
	}
	database_is_intact();
}
