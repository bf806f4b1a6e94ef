/* api_result_weights.c - weights: snapshots, histograms, matrices, the updates of single synapses.
 */
/* SPDX-License-Identifier: MIT */
#include "server/api_result.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { BINS = 50, BINS_MAX = 10000, SIDE_MAX = 4096 };

static const double LATEST_MS = 1e15;

static const char how_weights[] = "\"weights\": [{\"projection\", \"every_ms\"}]";

/* One snapshot: a row of the weights of a recording. */
struct snapshot {
	const struct store_recording *recording;
	uint64_t row;
	int64_t at; /* steps; -1: none found yet */
	uint64_t n;
	const uint32_t *source, *target;
	const double *weight;
};

/* ---- snapshots ---- */

/* The last row of a recording at or before `at`, if that is later than what is found already. */
static int better(struct api_result *c, const struct store_recording *r, int64_t at,
		  struct snapshot *s)
{
	const struct store_column *weight = api_result_column(r, "weight");
	const void *when = NULL;
	uint64_t row = 0;
	int rc;

	if (!weight)
		return err_set(&c->err, ERR_CORRUPT, NULL, "a recording of weights has no weights");
	rc = api_result_lower(c, r, "at", at == INT64_MAX ? at : at + 1, &row);
	if (rc || row == 0)
		return rc;
	rc = api_result_read(c, r, "at", row - 1, row, NPY_I64, &when);
	if (rc)
		return rc;
	/* Of two at the same time the one with more synapses says more. */
	if (s->recording && (*(const int64_t *)when < s->at ||
			     (*(const int64_t *)when == s->at && weight->width <= s->n)))
		return 0;
	*s = (struct snapshot){
		.recording = r, .row = row - 1, .at = *(const int64_t *)when, .n = weight->width
	};
	return 0;
}

static int load_snapshot(struct api_result *c, struct snapshot *s)
{
	const void *source = NULL, *target = NULL, *weight = NULL;
	int rc = api_result_read(c, s->recording, "source", 0, s->n, NPY_U32, &source);

	if (!rc)
		rc = api_result_read(c, s->recording, "target", 0, s->n, NPY_U32, &target);
	if (!rc)
		rc = api_result_read(c, s->recording, "weight", s->row, s->row + 1, NPY_F64,
				     &weight);
	s->source = source;
	s->target = target;
	s->weight = weight;
	return rc;
}

/* Snapshots and final weights of the projection asked for. */
static int find_weights(struct api_result *c, struct store_recording **ret, size_t *ret_n)
{
	struct store_recording *snaps = NULL, *finals = NULL, *all;
	size_t n_snaps = 0, n_finals = 0;
	int rc = api_result_find(c, "weights", NULL, NULL, &snaps, &n_snaps);

	if (!rc)
		rc = api_result_find(c, "final_weights", NULL, NULL, &finals, &n_finals);
	if (rc)
		return rc;
	all = NEW(c->rq->arena, struct store_recording, n_snaps + n_finals + 1);
	if (!all)
		return err_nomem(&c->err);
	if (n_snaps)
		memcpy(all, snaps, n_snaps * sizeof(*all));
	if (n_finals)
		memcpy(all + n_snaps, finals, n_finals * sizeof(*all));
	*ret = all;
	*ret_n = n_snaps + n_finals;
	for (size_t i = 1; i < *ret_n; i++)
		if (strcmp(all[i].subject, all[0].subject) != 0)
			return err_set(&c->err, ERR_MISSING, "?projection",
				       "expected projection=..., \"%.64s\" or \"%.64s\"",
				       all[0].subject, all[i].subject);
	return 0;
}

