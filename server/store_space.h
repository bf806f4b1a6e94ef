/* store_space.h - how much room the database takes, and how much of it is whose. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_SPACE_H
#define SERVER_STORE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/store.h"

/* Bytes of the database's pages, and of those that are free. */
int store_space_pages(struct store *s, int64_t *ret_all, int64_t *ret_free,
		      struct err *err) MUST_USE;
/* Give up to 1000 free pages back to the file system; *ret_more: there are others. A transaction of its
 * own. Folders made before 0.4 keep their size: their free pages are only used again. */
int store_space_vacuum(struct store *s, bool *ret_more, struct err *err) MUST_USE;

/* What an owner has: runs that wait, sessions, bytes of results, checkpoints and data sets. */
int store_space_runs(struct store *s, const char *owner, int64_t *ret, struct err *err) MUST_USE;
int store_space_sessions(struct store *s, const char *owner, int64_t *ret,
			 struct err *err) MUST_USE;
int store_space_bytes(struct store *s, const char *owner, int64_t *ret, struct err *err) MUST_USE;
/* `used` reaches `max` (0: no limit): an error QUOTA that says so. */
int store_space_allow(const char *what, int64_t used, int64_t max, struct err *err) MUST_USE;

#endif
