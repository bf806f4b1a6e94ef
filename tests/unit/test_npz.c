/* test_npz - archives of arrays: what is written is read, what is broken is refused. */
/* SPDX-License-Identifier: MIT */
#include "server/npz.h"

#include <criterion/criterion.h>
#include <string.h>

#include "server/gzip.h"

enum { MAX = 1 << 20 };

static const double xs[] = { 0.1, -2.5, 1e300 };
static const uint32_t ids[] = { 1, 2, 3, 4, 5, 6 };

static void write_two(struct buf *b)
{
	struct npy_header hx = { .type = NPY_F64, .n_dims = 1, .dim = { 3 } };
	struct npy_header hi = { .type = NPY_U32, .n_dims = 2, .dim = { 2, 3 } };
	struct err err = { 0 };
	struct npz z;

	buf_init(b, MAX);
	npz_init(&z, b);
	cr_assert_eq(npz_add(&z, "t_ms", &hx, xs, &err), 0, "%s", err.text);
	cr_assert_eq(npz_add(&z, "neuron", &hi, ids, &err), 0, "%s", err.text);
	cr_assert_eq(npz_end(&z, &err), 0, "%s", err.text);
	npz_release(&z);
}

Test(npz, what_is_written_is_read)
{
	struct npz_entry *entries = NULL;
	struct npy_header h;
	struct mem_arena arena;
	struct err err = { 0 };
	struct buf b;
	size_t n = 0;

	write_two(&b);
	mem_arena_init(&arena, 0);
	cr_assert(npz_is(b.data, b.len));
	cr_assert_eq(npz_read(b.data, b.len, MAX, &arena, &entries, &n, &err), 0, "%s", err.text);
	cr_assert_eq(n, 2);
	cr_assert_str_eq(entries[1].name, "neuron");
	cr_assert_eq(npy_parse(&h, entries[0].bytes, entries[0].n, &err), 0, "%s", err.text);
	cr_assert_eq(npy_get(h.type, entries[0].bytes + h.data_offset, 1), -2.5);
	cr_assert_eq(npy_parse(&h, entries[1].bytes, entries[1].n, &err), 0, "%s", err.text);
	cr_assert_eq(h.n_dims, 2);
	cr_assert_eq(h.dim[1], 3);
	cr_assert_eq(npy_get(h.type, entries[1].bytes + h.data_offset, 5), 6);
	mem_arena_release(&arena);
	buf_release(&b);
}

Test(npz, arrays_left_where_they_are_make_the_same_file)
{
	struct npy_header hx = { .type = NPY_F64, .n_dims = 1, .dim = { 3 } };
	struct npy_header hi = { .type = NPY_U32, .n_dims = 2, .dim = { 2, 3 } };
	struct buf whole, apart;
	struct buf_gap gaps[2];
	struct err err = { 0 };
	struct npz z;
	size_t at = 0, from = 0;

	write_two(&whole);
	buf_init(&apart, MAX);
	npz_init_apart(&z, &apart, gaps, 2);
	cr_assert_eq(npz_add(&z, "t_ms", &hx, xs, &err), 0, "%s", err.text);
	cr_assert_eq(npz_add(&z, "neuron", &hi, ids, &err), 0, "%s", err.text);
	cr_assert_eq(npz_add(&z, "more", &hx, xs, &err), -ERR_LIMIT);
	cr_assert_eq(npz_end(&z, &err), 0, "%s", err.text);
	cr_assert_eq(z.n_gaps, 2);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_arr_eq(whole.data + at, apart.data + from, gaps[i].at - from);
		at += gaps[i].at - from;
		from = gaps[i].at;
		cr_assert_arr_eq(whole.data + at, gaps[i].data, gaps[i].n);
		at += gaps[i].n;
	}
	cr_assert_eq(whole.len - at, apart.len - from);
	cr_assert_arr_eq(whole.data + at, apart.data + from, apart.len - from);
	npz_release(&z);
	buf_release(&whole);
	buf_release(&apart);
}

