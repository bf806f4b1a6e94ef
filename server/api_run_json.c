/* api_run_json.c - a run as JSON. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api_run.h"
#include "server/auth.h"
#include "server/event.h"
#include "server/queue.h"

static const int64_t DAY_MS = 24 * 3600 * (int64_t)1000;

int api_run_fail(const struct err *err, struct err_list *errors)
{
	return err_list_add(errors, (enum err_code)err->code, err->path, "%s", err->text);
}

/* A stored JSON text. */
static json_t *stored(const char *text, bool array)
{
	json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : json_null();

	return json ? json : array ? json_array() : json_object();
}

static json_t *progress(const struct api *api, const struct store_run *run)
{
	struct event_progress p = { .t_ms = run->t_ms,
				    .duration_ms = run->duration_ms,
				    .wall_s = run->wall_s };

	if (!run_state_final(run->state)) {
		p.t_ms = p.wall_s = 0.0;
		(void)event_latest(api->event, run->id, &p);
	} else if (p.duration_ms <= 0.0) {
		p.duration_ms = p.t_ms; /* an experiment's is known only at its end */
	}
	return event_progress_json(p.t_ms, p.duration_ms, p.wall_s, run_state_final(run->state));
}

static json_t *position(const struct api *api, const struct store_run *run)
{
	int64_t n = 0;

	if (run->state != RUN_QUEUED || queue_position(api->queue, run, &n, NULL))
		return json_null();
	return json_integer(n);
}

static json_t *links(const struct store_run *run)
{
	static const char *const parts[] = { "spec",   "provenance", "log",
					     "events", "results",    "cancel",
					     "rerun",  "verify",     "artifacts" };
	json_t *o = json_object();

	(void)json_object_set_new(o, "self", json_sprintf("/v1/runs/%s", run->id));
	for (size_t i = 0; i < COUNTOF(parts); i++)
		(void)json_object_set_new(o, parts[i],
					  json_sprintf("/v1/runs/%s/%s", run->id, parts[i]));
	return o;
}

/* What a run that repeats another has shown. */
static json_t *verification(const struct store_run *run)
{
	bool ended = run->state == RUN_SUCCEEDED && run->digest;

	if (!run->verify_of)
		return json_null();
	return json_pack("{s:s, s:s?, s:o}", "run_id", run->verify_of, "digest", run->verify_digest,
			 "equal",
			 ended ? json_boolean(run->verify_digest &&
					      strcmp(run->digest, run->verify_digest) == 0)
			       : json_null());
}

json_t *api_run_json(const struct api *api, const struct store_run *run, bool list)
{
	json_t *o =
		json_pack("{s:s, s:s, s:I, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:I}", "id", run->id,
			  "state", run_state_name(run->state), "version", (json_int_t)run->version,
			  "name", run->name, "notes", run->notes, "tags", stored(run->tags, true),
			  "preset", api_text_or_null(run->preset), "experiment",
			  api_text_or_null(run->experiment), "spec_sha256", run->spec_sha256,
			  "seed", run->seed, "threads", (json_int_t)run->threads);

	if (!o)
		return NULL;
	(void)json_object_set_new(o, "owner", api_text_or_null(run->owner));
	(void)json_object_set_new(o, "sweep", api_text_or_null(run->sweep));
	(void)json_object_set_new(o, "created_at", api_time_or_null(run->created_ms));
	(void)json_object_set_new(o, "started_at", api_time_or_null(run->started_ms));
	(void)json_object_set_new(o, "finished_at", api_time_or_null(run->finished_ms));
	(void)json_object_set_new(o, "digest", api_text_or_null(run->digest));
	(void)json_object_set_new(o, "partial", json_boolean(run->partial));
	(void)json_object_set_new(o, "progress", progress(api, run));
	(void)json_object_set_new(o, "queue_position", list ? json_null() : position(api, run));
	(void)json_object_set_new(o, "metrics", stored(run->metrics, false));
	(void)json_object_set_new(o, "targets", stored(run->targets, true));
	(void)json_object_set_new(o, "remarks", stored(run->remarks, true));
	(void)json_object_set_new(o, "score", stored(run->score, false));
	(void)json_object_set_new(o, "counts", stored(run->counts, false));
	(void)json_object_set_new(o, "verification", verification(run));
	(void)json_object_set_new(o, "error", stored(run->error, false));
	(void)json_object_set_new(o, "keep_days",
				  run->keep_days ? json_integer(run->keep_days) : json_null());
	(void)json_object_set_new(o, "pinned", json_boolean(run->pinned));
	(void)json_object_set_new(
		o, "expires_at",
		api_time_or_null(run->keep_days && run->finished_ms && !run->pinned
					 ? run->finished_ms + run->keep_days * DAY_MS
					 : 0));
	(void)json_object_set_new(o, "links", links(run));
	return o;
}

/* "VERSION", and behind a dash what moves without a new version: progress, place in the queue. */
void api_run_etag(const struct api *api, const struct store_run *run, char etag[API_RUN_ETAG_MAX])
{
	struct event_progress p = { 0 };
	int64_t moving = 0;

	if (run->state == RUN_QUEUED && queue_position(api->queue, run, &moving, NULL))
		moving = 0;
	else if (!run_state_final(run->state) && event_latest(api->event, run->id, &p))
		moving = (int64_t)p.version;
	(void)snprintf(etag, API_RUN_ETAG_MAX, "\"%lld-%lld\"", (long long)run->version,
		       (long long)moving);
}

int api_run_match(const struct request *rq, const struct store_run *run, struct err_list *errors)
{
	const char *want = http_header(rq, "If-Match");

	if (!want || strcmp(want, "*") == 0)
		return 0;
	for (const char *at = want; *at; at++) /* any of a list */
		if (*at == '"' && strtoll(at + 1, NULL, 10) == run->version)
			return 0;
	return err_list_add(errors, ERR_PRECONDITION, "", "the run has version %lld by now",
			    (long long)run->version);
}

const char *api_run_owner(const struct request *rq)
{
	return rq->who.sees_all ? NULL : rq->who.name;
}

int api_run_find(const struct api *api, const struct request *rq, struct store_run *ret,
		 struct err_list *errors)
{
	struct err err = { 0 };

	if (!id_valid(rq->arg[0]))
		return err_list_add(errors, ERR_NOTFOUND, "", "there is no such run");
	if (store_run_get(api->store, rq->arg[0], rq->arena, ret, &err))
		return api_run_fail(&err, errors);
	if (!auth_sees(&rq->who, ret->owner))
		return err_list_add(errors, ERR_NOTFOUND, "", "there is no such run");
	return 0;
}

int api_run_answer(const struct api *api, const struct request *rq, struct response *rs,
		   const struct store_run *run, int status, struct err_list *errors)
{
	char etag[API_RUN_ETAG_MAX], *kept, *location;

	api_run_etag(api, run, etag);
	kept = mem_arena_strdup(rq->arena, etag);
	location = mem_arena_printf(rq->arena, "/v1/runs/%s", run->id);
	if (!kept || !location)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	http_add_header(rs, "ETag", kept);
	if (status == 201 || status == 202)
		http_add_header(rs, "Location", location);
	return api_json(rs, status, api_run_json(api, run, false), errors);
}
