/* test_stdp_dopamine.c - dopamine-modulated STDP against small steps of its equations. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/check.h"
#include "tests/unit/one_synapse.h"

enum { DELAY = 7, EVENTS = 120 };

static const struct plasticity_model *const rule = &plasticity_stdp_dopamine;
static struct one o, swept;

static void use(double *p, double b, double w_min, double w_max)
{
	one_defaults(rule, p);
	one_set(rule, p, "tau_c", 120);
	one_set(rule, p, "tau_n", 30);
	one_set(rule, p, "A_plus", 0.3);
	one_set(rule, p, "A_minus", -0.4);
	one_set(rule, p, "b", b);
	one_set(rule, p, "w_min", w_min);
	one_set(rule, p, "w_max", w_max);
}

/* What happens to the synapse, by step of arrival. */
struct trains {
	int64_t pre[EVENTS], post[EVENTS], signal[EVENTS];
};

static void draw(struct check_random *r, int64_t *at, int64_t longest)
{
	int64_t t = 20;

	for (size_t i = 0; i < EVENTS; i++)
		at[i] = t += (int64_t)check_below(r, (uint64_t)longest);
}

static struct trains draw_all(struct check_random *r)
{
	struct trains x;

	draw(r, x.pre, 80);
	draw(r, x.post, 80);
	draw(r, x.signal, 120);
	x.pre[50] = x.pre[51] = x.pre[49];
	x.post[50] = x.post[51] = x.post[49];
	x.signal[70] = x.signal[71] = x.signal[69];
	return x;
}

/* The integral of c (n - b) over h ms, both decaying. */
static double integral(const double *p, double c, double n, double h)
{
	double a = 1 / 120.0 + 1 / 30.0, b = p[param_find(rule->params, rule->n_params, "b")];

	return c * (n * -expm1(-h * a) / a + b * 120 * expm1(-h / 120));
}

/* From step to step as the file's head has it: integrate, clip where something happens. */
static double by_equations(const double *p, const struct trains *x, double w, double lo, double hi,
			   size_t n_pre)
{
	double c = 0, n = 0, pre = 0, post = 0, from = 0, w0 = w, c0 = 0, n0 = 0;
	size_t i = 0, j = 0, s = 0;

	for (int64_t t = 1; i < n_pre; t++) {
		double before, h = 0.1 * ((double)t - from);
		bool happens = x->pre[i] == t || (j < EVENTS && x->post[j] == t) ||
			       (s < EVENTS && x->signal[s] == t);

		pre *= exp(-0.1 / 20);
		post *= exp(-0.1 / 20);
		if (!happens)
			continue;
		w = fmin(fmax(w0 + integral(p, c0, n0, h), lo), hi);
		c = c0 * exp(-h / 120);
		n = n0 * exp(-h / 30);
		before = post;
		for (; j < EVENTS && x->post[j] == t; j++) {
			c += 0.3 * pre;
			post++;
		}
		for (; s < EVENTS && x->signal[s] == t; s++)
			n += 1 / 30.0;
		for (; i < n_pre && x->pre[i] == t; i++) {
			c -= 0.4 * before;
			pre++;
		}
		from = (double)t;
		w0 = w;
		c0 = c;
		n0 = n;
	}
	return w;
}

static void add(struct one *x, const struct trains *trains)
{
	for (size_t i = 0; i < EVENTS; i++)
		one_post(x, trains->post[i] - DELAY);
	for (size_t i = 0, n; i < EVENTS; i += n) {
		for (n = 1; i + n < EVENTS && trains->signal[i + n] == trains->signal[i];)
			n++;
		one_signal(x, trains->signal[i], (double)n);
	}
}

/* One case of random trains, beside it one with sweeps wherever they fall. */
static void follow(struct check_random *r, double b, double lo, double hi)
{
	struct trains x = draw_all(r);
	double p[PLASTICITY_PARAMS_MAX];

	use(p, b, lo, hi);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	one_init(&swept, rule, p, 0.1, DELAY, 1);
	swept.trim = true;
	add(&o, &x);
	add(&swept, &x);
	for (size_t i = 0, n; i < EVENTS; i += n) {
		double want;

		for (n = 1; i + n < EVENTS && x.pre[i + n] == x.pre[i];)
			n++;
		while (swept.row.t_last + 1 < x.pre[i] && check_below(r, 8) > 0)
			one_update(&swept,
				   swept.row.t_last + 1 +
					   (int64_t)check_below(
						   r, (uint64_t)(x.pre[i] - swept.row.t_last - 1)),
				   0);
		one_update(&o, x.pre[i], (unsigned)n);
		one_update(&swept, x.pre[i], (unsigned)n);
		want = by_equations(p, &x, 1, lo, hi, i + n);
		cr_assert(check_close(o.w, want, 1e-12, 0), "b %g, spike %zu: %.17g, not %.17g", b,
			  i, o.w, want);
		cr_assert(check_close(swept.w, o.w, 1e-12, 0), "b %g: sweeps made %.17g of %.17g",
			  b, swept.w, o.w);
	}
}

