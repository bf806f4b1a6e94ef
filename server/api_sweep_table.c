/* api_sweep_table.c - GET /v1/sweeps/{id}/table: a row for each point, or one for all its seeds. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/api_result.h"
#include "server/api_run.h"
#include "server/api_sweep.h"
#include "server/config.h"
#include "server/dump.h"
#include "server/npz.h"
#include "server/sweep_plan.h"

enum { TEXT_MAX = 1 << 16 };

/* Columns, each a list of rows: {"name", "kind", "unit", "values"}. */
struct table {
	struct sweep_plan plan;
	const struct store_sweep *row;
	json_t *columns;
	/* of the points, by number; null: none */
	json_t *run_ids, *states, *reused, *digests, *walls;
	json_t *metrics; /* {name: [values]} */
};

/* ---- reading ---- */

static void set_at(json_t *metrics, const char *name, int64_t rows, int64_t point, json_t *value)
{
	json_t *list = json_object_get(metrics, name);

	if (!list) {
		list = json_array();
		for (int64_t i = 0; i < rows; i++)
			(void)json_array_append_new(list, json_null());
		(void)json_object_set_new(metrics, name, list);
	}
	(void)json_array_set(list, (size_t)point, value);
}

static int on_point(void *self, const struct store_sweep_point *p)
{
	struct table *t = self;
	json_t *metrics = json_loads(p->metrics, 0, NULL), *value,
	       *score = p->score ? json_loads(p->score, 0, NULL) : NULL;
	const char *name = json_string_value(json_object_get(score, "name"));
	size_t i = (size_t)p->point;

	(void)json_array_set_new(t->run_ids, i, json_string(p->run_id));
	(void)json_array_set_new(
		t->states, i,
		json_string(p->state == RUN_N ? "deleted" : run_state_name(p->state)));
	(void)json_array_set_new(t->reused, i, json_boolean(p->reused));
	(void)json_array_set_new(t->digests, i, p->digest ? json_string(p->digest) : json_null());
	if (run_state_final(p->state))
		(void)json_array_set_new(t->walls, i, json_real(p->wall_s));
	if (name && !json_object_get(metrics, name))
		(void)json_object_set(metrics, name, json_object_get(score, "value"));
	json_object_foreach(metrics, name, value)
		set_at(t->metrics, name, t->row->points, p->point, value);
	json_decref(metrics);
	json_decref(score);
	return 0;
}

static json_t *all_of(int64_t n, json_t *value)
{
	json_t *list = json_array();

	for (int64_t i = 0; i < n; i++)
		(void)json_array_append(list, value);
	json_decref(value);
	return list;
}

static int read_points(struct table *t, struct store *s, struct err *err)
{
	int64_t n = t->row->points;

	t->columns = json_array();
	t->metrics = json_object();
	t->run_ids = all_of(n, json_null());
	t->states = all_of(n, json_string(t->row->finished_ms ? "cancelled" : "pending"));
	t->reused = all_of(n, json_false());
	t->digests = all_of(n, json_null());
	t->walls = all_of(n, json_null());
	return store_sweep_points(s, t->row->id, on_point, t, err);
}

static void table_release(struct table *t)
{
	json_t *const all[] = { t->columns, t->run_ids, t->states, t->reused,
				t->digests, t->walls,	t->metrics };

	for (size_t i = 0; i < COUNTOF(all); i++)
		json_decref(all[i]);
	sweep_plan_release(&t->plan);
}

/* ---- columns ---- */

/* Steals values. */
static void add(struct table *t, const char *name, const char *kind, json_t *values_take)
{
	(void)json_array_append_new(t->columns,
				    json_pack("{s:s, s:s, s:s, s:o}", "name", name, "kind", kind,
					      "unit", "", "values", values_take));
}

static void add_axes(struct table *t, int64_t step)
{
	for (size_t i = 0; i < sweep_plan_axes(&t->plan); i++) {
		json_t *list = json_array();

		for (int64_t k = 0; k < t->row->points; k += step)
			(void)json_array_append(list,
						json_array_get(sweep_plan_values(&t->plan, i),
							       sweep_plan_index(&t->plan, k, i)));
		add(t, sweep_plan_name(&t->plan, i), "axis", list);
	}
}

