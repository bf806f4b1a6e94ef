/* pack.h - state to a file and back: one walk, field by field, serves both directions.
 *
 * Whoever owns state writes one function of pack_ calls; saving and loading cannot drift apart.
 * Values lie little-endian, each call padded to 8 bytes. After the first failure every call does
 * nothing and the failure stays, so a walk may check once, but before it uses what it loaded.
 * Loading never reads more than was promised and never asks for memory that the rest of the file
 * could not fill. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_BASE_PACK_H
#define CORE_BASE_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/hash.h"

enum { PACK_BUFFER = 1 << 16 };

struct pack {
	bool loading;
	int fd, rc;
	size_t at, n;	  /* in the buffer: next byte, end of what was read */
	uint64_t bytes;	  /* saving: written so far; loading: not yet taken from the file */
	struct hash hash; /* of all words written */
	struct err err;	  /* of the failure */
	unsigned char buffer[PACK_BUFFER];
};

/* fd stands where the state is to begin. Loading: `bytes` (a multiple of 8) belong to it. */
void pack_save(struct pack *p, int fd);
void pack_load(struct pack *p, int fd, uint64_t bytes);
/* The end: all written, or all read. Returns 0 or -code, with the failure in err. */
int pack_end(struct pack *p, struct err *err) MUST_USE;

/* n values of `size` bytes. */
int pack_bytes(struct pack *p, void *at, size_t n, size_t size);
int pack_u64(struct pack *p, uint64_t *x);
int pack_f64(struct pack *p, double *x);
/* A number that must lie in [min, max]. */
int pack_i64(struct pack *p, int64_t *x, int64_t min, int64_t max, const char *what);
/* A length: items of `size` bytes follow, and when loading the file must hold that many. */
int pack_size(struct pack *p, size_t *n, size_t size, const char *what);
/* A number that both sides know: loading compares. */
int pack_same(struct pack *p, uint64_t x, const char *what);
/* What was loaded makes no sense (CORRUPT). */
int pack_wrong(struct pack *p, const char *what);
int pack_nomem(struct pack *p);

#endif
