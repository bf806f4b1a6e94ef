/* spec_json_read.c - the reader's tools: places, errors, tables of keys, plain values. */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_read.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64, LIST_TEXT_MAX = 200, MESSAGE_MAX = 320 };

/* How far from a whole number of steps a time may lie: decimal fractions are not exact in binary.
 */
#define GRID_TOLERANCE	   1e-9
#define GRID_TOLERANCE_MAX 1e-3

struct spec_json_at spec_json_read_key(const struct spec_json_at *up, const char *key)
{
	return (struct spec_json_at){ .up = up, .key = key };
}

struct spec_json_at spec_json_read_item(const struct spec_json_at *up, size_t index)
{
	return (struct spec_json_at){ .up = up, .index = index };
}

/* Length of text[max] without a character cut in two. */
static size_t whole_characters(const char *text, size_t max)
{
	size_t n = strlen(text);

	if (n <= max)
		return n;
	for (n = max; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

/* RFC 6901: ~ is written ~0, / is written ~1. */
static size_t put_escaped(char *out, size_t len, const char *key)
{
	for (; *key; key++) {
		const char *text = *key == '~' ? "~0" : *key == '/' ? "~1" : NULL;

		if (len + 3 > ERR_PATH_MAX)
			break;
		if (text) {
			out[len++] = text[0];
			out[len++] = text[1];
		} else {
			out[len++] = *key;
		}
	}
	while (*key && len > 0 && ((unsigned char)*key & 0xc0) == 0x80) {
		key--;
		len--;
	}
	return len;
}

static size_t put_at(char *out, const struct spec_json_at *at)
{
	char index[24];
	size_t len;

	if (!at->up) {
		len = whole_characters(at->key, ERR_PATH_MAX - 1);
		memcpy(out, at->key, len);
		return len;
	}
	len = put_at(out, at->up);
	if (len + 2 > ERR_PATH_MAX)
		return len;
	out[len++] = '/';
	if (at->key)
		return put_escaped(out, len, at->key);
	(void)snprintf(index, sizeof(index), "%zu", at->index);
	return put_escaped(out, len, index);
}

void spec_json_read_fail(struct spec_json_reader *r, const struct spec_json_at *at,
			 enum err_code code, const char *fmt, ...)
{
	char path[ERR_PATH_MAX];
	char text[MESSAGE_MAX];
	va_list ap;

	path[put_at(path, at)] = '\0';
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)err_list_add(r->errors, code, path, "%s", text);
}

const char *spec_json_read_quote(char *out, const char *text)
{
	size_t n = whole_characters(text, SPEC_JSON_QUOTE_MAX - 6);

	(void)snprintf(out, SPEC_JSON_QUOTE_MAX, "\"%.*s%s\"", (int)n, text, text[n] ? "..." : "");
	return out;
}

static const char *found_text(json_t *json, char *out, size_t n)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		(void)snprintf(out, n, "an object");
		break;
	case JSON_ARRAY:
		(void)snprintf(out, n, "an array of %zu", json_array_size(json));
		break;
	case JSON_STRING:
		(void)snprintf(out, n, "the string ");
		(void)spec_json_read_quote(out + strlen(out), json_string_value(json));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		(void)snprintf(out, n, "%.12g", json_number_value(json));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		(void)snprintf(out, n, json_is_true(json) ? "true" : "false");
		break;
	case JSON_NULL:
		(void)snprintf(out, n, "null");
		break;
	}
	return out;
}

void spec_json_read_type(struct spec_json_reader *r, const struct spec_json_at *at,
			 const char *what, json_t *found)
{
	char text[SPEC_JSON_QUOTE_MAX + 16];

	spec_json_read_fail(r, at, ERR_TYPE, "expected %s, found %s", what,
			    found_text(found, text, sizeof(text)));
}

