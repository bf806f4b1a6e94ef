/* feedback - Hebb's rule feeds back on itself, and what tames it.
 *
 * Cells driven by Poisson inputs learn under four regimes, all with the same potentiation:
 *
 *   hebb         potentiation alone: strong inputs make the cell fire, firing makes them stronger
 *   depression   pair STDP whose depression outweighs it, A_minus tau_minus > A_plus tau_plus
 *   homeostasis  potentiation, and scaling of the weights to a target rate
 *   scaling      scaling alone
 *
 * Half way the inputs' rate doubles. Beside the curves stands the loop gain: the drift of the mean
 * weight g(w) is measured at weights held almost still (all changes a hundredth of their size), and
 * its slope at the operating point says whether a small deviation grows (positive feedback) or dies out
 * (negative). The operating point is where the drift crosses zero downwards; without one, the weight at
 * the start.
 *
 * Control: with plasticity off nothing drifts, and the output follows the input. Turrigiano (1998),
 * doi:10.1038/36103; Song, Miller, Abbott (2000), doi:10.1038/78829. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>

#include "core/base/fmath.h"
#include "core/kit.h"

enum { DURATION_S, RATE, RATE_OUT, A_PLUS, RATIO, BETA, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[DURATION_S] = { "duration_s", "Simulated seconds; the inputs double half way.", UNIT_NONE,
			 PARAM_NUMBER, 100, 20, 1e5 },
	[RATE] = { "rate_hz", "Rate of each input before it doubles.", UNIT_HZ, PARAM_NUMBER, 10, 1,
		   50 },
	[RATE_OUT] = { "target_hz", "Rate that homeostasis brings the cells to.", UNIT_HZ,
		       PARAM_NUMBER, 10, 1, 50 },
	[A_PLUS] = { "A_plus", "Potentiation of a pair, a part of the largest weight.", UNIT_NONE,
		     PARAM_NUMBER, 0.01, 0, 0.1, PARAM_OPEN_MIN },
	[RATIO] = { "ratio", "Depression over potentiation, in the regime that has it.", UNIT_NONE,
		    PARAM_NUMBER, 1.2, 0, 10 },
	[BETA] = { "beta", "Speed of scaling: part of the weight per second and Hz.", UNIT_NONE,
		   PARAM_NUMBER, 0.1, 0, 10 },
};

enum regime { HEBB, DEPRESSION, HOMEOSTASIS, SCALING, OFF, REGIMES };

static const char *const names[REGIMES] = { "hebb", "depression", "homeostasis", "scaling", "off" };

enum { INPUTS = 200, CELLS = 10, LOOKS = 100, POINTS = 8 };

#define W_MAX 1.0 /* mV; 0.375 mV hold a cell at threshold when 200 inputs fire at 10 Hz */
#define W_LOW 0.2
#define W_TOP 0.5 /* the weights at the start lie between them */
#define TAU   20.0

/* The scaling's view of the rate; short against what it regulates. */
#define TAU_RATE_MS 1000.0

/* Of the drift: part of all changes that acts, when it is first looked at, and for how long. */
#define STILL	   0.01
#define SETTLED_S  5.0
#define MEASURED_S 15.0

/* One simulation: a regime, from equal weights or in the course of learning. */
struct course {
	enum regime regime;
	const json_t *p;
	double w, still, duration_s; /* w: all weights; 0: drawn */
	bool doubles;
	struct kit_spikes spikes;
	struct kit_sample sample;
	size_t n_looks;
	double t[LOOKS], mean[LOOKS], rate[LOOKS]; /* s, of W_MAX, Hz since the look before */
	size_t seen;				   /* spikes counted */
	double start[INPUTS * CELLS], end[INPUTS * CELLS];
	double high; /* part of the weights above 0.9 W_MAX at the end */
};

/* ---- one simulation ---- */

