/* test_stdp_clopath.c - the voltage rule against its equations, step by step. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/check.h"
#include "tests/unit/one_synapse.h"

enum { DELAY = 7, STEPS = 6000, LAG = 50, N_V = 4 };
enum { U, PLUS, MINUS, MEAN };

static const struct plasticity_model *const rule = &plasticity_stdp_clopath;
static struct one o, swept;

struct world {
	double v[STEPS + 1][N_V]; /* mV, after each step */
	unsigned pre[STEPS + 1];
};

static struct world world;

/* A potential that crosses all thresholds, often and in either direction. */
static void draw(struct check_random *r)
{
	double u = -70, plus = -70, minus = -70, mean = -70;

	for (int64_t t = 0; t <= STEPS; t++) {
		u += check_uniform(r, -6, 6) - 0.01 * (u + 62);
		plus += (u - plus) / 70;
		minus += (u - minus) / 100;
		mean += (minus - mean) / 5000;
		world.v[t][U] = u;
		world.v[t][PLUS] = plus;
		world.v[t][MINUS] = minus;
		world.v[t][MEAN] = mean;
		world.pre[t] =
			t > 0 && check_below(r, 150) == 0 ? (unsigned)(1 + check_below(r, 3)) : 0;
	}
}

static double above(double u, double threshold)
{
	return u > threshold ? u - threshold : 0;
}

/* The weight just after the step at which the synapse is looked at. */
static double by_equations(double w, double lo, double hi, double fixed, int64_t until)
{
	double x = 0;

	for (int64_t t = 1; t <= until; t++) {
		int64_t s = t - DELAY; /* of the potentials that arrive */
		const double *now, *before;

		x *= exp(-0.1 / 15);
		if (s > LAG) {
			now = world.v[s];
			before = world.v[s - LAG];
			w += 8e-4 * 0.1 * x * above(now[U], -45.3) * above(before[PLUS], -70.6);
			w = fmin(w, hi);
			for (unsigned i = 0; i < world.pre[t]; i++) {
				double a = fixed != 0 ? 14e-5 : 14e-5 * pow(now[MEAN] + 68, 2) / 40;

				w = fmax(w - a * above(before[MINUS], -70.6), lo);
			}
		}
		x += world.pre[t] / 15.0;
	}
	return w;
}

static void use(double *p, double fixed, double w_min, double w_max)
{
	one_defaults(rule, p);
	one_set(rule, p, "A_LTP", 8e-4);
	one_set(rule, p, "A_LTD_const", fixed);
	one_set(rule, p, "u_ref_squared", 40);
	one_set(rule, p, "u_rest", -68);
	one_set(rule, p, "w_min", w_min);
	one_set(rule, p, "w_max", w_max);
}

static void begin(struct one *x, const double *p, double w)
{
	one_init(x, rule, p, 0.1, DELAY, w);
	cr_assert_eq(rule->lag(x->ctx.coef, 0.1), LAG);
	for (int64_t t = 1; t <= STEPS; t++)
		one_step(x, t, world.v[t], t > LAG ? world.v[t - LAG] : NULL);
}

/* What happened in all cases. */
static unsigned ups, downs, bounded;

static void follow(struct check_random *r, double fixed, double w_min, double w_max)
{
	double p[PLASTICITY_PARAMS_MAX], last = 1;

	use(p, fixed, w_min, w_max);
	begin(&o, p, 1);
	begin(&swept, p, 1);
	swept.trim = true;
	for (int64_t t = 1; t <= STEPS; t++) {
		if (check_below(r, 200) == 0 && !world.pre[t])
			one_update(&swept, t, 0);
		if (!world.pre[t])
			continue;
		one_update(&o, t, world.pre[t]);
		one_update(&swept, t, world.pre[t]);
		cr_assert_eq(o.w, swept.w, "a sweep changed %.17g to %.17g", o.w, swept.w);
		if (check_below(r, 8) == 0) {
			double want = by_equations(1, w_min, w_max, fixed, t);

			cr_assert(check_close(o.w, want, 1e-12, 0), "step %d: %.17g, not %.17g",
				  (int)t, o.w, want);
		}
		ups += o.w > last;
		downs += o.w < last;
		last = o.w;
	}
	bounded += !check_close(o.w, by_equations(1, 0, 10, fixed, o.row.t), 1e-3, 0);
}

