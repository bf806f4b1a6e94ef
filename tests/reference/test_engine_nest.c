/* test_engine_nest.c - spec in, whole engine, files out, against trajectories made with NEST. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/engine_case.h"

/* Absolute, in units of weights up to 100 and of mV: rounding after some 10^4 steps. */
#define WEIGHT_TOLERANCE    1e-10
#define POTENTIAL_TOLERANCE 1e-10

static json_t *reference(const char *file)
{
	char path[128];
	json_t *j;

	(void)snprintf(path, sizeof(path), "reference/%s", file);
	j = check_shared_json(path);
	if (!j)
		cr_skip_test("no reference data");
	return j;
}

/* The synapse's parameters: NEST's, those of its postsynaptic neuron too. */
static json_t *synapse_params(const json_t *c)
{
	json_t *p = json_deep_copy(json_object_get(c, "params"));

	cr_assert_eq(json_object_update(p, json_object_get(c, "post_neuron_params")), 0);
	return p;
}

static json_t *pair_spec(const json_t *c, json_t *pre, json_t *post, double delay_ms,
			 double duration_ms)
{
	json_t *spec = json_pack(
		"{s:f, s:f, s:{s:{s:s, s:i, s:{s:[O]}}, s:{s:s, s:i, s:{s:[O]}}},"
		" s:{s:{s:s, s:s, s:{s:s}, s:{s:O, s:O, s:f, s:o}}},"
		" s:{s:[{s:s, s:s}]}}",
		"resolution_ms", 0.1, "duration_ms", duration_ms, "populations", "pre", "model",
		"spike_generator", "size", 1, "params", "spike_times", pre, "post", "model",
		"spike_generator", "size", 1, "params", "spike_times", post, "projections", "syn",
		"source", "pre", "target", "post", "connect", "rule", "one_to_one", "synapse",
		"model", json_object_get(c, "model"), "weight", json_object_get(c, "w0"),
		"delay_ms", delay_ms, "params", synapse_params(c), "record", "weights",
		"projection", "syn", "every", "update");

	cr_assert_not_null(spec);
	return spec;
}

static void trajectory(const json_t *all, const json_t *c)
{
	double delay_ms = json_number_value(json_object_get(c, "delay_ms"));
	struct engine_case run = engine_case_json(pair_spec(c, json_object_get(all, "pre_times_ms"),
							    json_object_get(all, "post_times_ms"),
							    delay_ms, 25100.0));
	json_t *recording = engine_case_recording(&run, "weight_updates", "syn", 0);
	size_t n = 0, n_want = 0, n_pre = 0, n_step = 0;
	double *w = engine_case_column(&run, recording, "weight", &n);
	double *step = engine_case_column(&run, recording, "step", &n_step);
	double *want = check_doubles(c, "weights_at_pre_spikes", &n_want);
	double *pre = check_doubles(all, "pre_times_ms", &n_pre);

	cr_assert_eq(n, n_want);
	cr_assert_eq(n_step, n_pre);
	for (size_t i = 0; i < n; i++) {
		cr_assert_eq(step[i], floor(pre[i] * 10 + 0.5));
		cr_assert(fabs(w[i] - want[i]) <= WEIGHT_TOLERANCE,
			  "%s, delay %g, spike %zu: %.17g, not %.17g",
			  engine_case_string(c, "name"), delay_ms, i, w[i], want[i]);
	}
	mem_free(w);
	mem_free(step);
	mem_free(want);
	mem_free(pre);
	engine_case_release(&run);
}

static size_t trajectories(const char *file)
{
	json_t *all = reference(file), *cases = json_object_get(all, "cases"), *c;
	size_t i, n = 0;

	json_array_foreach(cases, i, c)
	{
		trajectory(all, c);
		n++;
	}
	json_decref(all);
	return n;
}

Test(engine_nest, pair_trajectories_equal_nest)
{
	cr_assert_eq(trajectories("stdp_pair.json"), 14);
}

Test(engine_nest, nearest_power_triplet_and_inhibitory_trajectories_equal_nest)
{
	cr_assert_eq(trajectories("stdp_variants.json"), 16);
}

static void use_trains(json_t *spec, const char *name, json_t *trains)
{
	json_t *population = json_object_get(json_object_get(spec, "populations"), name);

	json_object_set_new(population, "size", json_integer((json_int_t)json_array_size(trains)));
	json_object_set_new(json_object_get(population, "params"), "spike_times", trains);
}

/* The window as NEST measured it: a pair, and a second presynaptic spike 5 s later. */
static void window(const json_t *all, const json_t *c)
{
	size_t n_dt = 0, n_want = 0, n = 0;
	double *dt = check_doubles(all, "dt_ms", &n_dt);
	double *want = check_doubles(c, "delta_w", &n_want);
	double delay_ms = json_number_value(json_object_get(all, "delay_ms"));
	double w0 = json_number_value(json_object_get(c, "w0"));
	json_t *pre = json_array(), *post = json_array(), *spec;
	struct engine_case run;
	double *w;

	for (size_t i = 0; i < n_dt; i++) {
		json_array_append(pre, json_object_get(all, "t_pre_ms"));
		json_array_append_new(post, json_pack("[f]", 2000.0 + dt[i] - delay_ms));
	}
	spec = pair_spec(c, pre, post, delay_ms, 8000.0);
	use_trains(spec, "pre", pre);
	use_trains(spec, "post", post);
	run = engine_case_json(spec);
	w = engine_case_column(&run, engine_case_recording(&run, "final_weights", "syn", 0),
			       "weight", &n);
	cr_assert_eq(n, n_want);
	for (size_t i = 0; i < n; i++)
		cr_assert(fabs(w[i] - w0 - want[i]) <= WEIGHT_TOLERANCE,
			  "%s, dt %g: %.17g, not %.17g", engine_case_string(c, "name"), dt[i],
			  w[i] - w0, want[i]);
	mem_free(w);
	mem_free(dt);
	mem_free(want);
	engine_case_release(&run);
}

