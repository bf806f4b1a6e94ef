/* kit_calcium.c - the closed form of the calcium rule for pairs of spikes. */
/* SPDX-License-Identifier: MIT */
#include "core/kit_calcium.h"

#include <math.h>
#include <string.h>

#include "core/base/fmath.h"
#include "core/model/plasticity.h"

const char *const kit_calcium_sets[] = { "DP",
					 "DPD",
					 "DPD_prime",
					 "P",
					 "D",
					 "D_prime",
					 "cortical_slices",
					 "hippocampal_cultures",
					 "hippocampal_slices",
					 "all",
					 NULL };

static const struct {
	double beta, b; /* part that is down at first, strength up over strength down */
} strengths[KIT_CALCIUM_SETS] = {
	{ 0.5, 5 }, { 0.5, 5 },	      { 0.5, 5 },	{ 0.5, 5 },	  { 0.5, 5 },
	{ 0.5, 5 }, { 0.5, 5.40988 }, { 0.5, 36.0263 }, { 0.7, 5.28145 },
};

/* The rule's numbers that the closed form needs. */
struct numbers {
	double tau_ca, pre, post, theta_d, theta_p, gamma_d, gamma_p, sigma, tau, rho_star, lag;
};

size_t kit_calcium_set(const char *name)
{
	size_t i = 0;

	while (i < KIT_CALCIUM_SETS && strcmp(kit_calcium_sets[i], name) != 0)
		i++;
	return i;
}

static double of(const struct plasticity_model *m, const double *values, const char *name)
{
	return values[param_find(m->params, m->n_params, name)];
}

static struct numbers numbers_of(size_t set)
{
	const struct plasticity_model *m = &plasticity_stdp_calcium;
	const double *v = m->sets[0].p;

	for (size_t i = 0; i < m->n_sets; i++)
		if (!strcmp(m->sets[i].name, kit_calcium_sets[set]))
			v = m->sets[i].p;
	return (struct numbers){
		.tau_ca = of(m, v, "tau_Ca"),
		.pre = of(m, v, "C_pre"),
		.post = of(m, v, "C_post"),
		.theta_d = of(m, v, "theta_d"),
		.theta_p = of(m, v, "theta_p"),
		.gamma_d = of(m, v, "gamma_d"),
		.gamma_p = of(m, v, "gamma_p"),
		.sigma = of(m, v, "sigma"),
		.tau = of(m, v, "tau"),
		.rho_star = of(m, v, "rho_star"),
		.lag = of(m, v, "D"),
	};
}

double kit_calcium_rho_star(size_t set)
{
	return numbers_of(set).rho_star;
}

/* Of `ms` after calcium was c, how long it is above theta. */
static double time_above(const struct numbers *k, double c, double theta, double ms)
{
	double t = c > theta ? k->tau_ca * fmath_log(c / theta) : 0;

	return t < ms ? t : ms;
}

/* Part of a period above theta, with pairs from all time. `later` is from the presynaptic jump to the
 * next postsynaptic one, in [0, period). */
static double part_above(const struct numbers *k, double theta, double later, double period)
{
	double all = 1 / -fmath_expm1(-period / k->tau_ca);
	double after_pre = all * (k->pre + k->post * fmath_exp(-(period - later) / k->tau_ca));
	double after_post = all * (k->post + k->pre * fmath_exp(-later / k->tau_ca));

	return (time_above(k, after_pre, theta, later) +
		time_above(k, after_post, theta, period - later)) /
	       period;
}

/* Distribution function of the standard normal: the series about 0, Laplace's continued fraction far
 * out; to about 1e-14. */
static double normal_below(double z)
{
	double x = fabs(z), density = fmath_exp(-0.5 * x * x) * 0.3989422804014327, tail;

	if (x < 3) {
		double term = x, sum = x;

		for (int n = 3; term > 1e-17 * sum; n += 2) {
			term *= x * x / n;
			sum += term;
		}
		tail = 0.5 - density * sum;
	} else {
		double fraction = x;

		for (int n = 100; n > 0; n--)
			fraction = x + n / fraction;
		tail = density / fraction;
	}
	return z < 0 ? tail : 1 - tail;
}

