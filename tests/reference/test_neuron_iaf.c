/* test_neuron_iaf.c - exactly integrated neurons against trajectories made with NEST. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/neuron.h"

enum { STEPS = 10000, N = 5, SEEN = 3 }; /* a few neurons at once; one of them is looked at */

struct input {
	double ex[STEPS + 1], in[STEPS + 1]; /* sums of weights that arrive at a step */
};

struct world {
	const struct neuron_model *model;
	struct neuron_ctx c;
	double state[NEURON_STATES_MAX][N], coef[NEURON_COEFS_MAX][N], in[2][N], current[N], out[N];
};

static struct input input;
static struct world world;

static json_t *load(const char *file)
{
	const char *shared = getenv("STDP_SHARED");
	char path[512];
	json_t *j;

	(void)snprintf(path, sizeof(path), "%s/reference/%s", shared ? shared : "../shared", file);
	j = json_load_file(path, 0, NULL);
	if (!j) {
		cr_assert(!getenv("CI"), "%s must be there", path);
		printf("skipped: no %s\n", path);
		cr_skip_test("no reference data");
	}
	return j;
}

static int64_t steps(double ms)
{
	return (int64_t)floor(ms / 0.1 + 0.5);
}

static void add(double *at, const json_t *times, double delay, double w)
{
	for (size_t i = 0; i < json_array_size(times); i++) {
		int64_t t = steps(json_number_value(json_array_get(times, i)) + delay);

		if (t <= STEPS)
			at[t] += w;
	}
}

static void input_init(const json_t *j)
{
	const json_t *in = json_object_get(j, "input");
	double delay = json_number_value(json_object_get(in, "delay_ms"));
	double w_in = json_number_value(json_object_get(j, "w_inh"));

	memset(&input, 0, sizeof(input));
	add(input.ex, json_object_get(in, "exc_spike_times_ms"), delay,
	    json_number_value(json_object_get(j, "w_exc")));
	cr_assert_lt(w_in, 0);
	add(input.in, json_object_get(in, "inh_spike_times_ms"), delay, w_in);
}

static void params_init(const struct neuron_model *m, const json_t *set, double *p)
{
	json_t *value;
	const char *key;

	for (size_t i = 0; i < m->n_params; i++)
		p[i] = m->params[i].def;
	json_object_foreach((json_t *)(uintptr_t)set, key, value)
	{
		int i = param_find(m->params, m->n_params, key);

		cr_assert_geq(i, 0, "%s has no parameter %s", m->name, key);
		p[i] = json_number_value(value);
	}
}

static void world_init(struct world *x, const struct neuron_model *m, const double *p,
		       size_t stride)
{
	double coef[NEURON_COEFS_MAX];

	memset(x, 0, sizeof(*x));
	x->model = m;
	x->c = (struct neuron_ctx){ .n = N,
				    .dt = 0.1,
				    .stride = stride,
				    .in = { x->in[0], x->in[1] },
				    .current = x->current,
				    .out = x->out };
	cr_assert_eq(m->check(p, NULL), 0);
	m->prepare(p, 0.1, coef);
	for (size_t k = 0; k < m->n_coefs; k++) {
		x->c.coef[k] = x->coef[k];
		for (size_t i = 0; i < N; i++)
			x->coef[k][i] = stride || i == 0 ? coef[k] : (double)NAN;
	}
	for (size_t k = 0; k < m->n_states; k++) {
		x->c.state[k] = x->state[k];
		for (size_t i = 0; i < N; i++)
			x->state[k][i] = m->states[k].init_param >= 0 ? p[m->states[k].init_param]
								      : m->states[k].init;
	}
}

static void advance(struct world *x, int64_t t)
{
	for (size_t i = 0; i < N; i++) {
		x->in[0][i] = input.ex[t];
		x->in[1][i] = input.in[t];
		if (x->model->input == NEURON_IN_SUM)
			x->in[0][i] += input.in[t];
	}
	x->c.step = t;
	x->model->step(&x->c);
}

static double state(const struct world *x, const char *name)
{
	for (size_t k = 0; k < x->model->n_states; k++)
		if (!strcmp(x->model->states[k].name, name))
			return x->state[k][SEEN];
	cr_assert_fail("no state %s", name);
	return (double)NAN;
}

/* A current that is sampled every ms, from the first ms on. */
static void current_follows(const json_t *j, const char *column, const char *name, int64_t t)
{
	const json_t *want = json_object_get(j, column);
	int64_t at = t / 10 - 1;

	if (!want || t % 10 || at >= (int64_t)json_array_size(want))
		return;
	cr_assert_float_eq(state(&world, name), json_number_value(json_array_get(want, (size_t)at)),
			   1e-9, "%s at step %d", name, (int)t);
}

