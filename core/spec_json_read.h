/* spec_json_read.h - what the files of spec_json share: the reader, places in a text, tables of
 * keys.
 *
 * Reading goes on after an error, so that all errors of a text come at once: functions add to
 * r->errors and leave what they could not read at its default. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_SPEC_JSON_READ_H
#define CORE_SPEC_JSON_READ_H

#include <jansson.h>

#include "core/model/alias.h"
#include "core/spec_json.h"

enum {
	SPEC_JSON_NAME_MAX = 100,      /* bytes in a name */
	SPEC_JSON_NEURONS_MAX = 10000, /* neurons recorded without naming them */
	SPEC_JSON_BINS_MAX = 10000,
	SPEC_JSON_QUOTE_MAX = 64,
	SPEC_JSON_LIST_MAX = 1000000, /* items of an experiment's from/to/step */
};

#define SPEC_JSON_SIZE_MAX     4294967295.0    /* neurons of a population: ids are 32 bit */
#define SPEC_JSON_STEPS_MAX    1099511627776.0 /* 2^40 */
#define SPEC_JSON_DELAY_MAX    65535.0	       /* steps */
#define SPEC_JSON_SYNAPSES_MAX 9007199254740992.0

/* A place in the text: a chain on the stack, written out only when something is wrong there. */
struct spec_json_at {
	const struct spec_json_at *up; /* NULL: `key` is the prefix of all pointers */
	const char *key;	       /* NULL: an item of an array, at `index` */
	size_t index;
};

/* What a projection knows while it is read, beside its place in the spec. */
struct spec_json_synapse {
	const struct alias *alias; /* NULL: the model's own name was used */
	double *given;	/* [alias ? alias->n_params : model->n_params] as written, for later
			   changes */
	double *params; /* [model->n_params] ours */
	double count;	/* synapses; negative: drawn, NaN: not known after an error */
	bool negative;	/* weights are negative */
};

struct spec_json_reader {
	struct mem_arena *arena;
	struct err_list *errors;
	const struct spec_datasets *datasets;
	const struct spec_limits_json *limits;
	struct spec *spec;
	struct spec_population *populations; /* [spec->n_populations] */
	struct spec_projection *projections; /* [spec->n_projections] */
	struct spec_json_synapse *synapses;  /* [spec->n_projections] */
	const char **population_names;	     /* sorted */
	const char **projection_names;
	bool nomem;
};

typedef void spec_json_member(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at, void *out);

/* One key of an object. */
struct spec_json_key {
	const char *name;
	spec_json_member *read;
	bool required;
};

/* A row of names for "expected one of" and "did you mean". */
struct spec_json_names {
	const char *const *at; /* [n] */
	size_t n;
};

/* spec_json.c: a whole spec, into r->spec. The reader knows afterwards what entries of the schedule that
 * come later refer to. */
int spec_json_read_all(struct spec_json_reader *r, json_t *json, const char *prefix) MUST_USE;

/* spec_json_read.c: places, errors, objects, plain values. */
struct spec_json_at spec_json_read_key(const struct spec_json_at *up, const char *key);
struct spec_json_at spec_json_read_item(const struct spec_json_at *up, size_t index);
void spec_json_read_fail(struct spec_json_reader *r, const struct spec_json_at *at,
			 enum err_code code, const char *fmt, ...) PRINTF(4, 5);
/* "expected WHAT, found a string" */
void spec_json_read_type(struct spec_json_reader *r, const struct spec_json_at *at,
			 const char *what, json_t *found);
/* `name` is no WHAT: the nearest name, or all of them. */
void spec_json_read_unknown(struct spec_json_reader *r, const struct spec_json_at *at,
			    const char *what, const char *name, struct spec_json_names names);
/* Report an error of lower layers under `at`; its path names a member of it when `member` is
 * true. */
void spec_json_read_err(struct spec_json_reader *r, const struct spec_json_at *at,
			const struct err *err);
void *spec_json_read_alloc(struct spec_json_reader *r, size_t n, size_t size);
#define SPEC_JSON_NEW(r, type, n) ((type *)spec_json_read_alloc((r), (n), sizeof(type)))

/* Read the members of an object in the order of the table; unknown and missing keys are errors.
 */
void spec_json_read_object(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			   const char *what, const struct spec_json_key *keys, size_t n, void *out);
/* Names of an object's members, sorted bytewise, in the arena; checks that it is an object. */
const char **spec_json_read_sorted(struct spec_json_reader *r, json_t *json,
				   const struct spec_json_at *at, size_t *ret_n);
/* Call `read` for each item of an array. */
void spec_json_read_array(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  const char *what, spec_json_member *read, void *out);

bool spec_json_read_number(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			   double *ret);
bool spec_json_read_integer(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    double min, double max, double *ret);
bool spec_json_read_bool(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			 bool *ret);
const char *spec_json_read_string(struct spec_json_reader *r, json_t *json,
				  const struct spec_json_at *at);
