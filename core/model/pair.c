/* pair.c - pair-based STDP at rows that have all targets, all-to-all pairing.
 *
 * Such a row need not ask each target what happened since its last update: the spikes of all targets
 * stand on one timeline. Each of them facilitates its synapse; then the presynaptic spike depresses
 * all, in columns. Every synapse sees the same operations in the same order as in stdp_pair.c. */
/* SPDX-License-Identifier: MIT */
#include "core/model/pair.h"

enum { TABLED = 65536 }; /* steps that fmath_decay has tables for */

enum { BLOCK = 64 }; /* spikes at a time */

/* The presynaptic trace at n spikes; false if one of them is longer ago than the tables reach. */
CLONES static bool traces(const struct pair_work *k, const int64_t *restrict step,
			  int64_t since_emission, size_t n, double *restrict trace)
{
	const double *restrict high = k->plus->high, *restrict low = k->plus->low;
	double pre = k->pre, others = 0;

#pragma omp simd reduction(+ : others)
	for (size_t i = 0; i < n; i++) {
		int64_t age = step[i] + since_emission, at = age & (TABLED - 1);

		trace[i] = pre * (high[at >> 8] * low[at & 255]);
		others += age == at ? 0.0 : 1.0;
	}
	return others == 0;
}

static inline ALWAYS_INLINE void facilitate(const struct pair_work *work, enum pair_scale plus,
					    const uint32_t *restrict target, uint32_t first_target,
					    const double *restrict trace, size_t n,
					    double *restrict w)
{
	const struct pair_work k = *work;

	for (size_t i = 0; i < n; i++) {
		double *x = &w[target[i] - first_target];

		*x = pair_change(&k, plus, k.a_plus * trace[i], k.plus_exp, *x);
	}
}

void pair_facilitate(const struct pair_work *k, enum pair_scale plus,
		     const struct plasticity_timeline *spikes, size_t from, size_t end,
		     int64_t delay, uint32_t first_target, double *w)
{
	double trace[BLOCK];

	for (size_t n; from < end; from += n) {
		const int64_t *step = spikes->step + from;

		n = end - from < BLOCK ? end - from : BLOCK;
		if (!traces(k, step, delay - k->t_pre, n, trace)) {
			for (size_t i = 0; i < n; i++)
				trace[i] = k->pre *
					   fmath_decay_at(k->plus, step[i] + delay - k->t_pre);
		}
		/* Later ones are smaller. What has faded away changes nothing. */
		for (; n > 0 && trace[n - 1] == 0; n--, end = from + n)
			;
		if (plus == PAIR_ONE)
			facilitate(k, PAIR_ONE, spikes->target + from, first_target, trace, n, w);
		else
			facilitate(k, PAIR_UP, spikes->target + from, first_target, trace, n, w);
	}
}

/* Targets whose last spike arrived less than TABLED steps ago; how many others there are. */
static inline ALWAYS_INLINE size_t depress(const struct pair_work *work, enum pair_scale minus,
					   int64_t now,
					   const struct plasticity_recent *restrict recent,
					   double *restrict w, size_t n)
{
	const struct pair_work k = *work;
	const double *restrict high = k.minus->high, *restrict low = k.minus->low;
	double others = 0;

#pragma omp simd reduction(+ : others)
	for (size_t i = 0; i < n; i++) {
		int64_t age = now - recent[i].last, at = age & (TABLED - 1);
		double trace = recent[i].k * (high[at >> 8] * low[at & 255]);
		double changed = pair_change(&k, minus, k.a_minus * trace, k.minus_exp, w[i]);

		w[i] = age == at ? changed : w[i];
		others += age == at ? 0.0 : 1.0;
	}
	return (size_t)others;
}

CLONES static size_t depress_by(const struct pair_work *k, enum pair_scale minus, int64_t now,
				const struct plasticity_recent *recent, double *w, size_t n)
{
	return minus == PAIR_ONE ? depress(k, PAIR_ONE, now, recent, w, n)
				 : depress(k, PAIR_DOWN, now, recent, w, n);
}

/* Those whose last spike is longer ago. */
static void depress_far(const struct pair_work *k, enum pair_scale minus, int64_t now,
			const struct plasticity_recent *recent, double *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t age = now - recent[i].last;
		double trace;

		if (age < TABLED || recent[i].last == PLASTICITY_NEVER)
			continue;
		trace = recent[i].k * fmath_decay_far(k->minus, age);
		w[i] = pair_change(k, minus, k->a_minus * trace, k->minus_exp, w[i]);
	}
}

void pair_depress(const struct pair_work *k, enum pair_scale minus,
		  const struct plasticity_recent *recent, int64_t delay, double *w, size_t n)
{
	int64_t now = k->t - delay;

	for (unsigned i = 0; i < k->n_spikes; i++) {
		if (depress_by(k, minus, now, recent, w, n) > 0)
			depress_far(k, minus, now, recent, w, n);
	}
}
