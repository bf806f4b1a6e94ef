/* correlated_inputs - STDP tells inputs that fire together from those that do not.
 *
 * Half of a cell's Poisson inputs share a source: counts of two of them are correlated, with a time
 * constant tau_c; the others fire at the same rate, each for itself. Spikes of the first half come in
 * company, so that they precede the cell's more often than chance has it; under additive pair STDP they
 * win. Cell and rule are those of Song, Miller, Abbott (2000), doi:10.1038/78829, conductances in units
 * of the leak; inputs as in Song, Abbott (2001), doi:10.1016/s0896-6273(01)00451-2. Inhibition is one
 * Poisson process of 2000 Hz, which is 200 of 10 Hz. Each correlation is a simulation of its own, all
 * weights at the upper bound at first; numbers are means over the last tenth of the time.
 *
 * Controls: no correlation, where the halves differ by nothing but their names; and the correlated
 * inputs with a postsynaptic train that has nothing to do with them. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>
#include <stdio.h>

#include "core/kit_protocol.h"

enum { CORRELATIONS, TAU_C, RATE, DURATION_S, A_PLUS, RATIO, N_INPUTS, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[CORRELATIONS] = { "correlations",
			   "Correlation of each row, at least 0.001; 0.1 alone if not given.",
			   UNIT_NONE, PARAM_LIST, 0, 0.001, 1 },
	[TAU_C] = { "tau_c_ms", "Time of the correlation.", UNIT_MS, PARAM_NUMBER, 20, 0, 1e4 },
	[RATE] = { "rate_hz", "Rate of each input.", UNIT_HZ, PARAM_NUMBER, 20, 0, 1000,
		   PARAM_OPEN_MIN },
	[DURATION_S] = { "duration_s", "Simulated seconds of a row.", UNIT_NONE, PARAM_NUMBER, 200,
			 0.1, 1e5 },
	[A_PLUS] = { "A_plus", "Potentiation of a pair, a part of the largest weight.", UNIT_NONE,
		     PARAM_NUMBER, 0.005, 0, 0.1 },
	[RATIO] = { "ratio", "Depression over potentiation.", UNIT_NONE, PARAM_NUMBER, 1.05, 0,
		    10 },
	[N_INPUTS] = { "inputs",
		       "Inputs; the largest weight is such that all together are as strong.",
		       UNIT_NONE, PARAM_INTEGER, 1000, 10, 10000 },
};

#define G_ALL	     15.0 /* of the leak, all at the bound: 1000 of 0.015 */
#define G_INHIBITED  0.05
#define TAU	     20.0 /* ms, of both windows */
#define DT	     0.2  /* ms */
#define UNRELATED_HZ 15.0

#define CORRELATION 0.1 /* where the target stands, and the least for it */
#define FACTOR	    3.0

enum { ROWS_MAX = 10, LOOKS = 100, LATE = LOOKS / 10, BINS = 20 };
enum { TOGETHER, ALONE, HALVES };

static const char *const halves[HALVES] = { "together", "alone" };

struct row {
	double correlation;
	bool unrelated; /* no cell, but a Poisson train */
	double g_max;
	struct kit_spikes spikes;
	struct kit_sample sample;
	size_t n;				/* looks */
	double t[LOOKS], mean[HALVES][LOOKS];	/* s, of g_max */
	double part[HALVES][BINS], end[HALVES]; /* means over the last looks */
	double out_hz;
};

struct inputs {
	const json_t *p;
	size_t n;     /* rows that were asked for; two controls follow */
	size_t shown; /* the first row with the correlation that the target asks for, or the last */
	struct row row[ROWS_MAX + 2]; /* [n + 2] */
};

/* ---- a row as a simulation ---- */

static json_t *synapse(const struct inputs *x, const struct row *r)
{
	double a = kit_number(x->p, "A_plus") * r->g_max;

	return json_pack("{s:s, s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f, s:f}}", "model", "stdp_pair",
			 "weight", r->g_max, "delay_ms", DT, "params", "A_plus", a, "A_minus",
			 -kit_number(x->p, "ratio") * a, "tau_plus", TAU, "tau_minus", TAU, "w_min",
			 0.0, "w_max", r->g_max);
}

