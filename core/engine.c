/* engine.c - engine_run: read the directory, run what it says, leave a result whatever happens. */
/* SPDX-License-Identifier: MIT */
#include "core/engine.h"

#include <string.h>
#include <unistd.h>

#include "core/engine_data.h"
#include "core/engine_run.h"
#include "core/rundir.h"

static int run(struct experiment_ctx *c, struct err *err)
{
	json_t *json = NULL;
	char *text = NULL;
	size_t n = 0;
	int rc = engine_data_spec(c->dir_fd, &text, &n, err);

	if (!rc)
		rc = spec_json_load(&json, text, n, err);
	mem_free(text);
	if (rc)
		return rc;
	if (json_is_object(json) && json_object_get(json, "experiment"))
		rc = engine_run_experiment(c, json, err);
	else
		rc = engine_run_spec(c, json, err);
	json_decref(json);
	return engine_run_memory(&c->arena, rc, err);
}

int engine_run_leave(struct experiment_ctx *c, int rc, struct err *err)
{
	struct err why = { 0 };
	int closed = rec_close(c->rec, rc ? NULL : err);
	int written;

	rc = rc ? rc : closed;
	c->result.rec = c->rec;
	c->result.errors = &c->errors;
	c->result.sim = c->sim;
	c->result.counts = c->counts;
	c->result.model_ms = c->before_ms;
	if (c->sim) {
		c->result.counts = sim_counts(c->sim);
		c->result.model_ms = (double)sim_now(c->sim) * sim_spec(c->sim)->dt;
	}
	c->result.wall_s = c->control->now_s(c->control->self) - c->started_s;
	c->result.error = rc ? err : NULL;
	written = result_write(c->dir_fd, &c->result, &why);
	if (!written)
		return rc;
	if (!rc) {
		*err = why;
		rc = written;
		c->result.error = err;
	}
	if (result_write(c->dir_fd, &c->result, NULL))
		(void)result_write_error(c->dir_fd, &c->result, NULL);
	return rc;
}

int engine_run_init(struct experiment_ctx *c, int dir_fd, const struct engine_control *control,
		    struct err *err)
{
	*c = (struct experiment_ctx){ .dir_fd = dir_fd, .control = control };
	mem_arena_init(&c->arena, control->memory_limit);
	hash_init(&c->digests);
	c->datasets = engine_data_sets(&c->dir_fd);
	c->started_s = c->told_s = control->now_s(control->self);
	c->result.version = ENGINE_VERSION;
	c->result.threads = control->threads ? control->threads : 1;
	c->rec = rec_new(dir_fd, &c->arena);
	return c->rec ? 0 : err_nomem(err);
}

void engine_run_release(struct experiment_ctx *c)
{
	sim_free(c->sim);
	json_decref(c->params);
	err_list_release(&c->errors);
	mem_arena_release(&c->arena);
}

/* A result is the mark of a run that ended: an old one must not stand for this. */
static void begin_result(int dir_fd)
{
	(void)unlinkat(dir_fd, RUNDIR_RESULT, 0);
	(void)unlinkat(dir_fd, RUNDIR_RESULT_PART, 0);
	result_reserve(dir_fd);
}

/* From nothing to a result; *ret_again: the checkpoint proved wrong while it was loaded. */
static int attempt(int dir_fd, const struct engine_control *control, bool *ret_again,
		   struct err *err)
{
	struct experiment_ctx c;
	struct err own = { 0 };
	int rc;

	begin_result(dir_fd);
	rc = engine_run_init(&c, dir_fd, control, &own);
	if (!rc)
		rc = run(&c, &own);
	*ret_again = c.ckpt.refused;
	if (c.ckpt.refused)
		(void)rec_close(c.rec, NULL);
	else
		rc = engine_run_leave(&c, rc, &own);
	engine_ckpt_end(&c, rc);
	engine_run_release(&c);
	if (rc && err)
		*err = own;
	return rc;
}

int engine_run(int dir_fd, const struct engine_control *control, struct err *err)
{
	bool again = false;
	int rc = attempt(dir_fd, control, &again, err);

	/* It is gone now, so this is the last time. */
	return again ? attempt(dir_fd, control, &again, err) : rc;
}
