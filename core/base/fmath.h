/* fmath.h - exp, log, pow in + - * / sqrt only: the same bits on every machine.
 *
 * The C library picks fused variants at load time and so differs between processors. Errors of
 * these are at most 1 ulp or so (tested against long double). No errno, no exceptions. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_BASE_FMATH_H
#define CORE_BASE_FMATH_H

#include <stdint.h>

double fmath_exp(double x);	       /* exp(NaN) = NaN, overflow = inf, underflow through subnormals */
double fmath_expm1(double x);
double fmath_log(double x);	       /* log(0) = -inf, log(<0) = NaN */
double fmath_log1p(double x);
double fmath_pow(double x, double y);  /* x >= 0; pow(0, 0) = 1; pow(x, 1) = x and pow(x, 0) = 1 exactly */
double fmath_normal_quantile(double p); /* inverse of the standard normal distribution function */

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
