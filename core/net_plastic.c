/* net_plastic.c - what a projection keeps for its rule and its options, beside its synapses. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "core/net.h"

/* Rows that no presynaptic spike visits are brought up to date, and histories cut, this often; more
 * often where a log grows with every step. */
#define SWEEP_MS     4000.0
#define SWEEP_LOG_MS 100.0

/* At least one step. */
static int64_t to_steps(double ms, double dt)
{
	double steps = floor(ms / dt + 0.5);

	return steps < 1 ? 1 : (int64_t)steps;
}

static void prepare(const struct plasticity_model *m, const double *p, struct plasticity_ctx *c)
{
	double tau[PLASTICITY_DECAYS_MAX];

	m->prepare(p, c->dt, c->coef, tau);
	for (size_t k = 0; k < m->n_decays; k++)
		fmath_decay_init(&c->decay[k], tau[k] / c->dt);
}

void net_prepare_projection(struct net *net, size_t projection)
{
	struct net_projection *p = &net->projections[projection];
	double scaled[PLASTICITY_PARAMS_MAX];

	for (size_t i = 0; i < p->model->n_params; i++)
		scaled[i] = p->model->params[i].flags & PARAM_GAIN ? p->param[i] * p->modulation
								   : p->param[i];
	prepare(p->model, scaled, p->ctx);
}

static int new_log(struct net *net, struct net_projection *p, struct err *err)
{
	const struct neuron_model *target = net->spec->populations[p->spec->target].model;
	struct net_log *l = &p->log;

	if (!p->model->needs)
		return 0;
	for (; p->model->needs[l->n_needs]; l->n_needs++) {
		size_t k = 0;

		while (strcmp(target->states[k].name, p->model->needs[l->n_needs]) != 0)
			k++; /* it is there: the spec was checked */
		l->needs[l->n_needs] = (int)k;
	}
	l->lag = p->model->lag ? p->model->lag(p->ctx->coef, net->spec->dt) : 0;
	l->view = NEW(net->arena, struct plasticity_history, p->n_target);
	l->record = NEW(net->arena, struct net_history, p->n_target);
	if (l->lag > 0)
		l->lagged = NEW(net->arena, double, (size_t)l->lag * p->n_target * l->n_needs);
	if (!l->view || !l->record || (l->lag > 0 && !l->lagged))
		return err_nomem(err);
	p->ctx->log = l->view;
	return 0;
}

static int new_options(struct net *net, struct net_projection *p, struct err *err)
{
	double dt = net->spec->dt;

	for (size_t k = 0; k < OPTION_N; k++) {
		const double *o = p->spec->option[k];

		p->every[k] = o && o[OPTION_EVERY] > 0 ? to_steps(o[OPTION_EVERY], dt) : 0;
	}
	if (p->spec->stp) {
		p->stp = NEW(net->arena, struct plasticity_ctx, 1);
		if (!p->stp)
			return err_nomem(err);
		p->stp->dt = dt;
		prepare(&plasticity_stp, p->spec->stp, p->stp);
	}
	if (!p->spec->option[OPTION_SCALE])
		return 0;
	p->rates.running = NEW(net->arena, double, p->n_target);
	p->rates.since = NEW(net->arena, double, p->n_target);
	if (!p->rates.running || !p->rates.since)
		return err_nomem(err);
	for (size_t i = 0; i < p->n_target; i++)
		p->rates.running[i] = p->spec->option[OPTION_SCALE][OPTION_SCALE_RATE];
	return 0;
}

static void set_grids(struct net_projection *p, double dt)
{
	p->sweep = to_steps(ceil((p->model->needs ? SWEEP_LOG_MS : SWEEP_MS) / dt), 1);
	p->tick = p->model->tick_ms ? to_steps(p->model->tick_ms(p->param), dt) : 0;
	p->memory = p->model->memory ? p->model->memory(p->ctx->coef, dt) : -1;
}

