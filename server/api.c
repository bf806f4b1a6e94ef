/* api.c - what handlers share: bodies, queries, formats, and the checking of specs. */
/* SPDX-License-Identifier: MIT */
#include "server/api.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/model/experiment.h"
#include "core/spec_json.h"
#include "server/clock.h"
#include "server/cond.h"
#include "server/config.h"
#include "server/dataset.h"
#include "server/dump.h"
#include "server/kept.h"
#include "server/space.h"
#include "server/store_dataset.h"
#include "server/store_space.h"

enum { KEPT_MAX = 1 << 24 };

/* ---- answers ---- */

int api_json(struct response *rs, int status, json_t *body_take, struct err_list *errors)
{
	int rc = body_take ? dump_json(&rs->body, body_take) : -ERR_NOMEM;

	json_decref(body_take);
	if (rc)
		return err_list_add(
			errors, rs->body.failed == ERR_LIMIT ? ERR_LIMIT : ERR_NOMEM, "", "%s",
			rs->body.failed == ERR_LIMIT ? "the answer is too large" : "out of memory");
	rs->status = status;
	return 0;
}

int api_keep(struct kept **ret, json_t *body_take, struct err *err)
{
	struct buf text;

	buf_init(&text, KEPT_MAX);
	if (body_take)
		(void)dump_json(&text, body_take);
	else
		text.failed = ERR_NOMEM;
	json_decref(body_take);
	return kept_new(ret, &text, err);
}

int api_kept(const struct kept *k, const struct request *rq, struct response *rs,
	     struct err_list *errors)
{
	return kept_answer(k, rq, rs) ? err_list_add(errors, ERR_NOMEM, "", "out of memory") : 0;
}

int api_match(const struct request *rq, json_t *body_take, struct err_list *errors)
{
	const char *text = body_take ? api_text(body_take, rq->arena) : NULL;
	char etag[COND_ETAG_SIZE];

	json_decref(body_take);
	if (!text || !cond_etag(text, strlen(text), etag))
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	return cond_match(rq, etag, errors);
}

json_t *api_text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

json_t *api_time_or_null(int64_t ms)
{
	char text[CLOCK_TEXT_MAX];

	return ms ? json_string(clock_text(ms, text)) : json_null();
}

/* ---- bodies ---- */

static bool media_is(const char *have, const char *want)
{
	size_t n = strlen(want);

	return have && strncasecmp(have, want, n) == 0 &&
	       (have[n] == '\0' || have[n] == ';' || have[n] == ' ');
}

int api_body(const struct request *rq, json_t **ret, struct err_list *errors)
{
	const char *type = http_header(rq, "Content-Type");
	struct err err = { 0 };
	int rc;

	if (!media_is(type, "application/json") && !media_is(type, "application/merge-patch+json"))
		return err_list_add(errors, ERR_MEDIA, "",
				    "expected Content-Type: application/json, found %s",
				    type ? type : "none");
	rc = spec_json_load(ret, rq->body ? rq->body : "", rq->body_len, &err);
	if (rc) {
		(void)err_list_add(errors, (enum err_code)err.code, err.path, "%s", err.text);
		errors->first.line = err.line;
		errors->first.column = err.column;
		if (errors->n)
			errors->items[errors->n - 1] = errors->first;
	}
	return rc;
}

int api_room(const struct api *api, const struct request *rq, int64_t bytes,
	     struct err_list *errors)
{
	const struct config *c = api->config;
	struct err err = { 0 };
	int64_t used = 0;
	int rc = space_check(api->store, c->storage_max_mb << 20, c->storage_free_mb << 20, &err);

	if (!rc && rq->who.name && rq->who.quota_mb)
		rc = store_space_bytes(api->store, rq->who.name, &used, &err);
	if (!rc && rq->who.name)
		rc = store_space_allow("bytes of storage", used + bytes, rq->who.quota_mb << 20,
				       &err);
	return rc ? err_list_add(errors, (enum err_code)err.code, "", "%s", err.text) : 0;
}

/* ---- queries ---- */

