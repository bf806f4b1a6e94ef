/* net.c - populations: parameters to coefficients, states, input rings. */
/* SPDX-License-Identifier: MIT */
#include "core/net.h"

#include <math.h>
#include <string.h>

enum { NET_LOOK_WORK = 1 << 16 };

static size_t n_channels(enum neuron_input in)
{
	switch (in) {
	case NEURON_IN_SIGNED:
		return 2;
	case NEURON_IN_SUM:
	case NEURON_IN_COUNT:
		return 1;
	case NEURON_IN_NONE:
		break;
	}
	return 0;
}

/* Whether every neuron gets the same number. */
static bool is_single(const struct spec_value *v)
{
	return v->kind == SPEC_CONST || (v->kind == SPEC_ARRAY && v->n == 1);
}

static void fill(double *column, size_t n, const struct spec_value *v, struct rng_key key,
		 const struct param_def *def)
{
	double min = def ? def->min : -PARAM_INF, max = def ? def->max : PARAM_INF;

	for (size_t i = 0; i < n; i++)
		column[i] = spec_value_at(v, key, i, min, max);
}

int net_set_param(struct net *net, size_t population, size_t param, const struct spec_value *v,
		  struct err *err)
{
	struct net_population *p = &net->populations[population];
	const struct param_def *def = &p->spec->model->params[param];
	size_t stride = is_single(v) ? 0 : 1;
	struct rng_key key;

	if (def->type == PARAM_TIMES || def->type == PARAM_VALUES)
		return 0;
	if (!p->param[param] || stride > p->param_stride[param]) {
		p->param[param] = NEW(net->arena, double, stride ? p->n : 1);
		if (!p->param[param])
			return err_nomem(err);
	}
	p->param_stride[param] = stride;
	key = spec_key(net->spec, RNG_PARAM, p->spec->name, def->name);
	fill(p->param[param], stride ? p->n : 1, v, key, def);
	return 0;
}

static int grow_coefs(struct net *net, struct net_population *p, size_t stride, struct err *err)
{
	for (size_t k = 0; k < p->spec->model->n_coefs; k++) {
		if (p->coef[k] && stride <= p->coef_stride)
			continue;
		p->coef[k] = NEW(net->arena, double, stride ? p->n : 1);
		if (!p->coef[k])
			return err_nomem(err);
	}
	p->coef_stride = stride;
	return 0;
}

static void gather(const struct net_population *p, size_t i, double *values)
{
	for (size_t k = 0; k < p->spec->model->n_params; k++)
		values[k] = p->param[k] ? p->param[k][i * p->param_stride[k]] : 0;
}

/* In each part the last block may be short. */
static size_t n_blocks(const struct net *net, const struct net_population *p)
{
	return p->n / NEURON_BLOCK + net->n_parts;
}

static void tell_parts(const struct net *net, size_t population, int64_t now,
		       void (*fn)(const struct neuron_ctx *c))
{
	struct neuron_ctx c;

	for (size_t part = 0; fn && part < net->n_parts; part++) {
		net_context(net, population, part, now, &c);
		fn(&c);
	}
}

int net_prepare_population(struct net *net, size_t population, int64_t now, struct err *err)
{
	struct net_population *p = &net->populations[population];
	const struct neuron_model *m = p->spec->model;
	double values[NEURON_PARAMS_MAX], coef[NEURON_COEFS_MAX];
	size_t stride = 0;
	int rc;

	for (size_t k = 0; k < m->n_params; k++)
		stride |= p->param[k] ? p->param_stride[k] : 0;
	if (p->coef[0])
		tell_parts(net, population, now, m->changing);
	rc = grow_coefs(net, p, stride, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < (stride ? p->n : 1); i++) {
		gather(p, i, values);
		m->prepare(values, net->spec->dt, coef);
		for (size_t k = 0; k < m->n_coefs; k++)
			p->coef[k][i] = coef[k];
	}
	if (p->quiet)
		memset(p->quiet, 0, n_blocks(net, p) * sizeof(*p->quiet));
	tell_parts(net, population, now, m->changed);
	return 0;
}

