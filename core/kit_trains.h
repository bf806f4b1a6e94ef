/* kit_trains.h - numbers of many spike trains: rate, irregularity, correlation. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_KIT_TRAINS_H
#define CORE_KIT_TRAINS_H

#include "core/base/mem.h"
#include "core/kit.h"

/* Mean rate of `neurons` in (from_ms, to_ms], Hz. */
double kit_trains_rate(const struct kit_spikes *k, double from_ms, double to_ms, size_t neurons);
/* Mean CV of the intervals after from_ms, over the neurons with at least 5 spikes; NaN: none. */
int kit_trains_cv(const struct kit_spikes *k, double from_ms, size_t neurons,
		  struct mem_arena *arena, double *ret, struct err *err) MUST_USE;
/* Mean correlation of spike counts in 50 ms over up to 200 pairs of neighbours by number. */
int kit_trains_correlation(const struct kit_spikes *k, double from_ms, double to_ms, size_t neurons,
			   struct mem_arena *arena, double *ret, struct err *err) MUST_USE;

#endif
