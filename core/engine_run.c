/* engine_run.c - one simulation from spec to recordings: pieces of time, reasons to stop, progress. */
/* SPDX-License-Identifier: MIT */
#include "core/engine_run.h"

#include <stdio.h>
#include <string.h>

#include "core/net.h"
#include "core/sim_many.h"

/* Wall time between two looks at stop(): pieces of the run are made about this long. */
#define PIECE_S	   0.005
#define PROGRESS_S 0.1

static double now_s(const struct experiment_ctx *c)
{
	double now;

	sim_many_lock();
	now = c->control->now_s(c->control->self);
	sim_many_unlock();
	return now;
}

/* With what several simulations share held. */
static void tell(struct experiment_ctx *c, const struct sim *s, double now)
{
	const struct spec *spec = sim_spec(s);
	struct engine_progress p = {
		.t_ms = (double)sim_now(s) * spec->dt,
		.duration_ms = (double)spec->steps * spec->dt,
		.wall_s = now - c->started_s,
		.spikes = sim_counts(s).spikes,
	};

	c->told_s = now;
	if (c->control->progress)
		c->control->progress(c->control->self, &p);
}

static const char *reason(enum err_code why)
{
	if (why == ERR_CANCELLED)
		return "cancelled";
	return why == ERR_INTERRUPTED ? "interrupted" : "stopped";
}

/* May it go on? `where`: how far it has come, for the reader of the answer. */
static int look(const struct experiment_ctx *c, const char *where, double now, struct err *err)
{
	enum err_code why = ERR_OK;

	sim_many_lock();
	if (c->control->stop)
		why = c->control->stop(c->control->self);
	sim_many_unlock();
	if (why != ERR_OK)
		return err_set(err, why, "", "%s %s", reason(why), where);
	if (c->wall_s > 0 && now - c->started_s > c->wall_s)
		return err_set(err, ERR_TIMEOUT, "/limits/wall_s", "stopped after wall_s = %g s %s",
			       c->wall_s, where);
	return 0;
}

int engine_run_look(void *context, struct err *err)
{
	return look(context, "while the network was built", now_s(context), err);
}

/* The next piece, from how long the last one took: twice as long at most, never less than a step. */
static int64_t next_piece(int64_t piece, double took)
{
	double ideal;

	if (took < PIECE_S / 2)
		return piece < INT64_MAX / 4 ? piece * 2 : piece;
	ideal = (double)piece * PIECE_S / took;
	return ideal < 1.0 ? 1 : (int64_t)ideal;
}

int engine_run_advance(struct experiment_ctx *c, struct sim *s, struct err *err)
{
	int64_t end = sim_spec(s)->steps, piece = 1;
	double now = now_s(c);

	while (sim_now(s) < end) {
		int64_t left = end - sim_now(s);
		double before = now;
		char where[96];
		int rc;

		(void)snprintf(where, sizeof(where), "at %.10g ms of %.10g ms",
			       (double)sim_now(s) * sim_spec(s)->dt, (double)end * sim_spec(s)->dt);
		rc = look(c, where, now, err);
		if (!rc)
			rc = sim_advance(s, sim_now(s) + (piece < left ? piece : left), err);
		if (rc)
			return rc;
		now = now_s(c);
		piece = next_piece(piece, now - before);
		rc = engine_ckpt_due(c, now, err);
		if (rc)
			return rc;
		sim_many_lock();
		if (now - c->told_s >= PROGRESS_S || sim_now(s) == end)
			tell(c, s, now);
		sim_many_unlock();
	}
	return 0;
}

int engine_run_memory(const struct mem_arena *arena, int rc, struct err *err)
{
	if (rc != -ERR_NOMEM || !arena->met)
		return rc;
	return err_set(err, ERR_LIMIT, "", "the run needs more than its %.0f MiB of memory",
		       (double)arena->limit / 1048576.0);
}

int engine_run_read(struct experiment_ctx *c, const struct spec **ret, json_t *json,
		    struct mem_arena *arena, struct err *err)
{
	int rc = spec_json_read(ret, json, "", &c->datasets, NULL, arena, &c->errors);

	if (rc == -ERR_NOMEM)
		return engine_run_memory(arena, err_nomem(err), err);
	if (rc && err_list_count(&c->errors) > 0)
		return err_set(err, rc == -ERR_LIMIT ? ERR_LIMIT : ERR_INVALID,
			       c->errors.first.path, "%s", c->errors.first.text);
	if (rc)
		return err_set(err, ERR_INTERNAL, "", "the spec was refused without a reason");
	return 0;
}