Test(stdp_dopamine, random_trains_follow_the_equations_whatever_is_swept)
{
	static const double baselines[] = { 0, 0.01, 0.05, -0.02 };
	struct check_random r = check_random("dopamine");

	for (size_t k = 0; k < COUNTOF(baselines); k++)
		for (int repeat = 0; repeat < 5; repeat++) {
			follow(&r, baselines[k], 0, 100);
			follow(&r, baselines[k], 0.9, 1.1);
		}
}

/* The weight goes beyond a bound and comes back between two events: at the next one it is as if
 * nobody had looked. */
Test(stdp_dopamine, a_sweep_at_a_bound_does_not_clip_what_comes_back)
{
	double p[PLASTICITY_PARAMS_MAX];

	use(p, 0.012, 0, 1.5);
	for (int sweep = 0; sweep < 2; sweep++) {
		one_init(&o, rule, p, 0.1, DELAY, 1);
		one_post(&o, 110);
		one_signal(&o, 200, 2);
		one_update(&o, 100, 5);
		if (sweep) {
			cr_assert_eq(one_update(&o, 600, 0), 1.5);
			cr_assert_gt(o.syn[1], 0.1);
		}
		one_update(&o, 3000, 1);
		if (!sweep)
			swept = o;
		cr_assert_lt(o.w, 1.4);
		cr_assert(check_close(o.w, swept.w, 1e-14, 0));
		cr_assert_eq(o.syn[1], 0);
	}
}

Test(stdp_dopamine, a_pair_alone_moves_the_eligibility_and_not_the_weight)
{
	double p[PLASTICITY_PARAMS_MAX];

	use(p, 0, 0, 10);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	cr_assert_eq(rule->n_syn(o.ctx.coef), 1);
	one_post(&o, 150);
	one_update(&o, 100, 1);
	cr_assert_eq(one_update(&o, 400, 0), 1);
	cr_assert_float_eq(o.syn[0], 0.3 * exp(-5.7 / 20) * exp(-24.3 / 120), 1e-15);
	/* one signal then turns it into c tau / tau_n, tau that of the product */
	one_signal(&o, 400, 1);
	one_update(&o, 100000, 0);
	cr_assert_float_eq(o.w, 1 + 0.3 * exp(-5.7 / 20) * exp(-24.3 / 120) * 24 / 30, 1e-14);
}

/* A postsynaptic arrival at the time of a presynaptic spike pairs with earlier ones only, and the
 * presynaptic spike does not pair with it. */
Test(stdp_dopamine, what_comes_at_one_time_does_not_pair)
{
	double p[PLASTICITY_PARAMS_MAX];

	use(p, 0, 0, 10);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	one_post(&o, 100 - DELAY);
	one_update(&o, 100, 1);
	cr_assert_eq(o.syn[0], 0);
	one_post(&o, 300 - DELAY);
	one_update(&o, 300, 2);
	cr_assert_float_eq(o.syn[0], 0.3 * exp(-1.0) - 2 * 0.4 * exp(-1.0), 1e-15);
	cr_assert_float_eq(o.pre[0], 2 + exp(-1.0), 1e-15);
}

Test(stdp_dopamine, a_signal_of_n_is_n_signals_and_a_negative_one_takes_away)
{
	double p[PLASTICITY_PARAMS_MAX];

	use(p, 0, 0, 10);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	one_signal(&o, 100, 3);
	one_signal(&o, 100, -1);
	one_signal(&o, 400, -2.5);
	cr_assert_float_eq(o.signal[2].k, (2 * exp(-1.0) - 2.5) / 30, 1e-15);
	one_post(&o, 450);
	one_update(&o, 440, 1);
	cr_assert_lt(one_update(&o, 900, 0), 1);
}

Test(stdp_dopamine, a_switched_off_row_keeps_its_weight_and_its_traces_go_on)
{
	double p[PLASTICITY_PARAMS_MAX];

	use(p, 0.01, 0, 10);
	one_init(&o, rule, p, 0.1, DELAY, 1);
	one_init(&swept, rule, p, 0.1, DELAY, 1);
	for (struct one *x = &o; x; x = x == &o ? &swept : NULL) {
		one_signal(x, 90, 1);
		one_post(x, 100);
		one_post(x, 180);
		x->row.on = x != &o;
		one_update(x, 100, 1);
		one_update(x, 200, 1);
	}
	cr_assert_eq(o.w, 1);
	cr_assert_neq(swept.w, 1);
	cr_assert_eq(o.syn[0], swept.syn[0]);
	cr_assert_eq(o.syn[1], 0);
	cr_assert_eq(o.pre[0], swept.pre[0]);
	o.row.on = true;
	cr_assert_neq(one_update(&o, 300, 0), 1, "what the eligibility kept acts again");
}

Test(stdp_dopamine, bounds_the_wrong_way_round_are_refused)
{
	double p[PLASTICITY_PARAMS_MAX];
	struct err err = { 0 };

	use(p, 0, 0, 1);
	cr_assert_eq(rule->check(p, &err), 0);
	one_set(rule, p, "w_min", 1);
	cr_assert_eq(rule->check(p, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "w_max");
}
