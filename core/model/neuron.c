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
