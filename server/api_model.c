/* api_model.c - the tables as JSON, schemas, checking a spec, and a rule's window. */
/* SPDX-License-Identifier: MIT */
#include "server/api_result.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/catalog.h"
#include "core/engine.h"
#include "core/model/alias.h"
#include "core/model/plasticity.h"
#include "core/spec_json.h"
#include "server/api_run.h"
#include "server/store_db.h"

enum { WINDOW_WAIT_S = 25, WINDOW_POINTS_MAX = 10000 };

/* ---- tables and schemas: they change only with the program ---- */

int api_model_list(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	return api_kept(api->models, rq, rs, errors);
}

int api_model_get(const struct api *api, struct request *rq, struct response *rs,
		  struct err_list *errors)
{
	json_t *model = catalog_model(rq->arg[0], rq->arg[1]);

	(void)api;
	if (!model)
		return err_list_add(errors, ERR_NOTFOUND, "",
				    "there is no \"%.64s\" among \"%.32s\"; the kinds are neurons, "
				    "plasticity, options, wiring, experiments",
				    rq->arg[1], rq->arg[0]);
	return api_json(rs, 200, model, errors);
}

static json_t *schema_problem(void)
{
	return json_pack(
		"{s:s, s:s, s:s, s:[sss], s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s},"
		" s:{s:s, s:{s:s, s:[sss], s:{s:{s:s}, s:{s:s}, s:{s:s}}}}}}",
		"$schema", "https://json-schema.org/draft/2020-12/schema", "title",
		"Problem (RFC 9457)", "type", "object", "required", "type", "title", "status",
		"properties", "type", "type", "string", "title", "type", "string", "status", "type",
		"integer", "detail", "type", "string", "instance", "type", "string", "code", "type",
		"string", "errors", "type", "array", "items", "type", "object", "required",
		"pointer", "code", "detail", "properties", "pointer", "type", "string", "code",
		"type", "string", "detail", "type", "string");
}

