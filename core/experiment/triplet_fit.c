/* triplet_fit - the triplet rule against measurements that pairs cannot explain.
 *
 * A rule (by default a named set of the triplet rule) meets the protocols of Sjoestroem (2001) or
 * Wang (2005) in the engine, spike by spike; E is the mean squared distance of its predictions from
 * the data in standard errors. With `refit` its parameters are then fitted anew, on a closed
 * evaluation of the rule (below), which is checked against the engine. The control is the best pair
 * rule there is: pairs alone cannot give potentiation at dt = -10 ms and 40 Hz. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fmath.h"
#include "core/kit_fit.h"
#include "core/kit_measured.h"

enum { DATA, RULE, SET, RULE_PARAMS, REFIT, ALL_SETS, N_PARAMS };
enum { VISUAL, HIPPOCAMPUS };

static const char *const data_names[] = { "visual_cortex", "hippocampus", NULL };
static const char *const default_rule[] = { "stdp_triplet", NULL };

static const struct param_def params[N_PARAMS] = {
	[DATA] = { "data",
		   "Measurements: pairs by frequency (Sjoestroem 2001), or pairs, triplets and "
		   "quadruplets (Wang 2005).",
		   UNIT_NONE, PARAM_ENUM, VISUAL, 0, 1, 0, data_names },
	[RULE] = { PROTOCOL_RULE, "Plasticity rule; only the triplet rule is fitted anew.",
		   UNIT_NONE, PARAM_STRING, 0, 0, 0, 0, default_rule },
	[SET] = { PROTOCOL_SET,
		  "Named set of the rule's parameters; of the triplet rule the full all-to-all set "
		  "of the data, if not given.",
		  UNIT_NONE, PARAM_STRING },
	[RULE_PARAMS] = { PROTOCOL_RULE_PARAMS, "Parameters that differ from the set's.", UNIT_NONE,
			  PARAM_OBJECT },
	[REFIT] = { "refit", "Fit the triplet rule's parameters anew, those that are not 0.",
		    UNIT_NONE, PARAM_BOOL, 1, 0, 1 },
	[ALL_SETS] = { "all_sets",
		       "Also hold the predictions of the rule's eight named sets against those of "
		       "an independent implementation.",
		       UNIT_NONE, PARAM_BOOL, 0, 0, 1 },
};

/* The triplet rule in closed form. */

enum { A2_PLUS, A3_PLUS, A2_MINUS, A3_MINUS, TAU_PLUS, TAU_MINUS, TAU_X, TAU_Y, N_VALUES };

static const char *const value_names[N_VALUES] = { "A2_plus",  "A3_plus",   "A2_minus", "A3_minus",
						   "tau_plus", "tau_minus", "tau_x",	"tau_y" };

struct triplet {
	double p[N_VALUES];
	bool nearest;
};

enum { R1, O1, R2, O2, N_TRACES };

/* What happens in a cycle, in order of time, and how the traces decay until it does. */
struct event {
	double t, decay[N_TRACES];
	bool post;
};

static size_t events(const struct kit_protocol_cycle *c, const struct triplet *r, struct event *ret)
{
	static const int tau[N_TRACES] = { TAU_PLUS, TAU_MINUS, TAU_X, TAU_Y };
	size_t n = c->n_pre + c->n_post, i = 0, j = 0;

	for (size_t k = 0; k < n; k++) {
		bool post = j < c->n_post && (i == c->n_pre || c->post[j] <= c->pre[i]);

		ret[k].post = post;
		ret[k].t = post ? c->post[j++] : c->pre[i++];
	}
	for (size_t k = 0; k < n; k++) {
		double since = ret[k].t - (k ? ret[k - 1].t : ret[n - 1].t - c->period_ms);

		for (int m = 0; m < N_TRACES; m++)
			ret[k].decay[m] = fmath_exp(-since / r->p[tau[m]]);
	}
	return n;
}

/* Change by a protocol: the four traces from spike to spike, no bounds. No two spikes coincide in
 * these protocols. */
