/* neuron_world.h - drive one neuron model by hand, a few neurons at once; one of them is looked at. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_REFERENCE_NEURON_WORLD_H
#define TESTS_REFERENCE_NEURON_WORLD_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/model/neuron.h"
#include "tests/check.h"

/* More than one block of lanes and no whole number of them. */
enum { WORLD_STEPS = 24000, WORLD_N = 21, WORLD_SEEN = 18 };

struct world_input {
	double ex[WORLD_STEPS + 1], in[WORLD_STEPS + 1]; /* sums of weights that arrive at a step */
};

struct world {
	const struct neuron_model *model;
	struct neuron_ctx c;
	double state[NEURON_STATES_MAX][WORLD_N], coef[NEURON_COEFS_MAX][WORLD_N];
	double in[2][WORLD_N], current[WORLD_N], out[WORLD_N];
};

static inline int64_t world_steps(double ms)
{
	return (int64_t)floor(ms / 0.1 + 0.5);
}

static inline void world_add(double *at, const json_t *times, double delay, double w)
{
	for (size_t i = 0; i < json_array_size(times); i++) {
		int64_t t = world_steps(json_number_value(json_array_get(times, i)) + delay);

		if (t <= WORLD_STEPS)
			at[t] += w;
	}
}

static inline void world_defaults(const struct neuron_model *m, double *p)
{
	for (size_t i = 0; i < m->n_params; i++)
		p[i] = m->params[i].def;
}

static inline void world_set(const struct neuron_model *m, double *p, const char *name, double v)
{
	int i = param_find(m->params, m->n_params, name);

	cr_assert_geq(i, 0, "%s has no parameter %s", m->name, name);
	p[i] = v;
}

/* All neurons alike. Without stride all but the first coefficient are NaN: nobody may look. */
static inline void world_init(struct world *x, const struct neuron_model *m, const double *p,
			      double dt, size_t stride)
{
	double coef[NEURON_COEFS_MAX];
	struct err err = { 0 };

	memset(x, 0, sizeof(*x));
	x->model = m;
	x->c = (struct neuron_ctx){ .n = WORLD_N,
				    .dt = dt,
				    .stride = stride,
				    .in = { x->in[0], x->in[1] },
				    .current = x->current,
				    .out = x->out };
	cr_assert(!m->check || m->check(p, &err) == 0, "%s: %s", m->name, err.text);
	m->prepare(p, dt, coef);
	for (size_t k = 0; k < m->n_coefs; k++) {
		x->c.coef[k] = x->coef[k];
		for (size_t i = 0; i < WORLD_N; i++)
			x->coef[k][i] = stride || i == 0 ? coef[k] : (double)NAN;
	}
	for (size_t k = 0; k < m->n_states; k++) {
		x->c.state[k] = x->state[k];
		for (size_t i = 0; i < WORLD_N; i++)
			x->state[k][i] = m->states[k].init_param >= 0 ? p[m->states[k].init_param]
								      : m->states[k].init;
	}
}

/* One step with this input to all neurons; returns the spikes of the one looked at. */
static inline double world_advance(struct world *x, int64_t t, double ex, double in)
{
	for (size_t i = 0; i < WORLD_N; i++) {
		x->in[0][i] = x->model->input == NEURON_IN_SUM ? ex + in : ex;
		x->in[1][i] = in;
		x->out[i] = (double)NAN;
	}
	x->c.step = t;
	x->model->step(&x->c);
	return x->out[WORLD_SEEN];
}

static inline double *world_column(struct world *x, const char *name)
{
	for (size_t k = 0; k < x->model->n_states; k++)
		if (!strcmp(x->model->states[k].name, name))
			return x->state[k];
	cr_assert_fail("no state %s", name);
	return NULL;
}

static inline double world_state(struct world *x, const char *name)
{
	return world_column(x, name)[WORLD_SEEN];
}

#endif
