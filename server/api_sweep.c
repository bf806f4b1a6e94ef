/* api_sweep.c - sweeps: read, list, cancel, delete. */
/* SPDX-License-Identifier: MIT */
#include "server/api_sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api_run.h"
#include "server/auth.h"
#include "server/event.h"
#include "server/exec.h"
#include "server/space.h"
#include "server/store_db.h"
#include "server/sweep.h"
#include "server/sweep_plan.h"

int api_sweep_find(const struct api *api, const struct request *rq, struct store_sweep *ret,
		   struct err_list *errors)
{
	struct err err = { 0 };
	int rc = id_valid(rq->arg[0])
			 ? store_sweep_get(api->store, rq->arg[0], rq->arena, ret, &err)
			 : -ERR_NOTFOUND;

	if (!rc && !auth_sees(&rq->who, ret->owner))
		rc = -ERR_NOTFOUND;
	if (rc == -ERR_NOTFOUND)
		(void)err_list_add(errors, ERR_NOTFOUND, "", "there is no such sweep");
	else if (rc)
		(void)api_run_fail(&err, errors);
	return rc;
}

/* ---- the best point ---- */

/* What is best, and what is best on average over seeds. */
struct best {
	const struct sweep_plan *plan;
	bool min;
	int64_t point; /* -1: none yet */
	double value;
	char run_id[ID_SIZE];
	/* of the cell being read, and of the best one: */
	int64_t cell, best_cell;
	double sum, squares, best_mean, best_sd;
	int64_t n, best_n;
};

static void end_cell(struct best *b)
{
	double mean = b->n ? b->sum / (double)b->n : 0.0;

	if (b->n && (b->best_cell < 0 || (b->min ? mean < b->best_mean : mean > b->best_mean))) {
		double spread = b->squares - b->sum * mean;

		b->best_cell = b->cell;
		b->best_mean = mean;
		b->best_n = b->n;
		b->best_sd = b->n > 1 ? sqrt(fmax(spread, 0.0) / (double)(b->n - 1)) : 0.0;
	}
	b->n = 0;
	b->sum = b->squares = 0.0;
}

static int on_value(void *self, int64_t point, const char *run_id, double value)
{
	struct best *b = self;
	int64_t cell = point / (int64_t)json_array_size(b->plan->seeds);

	if (cell != b->cell)
		end_cell(b);
	b->cell = cell;
	b->n++;
	b->sum += value;
	b->squares += value * value;
	if (b->point < 0 || (b->min ? value < b->value : value > b->value)) {
		b->point = point;
		b->value = value;
		(void)snprintf(b->run_id, sizeof(b->run_id), "%s", run_id);
	}
	return 0;
}

/* {"tau_plus": 20, ...} */
static json_t *values_of(const struct sweep_plan *plan, int64_t point)
{
	json_t *o = json_object();

	for (size_t i = 0; i < sweep_plan_axes(plan); i++)
		(void)json_object_set(o, sweep_plan_name(plan, i),
				      json_array_get(sweep_plan_values(plan, i),
						     sweep_plan_index(plan, point, i)));
	return o;
}

static json_t *best_json(const struct sweep_plan *plan, const char *metric, const struct best *b)
{
	int64_t first = b->best_cell * (int64_t)json_array_size(plan->seeds);

	if (b->point < 0)
		return json_null();
	return json_pack("{s:s, s:s, s:I, s:s, s:f, s:s, s:o, s:{s:o, s:f, s:f, s:I}}", "metric",
			 metric, "goal", b->min ? "min" : "max", "point", (json_int_t)b->point,
			 "run_id", b->run_id, "value", b->value, "seed",
			 sweep_plan_seed(plan, b->point), "axes", values_of(plan, b->point),
			 "over_seeds", "axes", values_of(plan, first), "mean", b->best_mean, "sd",
			 b->best_sd, "n", (json_int_t)b->best_n);
}

/* By what points are compared: what is asked for, else what the sweep says, else the score that its runs
 * leave. *ret_metric NULL: by nothing. */
