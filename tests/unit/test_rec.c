/* test_rec.c - recorders: what they write, when, and that they only look. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/engine_case.h"

/* 20 busy generators onto 5 cells, plastic; `record` is the text of the object. */
static struct engine_case network(const char *record, const char *more)
{
	char text[4096];

	(void)snprintf(
		text, sizeof(text),
		"{\"resolution_ms\":0.1,\"duration_ms\":100,\"seed\":\"7\",\"populations\":{"
		"\"in\":{\"model\":\"poisson_generator\",\"size\":20,\"params\":{\"rate\":12000}},"
		"\"cell\":{\"model\":\"iaf_psc_exp\",\"size\":5,\"params\":{\"I_e\":500}}},"
		"\"projections\":{\"syn\":{\"source\":\"in\",\"target\":\"cell\","
		"\"connect\":{\"rule\":\"all_to_all\"},\"synapse\":{\"model\":\"stdp_pair\","
		"\"weight\":{\"uniform\":[0.2,0.8]},\"delay_ms\":1.5}}},"
		"\"record\":%s%s}",
		record, more);
	return engine_case_text(text, 1);
}

static void succeeded(const struct engine_case *c)
{
	cr_assert_eq(c->rc, 0, "%s: %s", c->err.path, c->err.text);
}

static double *column(const struct engine_case *c, const char *kind, const char *subject,
		      size_t nth, const char *name, size_t *n)
{
	json_t *recording = engine_case_recording(c, kind, subject, nth);

	cr_assert_not_null(recording, "there are no %s of %s", kind, subject);
	return engine_case_column(c, recording, name, n);
}

Test(rec, a_spike_of_count_n_is_n_rows_in_order_of_step_and_neuron)
{
	struct engine_case c = network("{\"spikes\":[\"in\"]}", "");
	size_t n = 0, n_neuron = 0, doubled = 0;
	double *step = column(&c, "spikes", "in", 0, "step", &n);
	double *neuron = column(&c, "spikes", "in", 0, "neuron", &n_neuron);

	succeeded(&c);
	cr_assert_eq(n, n_neuron);
	for (size_t i = 1; i < n; i++) {
		double a = step[i - 1] * 1000 + neuron[i - 1], b = step[i] * 1000 + neuron[i];

		cr_assert_leq(a, b);
		doubled += a == b;
	}
	cr_assert_gt(doubled, 100); /* 1.2 spikes a step */
	cr_assert_float_eq(engine_case_metric(&c, "rate_hz.in"), (double)n / 20 / 0.1, 1e-9);
	mem_free(step);
	mem_free(neuron);
	engine_case_release(&c);
}

Test(rec, states_are_sampled_at_every_and_its_multiples)
{
	struct engine_case c = network(
		"{\"states\":[{\"population\":\"cell\",\"variables\":[\"V_m\"],\"every_ms\":0.1},"
		"{\"population\":\"cell\",\"variables\":[\"V_m\"],\"neurons\":[3,1],\"every_ms\":0."
		"7}]}",
		"");
	size_t n = 0, n_some = 0;
	double *all = column(&c, "states", "cell", 0, "value", &n);
	double *some = column(&c, "states", "cell", 1, "value", &n_some);
	const json_t *meta =
		json_object_get(engine_case_recording(&c, "states", "cell", 1), "meta");

	succeeded(&c);
	cr_assert_eq(n, 1000 * 5);
	cr_assert_eq(n_some, 142 * 2);
	for (size_t i = 0; i < 142; i++) {
		cr_assert_eq(some[2 * i], all[5 * (7 * i + 6) + 3]);
		cr_assert_eq(some[2 * i + 1], all[5 * (7 * i + 6) + 1]);
	}
	cr_assert_eq(json_integer_value(json_object_get(meta, "first")), 7);
	cr_assert_eq(json_integer_value(json_object_get(meta, "every")), 7);
	cr_assert_str_eq(engine_case_string(meta, "unit"), "mV");
	mem_free(all);
	mem_free(some);
	engine_case_release(&c);
}

