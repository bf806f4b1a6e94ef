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

	for (int i = 0; i < 12; i++) {
		struct reply r = spikes("GET", "&format=npz");

		cr_assert_eq(r.status, 200);
		kb = (long)(r.len / 1024);
		reply_release(&r);
	}
	cr_assert_lt(peak() - before, 2 * 3 * kb, "%ld kB, then %ld kB; one has %ld kB", before,
		     peak(), kb);
}
