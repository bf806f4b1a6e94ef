/* test_rng - Philox against its authors' vectors, distributions against their moments. */
/* SPDX-License-Identifier: MIT */
#include "core/base/rng.h"

#include <criterion/criterion.h>
#include <math.h>

#include "tests/check.h"

enum { DRAWS = 200000 };

/* kat_vectors of Random123 1.14.0: philox4x32, 10 rounds. */
Test(rng, philox_gives_the_known_answers)
{
	static const struct {
		uint64_t counter, id;
		struct rng_key key;
		uint32_t want[4];
	} cases[] = {
		{ 0, 0, { { 0, 0 } }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
		{ UINT64_MAX,
		  UINT64_MAX,
		  { { 0xffffffff, 0xffffffff } },
		  { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
		{ 0x85a308d3243f6a88,
		  0x0370734413198a2e,
		  { { 0xa4093822, 0x299f31d0 } },
		  { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		uint32_t got[4];

		rng_bits(cases[i].key, cases[i].id, cases[i].counter, got);
		for (int k = 0; k < 4; k++)
			cr_assert_eq(got[k], cases[i].want[k], "case %zu word %d", i, k);
	}
}

Test(rng, keys_differ_by_seed_purpose_and_name)
{
	struct rng_key a = rng_key(1, RNG_SPIKES, "in"), again = rng_key(1, RNG_SPIKES, "in");
	struct rng_key others[] = { rng_key(2, RNG_SPIKES, "in"), rng_key(1, RNG_WIRING, "in"),
				    rng_key(1, RNG_SPIKES, "out"), rng_key(1, RNG_SPIKES, "") };

	cr_assert_eq(rng_u64(a, 0, 0), rng_u64(again, 0, 0));
	for (size_t i = 0; i < COUNTOF(others); i++)
		cr_assert_neq(rng_u64(a, 0, 0), rng_u64(others[i], 0, 0));
}

struct moments {
	double mean, variance, min, max;
};

typedef double draw_fn(struct rng_key key, uint64_t counter, double arg);

static struct moments moments(const char *name, draw_fn *draw, double arg)
{
	struct rng_key key = rng_key(check_seed(), RNG_EXPERIMENT, name);
	struct moments m = { .min = HUGE_VAL, .max = -HUGE_VAL };
	double sum = 0, squares = 0;

	for (uint64_t i = 0; i < DRAWS; i++) {
		double x = draw(key, i, arg);

		sum += x;
		squares += x * x;
		m.min = fmin(m.min, x);
		m.max = fmax(m.max, x);
	}
	m.mean = sum / DRAWS;
	m.variance = squares / DRAWS - m.mean * m.mean;
	return m;
}

static double uniform(struct rng_key key, uint64_t i, double arg)
{
	(void)arg;
	return rng_uniform(key, 3, i);
}

static double normal(struct rng_key key, uint64_t i, double arg)
{
	(void)arg;
	return rng_normal(key, 3, i);
}

static double exponential(struct rng_key key, uint64_t i, double arg)
{
	(void)arg;
	return rng_exponential(key, 3, i);
}

static double poisson(struct rng_key key, uint64_t i, double lambda)
{
	return rng_poisson(key, 3, i, lambda);
}

/* Five standard errors of the mean; the same draws in each run, so no chance is involved. */
static void expect_mean(struct moments m, double mean, double variance)
{
	cr_assert_lt(fabs(m.mean - mean), 5 * sqrt(variance / DRAWS), "mean %g, not %g", m.mean,
		     mean);
	cr_assert_lt(fabs(m.variance / variance - 1), 0.03, "variance %g, not %g", m.variance,
		     variance);
}

Test(rng, uniforms_are_uniform_in_the_open_interval)
{
	struct moments m = moments("uniform", uniform, 0);

	expect_mean(m, 0.5, 1.0 / 12);
	cr_assert_gt(m.min, 0);
	cr_assert_lt(m.max, 1);
}

Test(rng, normals_and_exponentials_have_their_moments)
{
	expect_mean(moments("normal", normal, 0), 0, 1);
	expect_mean(moments("exponential", exponential, 0), 1, 1);
}

Test(rng, poisson_has_mean_and_variance_lambda)
{
	static const double lambdas[] = { 0.001, 0.3, 1, 9.99, 10, 30, 250, 1e4, 1e6 };

	for (size_t i = 0; i < COUNTOF(lambdas); i++)
		expect_mean(moments("poisson", poisson, lambdas[i]), lambdas[i], lambdas[i]);
	cr_assert_eq(rng_poisson(rng_key(1, RNG_SPIKES, "x"), 0, 0, 0), 0);
}

/* Chi squared of the counts against the distribution itself, on both sides of the change of method. */
Test(rng, poisson_counts_follow_the_distribution)
{
	static const double lambdas[] = { 2, 9.5, 10.5, 40 };

	for (size_t l = 0; l < COUNTOF(lambdas); l++) {
		struct rng_key key = rng_key(7, RNG_SPIKES, "chi");
		double counts[101] = { 0 }, p = exp(-lambdas[l]), chi = 0;
		int bins = 0;

		for (uint64_t i = 0; i < DRAWS; i++)
			counts[(int)fmin(100, rng_poisson(key, 9, i, lambdas[l]))]++;
		for (int k = 0; k < 100; p *= lambdas[l] / ++k) {
			if (p * DRAWS < 20)
				continue;
			chi += pow(counts[k] - p * DRAWS, 2) / (p * DRAWS);
			bins++;
		}
		cr_assert_lt(chi, bins + 5 * sqrt(2.0 * bins), "lambda %g: chi2 %g, %d bins",
			     lambdas[l], chi, bins);
	}
}

Test(rng, below_reaches_all_and_only_the_numbers_below_n)
{
	struct rng_key key = rng_key(5, RNG_WIRING, "below");
	int seen[7] = { 0 };

	for (uint64_t i = 0; i < 7000; i++) {
		uint64_t x = rng_below(key, 1, i, 7);

		cr_assert_lt(x, 7);
		seen[x]++;
		cr_assert_lt(rng_below(key, 2, i, 0xffffffff), 0xffffffff);
		cr_assert_eq(rng_below(key, 3, i, 1), 0);
	}
	for (int i = 0; i < 7; i++)
		cr_assert(seen[i] > 850 && seen[i] < 1150, "%d: %d", i, seen[i]);
}
