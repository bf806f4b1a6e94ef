/* store_hook.c - queries on webhooks and deliveries. */
/* SPDX-License-Identifier: MIT */
#include "server/store_hook.h"

#include <stdio.h>

#include "server/clock.h"
#include "server/store_db.h"
#include "server/store_once.h"
#include "server/store_sql.h"

enum { EVENT_MAX = 64 };

/* In the order of STORE_SQL_HOOK_COLUMNS. */
static int take(struct store_stmt *q, struct mem_arena *arena, void *row, struct err *err)
{
	struct store_hook *ret = row;
	bool failed = false;

	*ret = (struct store_hook){
		.id = store_copy(arena, q, 0, &failed),
		.seq = store_int(q, 1),
		.owner = store_copy(arena, q, 2, &failed),
		.name = store_copy(arena, q, 3, &failed),
		.url = store_copy(arena, q, 4, &failed),
		.events = store_copy(arena, q, 5, &failed),
		.secret = store_copy(arena, q, 6, &failed),
		.active = store_int(q, 7) != 0,
		.created_ms = store_int(q, 8),
	};
	return failed ? err_nomem(err) : 0;
}

/* In the order of STORE_SQL_DELIVERY_COLUMNS. */
static int take_delivery(struct store_stmt *q, struct mem_arena *arena, void *row, struct err *err)
{
	struct store_delivery *ret = row;
	bool failed = false;

	*ret = (struct store_delivery){
		.id = store_copy(arena, q, 0, &failed),
		.seq = store_int(q, 1),
		.hook_id = store_copy(arena, q, 2, &failed),
		.event = store_copy(arena, q, 3, &failed),
		.body = store_copy(arena, q, 4, &failed),
		.state = store_copy(arena, q, 5, &failed),
		.created_ms = store_int(q, 6),
		.next_ms = store_int(q, 7),
		.ended_ms = store_int(q, 8),
		.attempts = store_int(q, 9),
		.status = store_int(q, 10),
		.duration_ms = store_double(q, 11),
		.error = store_copy(arena, q, 12, &failed),
		.trace = store_copy(arena, q, 13, &failed),
	};
	return failed ? err_nomem(err) : 0;
}

/* And where it goes. */
static int take_due(struct store_stmt *q, struct mem_arena *arena, void *row, struct err *err)
{
	struct store_delivery *ret = row;
	bool failed = false;
	int rc = take_delivery(q, arena, row, err);

	if (rc)
		return rc;
	ret->url = store_copy(arena, q, 14, &failed);
	ret->secret = store_copy(arena, q, 15, &failed);
	return failed ? err_nomem(err) : 0;
}

static int missing(struct err *err)
{
	return err_set(err, ERR_NOTFOUND, NULL, "there is no webhook of this id");
}

/* ---- webhooks ---- */

int store_hook_get(struct store *s, const char *id, struct mem_arena *arena, struct store_hook *ret,
		   struct err *err)
{
	struct store_rows rows;
	int rc;

	*ret = (struct store_hook){ 0 };
	rows = (struct store_rows){ take, arena, ret, sizeof(*ret), 1 };
	rc = store_read(s, SQL_HOOK_GET, &rows, err, "t", id);
	return rc || rows.n ? rc : missing(err);
}

int store_hook_list(struct store *s, int64_t seq, const char *owner, size_t n,
		    struct mem_arena *arena, struct store_hook *ret, size_t *ret_n, struct err *err)
{
	struct store_rows rows = { take, arena, ret, sizeof(*ret), n };
	int rc = store_read(s, SQL_HOOK_LIST, &rows, err, "iti", seq, owner, (int64_t)n);

	if (!rc)
		*ret_n = rows.n;
	return rc;
}

/* Inside a write. */
static int room(struct store *s, int64_t max, struct err *err)
{
	int64_t n = 0;
	int rc = store_number(s, SQL_HOOK_COUNT, &n, err, "");

	return rc || n < max ? rc
			     : err_set(err, ERR_LIMIT, "",
				       "there are %lld webhooks already, as many as this server "
				       "keeps; delete some",
				       (long long)max);
}

int store_hook_add(struct store *s, const struct store_hook *h, const struct store_once *once,
		   int64_t max, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = room(s, max, err);
	if (!rc)
		rc = store_exec(s, SQL_HOOK_ADD, err, "ttttttii", h->id, h->owner, h->name, h->url,
				h->events, h->secret, (int64_t)h->active, h->created_ms);
	if (!rc)
		rc = store_once_made(s, once, h->id, true, err);
	return store_conclude(s, rc, err);
}

