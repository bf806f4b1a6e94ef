/* api_sweep_new.c - POST /v1/sweeps: the grid put together, every point of it checked, stored. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api_run.h"
#include "server/api_sweep.h"
#include "server/clock.h"
#include "server/config.h"
#include "server/pointer.h"
#include "server/store_db.h"
#include "server/store_once.h"
#include "server/sweep.h"
#include "server/sweep_plan.h"

static const double SLICE_S = 0.05; /* of checking, then others' requests have their turn */
enum { NAME_MAX_BYTES = 64, ERRORS_ENOUGH = 20 };

struct draft {
	const struct api *api;
	struct request *rq;
	struct err_list *errors;
	json_t *body;
	const char *prefix; /* pointer of the spec in the body */
	struct api_run_meta meta;
	struct api_spec known;
	struct sweep_plan plan;
	const char *metric, *goal;
	int64_t points;
	struct err_list
		together; /* errors already told of values together, as the specs have them */
};

/* ---- axes ---- */

static bool reserved(const char *name)
{
	static const char *const names[] = { "point",  "seed",	 "run_id", "state",
					     "reused", "digest", "wall_s", "n" };

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Whether one of the axes read so far has this name. */
static bool taken(const struct draft *d, const char *name)
{
	for (size_t i = 0; i < sweep_plan_axes(&d->plan); i++)
		if (strcmp(sweep_plan_name(&d->plan, i), name) == 0)
			return true;
	return reserved(name);
}

/* Its own name, else the last part of its path, else the path. */
static json_t *name_of(struct draft *d, const json_t *axis, const char *path, const char *at)
{
	const json_t *own = json_object_get(axis, "name");
	char last[NAME_MAX_BYTES + 1], where[80];
	const char *name = json_string_value(own);

	(void)snprintf(where, sizeof(where), "%s/name", at);
	if (own && (!name || !*name || strlen(name) > NAME_MAX_BYTES))
		(void)err_list_add(d->errors, ERR_TYPE, where, "expected a string of 1 to %d bytes",
				   NAME_MAX_BYTES);
	else if (own && taken(d, name))
		(void)err_list_add(d->errors, ERR_CONFLICT, where,
				   "a column of the table is called %s already", name);
	if (own)
		return json_string(name ? name : "");
	pointer_last(path, last, sizeof(last));
	return json_string(*last && !taken(d, last) ? last : path);
}

/* Two axes must not set the same place, nor one a part of the other's. */
static void check_path(struct draft *d, const char *path, const char *at)
{
	if (path[0] != '/' || pointer_below(path, "/seed") || pointer_below(path, "/experiment"))
		(void)err_list_add(
			d->errors, ERR_RANGE, at,
			"expected a JSON Pointer into the spec (/populations/...), not to "
			"its experiment or seed (there are seeds); found \"%.100s\"",
			path);
	for (size_t i = 0; i < sweep_plan_axes(&d->plan); i++) {
		const char *other = sweep_plan_path(&d->plan, i);

		if (pointer_below(path, other) || pointer_below(other, path))
			(void)err_list_add(d->errors, ERR_CONFLICT, at,
					   "this is set by /axes/%zu, too", i);
	}
}

static void read_axis(struct draft *d, const json_t *axis, size_t i)
{
	static const char *const known[] = { "path", "values", "name" };
	const char *path = json_string_value(json_object_get(axis, "path"));
	json_t *values = json_object_get(axis, "values"), *list;
	char at[64], where[80];
	size_t n_known = 0;

	(void)snprintf(at, sizeof(at), "/axes/%zu", i);
	for (size_t k = 0; k < COUNTOF(known); k++)
		n_known += json_object_get(axis, known[k]) != NULL;
	if (!path || !values || n_known != json_object_size(axis)) {
		(void)err_list_add(d->errors, ERR_TYPE, at,
				   "expected {\"path\": JSON Pointer into the spec, \"values\", "
				   "\"name\"}");
		return;
	}
	(void)snprintf(where, sizeof(where), "%s/path", at);
	check_path(d, path, where);
	(void)snprintf(where, sizeof(where), "%s/values", at);
	list = sweep_plan_expand(values, (size_t)d->api->config->sweep_points, where, d->errors);
	if (list)
		(void)json_array_append_new(d->plan.axes,
					    json_pack("{s:s, s:o, s:o}", "path", path, "name",
						      name_of(d, axis, path, at), "values", list));
}

static void read_axes(struct draft *d)
{
	json_t *axes = json_object_get(d->body, "axes"), *axis;
	size_t i;

	d->plan.axes = json_array();
	if (axes && (!json_is_array(axes) || json_array_size(axes) > SWEEP_AXES_MAX)) {
		(void)err_list_add(d->errors, ERR_TYPE, "/axes",
				   "expected a list of at most %d axes", SWEEP_AXES_MAX);
		return;
	}
	if (!json_array_size(axes) && !json_object_get(d->body, "seeds"))
		(void)err_list_add(d->errors, ERR_MISSING, "/axes", "expected axes, seeds or both");
	json_array_foreach(axes, i, axis) read_axis(d, axis, i);
}

/* ---- seeds and the metric ---- */

static void add_seed(struct draft *d, const json_t *seed, const char *at)
{
	char text[SWEEP_SEED_SIZE];
	const char *value = api_run_seed(seed, text);

	if (!value || !*value)
		(void)err_list_add(d->errors, ERR_TYPE, at,
				   "expected a whole number from 0 to 18446744073709551615, as a "
				   "string of digits or a number");
	else
		(void)json_array_append_new(d->plan.seeds, json_string(value));
}

static void add_range(struct draft *d, const json_t *range)
{
	const json_t *from = json_object_get(range, "from"),
		     *count = json_object_get(range, "count");
	json_int_t n = json_integer_value(count), first = json_integer_value(from);

	if (!json_is_integer(from) || !json_is_integer(count) || json_object_size(range) != 2 ||
	    first < 0 || n < 1 || n > d->api->config->sweep_points || first > INT64_MAX - n) {
		(void)err_list_add(
			d->errors, ERR_TYPE, "/seeds",
			"expected a list of seeds, or {\"from\", \"count\"} with a count "
			"from 1 to %lld",
			(long long)d->api->config->sweep_points);
		return;
	}
	for (json_int_t i = 0; i < n; i++)
		(void)json_array_append_new(d->plan.seeds,
					    json_sprintf("%lld", (long long)(first + i)));
}

static void read_seeds(struct draft *d)
{
	json_t *seeds = json_object_get(d->body, "seeds"), *seed, *different;
	char at[32];
	size_t i;

	d->plan.seeds = json_array();
	if (seeds && json_object_get(d->body, "seed"))
		(void)err_list_add(d->errors, ERR_CONFLICT, "/seed", "expected seed or seeds");
	if (!seeds)
		add_seed(d, json_object_get(d->plan.spec, "seed"), "/spec/seed");
	else if (json_is_object(seeds))
		add_range(d, seeds);
	else if (!json_array_size(seeds))
		(void)err_list_add(d->errors, ERR_TYPE, "/seeds",
				   "expected a list of seeds, or {\"from\", \"count\"}");
	json_array_foreach(seeds, i, seed)
	{
		(void)snprintf(at, sizeof(at), "/seeds/%zu", i);
		add_seed(d, seed, at);
	}
	if (json_is_array(seeds) && json_array_size(d->plan.seeds)) {
		different = sweep_plan_expand(d->plan.seeds, (size_t)d->api->config->sweep_points,
					      "/seeds", d->errors);
		json_decref(different);
	}
}

bool api_sweep_metric(const char *name)
{
	return name && *name && strlen(name) <= NAME_MAX_BYTES && !strpbrk(name, "\"\\");
}

static void read_goal(struct draft *d)
{
	json_t *metric = json_object_get(d->body, "metric"),
	       *best = json_object_get(d->body, "best");

	d->metric = json_string_value(metric);
	d->goal = json_string_value(best);
	if (metric && !api_sweep_metric(d->metric))
		(void)err_list_add(d->errors, ERR_TYPE, "/metric",
				   "expected the name of a metric that its runs leave");
	if (best && (!d->goal || (strcmp(d->goal, "max") != 0 && strcmp(d->goal, "min") != 0)))
		(void)err_list_add(d->errors, ERR_UNKNOWN, "/best", "expected max or min");
	else if (best && !metric)
		(void)err_list_add(d->errors, ERR_MISSING, "/metric",
				   "best needs a metric to compare by");
}

/* ---- what a body asks for ---- */

static int check_size(struct draft *d)
{
	int64_t max = d->api->config->sweep_points,
		n_seeds = (int64_t)json_array_size(d->plan.seeds),
		cells = sweep_plan_cells(&d->plan, max);

	if (cells > max / n_seeds)
		return err_list_add(
			d->errors, ERR_LIMIT, "/axes",
			"expected at most %lld points, found %s%lld values times %lld seeds",
			(long long)max, cells > max ? "more than " : "",
			(long long)(cells > max ? max : cells), (long long)n_seeds);
	d->points = cells * n_seeds;
	return 0;
}

static int draft_read(struct draft *d)
{
	static const char *const known[] = {
		"spec",	 "preset",  "experiment", "params", "overrides", "seed", "name",     "tags",
		"notes", "threads", "axes",	  "seeds",  "metric",	 "best", "keep_days"
	};
	int rc = api_run_keys(d->body, known, COUNTOF(known), d->errors);

	if (rc == -ERR_TYPE)
		return rc;
	d->prefix = json_object_get(d->body, "experiment") ? "" : "/spec";
	(void)api_run_meta(d->api, d->rq, d->body, &d->meta, d->errors);
	d->plan.spec = api_run_base(d->body, d->prefix, d->errors);
	if (d->plan.spec) {
		read_seeds(d);
		read_axes(d);
		read_goal(d);
	}
	if (err_list_count(d->errors))
		return -ERR_INVALID;
	return check_size(d);
}

/* ---- every point ---- */

static int check_spec(const struct draft *d, json_t *spec, struct api_spec *ret,
		      struct err_list *errors)
{
	struct request rq = *d->rq; /* thousands of specs must not add up */
	struct mem_arena arena;
	int rc;

	mem_arena_init(&arena, 0);
	rq.arena = &arena;
	rc = api_run_check(d->api, &rq, spec, d->prefix, ret, errors);
	mem_arena_release(&arena);
	return rc;
}

static bool has(const struct err_list *list, const struct err *e)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].code == e->code && strcmp(list->items[i].path, e->path) == 0 &&
		    strcmp(list->items[i].text, e->text) == 0)
			return true;
	return false;
}

