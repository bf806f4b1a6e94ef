/* api_dataset.c - uploads: POST, list, one, DELETE. */
/* SPDX-License-Identifier: MIT */
#include "server/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/auth.h"
#include "server/clock.h"
#include "server/crypt.h"
#include "server/dataset.h"
#include "server/id.h"
#include "server/store_dataset.h"

enum { NAME_BYTES_MAX = 200, ETAG_SIZE = 24, EXPANDED_MAX = 512 << 20, FIELDS_JSON_MAX = 1 << 20 };

static int fail(const struct err *err, struct err_list *errors)
{
	return err_list_add(errors, (enum err_code)err->code, err->path, "%s", err->text);
}

/* ---- on the wire ---- */

static json_t *one(const struct store_dataset *d)
{
	char time[CLOCK_TEXT_MAX];
	json_t *fields = json_loads(d->fields, 0, NULL);

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s?, s:s, s:o}", "id", d->id, "name", d->name,
			 "kind", d->kind, "sha256", d->sha256, "bytes", (json_int_t)d->bytes,
			 "owner", d->owner, "created_at", clock_text(d->created_ms, time), "fields",
			 fields);
}

/* It never changes. */
static void etag_of(const struct store_dataset *d, char etag[ETAG_SIZE])
{
	(void)snprintf(etag, ETAG_SIZE, "\"%.16s\"", d->id);
}

/* Fields as they stand in the table. mem_free it; NULL: no memory. */
static char *describe(const struct dataset *d)
{
	struct buf b;
	char *text;

	buf_init(&b, FIELDS_JSON_MAX);
	(void)buf_char(&b, '[');
	for (size_t i = 0; i < d->n_fields; i++) {
		const struct dataset_field *f = &d->fields[i];

		(void)buf_str(&b, i ? ",{\"name\":" : "{\"name\":");
		(void)buf_json_string(&b, f->name);
		(void)buf_printf(&b, ",\"dtype\":\"%s\",\"shape\":[",
				 f->text ? "text" : dataset_dtype(f->shape.type));
		for (int k = 0; k < f->shape.n_dims; k++)
			(void)buf_printf(&b, "%s%" PRIu64, k ? "," : "", f->shape.dim[k]);
		(void)buf_str(&b, f->text ? "],\"text\":true}" : "]}");
	}
	(void)buf_char(&b, ']');
	text = buf_take(&b, NULL);
	buf_release(&b);
	return text;
}

/* ---- POST ---- */

static int check_type(const struct request *rq, struct err_list *errors)
{
	static const char *const known[] = {
		"text/csv",	     "text/plain",	   "application/csv",
		"application/gzip",  "application/x-gzip", "application/zip",
		"application/x-npy", "application/x-npz",  "application/octet-stream",
		"audio/wav",	     "audio/x-wav",	   "audio/vnd.wave",
	};
	const char *type = http_header(rq, "Content-Type");
	size_t n = type ? strcspn(type, "; ") : 0;

	for (size_t i = 0; i < COUNTOF(known); i++)
		if (n == strlen(known[i]) && strncasecmp(type, known[i], n) == 0)
			return 0;
	return err_list_add(errors, ERR_MEDIA, "",
			    "expected the file itself as the body, with Content-Type text/csv, "
			    "application/gzip, application/zip, "
			    "application/x-npy, audio/wav or application/octet-stream, found %.60s",
			    type ? type : "none");
}

static int check_request(const struct request *rq, const char **ret_name, struct err_list *errors)
{
	const char *name = http_query(rq, "name");

	*ret_name = name ? name : "";
	if (strlen(*ret_name) > NAME_BYTES_MAX)
		return err_list_add(errors, ERR_RANGE, "?name",
				    "expected at most %d bytes, found %zu", NAME_BYTES_MAX,
				    strlen(name));
	if (!rq->body_len)
		return err_list_add(errors, ERR_MISSING, "",
				    "expected a file as the body, found nothing");
	return check_type(rq, errors);
}

static int answer(const struct api *api, struct request *rq, struct response *rs, const char *id,
		  int status, struct err_list *errors)
{
	struct err err = { 0 };
	struct store_dataset d;
	char *location, etag[ETAG_SIZE];

	if (store_dataset_get(api->store, id, rq->arena, &d, &err))
		return fail(&err, errors);
	if (!auth_sees(&rq->who, d.owner))
		return err_list_add(errors, ERR_NOTFOUND, "", "there is no data set of this id");
	location = mem_arena_printf(rq->arena, "/v1/datasets/%s", d.id);
	if (!location)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	if (status == 201)
		http_add_header(rs, "Location", location);
	etag_of(&d, etag);
	if (status == 200 && cond_not_modified(rq, rs, etag))
		return 0;
	return api_json(rs, status, one(&d), errors);
}

