/* exec.h - the executor: starts what is queued, watches it, stops what is cancelled, brings the
 * harvest in.
 *
 * One thread owns all children; another moves what ended ones left into the store, so that a cancel
 * never waits for somebody else's results. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_EXEC_H
#define SERVER_EXEC_H

#include <stdint.h>

#include "core/base/err.h"

struct event;
struct exec;
struct queue;
struct store;

struct exec_config {
	struct store *store;
	struct event *event;
	struct queue *queue;
	const char *runner; /* path of stdp-run */
	int64_t slots;	    /* simulations at once */
	int64_t memory_mb;  /* of one simulation */
	int64_t file_mb;    /* of one file it writes */
	double wall_max_s;
	double checkpoint_s;
};

/* Bring what an earlier server left into order (interrupted runs are queued again and go on from
 * their checkpoints, cancelled ones end), then start. */
int exec_new(struct exec **ret, const struct exec_config *config, struct err *err) MUST_USE;
/* A run was queued or is to be cancelled: look now. Any thread. */
void exec_wake(struct exec *e);
/* A `running` run whose folder is complete is brought in as one whose process ended well. Any thread. */
void exec_harvest(struct exec *e, const char *id);
/* Stop in order: children are told to stop, their runs are `interrupted`, all that ended is brought
 * in. */
void exec_free(struct exec *e);

#endif
