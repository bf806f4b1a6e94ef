/* session.c - the callers' side: commands in, replies out, streams. */
/* SPDX-License-Identifier: MIT */
#include "server/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "server/clock.h"
#include "server/dump.h"
#include "server/event.h"
#include "server/session_live.h"
#include "server/store_session.h"

enum { LINE_MAX_BYTES = 1 << 24, EVENT_MAX = 1 << 20 };

void session_topic(const char *id, char topic[SESSION_TOPIC_MAX])
{
	(void)snprintf(topic, SESSION_TOPIC_MAX, "session:%s", id);
}

void session_path(const struct store *s, const char *id, const char *more, char *path, size_t n)
{
	(void)snprintf(path, n, "%s/sessions/%s%s%s", store_dir(s), id, more ? "/" : "",
		       more ? more : "");
}

void session_wake(struct session *x)
{
	uint64_t one = 1;
	ssize_t n = write(x->wake_fd, &one, sizeof(one));

	(void)n; /* it fails only when it is full, and then the owner wakes anyway */
}

void session_tell(struct session *x, const char *id)
{
	char topic[SESSION_TOPIC_MAX];

	session_topic(id, topic);
	event_wake_topic(x->config.event, topic);
}

/* ---- entries ---- */

struct session_live *session_live_find(struct session *x, const char *id)
{
	struct session_live *l = x->lives;

	while (l && strcmp(l->id, id) != 0)
		l = l->next;
	return l;
}

struct session_live *session_live_make(struct session *x, const char *id)
{
	struct session_live *l = session_live_find(x, id);

	if (l)
		return l;
	l = mem_alloc(1, sizeof(*l));
	if (!l)
		return NULL;
	(void)snprintf(l->id, sizeof(l->id), "%s", id);
	l->process.out_fd = l->process.pid_fd = l->passed = -1;
	l->kill_at = (double)INFINITY;
	l->epoch = (uint64_t)clock_wall_ms()
		   << 10; /* and not that of an earlier entry, or server */
	buf_init(&l->in, LINE_MAX_BYTES);
	buf_init(&l->out, (size_t)4 * LINE_MAX_BYTES);
	l->next = x->lives;
	x->lives = l;
	return l;
}

void session_live_unwatch(struct session_live *l)
{
	(void)json_array_clear(l->watch);
	l->watch_changed = true;
	l->epoch++;
	l->epoch_at = l->n_events;
}

