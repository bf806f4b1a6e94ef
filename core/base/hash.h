/* hash.h - 64-bit digest of what a run computed: equal digests prove equal spikes and weights. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_BASE_HASH_H
#define CORE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash {
	uint64_t state;
	uint64_t count; /* words taken in */
};

void hash_init(struct hash *h);
void hash_u64(struct hash *h, uint64_t word);
void hash_double(struct hash *h, double x); /* by its bits; -0.0 counts as 0.0 */
uint64_t hash_end(const struct hash *h);    /* h may go on */
uint64_t hash_bytes(const void *p, size_t n);

#endif