/* End a write that was to change one row. */
static int conclude_one(struct store *s, int rc, struct err *err)
{
	if (!rc && store_changes(s) != 1)
		rc = missing(err);
	return store_conclude(s, rc, err);
}

int store_hook_change(struct store *s, const struct store_hook *h, struct err *err)
{
	int rc = store_exec(s, SQL_HOOK_CHANGE, err, "tttti", h->id, h->name, h->url, h->events,
			    (int64_t)h->active);

	return !rc && store_changes(s) != 1 ? missing(err) : rc;
}

int store_hook_drop(struct store *s, const char *id, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	return conclude_one(s, store_exec(s, SQL_HOOK_DELETE, err, "t", id), err);
}

int store_hook_test(struct store *s, const char *id, const char *delivery, const char *trace,
		    const struct store_once *once, struct err *err)
{
	int64_t now = clock_wall_ms();
	char at[CLOCK_TEXT_MAX];
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = store_exec(s, SQL_HOOK_TEST, err, "tttit", id, delivery, clock_text(now, at), now,
			trace);
	if (!rc && store_changes(s) != 1)
		rc = missing(err);
	if (!rc)
		rc = store_once_made(s, once, delivery, true, err);
	return store_conclude(s, rc, err);
}

/* ---- what happened ---- */

int store_hook_tell(struct store *s, enum store_hook_kind kind, const char *id, const char *state,
		    struct err *err)
{
	static const struct {
		const char *name;
		int sql_id;
	} kinds[] = {
		[STORE_HOOK_RUN] = { "run", SQL_HOOK_TELL_RUN },
		[STORE_HOOK_SESSION] = { "session", SQL_HOOK_TELL_SESSION },
		[STORE_HOOK_SWEEP] = { "sweep", SQL_HOOK_TELL_SWEEP },
	};
	int64_t now = clock_wall_ms();
	char at[CLOCK_TEXT_MAX], event[EVENT_MAX];

	(void)snprintf(event, sizeof(event), "%s.%s", kinds[kind].name, state);
	return store_exec(s, kinds[kind].sql_id, err, "ttti", id, event, clock_text(now, at), now);
}

/* ---- deliveries ---- */

int store_hook_deliveries(struct store *s, const char *id, int64_t seq, const char *state, size_t n,
			  struct mem_arena *arena, struct store_delivery *ret, size_t *ret_n,
			  struct err *err)
{
	struct store_rows rows = { take_delivery, arena, ret, sizeof(*ret), n };
	int rc = store_read(s, SQL_HOOK_DELIVERIES, &rows, err, "titi", id, seq, state, (int64_t)n);

	if (!rc)
		*ret_n = rows.n;
	return rc;
}

int store_hook_delivery(struct store *s, const char *id, struct mem_arena *arena,
			struct store_delivery *ret, struct err *err)
{
	struct store_rows rows = { take_delivery, arena, ret, sizeof(*ret), 1 };
	int rc = store_read(s, SQL_HOOK_DELIVERY, &rows, err, "t", id);

	return rc || rows.n ? rc
			    : err_set(err, ERR_NOTFOUND, NULL, "there is no delivery of this id");
}

int store_hook_due(struct store *s, const struct store_hook_due *due, struct mem_arena *arena,
		   struct store_delivery *ret, size_t *ret_n, struct err *err)
{
	struct store_rows rows = { take_due, arena, ret, sizeof(*ret), due->n };
	int rc = store_read(s, SQL_HOOK_DUE, &rows, err, "iiii", due->now_ms, due->far_ms,
			    due->per_hook, (int64_t)due->n);

	if (!rc)
		*ret_n = rows.n;
	return rc;
}

int store_hook_next(struct store *s, int64_t now_ms, int64_t *ret, struct err *err)
{
	return store_number(s, SQL_HOOK_NEXT, ret, err, "i", now_ms);
}

int store_hook_tried(struct store *s, const struct store_delivery *d, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = store_exec(s, SQL_HOOK_TRIED, err, "ttiidti", d->id, d->state, d->next_ms, d->status,
			d->duration_ms, d->error, clock_wall_ms());
	if (!rc && !d->next_ms)
		rc = store_exec(s, SQL_HOOK_FORGET, err, "t", d->id);
	return store_conclude(s, rc, err);
}
