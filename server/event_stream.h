/* event_stream.h - server-sent events: a stream of one source, or of many, each under its topic.
 *
 * A source says what is new since it was last read; each event that a reconnect may begin behind has a place,
 * a short text. The id of an event is its place; in a stream of many it is the places of all, in the order of
 * the topics, with commas between. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_EVENT_STREAM_H
#define SERVER_EVENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"
#include "server/http.h"

struct store;

enum { EVENT_PLACE_MAX = 40, EVENT_TOPICS_MAX = 64 };

/* Where a source puts its events. */
struct event_sink {
	void *self;
	/* place NULL: not to be found again (progress); data: one line, a JSON object. */
	void (*say)(void *self, const char *place, const char *kind, const char *data);
};

struct event_source {
	char place[EVENT_PLACE_MAX]; /* where it begins */
	bool ended;		     /* nothing more will come of it */
	void *self;
	int (*read)(void *self, const struct event_sink *to, bool *end);
	void (*free)(void *self);
};

/* Take the source over; also when it fails. */
int event_stream_one(struct http_stream *ret, struct event_source source, struct err *err) MUST_USE;
/* The same of n sources; topics[n] are copied. It ends when all have. */
int event_stream_many(struct http_stream *ret, const struct event_source *sources,
		      const char *const *topics, size_t n, struct err *err) MUST_USE;
/* Part i of a composed id into place; false: it has not n parts, or none that fits. */
bool event_stream_place(const char *id, size_t n, size_t i, char place[EVENT_PLACE_MAX]);

/* What is stored of a topic, to be embedded in a source: read says what is new. */
struct event_stored {
	struct store *s;
	char topic[48];
	int64_t after;			  /* number of the last event said */
	bool (*final)(const char *state); /* whether a state ends it */
	bool ended;
};
int event_stored_read(struct event_stored *st, const struct event_sink *to);

#endif
