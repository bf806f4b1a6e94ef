/* sweep_plan.h - the grid of a sweep: axes, seeds, points counted from 0; pure.
 *
 * Seeds run fastest, then the last axis, the first axis slowest. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_SWEEP_PLAN_H
#define SERVER_SWEEP_PLAN_H

#include <jansson.h>
#include <stdint.h>

#include "core/base/err.h"

enum { SWEEP_AXES_MAX = 8, SWEEP_SEED_SIZE = 24 };

struct sweep_plan {
	json_t *spec;  /* before the axes are set */
	json_t *axes;  /* [{"path", "name", "values": [...]}] */
	json_t *seeds; /* ["1", ...], one at least */
};

/* From the texts of a sweep's row. Errors: NOMEM, CORRUPT. */
int sweep_plan_read(struct sweep_plan *p, const char *spec, const char *axes, const char *seeds,
		    struct err *err) MUST_USE;
void sweep_plan_release(struct sweep_plan *p);

size_t sweep_plan_axes(const struct sweep_plan *p);
json_t *sweep_plan_values(const struct sweep_plan *p, size_t axis); /* borrowed */
const char *sweep_plan_path(const struct sweep_plan *p, size_t axis);
const char *sweep_plan_name(const struct sweep_plan *p, size_t axis);
/* Points without seeds; `max` + 1 if there are more than max. */
int64_t sweep_plan_cells(const struct sweep_plan *p, int64_t max);
/* Which value of an axis, and which seed, a point has. */
size_t sweep_plan_index(const struct sweep_plan *p, int64_t point, size_t axis);
const char *sweep_plan_seed(const struct sweep_plan *p, int64_t point);
/* The spec of a point, new reference; NULL: no memory, or (with *ret_axis) that axis has no place in the
 * spec. */
json_t *sweep_plan_spec(const struct sweep_plan *p, int64_t point, size_t *ret_axis);
/* "tau_plus=20, A_plus=0.005, seed 3", cut to n - 1 bytes. */
void sweep_plan_label(const struct sweep_plan *p, int64_t point, char *text, size_t n);

/* The values of an axis as a list: a list of 1 to `max` different values as it is, or {"from", "to", "step"
 * or "count", "log"} spelt out; whole numbers where all ends and results are. Pointers of errors begin with
 * `at`. New reference, NULL with errors. */
json_t *sweep_plan_expand(json_t *values, size_t max, const char *at, struct err_list *errors);

#endif
