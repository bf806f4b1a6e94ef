/* park.h - the table of those that wait: put to sleep, woken by topic or by time, never missed.
 *
 * Sleeping and waking are callbacks made under the table's lock. Who is about to wait first calls
 * park_look, then looks at what it waits for, then calls park_wait: a wake-up in between is
 * noticed. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_PARK_H
#define SERVER_PARK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

struct park;

struct park_place {
	const char *topics; /* one or more, blanks between; the owner's; constant while it sleeps */
	void *sleeper;	    /* for the callbacks */
	/* the table's own: */
	uint64_t seen;
	double wake_at;
	bool due;
	struct park_place *next, *prev;
};

enum park_result { PARK_ASLEEP, PARK_AGAIN, PARK_STOPPING };

int park_new(struct park **ret, void (*sleep)(void *sleeper), void (*wake)(void *sleeper),
	     struct err *err) MUST_USE;
void park_free(struct park *p);
/* Wake-ups from now on will not be missed. True: the last sleep ended by time. */
bool park_look(struct park *p, struct park_place *place);
/* Sleep until one of its topics is woken or monotonic second wake_at. AGAIN: woken since park_look, look
 * again. */
enum park_result park_wait(struct park *p, struct park_place *place, double wake_at);
void park_wake(struct park *p, const char *topic);
/* Wake all; nobody sleeps any more. */
void park_stop(struct park *p);

#endif
