/* stdp_window - the window of a rule, measured: one synapse per dt, driven by pairs of spikes.
 *
 * One network of n spike generators on either side, wired one to one by the rule. dt is the
 * difference of times at the synapse: with the dendritic delay d, a post spike at
 * t_post arrives at t_post + d, so t_post = t_pre + dt - d. The weight is read at the end, when
 * every arrival is in; no further presynaptic spike is needed for that.
 *
 * Beside it stands the theory: for one pair the rule's closed window; for more, with pair STDP, the
 * founding formula evaluated event by event, with sums of exponentials over the spikes that the
 * pairing names, and no trace, table or code of the engine. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/engine.h"
#include "core/kit_pair.h"
#include "core/model/alias.h"
#include "core/spec_json.h"

enum { RULE, RULE_PARAMS, W_0, DT_MS, PAIRS, RATE_HZ, DELAY_MS, N_PARAMS };

enum { POINTS_MAX = 100000, SPIKES_MAX = 10000000 };

/* What happened this many time constants ago counts less than 2e-22. */
#define FAR 50.0

/* By when presynaptic spikes have acted on, under a rule that remembers them (calcium). */
#define TAIL_MS 1000.0

static const char *const default_rule[] = { "stdp_pair", NULL };

static const struct param_def params[N_PARAMS] = {
	[RULE] = { "rule", "Plasticity rule, by our name or another simulator's.", UNIT_NONE,
		   PARAM_STRING, 0, 0, 0, 0, default_rule },
	[RULE_PARAMS] = { "rule_params",
			  "Parameters of the rule; its own defaults stand for the rest.", UNIT_NONE,
			  PARAM_OBJECT },
	[W_0] = { "w_0",
		  "Weight before the pairs; the middle of the rule's bounds if not given, 0.5 "
		  "if it has none.",
		  UNIT_WEIGHT, PARAM_NUMBER, PARAM_INF, -PARAM_INF, PARAM_INF },
	[DT_MS] = { "dt_ms",
		    "Differences t_post - t_pre at the synapse; -100 to 100 by 1 if not given.",
		    UNIT_MS, PARAM_LIST, 0, -1e5, 1e5 },
	[PAIRS] = { "pairs", "Pairs of spikes per difference.", UNIT_NONE, PARAM_INTEGER, 1, 1,
		    1e5 },
	[RATE_HZ] = { "rate_hz", "Pairs per second; the period is rounded to the resolution.",
		      UNIT_HZ, PARAM_NUMBER, 1, 0, 1000, PARAM_OPEN_MIN },
	[DELAY_MS] = { "delay_ms", "Dendritic delay.", UNIT_MS, PARAM_NUMBER, 1, 0, 1000,
		       PARAM_OPEN_MIN },
};

struct window {
	const char *rule;
	const struct alias *alias;
	const struct plasticity_model *model;
	json_t *rule_params; /* borrowed */
	size_t n, pairs;
	double w_0, per_ms;  /* steps per ms: 10, 100, 1000 */
	double *dt_ms;	     /* [n] */
	int64_t *dt;	     /* [n] steps */
	double *dw, *theory; /* [n] */
	bool has_theory;
	int64_t delay, period, first; /* steps; first: the first presynaptic spike */
	int64_t end;
};

/* Parameters. */

static double get(const json_t *p, int i)
{
	return json_number_value(json_object_get(p, params[i].name));
}

static int find_rule(struct window *x, const json_t *p, struct err *err)
{
	x->rule = json_string_value(json_object_get(p, params[RULE].name));
	x->rule_params = json_object_get(p, params[RULE_PARAMS].name);
	x->alias = alias_find(x->rule);
	x->model = x->alias ? x->alias->model : plasticity_find(x->rule);
	if (!x->model)
		return err_set(err, ERR_UNKNOWN, "/params/rule",
			       "there is no plasticity rule \"%.60s\"", x->rule);
	return 0;
}

/* Values of a parameter table: what is given as a number or a choice, else the defaults. What is
 * wrong there is found when the network's spec is read. */
static void given(json_t *object, const struct param_def *defs, size_t n, double *ret)
{
	for (size_t i = 0; i < n; i++) {
		json_t *value = json_object_get(object, defs[i].name);
		const char *choice = json_string_value(value);

		ret[i] = defs[i].def;
		if (json_is_number(value))
			ret[i] = json_number_value(value);
		else if (choice && defs[i].choices && param_choice(&defs[i], choice) >= 0)
			ret[i] = param_choice(&defs[i], choice);
	}
}

