/* pattern_detection - one neuron finds a pattern that hides in equally dense noise.
 *
 * Masquelier, Guyonneau & Thorpe (2008): 2000 afferents fire at rates that walk at random; half of them
 * repeat the same 50 ms, jittered, at random times, a quarter of all time. STDP on one neuron that fires
 * on everything at first makes it fire on the pattern alone, and earlier and earlier in it.
 *
 * The neuron is the paper's (srm): all input is flushed at a spike, which leaves a potential of its own,
 * 500 (4 exp(-t / tau_s) - 2 exp(-t / tau_m)), and what arrives then counts. Pairs are nearest ones, each
 * spike in one pair at most (nearest_reduced_symmetric), as in the paper's program. A step of 0.1 ms is
 * needed: one of 1 ms makes many pairs simultaneous and shifts them by its delay, and a replication
 * (Hathway, Goodman 2018, doi:10.5281/zenodo.1327348) found nothing to be learnt with it. (With 1 ms and a
 * potential held at -375 after a spike instead of the paper's, 0.3 to 2 false alarms a second were left
 * in 3 runs.) The paper repeats 150 s of input three times; here only the pattern comes again.
 * 18 of 20 runs of 450 s succeed (96 of 100 in the paper), the other two with a single false alarm in 150 s;
 * hits 99.7 % at least, latency 4.3 ms, some 370 weights large.
 *
 * The paper's ratio of amplitudes is 0.85. `ratios` shows how narrow the range is that works.
 *
 * A window of time that shows the pattern is a hit if the neuron fires in it; a spike in any other
 * window is a false alarm. The last third counts. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>

#include "core/base/rng.h"
#include "core/kit.h"
#include "core/model/pattern.h"

enum { SECONDS, SEEDS, RATIO, W_0, RATIOS, STARTS, TRIES, AFFERENTS, N_PARAMS };

enum { RUNS_MAX = 1000, LIST_MAX = 20 };

static const struct param_def params[N_PARAMS] = {
	[SECONDS] = { "seconds", "Model time of each run.", UNIT_NONE, PARAM_INTEGER, 100, 3, 1e4 },
	[SEEDS] = { "seeds", "Runs, each with a pattern of its own.", UNIT_NONE, PARAM_INTEGER, 1,
		    1, 100 },
	[RATIO] = { "a_minus_ratio", "Depression's amplitude over potentiation's.", UNIT_NONE,
		    PARAM_NUMBER, 0.85, 0, 10 },
	[W_0] = { "w_0", "Weight at first, of 1 at most.", UNIT_NONE, PARAM_NUMBER, 0.475, 0, 1 },
	[RATIOS] = { "ratios", "Ratios to try besides; none if not given.", UNIT_NONE, PARAM_LIST,
		     0, 0, 10 },
	[STARTS] = { "starts", "Weights at first to try besides; none if not given.", UNIT_NONE,
		     PARAM_LIST, 0, 0, 1 },
	[TRIES] = { "tries", "Runs of each of these.", UNIT_NONE, PARAM_INTEGER, 2, 1, 100 },
	[AFFERENTS] = { "afferents", "Afferents; half of them carry the pattern.", UNIT_NONE,
			PARAM_INTEGER, 2000, 100, 20000 },
};

/* The paper's numbers. The threshold is for 2000 afferents; it goes with their number. */
#define A_PLUS		       0.03125
#define THRESHOLD_PER_AFFERENT 0.25
#define TAU_M		       10.0
#define TAU_S		       2.5
#define PATTERN_MS	       50.0
#define SHARE		       0.25
#define K_1		       2.0
#define K_2		       4.0

#define DT  0.1 /* ms */
#define HIT 0.98

enum { BINS = 60, WEIGHT_BINS = 20 };

/* Of a stretch of time. */
struct tally {
	double shown, hits, alarms, latency_ms; /* the sum of the hits' */
	double seconds;
};

struct one {
	const struct search *x;
	double ratio, w_0;
	bool plastic;
	uint64_t seed;
	struct kit_spikes spikes;
	struct rng_key key; /* of the patterns */
	struct tally bin[BINS], late;
	double inside[WEIGHT_BINS], outside[WEIGHT_BINS]; /* how many weights */
	double large_inside, large_outside;		  /* above 0.5 */
	double rate_hz;
};

struct search {
	double seconds;
	size_t n, n_others, afferents; /* others: the control first, then what is tried besides */
	struct one *one;	       /* [n + n_others] */
};

/* ---- the network -------------------------------------------------------------------------- */

