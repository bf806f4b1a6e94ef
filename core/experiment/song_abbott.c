/* song_abbott - competition of a cell's inputs under additive pair STDP (Song, Miller, Abbott 2000).
 *
 * A thousand Poisson inputs and two hundred inhibitory ones drive a conductance LIF; depression is a
 * little stronger than potentiation, all weights start at the upper bound. The weights part into two
 * groups, and the cell's rate hardly follows the inputs' rate. Conductances are in units of the leak:
 * g_L = 1 nS.
 *
 * The cell's rate hangs on details of a per cent, as depression exceeds potentiation by five. The
 * reference table comes from a program that keeps traces in steps of h = 0.1 ms and counts a pair within one
 * step as potentiation, so the sums of its windows stand as 1.05 exp(-h / 20) = 1.0448 to 1. The engine
 * counts no pair at dt = 0, and a pair's dt at its synapse is the time at the cell and two delays, of a step
 * each, which takes exp(-2 h / 20) off what the cell's spikes owe to their inputs; the excess of
 * depression has to be less by as much. `as_traces` gives the engine this ratio, 1.0443. (An
 * independent program with either convention, 2000 s, 4 seeds, output at 10, 20, 30, 40 Hz, E_L -74:
 * 13.6 13.4 15.6 16.6 Hz with the reference's, 13.5 13.3 15.1 16.8 with the engine's at 1.0443, 12.8
 * 12.5 14.3 16.5 at 1.0448; seeds differ by 0.2 to 0.6 Hz.)
 *
 * That program does not come to all of the table with the reference's convention either: -9 % and -11 % of
 * the output at 40 Hz (E_L -74, -70), CVs of 0.73 to 0.83 where the table has 0.80 to 0.85, 0.195 and 0.287
 * below 0.1 at 10 Hz for 0.226 and 0.324, 0.090 above 0.9 at 40 Hz for 0.104. A row of the table is one
 * run, and at 10 Hz the weights still part after 2000 s.
 *
 * Each row (input rate, resting potential) is a simulation of its own; statistics are of its last
 * half. Controls: with plasticity off the output follows the input; with a postsynaptic train that has
 * nothing to do with the inputs no input gets strong. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fmath.h"
#include "core/kit.h"

enum { RATES, V_REST, DURATION_S, RESOLUTION, A_PLUS, RATIO, AS_TRACES, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[RATES] = { "rates_hz",
		    "Input rate of each row; the six rows of the reference if not given.", UNIT_HZ,
		    PARAM_LIST, 0, 0, 1000, PARAM_OPEN_MIN },
	[V_REST] = { "E_L", "Resting potential of each row; -74 where the list is shorter.",
		     UNIT_MV, PARAM_LIST, 0, -100, -55 },
	[DURATION_S] = { "duration_s",
			 "Simulated seconds of a row; the weights need about a thousand.",
			 UNIT_NONE, PARAM_NUMBER, 100, 0.1, 1e5 },
	[RESOLUTION] = { "resolution_ms", "Time step.", UNIT_MS, PARAM_NUMBER, 0.1, 0.01, 1 },
	[A_PLUS] = { "A_plus", "Potentiation of a pair, a part of the largest weight.", UNIT_NONE,
		     PARAM_NUMBER, 0.005, 0, 1 },
	[RATIO] = { "ratio", "Depression over potentiation.", UNIT_NONE, PARAM_NUMBER, 1.05, 0,
		    10 },
	[AS_TRACES] = { "as_traces",
			"Take the ratio that is to the engine what `ratio` is to a program with "
			"traces in steps of 0.1 ms, which counts a pair within a step as "
			"potentiation and sees no delays.",
			UNIT_NONE, PARAM_BOOL, 1, 0, 1 },
};

#define G_MAX	    0.015 /* of the leak */
#define G_INHIBITED 0.05
#define TAU	    20.0 /* ms, of both windows */

#define REFERENCE_STEP 0.1 /* ms */

enum { INPUTS = 1000, INHIBITORY = 200, ROWS_MAX = 12, BINS = 20, LOOKS = 100 };

/* An independent program in C, 2000 s, dt 0.1 ms, statistics of the last half. */
struct reference {
	double rate, e_l;
	double out, cv, mean, low, high;
};

