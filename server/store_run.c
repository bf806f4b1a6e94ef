/* store_run.c - the queries about runs. */
/* SPDX-License-Identifier: MIT */
#include "server/store_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/clock.h"
#include "server/store_db.h"
#include "server/store_hook.h"
#include "server/store_once.h"
#include "server/store_sql.h"

/* ---- reading rows ---- */

/* Column as text in the arena; NULL stays NULL unless def is given. */
static const char *text(struct store_stmt *q, int col, struct mem_arena *arena, const char *def,
			bool *ok)
{
	const char *v = store_text(q, col);

	if (!v)
		return def;
	v = mem_arena_strdup(arena, v);
	if (!v)
		*ok = false;
	return v;
}

/* In the order of STORE_SQL_RUN_COLUMNS. */
static int read_row(struct store_stmt *q, struct mem_arena *arena, struct store_run *ret,
		    struct err *err)
{
	struct store_run r = { 0 };
	bool ok = true;

	r.id = text(q, 0, arena, "", &ok);
	r.seq = store_int(q, 1);
	r.version = store_int(q, 2);
	r.state = run_state_find(store_text(q, 3));
	r.name = text(q, 4, arena, "", &ok);
	r.tags = text(q, 5, arena, "[]", &ok);
	r.notes = text(q, 6, arena, "", &ok);
	r.preset = text(q, 7, arena, NULL, &ok);
	r.experiment = text(q, 8, arena, NULL, &ok);
	r.spec_sha256 = text(q, 9, arena, "", &ok);
	r.seed = text(q, 10, arena, "", &ok);
	r.threads = store_int(q, 11);
	r.created_ms = store_int(q, 12);
	r.started_ms = store_int(q, 13);
	r.finished_ms = store_int(q, 14);
	r.duration_ms = store_double(q, 15);
	r.t_ms = store_double(q, 16);
	r.wall_s = store_double(q, 17);
	r.digest = text(q, 18, arena, NULL, &ok);
	r.counts = text(q, 19, arena, "{}", &ok);
	r.metrics = text(q, 20, arena, "{}", &ok);
	r.partial = store_int(q, 21) != 0;
	r.error = text(q, 22, arena, NULL, &ok);
	r.keep_days = store_int(q, 23);
	r.targets = text(q, 24, arena, "[]", &ok);
	r.remarks = text(q, 26, arena, "[]", &ok);
	r.score = text(q, 25, arena, NULL, &ok);
	r.verify_of = text(q, 27, arena, NULL, &ok);
	r.verify_digest = text(q, 28, arena, NULL, &ok);
	r.owner = text(q, 29, arena, NULL, &ok);
	r.pinned = store_int(q, 30) != 0;
	r.sweep = text(q, 31, arena, NULL, &ok);
	r.trace = text(q, 32, arena, NULL, &ok);
	if (!ok)
		return err_nomem(err);
	if (r.state == RUN_N)
		return err_set(err, ERR_CORRUPT, NULL, "run %s has an unknown state", r.id);
	*ret = r;
	return 0;
}

/* The row of up to three keys; from the first that is NULL on they are left unbound. */
static int read_one(struct store *s, int sql_id, const char *const key[3], struct mem_arena *arena,
		    struct store_run *ret, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, sql_id, err);

	if (rc)
		return rc;
	for (int i = 0; i < 3 && key[i]; i++)
		store_bind_text(q, i + 1, key[i]);
	rc = store_step(q, err);
	if (rc == 1)
		rc = read_row(q, arena, ret, err);
	else if (rc == 0)
		rc = err_set(err, ERR_NOTFOUND, NULL, "there is no such run");
	store_end(q);
	return rc;
}

int store_run_get(struct store *s, const char *id, struct mem_arena *arena, struct store_run *ret,
		  struct err *err)
{
	const char *const key[3] = { id };

	return read_one(s, SQL_RUN_GET, key, arena, ret, err);
}