/* The longest time constant: how long spikes of the past matter. */
static double longest_ms(const struct param_def *defs, size_t n, const double *p)
{
	double most = 0;

	for (size_t i = 0; i < n; i++)
		if (defs[i].unit == UNIT_MS && isfinite(p[i]) && p[i] > most)
			most = p[i];
	return most;
}

/* Our parameters of the rule; also how long to wait before the first pair: some of the aliases
 * pair with a virtual spike at time 0. */
static double lead_ms(const struct window *x, double *p)
{
	double from[PLASTICITY_PARAMS_MAX];

	if (!x->alias) {
		given(x->rule_params, x->model->params, x->model->n_params, p);
		return 1.0;
	}
	given(x->rule_params, x->alias->params, x->alias->n_params, from);
	x->alias->convert(from, p);
	return FAR * longest_ms(x->alias->params, x->alias->n_params, from) + 1.0;
}

static double start_weight(const struct window *x, const json_t *p, const double *rule)
{
	const json_t *given_w = json_object_get(p, params[W_0].name);
	double lo = 0, hi = PARAM_INF;

	if (json_is_number(given_w))
		return json_number_value(given_w);
	if (x->model->bounds)
		x->model->bounds(rule, &lo, &hi);
	return isfinite(lo) && isfinite(hi) ? lo + 0.5 * (hi - lo) : 0.5;
}

static bool on_grid(double ms, double per_ms)
{
	double steps = ms * per_ms;

	return fabs(steps - floor(steps + 0.5)) <= 1e-9 * (fabs(steps) + 1.0);
}

static int64_t to_steps(double ms, double per_ms)
{
	return (int64_t)floor(ms * per_ms + 0.5);
}

/* The coarsest resolution, 0.1 ms or finer, that has all dt and the delay on its grid. */
static int choose_grid(struct window *x, double delay_ms, struct err *err)
{
	for (x->per_ms = 10.0; x->per_ms <= 1000.0; x->per_ms *= 10.0) {
		bool fits = on_grid(delay_ms, x->per_ms);

		for (size_t i = 0; i < x->n && fits; i++)
			fits = on_grid(x->dt_ms[i], x->per_ms);
		if (fits)
			return 0;
	}
	return err_set(err, ERR_GRID,
		       on_grid(delay_ms, 1000.0) ? "/params/dt_ms" : "/params/delay_ms",
		       "times must be multiples of 0.001 ms");
}

static int read_dt(struct window *x, const json_t *p, struct err *err)
{
	const json_t *list = json_object_get(p, params[DT_MS].name);
	size_t listed = json_array_size(list);

	x->n = listed ? listed : 201;
	if (x->n > POINTS_MAX || x->n * x->pairs > SPIKES_MAX)
		return err_set(err, ERR_LIMIT, "/params/dt_ms",
			       "at most %d differences and %d pairs in all are possible, found %zu "
			       "times %zu",
			       POINTS_MAX, SPIKES_MAX, x->n, x->pairs);
	x->dt_ms = mem_alloc(x->n, sizeof(*x->dt_ms));
	x->dt = mem_alloc(x->n, sizeof(*x->dt));
	x->dw = mem_alloc(x->n, sizeof(*x->dw));
	x->theory = mem_alloc(x->n, sizeof(*x->theory));
	if (!x->dt_ms || !x->dt || !x->dw || !x->theory)
		return err_nomem(err);
	for (size_t i = 0; i < x->n; i++)
		x->dt_ms[i] =
			listed ? json_number_value(json_array_get(list, i)) : (double)i - 100.0;
	return 0;
}

static int read_all(struct window *x, const json_t *p, struct err *err)
{
	double rule[PLASTICITY_PARAMS_MAX], lead, most = 0;
	int rc = find_rule(x, p, err);

	if (rc)
		return rc;
	x->pairs = (size_t)get(p, PAIRS);
	rc = read_dt(x, p, err);
	if (!rc)
		rc = choose_grid(x, get(p, DELAY_MS), err);
	if (rc)
		return rc;
	for (size_t i = 0; i < x->n; i++) {
		x->dt[i] = to_steps(x->dt_ms[i], x->per_ms);
		/* A range adds up roundings; the table says what was simulated. */
		x->dt_ms[i] = (double)x->dt[i] / x->per_ms;
		most = fabs(x->dt_ms[i]) > most ? fabs(x->dt_ms[i]) : most;
	}
	lead = lead_ms(x, rule);
	x->w_0 = start_weight(x, p, rule);
	x->delay = to_steps(get(p, DELAY_MS), x->per_ms);
	x->period = to_steps(1000.0 / get(p, RATE_HZ), x->per_ms);
	x->first = to_steps(ceil(most + lead), x->per_ms) + x->delay;
	x->end = x->first + (int64_t)(x->pairs - 1) * x->period +
		 to_steps(ceil(most) + (x->model->memory ? TAIL_MS : 1.0), x->per_ms) + x->delay;
	return 0;
}

