/* store_session.c - queries on sessions. */
/* SPDX-License-Identifier: MIT */
#include "server/store_session.h"

#include <string.h>

#include "server/clock.h"
#include "server/store_db.h"
#include "server/store_hook.h"
#include "server/store_once.h"
#include "server/store_space.h"
#include "server/store_sql.h"

/* Inside a write. */
static int room(struct store *s, int64_t max, struct err *err)
{
	int64_t n = 0;
	int rc = store_number(s, SQL_SESSION_COUNT, &n, err, "t", (const char *)NULL);

	return rc || n < max ? rc
			     : err_set(err, ERR_LIMIT, "",
				       "there are %lld sessions already, as many as this server "
				       "keeps; delete some",
				       (long long)max);
}

int store_session_add(struct store *s, const struct store_session *r, const struct store_once *once,
		      const char *note, int64_t max, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = room(s, max, err);
	if (!rc && r->owner && r->owner_max) {
		int64_t n = 0;

		rc = store_space_sessions(s, r->owner, &n, err);
		if (!rc)
			rc = store_space_allow("sessions", n, r->owner_max, err);
	}
	if (!rc)
		rc = store_exec(s, SQL_SESSION_INSERT, err, "tttttttttiidt", r->id, r->state,
				r->name ? r->name : "", r->owner, r->preset, r->parent, r->spec,
				r->spec_sha256, r->seed, r->threads, r->created_ms, r->t_ms,
				r->trace);
	if (!rc)
		rc = store_once_made(s, once, note, false, err);
	return store_conclude(s, rc, err);
}

/* In the order of STORE_SQL_SESSION_COLUMNS. */
static int take(struct store_stmt *q, struct mem_arena *arena, void *row, struct err *err)
{
	struct store_session *ret = row;
	bool failed = false;

	*ret = (struct store_session){
		.id = store_copy(arena, q, 0, &failed),
		.seq = store_int(q, 1),
		.version = store_int(q, 2),
		.state = store_copy(arena, q, 3, &failed),
		.name = store_copy(arena, q, 4, &failed),
		.owner = store_copy(arena, q, 5, &failed),
		.preset = store_copy(arena, q, 6, &failed),
		.parent = store_copy(arena, q, 7, &failed),
		.spec_sha256 = store_copy(arena, q, 8, &failed),
		.seed = store_copy(arena, q, 9, &failed),
		.threads = store_int(q, 10),
		.created_ms = store_int(q, 11),
		.used_ms = store_int(q, 12),
		.t_ms = store_double(q, 13),
		.error = store_copy(arena, q, 14, &failed),
		.trace = store_copy(arena, q, 15, &failed),
	};
	return failed ? err_nomem(err) : 0;
}

int store_session_get(struct store *s, const char *id, struct mem_arena *arena,
		      struct store_session *ret, struct err *err)
{
	struct store_rows rows;
	int rc;

	*ret = (struct store_session){ 0 };
	rows = (struct store_rows){ take, arena, ret, sizeof(*ret), 1 };
	rc = store_read(s, SQL_SESSION_GET, &rows, err, "t", id);
	return rc || rows.n ? rc
			    : err_set(err, ERR_NOTFOUND, NULL, "there is no session of this id");
}

int store_session_spec(struct store *s, const char *id, struct mem_arena *arena, const char **ret,
		       struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_SESSION_SPEC, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, id);
	rc = store_step(q, err);
	if (rc == 1) {
		*ret = mem_arena_strdup(arena, store_text(q, 0));
		rc = *ret ? 0 : err_nomem(err);
	} else if (rc == 0) {
		rc = err_set(err, ERR_NOTFOUND, NULL, "there is no session of this id");
	}
	store_end(q);
	return rc;
}

int store_session_list(struct store *s, int64_t seq, const char *state, const char *owner, size_t n,
		       struct mem_arena *arena, struct store_session *ret, size_t *ret_n,
		       struct err *err)
{
	struct store_rows rows = { take, arena, ret, sizeof(*ret), n };
	int rc = store_read(s, SQL_SESSION_LIST, &rows, err, "itti", seq, state, owner, (int64_t)n);

