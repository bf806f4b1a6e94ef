/* plasticity_group.c - what each synapse of a row meets, in columns, and sorted by how much it is. */
/* SPDX-License-Identifier: MIT */
#include "core/model/plasticity_group.h"

struct plasticity_row plasticity_part(const struct plasticity_ctx *c,
				      const struct plasticity_row *row, size_t from)
{
	struct plasticity_row part = *row;
	size_t n = row->n - from < PLASTICITY_GROUP ? row->n - from : PLASTICITY_GROUP;

	for (size_t i = from + n; i < from + n + PLASTICITY_GROUP && i < row->n; i++)
		PREFETCH(&c->recent[row->target[i]]);
	part.n = n;
	part.target += from;
	part.delay += from * row->delay_stride;
	part.w += from;
	for (size_t k = 0; k < PLASTICITY_SYN_MAX && part.syn[k]; k++)
		part.syn[k] += from;
	return part;
}

/* The targets' last spikes, from all over the memory. */
static void fetch(const struct plasticity_recent *recent, const struct plasticity_row *part,
		  struct plasticity_group *x)
{
	for (size_t i = 0; i < part->n; i++) {
		const struct plasticity_recent *r = &recent[part->target[i]];

		x->arrival[i] = r->last + part->delay[i * part->delay_stride];
		x->before[i] = r->before;
		x->k[i] = r->k;
		x->k_before[i] = r->k_before;
	}
}

CLONES static void look(const struct plasticity_row *part, struct plasticity_group *restrict x)
{
	int64_t t = part->t, t_last = part->t_last, t_pre = part->t_pre < 0 ? 0 : part->t_pre;
	size_t n = part->n;

#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		int64_t arrival = x->arrival[i];
		int64_t since = arrival - t_last; /* > 0: the last one is new */
		uint64_t before = x->before[i];
		int64_t late = arrival > t; /* it is still on its way */
		int64_t gap = plasticity_before(before, 0);
		int64_t age = t - arrival + (late ? gap : 0), count = since > 0;
		int64_t never = arrival < 0, other;

		for (size_t j = 0; j < PLASTICITY_BEFORE; j++)
			count += since > plasticity_before(before, j);
		other = (age <= 0) | (since >= PLASTICITY_TOLD) | (count == PLASTICITY_FEW) |
			(late & (gap == PLASTICITY_TOLD)) |
			((count > 0) & (arrival - t_pre > PLASTICITY_TOLD)) |
			((never == 0) & (age > PLASTICITY_TOLD));
		x->before[i] = late ? before : before << 16;
		x->k[i] = late ? x->k_before[i] : x->k[i];
		x->age[i] = age;
		x->met[i] = (other | never) != 0 ? 0.0 : 1.0;
		x->count[i] = other ? PLASTICITY_FEW : count - late;
	}
}

void plasticity_group(const struct plasticity_ctx *c, const struct plasticity_row *part,
		      struct plasticity_group *ret)
{
	fetch(c->recent, part, ret);
	look(part, ret);
	for (size_t k = 0; k <= PLASTICITY_FEW; k++)
		ret->n[k] = 0;
	for (size_t i = 0; i < part->n; i++) {
		size_t k = (size_t)ret->count[i];

		ret->at[k][ret->n[k]++] = (uint32_t)i;
	}
}
