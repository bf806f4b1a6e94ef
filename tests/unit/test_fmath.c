/* test_fmath - elementary functions against long double, and their bits against themselves. */
/* SPDX-License-Identifier: MIT */
#include "core/base/fmath.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>

#include "core/base/hash.h"
#include "tests/check.h"

enum { CASES = 200000 };

/* Distance in units of the last place of the true value. */
static double ulps(double got, long double want)
{
	int exponent;
	long double unit;

	if (isinf(got) && got == (double)want)
		return 0;
	(void)frexpl(want, &exponent);
	unit = ldexpl(1.0L, exponent - 53);
	return (double)(fabsl((long double)got - want) / (fmaxl(unit, 0x1p-1074L)));
}

typedef double double_fn(double x);
typedef long double long_fn(long double x);

struct range {
	const char *name;
	double_fn *f;
	long_fn *exact;
	double min, max, limit; /* ulp */
};

static double exp_fn(double x)
{
	return fmath_exp(x);
}

/* Small arguments, and the whole range, each with its own cases. */
static const struct range ranges[] = {
	{ "exp", exp_fn, expl, -750, 709.7, 0.95 },
	{ "exp", exp_fn, expl, -10, 1, 0.95 },
	{ "exp", exp_fn, expl, -1e-9, 1e-9, 0.95 },
	{ "expm1", fmath_expm1, expm1l, -60, 709, 1.3 },
	{ "expm1", fmath_expm1, expm1l, -2, 2, 1.3 },
	{ "expm1", fmath_expm1, expm1l, -1e-5, 1e-5, 1 },
	{ "log", fmath_log, logl, 1e-300, 3, 0.9 },
	{ "log", fmath_log, logl, 0.99, 1.01, 0.9 },
	{ "log", fmath_log, logl, 1e-320, 1e-308, 0.9 },
	{ "log", fmath_log, logl, 1, 1e300, 0.9 },
	{ "log1p", fmath_log1p, log1pl, -0.9999999, 4, 1 },
	{ "log1p", fmath_log1p, log1pl, -1e-6, 1e-6, 1 },
	{ "log1p", fmath_log1p, log1pl, 1, 1e20, 1 },
};

Test(fmath, errors_stay_about_one_unit_in_the_last_place)
{
	for (size_t i = 0; i < COUNTOF(ranges); i++) {
		const struct range *r = &ranges[i];
		struct check_random random = check_random(r->name);

		for (int n = 0; n < CASES; n++) {
			double x = check_uniform(&random, r->min, r->max);
			double error = ulps(r->f(x), r->exact((long double)x));

			cr_assert(error <= r->limit, "%s(%a): %g ulp", r->name, x, error);
		}
	}
}

Test(fmath, power_is_within_one_unit)
{
	struct check_random random = check_random("pow");

	for (int n = 0; n < 3 * CASES; n++) {
		double x = check_uniform(&random, 0, 1), y = check_uniform(&random, 0, 3), error;

		if (n % 3 == 1) {
			x = fmath_exp(100 * x - 50);
			y = 10 * y - 15;
		} else if (n % 3 == 2) {
			x = 1 + (x - 0.5) * 0.01;
			y = (y - 1.5) * 3e4;
		}
		error = ulps(fmath_pow(x, y), powl((long double)x, (long double)y));
		cr_assert(error <= 1, "pow(%a, %a): %g ulp", x, y, error);
	}
}

Test(fmath, a_column_of_powers_has_the_bits_of_single_ones)
{
	static const double special[] = { 0, 1, -1, HUGE_VAL, 4e-310, -0.0 };
	static const double exponents[] = { 0.4, -3, 0, 1, 1e4, HUGE_VAL };
	struct check_random random = check_random("pow column");
	double x[101], y[COUNTOF(x)];

	for (size_t k = 0; k < COUNTOF(exponents); k++) {
		for (size_t i = 0; i < COUNTOF(x); i++)
			x[i] = fmath_exp(check_uniform(&random, -40, 40));
		for (size_t i = 0; i < COUNTOF(special) && k % 2; i++)
			x[7 + 9 * i] = special[i];
		fmath_pow_column(x, COUNTOF(x), exponents[k], y);
		for (size_t i = 0; i < COUNTOF(x); i++) {
			double one = fmath_pow(x[i], exponents[k]);

			cr_assert(fmath_bits(one) == fmath_bits(y[i]), "pow(%a, %a): %a, %a", x[i],
				  exponents[k], one, y[i]);
		}
	}
}

