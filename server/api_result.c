/* api_result.c - the way to a run's recordings: which run, which subject, which window; and the manifest. */
/* SPDX-License-Identifier: MIT */
#include "server/api_result.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/engine.h"
#include "core/rundir.h"
#include "server/api_session.h"
#include "server/auth.h"
#include "server/config.h"

enum {
	HEAD_MAX = 1 << 26,
	SEARCH_BLOCK = 65536,
	SPEC_MAX = 1 << 28,
	PATH_SIZE = 4096,
	LIST_MAX = 1 << 22,
	ETAG_SIZE = 64
};

static const double LATEST_MS = 1e15;

/* ---- opening ---- */

struct known {
	const char *names;
	struct err_list *errors;
	struct hash hash;
};

static bool contains(const char *names, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = names; n && (p = strstr(p, name)); p += n)
		if ((p == names || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static void on_query(void *self, const char *name, const char *value)
{
	struct known *k = self;
	char pointer[ERR_PATH_MAX];

	hash_u64(&k->hash, hash_bytes(name, strlen(name)));
	hash_u64(&k->hash, value ? hash_bytes(value, strlen(value)) : 0);
	if (!k->names || contains(k->names, name) || contains("format", name))
		return;
	(void)snprintf(pointer, sizeof(pointer), "?%.64s", name);
	(void)err_list_add(k->errors, ERR_UNKNOWN, pointer, "expected one of: %s format", k->names);
}

/* 0, or 1 if the client has this answer, or -code. A run that has ended keeps its results: its name and
 * tags are none of them; another version of this program may show them otherwise. */
static int cached(struct api_result *c, const char *names)
{
	struct known k = { .names = names, .errors = c->errors };
	size_t before = err_list_count(c->errors);
	char *etag;

	hash_init(&k.hash);
	http_query_each(c->rq, on_query, &k);
	if (err_list_count(c->errors) != before)
		return -ERR_UNKNOWN;
	hash_u64(&k.hash, hash_bytes(c->rq->path, strlen(c->rq->path)));
	hash_u64(&k.hash, (uint64_t)c->format);
	hash_u64(&k.hash, hash_bytes(ENGINE_VERSION, strlen(ENGINE_VERSION)));
	etag = mem_arena_printf(c->rq->arena, "\"%016" PRIx64 "\"", hash_end(&k.hash));
	if (!etag)
		return err_nomem(&c->err);
	http_add_header(c->rs, "Vary", "Accept");
	return cond_not_modified(c->rq, c->rs, etag) ? 1 : 0;
}

static int load_shape(struct api_result *c)
{
	const char *text = NULL;
	double reached = c->run.t_ms;
	int rc = store_run_text(c->api->store, c->run.id, STORE_RUN_SHAPE, c->rq->arena, &text,
				&c->err);

	if (rc)
		return rc;
	c->shape = json_loads(text, 0, NULL);
	if (!c->shape)
		return err_set(&c->err, ERR_CORRUPT, NULL, "the shape of the run is not JSON");
	c->dt = json_number_value(json_object_get(c->shape, "dt_ms"));
	if (!(c->dt > 0.0))
		c->dt = 0.1;
	if (!(reached > 0.0))
		reached = c->run.duration_ms;
	c->steps = (int64_t)floor(reached / c->dt + 0.5);
	return 0;
}

/* A live session: what its process has put into the folder just now, or left there when it was parked. */
static int open_session(struct api_result *c, struct folder *folder, const char *names)
{
	struct known k = { .names = names, .errors = c->errors };
	size_t before = err_list_count(c->errors);
	char path[PATH_SIZE];
	int rc = api_session_look(c->api, c->rq, c->rs, c->errors);

	if (rc)
		return rc;
	http_query_each(c->rq, on_query, &k);
	if (err_list_count(c->errors) != before)
		return -ERR_UNKNOWN;
	session_path(c->api->store, c->id, NULL, path, sizeof(path));
	rc = folder_open(folder, path, RUNDIR_LIVE, &c->err);
	if (rc == -ERR_NOTFOUND)
		rc = err_set(&c->err, ERR_STATE, NULL,
			     "the session has recorded nothing yet; step it");
	if (rc)
		return rc;
	c->folder = folder;
	c->shape = json_incref(folder->result);
	c->dt = json_number_value(json_object_get(c->shape, "dt_ms"));
	c->run = (struct store_run){
		.id = c->id,
		.state = RUN_SUCCEEDED,
		.t_ms = json_number_value(json_object_get(c->shape, "model_ms")),
	};
	c->steps = (int64_t)floor(c->run.t_ms / c->dt + 0.5);
	return c->file ? 0 : api_format(c->rq, API_RESULT_ALL, &c->format, c->errors);
}

static int open_run(struct api_result *c, const char *names)
{
	int rc;

	if (!id_valid(c->id))
		return err_set(&c->err, ERR_NOTFOUND, NULL, "there is no run of this id");
	rc = store_run_get(c->api->store, c->id, c->rq->arena, &c->run, &c->err);
	if (!rc && !auth_sees(&c->rq->who, c->run.owner))
		rc = err_set(&c->err, ERR_NOTFOUND, NULL, "there is no run of this id");
	if (rc)
		return rc;
	if (!run_state_final(c->run.state))
		return err_set(&c->err, ERR_STATE, NULL,
			       "the run is %s; its results are there when it has ended",
			       run_state_name(c->run.state));
	if (!c->file)
		rc = api_format(c->rq, API_RESULT_ALL, &c->format, c->errors);
	if (!rc && !c->file)
		rc = cached(c, names);
	return rc || c->file ? rc : load_shape(c);
}

static int serve(struct api_result *c, const char *names, int (*fill)(struct api_result *c))
{
	size_t before = err_list_count(c->errors);
	struct folder folder = { .fd = -1 };
	int rc;

	buf_init(&c->head, HEAD_MAX);
	rc = api_session_is(c->rq) ? open_session(c, &folder, names) : open_run(c, names);
	if (!rc)
		rc = fill(c);
	if (!rc && !c->file)
		rc = api_result_write(c);
	if (rc < 0 && err_list_count(c->errors) == before)
		(void)err_list_add(c->errors, (enum err_code) - rc, c->err.path, "%s",
				   c->err.code ? c->err.text : err_title(-rc));
	json_decref(c->shape);
	folder_close(&folder);
	buf_release(&c->head);
	return rc < 0 ? rc : 0;
}

int api_result_serve_run(const struct api *api, struct request *rq, struct response *rs,
			 struct err_list *errors, const char *id, const char *names,
			 int (*fill)(struct api_result *c))
{
	struct api_result c = { .api = api, .rq = rq, .rs = rs, .errors = errors, .id = id };

	return serve(&c, names, fill);
}

int api_result_serve_file(const struct api *api, struct request *rq, struct response *rs,
			  struct err_list *errors, int (*fill)(struct api_result *c))
{
	struct api_result c = {
		.api = api, .rq = rq, .rs = rs, .errors = errors, .id = rq->arg[0], .file = true
	};

	return serve(&c, NULL, fill);
}

int api_result_serve(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors, const char *names, int (*fill)(struct api_result *c))
{
	return api_result_serve_run(api, rq, rs, errors, rq->arg[0], names, fill);
}

/* ---- the head ---- */

static void key(struct api_result *c, const char *name)
{
	(void)buf_printf(&c->head, "%s\"%s\":", c->head.len ? "," : "", name);
}

void api_result_text(struct api_result *c, const char *name, const char *value)
{
	key(c, name);
	(void)buf_json_string(&c->head, value);
}

void api_result_number(struct api_result *c, const char *name, double value)
{
	key(c, name);
	(void)buf_double(&c->head, value);
}

void api_result_integer(struct api_result *c, const char *name, uint64_t value)
{
	key(c, name);
	(void)buf_printf(&c->head, "%" PRIu64, value);
}

void api_result_raw(struct api_result *c, const char *name, const char *json)
{
	key(c, name);
	(void)buf_str(&c->head, json);
}

void api_result_add(struct api_result *c, struct api_result_column column)
{
	if (c->n_columns < API_RESULT_COLUMNS_MAX)
		c->columns[c->n_columns++] = column;
}

int api_result_limit(struct api_result *c, uint64_t values)
{
	uint64_t max = (uint64_t)c->api->config->max_points;

	if (values <= max)
		return 0;
	return err_set(&c->err, ERR_LIMIT, NULL,
		       "the answer would have %" PRIu64 " values, more than %" PRIu64
		       "; narrow the window, choose neurons, or thin it out where the view allows",
		       values, max);
}

/* ---- finding ---- */

int api_result_recordings(struct api_result *c, const char *kind, const char *subject,
			  const char *name, struct store_recording **ret, size_t *ret_n)
{
	return c->folder ? folder_find(c->folder, kind, subject, name, c->rq->arena, ret, ret_n,
				       &c->err)
			 : store_result_find(c->api->store, c->run.id, kind, subject, name,
					     c->rq->arena, ret, ret_n, &c->err);
}

int api_result_spec(struct api_result *c, const char **ret)
{
	return c->folder ? folder_text(c->folder, RUNDIR_SPEC, SPEC_MAX, c->rq->arena, ret, &c->err)
			 : store_run_text(c->api->store, c->run.id, STORE_RUN_SPEC, c->rq->arena,
					  ret, &c->err);
}

static bool in_shape(const struct api_result *c, const char *group, const char *subject)
{
	return json_object_get(json_object_get(c->shape, group), subject) != NULL;
}

uint64_t api_result_shape(const struct api_result *c, const char *group, const char *subject,
			  const char *name)
{
	const json_t *v =
		json_object_get(json_object_get(json_object_get(c->shape, group), subject), name);

	return json_is_integer(v) && json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v)
							       : 0;
}

const char *api_result_shape_text(const struct api_result *c, const char *group,
				  const char *subject, const char *name)
{
	const char *text = json_string_value(
		json_object_get(json_object_get(json_object_get(c->shape, group), subject), name));

	return text ? text : "";
}

int api_result_subject(struct api_result *c, const char *group, const char **ret)
{
	bool population = strcmp(group, "populations") == 0;
	const char *param = population ? "population" : "projection",
		   *name = http_query(c->rq, param);
	size_t known = json_object_size(json_object_get(c->shape, group));
	char pointer[32];

	*ret = name;
	(void)snprintf(pointer, sizeof(pointer), "?%s", param);
	if (name && known && !in_shape(c, group, name))
		return err_set(&c->err, ERR_UNKNOWN, pointer, "this run has no %s \"%.64s\"", param,
			       name);
	return 0;
}

/* All recordings must be of one subject when the query names none. */
static int check_one(struct api_result *c, const struct store_recording *r, size_t n,
		     const char *param)
{
	char pointer[32];

	(void)snprintf(pointer, sizeof(pointer), "?%s", param);
	for (size_t i = 1; i < n; i++)
		if (strcmp(r[i].subject, r[0].subject) != 0)
			return err_set(&c->err, ERR_MISSING, pointer,
				       "expected %s=..., one of \"%.64s\", \"%.64s\"%s", param,
				       r[0].subject, r[i].subject,
				       n > 2 ? " and others; see results" : "");
	return 0;
}

int api_result_find(struct api_result *c, const char *kind, const char *name, const char *how,
		    struct store_recording **ret, size_t *ret_n)
{
	bool population = strcmp(kind, "spikes") == 0 || strcmp(kind, "states") == 0 ||
			  strcmp(kind, "rates") == 0;
	const char *subject = NULL;
	size_t n = 0;
	int rc = api_result_subject(c, population ? "populations" : "projections", &subject);

	if (!rc)
		rc = api_result_recordings(c, kind, subject, name, ret, &n);
	if (rc)
		return rc;
	if (n == 0 && how && c->run.state != RUN_SUCCEEDED)
		return err_set(&c->err, ERR_NOTRECORDED, NULL,
			       "%s%s%s: the run %s and left none of it", name ? name : kind,
			       subject ? " of " : "", subject ? subject : "",
			       c->run.state == RUN_CANCELLED ? "was cancelled" : "failed");
	if (n == 0 && how)
		return err_set(&c->err, ERR_NOTRECORDED, NULL,
			       "%s%s%s: not recorded; to have it, put %s into the spec's record",
			       name ? name : kind, subject ? " of " : "", subject ? subject : "",
			       how);
	*ret_n = n;
	return subject || n == 0 ? 0
				 : check_one(c, *ret, n, population ? "population" : "projection");
}

json_t *api_result_meta(struct api_result *c, const struct store_recording *r)
{
	json_t *meta = json_loads(r->meta, 0, NULL);

	if (!meta)
		(void)err_set(&c->err, ERR_CORRUPT, NULL,
			      "the description of a recording is not JSON");
	return meta;
}

/* ---- reading ---- */

const struct store_column *api_result_column(const struct store_recording *r, const char *name)
{
	for (size_t i = 0; i < r->n_columns; i++)
		if (strcmp(r->columns[i].name, name) == 0)
			return &r->columns[i];
	return NULL;
}

int api_result_read(struct api_result *c, const struct store_recording *r, const char *name,
		    uint64_t row0, uint64_t row1, enum npy_type type, const void **ret)
{
	const struct store_column *column = api_result_column(r, name);

	if (!column || column->type != type || row1 > column->rows)
		return err_set(&c->err, ERR_CORRUPT, NULL, "recording %s of %s lacks its column %s",
			       r->kind, r->subject, name);
	return c->folder ? folder_read(c->folder, column, row0, row1, c->rq->arena, ret, &c->err)
			 : store_result_read(c->api->store, column, row0, row1, c->rq->arena, ret,
					     &c->err);
}

int api_result_lower(struct api_result *c, const struct store_recording *r, const char *name,
		     int64_t wanted, uint64_t *ret)
{
	const struct store_column *column = api_result_column(r, name);
	uint64_t lo = 0, hi = column ? column->rows : 0;
	const void *rows = NULL;
	int rc;

	while (hi - lo > SEARCH_BLOCK) {
		uint64_t mid = lo + (hi - lo) / 2;

		rc = api_result_read(c, r, name, mid, mid + 1, NPY_I64, &rows);
		if (rc)
			return rc;
		if (*(const int64_t *)rows < wanted)
			lo = mid + 1;
		else
			hi = mid;
	}
	rc = api_result_read(c, r, name, lo, hi, NPY_I64, &rows);
	if (!rc)
		*ret = lo + view_lower(rows, (size_t)(hi - lo), wanted);
	return rc;
}

/* ---- the query ---- */

int api_result_window(struct api_result *c, int64_t *ret_s0, int64_t *ret_s1)
{
	double t0 = 0.0, t1 = HUGE_VAL;
	int rc = api_query_double(c->rq, "t0_ms", 0.0, 0.0, LATEST_MS, &t0, c->errors);

	if (!rc && http_query(c->rq, "t1_ms"))
		rc = api_query_double(c->rq, "t1_ms", LATEST_MS, 0.0, LATEST_MS, &t1, c->errors);
	if (rc)
		return rc;
	if (!(t1 > t0))
		return err_set(&c->err, ERR_RANGE, "?t1_ms",
			       "expected t1_ms above t0_ms (%g ms), found %g ms", t0, t1);
	*ret_s0 = view_step(t0, c->dt);
	*ret_s1 = view_step(t1, c->dt);
	return 0;
}

/* "A" or "A-B" at *p. */
static bool range(const char **p, uint64_t *ret_from, uint64_t *ret_to)
{
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	*ret_from = *ret_to = strtoull(*p, &end, 10);
	if (*end == '-') {
		*p = end + 1;
		if (**p < '0' || **p > '9')
			return false;
		*ret_to = strtoull(*p, &end, 10);
	}
	*p = end;
	return *ret_to >= *ret_from && (*end == ',' || *end == '\0');
}

/* Numbers of `text` into list (NULL: only count them); *ret_n counts. */
static int fill_list(struct api_result *c, const char *text, const char *pointer, uint64_t size,
		     uint64_t *list, size_t *ret_n)
{
	uint64_t from, to;
	size_t n = 0;

	for (const char *p = text; *p; p += *p == ',') {
		if (!range(&p, &from, &to) || to >= size)
			return err_set(&c->err, ERR_RANGE, pointer,
				       "expected numbers from 0 to %" PRIu64
				       " as 0-99,205, found \"%.64s\"",
				       size ? size - 1 : 0, text);
		if (to - from >= LIST_MAX || n + (to - from + 1) > LIST_MAX)
			return err_set(&c->err, ERR_LIMIT, pointer, "expected at most %d of them",
				       LIST_MAX);
		for (uint64_t i = from; list && i <= to; i++)
			list[n + (i - from)] = i;
		n += (size_t)(to - from + 1);
	}
	*ret_n = n;
	return 0;
}

int api_result_list(struct api_result *c, const char *name, uint64_t size, uint64_t **ret,
		    size_t *ret_n)
{
	const char *text = http_query(c->rq, name);
	uint64_t *list;
	char pointer[32];
	size_t n = 0;
	int rc;

	*ret = NULL;
	if (!text)
		return 0;
	(void)snprintf(pointer, sizeof(pointer), "?%s", name);
	rc = fill_list(c, text, pointer, size, NULL, &n);
	if (rc)
		return rc;
	if (n == 0)
		return err_set(&c->err, ERR_RANGE, pointer,
			       "expected numbers as 0-99,205, found nothing");
	list = NEW(c->rq->arena, uint64_t, n);
	if (!list)
		return err_nomem(&c->err);
	rc = fill_list(c, text, pointer, size, list, ret_n);
	if (!rc)
		*ret = list;
	return rc;
}

int api_result_max_points(struct api_result *c, int64_t *ret)
{
	return api_query_int(c->rq, "max_points", 0, 2, 1000000000, ret, c->errors);
}
