/* conductance - membranes that need more than one part of a step. */
/* SPDX-License-Identifier: MIT */
#include "core/model/conductance.h"

/* Where Runge and Kutta would leave the ground: towards the balance at the part's middle. */
static double relax(const struct conductance *c, double v, double g_ex, double g_in)
{
	double ex = g_ex * c->half_ex, in = g_in * c->half_in, a = c->leak + ex + in;
	double balance = (c->drive + ex * c->rev_ex + in * c->rev_in) / a;

	return balance + (v - balance) * fmath_exp(-c->width * a);
}

/* Parts of one step, and what they decay by. */
struct parts {
	double n[CONDUCTANCE_BLOCK], width[CONDUCTANCE_BLOCK];
	double half_ex[CONDUCTANCE_BLOCK], half_in[CONDUCTANCE_BLOCK];
};

static inline ALWAYS_INLINE struct conductance membrane(const struct conductance_fast *f,
							const struct parts *p, size_t j)
{
	return (struct conductance){ .leak = f->leak[j],
				     .drive = f->drive[j],
				     .rev_ex = f->rev_ex[j],
				     .rev_in = f->rev_in[j],
				     .half_ex = p->half_ex[j],
				     .half_in = p->half_in[j],
				     .width = p->width[j] };
}

CLONES void conductance_halves_init(struct conductance_halves *restrict h, double dt, double tau_ex,
				    double tau_in)
{
	h->ex[0] = h->in[0] = 1;
	for (int n = 1; n < CONDUCTANCE_FEW; n++) {
		double width = dt / n;

		h->ex[n] = fmath_exp(-0.5 * width / tau_ex);
		h->in[n] = fmath_exp(-0.5 * width / tau_in);
	}
}

CLONES static void cut(const struct conductance_fast *restrict f, double dt,
		       struct parts *restrict p)
{
	for (size_t j = 0; j < f->n; j++) {
		double speed = conductance_speed(f->leak[j], f->g_ex[j], f->g_in[j], dt);
		double n = floor(speed * 10) + 1;

		n = n > CONDUCTANCE_PARTS ? CONDUCTANCE_PARTS : n;
		p->n[j] = speed * 10 >= CONDUCTANCE_PARTS ? -n : n; /* negative: too fast */
		p->width[j] = dt / n;
	}
}

CLONES static void decay_each(const struct conductance_fast *restrict f, struct parts *restrict p)
{
	for (size_t j = 0; j < f->n; j++) {
		p->half_ex[j] = fmath_exp(-0.5 * p->width[j] / f->tau_ex[j]);
		p->half_in[j] = fmath_exp(-0.5 * p->width[j] / f->tau_in[j]);
	}
}

static void decay(const struct conductance_fast *f, struct parts *p)
{
	for (size_t j = 0; f->halves && j < f->n; j++) {
		bool few = p->n[j] > 0 && p->n[j] < CONDUCTANCE_FEW;
		int n = few ? (int)p->n[j] : 0;

		p->half_ex[j] = f->halves->ex[n];
		p->half_in[j] = f->halves->in[n];
		if (few)
			continue;
		p->half_ex[j] = fmath_exp(-0.5 * p->width[j] / f->tau_ex[j]);
		p->half_in[j] = fmath_exp(-0.5 * p->width[j] / f->tau_in[j]);
	}
	if (!f->halves)
		decay_each(f, p);
}

/* Whole groups of lanes: those after the last membrane do as it does, but in no part. */
static void fill(struct conductance_fast *f, struct parts *p)
{
	size_t last = f->n - 1;

	for (size_t j = f->n; j % CONDUCTANCE_LANES; j++) {
		struct conductance m = membrane(f, p, last);

		conductance_fast_set(f, j, &m, f->v[last], f->g_ex[last], f->g_in[last]);
		p->half_ex[j] = m.half_ex;
		p->half_in[j] = m.half_in;
		p->width[j] = m.width;
		p->n[j] = 0;
	}
}

static inline double largest(const double *x, size_t n)
{
	double most = 0;

	for (size_t j = 0; j < n; j++)
		most = x[j] > most ? x[j] : most;
	return most;
}

/* All parts, for a group at a time; a membrane with fewer than others rests in the later ones. */
CLONES static void run(struct conductance_fast *restrict f, const struct parts *restrict p)
{
	for (size_t from = 0; from < f->n; from += CONDUCTANCE_LANES) {
		int64_t most = (int64_t)largest(p->n + from, CONDUCTANCE_LANES);

		for (int64_t k = 0; k < most; k++) {
			double part = (double)k;

#pragma omp simd
			for (size_t j = from; j < from + CONDUCTANCE_LANES; j++) {
				struct conductance m = membrane(f, p, j);
				double v = conductance_part(&m, f->v[j], f->g_ex[j], f->g_in[j]);

				f->v[j] = part < p->n[j] ? v : f->v[j];
				f->g_ex[j] *= part < p->n[j] ? m.half_ex * m.half_ex : 1.0;
				f->g_in[j] *= part < p->n[j] ? m.half_in * m.half_in : 1.0;
			}
		}
	}
}

void conductance_fast_run(struct conductance_fast *f, double dt, double *ret)
{
	struct parts p;

	if (f->n == 0)
		return;
	cut(f, dt, &p);
	decay(f, &p);
	fill(f, &p);
	run(f, &p);
	for (size_t j = 0; j < f->n; j++) {
		struct conductance m = membrane(f, &p, j);

		/* cut() has set the first f->n. NOLINTNEXTLINE(clang-analyzer-core.*) */
		for (size_t k = 0; (double)k < -p.n[j]; k++) {
			f->v[j] = relax(&m, f->v[j], f->g_ex[j], f->g_in[j]);
			f->g_ex[j] *= m.half_ex * m.half_ex;
			f->g_in[j] *= m.half_in * m.half_in;
		}
		ret[f->at[j]] = f->v[j];
	}
}
