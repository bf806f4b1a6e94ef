/* sim_read.c - what one may ask a simulation; nothing here changes it. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/sim_state.h"

int64_t sim_now(const struct sim *s)
{
	return s->now;
}

const struct spec *sim_spec(const struct sim *s)
{
	return s->spec;
}

struct sim_counts sim_counts(const struct sim *s)
{
	struct sim_counts sum = { .steps = s->steps };

	for (size_t k = 0; k < s->net->n_parts; k++) {
		sum.spikes += s->part[k].counts.spikes;
		sum.synaptic_events += s->part[k].counts.synaptic_events;
		sum.plastic_updates += s->part[k].counts.plastic_updates;
	}
	return sum;
}

const double *sim_state(const struct sim *s, size_t population, size_t variable)
{
	return s->net->populations[population].state[variable];
}

uint64_t sim_synapses(const struct sim *s, size_t projection)
{
	return s->net->projections[projection].n;
}

void sim_endpoints(const struct sim *s, size_t projection, uint32_t *ret_source,
		   uint32_t *ret_target)
{
	const struct net_projection *p = &s->net->projections[projection];

	for (size_t part = 0; part < s->net->n_parts; part++) {
		const struct net_rows *r = &p->part[part];

		for (size_t i = 0; i < p->n_source; i++) {
			for (uint64_t j = r->row[i]; j < r->row[i + 1]; j++) {
				uint64_t k = net_synapse(r, i, j - r->row[i]);

				ret_source[k] = (uint32_t)i;
				ret_target[k] = r->target[j];
			}
		}
	}
}

/* Mark the rows that hold a watched synapse. */
static void mark_rows(struct sim *s, size_t projection)
{
	const struct net_projection *p = &s->net->projections[projection];
	struct sim_watch *w = &s->watch[projection];

	for (size_t part = 0; part < s->net->n_parts; part++) {
		const struct net_rows *r = &p->part[part];

		for (size_t i = 0; i < p->n_source; i++) {
			for (uint64_t j = 0; j < r->row[i + 1] - r->row[i]; j++) {
				uint64_t k = net_synapse(r, i, j);

				if (!w->synapse || (w->synapse[k >> 6] >> (k & 63) & 1))
					w->row[i] = 1;
			}
		}
	}
}

int sim_watch(struct sim *s, size_t projection, const uint64_t *synapses, size_t n, struct err *err)
{
	const struct net_projection *p = &s->net->projections[projection];
	struct sim_watch *w = &s->watch[projection];
	bool all = w->row && !w->synapse;

	if (!w->row)
		w->row = NEW(s->arena, uint8_t, p->n_source);
	if (!w->row)
		return err_nomem(err);
	if (!synapses || all) {
		w->synapse = NULL;
		mark_rows(s, projection);
		return 0;
	}
	if (!w->synapse)
		w->synapse = NEW(s->arena, uint64_t, p->n / 64 + 1);
	if (!w->synapse)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		if (synapses[i] >= p->n)
			return err_set(err, ERR_RANGE, "/record/weights",
				       "projection \"%s\" has synapses 0 to %llu, not %llu",
				       p->spec->name, (unsigned long long)p->n - 1,
				       (unsigned long long)synapses[i]);
		w->synapse[synapses[i] >> 6] |= UINT64_C(1) << (synapses[i] & 63);
	}
	mark_rows(s, projection);
	return 0;
}

static int digest_weights(const struct sim *s, size_t projection, struct hash *h, struct err *err)
{
	uint64_t n = s->net->projections[projection].n;
	double *w = mem_alloc(n + 1, sizeof(*w));
	int rc = w ? sim_weights(s, projection, w, err) : err_nomem(err);

	for (uint64_t k = 0; !rc && k < n; k++)
		hash_double(h, w[k]);
	mem_free(w);
	return rc;
}

int sim_digest(const struct sim *s, uint64_t *ret, struct err *err)
{
	struct hash h;
	int rc = 0;

	hash_init(&h);
	for (size_t i = 0; i < s->spec->n_populations; i++)
		hash_u64(&h, hash_end(&s->digest[i]));
	for (size_t j = 0; !rc && j < s->spec->n_projections; j++) {
		if (s->net->projections[j].plastic)
			rc = digest_weights(s, j, &h, err);
	}
	if (!rc)
		*ret = hash_end(&h);
	return rc;
}
