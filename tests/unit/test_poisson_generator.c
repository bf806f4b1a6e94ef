/* test_poisson_generator.c - statistics and exactness of Poisson processes; other inputs. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/neuron.h"

enum { N = 200 };

struct world {
	const struct neuron_model *model;
	struct neuron_ctx c;
	double p[NEURON_PARAMS_MAX];
	double state[NEURON_STATES_MAX][N], coef[NEURON_COEFS_MAX][N], out[N];
	int64_t quiet[N / NEURON_BLOCK + 1];
};

static struct world a, b;

static void prepare(struct world *x)
{
	double coef[NEURON_COEFS_MAX];

	if (x->model->changing)
		x->model->changing(&x->c);
	x->model->prepare(x->p, x->c.dt, coef);
	for (size_t k = 0; k < x->model->n_coefs; k++)
		for (size_t i = 0; i < N; i++)
			x->coef[k][i] = coef[k];
	memset(x->quiet, 0, sizeof(x->quiet));
	if (x->model->changed)
		x->model->changed(&x->c);
}

static void set(struct world *x, const char *name, double value)
{
	x->p[param_find(x->model->params, x->model->n_params, name)] = value;
	prepare(x);
}

static void world_init(struct world *x, const struct neuron_model *m, size_t n, uint64_t id0)
{
	memset(x, 0, sizeof(*x));
	x->model = m;
	x->c = (struct neuron_ctx){ .n = n,
				    .dt = 0.1,
				    .out = x->out,
				    .id0 = id0,
				    .quiet = x->quiet,
				    .key = rng_key(11, RNG_SPIKES, "population") };
	for (size_t i = 0; i < m->n_params; i++)
		x->p[i] = m->params[i].def;
	for (size_t k = 0; k < m->n_coefs; k++)
		x->c.coef[k] = x->coef[k];
	for (size_t k = 0; k < m->n_states; k++) {
		x->c.state[k] = x->state[k];
		for (size_t i = 0; i < N; i++)
			x->state[k][i] = m->states[k].init;
	}
}

static void poisson(struct world *x, size_t n, uint64_t id0, double rate)
{
	world_init(x, &neuron_poisson_generator, n, id0);
	set(x, "rate", rate);
}

/* Spikes of all neurons in the next step. */
static double advance(struct world *x)
{
	double sum = 0;

	x->c.step++;
	if (x->model->sparse)
		memset(x->out, 0, sizeof(x->out));
	x->model->step(&x->c);
	for (size_t i = 0; i < x->c.n; i++)
		sum += x->out[i];
	return sum;
}

static double run(struct world *x, int64_t steps)
{
	double sum = 0;

	for (int64_t t = 0; t < steps; t++)
		sum += advance(x);
	return sum;
}

/* Mean and variance of the neurons' counts are both lambda. */
static void moments(double rate, int64_t steps)
{
	double count[N] = { 0 }, mean = rate * 0.1 / 1000 * (double)steps, sum = 0, square = 0;

	poisson(&a, N, 0, rate);
	for (int64_t t = 0; t < steps; t++) {
		(void)advance(&a);
		for (size_t i = 0; i < N; i++)
			count[i] += a.out[i];
	}
	for (size_t i = 0; i < N; i++) {
		sum += count[i];
		square += (count[i] - mean) * (count[i] - mean);
	}
	cr_assert_lt(fabs(sum - N * mean), 3.5 * sqrt(N * mean), "rate %g: %g, not %g", rate, sum,
		     N * mean);
	cr_assert_lt(fabs(square / N / mean - 1), 3.5 * sqrt(2.0 / N),
		     "rate %g: variance %g of mean %g", rate, square / N, mean);
}

Test(poisson_generator, counts_have_the_mean_and_variance_of_the_process)
{
	moments(5, 20000);
	moments(20, 20000);
	moments(499, 2000);
	moments(501, 2000);
	moments(3000, 2000);
	moments(250000, 300);
}

static int ascending(const void *x, const void *y)
{
	double p = *(const double *)x, q = *(const double *)y;

	return (p > q) - (p < q);
}

/* Largest distance of the distribution of intervals (ms) from the exponential one, times sqrt(n).
 */
static double ks(double rate, int64_t steps)
{
	static double isi[200000];
	int64_t last[N] = { 0 };
	size_t n = 0;
	double worst = 0;

	poisson(&a, 20, 0, rate);
	for (int64_t t = 1; t <= steps; t++) {
		(void)advance(&a);
		for (size_t i = 0; i < 20; i++) {
			for (int k = 0; k < (int)a.out[i] && n < COUNTOF(isi); k++) {
				/* Inside its step a spike may be anywhere; spread evenly by a fixed
				 * rule. */
				double u = fmod((double)n * 0.6180339887498949, 1);
				double v = fmod((double)n * 0.7548776662466927, 1);

				isi[n++] = 0.1 * fabs((double)(t - last[i]) + u - v);
				last[i] = t;
			}
		}
	}
	qsort(isi, n, sizeof(*isi), ascending);
	for (size_t i = 0; i < n; i++) {
		double f = 1 - exp(-isi[i] * rate / 1000);

		worst = fmax(worst, fmax(fabs(f - (double)i / (double)n),
					 fabs(f - (double)(i + 1) / (double)n)));
	}
	return worst * sqrt((double)n);
}

