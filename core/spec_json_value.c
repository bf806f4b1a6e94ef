/* spec_json_value.c - values of parameters: numbers, arrays, distributions, slices of data sets.
 */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fmath.h"

enum { ALLOWED_MAX = 160 };

struct draft {
	const struct spec_json_want *want;
	struct spec_value *value;
	double scale, offset;
	const char *id, *field;
	int64_t row;
	bool ok;
};

struct spec_json_names spec_json_value_names(const struct param_def *defs, size_t n,
					     const char **names)
{
	for (size_t i = 0; i < n; i++)
		names[i] = defs[i].name;
	return (struct spec_json_names){ names, n };
}

static bool on_grid(const struct param_def *def)
{
	return def->unit == UNIT_MS && def->type == PARAM_NUMBER && !(def->flags & PARAM_OFFGRID);
}

static void allowed_text(const struct spec_json_want *want, char *out, size_t n)
{
	if (want->scalar)
		(void)snprintf(out, n, "a number");
	else if (want->n < 0.0)
		(void)snprintf(out, n,
			       "a number, {\"uniform\": [a, b]}, {\"normal\": {\"mean\", "
			       "\"sd\"}} or {\"lognormal\": {\"mu\", \"sigma\"}}");
	else
		(void)snprintf(
			out, n,
			"a number, an array of %.0f, {\"uniform\": [a, b]}, {\"normal\": "
			"{\"mean\", \"sd\"}}, "
			"{\"lognormal\": {\"mu\", \"sigma\"}} or {\"dataset\": id, \"field\"}",
			want->n);
}

/* Range of one number; `text` is told where it stands in an array that is not written out. */
static bool in_range(struct spec_json_reader *r, const struct param_def *def, double x,
		     const struct spec_json_at *at)
{
	struct err err = { 0 };

	if (param_check(def, x, "", &err) == 0)
		return true;
	spec_json_read_fail(r, at, (enum err_code)err.code, "%s", err.text);
	return false;
}

static bool read_choice(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			const struct param_def *def, double *ret)
{
	const char *text = spec_json_read_string(r, json, at);
	size_t n = 0;
	int i;

	if (!text)
		return false;
	i = param_choice(def, text);
	if (i < 0) {
		while (def->choices[n])
			n++;
		spec_json_read_unknown(r, at, def->name, text,
				       (struct spec_json_names){ def->choices, n });
		return false;
	}
	*ret = i;
	return true;
}

static bool read_one(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		     const struct param_def *def, double *ret)
{
	bool on = false;
	int64_t steps;
	double x;

	if (def->type == PARAM_ENUM)
		return read_choice(r, json, at, def, ret);
	if (def->type == PARAM_BOOL) {
		if (!spec_json_read_bool(r, json, at, &on))
			return false;
		*ret = on;
		return true;
	}
	if (!spec_json_read_number(r, json, at, &x))
		return false;
	if (def->type == PARAM_INTEGER && floor(x) != x) {
		spec_json_read_type(r, at, "a whole number", json);
		return false;
	}
	if (!in_range(r, def, x, at) || (on_grid(def) && !spec_json_read_grid(r, x, at, &steps)))
		return false;
	*ret = x;
	return true;
}

static bool wrong_length(struct spec_json_reader *r, const struct spec_json_at *at, double want,
			 size_t found)
{
	if (isnan(want)) /* what would tell the number is wrong itself */
		return false;
	if (want < 0.0) {
		spec_json_read_fail(r, at, ERR_CONFLICT,
				    "an array needs a known number of items, which is drawn "
				    "here; give a number or a distribution");
		return true;
	}
	if ((double)found == want)
		return false;
	spec_json_read_fail(r, at, ERR_RANGE, "expected %.0f values, found %zu", want, found);
	return true;
}

static bool read_items(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       struct spec_json_want want, struct spec_value *ret)
{
	size_t n = json_array_size(json);
	bool ok = true;
	double *array;

	if (wrong_length(r, at, want.n, n))
		return false;
	array = SPEC_JSON_NEW(r, double, n);
	if (!array)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct spec_json_at here = spec_json_read_item(at, i);

		ok = read_one(r, json_array_get(json, i), &here, want.def, &array[i]) && ok;
	}
	*ret = (struct spec_value){ .kind = SPEC_ARRAY, .array = array, .n = n, .set = true };
	return ok;
}

/* Distributions. */