static const struct reference references[] = {
	{ 10, -74, 14.7, 0.846, 0.639, 0.226, 0.470 },
	{ 20, -74, 14.1, 0.845, 0.324, 0.543, 0.215 },
	{ 30, -74, 15.9, 0.842, 0.218, 0.673, 0.131 },
	{ 40, -74, 18.3, 0.842, 0.168, 0.733, 0.104 },
	{ 10, -70, 14.1, 0.826, 0.547, 0.324, 0.400 },
	{ 40, -70, 20.9, 0.804, 0.144, 0.759, 0.076 },
};

enum { REFERENCES = COUNTOF(references), MEASURES = 5 };

struct row {
	double rate, e_l, duration_s, resolution, a_plus, ratio;
	bool plastic;
	double unrelated_hz; /* above 0: no cell, but a Poisson train of this rate */
	struct kit_spikes spikes;
	struct kit_sample sample;
	double looks;			 /* at the weights, in the last half */
	double mean, low, high, w[BINS]; /* sums over them; w: parts in bins */
	double t[LOOKS], mean_at[LOOKS];
	size_t n_looks;
	double out, cv;
};

struct song {
	struct row row[ROWS_MAX];
	size_t n;
	struct row
		off[2]; /* plasticity off, lowest and highest rate of the first resting potential */
	struct row unrelated;
	bool published; /* parameters and length of the reference */
};

/* ---- a row as a simulation ---- */

static json_t *synapse(const struct row *x)
{
	if (!x->plastic)
		return json_pack("{s:s, s:f, s:f}", "model", "static", "weight", G_MAX, "delay_ms",
				 x->resolution);
	return json_pack("{s:s, s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f, s:f}}", "model", "stdp_pair",
			 "weight", G_MAX, "delay_ms", x->resolution, "params", "A_plus",
			 x->a_plus * G_MAX, "A_minus", -x->ratio * x->a_plus * G_MAX, "tau_plus",
			 TAU, "tau_minus", TAU, "w_min", 0.0, "w_max", G_MAX);
}

static json_t *cell(const struct row *x)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "C_m", 20.0, "g_L",
			 1.0, "E_L", x->e_l, "V_th", -54.0, "V_reset", -60.0, "t_ref", 0.0, "E_ex",
			 0.0, "E_in", -70.0, "tau_syn_ex", 5.0, "tau_syn_in", 5.0);
}

static void build(const struct row *x, struct kit_spec *k, uint64_t seed)
{
	kit_begin(k, x->resolution, x->duration_s * 1000, seed);
	kit_population(k, "inputs", "poisson_generator", INPUTS,
		       json_pack("{s:f}", "rate", x->rate));
	if (x->unrelated_hz > 0) {
		kit_population(k, "cell", "poisson_generator", 1,
			       json_pack("{s:f}", "rate", x->unrelated_hz));
	} else {
		kit_population(k, "cell", "iaf_cond_exp", 1, cell(x));
		kit_population(k, "inhibition", "poisson_generator", INHIBITORY,
			       json_pack("{s:f}", "rate", 10.0));
		kit_projection(k, "inhibit", "inhibition", "cell", kit_rule("all_to_all"),
			       json_pack("{s:s, s:f, s:f}", "model", "static", "weight",
					 -G_INHIBITED, "delay_ms", x->resolution));
	}
	kit_projection(k, "learn", "inputs", "cell", kit_rule("all_to_all"), synapse(x));
}

