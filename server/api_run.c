/* api_run.c - one run: read, change, cancel, run again, delete. */
/* SPDX-License-Identifier: MIT */
#include "server/api_run.h"

#include <stdio.h>
#include <string.h>

#include "core/engine.h"
#include "core/spec_json.h"
#include "server/clock.h"
#include "server/event.h"
#include "server/exec.h"
#include "server/space.h"
#include "server/store_db.h"

enum { WAIT_MAX_S = 30 };

int api_run_get(const struct api *api, struct request *rq, struct response *rs,
		struct err_list *errors)
{
	char etag[API_RUN_ETAG_MAX];
	struct store_run run;
	int64_t since;
	double wait_s;
	int rc = api_query_double(rq, "wait", 0.0, 0.0, 3600.0, &wait_s, errors);

	if (!rc)
		rc = api_query_int(rq, "since_version", -1, 0, INT64_MAX, &since, errors);
	if (!rc)
		rc = api_run_find(api, rq, &run, errors);
	if (rc)
		return rc;
	/* Wait for a newer version, or for the end. */
	if (wait_s > 0.0 && !rq->timed_out && !run_state_final(run.state) &&
	    (since < 0 || run.version <= since)) {
		event_topic(run.id, rs->topic);
		rs->wait_s = wait_s < WAIT_MAX_S ? wait_s : WAIT_MAX_S;
		return 0;
	}
	api_run_etag(api, &run, etag);
	if (cond_not_modified(rq, rs, etag))
		return 0;
	rs->n_headers = 0; /* api_run_answer sets the same ETag */
	return api_run_answer(api, rq, rs, &run, 200, errors);
}

/* Begin a write on the run of the path, as it stands now; on failure nothing is begun. */
static int begin(const struct api *api, const struct request *rq, struct store_run *ret,
		 struct err_list *errors)
{
	struct err err = { 0 };
	int rc;

	if (store_begin(api->store, &err))
		return api_run_fail(&err, errors);
	rc = api_run_find(api, rq, ret, errors);
	if (!rc)
		rc = api_run_match(rq, ret, errors);
	if (rc)
		store_rollback(api->store);
	return rc;
}

/* End it: commit what went well, pass on what did not. */
static int end(const struct api *api, int rc, struct err *err, struct err_list *errors)
{
	if (rc)
		store_rollback(api->store);
	else
		rc = store_commit(api->store, err);
	return rc ? api_run_fail(err, errors) : 0;
}

static int answer_now(const struct api *api, struct request *rq, struct response *rs, int status,
		      struct err_list *errors)
{
	struct store_run run;
	int rc = api_run_find(api, rq, &run, errors);

	return rc ? rc : api_run_answer(api, rq, rs, &run, status, errors);
}

int api_run_patch(const struct api *api, struct request *rq, struct response *rs,
		  struct err_list *errors)
{
	static const char *const known[] = { "name", "tags", "notes", "keep_days", "pinned" };
	struct api_run_meta meta = { 0 };
	struct err err = { 0 };
	struct store_run run = { 0 };
	json_t *body = NULL, *pinned;
	int rc = api_body(rq, &body, errors);

	if (!rc)
		rc = api_run_keys(body, known, COUNTOF(known), errors);
	if (!rc)
		rc = api_run_meta(api, rq, body, &meta, errors);
	pinned = json_object_get(body, "pinned");
	if (!rc && pinned && !json_is_boolean(pinned))
		rc = err_list_add(errors, ERR_TYPE, "/pinned", "expected true or false");
	if (!rc)
		rc = begin(api, rq, &run, errors);
	if (!rc) {
		run.name = meta.name ? meta.name : run.name;
		run.tags = meta.tags ? meta.tags : run.tags;
		run.notes = meta.notes ? meta.notes : run.notes;
		run.keep_days = json_object_get(body, "keep_days") ? meta.keep_days : run.keep_days;
		run.pinned = pinned ? json_is_true(pinned) : run.pinned;
		rc = store_run_patch(api->store, &run, &err);
		rc = end(api, rc, &err, errors);
	}
	json_decref(body);
	if (rc)
		return rc;
	event_wake(api->event, run.id);
	return answer_now(api, rq, rs, 200, errors);
}

int api_run_delete(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	struct err err = { 0 };
	struct store_run run = { 0 };
	int rc = begin(api, rq, &run, errors);

	if (rc)
		return rc;
	if (!run_state_final(run.state))
		rc = err_set(&err, ERR_STATE, NULL, "the run is %s; cancel it first",
			     run_state_name(run.state));
	else
		rc = store_run_delete(api->store, run.id, &err);
	rc = end(api, rc, &err, errors);
	if (!rc) {
		bool more;

		space_tidy(api->store, &more); /* of much, the rest follows */
		rs->status = 204;
	}
	return rc;
}

int api_run_cancel(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	struct err err = { 0 };
	struct store_run run = { 0 };
	int rc = begin(api, rq, &run, errors);

	if (rc)
		return rc;
	if (run.state == RUN_CANCELLING ||
	    run.state == RUN_CANCELLED) { /* said twice is said once */
		store_rollback(api->store);
	} else {
		rc = store_run_move(api->store, run.id, run.state, RUN_CANCEL, &err);
		rc = end(api, rc, &err, errors);
		if (rc)
			return rc;
		exec_wake(api->exec);
		event_wake(api->event, run.id);
	}
	rc = api_run_find(api, rq, &run, errors);
	return rc ? rc
		  : api_run_answer(api, rq, rs, &run, run_state_final(run.state) ? 200 : 202,
				   errors);
}