static int goal_of(const struct api *api, const struct request *rq, const struct store_sweep *row,
		   const char **ret_metric, bool *ret_min, struct err *err)
{
	const char *asked = http_query(rq, "metric"), *goal = http_query(rq, "goal"), *score;
	json_t *json = NULL;
	int rc = 0;

	*ret_metric = asked ? asked : row->metric;
	goal = goal ? goal : asked ? NULL : row->goal;
	if (!*ret_metric || !goal)
		rc = store_sweep_score(api->store, row->id, rq->arena, &score, err);
	if (!rc && (!*ret_metric || !goal) && score)
		json = json_loads(score, 0, NULL);
	if (json) {
		const char *name = json_string_value(json_object_get(json, "name"));

		if (!*ret_metric && api_sweep_metric(name))
			*ret_metric = mem_arena_strdup(rq->arena, name);
		*ret_min = *ret_metric && name && strcmp(*ret_metric, name) == 0 &&
			   json_is_false(json_object_get(json, "higher_is_better"));
	}
	if (goal)
		*ret_min = strcmp(goal, "min") == 0;
	json_decref(json);
	return rc;
}

static int find_best(const struct api *api, const struct request *rq, const struct store_sweep *row,
		     const struct sweep_plan *plan, json_t **ret, struct err *err)
{
	struct best b = { .plan = plan, .point = -1, .cell = -1, .best_cell = -1 };
	const char *metric = NULL;
	int rc = goal_of(api, rq, row, &metric, &b.min, err);

	*ret = NULL;
	if (!rc && metric)
		rc = store_sweep_values(api->store, row->id, metric, on_value, &b, err);
	end_cell(&b);
	if (!rc)
		*ret = metric ? best_json(plan, metric, &b) : json_null();
	return rc;
}

/* ---- as JSON ---- */

static int counts_json(const struct api *api, const struct store_sweep *row, json_t **ret,
		       struct err *err)
{
	int64_t states[RUN_N + 1], reused = 0;
	json_t *o = json_object();
	int rc = store_sweep_states(api->store, row->id, states, &reused, err);

	(void)json_object_set_new(
		o, "pending", json_integer(row->finished_ms ? 0 : row->points - row->next_point));
	for (int i = 0; !rc && i < RUN_N; i++)
		(void)json_object_set_new(o, run_state_name((enum run_state)i),
					  json_integer(states[i]));
	(void)json_object_set_new(o, "deleted", json_integer(rc ? 0 : states[RUN_N]));
	(void)json_object_set_new(o, "reused", json_integer(reused));
	*ret = o;
	return rc;
}

static json_t *links(const char *id)
{
	static const char *const parts[] = { "spec", "table", "events", "cancel" };
	json_t *o = json_object();

	(void)json_object_set_new(o, "self", json_sprintf("/v1/sweeps/%s", id));
	for (size_t i = 0; i < COUNTOF(parts); i++)
		(void)json_object_set_new(o, parts[i],
					  json_sprintf("/v1/sweeps/%s/%s", id, parts[i]));
	(void)json_object_set_new(o, "runs", json_sprintf("/v1/runs?sweep=%s", id));
	return o;
}

static json_t *head_json(const struct store_sweep *row, struct sweep_plan *plan)
{
	json_t *tags = json_loads(row->tags, 0, NULL);

	return json_pack(
		"{s:s, s:s, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:O, s:O, s:o, s:o, s:b, s:I, s:o, "
		"s:o, s:o}",
		"id", row->id, "state", row->state, "version", (json_int_t)row->version, "name",
		row->name, "notes", row->notes, "tags", tags ? tags : json_array(), "owner",
		api_text_or_null(row->owner), "preset", api_text_or_null(row->preset), "experiment",
		api_text_or_null(row->experiment), "axes", plan->axes, "seeds", plan->seeds,
		"metric", api_text_or_null(row->metric), "goal", api_text_or_null(row->goal),
		"reuse", row->reuse, "threads", (json_int_t)row->threads, "created_at",
		api_time_or_null(row->created_ms), "finished_at",
		api_time_or_null(row->finished_ms), "links", links(row->id));
}

