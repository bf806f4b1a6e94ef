/* sim_state.h - what the step loop keeps; shared by the sim_*.c files only.
 *
 * A slice runs in two phases, each by all threads: integrate (own neurons over all steps of the
 * slice, own histories), then deliver (all spikes to own targets). Between them one thread merges
 * the spikes of the parts. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_SIM_STATE_H
#define CORE_SIM_STATE_H

#include "core/base/hash.h"
#include "core/net.h"
#include "core/sim.h"

enum { SIM_OBSERVERS_MAX = 16 };

/* Growing arrays outside the arena. */
struct sim_spikes {
	struct sim_spike *at;
	size_t n, cap;
};

struct sim_updates {
	struct sim_update *at;
	size_t n, cap;
};

/* What one thread owns. */
struct sim_part {
	size_t id;
	struct neuron_ctx *ctx;	     /* [n_populations] pointers of this part's neurons */
	struct sim_spikes *spikes;   /* [n_populations] of this slice */
	struct sim_updates *updates; /* [n_projections] of this slice */
	size_t *cursor;		     /* [n_projections] next spike of the source's log to visit */
	double *tx;		     /* [longest row] for rules with their own transmission */
	double *of_target;	     /* [most own targets of a projection] scratch of the options */
	struct sim_counts counts;
	struct err err;
	int rc; /* the first failure in this part, 0 while there is none */
};

/* Synapses whose updates are recorded. */
struct sim_watch {
	uint8_t *row;	   /* [n_source] some synapse of this row is watched */
	uint64_t *synapse; /* bit set by k; NULL: all */
};

/* Spikes from outside, in the first step of a slice (sim_stimulus.c). */
struct sim_stimulus {
	bool on;
	double *out;   /* [n] of a generator, beside its own; NULL: none so far */
	double *in[2]; /* [n] into cells at which no projection ends; NULL: none so far */
};

struct sim_pool;

struct sim {
	const struct spec *spec;
	struct mem_arena *arena;
	struct net *net;
	int64_t now;
	int64_t t0, t1;	       /* the slice under way: (t0, t1] */
	struct sim_part *part; /* [net->n_parts] */
	struct sim_pool *pool; /* NULL with one thread */
	struct sim_spikes
		*log; /* [n_populations] merged, from the oldest that an axonal delay still needs */
	size_t *log_from; /* [n_populations] where this slice begins */
	double **dense;	  /* [n_populations] [slice][n] what current generators (pA) and unobserved
			* one-to-one generators (counts) put out; NULL: spikes go through the log */
	uint32_t **window_count; /* [n_populations] [n] spikes of cells in this rate window; NULL if
				    not watched */
	bool *logged;		 /* [n_populations] a rule needs its states after every step */
	struct hash *digest;	 /* [n_populations] of cells' spikes */
	struct sim_watch *watch; /* [n_projections] */
	struct sim_updates *updates; /* [n_projections] merged */
	const struct sim_spike **view_spikes;
	size_t *view_n_spikes;
	const struct sim_update **view_updates;
	size_t *view_n_updates;
	struct sim_observer observer[SIM_OBSERVERS_MAX];
	size_t n_observers;
	const struct spec_change
		*changes; /* [n_changes] the schedule: the spec's, or one given later */
	size_t n_changes;
	size_t next_change;
	struct sim_stimulus *stimulus; /* [n_populations] */
	int64_t window;		       /* steps; 0: rates are not watched */
	int64_t grid; /* the next step at which sim_option_grid has something to do */
	uint64_t steps;
};

/* sim_step.c: the two phases, for one part. */
void sim_integrate(struct sim *s, struct sim_part *part);
void sim_deliver(struct sim *s, struct sim_part *part);

/* sim_plastic.c */
/* Bring all rows of a projection to now, one part's or all; before its rule or switch changes. */
void sim_settle_part(struct sim *s, struct sim_part *part, size_t projection, bool tick);
void sim_settle(struct sim *s, size_t projection);
/* One presynaptic arrival at a plastic row: update, record, return what to deposit. */
const double *sim_visit(struct sim *s, struct sim_part *part, size_t projection, size_t source,
			unsigned count, int64_t t);

/* sim_history.c: Take a part's spikes of this slice into the histories of the projections that end
 * on them; the states of its neurons after a step into logs. */
void sim_history_spikes(struct sim *s, struct sim_part *part);
void sim_history_states(struct sim *s, struct sim_part *part, size_t population, int64_t step);
/* Take the merged spikes of modulators in; or one signal, sent at `step`. */
int sim_history_signals(struct sim *s, struct err *err) MUST_USE;
int sim_history_signal(struct sim *s, size_t projection, int64_t step, double amount,
		       struct err *err) MUST_USE;
/* Add n_spikes arrivals at t; false: no memory. */
bool sim_history_past(struct net_past *past, int64_t t, unsigned n_spikes);
/* Drop what no row can need again once all rows of a projection (of a part) stand at now. */
void sim_history_forget(const struct sim *s, struct sim_part *part, size_t projection);
void sim_history_forget_signals(struct sim *s, size_t projection);
/* Drop arrivals that a row up to date to t_last needs no more. */
void sim_history_forget_past(const struct net_projection *p, struct net_past *past, int64_t t_last);

/* sim_option.c: The next step after now at which a grid has something to do; do it, for one part;
 * and what is nobody's part. */
int64_t sim_option_next(const struct sim *s);
void sim_option_grid(struct sim *s, struct sim_part *part);
void sim_option_forget(struct sim *s);
/* Normalise a settled projection now, all parts. */
void sim_option_normalise(struct sim *s, size_t projection);

/* sim_stimulus.c: Take an entry of the schedule for the step that follows; a population's step with
 * what was taken; forget it, behind the phase of integration. */
int sim_stimulus_add(struct sim *s, const struct spec_change *c, struct err *err) MUST_USE;
void sim_stimulus_step(struct sim *s, struct sim_part *part, size_t population);
void sim_stimulus_end(struct sim *s);

/* sim_pool.c: run fn for every part, the first on the caller's thread. */
int sim_pool_new(struct sim_pool **ret, struct sim *s, struct err *err) MUST_USE;
void sim_pool_run(struct sim_pool *pool, void (*fn)(struct sim *s, struct sim_part *part));
/* End the threads, keep the memory; start them again. */
void sim_pool_stop(struct sim_pool *pool);
int sim_pool_start(struct sim_pool *pool, struct err *err) MUST_USE;
void sim_pool_free(struct sim_pool *pool);

/* Growth of the two arrays; false: no memory (recorded in the part). */
bool sim_push_spike(struct sim_spikes *a, struct sim_spike x);
bool sim_push_update(struct sim_updates *a, struct sim_update x);

#endif
