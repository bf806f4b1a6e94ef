/* spec_json_params.c - parameters of an experiment against its table. */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_read.h"

#include <math.h>
#include <string.h>

enum { NAMES_MAX = 64 };

struct range {
	double from, to, step;
};

static void read_from(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		      void *out)
{
	(void)spec_json_read_number(r, json, at, &((struct range *)out)->from);
}

static void read_to(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		    void *out)
{
	(void)spec_json_read_number(r, json, at, &((struct range *)out)->to);
}

static void read_step(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		      void *out)
{
	(void)spec_json_read_number(r, json, at, &((struct range *)out)->step);
}

static const struct spec_json_key range_keys[] = {
	{ "from", read_from, true },
	{ "to", read_to, true },
	{ "step", read_step, true },
};

/* from, from + step, ... up to `to`, which counts if rounding alone keeps it out. */
static json_t *read_range(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at)
{
	size_t before = err_list_count(r->errors);
	struct range x = { 0 };
	json_t *list;
	double n;

	spec_json_read_object(r, json, at, "a range", range_keys, COUNTOF(range_keys), &x);
	if (err_list_count(r->errors) != before)
		return NULL;
	n = floor((x.to - x.from) / x.step + 1e-9) + 1.0;
	if (!(n >= 1.0 && n <= (double)SPEC_JSON_LIST_MAX)) {
		spec_json_read_fail(
			r, at, ERR_RANGE,
			"a range must have 1 to %d values, found from %.12g to %.12g by %.12g",
			SPEC_JSON_LIST_MAX, x.from, x.to, x.step);
		return NULL;
	}
	list = json_array();
	for (size_t i = 0; list && i < (size_t)n; i++)
		if (json_array_append_new(list, json_real(x.from + (double)i * x.step)) != 0) {
			json_decref(list);
			list = NULL;
		}
	r->nomem = r->nomem || !list;
	return list;
}

static json_t *read_list(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			 const struct param_def *def)
{
	struct param_def number = *def;
	size_t before = err_list_count(r->errors);
	json_t *list, *value;
	size_t i;

	number.type = PARAM_NUMBER;
	number.flags |= PARAM_OFFGRID;
	if (json_is_object(json))
		list = read_range(r, json, at);
	else if (json_is_array(json) && json_array_size(json) <= (size_t)SPEC_JSON_LIST_MAX)
		list = json_incref(json);
	else {
		spec_json_read_type(
			r, at,
			"an array of at most 1000000 numbers or {\"from\", \"to\", \"step\"}",
			json);
		return NULL;
	}
	json_array_foreach(list, i, value)
	{
		struct spec_json_at here = spec_json_read_item(at, i);
		struct spec_value v;

		(void)spec_json_value(r, value, &here,
				      (struct spec_json_want){ .def = &number, .scalar = true },
				      &v);
	}
	if (err_list_count(r->errors) == before)
		return list;
	json_decref(list);
	return NULL;
}

/* A new reference to the value of one row, NULL after an error. */
static json_t *read_param(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  const struct param_def *def)
{
	struct param_def row = *def;
	struct spec_value v;

	switch (def->type) {
	case PARAM_LIST:
		return read_list(r, json, at, def);
	case PARAM_STRING:
		return spec_json_read_string(r, json, at) ? json_incref(json) : NULL;
	case PARAM_OBJECT:
		if (json_is_object(json))
			return json_incref(json);
		spec_json_read_type(r, at, "an object", json);
		return NULL;
	case PARAM_NUMBER:
	case PARAM_INTEGER:
	case PARAM_BOOL:
	case PARAM_ENUM:
		row.flags |= PARAM_OFFGRID;
		return spec_json_value(r, json, at,
				       (struct spec_json_want){ .def = &row, .scalar = true }, &v)
			       ? json_incref(json)
			       : NULL;
	case PARAM_TIMES:
	case PARAM_VALUES:
	case PARAM_TYPE_N:
		break;
	}
	spec_json_read_type(r, at, "no such value", json);
	return NULL;
}

static json_t *default_value(const struct param_def *def)
{
	switch (def->type) {
	case PARAM_NUMBER:
		return isfinite(def->def) ? json_real(def->def) : json_null();
	case PARAM_INTEGER:
		return json_integer((json_int_t)def->def);
	case PARAM_BOOL:
		return json_boolean(def->def != 0.0);
	case PARAM_ENUM:
		return json_string(def->choices[(size_t)def->def]);
	case PARAM_STRING: /* the first choice is the default of a free text too */
		return json_string(def->choices && def->choices[0] ? def->choices[0] : "");
	case PARAM_LIST:
	case PARAM_TIMES:
	case PARAM_VALUES:
		return json_array();
	case PARAM_OBJECT:
		return json_object();
	case PARAM_TYPE_N:
		break;
	}
	return json_null();
}

static void read_row(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		     const struct param_def *def, json_t *out)
{
	struct spec_json_at here = spec_json_read_key(at, def->name);
	json_t *value = json_object_get(json, def->name);
	json_t *found;

	if (!value && (def->flags & PARAM_REQUIRED)) {
		spec_json_read_fail(r, &here, ERR_MISSING, "expected \"%s\", found nothing",
				    def->name);
		return;
	}
	found = value ? read_param(r, value, &here, def) : default_value(def);
	if (!found && value)
		return;
	if (json_object_set_new(out, def->name, found) != 0)
		r->nomem = true;
}

static void check_names(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			const struct param_def *defs, size_t n)
{
	const char *names[NAMES_MAX];
	const char *name;
	json_t *value;

	json_object_foreach(json, name, value)
	{
		struct spec_json_at here = spec_json_read_key(at, name);

		if (param_find(defs, n, name) < 0)
			spec_json_read_unknown(
				r, &here, "parameter here", name,
				spec_json_value_names(defs, n < NAMES_MAX ? n : NAMES_MAX, names));
	}
}

json_t *spec_json_params(json_t *json, const struct param_def *defs, size_t n, const char *prefix,
			 struct err_list *errors)
{
	struct spec_json_at root = { .key = prefix ? prefix : "" };
	struct spec_json_reader r = { .errors = errors };
	size_t before = err_list_count(errors);
	struct spec none = { 0 };
	json_t *out;

	r.spec = &none;
	if (json && !json_is_object(json)) {
		spec_json_read_type(&r, &root, "an object of parameters", json);
		return NULL;
	}
	out = json_object();
	if (out && json)
		check_names(&r, json, &root, defs, n);
	for (size_t i = 0; out && i < n; i++)
		read_row(&r, json, &root, &defs[i], out);
	if (!out || r.nomem)
		(void)err_list_add(errors, ERR_NOMEM, r.nomem || !out ? root.key : "",
				   "out of memory");
	if (err_list_count(errors) == before)
		return out;
	json_decref(out);
	return NULL;
}
