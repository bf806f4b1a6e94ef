/* spec_json_schedule.c - what changes while a simulation runs: parameters, plasticity on and off,
 * rewards, spikes from outside. */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_read.h"

#include <stdlib.h>
#include <string.h>

#define SPIKES_MAX 1000000.0 /* of one neuron in one step */
#define WEIGHT_MAX 1e9

/* What the members of an entry add to. */
struct draft {
	struct spec_json_schedule *to;
	int64_t at;
	/* one `set` */
	int population, projection;
};

static void add(struct spec_json_reader *r, struct draft *d, struct spec_change change)
{
	struct spec_json_schedule *s = d->to;

	change.at = d->at;
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 16;
		struct spec_change *grown = SPEC_JSON_NEW(r, struct spec_change, cap);

		if (!grown)
			return;
		if (s->n)
			memcpy(grown, s->changes, s->n * sizeof(*grown));
		s->changes = grown;
		s->cap = cap;
	}
	s->changes[s->n++] = change;
}

/* Populations. */

static struct spec_value *current_params(struct spec_json_reader *r, struct draft *d,
					 size_t population)
{
	const struct spec_population *p = &r->populations[population];
	size_t n = p->model->n_params;
	struct spec_value **mine = &d->to->params[population];
	const struct spec_value *from = p->params;

	if (*mine || !from)
		return *mine;
	if (d->to->before && d->to->before[population])
		from = d->to->before[population];
	*mine = SPEC_JSON_NEW(r, struct spec_value, n);
	if (*mine)
		memcpy(*mine, from, n * sizeof(**mine));
	return *mine;
}

static void set_population_param(struct spec_json_reader *r, json_t *json,
				 const struct spec_json_at *at, struct draft *d, int i,
				 struct spec_value *params)
{
	size_t population = (size_t)d->population;
	const struct spec_population *p = &r->populations[population];
	const struct param_def *def = &p->model->params[i];
	struct spec_json_want want = { .def = def,
				       .n = (double)p->size,
				       .scalar = def->flags & PARAM_SINGLE };

	if ((def->flags & PARAM_FIXED) || def->type == PARAM_TIMES || def->type == PARAM_VALUES) {
		spec_json_read_fail(r, at, ERR_CONFLICT, "%s is fixed while a simulation runs",
				    def->name);
		return;
	}
	if (!p->size || !spec_json_value(r, json, at, want, &params[i]))
		return;
	add(r, d,
	    (struct spec_change){ .kind = SPEC_SET_POPULATION,
				  .subject = population,
				  .param = i,
				  .value = params[i] });
}

static void set_population(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			   struct draft *d)
{
	const struct spec_population *p = &r->populations[d->population];
	size_t before = err_list_count(r->errors);
	const char *names[NEURON_PARAMS_MAX];
	struct spec_value *params;
	const char *name;
	json_t *value;

	params = p->model ? current_params(r, d, (size_t)d->population) : NULL;
	if (!params)
		return;
	json_object_foreach(json, name, value)
	{
		struct spec_json_at here = spec_json_read_key(at, name);
		int i = param_find(p->model->params, p->model->n_params, name);

		if (i >= 0)
			set_population_param(r, value, &here, d, i, params);
		else
			spec_json_read_unknown(
				r, &here, "parameter of this model", name,
				spec_json_value_names(p->model->params, p->model->n_params, names));
	}
	if (err_list_count(r->errors) == before && p->size && !r->nomem)
		spec_json_population_check(r, p, params, at);
}

/* Projections. */

/* What a change of alias parameters means for ours: each of ours that it moves. */
static void add_moved(struct spec_json_reader *r, const struct spec_json_at *at, struct draft *d,
		      const double *before)
{
	const struct spec_projection *p = &r->projections[d->projection];
	const struct spec_json_synapse *s = &r->synapses[d->projection];

	for (size_t i = 0; i < p->model->n_params; i++) {
		struct spec_change c = { .kind = SPEC_SET_PROJECTION,
					 .subject = (size_t)d->projection,
					 .param = (int)i };

		if (s->params[i] == before[i])
			continue;
		if (p->model->params[i].flags & PARAM_FIXED) {
			spec_json_read_fail(r, at, ERR_CONFLICT,
					    "%s is fixed while a simulation runs",
					    p->model->params[i].name);
			continue;
		}
		c.value = (struct spec_value){ .kind = SPEC_CONST, .a = s->params[i], .set = true };
		add(r, d, c);
	}
}

