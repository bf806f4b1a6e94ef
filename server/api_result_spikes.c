/* api_result_spikes.c - spikes as they are, as raster, as rates, as intervals. */
/* SPDX-License-Identifier: MIT */
#include "server/api_result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 200, COLS = 400, GRID_MAX = 4096, ISI_BINS = 50, BINS_MAX = 100000 };

static const double RATE_BIN_MS = 10.0, BIN_MAX_MS = 1e9;

static const char how_spikes[] = "\"spikes\": [population]";

/* ---- reading ---- */

/* Map from neuron to position among those asked for. */
static int choose(struct api_result *c, uint64_t size, struct api_result_spikes *s)
{
	uint32_t *place;
	size_t n = 0;
	int rc = api_result_list(c, "neurons", size, &s->chosen, &n);

	s->view.size = (size_t)size;
	if (rc || !s->chosen)
		return rc;
	place = NEW(c->rq->arena, uint32_t, (size_t)size);
	if (!place)
		return err_nomem(&c->err);
	memset(place, 0xff, (size_t)size * sizeof(*place));
	s->view.size = 0;
	for (size_t i = 0; i < n; i++)
		if (place[s->chosen[i]] == VIEW_NONE)
			place[s->chosen[i]] = (uint32_t)s->view.size++;
	s->view.place = place;
	return 0;
}

static int check_neurons(struct api_result *c, const struct api_result_spikes *s, uint64_t size)
{
	for (size_t i = 0; i < s->view.n; i++)
		if (s->view.neuron[i] >= size)
			return err_set(&c->err, ERR_CORRUPT, NULL,
				       "a recorded spike is of neuron %u in a population of %llu",
				       (unsigned)s->view.neuron[i], (unsigned long long)size);
	return 0;
}

static uint64_t size_of(struct api_result *c, const struct store_recording *r)
{
	json_t *meta = api_result_meta(c, r);
	json_int_t size = json_integer_value(json_object_get(meta, "size"));

	json_decref(meta);
	return size > 0 ? (uint64_t)size : api_result_shape(c, "populations", r->subject, "size");
}

int api_result_spikes_read(struct api_result *c, struct api_result_spikes *ret)
{
	struct store_recording *r = NULL;
	uint64_t row0 = 0, row1 = 0, size;
	const void *step = NULL, *neuron = NULL;
	size_t n = 0;
	int rc = api_result_find(c, "spikes", NULL, how_spikes, &r, &n);

	if (rc)
		return rc;
	*ret = (struct api_result_spikes){ .recording = r };
	size = size_of(c, r);
	rc = choose(c, size, ret);
	if (!rc)
		rc = api_result_window(c, &ret->s0, &ret->s1);
	if (!rc)
		rc = api_result_lower(c, r, "step", ret->s0, &row0);
	if (!rc)
		rc = api_result_lower(c, r, "step", ret->s1, &row1);
	if (!rc)
		rc = api_result_read(c, r, "step", row0, row1, NPY_I64, &step);
	if (!rc)
		rc = api_result_read(c, r, "neuron", row0, row1, NPY_U32, &neuron);
	if (rc)
		return rc;
	ret->view.step = step;
	ret->view.neuron = neuron;
	ret->view.n = (size_t)(row1 - row0);
	return check_neurons(c, ret, size);
}

/* ---- spikes ---- */

/* Every so many-th of the spikes asked for, evenly, at most `max`. */
static int pick(struct api_result *c, const struct view_spikes *v, size_t count, size_t max)
{
	size_t n = count < max ? count : max, seen = 0, out = 0;
	double *t = NEW(c->rq->arena, double, n + 1);
	uint32_t *neuron = NEW(c->rq->arena, uint32_t, n + 1);

	if (!t || !neuron)
		return err_nomem(&c->err);
	for (size_t i = 0; i < v->n && out < n; i++) {
		if (v->place && v->place[v->neuron[i]] == VIEW_NONE)
			continue;
		if (seen++ < (size_t)((double)out / (double)n * (double)count))
			continue;
		t[out] = view_time(v->step[i], c->dt);
		neuron[out++] = v->neuron[i];
	}
	api_result_add(c, (struct api_result_column){ .name = "t_ms",
						      .type = NPY_F64,
						      .data = t,
						      .rows = out,
						      .in = API_RESULT_ALL });
	api_result_add(c, (struct api_result_column){ .name = "neuron",
						      .type = NPY_U32,
						      .data = neuron,
						      .rows = out,
						      .in = API_RESULT_ALL });
	return 0;
}

