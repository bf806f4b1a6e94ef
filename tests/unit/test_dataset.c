/* test_dataset - kinds told from the content; broken files refused; the inputs of earlier failures again. */
/* SPDX-License-Identifier: MIT */
#include "server/dataset.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/npz.h"

enum { MAX = 64 << 20 };

static struct mem_arena arena;

static void forget(void)
{
	mem_arena_release(&arena);
}

/* From a block of just this size: a byte read beyond it is seen by the sanitizer. */
static int parse(struct dataset *d, const void *bytes, size_t n, struct err *err)
{
	static char *kept; /* fields point into it */

	free(kept);
	kept = malloc(n ? n : 1);
	cr_assert_not_null(kept);
	memcpy(kept, bytes, n);
	return dataset_parse(d, kept, n, MAX, &arena, err);
}

/* Three images of 2 x 2. */
static const unsigned char images[] = { 0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2,  0,	 0,
					0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 250 };

Test(dataset, idx_images_have_their_shape, .fini = forget)
{
	struct err err = { 0 };
	struct dataset d;

	cr_assert_eq(parse(&d, images, sizeof(images), &err), 0, "%s", err.text);
	cr_assert_str_eq(d.kind, "idx");
	cr_assert_str_eq(d.fields[0].name, "images");
	cr_assert_eq(d.fields[0].shape.type, NPY_U8);
	cr_assert_eq(d.fields[0].shape.n_dims, 3);
	cr_assert_eq(d.fields[0].shape.dim[0], 3);
	cr_assert_eq(npy_get(NPY_U8, d.fields[0].data, 11), 250);
	dataset_release(&d);
}

Test(dataset, idx_numbers_are_turned_round, .fini = forget)
{
	static const unsigned char bytes[] = { 0, 0, 0x0c, 1, 0,    0,	  0,	2,
					       0, 0, 1,	   0, 0xff, 0xff, 0xff, 0xfe };
	struct err err = { 0 };
	struct dataset d;

	cr_assert_eq(parse(&d, bytes, sizeof(bytes), &err), 0, "%s", err.text);
	cr_assert_str_eq(d.fields[0].name, "labels");
	cr_assert_eq(npy_get(NPY_I32, d.fields[0].data, 0), 256);
	cr_assert_eq(npy_get(NPY_I32, d.fields[0].data, 1), -2);
	dataset_release(&d);
}

Test(dataset, a_broken_idx_is_refused_with_its_reason, .fini = forget)
{
	static const struct {
		unsigned char bytes[16];
		size_t n;
		const char *says;
	} cases[] = {
		{ { 0, 0, 8, 1, 0, 0, 0, 9, 1, 2 }, 10, "cut off" },
		{ { 0, 0, 8, 1, 0, 0, 0, 1, 1, 2 }, 10, "expected an IDX file of 9 bytes" },
		{ { 0, 0, 8, 3, 0, 0, 0, 1, 1, 2 }, 10, "bytes of IDX header" },
		{ { 0, 0, 7, 1, 0, 0, 0, 1, 1 }, 9, "IDX type" },
		{ { 0, 0, 8, 9, 0, 0, 0, 1, 1 }, 9, "dimensions" },
		{ { 0, 0, 8, 1, 0, 0, 0, 0 }, 8, "is 0" },
		{ { 0, 0, 0x0e, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1 },
		  13,
		  "cut off" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { 0 };
		struct dataset d;

		cr_assert_eq(parse(&d, cases[i].bytes, cases[i].n, &err), -ERR_CORRUPT, "case %zu",
			     i);
		cr_assert_not_null(strstr(err.text, cases[i].says), "case %zu: %s", i, err.text);
	}
}

Test(dataset, no_cut_of_an_idx_is_read, .fini = forget)
{
	for (size_t cut = 0; cut < sizeof(images); cut++) {
		struct dataset d;

		cr_assert_neq(parse(&d, images, cut, NULL), 0, "cut at %zu", cut);
	}
}

Test(dataset, arrays_of_numpy_are_read, .fini = forget)
{
	static const double x[] = { 1.5, 2.5, 3.5, 4.5 };
	struct npy_header h = { .type = NPY_F64, .n_dims = 2, .dim = { 2, 2 } };
	struct err err = { 0 };
	struct dataset d;
	struct npz z;
	struct buf b;

	buf_init(&b, MAX);
	cr_assert_eq(npy_write_header(&b, &h, &err), 0);
	(void)buf_add(&b, x, sizeof(x));
	cr_assert_eq(parse(&d, b.data, b.len, &err), 0, "%s", err.text);
	cr_assert_str_eq(d.kind, "npy");
	cr_assert_str_eq(d.fields[0].name, "values");
	cr_assert_eq(npy_get(NPY_F64, d.fields[0].data, 3), 4.5);
	dataset_release(&d);
	buf_clear(&b);
	npz_init(&z, &b);
	cr_assert_eq(npz_add(&z, "rates", &h, x, &err), 0);
	cr_assert_eq(npz_end(&z, &err), 0);
	npz_release(&z);
	cr_assert_eq(parse(&d, b.data, b.len, &err), 0, "%s", err.text);
	cr_assert_str_eq(d.kind, "npz");
	cr_assert_str_eq(d.fields[0].name, "rates");
	cr_assert_eq(d.fields[0].shape.dim[1], 2);
	dataset_release(&d);
	buf_release(&b);
}

static void *read_file(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "rb");
	char *bytes = malloc(1 << 22);

	cr_assert(f && bytes, "%s", path);
	*ret_n = fread(bytes, 1, 1 << 22, f);
	(void)fclose(f);
	return bytes;
}

