/* spec_json_times.c - spike times of a generator: lists in the text or columns of a data set. */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_read.h"

#include <math.h>
#include <stdlib.h>

struct draft {
	const char *id, *t_field, *neuron_field;
};

static int by_step(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void sort_times(int64_t *step, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (step[i] < step[i - 1]) {
			qsort(step, n, sizeof(*step), by_step);
			return;
		}
}

/* One neuron's list, appended at step[*n]. */
static void read_list(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		      int64_t *step, uint64_t *n)
{
	uint64_t first = *n;
	json_t *value;
	size_t i;

	json_array_foreach(json, i, value)
	{
		struct spec_json_at here = spec_json_read_item(at, i);

		if (spec_json_read_steps(r, value, &here, 1.0, SPEC_JSON_STEPS_MAX, &step[*n]))
			(*n)++;
	}
	sort_times(step + first, (size_t)(*n - first));
}

static bool all_lists(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at)
{
	bool ok = true;
	json_t *value;
	size_t i;

	json_array_foreach(json, i, value)
	{
		struct spec_json_at here = spec_json_read_item(at, i);

		if (!json_is_array(value)) {
			spec_json_read_type(
				r, &here, "a list of times in ms, one list for each neuron", value);
			ok = false;
		}
	}
	return ok;
}

static void read_lists(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		       size_t size, struct neuron_times *ret)
{
	uint64_t *offset, n = 0;
	size_t total = 0;
	int64_t *step;

	if (!all_lists(r, json, at))
		return;
	if (json_array_size(json) != size) {
		spec_json_read_fail(r, at, ERR_RANGE,
				    "expected %zu lists of times, one for each neuron, found %zu",
				    size, json_array_size(json));
		return;
	}
	for (size_t i = 0; i < size; i++)
		total += json_array_size(json_array_get(json, i));
	offset = SPEC_JSON_NEW(r, uint64_t, size + 1);
	step = SPEC_JSON_NEW(r, int64_t, total);
	if (!offset || !step)
		return;
	for (size_t i = 0; i < size; i++) {
		struct spec_json_at here = spec_json_read_item(at, i);

		read_list(r, json_array_get(json, i), &here, step, &n);
		offset[i + 1] = n;
	}
	*ret = (struct neuron_times){ .offset = offset, .step = step, .stride = 1 };
}

static void read_flat(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		      struct neuron_times *ret)
{
	uint64_t *offset = SPEC_JSON_NEW(r, uint64_t, 2);
	int64_t *step = SPEC_JSON_NEW(r, int64_t, json_array_size(json));

	if (!offset || !step)
		return;
	read_list(r, json, at, step, &offset[1]);
	*ret = (struct neuron_times){ .offset = offset, .step = step, .stride = 1 };
}

/* Data sets. */

static void read_id(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		    void *out)
{
	((struct draft *)out)->id = spec_json_read_string(r, json, at);
}

static void read_t_field(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			 void *out)
{
	((struct draft *)out)->t_field = spec_json_read_string(r, json, at);
}

static void read_neuron_field(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at, void *out)
{
	((struct draft *)out)->neuron_field = spec_json_read_string(r, json, at);
}

static const struct spec_json_key keys[] = {
	{ "dataset", read_id, true },
	{ "t_field", read_t_field, false },
	{ "neuron_field", read_neuron_field, false },
};

/* Check a table's rows: times on the grid, neurons inside; count spikes by neuron into offset[i +
 * 1]. */
static bool check_rows(struct spec_json_reader *r, const struct spec_json_at *at, const double *t,
		       const double *neuron, size_t n, size_t size, uint64_t *offset)
{
	int64_t step;

	for (size_t i = 0; i < n; i++) {
		double id = neuron ? neuron[i] : 0.0;

		if (!(id >= 0.0 && id < (double)size) || floor(id) != id) {
			spec_json_read_fail(r, at, ERR_RANGE,
					    "row %zu of the data: neuron must be a whole number "
					    "from 0 to %zu, found %.12g",
					    i, size - 1, id);
			return false;
		}
		if (!isfinite(t[i]) || t[i] <= 0.0) {
			spec_json_read_fail(r, at, ERR_RANGE,
					    "row %zu of the data: a spike time must be above 0 "
					    "ms, found %.12g",
					    i, t[i]);
			return false;
		}
		if (!spec_json_read_grid(r, t[i], at, &step))
			return false;
		if (step < 1) {
			spec_json_read_fail(r, at, ERR_RANGE,
					    "row %zu of the data: a spike time must be a step or "
					    "more, found %.12g ms",
					    i, t[i]);
			return false;
		}
		offset[(size_t)id + 1]++;
	}
	return true;
}

static void fill_rows(struct spec_json_reader *r, const struct spec_json_at *at, const double *t,
		      const double *neuron, size_t n, size_t size, struct neuron_times *ret)
{
	uint64_t *offset = SPEC_JSON_NEW(r, uint64_t, size + 1);
	uint64_t *next = SPEC_JSON_NEW(r, uint64_t, size + 1);
	int64_t *step = SPEC_JSON_NEW(r, int64_t, n);

	if (!offset || !next || !step || !check_rows(r, at, t, neuron, n, size, offset))
		return;
	for (size_t i = 0; i < size; i++) {
		offset[i + 1] += offset[i];
		next[i] = offset[i];
	}
	for (size_t i = 0; i < n; i++) {
		size_t id = neuron ? (size_t)neuron[i] : 0;

		(void)spec_json_read_grid(r, t[i], at, &step[next[id]++]);
	}
	for (size_t i = 0; i < size; i++)
		sort_times(step + offset[i], (size_t)(offset[i + 1] - offset[i]));
	*ret = (struct neuron_times){ .offset = offset, .step = step, .stride = 1 };
}

static void read_dataset(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			 size_t size, struct neuron_times *ret)
{
	struct draft d = { .t_field = "t_ms", .neuron_field = NULL };
	const double *t, *neuron = NULL;
	size_t before = err_list_count(r->errors);
	size_t n, n_neuron;

	spec_json_read_object(r, json, at, "spike_times", keys, COUNTOF(keys), &d);
	if (err_list_count(r->errors) != before || !d.id)
		return;
	if (!spec_json_value_load(r, at, d.id, d.t_field, -1, &t, &n))
		return;
	if (size > 1 || d.neuron_field) {
		if (!spec_json_value_load(r, at, d.id, d.neuron_field ? d.neuron_field : "neuron",
					  -1, &neuron, &n_neuron))
			return;
		if (n_neuron != n) {
			spec_json_read_fail(r, at, ERR_CONFLICT,
					    "the data have %zu times but %zu neurons", n, n_neuron);
			return;
		}
	}
	fill_rows(r, at, t, neuron, n, size, ret);
}

void spec_json_times(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		     size_t size, struct neuron_times *ret)
{
	if (json_is_object(json))
		read_dataset(r, json, at, size, ret);
	else if (!json_is_array(json))
		spec_json_read_type(r, at, "lists of times in ms or {\"dataset\": id}", json);
	else if (size == 1 && !json_is_array(json_array_get(json, 0)))
		read_flat(r, json, at, ret);
	else
		read_lists(r, json, at, size, ret);
}
