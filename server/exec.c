/* exec.c - the thread that owns the children, and the one that brings their harvest in. */
/* SPDX-License-Identifier: MIT */
#include "server/exec.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "server/clock.h"
#include "server/event.h"
#include "server/exec_folder.h"
#include "server/exec_local.h"
#include "server/harvest.h"
#include "server/lock.h"
#include "server/log.h"
#include "server/queue.h"
#include "server/store_db.h"
#include "server/store_result.h"
#include "server/store_run.h"
#include "server/thread.h"

static const double KILL_AFTER_S = 5.0, RETRY_S = 1.0;
enum { POLL_PER_CHILD = 2, PATH_SIZE = 4096 };

struct child {
	struct exec_local process;
	char id[ID_SIZE];
	struct exec *exec;
	double started, wall_at, kill_at; /* monotonic; INFINITY: no such deadline */
	bool cancelled, timed_out, stopped;
	struct stat checkpoint; /* that it began with; zeros: none */
};

/* Runs whose process has ended, waiting to be brought in. */
struct pending {
	struct harvest_job job;
	struct pending *next;
};

struct exec {
	struct exec_config config;
	int wake_fd;
	atomic_bool stopping;
	atomic_bool kept; /* some folder waits for its run to go on */
	struct thread owner, harvester;
	/* the owner's: */
	struct child *children;
	struct pollfd *polls;
	size_t n;
	double retry_at;  /* something failed that may go away */
	struct lock lock; /* owns all below */
	struct lock_cond more;
	struct pending *first, **last;
	int64_t n_pending;
	bool closed; /* no more will come */
};

void exec_wake(struct exec *e)
{
	uint64_t one = 1;
	ssize_t n = write(e->wake_fd, &one, sizeof(one));

	(void)n; /* it fails only when it is full, and then the owner wakes anyway */
}

/* ---- harvest ---- */

static void append(struct exec *e, struct pending *p)
{
	p->next = NULL;
	*e->last = p;
	e->last = &p->next;
}

/* Wait until a run is to be brought in; NULL: no more will come. */
static struct pending *next_pending(struct exec *e)
{
	struct pending *p;

	lock_take(&e->lock);
	while (!e->first && !e->closed)
		(void)lock_cond_wait(&e->more, &e->lock, (double)INFINITY);
	p = e->first;
	if (p)
		e->first = p->next;
	if (!e->first)
		e->last = &e->first;
	lock_drop(&e->lock);
	return p;
}

/* What could not be stored is tried again, behind the others, unless the server ends: then the run is
 * found unfinished at the next start. */
static bool try_again(struct exec *e, struct pending *p)
{
	bool again;

	lock_take(&e->lock);
	if (!e->first && !e->closed)
		(void)lock_cond_wait(&e->more, &e->lock, clock_mono_s() + RETRY_S);
	again = !e->closed;
	if (again)
		append(e, p);
	lock_drop(&e->lock);
	return again;
}

static void *harvester(void *self)
{
	struct exec *e = self;
	struct pending *p;

	while ((p = next_pending(e))) {
		if (harvest(e->config.store, e->config.event, &p->job) && try_again(e, p))
			continue;
		if (p->job.kept)
			atomic_store(&e->kept, true);
		mem_free(p);
		lock_take(&e->lock);
		e->n_pending--;
		lock_drop(&e->lock);
		exec_wake(e); /* there may be room for one more */
	}
	return NULL;
}

static void bring_in(struct exec *e, struct harvest_job *job)
{
	struct pending *p = mem_alloc(1, sizeof(*p));

	if (!p) { /* slower, but not lost */
		if (harvest(e->config.store, e->config.event, job))
			log_text(LOG_ERROR, "run %s ends at the next start of the server", job->id);
		return;
	}
	p->job = *job;
	lock_take(&e->lock);
	append(e, p);
	e->n_pending++;
	lock_cond_signal(&e->more);
	lock_drop(&e->lock);
}

void exec_harvest(struct exec *e, const char *id)
{
	struct harvest_job job = { 0 };

	(void)snprintf(job.id, sizeof(job.id), "%s", id);
	bring_in(e, &job);
}

static bool backlog(struct exec *e)
{
	bool many;

	lock_take(&e->lock);
	many = e->n_pending > 2 * e->config.slots;
	lock_drop(&e->lock);
	return many;
}

/* ---- starting ---- */

