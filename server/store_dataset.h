/* store_dataset.h - the table of data sets. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_DATASET_H
#define SERVER_STORE_DATASET_H

#include <stdint.h>

#include "core/base/mem.h"
#include "server/store.h"

struct store_dataset {
	const char *id, *name, *kind, *sha256;
	int64_t seq, bytes, created_ms;
	const char *owner;  /* NULL: everybody's */
	const char *fields; /* JSON text: [{"name", "dtype", "shape", "text"?}] */
};

struct store_once;

/* Insert; d->seq is ignored. A transaction of its own, in which the request's key (NULL: none) notes the
 * id. */
int store_dataset_add(struct store *s, const struct store_dataset *d, const struct store_once *once,
		      struct err *err) MUST_USE;
/* Strings live in the arena. Errors: NOTFOUND. */
int store_dataset_get(struct store *s, const char *id, struct mem_arena *arena,
		      struct store_dataset *ret, struct err *err) MUST_USE;
/* At most *n, newest first, below `seq` (INT64_MAX: from the start), of `owner` (NULL: all) or nobody, into
 * ret[*n]; *n is how many there are. */
int store_dataset_list(struct store *s, int64_t seq, const char *owner, struct mem_arena *arena,
		       struct store_dataset *ret, size_t *n, struct err *err) MUST_USE;
/* Delete the row, unless a run that has not ended names it (STATE). Errors: NOTFOUND. */
int store_dataset_drop(struct store *s, const char *id, struct err *err) MUST_USE;

#endif
