/* spec_json_synapse.c - synapses of a projection: rule or alias, weight, delays, parameters. */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_read.h"

#include <math.h>
#include <string.h>

#include "core/base/fmath.h"

/* Bounds of drawn delays, in standard deviations: a ring must have an end. */
#define DELAY_SPREAD	 5.0
#define DELAY_DEFAULT_MS 1.0

static void unknown_model(struct spec_json_reader *r, const struct spec_json_at *at,
			  const char *text)
{
	const char **names;
	size_t n = 0, n_models;

	while (plasticity_models[n])
		n++;
	n_models = n;
	while (alias_list[n - n_models])
		n++;
	names = SPEC_JSON_NEW(r, const char *, n);
	if (!names)
		return;
	for (size_t i = 0; i < n; i++)
		names[i] =
			i < n_models ? plasticity_models[i]->name : alias_list[i - n_models]->name;
	spec_json_read_unknown(r, at, "synapse model", text, (struct spec_json_names){ names, n });
}

/* Defaults of the rule, or of the alias in its own names. */
static bool use_model(struct spec_json_reader *r, struct spec_json_projection_draft *d,
		      const char *name)
{
	const struct alias *alias = alias_find(name);
	const struct plasticity_model *model = alias ? alias->model : plasticity_find(name);
	const struct param_def *defs;
	size_t n;

	if (!model)
		return false;
	defs = alias ? alias->params : model->params;
	n = alias ? alias->n_params : model->n_params;
	d->s->alias = alias;
	d->s->given = SPEC_JSON_NEW(r, double, n);
	d->s->params = SPEC_JSON_NEW(r, double, model->n_params);
	if (!d->s->given || !d->s->params)
		return true;
	for (size_t i = 0; i < n; i++)
		d->s->given[i] = defs[i].def;
	d->p->model = model;
	d->p->params = d->s->params;
	return true;
}

static void read_model(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       void *out)
{
	const char *text = spec_json_read_string(r, json, at);

	if (text && !use_model(r, out, text))
		unknown_model(r, at, text);
}

static void read_weight(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	static const struct param_def def = { .name = "weight",
					      .unit = UNIT_WEIGHT,
					      .min = -(double)INFINITY,
					      .max = (double)INFINITY };
	struct spec_json_projection_draft *d = out;
	struct spec_json_want want = { .def = &def, .n = d->s->count };

	(void)spec_json_value(r, json, at, want, &d->p->weight);
}

static void read_delay(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       void *out)
{
	struct spec_json_projection_draft *d = out;
	double dt = r->spec->dt;
	struct param_def def = {
		.name = "delay_ms", .unit = UNIT_MS, .min = 0.0, .max = (double)INFINITY
	};
	struct spec_json_want want = { .def = &def, .n = d->s->count };

	if (dt > 0.0)
		def.max = SPEC_JSON_DELAY_MAX * dt;
	(void)spec_json_value(r, json, at, want, &d->p->delay);
}

static void read_axonal(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	struct spec_json_projection_draft *d = out;

	(void)spec_json_read_steps(r, json, at, 0.0, SPEC_JSON_DELAY_MAX, &d->p->axonal);
}

/* Parameters. */

/* Tables of decays are made once: time constants of rules stand still, said so or not. */
static bool is_fixed(const struct param_def *def)
{
	return (def->flags & PARAM_FIXED) || (def->unit == UNIT_MS && (def->flags & PARAM_OFFGRID));
}

static void read_param(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       const struct param_def *def, double *ret, bool scheduled)
{
	struct spec_value v = { .a = *ret };

	if (scheduled && is_fixed(def)) {
		spec_json_read_fail(r, at, ERR_CONFLICT, "%s is fixed while a simulation runs",
				    def->name);
		return;
	}
	(void)spec_json_value(r, json, at, (struct spec_json_want){ .def = def, .scalar = true },
			      &v);
	*ret = v.a;
}

void spec_json_synapse_params(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at, const struct plasticity_model *model,
			      struct spec_json_synapse *s, bool scheduled)
{
	const struct param_def *defs = s->alias ? s->alias->params : model->params;
	size_t n = s->alias ? s->alias->n_params : model->n_params;
	const char *names[PLASTICITY_PARAMS_MAX];
	const char *name;
	json_t *value;

