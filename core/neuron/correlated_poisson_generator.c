/* correlated_poisson_generator.c - Poisson trains that share a source.
 *
 * A mother process of rate / correlation spikes a second, one for the whole population, is thinned:
 * each neuron copies each of its spikes with probability `correlation` c. Every train is a Poisson
 * process of `rate` r, and counts of two of them in a time T covary by c r T (the multiple
 * interaction process of Kuhn, Aertsen, Rotter (2003), NEST's mip_generator).
 *
 * With tau_c > 0 every copy is displaced by an exponentially distributed time of mean tau_c: trains
 * stay Poisson processes, and their cross-covariance falls as c r / (2 tau_c) exp(-|lag| / tau_c).
 * Exponential times have no memory, so a neuron need only know how many copies are under way: they
 * come at 1 / tau_c each, drawn by intervals of hazard (see poisson.h). A displaced copy comes a step
 * after its mother at the earliest; as many as usual are under way when the generator starts.
 *
 * All neurons of a part see the same mother by drawing it themselves: nothing depends on parts. */
/* SPDX-License-Identifier: MIT */
#include "core/base/fmath.h"
#include "core/model/neuron.h"

enum { RATE, CORRELATION, TAU_C, START, STOP, N_PARAMS };

/* Below, the mother's spikes are too many to go through. */
#define CORRELATION_MIN 1e-3

static const struct param_def params[N_PARAMS] = {
	[RATE] = { "rate", "Mean rate of every train.", UNIT_HZ, PARAM_NUMBER, 0, 0, 1e5,
		   PARAM_SINGLE },
	[CORRELATION] = { "correlation",
			  "Correlation of the counts of two trains: 0, or at least 0.001.",
			  UNIT_NONE, PARAM_NUMBER, 0, 0, 1, PARAM_SINGLE },
	[TAU_C] = { "tau_c", "Mean displacement of copied spikes, the time of the correlation.",
		    UNIT_MS, PARAM_NUMBER, 0, 0, 1e6, PARAM_SINGLE | PARAM_OFFGRID },
	[START] = { "start", "Active after this time.", UNIT_MS, PARAM_NUMBER, 0, 0, PARAM_INF,
		    PARAM_SINGLE },
	[STOP] = { "stop", "Active up to this time.", UNIT_MS, PARAM_NUMBER, PARAM_INF, 0,
		   PARAM_INF, PARAM_SINGLE },
};

enum { PENDING, HAZARD, DRAWS, N_STATES };

static const struct state_def states[N_STATES] = {
	[PENDING] = { "pending", "Copies under way.", UNIT_NONE, 0, -1, true },
	[HAZARD] = { "hazard_left", "Hazard of the copies until the next comes, 0 if not drawn.",
		     UNIT_NONE, 0, -1, true },
	[DRAWS] = { "draws", "Intervals drawn so far.", UNIT_NONE, 0, -1, true },
};

enum { LAMBDA, MOTHER, COPY, HASTE, USUAL, FIRST, LAST, N_COEFS };

static int check(const double *p, struct err *err)
{
	if (p[STOP] < p[START])
		return err_set(err, ERR_CONFLICT, "stop",
			       "stop must not be before start = %g ms, not %g ms", p[START],
			       p[STOP]);
	if (p[CORRELATION] > 0 && p[CORRELATION] < CORRELATION_MIN)
		return err_set(err, ERR_CONFLICT, "correlation",
			       "correlation must be 0 or at least %g, not %g", CORRELATION_MIN,
			       p[CORRELATION]);
	return 0;
}

static void prepare(const double *p, double dt, double *coef)
{
	double lambda = p[RATE] * dt / 1000, c = p[CORRELATION], tau = p[TAU_C];

	coef[LAMBDA] = lambda; /* spikes a step */
	coef[MOTHER] = c > 0 ? lambda / c : 0;
	coef[COPY] = c;
	coef[HASTE] = tau > 0 ? dt / tau : 0;				 /* a step, each copy */
	coef[USUAL] = tau > 0 ? lambda / (1 - fmath_exp(-dt / tau)) : 0; /* copies under way */
	coef[FIRST] = floor(p[START] / dt + 0.5) + 1; /* the step (start, start + dt] */
	coef[LAST] = floor(p[STOP] / dt + 0.5);
}

