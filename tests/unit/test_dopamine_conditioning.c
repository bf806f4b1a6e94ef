/* test_dopamine_conditioning.c - the closed loop in a small network; that it learns takes the full length. */
/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "tests/engine_case.h"

TestSuite(dopamine_conditioning, .timeout = 300);

/* A tenth of the network, and more noise, so that the pair is not long in coming. */
#define SMALL "\"neurons\": 100, \"synapses\": 20, \"noise\": 20, \"w_max\": 4, \"reward\": 0.5"

static double last(const struct engine_case *c, const char *column)
{
	size_t n = 0;
	double *x =
		engine_case_column(c, engine_case_recording(c, "table", "seeds", 0), column, &n);
	double value = n ? x[n - 1] : (double)NAN;

	mem_free(x);
	return value;
}

/* The largest weight that the chosen synapse ever had, of the largest possible. */
static double most_chosen(const struct engine_case *c)
{
	size_t n = 0;
	double *x =
		engine_case_column(c, engine_case_recording(c, "table", "time", 0), "chosen", &n);
	double most = 0;

	for (size_t i = 0; i < n; i++)
		most = fmax(most, x[i]);
	mem_free(x);
	return most;
}

CHECK_LONG(dopamine_conditioning, pairs_earn_rewards_and_rewards_change_weights)
{
	struct engine_case c =
		engine_case_experiment("dopamine_conditioning", "{\"seconds\": 200, " SMALL "}");

	cr_expect_gt(last(&c, "rewards"), 5);
	cr_expect_gt(most_chosen(&c), 0.02, "it began at 0");
	cr_expect_gt(fabs(last(&c, "others") - 0.25), 0.01, "they began at a quarter");
	cr_expect_neq(last(&c, "control"), last(&c, "chosen"));
	(void)engine_case_target(&c, "part_learned");
	(void)engine_case_target(&c, "control_part_learned");
	engine_case_release(&c);
}

Test(dopamine_conditioning, without_dopamine_in_rewards_nothing_is_found)
{
	struct engine_case c = engine_case_experiment(
		"dopamine_conditioning",
		"{\"seconds\": 100, \"neurons\": 100, \"synapses\": 20, \"noise\": 20, "
		"\"reward\": 0, \"control\": false}");

	cr_expect_lt(last(&c, "chosen"), 0.1);
	cr_expect(!json_is_true(json_object_get(engine_case_target(&c, "part_learned"), "pass")));
	engine_case_release(&c);
}

/* The loop runs through an observer: neither threads nor where the wall clock cuts slices may show. */
Test(dopamine_conditioning, threads_change_nothing)
{
	static const char text[] =
		"{\"experiment\": \"dopamine_conditioning\", \"params\": {\"seconds\": 30, " SMALL
		", \"control\": false}}";
	struct engine_case one = engine_case_text(text, 1), two = engine_case_text(text, 2);

	cr_assert_eq(one.rc, 0, "%s", one.err.text);
	cr_assert_gt(last(&one, "rewards"), 0);
	cr_assert_str_eq(engine_case_digest(&one), engine_case_digest(&two));
	engine_case_release(&one);
	engine_case_release(&two);
}
