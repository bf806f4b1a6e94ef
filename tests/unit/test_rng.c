/* test_rng - Philox against its authors' vectors, distributions against their moments. */
/* SPDX-License-Identifier: MIT */
#include "core/base/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/base/fmath.h"
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

enum { COLUMN = 600 };

/* Lengths on both sides of vectors, blocks and short columns, ids across 2^32 and 2^64. */
static size_t case_length(struct rng_key key, uint64_t number)
{
	static const size_t edges[] = { 0, 1, 3, 7, 8, 9, 255, 256, 257, 511, 513, COLUMN };

	return number < COUNTOF(edges) ? edges[number] : rng_below(key, 0, number, COLUMN + 1);
}

static uint64_t case_id(struct rng_key key, uint64_t number)
{
	switch (number % 4) {
	case 0:
		return rng_below(key, 1, number, 100000);
	case 1:
		return 0xffffffff - rng_below(key, 1, number, COLUMN);
	case 2:
		return UINT64_MAX - rng_below(key, 1, number, COLUMN);
	default:
		return rng_u64(key, 1, number);
	}
}

static struct rng_key case_key(struct rng_key key, uint64_t number)
{
	uint32_t b[4];

	rng_bits(key, 2, number, b);
	return (struct rng_key){ { b[0], b[1] } };
}

/* Bytes, since 0 == -0. */
static void expect_same(double got, double want, uint64_t number, size_t i)
{
	cr_assert_eq(memcmp(&got, &want, sizeof(got)), 0, "case %llu, draw %zu: %a, not %a",
		     (unsigned long long)number, i, got, want);
}

Test(rng, a_column_of_uniforms_has_the_bits_of_single_draws)
{
	struct rng_key key = rng_key(check_seed(), RNG_EXPERIMENT, "column");

	for (uint64_t number = 0; number < 2000; number++) {
		struct rng_key k = case_key(key, number);
		uint64_t id0 = case_id(key, number), counter = rng_u64(key, 3, number);
		size_t n = case_length(key, number);
		double got[COLUMN + 1];

		got[n] = -1;
		rng_uniform_column(k, id0, counter, n, got);
		for (size_t i = 0; i < n; i++)
			expect_same(got[i], rng_uniform(k, id0 + i, counter), number, i);
		cr_assert_eq(got[n], -1, "case %llu writes behind its end",
			     (unsigned long long)number);
	}
}

static double some_lambda(struct rng_key key, uint64_t number)
{
	static const double edges[] = { 0,   1e-300, 1e-9, 0.05, 0.7,  1,	2,
					9.5, 9.9999, 10,   10.5, 1000, 0x1p-54, 3 };

	if (number < COUNTOF(edges))
		return edges[number];
	return number % 2 ? 11 * rng_uniform(key, 4, number)
			  : fmath_exp(20 * rng_uniform(key, 4, number) - 17);
}

Test(rng, a_column_of_poisson_counts_has_the_bits_of_single_draws)
{
	struct rng_key key = rng_key(check_seed(), RNG_EXPERIMENT, "counts");

	for (uint64_t number = 0; number < 2000; number++) {
		struct rng_key k = case_key(key, number);
		uint64_t id0 = case_id(key, number), counter = rng_u64(key, 3, number);
		size_t n = case_length(key, number / 14);
		double got[COLUMN + 1], lambda = some_lambda(key, number);

		got[n] = -1;
		rng_poisson_column(k, id0, counter, n, &lambda, 0, got);
		for (size_t i = 0; i < n; i++)
			expect_same(got[i], rng_poisson(k, id0 + i, counter, lambda), number, i);
		cr_assert_eq(got[n], -1);
	}
}

Test(rng, a_column_of_poisson_counts_may_have_a_mean_each)
{
	struct rng_key key = rng_key(check_seed(), RNG_EXPERIMENT, "means");

	for (uint64_t number = 0; number < 200; number++) {
		struct rng_key k = case_key(key, number);
		uint64_t id0 = case_id(key, number), counter = rng_u64(key, 3, number);
		size_t n = case_length(key, number);
		double got[COLUMN], lambda[COLUMN];

		for (size_t i = 0; i < n; i++)
			lambda[i] = some_lambda(key, number * 7 + i);
		rng_poisson_column(k, id0, counter, n, lambda, 1, got);
		for (size_t i = 0; i < n; i++)
			expect_same(got[i], rng_poisson(k, id0 + i, counter, lambda[i]), number, i);
	}
}

/* With a mean of 9 the table ends with 23, which 1 of 40000 counts exceeds. */
Test(rng, a_column_of_poisson_counts_keeps_the_rare_large_ones)
{
	struct rng_key key = rng_key(8, RNG_SPIKES, "tail");
	double got[COLUMN], lambda = 9, most = 0;

	for (uint64_t t = 0; t < 1000; t++) {
		rng_poisson_column(key, 0, t, COLUMN, &lambda, 0, got);
		for (size_t i = 0; i < COLUMN; i++) {
			most = fmax(most, got[i]);
			expect_same(got[i], rng_poisson(key, i, t, lambda), t, i);
		}
	}
	cr_assert_gt(most, 23, "%g", most);
}