Test(poisson_generator, intervals_are_exponential_in_both_modes)
{
	cr_assert_lt(ks(20, 150000), 1.63); /* by intervals: 6000 of them */
	cr_assert_lt(ks(520, 10000), 1.63); /* by counts: 10000 */
	cr_assert_gt(ks(20, 150000), 0.2);
}

Test(poisson_generator, counts_of_a_step_follow_the_distribution)
{
	double seen[12] = { 0 }, chi = 0, expected = exp(-1.2), total = 0;

	poisson(&a, N, 0, 12000);
	for (int64_t t = 0; t < 500; t++) {
		(void)advance(&a);
		for (size_t i = 0; i < N; i++)
			seen[a.out[i] < 7 ? (size_t)a.out[i] : 7]++;
	}
	for (size_t k = 0; k < 8; k++) {
		double want = k < 7 ? expected : 1 - total;

		chi += (seen[k] / (500.0 * N) - want) * (seen[k] / (500.0 * N) - want) / want *
		       500.0 * N;
		total += expected;
		expected *= 1.2 / (double)(k + 1);
	}
	cr_assert_lt(chi, 24.3, "chi square with 7 degrees of freedom is %g", chi); /* p = 0.001 */
}

/* Times of spikes in units of hazard do not depend on when the rate changed. */
Test(poisson_generator, a_change_of_a_low_rate_is_exact)
{
	static double at_a[4000], at_b[4000];
	size_t n_a = 0, n_b = 0;
	double hazard = 0;

	poisson(&a, 1, 5, 400);
	for (int64_t t = 0; t < 20000; t++)
		for (double n = advance(&a); n > 0; n--)
			at_a[n_a++] = 0.04 * (double)(t + 1);
	poisson(&b, 1, 5, 400);
	while (hazard < 799) {
		double rate = hazard < 100 ? 400 : hazard < 300 ? 10 : hazard < 500 ? 499 : 123;

		set(&b, "rate", rate);
		hazard += rate * 1e-4;
		for (double n = advance(&b); n > 0; n--)
			at_b[n_b++] = hazard;
	}
	cr_assert_gt(n_b, 700);
	for (size_t i = 0; i < n_b; i++)
		cr_assert_lt(fabs(at_a[i] - at_b[i]), 0.1, "spike %zu at %g, not %g", i, at_b[i],
			     at_a[i]);
}

Test(poisson_generator, rates_hold_across_changes_of_mode)
{
	double low = 0, high = 0;

	poisson(&a, N, 0, 100);
	for (int k = 0; k < 40; k++) {
		set(&a, "rate", 100);
		low += run(&a, 50);
		set(&a, "rate", 1000);
		high += run(&a, 50);
	}
	cr_assert_lt(fabs(low - 4000), 3.5 * sqrt(4000), "%g", low);
	cr_assert_lt(fabs(high - 40000), 3.5 * sqrt(40000), "%g", high);
}

Test(poisson_generator, a_rate_of_zero_is_silent_and_loses_no_hazard)
{
	double left;

	poisson(&a, 1, 0, 50);
	(void)run(&a, 10);
	set(&a, "rate", 0);
	left = a.state[0][0];
	cr_assert_gt(left, 0);
	cr_assert_eq(run(&a, 10000), 0);
	cr_assert_eq(a.state[0][0], left);
	set(&a, "rate", 5);
	cr_assert_eq(run(&a, (int64_t)(left / 5e-4)), 0);
	cr_assert_eq(run(&a, 1), 1);
}

Test(poisson_generator, a_neuron_emits_the_same_alone_as_among_others)
{
	static const double rates[] = { 100, 2000 };

	for (size_t r = 0; r < COUNTOF(rates); r++) {
		size_t spikes = 0;

		poisson(&a, N, 0, rates[r]);
		poisson(&b, 3, 77, rates[r]);
		b.c.stride = 1;
		for (int64_t t = 0; t < 3000; t++) {
			(void)advance(&a);
			spikes += advance(&b) > 0;
			for (size_t i = 0; i < 3; i++)
				cr_assert_eq(a.out[77 + i], b.out[i]);
		}
		cr_assert_gt(spikes, 50);
	}
}

/* Silent neurons, some by intervals, some by counts of small and large mean, in runs of any length:
 * each as if it were alone. */
