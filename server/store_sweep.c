/* store_sweep.c - the queries about sweeps. */
/* SPDX-License-Identifier: MIT */
#include "server/store_sweep.h"

#include <stdio.h>
#include <string.h>

#include "server/clock.h"
#include "server/store_db.h"
#include "server/store_hook.h"
#include "server/store_run.h"
#include "server/store_sql.h"

enum { ACTIVE_MAX = 1000, PATH_SIZE = 160 };

void store_sweep_topic(const char *id, char topic[STORE_SWEEP_TOPIC_MAX])
{
	(void)snprintf(topic, STORE_SWEEP_TOPIC_MAX, "sweep:%s", id);
}

/* ---- rows ---- */

/* In the order of STORE_SQL_SWEEP_COLUMNS. */
static int take(struct store_stmt *q, struct mem_arena *arena, void *row, struct err *err)
{
	struct store_sweep *ret = row;
	bool failed = false;

	*ret = (struct store_sweep){
		.id = store_copy(arena, q, 0, &failed),
		.seq = store_int(q, 1),
		.version = store_int(q, 2),
		.state = store_copy(arena, q, 3, &failed),
		.name = store_copy(arena, q, 4, &failed),
		.tags = store_copy(arena, q, 5, &failed),
		.notes = store_copy(arena, q, 6, &failed),
		.owner = store_copy(arena, q, 7, &failed),
		.preset = store_copy(arena, q, 8, &failed),
		.experiment = store_copy(arena, q, 9, &failed),
		.axes = store_copy(arena, q, 10, &failed),
		.seeds = store_copy(arena, q, 11, &failed),
		.metric = store_copy(arena, q, 12, &failed),
		.goal = store_copy(arena, q, 13, &failed),
		.threads = store_int(q, 14),
		.keep_days = store_int(q, 15),
		.reuse = store_int(q, 16) != 0,
		.quota_runs = store_int(q, 17),
		.quota_mb = store_int(q, 18),
		.points = store_int(q, 19),
		.next_point = store_int(q, 20),
		.created_ms = store_int(q, 21),
		.finished_ms = store_int(q, 22),
		.trace = store_copy(arena, q, 23, &failed),
	};
	return failed ? err_nomem(err) : 0;
}

int store_sweep_get(struct store *s, const char *id, struct mem_arena *arena,
		    struct store_sweep *ret, struct err *err)
{
	struct store_rows rows;
	int rc;

	*ret = (struct store_sweep){ 0 };
	rows = (struct store_rows){ take, arena, ret, sizeof(*ret), 1 };
	rc = store_read(s, SQL_SWEEP_GET, &rows, err, "t", id);
	return rc || rows.n ? rc : err_set(err, ERR_NOTFOUND, NULL, "there is no such sweep");
}

/* One text of a sweep; *ret NULL: there is no row. */
static int text_of(struct store *s, int sql_id, const char *id, struct mem_arena *arena,
		   const char **ret, struct err *err)
{
	struct store_stmt *q = NULL;
	bool failed = false;
	int rc = store_start(&q, s, sql_id, err);

	*ret = NULL;
	if (rc)
		return rc;
	store_bind_text(q, 1, id);
	rc = store_step(q, err);
	if (rc == 1)
		*ret = store_copy(arena, q, 0, &failed);
	store_end(q);
	return rc < 0 ? rc : failed ? err_nomem(err) : 0;
}

int store_sweep_spec(struct store *s, const char *id, struct mem_arena *arena, const char **ret,
		     struct err *err)
{
	int rc = text_of(s, SQL_SWEEP_SPEC, id, arena, ret, err);

	return rc || *ret ? rc : err_set(err, ERR_NOTFOUND, NULL, "there is no such sweep");
}

int store_sweep_score(struct store *s, const char *id, struct mem_arena *arena, const char **ret,
		      struct err *err)
{
	return text_of(s, SQL_SWEEP_SCORED, id, arena, ret, err);
}

int store_sweep_list(struct store *s, const struct store_sweep_filter *f, struct mem_arena *arena,
		     struct store_sweep *rows, size_t *ret_n, struct err *err)
{
	struct store_rows all = { take, arena, rows, sizeof(*rows), (size_t)f->limit };
	int rc = store_read(s, SQL_SWEEP_LIST, &all, err, "itttti", f->below_seq, f->state,
			    f->owner, f->tag, f->q, f->limit);

