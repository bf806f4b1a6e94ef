/* frequency_curve - pairs of spikes at one dt, before and after, by the frequency of pairing.
 *
 * The protocol of Sjoestroem, Turrigiano & Nelson (2001) for any rule: 60 pairs at +dt and at -dt for
 * each frequency, and the data beside the curve. The control has the same two rates without their
 * timing: each postsynaptic spike falls anywhere in its period. What the rule owes to timing alone is
 * the difference.
 *
 * A point is the mean of some synapses of the same trains: of one where the rule has no chance in it, of
 * many under the calcium rule with its noise, with the standard error of the mean.
 *
 * A rule of potentials has a real cell (kit_protocol.h). Such a cell is at rest a second after a spike (its
 * slowest current decays with 144 ms), so that longer periods are cut to that: a pair does the same then,
 * and what is computed is not mostly silence. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/kit_measured.h"

enum { RULE, SET, RULE_PARAMS, CELL_PARAMS, W_0, RATES, DT_MS, PAIRS, SYNAPSES, N_PARAMS };

enum { RATES_MAX = 1000, SPIKES_MAX = 5000000, SHUFFLED = 20, NOISY = 200 };

/* The longest period that a cell sees. */
#define REST_MS 1000.0

static const char *const default_rule[] = { "stdp_triplet", NULL };

static const struct param_def params[N_PARAMS] = {
	[RULE] = { PROTOCOL_RULE, "Plasticity rule, by our name or another simulator's.", UNIT_NONE,
		   PARAM_STRING, 0, 0, 0, 0, default_rule },
	[SET] = { PROTOCOL_SET, "Named set of the rule's parameters.", UNIT_NONE, PARAM_STRING },
	[RULE_PARAMS] = { PROTOCOL_RULE_PARAMS,
			  "Parameters that differ from the set's; w_max of the pair and "
			  "the triplet rule is 100 w_0 unless given here.",
			  UNIT_NONE, PARAM_OBJECT },
	[CELL_PARAMS] = { PROTOCOL_CELL_PARAMS,
			  "Parameters of the target, an aeif_psc_delta_clopath, under a rule of "
			  "potentials; b is 0.0805 and V_reset -49.6 unless given here.",
			  UNIT_NONE, PARAM_OBJECT },
	[W_0] = { PROTOCOL_W_0,
		  "Weight before the pairs; if not given the middle of the rule's bounds, 1 for "
		  "the pair and the triplet rule, 0.5 for a rule of potentials.",
		  UNIT_WEIGHT, PARAM_NUMBER, PARAM_INF, 0, 1e6, PARAM_OPEN_MIN },
	[RATES] = { "rates_hz", "Frequencies of pairing; 0.1, 10, 20, 40, 50 if not given.",
		    UNIT_HZ, PARAM_LIST, 0, 0, 500, PARAM_OPEN_MIN },
	[DT_MS] = { "dt_ms", "Distance of the spikes of a pair.", UNIT_MS, PARAM_NUMBER, 10, 0.1,
		    200 },
	[PAIRS] = { "pairs", "Pairs per frequency.", UNIT_NONE, PARAM_INTEGER, 60, 1, 10000 },
	[SYNAPSES] = { "synapses",
		       "Synapses whose mean is a point; if not given 200 for the calcium rule, "
		       "which has noise, else 1.",
		       UNIT_NONE, PARAM_NUMBER, PARAM_INF, 1, 10000 },
};

/* Synapses of a frequency, in this order: +dt, -dt, and the shuffled ones. Behind the user's
 * frequencies stand those of the data, with the data's dt and number of pairs. */
enum { PLUS, MINUS, SHUFFLE, SIDES };
enum { DATA_RATES = MEASURED_VISUAL / 2 };
enum { C_RATE, C_MEAN, C_ERROR = C_MEAN + SIDES, N_CURVES = C_ERROR + SIDES };

