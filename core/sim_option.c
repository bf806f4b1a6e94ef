/* sim_option.c - what happens to weights on grids of time, beside spikes: ticks of rules, scaling,
 * noise, normalisation, and the upkeep that bounds histories.
 *
 * Each part treats its own targets; sums run over sources in order, so parts change no bits. Rows are
 * brought up to date first. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/sim_state.h"

static bool is_due(int64_t now, int64_t every)
{
	return every > 0 && now % every == 0;
}

static bool any_option(const struct net_projection *p, int64_t now)
{
	bool due = false;

	for (size_t k = 0; k < OPTION_N; k++)
		due |= is_due(now, p->every[k]);
	return due;
}

static int64_t next_multiple(int64_t now, int64_t every, int64_t least)
{
	int64_t next = every > 0 ? (now / every + 1) * every : INT64_MAX;

	return next < least ? next : least;
}

int64_t sim_option_next(const struct sim *s)
{
	int64_t next = INT64_MAX;

	for (size_t j = 0; j < s->spec->n_projections; j++) {
		const struct net_projection *p = &s->net->projections[j];

		if (!p->plastic)
			continue;
		next = next_multiple(s->now, p->sweep, next);
		next = next_multiple(s->now, p->tick, next);
		for (size_t k = 0; k < OPTION_N; k++)
			next = next_multiple(s->now, p->every[k], next);
	}
	return next;
}

/* The part's synapses, row by row. */
struct own {
	struct net_projection *p;
	const struct net_rows *r;
	uint32_t lo, hi;   /* targets */
	double min, max;   /* bounds of the weights' magnitudes */
	double *of_target; /* [hi - lo] scratch */
};

static struct own own_of(struct sim *s, struct sim_part *part, size_t projection)
{
	struct net_projection *p = &s->net->projections[projection];
	const struct net_population *t = &s->net->populations[p->spec->target];
	struct own o = {
		.p = p,
		.r = &p->part[part->id],
		.lo = t->part[part->id],
		.hi = t->part[part->id + 1],
		.max = PARAM_INF,
		.of_target = part->of_target,
	};

	if (p->model->bounds)
		p->model->bounds(p->param, &o.min, &o.max);
	return o;
}

static double bounded(const struct own *o, double w)
{
	w = w > o->min ? w : o->min;
	return w < o->max ? w : o->max;
}

/* Multiply each weight by its target's factor. */
static void multiply(const struct own *o)
{
	uint64_t n = o->r->row[o->p->n_source];

	for (uint64_t i = 0; i < n; i++)
		o->r->w[i] = bounded(o, o->r->w[i] * o->of_target[o->r->target[i] - o->lo]);
}

/* Over one period the running rate is taken as what it is at the end. */
static void scale(const struct own *o, double dt)
{
	const double *p = o->p->spec->option[OPTION_SCALE];
	double period = (double)o->p->every[OPTION_SCALE] * dt;
	double decay = fmath_exp(-period / p[OPTION_SCALE_TAU]);
	double *running = o->p->rates.running, *since = o->p->rates.since;

	for (uint32_t j = o->lo; j < o->hi; j++) {
		double away;

		running[j] = running[j] * decay + since[j];
		since[j] = 0;
		away = p[OPTION_SCALE_RATE] - running[j];
		o->of_target[j - o->lo] =
			fmath_exp(p[OPTION_SCALE_BETA] * away * (period / 1000.0));
	}
	if (o->p->on)
		multiply(o);
}

static void noise(const struct own *o, const struct sim *s)
{
	double sd = o->p->spec->option[OPTION_NOISE][OPTION_NOISE_SD];
	struct rng_key key = spec_key(s->spec, RNG_NOISE, o->p->spec->name, "noise");
	uint64_t draw = (uint64_t)s->now;

	for (size_t i = 0; o->p->on && i < o->p->n_source; i++) {
		for (uint64_t j = o->r->row[i]; j < o->r->row[i + 1]; j++) {
			uint64_t k = net_synapse(o->r, i, j - o->r->row[i]);

			o->r->w[j] = bounded(o, o->r->w[j] * (1 + sd * rng_normal(key, k, draw)));
		}
	}
}

static void normalise(const struct own *o)
{
	double sum = o->p->spec->option[OPTION_NORMALISE][OPTION_NORMALISE_SUM];
	uint64_t n = o->r->row[o->p->n_source];

	memset(o->of_target, 0, (o->hi - o->lo) * sizeof(double));
	for (uint64_t i = 0; i < n; i++)
		o->of_target[o->r->target[i] - o->lo] += o->r->w[i];
	for (uint32_t j = 0; j < o->hi - o->lo; j++)
		o->of_target[j] = o->of_target[j] > 0 ? sum / o->of_target[j] : 1;
	multiply(o);
}

static void apply(struct sim *s, struct sim_part *part, size_t projection)
{
	struct net_projection *p = &s->net->projections[projection];
	struct own o = own_of(s, part, projection);

	if (is_due(s->now, p->every[OPTION_SCALE]))
		scale(&o, s->spec->dt);
	if (is_due(s->now, p->every[OPTION_NOISE]))
		noise(&o, s);
	if (is_due(s->now, p->every[OPTION_NORMALISE]))
		normalise(&o);
}

void sim_option_grid(struct sim *s, struct sim_part *part)
{
	for (size_t j = 0; j < s->spec->n_projections; j++) {
		const struct net_projection *p = &s->net->projections[j];
		bool tick = is_due(s->now, p->tick), sweep = is_due(s->now, p->sweep);
		bool option = any_option(p, s->now);

		if (!p->plastic || !(tick || sweep || option))
			continue;
		sim_settle_part(s, part, j, tick);
		if (option)
			apply(s, part, j);
		if (sweep)
			sim_history_forget(s, part, j);
	}
}

void sim_option_forget(struct sim *s)
{
	for (size_t j = 0; j < s->spec->n_projections; j++) {
		if (is_due(s->now, s->net->projections[j].sweep))
			sim_history_forget_signals(s, j);
	}
}

void sim_option_normalise(struct sim *s, size_t projection)
{
	for (size_t k = 0; k < s->net->n_parts; k++) {
		struct own o = own_of(s, &s->part[k], projection);

		normalise(&o);
	}
}
