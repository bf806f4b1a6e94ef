/* spec_json_projection.c - projections: source, target and the rule that connects them. */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_KEYS = 5 };

static void read_source(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	struct spec_json_projection_draft *d = out;
	int i = spec_json_read_population(r, json, at);

	d->known_source = i >= 0;
	d->p->source = i >= 0 ? (size_t)i : 0;
}

static void read_target(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	struct spec_json_projection_draft *d = out;
	int i = spec_json_read_population(r, json, at);

	d->known_target = i >= 0;
	d->p->target = i >= 0 ? (size_t)i : 0;
}

static const struct wiring_rule *read_rule(struct spec_json_reader *r, json_t *json,
					   const struct spec_json_at *at)
{
	struct spec_json_at here = spec_json_read_key(at, "rule");
	json_t *value = json_object_get(json, "rule");
	const struct wiring_rule *rule;
	const char *text;
	const char **names;
	size_t n = 0;

	if (!value) {
		spec_json_read_fail(r, &here, ERR_MISSING, "connect needs \"rule\", found nothing");
		return NULL;
	}
	text = spec_json_read_string(r, value, &here);
	rule = text ? wiring_find(text) : NULL;
	if (rule || !text)
		return rule;
	while (wiring_rules[n])
		n++;
	names = SPEC_JSON_NEW(r, const char *, n);
	if (!names)
		return NULL;
	for (size_t i = 0; i < n; i++)
		names[i] = wiring_rules[i]->name;
	spec_json_read_unknown(r, &here, "wiring rule", text, (struct spec_json_names){ names, n });
	return NULL;
}

static void check_keys(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       const struct wiring_rule *rule)
{
	const char *names[CONNECT_KEYS + WIRING_PARAMS_MAX] = { "rule", "autapses", "multapses" };
	size_t n = 3;
	const char *name;
	json_t *value;

	if (rule->takes_list) {
		names[n++] = "sources";
		names[n++] = "targets";
	}
	for (size_t i = 0; i < rule->n_params; i++)
		names[n++] = rule->params[i].name;
	json_object_foreach(json, name, value)
	{
		struct spec_json_at here = spec_json_read_key(at, name);
		size_t i = 0;

		while (i < n && strcmp(names[i], name) != 0)
			i++;
		if (i == n)
			spec_json_read_unknown(r, &here, "key of this rule", name,
					       (struct spec_json_names){ names, n });
	}
}

static void read_flag(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		      const char *name, bool *ret)
{
	struct spec_json_at here = spec_json_read_key(at, name);
	json_t *value = json_object_get(json, name);

	*ret = true;
	if (value)
		(void)spec_json_read_bool(r, value, &here, ret);
}

static void read_rule_params(struct spec_json_reader *r, json_t *json,
			     const struct spec_json_at *at, const struct wiring_rule *rule,
			     struct wiring_ctx *w)
{
	double *p = SPEC_JSON_NEW(r, double, rule->n_params);

	if (!p)
		return;
	w->p = p;
	for (size_t i = 0; i < rule->n_params; i++) {
		const struct param_def *def = &rule->params[i];
		struct spec_json_at here = spec_json_read_key(at, def->name);
		json_t *value = json_object_get(json, def->name);
		struct spec_value v = { .a = def->def };

		if (value)
			(void)spec_json_value(r, value, &here,
					      (struct spec_json_want){ .def = def, .scalar = true },
					      &v);
		else if (def->flags & PARAM_REQUIRED)
			spec_json_read_fail(r, &here, ERR_MISSING, "%s needs \"%s\", found nothing",
					    rule->name, def->name);
		p[i] = v.a;
	}
}

/* The rule `list`. */

struct entry {
	uint32_t source, target;
	uint64_t position;
};

