/* test_reasons - why a weight changed, spikes around events, and the files of a run. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
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

Test(reasons, spikes_alone_tell_the_pairs_but_not_what_each_did)
{
	struct reply r = view("why?projection=learn&synapse=1", NULL);
	struct npz_entry *entries = NULL;
	struct npy_header head = { 0 };
	struct mem_arena arena;
	size_t n = 0;

	/* Behind pre 20 the arrival at 16; at 60 the one at 36.5 after 20, and 60 behind 36.5 and 16. */
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert(json_is_false(reply_at(&r, "/recorded")));
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
	/* Those of the recorded one are the same without its recorder. */
	run_of(TRAINS("") "\"spikes\":[\"in\",\"out\"]}}}");
	r = view("why?projection=learn&synapse=0", NULL);
	HAS(r, "/t_pre_ms", 10, 30, 30, 10, 50, 50);
	HAS(r, "/dt_ms", 6, -14, 6.5, 26.5, -13.5, -34);
	HAS(r, "/update", 1, 1, 2, 2, 2, 2);
	reply_release(&r);
	run_of(TRAINS("") "\"spikes\":[\"in\"]}}}");
	r = view("why?projection=learn&synapse=0", NULL);
	cr_assert_eq(r.status, 409, "%s", r.body);
	cr_assert_not_null(strstr(reply_text(&r, "/detail"), "spikes of out were not recorded"),
			   "%s", r.body);
	reply_release(&r);
	run_of(TRAINS("") "\"spikes\":[\"in\",\"out\"],\"final_weights\":false}}}");
	r = view("why?projection=learn&synapse=0", NULL);
	cr_assert_eq(r.status, 409, "%s", r.body);
	reply_release(&r);
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
		if (r.status != 416) {
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