/* A time in ms as steps in [min, max]; ERR_GRID off the grid. False too while the resolution is
 * not known. */
bool spec_json_read_steps(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  double min, double max, int64_t *ret);
/* The same for a number already read; true if x stands on the grid. */
bool spec_json_read_grid(struct spec_json_reader *r, double x, const struct spec_json_at *at,
			 int64_t *ret);
/* Index of the population or projection named, -1 (an error was added) if there is none. */
int spec_json_read_population(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at);
int spec_json_read_projection(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at);
/* A text in quotes, cut where a character ends: into out[SPEC_JSON_QUOTE_MAX]. */
const char *spec_json_read_quote(char *out, const char *text);

/* spec_json_value.c: numbers, arrays, distributions, slices of data sets. */
struct spec_json_want {
	const struct param_def *def; /* type, unit, range */
	double n;    /* items of an array; negative: drawn, so arrays are refused; NaN: any */
	bool scalar; /* nothing but one value */
};
bool spec_json_value(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		     struct spec_json_want want, struct spec_value *ret);
/* Names of a table's rows, into names[n]. */
struct spec_json_names spec_json_value_names(const struct param_def *defs, size_t n,
					     const char **names);
/* {"dataset": ...} of any kind: load one field. */
bool spec_json_value_load(struct spec_json_reader *r, const struct spec_json_at *at, const char *id,
			  const char *field, int64_t row, const double **ret, size_t *ret_n);

/* spec_json_times.c: spike times of a generator. */
void spec_json_times(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		     size_t size, struct neuron_times *ret);

/* spec_json_series.c: times and the values that hold from them on. `at`: the object of parameters;
 * times, values: NULL where the text has none. */
struct spec_json_series {
	const struct param_def *times_def, *values_def;
	json_t *times, *values;
	size_t size; /* neurons */
};
void spec_json_series(struct spec_json_reader *r, const struct spec_json_at *at,
		      const struct spec_json_series *s, struct neuron_times *ret);

/* spec_json_population.c */
spec_json_member spec_json_population_all;
/* Conditions across parameters, for every neuron if they differ. `at`: the object of parameters.
 */
void spec_json_population_check(struct spec_json_reader *r, const struct spec_population *p,
				const struct spec_value *params, const struct spec_json_at *at);

/* spec_json_projection.c: who with whom; spec_json_synapse.c: with what. */
spec_json_member spec_json_projection_all;
struct spec_json_projection_draft {
	struct spec_projection *p;
	struct spec_json_synapse *s;
	bool known_source, known_target;
};
spec_json_member spec_json_synapse_read; /* out: the draft */
void spec_json_synapse_missing(struct spec_json_reader *r, const struct spec_json_at *at,
			       struct spec_json_projection_draft *d);
/* Read members of `params` over given[] (names of the alias if there is one) and convert. */
void spec_json_synapse_params(struct spec_json_reader *r, json_t *json,
			      const struct spec_json_at *at, const struct plasticity_model *model,
			      struct spec_json_synapse *s, bool scheduled);

/* spec_json_option.c: members of a synapse beside the rule; out: the draft. */
spec_json_member spec_json_option_set, spec_json_option_modulator, spec_json_option_stp,
	spec_json_option_scale, spec_json_option_noise, spec_json_option_normalise;
spec_json_member spec_json_option_modulation; /* out: the factor, a double */
/* The states that the rule needs, its target must have. */
void spec_json_option_needs(struct spec_json_reader *r, const struct spec_json_at *at,
			    const struct spec_projection *p);

/* spec_json_schedule.c: entries in order of time, then of place in the text. */
struct spec_json_entry {
	int64_t at;
	size_t index;
	json_t *json;
};
/* What entries mean. */
struct spec_json_schedule {
	struct spec_value *const *before; /* [n_populations] parameters as entries before these
					     left them; NULL: as in the spec */
	struct spec_value **params;	  /* the same behind these */
	struct spec_change *changes;	  /* [n] */
	size_t n, cap;
};
/* An entry's at_ms, `first` steps or later. False: there is none, or it was refused. */
bool spec_json_schedule_time(struct spec_json_reader *r, json_t *json,
			     const struct spec_json_at *at, double first, int64_t *ret);
void spec_json_schedule_sort(struct spec_json_entry *entries, size_t n);
void spec_json_schedule_read(struct spec_json_reader *r, const struct spec_json_at *at,
			     const struct spec_json_entry *entries, size_t n,
			     struct spec_json_schedule *s);

/* spec_json_record.c, spec_json_schedule.c, spec_json_limits.c */
spec_json_member spec_json_record_all;
spec_json_member spec_json_schedule_all;
spec_json_member spec_json_limits_read;
void spec_json_limits_check(struct spec_json_reader *r, const struct spec_json_at *at);

#endif
