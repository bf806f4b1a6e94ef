/* sim_many.h - independent jobs (whole simulations) side by side on a few threads. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_SIM_MANY_H
#define CORE_SIM_MANY_H

#include <stddef.h>

/* job(self, i) for every i < n, on at most `threads` threads of which the caller's is one; back when
 * all are done. Jobs write only what is their own, or what they hold the lock for. Fewer threads than
 * asked for are no error. */
void sim_many(size_t n, unsigned threads, void (*job)(void *self, size_t i), void *self);
/* One lock for all, short: what jobs share. */
void sim_many_lock(void);
void sim_many_unlock(void);

#endif
