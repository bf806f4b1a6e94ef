/* frequency_curve - pairs of spikes at one dt, before and after, by the frequency of pairing.
 *
 * The protocol of Sjoestroem, Turrigiano & Nelson (2001) for any rule: 60 pairs at +dt and at -dt for
 * each frequency, one synapse each, and the data beside the curve. The control has the same two
 * rates without their timing: each postsynaptic spike falls anywhere in its period. What the rule
 * owes to timing alone is the difference. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/kit_measured.h"

enum { RULE, SET, RULE_PARAMS, W_0, RATES, DT_MS, PAIRS, N_PARAMS };

enum { RATES_MAX = 1000, SPIKES_MAX = 5000000, SHUFFLED = 20 };

static const char *const default_rule[] = { "stdp_triplet", NULL };

static const struct param_def params[N_PARAMS] = {
	[RULE] = { PROTOCOL_RULE, "Plasticity rule, by our name or another simulator's.", UNIT_NONE,
		   PARAM_STRING, 0, 0, 0, 0, default_rule },
	[SET] = { PROTOCOL_SET, "Named set of the rule's parameters.", UNIT_NONE, PARAM_STRING },
	[RULE_PARAMS] = { PROTOCOL_RULE_PARAMS,
			  "Parameters that differ from the set's; w_max of the pair and "
			  "the triplet rule is 100 w_0 unless given here.",
			  UNIT_NONE, PARAM_OBJECT },
	[W_0] = { PROTOCOL_W_0,
		  "Weight before the pairs; if not given the middle of the rule's bounds, 1 for "
		  "the pair and the triplet rule.",
		  UNIT_WEIGHT, PARAM_NUMBER, PARAM_INF, 0, 1e6, PARAM_OPEN_MIN },
	[RATES] = { "rates_hz", "Frequencies of pairing; 0.1, 10, 20, 40, 50 if not given.",
		    UNIT_HZ, PARAM_LIST, 0, 0, 500, PARAM_OPEN_MIN },
	[DT_MS] = { "dt_ms", "Distance of the spikes of a pair.", UNIT_MS, PARAM_NUMBER, 10, 0.1,
		    200 },
	[PAIRS] = { "pairs", "Pairs per frequency.", UNIT_NONE, PARAM_INTEGER, 60, 1, 10000 },
};

/* Synapses of a frequency, in this order: +dt, -dt, and the shuffled ones. Behind the user's
 * frequencies stand those of the data, with the data's dt and number of pairs. */
enum { PLUS, MINUS, SHUFFLE, PER_RATE = SHUFFLE + SHUFFLED };
enum { DATA_RATES = MEASURED_VISUAL / 2 };
enum { C_RATE, C_PLUS, C_MINUS, C_SHUFFLED, N_CURVES };

struct curve {
	struct mem_arena arena;
	struct kit_protocol_rule rule;
	size_t n, n_all; /* frequencies asked for; with those of the data */
	size_t pairs;
	double dt_ms;
	double *column[N_CURVES];	/* [n_all] */
	struct kit_protocol *protocols; /* [n_all * PER_RATE] */
	double *dw;			/* the same */
};

