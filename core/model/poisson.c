/* poisson - spikes of a column of Poisson processes in one step. */
/* SPDX-License-Identifier: MIT */
#include "core/model/poisson.h"

/* Counts are drawn by step number, intervals by their own numbers: under a key of their own. */
double poisson_interval(const struct neuron_ctx *c, double *draws, size_t i)
{
	struct rng_key key = { { c->key.k[0], c->key.k[1] ^ 0x9e3779b9u } };

	return rng_exponential(key, c->id0 + i, (uint64_t)(*draws)++);
}

void poisson_mend(const struct neuron_ctx *c, const struct poisson *p, size_t i)
{
	if (!(p->lambda[i] < POISSON_INTERVALS))
		p->hazard[i] = 0;
	else if (p->hazard[i] <= 0)
		p->hazard[i] = poisson_interval(c, &p->draws[i], i);
}

/* The spikes of a neuron whose hazard is used up. */
static double due(const struct neuron_ctx *c, const struct poisson *p, size_t i)
{
	double n = 0;

	for (; p->hazard[i] <= 0; n++)
		p->hazard[i] += poisson_interval(c, &p->draws[i], i);
	return n;
}

/* What neuron i has to do in this step, as out[i]: -1 draw a count, 1 draw intervals, 0 nothing. */
static inline ALWAYS_INLINE void take(const struct neuron_ctx *c, const struct poisson *p, size_t s)
{
	const double *restrict lambda = p->lambda;
	const double *restrict first = p->first, *restrict last = p->last;
	double *restrict hazard = p->hazard, *restrict out = c->out;
	double t = (double)c->step;

#pragma omp simd
	for (size_t i = 0; i < c->n; i++) {
		double rate = lambda[i], h = hazard[i];
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
	if (c->stride)
		take(c, p, 1);
	else
		take(c, p, 0);
}

/* The counts of the neurons from i up to the next that is not drawn by counts; that next one. */
static size_t counts(const struct neuron_ctx *c, const struct poisson *p, size_t i)
{
	size_t end = i + 1;

	while (end < c->n && c->out[end] < 0)
		end++;
	rng_poisson_column(c->key, c->id0 + i, (uint64_t)c->step, end - i, p->lambda + i, 1,
			   c->out + i);
	return end;
}

void poisson_step(const struct neuron_ctx *c, const struct poisson *p)
{
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
