/* pairing_schemes - the four pairings of pair STDP on one pair of random trains, held against the
 * founding formula (Morrison, Diesmann, Gerstner 2008).
 *
 * One pre- and one postsynaptic train, four synapses between them, one a pairing. Each weight is seen
 * after every presynaptic spike, and beside it stands core/kit_pair: sums of exponentials over the
 * spikes that the pairing names. Control: the computation of a pairing's neighbour must not fit. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/kit.h"
#include "core/kit_pair.h"

enum { SPIKES, RATE, W_0, DELAY, RULE_PARAMS, PRE, POST, N_PARAMS };

enum { SPIKES_MAX = 1000000 };

#define RESOLUTION 0.1

static const struct param_def params[N_PARAMS] = {
	[SPIKES] = { "spikes", "Random spikes of each train.", UNIT_NONE, PARAM_INTEGER, 10000, 1,
		     SPIKES_MAX },
	[RATE] = { "rate_hz", "Rate of each train.", UNIT_HZ, PARAM_NUMBER, 20, 0.1, 200 },
	[W_0] = { "w_0", "Weight at the start.", UNIT_WEIGHT, PARAM_NUMBER, 0.5, 0, 1e6 },
	[DELAY] = { "delay_ms", "Dendritic delay.", UNIT_MS, PARAM_NUMBER, 1, 0.1, 1000 },
	[RULE_PARAMS] = { "rule_params", "Parameters of stdp_pair; without `pairing`.", UNIT_NONE,
			  PARAM_OBJECT },
	[PRE] = { "pre_ms",
		  "Presynaptic spikes, ascending multiples of 0.1 ms; random if not given.",
		  UNIT_MS, PARAM_LIST, 0, 0.1, 1e9 },
	[POST] = { "post_ms", "Postsynaptic spikes, as they are emitted; likewise.", UNIT_MS,
		   PARAM_LIST, 0, 0.1, 1e9 },
};

struct scheme {
	double *seen, *theory; /* [n_pre] after each presynaptic spike */
	size_t n_seen;
	double end, theory_end;
	double worst, neighbour; /* relative to the largest weight of the trajectory */
};

struct schemes {
	struct scheme scheme[KIT_PAIRINGS];
	double *ms;	     /* [n] scratch: times of a train */
	int64_t *pre, *post; /* emitted, steps */
	double *pre_ms;
	size_t n_pre, n_post, most;
	double w_0;
	int64_t delay, end; /* steps */
};

/* ---- trains ---- */

/* Poisson, a step a spike at most; returns how many. */
static size_t draw(struct experiment_ctx *c, const char *name, double rate, size_t n, int64_t *ret)
{
	struct rng_key key = rng_key(engine_seed(c), RNG_EXPERIMENT, name);
	double t = 0;

	for (size_t i = 0; i < n; i++) {
		t += rng_exponential(key, 0, i) * 1000 / rate / RESOLUTION;
		ret[i] = (int64_t)t + 1;
		if (i > 0 && ret[i] <= ret[i - 1])
			ret[i] = ret[i - 1] + 1;
	}
	return n;
}

static size_t train(struct experiment_ctx *c, struct schemes *x, int param, int64_t *ret)
{
	const json_t *p = engine_params(c);
	size_t n = kit_list(p, params[param].name, x->ms, x->most);

	if (n == 0)
		return draw(c, params[param].name, kit_number(p, "rate_hz"),
			    (size_t)kit_number(p, "spikes"), ret);
	for (size_t i = 0; i < n; i++)
		ret[i] = (int64_t)floor(x->ms[i] / RESOLUTION + 0.5);
	return n;
}

static int read_all(struct experiment_ctx *c, struct schemes *x, struct err *err)
{
	const json_t *p = engine_params(c);
	size_t pre = json_array_size(json_object_get(p, "pre_ms"));
	size_t post = json_array_size(json_object_get(p, "post_ms"));

	x->most = (size_t)kit_number(p, "spikes");
	x->most = pre > x->most ? pre : x->most;
	x->most = post > x->most ? post : x->most;
	x->w_0 = kit_number(p, "w_0");
	x->delay = (int64_t)floor(kit_number(p, "delay_ms") / RESOLUTION + 0.5);
	x->ms = mem_alloc(x->most, sizeof(*x->ms));
	x->pre_ms = mem_alloc(x->most, sizeof(*x->pre_ms));
	x->pre = mem_alloc(x->most, sizeof(*x->pre));
	x->post = mem_alloc(x->most, sizeof(*x->post));
	if (!x->ms || !x->pre_ms || !x->pre || !x->post)
		return err_nomem(err);
	x->n_pre = train(c, x, PRE, x->pre);
	x->n_post = train(c, x, POST, x->post);
	for (size_t i = 0; i < KIT_PAIRINGS; i++) {
		x->scheme[i].seen = mem_alloc(x->n_pre, sizeof(double));
		x->scheme[i].theory = mem_alloc(x->n_pre, sizeof(double));
		if (!x->scheme[i].seen || !x->scheme[i].theory)
			return err_nomem(err);
	}
	x->end = x->pre[x->n_pre - 1] > x->post[x->n_post - 1] ? x->pre[x->n_pre - 1]
							       : x->post[x->n_post - 1];
	x->end += x->delay + 1;
	return 0;
}

