/* test_results - what a run recorded, in every view and format, over HTTP. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/mem.h"
#include "core/base/npy.h"
#include "server/npz.h"
#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

/* Given trains, so that what must come out is known: two inputs and the cell that they drive by one
 * strong spike each. */
#define TRAINS \
	"{\"spec\":{\"resolution_ms\":0.1,\"duration_ms\":100,\"seed\":\"1\",\"populations\":{" \
	"\"in\":{\"model\":\"spike_generator\",\"size\":2,\"params\":{\"spike_times\":[[10,30,50]" \
	",[20,60]]}}," \
	"\"out\":{\"model\":\"spike_generator\",\"size\":1,\"params\":{\"spike_times\":[15,35.5," \
	"80]}}," \
	"\"cell\":{\"model\":\"iaf_psc_exp\",\"size\":3}},\"projections\":{" \
	"\"learn\":{\"source\":\"in\",\"target\":\"out\",\"connect\":{\"rule\":\"all_to_all\"}," \
	"\"synapse\":{\"model\":\"stdp_pair\",\"weight\":0.5,\"delay_ms\":1,\"params\":{\"w_" \
	"max\":1}}}," \
	"\"drive\":{\"source\":\"in\",\"target\":\"cell\",\"connect\":{\"rule\":\"all_to_all\"}," \
	"\"synapse\":{\"model\":\"static\",\"weight\":100,\"delay_ms\":1}}},\"record\":{" \
	"\"spikes\":[\"in\",\"out\"]," \
	"\"states\":[{\"population\":\"cell\",\"variables\":[\"V_m\"],\"neurons\":[2,0],\"every_" \
	"ms\":0.5}]," \
	"\"weights\":[{\"projection\":\"learn\",\"every_ms\":25}," \
	"{\"projection\":\"learn\",\"synapses\":[1,0],\"every\":\"update\"}]," \
	"\"rates\":[{\"population\":\"in\",\"bin_ms\":10}]}}}"

static struct harness h;
static char run[64];

static void setup(void)
{
	struct reply r;

	harness_new(&h, NULL);
	harness_run(&h, TRAINS, run);
	r = harness_wait(&h, run, 20);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	reply_release(&r);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(results, .init = setup, .fini = teardown, .timeout = 60);

static struct reply view(const char *tail)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "/v1/runs/%s/%s", run, tail);
	return harness_get(&h, path);
}

static struct reply good(const char *tail)
{
	struct reply r = view(tail);

	cr_assert_eq(r.status, 200, "%s: %s", tail, r.body);
	return r;
}

/* The list at a pointer has exactly these numbers. */
static void has(const struct reply *r, const char *pointer, const double *x, size_t n)
{
	const json_t *list = reply_at(r, pointer);

	cr_assert_eq(json_array_size(list), n, "%s in %s", pointer, r->body);
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(json_number_value(json_array_get(list, i)), x[i], "%s[%zu] in %s",
			     pointer, i, r->body);
}

#define HAS(r, pointer, ...) \
	has(&(r), pointer, (const double[]){ __VA_ARGS__ }, \
	    sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double))

static void refused(const char *tail, int status, const char *code, const char *says)
{
	struct reply r = view(tail);

	cr_assert_eq(r.status, status, "%s: %s", tail, r.body);
	cr_assert_str_eq(reply_text(&r, "/code"), code, "%s: %s", tail, r.body);
	cr_assert_not_null(strstr(r.body, says), "%s: %s", tail, r.body);
	reply_release(&r);
}

Test(results, the_manifest_names_every_recording_and_its_links_work)
{
	struct reply r = good("results");
	const json_t *list = reply_at(&r, "/recordings");
	bool seen[6] = { false };
	static const char *const kinds[] = { "spikes",	      "states",		"weights",
					     "final_weights", "weight_updates", "rates" };

	cr_assert_geq(json_array_size(list), 7);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		struct reply linked =
			harness_get(&h, json_string_value(json_object_get(item, "href")));

		cr_assert_eq(linked.status, 200, "%s", linked.body);
		reply_release(&linked);
		for (size_t k = 0; k < 6; k++)
			seen[k] |= strcmp(json_string_value(json_object_get(item, "kind")),
					  kinds[k]) == 0;
	}
	for (size_t k = 0; k < 6; k++)
		cr_assert(seen[k], "%s", kinds[k]);
	reply_release(&r);
}

