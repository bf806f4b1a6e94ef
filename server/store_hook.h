/* store_hook.h - webhooks and their outbox.
 *
 * A delivery is added by the transaction of the change that it tells of, so that neither is without the
 * other; it goes when it was made or given up, the last 1000 of a webhook stay to be looked at. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_HOOK_H
#define SERVER_STORE_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "server/store.h"

struct store_once;

struct store_hook {
	const char *id, *owner, *name, *url, *secret; /* owner NULL: everybody's */
	const char *events;			      /* JSON list of patterns */
	int64_t seq, created_ms;
	bool active;
};

struct store_delivery {
	const char *id, *hook_id, *event, *body, *state;
	const char *error;					      /* NULL: none */
	int64_t seq, created_ms, next_ms, ended_ms, attempts, status; /* 0: none */
	double duration_ms;
	const char *trace;	  /* traceparent to go with it; NULL: none */
	const char *url, *secret; /* of those that are due */
};

/* Strings live in the arena. Errors: NOTFOUND. */
int store_hook_get(struct store *s, const char *id, struct mem_arena *arena, struct store_hook *ret,
		   struct err *err) MUST_USE;
/* At most n, newest first, below `seq`, that `owner` sees (NULL: all), into ret[n]. */
int store_hook_list(struct store *s, int64_t seq, const char *owner, size_t n,
		    struct mem_arena *arena, struct store_hook *ret, size_t *ret_n,
		    struct err *err) MUST_USE;
/* Transactions of their own; `once`: see store_once_made. LIMIT when there are `max`. */
int store_hook_add(struct store *s, const struct store_hook *h, const struct store_once *once,
		   int64_t max, struct err *err) MUST_USE;
int store_hook_drop(struct store *s, const char *id, struct err *err) MUST_USE;
/* A delivery that tells of nothing, with this id and traceparent (NULL: none). */
int store_hook_test(struct store *s, const char *id, const char *delivery, const char *trace,
		    const struct store_once *once, struct err *err) MUST_USE;

enum store_hook_kind { STORE_HOOK_RUN, STORE_HOOK_SESSION, STORE_HOOK_SWEEP };

/* Inside a write: name, url, events, active anew. */
int store_hook_change(struct store *s, const struct store_hook *h, struct err *err) MUST_USE;
/* Inside a write: all that want to hear that something ended in this state ("run.succeeded") will. Its row
 * stands as it is to be told. */
int store_hook_tell(struct store *s, enum store_hook_kind kind, const char *id, const char *state,
		    struct err *err) MUST_USE;

/* Deliveries of a webhook as in store_hook_list; `state` NULL: any. */
int store_hook_deliveries(struct store *s, const char *id, int64_t seq, const char *state, size_t n,
			  struct mem_arena *arena, struct store_delivery *ret, size_t *ret_n,
			  struct err *err) MUST_USE;
int store_hook_delivery(struct store *s, const char *id, struct mem_arena *arena,
			struct store_delivery *ret, struct err *err) MUST_USE;
/* Those to be made at `now`, at most per_hook of each webhook: with next_ms up to now, or beyond `far`. */
struct store_hook_due {
	int64_t now_ms, far_ms;
	int64_t per_hook;
	size_t n; /* room */
};
int store_hook_due(struct store *s, const struct store_hook_due *due, struct mem_arena *arena,
		   struct store_delivery *ret, size_t *ret_n, struct err *err) MUST_USE;
/* When the next is after `now_ms`; 0: none. */
int store_hook_next(struct store *s, int64_t now_ms, int64_t *ret, struct err *err) MUST_USE;
/* An attempt was made: state, next_ms (0: none follows), status, duration_ms, error of d. */
int store_hook_tried(struct store *s, const struct store_delivery *d, struct err *err) MUST_USE;

#endif
