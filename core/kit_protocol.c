/* kit_protocol.c - see kit_protocol.h. */
/* SPDX-License-Identifier: MIT */
#include "core/kit_protocol.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/model/alias.h"

#define DELAY_MS 10.0
#define FAR_W	 100.0 /* a bound that no protocol reaches, in units of w_0 */

/* The cell of rules that go by potentials. A pulse brings it from wherever it is above V_peak, so that
 * it spikes in that very step, however high its threshold is after the last one. */
#define CELL	      "aeif_psc_delta_clopath"
#define CELL_DELAY_MS 1.0
#define PULSE_MV      120.0
/* Clopath's amplitudes were fitted with this weight to begin with. */
#define CELL_W_0 0.5

struct kit_protocol_cycle kit_protocol_pair(double dt_ms, double rate_hz)
{
	return (struct kit_protocol_cycle){ .pre = { 0 },
					    .post = { dt_ms },
					    .n_pre = 1,
					    .n_post = 1,
					    .period_ms = 1000 / rate_hz };
}

static double *repeated(const double *times, size_t n, double period_ms, size_t repeats,
			struct mem_arena *arena)
{
	double *t = NEW(arena, double, n *repeats + 1);

	for (size_t i = 0; t && i < repeats; i++)
		for (size_t k = 0; k < n; k++)
			t[i * n + k] = (double)i * period_ms + times[k];
	return t;
}

int kit_protocol_repeat(struct kit_protocol *ret, const struct kit_protocol_cycle *cycle,
			size_t repeats, struct mem_arena *arena, struct err *err)
{
	*ret = (struct kit_protocol){
		.pre = repeated(cycle->pre, cycle->n_pre, cycle->period_ms, repeats, arena),
		.post = repeated(cycle->post, cycle->n_post, cycle->period_ms, repeats, arena),
		.n_pre = cycle->n_pre * repeats,
		.n_post = cycle->n_post * repeats,
	};
	return ret->pre && ret->post ? 0 : err_nomem(err);
}

void kit_protocol_rule_read(struct kit_protocol_rule *ret, const json_t *params, double w_0)
{
	*ret = (struct kit_protocol_rule){
		.model = kit_text(params, PROTOCOL_RULE),
		.set = kit_text(params, PROTOCOL_SET),
		.params = json_object_get(params, PROTOCOL_RULE_PARAMS),
		.cell = json_object_get(params, PROTOCOL_CELL_PARAMS),
		.w_0 = w_0,
	};
}

static const struct plasticity_model *model_of(const char *name)
{
	const struct alias *a = alias_find(name);

	return a ? a->model : plasticity_find(name);
}

bool kit_protocol_has_cell(const char *rule)
{
	const struct plasticity_model *m = model_of(rule);

	return m && m->needs;
}

/* The network. */

static double on_grid(double ms)
{
	return floor(10 * ms + 0.5) / 10;
}

static bool whole(const double *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (on_grid(t[i]) != floor(t[i]))
			return false;
	return true;
}

/* Steps of 1 ms where all times allow it, and no potential is to be followed. */
static double resolution(const struct kit_protocol *p, size_t n, bool cell)
{
	if (cell)
		return 0.1;
	for (size_t i = 0; i < n; i++)
		if (!whole(p[i].pre, p[i].n_pre) || !whole(p[i].post, p[i].n_post))
			return 0.1;
	return 1;
}