static void build(const struct inputs *x, const struct row *r, struct kit_spec *k, uint64_t seed)
{
	size_t n = (size_t)kit_number(x->p, "inputs"), half[HALVES] = { n / 2, n - n / 2 };

	kit_begin(k, DT, kit_number(x->p, "duration_s") * 1000, seed);
	if (r->unrelated) {
		kit_population(k, "cell", "poisson_generator", 1,
			       json_pack("{s:f}", "rate", UNRELATED_HZ));
	} else {
		kit_population(k, "cell", "iaf_cond_exp", 1,
			       json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}",
					 "C_m", 20.0, "g_L", 1.0, "E_L", -74.0, "V_th", -54.0,
					 "V_reset", -60.0, "t_ref", 0.0, "E_ex", 0.0, "E_in", -70.0,
					 "tau_syn_ex", 5.0, "tau_syn_in", 5.0));
		kit_population(k, "inhibition", "poisson_generator", 1,
			       json_pack("{s:f}", "rate", 2000.0));
		kit_projection(k, "inhibit", "inhibition", "cell", kit_rule("all_to_all"),
			       json_pack("{s:s, s:f, s:f}", "model", "static", "weight",
					 -G_INHIBITED, "delay_ms", DT));
	}
	for (int h = 0; h < HALVES; h++) {
		kit_population(k, halves[h], "correlated_poisson_generator", half[h],
			       json_pack("{s:f, s:f, s:f}", "rate", kit_number(x->p, "rate_hz"),
					 "correlation", h == TOGETHER ? r->correlation : 0.0,
					 "tau_c", kit_number(x->p, "tau_c_ms")));
		kit_projection(k, h == TOGETHER ? "learn_together" : "learn_alone", halves[h],
			       "cell", kit_rule("all_to_all"), synapse(x, r));
	}
}

