/* pair.h - one change of a weight by a pair of spikes, and many of them at rows that have all targets. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_PAIR_H
#define CORE_MODEL_PAIR_H

#include "core/model/plasticity.h"

/* By what a change is multiplied. */
enum pair_scale {
	PAIR_ONE,
	PAIR_UP,
	PAIR_DOWN,
	PAIR_UP_POW,
	PAIR_DOWN_POW,
	PAIR_LINEAR,
	PAIR_POWER_LAW
};

/* What update() needs in its inner loop, in one place. */
struct pair_work {
	const struct fmath_decay *plus, *minus;
	double a_plus, a_minus, plus_exp, minus_exp, min, max, inv_range;
	int64_t t, t_last;
	int64_t t_pre; /* the presynaptic spike that post arrivals pair with */
	double pre;    /* its trace, 0 if there is none */
	unsigned n_spikes;
	bool on;
};

/* What a scale takes the power of. */
static inline ALWAYS_INLINE double pair_base(const struct pair_work *k, enum pair_scale scale,
					     double w)
{
	double x = (w - k->min) * k->inv_range;

	if (scale == PAIR_POWER_LAW)
		return w;
	/* A bound changed on the way may leave w outside of it until its next change. */
	x = x < 0 ? 0 : x > 1 ? 1 : x;
	return scale == PAIR_UP_POW ? 1 - x : x;
}

static inline ALWAYS_INLINE double pair_scaled(const struct pair_work *k, enum pair_scale scale,
					       double amount, double exponent, double w)
{
	double x = (w - k->min) * k->inv_range;

	if (scale == PAIR_ONE)
		return amount;
	if (scale == PAIR_LINEAR)
		return amount * w;
	if (scale == PAIR_UP)
		return amount * (1 - x);
	if (scale == PAIR_DOWN)
		return amount * x;
	return amount * fmath_pow(pair_base(k, scale, w), exponent);
}

static inline ALWAYS_INLINE double pair_change(const struct pair_work *k, enum pair_scale scale,
					       double amount, double exponent, double w)
{
	return fmath_bound(w + pair_scaled(k, scale, amount, exponent, w), k->min, k->max);
}

/* For rows that have a timeline, rules by PAIR_ONE, PAIR_UP or PAIR_DOWN, all-to-all pairing. */
/* The spikes from..end of the timeline, which arrive after `delay`, facilitate w[n] of their targets. */
void pair_facilitate(const struct pair_work *k, enum pair_scale plus,
		     const struct plasticity_timeline *l, size_t from, size_t end, int64_t delay,
		     double *w);
/* The presynaptic spikes depress w[n], whose targets' last spikes are recent[n]. Those of targets
 * whose last one has not arrived before t are left as anything. */
void pair_depress(const struct pair_work *k, enum pair_scale minus, struct plasticity_timeline *l,
		  const struct plasticity_recent *recent, int64_t delay, double *w, size_t n);

#endif
