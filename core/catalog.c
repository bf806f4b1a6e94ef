/* catalog.c - the tables of models, rules and experiments as JSON. */
/* SPDX-License-Identifier: MIT */
#include "core/catalog.h"

#include <math.h>
#include <string.h>

#include "core/model/alias.h"
#include "core/model/experiment.h"
#include "core/model/neuron.h"
#include "core/model/plasticity.h"
#include "core/model/synapse_option.h"
#include "core/model/wiring.h"

/* Add a member; an object that lost one is given up for NULL at the end. */
static bool put(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) == 0;
}

static json_t *finished(json_t *object, bool ok)
{
	if (ok)
		return object;
	json_decref(object);
	return NULL;
}

/* JSON knows no infinity: no bound is null. */
static json_t *number(double x)
{
	if (!isfinite(x))
		return json_null();
	if (floor(x) == x && fabs(x) < 1e15)
		return json_integer((json_int_t)x);
	return json_real(x);
}

static json_t *default_value(const struct param_def *def)
{
	if (def->flags & PARAM_REQUIRED)
		return json_null();
	switch (def->type) {
	case PARAM_BOOL:
		return json_boolean(def->def != 0.0);
	case PARAM_ENUM:
		return json_string(def->choices[(size_t)def->def]);
	case PARAM_STRING:
		return json_string(def->choices && def->choices[0] ? def->choices[0] : "");
	case PARAM_LIST:
	case PARAM_TIMES:
	case PARAM_VALUES:
		return json_array();
	case PARAM_OBJECT:
		return json_object();
	case PARAM_NUMBER:
	case PARAM_INTEGER:
	case PARAM_TYPE_N:
		break;
	}
	return number(def->def);
}

static json_t *choices(const struct param_def *def)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && def->choices[i]; i++)
		ok = json_array_append_new(list, json_string(def->choices[i])) == 0;
	return finished(list, ok);
}

static json_t *param(const struct param_def *def)
{
	json_t *o = json_object();
	bool ok = put(o, "name", json_string(def->name));

	ok = put(o, "unit", json_string(unit_name(def->unit))) && ok;
	ok = put(o, "type", json_string(param_type_name(def->type))) && ok;
	ok = put(o, "default", default_value(def)) && ok;
	ok = put(o, "min", number(def->min)) && ok;
	ok = put(o, "max", number(def->max)) && ok;
	ok = put(o, "doc", json_string(def->doc)) && ok;
	ok = put(o, "open_min", json_boolean(def->flags & PARAM_OPEN_MIN)) && ok;
	ok = put(o, "open_max", json_boolean(def->flags & PARAM_OPEN_MAX)) && ok;
	ok = put(o, "fixed", json_boolean(def->flags & PARAM_FIXED)) && ok;
	ok = put(o, "required", json_boolean(def->flags & PARAM_REQUIRED)) && ok;
	ok = put(o, "hidden", json_boolean(def->flags & PARAM_HIDDEN)) && ok;
	if (def->choices)
		ok = put(o, "choices", choices(def)) && ok;
	return finished(o, ok);
}

static json_t *params(const struct param_def *defs, size_t n)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < n; i++)
		ok = json_array_append_new(list, param(&defs[i])) == 0;
	return finished(list, ok);
}

static json_t *head(const char *name, const char *doc, const char *cite)
{
	json_t *o = json_object();
	bool ok = put(o, "name", json_string(name));

	ok = put(o, "doc", json_string(doc)) && ok;
	ok = put(o, "cite", json_string(cite ? cite : "")) && ok;
	return finished(o, ok);
}

static json_t *state(const struct state_def *def)
{
	json_t *o = json_object();
	bool ok = put(o, "name", json_string(def->name));

	ok = put(o, "unit", json_string(unit_name(def->unit))) && ok;
	ok = put(o, "doc", json_string(def->doc ? def->doc : "")) && ok;
	ok = put(o, "default", number(def->init)) && ok;
	return finished(o, ok);
}

