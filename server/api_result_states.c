/* api_result_states.c - sampled state variables, and the tables that experiments leave. */
/* SPDX-License-Identifier: MIT */
#include "server/api_result.h"

#include <string.h>

struct states {
	const struct store_recording *recording;
	json_t *meta;
	int64_t first, every; /* steps */
	size_t width;	      /* neurons recorded */
	uint32_t *neurons;    /* [n] asked for, in the order asked */
	size_t *column;	      /* [n] where they stand */
	size_t n;
	uint64_t row0, row1;
};

/* Column of each neuron asked for in a recording. 1: it does not have all of them. */
static int match(struct api_result *c, struct states *s, const uint64_t *asked, size_t n)
{
	const json_t *neurons = json_object_get(s->meta, "neurons"), *neuron;
	struct view_index *index;
	size_t i;

	s->width = json_array_size(neurons);
	s->n = asked ? n : s->width;
	s->neurons = NEW(c->rq->arena, uint32_t, s->n + 1);
	s->column = NEW(c->rq->arena, size_t, s->n + 1);
	index = NEW(c->rq->arena, struct view_index, s->width + 1);
	if (!s->neurons || !s->column || !index)
		return err_nomem(&c->err);
	json_array_foreach(neurons, i, neuron) index[i] =
		(struct view_index){ json_integer_value(neuron), i };
	for (i = 0; !asked && i < s->n; i++) {
		s->column[i] = i;
		s->neurons[i] = (uint32_t)index[i].key;
	}
	if (asked)
		view_index_sort(index, s->width);
	for (i = 0; asked && i < s->n; i++) {
		s->column[i] = view_index_find(index, s->width, (int64_t)asked[i]);
		s->neurons[i] = (uint32_t)asked[i];
		if (s->column[i] == SIZE_MAX)
			return 1;
	}
	return 0;
}

static int find_states(struct api_result *c, struct states *s)
{
	static const char how[] =
		"\"states\": [{\"population\", \"variables\", \"neurons\", \"every_ms\"}]";
	struct store_recording *list = NULL;
	uint64_t *asked = NULL;
	size_t n = 0, n_asked = 0;
	int rc = api_result_find(c, "states", c->rq->arg[1], how, &list, &n);

	if (!rc)
		rc = api_result_list(c, "neurons", UINT32_MAX, &asked, &n_asked);
	for (size_t i = 0; !rc && i < n; i++) {
		s->recording = &list[i];
		s->meta = api_result_meta(c, &list[i]);
		rc = s->meta ? match(c, s, asked, n_asked) : -ERR_CORRUPT;
		if (rc == 0)
			return 0;
		json_decref(s->meta);
		s->meta = NULL;
		rc = rc == 1 ? 0 : rc;
	}
	if (rc)
		return rc;
	for (size_t i = 0; i < n_asked; i++) {
		uint64_t size = api_result_shape(c, "populations", list[0].subject, "size");

		if (size && asked[i] >= size)
			return err_set(&c->err, ERR_RANGE, "?neurons",
				       "expected neurons from 0 to %llu, found %llu",
				       (unsigned long long)(size - 1),
				       (unsigned long long)asked[i]);
	}
	return err_set(&c->err, ERR_NOTRECORDED, "?neurons",
		       "not all of these neurons were recorded; put them into %s", how);
}

static int find_rows(struct api_result *c, struct states *s)
{
	const struct store_column *value = api_result_column(s->recording, "value");
	int64_t s0 = 0, s1 = 0;
	int rc = api_result_window(c, &s0, &s1);

	if (rc)
		return rc;
	s->first = json_integer_value(json_object_get(s->meta, "first"));
	s->every = json_integer_value(json_object_get(s->meta, "every"));
	if (!value || s->every < 1 || value->width != s->width)
		return err_set(&c->err, ERR_CORRUPT, NULL, "the recording of states is malformed");
	s->row0 = s0 <= s->first ? 0 : (uint64_t)((s0 - s->first + s->every - 1) / s->every);
	s->row1 = s1 == INT64_MAX  ? value->rows
		  : s1 <= s->first ? 0
				   : (uint64_t)((s1 - s->first + s->every - 1) / s->every);
	s->row1 = s->row1 < value->rows ? s->row1 : value->rows;
	s->row0 = s->row0 < s->row1 ? s->row0 : s->row1;
	return 0;
}

