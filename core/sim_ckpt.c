/* sim_ckpt.c - all that a simulation is between two slices, saved and loaded by one walk (pack.h).
 *
 * Raw state only: reading commits nothing. Synapses stand in the order (source, target, draw),
 * neurons by id, so any number of threads goes on from it. Loading overwrites a simulation just
 * made of the same spec; coefficients are computed from the parameters, as always. What would lead
 * out of an array is checked; that the rest is what was saved is the checksum's matter (ckpt.h).
 *
 * A new field of these structs gets a line here, or its name in the list of what is no state;
 * tests/lint/state.sh compares. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/base/pack.h"
#include "core/sim_state.h"

/* No state, since made from the spec, or empty between slices:
 * of struct sim: spec arena net t0 t1 pool dense logged watch updates view_spikes view_n_spikes
 *	view_updates view_n_updates observer n_observers window changes stimulus;
 * of struct sim_part: id spikes updates tx of_target err rc;
 * of struct net: spec guard work arena n_parts slice;
 * of struct net_population: spec coef coef_stride out quiet zero key part;
 * of struct net_rows: row k0 order target delay whole timeline;
 * of struct net_log: needs;
 * of struct net_projection: spec model delay_stride sign channel plastic in_degree sweep tick every. */

/* ---- populations ---- */

/* A parameter's column: one value for all, or one a neuron. */
static void parameter(struct pack *p, struct sim *s, size_t population, size_t k)
{
	struct net_population *x = &s->net->populations[population];
	int64_t stride = (int64_t)x->param_stride[k];

	if (!x->param[k]) /* times */
		return;
	if (pack_i64(p, &stride, 0, 1, "parameter"))
		return;
	if (stride && !x->param_stride[k])
		x->param[k] = NEW(s->arena, double, x->n);
	if (!x->param[k]) {
		(void)pack_nomem(p);
		return;
	}
	x->param_stride[k] = (size_t)stride;
	(void)pack_bytes(p, x->param[k], stride ? x->n : 1, sizeof(double));
}

static void parameters(struct pack *p, struct sim *s, size_t population)
{
	const struct net_population *x = &s->net->populations[population];

	for (size_t k = 0; k < x->spec->model->n_params && !p->rc; k++)
		parameter(p, s, population, k);
	if (p->rc || !p->loading)
		return;
	p->rc = net_prepare_population(s->net, population, s->now, &p->err);
	for (size_t k = 0; !p->rc && k < s->net->n_parts; k++)
		net_context(s->net, population, k, s->now, &s->part[k].ctx[population]);
}

static void ring(struct pack *p, const struct net_ring *r, size_t n)
{
	if (r->at)
		(void)pack_bytes(p, r->at, n * (size_t)(r->mask + 1), sizeof(double));
}

/* Spikes that an axonal delay still holds back. */
static void spike_log(struct pack *p, struct sim *s, size_t population)
{
	struct sim_spikes *log = &s->log[population];
	size_t n = log->n;

	if (pack_size(p, &n, sizeof(*log->at), "number of spikes under way"))
		return;
	for (size_t i = 0; i < n; i++) {
		struct sim_spike x = { 0 };
		int64_t earliest = i ? log->at[i - 1].step : 1;
		uint64_t word;

		if (!p->loading)
			x = log->at[i];
		word = (uint64_t)x.count << 32 | x.neuron;
		(void)pack_i64(p, &x.step, earliest, s->now, "spike under way");
		(void)pack_u64(p, &word);
		x.neuron = (uint32_t)word;
		x.count = (uint32_t)(word >> 32);
		if (!p->rc && (x.neuron >= s->net->populations[population].n || x.count == 0))
			(void)pack_wrong(p, "spike under way");
		if (p->rc)
			return;
		if (p->loading && !sim_push_spike(log, x))
			(void)pack_nomem(p);
	}
	s->log_from[population] = log->n;
}

static void population(struct pack *p, struct sim *s, size_t i)
{
	struct net_population *x = &s->net->populations[i];

	(void)pack_same(p, x->n, "number of neurons");
	(void)pack_u64(p, &s->digest[i].state);
	(void)pack_u64(p, &s->digest[i].count);
	parameters(p, s, i);
	for (size_t k = 0; k < x->spec->model->n_states; k++)
		(void)pack_bytes(p, x->state[k], x->n, sizeof(double));
	for (size_t k = 0; k < x->n_in; k++)
		ring(p, &x->in[k], x->n);
	ring(p, &x->current, x->n);
	if (s->window_count[i])
		(void)pack_bytes(p, s->window_count[i], x->n, sizeof(uint32_t));
	spike_log(p, s, i);
}

/* ---- projections ---- */

/* The column of a part's rows whose pointer stands `offset` bytes into struct net_rows. */
static unsigned char *column(struct net_rows *r, size_t offset)
{
	void *at;

	memcpy(&at, (const char *)r + offset, sizeof(at));
	return at;
}

