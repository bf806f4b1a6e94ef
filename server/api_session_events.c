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
		      double max_hz, json_t *watch, struct err_list *errors)
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
		if (!json_object_get(section, name))
			(void)err_list_add(errors, ERR_UNKNOWN, path,
					   "the session's spec has no %s \"%.64s\"", kind->key,
					   name);
		(void)json_array_append_new(watch, json_pack("{s:s, s:s*, s:f}", "kind", kind->name,
							     kind->key, name, "max_hz", max_hz));
	}
}

/* ?spikes=population,...&rates=population,...&weights=projection,...&max_hz= */
static int watch_new(const struct api *api, const struct request *rq, const char *id, json_t **ret,
		     struct err_list *errors)
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
		watch_all(rq, spec, &kinds[i], max_hz, *ret, errors);
	json_decref(spec);
	return errors->n ? -errors->first.code : 0;
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
		rc = watch_new(api, rq, row.id, &watch, errors);
	if (!rc && session_source(&source, api->session, row.id, watch,
				  http_header(rq, "Last-Event-ID"), &err))
		rc = api_run_fail(&err, errors);
	json_decref(watch);
	if (rc)
		return rc;
	session_topic(row.id, rs->topic);
	return api_event_one(rs, source, errors);
}