static int read_method(struct api_result *c, enum view_method *ret)
{
	const char *text = http_query(c->rq, "method");

	if (text && strcmp(text, "minmax") != 0 && strcmp(text, "mean") != 0)
		return err_set(&c->err, ERR_UNKNOWN, "?method",
			       "expected minmax or mean, found \"%.40s\"", text);
	*ret = text && strcmp(text, "mean") == 0 ? VIEW_MEAN : VIEW_MINMAX;
	return 0;
}

/* Thin [n][width] values out, row by row; then the neurons asked for as series. */
static int states_columns(struct api_result *c, const struct states *s, const double *x,
			  size_t rows, enum view_method method)
{
	size_t n = (size_t)(s->row1 - s->row0), width = s->width;
	double *at = NEW(c->rq->arena, double, rows + 1), *thin = NULL, *out;
	bool thinned = rows < n;

	out = NEW(c->rq->arena, double, rows * s->n + 1);
	if (thinned)
		thin = NEW(c->rq->arena, double, rows *width + 1);
	if (!at || !out || (thinned && !thin))
		return err_nomem(&c->err);
	if (thinned)
		view_thin(x, n, width, method, rows, thin, at);
	for (size_t i = 0; i < rows; i++) {
		int64_t from = s->first + (int64_t)s->row0 * s->every;

		/* Half-way between samples is no step: a mean's time alone may lie there. */
		if (!thinned)
			at[i] = view_time(from + (int64_t)i * s->every, c->dt);
		else
			at[i] = view_time(
					(int64_t)(2.0 * ((double)from + at[i] * (double)s->every)),
					c->dt) /
				2.0;
	}
	for (size_t k = 0; k < s->n; k++)
		for (size_t i = 0; i < rows; i++)
			out[k * rows + i] = (thinned ? thin : x)[i * width + s->column[k]];
	api_result_add(c, (struct api_result_column){ .name = "neurons",
						      .type = NPY_U32,
						      .data = s->neurons,
						      .rows = s->n,
						      .in = API_RESULT_BESIDE });
	api_result_add(c, (struct api_result_column){ .name = "t_ms",
						      .type = NPY_F64,
						      .data = at,
						      .rows = rows,
						      .in = API_RESULT_ALL });
	api_result_add(c, (struct api_result_column){ .name = "values",
						      .type = NPY_F64,
						      .data = out,
						      .rows = rows,
						      .width = s->n,
						      .by_series = true,
						      .labels = s->neurons,
						      .in = API_RESULT_BESIDE });
	api_result_add(c, (struct api_result_column){ .name = s->recording->name,
						      .type = NPY_F64,
						      .data = out,
						      .rows = rows,
						      .width = s->n,
						      .by_series = true,
						      .labels = s->neurons,
						      .in = API_RESULT_ROWS });
	return 0;
}

