/* random_spec.c - specs of everything. */
/* SPDX-License-Identifier: MIT */
#include "tests/property/random_spec.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/model/neuron.h"
#include "core/model/plasticity.h"

/* What is being put together. */
struct draft {
	struct check_random *r;
	double dt, duration;
	json_t *populations, *projections, *schedule;
	json_t *spikes, *states, *weights, *rates;
};

static bool chance(struct draft *d, uint64_t one_in)
{
	return check_below(d->r, one_in) == 0;
}

/* A time on the grid, at least a step. */
static double time_up_to(struct draft *d, double ms)
{
	uint64_t steps = (uint64_t)(ms / d->dt);

	return d->dt * (double)(1 + check_below(d->r, steps ? steps : 1));
}

static void name_of(char *to, size_t n, const char *prefix, const char *model)
{
	(void)snprintf(to, n, "%s%s", prefix, model);
}

/* ---- populations ---- */

static json_t *spike_times(struct draft *d, size_t size)
{
	json_t *all = json_array();

	for (size_t i = 0; i < size; i++) {
		json_t *one = json_array();

		for (double t = time_up_to(d, 30); t <= d->duration; t += time_up_to(d, 60))
			json_array_append_new(one, json_real(t));
		json_array_append_new(all, one);
	}
	return all;
}

/* What holds from these times on. */
static json_t *values_at(struct draft *d, const json_t *times)
{
	json_t *all = json_array(), *one;
	size_t i, k;

	json_array_foreach(times, i, one)
	{
		json_t *values = json_array();

		for (k = 0; k < json_array_size(one); k++)
			json_array_append_new(values, json_real(check_uniform(d->r, 0, 90)));
		json_array_append_new(all, values);
	}
	return all;
}

/* Parameters without a default, and those that make it do something. */
static json_t *neuron_params(struct draft *d, const struct neuron_model *m, size_t size)
{
	static const struct {
		const char *name;
		double min, max;
	} lively[] = { { "rate", 20, 90 }, { "amplitude", 10, 60 }, { "std", 5, 30 } };
	json_t *ret = json_object(), *times = NULL;

	for (size_t i = 0; i < m->n_params; i++) {
		const struct param_def *p = &m->params[i];

		if (p->type == PARAM_TIMES)
			json_object_set_new(ret, p->name, times = spike_times(d, size));
		else if (p->type == PARAM_VALUES)
			json_object_set_new(ret, p->name, values_at(d, times));
		else if (p->flags & PARAM_REQUIRED)
			json_object_set_new(ret, p->name, json_real(p->min > 0 ? p->min : 1));
		for (size_t k = 0; k < COUNTOF(lively); k++) {
			if (!strcmp(p->name, lively[k].name))
				json_object_set_new(ret, p->name,
						    json_real(check_uniform(d->r, lively[k].min,
									    lively[k].max)));
		}
	}
	return ret;
}

static void record_population(struct draft *d, const char *name, const struct neuron_model *m)
{
	json_t *variables = json_array();

	for (size_t i = 0; i < m->n_states; i++) {
		if (!m->states[i].internal)
			json_array_append_new(variables, json_string(m->states[i].name));
	}
	if (json_array_size(variables) && chance(d, 2))
		json_array_append_new(d->states,
				      json_pack("{sssOsf}", "population", name, "variables",
						variables, "every_ms", time_up_to(d, 3)));
	json_decref(variables);
	if (m->kind == NEURON_CURRENT)
		return;
	if (chance(d, 2))
		json_array_append_new(d->spikes, json_string(name));
	if (chance(d, 2))
		json_array_append_new(d->rates, json_pack("{sssf}", "population", name, "bin_ms",
							  time_up_to(d, 9)));
}

