/* test_large - a result far larger than what the server puts together in memory for one answer. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/npy.h"
#include "server/npz.h"
#include "tests/e2e/harness.h"

/* A million spikes: 12 MB. */
#define SPIKES \
	"{\"spec\":{\"duration_ms\":5000,\"seed\":\"3\",\"populations\":{\"in\":{\"model\":" \
	"\"poisson_generator\",\"size\":2000,\"params\":{\"rate\":100}}},\"projections\":{}," \
	"\"record\":{\"spikes\":[\"in\"]}}}"

enum { ANSWER_MAX = 1 << 20, SPIKES_MIN = 900000 };

static const char *const args[] = { "--answer-max-mb", "1", "--http-threads", "2", NULL };
static struct harness h;
static char run[64];

static void setup(void)
{
	struct reply r;

	harness_new(&h, args);
	harness_run(&h, SPIKES, run);
	r = harness_wait(&h, run, 30);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	reply_release(&r);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(large, .init = setup, .fini = teardown, .timeout = 120);

static struct reply spikes(const char *method, const char *tail)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "/v1/runs/%s/spikes?population=in%s", run, tail);
	return harness_ask(&h, method, path, NULL, NULL);
}

/* kB of memory that the server has had at most. */
static long peak(void)
{
	char path[64], line[256];
	long kb = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)h.pid);
	f = fopen(path, "r");
	cr_assert_not_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %ld", &kb) == 1)
			break;
	(void)fclose(f);
	return kb;
}

Test(large, an_archive_leaves_without_being_built)
{
	struct reply r = spikes("GET", "&format=npz");
	struct npz_entry *entries = NULL;
	struct npy_header t = { 0 }, neuron = { 0 };
	struct mem_arena arena;
	char length[32];
	size_t n = 0;
	double last = 0.0;

	cr_assert_eq(r.status, 200, "%.200s", r.body);
	cr_assert_gt(r.len, 10 * ANSWER_MAX);
	cr_assert(reply_header(&r, "Content-Length", length, sizeof(length)));
	cr_assert_eq(strtoull(length, NULL, 10), r.len);
	mem_arena_init(&arena, 0);
	cr_assert_eq(npz_read(r.body, r.len, SIZE_MAX / 2, &arena, &entries, &n, NULL), 0);
	cr_assert_eq(n, 2);
	cr_assert_eq(npy_parse(&t, entries[0].bytes, entries[0].n, NULL), 0);
	cr_assert_eq(npy_parse(&neuron, entries[1].bytes, entries[1].n, NULL), 0);
	cr_assert_gt(t.dim[0], SPIKES_MIN);
	cr_assert_eq(t.dim[0], neuron.dim[0]);
	for (size_t i = 0; i < t.dim[0]; i++) {
		double x = npy_get(t.type, entries[0].bytes + t.data_offset, i);

		cr_assert(x >= last && x <= 5000.0);
		last = x;
	}
	mem_arena_release(&arena);
	reply_release(&r);
	r = spikes("HEAD", "&format=npz");
	cr_assert_eq(r.status, 200);
	reply_release(&r);
	r = spikes("GET", "&format=json"); /* the same as text is too much */
	cr_assert_eq(r.status, 422, "%.200s", r.body);
	reply_release(&r);
}

/* Two threads, and for each what is read and what is sent: twice its size, a third for what malloc keeps. */
Test(large, many_archives_take_no_more_memory_than_one)
{
	long before = peak(), kb = 0;

	if (harness_sanitized("STDPD")) {
		harness_free(&h); /* no teardown follows */
		cr_skip_test("skipped: a sanitizer keeps what is freed");
	}
	for (int i = 0; i < 12; i++) {
		struct reply r = spikes("GET", "&format=npz");

		cr_assert_eq(r.status, 200);
		kb = (long)(r.len / 1024);
		reply_release(&r);
	}
	cr_assert_lt(peak() - before, 2 * 3 * kb, "%ld kB, then %ld kB; one has %ld kB", before,
		     peak(), kb);
}

/* The whole of a file that is larger than an answer may be, and a part that begins in one block of the store
 * and ends in the next. */