Test(results, spikes_come_with_their_exact_times)
{
	struct reply r = good("spikes?population=in");

	HAS(r, "/t_ms", 10, 20, 30, 50, 60);
	HAS(r, "/neuron", 0, 1, 0, 0, 1);
	cr_assert_eq(reply_number(&r, "/count"), 5);
	cr_assert(json_is_false(reply_at(&r, "/downsampled")));
	reply_release(&r);
	r = good("spikes?population=out");
	HAS(r, "/t_ms", 15, 35.5, 80);
	reply_release(&r);
}

Test(results, a_window_has_its_start_and_not_its_end)
{
	struct reply r = good("spikes?population=in&t0_ms=20&t1_ms=50");

	HAS(r, "/t_ms", 20, 30);
	reply_release(&r);
	r = good("spikes?population=in&t0_ms=20.1&t1_ms=50.1");
	HAS(r, "/t_ms", 30, 50);
	reply_release(&r);
	r = good("spikes?population=in&neurons=1");
	HAS(r, "/t_ms", 20, 60);
	reply_release(&r);
	r = good("spikes?population=in&neurons=1,0-0");
	HAS(r, "/t_ms", 10, 20, 30, 50, 60);
	reply_release(&r);
	r = good("spikes?population=in&neurons=0-1&t0_ms=90");
	cr_assert_eq(json_array_size(reply_at(&r, "/t_ms")), 0);
	reply_release(&r);
}

Test(results, thinned_spikes_say_so)
{
	struct reply r = good("spikes?population=in&max_points=3");

	cr_assert_eq(json_array_size(reply_at(&r, "/t_ms")), 3);
	cr_assert_eq(reply_number(&r, "/count"), 5);
	cr_assert(json_is_true(reply_at(&r, "/downsampled")));
	cr_assert_str_neq(reply_text(&r, "/note"), "");
	reply_release(&r);
}

Test(results, a_raster_and_rates_count_the_same_spikes)
{
	struct reply r = good("raster?population=in&rows=2&cols=5");

	HAS(r, "/counts/0", 1, 1, 1, 0, 0);
	HAS(r, "/counts/1", 0, 1, 0, 1, 0);
	reply_release(&r);
	/* from the recording: bin i holds (10 i, 10 (i + 1)], so that 10 is in bin 0 */
	r = good("rates?population=in");
	cr_assert_eq(reply_number(&r, "/bin_ms"), 10);
	HAS(r, "/t_ms", 0, 10, 20, 30, 40, 50, 60, 70, 80, 90);
	HAS(r, "/rate_hz", 50, 50, 50, 0, 50, 50, 0, 0, 0, 0);
	reply_release(&r);
	r = good("rates?population=in&bin_ms=20&t0_ms=20&t1_ms=80");
	HAS(r, "/t_ms", 20, 40, 60);
	HAS(r, "/rate_hz", 25, 50, 0);
	reply_release(&r);
	/* from spikes, since the bins do not fit */
	r = good("rates?population=in&bin_ms=30");
	cr_assert_float_eq(reply_number(&r, "/rate_hz/0"), 3.0 / 2 / 0.03, 1e-9);
	cr_assert_float_eq(reply_number(&r, "/rate_hz/1"), 2.0 / 2 / 0.03, 1e-9);
	reply_release(&r);
	r = good("rates?population=in&bin_ms=10&neurons=1");
	cr_assert_float_eq(reply_number(&r, "/rate_hz/1"), 100, 1e-9);
	reply_release(&r);
}

Test(results, intervals_have_mean_and_cv)
{
	struct reply r = good("isi?population=in&bins=4");

	cr_assert_eq(reply_number(&r, "/count"), 3); /* 20, 20, 40 */
	cr_assert_float_eq(reply_number(&r, "/mean_ms"), 80.0 / 3, 1e-9);
	cr_assert_float_eq(reply_number(&r, "/cv"),
			   sqrt((2 * 400.0 + 1600.0) / 3 - 6400.0 / 9) / (80.0 / 3), 1e-9);
	HAS(r, "/edges_ms", 0, 10, 20, 30, 40);
	HAS(r, "/counts", 0, 0, 2, 1);
	reply_release(&r);
}