static void follow(const char *model, size_t stride, bool by_current)
{
	char file[64];
	double p[NEURON_PARAMS_MAX], extra = 0;
	const struct neuron_model *m = neuron_find(model);
	const json_t *v, *spikes;
	size_t n = 0;
	int64_t first;
	json_t *j;

	(void)snprintf(file, sizeof(file), "neuron_%s.json", model);
	j = load(file);
	v = json_object_get(j, "V_m_mV");
	spikes = json_object_get(j, "spike_times_ms");
	first = steps(json_number_value(json_object_get(j, "first_sample_ms")));
	input_init(j);
	params_init(m, json_object_get(j, "set_params"), p);
	if (by_current) { /* the same current, from outside */
		extra = p[param_find(m->params, m->n_params, "I_e")];
		p[param_find(m->params, m->n_params, "I_e")] = 0;
	}
	world_init(&world, m, p, stride);
	for (size_t i = 0; i < N; i++)
		world.current[i] = extra;
	for (int64_t t = 1; t <= STEPS; t++) {
		double want, got;

		advance(&world, t);
		got = state(&world, "V_m");
		if (t >= first && t - first < (int64_t)json_array_size(v)) {
			want = json_number_value(json_array_get(v, (size_t)(t - first)));
			cr_assert_float_eq(got, want, 1e-10, "V_m at step %d: %.17g, not %.17g",
					   (int)t, got, want);
		}
		current_follows(j, "I_syn_ex_every_1ms", "I_syn_ex", t);
		current_follows(j, "I_syn_in_every_1ms", "I_syn_in", t);
		if (world.out[SEEN] > 0)
			cr_assert_eq(t, steps(json_number_value(json_array_get(spikes, n++))));
	}
	cr_assert_gt(n, 10);
	cr_assert(n == json_array_size(spikes) ||
		  steps(json_number_value(json_array_get(spikes, n))) > STEPS);
	json_decref(j);
}

Test(neuron_iaf, psc_delta_follows_nest)
{
	follow("iaf_psc_delta", 0, false);
}

Test(neuron_iaf, psc_delta_follows_nest_with_a_column_per_coefficient)
{
	follow("iaf_psc_delta", 1, false);
}

Test(neuron_iaf, psc_exp_follows_nest)
{
	follow("iaf_psc_exp", 0, false);
}

Test(neuron_iaf, psc_exp_follows_nest_with_a_column_per_coefficient)
{
	follow("iaf_psc_exp", 1, false);
}

Test(neuron_iaf, a_current_from_outside_adds_to_I_e_in_the_same_step)
{
	follow("iaf_psc_delta", 0, true);
	follow("iaf_psc_exp", 0, true);
}

/* Potential after `at` steps of one spike of 100 pA, by the textbook solution. */
static double solution(double tau, double tau_m, double c, double t)
{
	if (tau == tau_m)
		return 100 / c * t * exp(-t / tau);
	return 100 / c / (1 / tau - 1 / tau_m) * (exp(-t / tau_m) - exp(-t / tau));
}

Test(neuron_iaf, equal_and_nearly_equal_time_constants_are_no_special_case)
{
	static const double taus[] = {
		10, 10 * (1 + 1e-15), 10 * (1 + 1e-12), 10 * (1 - 1e-9), 2, 1e6, 1e-3
	};
	const struct neuron_model *m = &neuron_iaf_psc_exp;
	double p[NEURON_PARAMS_MAX];

	for (size_t k = 0; k < COUNTOF(taus); k++) {
		for (size_t i = 0; i < m->n_params; i++)
			p[i] = m->params[i].def;
		p[param_find(m->params, m->n_params, "tau_syn_ex")] = taus[k];
		memset(&input, 0, sizeof(input));
		input.ex[1] = 100;
		world_init(&world, m, p, 0);
		for (int64_t t = 1; t <= 300; t++) {
			double tau = fabs(taus[k] / 10 - 1) < 1e-8 ? 10 : taus[k];

			advance(&world, t);
			cr_assert_float_eq(state(&world, "V_m") + 70,
					   solution(tau, 10, 250, 0.1 * (double)(t - 1)), 1e-8,
					   "tau %.17g step %d", taus[k], (int)t);
		}
	}
}

Test(neuron_iaf, a_refractory_time_of_zero_lets_it_spike_in_every_step)
{
	static const struct neuron_model *const models[] = { &neuron_iaf_psc_exp,
							     &neuron_iaf_psc_delta };

	for (size_t k = 0; k < COUNTOF(models); k++) {
		const struct neuron_model *m = models[k];
		double p[NEURON_PARAMS_MAX];

		for (size_t i = 0; i < m->n_params; i++)
			p[i] = m->params[i].def;
		p[param_find(m->params, m->n_params, "t_ref")] = 0;
		p[param_find(m->params, m->n_params, "I_e")] = 1e6;
		memset(&input, 0, sizeof(input));
		world_init(&world, m, p, 0);
		for (int64_t t = 1; t <= 10; t++) {
			advance(&world, t);
			cr_assert_eq(world.out[SEEN], 1, "%s", m->name);
			cr_assert_eq(state(&world, "V_m"), -70);
		}
	}
}
