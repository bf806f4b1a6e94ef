/* poisson - spikes of a column of Poisson processes in one step. */
/* SPDX-License-Identifier: MIT */
#include "core/model/poisson.h"

#include <string.h>

/* Counts are drawn by step number, intervals by their own numbers: under a key of their own. */
static double interval(const struct neuron_ctx *c, const struct poisson *p, size_t i)
{
	struct rng_key key = { { c->key.k[0], c->key.k[1] ^ 0x9e3779b9u } };
	double draw = p->draws[i]++;

	return rng_exponential(key, c->id0 + i, (uint64_t)draw);
}

void poisson_mend(const struct neuron_ctx *c, const struct poisson *p, size_t i)
{
	if (!(p->lambda[i * p->stride] < POISSON_INTERVALS))
		p->hazard[i] = 0;
	else if (p->hazard[i] <= 0)
		p->hazard[i] = interval(c, p, i);
}

/* The spikes of a neuron whose hazard is used up. */
static double due(const struct neuron_ctx *c, const struct poisson *p, size_t i)
{
	double n = 0;

	for (; p->hazard[i] <= 0; n++)
		p->hazard[i] += interval(c, p, i);
	return n;
}

enum { LOOK = 64 }; /* neurons at a time */

/* Take the same hazard from the neurons from i on, out = 0, until some of LOOK have used theirs up:
 * where these begin; or n or more. */
CLONES static size_t take_same(double *restrict hazard, double *restrict out, size_t i, size_t n,
			       double by)
{
	for (; i < n; i += LOOK) {
		size_t end = n - i < LOOK ? n : i + LOOK;
		double n_due = 0;

#pragma omp simd reduction(+ : n_due)
		for (size_t k = i; k < end; k++) {
			hazard[k] -= by;
			out[k] = 0;
			n_due += hazard[k] <= 0 ? 1.0 : 0.0;
		}
		if (n_due > 0)
			break;
	}
	return i;
}

/* One rate and one time of activity for all. */
static void step_same(const struct neuron_ctx *c, const struct poisson *p)
{
	double t = (double)c->step, by = t >= *p->first && t <= *p->last ? *p->lambda : 0;

	if (by > 0 && !(by < POISSON_INTERVALS)) {
		rng_poisson_column(c->key, c->id0, (uint64_t)c->step, c->n, p->lambda, 0, c->out);
		return;
	}
	if (by == 0) {
		memset(c->out, 0, c->n * sizeof(*c->out));
		return;
	}
	for (size_t i = take_same(p->hazard, c->out, 0, c->n, by); i < c->n;
	     i = take_same(p->hazard, c->out, i + LOOK, c->n, by)) {
		for (size_t k = i; k < c->n && k < i + LOOK; k++)
			if (p->hazard[k] <= 0)
				c->out[k] = due(c, p, k);
	}
}

/* What neuron i has to do in this step, as out[i]: -1 draw a count, 1 draw intervals, 0 nothing. */
static inline ALWAYS_INLINE void take(const struct neuron_ctx *c, const struct poisson *p, size_t l,
				      size_t s)
{
	const double *restrict lambda = p->lambda;
	const double *restrict first = p->first, *restrict last = p->last;
	double *restrict hazard = p->hazard, *restrict out = c->out;
	double t = (double)c->step;

#pragma omp simd
	for (size_t i = 0; i < c->n; i++) {
		double rate = lambda[i * l], h = hazard[i];
		double by = t >= first[i * s] ? rate : 0.0;
		double taken = rate < POISSON_INTERVALS ? 1.0 : 0.0, used_up;

		by = t <= last[i * s] ? by : 0.0;
		taken = taken > 0 ? by : 0.0;
		h -= taken;
		used_up = h <= 0 ? 1.0 : 0.0;
		used_up = taken > 0 ? used_up : 0.0;
		hazard[i] = h;
		out[i] = by > taken ? -1.0 : used_up;
	}
}

CLONES static void take_each(const struct neuron_ctx *c, const struct poisson *p)
{
	if (p->stride && c->stride)
		take(c, p, 1, 1);
	else if (p->stride)
		take(c, p, 1, 0);
	else
		take(c, p, 0, 1);
}

/* The counts of the neurons from i up to the next that is not drawn by counts; that next one. */
static size_t counts(const struct neuron_ctx *c, const struct poisson *p, size_t i)
{
	size_t end = i + 1;

	while (end < c->n && c->out[end] < 0)
		end++;
	rng_poisson_column(c->key, c->id0 + i, (uint64_t)c->step, end - i,
			   p->lambda + i * p->stride, p->stride, c->out + i);
	return end;
}

void poisson_step(const struct neuron_ctx *c, const struct poisson *p)
{
	if (p->stride == 0 && c->stride == 0) {
		if (c->n > 0)
			step_same(c, p);
		return;
	}
	take_each(c, p);
	for (size_t i = 0; i < c->n;) {
		if (c->out[i] < 0) {
			i = counts(c, p, i);
			continue;
		}
		if (c->out[i] > 0)
			c->out[i] = due(c, p, i);
		i++;
	}
}
