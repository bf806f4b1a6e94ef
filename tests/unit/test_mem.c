/* test_mem - allocator seam, fault injection, arenas. */
/* SPDX-License-Identifier: MIT */
#include "core/base/mem.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "tests/check.h"

Test(mem, memory_is_zeroed_and_counted)
{
	unsigned char *p = mem_alloc(100, 7);

	cr_assert_not_null(p);
	for (int i = 0; i < 700; i++)
		cr_assert_eq(p[i], 0);
	cr_assert_eq(mem_live(), 1);
	p = mem_resize(p, 2000, 1);
	cr_assert_not_null(p);
	cr_assert_eq(mem_live(), 1);
	mem_free(p);
	mem_free(NULL);
	cr_assert_eq(mem_live(), 0);
}

Test(mem, nothing_at_all_is_still_a_block)
{
	void *p = mem_alloc(0, 8), *q = mem_resize(NULL, 0, 1);

	cr_assert_not_null(p);
	cr_assert_not_null(q);
	mem_freep((void *)&p);
	mem_freep((void *)&q);
	cr_assert_eq(mem_live(), 0);
}

Test(mem, products_beyond_size_t_fail)
{
	cr_assert_null(mem_alloc(SIZE_MAX / 2, 3));
	cr_assert_null(mem_resize(NULL, SIZE_MAX / 2, 3));
}

Test(mem, the_kth_allocation_fails_once)
{
	void *a, *b, *c;

	mem_fail_at(2, false);
	a = mem_alloc(1, 1);
	b = mem_alloc(1, 1);
	c = mem_raw_alloc(1);
	cr_assert_not_null(a);
	cr_assert_null(b);
	cr_assert_not_null(c);
	mem_free(a);
	mem_raw_free(c);
}

Test(mem, a_sticky_failure_stays_until_switched_off)
{
	void *p;

	mem_fail_at(1, true);
	for (int i = 0; i < 5; i++)
		cr_assert_null(mem_alloc(1, 1));
	mem_fail_at(0, false);
	p = mem_strdup("back");
	cr_assert_str_eq(p, "back");
	mem_free(p);
}

/* libjansson 2.14 would end the process here. */
Test(mem, a_long_number_without_memory_is_an_error)
{
	static const char text[] = "[0.12345678901234567890123456789012345678901234567890]";

	json_set_alloc_funcs(mem_json_alloc, mem_json_free);
	for (size_t k = 1; k < 12; k++) {
		size_t live = mem_live(), refused = mem_refused();
		json_t *json;

		mem_fail_at(k, true);
		json = json_loads(text, 0, NULL);
		mem_fail_at(0, false);
		cr_assert(json || mem_refused() > refused);
		json_decref(json);
		cr_assert_eq(mem_live(), live);
	}
}

Test(mem, what_a_library_keeps_is_refused_as_told_and_not_counted)
{
	size_t live = mem_live(), refused = mem_refused();
	char *p = mem_kept_alloc(10), *q;

	cr_assert_not_null(p);
	cr_assert_geq(mem_kept_size(p), 10);
	memcpy(p, "old", 4);
	mem_fail_at(1, true);
	cr_assert_null(mem_kept_alloc(1));
	cr_assert_null(mem_kept_resize(p, 100));
	mem_fail_at(0, false);
	cr_assert_eq(mem_refused(), refused + 2);
	cr_assert_str_eq(p, "old");
	q = mem_kept_resize(p, 100);
	cr_assert_str_eq(q, "old");
	cr_assert_geq(mem_kept_size(q), 100);
	cr_assert_eq(mem_live(), live);
	mem_kept_free(q);
	mem_kept_free(NULL);
}

Test(mem, a_failed_resize_leaves_the_old_block)
{
	char *p = mem_strdup("old"), *q;

	mem_fail_at(1, false);
	q = mem_resize(p, 1000, 1);
	cr_assert_null(q);
	cr_assert_str_eq(p, "old");
	mem_free(p);
}

Test(arena, blocks_are_zeroed_aligned_and_apart)
{
	struct mem_arena a;
	unsigned char *last = NULL;

	mem_arena_init(&a, 0);
	for (size_t n = 1; n < 3000; n += 13) {
		unsigned char *p = mem_arena_alloc(&a, n, 1);

		cr_assert_not_null(p);
		cr_assert_eq((uintptr_t)p % (n >= 64 ? 64 : 16), 0);
		for (size_t i = 0; i < n; i++)
			cr_assert_eq(p[i], 0);
		memset(p, 0xff, n);
		if (last)
			cr_assert_eq(*last, 0xff);
		last = p;
	}
	mem_arena_release(&a);
	cr_assert_eq(mem_live(), 0);
	cr_assert_eq(a.used, 0);
}

Test(arena, big_blocks_are_zeroed_and_do_not_waste_the_small_ones)
{
	struct mem_arena a;
	char *small, *next;
	double *big;

	mem_arena_init(&a, 0);
	small = NEW(&a, char, 16);
	big = NEW(&a, double, 1000000);
	next = NEW(&a, char, 16);
	cr_assert_not_null(big);
	cr_assert_eq((uintptr_t)big % (2 * 1024 * 1024), 0);
	for (int i = 0; i < 1000000; i += 511)
		cr_assert_eq(big[i], 0);
	cr_assert_eq(next - small, 16);
	mem_arena_release(&a);
}

Test(arena, the_limit_holds_and_overflow_is_refused)
{
	struct mem_arena a;

	mem_arena_init(&a, 1000);
	cr_assert_not_null(mem_arena_alloc(&a, 10, 90));
	cr_assert_null(mem_arena_alloc(&a, 1, 101));
	cr_assert_null(mem_arena_alloc(&a, SIZE_MAX / 2, 3));
	cr_assert_not_null(mem_arena_alloc(&a, 1, 100));
	cr_assert_null(mem_arena_alloc(&a, 1, 1));
	mem_arena_release(&a);
	cr_assert_not_null(mem_arena_alloc(&a, 1, 1000));
	mem_arena_release(&a);
	cr_assert_eq(mem_live(), 0);
}

Test(arena, texts_are_copied_and_formatted)
{
	struct mem_arena a;

	mem_arena_init(&a, 0);
	cr_assert_str_eq(mem_arena_strdup(&a, "abc"), "abc");
	cr_assert_str_eq(mem_arena_printf(&a, "%s-%d", "x", 42), "x-42");
	mem_arena_release(&a);
}

Test(arena, out_of_memory_anywhere_leaks_nothing)
{
	size_t failures = 0;

	for (struct check_torture t = check_torture(); check_torture_next(&t);) {
		struct mem_arena a;

		mem_arena_init(&a, 0);
		t.done = mem_arena_alloc(&a, 1, 100) && mem_arena_alloc(&a, 3, 100000) &&
			 mem_arena_printf(&a, "%d", 1);
		mem_arena_release(&a);
		failures += !t.done;
	}
	cr_assert_geq(failures, 4);
}
