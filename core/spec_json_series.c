/* spec_json_series.c - values that change at given times: two lists in the text, or columns of a
 * data set.
 *
 * One list serves all neurons; a list of lists, or a column that says whose each row is, gives every
 * neuron its own. Times stand on the grid and ascend strictly. */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_read.h"

#include <math.h>

/* One of the two parameters, as it stands in the text. */
struct column {
	const struct param_def *def;
	struct spec_json_at at;
	int64_t *step;	  /* [n] of times, else NULL */
	double *value;	  /* [n] of values, else NULL */
	uint32_t *neuron; /* [n] NULL: for all */
	size_t n;
};

static bool allocate(struct spec_json_reader *r, struct column *c, size_t n, bool own)
{
	bool times = c->def->type == PARAM_TIMES;

	c->step = times ? SPEC_JSON_NEW(r, int64_t, n) : NULL;
	c->value = times ? NULL : SPEC_JSON_NEW(r, double, n);
	c->neuron = own ? SPEC_JSON_NEW(r, uint32_t, n) : NULL;
	return (c->step || c->value) && (c->neuron || !own);
}

static bool read_entry(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       struct column *c)
{
	struct err err = { 0 };
	double x;

	if (c->step)
		return spec_json_read_steps(r, json, at, 0.0, SPEC_JSON_STEPS_MAX, &c->step[c->n]);
	if (!spec_json_read_number(r, json, at, &x))
		return false;
	c->value[c->n] = x;
	if (x >= c->def->min && x <= c->def->max)
		return true;
	(void)err_set(&err, ERR_RANGE, "", "%s must lie in [%.15g, %.15g] %s, not %.15g",
		      c->def->name, c->def->min, c->def->max, unit_name(c->def->unit), x);
	spec_json_read_err(r, at, &err);
	return false;
}

static bool read_items(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       uint32_t neuron, struct column *c)
{
	bool ok = true;
	json_t *value;
	size_t i;

	json_array_foreach(json, i, value)
	{
		struct spec_json_at here = spec_json_read_item(at, i);

		if (!read_entry(r, value, &here, c)) {
			ok = false;
			continue;
		}
		if (c->neuron)
			c->neuron[c->n] = neuron;
		c->n++;
	}
	return ok;
}

static bool read_lists(struct spec_json_reader *r, json_t *json, size_t size, struct column *c)
{
	size_t total = 0, i;
	bool ok = true;
	json_t *value;

	if (json_array_size(json) != size) {
		spec_json_read_fail(r, &c->at, ERR_RANGE,
				    "expected %zu lists, one for each neuron, or one list for all, "
				    "found %zu",
				    size, json_array_size(json));
		return false;
	}
	json_array_foreach(json, i, value) total += json_array_size(value);
	if (!allocate(r, c, total, true))
		return false;
	json_array_foreach(json, i, value)
	{
		struct spec_json_at here = spec_json_read_item(&c->at, i);

		if (json_is_array(value)) {
			ok = read_items(r, value, &here, (uint32_t)i, c) && ok;
			continue;
		}
		spec_json_read_type(r, &here, "a list of numbers, as the first item is", value);
		ok = false;
	}
	return ok;
}

/* Data sets. */

struct draft {
	const char *id, *field, *neuron_field;
};

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

static void read_neuron_field(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at, void *out)
{
	((struct draft *)out)->neuron_field = spec_json_read_string(r, json, at);
}

static const struct spec_json_key times_keys[] = {
	{ "dataset", read_id, true },
	{ "t_field", read_field, false },
	{ "neuron_field", read_neuron_field, false },
};

static const struct spec_json_key values_keys[] = {
	{ "dataset", read_id, true },
	{ "field", read_field, false },
};

/* Row i of a field; false with an error that names the row. */
static bool take_row(struct spec_json_reader *r, struct column *c, size_t i, double x)
{
	if (c->value && x >= c->def->min && x <= c->def->max) {
		c->value[i] = x;
		return true;
	}
	if (c->step && isfinite(x) && x >= 0.0)
		return spec_json_read_grid(r, x, &c->at, &c->step[i]);
	spec_json_read_fail(r, &c->at, ERR_RANGE,
			    "row %zu of the data: %s must lie in [%.12g, %.12g] %s, found %.12g", i,
			    c->def->name, c->def->min, c->def->max, unit_name(c->def->unit), x);
	return false;
}

static bool take_neuron(struct spec_json_reader *r, struct column *c, size_t i, double id,
			size_t size)
{
	if (id >= 0.0 && id < (double)size && floor(id) == id) {
		c->neuron[i] = (uint32_t)id;
		return true;
	}
	spec_json_read_fail(r, &c->at, ERR_RANGE,
			    "row %zu of the data: neuron must be a whole number from 0 to %zu, "
			    "found %.12g",
			    i, size - 1, id);
	return false;
}