Test(fmath, edges_are_as_the_headers_say)
{
	const double nan = (double)NAN;

	cr_assert(isnan(fmath_exp(nan)) && isnan(fmath_log(nan)) && isnan(fmath_pow(nan, 2)));
	cr_assert(isnan(fmath_expm1(nan)) && isnan(fmath_log1p(nan)) && isnan(fmath_pow(2, nan)));
	cr_assert(isnan(fmath_log(-1)) && isnan(fmath_log1p(-1.5)) && isnan(fmath_pow(-1, 0.5)));
	cr_assert_eq(fmath_exp(0), 1);
	cr_assert_eq(fmath_exp(-HUGE_VAL), 0);
	cr_assert_eq(fmath_exp(-800), 0);
	cr_assert_eq(fmath_exp(HUGE_VAL), HUGE_VAL);
	cr_assert_eq(fmath_exp(709.8), HUGE_VAL);
	cr_assert_eq(fmath_exp(-745), 0x1p-1074);
	cr_assert_eq(fmath_expm1(HUGE_VAL), HUGE_VAL);
	cr_assert_eq(fmath_expm1(-HUGE_VAL), -1);
	cr_assert_eq(fmath_log(0), -HUGE_VAL);
	cr_assert_eq(fmath_log(1), 0);
	cr_assert_eq(fmath_log(HUGE_VAL), HUGE_VAL);
	cr_assert_eq(fmath_log1p(-1), -HUGE_VAL);
	cr_assert_eq(fmath_log1p(HUGE_VAL), HUGE_VAL);
}

Test(fmath, simple_powers_are_exact)
{
	struct check_random random = check_random("simple powers");

	for (int n = 0; n < 1000; n++) {
		double x = check_uniform(&random, 0, 10);

		cr_assert_eq(fmath_pow(x, 1), x);
		cr_assert_eq(fmath_pow(x, 0), 1);
		cr_assert_eq(fmath_pow(0, x), 0);
		cr_assert_eq(fmath_pow(1, x), 1);
	}
	cr_assert_eq(fmath_pow(0, 0), 1);
	cr_assert_eq(fmath_pow(0, -1), HUGE_VAL);
	cr_assert_eq(fmath_pow(HUGE_VAL, 0.5), HUGE_VAL);
	cr_assert_eq(fmath_pow(HUGE_VAL, -0.5), 0);
	cr_assert_eq(fmath_pow(0.5, HUGE_VAL), 0);
	cr_assert_eq(fmath_pow(2, -HUGE_VAL), 0);
	cr_assert_eq(fmath_pow(1e300, 2), HUGE_VAL);
	cr_assert_eq(fmath_pow(1e-300, 2), 0);
}

Test(fmath, normal_quantile_inverts_the_distribution_function)
{
	struct check_random random = check_random("quantile");

	for (int n = 0; n < CASES; n++) {
		double p = check_uniform(&random, 0, 1), z;
		long double back;

		if (n % 2)
			p = fmath_exp(-600 * p);
		z = fmath_normal_quantile(p);
		back = erfcl(-(long double)z / sqrtl(2.0L)) / 2.0L;
		/* An error of z grows by z^2 in the tails. */
		cr_assert(fabsl(back - (long double)p) <= 4e-15L * (long double)(p * (1 + z * z)),
			  "p = %a", p);
	}
	cr_assert_eq(fmath_normal_quantile(0.5), 0);
	cr_assert_eq(fmath_normal_quantile(0), -HUGE_VAL);
	cr_assert_eq(fmath_normal_quantile(1), HUGE_VAL);
}

Test(fmath, decay_is_the_exponential)
{
	static const double taus[] = { 1, 17.3, 200, 1e5 };

	for (size_t i = 0; i < COUNTOF(taus); i++) {
		struct fmath_decay d;

		fmath_decay_init(&d, taus[i]);
		cr_assert_eq(fmath_decay_at(&d, 0), 1);
		for (int64_t n = 1; n < 200000; n = n * 3 / 2 + 1)
			cr_assert(check_close(fmath_decay_at(&d, n), exp(-(double)n / taus[i]),
					      1e-15 * (5 + (double)n / taus[i]), 1e-320),
				  "n = %" PRId64, n);
	}
}

Test(fmath, without_a_time_constant_nothing_decays)
{
	struct fmath_decay d;

	fmath_decay_init(&d, HUGE_VAL);
	for (int64_t n = 0; n < 1000000; n += 997)
		cr_assert_eq(fmath_decay_at(&d, n), 1);
}

/* The same on every machine and with every compiler: a change of this number changes all results. */
Test(fmath, bits_are_pinned)
{
	struct rng_key key = rng_key(1, RNG_EXPERIMENT, "bits");
	struct hash h;

	hash_init(&h);
	for (uint64_t i = 0; i < 100000; i++) {
		double u = rng_uniform(key, 0, i), v = 1400 * u - 700;

		hash_double(&h, fmath_exp(v));
		hash_double(&h, fmath_expm1(20 * u - 10));
		hash_double(&h, fmath_log(fmath_exp(v)));
		hash_double(&h, fmath_log1p(10 * u - 0.999));
		hash_double(&h, fmath_pow(u, 3 * rng_uniform(key, 1, i)));
		hash_double(&h, fmath_normal_quantile(u));
		hash_double(&h, rng_poisson(key, 2, i, 40 * u));
	}
	cr_assert_eq(hash_end(&h), 0xff17a96166dc2595u, "0x%016" PRIx64, hash_end(&h));
}
