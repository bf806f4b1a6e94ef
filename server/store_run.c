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
static int take(struct store_stmt *q, struct mem_arena *arena, void *row, struct err *err)
{
	struct store_run r = { 0 }, *ret = row;
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

static int missing(struct err *err)
{
	return err_set(err, ERR_NOTFOUND, NULL, "there is no such run");
}

int store_run_get(struct store *s, const char *id, struct mem_arena *arena, struct store_run *ret,
		  struct err *err)
{
	struct store_rows rows;
	int rc;

	*ret = (struct store_run){ 0 };
	rows = (struct store_rows){ take, arena, ret, sizeof(*ret), 1 };
	rc = store_read(s, SQL_RUN_GET, &rows, err, "t", id);
	return rc || rows.n ? rc : missing(err);
}

int store_run_by_spec(struct store *s, const char *sha256, const char *version, const char *owner,
		      struct mem_arena *arena, struct store_run *ret, struct err *err)
{
	struct store_rows rows;
	int rc;

	*ret = (struct store_run){ 0 };
	rows = (struct store_rows){ take, arena, ret, sizeof(*ret), 1 };
	rc = store_read(s, SQL_RUN_BY_SPEC, &rows, err, "ttt", sha256, version, owner);
	return rc || rows.n ? rc : missing(err);
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
		rc = missing(err);
	}
	store_end(q);
	return rc;
}

int store_run_list(struct store *s, const struct store_run_filter *f, struct mem_arena *arena,
		   struct store_run **ret, size_t *ret_n, struct err *err)
{
	struct store_run *list = NEW(arena, struct store_run, (size_t)f->limit);
	struct store_rows rows = { take, arena, list, sizeof(*list), (size_t)f->limit };
	int64_t seq = f->after_seq || f->oldest_first ? f->after_seq : INT64_MAX;
	int rc;

	if (!list)
		return err_nomem(err);
	rc = store_read(s, f->oldest_first ? SQL_RUN_LIST_UP : SQL_RUN_LIST_DOWN, &rows, err,
			"tttttiiitt", f->state, f->preset, f->tag, f->q, f->spec_sha256,
			f->created_after_ms, seq, f->limit, f->owner, f->sweep);
	if (rc)
		return rc;
	*ret = list;
	*ret_n = rows.n;
	return 0;
}

int store_run_count(struct store *s, const struct store_run_filter *f, int64_t *ret,
		    struct err *err)
{
	return store_number(s, SQL_RUN_LIST_COUNT, ret, err, "tttttiiitt", f->state, f->preset,
			    f->tag, f->q, f->spec_sha256, f->created_after_ms, INT64_MAX, f->limit,
			    f->owner, f->sweep);
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

static int take_id(struct store_stmt *q, struct mem_arena *arena, void *row, struct err *err)
{
	(void)arena;
	(void)err;
	(void)snprintf(row, ID_SIZE, "%s", store_text(q, 0));
	return 0;
}

int store_run_in_state(struct store *s, enum run_state state, char (**ret)[ID_SIZE], size_t *ret_n,
		       struct mem_arena *arena, struct err *err)
{
	enum { MAX = 1000 };
	char(*ids)[ID_SIZE] = mem_arena_alloc(arena, MAX, ID_SIZE);
	struct store_rows rows = { take_id, arena, ids, ID_SIZE, MAX };
	int rc;

	if (!ids)
		return err_nomem(err);
	rc = store_read(s, SQL_RUN_IN_STATE, &rows, err, "t", run_state_name(state));
	if (rc)
		return rc;
	*ret = ids;
	*ret_n = rows.n;
	return 0;
}

/* ---- writing ---- */

static int say_state(struct store *s, const char *id, enum run_state state, int64_t version,
		     int64_t now, struct err *err)
{
	char data[128], time[CLOCK_TEXT_MAX];

	(void)snprintf(data, sizeof(data), "{\"state\":\"%s\",\"version\":%lld,\"at\":\"%s\"}",
		       run_state_name(state), (long long)version, clock_text(now, time));
	return store_event_add(s, id, "state", data, err);
}

int store_run_add(struct store *s, const struct store_run_new *run, struct err *err)
{
	int64_t now = clock_wall_ms();
	int rc = store_exec(s, SQL_RUN_INSERT, err, "tttttttttiidittttt", run->id,
			    run->name ? run->name : "", run->tags ? run->tags : "[]",
			    run->notes ? run->notes : "", run->preset, run->experiment, run->spec,
			    run->spec_sha256, run->seed, run->threads, now, run->duration_ms,
			    run->keep_days, run->verify_of, run->verify_digest, run->owner,
			    run->sweep, run->trace);

	if (!rc)
		rc = say_state(s, run->id, RUN_QUEUED, 1, now, err);
	return rc ? rc : store_once_made(s, run->once, run->id, true, err);
}

static int version_of(struct store *s, const char *id, int64_t *ret, struct err *err)
{
	int rc = store_number(s, SQL_RUN_VERSION, ret, err, "t", id);

	return rc || *ret ? rc : missing(err);
}

int store_run_move(struct store *s, const char *id, enum run_state from, enum run_event event,
		   struct err *err)
{
	enum run_state to = run_next(from, event);
	int64_t now = clock_wall_ms(), version = 0;
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
	rc = say_state(s, id, to, version, now, err);
	if (!rc && run_state_final(to))
		rc = store_hook_tell(s, STORE_HOOK_RUN, id, run_state_name(to), err);
	return rc;
}

int store_run_finish(struct store *s, const char *id, const struct store_run_end *end,
		     struct err *err)
{
	return store_exec(
		s, SQL_RUN_FINISH, err, "tddtttttittttt", id, isfinite(end->t_ms) ? end->t_ms : 0.0,
		isfinite(end->wall_s) ? end->wall_s : 0.0, end->digest,
		end->provenance ? end->provenance : "{}", end->counts ? end->counts : "{}",
		end->metrics ? end->metrics : "{}", end->shape ? end->shape : "{}",
		(int64_t)end->partial, end->error, end->log ? end->log : "",
		end->targets ? end->targets : "[]", end->score, end->remarks ? end->remarks : "[]");
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

int store_run_expire(struct store *s, struct err *err)
{
	for (;;) {
		char id[ID_SIZE];
		struct store_rows oldest = { take_id, NULL, id, ID_SIZE, 1 };
		int rc = store_read(s, SQL_RUN_EXPIRED, &oldest, err, "i", clock_wall_ms());

		if (rc || !oldest.n)
			return rc;
		rc = store_begin(s, err);
		if (rc)
			return rc;
		rc = store_conclude(s, store_run_delete(s, id, err), err);
		if (rc)
			return rc;
	}
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
	return store_number(s, SQL_EVENT_LAST, ret_seq, err, "t", topic);
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
