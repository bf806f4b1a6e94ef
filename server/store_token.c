/* store_token.c - queries on access tokens. */
/* SPDX-License-Identifier: MIT */
#include "server/store_token.h"

#include "server/clock.h"
#include "server/store_db.h"
#include "server/store_once.h"
#include "server/store_sql.h"

int store_token_any(struct store *s, bool *ret, struct err *err)
{
	int64_t any = 0;
	int rc = store_number(s, SQL_TOKEN_ANY, &any, err, "");

	*ret = any != 0;
	return rc;
}

static int take(struct store_stmt *q, struct mem_arena *arena, void *row, struct err *err)
{
	struct store_token *ret = row;
	*ret = (struct store_token){
		.id = mem_arena_strdup(arena, store_text(q, 0)),
		.seq = store_int(q, 1),
		.name = mem_arena_strdup(arena, store_text(q, 2)),
		.sha256 = mem_arena_strdup(arena, store_text(q, 3)),
		.scopes = mem_arena_strdup(arena, store_text(q, 4)),
		.created_ms = store_int(q, 5),
		.expires_ms = store_int(q, 6),
		.revoked_ms = store_int(q, 7),
		.quota_runs = store_int(q, 8),
		.quota_sessions = store_int(q, 9),
		.quota_mb = store_int(q, 10),
	};
	return ret->id && ret->name && ret->sha256 && ret->scopes ? 0 : err_nomem(err);
}

static int missing(const char *id, struct err *err)
{
	return err_set(err, ERR_NOTFOUND, NULL, "there is no token %.40s", id);
}

int store_token_get(struct store *s, const char *id, struct mem_arena *arena,
		    struct store_token *ret, struct err *err)
{
	struct store_rows rows;
	int rc;

	*ret = (struct store_token){ 0 };
	rows = (struct store_rows){ take, arena, ret, sizeof(*ret), 1 };
	rc = store_read(s, SQL_TOKEN_GET, &rows, err, "t", id);
	return rc || rows.n ? rc : missing(id, err);
}

int store_token_list(struct store *s, int64_t seq, size_t n, struct mem_arena *arena,
		     struct store_token *ret, size_t *ret_n, struct err *err)
{
	struct store_rows rows = { take, arena, ret, sizeof(*ret), n };
	int rc = store_read(s, SQL_TOKEN_LIST, &rows, err, "ii", seq, (int64_t)n);

	if (!rc)
		*ret_n = rows.n;
	return rc;
}

/* ---- writing ---- */

int store_token_add(struct store *s, const struct store_token *t, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = store_exec(s, SQL_TOKEN_ADD, err, "ttttiiiii", t->id, t->name, t->sha256, t->scopes,
			t->created_ms, t->expires_ms, t->quota_runs, t->quota_sessions,
			t->quota_mb);
	if (!rc)
		rc = store_once_made(s, t->once, t->id, true, err);
	return store_conclude(s, rc, err);
}

int store_token_change(struct store *s, const struct store_token *t, struct err *err)
{
	int rc = store_exec(s, SQL_TOKEN_CHANGE, err, "tttiiii", t->id, t->name, t->scopes,
			    t->expires_ms, t->quota_runs, t->quota_sessions, t->quota_mb);
	return !rc && store_changes(s) != 1 ? missing(t->id, err) : rc;
}

int store_token_revoke(struct store *s, const char *id, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = store_exec(s, SQL_TOKEN_REVOKE, err, "ti", id, clock_wall_ms());
	if (!rc && store_changes(s) != 1)
		rc = missing(id, err);
	return store_conclude(s, rc, err);
}
