/* latency - a volley that comes again and again is answered earlier and earlier.
 *
 * A thousand afferents fire once in each volley, each at its own latency, drawn once from a normal
 * distribution. Additive pair STDP strengthens those that fire shortly before the cell and weakens
 * those after it. The strengthened ones make it fire earlier, so that earlier ones are strengthened in
 * turn: in the end the early ones have all the strength, and the cell answers as early as it would if
 * every synapse had the largest weight. Song, Miller, Abbott (2000), doi:10.1038/78829; cell and rule are
 * theirs, conductances in units of the leak, and so is the inhibition: 200 Poisson inputs of 10 Hz, here
 * one of 2000 Hz, which is the same. Ten cells hear the same volleys, each with its own inhibition.
 *
 * Latencies count from the middle of the distribution. Controls: plasticity off; plasticity off with
 * all weights at the upper bound, which is the earliest there is for these latencies; and latencies
 * drawn anew in every volley. With these all weights grow alike, as a volley's spikes precede the
 * cell's more than they follow them: the answer gets earlier too, but by strength alone, and nobody
 * wins. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>

#include "core/base/rng.h"
#include "core/kit.h"

enum { VOLLEYS, SD, W_0, A_PLUS, RATIO, N_AFFERENTS, N_PARAMS };

enum { CELLS = 10, BLOCKS = 10, VOLLEYS_MAX = 5000, AFFERENTS_MAX = 5000 };

static const struct param_def params[N_PARAMS] = {
	[VOLLEYS] = { "volleys", "How often the volley comes.", UNIT_NONE, PARAM_INTEGER, 250,
		      BLOCKS, VOLLEYS_MAX },
	[SD] = { "sd_ms", "Standard deviation of the afferents' latencies.", UNIT_MS, PARAM_NUMBER,
		 15, 1, 50 },
	[W_0] = { "w_0", "Weights at first, a part of the largest.", UNIT_NONE, PARAM_NUMBER, 0.4,
		  0, 1 },
	[A_PLUS] = { "A_plus", "Potentiation of a pair, a part of the largest weight.", UNIT_NONE,
		     PARAM_NUMBER, 0.005, 0, 0.1 },
	[RATIO] = { "ratio", "Depression over potentiation.", UNIT_NONE, PARAM_NUMBER, 1.05, 0,
		    10 },
	[N_AFFERENTS] = { "afferents",
			  "Afferents; the largest weight is such that all together are as strong.",
			  UNIT_NONE, PARAM_INTEGER, 1000, 10, AFFERENTS_MAX },
};

#define G_ALL	    15.0 /* of the leak, all at the bound: 1000 of 0.015 */
#define G_INHIBITED 0.05
#define TAU	    20.0 /* ms, of both windows */
#define DT	    0.2	 /* ms */
#define FAR	    4.0	 /* standard deviations: no latency is farther out */
#define BEFORE	    5.0	 /* ms of silence before a volley */
#define AFTER	    50.0 /* ms of silence after it */

enum regime { LEARN, SHUFFLED, OFF, STRONG, REGIMES };

struct course {
	enum regime regime;
	const struct latency *x;
	struct kit_spikes spikes;
	double *first, *last; /* [n] ms, of a volley's answer, mean over the cells; NaN: none */
	double *count;	      /* [n] spikes of a cell */
	double *w;	      /* [afferents] of the largest, mean over the cells */
};

struct latency {
	struct mem_arena arena;
	const json_t *p;
	size_t n, afferents;	   /* n: volleys */
	double sd, middle, period; /* ms; the middle of a volley after its start */
	double g_max;		   /* of the leak */
	double *at;		   /* [afferents] ms from the middle, ascending */
	double *delay;		   /* [afferents] ms from the start */
	double *number;		   /* [n] of the volley, from 1 */
	struct course course[REGIMES];
};

/* ---- the network ---- */

