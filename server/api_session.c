/* api_session.c - sessions: read, list, delete, command. */
/* SPDX-License-Identifier: MIT */
#include "server/api_session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api_run.h"
#include "server/auth.h"
#include "server/event.h"

static const double WAIT_S = 86400.0; /* a step may take its time */

/* ---- one session ---- */

int api_session_find(const struct api *api, const struct request *rq, struct store_session *ret,
		     struct err_list *errors)
{
	struct err err = { 0 };
	int rc = id_valid(rq->arg[0])
			 ? store_session_get(api->store, rq->arg[0], rq->arena, ret, &err)
			 : -ERR_NOTFOUND;

	if (!rc && !auth_sees(&rq->who, ret->owner))
		rc = -ERR_NOTFOUND;
	if (rc == -ERR_NOTFOUND)
		(void)err_list_add(errors, ERR_NOTFOUND, "", "there is no such session");
	else if (rc)
		(void)api_run_fail(&err, errors);
	return rc;
}

/* ready: it stands and waits; stepping, playing; parked: its process is gone, a command wakes it; failed. */
static const char *state_of(const struct store_session *row, bool running,
			    const struct session_view *view)
{
	if (!running)
		return strcmp(row->state, "failed") == 0 ? "failed" : "parked";
	return strcmp(view->mode, "paused") == 0 ? "ready" : view->mode;
}

json_t *api_session_json(const struct api *api, const struct store_session *row)
{
	struct session_view view = { 0 };
	bool running = session_look(api->session, row->id, &view);
	json_t *error = row->error ? json_loads(row->error, 0, NULL) : NULL, *links, *ret;
	char self[64], text[80];

	(void)snprintf(self, sizeof(self), "/v1/sessions/%s", row->id);
	links = json_pack("{s:s}", "self", self);
	(void)snprintf(text, sizeof(text), "%s/events", self);
	(void)json_object_set_new(links, "events", json_string(text));
	(void)snprintf(text, sizeof(text), "%s/results", self);
	(void)json_object_set_new(links, "results", json_string(text));
	ret = json_pack(
		"{s:s, s:s, s:s, s:f, s:f, s:o, s:o, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o}", "id",
		row->id, "state", state_of(row, running, &view), "name", row->name ? row->name : "",
		"t_ms", running ? view.t_ms : row->t_ms, "speed", running ? view.speed : 0.0,
		"preset", api_text_or_null(row->preset), "parent", api_text_or_null(row->parent),
		"spec_sha256", row->spec_sha256, "seed", row->seed, "threads",
		(json_int_t)row->threads, "version",
		(json_int_t)row->version + (json_int_t)view.version, "created_at",
		api_time_or_null(row->created_ms), "used_at", api_time_or_null(row->used_ms),
		"error", error ? error : json_null(), "links", links);
	return ret;
}

json_t *api_session_numbered(json_t *body, json_t *reply_take)
{
	json_t *seq = json_object_get(reply_take, "seq");

	if (seq)
		(void)json_object_set(body, "seq", seq);
	json_decref(reply_take);
	return body;
}

int api_session_answer(const struct api *api, struct request *rq, struct response *rs,
		       const char *id, int status, json_t *reply_take, struct err_list *errors)
{
	struct store_session row;
	struct err err = { 0 };
	int rc = store_session_get(api->store, id, rq->arena, &row, &err);

	if (rc) {
		json_decref(reply_take);
		return api_run_fail(&err, errors);
	}
	if (status == 201)
		http_add_header(rs, "Location", mem_arena_printf(rq->arena, "/v1/sessions/%s", id));
	return api_json(rs, status, api_session_numbered(api_session_json(api, &row), reply_take),
			errors);
}

int api_session_get(const struct api *api, struct request *rq, struct response *rs,
		    struct err_list *errors)
{
	struct store_session row;
	int rc = api_session_find(api, rq, &row, errors);

	return rc ? rc : api_json(rs, 200, api_session_json(api, &row), errors);
}

int api_session_list(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	const char *state = http_query(rq, "state");
	struct store_session *rows;
	json_t *items;
	struct err err = { 0 };
	int64_t size = 0, seq = 0;
	size_t n = 0;
	int rc = api_query_page(rq, 's', &size, &seq, errors);

	if (!rc && state && strcmp(state, "awake") != 0 && strcmp(state, "parked") != 0 &&
	    strcmp(state, "failed") != 0)
		rc = err_list_add(errors, ERR_UNKNOWN, "?state",
				  "expected awake, parked or failed, found \"%.32s\"", state);
	if (rc)
		return rc;
	rows = NEW(rq->arena, struct store_session, (size_t)size + 1);
	if (!rows)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	if (store_session_list(api->store, seq, state, api_run_owner(rq), (size_t)size + 1,
			       rq->arena, rows, &n, &err))
		return api_run_fail(&err, errors);
	items = json_array();
	for (size_t i = 0; i < n && i < (size_t)size; i++)
		(void)json_array_append_new(items, api_session_json(api, &rows[i]));
	return api_page(rq, rs, items, 's', n > (size_t)size ? rows[size - 1].seq : 0, errors);
}

