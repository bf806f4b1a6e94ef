/* test_spec_json_text - texts of specs: canonical and normalized form, wrong types, no memory. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/spec_json.h"
#include "tests/check.h"
#include "tests/unit/spec_case.h"

static void expect_canonical(const char *a, const char *b, bool same)
{
	json_t *ja = parse(a), *jb = parse(b);
	char *ta = spec_json_canonical(ja), *tb = spec_json_canonical(jb);

	cr_assert(ta && tb);
	cr_expect_eq(!strcmp(ta, tb), same, "%s\n%s", ta, tb);
	mem_free(ta);
	mem_free(tb);
	json_decref(ja);
	json_decref(jb);
}

Test(spec_json, the_canonical_text_knows_values_not_spelling)
{
	expect_canonical("{'a': 20, 'b': 1}", "{'b': 1.0, 'a': 2e1}", true);
	expect_canonical("{'a': 0.0}", "{'a': -0.0}", true);
	expect_canonical("{'seed': '7'}", "{'seed': 7}", true);
	expect_canonical("{'seed': '007'}", "{'seed': 7.0}", true);
	expect_canonical("{'name': 'x', 'a': 1}", "{'a': 1}", true);
	expect_canonical("{'limits': {'wall_s': 3}}", "{}", true);
	expect_canonical("{'limits': {'wall_s': 3, 'max_spikes': 1}}",
			 "{'limits': {'max_spikes': 1}}", true);
	expect_canonical("{'populations': {'name': 1}}", "{'populations': {}}", false);
	expect_canonical("{'a': 0.1}", "{'a': 0.10000000000000002}", false);
	expect_canonical("{'a': 9007199254740993}", "{'a': 9007199254740992}", false);
	expect_canonical("{'a': 'x'}", "{'a': 'y'}", false);
	expect_canonical("{'a': [1, 2]}", "{'a': [2, 1]}", false);
}

Test(spec_json, the_canonical_text_is_a_fixed_point)
{
	json_t *json = parse(base_text), *again;
	char *text = spec_json_canonical(json), *twice;
	struct err err;

	cr_assert_eq(spec_json_load(&again, text, strlen(text), &err), 0);
	twice = spec_json_canonical(again);
	cr_assert_str_eq(text, twice);
	mem_free(text);
	mem_free(twice);
	json_decref(json);
	json_decref(again);
}

Test(spec_json, a_normalized_spec_says_its_defaults_and_keeps_the_rest)
{
	json_t *json = parse("{'duration_ms': 10, 'populations': {}}");
	json_t *normal = spec_json_normalized(json);

	cr_assert_str_eq(json_string_value(json_object_get(normal, "seed")), "0");
	cr_assert_eq(json_number_value(json_object_get(normal, "resolution_ms")), 0.1);
	cr_assert(json_is_array(json_object_get(normal, "schedule")));
	cr_assert_eq(json_number_value(json_object_get(normal, "duration_ms")), 10.0);
	cr_assert_null(json_object_get(json, "seed"), "the spec given stays as it is");
	json_decref(normal);
	json_decref(json);
}

Test(spec_json, malformed_text_is_told_with_line_and_column)
{
	static const char text[] = "{\"a\": 1,\n \"b\": }";
	static const char twice[] = "{\"a\": 1, \"a\": 2}";
	struct err err = { 0 };
	json_t *json = NULL;

	cr_assert_eq(spec_json_load(&json, text, sizeof(text) - 1, &err), -ERR_SYNTAX);
	cr_assert_eq(err.line, 2);
	cr_assert_gt(err.column, 0);
	cr_assert_eq(spec_json_load(&json, twice, sizeof(twice) - 1, &err), -ERR_SYNTAX,
		     "a key may stand once");
	cr_assert_eq(spec_json_load(&json, "", 0, &err), -ERR_SYNTAX);
	cr_assert_null(json);
}

Test(spec_json, deep_nesting_is_refused_not_followed)
{
	enum { DEPTH = 100000 };
	char *text = mem_alloc(DEPTH + 1, 1);
	struct err err = { 0 };
	json_t *json = NULL;

	cr_assert_not_null(text);
	memset(text, '[', DEPTH);
	cr_assert_eq(spec_json_load(&json, text, DEPTH, &err), -ERR_SYNTAX);
	mem_free(text);
}

/* Places of the spec that is patched. */
static const char *const every_place[] = {
	"/name",
	"/resolution_ms",
	"/duration_ms",
	"/seed",
	"/populations",
	"/projections",
	"/record",
	"/schedule",
	"/limits",
	IN,
	IN "/model",
	IN "/size",
	IN "/params",
	IN "/params/rate",
	CELL "/init",
	CELL "/init/V_m",
	SPIKES "/params/spike_times",
	P,
	P "/source",
	P "/target",
	P "/connect",
	P "/connect/rule",
	P "/connect/autapses",
	L "/connect/sources",
	L "/connect/targets",
	P "/synapse",
	P "/synapse/model",
	P "/synapse/weight",
	P "/synapse/delay_ms",
	P "/synapse/axonal_delay_ms",
	P "/synapse/params",
	P "/synapse/params/A_plus",
	"/record/spikes",
	"/record/states",
	"/record/states/0",
	"/record/states/0/population",
	"/record/states/0/variables",
	"/record/states/0/neurons",
	"/record/states/0/every_ms",
	"/record/weights",
	"/record/weights/0",
	"/record/weights/1/synapses",
	"/record/weights/1/every",
	"/record/weights/2/bins",
	"/record/rates",
	"/record/rates/0",
	"/record/final_weights",
	"/schedule/0",
	"/schedule/0/at_ms",
	"/schedule/0/set",
	"/schedule/0/set/population",
	"/schedule/0/set/params",
	"/schedule/0/set/params/rate",
	"/schedule/1/plasticity",
	"/schedule/1/plasticity/on",
	"/limits/max_spikes",
	"/limits/max_rate_hz",
	"/limits/wall_s",
};

