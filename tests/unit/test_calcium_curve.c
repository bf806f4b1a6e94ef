/* test_calcium_curve.c - the calcium rule in the engine, the closed form beside it, a control. */
/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "core/kit_calcium.h"
#include "core/model/plasticity.h"
#include "tests/engine_case.h"

TestSuite(calcium_curve, .timeout = 120);

Test(calcium_curve, the_closed_form_is_that_of_the_paper)
{
	for (size_t i = 0; i < KIT_CALCIUM_REFERENCES; i++) {
		struct kit_calcium_pairs p;
		double reference = kit_calcium_reference(i, &p);

		cr_expect_float_eq(kit_calcium_change(p.set, kit_calcium_theory(&p)), reference,
				   1e-3, "%s, %g Hz, dt %g ms: %g, not %g", kit_calcium_sets[p.set],
				   p.rate_hz, p.dt_ms,
				   kit_calcium_change(p.set, kit_calcium_theory(&p)), reference);
	}
}

Test(calcium_curve, its_sets_are_the_rules)
{
	const struct plasticity_model *m = &plasticity_stdp_calcium;

	cr_assert_eq(m->n_sets, KIT_CALCIUM_SETS);
	for (size_t i = 0; i < KIT_CALCIUM_SETS; i++) {
		cr_expect_str_eq(kit_calcium_sets[i], m->sets[i].name);
		cr_expect_eq(kit_calcium_set(m->sets[i].name), i);
	}
	cr_expect_eq(kit_calcium_set("all"), KIT_CALCIUM_SETS);
}

Test(calcium_curve, nothing_happens_without_calcium_above_a_threshold)
{
	/* Two jumps of 0.6 that hardly overlap stay below 1. */
	const struct kit_calcium_pairs apart = { kit_calcium_set("D"), 60, 1, 60 };
	struct kit_calcium_flips f = kit_calcium_theory(&apart);

	cr_assert_eq(f.up, 0);
	cr_assert_eq(f.down, 0);
	cr_assert_eq(kit_calcium_change(apart.set, f), 1);
}

Test(calcium_curve, simulated_and_closed)
{
	struct engine_case c = engine_case_experiment(
		"calcium_curve", "{\"set\": \"DP\", \"synapses\": 400, \"dt_ms\": [-40, -20, 0, "
				 "10.5, 20], \"rates_hz\": [10, 40]}");

	engine_case_reached(&c, 4);
	engine_case_release(&c);
}

/* The set of cultures: ten milliseconds turn depression into potentiation. */
Test(calcium_curve, timing_decides)
{
	struct engine_case c = engine_case_experiment(
		"calcium_curve",
		"{\"set\": \"hippocampal_cultures\", \"synapses\": 100, \"dt_ms\": [0, 10], "
		"\"rates_hz\": [1]}");
	size_t n = 0, rows = 0;
	double *theory = engine_case_column(&c, engine_case_recording(&c, "table", "curve", 0),
					    "theory", &n);
	double *seen = engine_case_column(&c, engine_case_recording(&c, "table", "curve", 0),
					  "simulated", &rows);

	cr_assert_eq(n, 2);
	cr_assert_eq(rows, 2);
	cr_assert_gt(seen[1] - seen[0], 0.5 * (theory[1] - theory[0]));
	cr_assert_gt(theory[1], 1.2);
	cr_assert_lt(theory[0], 1);
	mem_free(theory);
	mem_free(seen);
	engine_case_release(&c);
}

Test(calcium_curve, threads_change_nothing)
{
	static const char text[] =
		"{\"experiment\": \"calcium_curve\", \"params\": {\"synapses\": 20, \"dt_ms\": "
		"[-10, 10], \"rates_hz\": [20], \"pairs\": 10}}";
	struct engine_case one = engine_case_text(text, 1), two = engine_case_text(text, 2);

	cr_assert_eq(one.rc, 0, "%s", one.err.text);
	cr_assert_str_eq(engine_case_digest(&one), engine_case_digest(&two));
	engine_case_release(&one);
	engine_case_release(&two);
}

Test(calcium_curve, too_many_points_are_refused)
{
	struct engine_case c = engine_case_text(
		"{\"experiment\": \"calcium_curve\", \"params\": {\"set\": \"all\", \"synapses\": "
		"100000, \"dt_ms\": {\"from\": -100, \"to\": 100, \"step\": 1}}}",
		1);

	cr_assert_eq(c.rc, -ERR_LIMIT, "%d: %s", c.rc, c.err.text);
	engine_case_release(&c);
}
