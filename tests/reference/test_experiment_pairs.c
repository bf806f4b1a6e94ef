/* test_experiment_pairs.c - experiments on pair STDP: short runs against their targets, controls that
 * fail, and the weights of NEST. */
/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "tests/engine_case.h"

static double value(const struct engine_case *c, const char *target)
{
	return json_number_value(json_object_get(engine_case_target(c, target), "value"));
}

static bool passes(const struct engine_case *c, const char *target)
{
	return json_is_true(json_object_get(engine_case_target(c, target), "pass"));
}

Test(pairing_schemes, all_four_are_the_sums_over_their_pairs)
{
	struct engine_case c = engine_case_experiment(
		"pairing_schemes",
		"{\"spikes\": 1000, \"rate_hz\": 60, \"rule_params\": {\"mu_plus\": 0.4, "
		"\"mu_minus\": 0.4}}");

	engine_case_reached(&c, 8);
	engine_case_release(&c);
	c = engine_case_experiment("pairing_schemes", "{\"spikes\": 500, \"rate_hz\": 150, "
						      "\"delay_ms\": 2.3, \"rule_params\": "
						      "{\"A_plus\": 0.1, \"A_minus\": -0.1}}");
	engine_case_reached(&c, 8); /* many coincidences, both bounds */
	engine_case_release(&c);
}

Test(pairing_schemes, a_wrong_pairing_is_seen)
{
	/* At so low a rate every pair is far from the next: all schemes are one, so the controls, which
	 * want them apart, must fail. */
	struct engine_case c =
		engine_case_experiment("pairing_schemes", "{\"pre_ms\": [10], \"post_ms\": [20]}");

	cr_assert(passes(&c, "all_to_all: relative error"));
	cr_assert_not(passes(&c, "control, all_to_all as its neighbour"));
	cr_assert_eq(value(&c, "control, all_to_all as its neighbour"), 0);
	engine_case_release(&c);
}

/* The experiment on NEST's trains, with the parameters of one case in our words. */
static struct engine_case nest_run(const json_t *all, const json_t *one)
{
	const json_t *p = json_object_get(one, "params");
	const json_t *post = json_object_get(one, "post_neuron_params");
	double w_max = json_number_value(json_object_get(p, "Wmax"));
	double a = json_number_value(json_object_get(p, "lambda")) * w_max;

	return engine_case_json(json_pack(
		"{s:s, s:{s:O, s:O, s:O, s:O, s:{s:f, s:f, s:O, s:O, s:f, s:O, s:O, s:b}}}",
		"experiment", "pairing_schemes", "params", "pre_ms",
		json_object_get(all, "pre_times_ms"), "post_ms",
		json_object_get(all, "post_times_ms"), "w_0", json_object_get(one, "w0"),
		"delay_ms", json_object_get(one, "delay_ms"), "rule_params", "A_plus", a, "A_minus",
		-a * json_number_value(json_object_get(p, "alpha")), "tau_plus",
		json_object_get(p, "tau_plus"), "tau_minus", json_object_get(post, "tau_minus"),
		"w_max", w_max, "mu_plus", json_object_get(p, "mu_plus"), "mu_minus",
		json_object_get(p, "mu_minus"), "virtual_first_spike",
		strstr(engine_case_string(one, "model"), "nn_symm") ||
			strstr(engine_case_string(one, "model"), "nn_restr")));
}

static const char *pairing_of(const char *model)
{
	static const char *const map[][2] = {
		{ "stdp_nn_symm_synapse", "nearest_symmetric" },
		{ "stdp_nn_pre_centered_synapse", "nearest_pre_centered" },
		{ "stdp_nn_restr_synapse", "nearest_reduced_symmetric" },
		{ "stdp_synapse", "all_to_all" },
	};

	for (size_t i = 0; i < COUNTOF(map); i++)
		if (!strcmp(map[i][0], model))
			return map[i][1];
	return NULL;
}

static size_t nest_cases(const char *file)
{
	char path[64];
	json_t *all, *one;
	size_t i, compared = 0;

	(void)snprintf(path, sizeof(path), "reference/%s", file);
	all = check_shared_json(path);

	json_array_foreach(json_object_get(all, "cases"), i, one)
	{
		const char *pairing = pairing_of(engine_case_string(one, "model"));
		const json_t *want = json_object_get(one, "weights_at_pre_spikes");
		struct engine_case c;
		double *w, worst = 0;
		size_t n = 0;

		if (!pairing)
			continue;
		c = nest_run(all, one);
		w = engine_case_column(&c, engine_case_recording(&c, "table", "weights", 0),
				       pairing, &n);
		cr_assert_eq(n, json_array_size(want));
		for (size_t k = 0; k < n; k++)
			worst = fmax(worst,
				     fabs(w[k] - json_number_value(json_array_get(want, k))) / 100);
		cr_assert_leq(worst, 1e-10, "%s: %g", engine_case_string(one, "name"), worst);
		(void)snprintf(path, sizeof(path), "%s: relative error", pairing);
		cr_assert(passes(&c, path), "%s: %g", engine_case_string(one, "name"),
			  value(&c, path));
		mem_free(w);
		engine_case_release(&c);
		compared++;
	}
	json_decref(all);
	return compared;
}

