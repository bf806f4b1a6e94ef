/* engine_live.c - a simulation kept warm: made, advanced, changed, looked at, ended. */
/* SPDX-License-Identifier: MIT */
#include "core/engine_live.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/engine_data.h"
#include "core/engine_live_part.h"
#include "core/rundir.h"

enum { FILE_NAME_MAX = 128 };

/* ---- made ---- */

static int read_spec(struct engine_live *l, struct err *err)
{
	char *text = NULL;
	size_t n = 0;
	int rc = engine_data_spec(l->c.dir_fd, &text, &n, err);

	if (!rc)
		rc = spec_json_load(&l->json, text, n, err);
	mem_free(text);
	if (rc || !json_object_get(l->json, "experiment"))
		return rc;
	return err_set(err, ERR_INVALID, "/experiment",
		       "expected a spec of a network, found an experiment");
}

static void name_columns(struct engine_live *l)
{
	char prefix[16];

	(void)snprintf(prefix, sizeof(prefix), "g%u-", l->generation);
	rec_prefix(l->c.rec, l->generation ? prefix : "");
}

/* What a session's checkpoint says beside the state; a plain run's says nothing. */
static int read_saved(struct engine_live *l, const struct engine_live_source *from, json_t **ret,
		      struct err *err)
{
	const char *text = ckpt_text(l->c.ckpt.open);
	json_t *saved = NULL;
	json_int_t of = 0;
	char prefix[16] = "";
	int rc = text[0] ? spec_json_load(&saved, text, strlen(text), err) : 0;

	if (rc)
		return rc;
	*ret = saved;
	of = json_integer_value(json_object_get(saved, "generation"));
	if (of < 0 || of > ENGINE_LIVE_GENERATIONS)
		return err_set(err, ERR_CORRUPT, "", "the checkpoint has a wrong generation");
	if (of)
		(void)snprintf(prefix, sizeof(prefix), "g%u-", (unsigned)of);
	if (from->generation) {
		l->generation = from->generation;
		rec_take(l->c.rec, from->dir_fd, prefix);
	} else {
		l->generation = (unsigned)of;
		rec_keep(l->c.rec);
	}
	name_columns(l);
	return 0;
}

static int find_saved(struct engine_live *l, const struct engine_live_source *from,
		      json_t **ret_saved, struct err *err)
{
	struct err why = { 0 };
	int rc = engine_ckpt_key(&l->c, l->json, err);

	if (rc)
		return rc;
	rc = ckpt_open(&l->c.ckpt.open, from->dir_fd, &l->c.ckpt.key, &why);
	if (rc == -ERR_NOTFOUND && !from->must)
		return 0;
	if (!rc)
		return read_saved(l, from, ret_saved, err);
	if (err)
		*err = why;
	return rc;
}

static int read_schedule(struct engine_live *l, json_t *saved, struct err_list *errors,
			 struct err *err)
{
	int rc = spec_json_live_new(&l->spec, l->json, json_object_get(saved, "schedule"),
				    &l->c.datasets, &l->c.arena, errors);

	if (rc == -ERR_NOMEM)
		return engine_run_memory(&l->c.arena, err_nomem(err), err);
	if (rc)
		return err_set(err, rc == -ERR_LIMIT ? ERR_LIMIT : ERR_INVALID, errors->first.path,
			       "%s", errors->first.text);
	return 0;
}

static int make(struct engine_live *l, const struct engine_live_source *from,
		struct err_list *errors, struct err *err)
{
	json_t *saved = NULL;
	int rc = read_spec(l, err);

	if (rc)
		return rc;
	l->c.result.seed = spec_json_seed(l->json);
	rc = find_saved(l, from, &saved, err);
	if (!rc)
		rc = read_schedule(l, saved, errors, err);
	json_decref(saved);
	if (rc)
		return rc;
	engine_run_describe(&l->c, spec_json_live_spec(l->spec));
	rc = engine_run_build(&l->c, l->c.result.spec, err);
	return engine_run_memory(&l->c.arena, rc, err);
}

int engine_live_make(struct engine_live **ret, int dir_fd, const struct engine_control *control,
		     const struct engine_live_hook *hook, const struct engine_live_source *from,
		     struct err_list *errors, struct err *err)
{
	struct engine_live *l = mem_alloc(1, sizeof(*l));
	int rc;

	if (!l)
		return err_nomem(err);
	l->hook = hook;
	rc = engine_run_init(&l->c, dir_fd, control, err);
	if (!rc)
		rc = make(l, from, errors, err);
	if (rc)
		engine_live_close(l);
	else
		*ret = l;
	return rc;
}

int engine_live_open(struct engine_live **ret, int dir_fd, const struct engine_control *control,
		     const struct engine_live_hook *hook, struct err_list *errors, struct err *err)
{
	const struct engine_live_source from = { .dir_fd = dir_fd };

	int rc = engine_live_make(ret, dir_fd, control, hook, &from, errors, err);

	if (!rc && hook)
		hook->attach(hook->self, (*ret)->c.sim);
	return rc;
}

