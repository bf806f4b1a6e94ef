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
 * projection's.
 *
 * What else a rule may ask to be kept, each by one function or name in its descriptor: logs of the
 * target's states (`needs`), a signal such as dopamine (`on_signal`), earlier presynaptic arrivals
 * (`memory`), and updates on a grid of time (`tick_ms`). */
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
	PLASTICITY_NEEDS_MAX = 4,  /* states of the target */
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

/* The last spikes of one target in half a cache line, for a rule that looks at many targets. */
enum { PLASTICITY_BEFORE = 4 };
struct plasticity_recent {
	double k, k_before; /* k[0] of the last spike, and of the one before it */
	int64_t last;	    /* its step; PLASTICITY_NEVER: there was none */
	uint64_t before;    /* how many steps before it the ones before came, the latest first:
			     * see plasticity_before() */
};
#define PLASTICITY_NEVER (INT64_MIN / 2)

/* Four numbers of sixteen bits, j from 0; PLASTICITY_TOLD: so long ago or longer, or never. */
#define PLASTICITY_TOLD 65535

static inline ALWAYS_INLINE int64_t plasticity_before(uint64_t before, size_t j)
{
	return (int64_t)(before >> (16 * j) & PLASTICITY_TOLD);
}

static inline struct plasticity_recent plasticity_look_back(const struct plasticity_history *h)
{
	const struct plasticity_spike *last;
	struct plasticity_recent r = { .last = PLASTICITY_NEVER, .before = UINT64_MAX };

	if (h->n == 0)
		return r;
	last = &h->at[h->n - 1];
	r.k = last->k[0];
	r.k_before = h->n > 1 ? last[-1].k[0] : 0;
	r.last = last->step;
	for (size_t j = 0; j < PLASTICITY_BEFORE && j + 1 < h->n; j++) {
		int64_t ago = last->step - h->at[h->n - 2 - j].step;
		uint64_t told = ago < PLASTICITY_TOLD ? (uint64_t)ago : PLASTICITY_TOLD;

		r.before -= (PLASTICITY_TOLD - told) << (16 * j);
	}
	return r;
}

/* The spikes of consecutive targets in the order of time, for a rule that wants to look only at what
 * happened. */
struct plasticity_timeline {
	int64_t *step;	/* [n] of emission, ascending; several of one step and target stand one
			 * after the other */
	uint32_t *at;	/* [n] whose: target - first */
	uint32_t first; /* of the targets */
	size_t n, cap;	/* full: the older half is dropped */
	int64_t from;	/* all spikes emitted after this step are there */
	/* For the rule: what presynaptic spikes meet at each target, the same for all rows visited in
	 * step met_at (0: none yet). */
	double *met; /* [targets] */
	int64_t met_at;
};

/* How many of them were emitted by `step`. */
static inline size_t plasticity_emitted(const struct plasticity_timeline *l, int64_t step)
{
	size_t from = 0, n = l->n;

	while (n > 1) { /* no branch in it that could be guessed wrong */
		size_t half = n / 2;

		from = l->step[from + half - 1] <= step ? from + half : from;
		n -= half;
	}
	return from + (n > 0 && l->step[from] <= step);
}

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

/* One arrival of the modulator's signal (dopamine, reward) at all synapses of a projection. */
struct plasticity_signal {
	int64_t step;  /* of arrival: delay included */
	double amount; /* spikes of the modulator in one step, or what the schedule gives */
	double k;      /* the rule's trace of the signal just after, by on_signal() */
};

struct plasticity_ctx {
	double dt;					 /* ms */
	double coef[PLASTICITY_COEFS_MAX];		 /* from prepare() */
	struct fmath_decay decay[PLASTICITY_DECAYS_MAX]; /* of the rule's time constants */
	const struct plasticity_history *post;		 /* [n_target] */
	const struct plasticity_recent *recent;		 /* [n_target] the ends of the same */
	/* [n_target] records of on_step(), ascending; NULL if the rule has none. Those of steps after
	 * t_last - (longest delay of the projection) are there. */
	const struct plasticity_history *log;
	/* Ascending arrivals: all in (t_last, t] and at least the last one up to t_last. */
	const struct plasticity_signal *signal; /* [n_signal] */
	size_t n_signal;
	struct rng_key key; /* of the projection's noise; draw with id = synapse k */
};

