/* coef.h - coefficients that are the same for all neurons, copied to where a loop can keep them.
 *
 * In a loop over neurons a compiler may move what only some neurons need under a condition; it cannot
 * vectorise that with reads of a place that stays the same, as it does not know what else stands
 * there. It does know a copy. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_COEF_H
#define CORE_MODEL_COEF_H

#include "core/model/neuron.h"

/* The context with its coefficients (stride 0) in `ret_same` [n], where that helps. */
static inline ALWAYS_INLINE struct neuron_ctx coef_same(const struct neuron_ctx *c, size_t n,
							double *ret_same)
{
	struct neuron_ctx copy = *c;

#pragma GCC unroll 32
	for (size_t k = 0; COPY_SAME && k < n; k++) {
		ret_same[k] = c->coef[k][0];
		copy.coef[k] = &ret_same[k];
	}
	return copy;
}

#endif