Test(spec_json, any_type_in_any_place_is_an_error_or_fine_but_never_a_crash)
{
	static const char *const values[] = { "null", "true", "-1",   "1e308",	   "'x'",   "[]",
					      "{}",   "[[]]", "[{}]", "{'a': []}", "[null]" };
	for (size_t i = 0; i < COUNTOF(every_place); i++)
		for (size_t k = 0; k < COUNTOF(values); k++) {
			struct change changes[PATCHES] = { { every_place[i], values[k] } };
			struct outcome o;

			read_patched(&o, changes, "", NULL, NULL);
			cr_expect_eq(o.rc == 0, o.spec != NULL);
			cr_expect_eq(o.rc == 0, err_list_count(&o.errors) == 0, "%s = %s",
				     every_place[i], values[k]);
			release(&o);
		}
}

/* Parameters of experiments. */

static const char *const colours[] = { "red", "green", NULL };
static const struct param_def rows[] = {
	{ .name = "n", .doc = "N.", .type = PARAM_INTEGER, .def = 3, .min = 1, .max = 10 },
	{ .name = "x",
	  .doc = "X.",
	  .type = PARAM_NUMBER,
	  .unit = UNIT_MS,
	  .def = 0.5,
	  .min = 0,
	  .max = 1 },
	{ .name = "on", .doc = "On.", .type = PARAM_BOOL, .def = 1 },
	{ .name = "colour", .doc = "Colour.", .type = PARAM_ENUM, .def = 1, .choices = colours },
	{ .name = "list",
	  .doc = "List.",
	  .type = PARAM_LIST,
	  .min = -10,
	  .max = 10,
	  .flags = PARAM_REQUIRED },
	{ .name = "free", .doc = "Free.", .type = PARAM_OBJECT },
	{ .name = "text", .doc = "Text.", .type = PARAM_STRING },
};

