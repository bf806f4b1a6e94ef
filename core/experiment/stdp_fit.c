/* stdp_fit - the pair rule fitted to measured changes, each side of it by itself:
 *
 *   dw = A_plus  exp(-dt / tau_plus)     dt > 0
 *   dw = A_minus exp( dt / tau_minus)    dt < 0      (A_minus carries its sign)
 *
 * by weighted least squares, with standard errors, and with a plain word where the data cannot
 * determine a parameter. Points at dt = 0 belong to neither side and are counted. The control
 * deals the changes to the differences at random: how often does chance fit as well? */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fmath.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "core/kit_fit.h"
#include "core/kit_protocol.h"

enum { DATA, DT_MS, DW, SEM, TAU_MIN, TAU_MAX, SHUFFLES, N_PARAMS };

enum {
	POINTS_MAX = 100000,
	WORK_MAX = 4000000, /* points times shuffles */
	CURVE = 201,
	PATH_MAX = 64
};

static const struct param_def params[N_PARAMS] = {
	[DATA] = { "data",
		   "Measured changes as a data set: {\"dataset\": id}, a CSV with the columns "
		   "dt_ms (or dt), dw (or dw_mean) and, if the errors are known, sem (or dw_sem). "
		   "Other names: \"dt\", \"dw\", \"sem\" beside the id.",
		   UNIT_NONE, PARAM_OBJECT },
	[DT_MS] = { "dt_ms", "Instead of a data set: the differences t_post - t_pre.", UNIT_MS,
		    PARAM_LIST, 0, -1e6, 1e6 },
	[DW] = { "dw", "The changes measured there, in any unit.", UNIT_NONE, PARAM_LIST, 0,
		 -PARAM_INF, PARAM_INF },
	[SEM] = { "sem", "Their standard errors; if not given all points count the same.",
		  UNIT_NONE, PARAM_LIST, 0, 0, PARAM_INF, PARAM_OPEN_MIN },
	[TAU_MIN] = { "tau_min_ms", "Shortest time constant to look at.", UNIT_MS, PARAM_NUMBER, 1,
		      1e-3, 1e6 },
	[TAU_MAX] = { "tau_max_ms", "Longest time constant to look at.", UNIT_MS, PARAM_NUMBER,
		      1000, 1e-3, 1e6 },
	[SHUFFLES] = { "shuffles", "Random assignments of the control.", UNIT_NONE, PARAM_INTEGER,
		       199, 0, 9999 },
};

/* Made up: the curve of Bi & Poo (2001), 0.777 exp(-dt / 16.8) and -0.273 exp(dt / 33.7), with
 * normal noise of 0.06. */
#define SCIENCE \
	"{\"dt_ms\": [-95, -78, -64, -52, -43, -35, -28, -22, -17, -12, -8, -5," \
	" 4, 6, 9, 12, 16, 21, 27, 34, 42, 53, 66, 80]," \
	" \"dw\": [-0.011, 0.048, -0.097, 0.001, -0.092, -0.112, -0.005, -0.133, -0.167, -0.147, " \
	"-0.148, -0.237," \
	" 0.648, 0.485, 0.433, 0.354, 0.22, 0.132, 0.058, 0.088, 0.053, 0.014, 0.019, -0.073]}"

enum { PLUS, MINUS, N_SIDES };
enum { COLUMN_DT, COLUMN_DW, COLUMN_SEM, N_COLUMNS };

struct data {
	size_t n;
	const double *column[N_COLUMNS]; /* [n]; sem may be NULL */
	double tau_min, tau_max;
	size_t zero;			     /* points at dt = 0 */
	struct kit_fit_points side[N_SIDES]; /* points by side, |dt| for dt */
	double *y[N_SIDES], *se[N_SIDES];    /* the same, to be dealt anew; se may be NULL */
};

/* Reading. */

static double number(const json_t *p, int i)
{
	return kit_number(p, params[i].name);
}

static int read_lists(struct data *d, const json_t *p, struct mem_arena *arena, struct err *err)
{
	static const int row[N_COLUMNS] = { DT_MS, DW, SEM };

	d->n = json_array_size(json_object_get(p, params[DT_MS].name));
	for (int k = 0; k < N_COLUMNS; k++) {
		const char *name = params[row[k]].name;
		size_t n = json_array_size(json_object_get(p, name));
		double *x = NEW(arena, double, n + 1);
		char path[PATH_MAX];

		if (!x)
			return err_nomem(err);
		(void)snprintf(path, sizeof(path), "/params/%s", name);
		if (n != d->n && (k != COLUMN_SEM || n > 0))
			return err_set(err, ERR_CONFLICT, path,
				       "expected %zu values, as many as dt_ms has, found %zu", d->n,
				       n);
		(void)kit_list(p, name, x, n);
		d->column[k] = n > 0 ? x : NULL;
	}
	return 0;
}