Test(rec, snapshots_are_taken_at_the_start_the_multiples_and_the_end)
{
	static const double when[] = { 0, 300, 600, 900, 1000 };
	struct engine_case c =
		network("{\"weights\":[{\"projection\":\"syn\",\"every_ms\":30},"
			"{\"projection\":\"syn\",\"every_ms\":50,\"synapses\":[99,0,17]}]}",
			"");
	size_t n = 0, n_w = 0, n_some = 0, n_final = 0;
	double *at = column(&c, "weights", "syn", 0, "at", &n);
	double *w = column(&c, "weights", "syn", 0, "weight", &n_w);
	double *some = column(&c, "weights", "syn", 1, "weight", &n_some);
	double *last = column(&c, "final_weights", "syn", 0, "weight", &n_final);

	succeeded(&c);
	cr_assert_eq(n, COUNTOF(when));
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(at[i], when[i]);
	cr_assert_eq(n_w, 5 * 100);
	cr_assert_eq(n_some, 3 * 3); /* 0, 50, 100 ms: the end is a multiple, taken once */
	cr_assert_eq(some[0], w[99]);
	cr_assert_eq(some[6], w[400 + 99]);
	cr_assert_eq(some[7], w[400]);
	cr_assert_eq(some[8], w[400 + 17]);
	cr_assert_eq(n_final, 100);
	cr_assert_arr_eq(last, w + 400, 100 * sizeof(*w));
	mem_free(at);
	mem_free(w);
	mem_free(some);
	mem_free(last);
	engine_case_release(&c);
}

Test(rec, chosen_synapses_bear_their_sources_and_targets)
{
	struct engine_case c =
		network("{\"weights\":[{\"projection\":\"syn\",\"every_ms\":50},"
			"{\"projection\":\"syn\",\"every_ms\":50,\"synapses\":[99,0,17]}]}",
			"");
	size_t n = 0, n_some = 0;

	succeeded(&c);
	for (int k = 0; k < 2; k++) {
		const char *name = k ? "source" : "target";
		double *all = column(&c, "weights", "syn", 0, name, &n);
		double *some = column(&c, "weights", "syn", 1, name, &n_some);

		cr_assert_eq(n, 100);
		cr_assert_eq(n_some, 3);
		cr_assert_eq(some[0], all[99]);
		cr_assert_eq(some[1], all[0]);
		cr_assert_eq(some[2], all[17]);
		cr_assert_lt(all[99], k ? 20 : 5);
		mem_free(all);
		mem_free(some);
	}
	engine_case_release(&c);
}

Test(rec, each_recorder_of_updates_gets_its_own_synapses)
{
	struct engine_case c = network(
		"{\"weights\":[{\"projection\":\"syn\",\"every\":\"update\",\"synapses\":[42,3]},"
		"{\"projection\":\"syn\",\"every\":\"update\",\"synapses\":[3,77]},"
		"{\"projection\":\"syn\",\"every\":\"update\"}]}",
		"");
	size_t n[3], seen = 0;
	double *k[3], *w[3];

	succeeded(&c);
	for (size_t i = 0; i < 3; i++) {
		k[i] = column(&c, "weight_updates", "syn", i, "synapse", &n[i]);
		w[i] = column(&c, "weight_updates", "syn", i, "weight", &n[i]);
	}
	cr_assert_gt(n[0], 1000);
	for (size_t i = 0; i < n[2]; i++) { /* the first is what a filter leaves of the third */
		if (k[2][i] != 42 && k[2][i] != 3)
			continue;
		cr_assert_eq(k[0][seen], k[2][i]);
		cr_assert_eq(w[0][seen], w[2][i]);
		seen++;
	}
	cr_assert_eq(seen, n[0]);
	for (size_t i = 0; i < n[1]; i++)
		cr_assert(k[1][i] == 3 || k[1][i] == 77);
	for (size_t i = 0; i < 3; i++) {
		mem_free(k[i]);
		mem_free(w[i]);
	}
	engine_case_release(&c);
}

