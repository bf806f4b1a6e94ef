/* neuron.h - what a neuron or input model is: a const descriptor over columns.
 *
 * A model never allocates, reads a clock or knows threads. Step t covers (t-1, t]: input that
 * arrives at t is in `in`, a threshold crossed in the step is a spike stamped t. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_NEURON_H
#define CORE_MODEL_NEURON_H

#include <stdint.h>

#include "core/base/rng.h"
#include "core/model/param.h"

enum neuron_kind {
	NEURON_CELL,	/* integrates its input; watched by max_rate_hz */
	NEURON_SPIKES,	/* a generator of spikes: what it receives is ignored */
	NEURON_CURRENT, /* a generator of current: out[] is pA in every step, no spikes */
};

enum neuron_input {
	NEURON_IN_NONE,
	NEURON_IN_SUM,	  /* in[0]: sum of weights */
	NEURON_IN_SIGNED, /* in[0]: sum of positive weights, in[1]: sum of negative ones (<= 0) */
	NEURON_IN_COUNT,  /* in[0]: number of spikes, whatever their weight */
};

enum {
	NEURON_PARAMS_MAX = 40,
	NEURON_STATES_MAX = 24,
	NEURON_COEFS_MAX = 48,
	NEURON_INPUTS_MAX = 3,
	NEURON_BLOCK = 16,
};

struct state_def {
	const char *name; /* NEST's recordable name where there is one */
	const char *doc;
	enum unit unit;
	double init;	/* initial value */
	int init_param; /* >= 0: start at this parameter's value instead */
	bool internal; /* bookkeeping (refractory steps left, draw counters): neither recordable nor
			  settable */
};

/* Times of a generator, ascending steps: of spikes (from 1), or from where on a value holds (from
 * 0). A list per neuron, or one for all. */
struct neuron_times {
	const uint64_t *offset; /* neuron i: [offset[i * stride], offset[i * stride + 1]) */
	const int64_t *step;
	const double *value; /* NULL: spikes */
	size_t stride;	     /* 0: all neurons share one list */
};

/* One call of step(): n consecutive neurons of one population. */
struct neuron_ctx {
	size_t n;
	int64_t step;			      /* this step's number, from 1 */
	double dt;			      /* ms */
	const double *coef[NEURON_COEFS_MAX]; /* [n] each if stride is 1, [1] if it is 0 */
	size_t stride;			      /* 0: all neurons share coefficients */
	double *state[NEURON_STATES_MAX];     /* [n] each */
	const double *in[NEURON_INPUTS_MAX];  /* [n] each: spike channels */
	const double *current; /* [n] pA: what current generators deliver in this step */
	double *out;	    /* [n] spikes emitted in this step (0, 1, more for generators), or pA */
	struct rng_key key; /* of this population */
	uint64_t id0;	    /* id (inside the population) of neuron 0 of this call */
	struct neuron_times times; /* offset is at neuron 0 of this call; NULL: no times */
	/* Only for a model that is `sparse`, which keeps it: a block of NEURON_BLOCK neurons emits
	 * nothing before this step. 0: not known. out[] is zero when step() begins, and stays so where
	 * nothing is emitted. */
	int64_t *quiet;
};

struct neuron_model {
	const char *name, *doc, *cite; /* cite: a DOI or "" */
	enum neuron_kind kind;
	enum neuron_input input;
	bool takes_current;
	bool sparse; /* see neuron_ctx.quiet */
	const struct param_def *params;
	size_t n_params;
	const struct state_def *states;
	size_t n_states;
	size_t n_coefs;
	/* Conditions across parameters (V_reset < V_th); p[n_params]. Returns 0, or err with path =
	 * the parameter's name. */
	int (*check)(const double *p, struct err *err);
	/* Coefficients of one neuron from its parameters: coef[n_coefs]; dt in ms. */
	void (*prepare)(const double *p, double dt, double *coef);
	/* Before coefficients change (zero at the start) and after it, by the schedule: make states
	 * that depend on them independent, and dependent again (poisson_generator). May be NULL. */
	void (*changing)(const struct neuron_ctx *c);
	void (*changed)(const struct neuron_ctx *c);
	void (*step)(const struct neuron_ctx *c);
};

// clang-format off
#define NEURON_MODELS(X) \
	X(iaf_psc_delta) X(iaf_psc_exp) X(iaf_psc_alpha) \
	X(iaf_cond_exp) X(lif_adaptive) X(aeif_cond_exp) X(aeif_psc_delta_clopath) \
	X(izhikevich) X(hh_psc_alpha) X(srm) X(parrot_neuron) X(poisson_generator) X(spike_generator) \
	X(inhomogeneous_poisson_generator) X(correlated_poisson_generator) X(pattern_generator) \
	X(dc_generator) X(noise_generator) X(step_current_generator)
// clang-format on

#define X(name) extern const struct neuron_model neuron_##name;
NEURON_MODELS(X)
#undef X

/* The first block from b on that may emit in this step, of a sparse model; or one behind the last. */
size_t neuron_loud(const struct neuron_ctx *c, size_t b);

/* All models, in the order above; ends with NULL. */
extern const struct neuron_model *const neuron_models[];
const struct neuron_model *neuron_find(const char *name); /* NULL if there is none */

#endif