	if (!rc)
		*ret_n = all.n;
	return rc;
}

int store_sweep_active(struct store *s, struct mem_arena *arena, struct store_sweep **ret,
		       size_t *ret_n, struct err *err)
{
	struct store_rows all = { take, arena, NULL, sizeof(**ret), ACTIVE_MAX };
	int rc;

	all.at = *ret = NEW(arena, struct store_sweep, ACTIVE_MAX);
	if (!*ret)
		return err_nomem(err);
	rc = store_read(s, SQL_SWEEP_ACTIVE, &all, err, "");
	if (!rc)
		*ret_n = all.n;
	return rc;
}

/* ---- runs of a sweep ---- */

int store_sweep_live(struct store *s, const char *id, int64_t ret[RUN_N], struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_SWEEP_COUNT, err);

	if (rc)
		return rc;
	memset(ret, 0, RUN_N * sizeof(*ret));
	store_bind_text(q, 1, id);
	while ((rc = store_step(q, err)) == 1) {
		enum run_state state = run_state_find(store_text(q, 0));

		if (state != RUN_N)
			ret[state] = store_int(q, 1);
	}
	store_end(q);
	return rc;
}

int store_sweep_states(struct store *s, const char *id, int64_t ret[RUN_N + 1], int64_t *ret_reused,
		       struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_SWEEP_STATES, err);

	if (rc)
		return rc;
	memset(ret, 0, (RUN_N + 1) * sizeof(*ret));
	*ret_reused = 0;
	store_bind_text(q, 1, id);
	while ((rc = store_step(q, err)) == 1) {
		ret[store_is_null(q, 0) ? RUN_N : run_state_find(store_text(q, 0))] +=
			store_int(q, 1);
		*ret_reused += store_int(q, 2);
	}
	store_end(q);
	return rc;
}

int store_sweep_points(struct store *s, const char *id,
		       int (*visit)(void *self, const struct store_sweep_point *p), void *self,
		       struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_SWEEP_POINTS, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, id);
	while ((rc = store_step(q, err)) == 1) {
		const struct store_sweep_point p = {
			.point = store_int(q, 0),
			.run_id = store_text(q, 1),
			.reused = store_int(q, 2) != 0,
			.state = store_is_null(q, 3) ? RUN_N : run_state_find(store_text(q, 3)),
			.metrics = store_is_null(q, 4) ? "{}" : store_text(q, 4),
			.score = store_is_null(q, 5) ? NULL : store_text(q, 5),
			.digest = store_is_null(q, 6) ? NULL : store_text(q, 6),
			.wall_s = store_double(q, 7),
		};

		rc = visit(self, &p);
		if (rc)
			break;
	}
	store_end(q);
	return rc;
}

int store_sweep_values(struct store *s, const char *id, const char *metric,
		       int (*visit)(void *self, int64_t point, const char *run_id, double value),
		       void *self, struct err *err)
{
	struct store_stmt *q = NULL;
	char path[PATH_SIZE];
	int rc = store_start(&q, s, SQL_SWEEP_VALUES, err);

	if (rc)
		return rc;
	(void)snprintf(path, sizeof(path), "$.\"%s\"", metric);
	store_bind_text(q, 1, id);
	store_bind_text(q, 2, path);
	store_bind_text(q, 3, metric);
	while ((rc = store_step(q, err)) == 1) {
		rc = store_is_null(q, 2)
			     ? 0
			     : visit(self, store_int(q, 0), store_text(q, 1), store_double(q, 2));
		if (rc)
			break;
	}
	store_end(q);
	return rc;
}

/* ---- writing ---- */

/* {"state", "version", "at"}, as runs have it. */
static int say(struct store *s, const char *id, const char *state, int64_t version, struct err *err)
{
	char topic[STORE_SWEEP_TOPIC_MAX], data[128], time[CLOCK_TEXT_MAX];

	store_sweep_topic(id, topic);
	(void)snprintf(data, sizeof(data), "{\"state\":\"%s\",\"version\":%lld,\"at\":\"%s\"}",
		       state, (long long)version, clock_text(clock_wall_ms(), time));
	return store_topic_add(s, topic, "state", data, err);
}

