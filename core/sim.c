/* sim.c - the step loop: slices, schedule, grids, observers. */
/* SPDX-License-Identifier: MIT */
#include "core/sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/sim_state.h"

/* limits.max_rate_hz is judged over windows of this length. */
#define SIM_WINDOW_MS 100.0

bool sim_push_spike(struct sim_spikes *a, struct sim_spike x)
{
	void *at = a->at;

	if (!mem_reserve(&at, a->n, &a->cap, sizeof(x), 256))
		return false;
	a->at = at;
	a->at[a->n++] = x;
	return true;
}

bool sim_push_update(struct sim_updates *a, struct sim_update x)
{
	void *at = a->at;

	if (!mem_reserve(&at, a->n, &a->cap, sizeof(x), 256))
		return false;
	a->at = at;
	a->at[a->n++] = x;
	return true;
}

static int new_part(struct sim *s, size_t id, size_t longest, struct err *err)
{
	struct sim_part *part = &s->part[id];
	size_t n_pop = s->spec->n_populations, n_proj = s->spec->n_projections, most = 1;

	for (size_t i = 0; i < n_pop; i++) {
		const struct net_population *p = &s->net->populations[i];
		size_t n = p->part[id + 1] - p->part[id];

		most = n > most ? n : most;
	}

	part->id = id;
	part->ctx = NEW(s->arena, struct neuron_ctx, n_pop + 1);
	part->spikes = NEW(s->arena, struct sim_spikes, n_pop + 1);
	part->updates = NEW(s->arena, struct sim_updates, n_proj + 1);
	part->cursor = NEW(s->arena, size_t, n_proj + 1);
	part->tx = NEW(s->arena, double, longest);
	part->of_target = NEW(s->arena, double, most);
	if (!part->ctx || !part->spikes || !part->updates || !part->cursor || !part->tx ||
	    !part->of_target)
		return err_nomem(err);
	for (size_t i = 0; i < n_pop; i++)
		net_context(s->net, i, id, 0, &part->ctx[i]);
	return 0;
}

/* The longest row of a rule that fills a transmission buffer of its own. */
static size_t longest_own_tx(const struct net *net)
{
	size_t longest = 1;

	for (size_t j = 0; j < net->spec->n_projections; j++) {
		const struct net_projection *p = &net->projections[j];

		for (size_t k = 0; (p->model->own_tx || p->stp) && k < net->n_parts; k++) {
			const struct net_rows *r = &p->part[k];

			for (size_t i = 0; i < p->n_source; i++) {
				size_t n = (size_t)(r->row[i + 1] - r->row[i]);

				longest = n > longest ? n : longest;
			}
		}
	}
	return longest;
}

/* A generator whose spikes only act one to one on static synapses needs no spike objects: counts
 * times weights. */
static bool is_unobserved(const struct sim *s, size_t i)
{
	const struct spec_population *pop = &s->spec->populations[i];
	bool used = false;

	if (pop->model->kind != NEURON_SPIKES || pop->record_spikes)
		return false;
	for (size_t k = 0; k < s->spec->n_rates; k++) {
		if (s->spec->rates[k].population == i)
			return false;
	}
	for (size_t j = 0; j < s->spec->n_projections; j++) {
		const struct net_projection *p = &s->net->projections[j];

		if ((p->spec->target == i && p->plastic) || p->spec->modulator == (int)i)
			return false;
		if (p->spec->source != i)
			continue;
		if (p->plastic || p->channel < 0 || p->delay_stride || p->spec->axonal ||
		    p->spec->rule != &wiring_one_to_one)
			return false;
		used = true;
	}
	return used;
}

static int new_population(struct sim *s, size_t i, struct err *err)
{
	const struct net_population *p = &s->net->populations[i];

	hash_init(&s->digest[i]);
	if (p->spec->model->kind == NEURON_CURRENT || is_unobserved(s, i)) {
		s->dense[i] = NEW(s->arena, double, p->n *(size_t)s->net->slice);
		if (!s->dense[i])
			return err_nomem(err);
	}
	if (p->spec->model->kind == NEURON_CELL && s->window) {
		s->window_count[i] = NEW(s->arena, uint32_t, p->n);
		if (!s->window_count[i])
			return err_nomem(err);
	}
	return 0;
}