/* The snapshot at or before at_ms; without it the last. */
static int find_snapshot(struct api_result *c, struct snapshot *s)
{
	struct store_recording *all = NULL;
	double at_ms = 0.0;
	int64_t at = INT64_MAX;
	size_t n = 0;
	int rc = api_query_double(c->rq, "at_ms", 0.0, 0.0, LATEST_MS, &at_ms, c->errors);

	if (!rc)
		rc = find_weights(c, &all, &n);
	if (rc)
		return rc;
	if (http_query(c->rq, "at_ms"))
		at = (int64_t)floor(at_ms / c->dt + 1e-6);
	s->at = -1;
	for (size_t i = 0; !rc && i < n; i++)
		rc = better(c, &all[i], at, s);
	if (rc)
		return rc;
	if (s->recording)
		return 0;
	return err_set(&c->err, ERR_NOTRECORDED, NULL,
		       "weights%s were not recorded; to have them, put %s into the spec's record "
		       "(final weights are kept for "
		       "plastic projections unless final_weights is false)",
		       n ? " at or before this time" : "", how_weights);
}

static void weights_head(struct api_result *c, const struct snapshot *s)
{
	api_result_text(c, "projection", s->recording->subject);
	api_result_number(c, "at_ms", view_time(s->at, c->dt));
	api_result_integer(c, "count", s->n);
}

/* A snapshot of some synapses says which. */
static int subset(struct api_result *c, const struct snapshot *s)
{
	json_t *meta = api_result_meta(c, s->recording);
	const json_t *list = json_object_get(meta, "synapses");
	int64_t *k = json_is_array(list) ? NEW(c->rq->arena, int64_t, s->n + 1) : NULL;

	for (size_t i = 0; k && i < s->n; i++)
		k[i] = json_integer_value(json_array_get(list, i));
	if (k)
		api_result_add(c, (struct api_result_column){ .name = "synapse",
							      .type = NPY_I64,
							      .data = k,
							      .rows = s->n,
							      .in = API_RESULT_ALL });
	if (!meta)
		return -ERR_CORRUPT;
	json_decref(meta);
	return 0;
}

static int weights(struct api_result *c)
{
	struct snapshot s = { 0 };
	int rc = find_snapshot(c, &s);

	if (!rc)
		rc = api_result_limit(c, s.n);
	if (!rc)
		rc = load_snapshot(c, &s);
	if (!rc)
		rc = subset(c, &s);
	if (rc)
		return rc;
	weights_head(c, &s);
	api_result_add(c, (struct api_result_column){ .name = "source",
						      .type = NPY_U32,
						      .data = s.source,
						      .rows = s.n,
						      .in = API_RESULT_ALL });
	api_result_add(c, (struct api_result_column){ .name = "target",
						      .type = NPY_U32,
						      .data = s.target,
						      .rows = s.n,
						      .in = API_RESULT_ALL });
	api_result_add(c, (struct api_result_column){ .name = "weight",
						      .type = NPY_F64,
						      .data = s.weight,
						      .rows = s.n,
						      .in = API_RESULT_ALL });
	return 0;
}

int api_result_weights(const struct api *api, struct request *rq, struct response *rs,
		       struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors, "projection at_ms", weights);
}

/* ---- matrix ---- */

/* Weights of one target (or source) as a picture of the other side: position = row * cols + col. */
static int image(struct api_result *c, const struct snapshot *s, const char *side, uint64_t which,
		 const struct view_matrix *m)
{
	bool of_target = strcmp(side, "target") == 0;
	const uint32_t *fixed = of_target ? s->target : s->source,
		       *along = of_target ? s->source : s->target;
	double *out = NEW(c->rq->arena, double, m->rows * m->cols);
	uint32_t *counts = NEW(c->rq->arena, uint32_t, m->rows * m->cols);

	if (!out || !counts)
		return err_nomem(&c->err);
	for (uint64_t i = 0; i < s->n; i++)
		if (fixed[i] == which) {
			out[along[i]] += s->weight[i];
			counts[along[i]]++;
		}
	for (size_t i = 0; i < m->rows * m->cols; i++)
		out[i] = counts[i] ? out[i] / counts[i] : (double)NAN;
	api_result_text(c, "layout",
			of_target ? "image of the sources of one target"
				  : "image of the targets of one source");
	api_result_integer(c, side, which);
	api_result_add(c, (struct api_result_column){ .name = "values",
						      .type = NPY_F64,
						      .data = out,
						      .rows = m->rows,
						      .width = m->cols,
						      .in = API_RESULT_ALL });
	return 0;
}

