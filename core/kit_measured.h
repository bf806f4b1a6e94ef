/* kit_measured.h - published measurements of plasticity: protocols, mean change, its standard error. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_KIT_MEASURED_H
#define CORE_KIT_MEASURED_H

#include <stddef.h>

#include "core/kit_protocol.h"

enum { MEASURED_REPEATS = 60, MEASURED_MAX = 13 };

struct kit_measured {
	struct kit_protocol_cycle cycle; /* repeated MEASURED_REPEATS times */
	double dw, sem;			 /* relative change of the response */
};

/* Pairs at dt = +-10 ms, by frequency: layer 5 of rat visual cortex. Sjoestroem, Turrigiano & Nelson
 * (2001) Neuron 32:1149, doi:10.1016/S0896-6273(01)00542-6. */
enum { MEASURED_VISUAL = 10 };
extern const struct kit_measured kit_measured_visual[MEASURED_VISUAL];

/* Pairs, triplets, quadruplets at 1 Hz: hippocampal cultures. Wang, Gerkin, Nauen & Bi (2005) Nat.
 * Neurosci. 8:187, doi:10.1038/nn1387, in the form of Pfister & Gerstner (2006). */
enum { MEASURED_HIPPOCAMPUS = 13 };
extern const struct kit_measured kit_measured_hippocampus[MEASURED_HIPPOCAMPUS];

/* What the named sets of the triplet rule predict, by an independent implementation: to three decimals,
 * and the mean squared distance from the data in standard errors, to two. */
struct kit_measured_prediction {
	const char *set;
	bool visual; /* of which data */
	double e, dw[MEASURED_MAX];
};
enum { MEASURED_PREDICTIONS = 8 };
extern const struct kit_measured_prediction kit_measured_predictions[MEASURED_PREDICTIONS];

#endif
