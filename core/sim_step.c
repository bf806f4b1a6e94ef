/* sim_step.c - the two phases of a slice: integrate own neurons, deliver to own targets. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "core/sim_state.h"

static void fail(struct sim_part *part, int rc)
{
	if (!part->rc)
		part->rc = rc;
}

/* Point a context at the input of one step. */
static void point(const struct net_population *p, struct neuron_ctx *c, size_t lo, int64_t step)
{
	c->step = step;
	for (size_t k = 0; k < p->n_in; k++) {
		if (p->in[k].at)
			c->in[k] = p->in[k].at + (size_t)(step & p->in[k].mask) * p->n + lo;
	}
	if (p->current.at)
		c->current = p->current.at + (size_t)(step & p->current.mask) * p->n + lo;
}

/* The slots just used become the slots of a later step. */
static void clear(const struct net_population *p, size_t lo, size_t n, int64_t step)
{
	for (size_t k = 0; k < p->n_in; k++) {
		if (p->in[k].at)
			memset(p->in[k].at + (size_t)(step & p->in[k].mask) * p->n + lo, 0,
			       n * sizeof(double));
	}
	if (p->current.at)
		memset(p->current.at + (size_t)(step & p->current.mask) * p->n + lo, 0,
		       n * sizeof(double));
}

enum { LOOK = 64, LANES = 16 }; /* neurons at a time */

static inline ALWAYS_INLINE bool any_fired(const double *out, size_t n)
{
	double any = 0;

#pragma omp simd reduction(+ : any)
	for (size_t k = 0; k < n; k++)
		any += out[k];
	return any != 0;
}

/* Most neurons do not fire in most steps: the first LOOK from i on, a multiple of it, of which some
 * have; or n or more. */
CLONES static size_t next_fired(const double *out, size_t i, size_t n)
{
	for (; i + LOOK <= n; i += LOOK) {
		if (any_fired(out + i, LOOK))
			return i;
	}
	return i < n && any_fired(out + i, n - i) ? i : n;
}

static size_t look(const struct neuron_ctx *c, size_t i)
{
	return c->quiet ? neuron_loud(c, i / NEURON_BLOCK) * NEURON_BLOCK
			: next_fired(c->out, i, c->n);
}

/* Those of neurons from..from + n, n <= LOOK, that have fired. */
static size_t which_fired(const double *out, size_t from, size_t n, uint32_t *ret_at)
{
	size_t m = 0;

	for (size_t i = from; i < from + n; i++) {
		ret_at[m] = (uint32_t)i;
		m += out[i] != 0;
	}
	return m;
}

static void collect(struct sim *s, struct sim_part *part, size_t population, size_t lo)
{
	const struct neuron_ctx *c = &part->ctx[population];
	uint32_t *window = s->window_count[population], at[LOOK];
	size_t block = c->quiet ? NEURON_BLOCK : LOOK;

	for (size_t i = look(c, 0); i < c->n; i = look(c, i + block)) {
		size_t n = which_fired(c->out, i, c->n - i < block ? c->n - i : block, at);

		for (size_t j = 0; j < n; j++) {
			/* The first n are set. NOLINTNEXTLINE(clang-analyzer-core.*) */
			size_t k = at[j];
			struct sim_spike x = { c->step, (uint32_t)(lo + k), (uint32_t)c->out[k] };

			if (c->quiet)
				c->out[k] = 0;
			part->counts.spikes += x.count;
			if (window)
				window[x.neuron] += x.count;
			if (!sim_push_spike(&part->spikes[population], x))
				fail(part, err_nomem(&part->err));
		}
	}
}

/* Whole numbers: in any order. Several sums side by side, since each addition waits for the last. */
CLONES static uint64_t sum_of(const double *x, size_t n)
{
	double sum[LANES] = { 0 };
	size_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		for (size_t k = 0; k < LANES; k++)
			sum[k] += x[i + k];
	}
	for (size_t k = 0; i + k < n; k++)
		sum[k] += x[i + k];
	for (size_t k = 1; k < LANES; k++)
		sum[0] += sum[k];
	return (uint64_t)sum[0];
}

/* Currents, and counts of generators that nobody looks at: kept whole for the second phase. */
static void keep_dense(struct sim *s, struct sim_part *part, size_t population, size_t lo)
{
	const struct neuron_ctx *c = &part->ctx[population];
	const struct net_population *p = &s->net->populations[population];
	double *row = s->dense[population] + (size_t)(c->step - s->t0 - 1) * p->n + lo;

	memcpy(row, c->out, c->n * sizeof(double));
	if (p->spec->model->kind == NEURON_CURRENT)
		return;
	part->counts.spikes += sum_of(row, c->n);
	if (c->quiet)
		memset(c->out, 0, c->n * sizeof(double));
}