Test(pairing_schemes, the_weights_are_those_of_nest)
{
	cr_assert_eq(nest_cases("stdp_variants.json"), 9);
	cr_assert_eq(nest_cases("stdp_pair.json"), 14);
}

static struct engine_case song(unsigned threads, const char *more)
{
	char text[512];
	struct engine_case c;

	(void)snprintf(text, sizeof(text),
		       "{\"experiment\": \"song_abbott\", \"params\": {\"rates_hz\": [10, 40], "
		       "\"resolution_ms\": 0.5%s}}",
		       more);
	c = engine_case_text(text, threads);
	cr_assert_eq(c.rc, 0, "%s: %s", c.err.path, c.err.text);
	return c;
}

Test(song_abbott, the_controls_show_what_plasticity_does)
{
	struct engine_case c = song(1, ", \"duration_s\": 20, \"A_plus\": 0.1, \"ratio\": 1.3");

	/* Fast learning with strong depression: what nothing correlates with falls within seconds. */
	cr_assert(passes(&c, "control, plasticity off: output ratio"));
	cr_assert(passes(&c, "control, unrelated spikes: part above 0.9"));
	cr_assert(json_is_null(json_object_get(json_object_get(c.result, "score"), "value")),
		  "the score belongs to the published parameters");
	engine_case_release(&c);
}

Test(song_abbott, without_time_to_learn_the_targets_are_missed)
{
	struct engine_case c = song(1, ", \"duration_s\": 1");

	cr_assert_not(passes(&c, "irregular firing, CV at 40 Hz, E_L -74 mV"));
	cr_assert_not(passes(&c, "control, unrelated spikes: part above 0.9"));
	engine_case_release(&c);
}

Test(song_abbott, threads_change_nothing)
{
	struct engine_case a = song(1, ", \"duration_s\": 1"), b = song(3, ", \"duration_s\": 1");

	cr_assert_str_eq(engine_case_digest(&a), engine_case_digest(&b));
	cr_assert(json_equal(json_object_get(a.result, "targets"),
			     json_object_get(b.result, "targets")));
	engine_case_release(&a);
	engine_case_release(&b);
}

Test(weight_dependence, rules_end_at_their_fixed_points)
{
	struct engine_case c = engine_case_experiment(
		"weight_dependence",
		"{\"mu\": [1, 0.1], \"synapses\": 100, \"rate_hz\": 40, \"duration_s\": 40}");

	cr_assert(passes(&c, "Guetig, mu 1, deviation from the fixed point"));
	cr_assert(passes(&c, "Guetig, mu 1, one hump: bimodality"));
	cr_assert(passes(&c, "power law, deviation from the fixed point"));
	cr_assert(passes(&c, "control: mu 1, at the fixed point of mu 0.1"));
	engine_case_release(&c);
}

/* Where noise is nearly all that spreads the weights they have the inverse of a gamma distribution. */
Test(weight_dependence, the_noise_of_van_rossum_gives_the_weights_their_width)
{
	struct engine_case c = engine_case_experiment(
		"weight_dependence", "{\"mu\": [1], \"synapses\": 150, \"rate_hz\": 40, "
				     "\"duration_s\": 60, \"noise_sd\": 0.02}");
	json_t *table = engine_case_recording(&c, "table", "van_rossum", 0);
	size_t n = 0, rows = 0;
	double *w = engine_case_column(&c, table, "weight", &rows);
	double *theory = engine_case_column(&c, table, "theory", &rows);
	double want[20], sum = 0, off = 0, part = 0;

	cr_assert_eq(rows, 40);
	for (n = 0; n < 20; n++) {
		want[n] = 0;
		for (int k = 0; k < 100; k++) {
			double x = w[n] + 0.25 * ((k + 0.5) / 100 - 0.5);

			want[n] += pow(x / 2, -2 - 2 * 0.003 / 4e-4) * exp(-2 * 0.007 / 4e-4 / x);
		}
		sum += want[n];
	}
	for (n = 0; n < 20; n++) {
		off += 0.5 * fabs(want[n] / sum - theory[20 + n]);
		part += theory[20 + n];
	}
	cr_expect_float_eq(part, 1, 1e-12);
	cr_expect_lt(off, 0.03, "%g", off);
	cr_expect(passes(&c, "van Rossum, noise, deviation from the fixed point"));
	cr_expect_lt(value(&c, "van Rossum, noise, deviation of the width"), 0.1);
	cr_expect_lt(value(&c, "van Rossum, noise, distance from Fokker-Planck"), 0.1);
	cr_expect_lt(value(&c, "van Rossum, deviation of the width"), 0.1);
	cr_expect_gt(value(&c, "control: no noise, distance from that with noise"), 0.5);
	mem_free(w);
	mem_free(theory);
	engine_case_release(&c);
}

Test(weight_dependence, a_run_too_short_is_missed)
{
	struct engine_case c = engine_case_experiment(
		"weight_dependence", "{\"mu\": [0.05], \"synapses\": 50, \"duration_s\": 2}");

	cr_assert_not(passes(&c, "Guetig, mu 0.05, deviation from the fixed point"));
	cr_assert_gt(value(&c, "Guetig, mu 0.05, deviation from the fixed point"), 0.5);
	engine_case_release(&c);
}