/* The synapses of one source. */
struct plasticity_row {
	int64_t t;	     /* now, at the synapse, steps */
	int64_t t_last;	     /* the row is up to date to here (arrivals <= t_last are in) */
	int64_t t_pre;	     /* the last presynaptic arrival; -1 before the first */
	unsigned n_spikes;   /* presynaptic spikes arriving at t; 0: only bring up to date */
	bool on;	     /* false: weights stand still, traces go on */
	bool tick;	     /* t is a multiple of tick_ms(); n_spikes is 0 then */
	const int64_t *past; /* [n_past] presynaptic arrivals before t, ascending, one entry a
				 * spike: at least those after t_last - memory() */
	size_t n_past;
	double *pre;		/* [n_pre] per-source state */
	size_t n;		/* synapses */
	uint64_t k0;		/* index k of synapse 0, if `order` is NULL */
	const uint64_t *order;	/* [n] index k of each; see plasticity_synapse() */
	const uint32_t *target; /* [n] index into ctx->post */
	const uint16_t *delay;	/* [n] steps if delay_stride is 1, [1] if it is 0 */
	size_t delay_stride;
	struct plasticity_timeline *timeline; /* of the targets, which are consecutive, with
						     * one delay; NULL: they are not, or none is kept */
	double *w;			      /* [n] magnitudes */
	double *syn[PLASTICITY_SYN_MAX];      /* [n] each */
	double *tx; /* [n] out: what each synapse transmits for one spike; only if n_spikes > 0.
		     * The engine sets tx = w unless the rule's own_tx is true. */
};

/* Have a row's weights read while something else is done. */
static inline ALWAYS_INLINE void plasticity_read_row(const struct plasticity_row *row)
{
	for (size_t i = 0; i < row->n; i += 8)
		PREFETCH(&row->w[i]);
}

/* Index k of synapse i of a row: what names it in random numbers. */
static inline ALWAYS_INLINE uint64_t plasticity_synapse(const struct plasticity_row *row, size_t i)
{
	return row->order ? row->order[i] : row->k0 + i;
}

struct plasticity_syn_def {
	const char *name, *doc;
	double init;
};

/* A published set of parameters, by name. */
struct plasticity_set {
	const char *name, *doc;
	const double *p; /* [n_params] */
};

struct plasticity_model {
	const char *name, *doc, *cite;
	const struct param_def *params;
	size_t n_params;
	const struct plasticity_set *sets; /* [n_sets] */
	size_t n_sets;
	size_t n_coefs, n_decays, n_traces, n_pre;
	bool own_tx;
	bool timeline;			      /* wanted */
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
	/* States that every target must have, by name; NULL-terminated. NULL: none. */
	const char *const *needs;
	/* How many steps ago the lagged values of on_step() are. NULL: 0. */
	int64_t (*lag)(const double *coef, double dt);
	/* After a target's step: v[] are the values of `needs` after it, lagged[] those `lag` steps
	 * earlier (NULL in the first `lag` steps). Leave in k[2] what update() will want of this step;
	 * false: nothing. Needed if `needs` is there. */
	bool (*on_step)(const struct plasticity_ctx *c, const double *v, const double *lagged,
			double *k);
	/* The trace just after a signal of `amount` at `step`, given the arrival before it (NULL: the
	 * first). NULL: the rule has no modulator. */
	double (*on_signal)(const struct plasticity_ctx *c, const struct plasticity_signal *prev,
			    int64_t step, double amount);
	/* How many steps a presynaptic arrival stays in row->past after it came. NULL: none is kept. */
	int64_t (*memory)(const double *coef, double dt);
	/* Grid on which rows are brought up to date with row->tick, ms (a multiple of dt). NULL: none. */
	double (*tick_ms)(const double *p);
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
#define PLASTICITY_MODELS(X) \
	X(static) X(stdp_pair) X(stdp_triplet) X(stdp_calcium) X(stdp_clopath) X(stdp_inhibitory) \
	X(stdp_dopamine) X(stp) X(hebb_rate)
// clang-format on

#define X(name) extern const struct plasticity_model plasticity_##name;
PLASTICITY_MODELS(X)
#undef X

extern const struct plasticity_model *const plasticity_models[]; /* ends with NULL */
const struct plasticity_model *plasticity_find(const char *name);

#endif
