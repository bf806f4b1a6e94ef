/* poisson_generator.c - a Poisson process per neuron, each its own; how stands in poisson.h. */
/* SPDX-License-Identifier: MIT */
#include "core/model/poisson.h"

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

static struct poisson process(const struct neuron_ctx *c)
{
	return (struct poisson){ .lambda = c->coef[LAMBDA],
				 .stride = c->stride,
				 .first = c->coef[FIRST],
				 .last = c->coef[LAST],
				 .hazard = c->state[HAZARD],
				 .draws = c->state[DRAWS] };
}

static void changed(const struct neuron_ctx *c)
{
	struct poisson p = process(c);

	for (size_t i = 0; i < c->n; i++)
		poisson_mend(c, &p, i);
}

static void step(const struct neuron_ctx *c)
{
	struct poisson p = process(c);

	poisson_step(c, &p);
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
