/* api_event.c - what happens to runs, sessions and sweeps, as it happens: streams of one, or of many. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api_run.h"
#include "server/api_session.h"
#include "server/api_sweep.h"
#include "server/event.h"
#include "server/log.h"
#include "server/sweep.h"

static int opened(struct response *rs)
{
	http_add_header(rs, "X-Accel-Buffering",
			"no"); /* a proxy in front must not hold lines back */
	rs->content_type = "text/event-stream";
	rs->status = 200;
	return 0;
}

int api_event_one(struct response *rs, struct event_source source, struct err_list *errors)
{
	struct err err = { 0 };

	if (event_stream_one(&rs->stream, source, &err))
		return api_run_fail(&err, errors);
	return opened(rs);
}

/* ---- topics ---- */

/* A topic whose events are stored. */
struct stored {
	int64_t after; /* as the client says; 0: nothing yet */
	bool over;     /* nothing will be added */
	json_t *watch; /* of a session: what is told beside its state; NULL: none */
};

/* All was said: 204 tells an EventSource not to come again. */
static int all_said(const struct api *api, const char *topic, const struct stored *st, bool *ret,
		    struct err *err)
{
	int64_t newest = 0;
	int rc = st->over && st->after > 0 ? store_topic_last(api->store, topic, &newest, err) : 0;

	*ret = !rc && st->over && st->after > 0 && st->after >= newest;
	return rc;
}

static int64_t number_of(const char *last)
{
	long long n = last ? strtoll(last, NULL, 10) : 0;

	return n > 0 ? n : 0;
}

static int run_topic(const struct api *api, const struct request *rq, const char *last,
		     struct event_source *ret, struct stored *st, struct err_list *errors)
{
	struct err err = { 0 };
	struct store_run run;
	int rc = api_run_find(api, rq, &run, errors);

	if (rc)
		return rc;
	*st = (struct stored){ .after = number_of(last), .over = run_state_final(run.state) };
	if (event_run_source(ret, api->event, api->store, run.id, st->after, &err))
		return api_run_fail(&err, errors);
	return 0;
}

static int sweep_topic(const struct api *api, const struct request *rq, const char *last,
		       struct event_source *ret, struct stored *st, struct err_list *errors)
{
	struct err err = { 0 };
	struct store_sweep row;
	int rc = api_sweep_find(api, rq, &row, errors);

	if (rc)
		return rc;
	*st = (struct stored){ .after = number_of(last), .over = row.finished_ms != 0 };
	if (sweep_source(ret, api->store, row.id, st->after, &err))
		return api_run_fail(&err, errors);
	return 0;
}

/* Its state, and what the query names of it. */
static int session_topic_of(const struct api *api, const struct request *rq, const char *last,
			    struct event_source *ret, struct stored *st, struct err_list *errors)
{
	struct err err = { 0 };
	struct store_session row;
	int rc = api_session_find(api, rq, &row, errors);

	*st = (struct stored){ 0 };
	if (!rc)
		rc = api_session_watch(api, rq, row.id, true, &st->watch, errors);
	if (!rc && session_source(ret, api->session, row.id, st->watch, last, &err))
		rc = api_run_fail(&err, errors);
	return rc;
}

static const struct {
	const char *name;
	int (*open)(const struct api *api, const struct request *rq, const char *last,
		    struct event_source *ret, struct stored *st, struct err_list *errors);
} kinds[] = {
	{ "run", run_topic },
	{ "session", session_topic_of },
	{ "sweep", sweep_topic },
};

/* ---- one ---- */

static int one(const struct api *api, struct request *rq, struct response *rs, size_t kind,
	       struct err_list *errors)
{
	struct event_source source = { 0 };
	struct err err = { 0 };
	struct stored st;
	bool said = false;
	int rc = kinds[kind].open(api, rq, http_header(rq, "Last-Event-ID"), &source, &st, errors);

	if (rc)
		return rc;
	(void)snprintf(rs->topic, sizeof(rs->topic), "%s:%s", kinds[kind].name, rq->arg[0]);
	rc = all_said(api, rs->topic, &st, &said, &err);
	if (!rc && !said)
		return api_event_one(rs, source, errors);
	source.free(source.self);
	rs->status = 204;
	return rc ? api_run_fail(&err, errors) : 0;
}

int api_run_events(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	return one(api, rq, rs, 0, errors);
}

int api_sweep_events(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	return one(api, rq, rs, 2, errors);
}

/* ---- many ---- */

struct many {
	const char *topics[EVENT_TOPICS_MAX];
	struct event_source sources[EVENT_TOPICS_MAX];
	size_t n;
	bool said;	 /* all of all */
	json_t *watched; /* of all sessions */
};

