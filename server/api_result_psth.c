/* api_result_psth.c - spikes around events: the peri-stimulus time histogram. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/api_result.h"

enum { EVENTS_MAX = 1000000, BINS_MAX = 100000 };

static const double BEFORE_MS = 50.0, AFTER_MS = 100.0, BIN_MS = 5.0, SPAN_MAX_MS = 1e7;

struct psth {
	int64_t before, after, bin; /* steps */
	const int64_t *event;	    /* [n_events] steps, ascending */
	size_t n_events;
	size_t n_bins;
	int64_t *counts; /* [n_bins] */
};

static int on_grid(struct api_result *c, const char *name, double def, int64_t min, int64_t *ret)
{
	double ms = def, steps;
	int rc = api_query_double(c->rq, name, def, 0.0, SPAN_MAX_MS, &ms, c->errors);

	if (rc)
		return rc;
	steps = floor(ms / c->dt + 0.5);
	if (steps < (double)min || fabs(steps * c->dt - ms) > 1e-6 * c->dt)
		return err_set(&c->err, ERR_GRID, NULL,
			       "%s: expected a multiple of the resolution, %g ms, found %g ms",
			       name, c->dt, ms);
	*ret = (int64_t)steps;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* "10,20.5,30" */
static int given_events(struct api_result *c, const char *text, struct psth *p)
{
	size_t n = 1, i = 0;
	int64_t *event;

	for (const char *at = text; *at; at++)
		n += *at == ',';
	if (n > EVENTS_MAX)
		return err_set(&c->err, ERR_LIMIT, "?events_ms", "expected at most %d events",
			       EVENTS_MAX);
	event = NEW(c->rq->arena, int64_t, n);
	if (!event)
		return err_nomem(&c->err);
	for (const char *at = text; i < n; at++) {
		char *end;
		double t = strtod(at, &end);

		if (end == at || (*end && *end != ',') || !(fabs(t) <= 1e12))
			return err_set(&c->err, ERR_TYPE, "?events_ms",
				       "expected times in ms as 100,250.5");
		event[i++] = view_step(t, c->dt);
		at = end;
	}
	qsort(event, n, sizeof(*event), by_value);
	p->event = event;
	p->n_events = n;
	return 0;
}

/* The spikes of population `source`. */
static int spike_events(struct api_result *c, const char *source, struct psth *p)
{
	struct store_recording *r = NULL;
	const struct store_column *column;
	const void *step = NULL;
	size_t n = 0;
	int rc = api_result_recordings(c, "spikes", source, NULL, &r, &n);

	if (rc)
		return rc;
	column = n ? api_result_column(r, "step") : NULL;
	if (!column)
		return err_set(&c->err, ERR_NOTRECORDED, "?source",
			       "spikes of \"%.64s\" were not recorded", source);
	if (column->rows > EVENTS_MAX)
		return err_set(&c->err, ERR_LIMIT, "?source", "expected at most %d events",
			       EVENTS_MAX);
	rc = api_result_read(c, r, "step", 0, column->rows, NPY_I64, &step);
	p->event = step;
	p->n_events = (size_t)column->rows;
	return rc;
}

static int read_events(struct api_result *c, struct psth *p)
{
	const char *times = http_query(c->rq, "events_ms"), *source = http_query(c->rq, "source");

	if (!times == !source)
		return err_set(&c->err, times ? ERR_CONFLICT : ERR_MISSING, "?events_ms",
			       "expected either events_ms=T1,T2 or source=POPULATION");
	return times ? given_events(c, times, p) : spike_events(c, source, p);
}

/* Bin i holds what lies from event - before + i * bin up to the next bin. */
static void count(const struct view_spikes *v, struct psth *p)
{
	size_t from = 0;

	for (size_t e = 0; e < p->n_events; e++) {
		int64_t start = p->event[e] - p->before, end = p->event[e] + p->after;

		while (from < v->n && v->step[from] < start)
			from++;
		for (size_t i = from; i < v->n && v->step[i] < end; i++)
			if (!v->place || v->place[v->neuron[i]] != VIEW_NONE)
				p->counts[(v->step[i] - start) / p->bin]++;
	}
}

static int read_query(struct api_result *c, struct psth *p)
{
	int rc = on_grid(c, "before_ms", BEFORE_MS, 0, &p->before);

	if (!rc)
		rc = on_grid(c, "after_ms", AFTER_MS, 1, &p->after);
	if (!rc)
		rc = on_grid(c, "bin_ms", BIN_MS, 1, &p->bin);
	if (rc)
		return rc;
	if ((p->before + p->after) % p->bin != 0 || (p->before + p->after) / p->bin > BINS_MAX)
		return err_set(&c->err, ERR_RANGE, "?bin_ms",
			       "expected at most %d bins that fill before_ms + after_ms", BINS_MAX);
	p->n_bins = (size_t)((p->before + p->after) / p->bin);
	p->counts = NEW(c->rq->arena, int64_t, p->n_bins);
	return p->counts ? 0 : err_nomem(&c->err);
}

static int psth(struct api_result *c)
{
	struct api_result_spikes s = { 0 };
	struct psth p = { .bin = 1 };
	double *t, *hz, per;
	int rc = read_query(c, &p);

	if (!rc)
		rc = read_events(c, &p);
	if (!rc)
		rc = api_result_spikes_read(c, &s);
	if (rc)
		return rc;
	count(&s.view, &p);
	t = NEW(c->rq->arena, double, p.n_bins);
	hz = NEW(c->rq->arena, double, p.n_bins);
	if (!t || !hz)
		return err_nomem(&c->err);
	per = (double)p.n_events * (double)s.view.size * view_time(p.bin, c->dt) * 1e-3;
	for (size_t i = 0; i < p.n_bins; i++) {
		t[i] = view_time((int64_t)i * p.bin - p.before, c->dt);
		hz[i] = per > 0.0 ? (double)p.counts[i] / per : (double)NAN;
	}
	api_result_text(c, "population", s.recording->subject);
	api_result_integer(c, "events", p.n_events);
	api_result_integer(c, "neurons", s.view.size);
	api_result_number(c, "bin_ms", view_time(p.bin, c->dt));
	api_result_add(c, (struct api_result_column){ .name = "t_ms",
						      .type = NPY_F64,
						      .data = t,
						      .rows = p.n_bins,
						      .in = API_RESULT_ALL });
	api_result_add(c, (struct api_result_column){ .name = "counts",
						      .type = NPY_I64,
						      .data = p.counts,
						      .rows = p.n_bins,
						      .in = API_RESULT_ALL });
	api_result_add(c, (struct api_result_column){ .name = "rate_hz",
						      .type = NPY_F64,
						      .data = hz,
						      .rows = p.n_bins,
						      .in = API_RESULT_ALL });
	return 0;
}

int api_result_psth(const struct api *api, struct request *rq, struct response *rs,
		    struct err_list *errors)
{
	return api_result_serve(
		api, rq, rs, errors,
		"population neurons events_ms source before_ms after_ms bin_ms t0_ms t1_ms", psth);
}
