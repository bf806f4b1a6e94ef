/* rec_weights.c - recorders of weights: snapshots, updates, histograms, final weights. */
/* SPDX-License-Identifier: MIT */
#include "core/rec_part.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/attr.h"

static bool due(const struct rec_part *p, int64_t t)
{
	return t == 0 || (p->every > 0 && t % p->every == 0);
}

/* Columns i and i + 1: source and target of the recording's synapses. */
static int endpoints_write(struct rec_part *p, const struct sim *s, size_t i, struct err *err)
{
	uint64_t n = sim_synapses(s, p->subject);
	CLEANUP(mem_freep) uint32_t *source = mem_alloc(n + 1, sizeof(*source));
	CLEANUP(mem_freep) uint32_t *target = mem_alloc(n + 1, sizeof(*target));
	int rc;

	if (!source || !target)
		return err_nomem(err);
	sim_endpoints(s, p->subject, source, target);
	if (!p->entry.synapses) {
		rc = rec_part_add(p, i, source, n, err);
		return rc ? rc : rec_part_add(p, i + 1, target, n, err);
	}
	for (uint64_t k = 0; k < p->entry.n_synapses; k++) {
		rc = rec_part_add(p, i, &source[p->entry.synapses[k]], 1, err);
		if (!rc)
			rc = rec_part_add(p, i + 1, &target[p->entry.synapses[k]], 1, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* Snapshots. */

static int snapshot(struct rec *r, struct rec_part *p, const struct sim *s, struct err *err)
{
	int64_t now = sim_now(s);
	const double *w = r->weights;
	int rc = sim_weights(s, p->subject, r->weights, err);

	if (rc)
		return rc;
	if (p->entry.synapses) {
		for (uint64_t k = 0; k < p->entry.n_synapses; k++)
			p->row[k] = w[p->entry.synapses[k]];
		w = p->row;
	}
	p->last = now;
	rc = rec_part_add(p, 2, &now, 1, err);
	return rc ? rc : rec_part_add(p, 3, w, 1, err);
}

static int snapshot_slice(struct rec *r, struct rec_part *p, const struct sim_view *v,
			  struct err *err)
{
	return due(p, v->t1) ? snapshot(r, p, v->sim, err) : 0;
}

static int snapshot_finish(struct rec *r, struct rec_part *p, const struct sim *s, struct err *err)
{
	return p->last == sim_now(s) ? 0 : snapshot(r, p, s, err);
}

static struct rec_part *part_new(struct rec *r, enum rec_kind kind, size_t projection,
				 size_t n_columns)
{
	const char *name = r->spec->projections[projection].name;
	struct rec_part *p = rec_part_new(r, kind, name, "", n_columns);

	if (p)
		p->subject = projection;
	return p;
}

static int snapshot_columns(struct rec *r, struct rec_part *p, const struct sim *s, struct err *err)
{
	int rc = rec_part_column(r, p, 0, "source", NPY_U32, 1, err);

	if (!rc)
		rc = rec_part_column(r, p, 1, "target", NPY_U32, 1, err);
	if (!rc)
		rc = rec_part_column(r, p, 2, "at", NPY_I64, 1, err);
	if (!rc)
		rc = rec_part_column(r, p, 3, "weight", NPY_F64, p->entry.n_synapses, err);
	return rc ? rc : endpoints_write(p, s, 0, err);
}

/* Wiring that is drawn tells only now how many synapses there are. */
static int snapshot_check(const struct rec *r, const struct spec_record_weights *w, uint64_t n,
			  struct err *err)
{
	for (size_t i = 0; w->synapses && i < w->n_synapses; i++)
		if (w->synapses[i] >= n)
			return err_set(err, ERR_RANGE, "/record/weights",
				       "projection \"%s\" has %" PRIu64
				       " synapses, so there is no synapse %" PRIu64,
				       r->spec->projections[w->projection].name, n, w->synapses[i]);
	return 0;
}

static int snapshot_new(struct rec *r, struct sim *s, const struct spec_record_weights *w,
			struct err *err)
{
	int rc = snapshot_check(r, w, sim_synapses(s, w->projection), err);
	struct rec_part *p = rc ? NULL : part_new(r, REC_WEIGHTS, w->projection, 4);

	if (!p)
		return rc ? rc : err_nomem(err);
	p->every = p->entry.every = w->every;
	p->entry.synapses = w->synapses;
	p->entry.n_synapses = w->synapses ? w->n_synapses : sim_synapses(s, w->projection);
	if (w->synapses)
		p->row = NEW(r->arena, double, w->n_synapses + 1);
	if (w->synapses && !p->row)
		return err_nomem(err);
	p->slice = snapshot_slice;
	p->finish = snapshot_finish;
	return snapshot_columns(r, p, s, err);
}

/* Histograms. */

static void data_range(const double *w, uint64_t n, double *ret_min, double *ret_max)
{
	double lo = n ? w[0] : 0.0, hi = lo, pad;

	for (uint64_t k = 1; k < n; k++) {
		lo = w[k] < lo ? w[k] : lo;
		hi = w[k] > hi ? w[k] : hi;
	}
	pad = hi > lo ? 0.5 * (hi - lo) : lo != 0.0 ? 0.5 * fabs(lo) : 0.5;
	*ret_min = lo - pad;
	*ret_max = hi + pad;
}

/* As asked, else the rule's bounds (mirrored for negative weights), else the first data, padded. */
static void histogram_range(const struct spec_projection *proj, const double *w, uint64_t n,
			    double *min, double *max)
{
	bool negative = false;

	if (*min < *max)
		return;
	*min = -PARAM_INF;
	*max = PARAM_INF;
	if (proj->model->bounds)
		proj->model->bounds(proj->params, min, max);
	if (!isfinite(*min) || !isfinite(*max) || !(*min < *max)) {
		data_range(w, n, min, max);
		return;
	}
	for (uint64_t k = 0; k < n && !negative; k++)
		negative = w[k] < 0.0;
	if (negative) {
		double lo = -*max;

		*max = -*min;
		*min = lo;
	}
}

/* Edges from the range in p->min and p->max. */
int rec_weights_edges(struct rec *r, struct rec_part *p, struct err *err)
{
	size_t bins = p->entry.bins;

	p->edges = NEW(r->arena, double, bins + 1);
	if (!p->edges)
		return err_nomem(err);
	for (size_t i = 0; i <= bins; i++)
		p->edges[i] = p->min + (p->max - p->min) * ((double)i / (double)bins);
	p->edges[bins] = p->max;
	p->entry.edges = p->edges;
	return 0;
}

/* The bin of w, which lies in [min, max]; the edges decide, not the rounding of the quotient. */
static size_t histogram_bin(const struct rec_part *p, double w)
{
	size_t last = p->entry.bins - 1;
	double x = (w - p->min) / (p->max - p->min) * (double)p->entry.bins;
	size_t i = x < (double)last ? (size_t)x : last;

	if (i > 0 && w < p->edges[i])
		return i - 1;
	if (i < last && w >= p->edges[i + 1])
		return i + 1;
	return i;
}

static int histogram(struct rec *r, struct rec_part *p, const struct sim *s, struct err *err)
{
	uint64_t n = sim_synapses(s, p->subject);
	int64_t now = sim_now(s);
	int rc = sim_weights(s, p->subject, r->weights, err);

	if (!rc && !p->edges) {
		histogram_range(&r->spec->projections[p->subject], r->weights, n, &p->min, &p->max);
		rc = rec_weights_edges(r, p, err);
	}
	if (rc)
		return rc;
	memset(p->counts, 0, p->entry.bins * sizeof(*p->counts));
	for (uint64_t k = 0; k < n; k++)
		if (r->weights[k] >= p->min && r->weights[k] <= p->max)
			p->counts[histogram_bin(p, r->weights[k])]++;
	p->last = now;
	rc = rec_part_add(p, 0, &now, 1, err);
	return rc ? rc : rec_part_add(p, 1, p->counts, 1, err);
}

static int histogram_slice(struct rec *r, struct rec_part *p, const struct sim_view *v,
			   struct err *err)
{
	return due(p, v->t1) ? histogram(r, p, v->sim, err) : 0;
}

static int histogram_finish(struct rec *r, struct rec_part *p, const struct sim *s, struct err *err)
{
	return p->last == sim_now(s) ? 0 : histogram(r, p, s, err);
}

static int histogram_new(struct rec *r, const struct spec_record_weights *w, struct err *err)
{
	struct rec_part *p = part_new(r, REC_HISTOGRAM, w->projection, 2);
	int rc;

	if (!p)
		return err_nomem(err);
	p->every = p->entry.every = w->every;
	p->entry.bins = w->bins;
	p->min = w->min;
	p->max = w->max;
	p->slice = histogram_slice;
	p->finish = histogram_finish;
	p->counts = NEW(r->arena, int64_t, w->bins);
	if (!p->counts)
		return err_nomem(err);
	rc = rec_part_column(r, p, 0, "at", NPY_I64, 1, err);
	return rc ? rc : rec_part_column(r, p, 1, "count", NPY_I64, w->bins, err);
}

/* Updates. */

static bool watched(const struct rec_part *p, uint64_t k)
{
	size_t lo = 0, hi = p->entry.n_synapses;

	while (p->sorted && lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->sorted[mid] == k)
			return true;
		if (p->sorted[mid] < k)
			lo = mid + 1;
		else
			hi = mid;
	}
	return !p->sorted;
}

static int updates_slice(struct rec *r, struct rec_part *p, const struct sim_view *v,
			 struct err *err)
{
	const struct sim_update *u = v->updates[p->subject];
	int rc = 0;

	(void)r;
	for (size_t i = 0; i < v->n_updates[p->subject] && !rc; i++) {
		int64_t k = (int64_t)u[i].synapse;

		if (!watched(p, u[i].synapse))
			continue;
		rc = rec_part_add(p, 0, &u[i].step, 1, err);
		if (!rc)
			rc = rec_part_add(p, 1, &k, 1, err);
		if (!rc)
			rc = rec_part_add(p, 2, &u[i].weight, 1, err);
	}
	return rc;
}

/* Sources and targets of the chosen synapses, for result.json. */
static int updates_endpoints(struct rec *r, struct rec_part *p, const struct sim *s,
			     struct err *err)
{
	uint64_t all = sim_synapses(s, p->subject), n = p->entry.n_synapses;
	CLEANUP(mem_freep) uint32_t *source = mem_alloc(all + 1, sizeof(*source));
	CLEANUP(mem_freep) uint32_t *target = mem_alloc(all + 1, sizeof(*target));
	uint32_t *from = NEW(r->arena, uint32_t, n + 1), *to = NEW(r->arena, uint32_t, n + 1);

	if (!source || !target || !from || !to)
		return err_nomem(err);
	sim_endpoints(s, p->subject, source, target);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t k = p->entry.synapses ? p->entry.synapses[i] : i;

		from[i] = source[k];
		to[i] = target[k];
	}
	p->entry.source = from;
	p->entry.target = to;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int updates_new(struct rec *r, struct sim *s, const struct spec_record_weights *w,
		       struct err *err)
{
	struct rec_part *p = part_new(r, REC_UPDATES, w->projection, 3);
	int rc;

	if (!p)
		return err_nomem(err);
	p->entry.synapses = w->synapses;
	p->entry.n_synapses = w->synapses ? w->n_synapses : sim_synapses(s, w->projection);
	p->slice = updates_slice;
	if (w->synapses) {
		uint64_t *sorted = NEW(r->arena, uint64_t, w->n_synapses + 1);

		if (!sorted)
			return err_nomem(err);
		memcpy(sorted, w->synapses, w->n_synapses * sizeof(*sorted));
		qsort(sorted, w->n_synapses, sizeof(*sorted), by_number);
		p->sorted = sorted;
	}
	rc = sim_watch(s, w->projection, w->synapses, w->n_synapses, err);
	if (!rc)
		rc = updates_endpoints(r, p, s, err);
	if (!rc)
		rc = rec_part_column(r, p, 0, "step", NPY_I64, 1, err);
	if (!rc)
		rc = rec_part_column(r, p, 1, "synapse", NPY_I64, 1, err);
	return rc ? rc : rec_part_column(r, p, 2, "weight", NPY_F64, 1, err);
}

/* All of them. */

static bool plastic(const struct spec_projection *p)
{
	return p->model->update != NULL;
}

/* Room for the weights of any projection that will be read; taken at once, so that a run which
 * has no memory for its results fails before it computes them. */
static int scratch_new(struct rec *r, const struct sim *s, struct err *err)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->spec->n_projections; i++) {
		uint64_t one = sim_synapses(s, i);
		bool read = plastic(&r->spec->projections[i]);

		for (size_t k = 0; k < r->spec->n_weights; k++)
			read = read || r->spec->weights[k].projection == i;
		n = read && one > n ? one : n;
	}
	r->weights = NEW(r->arena, double, n + 1);
	r->mean = NEW(r->arena, double, r->spec->n_projections + 1);
	r->sd = NEW(r->arena, double, r->spec->n_projections + 1);
	if (!r->weights || !r->mean || !r->sd)
		return err_nomem(err);
	for (size_t i = 0; i < r->spec->n_projections; i++)
		r->mean[i] = (double)NAN;
	return 0;
}

