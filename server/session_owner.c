/* session_owner.c - the thread that owns the processes of sessions: starts, feeds, hears, parks, buries. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "server/clock.h"
#include "server/dump.h"
#include "server/event.h"
#include "server/harvest.h"
#include "server/log.h"
#include "server/problem.h"
#include "server/session_live.h"
#include "server/store_session.h"

static const double KILL_AFTER_S = 30.0, TICK_S = 1.0;
enum { PATH_SIZE = 4096, TEXT_MAX = 65536 };
enum { LEAVING_MAX = 4 }; /* processes beyond --sessions-awake that are about to end */

/* ---- what the store says ---- */

static void store_state(struct session *x, const struct session_live *l, const char *state,
			const struct err *why)
{
	json_t *json = why ? problem_json(why) : NULL;
	struct err err = { 0 };
	struct buf text;

	buf_init(&text, TEXT_MAX);
	if (json)
		(void)dump_json(&text, json);
	if (!l->drop && store_session_state(x->config.store, l->id, state, l->view.t_ms,
					    json ? text.data : NULL, &err))
		log_err("storing a session's state", &err);
	event_wake_topic(x->config.event, EVENT_TOPIC_HOOK);
	buf_release(&text);
	json_decref(json);
}

/* ---- starting and ending ---- */

static void start(struct session *x, struct session_live *l)
{
	struct store_session row;
	struct mem_arena arena;
	struct err err = { 0 };
	char path[PATH_SIZE];
	int rc;

	mem_arena_init(&arena, 0);
	session_path(x->config.store, l->id, NULL, path, sizeof(path));
	rc = store_session_get(x->config.store, l->id, &arena, &row, &err);
	if (!rc)
		rc = store_session_wake(x->config.store, l->id, &err);
	if (!rc)
		rc = exec_local_start(
			&l->process,
			&(struct exec_local_job){ .runner = x->config.runner,
						  .dir = path,
						  .trace = row.trace,
						  .threads = (long)row.threads,
						  .memory_mb = (long)x->config.memory_mb,
						  .file_mb = (long)x->config.file_mb,
						  .checkpoint_s = x->config.checkpoint_s,
						  .serve = true },
			&err);
	lock_take(&x->lock);
	l->running = !rc;
	if (!rc) {
		l->view.t_ms = row.t_ms;
		(void)snprintf(l->view.mode, sizeof(l->view.mode), "paused");
		l->watch_changed = true;
	}
	lock_drop(&x->lock);
	l->ending = l->stopped = l->greeted = false;
	l->kill_at = (double)INFINITY;
	l->used_at = clock_mono_s();
	l->in.len = l->out.len = l->sent = 0;
	mem_arena_release(&arena);
	if (!rc)
		return;
	log_err("waking a session", &err);
	session_fail(x, l->id, false, &err, NULL);
}

/* Parked: what it shows is left as it stands now, and a checkpoint. */
static void park(struct session_live *l)
{
	l->ending = true;
	l->kill_at = clock_mono_s() + KILL_AFTER_S;
	if (buf_str(&l->out, "{\"cmd\":\"data\",\"weights\":true}\n"
			     "{\"cmd\":\"quit\",\"checkpoint\":true}\n"))
		exec_local_signal(&l->process, SIGTERM);
}

static void stop(struct session_live *l, int sig)
{
	l->ending = true;
	exec_local_signal(&l->process, sig);
	l->kill_at = clock_mono_s() + KILL_AFTER_S;
}

/* The process has ended. */
static void bury(struct session *x, struct session_live *l)
{
	json_t *said = json_pack("{s:s, s:f}", "mode", "parked", "t_ms", l->view.t_ms);
	struct err why = { 0 };
	bool parked;
	int code, sig = 0;

	session_hear(x, l);
	code = exec_local_reap(&l->process, &sig);
	parked = !code || code == ERR_INTERRUPTED || !l->greeted;
	if (sig)
		(void)err_set(&why, ERR_CRASHED, NULL,
			      "the session's process was killed by signal %d; restore goes back to "
			      "what was saved last",
			      sig);
	else
		(void)err_set(&why, parked ? ERR_BUSY : ERR_CRASHED, NULL,
			      "the session's process ended (%s)", err_name(code));
	store_state(x, l, sig || !parked ? "failed" : "parked", sig || !parked ? &why : NULL);
	if ((sig || !parked) && !l->drop)
		log_text(LOG_WARN, "session %s: %s", l->id, why.text);
	lock_take(&x->lock);
	l->running = false;
	if (sig || !parked)
		(void)json_object_set_new(said, "mode", json_string("failed"));
	session_live_say(l, "state", said);
	lock_drop(&x->lock);
	json_decref(said);
	session_fail(x, l->id, !sig && parked, &why, NULL);
}

/* ---- the loop ---- */

/* Others add at the head, the owner alone removes: from here on the list can be walked without the
 * lock. */
static struct session_live *first(struct session *x)
{
	struct session_live *l;

	lock_take(&x->lock);
	l = x->lives;
	lock_drop(&x->lock);
	return l;
}

static size_t count_running(struct session *x)
{
	size_t n = 0;

	for (const struct session_live *l = first(x); l; l = l->next)
		n += l->running;
	return n;
}

/* Under the lock: nothing under way, and time stands. */
static bool is_idle(const struct session *x, const struct session_live *l)
{
	return l->running && !l->ending && l->greeted && strcmp(l->view.mode, "playing") != 0 &&
	       strcmp(l->view.mode, "stepping") != 0 && !session_has_commands(x, l->id, false) &&
	       l->out.len == 0;
}

/* Whether another may have a process. The one that was used longest ago makes room, and need not have gone:
 * what it writes when it is parked is not waited for. */
