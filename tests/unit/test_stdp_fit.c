/* test_stdp_fit.c - the experiment: lists and data sets in, parameters, doubts and tables out. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/rng.h"
#include "tests/engine_case.h"

enum { MAX = 200 };

/* Measurements as they might be: both sides, some at 0. */
struct points {
	size_t n;
	double dt[MAX], dw[MAX], sem[MAX];
};

/* The published curve of hippocampal cultures, with noise. */
static void draw(struct points *x, size_t n, double sigma, uint64_t seed)
{
	struct rng_key key = rng_key(seed, RNG_EXPERIMENT, "measured");

	x->n = n;
	for (size_t i = 0; i < n; i++) {
		double dt = 80 * (2 * rng_uniform(key, i, 0) - 1);

		x->dt[i] = i == 3 ? 0 : dt;
		x->sem[i] = sigma * (1 + rng_uniform(key, i, 1));
		x->dw[i] = x->dt[i] > 0	  ? 0.777 * exp(-dt / 16.8)
			   : x->dt[i] < 0 ? -0.273 * exp(dt / 33.7)
					  : 0;
		x->dw[i] += x->sem[i] * rng_normal(key, i, 2);
	}
}

static json_t *list(const double *x, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_real(x[i]));
	return a;
}

static json_t *spec_of(const struct points *x, bool sem)
{
	json_t *params =
		json_pack("{s:o, s:o}", "dt_ms", list(x->dt, x->n), "dw", list(x->dw, x->n));

	if (sem)
		json_object_set_new(params, "sem", list(x->sem, x->n));
	return json_pack("{s:s, s:o, s:s}", "experiment", "stdp_fit", "params", params, "seed",
			 "4");
}

static bool remarked(const struct engine_case *c, const char *text)
{
	json_t *all = json_object_get(c->result, "remarks"), *one;
	size_t i;

	json_array_foreach(all, i, one) if (strstr(json_string_value(one), text)) return true;
	return false;
}

static const char *const names[] = { "A_plus", "tau_plus", "A_minus", "tau_minus" };
static const double truth[] = { 0.777, 16.8, -0.273, 33.7 };

/* Four parameters within three standard errors, ten draws: 40 comparisons, of which fewer than one
 * in 300 should fail; the nonlinear ones are a little wider. */
Test(stdp_fit, the_curve_that_was_drawn_is_found_within_its_errors)
{
	size_t out = 0;

	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct points x;
		struct engine_case c;

		draw(&x, 120, 0.05, seed);
		c = engine_case_json(spec_of(&x, seed % 2));
		for (size_t i = 0; i < COUNTOF(names); i++) {
			char se[32], determined[32];

			(void)snprintf(se, sizeof(se), "%s_se", names[i]);
			(void)snprintf(determined, sizeof(determined), "%s_determined", names[i]);
			cr_expect_eq(engine_case_metric(&c, determined), 1, "%s", names[i]);
			out += !(fabs(engine_case_metric(&c, names[i]) - truth[i]) <=
				 3 * engine_case_metric(&c, se));
		}
		cr_expect_eq(engine_case_metric(&c, "n_zero"), 1);
		cr_expect_eq(engine_case_metric(&c, "n_plus") + engine_case_metric(&c, "n_minus"),
			     119);
		cr_expect(remarked(&c, "Left out: 1 at dt = 0"));
		cr_expect_gt(engine_case_metric(&c, "r2"), 0.8);
		cr_expect_lt(engine_case_metric(&c, "control_r2"), 0.2);
		engine_case_reached(&c, 1);
		cr_expect(check_close(json_number_value(json_object_get(
					      engine_case_target(&c, "control_p"), "value")),
				      1.0 / 200, 1e-12, 0));
		engine_case_release(&c);
	}
	cr_expect_leq(out, 1);
}

