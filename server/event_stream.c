/* event_stream.c - events as lines. */
/* SPDX-License-Identifier: MIT */
#include "server/event_stream.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "server/store_run.h"

struct part {
	struct event_source source;
	char *topic; /* NULL: the stream is its alone */
};

struct stream {
	struct part *parts; /* [n] */
	size_t n, at;	    /* the one that speaks */
	bool greeted;
	struct buf *out; /* while reading */
};

static void add_id(struct stream *st)
{
	for (size_t i = 0; i < st->n; i++)
		(void)buf_printf(st->out, "%s%s", i ? "," : "id: ", st->parts[i].source.place);
	(void)buf_char(st->out, '\n');
}

static void say(void *self, const char *place, const char *kind, const char *data)
{
	struct stream *st = self;
	struct part *p = &st->parts[st->at];

	if (place) {
		(void)snprintf(p->source.place, sizeof(p->source.place), "%s", place);
		add_id(st);
	}
	(void)buf_printf(st->out, "event: %s\ndata: ", kind);
	if (p->topic && data[0] == '{')
		(void)buf_printf(st->out, "{\"topic\":\"%s\"%s%s\n\n", p->topic,
				 data[1] == '}' ? "" : ",", data + 1);
	else
		(void)buf_printf(st->out, "%s\n\n", data);
}

static int stream_read(void *self, struct buf *out, bool *end)
{
	struct stream *st = self;
	const struct event_sink sink = { .self = st, .say = say };
	int rc = 0;

	st->out = out;
	if (!st->greeted) { /* an id without data: nothing happens, but a reconnect begins there */
		(void)buf_str(out, "retry: 2000\n");
		add_id(st);
		(void)buf_char(out, '\n');
	}
	st->greeted = true;
	*end = true;
	for (st->at = 0; !rc && st->at < st->n; st->at++) {
		struct part *p = &st->parts[st->at];

		if (!p->source.ended)
			rc = p->source.read(p->source.self, &sink, &p->source.ended);
		*end = *end && p->source.ended;
	}
	return rc;
}

static void stream_free(void *self)
{
	struct stream *st = self;

	for (size_t i = 0; i < st->n; i++) {
		if (st->parts[i].source.free)
			st->parts[i].source.free(st->parts[i].source.self);
		mem_free(st->parts[i].topic);
	}
	mem_free(st->parts);
	mem_free(st);
}

int event_stream_many(struct http_stream *ret, const struct event_source *sources,
		      const char *const *topics, size_t n, struct err *err)
{
	struct stream *st = mem_alloc(1, sizeof(*st));
	struct part *parts = mem_alloc(n, sizeof(*parts));
	bool ok = st && parts;

	for (size_t i = 0; i < n; i++) {
		if (!ok) {
			sources[i].free(sources[i].self);
			continue;
		}
		parts[i].source = sources[i];
	}
	if (!ok) {
		mem_free(parts);
		mem_free(st);
		return err_nomem(err);
	}
	*st = (struct stream){ .parts = parts, .n = n };
	for (size_t i = 0; topics && i < n; i++) {
		parts[i].topic = mem_strdup(topics[i]);
		ok = ok && parts[i].topic;
	}
	if (!ok) {
		stream_free(st);
		return err_nomem(err);
	}
	*ret = (struct http_stream){ .self = st, .read = stream_read, .free = stream_free };
	return 0;
}

int event_stream_one(struct http_stream *ret, struct event_source source, struct err *err)
{
	return event_stream_many(ret, &source, NULL, 1, err);
}

bool event_stream_place(const char *id, size_t n, size_t i, char place[EVENT_PLACE_MAX])
{
	const char *at = id;
	size_t commas = 0, len;

	for (const char *p = id; *p; p++)
		commas += *p == ',';
	if (commas + 1 != n)
		return false;
	for (; i > 0; i--)
		at = strchr(at, ',') + 1;
	len = strcspn(at, ",");
	if (len + 1 > EVENT_PLACE_MAX)
		return false;
	(void)snprintf(place, EVENT_PLACE_MAX, "%.*s", (int)len, at);
	return true;
}

/* ---- stored topics ---- */

struct visit {
	struct event_stored *st;
	const struct event_sink *to;
};

static int on_event(void *self, int64_t seq, const char *kind, const char *data)
{
	struct visit *v = self;
	char place[EVENT_PLACE_MAX];

	v->st->after = seq;
	(void)snprintf(place, sizeof(place), "%lld", (long long)seq);
	v->to->say(v->to->self, place, kind, data);
	if (strcmp(kind, "state") ==
	    0) { /* it may go on after an interruption: the last one tells */
		json_t *json = json_loads(data, 0, NULL);
		const char *state = json_string_value(json_object_get(json, "state"));

		v->st->ended = state && v->st->final(state);
		json_decref(json);
	}
	return 0;
}

int event_stored_read(struct event_stored *st, const struct event_sink *to)
{
	struct visit v = { .st = st, .to = to };
	int64_t before;
	int rc;

	do {
		before = st->after;
		rc = store_topic_read(st->s, st->topic, st->after, on_event, &v, NULL);
	} while (!rc && st->after != before && !st->ended);
	return rc;
}
