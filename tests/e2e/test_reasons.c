/* test_reasons - why a weight changed, spikes around events, and the files of a run. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "server/npz.h"
#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

#define TRAINS(pairing) \
	"{\"spec\":{\"resolution_ms\":0.1,\"duration_ms\":100,\"seed\":\"1\",\"populations\":{" \
	"\"in\":{\"model\":\"spike_generator\",\"size\":2,\"params\":{\"spike_times\":[[10,30,50]" \
	",[20,60]]}}," \
	"\"out\":{\"model\":\"spike_generator\",\"size\":1,\"params\":{\"spike_times\":[15,35.5," \
	"80]}}},\"projections\":{" \
	"\"learn\":{\"source\":\"in\",\"target\":\"out\",\"connect\":{\"rule\":\"all_to_all\"}," \
	"\"synapse\":{\"model\":\"stdp_pair\",\"weight\":0.5,\"delay_ms\":1,\"params\":{\"w_" \
	"max\":1" pairing "}}}},\"record\":{"
#define RECORDED(pairing) \
	TRAINS(pairing) \
	"\"spikes\":[\"in\",\"out\"]," \
	"\"weights\":[{\"projection\":\"learn\",\"synapses\":[0],\"every\":\"update\"}]}}}"

static struct harness h;
static char run[64];

static void setup(void)
{
	struct reply r;

	harness_new(&h, NULL);
	harness_run(&h, RECORDED(""), run);
	r = harness_wait(&h, run, 20);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	reply_release(&r);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(reasons, .init = setup, .fini = teardown, .timeout = 60);

static struct reply view(const char *tail, const char *const *headers)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "/v1/runs/%s/%s", run, tail);
	return harness_ask(&h, "GET", path, NULL, headers);
}

static void has(const struct reply *r, const char *pointer, const double *x, size_t n)
{
	const json_t *list = reply_at(r, pointer);

	cr_assert_eq(json_array_size(list), n, "%s in %s", pointer, r->body);
	for (size_t i = 0; i < n; i++)
		cr_assert_float_eq(json_number_value(json_array_get(list, i)), x[i], 1e-12,
				   "%s[%zu] in %s", pointer, i, r->body);
}

#define HAS(r, pointer, ...) \
	has(&(r), pointer, (const double[]){ __VA_ARGS__ }, \
	    sizeof((const double[]){ __VA_ARGS__ }) / sizeof(double))

Test(reasons, the_pairs_of_a_synapse_add_up_to_what_was_measured)
{
	struct reply r = view("why?projection=learn&synapse=0", NULL);
	const json_t *rest, *measured;

	cr_assert_eq(r.status, 200, "%s", r.body);
	/* At 30: the post arrival at 16 after pre 10, and before pre 30. At 50: the arrival at 36.5
	 * after 30 and 10, and pre 50 behind 36.5 and 16. */
	HAS(r, "/t_pre_ms", 10, 30, 30, 10, 50, 50);
	HAS(r, "/t_post_ms", 15, 15, 35.5, 35.5, 35.5, 15);
	HAS(r, "/dt_ms", 6, -14, 6.5, 26.5, -13.5, -34);
	HAS(r, "/update", 1, 1, 2, 2, 2, 2);
	HAS(r, "/update_t_ms", 10, 30, 50);
	cr_assert_gt(reply_number(&r, "/dw/0"), 0.0);
	cr_assert_lt(reply_number(&r, "/dw/1"), 0.0);
	rest = reply_at(&r, "/update_residual");
	measured = reply_at(&r, "/update_dw");
	cr_assert(json_is_null(json_array_get(measured, 0)), "what was before is not recorded");
	for (size_t k = 1; k < 3; k++) {
		cr_assert_gt(fabs(json_number_value(json_array_get(measured, k))), 1e-4);
		cr_assert_float_eq(json_number_value(json_array_get(rest, k)), 0.0, 1e-12, "%s",
				   r.body);
	}
	reply_release(&r);
}

Test(reasons, a_pairing_of_neighbours_has_neighbours_only)
{
	struct reply r;

	harness_run(&h, RECORDED(",\"pairing\":\"nearest_symmetric\""), run);
	r = harness_wait(&h, run, 20);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	reply_release(&r);
	r = view("why?projection=learn&synapse=0", NULL);
	HAS(r, "/dt_ms", 6, -14, 6.5, -13.5);
	cr_assert_float_eq(reply_number(&r, "/update_residual/2"), 0.0, 1e-12, "%s", r.body);
	reply_release(&r);
}