/* Of one generator that fires in every volley, or of one for each volley. */
static json_t *starts(const struct latency *x, enum regime regime)
{
	json_t *lists = json_array(), *all = json_array();
	int rc = lists && all ? 0 : -1;

	for (size_t k = 0; k < x->n && !rc; k++) {
		json_t *t = json_real(DT + (double)k * x->period);

		rc = regime == SHUFFLED ? json_array_append_new(lists, json_pack("[o]", t))
					: json_array_append_new(all, t);
	}
	if (!rc && regime != SHUFFLED)
		rc = json_array_append(lists, all);
	json_decref(all);
	if (!rc)
		return json_pack("{s:o}", "spike_times", lists);
	json_decref(lists);
	return NULL;
}

static json_t *arrival(const struct latency *x, enum regime regime)
{
	json_t *delay = regime == SHUFFLED ? json_pack("{s:{s:f, s:f}}", "normal", "mean",
						       x->middle, "sd", x->sd)
					   : kit_array(x->delay, x->afferents);

	return json_pack("{s:s, s:f, s:o}", "model", "static", "weight", 1.0, "delay_ms", delay);
}

static json_t *synapse(const struct latency *x, enum regime regime)
{
	double a = kit_number(x->p, "A_plus") * x->g_max;
	double w = regime == STRONG ? x->g_max : kit_number(x->p, "w_0") * x->g_max;

	if (regime == OFF || regime == STRONG)
		return json_pack("{s:s, s:f, s:f}", "model", "static", "weight", w, "delay_ms", DT);
	return json_pack("{s:s, s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f, s:f}}", "model", "stdp_pair",
			 "weight", w, "delay_ms", DT, "params", "A_plus", a, "A_minus",
			 -kit_number(x->p, "ratio") * a, "tau_plus", TAU, "tau_minus", TAU, "w_min",
			 0.0, "w_max", x->g_max);
}

static void build(const struct latency *x, enum regime regime, struct kit_spec *k, uint64_t seed)
{
	kit_begin(k, DT, (double)x->n * x->period, seed);
	kit_population(k, "volley", "spike_generator", regime == SHUFFLED ? x->n : 1,
		       starts(x, regime));
	kit_population(k, "afferents", "parrot_neuron", x->afferents, json_object());
	kit_population(k, "cells", "iaf_cond_exp", CELLS,
		       json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "C_m", 20.0,
				 "g_L", 1.0, "E_L", -74.0, "V_th", -54.0, "V_reset", -60.0, "t_ref",
				 0.0, "E_ex", 0.0, "E_in", -70.0, "tau_syn_ex", 5.0, "tau_syn_in",
				 5.0));
	kit_population(k, "inhibition", "poisson_generator", CELLS,
		       json_pack("{s:f}", "rate", 2000.0));
	kit_projection(k, "inhibit", "inhibition", "cells", kit_rule("one_to_one"),
		       json_pack("{s:s, s:f, s:f}", "model", "static", "weight", -G_INHIBITED,
				 "delay_ms", DT));
	kit_projection(k, "arrive", "volley", "afferents", kit_rule("all_to_all"),
		       arrival(x, regime));
	kit_projection(k, "learn", "afferents", "cells", kit_rule("all_to_all"),
		       synapse(x, regime));
}

/* ---- what comes of it ---- */

/* A volley's answers, from the spikes [from, to) in order of time. */
static void take_answer(struct course *s, size_t volley, size_t from, size_t to)
{
	double middle = DT + (double)volley * s->x->period + s->x->middle;
	double first[CELLS] = { 0 }, last[CELLS] = { 0 }, sum_first = 0, sum_last = 0;
	bool answered[CELLS] = { false };
	size_t n = 0;

	for (size_t i = from; i < to; i++) {
		uint32_t cell = s->spikes.neuron[i];

		if (!answered[cell])
			first[cell] = s->spikes.ms[i] - middle;
		last[cell] = s->spikes.ms[i] - middle;
		answered[cell] = true;
	}
	for (size_t cell = 0; cell < CELLS; cell++) {
		if (!answered[cell])
			continue;
		sum_first += first[cell];
		sum_last += last[cell];
		n++;
	}
	s->first[volley] = n ? sum_first / (double)n : (double)NAN;
	s->last[volley] = n ? sum_last / (double)n : (double)NAN;
	s->count[volley] = (double)(to - from) / CELLS;
}

