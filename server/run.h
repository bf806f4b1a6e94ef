/* run.h - states of a run and the moves between them; pure.
 *
 *   queued -> running -> succeeded | failed | timed_out | interrupted
 *   queued -> cancelled;  running -> cancelling -> cancelled | succeeded (it ended first)
 *   interrupted -> queued | cancelled */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_RUN_H
#define SERVER_RUN_H

#include <stdbool.h>

/* state, final */
// clang-format off
#define RUN_STATES(X) \
	X(QUEUED, queued, false) \
	X(RUNNING, running, false) \
	X(CANCELLING, cancelling, false) \
	X(INTERRUPTED, interrupted, false) \
	X(SUCCEEDED, succeeded, true) \
	X(FAILED, failed, true) \
	X(TIMED_OUT, timed_out, true) \
	X(CANCELLED, cancelled, true)
// clang-format on

enum run_state {
#define X(name, text, final) RUN_##name,
	RUN_STATES(X)
#undef X
		RUN_N
};

/* What happens to a run. */
enum run_event {
	RUN_START,     /* its process was started */
	RUN_END,       /* the process ended and left a whole result */
	RUN_FAIL,      /* the process ended with an error or died */
	RUN_TIME_OUT,  /* over its wall time */
	RUN_CANCEL,    /* somebody asked for it */
	RUN_STOPPED,   /* the process ended because of a cancel */
	RUN_INTERRUPT, /* the server stops, or stopped without asking */
	RUN_REQUEUE,   /* the server is back */
	RUN_EVENT_N
};

const char *run_state_name(enum run_state s);
bool run_state_final(enum run_state s);
/* RUN_N: no state of this name. */
enum run_state run_state_find(const char *name);
/* Where `event` leads from `from`; RUN_N: not allowed there. */
enum run_state run_next(enum run_state from, enum run_event event);
/* What the end of a process means: its exit code as error code (0, ERR_CRASHED when a signal killed
 * it). */
enum run_event run_event_of(enum run_state from, int code);

#endif
