/* api_run_new.c - POST /v1/runs: the spec put together, checked, queued. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine.h"
#include "core/spec_json.h"
#include "server/api_run.h"
#include "server/auth.h"
#include "server/config.h"
#include "server/event.h"
#include "server/exec.h"
#include "server/pointer.h"
#include "server/queue.h"
#include "server/store_dataset.h"
#include "server/store_db.h"

enum {
	NAME_MAX_CHARS = 200,
	NOTES_MAX = 20000,
	TAGS_MAX = 32,
	TAG_MAX = 64,
	DAYS_MAX = 36500,
	WAIT_MAX_S = 30,
	RECENT = 8 /* runs looked at for one under way */
};

/* ---- what stands beside the spec ---- */

static void read_text(json_t *body, const char *key, size_t max, const char **ret,
		      struct err_list *errors)
{
	json_t *v = json_object_get(body, key);
	char at[32];

	(void)snprintf(at, sizeof(at), "/%s", key);
	if (v && !json_is_string(v))
		(void)err_list_add(errors, ERR_TYPE, at, "expected a string");
	else if (v && json_string_length(v) > max)
		(void)err_list_add(errors, ERR_RANGE, at, "expected at most %zu bytes, found %zu",
				   max, json_string_length(v));
	else if (v)
		*ret = json_string_value(v);
}

static void read_int(json_t *body, const char *key, int64_t max, int64_t *ret,
		     struct err_list *errors)
{
	json_t *v = json_object_get(body, key);
	char at[32];

	(void)snprintf(at, sizeof(at), "/%s", key);
	if (v && !json_is_integer(v) && !json_is_null(v))
		(void)err_list_add(errors, ERR_TYPE, at, "expected a whole number");
	else if (json_is_integer(v) && (json_integer_value(v) < 1 || json_integer_value(v) > max))
		(void)err_list_add(errors, ERR_RANGE, at,
				   "expected a whole number from 1 to %lld, found %lld",
				   (long long)max, (long long)json_integer_value(v));
	else if (json_is_integer(v))
		*ret = json_integer_value(v);
}

static void read_tags(json_t *body, struct mem_arena *arena, const char **ret,
		      struct err_list *errors)
{
	json_t *tags = json_object_get(body, "tags"), *tag;
	size_t before = err_list_count(errors), i;
	char at[32];

	if (!tags)
		return;
	if (!json_is_array(tags) || json_array_size(tags) > TAGS_MAX) {
		(void)err_list_add(errors, ERR_TYPE, "/tags",
				   "expected a list of at most %d strings", TAGS_MAX);
		return;
	}
	json_array_foreach(tags, i, tag)
	{
		(void)snprintf(at, sizeof(at), "/tags/%zu", i);
		if (!json_is_string(tag) || json_string_length(tag) == 0 ||
		    json_string_length(tag) > TAG_MAX)
			(void)err_list_add(errors, ERR_TYPE, at,
					   "expected a string of 1 to %d bytes", TAG_MAX);
	}
	if (err_list_count(errors) == before) {
		*ret = api_text(tags, arena);
		if (!*ret)
			(void)err_list_add(errors, ERR_NOMEM, "", "out of memory");
	}
}

int api_run_meta(const struct api *api, const struct request *rq, json_t *body,
		 struct api_run_meta *ret, struct err_list *errors)
{
	size_t before = err_list_count(errors);

	*ret = (struct api_run_meta){ .threads = 1 };
	read_text(body, "name", NAME_MAX_CHARS, &ret->name, errors);
	read_text(body, "notes", NOTES_MAX, &ret->notes, errors);
	read_tags(body, rq->arena, &ret->tags, errors);
	read_int(body, "threads", api->config->run_threads, &ret->threads, errors);
	read_int(body, "keep_days", DAYS_MAX, &ret->keep_days, errors);
	return err_list_count(errors) > before ? -ERR_INVALID : 0;
}

const char *api_run_seed(const json_t *seed, char text[24])
{
	char *end;

	if (!seed)
		return "";
	if (json_is_integer(seed) && json_integer_value(seed) >= 0) {
		(void)snprintf(text, 24, "%lld", (long long)json_integer_value(seed));
		return text;
	}
	if (!json_is_string(seed) || json_string_length(seed) > 20 ||
	    json_string_length(seed) == 0 ||
	    strspn(json_string_value(seed), "0123456789") != json_string_length(seed))
		return NULL;
	errno = 0;
	(void)snprintf(text, 24, "%llu",
		       strtoull(json_string_value(seed), &end, 10)); /* without leading zeros */
	return errno ? NULL : text;
}

/* ---- the spec: given, of a preset, of an experiment; then overrides and seed ---- */