/* The network. */

/* n lists of spike times: pairs of them, `shift` steps after the presynaptic ones. */
static json_t *trains(const struct window *x, bool post)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < x->n; i++) {
		int64_t t = x->first + (post ? x->dt[i] - x->delay : 0);
		json_t *one = json_array();
		int rc = 0;

		for (size_t k = 0; one && !rc && k < x->pairs; k++) {
			json_t *ms = json_real((double)t / x->per_ms);

			rc = ms ? json_array_append_new(one, ms) : -1;
			t += x->period;
		}
		if (rc) {
			json_decref(one);
			one = NULL;
		}
		if (!one || json_array_append_new(all, one)) {
			json_decref(all);
			all = NULL;
		}
	}
	return all;
}

static json_t *network(const struct window *x, uint64_t seed)
{
	json_t *pre = trains(x, false), *post = trains(x, true);
	double delay_ms = (double)x->delay / x->per_ms;
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)seed);
	if (!pre || !post) {
		json_decref(pre);
		json_decref(post);
		return NULL;
	}
	return json_pack("{s:f, s:f, s:s, s:{s:{s:s, s:I, s:{s:o}}, s:{s:s, s:I, s:{s:o}}},"
			 " s:{s:{s:s, s:s, s:{s:s}, s:{s:s, s:f, s:f, s:O}}}}",
			 "resolution_ms", 1.0 / x->per_ms, "duration_ms",
			 (double)x->end / x->per_ms, "seed", digits, "populations", "pre", "model",
			 "spike_generator", "size", (json_int_t)x->n, "params", "spike_times", pre,
			 "post", "model", "spike_generator", "size", (json_int_t)x->n, "params",
			 "spike_times", post, "projections", "pair", "source", "pre", "target",
			 "post", "connect", "rule", "one_to_one", "synapse", "model", x->rule,
			 "weight", x->w_0, "delay_ms", delay_ms, "params", x->rule_params);
}

