/* kit_dopamine.h - the network of Izhikevich (2007), in which dopamine makes weights of what was eligible.
 *
 * Four fifths of the neurons excite ("exc"), with weights that learn, one fifth inhibits ("inh"); all fire
 * at about a hertz on noise, a current drawn evenly each ms.
 *
 * Differences to the published program: traces add up where it sets them; weights follow their integral
 * instead of steps of 10 ms, in which it adds
 * (0.002 + DA) c, DA growing by 0.5 a reward: so b is -0.0002 per ms and a reward 0.05 tau_n. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_KIT_DOPAMINE_H
#define CORE_KIT_DOPAMINE_H

#include "core/kit.h"

#define KIT_DOPAMINE_W_0 1.0

struct kit_dopamine {
	size_t neurons, outdegree; /* synapses from each neuron */
	double w_max, noise;	   /* noise: the range of the current */
	double seconds;
};

size_t kit_dopamine_excitatory(const struct kit_dopamine *d);
/* A spec begun, with populations exc, inh, and projections between them; exc_exc and exc_inh learn. */
void kit_dopamine_build(struct kit_spec *k, const struct kit_dopamine *d, uint64_t seed);
/* A synapse that learns as these do. */
json_t *kit_dopamine_synapse(const struct kit_dopamine *d, double weight);
/* What the paper calls a reward of `da`, as an amount for kit_rewards_promise(). */
double kit_dopamine_amount(double da);

#endif