static void apply_overrides(json_t *spec, json_t *overrides, struct err_list *errors)
{
	json_t *o;
	size_t i;

	if (overrides && !json_is_array(overrides))
		(void)err_list_add(errors, ERR_TYPE, "/overrides",
				   "expected a list of {\"path\", \"value\"}");
	json_array_foreach(overrides, i, o)
	{
		const char *path = json_string_value(json_object_get(o, "path"));
		json_t *value = json_object_get(o, "value");
		char at[64];

		(void)snprintf(at, sizeof(at), "/overrides/%zu", i);
		if (!path || !value || json_object_size(o) != 2) {
			(void)err_list_add(
				errors, ERR_TYPE, at,
				"expected {\"path\": JSON Pointer into the spec, \"value\"}");
			continue;
		}
		(void)snprintf(at, sizeof(at), "/overrides/%zu/path", i);
		if (!pointer_set(spec, path, value))
			(void)err_list_add(errors, ERR_UNKNOWN, at,
					   "there is no place %s in the spec", path);
	}
}

void api_run_repoint(struct err *e, json_t *overrides, const char *prefix)
{
	size_t skip = strlen(prefix), i;
	char text[ERR_PATH_MAX + 64];
	json_t *o;

	if (strncmp(e->path, prefix, skip) != 0)
		return;
	json_array_foreach(overrides, i, o)
	{
		const char *path = json_string_value(json_object_get(o, "path"));
		const char *rest = path && *path ? pointer_below(e->path + skip, path) : NULL;

		if (!rest)
			continue;
		(void)snprintf(text, sizeof(text), "/overrides/%zu/value%s", i, rest);
		(void)snprintf(e->path, sizeof(e->path), "%.*s", ERR_PATH_MAX - 1, text);
		return;
	}
}

static json_t *base_spec(json_t *body, struct err_list *errors)
{
	json_t *spec = json_object_get(body, "spec"), *preset = json_object_get(body, "preset");
	json_t *experiment = json_object_get(body, "experiment"),
	       *params = json_object_get(body, "params");
	json_t *result;

	if ((spec != NULL) + (preset != NULL) + (experiment != NULL) != 1) {
		(void)err_list_add(errors,
				   spec || preset || experiment ? ERR_CONFLICT : ERR_MISSING, "",
				   "expected exactly one of spec, preset, experiment");
		return NULL;
	}
	if (params && !experiment) {
		(void)err_list_add(errors, ERR_CONFLICT, "/params",
				   "params belong to an experiment");
		return NULL;
	}
	if (experiment) {
		result = json_pack("{s:O}", "experiment", experiment);
		if (result && params)
			(void)json_object_set(result, "params", params);
	} else if (spec) {
		if (!json_is_object(spec)) {
			(void)err_list_add(errors, ERR_TYPE, "/spec", "expected a spec, an object");
			return NULL;
		}
		result = json_deep_copy(spec);
	} else {
		result = json_is_string(preset) ? api_preset_spec(json_string_value(preset)) : NULL;
		if (!result)
			(void)err_list_add(errors, ERR_UNKNOWN, "/preset",
					   "there is no such preset");
		return result;
	}
	if (!result)
		(void)err_list_add(errors, ERR_NOMEM, "", "out of memory");
	return result;
}

static void set_seed(json_t *spec, json_t *body, const char *prefix, struct err_list *errors)
{
	json_t *own = json_object_get(body, "seed"), *old = json_object_get(spec, "seed");
	char text[24], at[ERR_PATH_MAX];
	const char *seed = api_run_seed(own ? own : old, text);

	(void)snprintf(at, sizeof(at), "%s/seed", own ? "" : prefix);
	if (!seed)
		(void)err_list_add(errors, ERR_TYPE, at,
				   "expected a whole number from 0 to 18446744073709551615, as a "
				   "string of digits or a number");
	else
		(void)json_object_set_new(spec, "seed", json_string(*seed ? seed : "0"));
}

int api_run_keys(json_t *body, const char *const *known, size_t n, struct err_list *errors)
{
	size_t before = err_list_count(errors);
	char at[ERR_PATH_MAX];
	const char *key;
	json_t *value;

	if (!json_is_object(body))
		return err_list_add(errors, ERR_TYPE, "", "expected an object");
	json_object_foreach(body, key, value)
	{
		size_t i = 0;

		while (i < n && strcmp(known[i], key) != 0)
			i++;
		(void)snprintf(at, sizeof(at), "/%s", key);
		if (i == n)
			(void)err_list_add(errors, ERR_UNKNOWN, at, "unknown key %s", key);
	}
	return err_list_count(errors) > before ? -ERR_INVALID : 0;
}

