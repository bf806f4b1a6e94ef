/* net_wire.c - projections: who is connected with whom, made into rows by source.
 *
 * Each part draws only its own targets, in order, into a list of sources; a counting sort then
 * makes the rows, each sorted by (target, draw). Weights and delays are drawn by the synapse's
 * index k, so parts do not matter. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "core/net.h"

/* Sources in order of (target, draw) while a part is being wired. */
struct wire_list {
	uint32_t *source;
	size_t n, cap;
	bool failed;
};

static void collect(void *self, uint32_t source)
{
	struct wire_list *l = self;

	if (l->n == l->cap && !l->failed) {
		size_t cap = l->cap ? l->cap * 2 : 4096;
		uint32_t *grown = mem_resize(l->source, cap, sizeof(*grown));

		l->failed = !grown;
		if (grown) {
			l->source = grown;
			l->cap = cap;
		}
	}
	if (!l->failed)
		l->source[l->n++] = source;
}

/* First entry of a sorted list wiring that belongs to `target` or a later one. */
static uint64_t list_start(const struct wiring_ctx *c, uint32_t target)
{
	size_t lo = 0, hi = c->n_list;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->list_target[mid] < target)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int alloc_rows(struct net *net, struct net_projection *p, struct net_rows *r, size_t n,
		      struct err *err)
{
	struct mem_arena *a = net->arena;
	bool list = p->spec->rule->takes_list;

	r->row = NEW(a, uint64_t, p->n_source + 1);
	r->target = NEW(a, uint32_t, n + 1);
	r->w = NEW(a, double, n + 1);
	r->delay = NEW(a, uint16_t, p->delay_stride ? n + 1 : 1);
	if (list)
		r->order = NEW(a, uint64_t, n + 1);
	else
		r->k0 = NEW(a, uint64_t, p->n_source);
	if (!r->row || !r->target || !r->w || !r->delay || !(list ? r->order : r->k0))
		return err_nomem(err);
	for (size_t k = 0; k < p->n_syn; k++) {
		r->syn[k] = NEW(a, double, n + 1);
		if (!r->syn[k])
			return err_nomem(err);
		for (size_t i = 0; i < n; i++)
			r->syn[k][i] = p->model->syn[k].init;
	}
	return p->plastic ? net_plastic_rows(net, p, r, err) : 0;
}

/* Counting sort of the collected sources into rows; degree[j]: sources of target lo + j. */
static int sort_rows(struct net *net, const struct net_projection *p, struct net_rows *r,
		     const struct wire_list *l, const uint32_t *degree, uint32_t lo, uint32_t hi,
		     struct err *err)
{
	uint64_t entry = list_start(&p->spec->wiring, lo);
	size_t e = 0;

	for (size_t i = 0; i < l->n; i++)
		r->row[l->source[i] + 1]++;
	for (size_t i = 0; i < p->n_source; i++)
		r->row[i + 1] += r->row[i];
	for (uint32_t j = lo; j < hi; j++) {
		int rc = net_look(net, degree[j - lo], err);

		if (rc)
			return rc;
		for (uint32_t d = 0; d < degree[j - lo]; d++, e++) {
			uint64_t at = r->row[l->source[e]]++;

			r->target[at] = j;
			if (r->order)
				r->order[at] = p->spec->list_order[entry + e];
		}
	}
	memmove(r->row + 1, r->row, p->n_source * sizeof(*r->row));
	r->row[0] = 0;
	return 0;
}

/* Sources of one target: drawn now, or taken from what was drawn for all. */
static void take_sources(const struct net_projection *p, const struct wiring_ctx *c,
			 const struct net_pairs *all, uint32_t target, struct wire_list *l)
{
	if (!all->first) {
		p->spec->rule->sources(c, target, collect, l);
		return;
	}
	for (uint64_t i = all->first[target]; i < all->first[target + 1]; i++)
		collect(l, all->source[i]);
}

