/* api_session_events.c - the stream of a session: what is watched beside its state. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "server/api_run.h"
#include "server/api_session.h"

/* What can be asked for, and where the spec names it. */
struct kind {
	const char *name, *key, *section;
};

static const struct kind kinds[] = {
	{ "spikes", "population", "populations" },
	{ "rates", "population", "populations" },
	{ "weights", "projection", "projections" },
};

/* The name at *at, up to a comma, in the arena; a backslash takes what is behind it as it is. NULL: no
 * memory. */
static const char *next_name(const struct request *rq, const char **at)
{
	char *name = mem_arena_strdup(rq->arena, *at), *to = name;

	for (; name && **at && **at != ','; (*at)++) {
		if (**at == '\\' && (*at)[1])
			(*at)++;
		*to++ = **at;
	}
	if (!name)
		return NULL;
	*to = '\0';
	*at += **at == ',';
	return name;
}

/* Of one kind, each of the subjects that stand between commas. */
static void watch_all(const struct request *rq, const json_t *spec, const struct kind *kind,
		      double max_hz, bool any, json_t *watch, struct err_list *errors)
{
	const char *names = http_query(rq, kind->name);
	const json_t *section = json_object_get(spec, kind->section);
	char path[16];

	(void)snprintf(path, sizeof(path), "?%s", kind->name);
	while (names && *names) {
		const char *name = next_name(rq, &names);

		if (!name) {
			(void)err_list_add(errors, ERR_NOMEM, "", "out of memory");
			return;
		}
		if (any && !json_object_get(section, name))
			continue;
		if (!json_object_get(section, name))
			(void)err_list_add(errors, ERR_UNKNOWN, path,
					   "the session's spec has no %s \"%.64s\"", kind->key,
					   name);
		if (json_array_append_new(watch, json_pack("{s:s, s:s*, s:f}", "kind", kind->name,
							   kind->key, name, "max_hz", max_hz)))
			(void)err_list_add(errors, ERR_NOMEM, "", "out of memory");
	}
}

int api_session_watch(const struct api *api, const struct request *rq, const char *id, bool any,
		      json_t **ret, struct err_list *errors)
{
	struct err err = { 0 };
	double max_hz = 10.0;
	const char *text;
	json_t *spec;
	int rc = api_query_double(rq, "max_hz", 10.0, 0.1, 60.0, &max_hz, errors);

	if (rc)
		return rc;
	if (store_session_spec(api->store, id, rq->arena, &text, &err))
		return api_run_fail(&err, errors);
	spec = json_loads(text, 0, NULL);
	*ret = json_array();
	for (size_t i = 0; i < COUNTOF(kinds); i++)
		watch_all(rq, spec, &kinds[i], max_hz, any, *ret, errors);
	json_decref(spec);
	return errors->n ? -errors->first.code : 0;
}

static bool is_watched(const json_t *watched, const struct kind *kind, const char *name)
{
	const json_t *w;
	size_t i;

	json_array_foreach(watched, i, w)
	{
		const char *subject = json_string_value(json_object_get(w, kind->key));

		if (strcmp(json_string_value(json_object_get(w, "kind")), kind->name) == 0 &&
		    subject && strcmp(subject, name) == 0)
			return true;
	}
	return false;
}

int api_session_watched(const struct request *rq, const json_t *watched, struct err_list *errors)
{
	size_t before = errors->n;

	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		const char *names = http_query(rq, kinds[i].name);
		char path[16];

		(void)snprintf(path, sizeof(path), "?%s", kinds[i].name);
		while (names && *names) {
			const char *name = next_name(rq, &names);

			if (!name)
				return err_list_add(errors, ERR_NOMEM, "", "out of memory");
			if (!is_watched(watched, &kinds[i], name))
				(void)err_list_add(errors, ERR_UNKNOWN, path,
						   "no session among the topics has a %s \"%.64s\"",
						   kinds[i].key, name);
		}
	}
	return errors->n > before ? -ERR_UNKNOWN : 0;
}

int api_session_events(const struct api *api, struct request *rq, struct response *rs,
		       struct err_list *errors)
{
	struct event_source source = { 0 };
	struct store_session row;
	struct err err = { 0 };
	json_t *watch = NULL;
	int rc = api_session_find(api, rq, &row, errors);

	if (!rc)
		rc = api_session_watch(api, rq, row.id, false, &watch, errors);
	if (!rc && session_source(&source, api->session, row.id, watch,
				  http_header(rq, "Last-Event-ID"), &err))
		rc = api_run_fail(&err, errors);
	json_decref(watch);
	if (rc)
		return rc;
	session_topic(row.id, rs->topic);
	return api_event_one(rs, source, errors);
}
