/* store_sweep.h - sweeps and their points in SQLite. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_SWEEP_H
#define SERVER_STORE_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "server/id.h"
#include "server/run.h"
#include "server/store.h"

/* A row; strings live in the arena it was read into. NULL: none. */
struct store_sweep {
	const char *id;
	int64_t seq, version;
	const char *state; /* running, cancelling, cancelled, finished */
	const char *name, *tags, *notes, *owner, *preset, *experiment;
	const char *spec;	  /* only for store_sweep_add; else store_sweep_spec */
	const char *axes, *seeds; /* JSON */
	const char *metric, *goal;
	const char *trace; /* traceparent of the request that made it */
	int64_t threads, keep_days, quota_runs, quota_mb; /* 0: for ever, no limit */
	bool reuse;
	int64_t points, next_point;
	int64_t created_ms, finished_ms; /* 0: not yet */
};

struct store_sweep_filter {
	const char *state, *owner, *tag, *q; /* NULL: any */
	int64_t below_seq, limit;
};

/* A point that has its run. */
struct store_sweep_point {
	int64_t point;
	const char *run_id;
	bool reused;
	enum run_state state;		      /* RUN_N: the run was deleted */
	const char *metrics, *score, *digest; /* JSON; score and digest NULL: none */
	double wall_s;
};

int store_sweep_get(struct store *s, const char *id, struct mem_arena *arena,
		    struct store_sweep *ret, struct err *err) MUST_USE;
int store_sweep_spec(struct store *s, const char *id, struct mem_arena *arena, const char **ret,
		     struct err *err) MUST_USE;
/* At most f->limit, newest first. */
int store_sweep_list(struct store *s, const struct store_sweep_filter *f, struct mem_arena *arena,
		     struct store_sweep *rows, size_t *ret_n, struct err *err) MUST_USE;
/* Those that are not over, oldest first, at most 1000. */
int store_sweep_active(struct store *s, struct mem_arena *arena, struct store_sweep **ret,
		       size_t *ret_n, struct err *err) MUST_USE;
/* How many of its own runs are in each state that is not final. */
int store_sweep_live(struct store *s, const char *id, int64_t ret[RUN_N], struct err *err) MUST_USE;
/* How many of its points have a run in each state; ret[RUN_N]: deleted. */
int store_sweep_states(struct store *s, const char *id, int64_t ret[RUN_N + 1], int64_t *ret_reused,
		       struct err *err) MUST_USE;
/* Visit the points that have runs, in order. */
int store_sweep_points(struct store *s, const char *id,
		       int (*visit)(void *self, const struct store_sweep_point *p), void *self,
		       struct err *err) MUST_USE;
/* Visit the succeeded points with their value of a metric, or of the score of this name, where they have
 * one. */
int store_sweep_values(struct store *s, const char *id, const char *metric,
		       int (*visit)(void *self, int64_t point, const char *run_id, double value),
		       void *self, struct err *err) MUST_USE;
/* The score of its first run that left one, JSON; *ret NULL: none did. */
int store_sweep_score(struct store *s, const char *id, struct mem_arena *arena, const char **ret,
		      struct err *err) MUST_USE;

/* Writes, inside the caller's store_begin / store_commit. */
int store_sweep_add(struct store *s, const struct store_sweep *row, struct err *err) MUST_USE;
/* Point `point`, which is the next one, has this run; -STATE: the sweep is over or further. */
int store_sweep_step(struct store *s, const char *id, int64_t point, const char *run_id,
		     bool reused, struct err *err) MUST_USE;
/* From one state to another, with its event; -STATE: it is not in `from`. */
int store_sweep_move(struct store *s, const struct store_sweep *row, const char *to,
		     struct err *err) MUST_USE;
/* Cancel its runs; ids of those that are concerned, in the arena. */
int store_sweep_cancel(struct store *s, const char *id, struct mem_arena *arena,
		       char (**ret)[ID_SIZE], size_t *ret_n, struct err *err) MUST_USE;
/* A run of its own that is not pinned: 1 and its id; 0: none. */
int store_sweep_run(struct store *s, const char *id, char ret[ID_SIZE], struct err *err) MUST_USE;
/* Its runs stay and are of no sweep then. */
int store_sweep_delete(struct store *s, const char *id, struct err *err) MUST_USE;

/* "sweep:ID" */
enum { STORE_SWEEP_TOPIC_MAX = 48 };
void store_sweep_topic(const char *id, char topic[STORE_SWEEP_TOPIC_MAX]);

#endif
