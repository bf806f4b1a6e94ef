/* event.c - progress table and event streams. */
/* SPDX-License-Identifier: MIT */
#include "server/event.h"

#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "server/clock.h"
#include "server/dump.h"
#include "server/lock.h"
#include "server/store_run.h"

static const double WAKE_EVERY_S = 0.2;

struct report {
	char id[ID_SIZE]; /* "": free */
	struct event_progress p;
	double woken_at; /* monotonic */
};

struct event {
	struct lock lock; /* owns all below */
	void (*wake)(void *self, const char *topic);
	void *self;
	size_t n, cap;
	struct report *reports; /* [n], one a running run */
};

int event_new(struct event **ret, struct err *err)
{
	struct event *e = mem_alloc(1, sizeof(*e));

	if (!e)
		return err_nomem(err);
	lock_init(&e->lock);
	*ret = e;
	return 0;
}

void event_free(struct event *e)
{
	if (!e)
		return;
	lock_release(&e->lock);
	mem_free(e->reports);
	mem_free(e);
}

void event_bind(struct event *e, void (*wake)(void *self, const char *topic), void *self)
{
	lock_take(&e->lock);
	e->wake = wake;
	e->self = self;
	lock_drop(&e->lock);
}

void event_topic(const char *run_id, char topic[EVENT_TOPIC_MAX])
{
	(void)snprintf(topic, EVENT_TOPIC_MAX, "run:%s", run_id);
}

void event_wake_topic(struct event *e, const char *topic)
{
	void (*wake)(void *self, const char *topic);
	void *self;

	lock_take(&e->lock);
	wake = e->wake;
	self = e->self;
	lock_drop(&e->lock);
	if (wake)
		wake(self, topic);
}

void event_wake(struct event *e, const char *run_id)
{
	char topic[EVENT_TOPIC_MAX];

	event_topic(run_id, topic);
	event_wake_topic(e, topic);
}

static struct report *find(struct event *e, const char *id) LOCK_NEEDS(e->lock)
{
	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->reports[i].id, id) == 0)
			return &e->reports[i];
	return NULL;
}

/* A place for a new run; NULL: no memory. */
static struct report *place(struct event *e, const char *id) LOCK_NEEDS(e->lock)
{
	struct report *r = find(e, "");

	if (!r && e->n == e->cap) {
		size_t cap = e->cap ? 2 * e->cap : 8;
		struct report *grown = mem_resize(e->reports, cap, sizeof(*grown));

		if (!grown)
			return NULL;
		e->reports = grown;
		e->cap = cap;
	}
	if (!r)
		r = &e->reports[e->n++];
	memset(r, 0, sizeof(*r));
	(void)snprintf(r->id, sizeof(r->id), "%s", id);
	return r;
}

void event_report(struct event *e, const char *run_id, const struct event_progress *p)
{
	double now = clock_mono_s();
	bool due = false;
	struct report *r;

	lock_take(&e->lock);
	r = find(e, run_id);
	if (!r)
		r = place(e, run_id);
	if (r) { /* without memory there is simply no progress to see */
		uint64_t version = r->p.version;

		r->p = *p;
		r->p.version = version + 1;
		due = now - r->woken_at >= WAKE_EVERY_S;
		if (due)
			r->woken_at = now;
	}
	lock_drop(&e->lock);
	if (due)
		event_wake(e, run_id);
}

bool event_latest(struct event *e, const char *run_id, struct event_progress *ret)
{
	struct report *r;

	lock_take(&e->lock);
	r = find(e, run_id);
	if (r)
		*ret = r->p;
	lock_drop(&e->lock);
	return r != NULL;
}

void event_forget(struct event *e, const char *run_id)
{
	struct report *r;

	lock_take(&e->lock);
	r = find(e, run_id);
	if (r)
		memset(r, 0, sizeof(*r));
	lock_drop(&e->lock);
}

static json_t *real_or_null(bool known, double x)
{
	return known ? json_real(x) : json_null();
}

json_t *event_progress_json(double t_ms, double duration_ms, double wall_s, bool finished)
{
	bool known = duration_ms > 0.0;
	double fraction = known ? t_ms / duration_ms : finished ? 1.0 : 0.0;
	double eta = finished ? 0.0 : t_ms > 0.0 ? wall_s * (duration_ms - t_ms) / t_ms : 0.0;

	return json_pack("{s:f, s:f, s:f, s:f, s:o, s:o}", "t_ms", t_ms, "duration_ms", duration_ms,
			 "fraction", fraction < 1.0 ? fraction : 1.0, "wall_s", wall_s,
			 "real_time_factor",
			 real_or_null(t_ms > 0.0, wall_s / (t_ms > 0.0 ? t_ms * 1e-3 : 1.0)),
			 "eta_s", real_or_null(finished || (known && t_ms > 0.0), eta));
}

/* ---- streams ---- */

struct stream {
	struct event *e;
	struct store *s;
	char id[ID_SIZE];
	int64_t after;	   /* number of the last event said */
	uint64_t progress; /* version of the last progress said */
	double said_at;
	bool greeted, ended;
	struct buf *out; /* while reading */
};

static int on_event(void *self, int64_t seq, const char *kind, const char *data)
{
	struct stream *st = self;
	bool state = strcmp(kind, "state") == 0;

	st->after = seq;
	(void)buf_printf(st->out, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)seq, kind, data);
	if (state) { /* a run may be queued again after an interruption, so only the last state
			tells */
		json_t *json = json_loads(data, 0, NULL);
		const char *name = json_string_value(json_object_get(json, "state"));

		st->ended = name && run_state_final(run_state_find(name));
		json_decref(json);
	}
	return 0;
}

static int say_progress(struct stream *st)
{
	struct event_progress p;
	double now = clock_mono_s();
	json_t *json;

	if (!event_latest(st->e, st->id, &p) || p.version == st->progress ||
	    now - st->said_at < WAKE_EVERY_S)
		return 0;
	json = event_progress_json(p.t_ms, p.duration_ms, p.wall_s, false);
	if (!json)
		return -ERR_NOMEM;
	(void)buf_str(st->out, "event: progress\ndata: ");
	(void)dump_json(st->out, json);
	(void)buf_str(st->out, "\n\n");
	json_decref(json);
	st->progress = p.version;
	st->said_at = now;
	return 0;
}

static int stream_read(void *self, struct buf *out, bool *end)
{
	struct stream *st = self;
	int64_t before;
	int rc;

	st->out = out;
	if (!st->greeted)
		(void)buf_str(out, "retry: 2000\n\n");
	st->greeted = true;
	do {
		before = st->after;
		rc = store_event_read(st->s, st->id, st->after, on_event, st, NULL);
	} while (!rc && st->after != before && !st->ended);
	if (!rc && !st->ended)
		rc = say_progress(st);
	*end = st->ended;
	return rc;
}

static void stream_free(void *self)
{
	mem_free(self);
}

int event_stream(struct http_stream *ret, struct event *e, struct store *s, const char *run_id,
		 int64_t after, struct err *err)
{
	struct stream *st = mem_alloc(1, sizeof(*st));

	if (!st)
		return err_nomem(err);
	st->e = e;
	st->s = s;
	(void)snprintf(st->id, sizeof(st->id), "%s", run_id);
	st->after = after;
	*ret = (struct http_stream){ .self = st, .read = stream_read, .free = stream_free };
	return 0;
}
