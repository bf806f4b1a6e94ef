/* fuzz_spec - specs of any bytes: all their errors or a spec, and one canonical text.
 *
 * A spec in a preset's file counts as one. The canonical text is that of itself; what was read once is
 * read the same again; what a live session would add to it is checked too. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/experiment.h"
#include "core/spec_json_live.h"
#include "tests/fuzz/fuzz.h"

enum { MEMORY = 1 << 26 };

static const struct spec_limits_json limits = {
	.max_neurons = 1e5,
	.max_synapses = 1e6,
	.max_bytes = 1e8,
	.max_steps = 1e7,
	.max_result_bytes = 1e8,
	.max_wall_s = 60,
};

static void no(const char *what)
{
	(void)fprintf(stderr, "fuzz_spec: %s\n", what);
	abort();
}

/* One data set is there: "set", with three values in "x". */
static int load(void *self, const char *id, const char *field, int64_t row, struct mem_arena *arena,
		const double **ret_values, size_t *ret_n, struct err *err)
{
	double *values;

	(void)self;
	if (strcmp(id, "set") != 0 || strcmp(field, "x") != 0)
		return err_set(err, ERR_NOTFOUND, NULL, "there is no such data set");
	if (row > 2)
		return err_set(err, ERR_RANGE, NULL, "it has three rows");
	values = NEW(arena, double, 3);
	if (!values)
		return err_nomem(err);
	values[0] = 0.5;
	values[1] = 1.5;
	values[2] = 9.0;
	*ret_values = values;
	*ret_n = 3;
	return 0;
}

static const struct spec_datasets datasets = { .load = load };

/* 0, or the code; every failure says why. */
static int read_spec(json_t *json, struct mem_arena *arena)
{
	struct err_list errors = { 0 };
	const struct spec *spec = NULL;
	int rc = spec_json_read(&spec, json, "/spec", &datasets, &limits, arena, &errors);

	if (rc > 0 || (rc < 0 && err_list_count(&errors) == 0) || (rc == 0 && !spec))
		no("a failure without an error, or a success without a spec");
	if (rc == 0 && err_list_count(&errors))
		no("a success with errors");
	err_list_release(&errors);
	return rc;
}

static void canonical(json_t *json)
{
	char *once = spec_json_canonical(json), *twice = NULL;
	json_t *again = NULL, *normal = spec_json_normalized(json), *ids = spec_json_datasets(json);

	if (once && spec_json_load(&again, once, strlen(once), NULL))
		no("the canonical text is no JSON");
	if (again)
		twice = spec_json_canonical(again);
	if (once && twice && strcmp(once, twice) != 0)
		no("the canonical text of the canonical text is another");
	(void)spec_json_seed(json);
	json_decref(again);
	json_decref(normal);
	json_decref(ids);
	mem_free(once);
	mem_free(twice);
}

/* The schedule of the spec, once more, on top of it. */
static void live(json_t *json, struct mem_arena *arena)
{
	struct err_list errors = { 0 };
	struct spec_json_live *l = NULL;
	struct spec_json_live_changes changes = { 0 };
	json_t *schedule = json_object_get(json, "schedule"), *past = NULL;

	if (spec_json_live_new(&l, json, NULL, &datasets, arena, &errors) == 0) {
		if (spec_json_live_change(l, schedule, 5, &changes, &errors) > 0)
			no("neither a success nor a failure");
		past = spec_json_live_past(l, 7);
		json_decref(past);
		json_decref(spec_json_live_schedule(l));
		spec_json_live_free(l);
	}
	err_list_release(&errors);
}

static void experiment(json_t *json)
{
	const char *name = json_string_value(json_object_get(json, "experiment"));
	const struct experiment *x = name ? experiment_find(name) : NULL;
	struct err_list errors = { 0 };
	json_t *params;

	if (!x)
		return;
	params = spec_json_params(json_object_get(json, "params"), x->params, x->n_params,
				  "/params", &errors);
	if (!params && err_list_count(&errors) == 0)
		no("parameters refused without an error");
	if (params && x->check)
		(void)x->check(params, "", &limits, &errors);
	json_decref(params);
	err_list_release(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	json_t *json = NULL, *spec;
	struct mem_arena arena;
	struct err err = { 0 };

	if (spec_json_load(&json, (const char *)data, n, &err)) {
		if (!err.code || !*err.text)
			no("no JSON, and no reason why");
		return 0;
	}
	spec = json_is_object(json_object_get(json, "spec")) ? json_object_get(json, "spec") : json;
	canonical(spec);
	if (json_object_get(spec, "experiment")) {
		experiment(spec);
	} else {
		mem_arena_init(&arena, MEMORY);
		if (read_spec(spec, &arena) == 0) {
			if (read_spec(spec, &arena))
				no("what was a spec is none the second time");
			live(spec, &arena);
		}
		mem_arena_release(&arena);
	}
	json_decref(json);
	return 0;
}
