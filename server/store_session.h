/* store_session.h - sessions and their checkpoints in SQLite. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_SESSION_H
#define SERVER_STORE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "server/store.h"

/* A row; strings live in the arena it was read into. NULL: none. */
struct store_session {
	const char *id;
	int64_t seq, version;
	const char *state; /* awake, parked, failed */
	const char *name, *owner, *preset, *parent;
	const char *spec; /* only for store_session_add */
	const char *spec_sha256, *seed;
	int64_t threads, created_ms, used_ms;
	int64_t owner_max; /* sessions its owner may have; 0: any number; for store_session_add */
	double t_ms;
	const char *error; /* JSON text */
	const char *trace; /* traceparent of the request that made it; NULL: none */
};

struct store_session_checkpoint {
	const char *id, *session_id;
	double t_ms;
	int64_t bytes, created_ms;
};

struct store_once;

/* Insert it as it is, but for seq, version and used_ms. A transaction of its own, in which the request's
 * key (NULL: none) gets the note. LIMIT: there are `max` already. */
int store_session_add(struct store *s, const struct store_session *row,
		      const struct store_once *once, const char *note, int64_t max,
		      struct err *err) MUST_USE;
/* Errors: NOTFOUND. */
int store_session_get(struct store *s, const char *id, struct mem_arena *arena,
		      struct store_session *ret, struct err *err) MUST_USE;
int store_session_spec(struct store *s, const char *id, struct mem_arena *arena, const char **ret,
		       struct err *err) MUST_USE;
/* At most n, newest first, below `seq` (INT64_MAX: from the start), in `state` (NULL: any), that `owner`
 * may see (NULL: all). */
int store_session_list(struct store *s, int64_t seq, const char *state, const char *owner, size_t n,
		       struct mem_arena *arena, struct store_session *ret, size_t *ret_n,
		       struct err *err) MUST_USE;
/* The state moves, each in a transaction of its own; t_ms NaN: as it was, error NULL: none. */
int store_session_state(struct store *s, const char *id, const char *state, double t_ms,
			const char *error, struct err *err) MUST_USE;
/* It is awake now. STATE: it has failed; NOTFOUND. */
int store_session_wake(struct store *s, const char *id, struct err *err) MUST_USE;
/* At start: nothing is awake. */
int store_session_sleep(struct store *s, struct err *err) MUST_USE;
/* `tell`: webhooks hear of it, as it was there for its owner. */
int store_session_drop(struct store *s, const char *id, bool tell, struct err *err) MUST_USE;

/* With the note of the request's key, as store_session_add; it is settled then. */
int store_session_checkpoint_add(struct store *s, const struct store_session_checkpoint *c,
				 const struct store_once *once, const char *note,
				 struct err *err) MUST_USE;
int store_session_checkpoint_get(struct store *s, const char *id, struct mem_arena *arena,
				 struct store_session_checkpoint *ret, struct err *err) MUST_USE;
/* All of a session, oldest first, in the arena. */
int store_session_checkpoint_list(struct store *s, const char *session, struct mem_arena *arena,
				  struct store_session_checkpoint **ret, size_t *ret_n,
				  struct err *err) MUST_USE;

#endif