/* An error in the network's spec, said in terms of the parameters it was made from. */
static void translate(struct err *err)
{
	static const char *const map[][2] = {
		{ "/projections/pair/synapse/params", "/params/rule_params" },
		{ "/projections/pair/synapse/weight", "/params/w_0" },
		{ "/projections/pair/synapse/delay_ms", "/params/delay_ms" },
		{ "/projections/pair/synapse/model", "/params/rule" },
	};

	for (size_t i = 0; err && i < COUNTOF(map); i++) {
		size_t n = strlen(map[i][0]);
		char path[ERR_PATH_MAX];

		if (strncmp(err->path, map[i][0], n) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s%s", map[i][1], err->path + n);
		memcpy(err->path, path, sizeof(path));
		return;
	}
}

/* One error of the network's spec among those of a request. */
static void pass_on(const struct err *e, const char *prefix, struct err_list *errors)
{
	struct err err = *e;
	char path[ERR_PATH_MAX];

	translate(&err);
	(void)snprintf(path, sizeof(path), "%.90s%.100s", prefix,
		       strncmp(err.path, "/params", 7) == 0 ? err.path : "/params");
	(void)err_list_add(errors, (enum err_code)err.code, path, "%s", err.text);
}

static void forget(struct window *x)
{
	mem_free(x->dt_ms);
	mem_free(x->dt);
	mem_free(x->dw);
	mem_free(x->theory);
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct err_list found = { 0 };
	struct window x = { 0 };
	struct mem_arena arena;
	const struct spec *spec;
	struct err err = { 0 };
	json_t *json = NULL;
	int rc = read_all(&x, p, &err);

	mem_arena_init(&arena, 0);
	if (!rc) {
		json = network(&x, 0);
		rc = json ? spec_json_read(&spec, json, "", NULL, limits, &arena, &found)
			  : err_nomem(&err);
	}
	if (rc && err.code)
		pass_on(&err, prefix, errors);
	for (size_t i = 0; i < found.n; i++)
		pass_on(&found.items[i], prefix, errors);
	if (rc && !err.code && !found.n)
		(void)err_list_add(errors, ERR_NOMEM, "", "out of memory");
	json_decref(json);
	err_list_release(&found);
	mem_arena_release(&arena);
	forget(&x);
	return rc;
}

/* The theory of many pairs: two trains of one period, the second dt later. */
static double many_pairs(const struct window *x, const struct kit_pair *r, int64_t *pre,
			 int64_t *post, int64_t dt)
{
	const struct kit_trains t = { pre, post, x->pairs, x->pairs, x->per_ms };
	double before = fabs(x->w_0);

	for (size_t k = 0; k < x->pairs; k++) {
		pre[k] = x->first + (int64_t)k * x->period;
		post[k] = pre[k] + dt;
	}
	return kit_pair_follow(r, before, &t, NULL) - before;
}

/* The run. */

static int theory_of_many(struct window *x, const struct kit_pair *r, struct err *err)
{
	int64_t *pre = mem_alloc(x->pairs, sizeof(*pre)),
		*post = mem_alloc(x->pairs, sizeof(*post));
	int rc = pre && post ? 0 : err_nomem(err);

	for (size_t i = 0; i < x->n && !rc; i++)
		x->theory[i] = many_pairs(x, r, pre, post, x->dt[i]);
	mem_free(pre);
	mem_free(post);
	return rc;
}

static int theory(struct window *x, const double *p, struct err *err)
{
	bool pair = x->model == &plasticity_stdp_pair;
	int rc = 0;

	x->has_theory = x->pairs == 1 ? x->model->window != NULL : pair;
	if (x->has_theory && x->pairs > 1) {
		struct kit_pair r;

		kit_pair_read(&r, p);
		rc = theory_of_many(x, &r, err);
	}
	for (size_t i = 0; i < x->n && x->has_theory && !rc; i++) {
		if (x->pairs == 1)
			x->theory[i] = x->model->window(p, fabs(x->w_0), x->dt_ms[i]);
		if (x->w_0 < 0)
			x->theory[i] = -x->theory[i];
	}
	return rc;
}

static int at_end(void *self, const struct sim *s, struct err *err)
{
	struct window *x = self;
	int rc = sim_weights(s, 0, x->dw, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < x->n; i++)
		x->dw[i] -= x->w_0;
	return theory(x, sim_spec(s)->projections[0].params, err);
}

static int errors(struct experiment_ctx *c, const struct window *x, struct err *err)
{
	double worst = 0, largest = 0, relative;
	int rc;

	for (size_t i = 0; i < x->n; i++) {
		double e = fabs(x->dw[i] - x->theory[i]), size = fabs(x->theory[i]);

		worst = e > worst ? e : worst;
		largest = size > largest ? size : largest;
	}
	relative = largest > 0 ? worst / largest : worst;
	engine_score(c, relative);
	rc = engine_metric(c, "max_abs_error", worst, err);
	if (!rc)
		rc = engine_metric(c, "max_rel_error", relative, err);
	return rc ? rc
		  : engine_target(c,
				  &(struct engine_target){ "max_rel_error", "", relative, 0, 1e-9 },
				  err);
}

static int leave(struct experiment_ctx *c, const struct window *x, struct err *err)
{
	static const char *const names[] = { "dt_ms", "dw", "dw_theory" };
	static const char *const units[] = { "ms", "weight", "weight" };
	const double *const columns[] = { x->dt_ms, x->dw, x->theory };
	int rc = engine_table(c, "window", x->has_theory ? 3 : 2, names, units, columns, x->n, err);

	return rc || !x->has_theory ? rc : errors(c, x, err);
}

static int simulate(struct experiment_ctx *c, struct window *x, struct err *err)
{
	const struct engine_look look = { .self = x, .at_end = at_end };
	json_t *spec = network(x, engine_seed(c));
	int rc = spec ? engine_simulate(c, spec, &look, err) : err_nomem(err);

	json_decref(spec);
	if (rc)
		translate(err);
	return rc;
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct window x = { 0 };
	int rc = read_all(&x, engine_params(c), err);

	if (!rc)
		rc = simulate(c, &x, err);
	if (!rc)
		rc = leave(c, &x, err);
	forget(&x);
	return rc;
}

const struct experiment experiment_stdp_window = {
	.name = "stdp_window",
	.title = "The window of a plasticity rule",
	.doc = "Drives one synapse per time difference with pairs of spikes and tables the change "
	       "of "
	       "its weight beside the theory.",
	.cite = "10.1523/JNEUROSCI.18-24-10464.1998",
	.score = { "max_rel_error", "", false,
		   "The closed form of the rule, or the formula summed event by event: 0; relative "
		   "to "
		   "the largest change." },
	.science = "{\"pairs\": 60}",
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
