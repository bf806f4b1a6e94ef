/* pairwise_bernoulli.c - every pair of source and target with the same probability,
 * independently.
 *
 * The sources left out between two drawn ones are geometrically distributed: one draw each, so
 * the cost is that of the synapses there are. */
/* SPDX-License-Identifier: MIT */
#include "core/base/fmath.h"
#include "core/model/wiring.h"

enum { P, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[P] = { "p", "Probability of each pair.", UNIT_NONE, PARAM_NUMBER, 0.1, 0, 1,
		PARAM_REQUIRED | PARAM_FIXED },
};

static int check(const struct wiring_ctx *c, struct err *err)
{
	(void)c;
	(void)err;
	return 0;
}

static double expect(const struct wiring_ctx *c)
{
	double n = (double)c->n_source - (c->same && !c->autapses ? 1 : 0);

	return c->p[P] * n * (double)c->n_target;
}

static void sources(const struct wiring_ctx *c, uint32_t target, wiring_emit *emit, void *self)
{
	double rate = -fmath_log1p(-c->p[P]); /* infinite for p = 1: nothing is left out */
	double at = -1, n = (double)c->n_source;
	bool skip = c->same && !c->autapses;

	if (!(rate > 0))
		return;
	for (uint64_t draw = 0;; draw++) {
		at += 1 + floor(rng_exponential(c->key, target, draw) / rate);
		if (!(at < n))
			return;
		if (!skip || (uint32_t)at != target)
			emit(self, (uint32_t)at);
	}
}

const struct wiring_rule wiring_pairwise_bernoulli = {
	.name = "pairwise_bernoulli",
	.doc = "Every pair with the same probability, independently.",
	.cite = "",
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.expect = expect,
	.sources = sources,
};
