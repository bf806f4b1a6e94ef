/* test_correlated.c - Poisson trains of a shared source: rates, covariances, their time. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/generator_world.h"

enum { N = 40, STEPS = 2000000 };

static struct world a, b, c;

static void correlated(struct world *x, size_t n, uint64_t id0, double correlation, double tau)
{
	world_init(x, &neuron_correlated_poisson_generator, n, id0);
	world_set(x, "rate", 20);
	world_set(x, "correlation", correlation);
	world_set(x, "tau_c", tau);
	world_start(x);
}

/* Moments of counts in windows of `length` steps: over neurons and windows, and of the sum over
 * neurons, from which the mean covariance of pairs follows. */
static void windows(double correlation, double tau, int length, double share)
{
	double mean = 20 * 0.1e-3 * length, square = 0, sum = 0, all = 0, n = STEPS / length;
	double want, covariance, var, error;

	correlated(&a, N, 0, correlation, tau);
	for (int w = 0; w < (int)n; w++) {
		double count[N] = { 0 }, total = 0;

		for (int t = 0; t < length; t++) {
			world_step(&a);
			for (size_t i = 0; i < N; i++)
				count[i] += a.out[i];
		}
		for (size_t i = 0; i < N; i++) {
			sum += count[i];
			square += (count[i] - mean) * (count[i] - mean);
			total += count[i] - mean;
		}
		all += total * total;
	}
	want = share * correlation * mean;
	var = N * mean + N * (N - 1) * want; /* of the sum */
	cr_assert_lt(fabs(sum - n * N * mean), 3.5 * sqrt(n * var), "c %g: rate off by %g",
		     correlation, sum / (n * N * mean) - 1);
	/* Of an estimated variance, with the kurtosis that common spikes give. */
	error = sqrt((2 + N * correlation / mean) / n) * var;
	covariance = (all - square) / n / (N * (N - 1));
	cr_assert_lt(fabs(covariance - want) * N * (N - 1), 3.5 * error, "c %g: %g, not %g",
		     correlation, covariance, want);
	cr_assert_lt(fabs(square / n / N / mean - 1),
		     3.5 * sqrt((2 + 1 / mean) / n * (1.0 / N + correlation)), "c %g: variance %g",
		     correlation, square / n / N);
}

Test(correlated, counts_have_the_rate_and_the_covariance_of_shared_spikes)
{
	windows(0, 0, 500, 1);
	windows(0.01, 0, 500, 1);
	windows(0.3, 0, 500, 1);
	windows(1, 0, 500, 1);
}

/* Share of the covariance that a window of T sees: 1 - tau / T (1 - exp(-T / tau)). */
Test(correlated, displaced_copies_covary_over_longer_times)
{
	windows(0.3, 20, 500, 1 - 20.0 / 50 * (1 - exp(-50.0 / 20)));
	windows(0.3, 5, 500, 1 - 5.0 / 50 * (1 - exp(-50.0 / 5)));
}

/* Covariance of the summed counts of bins of 1 ms, `lag` bins apart: of different trains only, since
 * each one alone is a Poisson process. Over two stretches of tau_c it falls by e. */
Test(correlated, the_covariance_falls_with_tau_c)
{
	static double bin[STEPS / 10];
	double near = 0, far = 0, n = STEPS / 10, tau;

	correlated(&a, N, 0, 0.5, 10);
	for (int k = 0; k < STEPS / 10; k++) {
		bin[k] = -N * 20e-3;
		for (int t = 0; t < 10; t++) {
			world_step(&a);
			for (size_t i = 0; i < N; i++)
				bin[k] += a.out[i];
		}
	}
	for (int lag = 1; lag <= 20; lag++)
		for (int k = 0; k + lag < STEPS / 10; k++)
			*(lag <= 10 ? &near : &far) += bin[k] * bin[k + lag] / n;
	tau = 10 / log(near / far);
	cr_assert_lt(fabs(tau - 10), 0.5, "tau_c is %g ms", tau);
	/* c r / 2 (exp(0) - exp(-1)), less the half bins at its ends. */
	near /= N * (N - 1) * 0.5 * 20e-3 / 2 * (exp(-0.05) - exp(-1.05));
	cr_assert_lt(fabs(near - 1), 0.04, "covariance is %g of what it should be", near);
}

