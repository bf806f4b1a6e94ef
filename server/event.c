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
enum { PROGRESS_MAX = 4096, OBSERVERS_MAX = 4 };

struct observer {
	void (*changed)(void *self, const char *run_id);
	void *self;
};

struct report {
	char id[ID_SIZE]; /* "": free */
	struct event_progress p;
	double woken_at; /* monotonic */
};

struct event {
	struct lock lock; /* owns all below */
	void (*wake)(void *self, const char *topic);
	void *self;
	struct observer observers[OBSERVERS_MAX];
	size_t n_observers;
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

void event_observe(struct event *e, void (*changed)(void *self, const char *run_id), void *self)
{
	lock_take(&e->lock);
	if (e->n_observers < OBSERVERS_MAX)
		e->observers[e->n_observers++] = (struct observer){ changed, self };
	lock_drop(&e->lock);
}

static void wake_watchers(struct event *e, const char *run_id)
{
	char topic[EVENT_TOPIC_MAX];

	event_topic(run_id, topic);
	event_wake_topic(e, topic);
}

void event_wake(struct event *e, const char *run_id)
{
	struct observer all[OBSERVERS_MAX];
	size_t n;

	lock_take(&e->lock);
	n = e->n_observers;
	memcpy(all, e->observers, sizeof(all));
	lock_drop(&e->lock);
	wake_watchers(e, run_id);
	for (size_t i = 0; i < n; i++)
		all[i].changed(all[i].self, run_id);
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
		wake_watchers(e, run_id);
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

struct run_source {
	struct event *e;
	struct event_stored stored;
	char id[ID_SIZE];
	uint64_t progress; /* version of the last progress said */
	double said_at;
};

static int say_progress(struct run_source *r, const struct event_sink *to)
{
	struct event_progress p;
	double now = clock_mono_s();
	struct buf text;
	json_t *json;
	int rc;

	if (!event_latest(r->e, r->id, &p) || p.version == r->progress ||
	    now - r->said_at < WAKE_EVERY_S)
		return 0;
	json = event_progress_json(p.t_ms, p.duration_ms, p.wall_s, false);
	buf_init(&text, PROGRESS_MAX);
	rc = json ? dump_json(&text, json) : -ERR_NOMEM;
	if (!rc)
		to->say(to->self, NULL, "progress", text.data);
	buf_release(&text);
	json_decref(json);
	r->progress = p.version;
	r->said_at = now;
	return rc;
}

static int run_read(void *self, const struct event_sink *to, bool *end)
{
	struct run_source *r = self;
	int rc = event_stored_read(&r->stored, to);

	if (!rc && !r->stored.ended)
		rc = say_progress(r, to);
	*end = r->stored.ended;
	return rc;
}

static bool final(const char *state)
{
	return run_state_final(run_state_find(state));
}

int event_run_source(struct event_source *ret, struct event *e, struct store *s, const char *run_id,
		     int64_t after, struct err *err)
{
	struct run_source *r = mem_alloc(1, sizeof(*r));

	if (!r)
		return err_nomem(err);
	r->e = e;
	r->stored = (struct event_stored){ .s = s, .after = after, .final = final };
	event_topic(run_id, r->stored.topic);
	(void)snprintf(r->id, sizeof(r->id), "%s", run_id);
	*ret = (struct event_source){ .self = r, .read = run_read, .free = mem_free };
	(void)snprintf(ret->place, sizeof(ret->place), "%lld", (long long)after);
	return 0;
}
