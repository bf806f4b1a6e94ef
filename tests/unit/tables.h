/* tables.h - what every row of every parameter table must keep. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_TABLES_H
#define TESTS_UNIT_TABLES_H

#include <criterion/criterion.h>
#include <string.h>

#include "core/model/param.h"

static inline void tables_doc(const char *owner, const char *name, const char *doc)
{
	size_t n = doc ? strlen(doc) : 0;

	cr_assert(n > 1 && doc[n - 1] == '.', "%s.%s: doc must end in a full stop", owner, name);
}

static inline void tables_row(const char *owner, const struct param_def *d)
{
	struct err err = { 0 };

	cr_assert(d->name && *d->name, "%s: a parameter without a name", owner);
	tables_doc(owner, d->name, d->doc);
	cr_assert((unsigned)d->unit < UNIT_N && (unsigned)d->type < PARAM_TYPE_N);
	cr_assert(d->min <= d->max, "%s.%s: empty range", owner, d->name);
	cr_assert_eq(param_check(d, d->def, "", &err), 0, "%s.%s: default %g: %s", owner, d->name,
		     d->def, err.text);
	cr_assert((d->type == PARAM_ENUM) == (d->choices != NULL), "%s.%s", owner, d->name);
	if (d->type == PARAM_BOOL || d->type == PARAM_ENUM || d->type == PARAM_INTEGER)
		cr_assert_eq(d->unit, UNIT_NONE, "%s.%s: must have no unit", owner, d->name);
	if (d->flags & PARAM_OFFGRID)
		cr_assert_eq(d->unit, UNIT_MS, "%s.%s: only times have a grid", owner, d->name);
}

/* A name that says what is measured must be measured in it. */
static inline void tables_unit(const char *owner, const struct param_def *d)
{
	static const struct {
		const char *prefix;
		enum unit unit;
	} rules[] = { { "tau_", UNIT_MS },   { "t_", UNIT_MS },	  { "V_", UNIT_MV },
		      { "E_", UNIT_MV },     { "C_m", UNIT_PF },  { "I_", UNIT_PA },
		      { "w_", UNIT_WEIGHT }, { "rate", UNIT_HZ }, { "start", UNIT_MS },
		      { "stop", UNIT_MS } };

	for (size_t i = 0; i < COUNTOF(rules); i++)
		if (d->type != PARAM_TIMES &&
		    !strncmp(d->name, rules[i].prefix, strlen(rules[i].prefix)))
			cr_assert_eq(d->unit, rules[i].unit, "%s.%s: unit", owner, d->name);
}

static inline void tables_check(const char *owner, const struct param_def *defs, size_t n)
{
	cr_assert((n == 0) == (defs == NULL), "%s: parameters and their number", owner);
	for (size_t i = 0; i < n; i++) {
		tables_row(owner, &defs[i]);
		tables_unit(owner, &defs[i]);
		cr_assert_eq(param_find(defs, n, defs[i].name), (int)i, "%s.%s: name twice", owner,
			     defs[i].name);
	}
}

#endif
