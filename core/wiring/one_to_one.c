/* one_to_one.c - neuron i of the source with neuron i of the target. */
/* SPDX-License-Identifier: MIT */
#include "core/model/wiring.h"

static int check(const struct wiring_ctx *c, struct err *err)
{
	if (c->n_source == c->n_target)
		return 0;
	return err_set(
		err, ERR_CONFLICT, "",
		"one_to_one needs populations of equal size, not %zu sources and %zu targets",
		c->n_source, c->n_target);
}

static bool empty(const struct wiring_ctx *c)
{
	return c->same && !c->autapses;
}

static double expect(const struct wiring_ctx *c)
{
	return empty(c) ? 0 : (double)c->n_target;
}

static void sources(const struct wiring_ctx *c, uint32_t target, wiring_emit *emit, void *self)
{
	if (!empty(c))
		emit(self, target);
}

const struct wiring_rule wiring_one_to_one = {
	.name = "one_to_one",
	.doc = "Neuron i of the source with neuron i of the target.",
	.cite = "",
	.check = check,
	.expect = expect,
	.sources = sources,
};
