/* calcium_curve - what pairs of spikes do to synapses of the calcium rule, beside the closed form.
 *
 * One side is kit_calcium.h, the other the rule in the engine: synapses of one pair of neurons that
 * differ in noise only, twice, without the cubic term, as the closed form has it, and whole. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fmath.h"
#include "core/base/rng.h"
#include "core/kit.h"
#include "core/kit_calcium.h"

enum { SET, DT_MS, PAIRS, RATE_HZ, SYNAPSES, RATES_HZ, N_PARAMS };

enum { POINTS_MAX = 2000, EVENTS_MAX = 1000000000, RATES_MAX = 100 };

/* Dendritic delay: postsynaptic spikes leave so much earlier. One slice of the engine. */
#define DELAY_MS 10.0
/* Calcium has fallen below all thresholds so long after the last spike. */
#define REST_MS 1000.0

static const struct param_def params[N_PARAMS] = {
	[SET] = { "set", "Set of the rule's parameters, or all sets.", UNIT_NONE, PARAM_ENUM, 0, 0,
		  0, 0, kit_calcium_sets },
	[DT_MS] = { "dt_ms",
		    "Differences t_post - t_pre at the synapse; -100 to 100 by 5 if not given.",
		    UNIT_MS, PARAM_LIST, 0, -1000, 1000 },
	[PAIRS] = { "pairs", "Pairs of spikes per difference.", UNIT_NONE, PARAM_INTEGER, 60, 1,
		    1e4 },
	[RATE_HZ] = { "rate_hz", "Pairs per second.", UNIT_HZ, PARAM_NUMBER, 1, 0.01, 100 },
	[SYNAPSES] = { "synapses", "Synapses per point that start down, and as many that start up.",
		       UNIT_NONE, PARAM_INTEGER, 300, 1, 1e5 },
	[RATES_HZ] = { "rates_hz",
		       "Frequencies of " KIT_CALCIUM_RATE_SET
		       ", 75 pairs of 10 ms; 0.1 to 50 if not given.",
		       UNIT_HZ, PARAM_LIST, 0, 0.01, 100 },
};

enum { LINEAR, WHOLE, N_KINDS };

/* One protocol, with its simulations. */
struct point {
	struct kit_calcium_pairs pairs;
	struct kit_calcium_flips theory;
	struct kit_calcium_flips seen[N_KINDS];
};

/* One simulation. */
struct trial {
	struct point *point;
	struct kit_calcium_flips *ret;
	bool whole, off;
};

struct curves {
	struct mem_arena arena;
	size_t n, n_curve; /* all points; those of the curve, before those by frequency */
	size_t synapses;
	struct point *point;	      /* [n] */
	struct kit_calcium_flips off; /* of the control */
};

/* ---- the simulations ---------------------------------------------------------------------- */

/* Steps of 1 ms where all times are on that grid, else of 0.1 ms, to which they are rounded. */
static double grid_ms(const struct kit_calcium_pairs *p)
{
	double period = 1000 / p->rate_hz;

	return p->dt_ms == floor(p->dt_ms) && period == floor(period) ? 1 : 0.1;
}

static json_t *train(const struct kit_calcium_pairs *p, double from_ms, double grid)
{
	json_t *times = json_array();

	for (size_t i = 0; times && i < p->pairs; i++) {
		double ms = from_ms + (double)i * 1000 / p->rate_hz;
		json_t *one = json_real(floor(ms / grid + 0.5) * grid);

		if (json_array_append_new(times, one)) {
			json_decref(times);
			return NULL;
		}
	}
	return json_pack("{s:[o]}", "spike_times", times);
}

static json_t *synapse(const struct trial *t, double weight)
{
	return json_pack("{s:s, s:s, s:f, s:f, s:{s:b}}", "model", "stdp_calcium", "set",
			 kit_calcium_sets[t->point->pairs.set], "weight", weight, "delay_ms",
			 DELAY_MS, "params", "bistable", t->whole);
}

static json_t *many(size_t n)
{
	return json_pack("{s:s, s:I, s:b}", "rule", "fixed_indegree", "indegree", (json_int_t)n,
			 "multapses", 1);
}

static void build(struct kit_spec *k, const struct trial *t, size_t synapses, uint64_t seed)
{
	const struct kit_calcium_pairs *p = &t->point->pairs;
	double grid = grid_ms(p), period = 1000 / p->rate_hz;
	double first = ceil(fabs(p->dt_ms)) + DELAY_MS + 1;
	double end = first + (double)p->pairs * period + fabs(p->dt_ms) + REST_MS;

	kit_begin(k, grid, ceil(end), seed);
	kit_population(k, "pre", "spike_generator", 1, train(p, first, grid));
	kit_population(k, "post", "spike_generator", 1,
		       train(p, first + p->dt_ms - DELAY_MS, grid));
	kit_projection(k, "down", "pre", "post", many(synapses), synapse(t, 0));
	kit_projection(k, "up", "pre", "post", many(synapses), synapse(t, 1));
	if (t->off)
		kit_set(k, NULL, NULL, "schedule",
			json_pack("[{s:f, s:{s:s, s:b}}, {s:f, s:{s:s, s:b}}]", "at_ms", 0.0,
				  "plasticity", "projection", "down", "on", 0, "at_ms", 0.0,
				  "plasticity", "projection", "up", "on", 0));
}

