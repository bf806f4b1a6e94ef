/* test_stdp_rules.c - STDP under NEST's names against trajectories made with NEST. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/model/alias.h"
#include "tests/unit/one_synapse.h"

static struct one o, swept;

static json_t *load(const char *file)
{
	const char *shared = getenv("STDP_SHARED");
	char path[512];
	json_t *j;

	(void)snprintf(path, sizeof(path), "%s/reference/%s", shared ? shared : "../shared", file);
	j = json_load_file(path, 0, NULL);
	if (!j) {
		cr_assert(!getenv("CI"), "%s must be there", path);
		printf("skipped: no %s\n", path);
		cr_skip_test("no reference data");
	}
	return j;
}

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static int64_t steps(double ms)
{
	return (int64_t)floor(ms / 0.1 + 0.5);
}

/* The rule of a case and its parameters, ours. */
static const struct plasticity_model *case_rule(const json_t *c, double *p)
{
	static const char *const groups[] = { "params", "post_neuron_params" };
	const struct alias *a = alias_find(json_string_value(json_object_get(c, "model")));
	double from[PLASTICITY_PARAMS_MAX];

	cr_assert_not_null(a, "no rule is called %s",
			   json_string_value(json_object_get(c, "model")));
	for (size_t i = 0; i < a->n_params; i++)
		from[i] = a->params[i].def;
	for (size_t g = 0; g < COUNTOF(groups); g++) {
		json_t *group = json_object_get(c, groups[g]), *value;
		const char *key;

		json_object_foreach(group, key, value)
		{
			int i = param_find(a->params, a->n_params, key);

			cr_assert_geq(i, 0, "%s has no parameter %s", a->name, key);
			from[i] = json_number_value(value);
		}
	}
	a->convert(from, p);
	cr_assert_eq(a->model->check(p, NULL), 0);
	return a->model;
}

static void add_posts(struct one *x, const json_t *times)
{
	for (size_t i = 0; i < json_array_size(times); i++)
		one_post(x, steps(json_number_value(json_array_get(times, i))));
}

/* Follow one case, once as it is and once with sweeps at arbitrary times in between. */
static void follow(const json_t *file, const json_t *c)
{
	const json_t *pre = json_object_get(file, "pre_times_ms");
	const json_t *want = json_object_get(c, "weights_at_pre_spikes");
	const char *name = json_string_value(json_object_get(c, "name"));
	struct rng_key key = rng_key(3, RNG_EXPERIMENT, name);
	double p[PLASTICITY_PARAMS_MAX];
	uint16_t delay = (uint16_t)steps(number(c, "delay_ms"));
	const json_t *state = json_object_get(c, "state_after_last_pre_spike");
	const json_t *k_plus = json_object_get(state, "Kplus");
	const json_t *k_triplet = json_object_get(state, "Kplus_triplet");
	const struct plasticity_model *rule = case_rule(c, p);

	one_init(&o, rule, p, 0.1, delay, number(c, "w0"));
	one_init(&swept, rule, p, 0.1, delay, number(c, "w0"));
	swept.trim = true;
	add_posts(&o, json_object_get(file, "post_times_ms"));
	add_posts(&swept, json_object_get(file, "post_times_ms"));
	for (size_t i = 0; i < json_array_size(pre); i++) {
		int64_t t = steps(json_number_value(json_array_get(pre, i)));
		double w = json_number_value(json_array_get(want, i));
		int64_t between = t - swept.row.t_last;

		for (uint64_t s = 0; s < i % 4; s++) {
			int64_t at =
				t - between + (int64_t)rng_below(key, i, s, (uint64_t)between + 1);

			if (at > swept.row.t_last && at < t)
				one_update(&swept, at, 0);
		}
		one_update(&o, t, 1);
		one_update(&swept, t, 1);
		cr_assert(fabs(o.w - w) <= 1e-10 * fabs(w),
			  "%s, delay %d: spike %zu: %.17g, not %.17g", name, delay, i, o.w, w);
		cr_assert(fabs(swept.w - o.w) <= 1e-12 * fabs(o.w),
			  "%s: a sweep changed %.17g to %.17g", name, o.w, swept.w);
	}
	if (k_plus)
		cr_assert_float_eq(o.row.syn[0] ? o.syn[0] : o.pre[0], json_number_value(k_plus),
				   1e-12);
	if (k_triplet)
		cr_assert_float_eq(o.pre[1], json_number_value(k_triplet), 1e-12);
}

static size_t follow_all(const char *file)
{
	json_t *j = load(file), *c;
	size_t i, n = 0;

	json_array_foreach(json_object_get(j, "cases"), i, c)
	{
		follow(j, c);
		n++;
	}
	json_decref(j);
	return n;
}

Test(stdp_rules, all_cases_of_stdp_synapse_follow_nest)
{
	cr_assert_eq(follow_all("stdp_pair.json"), 14);
}

Test(stdp_rules, nearest_power_law_triplet_and_inhibitory_rules_follow_nest)
{
	cr_assert_eq(follow_all("stdp_variants.json"), 16);
}

/* One point of a window: the pair, then a second presynaptic spike that shows the weight. */
static double shown(const struct plasticity_model *rule, const double *p, const json_t *file,
		    int64_t dt, double w0)
{
	const json_t *pre = json_object_get(file, "t_pre_ms");
	int64_t delay = steps(number(file, "delay_ms"));
	int64_t t0 = steps(json_number_value(json_array_get(pre, 0)));

	one_init(&o, rule, p, 0.1, (uint16_t)delay, w0);
	one_post(&o, t0 + dt - delay);
	one_update(&o, t0, 1);
	return one_update(&o, steps(json_number_value(json_array_get(pre, 1))), 1);
}

static void window(const json_t *file, const json_t *c, const struct plasticity_model *rule,
		   const double *p)
{
	const json_t *dts = json_object_get(file, "dt_ms"),
		     *want = json_object_get(c, "weight_after");
	const json_t *delta = json_object_get(c, "delta_w");
	const char *name = json_string_value(json_object_get(c, "name"));
	double w0 = number(c, "w0"), largest = 0;

	for (size_t i = 0; i < json_array_size(dts); i++)
		largest = fmax(largest, fabs(json_number_value(json_array_get(delta, i))));
	cr_assert_gt(largest, 0);
	for (size_t i = 0; i < json_array_size(dts); i++) {
		double dt = json_number_value(json_array_get(dts, i));
		double w = json_number_value(json_array_get(want, i));
		double dw = json_number_value(json_array_get(delta, i));
		double got = shown(rule, p, file, steps(dt), w0);

		cr_assert(fabs(got - w) <= 1e-10 * fabs(w), "%s: dt %g: %.17g, not %.17g", name, dt,
			  got, w);
		cr_assert(fabs(rule->window(p, w0, dt) - dw) <= 1e-10 * largest,
			  "%s: dt %g: the closed form gives %.17g, not %.17g", name, dt,
			  rule->window(p, w0, dt), dw);
	}
}

Test(stdp_rules, all_windows_follow_nest)
{
	json_t *j = load("stdp_window.json"), *c;
	double p[PLASTICITY_PARAMS_MAX];
	size_t i, n = 0;

	json_array_foreach(json_object_get(j, "cases"), i, c)
	{
		window(j, c, case_rule(c, p), p);
		n++;
	}
	json_decref(j);
	cr_assert_eq(n, 9);
}