static void take_answers(struct course *s)
{
	size_t from = 0, to = 0;

	for (size_t k = 0; k < s->x->n; k++, from = to) {
		double end = DT + (double)(k + 1) * s->x->period;

		while (to < s->spikes.n && s->spikes.ms[to] < end)
			to++;
		take_answer(s, k, from, to);
	}
}

static int at_start(void *self, struct sim *s, struct err *err)
{
	struct course *x = self;

	x->spikes = (struct kit_spikes){ .population = "cells" };
	return kit_spikes_watch(&x->spikes, s, err);
}

static int at_end(void *self, const struct sim *s, struct err *err)
{
	struct course *x = self;
	double *w = NULL;
	size_t n = 0;
	int rc = kit_weights(s, "learn", &w, &n, err);

	for (size_t i = 0; !rc && i < x->x->afferents; i++)
		x->w[i] = kit_mean(w + i * CELLS, CELLS) / x->x->g_max;
	mem_free(w);
	if (!rc)
		take_answers(x);
	return rc;
}

/* ---- parameters ---- */

/* On the grid, as delays are; in order, so that afferent i is the i-th to fire. */
static void draw(struct latency *x, uint64_t seed)
{
	struct rng_key key = rng_key(seed, RNG_EXPERIMENT, "latency");

	for (size_t n = 0; n < x->afferents; n++) {
		double z = fmin(fmax(rng_normal(key, n, 0), -FAR), FAR);
		double at = DT * floor(x->sd * z / DT + 0.5);
		size_t i = n;

		for (; i > 0 && x->at[i - 1] > at; i--)
			x->at[i] = x->at[i - 1];
		x->at[i] = at;
	}
	for (size_t i = 0; i < x->afferents; i++)
		x->delay[i] = x->middle + x->at[i];
}

static int prepare(struct latency *x, const json_t *p, uint64_t seed, struct err *err)
{
	x->p = p;
	x->n = (size_t)kit_number(p, "volleys");
	x->sd = kit_number(p, "sd_ms");
	x->middle = DT * ceil((FAR * x->sd + BEFORE) / DT);
	x->period = DT * ceil((2 * x->middle + AFTER) / DT);
	x->afferents = (size_t)kit_number(p, "afferents");
	x->g_max = G_ALL / (double)x->afferents;
	x->number = NEW(&x->arena, double, x->n);
	x->at = NEW(&x->arena, double, x->afferents);
	x->delay = NEW(&x->arena, double, x->afferents);
	if (!x->number || !x->at || !x->delay)
		return err_nomem(err);
	draw(x, seed);
	for (size_t k = 0; k < x->n; k++)
		x->number[k] = (double)(k + 1);
	for (int r = 0; r < REGIMES; r++) {
		struct course *s = &x->course[r];

		*s = (struct course){ .regime = (enum regime)r, .x = x };
		s->first = NEW(&x->arena, double, x->n);
		s->last = NEW(&x->arena, double, x->n);
		s->count = NEW(&x->arena, double, x->n);
		s->w = NEW(&x->arena, double, x->afferents);
		if (!s->first || !s->last || !s->count || !s->w)
			return err_nomem(err);
	}
	return 0;
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct latency *x = mem_alloc(1, sizeof(*x));
	struct err err = { 0 };
	struct kit_spec k;
	int rc = -1;

	if (x) {
		mem_arena_init(&x->arena, 0);
		rc = prepare(x, p, 0, &err);
	}
	if (rc) {
		rc = err_list_add(errors, ERR_NOMEM, "", "out of memory");
	} else {
		build(x, SHUFFLED, &k, 0);
		rc = kit_check(&k, prefix, limits, errors);
		kit_end(&k);
	}
	if (x)
		mem_arena_release(&x->arena);
	mem_free(x);
	return rc;
}

