/* rate_rules - what becomes of weights under Hebb's rule on rates: how Oja's and BCM's tame it.
 *
 * Cells that are linear in their input, y = g w x: perfect integrators, each spike of theirs being the
 * sum of weights over many incoming ones. Inputs are Poisson trains whose rates change together.
 *
 *   Oja (1982)   six inputs mix two features, new every 0.2 s, on top of unequal means. The weights come
 *                to the first principal component of <x x>, of length 1 / sqrt(alpha g), here 1,
 *                whatever they are at first. doi:10.1007/BF00275687
 *   BCM (1982)   two inputs take turns. The threshold slides to <y y>, so that a cell comes to answer
 *                one of them, the one ahead at first, with w = <x^3> / (g <x^2>^2), and the other not at
 *                all. doi:10.1523/JNEUROSCI.02-01-00032.1982
 *   Controls     Hebb's plain rule at the same inputs: all weights run to the upper bound. And equal
 *                weights, which are not the principal component either.
 *
 * What weights should come to follows from the rates given to the inputs, filtered as the rule does it,
 * with the variance r / (2 tau) of a Poisson train's running rate. What exceeds the threshold is lost at a
 * spike, about half of a step's input, so that g is about half a per cent smaller than 1 / V_th. Drifts of
 * the same rules stand in stdp_bcm. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>

#include "core/base/fmath.h"
#include "core/base/rng.h"
#include "core/kit.h"

enum { DURATION_S, ETA_OJA, ETA_BCM, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[DURATION_S] = { "duration_s", "Simulated seconds.", UNIT_NONE, PARAM_NUMBER, 200, 0.1,
			 1e4 },
	[ETA_OJA] = { "eta_oja", "Learning rate of Oja's rule and its control.", UNIT_NONE,
		      PARAM_NUMBER, 0.13, 0, 10 },
	[ETA_BCM] = { "eta_bcm", "Learning rate of BCM's rule and its control.", UNIT_NONE,
		      PARAM_NUMBER, 6e-5, 0, 1 },
};

enum { INPUTS_MAX = 6, CELLS = 4, LOOKS = 100, LATE = LOOKS / 2 };

#define DT	  0.1 /* ms */
#define UPDATE_MS 10.0
#define W_MAX	  2.0

/* What drives the cells of a rule: rates that stand for a while, and the cells' threshold. */
struct drive {
	size_t inputs;
	double stretch_ms, tau, rate_0;					/* ms, ms, Hz */
	double v_th;							/* mV, 1 / g */
	void (*rates)(struct rng_key key, size_t stretch, double *ret); /* [inputs] Hz */
};

/* Two features of either sign. */
static void mixed(struct rng_key key, size_t stretch, double *ret)
{
	static const double mean[] = { 3, 2, 4, 3, 1, 2 };
	static const double one[] = { 1, 0.8, -0.9, -0.6, 0.2, -0.7 };
	static const double two[] = { 0.3, -0.8, 0.5, -0.9, 0.4, 0.9 };
	double a = 4 * rng_uniform(key, 0, stretch) - 2, b = 2 * rng_uniform(key, 1, stretch) - 1;

	for (size_t i = 0; i < COUNTOF(mean); i++)
		ret[i] = 1000 * fmax(0, mean[i] + a * one[i] + b * two[i]);
}

static void in_turns(struct rng_key key, size_t stretch, double *ret)
{
	(void)key;
	ret[0] = stretch % 2 ? 0 : 8000;
	ret[1] = stretch % 2 ? 8000 : 0;
}

enum { MIXED, TURNS };
static const struct drive drives[] = {
	[MIXED] = { 6, 200, 200, 1000, 132, mixed },
	[TURNS] = { 2, 500, 100, 25, 80, in_turns },
};

#define TAU_THETA 4000.0 /* ms, of BCM: some turns */
#define AHEAD	  0.4	 /* weights at first, where inputs take turns */
#define BEHIND	  0.2

enum rule { OJA, BCM, PLAIN_MIXED, PLAIN_TURNS, RULES };

