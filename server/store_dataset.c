/* store_dataset.c - queries on data sets. */
/* SPDX-License-Identifier: MIT */
#include "server/store_dataset.h"

#include "server/store_db.h"
#include "server/store_once.h"
#include "server/store_sql.h"

int store_dataset_add(struct store *s, const struct store_dataset *d, const struct store_once *once,
		      struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = store_exec(s, SQL_DATASET_ADD, err, "ttttiitt", d->id, d->name, d->kind, d->sha256,
			d->bytes, d->created_ms, d->fields, d->owner);
	if (!rc)
		rc = store_once_made(s, once, d->id, true, err);
	return store_conclude(s, rc, err);
}

static int take(struct store_stmt *q, struct mem_arena *arena, void *row, struct err *err)
{
	struct store_dataset *ret = row;
	*ret = (struct store_dataset){
		.id = mem_arena_strdup(arena, store_text(q, 0)),
		.seq = store_int(q, 1),
		.name = mem_arena_strdup(arena, store_text(q, 2)),
		.kind = mem_arena_strdup(arena, store_text(q, 3)),
		.sha256 = mem_arena_strdup(arena, store_text(q, 4)),
		.bytes = store_int(q, 5),
		.created_ms = store_int(q, 6),
		.fields = mem_arena_strdup(arena, store_text(q, 7)),
	};
	if (!store_is_null(q, 8)) {
		ret->owner = mem_arena_strdup(arena, store_text(q, 8));
		if (!ret->owner)
			return err_nomem(err);
	}
	if (!ret->id || !ret->name || !ret->kind || !ret->sha256 || !ret->fields)
		return err_nomem(err);
	return 0;
}

int store_dataset_get(struct store *s, const char *id, struct mem_arena *arena,
		      struct store_dataset *ret, struct err *err)
{
	struct store_rows rows;
	int rc;

	*ret = (struct store_dataset){ 0 };
	rows = (struct store_rows){ take, arena, ret, sizeof(*ret), 1 };
	rc = store_read(s, SQL_DATASET_GET, &rows, err, "t", id);
	return rc || rows.n ? rc
			    : err_set(err, ERR_NOTFOUND, NULL, "there is no data set %.40s", id);
}

int store_dataset_list(struct store *s, int64_t seq, const char *owner, struct mem_arena *arena,
		       struct store_dataset *ret, size_t *n, struct err *err)
{
	struct store_rows rows = { take, arena, ret, sizeof(*ret), *n };
	int rc = store_read(s, SQL_DATASET_LIST, &rows, err, "iit", seq, (int64_t)*n, owner);

	if (!rc)
		*n = rows.n;
	return rc;
}

/* Inside a write. */
static int drop(struct store *s, const char *id, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_DATASET_USED, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, id);
	rc = store_step(q, err);
	if (rc == 1)
		rc = err_set(err, ERR_STATE, NULL, "%s has not ended and needs this data set",
			     store_text(q, 0));
	store_end(q);
	if (!rc)
		rc = store_exec(s, SQL_DATASET_DROP, err, "t", id);
	if (!rc && store_changes(s) == 0)
		rc = err_set(err, ERR_NOTFOUND, NULL, "there is no data set %.40s", id);
	return rc;
}

int store_dataset_drop(struct store *s, const char *id, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = drop(s, id, err);
	return store_conclude(s, rc, err);
}
