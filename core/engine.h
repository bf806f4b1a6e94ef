/* engine.h - the only door for programs: run what stands in a directory, leave the result there. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include <jansson.h>

#include "core/base/err.h"
#include "core/model/experiment.h"
#include "core/sim.h"

#define ENGINE_VERSION "0.4.0"

struct engine_progress {
	double t_ms, duration_ms, wall_s;
	uint64_t spikes;
};

/* What the engine gets from outside: it has no clock, no signals, no output of its own. */
struct engine_control {
	void *self;
	double (*now_s)(void *self);	   /* monotonic seconds */
	enum err_code (*stop)(void *self); /* ERR_OK: go on; else the reason to stop */
	void (*progress)(void *self, const struct engine_progress *p); /* may be NULL */
	void (*note)(void *self, const char *text); /* a sentence for people; may be NULL */
	unsigned threads;			    /* at most */
	bool every_thread; /* even where they only wait for one another: tests want to see them meet */
	size_t memory_limit; /* bytes of the run's arena; 0: none */
	double checkpoint_s; /* wall time between two checkpoints of a plain run; 0: only when it is
				interrupted */
};

/* Run dir_fd/spec.json, from its checkpoint if there is one, write columns and result.json there.
 * Returns 0 or -code; a result.json is left in both cases whenever it can be written. */
int engine_run(int dir_fd, const struct engine_control *control, struct err *err) MUST_USE;

/* What an experiment may do (experiment->run gets the context). */
const json_t *engine_params(const struct experiment_ctx *c); /* all params, defaults filled in */
uint64_t engine_seed(const struct experiment_ctx *c);
/* Who looks at a simulation; both may be NULL. */
struct engine_look {
	void *self;
	/* Built, before t = 0: may call sim_observe() and sim_watch(). */
	int (*at_start)(void *self, struct sim *s, struct err *err);
	int (*at_end)(void *self, const struct sim *s, struct err *err); /* finished */
};
/* Run one simulation from a spec as JSON (borrowed). Nothing is recorded to disk. */
int engine_simulate(struct experiment_ctx *c, json_t *spec, const struct engine_look *look,
		    struct err *err) MUST_USE;
/* n of them side by side on the run's threads, each on one: looks[i] is called on any thread, and must
 * write only what no other look does. Results do not depend on the threads. */
int engine_simulate_many(struct experiment_ctx *c, json_t *const *specs,
			 const struct engine_look *looks, size_t n, struct err *err) MUST_USE;
/* Leave a table: n_columns columns of n_rows doubles. */
int engine_table(struct experiment_ctx *c, const char *name, size_t n_columns,
		 const char *const *names, const char *const *units, const double *const *columns,
		 size_t n_rows, struct err *err) MUST_USE;
int engine_metric(struct experiment_ctx *c, const char *name, double value,
		  struct err *err) MUST_USE;
/* A sentence for whoever reads the result. */
int engine_remark(struct experiment_ctx *c, struct err *err, const char *fmt, ...) MUST_USE
	PRINTF(3, 4);
/* All of one field of a data set, for as long as the run lasts. Errors: NOTFOUND (no such set or
 * field), CORRUPT, IO, NOMEM. */
int engine_dataset(struct experiment_ctx *c, const char *id, const char *field,
		   const double **ret_values, size_t *ret_n, struct err *err) MUST_USE;
/* A number that must lie in [low, high]; an infinite bound is none. NaN misses. */
struct engine_target {
	const char *name, *unit; /* copied */
	double value, low, high;
};
int engine_target(struct experiment_ctx *c, const struct engine_target *t,
		  struct err *err) MUST_USE;
/* The value of the experiment's score. */
void engine_score(struct experiment_ctx *c, double value);

#endif
