/* test_sweeps - grids of runs: checked, filled bit by bit, the same after a crash, cancelled, owned. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

static const char *const args[] = { "--slots", "1", "--sweep-points", "24", NULL };
static struct harness h;

static void setup(void)
{
	harness_new(&h, args);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(sweeps, .init = setup, .fini = teardown, .timeout = 120);

#define WINDOW \
	"\"spec\":{\"experiment\":\"stdp_window\",\"params\":{\"dt_ms\":[10,20]," \
	"\"rule_params\":{}}}"
#define GRID \
	"{" WINDOW ",\"axes\":[{\"path\":\"/params/rule_params/A_plus\",\"values\":[0.01,0.02]}," \
	"{\"path\":\"/params/rule_params/tau_plus\",\"name\":\"tau\",\"values\":{\"from\":10," \
	"\"to\":40,\"count\":3,\"log\":true}}],\"seeds\":{\"from\":1,\"count\":2},\"name\":\"g\"," \
	"\"tags\":[\"t\"]}"
/* A weight and seeds of a network that runs for `duration`. */
#define NETS(duration) \
	"{\"spec\":" SPECS_NET( \
		duration, "50") ",\"axes\":[{\"path\":" \
				"\"/projections/wire/synapse/weight\",\"values\":[50,60,70]}]," \
				"\"seeds\":[1,2,3]}"

static void nap(void)
{
	const struct timespec t = { 0, 10000000 };

	(void)nanosleep(&t, NULL);
}

static void path_of(char path[160], const char *id, const char *more)
{
	(void)snprintf(path, 160, "/v1/sweeps/%s%s", id, more);
}

static struct reply get(const char *id, const char *more)
{
	char path[160];

	path_of(path, id, more);
	return harness_get(&h, path);
}

static void start(const char *body, const char *const *headers, char id[64])
{
	struct reply r = harness_ask(&h, "POST", "/v1/sweeps", body, headers);

	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(id, 64, "%s", reply_text(&r, "/id"));
	reply_release(&r);
}

/* Until it is in one of the two states that end it. */
static struct reply over(const char *id)
{
	struct reply r = get(id, "");

	for (int i = 0;
	     i < 6000 && reply_at(&r, "/finished_at") && json_is_null(reply_at(&r, "/finished_at"));
	     i++) {
		reply_release(&r);
		nap();
		r = get(id, "");
	}
	cr_assert(json_is_string(reply_at(&r, "/finished_at")), "%s", r.body);
	return r;
}

/* Column `name` of the table. */
static json_t *column(const struct reply *table, const char *name)
{
	json_t *c;
	size_t i;

	json_array_foreach(reply_at(table, "/columns"), i, c)
	{
		if (strcmp(json_string_value(json_object_get(c, "name")), name) == 0)
			return json_object_get(c, "values");
	}
	cr_assert(false, "no column %s in %.2000s", name, table->body);
	return NULL;
}

static size_t count_runs(const char *id)
{
	char path[160];
	struct reply r;
	size_t n;

	(void)snprintf(path, sizeof(path), "/v1/runs?page_size=500&sweep=%s", id);
	r = harness_get(&h, path);
	n = json_array_size(reply_at(&r, "/items"));
	reply_release(&r);
	return n;
}