static json_t *states(const struct neuron_model *m)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < m->n_states; i++)
		if (!m->states[i].internal)
			ok = json_array_append_new(list, state(&m->states[i])) == 0;
	return finished(list, ok);
}

static const char *kind_name(enum neuron_kind kind)
{
	switch (kind) {
	case NEURON_CELL:
		return "cell";
	case NEURON_SPIKES:
		return "spike_generator";
	case NEURON_CURRENT:
		return "current_generator";
	}
	return "";
}

static json_t *neuron(size_t i)
{
	const struct neuron_model *m = neuron_models[i];
	json_t *o;
	bool ok;

	if (!m)
		return NULL;
	o = head(m->name, m->doc, m->cite);
	ok = put(o, "kind", json_string(kind_name(m->kind)));
	ok = put(o, "takes_spikes", json_boolean(m->input != NEURON_IN_NONE)) && ok;
	ok = put(o, "takes_current", json_boolean(m->takes_current)) && ok;
	ok = put(o, "params", params(m->params, m->n_params)) && ok;
	ok = put(o, "states", states(m)) && ok;
	return finished(o, ok);
}

static json_t *alias(const struct alias *a)
{
	json_t *o = head(a->name, a->doc, a->model->cite);
	bool ok = put(o, "alias_of", json_string(a->model->name));

	ok = put(o, "plastic", json_boolean(a->model->update != NULL)) && ok;
	ok = put(o, "window", json_boolean(a->model->window != NULL)) && ok;
	ok = put(o, "params", params(a->params, a->n_params)) && ok;
	return finished(o, ok);
}

/* A parameter's value as a spec would say it. */
static json_t *said(const struct param_def *def, double value)
{
	if (def->type == PARAM_BOOL)
		return json_boolean(value != 0.0);
	if (def->type == PARAM_ENUM)
		return json_string(def->choices[(size_t)value]);
	return number(value);
}

/* What a named set says otherwise than the defaults. */
static json_t *set_params(const struct plasticity_model *m, const double *p)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	for (size_t i = 0; i < m->n_params; i++)
		if (p[i] != m->params[i].def)
			ok = put(o, m->params[i].name, said(&m->params[i], p[i])) && ok;
	return finished(o, ok);
}

static json_t *sets(const struct plasticity_model *m)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < m->n_sets; i++)
		ok = json_array_append_new(list,
					   json_pack("{s:s, s:s, s:o}", "name", m->sets[i].name,
						     "doc", m->sets[i].doc, "params",
						     set_params(m, m->sets[i].p))) == 0;
	return finished(list, ok);
}

/* Rules first, then the other names for them. */
static json_t *plasticity(size_t i)
{
	const struct plasticity_model *m;
	json_t *o;
	bool ok;
	size_t n = 0;

	while (plasticity_models[n])
		n++;
	if (i >= n)
		return alias_list[i - n] ? alias(alias_list[i - n]) : NULL;
	m = plasticity_models[i];
	o = head(m->name, m->doc, m->cite);
	ok = put(o, "plastic", json_boolean(m->update != NULL));
	ok = put(o, "window", json_boolean(m->window != NULL)) && ok;
	ok = put(o, "modulator", json_boolean(m->on_signal != NULL)) && ok;
	ok = put(o, "params", params(m->params, m->n_params)) && ok;
	ok = put(o, "sets", sets(m)) && ok;
	return finished(o, ok);
}

static json_t *option(size_t i)
{
	const struct synapse_option *x = &synapse_options[i];
	json_t *o = head(x->name, x->doc, x->cite);

	return finished(o, put(o, "params", params(x->params, x->n_params)));
}

