/* auth.h - access tokens: made, checked, and what each may do.
 *
 * A token is "stdpd_" and 64 hex digits: its id, by which its row is found, and 128 secret bits. Of
 * the whole only the SHA-256 is stored; it is compared in constant time. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "server/http.h"
#include "server/id.h"
#include "server/store_token.h"

enum { AUTH_SCOPE_N = 4, AUTH_TOKEN_SIZE = 6 + 64 + 1, AUTH_SCOPES_MAX = 64, AUTH_NAME_MAX = 100 };

/* The name of a scope, NULL behind the last: read, run, session, admin. */
const char *auth_scope(size_t i);
/* The bit of a scope by its name; 0: there is none. */
unsigned auth_scope_bit(const char *name);
/* "run,read" as bits, and in their own order as text; errors: UNKNOWN, MISSING. */
int auth_scopes(const char *text, char ret[AUTH_SCOPES_MAX], unsigned *ret_bits,
		struct err *err) MUST_USE;

/* Make one with the name, scopes, quotas and key of `want` and store it; days 0: for ever. Errors: RANGE
 * (name or days). */
int auth_new(struct store *s, const struct store_token *want, int64_t days,
	     char ret_token[AUTH_TOKEN_SIZE], char ret_id[ID_SIZE], struct err *err) MUST_USE;
/* Its last moment, or 0. */
int64_t auth_expiry(int64_t days);
/* Who asks. Without any token in the store: everybody, with all scopes. Errors: UNAUTHORIZED, also
 * for a token that was revoked or is too old. `text` may be NULL. */
int auth_who(struct store *s, const char *text, struct mem_arena *arena, struct http_who *ret,
	     struct err *err) MUST_USE;
/* Whether `who` may see what `owner` (NULL: nobody) has made. */
bool auth_sees(const struct http_who *who, const char *owner);

#endif