Test(sweeps, a_grid_becomes_runs_and_a_table)
{
	struct reply r;
	char id[64], path[160];

	start(GRID, NULL, id);
	r = over(id);
	cr_assert_str_eq(reply_text(&r, "/state"), "finished");
	cr_assert_eq(reply_number(&r, "/progress/points"), 12.0);
	cr_assert_eq(reply_number(&r, "/progress/done"), 12.0);
	cr_assert_eq(reply_number(&r, "/counts/succeeded"), 12.0);
	cr_assert_str_eq(reply_text(&r, "/best/metric"), "max_rel_error");
	cr_assert_str_eq(reply_text(&r, "/best/goal"), "min");
	cr_assert_eq(reply_number(&r, "/best/over_seeds/n"), 2.0);
	reply_release(&r);
	cr_assert_eq(count_runs(id), 12);
	r = get(id, "/table");
	cr_assert_eq(reply_number(&r, "/rows"), 12.0);
	for (size_t i = 0; i < 12; i++) {
		static const double taus[] = { 10, 20, 40 };

		cr_assert_eq(json_number_value(json_array_get(column(&r, "A_plus"), i)),
			     i < 6 ? 0.01 : 0.02);
		cr_assert_eq(json_number_value(json_array_get(column(&r, "tau"), i)),
			     taus[i / 2 % 3]);
		cr_assert_str_eq(json_string_value(json_array_get(column(&r, "seed"), i)),
				 i % 2 ? "2" : "1");
		cr_assert_str_eq(json_string_value(json_array_get(column(&r, "state"), i)),
				 "succeeded");
		cr_assert(json_is_number(json_array_get(column(&r, "max_abs_error"), i)));
	}
	/* The run of a point has the values of its row. */
	(void)snprintf(path, sizeof(path), "/v1/runs/%s",
		       json_string_value(json_array_get(column(&r, "run_id"), 11)));
	reply_release(&r);
	r = harness_get(&h, path);
	cr_assert_str_eq(reply_text(&r, "/sweep"), id);
	cr_assert_str_eq(reply_text(&r, "/name"), "g: A_plus=0.02, tau=40, seed 2");
	cr_assert_str_eq(reply_text(&r, "/tags/0"), "t");
	cr_assert_str_eq(reply_text(&r, "/seed"), "2");
	reply_release(&r);
	(void)strcat(path, "/spec");
	r = harness_get(&h, path);
	cr_assert_eq(reply_number(&r, "/params/rule_params/tau_plus"), 40.0, "%s", r.body);
	cr_assert_eq(reply_number(&r, "/params/rule_params/A_plus"), 0.02);
	reply_release(&r);
}

Test(sweeps, tables_come_in_all_formats_and_over_seeds)
{
	struct reply r, all;
	char id[64];

	start("{\"spec\":" SPECS_NET("500", "10") ",\"axes\":[{\"path\":\"/populations/in/params/"
						  "rate\",\"values\":[20,80]}]"
						  ",\"seeds\":[1,2,3]}",
	      NULL, id);
	r = over(id);
	reply_release(&r);
	all = get(id, "/table");
	r = get(id, "/table?over=seeds");
	cr_assert_eq(reply_number(&r, "/rows"), 2.0);
	for (size_t cell = 0; cell < 2; cell++) {
		const json_t *c;
		size_t k, metrics = 0;

		cr_assert_eq(json_integer_value(json_array_get(column(&r, "n"), cell)), 3);
		json_array_foreach(reply_at(&all, "/columns"), k, c)
		{
			const char *name = json_string_value(json_object_get(c, "name"));
			double x[3], mean, sd = 0.0;
			char other[128];

			if (strcmp(json_string_value(json_object_get(c, "kind")), "metric") != 0)
				continue;
			metrics++;
			for (size_t i = 0; i < 3; i++)
				x[i] = json_number_value(
					json_array_get(column(&all, name), 3 * cell + i));
			mean = (x[0] + x[1] + x[2]) / 3.0;
			for (size_t i = 0; i < 3; i++)
				sd += (x[i] - mean) * (x[i] - mean) / 2.0;
			(void)snprintf(other, sizeof(other), "%s_sd", name);
			cr_assert_float_eq(
				json_number_value(json_array_get(column(&r, name), cell)), mean,
				1e-12 * fabs(mean) + 1e-300, "%s", name);
			cr_assert_float_eq(
				json_number_value(json_array_get(column(&r, other), cell)),
				sqrt(sd), 1e-9 * fabs(mean) + 1e-300, "%s", name);
		}
		cr_assert_gt(metrics, 0);
	}
	reply_release(&r);
	reply_release(&all);
	r = get(id, "/table?format=csv");
	cr_assert_eq(strstr(r.body, "point,rate,seed,run_id,state,reused,"), r.body, "%s", r.body);
	cr_assert_not_null(strstr(r.body, "\r\n5,80,3,"), "%s", r.body);
	reply_release(&r);
	r = get(id, "/table?format=ndjson");
	cr_assert_eq(strstr(r.body, "{\"point\":0,\"rate\":20,\"seed\":\"1\",\"run_id\":\""),
		     r.body, "%s", r.body);
	reply_release(&r);
	r = get(id, "/table?format=npz");
	cr_assert_eq(memcmp(r.body, "PK", 2), 0);
	reply_release(&r);
	r = get(id, "/table?format=npz&over=cells");
	cr_assert_eq(r.status, 422);
	reply_release(&r);
}

