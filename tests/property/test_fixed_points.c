/* test_fixed_points.c - where rules come to rest between independent Poisson trains, against closed
 * forms: Guetig's weight, the thresholds of triplets and of nearest pairs. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "core/model/alias.h"
#include "tests/check.h"
#include "tests/unit/one_synapse.h"

enum { DELAY = 10 };

static struct one o;

/* What has arrived is needed no more, but for the last. */
static void forget(int64_t t)
{
	size_t drop = 0;

	while (drop + 1 < o.n_all && o.all[drop + 1].step + DELAY <= t)
		drop++;
	memmove(o.all, o.all + drop, (o.n_all - drop) * sizeof(*o.all));
	o.history.n = o.n_all -= drop;
}

/* Two Poisson trains onto one synapse, steps of 0.1 ms. */
struct trains {
	struct rng_key key;
	uint64_t n_pre, n_post;
	double pre, post;	    /* the next ones, s, at the synapse */
	double pre_rate, post_rate; /* Hz */
	double w_sum;		    /* of the weights at presynaptic spikes */
	uint64_t count;
};

static int64_t steps(double s)
{
	return (int64_t)floor(s * 1e4 + 0.5);
}

static struct trains begin(const char *name, double pre_rate, double post_rate)
{
	struct trains x = { .key = rng_key(check_seed(), RNG_EXPERIMENT, name),
			    .pre_rate = pre_rate,
			    .post_rate = post_rate };

	x.pre = rng_exponential(x.key, 0, x.n_pre++) / pre_rate + 1;
	x.post = rng_exponential(x.key, 1, x.n_post++) / post_rate + 1;
	return x;
}

static void until(struct trains *x, double end_s)
{
	while (x->pre < end_s || x->post < end_s) {
		if (x->post < x->pre) {
			if (o.n_all + 1 >= ONE_POSTS_MAX) { /* a sweep */
				one_update(&o, steps(x->post) - 1, 0);
				forget(o.row.t_last);
			}
			one_post(&o, steps(x->post) - DELAY);
			x->post += rng_exponential(x->key, 1, x->n_post++) / x->post_rate;
			continue;
		}
		x->w_sum += one_update(&o, steps(x->pre), 1);
		x->count++;
		forget(o.row.t_last);
		x->pre += rng_exponential(x->key, 0, x->n_pre++) / x->pre_rate;
	}
	one_update(&o, steps(end_s), 0);
}

/* w* = 1 / (1 + alpha^(1 / mu)); to 3 %. lambda is so small that the weight hardly moves about it. */
Test(fixed_points, weight_dependence_comes_to_the_closed_form_of_guetig)
{
	static const double cases[][3] = { /* mu, lambda, s */
					   { 1, 2e-3, 20000 },
					   { 0.1, 4e-4, 100000 },
					   { 0.05, 2e-4, 300000 }
	};
	const struct alias *a = alias_find("stdp_synapse");

	for (size_t k = 0; k < COUNTOF(cases); k++) {
		double from[PLASTICITY_PARAMS_MAX], p[PLASTICITY_PARAMS_MAX];
		double want = 1 / (1 + pow(1.05, 1 / cases[k][0])), got;
		struct trains x = begin("guetig", 20, 20);

		for (size_t i = 0; i < a->n_params; i++)
			from[i] = a->params[i].def;
		from[param_find(a->params, a->n_params, "mu_plus")] = cases[k][0];
		from[param_find(a->params, a->n_params, "mu_minus")] = cases[k][0];
		from[param_find(a->params, a->n_params, "lambda")] = cases[k][1];
		from[param_find(a->params, a->n_params, "alpha")] = 1.05;
		from[param_find(a->params, a->n_params, "Wmax")] = 1;
		a->convert(from, p);
		one_init(&o, a->model, p, 0.1, DELAY, 0.5);
		until(&x, 0.1 * cases[k][2]);
		x.w_sum = 0;
		x.count = 0;
		until(&x, cases[k][2]);
		got = x.w_sum / (double)x.count;
		cr_expect(check_close(got, want, 0.03, 0), "mu %g: %.4f, not %.4f", cases[k][0],
			  got, want);
	}
}