static int move(struct exec *e, const char *id, enum run_state from, enum run_event event,
		struct err *err)
{
	int rc = store_begin(e->config.store, err);

	if (rc)
		return rc;
	rc = store_run_move(e->config.store, id, from, event, err);
	if (rc) {
		store_rollback(e->config.store);
		return rc;
	}
	rc = store_commit(e->config.store, err);
	if (!rc)
		event_wake(e->config.event, id);
	return rc;
}

static void add_child(struct exec *e, const char *id, const char *path,
		      const struct exec_local *process)
{
	struct child *c = &e->children[e->n++];

	memset(c, 0, sizeof(*c));
	c->process = *process;
	c->exec = e;
	(void)snprintf(c->id, sizeof(c->id), "%s", id);
	c->checkpoint = exec_folder_checkpoint(path);
	c->started = clock_mono_s();
	c->wall_at = c->started + e->config.wall_max_s;
	c->kill_at = (double)INFINITY;
}

/* Far beyond the wall time in which it is stopped: for a process that hears nobody any more. */
static long cpu_limit(const struct exec *e, int64_t threads)
{
	return (long)fmin((e->config.wall_max_s + 60.0) * (double)(threads + 1), 1e9);
}

/* Start one queued run; the state `running` is stored before the process exists. */
static int start(struct exec *e, const char *id, struct err *err)
{
	struct exec_local process;
	struct mem_arena arena;
	struct store_run run;
	char path[PATH_SIZE];
	int rc;

	mem_arena_init(&arena, 0);
	(void)snprintf(path, sizeof(path), "%s/runs/%s", store_dir(e->config.store), id);
	rc = store_run_get(e->config.store, id, &arena, &run, err);
	if (!rc)
		rc = move(e, id, RUN_QUEUED, RUN_START, err);
	if (!rc) {
		rc = exec_folder_make(e->config.store, id, path, &arena, err);
		if (!rc)
			rc = exec_local_start(
				&process,
				&(struct exec_local_job){ .runner = e->config.runner,
							  .dir = path,
							  .trace = run.trace,
							  .threads = (long)run.threads,
							  .memory_mb = (long)e->config.memory_mb,
							  .file_mb = (long)e->config.file_mb,
							  .cpu_s = cpu_limit(e, run.threads),
							  .checkpoint_s = e->config.checkpoint_s },
				err);
		if (!rc) {
			add_child(e, id, path, &process);
		} else { /* it is `running`, so it must end */
			struct harvest_job job = { .code = -rc };

			(void)snprintf(job.id, sizeof(job.id), "%s", id);
			(void)snprintf(job.detail, sizeof(job.detail), "%s", err->text);
			log_err("starting a run", err);
			bring_in(e, &job);
			rc = 0;
		}
	}
	mem_arena_release(&arena);
	return rc;
}

static void start_queued(struct exec *e)
{
	e->retry_at = (double)INFINITY;
	while (e->n < (size_t)e->config.slots && !backlog(e)) {
		struct err err = { 0 };
		char id[ID_SIZE];
		int rc = queue_next(e->config.queue, id, &err);

		if (rc == -ERR_NOTFOUND)
			return;
		if (!rc)
			rc = start(e, id, &err);
		if (rc && rc != -ERR_STATE &&
		    rc != -ERR_NOTFOUND) { /* not just cancelled meanwhile */
			log_err("starting a run", &err);
			e->retry_at = clock_mono_s() + RETRY_S;
			return;
		}
	}
}

/* ---- watching ---- */

static void on_line(void *self, const char *line)
{
	struct child *c = self;
	struct event_progress p = { 0 };
	json_t *json = json_loads(line, 0, NULL);

	if (json_is_object(json)) {
		p.t_ms = json_number_value(json_object_get(json, "t_ms"));
		p.duration_ms = json_number_value(json_object_get(json, "duration_ms"));
		p.wall_s = json_number_value(json_object_get(json, "wall_s"));
		event_report(c->exec->config.event, c->id, &p);
	}
	json_decref(json);
}

static void stop_child(struct child *c, int sig)
{
	exec_local_signal(&c->process, sig);
	if (!isfinite(c->kill_at))
		c->kill_at = clock_mono_s() + KILL_AFTER_S;
}