/* Some parameter is set to what it is by default, for all or for each neuron. */
static void change_population(struct draft *d, const char *name, const struct neuron_model *m,
			      size_t size)
{
	const struct param_def *p;
	json_t *value;

	if (m->n_params == 0)
		return;
	p = &m->params[check_below(d->r, m->n_params)];
	if (!isfinite(p->def))
		return;
	value = p->flags & PARAM_SINGLE ? json_real(p->def) : json_array();
	for (size_t i = 0; json_is_array(value) && i < size; i++)
		json_array_append_new(value, json_real(p->def));
	if (!(p->flags & PARAM_FIXED) && p->type == PARAM_NUMBER)
		json_array_append_new(d->schedule,
				      json_pack("{sfs{sss{sO}}}", "at_ms",
						time_up_to(d, d->duration / 2), "set", "population",
						name, "params", p->name, value));
	json_decref(value);
}

static void add_population(struct draft *d, const char *name, const struct neuron_model *m,
			   size_t size)
{
	json_object_set_new(d->populations, name,
			    json_pack("{sssIso}", "model", m->name, "size", (json_int_t)size,
				      "params", neuron_params(d, m, size)));
	record_population(d, name, m);
	if (strcmp(name, "drive") != 0 && chance(d, 2))
		change_population(d, name, m, size);
}

/* ---- projections ---- */

static json_t *connect(struct draft *d, const char *source, const char *target)
{
	static const char *const drawn[] = { "{\"rule\":\"all_to_all\"}",
					     "{\"rule\":\"fixed_indegree\",\"indegree\":3}",
					     "{\"rule\":\"pairwise_bernoulli\",\"p\":0.6}",
					     "{\"rule\":\"fixed_outdegree\",\"outdegree\":3}",
					     "{\"rule\":\"fixed_total_number\",\"N\":9}" };
	uint64_t which = check_below(d->r, COUNTOF(drawn) + 1);
	json_int_t n[2];
	json_t *pairs[2] = { json_array(), json_array() };
	const char *name[2] = { source, target };

	for (size_t k = 0; k < 2; k++)
		n[k] = json_integer_value(
			json_object_get(json_object_get(d->populations, name[k]), "size"));
	for (size_t i = 0; i < 12; i++) {
		for (size_t k = 0; k < 2; k++)
			json_array_append_new(pairs[k], json_integer((json_int_t)check_below(
								d->r, (uint64_t)n[k])));
	}
	if (which < COUNTOF(drawn)) {
		json_decref(pairs[0]);
		json_decref(pairs[1]);
		return json_loads(drawn[which], 0, NULL);
	}
	return json_pack("{sssoso}", "rule", "list", "sources", pairs[0], "targets", pairs[1]);
}

static json_t *delay(struct draft *d)
{
	double least = time_up_to(d, 3);

	if (chance(d, 2))
		return json_real(least);
	return json_pack("{s[ff]}", "uniform", least, least + time_up_to(d, 4));
}

/* Inside the rule's bounds with the default parameters. */
static json_t *weight(struct draft *d, const struct plasticity_model *m)
{
	double p[PLASTICITY_PARAMS_MAX], min = 0, max = PARAM_INF;

	for (size_t i = 0; i < m->n_params; i++)
		p[i] = m->params[i].def;
	if (m->bounds)
		m->bounds(p, &min, &max);
	max = max < 100 ? max : min + 10;
	(void)d;
	return json_pack("{s[ff]}", "uniform", min + 0.2 * (max - min), min + 0.8 * (max - min));
}

static json_t *rule_params(const struct plasticity_model *m)
{
	json_t *ret = json_object();

	for (size_t i = 0; i < m->n_params; i++) {
		const struct param_def *p = &m->params[i];

		if (p->flags & PARAM_REQUIRED)
			json_object_set_new(ret, p->name, json_real(p->min > 0 ? p->min : 1));
	}
	return ret;
}

