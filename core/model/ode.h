/* ode.h - adaptive integration within a step: Runge-Kutta-Fehlberg 4(5) for several cells at once.
 *
 * Cells stand in lanes, each with its own time and width of try, so that no cell's numbers depend
 * on its neighbours; finished lanes idle. The rules of acceptance and of the next width are those
 * of GSL's old evolve/control pair (rkf45, standard control), which NEST integrates with: an error
 * above 1.1 is tried again with a smaller width, one below 0.5 widens the next try, by 5 at most.
 * A width is kept from step to step and never needs to exceed one.
 * Fehlberg (1969), NASA TR R-315; Hairer, Norsett, Wanner (1993), section II.5. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_ODE_H
#define CORE_MODEL_ODE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/attr.h"
#include "core/base/fmath.h"

enum { ODE_LANES = 8, ODE_DIM = 8, ODE_TRIES = 20000 };

struct ode_vec {
	double at[ODE_DIM][ODE_LANES];
};

/* Lanes that are worked on together: all, or one alone (then at is a variable, n the constant 1). */
struct ode_lanes {
	size_t at, n;
};

/* Derivatives in some lanes. `cell` is the model's. */
typedef void ode_rate(struct ode_lanes lanes, const struct ode_vec *y, struct ode_vec *ret,
		      const void *cell);

struct ode {
	double end;		 /* ms: the width of a step */
	double t[ODE_LANES];	 /* ms into the step */
	double h[ODE_LANES];	 /* width of the next try, ms */
	double tol[ODE_LANES];	 /* error allowed: tol, or relative: tol * (1 + h |dy/dt|) */
	double moved[ODE_LANES]; /* out: 1 if this try moved the lane on */
	unsigned tries;
};

/* Lane l of a column from neuron `base` on; lanes beyond the last neuron repeat it. */
static inline ALWAYS_INLINE void ode_load(double *lane, const double *column, size_t base, size_t n,
					  size_t stride)
{
	if (base + ODE_LANES <= n) {
		for (size_t l = 0; l < ODE_LANES; l++)
			lane[l] = column[(base + l) * stride];
		return;
	}
	for (size_t l = 0; l < ODE_LANES; l++)
		lane[l] = column[(base + l < n ? base + l : n - 1) * stride];
}

static inline ALWAYS_INLINE void ode_store(double *column, const double *lane, size_t base,
					   size_t n)
{
	size_t m = n - base < ODE_LANES ? n - base : ODE_LANES;

	for (size_t l = 0; l < m; l++)
		column[base + l] = lane[l];
}

/* Begin a step: `width` is the column that keeps h, 0 at first. */
static inline ALWAYS_INLINE void ode_begin(struct ode *o, double dt, const double *width,
					   size_t base, size_t n)
{
	o->end = dt;
	o->tries = 0;
	ode_load(o->h, width, base, n, 1);
	for (size_t l = 0; l < ODE_LANES; l++) {
		o->t[l] = 0;
		o->h[l] = o->h[l] > 0 && o->h[l] < dt ? o->h[l] : dt;
	}
}

/* ret = y + h * (a sum of the first n of k). */
static inline ALWAYS_INLINE void ode_point(size_t dim, struct ode_lanes s, const struct ode_vec *y,
					   const double *h, const struct ode_vec *k,
					   const double *c, size_t n, struct ode_vec *ret)
{
	for (size_t d = 0; d < dim; d++) {
#pragma omp simd
		for (size_t l = s.at; l < s.at + s.n; l++) {
			double sum = c[0] * k[0].at[d][l];

			if (n > 1)
				sum += c[1] * k[1].at[d][l];
			if (n > 2)
				sum += c[2] * k[2].at[d][l];
			if (n > 3)
				sum += c[3] * k[3].at[d][l];
			if (n > 4)
				sum += c[4] * k[4].at[d][l];
			if (n > 5)
				sum += c[5] * k[5].at[d][l];
			ret->at[d][l] = y->at[d][l] + h[l] * sum;
		}
	}
}

/* The width after a try with error r (1: just allowed), and whether the try counts. */
static inline bool ode_control(struct ode *o, size_t l, double h, double r)
{
	double f = 1;

	if (r > 1.1) {
		f = 0.9 * fmath_pow(r, -1.0 / 5);
		f = f < 0.2 ? 0.2 : f;
		o->h[l] = h * f;
		return o->t[l] + o->h[l] == o->t[l]; /* nothing narrower exists */
	}
	if (r < 0.5 && h < o->end) {
		f = r < 1e-9 ? 5 : 0.9 * fmath_pow(r, -1.0 / 6);
		f = f > 5 ? 5 : f < 1 ? 1 : f;
	}
	o->h[l] = h * f < o->end ? h * f : o->end;
	return true;
}

/* The usual case: all lanes go through the whole step at once. */
static inline ALWAYS_INLINE bool ode_whole(struct ode_lanes s, const struct ode *o, const double *h,
					   const double *r)
{
	double no = 0;

#pragma omp simd reduction(+ : no)
	for (size_t l = s.at; l < s.at + s.n; l++)
		no += h[l] < o->end ? 1.0 : r[l] > 1.1 ? 1.0 : 0.0;
	return no == 0;
}