/* "/axes/I/values", and the value where the body lists them. */
static void axis_pointer(const struct draft *d, int64_t point, size_t axis, const char *rest,
			 char at[ERR_PATH_MAX])
{
	const json_t *own = json_array_get(json_object_get(d->body, "axes"), axis);

	if (json_is_array(json_object_get(own, "values")))
		(void)snprintf(at, ERR_PATH_MAX, "/axes/%zu/values/%zu%.140s", axis,
			       sweep_plan_index(&d->plan, point, axis), rest);
	else
		(void)snprintf(at, ERR_PATH_MAX, "/axes/%zu/values", axis);
}

/* An error of a point's spec, as one of the request: at the value that was set there; as it is where the spec
 * has it without the axes, too; else at the values together. */
static void pass_on(struct draft *d, int64_t point, const struct err *e,
		    const struct err_list *base)
{
	size_t skip = strlen(d->prefix), n = sweep_plan_axes(&d->plan);
	const char *inside = strncmp(e->path, d->prefix, skip) == 0 ? e->path + skip : "", *rest;
	struct err out = *e;
	char label[120];

	sweep_plan_label(&d->plan, point, label, sizeof(label));
	for (size_t i = 0; i < n; i++) {
		rest = pointer_below(inside, sweep_plan_path(&d->plan, i));
		if (!rest)
			continue;
		axis_pointer(d, point, i, rest, out.path);
		if (!has(d->errors, &out))
			(void)err_list_add(d->errors, (enum err_code)out.code, out.path, "%s",
					   out.text);
		return;
	}
	if (has(base, e)) {
		api_run_repoint(&out, json_object_get(d->body, "overrides"), d->prefix);
	} else {
		if (has(&d->together, e))
			return;
		(void)err_list_add(&d->together, (enum err_code)e->code, e->path, "%s", e->text);
		if (n == 1)
			axis_pointer(d, point, 0, "", out.path);
		else
			(void)snprintf(out.path, sizeof(out.path), "/axes");
		(void)snprintf(out.text, sizeof(out.text), "with %s: %.100s: %.90s", label, inside,
			       e->text);
	}
	if (!has(d->errors, &out))
		(void)err_list_add(d->errors, (enum err_code)out.code, out.path, "%s", out.text);
}