static bool have_room(struct session *x)
{
	struct session_live *oldest = NULL;
	size_t staying = 0, max = (size_t)x->config.awake;

	if (count_running(x) >= max + LEAVING_MAX)
		return false;
	lock_take(&x->lock);
	for (struct session_live *l = x->lives; l; l = l->next) {
		staying += l->running && !l->ending;
		if (is_idle(x, l) && (!oldest || l->used_at < oldest->used_at))
			oldest = l;
	}
	lock_drop(&x->lock);
	if (staying >= max && oldest) {
		park(oldest);
		staying--;
	}
	return staying < max;
}

/* What is to be done with one: *ret_start if it is to get a process. */
static void look(struct session *x, struct session_live *l, double now, bool *ret_start)
{
	bool idle, drop;

	lock_take(&x->lock);
	if (l->streams == 0 && l->watch && json_array_size(l->watch) && now >= l->watched_until)
		session_live_unwatch(l);
	if (l->running && !l->ending) {
		session_take_lines(x, l);
		if (l->watch_changed)
			session_tell_watch(l);
	}
	idle = is_idle(x, l);
	drop = l->drop;
	*ret_start = !l->running && !l->drop && session_has_commands(x, l->id, true);
	lock_drop(&x->lock);
	if (l->running && !l->ending && drop)
		stop(l, SIGKILL);
	else if (idle && (now - l->used_at >= x->config.idle_s || atomic_load(&x->stopping)))
		park(l);
	else if (l->running && !l->ending && atomic_load(&x->stopping))
		stop(l, SIGTERM);
	if (l->running && now >= l->kill_at) {
		l->kill_at = (double)INFINITY;
		exec_local_signal(&l->process, SIGKILL);
	}
}

static void remove_dropped(struct session *x, struct session_live *l)
{
	struct err gone = { 0 };

	(void)err_set(&gone, ERR_NOTFOUND, NULL, "the session was deleted");
	session_fail(x, l->id, false, &gone, NULL);
	harvest_remove(x->config.store, "sessions", l->id);
}

/* Entries that nobody needs. */
static void sweep(struct session *x, double now)
{
	for (struct session_live *l = first(x), *next; l; l = next) {
		bool unused;

		next = l->next;
		if (l->drop && !l->running)
			remove_dropped(x, l);
		lock_take(&x->lock);
		unused = !l->running && l->streams == 0 && !session_has_commands(x, l->id, false) &&
			 (l->drop || now >= l->watched_until);
		if (unused) {
			struct session_live **at = &x->lives;

			while (*at != l)
				at = &(*at)->next;
			*at = l->next;
		}
		lock_drop(&x->lock);
		if (unused)
			session_live_free(l);
	}
}

/* polls[0] is the wake-up; two a running session, in the order of the list. */
static size_t fill(struct session *x, struct pollfd *polls, size_t cap)
{
	size_t n = 0;

	polls[n++] = (struct pollfd){ .fd = x->wake_fd, .events = POLLIN };
	for (struct session_live *l = first(x); l && n + 2 <= cap; l = l->next) {
		if (!l->running)
			continue;
		polls[n++] = (struct pollfd){ .fd = l->process.pid_fd, .events = POLLIN };
		polls[n++] = (struct pollfd){
			.fd = l->process.out_fd,
			.events = (short)(POLLIN | (l->out.len > l->sent ? POLLOUT : 0)),
		};
	}
	return n;
}

/* Sleep, then hear and feed everybody. New entries stand at the head of the list: those are not in
 * polls yet. */
static void turn(struct session *x, struct pollfd *polls, size_t cap)
{
	size_t n = fill(x, polls, cap);
	uint64_t count;

	if (poll(polls, (nfds_t)n, (int)(TICK_S * 1e3)) <= 0)
		return;
	if (polls[0].revents && read(x->wake_fd, &count, sizeof(count)) < 0)
		return;
	for (size_t i = 1; i < n; i += 2) {
		struct session_live *l = first(x);

		while (l && (!l->running || l->process.pid_fd != polls[i].fd))
			l = l->next;
		if (!l)
			continue;
		if (polls[i + 1].revents & (POLLIN | POLLHUP | POLLERR))
			session_hear(x, l);
		if (polls[i + 1].revents & POLLOUT)
			session_feed(l);
		if (polls[i].revents)
			bury(x, l);
	}
}

/* Room to poll all that run. */
static bool grow(struct session *x, struct pollfd **polls, size_t *cap)
{
	size_t n = 1 + 2 * count_running(x);
	struct pollfd *grown;

	if (n <= *cap)
		return true;
	grown = mem_resize(*polls, 2 * n, sizeof(*grown));
	if (!grown)
		return *cap > 0; /* some are heard later */
	*polls = grown;
	*cap = 2 * n;
	return true;
}

static void serve(struct session *x, struct session_live *l, double now)
{
	bool wanted = false;

	look(x, l, now, &wanted);
	if (wanted && !atomic_load(&x->stopping) && have_room(x))
		start(x, l);
	if (l->running)
		session_feed(l);
}

void *session_owner(void *self)
{
	struct session *x = self;
	struct pollfd *polls = NULL;
	size_t cap = 0;

	while (grow(x, &polls, &cap) && (!atomic_load(&x->stopping) || count_running(x) > 0)) {
		double now = clock_mono_s();

		for (struct session_live *l = first(x); l; l = l->next)
			serve(x, l, now);
		lock_take(&x->lock);
		session_forget(x, now);
		lock_drop(&x->lock);
		sweep(x, now);
		if (grow(x, &polls, &cap))
			turn(x, polls, cap);
	}
	mem_free(polls);
	return NULL;
}