/* "run:ID,session:ID,..." into topics. */
static int read_topics(const struct request *rq, struct many *m, struct err_list *errors)
{
	const char *at = http_query(rq, "topics");

	while (at && *at) {
		size_t len = strcspn(at, ",");

		if (m->n == EVENT_TOPICS_MAX)
			return err_list_add(errors, ERR_LIMIT, "?topics",
					    "expected at most %d topics", EVENT_TOPICS_MAX);
		m->topics[m->n] =
			mem_arena_printf(rq->arena, "%.*s", (int)(len < 64 ? len : 64), at);
		if (!m->topics[m->n])
			return err_list_add(errors, ERR_NOMEM, "", "out of memory");
		for (size_t i = 0; i < m->n; i++)
			if (strcmp(m->topics[i], m->topics[m->n]) == 0)
				return err_list_add(errors, ERR_CONFLICT, "?topics",
						    "%s stands there twice", m->topics[i]);
		m->n++;
		at += len + (at[len] == ',');
	}
	return m->n ? 0
		    : err_list_add(errors, ERR_MISSING, "?topics",
				   "expected topics: run:ID,session:ID,sweep:ID");
}

/* Topic i, opened as if its own address had been asked for. */
static int open_topic(const struct api *api, struct request *rq, struct many *m, size_t i,
		      struct err_list *errors)
{
	const char *topic = m->topics[i], *colon = strchr(topic, ':'), *last;
	char place[EVENT_PLACE_MAX];
	struct err_list found = { 0 };
	struct err err = { 0 };
	struct stored st = { 0 };
	size_t k = 0, len = colon ? (size_t)(colon - topic) : 0;
	int rc;

	while (k < COUNTOF(kinds) &&
	       (strlen(kinds[k].name) != len || strncmp(kinds[k].name, topic, len) != 0))
		k++;
	if (!colon || k == COUNTOF(kinds))
		return err_list_add(errors, ERR_UNKNOWN, "?topics",
				    "expected run:ID, session:ID or sweep:ID, found \"%.64s\"",
				    topic);
	last = http_header(rq, "Last-Event-ID");
	if (last) /* one that is not of these topics: as if all was missed */
		last = event_stream_place(last, m->n, i, place) ? place : "";
	rq->arg[0] = colon + 1;
	rc = kinds[k].open(api, rq, last, &m->sources[i], &st, &found);
	if (rc)
		(void)err_list_add(errors, (enum err_code) - rc,
				   found.first.path[0] ? found.first.path : "?topics", "%.64s: %s",
				   topic, found.first.text);
	err_list_release(&found);
	if (!rc && st.watch && json_array_extend(m->watched, st.watch))
		rc = err_list_add(errors, ERR_NOMEM, "", "out of memory");
	json_decref(st.watch);
	if (!rc && all_said(api, topic, &st, &m->sources[i].ended, &err))
		log_err("looking for what was said", &err);
	m->said = m->said && m->sources[i].ended;
	return rc;
}

static const char *join(const struct many *m, struct mem_arena *arena)
{
	struct buf b;
	const char *kept = NULL;

	buf_init(&b, (size_t)EVENT_TOPICS_MAX * 80);
	for (size_t i = 0; i < m->n; i++)
		(void)buf_printf(&b, "%s ", m->topics[i]);
	if (!b.failed)
		kept = mem_arena_strdup(arena, b.data);
	buf_release(&b);
	return kept;
}

int api_events(const struct api *api, struct request *rq, struct response *rs,
	       struct err_list *errors)
{
	struct many m = { .said = true, .watched = json_array() };
	struct err err = { 0 };
	int rc = read_topics(rq, &m, errors), first = 0;

	for (size_t i = 0; !rc && i < m.n; i++) {
		int bad = open_topic(api, rq, &m, i, errors);

		first = first ? first : bad;
	}
	if (!rc && !first)
		first = api_session_watched(rq, m.watched, errors);
	json_decref(m.watched);
	rs->topics = rc ? NULL : join(&m, rq->arena);
	rc = rc ? rc : first;
	if (!rc && !rs->topics)
		rc = err_list_add(errors, ERR_NOMEM, "", "out of memory");
	if (!rc && !m.said) {
		if (event_stream_many(&rs->stream, m.sources, m.topics, m.n, &err))
			return api_run_fail(&err, errors);
		return opened(rs);
	}
	for (size_t i = 0; i < m.n; i++)
		if (m.sources[i].free)
			m.sources[i].free(m.sources[i].self);
	rs->status = rc ? rs->status : 204;
	return rc;
}
