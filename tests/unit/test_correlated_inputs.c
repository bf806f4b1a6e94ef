/* test_correlated_inputs.c - correlated inputs win; without correlation nobody does. */
/* SPDX-License-Identifier: MIT */
#include "tests/engine_case.h"

/* Fewer inputs, faster learning and more correlation than the published ones. */
#define SHORT "\"duration_s\":60,\"inputs\":200,\"A_plus\":0.01,"

static double *column(const struct engine_case *c, const char *table, const char *name,
		      size_t *ret_n)
{
	return engine_case_column(c, engine_case_recording(c, "table", table, 0), name, ret_n);
}

Test(correlated_inputs, the_correlated_half_wins)
{
	struct engine_case c =
		engine_case_experiment("correlated_inputs", "{" SHORT "\"correlations\":[0.2]}");
	size_t n = 0, bins = 0;
	double *correlation = column(&c, "rows", "correlation", &n);
	double *together = column(&c, "rows", "together", &n);
	double *alone = column(&c, "rows", "alone", &n);
	double *part = column(&c, "weights", "together", &bins), sum = 0;

	engine_case_reached(&c, 3);
	cr_assert_eq(n, 2);
	cr_assert(correlation[0] == 0 && correlation[1] == 0.2);
	cr_expect(together[1] > 1.3 * together[0] && alone[1] < 0.6 * alone[0]);
	for (size_t i = 0; i < bins; i++)
		sum += part[i];
	cr_expect_float_eq(sum, 1, 1e-9);
	mem_free(correlation);
	mem_free(together);
	mem_free(alone);
	mem_free(part);
	engine_case_release(&c);
}

/* Potentiation alone fills both halves: the target can be missed. */
Test(correlated_inputs, without_depression_nobody_wins)
{
	struct engine_case c = engine_case_experiment(
		"correlated_inputs", "{\"duration_s\":5,\"correlations\":[0.3],\"ratio\":0,"
				     "\"inputs\":100,\"A_plus\":0.05}");
	const json_t *target =
		engine_case_target(&c, "correlated half over the other, mean weight at c = 0.3");

	cr_expect(json_is_false(json_object_get(target, "pass")));
	cr_expect_eq(json_number_value(json_object_get(target, "value")), 1);
	engine_case_release(&c);
}

/* Rows come in order, whatever the list's; those below 0.1 have no target. */
Test(correlated_inputs, rows_are_sorted_and_the_first_with_a_target_is_shown)
{
	struct engine_case c = engine_case_experiment(
		"correlated_inputs",
		"{\"duration_s\":0.5,\"correlations\":[0.3,0.05,0.2],\"inputs\":10}");
	size_t n = 0;
	double *correlation = column(&c, "rows", "correlation", &n);
	const json_t *shown =
		engine_case_target(&c, "correlated half over the other, mean weight at c = 0.2");

	cr_assert_eq(n, 4);
	cr_expect(correlation[1] == 0.05 && correlation[2] == 0.2 && correlation[3] == 0.3);
	cr_expect_eq(json_array_size(json_object_get(c.result, "targets")), 4);
	cr_expect_eq(
		json_number_value(json_object_get(shown, "value")),
		json_number_value(json_object_get(json_object_get(c.result, "score"), "value")));
	mem_free(correlation);
	engine_case_release(&c);
}

Test(correlated_inputs, too_many_rows_are_refused)
{
	struct engine_case c = engine_case_text(
		"{\"experiment\":\"correlated_inputs\",\"params\":{\"correlations\":[0.1,0.1,"
		"0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1]}}",
		1);

	cr_expect_eq(c.rc, -ERR_LIMIT);
	cr_expect_str_eq(c.err.path, "/params/correlations");
	engine_case_release(&c);
}
