/* test_pack - one walk in both directions, and what it refuses. */
/* SPDX-License-Identifier: MIT */
#include "core/base/pack.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "tests/check.h"

enum { MANY = 40001 };

struct thing {
	uint64_t a;
	double b;
	int64_t c;
	size_t n;
	uint32_t items[MANY];
	char odd[5];
};

static int walk(struct pack *p, struct thing *x)
{
	(void)pack_u64(p, &x->a);
	(void)pack_f64(p, &x->b);
	(void)pack_i64(p, &x->c, -5, 5, "c");
	(void)pack_size(p, &x->n, sizeof(*x->items), "n");
	(void)pack_bytes(p, x->odd, sizeof(x->odd), 1);
	if (!p->rc)
		(void)pack_bytes(p, x->items, x->n, sizeof(*x->items));
	return pack_same(p, 77, "end");
}

static struct thing *example(void)
{
	struct thing *x = mem_alloc(1, sizeof(*x));

	*x = (struct thing){ .a = UINT64_MAX, .b = -0.25, .c = -5, .n = MANY, .odd = "five" };
	for (uint32_t i = 0; i < MANY; i++)
		x->items[i] = i * 2654435761u;
	return x;
}

static int open_file(const struct check_dir *dir)
{
	int fd = openat(dir->fd, "state", O_RDWR | O_CREAT, 0600);

	cr_assert_geq(fd, 0);
	return fd;
}

/* Save the example; returns the bytes written. */
static uint64_t saved(int fd, struct pack *p, struct thing *x)
{
	pack_save(p, fd);
	cr_assert_eq(walk(p, x), 0);
	cr_assert_eq(pack_end(p, NULL), 0);
	cr_assert_eq(lseek(fd, 0, SEEK_END), (off_t)p->bytes);
	cr_assert_eq(p->bytes % 8, 0);
	return p->bytes;
}

static int loaded(int fd, uint64_t bytes, struct thing *x, struct err *err)
{
	static struct pack p;

	(void)lseek(fd, 0, SEEK_SET);
	pack_load(&p, fd, bytes);
	(void)walk(&p, x);
	return pack_end(&p, err);
}

Test(pack, what_was_saved_is_loaded)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	static struct pack p;
	struct thing *x = example(), *y = mem_alloc(1, sizeof(*y));
	int fd = open_file(&dir);
	uint64_t bytes = saved(fd, &p, x);

	cr_assert_eq(loaded(fd, bytes, y, NULL), 0);
	cr_assert_eq(memcmp(x, y, sizeof(*x)), 0);
	(void)close(fd);
	mem_free(x);
	mem_free(y);
}

Test(pack, lengths_are_kept)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	static struct pack p;
	struct thing *x = example(), *y = mem_alloc(1, sizeof(*y));
	int fd = open_file(&dir);
	uint64_t bytes = saved(fd, &p, x);
	struct err err = { 0 };

	cr_assert_eq(loaded(fd, bytes - 8, y, &err), -ERR_CORRUPT, "%s", err.text);
	cr_assert_eq(loaded(fd, bytes + 8, y, &err), -ERR_CORRUPT, "%s", err.text);
	cr_assert_eq(ftruncate(fd, (off_t)bytes / 2), 0);
	cr_assert_eq(loaded(fd, bytes, y, &err), -ERR_CORRUPT, "%s", err.text);
	cr_assert_eq(loaded(fd, 0, y, &err), -ERR_CORRUPT, "%s", err.text);
	(void)close(fd);
	mem_free(x);
	mem_free(y);
}

Test(pack, numbers_keep_their_bounds)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	const int64_t bad_c[] = { 6, -6, INT64_MIN, INT64_MAX };
	const uint64_t bad_n[] = { MANY + 2, UINT64_MAX, UINT64_MAX / 4 + 1 };
	static struct pack p;
	struct thing *x = example(), *y = mem_alloc(1, sizeof(*y));
	int fd = open_file(&dir);
	uint64_t bytes = saved(fd, &p, x);
	struct err err = { 0 };

	for (size_t i = 0; i < COUNTOF(bad_c); i++) {
		cr_assert_eq(pwrite(fd, &bad_c[i], 8, 16), 8);
		cr_assert_eq(loaded(fd, bytes, y, &err), -ERR_CORRUPT);
	}
	cr_assert_eq(pwrite(fd, &x->c, 8, 16), 8);
	for (size_t i = 0; i < COUNTOF(bad_n); i++) {
		cr_assert_eq(pwrite(fd, &bad_n[i], 8, 24), 8);
		cr_assert_eq(loaded(fd, bytes, y, &err), -ERR_CORRUPT);
	}
	(void)close(fd);
	mem_free(x);
	mem_free(y);
}

Test(pack, the_first_failure_stays)
{
	static struct pack p;
	struct thing *x = example();
	struct err err = { 0 };

	pack_save(&p, -1);
	cr_assert_eq(walk(&p, x), -ERR_IO);
	cr_assert_eq(pack_wrong(&p, "other"), -ERR_IO);
	cr_assert_eq(pack_nomem(&p), -ERR_IO);
	cr_assert_eq(pack_end(&p, &err), -ERR_IO);
	cr_assert_eq(err.code, ERR_IO);
	mem_free(x);
}
