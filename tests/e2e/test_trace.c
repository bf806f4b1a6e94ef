/* test_trace - a request's traceparent goes on: to processes, their logs, and webhooks. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/receiver.h"
#include "tests/e2e/specs.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"

static const char *const traced[] = { "traceparent: 00-" TRACE "-b7ad6b7169203331-01", NULL };

static struct harness h;
static struct receiver to;
static char text[RECEIVER_TEXT];

static void setup(void)
{
	static const char *const options[] = { "--webhook-private", NULL };
	struct reply r;
	char body[128];

	harness_new(&h, options);
	receiver_new(&to);
	(void)snprintf(body, sizeof(body), "{\"url\":\"http://127.0.0.1:%d/ok\",\"name\":\"h\"}",
		       to.port);
	r = harness_ask(&h, "POST", "/v1/webhooks", body, NULL);
	cr_assert_eq(r.status, 201, "%s", r.body);
	reply_release(&r);
}

static void teardown(void)
{
	harness_free(&h);
	receiver_free(&to);
}

TestSuite(trace, .init = setup, .fini = teardown, .timeout = 60);

/* Make one; its id, and the traceparent of the answer ("": none). */
static void make(const char *path, const char *body, const char *const *headers, char id[64],
		 char span[80])
{
	struct reply r = harness_ask(&h, "POST", path, body, headers);

	cr_assert_lt(r.status, 300, "%s", r.body);
	cr_assert_eq(r.status / 100, 2, "%s", r.body);
	(void)snprintf(id, 64, "%s", reply_text(&r, "/id"));
	if (!reply_header(&r, "traceparent", span, 80))
		span[0] = '\0';
	reply_release(&r);
}

/* Delivery i says `event` and bears `span` ("": none). */
static void told(int i, const char *event, const char *span)
{
	char value[80] = "";

	cr_assert(receiver_wait(&to, "/ok", i, text, 30.0), "%s", event);
	cr_assert(receiver_header(text, "Stdpd-Event", value, sizeof(value)));
	cr_assert_str_eq(value, event);
	cr_assert_eq(receiver_header(text, "traceparent", value, sizeof(value)), span[0] != '\0');
	cr_assert(!span[0] || strcmp(value, span) == 0, "%s: %s, not %s", event, value, span);
}

/* The arguments of the process in the folder of this id; its pid. */
static pid_t arguments(const char *id, char args[4096])
{
	char path[64];
	size_t n;
	pid_t pid = harness_child_soon(id);
	FILE *f;

	cr_assert_gt(pid, 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "r");
	cr_assert_not_null(f);
	n = fread(args, 1, 4095, f);
	(void)fclose(f);
	args[n] = '\0';
	for (size_t i = 0; i < n; i++)
		args[i] = args[i] ? args[i] : ' ';
	return pid;
}

static void end(const char *path, const char *id)
{
	char at[128];
	struct reply r;

	(void)snprintf(at, sizeof(at), "%s/%s/cancel", path, id);
	r = harness_ask(&h, "POST", at, NULL, NULL);
	cr_assert_eq(r.status, 202, "%s", r.body);
	reply_release(&r);
}

Test(trace, a_run_a_session_and_a_sweep_bear_that_of_their_request)
{
	char id[64], span[80], args[4096], at[128];
	struct reply r;

	make("/v1/runs", SPECS_SLOW, traced, id, span);
	cr_assert_eq(strncmp(span, "00-" TRACE "-", 36), 0, "%s", span);
	cr_assert(harness_state(&h, id, "running", 20));
	(void)arguments(id, args);
	cr_assert_not_null(strstr(args, span), "%s has no %s", args, span);
	end("/v1/runs", id);
	told(0, "run.cancelled", span);
	(void)snprintf(at, sizeof(at), "/v1/runs/%s/log", id);
	r = harness_get(&h, at);
	cr_assert_not_null(strstr(r.body, span), "%s", r.body);
	reply_release(&r);

	make("/v1/sessions", SPECS_SLOW, traced, id, span);
	(void)kill(arguments(id, args), SIGKILL);
	cr_assert_not_null(strstr(args, span), "%s has no %s", args, span);
	told(1, "session.failed", span);

	make("/v1/sweeps",
	     "{\"spec\":" SPECS_NET("50000000",
				    "100") ",\"axes\":[{\"path\":\"/duration_ms\",\"values\":"
					   "[50000000]}],\"seeds\":[\"1\"]}",
	     traced, id, span);
	end("/v1/sweeps", id);
	cr_assert(receiver_wait(&to, "/ok", 2, text,
				30.0)); /* a run's, if it had begun, and the sweep's */
	cr_assert(receiver_header(text, "traceparent", args, sizeof(args)));
	cr_assert_str_eq(args, span);
}

Test(trace, a_request_without_one_leaves_none)
{
	char id[64], span[80], args[4096];

	make("/v1/runs", SPECS_SLOW, NULL, id, span);
	cr_assert_str_eq(span, "");
	cr_assert(harness_state(&h, id, "running", 20));
	(void)arguments(id, args);
	cr_assert_null(strstr(args, "--trace"), "%s", args);
	end("/v1/runs", id);
	told(0, "run.cancelled", "");
}

Test(trace, a_webhook_is_tried_under_that_of_the_request)
{
	char id[64], span[80], at[128];
	struct reply r = harness_get(&h, "/v1/webhooks");

	(void)snprintf(at, sizeof(at), "/v1/webhooks/%s/test", reply_text(&r, "/items/0/id"));
	reply_release(&r);
	make(at, "{}", traced, id, span);
	told(0, "test", span);
}

Test(trace, what_a_simulation_says_bears_it)
{
	const char *program = getenv("STDP_RUN");
	char command[512], line[512] = "";
	FILE *f;

	(void)snprintf(command, sizeof(command),
		       "%s --trace=00-" TRACE "-b7ad6b7169203331-01 %s/none 2>&1",
		       program ? program : "build/bin/stdp-run", h.dir);
	f = popen(command, "r");
	cr_assert_not_null(f);
	cr_assert_not_null(fgets(line, sizeof(line), f));
	(void)pclose(f);
	cr_assert_eq(strncmp(line, "stdp-run: ", 10), 0, "%s", line);
	cr_assert_not_null(strstr(line, ", traceparent 00-" TRACE "-b7ad6b7169203331-01\n"), "%s",
			   line);
}
