/* run.c - the table of moves. */
/* SPDX-License-Identifier: MIT */
#include "server/run.h"

#include <stddef.h>
#include <string.h>

#include "core/base/err.h"

static const struct {
	const char *name;
	bool final;
} states[RUN_N] = {
#define X(state, text, fin) [RUN_##state] = { #text, fin },
	RUN_STATES(X)
#undef X
};

static const struct {
	enum run_state from;
	enum run_event event;
	enum run_state to;
} moves[] = {
	{ RUN_QUEUED, RUN_START, RUN_RUNNING },
	{ RUN_QUEUED, RUN_CANCEL, RUN_CANCELLED },
	{ RUN_QUEUED, RUN_FAIL, RUN_FAILED }, /* it could not be started */
	{ RUN_RUNNING, RUN_END, RUN_SUCCEEDED },
	{ RUN_RUNNING, RUN_FAIL, RUN_FAILED },
	{ RUN_RUNNING, RUN_TIME_OUT, RUN_TIMED_OUT },
	{ RUN_RUNNING, RUN_CANCEL, RUN_CANCELLING },
	{ RUN_RUNNING, RUN_INTERRUPT, RUN_INTERRUPTED },
	{ RUN_CANCELLING, RUN_END, RUN_SUCCEEDED },
	{ RUN_CANCELLING, RUN_STOPPED, RUN_CANCELLED },
	{ RUN_INTERRUPTED, RUN_REQUEUE, RUN_QUEUED },
	{ RUN_INTERRUPTED, RUN_CANCEL, RUN_CANCELLED },
};

const char *run_state_name(enum run_state s)
{
	return s < RUN_N ? states[s].name : "unknown";
}

bool run_state_final(enum run_state s)
{
	return s < RUN_N && states[s].final;
}

enum run_state run_state_find(const char *name)
{
	int s = 0;

	while (s < RUN_N && strcmp(states[s].name, name) != 0)
		s++;
	return (enum run_state)s;
}

enum run_state run_next(enum run_state from, enum run_event event)
{
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (moves[i].from == from && moves[i].event == event)
			return moves[i].to;
	return RUN_N;
}

enum run_event run_event_of(enum run_state from, int code)
{
	if (code == ERR_OK)
		return RUN_END;
	if (from == RUN_CANCELLING)
		return RUN_STOPPED; /* whatever else it says: somebody wanted it to end */
	if (code == ERR_TIMEOUT)
		return RUN_TIME_OUT;
	return code == ERR_INTERRUPTED ? RUN_INTERRUPT : RUN_FAIL;
}
