/* test_rate_rules.c - Oja's weights are the principal component, BCM's choose; plain Hebb's do neither. */
/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "tests/engine_case.h"

/* Learning is faster than by default. */
static const char fast[] = "{\"duration_s\":60,\"eta_oja\":0.4,\"eta_bcm\":0.00015}";

static double *column(const struct engine_case *c, const char *table, const char *name,
		      size_t *ret_n)
{
	return engine_case_column(c, engine_case_recording(c, "table", table, 0), name, ret_n);
}

Test(rate_rules, oja_finds_the_component_and_bcm_chooses)
{
	struct engine_case c = engine_case_experiment("rate_rules", fast);
	size_t n = 0, rows = 0;
	double *w = column(&c, "component", "weight", &n);
	double *component = column(&c, "component", "component", &n);
	double *first = column(&c, "courses", "first", &rows);
	double *second = column(&c, "courses", "second", &rows), sum = 0;

	engine_case_reached(&c, 8);
	cr_assert(n == 6 && rows == 400);
	for (size_t i = 0; i < n; i++) {
		sum += component[i] * component[i];
		cr_expect_float_eq(w[i], component[i], 0.03, "%zu: %g, not %g", i, w[i],
				   component[i]);
	}
	cr_expect_float_eq(sum, 1, 1e-12);
	/* The last of each cell; by turns one input was ahead, and stays. By hand: an input x of 320 times
	 * the rate that counts as 1, on and off for 500 ms behind a filter of 100 ms, has <x^2> = 0.4013 and
	 * <x^3> = 0.352 in powers of 320; w = 80 mV <x^3> / <x^2>^2. */
	for (size_t cell = 0; cell < 4; cell++) {
		double one = first[100 * cell + 99], other = second[100 * cell + 99];
		double chosen = cell % 2 ? other : one, want = 80 * 0.352 / (320 * 0.4013 * 0.4013);

		cr_expect(check_close(chosen, want, 0.1, 0), "%zu: %g, not %g", cell, chosen, want);
		cr_expect_lt(one + other - chosen, 0.01);
	}
	mem_free(w);
	mem_free(component);
	mem_free(first);
	mem_free(second);
	engine_case_release(&c);
}

/* What does not learn keeps the weights it began with. */
Test(rate_rules, without_learning_targets_are_missed)
{
	struct engine_case c = engine_case_experiment(
		"rate_rules", "{\"duration_s\":1,\"eta_oja\":0,\"eta_bcm\":0}");
	static const char *const missed[] = {
		"Oja: cosine with the principal component, least",
		"Oja: length, farthest from 1",
		"BCM: chosen weight over its closed form, farthest from 1",
		"BCM: other weight over the chosen one, most",
		"control, plain Hebb, mixed inputs: least weight",
		"control, plain Hebb, inputs in turns: least weight",
	};

	for (size_t i = 0; i < COUNTOF(missed); i++)
		cr_expect(json_is_false(json_object_get(engine_case_target(&c, missed[i]), "pass")),
			  "%s", missed[i]);
	engine_case_release(&c);
}

Test(rate_rules, threads_change_nothing)
{
	static const char text[] = "{\"experiment\":\"rate_rules\",\"params\":{\"duration_s\":2}}";
	struct engine_case one = engine_case_text(text, 1), two = engine_case_text(text, 2);

	cr_assert_eq(one.rc, 0, "%s", one.err.text);
	cr_assert_str_eq(engine_case_digest(&one), engine_case_digest(&two));
	engine_case_release(&one);
	engine_case_release(&two);
}