int api_session_delete(const struct api *api, struct request *rq, struct response *rs,
		       struct err_list *errors)
{
	struct store_session row;
	struct err err = { 0 };
	int rc = api_session_find(api, rq, &row, errors);

	if (!rc)
		rc = api_match(rq, api_session_json(api, &row), errors);
	if (rc)
		return rc;
	if (store_session_drop(api->store, row.id, true, &err))
		return api_run_fail(&err, errors);
	event_wake_topic(api->event, EVENT_TOPIC_HOOK);
	session_drop(api->session, row.id);
	rs->status = 204;
	return 0;
}

int api_session_spec(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	struct store_session row;
	struct err err = { 0 };
	const char *text;
	int rc = api_session_find(api, rq, &row, errors);

	if (rc)
		return rc;
	if (store_session_spec(api->store, row.id, rq->arena, &text, &err))
		return api_run_fail(&err, errors);
	rs->status = 200;
	return buf_str(&rs->body, text) ? err_list_add(errors, ERR_NOMEM, "", "out of memory") : 0;
}

/* ---- asking ---- */

bool api_session_back(const struct request *rq, char note[ID_SIZE])
{
	const char *blank = strchr(rq->memo, ' ');

	(void)snprintf(note, ID_SIZE, "%s", blank ? blank + 1 : "");
	return rq->memo[0] != '\0';
}

bool api_session_told(const struct request *rq)
{
	return strtoull(rq->memo, NULL, 10) != 0;
}

int api_session_ask(const struct api *api, struct request *rq, struct response *rs,
		    const struct api_session_ask *ask, json_t *command, json_t **ret,
		    struct err_list *errors)
{
	struct err err = { 0 };
	uint64_t ticket;
	int rc;

	if (!api_session_told(rq)) {
		rc = command ? session_send(api->session, ask->id, command, ask->fork, &ticket,
					    &err)
			     : err_nomem(&err);
		json_decref(command);
		if (rc)
			return api_run_fail(&err, errors);
		(void)snprintf(rq->memo, sizeof(rq->memo), "%" PRIu64 " %.32s", ticket,
			       ask->note ? ask->note : "");
	}
	ticket = strtoull(rq->memo, NULL, 10);
	rc = session_reply(api->session, ticket, ret, ask->from ? ask->from : "",
			   ask->to ? ask->to : "", errors);
	if (rc <= 0)
		return rc;
	if (rq->timed_out)
		return err_list_add(errors, ERR_BUSY, "", "the session does not answer");
	session_topic(ask->id, rs->topic);
	rs->wait_s = WAIT_S;
	rs->status = 0;
	return 1;
}

/* The reply without what is between the processes. */
static json_t *outward(json_t *reply, const char *id)
{
	json_t *ret = json_copy(reply);

	(void)json_object_del(ret, "ok");
	(void)json_object_del(ret, "path");
	(void)json_object_del(ret, "dir");
	(void)json_object_del(ret, "pid");
	(void)json_object_set_new(ret, "id", json_string(id));
	return ret;
}

/* The request's body as a command: an object with `keys` (between blanks) at most. NULL: *ret_rc says why. */
static json_t *command_of(const struct request *rq, const char *cmd, const char *const *keys,
			  size_t n, int *ret_rc, struct err_list *errors)
{
	json_t *body = NULL;

	*ret_rc = rq->body_len ? api_body(rq, &body, errors) : 0;
	if (!*ret_rc && !body)
		body = json_object();
	if (!*ret_rc)
		*ret_rc = api_run_keys(body, keys, n, errors);
	if (*ret_rc) {
		json_decref(body);
		return NULL;
	}
	(void)json_object_set_new(body, "cmd", json_string(cmd));
	return body;
}

/* What was sent before to a server that ended must not be done twice; `safe`: it would not be. */
static int check_lost(const struct request *rq, bool safe, struct err_list *errors)
{
	if (!rq->lost || safe)
		return 0;
	return err_list_add(
		errors, ERR_UNCERTAIN, "",
		"the server ended while the first request with this Idempotency-Key was "
		"going on; look at the session, then go on with another key");
}

static int alive(const struct store_session *row, struct err_list *errors)
{
	if (strcmp(row->state, "failed") != 0)
		return 0;
	return err_list_add(errors, ERR_STATE, "",
			    "the session has failed; restore it or delete it");
}

/* Commands that are passed on as they are. */
static int simple(const struct api *api, struct request *rq, struct response *rs,
		  struct err_list *errors, const char *cmd, const char *const *keys, size_t n)
{
	struct api_session_ask ask = { 0 };
	struct store_session row;
	char note[ID_SIZE];
	json_t *command = NULL, *reply = NULL;
	int rc = api_session_find(api, rq, &row, errors);

