/* test_kit_fit.c - the exponential fit: exact, its errors true, its doubts spoken; the simplex. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "core/base/rng.h"
#include "core/kit_fit.h"
#include "tests/check.h"

enum { MAX = 64 };

struct points {
	double t[MAX], y[MAX], se[MAX];
	struct kit_fit_points p;
};

/* n points of A exp(-t / tau) at t = 2, 4, ...; sigma of the noise, told if `told`. */
static void draw(struct points *x, size_t n, double sigma, bool told, uint64_t seed)
{
	struct rng_key key = rng_key(seed, RNG_EXPERIMENT, "points");

	for (size_t i = 0; i < n; i++) {
		x->t[i] = 2.0 * (double)(i + 1);
		x->se[i] = sigma * (i % 2 ? 2 : 1);
		x->y[i] = 0.8 * exp(-x->t[i] / 17) +
			  (told ? x->se[i] : sigma) * rng_normal(key, i, 0);
	}
	x->p = (struct kit_fit_points){ x->t, x->y, told ? x->se : NULL, n };
}

Test(kit_fit, points_on_the_curve_give_back_its_parameters)
{
	static const double taus[] = { 1.5, 3, 17, 80, 400, 900 };

	for (size_t k = 0; k < COUNTOF(taus); k++)
		for (int sign = -1; sign <= 1; sign += 2) {
			struct points x;
			struct kit_fit_decay f;

			draw(&x, 30, 0, false, 1);
			for (size_t i = 0; i < 30; i++)
				x.y[i] = sign * 0.777 * exp(-x.t[i] / taus[k]);
			kit_fit_decay(&f, &x.p, 1, 1000);
			cr_expect(check_close(f.tau, taus[k], 1e-10, 0), "tau %.17g", f.tau);
			cr_expect(check_close(f.a, sign * 0.777, 1e-10, 0), "A %.17g", f.a);
			cr_expect(f.r2 > 1 - 1e-12 && f.fault_a == FIT_OK && f.fault_tau == FIT_OK);
		}
}

/* A hand-made solution: two steps of central differences over the sum of squares. */
static double half_sum(const struct points *x, double a, double tau)
{
	double sum = 0;

	for (size_t i = 0; i < x->p.n; i++) {
		double r = (x->y[i] - a * exp(-x->t[i] / tau)) / (x->p.se ? x->se[i] : 1);

		sum += 0.5 * r * r;
	}
	return sum;
}

Test(kit_fit, errors_are_those_of_the_curvature_by_differences)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		for (int told = 0; told < 2; told++) {
			struct points x;
			struct kit_fit_decay f;
			double ha, ht, aa, tt, at, det, s2;

			draw(&x, 20, 0.05, told, seed);
			kit_fit_decay(&f, &x.p, 1, 1000);
			ha = 1e-4 * f.a;
			ht = 1e-4 * f.tau;
#define F(i, j) half_sum(&x, f.a + (i)*ha, f.tau + (j)*ht)
			cr_expect(F(0, 0) <= F(1, 0) && F(0, 0) <= F(-1, 0) && F(0, 0) <= F(0, 1) &&
				  F(0, 0) <= F(0, -1));
			aa = (F(1, 0) - 2 * F(0, 0) + F(-1, 0)) / (ha * ha);
			tt = (F(0, 1) - 2 * F(0, 0) + F(0, -1)) / (ht * ht);
			at = (F(1, 1) - F(1, -1) - F(-1, 1) + F(-1, -1)) / (4 * ha * ht);
#undef F
			det = aa * tt - at * at;
			s2 = told ? 1 : f.sum_squares / 18;
			cr_expect(check_close(f.se_a, sqrt(s2 * tt / det), 1e-4, 0), "%g", f.se_a);
			cr_expect(check_close(f.se_tau, sqrt(s2 * aa / det), 1e-4, 0), "%g",
				  f.se_tau);
		}
}

/* Of many draws, how often the truth lies within one and two standard errors: 68 and 95 % of a
 * normal distribution; 30 points leave 28 degrees of freedom (67 and 94.5 %). 1000 draws tell a
 * share of 0.68 to 0.015 and one of 0.95 to 0.007: three of those are allowed. */
