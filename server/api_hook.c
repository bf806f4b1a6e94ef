/* api_hook.c - webhooks: who is told, and what became of it. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "server/api_run.h"
#include "server/auth.h"
#include "server/clock.h"
#include "server/config.h"
#include "server/event.h"
#include "server/hook.h"
#include "server/id.h"
#include "server/post.h"
#include "server/store_db.h"
#include "server/store_hook.h"

enum { NAME_MAX_BYTES = 200, EVENTS_MAX = 16, SECRET_SIZE = 6 + 2 * ID_LEN + 1 };

static const char *const known_events[] = { "*",	  "run.*",	    "run.succeeded",
					    "run.failed", "run.timed_out",  "run.cancelled",
					    "session.*",  "session.failed", "session.deleted",
					    "sweep.*",	  "sweep.finished", "sweep.cancelled" };

/* ---- as JSON ---- */

static json_t *hook_json(const struct store_hook *h)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s?, s:b, s:o, s:{s:o, s:o}}", "id", h->id, "name",
			      h->name, "url", h->url, "owner", h->owner, "active", h->active,
			      "created_at", api_time_or_null(h->created_ms), "links", "self",
			      json_sprintf("/v1/webhooks/%s", h->id), "deliveries",
			      json_sprintf("/v1/webhooks/%s/deliveries", h->id));

	(void)json_object_set_new(o, "events", json_loads(h->events, 0, NULL));
	return o;
}

static json_t *delivery_json(const struct store_delivery *d)
{
	json_t *o = json_pack(
		"{s:s, s:s, s:s, s:I, s:o, s:o, s:s?, s:o, s:o, s:o}", "id", d->id, "event",
		d->event, "state", d->state, "attempts", (json_int_t)d->attempts, "status_code",
		d->status ? json_integer(d->status) : json_null(), "duration_ms",
		d->attempts ? json_real(d->duration_ms) : json_null(), "error", d->error,
		"created_at", api_time_or_null(d->created_ms), "next_attempt_at",
		api_time_or_null(d->next_ms), "finished_at", api_time_or_null(d->ended_ms));

	(void)json_object_set_new(o, "body", json_loads(d->body, 0, NULL));
	return o;
}

/* ---- bodies ---- */

static bool event_known(const char *name)
{
	for (size_t i = 0; name && i < COUNTOF(known_events); i++)
		if (strcmp(name, known_events[i]) == 0)
			return true;
	return false;
}

static void read_events(json_t *list, struct mem_arena *arena, struct store_hook *h,
			struct err_list *errors)
{
	json_t *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) == 0 ||
	    json_array_size(list) > EVENTS_MAX) {
		(void)err_list_add(errors, ERR_TYPE, "/events", "expected a list of 1 to %d events",
				   EVENTS_MAX);
		return;
	}
	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(item);
		char at[32];

		(void)snprintf(at, sizeof(at), "/events/%zu", i);
		if (!event_known(name))
			(void)err_list_add(
				errors, ERR_UNKNOWN, at,
				"expected run.*, session.*, sweep.*, run.succeeded, run.failed, "
				"run.timed_out, run.cancelled, session.failed, session.deleted, "
				"sweep.finished, sweep.cancelled, or *, found \"%.40s\"",
				name ? name : "no text");
	}
	h->events = api_text(list, arena);
	if (!h->events)
		(void)err_list_add(errors, ERR_NOMEM, "", "out of memory");
}

static void read_url(const struct api *api, json_t *url, struct store_hook *h,
		     struct err_list *errors)
{
	struct err err = { 0 };

	h->url = json_string_value(url);
	if (!h->url)
		(void)err_list_add(errors, ERR_TYPE, "/url", "expected an http or https URL");
	else if (post_url_check(h->url, api->config->webhook_private, &err))
		(void)err_list_add(errors, err.code == ERR_NOMEM ? ERR_NOMEM : ERR_RANGE, "/url",
				   "%s", err.text);
}

static void read_name(json_t *name, struct store_hook *h, struct err_list *errors)
{
	h->name = json_string_value(name);
	if (!h->name || json_string_length(name) > NAME_MAX_BYTES)
		(void)err_list_add(errors, ERR_RANGE, "/name",
				   "expected a string of at most %d bytes", NAME_MAX_BYTES);
}

