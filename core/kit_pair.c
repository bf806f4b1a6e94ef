/* kit_pair.c - sums of exponentials over the spikes that a pairing names. */
/* SPDX-License-Identifier: MIT */
#include "core/kit_pair.h"

#include <string.h>

#include "core/base/fmath.h"
#include "core/model/plasticity.h"

/* Terms beyond this many time constants are below 2e-22. */
#define FAR 50.0

/* How far the two trains have come. */
struct progress {
	const struct kit_trains *t;
	size_t n_pre, n_post; /* arrivals so far */
	size_t used;  /* presynaptic spikes that no later post may pair with (pre-centred) */
	bool between; /* a post arrived since the last pre */
};

const char *kit_pairing_name(enum kit_pairing p)
{
	static const char *const names[KIT_PAIRINGS] = { "all_to_all", "nearest_symmetric",
							 "nearest_pre_centered",
							 "nearest_reduced_symmetric" };

	return names[p];
}

static int row(const char *name)
{
	return param_find(plasticity_stdp_pair.params, plasticity_stdp_pair.n_params, name);
}

static const char *choice(const double *p, const char *name)
{
	int i = row(name);

	return plasticity_stdp_pair.params[i].choices[(size_t)p[i]];
}

void kit_pair_read(struct kit_pair *ret, const double *p)
{
	*ret = (struct kit_pair){
		.a_plus = p[row("A_plus")],
		.a_minus = p[row("A_minus")],
		.tau_plus = p[row("tau_plus")],
		.tau_minus = p[row("tau_minus")],
		.w_min = p[row("w_min")],
		.w_max = p[row("w_max")],
		.mu_plus = p[row("mu_plus")],
		.mu_minus = p[row("mu_minus")],
		.mu = p[row("mu")],
		.w_0 = p[row("w_0")],
		.power = strcmp(choice(p, "weight_dependence"), "power") == 0,
		.virtual_first = p[row("virtual_first_spike")] != 0,
	};
	while (ret->pairing + 1 < KIT_PAIRINGS &&
	       strcmp(kit_pairing_name(ret->pairing), choice(p, "pairing")) != 0)
		ret->pairing++;
}

/* One change: scaled by the weight it meets, then the bounds. */
static double changed(const struct kit_pair *r, double w, double amount)
{
	double range = r->w_max - r->w_min;

	if (amount == 0)
		return w;
	if (r->power)
		amount *= amount > 0 ? fmath_pow(r->w_0, 1 - r->mu) * fmath_pow(w, r->mu) : w;
	else if (amount > 0 && r->mu_plus != 0)
		amount *= fmath_pow((r->w_max - w) / range, r->mu_plus);
	else if (amount < 0 && r->mu_minus != 0)
		amount *= fmath_pow((w - r->w_min) / range, r->mu_minus);
	w += amount;
	w = w > r->w_max ? r->w_max : w;
	return w < r->w_min ? r->w_min : w;
}

/* Sum over the presynaptic spikes that the next post arrival pairs with. */
static double sum_pre(const struct kit_pair *r, const struct progress *s)
{
	bool nearest = r->pairing == KIT_NEAREST_SYMMETRIC || r->pairing == KIT_NEAREST_REDUCED;
	size_t oldest = r->pairing == KIT_NEAREST_PRE_CENTERED ? s->used : 0;
	int64_t now = s->t->post[s->n_post];
	double sum = 0;

	if (r->pairing == KIT_NEAREST_REDUCED && s->between)
		return 0;
	if (s->n_pre == 0)
		return r->virtual_first && nearest
			       ? fmath_exp(-(double)now / s->t->per_ms / r->tau_plus)
			       : 0;
	if (nearest)
		oldest = s->n_pre - 1;
	for (size_t i = s->n_pre; i > oldest; i--) {
		double x = (double)(now - s->t->pre[i - 1]) / s->t->per_ms / r->tau_plus;

		if (x > FAR)
			break;
		sum += fmath_exp(-x);
	}
	return sum;
}

/* Sum over the post arrivals, strictly earlier, that the next presynaptic spike pairs with. */
static double sum_post(const struct kit_pair *r, const struct progress *s)
{
	int64_t now = s->t->pre[s->n_pre];
	size_t n = s->n_post;
	double sum = 0;

	while (n > 0 && s->t->post[n - 1] == now)
		n--;
	if (r->pairing == KIT_NEAREST_REDUCED && !s->between)
		return 0;
	for (size_t i = n; i > 0; i--) {
		double x = (double)(now - s->t->post[i - 1]) / s->t->per_ms / r->tau_minus;

		if (x > FAR)
			break;
		sum += fmath_exp(-x);
		if (r->pairing != KIT_ALL_TO_ALL)
			break;
	}
	return sum;
}

double kit_pair_follow(const struct kit_pair *r, double w, const struct kit_trains *t,
		       double *at_pre)
{
	struct progress s = { .t = t };

	while (s.n_pre < t->n_pre || s.n_post < t->n_post) {
		bool post = s.n_pre == t->n_pre ||
			    (s.n_post < t->n_post && t->post[s.n_post] <= t->pre[s.n_pre]);

		if (post) {
			w = changed(r, w, r->a_plus * sum_pre(r, &s));
			s.n_post++;
			s.used = s.n_pre;
		} else {
			w = changed(r, w, r->a_minus * sum_post(r, &s));
			if (at_pre)
				at_pre[s.n_pre] = w;
			s.n_pre++;
		}
		s.between = post;
	}
	return w;
}