static double change(const struct kit_protocol_cycle *c, const struct triplet *r)
{
	struct event e[2 * PROTOCOL_CYCLE_MAX];
	size_t n = events(c, r, e);
	double x[N_TRACES] = { 0 }, dw = 0;

	for (size_t i = 0; i < MEASURED_REPEATS * n; i++) {
		const struct event *now = &e[i % n];
		int fast = now->post ? O1 : R1, slow = now->post ? O2 : R2;

		for (int m = 0; m < N_TRACES; m++)
			x[m] *= now->decay[m];
		if (now->post)
			dw += x[R1] * (r->p[A2_PLUS] + r->p[A3_PLUS] * x[O2]);
		else
			dw -= x[O1] * (r->p[A2_MINUS] + r->p[A3_MINUS] * x[R2]);
		x[fast] = r->nearest ? 1 : x[fast] + 1;
		x[slow] = r->nearest ? 1 : x[slow] + 1;
	}
	return dw;
}

/* The data. */

struct fit {
	const struct kit_measured *data;
	size_t n;
	struct triplet start, now;
	int value[N_VALUES]; /* [n_free]: which of the values are free */
	size_t n_free;
};

static double distance(const struct fit *f, const double *dw)
{
	double sum = 0;

	for (size_t i = 0; i < f->n; i++) {
		double e = (f->data[i].dw - dw[i]) / f->data[i].sem;

		sum += e * e;
	}
	return sum / (double)f->n;
}

static double closed(const struct fit *f, const struct triplet *r, double *dw)
{
	for (size_t i = 0; i < f->n; i++)
		dw[i] = change(&f->data[i].cycle, r);
	return distance(f, dw);
}

/* Fitting anew. Everything free keeps its sign: the simplex moves in logarithms. What falls below a
 * millionth of what matters is 0. */
#define NEGLIGIBLE 1e-9
#define TAU_MIN	   1.0 /* ms */
#define TAU_MAX	   1e4

static double objective(void *self, const double *x)
{
	struct fit *f = self;
	double dw[MEASURED_MAX];

	for (size_t i = 0; i < f->n_free; i++) {
		double *p = &f->now.p[f->value[i]];

		*p = f->start.p[f->value[i]] * fmath_exp(x[i]);
		if (f->value[i] >= TAU_PLUS && !(*p >= TAU_MIN && *p <= TAU_MAX))
			return HUGE_VAL;
		if (fabs(*p) < NEGLIGIBLE)
			*p = 0;
	}
	return closed(f, &f->now, dw);
}

enum { EVALUATIONS = 6000, FEW_EVALUATIONS = 500 };

static double refit(struct fit *f, size_t evaluations)
{
	double x[N_VALUES] = { 0 }, step[N_VALUES], e;

	for (size_t i = 0; i < f->n_free; i++)
		step[i] = 0.3;
	f->now = f->start;
	e = kit_fit_simplex(objective, f, f->n_free, x, step, evaluations);
	(void)objective(f, x);
	return e;
}

/* What is not 0, and does something, may move; tau_plus and tau_minus are measured otherwise. */
static void free_triplet(struct fit *f)
{
	f->n_free = 0;
	for (int i = 0; i < N_VALUES; i++) {
		bool moves = f->start.p[i] > 0 && i != TAU_PLUS && i != TAU_MINUS;

		if (i == TAU_X)
			moves = f->start.p[A3_MINUS] > 0;
		if (i == TAU_Y)
			moves = f->start.p[A3_PLUS] > 0;
		if (moves)
			f->value[f->n_free++] = i;
	}
}

