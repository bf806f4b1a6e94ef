/* kit_pair.h - pair STDP spike by spike, from its founding formula: no trace, table or code of the
 * engine. What experiments hold the engine's weights against. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_KIT_PAIR_H
#define CORE_KIT_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kit_pairing {
	KIT_ALL_TO_ALL,
	KIT_NEAREST_SYMMETRIC,
	KIT_NEAREST_PRE_CENTERED,
	KIT_NEAREST_REDUCED,
	KIT_PAIRINGS
};

const char *kit_pairing_name(enum kit_pairing p); /* as a rule's parameter has it */

struct kit_pair {
	double a_plus, a_minus, tau_plus, tau_minus; /* ms */
	double w_min, w_max, mu_plus, mu_minus, mu, w_0;
	bool power;
	bool virtual_first; /* a presynaptic spike at 0 that only later posts see (NEST's nearest
			       rules) */
	enum kit_pairing pairing;
};

/* From stdp_pair's parameters. */
void kit_pair_read(struct kit_pair *ret, const double *params);

struct kit_trains {
	const int64_t *pre, *post; /* arrivals at the synapse, steps, ascending */
	size_t n_pre, n_post;
	double per_ms; /* steps per ms */
};

/* The weight's magnitude after all of them; at_pre[n_pre] (may be NULL): after each presynaptic
 * one. */
double kit_pair_follow(const struct kit_pair *r, double w, const struct kit_trains *t,
		       double *at_pre);

#endif