/* Others' data sets do not exist for who asks. */
static void check_owners(const struct api *api, const struct request *rq, json_t *spec,
			 const char *prefix, struct err_list *errors)
{
	json_t *ids = spec_json_datasets(spec), *id;
	struct store_dataset d;
	size_t i;

	json_array_foreach(ids, i, id)
	{
		if (store_dataset_get(api->store, json_string_value(id), rq->arena, &d, NULL) ==
			    0 &&
		    !auth_sees(&rq->who, d.owner))
			(void)err_list_add(errors, ERR_NOTFOUND, prefix,
					   "data set \"%.60s\": there is no data set of this id",
					   json_string_value(id));
	}
	json_decref(ids);
}

json_t *api_run_base(json_t *body, const char *prefix, struct err_list *errors)
{
	json_t *spec = base_spec(body, errors);

	if (spec) {
		apply_overrides(spec, json_object_get(body, "overrides"), errors);
		set_seed(spec, body, prefix, errors);
	}
	return spec;
}

int api_run_check(const struct api *api, const struct request *rq, json_t *spec, const char *prefix,
		  struct api_spec *ret, struct err_list *errors)
{
	size_t before = err_list_count(errors);
	int rc;

	check_owners(api, rq, spec, prefix, errors);
	rc = api_spec_check(api, spec, prefix, rq->arena, ret, errors);
	return !rc && err_list_count(errors) > before ? -ERR_INVALID : rc;
}

int api_run_request(const struct api *api, const struct request *rq, json_t *body,
		    json_t **ret_spec, struct api_spec *ret_known, struct api_run_meta *ret_meta,
		    struct err_list *errors)
{
	static const char *const known[] = { "spec",	  "preset",  "experiment", "params",
					     "overrides", "seed",    "name",	   "tags",
					     "notes",	  "threads", "keep_days" };
	const char *prefix = json_object_get(body, "experiment") ? "" : "/spec";
	int rc = api_run_keys(body, known, COUNTOF(known), errors);
	size_t before;
	json_t *spec;

	if (rc == -ERR_TYPE)
		return rc;
	(void)api_run_meta(api, rq, body, ret_meta, errors);
	spec = api_run_base(body, prefix, errors);
	if (!spec)
		return -ERR_INVALID;
	before = errors->n;
	rc = api_run_check(api, rq, spec, prefix, ret_known, errors);
	for (size_t i = before; i < errors->n; i++)
		api_run_repoint(&errors->items[i], json_object_get(body, "overrides"), prefix);
	if (errors->n)
		errors->first = errors->items[0];
	if (!rc && err_list_count(errors))
		rc = -ERR_INVALID;
	if (rc) {
		json_decref(spec);
		return rc;
	}
	*ret_spec = spec;
	return 0;
}

/* ---- queueing and waiting ---- */

void api_run_prefer(const struct request *rq, double *ret_wait, bool *ret_reuse)
{
	const char *text = http_header(rq, "Prefer"), *wait = text ? strstr(text, "wait=") : NULL;
	double s = wait ? strtod(wait + 5, NULL) : 0.0;

	*ret_wait = s > 0.0 ? s < WAIT_MAX_S ? s : WAIT_MAX_S : 0.0;
	*ret_reuse = text && strstr(text, "reuse");
}

/* Answer when the run has ended or nobody wants to wait; else wait for it. */
static int answer_or_wait(const struct api *api, struct request *rq, struct response *rs,
			  const char *id, struct err_list *errors)
{
	struct err err = { 0 };
	struct store_run run;
	double wait_s;
	bool reuse;

	if (store_run_get(api->store, id, rq->arena, &run, &err)) {
		if (err.code == ERR_NOTFOUND)
			return err_list_add(errors, ERR_GONE, "",
					    "the run of this request was deleted");
		return api_run_fail(&err, errors);
	}
	api_run_prefer(rq, &wait_s, &reuse);
	if (run_state_final(run.state))
		return api_run_answer(api, rq, rs, &run, 201, errors);
	if (wait_s <= 0.0 || rq->timed_out)
		return api_run_answer(api, rq, rs, &run, 202, errors);
	if (id != rq->memo) /* not back already */
		(void)snprintf(rq->memo, sizeof(rq->memo), "%s", id);
	event_topic(id, rs->topic);
	rs->wait_s = wait_s;
	rs->status = 0;
	return 0;
}

int api_run_resume(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	int rc = rq->memo[0] ? answer_or_wait(api, rq, rs, rq->memo, errors) : 0;

	return rc || !rq->memo[0] ? rc : 1;
}

static int insert(const struct api *api, const struct store_run_new *run, struct err *err)
{
	int rc = store_begin(api->store, err);

	return rc ? rc : store_conclude(api->store, queue_push(api->queue, run, err), err);
}

