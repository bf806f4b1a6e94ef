/* test_frequency_curve.c - pairs by frequency: independent predictions, the control, any rule. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/engine_case.h"

static double *column(const struct engine_case *c, const char *table, const char *name, size_t *n)
{
	return engine_case_column(c, engine_case_recording(c, "table", table, 0), name, n);
}

Test(frequency_curve, the_triplet_rule_has_all_signs_of_the_data)
{
	struct engine_case c = engine_case_experiment("frequency_curve",
						      "{\"set\":\"visual_cortex_nearest_full\"}");
	/* An independent implementation, at 0.1, 10, 20, 40, 50 Hz. */
	static const double want[2][5] = { { 0, .104, .323, .560, .624 },
					   { -.294, -.411, -.338, .260, .619 } };
	size_t n = 0;
	double *dw[2] = { column(&c, "curve", "dw_plus", &n), column(&c, "curve", "dw_minus", &n) };

	engine_case_reached(&c, 2);
	cr_assert_eq(n, 5);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < 5; i++)
			cr_expect_float_eq(dw[k][i], want[k][i], 0.002, "%g", dw[k][i]);
	cr_expect_float_eq(engine_case_metric(&c, "E"), 0.23, 0.02);
	mem_free(dw[0]);
	mem_free(dw[1]);
	engine_case_release(&c);
}

/* All-to-all pairs at period T: sums of both geometric series, 60 pairs. */
static double pairs(double a_plus, double a_minus, double dt, double period)
{
	double sum = 0;

	for (int i = 0; i < 60; i++)
		for (int j = 0; j < 60; j++) {
			double d = dt + (i - j) * period;

			sum += d > 0 ? a_plus * exp(-d / 20) : a_minus * exp(d / 20);
		}
	return sum;
}

Test(frequency_curve, pairs_are_their_sums_and_miss_the_signs)
{
	struct engine_case c = engine_case_experiment(
		"frequency_curve",
		"{\"rule\":\"stdp_pair\",\"rates_hz\":[4,25],\"rule_params\":{\"A_plus\":0.005,"
		"\"A_minus\":-0.00525,\"tau_plus\":20,\"tau_minus\":20}}");
	size_t n = 0;
	double *plus = column(&c, "curve", "dw_plus", &n);
	double *minus = column(&c, "curve", "dw_minus", &n);
	double *shuffled = column(&c, "curve", "dw_shuffled", &n);

	cr_assert_eq(n, 2);
	for (size_t i = 0; i < 2; i++) {
		double period = i ? 40 : 250, mean = 0;

		cr_expect_float_eq(plus[i], pairs(.005, -.00525, 10, period), 1e-12);
		cr_expect_float_eq(minus[i], pairs(.005, -.00525, -10, period), 1e-12);
		for (int k = 0; k < 1000; k++)
			mean += pairs(.005, -.00525, (k + 0.5) * 1e-3 * period, period) / 1000;
		/* 20 synapses of 60 draws: 0.005 sqrt(60 / 20) exp(-dt / 20) and less. */
		cr_expect_float_eq(shuffled[i], mean, 0.02, "%g, not %g", shuffled[i], mean);
	}
	cr_expect(json_is_false(json_object_get(engine_case_target(&c, "signs_right"), "pass")));
	mem_free(plus);
	mem_free(minus);
	mem_free(shuffled);
	engine_case_release(&c);
}

Test(frequency_curve, what_is_refused_is_told)
{
	static const struct {
		const char *params, *path;
	} bad[] = {
		{ "\"rule\":\"nothing\"", "/params/rule" },
		{ "\"set\":\"nothing\"", "/params/set" },
		{ "\"rule\":\"stdp_clopath\"", "/params/rule" },
		{ "\"rates_hz\":[200]", "/params/rates_hz" },
		{ "\"rule_params\":{\"w_max\":0.5}", "/params/w_0" },
		{ "\"pairs\":10000,\"rates_hz\":{\"from\":1,\"to\":50,\"step\":0.1}",
		  "/params/rates_hz" },
	};

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		char text[256];
		struct engine_case c;

		(void)snprintf(text, sizeof(text),
			       "{\"experiment\":\"frequency_curve\",\"params\":{%s}}",
			       bad[i].params);
		c = engine_case_text(text, 1);
		cr_expect_neq(c.rc, 0);
		cr_expect_str_eq(c.err.path, bad[i].path, "%zu: %s: %s", i, c.err.path, c.err.text);
		engine_case_release(&c);
	}
}
