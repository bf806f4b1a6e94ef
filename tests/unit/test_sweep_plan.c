/* test_sweep_plan - ranges spelt out, points counted, specs of points. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "server/pointer.h"
#include "server/sweep_plan.h"

enum { MAX = 1000 };

/* The values as text, "" with errors; how many errors there are and where the first is. */
static char *expand(const char *values, size_t *ret_errors, char where[ERR_PATH_MAX])
{
	struct err_list errors = { 0 };
	json_t *json = json_loads(values, JSON_DECODE_ANY, NULL);
	json_t *list = sweep_plan_expand(json, MAX, "/axes/0/values", &errors);
	char *text = list ? json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;

	cr_assert_eq(list == NULL, err_list_count(&errors) > 0, "%s", values);
	*ret_errors = err_list_count(&errors);
	(void)strcpy(where, errors.first.path);
	err_list_release(&errors);
	json_decref(json);
	json_decref(list);
	return text;
}

static void is(const char *values, const char *want)
{
	char where[ERR_PATH_MAX];
	size_t n;
	char *text = expand(values, &n, where);

	cr_assert_not_null(text, "%s is refused", values);
	cr_assert_str_eq(text, want, "%s gives %s", values, text);
	free(text);
}

static void refused(const char *values, const char *at)
{
	char where[ERR_PATH_MAX];
	size_t n;

	cr_assert_null(expand(values, &n, where), "%s is taken", values);
	cr_assert_eq(n, 1, "%s: %zu errors", values, n);
	cr_assert_str_eq(where, at, "%s", values);
}

Test(sweep_plan, ranges_are_spelt_out_as_a_person_would)
{
	is("[3,\"a\",true,{\"rule\":\"x\"}]", "[3,\"a\",true,{\"rule\":\"x\"}]");
	is("{\"from\":0,\"to\":1,\"step\":0.1}", "[0.0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1.0]");
	is("{\"from\":1,\"to\":5,\"step\":2}", "[1,3,5]");
	is("{\"from\":1,\"to\":6,\"step\":2}", "[1,3,5]");
	is("{\"from\":5,\"to\":1,\"step\":-2}", "[5,3,1]");
	is("{\"from\":10,\"to\":40,\"count\":4}", "[10,20,30,40]");
	is("{\"from\":0,\"to\":1,\"count\":3}", "[0.0,0.5,1.0]");
	is("{\"from\":1,\"to\":1000,\"count\":4,\"log\":true}", "[1,10,100,1000]");
	is("{\"from\":0.01,\"to\":1.0,\"count\":3,\"log\":true}", "[0.01,0.1,1.0]");
	is("{\"from\":7,\"to\":9,\"count\":1}", "[7]");
}

Test(sweep_plan, what_is_no_list_of_values_is_refused_in_one_sentence)
{
	static const char *const bad[] = {
		"5",
		"[]",
		"{\"from\":1,\"to\":2}",
		"{\"from\":1,\"to\":2,\"step\":1,\"count\":2}",
		"{\"from\":1,\"to\":2,\"step\":0}",
		"{\"from\":1,\"to\":2,\"step\":-1}",
		"{\"from\":1,\"to\":2,\"count\":0}",
		"{\"from\":1,\"to\":2,\"count\":1001}",
		"{\"from\":0,\"to\":1,\"step\":1e-300}",
		"{\"from\":0,\"to\":1,\"count\":3,\"log\":true}",
		"{\"from\":-1,\"to\":1,\"count\":3,\"log\":true}",
		"{\"from\":1,\"to\":4,\"step\":1,\"log\":true}",
		"{\"from\":1,\"to\":4,\"count\":2,\"by\":3}",
		"{\"from\":\"1\",\"to\":4,\"count\":2}",
	};

	for (size_t i = 0; i < COUNTOF(bad); i++)
		refused(bad[i], "/axes/0/values");
	refused("[1,2,1.0]", "/axes/0/values/2");
	refused("[\"a\",\"a\"]", "/axes/0/values/1");
	refused("{\"from\":2,\"to\":2,\"count\":2}", "/axes/0/values");
}