static void options(struct draft *d, json_t *synapse, const struct plasticity_model *m)
{
	if (m->on_signal && chance(d, 2))
		json_object_set_new(
			synapse, "modulator",
			json_pack("{sssf}", "population", "drive", "delay_ms", time_up_to(d, 20)));
	if (!m->update)
		return;
	if (!m->own_tx && chance(d, 3))
		json_object_set_new(synapse, "stp", json_object());
	if (chance(d, 3))
		json_object_set_new(synapse, "scale",
				    json_pack("{sfsfsf}", "rate_hz", 20.0, "every_ms",
					      time_up_to(d, 40), "tau_ms", 50.0));
	if (chance(d, 3))
		json_object_set_new(synapse, "noise",
				    json_pack("{sfsf}", "sd", 0.05, "every_ms", time_up_to(d, 60)));
	if (chance(d, 3))
		json_object_set_new(synapse, "normalise",
				    json_pack("{sfsf}", "sum", 2.0, "every_ms", time_up_to(d, 80)));
	if (chance(d, 3))
		json_object_set_new(synapse, "modulation", json_real(check_uniform(d->r, 0.5, 2)));
}

static json_t *at(struct draft *d, const char *what, json_t *entry)
{
	return json_pack("{sfso}", "at_ms", time_up_to(d, d->duration), what, entry);
}

static void changes(struct draft *d, const char *name, const struct plasticity_model *m)
{
	json_t *s = d->schedule;

	if (!m->update)
		return;
	for (int on = 0; on < 2; on++)
		json_array_append_new(
			s, at(d, "plasticity", json_pack("{sssb}", "projection", name, "on", on)));
	json_array_append_new(s, at(d, "modulation",
				    json_pack("{sssf}", "projection", name, "factor",
					      check_uniform(d->r, 0.1, 3))));
	for (int i = 0; m->on_signal && i < 3; i++)
		json_array_append_new(s, at(d, "reward",
					    json_pack("{sssf}", "projection", name, "amount",
						      check_uniform(d->r, 0, 2))));
}

/* An amplitude, say. */
static void change_rule(struct draft *d, const char *name, const struct plasticity_model *m)
{
	for (size_t i = 0; i < m->n_params; i++) {
		const struct param_def *p = &m->params[i];

		if (!(p->flags & PARAM_GAIN) || (p->flags & PARAM_FIXED) || chance(d, 2))
			continue;
		json_array_append_new(d->schedule, json_pack("{sf s{ss s{sf}}}", "at_ms",
							     time_up_to(d, d->duration), "set",
							     "projection", name, "params", p->name,
							     p->def * check_uniform(d->r, 0.5, 1)));
	}
}

static void record_projection(struct draft *d, const char *name)
{
	json_array_append_new(
		d->weights, json_pack("{sssf}", "projection", name, "every_ms", time_up_to(d, 20)));
	json_array_append_new(d->weights,
			      json_pack("{ssss}", "projection", name, "every", "update"));
	json_array_append_new(d->weights, json_pack("{sssfsi}", "projection", name, "every_ms",
						    time_up_to(d, 30), "bins", 5));
}

static void add_projection(struct draft *d, const char *name, const char *source,
			   const char *target, const struct plasticity_model *m)
{
	json_t *synapse = json_pack("{sssososo}", "model", m->name, "weight", weight(d, m),
				    "delay_ms", delay(d), "params", rule_params(m));

	if (chance(d, 2))
		json_object_set_new(synapse, "axonal_delay_ms", json_real(time_up_to(d, 8)));
	options(d, synapse, m);
	json_object_set_new(d->projections, name,
			    json_pack("{sssssoso}", "source", source, "target", target, "connect",
				      connect(d, source, target), "synapse", synapse));
	changes(d, name, m);
	change_rule(d, name, m);
	if (m->update && chance(d, 2))
		record_projection(d, name);
}

/* ---- all of it ---- */

static bool has_needs(const struct neuron_model *m, const struct plasticity_model *rule)
{
	for (size_t i = 0; rule->needs && rule->needs[i]; i++) {
		bool found = false;

		for (size_t k = 0; k < m->n_states; k++)
			found |= !strcmp(m->states[k].name, rule->needs[i]);
		if (!found)
			return false;
	}
	return m->kind == NEURON_CELL;
}

