/* test_stdp_triplet.c - the triplet rule against the paper's protocols and closed forms. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/check.h"
#include "tests/unit/one_synapse.h"

enum { ALL_TO_ALL, NEAREST, REPEATS = 60, DELAY = 7, START = 2000 };

static const struct plasticity_model *const rule = &plasticity_stdp_triplet;
static struct one o, swept;

/* A parameter set of the paper; tau_plus 16.8 ms, tau_minus 33.7 ms in all. */
struct set {
	const char *name;
	double a2_plus, a3_plus, a2_minus, a3_minus, tau_x, tau_y;
	int pairing;
};

static const struct set visual[] = {
	{ "visual_cortex_all_to_all_full", 5e-10, 6.2e-3, 7e-3, 2.3e-4, 101, 125, ALL_TO_ALL },
	{ "visual_cortex_all_to_all_minimal", 0, 6.5e-3, 7.1e-3, 0, 100, 114, ALL_TO_ALL },
	{ "visual_cortex_nearest_full", 8.8e-11, 5.3e-2, 6.6e-3, 3.1e-3, 714, 40, NEAREST },
	{ "visual_cortex_nearest_minimal", 0, 5e-2, 8e-3, 0, 100, 40, NEAREST },
};

static const struct set hippocampal[] = {
	{ "hippocampus_all_to_all_full", 6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3, 946, 27, ALL_TO_ALL },
	{ "hippocampus_all_to_all_minimal", 5.3e-3, 8e-3, 3.5e-3, 0, 100, 40, ALL_TO_ALL },
	{ "hippocampus_nearest_full", 4.6e-3, 9.1e-3, 3e-3, 7.5e-9, 575, 47, NEAREST },
	{ "hippocampus_nearest_minimal", 4.6e-3, 9.1e-3, 3e-3, 0, 100, 48, NEAREST },
};

static void use(double *p, const struct set *s)
{
	one_defaults(rule, p);
	one_set(rule, p, "A2_plus", s->a2_plus);
	one_set(rule, p, "A3_plus", s->a3_plus);
	one_set(rule, p, "A2_minus", s->a2_minus);
	one_set(rule, p, "A3_minus", s->a3_minus);
	one_set(rule, p, "tau_x", s->tau_x);
	one_set(rule, p, "tau_y", s->tau_y);
	one_set(rule, p, "pairing", s->pairing);
	one_set(rule, p, "w_max", PARAM_INF);
}

Test(stdp_triplet, the_named_sets_are_the_papers)
{
	static const char *const free[] = { "tau_x",
					    "w_max" }; /* of a minimal model; no bound here */
	double p[PLASTICITY_PARAMS_MAX];

	cr_assert_eq(rule->n_sets, 8);
	for (size_t i = 0; i < 8; i++) {
		const struct set *s = i < 4 ? &visual[i] : &hippocampal[i - 4];
		const struct plasticity_set *named = &rule->sets[i];

		cr_expect_str_eq(named->name, s->name);
		use(p, s);
		for (size_t k = 0; k < rule->n_params; k++) {
			const char *name = rule->params[k].name;

			if (strcmp(name, free[1]) != 0 &&
			    (strcmp(name, free[0]) != 0 || s->a3_minus > 0))
				cr_expect_eq(named->p[k], p[k], "%s of %s", name, s->name);
			cr_expect_eq(param_check(&rule->params[k], named->p[k], "", NULL), 0);
		}
	}
}

/* What is repeated: times in ms at the synapse, ascending on either side. */
struct protocol {
	double pre[2], post[2];
	size_t n_pre, n_post;
	double period_ms;
};

static int64_t when(const struct protocol *x, size_t repeat, double ms)
{
	return START + (int64_t)floor(10 * ((double)repeat * x->period_ms + ms) + 0.5);
}

