/* science.c - every experiment at full length against its targets, as one table; with a name, that one.
 *
 * Exit code 0 also when targets are missed: the last line counts them. 1: a run failed. */
/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/engine.h"
#include "core/rundir.h"

struct tally {
	unsigned targets, missed, failed;
};

static double now_s(void *self)
{
	struct timespec t;

	(void)self;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int on_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

/* The spec of the full-length run into dir; 0 or -1. */
static int write_spec(const char *dir, const struct experiment *x)
{
	json_t *params = json_loads(x->science ? x->science : "{}", 0, NULL);
	json_t *spec =
		json_pack("{s:s, s:o, s:s}", "experiment", x->name, "params", params, "seed", "1");
	char path[512];
	int rc;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, RUNDIR_SPEC);
	rc = spec ? json_dump_file(spec, path, 0) : -1;
	json_decref(spec);
	return rc;
}

static void text_of(char *ret, size_t max, const json_t *value)
{
	if (json_is_number(value))
		(void)snprintf(ret, max, "%.5g", json_number_value(value));
	else
		(void)snprintf(ret, max, "-");
}

static void show(const char *experiment, const json_t *result, double seconds, struct tally *t)
{
	const json_t *targets = json_object_get(result, "targets"), *one;
	size_t i;

	json_array_foreach(targets, i, one)
	{
		bool pass = json_is_true(json_object_get(one, "pass"));
		char value[32], low[32], high[32], range[80], time[32] = "";

		text_of(value, sizeof(value), json_object_get(one, "value"));
		text_of(low, sizeof(low), json_object_get(one, "low"));
		text_of(high, sizeof(high), json_object_get(one, "high"));
		(void)snprintf(range, sizeof(range), "%s .. %s", low, high);
		if (i == 0)
			(void)snprintf(time, sizeof(time), "%.1f", seconds);
		printf("%-20s %-40s %24s %12s %-6s %s %8s\n", i ? "" : experiment,
		       json_string_value(json_object_get(one, "name")), range, value,
		       json_string_value(json_object_get(one, "unit")), pass ? "pass" : "MISS",
		       time);
		t->targets++;
		t->missed += !pass;
	}
	if (json_array_size(targets) == 0)
		printf("%-20s no targets %82.1f\n", experiment, seconds);
	(void)fflush(stdout);
}

static int run(const char *dir, const struct experiment *x, struct tally *t)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct engine_control control = { .now_s = now_s,
					  .threads = cores > 1 ? (unsigned)cores : 1 };
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	double start = now_s(NULL);
	struct err err = { 0 };
	char path[512];
	json_t *result;
	int rc;

	if (fd < 0 || write_spec(dir, x))
		return -1;
	rc = engine_run(fd, &control, &err);
	(void)close(fd);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, RUNDIR_RESULT);
	result = json_load_file(path, 0, NULL);
	show(x->name, result, now_s(NULL) - start, t);
	json_decref(result);
	if (rc)
		printf("%-20s failed: %s %s\n", x->name, err.path, err.text);
	return rc;
}

static void one(const struct experiment *x, struct tally *t)
{
	char dir[] = "/tmp/science-XXXXXX";

	if (!mkdtemp(dir) || run(dir, x, t))
		t->failed++;
	(void)nftw(dir, on_remove, 8, FTW_DEPTH | FTW_PHYS);
}

int main(int argc, char **argv)
{
	struct tally t = { 0 };

	if (argc > 1 && !experiment_find(argv[1])) {
		(void)fprintf(stderr, "science: there is no experiment %s\n", argv[1]);
		return 2;
	}
	printf("%-20s %-40s %24s %12s %-6s %4s %8s\n", "experiment", "target", "range", "ours",
	       "unit", "", "seconds");
	for (size_t i = 0; experiments[i]; i++)
		if (argc < 2 || strcmp(argv[1], experiments[i]->name) == 0)
			one(experiments[i], &t);
	printf("%u targets, %u missed, %u runs failed\n", t.targets, t.missed, t.failed);
	return t.failed > 0;
}
