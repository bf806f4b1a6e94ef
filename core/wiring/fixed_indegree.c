/* fixed_indegree.c - every target gets the same number of sources, drawn uniformly.
 *
 * With multapses each is drawn from all of them; without, the sources of a target are a uniform
 * sample without replacement: by drawing again what was drawn before while that is rare, else
 * by going through the sources once (Fan, Muller, Rezucha 1962; Vitter 1984, method A). */
/* SPDX-License-Identifier: MIT */
#include "core/model/wiring.h"

enum { INDEGREE, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[INDEGREE] = { "indegree", "Number of sources of every target.", UNIT_NONE, PARAM_INTEGER,
		       1, 0, 4294967295.0, PARAM_REQUIRED | PARAM_FIXED },
};

/* Open addressing on the stack; never more than half full. */
enum { TABLE = 8192, TABLE_BITS = 13 };

static size_t available(const struct wiring_ctx *c)
{
	return c->n_source - (c->same && !c->autapses && c->n_source > 0);
}

static int check(const struct wiring_ctx *c, struct err *err)
{
	size_t most = available(c);
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

/* Draw `at` of the allowed sources: the target itself is left out where autapses are. */
static uint32_t source(const struct wiring_ctx *c, uint32_t target, uint64_t at)
{
	if (c->same && !c->autapses && at >= target)
		at++;
	return (uint32_t)at;
}

/* Whether `value` is new to the table; it is in it afterwards. */
static bool table_add(uint32_t *table, uint32_t value)
{
	uint32_t at = (value * 2654435769u) >> (32 - TABLE_BITS);

	for (; table[at]; at = (at + 1) % TABLE)
		if (table[at] == value + 1)
			return false;
	table[at] = value + 1;
	return true;
}

static void draw_again(const struct wiring_ctx *c, uint32_t target, uint64_t k, wiring_emit *emit,
		       void *self)
{
	uint32_t table[TABLE] = { 0 }; /* value + 1, 0 is empty */
	size_t n = available(c);

	for (uint64_t draw = 0; k > 0; draw++) {
		uint64_t at = rng_below(c->key, target, draw, n);

		if (!table_add(table, (uint32_t)at))
			continue;
		emit(self, source(c, target, at));
		k--;
	}
}

/* Each time jump over as many as a uniform number says: P(skip >= s) = prod_i (n - k - i) / (n
 * - i). */
static void go_through(const struct wiring_ctx *c, uint32_t target, uint64_t k, wiring_emit *emit,
		       void *self)
{
	uint64_t at = 0, n = available(c); /* n: not yet passed */

	for (uint64_t draw = 0; k > 0; draw++, k--) {
		double u = rng_uniform(c->key, target, draw);
		double more = (double)(n - k) / (double)n;

		while (more > u && n > k) {
			n--;
			at++;
			more *= (double)(n - k) / (double)n;
		}
		emit(self, source(c, target, at));
		at++;
		n--;
	}
}

static void sources(const struct wiring_ctx *c, uint32_t target, wiring_emit *emit, void *self)
{
	uint64_t k = (uint64_t)c->p[INDEGREE], n = available(c);

	if (!c->multapses) {
		if (k <= TABLE / 2 && k <= n / 2)
			draw_again(c, target, k, emit, self);
		else
			go_through(c, target, k, emit, self);
		return;
	}
	for (uint64_t draw = 0; draw < k; draw++)
		emit(self, source(c, target, rng_below(c->key, target, draw, n)));
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