static void forget(struct schemes *x)
{
	for (size_t i = 0; i < KIT_PAIRINGS; i++) {
		mem_free(x->scheme[i].seen);
		mem_free(x->scheme[i].theory);
	}
	mem_free(x->ms);
	mem_free(x->pre_ms);
	mem_free(x->pre);
	mem_free(x->post);
}

/* ---- the simulation ---- */

static void generator(struct schemes *x, struct kit_spec *k, const char *name, const int64_t *steps,
		      size_t n)
{
	for (size_t i = 0; i < n; i++)
		x->ms[i] = (double)steps[i] / 10;
	kit_population(k, name, "spike_generator", 1,
		       json_pack("{s:o}", "spike_times", kit_array(x->ms, n)));
}

/* Projections are sorted by name: that of the number of its pairing. */
static void build(struct schemes *x, struct kit_spec *k, const json_t *p)
{
	kit_begin(k, RESOLUTION, (double)x->end / 10, 0);
	generator(x, k, "pre", x->pre, x->n_pre);
	generator(x, k, "post", x->post, x->n_post);
	for (int i = 0; i < KIT_PAIRINGS; i++) {
		json_t *rule = json_copy(json_object_get(p, "rule_params"));
		const char name[2] = { (char)('0' + i), '\0' };

		if (rule && json_object_set_new(rule, "pairing",
						json_string(kit_pairing_name((enum kit_pairing)i))))
			k->failed = true;
		kit_projection(k, name, "pre", "post", kit_rule("one_to_one"),
			       json_pack("{s:s, s:f, s:f, s:o}", "model", "stdp_pair", "weight",
					 x->w_0, "delay_ms", (double)x->delay / 10, "params",
					 rule));
	}
}

static int64_t never(void *self, int64_t t)
{
	(void)self;
	(void)t;
	return INT64_MAX;
}

static int take(void *self, const struct sim_view *v, struct err *err)
{
	struct schemes *x = self;

	(void)err;
	for (size_t i = 0; i < KIT_PAIRINGS && v->updates; i++) {
		struct scheme *s = &x->scheme[i];

		for (size_t k = 0; k < v->n_updates[i] && s->n_seen < x->n_pre; k++)
			s->seen[s->n_seen++] = v->updates[i][k].weight;
	}
	return 0;
}

static int at_start(void *self, struct sim *s, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < KIT_PAIRINGS && !rc; i++)
		rc = sim_watch(s, i, NULL, 0, err);
	if (!rc)
		sim_observe(s, (struct sim_observer){ self, never, take });
	return rc;
}

/* The theory, while the rule's parameters are at hand; posts count from when they arrive. */
static int at_end(void *self, const struct sim *s, struct err *err)
{
	struct schemes *x = self;
	int64_t *arrived = mem_alloc(x->n_post, sizeof(*arrived));
	const struct kit_trains t = { x->pre, arrived, x->n_pre, x->n_post, 1 / RESOLUTION };
	int rc = arrived ? 0 : err_nomem(err);

	for (size_t k = 0; k < x->n_post && !rc; k++)
		arrived[k] = x->post[k] + x->delay;
	for (size_t i = 0; i < KIT_PAIRINGS && !rc; i++) {
		struct scheme *one = &x->scheme[i];
		struct kit_pair r;

		kit_pair_read(&r, sim_spec(s)->projections[i].params);
		one->theory_end = kit_pair_follow(&r, x->w_0, &t, one->theory);
		rc = sim_weights(s, i, &one->end, err);
	}
	mem_free(arrived);
	return rc;
}

/* ---- results ---- */