static int simulate(struct experiment_ctx *c, struct latency *x, struct err *err)
{
	struct kit_spec k[REGIMES];
	struct engine_look looks[REGIMES];
	int rc;

	for (int r = 0; r < REGIMES; r++) {
		build(x, (enum regime)r, &k[r], engine_seed(c));
		looks[r] = (struct engine_look){ &x->course[r], at_start, at_end };
	}
	rc = kit_simulate_many(c, k, looks, REGIMES, err);
	for (int r = 0; r < REGIMES; r++) {
		kit_end(&k[r]);
		kit_spikes_free(&x->course[r].spikes);
	}
	return rc;
}

/* ---- results ---- */

/* Mean over a block of volleys, the last one being BLOCKS - 1. */
static double block(const struct latency *x, const double *of, size_t b)
{
	size_t from = x->n * b / BLOCKS, to = x->n * (b + 1) / BLOCKS;

	return kit_mean(of + from, to - from);
}

static double late(const struct latency *x, enum regime regime)
{
	return block(x, x->course[regime].first, BLOCKS - 1);
}

/* The most by which the answer came later than in the block before; NaN where there was none. */
static double rise(const struct latency *x)
{
	const double *first = x->course[LEARN].first;
	double most = -(double)INFINITY;

	for (size_t b = 1; b < BLOCKS; b++) {
		double more = block(x, first, b) - block(x, first, b - 1);

		most = more > most || isnan(more) ? more : most;
	}
	return most;
}

/* Mean weight of the afferents in [from, to) ms; NaN if there are none. */
static double weight(const struct latency *x, enum regime regime, double from, double to)
{
	size_t i = 0, end;

	while (i < x->afferents && x->at[i] < from)
		i++;
	end = i;
	while (end < x->afferents && x->at[end] < to)
		end++;
	return kit_mean(x->course[regime].w + i, end - i);
}

static int targets(struct experiment_ctx *c, const struct latency *x, struct err *err)
{
	const double far = (double)INFINITY;
	double first = late(x, LEARN), last = block(x, x->course[LEARN].last, BLOCKS - 1);
	double start = late(x, OFF), earliest = late(x, STRONG);
	const struct engine_target list[] = {
		{ "answer after the earliest there is", "ms", first - earliest, -0.5, 0.5 },
		{ "part of the way to it", "", (start - first) / (start - earliest), 0.95, 1.05 },
		{ "largest rise from a tenth to the next", "ms", rise(x), -far, 0.1 },
		{ "mean weight of those before the first spike", "w_max",
		  weight(x, LEARN, -far, first), 0.95, far },
		{ "mean weight of those after the last spike", "w_max", weight(x, LEARN, last, far),
		  0, 0.05 },
		{ "control, plasticity off: fall of the answer", "ms",
		  block(x, x->course[OFF].first, 0) - start, -0.5, 0.5 },
		{ "control, latencies shuffled: early weights above the others", "w_max",
		  weight(x, SHUFFLED, -far, first) - weight(x, SHUFFLED, last, far), -0.05, 0.05 },
	};
	int rc = 0;

	engine_score(c, first - earliest);
	for (size_t i = 0; i < COUNTOF(list) && !rc; i++)
		rc = engine_target(c, &list[i], err);
	return rc;
}

static int metrics(struct experiment_ctx *c, const struct latency *x, struct err *err)
{
	static const struct {
		const char *first, *spikes, *weight;
	} names[REGIMES] = {
		{ "answer_ms.learn", "spikes.learn", "mean_weight.learn" },
		{ "answer_ms.shuffled", "spikes.shuffled", "mean_weight.shuffled" },
		{ "answer_ms.off", "spikes.off", "mean_weight.off" },
		{ "answer_ms.strong", "spikes.strong", "mean_weight.strong" },
	};
	int rc = 0;

	for (int r = 0; r < REGIMES && !rc; r++) {
		const struct course *s = &x->course[r];

		if (!isnan(late(x, (enum regime)r)))
			rc = engine_metric(c, names[r].first, late(x, (enum regime)r), err);
		if (!rc)
			rc = engine_metric(c, names[r].spikes, block(x, s->count, BLOCKS - 1), err);
		if (!rc)
			rc = engine_metric(c, names[r].weight, kit_mean(s->w, x->afferents), err);
	}
	return rc;
}