static int new_tables(struct sim *s, struct err *err)
{
	size_t n_pop = s->spec->n_populations + 1, n_proj = s->spec->n_projections + 1;
	struct mem_arena *a = s->arena;

	s->part = NEW(a, struct sim_part, s->net->n_parts);
	s->log = NEW(a, struct sim_spikes, n_pop);
	s->log_from = NEW(a, size_t, n_pop);
	s->dense = NEW(a, double *, n_pop);
	s->window_count = NEW(a, uint32_t *, n_pop);
	s->logged = NEW(a, bool, n_pop);
	s->digest = NEW(a, struct hash, n_pop);
	s->watch = NEW(a, struct sim_watch, n_proj);
	s->stimulus = NEW(a, struct sim_stimulus, n_pop);
	s->updates = NEW(a, struct sim_updates, n_proj);
	s->view_spikes = NEW(a, const struct sim_spike *, n_pop);
	s->view_n_spikes = NEW(a, size_t, n_pop);
	s->view_updates = NEW(a, const struct sim_update *, n_proj);
	s->view_n_updates = NEW(a, size_t, n_proj);
	if (!s->part || !s->log || !s->log_from || !s->dense || !s->window_count || !s->logged ||
	    !s->digest || !s->watch || !s->updates || !s->view_spikes || !s->view_n_spikes ||
	    !s->view_updates || !s->view_n_updates)
		return err_nomem(err);
	return 0;
}

/* Grids that include time 0. */
static void begin(struct sim *s)
{
	for (size_t j = 0; j < s->spec->n_projections; j++) {
		if (s->net->projections[j].every[OPTION_NORMALISE] > 0)
			sim_option_normalise(s, j);
	}
	s->grid = sim_option_next(s);
}

static int build(struct sim *s, unsigned threads, const struct net_guard *guard, struct err *err)
{
	double dt = s->spec->dt;
	int rc = net_build(&s->net, s->spec, s->arena, threads, guard, err);

	if (rc)
		return rc;
	s->window = s->spec->limits.max_rate_hz > 0 ? (int64_t)ceil(SIM_WINDOW_MS / dt) : 0;
	rc = new_tables(s, err);
	for (size_t i = 0; !rc && i < s->spec->n_populations; i++)
		rc = new_population(s, i, err);
	for (size_t j = 0; j < s->spec->n_projections; j++)
		s->logged[s->spec->projections[j].target] |=
			s->net->projections[j].log.view != NULL;
	for (size_t k = 0; !rc && k < s->net->n_parts; k++)
		rc = new_part(s, k, longest_own_tx(s->net), err);
	if (!rc && s->net->n_parts > 1)
		rc = sim_pool_new(&s->pool, s, err);
	if (!rc)
		begin(s);
	return rc;
}

int sim_new(struct sim **ret, const struct spec *spec, struct mem_arena *arena, unsigned threads,
	    const struct net_guard *guard, struct err *err)
{
	struct sim *s = NEW(arena, struct sim, 1);
	int rc;

	if (!s)
		return err_nomem(err);
	s->spec = spec;
	s->arena = arena;
	s->changes = spec->changes;
	s->n_changes = spec->n_changes;
	rc = build(s, threads, guard, err);
	if (rc)
		sim_free(s);
	else
		*ret = s;
	return rc;
}

void sim_free(struct sim *s)
{
	if (!s)
		return;
	sim_pool_free(s->pool);
	for (size_t k = 0; s->part && k < s->net->n_parts; k++) {
		for (size_t i = 0; s->part[k].spikes && i < s->spec->n_populations; i++)
			mem_free(s->part[k].spikes[i].at);
		for (size_t j = 0; s->part[k].updates && j < s->spec->n_projections; j++)
			mem_free(s->part[k].updates[j].at);
	}
	for (size_t i = 0; s->log && i < s->spec->n_populations; i++)
		mem_free(s->log[i].at);
	for (size_t j = 0; s->updates && j < s->spec->n_projections; j++)
		mem_free(s->updates[j].at);
	net_release(s->net);
}

void sim_observe(struct sim *s, struct sim_observer o)
{
	if (s->n_observers < SIM_OBSERVERS_MAX)
		s->observer[s->n_observers++] = o;
}

static int tell(struct sim *s, struct err *err)
{
	struct sim_view v = {
		.sim = s,
		.spec = s->spec,
		.t0 = s->t0,
		.t1 = s->t1,
		.spikes = s->view_spikes,
		.n_spikes = s->view_n_spikes,
		.updates = s->view_updates,
		.n_updates = s->view_n_updates,
	};

	for (size_t i = 0; i < s->spec->n_populations; i++) {
		s->view_spikes[i] = s->log[i].at ? s->log[i].at + s->log_from[i] : NULL;
		s->view_n_spikes[i] = s->log[i].n - s->log_from[i];
	}
	for (size_t j = 0; j < s->spec->n_projections; j++) {
		s->view_updates[j] = s->updates[j].at;
		s->view_n_updates[j] = s->updates[j].n;
	}
	for (size_t i = 0; i < s->n_observers; i++) {
		int rc = s->observer[i].slice(s->observer[i].self, &v, err);

		if (rc)
			return rc;
	}
	return 0;
}