int store_run_by_spec(struct store *s, const char *sha256, const char *version, const char *owner,
		      struct mem_arena *arena, struct store_run *ret, struct err *err)
{
	const char *const key[3] = { sha256, version, owner };

	return read_one(s, SQL_RUN_BY_SPEC, key, arena, ret, err);
}

int store_run_text(struct store *s, const char *id, enum store_run_text which,
		   struct mem_arena *arena, const char **ret, struct err *err)
{
	static const int sql_id[] = {
		[STORE_RUN_SPEC] = SQL_RUN_SPEC,
		[STORE_RUN_PROVENANCE] = SQL_RUN_PROVENANCE,
		[STORE_RUN_SHAPE] = SQL_RUN_SHAPE,
		[STORE_RUN_LOG] = SQL_RUN_LOG,
	};
	struct store_stmt *q = NULL;
	bool ok = true;
	int rc = store_start(&q, s, sql_id[which], err);

	if (rc)
		return rc;
	store_bind_text(q, 1, id);
	rc = store_step(q, err);
	if (rc == 1) {
		*ret = text(q, 0, arena, "", &ok);
		rc = ok ? 0 : err_nomem(err);
	} else if (rc == 0) {
		rc = err_set(err, ERR_NOTFOUND, NULL, "there is no such run");
	}
	store_end(q);
	return rc;
}

static void bind_filter(struct store_stmt *q, const struct store_run_filter *f)
{
	store_bind_text(q, 1, f->state);
	store_bind_text(q, 2, f->preset);
	store_bind_text(q, 3, f->tag);
	store_bind_text(q, 4, f->q);
	store_bind_text(q, 5, f->spec_sha256);
	if (f->created_after_ms)
		store_bind_int(q, 6, f->created_after_ms);
	store_bind_text(q, 9, f->owner);
	store_bind_text(q, 10, f->sweep);
}

int store_run_list(struct store *s, const struct store_run_filter *f, struct mem_arena *arena,
		   struct store_run **ret, size_t *ret_n, struct err *err)
{
	struct store_run *rows = NEW(arena, struct store_run, (size_t)f->limit);
	struct store_stmt *q = NULL;
	size_t n = 0;
	int rc;

	if (!rows)
		return err_nomem(err);
	rc = store_start(&q, s, f->oldest_first ? SQL_RUN_LIST_UP : SQL_RUN_LIST_DOWN, err);
	if (rc)
		return rc;
	bind_filter(q, f);
	store_bind_int(q, 7, f->after_seq || f->oldest_first ? f->after_seq : INT64_MAX);
	store_bind_int(q, 8, f->limit);
	while ((rc = store_step(q, err)) == 1) {
		rc = read_row(q, arena, &rows[n++], err);
		if (rc)
			break;
	}
	store_end(q);
	if (rc)
		return rc;
	*ret = rows;
	*ret_n = n;
	return 0;
}

int store_run_count(struct store *s, const struct store_run_filter *f, int64_t *ret,
		    struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_RUN_LIST_COUNT, err);

	if (rc)
		return rc;
	bind_filter(q, f);
	rc = store_step(q, err);
	if (rc == 1)
		*ret = store_int(q, 0);
	store_end(q);
	return rc < 0 ? rc : 0;
}

int store_run_states(struct store *s, int64_t ret[RUN_N], struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_RUN_STATES, err);

	if (rc)
		return rc;
	while ((rc = store_step(q, err)) == 1) {
		enum run_state state = run_state_find(store_text(q, 0));

		if (state != RUN_N)
			ret[state] = store_int(q, 1);
	}
	store_end(q);
	return rc;
}

int store_run_in_state(struct store *s, enum run_state state, char (**ret)[ID_SIZE], size_t *ret_n,
		       struct mem_arena *arena, struct err *err)
{
	enum { MAX = 1000 };
	char(*ids)[ID_SIZE] = mem_arena_alloc(arena, MAX, ID_SIZE);
	struct store_stmt *q = NULL;
	size_t n = 0;
	int rc;

