/* neuron.c - the list of neuron and input models. */
/* SPDX-License-Identifier: MIT */
#include "core/model/neuron.h"

#include <string.h>

#define X(name) &neuron_##name,
const struct neuron_model *const neuron_models[] = { NEURON_MODELS(X) NULL };
#undef X

const struct neuron_model *neuron_find(const char *name)
{
	for (size_t i = 0; neuron_models[i]; i++)
		if (!strcmp(neuron_models[i]->name, name))
			return neuron_models[i];
	return NULL;
}

enum { AT_ONCE = 8 };

CLONES static size_t first_loud(const int64_t *quiet, size_t b, size_t n, int64_t step)
{
	for (; b + AT_ONCE <= n; b += AT_ONCE) {
		int64_t loud = 0;

#pragma omp simd reduction(| : loud)
		for (size_t i = 0; i < AT_ONCE; i++)
			loud |= quiet[b + i] <= step;
		if (loud)
			break;
	}
	while (b < n && quiet[b] > step)
		b++;
	return b;
}

size_t neuron_loud(const struct neuron_ctx *c, size_t b)
{
	return first_loud(c->quiet, b, (c->n + NEURON_BLOCK - 1) / NEURON_BLOCK, c->step);
}
