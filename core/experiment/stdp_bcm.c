/* stdp_bcm - Hebb, STDP and BCM in one figure: the drift of a weight by the postsynaptic rate.
 *
 * Pre- and postsynaptic spikes are independent Poisson trains of rates rx and ry, so only rates are
 * left, and the drift per second has a closed form:
 *
 *   pairs, all to all   rx ry (A_plus tau_plus - A_minus tau_minus)          Hebb: no threshold
 *   pairs, nearest      rx ry (A_plus / (1 / tau_plus + ry) - A_minus / (1 / tau_minus + ry))
 *                                                      Izhikevich & Desai (2003): as BCM
 *   minimal triplet     rx (A3_plus tau_plus tau_y ry^2 - A2_minus tau_minus ry)
 *                                                      Pfister & Gerstner (2006): BCM
 *
 * The pairs' amplitudes are the same in both, only the pairing differs: nearest means that each
 * presynaptic spike pairs with the last and the next postsynaptic one. The weights of one network are
 * measured, each postsynaptic train with its own rate. Hebb, which has no threshold, is the control.
 *
 * Beside them two rules on running rates x and y, in units of r0, that spikes pass through a filter of
 * tau. A Poisson train's running rate has the variance r / (2 tau), so that with <y^2> = y^2 + s y,
 * s = 1 / (2 tau r0):
 *
 *   BCM (1982)          eta x (<y^2> - y)       threshold r0, which hardly slides here
 *   Oja (1982)          eta (x y - <y^2>)       at a weight of 1 / alpha: potentiates below rx
 *
 * What becomes of weights under these two is in rate_rules. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>
#include <string.h>

#include "core/base/fmath.h"
#include "core/kit_protocol.h"

enum { DURATION, RATE_PRE, RATES, REPEATS, N_PARAMS };

enum { RATES_MAX = 200, REPEATS_MAX = 100, PRE = 20 };

static const struct param_def params[N_PARAMS] = {
	[DURATION] = { "duration_s", "Time of measurement, seconds.", UNIT_NONE, PARAM_NUMBER, 200,
		       1, 1e5 },
	[RATE_PRE] = { "rate_pre_hz", "Presynaptic rate.", UNIT_HZ, PARAM_NUMBER, 10, 0, 200,
		       PARAM_OPEN_MIN },
	[RATES] = { "rates_hz", "Postsynaptic rates; 2 to 40 by 2 if not given.", UNIT_HZ,
		    PARAM_LIST, 0, 0, 200, PARAM_OPEN_MIN },
	[REPEATS] = { "repeats", "Postsynaptic trains of each rate.", UNIT_NONE, PARAM_INTEGER, 10,
		      2, REPEATS_MAX },
};

#define W_0	1e3 /* bounds are never near */
#define GRID_MS 0.1

/* Pairs: more depression than potentiation over all (A_plus tau_plus < A_minus tau_minus), but a
 * higher peak of potentiation, as Izhikevich & Desai need it. ms. */
#define A_PLUS	  1e-3
#define TAU_PLUS  14.0
#define A_MINUS	  0.5e-3
#define TAU_MINUS 34.0

/* Rules on rates. */
#define ETA	  1e-3
#define RATE_0	  20.0 /* Hz */
#define TAU_RATE  500.0
#define SHOT	  (1e3 / (2 * TAU_RATE * RATE_0))
#define UPDATE_MS 50.0

enum { ALL, NEAREST, TRIPLET, BCM_RATE, OJA_RATE, N_RULES };
static const char *const projections[N_RULES] = { "all_to_all", "nearest", "triplet", "bcm_rate",
						  "oja_rate" };
static const char *const deviations[N_RULES] = { "all_to_all_se", "nearest_se", "triplet_se",
						 "bcm_rate_se", "oja_rate_se" };
static const char *const theories[N_RULES] = { "all_to_all_theory", "nearest_theory",
					       "triplet_theory", "bcm_rate_theory",
					       "oja_rate_theory" };

#define TRIPLET_SET "visual_cortex_all_to_all_minimal"

