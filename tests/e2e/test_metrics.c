/* test_metrics - the admin listener: Prometheus' text, its scope, and nothing of it elsewhere. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

static struct harness h, admin;

/* The admin listener's port is in the log. */
static void setup(void)
{
	static const char *const args[] = { "--admin-listen", "127.0.0.1:0", NULL };
	static const char says[] = "metrics on port ";
	char path[300], log[8192];
	const char *at;
	FILE *f;

	harness_new(&h, args);
	(void)snprintf(path, sizeof(path), "%s.log", h.dir);
	f = fopen(path, "r");
	log[fread(log, 1, sizeof(log) - 1, f)] = '\0';
	(void)fclose(f);
	at = strstr(log, says);
	cr_assert_not_null(at, "%s", log);
	admin = (struct harness){ .port = (int)strtol(at + strlen(says), NULL, 10) };
	(void)snprintf(admin.url, sizeof(admin.url), "http://127.0.0.1:%d", admin.port);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(metrics, .init = setup, .fini = teardown, .timeout = 60);

/* The value of a sample; -1: it is not there. */
static double value(const char *text, const char *sample)
{
	char line[200];
	const char *at;

	(void)snprintf(line, sizeof(line), "\n%s ", sample);
	at = strstr(text, line);
	return at ? strtod(at + strlen(line), NULL) : -1.0;
}

/* The metrics once this sample is not 0 any more: a request is counted when its answer has left. */
static struct reply when_counted(const char *sample)
{
	for (;;) { /* the test's time is limited */
		struct reply r = harness_get(&admin, "/metrics");

		if (value(r.body, sample) > 0)
			return r;
		reply_release(&r);
	}
}

Test(metrics, they_count_what_happened)
{
	static const char *const wait[] = { "Prefer: wait=20", NULL };
	struct reply a = harness_get(&admin, "/metrics"), b, r;
	char type[80];

	cr_assert_eq(a.status, 200, "%s", a.body);
	cr_assert(reply_header(&a, "Content-Type", type, sizeof(type)));
	cr_assert_not_null(strstr(type, "version=0.0.4"));
	cr_assert_eq(value(a.body, "stdpd_http_streams"), 0.0, "%s", a.body);
	cr_assert_eq(value(a.body, "stdpd_sweeps"), 0.0);
	cr_assert_eq(value(a.body, "stdpd_sweep_points_pending"), 0.0);
	r = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, wait);
	cr_assert_eq(r.status, 201);
	reply_release(&r);
	r = harness_get(&h, "/v1/nothing");
	cr_assert_eq(r.status, 404);
	reply_release(&r);
	b = when_counted("stdpd_http_requests_total{code=\"4xx\"}");
	cr_assert_eq(value(a.body, "stdpd_runs{state=\"succeeded\"}"), 0.0);
	cr_assert_eq(value(b.body, "stdpd_runs{state=\"succeeded\"}"), 1.0, "%s", b.body);
	cr_assert_eq(value(b.body, "stdpd_children_started_total"), 1.0);
	cr_assert_geq(value(b.body, "stdpd_http_requests_total{code=\"2xx\"}"),
		      value(a.body, "stdpd_http_requests_total{code=\"2xx\"}") + 1.0);
	cr_assert_eq(value(b.body, "stdpd_http_requests_total{code=\"4xx\"}"), 1.0);
	cr_assert_gt(value(b.body, "stdpd_database_bytes"), 0.0);
	cr_assert_gt(value(b.body, "process_resident_memory_bytes"), 0.0);
	cr_assert_gt(value(b.body, "stdpd_slots"), 0.0);
	reply_release(&a);
	reply_release(&b);
}

Test(metrics, every_sample_is_told_once_what_it_is)
{
	struct reply r = harness_get(&admin, "/metrics");
	char *save = NULL, known[80] = "";

	for (char *line = strtok_r(r.body, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			(void)snprintf(known, sizeof(known), "%.*s", (int)strcspn(line + 7, " "),
				       line + 7);
		} else if (strncmp(line, "# TYPE ", 7) == 0) {
			cr_assert_eq(strncmp(line + 7, known, strlen(known)), 0, "%s", line);
		} else {
			cr_assert_eq(strcspn(line, "{ "), strlen(known), "%s", line);
			cr_assert_eq(strncmp(line, known, strlen(known)), 0, "%s", line);
		}
	}
	reply_release(&r);
}

Test(metrics, they_need_the_scope_admin_and_stand_here_only)
{
	struct reply r = harness_get(&h, "/metrics");
	char header[128];
	const char *const headers[] = { header, NULL };

	cr_assert_eq(r.status, 404);
	reply_release(&r);
	r = harness_get(&admin, "/v1/runs");
	cr_assert_eq(r.status, 404);
	reply_release(&r);
	r = harness_ask(&h, "POST", "/v1/tokens", "{\"name\":\"p\",\"scopes\":[\"admin\"]}", NULL);
	(void)snprintf(header, sizeof(header), "Authorization: Bearer %s",
		       reply_text(&r, "/token"));
	reply_release(&r);
	r = harness_get(&admin, "/metrics");
	cr_assert_eq(r.status, 401);
	reply_release(&r);
	r = harness_ask(&admin, "GET", "/metrics", NULL, headers);
	cr_assert_eq(r.status, 200);
	reply_release(&r);
	r = harness_get(&admin, "/livez");
	cr_assert_eq(r.status, 200);
	reply_release(&r);
	r = harness_ask(&admin, "POST", "/metrics", "{}", headers);
	cr_assert_eq(r.status, 405);
	reply_release(&r);
}