/* Interrupt the children whose runs are to be cancelled. */
static void cancel(struct exec *e)
{
	char(*ids)[ID_SIZE];
	struct mem_arena arena;
	struct err err = { 0 };
	size_t n = 0;

	mem_arena_init(&arena, 0);
	if (store_run_in_state(e->config.store, RUN_CANCELLING, &ids, &n, &arena, &err))
		log_err("looking for cancelled runs", &err);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < e->n; k++) {
			struct child *c = &e->children[k];

			if (strcmp(c->id, ids[i]) == 0 && !c->cancelled) {
				c->cancelled = true;
				stop_child(c, SIGINT);
			}
		}
	}
	mem_arena_release(&arena);
}

static void check_deadlines(struct child *c, double now)
{
	if (now >= c->wall_at) {
		c->wall_at = (double)INFINITY;
		c->timed_out = true;
		stop_child(c, SIGINT);
	}
	if (now >= c->kill_at) {
		c->kill_at = (double)INFINITY;
		exec_local_signal(&c->process, SIGKILL);
	}
}

/* Killed from outside after it had come further than where it began: it goes on from there. A process
 * that never comes further fails, so this ends. */
static bool goes_on(struct exec *e, const struct child *c, int sig)
{
	char path[PATH_SIZE];
	struct stat now;

	if (sig != SIGKILL || c->cancelled || c->timed_out || c->stopped)
		return false;
	(void)snprintf(path, sizeof(path), "%s/runs/%s", store_dir(e->config.store), c->id);
	now = exec_folder_checkpoint(path);
	return now.st_ino && (now.st_ino != c->checkpoint.st_ino ||
			      now.st_mtim.tv_sec != c->checkpoint.st_mtim.tv_sec ||
			      now.st_mtim.tv_nsec != c->checkpoint.st_mtim.tv_nsec);
}

/* The process has ended: what its exit means, given what we did to it. */
static void end_child(struct exec *e, struct child *c)
{
	struct harvest_job job = { .requeue = !atomic_load(&e->stopping) };

	exec_local_read(&c->process, on_line, c);
	job.code = exec_local_reap(&c->process, &job.signal);
	job.wall_s = clock_mono_s() - c->started;
	(void)snprintf(job.id, sizeof(job.id), "%s", c->id);
	if (c->timed_out && job.code) {
		job.code = ERR_TIMEOUT;
		job.signal = 0;
		(void)snprintf(job.detail, sizeof(job.detail),
			       "the run was stopped after %g s of wall time, the server's limit",
			       e->config.wall_max_s);
	} else if (c->stopped && job.code) {
		job.code = ERR_INTERRUPTED;
		job.signal = 0;
		(void)snprintf(job.detail, sizeof(job.detail), "the server was stopped");
	} else if (goes_on(e, c, job.signal)) {
		log_text(LOG_WARN, "run %s: its process was killed, it goes on from its checkpoint",
			 c->id);
		job.code = ERR_INTERRUPTED;
		job.signal = 0;
		(void)snprintf(job.detail, sizeof(job.detail), "the process was killed");
	}
	bring_in(e, &job);
	*c = e->children[--e->n];
}

static int poll_timeout(const struct exec *e)
{
	double at = e->retry_at, now = clock_mono_s();

	for (size_t i = 0; i < e->n; i++) {
		at = e->children[i].wall_at < at ? e->children[i].wall_at : at;
		at = e->children[i].kill_at < at ? e->children[i].kill_at : at;
	}
	if (!isfinite(at))
		return -1;
	return at <= now ? 0 : at - now > 1e6 ? 1000000000 : (int)((at - now) * 1e3) + 1;
}

/* Sleep until something happens; true if somebody called exec_wake. */
static bool wait(struct exec *e)
{
	uint64_t count;

	e->polls[0] = (struct pollfd){ .fd = e->wake_fd, .events = POLLIN };
	for (size_t i = 0; i < e->n; i++) {
		const struct exec_local *p = &e->children[i].process;

		e->polls[1 + POLL_PER_CHILD * i] =
			(struct pollfd){ .fd = p->pid_fd, .events = POLLIN };
		e->polls[2 + POLL_PER_CHILD * i] =
			(struct pollfd){ .fd = p->out_fd, .events = POLLIN };
	}
	if (poll(e->polls, (nfds_t)(1 + POLL_PER_CHILD * e->n), poll_timeout(e)) <= 0)
		for (size_t i = 0; i < 1 + POLL_PER_CHILD * e->n; i++)
			e->polls[i].revents = 0;
	return e->polls[0].revents && read(e->wake_fd, &count, sizeof(count)) > 0;
}

