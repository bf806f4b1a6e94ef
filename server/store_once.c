/* store_once.c - queries on Idempotency-Keys. */
/* SPDX-License-Identifier: MIT */
#include "server/store_once.h"

#include <string.h>

#include "server/clock.h"
#include "server/store_db.h"
#include "server/store_sql.h"

static const int64_t DAY_MS = 24 * 3600 * (int64_t)1000;

/* ---- reading ---- */

/* In the order of ONCE_GET, behind the hash. */
static int take(struct store_stmt *q, struct mem_arena *arena, struct store_once_row *ret,
		struct err *err)
{
	bool failed = false;
	const char *effect = store_copy(arena, q, 2, &failed),
		   *note = store_copy(arena, q, 3, &failed), *body;
	char *kept;

	*ret = (struct store_once_row){
		.state = (enum store_once_state)store_int(q, 1),
		.note = note	 ? note
			: effect ? effect
				 : "",
		.status = (int)store_int(q, 4),
		.location = store_copy(arena, q, 5, &failed),
	};
	body = store_blob(q, 6, &ret->body_len);
	kept = mem_arena_alloc(arena, ret->body_len + 1, 1);
	if (failed || !kept)
		return err_nomem(err);
	if (body)
		memcpy(kept, body, ret->body_len);
	ret->body = kept;
	return 0;
}

/* 1: a row stands, 0: none. */
static int look(struct store *s, const struct store_once *once, const char *request_sha256,
		struct mem_arena *arena, struct store_once_row *ret, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_ONCE_GET, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, once->owner);
	store_bind_text(q, 2, once->key);
	rc = store_step(q, err);
	if (rc == 1 && strcmp(store_text(q, 0), request_sha256) != 0)
		rc = err_set(err, ERR_IDEMPOTENCY, NULL,
			     "this Idempotency-Key was sent with another request");
	else if (rc == 1)
		rc = take(q, arena, ret, err) ? -err->code : 1;
	store_end(q);
	return rc;
}

/* ---- writing ---- */

static int expire(struct store *s, struct err *err)
{
	return store_exec(s, SQL_ONCE_EXPIRE, err, "i", clock_wall_ms() - DAY_MS);
}

static int to_state(struct store *s, const struct store_once *once, enum store_once_state from,
		    enum store_once_state to, const char *note, struct err *err)
{
	return store_exec(s, SQL_ONCE_STATE, err, "ttiti", once->owner, once->key, (int64_t)to,
			  note, (int64_t)from);
}

/* Inside a write. */
static int claim(struct store *s, const struct store_once *once, const char *request_sha256,
		 struct mem_arena *arena, struct store_once_row *ret, struct err *err)
{
	int rc = expire(s, err);

	if (!rc)
		rc = look(s, once, request_sha256, arena, ret, err);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		*ret = (struct store_once_row){ .note = "" };
		return store_exec(s, SQL_ONCE_ADD, err, "tttii", once->owner, once->key,
				  request_sha256, (int64_t)STORE_ONCE_GOING, clock_wall_ms());
	}
	if (ret->state == STORE_ONCE_GOING)
		return err_set(err, ERR_UNDERWAY, NULL,
			       "the first request with this Idempotency-Key is still going on");
	if (ret->state == STORE_ONCE_LEFT || ret->state == STORE_ONCE_LOST)
		return to_state(s, once, ret->state, STORE_ONCE_GOING, NULL, err);
	return 0;
}

int store_once_claim(struct store *s, const struct store_once *once, const char *request_sha256,
		     struct mem_arena *arena, struct store_once_row *ret, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = claim(s, once, request_sha256, arena, ret, err);
	return store_conclude(s, rc, err);
}

int store_once_made(struct store *s, const struct store_once *once, const char *note, bool settled,
		    struct err *err)
{
	return once ? store_exec(s, SQL_ONCE_EFFECT, err, "ttti", once->owner, once->key, note,
				 (int64_t)(settled ? STORE_ONCE_MADE : 0))
		    : 0;
}

int store_once_done(struct store *s, const struct store_once *once,
		    const struct store_once_row *answer, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = store_start(&q, s, SQL_ONCE_DONE, err);
	if (!rc) {
		store_bind_text(q, 1, once->owner);
		store_bind_text(q, 2, once->key);
		store_bind_int(q, 3, STORE_ONCE_DONE);
		store_bind_int(q, 4, answer->status);
		store_bind_text(q, 5, answer->location);
		store_bind_blob(q, 6, answer->body, answer->body_len);
		rc = store_step(q, err);
	}
	store_end(q);
	return store_conclude(s, rc, err);
}

int store_once_free(struct store *s, const struct store_once *once, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = store_exec(s, SQL_ONCE_DROP, err, "tti", once->owner, once->key,
			(int64_t)STORE_ONCE_GOING);
	return store_conclude(s, rc, err);
}

int store_once_leave(struct store *s, const struct store_once *once, enum store_once_state state,
		     const char *note, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	return store_conclude(s, to_state(s, once, STORE_ONCE_GOING, state, note, err), err);
}

int store_once_restart(struct store *s, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = store_exec(s, SQL_ONCE_RESTART, err, "iii", (int64_t)STORE_ONCE_LOST,
			(int64_t)STORE_ONCE_GOING, (int64_t)STORE_ONCE_LEFT);
	return store_conclude(s, rc, err);
}

int store_once_expire(struct store *s, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	return store_conclude(s, expire(s, err), err);
}
