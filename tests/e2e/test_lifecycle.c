/* test_lifecycle - stops, crashes and restarts: what was accepted is never lost. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

static struct harness h;

static void setup(void)
{
	static const char *const args[] = { "--slots", "1", "--queue-max", "3", NULL };

	harness_new(&h, args);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(lifecycle, .init = setup, .fini = teardown, .timeout = 120);

Test(lifecycle, a_server_stops_in_order_and_ends_with_0)
{
	char id[64];

	harness_run(&h, SPECS_SLOW, id);
	cr_assert(harness_state(&h, id, "running", 20));
	cr_assert_eq(harness_stop(&h), 0);
	cr_assert_eq(harness_child(id), 0, "no simulation is left behind");
}

Test(lifecycle, waiting_clients_do_not_hold_a_stop_up)
{
	char id[64], request[256], answer[1024];
	struct timespec t0, t1;

	harness_run(&h, SPECS_SLOW, id);
	cr_assert(harness_state(&h, id, "running", 20));
	(void)snprintf(request, sizeof(request),
		       "GET /v1/runs/%s?wait=30 HTTP/1.1\r\nHost: localhost\r\n\r\n", id);
	for (int i = 0; i < 3; i++) /* parked, and the client gone without a word */
		harness_raw(&h, request, strlen(request), answer, 1);
	(void)snprintf(request, sizeof(request),
		       "GET /v1/runs/%s/events HTTP/1.1\r\nHost: localhost\r\n\r\n", id);
	harness_raw(&h, request, strlen(request), answer, sizeof(answer));
	cr_assert_not_null(strstr(answer, "event: state"));
	(void)clock_gettime(CLOCK_MONOTONIC, &t0);
	cr_assert_eq(harness_stop(&h), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &t1);
	cr_assert_lt(t1.tv_sec - t0.tv_sec, 5);
}

Test(lifecycle, results_are_there_after_a_restart)
{
	struct reply before, after;
	char id[64], path[128];

	harness_run(&h, SPECS_FAST, id);
	before = harness_wait(&h, id, 20);
	cr_assert_str_eq(reply_text(&before, "/state"), "succeeded", "%s", before.body);
	cr_assert_eq(harness_stop(&h), 0);
	harness_again(&h, NULL);
	after = harness_wait(&h, id, 1);
	cr_assert_str_eq(after.body, before.body);
	reply_release(&before);
	reply_release(&after);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/spikes?population=in", id);
	after = harness_get(&h, path);
	cr_assert_eq(after.status, 200, "%s", after.body);
	cr_assert_gt(reply_number(&after, "/count"), 0.0);
	reply_release(&after);
}

Test(lifecycle, an_interrupted_run_goes_on_at_the_next_start_to_the_same_digest)
{
	char id[64], other[64];
	struct reply a, b;

	harness_run(&h, SPECS_MEDIUM, id);
	cr_assert(harness_state(&h, id, "running", 20));
	cr_assert_eq(harness_stop(&h), 0);
	harness_again(&h, NULL);
	a = harness_wait(&h, id, 60);
	cr_assert_str_eq(reply_text(&a, "/state"), "succeeded", "%s", a.body);
	harness_run(&h, SPECS_MEDIUM, other);
	b = harness_wait(&h, other, 60);
	cr_assert_str_eq(reply_text(&a, "/digest"), reply_text(&b, "/digest"));
	reply_release(&a);
	reply_release(&b);
}

Test(lifecycle, a_server_killed_in_the_middle_loses_no_accepted_run)
{
	char running[64], queued[64];
	struct reply r;
	pid_t child;

	harness_run(&h, SPECS_MEDIUM, running);
	harness_run(&h, SPECS_FAST, queued);
	cr_assert(harness_state(&h, running, "running", 20));
	child = harness_child_soon(running);
	cr_assert_gt(child, 0);
	harness_kill(&h);
	harness_again(&h, NULL);
	r = harness_wait(&h, running, 60);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	reply_release(&r);
	r = harness_wait(&h, queued, 60);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	reply_release(&r);
	r = harness_get(&h, "/v1/runs");
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 2);
	reply_release(&r);
	cr_assert_neq(harness_child(running), child, "the old simulation died with its server");
}

Test(lifecycle, a_killed_simulation_fails_as_crashed_and_the_next_one_runs)
{
	struct reply r;
	char id[64];

	harness_run(&h, SPECS_SLOW, id);
	cr_assert_gt(harness_child_soon(id), 0);
	cr_assert_eq(kill(harness_child_soon(id), SIGKILL), 0);
	r = harness_wait(&h, id, 10);
	cr_assert_str_eq(reply_text(&r, "/state"), "failed", "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/error/code"), "crashed");
	cr_assert_not_null(strstr(reply_text(&r, "/error/detail"), "signal 9"));
	reply_release(&r);
	harness_run(&h, SPECS_FAST, id);
	r = harness_wait(&h, id, 20);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded");
	reply_release(&r);
}

/* Cancel a run that would take hours, whose process `sig` has met before (0: nothing has); when it is
 * cancelled its process is gone. */
