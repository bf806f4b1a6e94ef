/* fuzz_dataset - uploads of any bytes.
 *
 * With clang: -fsanitize=fuzzer,address,undefined -DFUZZER. Without, a plain program: it reads the
 * files named, or changes bytes of built-in examples N times (first argument -N, default 20000)
 * with a seed that it prints. */
/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/dataset.h"

enum { MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct mem_arena arena;
	struct dataset d;

	mem_arena_init(&arena, (size_t)8 * MAX);
	if (dataset_parse(&d, data, n, MAX, &arena, NULL) == 0) {
		double sum = 0.0;

		for (size_t i = 0; i < d.n_fields; i++)
			if (!d.fields[i].text && dataset_bytes(&d.fields[i].shape))
				sum += npy_get(d.fields[i].shape.type, d.fields[i].data,
					       dataset_bytes(&d.fields[i].shape) /
							       npy_size(d.fields[i].shape.type) -
						       1);
		if (sum == 0.123456789)
			(void)puts("");
		dataset_release(&d);
	}
	mem_arena_release(&arena);
	return 0;
}

#ifndef FUZZER

static const unsigned char idx[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,
				     0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8 };
static const char csv[] = "t_ms,neuron,word\n0.5,0,a\n1.5,1,b\n";
static const char npy[] =
	"\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"
	"            \n12345678abcdefgh";
static const unsigned char gz[] = { 0x1f, 0x8b, 8, 0, 0,    0,	  0,	0,    2, 0xff, 0x33, 0xd4,
				    0x31, 0xe2, 2, 0, 0x5a, 0x6d, 0x3b, 0x2a, 4, 0,    0,    0 };

static const struct {
	const void *bytes;
	size_t n;
} seeds[] = {
	{ idx, sizeof(idx) }, { csv, sizeof(csv) - 1 }, { npy, sizeof(npy) - 1 }, { gz, sizeof(gz) }
};

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void once(uint64_t *state)
{
	size_t which = (size_t)(next(state) % (sizeof(seeds) / sizeof(seeds[0]))),
	       n = seeds[which].n;
	uint8_t *bytes = malloc(n);

	if (!bytes)
		return;
	memcpy(bytes, seeds[which].bytes, n);
	for (uint64_t k = next(state) % 6; k > 0; k--)
		bytes[next(state) % n] = (uint8_t)next(state);
	if (next(state) % 4 == 0)
		n = (size_t)(next(state) % (n + 1));
	(void)LLVMFuzzerTestOneInput(bytes, n);
	free(bytes);
}

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = malloc(MAX);
	size_t n = f && bytes ? fread(bytes, 1, MAX, f) : 0;

	if (f)
		(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(bytes, n);
	free(bytes);
	return f ? 0 : 1;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 && argv[1][0] == '-' ? strtol(argv[1] + 1, NULL, 10) : 20000;
	uint64_t state = 88172645463325252ULL;
	int rc = 0;

	if (argc > 1 && argv[1][0] != '-') {
		for (int i = 1; i < argc; i++)
			rc |= replay(argv[i]);
		return rc;
	}
	(void)printf("seed %llu, %ld rounds\n", (unsigned long long)state, rounds);
	for (long i = 0; i < rounds; i++)
		once(&state);
	return 0;
}

#endif
