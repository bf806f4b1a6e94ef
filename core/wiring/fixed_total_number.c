/* fixed_total_number.c - so many synapses in all, each between a pair drawn uniformly.
 *
 * Without multapses the pairs are a uniform sample without replacement, found by going through all
 * of them once. Draws are keyed by the synapse's number. */
/* SPDX-License-Identifier: MIT */
#include "core/model/sample.h"
#include "core/model/wiring.h"

enum { N_SYNAPSES, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[N_SYNAPSES] = { "N", "Number of synapses in all.", UNIT_NONE, PARAM_INTEGER, 1, 0, 1e12,
			 PARAM_REQUIRED | PARAM_FIXED },
};

static double all_pairs(const struct wiring_ctx *c)
{
	return (double)c->n_source * (double)wiring_choices(c, c->n_target);
}

static int check(const struct wiring_ctx *c, struct err *err)
{
	double n = c->p[N_SYNAPSES], most = all_pairs(c);

	if (n > 0 && most == 0)
		return err_set(err, ERR_CONFLICT, "N",
			       "N must be 0 where there are no pairs, not %.15g", n);
	if (!c->multapses && (n > most || most > 0x1p53))
		return err_set(err, ERR_CONFLICT, "N",
			       "N must be at most %.15g without multapses, the pairs there are "
			       "(2^53 of them at most), not %.15g",
			       most, n);
	return 0;
}

static double expect(const struct wiring_ctx *c)
{
	return c->p[N_SYNAPSES];
}

struct pairs {
	const struct wiring_ctx *c;
	uint64_t n; /* choices of a target */
	wiring_emit_pair *emit;
	void *self;
};

static bool emit_at(void *self, uint64_t at)
{
	const struct pairs *x = self;
	uint32_t source = (uint32_t)(at / x->n);

	return x->emit(x->self, source, wiring_choice(x->c, source, at % x->n));
}

static void pairs(const struct wiring_ctx *c, wiring_emit_pair *emit, void *self)
{
	struct pairs x = { c, wiring_choices(c, c->n_target), emit, self };
	uint64_t n = (uint64_t)c->p[N_SYNAPSES];
	bool more = true;

	if (!c->multapses) {
		if (n > 0)
			sample_distinct(c->key, 0, n, c->n_source * x.n, emit_at, &x);
		return;
	}
	for (uint64_t k = 0; k < n && more; k++) {
		uint32_t source = (uint32_t)rng_below(c->key, k, 0, c->n_source);
		uint64_t at = rng_below(c->key, k, 1, x.n);

		more = emit(self, source, wiring_choice(c, source, at));
	}
}

const struct wiring_rule wiring_fixed_total_number = {
	.name = "fixed_total_number",
	.doc = "So many synapses in all, each between a pair drawn at random.",
	.cite = "",
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.expect = expect,
	.pairs = pairs,
};
