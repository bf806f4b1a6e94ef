/* test_hebb_rate.c - what the rules on rates are known for: Oja's principal component, BCM's
 * selectivity, the sign of a covariance, Hebb's growth.
 *
 * The target is linear: its spikes are the running sum of weights times incoming spikes. Spikes come
 * in bunches, as evenly as whole numbers allow, so that rates are nearly free of noise. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/check.h"
#include "tests/unit/one_synapse.h"

enum { PLAIN, COVARIANCE, OJA, BCM };
enum { N = 6, DELAY = 1, TICK = 5, TAU = 20, FEATURE = 100 }; /* steps of 1 ms */
enum { PER_STEP = 10 };					      /* spikes at rate_0 */

static const struct plasticity_model *const rule = &plasticity_hebb_rate;

struct world {
	struct one in[N]; /* one synapse of each source; the history is the first one's */
	double p[PLASTICITY_PARAMS_MAX];
	double part[N], part_out; /* of a spike, left over */
	double gain;		  /* spikes of the target per weight and incoming spike */
	double x[N], y;		  /* rates of now, in units of rate_0 */
	int64_t t;
};

static struct world world;

static void begin(struct world *x, int variant, double eta, double gain)
{
	memset(x, 0, sizeof(*x));
	one_defaults(rule, x->p);
	one_set(rule, x->p, "variant", variant);
	one_set(rule, x->p, "eta", eta);
	one_set(rule, x->p, "update_ms", TICK);
	one_set(rule, x->p, "tau_x", TAU);
	one_set(rule, x->p, "tau_y", TAU);
	one_set(rule, x->p, "rate_0", 1000 * PER_STEP);
	one_set(rule, x->p, "w_max", 10);
	x->gain = gain;
}

static void weights(struct world *x, const double *w)
{
	for (size_t i = 0; i < N; i++)
		one_init(&x->in[i], rule, x->p, 1, DELAY, w[i]);
}

/* What has arrived is needed no more, but for the last. */
static void forget(struct one *o, int64_t t)
{
	size_t drop = 0;

	while (drop + 1 < o->n_all && o->all[drop + 1].step + DELAY <= t)
		drop++;
	memmove(o->all, o->all + drop, (o->n_all - drop) * sizeof(*o->all));
	o->history.n = o->n_all -= drop;
}

static unsigned whole(double *part, double more)
{
	double n;

	*part += more;
	n = floor(*part);
	*part -= n;
	return (unsigned)n;
}

/* A running rate `age` steps after its trace was k. */
static double rate_of(double k, int64_t age)
{
	return k / (TAU * PER_STEP) * exp(-(double)age / TAU);
}

static void update(struct world *x)
{
	const struct one *first = &x->in[0];
	const struct plasticity_spike *last;

	forget(&x->in[0], x->t);
	last = &first->all[first->n_all - 1];
	x->y = first->n_all ? rate_of(last->k[0], x->t - last->step - DELAY) : 0;
	for (size_t i = 0; i < N; i++) {
		struct one *o = &x->in[i];

		x->x[i] = o->row.t_pre < 0 ? 0 : rate_of(o->pre[0], x->t - o->row.t_pre);
		o->ctx.post = &first->history;
		o->row.tick = true;
		one_update(o, x->t, 0);
		o->row.tick = false;
	}
}

/* One step with these rates, in units of rate_0. */
static void step(struct world *x, const double *rate)
{
	unsigned out;
	double sum = 0;

	x->t++;
	for (size_t i = 0; i < N; i++) {
		unsigned n = whole(&x->part[i], PER_STEP * rate[i]);

		sum += n * x->in[i].w;
		if (n)
			one_update(&x->in[i], x->t, n);
	}
	out = whole(&x->part_out, x->gain * sum);
	for (unsigned k = 0; k < out; k++)
		one_post(&x->in[0], x->t - DELAY);
	if (x->t % TICK == 0)
		update(x);
}

static double length(const double *v)
{
	double sum = 0;

	for (size_t i = 0; i < N; i++)
		sum += v[i] * v[i];
	return sqrt(sum);
}

static double cosine(const double *a, const double *b)
{
	double sum = 0;

	for (size_t i = 0; i < N; i++)
		sum += a[i] * b[i];
	return sum / (length(a) * length(b));
}

