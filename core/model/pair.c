/* pair.c - pair-based STDP at rows that have all targets, all-to-all pairing.
 *
 * Such a row need not ask each target what happened since its last update: the spikes of all targets
 * stand on one timeline. Each of them facilitates its synapse; then the presynaptic spike depresses
 * all, in columns. Every synapse sees the same operations in the same order as in stdp_pair.c. */
/* SPDX-License-Identifier: MIT */
#include "core/model/pair.h"

enum { TABLED = 65536 }; /* steps that fmath_decay has tables for */

/* By n spikes that the tables reach. In any order of targets, so one after the other: a column of
 * traces first costs more than it saves. */
static inline ALWAYS_INLINE void facilitate(const struct pair_work *work, enum pair_scale plus,
					    const int64_t *restrict step, int64_t since_emission,
					    const uint32_t *restrict at, size_t n,
					    double *restrict w)
{
	const struct pair_work k = *work;
	const double *restrict high = k.plus->high, *restrict low = k.plus->low;

	for (size_t i = 0; i < n; i++) {
		uint64_t age = (uint64_t)(step[i] + since_emission);
		double trace = k.pre * (high[age >> 8] * low[age & 255]);
		double *x = &w[at[i]];

		*x = pair_change(&k, plus, k.a_plus * trace, k.plus_exp, *x);
	}
}

static double pre_trace(const struct pair_work *k, int64_t age)
{
	return k->pre * fmath_decay_at(k->plus, age);
}

void pair_facilitate(const struct pair_work *k, enum pair_scale plus,
		     const struct plasticity_timeline *l, size_t from, size_t end, int64_t delay,
		     double *w)
{
	int64_t since = delay - k->t_pre;
	size_t near;

	if (from >= end)
		return;
	/* Later ones are smaller. What has faded away changes nothing. */
	while (end > from && pre_trace(k, l->step[end - 1] + since) == 0)
		end--;
	for (near = end; near > from && l->step[near - 1] + since >= TABLED; near--)
		;
	if (plus == PAIR_ONE)
		facilitate(k, PAIR_ONE, l->step + from, since, l->at + from, near - from, w);
	else
		facilitate(k, PAIR_UP, l->step + from, since, l->at + from, near - from, w);
	for (size_t i = near; i < end; i++) {
		double trace = pre_trace(k, l->step[i] + since), *x = &w[l->at[i]];

		*x = pair_change(k, plus, k->a_plus * trace, k->plus_exp, *x);
	}
}

/* The traces of targets' last spikes for a presynaptic one that meets spikes emitted before `now`; -1:
 * there is none, or it is on its way. */
static void post_traces(const struct fmath_decay *minus, int64_t now,
			const struct plasticity_recent *restrict recent, double *restrict ret,
			size_t n)
{
	const double *restrict high = minus->high, *restrict low = minus->low;

	for (size_t i = 0; i < n; i++) {
		uint64_t age = (uint64_t)(now - recent[i].last);

		if (age < TABLED)
			ret[i] = recent[i].k * (high[age >> 8] * low[age & 255]);
		else if (recent[i].last < now && recent[i].last != PLASTICITY_NEVER)
			ret[i] = recent[i].k * fmath_decay_far(minus, (int64_t)age);
		else
			ret[i] = -1;
	}
}

static inline ALWAYS_INLINE void depress(const struct pair_work *work, enum pair_scale minus,
					 const double *restrict trace, double *restrict w, size_t n)
{
	const struct pair_work k = *work;

#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		double changed = pair_change(&k, minus, k.a_minus * trace[i], k.minus_exp, w[i]);

		w[i] = trace[i] >= 0 ? changed : w[i];
	}
}

CLONES static void depress_by(const struct pair_work *k, enum pair_scale minus, const double *trace,
			      double *w, size_t n)
{
	if (minus == PAIR_ONE)
		depress(k, PAIR_ONE, trace, w, n);
	else
		depress(k, PAIR_DOWN, trace, w, n);
}

void pair_depress(const struct pair_work *k, enum pair_scale minus, struct plasticity_timeline *l,
		  const struct plasticity_recent *recent, int64_t delay, double *w, size_t n)
{
	if (k->n_spikes > 0 && l->met_at != k->t) {
		post_traces(k->minus, k->t - delay, recent, l->met, n);
		l->met_at = k->t;
	}
	for (unsigned i = 0; i < k->n_spikes; i++)
		depress_by(k, minus, l->met, w, n);
}