/* What is broken in an upload is the client's matter. */
static int refuse(const struct err *err, struct err_list *errors)
{
	enum err_code code = err->code == ERR_CORRUPT ? ERR_TYPE : (enum err_code)err->code;

	return err_list_add(errors, code, "", "%s", err->text);
}

static int store(const struct api *api, const struct store_once *once, const struct dataset *d,
		 struct store_dataset *row, struct err_list *errors)
{
	char *fields = describe(d);
	struct err err = { 0 };
	int rc = fields ? dataset_save(api->store, row->id, d, &err) : err_nomem(&err);

	row->fields = fields;
	row->kind = d->kind;
	if (!rc) {
		rc = store_dataset_add(api->store, row, once, &err);
		if (rc)
			dataset_drop(api->store, row->id, fields);
	}
	mem_free(fields);
	return rc ? fail(&err, errors) : 0;
}

int api_dataset_post(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	const char *name = NULL;
	char id[ID_SIZE], sha256[CRYPT_HEX_SIZE];
	struct store_dataset row = { .id = id,
				     .sha256 = sha256,
				     .bytes = (int64_t)rq->body_len,
				     .created_ms = clock_wall_ms(),
				     .owner = rq->who.name };
	struct err err = { 0 };
	struct dataset d;
	int rc;

	if (rq->memo[0]) /* sent again: it stands */
		return answer(api, rq, rs, rq->memo, 201, errors);
	rc = check_request(rq, &name, errors);
	if (!rc)
		rc = api_room(api, rq, (int64_t)rq->body_len, errors);
	if (rc)
		return rc;
	if (!crypt_sha256(rq->body, rq->body_len, sha256))
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	if (dataset_parse(&d, rq->body, rq->body_len, EXPANDED_MAX, rq->arena, &err))
		return refuse(&err, errors);
	id_new(id);
	row.name = name;
	rc = store(api, rq->once, &d, &row, errors);
	dataset_release(&d);
	return rc ? rc : answer(api, rq, rs, id, 201, errors);
}

/* ---- GET, DELETE ---- */

int api_dataset_list(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	struct store_dataset *rows;
	struct err err = { 0 };
	int64_t size = 0, seq = 0;
	json_t *items;
	size_t n;
	int rc = api_query_page(rq, 'd', &size, &seq, errors);

	if (rc)
		return rc;
	rows = NEW(rq->arena, struct store_dataset, (size_t)size + 1);
	if (!rows)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	n = (size_t)size + 1;
	if (store_dataset_list(api->store, seq, rq->who.sees_all ? NULL : rq->who.name, rq->arena,
			       rows, &n, &err))
		return fail(&err, errors);
	items = json_array();
	for (size_t i = 0; i < n && i < (size_t)size; i++)
		(void)json_array_append_new(items, one(&rows[i]));
	return api_page(rq, rs, items, 'd', n > (size_t)size ? rows[size - 1].seq : 0, errors);
}

int api_dataset_get(const struct api *api, struct request *rq, struct response *rs,
		    struct err_list *errors)
{
	if (!id_valid(rq->arg[0]))
		return err_list_add(errors, ERR_NOTFOUND, "", "there is no data set of this id");
	return answer(api, rq, rs, rq->arg[0], 200, errors);
}

int api_dataset_delete(const struct api *api, struct request *rq, struct response *rs,
		       struct err_list *errors)
{
	struct err err = { 0 };
	struct store_dataset d;
	char etag[ETAG_SIZE];
	int rc;

	if (!id_valid(rq->arg[0]))
		return err_list_add(errors, ERR_NOTFOUND, "", "there is no data set of this id");
	rc = store_dataset_get(api->store, rq->arg[0], rq->arena, &d, &err);
	if (!rc && !auth_sees(&rq->who, d.owner))
		rc = err_set(&err, ERR_NOTFOUND, NULL, "there is no data set of this id");
	if (rc)
		return fail(&err, errors);
	etag_of(&d, etag);
	if (cond_match(rq, etag, errors))
		return -ERR_PRECONDITION;
	if (store_dataset_drop(api->store, d.id, &err))
		return fail(&err, errors);
	dataset_drop(api->store, d.id, d.fields);
	rs->status = 204;
	return 0;
}
