/* list.c - the pairs that are listed, in the order of the list. */
/* SPDX-License-Identifier: MIT */
#include "core/model/wiring.h"

static int check(const struct wiring_ctx *c, struct err *err)
{
	for (size_t i = 0; i < c->n_list; i++) {
		if (c->list_source[i] >= c->n_source)
			return err_set(err, ERR_RANGE, "sources",
				       "sources must be below %zu, not %u", c->n_source,
				       (unsigned)c->list_source[i]);
		if (c->list_target[i] >= c->n_target)
			return err_set(err, ERR_RANGE, "targets",
				       "targets must be below %zu, not %u", c->n_target,
				       (unsigned)c->list_target[i]);
	}
	return 0;
}

static double expect(const struct wiring_ctx *c)
{
	return (double)c->n_list;
}

/* First entry of the target or of a later one. */
static size_t first(const struct wiring_ctx *c, uint32_t target)
{
	size_t lo = 0, hi = c->n_list;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->list_target[mid] < target)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void sources(const struct wiring_ctx *c, uint32_t target, wiring_emit *emit, void *self)
{
	for (size_t i = first(c, target); i < c->n_list && c->list_target[i] == target; i++)
		emit(self, c->list_source[i]);
}

const struct wiring_rule wiring_list = {
	.name = "list",
	.doc = "The pairs of source and target that are listed.",
	.cite = "",
	.takes_list = true,
	.check = check,
	.expect = expect,
	.sources = sources,
};
