/* spec.c - values, look-ups, keys and the estimate of a validated spec. */
/* SPDX-License-Identifier: MIT */
#include "core/spec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fmath.h"

/* Bytes per synapse beside delays and the rule's columns: target index and weight. */
#define BYTES_SYNAPSE 12.0
/* A target of a plastic projection keeps about this much of its own past; a log of its states grows
 * for LOG_MS before it is cut, in steps of doubling. */
#define BYTES_HISTORY 1024.0
#define BYTES_RECORD  (1.5 * (double)sizeof(struct plasticity_spike))
#define LOG_MS	      100.0
#define BYTES_SAMPLE  8.0

enum { KEY_MAX = 256 };

static double draw(const struct spec_value *v, struct rng_key key, uint64_t i)
{
	switch (v->kind) {
	case SPEC_UNIFORM:
		return v->a + (v->b - v->a) * rng_uniform(key, i, 0);
	case SPEC_NORMAL:
		return v->a + v->b * rng_normal(key, i, 0);
	case SPEC_LOGNORMAL:
		return fmath_exp(v->a + v->b * rng_normal(key, i, 0));
	case SPEC_CONST:
	case SPEC_ARRAY:
		break;
	}
	return v->a;
}

double spec_value_at(const struct spec_value *v, struct rng_key key, uint64_t i, double min,
		     double max)
{
	double x;

	if (v->kind == SPEC_CONST)
		return v->a;
	if (v->kind == SPEC_ARRAY)
		return v->array[i];
	x = draw(v, key, i);
	if (x < min)
		return min;
	return x > max ? max : x;
}

static bool per_neuron(const struct spec_population *p)
{
	for (size_t i = 0; i < p->model->n_params; i++)
		if (p->params[i].kind != SPEC_CONST)
			return true;
	return false;
}

static double input_channels(const struct neuron_model *m)
{
	switch (m->input) {
	case NEURON_IN_NONE:
		return 0.0;
	case NEURON_IN_SUM:
	case NEURON_IN_COUNT:
		return 1.0;
	case NEURON_IN_SIGNED:
		return 2.0;
	}
	return 0.0;
}

/* Delay ring: as many slots as the longest delay into this population needs, and a slice more. */
static double ring_slots(const struct spec *s, size_t population)
{
	int64_t longest = 0, shortest = INT64_MAX;

	for (size_t i = 0; i < s->n_projections; i++) {
		const struct spec_projection *p = &s->projections[i];

		if (p->target == population && p->delay_max + p->axonal > longest)
			longest = p->delay_max + p->axonal;
		if (p->delay_min < shortest)
			shortest = p->delay_min;
	}
	return longest ? (double)(longest + shortest + 1) : 0.0;
}

static double population_bytes(const struct spec *s, size_t i)
{
	const struct spec_population *p = &s->populations[i];
	double columns = (double)p->model->n_states + 2.0;
	double bytes = 0.0;

	if (per_neuron(p))
		columns += (double)p->model->n_coefs;
	columns += input_channels(p->model) * ring_slots(s, i);
	if (p->times.offset)
		bytes = (p->times.value ? 16.0 : 8.0) *
			(double)p->times.offset[p->times.stride ? p->size : 1];
	return bytes + columns * BYTES_SAMPLE * (double)p->size;
}

static double synapse_columns(const struct spec *s, const struct spec_projection *p)
{
	double coef[PLASTICITY_COEFS_MAX] = { 0 };
	double tau[PLASTICITY_DECAYS_MAX] = { 0 };

	if (!p->model->n_syn || !p->model->prepare)
		return 0.0;
	p->model->prepare(p->params, s->dt, coef, tau);
	return (double)p->model->n_syn(coef);
}

static double projection_bytes(const struct spec *s, const struct spec_projection *p,
			       double synapses)
{
	double each = BYTES_SYNAPSE + synapse_columns(s, p) * BYTES_SAMPLE;
	double bytes = 0.0;

	if (p->delay_min != p->delay_max)
		each += 2.0;
	if (p->model->update)
		bytes += BYTES_HISTORY * (double)p->wiring.n_target;
	if (p->model->needs)
		bytes += BYTES_RECORD * LOG_MS / s->dt * (double)p->wiring.n_target;
	if (p->stp)
		bytes += (double)plasticity_stp.n_pre * BYTES_SAMPLE * (double)p->wiring.n_source;
	return bytes + each * synapses + 16.0 * (double)p->wiring.n_source;
}

static double samples(const struct spec *s, int64_t every)
{
	return floor((double)s->steps / (double)every) + 2.0;
}

static double weights_bytes(const struct spec *s, const struct spec_record_weights *w)
{
	const struct wiring_ctx *wiring = &s->projections[w->projection].wiring;
	double n = w->synapses ? (double)w->n_synapses
			       : s->projections[w->projection].rule->expect(wiring);

	switch (w->mode) {
	case SPEC_WEIGHTS_SNAPSHOT:
		return (samples(s, w->every) * n + n) * BYTES_SAMPLE;
	case SPEC_WEIGHTS_HISTOGRAM:
		return samples(s, w->every) * ((double)w->bins + 1.0) * BYTES_SAMPLE;
	case SPEC_WEIGHTS_UPDATES: /* as many as there will be spikes */
		return 0.0;
	}
	return 0.0;
}

static double recorded_bytes(const struct spec *s)
{
	double bytes = 0.0;

	for (size_t i = 0; i < s->n_states; i++) {
		const struct spec_record_states *r = &s->states[i];

		bytes += samples(s, r->every) * (double)r->n_variables * (double)r->n_neurons *
			 BYTES_SAMPLE;
	}
	for (size_t i = 0; i < s->n_weights; i++)
		bytes += weights_bytes(s, &s->weights[i]);
	for (size_t i = 0; i < s->n_rates; i++)
		bytes += samples(s, s->rates[i].bin) * BYTES_SAMPLE;
	return bytes;
}

struct spec_cost spec_cost(const struct spec *s)
{
	struct spec_cost c = { .steps = (double)s->steps };

	for (size_t i = 0; i < s->n_populations; i++) {
		c.neurons += (double)s->populations[i].size;
		c.bytes += population_bytes(s, i);
	}
	for (size_t i = 0; i < s->n_projections; i++) {
		const struct spec_projection *p = &s->projections[i];
		double n = p->rule->expect(&p->wiring);

		c.synapses += n;
		c.bytes += projection_bytes(s, p, n);
		if (p->keep_final)
			c.result_bytes += 16.0 * n;
	}
	c.result_bytes += recorded_bytes(s);
	return c;
}

int spec_population(const struct spec *s, const char *name)
{
	size_t lo = 0, hi = s->n_populations;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(name, s->populations[mid].name);

		if (order == 0)
			return (int)mid;
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -1;
}

int spec_projection(const struct spec *s, const char *name)
{
	size_t lo = 0, hi = s->n_projections;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(name, s->projections[mid].name);

		if (order == 0)
			return (int)mid;
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -1;
}

/* Details (names of parameters) hold no slash, so two objects never share a key. */
struct rng_key spec_key(const struct spec *s, enum rng_purpose purpose, const char *object,
			const char *detail)
{
	char text[KEY_MAX];

	(void)snprintf(text, sizeof(text), "%s/%s", object, detail);
	return rng_key(s->seed, purpose, text);
}
