/* all_to_all.c - every source with every target. */
/* SPDX-License-Identifier: MIT */
#include "core/model/wiring.h"

static int check(const struct wiring_ctx *c, struct err *err)
{
	(void)c;
	(void)err;
	return 0;
}

static bool skips_self(const struct wiring_ctx *c)
{
	return c->same && !c->autapses;
}

static double expect(const struct wiring_ctx *c)
{
	return (double)c->n_target * (double)(c->n_source - skips_self(c));
}

static void sources(const struct wiring_ctx *c, uint32_t target, wiring_emit *emit, void *self)
{
	bool skip = skips_self(c);

	for (uint32_t i = 0; i < c->n_source; i++)
		if (!skip || i != target)
			emit(self, i);
}

const struct wiring_rule wiring_all_to_all = {
	.name = "all_to_all",
	.doc = "Every source with every target.",
	.cite = "",
	.check = check,
	.expect = expect,
	.sources = sources,
};
