/* alias.h - other simulators' names for our rules, with their own parameters.
 *
 * An alias has a parameter table of its own (NEST's names, NEST's defaults) and a function that
 * turns such values into ours. After that nothing knows that an alias was used. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_ALIAS_H
#define CORE_MODEL_ALIAS_H

#include "core/model/plasticity.h"

struct alias {
	const char *name, *doc; /* "stdp_synapse" */
	const struct plasticity_model *model;
	const struct param_def *params; /* NEST's: lambda, alpha, Wmax, ... */
	size_t n_params;
	void (*convert)(const double *from, double *to); /* from[n_params] -> to[model->n_params] */
};

extern const struct alias *const alias_list[]; /* ends with NULL */
const struct alias *alias_find(const char *name);

#endif
