/* test_spec_json.c - reading specs, their texts, parameters of experiments. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/spec_json.h"
#include "tests/check.h"
#include "tests/unit/spec_case.h"

Test(spec_json, a_valid_spec_is_resolved)
{
	struct outcome o;
	const struct spec *s;

	read_patched(&o, NULL, "", NULL, NULL);
	show(&o);
	cr_assert_eq(o.rc, 0);
	s = o.spec;
	cr_assert_eq(s->steps, 1000);
	cr_assert_eq(s->seed, 42);
	cr_assert_eq(s->n_populations, 4);
	cr_assert_str_eq(s->populations[0].name, "cell");
	cr_assert_eq(s->populations[0].id0, 0);
	cr_assert_eq(s->populations[1].size, 1, "a size defaults to 1");
	cr_assert_eq(s->populations[2].id0, 4);
	cr_assert(s->populations[0].record_spikes && s->populations[2].record_spikes &&
		  !s->populations[3].record_spikes);
	cr_assert_eq(s->populations[3].times.offset[1], 2);
	cr_assert_eq(s->populations[3].times.step[1], 25);
	cr_assert_eq(s->populations[3].times.offset[2], 2);
	cr_assert_eq(spec_population(s, "in"), 2);
	cr_assert_eq(spec_population(s, "i"), -1);
	cr_assert_eq(spec_projection(s, "p"), 1);
	cr_assert_eq(s->projections[0].delay_max, 3);
	cr_assert_eq(s->projections[0].delay_min, 1);
	cr_assert_not(s->projections[0].keep_final, "static weights stay as they are");
	cr_assert(s->projections[1].keep_final);
	cr_assert_eq(s->projections[1].delay_min, 10);
	cr_assert_eq(s->weights[0].every, 100);
	cr_assert_eq(s->weights[1].mode, SPEC_WEIGHTS_UPDATES);
	cr_assert_eq(s->weights[1].synapses[1], 11);
	cr_assert_eq(s->weights[2].mode, SPEC_WEIGHTS_HISTOGRAM);
	cr_assert_eq(s->weights[2].max, 1.0, "a histogram spans the bounds of the rule");
	cr_assert_eq(s->states[0].neurons[0], 2);
	cr_assert_eq(s->states[0].every, 5);
	cr_assert_eq(s->rates[0].bin, 50);
	cr_assert_eq(s->limits.max_spikes, 1000);
	release(&o);
}

Test(spec_json, a_list_is_sorted_by_target_and_remembers_its_order)
{
	const struct spec_projection *p;
	struct outcome o;

	read_patched(&o, NULL, "", NULL, NULL);
	cr_assert_eq(o.rc, 0);
	p = &o.spec->projections[0];
	cr_assert_eq(p->wiring.n_list, 3);
	cr_assert(p->wiring.list_target[0] == 0 && p->wiring.list_source[0] == 0 &&
		  p->list_order[0] == 2);
	cr_assert(p->wiring.list_target[1] == 0 && p->wiring.list_source[1] == 1 &&
		  p->list_order[1] == 0);
	cr_assert(p->wiring.list_target[2] == 2 && p->wiring.list_source[2] == 0 &&
		  p->list_order[2] == 1);
	release(&o);
}

Test(spec_json, changes_come_in_order_of_time)
{
	struct outcome o;

	read_patched(&o, NULL, "", NULL, NULL);
	cr_assert_eq(o.rc, 0);
	cr_assert_eq(o.spec->n_changes, 2);
	cr_assert_eq(o.spec->changes[0].at, 200);
	cr_assert_eq(o.spec->changes[0].kind, SPEC_PLASTICITY);
	cr_assert_not(o.spec->changes[0].on);
	cr_assert_eq(o.spec->changes[1].at, 500);
	cr_assert_eq(o.spec->changes[1].value.a, 20.0);
	release(&o);
}

Test(spec_json, an_alias_becomes_our_rule_and_a_change_of_it_moves_ours)
{
	static const struct change changes[PATCHES] = {
		{ P "/synapse", "{'model': 'stdp_synapse', 'weight': 50, 'params': {'lambda': "
				"0.02, 'Wmax': 200}}" },
		{ "/schedule/0/set", "{'projection': 'p', 'params': {'lambda': 0.04}}" },
	};
	const struct plasticity_model *m;
	const struct spec_projection *p;
	struct outcome o;
	int plus, minus;

	read_patched(&o, changes, "", NULL, NULL);
	show(&o);
	cr_assert_eq(o.rc, 0);
	p = &o.spec->projections[1];
	m = p->model;
	cr_assert_str_eq(m->name, "stdp_pair");
	plus = param_find(m->params, m->n_params, "A_plus");
	minus = param_find(m->params, m->n_params, "A_minus");
	cr_assert_float_eq(p->params[plus], 4.0, 1e-12, "the spec keeps what it starts with");
	cr_assert_eq(o.spec->n_changes, 3);
	for (size_t i = 1; i < 3; i++) {
		cr_assert_eq(o.spec->changes[i].kind, SPEC_SET_PROJECTION);
		cr_assert(o.spec->changes[i].param == plus || o.spec->changes[i].param == minus);
		cr_assert_float_eq(fabs(o.spec->changes[i].value.a), 8.0, 1e-12);
	}
	release(&o);
}

Test(spec_json, negative_weights_of_one_sign_are_fine)
{
	static const struct change changes[PATCHES] = { { P "/synapse/weight",
							  "{'uniform': [-0.5, 0]}" } };
	struct outcome o;

	read_patched(&o, changes, "", NULL, NULL);
	show(&o);
	cr_assert_eq(o.rc, 0);
	cr_assert_eq(o.spec->weights[2].min, -1.0);
	cr_assert_eq(o.spec->weights[2].max, 0.0);
	release(&o);
}

Test(spec_json, drawn_delays_are_rounded_and_bounded)
{
	static const struct change changes[PATCHES] = {
		{ P "/synapse/delay_ms", "{'normal': {'mean': 1.234, 'sd': 0.5}}" },
		{ L "/synapse/delay_ms", "{'uniform': [0, 2.04]}" }
	};
	struct outcome o;

	read_patched(&o, changes, "", NULL, NULL);
	show(&o);
	cr_assert_eq(o.rc, 0);
	cr_assert_eq(o.spec->projections[1].delay_min, 1);
	cr_assert_eq(o.spec->projections[1].delay_max, 37);
	cr_assert_eq(o.spec->projections[0].delay_min, 1);
	cr_assert_eq(o.spec->projections[0].delay_max, 20);
	release(&o);
}

Test(spec_json, an_error_off_the_grid_names_both_neighbours)
{
	static const struct change changes[PATCHES] = { { "/duration_ms", "100.05" } };
	struct outcome o;

	read_patched(&o, changes, "", NULL, NULL);
	cr_assert_not_null(strstr(o.errors.first.text, "100 and 100.1"), "%s", o.errors.first.text);
	release(&o);
}

Test(spec_json, decimal_fractions_stand_on_the_grid)
{
	static const char *const durations[] = { "0.3", "1234567.8", "99999999.9", "0.1", "7.7" };

	for (size_t i = 0; i < COUNTOF(durations); i++) {
		struct change changes[PATCHES] = { { "/duration_ms", durations[i] },
						   { "/schedule", "[]" } };
		struct outcome o;

		read_patched(&o, changes, "", NULL, NULL);
		cr_expect_eq(o.rc, 0, "%s", durations[i]);
		release(&o);
	}
}

Test(spec_json, a_misspelt_name_is_answered_by_the_nearest)
{
	static const struct change changes[PATCHES] = { { CELL "/params/tau_mm", "10" } };
	struct outcome o;

	read_patched(&o, changes, "", NULL, NULL);
	cr_assert_not_null(strstr(o.errors.first.text, "did you mean \"tau_m\""), "%s",
			   o.errors.first.text);
	release(&o);
}

Test(spec_json, pointers_bear_the_prefix_and_escapes)
{
	struct outcome o;
	json_t *populations;

	memset(&o, 0, sizeof(o));
	mem_arena_init(&o.arena, 0);
	o.json = parse(base_text);
	populations = json_object_get(o.json, "populations");
	cr_assert_eq(
		json_object_set_new(populations, "a/b~c",
				    json_pack("{s:s, s:i}", "model", "parrot_neuron", "size", -1)),
		0);
	o.rc = spec_json_read(&o.spec, o.json, "/spec", NULL, NULL, &o.arena, &o.errors);
	cr_assert_eq(o.rc, -ERR_INVALID);
	cr_assert_str_eq(o.errors.first.path, "/spec/populations/a~1b~0c/size");
	release(&o);
}

Test(spec_json, long_names_keep_pointers_and_texts_whole)
{
	char name[2000];
	struct outcome o;

	for (size_t i = 0; i + 2 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xa4", 3);
	memset(&o, 0, sizeof(o));
	mem_arena_init(&o.arena, 0);
	o.json = parse(base_text);
	cr_assert_eq(
		json_object_set_new(json_object_get(o.json, "populations"), name, json_integer(1)),
		0);
	cr_assert_eq(json_object_set_new(o.json, name, json_integer(1)), 0);
	o.rc = spec_json_read(&o.spec, o.json, "", NULL, NULL, &o.arena, &o.errors);
	cr_assert_eq(o.rc, -ERR_INVALID);
	for (size_t i = 0; i < o.errors.n; i++) {
		json_t *path = json_string(o.errors.items[i].path),
		       *text = json_string(o.errors.items[i].text);

		cr_expect(path && text, "no character is cut in two");
		json_decref(path);
		json_decref(text);
	}
	release(&o);
}

Test(spec_json, the_first_hundred_of_many_errors_are_kept_and_all_are_counted)
{
	struct outcome o;
	json_t *record;

	memset(&o, 0, sizeof(o));
	mem_arena_init(&o.arena, 0);
	o.json = parse(base_text);
	record = json_object_get(json_object_get(o.json, "record"), "spikes");
	for (int i = 0; i < 500; i++)
		cr_assert_eq(json_array_append_new(record, json_integer(i)), 0);
	o.rc = spec_json_read(&o.spec, o.json, "", NULL, NULL, &o.arena, &o.errors);
	cr_assert_eq(o.rc, -ERR_INVALID);
	cr_assert_eq(o.errors.n, ERR_LIST_MAX);
	cr_assert_eq(err_list_count(&o.errors), 500);
	release(&o);
}

Test(spec_json, costs_over_a_limit_are_told_with_figures)
{
	static const struct spec_limits_json limits[] = {
		{ .max_neurons = 9 }, { .max_synapses = 14 },	  { .max_bytes = 100 },
		{ .max_steps = 999 }, { .max_result_bytes = 10 },
	};
	static const char *const places[] = { "/populations", "/projections", "/projections",
					      "/duration_ms", "/record" };
	struct outcome o;

	for (size_t i = 0; i < COUNTOF(limits); i++) {
		read_patched(&o, NULL, "", NULL, &limits[i]);
		cr_expect_eq(o.rc, -ERR_LIMIT, "limit %zu", i);
		cr_expect_eq(o.errors.n, 1);
		cr_expect_str_eq(o.errors.first.path, places[i]);
		cr_expect_null(o.spec);
		release(&o);
	}
	read_patched(&o, NULL, "", NULL,
		     &(struct spec_limits_json){
			     .max_neurons = 10, .max_synapses = 15, .max_steps = 1000 });
	cr_expect_eq(o.rc, 0, "limits themselves are allowed");
	release(&o);
	read_patched(&o, NULL, "", NULL, &(struct spec_limits_json){ .max_wall_s = 10 });
	cr_expect_eq(o.rc, -ERR_LIMIT);
	cr_expect_str_eq(o.errors.first.path, "/limits/wall_s");
	release(&o);
}

Test(spec_json, a_huge_population_costs_no_memory_before_it_is_refused)
{
	static const struct change changes[PATCHES] = { { SPIKES "/size", "4000000000" },
							{ SPIKES "/params/spike_times",
							  "{'dataset': 'd'}" } };
	struct outcome o;

	read_patched(&o, changes, "", NULL, &(struct spec_limits_json){ .max_neurons = 1e6 });
	cr_assert_neq(o.rc, 0);
	cr_assert_str_eq(o.errors.first.path, SPIKES "/size");
	cr_assert_eq(o.errors.first.code, ERR_LIMIT);
	cr_assert_lt(o.arena.used, 1 << 20);
	release(&o);
}

/* Data sets. */

