/* plasticity_group.h - synapses of a row in groups by the number of postsynaptic spikes to take in.
 *
 * How many spikes came since a row was last up to date differs from synapse to synapse as if thrown
 * by dice, and so would the branches of a loop over them. What each synapse meets is found in columns;
 * where it is equally much, no branch is guessed wrong, and the changes are columns too. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_PLASTICITY_GROUP_H
#define CORE_MODEL_PLASTICITY_GROUP_H

#include "core/model/plasticity.h"

enum {
	PLASTICITY_GROUP = 128,			/* synapses that are looked at together */
	PLASTICITY_FEW = PLASTICITY_BEFORE + 1, /* spikes; more are walked through one by one */
};

/* What the synapses of a part of a row meet. */
struct plasticity_group {
	/* at[c], c < PLASTICITY_FEW: synapses at which c spikes have arrived in (t_last, t].
	 * at[PLASTICITY_FEW]: those that are not told here, to be looked up in their histories. */
	size_t n[PLASTICITY_FEW + 1];
	uint32_t at[PLASTICITY_FEW + 1][PLASTICITY_GROUP];
	int64_t arrival[PLASTICITY_GROUP]; /* of the target's last spike, before t or after */
	uint64_t before
		[PLASTICITY_GROUP]; /* how long before it the spikes up to t arrived, the latest
					    * first: see plasticity_before() */
	/* The last spike before t: the rule's trace of it, how long ago it arrived. */
	double k[PLASTICITY_GROUP], k_before[PLASTICITY_GROUP];
	int64_t age[PLASTICITY_GROUP];
	double met[PLASTICITY_GROUP]; /* 1; 0: there was none, or it is not told here */
	int64_t count[PLASTICITY_GROUP];
};

/* When the j-th spike up to t arrived, j = 0: the latest. */
static inline ALWAYS_INLINE int64_t plasticity_arrival(const struct plasticity_group *g, size_t i,
						       size_t j)
{
	return g->arrival[i] - plasticity_before(g->before[i], j);
}

/* exp(-age / tau) for the ages a group tells of: up to PLASTICITY_TOLD. */
static inline ALWAYS_INLINE double plasticity_decay(const struct fmath_decay *d, int64_t age)
{
	return d->high[age >> 8 & 255] * d->low[age & 255];
}

/* The synapses from..from + PLASTICITY_GROUP of a row, or to its end, as a row. */
struct plasticity_row plasticity_part(const struct plasticity_ctx *c,
				      const struct plasticity_row *row, size_t from);
/* Look at a part's synapses, at most PLASTICITY_GROUP. */
void plasticity_group(const struct plasticity_ctx *c, const struct plasticity_row *part,
		      struct plasticity_group *ret);

#endif