	if (rc)
		return rc;
	ask.id = row.id;
	if (!api_session_back(rq, note)) {
		rc = alive(&row, errors);
		if (!rc)
			command = command_of(rq, cmd, keys, n, &rc, errors);
		if (!rc)
			rc = check_lost(rq,
					strcmp(cmd, "step") != 0 ||
						json_object_get(command, "expect_t_ms"),
					errors);
		if (rc) {
			json_decref(command);
			return rc;
		}
	}
	rc = api_session_ask(api, rq, rs, &ask, command, &reply, errors);
	if (rc)
		return rc > 0 ? 0 : rc;
	rc = api_json(rs, 200, outward(reply, row.id), errors);
	json_decref(reply);
	return rc;
}

int api_session_step(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	static const char *const keys[] = { "duration_ms", "expect_t_ms" };

	return simple(api, rq, rs, errors, "step", keys, COUNTOF(keys));
}

int api_session_play(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	static const char *const keys[] = { "speed", "expect_t_ms" };

	return simple(api, rq, rs, errors, "play", keys, COUNTOF(keys));
}

int api_session_pause(const struct api *api, struct request *rq, struct response *rs,
		      struct err_list *errors)
{
	return simple(api, rq, rs, errors, "pause", NULL, 0);
}

/* {"schedule": [...]}, or one entry of it. *ret_one says which. */
static json_t *change_of(const struct request *rq, const char *cmd, bool *ret_one, int *ret_rc,
			 struct err_list *errors)
{
	static const char *const keys[] = { "schedule", "at_ms",      "spikes",
					    "set",	"plasticity", "modulation",
					    "reward",	"normalise",  "expect_t_ms" };
	json_t *body = command_of(rq, cmd, keys, COUNTOF(keys), ret_rc, errors), *ret, *expect;

	*ret_one = !json_object_get(body, "schedule");
	if (*ret_rc || !*ret_one)
		return body;
	expect = json_incref(json_object_get(body, "expect_t_ms"));
	(void)json_object_del(body, "expect_t_ms");
	(void)json_object_del(body, "cmd");
	ret = json_pack("{s:s, s:[o], s:o*}", "cmd", cmd, "schedule", body, "expect_t_ms", expect);
	if (!ret)
		*ret_rc = err_list_add(errors, ERR_NOMEM, "", "out of memory");
	return ret;
}

static int change(const struct api *api, struct request *rq, struct response *rs,
		  struct err_list *errors, const char *cmd)
{
	struct api_session_ask ask = { 0 };
	struct store_session row;
	char note[ID_SIZE];
	json_t *command = NULL, *reply = NULL;
	bool one = false;
	int rc = api_session_find(api, rq, &row, errors);

	if (!rc && !api_session_back(rq, note)) {
		rc = check_lost(rq, false, errors);
		if (!rc)
			rc = alive(&row, errors);
		if (!rc)
			command = change_of(rq, cmd, &one, &rc, errors);
		(void)snprintf(note, sizeof(note), one ? "one" : "list");
	}
	if (rc)
		return rc;
	ask = (struct api_session_ask){
		.id = row.id,
		.from = strcmp(note, "one") == 0 ? "/schedule/0" : "",
		.note = note,
	};
	rc = api_session_ask(api, rq, rs, &ask, command, &reply, errors);
	if (rc)
		return rc > 0 ? 0 : rc;
	rc = api_json(rs, 200, outward(reply, row.id), errors);
	json_decref(reply);
	return rc;
}

int api_session_stimuli(const struct api *api, struct request *rq, struct response *rs,
			struct err_list *errors)
{
	return change(api, rq, rs, errors, "stimuli");
}

int api_session_parameters(const struct api *api, struct request *rq, struct response *rs,
			   struct err_list *errors)
{
	return change(api, rq, rs, errors, "parameters");
}

/* ---- looking ---- */

bool api_session_is(const struct request *rq)
{
	return strncmp(rq->path, "/v1/sessions/", strlen("/v1/sessions/")) == 0;
}

int api_session_look(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	struct session_view view;
	struct api_session_ask ask = { 0 };
	struct store_session row;
	char note[ID_SIZE];
	json_t *reply = NULL;
	bool back = api_session_back(rq, note);
	int rc = api_session_find(api, rq, &row, errors);

	if (rc)
		return rc;
	if (!back && !session_look(api->session, row.id, &view))
		return 0; /* it sleeps: what it left when it was parked */
	ask.id = row.id;
	rc = api_session_ask(api, rq, rs, &ask,
			     back ? NULL : json_pack("{s:s, s:b}", "cmd", "data", "weights", 1),
			     &reply, errors);
	json_decref(reply);
	return rc;
}