void spec_json_read_unknown(struct spec_json_reader *r, const struct spec_json_at *at,
			    const char *what, const char *name, struct spec_json_names names)
{
	const char *near = param_nearest(name, names.at, names.n);
	char quote[SPEC_JSON_QUOTE_MAX];
	char list[LIST_TEXT_MAX];
	size_t len = 0;

	(void)spec_json_read_quote(quote, name);
	if (near) {
		spec_json_read_fail(r, at, ERR_UNKNOWN, "%s is no %s; did you mean \"%s\"?", quote,
				    what, near);
		return;
	}
	list[0] = '\0';
	for (size_t i = 0; i < names.n; i++) {
		size_t n = strlen(names.at[i]);

		if (len + n + 8 > sizeof(list)) {
			(void)snprintf(list + len, sizeof(list) - len, ", ...");
			break;
		}
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "",
					names.at[i]);
	}
	spec_json_read_fail(r, at, ERR_UNKNOWN, "%s is no %s; expected one of: %s", quote, what,
			    names.n ? list : "(there is none)");
}

void spec_json_read_err(struct spec_json_reader *r, const struct spec_json_at *at,
			const struct err *err)
{
	struct spec_json_at member = spec_json_read_key(at, err->path);

	if (err->code == ERR_NOMEM) {
		r->nomem = true;
		return;
	}
	spec_json_read_fail(r, err->path[0] ? &member : at, (enum err_code)err->code, "%s",
			    err->text);
}

void *spec_json_read_alloc(struct spec_json_reader *r, size_t n, size_t size)
{
	void *p = mem_arena_alloc(r->arena, n ? n : 1, size);

	if (!p)
		r->nomem = true;
	return p;
}

static bool known_key(const struct spec_json_key *keys, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(keys[i].name, name))
			return true;
	return false;
}

static void check_keys(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       const char *what, const struct spec_json_key *keys, size_t n)
{
	const char *names[NAMES_MAX];
	char text[LIST_TEXT_MAX];
	const char *name;
	json_t *value;

	for (size_t i = 0; i < n && i < NAMES_MAX; i++)
		names[i] = keys[i].name;
	(void)snprintf(text, sizeof(text), "key of %s", what);
	json_object_foreach(json, name, value)
	{
		struct spec_json_at here = spec_json_read_key(at, name);

		if (!known_key(keys, n, name))
			spec_json_read_unknown(r, &here, text, name,
					       (struct spec_json_names){ names, n });
	}
}

