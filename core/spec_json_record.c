/* spec_json_record.c - what a run keeps: spikes, states, weights, rates. */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_read.h"

#include <math.h>
#include <string.h>

struct states {
	struct spec_record_states *to;
	bool known;
};

struct weights {
	struct spec_record_weights *to;
	bool known, timed, ranged;
};

struct rates {
	struct spec_record_rates *to;
};

/* Places left in the lists of the record, filled from the front. */
struct draft {
	struct spec_record_states *states;
	struct spec_record_weights *weights;
	struct spec_record_rates *rates;
};

static void read_spikes_of(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			   void *out)
{
	int i = spec_json_read_population(r, json, at);

	(void)out;
	if (i < 0 || !r->populations[i].model)
		return;
	if (r->populations[i].model->kind == NEURON_CURRENT)
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "expected a population that spikes, found a %s",
				    r->populations[i].model->name);
	r->populations[i].record_spikes = true;
}

static void read_spikes(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	spec_json_read_array(r, json, at, "an array of names of populations", read_spikes_of, out);
}

/* An interval of recording: a step or more; longer than the run is fine. */
static bool read_every(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       int64_t *ret)
{
	return spec_json_read_steps(r, json, at, 1.0, SPEC_JSON_STEPS_MAX, ret);
}

/* States. */

static void read_states_population(struct spec_json_reader *r, json_t *json,
				   const struct spec_json_at *at, void *out)
{
	struct states *d = out;
	int i = spec_json_read_population(r, json, at);

	if (i < 0)
		return;
	d->known = r->populations[i].model != NULL;
	d->to->population = (size_t)i;
}

static int find_state(const struct neuron_model *m, const char *name)
{
	for (size_t i = 0; i < m->n_states; i++)
		if (!m->states[i].internal && !strcmp(m->states[i].name, name))
			return (int)i;
	return -1;
}

static void unknown_state(struct spec_json_reader *r, const struct spec_json_at *at,
			  const struct neuron_model *m, const char *name)
{
	const char *names[NEURON_STATES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < m->n_states; i++)
		if (!m->states[i].internal)
			names[n++] = m->states[i].name;
	spec_json_read_unknown(r, at, "state of this model", name,
			       (struct spec_json_names){ names, n });
}

static void read_variables(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			   void *out)
{
	struct states *d = out;
	size_t n = json_array_size(json);
	int *variables = SPEC_JSON_NEW(r, int, n);

	if (!variables || !d->known)
		return;
	if (n == 0) {
		spec_json_read_type(r, at, "an array of names of states", json);
		return;
	}
	d->to->variables = variables;
	for (size_t i = 0; i < n; i++) {
		const struct neuron_model *m = r->populations[d->to->population].model;
		struct spec_json_at here = spec_json_read_item(at, i);
		const char *name = spec_json_read_string(r, json_array_get(json, i), &here);
		int v = name ? find_state(m, name) : 0;

		if (v < 0)
			unknown_state(r, &here, m, name);
		variables[d->to->n_variables++] = v;
	}
}

static void read_neurons(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			 void *out)
{
	struct states *d = out;
	size_t n = json_array_size(json);
	uint32_t *neurons = SPEC_JSON_NEW(r, uint32_t, n);
	double size;

	if (!neurons || !d->known)
		return;
	size = (double)r->populations[d->to->population].size;
	if (n == 0) {
		spec_json_read_type(r, at, "an array of neurons", json);
		return;
	}
	d->to->neurons = neurons;
	for (size_t i = 0; i < n && size > 0.0; i++) {
		struct spec_json_at here = spec_json_read_item(at, i);
		double x = 0.0;

		(void)spec_json_read_integer(r, json_array_get(json, i), &here, 0.0, size - 1.0,
					     &x);
		neurons[d->to->n_neurons++] = (uint32_t)x;
	}
}

static void read_states_every(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at, void *out)
{
	(void)read_every(r, json, at, &((struct states *)out)->to->every);
}

static const struct spec_json_key state_keys[] = {
	{ "population", read_states_population, true },
	{ "variables", read_variables, true },
	{ "neurons", read_neurons, false },
	{ "every_ms", read_states_every, false },
};

static void all_neurons(struct spec_json_reader *r, const struct spec_json_at *at,
			struct spec_record_states *to)
{
	struct spec_json_at here = spec_json_read_key(at, "neurons");
	size_t size = r->populations[to->population].size;
	uint32_t *neurons;

