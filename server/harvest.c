/* harvest.c - from a run's folder into the store. */
/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* nftw */
#include "server/harvest.h"

#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/rundir.h"
#include "server/dump.h"
#include "server/event.h"
#include "server/log.h"
#include "server/problem.h"
#include "server/store_db.h"
#include "server/store_result.h"
#include "server/store_run.h"

enum { RESULT_MAX = 1 << 28, LOG_MAX = 65536, FTW_FDS = 16, TRIES = 5 };

/* What is known at the end of a run. */
struct harvest {
	const struct harvest_job *job;
	struct store *store;
	json_t *result; /* NULL: none was left */
	struct err why; /* of a failure; code 0: none */
	struct buf log, provenance, counts, metrics, targets, remarks, score, shape, error;
	bool staged, goes_on;
};

static int on_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	if (at->level > 0)
		(void)remove(path);
	return 0;
}

void harvest_remove(struct store *s, const char *folder, const char *name)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s%s%s", store_dir(s), folder, name ? "/" : "",
		       name ? name : "");
	(void)nftw(path, on_remove, FTW_FDS, FTW_DEPTH | FTW_PHYS);
	if (name)
		(void)rmdir(path);
}

/* A whole file of the run's folder, at most max bytes of it. */
static int read_file(int dir, const char *name, size_t max, struct buf *out)
{
	char block[16384];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = 0;

	buf_init(out, max);
	if (fd < 0)
		return -ERR_NOTFOUND;
	while (!out->failed && (n = read(fd, block, sizeof(block))) > 0) {
		size_t room = max - out->len;

		(void)buf_add(out, block, (size_t)n < room ? (size_t)n : room);
		if ((size_t)n >= room)
			break;
	}
	(void)close(fd);
	return out->failed ? -out->failed : n < 0 ? -ERR_IO : 0;
}

static void dump(struct buf *out, const json_t *json, const char *none)
{
	buf_init(out, RESULT_MAX);
	if (json)
		(void)dump_json(out, json);
	else
		(void)buf_str(out, none);
}

static double number(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_number(v) ? json_number_value(v) : 0.0;
}

/* An error code by its name on the wire. */
static int code_of(const char *name)
{
	for (int code = 1; code < ERR_N; code++)
		if (name && strcmp(err_name(code), name) == 0)
			return code;
	return ERR_INTERNAL;
}

/* Why it failed: what it wrote itself, else what its end says. */
static void explain(struct harvest *h)
{
	const json_t *e = json_object_get(h->result, "error");
	const char *text = json_string_value(json_object_get(e, "text"));
	const char *path = json_string_value(json_object_get(e, "path"));

	if (h->job->signal)
		(void)err_set(&h->why, ERR_CRASHED, NULL,
			      "the simulation process was killed by signal %d", h->job->signal);
	else if (*h->job->detail)
		(void)err_set(&h->why, (enum err_code)h->job->code, NULL, "%s", h->job->detail);
	else if (text)
		(void)err_set(&h->why,
			      (enum err_code)code_of(json_string_value(json_object_get(e, "code"))),
			      path, "%s", text);
	else if (h->job->code == ERR_CRASHED)
		(void)err_set(&h->why, ERR_CRASHED, NULL,
			      "the simulation process ended without a result");
	else if (h->job->code)
		(void)err_set(&h->why, (enum err_code)h->job->code, NULL, "%s",
			      err_title(h->job->code));
}

/* Whether trying again may help. */
static bool may_pass(int rc)
{
	return rc == -ERR_NOMEM || rc == -ERR_BUSY || rc == -ERR_IO;
}

/* 0, or why its result is not stored; the run fails by that unless it had failed. */
static int stage(struct harvest *h, int dir, struct err *err)
{
	int rc;

	if (!h->result) {
		if (!h->why.code)
			(void)err_set(&h->why, ERR_CORRUPT, NULL,
				      "the simulation process left no result");
		return 0;
	}
	rc = h->job->tries ? store_result_drop(h->store, h->job->id, err) : 0;
	if (!rc)
		rc = store_result_stage(h->store, h->job->id, dir, err);
	h->staged = rc == 0;
	if (rc && !h->why.code)
		h->why = *err;
	if (rc)
		log_err("storing a result", err);
	return rc;
}

static void load(struct harvest *h, int dir)
{
	struct buf text;

	(void)read_file(dir, "stderr", LOG_MAX, &h->log);
	if (read_file(dir, RUNDIR_RESULT, RESULT_MAX, &text) == 0 && text.len)
		h->result = json_loadb(text.data, text.len, 0, NULL);
	buf_release(&text);
}

static void release_texts(struct harvest *h)
{
	buf_release(&h->provenance);
	buf_release(&h->counts);
	buf_release(&h->metrics);
	buf_release(&h->targets);
	buf_release(&h->remarks);
	buf_release(&h->score);
	buf_release(&h->shape);
	buf_release(&h->error);
}

static void describe(struct harvest *h)
{
	static const char *const kept[] = { "version", "compiler", "flags",    "threads",
					    "seed",    "wall_s",   "model_ms", "duration_ms",
					    "dt_ms",   "digest",   "partial" };
	json_t *provenance = json_object(), *shape = json_object();
	json_t *error = h->why.code ? problem_json(&h->why) : NULL;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (json_object_get(h->result, kept[i]))
			(void)json_object_set(provenance, kept[i],
					      json_object_get(h->result, kept[i]));
	for (int i = 0; i < 2; i++) {
		const char *key = i ? "projections" : "populations";

		if (json_object_get(h->result, key))
			(void)json_object_set(shape, key, json_object_get(h->result, key));
	}
	(void)json_object_set_new(shape, "dt_ms", json_real(number(h->result, "dt_ms")));
	(void)json_object_set_new(shape, "duration_ms",
				  json_real(number(h->result, "duration_ms")));
	dump(&h->provenance, provenance, "{}");
	dump(&h->shape, shape, "{}");
	dump(&h->counts, json_object_get(h->result, "counts"), "{}");
	dump(&h->metrics, json_object_get(h->result, "metrics"), "{}");
	dump(&h->targets, json_object_get(h->result, "targets"), "[]");
	dump(&h->remarks, json_object_get(h->result, "remarks"), "[]");
	dump(&h->score, json_object_get(h->result, "score"), "null");
	dump(&h->error, error, "{}");
	json_decref(provenance);
	json_decref(shape);
	json_decref(error);
}