/* The spec keeps the parameters it starts with; changes go to a copy. */
static bool own_params(struct spec_json_reader *r, const struct spec_projection *p,
		       struct spec_json_synapse *s)
{
	double *copy;

	if (!p->model || !s->given || !s->params)
		return false;
	if (s->params != p->params)
		return true;
	copy = SPEC_JSON_NEW(r, double, p->model->n_params);
	if (!copy)
		return false;
	memcpy(copy, s->params, p->model->n_params * sizeof(double));
	s->params = copy;
	return true;
}

static void set_projection(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			   struct draft *d)
{
	const struct spec_projection *p = &r->projections[d->projection];
	struct spec_json_synapse *s = &r->synapses[d->projection];
	size_t count = err_list_count(r->errors);
	double before[PLASTICITY_PARAMS_MAX];
	struct err err = { 0 };

	if (!own_params(r, p, s))
		return;
	spec_json_synapse_params(r, json, at, p->model, s, true);
	if (err_list_count(r->errors) != count || r->nomem)
		return;
	memcpy(before, s->params, p->model->n_params * sizeof(double));
	if (s->alias)
		s->alias->convert(s->given, s->params);
	else
		memcpy(s->params, s->given, p->model->n_params * sizeof(double));
	if (p->model->check && p->model->check(s->params, &err) != 0) {
		err.path[0] = '\0';
		spec_json_read_err(r, at, &err);
	} else {
		add_moved(r, at, d, before);
	}
}

/* {"set": ...} */

static void read_population(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	((struct draft *)out)->population = spec_json_read_population(r, json, at);
}

static void read_projection(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	struct draft *d = out;

	d->projection = spec_json_read_projection(r, json, at);
	if (d->population >= 0)
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "expected a population or a projection, found both");
}

static void read_params(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	struct draft *d = out;

	if (!json_is_object(json))
		spec_json_read_type(r, at, "an object of parameters", json);
	else if (d->population >= 0)
		set_population(r, json, at, d);
	else if (d->projection >= 0)
		set_projection(r, json, at, d);
}

static const struct spec_json_key set_keys[] = {
	{ "population", read_population, false },
	{ "projection", read_projection, false },
	{ "params", read_params, true },
};

static void read_set(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		     void *out)
{
	struct draft *d = out;

	d->population = -1;
	d->projection = -1;
	spec_json_read_object(r, json, at, "set", set_keys, COUNTOF(set_keys), d);
	if (json_is_object(json) && !json_object_get(json, "population") &&
	    !json_object_get(json, "projection"))
		spec_json_read_fail(r, at, ERR_MISSING,
				    "set needs \"population\" or \"projection\", found neither");
}

/* {"plasticity": ...} */

static void read_plastic(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			 void *out)
{
	struct spec_change *c = out;
	int i = spec_json_read_projection(r, json, at);

	if (i < 0)
		return;
	c->subject = (size_t)i;
	if (r->projections[i].model && !r->projections[i].model->update)
		spec_json_read_fail(r, at, ERR_CONFLICT, "expected a plastic projection, found %s",
				    r->projections[i].model->name);
}

static void read_on(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		    void *out)
{
	(void)spec_json_read_bool(r, json, at, &((struct spec_change *)out)->on);
}

static const struct spec_json_key plasticity_keys[] = {
	{ "projection", read_plastic, false },
	{ "on", read_on, true },
};

static void read_plasticity(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	struct spec_change c = { .kind = SPEC_PLASTICITY };

	spec_json_read_object(r, json, at, "plasticity", plasticity_keys, COUNTOF(plasticity_keys),
			      &c);
	if (json_object_get(json, "projection")) {
		add(r, out, c);
		return;
	}
	for (size_t i = 0; i < r->spec->n_projections; i++) {
		c.subject = i;
		if (r->projections[i].model && r->projections[i].model->update)
			add(r, out, c);
	}
}

/* {"modulation": ...}, {"reward": ...}, {"normalise": ...} */

static void read_factor(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	spec_json_option_modulation(r, json, at, &((struct spec_change *)out)->value.a);
}

static const struct spec_json_key modulation_keys[] = {
	{ "projection", read_plastic, true },
	{ "factor", read_factor, true },
};