static json_t *synapse(const struct course *x)
{
	double a = kit_number(x->p, "A_plus") * W_MAX, ratio = kit_number(x->p, "ratio");
	bool pairs = x->regime == HEBB || x->regime == DEPRESSION || x->regime == HOMEOSTASIS;
	json_t *s =
		json_pack("{s:s, s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f, s:f}}", "model", "stdp_pair",
			  "delay_ms", 1.0, "modulation", x->still, "params", "A_plus",
			  pairs ? a : 0.0, "A_minus", x->regime == DEPRESSION ? -ratio * a : 0.0,
			  "tau_plus", TAU, "tau_minus", TAU, "w_min", 0.0, "w_max", W_MAX);
	json_t *weight =
		x->w > 0 ? json_real(x->w) : json_pack("{s:[f, f]}", "uniform", W_LOW, W_TOP);
	int rc = s ? json_object_set_new(s, "weight", weight) : -1;

	if (!rc && (x->regime == HOMEOSTASIS || x->regime == SCALING))
		rc = json_object_set_new(s, "scale",
					 json_pack("{s:f, s:f, s:f, s:f}", "rate_hz",
						   kit_number(x->p, "target_hz"), "beta",
						   kit_number(x->p, "beta") * x->still, "tau_ms",
						   TAU_RATE_MS, "every_ms", 100.0));
	if (!rc)
		return s;
	json_decref(s);
	return NULL;
}

static void build(const struct course *x, struct kit_spec *k, uint64_t seed)
{
	double rate = kit_number(x->p, "rate_hz");

	kit_begin(k, 0.2, x->duration_s * 1000, seed);
	kit_population(k, "inputs", "poisson_generator", INPUTS, json_pack("{s:f}", "rate", rate));
	kit_population(k, "cells", "iaf_psc_delta", CELLS,
		       json_pack("{s:f, s:f, s:f, s:f, s:f}", "tau_m", 20.0, "E_L", -70.0, "V_th",
				 -55.0, "V_reset", -70.0, "t_ref", 5.0));
	kit_projection(k, "learn", "inputs", "cells", kit_rule("all_to_all"), synapse(x));
	if (x->doubles)
		kit_set(k, NULL, NULL, "schedule",
			json_pack("[{s:f, s:{s:s, s:{s:f}}}]", "at_ms", x->duration_s * 500, "set",
				  "population", "inputs", "params", "rate", 2 * rate));
}

/* The first look of a drift comes when the scaling knows the rate; the last at the end. */
static int look(void *self, const struct sim *s, double t_ms, struct err *err)
{
	struct course *x = self;
	double *w = NULL;
	size_t n = 0, i = x->n_looks;
	int rc = kit_weights(s, "learn", &w, &n, err);

	if (rc || i == LOOKS)
		return rc;
	x->t[i] = t_ms / 1000;
	x->mean[i] = kit_mean(w, n) / W_MAX;
	x->rate[i] = (double)(x->spikes.n - x->seen) * 1000 / x->sample.every_ms / CELLS;
	x->seen = x->spikes.n;
	x->n_looks++;
	mem_free(w);
	return 0;
}

static int copy_weights(const struct sim *s, double *to, struct err *err)
{
	double *w = NULL;
	size_t n = 0;
	int rc = kit_weights(s, "learn", &w, &n, err);

	for (size_t i = 0; !rc && i < n && i < INPUTS * CELLS; i++)
		to[i] = w[i];
	mem_free(w);
	return rc;
}

static int at_start(void *self, struct sim *s, struct err *err)
{
	struct course *x = self;
	double every = x->doubles ? x->duration_s * 1000 / LOOKS : SETTLED_S * 1000;
	int rc;

	x->spikes = (struct kit_spikes){ .population = "cells" };
	x->sample = (struct kit_sample){ .every_ms = every, .self = x, .at = look };
	rc = kit_spikes_watch(&x->spikes, s, err);
	if (!rc)
		rc = kit_sample_watch(&x->sample, s, err);
	return rc ? rc : copy_weights(s, x->start, err);
}

