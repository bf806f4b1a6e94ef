/* experiment.h - a program on top of the engine: parameters in, simulations, tables out. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_EXPERIMENT_H
#define CORE_MODEL_EXPERIMENT_H

#include "core/model/param.h"

struct err_list;
struct json_t;
struct spec_limits_json;
struct experiment_ctx; /* core/engine.h: what an experiment may call */

struct experiment {
	const char *name, *title, *doc, *cite;
	const struct param_def *params;
	size_t n_params;
	/* What is wrong with params (an object, defaults filled in) beyond their table, all at once:
	 * pointers are prefix + "/params/...". 0 or -code; nothing is run. */
	int (*check)(struct json_t *params, const char *prefix,
		     const struct spec_limits_json *limits, struct err_list *errors);
	/* Run it: simulations through the context, tables and metrics out. */
	int (*run)(struct experiment_ctx *c, struct err *err);
};

// clang-format off
#define EXPERIMENTS(X) X(stdp_window)
// clang-format on

#define X(name) extern const struct experiment experiment_##name;
EXPERIMENTS(X)
#undef X

extern const struct experiment *const experiments[]; /* ends with NULL */
const struct experiment *experiment_find(const char *name);

#endif