struct curve {
	struct mem_arena arena;
	struct kit_protocol_rule rule;
	size_t n, n_all; /* frequencies asked for; with those of the data */
	size_t pairs;
	size_t of[SIDES], per_rate; /* synapses of a frequency */
	double longest_ms;	    /* period */
	double dt_ms;
	double *column[N_CURVES];	/* [n_all] */
	struct kit_protocol *protocols; /* [n_all * per_rate] */
	double *dw;			/* the same */
};

static double number(const json_t *p, int i)
{
	return kit_number(p, params[i].name);
}

/* Synapses of a point. The control has trains of its own for each. */
static void read_synapses(struct curve *x, const json_t *p)
{
	size_t n = strcmp(x->rule.model, "stdp_calcium") == 0 ? NOISY : 1;

	if (json_is_number(json_object_get(p, params[SYNAPSES].name)))
		n = (size_t)number(p, SYNAPSES);
	x->of[PLUS] = x->of[MINUS] = n;
	x->of[SHUFFLE] = n > SHUFFLED ? n : SHUFFLED;
	x->per_rate = x->of[PLUS] + x->of[MINUS] + x->of[SHUFFLE];
}

static int read_params(struct curve *x, const json_t *p, struct err *err)
{
	static const double usual[] = { 0.1, 10, 20, 40, 50 };
	size_t listed = json_array_size(json_object_get(p, params[RATES].name));

	kit_protocol_rule_read(&x->rule, p, number(p, W_0));
	if (!json_is_number(json_object_get(p, params[W_0].name)))
		x->rule.w_0 = kit_protocol_start(x->rule.model);
	x->n = listed ? listed : COUNTOF(usual);
	x->n_all = x->n + DATA_RATES;
	x->pairs = (size_t)number(p, PAIRS);
	x->dt_ms = number(p, DT_MS);
	x->longest_ms = kit_protocol_has_cell(x->rule.model) ? REST_MS : HUGE_VAL;
	read_synapses(x, p);
	if (x->n > RATES_MAX || x->n * x->pairs * x->per_rate > SPIKES_MAX)
		return err_set(err, ERR_LIMIT, "/params/rates_hz",
			       "at most %d frequencies and %d pairs in all are possible, found %zu "
			       "times %zu times %zu",
			       RATES_MAX, SPIKES_MAX, x->n, x->per_rate, x->pairs);
	for (int k = 0; k < N_CURVES; k++) {
		x->column[k] = NEW(&x->arena, double, x->n_all);
		if (!x->column[k])
			return err_nomem(err);
	}
	if (listed)
		(void)kit_list(p, params[RATES].name, x->column[C_RATE], x->n);
	else
		memcpy(x->column[C_RATE], usual, sizeof(usual));
	for (size_t i = 0; i < x->n; i++)
		if (1000 / x->column[C_RATE][i] < 0.1 + x->dt_ms)
			return err_set(err, ERR_CONFLICT, "/params/rates_hz",
				       "at %g Hz a pair of %g ms is longer than its period",
				       x->column[C_RATE][i], x->dt_ms);
	return 0;
}

/* Each postsynaptic spike anywhere in its period; on whole ms if that is, which makes for a coarser
 * grid. */
static int shuffle(struct mem_arena *arena, struct kit_protocol *p, size_t pairs, double period_ms,
		   struct rng_key key, struct err *err)
{
	const struct kit_protocol_cycle cycle = kit_protocol_pair(0, 1000 / period_ms);
	bool whole = period_ms == floor(period_ms);
	double *post = NEW(arena, double, pairs);
	int rc = kit_protocol_repeat(p, &cycle, pairs, arena, err);

	if (rc || !post)
		return rc ? rc : err_nomem(err);
	for (size_t k = 0; k < pairs; k++) {
		double t = period_ms * ((double)k + rng_uniform(key, k, 0));

		post[k] = whole ? floor(t) : t;
	}
	p->post = post;
	return 0;
}

