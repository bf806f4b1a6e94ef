/* kit_fit.c - see kit_fit.h. */
/* SPDX-License-Identifier: MIT */
#include "core/kit_fit.h"

#include <math.h>
#include <string.h>

#include "core/base/fmath.h"

/* An exponential. */

enum { GRID = 256, GOLDEN_STEPS = 60, NEWTON_STEPS = 8, POINTS_MIN = 3 };

static double weight(const struct kit_fit_points *p, size_t i)
{
	return p->se ? 1 / (p->se[i] * p->se[i]) : 1;
}

/* The best A for a tau, and the sum of squares it leaves. */
static double reduced(const struct kit_fit_points *p, double tau, double *ret_a)
{
	double ee = 0, ey = 0, sum = 0;

	for (size_t i = 0; i < p->n; i++) {
		double e = fmath_exp(-p->t[i] / tau), w = weight(p, i);

		ee += w * e * e;
		ey += w * e * p->y[i];
	}
	*ret_a = ee > 0 ? ey / ee : 0;
	for (size_t i = 0; i < p->n; i++) {
		double r = p->y[i] - *ret_a * fmath_exp(-p->t[i] / tau);

		sum += weight(p, i) * r * r;
	}
	return sum;
}

/* Half the sum of squares by A and tau: gradient and Hessian, second derivatives of the curve too. */
struct curvature {
	double g_a, g_tau, aa, at, tt;
};

static struct curvature curvature(const struct kit_fit_points *p, double a, double tau)
{
	struct curvature c = { 0 };
	double tau2 = tau * tau;

	for (size_t i = 0; i < p->n; i++) {
		double t = p->t[i], w = weight(p, i), e = fmath_exp(-t / tau);
		double r = p->y[i] - a * e, by_tau = a * e * t / tau2;

		c.g_a -= w * r * e;
		c.g_tau -= w * r * by_tau;
		c.aa += w * e * e;
		c.at += w * (e * by_tau - r * e * t / tau2);
		c.tt += w * (by_tau * by_tau - r * a * e * (t / tau2) * (t / tau2 - 2 / tau));
	}
	return c;
}

/* Golden section in log(tau) around the best point of a grid. */
static double search(const struct kit_fit_points *p, double tau_min, double tau_max)
{
	const double golden = 0.6180339887498949;
	double lo = fmath_log(tau_min), hi = fmath_log(tau_max), step = (hi - lo) / GRID, a;
	double best = HUGE_VAL, at = lo, x[2], f[2];

	for (size_t i = 0; i <= GRID; i++) {
		double sum = reduced(p, fmath_exp(lo + (double)i * step), &a);

		if (sum < best) {
			best = sum;
			at = lo + (double)i * step;
		}
	}
	lo = at - step > lo ? at - step : lo;
	hi = at + step < hi ? at + step : hi;
	for (int k = 0; k < 2; k++) {
		x[k] = k ? lo + golden * (hi - lo) : hi - golden * (hi - lo);
		f[k] = reduced(p, fmath_exp(x[k]), &a);
	}
	for (size_t i = 0; i < GOLDEN_STEPS; i++) {
		bool left = f[0] < f[1];

		if (left) {
			hi = x[1];
			x[1] = x[0];
			f[1] = f[0];
			x[0] = hi - golden * (hi - lo);
		} else {
			lo = x[0];
			x[0] = x[1];
			f[0] = f[1];
			x[1] = lo + golden * (hi - lo);
		}
		f[!left] = reduced(p, fmath_exp(x[!left]), &a);
	}
	return fmath_exp(0.5 * (lo + hi));
}