int sim_start(struct sim *s, struct err *err)
{
	return tell(s, err);
}

static void run_phase(struct sim *s, void (*fn)(struct sim *s, struct sim_part *part))
{
	if (s->pool)
		sim_pool_run(s->pool, fn);
	else
		fn(s, &s->part[0]);
}

/* The first failure of any part, in the order of parts. */
static int phase_error(const struct sim *s, struct err *err)
{
	for (size_t k = 0; k < s->net->n_parts; k++) {
		if (s->part[k].rc) {
			if (err)
				*err = s->part[k].err;
			return s->part[k].rc;
		}
	}
	return 0;
}

/* Append the parts' spikes of one population to its log in the order of (step, neuron). */
static int merge_spikes(struct sim *s, size_t population, struct err *err)
{
	struct sim_spikes *log = &s->log[population];
	bool cell = s->spec->populations[population].model->kind == NEURON_CELL;
	size_t at[NET_PARTS_MAX];

	memset(at, 0, s->net->n_parts * sizeof(*at));
	s->log_from[population] = log->n;
	for (int64_t t = s->t0 + 1; t <= s->t1; t++) {
		for (size_t k = 0; k < s->net->n_parts; k++) {
			const struct sim_spikes *from = &s->part[k].spikes[population];

			for (; at[k] < from->n && from->at[at[k]].step == t; at[k]++) {
				const struct sim_spike *x = &from->at[at[k]];

				if (!sim_push_spike(log, *x))
					return err_nomem(err);
				if (!cell)
					continue;
				hash_u64(&s->digest[population], (uint64_t)x->step);
				hash_u64(&s->digest[population],
					 (uint64_t)x->count << 32 | x->neuron);
			}
		}
	}
	return 0;
}

static int compare_updates(const void *a, const void *b)
{
	const struct sim_update *x = a, *y = b;

	if (x->step != y->step)
		return x->step < y->step ? -1 : 1;
	return x->synapse < y->synapse ? -1 : x->synapse > y->synapse;
}

static int merge_updates(struct sim *s, size_t projection, struct err *err)
{
	struct sim_updates *all = &s->updates[projection];

	all->n = 0;
	for (size_t k = 0; k < s->net->n_parts; k++) {
		const struct sim_updates *from = &s->part[k].updates[projection];

		for (size_t i = 0; i < from->n; i++) {
			if (!sim_push_update(all, from->at[i]))
				return err_nomem(err);
		}
	}
	if (all->n > 1)
		qsort(all->at, all->n, sizeof(*all->at), compare_updates);
	return 0;
}

/* Drop spikes that every projection has visited. */
static void trim_log(struct sim *s, size_t population)
{
	struct sim_spikes *log = &s->log[population];
	size_t done = log->n;

	for (size_t j = 0; j < s->spec->n_projections; j++) {
		if (s->spec->projections[j].source == population && s->part[0].cursor[j] < done)
			done = s->part[0].cursor[j];
	}
	if (done == 0)
		return;
	memmove(log->at, log->at + done, (log->n - done) * sizeof(*log->at));
	log->n -= done;
	for (size_t j = 0; j < s->spec->n_projections; j++) {
		for (size_t k = 0;
		     s->spec->projections[j].source == population && k < s->net->n_parts; k++)
			s->part[k].cursor[j] -= done;
	}
	s->log_from[population] = log->n;
}

/* One slice (now, t1]. */
static int slice(struct sim *s, int64_t t1, struct err *err)
{
	int rc;

	s->t0 = s->now;
	s->t1 = t1;
	run_phase(s, sim_integrate);
	sim_stimulus_end(s);
	rc = phase_error(s, err);
	for (size_t i = 0; !rc && i < s->spec->n_populations; i++)
		rc = merge_spikes(s, i, err);
	if (!rc)
		rc = sim_history_signals(s, err);
	if (rc)
		return rc;
	run_phase(s, sim_deliver);
	rc = phase_error(s, err);
	for (size_t j = 0; !rc && j < s->spec->n_projections; j++) {
		if (s->watch[j].row)
			rc = merge_updates(s, j, err);
	}
	s->steps += (uint64_t)(t1 - s->now);
	s->now = t1;
	if (!rc && s->now == s->grid) {
		run_phase(s, sim_option_grid);
		sim_option_forget(s);
		s->grid = sim_option_next(s);
	}
	if (!rc)
		rc = tell(s, err);
	for (size_t i = 0; !rc && i < s->spec->n_populations; i++)
		trim_log(s, i);
	return rc;
}