struct bcm {
	struct mem_arena arena;
	double seconds, rate_pre;
	size_t n, repeats;
	double *rate;					       /* [n] Hz */
	double *drift[N_RULES];				       /* [n * repeats] per second */
	double *mean[N_RULES], *se[N_RULES], *theory[N_RULES]; /* [n] */
	double coef[N_RULES][2]; /* of the fit a ry + b ry^2, per presynaptic spike */
};

static int read_params(struct bcm *x, const json_t *p, struct err *err)
{
	size_t listed = json_array_size(json_object_get(p, params[RATES].name));

	x->seconds = kit_number(p, params[DURATION].name);
	x->rate_pre = kit_number(p, params[RATE_PRE].name);
	x->repeats = (size_t)kit_number(p, params[REPEATS].name);
	x->n = listed ? listed : 20;
	if (x->n < 3 || x->n > RATES_MAX)
		return err_set(err, ERR_LIMIT, "/params/rates_hz",
			       "expected 3 to %d rates, found %zu", RATES_MAX, x->n);
	x->rate = NEW(&x->arena, double, x->n);
	if (!x->rate)
		return err_nomem(err);
	for (int k = 0; k < N_RULES; k++) {
		x->drift[k] = NEW(&x->arena, double, x->n * x->repeats);
		x->mean[k] = NEW(&x->arena, double, x->n);
		x->se[k] = NEW(&x->arena, double, x->n);
		x->theory[k] = NEW(&x->arena, double, x->n);
		if (!x->drift[k] || !x->mean[k] || !x->se[k] || !x->theory[k])
			return err_nomem(err);
	}
	for (size_t i = 0; i < x->n; i++)
		x->rate[i] = 2.0 * (double)(i + 1);
	(void)kit_list(p, params[RATES].name, x->rate, listed);
	return 0;
}

/* The network. */

static json_t *pair(const char *pairing)
{
	return json_pack("{s:s, s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f, s:s}}", "model", "stdp_pair",
			 "weight", W_0, "delay_ms", 1.0, "params", "A_plus", A_PLUS, "A_minus",
			 -A_MINUS, "tau_plus", TAU_PLUS, "tau_minus", TAU_MINUS, "w_max", 2 * W_0,
			 "pairing", pairing);
}

static json_t *triplet(void)
{
	return json_pack("{s:s, s:s, s:f, s:f, s:{s:f}}", "model", "stdp_triplet", "set",
			 TRIPLET_SET, "weight", W_0, "delay_ms", 1.0, "params", "w_max", 2 * W_0);
}

static json_t *on_rates(const char *variant)
{
	return json_pack("{s:s, s:f, s:f, s:{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}}",
			 "model", "hebb_rate", "weight", W_0, "delay_ms", 1.0, "params", "variant",
			 variant, "eta", ETA, "rate_0", RATE_0, "tau_x", TAU_RATE, "tau_y",
			 TAU_RATE, "tau_theta", 1e9, "alpha", 1 / W_0, "update_ms", UPDATE_MS,
			 "w_max", 2 * W_0);
}

static json_t *rates_of(const struct bcm *x)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < x->n * x->repeats; i++)
		if (json_array_append_new(list, json_real(x->rate[i / x->repeats]))) {
			json_decref(list);
			return NULL;
		}
	return list ? json_pack("{s:o}", "rate", list) : NULL;
}

static void network(struct kit_spec *k, const struct bcm *x, uint64_t seed)
{
	kit_begin(k, GRID_MS, 1000 * x->seconds, seed);
	kit_population(k, "pre", "poisson_generator", PRE, json_pack("{s:f}", "rate", x->rate_pre));
	kit_population(k, "post", "poisson_generator", x->n * x->repeats, rates_of(x));
	kit_projection(k, projections[ALL], "pre", "post", kit_rule("all_to_all"),
		       pair("all_to_all"));
	kit_projection(k, projections[NEAREST], "pre", "post", kit_rule("all_to_all"),
		       pair("nearest_pre_centered"));
	kit_projection(k, projections[TRIPLET], "pre", "post", kit_rule("all_to_all"), triplet());
	kit_projection(k, projections[BCM_RATE], "pre", "post", kit_rule("all_to_all"),
		       on_rates("bcm"));
	kit_projection(k, projections[OJA_RATE], "pre", "post", kit_rule("all_to_all"),
		       on_rates("oja"));
}

