/* sim_history.c - what is remembered for rules: postsynaptic spikes, logs of states, signals of
 * modulators, presynaptic arrivals; and what of it may be forgotten. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/sim_state.h"

/* The first `drop` of n items of `size` bytes go. */
static size_t drop_first(void *at, size_t n, size_t drop, size_t size)
{
	if (drop > 0)
		memmove(at, (char *)at + drop * size, (n - drop) * size);
	return n - drop;
}

static struct plasticity_spike *next_record(struct net_history *h)
{
	void *at = h->at;

	if (!mem_reserve(&at, h->n, &h->cap, sizeof(*h->at), 8))
		return NULL;
	h->at = at;
	return &h->at[h->n];
}

static bool remember(struct net_projection *p, size_t target, int64_t step, uint32_t count)
{
	struct net_history *h = &p->history[target];

	for (uint32_t i = 0; i < count; i++) {
		struct plasticity_spike *x = next_record(h);

		if (!x)
			return false;
		x->step = step;
		p->model->on_post(p->ctx, h->n ? x - 1 : NULL, step, x->k);
		h->n++;
	}
	p->post[target] = (struct plasticity_history){ h->at, h->n };
	p->recent[target] = plasticity_look_back(&p->post[target]);
	return true;
}

static void put_on_timeline(struct plasticity_timeline *l, const struct sim_spike *x)
{
	for (uint32_t i = 0; l && i < x->count; i++) {
		if (l->n == l->cap) {
			size_t drop = (l->n + 1) / 2;

			l->from = l->step[drop - 1];
			(void)drop_first(l->step, l->n, drop, sizeof(*l->step));
			l->n = drop_first(l->at, l->n, drop, sizeof(*l->at));
		}
		l->step[l->n] = x->step;
		l->at[l->n++] = x->neuron - l->first;
	}
}

/* The running rate is judged at the next step of scaling: until then a spike fades. */
static void count_rate(const struct sim *s, struct net_projection *p, const struct sim_spike *x)
{
	const double *o = p->spec->option[OPTION_SCALE];
	int64_t every = p->every[OPTION_SCALE];
	int64_t due = (x->step + every - 1) / every * every;
	double tau = o[OPTION_SCALE_TAU], age = (double)(due - x->step) * s->spec->dt;

	p->rates.since[x->neuron] += x->count * (1000.0 / tau) * fmath_exp(-age / tau);
}

void sim_history_spikes(struct sim *s, struct sim_part *part)
{
	for (size_t j = 0; j < s->spec->n_projections; j++) {
		struct net_projection *p = &s->net->projections[j];
		const struct sim_spikes *spikes = &part->spikes[p->spec->target];

		for (size_t i = 0; p->rates.running && i < spikes->n; i++)
			count_rate(s, p, &spikes->at[i]);
		if (!p->plastic || !p->model->on_post)
			continue;
		for (size_t i = 0; i < spikes->n; i++) {
			const struct sim_spike *x = &spikes->at[i];

			part->counts.plastic_updates +=
				(uint64_t)x->count * p->in_degree[x->neuron];
			if (!remember(p, x->neuron, x->step, x->count) && !part->rc)
				part->rc = err_nomem(&part->err);
			put_on_timeline(p->part[part->id].timeline, x);
		}
	}
}

/* One target after one step. */
static bool log_target(const struct net_projection *p, const struct net_population *cells,
		       size_t target, int64_t step)
{
	const struct net_log *l = &p->log;
	struct net_history *h = &l->record[target];
	struct plasticity_spike *x = next_record(h);
	double v[PLASTICITY_NEEDS_MAX], past[PLASTICITY_NEEDS_MAX], *slot = NULL;
	size_t bytes = l->n_needs * sizeof(*v);

	if (!x)
		return false;
	for (size_t k = 0; k < l->n_needs; k++)
		v[k] = cells->state[l->needs[k]][target];
	if (l->lagged) {
		slot = l->lagged + ((size_t)(step % l->lag) * p->n_target + target) * l->n_needs;
		memcpy(past, slot, bytes);
		memcpy(slot, v, bytes);
	}
	x->step = step;
	if (p->model->on_step(p->ctx, v, !slot ? v : step > l->lag ? past : NULL, x->k))
		h->n++;
	l->view[target] = (struct plasticity_history){ h->at, h->n };
	return true;
}