static int look(void *self, const struct sim *s, double t_ms, struct err *err)
{
	struct row *x = self;
	double *w = NULL;
	size_t n = 0;
	int rc = kit_weights(s, "learn", &w, &n, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		w[i] /= G_MAX;
	if (x->n_looks < LOOKS) {
		x->t[x->n_looks] = t_ms / 1000;
		x->mean_at[x->n_looks++] = kit_mean(w, n);
	}
	if (t_ms > 500 * x->duration_s) {
		x->looks++;
		x->mean += kit_mean(w, n);
		x->low += kit_part(w, n, -1, 0.1);
		x->high += kit_part(w, n, 0.9, 2);
		for (int b = 0; b < BINS; b++)
			x->w[b] += kit_part(w, n, b ? (double)b / BINS : -1,
					    b + 1 < BINS ? (double)(b + 1) / BINS : 2);
	}
	mem_free(w);
	return 0;
}

static int at_start(void *self, struct sim *s, struct err *err)
{
	struct row *x = self;
	int rc = 0;

	x->spikes = (struct kit_spikes){ .population = "cell", .from_ms = 500 * x->duration_s };
	x->sample = (struct kit_sample){ .every_ms = x->duration_s * 1000 / LOOKS,
					 .self = x,
					 .at = look };
	if (x->unrelated_hz <= 0)
		rc = kit_spikes_watch(&x->spikes, s, err);
	if (!rc && x->plastic)
		rc = kit_sample_watch(&x->sample, s, err);
	return rc;
}

static int at_end(void *self, const struct sim *s, struct err *err)
{
	struct row *x = self;

	(void)s;
	(void)err;
	x->out = (double)x->spikes.n / (0.5 * x->duration_s);
	x->cv = kit_isi_cv(x->spikes.ms, x->spikes.n);
	x->mean /= x->looks;
	x->low /= x->looks;
	x->high /= x->looks;
	for (int b = 0; b < BINS; b++)
		x->w[b] /= x->looks;
	return 0;
}

/* ---- parameters ---- */

static bool published(const json_t *p)
{
	return kit_number(p, "A_plus") == params[A_PLUS].def &&
	       kit_number(p, "ratio") == params[RATIO].def && kit_true(p, "as_traces") &&
	       kit_number(p, "duration_s") >= 1000 && kit_number(p, "resolution_ms") <= 0.1;
}

static void controls(struct song *x)
{
	size_t least = 0, most = 0;

	for (size_t i = 1; i < x->n; i++) {
		if (x->row[i].e_l != x->row[0].e_l)
			continue;
		least = x->row[i].rate < x->row[least].rate ? i : least;
		most = x->row[i].rate > x->row[most].rate ? i : most;
	}
	x->off[0] = x->row[least];
	x->off[1] = x->row[most];
	x->unrelated = x->row[most];
	x->unrelated.unrelated_hz = 15; /* what the cell fires at */
	for (size_t i = 0; i < 2; i++) {
		x->off[i].plastic = false;
		x->off[i].duration_s = fmin(x->row[0].duration_s, 100);
	}
}

/* The reference's sums of windows, and its excess as the engine sees what lies two delays apart. */
static double as_traces(double ratio, double delay_ms)
{
	double sums = ratio * fmath_exp(-REFERENCE_STEP / TAU);

	return 1 + (sums - 1) * fmath_exp(-2 * delay_ms / TAU);
}

static void read_rows(struct song *x, const json_t *p)
{
	double ratio = kit_true(p, "as_traces")
			       ? as_traces(kit_number(p, "ratio"), kit_number(p, "resolution_ms"))
			       : kit_number(p, "ratio");
	double rates[ROWS_MAX], e_l[ROWS_MAX];
	size_t n_e_l = kit_list(p, "E_L", e_l, ROWS_MAX);

	x->n = kit_list(p, "rates_hz", rates, ROWS_MAX);
	x->published = published(p);
	for (size_t i = 0; i < (x->n ? x->n : REFERENCES); i++)
		x->row[i] = (struct row){
			.rate = x->n ? rates[i] : references[i].rate,
			.e_l = i < n_e_l ? e_l[i]
			       : x->n	 ? -74
					 : references[i].e_l,
			.duration_s = kit_number(p, "duration_s"),
			.resolution = kit_number(p, "resolution_ms"),
			.a_plus = kit_number(p, "A_plus"),
			.ratio = ratio,
			.plastic = true,
		};
	x->n = x->n ? x->n : REFERENCES;
	controls(x);
}

static int too_many(const json_t *p, const char *prefix, struct err_list *errors)
{
	char path[ERR_PATH_MAX];

	if (json_array_size(json_object_get(p, "rates_hz")) <= ROWS_MAX)
		return 0;
	(void)snprintf(path, sizeof(path), "%.100s/params/rates_hz", prefix);
	return err_list_add(errors, ERR_LIMIT, path, "at most %d rows are possible", ROWS_MAX);
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct song *x = mem_alloc(1, sizeof(*x));
	int rc = x ? too_many(p, prefix, errors)
		   : err_list_add(errors, ERR_NOMEM, "", "out of memory");

	if (!rc) {
		struct kit_spec k;

		read_rows(x, p);
		build(&x->row[0], &k, 0);
		rc = kit_check(&k, prefix, limits, errors);
		kit_end(&k);
	}
	mem_free(x);
	return rc;
}

/* ---- results ---- */

static int target(struct experiment_ctx *c, const char *what, const struct row *x, const char *unit,
		  const double range[3], struct err *err)
{
	char name[96];
	struct engine_target t = { name, unit, range[0], range[1], range[2] };

	if (x)
		(void)snprintf(name, sizeof(name), "%s at %g Hz, E_L %g mV", what, x->rate, x->e_l);
	else
		(void)snprintf(name, sizeof(name), "%s", what);
	return engine_target(c, &t, err);
}

/* The row's entries of the reference within 10 %; how far the worst is goes into *worst. */
static int row_targets(struct experiment_ctx *c, const struct row *x, double *worst,
		       struct err *err)
{
	static const char *const names[MEASURES] = { "output rate", "CV of intervals",
						     "mean weight", "part below 0.1",
						     "part above 0.9" };
	static const char *const units[MEASURES] = { "Hz", "", "g_max", "", "" };

	for (size_t k = 0; k < REFERENCES; k++) {
		const struct reference *r = &references[k];
		const double want[MEASURES] = { r->out, r->cv, r->mean, r->low, r->high };
		const double ours[MEASURES] = { x->out, x->cv, x->mean, x->low, x->high };

		if (r->rate != x->rate || r->e_l != x->e_l)
			continue;
		for (int m = 0; m < MEASURES; m++) {
			const double range[3] = { ours[m], 0.9 * want[m], 1.1 * want[m] };
			int rc = target(c, names[m], x, units[m], range, err);

			if (rc)
				return rc;
			*worst = fmax(*worst, fabs(ours[m] / want[m] - 1));
		}
	}
	return 0;
}

/* Depends on nothing but the rule: where STDP shows, whatever the parameters. */
static int general_targets(struct experiment_ctx *c, const struct song *x, struct err *err)
{
	const struct row *first = &x->off[0], *last = &x->off[1];
	double on[2] = { (double)NAN, (double)NAN };
	int rc = 0;

	for (size_t i = 0; i < x->n && !rc; i++) {
		const struct row *r = &x->row[i];

		if (r->e_l == first->e_l && r->rate == first->rate)
			on[0] = r->out;
		if (r->e_l == last->e_l && r->rate == last->rate)
			on[1] = r->out;
		if (r->rate == 20)
			rc = target(c, "part within 0.1 of a bound", r, "",
				    (double[]){ r->low + r->high, 0.75, (double)INFINITY }, err);
		if (!rc)
			rc = target(c, "irregular firing, CV", r, "", (double[]){ r->cv, 0.8, 0.9 },
				    err);
	}
	if (!rc && last->rate / first->rate >= 4) {
		rc = target(c, "output ratio over the inputs' range", NULL, "",
			    (double[]){ on[1] / on[0], 0, 1.35 }, err);
		if (!rc)
			rc = target(c, "control, plasticity off: output ratio", NULL, "",
				    (double[]){ last->out / first->out, 2, (double)INFINITY }, err);
	}
	return rc ? rc
		  : target(c, "control, unrelated spikes: part above 0.9", NULL, "",
			   (double[]){ x->unrelated.high, 0, 0.02 }, err);
}

static int targets(struct experiment_ctx *c, const struct song *x, struct err *err)
{
	double worst = 0;
	int rc = 0;

	for (size_t i = 0; i < x->n && x->published && !rc; i++)
		rc = row_targets(c, &x->row[i], &worst, err);
	if (x->published)
		engine_score(c, 100 * worst);
	return rc ? rc : general_targets(c, x, err);
}

static int rows_table(struct experiment_ctx *c, const struct song *x, struct err *err)
{
	double rate_in[ROWS_MAX], e_l[ROWS_MAX], out[ROWS_MAX], cv[ROWS_MAX], mean[ROWS_MAX];
	double low[ROWS_MAX], high[ROWS_MAX];

	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];

		rate_in[i] = r->rate;
		e_l[i] = r->e_l;
		out[i] = r->out;
		cv[i] = r->cv;
		mean[i] = r->mean;
		low[i] = r->low;
		high[i] = r->high;
	}
	return kit_table(c, "rows",
			 (const struct kit_column[]){ { "rate_in", "Hz", rate_in },
						      { "E_L", "mV", e_l },
						      { "rate_out", "Hz", out },
						      { "cv", "", cv },
						      { "mean", "g_max", mean },
						      { "below_0.1", "", low },
						      { "above_0.9", "", high } },
			 7, x->n, err);
}