/* A seed of the fuzz target, read. */
static void seed(struct dataset *d, const char *name)
{
	struct err err = { 0 };
	char path[128];
	size_t n = 0;
	void *bytes;

	(void)snprintf(path, sizeof(path), "tests/fuzz/corpus/dataset/%s", name);
	bytes = read_file(path, &n);
	cr_assert_eq(parse(d, bytes, n, &err), 0, "%s: %s", name, err.text);
	cr_assert_str_eq(d->kind, "wav");
	free(bytes);
}

static void is_field(const struct dataset_field *f, const char *name, enum npy_type type, size_t n,
		     const double *values)
{
	cr_assert_str_eq(f->name, name);
	cr_assert_eq(f->shape.type, type, "%s: %s", name, dataset_dtype(f->shape.type));
	cr_assert_eq(dataset_bytes(&f->shape), n * npy_size(type));
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(npy_get(type, f->data, i), values[i], "%s[%zu]: %g", name, i,
			     npy_get(type, f->data, i));
}

#define IS_FIELD(f, name, type, ...) \
	is_field((f), (name), (type), sizeof((double[]){ __VA_ARGS__ }) / sizeof(double), \
		 (double[]){ __VA_ARGS__ })

Test(dataset, sounds_are_read, .fini = forget)
{
	struct dataset d;

	seed(&d, "wav_16");
	cr_assert_eq(d.n_fields, 2);
	cr_assert_eq(d.fields[0].shape.n_dims, 1);
	IS_FIELD(&d.fields[0], "samples", NPY_I16, 0, 1000, -1000, -32768);
	IS_FIELD(&d.fields[1], "rate_hz", NPY_F64, 8000);
	dataset_release(&d);
	seed(&d, "wav_24_stereo");
	cr_assert_eq(d.fields[0].shape.n_dims, 2);
	cr_assert_eq(d.fields[0].shape.dim[1], 2);
	IS_FIELD(&d.fields[0], "samples", NPY_I32, 8388607, -8388608, 1, -1);
	IS_FIELD(&d.fields[1], "rate_hz", NPY_F64, 44100);
	dataset_release(&d);
	seed(&d, "wav_float");
	IS_FIELD(&d.fields[0], "samples", NPY_F32, 0.5, -0.25, 1);
	dataset_release(&d);
}

Test(dataset, a_zip_of_sounds_has_a_field_of_each, .fini = forget)
{
	struct dataset d;

	seed(&d, "wav_zip"); /* with a folder, a hidden file, and one that is no sound */
	cr_assert_eq(d.n_fields, 3);
	IS_FIELD(&d.fields[0], "zero", NPY_I16, 0, 1000, -1000, -32768);
	IS_FIELD(&d.fields[1], "one-8", NPY_U8, 0, 128, 255);
	IS_FIELD(&d.fields[2], "rate_hz", NPY_F64, 8000, 8000);
	dataset_release(&d);
}

