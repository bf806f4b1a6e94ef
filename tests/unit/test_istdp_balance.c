/* test_istdp_balance.c - short runs: rates come to rho_0, inhibition mirrors excitation. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/engine_case.h"

static double value(const struct engine_case *c, const char *name)
{
	return json_number_value(json_object_get(engine_case_target(c, name), "value"));
}

static bool passed(const struct engine_case *c, const char *name)
{
	return json_is_true(json_object_get(engine_case_target(c, name), "pass"));
}

/* 40 s of spikes at rho_0 with a CV of 1 tell a rate to 7 % (5 Hz) or 5 % (10 Hz): three of those. */
CHECK_LONG(istdp_balance, the_cell_comes_to_its_rate_and_inhibition_to_excitation)
{
	static const struct {
		const char *params;
		double rho_0, around;
	} cases[] = {
		{ "{\"cell_s\":80,\"eta\":0.005,\"network_s\":1,\"neurons\":500}", 5, 0.21 },
		{ "{\"cell_s\":80,\"eta\":0.005,\"network_s\":1,\"neurons\":500,\"rho_0_hz\":10}",
		  10, 0.15 },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct engine_case c = engine_case_experiment("istdp_balance", cases[i].params);
		double rate = value(&c, "cell rate");

		cr_expect(fabs(rate / cases[i].rho_0 - 1) <= cases[i].around, "%g Hz, not %g", rate,
			  cases[i].rho_0);
		cr_expect(passed(&c, "correlation of currents"), "%g",
			  value(&c, "correlation of currents"));
		/* At 10 Hz the cell's refractory time and reset begin to order its spikes. */
		cr_expect(i > 0 || passed(&c, "cell CV"), "%g", value(&c, "cell CV"));
		cr_expect(passed(&c, "cell rate without plasticity"));
		cr_expect_gt(engine_case_metric(&c, "correlation_in_time"), 0.5);
		engine_case_release(&c);
	}
}

Test(istdp_balance, the_network_leaves_its_unison_for_irregular_firing)
{
	struct engine_case c = engine_case_experiment(
		"istdp_balance",
		"{\"cell_s\":1,\"network_s\":6,\"neurons\":1000,\"network_eta\":0.1}");
	size_t n = 0;
	double *rate = engine_case_column(&c, engine_case_recording(&c, "table", "network_rate", 0),
					  "rate_hz", &n);

	cr_expect_gt(engine_case_metric(&c, "network_rate_at_first"), 100);
	cr_assert_eq(n, 100);
	cr_expect_gt(rate[0], 50);
	cr_expect_lt(value(&c, "network rate"), 6);
	cr_expect_gt(value(&c, "network rate"), 2);
	/* The rule's own count is at rho_0; with a rate of learning so high it has come to rest. */
	cr_expect_float_eq(value(&c, "network rate felt by the rule"), 3, 0.6);
	cr_expect(passed(&c, "network CV"), "%g", value(&c, "network CV"));
	cr_expect(passed(&c, "network correlation"), "%g", value(&c, "network correlation"));
	mem_free(rate);
	engine_case_release(&c);
}

Test(istdp_balance, without_a_learning_rate_nothing_comes_to_rest)
{
	struct engine_case c = engine_case_experiment(
		"istdp_balance", "{\"cell_s\":4,\"eta\":0,\"network_s\":1,\"neurons\":500}");

	cr_expect(!passed(&c, "cell rate"));
	cr_expect_gt(value(&c, "cell rate"), 25);
	engine_case_release(&c);
}