	if (!ids)
		return err_nomem(err);
	rc = store_start(&q, s, SQL_RUN_IN_STATE, err);
	if (rc)
		return rc;
	store_bind_text(q, 1, run_state_name(state));
	while (n < MAX && (rc = store_step(q, err)) == 1)
		(void)snprintf(ids[n++], ID_SIZE, "%s", store_text(q, 0));
	store_end(q);
	if (rc < 0)
		return rc;
	*ret = ids;
	*ret_n = n;
	return 0;
}

/* ---- writing ---- */

int store_run_add(struct store *s, const struct store_run_new *run, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_RUN_INSERT, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, run->id);
	store_bind_text(q, 2, run->name ? run->name : "");
	store_bind_text(q, 3, run->tags ? run->tags : "[]");
	store_bind_text(q, 4, run->notes ? run->notes : "");
	store_bind_text(q, 5, run->preset);
	store_bind_text(q, 6, run->experiment);
	store_bind_text(q, 7, run->spec);
	store_bind_text(q, 8, run->spec_sha256);
	store_bind_text(q, 9, run->seed);
	store_bind_int(q, 10, run->threads);
	store_bind_int(q, 11, clock_wall_ms());
	store_bind_double(q, 12, run->duration_ms);
	if (run->keep_days > 0)
		store_bind_int(q, 13, run->keep_days);
	store_bind_text(q, 14, run->verify_of);
	store_bind_text(q, 15, run->verify_digest);
	store_bind_text(q, 16, run->owner);
	store_bind_text(q, 17, run->sweep);
	store_bind_text(q, 18, run->trace);
	rc = store_step(q, err);
	store_end(q);
	if (rc >= 0)
		rc = store_event_add(s, run->id, "state", "{\"state\":\"queued\",\"version\":1}",
				     err);
	return rc ? rc : store_once_made(s, run->once, run->id, true, err);
}

static int version_of(struct store *s, const char *id, int64_t *ret, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_RUN_VERSION, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, id);
	rc = store_step(q, err);
	if (rc == 1)
		*ret = store_int(q, 0);
	store_end(q);
	return rc == 1 ? 0 : rc < 0 ? rc : err_set(err, ERR_NOTFOUND, NULL, "there is no such run");
}

int store_run_move(struct store *s, const char *id, enum run_state from, enum run_event event,
		   struct err *err)
{
	enum run_state to = run_next(from, event);
	int64_t now = clock_wall_ms(), version = 0;
	char data[128], time[CLOCK_TEXT_MAX];
	int rc;

	if (to == RUN_N)
		return err_set(err, ERR_STATE, NULL, "this is not possible while the run is %s",
			       run_state_name(from));
	rc = store_exec(s, SQL_RUN_MOVE, err, "tttii", id, run_state_name(from), run_state_name(to),
			now, (int64_t)run_state_final(to));
	if (rc)
		return rc;
	if (store_changes(s) != 1)
		return err_set(err, ERR_STATE, NULL, "the run is no longer %s",
			       run_state_name(from));
	rc = version_of(s, id, &version, err);
	if (rc)
		return rc;
	(void)snprintf(data, sizeof(data), "{\"state\":\"%s\",\"version\":%lld,\"at\":\"%s\"}",
		       run_state_name(to), (long long)version, clock_text(now, time));
	rc = store_event_add(s, id, "state", data, err);
	if (!rc && run_state_final(to))
		rc = store_hook_tell(s, STORE_HOOK_RUN, id, run_state_name(to), err);
	return rc;
}

int store_run_finish(struct store *s, const char *id, const struct store_run_end *end,
		     struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_RUN_FINISH, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, id);
	store_bind_double(q, 2, isfinite(end->t_ms) ? end->t_ms : 0.0);
	store_bind_double(q, 3, isfinite(end->wall_s) ? end->wall_s : 0.0);
	store_bind_text(q, 4, end->digest);
	store_bind_text(q, 5, end->provenance ? end->provenance : "{}");
	store_bind_text(q, 6, end->counts ? end->counts : "{}");
	store_bind_text(q, 7, end->metrics ? end->metrics : "{}");
	store_bind_text(q, 8, end->shape ? end->shape : "{}");
	store_bind_int(q, 9, end->partial);
	store_bind_text(q, 10, end->error);
	store_bind_text(q, 11, end->log ? end->log : "");
	store_bind_text(q, 12, end->targets ? end->targets : "[]");
	store_bind_text(q, 13, end->score);
	store_bind_text(q, 14, end->remarks ? end->remarks : "[]");
	rc = store_step(q, err);
	store_end(q);
	return rc < 0 ? rc : 0;
}

