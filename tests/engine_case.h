/* engine_case.h - a spec in, the whole engine, files out: what tests of the engine share. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ENGINE_CASE_H
#define TESTS_ENGINE_CASE_H

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/mem.h"
#include "core/base/npy.h"
#include "core/engine.h"
#include "tests/check.h"

/* One run in a folder of its own. */
struct engine_case {
	struct check_dir dir;
	int rc;
	struct err err;
	json_t *result; /* result.json; NULL: there is none */
};

/* What a run asks of its control. The clock is the real one, from 0: the engine cuts its pieces by it. */
struct engine_case_control {
	double start, now, stop_at_s;
	enum err_code stop_with;
	unsigned told, looks;
	struct engine_progress last;
};

static inline double engine_case_now(void *self)
{
	struct engine_case_control *c = self;
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	c->now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
	if (c->start == 0)
		c->start = c->now;
	return c->now -= c->start;
}

static inline enum err_code engine_case_stop(void *self)
{
	struct engine_case_control *c = self;

	c->looks++;
	return c->stop_with != ERR_OK && c->now >= c->stop_at_s ? c->stop_with : ERR_OK;
}

static inline void engine_case_progress(void *self, const struct engine_progress *p)
{
	struct engine_case_control *c = self;

	c->told++;
	c->last = *p;
}

static inline void engine_case_write(const struct check_dir *dir, const char *file,
				     const void *data, size_t n)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir->path, file);
	f = fopen(path, "wb");
	cr_assert_not_null(f, "cannot write %s", path);
	cr_assert_eq(fwrite(data, 1, n, f), n);
	cr_assert_eq(fclose(f), 0);
}

static inline json_t *engine_case_result(const struct check_dir *dir)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/result.json", dir->path);
	return json_load_file(path, 0, NULL);
}

static inline struct engine_control engine_case_default(struct engine_case_control *c)
{
	return (struct engine_control){
		.self = c,
		.now_s = engine_case_now,
		.stop = engine_case_stop,
		.progress = engine_case_progress,
		.threads = 1,
		.every_thread = true,
	};
}

/* Run a spec's text; release with engine_case_release. */
static inline struct engine_case engine_case_text(const char *text, unsigned threads)
{
	struct engine_case c = { .dir = check_dir() };
	struct engine_case_control self = { 0 };
	struct engine_control control = engine_case_default(&self);

	control.threads = threads;
	engine_case_write(&c.dir, "spec.json", text, strlen(text));
	c.rc = engine_run(c.dir.fd, &control, &c.err);
	c.result = engine_case_result(&c.dir);
	return c;
}

/* A spec built by the test (the reference is taken), one thread; must succeed. */
static inline struct engine_case engine_case_json(json_t *spec)
{
	char *text = json_dumps(spec, JSON_REAL_PRECISION(17));
	struct engine_case c;

	cr_assert_not_null(text);
	c = engine_case_text(text, 1);
	cr_assert_eq(c.rc, 0, "%s: %s", c.err.path, c.err.text);
	cr_assert_not_null(c.result);
	free(text);
	json_decref(spec);
	return c;
}

static inline void engine_case_release(struct engine_case *c)
{
	json_decref(c->result);
	check_dir_release(&c->dir);
}

static inline const char *engine_case_string(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static inline const char *engine_case_error(const struct engine_case *c)
{
	return engine_case_string(json_object_get(c->result, "error"), "code");
}

static inline const char *engine_case_digest(const struct engine_case *c)
{
	return engine_case_string(c->result, "digest");
}

static inline double engine_case_metric(const struct engine_case *c, const char *name)
{
	const json_t *x = json_object_get(json_object_get(c->result, "metrics"), name);

	cr_assert(json_is_number(x), "there is no metric %s", name);
	return json_number_value(x);
}

/* A target of an experiment by its name; pass or miss. */
static inline const json_t *engine_case_target(const struct engine_case *c, const char *name)
{
	json_t *all = json_object_get(c->result, "targets"), *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		if (!strcmp(engine_case_string(one, "name"), name))
			return one;
	}
	cr_assert(false, "there is no target %s", name);
	return NULL;
}