static int wire_part(struct net *net, struct net_projection *p, size_t part,
		     const struct wiring_ctx *c, const struct net_pairs *all, struct err *err)
{
	const struct net_population *t = &net->populations[p->spec->target];
	uint32_t lo = t->part[part], hi = t->part[part + 1];
	struct wire_list l = { 0 };
	uint32_t *degree = mem_alloc((size_t)(hi - lo) + 1, sizeof(*degree));
	int rc = degree ? 0 : err_nomem(err);

	for (uint32_t j = lo; !rc && !l.failed && j < hi; j++) {
		size_t before = l.n;

		take_sources(p, c, all, j, &l);
		degree[j - lo] = (uint32_t)(l.n - before);
		rc = net_look(net, 1 + l.n - before, err);
	}
	if (!rc && l.failed)
		rc = err_nomem(err);
	if (!rc)
		rc = alloc_rows(net, p, &p->part[part], l.n, err);
	if (!rc)
		rc = sort_rows(net, p, &p->part[part], &l, degree, lo, hi, err);
	if (!rc && p->in_degree)
		memcpy(p->in_degree + lo, degree, (size_t)(hi - lo) * sizeof(*degree));
	p->n += l.n;
	mem_free(l.source);
	mem_free(degree);
	return rc;
}

/* Index k of the first synapse of each row of each part: rows of a source stand part after part. */
static void number_synapses(struct net *net, struct net_projection *p)
{
	uint64_t k = 0;

	if (p->spec->rule->takes_list)
		return;
	for (size_t i = 0; i < p->n_source; i++) {
		for (size_t part = 0; part < net->n_parts; part++) {
			struct net_rows *r = &p->part[part];

			r->k0[i] = k;
			k += r->row[i + 1] - r->row[i];
		}
	}
}

static bool is_negative(const struct spec_value *v)
{
	switch (v->kind) {
	case SPEC_CONST:
	case SPEC_NORMAL:
		return v->a < 0;
	case SPEC_UNIFORM:
		return v->a + v->b < 0;
	case SPEC_LOGNORMAL:
		return false;
	case SPEC_ARRAY:
		for (size_t i = 0; i < v->n; i++) {
			if (v->array[i] < 0)
				return true;
		}
		break;
	}
	return false;
}

/* Signed bounds of a projection's initial weights. */
static void weight_bounds(const struct net_projection *p, double *min, double *max)
{
	double lo = 0, hi = PARAM_INF;

	*min = -PARAM_INF;
	*max = PARAM_INF;
	if (!p->plastic)
		return;
	if (p->model->bounds)
		p->model->bounds(p->param, &lo, &hi);
	*min = p->sign > 0 ? lo : -hi;
	*max = p->sign > 0 ? hi : -lo;
}

static int draw_weights(struct net *net, struct net_projection *p, struct err *err)
{
	const struct spec_value *v = &p->spec->weight;
	struct rng_key key = spec_key(net->spec, RNG_WEIGHT, p->spec->name, "weight");
	double min, max;

	weight_bounds(p, &min, &max);
	for (size_t part = 0; part < net->n_parts; part++) {
		struct net_rows *r = &p->part[part];

		for (size_t i = 0; i < p->n_source; i++) {
			uint64_t from = r->row[i], n = r->row[i + 1] - from;
			int rc = net_look(net, n, err);

			if (rc)
				return rc;
			for (uint64_t j = 0; j < n; j++) {
				double w = spec_value_at(v, key, net_synapse(r, i, j), min, max);

				if (!(w >= min && w <= max))
					return err_set(err, ERR_RANGE, "/projections",
						       "the initial weights of projection \"%s\" "
						       "must lie in "
						       "[%g, %g], the bounds of %s, not %g",
						       p->spec->name, min, max, p->model->name, w);
				r->w[from + j] = p->plastic ? p->sign * w : w;
			}
		}
	}
	return 0;
}