void net_context(const struct net *net, size_t population, size_t part, int64_t step,
		 struct neuron_ctx *ret)
{
	const struct net_population *p = &net->populations[population];
	const struct neuron_model *m = p->spec->model;
	size_t lo = p->part[part];

	*ret = (struct neuron_ctx){
		.n = p->part[part + 1] - lo,
		.step = step,
		.dt = net->spec->dt,
		.stride = p->coef_stride,
		.out = p->out + lo,
		.key = p->key,
		.id0 = lo,
		.times = p->spec->times,
		.quiet = p->quiet ? p->quiet + lo / NEURON_BLOCK + part : NULL,
	};
	if (ret->times.offset)
		ret->times.offset += lo * ret->times.stride;
	for (size_t k = 0; k < m->n_coefs; k++)
		ret->coef[k] = p->coef[k] + lo * p->coef_stride;
	for (size_t k = 0; k < m->n_states; k++)
		ret->state[k] = p->state[k] + lo;
	for (size_t k = 0; k < p->n_in; k++)
		ret->in[k] = p->in[k].at ? p->in[k].at + (size_t)(step & p->in[k].mask) * p->n + lo
					 : p->zero + lo;
	ret->current = p->current.at ? p->current.at + (size_t)(step & p->current.mask) * p->n + lo
				     : p->zero + lo;
}

static int init_states(struct net *net, struct net_population *p, struct err *err)
{
	const struct neuron_model *m = p->spec->model;

	for (size_t k = 0; k < m->n_states; k++) {
		const struct state_def *d = &m->states[k];
		const struct spec_value *v = p->spec->init ? &p->spec->init[k] : NULL;

		p->state[k] = NEW(net->arena, double, p->n);
		if (!p->state[k])
			return err_nomem(err);
		for (size_t i = 0; i < p->n; i++)
			p->state[k][i] = d->init_param >= 0
						 ? p->param[d->init_param]
							   [i * p->param_stride[d->init_param]]
						 : d->init;
		if (v && v->set)
			fill(p->state[k], p->n, v,
			     spec_key(net->spec, RNG_STATE, p->spec->name, d->name), NULL);
	}
	return 0;
}

static int build_population(struct net *net, size_t i, struct err *err)
{
	struct net_population *p = &net->populations[i];
	double *zero;
	int rc;

	p->spec = &net->spec->populations[i];
	p->n = p->spec->size;
	p->n_in = n_channels(p->spec->model->input);
	p->key = spec_key(net->spec, RNG_SPIKES, p->spec->name, "");
	for (size_t k = 0; k <= net->n_parts; k++)
		p->part[k] = (uint32_t)(p->n * k / net->n_parts);
	zero = NEW(net->arena, double, p->n);
	p->out = NEW(net->arena, double, p->n);
	if (p->spec->model->sparse)
		p->quiet = NEW(net->arena, int64_t, n_blocks(net, p));
	if (!zero || !p->out || (p->spec->model->sparse && !p->quiet))
		return err_nomem(err);
	p->zero = zero;
	for (size_t k = 0; k < p->spec->model->n_params; k++) {
		rc = net_set_param(net, i, k, &p->spec->params[k], err);
		if (rc)
			return rc;
	}
	rc = init_states(net, p, err);
	return rc ? rc : net_prepare_population(net, i, 0, err);
}

/* Where a projection's deposits go, but for the sign of static weights (net_wire finds that). */
static int channel_of(const struct spec_population *source, const struct spec_population *target)
{
	if (source->model->kind == NEURON_CURRENT)
		return target->model->takes_current ? NET_CURRENT : NET_NOWHERE;
	switch (target->model->input) {
	case NEURON_IN_COUNT:
		return NET_COUNT;
	case NEURON_IN_SIGNED:
		return -1;
	case NEURON_IN_SUM:
		return 0;
	case NEURON_IN_NONE:
		break;
	}
	return NET_NOWHERE;
}

