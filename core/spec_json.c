/* spec_json.c - JSON to spec, and a spec's texts: canonical, normalized. */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/spec_json_read.h"

#define RESOLUTION_MS  0.1
#define RESOLUTION_MIN 0.001
#define RESOLUTION_MAX 100.0
#define MAX_SPIKES     100000000
#define CANONICAL_MAX  ((size_t)512 << 20)

/* Without memory the parser may stop with any message, or go on with a letter lost: what it says
 * counts only if it got all it asked for. */
int spec_json_load(json_t **ret, const char *text, size_t n, struct err *err)
{
	size_t refused = mem_refused();
	json_error_t e = { 0 };
	json_t *json = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);

	if (mem_refused() != refused || (!json && !e.text[0])) {
		json_decref(json);
		return err_nomem(err);
	}
	if (json) {
		*ret = json;
		return 0;
	}
	(void)err_set(err, ERR_SYNTAX, "", "expected JSON, found at line %d, column %d: %s", e.line,
		      e.column, e.text);
	if (err) {
		err->line = e.line;
		err->column = e.column;
	}
	return -ERR_SYNTAX;
}

/* The top level. */

static void read_name(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		      void *out)
{
	(void)out;
	(void)spec_json_read_string(r, json, at);
}

static void read_resolution(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	double dt = 0.0;

	(void)out;
	r->spec->dt = 0.0; /* no grid until it is known to be good */
	if (!spec_json_read_number(r, json, at, &dt))
		return;
	if (dt >= RESOLUTION_MIN && dt <= RESOLUTION_MAX)
		r->spec->dt = dt;
	else
		spec_json_read_fail(r, at, ERR_RANGE, "must lie in [%g, %g] ms, found %.12g ms",
				    RESOLUTION_MIN, RESOLUTION_MAX, dt);
}

static void read_duration(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  void *out)
{
	double ms;

	(void)out;
	if (!spec_json_read_number(r, json, at, &ms))
		return;
	if (!(ms > 0.0))
		spec_json_read_fail(r, at, ERR_RANGE, "must be above 0 ms, found %.12g ms", ms);
	else if (spec_json_read_grid(r, ms, at, &r->spec->steps) && r->spec->steps < 1)
		spec_json_read_fail(r, at, ERR_RANGE,
				    "must be at least one step, %.12g ms, found %.12g ms",
				    r->spec->dt, ms);
}

static bool parse_seed(const char *text, uint64_t *ret)
{
	uint64_t x = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (*text < '0' || *text > '9' || x > (UINT64_MAX - digit) / 10)
			return false;
		x = x * 10 + digit;
	}
	*ret = x;
	return true;
}

static void read_seed(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		      void *out)
{
	static const char expected[] = "a whole number from 0 to 18446744073709551615, as a "
				       "string of digits or a number";
	double x = json_number_value(json);

	(void)out;
	if (json_is_string(json)) {
		if (!parse_seed(json_string_value(json), &r->spec->seed))
			spec_json_read_type(r, at, expected, json);
	} else if (json_is_integer(json) && json_integer_value(json) >= 0) {
		r->spec->seed = (uint64_t)json_integer_value(json);
	} else if (json_is_real(json) && x >= 0.0 && x < SPEC_JSON_SYNAPSES_MAX && floor(x) == x) {
		r->spec->seed = (uint64_t)x;
	} else {
		spec_json_read_type(r, at, expected, json);
	}
}

uint64_t spec_json_seed(json_t *json)
{
	struct spec spec = { 0 };
	struct err_list errors = { 0 };
	struct spec_json_reader r = { .errors = &errors, .spec = &spec };
	struct spec_json_at at = { .key = "" };
	json_t *seed = json_object_get(json, "seed");

	if (seed)
		read_seed(&r, seed, &at, NULL);
	err_list_release(&errors);
	return spec.seed;
}