/* Change of a weight that no bound is near to. */
static double change(const struct set *s, const struct protocol *x)
{
	double p[PLASTICITY_PARAMS_MAX];

	use(p, s);
	one_init(&o, rule, p, 0.1, DELAY, 100);
	for (size_t i = 0; i < REPEATS; i++)
		for (size_t k = 0; k < x->n_post; k++)
			one_post(&o, when(x, i, x->post[k]) - DELAY);
	for (size_t i = 0; i < REPEATS; i++)
		for (size_t k = 0; k < x->n_pre; k++)
			one_update(&o, when(x, i, x->pre[k]), 1);
	return one_update(&o, when(x, REPEATS, 0) + 10000, 0) - 100;
}

static struct protocol pairing(double dt_ms, double rate_hz)
{
	return (struct protocol){ .pre = { 0 },
				  .post = { dt_ms },
				  .n_pre = 1,
				  .n_post = 1,
				  .period_ms = 1000 / rate_hz };
}

/* Of the 13 protocols of the hippocampal data, in the order of the table. */
static struct protocol wang(size_t i)
{
	static const struct protocol all[] = {
		{ { 0 }, { 10 }, 1, 1, 1000 },
		{ { 0 }, { -10 }, 1, 1, 1000 },
		{ { -5, 5 }, { 0 }, 2, 1, 1000 },
		{ { -10, 10 }, { 0 }, 2, 1, 1000 },
		{ { -15, 5 }, { 0 }, 2, 1, 1000 },
		{ { -5, 15 }, { 0 }, 2, 1, 1000 },
		{ { 0 }, { -5, 5 }, 1, 2, 1000 },
		{ { 0 }, { -10, 10 }, 1, 2, 1000 },
		{ { 0 }, { -5, 15 }, 1, 2, 1000 },
		{ { 0 }, { -15, 5 }, 1, 2, 1000 },
		{ { 0, 93.5 }, { 5, 88.5 }, 2, 2, 1000 },
		{ { 5, 83.7 }, { 0, 88.7 }, 2, 2, 1000 },
		{ { 5, 20 }, { 0, 25 }, 2, 2, 1000 },
	};

	cr_assert_lt(i, COUNTOF(all));
	return all[i];
}

Test(stdp_triplet, the_sets_of_visual_cortex_give_the_table_of_frequencies)
{
	static const double rates[] = { 0.1, 10, 20, 40, 50 };
	static const double want[4][5][2] = {
		{ { 0, -0.312 },
		  { 0.132, -0.334 },
		  { 0.247, -0.352 },
		  { 0.534, 0.155 },
		  { 0.741, 0.727 } },
		{ { 0, -0.317 },
		  { 0.119, -0.332 },
		  { 0.228, -0.342 },
		  { 0.532, 0.174 },
		  { 0.763, 0.749 } },
		{ { 0, -0.294 },
		  { 0.104, -0.411 },
		  { 0.323, -0.338 },
		  { 0.560, 0.260 },
		  { 0.624, 0.619 } },
		{ { 0, -0.357 },
		  { 0.101, -0.356 },
		  { 0.322, -0.279 },
		  { 0.568, 0.290 },
		  { 0.636, 0.630 } },
	};

	for (size_t s = 0; s < 4; s++)
		for (size_t r = 0; r < 5; r++)
			for (size_t side = 0; side < 2; side++) {
				struct protocol x = pairing(side ? -10 : 10, rates[r]);
				double dw = change(&visual[s], &x);

				cr_expect(fabs(dw - want[s][r][side]) <= 0.002,
					  "set %zu, %g Hz, dt %s10 ms: %.4f, not %.3f", s, rates[r],
					  side ? "-" : "+", dw, want[s][r][side]);
			}
}