Test(dataset, a_broken_sound_is_refused_with_its_place, .fini = forget)
{
	static const struct {
		size_t at, n; /* byte that is changed; bytes kept (0: all) */
		unsigned char to;
		const char *says;
	} cases[] = {
		{ 0, 60, 'R', "expected 8 bytes behind byte 58, found 2; it may be cut off" },
		{ 0, 40, 'R', "a chunk \"data\" at byte 36" },
		{ 50, 0, 'x', "at byte 66, found the end" }, /* data is xata */
		{ 13, 0, 'x', "\"fmt \" of at least 16 bytes before byte 50" },
		{ 20, 0, 6, "byte 20: expected whole numbers (1)" },
		{ 34, 0, 12, "byte 20: expected whole numbers (1)" },
		{ 22, 0, 0, "byte 22: expected channels" },
		{ 32, 0, 4, "byte 32: expected 2 bytes a moment" },
		{ 54, 0, 7, "byte 58: expected whole moments of 2 bytes, found 7" },
		{ 54, 0, 0, "byte 58: expected whole moments of 2 bytes, found 0" },
	};
	size_t n = 0;
	unsigned char *bytes = read_file("tests/fuzz/corpus/dataset/wav_16", &n);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char was = bytes[cases[i].at];
		struct err err = { 0 };
		struct dataset d;

		bytes[cases[i].at] = cases[i].to;
		cr_assert_eq(parse(&d, bytes, cases[i].n ? cases[i].n : n, &err), -ERR_CORRUPT,
			     "case %zu", i);
		cr_assert_not_null(strstr(err.text, cases[i].says), "case %zu: %s", i, err.text);
		bytes[cases[i].at] = was;
	}
	for (size_t cut = 0; cut < n; cut++) {
		struct dataset d;

		cr_assert_neq(parse(&d, bytes, cut, NULL), 0, "cut at %zu", cut);
	}
	free(bytes);
}

Test(dataset, what_is_nothing_known_is_refused, .fini = forget)
{
	static const char *const cases[] = { "\x01\x02\x03\x04\x05",
					     ("\x7f"
					      "ELF\x02\x01\x01"),
					     "\x1f\x8b\x08garbage", "PK\x03\x04 no zip at all" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { 0 };
		struct dataset d;

		cr_assert_eq(parse(&d, cases[i], strlen(cases[i]), &err), -ERR_CORRUPT,
			     "case %zu: %s", i, err.text);
	}
}

Test(dataset, a_name_with_a_path_in_it_is_none)
{
	cr_assert(dataset_field_valid("images"));
	cr_assert(dataset_field_valid("t_ms"));
	cr_assert_not(dataset_field_valid("../x"));
	cr_assert_not(dataset_field_valid("a.b"));
	cr_assert_not(dataset_field_valid(""));
	cr_assert_not(dataset_field_valid(
		"0123456789012345678901234567890123456789012345678901234567890123"));
}

/* Whatever they are, they must neither crash nor leak. */
Test(dataset, regression_inputs_do_no_harm, .fini = forget)
{
	static const char folder[] = "tests/fuzz/regression/dataset";
	DIR *dir = opendir(folder);
	size_t replayed = 0;

	cr_assert_not_null(dir, "%s is not there; run from the root", folder);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		char path[512];
		struct dataset d;
		size_t n = 0;
		void *bytes;

		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		bytes = read_file(path, &n);
		if (parse(&d, bytes, n, NULL) == 0)
			dataset_release(&d);
		free(bytes);
		replayed++;
	}
	(void)closedir(dir);
	cr_assert_geq(replayed, 5);
}

Test(dataset, mnist_is_read_as_it_comes, .fini = forget)
{
	const char *shared = getenv("STDP_SHARED");
	struct err err = { 0 };
	struct dataset d;
	char path[512];
	size_t n = 0;
	void *bytes;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/data/mnist/test8k-images-idx3-ubyte.gz",
		       shared ? shared : "../shared");
	f = fopen(path, "rb");
	if (!f)
		cr_skip_test("skipped: no %s", path);
	(void)fclose(f);
	bytes = read_file(path, &n);
	cr_assert_eq(parse(&d, bytes, n, &err), 0, "%s", err.text);
	cr_assert_eq(d.fields[0].shape.dim[0], 8000);
	cr_assert_eq(d.fields[0].shape.dim[2], 28);
	cr_assert_eq(dataset_bytes(&d.fields[0].shape), 8000 * 28 * 28);
	dataset_release(&d);
	free(bytes);
}
