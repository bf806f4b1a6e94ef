/* kit.h - what experiments share: specs built piece by piece, spikes and weights watched, numbers
 * made of them.
 *
 * A kit_spec remembers its first failure (there is only one: no memory), and kit_simulate() tells it,
 * so that building needs no checks. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_KIT_H
#define CORE_KIT_H

#include "core/engine.h"

/* ---- parameters: json is what engine_params() gives ---- */

double kit_number(const json_t *params, const char *name);
bool kit_true(const json_t *params, const char *name);
const char *kit_text(const json_t *params, const char *name);
/* At most `max` numbers of a list into ret; how many. */
size_t kit_list(const json_t *params, const char *name, double *ret, size_t max);

/* ---- specs ---- */

struct kit_spec {
	json_t *json;
	bool failed;
};

void kit_begin(struct kit_spec *k, double dt_ms, double duration_ms, uint64_t seed);
void kit_end(struct kit_spec *k);
/* The json is taken; NULL is a failure to make it. An empty object has all defaults. */
void kit_population(struct kit_spec *k, const char *name, const char *model, size_t size,
		    json_t *params);
void kit_projection(struct kit_spec *k, const char *name, const char *source, const char *target,
		    json_t *connect, json_t *synapse);
/* A further key of a population ("populations"), a projection ("projections"), or with `kind` NULL
 * of the spec itself ("schedule"). */
void kit_set(struct kit_spec *k, const char *kind, const char *name, const char *key,
	     json_t *value);
/* n numbers as a JSON array. */
json_t *kit_array(const double *x, size_t n);
/* {"rule": name}. */
json_t *kit_rule(const char *name);
/* Run it. Errors: those of engine_simulate(), NOMEM. */
int kit_simulate(struct experiment_ctx *c, const struct kit_spec *k, const struct engine_look *look,
		 struct err *err) MUST_USE;
/* n of them side by side, each look called on any thread (engine_simulate_many). */
int kit_simulate_many(struct experiment_ctx *c, const struct kit_spec *k,
		      const struct engine_look *looks, size_t n, struct err *err) MUST_USE;
/* For an experiment's check(): all errors of the spec against the limits, told at its params. */
int kit_check(const struct kit_spec *k, const char *prefix, const struct spec_limits_json *limits,
	      struct err_list *errors);

/* ---- watching: call from at_start; what is watched must outlive the simulation ---- */

/* The spikes of one population from `from_ms` on, in order of (time, neuron). */
struct kit_spikes {
	const char *population;
	double from_ms;
	double *ms;	  /* [n] a spike each, n of a step n times */
	uint32_t *neuron; /* [n] */
	size_t n;
	size_t cap_ms, cap_neuron;
	size_t index; /* of the population */
};
int kit_spikes_watch(struct kit_spikes *k, struct sim *s, struct err *err) MUST_USE;
void kit_spikes_free(struct kit_spikes *k);
/* Times of one neuron, at most `max`, into ret; how many there are. */
size_t kit_spikes_of(const struct kit_spikes *k, uint32_t neuron, double *ret, size_t max);

/* A look every `every_ms`, first at that time. */
struct kit_sample {
	double every_ms;
	void *self;
	int (*at)(void *self, const struct sim *s, double t_ms, struct err *err);
	int64_t every; /* steps */
};
int kit_sample_watch(struct kit_sample *k, struct sim *s, struct err *err) MUST_USE;

/* Rewards to come, of all projections whose rule has a modulator: what is promised now, by any observer,
 * is given when its time comes. */
struct kit_rewards {
	struct kit_reward {
		int64_t at; /* step */
		double amount;
	} * list; /* [n] ascending */
	size_t n, given;
	size_t cap;
	struct sim *sim;
};
int kit_rewards_watch(struct kit_rewards *k, struct sim *s, struct err *err) MUST_USE;
/* At step `at`, later than the slice under way; one slice later than what earns it at least, so that it
 * does not depend on where slices end. */
int kit_rewards_promise(struct kit_rewards *k, int64_t at, double amount, struct err *err) MUST_USE;
void kit_rewards_free(struct kit_rewards *k);

/* All weights of a projection by k, in new memory (mem_free). */
int kit_weights(const struct sim *s, const char *projection, double **ret, size_t *ret_n,
		struct err *err) MUST_USE;

/* ---- numbers ---- */

double kit_mean(const double *x, size_t n); /* NaN for n = 0 */
double kit_sd(const double *x, size_t n);   /* of the sample, n - 1; NaN for n < 2 */
/* Part of x in [low, high). */
double kit_part(const double *x, size_t n, double low, double high);
/* Intervals between ascending times: their sd over their mean; NaN for fewer than two. */
double kit_isi_cv(const double *ms, size_t n);
/* Sarle's coefficient of bimodality, (skewness^2 + 1) / kurtosis with the sample's correction:
 * 5/9 for a uniform distribution, less for one hump, up to 1 for two. */
double kit_bimodality(const double *x, size_t n);
/* Pearson's correlation. */
double kit_correlation(const double *x, const double *y, size_t n);

/* ---- results ---- */

struct kit_column {
	const char *name, *unit;
	const double *x; /* [rows] */
};
int kit_table(struct experiment_ctx *c, const char *name, const struct kit_column *columns,
	      size_t n_columns, size_t n_rows, struct err *err) MUST_USE;

#endif