static int stored_text(const struct api *api, const struct request *rq, enum store_run_text which,
		       const char **ret, struct err_list *errors)
{
	struct err err = { 0 };

	return store_run_text(api->store, rq->arg[0], which, rq->arena, ret, &err)
		       ? api_run_fail(&err, errors)
		       : 0;
}

/* Queue the spec of a run again; to verify it, note its digest. */
static int run_again(const struct api *api, struct request *rq, struct response *rs, bool verify,
		     struct err_list *errors)
{
	struct api_run_meta meta = { 0 };
	struct api_spec known;
	struct store_run run;
	const char *text;
	json_t *spec = NULL;
	int rc = api_run_resume(api, rq, rs, errors);

	if (rc)
		return rc > 0 ? 0 : rc;
	rc = api_run_find(api, rq, &run, errors);
	if (!rc && verify && (run.state != RUN_SUCCEEDED || !run.digest))
		rc = err_list_add(errors, ERR_STATE, "",
				  "the run is %s; only what succeeded can be verified",
				  run_state_name(run.state));
	if (!rc)
		rc = stored_text(api, rq, STORE_RUN_SPEC, &text, errors);
	if (rc)
		return rc;
	spec = json_loads(text, 0, NULL);
	rc = spec ? api_spec_check(api, spec, "/spec", rq->arena, &known, errors)
		  : err_list_add(errors, ERR_NOMEM, "", "out of memory");
	meta = (struct api_run_meta){ run.name,
				      run.notes,
				      run.tags,
				      run.threads,
				      run.keep_days,
				      verify ? run.id : NULL,
				      verify ? run.digest : NULL };
	if (!rc)
		rc = api_run_start(api, rq, rs, spec, &known, run.preset, &meta, errors);
	json_decref(spec);
	return rc;
}

int api_run_rerun(const struct api *api, struct request *rq, struct response *rs,
		  struct err_list *errors)
{
	return run_again(api, rq, rs, false, errors);
}

int api_run_verify(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	return run_again(api, rq, rs, true, errors);
}

int api_run_spec(const struct api *api, struct request *rq, struct response *rs,
		 struct err_list *errors)
{
	struct store_run run;
	const char *text;
	char *etag;
	int rc = api_run_find(api, rq, &run, errors);

	if (!rc)
		rc = stored_text(api, rq, STORE_RUN_SPEC, &text, errors);
	if (rc)
		return rc;
	etag = mem_arena_printf(rq->arena, "\"spec-%.16s\"", run.id); /* it never changes */
	if (etag && cond_not_modified(rq, rs, etag))
		return 0;
	(void)buf_str(&rs->body, text);
	rs->status = 200;
	return 0;
}

int api_run_provenance(const struct api *api, struct request *rq, struct response *rs,
		       struct err_list *errors)
{
	static const char *const copied[] = { "id",	     "state",	"spec_sha256", "seed",
					      "threads",     "digest",	"created_at",  "started_at",
					      "finished_at", "partial", "counts" };
	json_t *body, *whole;
	struct store_run run;
	const char *text;
	int rc = api_run_find(api, rq, &run, errors);

	if (!rc)
		rc = stored_text(api, rq, STORE_RUN_PROVENANCE, &text, errors);
	if (rc)
		return rc;
	body = json_loads(text, 0, NULL);
	whole = api_run_json(api, &run, true);
	if (body && whole) {
		if (json_object_get(body, "version")) {
			(void)json_object_set(body, "engine_version",
					      json_object_get(body, "version"));
			(void)json_object_del(body, "version");
		}
		for (size_t i = 0; i < COUNTOF(copied); i++)
			(void)json_object_set(body, copied[i], json_object_get(whole, copied[i]));
		(void)json_object_set_new(body, "server_version", json_string(ENGINE_VERSION));
	}
	json_decref(whole);
	return api_json(rs, 200, body, errors);
}

int api_run_log(const struct api *api, struct request *rq, struct response *rs,
		struct err_list *errors)
{
	char created[CLOCK_TEXT_MAX], started[CLOCK_TEXT_MAX], finished[CLOCK_TEXT_MAX];
	struct store_run run;
	const char *text;
	int rc = api_run_find(api, rq, &run, errors);

	if (!rc)
		rc = stored_text(api, rq, STORE_RUN_LOG, &text, errors);
	if (rc)
		return rc;
	(void)buf_printf(&rs->body, "%s queued%s%s\n", clock_text(run.created_ms, created),
			 run.trace ? ", traceparent " : "", run.trace ? run.trace : "");
	if (run.started_ms)
		(void)buf_printf(&rs->body, "%s started, threads: %lld\n",
				 clock_text(run.started_ms, started), (long long)run.threads);
	(void)buf_str(&rs->body, text);
	if (*text && text[strlen(text) - 1] != '\n')
		(void)buf_char(&rs->body, '\n');
	if (run.finished_ms)
		(void)buf_printf(&rs->body, "%s %s\n", clock_text(run.finished_ms, finished),
				 run_state_name(run.state));
	rs->content_type = "text/plain; charset=utf-8";
	rs->status = 200;
	return 0;
}