Test(reasons, what_was_not_recorded_has_no_reasons)
{
	static const struct {
		const char *tail;
		int status;
	} cases[] = { { "why?projection=learn", 422 },
		      { "why?projection=none&synapse=0", 422 },
		      { "why?projection=learn&synapse=99", 422 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply r = view(cases[i].tail, NULL);

		cr_assert_eq(r.status, cases[i].status, "%s: %s", cases[i].tail, r.body);
		reply_release(&r);
	}
}

static void run_of(const char *body)
{
	struct reply r;

	harness_run(&h, body, run);
	r = harness_wait(&h, run, 20);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	reply_release(&r);
}

/* Where nothing can be queued, nothing is simulated again either. */
Test(reasons, spikes_alone_tell_the_pairs_but_not_what_each_did)
{
	static const char *const closed[] = { "--queue-max", "0", NULL };
	struct npz_entry *entries = NULL;
	struct npy_header head = { 0 };
	struct mem_arena arena;
	char bare[64], in_only[64], no_weights[64];
	struct reply r;
	size_t n = 0;

	(void)snprintf(bare, sizeof(bare), "%s", run);
	run_of(TRAINS("") "\"spikes\":[\"in\"]}}}");
	(void)snprintf(in_only, sizeof(in_only), "%s", run);
	run_of(TRAINS("") "\"spikes\":[\"in\",\"out\"],\"final_weights\":false}}}");
	(void)snprintf(no_weights, sizeof(no_weights), "%s", run);
	run_of(TRAINS("") "\"spikes\":[\"in\",\"out\"]}}}");
	(void)harness_stop(&h);
	harness_again(&h, closed);
	/* Those of a synapse that others record are the same without its recorder. */
	r = view("why?projection=learn&synapse=0", NULL);
	HAS(r, "/t_pre_ms", 10, 30, 30, 10, 50, 50);
	HAS(r, "/dt_ms", 6, -14, 6.5, 26.5, -13.5, -34);
	HAS(r, "/update", 1, 1, 2, 2, 2, 2);
	reply_release(&r);
	(void)snprintf(run, sizeof(run), "%s", bare);
	r = view("why?projection=learn&synapse=1", NULL);
	/* Behind pre 20 the arrival at 16; at 60 the one at 36.5 after 20, and 60 behind 36.5 and 16. */
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert(json_is_false(reply_at(&r, "/recorded")));
	cr_assert_not_null(strstr(reply_text(&r, "/note"), "0 runs are waiting already"), "%s",
			   r.body);
	HAS(r, "/t_pre_ms", 20, 20, 60, 60);
	HAS(r, "/dt_ms", -4, 16.5, -23.5, -44);
	HAS(r, "/update", 0, 1, 1, 1);
	HAS(r, "/update_t_ms", 20, 60);
	cr_assert(json_is_null(reply_at(&r, "/dw/0")), "%s", r.body);
	cr_assert_eq(reply_number(&r, "/non_finite"), 4);
	cr_assert_null(reply_at(&r, "/update_dw"));
	cr_assert_eq(reply_number(&r, "/source"), 1);
	reply_release(&r);
	r = view("why?projection=learn&synapse=1&format=csv", NULL); /* nothing stands for none */
	cr_assert_not_null(strstr(r.body, "\r\n20,15,-4,,0\r\n"), "%s", r.body);
	reply_release(&r);
	r = view("why?projection=learn&synapse=1&format=npz", NULL); /* the bits of NaN */
	cr_assert_eq(r.status, 200);
	mem_arena_init(&arena, 0);
	cr_assert_eq(npz_read(r.body, r.len, SIZE_MAX / 2, &arena, &entries, &n, NULL), 0);
	cr_assert_str_eq(entries[3].name, "dw");
	cr_assert_eq(npy_parse(&head, entries[3].bytes, entries[3].n, NULL), 0);
	cr_assert(isnan(npy_get(head.type, entries[3].bytes + head.data_offset, 0)));
	mem_arena_release(&arena);
	reply_release(&r);
	(void)snprintf(run, sizeof(run), "%s", in_only);
	r = view("why?projection=learn&synapse=0", NULL);
	cr_assert_eq(r.status, 409, "%s", r.body);
	cr_assert_not_null(strstr(reply_text(&r, "/detail"), "spikes of out were not recorded"),
			   "%s", r.body);
	reply_release(&r);
	(void)snprintf(run, sizeof(run), "%s", no_weights);
	r = view("why?projection=learn&synapse=0", NULL);
	cr_assert_eq(r.status, 409, "%s", r.body);
	reply_release(&r);
}

/* How many runs there are. */
static double count_runs(void)
{
	struct reply r = harness_get(&h, "/v1/runs?total=true");
	double n = reply_number(&r, "/total");

	reply_release(&r);
	return n;
}

static void same(const struct reply *a, const struct reply *b, const char *pointer)
{
	cr_assert_gt(json_array_size(reply_at(a, pointer)), 0, "%s in %s", pointer, a->body);
	cr_assert(json_equal(reply_at(a, pointer), reply_at(b, pointer)), "%s: %s and %s", pointer,
		  a->body, b->body);
}

Test(reasons, a_synapse_that_was_not_recorded_is_simulated_again_once)
{
	static const char *const columns[] = { "/t_pre_ms",  "/t_post_ms",     "/dt_ms",
					       "/dw",	     "/update",	       "/update_t_ms",
					       "/update_dw", "/update_weight", "/update_residual" };
	static const char *const wait[] = { "Prefer: wait=20", NULL };
	struct reply all, r, made;
	char bare[64], path[160], etag[80], line[100];
	const char *const again[] = { line, NULL };
	double before;

	run_of(TRAINS("") "\"spikes\":[\"in\",\"out\"]}}}");
	(void)snprintf(bare, sizeof(bare), "%s", run);
	run_of(TRAINS("") "\"spikes\":[\"in\",\"out\"],\"weights\":[{\"projection\":\"learn\","
			  "\"synapses\":[0,1],\"every\":\"update\"}]}}}");
	all = view("why?projection=learn&synapse=1", NULL);
	(void)snprintf(run, sizeof(run), "%s", bare);
	before = count_runs();
	r = view("why?projection=learn&synapse=1", wait);
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert(json_is_false(reply_at(&r, "/recorded")));
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		same(&r, &all, columns[i]);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s", reply_text(&r, "/run_id"));
	made = harness_get(&h, path);
	cr_assert(json_is_true(reply_at(&made, "/verification/equal")), "%s", made.body);
	cr_assert_str_eq(reply_text(&made, "/verification/run_id"), bare, "%s", made.body);
	reply_release(&made);
	cr_assert(reply_header(&r, "ETag", etag, sizeof(etag)));
	reply_release(&r);
	r = view("why?projection=learn&synapse=1", NULL); /* without a wait */
	cr_assert_eq(r.status, 200, "%s", r.body);
	same(&r, &all, "/dw");
	reply_release(&r);
	cr_assert_eq(count_runs(), before + 1.0);
	(void)snprintf(line, sizeof(line), "If-None-Match: %s", etag);
	r = view("why?projection=learn&synapse=1", again);
	cr_assert_eq(r.status, 304);
	reply_release(&r);
	reply_release(&all);
}

/* Behind a run that goes on for hours, in a server that runs one at a time. */
Test(reasons, until_it_has_been_simulated_again_the_answer_is_the_pairs_and_when_to_ask)
{
	static const char *const one[] = { "--slots", "1", NULL };
	static const char *const soon[] = { "Prefer: wait=1", NULL }, *const wait[] = {
		"Prefer: wait=20", NULL
	};
	char path[160], etag[80], slow[64], why_run[64] = "";
	struct reply r;

	(void)harness_stop(&h);
	harness_again(&h, one);
	harness_run(&h, SPECS_SLOW, slow);
	cr_assert(harness_state(&h, slow, "running", 20));
	for (int i = 0; i < 2; i++) { /* the second finds the run of the first */
		r = view("why?projection=learn&synapse=1", i ? soon : NULL);
		cr_assert_eq(r.status, 202, "%s", r.body);
		HAS(r, "/dt_ms", -4, 16.5, -23.5, -44);
		cr_assert(json_is_null(reply_at(&r, "/dw/0")), "%s", r.body);
		cr_assert(reply_header(&r, "Retry-After", etag, sizeof(etag)));
		cr_assert_not(reply_header(&r, "ETag", etag, sizeof(etag)),
			      "it is not the last word");
		cr_assert_eq(
			sscanf(strstr(reply_text(&r, "/note"), "run "), "run %32[0-9a-f]", path),
			1);
		cr_assert(i == 0 || strcmp(why_run, path) == 0, "%s", r.body);
		(void)snprintf(why_run, sizeof(why_run), "%.60s", path);
		reply_release(&r);
	}
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/cancel", slow);
	r = harness_ask(&h, "POST", path, NULL, NULL);
	reply_release(&r);
	r = view("why?projection=learn&synapse=1", wait);
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/run_id"), why_run, "%s", r.body);
	cr_assert_gt(reply_number(&r, "/dw/0"), 0.0, "%s", r.body);
	reply_release(&r);
}

static void change(const char *sql)
{
	char path[320];
	sqlite3 *db = NULL;

	(void)snprintf(path, sizeof(path), "%s/stdpd.db", h.dir);
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 5000);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	(void)sqlite3_close(db);
}

