/* npz.h - the .npz format (numpy): a zip of .npy files; written stored, read stored or deflated.
 *
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT; without zip64: a file ends below 4
 * GiB. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_NPZ_H
#define SERVER_NPZ_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/npy.h"

enum { NPZ_ENTRIES_MAX = 1024, NPZ_NAME_MAX = 64 };

/* A file being written. */
struct npz {
	struct buf *out;
	struct buf directory;
	size_t n, start;
	struct buf_gap *gaps;		/* NULL: the arrays are copied into out */
	size_t n_gaps, gaps_max, apart; /* apart: bytes in all gaps */
};

void npz_init(struct npz *z, struct buf *out);
/* The arrays stay where they are, and gaps[max] tells where each belongs: for a file that leaves in
 * pieces, without a copy. */
void npz_init_apart(struct npz *z, struct buf *out, struct buf_gap *gaps, size_t max);
/* One array as NAME.npy. Errors: NOMEM, LIMIT (out's maximum, as many as there are gaps, or 4 GiB). */
int npz_add(struct npz *z, const char *name, const struct npy_header *h, const void *data,
	    struct err *err) MUST_USE;
int npz_end(struct npz *z, struct err *err) MUST_USE; /* writes the directory */
void npz_release(struct npz *z);

/* An entry of a file read; name without folders and ending. */
struct npz_entry {
	char name[NPZ_NAME_MAX];
	const unsigned char *bytes; /* [n] the file, expanded into the arena if it was deflated */
	size_t n;
	bool wav; /* a .wav, not a .npy */
};

bool npz_is(const void *bytes, size_t n);
/* All entries that end in .npy or .wav, but for hidden ones, in the arena. `max` bounds the sum of
 * expanded bytes. Errors: CORRUPT, LIMIT, NOMEM. */
int npz_read(const void *bytes, size_t n, size_t max, struct mem_arena *arena,
	     struct npz_entry **ret, size_t *ret_n, struct err *err) MUST_USE;

#endif