/* The first error of a body that is refused. */
static void refused(const char *body, const char *pointer, const char *code)
{
	struct reply r = harness_ask(&h, "POST", "/v1/sweeps", body, NULL);

	cr_assert_eq(r.status, 422, "%s: %s", body, r.body);
	cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), pointer, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/errors/0/code"), code, "%s", r.body);
	reply_release(&r);
}

#define AXIS(path, values) "{" WINDOW ",\"axes\":[{\"path\":\"" path "\",\"values\":" values "}]}"

Test(sweeps, what_is_wrong_is_told_by_the_value_that_made_it_wrong)
{
	struct reply r;

	refused(AXIS("/params/rule_params/tau_plus", "[20,-3]"), "/axes/0/values/1",
		"out-of-range");
	refused(AXIS("/params/rule_params/tau_plus", "[20,\"x\"]"), "/axes/0/values/1",
		"wrong-type");
	refused(AXIS("/params/rule_params/tau_plus", "{\"from\":-1,\"to\":1,\"count\":2}"),
		"/axes/0/values", "out-of-range");
	refused(AXIS("/params/rule_params", "[{\"tau_plus\":20},{\"tau_plux\":20}]"),
		"/axes/0/values/1/tau_plux", "unknown-name");
	refused(AXIS("/params/nothing/here", "[1]"), "/axes/0/path", "unknown-name");
	refused(AXIS("/seed", "[1]"), "/axes/0/path", "out-of-range");
	refused(AXIS("seed", "[1]"), "/axes/0/path", "out-of-range");
	refused(AXIS("/params/pairs", "{\"from\":1,\"to\":25,\"step\":1}"), "/axes/0/values",
		"limit-exceeded");
	refused("{" WINDOW "}", "/axes", "missing");
	refused("{" WINDOW ",\"seeds\":[1,\"x\"]}", "/seeds/1", "wrong-type");
	refused("{" WINDOW ",\"seeds\":[1,\"01\"]}", "/seeds/1", "conflict");
	refused("{" WINDOW ",\"seeds\":[1],\"best\":\"max\"}", "/metric", "missing");
	refused("{" WINDOW ",\"seeds\":[1],\"more\":1}", "/more", "unknown-name");
	refused("{\"preset\":\"none\",\"seeds\":[1]}", "/preset", "unknown-name");
	refused("{" WINDOW
		",\"axes\":[{\"path\":\"/params/rule_params\",\"values\":[{}]},{\"path\":"
		"\"/params/rule_params/tau_plus\",\"values\":[1]}]}",
		"/axes/1/path", "conflict");
	refused("{" WINDOW ",\"axes\":[{\"path\":\"/params/pairs\",\"values\":[1,2,3,4,5]}],"
		"\"seeds\":{\"from\":1,\"count\":5}}",
		"/axes", "limit-exceeded");
	/* What the spec has wrong itself, and what values do to each other. */
	refused("{\"spec\":{\"experiment\":\"stdp_window\",\"params\":{\"dt_ms\":[10],\"nix\":1}},"
		"\"seeds\":[1]}",
		"/spec/params/nix", "unknown-name");
	r = harness_ask(&h, "POST", "/v1/sweeps",
			"{\"spec\":" SPECS_NET("100", "10") ",\"axes\":[{\"path\":"
							    "\"/duration_ms\",\"values\":[10,20]},"
							    "{\"path\":\"/resolution_ms\","
							    "\"values\":[0.1,0.3]}]}",
			NULL);
	cr_assert_eq(r.status, 422, "%s", r.body);
	cr_assert_not_null(strstr(r.body, "\"pointer\":\"/axes/0/values/0\""), "%s", r.body);
	reply_release(&r);
	r = harness_get(&h, "/v1/sweeps");
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 0);
	reply_release(&r);
	r = harness_get(&h, "/v1");
	cr_assert_eq(reply_number(&r, "/limits/sweep_points"), 24.0);
	reply_release(&r);
}