static void watch(struct exec *e)
{
	double now = clock_mono_s();

	for (size_t i = e->n; i-- > 0;) { /* downwards: end_child moves the last one into the gap */
		struct child *c = &e->children[i];

		if (e->polls[1 + POLL_PER_CHILD * i].revents) {
			end_child(e, c);
			continue;
		}
		if (e->polls[2 + POLL_PER_CHILD * i].revents)
			exec_local_read(&c->process, on_line, c);
		check_deadlines(c, now);
	}
}

static void *owner(void *self)
{
	struct exec *e = self;

	start_queued(e);
	while (!atomic_load(&e->stopping)) {
		if (wait(e)) {
			cancel(e);
			if (atomic_load(&e->kept))
				atomic_store(&e->kept, exec_folder_tidy(e->config.store));
		}
		watch(e);
		start_queued(e);
	}
	e->retry_at = (double)INFINITY;
	for (size_t i = 0; i < e->n; i++) {
		e->children[i].stopped = true;
		stop_child(&e->children[i], SIGTERM);
	}
	while (e->n) {
		(void)wait(e);
		watch(e);
	}
	return NULL;
}

/* ---- life ---- */

/* Runs that an earlier server left in `state` go on by `event` (and then `second`, unless it is
 * RUN_EVENT_N). */
static int recover(struct exec *e, enum run_state state, enum run_event event,
		   enum run_event second, struct err *err)
{
	struct mem_arena arena;
	char(*ids)[ID_SIZE];
	size_t n = 0;
	int rc;

	mem_arena_init(&arena, 0);
	rc = store_run_in_state(e->config.store, state, &ids, &n, &arena, err);
	for (size_t i = 0; !rc && i < n; i++) {
		rc = move(e, ids[i], state, event, err);
		if (!rc && second != RUN_EVENT_N)
			rc = move(e, ids[i], run_next(state, event), second, err);
		if (!rc)
			log_text(LOG_INFO, "run %s was %s when the server stopped", ids[i],
				 run_state_name(state));
	}
	mem_arena_release(&arena);
	return rc;
}

static int recover_all(struct exec *e, struct err *err)
{
	int rc = store_result_drop(e->config.store, NULL, err);

	if (!rc)
		rc = recover(e, RUN_CANCELLING, RUN_STOPPED, RUN_EVENT_N, err);
	if (!rc)
		rc = recover(e, RUN_RUNNING, RUN_INTERRUPT, RUN_REQUEUE, err);
	if (!rc)
		rc = recover(e, RUN_INTERRUPTED, RUN_REQUEUE, RUN_EVENT_N, err);
	if (!rc)
		atomic_store(&e->kept, exec_folder_tidy(e->config.store));
	return rc;
}

int exec_new(struct exec **ret, const struct exec_config *config, struct err *err)
{
	struct exec *e = mem_alloc(1, sizeof(*e));
	int rc;

	if (!e)
		return err_nomem(err);
	e->config = *config;
	e->last = &e->first;
	e->retry_at = (double)INFINITY;
	lock_init(&e->lock);
	lock_cond_init(&e->more);
	e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	e->children = mem_alloc((size_t)config->slots, sizeof(*e->children));
	e->polls = mem_alloc(1 + POLL_PER_CHILD * (size_t)config->slots, sizeof(*e->polls));
	rc = !e->children || !e->polls || e->wake_fd < 0 ? err_nomem(err) : recover_all(e, err);
	if (!rc)
		rc = thread_start(&e->harvester, harvester, e, err);
	if (!rc)
		rc = thread_start(&e->owner, owner, e, err);
	if (rc) {
		exec_free(e);
		return rc;
	}
	*ret = e;
	return 0;
}

void exec_free(struct exec *e)
{
	if (!e)
		return;
	atomic_store(&e->stopping, true);
	if (e->wake_fd >= 0)
		exec_wake(e);
	thread_join(&e->owner);
	lock_take(&e->lock);
	e->closed = true;
	lock_cond_signal(&e->more);
	lock_drop(&e->lock);
	thread_join(&e->harvester);
	if (e->wake_fd >= 0)
		(void)close(e->wake_fd);
	lock_cond_release(&e->more);
	lock_release(&e->lock);
	mem_free(e->children);
	mem_free(e->polls);
	mem_free(e);
}
