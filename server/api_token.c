/* api_token.c - access tokens over HTTP, and who asks. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api_run.h"
#include "server/auth.h"
#include "server/clock.h"
#include "server/store_db.h"
#include "server/store_space.h"

enum { DAYS_MAX = 36500, QUOTA_N = 3, QUOTA_MAX = 1000000000 };

static const char *const quota_names[QUOTA_N] = { "runs", "sessions", "storage_mb" };

static json_t *number_or_null(int64_t n)
{
	return n ? json_integer(n) : json_null();
}

static json_t *scope_list(unsigned bits)
{
	json_t *list = json_array();

	for (size_t i = 0; auth_scope(i); i++)
		if (bits & auth_scope_bit(auth_scope(i)))
			(void)json_array_append_new(list, json_string(auth_scope(i)));
	return list;
}

static json_t *one(const struct store_token *t)
{
	char ordered[AUTH_SCOPES_MAX];
	unsigned bits = 0;

	if (auth_scopes(t->scopes, ordered, &bits, NULL))
		bits = 0;
	return json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:b}", "id", t->id, "name",
		t->name, "scopes", scope_list(bits), "created_at", api_time_or_null(t->created_ms),
		"expires_at", api_time_or_null(t->expires_ms), "revoked_at",
		api_time_or_null(t->revoked_ms), "quotas", "runs", number_or_null(t->quota_runs),
		"sessions", number_or_null(t->quota_sessions), "storage_mb",
		number_or_null(t->quota_mb), "active",
		!t->revoked_ms && (!t->expires_ms || t->expires_ms > clock_wall_ms()));
}

static json_t *quota(int64_t used, int64_t max)
{
	return json_pack("{s:I, s:o}", "used", (json_int_t)used, "limit", number_or_null(max));
}

int api_me(const struct api *api, struct request *rq, struct response *rs, struct err_list *errors)
{
	const struct http_who *who = &rq->who;
	int64_t runs = 0, sessions = 0, bytes = 0;
	struct err err = { 0 };

	if (who->name && (store_space_runs(api->store, who->name, &runs, &err) ||
			  store_space_sessions(api->store, who->name, &sessions, &err) ||
			  store_space_bytes(api->store, who->name, &bytes, &err)))
		return api_run_fail(&err, errors);
	return api_json(rs, 200,
			json_pack("{s:s?, s:s?, s:o, s:o, s:b, s:b, s:{s:o, s:o, s:o}}", "name",
				  who->name, "token_id", who->token_id, "scopes",
				  scope_list(who->scopes), "expires_at",
				  api_time_or_null(who->expires_ms), "sees_all", who->sees_all,
				  "tokens_required", who->token_id != NULL, "quotas", "runs_queued",
				  quota(runs, who->quota_runs), "sessions",
				  quota(sessions, who->quota_sessions), "storage_bytes",
				  quota(bytes, who->quota_mb << 20)),
			errors);
}

/* ---- bodies ---- */

struct given {
	const char *name;	      /* NULL: not given */
	char scopes[AUTH_SCOPES_MAX]; /* "": not given */
	int64_t days;		      /* 0: for ever; -1: not given */
	json_t *quotas;		      /* checked; NULL: not given */
};

static void read_scopes(json_t *list, struct mem_arena *arena, struct given *ret,
			struct err_list *errors)
{
	char *text = mem_arena_strdup(arena, "");
	struct err err = { 0 };
	unsigned bits;
	json_t *scope;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > AUTH_SCOPE_N) {
		(void)err_list_add(errors, ERR_TYPE, "/scopes",
				   "expected a list of read, run, session, admin");
		return;
	}
	json_array_foreach(list, i, scope)
	{
		const char *name = json_string_value(scope);

		text = text ? mem_arena_printf(arena, "%s%s%s", text, i ? "," : "",
					       name ? name : "?")
			    : NULL;
	}
	if (!text)
		(void)err_list_add(errors, ERR_NOMEM, "", "out of memory");
	else if (auth_scopes(text, ret->scopes, &bits, &err))
		(void)err_list_add(errors, (enum err_code)err.code, "/scopes", "%s", err.text);
}

