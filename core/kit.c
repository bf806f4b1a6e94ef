/* kit.c - an experiment's parameters, its specs, its tables. */
/* SPDX-License-Identifier: MIT */
#include "core/kit.h"

#include <stdio.h>

#include "core/spec_json.h"

enum { COLUMNS_MAX = 32 };

double kit_number(const json_t *params, const char *name)
{
	return json_number_value(json_object_get(params, name));
}

bool kit_true(const json_t *params, const char *name)
{
	return json_is_true(json_object_get(params, name));
}

const char *kit_text(const json_t *params, const char *name)
{
	return json_string_value(json_object_get(params, name));
}

size_t kit_list(const json_t *params, const char *name, double *ret, size_t max)
{
	const json_t *list = json_object_get(params, name);
	size_t n = json_array_size(list);

	n = n < max ? n : max;
	for (size_t i = 0; i < n; i++)
		ret[i] = json_number_value(json_array_get(list, i));
	return n;
}

void kit_begin(struct kit_spec *k, double dt_ms, double duration_ms, uint64_t seed)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)seed);
	k->json = json_pack("{s:f, s:f, s:s, s:{}, s:{}}", "resolution_ms", dt_ms, "duration_ms",
			    duration_ms, "seed", digits, "populations", "projections");
	k->failed = !k->json;
}

void kit_end(struct kit_spec *k)
{
	json_decref(k->json);
	k->json = NULL;
}

/* Takes the value. */
static void put(struct kit_spec *k, json_t *object, const char *key, json_t *value)
{
	if (k->failed || !value)
		json_decref(value);
	else if (!json_object_set_new(object, key, value))
		return;
	k->failed = true;
}

void kit_population(struct kit_spec *k, const char *name, const char *model, size_t size,
		    json_t *params)
{
	put(k, json_object_get(k->json, "populations"), name,
	    json_pack("{s:s, s:I, s:o}", "model", model, "size", (json_int_t)size, "params",
		      params));
}

void kit_projection(struct kit_spec *k, const char *name, const char *source, const char *target,
		    json_t *connect, json_t *synapse)
{
	put(k, json_object_get(k->json, "projections"), name,
	    json_pack("{s:s, s:s, s:o, s:o}", "source", source, "target", target, "connect",
		      connect, "synapse", synapse));
}

void kit_set(struct kit_spec *k, const char *kind, const char *name, const char *key, json_t *value)
{
	json_t *object = k->json;

	if (kind)
		object = json_object_get(json_object_get(object, kind), name);
	put(k, object, key, value);
}

json_t *kit_array(const double *x, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < n; i++) {
		if (json_array_append_new(array, json_real(x[i]))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

json_t *kit_rule(const char *name)
{
	return json_pack("{s:s}", "rule", name);
}

int kit_simulate(struct experiment_ctx *c, const struct kit_spec *k, const struct engine_look *look,
		 struct err *err)
{
	return k->failed ? err_nomem(err) : engine_simulate(c, k->json, look, err);
}

int kit_simulate_many(struct experiment_ctx *c, const struct kit_spec *k,
		      const struct engine_look *looks, size_t n, struct err *err)
{
	json_t **specs = mem_alloc(n + 1, sizeof(void *));
	bool failed = !specs;
	int rc;

	for (size_t i = 0; i < n && !failed; i++) {
		specs[i] = k[i].json;
		failed = k[i].failed;
	}
	rc = failed ? err_nomem(err) : engine_simulate_many(c, specs, looks, n, err);
	mem_free(specs);
	return rc;
}

int kit_check(const struct kit_spec *k, const char *prefix, const struct spec_limits_json *limits,
	      struct err_list *errors)
{
	struct err_list found = { 0 };
	struct mem_arena arena;
	const struct spec *spec;
	char path[ERR_PATH_MAX];
	int rc;

	if (k->failed)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	(void)snprintf(path, sizeof(path), "%.150s/params", prefix);
	mem_arena_init(&arena, 0);
	rc = spec_json_read(&spec, k->json, "", NULL, limits, &arena, &found);
	for (size_t i = 0; i < found.n; i++)
		(void)err_list_add(errors, (enum err_code)found.items[i].code, path, "%s",
				   found.items[i].text);
	if (rc && !found.n)
		(void)err_list_add(errors, ERR_NOMEM, "", "out of memory");
	err_list_release(&found);
	mem_arena_release(&arena);
	return rc;
}

int kit_table(struct experiment_ctx *c, const char *name, const struct kit_column *columns,
	      size_t n_columns, size_t n_rows, struct err *err)
{
	const char *names[COLUMNS_MAX], *units[COLUMNS_MAX];
	const double *x[COLUMNS_MAX];

	if (n_columns > COLUMNS_MAX)
		return err_set(err, ERR_LIMIT, "", "a table has at most %d columns", COLUMNS_MAX);
	for (size_t i = 0; i < n_columns; i++) {
		names[i] = columns[i].name;
		units[i] = columns[i].unit;
		x[i] = columns[i].x;
	}
	return engine_table(c, name, n_columns, names, units, x, n_rows, err);
}
