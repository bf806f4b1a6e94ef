/* generator_world.h - drive one generator model by hand, all neurons with the same parameters. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_GENERATOR_WORLD_H
#define TESTS_UNIT_GENERATOR_WORLD_H

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/model/neuron.h"

enum { WORLD_N = 2000 };

struct world {
	const struct neuron_model *model;
	struct neuron_ctx c;
	double p[NEURON_PARAMS_MAX], coef[NEURON_COEFS_MAX];
	double state[NEURON_STATES_MAX][WORLD_N], out[WORLD_N];
};

static inline void world_set(struct world *x, const char *name, double value)
{
	int i = param_find(x->model->params, x->model->n_params, name);

	cr_assert_geq(i, 0, "there is no %s", name);
	x->p[i] = value;
	x->model->prepare(x->p, x->c.dt, x->coef);
}

/* n neurons of a population, the first of which is its neuron id0; nothing is drawn yet. */
static inline void world_init(struct world *x, const struct neuron_model *m, size_t n, uint64_t id0)
{
	memset(x, 0, sizeof(*x));
	x->model = m;
	x->c = (struct neuron_ctx){ .n = n,
				    .dt = 0.1,
				    .out = x->out,
				    .id0 = id0,
				    .key = rng_key(17, RNG_SPIKES, "population") };
	for (size_t i = 0; i < m->n_params; i++)
		x->p[i] = m->params[i].def;
	for (size_t k = 0; k < m->n_coefs; k++)
		x->c.coef[k] = &x->coef[k];
	for (size_t k = 0; k < m->n_states; k++) {
		x->c.state[k] = x->state[k];
		for (size_t i = 0; i < n; i++)
			x->state[k][i] = m->states[k].init;
	}
	m->prepare(x->p, x->c.dt, x->coef);
}

static inline void world_start(struct world *x)
{
	struct err err = { 0 };

	cr_assert(!x->model->check || x->model->check(x->p, &err) == 0, "%s", err.text);
	if (x->model->changed)
		x->model->changed(&x->c);
}

static inline void world_step(struct world *x)
{
	x->c.step++;
	for (size_t i = 0; i < x->c.n; i++)
		x->out[i] = (double)NAN;
	x->model->step(&x->c);
}

#endif