/* NaN and infinity times zero are NaN; everything else is zero. */
CLONES static bool all_finite(const double *x, size_t n)
{
	uint64_t others = 0;

#pragma omp simd reduction(| : others)
	for (size_t i = 0; i < n; i++)
		others |= x[i] * 0.0 == 0 ? 0 : 1;
	return others == 0;
}

static void check_finite(struct sim *s, struct sim_part *part, size_t population)
{
	const struct net_population *p = &s->net->populations[population];
	const struct neuron_ctx *c = &part->ctx[population];
	size_t i = 0;

	for (size_t k = 0; k < p->spec->model->n_states; k++) {
		if (all_finite(c->state[k], c->n))
			continue;
		while (isfinite(c->state[k][i]))
			i++;
		fail(part, err_set(&part->err, ERR_NUMERICAL, "/populations",
				   "%s of neuron %zu of population \"%s\" must stay finite, but "
				   "became %g by "
				   "%.10g ms",
				   p->spec->model->states[k].name, (size_t)c->id0 + i,
				   p->spec->name, c->state[k][i], (double)s->t1 * s->spec->dt));
		return;
	}
}

void sim_integrate(struct sim *s, struct sim_part *part)
{
	for (size_t i = 0; i < s->spec->n_populations; i++) {
		const struct net_population *p = &s->net->populations[i];
		struct neuron_ctx *c = &part->ctx[i];
		size_t lo = p->part[part->id];

		part->spikes[i].n = 0;
		for (int64_t t = s->t0 + 1; t <= s->t1; t++) {
			point(p, c, lo, t);
			if (s->stimulus[i].on && t == s->t0 + 1)
				sim_stimulus_step(s, part, i);
			else
				p->spec->model->step(c);
			clear(p, lo, c->n, t);
			if (s->dense[i])
				keep_dense(s, part, i, lo);
			else
				collect(s, part, i, lo);
			if (s->logged[i])
				sim_history_states(s, part, i, t);
		}
		if (p->spec->model->kind == NEURON_CELL)
			check_finite(s, part, i);
	}
	sim_history_spikes(s, part);
}

/* Add m * w[i] to each target, where one delay serves the whole row. */
static void deposit(double *restrict slot, const uint32_t *restrict target,
		    const double *restrict w, size_t n, double m)
{
	for (size_t i = 0; i < n; i++)
		slot[target[i]] += m * w[i];
}

/* The same where the row has n consecutive targets. */
CLONES static void deposit_whole(double *restrict slot, const double *restrict w, size_t n,
				 double m)
{
#pragma omp simd
	for (size_t i = 0; i < n; i++)
		slot[i] += m * w[i];
}

/* One synapse of each of n consecutive sources, to a target each. */
CLONES static void deposit_counts(double *restrict slot, const double *restrict count,
				  const double *restrict w, size_t n)
{
#pragma omp simd
	for (size_t i = 0; i < n; i++)
		slot[i] += count[i] * w[i];
}

/* The general form: a delay for each synapse. */
static void deposit_delays(const struct net_ring *ring, size_t size, const uint32_t *target,
			   const uint16_t *delay, const double *w, size_t n, double m, int64_t t)
{
	for (size_t i = 0; i < n; i++)
		ring->at[(size_t)((t + delay[i]) & ring->mask) * size + target[i]] += m * w[i];
}

/* Static weights of both signs, each to its channel. */
static void deposit_signed(const struct net_population *p, const uint32_t *target,
			   const uint16_t *delay, size_t stride, const double *w, size_t n,
			   double m, int64_t t)
{
	for (size_t i = 0; i < n; i++) {
		const struct net_ring *ring = &p->in[w[i] < 0];

		ring->at[(size_t)((t + delay[i * stride]) & ring->mask) * p->n + target[i]] +=
			m * w[i];
	}
}

static void deposit_count(const struct net_population *p, const uint32_t *target,
			  const uint16_t *delay, size_t stride, size_t n, double m, int64_t t)
{
	const struct net_ring *ring = &p->in[0];

	for (size_t i = 0; i < n; i++)
		ring->at[(size_t)((t + delay[i * stride]) & ring->mask) * p->n + target[i]] += m;
}

