/* queue.c - the queue as queries. */
/* SPDX-License-Identifier: MIT */
#include "server/queue.h"

#include <stdio.h>

#include "core/base/mem.h"
#include "server/store_db.h"
#include "server/store_space.h"
#include "server/store_sql.h"

struct queue {
	struct store *store;
	int64_t max;
};

int queue_new(struct queue **ret, struct store *store, int64_t max, struct err *err)
{
	struct queue *q = mem_alloc(1, sizeof(*q));

	if (!q)
		return err_nomem(err);
	q->store = store;
	q->max = max;
	*ret = q;
	return 0;
}

void queue_free(struct queue *q)
{
	mem_free(q);
}

int queue_length(struct queue *q, int64_t *ret, struct err *err)
{
	return store_number(q->store, SQL_RUN_QUEUED, ret, err, "");
}

int queue_push(struct queue *q, const struct store_run_new *run, struct err *err)
{
	int64_t n = 0;
	int rc = queue_length(q, &n, err);

	if (rc)
		return rc;
	if (n >= q->max)
		return err_set(err, ERR_QUEUEFULL, NULL,
			       "%lld runs are waiting already; try again later", (long long)n);
	rc = run->owner && run->owner_max ? store_space_runs(q->store, run->owner, &n, err) : 0;
	if (!rc && run->owner && run->owner_max)
		rc = store_space_allow("runs that wait", n, run->owner_max, err);
	return rc ? rc : store_run_add(q->store, run, err);
}

int queue_next(struct queue *q, char ret_id[ID_SIZE], struct err *err)
{
	struct store_stmt *st = NULL;
	int rc = store_start(&st, q->store, SQL_RUN_NEXT, err);

	if (rc)
		return rc;
	rc = store_step(st, err);
	if (rc == 1)
		(void)snprintf(ret_id, ID_SIZE, "%s", store_text(st, 0));
	store_end(st);
	if (rc < 0)
		return rc;
	return rc == 1 ? 0 : err_set(err, ERR_NOTFOUND, NULL, "no run is waiting");
}

int queue_position(struct queue *q, const struct store_run *run, int64_t *ret, struct err *err)
{
	return store_number(q->store, SQL_RUN_POSITION, ret, err, "i", run->seq);
}
