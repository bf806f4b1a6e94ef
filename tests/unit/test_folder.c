/* test_folder.c - a run's recordings read where they lie: the same bytes as its columns, and no more. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/folder.h"
#include "tests/engine_case.h"

static const char spec[] =
	"{\"duration_ms\":50,\"populations\":{\"in\":{\"model\":\"poisson_generator\",\"size\":10,"
	"\"params\":{\"rate\":500}},\"cell\":{\"model\":\"parrot_neuron\",\"size\":10}},"
	"\"projections\":{\"syn\":{\"source\":\"in\",\"target\":\"cell\",\"connect\":{\"rule\":"
	"\"one_to_one\"},\"synapse\":{\"model\":\"stdp_pair\",\"weight\":0.5,\"delay_ms\":1}}},"
	"\"record\":{\"spikes\":[\"in\",\"cell\"]}}";

struct fixture {
	struct engine_case run;
	struct mem_arena arena;
	struct folder folder;
	struct err err;
};

static struct fixture fixture(void)
{
	struct fixture f = { .run = engine_case_text(spec, 1) };

	cr_assert_eq(f.run.rc, 0, "%s", f.run.err.text);
	mem_arena_init(&f.arena, 0);
	cr_assert_eq(folder_open(&f.folder, f.run.dir.path, "result.json", &f.err), 0, "%s",
		     f.err.text);
	return f;
}

static void release(struct fixture *f)
{
	folder_close(&f->folder);
	mem_arena_release(&f->arena);
	engine_case_release(&f->run);
}

static struct store_recording *find(struct fixture *f, const char *kind, const char *subject,
				    size_t expected)
{
	struct store_recording *r = NULL;
	size_t n = 0;

	cr_assert_eq(folder_find(&f->folder, kind, subject, NULL, &f->arena, &r, &n, &f->err), 0);
	cr_assert_eq(n, expected, "%zu recordings of %s", n, kind);
	return r;
}

Test(folder, columns_are_read_by_rows)
{
	struct fixture f = fixture();
	struct store_recording *r = find(&f, "spikes", "cell", 1);
	const void *rows = NULL;
	size_t n = 0;
	double *all = engine_case_column(&f.run, engine_case_recording(&f.run, "spikes", "cell", 0),
					 "step", &n);

	cr_assert_gt(n, 10);
	cr_assert_str_eq(r->columns[0].name, "step");
	cr_assert_eq(r->columns[0].rows, n);
	cr_assert_eq(r->columns[0].type, NPY_I64);
	cr_assert_eq(folder_read(&f.folder, &r->columns[0], 3, n, &f.arena, &rows, &f.err), 0);
	for (size_t i = 3; i < n; i++)
		cr_assert_eq(((const int64_t *)rows)[i - 3], (int64_t)all[i]);
	cr_assert_eq(folder_read(&f.folder, &r->columns[0], n, n, &f.arena, &rows, &f.err), 0);
	cr_assert_lt(folder_read(&f.folder, &r->columns[0], 0, n + 1, &f.arena, &rows, &f.err), 0);
	mem_free(all);
	release(&f);
}

Test(folder, recordings_are_chosen_by_kind_and_subject)
{
	struct fixture f = fixture();

	(void)find(&f, "spikes", NULL, 2);
	(void)find(&f, "spikes", "none", 0);
	cr_assert_str_eq(find(&f, "final_weights", "syn", 1)->subject, "syn");
	cr_assert_geq(find(&f, NULL, NULL, 3)[0].n_columns, 1);
	release(&f);
}

Test(folder, its_texts_are_bounded)
{
	struct fixture f = fixture();
	const char *text = NULL;

	cr_assert_eq(folder_text(&f.folder, "spec.json", 4096, &f.arena, &text, &f.err), 0);
	cr_assert_str_eq(text, spec);
	cr_assert_eq(folder_text(&f.folder, "spec.json", 8, &f.arena, &text, &f.err), -ERR_LIMIT);
	cr_assert_eq(folder_text(&f.folder, "none", 8, &f.arena, &text, &f.err), -ERR_NOTFOUND);
	release(&f);
}

Test(folder, a_column_that_is_too_short_is_told)
{
	struct fixture f = fixture();
	struct store_recording *r = find(&f, "spikes", "cell", 1);
	const void *rows = NULL;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", f.run.dir.path,
		       engine_case_string(
			       json_array_get(json_object_get(engine_case_recording(
								      &f.run, "spikes", "cell", 0),
							      "columns"),
					      0),
			       "file"));
	cr_assert_eq(truncate(path, 12), 0);
	cr_assert_eq(folder_read(&f.folder, &r->columns[0], 0, 1, &f.arena, &rows, &f.err), 0);
	cr_assert_eq(folder_read(&f.folder, &r->columns[0], 0, 2, &f.arena, &rows, &f.err),
		     -ERR_CORRUPT);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(folder_read(&f.folder, &r->columns[0], 0, 1, &f.arena, &rows, &f.err),
		     -ERR_NOTFOUND);
	release(&f);
}

Test(folder, without_a_whole_result_there_is_nothing)
{
	struct check_dir dir = check_dir();
	struct folder f;
	struct err err = { 0 };

	cr_assert_eq(folder_open(&f, dir.path, "result.json", &err), -ERR_NOTFOUND);
	engine_case_write(&dir, "result.json", "{", 1);
	cr_assert_eq(folder_open(&f, dir.path, "result.json", &err), -ERR_CORRUPT);
	cr_assert_eq(folder_open(&f, "/nowhere", "result.json", &err), -ERR_NOTFOUND);
	check_dir_release(&dir);
}