static int draw_delays(struct net *net, struct net_projection *p, struct err *err)
{
	const struct spec_value *v = &p->spec->delay;
	struct rng_key key = spec_key(net->spec, RNG_DELAY, p->spec->name, "delay");
	double dt = net->spec->dt;
	double min = (double)p->spec->delay_min, max = (double)p->spec->delay_max;

	for (size_t part = 0; part < net->n_parts; part++) {
		struct net_rows *r = &p->part[part];

		if (!p->delay_stride) {
			r->delay[0] = (uint16_t)p->spec->delay_min;
			continue;
		}
		for (size_t i = 0; i < p->n_source; i++) {
			uint64_t from = r->row[i], n = r->row[i + 1] - from;
			int rc = net_look(net, n, err);

			if (rc)
				return rc;
			for (uint64_t j = 0; j < n; j++) {
				double d = spec_value_at(v, key, net_synapse(r, i, j), -PARAM_INF,
							 PARAM_INF);

				d = floor(d / dt + 0.5);
				d = d < min ? min : d > max ? max : d;
				r->delay[from + j] = (uint16_t)d;
			}
		}
	}
	return 0;
}

static bool row_is_whole(const struct net_rows *r, size_t source, uint32_t lo, uint32_t n)
{
	uint64_t from = r->row[source], length = r->row[source + 1] - from;

	if (length != 0 && length != n)
		return false;
	for (uint64_t i = 0; i < length; i++) {
		if (r->target[from + i] != lo + i)
			return false;
	}
	return true;
}

static void find_whole(const struct net *net, struct net_projection *p)
{
	const uint32_t *cut = net->populations[p->spec->target].part;

	for (size_t part = 0; part < net->n_parts; part++) {
		struct net_rows *r = &p->part[part];

		r->whole = p->delay_stride == 0;
		for (size_t i = 0; r->whole && i < p->n_source; i++)
			r->whole = row_is_whole(r, i, cut[part], cut[part + 1] - cut[part]);
	}
}

/* A static projection whose weights have one sign needs no look at each of them. */
static void settle_channel(const struct net *net, struct net_projection *p)
{
	bool negative = false, positive = false;

	if (p->channel != -1)
		return;
	if (p->plastic) {
		p->channel = p->sign < 0;
		return;
	}
	for (size_t part = 0; part < net->n_parts; part++) {
		const struct net_rows *r = &p->part[part];

		for (uint64_t i = 0; i < r->row[p->n_source]; i++) {
			negative |= r->w[i] < 0;
			positive |= r->w[i] > 0;
		}
	}
	if (!negative || !positive)
		p->channel = negative;
}

int net_wire(struct net *net, size_t projection, struct err *err)
{
	struct net_projection *p = &net->projections[projection];
	struct wiring_ctx wiring = p->spec->wiring;
	struct net_pairs all = { 0 };
	int rc = 0;

	p->model = p->spec->model;
	p->plastic = p->model->update != NULL;
	p->on = true;
	p->n_source = net->populations[p->spec->source].n;
	p->n_target = net->populations[p->spec->target].n;
	p->delay_stride = p->spec->delay_min != p->spec->delay_max;
	p->sign = p->plastic && is_negative(&p->spec->weight) ? -1 : 1;
	wiring.key = spec_key(net->spec, RNG_WIRING, p->spec->name, "");
	if (p->plastic)
		rc = net_plastic(net, projection, err);
	if (!rc && p->spec->rule->pairs)
		rc = net_pairs_draw(net, p->spec->rule, &wiring, &all, err);
	for (size_t part = 0; !rc && part < net->n_parts; part++)
		rc = wire_part(net, p, part, &wiring, &all, err);
	net_pairs_free(&all);
	if (rc)
		return rc;
	find_whole(net, p);
	number_synapses(net, p);
	for (size_t part = 0; !rc && p->plastic && part < net->n_parts; part++)
		rc = net_plastic_timeline(net, p, part, err);
	if (rc)
		return rc;
	rc = draw_delays(net, p, err);
	if (!rc)
		rc = draw_weights(net, p, err);
	if (!rc)
		settle_channel(net, p);
	return rc;
}