static bool load_neurons(struct spec_json_reader *r, const struct draft *d, struct column *c,
			 size_t size)
{
	const double *id;
	size_t n;

	if (!spec_json_value_load(r, &c->at, d->id, d->neuron_field, -1, &id, &n))
		return false;
	if (n != c->n) {
		spec_json_read_fail(r, &c->at, ERR_CONFLICT,
				    "the data have %zu times but %zu neurons", c->n, n);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (!take_neuron(r, c, i, id[i], size))
			return false;
	return true;
}

static bool read_dataset(struct spec_json_reader *r, json_t *json, size_t size, struct column *c)
{
	bool times = c->def->type == PARAM_TIMES;
	struct draft d = { .field = times ? "t_ms" : "value" };
	size_t before = err_list_count(r->errors);
	const double *x;
	size_t n;

	spec_json_read_object(r, json, &c->at, c->def->name, times ? times_keys : values_keys,
			      times ? COUNTOF(times_keys) : COUNTOF(values_keys), &d);
	if (err_list_count(r->errors) != before || !d.id)
		return false;
	if (!spec_json_value_load(r, &c->at, d.id, d.field, -1, &x, &n) ||
	    !allocate(r, c, n, d.neuron_field != NULL))
		return false;
	for (; c->n < n; c->n++)
		if (!take_row(r, c, c->n, x[c->n]))
			return false;
	return !d.neuron_field || load_neurons(r, &d, c, size);
}

static bool read_column(struct spec_json_reader *r, json_t *json, size_t size, struct column *c)
{
	if (json_is_object(json))
		return read_dataset(r, json, size, c);
	if (!json_is_array(json)) {
		spec_json_read_type(r, &c->at, "a list of numbers or {\"dataset\": id}", json);
		return false;
	}
	if (json_is_array(json_array_get(json, 0)))
		return read_lists(r, json, size, c);
	return allocate(r, c, json_array_size(json), false) && read_items(r, json, &c->at, 0, c);
}

/* Both together. */

static bool fit(struct spec_json_reader *r, const struct column *times, const struct column *values)
{
	if (times->n != values->n) {
		spec_json_read_fail(r, &values->at, ERR_CONFLICT,
				    "expected as many values as times, %zu, found %zu", times->n,
				    values->n);
		return false;
	}
	for (size_t i = 0; values->neuron && i < values->n; i++)
		if (!times->neuron || times->neuron[i] != values->neuron[i]) {
			spec_json_read_fail(r, &values->at, ERR_CONFLICT,
					    "expected a value for each time of the same neuron");
			return false;
		}
	return true;
}

static bool ascends(struct spec_json_reader *r, const struct column *times, const int64_t *step,
		    size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (step[i] <= step[i - 1]) {
			spec_json_read_fail(r, &times->at, ERR_RANGE,
					    "expected times that ascend strictly, found %.12g ms "
					    "after %.12g ms",
					    (double)step[i] * r->spec->dt,
					    (double)step[i - 1] * r->spec->dt);
			return false;
		}
	return true;
}

/* Sort the rows by neuron, each neuron's in their order. */
static bool distribute(struct spec_json_reader *r, const struct column *times,
		       const struct column *values, size_t size, struct neuron_times *ret)
{
	size_t n = times->n;
	uint64_t *offset = SPEC_JSON_NEW(r, uint64_t, size + 1);
	uint64_t *next = SPEC_JSON_NEW(r, uint64_t, size + 1);
	int64_t *step = SPEC_JSON_NEW(r, int64_t, n);
	double *value = SPEC_JSON_NEW(r, double, n);

	if (!offset || !next || !step || !value)
		return false;
	for (size_t i = 0; i < n; i++)
		offset[times->neuron[i] + 1]++;
	for (size_t i = 0; i < size; i++) {
		offset[i + 1] += offset[i];
		next[i] = offset[i];
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t at = next[times->neuron[i]]++;

		step[at] = times->step[i];
		value[at] = values->value[i];
	}
	for (size_t i = 0; i < size; i++)
		if (!ascends(r, times, step + offset[i], (size_t)(offset[i + 1] - offset[i])))
			return false;
	*ret = (struct neuron_times){ .offset = offset, .step = step, .value = value, .stride = 1 };
	return true;
}

static void share(struct spec_json_reader *r, const struct column *times,
		  const struct column *values, struct neuron_times *ret)
{
	uint64_t *offset = SPEC_JSON_NEW(r, uint64_t, 2);

	if (!offset || !ascends(r, times, times->step, times->n))
		return;
	offset[1] = times->n;
	*ret = (struct neuron_times){ .offset = offset,
				      .step = times->step,
				      .value = values->value };
}

void spec_json_series(struct spec_json_reader *r, const struct spec_json_at *at,
		      const struct spec_json_series *s, struct neuron_times *ret)
{
	struct column times = { .def = s->times_def,
				.at = spec_json_read_key(at, s->times_def->name) };
	struct column values = { .def = s->values_def,
				 .at = spec_json_read_key(at, s->values_def->name) };
	bool ok;

	if (!s->times && !s->values)
		return;
	if (!s->times || !s->values) {
		spec_json_read_fail(r, s->times ? &values.at : &times.at, ERR_MISSING,
				    "%s and %s go together, found one of them", times.def->name,
				    values.def->name);
		return;
	}
	ok = read_column(r, s->times, s->size, &times);
	if (!read_column(r, s->values, s->size, &values) || !ok || !fit(r, &times, &values))
		return;
	if (times.neuron)
		(void)distribute(r, &times, &values, s->size, ret);
	else
		share(r, &times, &values, ret);
}
