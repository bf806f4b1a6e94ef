/* spec_case.h - a spec that is right, changed here and there, and what reading it gives. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_SPEC_CASE_H
#define TESTS_UNIT_SPEC_CASE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/spec_json.h"

enum { TEXT_MAX = 8192, PATCHES = 8, ERRORS = 6 };

/* Written with ' for ". */
static const char base_text[] =
	"{'name': 'n', 'resolution_ms': 0.1, 'duration_ms': 100, 'seed': '42',"
	" 'populations': {"
	"  'in': {'model': 'poisson_generator', 'size': 4, 'params': {'rate': 10}},"
	"  'cell': {'model': 'iaf_psc_exp', 'size': 3, 'params': {'tau_m': 20.0}, 'init': "
	"{'V_m': -70.0}},"
	"  'dc': {'model': 'dc_generator'},"
	"  'spikes': {'model': 'spike_generator', 'size': 2, 'params': {'spike_times': [[1, "
	"2.5], []]}}},"
	" 'projections': {"
	"  'p': {'source': 'in', 'target': 'cell', 'connect': {'rule': 'all_to_all'},"
	"   'synapse': {'model': 'stdp_pair', 'weight': {'uniform': [0, 0.5]}, 'delay_ms': 1.0,"
	"    'params': {'A_plus': 0.01, 'w_max': 1}}},"
	"  'l': {'source': 'spikes', 'target': 'cell', 'connect': {'rule': 'list', 'sources': "
	"[1, 0, 0],"
	"   'targets': [0, 2, 0]}, 'synapse': {'weight': [1, 2, 3], 'delay_ms': [0.1, 0.2, "
	"0.3]}}},"
	" 'record': {'spikes': ['in', 'cell'],"
	"  'states': [{'population': 'cell', 'variables': ['V_m'], 'neurons': [2, 0], "
	"'every_ms': 0.5}],"
	"  'weights': [{'projection': 'p', 'every_ms': 10}, {'projection': 'p', 'synapses': [0, "
	"11], 'every': 'update'},"
	"   {'projection': 'p', 'every_ms': 10, 'bins': 20}],"
	"  'rates': [{'population': 'cell', 'bin_ms': 5}]},"
	" 'schedule': [{'at_ms': 50, 'set': {'population': 'in', 'params': {'rate': 20}}},"
	"  {'at_ms': 20, 'plasticity': {'projection': 'p', 'on': false}}],"
	" 'limits': {'max_spikes': 1000, 'max_rate_hz': 500, 'wall_s': 60}}";

static inline json_t *parse(const char *text)
{
	static char copy[TEXT_MAX];
	struct err err = { 0 };
	json_t *json = NULL;
	size_t n = strlen(text);

	cr_assert_lt(n, sizeof(copy));
	for (size_t i = 0; i <= n; i++)
		copy[i] = text[i] == '\'' ? '"' : text[i];
	if (copy[0] != '{' && copy[0] != '[') { /* any value */
		json = json_loads(copy, JSON_DECODE_ANY, NULL);
		cr_assert_not_null(json, "bad test text: %s", copy);
		return json;
	}
	cr_assert_eq(spec_json_load(&json, copy, n, &err), 0, "bad test text: %s: %s", err.text,
		     copy);
	return json;
}

/* Set the value at a pointer (keys and indices without escapes); "" as a text removes it. */
static inline void patch(json_t *json, const char *pointer, const char *text)
{
	char path[256];
	char *key, *next, *save = NULL;

	(void)snprintf(path, sizeof(path), "%s", pointer);
	key = strtok_r(path, "/", &save);
	while ((next = strtok_r(NULL, "/", &save))) {
		json_t *child = json_is_array(json) ? json_array_get(json, (size_t)(key[0] - '0'))
						    : json_object_get(json, key);

		if (!child && json_is_object(json)) {
			child = json_object();
			cr_assert_eq(json_object_set_new(json, key, child), 0);
		}
		json = child;
		key = next;
	}
	if (!text[0])
		cr_assert_eq(json_object_del(json, key), 0);
	else if (json_is_array(json))
		cr_assert_eq(json_array_set_new(json, (size_t)(key[0] - '0'), parse(text)), 0);
	else
		cr_assert_eq(json_object_set_new(json, key, parse(text)), 0);
}

struct change {
	const char *pointer, *text;
};

struct expected {
	const char *pointer;
	enum err_code code;
};

struct outcome {
	const struct spec *spec;
	struct mem_arena arena;
	struct err_list errors;
	json_t *json;
	int rc;
};

static inline void read_patched(struct outcome *o, const struct change *changes, const char *prefix,
				const struct spec_datasets *datasets,
				const struct spec_limits_json *limits)
{
	memset(o, 0, sizeof(*o));
	mem_arena_init(&o->arena, 0);
	o->json = parse(base_text);
	for (size_t i = 0; i < PATCHES && changes && changes[i].pointer; i++)
		patch(o->json, changes[i].pointer, changes[i].text);
	o->rc = spec_json_read(&o->spec, o->json, prefix, datasets, limits, &o->arena, &o->errors);
}

static inline void release(struct outcome *o)
{
	json_decref(o->json);
	err_list_release(&o->errors);
	mem_arena_release(&o->arena);
}

static inline void show(const struct outcome *o)
{
	for (size_t i = 0; i < o->errors.n; i++)
		(void)fprintf(stderr, "  %s %s: %s\n", o->errors.items[i].path,
			      err_name(o->errors.items[i].code), o->errors.items[i].text);
}

static inline bool has(const struct outcome *o, const struct expected *e)
{
	for (size_t i = 0; i < o->errors.n; i++)
		if (o->errors.items[i].code == (int)e->code &&
		    !strcmp(o->errors.items[i].path, e->pointer))
			return true;
	return false;
}

#define IN     "/populations/in"
#define CELL   "/populations/cell"
#define SPIKES "/populations/spikes"
#define P      "/projections/p"
#define L      "/projections/l"
#define W      "/record/weights/0"

#endif