/* Names of columns: the one said, else those usual. */
static const char *const usual[N_COLUMNS][4] = {
	{ "dt", "dt_ms", "dt", NULL },
	{ "dw", "dw", "dw_mean", NULL },
	{ "sem", "sem", "dw_sem", NULL },
};

static int read_column(struct experiment_ctx *c, const json_t *set, int k, const double **ret,
		       size_t *ret_n, struct err *err)
{
	const char *id = json_string_value(json_object_get(set, "dataset"));
	const char *said = json_string_value(json_object_get(set, usual[k][0]));
	struct err found = { 0 };
	int rc = said ? engine_dataset(c, id, said, ret, ret_n, &found) : -ERR_NOTFOUND;

	for (size_t i = 1; !said && rc == -ERR_NOTFOUND && usual[k][i]; i++)
		rc = engine_dataset(c, id, usual[k][i], ret, ret_n, &found);
	if (rc == -ERR_NOTFOUND && !said && k != COLUMN_SEM)
		return err_set(err, ERR_NOTFOUND, "/params/data",
			       "data set \"%.60s\" has no column %s or %s; name it by \"%s\"", id,
			       usual[k][1], usual[k][2], usual[k][0]);
	if (rc == -ERR_NOTFOUND && !said)
		return 0;
	return rc ? err_set(err, (enum err_code) - rc, "/params/data", "%s", found.text) : 0;
}

static int read_dataset(struct experiment_ctx *c, struct data *d, const json_t *set,
			struct err *err)
{
	for (int k = 0; k < N_COLUMNS; k++) {
		size_t n = 0;
		int rc = read_column(c, set, k, &d->column[k], &n, err);

		if (rc)
			return rc;
		if (k == COLUMN_DT)
			d->n = n;
		else if (d->column[k] && n != d->n)
			return err_set(err, ERR_CONFLICT, "/params/data",
				       "column %s has %zu values, dt has %zu", usual[k][0], n,
				       d->n);
	}
	return 0;
}

/* What is wrong with the parameters, without a look at a data set. */
static int check_params(const json_t *p, struct err *err)
{
	static const char *const keys[] = { "dataset", "dt", "dw", "sem" };
	const json_t *set = json_object_get(p, params[DATA].name);
	bool lists = json_array_size(json_object_get(p, params[DT_MS].name)) > 0;
	size_t known = 0;

	if (!(number(p, TAU_MIN) < number(p, TAU_MAX)))
		return err_set(err, ERR_CONFLICT, "/params/tau_max_ms",
			       "tau_max_ms must be greater than tau_min_ms = %g, not %g",
			       number(p, TAU_MIN), number(p, TAU_MAX));
	if (json_object_size(set) == 0)
		return lists ? 0
			     : err_set(err, ERR_MISSING, "/params/data",
				       "expected a data set, or the lists dt_ms and dw");
	if (lists)
		return err_set(err, ERR_CONFLICT, "/params/dt_ms",
			       "expected a data set or lists, found both");
	for (size_t i = 0; i < COUNTOF(keys); i++)
		known += json_is_string(json_object_get(set, keys[i]));
	if (known != json_object_size(set) || !json_object_get(set, keys[0]))
		return err_set(err, ERR_TYPE, "/params/data",
			       "expected \"dataset\" and perhaps \"dt\", \"dw\" and \"sem\", all "
			       "of them strings");
	return 0;
}

static int check_points(const struct data *d, size_t shuffles, struct err *err)
{
	if (d->n == 0 || d->n > POINTS_MAX || d->n * shuffles > WORK_MAX)
		return err_set(err, ERR_LIMIT, "/params",
			       "expected 1 to %d points, at most %d times shuffles, found %zu "
			       "points and %zu shuffles",
			       POINTS_MAX, WORK_MAX, d->n, shuffles);
	for (size_t i = 0; i < d->n; i++) {
		const double *se = d->column[COLUMN_SEM];

		if (!isfinite(d->column[COLUMN_DT][i]) || !isfinite(d->column[COLUMN_DW][i]))
			return err_set(err, ERR_RANGE, "/params/data",
				       "row %zu: dt and dw must be numbers", i + 1);
		if (se && !(se[i] > 0 && isfinite(se[i])))
			return err_set(err, ERR_RANGE, "/params/data",
				       "row %zu: sem must be greater than 0, found %g", i + 1,
				       se[i]);
	}
	return 0;
}