static int tables(struct experiment_ctx *c, const struct latency *x, struct err *err)
{
	const struct course *s = x->course;
	const struct kit_column volleys[] = {
		{ "volley", "", x->number },	    { "first", "ms", s[LEARN].first },
		{ "last", "ms", s[LEARN].last },    { "shuffled", "ms", s[SHUFFLED].first },
		{ "off", "ms", s[OFF].first },	    { "strong", "ms", s[STRONG].first },
		{ "spikes", "", s[LEARN].count },   { "spikes_shuffled", "", s[SHUFFLED].count },
		{ "spikes_off", "", s[OFF].count }, { "spikes_strong", "", s[STRONG].count },
	};
	const struct kit_column weights[] = {
		{ "latency", "ms", x->at },
		{ "weight", "w_max", s[LEARN].w },
		{ "shuffled", "w_max", s[SHUFFLED].w },
	};
	int rc = kit_table(c, "volleys", volleys, COUNTOF(volleys), x->n, err);

	return rc ? rc : kit_table(c, "weights", weights, COUNTOF(weights), x->afferents, err);
}

static int leave(struct experiment_ctx *c, const struct latency *x, struct err *err)
{
	int rc = targets(c, x, err);

	if (!rc)
		rc = metrics(c, x, err);
	return rc ? rc : tables(c, x, err);
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct latency *x = mem_alloc(1, sizeof(*x));
	int rc;

	if (!x)
		return err_nomem(err);
	mem_arena_init(&x->arena, 0);
	rc = prepare(x, engine_params(c), engine_seed(c), err);
	if (!rc)
		rc = simulate(c, x, err);
	if (!rc)
		rc = leave(c, x, err);
	mem_arena_release(&x->arena);
	mem_free(x);
	return rc;
}

static const struct experiment_plot plots[] = {
	{ .table = "volleys",
	  .title = "The answer comes earlier",
	  .text = "First spike of the cell after the middle of the volley. With plasticity it "
		  "falls "
		  "to the earliest there is, all weights at the bound; without it stays.",
	  .x = "volley",
	  .curve = { { .y = "first", .label = "learning" },
		     { .y = "last", .label = "last spike" },
		     { .y = "shuffled" },
		     { .y = "off" },
		     { .y = "strong", .label = "all at the bound" } } },
	{ .table = "weights",
	  .title = "Short latencies win",
	  .text = "Weight of each afferent at the end, by its latency. Where latencies are "
		  "shuffled "
		  "in every volley they make no difference.",
	  .x = "latency",
	  .curve = { { .y = "weight", .points = true }, { .y = "shuffled", .points = true } } },
	{ .table = "volleys",
	  .title = "Spikes of an answer",
	  .text = "Learning answers with few spikes; strength alone with many.",
	  .x = "volley",
	  .curve = { { .y = "spikes", .label = "learning" },
		     { .y = "spikes_shuffled", .label = "shuffled" },
		     { .y = "spikes_off", .label = "off" },
		     { .y = "spikes_strong", .label = "all at the bound" } } },
};

const struct experiment experiment_latency = {
	.name = "latency",
	.title = "Volleys answered earlier and earlier",
	.doc = "A thousand afferents fire in the same order again and again; by additive pair STDP "
	       "the first ones win, and the cell answers as early as it can.",
	.cite = "10.1038/78829",
	.score = { "after_earliest", "ms", false,
		   "0: the answer comes as early as with all weights at the upper bound; 0.5 ms is "
		   "asked for." },
	.science = "{\"volleys\": 1000}",
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