static double number(const json_t *p, int i)
{
	return kit_number(p, params[i].name);
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
	if (x->n > RATES_MAX || x->n * x->pairs * PER_RATE > SPIKES_MAX)
		return err_set(err, ERR_LIMIT, "/params/rates_hz",
			       "at most %d frequencies and %d pairs in all are possible, found %zu "
			       "times %d times %zu",
			       RATES_MAX, SPIKES_MAX, x->n, PER_RATE, x->pairs);
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
static int shuffle(struct mem_arena *arena, struct kit_protocol *p, size_t pairs, double hz,
		   struct rng_key key, struct err *err)
{
	const struct kit_protocol_cycle cycle = kit_protocol_pair(0, hz);
	bool whole = 1000 / hz == floor(1000 / hz);
	double *post = NEW(arena, double, pairs);
	int rc = kit_protocol_repeat(p, &cycle, pairs, arena, err);

	if (rc || !post)
		return rc ? rc : err_nomem(err);
	for (size_t k = 0; k < pairs; k++) {
		double t = 1000 / hz * ((double)k + rng_uniform(key, k, 0));

		post[k] = whole ? floor(t) : t;
	}
	p->post = post;
	return 0;
}

static int build_rate(struct curve *x, size_t i, uint64_t seed, struct err *err)
{
	bool data = i >= x->n;
	double hz = x->column[C_RATE][i], dt = data ? 10 : x->dt_ms;
	size_t pairs = data ? MEASURED_REPEATS : x->pairs;
	int rc = 0;

	for (size_t k = 0; k < PER_RATE && !rc; k++) {
		struct kit_protocol *p = &x->protocols[i * PER_RATE + k];
		const struct kit_protocol_cycle c = kit_protocol_pair(k == PLUS ? dt : -dt, hz);
		char name[64];

		(void)snprintf(name, sizeof(name), "shuffled %zu %zu", i, k);
		rc = k < SHUFFLE ? kit_protocol_repeat(p, &c, pairs, &x->arena, err)
				 : shuffle(&x->arena, p, pairs, hz,
					   rng_key(seed, RNG_EXPERIMENT, name), err);
	}
	return rc;
}

static int build(struct curve *x, uint64_t seed, struct err *err)
{
	int rc = 0;

	x->protocols = NEW(&x->arena, struct kit_protocol, x->n_all * PER_RATE);
	x->dw = NEW(&x->arena, double, x->n_all *PER_RATE);
	if (!x->protocols || !x->dw)
		return err_nomem(err);
	for (size_t i = x->n; i < x->n_all; i++)
		x->column[C_RATE][i] = 1000 / kit_measured_visual[2 * (i - x->n)].cycle.period_ms;
	for (size_t i = 0; i < x->n_all && !rc; i++)
		rc = build_rate(x, i, seed, err);
	return rc;
}

static void collect(struct curve *x)
{
	for (size_t i = 0; i < x->n_all; i++) {
		const double *dw = &x->dw[i * PER_RATE];

		x->column[C_PLUS][i] = dw[PLUS];
		x->column[C_MINUS][i] = dw[MINUS];
		x->column[C_SHUFFLED][i] = kit_mean(&dw[SHUFFLE], SHUFFLED);
	}
}

/* The data's signs: where the mean is within its standard error of 0, either is right. */
static bool sign_right(const struct kit_measured *m, double model)
{
	return fabs(m->dw) < m->sem || (m->dw > 0) == (model > 0);
}

static int leave_data(struct experiment_ctx *c, const struct curve *x, struct err *err)
{
	double v[6][MEASURED_VISUAL], e[2] = { 0 };
	const struct kit_column columns[] = {
		{ "rate_hz", "Hz", v[0] }, { "dt_ms", "ms", v[1] }, { "dw", "", v[2] },
		{ "sem", "", v[3] },	   { "model", "", v[4] },   { "shuffled", "", v[5] },
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
		v[4][i] = x->column[i % 2 ? C_MINUS : C_PLUS][row];
		v[5][i] = x->column[C_SHUFFLED][row];
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
		{ "dw_plus", "", x->column[C_PLUS] },
		{ "dw_minus", "", x->column[C_MINUS] },
		{ "dw_shuffled", "", x->column[C_SHUFFLED] },
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
		rc = kit_protocol_run(c, &x.protocols[i * PER_RATE], PER_RATE, &x.rule,
				      &x.dw[i * PER_RATE], NULL, err);
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
	  .curve = { { .y = "dw_plus" }, { .y = "dw_minus" }, { .y = "dw_shuffled" } } },
	{ .table = "data",
	  .title = "Beside the measurements",
	  .text = "Sjoestroem, Turrigiano & Nelson (2001), with standard errors.",
	  .x = "rate_hz",
	  .by = "dt_ms",
	  .curve = { { .y = "dw", .label = "measured", .points = true, .error = "sem" },
		     { .y = "model" } } },
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
