/* test_result.c - result.json: whole or not there, valid whatever stands in it. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/result.h"
#include "tests/engine_case.h"

static struct result plain(void)
{
	return (struct result){ .version = "1.2.3", .threads = 2, .seed = UINT64_MAX };
}

static json_t *written(const struct check_dir *dir, const struct result *r)
{
	struct err err = { 0 };
	json_t *j;

	cr_assert_eq(result_write(dir->fd, r, &err), 0, "%s", err.text);
	cr_assert_neq(faccessat(dir->fd, "result.part", F_OK, 0), 0);
	j = engine_case_result(dir);
	cr_assert_not_null(j);
	return j;
}

Test(result, has_every_key_even_when_nothing_was_built)
{
	static const char *const keys[] = { "version",	 "compiler", "flags",	    "threads",
					    "seed",	 "wall_s",   "model_ms",    "duration_ms",
					    "dt_ms",	 "digest",   "partial",	    "error",
					    "counts",	 "metrics",  "populations", "projections",
					    "recordings" };
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct result r = plain();
	json_t *j = written(&dir, &r);

	for (size_t i = 0; i < COUNTOF(keys); i++)
		cr_assert_not_null(json_object_get(j, keys[i]), "%s", keys[i]);
	cr_assert_str_eq(engine_case_string(j, "seed"), "18446744073709551615");
	cr_assert(json_is_false(json_object_get(j, "partial")));
	cr_assert(json_is_null(json_object_get(j, "digest")));
	json_decref(j);
}

Test(result, a_digest_has_16_hex_digits)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct result r = plain();
	json_t *j;

	r.has_digest = true;
	r.digest = 0xab;
	j = written(&dir, &r);
	cr_assert_str_eq(engine_case_string(j, "digest"), "00000000000000ab");
	json_decref(j);
}

Test(result, metrics_keep_their_bits_and_no_number_is_null)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct result_metric b = { .name = "none", .value = (double)NAN };
	struct result_metric a = { .next = &b,
				   .name = "a \"quoted\"\n\x01 name",
				   .value = 0.1 + 0.2 };
	struct result r = plain();
	json_t *j, *m;

	r.metrics = &a;
	j = written(&dir, &r);
	m = json_object_get(j, "metrics");
	cr_assert_eq(json_real_value(json_object_get(m, a.name)), a.value);
	cr_assert(json_is_null(json_object_get(m, "none")));
	json_decref(j);
}

Test(result, an_error_makes_it_partial_and_all_errors_stand_in_it)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct err_list list = { 0 };
	struct err err;
	struct result r = plain();
	json_t *j, *errors;

	err_list_add(&list, ERR_RANGE, "/a", "first \"%s\"", "x");
	err_list_add(&list, ERR_TYPE, "/b", "second");
	err_set(&err, ERR_INVALID, "/a", "%s", list.first.text);
	r.error = &err;
	r.errors = &list;
	j = written(&dir, &r);
	cr_assert(json_is_true(json_object_get(j, "partial")));
	cr_assert_str_eq(engine_case_string(json_object_get(j, "error"), "code"), "invalid-spec");
	errors = json_object_get(j, "errors");
	cr_assert_eq(json_array_size(errors), 2);
	cr_assert_str_eq(engine_case_string(json_array_get(errors, 1), "path"), "/b");
	json_decref(j);
	err_list_release(&list);
}

Test(result, the_last_resort_needs_no_memory_and_is_valid)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct err err;
	struct result r = plain();
	json_t *j;
	int rc;

	err_set(&err, ERR_NOMEM, "/a\"b", "a \\ and a \n in \"it\"");
	r.error = &err;
	mem_fail_at(1, true);
	rc = result_write_error(dir.fd, &r, NULL);
	mem_fail_at(0, false);
	cr_assert_eq(rc, 0);
	j = engine_case_result(&dir);
	cr_assert_str_eq(engine_case_string(json_object_get(j, "error"), "code"), "out-of-memory");
	cr_assert(json_is_true(json_object_get(j, "partial")));
	cr_assert(json_is_array(json_object_get(j, "recordings")));
	json_decref(j);
}

Test(result, what_cannot_be_written_leaves_nothing)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct result r = plain();
	struct err err = { 0 };

	cr_assert_eq(mkdirat(dir.fd, "result.part", 0700), 0);
	cr_assert_lt(result_write(dir.fd, &r, &err), 0);
	cr_assert_neq(faccessat(dir.fd, "result.json", F_OK, 0), 0);
	cr_assert_neq(err.text[0], '\0');
}

Test(result, an_old_one_is_replaced_at_once)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct result r = plain();

	json_decref(written(&dir, &r));
	r.version = "2";
	json_t *j = written(&dir, &r);

	cr_assert_str_eq(engine_case_string(j, "version"), "2");
	json_decref(j);
}
