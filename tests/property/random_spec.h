/* random_spec.h - a random spec with every neuron model and every rule of the tables in it, so that a
 * new one takes part by itself. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PROPERTY_RANDOM_SPEC_H
#define TESTS_PROPERTY_RANDOM_SPEC_H

#include <jansson.h>

#include "tests/check.h"

/* New reference; JSON is packed in the order of names. Populations "n_MODEL" of each neuron model,
 * "t_RULE" as targets of each rule, "drive" that makes them spike. Projections "rule_RULE" with random
 * wiring, delays, options. Random schedule, recorders of everything. */
json_t *random_spec(struct check_random *r);

#endif