/* One value a synapse. */
static void synapses(struct pack *p, const struct net *net, struct net_projection *x, size_t offset)
{
	for (size_t i = 0; i < x->n_source && !p->rc; i++) {
		for (size_t k = 0; k < net->n_parts; k++) {
			struct net_rows *r = &x->part[k];
			size_t n = (size_t)(r->row[i + 1] - r->row[i]);

			(void)pack_bytes(p, column(r, offset) + r->row[i] * sizeof(double), n,
					 sizeof(double));
		}
	}
}

/* The first part in which a source has synapses: all such parts agree on what is kept per source,
 * and in the others it is never used. */
static size_t part_of(const struct net *net, const struct net_projection *x, size_t source)
{
	for (size_t k = 0; k < net->n_parts; k++) {
		if (x->part[k].row[source + 1] > x->part[k].row[source])
			return k;
	}
	return 0;
}

/* One value of `size` bytes a source. */
static void sources(struct pack *p, const struct net *net, struct net_projection *x, size_t offset,
		    size_t size)
{
	for (size_t i = 0; i < x->n_source && !p->rc; i++) {
		size_t first = part_of(net, x, i);
		const unsigned char *value = column(&x->part[first], offset) + i * size;

		(void)pack_bytes(p, column(&x->part[first], offset) + i * size, 1, size);
		for (size_t k = 0; p->loading && k < net->n_parts; k++) {
			if (k != first)
				memcpy(column(&x->part[k], offset) + i * size, value, size);
		}
	}
}

/* Rules measure time from these. */
static void check_times(struct pack *p, const struct sim *s, const struct net_projection *x)
{
	for (size_t k = 0; p->loading && k < s->net->n_parts && !p->rc; k++) {
		const struct net_rows *r = &x->part[k];

		for (size_t i = 0; i < x->n_source; i++) {
			if (r->t_last[i] < 0 || r->t_last[i] > s->now || r->t_pre[i] < -1 ||
			    r->t_pre[i] > s->now)
				(void)pack_wrong(p, "time of an arrival");
		}
	}
}

/* Length of a growing array, for which loading makes room. Items take `size` bytes in memory and at
 * least a word in the file. False: nothing can follow. */
static bool array(struct pack *p, void **at, size_t *n, size_t *cap, size_t size)
{
	if (pack_size(p, n, sizeof(uint64_t), "length of a history"))
		*n = p->loading ? 0 : *n;
	if (p->rc || !p->loading)
		return !p->rc;
	mem_free(*at);
	*at = *n > 0 ? mem_alloc(*n, size) : NULL;
	*cap = *at ? *n : 0;
	if (*n > 0 && !*at)
		(void)pack_nomem(p);
	*n = *cap;
	return !p->rc;
}

/* Records of one target, with so many numbers each. */
static struct plasticity_history history(struct pack *p, struct net_history *h, size_t n_numbers,
					 int64_t now)
{
	void *at = h->at;
	bool ok = array(p, &at, &h->n, &h->cap, sizeof(*h->at));

	h->at = at;
	for (size_t i = 0; ok && i < h->n && !p->rc; i++) {
		struct plasticity_spike *x = &h->at[i];

		(void)pack_i64(p, &x->step, i ? x[-1].step : 0, now, "step of a history");
		(void)pack_bytes(p, x->k, n_numbers, sizeof(double));
	}
	return (struct plasticity_history){ h->at, h->n };
}

static void histories(struct pack *p, const struct sim *s, struct net_projection *x)
{
	const struct net_log *log = &x->log;

	for (size_t i = 0; x->model->on_post && i < x->n_target && !p->rc; i++) {
		x->post[i] = history(p, &x->history[i], x->model->n_traces, s->now);
		if (p->loading)
			x->recent[i] = plasticity_look_back(&x->post[i]);
	}
	for (size_t k = 0; p->loading && k < s->net->n_parts; k++) {
		struct plasticity_timeline *l = x->part[k].timeline;

		if (l) {
			l->from = s->now;
			l->met_at = 0;
		}
	}
	for (size_t i = 0; log->view && i < x->n_target && !p->rc; i++)
		log->view[i] = history(p, &log->record[i], PLASTICITY_TRACES_MAX, s->now);
	if (log->lagged)
		(void)pack_bytes(p, log->lagged, (size_t)log->lag * x->n_target * log->n_needs,
				 sizeof(double));
}

/* Signals may still be on their way. */
static void signals(struct pack *p, const struct sim *s, struct net_projection *x)
{
	struct net_signals *all = &x->signals;
	void *at = all->at;
	bool ok = array(p, &at, &all->n, &all->cap, sizeof(*all->at));

	all->at = at;
	for (size_t i = 0; ok && i < all->n && !p->rc; i++) {
		struct plasticity_signal *y = &all->at[i];

		(void)pack_i64(p, &y->step, i ? y[-1].step : 0, s->now + x->spec->modulator_delay,
			       "step of a signal");
		(void)pack_f64(p, &y->amount);
		(void)pack_f64(p, &y->k);
	}
	x->ctx->signal = all->at;
	x->ctx->n_signal = all->n;
}

