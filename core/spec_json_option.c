/* spec_json_option.c - what stands beside the rule of a synapse: named sets, options, modulator. */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_read.h"

#include <string.h>

#define FACTOR_MAX 1e6

/* An object of parameters against its table; defaults for what is not given. */
static double *read_table(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  const struct param_def *defs, size_t n)
{
	const char *names[PLASTICITY_PARAMS_MAX], *name;
	double *ret = SPEC_JSON_NEW(r, double, n);
	json_t *value;

	if (!ret)
		return NULL;
	for (size_t i = 0; i < n; i++)
		ret[i] = defs[i].def;
	if (!json_is_object(json)) {
		spec_json_read_type(r, at, "an object of parameters", json);
		return ret;
	}
	json_object_foreach(json, name, value)
	{
		struct spec_json_at here = spec_json_read_key(at, name);
		int i = param_find(defs, n, name);
		struct spec_value v = { 0 };

		if (i < 0) {
			spec_json_read_unknown(r, &here, "parameter here", name,
					       spec_json_value_names(defs, n, names));
			continue;
		}
		if (spec_json_value(r, value, &here,
				    (struct spec_json_want){ .def = &defs[i], .scalar = true }, &v))
			ret[i] = v.a;
	}
	for (size_t i = 0; i < n; i++) {
		struct spec_json_at here = spec_json_read_key(at, defs[i].name);

		if ((defs[i].flags & PARAM_REQUIRED) && !json_object_get(json, defs[i].name))
			spec_json_read_fail(r, &here, ERR_MISSING, "\"%s\" is needed here",
					    defs[i].name);
	}
	return ret;
}

void spec_json_option_set(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  void *out)
{
	struct spec_json_projection_draft *d = out;
	const struct plasticity_model *m = d->p->model;
	const char *text = spec_json_read_string(r, json, at);
	const char **names;

	if (!text || !m)
		return;
	if (d->s->alias || m->n_sets == 0) {
		spec_json_read_fail(r, at, ERR_CONFLICT, "%s has no named sets of parameters",
				    d->s->alias ? d->s->alias->name : m->name);
		return;
	}
	names = SPEC_JSON_NEW(r, const char *, m->n_sets);
	for (size_t i = 0; names && i < m->n_sets; i++) {
		names[i] = m->sets[i].name;
		if (!strcmp(text, m->sets[i].name)) {
			memcpy(d->s->given, m->sets[i].p, m->n_params * sizeof(double));
			return;
		}
	}
	if (names)
		spec_json_read_unknown(r, at, "set of parameters", text,
				       (struct spec_json_names){ names, m->n_sets });
}

void spec_json_option_modulation(struct spec_json_reader *r, json_t *json,
				 const struct spec_json_at *at, void *out)
{
	double *factor = out, x;

	if (!spec_json_read_number(r, json, at, &x))
		return;
	if (x >= 0 && x <= FACTOR_MAX)
		*factor = x;
	else
		spec_json_read_fail(r, at, ERR_RANGE, "must lie in [0, %g], found %.12g",
				    FACTOR_MAX, x);
}

/* {"population", "delay_ms"} */

static void read_population(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	struct spec_json_projection_draft *d = out;
	int i = spec_json_read_population(r, json, at);

	if (i < 0)
		return;
	d->p->modulator = i;
	if (r->populations[i].model && r->populations[i].model->kind == NEURON_CURRENT)
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "expected a population that spikes, found %s",
				    r->populations[i].model->name);
}

static void read_delay(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       void *out)
{
	struct spec_json_projection_draft *d = out;

	(void)spec_json_read_steps(r, json, at, 1.0, SPEC_JSON_DELAY_MAX, &d->p->modulator_delay);
}

static const struct spec_json_key modulator_keys[] = {
	{ "population", read_population, false },
	{ "delay_ms", read_delay, false },
};

void spec_json_option_modulator(struct spec_json_reader *r, json_t *json,
				const struct spec_json_at *at, void *out)
{
	struct spec_json_projection_draft *d = out;

	spec_json_read_object(r, json, at, "a modulator", modulator_keys, COUNTOF(modulator_keys),
			      d);
	if (d->p->model && !d->p->model->on_signal)
		spec_json_read_fail(
			r, at, ERR_CONFLICT,
			"expected a rule that has a modulator, as stdp_dopamine, found %s",
			d->p->model->name);
}

void spec_json_option_stp(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  void *out)
{
	const struct plasticity_model *m = &plasticity_stp;
	struct spec_json_projection_draft *d = out;
	size_t before = err_list_count(r->errors);
	struct err err = { 0 };
	double *p = read_table(r, json, at, m->params, m->n_params);

	if (!p || !d->p->model || err_list_count(r->errors) != before)
		return;
	if (d->p->model->own_tx)
		spec_json_read_fail(
			r, at, ERR_CONFLICT,
			"%s is short-term plasticity by itself: its parameters stand in "
			"\"params\"",
			d->p->model->name);
	else if (m->check && m->check(p, &err) != 0)
		spec_json_read_err(r, at, &err);
	else
		d->p->stp = p;
}

static void read_option(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			struct spec_json_projection_draft *d, enum option_kind kind)
{
	const struct synapse_option *o = &synapse_options[kind];
	size_t before = err_list_count(r->errors);
	const double *p = read_table(r, json, at, o->params, o->n_params);
	struct spec_json_at every = spec_json_read_key(at, "every_ms");

	if (!p || !d->p->model || err_list_count(r->errors) != before)
		return;
	d->p->option[kind] = p;
	if (!d->p->model->update)
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "expected a plastic rule beside \"%s\", found %s", o->name,
				    d->p->model->name);
	else if (kind != OPTION_NORMALISE && p[OPTION_EVERY] <= 0)
		spec_json_read_fail(r, &every, ERR_RANGE, "must be more than 0 ms, found %.12g ms",
				    p[OPTION_EVERY]);
}

void spec_json_option_scale(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	read_option(r, json, at, out, OPTION_SCALE);
}

void spec_json_option_noise(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	read_option(r, json, at, out, OPTION_NOISE);
}

void spec_json_option_normalise(struct spec_json_reader *r, json_t *json,
				const struct spec_json_at *at, void *out)
{
	read_option(r, json, at, out, OPTION_NORMALISE);
}

/* What the rule wants of its target. */
void spec_json_option_needs(struct spec_json_reader *r, const struct spec_json_at *at,
			    const struct spec_projection *p)
{
	const struct neuron_model *target = r->populations[p->target].model;

	for (size_t i = 0; target && p->model->needs && p->model->needs[i]; i++) {
		bool found = false;

		for (size_t k = 0; k < target->n_states; k++)
			found |= !strcmp(target->states[k].name, p->model->needs[i]);
		if (!found)
			spec_json_read_fail(r, at, ERR_CONFLICT,
					    "%s needs a target with the state %s; %s has none",
					    p->model->name, p->model->needs[i], target->name);
	}
}
