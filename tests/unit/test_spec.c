/* test_spec.c - values, look-ups, keys and estimates of a spec. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/base/fmath.h"
#include "core/sim.h"

static const struct rng_key key = { { 1, 2 } };

Test(spec, a_constant_is_the_same_for_all_and_never_clipped)
{
	struct spec_value v = { .kind = SPEC_CONST, .a = 7 };

	cr_assert_eq(spec_value_at(&v, key, 0, 0, 1), 7.0);
	cr_assert_eq(spec_value_at(&v, key, 99, 0, 1), 7.0);
}

Test(spec, an_array_gives_each_its_own)
{
	static const double array[] = { 3, 1, 2 };
	struct spec_value v = { .kind = SPEC_ARRAY, .array = array, .n = 3 };

	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(spec_value_at(&v, key, i, -1e9, 1e9), array[i]);
}

static void moments(const struct spec_value *v, double *ret_mean, double *ret_sd)
{
	enum { N = 20000 };
	double sum = 0, squares = 0;

	for (uint64_t i = 0; i < N; i++) {
		double x = spec_value_at(v, key, i, -1e300, 1e300);

		sum += x;
		squares += x * x;
	}
	*ret_mean = sum / N;
	*ret_sd = sqrt(squares / N - *ret_mean * *ret_mean);
}

Test(spec, distributions_have_their_moments)
{
	struct spec_value uniform = { .kind = SPEC_UNIFORM, .a = 2, .b = 8 };
	struct spec_value normal = { .kind = SPEC_NORMAL, .a = -3, .b = 2 };
	struct spec_value lognormal = { .kind = SPEC_LOGNORMAL, .a = 0.5, .b = 0.25 };
	double mean, sd;

	moments(&uniform, &mean, &sd);
	cr_expect_float_eq(mean, 5.0, 0.05);
	cr_expect_float_eq(sd, 6.0 / sqrt(12.0), 0.05);
	moments(&normal, &mean, &sd);
	cr_expect_float_eq(mean, -3.0, 0.06);
	cr_expect_float_eq(sd, 2.0, 0.05);
	moments(&lognormal, &mean, &sd);
	cr_expect_float_eq(mean, fmath_exp(0.5 + 0.25 * 0.25 / 2), 0.02);
}

Test(spec, what_is_drawn_is_clipped_and_depends_on_key_and_index_only)
{
	struct spec_value v = { .kind = SPEC_NORMAL, .a = 0, .b = 10 };
	const struct rng_key other = { { 1, 3 } };
	size_t low = 0, high = 0;

	for (uint64_t i = 0; i < 1000; i++) {
		double x = spec_value_at(&v, key, i, -1, 1);

		cr_assert(x >= -1 && x <= 1);
		low += x == -1.0;
		high += x == 1.0;
		cr_assert_eq(x, spec_value_at(&v, key, i, -1, 1));
	}
	cr_assert_gt(low, 300);
	cr_assert_gt(high, 300);
	cr_assert_neq(spec_value_at(&v, key, 0, -1e9, 1e9), spec_value_at(&v, key, 1, -1e9, 1e9));
	cr_assert_neq(spec_value_at(&v, key, 0, -1e9, 1e9), spec_value_at(&v, other, 0, -1e9, 1e9));
}

Test(spec, names_are_found_by_bisection_at_every_place)
{
	static const char *const names[] = { "B", "a", "a/b", "ab", "b" };

	for (size_t n = 0; n <= COUNTOF(names); n++) {
		struct spec_population p[COUNTOF(names)] = { 0 };
		struct spec_projection q[COUNTOF(names)] = { 0 };
		struct spec s = {
			.populations = p, .projections = q, .n_populations = n, .n_projections = n
		};

		for (size_t i = 0; i < n; i++)
			p[i].name = q[i].name = names[i];
		for (size_t i = 0; i < COUNTOF(names); i++) {
			cr_expect_eq(spec_population(&s, names[i]), i < n ? (int)i : -1);
			cr_expect_eq(spec_projection(&s, names[i]), i < n ? (int)i : -1);
		}
		cr_expect_eq(spec_population(&s, ""), -1);
		cr_expect_eq(spec_projection(&s, "zz"), -1);
	}
}

Test(spec, keys_differ_by_seed_purpose_object_and_detail)
{
	struct spec s = { .seed = 1 }, t = { .seed = 2 };
	struct rng_key keys[] = {
		spec_key(&s, RNG_PARAM, "a", "x"), spec_key(&t, RNG_PARAM, "a", "x"),
		spec_key(&s, RNG_STATE, "a", "x"), spec_key(&s, RNG_PARAM, "b", "x"),
		spec_key(&s, RNG_PARAM, "a", "y"), spec_key(&s, RNG_PARAM, "a/b", "x"),
	};

	for (size_t i = 0; i < COUNTOF(keys); i++)
		for (size_t k = 0; k < i; k++)
			cr_expect_neq(memcmp(&keys[i], &keys[k], sizeof(keys[i])), 0, "%zu and %zu",
				      i, k);
}

Test(spec, an_estimate_counts_neurons_synapses_steps_and_records)
{
	struct spec_value params[NEURON_PARAMS_MAX] = { 0 };
	double p[PLASTICITY_PARAMS_MAX];
	struct spec_population populations[] = {
		{ .name = "a", .model = &neuron_parrot_neuron, .size = 10, .params = params },
		{ .name = "b", .model = &neuron_iaf_psc_exp, .size = 5, .params = params },
	};
	struct spec_projection projection = {
		.name = "p",
		.source = 0,
		.target = 1,
		.rule = &wiring_all_to_all,
		.model = &plasticity_stdp_pair,
		.wiring = { .n_source = 10, .n_target = 5 },
		.params = p,
		.delay_min = 10,
		.delay_max = 10,
		.keep_final = true,
	};
	struct spec_record_rates rates = { .population = 0, .bin = 10 };
	struct spec s = { .dt = 0.1,
			  .steps = 1000,
			  .n_populations = 2,
			  .populations = populations,
			  .n_projections = 1,
			  .projections = &projection };
	struct spec_cost c, more;

	for (size_t i = 0; i < plasticity_stdp_pair.n_params; i++)
		p[i] = plasticity_stdp_pair.params[i].def;
	c = spec_cost(&s);
	cr_assert_eq(c.neurons, 15.0);
	cr_assert_eq(c.synapses, 50.0);
	cr_assert_eq(c.steps, 1000.0);
	cr_assert_geq(c.bytes, 50 * 12.0);
	cr_assert_eq(c.result_bytes, 50 * 16.0);
	projection.delay_max = 1000;
	s.rates = &rates;
	s.n_rates = 1;
	more = spec_cost(&s);
	cr_assert_gt(more.bytes, c.bytes + 5 * 990 * 8.0, "a longer delay needs a longer ring");
	cr_assert_geq(more.result_bytes, c.result_bytes + 100 * 8.0);
}

/* 1000 inputs onto 100 cells: with delays of a step two threads would meet every 2 us, with delays of
 * 2 ms every 30. */