/* Earlier arrivals from one source, in each part where it has synapses. */
static void past(struct pack *p, const struct sim *s, struct net_projection *x, size_t source)
{
	size_t first = part_of(s->net, x, source);
	struct net_past *h = &x->part[first].past[source];
	void *at = h->at;
	bool ok = array(p, &at, &h->n, &h->cap, sizeof(*h->at));

	h->at = at;
	for (size_t i = 0; ok && i < h->n; i++)
		(void)pack_i64(p, &h->at[i], i ? h->at[i - 1] : 0, s->now, "earlier arrival");
	for (size_t k = first + 1; p->loading && k < s->net->n_parts; k++) {
		const struct net_rows *r = &x->part[k];

		for (size_t i = 0; r->row[source + 1] > r->row[source] && i < h->n && !p->rc; i++) {
			if (!sim_history_past(&r->past[source], h->at[i], 1))
				(void)pack_nomem(p);
		}
	}
}

static void rule(struct pack *p, struct sim *s, size_t j)
{
	struct net_projection *x = &s->net->projections[j];
	const struct net *net = s->net;
	int64_t on = x->on;

	(void)pack_i64(p, &on, 0, 1, "switch of plasticity");
	x->on = on != 0;
	(void)pack_bytes(p, x->param, x->model->n_params, sizeof(double));
	(void)pack_f64(p, &x->modulation);
	if (p->loading && !p->rc)
		net_prepare_projection(s->net, j);
	synapses(p, net, x, offsetof(struct net_rows, w));
	for (size_t k = 0; k < x->n_syn; k++)
		synapses(p, net, x, offsetof(struct net_rows, syn) + k * sizeof(double *));
	sources(p, net, x, offsetof(struct net_rows, t_last), sizeof(int64_t));
	sources(p, net, x, offsetof(struct net_rows, t_pre), sizeof(int64_t));
	check_times(p, s, x);
	sources(p, net, x, offsetof(struct net_rows, pre), x->n_pre * sizeof(double));
	if (x->stp)
		sources(p, net, x, offsetof(struct net_rows, stp),
			plasticity_stp.n_pre * sizeof(double));
	for (size_t i = 0; x->memory >= 0 && i < x->n_source && !p->rc; i++)
		past(p, s, x, i);
	histories(p, s, x);
	if (x->model->on_signal)
		signals(p, s, x);
	if (x->rates.running) {
		(void)pack_bytes(p, x->rates.running, x->n_target, sizeof(double));
		(void)pack_bytes(p, x->rates.since, x->n_target, sizeof(double));
	}
}

static void projection(struct pack *p, struct sim *s, size_t j)
{
	struct net_projection *x = &s->net->projections[j];
	int64_t cursor = (int64_t)s->part[0].cursor[j];

	(void)pack_same(p, x->n, "number of synapses");
	(void)pack_same(p, x->n_source, "number of sources");
	(void)pack_i64(p, &cursor, 0, (int64_t)s->log[x->spec->source].n,
		       "place in the spikes under way");
	for (size_t k = 0; k < s->net->n_parts; k++)
		s->part[k].cursor[j] = (size_t)cursor;
	if (x->plastic)
		rule(p, s, j);
}

/* ---- all ---- */

/* Counted by part; the first has them all afterwards. */
static void counts(struct pack *p, struct sim *s)
{
	struct sim_counts sum = sim_counts(s);

	(void)pack_u64(p, &sum.spikes);
	(void)pack_u64(p, &sum.synaptic_events);
	(void)pack_u64(p, &sum.plastic_updates);
	(void)pack_u64(p, &s->steps);
	sum.steps = 0; /* s->steps has them */
	for (size_t k = 0; p->loading && k < s->net->n_parts; k++) {
		s->part[k].counts = sum;
		sum = (struct sim_counts){ 0 };
	}
}

int sim_pack(struct sim *s, struct pack *p)
{
	int64_t left = (int64_t)(s->n_changes - s->next_change);

	(void)pack_i64(p, &s->now, 0, s->spec->steps, "time");
	/* From the end: a schedule given later has no entries of the past. */
	(void)pack_i64(p, &left, 0, (int64_t)s->n_changes, "place in the schedule");
	s->next_change = s->n_changes - (size_t)left;
	counts(p, s);
	(void)pack_same(p, s->spec->n_populations, "number of populations");
	for (size_t i = 0; i < s->spec->n_populations && !p->rc; i++)
		population(p, s, i);
	(void)pack_same(p, s->spec->n_projections, "number of projections");
	for (size_t j = 0; j < s->spec->n_projections && !p->rc; j++)
		projection(p, s, j);
	if (p->loading && !p->rc)
		s->grid = sim_option_next(s);
	return p->rc;
}