static json_t *wiring(size_t i)
{
	const struct wiring_rule *w = wiring_rules[i];
	json_t *o;
	bool ok;

	if (!w)
		return NULL;
	o = head(w->name, w->doc, w->cite);
	ok = put(o, "takes_list", json_boolean(w->takes_list));
	ok = put(o, "params", params(w->params, w->n_params)) && ok;
	return finished(o, ok);
}

static json_t *score(const struct experiment_score *s)
{
	if (!s->name)
		return json_null();
	return json_pack("{s:s, s:s, s:b, s:s}", "name", s->name, "unit", s->unit,
			 "higher_is_better", s->higher_is_better, "reference", s->reference);
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *curves(const struct experiment_plot *p)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < EXPERIMENT_CURVES_MAX && p->curve[i].y; i++) {
		const struct experiment_curve *c = &p->curve[i];

		ok = json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o}", "y", c->y,
							   "label", c->label ? c->label : c->y,
							   "points", c->points, "error",
							   text_or_null(c->error))) == 0;
	}
	return finished(list, ok);
}

static json_t *plots(const struct experiment *e)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < e->n_plots; i++) {
		const struct experiment_plot *p = &e->plots[i];

		ok = json_array_append_new(list,
					   json_pack("{s:s, s:s, s:s, s:s, s:o, s:b, s:o}", "table",
						     p->table, "title", p->title, "text", p->text,
						     "x", p->x, "by", text_or_null(p->by), "log_x",
						     p->log_x, "curves", curves(p))) == 0;
	}
	return finished(list, ok);
}

static json_t *experiment(size_t i)
{
	const struct experiment *e = experiments[i];
	json_t *o;
	bool ok;

	if (!e)
		return NULL;
	o = head(e->name, e->doc, e->cite);
	ok = put(o, "title", json_string(e->title));
	ok = put(o, "score", score(&e->score)) && ok;
	ok = put(o, "plots", plots(e)) && ok;
	ok = put(o, "params", params(e->params, e->n_params)) && ok;
	return finished(o, ok);
}

static size_t n_neurons(void)
{
	size_t n = 0;

	while (neuron_models[n])
		n++;
	return n;
}

static size_t n_plasticity(void)
{
	size_t n = 0, k = 0;

	while (plasticity_models[n])
		n++;
	while (alias_list[k])
		k++;
	return n + k;
}

static size_t n_options(void)
{
	return OPTION_N;
}

static size_t n_wiring(void)
{
	size_t n = 0;

	while (wiring_rules[n])
		n++;
	return n;
}

static size_t n_experiments(void)
{
	size_t n = 0;

	while (experiments[n])
		n++;
	return n;
}

static const struct kind {
	const char *name;
	json_t *(*row)(size_t i);
	size_t (*count)(void);
} kinds[] = {
	{ "neurons", neuron, n_neurons },
	{ "plasticity", plasticity, n_plasticity },
	{ "options", option, n_options },
	{ "wiring", wiring, n_wiring },
	{ "experiments", experiment, n_experiments },
};

static json_t *rows(const struct kind *kind)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0, n = kind->count(); ok && i < n; i++)
		ok = json_array_append_new(list, kind->row(i)) == 0;
	return finished(list, ok);
}

json_t *catalog_models(void)
{
	json_t *o = json_object();
	bool ok = o != NULL;

	for (size_t i = 0; i < COUNTOF(kinds); i++)
		ok = put(o, kinds[i].name, rows(&kinds[i])) && ok;
	return finished(o, ok);
}

json_t *catalog_model(const char *kind, const char *name)
{
	for (size_t k = 0; k < COUNTOF(kinds); k++) {
		if (strcmp(kinds[k].name, kind) != 0)
			continue;
		for (size_t i = 0, n = kinds[k].count(); i < n; i++) {
			json_t *row = kinds[k].row(i);
			const char *found = json_string_value(json_object_get(row, "name"));

			if (found && !strcmp(found, name))
				return row;
			json_decref(row);
		}
	}
	return NULL;
}