struct kit_calcium_flips kit_calcium_theory(const struct kit_calcium_pairs *p)
{
	struct numbers k = numbers_of(p->set);
	double period = 1000 / p->rate_hz, later = p->dt_ms - k.lag;
	double above_d, above_p, rate, t, rest, lost, sd;

	later -= period * floor(later / period);
	above_d = part_above(&k, k.theta_d, later, period);
	above_p = part_above(&k, k.theta_p, later, period);
	rate = k.gamma_p * above_p + k.gamma_d * above_d;
	if (rate == 0)
		return (struct kit_calcium_flips){ 0, 0 };
	t = (double)p->pairs * period * rate / k.tau;
	rest = k.gamma_p * above_p / rate;
	lost = fmath_exp(-t);
	sd = k.sigma * sqrt((above_p + above_d) / (2 * rate) * -fmath_expm1(-2 * t));
	return (struct kit_calcium_flips){
		normal_below((rest * (1 - lost) - k.rho_star) / sd),
		normal_below((k.rho_star - rest - (1 - rest) * lost) / sd),
	};
}

double kit_calcium_change(size_t set, struct kit_calcium_flips f)
{
	double beta = strengths[set].beta, b = strengths[set].b;
	double down = (1 - f.up) * beta + f.down * (1 - beta);
	double up = f.up * beta + (1 - f.down) * (1 - beta);

	return (down + b * up) / (beta + b * (1 - beta));
}

/* The variance is that of p with one more seen of both kinds: where p is 0 or 1, a single one counts as
 * what it is. */
double kit_calcium_change_error(size_t set, struct kit_calcium_flips f, double n)
{
	double beta = strengths[set].beta, b = strengths[set].b;
	double up = (n * f.up + 1) / (n + 2), down = (n * f.down + 1) / (n + 2);
	double variance = beta * beta * up * (1 - up) + (1 - beta) * (1 - beta) * down * (1 - down);

	return (b - 1) * sqrt(variance / n) / (beta + b * (1 - beta));
}

/* ---- references --------------------------------------------------------------------------- */

enum { DTS = 9, SETS = 4 };

static const double ref_dt[DTS] = { -60, -40, -20, -10, 0, 10, 20, 40, 60 };
static const struct {
	const char *set;
	double change[DTS];
} ref_curve[SETS] = {
	{ "DP", { .941, .851, .764, .882, 1.008, 1.221, 1.172, 1.085, 1.035 } },
	{ "DPD", { 1, 1, .998, .859, .997, .961, .867, 1, 1 } },
	{ "P", { 1.019, 1.046, 1.098, 1.230, 1.238, 1.230, 1.098, 1.046, 1.019 } },
	{ "D", { 1, 1, 1, 1, .637, 1, 1, 1, 1 } },
};
const double kit_calcium_rates_hz[KIT_CALCIUM_RATES] = { 0.1, 1, 5, 10, 20, 30, 40, 50 };
static const double ref_by_rate[2][KIT_CALCIUM_RATES] = {
	{ 1.061, 1.061, 1.062, 1.083, 1.253, 1.192, 1.553, 1.637 }, /* +10 ms */
	{ .691, .691, .690, .621, .635, 1.186, 1.585, 1.637 },	    /* -10 ms */
};

double kit_calcium_reference(size_t i, struct kit_calcium_pairs *ret)
{
	size_t by_rate = i - SETS * DTS, minus = by_rate / KIT_CALCIUM_RATES;

	if (i < SETS * DTS) {
		*ret = (struct kit_calcium_pairs){ kit_calcium_set(ref_curve[i / DTS].set), 60, 1,
						   ref_dt[i % DTS] };
		return ref_curve[i / DTS].change[i % DTS];
	}
	*ret = (struct kit_calcium_pairs){
		.set = kit_calcium_set(KIT_CALCIUM_RATE_SET),
		.pairs = KIT_CALCIUM_RATE_PAIRS,
		.rate_hz = kit_calcium_rates_hz[by_rate % KIT_CALCIUM_RATES],
		.dt_ms = minus ? -KIT_CALCIUM_RATE_DT_MS : KIT_CALCIUM_RATE_DT_MS,
	};
	return ref_by_rate[minus][by_rate % KIT_CALCIUM_RATES];
}