/* Queue it; its id. */
static int push(const struct api *api, const struct request *rq, json_t *spec,
		const struct api_spec *known, const char *preset, const struct api_run_meta *meta,
		char id[ID_SIZE], struct err_list *errors)
{
	const char *text = api_text(spec, rq->arena),
		   *own = json_string_value(json_object_get(spec, "name"));
	struct err err = { 0 };

	if (!text)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	if (api_room(api, rq, 0, errors))
		return -(int)errors->first.code;
	id_new(id);
	const struct store_run_new run = {
		.id = id,
		.name = meta->name ? meta->name : own,
		.tags = meta->tags,
		.notes = meta->notes,
		.preset = preset,
		.experiment = known->experiment,
		.spec = text,
		.spec_sha256 = known->sha256,
		.seed = json_string_value(json_object_get(spec, "seed")),
		.threads = meta->threads,
		.keep_days = meta->keep_days ? meta->keep_days : api->config->keep_days,
		.duration_ms = known->duration_ms,
		.verify_of = meta->verify_of,
		.verify_digest = meta->verify_digest,
		.trace = rq->trace,
		.owner = meta->common ? NULL : rq->who.name,
		.owner_max = meta->common ? 0 : rq->who.quota_runs,
		.once = rq->once,
	};
	if (insert(api, &run, &err))
		return api_run_fail(&err, errors);
	exec_wake(api->exec);
	return 0;
}

int api_run_start(const struct api *api, struct request *rq, struct response *rs, json_t *spec,
		  const struct api_spec *known, const char *preset, const struct api_run_meta *meta,
		  struct err_list *errors)
{
	char id[ID_SIZE];
	struct store_run old;
	double wait_s;
	bool reuse;
	int rc;

	api_run_prefer(rq, &wait_s, &reuse);
	if (reuse && !meta->verify_of &&
	    store_run_by_spec(api->store, known->sha256, ENGINE_VERSION, api_run_owner(rq),
			      rq->arena, &old, NULL) == 0) {
		http_add_header(rs, "Preference-Applied", "reuse");
		return api_run_answer(api, rq, rs, &old, 201, errors);
	}
	rc = push(api, rq, spec, known, preset, meta, id, errors);
	return rc ? rc : answer_or_wait(api, rq, rs, id, errors);
}

/* ---- a run that an answer is made from ---- */

/* The newest run of this spec by this engine, or one that is on its way. */
static int find_run(const struct api *api, const struct request *rq, const char *sha256,
		    const char **ret_id, struct err *err)
{
	const struct store_run_filter filter = { .spec_sha256 = sha256,
						 .owner = api_run_owner(rq),
						 .limit = RECENT };
	struct store_run *runs = NULL, old;
	size_t n = 0;
	int rc = store_run_by_spec(api->store, sha256, ENGINE_VERSION, api_run_owner(rq), rq->arena,
				   &old, err);

	*ret_id = rc ? NULL : old.id;
	if (rc != -ERR_NOTFOUND)
		return rc;
	rc = store_run_list(api->store, &filter, rq->arena, &runs, &n, err);
	for (size_t i = 0; !rc && i < n && !*ret_id; i++)
		if (!run_state_final(runs[i].state))
			*ret_id = runs[i].id;
	return rc;
}

int api_run_of_spec(const struct api *api, struct request *rq, json_t *spec,
		    const struct api_spec *known, const struct api_run_meta *meta,
		    struct err_list *errors)
{
	struct err err = { 0 };
	const char *found = NULL;
	char id[ID_SIZE];
	int rc;

	if (find_run(api, rq, known->sha256, &found, &err))
		return api_run_fail(&err, errors);
	rc = found ? 0 : push(api, rq, spec, known, NULL, meta, id, errors);
	if (!rc)
		(void)snprintf(rq->memo, sizeof(rq->memo), "%s", found ? found : id);
	return rc;
}

int api_run_of_memo(const struct api *api, const struct request *rq, struct response *rs,
		    double wait_s, struct store_run *ret, struct err *err)
{
	const char *id = mem_arena_strdup(rq->arena, rq->memo);
	int rc = id ? store_run_get(api->store, id, rq->arena, ret, err) : err_nomem(err);

	if (rc || run_state_final(ret->state))
		return rc;
	if (wait_s > 0.0 && !rq->timed_out) {
		event_topic(id, rs->topic);
		rs->wait_s = wait_s;
		rs->status = 0;
	}
	return 1;
}

int api_run_post(const struct api *api, struct request *rq, struct response *rs,
		 struct err_list *errors)
{
	json_t *body = NULL, *spec = NULL;
	struct api_run_meta meta;
	struct api_spec known;
	int rc = api_run_resume(api, rq, rs, errors);

	if (rc)
		return rc > 0 ? 0 : rc;
	rc = api_body(rq, &body, errors);
	if (rc)
		return rc;
	rc = api_run_request(api, rq, body, &spec, &known, &meta, errors);
	if (!rc)
		rc = api_run_start(api, rq, rs, spec, &known,
				   json_string_value(json_object_get(body, "preset")), &meta,
				   errors);
	json_decref(spec);
	json_decref(body);
	return rc;
}