static int grid(struct api_result *c, const struct snapshot *s, const struct view_matrix *m)
{
	double *out = NEW(c->rq->arena, double, m->rows * m->cols + 1);
	uint32_t *counts = NEW(c->rq->arena, uint32_t, m->rows * m->cols + 1);

	if (!out || !counts)
		return err_nomem(&c->err);
	view_matrix(m, s->source, s->target, s->weight, (size_t)s->n, out, counts);
	api_result_text(c, "layout", "source x target");
	api_result_raw(c, "downsampled",
		       m->rows < m->n_source || m->cols < m->n_target ? "true" : "false");
	api_result_add(c, (struct api_result_column){ .name = "values",
						      .type = NPY_F64,
						      .data = out,
						      .rows = m->rows,
						      .width = m->cols,
						      .in = API_RESULT_ALL });
	return 0;
}

/* Which side is shown as an image: asked for, or the only one there is to show when rows x cols
 * fit. */
static int image_of(struct api_result *c, const struct view_matrix *m, bool sized,
		    const char **ret_side, uint64_t *ret_which)
{
	static const char *const sides[] = { "target", "source" };
	int64_t which = 0;
	int rc = 0;

	*ret_side = NULL;
	*ret_which = 0;
	for (int i = 0; i < 2; i++) {
		size_t fixed = i ? m->n_source : m->n_target;

		if (!http_query(c->rq, sides[i]))
			continue;
		rc = api_query_int(c->rq, sides[i], 0, 0, (int64_t)fixed - 1, &which, c->errors);
		*ret_side = sides[i];
		*ret_which = (uint64_t)which;
		return rc;
	}
	for (int i = 0; sized && i < 2; i++)
		if ((i ? m->n_source : m->n_target) == 1 &&
		    m->rows * m->cols == (i ? m->n_target : m->n_source) && m->cols > 1)
			*ret_side = sides[i];
	return 0;
}

static int image_size(struct api_result *c, const char *side, struct view_matrix *m, bool sized)
{
	size_t n = strcmp(side, "target") == 0 ? m->n_source : m->n_target,
	       edge = (size_t)floor(sqrt((double)n) + 0.5);

	if (!sized) {
		m->rows = edge * edge == n ? edge : 1;
		m->cols = n / m->rows;
	}
	if (m->rows * m->cols != n)
		return err_set(
			&c->err, ERR_RANGE, "?rows",
			"expected rows * cols = %zu, the neurons in the image, found %zu * %zu", n,
			m->rows, m->cols);
	return 0;
}

static int matrix_size(struct api_result *c, const struct snapshot *s, struct view_matrix *m,
		       bool *ret_sized)
{
	const char *source =
		api_result_shape_text(c, "projections", s->recording->subject, "source");
	const char *target =
		api_result_shape_text(c, "projections", s->recording->subject, "target");
	int64_t rows = 0, cols = 0;
	int rc;

	m->n_source = (size_t)api_result_shape(c, "populations", source, "size");
	m->n_target = (size_t)api_result_shape(c, "populations", target, "size");
	for (uint64_t i = 0; i < s->n; i++)
		if (s->source[i] >= m->n_source || s->target[i] >= m->n_target)
			return err_set(&c->err, ERR_CORRUPT, NULL,
				       "synapse %" PRIu64 " ends outside its populations", i);
	rc = api_query_int(c->rq, "rows", 0, 1, SIDE_MAX, &rows, c->errors);
	if (!rc)
		rc = api_query_int(c->rq, "cols", 0, 1, SIDE_MAX, &cols, c->errors);
	*ret_sized = rows > 0 && cols > 0;
	m->rows = rows ? (size_t)rows : m->n_source;
	m->cols = cols ? (size_t)cols : m->n_target;
	return rc;
}

