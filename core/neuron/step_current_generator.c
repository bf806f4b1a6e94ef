/* step_current_generator.c - a current that changes at given times.
 *
 * The amplitude given for time t flows from the step (t, t + dt] on, as that of a dc_generator does
 * from its start. */
/* SPDX-License-Identifier: MIT */
#include "core/model/series.h"

enum { AMPLITUDE_TIMES, AMPLITUDE_VALUES, START, STOP, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[AMPLITUDE_TIMES] = { "amplitude_times",
			      "Times from where on the amplitudes hold, ascending; one list for "
			      "all neurons or one for each.",
			      UNIT_MS, PARAM_TIMES, 0, 0, PARAM_INF, PARAM_FIXED },
	[AMPLITUDE_VALUES] = { "amplitude_values", "Currents that hold from these times on.",
			       UNIT_PA, PARAM_VALUES, 0, -1e9, 1e9, PARAM_FIXED },
	[START] = { "start", "Active after this time.", UNIT_MS, PARAM_NUMBER, 0, 0, PARAM_INF },
	[STOP] = { "stop", "Active up to this time.", UNIT_MS, PARAM_NUMBER, PARAM_INF, 0,
		   PARAM_INF },
};

enum { CURRENT, AMPLITUDE, CURSOR, N_STATES };

static const struct state_def states[N_STATES] = {
	[CURRENT] = { "I", "Current of the last step.", UNIT_PA, 0, -1 },
	[AMPLITUDE] = { "amplitude", "Amplitude of the moment, active or not.", UNIT_PA, 0, -1,
			true },
	[CURSOR] = { "cursor", "Entries of the list that are done.", UNIT_NONE, 0, -1, true },
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

static void step(const struct neuron_ctx *c)
{
	const double *first = c->coef[FIRST], *last = c->coef[LAST];
	double *amplitude = c->state[AMPLITUDE], t = (double)c->step;

	if (series_due(c, c->state[CURSOR]))
		for (size_t i = 0; i < c->n; i++)
			(void)series_next(c, i, c->state[CURSOR], &amplitude[i]);
	for (size_t i = 0; i < c->n; i++) {
		size_t k = i * c->stride;

		c->out[i] = t >= first[k] && t <= last[k] ? amplitude[i] : 0.0;
		c->state[CURRENT][i] = c->out[i];
	}
}

const struct neuron_model neuron_step_current_generator = {
	.name = "step_current_generator",
	.doc = "A source of current that changes at given times.",
	.cite = "",
	.kind = NEURON_CURRENT,
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