static void by_point(struct table *t)
{
	json_t *points = json_array(), *seeds = json_array(), *list;
	const char *name;

	for (int64_t i = 0; i < t->row->points; i++) {
		(void)json_array_append_new(points, json_integer(i));
		(void)json_array_append_new(seeds, json_string(sweep_plan_seed(&t->plan, i)));
	}
	add(t, "point", "point", points);
	add_axes(t, 1);
	add(t, "seed", "seed", seeds);
	add(t, "run_id", "run", json_incref(t->run_ids));
	add(t, "state", "run", json_incref(t->states));
	add(t, "reused", "run", json_incref(t->reused));
	json_object_foreach(t->metrics, name, list) add(t, name, "metric", json_incref(list));
	add(t, "wall_s", "run", json_incref(t->walls));
	add(t, "digest", "run", json_incref(t->digests));
}

/* Mean and standard deviation (n - 1) of the numbers of a cell; null where there are too few. */
static void cell_stats(const json_t *list, size_t first, size_t n, json_t *means, json_t *sds)
{
	double mean = 0.0, squares = 0.0, k = 0.0;

	for (size_t i = first; i < first + n; i++) { /* Welford */
		const json_t *v = json_array_get(list, i);
		double x = json_number_value(v), d = x - mean;

		if (!json_is_number(v))
			continue;
		k += 1.0;
		mean += d / k;
		squares += d * (x - mean);
	}
	(void)json_array_append_new(means, k > 0.0 ? json_real(mean) : json_null());
	(void)json_array_append_new(sds,
				    k > 1.0 ? json_real(sqrt(squares / (k - 1.0))) : json_null());
}

static void over_seeds(struct table *t, struct mem_arena *arena)
{
	size_t n = json_array_size(t->plan.seeds), points = (size_t)t->row->points;
	json_t *counts = json_array(), *list;
	const char *name;

	add_axes(t, (int64_t)n);
	for (size_t k = 0; k < points; k += n) {
		json_int_t good = 0;

		for (size_t i = k; i < k + n; i++)
			good += strcmp(json_string_value(json_array_get(t->states, i)),
				       "succeeded") == 0;
		(void)json_array_append_new(counts, json_integer(good));
	}
	add(t, "n", "count", counts);
	json_object_foreach(t->metrics, name, list)
	{
		json_t *means = json_array(), *sds = json_array();
		const char *sd = mem_arena_printf(arena, "%s_sd", name);

		for (size_t k = 0; k < points; k += n)
			cell_stats(list, k, n, means, sds);
		add(t, name, "mean", means);
		add(t, sd ? sd : "sd", "sd", sds);
	}
}

/* ---- formats ---- */

static size_t n_rows(const struct table *t)
{
	return json_array_size(json_object_get(json_array_get(t->columns, 0), "values"));
}

static void add_cell(struct buf *out, const json_t *v)
{
	struct buf text;

	if (json_is_null(v))
		return;
	if (json_is_string(v)) {
		api_result_csv_text(out, json_string_value(v));
		return;
	}
	buf_init(&text, TEXT_MAX);
	if (!dump_json(&text, v))
		api_result_csv_text(out, text.data);
	buf_release(&text);
}

static void write_csv(const struct table *t, struct buf *out)
{
	size_t k, n = n_rows(t);
	json_t *c;

	json_array_foreach(t->columns, k, c)
	{
		if (k)
			(void)buf_char(out, ',');
		api_result_csv_text(out, json_string_value(json_object_get(c, "name")));
	}
	(void)buf_str(out, "\r\n");
	for (size_t i = 0; i < n && !out->failed; i++) {
		json_array_foreach(t->columns, k, c)
		{
			if (k)
				(void)buf_char(out, ',');
			add_cell(out, json_array_get(json_object_get(c, "values"), i));
		}
		(void)buf_str(out, "\r\n");
	}
}

static void write_ndjson(const struct table *t, struct buf *out)
{
	size_t k, n = n_rows(t);
	json_t *c;

	for (size_t i = 0; i < n && !out->failed; i++) {
		json_array_foreach(t->columns, k, c)
		{
			(void)buf_char(out, k ? ',' : '{');
			(void)buf_json_string(out, json_string_value(json_object_get(c, "name")));
			(void)buf_char(out, ':');
			(void)dump_json(out, json_array_get(json_object_get(c, "values"), i));
		}
		(void)buf_str(out, "}\n");
	}
}

static bool numeric(const json_t *values)
{
	for (size_t i = 0; i < json_array_size(values); i++) {
		const json_t *v = json_array_get(values, i);

		if (!json_is_number(v) && !json_is_boolean(v) && !json_is_null(v))
			return false;
	}
	return true;
}

/* Seeds as they are; numbers as doubles, NaN for none; text as rows of bytes, NULs behind (numpy:
 * a.view("S%d")). */
