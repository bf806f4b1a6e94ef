/* test_catalog.c - the tables as JSON, as a schema and as a manual. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/catalog.h"
#include "core/model/alias.h"
#include "core/model/experiment.h"
#include "core/model/neuron.h"
#include "core/model/plasticity.h"
#include "core/model/wiring.h"
#include "tests/check.h"

static const char *const kinds[] = { "neurons", "plasticity", "wiring", "experiments" };

Test(catalog, every_row_has_name_doc_and_params_of_the_promised_shape)
{
	static const char *const keys[] = {
		"name", "unit", "type", "default", "min", "max", "doc"
	};
	json_t *models = catalog_models(), *row, *param;
	size_t i, k;

	for (size_t kind = 0; kind < COUNTOF(kinds); kind++) {
		json_t *list = json_object_get(models, kinds[kind]);

		cr_assert_gt(json_array_size(list), 0, "%s", kinds[kind]);
		json_array_foreach(list, i, row)
		{
			cr_expect(json_is_string(json_object_get(row, "name")));
			cr_expect_gt(json_string_length(json_object_get(row, "doc")), 0);
			cr_expect(json_is_string(json_object_get(row, "cite")));
			cr_assert(json_is_array(json_object_get(row, "params")));
			json_array_foreach(json_object_get(row, "params"), k, param)
			{
				for (size_t n = 0; n < COUNTOF(keys); n++)
					cr_expect_not_null(json_object_get(param, keys[n]), "%s",
							   keys[n]);
				if (!strcmp(json_string_value(json_object_get(param, "type")),
					    "enum"))
					cr_expect_gt(
						json_array_size(json_object_get(param, "choices")),
						1);
			}
		}
	}
	json_decref(models);
}

Test(catalog, all_tables_are_in_it_aliases_too)
{
	json_t *models = catalog_models();
	size_t neurons = 0, rules = 0, aliases = 0;

	while (neuron_models[neurons])
		neurons++;
	while (plasticity_models[rules])
		rules++;
	while (alias_list[aliases])
		aliases++;
	cr_assert_eq(json_array_size(json_object_get(models, "neurons")), neurons);
	cr_assert_eq(json_array_size(json_object_get(models, "plasticity")), rules + aliases);
	json_decref(models);
}

Test(catalog, one_row_is_found_by_kind_and_name)
{
	json_t *row = catalog_model("neurons", "iaf_psc_exp");

	cr_assert_str_eq(json_string_value(json_object_get(row, "name")), "iaf_psc_exp");
	json_decref(row);
	row = catalog_model("plasticity", "stdp_synapse");
	cr_assert_str_eq(json_string_value(json_object_get(row, "alias_of")), "stdp_pair");
	json_decref(row);
	cr_assert_null(catalog_model("neurons", "stdp_pair"));
	cr_assert_null(catalog_model("neuron", "iaf_psc_exp"));
}

static size_t one_of(json_t *schema, const char *name)
{
	return json_array_size(
		json_object_get(json_object_get(json_object_get(schema, "$defs"), name), "oneOf"));
}

/* Every "$ref" leads to one of the definitions. */
static void check_refs(json_t *json, json_t *defs)
{
	static const char prefix[] = "#/$defs/";
	const char *key;
	json_t *value;
	size_t i;

	json_array_foreach(json, i, value) check_refs(value, defs);
	if (!json_is_object(json))
		return;
	json_object_foreach(json, key, value)
	{
		const char *text = json_string_value(value);

		if (!strcmp(key, "$ref")) {
			cr_assert_eq(strncmp(text, prefix, sizeof(prefix) - 1), 0);
			cr_expect_not_null(json_object_get(defs, text + sizeof(prefix) - 1), "%s",
					   text);
		}
		check_refs(value, defs);
	}
}

Test(catalog, the_schema_knows_every_model_and_its_references_lead_somewhere)
{
	json_t *schema = catalog_schema_spec(), *models = catalog_models();

	cr_assert_not_null(schema);
	cr_assert_eq(one_of(schema, "population"),
		     json_array_size(json_object_get(models, "neurons")));
	cr_assert_eq(one_of(schema, "synapse"),
		     json_array_size(json_object_get(models, "plasticity")));
	cr_assert_eq(one_of(schema, "connect"), json_array_size(json_object_get(models, "wiring")));
	cr_assert_eq(one_of(schema, "experiment"),
		     json_array_size(json_object_get(models, "experiments")));
	check_refs(schema, json_object_get(schema, "$defs"));
	json_decref(schema);
	json_decref(models);
}

Test(catalog, the_manual_names_every_model_and_parameter)
{
	char *text = catalog_markdown();

	cr_assert_not_null(text);
	for (size_t i = 0; neuron_models[i]; i++)
		for (size_t k = 0; k < neuron_models[i]->n_params; k++)
			cr_expect_not_null(strstr(text, neuron_models[i]->params[k].name));
	for (size_t i = 0; alias_list[i]; i++)
		cr_expect_not_null(strstr(text, alias_list[i]->name));
	cr_expect_null(strstr(text, "must lie"), "a table says a range without a verb");
	mem_free(text);
}

Test(catalog, out_of_memory_is_null_and_leaves_nothing)
{
	json_set_alloc_funcs(mem_raw_alloc, mem_raw_free);
	for (struct check_torture t = check_torture(); check_torture_next(&t);) {
		json_t *row = catalog_model("plasticity", "stdp_synapse");
		char *text = catalog_markdown();

		t.done = row && text;
		mem_free(text);
		json_decref(row);
	}
}

/* Thousands of allocations: every 97th in turn, the rest follows the same paths. */
Test(catalog, the_schema_and_the_tables_survive_the_lack_of_memory)
{
	bool done = false;
	size_t live;

	json_set_alloc_funcs(mem_raw_alloc, mem_raw_free);
	live = mem_live();
	for (size_t k = 1; !done; k += 97) {
		json_t *schema, *models;

		mem_fail_at(k, true);
		schema = catalog_schema_spec();
		models = catalog_models();
		mem_fail_at(0, false);
		done = schema && models;
		json_decref(schema);
		json_decref(models);
		cr_assert_eq(mem_live(), live, "left over at %zu", k);
	}
}