/* Synapses of one side have the same trains. */
static int build_rate(struct curve *x, size_t i, uint64_t seed, struct err *err)
{
	bool data = i >= x->n;
	double period = fmin(1000 / x->column[C_RATE][i], x->longest_ms);
	double dt = data ? 10 : x->dt_ms;
	size_t pairs = data ? MEASURED_REPEATS : x->pairs;
	struct kit_protocol *p = &x->protocols[i * x->per_rate];
	int rc = 0;

	for (int side = PLUS; side <= MINUS && !rc; side++) {
		const struct kit_protocol_cycle c =
			kit_protocol_pair(side == PLUS ? dt : -dt, 1000 / period);

		rc = kit_protocol_repeat(p, &c, pairs, &x->arena, err);
		for (size_t k = 1; k < x->of[side]; k++)
			p[k] = p[0];
		p += x->of[side];
	}
	for (size_t k = 0; k < x->of[SHUFFLE] && !rc; k++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "shuffled %zu %zu", i, k);
		rc = shuffle(&x->arena, &p[k], pairs, period, rng_key(seed, RNG_EXPERIMENT, name),
			     err);
	}
	return rc;
}

static int build(struct curve *x, uint64_t seed, struct err *err)
{
	int rc = 0;

	x->protocols = NEW(&x->arena, struct kit_protocol, x->n_all * x->per_rate);
	x->dw = NEW(&x->arena, double, x->n_all * x->per_rate);
	if (!x->protocols || !x->dw)
		return err_nomem(err);
	for (size_t i = x->n; i < x->n_all; i++)
		x->column[C_RATE][i] = 1000 / kit_measured_visual[2 * (i - x->n)].cycle.period_ms;
	for (size_t i = 0; i < x->n_all && !rc; i++)
		rc = build_rate(x, i, seed, err);
	return rc;
}

/* A frequency of the data that was asked for with the data's dt and pairs is not run again. */
static const double *done_before(const struct curve *x, size_t i)
{
	if (i < x->n || x->dt_ms != 10 || x->pairs != MEASURED_REPEATS)
		return NULL;
	for (size_t k = 0; k < x->n; k++)
		if (x->column[C_RATE][k] == x->column[C_RATE][i])
			return &x->dw[k * x->per_rate];
	return NULL;
}

static int run_rate(struct experiment_ctx *c, struct curve *x, size_t i, struct err *err)
{
	const double *before = done_before(x, i);
	double *dw = &x->dw[i * x->per_rate];

	if (!before)
		return kit_protocol_run(c, &x->protocols[i * x->per_rate], x->per_rate, &x->rule,
					dw, NULL, err);
	memcpy(dw, before, x->per_rate * sizeof(*dw));
	return 0;
}

static void collect(struct curve *x)
{
	const double *dw = x->dw;

	for (size_t i = 0; i < x->n_all; i++)
		for (int side = 0; side < SIDES; side++) {
			size_t n = x->of[side];

			x->column[C_MEAN + side][i] = kit_mean(dw, n);
			x->column[C_ERROR + side][i] = n > 1 ? kit_sd(dw, n) / sqrt((double)n) : 0;
			dw += n;
		}
}

/* The data's signs: where the mean is within its standard error of 0, either is right. */
static bool sign_right(const struct kit_measured *m, double model)
{
	return fabs(m->dw) < m->sem || (m->dw > 0) == (model > 0);
}

static int leave_data(struct experiment_ctx *c, const struct curve *x, struct err *err)
{
	double v[7][MEASURED_VISUAL], e[2] = { 0 };
	const struct kit_column columns[] = {
		{ "rate_hz", "Hz", v[0] },   { "dt_ms", "ms", v[1] }, { "dw", "", v[2] },
		{ "sem", "", v[3] },	     { "model", "", v[4] },   { "shuffled", "", v[5] },
		{ "model_error", "", v[6] },
	};
	size_t right = 0;
	int rc;

	for (size_t i = 0; i < MEASURED_VISUAL; i++) {
		const struct kit_measured *m = &kit_measured_visual[i];
		size_t row = x->n + i / 2;

		v[0][i] = x->column[C_RATE][row];
		v[1][i] = m->cycle.post[0];
		v[2][i] = m->dw;
		v[3][i] = m->sem;
		v[4][i] = x->column[C_MEAN + (i % 2 ? MINUS : PLUS)][row];
		v[5][i] = x->column[C_MEAN + SHUFFLE][row];
		v[6][i] = x->column[C_ERROR + (i % 2 ? MINUS : PLUS)][row];
		for (int k = 0; k < 2; k++) {
			double z = (v[4 + k][i] - m->dw) / m->sem;

			e[k] += z * z / MEASURED_VISUAL;
		}
		right += sign_right(m, v[4][i]);
	}
	engine_score(c, e[0]);
	rc = kit_table(c, "data", columns, COUNTOF(columns), MEASURED_VISUAL, err);
	if (!rc)
		rc = engine_metric(c, "E", e[0], err);
	if (!rc)
		rc = engine_target(c,
				   &(struct engine_target){ "signs_right", "of 10", (double)right,
							    MEASURED_VISUAL, MEASURED_VISUAL },
				   err);
	return rc ? rc
		  : engine_target(c,
				  &(struct engine_target){ "E_shuffled / E", "", e[1] / e[0], 1.5,
							   HUGE_VAL },
				  err);
}

