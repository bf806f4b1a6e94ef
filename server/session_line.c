/* session_line.c - what goes between the owner and the processes: commands out, replies and events in. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* MSG_CMSG_CLOEXEC */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "server/clock.h"
#include "server/dump.h"
#include "server/harvest.h"
#include "server/log.h"
#include "server/session_live.h"
#include "server/store_session.h"

static const double REPLY_KEPT_S = 60.0, STATE_HZ = 10.0;
enum { BLOCK = 65536, LINE_MAX_BYTES = 65536 };

/* A fork that did not come to be has no row. */
static void drop_fork(struct session *x, const char *id)
{
	struct err err = { 0 };

	if (store_session_drop(x->config.store, id, false, &err) && err.code != ERR_NOTFOUND)
		log_err("dropping a fork", &err);
	harvest_remove(x->config.store, "sessions", id);
}

/* ---- commands ---- */

/* Commands of this session end with `why`, or with `reply` (NULL: none): all, or those that were sent. */
void session_fail(struct session *x, const char *id, bool sent_only, const struct err *why,
		  const json_t *reply)
{
	char forks[8][ID_SIZE];
	size_t n = 0;

	lock_take(&x->lock);
	for (struct session_command *c = x->commands; c; c = c->next) {
		if (c->done_at > 0 || strcmp(c->id, id) != 0 || (sent_only && c->line))
			continue;
		if (why)
			c->err = *why;
		c->reply = json_deep_copy(reply); /* NULL of NULL */
		if (reply && !c->reply)
			(void)err_nomem(&c->err);
		c->done_at = clock_mono_s();
		if (c->fork[0] && n < COUNTOF(forks))
			memcpy(forks[n++], c->fork, ID_SIZE);
	}
	lock_drop(&x->lock);
	for (size_t i = 0; i < n; i++)
		drop_fork(x, forks[i]);
	session_tell(x, id);
}

/* Move the lines of waiting commands into the process's stream. Under the lock. */
void session_take_lines(struct session *x, struct session_live *l)
{
	for (struct session_command *c = x->commands; c; c = c->next) {
		if (!c->line || c->done_at > 0 || strcmp(c->id, l->id) != 0)
			continue;
		if (buf_str(&l->out, c->line))
			return; /* full: the rest when it has read some */
		mem_free(c->line);
		c->line = NULL;
		if (!c->quiet)
			l->used_at = clock_mono_s();
	}
}

bool session_has_commands(const struct session *x, const char *id, bool unsent)
{
	for (const struct session_command *c = x->commands; c; c = c->next)
		if (c->done_at == 0 && strcmp(c->id, id) == 0 && (!unsent || c->line))
			return true;
	return false;
}

/* Replies nobody fetches. Under the lock. */
void session_forget(struct session *x, double now)
{
	for (struct session_command **at = &x->commands; *at;) {
		struct session_command *c = *at;

		if (c->done_at == 0 || now - c->done_at < REPLY_KEPT_S) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		json_decref(c->reply);
		mem_free(c->line);
		mem_free(c);
	}
}

/* ---- hearing ---- */

static void take_state(struct session_live *l, const json_t *state)
{
	const char *mode = json_string_value(json_object_get(state, "mode"));

	if (mode)
		(void)snprintf(l->view.mode, sizeof(l->view.mode), "%s", mode);
	l->view.speed = json_number_value(json_object_get(state, "speed"));
}

/* What a command does to the mode, where the reply does not say it. */
static void take_mode(struct session_live *l, const char *cmd)
{
	if (strcmp(cmd, "play") == 0)
		(void)snprintf(l->view.mode, sizeof(l->view.mode), "playing");
	else if (strcmp(cmd, "pause") == 0 || strcmp(cmd, "restore") == 0)
		(void)snprintf(l->view.mode, sizeof(l->view.mode), "paused");
}

/* A process that a fork made: it is a session of its own from now on. */
static void adopt(struct session *x, const char *id, json_t *reply, int fd)
{
	struct exec_local process;
	struct session_live *l;
	struct err err = { 0 };
	pid_t pid = (pid_t)json_integer_value(json_object_get(reply, "pid"));

	if (fd < 0 || pid <= 0 || exec_local_adopt(&process, pid, fd, &err)) {
		log_text(LOG_ERROR, "session %s: its process cannot be reached", id);
		return; /* it ends with its connection, after a checkpoint, and wakes from there */
	}
	lock_take(&x->lock);
	l = session_live_make(x, id);
	if (l) {
		l->process = process;
		l->running = true;
		l->watch_changed = true;
		l->used_at = clock_mono_s();
		l->view.t_ms = json_number_value(json_object_get(reply, "t_ms"));
		(void)snprintf(l->view.mode, sizeof(l->view.mode), "paused");
	}
	lock_drop(&x->lock);
	if (!l)
		(void)close(process.pid_fd), (void)close(fd);
}

/* The command that waits for this reply. Under the lock. */
static struct session_command *command_of(const struct session *x, uint64_t ticket)
{
	struct session_command *c = x->commands;

