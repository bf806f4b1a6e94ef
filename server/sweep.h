/* sweep.h - the thread that turns points of sweeps into runs, a few at a time, and sees when all have ended.
 *
 * It remembers nothing: the next point stands in the sweep's row and moves in the transaction that adds the
 * point's run, so that nothing is lost or run twice wherever the server stops. Topic of all that happens to
 * a sweep: "sweep:ID". */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_SWEEP_H
#define SERVER_SWEEP_H

#include <jansson.h>
#include <stdint.h>

#include "core/base/err.h"
#include "server/event_stream.h"
#include "server/store_sweep.h"

struct event;
struct exec;
struct queue;
struct store;
struct sweep;

struct sweep_config {
	struct store *store;
	struct event *event;
	struct queue *queue;
	struct exec *exec;
	int64_t ahead;				 /* runs of one sweep that wait at once */
	int64_t storage_max_mb, storage_free_mb; /* as config.h has them */
};

/* Errors leave *ret to be freed all the same: it is told of runs already. */
int sweep_new(struct sweep **ret, const struct sweep_config *config, struct err *err) MUST_USE;
void sweep_wake(struct sweep *x); /* a sweep or one of its runs has changed; any thread */
void sweep_stop(struct sweep *x); /* no more runs are queued */
void sweep_free(struct sweep *x); /* behind sweep_stop, when nobody wakes it any more */

/* {"points", "done", "running", "queued", "pending", "fraction", "wall_s", "eta_s"}; new reference, NULL with
 * err. */
json_t *sweep_progress(struct store *s, const struct store_sweep *row, struct err *err);
/* Events behind number `after`: state, progress; ends behind the state that ends the sweep. */
int sweep_source(struct event_source *ret, struct store *s, const char *id, int64_t after,
		 struct err *err) MUST_USE;

#endif
