/* queue.h - which run starts next: first come, first served, bounded.
 *
 * It has no memory of its own: queued runs are rows. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_QUEUE_H
#define SERVER_QUEUE_H

#include <stdint.h>

#include "core/base/err.h"
#include "server/id.h"
#include "server/store_run.h"

struct queue;

int queue_new(struct queue **ret, struct store *store, int64_t max, struct err *err) MUST_USE;
void queue_free(struct queue *q);
/* Add a run; inside the caller's store_begin / store_commit. -QUEUEFULL when `max` are waiting,
 * -QUOTA when its owner has as many as allowed. */
int queue_push(struct queue *q, const struct store_run_new *run, struct err *err) MUST_USE;
/* The run to start next; -NOTFOUND: none waits. */
int queue_next(struct queue *q, char ret_id[ID_SIZE], struct err *err) MUST_USE;
/* Place of a queued run, 1 = next. */
int queue_position(struct queue *q, const struct store_run *run, int64_t *ret,
		   struct err *err) MUST_USE;
int queue_length(struct queue *q, int64_t *ret, struct err *err) MUST_USE;

#endif
