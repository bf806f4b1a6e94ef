/* spec_json_population.c - populations: model, size, parameters, initial states. */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Neurons whose drawn parameters are checked one by one. */
#define CHECKED_MAX 1000000

struct draft {
	struct spec_population *p;
	struct spec_value *params, *init;
	json_t *times, *values; /* of a model with values in time; read when both are there */
};

static void read_model(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       void *out)
{
	struct draft *d = out;
	const char *text = spec_json_read_string(r, json, at);
	const char **names;
	size_t n = 0;

	if (!text)
		return;
	d->p->model = neuron_find(text);
	if (d->p->model)
		return;
	while (neuron_models[n])
		n++;
	names = SPEC_JSON_NEW(r, const char *, n);
	if (!names)
		return;
	for (size_t i = 0; i < n; i++)
		names[i] = neuron_models[i]->name;
	spec_json_read_unknown(r, at, "neuron model", text, (struct spec_json_names){ names, n });
}

static void read_size(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		      void *out)
{
	double most = r->limits ? r->limits->max_neurons : 0.0;
	struct draft *d = out;
	double size;

	d->p->size = 0;
	if (!spec_json_read_integer(r, json, at, 1.0, SPEC_JSON_SIZE_MAX, &size))
		return;
	if (most > 0.0 && size > most) {
		spec_json_read_fail(r, at, ERR_LIMIT,
				    "at most %.0f neurons are allowed here, found %.0f", most,
				    size);
		return;
	}
	d->p->size = (size_t)size;
}

/* Defaults of everything: once the model is known, before what the text says. */
static bool prepare(struct spec_json_reader *r, struct draft *d)
{
	const struct neuron_model *m = d->p->model;

	if (!m)
		return false;
	if (d->p->params)
		return true;
	d->params = SPEC_JSON_NEW(r, struct spec_value, m->n_params);
	d->init = SPEC_JSON_NEW(r, struct spec_value, m->n_states);
	if (!d->params || !d->init)
		return false;
	for (size_t i = 0; i < m->n_params; i++)
		d->params[i].a = m->params[i].def;
	for (size_t i = 0; i < m->n_states; i++)
		d->init[i].a = m->states[i].init;
	d->p->params = d->params;
	d->p->init = d->init;
	return true;
}

static const struct param_def *row_of(const struct neuron_model *m, enum param_type type)
{
	for (size_t i = 0; i < m->n_params; i++)
		if (m->params[i].type == type)
			return &m->params[i];
	return NULL;
}

static void read_param(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       struct draft *d, int i)
{
	const struct param_def *def = &d->p->model->params[i];
	struct spec_json_want want = { .def = def,
				       .n = (double)d->p->size,
				       .scalar = def->flags & PARAM_SINGLE };

	if (def->type == PARAM_VALUES)
		d->values = json;
	else if (def->type == PARAM_TIMES && row_of(d->p->model, PARAM_VALUES))
		d->times = json;
	else if (def->type == PARAM_TIMES)
		spec_json_times(r, json, at, d->p->size, &d->p->times);
	else
		(void)spec_json_value(r, json, at, want, &d->params[i]);
	d->params[i].set = true;
}

static void read_params(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	const char *names[NEURON_PARAMS_MAX];
	struct draft *d = out;
	const char *name;
	json_t *value;

	if (!json_is_object(json)) {
		spec_json_read_type(r, at, "an object of parameters", json);
		return;
	}
	if (!prepare(r, d) || !d->p->size)
		return;
	json_object_foreach(json, name, value)
	{
		struct spec_json_at here = spec_json_read_key(at, name);
		int i = param_find(d->p->model->params, d->p->model->n_params, name);

		if (i >= 0)
			read_param(r, value, &here, d, i);
		else
			spec_json_read_unknown(r, &here, "parameter of this model", name,
					       spec_json_value_names(d->p->model->params,
								     d->p->model->n_params, names));
	}
}

static int find_state(const struct neuron_model *m, const char *name)
{
	for (size_t i = 0; i < m->n_states; i++)
		if (!m->states[i].internal && !strcmp(m->states[i].name, name))
			return (int)i;
	return -1;
}

static struct spec_json_names state_names(const struct neuron_model *m, const char **names)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_states; i++)
		if (!m->states[i].internal)
			names[n++] = m->states[i].name;
	return (struct spec_json_names){ names, n };
}

static void read_init(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		      void *out)
{
	const char *names[NEURON_STATES_MAX];
	struct draft *d = out;
	const char *name;
	json_t *value;

	if (!json_is_object(json)) {
		spec_json_read_type(r, at, "an object of initial states", json);
		return;
	}
	if (!prepare(r, d) || !d->p->size)
		return;
	json_object_foreach(json, name, value)
	{
		struct spec_json_at here = spec_json_read_key(at, name);
		int i = find_state(d->p->model, name);
		struct param_def def = { .name = name,
					 .type = PARAM_NUMBER,
					 .min = -(double)INFINITY,
					 .max = (double)INFINITY };

		if (i >= 0)
			(void)spec_json_value(
				r, value, &here,
				(struct spec_json_want){ .def = &def, .n = (double)d->p->size },
				&d->init[i]);
		else
			spec_json_read_unknown(r, &here, "state of this model", name,
					       state_names(d->p->model, names));
	}
}

