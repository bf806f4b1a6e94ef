/* event.h - what watchers of a run hear: its events (rows) and the latest progress (memory only).
 */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_EVENT_H
#define SERVER_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "server/event_stream.h"
#include "server/http.h"

struct store;
struct event;

enum { EVENT_TOPIC_MAX = 48 };
#define EVENT_TOPIC_HOOK "hook" /* the outbox of webhooks may have grown */

struct event_progress {
	double t_ms, duration_ms, wall_s;
	uint64_t version; /* grows with every report of this run; set by event */
};

int event_new(struct event **ret, struct err *err) MUST_USE;
void event_free(struct event *e);
/* Who wakes the watchers of a topic; until then nobody is woken. NULL: nobody any more. */
void event_bind(struct event *e, void (*wake)(void *self, const char *topic), void *self);

/* Be told, too, when something about a run changed in the store: at once, by the thread that changed it, so
 * `changed` must not wait. For the life of e; at most four. */
void event_observe(struct event *e, void (*changed)(void *self, const char *run_id), void *self);
/* Wake the watchers of any topic. */
void event_wake_topic(struct event *e, const char *topic);
/* Something about a run changed in the store: wake its watchers. After the commit. */
void event_wake(struct event *e, const char *run_id);
/* A report of a running run; watchers are woken at most five times a second. */
void event_report(struct event *e, const char *run_id, const struct event_progress *p);
/* The latest report; false: none. */
bool event_latest(struct event *e, const char *run_id, struct event_progress *ret);
void event_forget(struct event *e, const char *run_id);

/* {"t_ms", "duration_ms", "fraction", "wall_s", "real_time_factor", "eta_s"}; the factor is wall
 * time over simulated time. New reference, NULL: no memory. */
json_t *event_progress_json(double t_ms, double duration_ms, double wall_s, bool finished);

/* "run:ID" */
void event_topic(const char *run_id, char topic[EVENT_TOPIC_MAX]);
/* The events of a run behind event number `after`: state, progress, log; ends behind the
 * state that ends the run. */
int event_run_source(struct event_source *ret, struct event *e, struct store *s, const char *run_id,
		     int64_t after, struct err *err) MUST_USE;

#endif