/* In the order they are read: later ones need what earlier ones say. */
static const struct spec_json_key keys[] = {
	{ "name", read_name, false },
	{ "resolution_ms", read_resolution, false },
	{ "duration_ms", read_duration, true },
	{ "seed", read_seed, false },
	{ "populations", spec_json_population_all, true },
	{ "projections", spec_json_projection_all, false },
	{ "record", spec_json_record_all, false },
	{ "schedule", spec_json_schedule_all, false },
	{ "limits", spec_json_limits_read, false },
};

static int outcome(const struct spec_json_reader *r, size_t before)
{
	bool only_limits = true;

	if (r->nomem)
		return -ERR_NOMEM;
	if (err_list_count(r->errors) == before)
		return 0;
	if (r->errors->n == 0)
		return r->errors->first.code == ERR_LIMIT ? -ERR_LIMIT : -ERR_INVALID;
	for (size_t i = 0; i < r->errors->n; i++)
		only_limits = only_limits && r->errors->items[i].code == ERR_LIMIT;
	return only_limits ? -ERR_LIMIT : -ERR_INVALID;
}

int spec_json_read_all(struct spec_json_reader *r, json_t *json, const char *prefix)
{
	struct spec_json_at root = { .key = prefix ? prefix : "" };
	size_t before = err_list_count(r->errors);

	r->spec = SPEC_JSON_NEW(r, struct spec, 1);
	if (!r->spec)
		return -ERR_NOMEM;
	r->spec->dt = RESOLUTION_MS;
	r->spec->limits.max_spikes = MAX_SPIKES;
	spec_json_read_object(r, json, &root, "a spec", keys, COUNTOF(keys), NULL);
	if (!r->nomem && err_list_count(r->errors) == before)
		spec_json_limits_check(r, &root);
	return outcome(r, before);
}

int spec_json_read(const struct spec **ret, json_t *json, const char *prefix,
		   const struct spec_datasets *datasets, const struct spec_limits_json *limits,
		   struct mem_arena *arena, struct err_list *errors)
{
	struct spec_json_reader r = {
		.arena = arena, .errors = errors, .datasets = datasets, .limits = limits
	};
	int rc = spec_json_read_all(&r, json, prefix);

	if (rc == 0)
		*ret = r.spec;
	return rc;
}

/* Canonical text. */

