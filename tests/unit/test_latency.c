/* test_latency.c - a volley is answered earlier and earlier, and its first afferents win. */
/* SPDX-License-Identifier: MIT */
#include "tests/engine_case.h"

static double *column(const struct engine_case *c, const char *table, const char *name,
		      size_t *ret_n)
{
	return engine_case_column(c, engine_case_recording(c, "table", table, 0), name, ret_n);
}

static double value(const struct engine_case *c, const char *target)
{
	return json_number_value(json_object_get(engine_case_target(c, target), "value"));
}

static const char learning[] = "{\"volleys\":60,\"A_plus\":0.02}";

Test(latency, the_answer_comes_as_early_as_it_can_and_short_latencies_win)
{
	struct engine_case c = engine_case_experiment("latency", learning);
	size_t n = 0, volleys = 0;
	double *at = column(&c, "weights", "latency", &n), *w = column(&c, "weights", "weight", &n);
	double *first = column(&c, "volleys", "first", &volleys);

	engine_case_reached(&c, 7);
	cr_assert(n == 1000 && volleys == 60);
	/* Ten milliseconds of the way at least; where it stops there are earlier afferents enough. */
	cr_expect_gt(first[0] - first[59], 10, "%g to %g ms", first[0], first[59]);
	for (size_t i = 0; i < n; i++) {
		cr_assert(i == 0 || at[i] >= at[i - 1]);
		cr_expect(at[i] > first[59] ? at[i] < first[59] + 15 || w[i] == 0 : w[i] > 0.9,
			  "%g ms: %g", at[i], w[i]);
	}
	/* By strength alone it takes more spikes. */
	cr_expect_gt(engine_case_metric(&c, "spikes.shuffled"),
		     2 * engine_case_metric(&c, "spikes.learn"));
	mem_free(at);
	mem_free(w);
	mem_free(first);
	engine_case_release(&c);
}

/* Nothing is learned, or nothing is forgotten: the targets can be missed. */
Test(latency, without_plasticity_or_depression_targets_are_missed)
{
	struct engine_case still = engine_case_experiment(
		"latency", "{\"volleys\":20,\"A_plus\":0,\"afferents\":200}");
	struct engine_case strong = engine_case_experiment(
		"latency", "{\"volleys\":40,\"A_plus\":0.05,\"ratio\":0,\"afferents\":200}");
	static const char *const way = "part of the way to it";
	static const char *const after = "mean weight of those after the last spike";

	cr_expect(json_is_false(json_object_get(engine_case_target(&still, way), "pass")));
	cr_expect_lt(value(&still, way), 0.1);
	cr_expect(json_is_false(json_object_get(engine_case_target(&strong, after), "pass")));
	cr_expect_gt(value(&strong, after), 0.4);
	engine_case_release(&still);
	engine_case_release(&strong);
}

/* A volley that nobody answers has no latency. */
Test(latency, a_silent_cell_is_told_as_missing)
{
	struct engine_case c =
		engine_case_experiment("latency", "{\"volleys\":10,\"w_0\":0,\"afferents\":10}");

	cr_expect(json_is_false(
		json_object_get(engine_case_target(&c, "part of the way to it"), "pass")));
	cr_expect_eq(engine_case_metric(&c, "spikes.off"), 0);
	engine_case_release(&c);
}

Test(latency, threads_change_nothing)
{
	static const char text[] = "{\"experiment\":\"latency\",\"params\":{\"volleys\":10,"
				   "\"afferents\":100}}";
	struct engine_case one = engine_case_text(text, 1), two = engine_case_text(text, 2);

	cr_assert_eq(one.rc, 0, "%s", one.err.text);
	cr_assert_str_eq(engine_case_digest(&one), engine_case_digest(&two));
	engine_case_release(&one);
	engine_case_release(&two);
}