struct course {
	enum rule rule;
	const struct drive *drive;
	double eta;
	struct kit_sample sample;
	size_t n;
	double t[LOOKS];
	double w[LOOKS][CELLS][INPUTS_MAX]; /* of every cell */
	double late[CELLS][INPUTS_MAX];	    /* mean over the last looks */
};

struct rates {
	double ms;
	struct course course[RULES];
	double component[INPUTS_MAX]; /* principal, of length 1 */
	double chosen;		      /* weight of the input that BCM chooses */
};

/* ---- a rule as a simulation ---- */

static struct rng_key key_of(const char *what, uint64_t seed)
{
	return rng_key(seed, RNG_EXPERIMENT, what);
}

static json_t *rates_in_time(const struct rates *x, const struct drive *d, uint64_t seed)
{
	struct rng_key key = key_of("rate_rules drive", seed);
	json_t *times = json_array(), *values = json_array();
	int rc = times && values ? 0 : -1;

	for (size_t i = 0; i < d->inputs && !rc; i++) {
		json_t *t = json_array(), *r = json_array();

		rc = json_array_append_new(times, t) | json_array_append_new(values, r);
		for (size_t k = 0; (double)k * d->stretch_ms < x->ms && !rc; k++) {
			double rate[INPUTS_MAX];

			d->rates(key, k, rate);
			rc = json_array_append_new(t, json_real((double)k * d->stretch_ms)) |
			     json_array_append_new(r, json_real(rate[i]));
		}
	}
	if (!rc)
		return json_pack("{s:o, s:o}", "rate_times", times, "rate_values", values);
	json_decref(times);
	json_decref(values);
	return NULL;
}

/* Weights at first, input by input. */
static json_t *starts(const struct course *c, uint64_t seed)
{
	struct rng_key key = key_of("rate_rules starts", seed);
	double w[INPUTS_MAX * CELLS];

	for (size_t i = 0; i < c->drive->inputs * CELLS; i++) {
		size_t input = i / CELLS, cell = i % CELLS;

		w[i] = c->drive == &drives[TURNS] ? (input == cell % 2 ? AHEAD : BEHIND)
						  : rng_uniform(key, i, 0);
	}
	return kit_array(w, c->drive->inputs * CELLS);
}

static json_t *synapse(const struct course *c, uint64_t seed)
{
	static const char *const variants[RULES] = { "oja", "bcm", "plain", "plain" };
	const struct drive *d = c->drive;

	return json_pack("{s:s, s:o, s:f, s:{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}}",
			 "model", "hebb_rate", "weight", starts(c, seed), "delay_ms", 1.0, "params",
			 "variant", variants[c->rule], "eta", c->eta, "rate_0", d->rate_0, "tau_x",
			 d->tau, "tau_y", d->tau, "tau_theta", TAU_THETA, "alpha", d->v_th,
			 "update_ms", UPDATE_MS, "w_max", W_MAX);
}

static void build(const struct rates *x, const struct course *c, struct kit_spec *k, uint64_t seed)
{
	kit_begin(k, DT, x->ms, seed);
	kit_population(k, "inputs", "inhomogeneous_poisson_generator", c->drive->inputs,
		       rates_in_time(x, c->drive, seed));
	kit_population(k, "cells", "iaf_psc_delta", CELLS,
		       json_pack("{s:f, s:f, s:f, s:f, s:f}", "tau_m", 1e6, "E_L", 0.0, "V_th",
				 c->drive->v_th, "V_reset", 0.0, "t_ref", 0.0));
	kit_projection(k, "learn", "inputs", "cells", kit_rule("all_to_all"), synapse(c, seed));
}