/* What is given replaces what h has; strings live in the body or the arena. */
static int read_hook(const struct api *api, const struct request *rq, json_t *body,
		     struct store_hook *h, struct err_list *errors)
{
	static const char *const known[] = { "name", "url", "events", "active" };
	json_t *name = json_object_get(body, "name"), *url = json_object_get(body, "url"),
	       *events = json_object_get(body, "events"), *active = json_object_get(body, "active");
	size_t before = err_list_count(errors);
	int rc = api_run_keys(body, known, COUNTOF(known), errors);

	if (rc)
		return rc;
	if (name)
		read_name(name, h, errors);
	if (url)
		read_url(api, url, h, errors);
	if (events)
		read_events(events, rq->arena, h, errors);
	if (active && !json_is_boolean(active))
		(void)err_list_add(errors, ERR_TYPE, "/active", "expected true or false");
	else if (active)
		h->active = json_is_true(active);
	return err_list_count(errors) > before ? -ERR_INVALID : 0;
}

/* ---- handlers ---- */

/* Others' webhooks are not there. */
static int find(const struct api *api, const struct request *rq, struct store_hook *ret,
		struct err_list *errors)
{
	struct err err = { 0 };
	int rc = id_valid(rq->arg[0]) ? store_hook_get(api->store, rq->arg[0], rq->arena, ret, &err)
				      : -ERR_NOTFOUND;

	if (rc == -ERR_NOTFOUND || (!rc && !auth_sees(&rq->who, ret->owner)))
		return err_list_add(errors, ERR_NOTFOUND, "", "there is no webhook of this id");
	return rc ? api_run_fail(&err, errors) : 0;
}

static void make_secret(char secret[SECRET_SIZE])
{
	char half[2][ID_SIZE];

	id_new(half[0]);
	id_new(half[1]);
	(void)snprintf(secret, SECRET_SIZE, "whsec_%s%s", half[0], half[1]);
}

/* A new one, with its secret. */
static int answer(const struct request *rq, struct response *rs, const struct store_hook *h,
		  struct err_list *errors)
{
	char *location = mem_arena_printf(rq->arena, "/v1/webhooks/%s", h->id);
	json_t *body = hook_json(h);

	if (location)
		http_add_header(rs, "Location", location);
	(void)json_object_set_new(body, "secret", json_string(h->secret));
	rs->secret = true;
	return api_json(rs, 201, body, errors);
}

int api_hook_post(const struct api *api, struct request *rq, struct response *rs,
		  struct err_list *errors)
{
	char id[ID_SIZE], secret[SECRET_SIZE];
	struct store_hook h = { .id = id,
				.owner = rq->who.name,
				.name = "",
				.events = "[\"*\"]",
				.secret = secret,
				.active = true,
				.created_ms = clock_wall_ms() };
	struct err err = { 0 };
	json_t *body = NULL;
	int rc;

	if (rq->memo[0]) { /* made before, by a request with the same Idempotency-Key */
		if (store_hook_get(api->store, rq->memo, rq->arena, &h, &err))
			return api_run_fail(&err, errors);
		return answer(rq, rs, &h, errors);
	}
	rc = api_body(rq, &body, errors);
	if (!rc)
		rc = read_hook(api, rq, body, &h, errors);
	if (!rc && !h.url)
		rc = err_list_add(errors, ERR_MISSING, "/url", "expected an http or https URL");
	id_new(id);
	make_secret(secret);
	if (!rc && store_hook_add(api->store, &h, rq->once, api->config->webhooks_max, &err))
		rc = api_run_fail(&err, errors);
	if (!rc)
		rc = answer(rq, rs, &h, errors);
	json_decref(body);
	return rc;
}

int api_hook_list(const struct api *api, struct request *rq, struct response *rs,
		  struct err_list *errors)
{
	struct err err = { 0 };
	struct store_hook *rows;
	int64_t size = 0, seq = 0;
	json_t *items;
	size_t n = 0;
	int rc = api_query_page(rq, 'h', &size, &seq, errors);

	if (rc)
		return rc;
	rows = NEW(rq->arena, struct store_hook, (size_t)size + 1);
	if (!rows)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	if (store_hook_list(api->store, seq, api_run_owner(rq), (size_t)size + 1, rq->arena, rows,
			    &n, &err))
		return api_run_fail(&err, errors);
	items = json_array();
	for (size_t i = 0; i < n && i < (size_t)size; i++)
		(void)json_array_append_new(items, hook_json(&rows[i]));
	return api_page(rq, rs, items, 'h', n > (size_t)size ? rows[size - 1].seq : 0, errors);
}