static int leave(struct experiment_ctx *c, const struct curve *x, struct err *err)
{
	const struct kit_column columns[] = {
		{ "rate_hz", "Hz", x->column[C_RATE] },
		{ "dw_plus", "", x->column[C_MEAN + PLUS] },
		{ "dw_minus", "", x->column[C_MEAN + MINUS] },
		{ "dw_shuffled", "", x->column[C_MEAN + SHUFFLE] },
		{ "error_plus", "", x->column[C_ERROR + PLUS] },
		{ "error_minus", "", x->column[C_ERROR + MINUS] },
		{ "error_shuffled", "", x->column[C_ERROR + SHUFFLE] },
	};
	int rc = kit_table(c, "curve", columns, COUNTOF(columns), x->n, err);

	return rc ? rc : leave_data(c, x, err);
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct curve x = { 0 };
	int rc;

	mem_arena_init(&x.arena, 0);
	rc = read_params(&x, engine_params(c), err);
	if (!rc)
		rc = build(&x, engine_seed(c), err);
	for (size_t i = 0; i < x.n_all && !rc; i++)
		rc = run_rate(c, &x, i, err);
	if (!rc) {
		collect(&x);
		rc = leave(c, &x, err);
	}
	mem_arena_release(&x.arena);
	return rc;
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct curve x = { 0 };
	struct err err = { 0 };
	int rc;

	mem_arena_init(&x.arena, 0);
	rc = read_params(&x, p, &err);
	if (rc)
		(void)kit_protocol_refuse(&err, prefix, errors);
	else
		rc = kit_protocol_check(&x.rule, prefix, limits, errors);
	mem_arena_release(&x.arena);
	return rc;
}

static const struct experiment_plot plots[] = {
	{ .table = "curve",
	  .title = "Change by the frequency of pairing",
	  .text = "Where dw_minus crosses 0, frequency overrules order. dw_shuffled: the same "
		  "rates "
		  "without order.",
	  .x = "rate_hz",
	  .curve = { { .y = "dw_plus", .error = "error_plus" },
		     { .y = "dw_minus", .error = "error_minus" },
		     { .y = "dw_shuffled", .error = "error_shuffled" } } },
	{ .table = "data",
	  .title = "Beside the measurements",
	  .text = "Sjoestroem, Turrigiano & Nelson (2001), with standard errors.",
	  .x = "rate_hz",
	  .by = "dt_ms",
	  .curve = { { .y = "dw", .label = "measured", .points = true, .error = "sem" },
		     { .y = "model", .error = "model_error" } } },
};

const struct experiment experiment_frequency_curve = {
	.name = "frequency_curve",
	.title = "Pairs of spikes by frequency",
	.doc = "Pairs at +dt and -dt, by the frequency at which they come, for any rule, beside "
	       "the measurements of Sjoestroem (2001) and pairs without timing.",
	.cite = "10.1016/S0896-6273(01)00542-6",
	.score = { "E", "sem^2", false,
		   "Pfister & Gerstner (2006), triplet rule: 0.22 to 0.34; the best pair rule has "
		   "2.3." },
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
