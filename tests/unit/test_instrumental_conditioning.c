/* test_instrumental_conditioning.c - the loop of answers and dopamine in a small network. */
/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "tests/engine_case.h"

TestSuite(instrumental_conditioning, .timeout = 300);

static double *column(const struct engine_case *c, const char *table, const char *name, size_t *n)
{
	return engine_case_column(c, engine_case_recording(c, "table", table, 0), name, n);
}

static double only(const struct engine_case *c, const char *name)
{
	size_t n = 0;
	double *x = column(c, "seeds", name, &n);
	double value = n == 1 ? x[0] : (double)NAN;

	mem_free(x);
	return value;
}

CHECK_LONG(instrumental_conditioning, the_answer_that_is_rewarded_is_learned)
{
	struct engine_case c =
		engine_case_experiment("instrumental_conditioning", "{\"trials\": 75}");
	size_t n = 0;
	double *trial = column(&c, "trials", "trial", &n),
	       *right = column(&c, "trials", "right", &n);

	cr_assert_eq(n, 6);
	cr_expect_eq(trial[5], 150);
	cr_expect_geq(only(&c, "before"), 0.9);
	cr_expect_float_eq(only(&c, "before"), 0.5 * (right[1] + right[2]), 1e-12);
	cr_expect_float_eq(only(&c, "first"), right[0], 1e-12);
	cr_expect_lt(right[3], 0.8, "the other answer is the right one now");
	cr_expect_lt(only(&c, "control_before"), 0.9);
	(void)engine_case_target(&c, "part_learned");
	(void)engine_case_target(&c, "control_part_learned");
	mem_free(trial);
	mem_free(right);
	engine_case_release(&c);
}

CHECK_LONG(instrumental_conditioning, without_dopamine_nothing_is_learned)
{
	struct engine_case c = engine_case_experiment(
		"instrumental_conditioning", "{\"trials\": 75, \"reward\": 0, \"control\": false}");
	double part = 0.5 * (only(&c, "before") + only(&c, "after"));

	cr_expect(part > 0.3 && part < 0.7, "%g", part);
	cr_expect(json_is_false(json_object_get(engine_case_target(&c, "part_learned"), "pass")));
	engine_case_release(&c);
}

/* Neither threads nor where the wall clock cuts slices may show. */
Test(instrumental_conditioning, threads_change_nothing)
{
	static const char text[] = "{\"experiment\": \"instrumental_conditioning\", \"params\": "
				   "{\"trials\": 15, \"control\": false}}";
	struct engine_case one = engine_case_text(text, 1), two = engine_case_text(text, 2);

	cr_assert_eq(one.rc, 0, "%s", one.err.text);
	cr_assert_str_eq(engine_case_digest(&one), engine_case_digest(&two));
	engine_case_release(&one);
	engine_case_release(&two);
}

Test(instrumental_conditioning, groups_that_do_not_fit_are_refused)
{
	struct engine_case c = engine_case_text(
		"{\"experiment\": \"instrumental_conditioning\", \"params\": {\"neurons\": 90}}",
		1);

	cr_expect_neq(c.rc, 0);
	cr_expect_str_eq(c.err.path, "/params/group");
	engine_case_release(&c);
}
