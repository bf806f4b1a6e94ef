/* param.h - one parameter of a model, rule, wiring or experiment: described once, here.
 *
 * Validation, JSON Schema, the manual and the web form are all made from these rows. Inside core a
 * parameter is a double (enums by index into `choices`, booleans 0 or 1) at its row's index. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_PARAM_H
#define CORE_MODEL_PARAM_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/attr.h"
#include "core/base/err.h"

/* No limit; as a default: never, or none. */
#define PARAM_INF HUGE_VAL

enum unit {
	UNIT_NONE, /* a pure number */
	UNIT_MS,
	UNIT_MV,
	UNIT_PA,
	UNIT_PF,
	UNIT_NS, /* nanosiemens */
	UNIT_HZ,
	UNIT_WEIGHT, /* what the target takes: mV, pA or nS */
	UNIT_N
};

const char *unit_name(enum unit u); /* "ms"; "" for a pure number; "weight" */

enum param_type {
	PARAM_NUMBER,
	PARAM_INTEGER,
	PARAM_BOOL,
	PARAM_ENUM,   /* `choices` */
	PARAM_STRING, /* experiments only */
	PARAM_LIST,   /* numbers; experiments only: a list, or {"from", "to", "step"} */
	PARAM_TIMES,  /* times in ms, a list per neuron or {"dataset": id}: of spikes; where the
			 model has PARAM_VALUES too, of changes, and one list may serve all */
	PARAM_VALUES, /* what holds from these times on, in lists of the same lengths */
	PARAM_OBJECT, /* free object, checked by the experiment */
	PARAM_TYPE_N
};

const char *param_type_name(enum param_type t); /* "number", ... as in API.md */

enum {
	PARAM_OPEN_MIN = 1, /* min itself is not allowed */
	PARAM_OPEN_MAX = 2,
	PARAM_FIXED = 4,    /* the schedule may not change it */
	PARAM_REQUIRED = 8, /* no default */
	PARAM_OFFGRID = 16, /* a time that may lie off the grid (a time constant) */
	PARAM_HIDDEN = 32,  /* set by aliases; not shown in forms */
	PARAM_GAIN = 64, /* a rule's amplitude: all of them scale with a projection's modulation */
	PARAM_SINGLE = 128, /* one value for a whole population */
};

struct param_def {
	const char *name; /* JSON key */
	const char *doc;  /* one sentence, ends with a full stop */
	enum unit unit;
	enum param_type type;
	double def, min, max; /* in `unit`; PARAM_INF where unbounded (the default `stop` too) */
	unsigned flags;
	const char *const *choices; /* PARAM_ENUM: NULL-terminated */
};

/* Index of `name` in the table, -1 if it is not there. */
int param_find(const struct param_def *defs, size_t n, const char *name);
/* Check one value against its row: ERR_RANGE (which also NaN gets), with what was expected and
 * found. */
int param_check(const struct param_def *def, double value, const char *path,
		struct err *err) MUST_USE;
/* "must lie in (0, 1e6] ms": the range as a person reads it, into text[n]. */
void param_range_text(const struct param_def *def, char *text, size_t n);
/* Index of a choice by name, -1 if it is none. */
int param_choice(const struct param_def *def, const char *name);
/* The name nearest to `name` among n_names, NULL if none is near: for "did you mean". */
const char *param_nearest(const char *name, const char *const *names, size_t n_names);

#endif