static int spikes(struct api_result *c)
{
	struct api_result_spikes s = { 0 };
	int64_t max = 0;
	size_t count;
	char note[160];
	int rc = api_result_max_points(c, &max);

	if (!rc)
		rc = api_result_spikes_read(c, &s);
	if (rc)
		return rc;
	count = view_count(&s.view);
	if (!max) {
		rc = api_result_limit(c, count);
		max = (int64_t)count;
	}
	if (!rc)
		rc = pick(c, &s.view, count, (size_t)max);
	if (rc)
		return rc;
	api_result_text(c, "population", s.recording->subject);
	api_result_integer(c, "count", count);
	api_result_raw(c, "downsampled", count > (size_t)max ? "true" : "false");
	if (count > (size_t)max) {
		(void)snprintf(note, sizeof(note),
			       "%lld of %zu spikes, picked evenly; counts and intervals of these "
			       "would be wrong",
			       (long long)max, count);
		api_result_text(c, "note", note);
	}
	return 0;
}

int api_result_spikes(const struct api *api, struct request *rq, struct response *rs,
		      struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors, "population neurons t0_ms t1_ms max_points",
				spikes);
}

/* ---- raster ---- */

static int raster(struct api_result *c)
{
	struct api_result_spikes s = { 0 };
	int64_t rows = 0, cols = 0, s1;
	uint32_t *counts;
	int rc = api_result_spikes_read(c, &s);

	if (!rc)
		rc = api_query_int(c->rq, "rows", s.view.size < ROWS ? (int64_t)s.view.size : ROWS,
				   1, GRID_MAX, &rows, c->errors);
	if (!rc)
		rc = api_query_int(c->rq, "cols", COLS, 1, GRID_MAX, &cols, c->errors);
	if (rc)
		return rc;
	rows = (size_t)rows > s.view.size ? (int64_t)s.view.size : rows;
	s1 = s.s1 == INT64_MAX ? c->steps : s.s1;
	if (s1 <= s.s0)
		return err_set(&c->err, ERR_RANGE, "?t0_ms",
			       "expected t0_ms within the run's %g ms", view_time(c->steps, c->dt));
	counts = NEW(c->rq->arena, uint32_t, (size_t)(rows * cols) + 1);
	if (!counts)
		return err_nomem(&c->err);
	view_raster(&s.view, s.s0, s1, (size_t)rows, (size_t)cols, counts);
	api_result_text(c, "population", s.recording->subject);
	api_result_integer(c, "rows", (uint64_t)rows);
	api_result_integer(c, "cols", (uint64_t)cols);
	api_result_integer(c, "neurons", s.view.size);
	api_result_number(c, "t0_ms", view_time(s.s0, c->dt));
	api_result_number(c, "t1_ms", view_time(s1, c->dt));
	api_result_integer(c, "count", view_count(&s.view));
	api_result_add(c, (struct api_result_column){ .name = "counts",
						      .type = NPY_U32,
						      .data = counts,
						      .rows = (uint64_t)rows,
						      .width = (uint64_t)cols,
						      .in = API_RESULT_ALL });
	return 0;
}

int api_result_raster(const struct api *api, struct request *rq, struct response *rs,
		      struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors, "population neurons t0_ms t1_ms rows cols",
				raster);
}

/* ---- rates ---- */

struct rates {
	const char *subject;
	int64_t bin;	    /* steps; 0: not said */
	int64_t first, end; /* bins */
	uint64_t size;
	int64_t *counts; /* [end - first] */
};

static int rates_bin(struct api_result *c, struct rates *r)
{
	double bin_ms = 0.0, steps;
	int rc = api_query_double(c->rq, "bin_ms", 0.0, 0.0, BIN_MAX_MS, &bin_ms, c->errors);

	if (rc)
		return rc;
	steps = floor(bin_ms / c->dt + 0.5);
	if (http_query(c->rq, "bin_ms") &&
	    (steps < 1.0 || fabs(steps * c->dt - bin_ms) > 1e-6 * c->dt))
		return err_set(&c->err, ERR_GRID, "?bin_ms",
			       "expected a multiple of the resolution, %g ms, found %g ms", c->dt,
			       bin_ms);
	r->bin = (int64_t)steps;
	return 0;
}

