/* plasticity.c - the list of plasticity rules. */
/* SPDX-License-Identifier: MIT */
#include "core/model/plasticity.h"

#include <string.h>

#define X(name) &plasticity_##name,
const struct plasticity_model *const plasticity_models[] = { PLASTICITY_MODELS(X) NULL };
#undef X

const struct plasticity_model *plasticity_find(const char *name)
{
	for (size_t i = 0; plasticity_models[i]; i++)
		if (!strcmp(plasticity_models[i]->name, name))
			return plasticity_models[i];
	return NULL;
}
