/* test_neuron_clopath.c - the neuron of the voltage rule against trajectories made with NEST. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "tests/reference/neuron_world.h"

enum { STEPS = 12000 };

static double input[WORLD_STEPS + 1];
static struct world world;

/* In NEST the neuron keeps what is here the rule's. */
static bool of_the_rule(const char *name)
{
	static const char *const names[] = { "A_LTD",	     "A_LTP",	   "A_LTD_const",
					     "theta_minus",  "theta_plus", "u_ref_squared",
					     "delay_u_bars", "V_m" };

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* The driver's spikes and, with the weights they had in NEST, those of the plastic synapse. */
static void input_init(const json_t *j)
{
	const json_t *pre = json_object_get(j, "pre_times_ms");
	const json_t *w = json_object_get(j, "weights_at_pre_spikes");
	double delay = json_number_value(json_object_get(j, "delay_ms"));

	memset(input, 0, sizeof(input));
	world_add(input, json_object_get(j, "driver_times_ms"),
		  json_number_value(json_object_get(j, "driver_delay_ms")),
		  json_number_value(json_object_get(j, "driver_weight_mV")));
	cr_assert_eq(json_array_size(pre), json_array_size(w));
	for (size_t i = 0; i < json_array_size(pre); i++)
		input[world_steps(json_number_value(json_array_get(pre, i)) + delay)] +=
			json_number_value(json_array_get(w, i));
}

static void states_follow(const json_t *j, int64_t t)
{
	static const char *const names[] = { "V_m",	  "u_bar_plus", "u_bar_minus",
					     "u_bar_bar", "w",		"V_th" };

	for (size_t k = 0; t % 5 == 0 && k < COUNTOF(names); k++) {
		const json_t *want = json_object_get(j, names[k]);
		size_t at = (size_t)(t / 5 - 1);

		cr_assert_lt(at, json_array_size(want));
		cr_assert_float_eq(
			world_state(&world, names[k]), json_number_value(json_array_get(want, at)),
			1e-3, "%s at step %d: %.17g, not %.17g", names[k], (int)t,
			world_state(&world, names[k]), json_number_value(json_array_get(want, at)));
	}
}

static void follow(const char *file, size_t stride)
{
	const struct neuron_model *m = &neuron_aeif_psc_delta_clopath;
	json_t *j = check_shared_json(file), *value;
	double p[NEURON_PARAMS_MAX];
	const json_t *spikes;
	const char *key;
	size_t n = 0;

	if (!j)
		cr_skip_test("no reference data");
	world_defaults(m, p);
	json_object_foreach(json_object_get(j, "set_neuron_params"), key,
			    value) if (!of_the_rule(key))
		world_set(m, p, key, json_number_value(value));
	input_init(j);
	world_init(&world, m, p, 0.1, stride);
	spikes = json_object_get(j, "spike_times_ms");
	for (int64_t t = 1; t <= STEPS; t++) {
		if (world_advance(&world, t, input[t], 0) > 0)
			cr_assert_eq(t, world_steps(json_number_value(json_array_get(spikes, n++))),
				     "spike %zu at step %d", n, (int)t);
		states_follow(j, t);
	}
	cr_assert_eq(n, json_array_size(spikes));
	cr_assert_gt(n, 10);
	json_decref(j);
}

Test(neuron_clopath, follows_nest)
{
	follow("reference/clopath_const_A_LTD.json", 0);
}

Test(neuron_clopath, follows_nest_with_a_column_per_coefficient)
{
	follow("reference/clopath_homeostatic_A_LTD.json", 1);
}
