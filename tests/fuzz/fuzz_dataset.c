/* fuzz_dataset - uploads of any bytes. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "server/dataset.h"
#include "tests/fuzz/fuzz.h"

enum { MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct mem_arena arena;
	struct dataset d;

	mem_arena_init(&arena, (size_t)8 * MAX);
	if (dataset_parse(&d, data, n, MAX, &arena, NULL) == 0) {
		double sum = 0.0;

		/* The last value of each field: all that is promised is there. */
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