Test(stdp_triplet, the_hippocampal_sets_give_the_table_of_13_protocols)
{
	static const double want[4][13] = {
		{ .202, -.104, .043, .005, -.078, .102, .358, .204, .108, .325, .035, .103, .245 },
		{ .175, -.156, .055, .019, -.051, .102, .333, .180, .068, .318, .042, .079, .305 },
		{ .152, -.134, .050, .018, -.042, .090, .378, .215, .104, .355, .052, .096, .189 },
		{ .152, -.134, .050, .018, -.042, .090, .379, .217, .105, .357, .052, .099, .191 },
	};

	for (size_t s = 0; s < 4; s++)
		for (size_t i = 0; i < 13; i++) {
			struct protocol x = wang(i);
			double dw = change(&hippocampal[s], &x);

			cr_expect(fabs(dw - want[s][i]) <= 0.002,
				  "set %zu, protocol %zu: %.4f, not %.3f", s, i, dw, want[s][i]);
		}
}

enum { ROWS_MAX = 16 };

/* A table of measurements: mean and standard error stand in columns `mean` and `mean` + 1. */
struct measured {
	double column[ROWS_MAX][6];
	size_t n;
};

static void read_measured(const char *file, struct measured *ret)
{
	const char *path = check_shared(file);
	char line[256];
	FILE *f = path ? fopen(path, "r") : NULL;

	if (!f)
		cr_skip_test("no measurements");
	ret->n = 0;
	while (fgets(line, sizeof(line), f)) {
		char *at = line;

		cr_assert_lt(ret->n, ROWS_MAX);
		for (size_t i = 0; i < COUNTOF(ret->column[0]); i++) {
			ret->column[ret->n][i] = strtod(at, NULL);
			at += strcspn(at, ",");
			at += *at == ',';
		}
		ret->n += ret->column[ret->n][4] != 0; /* not the heading */
	}
	(void)fclose(f);
}

static double squared(const double *mean_and_error, double model)
{
	double e = (mean_and_error[0] - model) / mean_and_error[1];

	return e * e;
}

Test(stdp_triplet, errors_over_the_measurements_are_those_of_a_faithful_implementation)
{
	static const double want_visual[] = { 0.34, 0.36, 0.23, 0.35 };
	static const double want_hippocampal[] = { 2.83, 3.27, 2.72, 2.71 };
	struct measured vc, hc;

	read_measured("data/stdp-experiments/sjostrom2001-frequency.csv", &vc);
	read_measured("data/stdp-experiments/wang2005-hippocampal.csv", &hc);
	cr_assert_eq(vc.n, 10);
	cr_assert_eq(hc.n, 13);
	for (size_t s = 0; s < 4; s++) {
		double sum = 0;

		for (size_t i = 0; i < vc.n; i++) {
			struct protocol x = pairing(vc.column[i][1], vc.column[i][0]);

			sum += squared(&vc.column[i][2], change(&visual[s], &x));
		}
		cr_expect(fabs(sum / 10 - want_visual[s]) <= 0.02, "set %zu: %g", s, sum / 10);
		sum = 0;
		for (size_t i = 0; i < hc.n; i++) {
			struct protocol x = wang(i);

			sum += squared(&hc.column[i][4], change(&hippocampal[s], &x));
		}
		cr_expect(fabs(sum / 13 - want_hippocampal[s]) <= 0.02, "set %zu: %g", s, sum / 13);
	}
}

Test(stdp_triplet, a_lone_pair_follows_the_closed_form_and_the_bounds)
{
	static const double weights[] = { 0, 0.003, 0.5, 0.998, 1 };
	double p[PLASTICITY_PARAMS_MAX];

	use(p, &hippocampal[0]);
	one_set(rule, p, "w_max", 1);
	for (int64_t dt = -1000; dt <= 1000; dt += 25)
		for (size_t i = 0; i < COUNTOF(weights); i++) {
			double got;

			one_init(&o, rule, p, 0.1, DELAY, weights[i]);
			one_post(&o, START + dt - DELAY);
			one_update(&o, START, 1);
			got = one_update(&o, 40000, 0) - weights[i];
			cr_assert_float_eq(got, rule->window(p, weights[i], 0.1 * (double)dt),
					   1e-15);
			cr_assert(dt != 0 || got == 0);
		}
}