	if (size > SPEC_JSON_NEURONS_MAX) {
		spec_json_read_fail(r, &here, ERR_LIMIT,
				    "the population has %zu neurons: name those to record (all "
				    "are taken up to %d)",
				    size, SPEC_JSON_NEURONS_MAX);
		return;
	}
	neurons = SPEC_JSON_NEW(r, uint32_t, size);
	if (!neurons)
		return;
	for (size_t i = 0; i < size; i++)
		neurons[i] = (uint32_t)i;
	to->neurons = neurons;
	to->n_neurons = size;
}

static void read_states_item(struct spec_json_reader *r, json_t *json,
			     const struct spec_json_at *at, void *out)
{
	struct draft *all = out;
	struct states d = { .to = all->states++ };

	d.to->every = 1;
	spec_json_read_object(r, json, at, "a recorder of states", state_keys, COUNTOF(state_keys),
			      &d);
	if (d.known && !json_object_get(json, "neurons"))
		all_neurons(r, at, d.to);
}

static void read_states(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	struct draft *d = out;

	d->states = SPEC_JSON_NEW(r, struct spec_record_states, json_array_size(json));
	if (!d->states)
		return;
	r->spec->states = d->states;
	r->spec->n_states = json_array_size(json);
	spec_json_read_array(r, json, at, "an array of recorders of states", read_states_item, out);
}

/* Weights. */

static void read_weights_projection(struct spec_json_reader *r, json_t *json,
				    const struct spec_json_at *at, void *out)
{
	struct weights *d = out;
	int i = spec_json_read_projection(r, json, at);

	if (i < 0)
		return;
	d->known = r->projections[i].model != NULL;
	d->to->projection = (size_t)i;
}

static void read_weights_every_ms(struct spec_json_reader *r, json_t *json,
				  const struct spec_json_at *at, void *out)
{
	struct weights *d = out;

	(void)read_every(r, json, at, &d->to->every);
	d->timed = true;
}

static void read_weights_every(struct spec_json_reader *r, json_t *json,
			       const struct spec_json_at *at, void *out)
{
	struct weights *d = out;
	const char *text = json_string_value(json);

	if (!text || strcmp(text, "update") != 0)
		spec_json_read_type(r, at, "\"update\" (for an interval say every_ms)", json);
	else if (d->timed)
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "every and every_ms exclude each other, found both");
	else if (d->known && !r->projections[d->to->projection].model->update)
		spec_json_read_fail(
			r, at, ERR_CONFLICT,
			"expected a plastic projection, found %s, whose weights never change",
			r->projections[d->to->projection].model->name);
	d->to->mode = SPEC_WEIGHTS_UPDATES;
	d->timed = true;
}

static void read_synapses(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  void *out)
{
	struct weights *d = out;
	size_t n = json_array_size(json);
	uint64_t *synapses = SPEC_JSON_NEW(r, uint64_t, n);
	double last = SPEC_JSON_SYNAPSES_MAX;

	if (!synapses || !d->known)
		return;
	if (n == 0) {
		spec_json_read_type(r, at, "an array of numbers of synapses", json);
		return;
	}
	if (r->synapses[d->to->projection].count >= 1.0)
		last = r->synapses[d->to->projection].count - 1.0;
	d->to->synapses = synapses;
	for (size_t i = 0; i < n; i++) {
		struct spec_json_at here = spec_json_read_item(at, i);
		double x = 0.0;

		(void)spec_json_read_integer(r, json_array_get(json, i), &here, 0.0, last, &x);
		synapses[d->to->n_synapses++] = (uint64_t)x;
	}
}

static void read_bins(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		      void *out)
{
	struct weights *d = out;
	double bins;

	if (d->to->mode == SPEC_WEIGHTS_UPDATES)
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "bins need every_ms, found every: \"update\"");
	else if (d->to->synapses)
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "a histogram counts all synapses, found a list of them");
	d->to->mode = SPEC_WEIGHTS_HISTOGRAM;
	if (spec_json_read_integer(r, json, at, 1.0, SPEC_JSON_BINS_MAX, &bins))
		d->to->bins = (size_t)bins;
}

static void read_min(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		     void *out)
{
	struct weights *d = out;

	d->ranged = spec_json_read_number(r, json, at, &d->to->min);
}

static void read_max(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		     void *out)
{
	struct weights *d = out;

	if (spec_json_read_number(r, json, at, &d->to->max) && d->ranged &&
	    d->to->max <= d->to->min)
		spec_json_read_fail(r, at, ERR_RANGE, "must be above min = %.12g, found %.12g",
				    d->to->min, d->to->max);
}