Test(stdp_fit, the_table_of_residuals_adds_up)
{
	struct points x;
	struct engine_case c;
	json_t *table;
	double *dt, *dw, *fit, *rest, *curve, chi2 = 0, worst = 0;
	size_t n;

	draw(&x, 60, 0.05, 3);
	c = engine_case_json(spec_of(&x, true));
	table = engine_case_recording(&c, "table", "points", 0);
	dt = engine_case_column(&c, table, "dt_ms", &n);
	cr_assert_eq(n, 60);
	dw = engine_case_column(&c, table, "dw", &n);
	fit = engine_case_column(&c, table, "fit", &n);
	rest = engine_case_column(&c, table, "residual", &n);
	for (size_t i = 0; i < 60; i++) {
		double a = engine_case_metric(&c, dt[i] > 0 ? "A_plus" : "A_minus");
		double tau = engine_case_metric(&c, dt[i] > 0 ? "tau_plus" : "tau_minus");
		double want = dt[i] == 0 ? 0 : a * exp(-fabs(dt[i]) / tau);

		cr_expect(check_close(fit[i], want, 1e-12, 0));
		worst = fmax(worst, fabs(dw[i] - fit[i] - rest[i]));
		if (dt[i] != 0)
			chi2 += rest[i] * rest[i] / (x.sem[i] * x.sem[i]);
	}
	cr_expect_eq(worst, 0);
	cr_expect(check_close(engine_case_metric(&c, "chi2"), chi2, 1e-10, 0));
	curve = engine_case_column(&c, engine_case_recording(&c, "table", "curve", 0), "fit", &n);
	cr_expect_eq(n, 201);
	cr_expect_eq(curve[100], 0);
	mem_free(dt);
	mem_free(dw);
	mem_free(fit);
	mem_free(rest);
	mem_free(curve);
	engine_case_release(&c);
}

Test(stdp_fit, what_the_data_cannot_determine_is_said)
{
	/* Sjoestroem's points at 20 Hz: one difference a side. LTD: constant, so no tau. */
	static const struct points few = { 2, { 10, -10 }, { 0.29, -0.34 }, { 0.14, 0.1 } };
	static const struct points flat = { 8,
					    { 5, 10, 20, 40, -5, -10, -20, -40 },
					    { 0.6, 0.44, 0.25, 0.07, -0.2, -0.21, -0.2, -0.19 },
					    { 0 } };
	struct engine_case c = engine_case_json(spec_of(&few, true));

	for (size_t i = 0; i < COUNTOF(names); i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%s_determined", names[i]);
		cr_expect_eq(engine_case_metric(&c, name), 0);
		(void)snprintf(name, sizeof(name), "%s is not determined: this side has 1 of",
			       names[i]);
		cr_expect(remarked(&c, name), "%s", name);
	}
	engine_case_release(&c);
	c = engine_case_json(spec_of(&flat, false));
	cr_expect_eq(engine_case_metric(&c, "A_plus_determined"), 1);
	cr_expect_eq(engine_case_metric(&c, "tau_plus_determined"), 1);
	cr_expect_eq(engine_case_metric(&c, "tau_minus_determined"), 0);
	cr_expect(remarked(&c, "tau_minus is not determined: the longest tau allowed, 1000 ms"));
	cr_expect(!remarked(&c, "plus"));
	engine_case_release(&c);
}

static void write_npy(const struct check_dir *dir, const char *file, const double *x, uint64_t rows)
{
	struct npy_header h = { .type = NPY_F64, .n_dims = 1, .dim = { rows } };
	struct err err = { 0 };
	struct buf b;

	buf_init(&b, 1 << 20);
	cr_assert_eq(npy_write_header(&b, &h, &err), 0, "%s", err.text);
	cr_assert_eq(buf_add(&b, x, rows * sizeof(*x)), 0);
	engine_case_write(dir, file, b.data, b.len);
	buf_release(&b);
}

