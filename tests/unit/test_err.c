/* test_err - error records and lists. */
/* SPDX-License-Identifier: MIT */
#include "core/base/err.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/base/mem.h"

Test(err, set_fills_the_record_and_returns_minus_the_code)
{
	struct err e;

	cr_assert_eq(err_set(&e, ERR_RANGE, "/a/0", "expected %d, found %d", 1, 2), -ERR_RANGE);
	cr_assert_eq(e.code, ERR_RANGE);
	cr_assert_str_eq(e.path, "/a/0");
	cr_assert_str_eq(e.text, "expected 1, found 2");
	cr_assert_eq(e.line, 0);
}

Test(err, no_record_and_no_path_are_fine)
{
	struct err e;

	cr_assert_eq(err_set(NULL, ERR_IO, "/x", "y"), -ERR_IO);
	cr_assert_eq(err_set(&e, ERR_IO, NULL, "y"), -ERR_IO);
	cr_assert_str_eq(e.path, "");
	cr_assert_eq(err_nomem(&e), -ERR_NOMEM);
	cr_assert_eq(e.code, ERR_NOMEM);
}

Test(err, long_texts_are_cut_not_overrun)
{
	char longer[1000];
	struct err e;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	(void)err_set(&e, ERR_TYPE, longer, "%s", longer);
	cr_assert_eq(strlen(e.path), ERR_PATH_MAX - 1);
	cr_assert_eq(strlen(e.text), ERR_TEXT_MAX - 1);
}

Test(err, every_code_has_its_own_name_and_a_title)
{
	for (int i = 0; i < ERR_N; i++) {
		cr_assert_not_null(err_name(i));
		cr_assert_gt(strlen(err_title(i)), 0);
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(err_name(i), err_name(j));
	}
	cr_assert_str_eq(err_name(ERR_RANGE), "out-of-range");
	cr_assert_str_eq(err_name(ERR_N), "internal");
	cr_assert_str_eq(err_name(-1), "internal");
	cr_assert_str_eq(err_title(9999), "Internal error");
}

Test(err, list_keeps_the_first_hundred_and_counts_the_rest)
{
	struct err_list list = { .n = 0 };

	for (int i = 0; i < 150; i++)
		cr_assert_eq(err_list_add(&list, ERR_TYPE, "/p", "error %d", i), -ERR_TYPE);
	cr_assert_eq(list.n, ERR_LIST_MAX);
	cr_assert_eq(err_list_count(&list), 150);
	cr_assert_str_eq(list.first.text, "error 0");
	cr_assert_str_eq(list.items[99].text, "error 99");
	err_list_release(&list);
	cr_assert_eq(mem_live(), 0);
	cr_assert_eq(err_list_count(&list), 0);
}

Test(err, list_without_memory_still_knows_the_first)
{
	struct err_list list = { .n = 0 };

	mem_fail_at(1, true);
	cr_assert_eq(err_list_add(&list, ERR_RANGE, "/a", "first"), -ERR_RANGE);
	cr_assert_eq(err_list_add(&list, ERR_TYPE, "/b", "second"), -ERR_TYPE);
	mem_fail_at(0, false);
	cr_assert_eq(list.n, 0);
	cr_assert_eq(err_list_count(&list), 2);
	cr_assert_str_eq(list.first.text, "first");
	err_list_release(&list);
}