/* The range of a parameter with its ends: what is drawn is clipped to it. */
static struct param_def closed(const struct param_def *def)
{
	struct param_def d = *def;

	d.flags &= ~(unsigned)(PARAM_OPEN_MIN | PARAM_OPEN_MAX);
	return d;
}

static void read_uniform(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			 void *out)
{
	struct draft *d = out;
	struct param_def def = closed(d->want->def);
	double end[2] = { 0.0, 0.0 };
	bool ok = true;

	if (!json_is_array(json) || json_array_size(json) != 2) {
		spec_json_read_type(r, at, "[a, b], the ends of the interval", json);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		struct spec_json_at here = spec_json_read_item(at, i);

		if (!spec_json_read_number(r, json_array_get(json, i), &here, &end[i]) ||
		    !in_range(r, &def, end[i], &here))
			ok = false;
	}
	if (!ok)
		return;
	if (end[0] > end[1]) {
		spec_json_read_fail(r, at, ERR_RANGE,
				    "the ends [a, b] need a <= b, found [%.12g, %.12g]", end[0],
				    end[1]);
		return;
	}
	*d->value =
		(struct spec_value){ .kind = SPEC_UNIFORM, .a = end[0], .b = end[1], .set = true };
	d->ok = true;
}

static void read_first(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       void *out)
{
	if (!spec_json_read_number(r, json, at, &((struct spec_value *)out)->a))
		((struct spec_value *)out)->set = false;
}

static void read_spread(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	struct spec_value *v = out;

	if (!spec_json_read_number(r, json, at, &v->b)) {
		v->set = false;
	} else if (v->b < 0.0) {
		spec_json_read_fail(r, at, ERR_RANGE, "must be 0 or more, found %.12g", v->b);
		v->set = false;
	}
}

static const struct spec_json_key normal_keys[] = { { "mean", read_first, true },
						    { "sd", read_spread, true } };
static const struct spec_json_key lognormal_keys[] = { { "mu", read_first, true },
						       { "sigma", read_spread, true } };

static void read_normal(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	struct draft *d = out;
	struct param_def def = closed(d->want->def);
	struct spec_value v = { .kind = SPEC_NORMAL, .set = true };
	struct spec_json_at mean = spec_json_read_key(at, "mean");
	size_t before = err_list_count(r->errors);

	spec_json_read_object(r, json, at, "normal", normal_keys, COUNTOF(normal_keys), &v);
	if (err_list_count(r->errors) != before || !v.set || !in_range(r, &def, v.a, &mean))
		return;
	*d->value = v;
	d->ok = true;
}

static void read_lognormal(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			   void *out)
{
	struct draft *d = out;
	struct param_def def = closed(d->want->def);
	struct spec_value v = { .kind = SPEC_LOGNORMAL, .set = true };
	struct spec_json_at mu = spec_json_read_key(at, "mu");
	size_t before = err_list_count(r->errors);

	spec_json_read_object(r, json, at, "lognormal", lognormal_keys, COUNTOF(lognormal_keys),
			      &v);
	if (err_list_count(r->errors) != before || !v.set)
		return;
	if (!in_range(r, &def, fmath_exp(v.a), &mu))
		return;
	*d->value = v;
	d->ok = true;
}

/* Data sets. */

static void read_id(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		    void *out)
{
	((struct draft *)out)->id = spec_json_read_string(r, json, at);
}

static void read_field(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       void *out)
{
	((struct draft *)out)->field = spec_json_read_string(r, json, at);
}

static void read_row(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		     void *out)
{
	struct draft *d = out;
	double row;

	d->ok = spec_json_read_integer(r, json, at, 0.0, SPEC_JSON_SIZE_MAX, &row) && d->ok;
	if (d->ok)
		d->row = (int64_t)row;
}

static void read_scale(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       void *out)
{
	struct draft *d = out;

	d->ok = spec_json_read_number(r, json, at, &d->scale) && d->ok;
}

static void read_offset(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			void *out)
{
	struct draft *d = out;

	d->ok = spec_json_read_number(r, json, at, &d->offset) && d->ok;
}

static const struct spec_json_key slice_keys[] = {
	{ "dataset", read_id, true },	  { "field", read_field, true },
	{ "row", read_row, false },	  { "scale", read_scale, false },
	{ "offset", read_offset, false },
};