Test(results, states_come_by_neuron_in_the_order_asked)
{
	struct reply r = good("states/V_m?population=cell&t0_ms=1&t1_ms=3"), one;

	HAS(r, "/neurons", 2, 0);
	HAS(r, "/t_ms", 1, 1.5, 2, 2.5);
	cr_assert_eq(json_array_size(reply_at(&r, "/values")), 2);
	cr_assert_eq(json_array_size(reply_at(&r, "/values/0")), 4);
	cr_assert_str_eq(reply_text(&r, "/unit"), "mV");
	reply_release(&r);
	r = good("states/V_m?population=cell");
	one = good("states/V_m?population=cell&neurons=0");
	cr_assert(json_equal(reply_at(&r, "/values/1"), reply_at(&one, "/values/0")));
	cr_assert_eq(json_array_size(reply_at(&one, "/t_ms")), 200);
	reply_release(&one);
	reply_release(&r);
}

Test(results, thinned_states_keep_their_extremes)
{
	static const char *const methods[] = { "minmax", "mean" };
	struct reply all = good("states/V_m?population=cell&neurons=0"), r;
	double max = -1e9, thin = -1e9;

	for (size_t i = 0; i < json_array_size(reply_at(&all, "/values/0")); i++)
		max = fmax(max, json_number_value(json_array_get(reply_at(&all, "/values/0"), i)));
	for (size_t m = 0; m < 2; m++) {
		char tail[128];

		(void)snprintf(tail, sizeof(tail),
			       "states/V_m?population=cell&neurons=0&max_points=20&method=%s",
			       methods[m]);
		r = good(tail);
		cr_assert_eq(json_array_size(reply_at(&r, "/t_ms")), 20);
		cr_assert(json_is_true(reply_at(&r, "/downsampled")));
		for (size_t i = 0; m == 0 && i < 20; i++)
			thin = fmax(thin, json_number_value(
						  json_array_get(reply_at(&r, "/values/0"), i)));
		reply_release(&r);
	}
	cr_assert_eq(thin, max);
	reply_release(&all);
}

/* One pair each: dw = A exp(-|dt| / 20), dt at the synapse, where posts arrive 1 ms late. */
static double ltp(double dt)
{
	return 0.005 * exp(-dt / 20);
}

static double ltd(double dt)
{
	return -0.00525 * exp(-dt / 20);
}

Test(results, updates_of_synapses_follow_the_rule)
{
	struct reply r = good("weights/series?projection=learn");
	/* synapse 1: source 1, pre 20 and 60; posts arrive at 16, 36.5, 81 */
	double w20 = 0.5 + ltd(4), w60 = w20 + ltp(16.5) + ltd(23.5) + ltd(44);

	HAS(r, "/synapses", 1, 0);
	HAS(r, "/source", 1, 0);
	HAS(r, "/target", 0, 0);
	HAS(r, "/t_ms/0", 20, 60);
	HAS(r, "/t_ms/1", 10, 30, 50);
	cr_assert_float_eq(reply_number(&r, "/weight/0/0"), w20, 1e-12);
	cr_assert_float_eq(reply_number(&r, "/weight/0/1"), w60, 1e-12);
	cr_assert_eq(reply_number(&r, "/weight/1/0"), 0.5);
	reply_release(&r);
	r = good("weights/series?projection=learn&synapses=0&t0_ms=20&format=csv");
	cr_assert_eq(strncmp(r.body, "synapse,t_ms,weight\r\n0,30,", 26), 0, "%s", r.body);
	reply_release(&r);
}

Test(results, weights_are_the_snapshot_at_or_before)
{
	struct reply r = good("weights?projection=learn&at_ms=49.9"), last;
	double w20 = 0.5 + ltd(4);

	cr_assert_eq(reply_number(&r, "/at_ms"), 25);
	HAS(r, "/source", 0, 1);
	HAS(r, "/target", 0, 0);
	cr_assert_float_eq(reply_number(&r, "/weight/1"), w20, 1e-12);
	reply_release(&r);
	last = good("weights?projection=learn");
	cr_assert_eq(reply_number(&last, "/at_ms"), 100);
	cr_assert_eq(reply_number(&last, "/count"), 2);
	reply_release(&last);
	r = good("weights?projection=learn&at_ms=0");
	HAS(r, "/weight", 0.5, 0.5);
	reply_release(&r);
}