/* A neuron cannot tell copies from spikes of its own: intervals are exponential, counts in a row of
 * bins do not covary. */
Test(correlated, every_train_alone_is_a_poisson_process)
{
	double product = 0, n = 0, variance = 0;

	correlated(&a, 10, 0, 0.5, 10);
	for (int k = 0; k < 40000; k++) {
		static double last[10];
		double count[10] = { 0 };

		for (int t = 0; t < 50; t++) {
			world_step(&a);
			for (size_t i = 0; i < 10; i++)
				count[i] += a.out[i];
		}
		for (size_t i = 0; i < 10; i++) {
			count[i] -= 0.1;
			product += k ? count[i] * last[i] : 0;
			variance += count[i] * count[i];
			last[i] = count[i];
			n++;
		}
	}
	cr_assert_lt(fabs(product / n), 3.5 * 0.1 * sqrt(5 / n));
	cr_assert_lt(fabs(variance / n / 0.1 - 1), 3.5 * sqrt(5 * (2 + 10) / n));
}

Test(correlated, the_rate_is_there_from_the_start)
{
	double sum = 0;

	correlated(&a, WORLD_N, 0, 0.002, 1000);
	for (int t = 0; t < 2000; t++) {
		world_step(&a);
		for (size_t i = 0; i < WORLD_N; i++)
			sum += a.out[i];
	}
	cr_assert_lt(fabs(sum - WORLD_N * 4), 3.5 * sqrt(WORLD_N * 4), "%g", sum);
}

Test(correlated, parts_of_a_population_see_the_same_mother)
{
	static const double taus[] = { 0, 3 };

	for (size_t k = 0; k < COUNTOF(taus); k++) {
		double spikes = 0;

		correlated(&a, N, 0, 0.2, taus[k]);
		correlated(&b, 15, 0, 0.2, taus[k]);
		correlated(&c, N - 15, 15, 0.2, taus[k]);
		for (int t = 0; t < 20000; t++) {
			world_step(&a);
			world_step(&b);
			world_step(&c);
			for (size_t i = 0; i < N; i++) {
				cr_assert_eq(a.out[i], i < 15 ? b.out[i] : c.out[i - 15]);
				spikes += a.out[i];
			}
		}
		cr_assert_gt(spikes, 1000);
	}
}

Test(correlated, with_correlation_one_all_trains_are_one)
{
	double spikes = 0;

	correlated(&a, N, 0, 1, 0);
	for (int t = 0; t < 50000; t++) {
		world_step(&a);
		for (size_t i = 1; i < N; i++)
			cr_assert_eq(a.out[i], a.out[0]);
		spikes += a.out[0];
	}
	cr_assert_gt(spikes, 50);
}

Test(correlated, it_is_active_between_start_and_stop)
{
	double first = 0, last = 0;

	correlated(&a, N, 0, 0.5, 5);
	world_set(&a, "start", 10);
	world_set(&a, "stop", 500);
	for (int t = 1; t <= 6000; t++) {
		world_step(&a);
		for (size_t i = 0; i < N; i++) {
			last = a.out[i] > 0 ? t : last;
			first = first > 0 || a.out[i] == 0 ? first : t;
		}
	}
	cr_assert(first > 100 && first < 300, "first at %g", first);
	cr_assert(last > 4700 && last <= 5000, "last at %g", last);
}

Test(correlated, a_correlation_too_small_to_draw_is_refused)
{
	struct err err = { 0 };

	world_init(&a, &neuron_correlated_poisson_generator, N, 0);
	world_set(&a, "correlation", 1e-4);
	cr_assert_eq(a.model->check(a.p, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "correlation");
}