int store_sweep_add(struct store *s, const struct store_sweep *r, struct err *err)
{
	int rc = store_exec(s, SQL_SWEEP_INSERT, err, "ttttttttttttiiiiiiit", r->id,
			    r->name ? r->name : "", r->tags ? r->tags : "[]",
			    r->notes ? r->notes : "", r->owner, r->preset, r->experiment, r->spec,
			    r->axes, r->seeds, r->metric, r->goal, r->threads, r->keep_days,
			    (int64_t)r->reuse, r->quota_runs, r->quota_mb, r->points,
			    clock_wall_ms(), r->trace);

	return rc ? rc : say(s, r->id, "running", 1, err);
}

int store_sweep_step(struct store *s, const char *id, int64_t point, const char *run_id,
		     bool reused, struct err *err)
{
	int rc = store_exec(s, SQL_SWEEP_NEXT, err, "ti", id, point);

	if (!rc && store_changes(s) != 1)
		rc = err_set(err, ERR_STATE, NULL, "the sweep is over or further");
	return rc ? rc
		  : store_exec(s, SQL_SWEEP_POINT_ADD, err, "titi", id, point, run_id,
			       (int64_t)reused);
}

int store_sweep_move(struct store *s, const struct store_sweep *row, const char *to,
		     struct err *err)
{
	bool over = strcmp(to, "cancelled") == 0 || strcmp(to, "finished") == 0;
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_SWEEP_MOVE, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, row->id);
	store_bind_text(q, 2, row->state);
	store_bind_text(q, 3, to);
	if (over)
		store_bind_int(q, 4, clock_wall_ms());
	rc = store_step(q, err);
	store_end(q);
	if (rc < 0)
		return rc;
	if (store_changes(s) != 1)
		return err_set(err, ERR_STATE, NULL, "the sweep is no longer %s", row->state);
	rc = say(s, row->id, to, row->version + 1, err);
	if (!rc && over)
		rc = store_hook_tell(s, STORE_HOOK_SWEEP, row->id, to, err);
	return rc;
}

int store_sweep_cancel(struct store *s, const char *id, struct mem_arena *arena,
		       char (**ret)[ID_SIZE], size_t *ret_n, struct err *err)
{
	int64_t live[RUN_N], n = 0;
	enum run_state *states;
	struct store_stmt *q = NULL;
	int rc = store_sweep_live(s, id, live, err);

	for (int i = 0; i < RUN_N; i++)
		n += rc ? 0 : live[i];
	*ret_n = 0;
	*ret = mem_arena_alloc(arena, (size_t)n + 1, ID_SIZE);
	states = NEW(arena, enum run_state, (size_t)n + 1);
	if (!rc && (!*ret || !states))
		rc = err_nomem(err);
	if (!rc)
		rc = store_start(&q, s, SQL_SWEEP_LIVE, err);
	if (rc)
		return rc;
	store_bind_text(q, 1, id);
	while (*ret_n < (size_t)n && (rc = store_step(q, err)) == 1) {
		(void)snprintf((*ret)[*ret_n], ID_SIZE, "%s", store_text(q, 0));
		states[(*ret_n)++] = run_state_find(store_text(q, 1));
	}
	store_end(q);
	rc = rc < 0 ? rc : 0;
	for (size_t i = 0; !rc && i < *ret_n; i++)
		if (states[i] != RUN_CANCELLING)
			rc = store_run_move(s, (*ret)[i], states[i], RUN_CANCEL, err);
	return rc;
}

int store_sweep_run(struct store *s, const char *id, char ret[ID_SIZE], struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_SWEEP_RUNS, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, id);
	rc = store_step(q, err);
	if (rc == 1)
		(void)snprintf(ret, ID_SIZE, "%s", store_text(q, 0));
	store_end(q);
	return rc;
}

int store_sweep_delete(struct store *s, const char *id, struct err *err)
{
	char topic[STORE_SWEEP_TOPIC_MAX];
	int rc = store_exec(s, SQL_SWEEP_RELEASE, err, "t", id);

	store_sweep_topic(id, topic);
	if (!rc)
		rc = store_exec(s, SQL_SWEEP_DELETE, err, "t", id);
	return rc ? rc : store_exec(s, SQL_EVENT_DROP, err, "t", topic);
}