Test(results, a_matrix_has_a_row_for_each_source)
{
	struct reply r = good("weights/matrix?projection=learn"),
		     w = good("weights?projection=learn");

	cr_assert_eq(json_array_size(reply_at(&r, "/values")), 2);
	cr_assert_eq(reply_number(&r, "/values/1/0"), reply_number(&w, "/weight/1"));
	reply_release(&r);
	r = good("weights/matrix?projection=learn&rows=1&cols=1");
	cr_assert_float_eq(reply_number(&r, "/values/0/0"),
			   (reply_number(&w, "/weight/0") + reply_number(&w, "/weight/1")) / 2,
			   1e-15);
	reply_release(&r);
	/* the two sources of the one target as an image */
	r = good("weights/matrix?projection=learn&rows=1&cols=2");
	cr_assert_eq(reply_number(&r, "/values/0/1"), reply_number(&w, "/weight/1"));
	reply_release(&r);
	reply_release(&w);
}

Test(results, histograms_count_all_synapses_at_all_times)
{
	struct reply r = good("weights/histogram?projection=learn&bins=3");
	const json_t *counts = reply_at(&r, "/counts");

	HAS(r, "/at_ms", 0, 25, 50, 75, 100);
	cr_assert_eq(json_array_size(reply_at(&r, "/edges")), 4);
	for (size_t i = 0; i < json_array_size(counts); i++) {
		double sum = 0;

		for (size_t k = 0; k < 3; k++)
			sum += json_number_value(json_array_get(json_array_get(counts, i), k));
		cr_assert_eq(sum, 2);
	}
	reply_release(&r);
}

Test(results, measured_pairs_lie_on_the_window_where_nothing_else_is_near)
{
	struct reply r = good("stdp?projection=learn&synapses=0");

	/* pre 30 -> 50: the post arrival at 36.5 facilitates from 30 (dt 6.5) and depresses at 50
	 * (dt -13.5) with that at 16 */
	HAS(r, "/t_ms", 30, 50);
	HAS(r, "/dt_ms", 6, 6.5);
	cr_assert_float_eq(reply_number(&r, "/dw/0"), ltp(6) + ltd(14), 1e-12);
	cr_assert_gt(json_array_size(reply_at(&r, "/window/dt_ms")), 50);
	cr_assert_eq(json_array_size(reply_at(&r, "/window/dt_ms")),
		     json_array_size(reply_at(&r, "/window/dw")));
	reply_release(&r);
}

Test(results, every_view_comes_in_every_format_with_the_same_numbers)
{
	static const char *const views[] = { "spikes?population=in&",
					     "raster?population=in&",
					     "rates?",
					     "isi?population=in&",
					     "states/V_m?",
					     "weights?",
					     "weights/matrix?",
					     "weights/histogram?",
					     "weights/series?",
					     "stdp?",
					     "why?synapse=0&",
					     "psth?population=out&events_ms=15,50&" };
	static const char *const formats[] = { "json", "ndjson", "csv", "npz" };

	for (size_t v = 0; v < sizeof(views) / sizeof(views[0]); v++)
		for (size_t f = 0; f < 4; f++) {
			char tail[128];
			struct reply r;

			(void)snprintf(tail, sizeof(tail), "%sformat=%s", views[v], formats[f]);
			r = good(tail);
			cr_assert_gt(r.len, 10, "%s", tail);
			if (f == 0)
				cr_assert(json_is_object(r.json), "%s: %s", tail, r.body);
			if (f == 3)
				cr_assert(npz_is(r.body, r.len), "%s", tail);
			reply_release(&r);
		}
}

Test(results, csv_and_ndjson_have_a_line_a_row)
{
	static const char *const accept[] = { "Accept: text/csv", NULL };
	char path[256], type[64];
	struct reply r = good("spikes?population=in&format=csv");

	cr_assert_str_eq(r.body, "t_ms,neuron\r\n10,0\r\n20,1\r\n30,0\r\n50,0\r\n60,1\r\n");
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/spikes?population=out", run);
	r = harness_ask(&h, "GET", path, NULL, accept);
	cr_assert_str_eq(r.body, "t_ms,neuron\r\n15,0\r\n35.5,0\r\n80,0\r\n");
	cr_assert(reply_header(&r, "Content-Type", type, sizeof(type)));
	cr_assert_eq(strncmp(type, "text/csv", 8), 0);
	reply_release(&r);
	r = good("spikes?population=out&format=ndjson&t1_ms=20");
	cr_assert_str_eq(r.body, "{\"t_ms\":15,\"neuron\":0}\n");
	reply_release(&r);
	r = good("states/V_m?format=csv&t1_ms=1");
	cr_assert_eq(strncmp(r.body, "t_ms,V_m_2,V_m_0\r\n0.5,", 22), 0, "%s", r.body);
	reply_release(&r);
}