/* The best pair rule, both signs of both amplitudes tried, from several time constants. */
static void best_pair(struct fit *f)
{
	static const double taus[] = { 10, 60 };
	static const int value[] = { A2_PLUS, A2_MINUS, TAU_PLUS, TAU_MINUS };
	double best = HUGE_VAL;
	struct triplet found = { .p = { 0 } };

	f->n_free = COUNTOF(value);
	memcpy(f->value, value, sizeof(value));
	for (size_t i = 0; i < 16; i++) {
		double e;

		f->start = (struct triplet){ .p = { i & 1 ? -5e-3 : 5e-3, 0, i & 2 ? -5e-3 : 5e-3,
						    0, taus[i / 4 % 2], taus[i / 8], 100, 100 } };
		e = refit(f, FEW_EVALUATIONS);
		if (e < best) {
			best = e;
			found = f->now;
		}
	}
	f->start = found;
	(void)refit(f, EVALUATIONS);
}

/* The run. */

enum { MODEL, REFITTED, PAIR, N_CURVES };

struct work {
	struct fit fit;
	struct mem_arena arena;
	struct kit_protocol *protocols; /* [fit.n] */
	double dw[N_CURVES][MEASURED_MAX], e[N_CURVES];
	bool is_triplet, refit;
};

static int simulate(struct experiment_ctx *c, struct work *w, int curve,
		    const struct kit_protocol_rule *rule, double *ret_params, struct err *err)
{
	int rc = kit_protocol_run(c, w->protocols, w->fit.n, rule, w->dw[curve], ret_params, err);

	w->e[curve] = rc ? 0 : distance(&w->fit, w->dw[curve]);
	return rc;
}

static int use_data(struct work *w, bool visual, struct err *err)
{
	int rc = 0;

	w->fit.data = visual ? kit_measured_visual : kit_measured_hippocampus;
	w->fit.n = visual ? MEASURED_VISUAL : MEASURED_HIPPOCAMPUS;
	w->protocols = NEW(&w->arena, struct kit_protocol, w->fit.n);
	if (!w->protocols)
		return err_nomem(err);
	for (size_t i = 0; i < w->fit.n && !rc; i++)
		rc = kit_protocol_repeat(&w->protocols[i], &w->fit.data[i].cycle, MEASURED_REPEATS,
					 &w->arena, err);
	return rc;
}

static int read_all(struct experiment_ctx *c, struct work *w, struct kit_protocol_rule *rule,
		    struct err *err)
{
	const json_t *p = engine_params(c);
	bool visual = strcmp(kit_text(p, params[DATA].name), data_names[VISUAL]) == 0;

	kit_protocol_rule_read(rule, p, 1);
	w->is_triplet = strcmp(rule->model, "stdp_triplet") == 0;
	if (w->is_triplet && !rule->set[0])
		rule->set =
			visual ? "visual_cortex_all_to_all_full" : "hippocampus_all_to_all_full";
	w->refit = kit_true(p, params[REFIT].name) && w->is_triplet;
	return use_data(w, visual, err);
}

static double value_of(const double *p, const char *name)
{
	const struct plasticity_model *m = &plasticity_stdp_triplet;

	return p[param_find(m->params, m->n_params, name)];
}

/* The engine's rule in our terms, and how far the closed evaluation is from it. */
static int cross_check(struct experiment_ctx *c, struct work *w, const double *p, struct err *err)
{
	double dw[MEASURED_MAX], worst = 0;

	for (int i = 0; i < N_VALUES; i++)
		w->fit.start.p[i] = value_of(p, value_names[i]);
	w->fit.start.nearest = value_of(p, "pairing") != 0;
	(void)closed(&w->fit, &w->fit.start, dw);
	for (size_t i = 0; i < w->fit.n; i++)
		worst = fmax(worst, fabs(dw[i] - w->dw[MODEL][i]));
	return engine_target(c, &(struct engine_target){ "closed_difference", "", worst, 0, 1e-12 },
			     err);
}

/* Numbers by name, as a rule's parameters. */
static json_t *values(const char *const *names, const double *x, size_t n)
{
	json_t *o = json_object();

	for (size_t i = 0; o && i < n; i++)
		if (json_object_set_new(o, names[i], json_real(x[i]))) {
			json_decref(o);
			return NULL;
		}
	return o;
}

