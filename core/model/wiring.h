/* wiring.h - who is connected with whom: a const descriptor and one function.
 *
 * A rule yields, target by target, the sources of that target in draw order. Draws are keyed by the
 * target, so any part of the targets can be wired alone. A rule whose numbers belong to the sources
 * or to the whole yields all pairs instead, which are then sorted by target once for all parts. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_WIRING_H
#define CORE_MODEL_WIRING_H

#include <stdint.h>

#include "core/base/rng.h"
#include "core/model/param.h"

enum { WIRING_PARAMS_MAX = 6 };

struct wiring_ctx {
	size_t n_source, n_target;
	bool same; /* source and target are the same population */
	bool autapses, multapses;
	const double *p;    /* [n_params] */
	struct rng_key key; /* of this projection */
	const uint32_t
		*list_source; /* [n_list]: rule `list` only, sorted by (target, source, position) */
	const uint32_t *list_target;
	size_t n_list;
};

/* Called once per source drawn. */
typedef void wiring_emit(void *self, uint32_t source);
/* Called once per pair drawn; false: draw no more. */
typedef bool wiring_emit_pair(void *self, uint32_t source, uint32_t target);

/* Choices of a source where a target is given, and the other way round: the neuron itself is none
 * where autapses are not wanted. */
static inline size_t wiring_choices(const struct wiring_ctx *c, size_t n)
{
	return n - (c->same && !c->autapses && n > 0);
}

static inline uint32_t wiring_choice(const struct wiring_ctx *c, uint32_t of, uint64_t at)
{
	return (uint32_t)(at + (c->same && !c->autapses && at >= of));
}

struct wiring_rule {
	const char *name, *doc, *cite;
	const struct param_def *params;
	size_t n_params;
	bool takes_list; /* "sources" and "targets" arrays */
	/* Conditions on sizes (one_to_one: equal sizes; indegree <= sources when multapses are
	 * off): path = parameter or "". */
	int (*check)(const struct wiring_ctx *c, struct err *err);
	/* Expected number of synapses, for the estimate. */
	double (*expect)(const struct wiring_ctx *c);
	/* One of the two: emit the sources of one target, or all pairs, in draw order. */
	void (*sources)(const struct wiring_ctx *c, uint32_t target, wiring_emit *emit, void *self);
	void (*pairs)(const struct wiring_ctx *c, wiring_emit_pair *emit, void *self);
};

// clang-format off
#define WIRING_RULES(X) \
	X(one_to_one) X(all_to_all) X(fixed_indegree) X(fixed_outdegree) X(fixed_total_number) \
	X(pairwise_bernoulli) X(list)
// clang-format on

#define X(name) extern const struct wiring_rule wiring_##name;
WIRING_RULES(X)
#undef X

extern const struct wiring_rule *const wiring_rules[]; /* ends with NULL */
const struct wiring_rule *wiring_find(const char *name);

#endif