Test(results, npz_has_the_json_names_and_the_same_bits)
{
	struct reply json = good("states/V_m?neurons=0"),
		     r = good("states/V_m?neurons=0&format=npz");
	struct npz_entry *entries = NULL;
	struct mem_arena arena;
	struct err err = { 0 };
	size_t n = 0, found = 0;

	mem_arena_init(&arena, 0);
	cr_assert_eq(npz_read(r.body, r.len, 1 << 24, &arena, &entries, &n, &err), 0, "%s",
		     err.text);
	for (size_t i = 0; i < n; i++) {
		const json_t *values = reply_at(&json, "/values/0");
		struct npy_header head;

		if (strcmp(entries[i].name, "values") != 0)
			continue;
		found++;
		cr_assert_eq(npy_parse(&head, entries[i].bytes, entries[i].n, &err), 0, "%s",
			     err.text);
		cr_assert_eq(head.n_dims, 2);
		cr_assert_eq(head.dim[1], json_array_size(values));
		for (size_t k = 0; k < json_array_size(values); k++)
			cr_assert_eq(npy_get(head.type, entries[i].bytes + head.data_offset, k),
				     json_number_value(json_array_get(values, k)));
	}
	cr_assert_eq(found, 1);
	mem_arena_release(&arena);
	reply_release(&r);
	reply_release(&json);
}

Test(results, an_answer_known_by_its_etag_is_not_sent_again)
{
	char path[256], etag[128], line[160];
	const char *headers[] = { line, NULL };
	struct reply r = good("rates?population=in"), other = good("rates?population=in&bin_ms=20");

	cr_assert(reply_header(&r, "ETag", etag, sizeof(etag)));
	cr_assert_eq(etag[0], '"', "it is a strong one");
	(void)snprintf(line, sizeof(line), "If-None-Match: %s", etag);
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/rates?population=in", run);
	r = harness_ask(&h, "GET", path, NULL, headers);
	cr_assert_eq(r.status, 304);
	cr_assert_eq(r.len, 0);
	reply_release(&r);
	cr_assert(reply_header(&other, "ETag", line, sizeof(line)));
	cr_assert_str_neq(line, etag, "another query is another answer");
	reply_release(&other);
}

/* No format of the views, unless any will do. */
static void unacceptable(const char *accept, int status)
{
	char path[128], line[128];
	const char *const headers[] = { line, NULL };
	struct reply r;

	(void)snprintf(path, sizeof(path), "/v1/runs/%s/spikes?population=in", run);
	(void)snprintf(line, sizeof(line), "Accept: %s", accept);
	r = harness_ask(&h, "GET", path, NULL, headers);
	cr_assert_eq(r.status, status, "%s: %d %s", accept, r.status, r.body);
	reply_release(&r);
}

