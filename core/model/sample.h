/* sample.h - uniform samples without replacement, as a pure function of (key, id). */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_SAMPLE_H
#define CORE_MODEL_SAMPLE_H

#include <stdbool.h>

#include "core/base/rng.h"

/* Called once per number drawn, in draw order; false: draw no more. */
typedef bool sample_emit(void *self, uint64_t at);

/* k different numbers below n; k <= n < 2^53. */
void sample_distinct(struct rng_key key, uint64_t id, uint64_t k, uint64_t n, sample_emit *emit,
		     void *self);

#endif
