/* param.c - look up, check and describe parameters. */
/* SPDX-License-Identifier: MIT */
#include "core/model/param.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *unit_name(enum unit u)
{
	static const char *const names[UNIT_N] = {
		[UNIT_NONE] = "", [UNIT_MS] = "ms", [UNIT_MV] = "mV", [UNIT_PA] = "pA",
		[UNIT_PF] = "pF", [UNIT_NS] = "nS", [UNIT_HZ] = "Hz", [UNIT_WEIGHT] = "weight",
	};

	return (unsigned)u < UNIT_N ? names[u] : "";
}

const char *param_type_name(enum param_type t)
{
	static const char *const names[PARAM_TYPE_N] = {
		[PARAM_NUMBER] = "number", [PARAM_INTEGER] = "integer", [PARAM_BOOL] = "bool",
		[PARAM_ENUM] = "enum",	   [PARAM_STRING] = "string",	[PARAM_LIST] = "list",
		[PARAM_TIMES] = "times",   [PARAM_VALUES] = "values",	[PARAM_OBJECT] = "object",
	};

	return (unsigned)t < PARAM_TYPE_N ? names[t] : "";
}

int param_find(const struct param_def *defs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(defs[i].name, name))
			return (int)i;
	return -1;
}

int param_choice(const struct param_def *def, const char *name)
{
	for (int i = 0; def->choices && def->choices[i]; i++)
		if (!strcmp(def->choices[i], name))
			return i;
	return -1;
}

/* A text of limited size that is added to piece by piece; what does not fit is cut off. */
struct text {
	char *at;
	size_t left;
};

static void add(struct text *x, const char *fmt, ...) PRINTF(2, 3);

static void add(struct text *x, const char *fmt, ...)
{
	va_list ap;
	int len;
	size_t step;

	if (x->left < 2)
		return;
	va_start(ap, fmt);
	len = vsnprintf(x->at, x->left, fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	step = (size_t)len < x->left ? (size_t)len : x->left - 1;
	x->at += step;
	x->left -= step;
}

static void add_choices(struct text *x, const char *const *choices)
{
	add(x, "must be one of");
	for (size_t i = 0; choices && choices[i]; i++)
		add(x, "%s \"%s\"", i ? "," : "", choices[i]);
}

static void add_range(struct text *x, const struct param_def *def)
{
	bool open_min = def->flags & PARAM_OPEN_MIN, open_max = def->flags & PARAM_OPEN_MAX;
	const char *what = def->type == PARAM_INTEGER ? "a whole number " : "";

	if (isinf(def->min) && isinf(def->max)) {
		add(x, "must be a %s", def->type == PARAM_INTEGER ? "whole number" : "number");
		return;
	}
	if (isinf(def->max))
		add(x, "must be %s%s %.15g", what, open_min ? "greater than" : "at least",
		    def->min);
	else if (isinf(def->min))
		add(x, "must be %s%s %.15g", what, open_max ? "less than" : "at most", def->max);
	else
		add(x, "must %s%s %c%.15g, %.15g%c", *what ? "be " : "lie",
		    *what ? "a whole number in" : " in", open_min ? '(' : '[', def->min, def->max,
		    open_max ? ')' : ']');
	if (def->unit != UNIT_NONE && def->unit != UNIT_WEIGHT)
		add(x, " %s", unit_name(def->unit));
}

void param_range_text(const struct param_def *def, char *text, size_t n)
{
	struct text x = { text, n };

	if (n)
		text[0] = '\0';
	switch (def->type) {
	case PARAM_NUMBER:
	case PARAM_INTEGER:
		add_range(&x, def);
		break;
	case PARAM_BOOL:
		add(&x, "must be true or false");
		break;
	case PARAM_ENUM:
		add_choices(&x, def->choices);
		break;
	case PARAM_STRING:
		add(&x, "must be a string");
		break;
	case PARAM_LIST:
		add(&x, "must be a list of numbers");
		break;
	case PARAM_TIMES:
		add(&x, "must be a list of times in ms per neuron");
		break;
	case PARAM_VALUES:
		add(&x, "must be a list of numbers, one for each time");
		break;
	case PARAM_OBJECT:
		add(&x, "must be an object");
		break;
	case PARAM_TYPE_N:
		break;
	}
}

static bool in_range(const struct param_def *def, double value)
{
	if (isnan(value) || value < def->min || value > def->max)
		return false;
	/* Infinity stands for "no limit" where a table leaves the end open, else it is no
	 * number. */
	if (isinf(value) && value != def->def && value != def->max)
		return false;
	if ((def->flags & PARAM_OPEN_MIN) && value <= def->min)
		return false;
	return !((def->flags & PARAM_OPEN_MAX) && value >= def->max);
}

static bool allowed(const struct param_def *def, double value)
{
	size_t n = 0;

	switch (def->type) {
	case PARAM_NUMBER:
		return in_range(def, value);
	case PARAM_INTEGER:
		return in_range(def, value) && value == floor(value);
	case PARAM_BOOL:
		return value == 0 || value == 1;
	case PARAM_ENUM:
		while (def->choices && def->choices[n])
			n++;
		return value >= 0 && value < (double)n && value == floor(value);
	case PARAM_STRING:
	case PARAM_LIST:
	case PARAM_TIMES:
	case PARAM_VALUES:
	case PARAM_OBJECT:
	case PARAM_TYPE_N:
		break;
	}
	return true; /* not held as a number */
}

int param_check(const struct param_def *def, double value, const char *path, struct err *err)
{
	char text[192];
	bool unit = def->unit != UNIT_NONE && def->unit != UNIT_WEIGHT;

	if (allowed(def, value))
		return 0;
	param_range_text(def, text, sizeof(text));
	return err_set(err, ERR_RANGE, path, "%s %s, not %.15g%s%s", def->name, text, value,
		       unit ? " " : "", unit ? unit_name(def->unit) : "");
}

enum { NAME_MAX_LEN = 63 };

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein distance; both no longer than NAME_MAX_LEN. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t up = row[j];

			row[j] =
				smallest(up + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = up;
		}
	}
	return row[n];
}

const char *param_nearest(const char *name, const char *const *names, size_t n_names)
{
	size_t len = strlen(name), best = len / 3 + 2; /* must be better than this */
	const char *ret = NULL;

	if (!len || len > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < n_names; i++) {
		size_t d;

		if (strlen(names[i]) > NAME_MAX_LEN)
			continue;
		d = distance(name, names[i]);
		if (d < best && d < len) {
			best = d;
			ret = names[i];
		}
	}
	return ret;
}
