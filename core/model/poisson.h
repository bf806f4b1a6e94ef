/* poisson.h - Poisson processes of a column of neurons, each its own.
 *
 * A low rate (below POISSON_INTERVALS spikes a step) is drawn by intervals: an exponential amount of
 * hazard (the integral of the rate) is left until the next spike, and every step takes rate * dt of
 * it. As hazard has no unit of time, a change of rate needs nothing mended and is exact. A higher
 * rate is drawn as a count per step. A neuron that comes from counts to intervals draws a fresh
 * interval, which is exact too, since the process has no memory. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_POISSON_H
#define CORE_MODEL_POISSON_H

#include "core/model/neuron.h"

#define POISSON_INTERVALS 0.05

struct poisson {
	const double *lambda; /* [n] spikes a step if stride is 1, else [1] */
	size_t stride;
	const double *first, *last; /* steps of activity; as coefficients of the context are */
	double *hazard;		    /* [n] left until the next spike, 0 if not drawn */
	double *draws;		    /* [n] intervals drawn so far */
};

/* Counts are drawn by step number, intervals by their own numbers: under a key of their own. */
static inline double poisson_interval(const struct neuron_ctx *c, const struct poisson *p, size_t i)
{
	struct rng_key key = { { c->key.k[0], c->key.k[1] ^ 0x9e3779b9u } };
	double draw = p->draws[i]++;

	return rng_exponential(key, c->id0 + i, (uint64_t)draw);
}

/* After the rate of neuron i was set. */
static inline void poisson_mend(const struct neuron_ctx *c, const struct poisson *p, size_t i)
{
	if (!(p->lambda[i * p->stride] < POISSON_INTERVALS))
		p->hazard[i] = 0;
	else if (p->hazard[i] <= 0)
		p->hazard[i] = poisson_interval(c, p, i);
}

/* Take this step's hazard from all neurons that are drawn by intervals and active. The strides once
 * more as constants: l of lambda, s of coefficients. */
static inline ALWAYS_INLINE void poisson_take(const struct neuron_ctx *c, const struct poisson *p,
					      size_t l, size_t s)
{
	const double *restrict lambda = p->lambda;
	const double *restrict first = p->first, *restrict last = p->last;
	double *restrict hazard = p->hazard, *restrict out = c->out;
	double t = (double)c->step;

#pragma omp simd
	for (size_t i = 0; i < c->n; i++) {
		double by = t >= first[i * s] ? lambda[i * l] : 0.0;
		double intervals = lambda[i * l] < POISSON_INTERVALS ? 1.0 : 0.0;

		by = t <= last[i * s] ? by : 0.0;
		/* out: -1 counts are to be drawn, 1 a spike is due, 0 nothing. */
		out[i] = intervals > 0 ? 0.0 : by > 0 ? -1.0 : 0.0;
		by = intervals > 0 ? by : 0.0;
		hazard[i] -= by;
		out[i] = by > 0 ? hazard[i] <= 0 ? 1.0 : 0.0 : out[i];
	}
}

/* The counts of the neurons from i up to the next that is not drawn by counts; that next one. */
static inline size_t poisson_counts(const struct neuron_ctx *c, const struct poisson *p, size_t i)
{
	size_t end = i + 1;

	while (end < c->n && c->out[end] < 0)
		end++;
	rng_poisson_column(c->key, c->id0 + i, (uint64_t)c->step, end - i,
			   p->lambda + i * p->stride, p->stride, c->out + i);
	return end;
}

static inline double poisson_due(const struct neuron_ctx *c, const struct poisson *p, size_t i)
{
	double n = 0;

	for (; p->hazard[i] <= 0; n++)
		p->hazard[i] += poisson_interval(c, p, i);
	return n;
}

/* After poisson_take(): out[] becomes the spikes of this step. */
static inline void poisson_draw(const struct neuron_ctx *c, const struct poisson *p)
{
	for (size_t i = 0; i < c->n;) {
		if (c->out[i] < 0) {
			i = poisson_counts(c, p, i);
			continue;
		}
		if (c->out[i] > 0)
			c->out[i] = poisson_due(c, p, i);
		i++;
	}
}

#endif
