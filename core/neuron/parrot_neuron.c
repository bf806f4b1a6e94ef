/* parrot_neuron.c - repeats every spike it receives, whatever its weight. */
/* SPDX-License-Identifier: MIT */
#include "core/model/neuron.h"

static void prepare(const double *p, double dt, double *coef)
{
	(void)p;
	(void)dt;
	(void)coef;
}

static void step(const struct neuron_ctx *c)
{
	const double *restrict in = c->in[0];
	double *restrict out = c->out;

	for (size_t i = 0; i < c->n; i++)
		out[i] = in[i];
}

const struct neuron_model neuron_parrot_neuron = {
	.name = "parrot_neuron",
	.doc = "Repeats the spikes it receives.",
	.cite = "",
	.kind = NEURON_SPIKES,
	.input = NEURON_IN_COUNT,
	.prepare = prepare,
	.step = step,
};