Test(spec_json, params_of_an_experiment_get_their_defaults_and_ranges_their_values)
{
	json_t *json = parse("{'list': {'from': -0.3, 'to': 0.3, 'step': 0.1}, 'x': 0.25}");
	struct err_list errors = { 0 };
	json_t *out = spec_json_params(json, rows, COUNTOF(rows), "/params", &errors);

	cr_assert_not_null(out, "%s", errors.first.text);
	cr_assert_eq(json_integer_value(json_object_get(out, "n")), 3);
	cr_assert_eq(json_real_value(json_object_get(out, "x")), 0.25);
	cr_assert_str_eq(json_string_value(json_object_get(out, "colour")), "green");
	cr_assert(json_is_true(json_object_get(out, "on")));
	cr_assert_eq(json_array_size(json_object_get(out, "list")), 7);
	json_decref(out);
	json_decref(json);
}

Test(spec_json, each_error_of_an_experiments_params_is_told)
{
	json_t *json = parse("{'n': 2.5, 'x': 2, 'on': 1, 'colour': 'blue', 'list': [1, 'a', "
			     "20], 'free': [], 'text': 1, 'm': 1}");
	static const char *const places[] = { "/params/m",	"/params/n",	  "/params/x",
					      "/params/on",	"/params/colour", "/params/list/1",
					      "/params/list/2", "/params/free",	  "/params/text" };
	struct err_list errors = { 0 };

	cr_assert_null(spec_json_params(json, rows, COUNTOF(rows), "/params", &errors));
	cr_assert_eq(errors.n, COUNTOF(places));
	for (size_t i = 0; i < errors.n; i++)
		cr_expect_str_eq(errors.items[i].path, places[i]);
	err_list_release(&errors);
	memset(&errors, 0, sizeof(errors));
	cr_assert_null(spec_json_params(NULL, rows, COUNTOF(rows), "/params", &errors));
	cr_assert_str_eq(errors.first.path, "/params/list");
	cr_assert_eq(errors.first.code, ERR_MISSING);
	err_list_release(&errors);
	json_decref(json);
}

/* Memory that fails at each place in turn. */

Test(spec_json, out_of_memory_is_an_error_at_each_place)
{
	static char text[TEXT_MAX];

	json_set_alloc_funcs(mem_raw_alloc, mem_raw_free);
	for (size_t i = 0; i < sizeof(base_text); i++)
		text[i] = base_text[i] == '\'' ? '"' : base_text[i];
	for (struct check_torture t = check_torture(); check_torture_next(&t);) {
		struct err_list errors = { 0 };
		const struct spec *spec = NULL;
		struct mem_arena arena;
		json_t *json = NULL;
		int rc;

		mem_arena_init(&arena, 0);
		rc = spec_json_load(&json, text, sizeof(base_text) - 1, NULL);
		if (rc == 0)
			rc = spec_json_read(&spec, json, "", NULL, NULL, &arena, &errors);
		cr_expect(rc == 0 || rc == -ERR_NOMEM, "%d at %zu: %s %s", rc, t.k,
			  errors.first.path, errors.first.text);
		json_decref(json);
		err_list_release(&errors);
		mem_arena_release(&arena);
		t.done = rc == 0;
	}
}

Test(spec_json, texts_and_params_survive_the_lack_of_memory)
{
	json_t *json, *list;

	json_set_alloc_funcs(mem_raw_alloc, mem_raw_free);
	json = parse(base_text);
	list = parse("{'list': {'from': 0, 'to': 1, 'step': 0.5}}");
	for (struct check_torture t = check_torture(); check_torture_next(&t);) {
		struct err_list errors = { 0 };
		char *text = spec_json_canonical(json);
		json_t *normal = spec_json_normalized(json);
		json_t *ids = spec_json_datasets(json);
		json_t *params = spec_json_params(list, rows, COUNTOF(rows), "", &errors);

		t.done = text && normal && ids && params;
		cr_expect(params || err_list_count(&errors) > 0);
		mem_free(text);
		json_decref(normal);
		json_decref(ids);
		json_decref(params);
		err_list_release(&errors);
	}
	json_decref(json);
	json_decref(list);
}