Test(results, what_cannot_be_answered_says_why)
{
	refused("spikes", 422, "missing", "population=");
	refused("spikes?population=nobody", 422, "unknown-name", "nobody");
	refused("spikes?population=cell", 409, "not-recorded", "spikes");
	refused("spikes?population=in&neurons=0-5", 422, "out-of-range", "0 to 1");
	refused("spikes?population=in&neurons=1-", 422, "out-of-range", "?neurons");
	refused("spikes?population=in&t0_ms=50&t1_ms=20", 422, "out-of-range", "?t1_ms");
	refused("spikes?population=in&t0_ms=-1", 422, "out-of-range", "?t0_ms");
	refused("spikes?population=in&t0_ms=now", 422, "wrong-type", "?t0_ms");
	refused("spikes?population=in&window=3", 422, "unknown-name", "?window");
	refused("spikes?population=in&format=xml", 406, "not-acceptable", "xml");
	refused("results?format=csv", 406, "not-acceptable", "JSON");
	unacceptable("image/png", 406);
	unacceptable("image/png, */*;q=0.1", 200);
	unacceptable("application/json;q=0", 406);
	refused("states/I_e?population=cell", 409, "not-recorded", "every_ms");
	refused("states/V_m?population=cell&neurons=1", 409, "not-recorded", "neurons");
	refused("states/V_m?population=cell&method=median", 422, "unknown-name", "minmax or mean");
	refused("rates?bin_ms=0.15", 422, "off-grid", "?bin_ms");
	refused("rates?population=cell", 409, "not-recorded", "bin_ms");
	refused("weights?projection=drive", 409, "not-recorded", "weights");
	refused("weights?projection=nothing", 422, "unknown-name", "nothing");
	refused("weights/series?projection=drive", 409, "not-recorded", "update");
	refused("weights/series?projection=learn&synapses=2", 422, "out-of-range", "?synapses");
	refused("weights/matrix?projection=learn&rows=0", 422, "out-of-range", "?rows");
	refused("stdp?projection=drive", 409, "not-recorded", "update");
	refused("tables/window", 404, "not-found", "window");
	(void)snprintf(run, sizeof(run), "0123456789abcdef0123456789abcdef");
	refused("spikes?population=in", 404, "not-found", "run");
	refused("results", 404, "not-found", "run");
	(void)snprintf(run, sizeof(run), "nonsense");
	refused("results", 404, "not-found", "run");
}

/* Wait until some time has been simulated. */
static void wait_for_progress(void)
{
	char path[128];
	double t = 0;

	(void)snprintf(path, sizeof(path), "/v1/runs/%s", run);
	for (int i = 0; i < 100 && !(t > 0); i++) {
		struct reply r = harness_get(&h, path);

		t = reply_number(&r, "/progress/t_ms");
		reply_release(&r);
		(void)nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	}
	cr_assert_gt(t, 0);
}

Test(results, a_run_that_goes_on_has_no_results_yet_and_a_cancelled_one_has_partial_ones)
{
	char path[128];
	struct reply r;

	harness_run(&h, SPECS_SLOW, run);
	cr_assert(harness_state(&h, run, "running", 10));
	wait_for_progress();
	refused("spikes?population=in", 409, "wrong-state", "running");
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/cancel", run);
	r = harness_ask(&h, "POST", path, "{}", NULL);
	cr_assert_eq(r.status, 202, "%s", r.body);
	reply_release(&r);
	r = harness_wait(&h, run, 20);
	cr_assert_str_eq(reply_text(&r, "/state"), "cancelled", "%s", r.body);
	reply_release(&r);
	r = good("spikes?population=in&max_points=10");
	cr_assert(json_is_true(reply_at(&r, "/partial")), "%s", r.body);
	reply_release(&r);
	r = good("results");
	cr_assert(json_is_true(reply_at(&r, "/partial")));
	reply_release(&r);
}

Test(results, an_experiment_leaves_its_table)
{
	struct reply r;

	harness_run(&h,
		    "{\"spec\":{\"experiment\":\"stdp_window\",\"params\":{\"dt_ms\":[-20,-10,10,"
		    "20]},\"seed\":\"1\"}}",
		    run);
	r = harness_wait(&h, run, 20);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	reply_release(&r);
	r = good("tables/window");
	cr_assert_str_eq(reply_text(&r, "/name"), "window");
	cr_assert_str_eq(reply_text(&r, "/columns/0/name"), "dt_ms");
	cr_assert_str_eq(reply_text(&r, "/columns/0/unit"), "ms");
	HAS(r, "/columns/0/values", -20, -10, 10, 20);
	cr_assert_float_eq(reply_number(&r, "/columns/1/values/2"), ltp(10), 1e-12);
	reply_release(&r);
	r = good("stdp");
	cr_assert_float_eq(reply_number(&r, "/dw/1"), ltd(10), 1e-12);
	cr_assert_float_eq(reply_number(&r, "/window/dw/1"), ltd(10), 1e-12);
	reply_release(&r);
	r = good("tables/window?format=csv");
	cr_assert_eq(strncmp(r.body, "dt_ms,dw,dw_theory\r\n-20,", 24), 0, "%s", r.body);
	reply_release(&r);
}

Test(results, results_survive_a_kill)
{
	struct reply before = good("spikes?population=in"), after;

	harness_kill(&h);
	harness_again(&h, NULL);
	after = good("spikes?population=in");
	cr_assert_str_eq(before.body, after.body);
	reply_release(&before);
	reply_release(&after);
}