int api_query_double(const struct request *rq, const char *name, double def, double min, double max,
		     double *ret, struct err_list *errors)
{
	const char *text = http_query(rq, name);
	char pointer[64], *end;
	double x;

	*ret = def;
	if (!text)
		return 0;
	(void)snprintf(pointer, sizeof(pointer), "?%s", name);
	x = strtod(text, &end);
	if (end == text || *end || !isfinite(x))
		return err_list_add(errors, ERR_TYPE, pointer, "expected a number, found \"%s\"",
				    text);
	if (x < min || x > max)
		return err_list_add(errors, ERR_RANGE, pointer,
				    "expected a number from %.12g to %.12g, found %.12g", min, max,
				    x);
	*ret = x;
	return 0;
}

int api_query_int(const struct request *rq, const char *name, int64_t def, int64_t min, int64_t max,
		  int64_t *ret, struct err_list *errors)
{
	const char *text = http_query(rq, name);
	char pointer[64], *end;
	long long x;

	*ret = def;
	if (!text)
		return 0;
	(void)snprintf(pointer, sizeof(pointer), "?%s", name);
	errno = 0;
	x = strtoll(text, &end, 10);
	if (end == text || *end)
		return err_list_add(errors, ERR_TYPE, pointer,
				    "expected a whole number, found \"%s\"", text);
	if (errno || x < min || x > max)
		return err_list_add(errors, ERR_RANGE, pointer,
				    "expected a whole number from %lld to %lld, found %s",
				    (long long)min, (long long)max, text);
	*ret = x;
	return 0;
}

/* ---- formats ---- */

static const struct {
	const char *name, *media;
} formats[API_FORMAT_N] = {
	[API_JSON] = { "json", "application/json" },
	[API_NDJSON] = { "ndjson", "application/x-ndjson" },
	[API_CSV] = { "csv", "text/csv" },
	[API_NPZ] = { "npz", "application/zip" },
};

const char *api_media(enum api_format format)
{
	return format == API_CSV ? "text/csv; charset=utf-8" : formats[format].media;
}

/* How much an Accept header wants a media type: its quality, -1 if it does not speak of it. The
 * most exact range wins. */
static double quality(const char *accept, const char *media)
{
	size_t type = strcspn(media, "/") + 1;
	double best = -1.0;
	int best_rank = -1;

	while (*accept) {
		size_t item, n;
		const char *q;
		int rank = -1;

		accept += strspn(accept, " \t");
		n = strcspn(accept, ",; \t");
		if (n == strlen(media) && strncasecmp(accept, media, n) == 0)
			rank = 2;
		else if (n == type + 1 && strncasecmp(accept, media, type) == 0 &&
			 accept[type] == '*')
			rank = 1;
		else if (n == 3 && strncmp(accept, "*/*", 3) == 0)
			rank = 0;
		item = strcspn(accept, ",");
		q = strstr(accept, "q=");
		if (rank > best_rank) {
			best_rank = rank;
			best = q && q < accept + item ? strtod(q + 2, NULL) : 1.0;
		}
		accept += item + (accept[item] == ',');
	}
	return best;
}

int api_format(const struct request *rq, unsigned allowed, enum api_format *ret,
	       struct err_list *errors)
{
	const char *named = http_query(rq, "format"), *accept = http_header(rq, "Accept");
	double best = 0.0;
	bool found = false;

	for (int f = 0; f < API_FORMAT_N; f++) {
		double q;

		if (!(allowed & 1U << f))
			continue;
		if (named && strcmp(named, formats[f].name) == 0) {
			*ret = (enum api_format)f;
			return 0;
		}
		q = named ? 0.0 : !accept || !*accept ? 1.0 : quality(accept, formats[f].media);
		if (q > best) {
			best = q;
			*ret = (enum api_format)f;
			found = true;
		}
	}
	if (found)
		return 0;
	return err_list_add(errors, ERR_ACCEPT, named ? "?format" : "",
			    "%s \"%s\" is not among the formats of this resource",
			    named ? "format" : "Accept",
			    named    ? named
			    : accept ? accept
				     : "");
}

/* ---- specs ---- */

static const double MB = 1048576.0;

static struct spec_limits_json spec_limits(const struct config *c)
{
	return (struct spec_limits_json){
		.max_neurons = c->max_neurons,
		.max_synapses = c->max_synapses,
		.max_bytes = (double)c->run_memory_mb * MB,
		.max_steps = c->max_steps,
		.max_result_bytes = (double)c->max_result_mb * MB,
		.max_wall_s = c->wall_max_s,
	};
}

