/* test_triplet_fit.c - predictions, distances from the data, fits: against independent numbers. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "core/kit_measured.h"
#include "tests/engine_case.h"

enum { MAX = 13 };

static struct engine_case run(const char *params)
{
	char text[512];
	struct engine_case c;

	(void)snprintf(text, sizeof(text), "{\"experiment\":\"triplet_fit\",\"params\":{%s}}",
		       params);
	c = engine_case_text(text, 1);
	return c;
}

static double *column(const struct engine_case *c, const char *name, size_t *ret_n)
{
	return engine_case_column(c, engine_case_recording(c, "table", "protocols", 0), name,
				  ret_n);
}

/* Eight sets, each its E and its predictions; the closed evaluation; pairs are worse. */
Test(triplet_fit, all_sets_predict_what_an_independent_implementation_does)
{
	struct engine_case c =
		engine_case_experiment("triplet_fit", "{\"all_sets\":true,\"refit\":false}");
	size_t n = 0;
	double *dw = column(&c, "model", &n);

	engine_case_reached(&c, 2 + 2 * 8);
	cr_assert_eq(n, 10);
	cr_expect_float_eq(dw[7], 0.155, 0.002, "40 Hz, -10 ms: %g", dw[7]);
	mem_free(dw);
	engine_case_release(&c);
	c = engine_case_experiment("triplet_fit", "{\"data\":\"hippocampus\",\"refit\":false}");
	engine_case_reached(&c, 2);
	dw = column(&c, "model", &n);
	cr_assert_eq(n, 13);
	cr_expect_float_eq(dw[12], 0.245, 0.002, "T = 20 ms: %g", dw[12]);
	mem_free(dw);
	engine_case_release(&c);
}

Test(triplet_fit, the_best_pair_rule_cannot_potentiate_where_the_data_do)
{
	struct engine_case c = run("\"refit\":false");
	size_t n = 0;
	double *pair = column(&c, "pair", &n), *data = column(&c, "data", &n);

	/* -10 ms: 20 Hz depresses, 40 Hz potentiates, by three times as much. */
	cr_expect_lt(data[5], -0.3);
	cr_expect_gt(data[7], 0.5);
	cr_expect_lt(pair[7], 0.2, "%g", pair[7]);
	mem_free(pair);
	mem_free(data);
	engine_case_release(&c);
}

/* E by hand from the table. */
static double distance(const struct engine_case *c, const char *name)
{
	size_t n = 0;
	double *x = column(c, name, &n), *data = column(c, "data", &n), *sem = column(c, "sem", &n);
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (x[i] - data[i]) * (x[i] - data[i]) / (sem[i] * sem[i]);
	mem_free(x);
	mem_free(data);
	mem_free(sem);
	return sum / (double)n;
}

Test(triplet_fit, a_refit_is_better_and_simulated_too)
{
	static const char *const params[] = { "\"data\":\"visual_cortex\"",
					      "\"data\":\"hippocampus\"" };

	for (size_t i = 0; i < COUNTOF(params); i++) {
		struct engine_case c = run(params[i]);

		cr_assert_eq(c.rc, 0, "%s", c.err.text);
		cr_expect_lt(engine_case_metric(&c, "E_refit"), engine_case_metric(&c, "E") - 0.02);
		cr_expect(check_close(engine_case_metric(&c, "E_refit"), distance(&c, "refit"),
				      1e-9, 0));
		cr_expect(check_close(engine_case_metric(&c, "E"), distance(&c, "model"), 1e-9, 0));
		cr_expect(check_close(engine_case_metric(&c, "E_pair"), distance(&c, "pair"), 1e-9,
				      0));
		engine_case_release(&c);
	}
}

/* Where the fit stands, a little more or less of any parameter is worse. */
Test(triplet_fit, the_refit_is_a_minimum)
{
	static const char *const names[] = { "A3_plus", "A2_minus", "tau_y" };
	struct engine_case c = run("\"set\":\"visual_cortex_nearest_minimal\"");
	double best = engine_case_metric(&c, "E_refit"), x[3];

	for (size_t i = 0; i < 3; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "refit_%s", names[i]);
		x[i] = engine_case_metric(&c, name);
	}
	engine_case_release(&c);
	for (size_t i = 0; i < 6; i++) {
		double y[3] = { x[0], x[1], x[2] };
		char params[256];

		y[i / 2] *= i % 2 ? 1.02 : 0.98;
		(void)snprintf(params, sizeof(params),
			       "\"set\":\"visual_cortex_nearest_minimal\",\"refit\":false,"
			       "\"rule_params\":{\"A3_plus\":%.17g,\"A2_minus\":%.17g,"
			       "\"tau_y\":%.17g}",
			       y[0], y[1], y[2]);
		c = run(params);
		cr_expect_gt(engine_case_metric(&c, "E"), best, "%zu", i);
		engine_case_release(&c);
	}
}