int rec_weights_attach(struct rec *r, struct sim *s, struct err *err)
{
	int rc = scratch_new(r, s, err);

	for (size_t i = 0; i < r->spec->n_weights && !rc; i++) {
		const struct spec_record_weights *w = &r->spec->weights[i];

		if (w->mode == SPEC_WEIGHTS_SNAPSHOT)
			rc = snapshot_new(r, s, w, err);
		else if (w->mode == SPEC_WEIGHTS_HISTOGRAM)
			rc = histogram_new(r, w, err);
		else
			rc = updates_new(r, s, w, err);
	}
	return rc;
}

static void moments(struct rec *r, size_t projection, uint64_t n)
{
	double sum = 0.0, square = 0.0, mean;

	if (n == 0)
		return;
	for (uint64_t k = 0; k < n; k++)
		sum += r->weights[k];
	mean = sum / (double)n;
	for (uint64_t k = 0; k < n; k++)
		square += (r->weights[k] - mean) * (r->weights[k] - mean);
	r->mean[projection] = mean;
	r->sd[projection] = sqrt(square / (double)n);
}

static int final_write(struct rec *r, const struct sim *s, size_t projection, struct err *err)
{
	struct rec_part *p = part_new(r, REC_FINAL_WEIGHTS, projection, 4);
	int64_t now = sim_now(s);
	int rc;

	if (!p)
		return err_nomem(err);
	p->entry.n_synapses = sim_synapses(s, projection);
	rc = snapshot_columns(r, p, s, err);
	if (!rc)
		rc = rec_part_add(p, 2, &now, 1, err);
	return rc ? rc : rec_part_add(p, 3, r->weights, 1, err);
}

int rec_weights_now(struct rec *r, const struct sim *s, size_t projection, struct err *err)
{
	int rc;

	r->spec = sim_spec(s);
	r->weights = NEW(r->arena, double, sim_synapses(s, projection) + 1);
	if (!r->weights)
		return err_nomem(err);
	rc = sim_weights(s, projection, r->weights, err);
	return rc ? rc : final_write(r, s, projection, err);
}

int rec_weights_finish(struct rec *r, const struct sim *s, struct err *err)
{
	for (size_t i = 0; i < r->spec->n_projections; i++) {
		int rc;

		if (!plastic(&r->spec->projections[i]))
			continue;
		rc = sim_weights(s, i, r->weights, err);
		if (rc)
			return rc;
		moments(r, i, sim_synapses(s, i));
		if (r->spec->projections[i].keep_final)
			rc = final_write(r, s, i, err);
		if (rc)
			return rc;
	}
	return 0;
}