enum { RATES = 6, RUN_S = 40000 };

static const double rates[RATES] = { 8, 12, 16, 20, 26, 32 };

/* Change of the weight per second for each rate of the target. */
static void drifts(const struct plasticity_model *rule, const double *p, double *ret)
{
	for (size_t i = 0; i < RATES; i++) {
		struct trains x = begin(rule->name, 20, rates[i]);

		one_init(&o, rule, p, 0.1, DELAY, 1e6);
		until(&x, RUN_S);
		ret[i] = (o.w - 1e6) / (RUN_S - 1);
	}
}

/* Of the polynomial a rate + b rate^2 nearest to the drifts, where it is 0. */
static double zero(const double *drift)
{
	double s2 = 0, s3 = 0, s4 = 0, d1 = 0, d2 = 0, det;

	for (size_t i = 0; i < RATES; i++) {
		double r = rates[i];

		s2 += r * r;
		s3 += r * r * r;
		s4 += r * r * r * r;
		d1 += r * drift[i];
		d2 += r * r * drift[i];
	}
	det = s2 * s4 - s3 * s3;
	return -((d1 * s4 - d2 * s3) / det) / ((d2 * s2 - d1 * s3) / det);
}

/* theta = A2_minus tau_minus / (A3_plus tau_plus tau_y) = 19.2 Hz for the minimal model of visual
 * cortex; to 3 %. */
Test(fixed_points, the_minimal_triplet_rule_has_its_threshold_at_19_hz)
{
	const struct plasticity_model *m = &plasticity_stdp_triplet;
	double p[PLASTICITY_PARAMS_MAX], drift[RATES], theta;

	one_defaults(m, p);
	one_set(m, p, "A2_plus", 0);
	one_set(m, p, "A3_plus", 6.5e-3);
	one_set(m, p, "A2_minus", 7.1e-3);
	one_set(m, p, "A3_minus", 0);
	one_set(m, p, "tau_y", 114);
	one_set(m, p, "w_max", PARAM_INF);
	drifts(m, p, drift);
	theta = zero(drift);
	cr_expect(check_close(theta, 19.22, 0.03, 0), "%.2f Hz", theta);
	cr_expect(drift[0] < 0 && drift[RATES - 1] > 0);
	for (size_t i = 0; i < RATES; i++) {
		double r = rates[i] * 1e-3; /* per ms */
		double want = 20 * (6.5e-3 * 16.8 * 114 * r * r - 7.1e-3 * 33.7 * r);

		cr_expect(fabs(drift[i] - want) <= 0.01, "%g Hz: %.4f, not %.4f", rates[i],
			  drift[i], want);
	}
}

/* Izhikevich & Desai (2003): nearest pairs of each presynaptic spike, by
 * rate_x rate_y (A_plus / (1 / tau_plus + rate_y) + A_minus / (1 / tau_minus + rate_y)). */
Test(fixed_points, nearest_pairs_have_a_threshold_like_bcm)
{
	const struct plasticity_model *m = &plasticity_stdp_pair;
	double p[PLASTICITY_PARAMS_MAX], drift[RATES];

	one_defaults(m, p);
	one_set(m, p, "A_plus", 1.03e-2);
	one_set(m, p, "A_minus", -0.51e-2);
	one_set(m, p, "tau_plus", 13.3);
	one_set(m, p, "tau_minus", 34.5);
	one_set(m, p, "w_max", PARAM_INF);
	p[param_find(m->params, m->n_params, "pairing")] = param_choice(
		&m->params[param_find(m->params, m->n_params, "pairing")], "nearest_pre_centered");
	drifts(m, p, drift);
	cr_expect(drift[0] < 0 && drift[RATES - 1] > 0);
	for (size_t i = 0; i < RATES; i++) {
		double r = rates[i] * 1e-3;
		double want = 20 * r * (1.03e-2 / (1 / 13.3 + r) - 0.51e-2 / (1 / 34.5 + r));

		cr_expect(fabs(drift[i] - want) <= 5e-4, "%g Hz: %.5f, not %.5f", rates[i],
			  drift[i], want);
	}
}