Test(spec, threads_where_they_are_of_use)
{
	struct spec_value params[NEURON_PARAMS_MAX] = { 0 };
	double p[PLASTICITY_PARAMS_MAX] = { 0 };
	struct spec_population populations[] = {
		{ .name = "in",
		  .model = &neuron_poisson_generator,
		  .size = 1000,
		  .params = params },
		{ .name = "out", .model = &neuron_iaf_cond_exp, .size = 100, .params = params },
	};
	struct spec_projection projection = {
		.name = "p",
		.source = 0,
		.target = 1,
		.rule = &wiring_all_to_all,
		.model = &plasticity_static,
		.params = p,
		.wiring = { .n_source = 1000, .n_target = 100 },
		.delay_min = 1,
		.delay_max = 1,
	};
	struct spec s = { .dt = 0.1,
			  .steps = 1000,
			  .n_populations = 2,
			  .populations = populations,
			  .n_projections = 1,
			  .projections = &projection };

	cr_assert_eq(sim_useful_threads(&s, 1), 1);
	cr_assert_eq(sim_useful_threads(&s, 2), 1);
	projection.delay_min = projection.delay_max = 20;
	cr_assert_eq(sim_useful_threads(&s, 2), 2);
	populations[0].size = populations[1].size = 5;
	projection.wiring.n_source = projection.wiring.n_target = 5;
	cr_assert_eq(sim_useful_threads(&s, 8), 1);
}