static int look(void *self, const struct sim *s, double t_ms, struct err *err)
{
	struct course *c = self;
	double *w = NULL;
	size_t n = 0;
	int rc = kit_weights(s, "learn", &w, &n, err);

	if (rc || c->n == LOOKS)
		goto out;
	for (size_t k = 0; k < n; k++) {
		size_t cell = k % CELLS, input = k / CELLS;

		c->w[c->n][cell][input] = w[k];
		if (c->n >= LOOKS - LATE)
			c->late[cell][input] += w[k] / LATE;
	}
	c->t[c->n++] = t_ms / 1000;
out:
	mem_free(w);
	return rc;
}

static int at_start(void *self, struct sim *s, struct err *err)
{
	struct course *c = self;
	const struct spec *spec = sim_spec(s);

	c->sample = (struct kit_sample){ .every_ms = (double)spec->steps * spec->dt / LOOKS,
					 .self = c,
					 .at = look };
	return kit_sample_watch(&c->sample, s, err);
}

/* ---- what weights should come to ---- */

static double product(const double *a, const double *b, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static double length(const double *v, size_t n)
{
	return sqrt(product(v, v, n));
}

static double cosine(const double *a, const double *b, size_t n)
{
	return product(a, b, n) / (length(a, n) * length(b, n));
}

/* By powers of the matrix. */
static void principal(double c[INPUTS_MAX][INPUTS_MAX], size_t n, double *ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = 1;
	for (int k = 0; k < 2000; k++) {
		double next[INPUTS_MAX], norm;

		for (size_t i = 0; i < n; i++)
			next[i] = product(c[i], ret, n);
		norm = length(next, n);
		for (size_t i = 0; i < n; i++)
			ret[i] = next[i] / norm;
	}
}

/* Running rates at the updates from the rates given: they close up to these within tau. */
static void running(const struct drive *d, struct rng_key key, size_t update, double *x)
{
	size_t stretch = (size_t)((double)update * UPDATE_MS / d->stretch_ms);
	double to[INPUTS_MAX], way = -fmath_expm1(-UPDATE_MS / d->tau);

	d->rates(key, stretch, to);
	for (size_t i = 0; i < d->inputs; i++)
		x[i] += way * (to[i] / d->rate_0 - x[i]);
}

static void component(struct rates *s, uint64_t seed)
{
	const struct drive *d = &drives[MIXED];
	struct rng_key key = key_of("rate_rules drive", seed);
	double x[INPUTS_MAX] = { 0 }, c[INPUTS_MAX][INPUTS_MAX] = { { 0 } };

	for (size_t k = 0; (double)k * UPDATE_MS < s->ms; k++) {
		running(d, key, k, x);
		for (size_t i = 0; i < d->inputs; i++) {
			for (size_t j = 0; j < d->inputs; j++)
				c[i][j] += x[i] * x[j];
			c[i][i] += x[i] * 1e3 / (2 * d->tau * d->rate_0);
		}
	}
	principal(c, d->inputs, s->component);
}

static void choice(struct rates *s, uint64_t seed)
{
	const struct drive *d = &drives[TURNS];
	struct rng_key key = key_of("rate_rules drive", seed);
	double x[INPUTS_MAX] = { 0 }, square = 0, cube = 0, n = 0;

	for (size_t k = 0; (double)k * UPDATE_MS < s->ms; k++, n++) {
		running(d, key, k, x);
		square += x[0] * x[0];
		cube += x[0] * x[0] * x[0];
	}
	s->chosen = d->v_th * cube * n / (square * square);
}

/* ---- results ---- */

/* Of all cells, the one farthest from what it should be. */
struct worst {
	double cosine, length; /* Oja */
	double chosen, other;  /* BCM: over what it should be, over the chosen */
	double first;	       /* part of the cells that chose the input ahead */
};

static struct worst worst(const struct rates *x)
{
	struct worst ret = { 1, 1, 1, 0, 0 };
	const size_t n = drives[MIXED].inputs;

	for (size_t cell = 0; cell < CELLS; cell++) {
		const double *oja = x->course[OJA].late[cell];
		const double *bcm = x->course[BCM].late[cell];
		double l = length(oja, n), up = bcm[cell % 2] / x->chosen;
		double other = bcm[1 - cell % 2] / bcm[cell % 2];

		ret.cosine = fmin(ret.cosine, cosine(oja, x->component, n));
		ret.length = fabs(l - 1) > fabs(ret.length - 1) ? l : ret.length;
		ret.chosen = fabs(up - 1) > fabs(ret.chosen - 1) ? up : ret.chosen;
		ret.other = fmax(ret.other, other);
		ret.first += other < 1 ? 1.0 / CELLS : 0;
	}
	return ret;
}

/* Of a control, of W_MAX. */
static double least(const struct course *c)
{
	double ret = (double)INFINITY;

	for (size_t cell = 0; cell < CELLS; cell++)
		for (size_t i = 0; i < c->drive->inputs; i++)
			ret = fmin(ret, c->w[LOOKS - 1][cell][i] / W_MAX);
	return ret;
}

static int targets(struct experiment_ctx *c, const struct rates *x, struct err *err)
{
	static const double even[INPUTS_MAX] = { 1, 1, 1, 1, 1, 1 };
	const struct worst w = worst(x);
	const struct engine_target list[] = {
		{ "Oja: cosine with the principal component, least", "", w.cosine, 0.999,
		  (double)INFINITY },
		{ "Oja: length, farthest from 1", "", w.length, 0.99, 1.01 },
		{ "BCM: cells that choose the input ahead", "", w.first, 1, 1 },
		{ "BCM: chosen weight over its closed form, farthest from 1", "", w.chosen, 0.97,
		  1.03 },
		{ "BCM: other weight over the chosen one, most", "", w.other, 0, 0.02 },
		{ "control, equal weights: cosine with the component", "",
		  cosine(even, x->component, drives[MIXED].inputs), 0, 0.98 },
		{ "control, plain Hebb, mixed inputs: least weight", "w_max",
		  least(&x->course[PLAIN_MIXED]), 0.99, (double)INFINITY },
		{ "control, plain Hebb, inputs in turns: least weight", "w_max",
		  least(&x->course[PLAIN_TURNS]), 0.99, (double)INFINITY },
	};
	int rc = 0;

	engine_score(c, 1 - w.cosine);
	for (size_t i = 0; i < COUNTOF(list) && !rc; i++)
		rc = engine_target(c, &list[i], err);
	return rc;
}

static int component_table(struct experiment_ctx *c, const struct rates *x, struct err *err)
{
	const size_t n = drives[MIXED].inputs;
	double number[INPUTS_MAX], mean[INPUTS_MAX] = { 0 }, sd[INPUTS_MAX];

	for (size_t i = 0; i < n; i++) {
		double w[CELLS];

		for (size_t cell = 0; cell < CELLS; cell++)
			w[cell] = x->course[OJA].late[cell][i];
		number[i] = (double)(i + 1);
		mean[i] = kit_mean(w, CELLS);
		sd[i] = kit_sd(w, CELLS);
	}
	return kit_table(c, "component",
			 (const struct kit_column[]){ { "input", "", number },
						      { "weight", "", mean },
						      { "weight_sd", "", sd },
						      { "component", "", x->component } },
			 4, n, err);
}

enum { COLUMNS = 6 };

/* Cell by cell: Oja's angle and length, BCM's weights. */
static int course_table(struct experiment_ctx *c, const struct rates *x, struct err *err)
{
	double(*at)[CELLS * LOOKS] = mem_alloc(COLUMNS, sizeof(*at));
	const struct course *oja = &x->course[OJA], *bcm = &x->course[BCM];
	size_t row = 0, n = oja->drive->inputs;
	int rc;

	if (!at)
		return err_nomem(err);
	for (size_t cell = 0; cell < CELLS; cell++) {
		for (size_t k = 0; k < LOOKS; k++, row++) {
			at[0][row] = (double)(cell + 1);
			at[1][row] = oja->t[k];
			at[2][row] = cosine(oja->w[k][cell], x->component, n);
			at[3][row] = length(oja->w[k][cell], n);
			at[4][row] = bcm->w[k][cell][0];
			at[5][row] = bcm->w[k][cell][1];
		}
	}
	rc = kit_table(c, "courses",
		       (const struct kit_column[]){ { "cell", "", at[0] },
						    { "t", "s", at[1] },
						    { "cosine", "", at[2] },
						    { "length", "", at[3] },
						    { "first", "", at[4] },
						    { "second", "", at[5] } },
		       COLUMNS, row, err);
	mem_free(at);
	return rc;
}

/* ---- the run ---- */

static void prepare(struct rates *x, const json_t *p)
{
	static const int of[RULES] = { MIXED, TURNS, MIXED, TURNS };

	x->ms = DT * LOOKS * floor(kit_number(p, "duration_s") * 1000 / (DT * LOOKS) + 0.5);
	for (int r = 0; r < RULES; r++)
		x->course[r] = (struct course){
			.rule = (enum rule)r,
			.drive = &drives[of[r]],
			.eta = kit_number(p, of[r] == MIXED ? "eta_oja" : "eta_bcm"),
		};
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct rates *x = mem_alloc(1, sizeof(*x));
	struct kit_spec k;
	int rc;

	if (!x)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	prepare(x, p);
	build(x, &x->course[OJA], &k, 0);
	rc = kit_check(&k, prefix, limits, errors);
	kit_end(&k);
	mem_free(x);
	return rc;
}

static int simulate(struct experiment_ctx *c, struct rates *x, struct err *err)
{
	struct kit_spec k[RULES];
	struct engine_look looks[RULES];
	int rc;

	for (int r = 0; r < RULES; r++) {
		build(x, &x->course[r], &k[r], engine_seed(c));
		looks[r] = (struct engine_look){ .self = &x->course[r], .at_start = at_start };
	}
	rc = kit_simulate_many(c, k, looks, RULES, err);
	for (int r = 0; r < RULES; r++)
		kit_end(&k[r]);
	return rc;
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct rates *x = mem_alloc(1, sizeof(*x));
	int rc;

	if (!x)
		return err_nomem(err);
	prepare(x, engine_params(c));
	component(x, engine_seed(c));
	choice(x, engine_seed(c));
	rc = simulate(c, x, err);
	if (!rc)
		rc = component_table(c, x, err);
	if (!rc)
		rc = course_table(c, x, err);
	if (!rc)
		rc = targets(c, x, err);
	mem_free(x);
	return rc;
}

static const struct experiment_plot plots[] = {
	{ .table = "component",
	  .title = "Oja finds the principal component",
	  .text = "Weights of the second half, mean and standard deviation of the cells; the line "
		  "is the component.",
	  .x = "input",
	  .curve = { { .y = "weight", .points = true, .error = "weight_sd" },
		     { .y = "component" } } },
	{ .table = "courses",
	  .title = "Oja: to length 1",
	  .text = "Whatever a cell's weights were at first. A curve is a cell.",
	  .x = "t",
	  .by = "cell",
	  .curve = { { .y = "length" } } },
	{ .table = "courses",
	  .title = "Oja: and into line",
	  .text = "Cosine of the weights with the principal component.",
	  .x = "t",
	  .by = "cell",
	  .curve = { { .y = "cosine" } } },
	{ .table = "courses",
	  .title = "BCM chooses",
	  .text = "Each cell's weights of two inputs that take turns: one stays, one vanishes.",
	  .x = "t",
	  .by = "cell",
	  .curve = { { .y = "first" }, { .y = "second" } } },
};

const struct experiment experiment_rate_rules = {
	.name = "rate_rules",
	.title = "Hebb on rates: Oja and BCM",
	.doc = "Oja's rule brings weights to the first principal component of length one, BCM's "
	       "chooses one of two inputs; Hebb's plain rule does neither.",
	.cite = "10.1007/BF00275687",
	.score = { "misalignment", "", false,
		   "1 less the cosine of Oja's weights with the first principal component, of the "
		   "cell where it is largest; 0.001 is asked for." },
	.science = "{\"duration_s\": 500}",
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
