/* net.h - a spec made into columns of state and rows of synapses, all in one arena.
 *
 * Targets are cut into `n_parts` contiguous chunks, one per thread; each part owns its neurons'
 * state, its slice of the input rings and the synapses that end on its targets. Nothing a part
 * writes is read by another before a barrier. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_NET_H
#define CORE_NET_H

#include "core/spec.h"

enum { NET_PARTS_MAX = 64 };

/* Input that is under way to a population, one value per slot (step modulo slots) and neuron. */
struct net_ring {
	double *at;   /* [slots][n]; NULL: nothing ever arrives */
	int64_t mask; /* slots - 1; slots is a power of two over the longest delay */
};

struct net_population {
	const struct spec_population *spec;
	size_t n;
	double *param[NEURON_PARAMS_MAX];	/* [n] or [1] current values */
	size_t param_stride[NEURON_PARAMS_MAX]; /* 1 or 0 */
	double *coef[NEURON_COEFS_MAX];		/* [n] or [1] */
	size_t coef_stride;
	double *state[NEURON_STATES_MAX];      /* [n] */
	struct net_ring in[NEURON_INPUTS_MAX]; /* spike channels */
	struct net_ring current;
	double *out;	    /* [n] of the step being computed */
	int64_t *quiet;	    /* [n / NEURON_BLOCK + n_parts] of sparse models, blocks of each part */
	const double *zero; /* [n] stands in for rings that are not there */
	struct rng_key key;
	size_t n_in;			  /* spike channels */
	uint32_t part[NET_PARTS_MAX + 1]; /* neurons of part i: [part[i], part[i + 1]) */
};

/* The synapses of a projection that end on one part's targets: rows by source, each sorted by
 * (target, draw). */
struct net_rows {
	uint64_t *row; /* [n_source + 1] */
	uint64_t *k0;  /* [n_source] index k of each row's first synapse; NULL for wiring `list` */
	uint64_t *order;  /* [n] index k of each synapse; wiring `list` only */
	uint32_t *target; /* [n] in the target population */
	double *w;	  /* [n] magnitudes if plastic, else signed */
	uint16_t *delay;  /* [n] or [1] steps */
	double *syn[PLASTICITY_SYN_MAX];
	bool whole; /* each row has all own targets once, with one delay; or is empty */
	struct plasticity_timeline *timeline; /* of own targets; NULL: none */
	/* plastic only, one a source: */
	int64_t *t_last, *t_pre;
	double *pre;	       /* [n_source][n_pre] */
	double *stp;	       /* [n_source][n_pre of the rule `stp`]; NULL: no such option */
	struct net_past *past; /* [n_source]; NULL: the rule has no memory */
};

/* Growing arrays, by mem_alloc. */
struct net_history {
	struct plasticity_spike *at;
	size_t n, cap;
};

struct net_past {
	int64_t *at; /* arrivals of one source's spikes, ascending */
	size_t n, cap;
};

struct net_signals {
	struct plasticity_signal *at;
	size_t n, cap;
};

/* Logs of the targets' states, for rules that need them. */
struct net_log {
	size_t n_needs;
	int needs[PLASTICITY_NEEDS_MAX]; /* indices of the target's states */
	int64_t lag;			 /* steps */
	double *lagged; /* [lag][n_target][n_needs] the values of the last `lag` steps, by step
			   modulo lag; NULL: no lag */
	struct plasticity_history *view; /* [n_target] what the rule sees; NULL: no log */
	struct net_history *record;	 /* [n_target] owner of the same */
};

/* What homeostatic scaling knows of a target. */
struct net_rates {
	double *running; /* [n_target] Hz, as of the last step of scaling; NULL: no such option */
	double *since;	 /* [n_target] Hz, what spikes since then will add */
};