json_t *api_sweep_json(const struct api *api, const struct request *rq,
		       const struct store_sweep *row, bool list, struct err *err)
{
	json_t *progress = sweep_progress(api->store, row, err), *counts = NULL, *best = NULL, *o;
	struct sweep_plan plan = { 0 };
	int rc =
		progress ? sweep_plan_read(&plan, "{}", row->axes, row->seeds, err) : -ERR_INTERNAL;

	if (!rc && !list)
		rc = counts_json(api, row, &counts, err);
	if (!rc && !list)
		rc = find_best(api, rq, row, &plan, &best, err);
	o = rc ? NULL : head_json(row, &plan);
	(void)json_object_set_new(o, "progress", progress);
	if (counts)
		(void)json_object_set_new(o, "counts", counts);
	if (best)
		(void)json_object_set_new(o, "best", best);
	sweep_plan_release(&plan);
	if (!rc && !o)
		(void)err_nomem(err);
	return o;
}

static int answer(const struct api *api, const struct request *rq, struct response *rs,
		  const struct store_sweep *row, int status, struct err_list *errors)
{
	struct err err = { 0 };
	json_t *body = api_sweep_json(api, rq, row, false, &err);

	return body ? api_json(rs, status, body, errors) : api_run_fail(&err, errors);
}

int api_sweep_answer(const struct api *api, const struct request *rq, struct response *rs,
		     const char *id, int status, struct err_list *errors)
{
	struct err err = { 0 };
	struct store_sweep row;

	if (store_sweep_get(api->store, id, rq->arena, &row, &err))
		return api_run_fail(&err, errors);
	if (status == 201)
		http_add_header(rs, "Location", mem_arena_printf(rq->arena, "/v1/sweeps/%s", id));
	return answer(api, rq, rs, &row, status, errors);
}

/* ---- handlers ---- */

int api_sweep_get(const struct api *api, struct request *rq, struct response *rs,
		  struct err_list *errors)
{
	const char *metric = http_query(rq, "metric"), *goal = http_query(rq, "goal");
	struct store_sweep row;
	int rc = api_sweep_find(api, rq, &row, errors);

	if (!rc && metric && !api_sweep_metric(metric))
		rc = err_list_add(errors, ERR_RANGE, "?metric", "expected the name of a metric");
	if (!rc && goal && strcmp(goal, "max") != 0 && strcmp(goal, "min") != 0)
		rc = err_list_add(errors, ERR_UNKNOWN, "?goal", "expected max or min");
	return rc ? rc : answer(api, rq, rs, &row, 200, errors);
}

int api_sweep_spec(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	struct store_sweep row;
	struct err err = { 0 };
	const char *text;
	int rc = api_sweep_find(api, rq, &row, errors);

	if (rc)
		return rc;
	if (store_sweep_spec(api->store, row.id, rq->arena, &text, &err))
		return api_run_fail(&err, errors);
	return api_json(rs, 200, json_loads(text, 0, NULL), errors);
}

static int read_filter(const struct request *rq, struct store_sweep_filter *f,
		       struct err_list *errors)
{
	static const char *const states[] = { "running", "cancelling", "cancelled", "finished" };
	int rc = api_query_page(rq, 'w', &f->limit, &f->below_seq, errors);
	bool known = false;

	f->state = http_query(rq, "state");
	f->tag = http_query(rq, "tag");
	f->q = http_query(rq, "q");
	f->owner = api_run_owner(rq);
	for (size_t i = 0; f->state && i < COUNTOF(states); i++)
		known = known || strcmp(f->state, states[i]) == 0;
	if (!rc && f->state && !known)
		rc = err_list_add(errors, ERR_UNKNOWN, "?state",
				  "expected running, cancelling, cancelled or finished, found "
				  "\"%.32s\"",
				  f->state);
	return rc;
}