static void cancelled(int sig)
{
	char id[64], path[128];
	struct reply r;
	pid_t pid;

	harness_run(&h, SPECS_SLOW, id);
	cr_assert(harness_state(&h, id, "running", 20));
	pid = harness_child_soon(id);
	cr_assert_gt(pid, 0);
	if (sig)
		cr_assert_eq(kill(pid, sig), 0);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/cancel", id);
	r = harness_ask(&h, "POST", path, NULL, NULL);
	cr_assert_eq(r.status, 202, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/state"), "cancelling", "%s", r.body);
	reply_release(&r);
	r = harness_wait(&h, id, 30);
	cr_assert_str_eq(reply_text(&r, "/state"), "cancelled", "%s", r.body);
	cr_assert(json_is_true(reply_at(&r, "/partial")), "%s", r.body);
	cr_assert_lt(reply_number(&r, "/progress/fraction"), 0.5, "%s", r.body);
	reply_release(&r);
	cr_assert(kill(pid, 0) && errno == ESRCH, "its process is there");
	cr_assert_eq(harness_child(id), 0);
}

Test(lifecycle, a_running_run_ends_when_it_is_cancelled)
{
	cancelled(0);
}

Test(lifecycle, a_process_that_does_not_hear_of_it_is_killed)
{
	cancelled(SIGSTOP);
}

Test(lifecycle, runs_wait_in_line_and_a_full_line_is_429)
{
	char first[64], id[64], path[128], retry[16];
	struct reply r;

	harness_run(&h, SPECS_SLOW, first);
	cr_assert(harness_state(&h, first, "running", 20));
	for (int i = 0; i < 3; i++) {
		harness_run(&h, SPECS_FAST, id);
		(void)snprintf(path, sizeof(path), "/v1/runs/%s", id);
		r = harness_get(&h, path);
		cr_assert_eq(reply_number(&r, "/queue_position"), i + 1.0, "%s", r.body);
		reply_release(&r);
	}
	r = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, NULL);
	cr_assert_eq(r.status, 429, "%s", r.body);
	cr_assert(reply_header(&r, "Retry-After", retry, sizeof(retry)));
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/cancel", first);
	r = harness_ask(&h, "POST", path, NULL, NULL);
	reply_release(&r);
	r = harness_wait(&h, id, 30); /* the last of the line */
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded");
	reply_release(&r);
}

Test(lifecycle, a_queued_run_is_cancelled_without_ever_running)
{
	char first[64], second[64], path[128];
	struct reply r;

	harness_run(&h, SPECS_SLOW, first);
	cr_assert(harness_state(&h, first, "running", 20));
	harness_run(&h, SPECS_FAST, second);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/cancel", second);
	r = harness_ask(&h, "POST", path, NULL, NULL);
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/state"), "cancelled");
	cr_assert(json_is_null(reply_at(&r, "/started_at")));
	reply_release(&r);
}

Test(lifecycle, a_run_over_its_wall_time_is_timed_out)
{
	static const char *const args[] = { "--wall-max-s", "0.5", NULL };
	struct reply r;
	char id[64];

	cr_assert_eq(harness_stop(&h), 0);
	harness_again(&h, args);
	harness_run(&h, SPECS_SLOW, id);
	r = harness_wait(&h, id, 20);
	cr_assert_str_eq(reply_text(&r, "/state"), "timed_out", "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/error/code"), "timed-out");
	cr_assert(json_is_true(reply_at(&r, "/partial")));
	reply_release(&r);
}

Test(lifecycle, a_second_server_on_the_same_folder_says_so_and_ends)
{
	char log[4096];

	cr_assert_eq(harness_try(h.dir, NULL, log, sizeof(log)), 1);
	cr_assert_not_null(strstr(log, "in use by another server"), "%s", log);
}

Test(lifecycle, an_open_address_is_refused_at_start)
{
	static const char *const args[] = { "--listen", "0.0.0.0:0", NULL };
	struct harness other;
	char log[4096], dir[256];

	(void)snprintf(dir, sizeof(dir), "%.200s-other", h.dir);
	cr_assert_eq(harness_try(dir, args, log, sizeof(log)), 2);
	cr_assert_not_null(strstr(log, "--behind-proxy"), "%s", log);
	other = (struct harness){ 0 };
	(void)snprintf(other.dir, sizeof(other.dir), "%s", dir);
	harness_free(&other);
}

Test(lifecycle, nothing_is_left_of_a_run_but_its_rows)
{
	struct dirent *entry;
	char id[64], path[300];
	struct reply r;
	int left = 0;
	DIR *runs;

	harness_run(&h, SPECS_FAST, id);
	r = harness_wait(&h, id, 20);
	reply_release(&r);
	cr_assert_eq(harness_stop(&h), 0);
	(void)snprintf(path, sizeof(path), "%s/runs", h.dir);
	runs = opendir(path);
	while ((entry = readdir(runs)) != NULL)
		left += entry->d_name[0] != '.';
	(void)closedir(runs);
	cr_assert_eq(left, 0);
}
