/* plasticity_group.h - synapses of a row in groups by the number of postsynaptic spikes to take in.
 *
 * How many spikes came since a row was last up to date differs from synapse to synapse as if thrown
 * by dice, and so would the branches of a loop over them. In a group they are equally many: no
 * branch is guessed wrong, and its synapses can be computed as columns. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_PLASTICITY_GROUP_H
#define CORE_MODEL_PLASTICITY_GROUP_H

#include "core/model/plasticity.h"

enum {
	PLASTICITY_GROUP = 128,			/* synapses that are grouped at a time */
	PLASTICITY_FEW = PLASTICITY_BEFORE + 1, /* spikes; more are walked through one by one */
	PLASTICITY_GROUP_AHEAD = 16,
};

/* at[k], k < PLASTICITY_FEW: synapses of the row at which k spikes have arrived in (t_last, t], the
 * last one ever before t. at[PLASTICITY_FEW]: all others. */
struct plasticity_groups {
	size_t n[PLASTICITY_FEW + 1];
	uint32_t at[PLASTICITY_FEW + 1][PLASTICITY_GROUP];
};

/* Group the synapses from..from + n of a row, n <= PLASTICITY_GROUP. */
static inline void plasticity_group(const struct plasticity_ctx *c,
				    const struct plasticity_row *row, size_t from, size_t n,
				    struct plasticity_groups *ret)
{
	for (size_t k = 0; k <= PLASTICITY_FEW; k++)
		ret->n[k] = 0;
	for (size_t i = from; i < from + n; i++) {
		const struct plasticity_recent *r = &c->recent[row->target[i]];
		int64_t delay = row->delay[i * row->delay_stride];
		int64_t since = r->last + delay - row->t_last; /* > 0: the last one is new */
		size_t k = since > 0;
		bool other = r->last + delay >= row->t || r->last == PLASTICITY_NEVER;

		if (i + PLASTICITY_GROUP_AHEAD < row->n)
			PREFETCH(&c->recent[row->target[i + PLASTICITY_GROUP_AHEAD]]);
		for (size_t j = 0; j < PLASTICITY_BEFORE; j++)
			k += since > (int64_t)r->before[j];
		k = other ? (size_t)PLASTICITY_FEW : k;
		ret->at[k][ret->n[k]++] = (uint32_t)i;
	}
}

#endif