static int at_end(void *self, const struct sim *s, struct err *err)
{
	struct course *x = self;
	int rc = copy_weights(s, x->end, err);

	x->high = kit_part(x->end, INPUTS * CELLS, 0.9 * W_MAX, 2 * W_MAX);
	kit_spikes_free(&x->spikes);
	return rc;
}

/* ---- all of them ---- */

struct feedback {
	struct course course[REGIMES];
	struct course still[REGIMES][POINTS];
	double w[POINTS];	       /* of W_MAX */
	double drift[REGIMES][POINTS]; /* of W_MAX a second, at full size */
	double operating[REGIMES];     /* of W_MAX; NaN: the drift never turns */
	double gain[REGIMES];	       /* slope there, 1/s */
};

enum { SIMULATIONS = REGIMES * (POINTS + 1) };

static void prepare(struct feedback *f, const json_t *p)
{
	for (int r = 0; r < REGIMES; r++) {
		f->course[r] = (struct course){ .regime = (enum regime)r,
						.p = p,
						.still = 1,
						.duration_s = kit_number(p, "duration_s"),
						.doubles = true };
		for (int i = 0; i < POINTS; i++) {
			f->w[i] = 0.25 + 0.05 * i;
			f->still[r][i] = (struct course){ .regime = (enum regime)r,
							  .p = p,
							  .w = f->w[i] * W_MAX,
							  .still = STILL,
							  .duration_s = SETTLED_S + MEASURED_S };
		}
	}
}

static int simulate(struct experiment_ctx *c, struct feedback *f, struct err *err)
{
	struct kit_spec *k = mem_alloc(SIMULATIONS, sizeof(*k));
	struct engine_look *looks = mem_alloc(SIMULATIONS, sizeof(*looks));
	int rc = k && looks ? 0 : err_nomem(err);
	size_t n = 0;

	for (int r = 0; r < REGIMES && !rc; r++) {
		for (int i = -1; i < POINTS; i++) {
			struct course *x = i < 0 ? &f->course[r] : &f->still[r][i];

			build(x, &k[n], engine_seed(c));
			looks[n++] = (struct engine_look){ x, at_start, at_end };
		}
	}
	if (!rc)
		rc = kit_simulate_many(c, k, looks, n, err);
	for (size_t i = 0; i < n; i++)
		kit_end(&k[i]);
	mem_free(k);
	mem_free(looks);
	return rc;
}

/* Where the drift turns from up to down, or the weight at the start; and the slope there. */
static void linearise(struct feedback *f, int r)
{
	double at = 0.5 * (W_LOW + W_TOP) / W_MAX;
	const double *g = f->drift[r];
	int i = 0;

	f->operating[r] = (double)NAN;
	while (i + 2 < POINTS && !(g[i] > 0 && g[i + 1] <= 0))
		i++;
	if (g[i] > 0 && g[i + 1] <= 0)
		f->operating[r] = f->w[i] + (f->w[i + 1] - f->w[i]) * g[i] / (g[i] - g[i + 1]);
	else
		for (i = 0; i + 2 < POINTS && f->w[i + 1] < at; i++)
			;
	f->gain[r] = (g[i + 1] - g[i]) / (f->w[i + 1] - f->w[i]);
}

static void evaluate(struct feedback *f)
{
	for (int r = 0; r < REGIMES; r++) {
		for (int i = 0; i < POINTS; i++) {
			const struct course *x = &f->still[r][i];
			size_t last = x->n_looks - 1;

			f->drift[r][i] =
				(x->mean[last] - x->mean[0]) / STILL / (x->t[last] - x->t[0]);
		}
		linearise(f, r);
	}
}

/* Mean rate of a tenth of the run, up to a part of it. */
static double rate_before(const struct course *x, double part)
{
	size_t end = (size_t)(part * LOOKS + 0.5);

	return kit_mean(x->rate + end - LOOKS / 10, LOOKS / 10);
}

