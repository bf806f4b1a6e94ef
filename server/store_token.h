/* store_token.h - the table of access tokens. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_TOKEN_H
#define SERVER_STORE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "server/store.h"

struct store_once;

struct store_token {
	const char *id, *name, *sha256;
	const char *scopes; /* "read,run" */
	int64_t seq, created_ms;
	int64_t expires_ms, revoked_ms;		      /* 0: never, not */
	int64_t quota_runs, quota_sessions, quota_mb; /* 0: no limit */
	const struct store_once *once;		      /* of the request that adds it; NULL: none */
};

/* Whether there is, or ever was, a token. */
int store_token_any(struct store *s, bool *ret, struct err *err) MUST_USE;
/* Strings live in the arena. Errors: NOTFOUND. */
int store_token_get(struct store *s, const char *id, struct mem_arena *arena,
		    struct store_token *ret, struct err *err) MUST_USE;
/* At most n, newest first, below `seq` (INT64_MAX: from the start), into ret[n]. */
int store_token_list(struct store *s, int64_t seq, size_t n, struct mem_arena *arena,
		     struct store_token *ret, size_t *ret_n, struct err *err) MUST_USE;

/* Inside a write: name, scopes, expiry and quotas anew. Errors: NOTFOUND (revoked ones too). */
int store_token_change(struct store *s, const struct store_token *t, struct err *err) MUST_USE;
/* Transactions of their own. seq is ignored. */
int store_token_add(struct store *s, const struct store_token *t, struct err *err) MUST_USE;
/* Errors: NOTFOUND, also when it is revoked already. */
int store_token_revoke(struct store *s, const char *id, struct err *err) MUST_USE;

#endif
