/* result.h - result.json (rundir.h): written beside its name and renamed, so whole when there. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_RESULT_H
#define CORE_RESULT_H

#include "core/base/err.h"
#include "core/rec.h"

struct result_metric {
	const struct result_metric *next;
	const char *name;
	double value;
};

struct result_target {
	const struct result_target *next;
	const char *name, *unit;
	double value, low, high;
	bool pass;
};

struct result_remark {
	const struct result_remark *next;
	const char *text;
};

/* Of an experiment that names one; before it is known `has_value` is false. */
struct result_score {
	const char *name, *unit, *reference; /* name NULL: none */
	bool higher_is_better, has_value;
	double value;
};

/* What a run leaves. Pointers are borrowed. */
struct result {
	const struct spec *spec; /* NULL: nothing to tell of populations and projections */
	const struct sim *sim;	 /* NULL: it was not built */
	const struct rec *rec;	 /* closed, or flushed; NULL: no recordings */
	const struct rec *more;	 /* and what else there is; NULL: nothing */
	const char *version;
	unsigned threads;
	uint64_t seed;
	double wall_s, model_ms, duration_ms, dt_ms;
	bool has_digest; /* false: null */
	uint64_t digest;
	struct sim_counts counts;
	const struct result_metric *metrics;
	const struct result_target *targets;
	const struct result_remark *remarks;
	struct result_score score;
	const struct err *error;       /* NULL: it succeeded; else the result is partial */
	const struct err_list *errors; /* all errors of a spec; NULL or empty: only `error` */
};

/* Take room for a result at the start, so that a disk full at the end has some. */
void result_reserve(int dir_fd);
/* Write it into dir_fd. Errors: NOMEM, IO, NOSPACE; there is no result then, but room for
 * another attempt. */
int result_write(int dir_fd, const struct result *r, struct err *err) MUST_USE;
/* The same into another file of dir_fd, put in the place of an older one. */
int result_write_as(int dir_fd, const char *file, const struct result *r, struct err *err) MUST_USE;
/* As result_write, but without memory and with no more than the error: the last resort. What
 * fails is removed. */
int result_write_error(int dir_fd, const struct result *r, struct err *err);

#endif