/* The bins that begin inside the window. */
static int rates_window(struct api_result *c, struct rates *r)
{
	int64_t s0 = 0, s1 = 0, all = (c->steps + r->bin - 1) / r->bin;
	int rc = api_result_window(c, &s0, &s1);

	if (rc)
		return rc;
	r->first = s0 / r->bin + (s0 % r->bin != 0);
	r->end = s1 == INT64_MAX ? all : s1 / r->bin + (s1 % r->bin != 0);
	r->end = r->end < all ? r->end : all;
	r->first = r->first < r->end ? r->first : r->end;
	rc = api_result_limit(c, (uint64_t)(r->end - r->first));
	if (rc)
		return rc;
	r->counts = NEW(c->rq->arena, int64_t, (size_t)(r->end - r->first) + 1);
	return r->counts ? 0 : err_nomem(&c->err);
}

/* From the recording whose bins fit into those asked for. 1: there is none. */
static int rates_recorded(struct api_result *c, struct rates *r)
{
	struct store_recording *list = NULL;
	const void *counts = NULL;
	size_t n = 0;
	int rc = api_result_find(c, "rates", NULL, NULL, &list, &n);

	for (size_t i = 0; !rc && i < n; i++) {
		json_t *meta = api_result_meta(c, &list[i]);
		const struct store_column *column = api_result_column(&list[i], "count");
		int64_t own = json_integer_value(json_object_get(meta, "bin"));

		r->size = (uint64_t)json_integer_value(json_object_get(meta, "size"));
		json_decref(meta);
		if (own < 1 || !column || (r->bin && r->bin % own != 0))
			continue;
		r->bin = r->bin ? r->bin : own;
		r->subject = list[i].subject;
		rc = rates_window(c, r);
		if (!rc)
			rc = api_result_read(c, &list[i], "count", 0, column->rows, NPY_I64,
					     &counts);
		for (uint64_t k = 0; !rc && k < column->rows; k++) {
			int64_t at = (int64_t)k * own / r->bin;

			if (at >= r->first && at < r->end)
				r->counts[at - r->first] += ((const int64_t *)counts)[k];
		}
		return rc;
	}
	return rc ? rc : 1;
}

static int rates_counted(struct api_result *c, struct rates *r)
{
	struct api_result_spikes s = { 0 };
	struct store_recording *list = NULL;
	uint64_t row0 = 0, row1 = 0;
	const void *step = NULL, *neuron = NULL;
	size_t n = 0;
	int rc = api_result_find(
		c, "spikes", NULL,
		"\"rates\": [{\"population\", \"bin_ms\"}] or \"spikes\": [population]", &list, &n);

	if (rc)
		return rc;
	r->subject = list[0].subject;
	r->bin = r->bin ? r->bin : (int64_t)fmax(1.0, floor(RATE_BIN_MS / c->dt + 0.5));
	rc = rates_window(c, r);
	if (!rc)
		rc = choose(c, size_of(c, list), &s);
	/* Bin i holds the steps (i * bin, (i + 1) * bin]. */
	if (!rc)
		rc = api_result_lower(c, list, "step", r->first * r->bin + 1, &row0);
	if (!rc)
		rc = api_result_lower(c, list, "step", r->end * r->bin + 1, &row1);
	if (!rc)
		rc = api_result_read(c, list, "step", row0, row1, NPY_I64, &step);
	if (!rc)
		rc = api_result_read(c, list, "neuron", row0, row1, NPY_U32, &neuron);
	if (rc)
		return rc;
	s.view.step = step;
	s.view.neuron = neuron;
	s.view.n = (size_t)(row1 - row0);
	r->size = s.view.size;
	rc = check_neurons(c, &s, size_of(c, list));
	if (!rc)
		view_bins(&s.view, r->first * r->bin, r->bin, (size_t)(r->end - r->first),
			  r->counts);
	return rc;
}