/* Data sets that params name anywhere must be there. */
static void check_datasets(const struct api *api, const json_t *params, const char *at,
			   struct mem_arena *arena, struct err_list *errors)
{
	json_t *ids = params ? spec_json_datasets(params) : json_array(), *id;
	struct store_dataset d;
	size_t i;

	if (!ids)
		(void)err_list_add(errors, ERR_NOMEM, "", "out of memory");
	json_array_foreach(ids, i, id)
	{
		struct err err = { 0 };

		if (store_dataset_get(api->store, json_string_value(id), arena, &d, &err))
			(void)err_list_add(errors, (enum err_code)err.code, at,
					   "data set \"%.60s\": %s", json_string_value(id),
					   err.text);
	}
	json_decref(ids);
}

static int check_experiment(const struct api *api, json_t *spec, const char *prefix,
			    struct mem_arena *arena, struct api_spec *ret, struct err_list *errors)
{
	const struct spec_limits_json limits = spec_limits(api->config);
	static const char *const known[] = { "experiment", "params", "seed", "name" };
	json_t *name = json_object_get(spec, "experiment"),
	       *params = json_object_get(spec, "params"), *value, *full;
	const struct experiment *x =
		json_is_string(name) ? experiment_find(json_string_value(name)) : NULL;
	size_t before = err_list_count(errors);
	json_t *none = params ? NULL : json_object();
	char at[ERR_PATH_MAX];
	const char *key;

	json_object_foreach(spec, key, value)
	{
		bool ok = false;

		for (size_t i = 0; i < COUNTOF(known); i++)
			ok = ok || strcmp(key, known[i]) == 0;
		(void)snprintf(at, sizeof(at), "%s/%s", prefix, key);
		if (!ok)
			(void)err_list_add(
				errors, ERR_UNKNOWN, at,
				"an experiment has experiment, params, seed and name; found %s",
				key);
	}
	(void)snprintf(at, sizeof(at), "%s/experiment", prefix);
	if (!json_is_string(name))
		(void)err_list_add(errors, ERR_TYPE, at, "expected the name of an experiment");
	else if (!x)
		(void)err_list_add(errors, ERR_UNKNOWN, at, "there is no experiment %s",
				   json_string_value(name));
	(void)snprintf(at, sizeof(at), "%s/params", prefix);
	full = x ? spec_json_params(params ? params : none, x->params, x->n_params, at, errors)
		 : NULL;
	check_datasets(api, params, at, arena, errors);
	if (full && x->check)
		(void)x->check(full, prefix, &limits, errors);
	json_decref(none);
	json_decref(full);
	if (err_list_count(errors) > before)
		return -ERR_INVALID;
	if (!full)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	ret->experiment = x->name;
	return 0;
}

static int check_spec(const struct api *api, json_t *spec, const char *prefix,
		      struct mem_arena *arena, struct api_spec *ret, struct err_list *errors)
{
	const struct spec_limits_json limits = spec_limits(api->config);
	struct spec_datasets datasets;
	const struct spec *s;
	int rc;

	dataset_source(&datasets, api->store);
	rc = spec_json_read(&s, spec, prefix, &datasets, &limits, arena, errors);
	if (rc)
		return rc;
	ret->duration_ms = (double)s->steps * s->dt;
	ret->cost = spec_cost(s);
	return 0;
}

int api_spec_check(const struct api *api, json_t *spec, const char *prefix, struct mem_arena *arena,
		   struct api_spec *ret, struct err_list *errors)
{
	struct api_spec result = { 0 };
	char *text;
	int rc;

	if (!json_is_object(spec))
		return err_list_add(errors, ERR_TYPE, prefix, "expected a spec, an object");
	if (json_object_get(spec, "experiment"))
		rc = check_experiment(api, spec, prefix, arena, &result, errors);
	else
		rc = check_spec(api, spec, prefix, arena, &result, errors);
	if (rc)
		return rc;
	text = spec_json_canonical(spec);
	if (!text || !crypt_sha256(text, strlen(text), result.sha256)) {
		mem_free(text);
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	}
	mem_free(text);
	*ret = result;
	return 0;
}

const char *api_text(const json_t *json, struct mem_arena *arena)
{
	const char *text = NULL;
	struct buf b;

	buf_init(&b, (size_t)1 << 30);
	if (!dump_json(&b, json))
		text = mem_arena_strdup(arena, b.data);
	buf_release(&b);
	return text;
}