static double worst(const double *x, const double *y, size_t n)
{
	double most = 0, largest = 0;

	for (size_t i = 0; i < n; i++) {
		most = fmax(most, fabs(x[i] - y[i]));
		largest = fmax(largest, fabs(y[i]));
	}
	return largest > 0 ? most / largest : most;
}

static int compare(struct experiment_ctx *c, struct schemes *x, struct err *err)
{
	double all = 0;
	int rc = 0;

	for (size_t i = 0; i < KIT_PAIRINGS && !rc; i++) {
		struct scheme *s = &x->scheme[i];
		const struct scheme *next = &x->scheme[(i + 1) % KIT_PAIRINGS];
		const char *name = kit_pairing_name((enum kit_pairing)i);
		char text[96];
		struct engine_target t = { text, "", (double)NAN, 0, 1e-10 };

		if (s->n_seen == x->n_pre)
			t.value = fmax(worst(s->seen, s->theory, x->n_pre),
				       worst(&s->end, &s->theory_end, 1));
		all = t.value > all || isnan(t.value) ? t.value : all;
		(void)snprintf(text, sizeof(text), "%s: relative error", name);
		rc = engine_target(c, &t, err);
		if (rc)
			break;
		t = (struct engine_target){ text, "", worst(s->seen, next->theory, x->n_pre), 1e-3,
					    (double)INFINITY };
		(void)snprintf(text, sizeof(text), "control, %s as its neighbour", name);
		rc = engine_target(c, &t, err);
	}
	engine_score(c, all);
	return rc;
}

static int table(struct experiment_ctx *c, struct schemes *x, struct err *err)
{
	struct kit_column columns[1 + 2 * KIT_PAIRINGS];
	char names[KIT_PAIRINGS][48];

	for (size_t i = 0; i < x->n_pre; i++)
		x->pre_ms[i] = (double)x->pre[i] / 10;
	columns[0] = (struct kit_column){ "t", "ms", x->pre_ms };
	for (size_t i = 0; i < KIT_PAIRINGS; i++) {
		const char *name = kit_pairing_name((enum kit_pairing)i);

		(void)snprintf(names[i], sizeof(names[i]), "%s_theory", name);
		columns[1 + i] = (struct kit_column){ name, "weight", x->scheme[i].seen };
		columns[1 + KIT_PAIRINGS + i] =
			(struct kit_column){ names[i], "weight", x->scheme[i].theory };
	}
	return kit_table(c, "weights", columns, COUNTOF(columns), x->n_pre, err);
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct schemes x = { 0 };
	const struct engine_look look = { &x, at_start, at_end };
	struct kit_spec k = { 0 };
	int rc = read_all(c, &x, err);

	if (!rc) {
		build(&x, &k, engine_params(c));
		rc = kit_simulate(c, &k, &look, err);
	}
	if (!rc)
		rc = table(c, &x, err);
	if (!rc)
		rc = compare(c, &x, err);
	kit_end(&k);
	forget(&x);
	return rc;
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	int64_t once[] = { 1 };
	double seconds = kit_number(p, "spikes") / kit_number(p, "rate_hz");
	double ms[1];
	struct schemes x = { .ms = ms, .pre = once, .post = once, .n_pre = 1, .n_post = 1 };
	struct kit_spec k;
	int rc;

	x.w_0 = kit_number(p, "w_0");
	x.delay = (int64_t)floor(kit_number(p, "delay_ms") / RESOLUTION + 0.5);
	x.end = (int64_t)(seconds * 1000 / RESOLUTION) + 1;
	build(&x, &k, p);
	rc = kit_check(&k, prefix, limits, errors);
	kit_end(&k);
	return rc;
}

static const struct experiment_plot plots[] = {
	{ .table = "weights",
	  .title = "One pair of trains, four pairings",
	  .text = "The weight after each presynaptic spike: which pairs count decides where it "
		  "goes.",
	  .x = "t",
	  .curve = { { .y = "all_to_all" },
		     { .y = "nearest_symmetric" },
		     { .y = "nearest_pre_centered" },
		     { .y = "nearest_reduced_symmetric" } } },
};

const struct experiment experiment_pairing_schemes = {
	.name = "pairing_schemes",
	.title = "Which pairs of spikes count",
	.doc = "Four pairings of pair STDP on the same random spikes, held spike by spike against "
	       "sums over the pairs that each of them names.",
	.cite = "10.1007/s00422-008-0233-1",
	.score = { "max_rel_error", "", false,
		   "The formula summed event by event: 0, at most 1e-10; relative to the largest "
		   "weight of a trajectory." },
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