static void plan(struct sweep_plan *p)
{
	cr_assert_eq(
		sweep_plan_read(
			p, "{\"a\":{\"b\":1},\"list\":[1,2],\"seed\":\"9\"}",
			"[{\"path\":\"/a/b\",\"name\":\"b\",\"values\":[10,20]},"
			"{\"path\":\"/list/1\",\"name\":\"l\",\"values\":[\"x\",\"y\",\"z\"]}]",
			"[\"1\",\"2\"]", NULL),
		0);
}

Test(sweep_plan, seeds_run_fastest_then_the_last_axis)
{
	struct sweep_plan p;
	char label[64], cut[6];

	plan(&p);
	cr_assert_eq(sweep_plan_cells(&p, 100), 6);
	cr_assert_eq(sweep_plan_cells(&p, 5), 6);
	for (int64_t point = 0; point < 12; point++) {
		size_t axis = 99;
		json_t *spec = sweep_plan_spec(&p, point, &axis);

		cr_assert_not_null(spec);
		cr_assert_eq(json_integer_value(json_object_get(json_object_get(spec, "a"), "b")),
			     point < 6 ? 10 : 20);
		cr_assert_eq(json_string_value(json_array_get(json_object_get(spec, "list"), 1))[0],
			     "xyz"[point / 2 % 3]);
		cr_assert_str_eq(json_string_value(json_object_get(spec, "seed")),
				 point % 2 ? "2" : "1");
		json_decref(spec);
	}
	sweep_plan_label(&p, 7, label, sizeof(label));
	cr_assert_str_eq(label, "b=20, l=\"x\", seed 2");
	sweep_plan_label(&p, 7, cut, sizeof(cut));
	cr_assert_str_eq(cut, "b=20,");
	cr_assert_eq(json_integer_value(json_object_get(json_object_get(p.spec, "a"), "b")), 1,
		     "the plan's own spec stays");
	sweep_plan_release(&p);
}

Test(sweep_plan, a_place_that_is_not_there_is_told_by_its_axis)
{
	struct sweep_plan p;
	size_t axis = 99;

	plan(&p);
	(void)json_object_set_new(json_array_get(p.axes, 1), "path", json_string("/list/5"));
	cr_assert_null(sweep_plan_spec(&p, 0, &axis));
	cr_assert_eq(axis, 1);
	sweep_plan_release(&p);
	cr_assert_eq(sweep_plan_read(&p, "{}", "{", "[]", NULL), -ERR_CORRUPT);
}

Test(sweep_plan, pointers_are_read_as_the_rfc_says)
{
	json_t *root = json_loads("{\"a/b\":{\"m~n\":[1,2]},\"\":0}", 0, NULL),
	       *v = json_integer(7);
	char last[8];

	cr_assert(pointer_set(root, "/a~1b/m~0n/0", v));
	cr_assert(pointer_set(root, "/a~1b/m~0n/-", v));
	cr_assert(pointer_set(root, "/", v));
	cr_assert(pointer_set(root, "/new", v));
	cr_assert_not(pointer_set(root, "", v));
	cr_assert_not(pointer_set(root, "/a~1b/m~0n/3", v));
	cr_assert_not(pointer_set(root, "/a~1b/m~0n/x", v));
	cr_assert_not(pointer_set(root, "/none/x", v));
	cr_assert_not(pointer_set(root, "/new/x", v));
	cr_assert_eq(json_array_size(json_object_get(json_object_get(root, "a/b"), "m~n")), 3);
	pointer_last("/x/a~1b", last, sizeof(last));
	cr_assert_str_eq(last, "a/b");
	pointer_last("", last, sizeof(last));
	cr_assert_str_eq(last, "");
	cr_assert_str_eq(pointer_below("/a/b/c", "/a/b"), "/c");
	cr_assert_str_eq(pointer_below("/a/b", "/a/b"), "");
	cr_assert_null(pointer_below("/a/bc", "/a/b"));
	json_decref(root);
	json_decref(v);
}