bool spec_json_value_load(struct spec_json_reader *r, const struct spec_json_at *at, const char *id,
			  const char *field, int64_t row, const double **ret, size_t *ret_n)
{
	struct err err = { 0 };
	int rc;

	if (!r->datasets) {
		spec_json_read_fail(r, at, ERR_NOTFOUND, "no data sets can be used here");
		return false;
	}
	rc = r->datasets->load(r->datasets->self, id, field, row, r->arena, ret, ret_n, &err);
	if (rc == 0)
		return true;
	err.code = err.code ? err.code : -rc;
	err.path[0] = '\0';
	spec_json_read_err(r, at, &err);
	return false;
}

static bool scale_slice(struct spec_json_reader *r, const struct draft *d,
			const struct spec_json_at *at, const double *from, size_t n)
{
	double *array = SPEC_JSON_NEW(r, double, n);
	struct err err = { 0 };
	int64_t steps;

	if (!array)
		return false;
	for (size_t i = 0; i < n; i++) {
		array[i] = d->offset + d->scale * from[i];
		if (param_check(d->want->def, array[i], "", &err) != 0) {
			spec_json_read_fail(r, at, (enum err_code)err.code,
					    "value %zu of the data: %s", i, err.text);
			return false;
		}
		if (on_grid(d->want->def) && strcmp(d->want->def->name, "delay_ms") != 0 &&
		    !spec_json_read_grid(r, array[i], at, &steps))
			return false;
	}
	*d->value = (struct spec_value){ .kind = SPEC_ARRAY, .array = array, .n = n, .set = true };
	return true;
}

static bool read_slice(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       const struct spec_json_want *want, struct spec_value *ret)
{
	struct draft d = { .want = want, .value = ret, .scale = 1.0, .row = -1, .ok = true };
	size_t before = err_list_count(r->errors);
	const double *from;
	size_t n;

	spec_json_read_object(r, json, at, "a slice of a data set", slice_keys, COUNTOF(slice_keys),
			      &d);
	if (err_list_count(r->errors) != before || !d.ok || !d.id || !d.field)
		return false;
	if (want->n < 0.0)
		return !wrong_length(r, at, want->n, 0);
	if (!spec_json_value_load(r, at, d.id, d.field, d.row, &from, &n) ||
	    wrong_length(r, at, want->n, n))
		return false;
	return scale_slice(r, &d, at, from, n);
}

static const struct spec_json_key kinds[] = {
	{ "uniform", read_uniform, false },
	{ "normal", read_normal, false },
	{ "lognormal", read_lognormal, false },
};

static bool read_distribution(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at, const struct spec_json_want *want,
			      struct spec_value *ret)
{
	struct draft d = { .want = want, .value = ret };
	char allowed[ALLOWED_MAX];

	allowed_text(want, allowed, sizeof(allowed));
	if (json_object_size(json) == 1) {
		const char *name = json_object_iter_key(json_object_iter(json));
		struct spec_json_at here = spec_json_read_key(at, name);

		for (size_t i = 0; i < COUNTOF(kinds); i++)
			if (!strcmp(kinds[i].name, name)) {
				kinds[i].read(r, json_object_get(json, name), &here, &d);
				return d.ok;
			}
	}
	spec_json_read_type(r, at, allowed, json);
	return false;
}

bool spec_json_value(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		     struct spec_json_want want, struct spec_value *ret)
{
	bool number = want.def->type == PARAM_NUMBER || want.def->type == PARAM_INTEGER;
	char allowed[ALLOWED_MAX];
	double x;

	if (json_is_array(json) && !want.scalar)
		return read_items(r, json, at, want, ret);
	if (json_is_object(json) && !want.scalar && json_object_get(json, "dataset"))
		return read_slice(r, json, at, &want, ret);
	if (json_is_object(json) && !want.scalar && number) {
		if (want.def->type == PARAM_INTEGER ||
		    (on_grid(want.def) && strcmp(want.def->name, "delay_ms") != 0)) {
			spec_json_read_fail(r, at, ERR_TYPE,
					    "expected a number or an array: %s cannot be drawn "
					    "from a distribution",
					    want.def->type == PARAM_INTEGER ? "a whole number"
									    : "a time on the grid");
			return false;
		}
		return read_distribution(r, json, at, &want, ret);
	}
	if (number && !json_is_number(json)) {
		allowed_text(&want, allowed, sizeof(allowed));
		spec_json_read_type(r, at, allowed, json);
		return false;
	}
	if (!read_one(r, json, at, want.def, &x))
		return false;
	*ret = (struct spec_value){ .kind = SPEC_CONST, .a = x, .set = true };
	return true;
}
