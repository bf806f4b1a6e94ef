/* poisson_generator.c - a Poisson process per neuron, each its own.
 *
 * A low rate (below POISSON_INTERVALS spikes a step) is drawn by intervals: the time of each neuron's
 * next spike is known, and a neuron costs nothing until then. A higher rate is drawn as a count per
 * step. When the rate is to change, the times left become hazard left (the integral of the rate until
 * the next spike), which has no unit of time, and then times again: exact. A neuron that comes from
 * counts to intervals draws a fresh interval, which is exact too, since the process has no memory. */
/* SPDX-License-Identifier: MIT */
#include "core/base/fmath.h"
#include "core/model/poisson.h"

enum { RATE, START, STOP, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[RATE] = { "rate", "Mean rate of the spikes.", UNIT_HZ, PARAM_NUMBER, 0, 0, 1e7 },
	[START] = { "start", "Active after this time.", UNIT_MS, PARAM_NUMBER, 0, 0, PARAM_INF },
	[STOP] = { "stop", "Active up to this time.", UNIT_MS, PARAM_NUMBER, PARAM_INF, 0,
		   PARAM_INF },
};

enum { HAZARD, NEXT, DRAWS, N_STATES };

static const struct state_def states[N_STATES] = {
	[HAZARD] = { "hazard_left",
		     "Integral of the rate until the next spike, at the last change; 0 if not "
		     "drawn.",
		     UNIT_NONE, 0, -1, true },
	[NEXT] = { "next_spike",
		   "Time of the next spike, steps; where counts are drawn, the first step of it.",
		   UNIT_NONE, 0, -1, true },
	[DRAWS] = { "draws", "Intervals drawn so far.", UNIT_NONE, 0, -1, true },
};

enum { LAMBDA, FIRST, LAST, N_COEFS };

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
	coef[LAMBDA] = p[RATE] * dt / 1000;	      /* spikes a step */
	coef[FIRST] = floor(p[START] / dt + 0.5) + 1; /* the step (start, start + dt] */
	coef[LAST] = floor(p[STOP] / dt + 0.5);
}

static bool by_intervals(double lambda)
{
	return lambda < POISSON_INTERVALS;
}

/* The time from which on hazard is used up by what is still to come. */
static double clock_of(const struct neuron_ctx *c, size_t k)
{
	double t = (double)c->step, start = c->coef[FIRST][k] - 1, stop = c->coef[LAST][k];

	t = t < stop ? t : stop;
	return t > start ? t : start;
}

static void changing(const struct neuron_ctx *c)
{
	for (size_t i = 0; i < c->n; i++) {
		size_t k = i * c->stride;
		double lambda = c->coef[LAMBDA][k];

		if (!by_intervals(lambda))
			c->state[HAZARD][i] = 0;
		else if (lambda > 0)
			c->state[HAZARD][i] = (c->state[NEXT][i] - clock_of(c, k)) * lambda;
	}
}

static void changed(const struct neuron_ctx *c)
{
	for (size_t i = 0; i < c->n; i++) {
		size_t k = i * c->stride;
		double lambda = c->coef[LAMBDA][k], *hazard = &c->state[HAZARD][i];

		if (!by_intervals(lambda)) {
			c->state[NEXT][i] = c->coef[FIRST][k];
			continue;
		}
		if (*hazard <= 0)
			*hazard = poisson_interval(c, &c->state[DRAWS][i], i);
		c->state[NEXT][i] = lambda > 0 ? clock_of(c, k) + *hazard / lambda : PARAM_INF;
	}
}

/* The spikes of a neuron in a step that its next one falls into. */
static double due(const struct neuron_ctx *c, size_t i, double per_lambda)
{
	double *next = &c->state[NEXT][i], n = 0;

	for (; *next <= (double)c->step; n++)
		*next += poisson_interval(c, &c->state[DRAWS][i], i) * per_lambda;
	return n;
}

/* Neuron i and those behind it, up to `end`, that draw counts now; the one after them. */
static size_t counts(const struct neuron_ctx *c, size_t i, size_t end)
{
	size_t from = i;

	for (; i < end; i++) {
		size_t k = i * c->stride;

		if (c->state[NEXT][i] > (double)c->step || by_intervals(c->coef[LAMBDA][k]) ||
		    c->coef[LAST][k] < (double)c->step)
			break;
	}
	rng_poisson_column(c->key, c->id0 + from, (uint64_t)c->step, i - from,
			   c->coef[LAMBDA] + from * c->stride, c->stride, c->out + from);
	return i;
}

/* A block some of whose neurons have something to do. */
static void loud(const struct neuron_ctx *c, size_t from, size_t end)
{
	double t = (double)c->step, *next = c->state[NEXT];

	for (size_t i = from; i < end; i++) {
		size_t k = i * c->stride;

		if (next[i] > t) /* nearly all */
			continue;
		if (t > c->coef[LAST][k])
			next[i] = PARAM_INF;
		else if (by_intervals(c->coef[LAMBDA][k]))
			c->out[i] = due(c, i, 1 / c->coef[LAMBDA][k]);
		else
			i = counts(c, i, end) - 1;
	}
}

/* The step of the first spike of n neurons. Bits of times, none negative, are ordered as times are. */
CLONES static int64_t first_of(const double *restrict next, size_t n)
{
	uint64_t bits = fmath_bits(PARAM_INF);
	double first;

#pragma omp simd reduction(min : bits)
	for (size_t i = 0; i < n; i++) {
		uint64_t own = fmath_bits(next[i]);

		bits = own < bits ? own : bits;
	}
	first = fmath_of_bits(bits);
	return first < 9e18 ? (int64_t)ceil(first) : INT64_MAX;
}

static void step(const struct neuron_ctx *c)
{
	double t = (double)c->step;

	if (c->n > 0 && c->stride == 0 && !by_intervals(*c->coef[LAMBDA]) && t >= *c->coef[FIRST] &&
	    t <= *c->coef[LAST]) {
		rng_poisson_column(c->key, c->id0, (uint64_t)c->step, c->n, c->coef[LAMBDA], 0,
				   c->out);
		return;
	}
	for (size_t b = neuron_loud(c, 0), from; (from = b * NEURON_BLOCK) < c->n;
	     b = neuron_loud(c, b + 1)) {
		size_t n = c->n - from < NEURON_BLOCK ? c->n - from : NEURON_BLOCK;

		c->quiet[b] = first_of(c->state[NEXT] + from, n);
		if (c->quiet[b] <= c->step)
			loud(c, from, from + n);
	}
}

const struct neuron_model neuron_poisson_generator = {
	.name = "poisson_generator",
	.doc = "A Poisson process of its own for every neuron.",
	.cite = "",
	.kind = NEURON_SPIKES,
	.input = NEURON_IN_NONE,
	.sparse = true,
	.params = params,
	.n_params = N_PARAMS,
	.states = states,
	.n_states = N_STATES,
	.n_coefs = N_COEFS,
	.check = check,
	.prepare = prepare,
	.changing = changing,
	.changed = changed,
	.step = step,
};