static void check_missing(struct spec_json_reader *r, const struct spec_json_at *at,
			  const struct draft *d)
{
	const struct neuron_model *m = d->p->model;

	for (size_t i = 0; i < m->n_params; i++) {
		struct spec_json_at here = spec_json_read_key(at, m->params[i].name);

		if ((m->params[i].flags & PARAM_REQUIRED) && !d->params[i].set)
			spec_json_read_fail(r, &here, ERR_MISSING, "%s needs \"%s\", found nothing",
					    m->name, m->params[i].name);
	}
}

static bool same_for_all(const struct spec_value *params, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (params[i].kind != SPEC_CONST)
			return false;
	return true;
}

/* Parameters of neuron k, as the network will draw them. */
static bool draw(struct spec_json_reader *r, const struct spec_population *p,
		 const struct spec_value *params, size_t k, double *out, struct err *err)
{
	for (size_t i = 0; i < p->model->n_params; i++) {
		const struct param_def *def = &p->model->params[i];
		struct rng_key key = { { 0, 0 } };

		if (params[i].kind == SPEC_CONST) {
			out[i] = params[i].a;
			continue;
		}
		if (params[i].kind != SPEC_ARRAY)
			key = spec_key(r->spec, RNG_PARAM, p->name, def->name);
		out[i] = spec_value_at(&params[i], key, k, def->min, def->max);
		if (param_check(def, out[i], def->name, err) != 0)
			return false;
	}
	return true;
}

void spec_json_population_check(struct spec_json_reader *r, const struct spec_population *p,
				const struct spec_value *params, const struct spec_json_at *at)
{
	bool same = same_for_all(params, p->model->n_params);
	size_t n = same ? 1 : p->size;
	double values[NEURON_PARAMS_MAX] = { 0.0 };
	char text[ERR_TEXT_MAX], path[ERR_PATH_MAX];

	for (size_t k = 0; k < n && k < CHECKED_MAX; k++) {
		struct err err = { 0 };

		if (draw(r, p, params, k, values, &err) &&
		    (!p->model->check || p->model->check(values, &err) == 0))
			continue;
		if (!same) {
			(void)snprintf(text, sizeof(text), "%s", err.text);
			(void)snprintf(path, sizeof(path), "%s", err.path);
			(void)err_set(&err, (enum err_code)err.code, path, "neuron %zu: %.250s", k,
				      text);
		}
		if (param_find(p->model->params, p->model->n_params, err.path) < 0)
			err.path[0] = '\0';
		spec_json_read_err(r, at, &err);
		return;
	}
}

static void read_series(struct spec_json_reader *r, const struct spec_json_at *params,
			struct draft *d)
{
	struct spec_json_series s = { .times_def = row_of(d->p->model, PARAM_TIMES),
				      .values_def = row_of(d->p->model, PARAM_VALUES),
				      .times = d->times,
				      .values = d->values,
				      .size = d->p->size };

	if (s.values_def && d->p->size)
		spec_json_series(r, params, &s, &d->p->times);
}

static const struct spec_json_key keys[] = {
	{ "model", read_model, true },
	{ "size", read_size, false },
	{ "params", read_params, false },
	{ "init", read_init, false },
};

static void read_population(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    struct spec_population *p)
{
	size_t before = err_list_count(r->errors);
	struct spec_json_at params = spec_json_read_key(at, "params");
	struct draft d = { .p = p };

	p->size = json_is_object(json) ? 1 : 0;
	spec_json_read_object(r, json, at, "a population", keys, COUNTOF(keys), &d);
	if (!p->model || !prepare(r, &d))
		return;
	read_series(r, &params, &d);
	check_missing(r, &params, &d);
	if (err_list_count(r->errors) == before)
		spec_json_population_check(r, p, d.params, &params);
}

void spec_json_population_all(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at, void *out)
{
	double most = r->limits ? r->limits->max_neurons : 0.0;
	size_t n = 0;
	uint64_t id = 0;

	(void)out;
	r->population_names = spec_json_read_sorted(r, json, at, &n);
	r->populations = SPEC_JSON_NEW(r, struct spec_population, n);
	if (!r->population_names || !r->populations)
		return;
	if (n == 0)
		spec_json_read_fail(r, at, ERR_MISSING,
				    "expected at least one population, found none");
	for (size_t i = 0; i < n; i++)
		r->populations[i].name = r->population_names[i];
	r->spec->populations = r->populations;
	r->spec->n_populations = n;
	for (size_t i = 0; i < n && !r->nomem; i++) {
		struct spec_json_at here = spec_json_read_key(at, r->population_names[i]);

		read_population(r, json_object_get(json, r->population_names[i]), &here,
				&r->populations[i]);
		r->populations[i].id0 = id;
		id += r->populations[i].size;
	}
	if (most > 0.0 && (double)id > most)
		spec_json_read_fail(r, at, ERR_LIMIT,
				    "at most %.0f neurons are allowed here, found %llu", most,
				    (unsigned long long)id);
}