Test(stdp_clopath, random_potentials_follow_the_equations_whatever_is_swept)
{
	struct check_random r = check_random("clopath");

	for (int repeat = 0; repeat < 3; repeat++) {
		draw(&r);
		follow(&r, 1, 0, 10);
		follow(&r, 0, 0, 10);
		follow(&r, 1, 0.99, 1.01);
	}
	cr_assert(ups > 20 && downs > 20 && bounded > 0, "%u up, %u down, %u bounded", ups, downs,
		  bounded);
}

Test(stdp_clopath, before_the_lag_is_over_nothing_is_known_of_the_past)
{
	const double high[N_V] = { 0, 0, 0, 0 };
	double p[PLASTICITY_PARAMS_MAX];

	use(p, 1, 0, 10);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	one_step(&o, 1, high, NULL);
	cr_assert_eq(o.n_log, 0);
	one_step(&o, 2, high, high);
	cr_assert_eq(o.n_log, 1);
	one_set(rule, p, "delay_u_bars", 0);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	cr_assert_eq(rule->lag(o.ctx.coef, 0.1), 0);
}

Test(stdp_clopath, a_target_at_rest_leaves_no_record)
{
	const double rest[N_V] = { -70.6, -70.6, -70.6, -70.6 };
	const double depolarised[N_V] = { -50, -60, -70.6, -70.6 };
	double p[PLASTICITY_PARAMS_MAX];

	use(p, 1, 0, 10);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	one_step(&o, 1, rest, rest);
	one_step(&o, 2, depolarised, depolarised);
	cr_assert_eq(o.n_log, 0);
}

/* What arrives with a presynaptic spike meets the trace as it was before it, and depresses by its
 * own potentials; what arrives at another time does not. */
Test(stdp_clopath, one_record_acts_at_its_arrival)
{
	const double v[N_V] = { -35.3, -60.6, -50.6, -60 };
	double p[PLASTICITY_PARAMS_MAX], x = exp(-1.0 / 15) / 15;

	use(p, 1, 0, 10);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	one_step(&o, 100 - DELAY, v, v);
	one_update(&o, 100, 1);
	cr_assert_float_eq(o.w, 1 - 14e-5 * 20, 1e-15);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	one_step(&o, 100 - DELAY, v, v);
	cr_assert_eq(one_update(&o, 99, 1), 1);
	cr_assert_eq(one_update(&o, 101, 1), 1 + 8e-4 * 0.1 / 15 * exp(-0.1 / 15) * 10 * 10);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	one_step(&o, 100 - DELAY, v, v);
	one_update(&o, 90, 1);
	one_update(&o, 100, 2);
	cr_assert_float_eq(o.w, 1 + 8e-4 * 0.1 * x * 10 * 10 - 2 * 14e-5 * 20, 1e-15);
}

Test(stdp_clopath, a_switched_off_row_keeps_its_weight_and_its_trace_goes_on)
{
	const double v[N_V] = { -35.3, -60.6, -50.6, -60 };
	double p[PLASTICITY_PARAMS_MAX];

	use(p, 1, 0, 10);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	one_step(&o, 100 - DELAY, v, v);
	one_step(&o, 200 - DELAY, v, v);
	o.row.on = false;
	cr_assert_eq(one_update(&o, 50, 1), 1);
	cr_assert_eq(one_update(&o, 100, 1), 1);
	cr_assert_float_eq(o.pre[0], 1 + exp(-5.0 / 15), 1e-15);
	cr_assert_eq(one_update(&o, 150, 0), 1);
	o.row.on = true;
	cr_assert_gt(one_update(&o, 250, 0), 1);
}

Test(stdp_clopath, named_sets_are_allowed_values)
{
	struct err err = { 0 };

	for (size_t k = 0; k < rule->n_sets; k++) {
		for (size_t i = 0; i < rule->n_params; i++)
			cr_assert_eq(param_check(&rule->params[i], rule->sets[k].p[i], "", &err), 0,
				     "%s: %s", rule->sets[k].name, err.text);
		cr_assert_eq(rule->check(rule->sets[k].p, &err), 0);
	}
	for (size_t i = 0; i < rule->n_params; i++)
		cr_assert_eq(rule->sets[0].p[i], rule->params[i].def,
			     "the first set is the default");
}

Test(stdp_clopath, bounds_the_wrong_way_round_are_refused)
{
	double p[PLASTICITY_PARAMS_MAX];
	struct err err = { 0 };

	use(p, 1, 0, 10);
	cr_assert_eq(rule->check(p, &err), 0);
	one_set(rule, p, "w_min", 10);
	cr_assert_eq(rule->check(p, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "w_max");
}