static void check_quotas(json_t *quotas, struct err_list *errors)
{
	const char *key;
	json_t *value;

	if (!json_is_object(quotas))
		(void)err_list_add(errors, ERR_TYPE, "/quotas", "expected an object");
	json_object_foreach(quotas, key, value)
	{
		size_t i = 0;
		char at[64];

		while (i < QUOTA_N && strcmp(key, quota_names[i]) != 0)
			i++;
		(void)snprintf(at, sizeof(at), "/quotas/%.40s", key);
		if (i == QUOTA_N)
			(void)err_list_add(errors, ERR_UNKNOWN, at,
					   "expected runs, sessions or storage_mb");
		else if (!json_is_null(value) &&
			 (!json_is_integer(value) || json_integer_value(value) < 1 ||
			  json_integer_value(value) > QUOTA_MAX))
			(void)err_list_add(errors, ERR_RANGE, at,
					   "expected a whole number from 1 to %d, or null",
					   QUOTA_MAX);
	}
}

/* What is given is changed. */
static void set_quotas(struct store_token *t, json_t *quotas)
{
	int64_t *const to[QUOTA_N] = { &t->quota_runs, &t->quota_sessions, &t->quota_mb };

	for (size_t i = 0; i < QUOTA_N; i++)
		if (json_object_get(quotas, quota_names[i]))
			*to[i] = json_integer_value(json_object_get(quotas, quota_names[i]));
}

static int read_given(json_t *body, struct mem_arena *arena, struct given *ret,
		      struct err_list *errors)
{
	static const char *const known[] = { "name", "scopes", "days", "quotas" };
	json_t *name = json_object_get(body, "name"), *scopes = json_object_get(body, "scopes"),
	       *days = json_object_get(body, "days");
	size_t before = err_list_count(errors);
	int rc = api_run_keys(body, known, COUNTOF(known), errors);

	*ret = (struct given){ .days = -1 };
	if (rc)
		return rc;
	if (name && (!json_is_string(name) || json_string_length(name) == 0 ||
		     json_string_length(name) > AUTH_NAME_MAX ||
		     strcspn(json_string_value(name), "\n\r\t") != json_string_length(name)))
		(void)err_list_add(errors, ERR_RANGE, "/name",
				   "expected a string of 1 to %d bytes in one line", AUTH_NAME_MAX);
	else
		ret->name = json_string_value(name);
	if (scopes)
		read_scopes(scopes, arena, ret, errors);
	if (json_is_null(days))
		ret->days = 0;
	else if (days && (!json_is_integer(days) || json_integer_value(days) < 1 ||
			  json_integer_value(days) > DAYS_MAX))
		(void)err_list_add(errors, ERR_RANGE, "/days",
				   "expected a whole number from 1 to %d, or null", DAYS_MAX);
	else if (days)
		ret->days = json_integer_value(days);
	ret->quotas = json_object_get(body, "quotas");
	if (ret->quotas)
		check_quotas(ret->quotas, errors);
	return err_list_count(errors) > before ? -ERR_INVALID : 0;
}

/* ---- handlers ---- */

static int find(const struct api *api, const struct request *rq, struct store_token *ret,
		struct err_list *errors)
{
	struct err err = { 0 };

	if (!id_valid(rq->arg[0]))
		return err_list_add(errors, ERR_NOTFOUND, "", "there is no token of this id");
	if (store_token_get(api->store, rq->arg[0], rq->arena, ret, &err))
		return api_run_fail(&err, errors);
	return 0;
}

/* Of a new one; `token` NULL: its text is not known any more. */
static int answer(const struct request *rq, struct response *rs, const struct store_token *t,
		  const char *token, struct err_list *errors)
{
	char *location = mem_arena_printf(rq->arena, "/v1/tokens/%s", t->id);
	json_t *body = one(t);

	if (location)
		http_add_header(rs, "Location", location);
	(void)json_object_set_new(body, "token", token ? json_string(token) : json_null());
	rs->secret = true;
	return api_json(rs, 201, body, errors);
}

/* The text of a token is kept nowhere, so that a repeat cannot tell it. */
static int post_again(const struct api *api, struct request *rq, struct response *rs,
		      struct err_list *errors)
{
	struct err err = { 0 };
	struct store_token t;

