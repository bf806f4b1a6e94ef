/* test_stdp_inhibitory.c - inhibitory plasticity against its formula and its rate at rest. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "core/base/rng.h"
#include "tests/unit/one_synapse.h"

enum { DELAY = 7, START = 2000 };

static const struct plasticity_model *const rule = &plasticity_stdp_inhibitory;
static struct one o;

Test(stdp_inhibitory, a_lone_pair_follows_the_closed_form_and_the_bounds)
{
	static const double weights[] = { 0, 0.003, 0.5, 0.998, 1 };
	static const double etas[] = { 0.05, -0.05 };
	double p[PLASTICITY_PARAMS_MAX];

	one_defaults(rule, p);
	one_set(rule, p, "tau_minus", 33.7);
	for (size_t e = 0; e < COUNTOF(etas); e++)
		for (int64_t dt = -1000; dt <= 1000; dt += 25)
			for (size_t i = 0; i < COUNTOF(weights); i++) {
				double got;

				one_set(rule, p, "eta", etas[e]);
				one_init(&o, rule, p, 0.1, DELAY, weights[i]);
				one_post(&o, START + dt - DELAY);
				one_update(&o, START, 1);
				got = one_update(&o, 40000, 0) - weights[i];
				cr_assert_float_eq(
					got, rule->window(p, weights[i], 0.1 * (double)dt), 1e-15);
			}
}

Test(stdp_inhibitory, two_presynaptic_spikes_of_a_step_depress_twice_and_leave_a_double_trace)
{
	double p[PLASTICITY_PARAMS_MAX], x = exp(-10 / 20.0);

	one_defaults(rule, p);
	one_init(&o, rule, p, 0.1, DELAY, 0.5);
	one_post(&o, START + 100 - DELAY);
	one_update(&o, START, 2);
	cr_assert_float_eq(o.w, 0.5 - 2 * 0.12 * 0.001, 1e-15);
	cr_assert_eq(o.pre[0], 2);
	one_update(&o, START + 100, 0);
	cr_assert_float_eq(o.w, 0.5 - 0.00024 + 0.001 * 2 * x, 1e-15);
}

/* Weight after 200 s of independent Poisson trains. */
static double drift(double pre_hz, double post_hz)
{
	struct rng_key key = rng_key(11, RNG_EXPERIMENT, "inhibitory");
	double p[PLASTICITY_PARAMS_MAX];

	one_defaults(rule, p);
	one_set(rule, p, "eta", 1e-4);
	one_set(rule, p, "w_max", PARAM_INF);
	one_init(&o, rule, p, 1, 1, 100);
	for (int64_t t = 1; t < 200000; t++) {
		if (rng_uniform(key, 0, (uint64_t)t) < post_hz / 1000)
			one_post(&o, t - 1);
		if (rng_uniform(key, 1, (uint64_t)t) < pre_hz / 1000)
			one_update(&o, t, 1);
	}
	return o.w - 100;
}

/* eta pre_hz T (post_hz (tau_plus + tau_minus) - alpha); the chance in the trains is below 0.002. */
Test(stdp_inhibitory, the_weight_rests_where_the_target_fires_at_alpha_over_both_taus)
{
	static const double rates[] = { 1, 3, 9 };

	for (size_t i = 0; i < COUNTOF(rates); i++) {
		double want = 1e-4 * 10 * 200 * (rates[i] * 0.04 - 0.12);

		double got = drift(10, rates[i]);

		cr_assert_float_eq(got, want, 0.006, "%g Hz: %g, not %g", rates[i], got, want);
	}
}

Test(stdp_inhibitory, bounds_the_wrong_way_round_are_refused)
{
	double p[PLASTICITY_PARAMS_MAX];
	struct err err = { 0 };

	one_defaults(rule, p);
	cr_assert_eq(rule->check(p, &err), 0);
	one_set(rule, p, "w_min", 1);
	cr_assert_eq(rule->check(p, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "w_max");
}
