/* test_problem - every error has a status, and problems are well-formed. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "server/problem.h"

Test(problem, every_code_has_a_status_and_unknown_ones_are_internal)
{
	for (int code = 1; code < ERR_N; code++)
		cr_assert(problem_status(code) >= 400 && problem_status(code) < 600, "%s",
			  err_name(code));
	cr_assert_eq(problem_status(-1), 500);
	cr_assert_eq(problem_status(ERR_N), 500);
	cr_assert_eq(problem_status(ERR_SYNTAX), 400);
	cr_assert_eq(problem_status(ERR_INVALID), 422);
	cr_assert_eq(problem_status(ERR_QUEUEFULL), 429);
	cr_assert_not_null(problem_retry_after(ERR_QUEUEFULL));
	cr_assert_not_null(problem_retry_after(ERR_BUSY));
	cr_assert_null(problem_retry_after(ERR_NOTFOUND));
}

static json_t *body(const struct response *rs)
{
	return json_loadb(rs->body.data, rs->body.len, 0, NULL);
}

Test(problem, all_errors_are_listed_with_pointer_code_and_detail)
{
	struct err_list errors = { 0 };
	struct response rs = { 0 };
	json_t *json, *item;

	(void)err_list_add(&errors, ERR_RANGE, "/spec/a", "must be \"small\"");
	(void)err_list_add(&errors, ERR_UNKNOWN, "/spec/b", "who is this?");
	problem_response(&rs, ERR_INVALID, "/v1/runs", &errors);
	json = body(&rs);
	cr_assert_eq(rs.status, 422);
	cr_assert_str_eq(rs.content_type, "application/problem+json");
	cr_assert_eq(json_integer_value(json_object_get(json, "status")), 422);
	cr_assert_str_eq(json_string_value(json_object_get(json, "instance")), "/v1/runs");
	cr_assert_eq(json_array_size(json_object_get(json, "errors")), 2);
	item = json_array_get(json_object_get(json, "errors"), 0);
	cr_assert_str_eq(json_string_value(json_object_get(item, "pointer")), "/spec/a");
	cr_assert_str_eq(json_string_value(json_object_get(item, "code")), "out-of-range");
	cr_assert_str_eq(json_string_value(json_object_get(item, "detail")), "must be \"small\"");
	json_decref(json);
	err_list_release(&errors);
	buf_release(&rs.body);
}

Test(problem, what_is_broken_inside_stays_inside)
{
	struct response rs = { 0 };

	problem_text(&rs, ERR_INTERNAL, "/x", "open /secret/path: no such file");
	cr_assert_eq(rs.status, 500);
	cr_assert_null(strstr(rs.body.data, "secret"));
	buf_release(&rs.body);
}

Test(problem, bytes_that_are_no_text_do_not_break_the_answer)
{
	struct response rs = { 0 };
	json_t *json;

	problem_text(&rs, ERR_NOTFOUND, "/\xff\xfe\"\\\n", "found \xc3\x28");
	json = body(&rs);
	cr_assert_not_null(json, "%s", rs.body.data);
	json_decref(json);
	buf_release(&rs.body);
}