static int matrix(struct api_result *c)
{
	struct snapshot s = { 0 };
	struct view_matrix m = { 0 };
	const char *side = NULL;
	uint64_t which = 0;
	bool sized = false;
	int rc = find_snapshot(c, &s);

	if (!rc)
		rc = load_snapshot(c, &s);
	if (!rc)
		rc = matrix_size(c, &s, &m, &sized);
	if (!rc)
		rc = image_of(c, &m, sized, &side, &which);
	if (!rc && side)
		rc = image_size(c, side, &m, sized);
	if (rc)
		return rc;
	if (!side) {
		m.rows = m.rows < m.n_source ? m.rows : m.n_source;
		m.cols = m.cols < m.n_target ? m.cols : m.n_target;
	}
	rc = api_result_limit(c, (uint64_t)m.rows * m.cols);
	if (rc)
		return rc;
	weights_head(c, &s);
	api_result_integer(c, "n_source", m.n_source);
	api_result_integer(c, "n_target", m.n_target);
	api_result_integer(c, "rows", m.rows);
	api_result_integer(c, "cols", m.cols);
	return side ? image(c, &s, side, which, &m) : grid(c, &s, &m);
}

int api_result_matrix(const struct api *api, struct request *rq, struct response *rs,
		      struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors, "projection at_ms rows cols target source",
				matrix);
}

/* ---- histogram ---- */

static int histogram_columns(struct api_result *c, const double *edges, size_t bins,
			     const int64_t *counts, const double *at, size_t times)
{
	api_result_add(c, (struct api_result_column){ .name = "edges",
						      .type = NPY_F64,
						      .data = edges,
						      .rows = bins + 1,
						      .in = API_RESULT_BESIDE });
	api_result_add(c, (struct api_result_column){ .name = "at_ms",
						      .type = NPY_F64,
						      .data = at,
						      .rows = times,
						      .in = API_RESULT_ALL });
	api_result_add(c, (struct api_result_column){ .name = "counts",
						      .type = NPY_I64,
						      .data = counts,
						      .rows = times,
						      .width = bins,
						      .in = API_RESULT_ALL });
	return 0;
}

static double *times_of(struct api_result *c, const int64_t *at, uint64_t n)
{
	double *t = NEW(c->rq->arena, double, n + 1);

	for (uint64_t i = 0; t && i < n; i++)
		t[i] = view_time(at[i], c->dt);
	return t;
}

static int histogram_recorded(struct api_result *c, const struct store_recording *r)
{
	const struct store_column *count = api_result_column(r, "count");
	json_t *meta = api_result_meta(c, r);
	const json_t *list = json_object_get(meta, "edges");
	size_t bins = json_array_size(list) ? json_array_size(list) - 1 : 0;
	double *edges = NEW(c->rq->arena, double, bins + 1), *t = NULL;
	const void *counts = NULL, *at = NULL;
	int rc = 0;

	for (size_t i = 0; edges && list && i <= bins; i++)
		edges[i] = json_number_value(json_array_get(list, i));
	json_decref(meta);
	if (!edges)
		return err_nomem(&c->err);
	if (!count || count->width != bins)
		return err_set(&c->err, ERR_CORRUPT, NULL, "the recorded histogram is malformed");
	rc = api_result_limit(c, count->rows * bins);
	if (!rc)
		rc = api_result_read(c, r, "at", 0, count->rows, NPY_I64, &at);
	if (!rc)
		rc = api_result_read(c, r, "count", 0, count->rows, NPY_I64, &counts);
	if (rc)
		return rc;
	t = times_of(c, at, count->rows);
	if (!t)
		return err_nomem(&c->err);
	api_result_text(c, "projection", r->subject);
	api_result_text(c, "from", "histogram");
	return histogram_columns(c, edges, bins, counts, t, (size_t)count->rows);
}

/* The recording of full snapshots to count from: the one with most synapses, snapshots before final
 * weights. */