static const struct spec_json_key weight_keys[] = {
	{ "projection", read_weights_projection, true },
	{ "every_ms", read_weights_every_ms, false },
	{ "every", read_weights_every, false },
	{ "synapses", read_synapses, false },
	{ "bins", read_bins, false },
	{ "min", read_min, false },
	{ "max", read_max, false },
};

/* A histogram without a range takes the rule's bounds, on the side of the projection's sign. */
static void histogram_range(const struct spec_json_reader *r, struct spec_record_weights *to)
{
	const struct spec_projection *p = &r->projections[to->projection];
	double lo = 0.0, hi = 0.0;

	if (p->model->bounds && p->params)
		p->model->bounds(p->params, &lo, &hi);
	if (!isfinite(lo) || !isfinite(hi))
		return;
	to->min = r->synapses[to->projection].negative ? -hi : lo;
	to->max = r->synapses[to->projection].negative ? -lo : hi;
}

static void check_range(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			const struct weights *d)
{
	bool min = json_object_get(json, "min") != NULL;
	bool max = json_object_get(json, "max") != NULL;
	struct spec_json_at here = spec_json_read_key(at, min ? "max" : "min");

	if (min != max)
		spec_json_read_fail(r, &here, ERR_MISSING,
				    "min and max go together, found one of them");
	else if (!min && d->known && d->to->mode == SPEC_WEIGHTS_HISTOGRAM)
		histogram_range(r, d->to);
}

static void read_weights_item(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at, void *out)
{
	struct spec_json_at every = spec_json_read_key(at, "every_ms");
	struct draft *all = out;
	struct weights d = { .to = all->weights++ };

	d.to->every = 1;
	spec_json_read_object(r, json, at, "a recorder of weights", weight_keys,
			      COUNTOF(weight_keys), &d);
	if (!json_is_object(json))
		return;
	if (!d.timed)
		spec_json_read_fail(
			r, &every, ERR_MISSING,
			"a recorder of weights needs \"every_ms\" or \"every\": \"update\"");
	check_range(r, json, at, &d);
}

static void read_weights(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			 void *out)
{
	struct draft *d = out;

	d->weights = SPEC_JSON_NEW(r, struct spec_record_weights, json_array_size(json));
	if (!d->weights)
		return;
	r->spec->weights = d->weights;
	r->spec->n_weights = json_array_size(json);
	spec_json_read_array(r, json, at, "an array of recorders of weights", read_weights_item,
			     out);
}

/* Rates. */

static void read_rates_population(struct spec_json_reader *r, json_t *json,
				  const struct spec_json_at *at, void *out)
{
	struct rates *d = out;
	int i = spec_json_read_population(r, json, at);

	if (i < 0)
		return;
	d->to->population = (size_t)i;
	if (r->populations[i].model && r->populations[i].model->kind == NEURON_CURRENT)
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "expected a population that spikes, found a %s",
				    r->populations[i].model->name);
}

static void read_bin(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		     void *out)
{
	(void)read_every(r, json, at, &((struct rates *)out)->to->bin);
}

static const struct spec_json_key rate_keys[] = {
	{ "population", read_rates_population, true },
	{ "bin_ms", read_bin, true },
};

static void read_rates_item(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	struct draft *all = out;
	struct rates d = { .to = all->rates++ };

	d.to->bin = 1;
	spec_json_read_object(r, json, at, "a recorder of rates", rate_keys, COUNTOF(rate_keys),
			      &d);
}

static void read_rates(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       void *out)
{
	struct draft *d = out;

	d->rates = SPEC_JSON_NEW(r, struct spec_record_rates, json_array_size(json));
	if (!d->rates)
		return;
	r->spec->rates = d->rates;
	r->spec->n_rates = json_array_size(json);
	spec_json_read_array(r, json, at, "an array of recorders of rates", read_rates_item, out);
}

static void read_final(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       void *out)
{
	bool keep = true;

	(void)out;
	(void)spec_json_read_bool(r, json, at, &keep);
	for (size_t i = 0; !keep && i < r->spec->n_projections; i++)
		r->projections[i].keep_final = false;
}

static const struct spec_json_key keys[] = {
	{ "spikes", read_spikes, false },	{ "states", read_states, false },
	{ "weights", read_weights, false },	{ "rates", read_rates, false },
	{ "final_weights", read_final, false },
};

void spec_json_record_all(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  void *out)
{
	struct draft d = { 0 };

	(void)out;
	spec_json_read_object(r, json, at, "record", keys, COUNTOF(keys), &d);
}