static void read_modulation(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	struct spec_change c = { .kind = SPEC_MODULATION };

	spec_json_read_object(r, json, at, "modulation", modulation_keys, COUNTOF(modulation_keys),
			      &c);
	add(r, out, c);
}

static void read_rewarded(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  void *out)
{
	struct spec_change *c = out;
	int i = spec_json_read_projection(r, json, at);
	const struct plasticity_model *m = i < 0 ? NULL : r->projections[i].model;

	c->subject = i < 0 ? 0 : (size_t)i;
	if (m && !m->on_signal)
		spec_json_read_fail(
			r, at, ERR_CONFLICT,
			"expected a rule that has a modulator, as stdp_dopamine, found %s",
			m->name);
}

static void read_amount(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	(void)spec_json_read_number(r, json, at, &((struct spec_change *)out)->value.a);
}

static const struct spec_json_key reward_keys[] = {
	{ "projection", read_rewarded, true },
	{ "amount", read_amount, true },
};

static void read_reward(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	struct spec_change c = { .kind = SPEC_REWARD };

	spec_json_read_object(r, json, at, "reward", reward_keys, COUNTOF(reward_keys), &c);
	add(r, out, c);
}

static void read_normalised(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	struct spec_change *c = out;
	int i = spec_json_read_projection(r, json, at);

	c->subject = i < 0 ? 0 : (size_t)i;
	if (i >= 0 && r->projections[i].model && !r->projections[i].option[OPTION_NORMALISE])
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "expected a projection with the option \"normalise\"");
}

static const struct spec_json_key normalise_keys[] = {
	{ "projection", read_normalised, true },
};

static void read_normalise(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			   void *out)
{
	struct spec_change c = { .kind = SPEC_NORMALISE };

	spec_json_read_object(r, json, at, "normalise", normalise_keys, COUNTOF(normalise_keys),
			      &c);
	add(r, out, c);
}

/* {"spikes": ...} */

struct spikes {
	struct spec_change c;
	const struct spec_population *p; /* NULL: not known */
};

static void read_receiver(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  void *out)
{
	struct spikes *d = out;
	int i = spec_json_read_population(r, json, at);

	if (i < 0 || !r->populations[i].model)
		return;
	d->c.subject = (size_t)i;
	d->p = &r->populations[i];
	if (d->p->model->kind == NEURON_CURRENT)
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "expected cells or a generator of spikes, found %s",
				    d->p->model->name);
	else if (d->p->model->kind == NEURON_CELL && d->p->model->input == NEURON_IN_NONE)
		spec_json_read_fail(r, at, ERR_CONFLICT, "%s takes no spikes", d->p->model->name);
}

static void read_receivers(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			   void *out)
{
	struct spikes *d = out;
	size_t n = json_array_size(json);
	uint32_t *neurons = SPEC_JSON_NEW(r, uint32_t, n);

	if (!json_is_array(json)) {
		spec_json_read_type(r, at, "an array of neurons", json);
		return;
	}
	for (size_t i = 0; neurons && d->p && i < n; i++) {
		struct spec_json_at here = spec_json_read_item(at, i);
		double x;

		if (!spec_json_read_integer(r, json_array_get(json, i), &here, 0.0,
					    (double)d->p->size - 1.0, &x))
			return;
		neurons[i] = (uint32_t)x;
	}
	d->c.neurons = neurons;
	d->c.n_neurons = n;
}

static void read_count(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       void *out)
{
	double x;

	if (spec_json_read_integer(r, json, at, 1.0, SPIKES_MAX, &x))
		((struct spikes *)out)->c.count = (uint32_t)x;
}

static void read_strength(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  void *out)
{
	struct spikes *d = out;
	bool weighs =
		d->p && d->p->model->kind == NEURON_CELL && d->p->model->input != NEURON_IN_COUNT;
	double x = 0.0;

	if (!spec_json_read_number(r, json, at, &x))
		return;
	if (d->p && !weighs)
		spec_json_read_fail(r, at, ERR_CONFLICT, "spikes of %s have no weight",
				    d->p->model->name);
	else if (!(x >= -WEIGHT_MAX && x <= WEIGHT_MAX))
		spec_json_read_fail(r, at, ERR_RANGE, "must lie in [%g, %g], found %.12g",
				    -WEIGHT_MAX, WEIGHT_MAX, x);
	d->c.value.a = x;
}

