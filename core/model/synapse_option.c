/* synapse_option.c - the tables of the options. */
/* SPDX-License-Identifier: MIT */
#include "core/model/synapse_option.h"

#define EVERY(value, text) \
	[OPTION_EVERY] = { "every_ms", text, UNIT_MS, PARAM_NUMBER, value, 0, 1e9, PARAM_FIXED }

static const struct param_def scale[OPTION_SCALE_PARAMS] = {
	EVERY(100, "Time between two steps of scaling; more than 0."),
	[OPTION_SCALE_RATE] = { "rate_hz", "Rate to which each target is brought.", UNIT_HZ,
				PARAM_NUMBER, 0, 0, 1e5, PARAM_REQUIRED | PARAM_FIXED },
	[OPTION_SCALE_BETA] = { "beta",
				"Part of the weight by which it changes, per second and Hz of "
				"difference.",
				UNIT_NONE, PARAM_NUMBER, 0.01, 0, 1e6, PARAM_FIXED },
	[OPTION_SCALE_TAU] = { "tau_ms",
			       "Time constant of the target's running rate, which starts at "
			       "rate_hz.",
			       UNIT_MS, PARAM_NUMBER, 1e5, 0, 1e9,
			       PARAM_OPEN_MIN | PARAM_OFFGRID | PARAM_FIXED },
};

static const struct param_def noise[OPTION_NOISE_PARAMS] = {
	EVERY(1000, "Time between two draws; more than 0."),
	[OPTION_NOISE_SD] = { "sd", "Standard deviation of a draw, relative to the weight.",
			      UNIT_NONE, PARAM_NUMBER, 0, 0, 1e3, PARAM_REQUIRED | PARAM_FIXED },
};

static const struct param_def normalise[OPTION_NORMALISE_PARAMS] = {
	EVERY(0, "Time between two normalisations, from 0 on; 0: only where the schedule says so."),
	[OPTION_NORMALISE_SUM] = { "sum", "What the weights of a target sum to, a magnitude.",
				   UNIT_WEIGHT, PARAM_NUMBER, 0, 0, PARAM_INF,
				   PARAM_OPEN_MIN | PARAM_REQUIRED | PARAM_FIXED },
};

const struct synapse_option synapse_options[OPTION_N] = {
	[OPTION_SCALE] = { "scale",
			   "Homeostatic scaling: w grows by beta w (rate_hz - r) a second, r being "
			   "the running rate of the target.",
			   "10.1038/36103", scale, OPTION_SCALE_PARAMS },
	[OPTION_NOISE] = { "noise",
			   "Noise in proportion to the weight: w becomes w (1 + sd z), z standard "
			   "normal.",
			   "10.1523/JNEUROSCI.20-23-08812.2000", noise, OPTION_NOISE_PARAMS },
	[OPTION_NORMALISE] = { "normalise",
			       "The weights onto each target are multiplied so that they have this "
			       "sum.",
			       "10.3389/fncom.2015.00099", normalise, OPTION_NORMALISE_PARAMS },
};
