/* kit_fit.h - what experiments fit with: an exponential by weighted least squares, a simplex.
 *
 * Deterministic, in + - * / sqrt and fmath only, without memory of its own. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_KIT_FIT_H
#define CORE_KIT_FIT_H

#include <stdbool.h>
#include <stddef.h>

/* Why the data do not determine a parameter. */
enum kit_fit_fault {
	FIT_OK,
	FIT_FEW,      /* fewer than three points: a curve of two parameters goes through them */
	FIT_ONE_TIME, /* all points at one time */
	FIT_SHORT,    /* a time constant at its lower bound fits as well, within a standard error */
	FIT_LONG,     /* one at its upper bound does */
	FIT_FLAT,     /* no curvature: the best fit is no isolated one */
	FIT_WIDE,     /* the standard error is larger than the value */
};

/* y = A exp(-t / tau). */
struct kit_fit_decay {
	size_t n;
	double a, tau;
	double se_a, se_tau; /* PARAM_INF: none; se_a for that tau if fault_tau is a bound */
	double sum_squares;  /* of weighted residuals; chi squared if the errors were given */
	double r2;	     /* PARAM_INF if y does not vary */
	enum kit_fit_fault fault_a, fault_tau;
};

/* Points of one side: t > 0. se NULL: all points count the same, and their scatter about the curve
 * tells their error. */
struct kit_fit_points {
	const double *t, *y, *se; /* [n] */
	size_t n;
};

/* The best A and tau in [tau_min, tau_max]: for each tau the best A is linear algebra, so only tau
 * is searched: on a grid of its logarithm, by golden section, then by Newton's steps in both.
 * Errors are those of the exact Hessian at the minimum. */
void kit_fit_decay(struct kit_fit_decay *ret, const struct kit_fit_points *p, double tau_min,
		   double tau_max);

/* Nelder & Mead (1965), with restarts: x[n] is where to begin and becomes the best point found,
 * n <= FIT_SIMPLEX_MAX. step[n]: the first simplex' edges. Returns f there. */
enum { FIT_SIMPLEX_MAX = 8 };

double kit_fit_simplex(double (*f)(void *self, const double *x), void *self, size_t n, double *x,
		       const double *step, size_t evaluations);

#endif