static int check_point(struct draft *d, int64_t point, const struct err_list *base)
{
	struct err_list found = { 0 };
	size_t axis = SWEEP_AXES_MAX;
	char at[32];
	json_t *spec = sweep_plan_spec(&d->plan, point, &axis);
	int rc = 0;

	(void)snprintf(at, sizeof(at), "/axes/%zu/path", axis);
	if (!spec && axis < SWEEP_AXES_MAX)
		return err_list_add(d->errors, ERR_UNKNOWN, at,
				    "there is no place %.150s in the spec",
				    sweep_plan_path(&d->plan, axis));
	if (!spec)
		return err_list_add(d->errors, ERR_NOMEM, "", "out of memory");
	rc = check_spec(d, spec, &d->known, &found);
	for (size_t i = 0; i < found.n; i++)
		pass_on(d, point, &found.items[i], base);
	if (rc && !found.n)
		(void)err_list_add(d->errors, (enum err_code) - rc, "", "%s", found.first.text);
	err_list_release(&found);
	json_decref(spec);
	return rc;
}

/* From cell *at on, as far as a slice of time reaches. 1: there is more; 0: all are good; -code. */
static int check_points(struct draft *d, int64_t *at)
{
	int64_t n_seeds = (int64_t)json_array_size(d->plan.seeds), cells = d->points / n_seeds;
	double until = clock_mono_s() + SLICE_S;
	struct err_list base = { 0 };
	struct api_spec known;
	int rc;

	(void)check_spec(d, d->plan.spec, &known, &base);
	do {
		rc = check_point(d, *at * n_seeds, &base);
		++*at;
	} while ((!rc || rc == -ERR_INVALID) && *at < cells && clock_mono_s() < until &&
		 err_list_count(d->errors) < ERRORS_ENOUGH);
	err_list_release(&base);
	return err_list_count(d->errors) ? -ERR_INVALID : *at < cells;
}

