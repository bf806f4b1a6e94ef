/* test_stdp_bcm.c - drifts between Poisson trains: closed forms, thresholds, the control. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/engine_case.h"

static double *column(const struct engine_case *c, const char *name)
{
	size_t n = 0;

	return engine_case_column(c, engine_case_recording(c, "table", "drift", 0), name, &n);
}

Test(stdp_bcm, thresholds_are_those_of_the_closed_forms_and_hebb_has_none)
{
	struct engine_case c =
		engine_case_experiment("stdp_bcm", "{\"duration_s\":100,\"repeats\":10}");
	const json_t *theta = engine_case_target(&c, "theta triplet");

	engine_case_reached(&c, 10);
	/* 19.2 Hz, within 3 %. */
	cr_expect_float_eq(json_number_value(json_object_get(theta, "value")), 19.2, 0.576);
	cr_expect_float_eq(json_number_value(json_object_get(theta, "low")), 0.97 * 19.22, 0.01);
	cr_expect_lt(
		json_number_value(json_object_get(json_object_get(c.result, "score"), "value")),
		0.03);
	engine_case_release(&c);
}

/* By hand, on a fine grid nearly as in continuous time; and the measured ones within 5 errors. */
Test(stdp_bcm, closed_forms_are_the_published_ones)
{
	struct engine_case c = engine_case_experiment(
		"stdp_bcm", "{\"duration_s\":50,\"rates_hz\":[5,20,35],\"rate_pre_hz\":20}");
	double *all = column(&c, "all_to_all_theory"), *near = column(&c, "nearest_theory");
	double *triplet = column(&c, "triplet_theory"), *rate = column(&c, "rate_post_hz");
	double *got = column(&c, "triplet"), *se = column(&c, "triplet_se");

	for (size_t i = 0; i < 3; i++) {
		double ry = rate[i],
		       bcm = 20 * (6.5e-3 * 0.0168 * 0.114 * ry * ry - 7.1e-3 * 0.0337 * ry);

		cr_expect(check_close(all[i], 20 * ry * (1e-3 * 0.014 - 0.5e-3 * 0.034), 0.02, 0),
			  "%g", all[i]);
		cr_expect_float_eq(near[i],
				   20 * ry * (1e-3 / (1 / 0.014 + ry) - 0.5e-3 / (1 / 0.034 + ry)),
				   2e-5);
		cr_expect_float_eq(triplet[i], bcm, 0.005 * 20 * 7.1e-3 * 0.0337 * ry, "%g, not %g",
				   triplet[i], bcm);
		cr_expect_leq(fabs(got[i] - triplet[i]), 5 * se[i], "%g: %g, not %g", ry, got[i],
			      triplet[i]);
	}
	cr_expect(all[0] < 0 && all[2] < 0 && near[0] < 0 && near[2] > 0);
	cr_expect(triplet[0] < 0 && triplet[2] > 0);
	mem_free(all);
	mem_free(near);
	mem_free(triplet);
	mem_free(rate);
	mem_free(got);
	mem_free(se);
	engine_case_release(&c);
}

/* Time constants of 0.5 s: a running rate r has the variance r / 1 s. BCM at 20 Hz, Oja at the input's
 * 20 Hz; each a noise's 1 Hz lower. */
Test(stdp_bcm, rules_on_rates_have_their_thresholds)
{
	struct engine_case c = engine_case_experiment(
		"stdp_bcm", "{\"duration_s\":50,\"rates_hz\":[5,19,35],\"rate_pre_hz\":20}");
	double *bcm = column(&c, "bcm_rate_theory"), *oja = column(&c, "oja_rate_theory");
	double *rate = column(&c, "rate_post_hz");

	for (size_t i = 0; i < 3; i++) {
		double ry = rate[i], square = ry * ry + ry;

		cr_expect_float_eq(bcm[i], 1e-3 * (square - 20 * ry) / 400, 1e-9, "%g", bcm[i]);
		cr_expect_float_eq(oja[i], 1e-3 * (20 * ry - square) / 400, 1e-9, "%g", oja[i]);
	}
	cr_expect(fabs(bcm[1]) < 1e-12 && fabs(oja[1]) < 1e-12);
	mem_free(bcm);
	mem_free(oja);
	mem_free(rate);
	engine_case_release(&c);
}

Test(stdp_bcm, two_rates_are_no_curve)
{
	struct engine_case c = engine_case_text(
		"{\"experiment\":\"stdp_bcm\",\"params\":{\"rates_hz\":[1,2]}}", 1);

	cr_expect_eq(c.rc, -ERR_LIMIT);
	cr_expect_str_eq(c.err.path, "/params/rates_hz");
	engine_case_release(&c);
}
