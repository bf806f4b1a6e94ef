/* sim_plastic.c - histories of postsynaptic spikes, rows brought up to date, weights read without a
 * trace.
 *
 * A row's stored state changes at its presynaptic arrivals, at sweeps on a grid of SIM_SWEEP_MS,
 * and where the schedule changes its rule: never because somebody looked. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/sim_state.h"

static bool remember(struct net_projection *p, size_t target, int64_t step, uint32_t count)
{
	struct net_history *h = &p->history[target];

	for (uint32_t i = 0; i < count; i++) {
		if (h->n == h->cap) {
			size_t cap = h->cap ? h->cap * 2 : 8;
			struct plasticity_spike *grown = mem_resize(h->at, cap, sizeof(*grown));

			if (!grown)
				return false;
			h->at = grown;
			h->cap = cap;
		}
		h->at[h->n].step = step;
		p->model->on_post(p->ctx, h->n ? &h->at[h->n - 1] : NULL, step, h->at[h->n].k);
		h->n++;
	}
	p->post[target] = (struct plasticity_history){ h->at, h->n };
	return true;
}

void sim_remember(struct sim *s, struct sim_part *part)
{
	for (size_t j = 0; j < s->spec->n_projections; j++) {
		struct net_projection *p = &s->net->projections[j];
		const struct sim_spikes *spikes = &part->spikes[p->spec->target];

		if (!p->plastic || !p->model->on_post)
			continue;
		for (size_t i = 0; i < spikes->n; i++) {
			const struct sim_spike *x = &spikes->at[i];

			part->counts.plastic_updates +=
				(uint64_t)x->count * p->in_degree[x->neuron];
			if (!remember(p, x->neuron, x->step, x->count) && !part->rc)
				part->rc = err_nomem(&part->err);
		}
	}
}

/* A row as the rule sees it, standing on the stored state. */
static struct plasticity_row row_of(const struct net_projection *p, const struct net_rows *r,
				    size_t source, int64_t t)
{
	uint64_t from = r->row[source];
	struct plasticity_row row = {
		.t = t,
		.t_last = r->t_last[source],
		.t_pre = r->t_pre[source],
		.on = p->on,
		.pre = r->pre + source * p->n_pre,
		.n = (size_t)(r->row[source + 1] - from),
		.target = r->target + from,
		.delay = r->delay + from * p->delay_stride,
		.delay_stride = p->delay_stride,
		.w = r->w + from,
	};

	for (size_t k = 0; k < p->n_syn; k++)
		row.syn[k] = r->syn[k] + from;
	return row;
}

static void watch(struct sim *s, struct sim_part *part, size_t projection, size_t source,
		  const struct plasticity_row *row)
{
	const struct sim_watch *w = &s->watch[projection];
	const struct net_projection *p = &s->net->projections[projection];

	for (size_t i = 0; i < row->n; i++) {
		uint64_t k = net_synapse(&p->part[part->id], source, i);

		if (w->synapse && !(w->synapse[k >> 6] >> (k & 63) & 1))
			continue;
		if (!sim_push_update(&part->updates[projection],
				     (struct sim_update){ row->t, k, p->sign * row->tx[i] }) &&
		    !part->rc)
			part->rc = err_nomem(&part->err);
	}
}

const double *sim_visit(struct sim *s, struct sim_part *part, size_t projection, size_t source,
			unsigned count, int64_t t)
{
	const struct net_projection *p = &s->net->projections[projection];
	const struct net_rows *r = &p->part[part->id];
	struct plasticity_row row = row_of(p, r, source, t);

	row.n_spikes = count;
	row.tx = p->model->own_tx ? part->tx : row.w;
	p->model->update(p->ctx, &row);
	r->t_last[source] = t;
	r->t_pre[source] = t;
	part->counts.plastic_updates += (uint64_t)count * row.n;
	if (s->watch[projection].row && s->watch[projection].row[source])
		watch(s, part, projection, source, &row);
	return row.tx;
}