/* Drift of each postsynaptic train, over its synapses. */
static int read_one(struct bcm *x, const struct sim *s, int rule, struct err *err)
{
	double *w = NULL;
	uint32_t *from, *to;
	size_t n = 0;
	int rc = kit_weights(s, projections[rule], &w, &n, err);

	if (rc)
		return rc;
	from = NEW(&x->arena, uint32_t, n + 1);
	to = NEW(&x->arena, uint32_t, n + 1);
	if (from && to) {
		size_t at = 0;

		while (strcmp(sim_spec(s)->projections[at].name, projections[rule]) != 0)
			at++;
		sim_endpoints(s, at, from, to);
		for (size_t i = 0; i < n; i++)
			x->drift[rule][to[i]] += (w[i] - W_0) / (PRE * x->seconds);
	}
	mem_free(w);
	return from && to ? 0 : err_nomem(err);
}

static int at_end(void *self, const struct sim *s, struct err *err)
{
	int rc = 0;

	for (int k = 0; k < N_RULES && !rc; k++)
		rc = read_one(self, s, k, err);
	return rc;
}

/* Closed forms. Each is a sum of two terms in ry that the fit takes for its basis; per presynaptic
 * spike, time constants in seconds. */

static double set_value(const char *name)
{
	const struct plasticity_model *m = &plasticity_stdp_triplet;

	for (size_t i = 0; i < m->n_sets; i++)
		if (!strcmp(m->sets[i].name, TRIPLET_SET))
			return m->sets[i].p[param_find(m->params, m->n_params, name)];
	return HUGE_VAL;
}

/* On a grid of h a pair is at least a step apart: the sum of h exp(-k h / tau) from k = 1 on stands
 * for tau. */
static double on_grid(double tau_ms)
{
	return GRID_MS / fmath_expm1(GRID_MS / tau_ms);
}

/* Expected exp(-t / tau) at the next spike of a Poisson train of rate ry; for a fine grid
 * ry / (1 / tau + ry). */
static double next(double ry, double tau_ms)
{
	double none = fmath_exp(-1e-3 * ry * GRID_MS), e = fmath_exp(-GRID_MS / tau_ms);

	return (1 - none) * e / (1 - none * e);
}

static void basis(int rule, double ry, double ret[2])
{
	double tau_y = set_value("tau_y"), minus = set_value("tau_minus"),
	       plus = set_value("tau_plus");
	double net = (A_PLUS * on_grid(TAU_PLUS) - A_MINUS * on_grid(TAU_MINUS)) /
		     (A_PLUS * TAU_PLUS - A_MINUS * TAU_MINUS);

	switch (rule) {
	case ALL:
		ret[0] = net * ry;
		ret[1] = ry * ry;
		break;
	case NEAREST:
		ret[0] = next(ry, TAU_PLUS);
		ret[1] = next(ry, TAU_MINUS);
		break;
	case TRIPLET:
		ret[0] = ry * on_grid(minus) / minus;
		ret[1] = ry * ry * on_grid(plus) * on_grid(tau_y) / (plus * tau_y);
		break;
	default:
		ret[0] = ry;
		ret[1] = ry * ry;
	}
}

static void closed(int rule, double rx, double ret_coef[2])
{
	const double per_rate = ETA / (RATE_0 * RATE_0);

	switch (rule) {
	case ALL:
		ret_coef[0] = 1e-3 * (A_PLUS * TAU_PLUS - A_MINUS * TAU_MINUS);
		ret_coef[1] = 0;
		break;
	case NEAREST:
		ret_coef[0] = A_PLUS;
		ret_coef[1] = -A_MINUS;
		break;
	case BCM_RATE:
		ret_coef[0] = per_rate * (SHOT - 1);
		ret_coef[1] = per_rate / RATE_0;
		break;
	case OJA_RATE:
		ret_coef[0] = per_rate * (1 - SHOT * RATE_0 / rx);
		ret_coef[1] = -per_rate / rx;
		break;
	default:
		ret_coef[0] = -1e-3 * set_value("A2_minus") * set_value("tau_minus");
		ret_coef[1] =
			1e-6 * set_value("A3_plus") * set_value("tau_plus") * set_value("tau_y");
	}
}