static int split(struct data *d, struct mem_arena *arena, struct err *err)
{
	const double *dt = d->column[COLUMN_DT], *sem = d->column[COLUMN_SEM];

	for (int k = 0; k < N_SIDES; k++) {
		double *t = NEW(arena, double, d->n);
		size_t n = 0;

		d->y[k] = NEW(arena, double, d->n);
		d->se[k] = sem ? NEW(arena, double, d->n) : NULL;
		if (!t || !d->y[k] || (sem && !d->se[k]))
			return err_nomem(err);
		for (size_t i = 0; i < d->n; i++) {
			if (k == PLUS ? !(dt[i] > 0) : !(dt[i] < 0))
				continue;
			t[n] = fabs(dt[i]);
			d->y[k][n] = d->column[COLUMN_DW][i];
			if (sem)
				d->se[k][n] = sem[i];
			n++;
		}
		d->side[k] = (struct kit_fit_points){ t, d->y[k], d->se[k], n };
	}
	d->zero = d->n - d->side[PLUS].n - d->side[MINUS].n;
	return 0;
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct mem_arena arena;
	struct data d = { 0 };
	struct err err = { 0 };
	int rc = check_params(p, &err);

	(void)limits;
	mem_arena_init(&arena, 0);
	if (!rc && json_object_size(json_object_get(p, params[DATA].name)) == 0) {
		rc = read_lists(&d, p, &arena, &err);
		if (!rc)
			rc = check_points(&d, (size_t)number(p, SHUFFLES), &err);
	}
	mem_arena_release(&arena);
	return rc ? kit_protocol_refuse(&err, prefix, errors) : 0;
}

static int read_all(struct experiment_ctx *c, struct data *d, struct mem_arena *arena,
		    struct err *err)
{
	const json_t *p = engine_params(c), *set = json_object_get(p, params[DATA].name);
	int rc = check_params(p, err);

	d->tau_min = number(p, TAU_MIN);
	d->tau_max = number(p, TAU_MAX);
	if (!rc)
		rc = json_object_size(set) > 0 ? read_dataset(c, d, set, err)
					       : read_lists(d, p, arena, err);
	if (!rc)
		rc = check_points(d, (size_t)number(p, SHUFFLES), err);
	return rc ? rc : split(d, arena, err);
}

/* Fitting. */

static void fit(const struct data *d, struct kit_fit_decay *f)
{
	for (int k = 0; k < N_SIDES; k++)
		kit_fit_decay(&f[k], &d->side[k], d->tau_min, d->tau_max);
}

/* Of both sides together; 0 where nothing varies. */
static double explained(const struct data *d, const struct kit_fit_decay *f)
{
	double sum = 0, weights = 0, total = 0;

	for (int pass = 0; pass < 2; pass++)
		for (int k = 0; k < N_SIDES; k++)
			for (size_t i = 0; i < d->side[k].n; i++) {
				double se = d->side[k].se ? d->side[k].se[i] : 1;
				double w = 1 / (se * se), y = d->side[k].y[i];

				sum += pass ? 0 : w * y;
				weights += pass ? 0 : w;
				total += pass ? w * (y - sum / weights) * (y - sum / weights) : 0;
			}
	return total > 0 ? 1 - (f[PLUS].sum_squares + f[MINUS].sum_squares) / total : 0;
}

static void swap(double *a, double *b)
{
	double kept = *a;

	*a = *b;
	*b = kept;
}

/* Changes, with their errors, dealt anew among the points of both sides: Fisher & Yates. */
static void deal(const struct data *d, struct rng_key key, uint64_t round)
{
	size_t n_plus = d->side[PLUS].n;

	for (size_t i = n_plus + d->side[MINUS].n; i > 1; i--) {
		size_t a = i - 1, b = (size_t)rng_below(key, round, i, i);
		int side_a = a < n_plus ? PLUS : MINUS, side_b = b < n_plus ? PLUS : MINUS;

		a -= side_a == PLUS ? 0 : n_plus;
		b -= side_b == PLUS ? 0 : n_plus;
		swap(&d->y[side_a][a], &d->y[side_b][b]);
		if (d->se[PLUS])
			swap(&d->se[side_a][a], &d->se[side_b][b]);
	}
}

