/* sweep_plan.c - the arithmetic of a grid. */
/* SPDX-License-Identifier: MIT */
#include "server/sweep_plan.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/spec_json.h"
#include "server/dump.h"
#include "server/pointer.h"

enum { VALUE_TEXT_MAX = 1 << 16, NUMBER_TEXT_MAX = 40 };

int sweep_plan_read(struct sweep_plan *p, const char *spec, const char *axes, const char *seeds,
		    struct err *err)
{
	*p = (struct sweep_plan){ .spec = json_loads(spec, 0, NULL),
				  .axes = json_loads(axes, 0, NULL),
				  .seeds = json_loads(seeds, 0, NULL) };
	if (json_is_object(p->spec) && json_is_array(p->axes) && json_array_size(p->seeds) > 0)
		return 0;
	sweep_plan_release(p);
	return err_set(err, ERR_CORRUPT, NULL, "what is stored of the sweep cannot be read");
}

void sweep_plan_release(struct sweep_plan *p)
{
	json_decref(p->spec);
	json_decref(p->axes);
	json_decref(p->seeds);
	*p = (struct sweep_plan){ 0 };
}

/* ---- points ---- */

size_t sweep_plan_axes(const struct sweep_plan *p)
{
	return json_array_size(p->axes);
}

static json_t *axis_member(const struct sweep_plan *p, size_t axis, const char *key)
{
	return json_object_get(json_array_get(p->axes, axis), key);
}

json_t *sweep_plan_values(const struct sweep_plan *p, size_t axis)
{
	return axis_member(p, axis, "values");
}

const char *sweep_plan_path(const struct sweep_plan *p, size_t axis)
{
	return json_string_value(axis_member(p, axis, "path"));
}

const char *sweep_plan_name(const struct sweep_plan *p, size_t axis)
{
	return json_string_value(axis_member(p, axis, "name"));
}

int64_t sweep_plan_cells(const struct sweep_plan *p, int64_t max)
{
	int64_t n = 1;

	for (size_t i = 0; i < sweep_plan_axes(p); i++) {
		int64_t k = (int64_t)json_array_size(sweep_plan_values(p, i));

		if (k && n > max / k)
			return max + 1;
		n *= k;
	}
	return n;
}

size_t sweep_plan_index(const struct sweep_plan *p, int64_t point, size_t axis)
{
	size_t rest = (size_t)point / json_array_size(p->seeds);

	for (size_t i = sweep_plan_axes(p) - 1; i > axis; i--)
		rest /= json_array_size(sweep_plan_values(p, i));
	return rest % json_array_size(sweep_plan_values(p, axis));
}

const char *sweep_plan_seed(const struct sweep_plan *p, int64_t point)
{
	return json_string_value(
		json_array_get(p->seeds, (size_t)point % json_array_size(p->seeds)));
}

json_t *sweep_plan_spec(const struct sweep_plan *p, int64_t point, size_t *ret_axis)
{
	json_t *spec = json_deep_copy(p->spec);

	for (size_t i = 0; spec && i < sweep_plan_axes(p); i++) {
		json_t *v = json_deep_copy(
			json_array_get(sweep_plan_values(p, i), sweep_plan_index(p, point, i)));
		bool ok = v && pointer_set(spec, sweep_plan_path(p, i), v);

		json_decref(v);
		if (!ok) {
			*ret_axis = i;
			json_decref(spec);
			return NULL;
		}
	}
	if (spec)
		(void)json_object_set_new(spec, "seed", json_string(sweep_plan_seed(p, point)));
	return spec;
}

void sweep_plan_label(const struct sweep_plan *p, int64_t point, char *text, size_t n)
{
	size_t len = 0;
	struct buf b;

	text[0] = '\0';
	for (size_t i = 0; i < sweep_plan_axes(p) && len + 1 < n; i++) {
		buf_init(&b, VALUE_TEXT_MAX);
		(void)dump_json(
			&b, json_array_get(sweep_plan_values(p, i), sweep_plan_index(p, point, i)));
		(void)snprintf(text + len, n - len, "%s=%.40s, ", sweep_plan_name(p, i),
			       b.data && !b.failed ? b.data : "...");
		len = strlen(text);
		buf_release(&b);
	}
	(void)snprintf(text + len, n - len, "seed %s", sweep_plan_seed(p, point));
}

/* ---- ranges ---- */

/* 0.1 + 2 * 0.1 is 0.3: what a person would have written. */
static double plain(double x)
{
	char text[NUMBER_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "%.12g", x);
	return strtod(text, NULL);
}

struct range {
	double from, to, step;
	int64_t count;
	bool log, whole;
};

static bool is_whole(double x)
{
	return x == floor(x) && fabs(x) < 9e15;
}

static double value_at(const struct range *r, int64_t i)
{
	double part = r->count > 1 ? (double)i / (double)(r->count - 1) : 0.0;

	if (i == 0)
		return r->from;
	if (r->step != 0.0)
		return plain(r->from + (double)i * r->step);
	if (i == r->count - 1)
		return r->to;
	return plain(r->log ? r->from * pow(r->to / r->from, part)
			    : r->from + part * (r->to - r->from));
}

