/* net_pairs.c - the synapses of a rule that draws all pairs, sorted by (target, draw). */
/* SPDX-License-Identifier: MIT */
#include "core/net.h"

enum { LOOK_EVERY = 4096 };

/* Pairs in draw order. */
struct drawn {
	struct net *net;
	uint32_t *source, *target;
	size_t n, cap;
	struct err *err;
	int rc;
};

static int grow(struct drawn *d)
{
	size_t cap = d->cap ? d->cap * 2 : 4096;
	uint32_t *source = mem_resize(d->source, cap, sizeof(*source));
	uint32_t *target;

	if (!source)
		return err_nomem(d->err);
	d->source = source;
	target = mem_resize(d->target, cap, sizeof(*target));
	if (!target)
		return err_nomem(d->err);
	d->target = target;
	d->cap = cap;
	return 0;
}

static bool take(void *self, uint32_t source, uint32_t target)
{
	struct drawn *d = self;

	if (d->n == d->cap)
		d->rc = grow(d);
	if (!d->rc && d->n % LOOK_EVERY == 0)
		d->rc = net_look(d->net, LOOK_EVERY, d->err);
	if (d->rc)
		return false;
	d->source[d->n] = source;
	d->target[d->n++] = target;
	return true;
}

/* Counting sort, which keeps the order of draws of each target. */
static int sort(const struct drawn *d, size_t n_target, struct net_pairs *ret)
{
	ret->first = mem_alloc(n_target + 1, sizeof(*ret->first));
	ret->source = mem_alloc(d->n + 1, sizeof(*ret->source));
	if (!ret->first || !ret->source)
		return err_nomem(d->err);
	for (size_t i = 0; i < d->n; i++)
		ret->first[d->target[i] + 1]++;
	for (size_t j = 0; j < n_target; j++)
		ret->first[j + 1] += ret->first[j];
	for (size_t i = 0; i < d->n; i++)
		ret->source[ret->first[d->target[i]]++] = d->source[i];
	for (size_t j = n_target; j > 0; j--)
		ret->first[j] = ret->first[j - 1];
	ret->first[0] = 0;
	return 0;
}

int net_pairs_draw(struct net *net, const struct wiring_rule *rule, const struct wiring_ctx *c,
		   struct net_pairs *ret, struct err *err)
{
	struct drawn d = { .net = net, .err = err };

	rule->pairs(c, take, &d);
	if (!d.rc)
		d.rc = sort(&d, c->n_target, ret);
	if (d.rc)
		net_pairs_free(ret);
	mem_free(d.source);
	mem_free(d.target);
	return d.rc;
}

void net_pairs_free(struct net_pairs *p)
{
	mem_free(p->first);
	mem_free(p->source);
	*p = (struct net_pairs){ 0 };
}