static int rates(struct api_result *c)
{
	struct rates r = { 0 };
	double *t, *hz;
	size_t n;
	int rc = rates_bin(c, &r);

	if (rc)
		return rc;
	rc = http_query(c->rq, "neurons") ? 1 : rates_recorded(c, &r);
	if (rc == 1)
		rc = rates_counted(c, &r);
	if (rc)
		return rc;
	n = (size_t)(r.end - r.first);
	t = NEW(c->rq->arena, double, n + 1);
	hz = NEW(c->rq->arena, double, n + 1);
	if (!t || !hz)
		return err_nomem(&c->err);
	for (size_t i = 0; i < n; i++) {
		int64_t from = (r.first + (int64_t)i) * r.bin,
			to = from + r.bin < c->steps ? from + r.bin : c->steps;

		t[i] = view_time(from, c->dt);
		hz[i] = 1000.0 * (double)r.counts[i] /
			((double)r.size * view_time(to - from, c->dt));
	}
	api_result_text(c, "population", r.subject);
	api_result_number(c, "bin_ms", view_time(r.bin, c->dt));
	api_result_integer(c, "size", r.size);
	api_result_add(c, (struct api_result_column){ .name = "t_ms",
						      .type = NPY_F64,
						      .data = t,
						      .rows = n,
						      .in = API_RESULT_ALL });
	api_result_add(c, (struct api_result_column){ .name = "rate_hz",
						      .type = NPY_F64,
						      .data = hz,
						      .rows = n,
						      .in = API_RESULT_ALL });
	return 0;
}

int api_result_rates(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors, "population neurons bin_ms t0_ms t1_ms",
				rates);
}

/* ---- intervals ---- */

static int isi_columns(struct api_result *c, const double *isi, size_t n,
		       const struct view_moments *m, double max, size_t bins)
{
	double *edges = NEW(c->rq->arena, double, bins + 1);
	int64_t *counts = NEW(c->rq->arena, int64_t, bins + 1);

	if (!edges || !counts)
		return err_nomem(&c->err);
	if (!(max > 0.0))
		max = n ? m->max : 1.0;
	view_edges(0.0, max, bins, edges);
	view_histogram(isi, n, 0.0, max, bins, counts);
	api_result_integer(c, "count", n);
	api_result_number(c, "mean_ms", m->mean);
	api_result_number(c, "cv", m->cv);
	api_result_number(c, "min_ms", m->min);
	api_result_number(c, "max_ms", m->max);
	api_result_add(c, (struct api_result_column){ .name = "edges_ms",
						      .type = NPY_F64,
						      .data = edges,
						      .rows = bins + 1,
						      .in = API_RESULT_BESIDE });
	api_result_add(c, (struct api_result_column){ .name = "from_ms",
						      .type = NPY_F64,
						      .data = edges,
						      .rows = bins,
						      .in = API_RESULT_ROWS });
	api_result_add(c, (struct api_result_column){ .name = "to_ms",
						      .type = NPY_F64,
						      .data = edges + 1,
						      .rows = bins,
						      .in = API_RESULT_ROWS });
	api_result_add(c, (struct api_result_column){ .name = "counts",
						      .type = NPY_I64,
						      .data = counts,
						      .rows = bins,
						      .in = API_RESULT_ALL });
	return 0;
}

static int isi(struct api_result *c)
{
	struct api_result_spikes s = { 0 };
	struct view_moments m;
	int64_t bins = 0, *last;
	double *isi_ms, max = 0.0;
	size_t n;
	int rc = api_query_int(c->rq, "bins", ISI_BINS, 1, BINS_MAX, &bins, c->errors);

	if (!rc)
		rc = api_query_double(c->rq, "max_ms", 0.0, 0.0, BIN_MAX_MS, &max, c->errors);
	if (!rc)
		rc = api_result_spikes_read(c, &s);
	if (rc)
		return rc;
	last = NEW(c->rq->arena, int64_t, s.view.size + 1);
	isi_ms = NEW(c->rq->arena, double, s.view.n + 1);
	if (!last || !isi_ms)
		return err_nomem(&c->err);
	n = view_intervals(&s.view, c->dt, last, isi_ms);
	m = view_moments(isi_ms, n);
	api_result_text(c, "population", s.recording->subject);
	return isi_columns(c, isi_ms, n, &m, max, (size_t)bins);
}

int api_result_isi(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors, "population neurons t0_ms t1_ms bins max_ms",
				isi);
}