/* How often chance explains as much; destroys the order of the changes. */
static int control(struct experiment_ctx *c, const struct data *d, double r2, struct err *err)
{
	struct rng_key key = rng_key(engine_seed(c), RNG_EXPERIMENT, "stdp_fit");
	size_t n = (size_t)number(engine_params(c), SHUFFLES), as_good = 1;
	struct kit_fit_decay f[N_SIDES];
	double sum = 0, one;
	int rc;

	for (size_t i = 0; i < n; i++) {
		deal(d, key, i);
		fit(d, f);
		one = explained(d, f);
		sum += one;
		as_good += one >= r2;
	}
	if (n == 0)
		return 0;
	rc = engine_metric(c, "control_r2", sum / (double)n, err);
	return rc ? rc
		  : engine_target(c,
				  &(struct engine_target){ "control_p", "",
							   (double)as_good / (double)(n + 1), 0,
							   0.05 },
				  err);
}

/* Results. */

static const char *const names[N_SIDES][2] = { { "A_plus", "tau_plus" },
					       { "A_minus", "tau_minus" } };

static int metric(struct experiment_ctx *c, const char *name, const char *more, double x,
		  struct err *err)
{
	char text[PATH_MAX];

	(void)snprintf(text, sizeof(text), "%s%s", name, more);
	return isfinite(x) ? engine_metric(c, text, x, err) : 0;
}

static int note(struct experiment_ctx *c, const struct data *d, int side, int which,
		const struct kit_fit_decay *f, struct err *err)
{
	const char *name = names[side][which];
	enum kit_fit_fault fault = which ? f->fault_tau : f->fault_a;

	switch (fault) {
	case FIT_OK:
		return 0;
	case FIT_FEW:
		return engine_remark(c, err,
				     "%s is not determined: this side has %zu of the 3 points "
				     "needed.",
				     name, f->n);
	case FIT_ONE_TIME:
		return engine_remark(c, err,
				     "%s is not determined: all points of this side are at one dt.",
				     name);
	case FIT_SHORT:
		return engine_remark(
			c, err,
			"%s is not determined: the shortest tau allowed, %g ms, fits as "
			"well within one standard error.",
			name, d->tau_min);
	case FIT_LONG:
		return engine_remark(
			c, err,
			"%s is not determined: the longest tau allowed, %g ms, fits as "
			"well within one standard error.",
			name, d->tau_max);
	case FIT_FLAT:
		return engine_remark(
			c, err, "%s is not determined: other values fit exactly as well.", name);
	case FIT_WIDE:
		return engine_remark(
			c, err, "%s is not determined: its standard error is larger than itself.",
			name);
	}
	return 0;
}

static int leave_side(struct experiment_ctx *c, const struct data *d, int side,
		      const struct kit_fit_decay *f, struct err *err)
{
	const double value[2] = { f->a, f->tau }, se[2] = { f->se_a, f->se_tau };
	const enum kit_fit_fault fault[2] = { f->fault_a, f->fault_tau };
	int rc = metric(c, side ? "n_minus" : "n_plus", "", (double)f->n, err);

	if (!rc && f->n > 0)
		rc = metric(c, side ? "r2_minus" : "r2_plus", "", f->r2, err);
	for (int i = 0; i < 2 && !rc; i++) {
		const char *name = names[side][i];

		rc = f->n > 0 ? metric(c, name, "", value[i], err) : 0;
		if (!rc)
			rc = metric(c, name, "_se", se[i], err);
		if (!rc)
			rc = metric(c, name, "_determined", fault[i] == FIT_OK, err);
		if (!rc)
			rc = note(c, d, side, i, f, err);
	}
	return rc;
}

static double curve(const struct kit_fit_decay *f, double dt)
{
	const struct kit_fit_decay *side = &f[dt > 0 ? PLUS : MINUS];

	if (dt == 0)
		return 0;
	return side->n > 0 ? side->a * fmath_exp(-fabs(dt) / side->tau) : HUGE_VAL;
}