static int simulate_values(struct experiment_ctx *c, struct work *w, int curve, json_t *rule_params,
			   struct err *err)
{
	const struct kit_protocol_rule rule = {
		.model = curve == PAIR ? "stdp_pair" : "stdp_triplet",
		.params = rule_params,
		.w_0 = 1,
	};
	int rc = rule_params ? simulate(c, w, curve, &rule, NULL, err) : err_nomem(err);

	json_decref(rule_params);
	return rc;
}

static int metrics(struct experiment_ctx *c, const char *prefix, const char *const *names,
		   const double *x, size_t n, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%s_%s", prefix, names[i]);
		rc = engine_metric(c, name, x[i], err);
	}
	return rc;
}

static int run_refit(struct experiment_ctx *c, struct work *w, struct err *err)
{
	json_t *p;
	int rc;

	free_triplet(&w->fit);
	(void)refit(&w->fit, EVALUATIONS);
	p = values(value_names, w->fit.now.p, N_VALUES);
	if (p && w->fit.now.nearest && json_object_set_new(p, "pairing", json_string("nearest"))) {
		json_decref(p);
		p = NULL;
	}
	rc = simulate_values(c, w, REFITTED, p, err);
	for (size_t i = 0; i < w->fit.n_free && !rc; i++) {
		double x = w->fit.now.p[w->fit.value[i]];

		if (w->fit.value[i] >= TAU_PLUS && (x < 1.01 * TAU_MIN || x > 0.99 * TAU_MAX))
			rc = engine_remark(c, err,
					   "The data do not determine %s: the fit goes to %g ms, "
					   "the bound.",
					   value_names[w->fit.value[i]], x);
	}
	if (!rc)
		rc = metrics(c, "refit", value_names, w->fit.now.p, N_VALUES, err);
	return rc ? rc : engine_metric(c, "E_refit", w->e[REFITTED], err);
}

static int run_pair(struct experiment_ctx *c, struct work *w, struct err *err)
{
	static const char *const names[] = { "A_plus", "A_minus", "tau_plus", "tau_minus" };
	double x[COUNTOF(names)];
	int rc;

	best_pair(&w->fit);
	x[0] = w->fit.now.p[A2_PLUS];
	x[1] = -w->fit.now.p[A2_MINUS];
	x[2] = w->fit.now.p[TAU_PLUS];
	x[3] = w->fit.now.p[TAU_MINUS];
	rc = simulate_values(c, w, PAIR, values(names, x, COUNTOF(x)), err);
	if (!rc)
		rc = metrics(c, "pair", names, x, COUNTOF(x), err);
	return rc ? rc : engine_metric(c, "E_pair", w->e[PAIR], err);
}

static int leave(struct experiment_ctx *c, const struct work *w, struct err *err)
{
	double x[6][MEASURED_MAX];
	const struct kit_column columns[] = {
		{ "protocol", "", x[0] },    { "rate_hz", "Hz", x[1] },
		{ "dt_ms", "ms", x[2] },     { "data", "", x[3] },
		{ "sem", "", x[4] },	     { "model", "", w->dw[MODEL] },
		{ "pair", "", w->dw[PAIR] }, { "refit", "", x[5] },
	};

	for (size_t i = 0; i < w->fit.n; i++) {
		const struct kit_measured *m = &w->fit.data[i];
		bool pair = m->cycle.n_pre == 1 && m->cycle.n_post == 1;

		x[0][i] = (double)i + 1;
		x[1][i] = 1000 / m->cycle.period_ms;
		x[2][i] = pair ? m->cycle.post[0] - m->cycle.pre[0] : HUGE_VAL;
		x[3][i] = m->dw;
		x[4][i] = m->sem;
		x[5][i] = w->refit ? w->dw[REFITTED][i] : HUGE_VAL;
	}
	return kit_table(c, "protocols", columns, COUNTOF(columns), w->fit.n, err);
}