/* Of every row in turn: a histogram of its weights, or their mean over time. */
static int series(struct experiment_ctx *c, const struct song *x, bool over_time, struct err *err)
{
	enum { MOST = LOOKS > BINS ? LOOKS : BINS };
	double(*at)[ROWS_MAX * MOST] = mem_alloc(3, sizeof(*at));
	struct kit_column columns[3];
	size_t n = 0;
	int rc;

	if (!at)
		return err_nomem(err);
	columns[0] = (struct kit_column){ "row", "", at[0] };
	columns[1] =
		(struct kit_column){ over_time ? "t" : "weight", over_time ? "s" : "g_max", at[1] };
	columns[2] =
		(struct kit_column){ over_time ? "mean" : "part", over_time ? "g_max" : "", at[2] };
	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];

		for (size_t k = 0; k < (over_time ? r->n_looks : BINS); k++) {
			at[0][n] = (double)(i + 1);
			at[1][n] = over_time ? r->t[k] : ((double)k + 0.5) / BINS;
			at[2][n++] = over_time ? r->mean_at[k] : r->w[k];
		}
	}
	rc = kit_table(c, over_time ? "mean_weight" : "weights", columns, 3, n, err);
	mem_free(at);
	return rc;
}

/* ---- the run ---- */

static int simulate(struct experiment_ctx *c, struct song *x, struct err *err)
{
	enum { MOST = ROWS_MAX + 3 };
	struct kit_spec specs[MOST];
	struct engine_look looks[MOST];
	struct row *rows[MOST];
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < x->n; i++)
		rows[n++] = &x->row[i];
	rows[n++] = &x->unrelated;
	rows[n++] = &x->off[0];
	rows[n++] = &x->off[1];
	for (size_t i = 0; i < n; i++) {
		build(rows[i], &specs[i], engine_seed(c) + i);
		looks[i] = (struct engine_look){ rows[i], at_start, at_end };
	}
	rc = kit_simulate_many(c, specs, looks, n, err);
	for (size_t i = 0; i < n; i++) {
		kit_end(&specs[i]);
		kit_spikes_free(&rows[i]->spikes);
	}
	return rc;
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct song *x = mem_alloc(1, sizeof(*x));
	struct err_list errors = { 0 };
	int rc = x ? too_many(engine_params(c), "", &errors) : err_nomem(err);

	if (x && rc)
		rc = err_set(err, ERR_LIMIT, errors.first.path, "%s", errors.first.text);
	err_list_release(&errors);
	if (!rc) {
		read_rows(x, engine_params(c));
		rc = simulate(c, x, err);
	}
	if (!rc)
		rc = rows_table(c, x, err);
	if (!rc)
		rc = series(c, x, false, err);
	if (!rc)
		rc = series(c, x, true, err);
	if (!rc)
		rc = targets(c, x, err);
	mem_free(x);
	return rc;
}