/* Part of a projection's synapses that are up: in the end rho goes to 1 from above rho_star. */
static int part_up(const struct sim *s, const char *projection, double rho_star, double *ret,
		   struct err *err)
{
	double *w = NULL;
	size_t n = 0;
	int rc = kit_weights(s, projection, &w, &n, err);

	if (!rc)
		*ret = kit_part(w, n, rho_star, PARAM_INF);
	mem_free(w);
	return rc;
}

static int at_end(void *self, const struct sim *s, struct err *err)
{
	const struct trial *t = self;
	double rho_star = kit_calcium_rho_star(t->point->pairs.set), up = 0;
	int rc;

	rc = part_up(s, "down", rho_star, &t->ret->up, err);
	if (!rc)
		rc = part_up(s, "up", rho_star, &up, err);
	t->ret->down = 1 - up;
	return rc;
}

static double change(const struct point *p, struct kit_calcium_flips f)
{
	return kit_calcium_change(p->pairs.set, f);
}

/* Both kinds of all points, and the control: the point that changes most, plasticity off. */
static void list_trials(struct curves *x, struct trial *t)
{
	struct point *most = &x->point[0];

	for (size_t i = 0; i < x->n; i++) {
		struct point *p = &x->point[i];

		for (size_t k = 0; k < N_KINDS; k++)
			t[N_KINDS * i + k] = (struct trial){ p, &p->seen[k], .whole = k == WHOLE };
		if (fabs(change(p, p->theory) - 1) > fabs(change(most, most->theory) - 1))
			most = p;
	}
	t[N_KINDS * x->n] = (struct trial){ most, &x->off, .off = true };
}

static int simulate(struct experiment_ctx *c, struct curves *x, struct err *err)
{
	size_t n = N_KINDS * x->n + 1;
	struct trial *t = NEW(&x->arena, struct trial, n);
	struct kit_spec *specs = NEW(&x->arena, struct kit_spec, n);
	struct engine_look *looks = NEW(&x->arena, struct engine_look, n);
	struct rng_key key = rng_key(engine_seed(c), RNG_EXPERIMENT, "calcium_curve");
	int rc;

	if (!t || !specs || !looks)
		return err_nomem(err);
	list_trials(x, t);
	for (size_t i = 0; i < n; i++) {
		build(&specs[i], &t[i], x->synapses, rng_u64(key, i, 0));
		looks[i] = (struct engine_look){ .self = &t[i], .at_end = at_end };
	}
	rc = kit_simulate_many(c, specs, looks, n, err);
	for (size_t i = 0; i < n; i++)
		kit_end(&specs[i]);
	return rc;
}

/* ---- what is left ------------------------------------------------------------------------- */

enum { T_SET, T_RATE, T_DT, T_THEORY, T_SEEN, T_ERROR, T_WHOLE, N_COLUMNS };

static int leave_points(struct experiment_ctx *c, const char *name, const struct curves *x,
			size_t from, size_t end, struct err *err)
{
	struct kit_column columns[N_COLUMNS] = {
		[T_SET] = { "set", "", NULL },
		[T_RATE] = { "rate_hz", "Hz", NULL },
		[T_DT] = { "dt_ms", "ms", NULL },
		[T_THEORY] = { "theory", "", NULL },
		[T_SEEN] = { "simulated", "", NULL },
		[T_ERROR] = { "standard_error", "", NULL },
		[T_WHOLE] = { "with_cubic_term", "", NULL },
	};
	size_t n = end - from;
	double *v = mem_alloc(n + 1, N_COLUMNS * sizeof(*v));
	int rc;

	if (!v)
		return err_nomem(err);
	for (size_t i = 0; i < N_COLUMNS; i++)
		columns[i].x = v + i * n;
	for (size_t i = 0; i < n; i++) {
		const struct point *p = &x->point[from + i];

		v[T_SET * n + i] = (double)p->pairs.set + 1;
		v[T_RATE * n + i] = p->pairs.rate_hz;
		v[T_DT * n + i] = p->pairs.dt_ms;
		v[T_THEORY * n + i] = change(p, p->theory);
		v[T_SEEN * n + i] = change(p, p->seen[LINEAR]);
		v[T_ERROR * n + i] =
			kit_calcium_change_error(p->pairs.set, p->theory, (double)x->synapses);
		v[T_WHOLE * n + i] = change(p, p->seen[WHOLE]);
	}
	rc = kit_table(c, name, columns, N_COLUMNS, n, err);
	mem_free(v);
	return rc;
}