int api_hook_get(const struct api *api, struct request *rq, struct response *rs,
		 struct err_list *errors)
{
	struct store_hook h = { 0 };
	int rc = find(api, rq, &h, errors);

	return rc ? rc : api_json(rs, 200, hook_json(&h), errors);
}

/* A write is begun, and ends here. */
static int change(const struct api *api, const struct request *rq, json_t *body,
		  struct store_hook *h, struct err_list *errors)
{
	struct err err = { 0 };
	int rc = find(api, rq, h, errors);

	if (!rc)
		rc = api_match(rq, hook_json(h), errors);
	if (!rc)
		rc = read_hook(api, rq, body, h, errors);
	if (rc) {
		store_rollback(api->store);
		return rc;
	}
	rc = store_conclude(api->store, store_hook_change(api->store, h, &err), &err);
	return rc ? api_run_fail(&err, errors) : 0;
}

int api_hook_patch(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	struct store_hook h = { 0 };
	struct err err = { 0 };
	json_t *body = NULL;
	int rc = api_body(rq, &body, errors);

	if (!rc && store_begin(api->store, &err))
		rc = api_run_fail(&err, errors);
	else if (!rc)
		rc = change(api, rq, body, &h, errors);
	if (!rc)
		rc = api_json(rs, 200, hook_json(&h), errors);
	json_decref(body);
	return rc;
}

int api_hook_delete(const struct api *api, struct request *rq, struct response *rs,
		    struct err_list *errors)
{
	struct store_hook h = { 0 };
	struct err err = { 0 };
	int rc = find(api, rq, &h, errors);

	if (!rc)
		rc = api_match(rq, hook_json(&h), errors);
	if (!rc && store_hook_drop(api->store, h.id, &err))
		rc = api_run_fail(&err, errors);
	rs->status = 204;
	return rc;
}

int api_hook_deliveries(const struct api *api, struct request *rq, struct response *rs,
			struct err_list *errors)
{
	const char *state = http_query(rq, "state");
	struct store_delivery *rows;
	struct store_hook h = { 0 };
	int64_t size = 0, seq = 0;
	struct err err = { 0 };
	json_t *items;
	size_t n = 0;
	int rc = find(api, rq, &h, errors);

	if (!rc)
		rc = api_query_page(rq, 'e', &size, &seq, errors);
	if (!rc && state && strcmp(state, "pending") != 0 && strcmp(state, "delivered") != 0 &&
	    strcmp(state, "failed") != 0)
		rc = err_list_add(errors, ERR_UNKNOWN, "?state",
				  "expected pending, delivered or failed, found \"%.32s\"", state);
	if (rc)
		return rc;
	rows = NEW(rq->arena, struct store_delivery, (size_t)size + 1);
	if (!rows)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	if (store_hook_deliveries(api->store, h.id, seq, state, (size_t)size + 1, rq->arena, rows,
				  &n, &err))
		return api_run_fail(&err, errors);
	items = json_array();
	for (size_t i = 0; i < n && i < (size_t)size; i++)
		(void)json_array_append_new(items, delivery_json(&rows[i]));
	return api_page(rq, rs, items, 'e', n > (size_t)size ? rows[size - 1].seq : 0, errors);
}

int api_hook_test(const struct api *api, struct request *rq, struct response *rs,
		  struct err_list *errors)
{
	struct store_delivery d = { 0 };
	struct store_hook h = { 0 };
	struct err err = { 0 };
	char fresh[ID_SIZE];
	const char *id = rq->memo; /* of a repeat with the same Idempotency-Key */
	int rc = find(api, rq, &h, errors);

	if (rc)
		return rc;
	if (!*id) {
		id_new(fresh);
		id = fresh;
		if (store_hook_test(api->store, h.id, id, rq->trace, rq->once, &err))
			return api_run_fail(&err, errors);
	}
	if (store_hook_delivery(api->store, id, rq->arena, &d, &err))
		return api_run_fail(&err, errors);
	event_wake_topic(api->event, EVENT_TOPIC_HOOK);
	return api_json(rs, 202, delivery_json(&d), errors);
}
