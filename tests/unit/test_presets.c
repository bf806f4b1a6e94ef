/* test_presets.c - every preset is complete and its spec is valid. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/model/experiment.h"
#include "core/spec_json.h"
#include "tests/check.h"

enum { PIXELS = 784 };

static int load(void *self, const char *id, const char *field, int64_t row, struct mem_arena *arena,
		const double **ret_values, size_t *ret_n, struct err *err)
{
	double *values = NEW(arena, double, PIXELS);

	(void)self;
	if (!values)
		return err_nomem(err);
	if (strcmp(id, "mnist") != 0 || strcmp(field, "images") != 0 || row < 0)
		return err_set(err, ERR_NOTFOUND, "",
			       "expected a row of mnist's images, found %s of %s", field, id);
	*ret_values = values;
	*ret_n = PIXELS;
	return 0;
}

static void check_spec(const char *file, json_t *json)
{
	const struct spec_datasets datasets = { .load = load };
	const struct spec_limits_json limits = { .max_neurons = 1e4,
						 .max_synapses = 1e6,
						 .max_bytes = 1e9,
						 .max_steps = 1e7,
						 .max_result_bytes = 1e8,
						 .max_wall_s = 3600 };
	const struct experiment *e =
		experiment_find(json_string_value(json_object_get(json, "experiment"))
					? json_string_value(json_object_get(json, "experiment"))
					: "");
	struct err_list errors = { 0 };
	const struct spec *spec;
	struct mem_arena arena;

	mem_arena_init(&arena, 0);
	if (e) {
		json_t *params = spec_json_params(json_object_get(json, "params"), e->params,
						  e->n_params, "", &errors);

		cr_expect_not_null(params, "%s: %s %s", file, errors.first.path, errors.first.text);
		json_decref(params);
	} else {
		cr_expect_eq(spec_json_read(&spec, json, "", &datasets, &limits, &arena, &errors),
			     0, "%s: %s %s", file, errors.first.path, errors.first.text);
	}
	err_list_release(&errors);
	mem_arena_release(&arena);
}

static void check_preset(const char *file)
{
	static const char *const texts[] = { "name", "title", "text", "look_at" };
	char path[512];
	struct err err = { 0 };
	json_t *json;
	char *text;
	size_t n;

	(void)snprintf(path, sizeof(path), "schema/presets/%s", file);
	text = check_read_file(path, &n);
	cr_assert_not_null(text, "%s", path);
	cr_assert_eq(spec_json_load(&json, text, n, &err), 0, "%s: %s", path, err.text);
	for (size_t i = 0; i < COUNTOF(texts); i++)
		cr_expect_gt(json_string_length(json_object_get(json, texts[i])), 0, "%s: %s", file,
			     texts[i]);
	n = json_string_length(json_object_get(json, "name"));
	cr_expect(!strncmp(file, json_string_value(json_object_get(json, "name")), n) &&
			  !strcmp(file + n, ".json"),
		  "%s bears its name", file);
	check_spec(file, json_object_get(json, "spec"));
	json_decref(json);
	mem_free(text);
}

Test(presets, every_preset_is_complete_and_valid)
{
	DIR *dir = opendir("schema/presets");
	const struct dirent *entry;
	size_t n = 0;

	cr_assert_not_null(dir, "run the tests from the root of the tree");
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		check_preset(entry->d_name);
		n++;
	}
	(void)closedir(dir);
	cr_assert_geq(n, 5);
}
