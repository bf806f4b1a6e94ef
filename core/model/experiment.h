/* experiment.h - a program on top of the engine: parameters in, simulations, tables out. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_EXPERIMENT_H
#define CORE_MODEL_EXPERIMENT_H

#include "core/model/param.h"

struct err_list;
struct json_t;
struct spec_limits_json;
struct experiment_ctx; /* core/engine.h: what an experiment may call */

/* The one number by which runs of an experiment are compared; its value comes by engine_score(). */
struct experiment_score {
	const char *name, *unit;
	bool higher_is_better;
	const char *reference; /* what to compare it with, and who says so */
};

enum { EXPERIMENT_CURVES_MAX = 6 };

/* One curve of a plot, by the columns of its table. */
struct experiment_curve {
	const char *y;
	const char *label; /* NULL: the column's name */
	bool points;	   /* measured values; false: a line */
	const char *error; /* half the length of error bars; NULL: none */
};

/* How a table is drawn. The page learns it from the catalogue. */
struct experiment_plot {
	const char *table, *title;
	const char *text; /* what to look at */
	const char *x;
	const char *by; /* its values part the rows into curves of their own; NULL: none */
	bool log_x;
	struct experiment_curve curve[EXPERIMENT_CURVES_MAX]; /* up to the first without y */
};

struct experiment {
	const char *name, *title, *doc, *cite;
	struct experiment_score score; /* name NULL: none */
	const char *science; /* params of the full-length run, as JSON; NULL: the defaults */
	const struct experiment_plot *plots; /* [n_plots]; other tables are drawn plainly */
	size_t n_plots;
	const struct param_def *params;
	size_t n_params;
	/* What is wrong with params (an object, defaults filled in) beyond their table, all at once:
	 * pointers are prefix + "/params/...". 0 or -code; nothing is run. */
	int (*check)(struct json_t *params, const char *prefix,
		     const struct spec_limits_json *limits, struct err_list *errors);
	/* Run it: simulations through the context; tables, metrics, targets and the score out. */
	int (*run)(struct experiment_ctx *c, struct err *err);
};

// clang-format off
#define EXPERIMENTS(X) X(stdp_window) X(stdp_fit) X(triplet_fit) X(frequency_curve) X(stdp_bcm) \
	X(calcium_curve) X(song_abbott) X(pairing_schemes) X(istdp_balance) X(feedback) \
	X(weight_dependence) X(dopamine_conditioning) X(instrumental_conditioning) \
	X(pattern_detection) X(latency) X(correlated_inputs) X(rate_rules)
// clang-format on

#define X(name) extern const struct experiment experiment_##name;
EXPERIMENTS(X)
#undef X

extern const struct experiment *const experiments[]; /* ends with NULL */
const struct experiment *experiment_find(const char *name);

#endif