static void settle_part(struct sim *s, const struct net_projection *p, const struct net_rows *r)
{
	for (size_t i = 0; i < p->n_source; i++) {
		struct plasticity_row row = row_of(p, r, i, s->now);

		if (row.n == 0)
			continue;
		p->model->update(p->ctx, &row);
		r->t_last[i] = s->now;
	}
}

void sim_settle(struct sim *s, size_t projection)
{
	const struct net_projection *p = &s->net->projections[projection];

	for (size_t part = 0; p->plastic && part < s->net->n_parts; part++)
		settle_part(s, p, &p->part[part]);
}

/* Spikes that have arrived everywhere are needed no more, but for the last of them: its traces are
 * still read. */
static void forget(const struct sim *s, struct net_projection *p, size_t target)
{
	struct net_history *h = &p->history[target];
	size_t keep = 0;

	while (keep < h->n && h->at[keep].step + p->spec->delay_max <= s->now)
		keep++;
	if (keep < 2)
		return;
	keep--;
	memmove(h->at, h->at + keep, (h->n - keep) * sizeof(*h->at));
	h->n -= keep;
	p->post[target] = (struct plasticity_history){ h->at, h->n };
}

void sim_sweep(struct sim *s, struct sim_part *part)
{
	for (size_t j = 0; j < s->spec->n_projections; j++) {
		struct net_projection *p = &s->net->projections[j];
		const struct net_population *t = &s->net->populations[p->spec->target];

		if (!p->plastic)
			continue;
		settle_part(s, p, &p->part[part->id]);
		for (size_t i = t->part[part->id]; i < t->part[part->id + 1]; i++)
			forget(s, p, i);
	}
}

/* Buffers to evaluate one row in. */
struct scratch {
	double *w, *syn[PLASTICITY_SYN_MAX], pre[PLASTICITY_PRE_MAX];
};

static size_t longest_row(const struct net *net, const struct net_projection *p)
{
	size_t longest = 1;

	for (size_t part = 0; part < net->n_parts; part++) {
		const struct net_rows *r = &p->part[part];

		for (size_t i = 0; i < p->n_source; i++) {
			size_t n = (size_t)(r->row[i + 1] - r->row[i]);

			longest = n > longest ? n : longest;
		}
	}
	return longest;
}

static void evaluate(const struct sim *s, const struct net_projection *p, const struct net_rows *r,
		     size_t source, struct scratch *x, double *ret_w)
{
	struct plasticity_row row;
	uint64_t from = r->row[source], n = r->row[source + 1] - from;

	if (!p->plastic || n == 0) {
		for (uint64_t i = 0; i < n; i++)
			ret_w[net_synapse(r, source, i)] = r->w[from + i];
		return;
	}
	row = row_of(p, r, source, s->now);
	memcpy(x->w, row.w, n * sizeof(double));
	memcpy(x->pre, row.pre, p->n_pre * sizeof(double));
	row.w = x->w;
	row.pre = x->pre;
	for (size_t k = 0; k < p->n_syn; k++) {
		memcpy(x->syn[k], row.syn[k], n * sizeof(double));
		row.syn[k] = x->syn[k];
	}
	p->model->update(p->ctx, &row);
	for (uint64_t i = 0; i < n; i++)
		ret_w[net_synapse(r, source, i)] = p->sign * x->w[i];
}

int sim_weights(const struct sim *s, size_t projection, double *ret_w, struct err *err)
{
	const struct net_projection *p = &s->net->projections[projection];
	size_t longest = longest_row(s->net, p);
	double *memory = mem_alloc(longest, (1 + PLASTICITY_SYN_MAX) * sizeof(double));
	struct scratch x = { .w = memory };

	if (!memory)
		return err_nomem(err);
	for (size_t k = 0; k < PLASTICITY_SYN_MAX; k++)
		x.syn[k] = memory + (k + 1) * longest;
	for (size_t part = 0; part < s->net->n_parts; part++) {
		for (size_t i = 0; i < p->n_source; i++)
			evaluate(s, p, &p->part[part], i, &x, ret_w);
	}
	mem_free(memory);
	return 0;
}