/* What is drawn, each under a key of its own. */
enum draw { DRAW_MOTHER = 1, DRAW_COPY, DRAW_USUAL, DRAW_INTERVAL };

static struct rng_key key_of(const struct neuron_ctx *c, enum draw what)
{
	return (struct rng_key){ { c->key.k[0], c->key.k[1] ^ 0x9e3779b9u * what } };
}

static double interval(const struct neuron_ctx *c, size_t i)
{
	double draw = c->state[DRAWS][i]++;

	return rng_exponential(key_of(c, DRAW_INTERVAL), c->id0 + i, (uint64_t)draw);
}

static void changed(const struct neuron_ctx *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->state[HAZARD][i] <= 0)
			c->state[HAZARD][i] = interval(c, i);
}

enum { BLOCK = 256 };

CLONES static void count_below(const double *restrict u, double limit, size_t n,
			       double *restrict count)
{
#pragma omp simd
	for (size_t i = 0; i < n; i++)
		count[i] += u[i] < limit ? 1.0 : 0.0;
}

/* count[i] += the neuron's copies of the mother's spikes in this step. */
static void copy(const struct neuron_ctx *c, double *count)
{
	double spikes = rng_poisson(key_of(c, DRAW_MOTHER), 0, (uint64_t)c->step, *c->coef[MOTHER]);
	double u[BLOCK];

	for (uint64_t k = 0; k < (uint64_t)spikes; k++) {
		uint64_t number = (uint64_t)c->step << 24 | k;

		for (size_t at = 0, n; at < c->n; at += n) {
			n = c->n - at < BLOCK ? c->n - at : BLOCK;
			rng_uniform_column(key_of(c, DRAW_COPY), c->id0 + at, number, n, u);
			count_below(u, *c->coef[COPY], n, count + at);
		}
	}
}

/* Take this step's hazard from the copies under way; out: 1 where one comes. */
CLONES static void take_hazard(const struct neuron_ctx *c, double haste)
{
	const double *restrict pending = c->state[PENDING];
	double *restrict hazard = c->state[HAZARD], *restrict out = c->out;

#pragma omp simd
	for (size_t i = 0; i < c->n; i++) {
		hazard[i] -= pending[i] * haste;
		out[i] = hazard[i] <= 0 ? 1.0 : 0.0;
	}
}

/* Copies of neuron i that come in this step. What was taken too much goes on from the next interval,
 * at the pace of the copies that are left. */
static double come(const struct neuron_ctx *c, size_t i)
{
	double *left = &c->state[PENDING][i], *hazard = &c->state[HAZARD][i], n = 0;

	for (; *hazard <= 0 && *left > 0; n++) {
		*hazard = interval(c, i) + *hazard * ((*left - 1) / *left);
		*left -= 1;
	}
	return n;
}

static void displaced(const struct neuron_ctx *c)
{
	if (c->step == (int64_t)*c->coef[FIRST])
		rng_poisson_column(key_of(c, DRAW_USUAL), c->id0, 0, c->n, c->coef[USUAL], 0,
				   c->state[PENDING]);
	take_hazard(c, *c->coef[HASTE]);
	for (size_t i = 0; i < c->n; i++)
		if (c->out[i] > 0)
			c->out[i] = come(c, i);
	copy(c, c->state[PENDING]);
}

static void step(const struct neuron_ctx *c)
{
	double t = (double)c->step;

	for (size_t i = 0; i < c->n; i++)
		c->out[i] = 0;
	if (!(t >= *c->coef[FIRST] && t <= *c->coef[LAST]))
		return;
	if (!(*c->coef[COPY] > 0))
		rng_poisson_column(c->key, c->id0, (uint64_t)c->step, c->n, c->coef[LAMBDA], 0,
				   c->out);
	else if (*c->coef[HASTE] > 0)
		displaced(c);
	else
		copy(c, c->out);
}

const struct neuron_model neuron_correlated_poisson_generator = {
	.name = "correlated_poisson_generator",
	.doc = "Poisson processes that share a source: each neuron copies a part of its spikes.",
	.cite = "10.1162/089976603321043702",
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
