/* synapse_option.h - what may stand beside the rule of a projection: blocks of parameters, a table
 * row each.
 *
 * Options compose with every rule. They act on the weights of a projection from outside, at multiples
 * of their every_ms, in the order of the list: scaling, noise, normalisation. Short-term plasticity
 * (the block "stp" has the parameters of the rule `stp`) and the modulator act at spikes instead. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_SYNAPSE_OPTION_H
#define CORE_MODEL_SYNAPSE_OPTION_H

#include "core/model/param.h"

enum option_kind { OPTION_SCALE, OPTION_NOISE, OPTION_NORMALISE, OPTION_N };

/* Every option has its period first; 0: only where the schedule says so. */
enum { OPTION_EVERY };
enum {
	OPTION_SCALE_RATE = OPTION_EVERY + 1,
	OPTION_SCALE_BETA,
	OPTION_SCALE_TAU,
	OPTION_SCALE_PARAMS
};
enum { OPTION_NOISE_SD = OPTION_EVERY + 1, OPTION_NOISE_PARAMS };
enum { OPTION_NORMALISE_SUM = OPTION_EVERY + 1, OPTION_NORMALISE_PARAMS };

enum { OPTION_PARAMS_MAX = 4 };

struct synapse_option {
	const char *name, *doc, *cite; /* name: JSON key in the synapse */
	const struct param_def *params;
	size_t n_params;
};

extern const struct synapse_option synapse_options[OPTION_N];

#endif
