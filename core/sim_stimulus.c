/* sim_stimulus.c - spikes that come from outside the network: entries of the schedule.
 *
 * An entry at T acts in the step (T, T + dt], the first of a slice. Spikes of a generator are added to
 * what it puts out itself; spikes into cells to the input that arrives in that step. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/sim_state.h"

/* Room for one value a neuron, kept for the next entry. */
static double *column(struct sim *s, double **at, size_t n)
{
	if (!*at)
		*at = NEW(s->arena, double, n);
	return *at;
}

/* Where the entry's spikes are added: [n]. */
static double *place(struct sim *s, const struct spec_change *c, double *ret_amount)
{
	struct net_population *p = &s->net->populations[c->subject];
	struct sim_stimulus *x = &s->stimulus[c->subject];
	size_t channel = p->n_in == 2 && c->value.a < 0;

	*ret_amount = c->count;
	x->on = true;
	if (p->spec->model->kind != NEURON_CELL)
		return column(s, &x->out, p->n);
	if (p->spec->model->input != NEURON_IN_COUNT)
		*ret_amount *= c->value.a;
	if (p->in[channel].at)
		return p->in[channel].at + (size_t)((s->now + 1) & p->in[channel].mask) * p->n;
	return column(s, &x->in[channel], p->n);
}

int sim_stimulus_add(struct sim *s, const struct spec_change *c, struct err *err)
{
	size_t size = s->net->populations[c->subject].n;
	size_t n = c->neurons ? c->n_neurons : size;
	double amount, *to = place(s, c, &amount);

	if (!to)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		to[c->neurons ? c->neurons[i] : i] += amount;
	return 0;
}

void sim_stimulus_step(struct sim *s, struct sim_part *part, size_t population)
{
	const struct net_population *p = &s->net->populations[population];
	const struct sim_stimulus *x = &s->stimulus[population];
	struct neuron_ctx *c = &part->ctx[population];
	const double *in[COUNTOF(x->in)] = { 0 };
	size_t lo = p->part[part->id];

	for (size_t k = 0; k < COUNTOF(x->in); k++) {
		in[k] = c->in[k];
		if (x->in[k]) /* no projection ends here: there is no ring */
			c->in[k] = x->in[k] + lo;
	}
	p->spec->model->step(c);
	for (size_t k = 0; k < COUNTOF(x->in); k++)
		c->in[k] = in[k];
	for (size_t i = 0; x->out && i < c->n; i++) {
		c->out[i] += x->out[lo + i];
		if (c->quiet && x->out[lo + i] != 0)
			c->quiet[i / NEURON_BLOCK] = 0;
	}
}

void sim_stimulus_end(struct sim *s)
{
	for (size_t i = 0; i < s->spec->n_populations; i++) {
		struct sim_stimulus *x = &s->stimulus[i];
		size_t bytes = s->net->populations[i].n * sizeof(double);

		if (!x->on)
			continue;
		x->on = false;
		if (x->out)
			memset(x->out, 0, bytes);
		for (size_t k = 0; k < COUNTOF(x->in); k++) {
			if (x->in[k])
				memset(x->in[k], 0, bytes);
		}
	}
}