static const struct store_recording *widest(const struct store_recording *all, size_t n)
{
	const struct store_recording *best = NULL;
	uint64_t width = 0;

	for (size_t i = 0; i < n; i++) {
		const struct store_column *w = api_result_column(&all[i], "weight");

		if (w && w->rows > 0 && (!best || w->width > width)) {
			best = &all[i];
			width = w->width;
		}
	}
	return best;
}

static int histogram_query(struct api_result *c, const double *w, uint64_t n, double *min,
			   double *max, int64_t *bins)
{
	struct view_moments m = view_moments(w, (size_t)n);
	int rc = api_query_double(c->rq, "min", n ? m.min : 0.0, -1e300, 1e300, min, c->errors);

	if (!rc)
		rc = api_query_double(c->rq, "max", n ? m.max : 1.0, -1e300, 1e300, max, c->errors);
	if (!rc)
		rc = api_query_int(c->rq, "bins", BINS, 1, BINS_MAX, bins, c->errors);
	if (rc)
		return rc;
	if (*min == *max && !http_query(c->rq, "max")) /* all weights are the same */
		*max = *min + (*min != 0.0 ? 1e-3 * fabs(*min) : 1.0);
	if (!(*max > *min))
		return err_set(&c->err, ERR_RANGE, "?max", "expected max above min (%g), found %g",
			       *min, *max);
	return 0;
}

static int histogram_counted(struct api_result *c)
{
	struct store_recording *all = NULL;
	const struct store_recording *r;
	const struct store_column *column;
	const void *w = NULL, *at = NULL;
	double min = 0.0, max = 0.0, *edges, *t;
	int64_t bins = 0, *counts;
	size_t n = 0;
	int rc = find_weights(c, &all, &n);

	if (rc)
		return rc;
	r = widest(all, n);
	if (!r)
		return err_set(&c->err, ERR_NOTRECORDED, NULL,
			       "weights were not recorded; put %s into the spec's record",
			       how_weights);
	column = api_result_column(r, "weight");
	rc = api_result_read(c, r, "weight", 0, column->rows, NPY_F64, &w);
	if (!rc)
		rc = api_result_read(c, r, "at", 0, column->rows, NPY_I64, &at);
	if (!rc)
		rc = histogram_query(c, w, column->rows * column->width, &min, &max, &bins);
	if (!rc)
		rc = api_result_limit(c, column->rows * (uint64_t)bins);
	if (rc)
		return rc;
	edges = NEW(c->rq->arena, double, (size_t)bins + 1);
	counts = NEW(c->rq->arena, int64_t, (size_t)bins * (size_t)column->rows);
	t = times_of(c, at, column->rows);
	if (!edges || !counts || !t)
		return err_nomem(&c->err);
	view_edges(min, max, (size_t)bins, edges);
	for (uint64_t i = 0; i < column->rows; i++)
		view_histogram((const double *)w + i * column->width, (size_t)column->width, min,
			       max, (size_t)bins, counts + i * (uint64_t)bins);
	api_result_text(c, "projection", r->subject);
	api_result_text(c, "from", strcmp(r->kind, "weights") == 0 ? "snapshots" : "final weights");
	return histogram_columns(c, edges, (size_t)bins, counts, t, (size_t)column->rows);
}

static int histogram(struct api_result *c)
{
	bool own =
		http_query(c->rq, "bins") || http_query(c->rq, "min") || http_query(c->rq, "max");
	struct store_recording *list = NULL, *all = NULL;
	size_t n = 0, n_all = 0;
	int rc = api_result_find(c, "weight_histogram", NULL, NULL, &list, &n);

	if (!rc && n && own) { /* other bins than the recorded ones need the weights */
		rc = find_weights(c, &all, &n_all);
		if (!rc && !widest(all, n_all))
			return err_set(&c->err, ERR_NOTRECORDED, "?bins",
				       "only a histogram with bins of its own was recorded; for "
				       "others put %s into the spec's record",
				       how_weights);
	}
	if (rc)
		return rc;
	return n && !own ? histogram_recorded(c, list) : histogram_counted(c);
}

int api_result_histogram(const struct api *api, struct request *rq, struct response *rs,
			 struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors, "projection bins min max", histogram);
}
