/* api_result_series.h - updates of recorded synapses and the spikes behind them, for /stdp and /why. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_API_RESULT_SERIES_H
#define SERVER_API_RESULT_SERIES_H

#include "core/spec.h"
#include "server/api_result.h"

struct api_result_series {
	const char *param; /* of the query, that names the synapses; NULL: "synapses" */
	bool or_spikes; /* of one whose updates were not recorded: when its source's spikes arrive */
	const struct store_recording *recording;
	struct view_index
		*index; /* [n_index] recorded synapses, sorted; at: place in the recorder's lists */
	size_t n_index;
	int64_t *which;		   /* [n] synapses asked for, in that order */
	uint32_t *source, *target; /* [n] NULL: unknown */
	size_t n;
	/* The updates, list by list: list i is [offset[i], offset[i + 1]). */
	uint64_t *offset;
	int64_t *step, *synapse;
	double *weight; /* NULL: the updates were not recorded */
	size_t total;
	const char *again; /* the run that recorded the updates of another; NULL: none */
};

/* Spikes of the target population as arrivals at the synapse, neuron by neuron. */
struct api_result_arrivals {
	uint64_t *offset; /* [size + 1] */
	int64_t *step;
};

/* The updates asked for, the projection they belong to, and the arrivals of the target's spikes.
 * Delays that vary are NOTRECORDED. */
int api_result_series_pairs(struct api_result *c, struct api_result_series *s,
			    const struct spec_projection **ret, struct api_result_arrivals *post,
			    size_t *ret_size) MUST_USE;
/* The updates asked for as the run `id`, of the same network, has recorded them. */
int api_result_series_of(struct api_result *c, struct api_result_series *s,
			 const char *id) MUST_USE;
/* The updates of the one synapse of `s` that was not recorded: its run is simulated again with a recorder
 * on it (a run of its own, kept, so that it is done once), to the same digest. 0, and s->weight is there; or
 * *ret_note says why it is not, and where that may change c->rs->status is 202; or 1: `rs` waits. */
int api_result_series_again(struct api_result *c, struct api_result_series *s,
			    const char **ret_note) MUST_USE;
/* Steps as ms, in the arena; NULL: no memory. */
double *api_result_series_times(struct api_result *c, const int64_t *step, size_t n);
/* How far a rule's window reaches, in ms: a few of its longest time constant. */
double api_result_series_reach(const struct spec_projection *p);

#endif
