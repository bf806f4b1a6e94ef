/* test_pattern_detection.c - a short search finds the pattern; without plasticity there is no telling it. */
/* SPDX-License-Identifier: MIT */
#include "tests/engine_case.h"

TestSuite(pattern_detection, .timeout = 300);

static double *column(const struct engine_case *c, const char *name, size_t *ret_n)
{
	return engine_case_column(c, engine_case_recording(c, "table", "runs", 0), name, ret_n);
}

enum { FOUND, CONTROL, SILENT, RUNS };

CHECK_LONG(pattern_detection, the_pattern_is_found_and_too_much_depression_silences)
{
	struct engine_case c = engine_case_json(
		json_pack("{s:s, s:s, s:{s:i, s:[f], s:i}}", "experiment", "pattern_detection",
			  "seed", "1", "params", "seconds", 24, "ratios", 1.3, "tries", 1));
	size_t n = 0;
	double *hits = column(&c, "hits", &n), *alarms = column(&c, "false_alarms_hz", &n);
	double *inside = column(&c, "large_inside", &n), *outside = column(&c, "large_outside", &n);

	engine_case_plots(&c, "pattern_detection");
	cr_assert_eq(n, RUNS);
	cr_expect_geq(hits[FOUND], 0.98, "%g", hits[FOUND]);
	cr_expect_eq(alarms[FOUND], 0, "%g Hz", alarms[FOUND]);
	cr_expect_gt(inside[FOUND], 5 * outside[FOUND], "%g, %g", inside[FOUND], outside[FOUND]);
	cr_expect_gt(alarms[CONTROL], 20, "at its first weights it fires on everything");
	cr_expect_lt(hits[SILENT], 0.5);
	cr_expect(json_is_true(
		json_object_get(engine_case_target(&c, "control_false_alarms"), "pass")));
	mem_free(hits);
	mem_free(alarms);
	mem_free(inside);
	mem_free(outside);
	engine_case_release(&c);
}

Test(pattern_detection, threads_change_nothing)
{
	static const char text[] =
		"{\"experiment\": \"pattern_detection\", \"params\": {\"seconds\": "
		"3, \"afferents\": 200}}";
	struct engine_case one = engine_case_text(text, 1), two = engine_case_text(text, 2);

	cr_assert_eq(one.rc, 0, "%s", one.err.text);
	cr_assert_str_eq(engine_case_digest(&one), engine_case_digest(&two));
	engine_case_release(&one);
	engine_case_release(&two);
}

Test(pattern_detection, too_many_runs_are_refused)
{
	struct engine_case c = engine_case_text(
		"{\"experiment\": \"pattern_detection\", \"params\": {\"tries\": 100, \"ratios\": "
		"[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}",
		1);

	cr_assert_eq(c.rc, -ERR_LIMIT, "%d: %s", c.rc, c.err.text);
	engine_case_release(&c);
}