static int write_log(struct harvest *h, const char *id, struct err *err)
{
	struct buf line;
	int rc;

	if (!h->log.len)
		return 0;
	buf_init(&line, 8 * LOG_MAX);
	(void)buf_str(&line, "{\"text\":");
	(void)buf_json_string(&line, h->log.data);
	(void)buf_char(&line, '}');
	rc = line.failed ? err_nomem(err) : store_event_add(h->store, id, "log", line.data, err);
	buf_release(&line);
	return rc;
}

static int write_row(struct harvest *h, bool failed, struct err *err)
{
	const struct store_run_end end = {
		.t_ms = number(h->result, "model_ms"),
		.wall_s = h->result ? number(h->result, "wall_s") : h->job->wall_s,
		.digest = json_string_value(json_object_get(h->result, "digest")),
		.provenance = h->provenance.data,
		.counts = h->counts.data,
		.metrics = h->metrics.data,
		.targets = h->targets.data,
		.remarks = h->remarks.data,
		.score = h->score.data,
		.shape = h->shape.data,
		.error = failed ? h->error.data : NULL,
		.log = h->log.data,
		.partial = failed || h->job->code ||
			   json_is_true(json_object_get(h->result, "partial")),
	};

	return store_run_finish(h->store, h->job->id, &end, err);
}

/* In one transaction: the state moves by what the process's end means in the state the run has by
 * now. */
static int finish(struct harvest *h, struct err *err)
{
	const char *id = h->job->id;
	struct mem_arena arena;
	struct store_run run;
	enum run_event event;
	int rc = store_begin(h->store, err);

	if (rc)
		return rc;
	mem_arena_init(&arena, 0);
	rc = store_run_get(h->store, id, &arena, &run, err);
	event = rc ? RUN_EVENT_N : run_event_of(run.state, h->why.code);
	if (!rc && event != RUN_INTERRUPT) {
		rc = write_row(h, event == RUN_FAIL || event == RUN_TIME_OUT, err);
		if (!rc && h->staged)
			rc = store_result_show(h->store, id, err);
		if (!rc)
			rc = write_log(h, id, err);
	}
	if (!rc)
		rc = store_run_move(h->store, id, run.state, event, err);
	h->goes_on = event == RUN_INTERRUPT;
	if (!rc && event == RUN_INTERRUPT && h->job->requeue)
		rc = store_run_move(h->store, id, RUN_INTERRUPTED, RUN_REQUEUE, err);
	mem_arena_release(&arena);
	if (rc) {
		store_rollback(h->store);
		return rc;
	}
	return store_commit(h->store, err);
}

static void release(struct harvest *h)
{
	json_decref(h->result);
	buf_release(&h->log);
	release_texts(h);
}

static void drop_staged(struct harvest *h)
{
	struct err err = { 0 };

	h->staged = false;
	if (store_result_drop(h->store, h->job->id, &err))
		log_err("dropping a result", &err);
}

/* Room for at least the state: the staged chunks and the run's folder go. */
static int finish_without_result(struct harvest *h, struct harvest_job *job, struct err *err)
{
	log_err("ending a run", err);
	drop_staged(h);
	harvest_remove(h->store, "runs", job->id);
	job->code = err->code;
	job->signal = 0;
	(void)snprintf(job->detail, sizeof(job->detail), "%s", err->text);
	json_decref(h->result);
	h->result = NULL;
	h->why = *err;
	release_texts(h);
	describe(h);
	return finish(h, err);
}

/* All of it, from the folder to the row. */
static int bring_in(struct harvest *h, int dir, struct err *err)
{
	size_t refused = mem_refused();
	int rc = 0;

	if (dir >= 0)
		load(h, dir);
	explain(h);
	if (h->why.code != ERR_INTERRUPTED)
		rc = stage(h, dir, err);
	if (rc && may_pass(rc))
		return rc;
	describe(h);
	if (mem_refused() != refused) /* some of the texts may lack a part */
		return err_nomem(err);
	return finish(h, err);
}

int harvest(struct store *s, struct event *e, struct harvest_job *job)
{
	struct harvest h = { .job = job, .store = s };
	struct err err = { 0 };
	char path[4096];
	int dir, rc;

	(void)snprintf(path, sizeof(path), "%s/runs/%s", store_dir(s), job->id);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = bring_in(&h, dir, &err);
	if (rc && !(may_pass(rc) && ++job->tries < TRIES)) /* a full disk, most likely */
		rc = finish_without_result(&h, job, &err);
	else if (!rc && h.result && !h.staged && h.why.code != ERR_INTERRUPTED)
		drop_staged(&h); /* what a failed staging left */
	if (rc)
		log_err("ending a run, to be tried again", &err);
	if (dir >= 0)
		(void)close(dir);
	release(&h);
	if (rc)
		return rc;
	event_forget(e, job->id);
	event_wake(e, job->id);
	job->kept = h.goes_on;
	if (!job->kept)
		harvest_remove(s, "runs", job->id);
	return 0;
}
