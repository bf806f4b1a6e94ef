/* test_stdp_dopamine.c - dopamine-modulated STDP against trajectories made with NEST, by itself and
 * through the whole engine. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/model/alias.h"
#include "tests/engine_case.h"
#include "tests/unit/one_synapse.h"

#define TOLERANCE 1e-10 /* relative */

static struct one o, swept;

static json_t *load(void)
{
	json_t *j = check_shared_json("reference/stdp_dopamine.json");

	if (!j)
		cr_skip_test("no reference data");
	cr_assert_eq(json_array_size(json_object_get(j, "cases")), 4);
	return j;
}

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static int64_t steps(double ms)
{
	return (int64_t)floor(ms * 10 + 0.5);
}

/* There, in slices of 1 ms, postsynaptic spikes are handled before earlier presynaptic ones. */
static bool is_artefact(const json_t *c)
{
	return strstr(engine_case_string(c, "name"), "deliver_every_1ms") != NULL;
}

static json_t *params_of(const json_t *c)
{
	json_t *p = json_deep_copy(json_object_get(c, "params"));

	cr_assert_eq(json_object_update(p, json_object_get(c, "post_neuron_params")), 0);
	return p;
}

static void our_params(const json_t *c, double *p)
{
	const struct alias *a = alias_find(engine_case_string(c, "model"));
	double from[PLASTICITY_PARAMS_MAX];
	json_t *given = params_of(c), *value;
	const char *key;

	cr_assert_not_null(a);
	for (size_t i = 0; i < a->n_params; i++)
		from[i] = a->params[i].def;
	json_object_foreach(given, key, value)
	{
		int i = param_find(a->params, a->n_params, key);

		cr_assert_geq(i, 0, "%s has no parameter %s", a->name, key);
		from[i] = json_number_value(value);
	}
	json_decref(given);
	a->convert(from, p);
	cr_assert_eq(a->model, &plasticity_stdp_dopamine);
	cr_assert_eq(a->model->check(p, NULL), 0);
}

static void prepare(struct one *x, const json_t *j, const json_t *c)
{
	double p[PLASTICITY_PARAMS_MAX];
	const json_t *post = json_object_get(j, "post_times_ms");
	const json_t *dopa = json_object_get(j, "dopa_times_ms");

	our_params(c, p);
	one_init(x, &plasticity_stdp_dopamine, p, 0.1, (uint16_t)steps(number(c, "delay_ms")),
		 number(c, "w0"));
	for (size_t i = 0; i < json_array_size(post); i++)
		one_post(x, steps(json_number_value(json_array_get(post, i))));
	for (size_t i = 0; i < json_array_size(dopa); i++)
		one_signal(x,
			   steps(json_number_value(json_array_get(dopa, i)) +
				 number(j, "dopa_delay_ms")),
			   1);
}

static void follow(const json_t *j, const json_t *c)
{
	const char *name = engine_case_string(c, "name");
	size_t n, n_want;
	double *pre = check_doubles(j, "pre_times_ms", &n);
	double *want = check_doubles(c, "weights_at_pre_spikes", &n_want);

	cr_assert_eq(n, n_want);
	prepare(&o, j, c);
	prepare(&swept, j, c);
	swept.trim = true;
	for (size_t i = 0; i < n; i++) {
		int64_t t = steps(pre[i]);

		if (t - swept.row.t_last > 2)
			one_update(&swept, (t + swept.row.t_last) / 2, 0);
		one_update(&o, t, 1);
		one_update(&swept, t, 1);
		cr_assert(check_close(o.w, want[i], TOLERANCE, 0),
			  "%s, spike %zu: %.17g, not %.17g", name, i, o.w, want[i]);
		cr_assert(check_close(swept.w, o.w, 1e-12, 0), "%s: a sweep changed %.17g to %.17g",
			  name, o.w, swept.w);
	}
	mem_free(pre);
	mem_free(want);
}

Test(stdp_dopamine, trajectories_equal_nest)
{
	json_t *j = load(), *c;
	size_t i;

	json_array_foreach(json_object_get(j, "cases"), i, c) if (!is_artefact(c)) follow(j, c);
	json_decref(j);
}

static json_t *generator(const json_t *j, const char *key)
{
	return json_pack("{s:s, s:i, s:{s:[O]}}", "model", "spike_generator", "size", 1, "params",
			 "spike_times", json_object_get(j, key));
}

static json_t *synapse(const json_t *j, const json_t *c)
{
	return json_pack("{s:O, s:O, s:O, s:o, s:{s:s, s:O}}", "model", json_object_get(c, "model"),
			 "weight", json_object_get(c, "w0"), "delay_ms",
			 json_object_get(c, "delay_ms"), "params", params_of(c), "modulator",
			 "population", "dopa", "delay_ms", json_object_get(j, "dopa_delay_ms"));
}

static void through_the_engine(const json_t *j, const json_t *c)
{
	struct engine_case run = engine_case_json(json_pack(
		"{s:f, s:f, s:{s:o, s:o, s:o}, s:{s:{s:s, s:s, s:{s:s}, s:o}},"
		" s:{s:[{s:s, s:s}]}}",
		"resolution_ms", 0.1, "duration_ms", 25100.0, "populations", "pre",
		generator(j, "pre_times_ms"), "post", generator(j, "post_times_ms"), "dopa",
		generator(j, "dopa_times_ms"), "projections", "syn", "source", "pre", "target",
		"post", "connect", "rule", "one_to_one", "synapse", synapse(j, c), "record",
		"weights", "projection", "syn", "every", "update"));
	size_t n, n_want;
	double *got = engine_case_column(
		&run, engine_case_recording(&run, "weight_updates", "syn", 0), "weight", &n);
	double *want = check_doubles(c, "weights_at_pre_spikes", &n_want);

	cr_assert_eq(n, n_want);
	for (size_t i = 0; i < n; i++)
		cr_assert(check_close(got[i], want[i], TOLERANCE, 0),
			  "%s, spike %zu: %.17g, not %.17g", engine_case_string(c, "name"), i,
			  got[i], want[i]);
	mem_free(got);
	mem_free(want);
	engine_case_release(&run);
}

Test(stdp_dopamine, trajectories_of_the_engine_equal_nest)
{
	json_t *j = load(), *c;
	size_t i;

	json_array_foreach(json_object_get(j, "cases"), i, c) if (!is_artefact(c))
		through_the_engine(j, c);
	json_decref(j);
}