/* Where the sum of squares is flat, a comparison of sums sees tau to half the digits only. */
static void polish(const struct kit_fit_points *p, double *a, double *tau, double tau_min,
		   double tau_max)
{
	for (int i = 0; i < NEWTON_STEPS; i++) {
		struct curvature c = curvature(p, *a, *tau);
		double det = c.aa * c.tt - c.at * c.at;
		double to = *tau - (c.aa * c.g_tau - c.at * c.g_a) / det, better;

		if (!(det > 0) || !(to > tau_min && to < tau_max) ||
		    reduced(p, to, &better) > reduced(p, *tau, a) * (1 + 1e-12))
			return;
		*tau = to;
		*a = better;
	}
}

static bool one_time(const struct kit_fit_points *p)
{
	for (size_t i = 1; i < p->n; i++)
		if (p->t[i] != p->t[0])
			return false;
	return true;
}

static void explained(struct kit_fit_decay *ret, const struct kit_fit_points *p)
{
	double sum = 0, weights = 0, mean, total = 0;

	for (size_t i = 0; i < p->n; i++) {
		sum += weight(p, i) * p->y[i];
		weights += weight(p, i);
	}
	mean = sum / weights;
	for (size_t i = 0; i < p->n; i++)
		total += weight(p, i) * (p->y[i] - mean) * (p->y[i] - mean);
	if (total > 0)
		ret->r2 = 1 - ret->sum_squares / total;
}

/* The variance of a point of weight 1. */
static double scatter(const struct kit_fit_decay *f, const struct kit_fit_points *p)
{
	return p->se ? 1 : f->sum_squares / ((double)p->n - 2);
}

/* At a bound tau has no error, and A has the one it has for that tau. */
static void errors(struct kit_fit_decay *ret, const struct kit_fit_points *p)
{
	struct curvature c = curvature(p, ret->a, ret->tau);
	double det = c.aa * c.tt - c.at * c.at, s2 = scatter(ret, p);

	if (ret->fault_tau != FIT_OK) {
		ret->se_a = c.aa > 0 ? sqrt(s2 / c.aa) : HUGE_VAL;
	} else if (det > 0 && c.tt > 0) {
		ret->se_a = sqrt(s2 * c.tt / det);
		ret->se_tau = sqrt(s2 * c.aa / det);
	} else {
		ret->fault_a = ret->fault_tau = FIT_FLAT;
	}
	if (ret->fault_a == FIT_OK && !(ret->se_a <= fabs(ret->a)))
		ret->fault_a = FIT_WIDE;
	if (ret->fault_tau == FIT_OK && !(ret->se_tau <= ret->tau))
		ret->fault_tau = FIT_WIDE;
}

/* Does a time constant at a bound fit within one standard error of the best? The curvature at the
 * minimum does not see that. An A for a vanishing tau is a matter of the bound; for one without
 * end it is the mean, which there is. */
static void meet_bounds(struct kit_fit_decay *ret, const struct kit_fit_points *p, double tau_min,
			double tau_max)
{
	double allowed = ret->sum_squares + scatter(ret, p), a;

	if (reduced(p, tau_min, &a) <= allowed)
		ret->fault_a = ret->fault_tau = FIT_SHORT;
	else if (reduced(p, tau_max, &a) <= allowed)
		ret->fault_tau = FIT_LONG;
}

void kit_fit_decay(struct kit_fit_decay *ret, const struct kit_fit_points *p, double tau_min,
		   double tau_max)
{
	*ret = (struct kit_fit_decay){
		.n = p->n, .se_a = HUGE_VAL, .se_tau = HUGE_VAL, .r2 = HUGE_VAL
	};
	ret->fault_a = ret->fault_tau = p->n < POINTS_MIN ? FIT_FEW : FIT_OK;
	if (p->n == 0)
		return;
	ret->tau = search(p, tau_min, tau_max);
	(void)reduced(p, ret->tau, &ret->a);
	polish(p, &ret->a, &ret->tau, tau_min, tau_max);
	ret->sum_squares = reduced(p, ret->tau, &ret->a);
	explained(ret, p);
	if (ret->fault_a == FIT_FEW)
		return;
	if (one_time(p)) {
		ret->fault_a = ret->fault_tau = FIT_ONE_TIME;
		return;
	}
	meet_bounds(ret, p, tau_min, tau_max);
	errors(ret, p);
}