/* Where the drift changes its sign, Hz. */
static double zero(int rule, const double coef[2])
{
	if (rule == NEAREST)
		return -1e3 * (coef[1] / TAU_PLUS + coef[0] / TAU_MINUS) / (coef[0] + coef[1]);
	return -coef[0] / coef[1];
}

/* Weighted least squares; the weights are the closed form of the noise's growth, 1 / ry^2, so that no
 * estimate of the noise biases the fit. */
static void fit(struct bcm *x, int rule)
{
	double aa = 0, ab = 0, bb = 0, ay = 0, by = 0, det;

	for (size_t i = 0; i < x->n; i++) {
		double f[2], w = 1 / (x->rate[i] * x->rate[i]), y = x->mean[rule][i] / x->rate_pre;

		basis(rule, x->rate[i], f);
		aa += w * f[0] * f[0];
		ab += w * f[0] * f[1];
		bb += w * f[1] * f[1];
		ay += w * f[0] * y;
		by += w * f[1] * y;
	}
	det = aa * bb - ab * ab;
	x->coef[rule][0] = (bb * ay - ab * by) / det;
	x->coef[rule][1] = (aa * by - ab * ay) / det;
}

static void evaluate(struct bcm *x)
{
	for (int k = 0; k < N_RULES; k++) {
		double coef[2], f[2];

		closed(k, x->rate_pre, coef);
		for (size_t i = 0; i < x->n; i++) {
			const double *of = &x->drift[k][i * x->repeats];

			basis(k, x->rate[i], f);
			x->mean[k][i] = kit_mean(of, x->repeats);
			x->se[k][i] = kit_sd(of, x->repeats) / sqrt((double)x->repeats);
			x->theory[k][i] = x->rate_pre * (coef[0] * f[0] + coef[1] * f[1]);
		}
		fit(x, k);
	}
}

/* Results. */

static double rmse_of(const struct bcm *x, int rule)
{
	double sum = 0, largest = 0;

	for (size_t i = 0; i < x->n; i++) {
		double e = x->mean[rule][i] - x->theory[rule][i];

		sum += e * e;
		largest = fmax(largest, fabs(x->theory[rule][i]));
	}
	return sqrt(sum / (double)x->n) / largest;
}

static int target(struct experiment_ctx *c, const char *name, const char *unit, double value,
		  double middle, double around, struct err *err)
{
	return engine_target(
		c, &(struct engine_target){ name, unit, value, middle - around, middle + around },
		err);
}

static int leave_targets(struct experiment_ctx *c, const struct bcm *x, struct err *err)
{
	static const char *const rmse[N_RULES] = { "rmse all_to_all", "rmse nearest",
						   "rmse triplet", "rmse bcm_rate",
						   "rmse oja_rate" };
	static const char *const thetas[N_RULES] = { NULL, "theta nearest", "theta triplet",
						     "theta bcm_rate", "theta oja_rate" };
	double last = x->rate[x->n - 1];
	int rc = 0;

	for (int k = 0; k < N_RULES && !rc; k++)
		rc = target(c, rmse[k], "of largest", rmse_of(x, k), 0, 0.03, err);
	for (int k = NEAREST; k < N_RULES && !rc; k++) {
		double coef[2], theta, found = zero(k, x->coef[k]);

		closed(k, x->rate_pre, coef);
		theta = zero(k, coef);
		rc = target(c, thetas[k], "Hz", found, theta, 0.03 * theta, err);
		if (k == TRIPLET)
			engine_score(c, fabs(found / theta - 1));
	}
	/* Hebb is linear: no second zero, anywhere near. */
	return rc ? rc
		  : target(c, "bend all_to_all", "", last * x->coef[ALL][1] / x->coef[ALL][0], 0,
			   0.1, err);
}