static int leave_points(struct experiment_ctx *c, const struct data *d,
			const struct kit_fit_decay *f, struct mem_arena *arena, struct err *err)
{
	double *model = NEW(arena, double, d->n), *rest = NEW(arena, double, d->n);
	double *sem = NEW(arena, double, d->n);
	const struct kit_column columns[] = {
		{ "dt_ms", "ms", d->column[COLUMN_DT] },
		{ "dw", "", d->column[COLUMN_DW] },
		{ "sem", "", sem },
		{ "fit", "", model },
		{ "residual", "", rest },
	};

	if (!model || !rest || !sem)
		return err_nomem(err);
	for (size_t i = 0; i < d->n; i++) {
		model[i] = curve(f, d->column[COLUMN_DT][i]);
		rest[i] = d->column[COLUMN_DW][i] - model[i];
		sem[i] = d->column[COLUMN_SEM] ? d->column[COLUMN_SEM][i] : HUGE_VAL;
	}
	return kit_table(c, "points", columns, COUNTOF(columns), d->n, err);
}

static int leave_curve(struct experiment_ctx *c, const struct data *d,
		       const struct kit_fit_decay *f, struct err *err)
{
	double x[2][CURVE], most = 0; /* dt, dw */
	const struct kit_column columns[] = { { "dt_ms", "ms", x[0] }, { "fit", "", x[1] } };

	for (size_t i = 0; i < d->n; i++)
		most = fabs(d->column[COLUMN_DT][i]) > most ? fabs(d->column[COLUMN_DT][i]) : most;
	for (size_t i = 0; i < CURVE; i++) {
		x[0][i] = most * (2.0 * (double)i / (CURVE - 1) - 1);
		x[1][i] = curve(f, x[0][i]);
	}
	return kit_table(c, "curve", columns, COUNTOF(columns), CURVE, err);
}

static int leave(struct experiment_ctx *c, const struct data *d, const struct kit_fit_decay *f,
		 struct mem_arena *arena, struct err *err)
{
	double r2 = explained(d, f);
	int rc = leave_points(c, d, f, arena, err);

	if (!rc)
		rc = leave_curve(c, d, f, err);
	for (int k = 0; k < N_SIDES && !rc; k++)
		rc = leave_side(c, d, k, &f[k], err);
	if (!rc)
		rc = metric(c, "n_zero", "", (double)d->zero, err);
	if (!rc && d->zero)
		rc = engine_remark(
			c, err, "Left out: %zu at dt = 0, which belongs to neither side.", d->zero);
	if (!rc && d->column[COLUMN_SEM])
		rc = metric(c, "chi2", "", f[PLUS].sum_squares + f[MINUS].sum_squares, err);
	if (!rc)
		rc = metric(c, "r2", "", r2, err);
	engine_score(c, r2);
	return rc ? rc : control(c, d, r2, err);
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct kit_fit_decay f[N_SIDES];
	struct mem_arena arena;
	struct data d = { 0 };
	int rc;

	mem_arena_init(&arena, 0);
	rc = read_all(c, &d, &arena, err);
	if (!rc) {
		fit(&d, f);
		rc = leave(c, &d, f, &arena, err);
	}
	mem_arena_release(&arena);
	return rc;
}

static const struct experiment_plot plots[] = {
	{ .table = "points",
	  .title = "Measurements and fit",
	  .text = "Where the points leave the fit all to one side, the curve is not theirs.",
	  .x = "dt_ms",
	  .curve = { { .y = "dw", .label = "measured", .points = true, .error = "sem" },
		     { .y = "fit", .points = true } } },
	{ .table = "points",
	  .title = "Residuals",
	  .text = "They should scatter about 0 evenly.",
	  .x = "dt_ms",
	  .curve = { { .y = "residual", .points = true, .error = "sem" } } },
	{ .table = "curve",
	  .title = "The fitted window",
	  .text = "For parameters that are not determined it is one of many.",
	  .x = "dt_ms",
	  .curve = { { .y = "fit" } } },
};

const struct experiment experiment_stdp_fit = {
	.name = "stdp_fit",
	.title = "The pair rule fitted to measurements",
	.doc = "Fits both sides of the window of pair STDP to measured changes (dt, dw) and says "
	       "how well the data determine each parameter.",
	.cite = "10.1523/JNEUROSCI.18-24-10464.1998",
	.score = { "r2", "", true,
		   "1: every point on the curve; 0: no better than the mean. control_r2 is what "
		   "chance reaches." },
	.science = SCIENCE,
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
