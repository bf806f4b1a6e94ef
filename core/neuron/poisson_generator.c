/* poisson_generator.c - a Poisson process per neuron, each its own.
 *
 * A low rate (below 0.05 spikes a step) is drawn by intervals: an exponential amount of hazard
 * (the integral of the rate) is left until the next spike, and every step takes rate * dt of
 * it. As hazard has no unit of time, a change of rate needs nothing mended and is exact. A
 * higher rate is drawn as a count per step. A neuron that comes from counts to intervals draws
 * a fresh interval, which is exact too, since the process has no memory. */
/* SPDX-License-Identifier: MIT */
#include "core/model/neuron.h"

enum { RATE, START, STOP, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[RATE] = { "rate", "Mean rate of the spikes.", UNIT_HZ, PARAM_NUMBER, 0, 0, 1e7 },
	[START] = { "start", "Active after this time.", UNIT_MS, PARAM_NUMBER, 0, 0, PARAM_INF },
	[STOP] = { "stop", "Active up to this time.", UNIT_MS, PARAM_NUMBER, PARAM_INF, 0,
		   PARAM_INF },
};

enum { HAZARD, DRAWS, N_STATES };

static const struct state_def states[N_STATES] = {
	[HAZARD] = { "hazard_left", "Integral of the rate until the next spike, 0 if not drawn.",
		     UNIT_NONE, 0, -1, true },
	[DRAWS] = { "draws", "Intervals drawn so far.", UNIT_NONE, 0, -1, true },
};

enum { LAMBDA, INTERVALS, FIRST, LAST, N_COEFS };

static int check(const double *p, struct err *err)
{
	if (p[STOP] < p[START])
		return err_set(err, ERR_CONFLICT, "stop",
			       "stop must not be before start = %g ms, not %g ms", p[START],
			       p[STOP]);
	return 0;
}

static void prepare(const double *p, double dt, double *coef)
{
	coef[LAMBDA] = p[RATE] * dt / 1000; /* spikes a step */
	coef[INTERVALS] = coef[LAMBDA] < 0.05;
	coef[FIRST] = floor(p[START] / dt + 0.5) + 1; /* the step (start, start + dt] */
	coef[LAST] = floor(p[STOP] / dt + 0.5);
}

/* Counts are drawn by step number, intervals by their own numbers: under a key of their own. */
static double interval(const struct neuron_ctx *c, size_t i)
{
	struct rng_key key = { { c->key.k[0], c->key.k[1] ^ 0x9e3779b9u } };
	double draw = c->state[DRAWS][i]++;

	return rng_exponential(key, c->id0 + i, (uint64_t)draw);
}

static void changed(const struct neuron_ctx *c)
{
	double *hazard = c->state[HAZARD];

	for (size_t i = 0; i < c->n; i++) {
		if (c->coef[INTERVALS][i * c->stride] == 0)
			hazard[i] = 0;
		else if (hazard[i] <= 0)
			hazard[i] = interval(c, i);
	}
}

/* Take this step's hazard from all neurons that are drawn by intervals and active. */
static inline ALWAYS_INLINE void run(const struct neuron_ctx *c, size_t s)
{
	const double *restrict lambda = c->coef[LAMBDA], *restrict intervals = c->coef[INTERVALS];
	const double *restrict first = c->coef[FIRST], *restrict last = c->coef[LAST];
	double *restrict hazard = c->state[HAZARD], *restrict out = c->out;
	double t = (double)c->step;

#pragma omp simd
	for (size_t i = 0; i < c->n; i++) {
		double by = t >= first[i * s] ? lambda[i * s] : 0.0;

		by = t <= last[i * s] ? by : 0.0;
		/* out: -1 counts are to be drawn, 1 a spike is due, 0 nothing. */
		out[i] = intervals[i * s] > 0 ? 0.0 : by > 0 ? -1.0 : 0.0;
		by = intervals[i * s] > 0 ? by : 0.0;
		hazard[i] -= by;
		out[i] = by > 0 ? hazard[i] <= 0 ? 1.0 : 0.0 : out[i];
	}
}

CLONES static void take_hazard(const struct neuron_ctx *c)
{
	if (c->stride)
		run(c, 1);
	else
		run(c, 0);
}

static double due(const struct neuron_ctx *c, size_t i)
{
	double n = 0;

	for (; c->state[HAZARD][i] <= 0; n++)
		c->state[HAZARD][i] += interval(c, i);
	return n;
}

/* The counts of the neurons from i up to the next that is not drawn by counts; that next one. */
static size_t counts(const struct neuron_ctx *c, size_t i)
{
	size_t end = i + 1;

	while (end < c->n && c->out[end] < 0)
		end++;
	rng_poisson_column(c->key, c->id0 + i, (uint64_t)c->step, end - i,
			   c->coef[LAMBDA] + i * c->stride, c->stride, c->out + i);
	return end;
}

static void step(const struct neuron_ctx *c)
{
	take_hazard(c);
	for (size_t i = 0; i < c->n;) {
		if (c->out[i] < 0) {
			i = counts(c, i);
			continue;
		}
		if (c->out[i] > 0)
			c->out[i] = due(c, i);
		i++;
	}
}

const struct neuron_model neuron_poisson_generator = {
	.name = "poisson_generator",
	.doc = "A Poisson process of its own for every neuron.",
	.cite = "",
	.kind = NEURON_SPIKES,
	.input = NEURON_IN_NONE,
	.params = params,
	.n_params = N_PARAMS,
	.states = states,
	.n_states = N_STATES,
	.n_coefs = N_COEFS,
	.check = check,
	.prepare = prepare,
	.changed = changed,
	.step = step,
};