static void build(struct kit_spec *k, const struct one *o)
{
	size_t n = o->x->afferents;
	double threshold = THRESHOLD_PER_AFFERENT * (double)n;

	kit_begin(k, DT, o->x->seconds * 1000, o->seed);
	kit_population(k, "afferents", "pattern_generator", n,
		       json_pack("{s:I, s:f, s:f}", "pattern_size", (json_int_t)n / 2, "pattern_ms",
				 PATTERN_MS, "pattern_share", SHARE));
	kit_population(k, "neuron", "srm", 1,
		       json_pack("{s:f, s:f, s:f, s:f, s:f}", "tau_m", TAU_M, "tau_s", TAU_S,
				 "V_th", threshold, "K_1", K_1, "K_2", K_2));
	kit_projection(k, "syn", "afferents", "neuron", kit_rule("all_to_all"),
		       json_pack("{s:s, s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f, s:s}}", "model",
				 "stdp_pair", "weight", o->w_0, "delay_ms", DT, "params", "A_plus",
				 A_PLUS, "A_minus", -o->ratio * A_PLUS, "tau_plus", 16.8,
				 "tau_minus", 33.7, "w_max", 1.0, "pairing",
				 "nearest_reduced_symmetric"));
	if (!o->plastic)
		kit_set(k, NULL, NULL, "schedule",
			json_pack("[{s:f, s:{s:s, s:b}}]", "at_ms", 0.0, "plasticity", "projection",
				  "syn", "on", 0));
}

/* ---- what the neuron did ------------------------------------------------------------------ */

static void add_window(struct tally *t, bool shown, size_t spikes, double latency_ms)
{
	t->seconds += PATTERN_MS / 1000;
	t->shown += shown;
	t->hits += shown && spikes > 0;
	t->latency_ms += shown && spikes > 0 ? latency_ms : 0;
	t->alarms += shown ? 0 : (double)spikes;
}

/* Window by window; its length is a whole number of steps. */
static void judge(struct one *o)
{
	int64_t windows = (int64_t)(o->x->seconds * 1000 / PATTERN_MS);
	size_t i = 0;

	for (int64_t w = 0; w < windows; w++) {
		double from = (double)w * PATTERN_MS, end = from + PATTERN_MS;
		size_t first = i;
		bool shown = pattern_shown(o->key, SHARE, 1, w) >= 0;
		double latency;

		while (i < o->spikes.n && o->spikes.ms[i] <= end + 0.5 * DT)
			i++;
		latency = i > first ? o->spikes.ms[first] - from : 0;
		add_window(&o->bin[(size_t)(w * BINS / windows)], shown, i - first, latency);
		if (3 * w >= 2 * windows)
			add_window(&o->late, shown, i - first, latency);
	}
	o->rate_hz = (double)o->spikes.n / o->x->seconds;
}

static double hit_part(const struct tally *t)
{
	return t->hits / t->shown;
}

static bool found(const struct one *o)
{
	return hit_part(&o->late) >= HIT && o->late.alarms == 0;
}

static int at_start(void *self, struct sim *s, struct err *err)
{
	struct one *o = self;

	o->spikes.population = "neuron";
	o->key = spec_key(sim_spec(s), RNG_SPIKES, "afferents", "");
	return kit_spikes_watch(&o->spikes, s, err);
}

static int at_end(void *self, const struct sim *s, struct err *err)
{
	struct one *o = self;
	double *w = NULL;
	size_t n = 0;
	int rc = kit_weights(s, "syn", &w, &n, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		bool inside = i < n / 2;
		size_t bin = (size_t)(w[i] * WEIGHT_BINS);

		bin = bin < WEIGHT_BINS ? bin : WEIGHT_BINS - 1;
		*(inside ? &o->inside[bin] : &o->outside[bin]) += 1;
		*(inside ? &o->large_inside : &o->large_outside) += w[i] > 0.5;
	}
	mem_free(w);
	judge(o);
	kit_spikes_free(&o->spikes);
	return 0;
}

static int simulate(struct experiment_ctx *c, struct search *x, struct err *err)
{
	size_t n = x->n + x->n_others;
	struct kit_spec *specs = mem_alloc(n, sizeof(*specs));
	struct engine_look *looks = mem_alloc(n, sizeof(*looks));
	int rc = specs && looks ? 0 : err_nomem(err);

	for (size_t i = 0; i < n && !rc; i++) {
		build(&specs[i], &x->one[i]);
		looks[i] = (struct engine_look){ &x->one[i], at_start, at_end };
	}
	if (!rc)
		rc = kit_simulate_many(c, specs, looks, n, err);
	for (size_t i = 0; i < n && specs; i++)
		kit_end(&specs[i]);
	mem_free(specs);
	mem_free(looks);
	return rc;
}

/* ---- what is left ------------------------------------------------------------------------- */

