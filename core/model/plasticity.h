/* plasticity.h - what a plasticity rule is: a const descriptor and one function over a row.
 *
 * Plastic synapses stand in rows by source. The engine keeps, per target neuron, a short history of
 * postsynaptic spikes with the rule's own traces; a row is brought up to date when its source
 * spikes, or by a sweep on a grid fixed by the spec, or in scratch memory to be read (a read never
 * commits).
 *
 * At one synapse, in this order: every post arrival in (t_last, t] facilitates, with the pre trace
 * as it was before this spike; the pre spike depresses, with the post trace of arrivals strictly
 * before t; the weight so reached is transmitted; the pre trace takes the spike in. A post spike of
 * step s arrives at s + delay (delay is dendritic). Weights are magnitudes; the sign is the
 * projection's. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_PLASTICITY_H
#define CORE_MODEL_PLASTICITY_H

#include <stdint.h>

#include "core/base/fmath.h"
#include "core/base/rng.h"
#include "core/model/param.h"

enum {
	PLASTICITY_PARAMS_MAX = 32,
	PLASTICITY_COEFS_MAX = 32,
	PLASTICITY_DECAYS_MAX = 6,
	PLASTICITY_TRACES_MAX = 2, /* per post spike */
	PLASTICITY_PRE_MAX = 4,	   /* per source */
	PLASTICITY_SYN_MAX = 3,	   /* per synapse, beside the weight */
};

/* One postsynaptic spike and the traces just after it. */
struct plasticity_spike {
	int64_t step; /* of emission */
	double k[PLASTICITY_TRACES_MAX];
};

/* Spikes of one target, ascending; several of one step stand one after the other. */
struct plasticity_history {
	const struct plasticity_spike *at; /* [n] */
	size_t n;
};

/* How many of the first `end` spikes have arrived by t, t included. */
static inline ALWAYS_INLINE size_t plasticity_arrived(const struct plasticity_history *h,
						      size_t end, int64_t delay, int64_t t)
{
	while (end > 0 && h->at[end - 1].step + delay > t)
		end--;
	return end;
}

/* Targets of a row lie all over the memory: have the end of a history read some synapses before
 * its turn. */
static inline ALWAYS_INLINE void plasticity_read_ahead(const struct plasticity_history *h)
{
	PREFETCH(h->n > 0 ? &h->at[h->n - 1] : h->at);
	PREFETCH(h->n > 2 ? &h->at[h->n - 3] : h->at);
}

enum { PLASTICITY_AHEAD = 12 }; /* synapses */

struct plasticity_ctx {
	double dt;					 /* ms */
	double coef[PLASTICITY_COEFS_MAX];		 /* from prepare() */
	struct fmath_decay decay[PLASTICITY_DECAYS_MAX]; /* of the rule's time constants */
	const struct plasticity_history *post;		 /* [targets of this part] */
};

/* The synapses of one source. */
struct plasticity_row {
	int64_t t;		/* now, at the synapse, steps */
	int64_t t_last;		/* the row is up to date to here (arrivals <= t_last are in) */
	int64_t t_pre;		/* the last presynaptic arrival; -1 before the first */
	unsigned n_spikes;	/* presynaptic spikes arriving at t; 0: only bring up to date */
	bool on;		/* false: weights stand still, traces go on */
	double *pre;		/* [n_pre] per-source state */
	size_t n;		/* synapses */
	const uint32_t *target; /* [n] index into ctx->post */
	const uint16_t *delay;	/* [n] steps if delay_stride is 1, [1] if it is 0 */
	size_t delay_stride;
	double *w;			 /* [n] magnitudes */
	double *syn[PLASTICITY_SYN_MAX]; /* [n] each */
	double *tx; /* [n] out: what each synapse transmits for one spike; only if n_spikes > 0.
		     * The engine sets tx = w unless the rule's own_tx is true. */
};

struct plasticity_syn_def {
	const char *name, *doc;
	double init;
};

struct plasticity_model {
	const char *name, *doc, *cite;
	const struct param_def *params;
	size_t n_params;
	size_t n_coefs, n_decays, n_traces, n_pre;
	bool own_tx;
	const struct plasticity_syn_def *syn; /* [n_syn(...)] */
	/* Conditions across parameters; path = the parameter's name. May be NULL. */
	int (*check)(const double *p, struct err *err);
	/* coef[n_coefs] and time constants tau[n_decays] in ms (PARAM_INF: none) from parameters
	 * p[n_params]. */
	void (*prepare)(const double *p, double dt, double *coef, double *tau);
	/* Columns per synapse that these coefficients need. NULL: none. */
	size_t (*n_syn)(const double *coef);
	/* Traces k after a post spike at `step`, given the spike before it (NULL: the first). NULL:
	 * no history is kept. */
	void (*on_post)(const struct plasticity_ctx *c, const struct plasticity_spike *prev,
			int64_t step, double *k);
	/* Bring a row to row->t and, with n_spikes > 0, take presynaptic spikes in. NULL: static.
	 * Does not touch t_last and t_pre: the engine moves them after the call. */
	void (*update)(const struct plasticity_ctx *c, struct plasticity_row *row);
	/* The bounds that initial weights must keep. NULL: none. */
	void (*bounds)(const double *p, double *ret_min, double *ret_max);
	/* The closed form of the rule's window: weight change of ONE isolated pair, dt_ms = t_post
	 * - t_pre at the synapse, starting from w. Written from the formula, not from the update
	 * code. NULL: no pair window. */
	double (*window)(const double *p, double w, double dt_ms);
};

// clang-format off
#define PLASTICITY_MODELS(X) X(static) X(stdp_pair) X(stdp_triplet) X(stdp_inhibitory) X(stp)
// clang-format on

#define X(name) extern const struct plasticity_model plasticity_##name;
PLASTICITY_MODELS(X)
#undef X

extern const struct plasticity_model *const plasticity_models[]; /* ends with NULL */
const struct plasticity_model *plasticity_find(const char *name);

#endif
