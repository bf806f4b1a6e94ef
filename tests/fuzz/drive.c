/* drive.c - a fuzz target as a plain program: it replays files, and changed copies of them.
 *
 * fuzz_NAME [-ROUNDS] PATH...: every file named, and every file of a folder named, as it is; then
 * ROUNDS inputs, each one of these files with some bytes changed, cut, or pieces of another put in.
 * What is tried is said before, so that the last line names what went wrong. */
/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 20, FILES_MAX = 1000, CHANGES_MAX = 6 };

struct input {
	uint8_t *bytes;
	size_t n;
};

static struct input inputs[FILES_MAX];
static size_t n_inputs;
static uint64_t state = 88172645463325252ULL;

static uint64_t next(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static void no(const char *what, const char *path)
{
	(void)fprintf(stderr, "%s: %s\n", path, what);
	exit(1);
}

static void try_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct input *in = &inputs[n_inputs];

	if (n_inputs == FILES_MAX)
		no("more files than are expected", path);
	in->bytes = malloc(INPUT_MAX);
	if (!f || !in->bytes)
		no("cannot be read", path);
	in->n = fread(in->bytes, 1, INPUT_MAX, f);
	(void)fclose(f);
	n_inputs++;
	(void)printf("%s\n", path);
	(void)fflush(stdout);
	(void)LLVMFuzzerTestOneInput(in->bytes, in->n);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void try_path(const char *path)
{
	struct dirent **names = NULL;
	struct stat st;
	char file[4096];
	int n;

	if (stat(path, &st))
		no("is not there", path);
	if (!S_ISDIR(st.st_mode)) {
		try_file(path);
		return;
	}
	n = scandir(path, &names, NULL, by_name);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			(void)snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
			try_file(file);
		}
		free(names[i]);
	}
	free(names);
}

/* A piece of another input over a place of this one. */
static void splice(uint8_t *bytes, size_t n)
{
	const struct input *other = &inputs[next(n_inputs)];
	size_t at = next(n), from = other->n ? next(other->n) : 0;
	size_t room = n - at, have = other->n - from, len = 1 + next(16);

	len = len < room ? len : room;
	len = len < have ? len : have;
	memcpy(bytes + at, other->bytes + from, len);
}

static void try_changed(void)
{
	static const uint8_t edges[] = {
		0, 1, 0x7f, 0x80, 0xff, '"', '{', '[', ',', '-', '9', '%'
	};
	const struct input *in = &inputs[next(n_inputs)];
	size_t n = in->n;
	uint8_t *bytes = malloc(n + 1);

	if (!bytes)
		no("out of memory", "changing an input");
	memcpy(bytes, in->bytes, n);
	for (uint64_t k = next(CHANGES_MAX); n && k > 0; k--) {
		if (next(4) == 0)
			splice(bytes, n);
		else
			bytes[next(n)] = next(2) ? (uint8_t)next(256) : edges[next(sizeof(edges))];
	}
	if (next(4) == 0)
		n = next(n + 1);
	(void)LLVMFuzzerTestOneInput(bytes, n);
	free(bytes);
}

int main(int argc, char **argv)
{
	long rounds = 0;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			rounds = strtol(argv[i] + 1, NULL, 10);
		else
			try_path(argv[i]);
	}
	if (!n_inputs)
		no("expected: fuzz_NAME [-ROUNDS] PATH...", argv[0]);
	(void)printf("seed %llu, %ld rounds\n", (unsigned long long)state, rounds);
	(void)fflush(stdout);
	for (long i = 0; i < rounds; i++)
		try_changed();
	for (size_t i = 0; i < n_inputs; i++)
		free(inputs[i].bytes);
	return 0;
}