static int open_ring(struct net *net, struct net_ring *r, size_t n, int64_t delay_max,
		     struct err *err)
{
	int64_t slots = 2;

	if (r->at)
		return 0;
	while (slots < delay_max + 1)
		slots *= 2;
	r->mask = slots - 1;
	r->at = NEW(net->arena, double, n *(size_t)slots);
	return r->at ? 0 : err_nomem(err);
}

/* Rings as long as the longest delay of what comes in. */
static int build_rings(struct net *net, size_t population, struct err *err)
{
	struct net_population *p = &net->populations[population];
	int64_t longest = 0;
	bool current = false, spikes = false;
	int rc = 0;

	for (size_t j = 0; j < net->spec->n_projections; j++) {
		const struct spec_projection *s = &net->spec->projections[j];
		int channel = net->projections[j].channel;

		if (s->target != population || channel == NET_NOWHERE)
			continue;
		if (s->delay_max > longest)
			longest = s->delay_max;
		current |= channel == NET_CURRENT;
		spikes |= channel != NET_CURRENT;
	}
	for (size_t k = 0; !rc && spikes && k < p->n_in; k++)
		rc = open_ring(net, &p->in[k], p->n, longest, err);
	if (!rc && current)
		rc = open_ring(net, &p->current, p->n, longest, err);
	return rc;
}

static int build(struct net *net, struct err *err)
{
	const struct spec *spec = net->spec;
	int rc = 0;

	net->slice = NET_SLICE_MAX;
	net->populations = NEW(net->arena, struct net_population, spec->n_populations + 1);
	net->projections = NEW(net->arena, struct net_projection, spec->n_projections + 1);
	if (!net->populations || !net->projections)
		return err_nomem(err);
	for (size_t i = 0; !rc && i < spec->n_populations; i++)
		rc = build_population(net, i, err);
	for (size_t j = 0; !rc && j < spec->n_projections; j++) {
		const struct spec_projection *s = &spec->projections[j];

		net->projections[j].spec = s;
		net->projections[j].channel =
			channel_of(&spec->populations[s->source], &spec->populations[s->target]);
		if (s->delay_min < net->slice)
			net->slice = s->delay_min;
		rc = net_wire(net, j, err);
	}
	for (size_t i = 0; !rc && i < spec->n_populations; i++)
		rc = build_rings(net, i, err);
	return rc;
}

int net_look(struct net *net, uint64_t work, struct err *err)
{
	net->work += work;
	if (!net->guard || net->work < NET_LOOK_WORK)
		return 0;
	net->work = 0;
	return net->guard->look(net->guard->self, err);
}

int net_build(struct net **ret, const struct spec *spec, struct mem_arena *arena, size_t n_parts,
	      const struct net_guard *guard, struct err *err)
{
	struct net *net = NEW(arena, struct net, 1);
	int rc;

	if (!net)
		return err_nomem(err);
	net->spec = spec;
	net->arena = arena;
	net->guard = guard;
	net->n_parts = n_parts < 1 ? 1 : n_parts > NET_PARTS_MAX ? NET_PARTS_MAX : n_parts;
	rc = build(net, err);
	if (rc)
		net_release(net);
	else
		*ret = net;
	return rc;
}

void net_release(struct net *net)
{
	if (!net || !net->projections)
		return;
	for (size_t j = 0; j < net->spec->n_projections; j++)
		net_plastic_release(&net->projections[j], net->n_parts);
}

uint64_t net_synapse(const struct net_rows *r, size_t source, uint64_t i)
{
	return r->order ? r->order[r->row[source] + i] : r->k0[source] + i;
}
