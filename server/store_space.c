/* store_space.c - sizes and counts. */
/* SPDX-License-Identifier: MIT */
#include "server/store_space.h"

#include "server/store_db.h"
#include "server/store_sql.h"

int store_space_pages(struct store *s, int64_t *ret_all, int64_t *ret_free, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_SPACE_PAGES, err);

	if (rc)
		return rc;
	rc = store_step(q, err);
	if (rc == 1) {
		*ret_all = store_int(q, 0);
		*ret_free = store_int(q, 1);
	}
	store_end(q);
	return rc < 0 ? rc : 0;
}

/* Inside a write: a row is a page. */
static int vacuum(struct store *s, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_SPACE_VACUUM, err);

	if (rc)
		return rc;
	do
		rc = store_step(q, err);
	while (rc == 1);
	store_end(q);
	return rc;
}

int store_space_vacuum(struct store *s, bool *ret_more, struct err *err)
{
	int64_t all = 0, before = 0, after = 0;
	int rc = store_space_pages(s, &all, &before, err);

	*ret_more = false;
	if (rc || !before)
		return rc;
	rc = store_begin(s, err);
	if (rc)
		return rc;
	rc = store_conclude(s, vacuum(s, err), err);
	if (!rc)
		rc = store_space_pages(s, &all, &after, err);
	*ret_more = !rc && after && after < before;
	return rc;
}

int store_space_runs(struct store *s, const char *owner, int64_t *ret, struct err *err)
{
	return store_number(s, SQL_QUOTA_RUNS, ret, err, "t", owner);
}

int store_space_sessions(struct store *s, const char *owner, int64_t *ret, struct err *err)
{
	return store_number(s, SQL_SESSION_COUNT, ret, err, "t", owner);
}

int store_space_bytes(struct store *s, const char *owner, int64_t *ret, struct err *err)
{
	return store_number(s, SQL_QUOTA_BYTES, ret, err, "t", owner);
}

int store_space_allow(const char *what, int64_t used, int64_t max, struct err *err)
{
	if (!max || used < max)
		return 0;
	return err_set(err, ERR_QUOTA, NULL, "%s: found %lld, this token's limit is %lld", what,
		       (long long)used, (long long)max);
}