static inline ALWAYS_INLINE void ode_accept(size_t dim, struct ode_lanes s, struct ode *o,
					    const double *h, const double *r, struct ode_vec *y,
					    const struct ode_vec *to)
{
	if (s.n > 1 && ode_whole(s, o, h, r)) {
		*y = *to;
		for (size_t l = s.at; l < s.at + s.n; l++) {
			o->t[l] = o->end;
			o->moved[l] = 1;
		}
		return;
	}
	for (size_t l = s.at; l < s.at + s.n; l++) {
		bool last = h[l] >= o->end - o->t[l], ok = o->t[l] < o->end;

		ok = ok && (ode_control(o, l, h[l], r[l]) || o->tries >= ODE_TRIES);
		o->moved[l] = ok ? 1 : 0;
		if (!ok)
			continue;
		o->t[l] = last ? o->end : o->t[l] + h[l];
		for (size_t d = 0; d < dim; d++)
			y->at[d][l] = to->at[d][l];
		if (o->tries < ODE_TRIES)
			continue;
		o->t[l] = o->end; /* too stiff: let the run fail, never go on with a wrong number */
		y->at[0][l] = (double)NAN;
	}
}

/* One try in each of these lanes that has not reached the end. */
static inline ALWAYS_INLINE void ode_try(size_t dim, bool relative, struct ode_lanes s,
					 ode_rate *rate, const void *cell, struct ode *o,
					 struct ode_vec *y)
{
	static const double b2[] = { 1.0 / 4 }, b3[] = { 3.0 / 32, 9.0 / 32 };
	static const double b4[] = { 1932.0 / 2197, -7200.0 / 2197, 7296.0 / 2197 };
	static const double b5[] = { 439.0 / 216, -8, 3680.0 / 513, -845.0 / 4104 };
	static const double b6[] = { -8.0 / 27, 2, -3544.0 / 2565, 1859.0 / 4104, -11.0 / 40 };
	static const double fifth[] = { 16.0 / 135,	 0,	    6656.0 / 12825,
					28561.0 / 56430, -9.0 / 50, 2.0 / 55 };
	struct ode_vec k[7], to;
	double h[ODE_LANES], r[ODE_LANES];

#pragma omp simd
	for (size_t l = s.at; l < s.at + s.n; l++) {
		double left = o->end - o->t[l];

		h[l] = o->h[l] > left ? left : o->h[l];
		r[l] = 0;
	}
	o->tries++;
	rate(s, y, &k[0], cell);
	ode_point(dim, s, y, h, k, b2, 1, &to);
	rate(s, &to, &k[1], cell);
	ode_point(dim, s, y, h, k, b3, 2, &to);
	rate(s, &to, &k[2], cell);
	ode_point(dim, s, y, h, k, b4, 3, &to);
	rate(s, &to, &k[3], cell);
	ode_point(dim, s, y, h, k, b5, 4, &to);
	rate(s, &to, &k[4], cell);
	ode_point(dim, s, y, h, k, b6, 5, &to);
	rate(s, &to, &k[5], cell);
	ode_point(dim, s, y, h, k, fifth, 6, &to);
	if (relative)
		rate(s, &to, &k[6], cell);
	for (size_t d = 0; d < dim; d++) {
#pragma omp simd
		for (size_t l = s.at; l < s.at + s.n; l++) {
			double e = 1.0 / 360 * k[0].at[d][l] - 128.0 / 4275 * k[2].at[d][l] -
				   2197.0 / 75240 * k[3].at[d][l] + 1.0 / 50 * k[4].at[d][l] +
				   2.0 / 55 * k[5].at[d][l];
			double allowed = o->tol[l];

			if (relative)
				allowed += allowed * fabs(h[l] * k[6].at[d][l]);

			e = fabs(h[l] * e) / allowed;
			r[l] = e > r[l] ? e : r[l];
		}
	}
	ode_accept(dim, s, o, h, r, y, &to);
}

/* What a model does after each try with lanes that moved (o->moved), such as spikes. May be NULL. */
typedef void ode_moved(struct ode_lanes lanes, const struct ode *o, struct ode_vec *y, void *cell);

/* All lanes to the end of the step. Most get there by the first try; a few that do not, those with
 * a spike, go on one by one, since the others would only idle. */
static inline ALWAYS_INLINE void ode_step(size_t dim, bool relative, ode_rate *rate,
					  ode_moved *moved, void *cell, struct ode *o,
					  struct ode_vec *y)
{
	const struct ode_lanes all = { 0, ODE_LANES };
	unsigned tries;
	double left;

	do {
		ode_try(dim, relative, all, rate, cell, o, y);
		if (moved)
			moved(all, o, y, cell);
		left = 0;
		for (size_t l = 0; l < ODE_LANES; l++)
			left += o->t[l] < o->end ? 1.0 : 0.0;
	} while (left > 2);
	tries = o->tries;
	for (size_t l = 0; left > 0 && l < ODE_LANES; l++) {
		const struct ode_lanes one = { l, 1 };

		o->tries = tries;
		while (o->t[l] < o->end) {
			ode_try(dim, relative, one, rate, cell, o, y);
			if (moved)
				moved(one, o, y, cell);
		}
	}
}

#endif
