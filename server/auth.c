/* auth.c - tokens. */
/* SPDX-License-Identifier: MIT */
#include "server/auth.h"

#include <stdio.h>
#include <string.h>

#include "server/clock.h"
#include "server/crypt.h"

enum { DAYS_MAX = 36500 };

static const char prefix[] = "stdpd_";
static const char *const scopes_known[AUTH_SCOPE_N] = { "read", "run", "session", "admin" };
static const int64_t DAY_MS = 24 * 3600 * (int64_t)1000;

/* ---- scopes ---- */

const char *auth_scope(size_t i)
{
	return i < AUTH_SCOPE_N ? scopes_known[i] : NULL;
}

static unsigned bit_of(const char *name, size_t n)
{
	for (unsigned i = 0; i < AUTH_SCOPE_N; i++)
		if (strlen(scopes_known[i]) == n && strncmp(scopes_known[i], name, n) == 0)
			return 1U << i;
	return 0;
}

unsigned auth_scope_bit(const char *name)
{
	return bit_of(name, strlen(name));
}

int auth_scopes(const char *text, char ret[AUTH_SCOPES_MAX], unsigned *ret_bits, struct err *err)
{
	unsigned bits = 0;

	for (const char *at = text; *at;) {
		size_t n = strcspn(at, ",");
		unsigned bit = bit_of(at, n);

		if (!bit)
			return err_set(err, ERR_UNKNOWN, NULL,
				       "expected scopes among read, run, session, admin, found "
				       "\"%.*s\"",
				       (int)(n < 40 ? n : 40), at);
		bits |= bit;
		at += n + (at[n] == ',');
	}
	if (!bits)
		return err_set(err, ERR_MISSING, NULL,
			       "expected one scope or more of read, run, session, admin");
	ret[0] = '\0';
	for (unsigned i = 0; i < AUTH_SCOPE_N; i++)
		if (bits & 1U << i)
			(void)snprintf(ret + strlen(ret), AUTH_SCOPES_MAX - strlen(ret), "%s%s",
				       *ret ? "," : "", scopes_known[i]);
	*ret_bits = bits;
	return 0;
}

/* ---- making ---- */

int64_t auth_expiry(int64_t days)
{
	return days ? clock_wall_ms() + days * DAY_MS : 0;
}

int auth_new(struct store *s, const struct store_token *want, int64_t days,
	     char ret_token[AUTH_TOKEN_SIZE], char ret_id[ID_SIZE], struct err *err)
{
	char secret[ID_SIZE], sha256[CRYPT_HEX_SIZE], ordered[AUTH_SCOPES_MAX];
	unsigned bits;
	int rc = auth_scopes(want->scopes, ordered, &bits, err);
	size_t n = strlen(want->name);

	if (rc)
		return rc;
	if (n == 0 || n > AUTH_NAME_MAX || strcspn(want->name, "\n\r\t") != n)
		return err_set(err, ERR_RANGE, NULL, "expected a name of 1 to %d bytes in one line",
			       AUTH_NAME_MAX);
	if (days < 0 || days > DAYS_MAX)
		return err_set(err, ERR_RANGE, NULL, "expected 1 to %d days", DAYS_MAX);
	id_new(ret_id);
	id_new(secret);
	(void)snprintf(ret_token, AUTH_TOKEN_SIZE, "%s%s%s", prefix, ret_id, secret);
	if (!crypt_sha256(ret_token, strlen(ret_token), sha256))
		return err_nomem(err);
	const struct store_token t = {
		.id = ret_id,
		.name = want->name,
		.sha256 = sha256,
		.scopes = ordered,
		.created_ms = clock_wall_ms(),
		.expires_ms = auth_expiry(days),
		.quota_runs = want->quota_runs,
		.quota_sessions = want->quota_sessions,
		.quota_mb = want->quota_mb,
		.once = want->once,
	};
	return store_token_add(s, &t, err);
}

/* ---- checking ---- */

/* The id in a token; false: this is none. */
static bool id_of(const char *text, char id[ID_SIZE])
{
	size_t n = sizeof(prefix) - 1;

	if (strlen(text) != AUTH_TOKEN_SIZE - 1 || strncmp(text, prefix, n) != 0)
		return false;
	(void)snprintf(id, ID_SIZE, "%.*s", ID_LEN, text + n);
	return id_valid(id) && id_valid(text + n + ID_LEN);
}

static int refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_UNAUTHORIZED, NULL, "%s", why);
}

static int check(struct store *s, const char *text, struct mem_arena *arena, struct http_who *ret,
		 struct err *err)
{
	char id[ID_SIZE], sha256[CRYPT_HEX_SIZE], ordered[AUTH_SCOPES_MAX];
	struct store_token t;
	unsigned bits = 0;
	int rc;

	if (!id_of(text, id))
		return refuse(err, "this is no access token of this server");
	rc = store_token_get(s, id, arena, &t, err);
	if (rc == -ERR_NOTFOUND)
		return refuse(err, "this is no access token of this server");
	if (rc)
		return rc;
	if (!crypt_sha256(text, strlen(text), sha256))
		return err_nomem(err);
	if (strlen(t.sha256) != CRYPT_HEX_SIZE - 1 ||
	    !crypt_equal(t.sha256, sha256, CRYPT_HEX_SIZE - 1))
		return refuse(err, "this is no access token of this server");
	if (t.revoked_ms)
		return refuse(err, "this access token was revoked");
	if (t.expires_ms && t.expires_ms <= clock_wall_ms())
		return refuse(err, "this access token has expired");
	rc = auth_scopes(t.scopes, ordered, &bits, err);
	if (rc)
		return rc;
	*ret = (struct http_who){ .name = t.name,
				  .token_id = t.id,
				  .scopes = bits,
				  .expires_ms = t.expires_ms,
				  .quota_runs = t.quota_runs,
				  .quota_sessions = t.quota_sessions,
				  .quota_mb = t.quota_mb,
				  .sees_all = (bits & auth_scope_bit("admin")) != 0 };
	return 0;
}

int auth_who(struct store *s, const char *text, struct mem_arena *arena, struct http_who *ret,
	     struct err *err)
{
	bool any = false;
	int rc = store_token_any(s, &any, err);

	if (rc)
		return rc;
	if (!any) {
		*ret = (struct http_who){ .scopes = (1U << AUTH_SCOPE_N) - 1, .sees_all = true };
		return 0;
	}
	if (!text)
		return refuse(err, "expected an access token: Authorization: Bearer TOKEN");
	return check(s, text, arena, ret, err);
}

bool auth_sees(const struct http_who *who, const char *owner)
{
	return who->sees_all || !owner || (who->name && strcmp(who->name, owner) == 0);
}