/* ---- storing ---- */

static const char made[] = "made "; /* before the id, in the memo of a repeat */

static int insert(struct draft *d, const struct store_sweep *row, struct err *err)
{
	char note[HTTP_MEMO_MAX];
	int rc = store_begin(d->api->store, err);

	if (rc)
		return rc;
	(void)snprintf(note, sizeof(note), "%s%.32s", made, row->id);
	rc = store_sweep_add(d->api->store, row, err);
	if (!rc)
		rc = store_once_made(d->api->store, d->rq->once, note, true, err);
	return store_conclude(d->api->store, rc, err);
}

static int start(struct draft *d, struct response *rs)
{
	const char *prefer = http_header(d->rq, "Prefer");
	struct mem_arena *arena = d->rq->arena;
	struct err err = { 0 };
	char id[ID_SIZE];
	const char *own = json_string_value(json_object_get(d->plan.spec, "name"));
	const struct store_sweep row = {
		.id = id,
		.name = d->meta.name ? d->meta.name : own,
		.tags = d->meta.tags,
		.notes = d->meta.notes,
		.owner = d->rq->who.name,
		.trace = d->rq->trace,
		.preset = json_string_value(json_object_get(d->body, "preset")),
		.experiment = d->known.experiment,
		.spec = api_text(d->plan.spec, arena),
		.axes = api_text(d->plan.axes, arena),
		.seeds = api_text(d->plan.seeds, arena),
		.metric = d->metric,
		.goal = d->goal,
		.threads = d->meta.threads,
		.keep_days = d->meta.keep_days ? d->meta.keep_days : d->api->config->keep_days,
		.reuse = prefer && strstr(prefer, "reuse"),
		.quota_runs = d->rq->who.quota_runs,
		.quota_mb = d->rq->who.quota_mb,
		.points = d->points,
	};

	if (!row.spec || !row.axes || !row.seeds)
		return err_list_add(d->errors, ERR_NOMEM, "", "out of memory");
	id_new(id);
	if (insert(d, &row, &err))
		return api_run_fail(&err, d->errors);
	sweep_wake(d->api->sweep);
	if (row.reuse)
		http_add_header(rs, "Preference-Applied", "reuse");
	return api_sweep_answer(d->api, d->rq, rs, id, 201, d->errors);
}

int api_sweep_post(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	struct draft d = { .api = api, .rq = rq, .errors = errors };
	int64_t at = strtoll(rq->memo, NULL, 10);
	int rc;

	if (strncmp(rq->memo, made, sizeof(made) - 1) == 0)
		return api_sweep_answer(api, rq, rs, rq->memo + sizeof(made) - 1, 201, errors);
	rc = api_room(api, rq, 0, errors);

	if (!rc)
		rc = api_body(rq, &d.body, errors);
	if (!rc)
		rc = draft_read(&d);
	if (!rc)
		rc = check_points(&d, &at);
	if (rc == 1) { /* goes on from there */
		(void)snprintf(rq->memo, sizeof(rq->memo), "%lld", (long long)at);
		rs->wait_s = 0.001;
		rs->status = 0;
		rc = 0;
	} else if (!rc) {
		rc = start(&d, rs);
	}
	err_list_release(&d.together);
	sweep_plan_release(&d.plan);
	json_decref(d.body);
	return rc;
}