static const struct neuron_model *target_for(struct draft *d, const struct plasticity_model *rule)
{
	const struct neuron_model *fit[64];
	size_t n = 0;

	for (size_t i = 0; neuron_models[i] && n < COUNTOF(fit); i++) {
		if (has_needs(neuron_models[i], rule))
			fit[n++] = neuron_models[i];
	}
	cr_assert_gt(n, 0, "no neuron has what %s needs", rule->name);
	/* Spikes one for one are good for rules. */
	return !rule->needs && chance(d, 2) ? &neuron_parrot_neuron : fit[check_below(d->r, n)];
}

/* Strong enough that most fire now and then, whatever the unit of their weights. */
static void drive(struct draft *d, const char *target, const struct neuron_model *m)
{
	char name[128];
	double w = m->input != NEURON_IN_SIGNED ? 40 : strstr(m->name, "cond") ? 200 : 800;

	if (m->kind != NEURON_CELL)
		return;
	name_of(name, sizeof(name), "drive_", target);
	json_object_set_new(d->projections, name,
			    json_pack("{sssss{ss}s{sfsf}}", "source", "drive", "target", target,
				      "connect", "rule", "all_to_all", "synapse", "weight", w,
				      "delay_ms", time_up_to(d, 2)));
}

static void all_neurons(struct draft *d)
{
	char name[128], to[128];

	for (size_t i = 0; neuron_models[i]; i++) {
		name_of(name, sizeof(name), "n_", neuron_models[i]->name);
		add_population(d, name, neuron_models[i], 2 + check_below(d->r, 6));
		drive(d, name, neuron_models[i]);
		if (neuron_models[i]->kind != NEURON_CURRENT)
			continue;
		name_of(to, sizeof(to), "n_", "iaf_psc_exp");
		json_object_set_new(d->projections, name,
				    json_pack("{sssss{ss}s{sfso}}", "source", name, "target", to,
					      "connect", "rule", "all_to_all", "synapse", "weight",
					      1.0, "delay_ms", delay(d)));
	}
}

static void all_rules(struct draft *d)
{
	for (size_t i = 0; plasticity_models[i]; i++) {
		const struct plasticity_model *m = plasticity_models[i];
		const struct neuron_model *cell = target_for(d, m);
		char name[128], source[128] = "drive", target[128];

		name_of(target, sizeof(target), "t_", m->name);
		add_population(d, target, cell, 2 + check_below(d->r, 6));
		drive(d, target, cell);
		name_of(name, sizeof(name), "rule_", m->name);
		if (i > 0 && chance(d, 2)) /* cells; no rings of parrots, which would never end */
			name_of(source, sizeof(source), "t_",
				plasticity_models[check_below(d->r, i)]->name);
		add_projection(d, name, source, target, m);
	}
}

json_t *random_spec(struct check_random *r)
{
	struct draft d = {
		.r = r,
		.dt = check_below(r, 3) ? 0.1 : 0.5,
		.populations = json_object(),
		.projections = json_object(),
		.schedule = json_array(),
		.spikes = json_array(),
		.states = json_array(),
		.weights = json_array(),
		.rates = json_array(),
	};
	json_int_t seed = (json_int_t)check_below(r, 1000000);

	/* Now and then over the grid on which histories are cut. */
	d.duration = d.dt > 0.2 ? 4200 : 150 + 10 * (double)check_below(r, 20);
	add_population(&d, "drive", &neuron_poisson_generator, 4 + check_below(r, 4));
	all_neurons(&d);
	all_rules(&d);
	return json_pack("{sf sf sI so so so s{so so so so sb} s{sf}}", "duration_ms", d.duration,
			 "resolution_ms", d.dt, "seed", seed, "populations", d.populations,
			 "projections", d.projections, "schedule", d.schedule, "record", "spikes",
			 d.spikes, "states", d.states, "weights", d.weights, "rates", d.rates,
			 "final_weights", 1, "limits", "max_rate_hz", 5000.0);
}
