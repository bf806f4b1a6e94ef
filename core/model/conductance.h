/* conductance.h - a passive membrane with two decaying conductances, one step.
 *
 *   dV/dt = (leak (E_L - V) + g_ex (E_ex - V) + g_in (E_in - V) + I) / C,   dg/dt = -g / tau
 *
 * The conductances decay exactly; V moves by one Runge-Kutta step of order 4, which has no exp in
 * it, with the exact conductances at its start, middle and end. A membrane faster than ten steps
 * (its total conductance above C / (10 dt)) moves by equal parts of the step, a tenth of its time
 * constant each, or, where its conductances change slowly, follows their balance in one step whose
 * error does not grow with its speed; the error is below 1e-5 mV a step. One faster than a
 * hundredth of a step follows its balance in a thousand parts. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_CONDUCTANCE_H
#define CORE_MODEL_CONDUCTANCE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/attr.h"
#include "core/base/fmath.h"

#define CONDUCTANCE_SLOW 25.0 /* steps: a tau that conductance_follow() can do with */

enum {
	CONDUCTANCE_PARTS = 1000,
	CONDUCTANCE_BLOCK = 256,
	CONDUCTANCE_LANES = 8, /* side by side */
	CONDUCTANCE_FEW = 16,
};

/* One neuron: rates are per ms, so g times rev is mV/ms. All conductances over C. */
struct conductance {
	double leak, drive;	 /* 1/ms; mV/ms of leak and currents: leak E_L + I / C */
	double rev_ex, rev_in;	 /* mV */
	double half_ex, half_in; /* decay over half a part */
	double width;		 /* of a part, ms */
};

static inline ALWAYS_INLINE double conductance_part(const struct conductance *c, double v,
						    double g_ex, double g_in)
{
	double h = c->width, ex1 = g_ex * c->half_ex, in1 = g_in * c->half_in;
	double ex2 = ex1 * c->half_ex, in2 = in1 * c->half_in;
	double a0 = c->leak + g_ex + g_in, b0 = c->drive + g_ex * c->rev_ex + g_in * c->rev_in;
	double a1 = c->leak + ex1 + in1, b1 = c->drive + ex1 * c->rev_ex + in1 * c->rev_in;
	double a2 = c->leak + ex2 + in2, b2 = c->drive + ex2 * c->rev_ex + in2 * c->rev_in;
	double k0 = b0 - a0 * v;
	double k1 = b1 - a1 * (v + 0.5 * h * k0);
	double k2 = b1 - a1 * (v + 0.5 * h * k1);
	double k3 = b2 - a2 * (v + h * k2);

	return v + h * (1.0 / 6) * ((k0 + k3) + 2 * (k1 + k2));
}

/* How fast the membrane is: its parts of a step of `dt` ms are one if this is at most 0.1. */
static inline ALWAYS_INLINE double conductance_speed(double leak, double g_ex, double g_in,
						     double dt)
{
	return (leak + g_ex + g_in) * dt;
}

/* One whole step of a membrane whose conductances change little in it (CONDUCTANCE_SLOW), however
 * fast it is. V follows the balance B = b / a of its currents: dV/dt = a (B - V). In units of s, the
 * part of the integral A of a that has passed, a is constant and V known exactly for a B that is a
 * parabola in s: B0 + d s + c (s^2 - s), through the balances at the start, middle and end. */
static inline ALWAYS_INLINE double conductance_follow(const struct conductance *m, double v,
						      double g_ex, double g_in)
{
	double h = m->width, ex1 = g_ex * m->half_ex, in1 = g_in * m->half_in;
	double ex2 = ex1 * m->half_ex, in2 = in1 * m->half_in;
	double a0 = m->leak + g_ex + g_in, b0 = m->drive + g_ex * m->rev_ex + g_in * m->rev_in;
	double a1 = m->leak + ex1 + in1, b1 = m->drive + ex1 * m->rev_ex + in1 * m->rev_in;
	double a2 = m->leak + ex2 + in2, b2 = m->drive + ex2 * m->rev_ex + in2 * m->rev_in;
	double all = h * (1.0 / 6) * (a0 + 4 * a1 + a2); /* A */
	double half = h * (1.0 / 24) * (5 * a0 + 8 * a1 - a2);
	/* 1 / x = the product of all others / that of all: one division for four. */
	double a01 = a0 * a1, a2all = a2 * all, inv = 1 / (a01 * a2all);
	double start = b0 * (inv * a2all * a1), middle = b1 * (inv * a2all * a0);
	double end = b2 * (inv * a01 * all), per_all = inv * a01 * a2;
	double left = fmath_exp(-all), mean = (1 - left) * per_all; /* of exp(-A (1 - s)) */
	double d = end - start, c = 4 * (start + d * (half * per_all) - middle);

	return end + (v - start) * left - d * mean - c * (2 * (1 - mean) * per_all - mean);
}

/* Decay over half a part of a step in n parts, n < CONDUCTANCE_FEW. */
struct conductance_halves {
	double ex[CONDUCTANCE_FEW], in[CONDUCTANCE_FEW];
};

void conductance_halves_init(struct conductance_halves *h, double dt, double tau_ex, double tau_in);

/* Fast membranes in columns. */
struct conductance_fast {
	size_t n;
	uint32_t at[CONDUCTANCE_BLOCK];		 /* which neurons */
	const struct conductance_halves *halves; /* of all; NULL: by their tau_ex and tau_in */
	double leak[CONDUCTANCE_BLOCK], drive[CONDUCTANCE_BLOCK];
	double rev_ex[CONDUCTANCE_BLOCK], rev_in[CONDUCTANCE_BLOCK];
	double tau_ex[CONDUCTANCE_BLOCK], tau_in[CONDUCTANCE_BLOCK];
	double v[CONDUCTANCE_BLOCK], g_ex[CONDUCTANCE_BLOCK], g_in[CONDUCTANCE_BLOCK];
};

/* Write membrane j, whose neuron is at[j], into the columns. */
static inline ALWAYS_INLINE void conductance_fast_set(struct conductance_fast *f, size_t j,
						      const struct conductance *m, double v,
						      double g_ex, double g_in)
{
	f->leak[j] = m->leak;
	f->drive[j] = m->drive;
	f->rev_ex[j] = m->rev_ex;
	f->rev_in[j] = m->rev_in;
	f->v[j] = v;
	f->g_ex[j] = g_ex;
	f->g_in[j] = g_in;
}

/* Move n fast membranes by a whole step of `dt`: ret[at[j]] = V at its end. */
void conductance_fast_run(struct conductance_fast *f, double dt, double *ret);

#endif