enum { R_SET, R_RATE, R_DT, R_REFERENCE, R_THEORY, R_COLUMNS };

/* The closed form where it was computed before. */
static int leave_reference(struct experiment_ctx *c, struct err *err)
{
	double v[R_COLUMNS][KIT_CALCIUM_REFERENCES], worst = 0;
	const struct kit_column columns[R_COLUMNS] = { { "set", "", v[R_SET] },
						       { "rate_hz", "Hz", v[R_RATE] },
						       { "dt_ms", "ms", v[R_DT] },
						       { "reference", "", v[R_REFERENCE] },
						       { "theory", "", v[R_THEORY] } };
	int rc;

	for (size_t i = 0; i < KIT_CALCIUM_REFERENCES; i++) {
		struct kit_calcium_pairs p;

		v[R_REFERENCE][i] = kit_calcium_reference(i, &p);
		v[R_SET][i] = (double)p.set + 1;
		v[R_RATE][i] = p.rate_hz;
		v[R_DT][i] = p.dt_ms;
		v[R_THEORY][i] = kit_calcium_change(p.set, kit_calcium_theory(&p));
		worst = fmax(worst, fabs(v[R_THEORY][i] - v[R_REFERENCE][i]));
	}
	rc = kit_table(c, "reference", columns, R_COLUMNS, KIT_CALCIUM_REFERENCES, err);
	return rc ? rc
		  : engine_target(c, &(struct engine_target){ "theory_error", "", worst, 0, 1e-3 },
				  err);
}

/* How far the simulations are from the closed form, in standard errors. The worst of n points may be
 * as far as each of them is with the chance that one of them is beyond 3. */
static int leave_errors(struct experiment_ctx *c, const struct curves *x, struct err *err)
{
	double worst = 0, squares = 0, cubic = 0, n = (double)x->n;
	double bound = -fmath_normal_quantile(0.5 * 0.0027 / n);
	double off = change(x->point, x->off);
	int rc;

	for (size_t i = 0; i < x->n; i++) {
		const struct point *p = &x->point[i];
		double theory = change(p, p->theory);
		double z = (change(p, p->seen[LINEAR]) - theory) /
			   kit_calcium_change_error(p->pairs.set, p->theory, (double)x->synapses);

		worst = fmax(worst, fabs(z));
		squares += z * z;
		cubic = fmax(cubic, fabs(change(p, p->seen[WHOLE]) - theory));
	}
	engine_score(c, worst);
	rc = engine_metric(c, "cubic_term", cubic, err);
	if (!rc)
		rc = engine_target(
			c, &(struct engine_target){ "worst_point", "SE", worst, 0, bound }, err);
	if (!rc)
		rc = engine_target(c,
				   &(struct engine_target){ "rms_of_points", "SE",
							    sqrt(squares / n), 0,
							    1 + 3 / sqrt(2 * n) },
				   err);
	return rc ? rc
		  : engine_target(c,
				  &(struct engine_target){ "control_plasticity_off", "", off,
							   1 - 1e-12, 1 + 1e-12 },
				  err);
}

static int leave(struct experiment_ctx *c, const struct curves *x, struct err *err)
{
	int rc = leave_points(c, "curve", x, 0, x->n_curve, err);

	if (!rc)
		rc = leave_points(c, "frequency", x, x->n_curve, x->n, err);
	if (!rc)
		rc = leave_reference(c, err);
	return rc ? rc : leave_errors(c, x, err);
}

/* ---- the run ------------------------------------------------------------------------------ */

static double listed(const json_t *p, int i, size_t at)
{
	return json_number_value(json_array_get(json_object_get(p, params[i].name), at));
}

static size_t set_of(const json_t *p, size_t *ret_n)
{
	size_t set = kit_calcium_set(kit_text(p, params[SET].name));

	*ret_n = set == KIT_CALCIUM_SETS ? KIT_CALCIUM_SETS : 1;
	return set == KIT_CALCIUM_SETS ? 0 : set;
}