	if (!json_is_object(json)) {
		spec_json_read_type(r, at, "an object of parameters", json);
		return;
	}
	json_object_foreach(json, name, value)
	{
		struct spec_json_at here = spec_json_read_key(at, name);
		int i = param_find(defs, n, name);

		if (i >= 0)
			read_param(r, value, &here, &defs[i], &s->given[i], scheduled);
		else
			spec_json_read_unknown(r, &here, "parameter of this rule", name,
					       spec_json_value_names(defs, n, names));
	}
}

static void read_params(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	struct spec_json_projection_draft *d = out;

	if (d->p->model)
		spec_json_synapse_params(r, json, at, d->p->model, d->s, false);
}

/* Aliases become ours; from here on nothing knows of them. */
static void convert(struct spec_json_projection_draft *d)
{
	if (d->s->alias)
		d->s->alias->convert(d->s->given, d->s->params);
	else
		memcpy(d->s->params, d->s->given, d->p->model->n_params * sizeof(double));
}

static void check_missing(struct spec_json_reader *r, json_t *params, const struct spec_json_at *at,
			  const struct spec_json_projection_draft *d)
{
	const struct param_def *defs = d->s->alias ? d->s->alias->params : d->p->model->params;
	size_t n = d->s->alias ? d->s->alias->n_params : d->p->model->n_params;

	for (size_t i = 0; i < n; i++) {
		struct spec_json_at here = spec_json_read_key(at, defs[i].name);

		if ((defs[i].flags & PARAM_REQUIRED) && !json_object_get(params, defs[i].name))
			spec_json_read_fail(r, &here, ERR_MISSING,
					    "the rule needs \"%s\", found nothing", defs[i].name);
	}
}

static void check_params(struct spec_json_reader *r, const struct spec_json_at *at,
			 const struct spec_json_projection_draft *d)
{
	const struct plasticity_model *m = d->p->model;
	const struct param_def *defs = d->s->alias ? d->s->alias->params : m->params;
	size_t n = d->s->alias ? d->s->alias->n_params : m->n_params;
	struct err err = { 0 };

	if (!m->check || m->check(d->s->params, &err) == 0)
		return;
	if (param_find(defs, n, err.path) < 0)
		err.path[0] = '\0';
	spec_json_read_err(r, at, &err);
}

/* Weights. */

/* Smallest and largest weight; those of a normal distribution by its mean, the rest is clipped.
 */
static void weight_range(const struct spec_value *v, double *ret_min, double *ret_max)
{
	*ret_min = v->a;
	*ret_max = v->a;
	switch (v->kind) {
	case SPEC_CONST:
	case SPEC_NORMAL:
		break;
	case SPEC_UNIFORM:
		*ret_max = v->b;
		break;
	case SPEC_LOGNORMAL:
		*ret_min = *ret_max = fmath_exp(v->a);
		break;
	case SPEC_ARRAY:
		*ret_min = (double)INFINITY;
		*ret_max = -(double)INFINITY;
		for (size_t i = 0; i < v->n; i++) {
			*ret_min = v->array[i] < *ret_min ? v->array[i] : *ret_min;
			*ret_max = v->array[i] > *ret_max ? v->array[i] : *ret_max;
		}
		break;
	}
}

static void check_weights(struct spec_json_reader *r, const struct spec_json_at *at,
			  struct spec_json_projection_draft *d)
{
	const struct plasticity_model *m = d->p->model;
	double lo = 0.0, hi = (double)INFINITY, min, max;

	weight_range(&d->p->weight, &min, &max);
	d->s->negative = max <= 0.0 && min < 0.0;
	if (!m->update)
		return;
	if (min < 0.0 && max > 0.0) {
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "weights of a plastic projection must all have one sign, "
				    "found %.12g and %.12g",
				    min, max);
		return;
	}
	if (d->s->negative) {
		double swap = -min;

		min = -max;
		max = swap;
	}
	if (m->bounds)
		m->bounds(d->s->params, &lo, &hi);
	if (min <= max && (min < lo || max > hi))
		spec_json_read_fail(
			r, at, ERR_RANGE,
			"the magnitude must lie in [%.12g, %.12g], the bounds of %s, found %.12g",
			lo, hi, m->name, min < lo ? min : max);
}

/* Delays. */

static void delay_range(const struct spec_value *v, double *ret_min, double *ret_max)
{
	double spread = DELAY_SPREAD * v->b;

	weight_range(v, ret_min, ret_max);
	if (v->kind == SPEC_NORMAL) {
		*ret_min = v->a - spread;
		*ret_max = v->a + spread;
	} else if (v->kind == SPEC_LOGNORMAL) {
		*ret_min = fmath_exp(v->a - spread);
		*ret_max = fmath_exp(v->a + spread);
	}
}

