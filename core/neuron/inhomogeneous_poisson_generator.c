/* inhomogeneous_poisson_generator.c - Poisson processes whose rate changes at given times.
 *
 * The rate given for time t holds from the step (t, t + dt] on (NEST lets the step that ends at t have
 * it). Drawn as poisson_generator is, so a change of rate is exact; see poisson.h. */
/* SPDX-License-Identifier: MIT */
#include "core/model/poisson.h"
#include "core/model/series.h"

enum { RATE_TIMES, RATE_VALUES, START, STOP, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[RATE_TIMES] = { "rate_times",
			 "Times from where on the rates hold, ascending; one list for all neurons "
			 "or one for each.",
			 UNIT_MS, PARAM_TIMES, 0, 0, PARAM_INF, PARAM_FIXED },
	[RATE_VALUES] = { "rate_values", "Rates that hold from these times on.", UNIT_HZ,
			  PARAM_VALUES, 0, 0, 1e7, PARAM_FIXED },
	[START] = { "start", "Active after this time.", UNIT_MS, PARAM_NUMBER, 0, 0, PARAM_INF },
	[STOP] = { "stop", "Active up to this time.", UNIT_MS, PARAM_NUMBER, PARAM_INF, 0,
		   PARAM_INF },
};

enum { RATE, CURSOR, LAMBDA, HAZARD, DRAWS, N_STATES };

static const struct state_def states[N_STATES] = {
	[RATE] = { "rate", "Rate of the moment, 0 before the first.", UNIT_HZ, 0, -1 },
	[CURSOR] = { "cursor", "Entries of the list that are done.", UNIT_NONE, 0, -1, true },
	[LAMBDA] = { "lambda", "Spikes a step at the rate of the moment.", UNIT_NONE, 0, -1, true },
	[HAZARD] = { "hazard_left", "Integral of the rate until the next spike, 0 if not drawn.",
		     UNIT_NONE, 0, -1, true },
	[DRAWS] = { "draws", "Intervals drawn so far.", UNIT_NONE, 0, -1, true },
};

enum { FIRST, LAST, N_COEFS };

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
	coef[FIRST] = floor(p[START] / dt + 0.5) + 1; /* the step (start, start + dt] */
	coef[LAST] = floor(p[STOP] / dt + 0.5);
}

static struct poisson process(const struct neuron_ctx *c)
{
	return (struct poisson){ .lambda = c->state[LAMBDA],
				 .first = c->coef[FIRST],
				 .last = c->coef[LAST],
				 .hazard = c->state[HAZARD],
				 .draws = c->state[DRAWS] };
}

static void follow(const struct neuron_ctx *c, const struct poisson *p)
{
	for (size_t i = 0; i < c->n; i++) {
		if (!series_next(c, i, c->state[CURSOR], &c->state[RATE][i]))
			continue;
		c->state[LAMBDA][i] = c->state[RATE][i] * c->dt / 1000;
		poisson_mend(c, p, i);
	}
}

static void step(const struct neuron_ctx *c)
{
	struct poisson p = process(c);

	if (series_due(c, c->state[CURSOR]))
		follow(c, &p);
	poisson_step(c, &p);
}

const struct neuron_model neuron_inhomogeneous_poisson_generator = {
	.name = "inhomogeneous_poisson_generator",
	.doc = "A Poisson process of its own for every neuron, with a rate that changes in time.",
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
	.step = step,
};
