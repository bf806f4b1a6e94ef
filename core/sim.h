/* sim.h - the step loop: advances a network in slices and calls observers, knows none of them.
 *
 * A slice is at most the smallest dendritic delay long, on an absolute grid, and is cut short
 * wherever an observer or the schedule asks; cutting changes no bits. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_SIM_H
#define CORE_SIM_H

#include "core/spec.h"

struct sim;
struct net_guard; /* core/net.h */
struct pack;	  /* core/base/pack.h */

struct sim_spike {
	int64_t step;
	uint32_t neuron; /* inside its population */
	uint32_t count;	 /* spikes in that step, 1 or more */
};

/* The weight of a watched synapse after a presynaptic spike's update, as transmitted. */
struct sim_update {
	int64_t step;	  /* arrival of that spike at the synapse */
	uint64_t synapse; /* k */
	double weight;	  /* signed */
};

/* What an observer sees of one slice (t0, t1]; t0 == t1 == 0 once at the start. Borrowed for the
 * call. */
struct sim_view {
	const struct sim *sim;
	const struct spec *spec;
	int64_t t0, t1;
	const struct sim_spike *const *spikes; /* [n_populations] each in order of (step, neuron);
						  all spikes, recorded or not */
	const size_t *n_spikes;
	const struct sim_update *const *updates; /* [n_projections] in order of (step, synapse) */
	const size_t *n_updates;
};

struct sim_observer {
	void *self;
	/* The next step after t at which slice() must see t1 == that step (to sample there);
	 * INT64_MAX: none. */
	int64_t (*next)(void *self, int64_t t);
	int (*slice)(void *self, const struct sim_view *v, struct err *err);
};

struct sim_counts {
	uint64_t spikes;	  /* of all neurons and generators */
	uint64_t synaptic_events; /* deposits */
	uint64_t plastic_updates; /* presynaptic spikes times plastic synapses, and postsynaptic
				     ones taken in */
	uint64_t steps;
};

/* Build the network in `arena` and stand at t = 0. `threads` changes nothing but time. Errors:
 * NOMEM, LIMIT (arena), RANGE, or the guard's (may be NULL). */
int sim_new(struct sim **ret, const struct spec *spec, struct mem_arena *arena, unsigned threads,
	    const struct net_guard *guard, struct err *err) MUST_USE;
void sim_free(struct sim *s); /* threads and histories; the arena is the caller's */
/* Before the first step: synapses whose updates are to be seen. synapses NULL: all. */
int sim_watch(struct sim *s, size_t projection, const uint64_t *synapses, size_t n,
	      struct err *err) MUST_USE;
/* At most 16 observers, called in the order added. */
void sim_observe(struct sim *s, struct sim_observer o);
/* Tell the observers the state at t = 0; once, before the first step. */
int sim_start(struct sim *s, struct err *err) MUST_USE;
/* From now on another schedule, borrowed until the next call: none of its entries was applied, all stand
 * at sim_now() or later, in order. */
void sim_schedule(struct sim *s, const struct spec_change *changes, size_t n);
/* How many of `threads` a network of this size keeps busy: those that meet every step for a handful
 * of neurons only wait for one another. */
unsigned sim_useful_threads(const struct spec *spec, unsigned threads);
/* A process that is to fork ends its threads before, and both start theirs after. With one thread
 * nothing happens. Errors: NOMEM. */
void sim_threads_stop(struct sim *s);
int sim_threads_start(struct sim *s, struct err *err) MUST_USE;
/* Go on to step `to` (> now, at most spec->steps). Errors: NUMERICAL, RATE, NOMEM, or an
 * observer's. */
int sim_advance(struct sim *s, int64_t to, struct err *err) MUST_USE;

/* The whole state, between two advances: saved, or loaded into a simulation just made of the same
 * spec (sim_ckpt.c); after a failure it can only be freed. Instead of sim_start. */
int sim_pack(struct sim *s, struct pack *p);

/* A signal of `amount` to the modulated rule of a projection, sent now: the same bits as a reward of the
 * schedule at this time, behind its entries. Between two advances, or in an observer's slice(), which
 * so closes a loop; what it goes by must not depend on where slices end. Errors: CONFLICT (the rule has
 * no modulator), NOMEM. */
int sim_reward(struct sim *s, size_t projection, double amount, struct err *err) MUST_USE;

int64_t sim_now(const struct sim *s);
const struct spec *sim_spec(const struct sim *s);
struct sim_counts sim_counts(const struct sim *s);
/* Column of a state variable, [size], at sim_now(). */
const double *sim_state(const struct sim *s, size_t population, size_t variable);
uint64_t sim_synapses(const struct sim *s, size_t projection);
/* Sources and targets of all synapses of a projection, by k. */
void sim_endpoints(const struct sim *s, size_t projection, uint32_t *ret_source,
		   uint32_t *ret_target);
/* Signed weights of a projection by k, with every arrival up to sim_now() in; evaluated into ret_w,
 * commits nothing. */
int sim_weights(const struct sim *s, size_t projection, double *ret_w, struct err *err) MUST_USE;
/* Digest of all neurons' spikes and the plastic weights of now. */
int sim_digest(const struct sim *s, uint64_t *ret, struct err *err) MUST_USE;

#endif