static json_t *schema_run(void)
{
	static const char *const texts[] = { "id",	   "state",	  "name",
					     "created_at", "spec_sha256", "seed" };
	static const char *const objects[] = { "progress", "metrics", "counts", "links" };
	static const char *const others[] = { "started_at",	"finished_at", "digest",
					      "queue_position", "error",       "score" };
	json_t *p = json_object();

	for (size_t i = 0; i < COUNTOF(texts); i++)
		(void)json_object_set_new(p, texts[i], json_pack("{s:s}", "type", "string"));
	for (size_t i = 0; i < COUNTOF(objects); i++)
		(void)json_object_set_new(p, objects[i], json_pack("{s:s}", "type", "object"));
	for (size_t i = 0; i < COUNTOF(others); i++)
		(void)json_object_set_new(p, others[i], json_object()); /* null, or what it says */
	(void)json_object_set_new(
		p, "targets",
		json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "object"));
	(void)json_object_set_new(
		p, "remarks",
		json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string"));
	(void)json_object_set_new(
		p, "tags", json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string"));
	return json_pack("{s:s, s:s, s:s, s:[sss], s:o}", "$schema",
			 "https://json-schema.org/draft/2020-12/schema", "title", "Run", "type",
			 "object", "required", "id", "state", "spec_sha256", "properties", p);
}

int api_schema(const struct api *api, struct request *rq, struct response *rs,
	       struct err_list *errors)
{
	static const struct {
		const char *name;
		json_t *(*make)(void);
	} schemas[] = { { "spec", catalog_schema_spec },
			{ "run", schema_run },
			{ "problem", schema_problem } };

	(void)api;
	for (size_t i = 0; i < COUNTOF(schemas); i++)
		if (strcmp(rq->arg[0], schemas[i].name) == 0)
			return api_json(rs, 200, schemas[i].make(), errors);
	return err_list_add(errors, ERR_NOTFOUND, "",
			    "there is no schema \"%.64s\"; there are spec, run, problem",
			    rq->arg[0]);
}

/* ---- checking a spec ---- */

static json_t *error_items(const struct err_list *list)
{
	json_t *items = json_array();

	for (size_t i = 0; i < list->n; i++) {
		const struct err *e = &list->items[i];

		(void)json_array_append_new(items,
					    json_pack("{s:s, s:s, s:s}", "pointer", e->path, "code",
						      err_name(e->code), "detail", e->text));
	}
	return items;
}

/* What is allowed but most likely not meant. */
static json_t *warnings_of(json_t *spec, const char *prefix)
{
	json_t *items = json_array(), *record = json_object_get(spec, "record");
	char at[ERR_PATH_MAX];

	(void)snprintf(at, sizeof(at), "%s/record", prefix);
	if (json_is_object(spec) && !json_object_get(spec, "experiment") &&
	    json_object_size(record) == 0)
		(void)json_array_append_new(items, json_pack("{s:s, s:s, s:s}", "pointer", at,
							     "code", "nothing-recorded", "detail",
							     "nothing is recorded but the final "
							     "weights of plastic projections"));
	return items;
}

static json_t *verdict(json_t *spec, const char *prefix, const struct api_spec *known,
		       const struct err_list *found)
{
	json_t *r = json_pack("{s:b, s:o, s:o}", "valid", err_list_count(found) == 0, "errors",
			      error_items(found), "warnings", warnings_of(spec, prefix));

	if (!r || err_list_count(found))
		return r;
	(void)json_object_set_new(r, "spec_sha256", json_string(known->sha256));
	(void)json_object_set_new(r, "normalized",
				  known->experiment ? json_deep_copy(spec)
						    : spec_json_normalized(spec));
	(void)json_object_set_new(r, "estimate",
				  known->experiment
					  ? json_null()
					  : json_pack("{s:f, s:f, s:f, s:f, s:f}", "neurons",
						      known->cost.neurons, "synapses",
						      known->cost.synapses, "bytes",
						      known->cost.bytes, "steps", known->cost.steps,
						      "result_bytes", known->cost.result_bytes));
	return r;
}

/* {"spec": {...}}, or a spec by itself. */
int api_spec_validate(const struct api *api, struct request *rq, struct response *rs,
		      struct err_list *errors)
{
	struct err_list found = { 0 };
	struct api_spec known = { 0 };
	json_t *body = NULL, *spec, *result;
	const char *prefix = "";
	int rc = api_body(rq, &body, errors);

	if (rc)
		return rc;
	spec = json_object_get(body, "spec");
	if (spec)
		prefix = "/spec";
	else
		spec = body;
	rc = api_spec_check(api, spec, prefix, rq->arena, &known, &found);
	if (rc == -ERR_NOMEM) {
		err_list_release(&found);
		json_decref(body);
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	}
	result = verdict(spec, prefix, &known, &found);
	err_list_release(&found);
	json_decref(body);
	return api_json(rs, 200, result, errors);
}

/* ---- a rule's window: a run of the experiment stdp_window, reused by its hash ---- */

struct window_query {
	const struct plasticity_model *model; /* NULL: an alias, whose names the run checks */
	json_t *params, *rule_params;
	struct err_list *errors;
};

/* -20:20:1, or -20,20,1 as from, to, step; or a list of more values. */
static json_t *read_range(const char *text, struct err_list *errors)
{
	json_t *list = json_array();
	bool range = strchr(text, ':') != NULL;
	double x[3] = { 0 };
	const char *p = text;
	char *end;

	do {
		double v = strtod(p, &end);

		if (end == p || !isfinite(v) || (*end && *end != ':' && *end != ',') ||
		    json_array_size(list) >= WINDOW_POINTS_MAX) {
			(void)err_list_add(errors, ERR_RANGE, "?dt_ms",
					   "expected from:to:step or a list of at most %d values "
					   "in ms, found \"%.64s\"",
					   WINDOW_POINTS_MAX, text);
			json_decref(list);
			return NULL;
		}
		if (json_array_size(list) < COUNTOF(x))
			x[json_array_size(list)] = v;
		(void)json_array_append_new(list, json_real(v));
		p = end + 1;
	} while (*end);
	/* Three values that do not ascend can only be a range. */
	if (json_array_size(list) != 3 || (!range && x[1] < x[2]))
		return list;
	json_decref(list);
	if (!(x[2] > 0.0) || !(x[1] >= x[0]) || (x[1] - x[0]) / x[2] > WINDOW_POINTS_MAX) {
		(void)err_list_add(
			errors, ERR_RANGE, "?dt_ms",
			"expected from <= to, step > 0 and at most %d values, found \"%.64s\"",
			WINDOW_POINTS_MAX, text);
		return NULL;
	}
	return json_pack("{s:f, s:f, s:f}", "from", x[0], "to", x[1], "step", x[2]);
}

static json_t *read_value(const char *text)
{
	char *end;
	double x = strtod(text, &end);

	if (end != text && !*end && isfinite(x))
		return json_real(x);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_boolean(text[0] == 't');
	return json_string(text);
}

static void on_query(void *self, const char *name, const char *value)
{
	static const char *const own[] = { "w_0", "rate_hz", "delay_ms" };
	struct window_query *q = self;
	char pointer[80];

	value = value ? value : "";
	if (strcmp(name, "format") == 0)
		return;
	if (strcmp(name, "dt_ms") == 0) {
		(void)json_object_set_new(q->params, name, read_range(value, q->errors));
		return;
	}
	if (strcmp(name, "pairs") == 0) {
		(void)json_object_set_new(q->params, name, json_integer(strtoll(value, NULL, 10)));
		return;
	}
	for (size_t i = 0; i < COUNTOF(own); i++)
		if (strcmp(name, own[i]) == 0) {
			(void)json_object_set_new(q->params, name, read_value(value));
			return;
		}
	(void)snprintf(pointer, sizeof(pointer), "?%.64s", name);
	if (q->model && param_find(q->model->params, q->model->n_params, name) < 0)
		(void)err_list_add(q->errors, ERR_UNKNOWN, pointer,
				   "expected dt_ms, w_0, pairs, rate_hz, delay_ms, format or a "
				   "parameter of %s",
				   q->model->name);
	(void)json_object_set_new(q->rule_params, name, read_value(value));
}

static json_t *window_spec(const struct request *rq, struct err_list *errors)
{
	struct window_query q = { plasticity_find(rq->arg[0]), json_object(), json_object(),
				  errors };
	size_t before = err_list_count(errors);
	json_t *spec;

	http_query_each(rq, on_query, &q);
	(void)json_object_set_new(q.params, "rule", json_string(rq->arg[0]));
	(void)json_object_set_new(q.params, "rule_params", q.rule_params);
	spec = json_pack("{s:s, s:o, s:s}", "experiment", "stdp_window", "params", q.params, "seed",
			 "1");
	if (err_list_count(errors) > before) {
		json_decref(spec);
		return NULL;
	}
	if (!spec)
		(void)err_list_add(errors, ERR_NOMEM, "", "out of memory");
	return spec;
}

/* Why the run of a window failed; what it says of a parameter is said of the query's. */
static int window_failed(struct api_result *c)
{
	json_t *problem = c->run.error ? json_loads(c->run.error, 0, NULL) : NULL;
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	const char *at = json_string_value(json_object_get(problem, "pointer"));
	char pointer[ERR_PATH_MAX] = "";

	at = at ? strrchr(at, '/') : NULL;
	if (at)
		(void)snprintf(pointer, sizeof(pointer), "?%.100s", at + 1);
	(void)err_set(&c->err, ERR_INVALID, pointer, "%s",
		      detail ? detail : "the window could not be computed");
	json_decref(problem);
	return -ERR_INVALID;
}

static int window(struct api_result *c)
{
	const double *values[STORE_COLUMNS_MAX];
	struct store_recording *r = NULL;
	int rc;

	if (c->run.state != RUN_SUCCEEDED)
		return window_failed(c);
	rc = api_result_table_read(c, "window", &r, values);
	if (rc)
		return rc;
	api_result_text(c, "name", "window");
	api_result_text(c, "rule", c->rq->arg[0]);
	api_result_text(c, "run_id", c->run.id);
	for (size_t k = 0; k < r->n_columns; k++)
		api_result_add(c, (struct api_result_column){ .name = r->columns[k].name,
							      .type = NPY_F64,
							      .data = values[k],
							      .rows = r->columns[k].rows,
							      .in = API_RESULT_ALL });
	return 0;
}

/* Answer from the run noted in memo, or wait for it. */
static int answer_window(const struct api *api, struct request *rq, struct response *rs,
			 struct err_list *errors)
{
	struct store_run run;
	struct err err = { 0 };
	int rc = api_run_of_memo(api, rq, rs, WINDOW_WAIT_S, &run, &err);

	if (rc < 0)
		return api_run_fail(&err, errors);
	if (rc == 0)
		return api_result_serve_run(api, rq, rs, errors, run.id, NULL, window);
	return rq->timed_out ? err_list_add(errors, ERR_BUSY, "",
					    "the window is still being computed; ask again")
			     : 0;
}

int api_rule_window(const struct api *api, struct request *rq, struct response *rs,
		    struct err_list *errors)
{
	static const struct api_run_meta meta = { .name = "a rule's window",
						  .tags = "[\"window\"]",
						  .threads = 1,
						  .keep_days = 30,
						  .common = true };
	struct api_spec known = { 0 };
	json_t *spec;
	int rc;

	if (rq->memo[0])
		return answer_window(api, rq, rs, errors);
	if (!plasticity_find(rq->arg[0]) && !alias_find(rq->arg[0]))
		return err_list_add(errors, ERR_NOTFOUND, "",
				    "there is no plasticity rule \"%.64s\"", rq->arg[0]);
	spec = window_spec(rq, errors);
	if (!spec)
		return -ERR_INVALID;
	rc = api_spec_check(api, spec, "?", rq->arena, &known, errors);
	if (!rc)
		rc = api_run_of_spec(api, rq, spec, &known, &meta, errors);
	json_decref(spec);
	return rc ? rc : answer_window(api, rq, rs, errors);
}