	while (c && (c->ticket != ticket || c->done_at > 0 || !ticket))
		c = c->next;
	return c;
}

/* Takes the reference: whoever waits has the only one, and another thread may drop it at once. */
static void on_reply(struct session *x, struct session_live *l, json_t *json)
{
	uint64_t ticket = (uint64_t)json_integer_value(json_object_get(json, "id"));
	const json_t *state = json_object_get(json, "state");
	bool ok = json_is_true(json_object_get(json, "ok"));
	struct session_command *c;
	char fork[ID_SIZE] = "";

	lock_take(&x->lock);
	if (json_is_number(json_object_get(json, "t_ms")))
		l->view.t_ms = json_number_value(json_object_get(json, "t_ms"));
	if (state)
		take_state(l, state);
	c = command_of(x, ticket);
	if (c) {
		memcpy(fork, c->fork, sizeof(fork));
		if (ok && !state)
			take_mode(l, c->cmd);
		if (!c->quiet)
			l->used_at = clock_mono_s();
	}
	l->view.version++;
	lock_drop(&x->lock);
	if (fork[0]) {
		int fd = l->passed;

		l->passed = -1;
		if (ok)
			adopt(x, fork, json, fd);
		else
			drop_fork(x, fork);
	}
	lock_take(&x->lock);
	c = command_of(x, ticket);
	if (c) {
		c->reply = json;
		c->done_at = clock_mono_s();
	}
	lock_drop(&x->lock);
	if (!c)
		json_decref(json);
}

static void on_line(struct session *x, struct session_live *l, const char *line)
{
	json_t *json = json_loads(line, 0, NULL);
	const char *kind = json_string_value(json_object_get(json, "event"));

	if (kind) {
		lock_take(&x->lock);
		l->view.t_ms = json_number_value(json_object_get(json, "t_ms"));
		if (json_object_get(json, "state"))
			take_state(l, json_object_get(json, "state"));
		session_live_say(l, kind, json);
		lock_drop(&x->lock);
	} else if (json_is_object(json)) {
		if (!l->greeted) { /* the first: it stands, or never will */
			l->greeted = json_is_true(json_object_get(json, "ok"));
			if (!l->greeted)
				session_fail(x, l->id, false, NULL, json);
		}
		on_reply(x, l, json);
		return;
	} else {
		log_text(LOG_WARN, "session %s said what is no JSON", l->id);
	}
	json_decref(json);
}

/* Whole lines out of what was read. */
static void split(struct session *x, struct session_live *l)
{
	char *from = l->in.data, *end;
	size_t left = l->in.len;

	while (left && (end = memchr(from, '\n', left)) != NULL) {
		*end = '\0';
		on_line(x, l, from);
		left -= (size_t)(end + 1 - from);
		from = end + 1;
	}
	if (left && from != l->in.data)
		memmove(l->in.data, from, left);
	l->in.len = left;
}

void session_hear(struct session *x, struct session_live *l)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char block[BLOCK];

	for (int i = 0; l->process.out_fd >= 0 && i < 64; i++) { /* others wait too */
		struct iovec v = { block, sizeof(block) };
		struct msghdr m = { .msg_iov = &v,
				    .msg_iovlen = 1,
				    .msg_control = control.room,
				    .msg_controllen = sizeof(control.room) };
		ssize_t n = recvmsg(l->process.out_fd, &m, MSG_CMSG_CLOEXEC);
		struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			(void)close(l->process.out_fd);
			l->process.out_fd = -1;
		}
		if (n <= 0)
			return;
		if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			if (l->passed >= 0)
				(void)close(l->passed);
			memcpy(&l->passed, CMSG_DATA(c), sizeof(int));
		}
		if (buf_add(&l->in, block, (size_t)n)) {
			log_text(LOG_ERROR, "session %s says more than can be held", l->id);
			exec_local_signal(&l->process, SIGKILL);
			return;
		}
		split(x, l);
		session_tell(x, l->id);
	}
}

/* ---- feeding ---- */

void session_feed(struct session_live *l)
{
	while (l->process.out_fd >= 0 && l->sent < l->out.len) {
		ssize_t n = send(l->process.out_fd, l->out.data + l->sent, l->out.len - l->sent,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* later, or its end comes */
		l->sent += (size_t)n;
	}
	if (l->sent == l->out.len)
		l->out.len = l->sent = 0;
}

/* The state, for who asks, and what the streams want: a command like others, but nobody waits for its
 * reply. Under the lock. */
void session_tell_watch(struct session_live *l)
{
	json_t *events = json_pack("[{s:s, s:f}]", "kind", "state", "max_hz", STATE_HZ);
	struct buf text;
	json_t *line;

	if (l->watch)
		(void)json_array_extend(events, l->watch);
	line = json_pack("{s:s, s:o}", "cmd", "watch", "events", events);
	buf_init(&text, LINE_MAX_BYTES);
	if (!dump_json(&text, line) && !buf_char(&text, '\n') &&
	    !buf_add(&l->out, text.data, text.len))
		l->watch_changed = false;
	buf_release(&text);
	json_decref(line);
}