static double clip(double x, double min, double max)
{
	return x < min ? min : x > max ? max : x;
}

static void check_delay(struct spec_json_reader *r, const struct spec_json_at *at,
			struct spec_projection *p)
{
	double dt = r->spec->dt, min, max;
	int64_t steps;

	if (!(dt > 0.0))
		return;
	if (!p->delay.set && !spec_json_read_grid(r, p->delay.a, at, &steps))
		return;
	delay_range(&p->delay, &min, &max);
	if (min > max) /* an empty array */
		min = max = dt;
	min = floor(min / dt + 0.5);
	max = floor(max / dt + 0.5);
	if (min < 1.0 && (p->delay.kind == SPEC_CONST || p->delay.kind == SPEC_ARRAY)) {
		spec_json_read_fail(r, at, ERR_RANGE,
				    "must be at least one step, %.12g ms, found %.12g ms", dt,
				    min * dt);
		return;
	}
	p->delay_min = (int64_t)clip(min, 1.0, SPEC_JSON_DELAY_MAX);
	p->delay_max = (int64_t)clip(max, 1.0, SPEC_JSON_DELAY_MAX);
}

static void read_modulation(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	struct spec_json_projection_draft *d = out;

	spec_json_option_modulation(r, json, at, &d->p->modulation);
}

static const struct spec_json_key keys[] = {
	{ "model", read_model, false },
	{ "set", spec_json_option_set, false },
	{ "weight", read_weight, false },
	{ "delay_ms", read_delay, false },
	{ "axonal_delay_ms", read_axonal, false },
	{ "params", read_params, false },
	{ "modulation", read_modulation, false },
	{ "modulator", spec_json_option_modulator, false },
	{ "stp", spec_json_option_stp, false },
	{ "scale", spec_json_option_scale, false },
	{ "noise", spec_json_option_noise, false },
	{ "normalise", spec_json_option_normalise, false },
};

static void set_defaults(struct spec_json_reader *r, json_t *model,
			 struct spec_json_projection_draft *d)
{
	if (!model)
		(void)use_model(r, d, "static");
	d->p->weight = (struct spec_value){ .a = 1.0 };
	d->p->delay = (struct spec_value){ .a = DELAY_DEFAULT_MS };
	d->p->delay_min = d->p->delay_max = 1;
	d->p->modulation = 1.0;
	d->p->modulator = -1;
	d->p->modulator_delay =
		r->spec->dt > 0.0 ? (int64_t)(DELAY_DEFAULT_MS / r->spec->dt + 0.5) : 1;
	if (d->p->modulator_delay < 1)
		d->p->modulator_delay = 1;
}

/* A static weight with short-term plasticity beside it is the rule of that. */
static void use_stp(struct spec_json_reader *r, struct spec_json_projection_draft *d)
{
	const double *p = d->p->stp;

	if (!p || d->p->model->update || !use_model(r, d, plasticity_stp.name) || r->nomem)
		return;
	memcpy(d->s->given, p, plasticity_stp.n_params * sizeof(*p));
	d->p->stp = NULL;
}

static void finish(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		   struct spec_json_projection_draft *d, size_t before)
{
	struct spec_json_at params = spec_json_read_key(at, "params");
	struct spec_json_at weight = spec_json_read_key(at, "weight");
	struct spec_json_at delay = spec_json_read_key(at, "delay_ms");

	if (!d->p->model || r->nomem)
		return;
	use_stp(r, d);
	if (r->nomem)
		return;
	d->p->keep_final = d->p->model->update != NULL;
	convert(d);
	check_missing(r, json_object_get(json, "params"), &params, d);
	if (err_list_count(r->errors) != before)
		return;
	check_params(r, &params, d);
	if (err_list_count(r->errors) == before)
		check_weights(r, &weight, d);
	check_delay(r, &delay, d->p);
}

void spec_json_synapse_read(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	struct spec_json_projection_draft *d = out;
	size_t before = err_list_count(r->errors);

	set_defaults(r, json_object_get(json, "model"), d);
	spec_json_read_object(r, json, at, "a synapse", keys, COUNTOF(keys), d);
	finish(r, json, at, d, before);
}

void spec_json_synapse_missing(struct spec_json_reader *r, const struct spec_json_at *at,
			       struct spec_json_projection_draft *d)
{
	set_defaults(r, NULL, d);
	finish(r, NULL, at, d, err_list_count(r->errors));
}