void session_live_free(struct session_live *l)
{
	for (size_t i = 0; i < SESSION_RING; i++)
		mem_free(l->ring[i]);
	if (l->passed >= 0)
		(void)close(l->passed);
	json_decref(l->watch);
	buf_release(&l->in);
	buf_release(&l->out);
	mem_free(l);
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* The population or projection that an event, or the wish for it, speaks of. */
static const char *subject_of(const json_t *data)
{
	const char *population = text_at(data, "population");

	return *population ? population : text_at(data, "projection");
}

void session_live_say(struct session_live *l, const char *kind, const json_t *data)
{
	const char *of = subject_of(data);
	size_t n = strlen(kind) + 1, m = strlen(of) + 1;
	struct buf text;
	char *item;

	buf_init(&text, EVENT_MAX);
	if (dump_json(&text, data) == 0 && (item = mem_alloc(n + m + text.len + 1, 1)) != NULL) {
		memcpy(item, kind, n);
		memcpy(item + n, of, m);
		memcpy(item + n + m, text.data, text.len + 1);
		mem_free(l->ring[l->n_events % SESSION_RING]);
		l->ring[l->n_events++ % SESSION_RING] = item;
	}
	buf_release(&text);
	l->view.version++;
}

/* ---- commands ---- */

static void command_free(struct session_command *c)
{
	json_decref(c->reply);
	mem_free(c->line);
	mem_free(c);
}

static char *line_of(json_t *command, uint64_t ticket, struct err *err)
{
	struct buf text;
	char *line = NULL;

	buf_init(&text, LINE_MAX_BYTES);
	if (json_object_set_new(command, "id", json_integer((json_int_t)ticket)) ||
	    dump_json(&text, command) || buf_char(&text, '\n'))
		(void)(text.failed == ERR_LIMIT
			       ? err_set(err, ERR_LIMIT, "", "the command is longer than %d bytes",
					 LINE_MAX_BYTES)
			       : err_nomem(err));
	else if ((line = mem_alloc(text.len + 1, 1)) == NULL)
		(void)err_nomem(err);
	else
		memcpy(line, text.data, text.len + 1);
	buf_release(&text);
	return line;
}

int session_send(struct session *x, const char *id, json_t *command, const char *fork,
		 uint64_t *ret_ticket, struct err *err)
{
	struct session_command *c = mem_alloc(1, sizeof(*c)), **at = &x->commands;
	struct session_live *l;

	if (!c)
		return err_nomem(err);
	lock_take(&x->lock);
	c->ticket = ++x->tickets;
	lock_drop(&x->lock);
	(void)snprintf(c->id, sizeof(c->id), "%s", id);
	(void)snprintf(c->fork, sizeof(c->fork), "%s", fork ? fork : "");
	(void)snprintf(c->cmd, sizeof(c->cmd), "%s", text_at(command, "cmd"));
	c->quiet = strcmp(c->cmd, "data") == 0;
	c->line = line_of(command, c->ticket, err);
	if (!c->line) {
		mem_free(c);
		return -err->code;
	}
	*ret_ticket = c->ticket;
	lock_take(&x->lock);
	l = session_live_make(x, id);
	if (l)
		l->drop = false;
	while (l && *at)
		at = &(*at)->next;
	if (l)
		*at = c;
	lock_drop(&x->lock);
	if (!l) {
		command_free(c);
		return err_nomem(err);
	}
	session_wake(x);
	return 0;
}

/* An error of a reply: {"code", "path", "text"}. */
static int pass_on(const json_t *one, const char *from, const char *to, struct err_list *errors)
{
	const char *path = text_at(one, "path");
	enum err_code code = ERR_INTERNAL;
	char at[ERR_PATH_MAX];

	for (int k = 1; k < ERR_N; k++)
		if (strcmp(err_name(k), text_at(one, "code")) == 0)
			code = (enum err_code)k;
	if (strncmp(path, from, strlen(from)) == 0)
		(void)snprintf(at, sizeof(at), "%s%.180s", to, path + strlen(from));
	else
		(void)snprintf(at, sizeof(at), "%.180s", path);
	return err_list_add(errors, code, at, "%s", text_at(one, "text"));
}

static int refused(const json_t *reply, const char *from, const char *to, struct err_list *errors)
{
	const json_t *all = json_object_get(reply, "errors");
	int rc = 0;

	if (!json_array_size(all))
		return pass_on(json_object_get(reply, "error"), from, to, errors);
	for (size_t i = 0; i < json_array_size(all); i++)
		rc = pass_on(json_array_get(all, i), from, to, errors);
	return rc;
}

int session_reply(struct session *x, uint64_t ticket, json_t **ret, const char *from,
		  const char *to, struct err_list *errors)
{
	struct session_command *c = NULL, **at;
	bool known;
	int rc;

	lock_take(&x->lock);
	for (at = &x->commands; *at && (*at)->ticket != ticket;)
		at = &(*at)->next;
	known = *at;
	if (known && (*at)->done_at > 0) {
		c = *at;
		*at = c->next;
	}
	lock_drop(&x->lock);
	if (!known)
		return err_list_add(errors, ERR_UNCERTAIN, "",
				    "the reply came while nobody waited for it, and was not kept");
	if (!c)
		return 1;
	if (!c->reply)
		rc = err_list_add(errors, (enum err_code)c->err.code, c->err.path, "%s",
				  c->err.text);
	else if (!json_is_true(json_object_get(c->reply, "ok")))
		rc = refused(c->reply, from, to, errors);
	else
		rc = 0;
	if (!rc)
		*ret = json_incref(c->reply);
	command_free(c);
	return rc;
}

bool session_look(struct session *x, const char *id, struct session_view *ret)
{
	struct session_live *l;
	bool running;

	lock_take(&x->lock);
	l = session_live_find(x, id);
	running = l && l->running;
	if (running)
		*ret = l->view;
	for (struct session_command *c = x->commands; running && c; c = c->next)
		if (c->done_at == 0 && strcmp(c->cmd, "step") == 0 && strcmp(c->id, id) == 0)
			(void)snprintf(ret->mode, sizeof(ret->mode), "stepping");
	lock_drop(&x->lock);
	return running;
}

void session_drop(struct session *x, const char *id)
{
	struct session_live *l;

	lock_take(&x->lock);
	l = session_live_make(x, id);
	if (l)
		l->drop = true;
	lock_drop(&x->lock);
	session_wake(x);
}

/* ---- streams ---- */

struct source {
	struct session *x;
	char id[ID_SIZE];
	json_t *watch;
	uint64_t after; /* events said */
	bool lost;	/* some before them cannot be found */
};

/* What all streams want, without doubles. */
static int merge(struct session_live *l, const json_t *watch, struct err *err)
{
	json_t *all = l->watch ? json_copy(l->watch) : json_array();

	for (size_t i = 0; i < json_array_size(watch); i++) {
		const json_t *one = json_array_get(watch, i);
		bool known = false;

		for (size_t k = 0; k < json_array_size(all) && !known; k++)
			known = json_equal(one, json_array_get(all, k));
		if (!known)
			(void)json_array_append_new(all, json_deep_copy(one));
	}
	if (json_array_size(all) > SESSION_WATCHES_MAX) {
		size_t n = json_array_size(all);

		json_decref(all);
		if (l->streams == 0 && json_array_size(l->watch)) { /* of those that have left */
			session_live_unwatch(l);
			return merge(l, watch, err);
		}
		return err_set(err, ERR_LIMIT, NULL,
			       "all streams of a session can watch at most %d recordings together, "
			       "found %zu",
			       SESSION_WATCHES_MAX, n);
	}
	json_decref(l->watch);
	l->watch = all;
	l->watch_changed = true;
	return 0;
}

/* Whether the stream asked for this event. */
static bool wants(const struct source *st, const char *kind, const char *subject)
{
	bool found = strcmp(kind, "state") == 0;

	for (size_t i = 0; i < json_array_size(st->watch) && !found; i++) {
		const json_t *one = json_array_get(st->watch, i);

		found = strcmp(text_at(one, "kind"), kind) == 0 &&
			strcmp(subject_of(one), subject) == 0;
	}
	return found;
}

/* Place of the event with `after` others before and with it. */
static void place_of(const struct session_live *l, uint64_t after, char place[EVENT_PLACE_MAX])
{
	(void)snprintf(place, EVENT_PLACE_MAX, "%llx:%llx", (unsigned long long)l->epoch,
		       (unsigned long long)after);
}

/* The oldest event that is kept and of this epoch. */
static uint64_t oldest(const struct session_live *l)
{
	uint64_t kept = l->n_events > SESSION_RING ? l->n_events - SESSION_RING : 0;

	return kept > l->epoch_at ? kept : l->epoch_at;
}

/* Where to go on behind `last`. */
static void begin(struct source *st, const struct session_live *l, const char *last)
{
	const char *colon = last ? strchr(last, ':') : NULL;

	st->after = l->n_events;
	if (!last)
		return;
	st->lost = !colon || strtoull(last, NULL, 16) != l->epoch ||
		   strtoull(colon + 1, NULL, 16) > l->n_events;
	st->after = st->lost ? oldest(l) : strtoull(colon + 1, NULL, 16);
}

/* What cannot be found any more. */
static void say_gap(struct source *st, const struct session_live *l, const struct event_sink *to)
{
	uint64_t first = oldest(l);
	char place[EVENT_PLACE_MAX], data[64];

	if (!st->lost && st->after >= first)
		return;
	(void)snprintf(data, sizeof(data), "{\"dropped\":null}");
	if (!st->lost)
		(void)snprintf(data, sizeof(data), "{\"dropped\":%llu}",
			       (unsigned long long)(first - st->after));
	st->lost = false;
	st->after = st->after > first ? st->after : first;
	place_of(l, st->after, place);
	to->say(to->self, place, "gap", data);
}

static int source_read(void *self, const struct event_sink *to, bool *end)
{
	struct source *st = self;
	struct session_live *l;
	char place[EVENT_PLACE_MAX];

	lock_take(&st->x->lock);
	l = session_live_find(st->x, st->id);
	*end = !l || l->drop;
	if (l)
		say_gap(st, l, to);
	while (l && st->after < l->n_events) {
		const char *kind = l->ring[st->after % SESSION_RING];
		const char *subject = kind + strlen(kind) + 1;

		place_of(l, ++st->after, place);
		if (wants(st, kind, subject))
			to->say(to->self, place, kind, subject + strlen(subject) + 1);
	}
	lock_drop(&st->x->lock);
	return 0;
}

static void source_free(void *self)
{
	struct source *st = self;
	struct session_live *l;

	lock_take(&st->x->lock);
	l = session_live_find(st->x, st->id);
	if (l && l->streams && --l->streams == 0)
		l->watched_until = clock_mono_s() + SESSION_LINGER_S;
	lock_drop(&st->x->lock);
	json_decref(st->watch);
	mem_free(st);
}

int session_source(struct event_source *ret, struct session *x, const char *id, const json_t *watch,
		   const char *last, struct err *err)
{
	struct source *st = mem_alloc(1, sizeof(*st));
	struct session_live *l;
	int rc;

	if (!st)
		return err_nomem(err);
	st->x = x;
	(void)snprintf(st->id, sizeof(st->id), "%s", id);
	st->watch = json_deep_copy(watch);
	lock_take(&x->lock);
	l = st->watch ? session_live_make(x, id) : NULL;
	rc = l ? merge(l, watch, err) : err_nomem(err);
	if (!rc) {
		*ret = (struct event_source){ .self = st,
					      .read = source_read,
					      .free = source_free };
		l->streams++;
		begin(st, l, last);
		place_of(l, st->after, ret->place);
	}
	lock_drop(&x->lock);
	if (rc) {
		json_decref(st->watch);
		mem_free(st);
		return rc;
	}
	session_wake(x);
	return 0;
}

/* ---- life ---- */

int session_new(struct session **ret, const struct session_config *config, struct err *err)
{
	struct session *x = mem_alloc(1, sizeof(*x));
	int rc;

	if (!x)
		return err_nomem(err);
	x->config = *config;
	lock_init(&x->lock);
	x->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = x->wake_fd < 0 ? err_nomem(err) : store_session_sleep(config->store, err);
	if (!rc)
		rc = thread_start(&x->owner, session_owner, x, err);
	if (rc) {
		session_free(x);
		return rc;
	}
	*ret = x;
	return 0;
}

void session_stop(struct session *x)
{
	if (!x)
		return;
	atomic_store(&x->stopping, true);
	if (x->wake_fd >= 0)
		session_wake(x);
	thread_join(&x->owner);
}

void session_free(struct session *x)
{
	if (!x)
		return;
	session_stop(x);
	for (struct session_live *l = x->lives, *next; l; l = next) {
		next = l->next;
		session_live_free(l);
	}
	for (struct session_command *c = x->commands, *next; c; c = next) {
		next = c->next;
		command_free(c);
	}
	if (x->wake_fd >= 0)
		(void)close(x->wake_fd);
	lock_release(&x->lock);
	mem_free(x);
}