static void says(const char *const *headers, const char *text)
{
	struct reply r = view("why?projection=learn&synapse=1", headers);

	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert(json_is_null(reply_at(&r, "/dw/0")), "%s", r.body);
	cr_assert_not_null(strstr(reply_text(&r, "/note"), text), "\"%s\" in %s", text, r.body);
	reply_release(&r);
}

Test(reasons, why_it_is_not_simulated_again_is_said)
{
	struct reply r = harness_ask(&h, "POST", "/v1/tokens",
				     "{\"name\":\"reader\",\"scopes\":[\"read\"]}", NULL);
	char line[128], path[160];
	const char *const reader[] = { line, NULL };

	(void)snprintf(line, sizeof(line), "Authorization: Bearer %s", reply_text(&r, "/token"));
	reply_release(&r);
	says(reader, "a token with the scope run");
	change("DELETE FROM token");
	r = harness_ask(&h, "POST", "/v1/sessions", TRAINS("") "\"spikes\":[\"in\",\"out\"]}}}",
			NULL);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s", reply_text(&r, "/id"));
	reply_release(&r);
	(void)snprintf(path + strlen(path), 80, "/step");
	r = harness_ask(&h, "POST", path, "{\"duration_ms\":50}", NULL);
	cr_assert_eq(r.status, 200, "%s", r.body);
	reply_release(&r);
	(void)snprintf(strrchr(path, '/'), 80, "/why?projection=learn&synapse=1");
	r = harness_get(&h, path);
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert_not_null(strstr(reply_text(&r, "/note"), "save the session"), "%s", r.body);
	reply_release(&r);
	change("UPDATE run SET provenance=json_set(provenance,'$.version','0.0')");
	says(NULL, "by engine 0.0");
	change("UPDATE run SET state='cancelled'");
	says(NULL, "only a run that succeeded");
	cr_assert_eq(count_runs(), 1.0, "none was queued");
}