/* All targets are reached, and there are just so many. */
static inline void engine_case_reached(const struct engine_case *c, size_t n)
{
	json_t *all = json_object_get(c->result, "targets"), *one;
	size_t i;

	cr_assert_eq(json_array_size(all), n, "%zu targets", json_array_size(all));
	json_array_foreach(all, i, one)
	{
		cr_expect(json_is_true(json_object_get(one, "pass")), "%s: %g is not in [%g, %g]",
			  engine_case_string(one, "name"),
			  json_number_value(json_object_get(one, "value")),
			  json_number_value(json_object_get(one, "low")),
			  json_number_value(json_object_get(one, "high")));
	}
}

/* Recording number `nth` of a kind and subject, NULL if there is none. */
static inline json_t *engine_case_recording(const struct engine_case *c, const char *kind,
					    const char *subject, size_t nth)
{
	json_t *all = json_object_get(c->result, "recordings"), *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		if (!strcmp(engine_case_string(one, "kind"), kind) &&
		    !strcmp(engine_case_string(one, "subject"), subject) && nth-- == 0)
			return one;
	}
	return NULL;
}

static inline bool engine_case_has_column(const json_t *table, const char *name)
{
	json_t *columns = json_object_get(table, "columns"), *one;
	size_t i;

	json_array_foreach(columns, i, one)
	{
		if (!strcmp(engine_case_string(one, "name"), name))
			return true;
	}
	return false;
}

/* The plots that the catalogue promises have their tables and columns. */
static inline void engine_case_plots(const struct engine_case *c, const char *name)
{
	const struct experiment *e = experiment_find(name);

	for (size_t i = 0; e && i < e->n_plots; i++) {
		const struct experiment_plot *p = &e->plots[i];
		const json_t *table = engine_case_recording(c, "table", p->table, 0);

		cr_assert_not_null(table, "%s left no table %s", name, p->table);
		cr_assert(engine_case_has_column(table, p->x), "%s has no %s", p->table, p->x);
		cr_assert(!p->by || engine_case_has_column(table, p->by), "%s has no %s", p->table,
			  p->by);
		cr_assert(p->curve[0].y, "a plot of %s has no curve", p->table);
		for (size_t k = 0; k < EXPERIMENT_CURVES_MAX && p->curve[k].y; k++) {
			const struct experiment_curve *y = &p->curve[k];

			cr_assert(engine_case_has_column(table, y->y), "%s has no %s", p->table,
				  y->y);
			cr_assert(!y->error || engine_case_has_column(table, y->error),
				  "%s has no %s", p->table, y->error);
		}
	}
}

/* An experiment with these params ("{...}"), one thread; must succeed and leave what its plots draw. */
static inline struct engine_case engine_case_experiment(const char *name, const char *params)
{
	json_t *given = json_loads(params, 0, NULL);

	struct engine_case c;

	cr_assert_not_null(given, "bad test text: %s", params);
	c = engine_case_json(json_pack("{s:s, s:o}", "experiment", name, "params", given));
	engine_case_plots(&c, name);
	return c;
}

/* A column as doubles (mem_free), rows times width of them in *ret_n; the file has just those. */
static inline double *engine_case_column(const struct engine_case *c, const json_t *recording,
					 const char *name, size_t *ret_n)
{
	json_t *columns = json_object_get(recording, "columns"), *one;
	size_t i;

	json_array_foreach(columns, i, one)
	{
		char path[512];
		size_t len = 0, n, k;
		enum npy_type type = NPY_I64;
		char *bytes;
		double *x;

		if (strcmp(engine_case_string(one, "name"), name) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", c->dir.path,
			       engine_case_string(one, "file"));
		while (strcmp(npy_descr(type), engine_case_string(one, "type")) != 0)
			type++;
		bytes = check_read_file(path, &len);
		cr_assert_not_null(bytes, "cannot read %s", path);
		n = (size_t)(json_integer_value(json_object_get(one, "rows")) *
			     json_integer_value(json_object_get(one, "width")));
		cr_assert_eq(n * npy_size(type), len, "%s has %zu bytes for %zu values", path, len,
			     n);
		x = mem_alloc(n + 1, sizeof(*x));
		cr_assert_not_null(x);
		for (k = 0; k < n; k++)
			x[k] = npy_get(type, bytes, k);
		mem_free(bytes);
		*ret_n = n;
		return x;
	}
	cr_assert(false, "there is no column %s", name);
	return NULL;
}

#endif