static int read_steps(const json_t *values, size_t max, const char *at, struct range *r,
		      struct err_list *errors)
{
	const json_t *step = json_object_get(values, "step"),
		     *count = json_object_get(values, "count");

	if ((step != NULL) + (count != NULL) != 1)
		return err_list_add(errors, step ? ERR_CONFLICT : ERR_MISSING, at,
				    "expected either step or count beside from and to");
	if (count && (!json_is_integer(count) || json_integer_value(count) < 1))
		return err_list_add(errors, ERR_RANGE, at,
				    "expected a count, a whole number from 1 on");
	if (step && (!json_is_number(step) || json_number_value(step) == 0.0 ||
		     (r->to - r->from) / json_number_value(step) < 0.0 || r->log))
		return err_list_add(errors, ERR_RANGE, at,
				    "expected a step that leads from %.12g to %.12g%s", r->from,
				    r->to, r->log ? "; log goes with count" : "");
	r->step = step ? json_number_value(step) : 0.0;
	if (step && (r->to - r->from) / r->step >= (double)max)
		r->count = (int64_t)max + 1;
	else /* the end belongs to it, as far as numbers are what they look like */
		r->count = step ? (int64_t)floor((r->to - r->from) / r->step + 1e-9) + 1
				: json_integer_value(count);
	if (r->count > (int64_t)max)
		return err_list_add(errors, ERR_LIMIT, at, "expected at most %zu values", max);
	return 0;
}

static int read_range(const json_t *values, size_t max, const char *at, struct range *r,
		      struct err_list *errors)
{
	static const char *const known[] = { "from", "to", "step", "count", "log" };
	const json_t *from = json_object_get(values, "from"), *to = json_object_get(values, "to"),
		     *log = json_object_get(values, "log");
	size_t n_known = 0;

	for (size_t i = 0; i < COUNTOF(known); i++)
		n_known += json_object_get(values, known[i]) != NULL;
	if (n_known != json_object_size(values) || !json_is_number(from) || !json_is_number(to) ||
	    (log && !json_is_boolean(log)))
		return err_list_add(errors, ERR_TYPE, at,
				    "expected a list of values, or {\"from\", \"to\", \"step\" or "
				    "\"count\", \"log\": true or false}");
	r->from = json_number_value(from);
	r->to = json_number_value(to);
	r->log = json_is_true(log);
	r->whole = json_is_integer(from) && json_is_integer(to);
	if (r->log && !(r->from * r->to > 0.0))
		return err_list_add(
			errors, ERR_RANGE, at,
			"log needs two ends of one sign, not 0; found from %.12g to %.12g", r->from,
			r->to);
	return read_steps(values, max, at, r, errors);
}

/* No value may come twice: its runs would be the same. */
static int check_twice(const json_t *list, bool listed, const char *at, struct err_list *errors)
{
	json_t *seen = json_object();
	char where[ERR_PATH_MAX];
	int rc = 0;

	for (size_t i = 0; !rc && i < json_array_size(list); i++) {
		char *text = spec_json_text(json_array_get(list, i));
		const json_t *before = text ? json_object_get(seen, text) : NULL;

		(void)snprintf(where, sizeof(where), listed ? "%.150s/%zu" : "%.150s", at, i);
		if (!text ||
		    (!before && json_object_set_new(seen, text, json_integer((json_int_t)i))))
			rc = err_list_add(errors, ERR_NOMEM, "", "out of memory");
		else if (before)
			rc = err_list_add(errors, ERR_CONFLICT, where,
					  "expected different values, found number %lld again",
					  (long long)json_integer_value(before));
		mem_free(text);
	}
	json_decref(seen);
	return rc;
}

static json_t *spell_out(const struct range *r)
{
	json_t *list = json_array();
	bool whole = r->whole;

	for (int64_t i = 0; whole && i < r->count; i++)
		whole = is_whole(value_at(r, i));
	for (int64_t i = 0; i < r->count; i++)
		(void)json_array_append_new(list, whole ? json_integer((json_int_t)value_at(r, i))
							: json_real(value_at(r, i)));
	return list;
}

json_t *sweep_plan_expand(json_t *values, size_t max, const char *at, struct err_list *errors)
{
	bool listed = json_is_array(values);
	struct range r = { 0 };
	json_t *list = NULL;

	if (listed && (json_array_size(values) == 0 || json_array_size(values) > max))
		(void)err_list_add(errors, ERR_RANGE, at, "expected 1 to %zu values, found %zu",
				   max, json_array_size(values));
	else if (listed)
		list = json_incref(values);
	else if (!read_range(values, max, at, &r, errors))
		list = spell_out(&r);
	if (list && check_twice(list, listed, at, errors)) {
		json_decref(list);
		return NULL;
	}
	return list;
}
