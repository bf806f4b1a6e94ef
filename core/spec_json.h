/* spec_json.h - JSON to spec: every error of a text at once, each with its JSON Pointer. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_SPEC_JSON_H
#define CORE_SPEC_JSON_H

#include <jansson.h>

#include "core/spec.h"

/* Where data sets come from: the server's folder when validating, the run's directory in a run. */
struct spec_datasets {
	void *self;
	/* One field of a data set as doubles: row >= 0 one row of it (its remaining dimensions
	 * flattened), -1 all. Values live in the arena. Errors: NOTFOUND (no such set or field),
	 * RANGE (row). */
	int (*load)(void *self, const char *id, const char *field, int64_t row,
		    struct mem_arena *arena, const double **ret_values, size_t *ret_n,
		    struct err *err);
};

struct spec_limits_json {
	double max_neurons, max_synapses, max_bytes, max_steps, max_result_bytes,
		max_wall_s; /* 0: no limit */
};

/* Parse text: ERR_SYNTAX with line and column. Duplicate keys are refused. */
int spec_json_load(json_t **ret, const char *text, size_t n, struct err *err) MUST_USE;

/* Validate `json` (a spec without "experiment") into *ret, allocated in `arena`. `prefix` stands
 * before every pointer
 * ("/spec"). Returns 0, or -ERR_INVALID with all errors in `errors`, or -ERR_LIMIT (in errors too),
 * or -ERR_NOMEM. `datasets` may be NULL: then a data set is an error. */
int spec_json_read(const struct spec **ret, json_t *json, const char *prefix,
		   const struct spec_datasets *datasets, const struct spec_limits_json *limits,
		   struct mem_arena *arena, struct err_list *errors) MUST_USE;

/* Validate params of an experiment (or any object) against a table of rows: NUMBER, INTEGER, BOOL,
 * ENUM, STRING, LIST (list or from/to/step), OBJECT. Unknown keys are errors. Returns a new object
 * with all defaults filled in (LIST as a plain array), NULL if any error was added. */
json_t *spec_json_params(json_t *json, const struct param_def *defs, size_t n, const char *prefix,
			 struct err_list *errors);

/* The seed of a spec, 0 where it names none or is not one. */
uint64_t spec_json_seed(json_t *json);
/* The canonical text of a spec: sorted keys, numbers in one form, without "name" and
 * "limits.wall_s"; what the spec's hash is taken of. mem_free the result; NULL: out of memory. */
char *spec_json_canonical(const json_t *json);
/* All of a JSON value in the same form, nothing left out. mem_free the result; NULL: out of memory. */
char *spec_json_text(const json_t *json);
/* The spec with the top-level defaults made explicit, for people. New reference. */
json_t *spec_json_normalized(const json_t *json);
/* Ids of all data sets named anywhere in a spec, as a new JSON array of strings. */
json_t *spec_json_datasets(const json_t *json);

#endif