/* Both traces of both sides, summed spike by spike from the equations. */
static double sum_of(const int64_t *at, size_t n, double tau_ms, int64_t now, int pairing)
{
	double sum = 0;

	for (size_t i = n; i > 0; i--) {
		sum += exp(-0.1 * (double)(now - at[i - 1]) / tau_ms);
		if (pairing == NEAREST)
			break;
	}
	return sum;
}

enum { SPIKES = 300 };

static void draw(struct check_random *r, int64_t *at, int64_t shortest)
{
	int64_t t = 50;

	for (size_t i = 0; i < SPIKES; i++)
		at[i] = t += shortest + (int64_t)check_below(r, 300);
}

static double by_equations(const struct set *s, const int64_t *pre, const int64_t *post, size_t n)
{
	double w = 100;

	for (size_t i = 0, j = 0; i < n;) {
		if (j < n && post[j] <= pre[i]) {
			w += sum_of(pre, i, 16.8, post[j], s->pairing) *
			     (s->a2_plus +
			      s->a3_plus * sum_of(post, j, s->tau_y, post[j], s->pairing));
			j++;
		} else {
			size_t before = j;

			while (before > 0 && post[before - 1] == pre[i])
				before--;
			w -= sum_of(post, before, 33.7, pre[i], s->pairing) *
			     (s->a2_minus +
			      s->a3_minus * sum_of(pre, i, s->tau_x, pre[i], s->pairing));
			i++;
		}
	}
	return w;
}

Test(stdp_triplet, random_trains_follow_the_equations_spikes_of_one_step_and_sweeps_too)
{
	static int64_t pre[SPIKES], post[SPIKES];
	struct check_random r = check_random("triplet");
	double p[PLASTICITY_PARAMS_MAX];

	for (int k = 0; k < 8; k++) {
		const struct set *s = k < 4 ? &visual[k] : &hippocampal[k - 4];
		double want;

		draw(&r, pre, 0); /* several spikes of one step happen */
		draw(&r, post, 0);
		pre[100] = pre[101] = pre[99];
		post[100] = post[101] = post[99];
		want = by_equations(s, pre, post, SPIKES);
		use(p, s);
		one_init(&o, rule, p, 0.1, DELAY, 100);
		one_init(&swept, rule, p, 0.1, DELAY, 100);
		swept.trim = true;
		for (size_t i = 0; i < SPIKES; i++) {
			one_post(&o, post[i] - DELAY);
			one_post(&swept, post[i] - DELAY);
		}
		for (size_t i = 0, n; i < SPIKES; i += n) {
			for (n = 1; i + n < SPIKES && pre[i + n] == pre[i];)
				n++;
			if (pre[i] - swept.row.t_last > 20)
				one_update(&swept, pre[i] - (int64_t)check_below(&r, 20) - 1, 0);
			one_update(&o, pre[i], (unsigned)n);
			one_update(&swept, pre[i], (unsigned)n);
		}
		cr_assert_float_eq(o.w, want, 1e-11, "set %d: %.17g, not %.17g", k, o.w, want);
		cr_assert_float_eq(swept.w, o.w, 1e-12);
	}
}

Test(stdp_triplet, a_switched_off_row_keeps_its_weight_and_its_traces_go_on)
{
	double p[PLASTICITY_PARAMS_MAX];

	use(p, &hippocampal[0]);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	one_post(&o, 900);
	o.row.on = false;
	cr_assert_eq(one_update(&o, 1000, 1), 1);
	cr_assert_eq(one_update(&o, 1100, 1), 1);
	cr_assert_float_eq(o.pre[0], 1 + exp(-10 / 16.8), 1e-14);
	cr_assert_float_eq(o.pre[1], 1 + exp(-10 / 946.0), 1e-14);
}

Test(stdp_triplet, bounds_the_wrong_way_round_are_refused)
{
	double p[PLASTICITY_PARAMS_MAX];
	struct err err = { 0 };

	one_defaults(rule, p);
	cr_assert_eq(rule->check(p, &err), 0);
	one_set(rule, p, "w_min", 1);
	cr_assert_eq(rule->check(p, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "w_max");
}
