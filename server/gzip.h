/* gzip.h - deflate, thin over zlib: everything expanded has a maximum. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_GZIP_H
#define SERVER_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

/* Do the bytes begin as a gzip file? */
bool gzip_is(const void *bytes, size_t n);
/* Expand a gzip file, all its members, behind what `out` holds; out's own maximum is the limit.
 * Errors: CORRUPT, LIMIT, NOMEM. */
int gzip_expand(struct buf *out, const void *bytes, size_t n, struct err *err) MUST_USE;
/* Expand a raw deflate stream (an entry of a zip) to exactly `size` bytes. */
int gzip_inflate(void *ret, size_t size, const void *bytes, size_t n, struct err *err) MUST_USE;
/* Compress behind what `out` holds, as a gzip file: fast rather than small. Errors: LIMIT, NOMEM. */
int gzip_pack(struct buf *out, const void *bytes, size_t n, struct err *err) MUST_USE;
/* CRC-32 as gzip and zip have it, of n more bytes; 0 before the first. */
uint32_t gzip_crc(uint32_t crc, const void *bytes, size_t n);

#endif