Test(rec, a_histogram_counts_what_a_snapshot_shows)
{
	struct engine_case c = network(
		"{\"weights\":[{\"projection\":\"syn\",\"every_ms\":30},"
		"{\"projection\":\"syn\",\"every_ms\":30,\"bins\":8},"
		"{\"projection\":\"syn\",\"every_ms\":30,\"bins\":4,\"min\":0.3,\"max\":0.5}]}",
		"");
	size_t n_w = 0, n = 0, n_edges = 0;
	double *w = column(&c, "weights", "syn", 0, "weight", &n_w);

	succeeded(&c);
	for (size_t h = 0; h < 2; h++) {
		json_t *recording = engine_case_recording(&c, "weight_histogram", "syn", h);
		double *count = engine_case_column(&c, recording, "count", &n);
		double *edge = check_doubles(json_object_get(recording, "meta"), "edges", &n_edges);
		size_t bins = h ? 4 : 8;

		cr_assert_eq(n_edges, bins + 1);
		cr_assert_eq(n, 5 * bins);
		cr_assert_eq(edge[0], h ? 0.3 : 0.0);	 /* the rule's bounds, */
		cr_assert_eq(edge[bins], h ? 0.5 : 1.0); /* or as asked */
		for (size_t i = 0; i < 5 * bins; i++) {
			double lo = edge[i % bins], hi = edge[i % bins + 1], in = 0;

			for (size_t k = 0; k < 100; k++) {
				double x = w[i / bins * 100 + k];

				in += x >= lo && (x < hi || (x == hi && i % bins == bins - 1));
			}
			cr_assert_eq(count[i], in);
		}
		mem_free(count);
		mem_free(edge);
	}
	mem_free(w);
	engine_case_release(&c);
}

Test(rec, rates_count_the_spikes_of_each_bin_and_of_the_cut_last_one)
{
	struct engine_case c = network(
		"{\"spikes\":[\"in\",\"cell\"],\"rates\":[{\"population\":\"in\",\"bin_ms\":0.3},"
		"{\"population\":\"cell\",\"bin_ms\":33}]}",
		"");

	succeeded(&c);
	for (int k = 0; k < 2; k++) {
		const char *name = k ? "cell" : "in";
		size_t n = 0, n_bins = 0;
		double *step = column(&c, "spikes", name, 0, "step", &n);
		double *count = column(&c, "rates", name, 0, "count", &n_bins);
		double width = k ? 330 : 3;

		cr_assert_eq(n_bins, (size_t)ceil(1000 / width));
		cr_assert_gt(n, 0);
		for (size_t i = 0; i < n; i++)
			count[(size_t)((step[i] - 1) / width)]--;
		for (size_t i = 0; i < n_bins; i++)
			cr_assert_eq(count[i], 0, "%s, bin %zu", name, i);
		mem_free(step);
		mem_free(count);
	}
	engine_case_release(&c);
}

Test(rec, more_than_max_spikes_is_an_error_and_the_first_ones_are_kept)
{
	struct engine_case c =
		network("{\"spikes\":[\"in\"]}", ",\"limits\":{\"max_spikes\":1000}");
	size_t n = 0;
	double *step = column(&c, "spikes", "in", 0, "step", &n);

	cr_assert_eq(c.rc, -ERR_LIMIT);
	cr_assert_str_eq(engine_case_error(&c), "limit-exceeded");
	cr_assert(json_is_true(json_object_get(c.result, "partial")));
	cr_assert_eq(n, 1000);
	mem_free(step);
	engine_case_release(&c);
}

