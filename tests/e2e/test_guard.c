/* test_guard - what the processes of runs and sessions have given up. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

static struct harness h;

static void setup(void)
{
	static const char *const args[] = {
		"--run-memory-mb", "100", "--max-result-mb", "28", "--wall-max-s", "1000", NULL
	};

	harness_new(&h, args);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(guard, .init = setup, .fini = teardown, .timeout = 60);

/* The file /proc/PID/NAME has this text. */
static bool says(pid_t pid, const char *name, const char *text)
{
	char path[64], content[8192];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	f = fopen(path, "r");
	if (!f)
		return false;
	n = fread(content, 1, sizeof(content) - 1, f);
	content[n] = '\0';
	(void)fclose(f);
	return strstr(content, text) != NULL;
}

/* The last thing that is given up: sanitizers get no filter. */
static const char *guarded(void)
{
	return harness_sanitized("STDP_RUN") ? "NoNewPrivs:\t1" : "Seccomp:\t2";
}

static void is_guarded(pid_t pid)
{
	cr_assert_gt(pid, 0);
	cr_assert(says(pid, "status", "NoNewPrivs:\t1"));
	cr_assert(says(pid, "status", guarded()));
	cr_assert(says(pid, "limits", "Max core file size        0 "));
	cr_assert(says(pid, "limits", "Max open files            4096 "));
	cr_assert(says(pid, "limits", "Max file size             134217728 "));
}

Test(guard, a_runs_process_is_guarded_and_the_run_still_ends)
{
	char id[64], path[96];
	struct reply r;
	pid_t pid = 0;

	harness_run(&h, SPECS_SLOW, id);
	cr_assert(harness_state(&h, id, "running", 20));
	for (int i = 0; i < 2000 && !(pid && says(pid, "status", guarded())); i++) {
		r = harness_get(&h, "/livez");
		reply_release(&r);
		pid = harness_child(id);
	}
	is_guarded(pid);
	cr_assert(says(pid, "limits", "Max cpu time              2120 "));
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/cancel", id);
	r = harness_ask(&h, "POST", path, "{}", NULL);
	cr_assert_eq(r.status, 202, "%s", r.body);
	reply_release(&r);
	cr_assert(harness_state(&h, id, "cancelled", 20));
	harness_run(&h, "{\"preset\":\"stdp_window\"}", id);
	cr_assert(harness_state(&h, id, "succeeded", 20));
}

Test(guard, a_session_and_its_fork_are_guarded_and_go_on)
{
	char id[64], path[128];
	struct reply r = harness_ask(&h, "POST", "/v1/sessions", SPECS_FAST, NULL);

	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "/v1/sessions/%s/step", id);
		r = harness_ask(&h, "POST", path, "{\"duration_ms\":5}", NULL);
		cr_assert_eq(r.status, 200, "%s", r.body);
		reply_release(&r);
		(void)snprintf(path, sizeof(path), "/v1/sessions/%s/checkpoints", id);
		r = harness_ask(&h, "POST", path, "{}", NULL);
		cr_assert_eq(r.status, 201, "%s", r.body);
		reply_release(&r);
		if (i == 0)
			is_guarded(harness_child(id));
		if (i == 1)
			break;
		(void)snprintf(path, sizeof(path), "/v1/sessions/%s/fork", id);
		r = harness_ask(&h, "POST", path, "{\"name\":\"b\"}", NULL);
		cr_assert_eq(r.status, 201, "%s", r.body);
		(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
		reply_release(&r);
	}
}
