/* spike_generator.c - emits spikes at given times; a time given several times counts as often.
 */
/* SPDX-License-Identifier: MIT */
#include "core/model/neuron.h"

static const struct param_def params[] = {
	{ "spike_times", "Times of the spikes, ascending, a list for each neuron.", UNIT_MS,
	  PARAM_TIMES, 0, 0, PARAM_INF, PARAM_FIXED },
};

enum { CURSOR, N_STATES };

static const struct state_def states[N_STATES] = {
	[CURSOR] = { "cursor", "Spikes of the list that are done.", UNIT_NONE, 0, -1, true },
};

static void prepare(const double *p, double dt, double *coef)
{
	(void)p;
	(void)dt;
	(void)coef;
}

static void step(const struct neuron_ctx *c)
{
	double *cursor = c->state[CURSOR];

	for (size_t i = 0; i < c->n; i++) {
		uint64_t at, end;

		c->out[i] = 0;
		if (!c->times.offset)
			continue;
		at = c->times.offset[i * c->times.stride] + (uint64_t)cursor[i];
		end = c->times.offset[i * c->times.stride + 1];
		for (; at < end && c->times.step[at] <= c->step; at++)
			c->out[i] += c->times.step[at] == c->step;
		cursor[i] = (double)(at - c->times.offset[i * c->times.stride]);
	}
}

const struct neuron_model neuron_spike_generator = {
	.name = "spike_generator",
	.doc = "Emits spikes at given times.",
	.cite = "",
	.kind = NEURON_SPIKES,
	.input = NEURON_IN_NONE,
	.params = params,
	.n_params = COUNTOF(params),
	.states = states,
	.n_states = N_STATES,
	.prepare = prepare,
	.step = step,
};