void engine_live_close(struct engine_live *l)
{
	if (!l)
		return;
	(void)rec_close(l->c.rec, NULL);
	ckpt_close(l->c.ckpt.open);
	engine_run_release(&l->c);
	spec_json_live_free(l->spec);
	json_decref(l->json);
	mem_free(l);
}

/* ---- time, changes ---- */

struct sim *engine_live_sim(struct engine_live *l)
{
	return l->c.sim;
}

unsigned engine_live_generation(const struct engine_live *l)
{
	return l->generation;
}

const struct err *engine_live_failure(const struct engine_live *l)
{
	return l->failure.code ? &l->failure : NULL;
}

int engine_live_failed(const struct engine_live *l, struct err *err)
{
	if (!l->failure.code)
		return 0;
	return err_set(err, ERR_STATE, "", "the simulation has failed: %.200s", l->failure.text);
}

int engine_live_advance(struct engine_live *l, int64_t to, struct err *err)
{
	int rc = engine_live_failed(l, err);

	if (rc)
		return rc;
	rc = sim_advance(l->c.sim, to, &l->failure);
	if (rc && err)
		*err = l->failure;
	return rc;
}

int engine_live_change(struct engine_live *l, json_t *added, struct err_list *errors,
		       struct err *err)
{
	struct spec_json_live_changes changes = { 0 };
	int rc = engine_live_failed(l, err);

	if (rc)
		return rc;
	rc = spec_json_live_change(l->spec, added, sim_now(l->c.sim), &changes, errors);
	if (rc == -ERR_NOMEM)
		return err_nomem(err);
	if (rc)
		return err_set(err, (enum err_code)errors->first.code, errors->first.path, "%s",
			       errors->first.text);
	sim_schedule(l->c.sim, changes.at, changes.n);
	return 0;
}

/* ---- looked at ---- */

static void describe(struct engine_live *l)
{
	struct experiment_ctx *c = &l->c;

	c->result.rec = c->rec;
	c->result.sim = c->sim;
	c->result.counts = sim_counts(c->sim);
	c->result.model_ms = c->result.duration_ms = (double)sim_now(c->sim) * c->result.dt_ms;
	c->result.wall_s = c->control->now_s(c->control->self) - c->started_s;
	c->result.error = engine_live_failure(l);
}

/* Files that the look before the last left. */
static void remove_old(const struct engine_live *l)
{
	char name[FILE_NAME_MAX];
	bool gone = l->looks < 2;

	for (size_t part = 0; !gone; part++) {
		for (size_t i = 0; i < REC_WEIGHTS_COLUMNS; i++) {
			(void)snprintf(name, sizeof(name), "now%u-%zu-%zu.col", l->looks - 2, part,
				       i);
			gone = unlinkat(l->c.dir_fd, name, 0) < 0;
		}
	}
}

static int look(struct engine_live *l, const size_t *projections, size_t n, struct mem_arena *arena,
		struct err *err)
{
	struct rec *now = rec_new(l->c.dir_fd, arena);
	char prefix[16];
	int rc = now ? rec_flush(l->c.rec, err) : err_nomem(err);

	if (!now)
		return rc;
	(void)snprintf(prefix, sizeof(prefix), "now%u-", l->looks);
	rec_prefix(now, prefix);
	for (size_t i = 0; !rc && i < n; i++)
		rc = rec_weights_now(now, l->c.sim, projections[i], err);
	if (rec_close(now, rc ? NULL : err) && !rc)
		rc = -ERR_IO;
	if (rc)
		return rc;
	describe(l);
	l->c.result.more = now;
	rc = result_write_as(l->c.dir_fd, RUNDIR_LIVE, &l->c.result, err);
	l->c.result.more = NULL;
	return rc;
}

int engine_live_look(struct engine_live *l, const size_t *projections, size_t n, struct err *err)
{
	struct mem_arena arena;
	int rc;

	mem_arena_init(&arena, 0);
	rc = look(l, projections, n, &arena, err);
	mem_arena_release(&arena);
	remove_old(l);
	l->looks++;
	return rc;
}

/* ---- ended ---- */

static int write_past(struct engine_live *l, struct err *err)
{
	json_t *past = spec_json_live_past(l->spec, sim_now(l->c.sim));
	char *text = past ? spec_json_text(past) : NULL;
	int rc = text ? engine_data_write(l->c.dir_fd, RUNDIR_SPEC, text, strlen(text), err)
		      : err_nomem(err);

	mem_free(text);
	json_decref(past);
	return rc;
}

int engine_live_save(struct engine_live *l, struct err *err)
{
	struct err why = l->failure;
	int rc = -l->failure.code;

	if (sim_now(l->c.sim) == 0)
		return err_set(err, ERR_STATE, "", "no time has passed yet");
	if (rc)
		(void)engine_run_finish(&l->c, l->c.sim, NULL);
	else
		rc = engine_run_finish(&l->c, l->c.sim, &why);
	if (!rc)
		rc = write_past(l, &why);
	describe(l);
	rc = engine_run_leave(&l->c, rc, &why);
	if (rc && err)
		*err = why;
	return rc;
}