void spec_json_read_object(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			   const char *what, const struct spec_json_key *keys, size_t n, void *out)
{
	char expected[LIST_TEXT_MAX];

	if (!json_is_object(json)) {
		(void)snprintf(expected, sizeof(expected), "%s as an object", what);
		spec_json_read_type(r, at, expected, json);
		return;
	}
	check_keys(r, json, at, what, keys, n);
	for (size_t i = 0; i < n; i++) {
		struct spec_json_at here = spec_json_read_key(at, keys[i].name);
		json_t *value = json_object_get(json, keys[i].name);

		if (value)
			keys[i].read(r, value, &here, out);
		else if (keys[i].required)
			spec_json_read_fail(r, &here, ERR_MISSING, "%s needs \"%s\", found nothing",
					    what, keys[i].name);
	}
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **spec_json_read_sorted(struct spec_json_reader *r, json_t *json,
				   const struct spec_json_at *at, size_t *ret_n)
{
	const char **names, *name;
	json_t *value;
	size_t n = 0;

	if (!json_is_object(json)) {
		spec_json_read_type(r, at, "an object of named objects", json);
		return NULL;
	}
	names = SPEC_JSON_NEW(r, const char *, json_object_size(json));
	if (!names)
		return NULL;
	json_object_foreach(json, name, value)
	{
		struct spec_json_at here = spec_json_read_key(at, name);

		if (!name[0] || strlen(name) > SPEC_JSON_NAME_MAX)
			spec_json_read_fail(r, &here, ERR_RANGE,
					    "a name must have 1 to %d bytes, found %zu",
					    SPEC_JSON_NAME_MAX, strlen(name));
		names[n] = mem_arena_strdup(r->arena, name);
		if (!names[n++]) {
			r->nomem = true;
			return NULL;
		}
	}
	qsort(names, n, sizeof(*names), by_bytes);
	*ret_n = n;
	return names;
}

void spec_json_read_array(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  const char *what, spec_json_member *read, void *out)
{
	json_t *value;
	size_t i;

	if (!json_is_array(json)) {
		spec_json_read_type(r, at, what, json);
		return;
	}
	json_array_foreach(json, i, value)
	{
		struct spec_json_at here = spec_json_read_item(at, i);

		read(r, value, &here, out);
	}
}

bool spec_json_read_number(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			   double *ret)
{
	if (!json_is_number(json)) {
		spec_json_read_type(r, at, "a number", json);
		return false;
	}
	*ret = json_number_value(json);
	return true;
}

bool spec_json_read_integer(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    double min, double max, double *ret)
{
	double x = json_number_value(json);

	if (!json_is_number(json) || floor(x) != x) {
		spec_json_read_type(r, at, "a whole number", json);
		return false;
	}
	if (x < min || x > max) {
		spec_json_read_fail(r, at, ERR_RANGE,
				    "must be a whole number from %.17g to %.17g, found %.17g", min,
				    max, x);
		return false;
	}
	*ret = x;
	return true;
}

bool spec_json_read_bool(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			 bool *ret)
{
	if (!json_is_boolean(json)) {
		spec_json_read_type(r, at, "true or false", json);
		return false;
	}
	*ret = json_is_true(json);
	return true;
}

const char *spec_json_read_string(struct spec_json_reader *r, json_t *json,
				  const struct spec_json_at *at)
{
	if (!json_is_string(json))
		spec_json_read_type(r, at, "a string", json);
	return json_string_value(json);
}

bool spec_json_read_grid(struct spec_json_reader *r, double ms, const struct spec_json_at *at,
			 int64_t *ret)
{
	double dt = r->spec->dt;
	double x, whole, tolerance;

	if (!(dt > 0.0))
		return false;
	x = ms / dt;
	if (!(fabs(x) <= SPEC_JSON_STEPS_MAX)) {
		spec_json_read_fail(r, at, ERR_RANGE,
				    "must be at most %.12g ms (2^40 steps), found %.12g ms",
				    SPEC_JSON_STEPS_MAX * dt, ms);
		return false;
	}
	whole = floor(x + 0.5);
	tolerance = GRID_TOLERANCE * (fabs(x) > 1.0 ? fabs(x) : 1.0);
	if (tolerance > GRID_TOLERANCE_MAX)
		tolerance = GRID_TOLERANCE_MAX;
	if (fabs(x - whole) > tolerance) {
		spec_json_read_fail(r, at, ERR_GRID,
				    "must be a multiple of resolution_ms = %.12g ms, found %.15g "
				    "ms; the nearest are %.12g and %.12g ms",
				    dt, ms, floor(x) * dt, (floor(x) + 1.0) * dt);
		return false;
	}
	*ret = (int64_t)whole;
	return true;
}

bool spec_json_read_steps(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  double min, double max, int64_t *ret)
{
	double ms, dt = r->spec->dt;
	int64_t t;

	if (!spec_json_read_number(r, json, at, &ms) || !spec_json_read_grid(r, ms, at, &t))
		return false;
	if ((double)t < min || (double)t > max) {
		spec_json_read_fail(r, at, ERR_RANGE,
				    "must lie in [%.12g, %.12g] ms, found %.12g ms", min * dt,
				    max * dt, ms);
		return false;
	}
	*ret = t;
	return true;
}

int spec_json_read_population(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at)
{
	const char *name = spec_json_read_string(r, json, at);
	int i;

	if (!name)
		return -1;
	i = spec_population(r->spec, name);
	if (i < 0)
		spec_json_read_unknown(
			r, at, "population", name,
			(struct spec_json_names){ r->population_names, r->spec->n_populations });
	return i;
}

int spec_json_read_projection(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at)
{
	const char *name = spec_json_read_string(r, json, at);
	int i;

	if (!name)
		return -1;
	i = spec_projection(r->spec, name);
	if (i < 0)
		spec_json_read_unknown(
			r, at, "projection", name,
			(struct spec_json_names){ r->projection_names, r->spec->n_projections });
	return i;
}