static int npz_column(struct npz *z, const json_t *c, struct mem_arena *arena, struct err *err)
{
	const char *name = json_string_value(json_object_get(c, "name"));
	const json_t *values = json_object_get(c, "values");
	size_t n = json_array_size(values), width = 1;
	struct npy_header h = { .type = NPY_F64, .n_dims = 1, .dim = { n } };
	bool seeds = strcmp(json_string_value(json_object_get(c, "kind")), "seed") == 0;
	uint64_t *whole;
	double *numbers;
	char *bytes;

	if (seeds) {
		whole = NEW(arena, uint64_t, n);
		for (size_t i = 0; whole && i < n; i++)
			whole[i] = strtoull(json_string_value(json_array_get(values, i)), NULL, 10);
		h.type = NPY_U64;
		return whole ? npz_add(z, name, &h, whole, err) : err_nomem(err);
	}

	if (numeric(values)) {
		numbers = NEW(arena, double, n);
		for (size_t i = 0; numbers && i < n; i++) {
			const json_t *v = json_array_get(values, i);

			numbers[i] = json_is_null(v)   ? (double)NAN
				     : json_is_true(v) ? 1.0
						       : json_number_value(v);
		}
		return numbers ? npz_add(z, name, &h, numbers, err) : err_nomem(err);
	}
	for (size_t i = 0; i < n; i++) {
		const char *s = api_text(json_array_get(values, i), arena);

		width = s && strlen(s) > width ? strlen(s) : width;
	}
	bytes = NEW(arena, char, n *width);
	for (size_t i = 0; bytes && i < n; i++) {
		const json_t *v = json_array_get(values, i);
		const char *s = json_is_string(v) ? json_string_value(v) : api_text(v, arena);

		memcpy(bytes + i * width, s ? s : "", s ? strlen(s) : 0);
	}
	h = (struct npy_header){ .type = NPY_U8, .n_dims = 2, .dim = { n, width } };
	return bytes ? npz_add(z, name, &h, bytes, err) : err_nomem(err);
}

static int write_npz(const struct table *t, struct mem_arena *arena, struct buf *out,
		     struct err *err)
{
	struct npz z;
	size_t k;
	json_t *c;
	int rc = 0;

	npz_init(&z, out);
	json_array_foreach(t->columns, k, c)
	{
		rc = rc ? rc : npz_column(&z, c, arena, err);
	}
	if (!rc)
		rc = npz_end(&z, err);
	npz_release(&z);
	return rc;
}

static int write_table(struct table *t, const struct request *rq, struct response *rs,
		       enum api_format format, struct err *err)
{
	json_t *body;
	int rc = 0;

	rs->status = 200;
	rs->content_type = api_media(format);
	if (format == API_CSV) {
		write_csv(t, &rs->body);
	} else if (format == API_NDJSON) {
		write_ndjson(t, &rs->body);
	} else if (format == API_NPZ) {
		rc = write_npz(t, rq->arena, &rs->body, err);
	} else {
		body = json_pack("{s:s, s:s, s:s, s:I, s:O}", "name", "table", "sweep", t->row->id,
				 "state", t->row->state, "rows", (json_int_t)n_rows(t), "columns",
				 t->columns);
		rc = body ? dump_json(&rs->body, body) : err_nomem(err);
		json_decref(body);
	}
	return rc;
}

int api_sweep_table(const struct api *api, struct request *rq, struct response *rs,
		    struct err_list *errors)
{
	const char *over = http_query(rq, "over");
	enum api_format format = API_JSON;
	struct store_sweep row;
	struct table t = { .row = &row };
	struct err err = { 0 };
	int rc = api_sweep_find(api, rq, &row, errors);

	if (!rc && over && strcmp(over, "seeds") != 0)
		rc = err_list_add(errors, ERR_UNKNOWN, "?over", "expected seeds, found \"%.32s\"",
				  over);
	if (!rc)
		rc = api_format(rq, (1U << API_FORMAT_N) - 1U, &format, errors);
	if (rc)
		return rc;
	rc = sweep_plan_read(&t.plan, "{}", row.axes, row.seeds, &err);
	if (!rc)
		rc = read_points(&t, api->store, &err);
	if (!rc && over)
		over_seeds(&t, rq->arena);
	else if (!rc)
		by_point(&t);
	if (!rc)
		rc = write_table(&t, rq, rs, format, &err);
	table_release(&t);
	return rc ? api_run_fail(&err, errors) : 0;
}