Test(sweeps, a_grid_does_not_fill_the_queue)
{
	struct reply r;
	char id[64], other[64];

	start(NETS("20000"), NULL, id);
	for (int i = 0; i < 100; i++) { /* while it goes on */
		r = get(id, "");
		cr_assert_leq(reply_number(&r, "/progress/queued"), 3.0, "%s", r.body);
		reply_release(&r);
		r = harness_get(&h, "/v1");
		cr_assert_leq(reply_number(&r, "/queued"), 3.0);
		reply_release(&r);
		nap();
	}
	harness_run(&h, SPECS_FAST, other); /* somebody else's comes before most of it */
	r = harness_wait(&h, other, 60);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded");
	reply_release(&r);
	r = over(id);
	cr_assert_eq(reply_number(&r, "/counts/succeeded"), 9.0);
	reply_release(&r);
}

/* Its points one after another: seed, weight, digest. */
static json_t *outcome(const char *id)
{
	static const char *const names[] = { "weight", "seed", "digest", "state" };
	struct reply r = get(id, "/table");
	json_t *all = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)json_object_set(all, names[i], column(&r, names[i]));
	reply_release(&r);
	return all;
}

Test(sweeps, a_server_killed_in_the_middle_goes_on_to_the_same_table)
{
	char id[64], calm[64];
	json_t *got, *want;
	struct reply r;
	size_t done = 0;
	int kills = 0;

	start(NETS("5000"), NULL, id);
	for (; kills < 3; kills++) {
		for (int i = 0; i < 3000; i++) {
			size_t now;

			r = get(id, "");
			now = (size_t)reply_number(&r, "/progress/done");
			reply_release(&r);
			if (now > done) {
				done = now;
				break;
			}
			nap();
		}
		if (done == 9)
			break;
		harness_kill(&h);
		harness_again(&h, args);
	}
	cr_assert_gt(kills, 0, "it was over too soon to be killed");
	r = over(id);
	cr_assert_str_eq(reply_text(&r, "/state"), "finished");
	cr_assert_eq(reply_number(&r, "/counts/succeeded"), 9.0, "%s", r.body);
	reply_release(&r);
	cr_assert_eq(count_runs(id), 9, "a point was run twice");
	got = outcome(id);
	start(NETS("5000"), NULL, calm);
	r = over(calm);
	reply_release(&r);
	want = outcome(calm);
	cr_assert(json_equal(got, want));
	json_decref(got);
	json_decref(want);
}

Test(sweeps, stored_runs_of_the_same_spec_serve_where_that_is_preferred)
{
	static const char *const reuse[] = { "Prefer: reuse", NULL };
	char first[64], second[64];
	struct reply r;

	start(GRID, NULL, first);
	r = over(first);
	reply_release(&r);
	start(GRID, reuse, second);
	r = over(second);
	cr_assert_eq(reply_number(&r, "/counts/reused"), 12.0, "%s", r.body);
	cr_assert_eq(reply_number(&r, "/counts/succeeded"), 12.0);
	reply_release(&r);
	cr_assert_eq(count_runs(second), 0);
	cr_assert_eq(count_runs(first), 12);
}