static json_t *train(const double *t, size_t n, double shift)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		if (json_array_append_new(list, json_real(on_grid(t[i] + shift)))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* A generator for each of the trains, `shift` later. */
static void generators(struct kit_spec *k, const char *name, const struct kit_protocol *p, size_t n,
		       double shift)
{
	bool post = strcmp(name, "pre") != 0;
	json_t *all = json_array();

	for (size_t i = 0; all && i < n; i++) {
		json_t *one = post ? train(p[i].post, p[i].n_post, shift)
				   : train(p[i].pre, p[i].n_pre, shift);

		if (!one || json_array_append_new(all, one)) {
			json_decref(all);
			all = NULL;
		}
	}
	kit_population(k, name, "spike_generator", n,
		       all ? json_pack("{s:o}", "spike_times", all) : NULL);
}

/* V_reset, 21 mV above rest, and b, next to nothing, are those of the program with which the rule's authors
 * fitted it. With the model's b of 80.5 pA adaptation takes the potentiation away. */
static json_t *cell_params(const struct kit_protocol_rule *r)
{
	json_t *params = json_pack("{s:f, s:f}", "V_reset", -49.6, "b", 0.0805);

	if (params && r->cell && json_object_update(params, r->cell)) {
		json_decref(params);
		return NULL;
	}
	return params;
}

/* Cells that spike when the generators of "drive" make them. */
static void cells(struct kit_spec *k, const struct kit_protocol *p, size_t n,
		  const struct kit_protocol_rule *r)
{
	generators(k, "drive", p, n, PROTOCOL_LEAD_MS - 2 * CELL_DELAY_MS);
	kit_population(k, "post", CELL, n, cell_params(r));
	kit_projection(k, "drive", "drive", "post", kit_rule("one_to_one"),
		       json_pack("{s:s, s:f, s:f}", "model", "static", "weight", PULSE_MV,
				 "delay_ms", CELL_DELAY_MS));
}

/* Where w_max is a bound and nothing else. */
static bool has_far_bound(const char *model)
{
	return strcmp(model, "stdp_triplet") == 0 || strcmp(model, "stdp_pair") == 0;
}

double kit_protocol_start(const char *model)
{
	const struct plasticity_model *m = plasticity_find(model);
	double p[PLASTICITY_PARAMS_MAX], low, high;

	if (kit_protocol_has_cell(model))
		return CELL_W_0;
	if (!m || !m->bounds || has_far_bound(model))
		return 1;
	for (size_t i = 0; i < m->n_params; i++)
		p[i] = m->params[i].def;
	m->bounds(p, &low, &high);
	return isfinite(low) && isfinite(high) ? low + 0.5 * (high - low) : 1;
}

/* The rule's parameters, with a bound out of reach unless one is given. */
static json_t *rule_params(const struct kit_protocol_rule *r)
{
	json_t *params = r->params ? json_deep_copy(r->params) : json_object();
	bool bounded = has_far_bound(r->model);

	if (params && bounded && !json_object_get(params, "w_max") &&
	    json_object_set_new(params, "w_max", json_real(FAR_W * fabs(r->w_0)))) {
		json_decref(params);
		return NULL;
	}
	return params;
}

static json_t *synapse(const struct kit_protocol_rule *r)
{
	json_t *params = rule_params(r);
	double delay = kit_protocol_has_cell(r->model) ? CELL_DELAY_MS : DELAY_MS;
	json_t *s = params ? json_pack("{s:s, s:f, s:f, s:o}", "model", r->model, "weight", r->w_0,
				       "delay_ms", delay, "params", params)
			   : NULL;

	if (s && r->set && r->set[0] && json_object_set_new(s, "set", json_string(r->set))) {
		json_decref(s);
		return NULL;
	}
	return s;
}

static double end_ms(const struct kit_protocol *p, size_t n)
{
	double last = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i].n_pre)
			last = fmax(last, p[i].pre[p[i].n_pre - 1]);
		if (p[i].n_post)
			last = fmax(last, p[i].post[p[i].n_post - 1]);
	}
	return on_grid(ceil(last) + PROTOCOL_LEAD_MS + 2 * DELAY_MS);
}

static void network(struct kit_spec *k, const struct kit_protocol *p, size_t n,
		    const struct kit_protocol_rule *r, uint64_t seed)
{
	bool cell = kit_protocol_has_cell(r->model);

	kit_begin(k, resolution(p, n, cell), end_ms(p, n), seed);
	generators(k, "pre", p, n, PROTOCOL_LEAD_MS);
	if (cell)
		cells(k, p, n, r);
	else
		generators(k, "post", p, n, PROTOCOL_LEAD_MS - DELAY_MS);
	kit_projection(k, "pair", "pre", "post", kit_rule("one_to_one"), synapse(r));
}