static struct reply artifact(const char *group, const char *id, const char *name)
{
	const char *const headers[] = { "Range: bytes=1048000-1049999", NULL };
	char path[256], etag[2][64];
	struct reply r, part;

	(void)snprintf(path, sizeof(path), "/v1/%s/%s/artifacts/%s", group, id, name);
	r = harness_get(&h, path);
	cr_assert_eq(r.status, 200, "%s: %.200s", path, r.body);
	cr_assert_gt(r.len, ANSWER_MAX);
	part = harness_ask(&h, "GET", path, NULL, headers);
	cr_assert_eq(part.status, 206, "%.200s", part.body);
	cr_assert_eq(part.len, 2000);
	cr_assert_arr_eq(part.body, r.body + 1048000, 2000);
	cr_assert(reply_header(&r, "ETag", etag[0], sizeof(etag[0])));
	cr_assert(reply_header(&part, "ETag", etag[1], sizeof(etag[1])));
	cr_assert_str_eq(etag[0], etag[1]);
	cr_assert_eq(etag[0][0], '"', "a strong one: %s", etag[0]);
	reply_release(&part);
	part = harness_ask(&h, "HEAD", path, NULL, NULL);
	cr_assert_eq(part.status, 200);
	reply_release(&part);
	return r;
}

Test(large, a_file_is_sent_from_where_it_lies)
{
	char path[256], id[64], saved[64];
	struct npy_header head = { 0 };
	struct reply r = artifact("runs", run, "spikes.in.step.npy"), s;

	cr_assert_eq(npy_parse(&head, r.body, r.len, NULL), 0);
	cr_assert_eq(r.len, head.data_offset + 8 * head.dim[0]);
	for (size_t i = 1; i < head.dim[0]; i++)
		cr_assert_leq(npy_get(head.type, r.body + head.data_offset, i - 1),
			      npy_get(head.type, r.body + head.data_offset, i));
	reply_release(&r);

	r = harness_ask(&h, "POST", "/v1/sessions", SPIKES, NULL);
	(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/step", id);
	r = harness_ask(&h, "POST", path, "{\"duration_ms\":1000}", NULL);
	cr_assert_eq(r.status, 200, "%s", r.body);
	reply_release(&r);
	r = artifact("sessions", id, "spikes.in.step.npy");
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/save", id);
	s = harness_ask(&h, "POST", path, "{}", NULL);
	cr_assert_eq(s.status, 201, "%s", s.body);
	(void)snprintf(saved, sizeof(saved), "%s", reply_text(&s, "/id"));
	reply_release(&s);
	s = harness_wait(&h, saved, 30);
	cr_assert_str_eq(reply_text(&s, "/state"), "succeeded", "%s", s.body);
	reply_release(&s);
	s = artifact("runs", saved, "spikes.in.step.npy");
	cr_assert_eq(r.len, s.len, "its past as a run has the same files");
	cr_assert_arr_eq(r.body, s.body, r.len);
	reply_release(&s);
	reply_release(&r);
}

Test(large, more_values_than_may_be_are_an_error_not_a_cut)
{
	static const char *const few[] = { "--max-points", "100000", NULL };
	struct reply r;

	cr_assert_eq(harness_stop(&h), 0);
	harness_again(&h, few);
	r = spikes("GET", "&format=npz");
	cr_assert_eq(r.status, 422, "%.200s", r.body);
	cr_assert_not_null(strstr(r.body, "more than 100000"), "%s", r.body);
	reply_release(&r);
	r = spikes("GET", "&t1_ms=100");
	cr_assert_eq(r.status, 200, "%.200s", r.body);
	cr_assert(json_is_false(reply_at(&r, "/downsampled")));
	reply_release(&r);
	r = spikes("GET", "&max_points=1000");
	cr_assert_eq(r.status, 200, "%.200s", r.body);
	cr_assert(json_is_true(reply_at(&r, "/downsampled")), "%.200s", r.body);
	cr_assert_leq(json_array_size(reply_at(&r, "/t_ms")), 1000);
	reply_release(&r);
}
