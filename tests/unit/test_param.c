/* test_param.c - checks, texts and look-ups of parameter rows. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/model/param.h"

static const char *const colours[] = { "red", "green", NULL };

static const struct param_def rows[] = {
	{ "tau", "A time constant.", UNIT_MS, PARAM_NUMBER, 10, 0, 1e6, PARAM_OPEN_MIN },
	{ "n", "A number of things.", UNIT_NONE, PARAM_INTEGER, 2, 1, 10 },
	{ "on", "Whether.", UNIT_NONE, PARAM_BOOL, 1, 0, 1 },
	{ "colour", "Which.", UNIT_NONE, PARAM_ENUM, 0, 0, 1, 0, colours },
	{ "stop", "An end.", UNIT_MS, PARAM_NUMBER, PARAM_INF, 0, PARAM_INF },
	{ "below", "Half open above.", UNIT_NONE, PARAM_NUMBER, 0, 0, 1, PARAM_OPEN_MAX },
	{ "any", "Any number.", UNIT_PA, PARAM_NUMBER, 0, -PARAM_INF, PARAM_INF },
	{ "most", "At most zero.", UNIT_NONE, PARAM_NUMBER, 0, -PARAM_INF, 0 },
};

enum { TAU, N, ON, COLOUR, STOP, BELOW, ANY, MOST };

static int check(int row, double value)
{
	return param_check(&rows[row], value, "/x", NULL);
}

Test(param, finds_a_row_by_its_name)
{
	cr_assert_eq(param_find(rows, COUNTOF(rows), "colour"), COLOUR);
	cr_assert_eq(param_find(rows, COUNTOF(rows), "Tau"), -1);
	cr_assert_eq(param_find(rows, 0, "tau"), -1);
}

Test(param, every_default_is_allowed)
{
	for (size_t i = 0; i < COUNTOF(rows); i++)
		cr_assert_eq(check((int)i, rows[i].def), 0, "%s", rows[i].name);
}

Test(param, open_ends_are_not_allowed_and_closed_ones_are)
{
	cr_assert_eq(check(TAU, 0), -ERR_RANGE);
	cr_assert_eq(check(TAU, 1e6), 0);
	cr_assert_eq(check(TAU, 1.0001e6), -ERR_RANGE);
	cr_assert_eq(check(BELOW, 0), 0);
	cr_assert_eq(check(BELOW, 1), -ERR_RANGE);
	cr_assert_eq(check(BELOW, nextafter(1, 0)), 0);
	cr_assert_eq(check(MOST, 0), 0);
	cr_assert_eq(check(MOST, 1e-300), -ERR_RANGE);
}

Test(param, nan_is_never_allowed)
{
	for (int i = TAU; i <= MOST; i++)
		cr_assert_eq(check(i, (double)NAN), -ERR_RANGE, "%s", rows[i].name);
}

Test(param, infinity_is_allowed_only_where_it_means_no_limit)
{
	cr_assert_eq(check(STOP, PARAM_INF), 0);
	cr_assert_eq(check(TAU, PARAM_INF), -ERR_RANGE);
	cr_assert_eq(check(STOP, -PARAM_INF), -ERR_RANGE);
	cr_assert_eq(check(ANY, -PARAM_INF), -ERR_RANGE);
}

Test(param, integers_booleans_and_choices_are_whole)
{
	cr_assert_eq(check(N, 3), 0);
	cr_assert_eq(check(N, 3.5), -ERR_RANGE);
	cr_assert_eq(check(ON, 0), 0);
	cr_assert_eq(check(ON, 0.5), -ERR_RANGE);
	cr_assert_eq(check(COLOUR, 1), 0);
	cr_assert_eq(check(COLOUR, 2), -ERR_RANGE);
	cr_assert_eq(check(COLOUR, -1), -ERR_RANGE);
}

Test(param, an_error_names_place_expected_and_found)
{
	struct err err = { 0 };

	cr_assert_eq(param_check(&rows[TAU], -3, "/populations/a/params/tau", &err), -ERR_RANGE);
	cr_assert_eq(err.code, ERR_RANGE);
	cr_assert_str_eq(err.path, "/populations/a/params/tau");
	cr_assert_str_eq(err.text, "tau must lie in (0, 1000000] ms, not -3 ms");
}

Test(param, ranges_read_as_sentences)
{
	static const char *const texts[] = {
		"must lie in (0, 1000000] ms",
		"must be a whole number in [1, 10]",
		"must be true or false",
		"must be one of \"red\", \"green\"",
		"must be at least 0 ms",
		"must lie in [0, 1)",
		"must be a number",
		"must be at most 0",
	};
	char text[96];

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		param_range_text(&rows[i], text, sizeof(text));
		cr_assert_str_eq(text, texts[i]);
	}
}

Test(param, a_range_text_is_cut_to_its_buffer)
{
	char text[8] = "xxxxxxx";

	param_range_text(&rows[TAU], text, 5);
	cr_assert_str_eq(text, "must");
	cr_assert_eq(text[5], 'x');
	param_range_text(&rows[COLOUR], text, 1);
	cr_assert_str_eq(text, "");
}

Test(param, choices_are_found_by_name)
{
	cr_assert_eq(param_choice(&rows[COLOUR], "green"), 1);
	cr_assert_eq(param_choice(&rows[COLOUR], "blue"), -1);
	cr_assert_eq(param_choice(&rows[TAU], "red"), -1);
}

Test(param, the_nearest_name_is_offered_only_if_it_is_near)
{
	static const char *const names[] = { "tau_plus", "tau_minus", "w_max", "A_plus" };

	cr_assert_str_eq(param_nearest("tau_pls", names, COUNTOF(names)), "tau_plus");
	cr_assert_str_eq(param_nearest("wmax", names, COUNTOF(names)), "w_max");
	cr_assert_str_eq(param_nearest("a_plus", names, COUNTOF(names)), "A_plus");
	cr_assert_null(param_nearest("frequency", names, COUNTOF(names)));
	cr_assert_null(param_nearest("", names, COUNTOF(names)));
}

Test(param, every_unit_and_type_has_a_name_of_its_own)
{
	for (int i = 0; i < UNIT_N; i++)
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(unit_name((enum unit)i), unit_name((enum unit)j));
	for (int i = 0; i < PARAM_TYPE_N; i++) {
		cr_assert(*param_type_name((enum param_type)i));
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(param_type_name((enum param_type)i),
					  param_type_name((enum param_type)j));
	}
}