enum { T_SEED, T_S, T_HITS, T_ALARMS, T_LATENCY, T_COLUMNS };

static int leave_time(struct experiment_ctx *c, const struct search *x, struct err *err)
{
	struct kit_column columns[T_COLUMNS] = { { "seed", "", NULL },
						 { "time_s", "s", NULL },
						 { "hits", "", NULL },
						 { "false_alarms_hz", "Hz", NULL },
						 { "latency_ms", "ms", NULL } };
	size_t rows = x->n * BINS;
	double *v = mem_alloc(rows, T_COLUMNS * sizeof(*v));
	int rc;

	if (!v)
		return err_nomem(err);
	for (size_t k = 0; k < T_COLUMNS; k++)
		columns[k].x = v + k * rows;
	for (size_t i = 0; i < rows; i++) {
		size_t seed = i / BINS, bin = i % BINS;
		const struct tally *t = &x->one[seed].bin[bin];

		v[T_SEED * rows + i] = (double)seed + 1;
		v[T_S * rows + i] = ((double)bin + 0.5) / BINS * x->seconds;
		v[T_HITS * rows + i] = hit_part(t);
		v[T_ALARMS * rows + i] = t->alarms / t->seconds;
		v[T_LATENCY * rows + i] = t->latency_ms / t->hits;
	}
	rc = kit_table(c, "time", columns, T_COLUMNS, rows, err);
	mem_free(v);
	return rc;
}

/* Of the first run. */
static int leave_weights(struct experiment_ctx *c, const struct search *x, struct err *err)
{
	double middle[WEIGHT_BINS];

	for (size_t i = 0; i < WEIGHT_BINS; i++)
		middle[i] = ((double)i + 0.5) / WEIGHT_BINS;
	return kit_table(c, "weights",
			 (const struct kit_column[]){ { "weight", "", middle },
						      { "inside", "", x->one[0].inside },
						      { "outside", "", x->one[0].outside } },
			 3, WEIGHT_BINS, err);
}

enum {
	R_PLASTIC,
	R_RATIO,
	R_W_0,
	R_FOUND,
	R_HITS,
	R_ALARMS,
	R_LATENCY,
	R_INSIDE,
	R_OUTSIDE,
	R_RATE,
	R_COLUMNS
};

/* Every run, the control and what was tried besides too. */
static int leave_runs(struct experiment_ctx *c, const struct search *x, struct err *err)
{
	static const char *const names[R_COLUMNS][2] = {
		{ "plastic", "" },	{ "a_minus_ratio", "" }, { "w_0", "" },
		{ "found", "" },	{ "hits", "" },		 { "false_alarms_hz", "Hz" },
		{ "latency_ms", "ms" }, { "large_inside", "" },	 { "large_outside", "" },
		{ "rate_hz", "Hz" },
	};
	struct kit_column columns[R_COLUMNS];
	size_t n = x->n + x->n_others;
	double *v = mem_alloc(n, R_COLUMNS * sizeof(*v));
	int rc;

	if (!v)
		return err_nomem(err);
	for (size_t k = 0; k < R_COLUMNS; k++)
		columns[k] = (struct kit_column){ names[k][0], names[k][1], v + k * n };
	for (size_t i = 0; i < n; i++) {
		const struct one *o = &x->one[i];

		v[R_PLASTIC * n + i] = o->plastic;
		v[R_RATIO * n + i] = o->ratio;
		v[R_W_0 * n + i] = o->w_0;
		v[R_FOUND * n + i] = found(o);
		v[R_HITS * n + i] = hit_part(&o->late);
		v[R_ALARMS * n + i] = o->late.alarms / o->late.seconds;
		v[R_LATENCY * n + i] = o->late.latency_ms / o->late.hits;
		v[R_INSIDE * n + i] = o->large_inside;
		v[R_OUTSIDE * n + i] = o->large_outside;
		v[R_RATE * n + i] = o->rate_hz;
	}
	rc = kit_table(c, "runs", columns, R_COLUMNS, n, err);
	mem_free(v);
	return rc;
}

static int leave(struct experiment_ctx *c, const struct search *x, struct err *err)
{
	double part = 0, latency = 0, hits = 0;
	int rc = leave_time(c, x, err);

	for (size_t i = 0; i < x->n; i++) {
		part += found(&x->one[i]) / (double)x->n;
		latency += x->one[i].late.latency_ms;
		hits += x->one[i].late.hits;
	}
	engine_score(c, part);
	if (!rc)
		rc = leave_weights(c, x, err);
	if (!rc)
		rc = leave_runs(c, x, err);
	if (!rc)
		rc = engine_metric(c, "latency_ms", latency / hits, err);
	if (!rc)
		rc = engine_target(c, &(struct engine_target){ "part_found", "", part, 0.9, 1 },
				   err);
	return rc ? rc
		  : engine_target(c,
				  &(struct engine_target){ "control_false_alarms", "Hz",
							   x->one[x->n].late.alarms /
								   x->one[x->n].late.seconds,
							   1, PARAM_INF },
				  err);
}