struct net_projection {
	const struct spec_projection *spec;
	const struct plasticity_model *model;
	size_t n_source, n_target;
	size_t delay_stride; /* 0: one delay for all */
	size_t n_syn, n_pre;
	double sign; /* of a plastic projection's weights; 1 if static */
	int channel; /* of the target's input: 0, 1, -1 (by each weight's sign), or NET_NOWHERE,
			NET_COUNT, NET_CURRENT */
	bool plastic, on;
	uint64_t n; /* synapses in all parts */
	struct net_rows part[NET_PARTS_MAX];
	/* plastic only: */
	double *param; /* [model->n_params] current values */
	struct plasticity_ctx *ctx;
	struct plasticity_history *post;  /* [n_target] what the rule sees */
	struct net_history *history;	  /* [n_target] owner of the same */
	struct plasticity_recent *recent; /* [n_target] its end */
	uint32_t *in_degree;		  /* [n_target] */
	int64_t sweep, tick;		  /* steps: grids of upkeep; tick 0: none */
	int64_t every[OPTION_N];	  /* steps; 0: not on a grid */
	int64_t memory;			  /* steps that arrivals are kept; -1: not at all */
	double modulation;
	struct plasticity_ctx *stp; /* short-term plasticity beside the rule; NULL: none */
	struct net_signals signals;
	struct net_log log;
	struct net_rates rates;
};

enum { NET_NOWHERE = -2, NET_COUNT = -3, NET_CURRENT = -4 };

/* Asked every few milliseconds while a network is built; -code with err filled ends the building. */
struct net_guard {
	int (*look)(void *self, struct err *err);
	void *self;
};

struct net {
	const struct spec *spec;
	const struct net_guard *guard; /* NULL: never asked */
	uint64_t work;		       /* done since the guard was asked */
	struct mem_arena *arena;
	size_t n_parts;
	int64_t slice; /* steps: the smallest dendritic delay, at most NET_SLICE_MAX */
	struct net_population *populations;
	struct net_projection *projections;
};

enum { NET_SLICE_MAX = 64 };

/* Build everything in `arena`. Errors: NOMEM, LIMIT (the arena's), RANGE (a weight beyond the
 * rule's bounds). */
int net_build(struct net **ret, const struct spec *spec, struct mem_arena *arena, size_t n_parts,
	      const struct net_guard *guard, struct err *err) MUST_USE;
/* Histories are the only memory outside the arena. */
void net_release(struct net *net);

/* Recompute a population's coefficients from its parameters (and mend states), seen from step
 * `now`. */
int net_prepare_population(struct net *net, size_t population, int64_t now,
			   struct err *err) MUST_USE;
/* Set one parameter from a value. */
int net_set_param(struct net *net, size_t population, size_t param, const struct spec_value *v,
		  struct err *err) MUST_USE;
/* Recompute a rule's coefficients from its parameters and the modulation. */
void net_prepare_projection(struct net *net, size_t projection);
/* The context a model's step() gets for one part of a population at one step; inputs point at the
 * step's slot. */
void net_context(const struct net *net, size_t population, size_t part, int64_t step,
		 struct neuron_ctx *ret);
/* Count work done in building (about 50 ns each) and ask the guard when it is due. */
int net_look(struct net *net, uint64_t work, struct err *err) MUST_USE;
/* Index k of synapse i of a source's row in a part. */
uint64_t net_synapse(const struct net_rows *r, size_t source, uint64_t i);

/* net_plastic.c: what a projection keeps for its rule and its options, but for rows. */
int net_plastic(struct net *net, size_t projection, struct err *err) MUST_USE;
/* What one part's rows keep beside the synapses. */
int net_plastic_rows(struct net *net, const struct net_projection *p, struct net_rows *r,
		     struct err *err) MUST_USE;
/* The timeline of a part whose rows are whole and whose rule wants it. */
int net_plastic_timeline(struct net *net, struct net_projection *p, size_t part,
			 struct err *err) MUST_USE;
void net_plastic_release(struct net_projection *p, size_t n_parts);

/* net_pairs.c: all synapses of a rule that draws pairs, in order of (target, draw). */
struct net_pairs {
	uint64_t *first;  /* [n_target + 1] NULL: not drawn */
	uint32_t *source; /* [first[n_target]] */
};
int net_pairs_draw(struct net *net, const struct wiring_rule *rule, const struct wiring_ctx *c,
		   struct net_pairs *ret, struct err *err) MUST_USE;
void net_pairs_free(struct net_pairs *p);

/* net_wire.c: the rows of all projections. */
int net_wire(struct net *net, size_t projection, struct err *err) MUST_USE;

#endif