static int fill_states(struct api_result *c, struct states *s)
{
	enum view_method method = VIEW_MINMAX;
	const char *unit = json_string_value(json_object_get(s->meta, "unit"));
	const void *x = NULL;
	int64_t max = 0;
	size_t n, rows;
	int rc = find_rows(c, s);

	if (!rc)
		rc = read_method(c, &method);
	if (!rc)
		rc = api_result_max_points(c, &max);
	if (rc)
		return rc;
	n = (size_t)(s->row1 - s->row0);
	rows = max ? view_buckets(n, (size_t)max, method) : n;
	rc = api_result_limit(c, (uint64_t)rows * (s->n ? s->n : 1));
	if (!rc)
		rc = api_result_read(c, s->recording, "value", s->row0, s->row1, NPY_F64, &x);
	if (rc)
		return rc;
	api_result_text(c, "population", s->recording->subject);
	api_result_text(c, "variable", s->recording->name);
	api_result_text(c, "unit", unit ? unit : "");
	api_result_raw(c, "downsampled", rows < n ? "true" : "false");
	if (rows < n) {
		api_result_text(c, "method", method == VIEW_MEAN ? "mean" : "minmax");
		api_result_integer(c, "samples", n);
	}
	return states_columns(c, s, x, rows, method);
}

static int states(struct api_result *c)
{
	struct states s = { 0 };
	int rc = find_states(c, &s);

	if (!rc)
		rc = fill_states(c, &s);
	json_decref(s.meta);
	return rc;
}

int api_result_states(const struct api *api, struct request *rq, struct response *rs,
		      struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors,
				"population neurons t0_ms t1_ms max_points method", states);
}

/* ---- tables ---- */

/* "columns": [{"name", "unit", "values": []}] */
static int table_json(struct api_result *c, const struct store_recording *r, const json_t *units,
		      const double *const *values)
{
	api_result_raw(c, "columns", "[");
	for (size_t k = 0; k < r->n_columns; k++) {
		const char *unit = json_string_value(json_object_get(units, r->columns[k].name));

		(void)buf_str(&c->head, k ? ",{\"name\":" : "{\"name\":");
		(void)buf_json_string(&c->head, r->columns[k].name);
		(void)buf_str(&c->head, ",\"unit\":");
		(void)buf_json_string(&c->head, unit ? unit : "");
		(void)buf_str(&c->head, ",\"values\":[");
		for (uint64_t i = 0; i < r->columns[k].rows; i++) {
			if (i)
				(void)buf_char(&c->head, ',');
			(void)buf_double(&c->head, values[k][i]);
		}
		(void)buf_str(&c->head, "]}");
	}
	(void)buf_char(&c->head, ']');
	return 0;
}

int api_result_table_read(struct api_result *c, const char *name, struct store_recording **ret,
			  const double **values)
{
	struct store_recording *r = NULL;
	size_t n = 0;
	int rc = api_result_recordings(c, "table", name, NULL, &r, &n);

	if (rc)
		return rc;
	if (n == 0)
		return err_set(&c->err, ERR_NOTFOUND, NULL,
			       "this run left no table \"%.64s\"; its results name those it has",
			       name);
	for (size_t k = 0; k < r->n_columns; k++) {
		const void *x = NULL;

		rc = api_result_limit(c, r->columns[k].rows * r->n_columns);
		if (!rc)
			rc = api_result_read(c, r, r->columns[k].name, 0, r->columns[k].rows,
					     NPY_F64, &x);
		if (rc)
			return rc;
		values[k] = x;
	}
	*ret = r;
	return 0;
}

static int table(struct api_result *c)
{
	const double *values[STORE_COLUMNS_MAX];
	struct store_recording *r = NULL;
	json_t *meta;
	int rc = api_result_table_read(c, c->rq->arg[1], &r, values);

	if (rc)
		return rc;
	for (size_t k = 0; k < r->n_columns; k++)
		api_result_add(
			c, (struct api_result_column){ .name = r->columns[k].name,
						       .type = NPY_F64,
						       .data = values[k],
						       .rows = r->columns[k].rows,
						       .in = API_RESULT_ROWS | API_RESULT_NPZ });
	api_result_text(c, "name", r->subject);
	meta = api_result_meta(c, r);
	if (!meta)
		return -ERR_CORRUPT;
	rc = table_json(c, r, json_object_get(meta, "units"), values);
	json_decref(meta);
	return rc;
}

int api_result_table(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors, "", table);
}