Test(kit_fit, standard_errors_cover_the_truth_as_often_as_they_say)
{
	for (int told = 0; told < 2; told++) {
		double within[2][2] = { { 0 } };

		for (uint64_t seed = 1; seed <= 1000; seed++) {
			struct points x;
			struct kit_fit_decay f;

			draw(&x, 30, 0.03, told, seed);
			kit_fit_decay(&f, &x.p, 1, 1000);
			for (int k = 1; k <= 2; k++) {
				within[0][k - 1] += fabs(f.a - 0.8) <= k * f.se_a;
				within[1][k - 1] += fabs(f.tau - 17) <= k * f.se_tau;
			}
		}
		for (int i = 0; i < 2; i++) {
			cr_expect(fabs(within[i][0] / 1000 - 0.68) < 0.045, "%g", within[i][0]);
			cr_expect(fabs(within[i][1] / 1000 - 0.95) < 0.021, "%g", within[i][1]);
		}
	}
}

static struct kit_fit_decay of(const double *t, const double *y, size_t n)
{
	struct kit_fit_points p = { t, y, NULL, n };
	struct kit_fit_decay f;

	kit_fit_decay(&f, &p, 1, 1000);
	return f;
}

Test(kit_fit, what_the_data_do_not_determine_is_said)
{
	static const double t[] = { 5, 10, 20, 40, 80 }, same[] = { 10, 10, 10, 10, 10 };
	static const double flat[] = { 0.31, 0.29, 0.3, 0.29, 0.31 };
	static const double one[] = { 0.5, 0.01, -0.012, 0.009, -0.01 };
	static const double noise[] = { 0.5, -0.6, 0.4, -0.5, 0.65 };
	struct kit_fit_decay f = of(t, flat, 5);

	cr_expect_eq(f.fault_tau, FIT_LONG);
	cr_expect_eq(f.fault_a, FIT_OK, "the amplitude is the mean");
	cr_expect(check_close(f.a, 0.3, 0.05, 0), "%g", f.a);
	f = of(same, flat, 5);
	cr_expect_eq(f.fault_a, FIT_ONE_TIME);
	cr_expect_eq(f.fault_tau, FIT_ONE_TIME);
	f = of(t, one, 5); /* only the first point is not 0 */
	cr_expect_eq(f.fault_a, FIT_SHORT);
	cr_expect_eq(f.fault_tau, FIT_SHORT);
	f = of(t, noise, 5);
	cr_expect_neq(f.fault_a, FIT_OK);
	cr_expect_neq(f.fault_tau, FIT_OK);
	for (size_t n = 0; n < 3; n++) {
		f = of(t, flat, n);
		cr_expect_eq(f.fault_a, FIT_FEW);
		cr_expect_eq(f.fault_tau, FIT_FEW);
		cr_expect(isfinite(f.a) && isfinite(f.tau));
	}
}

/* Noise alone has no time constant: hardly ever may one be claimed. */
Test(kit_fit, noise_alone_is_seldom_taken_for_a_curve)
{
	size_t claimed = 0;

	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct points x;
		struct kit_fit_decay f;

		draw(&x, 15, 0.5, false, seed);
		for (size_t i = 0; i < 15; i++)
			x.y[i] -= 0.8 * exp(-x.t[i] / 17);
		kit_fit_decay(&f, &x.p, 1, 1000);
		claimed += f.fault_a == FIT_OK && f.fault_tau == FIT_OK;
	}
	cr_expect_lt(claimed, 150, "%zu of 500", claimed);
}

static double valley(void *self, const double *x)
{
	(*(size_t *)self)++;
	return 100 * (x[1] - x[0] * x[0]) * (x[1] - x[0] * x[0]) + (1 - x[0]) * (1 - x[0]);
}

static double bowl(void *self, const double *x)
{
	double sum = 0;

	(*(size_t *)self)++;
	for (size_t i = 0; i < 6; i++)
		sum += (double)(i + 1) * (x[i] - (double)i) * (x[i] - (double)i);
	return x[0] < -5 ? (double)NAN : sum;
}

Test(kit_fit, the_simplex_finds_the_lowest_point)
{
	double x[6] = { -1.2, 1 }, step[6] = { 0.5, 0.5, 1, 1, 1, 1 }, y;
	size_t used = 0;

	y = kit_fit_simplex(valley, &used, 2, x, step, 2000);
	cr_expect_lt(y, 1e-10);
	cr_expect(fabs(x[0] - 1) < 1e-4 && fabs(x[1] - 1) < 1e-4);
	cr_expect_leq(used, 2000 + 3);
	x[0] = -4;
	x[1] = 9;
	used = 0;
	y = kit_fit_simplex(bowl, &used, 6, x, step, 4000);
	cr_expect_lt(y, 1e-8);
	for (size_t i = 0; i < 6; i++)
		cr_expect(fabs(x[i] - (double)i) < 1e-3, "%zu: %g", i, x[i]);
}