static void fill(struct curves *x, const json_t *p, size_t n_dt)
{
	size_t n_sets, set = set_of(p, &n_sets);
	bool given_dt = json_array_size(json_object_get(p, params[DT_MS].name)) > 0;
	bool given_rates = json_array_size(json_object_get(p, params[RATES_HZ].name)) > 0;

	for (size_t i = 0; i < x->n_curve; i++)
		x->point[i].pairs = (struct kit_calcium_pairs){
			.set = set + i / n_dt,
			.pairs = (size_t)kit_number(p, params[PAIRS].name),
			.rate_hz = kit_number(p, params[RATE_HZ].name),
			.dt_ms = given_dt ? listed(p, DT_MS, i % n_dt)
					  : 5 * (double)(i % n_dt) - 100,
		};
	for (size_t i = 0; i < x->n - x->n_curve; i++)
		x->point[x->n_curve + i].pairs = (struct kit_calcium_pairs){
			.set = kit_calcium_set(KIT_CALCIUM_RATE_SET),
			.pairs = KIT_CALCIUM_RATE_PAIRS,
			.rate_hz = given_rates ? listed(p, RATES_HZ, i / 2)
					       : kit_calcium_rates_hz[i / 2],
			.dt_ms = i % 2 ? -KIT_CALCIUM_RATE_DT_MS : KIT_CALCIUM_RATE_DT_MS,
		};
	for (size_t i = 0; i < x->n; i++)
		x->point[i].theory = kit_calcium_theory(&x->point[i].pairs);
}

/* How many points and spikes at synapses. */
static int count(struct curves *x, const json_t *p, size_t *ret_n_dt, struct err *err)
{
	size_t n_dt = json_array_size(json_object_get(p, params[DT_MS].name));
	size_t n_rates = json_array_size(json_object_get(p, params[RATES_HZ].name)), n_sets;
	double pairs = kit_number(p, params[PAIRS].name), events;

	(void)set_of(p, &n_sets);
	*ret_n_dt = n_dt ? n_dt : 41;
	n_rates = n_rates ? n_rates : KIT_CALCIUM_RATES;
	x->synapses = (size_t)kit_number(p, params[SYNAPSES].name);
	x->n_curve = n_sets * *ret_n_dt;
	x->n = x->n_curve + 2 * n_rates;
	events = (double)x->synapses *
		 ((double)x->n_curve * pairs + 2.0 * (double)n_rates * KIT_CALCIUM_RATE_PAIRS);
	if (n_rates > RATES_MAX || x->n > POINTS_MAX || events > EVENTS_MAX)
		return err_set(err, ERR_LIMIT, "/params/dt_ms",
			       "at most %d frequencies, %d points and %d pairs at all synapses are "
			       "possible, found %zu, %zu and %.3g",
			       RATES_MAX, POINTS_MAX, EVENTS_MAX, n_rates, x->n, events);
	return 0;
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct curves x = { 0 };
	struct err err = { 0 };
	char path[ERR_PATH_MAX];
	size_t n_dt;
	int rc = count(&x, p, &n_dt, &err);

	(void)limits;
	(void)snprintf(path, sizeof(path), "%.90s%.100s", prefix, err.path);
	return rc ? err_list_add(errors, (enum err_code)err.code, path, "%s", err.text) : 0;
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct curves x = { 0 };
	size_t n_dt = 0;
	int rc = count(&x, engine_params(c), &n_dt, err);

	mem_arena_init(&x.arena, 0);
	if (!rc) {
		x.point = NEW(&x.arena, struct point, x.n);
		rc = x.point ? 0 : err_nomem(err);
	}
	if (!rc) {
		fill(&x, engine_params(c), n_dt);
		rc = simulate(c, &x, err);
	}
	if (!rc)
		rc = leave(c, &x, err);
	mem_arena_release(&x.arena);
	return rc;
}

static const struct experiment_plot plots[] = {
	{ .table = "curve",
	  .title = "Change of strength by dt",
	  .text = "Points lie on the line within their standard errors. The cubic term, which the "
		  "closed form leaves out, moves them little. Sets are numbered as in the form's "
		  "list.",
	  .x = "dt_ms",
	  .by = "set",
	  .curve = { { .y = "theory", .label = "closed form" },
		     { .y = "simulated", .points = true, .error = "standard_error" },
		     { .y = "with_cubic_term", .label = "with the cubic term", .points = true } } },
	{ .table = "frequency",
	  .title = "Change of strength by frequency, cortical slices",
	  .text = "Pairs of -10 ms depress at low frequencies and potentiate at high ones, where "
		  "their calcium adds up; dt matters no more.",
	  .x = "rate_hz",
	  .by = "dt_ms",
	  .curve = { { .y = "theory", .label = "closed form" },
		     { .y = "simulated", .points = true, .error = "standard_error" } } },
};

const struct experiment experiment_calcium_curve = {
	.name = "calcium_curve",
	.title = "The curves of the calcium rule",
	.doc = "Pairs of spikes at many synapses of the calcium rule: how strength changes by dt "
	       "and "
	       "by frequency, beside the closed form.",
	.cite = "10.1073/pnas.1109359109",
	.score = { "worst_point", "SE", false,
		   "The closed form of Graupner & Brunel (2012): 0; about 3 by chance." },
	.science = "{\"set\": \"all\", \"synapses\": 1000}",
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