int api_sweep_list(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	struct store_sweep_filter f;
	struct store_sweep *rows;
	struct err err = { 0 };
	json_t *items;
	size_t n = 0, page;
	int rc = read_filter(rq, &f, errors);

	if (rc)
		return rc;
	page = (size_t)f.limit;
	f.limit++; /* one more tells whether there is a next page */
	rows = NEW(rq->arena, struct store_sweep, page + 1);
	if (!rows)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	if (store_sweep_list(api->store, &f, rq->arena, rows, &n, &err))
		return api_run_fail(&err, errors);
	items = json_array();
	for (size_t i = 0; !err.code && i < n && i < page; i++)
		(void)json_array_append_new(items, api_sweep_json(api, rq, &rows[i], true, &err));
	if (err.code) {
		json_decref(items);
		return api_run_fail(&err, errors);
	}
	return api_page(rq, rs, items, 'w', n > page ? rows[page - 1].seq : 0, errors);
}

int api_sweep_cancel(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	char(*ids)[ID_SIZE] = NULL;
	struct store_sweep row;
	struct err err = { 0 };
	size_t n = 0;
	int rc = api_sweep_find(api, rq, &row, errors);

	if (rc)
		return rc;
	if (strcmp(row.state, "finished") == 0)
		return err_list_add(errors, ERR_STATE, "", "the sweep has finished");
	if (strcmp(row.state, "running") == 0) { /* said twice is said once */
		rc = store_begin(api->store, &err);
		if (!rc) {
			rc = store_sweep_move(api->store, &row, "cancelling", &err);
			if (!rc)
				rc = store_sweep_cancel(api->store, row.id, rq->arena, &ids, &n,
							&err);
			rc = store_conclude(api->store, rc, &err);
		}
		if (rc)
			return api_run_fail(&err, errors);
		exec_wake(api->exec);
		for (size_t i = 0; i < n; i++)
			event_wake(api->event, ids[i]);
		sweep_wake(api->sweep);
	}
	return api_sweep_answer(api, rq, rs, row.id,
				strcmp(row.state, "cancelled") == 0 ? 200 : 202, errors);
}

/* Each run in a transaction of its own: there may be much of it. */
static int delete_runs(const struct api *api, const char *id, struct err *err)
{
	char run_id[ID_SIZE];
	int rc;

	do {
		rc = store_begin(api->store, err);
		if (rc)
			return rc;
		rc = store_sweep_run(api->store, id, run_id, err);
		if (rc == 1) {
			rc = store_run_delete(api->store, run_id, err);
			rc = store_conclude(api->store, rc, err);
			rc = rc ? rc : 1;
		} else {
			store_rollback(api->store);
		}
	} while (rc == 1);
	return rc;
}

int api_sweep_delete(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	const char *runs = http_query(rq, "runs");
	struct store_sweep row;
	struct err err = { 0 };
	bool all = runs && strcmp(runs, "delete") == 0, more;
	int rc = api_sweep_find(api, rq, &row, errors);

	if (!rc && runs && !all && strcmp(runs, "keep") != 0)
		rc = err_list_add(errors, ERR_UNKNOWN, "?runs", "expected keep or delete");
	if (!rc && !row.finished_ms)
		rc = err_list_add(errors, ERR_STATE, "", "the sweep is %s; cancel it first",
				  row.state);
	if (!rc && http_header(rq, "If-Match"))
		rc = api_match(rq, api_sweep_json(api, rq, &row, false, &err), errors);
	if (rc)
		return rc;
	rc = all ? delete_runs(api, row.id, &err) : 0;
	if (!rc)
		rc = store_begin(api->store, &err);
	if (!rc)
		rc = store_conclude(api->store, store_sweep_delete(api->store, row.id, &err), &err);
	if (rc)
		return api_run_fail(&err, errors);
	space_tidy(api->store, &more);
	rs->status = 204;
	return 0;
}