Test(sweeps, a_sweep_is_cancelled_with_its_runs_and_deleted)
{
	char id[64], path[160];
	struct reply r;
	size_t made;

	start("{\"spec\":" SPECS_NET("50000000", "50") ",\"seeds\":{\"from\":1,\"count\":20}}",
	      NULL, id);
	for (int i = 0; i < 500; i++) {
		r = get(id, "");
		if (reply_number(&r, "/progress/running") > 0.0)
			break;
		reply_release(&r);
		nap();
	}
	reply_release(&r);
	path_of(path, id, "");
	r = harness_ask(&h, "DELETE", path, NULL, NULL);
	cr_assert_eq(r.status, 409, "%s", r.body);
	reply_release(&r);
	path_of(path, id, "/cancel");
	r = harness_ask(&h, "POST", path, "{}", NULL);
	cr_assert_eq(r.status, 202, "%s", r.body);
	reply_release(&r);
	r = over(id);
	cr_assert_str_eq(reply_text(&r, "/state"), "cancelled");
	made = count_runs(id);
	cr_assert_leq(made, 5);
	cr_assert_eq(reply_number(&r, "/counts/cancelled"), (double)made, "%s", r.body);
	reply_release(&r);
	r = harness_ask(&h, "POST", path, NULL, NULL);
	cr_assert_eq(r.status, 200, "said twice is said once: %s", r.body);
	reply_release(&r);
	path_of(path, id, "?runs=delete");
	r = harness_ask(&h, "DELETE", path, NULL, NULL);
	cr_assert_eq(r.status, 204, "%s", r.body);
	reply_release(&r);
	cr_assert_eq(count_runs(id), 0);
	r = harness_get(&h, "/v1/runs");
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 0);
	reply_release(&r);
	r = get(id, "");
	cr_assert_eq(r.status, 404);
	reply_release(&r);
}

Test(sweeps, a_list_has_pages_and_a_sweep_can_leave_its_runs)
{
	char id[64], path[160];
	struct reply r;

	for (int i = 0; i < 3; i++) {
		start("{" WINDOW ",\"seeds\":[1],\"name\":\"n\"}", NULL, id);
		r = over(id);
		reply_release(&r);
	}
	r = harness_get(&h, "/v1/sweeps?page_size=2&q=N&state=finished");
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 2, "%s", r.body);
	(void)snprintf(path, sizeof(path), "/v1/sweeps?page_size=2&page_token=%s",
		       reply_text(&r, "/next_page_token"));
	reply_release(&r);
	r = harness_get(&h, path);
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 1, "%s", r.body);
	cr_assert(json_is_null(reply_at(&r, "/next_page_token")));
	reply_release(&r);
	path_of(path, id, "");
	r = harness_ask(&h, "DELETE", path, NULL, NULL);
	cr_assert_eq(r.status, 204);
	reply_release(&r);
	r = harness_get(&h, "/v1/runs");
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 3);
	cr_assert(json_is_null(reply_at(&r, "/items/0/sweep")));
	reply_release(&r);
}

Test(sweeps, its_events_end_with_its_end)
{
	static const char *const last[] = { "Last-Event-ID: 999999", NULL };
	char id[64], path[160];
	struct reply r;

	start("{" WINDOW ",\"seeds\":[1,2,3]}", NULL, id);
	r = get(id, "/events"); /* until it closes */
	cr_assert_eq(r.status, 200);
	cr_assert_not_null(strstr(r.headers, "text/event-stream"));
	cr_assert_not_null(strstr(r.body, "event: state\ndata: {\"state\":\"running\""), "%s",
			   r.body);
	cr_assert_not_null(strstr(r.body, "event: state\ndata: {\"state\":\"finished\""), "%s",
			   r.body);
	reply_release(&r);
	path_of(path, id, "/events");
	r = harness_ask(&h, "GET", path, NULL, last);
	cr_assert_eq(r.status, 204);
	reply_release(&r);
}
