/* store_run.h - runs and their events in SQLite. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_RUN_H
#define SERVER_STORE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "server/id.h"
#include "server/run.h"
#include "server/store.h"

/* A row without its long texts; strings live in the arena it was read into. JSON columns are JSON
 * text. */
struct store_run {
	const char *id;
	int64_t seq, version;
	enum run_state state;
	const char *name, *tags, *notes;
	const char *preset, *experiment; /* NULL: none */
	const char *spec_sha256, *seed;
	int64_t threads, created_ms;
	int64_t started_ms, finished_ms; /* 0: not yet */
	double duration_ms, t_ms, wall_s;
	const char *digest, *counts, *metrics; /* digest NULL: none */
	bool partial;
	const char *error;	     /* NULL: none */
	int64_t keep_days;	     /* 0: for ever */
	const char *targets, *score; /* of an experiment; score NULL: none */
	const char *remarks;
	const char *verify_of, *verify_digest; /* the run it repeats; NULL: none */
	const char *owner;		       /* NULL: everybody's */
	bool pinned;			       /* keep_days does not count */
	const char *sweep;		       /* it was made for; NULL: none */
	const char *trace; /* traceparent of the request that made it; NULL: none */
};

struct store_once;

struct store_run_new {
	const char *id, *name, *tags, *notes, *preset, *experiment, *spec, *spec_sha256, *seed;
	const char *verify_of, *verify_digest; /* NULL: repeats none */
	const char *owner;		       /* NULL: everybody's */
	const char *sweep;		       /* NULL: of none */
	const char *trace;		       /* traceparent; NULL: none */
	int64_t threads, keep_days;
	int64_t owner_max;	       /* runs its owner may have waiting; 0: any number */
	const struct store_once *once; /* of the request, to be answered from the run; NULL: none */
	double duration_ms;
};

/* What a run left; NULL strings are taken as empty. */
struct store_run_end {
	double t_ms, wall_s;
	const char *digest, *provenance, *counts, *metrics, *shape, *error, *log;
	const char *targets, *score, *remarks;
	bool partial;
};

/* NULL: any. */
struct store_run_filter {
	const char *state, *preset, *tag, *q, *spec_sha256;
	const char *owner;	  /* what is this one's or nobody's */
	const char *sweep;	  /* made for this one */
	int64_t created_after_ms; /* 0: any */
	bool oldest_first;
	int64_t after_seq; /* cursor: start behind this one; 0: from the start */
	int64_t limit;
};

enum store_run_text { STORE_RUN_SPEC, STORE_RUN_PROVENANCE, STORE_RUN_SHAPE, STORE_RUN_LOG };

/* Reads: 0, -NOTFOUND or another error. */
int store_run_get(struct store *s, const char *id, struct mem_arena *arena, struct store_run *ret,
		  struct err *err) MUST_USE;
/* The newest succeeded run of a spec by this version of the engine, of `owner` (NULL: anybody) or
 * nobody. */
int store_run_by_spec(struct store *s, const char *sha256, const char *version, const char *owner,
		      struct mem_arena *arena, struct store_run *ret, struct err *err) MUST_USE;
int store_run_text(struct store *s, const char *id, enum store_run_text which,
		   struct mem_arena *arena, const char **ret, struct err *err) MUST_USE;
int store_run_list(struct store *s, const struct store_run_filter *f, struct mem_arena *arena,
		   struct store_run **ret, size_t *ret_n, struct err *err) MUST_USE;
int store_run_count(struct store *s, const struct store_run_filter *f, int64_t *ret,
		    struct err *err) MUST_USE;
/* How many runs are in each state. */
int store_run_states(struct store *s, int64_t ret[RUN_N], struct err *err) MUST_USE;
/* Ids of up to 1000 runs in a state, oldest first. */
int store_run_in_state(struct store *s, enum run_state state, char (**ret)[ID_SIZE], size_t *ret_n,
		       struct mem_arena *arena, struct err *err) MUST_USE;

/* Writes, inside the caller's store_begin / store_commit. */
int store_run_add(struct store *s, const struct store_run_new *run, struct err *err) MUST_USE;
/* Move by an event: the old state stands in the WHERE clause, so of two threads one wins; the other
 * gets -STATE. Adds the `state` event. */
int store_run_move(struct store *s, const char *id, enum run_state from, enum run_event event,
		   struct err *err) MUST_USE;
int store_run_finish(struct store *s, const char *id, const struct store_run_end *end,
		     struct err *err) MUST_USE;
int store_run_patch(struct store *s, const struct store_run *run, struct err *err) MUST_USE;
int store_run_delete(struct store *s, const char *id,
		     struct err *err) MUST_USE; /* with results and events */
/* Delete the runs whose keep_days have passed, each in a transaction of its own. */
int store_run_expire(struct store *s, struct err *err) MUST_USE;

/* An event of a run: kind and one line of JSON. Inside a write. */
int store_event_add(struct store *s, const char *run_id, const char *kind, const char *data,
		    struct err *err) MUST_USE;
/* Visit up to 100 events with seq > after, in order. */
int store_event_read(struct store *s, const char *run_id, int64_t after,
		     int (*visit)(void *self, int64_t seq, const char *kind, const char *data),
		     void *self, struct err *err) MUST_USE;
int store_event_last(struct store *s, const char *run_id, int64_t *ret_seq,
		     struct err *err) MUST_USE;

/* The same of any topic ("sweep:ID"). */
int store_topic_add(struct store *s, const char *topic, const char *kind, const char *data,
		    struct err *err) MUST_USE;
int store_topic_read(struct store *s, const char *topic, int64_t after,
		     int (*visit)(void *self, int64_t seq, const char *kind, const char *data),
		     void *self, struct err *err) MUST_USE;
int store_topic_last(struct store *s, const char *topic, int64_t *ret_seq,
		     struct err *err) MUST_USE;

#endif
