/* test_csv - tables of numbers: names, types, words, and what is wrong where. */
/* SPDX-License-Identifier: MIT */
#include "server/dataset.h"

#include <criterion/criterion.h>
#include <string.h>

static struct mem_arena arena;

static int read_csv(struct dataset *d, const char *text, struct err *err)
{
	*d = (struct dataset){ 0 };
	return dataset_csv(d, text, strlen(text), &arena, err);
}

static double at(const struct dataset_field *f, size_t i)
{
	return npy_get(f->shape.type, f->data, i);
}

static void forget(void)
{
	mem_arena_release(&arena);
}

Test(csv, a_header_names_the_columns, .fini = forget)
{
	struct err err = { 0 };
	struct dataset d;

	cr_assert_eq(read_csv(&d, "t_ms,neuron\r\n0.5,0\r\n1.25,3\r\n", &err), 0, "%s", err.text);
	cr_assert_eq(d.n_fields, 2);
	cr_assert_str_eq(d.fields[0].name, "t_ms");
	cr_assert_eq(d.fields[0].shape.type, NPY_F64);
	cr_assert_eq(d.fields[0].shape.dim[0], 2);
	cr_assert_eq(at(&d.fields[0], 1), 1.25);
	cr_assert_str_eq(d.fields[1].name, "neuron");
	cr_assert_eq(d.fields[1].shape.type, NPY_I64);
	cr_assert_eq(at(&d.fields[1], 1), 3);
}

Test(csv, a_table_without_names_is_also_a_field_as_a_whole, .fini = forget)
{
	struct err err = { 0 };
	struct dataset d;

	cr_assert_eq(read_csv(&d, "1;2;3\n4;5;6.5", &err), 0, "%s", err.text);
	cr_assert_eq(d.n_fields, 4);
	cr_assert_str_eq(d.fields[2].name, "c2");
	cr_assert_str_eq(d.fields[3].name, "values");
	cr_assert_eq(d.fields[3].shape.n_dims, 2);
	cr_assert_eq(d.fields[3].shape.dim[1], 3);
	cr_assert_eq(at(&d.fields[3], 5), 6.5);
	cr_assert_eq(at(&d.fields[3], 3), 4.0);
}

Test(csv, words_are_named_but_not_kept, .fini = forget)
{
	struct err err = { 0 };
	struct dataset d;

	cr_assert_eq(read_csv(&d,
			      "\xef\xbb\xbf# made by hand\n\"date\",\"max temp "
			      "(C)\",\n2012-01-01,12.8,1\n2012-01-02,-3,2\n",
			      &err),
		     0, "%s", err.text);
	cr_assert_eq(d.n_fields, 3);
	cr_assert(d.fields[0].text);
	cr_assert_not(d.fields[1].text);
	cr_assert_str_eq(d.fields[1].name, "max_temp__C_");
	cr_assert_str_eq(d.fields[2].name, "c2");
	cr_assert_eq(at(&d.fields[1], 1), -3.0);
}

Test(csv, one_column_of_numbers_needs_no_name, .fini = forget)
{
	struct err err = { 0 };
	struct dataset d;

	cr_assert_eq(read_csv(&d, "1e-3\n2\n\n", &err), 0, "%s", err.text);
	cr_assert_eq(d.n_fields, 1);
	cr_assert_eq(d.fields[0].shape.dim[0], 2);
	cr_assert_eq(at(&d.fields[0], 0), 1e-3);
}

Test(csv, equal_names_are_told_apart, .fini = forget)
{
	struct err err = { 0 };
	struct dataset d;

	cr_assert_eq(read_csv(&d, "a,a,b\n1,2,3\n", &err), 0, "%s", err.text);
	cr_assert_str_neq(d.fields[0].name, d.fields[1].name);
	for (size_t i = 0; i < d.n_fields; i++)
		cr_assert(dataset_field_valid(d.fields[i].name));
}

Test(csv, an_error_says_where, .fini = forget)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "no line" },
		{ "# only words\n\n", "no line" },
		{ "t_ms,neuron\n", "rows below" },
		{ "t_ms,neuron\n1,2\n3\n", "line 3: expected 2 columns, found 1" },
		{ "t_ms,neuron\n1,2\n3,4,5\n", "line 3: expected 2 columns, found 3" },
		{ "t_ms,neuron\n1,2\n3,four\n",
		  "line 3, column neuron: expected a number, found \"four\"" },
		{ "t_ms,neuron\n1,2\n,4\n", "line 3, column t_ms: expected a number, found \"\"" },
		{ "t_ms\n1\nnan\n", "line 3, column t_ms" },
		{ "t_ms\n1\n0x10\n", "line 3, column t_ms" },
		{ "t_ms\n1\n1e999\n", "line 3, column t_ms" },
		{ "a,b\nx,y\n", "at least one column of numbers" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { 0 };
		struct dataset d;

		cr_assert_eq(read_csv(&d, cases[i].text, &err), -ERR_CORRUPT, "case %zu", i);
		cr_assert_not_null(strstr(err.text, cases[i].says), "case %zu: %s", i, err.text);
	}
}
