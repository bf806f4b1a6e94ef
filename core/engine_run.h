/* engine_run.h - one run while it goes on; for the files of the engine only. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_ENGINE_RUN_H
#define CORE_ENGINE_RUN_H

#include "core/base/hash.h"
#include "core/engine.h"
#include "core/result.h"
#include "core/spec_json.h"

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
	struct err_list errors;	  /* of the spec */
	struct hash digests;	  /* of an experiment's simulations */
	struct sim_counts counts; /* of an experiment's finished simulations */
	double started_s, told_s; /* by control->now_s */
	double wall_s;		  /* limit; 0: none */
	double before_ms;	  /* model time of finished simulations */
};

/* engine_run.c: Advance a started simulation to its end. Errors: those of sim_advance, the reason of
 * stop(), TIMEOUT. */
int engine_run_advance(struct experiment_ctx *c, struct sim *s, struct err *err) MUST_USE;
/* Validate a spec into `arena`; all errors go to c->errors, the first to err. */
int engine_run_read(struct experiment_ctx *c, const struct spec **ret, json_t *json,
		    struct mem_arena *arena, struct err *err) MUST_USE;
/* What ends the building of a network: the same reasons. For net_guard. */
int engine_run_look(void *context, struct err *err) MUST_USE;
/* A plain spec: build, record, run, leave recordings, metrics and digest in the context. */
int engine_run_spec(struct experiment_ctx *c, json_t *json, struct err *err) MUST_USE;
/* An experiment: check its keys and parameters, run it. */
int engine_run_experiment(struct experiment_ctx *c, json_t *json, struct err *err) MUST_USE;
/* Out of memory because the arena met its limit is a limit. */
int engine_run_memory(const struct mem_arena *arena, int rc, struct err *err);

#endif