static void principal(const double c[N][N], double *ret)
{
	for (size_t i = 0; i < N; i++)
		ret[i] = 1;
	for (int k = 0; k < 2000; k++) {
		double next[N] = { 0 }, norm;

		for (size_t i = 0; i < N; i++)
			for (size_t j = 0; j < N; j++)
				next[i] += c[i][j] * ret[j];
		norm = length(next);
		for (size_t i = 0; i < N; i++)
			ret[i] = next[i] / norm;
	}
}

/* Two features of either sign, new every 100 ms, on top of unequal means. */
static void features(struct check_random *r, double *rate)
{
	static const double mean[N] = { 3, 2, 4, 3, 1, 2 };
	static const double one[N] = { 1, 0.8, -0.9, -0.6, 0.2, -0.7 };
	static const double two[N] = { 0.3, -0.8, 0.5, -0.9, 0.4, 0.9 };
	double a = check_uniform(r, -2, 2), b = check_uniform(r, -1, 1);

	for (size_t i = 0; i < N; i++)
		rate[i] = fmax(0, mean[i] + a * one[i] + b * two[i]);
}

/* Target: |cos| at least 0.999, length 1 to 0.01. The gain makes up for alpha: 1 / sqrt(alpha gain). */
Test(hebb_rate, oja_comes_to_the_first_principal_component_of_length_one)
{
	static const double starts[][N] = { { 0.1, 0.1, 0.1, 0.1, 0.1, 0.1 },
					    { 0, 2, 0, 0, 0, 0 },
					    { 0.9, 0, 0, 0.9, 0.9, 0.9 } };
	static const double gains[] = { 1, 0.25, 2 };

	for (size_t k = 0; k < COUNTOF(starts); k++) {
		struct check_random r = check_random("oja");
		double c[N][N] = { { 0 } }, first[N], w[N], even[N], rate[N];

		begin(&world, OJA, 5e-4 / gains[k], gains[k]);
		one_set(rule, world.p, "alpha", 1 / gains[k]);
		weights(&world, starts[k]);
		for (int64_t t = 0; t < 300000; t++) {
			if (t % FEATURE == 0)
				features(&r, rate);
			step(&world, rate);
			for (size_t i = 0; t % TICK == TICK - 1 && i < N; i++)
				for (size_t j = 0; j < N; j++)
					c[i][j] += world.x[i] * world.x[j];
		}
		principal((const double(*)[N])c, first);
		for (size_t i = 0; i < N; i++) {
			w[i] = world.in[i].w;
			even[i] = 1;
		}
		cr_assert_lt(cosine(first, even), 0.98, "any weights would do");
		cr_expect_geq(cosine(w, first), 0.999, "%zu: cos %.6f", k, cosine(w, first));
		cr_expect(fabs(length(w) - 1) <= 0.01, "%zu: length %.6f", k, length(w));
	}
}

/* Two inputs in turn: the target comes to answer one of them and not the other, by which one begins
 * ahead. While it answers x with y = w x, dw = 0 on the mean for w = <x^3> / <x^2>^2, the means being
 * over all of the time: y near 2 rate_0; to 1 %. */
Test(hebb_rate, bcm_selects_one_of_two_inputs)
{
	static const double starts[][N] = { { 0.6, 0.4 }, { 0.4, 0.6 } };

	for (size_t k = 0; k < 2; k++) {
		double square = 0, cube = 0, rate[N] = { 0 }, want;
		size_t n = 0;

		begin(&world, BCM, 0.05, 1);
		one_set(rule, world.p, "tau_theta", 2000);
		weights(&world, starts[k]);
		for (int64_t t = 0; t < 200000; t++) {
			bool second = t / 400 % 2;

			rate[0] = second ? 0 : 2;
			rate[1] = second ? 2 : 0;
			step(&world, rate);
			if (t >= 100000 && world.t % TICK == 0) {
				square += pow(world.x[k], 2);
				cube += pow(world.x[k], 3);
				n++;
			}
		}
		want = cube / square / square * (double)n;
		cr_expect(check_close(world.in[k].w, want, 0.01, 0), "%zu: w %g, not %g", k,
			  world.in[k].w, want);
		cr_expect(fabs(2 * want - 2) < 0.2);
		cr_expect_leq(world.in[1 - k].w, 0.01, "%zu: the other %g", k, world.in[1 - k].w);
	}
}