/* The points as columns of a data set "mine", under these names. */
static struct engine_case run_data(const struct points *x, const char *dt, const char *dw,
				   const char *sem, const char *params)
{
	struct engine_case c = { .dir = check_dir() };
	struct engine_case_control self = { 0 };
	struct engine_control control = engine_case_default(&self);
	const char *const column[] = { dt, dw, sem };
	const double *const values[] = { x->dt, x->dw, x->sem };
	char text[256];

	cr_assert_eq(mkdirat(c.dir.fd, "data", 0700), 0);
	for (size_t i = 0; i < 3; i++) {
		if (!column[i])
			continue;
		(void)snprintf(text, sizeof(text), "data/mine.%s.npy", column[i]);
		write_npy(&c.dir, text, values[i], x->n);
	}
	(void)snprintf(text, sizeof(text),
		       "{\"experiment\":\"stdp_fit\",\"params\":{%s},\"seed\":\"4\"}", params);
	engine_case_write(&c.dir, "spec.json", text, strlen(text));
	c.rc = engine_run(c.dir.fd, &control, &c.err);
	c.result = engine_case_result(&c.dir);
	return c;
}

Test(stdp_fit, a_data_set_gives_what_the_lists_give)
{
	static const struct {
		const char *dt, *dw, *sem, *params;
	} cases[] = {
		{ "dt_ms", "dw", "sem", "\"data\":{\"dataset\":\"mine\"}" },
		{ "dt", "dw_mean", "dw_sem", "\"data\":{\"dataset\":\"mine\"}" },
		{ "dt", "dw", NULL, "\"data\":{\"dataset\":\"mine\"}" },
		{ "x", "y", "e",
		  "\"data\":{\"dataset\":\"mine\",\"dt\":\"x\",\"dw\":\"y\",\"sem\":\"e\"}" },
	};
	struct points x;

	draw(&x, 40, 0.05, 9);
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct engine_case a = engine_case_json(spec_of(&x, cases[i].sem != NULL));
		struct engine_case b =
			run_data(&x, cases[i].dt, cases[i].dw, cases[i].sem, cases[i].params);

		cr_assert_eq(b.rc, 0, "%s", b.err.text);
		cr_expect(json_equal(json_object_get(a.result, "metrics"),
				     json_object_get(b.result, "metrics")),
			  "case %zu", i);
		engine_case_release(&a);
		engine_case_release(&b);
	}
}

Test(stdp_fit, what_is_wrong_is_told)
{
	static const struct {
		const char *params, *path;
		enum err_code code;
	} cases[] = {
		{ "", "/params/data", ERR_MISSING },
		{ "\"data\":{\"dataset\":\"other\"}", "/params/data", ERR_NOTFOUND },
		{ "\"data\":{\"dataset\":\"mine\",\"dw\":\"z\"}", "/params/data", ERR_NOTFOUND },
		{ "\"data\":{\"dataset\":\"mine\",\"what\":\"z\"}", "/params/data", ERR_TYPE },
		{ "\"data\":{\"dt\":\"z\"}", "/params/data", ERR_TYPE },
		{ "\"data\":{\"dataset\":\"mine\"},\"dt_ms\":[1]", "/params/dt_ms", ERR_CONFLICT },
		{ "\"dt_ms\":[1,2],\"dw\":[1]", "/params/dw", ERR_CONFLICT },
		{ "\"dt_ms\":[1,2],\"dw\":[1,2],\"sem\":[1]", "/params/sem", ERR_CONFLICT },
		{ "\"dt_ms\":[1],\"dw\":[1],\"tau_min_ms\":9,\"tau_max_ms\":9",
		  "/params/tau_max_ms", ERR_CONFLICT },
		{ "\"data\":{\"dataset\":\"mine\"}", "/params/data", ERR_RANGE },
	};
	struct points x = { 3, { 1, 2, 3 }, { 1, 2, 3 }, { 1, 0, 1 } };

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct engine_case c = run_data(&x, "dt", "dw", "sem", cases[i].params);

		cr_expect_eq(c.rc, -(int)cases[i].code, "case %zu: %s", i, c.err.text);
		cr_expect_str_eq(c.err.path, cases[i].path, "case %zu", i);
		engine_case_release(&c);
	}
}