static const struct spec_json_key spikes_keys[] = {
	{ "population", read_receiver, true },
	{ "neurons", read_receivers, false },
	{ "count", read_count, false },
	{ "weight", read_strength, false },
};

static void read_spikes(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	struct spikes d = { .c = { .kind = SPEC_SPIKES, .count = 1 } };
	struct spec_json_at weight = spec_json_read_key(at, "weight");

	spec_json_read_object(r, json, at, "spikes", spikes_keys, COUNTOF(spikes_keys), &d);
	if (d.p && d.p->model->kind == NEURON_CELL && d.p->model->input != NEURON_IN_COUNT &&
	    !json_object_get(json, "weight"))
		spec_json_read_fail(r, &weight, ERR_MISSING,
				    "spikes into cells need \"weight\", found nothing");
	add(r, out, d.c);
}

/* Entries. */

static void read_nothing(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			 void *out)
{
	(void)r; /* the time was read when the entries were put in order */
	(void)json;
	(void)at;
	(void)out;
}

static const struct spec_json_key entry_keys[] = {
	{ "at_ms", read_nothing, true },	  { "set", read_set, false },
	{ "plasticity", read_plasticity, false }, { "modulation", read_modulation, false },
	{ "reward", read_reward, false },	  { "normalise", read_normalise, false },
	{ "spikes", read_spikes, false },
};

static void read_entry(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       struct draft *d)
{
	size_t given = 0;

	for (size_t i = 1; i < COUNTOF(entry_keys); i++)
		given += json_object_get(json, entry_keys[i].name) != NULL;
	spec_json_read_object(r, json, at, "an entry of the schedule", entry_keys,
			      COUNTOF(entry_keys), d);
	if (json_is_object(json) && given != 1)
		spec_json_read_fail(r, at, given ? ERR_CONFLICT : ERR_MISSING,
				    "expected one of set, plasticity, modulation, reward, "
				    "normalise and spikes, found %s",
				    given ? "more" : "none");
}

bool spec_json_schedule_time(struct spec_json_reader *r, json_t *json,
			     const struct spec_json_at *at, double first, int64_t *ret)
{
	double last = r->spec->steps > 0 ? (double)r->spec->steps : SPEC_JSON_STEPS_MAX;
	struct spec_json_at here = spec_json_read_key(at, "at_ms");
	json_t *value = json_object_get(json, "at_ms");

	return value && spec_json_read_steps(r, value, &here, first, last, ret);
}

static int by_time(const void *a, const void *b)
{
	const struct spec_json_entry *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

void spec_json_schedule_sort(struct spec_json_entry *entries, size_t n)
{
	if (n > 1)
		qsort(entries, n, sizeof(*entries), by_time);
}

void spec_json_schedule_read(struct spec_json_reader *r, const struct spec_json_at *at,
			     const struct spec_json_entry *entries, size_t n,
			     struct spec_json_schedule *s)
{
	if (!s->params)
		s->params = SPEC_JSON_NEW(r, struct spec_value *, r->spec->n_populations);
	for (size_t i = 0; s->params && i < n && !r->nomem; i++) {
		struct spec_json_at here = spec_json_read_item(at, entries[i].index);
		struct draft d = { .to = s, .at = entries[i].at };

		read_entry(r, entries[i].json, &here, &d);
	}
}

void spec_json_schedule_all(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	size_t n = json_array_size(json);
	struct spec_json_entry *entries = SPEC_JSON_NEW(r, struct spec_json_entry, n);
	struct spec_json_schedule s = { 0 };

	(void)out;
	if (!json_is_array(json)) {
		spec_json_read_type(r, at, "an array of changes", json);
		return;
	}
	for (size_t i = 0; entries && i < n; i++) {
		struct spec_json_at here = spec_json_read_item(at, i);

		entries[i].index = i;
		entries[i].json = json_array_get(json, i);
		(void)spec_json_schedule_time(r, entries[i].json, &here, 0.0, &entries[i].at);
	}
	if (!entries)
		return;
	spec_json_schedule_sort(entries, n);
	spec_json_schedule_read(r, at, entries, n, &s);
	r->spec->changes = s.changes;
	r->spec->n_changes = s.n;
}