static int leave(struct experiment_ctx *c, const struct bcm *x, struct err *err)
{
	struct kit_column columns[1 + 3 * N_RULES] = { { "rate_post_hz", "Hz", x->rate } };
	int rc;

	for (size_t k = 0; k < N_RULES; k++) {
		columns[1 + 3 * k] = (struct kit_column){ projections[k], "1/s", x->mean[k] };
		columns[2 + 3 * k] = (struct kit_column){ deviations[k], "1/s", x->se[k] };
		columns[3 + 3 * k] = (struct kit_column){ theories[k], "1/s", x->theory[k] };
	}
	rc = kit_table(c, "drift", columns, COUNTOF(columns), x->n, err);
	return rc ? rc : leave_targets(c, x, err);
}

static int simulate(struct experiment_ctx *c, struct bcm *x, struct err *err)
{
	const struct engine_look look = { .self = x, .at_end = at_end };
	struct kit_spec k;
	int rc;

	network(&k, x, engine_seed(c));
	rc = kit_simulate(c, &k, &look, err);
	kit_end(&k);
	return rc;
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct bcm x = { 0 };
	int rc;

	mem_arena_init(&x.arena, 0);
	rc = read_params(&x, engine_params(c), err);
	if (!rc)
		rc = simulate(c, &x, err);
	if (!rc) {
		evaluate(&x);
		rc = leave(c, &x, err);
	}
	mem_arena_release(&x.arena);
	return rc;
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct bcm x = { 0 };
	struct err err = { 0 };
	struct kit_spec k;
	int rc;

	mem_arena_init(&x.arena, 0);
	rc = read_params(&x, p, &err);
	if (rc) {
		(void)kit_protocol_refuse(&err, prefix, errors);
	} else {
		network(&k, &x, 1);
		rc = kit_check(&k, prefix, limits, errors);
		kit_end(&k);
	}
	mem_arena_release(&x.arena);
	return rc;
}

static const struct experiment_plot plots[] = {
	{ .table = "drift",
	  .title = "Pairs: Hebb or BCM, as the pairing goes",
	  .text = "The same window: all to all it is a line, anti-Hebbian; with the nearest spikes "
		  "only it changes its sign, as BCM has it. Points: measured; lines: closed forms.",
	  .x = "rate_post_hz",
	  .curve = { { .y = "all_to_all", .points = true, .error = "all_to_all_se" },
		     { .y = "all_to_all_theory" },
		     { .y = "nearest", .points = true, .error = "nearest_se" },
		     { .y = "nearest_theory" } } },
	{ .table = "drift",
	  .title = "Triplets: BCM",
	  .text = "Depression below 19.2 Hz, potentiation above, by the square of the rate.",
	  .x = "rate_post_hz",
	  .curve = { { .y = "triplet", .points = true, .error = "triplet_se" },
		     { .y = "triplet_theory" } } },
	{ .table = "drift",
	  .title = "Rules on rates: BCM and Oja",
	  .text = "BCM's own rule, its threshold held still, and Oja's at a weight where it "
		  "potentiates as long as the cell is slower than the input.",
	  .x = "rate_post_hz",
	  .curve = { { .y = "bcm_rate", .points = true, .error = "bcm_rate_se" },
		     { .y = "bcm_rate_theory" },
		     { .y = "oja_rate", .points = true, .error = "oja_rate_se" },
		     { .y = "oja_rate_theory" } } },
};

const struct experiment experiment_stdp_bcm = {
	.name = "stdp_bcm",
	.title = "Hebb, STDP and BCM in one figure",
	.doc = "Drift of a weight between independent Poisson trains by the postsynaptic rate: "
	       "pairs all to all, nearest pairs, triplets, and BCM's and Oja's rules on rates, "
	       "beside their closed forms.",
	.cite = "10.1162/089976603321891783",
	.score = { "theta_error", "", false,
		   "Closed form of the minimal triplet rule (Pfister & Gerstner 2006), visual "
		   "cortex: 19.2 Hz; relative." },
	.science = "{\"duration_s\": 1000, \"repeats\": 10}",
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