/* Spearman's rank correlation of the weights at the start and at the end, the mean over cells. */
static double kept_ranks(const struct course *x)
{
	double sum = 0, a[INPUTS], b[INPUTS];

	for (size_t cell = 0; cell < CELLS; cell++) {
		for (size_t i = 0; i < INPUTS; i++) {
			a[i] = b[i] = 0;
			for (size_t j = 0; j < INPUTS; j++) {
				size_t one = i * CELLS + cell, other = j * CELLS + cell;

				a[i] += x->start[other] < x->start[one];
				b[i] += x->end[other] < x->end[one];
			}
		}
		sum += kit_correlation(a, b, INPUTS);
	}
	return sum / CELLS;
}

/* ---- results ---- */

static int target(struct experiment_ctx *c, const char *regime, const char *what, const char *unit,
		  const double range[3], struct err *err)
{
	char name[96];
	const struct engine_target t = { name, unit, range[0], range[1], range[2] };

	(void)snprintf(name, sizeof(name), "%s: %s", regime, what);
	return engine_target(c, &t, err);
}

static int targets(struct experiment_ctx *c, const struct feedback *f, struct err *err)
{
	const struct course *x = f->course;
	double wanted = kit_number(x[0].p, "target_hz"), after[REGIMES];
	const struct {
		int regime;
		const char *what, *unit;
		double range[3];
	} list[] = {
		{ HEBB, "loop gain", "1/s", { f->gain[HEBB], 1e-9, (double)INFINITY } },
		{ DEPRESSION,
		  "loop gain",
		  "1/s",
		  { f->gain[DEPRESSION], -(double)INFINITY, -1e-9 } },
		{ HOMEOSTASIS,
		  "loop gain",
		  "1/s",
		  { f->gain[HOMEOSTASIS], -(double)INFINITY, -1e-9 } },
		{ SCALING, "loop gain", "1/s", { f->gain[SCALING], -(double)INFINITY, -1e-9 } },
		{ OFF, "loop gain", "1/s", { f->gain[OFF], 0, 0 } },
		{ HEBB, "part of weights above 0.9", "", { x[HEBB].high, 0.99, 1 } },
		{ DEPRESSION, "part of weights above 0.9", "", { x[DEPRESSION].high, 0, 0.5 } },
		{ HOMEOSTASIS, "part of weights above 0.9", "", { x[HOMEOSTASIS].high, 0, 0.5 } },
		{ SCALING,
		  "rank correlation of weights",
		  "",
		  { kept_ranks(&x[SCALING]), 0.99, 1 } },
	};
	int rc = 0;

	for (int r = 0; r < REGIMES; r++)
		after[r] = rate_before(&x[r], 1) / rate_before(&x[r], 0.5);
	engine_score(c, fabs(rate_before(&x[SCALING], 1) / wanted - 1));
	for (size_t i = 0; i < COUNTOF(list) && !rc; i++)
		rc = target(c, names[list[i].regime], list[i].what, list[i].unit, list[i].range,
			    err);
	if (!rc)
		rc = target(c, names[SCALING], "rate over its target, inputs doubled", "",
			    (double[]){ rate_before(&x[SCALING], 1) / wanted, 0.95, 1.05 }, err);
	if (!rc)
		rc = target(c, names[DEPRESSION], "output ratio, inputs doubled", "",
			    (double[]){ after[DEPRESSION], 0, 1.35 }, err);
	if (!rc)
		rc = target(c, names[HOMEOSTASIS], "output ratio, inputs doubled", "",
			    (double[]){ after[HOMEOSTASIS], 0, 1.35 }, err);
	return rc ? rc
		  : target(c, "control, plasticity off", "output ratio, inputs doubled", "",
			   (double[]){ after[OFF], 2, (double)INFINITY }, err);
}