Test(rec, what_is_not_recorded_is_not_limited)
{
	struct engine_case c = network("{}", ",\"limits\":{\"max_spikes\":1}");

	succeeded(&c);
	engine_case_release(&c);
}

Test(rec, final_weights_can_be_left_out)
{
	struct engine_case with = network("{}", ""),
			   without = network("{\"final_weights\":false}", "");

	succeeded(&with);
	succeeded(&without);
	cr_assert_not_null(engine_case_recording(&with, "final_weights", "syn", 0));
	cr_assert_null(engine_case_recording(&without, "final_weights", "syn", 0));
	cr_assert_str_eq(engine_case_digest(&with), engine_case_digest(&without));
	cr_assert_eq(engine_case_metric(&with, "weight_mean.syn"),
		     engine_case_metric(&without, "weight_mean.syn"));
	engine_case_release(&with);
	engine_case_release(&without);
}

Test(rec, moments_are_those_of_the_final_weights)
{
	struct engine_case c = network("{}", "");
	size_t n = 0;
	double *w = column(&c, "final_weights", "syn", 0, "weight", &n);
	double mean = 0, square = 0;

	succeeded(&c);
	for (size_t i = 0; i < n; i++)
		mean += w[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		square += (w[i] - mean) * (w[i] - mean) / (double)n;
	cr_assert_float_eq(engine_case_metric(&c, "weight_mean.syn"), mean, 1e-12);
	cr_assert_float_eq(engine_case_metric(&c, "weight_sd.syn"), sqrt(square), 1e-12);
	mem_free(w);
	engine_case_release(&c);
}

/* How many synapses a drawn wiring has is known only when it is drawn. */
static void absent_synapse(const char *every)
{
	char text[1024];
	struct engine_case c;

	(void)snprintf(
		text, sizeof(text),
		"{\"duration_ms\":10,\"populations\":{\"p\":{\"model\":\"parrot_neuron\",\"size\":"
		"10}},"
		"\"projections\":{\"s\":{\"source\":\"p\",\"target\":\"p\",\"connect\":"
		"{\"rule\":\"pairwise_bernoulli\",\"p\":0.1},\"synapse\":{\"model\":\"stdp_pair\","
		"\"weight\":0.5,\"delay_ms\":1}}},\"record\":{\"weights\":[{\"projection\":\"s\","
		"%s,\"synapses\":[99]}]}}",
		every);
	c = engine_case_text(text, 1);
	cr_assert_eq(c.rc, -ERR_RANGE, "%d: %s", c.rc, c.err.text);
	engine_case_release(&c);
}

Test(rec, a_synapse_that_was_not_drawn_is_an_error)
{
	absent_synapse("\"every_ms\":1");
	absent_synapse("\"every\":\"update\"");
}

Test(rec, a_projection_without_synapses_has_empty_recordings)
{
	struct engine_case c = engine_case_text(
		"{\"duration_ms\":10,\"populations\":{\"p\":{\"model\":\"parrot_neuron\",\"size\":"
		"10}},"
		"\"projections\":{\"s\":{\"source\":\"p\",\"target\":\"p\",\"connect\":"
		"{\"rule\":\"pairwise_bernoulli\",\"p\":0},\"synapse\":{\"model\":\"stdp_pair\","
		"\"weight\":0.5,\"delay_ms\":1}}},\"record\":{\"weights\":[{\"projection\":\"s\","
		"\"every_ms\":5},{\"projection\":\"s\",\"every\":\"update\"},"
		"{\"projection\":\"s\",\"every_ms\":5,\"bins\":3}]}}",
		1);
	size_t n = 1;
	double *w;

	succeeded(&c);
	w = column(&c, "weights", "s", 0, "weight", &n);
	cr_assert_eq(n, 0);
	mem_free(w);
	w = column(&c, "weight_histogram", "s", 0, "count", &n);
	cr_assert_eq(n, 9);
	mem_free(w);
	engine_case_release(&c);
}