/* 20 and 20.0 are one number: whole ones are written without a point. */
static void put_number(struct buf *b, const json_t *json)
{
	double x;

	if (json_is_integer(json)) {
		(void)buf_printf(b, "%lld", (long long)json_integer_value(json));
		return;
	}
	x = json_real_value(json);
	if (floor(x) == x && fabs(x) < SPEC_JSON_SYNAPSES_MAX)
		(void)buf_printf(b, "%lld", (long long)x);
	else
		(void)buf_double(b, x);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put(struct buf *b, json_t *json, bool top, bool limits);

static void put_seed(struct buf *b, json_t *json)
{
	uint64_t seed;

	if (json_is_string(json) && parse_seed(json_string_value(json), &seed))
		(void)buf_printf(b, "\"%llu\"", (unsigned long long)seed);
	else if (json_is_number(json) && json_number_value(json) >= 0.0) {
		(void)buf_char(b, '"');
		put_number(b, json);
		(void)buf_char(b, '"');
	} else {
		put(b, json, false, false);
	}
}

/* What does not change a result is no part of the text. */
static bool left_out(const char *name, json_t *value, bool top, bool limits)
{
	if (top && !strcmp(name, "name"))
		return true;
	if (limits && !strcmp(name, "wall_s"))
		return true;
	return top && !strcmp(name, "limits") &&
	       json_object_size(value) == (json_object_get(value, "wall_s") ? 1U : 0U);
}

static void put_object(struct buf *b, json_t *json, bool top, bool limits)
{
	size_t n = 0, size = json_object_size(json);
	const char **names = mem_alloc(size ? size : 1, sizeof(*names));
	const char *name;
	json_t *value;
	bool more = false;

	if (!names) {
		b->failed = ERR_NOMEM;
		return;
	}
	json_object_foreach(json, name, value) names[n++] = name;
	qsort(names, n, sizeof(*names), by_bytes);
	(void)buf_char(b, '{');
	for (size_t i = 0; i < n; i++) {
		value = json_object_get(json, names[i]);
		if (left_out(names[i], value, top, limits))
			continue;
		if (more)
			(void)buf_char(b, ',');
		more = true;
		(void)buf_json_string(b, names[i]);
		(void)buf_char(b, ':');
		if (top && !strcmp(names[i], "seed"))
			put_seed(b, value);
		else
			put(b, value, false, top && !strcmp(names[i], "limits"));
	}
	(void)buf_char(b, '}');
	mem_free(names);
}

static void put(struct buf *b, json_t *json, bool top, bool limits)
{
	size_t i;
	json_t *value;

	switch (json_typeof(json)) {
	case JSON_OBJECT:
		put_object(b, json, top, limits);
		break;
	case JSON_ARRAY:
		(void)buf_char(b, '[');
		json_array_foreach(json, i, value)
		{
			if (i)
				(void)buf_char(b, ',');
			put(b, value, false, false);
		}
		(void)buf_char(b, ']');
		break;
	case JSON_STRING:
		(void)buf_json_string(b, json_string_value(json));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		put_number(b, json);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		(void)buf_str(b, json_is_true(json) ? "true" : "false");
		break;
	case JSON_NULL:
		(void)buf_str(b, "null");
		break;
	}
}

static char *text_of(const json_t *json, bool top)
{
	json_t *copy = json_deep_copy(json); /* iteration wants what may be changed */
	struct buf b;
	char *text;

	if (!copy)
		return NULL;
	buf_init(&b, CANONICAL_MAX);
	put(&b, copy, top, false);
	json_decref(copy);
	text = buf_take(&b, NULL);
	buf_release(&b);
	return text;
}

char *spec_json_canonical(const json_t *json)
{
	return text_of(json, true);
}

char *spec_json_text(const json_t *json)
{
	return text_of(json, false);
}

static bool set_default(json_t *object, const char *name, json_t *value)
{
	if (!value)
		return false;
	if (json_object_get(object, name)) {
		json_decref(value);
		return true;
	}
	return json_object_set_new(object, name, value) == 0;
}

json_t *spec_json_normalized(const json_t *json)
{
	json_t *copy = json_deep_copy(json);
	bool ok;

	if (!json_is_object(copy))
		return copy;
	ok = set_default(copy, "seed", json_string("0"));
	if (!json_object_get(copy, "experiment")) {
		ok = set_default(copy, "resolution_ms", json_real(RESOLUTION_MS)) && ok;
		ok = set_default(copy, "projections", json_object()) && ok;
		ok = set_default(copy, "record", json_object()) && ok;
		ok = set_default(copy, "schedule", json_array()) && ok;
		ok = set_default(copy, "limits", json_object()) && ok;
		ok = ok && (!json_is_object(json_object_get(copy, "limits")) ||
			    set_default(json_object_get(copy, "limits"), "max_spikes",
					json_integer(MAX_SPIKES)));
	} else {
		ok = set_default(copy, "params", json_object()) && ok;
	}
	if (ok)
		return copy;
	json_decref(copy);
	return NULL;
}

/* Data sets named anywhere. */

static bool has_string(const json_t *list, const char *text)
{
	size_t i;
	json_t *value;

	json_array_foreach(list, i, value) if (!strcmp(json_string_value(value), text)) return true;
	return false;
}

static bool collect(json_t *json, json_t *list)
{
	const char *name;
	json_t *value;
	size_t i;

	json_array_foreach(json, i, value) if (!collect(value, list)) return false;
	if (!json_is_object(json))
		return true;
	json_object_foreach(json, name, value)
	{
		const char *id = strcmp(name, "dataset") ? NULL : json_string_value(value);

		if (id && !has_string(list, id) &&
		    json_array_append_new(list, json_string(id)) != 0)
			return false;
		if (!collect(value, list))
			return false;
	}
	return true;
}

json_t *spec_json_datasets(const json_t *json)
{
	json_t *list = json_array();
	json_t *copy = json_deep_copy(json);
	bool ok = list && copy && collect(copy, list);

	json_decref(copy);
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}