static int courses_table(struct experiment_ctx *c, const struct feedback *f, struct err *err)
{
	double weight[REGIMES][LOOKS], rate[REGIMES][LOOKS];
	struct kit_column columns[1 + 2 * REGIMES] = { { "t", "s", f->course[0].t } };
	static const char *const of_rate[REGIMES] = { "rate_hebb", "rate_depression",
						      "rate_homeostasis", "rate_scaling",
						      "rate_off" };

	for (int r = 0; r < REGIMES; r++) {
		for (size_t i = 0; i < LOOKS; i++) {
			weight[r][i] = f->course[r].mean[i];
			rate[r][i] = f->course[r].rate[i];
		}
		columns[1 + r] = (struct kit_column){ names[r], "w_max", weight[r] };
		columns[1 + REGIMES + r] = (struct kit_column){ of_rate[r], "Hz", rate[r] };
	}
	return kit_table(c, "courses", columns, COUNTOF(columns), LOOKS, err);
}

static int drift_table(struct experiment_ctx *c, const struct feedback *f, struct err *err)
{
	struct kit_column columns[1 + REGIMES] = { { "w", "w_max", f->w } };

	for (int r = 0; r < REGIMES; r++)
		columns[1 + r] = (struct kit_column){ names[r], "w_max/s", f->drift[r] };
	return kit_table(c, "drift", columns, COUNTOF(columns), POINTS, err);
}

static int leave(struct experiment_ctx *c, const struct feedback *f, struct err *err)
{
	int rc = targets(c, f, err);

	for (int r = 0; r < REGIMES && !rc; r++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "rate_end_hz.%s", names[r]);
		rc = engine_metric(c, name, rate_before(&f->course[r], 1), err);
		(void)snprintf(name, sizeof(name), "operating_w.%s", names[r]);
		if (!rc && isfinite(f->operating[r]))
			rc = engine_metric(c, name, f->operating[r], err);
	}
	if (!rc)
		rc = courses_table(c, f, err);
	return rc ? rc : drift_table(c, f, err);
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct feedback *f = mem_alloc(1, sizeof(*f));
	struct kit_spec k;
	int rc;

	if (!f)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	prepare(f, p);
	build(&f->course[HOMEOSTASIS], &k, 0);
	rc = kit_check(&k, prefix, limits, errors);
	kit_end(&k);
	mem_free(f);
	return rc;
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct feedback *f = mem_alloc(1, sizeof(*f));
	int rc;

	if (!f)
		return err_nomem(err);
	prepare(f, engine_params(c));
	rc = simulate(c, f, err);
	if (!rc) {
		evaluate(f);
		rc = leave(c, f, err);
	}
	for (int r = 0; r < REGIMES; r++) {
		kit_spikes_free(&f->course[r].spikes);
		for (int i = 0; i < POINTS; i++)
			kit_spikes_free(&f->still[r][i].spikes);
	}
	mem_free(f);
	return rc;
}

#define EACH(prefix) \
	{ \
		{ prefix "hebb", "hebb" }, { prefix "depression", "depression" }, \
			{ prefix "homeostasis", "homeostasis" }, { prefix "scaling", "scaling" }, \
			{ prefix "off", "off" }, \
	}

static const struct experiment_plot plots[] = {
	{ .table = "courses",
	  .title = "Weights",
	  .text = "Mean weight. Hebb's rule alone runs into the bound; half way the inputs double.",
	  .x = "t",
	  .curve = EACH("") },
	{ .table = "courses",
	  .title = "Rates",
	  .text = "What the cells make of it: those with negative feedback come back.",
	  .x = "t",
	  .curve = EACH("rate_") },
	{ .table = "drift",
	  .title = "Drift by weight",
	  .text = "Where a curve falls through zero, weights come to rest; where it rises, a "
		  "deviation grows.",
	  .x = "w",
	  .curve = EACH("") },
};

const struct experiment experiment_feedback = {
	.name = "feedback",
	.title = "Hebb's feedback and what tames it",
	.doc = "Hebb's rule alone runs away; depression, or scaling to a target rate, holds it: "
	       "rates, "
	       "weights and the sign of the loop gain.",
	.cite = "10.1038/36103",
	.score = { "rate_error", "", false,
		   "0: scaling alone brings the rate back to its target after the inputs have "
		   "doubled; 0.05 is asked for." },
	.science = "{\"duration_s\": 400}",
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