static int load(void *self, const char *id, const char *field, int64_t row, struct mem_arena *arena,
		const double **ret_values, size_t *ret_n, struct err *err)
{
	static const double images[] = { 1, 2, 3, 4, 5, 6, 7, 8 }, t[] = { 5, 1, 2.5 },
			    neuron[] = { 0, 1, 0 };

	(void)self;
	(void)arena;
	if (strcmp(id, "d") != 0)
		return err_set(err, ERR_NOTFOUND, "", "there is no data set \"%s\"", id);
	if (!strcmp(field, "t_ms") || !strcmp(field, "neuron")) {
		*ret_values = field[0] == 't' ? t : neuron;
		*ret_n = 3;
		return 0;
	}
	if (strcmp(field, "images") != 0)
		return err_set(err, ERR_NOTFOUND, "", "there is no field \"%s\"", field);
	if (row > 1)
		return err_set(err, ERR_RANGE, "", "row must be below 2, found %lld",
			       (long long)row);
	*ret_values = row < 0 ? images : images + 4 * row;
	*ret_n = row < 0 ? 8 : 4;
	return 0;
}

static const struct spec_datasets datasets = { .load = load };

Test(spec_json, a_row_of_a_data_set_is_scaled_into_a_parameter)
{
	static const struct change changes[PATCHES] = {
		{ IN "/params/rate",
		  "{'dataset': 'd', 'field': 'images', 'row': 1, 'scale': 0.5, 'offset': 1}" },
		{ SPIKES "/params/spike_times", "{'dataset': 'd'}" },
	};
	const struct spec_population *p;
	struct outcome o;

	read_patched(&o, changes, "", &datasets, NULL);
	show(&o);
	cr_assert_eq(o.rc, 0);
	p = &o.spec->populations[2];
	cr_assert_eq(p->params[0].kind, SPEC_ARRAY);
	cr_assert_eq(p->params[0].array[3], 5.0);
	p = &o.spec->populations[3];
	cr_assert_eq(p->times.offset[1], 2);
	cr_assert_eq(p->times.step[0], 25);
	cr_assert_eq(p->times.step[1], 50);
	cr_assert_eq(p->times.step[2], 10);
	release(&o);
}