/* Let a row's synapses act: amount m (spikes, or pA) times w, at t + delay. */
static void act(struct sim *s, const struct net_projection *p, const struct net_rows *r,
		size_t source, const double *w, double m, int64_t t)
{
	const struct net_population *target = &s->net->populations[p->spec->target];
	uint64_t from = r->row[source];
	size_t n = (size_t)(r->row[source + 1] - from);
	const uint16_t *delay = r->delay + from * p->delay_stride;
	const struct net_ring *ring;

	if (p->channel == NET_NOWHERE || n == 0)
		return;
	if (p->channel == NET_COUNT) {
		deposit_count(target, r->target + from, delay, p->delay_stride, n, m, t);
		return;
	}
	m *= p->sign;
	if (p->channel == -1) {
		deposit_signed(target, r->target + from, delay, p->delay_stride, w, n, m, t);
		return;
	}
	ring = p->channel == NET_CURRENT ? &target->current : &target->in[p->channel];
	if (p->delay_stride)
		deposit_delays(ring, target->n, r->target + from, delay, w, n, m, t);
	else if (r->whole && n > 1)
		deposit_whole(ring->at + (size_t)((t + *delay) & ring->mask) * target->n +
				      r->target[from],
			      w, n, m);
	else
		deposit(ring->at + (size_t)((t + *delay) & ring->mask) * target->n,
			r->target + from, w, n, m);
}

static void deliver_spike(struct sim *s, struct sim_part *part, size_t projection,
			  const struct sim_spike *spike, int64_t t)
{
	const struct net_projection *p = &s->net->projections[projection];
	const struct net_rows *r = &p->part[part->id];
	uint64_t n = r->row[spike->neuron + 1] - r->row[spike->neuron];
	const double *w = r->w + r->row[spike->neuron];

	if (n == 0)
		return;
	if (p->plastic)
		w = sim_visit(s, part, projection, spike->neuron, spike->count, t);
	part->counts.synaptic_events += n * spike->count;
	act(s, p, r, spike->neuron, w, (double)spike->count, t);
}

static void deliver_current(struct sim *s, struct sim_part *part, size_t projection, int64_t t)
{
	const struct net_projection *p = &s->net->projections[projection];
	const struct net_rows *r = &p->part[part->id];
	const double *amplitude = s->dense[p->spec->source] + (size_t)(t - s->t0 - 1) * p->n_source;

	for (size_t i = 0; i < p->n_source; i++) {
		if (amplitude[i] != 0)
			act(s, p, r, i, r->w + r->row[i], amplitude[i], t);
	}
}

/* One to one: source i has one synapse, on target i. The same sums as spike by spike, since adding
 * 0 * w changes nothing. */
static void deliver_counts(struct sim *s, struct sim_part *part, size_t projection, int64_t t)
{
	const struct net_projection *p = &s->net->projections[projection];
	const struct net_population *target = &s->net->populations[p->spec->target];
	const struct net_rows *r = &p->part[part->id];
	const struct net_ring *ring = &target->in[p->channel];
	size_t lo = target->part[part->id], n = target->part[part->id + 1] - lo;
	const double *count =
		s->dense[p->spec->source] + (size_t)(t - s->t0 - 1) * p->n_source + lo;

	deposit_counts(ring->at + (size_t)((t + r->delay[0]) & ring->mask) * target->n + lo, count,
		       r->w, n);
	part->counts.synaptic_events += sum_of(count, n);
}

static void deliver_dense(struct sim *s, struct sim_part *part, size_t projection, int64_t t)
{
	if (s->net->projections[projection].channel >= 0)
		deliver_counts(s, part, projection, t);
	else
		deliver_current(s, part, projection, t);
}

void sim_deliver(struct sim *s, struct sim_part *part)
{
	for (size_t j = 0; j < s->spec->n_projections; j++)
		part->updates[j].n = 0;
	for (int64_t t = s->t0 + 1; t <= s->t1; t++) {
		for (size_t j = 0; j < s->spec->n_projections; j++) {
			const struct net_projection *p = &s->net->projections[j];
			const struct sim_spikes *log = &s->log[p->spec->source];
			size_t *at = &part->cursor[j];

			if (s->dense[p->spec->source])
				deliver_dense(s, part, j, t);
			for (; *at < log->n && log->at[*at].step + p->spec->axonal == t; (*at)++)
				deliver_spike(s, part, j, &log->at[*at], t);
		}
	}
}
