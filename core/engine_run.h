/* engine_run.h - one run while it goes on; for the files of the engine only. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_ENGINE_RUN_H
#define CORE_ENGINE_RUN_H

#include "core/base/hash.h"
#include "core/ckpt.h"
#include "core/engine.h"
#include "core/result.h"
#include "core/spec_json.h"

/* The checkpoint of a plain run. */
struct engine_ckpt {
	struct ckpt_key key;
	struct ckpt *open; /* one to go on from, until it is loaded */
	double next_s;	   /* when the next is due, by control->now_s; 0: not yet known */
	bool on;	   /* the simulation under way may be saved */
	bool refused;	   /* loading failed half way: all must be made anew */
};

struct experiment_ctx {
	int dir_fd;
	const struct engine_control *control;
	struct spec_datasets datasets;
	struct mem_arena arena; /* recordings and metrics; of a plain run its network too */
	struct rec *rec;
	struct sim *sim; /* of a plain run, until the result is written */
	json_t *params;	 /* of an experiment, defaults filled in */
	struct result result;
	struct result_metric *last; /* end of result.metrics */
	struct result_target *last_target;
	struct result_remark *last_remark;
	struct err_list errors;	  /* of the spec */
	struct hash digests;	  /* of an experiment's simulations */
	struct sim_counts counts; /* of an experiment's finished simulations */
	double started_s, told_s; /* by control->now_s */
	double wall_s;		  /* limit; 0: none */
	struct engine_ckpt ckpt;
	double before_ms; /* model time of finished simulations */
};

/* engine.c: The context of a run that begins; its end: write the result (where that fails, a shorter
 * one), free everything. Leaving returns rc, or why there is no result. */
int engine_run_init(struct experiment_ctx *c, int dir_fd, const struct engine_control *control,
		    struct err *err) MUST_USE;
int engine_run_leave(struct experiment_ctx *c, int rc, struct err *err) MUST_USE;
void engine_run_release(struct experiment_ctx *c);
/* engine_run.c: Advance a started simulation to its end. Errors: those of sim_advance, the reason of
 * stop(), TIMEOUT. */
int engine_run_advance(struct experiment_ctx *c, struct sim *s, struct err *err) MUST_USE;
/* Validate a spec into `arena`; all errors go to c->errors, the first to err. */
int engine_run_read(struct experiment_ctx *c, const struct spec **ret, json_t *json,
		    struct mem_arena *arena, struct err *err) MUST_USE;
/* What the result says of a spec. */
void engine_run_describe(struct experiment_ctx *c, const struct spec *spec);
/* How many of the run's threads a network gets. */
unsigned engine_run_threads(const struct experiment_ctx *c, const struct spec *spec);
/* The network and its recorders, at 0 ms or where c->ckpt.open left them. */
int engine_run_build(struct experiment_ctx *c, const struct spec *spec, struct err *err) MUST_USE;
/* What is left at the end, or where it was stopped: samples, digest, metrics. */
int engine_run_finish(struct experiment_ctx *c, const struct sim *s, struct err *err);
/* What ends the building of a network: the same reasons. For net_guard. */
int engine_run_look(void *context, struct err *err) MUST_USE;
/* A plain spec: build, record, run, leave recordings, metrics and digest in the context. */
int engine_run_spec(struct experiment_ctx *c, json_t *json, struct err *err) MUST_USE;
/* An experiment: check its keys and parameters, run it. */
int engine_run_experiment(struct experiment_ctx *c, json_t *json, struct err *err) MUST_USE;
/* engine_ckpt.c: What a checkpoint of this spec belongs to, into c->ckpt.key; c->result.seed is known. */
int engine_ckpt_key(struct experiment_ctx *c, const json_t *json, struct err *err) MUST_USE;
/* Look for a checkpoint of this spec before the network is built; a damaged or foreign
 * one is as good as none. Load it instead of sim_start. Write one if it is due, or since the run is
 * interrupted. After the result: remove it, unless the run is to go on. */
int engine_ckpt_find(struct experiment_ctx *c, const json_t *json, struct err *err) MUST_USE;
int engine_ckpt_load(struct experiment_ctx *c, struct err *err) MUST_USE;
int engine_ckpt_due(struct experiment_ctx *c, double now, struct err *err) MUST_USE;
void engine_ckpt_interrupt(struct experiment_ctx *c, double now);
void engine_ckpt_end(struct experiment_ctx *c, int rc);
/* Out of memory because the arena met its limit is a limit. */
int engine_run_memory(const struct mem_arena *arena, int rc, struct err *err);

#endif