Test(reasons, spikes_around_events_are_counted)
{
	struct reply r = view(
		"psth?population=out&source=in&neurons=0&before_ms=10&after_ms=20&bin_ms=10", NULL);

	/* in: 10, 20, 30, 50, 60; out 15 is 5 behind 10 and 5 before 20; 35.5 is 15.5 behind 20 and
	 * 5.5 behind 30; 80 is 20 behind 60, which is outside */
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert_eq(reply_number(&r, "/events"), 5.0);
	HAS(r, "/t_ms", -10, 0, 10);
	HAS(r, "/counts", 1, 2, 1);
	HAS(r, "/rate_hz", 1 / 0.05, 2 / 0.05, 1 / 0.05);
	reply_release(&r);
	r = view("psth?population=in&events_ms=50,15&before_ms=0&after_ms=10&bin_ms=5", NULL);
	HAS(r, "/counts", 1, 1);
	reply_release(&r);
	r = view("psth?population=in", NULL);
	cr_assert_eq(r.status, 422);
	reply_release(&r);
	r = view("psth?population=in&events_ms=1,x", NULL);
	cr_assert_eq(r.status, 422);
	reply_release(&r);
	r = view("psth?population=in&events_ms=1&bin_ms=7", NULL);
	cr_assert_eq(r.status, 422, "bins must fill the window");
	reply_release(&r);
}

Test(reasons, every_file_in_the_list_is_there_and_as_long_as_it_says)
{
	struct reply list = view("artifacts", NULL), r;
	json_t *item;
	size_t i, npy = 0;

	cr_assert_eq(list.status, 200, "%s", list.body);
	json_array_foreach(reply_at(&list, "/items"), i, item)
	{
		const char *href = json_string_value(json_object_get(item, "href"));
		char etag[80];

		r = harness_get(&h, href);
		cr_assert_eq(r.status, 200, "%s", href);
		cr_assert_eq((json_int_t)r.len, json_integer_value(json_object_get(item, "bytes")),
			     "%s", href);
		cr_assert(reply_header(&r, "ETag", etag, sizeof(etag)) && etag[0] == '"');
		npy += r.len > 10 && memcmp(r.body, "\x93NUMPY", 6) == 0;
		reply_release(&r);
	}
	cr_assert_geq(npy, 4);
	reply_release(&list);
	r = view("artifacts/..%2f..%2fstdpd.db", NULL);
	cr_assert_eq(r.status, 404);
	reply_release(&r);
}

