/* experiment.c - the list of experiments. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <string.h>

#define X(name) &experiment_##name,
const struct experiment *const experiments[] = { EXPERIMENTS(X) NULL };
#undef X

const struct experiment *experiment_find(const char *name)
{
	for (size_t i = 0; experiments[i]; i++)
		if (!strcmp(experiments[i]->name, name))
			return experiments[i];
	return NULL;
}
