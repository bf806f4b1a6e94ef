/* test_npy - headers of .npy files, good and bad. */
/* SPDX-License-Identifier: MIT */
#include "core/base/npy.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/base/mem.h"
#include "tests/check.h"

/* A file with the given dict as text and `data` zero bytes behind it. */
static size_t file(unsigned char *out, const char *dict, size_t data)
{
	size_t n = strlen(dict);

	memcpy(out, "\x93NUMPY\x01\x00", 8);
	out[8] = (unsigned char)(n & 0xff);
	out[9] = (unsigned char)(n >> 8);
	memcpy(out + 10, dict, n);
	memset(out + 10 + n, 0, data);
	return 10 + n + data;
}

Test(npy, every_type_and_shape_comes_back)
{
	for (int type = 0; type < (int)NPY_N; type++) {
		for (int dims = 0; dims <= NPY_DIMS_MAX; dims++) {
			struct npy_header h = { .type = (enum npy_type)type, .n_dims = dims }, got;
			struct buf b;
			size_t bytes = npy_size(h.type);
			struct err err;

			for (int i = 0; i < dims; i++)
				bytes *= h.dim[i] = (uint64_t)(i + 2);
			buf_init(&b, 100000);
			cr_assert_eq(npy_write_header(&b, &h, &err), 0);
			cr_assert_eq(b.len % 64, 0);
			cr_assert_eq(b.data[b.len - 1], '\n');
			h.data_offset = b.len;
			for (size_t i = 0; i < bytes; i++)
				(void)buf_char(&b, 0);
			cr_assert_eq(npy_parse(&got, b.data, b.len, &err), 0, "%s", err.text);
			cr_assert_eq(got.type, h.type);
			cr_assert_eq(got.n_dims, dims);
			cr_assert_eq(got.data_offset, h.data_offset);
			cr_assert_eq(memcmp(got.dim, h.dim, sizeof(h.dim)), 0);
			cr_assert_eq(npy_parse(&got, b.data, b.len - 1, &err), -ERR_CORRUPT);
			buf_release(&b);
		}
	}
}

Test(npy, headers_of_numpy_are_read)
{
	static const char *const good[] = {
		"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }          \n",
		"{\"shape\":(3,),\"descr\":\"<f8\",\"fortran_order\":False}\n",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (3), }\n",
	};
	unsigned char bytes[400];
	struct npy_header h;
	struct err err;

	for (size_t i = 0; i < COUNTOF(good); i++) {
		size_t n = file(bytes, good[i], 24);

		cr_assert_eq(npy_parse(&h, bytes, n, &err), 0, "%s: %s", good[i], err.text);
		cr_assert(h.type == NPY_F64 && h.n_dims == 1 && h.dim[0] == 3);
	}
}

Test(npy, damaged_headers_are_refused)
{
	static const char *const bad[] = {
		"",
		"\n",
		"{",
		"{}",
		"{'descr': '>f8', 'fortran_order': False, 'shape': (3,), }",
		"{'descr': '<c16', 'fortran_order': False, 'shape': (3,), }",
		"{'descr': '', 'fortran_order': False, 'shape': (3,), }",
		"{'descr': '<f8', 'fortran_order': True, 'shape': (3,), }",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (3, }",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1), }",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296,4294967296), }",
		"{'descr': '<f8', 'fortran_order': False, }",
		"{'descr': '<f8', 'descr': '<f8', 'shape': (3,), }",
		"{'descr': '<f8' 'fortran_order': False, 'shape': (3,), }",
		"{'descr: ",
	};
	unsigned char bytes[400];
	struct npy_header h;
	struct err err;

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		size_t n = file(bytes, bad[i], 24);

		cr_assert_eq(npy_parse(&h, bytes, n, &err), -ERR_CORRUPT, "%s", bad[i]);
	}
}

/* Under the address sanitizer the exact size of the block proves that nothing behind it is read. */
Test(npy, a_file_cut_anywhere_is_refused)
{
	unsigned char bytes[400];
	size_t n = file(bytes, "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n", 24);

	for (size_t cut = 0; cut < n; cut++) {
		unsigned char *part = mem_alloc(cut, 1);
		struct npy_header h;

		memcpy(part, bytes, cut);
		cr_assert_eq(npy_parse(&h, part, cut, NULL), -ERR_CORRUPT, "cut at %zu", cut);
		mem_free(part);
	}
}

Test(npy, an_empty_array_has_no_data)
{
	unsigned char bytes[400];
	size_t n = file(bytes, "{'descr': '<i4', 'fortran_order': False, 'shape': (0, 7), }", 0);
	struct npy_header h;

	cr_assert_eq(npy_parse(&h, bytes, n, NULL), 0);
	cr_assert(h.n_dims == 2 && h.dim[0] == 0 && h.dim[1] == 7);
}

Test(npy, elements_are_read_by_their_type)
{
	static const unsigned char bytes[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
						 0,    0,    0,	   0,	 0,    0,    0xf0, 0x3f };
	static const unsigned char half[4] = { 0, 0, 0, 0x3f };

	cr_assert_eq(npy_get(NPY_I64, bytes, 0), -1);
	cr_assert_eq(npy_get(NPY_U64, bytes, 0), 0x1p64);
	cr_assert_eq(npy_get(NPY_I32, bytes, 1), -1);
	cr_assert_eq(npy_get(NPY_U32, bytes, 1), 4294967295.0);
	cr_assert_eq(npy_get(NPY_I16, bytes, 1), -1);
	cr_assert_eq(npy_get(NPY_U16, bytes, 1), 65535);
	cr_assert_eq(npy_get(NPY_I8, bytes, 7), -1);
	cr_assert_eq(npy_get(NPY_U8, bytes, 7), 255);
	cr_assert_eq(npy_get(NPY_BOOL, bytes, 7), 1);
	cr_assert_eq(npy_get(NPY_BOOL, bytes, 8), 0);
	cr_assert_eq(npy_get(NPY_F64, bytes, 1), 1);
	cr_assert_eq(npy_get(NPY_F32, half, 0), 0.5);
}

Test(npy, no_room_and_no_memory_are_told_apart)
{
	struct npy_header h = { .type = NPY_F64, .n_dims = 1, .dim = { 5 } };
	struct buf b;

	buf_init(&b, 100);
	cr_assert_eq(npy_write_header(&b, &h, NULL), -ERR_LIMIT);
	buf_release(&b);
	for (struct check_torture t = check_torture(); check_torture_next(&t);) {
		int r;

		buf_init(&b, 1000);
		r = npy_write_header(&b, &h, NULL);
		cr_assert(r == 0 || r == -ERR_NOMEM);
		t.done = r == 0;
		buf_release(&b);
	}
}