/* The simplex. */

enum { CORNERS_MAX = FIT_SIMPLEX_MAX + 1, RESTARTS = 6 };

struct simplex {
	double (*f)(void *self, const double *x);
	void *self;
	size_t n, used, max;
	double x[CORNERS_MAX][FIT_SIMPLEX_MAX], y[CORNERS_MAX];
};

static double value(struct simplex *s, const double *x)
{
	double y = s->f(s->self, x);

	s->used++;
	return isnan(y) ? HUGE_VAL : y;
}

static void begin(struct simplex *s, const double *x, const double *step, double scale)
{
	for (size_t k = 0; k <= s->n; k++) {
		memcpy(s->x[k], x, s->n * sizeof(*x));
		if (k > 0)
			s->x[k][k - 1] += scale * step[k - 1];
		s->y[k] = value(s, s->x[k]);
	}
}

/* Corners from best to worst; insertion, so that equal ones keep their order. */
static void sort(struct simplex *s)
{
	for (size_t k = 1; k <= s->n; k++) {
		double y = s->y[k], x[FIT_SIMPLEX_MAX];
		size_t at = k;

		memcpy(x, s->x[k], sizeof(x));
		for (; at > 0 && s->y[at - 1] > y; at--) {
			s->y[at] = s->y[at - 1];
			memcpy(s->x[at], s->x[at - 1], sizeof(x));
		}
		s->y[at] = y;
		memcpy(s->x[at], x, sizeof(x));
	}
}

/* The worst corner goes through the middle of the others, `by` times as far. */
static double mirrored(struct simplex *s, double by, double *ret_x)
{
	for (size_t j = 0; j < s->n; j++) {
		double middle = 0;

		for (size_t k = 0; k < s->n; k++)
			middle += s->x[k][j] / (double)s->n;
		ret_x[j] = middle + by * (middle - s->x[s->n][j]);
	}
	return value(s, ret_x);
}

static void shrink(struct simplex *s)
{
	for (size_t k = 1; k <= s->n; k++) {
		for (size_t j = 0; j < s->n; j++)
			s->x[k][j] = 0.5 * (s->x[0][j] + s->x[k][j]);
		s->y[k] = value(s, s->x[k]);
	}
}

static void step_once(struct simplex *s)
{
	double x[FIT_SIMPLEX_MAX], further[FIT_SIMPLEX_MAX];
	double *take = x;
	double y = mirrored(s, 1, x), z;

	if (y < s->y[0]) {
		z = mirrored(s, 2, further);
		take = z < y ? further : x;
		y = z < y ? z : y;
	} else if (!(y < s->y[s->n - 1])) {
		z = mirrored(s, y < s->y[s->n] ? 0.5 : -0.5, further);
		if (!(z < s->y[s->n] && z <= y)) {
			shrink(s);
			return;
		}
		take = further;
		y = z;
	}
	memcpy(s->x[s->n], take, s->n * sizeof(*take));
	s->y[s->n] = y;
}

/* Has it drawn together? */
static bool is_done(const struct simplex *s)
{
	return s->y[s->n] - s->y[0] <= 1e-12 * (fabs(s->y[0]) + 1e-300);
}

double kit_fit_simplex(double (*f)(void *self, const double *x), void *self, size_t n, double *x,
		       const double *step, size_t evaluations)
{
	struct simplex s = { .f = f, .self = self, .n = n, .max = evaluations };
	double scale = 1;

	for (int i = 0; i < RESTARTS && (i == 0 || s.used < s.max); i++) {
		begin(&s, x, step, scale);
		sort(&s);
		while (s.used < s.max && !is_done(&s)) {
			step_once(&s);
			sort(&s);
		}
		memcpy(x, s.x[0], n * sizeof(*x));
		scale *= -0.5;
	}
	return s.y[0];
}