static const struct experiment_plot plots[] = {
	{ .table = "weights",
	  .title = "Where the weights end",
	  .text = "Two heaps, one at zero and one at the largest weight; the faster the inputs, "
		  "the "
		  "fewer are strong. A curve is a row of the table.",
	  .x = "weight",
	  .by = "row",
	  .curve = { { .y = "part" } } },
	{ .table = "mean_weight",
	  .title = "How they get there",
	  .text = "All start at the largest weight; the cell first fires fast and regularly, and "
		  "calms down as they fall.",
	  .x = "t",
	  .by = "row",
	  .curve = { { .y = "mean" } } },
	{ .table = "rows",
	  .title = "The output hardly follows the input",
	  .text = "Four times the input changes the output by a third at most.",
	  .x = "rate_in",
	  .by = "E_L",
	  .curve = { { .y = "rate_out", .points = true } } },
};

const struct experiment experiment_song_abbott = {
	.name = "song_abbott",
	.title = "Competition among inputs",
	.doc = "A thousand Poisson inputs compete for a cell by additive pair STDP: the weights "
	       "part "
	       "into a weak and a strong group, and the cell's rate hardly follows its inputs'.",
	.cite = "10.1038/78829",
	.score = { "worst_deviation", "%", false,
		   "Largest deviation from the reference table (rate, CV and weights of six rows, "
		   "an "
		   "independent program, 2000 s each); only with the published parameters and at "
		   "least 1000 s." },
	.science = "{\"duration_s\": 2000}",
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