Test(triplet_fit, any_rule_may_try_and_what_is_refused_is_told)
{
	static const struct {
		const char *params, *path;
	} bad[] = {
		{ "\"rule\":\"nothing\"", "/params/rule" },
		{ "\"set\":\"nothing\"", "/params/set" },
		{ "\"rule_params\":{\"A9\":1}", "/params/rule_params/A9" },
	};
	struct engine_case c = run("\"rule\":\"stdp_pair\",\"rule_params\":{\"A_plus\":0.005}");

	cr_assert_eq(c.rc, 0, "%s: %s", c.err.path, c.err.text);
	cr_expect_geq(engine_case_metric(&c, "E"), engine_case_metric(&c, "E_pair"));
	engine_case_release(&c);
	for (size_t i = 0; i < COUNTOF(bad); i++) {
		c = run(bad[i].params);
		cr_expect_neq(c.rc, 0);
		cr_expect_str_eq(c.err.path, bad[i].path, "%s: %s", c.err.path, c.err.text);
		engine_case_release(&c);
	}
}

enum { ROWS = 16 };

/* Rows of numbers of a CSV; words are 0. */
static size_t read_rows(const char *path, double row[ROWS][8])
{
	char line[256];
	FILE *f = fopen(path, "r");
	size_t n = 0;

	cr_assert_not_null(f);
	cr_assert_not_null(fgets(line, sizeof(line), f));
	while (n < ROWS && fgets(line, sizeof(line), f)) {
		char *at = line;

		for (size_t i = 0; i < 8; i++) {
			row[n][i] = strtod(at, NULL);
			at += strcspn(at, ",");
			at += *at == ',';
		}
		n++;
	}
	(void)fclose(f);
	return n;
}

Test(triplet_fit, the_measurements_are_those_of_the_data_files)
{
	double row[ROWS][8];
	const char *path = check_shared("data/stdp-experiments/sjostrom2001-frequency.csv");

	if (!path)
		cr_skip_test("no measurements");
	cr_assert_eq(read_rows(path, row), MEASURED_VISUAL);
	for (size_t i = 0; i < MEASURED_VISUAL; i++) {
		const struct kit_measured *m = &kit_measured_visual[i];

		cr_expect_float_eq(1000 / m->cycle.period_ms, row[i][0], 1e-12);
		cr_expect_eq(m->cycle.post[0], row[i][1]);
		cr_expect(m->dw == row[i][2] && m->sem == row[i][3], "row %zu", i);
	}
	path = check_shared("data/stdp-experiments/wang2005-hippocampal.csv");
	cr_assert_not_null(path);
	cr_assert_eq(read_rows(path, row), MEASURED_HIPPOCAMPUS);
	for (size_t i = 0; i < MEASURED_HIPPOCAMPUS; i++) {
		const struct kit_protocol_cycle *c = &kit_measured_hippocampus[i].cycle;
		double t = row[i][3];

		cr_expect(kit_measured_hippocampus[i].dw == row[i][4] &&
				  kit_measured_hippocampus[i].sem == row[i][5],
			  "row %zu", i);
		if (i < 2)
			cr_expect_eq(c->post[0], row[i][1]);
		else if (i < 6)
			cr_expect(-c->pre[0] == row[i][1] && -c->pre[1] == row[i][2]);
		else if (i < 10)
			cr_expect(c->post[0] == row[i][1] && c->post[1] == row[i][2]);
		else
			cr_expect_float_eq((c->pre[1] + c->post[1]) / 2 -
						   (c->pre[0] + c->post[0]) / 2,
					   fabs(t), 1e-12);
		if (i >= 10)
			cr_expect((c->pre[0] < c->post[0]) == (t < 0));
	}
}
