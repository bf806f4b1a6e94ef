/* test_buf - the growing buffer and JSON texts. */
/* SPDX-License-Identifier: MIT */
#include "core/base/buf.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/err.h"
#include "core/base/mem.h"
#include "tests/check.h"

Test(buf, what_is_added_stands_there_with_a_nul)
{
	struct buf b;

	buf_init(&b, 1000000);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(buf_printf(&b, "%03d,", i), 0);
	cr_assert_eq(buf_char(&b, 'x'), 0);
	cr_assert_eq(buf_str(&b, "yz"), 0);
	cr_assert_eq(buf_add(&b, NULL, 0), 0);
	cr_assert_eq(b.len, 4003);
	cr_assert_eq(strlen(b.data), b.len);
	cr_assert_str_eq(b.data + 3996, "999,xyz");
	buf_release(&b);
	cr_assert_eq(mem_live(), 0);
}

Test(buf, the_maximum_is_kept_and_the_failure_stays)
{
	struct buf b;

	buf_init(&b, 10);
	cr_assert_eq(buf_str(&b, "0123456789"), 0);
	cr_assert_eq(buf_char(&b, 'x'), -ERR_LIMIT);
	cr_assert_eq(b.failed, ERR_LIMIT);
	cr_assert_eq(buf_add(&b, "", 0), -ERR_LIMIT);
	cr_assert_str_eq(b.data, "0123456789");
	cr_assert_null(buf_take(&b, NULL));
	cr_assert_eq(mem_live(), 0);
}

Test(buf, cleared_it_works_again)
{
	struct buf b;

	buf_init(&b, 4);
	(void)buf_str(&b, "12345");
	buf_clear(&b);
	cr_assert_eq(buf_str(&b, "1234"), 0);
	cr_assert_str_eq(b.data, "1234");
	buf_release(&b);
}

Test(buf, take_hands_over_the_bytes)
{
	struct buf b;
	size_t n = 0;
	char *s;

	buf_init(&b, 100);
	cr_assert_null(buf_take(&b, &n));
	(void)buf_str(&b, "mine");
	s = buf_take(&b, &n);
	cr_assert_str_eq(s, "mine");
	cr_assert_eq(n, 4);
	cr_assert_null(b.data);
	mem_free(s);
	cr_assert_eq(mem_live(), 0);
}

Test(buf, out_of_memory_is_remembered)
{
	for (struct check_torture t = check_torture(); check_torture_next(&t);) {
		struct buf b;

		buf_init(&b, 100000);
		for (int i = 0; i < 500; i++)
			(void)buf_printf(&b, "%d", i);
		t.done = b.failed == 0;
		cr_assert(t.done || b.failed == ERR_NOMEM);
		buf_release(&b);
	}
}

static void expect_double(double x, const char *want)
{
	struct buf b;

	buf_init(&b, 100);
	cr_assert_eq(buf_double(&b, x), 0);
	cr_assert_str_eq(b.data, want);
	buf_release(&b);
}

Test(buf, doubles_are_short)
{
	expect_double(0.1, "0.1");
	expect_double(-70, "-70");
	expect_double(1.0 / 3, "0.3333333333333333");
	expect_double(1e300, "1e+300");
	expect_double(DBL_TRUE_MIN, "5e-324");
	expect_double((double)NAN, "null");
	expect_double(HUGE_VAL, "null");
	expect_double(-HUGE_VAL, "null");
}

Test(buf, doubles_read_back_to_the_same_bits)
{
	struct check_random r = check_random("doubles");
	struct buf b;

	buf_init(&b, 100);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = rng_u64(r.key, 2, r.counter++);
		double x, back;

		memcpy(&x, &bits, sizeof(x));
		if (!isfinite(x))
			continue;
		buf_clear(&b);
		cr_assert_eq(buf_double(&b, x), 0);
		back = strtod(b.data, NULL);
		cr_assert_eq(memcmp(&x, &back, sizeof(x)), 0, "%s", b.data);
	}
	buf_release(&b);
}

Test(buf, json_strings_are_escaped)
{
	struct buf b;

	buf_init(&b, 100);
	cr_assert_eq(buf_json_string(&b, "a\"b\\c\n\t\x01/\xc3\xa9"), 0);
	cr_assert_str_eq(b.data, "\"a\\\"b\\\\c\\n\\t\\u0001/\xc3\xa9\"");
	buf_release(&b);
}