static int look_at_half(struct row *r, const struct sim *s, int h, bool late, struct err *err)
{
	double *w = NULL;
	size_t n = 0;
	int rc = kit_weights(s, h == TOGETHER ? "learn_together" : "learn_alone", &w, &n, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		w[i] /= r->g_max;
	r->mean[h][r->n] = kit_mean(w, n);
	r->end[h] += late ? r->mean[h][r->n] / LATE : 0;
	for (int b = 0; b < BINS && late; b++)
		r->part[h][b] += kit_part(w, n, b ? (double)b / BINS : -1,
					  b + 1 < BINS ? (double)(b + 1) / BINS : 2) /
				 LATE;
	mem_free(w);
	return 0;
}

static int look(void *self, const struct sim *s, double t_ms, struct err *err)
{
	struct row *r = self;
	bool late = r->n >= LOOKS - LATE;
	int rc;

	if (r->n == LOOKS)
		return 0;
	rc = look_at_half(r, s, TOGETHER, late, err);
	if (!rc)
		rc = look_at_half(r, s, ALONE, late, err);
	r->t[r->n++] = t_ms / 1000;
	return rc;
}

static int at_start(void *self, struct sim *s, struct err *err)
{
	struct row *r = self;
	const struct spec *spec = sim_spec(s);
	double ms = (double)spec->steps * spec->dt;
	int rc;

	r->spikes = (struct kit_spikes){ .population = "cell",
					 .from_ms = ms * (1 - (double)LATE / LOOKS) };
	r->sample = (struct kit_sample){ .every_ms = ms / LOOKS, .self = r, .at = look };
	rc = r->unrelated ? 0 : kit_spikes_watch(&r->spikes, s, err);
	return rc ? rc : kit_sample_watch(&r->sample, s, err);
}

static int at_end(void *self, const struct sim *s, struct err *err)
{
	struct row *r = self;
	const struct spec *spec = sim_spec(s);

	(void)err;
	r->out_hz = (double)r->spikes.n * LOOKS / LATE * 1000 / ((double)spec->steps * spec->dt);
	kit_spikes_free(&r->spikes);
	return 0;
}

/* Ascending. */
static void sort(double *c, size_t n)
{
	for (size_t k = 1; k < n; k++) {
		double one = c[k];
		size_t i = k;

		for (; i > 0 && c[i - 1] > one; i--)
			c[i] = c[i - 1];
		c[i] = one;
	}
}

static int read_rows(struct inputs *x, const json_t *p, struct err *err)
{
	size_t listed = json_array_size(json_object_get(p, "correlations"));
	double c[ROWS_MAX] = { CORRELATION }, g_max = G_ALL / kit_number(p, "inputs");

	if (listed > ROWS_MAX)
		return err_set(err, ERR_LIMIT, "/params/correlations",
			       "expected at most %d correlations, found %zu", ROWS_MAX, listed);
	(void)kit_list(p, "correlations", c, ROWS_MAX);
	x->p = p;
	x->n = listed ? listed : 1;
	sort(c, x->n);
	while (x->shown + 1 < x->n && c[x->shown] < CORRELATION)
		x->shown++;
	for (size_t i = 0; i < x->n; i++)
		x->row[i] = (struct row){ .correlation = c[i], .g_max = g_max };
	x->row[x->n] = (struct row){ .g_max = g_max };
	x->row[x->n + 1] =
		(struct row){ .correlation = c[x->shown], .unrelated = true, .g_max = g_max };
	return 0;
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct inputs *x = mem_alloc(1, sizeof(*x));
	struct err err = { 0 };
	struct kit_spec k;
	int rc;

	if (!x)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	rc = read_rows(x, p, &err);
	if (rc) {
		(void)kit_protocol_refuse(&err, prefix, errors);
	} else {
		build(x, &x->row[0], &k, 0);
		rc = kit_check(&k, prefix, limits, errors);
		kit_end(&k);
	}
	mem_free(x);
	return rc;
}

static int simulate(struct experiment_ctx *c, struct inputs *x, struct err *err)
{
	struct kit_spec k[ROWS_MAX + 2] = { 0 };
	struct engine_look looks[ROWS_MAX + 2] = { 0 };
	size_t n = x->n + 2;
	int rc;

	for (size_t i = 0; i < n; i++) {
		build(x, &x->row[i], &k[i], engine_seed(c) + i);
		looks[i] = (struct engine_look){ &x->row[i], at_start, at_end };
	}
	rc = kit_simulate_many(c, k, looks, n, err);
	for (size_t i = 0; i < n; i++) {
		kit_end(&k[i]);
		kit_spikes_free(&x->row[i].spikes);
	}
	return rc;
}

/* ---- results ---- */

static double factor(const struct row *r)
{
	return r->end[TOGETHER] / r->end[ALONE];
}

static int targets(struct experiment_ctx *c, const struct inputs *x, struct err *err)
{
	static const char *const controls[] = {
		"control, no correlation: one half over the other",
		"control, unrelated spikes: correlated half over the other",
	};
	int rc = 0;

	engine_score(c, factor(&x->row[x->shown]));
	for (size_t i = 0; i < x->n && !rc; i++) {
		const struct row *r = &x->row[i];
		char name[80];
		const struct engine_target t = { name, "", factor(r), FACTOR, (double)INFINITY };

		(void)snprintf(name, sizeof(name),
			       "correlated half over the other, mean weight at c = %g",
			       r->correlation);
		if (r->correlation >= CORRELATION)
			rc = engine_target(c, &t, err);
	}
	for (size_t i = 0; i < COUNTOF(controls) && !rc; i++)
		rc = engine_target(c,
				   &(struct engine_target){ controls[i], "",
							    factor(&x->row[x->n + i]), 0.8, 1.25 },
				   err);
	return rc;
}

static int rows_table(struct experiment_ctx *c, const struct inputs *x, struct err *err)
{
	double correlation[ROWS_MAX + 1], together[ROWS_MAX + 1], alone[ROWS_MAX + 1];
	double out[ROWS_MAX + 1];

	/* The control without correlation first, as a row of its own. */
	for (size_t i = 0; i <= x->n; i++) {
		const struct row *r = &x->row[i ? i - 1 : x->n];

		correlation[i] = r->correlation;
		together[i] = r->end[TOGETHER];
		alone[i] = r->end[ALONE];
		out[i] = r->out_hz;
	}
	return kit_table(c, "rows",
			 (const struct kit_column[]){ { "correlation", "", correlation },
						      { "together", "g_max", together },
						      { "alone", "g_max", alone },
						      { "rate_out", "Hz", out } },
			 4, x->n + 1, err);
}

static void bin_middles(double middle[BINS])
{
	for (int b = 0; b < BINS; b++)
		middle[b] = (b + 0.5) / BINS;
}

/* Of the row that is shown and the controls. */
static int details(struct experiment_ctx *c, const struct inputs *x, struct err *err)
{
	const struct row *r = &x->row[x->shown], *none = &x->row[x->n], *unrelated = none + 1;
	const struct kit_column courses[] = {
		{ "t", "s", r->t },
		{ "together", "g_max", r->mean[TOGETHER] },
		{ "alone", "g_max", r->mean[ALONE] },
		{ "no_correlation", "g_max", none->mean[TOGETHER] },
		{ "no_correlation_other", "g_max", none->mean[ALONE] },
		{ "unrelated", "g_max", unrelated->mean[TOGETHER] },
		{ "unrelated_other", "g_max", unrelated->mean[ALONE] },
	};
	double middle[BINS];
	const struct kit_column weights[] = {
		{ "weight", "g_max", middle },
		{ "together", "", r->part[TOGETHER] },
		{ "alone", "", r->part[ALONE] },
		{ "no_correlation", "", none->part[TOGETHER] },
	};
	int rc = kit_table(c, "courses", courses, COUNTOF(courses), r->n, err);

	bin_middles(middle);
	return rc ? rc : kit_table(c, "weights", weights, COUNTOF(weights), BINS, err);
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct inputs *x = mem_alloc(1, sizeof(*x));
	int rc = x ? read_rows(x, engine_params(c), err) : err_nomem(err);

	if (!rc)
		rc = simulate(c, x, err);
	if (!rc)
		rc = rows_table(c, x, err);
	if (!rc)
		rc = details(c, x, err);
	if (!rc)
		rc = targets(c, x, err);
	mem_free(x);
	return rc;
}

static const struct experiment_plot plots[] = {
	{ .table = "courses",
	  .title = "The halves part",
	  .text = "Mean weight of the half that fires together and of the other, and both halves "
		  "of "
		  "the controls, which stay together.",
	  .x = "t",
	  .curve = { { .y = "together" },
		     { .y = "alone" },
		     { .y = "no_correlation" },
		     { .y = "no_correlation_other" },
		     { .y = "unrelated" },
		     { .y = "unrelated_other" } } },
	{ .table = "weights",
	  .title = "Where the weights end",
	  .text = "Without correlation each half has both heaps; with it they belong to one half "
		  "each.",
	  .x = "weight",
	  .curve = { { .y = "together" }, { .y = "alone" }, { .y = "no_correlation" } } },
	{ .table = "rows",
	  .title = "How much correlation it takes",
	  .text = "Mean weights at the end by the correlation.",
	  .x = "correlation",
	  .curve = { { .y = "together", .points = true }, { .y = "alone", .points = true } } },
};

const struct experiment experiment_correlated_inputs = {
	.name = "correlated_inputs",
	.title = "Inputs that fire together win",
	.doc = "Half of a cell's Poisson inputs are correlated; additive pair STDP gives them the "
	       "weight.",
	.cite = "10.1038/78829",
	.score = { "factor", "", true,
		   "Mean weight of the correlated half over that of the other; at least 3 is asked "
		   "for at a correlation of 0.1." },
	.science = "{\"duration_s\": 1000, \"correlations\": [0.01, 0.02, 0.05, 0.1, 0.2]}",
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
