/* spec.h - the validated, immutable description of one simulation.
 *
 * Names are resolved to indices, times to steps, aliases to models; nothing of JSON is left. A spec
 * lives in the arena it was read into. Populations and projections are sorted bytewise by name:
 * global order never depends on the order in a JSON text. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_SPEC_H
#define CORE_SPEC_H

#include "core/base/mem.h"
#include "core/model/neuron.h"
#include "core/model/plasticity.h"
#include "core/model/synapse_option.h"
#include "core/model/wiring.h"

enum spec_value_kind { SPEC_CONST, SPEC_ARRAY, SPEC_UNIFORM, SPEC_NORMAL, SPEC_LOGNORMAL };

/* A number, one per item, or a distribution. */
struct spec_value {
	enum spec_value_kind kind;
	double a, b;	     /* const: a; uniform: [a, b); normal: mean a, sd b; lognormal: of the
				logarithm, mu a, sigma b */
	const double *array; /* [n] */
	size_t n;
	bool set; /* false: the table's default stands in a */
};

/* Value for item i; key as spec_key() gives. Distributed values are clipped to [min, max]. */
double spec_value_at(const struct spec_value *v, struct rng_key key, uint64_t i, double min,
		     double max);

struct spec_population {
	const char *name;
	const struct neuron_model *model;
	size_t size;
	uint64_t id0;			 /* global id of neuron 0 */
	const struct spec_value *params; /* [model->n_params] */
	const struct spec_value *init;	 /* [model->n_states]; not set: the state_def's */
	struct neuron_times times;	 /* spike_generator */
	bool record_spikes;
};

struct spec_projection {
	const char *name;
	size_t source, target; /* populations */
	const struct wiring_rule *rule;
	struct wiring_ctx wiring;   /* complete but for the key, which net sets */
	const uint64_t *list_order; /* [wiring.n_list] position in the spec's list of each sorted
				       entry; rule `list` only */
	const struct plasticity_model *model;
	const double *params;	  /* [model->n_params], ours (aliases converted) */
	struct spec_value weight; /* arrays are in synapse order k */
	struct spec_value delay;  /* ms; an array or distribution is rounded to steps, at least 1 */
	int64_t axonal;		  /* steps */
	int64_t delay_min, delay_max;	/* steps: bounds of `delay` (65535 at most) */
	bool keep_final;		/* final weights go into the result */
	const double *option[OPTION_N]; /* [synapse_options[i].n_params]; NULL: not asked for */
	const double *stp; /* parameters of short-term plasticity beside the rule; NULL: none */
	double modulation; /* all amplitudes of the rule are multiplied by it */
	int modulator;	   /* population whose spikes are the rule's signal, -1: none */
	int64_t modulator_delay; /* steps; of the schedule's rewards too */
};

enum spec_weights_mode { SPEC_WEIGHTS_SNAPSHOT, SPEC_WEIGHTS_UPDATES, SPEC_WEIGHTS_HISTOGRAM };

struct spec_record_states {
	size_t population;
	size_t n_variables, n_neurons;
	const int *variables;	 /* indices into model->states */
	const uint32_t *neurons; /* ascending not required; as asked */
	int64_t every;		 /* steps */
};

struct spec_record_weights {
	size_t projection;
	enum spec_weights_mode mode;
	int64_t every;		  /* steps; snapshots and histograms; also at 0 and at the end */
	const uint64_t *synapses; /* [n_synapses] k, NULL: all */
	size_t n_synapses;
	size_t bins;	 /* histogram */
	double min, max; /* histogram range; min == max: taken from the rule's bounds or the data */
};

struct spec_record_rates {
	size_t population;
	int64_t bin; /* steps */
};

enum spec_change_kind {
	SPEC_SET_POPULATION,
	SPEC_SET_PROJECTION,
	SPEC_PLASTICITY, /* on or off */
	SPEC_MODULATION, /* value.a: the new factor */
	SPEC_REWARD,	 /* value.a: a signal as of so many spikes of the modulator */
	SPEC_NORMALISE,	 /* now, whatever its period */
	SPEC_SPIKES,	 /* of a generator, beside its own; into cells, of weight value.a */
};

/* One change at `at`: applies before the step (at, at + 1]. In order of time, then list. */
struct spec_change {
	int64_t at;
	enum spec_change_kind kind;
	size_t subject; /* population or projection */
	int param;	/* index, for the two SET kinds */
	struct spec_value value;
	bool on;
	const uint32_t *neurons; /* [n_neurons] of spikes; NULL: all */
	size_t n_neurons;
	uint32_t count; /* spikes of each */
};

struct spec_limits {
	uint64_t max_spikes; /* recorded spikes */
	double max_rate_hz;  /* of cells, over windows of 100 ms; 0: none */
	double wall_s;	     /* 0: none */
};

struct spec {
	double dt;     /* ms */
	int64_t steps; /* duration */
	uint64_t seed;
	size_t n_populations, n_projections;
	const struct spec_population *populations;
	const struct spec_projection *projections;
	size_t n_states, n_weights, n_rates, n_changes;
	const struct spec_record_states *states;
	const struct spec_record_weights *weights;
	const struct spec_record_rates *rates;
	const struct spec_change *changes;
	struct spec_limits limits;
};

struct spec_cost {
	double neurons, synapses, steps; /* expected; neurons include generators */
	double bytes;			 /* of the network in memory */
	double result_bytes;		 /* of what is recorded, where that is known before */
};

/* Estimate before anything is built. */
struct spec_cost spec_cost(const struct spec *s);
/* Index of a population or projection by name, -1 if there is none. */
int spec_population(const struct spec *s, const char *name);
int spec_projection(const struct spec *s, const char *name);
/* Keys for distributed values: "populations/<name>/params/<param>", one key per object and
 * parameter. */
struct rng_key spec_key(const struct spec *s, enum rng_purpose purpose, const char *object,
			const char *detail);

#endif