/* Two recorders of one population, and populations whose names differ in letters a file's name has not. */
Test(reasons, files_that_would_have_one_name_are_told_apart)
{
	static const struct {
		const char *name;
		size_t bytes; /* behind a head of 128 */
	} cases[] = {
		{ "spikes.a_b.step.npy", 8 },	 { "spikes.a_b.step~2.npy", 16 },
		{ "spikes.a_b.step~3.npy", 24 }, { "spikes.a_b.neuron~2.npy", 8 },
		{ "rates.a_b.count.npy", 80 },	 { "rates.a_b.count~2.npy", 40 },
	};
	struct reply list;
	json_t *item, *other;
	size_t i, k;

	run_of("{\"spec\":{\"duration_ms\":100,\"populations\":{"
	       "\"a "
	       "b\":{\"model\":\"spike_generator\",\"size\":1,\"params\":{\"spike_times\":[1]}},"
	       "\"a,b\":{\"model\":\"spike_generator\",\"size\":1,\"params\":{\"spike_times\":[1,2]"
	       "}},"
	       "\"a_b\":{\"model\":\"spike_generator\",\"size\":1,\"params\":{\"spike_times\":[1,2,"
	       "3]}}},"
	       "\"record\":{\"spikes\":[\"a "
	       "b\",\"a,b\",\"a_b\"],\"rates\":[{\"population\":\"a,b\","
	       "\"bin_ms\":10},{\"population\":\"a,b\",\"bin_ms\":20}]}}}");
	list = view("artifacts", NULL);
	json_array_foreach(reply_at(&list, "/items"), i, item)
	{
		json_array_foreach(reply_at(&list, "/items"), k, other)
			cr_assert(i == k || !json_equal(json_object_get(item, "name"),
							json_object_get(other, "name")),
				  "%s", list.body);
	}
	reply_release(&list);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char tail[128];
		struct reply r;

		(void)snprintf(tail, sizeof(tail), "artifacts/%s", cases[i].name);
		r = view(tail, NULL);
		cr_assert_eq(r.status, 200, "%s: %s", tail, r.body);
		cr_assert_eq(r.len, 128 + cases[i].bytes, "%s: %zu", tail, r.len);
		reply_release(&r);
	}
}

Test(reasons, a_part_of_a_file_is_had_by_range)
{
	static const struct {
		const char *range;
		int status;
		size_t from, n; /* n 0: to the end */
	} cases[] = { { "Range: bytes=0-9", 206, 0, 10 },     { "Range: bytes=5-", 206, 5, 0 },
		      { "Range: bytes=2-2", 206, 2, 1 },      { "Range: bytes=9-5", 200, 0, 0 },
		      { "Range: bytes=0-1,4-5", 200, 0, 0 },  { "Range: lines=0-1", 200, 0, 0 },
		      { "Range: bytes=99999999-", 416, 0, 0 } };
	struct reply whole = view("artifacts/spec.json", NULL), r;
	char etag[80], line[100], part[80];

	cr_assert(reply_header(&whole, "ETag", etag, sizeof(etag)));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const headers[] = { cases[i].range, NULL };
		size_t n = cases[i].n ? cases[i].n : whole.len - cases[i].from;

		r = view("artifacts/spec.json", headers);
		cr_assert_eq(r.status, cases[i].status, "%s: %d", cases[i].range, r.status);
		cr_assert_eq(reply_header(&r, "Content-Range", part, sizeof(part)),
			     r.status != 200);
		if (r.status == 416) {
			cr_assert_not_null(strstr(r.headers, "application/problem+json"));
			cr_assert_not_null(strstr(reply_text(&r, "/instance"), "/spec.json"), "%s",
					   r.body);
		} else {
			cr_assert_eq(r.len, n, "%s", cases[i].range);
			cr_assert_eq(memcmp(r.body, whole.body + cases[i].from, n), 0);
		}
		reply_release(&r);
	}
	for (int same = 0; same < 2; same++) {
		const char *const headers[] = { "Range: bytes=-4", line, NULL };

		(void)snprintf(line, sizeof(line), "If-Range: %s", same ? etag : "\"other\"");
		r = view("artifacts/spec.json", headers);
		cr_assert_eq(r.status, same ? 206 : 200);
		cr_assert_eq(r.len, same ? 4 : whole.len);
		reply_release(&r);
	}
	(void)snprintf(line, sizeof(line), "If-None-Match: %s", etag);
	{
		const char *const headers[] = { line, NULL };

		r = view("artifacts/spec.json", headers);
		cr_assert_eq(r.status, 304);
		cr_assert_eq(r.len, 0);
		reply_release(&r);
	}
	reply_release(&whole);
}
