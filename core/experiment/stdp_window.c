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

#include "core/base/fmath.h"
#include "core/engine.h"
#include "core/model/alias.h"
#include "core/spec_json.h"

enum { RULE, RULE_PARAMS, W_0, DT_MS, PAIRS, RATE_HZ, DELAY_MS, N_PARAMS };

enum { POINTS_MAX = 100000, SPIKES_MAX = 10000000 };

/* Terms of the theory's sums beyond this many time constants are below 2e-22. */
#define FAR 50.0

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

/* Positions in pair STDP's parameters, for the theory of many pairs. */
struct pair_rule {
	double a_plus, a_minus, tau_plus, tau_minus, w_min, w_max, mu_plus, mu_minus, mu, w_0;
	bool power;
	int pairing; /* enum pairing */
};

enum pairing { ALL_TO_ALL, NEAREST_SYMMETRIC, NEAREST_PRE_CENTERED, NEAREST_REDUCED, NO_PAIRING };

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
		 to_steps(ceil(most) + 1.0, x->per_ms) + x->delay;
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

/* The theory of many pairs. */

static double named(const double *p, const char *name)
{
	const struct plasticity_model *m = &plasticity_stdp_pair;

	return p[param_find(m->params, m->n_params, name)];
}

static const char *choice(const double *p, const char *name)
{
	const struct plasticity_model *m = &plasticity_stdp_pair;
	int i = param_find(m->params, m->n_params, name);

	return m->params[i].choices[(size_t)p[i]];
}

static void pair_rule(const double *p, struct pair_rule *ret)
{
	static const char *const names[] = { "all_to_all", "nearest_symmetric",
					     "nearest_pre_centered", "nearest_reduced_symmetric" };
	int k = 0;

	while (k < NO_PAIRING && strcmp(names[k], choice(p, "pairing")) != 0)
		k++;
	*ret = (struct pair_rule){
		.a_plus = named(p, "A_plus"),
		.a_minus = named(p, "A_minus"),
		.tau_plus = named(p, "tau_plus"),
		.tau_minus = named(p, "tau_minus"),
		.w_min = named(p, "w_min"),
		.w_max = named(p, "w_max"),
		.mu_plus = named(p, "mu_plus"),
		.mu_minus = named(p, "mu_minus"),
		.mu = named(p, "mu"),
		.w_0 = named(p, "w_0"),
		.power = strcmp(choice(p, "weight_dependence"), "power") == 0,
		.pairing = k,
	};
}

/* One change: scaled by the weight it meets, then the bounds. */
static double changed(const struct pair_rule *r, double w, double amount)
{
	double range = r->w_max - r->w_min;

	if (amount == 0)
		return w;
	if (r->power)
		amount *= amount > 0 ? fmath_pow(r->w_0, 1 - r->mu) * fmath_pow(w, r->mu) : w;
	else if (amount > 0 && r->mu_plus != 0)
		amount *= fmath_pow((r->w_max - w) / range, r->mu_plus);
	else if (amount < 0 && r->mu_minus != 0)
		amount *= fmath_pow((w - r->w_min) / range, r->mu_minus);
	w += amount;
	w = w > r->w_max ? r->w_max : w;
	return w < r->w_min ? r->w_min : w;
}

/* Two trains of one period, the second `dt` later; how far each has come. */
struct trains {
	int64_t dt, period; /* steps */
	double per_ms;
	size_t n_pre, n_post; /* arrivals so far */
	size_t used;  /* presynaptic spikes that no later post may pair with (pre-centred) */
	bool between; /* a post arrived since the last pre */
};

/* From a presynaptic spike to a post arrival, steps. */
static int64_t since(const struct trains *s, size_t pre, size_t post)
{
	return s->dt + ((int64_t)post - (int64_t)pre) * s->period;
}

/* Sum over the presynaptic spikes that the post arrival number n_post pairs with. */
static double sum_pre(const struct pair_rule *r, const struct trains *s)
{
	bool nearest = r->pairing == NEAREST_SYMMETRIC || r->pairing == NEAREST_REDUCED;
	size_t oldest = r->pairing == NEAREST_PRE_CENTERED ? s->used : 0;
	double sum = 0;

	if (s->n_pre == 0 || (r->pairing == NEAREST_REDUCED && s->between))
		return 0;
	if (nearest)
		oldest = s->n_pre - 1;
	for (size_t i = s->n_pre; i > oldest; i--) {
		double x = (double)since(s, i - 1, s->n_post) / s->per_ms / r->tau_plus;

		if (x > FAR)
			break;
		sum += fmath_exp(-x);
	}
	return sum;
}

/* Sum over the post arrivals, strictly earlier, that the presynaptic spike number n_pre pairs with. */
static double sum_post(const struct pair_rule *r, const struct trains *s)
{
	size_t n = s->n_post;
	double sum = 0;

	while (n > 0 && since(s, s->n_pre, n - 1) == 0)
		n--;
	if (r->pairing == NEAREST_REDUCED && !s->between)
		return 0;
	for (size_t i = n; i > 0; i--) {
		double x = -(double)since(s, s->n_pre, i - 1) / s->per_ms / r->tau_minus;

		if (x > FAR)
			break;
		sum += fmath_exp(-x);
		if (r->pairing != ALL_TO_ALL)
			break;
	}
	return sum;
}

static double many_pairs(const struct window *x, const struct pair_rule *r, int64_t dt)
{
	struct trains s = { .dt = dt, .period = x->period, .per_ms = x->per_ms };
	double w = fabs(x->w_0), before = w;

	while (s.n_pre < x->pairs || s.n_post < x->pairs) {
		bool post = s.n_pre == x->pairs ||
			    (s.n_post < x->pairs && since(&s, s.n_pre, s.n_post) <= 0);

		if (post) {
			w = changed(r, w, r->a_plus * sum_pre(r, &s));
			s.n_post++;
			s.used = s.n_pre;
		} else {
			w = changed(r, w, r->a_minus * sum_post(r, &s));
			s.n_pre++;
		}
		s.between = post;
	}
	return w - before;
}

/* The run. */

static void theory(struct window *x, const double *p)
{
	double sign = x->w_0 < 0 ? -1.0 : 1.0;
	struct pair_rule rule = { .pairing = NO_PAIRING };

	if (x->model == &plasticity_stdp_pair)
		pair_rule(p, &rule);
	x->has_theory = x->pairs == 1 ? x->model->window != NULL : rule.pairing != NO_PAIRING;
	for (size_t i = 0; i < x->n && x->has_theory; i++)
		x->theory[i] =
			sign * (x->pairs == 1 ? x->model->window(p, fabs(x->w_0), x->dt_ms[i])
					      : many_pairs(x, &rule, x->dt[i]));
}

static int at_end(void *self, const struct sim *s, struct err *err)
{
	struct window *x = self;
	int rc = sim_weights(s, 0, x->dw, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < x->n; i++)
		x->dw[i] -= x->w_0;
	theory(x, sim_spec(s)->projections[0].params);
	return 0;
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
