/* column.h - a growing column on disk: headerless little-endian values in one file, appended in blocks. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_BASE_COLUMN_H
#define CORE_BASE_COLUMN_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/npy.h"

struct column;

/* Create DIR/FILE (truncated). width: values per row. Buffered (64 KiB). */
int column_open(struct column **ret, int dir_fd, const char *file, enum npy_type type,
		uint64_t width, struct err *err) MUST_USE;
/* The same, but what stands in the file stays, to be gone on from by column_restore. */
int column_keep(struct column **ret, int dir_fd, const char *file, enum npy_type type,
		uint64_t width, struct err *err) MUST_USE;
/* Go on behind row `rows`, whatever comes later in the file. A file with another name too (a hard link)
 * is somebody's past: it stays as it is, and the column goes on in a copy. Errors: CORRUPT (it has
 * less), IO, NOSPACE. */
int column_restore(struct column *c, uint64_t rows, struct err *err) MUST_USE;
/* Instead of what it has: the first `rows` rows of DIR/FILE. Errors: NOTFOUND, CORRUPT, IO, NOSPACE. */
int column_take(struct column *c, int dir_fd, const char *file, uint64_t rows,
		struct err *err) MUST_USE;
/* Go on in a copy, DIR/FILE (made anew), from now on; what stands at the old place stays, as long as it
 * was when it was flushed last. Errors: IO, NOSPACE. */
int column_move(struct column *c, int dir_fd, struct err *err) MUST_USE;
/* Append `rows` rows of the column's own type. Errors: IO, NOSPACE. */
int column_add(struct column *c, const void *values, uint64_t rows, struct err *err) MUST_USE;
uint64_t column_rows(const struct column *c); /* added so far */
/* Flush to the file (no fsync). */
int column_flush(struct column *c, struct err *err) MUST_USE;
/* Flush, and wait until the bytes are on the disk. */
int column_sync(struct column *c, struct err *err) MUST_USE;
/* Flush and free; c may be NULL. On error c is freed all the same. */
int column_close(struct column *c, struct err *err);

#endif
