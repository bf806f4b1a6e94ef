/* test_resume - runs go on from their checkpoints, whoever was killed. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

/* Some seconds. */
#define LONGER "{\"spec\":" SPECS_NET("400000", "50") "}"

static const char *const args[] = { "--slots", "1", "--checkpoint-s", "0.1", NULL };
static struct harness h;

static void setup(void)
{
	harness_new(&h, args);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(resume, .init = setup, .fini = teardown, .timeout = 180);

static void nap(void)
{
	const struct timespec t = { 0, 5000000 };

	(void)nanosleep(&t, NULL);
}

static bool in_folder(const char *id, const char *name, struct stat *st)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/runs/%s/%s", h.dir, id, name);
	return stat(path, st) == 0;
}

/* Until there is a checkpoint other than `before`; what it then is. */
static struct stat next_checkpoint(const char *id, struct stat before)
{
	struct stat st = { 0 };

	for (int i = 0; i < 6000; i++) {
		if (in_folder(id, "checkpoint", &st) && st.st_ino != before.st_ino)
			return st;
		nap();
	}
	cr_assert(false, "no checkpoint is written");
	return st;
}

/* It ended well, did not begin at 0, and its folder is gone. */
static void went_on(const char *id, char digest[64])
{
	struct reply r = harness_wait(&h, id, 120);
	char path[128];
	struct stat st;

	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	(void)snprintf(digest, 64, "%s", reply_text(&r, "/digest"));
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/log", id);
	r = harness_get(&h, path);
	cr_assert_not_null(strstr(r.body, "goes on from its checkpoint at"), "%s", r.body);
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/events", id);
	r = harness_get(&h, path); /* what it said comes before its end */
	cr_assert_not_null(strstr(r.body, "event: log\ndata: {"), "%s", r.body);
	cr_assert_lt(strstr(r.body, "event: log\n"), strstr(r.body, "\"succeeded\""), "%s", r.body);
	reply_release(&r);
	for (int i = 0; i < 400 && in_folder(id, ".", &st); i++)
		nap();
	cr_assert(!in_folder(id, ".", &st));
}

static void calm(char digest[64])
{
	struct reply r;
	char id[64];

	harness_run(&h, LONGER, id);
	r = harness_wait(&h, id, 120);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	(void)snprintf(digest, 64, "%s", reply_text(&r, "/digest"));
	reply_release(&r);
}

Test(resume, a_run_whose_server_was_killed_goes_on_to_the_same_digest)
{
	struct stat st = { 0 };
	char id[64], got[64], want[64];

	harness_run(&h, LONGER, id);
	for (int i = 0; i < 2; i++) {
		st = next_checkpoint(id, st);
		harness_kill(&h);
		harness_again(&h, args);
	}
	went_on(id, got);
	calm(want);
	cr_assert_str_eq(got, want);
}

Test(resume, a_run_whose_server_was_stopped_goes_on_to_the_same_digest)
{
	struct stat st = { 0 };
	char id[64], got[64], want[64];

	harness_run(&h, LONGER, id);
	st = next_checkpoint(id, st);
	cr_assert_eq(harness_stop(&h), 0);
	harness_again(&h, args);
	went_on(id, got);
	calm(want);
	cr_assert_str_eq(got, want);
}

Test(resume, a_run_whose_process_was_killed_goes_on_to_the_same_digest)
{
	struct stat st = { 0 };
	char id[64], got[64], want[64];

	harness_run(&h, LONGER, id);
	for (int i = 0; i < 2; i++) {
		pid_t child;

		st = next_checkpoint(id, st);
		child = harness_child(id);
		cr_assert_gt(child, 0);
		cr_assert_eq(kill(child, SIGKILL), 0);
	}
	went_on(id, got);
	calm(want);
	cr_assert_str_eq(got, want);
}

/* The folder of a run that was cancelled while it waited to go on is not left behind. */
Test(resume, cancelled_while_it_waits_its_folder_goes)
{
	struct stat st = { 0 };
	char id[64], first[64], path[128];
	struct reply r;

	harness_run(&h, SPECS_SLOW, id);
	st = next_checkpoint(id, st);
	cr_assert_eq(kill(harness_child(id), SIGKILL), 0);
	harness_run(&h, SPECS_SLOW, first);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/cancel", id);
	r = harness_ask(&h, "POST", path, "{}", NULL);
	cr_assert_lt(r.status, 300, "%s", r.body);
	reply_release(&r);
	cr_assert(harness_state(&h, id, "cancelled", 20));
	for (int i = 0; i < 400 && in_folder(id, ".", &st); i++)
		nap();
	cr_assert(!in_folder(id, ".", &st));
}
