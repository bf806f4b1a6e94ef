/* test_column - columns on disk. */
/* SPDX-License-Identifier: MIT */
#include "core/base/column.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "tests/check.h"

static char *read_column(const struct check_dir *dir, const char *file, size_t *ret_n)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", dir->path, file);
	return check_read_file(path, ret_n);
}

Test(column, values_lie_in_the_file_as_added)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	const int64_t want[] = { 1, -2, 3, 4, 5, 6 };
	struct column *c;
	struct err err;
	size_t n = 0;
	char *got;

	cr_assert_eq(column_open(&c, dir.fd, "t.i64", NPY_I64, 2, &err), 0);
	cr_assert_eq(column_add(c, want, 1, &err), 0);
	cr_assert_eq(column_add(c, want + 2, 2, &err), 0);
	cr_assert_eq(column_add(c, want, 0, &err), 0);
	cr_assert_eq(column_rows(c), 3);
	cr_assert_eq(column_close(c, &err), 0);
	got = read_column(&dir, "t.i64", &n);
	cr_assert_eq(n, sizeof(want));
	cr_assert_eq(memcmp(got, want, n), 0);
	mem_free(got);
}

Test(column, small_and_big_blocks_keep_their_order)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	enum { N = 50000 };
	uint32_t *values = mem_alloc(N, sizeof(*values));
	struct column *c;
	size_t n = 0, at = 0;
	char *got;

	for (uint32_t i = 0; i < N; i++)
		values[i] = i * 2654435761u;
	cr_assert_eq(column_open(&c, dir.fd, "x", NPY_U32, 1, NULL), 0);
	for (size_t step = 1; at < N; step = step * 3 % 40009) {
		size_t take = step < N - at ? step : N - at;

		cr_assert_eq(column_add(c, values + at, take, NULL), 0);
		at += take;
	}
	cr_assert_eq(column_close(c, NULL), 0);
	got = read_column(&dir, "x", &n);
	cr_assert_eq(n, N * sizeof(*values));
	cr_assert_eq(memcmp(got, values, n), 0);
	mem_free(got);
	mem_free(values);
	cr_assert_eq(mem_live(), 0);
}

Test(column, flush_makes_what_was_added_visible)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	double x = 1.5;
	struct column *c;
	size_t n = 0;

	cr_assert_eq(column_open(&c, dir.fd, "x", NPY_F64, 1, NULL), 0);
	cr_assert_eq(column_add(c, &x, 1, NULL), 0);
	cr_assert_eq(column_flush(c, NULL), 0);
	mem_free(read_column(&dir, "x", &n));
	cr_assert_eq(n, 8);
	cr_assert_eq(column_close(c, NULL), 0);
	cr_assert_eq(column_close(NULL, NULL), 0);
}

Test(column, a_file_that_cannot_be_made_is_an_error)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct column *c = NULL;
	struct err err;

	cr_assert_eq(column_open(&c, dir.fd, "no/such", NPY_F64, 1, &err), -ERR_IO);
	cr_assert_null(c);
	cr_assert_not_null(strstr(err.text, "no/such"));
	cr_assert_eq(mem_live(), 0);
}

Test(column, a_full_disk_is_told_as_such)
{
	int dev = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	double x = 1;
	struct column *c;
	struct err err;

	if (faccessat(dev, "full", W_OK, 0) != 0)
		cr_skip_test("skipped: no /dev/full");
	cr_assert_eq(column_open(&c, dev, "full", NPY_F64, 1, &err), 0);
	cr_assert_eq(column_add(c, &x, 1, &err), 0);
	cr_assert_eq(column_flush(c, &err), -ERR_NOSPACE);
	cr_assert_eq(column_add(c, &x, 1, &err), 0);
	cr_assert_eq(column_close(c, &err), -ERR_NOSPACE);
	cr_assert_eq(mem_live(), 0);
	(void)close(dev);
}

Test(column, no_memory_is_an_error)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct column *c;

	mem_fail_at(1, false);
	cr_assert_eq(column_open(&c, dir.fd, "x", NPY_F64, 1, NULL), -ERR_NOMEM);
}

Test(column, a_kept_file_goes_on_behind_a_row)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	const uint32_t old[] = { 1, 2, 3, 4, 5, 6 }, more[] = { 7, 8 };
	struct err err = { 0 };
	struct column *c;
	size_t n = 0;
	char *got;

	cr_assert_eq(column_open(&c, dir.fd, "x", NPY_U32, 2, NULL), 0);
	cr_assert_eq(column_add(c, old, 3, NULL), 0);
	cr_assert_eq(column_sync(c, NULL), 0);
	cr_assert_eq(column_close(c, NULL), 0);
	cr_assert_eq(column_keep(&c, dir.fd, "x", NPY_U32, 2, NULL), 0);
	cr_assert_eq(column_restore(c, 4, &err), -ERR_CORRUPT);
	cr_assert_eq(column_restore(c, UINT64_MAX, &err), -ERR_CORRUPT);
	cr_assert_eq(column_restore(c, 2, &err), 0, "%s", err.text);
	cr_assert_eq(column_rows(c), 2);
	cr_assert_eq(column_add(c, more, 1, NULL), 0);
	cr_assert_eq(column_rows(c), 3);
	cr_assert_eq(column_close(c, NULL), 0);
	got = read_column(&dir, "x", &n);
	cr_assert_eq(n, 6 * sizeof(*old));
	cr_assert_eq(memcmp(got, old, 4 * sizeof(*old)), 0);
	cr_assert_eq(memcmp(got + 4 * sizeof(*old), more, sizeof(more)), 0);
	mem_free(got);
}
