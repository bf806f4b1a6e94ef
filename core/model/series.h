/* series.h - a value per neuron that changes at given times.
 *
 * A value given for time t holds from the step (t, t + dt] on; before the first it is 0. What has
 * been reached is a cursor in a column of state, so nothing depends on how a run is cut. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_SERIES_H
#define CORE_MODEL_SERIES_H

#include "core/model/neuron.h"

/* Whether some neuron may have a change in this step: where all share one list, the first knows. */
static inline bool series_due(const struct neuron_ctx *c, const double *cursor)
{
	const struct neuron_times *x = &c->times;
	uint64_t at;

	if (!x->offset || c->n == 0)
		return false;
	at = x->offset[0] + (uint64_t)cursor[0];
	return x->stride || (at < x->offset[1] && x->step[at] < c->step);
}

/* Bring *value of neuron i to this step; whether it was given anew. */
static inline bool series_next(const struct neuron_ctx *c, size_t i, double *cursor, double *value)
{
	const struct neuron_times *x = &c->times;
	uint64_t first = x->offset[i * x->stride], end = x->offset[i * x->stride + 1];
	uint64_t at = first + (uint64_t)cursor[i], from = at;

	while (at < end && x->step[at] < c->step)
		at++;
	if (at == from)
		return false;
	cursor[i] = (double)(at - first);
	*value = x->value[at - 1];
	return true;
}

#endif