int store_run_patch(struct store *s, const struct store_run *run, struct err *err)
{
	return store_exec(s, SQL_RUN_PATCH, err, "ttttii", run->id, run->name, run->tags,
			  run->notes, run->keep_days, (int64_t)run->pinned);
}

static void topic_of(const char *run_id, char topic[ID_SIZE + 4])
{
	(void)snprintf(topic, ID_SIZE + 4, "run:%s", run_id);
}

int store_run_delete(struct store *s, const char *id, struct err *err)
{
	char topic[ID_SIZE + 4];
	int rc = store_exec(s, SQL_RUN_DELETE, err, "t", id);

	topic_of(id, topic);
	return rc ? rc : store_exec(s, SQL_EVENT_DROP, err, "t", topic);
}

/* The oldest debt: 1 and its id, 0: none. */
static int next_expired(struct store *s, char id[ID_SIZE], struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_RUN_EXPIRED, err);

	if (rc)
		return rc;
	store_bind_int(q, 1, clock_wall_ms());
	rc = store_step(q, err);
	if (rc == 1)
		(void)snprintf(id, ID_SIZE, "%s", store_text(q, 0));
	store_end(q);
	return rc;
}

int store_run_expire(struct store *s, struct err *err)
{
	char id[ID_SIZE];
	int rc;

	while ((rc = next_expired(s, id, err)) == 1) {
		rc = store_begin(s, err);
		if (rc)
			return rc;
		rc = store_run_delete(s, id, err);
		if (rc) {
			store_rollback(s);
			return rc;
		}
		rc = store_commit(s, err);
		if (rc)
			return rc;
	}
	return rc;
}

/* ---- events ---- */

int store_topic_add(struct store *s, const char *topic, const char *kind, const char *data,
		    struct err *err)
{
	return store_exec(s, SQL_EVENT_ADD, err, "ttit", topic, kind, clock_wall_ms(), data);
}

int store_topic_read(struct store *s, const char *topic, int64_t after,
		     int (*visit)(void *self, int64_t seq, const char *kind, const char *data),
		     void *self, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_EVENT_READ, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, topic);
	store_bind_int(q, 2, after);
	while ((rc = store_step(q, err)) == 1) {
		rc = visit(self, store_int(q, 0), store_text(q, 1), store_text(q, 2));
		if (rc)
			break;
	}
	store_end(q);
	return rc;
}

int store_topic_last(struct store *s, const char *topic, int64_t *ret_seq, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_EVENT_LAST, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, topic);
	rc = store_step(q, err);
	if (rc == 1)
		*ret_seq = store_int(q, 0);
	store_end(q);
	return rc < 0 ? rc : 0;
}

int store_event_add(struct store *s, const char *run_id, const char *kind, const char *data,
		    struct err *err)
{
	char topic[ID_SIZE + 4];

	topic_of(run_id, topic);
	return store_topic_add(s, topic, kind, data, err);
}

int store_event_read(struct store *s, const char *run_id, int64_t after,
		     int (*visit)(void *self, int64_t seq, const char *kind, const char *data),
		     void *self, struct err *err)
{
	char topic[ID_SIZE + 4];

	topic_of(run_id, topic);
	return store_topic_read(s, topic, after, visit, self, err);
}

int store_event_last(struct store *s, const char *run_id, int64_t *ret_seq, struct err *err)
{
	char topic[ID_SIZE + 4];

	topic_of(run_id, topic);
	return store_topic_last(s, topic, ret_seq, err);
}
