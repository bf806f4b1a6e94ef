/* test_spec.c - random mutations of specs: no input crashes, errors and results exclude each
 * other. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/spec_json.h"
#include "tests/check.h"

enum { ROUNDS = 4000, DEPTH = 12, PRESETS_MAX = 16, MUTATIONS_MAX = 4 };

static json_t *seeds[PRESETS_MAX];
static size_t n_seeds;

/* The specs of all presets: what mutations start from. */
static void find_seeds(void)
{
	DIR *dir = opendir("schema/presets");
	const struct dirent *entry;

	cr_assert_not_null(dir, "run the tests from the root of the tree");
	while ((entry = readdir(dir)) && n_seeds < PRESETS_MAX) {
		char path[512];
		json_t *json, *spec;

		(void)snprintf(path, sizeof(path), "schema/presets/%s", entry->d_name);
		json = entry->d_name[0] == '.' ? NULL : json_load_file(path, 0, NULL);
		spec = json_object_get(json, "spec");
		if (spec && !json_object_get(spec, "experiment"))
			seeds[n_seeds++] = json_incref(spec);
		json_decref(json);
	}
	(void)closedir(dir);
	cr_assert_gt(n_seeds, 0);
}

static json_t *random_value(struct check_random *r)
{
	static const double numbers[] = { 0,	 -1,	       1,    0.1,  0.05, 1e-300,
					  1e300, 4294967296.0, 1e15, -0.0, 3 };

	switch (check_below(r, 9)) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(check_below(r, 2));
	case 2:
		return json_string("");
	case 3:
		return json_string("in~/\xc3\xa4");
	case 4:
		return json_array();
	case 5:
		return json_object();
	case 6:
		return json_pack("[[f], {s:s}]", 1.5, "dataset", "x");
	case 7:
		return json_pack("{s:[f, f]}", "uniform", check_uniform(r, -2, 2),
				 check_uniform(r, -2, 2));
	default:
		return json_real(numbers[check_below(r, COUNTOF(numbers))]);
	}
}

static const char *random_key(struct check_random *r, json_t *object)
{
	uint64_t i = check_below(r, json_object_size(object));
	void *iter = json_object_iter(object);

	while (i-- > 0)
		iter = json_object_iter_next(object, iter);
	return json_object_iter_key(iter);
}

/* Replace, remove, rename or duplicate something somewhere below json. */
static void mutate(struct check_random *r, json_t *json)
{
	for (int depth = 0; depth < DEPTH; depth++) {
		json_t *child;
		size_t i = 0;
		const char *key = NULL;
		bool stop = check_below(r, 4) == 0;

		if (json_is_object(json) && json_object_size(json) > 0) {
			key = random_key(r, json);
			child = json_object_get(json, key);
		} else if (json_is_array(json) && json_array_size(json) > 0) {
			i = check_below(r, json_array_size(json));
			child = json_array_get(json, i);
		} else {
			return;
		}
		if (!stop && (json_is_object(child) || json_is_array(child))) {
			json = child;
			continue;
		}
		if (!key)
			(void)(check_below(r, 3) ? json_array_set_new(json, i, random_value(r))
						 : json_array_remove(json, i));
		else if (check_below(r, 4) == 0)
			(void)json_object_set(json, "x_m", child);
		else if (check_below(r, 3) == 0)
			(void)json_object_del(json, key);
		else
			(void)json_object_set_new(json, key, random_value(r));
		return;
	}
}

static void check_errors(const struct err_list *errors)
{
	for (size_t i = 0; i < errors->n; i++) {
		const struct err *e = &errors->items[i];

		cr_expect_gt(e->code, 0);
		cr_expect_lt(e->code, ERR_N);
		cr_expect(e->text[0] != '\0', "an error at %s without a word", e->path);
		cr_expect(e->path[0] == '\0' || e->path[0] == '/', "%s", e->path);
	}
}

static void read_one(json_t *json, size_t *n_valid)
{
	const struct spec_limits_json limits = { .max_neurons = 1e5,
						 .max_synapses = 1e7,
						 .max_bytes = 1e9,
						 .max_steps = 1e9,
						 .max_result_bytes = 1e9 };
	struct err_list errors = { 0 };
	const struct spec *spec = NULL;
	struct mem_arena arena;
	char *text;
	int rc;

	mem_arena_init(&arena, (size_t)256 << 20);
	rc = spec_json_read(&spec, json, "/spec", NULL, &limits, &arena, &errors);
	cr_expect_eq(rc == 0, spec != NULL);
	cr_expect(rc == 0 || rc == -ERR_INVALID || rc == -ERR_LIMIT || rc == -ERR_NOMEM, "%d", rc);
	cr_expect_eq(rc == 0 || rc == -ERR_NOMEM, err_list_count(&errors) == 0);
	check_errors(&errors);
	*n_valid += rc == 0;
	err_list_release(&errors);
	mem_arena_release(&arena);
	text = spec_json_canonical(json);
	cr_expect_not_null(text);
	mem_free(text);
}

Test(spec, no_mutation_of_a_spec_crashes_the_reader)
{
	struct check_random r = check_random("spec mutations");
	size_t n_valid = 0;

	find_seeds();
	for (size_t i = 0; i < ROUNDS; i++) {
		json_t *json = json_deep_copy(seeds[check_below(&r, n_seeds)]);

		for (uint64_t k = 1 + check_below(&r, MUTATIONS_MAX); k > 0; k--)
			mutate(&r, json);
		read_one(json, &n_valid);
		json_decref(json);
	}
	cr_expect(n_valid > 0 && n_valid < ROUNDS,
		  "%zu of %d are valid: mutations neither all bite nor never", n_valid, ROUNDS);
	while (n_seeds > 0)
		json_decref(seeds[--n_seeds]);
}

Test(spec, no_torn_text_crashes_the_parser)
{
	static const char text[] = "{\"duration_ms\":1,\"populations\":{\"a\":{\"model\":"
				   "\"parrot_neuron\",\"size\":2}}}";
	struct check_random r = check_random("spec bytes");

	for (size_t i = 0; i < ROUNDS; i++) {
		char copy[sizeof(text)];
		size_t n = check_below(&r, sizeof(text)), valid = 0;
		json_t *json = NULL;
		struct err err = { 0 };

		memcpy(copy, text, sizeof(text));
		for (uint64_t k = check_below(&r, MUTATIONS_MAX); k > 0; k--)
			copy[check_below(&r, sizeof(text) - 1)] = (char)check_below(&r, 256);
		if (check_below(&r, 2))
			n = sizeof(text) - 1;
		if (spec_json_load(&json, copy, n, &err) == 0)
			read_one(json, &valid);
		else
			cr_expect_eq(err.code, ERR_SYNTAX, "%s", err.text);
		json_decref(json);
	}
}