	if (store_token_get(api->store, rq->memo, rq->arena, &t, &err))
		return api_run_fail(&err, errors);
	return answer(rq, rs, &t, NULL, errors);
}

int api_token_post(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	char token[AUTH_TOKEN_SIZE], id[ID_SIZE];
	struct err err = { 0 };
	struct store_token t;
	struct given given = { .days = -1 };
	json_t *body = NULL;
	int rc;

	if (rq->memo[0])
		return post_again(api, rq, rs, errors);
	rc = api_body(rq, &body, errors);
	if (!rc)
		rc = read_given(body, rq->arena, &given, errors);
	if (!rc && !given.name)
		rc = err_list_add(errors, ERR_MISSING, "/name", "expected a name");
	if (!rc && !*given.scopes)
		rc = err_list_add(errors, ERR_MISSING, "/scopes", "expected a list of scopes");
	t = (struct store_token){ .name = given.name, .scopes = given.scopes, .once = rq->once };
	set_quotas(&t, given.quotas);
	if (!rc && (auth_new(api->store, &t, given.days > 0 ? given.days : 0, token, id, &err) ||
		    store_token_get(api->store, id, rq->arena, &t, &err)))
		rc = api_run_fail(&err, errors);
	json_decref(body);
	return rc ? rc : answer(rq, rs, &t, token, errors);
}

int api_token_list(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	struct err err = { 0 };
	struct store_token *rows;
	int64_t size = 0, seq = 0;
	json_t *items;
	size_t n = 0;
	int rc = api_query_page(rq, 't', &size, &seq, errors);

	if (rc)
		return rc;
	rows = NEW(rq->arena, struct store_token, (size_t)size + 1);
	if (!rows)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	if (store_token_list(api->store, seq, (size_t)size + 1, rq->arena, rows, &n, &err))
		return api_run_fail(&err, errors);
	items = json_array();
	for (size_t i = 0; i < n && i < (size_t)size; i++)
		(void)json_array_append_new(items, one(&rows[i]));
	return api_page(rq, rs, items, 't', n > (size_t)size ? rows[size - 1].seq : 0, errors);
}

int api_token_get(const struct api *api, struct request *rq, struct response *rs,
		  struct err_list *errors)
{
	struct store_token t = { 0 };
	int rc = find(api, rq, &t, errors);

	return rc ? rc : api_json(rs, 200, one(&t), errors);
}

/* A write is begun, and ends here. */
static int change(const struct api *api, struct request *rq, const struct given *given,
		  struct store_token *t, struct err_list *errors)
{
	struct err err = { 0 };
	int rc = find(api, rq, t, errors);

	if (!rc)
		rc = api_match(rq, one(t), errors);
	if (rc) {
		store_rollback(api->store);
		return rc;
	}
	t->name = given->name ? given->name : t->name;
	t->scopes = *given->scopes ? given->scopes : t->scopes;
	t->expires_ms = given->days >= 0 ? auth_expiry(given->days) : t->expires_ms;
	set_quotas(t, given->quotas);
	rc = store_conclude(api->store, store_token_change(api->store, t, &err), &err);
	return rc ? api_run_fail(&err, errors) : 0;
}

int api_token_patch(const struct api *api, struct request *rq, struct response *rs,
		    struct err_list *errors)
{
	struct err err = { 0 };
	struct store_token t = { 0 };
	struct given given = { .days = -1 };
	json_t *body = NULL;
	int rc = api_body(rq, &body, errors);

	if (!rc)
		rc = read_given(body, rq->arena, &given, errors);
	if (!rc && store_begin(api->store, &err))
		rc = api_run_fail(&err, errors);
	else if (!rc)
		rc = change(api, rq, &given, &t, errors);
	if (!rc)
		rc = api_json(rs, 200, one(&t), errors);
	json_decref(body);
	return rc;
}

int api_token_delete(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	struct store_token t = { 0 };
	struct err err = { 0 };
	int rc = find(api, rq, &t, errors);

	if (!rc)
		rc = api_match(rq, one(&t), errors);
	if (!rc && store_token_revoke(api->store, t.id, &err))
		rc = api_run_fail(&err, errors);
	rs->status = 204;
	return rc;
}