/* Errors in the network's spec, said in terms of the parameters it was made from. */
static void translate(struct err *err)
{
	static const char *const map[][2] = {
		{ "/projections/pair/synapse/params", "/params/" PROTOCOL_RULE_PARAMS },
		{ "/projections/pair/synapse/weight", "/params/" PROTOCOL_W_0 },
		{ "/projections/pair/synapse/set", "/params/" PROTOCOL_SET },
		{ "/projections/pair/synapse/model", "/params/" PROTOCOL_RULE },
		{ "/projections/pair/target", "/params/" PROTOCOL_RULE },
		{ "/populations/post/params", "/params/" PROTOCOL_CELL_PARAMS },
	};

	for (size_t i = 0; err && i < COUNTOF(map); i++) {
		size_t n = strlen(map[i][0]);
		char path[ERR_PATH_MAX];

		if (strncmp(err->path, map[i][0], n) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s%s", map[i][1], err->path + n);
		memcpy(err->path, path, sizeof(path));
		return;
	}
}

int kit_protocol_refuse(const struct err *e, const char *prefix, struct err_list *errors)
{
	struct err err = *e;
	char path[ERR_PATH_MAX];

	translate(&err);
	(void)snprintf(path, sizeof(path), "%.90s%.100s", prefix, err.path);
	return err_list_add(errors, (enum err_code)err.code, path, "%s", err.text);
}

int kit_protocol_check(const struct kit_protocol_rule *rule, const char *prefix,
		       const struct spec_limits_json *limits, struct err_list *errors)
{
	static const double once[] = { 0 };
	static const struct kit_protocol one = { once, once, 1, 1 };
	struct err_list found = { 0 };
	struct kit_spec k;
	const struct spec *spec;
	struct mem_arena arena;
	int rc;

	mem_arena_init(&arena, 0);
	network(&k, &one, 1, rule, 0);
	rc = k.failed ? -ERR_NOMEM
		      : spec_json_read(&spec, k.json, "", NULL, limits, &arena, &found);
	for (size_t i = 0; i < found.n; i++)
		(void)kit_protocol_refuse(&found.items[i], prefix, errors);
	if (rc && !found.n)
		(void)err_list_add(errors, ERR_NOMEM, "", "out of memory");
	kit_end(&k);
	err_list_release(&found);
	mem_arena_release(&arena);
	return rc;
}

struct reading {
	double *dw, *params;
	size_t n;
	double w_0;
};

static int at_end(void *self, const struct sim *s, struct err *err)
{
	struct reading *r = self;
	size_t pair = (size_t)spec_projection(sim_spec(s), "pair");
	const struct spec_projection *p = &sim_spec(s)->projections[pair];
	int rc = sim_weights(s, pair, r->dw, err);

	for (size_t i = 0; !rc && i < r->n; i++)
		r->dw[i] = r->dw[i] / r->w_0 - 1;
	if (r->params)
		memcpy(r->params, p->params, p->model->n_params * sizeof(*r->params));
	return rc;
}

int kit_protocol_run(struct experiment_ctx *c, const struct kit_protocol *p, size_t n,
		     const struct kit_protocol_rule *rule, double *ret_dw, double *ret_params,
		     struct err *err)
{
	struct reading r = { .dw = ret_dw, .params = ret_params, .n = n, .w_0 = rule->w_0 };
	const struct engine_look look = { .self = &r, .at_end = at_end };
	struct kit_spec k;
	int rc;

	network(&k, p, n, rule, engine_seed(c));
	rc = kit_simulate(c, &k, &look, err);
	kit_end(&k);
	if (rc)
		translate(err);
	return rc;
}
