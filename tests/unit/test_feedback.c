/* test_feedback.c - Hebb's rule runs away, negative feedback holds it. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/engine_case.h"

static double value(const struct engine_case *c, const char *target)
{
	return json_number_value(json_object_get(engine_case_target(c, target), "value"));
}

CHECK_LONG(feedback, the_sign_of_the_loop_gain_tells_what_becomes_of_the_weights, .timeout = 120)
{
	struct engine_case c = engine_case_experiment("feedback", "{}");
	double still = engine_case_metric(&c, "operating_w.scaling");

	engine_case_reached(&c, 13);
	cr_expect_gt(value(&c, "hebb: loop gain"), 0);
	cr_expect_lt(value(&c, "homeostasis: loop gain"), 0);
	/* Scaling multiplies: no weight overtakes another. */
	cr_expect_eq(value(&c, "scaling: rank correlation of weights"), 1);
	/* Where the drift vanishes at 10 Hz of input: 15 mV of 40 mV / mV, a little less by noise. */
	cr_expect(still > 0.3 && still < 0.375, "%g", still);
	engine_case_release(&c);
}

/* Without scaling's strength and without depression nothing holds: the targets can be missed. */
Test(feedback, without_negative_feedback_the_targets_are_missed, .timeout = 120)
{
	struct engine_case c =
		engine_case_experiment("feedback", "{\"beta\":0,\"ratio\":0,\"duration_s\":30}");
	static const char *const missed[] = { "depression: loop gain", "homeostasis: loop gain",
					      "scaling: loop gain",
					      "homeostasis: part of weights above 0.9" };

	for (size_t i = 0; i < COUNTOF(missed); i++)
		cr_expect(json_is_false(json_object_get(engine_case_target(&c, missed[i]), "pass")),
			  "%s", missed[i]);
	engine_case_release(&c);
}