static int check_rates(struct sim *s, struct err *err)
{
	double limit = s->spec->limits.max_rate_hz * (double)s->window * s->spec->dt / 1000.0;

	for (size_t i = 0; i < s->spec->n_populations; i++) {
		const struct net_population *p = &s->net->populations[i];

		for (size_t k = 0; s->window_count[i] && k < p->n; k++) {
			if (s->window_count[i][k] > limit)
				return err_set(err, ERR_RATE, "/limits/max_rate_hz",
					       "neuron %zu of population \"%s\" fired %u times in "
					       "the %g ms "
					       "before %.10g ms, over max_rate_hz = %g",
					       k, p->spec->name, s->window_count[i][k],
					       (double)s->window * s->spec->dt,
					       (double)s->now * s->spec->dt,
					       s->spec->limits.max_rate_hz);
			s->window_count[i][k] = 0;
		}
	}
	return 0;
}

static int apply_population(struct sim *s, const struct spec_change *c, struct err *err)
{
	int rc = net_set_param(s->net, c->subject, (size_t)c->param, &c->value, err);

	if (!rc)
		rc = net_prepare_population(s->net, c->subject, s->now, err);
	for (size_t k = 0; !rc && k < s->net->n_parts; k++)
		net_context(s->net, c->subject, k, s->now, &s->part[k].ctx[c->subject]);
	return rc;
}

static int apply(struct sim *s, const struct spec_change *c, struct err *err)
{
	struct net_projection *p = &s->net->projections[c->subject];

	switch (c->kind) {
	case SPEC_SET_POPULATION:
		return apply_population(s, c, err);
	case SPEC_SPIKES:
		return sim_stimulus_add(s, c, err);
	case SPEC_REWARD:
		return sim_history_signal(s, c->subject, s->now, c->value.a, err);
	case SPEC_NORMALISE:
		sim_settle(s, c->subject);
		sim_option_normalise(s, c->subject);
		break;
	case SPEC_PLASTICITY:
		sim_settle(s, c->subject);
		p->on = c->on;
		break;
	case SPEC_MODULATION:
		sim_settle(s, c->subject);
		p->modulation = c->value.a;
		net_prepare_projection(s->net, c->subject);
		break;
	case SPEC_SET_PROJECTION:
		sim_settle(s, c->subject);
		if (p->plastic) {
			p->param[c->param] = c->value.a;
			net_prepare_projection(s->net, c->subject);
		}
		break;
	}
	return 0;
}

int sim_reward(struct sim *s, size_t projection, double amount, struct err *err)
{
	const struct spec_projection *p = &s->spec->projections[projection];

	if (!p->model->on_signal)
		return err_set(err, ERR_CONFLICT, "",
			       "the rule %s of projection %s has no modulator to reward by",
			       p->model->name, p->name);
	return sim_history_signal(s, projection, s->now, amount, err);
}

void sim_schedule(struct sim *s, const struct spec_change *changes, size_t n)
{
	s->changes = changes;
	s->n_changes = n;
	s->next_change = 0;
}

void sim_threads_stop(struct sim *s)
{
	if (s->pool)
		sim_pool_stop(s->pool);
}

int sim_threads_start(struct sim *s, struct err *err)
{
	return s->pool ? sim_pool_start(s->pool, err) : 0;
}

/* The next step at which something wants the slice to end. */
static int64_t next_stop(const struct sim *s, int64_t to)
{
	int64_t grid = (s->now / s->net->slice + 1) * s->net->slice;
	int64_t stop = grid < to ? grid : to;

	stop = s->grid < stop ? s->grid : stop;
	if (s->window) {
		int64_t window = (s->now / s->window + 1) * s->window;

		stop = window < stop ? window : stop;
	}
	if (s->next_change < s->n_changes && s->changes[s->next_change].at < stop)
		stop = s->changes[s->next_change].at;
	for (size_t i = 0; i < s->n_observers; i++) {
		int64_t wanted = s->observer[i].next(s->observer[i].self, s->now);

		stop = wanted < stop ? wanted : stop;
	}
	return stop;
}

int sim_advance(struct sim *s, int64_t to, struct err *err)
{
	int rc = 0;

	while (!rc && s->now < to) {
		while (!rc && s->next_change < s->n_changes &&
		       s->changes[s->next_change].at <= s->now)
			rc = apply(s, &s->changes[s->next_change++], err);
		if (!rc)
			rc = slice(s, next_stop(s, to), err);
		if (!rc && s->window && s->now % s->window == 0)
			rc = check_rates(s, err);
	}
	return rc;
}