Test(poisson_generator, neurons_of_any_rates_side_by_side_do_not_disturb_each_other)
{
	static const double rates[] = { 2000, 2000, 100, 7000, 0, 150000, 30, 501, 90000, 2000 };
	double coef[NEURON_COEFS_MAX], got[50][N], spikes = 0;

	poisson(&a, N, 0, 0);
	a.c.stride = 1;
	for (size_t i = 0; i < N; i++) {
		a.p[0] = rates[i < 100 ? i / 13 : i % COUNTOF(rates)];
		a.model->prepare(a.p, a.c.dt, coef);
		for (size_t k = 0; k < a.model->n_coefs; k++)
			a.coef[k][i] = coef[k];
	}
	a.model->changed(&a.c);
	for (size_t t = 0; t < 50; t++) {
		(void)advance(&a);
		memcpy(got[t], a.out, sizeof(a.out));
	}
	for (size_t i = 0; i < N; i++) {
		poisson(&b, 1, i, rates[i < 100 ? i / 13 : i % COUNTOF(rates)]);
		for (size_t t = 0; t < 50; t++) {
			spikes += advance(&b);
			cr_assert_eq(got[t][i], b.out[0], "neuron %zu step %zu: %g, not %g", i,
				     t + 1, got[t][i], b.out[0]);
		}
	}
	cr_assert_gt(spikes, 1000);
}

/* What a step by counts emits is the published draw: key, neuron and step, nothing else. */
Test(poisson_generator, counts_are_the_draws_of_neuron_and_step)
{
	static const double rates[] = { 501, 7000, 99000, 250000 };

	for (size_t r = 0; r < COUNTOF(rates); r++) {
		poisson(&a, N - 1, 0xffffffa0, rates[r]);
		for (uint64_t t = 1; t <= 200; t++) {
			(void)advance(&a);
			for (size_t i = 0; i < a.c.n; i++)
				cr_assert_eq(a.out[i], rng_poisson(a.c.key, a.c.id0 + i, t,
								   rates[r] * 0.1 / 1000));
		}
	}
}

Test(poisson_generator, neurons_differ_from_each_other)
{
	size_t same = 0;

	poisson(&a, 2, 0, 2000);
	for (int64_t t = 0; t < 2000; t++) {
		(void)advance(&a);
		same += a.out[0] > 0 && a.out[1] > 0;
	}
	cr_assert_lt(same, 110); /* 2000 * (1 - exp(-0.2))^2 = 66 */
}

Test(poisson_generator, it_is_active_after_start_up_to_stop)
{
	static const double rates[] = { 400, 9000 };

	for (size_t r = 0; r < COUNTOF(rates); r++) {
		poisson(&a, N, 0, rates[r]);
		set(&a, "start", 10);
		set(&a, "stop", 20);
		cr_assert_eq(run(&a, 100), 0);
		cr_assert_gt(advance(&a), 0); /* step 101 is (10, 10.1] ms */
		(void)run(&a, 98);
		cr_assert_gt(advance(&a), 0);
		cr_assert_eq(a.c.step, 200);
		cr_assert_eq(run(&a, 100), 0);
	}
}

Test(dc_generator, delivers_after_start_up_to_stop)
{
	double sum;

	world_init(&a, &neuron_dc_generator, 2, 0);
	set(&a, "amplitude", 3);
	set(&a, "start", 1);
	set(&a, "stop", 2);
	sum = run(&a, 10);
	cr_assert_eq(sum, 0);
	sum = run(&a, 10);
	cr_assert_eq(sum, 60);
	sum = run(&a, 10);
	cr_assert_eq(sum, 0);
	set(&a, "stop", PARAM_INF);
	sum = advance(&a);
	cr_assert_eq(sum, 6);
}

Test(spike_generator, emits_each_neurons_times_and_counts_equal_ones)
{
	static const uint64_t offset[] = { 0, 3, 3, 5 };
	static const int64_t step[] = { 2, 5, 5, 1, 9 };
	double got[3][10];

	world_init(&a, &neuron_spike_generator, 3, 0);
	a.c.times = (struct neuron_times){ .offset = offset, .step = step, .stride = 1 };
	for (int t = 0; t < 10; t++) {
		(void)advance(&a);
		for (size_t i = 0; i < 3; i++)
			got[i][t] = a.out[i];
	}
	for (int t = 0; t < 10; t++) {
		cr_assert_eq(got[0][t], t == 1 ? 1 : t == 4 ? 2 : 0);
		cr_assert_eq(got[1][t], 0);
		cr_assert_eq(got[2][t], t == 0 || t == 8);
	}
	a.c.times = (struct neuron_times){ .offset = NULL };
	cr_assert_eq(run(&a, 3), 0);
}

Test(parrot_neuron, repeats_what_it_receives)
{
	static const double in[] = { 0, 2, 1 };

	world_init(&a, &neuron_parrot_neuron, 3, 0);
	a.c.in[0] = in;
	(void)advance(&a);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(a.out[i], in[i]);
}
