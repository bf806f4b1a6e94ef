/* fixed_indegree.c - every target gets the same number of sources, drawn uniformly.
 *
 * With multapses each is drawn from all of them; without, the sources of a target are a uniform
 * sample without replacement. */
/* SPDX-License-Identifier: MIT */
#include "core/model/sample.h"
#include "core/model/wiring.h"

enum { INDEGREE, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[INDEGREE] = { "indegree", "Number of sources of every target.", UNIT_NONE, PARAM_INTEGER,
		       1, 0, 4294967295.0, PARAM_REQUIRED | PARAM_FIXED },
};

static int check(const struct wiring_ctx *c, struct err *err)
{
	size_t most = wiring_choices(c, c->n_source);
	double indegree = c->p[INDEGREE];

	if (indegree > 0 && most == 0)
		return err_set(err, ERR_CONFLICT, "indegree",
			       "indegree must be 0 where there are no sources, not %.15g",
			       indegree);
	if (!c->multapses && indegree > (double)most)
		return err_set(err, ERR_CONFLICT, "indegree",
			       "indegree must be at most %zu without multapses, the sources "
			       "there are, not %.15g",
			       most, indegree);
	return 0;
}

static double expect(const struct wiring_ctx *c)
{
	return c->p[INDEGREE] * (double)c->n_target;
}

struct sources {
	const struct wiring_ctx *c;
	uint32_t target;
	wiring_emit *emit;
	void *self;
};

static bool emit_source(void *self, uint64_t at)
{
	const struct sources *s = self;

	s->emit(s->self, wiring_choice(s->c, s->target, at));
	return true;
}

static void sources(const struct wiring_ctx *c, uint32_t target, wiring_emit *emit, void *self)
{
	uint64_t k = (uint64_t)c->p[INDEGREE], n = wiring_choices(c, c->n_source);
	struct sources s = { c, target, emit, self };

	if (!c->multapses) {
		sample_distinct(c->key, target, k, n, emit_source, &s);
		return;
	}
	for (uint64_t draw = 0; draw < k; draw++)
		(void)emit_source(&s, rng_below(c->key, target, draw, n));
}

const struct wiring_rule wiring_fixed_indegree = {
	.name = "fixed_indegree",
	.doc = "Every target gets the same number of sources, drawn at random.",
	.cite = "",
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.expect = expect,
	.sources = sources,
};