Test(npz, no_cut_file_is_read)
{
	struct mem_arena arena;
	struct buf b;

	write_two(&b);
	mem_arena_init(&arena, 0);
	for (size_t cut = 0; cut < b.len; cut++) {
		struct npz_entry *entries = NULL;
		size_t n = 0;
		/* a block of its own: a byte read beyond it is seen by the sanitizer */
		char *part = mem_alloc(cut + 1, 1);

		cr_assert_not_null(part);
		memcpy(part, b.data, cut);
		cr_assert_neq(npz_read(part, cut, MAX, &arena, &entries, &n, NULL), 0, "cut at %zu",
			      cut);
		mem_free(part);
	}
	mem_arena_release(&arena);
	buf_release(&b);
}

Test(npz, no_flipped_byte_of_the_data_is_taken)
{
	struct npz_entry *entries = NULL;
	struct mem_arena arena;
	struct err err = { 0 };
	struct buf b;
	size_t n = 0;

	write_two(&b);
	mem_arena_init(&arena, 0);
	b.data[30 + strlen("t_ms.npy") + 130] ^= 1;
	cr_assert_eq(npz_read(b.data, b.len, MAX, &arena, &entries, &n, &err), -ERR_CORRUPT);
	cr_assert_not_null(strstr(err.text, "check sum"), "%s", err.text);
	mem_arena_release(&arena);
	buf_release(&b);
}

/* 40 bytes of zeros, gzipped: the raw deflate stream stands between the header of 10 and the trailer of 8. */
static const unsigned char zeros_gz[] = { 0x1f, 0x8b, 8,    0,	  0,	0,   0, 0,
					  2,	0xff, 0x63, 0x60, 0x20, 0xe, 0, 0,
					  0xb1, 0x3d, 0xec, 0xe9, 0x28, 0,   0, 0 };

Test(npz, gzip_packs_what_it_expands)
{
	enum { N = 300000 };
	static char text[N];
	struct buf packed, back;

	for (size_t i = 0; i < N; i++)
		text[i] = (char)('0' + i * i % 7);
	for (size_t n = 0; n <= N; n = n ? n * 37 : 1) {
		buf_init(&packed, N + 100);
		buf_init(&back, N);
		cr_assert_eq(gzip_pack(&packed, text, n, NULL), 0, "%zu", n);
		cr_assert(gzip_is(packed.data, packed.len));
		cr_assert_eq(gzip_expand(&back, packed.data, packed.len, NULL), 0);
		cr_assert_eq(back.len, n);
		cr_assert(n == 0 || memcmp(back.data, text, n) == 0);
		buf_release(&packed);
		buf_release(&back);
	}
	buf_init(&packed, 100);
	cr_assert_eq(gzip_pack(&packed, text, N, NULL), -ERR_LIMIT);
	buf_release(&packed);
}

Test(npz, gzip_expands_up_to_its_limit)
{
	struct err err = { 0 };
	struct buf b;

	cr_assert(gzip_is(zeros_gz, sizeof(zeros_gz)));
	buf_init(&b, 40);
	cr_assert_eq(gzip_expand(&b, zeros_gz, sizeof(zeros_gz), &err), 0, "%s", err.text);
	cr_assert_eq(b.len, 40);
	buf_release(&b);
	buf_init(&b, 39);
	cr_assert_eq(gzip_expand(&b, zeros_gz, sizeof(zeros_gz), &err), -ERR_LIMIT);
	buf_release(&b);
	for (size_t cut = 3; cut < sizeof(zeros_gz); cut++) {
		buf_init(&b, 40);
		cr_assert_eq(gzip_expand(&b, zeros_gz, cut, &err), -ERR_CORRUPT, "cut at %zu", cut);
		buf_release(&b);
	}
}

Test(npz, inflate_wants_exactly_what_was_said)
{
	const unsigned char *raw = zeros_gz + 10;
	size_t n = sizeof(zeros_gz) - 18;
	char out[64];

	cr_assert_eq(gzip_inflate(out, 40, raw, n, NULL), 0);
	cr_assert_eq(gzip_inflate(out, 39, raw, n, NULL), -ERR_CORRUPT);
	cr_assert_eq(gzip_inflate(out, 41, raw, n, NULL), -ERR_CORRUPT);
	cr_assert_eq(gzip_inflate(out, 40, raw, n - 2, NULL), -ERR_CORRUPT);
}
