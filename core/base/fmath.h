/* fmath.h - exp, log, pow in + - * / sqrt only: the same bits on every machine.
 *
 * The C library picks fused variants at load time and so differs between processors. Errors of
 * these are at most 1 ulp or so (tested against long double). No errno, no exceptions.
 * fmath_exp stands here so that a loop over neurons inlines and vectorises it. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_BASE_FMATH_H
#define CORE_BASE_FMATH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

double fmath_expm1(double x);
double fmath_log(double x); /* log(0) = -inf, log(<0) = NaN */
double fmath_log1p(double x);
double fmath_pow(double x,
		 double y); /* x >= 0; pow(0, 0) = 1; pow(x, 1) = x and pow(x, 0) = 1 exactly */
/* ret[i] = fmath_pow(x[i], y), the same bits, many at a time */
void fmath_pow_column(const double *x, size_t n, double y, double *ret);
double fmath_normal_quantile(double p); /* inverse of the standard normal distribution function */

static inline double fmath_of_bits(uint64_t bits)
{
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static inline uint64_t fmath_bits(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/* Adding it leaves a whole number in the low bits. log(2) in two parts: k times the first is exact. */
#define FMATH_ROUND  0x1.8p52
#define FMATH_LN2_HI 0x1.62e42feep-1
#define FMATH_LN2_LO 0x1.a39ef35793c76p-33

/* (exp(r) - 1 - r) / r^2 for |r| <= log(2) / 2: the series to r^13, the rest is below 2^-57. */
static inline double fmath_exp_series(double r)
{
	double r2 = r * r, r4 = r2 * r2;
	double a = (1.0 / 2 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120));
	double b = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
	double c = (1.0 / 3628800 + r * (1.0 / 39916800)) +
		   r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));

	return a + r4 * (b + r4 * c);
}

/* y * 2^k, where FMATH_ROUND + k has the given bits, |k| < 2000. In two factors: the result may
 * be subnormal or infinite where 2^k alone would not exist. */
static inline double fmath_scale(double y, uint64_t round_bits)
{
	uint64_t k = round_bits - fmath_bits(FMATH_ROUND) + 2048, half = k >> 1;

	return y * fmath_of_bits((half - 1) << 52) * fmath_of_bits((k - half - 1) << 52);
}

/* exp(hi + lo), |lo| much less than 1. */
static inline double fmath_exp_sum(double hi, double lo)
{
	double x = hi > 710 ? 710 : hi < -750 ? -750 : hi;
	double round = x * 0x1.71547652b82fep0 + FMATH_ROUND; /* x / log(2) */
	double k = round - FMATH_ROUND, exact = x - k * FMATH_LN2_HI, rest = k * FMATH_LN2_LO;
	double r = exact - rest, lost = (exact - r) - rest + lo;
	double series = r * r * fmath_exp_series(r);

	lost *= 1 + (r + series);
	return fmath_scale(1 + (r + (series + lost)), fmath_bits(round));
}

/* exp(NaN) = NaN, overflow = inf, underflow through subnormals */
static inline double fmath_exp(double x)
{
	return fmath_exp_sum(x, 0);
}

/* x, but no more than max, and then no less than min. The bounds by value: read from a struct, gcc
 * makes moves to and from the integer registers of this instead of a minimum and a maximum. */
static inline double fmath_bound(double x, double min, double max)
{
	x = x < max ? x : max;
	return x > min ? x : min;
}

/* exp(-n / tau) for whole numbers n of steps: two tables of 256, so that a trace decays by a
 * product of two look-ups. Beyond 65535 steps by fmath_exp. */
struct fmath_decay {
	double low[256];  /* exp(-i / tau) */
	double high[256]; /* exp(-256 i / tau) */
	double tau;	  /* steps; infinity: no decay */
};

void fmath_decay_init(struct fmath_decay *d, double tau_steps);

double fmath_decay_far(const struct fmath_decay *d, int64_t n);

/* exp(-n / tau), n >= 0 steps. */
static inline double fmath_decay_at(const struct fmath_decay *d, int64_t n)
{
	if (n >= 65536)
		return fmath_decay_far(d, n);
	return d->high[n >> 8] * d->low[n & 255];
}

#endif