Test(engine_nest, windows_equal_nest)
{
	json_t *all = reference("stdp_window.json"), *cases = json_object_get(all, "cases"), *c;
	size_t i, n = 0;

	json_array_foreach(cases, i, c)
	{
		window(all, c);
		n++;
	}
	cr_assert_eq(n, 9);
	json_decref(all);
}

/* The experiment against the same curves: two ways to the same numbers. */
Test(engine_nest, the_window_experiment_equals_nest)
{
	json_t *all = reference("stdp_window.json"), *cases = json_object_get(all, "cases"), *c;
	size_t i;

	json_array_foreach(cases, i, c)
	{
		size_t n = 0, n_want = 0;
		struct engine_case run;
		double *dw, *want;

		run = engine_case_json(json_pack(
			"{s:s, s:{s:O, s:o, s:O, s:O}}", "experiment", "stdp_window", "params",
			"rule", json_object_get(c, "model"), "rule_params", synapse_params(c),
			"w_0", json_object_get(c, "w0"), "dt_ms", json_object_get(all, "dt_ms")));
		dw = engine_case_column(&run, engine_case_recording(&run, "table", "window", 0),
					"dw", &n);
		want = check_doubles(c, "delta_w", &n_want);
		cr_assert_eq(n, n_want);
		for (size_t k = 0; k < n; k++)
			cr_assert(fabs(dw[k] - want[k]) <= WEIGHT_TOLERANCE,
				  "%s, point %zu: %.17g, not %.17g", engine_case_string(c, "name"),
				  k, dw[k], want[k]);
		cr_assert_leq(engine_case_metric(&run, "max_rel_error"), 1e-9);
		mem_free(dw);
		mem_free(want);
		engine_case_release(&run);
	}
	json_decref(all);
}

static json_t *generator(json_t *times)
{
	return json_pack("{s:s, s:i, s:{s:[O]}}", "model", "spike_generator", "size", 1, "params",
			 "spike_times", times);
}

static json_t *projection(const char *source, json_t *weight, double delay_ms)
{
	return json_pack("{s:s, s:s, s:{s:s}, s:{s:s, s:O, s:f}}", "source", source, "target",
			 "cell", "connect", "rule", "one_to_one", "synapse", "model", "static",
			 "weight", weight, "delay_ms", delay_ms);
}

static void neuron(const char *file)
{
	json_t *all = reference(file), *input = json_object_get(all, "input");
	double delay_ms = json_number_value(json_object_get(input, "delay_ms"));
	json_t *spec = json_pack("{s:f, s:f, s:{s:o, s:o, s:{s:O, s:i, s:O}}, s:{s:o, s:o},"
				 " s:{s:[s], s:[{s:s, s:[s], s:f}]}}",
				 "resolution_ms", 0.1, "duration_ms", 1000.0, "populations", "exc",
				 generator(json_object_get(input, "exc_spike_times_ms")), "inh",
				 generator(json_object_get(input, "inh_spike_times_ms")), "cell",
				 "model", json_object_get(all, "model"), "size", 1, "params",
				 json_object_get(all, "set_params"), "projections", "e",
				 projection("exc", json_object_get(all, "w_exc"), delay_ms), "i",
				 projection("inh", json_object_get(all, "w_inh"), delay_ms),
				 "record", "spikes", "cell", "states", "population", "cell",
				 "variables", "V_m", "every_ms", 0.1);
	struct engine_case run = engine_case_json(spec);
	size_t n = 0, n_want = 0, n_spikes = 0, n_times = 0;
	double *v = engine_case_column(&run, engine_case_recording(&run, "states", "cell", 0),
				       "value", &n);
	double *spikes = engine_case_column(&run, engine_case_recording(&run, "spikes", "cell", 0),
					    "step", &n_spikes);
	double *want = check_doubles(all, "V_m_mV", &n_want);
	double *times = check_doubles(all, "spike_times_ms", &n_times);

	cr_assert_eq(n, n_want);
	for (size_t i = 0; i < n; i++)
		cr_assert(fabs(v[i] - want[i]) <= POTENTIAL_TOLERANCE, "step %zu: %.17g, not %.17g",
			  i + 1, v[i], want[i]);
	cr_assert_eq(n_spikes, n_times);
	for (size_t i = 0; i < n_times; i++)
		cr_assert_eq(spikes[i], floor(times[i] * 10 + 0.5));
	mem_free(v);
	mem_free(spikes);
	mem_free(want);
	mem_free(times);
	engine_case_release(&run);
	json_decref(all);
}

Test(engine_nest, iaf_psc_delta_equals_nest)
{
	neuron("neuron_iaf_psc_delta.json");
}

Test(engine_nest, iaf_psc_exp_equals_nest)
{
	neuron("neuron_iaf_psc_exp.json");
}