static int by_target(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

/* The array at `name`, an empty one if it is absent; false after an error. */
static bool find_ids(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		     const char *name, json_t **ret)
{
	struct spec_json_at here = spec_json_read_key(at, name);

	*ret = json_object_get(json, name);
	if (!*ret) {
		spec_json_read_fail(r, &here, ERR_MISSING, "list needs \"%s\", found nothing",
				    name);
		return false;
	}
	if (!json_is_array(*ret)) {
		spec_json_read_type(r, &here, "an array of neurons", *ret);
		return false;
	}
	return true;
}

static bool read_id(struct spec_json_reader *r, json_t *array, const struct spec_json_at *at,
		    const char *name, size_t i, size_t size, uint32_t *ret)
{
	struct spec_json_at list = spec_json_read_key(at, name);
	struct spec_json_at here = spec_json_read_item(&list, i);
	double x;

	if (!spec_json_read_integer(r, json_array_get(array, i), &here, 0.0, (double)size - 1.0,
				    &x))
		return false;
	*ret = (uint32_t)x;
	return true;
}

static void store_list(struct spec_json_reader *r, struct spec_projection *p,
		       const struct entry *entries, size_t n)
{
	uint32_t *source = SPEC_JSON_NEW(r, uint32_t, n);
	uint32_t *target = SPEC_JSON_NEW(r, uint32_t, n);
	uint64_t *order = SPEC_JSON_NEW(r, uint64_t, n);

	if (!source || !target || !order)
		return;
	for (size_t i = 0; i < n; i++) {
		source[i] = entries[i].source;
		target[i] = entries[i].target;
		order[i] = entries[i].position;
	}
	p->wiring.list_source = source;
	p->wiring.list_target = target;
	p->wiring.n_list = n;
	p->list_order = order;
}

/* What the flags exclude must not stand in the list. */
static void check_list(struct spec_json_reader *r, const struct spec_json_at *at,
		       const struct wiring_ctx *w, const struct entry *e, size_t n)
{
	struct spec_json_at list = spec_json_read_key(at, "sources");

	for (size_t i = 0; i < n; i++) {
		struct spec_json_at here = spec_json_read_item(&list, (size_t)e[i].position);

		if (!w->autapses && w->same && e[i].source == e[i].target)
			spec_json_read_fail(
				r, &here, ERR_CONFLICT,
				"autapses is false, found neuron %u connected to itself",
				e[i].source);
		if (!w->multapses && i > 0 && e[i].source == e[i - 1].source &&
		    e[i].target == e[i - 1].target)
			spec_json_read_fail(r, &here, ERR_CONFLICT,
					    "multapses is false, found %u to %u a second time",
					    e[i].source, e[i].target);
	}
}

static void read_list(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		      struct spec_projection *p)
{
	json_t *sources, *targets;
	bool ok = find_ids(r, json, at, "sources", &sources);
	struct entry *entries;
	size_t n;

	ok = find_ids(r, json, at, "targets", &targets) && ok;
	if (!ok)
		return;
	n = json_array_size(sources);
	if (json_array_size(targets) != n) {
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "sources and targets must be equally long, found %zu and %zu",
				    n, json_array_size(targets));
		return;
	}
	entries = SPEC_JSON_NEW(r, struct entry, n);
	if (!entries)
		return;
	for (size_t i = 0; i < n; i++) {
		entries[i].position = i;
		ok = read_id(r, sources, at, "sources", i, p->wiring.n_source,
			     &entries[i].source) &&
		     ok;
		ok = read_id(r, targets, at, "targets", i, p->wiring.n_target,
			     &entries[i].target) &&
		     ok;
	}
	if (!ok)
		return;
	qsort(entries, n, sizeof(*entries), by_target);
	check_list(r, at, &p->wiring, entries, n);
	store_list(r, p, entries, n);
}

/* Connect. */

static bool set_sizes(const struct spec_json_reader *r, struct spec_json_projection_draft *d)
{
	struct wiring_ctx *w = &d->p->wiring;

	if (!d->known_source || !d->known_target)
		return false;
	w->n_source = r->populations[d->p->source].size;
	w->n_target = r->populations[d->p->target].size;
	w->same = d->p->source == d->p->target;
	return w->n_source > 0 && w->n_target > 0;
}

static void check_connect(struct spec_json_reader *r, const struct spec_json_at *at,
			  struct spec_json_projection_draft *d)
{
	const struct wiring_rule *rule = d->p->rule;
	struct err err = { 0 };