int net_plastic(struct net *net, size_t projection, struct err *err)
{
	struct net_projection *p = &net->projections[projection];
	size_t n = p->model->n_params;
	int rc;

	p->param = NEW(net->arena, double, n + 1);
	p->ctx = NEW(net->arena, struct plasticity_ctx, 1);
	p->post = NEW(net->arena, struct plasticity_history, p->n_target);
	p->history = NEW(net->arena, struct net_history, p->n_target);
	p->recent = NEW(net->arena, struct plasticity_recent, p->n_target);
	p->in_degree = NEW(net->arena, uint32_t, p->n_target);
	if (!p->param || !p->ctx || !p->post || !p->history || !p->recent || !p->in_degree)
		return err_nomem(err);
	for (size_t i = 0; i < p->n_target; i++)
		p->recent[i] = plasticity_look_back(&p->post[i]);
	memcpy(p->param, p->spec->params, n * sizeof(*p->param));
	p->modulation = p->spec->modulation;
	p->ctx->dt = net->spec->dt;
	p->ctx->post = p->post;
	p->ctx->recent = p->recent;
	p->ctx->key = spec_key(net->spec, RNG_NOISE, p->spec->name, "rule");
	net_prepare_projection(net, projection);
	p->n_syn = p->model->n_syn ? p->model->n_syn(p->ctx->coef) : 0;
	p->n_pre = p->model->n_pre;
	set_grids(p, net->spec->dt);
	rc = new_log(net, p, err);
	return rc ? rc : new_options(net, p, err);
}

int net_plastic_rows(struct net *net, const struct net_projection *p, struct net_rows *r,
		     struct err *err)
{
	struct mem_arena *a = net->arena;

	r->t_last = NEW(a, int64_t, p->n_source);
	r->t_pre = NEW(a, int64_t, p->n_source);
	r->pre = NEW(a, double, p->n_source * p->n_pre + 1);
	if (p->stp)
		r->stp = NEW(a, double, p->n_source *plasticity_stp.n_pre);
	if (p->memory >= 0)
		r->past = NEW(a, struct net_past, p->n_source);
	if (!r->t_last || !r->t_pre || !r->pre || (p->stp && !r->stp) ||
	    (p->memory >= 0 && !r->past))
		return err_nomem(err);
	for (size_t i = 0; i < p->n_source; i++)
		r->t_pre[i] = -1;
	return 0;
}

/* Spikes of about so many intervals between spikes; more are looked up in the histories. */
#define TIMELINE_PER_TARGET 32
#define TIMELINE_MAX	    65536

int net_plastic_timeline(struct net *net, struct net_projection *p, size_t part, struct err *err)
{
	const uint32_t *cut = &net->populations[p->spec->target].part[part];
	struct plasticity_timeline *l;
	size_t cap = (size_t)(cut[1] - cut[0]) * TIMELINE_PER_TARGET;

	if (!p->model->timeline || !p->part[part].whole || cap == 0)
		return 0;
	cap = cap < TIMELINE_MAX ? cap : TIMELINE_MAX;
	l = NEW(net->arena, struct plasticity_timeline, 1);
	if (!l)
		return err_nomem(err);
	l->step = NEW(net->arena, int64_t, cap);
	l->at = NEW(net->arena, uint32_t, cap);
	l->met = NEW(net->arena, double, cut[1] - cut[0]);
	if (!l->step || !l->at || !l->met)
		return err_nomem(err);
	l->first = cut[0];
	l->cap = cap;
	p->part[part].timeline = l;
	return 0;
}

static void release_histories(struct net_history *h, size_t n)
{
	for (size_t i = 0; h && i < n; i++)
		mem_free(h[i].at);
}

void net_plastic_release(struct net_projection *p, size_t n_parts)
{
	release_histories(p->history, p->n_target);
	release_histories(p->log.record, p->n_target);
	mem_free(p->signals.at);
	p->history = p->log.record = NULL;
	p->signals = (struct net_signals){ 0 };
	for (size_t part = 0; part < n_parts; part++) {
		struct net_past *past = p->part[part].past;

		for (size_t i = 0; past && i < p->n_source; i++)
			mem_free(past[i].at);
		p->part[part].past = NULL;
	}
}