void sim_history_states(struct sim *s, struct sim_part *part, size_t population, int64_t step)
{
	const struct net_population *cells = &s->net->populations[population];

	for (size_t j = 0; j < s->spec->n_projections; j++) {
		const struct net_projection *p = &s->net->projections[j];

		if (!p->log.view || p->spec->target != population)
			continue;
		for (size_t i = cells->part[part->id]; i < cells->part[part->id + 1]; i++) {
			if (!log_target(p, cells, i, step) && !part->rc)
				part->rc = err_nomem(&part->err);
		}
	}
}

int sim_history_signal(struct sim *s, size_t projection, int64_t step, double amount,
		       struct err *err)
{
	struct net_projection *p = &s->net->projections[projection];
	struct net_signals *all = &p->signals;
	void *at = all->at;
	struct plasticity_signal *x;

	if (!mem_reserve(&at, all->n, &all->cap, sizeof(*all->at), 8))
		return err_nomem(err);
	all->at = at;
	x = &all->at[all->n];
	x->step = step + p->spec->modulator_delay;
	x->amount = amount;
	x->k = p->model->on_signal(p->ctx, all->n ? x - 1 : NULL, x->step, amount);
	all->n++;
	p->ctx->signal = all->at;
	p->ctx->n_signal = all->n;
	return 0;
}

int sim_history_signals(struct sim *s, struct err *err)
{
	int rc = 0;

	for (size_t j = 0; !rc && j < s->spec->n_projections; j++) {
		int from = s->spec->projections[j].modulator;
		const struct sim_spikes *log = from < 0 ? NULL : &s->log[from];

		for (size_t i = log ? s->log_from[from] : 0; log && !rc && i < log->n; i++)
			rc = sim_history_signal(s, j, log->at[i].step, log->at[i].count, err);
	}
	return rc;
}

bool sim_history_past(struct net_past *past, int64_t t, unsigned n_spikes)
{
	for (unsigned i = 0; i < n_spikes; i++) {
		void *at = past->at;

		if (!mem_reserve(&at, past->n, &past->cap, sizeof(*past->at), 8))
			return false;
		past->at = at;
		past->at[past->n++] = t;
	}
	return true;
}

void sim_history_forget_past(const struct net_projection *p, struct net_past *past, int64_t t_last)
{
	size_t drop = 0;

	while (drop < past->n && past->at[drop] + p->memory <= t_last)
		drop++;
	past->n = drop_first(past->at, past->n, drop, sizeof(*past->at));
}

/* Records that have arrived everywhere by now are needed no more, but for the last `kept` of them. */
static struct plasticity_history forget(struct net_history *h, int64_t delay, int64_t now,
					size_t kept)
{
	size_t drop = 0;

	while (drop < h->n && h->at[drop].step + delay <= now)
		drop++;
	drop = drop > kept ? drop - kept : 0;
	h->n = drop_first(h->at, h->n, drop, sizeof(*h->at));
	return (struct plasticity_history){ h->at, h->n };
}

/* Of spikes and signals the last one's traces are still read; a log has none. */
void sim_history_forget(const struct sim *s, struct sim_part *part, size_t projection)
{
	struct net_projection *p = &s->net->projections[projection];
	const struct net_population *t = &s->net->populations[p->spec->target];

	for (size_t i = t->part[part->id]; i < t->part[part->id + 1]; i++) {
		p->post[i] = forget(&p->history[i], p->spec->delay_max, s->now, 1);
		if (p->log.view)
			p->log.view[i] = forget(&p->log.record[i], p->spec->delay_max, s->now, 0);
	}
}

void sim_history_forget_signals(struct sim *s, size_t projection)
{
	struct net_projection *p = &s->net->projections[projection];
	struct net_signals *all = &p->signals;
	size_t drop = 0;

	while (drop < all->n && all->at[drop].step <= s->now)
		drop++;
	all->n = drop_first(all->at, all->n, drop > 1 ? drop - 1 : 0, sizeof(*all->at));
	p->ctx->n_signal = all->n;
}