	if (rule->check && rule->check(&d->p->wiring, &err) != 0) {
		spec_json_read_err(r, at, &err);
		return;
	}
	/* A rule with a probability knows its synapses only when they are drawn. */
	if (param_find(rule->params, rule->n_params, "p") >= 0)
		d->s->count = -1.0;
	else
		d->s->count = rule->expect(&d->p->wiring);
}

static void read_connect(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			 void *out)
{
	struct spec_json_projection_draft *d = out;
	size_t before = err_list_count(r->errors);
	bool sized = set_sizes(r, d);

	if (!json_is_object(json)) {
		spec_json_read_type(r, at, "connect as an object", json);
		return;
	}
	d->p->rule = read_rule(r, json, at);
	if (!d->p->rule)
		return;
	check_keys(r, json, at, d->p->rule);
	read_flag(r, json, at, "autapses", &d->p->wiring.autapses);
	read_flag(r, json, at, "multapses", &d->p->wiring.multapses);
	read_rule_params(r, json, at, d->p->rule, &d->p->wiring);
	if (d->p->rule->takes_list && sized)
		read_list(r, json, at, d->p);
	if (sized && !r->nomem && err_list_count(r->errors) == before)
		check_connect(r, at, d);
}

static const struct spec_json_key keys[] = {
	{ "source", read_source, true },
	{ "target", read_target, true },
	{ "connect", read_connect, true },
	{ "synapse", spec_json_synapse_read, false },
};

/* Currents go to what takes them, unchanged; spikes only to what is no source of current. */
static void check_kinds(struct spec_json_reader *r, const struct spec_json_at *at,
			const struct spec_projection *p)
{
	const struct neuron_model *from = r->populations[p->source].model;
	const struct neuron_model *to = r->populations[p->target].model;
	struct spec_json_at source = spec_json_read_key(at, "source");
	struct spec_json_at target = spec_json_read_key(at, "target");

	if (!from || !to || !p->model)
		return;
	if (from->kind == NEURON_CURRENT && p->model->update)
		spec_json_read_fail(r, &source, ERR_CONFLICT,
				    "%s gives a current, so its synapses must be static, found %s",
				    from->name, p->model->name);
	else if (from->kind == NEURON_CURRENT && !to->takes_current)
		spec_json_read_fail(r, &target, ERR_CONFLICT,
				    "expected a model that takes a current, found %s", to->name);
	else if (from->kind != NEURON_CURRENT && to->kind == NEURON_CURRENT)
		spec_json_read_fail(r, &target, ERR_CONFLICT,
				    "expected a model that takes spikes, found %s", to->name);
	spec_json_option_needs(r, &target, p);
}

static void read_projection(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    size_t i)
{
	struct spec_json_projection_draft d = { .p = &r->projections[i], .s = &r->synapses[i] };
	struct spec_json_at synapse = spec_json_read_key(at, "synapse");

	d.s->count = (double)NAN;
	spec_json_read_object(r, json, at, "a projection", keys, COUNTOF(keys), &d);
	if (!json_is_object(json))
		return;
	if (!json_object_get(json, "synapse"))
		spec_json_synapse_missing(r, &synapse, &d);
	if (d.known_source && d.known_target)
		check_kinds(r, at, d.p);
}

void spec_json_projection_all(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at, void *out)
{
	size_t n = 0;

	(void)out;
	r->projection_names = spec_json_read_sorted(r, json, at, &n);
	r->projections = SPEC_JSON_NEW(r, struct spec_projection, n);
	r->synapses = SPEC_JSON_NEW(r, struct spec_json_synapse, n);
	if (!r->projection_names || !r->projections || !r->synapses)
		return;
	for (size_t i = 0; i < n; i++)
		r->projections[i].name = r->projection_names[i];
	r->spec->projections = r->projections;
	r->spec->n_projections = n;
	for (size_t i = 0; i < n && !r->nomem; i++) {
		struct spec_json_at here = spec_json_read_key(at, r->projection_names[i]);

		read_projection(r, json_object_get(json, r->projection_names[i]), &here, i);
	}
}
