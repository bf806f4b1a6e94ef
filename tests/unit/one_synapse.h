/* one_synapse.h - drives a plasticity rule's descriptor on a single synapse, without an engine.
 */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_ONE_SYNAPSE_H
#define TESTS_UNIT_ONE_SYNAPSE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/plasticity.h"

enum { ONE_POSTS_MAX = 4096, ONE_SIGNALS_MAX = 1024, ONE_LOG_MAX = 12000 };

struct one {
	const struct plasticity_model *model;
	struct plasticity_ctx ctx;
	struct plasticity_row row;
	struct plasticity_spike all[ONE_POSTS_MAX]; /* every post spike there will be */
	size_t n_all;
	struct plasticity_history history;
	struct plasticity_signal signal[ONE_SIGNALS_MAX];
	int64_t arrived[ONE_POSTS_MAX]; /* presynaptic, one entry a spike */
	size_t n_arrived;
	struct plasticity_spike log[ONE_LOG_MAX]; /* of the target's states */
	size_t n_log;
	struct plasticity_history log_view;
	bool trim; /* show update() no more of the past than it may rely on */
	uint32_t target;
	uint16_t delay;
	double w, tx, pre[PLASTICITY_PRE_MAX], syn[PLASTICITY_SYN_MAX];
};

static inline void one_defaults(const struct plasticity_model *m, double *p)
{
	for (size_t i = 0; i < m->n_params; i++)
		p[i] = m->params[i].def;
}

static inline void one_set(const struct plasticity_model *m, double *p, const char *name,
			   double value)
{
	int i = param_find(m->params, m->n_params, name);

	cr_assert_geq(i, 0, "no parameter %s", name);
	p[i] = value;
}

/* Coefficients and decays from parameters. */
static inline void one_context(struct plasticity_ctx *c, const struct plasticity_model *m,
			       const double *p, double dt)
{
	double tau[PLASTICITY_DECAYS_MAX];

	c->dt = dt;
	m->prepare(p, dt, c->coef, tau);
	for (size_t i = 0; i < m->n_decays; i++)
		fmath_decay_init(&c->decay[i], tau[i] / dt);
}

static inline void one_init(struct one *o, const struct plasticity_model *m, const double *p,
			    double dt, uint16_t delay, double w)
{
	size_t n_syn;

	memset(o, 0, sizeof(*o));
	o->model = m;
	o->delay = delay;
	o->w = w;
	one_context(&o->ctx, m, p, dt);
	o->history.at = o->all;
	o->ctx.post = &o->history;
	o->log_view.at = o->log;
	o->ctx.log = &o->log_view;
	n_syn = m->n_syn ? m->n_syn(o->ctx.coef) : 0;
	for (size_t k = 0; k < n_syn; k++) {
		o->syn[k] = m->syn[k].init;
		o->row.syn[k] = &o->syn[k];
	}
	o->row.t_pre = -1;
	o->row.on = true;
	o->row.pre = o->pre;
	o->row.n = 1;
	o->row.target = &o->target;
	o->row.delay = &o->delay;
	o->row.w = &o->w;
	o->row.tx = &o->tx;
}

/* A post spike at `step`; must come before an update() that it arrives for. */
static inline void one_post(struct one *o, int64_t step)
{
	struct plasticity_spike *s = &o->all[o->n_all];

	cr_assert_lt(o->n_all, ONE_POSTS_MAX);
	s->step = step;
	o->model->on_post(&o->ctx, o->n_all ? s - 1 : NULL, step, s->k);
	o->history.n = ++o->n_all;
}

/* A signal of the modulator, by the step of its arrival; before an update() that it arrives for. */
static inline void one_signal(struct one *o, int64_t step, double amount)
{
	struct plasticity_signal *s = &o->signal[o->ctx.n_signal];

	cr_assert_lt(o->ctx.n_signal, ONE_SIGNALS_MAX);
	s->step = step;
	s->amount = amount;
	s->k = o->model->on_signal(&o->ctx, o->ctx.n_signal ? s - 1 : NULL, step, amount);
	o->ctx.signal = o->signal;
	o->ctx.n_signal++;
}

/* The target's states v[] after `step`, lagged[] some steps before. */
static inline void one_step(struct one *o, int64_t step, const double *v, const double *lagged)
{
	struct plasticity_spike *s = &o->log[o->n_log];

	cr_assert_lt(o->n_log, ONE_LOG_MAX);
	s->step = step;
	o->n_log += o->model->on_step(&o->ctx, v, lagged, s->k);
	o->log_view.n = o->n_log;
}

static inline void one_trim_log(struct one *o, int64_t t)
{
	size_t first = 0, end = 0;

	while (end < o->n_log && o->log[end].step <= t)
		end++;
	while (first < end && o->log[first].step + o->delay <= o->row.t_last)
		first++;
	o->log_view = (struct plasticity_history){ o->log + first, end - first };
}

static inline void one_trim(struct one *o, int64_t t)
{
	size_t first = 0, end = 0;

	one_trim_log(o, t);

	while (end < o->n_all && o->all[end].step <= t)
		end++;
	while (first + 1 < end && o->all[first + 1].step + o->delay <= o->row.t_last)
		first++;
	o->history.at = o->all + first;
	o->history.n = end - first;
}

/* What a rule with a memory sees of earlier presynaptic arrivals. */
static inline void one_past(struct one *o)
{
	int64_t memory = o->model->memory(o->ctx.coef, o->ctx.dt);
	size_t first = 0;

	while (o->trim && first < o->n_arrived && o->arrived[first] + memory <= o->row.t_last)
		first++;
	o->row.past = o->arrived + first;
	o->row.n_past = o->n_arrived - first;
}

/* Bring the synapse to t with n presynaptic spikes there; 0: a sweep. Returns the weight. */
static inline double one_update(struct one *o, int64_t t, unsigned n)
{
	if (o->trim)
		one_trim(o, t);
	if (o->model->memory)
		one_past(o);
	o->row.t = t;
	o->row.n_spikes = n;
	o->tx = o->w;
	o->model->update(&o->ctx, &o->row);
	o->row.t_last = t;
	if (n)
		o->row.t_pre = t;
	for (; n > 0 && o->model->memory; n--) {
		cr_assert_lt(o->n_arrived, ONE_POSTS_MAX);
		o->arrived[o->n_arrived++] = t;
	}
	return o->w;
}

#endif