/* With one input the target comes to rate_0 from either side. */
Test(hebb_rate, bcm_brings_a_target_to_its_rate)
{
	static const double starts[][N] = { { 0.1 }, { 1.5 } };

	for (size_t k = 0; k < 2; k++) {
		const double rate[N] = { 2 };

		begin(&world, BCM, 0.2, 1);
		one_set(rule, world.p, "tau_theta", 200);
		weights(&world, starts[k]);
		for (int64_t t = 0; t < 100000; t++)
			step(&world, rate);
		cr_expect(fabs(world.y - 1) <= 0.03, "%zu: y %g", k, world.y);
		cr_expect(fabs(world.in[0].w - 0.5) <= 0.015, "%zu: w %g", k, world.in[0].w);
	}
}

static double covariance(const double *a, const double *b, size_t n)
{
	double sum_a = 0, sum_b = 0, sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum_a += a[i];
		sum_b += b[i];
		sum += a[i] * b[i];
	}
	return sum / (double)n - sum_a / (double)n * sum_b / (double)n;
}

enum { UPDATES = 40000 };

/* Thresholds that have become the means: weights change by eta times the covariance, to 3 % of the
 * largest change. Source 0 drives the target, 1 follows it, 2 opposes it, 3 is independent. */
Test(hebb_rate, covariance_has_the_sign_of_the_covariance)
{
	static double x[4][UPDATES], y[UPDATES];
	static const double start[N] = { 1, 1, 1, 1 };
	struct check_random r = check_random("covariance");
	double rate[N] = { 0 }, want[4], dw[4];
	size_t n = 0;

	begin(&world, COVARIANCE, 1e-3, 0);
	one_set(rule, world.p, "sliding", 1);
	one_set(rule, world.p, "tau_theta", 20000);
	one_set(rule, world.p, "theta_x", 2000 * PER_STEP);
	one_set(rule, world.p, "theta_y", 2000 * PER_STEP);
	weights(&world, start);
	for (int64_t t = 0; t < TICK * UPDATES; t++) {
		unsigned out;

		if (t % FEATURE == 0) {
			double a = check_uniform(&r, -1, 1);

			rate[0] = 2 + a;
			rate[1] = 2 + 0.5 * a + check_uniform(&r, -0.5, 0.5);
			rate[2] = 2 - a;
			rate[3] = 2 + check_uniform(&r, -1, 1);
		}
		out = whole(&world.part_out, PER_STEP * rate[0]);
		for (unsigned k = 0; k < out; k++)
			one_post(&world.in[0], t + 1 - DELAY);
		step(&world, rate);
		if (world.t % TICK)
			continue;
		for (size_t i = 0; i < 4; i++)
			x[i][n] = world.x[i];
		y[n++] = world.y;
	}
	cr_assert_eq(n, UPDATES);
	for (size_t i = 0; i < 4; i++) {
		want[i] = 1e-3 * 0.005 * (double)n * covariance(x[i], y, n);
		dw[i] = world.in[i].w - 1;
	}
	for (size_t i = 0; i < 4; i++)
		cr_expect(fabs(dw[i] - want[i]) <= 0.03 * fabs(want[0]), "%zu: %g, not %g", i,
			  dw[i], want[i]);
	cr_assert(dw[0] > dw[1] && dw[1] > 0.3 * dw[0] && dw[2] < -0.9 * dw[0]);
	cr_assert(fabs(dw[3]) < 0.15 * dw[0]);
}

/* dw/dt = eta gain x^2 w: growth without bound, faster and faster, until there is one. */
Test(hebb_rate, plain_grows_exponentially_up_to_the_bound)
{
	static const double start[N] = { 0.5 };
	const double rate[N] = { 2 };
	double x = 2 / (TAU * (1 - exp(-1.0 / TAU))); /* a trace is read at its spikes */
	double after_10_s, after_20_s;

	begin(&world, PLAIN, 0.02, 1);
	weights(&world, start);
	for (int64_t t = 0; t < 10000; t++)
		step(&world, rate);
	after_10_s = world.in[0].w;
	for (int64_t t = 0; t < 10000; t++)
		step(&world, rate);
	after_20_s = world.in[0].w;
	cr_expect(check_close(after_10_s, 0.5 * exp(0.2 * x * x), 0.01, 0), "%g", after_10_s);
	cr_expect(check_close(after_20_s, 0.5 * exp(0.4 * x * x), 0.01, 0), "%g", after_20_s);
	for (int64_t t = 0; t < 60000; t++)
		step(&world, rate);
	cr_assert_eq(world.in[0].w, 10);
}