	if (!rc)
		*ret_n = rows.n;
	return rc;
}

int store_session_state(struct store *s, const char *id, const char *state, double t_ms,
			const char *error, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = store_exec(s, SQL_SESSION_STATE, err, "ttdti", id, state, t_ms, error,
			clock_wall_ms());
	if (!rc && strcmp(state, "failed") == 0)
		rc = store_hook_tell(s, STORE_HOOK_SESSION, id, state, err);
	return store_conclude(s, rc, err);
}

int store_session_wake(struct store *s, const char *id, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = store_exec(s, SQL_SESSION_WAKE, err, "ti", id, clock_wall_ms());
	if (!rc && store_changes(s) == 0)
		rc = err_set(err, ERR_STATE, NULL, "the session has failed or was deleted");
	return store_conclude(s, rc, err);
}

int store_session_sleep(struct store *s, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	return store_conclude(s, store_exec(s, SQL_SESSION_SLEEP, err, ""), err);
}

int store_session_drop(struct store *s, const char *id, bool tell, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = tell ? store_hook_tell(s, STORE_HOOK_SESSION, id, "deleted", err) : 0;
	if (!rc)
		rc = store_exec(s, SQL_SESSION_DELETE, err, "t", id);
	if (!rc && store_changes(s) == 0)
		rc = err_set(err, ERR_NOTFOUND, NULL, "there is no session of this id");
	return store_conclude(s, rc, err);
}

/* ---- checkpoints ---- */

static int take_checkpoint(struct store_stmt *q, struct mem_arena *arena,
			   struct store_session_checkpoint *ret, struct err *err)
{
	bool failed = false;

	*ret = (struct store_session_checkpoint){
		.id = store_copy(arena, q, 0, &failed),
		.session_id = store_copy(arena, q, 1, &failed),
		.t_ms = store_double(q, 2),
		.bytes = store_int(q, 3),
		.created_ms = store_int(q, 4),
	};
	return failed ? err_nomem(err) : 0;
}

int store_session_checkpoint_add(struct store *s, const struct store_session_checkpoint *c,
				 const struct store_once *once, const char *note, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = store_exec(s, SQL_SESSION_CKPT_INSERT, err, "ttdii", c->id, c->session_id, c->t_ms,
			c->bytes, c->created_ms);
	if (!rc)
		rc = store_once_made(s, once, note, true, err);
	return store_conclude(s, rc, err);
}

int store_session_checkpoint_get(struct store *s, const char *id, struct mem_arena *arena,
				 struct store_session_checkpoint *ret, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_SESSION_CKPT_GET, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, id);
	rc = store_step(q, err);
	if (rc == 1)
		rc = take_checkpoint(q, arena, ret, err);
	else if (rc == 0)
		rc = err_set(err, ERR_NOTFOUND, NULL, "there is no checkpoint of this id");
	store_end(q);
	return rc;
}

int store_session_checkpoint_list(struct store *s, const char *session, struct mem_arena *arena,
				  struct store_session_checkpoint **ret, size_t *ret_n,
				  struct err *err)
{
	struct store_session_checkpoint *list = NULL;
	struct store_stmt *q = NULL;
	size_t n = 0, cap = 0;
	int rc = store_start(&q, s, SQL_SESSION_CKPT_LIST, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, session);
	while ((rc = store_step(q, err)) == 1) {
		if (n == cap) {
			struct store_session_checkpoint *grown;

			cap = cap ? 2 * cap : 16;
			grown = NEW(arena, struct store_session_checkpoint, cap);
			if (!grown) {
				rc = err_nomem(err);
				break;
			}
			for (size_t i = 0; i < n; i++)
				grown[i] = list[i];
			list = grown;
		}
		rc = take_checkpoint(q, arena, &list[n], err);
		if (rc)
			break;
		n++;
	}
	store_end(q);
	if (rc < 0)
		return rc;
	*ret = list;
	*ret_n = n;
	return 0;
}
