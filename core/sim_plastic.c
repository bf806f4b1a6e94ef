/* sim_plastic.c - rows of plastic synapses: brought up to date, and read without a trace.
 *
 * A row's stored state changes at its presynaptic arrivals, on the grids of sim_option.c, and where
 * the schedule changes its rule: never because somebody looked. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/sim_state.h"

/* A row as the rule sees it, standing on the stored state. */
static inline ALWAYS_INLINE void row_of(const struct net_projection *p, const struct net_rows *r,
					size_t source, int64_t t, struct plasticity_row *ret)
{
	uint64_t from = r->row[source];

	ret->t = t;
	ret->t_last = r->t_last[source];
	ret->t_pre = r->t_pre[source];
	ret->n_spikes = 0;
	ret->on = p->on;
	ret->tick = false;
	ret->past = r->past ? r->past[source].at : NULL;
	ret->n_past = r->past ? r->past[source].n : 0;
	ret->pre = r->pre + source * p->n_pre;
	ret->n = (size_t)(r->row[source + 1] - from);
	ret->k0 = r->k0 ? r->k0[source] : 0;
	ret->order = r->order ? r->order + from : NULL;
	ret->target = r->target + from;
	ret->delay = r->delay + from * p->delay_stride;
	ret->delay_stride = p->delay_stride;
	ret->timeline = r->timeline;
	ret->w = r->w + from;
	for (size_t k = 0; k < PLASTICITY_SYN_MAX; k++)
		ret->syn[k] = k < p->n_syn ? r->syn[k] + from : NULL;
	ret->tx = NULL;
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

/* Short-term plasticity beside the rule: what is transmitted is the new weight times u x. */
static void release(const struct net_projection *p, const struct net_rows *r, size_t source,
		    struct plasticity_row row)
{
	row.pre = r->stp + source * plasticity_stp.n_pre;
	plasticity_stp.update(p->stp, &row);
}

const double *sim_visit(struct sim *s, struct sim_part *part, size_t projection, size_t source,
			unsigned count, int64_t t)
{
	const struct net_projection *p = &s->net->projections[projection];
	const struct net_rows *r = &p->part[part->id];
	struct plasticity_row row;

	if (r->past)
		sim_history_forget_past(p, &r->past[source], r->t_last[source]);
	row_of(p, r, source, t, &row);
	row.n_spikes = count;
	row.tx = p->model->own_tx || p->stp ? part->tx : row.w;
	p->model->update(p->ctx, &row);
	if (p->stp)
		release(p, r, source, row);
	r->t_last[source] = t;
	r->t_pre[source] = t;
	if (r->past && !sim_history_past(&r->past[source], t, count) && !part->rc)
		part->rc = err_nomem(&part->err);
	part->counts.plastic_updates += (uint64_t)count * row.n;
	if (s->watch[projection].row && s->watch[projection].row[source])
		watch(s, part, projection, source, &row);
	return row.tx;
}

void sim_settle_part(struct sim *s, struct sim_part *part, size_t projection, bool tick)
{
	const struct net_projection *p = &s->net->projections[projection];
	const struct net_rows *r = &p->part[part->id];

	for (size_t i = 0; i < p->n_source; i++) {
		struct plasticity_row row;

		row_of(p, r, i, s->now, &row);
		if (row.n == 0)
			continue;
		row.tick = tick;
		p->model->update(p->ctx, &row);
		r->t_last[i] = s->now;
	}
}

void sim_settle(struct sim *s, size_t projection)
{
	for (size_t k = 0; s->net->projections[projection].plastic && k < s->net->n_parts; k++)
		sim_settle_part(s, &s->part[k], projection, false);
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
	row_of(p, r, source, s->now, &row);
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