Test(spec_json, errors_of_data_sets_stand_where_they_are_named)
{
	static const struct {
		const char *text;
		enum err_code code;
	} cases[] = {
		{ "{'dataset': 'e', 'field': 'images', 'row': 0}", ERR_NOTFOUND },
		{ "{'dataset': 'd', 'field': 'x', 'row': 0}", ERR_NOTFOUND },
		{ "{'dataset': 'd', 'field': 'images', 'row': 2}", ERR_RANGE },
		{ "{'dataset': 'd', 'field': 'images'}", ERR_RANGE },
		{ "{'dataset': 'd', 'field': 'images', 'row': 0, 'scale': -1}", ERR_RANGE },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct change changes[PATCHES] = { { IN "/params/rate", cases[i].text } };
		struct outcome o;

		read_patched(&o, changes, "", &datasets, NULL);
		cr_expect_eq(o.errors.n, 1, "case %zu", i);
		cr_expect_eq(o.errors.first.code, (int)cases[i].code, "case %zu: %s", i,
			     o.errors.first.text);
		cr_expect_str_eq(o.errors.first.path, IN "/params/rate");
		release(&o);
	}
}

Test(spec_json, data_sets_named_anywhere_are_listed_once)
{
	json_t *json = parse("{'populations': {'dataset': {'params': {'rate': {'dataset': 'x'}, "
			     "'s': [{'dataset': 'y'}, {'dataset': 'x'}]}}},"
			     " 'dataset': 3}");
	json_t *list = spec_json_datasets(json);

	cr_assert_eq(json_array_size(list), 2);
	cr_assert_str_eq(json_string_value(json_array_get(list, 0)), "x");
	cr_assert_str_eq(json_string_value(json_array_get(list, 1)), "y");
	json_decref(list);
	json_decref(json);
}

/* Texts. */