/* ---- the run ------------------------------------------------------------------------------ */

static int make(struct search *x, const json_t *p, uint64_t seed, struct err *err)
{
	struct rng_key key = rng_key(seed, RNG_EXPERIMENT, "pattern_detection");
	double ratios[LIST_MAX], starts[LIST_MAX];
	size_t n_ratios = kit_list(p, params[RATIOS].name, ratios, LIST_MAX);
	size_t n_starts = kit_list(p, params[STARTS].name, starts, LIST_MAX);
	size_t tries = (size_t)kit_number(p, params[TRIES].name), all;

	x->seconds = kit_number(p, params[SECONDS].name);
	x->afferents = (size_t)kit_number(p, params[AFFERENTS].name);
	x->n = (size_t)kit_number(p, params[SEEDS].name);
	x->n_others = 1 + tries * (n_ratios + n_starts);
	all = x->n + x->n_others;
	if (all > RUNS_MAX)
		return err_set(err, ERR_LIMIT, "/params/tries",
			       "at most %d runs are possible, found %zu", RUNS_MAX, all);
	x->one = mem_alloc(all, sizeof(*x->one));
	if (!x->one)
		return err_nomem(err);
	for (size_t i = 0; i < all; i++) {
		size_t other = i > x->n ? i - x->n - 1 : 0, of = other / tries;
		struct one *o = &x->one[i];

		o->x = x;
		o->plastic = i != x->n;
		o->ratio = kit_number(p, params[RATIO].name);
		o->w_0 = kit_number(p, params[W_0].name);
		if (i > x->n && of < n_ratios)
			o->ratio = ratios[of];
		else if (i > x->n)
			o->w_0 = starts[of - n_ratios];
		/* What is tried besides sees the input of the first runs. */
		o->seed = rng_u64(key, i < x->n ? i : other % tries, 0);
	}
	return 0;
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct search x = { 0 };
	int rc = make(&x, engine_params(c), engine_seed(c), err);

	if (!rc)
		rc = simulate(c, &x, err);
	if (!rc)
		rc = leave(c, &x, err);
	for (size_t i = 0; x.one && i < x.n + x.n_others; i++)
		kit_spikes_free(&x.one[i].spikes);
	mem_free(x.one);
	return rc;
}

static const struct experiment_plot plots[] = {
	{ .table = "time",
	  .title = "Hits over time",
	  .text = "At first the neuron fires on everything; when it has found the pattern it fires "
		  "whenever it is shown.",
	  .x = "time_s",
	  .by = "seed",
	  .curve = { { .y = "hits", .label = "part of the patterns with a spike" } } },
	{ .table = "time",
	  .title = "False alarms",
	  .text = "Spikes per second outside the pattern: from dozens to few or none.",
	  .x = "time_s",
	  .by = "seed",
	  .curve = { { .y = "false_alarms_hz", .label = "false alarms" } } },
	{ .table = "time",
	  .title = "Latency",
	  .text = "Time from the pattern's beginning to the first spike: it falls to a few ms, "
		  "since "
		  "afferents that fire just before the spike gain.",
	  .x = "time_s",
	  .by = "seed",
	  .curve = { { .y = "latency_ms", .label = "latency", .points = true } } },
	{ .table = "weights",
	  .title = "Weights in the end",
	  .text = "Large weights are left inside the pattern only: those of the afferents that "
		  "fire "
		  "early in it.",
	  .x = "weight",
	  .curve = { { .y = "inside", .label = "afferents of the pattern" },
		     { .y = "outside", .label = "other afferents" } } },
};

const struct experiment experiment_pattern_detection = {
	.name = "pattern_detection",
	.title = "A pattern found in noise",
	.doc = "STDP makes a neuron fire on a pattern of spikes that comes again and again, hidden "
	       "in "
	       "noise of the same rates, and on nothing else.",
	.cite = "10.1371/journal.pone.0001377",
	.score = { "part_found", "of runs", true,
		   "Masquelier et al. (2008): 96 of 100 runs with hits above 98 % and no false "
		   "alarm; "
		   "18 of 20 are asked for." },
	.science = "{\"seconds\": 450, \"seeds\": 20, \"ratios\": [0.8, 0.875, 0.9, 0.925], "
		   "\"starts\": [0.3, 0.4, 0.55, 0.65]}",
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.run = run,
};