/* Spikes of generators that nothing observes are not counted one by one, so only cells and recorded
 * generators have a rate. */
static bool has_rate(const struct spec *spec, size_t population)
{
	const struct spec_population *p = &spec->populations[population];

	if (p->model->kind != NEURON_SPIKES)
		return p->model->kind == NEURON_CELL;
	for (size_t i = 0; i < spec->n_rates; i++)
		if (spec->rates[i].population == population)
			return true;
	return p->record_spikes;
}

static int named_metric(struct experiment_ctx *c, const char *kind, const char *subject,
			double value, struct err *err)
{
	char name[256];

	(void)snprintf(name, sizeof(name), "%s.%s", kind, subject);
	return engine_metric(c, name, value, err);
}

static int add_metrics(struct experiment_ctx *c, const struct sim *s, struct err *err)
{
	const struct spec *spec = sim_spec(s);
	double seconds = (double)sim_now(s) * spec->dt / 1000.0;
	int rc = 0;

	for (size_t i = 0; i < spec->n_populations && !rc; i++) {
		const struct spec_population *p = &spec->populations[i];
		double n = (double)rec_spikes(c->rec, i);

		if (has_rate(spec, i) && p->size > 0 && seconds > 0)
			rc = named_metric(c, "rate_hz", p->name, n / (double)p->size / seconds,
					  err);
	}
	for (size_t i = 0; i < spec->n_projections && !rc; i++) {
		const char *name = spec->projections[i].name;
		double mean, sd;

		if (!rec_weight_moments(c->rec, i, &mean, &sd))
			continue;
		rc = named_metric(c, "weight_mean", name, mean, err);
		if (!rc)
			rc = named_metric(c, "weight_sd", name, sd, err);
	}
	return rc;
}

int engine_run_finish(struct experiment_ctx *c, const struct sim *s, struct err *err)
{
	int rc = rec_finish(c->rec, s, err);

	if (!rc)
		rc = sim_digest(s, &c->result.digest, err);
	if (rc)
		return rc;
	c->result.has_digest = true;
	return add_metrics(c, s, err);
}

static bool was_stopped(int rc)
{
	return rc == -ERR_CANCELLED || rc == -ERR_INTERRUPTED || rc == -ERR_TIMEOUT;
}

unsigned engine_run_threads(const struct experiment_ctx *c, const struct spec *spec)
{
	if (c->control->every_thread)
		return c->result.threads;
	return sim_useful_threads(spec, c->result.threads);
}

int engine_run_build(struct experiment_ctx *c, const struct spec *spec, struct err *err)
{
	const struct net_guard guard = { engine_run_look, c };
	int rc = sim_new(&c->sim, spec, &c->arena, engine_run_threads(c, spec), &guard, err);

	if (!rc)
		rc = rec_attach(c->rec, c->sim, err);
	if (!rc && c->ckpt.open)
		rc = engine_ckpt_load(c, err);
	else if (!rc)
		rc = sim_start(c->sim, err);
	c->ckpt.on = rc == 0;
	if (!rc && sim_now(c->sim) > 0)
		tell(c, c->sim, now_s(c));
	return rc;
}

void engine_run_describe(struct experiment_ctx *c, const struct spec *spec)
{
	c->result.spec = spec;
	c->result.seed = spec->seed;
	c->result.dt_ms = spec->dt;
	c->result.duration_ms = (double)spec->steps * spec->dt;
}

int engine_run_spec(struct experiment_ctx *c, json_t *json, struct err *err)
{
	const struct spec *spec = NULL;
	int rc = engine_run_read(c, &spec, json, &c->arena, err);

	if (rc)
		return rc;
	engine_run_describe(c, spec);
	c->wall_s = spec->limits.wall_s;
	rc = engine_ckpt_find(c, json, err);
	if (!rc)
		rc = engine_run_build(c, spec, err);
	if (!rc)
		rc = engine_run_advance(c, c->sim, err);
	if (rc == -ERR_INTERRUPTED)
		engine_ckpt_interrupt(c, now_s(c));
	if (!rc)
		rc = engine_run_finish(c, c->sim, err);
	else if (was_stopped(rc) && c->ckpt.on && sim_now(c->sim) > 0)
		(void)engine_run_finish(c, c->sim, NULL); /* the reason to stop is what is told */
	return rc;
}
