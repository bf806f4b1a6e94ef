/* test_golden.c - specs and the digests they always had: a change of bits is a decision.
 *
 * GOLDEN_PRINT=1 prints the digests of now. compilers.sh compares compilers and processors. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/model/neuron.h"
#include "core/model/wiring.h"
#include "tests/engine_case.h"

static const char *const names[] = {
	"competition", "balanced", "pairings", "window",  "dopamine",
	"clopath",     "hebb",	   "calcium",  "neurons", "conductance"
};

static json_t *load(const char *name)
{
	char path[128];
	json_error_t error;
	json_t *j;

	(void)snprintf(path, sizeof(path), "tests/golden/%s.json", name);
	j = json_load_file(path, 0, &error);
	cr_assert_not_null(j, "%s: %s", path, error.text);
	return j;
}

static struct engine_case run(const json_t *golden, unsigned threads)
{
	char *text = json_dumps(json_object_get(golden, "spec"), JSON_REAL_PRECISION(17));
	struct engine_case c = engine_case_text(text, threads);

	cr_assert_eq(c.rc, 0, "%s: %s", c.err.path, c.err.text);
	free(text);
	return c;
}

Test(golden, digests_are_what_they_were)
{
	for (size_t i = 0; i < COUNTOF(names); i++) {
		json_t *golden = load(names[i]);
		struct engine_case c = run(golden, 1);

		if (getenv("GOLDEN_PRINT"))
			printf("%s %s\n", names[i], engine_case_digest(&c));
		cr_expect_str_eq(engine_case_digest(&c), engine_case_string(golden, "digest"), "%s",
				 names[i]);
		engine_case_release(&c);
		json_decref(golden);
	}
}

/* A golden run in which nothing happens proves nothing. */
Test(golden, cells_fire_and_weights_move)
{
	for (size_t i = 0; i < COUNTOF(names); i++) {
		json_t *golden = load(names[i]);
		struct engine_case c = run(golden, 1);
		const json_t *counts = json_object_get(c.result, "counts");

		cr_assert_gt(json_integer_value(json_object_get(counts, "spikes")), 1000);
		cr_assert_gt(json_integer_value(json_object_get(counts, "plastic_updates")), 1000);
		if (i == 0)
			cr_assert_gt(engine_case_metric(&c, "rate_hz.cell"), 1);
		if (i == 1)
			cr_assert_gt(engine_case_metric(&c, "rate_hz.e"), 1);
		engine_case_release(&c);
		json_decref(golden);
	}
}

/* Every cell of `neurons` fires, with coefficients for all and with a column of them; all models and
 * wiring rules there are stand in it. */
Test(golden, every_neuron_model_and_wiring_rule_is_there_and_does_something)
{
	json_t *golden = load("neurons"), *spec = json_object_get(golden, "spec"), *one;
	struct engine_case c = run(golden, 1);
	const char *name;

	for (size_t i = 0; neuron_models[i]; i++) {
		size_t n = 0;

		json_object_foreach(json_object_get(spec, "populations"), name, one)
		{
			char metric[128];

			if (strcmp(engine_case_string(one, "model"), neuron_models[i]->name) != 0)
				continue;
			n++;
			(void)snprintf(metric, sizeof(metric), "rate_hz.%s", name);
			if (neuron_models[i]->kind == NEURON_CELL)
				cr_expect_gt(engine_case_metric(&c, metric), 1, "%s", name);
		}
		cr_expect_geq(n, neuron_models[i]->kind == NEURON_CELL ? 2 : 1, "%s",
			      neuron_models[i]->name);
	}
	for (size_t i = 0; wiring_rules[i]; i++) {
		bool found = false;

		json_object_foreach(json_object_get(spec, "projections"), name, one) found |=
			!strcmp(engine_case_string(json_object_get(one, "connect"), "rule"),
				wiring_rules[i]->name);
		cr_expect(found, "%s", wiring_rules[i]->name);
	}
	engine_case_release(&c);
	json_decref(golden);
}

Test(golden, threads_change_no_bits)
{
	static const unsigned threads[] = { 2, 3, 4 };

	for (size_t i = 0; i < COUNTOF(names); i++) {
		json_t *golden = load(names[i]);

		for (size_t k = 0; k < COUNTOF(threads); k++) {
			struct engine_case c = run(golden, threads[k]);

			cr_assert_str_eq(engine_case_digest(&c),
					 engine_case_string(golden, "digest"), "%s, %u threads",
					 names[i], threads[k]);
			engine_case_release(&c);
		}
		json_decref(golden);
	}
}