/* The named sets: each on its data. */
static int run_sets(struct experiment_ctx *c, struct work *w, struct err *err)
{
	for (size_t i = 0; i < MEASURED_PREDICTIONS; i++) {
		const struct kit_measured_prediction *p = &kit_measured_predictions[i];
		const struct kit_protocol_rule rule = { .model = "stdp_triplet",
							.set = p->set,
							.w_0 = 1 };
		double worst = 0;
		char name[80];
		int rc = use_data(w, p->visual, err);

		if (!rc)
			rc = simulate(c, w, MODEL, &rule, NULL, err);
		for (size_t k = 0; k < w->fit.n && !rc; k++)
			worst = fmax(worst, fabs(w->dw[MODEL][k] - p->dw[k]));
		(void)snprintf(name, sizeof(name), "E %s", p->set);
		if (!rc)
			rc = engine_target(c,
					   &(struct engine_target){ name, "", w->e[MODEL],
								    p->e - 0.02, p->e + 0.02 },
					   err);
		(void)snprintf(name, sizeof(name), "error %s", p->set);
		if (!rc)
			rc = engine_target(c, &(struct engine_target){ name, "", worst, 0, 0.002 },
					   err);
		if (rc)
			return rc;
	}
	return 0;
}

/* The control: pairs alone must be clearly worse than triplets. */
static int compare(struct experiment_ctx *c, const struct work *w, struct err *err)
{
	engine_score(c, w->e[MODEL]);
	if (!w->is_triplet)
		return 0;
	return engine_target(c,
			     &(struct engine_target){ "E_pair / E", "", w->e[PAIR] / w->e[MODEL],
						      1.5, HUGE_VAL },
			     err);
}

static int run_all(struct experiment_ctx *c, struct work *w, struct err *err)
{
	double p[PLASTICITY_PARAMS_MAX] = { 0 };
	struct kit_protocol_rule rule;
	int rc = read_all(c, w, &rule, err);

	if (!rc)
		rc = simulate(c, w, MODEL, &rule, p, err);
	if (!rc)
		rc = engine_metric(c, "E", w->e[MODEL], err);
	if (!rc && w->is_triplet)
		rc = cross_check(c, w, p, err);
	if (!rc && w->refit)
		rc = run_refit(c, w, err);
	if (!rc)
		rc = run_pair(c, w, err);
	if (!rc)
		rc = compare(c, w, err);
	if (!rc)
		rc = leave(c, w, err);
	return rc || !kit_true(engine_params(c), params[ALL_SETS].name) ? rc : run_sets(c, w, err);
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct work w = { 0 };
	int rc;

	mem_arena_init(&w.arena, 0);
	rc = run_all(c, &w, err);
	mem_arena_release(&w.arena);
	return rc;
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct kit_protocol_rule rule;

	kit_protocol_rule_read(&rule, p, 1);
	return kit_protocol_check(&rule, prefix, limits, errors);
}

static const struct experiment_plot plots[] = {
	{ .table = "protocols",
	  .title = "Measured and predicted",
	  .text = "Visual cortex: dt = +10 and -10 ms in turn, at 0.1, 10, 20, 40, 50 Hz; the best "
		  "pair rule misses the last two at -10 ms. Hippocampus: two pairs, four "
		  "pre-post-pre, four post-pre-post triplets, three quadruplets.",
	  .x = "protocol",
	  .curve = { { .y = "data", .points = true, .error = "sem" },
		     { .y = "model", .points = true },
		     { .y = "refit", .points = true },
		     { .y = "pair", .label = "best pair rule", .points = true } } },
};

const struct experiment experiment_triplet_fit = {
	.name = "triplet_fit",
	.title = "Triplets against measurements",
	.doc = "Predicts measured changes by frequency, triplets and quadruplets of spikes, fits "
	       "the triplet rule to them, and compares it with the best pair rule.",
	.cite = "10.1523/JNEUROSCI.1425-06.2006",
	.score = { "E", "sem^2", false,
		   "Pfister & Gerstner (2006), all-to-all full model: 0.33 in visual cortex, 2.9 "
		   "in "
		   "hippocampus." },
	.science = "{\"all_sets\": true}",
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
