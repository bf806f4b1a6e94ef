/* test_neuron_srm.c - the spike response model against its kernels, summed up as they stand. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/reference/neuron_world.h"

static struct world world;

#define DT    0.1
#define TAU_M 10.0
#define TAU_S 2.5
#define V_TH  500.0

static void step(double in)
{
	for (size_t i = 0; i < WORLD_N; i++)
		world.in[0][i] = in;
	world.c.step++;
	world.model->step(&world.c);
}

static double seen(size_t state)
{
	return world.state[state][WORLD_SEEN];
}

static void begin(size_t stride)
{
	double p[NEURON_PARAMS_MAX];

	world_defaults(&neuron_srm, p);
	world_init(&world, &neuron_srm, p, DT, stride);
}

/* Of a weight of 1; the largest value is 1. */
static double response(double s)
{
	double at = log(TAU_M / TAU_S) / (1 / TAU_S - 1 / TAU_M);

	return (exp(-s / TAU_M) - exp(-s / TAU_S)) / (exp(-at / TAU_M) - exp(-at / TAU_S));
}

static double after(double r)
{
	return V_TH * (2 * exp(-r / TAU_M) - 4 * (exp(-r / TAU_M) - exp(-r / TAU_S)));
}

Test(neuron_srm, below_the_threshold_responses_add_up)
{
	for (size_t stride = 0; stride < 2; stride++) {
		double most = 0;

		begin(stride);
		for (int t = 1; t <= 600; t++) {
			double want = 0;

			step(t == 10 ? 300 : t == 55 ? -120 : t == 200 ? 150 : 0);
			if (t > 10)
				want += 300 * response((t - 10) * DT);
			if (t > 55)
				want -= 120 * response((t - 55) * DT);
			if (t > 200)
				want += 150 * response((t - 200) * DT);
			cr_assert_float_eq(seen(0), want, 1e-10, "%d: %.17g", t, seen(0));
			cr_assert_eq(world.out[WORLD_SEEN], 0);
			most = fmax(most, seen(0));
		}
		cr_expect_gt(most, 290);
	}
}

/* 1400 rise through 500 at once; what came before the spike is forgotten, what comes
 * at its time and after it counts. */
Test(neuron_srm, a_spike_forgets_its_input_and_leaves_its_own_kernel)
{
	int spike = 0;

	begin(0);
	for (int t = 1; t <= 500; t++) {
		double want = 0, in = t == 1 ? 1400 : t == 60 ? 100 : 0;
		bool above = !spike && t > 1 && 1400 * response((t - 1) * DT) >= V_TH;

		step(above ? 200 : in);
		if (above)
			spike = t;
		cr_assert_eq(world.out[WORLD_SEEN] > 0, above, "%d", t);
		if (!spike)
			continue;
		want = after((t - spike) * DT) + 200 * response((t - spike) * DT) +
		       (t > 60 ? 100 * response((t - 60) * DT) : 0);
		cr_assert_float_eq(seen(0), want, 1e-10, "%d: %.17g", t, seen(0));
	}
	cr_assert(spike > 1 && spike < 60, "%d", spike);
}

/* After a spike V_m starts at twice the threshold and falls through it: that is none. */
Test(neuron_srm, only_rising_through_the_threshold_is_a_spike)
{
	int above = 0, spikes = 0;

	begin(0);
	for (int t = 1; t <= 2000; t++) {
		step(5);
		above += seen(0) >= V_TH;
		spikes += world.out[WORLD_SEEN] > 0;
	}
	cr_expect_geq(spikes, 10, "%d", spikes);
	cr_expect_gt(above, 5 * spikes, "%d steps above for %d spikes", above, spikes);
}

Test(neuron_srm, the_synaptic_time_must_be_the_shorter)
{
	double p[NEURON_PARAMS_MAX];
	struct err err = { 0 };

	world_defaults(&neuron_srm, p);
	world_set(&neuron_srm, p, "tau_s", 10);
	cr_assert_eq(neuron_srm.check(p, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "tau_s");
}
