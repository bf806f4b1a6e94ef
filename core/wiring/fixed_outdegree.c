/* fixed_outdegree.c - every source gets the same number of targets, drawn uniformly.
 *
 * With multapses each is drawn from all of them; without, the targets of a source are a uniform
 * sample without replacement. Draws are keyed by the source. */
/* SPDX-License-Identifier: MIT */
#include "core/model/sample.h"
#include "core/model/wiring.h"

enum { OUTDEGREE, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[OUTDEGREE] = { "outdegree", "Number of targets of every source.", UNIT_NONE, PARAM_INTEGER,
			1, 0, 4294967295.0, PARAM_REQUIRED | PARAM_FIXED },
};

static int check(const struct wiring_ctx *c, struct err *err)
{
	size_t most = wiring_choices(c, c->n_target);
	double outdegree = c->p[OUTDEGREE];

	if (outdegree > 0 && most == 0)
		return err_set(err, ERR_CONFLICT, "outdegree",
			       "outdegree must be 0 where there are no targets, not %.15g",
			       outdegree);
	if (!c->multapses && outdegree > (double)most)
		return err_set(err, ERR_CONFLICT, "outdegree",
			       "outdegree must be at most %zu without multapses, the targets "
			       "there are, not %.15g",
			       most, outdegree);
	return 0;
}

static double expect(const struct wiring_ctx *c)
{
	return c->p[OUTDEGREE] * (double)c->n_source;
}

struct targets {
	const struct wiring_ctx *c;
	uint32_t source;
	wiring_emit_pair *emit;
	void *self;
	bool ended;
};

static bool emit_target(void *self, uint64_t at)
{
	struct targets *t = self;

	t->ended = !t->emit(t->self, t->source, wiring_choice(t->c, t->source, at));
	return !t->ended;
}

static void targets(struct targets *t)
{
	const struct wiring_ctx *c = t->c;
	uint64_t k = (uint64_t)c->p[OUTDEGREE], n = wiring_choices(c, c->n_target);

	if (!c->multapses) {
		sample_distinct(c->key, t->source, k, n, emit_target, t);
		return;
	}
	for (uint64_t draw = 0; draw < k && !t->ended; draw++)
		(void)emit_target(t, rng_below(c->key, t->source, draw, n));
}

static void pairs(const struct wiring_ctx *c, wiring_emit_pair *emit, void *self)
{
	struct targets t = { .c = c, .emit = emit, .self = self };

	for (; t.source < c->n_source && !t.ended; t.source++)
		targets(&t);
}

const struct wiring_rule wiring_fixed_outdegree = {
	.name = "fixed_outdegree",
	.doc = "Every source gets the same number of targets, drawn at random.",
	.cite = "",
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.expect = expect,
	.pairs = pairs,
};
