/* api_artifact.c - the files of a run: its spec, what made it, its log, each recorded column as .npy.
 *
 * Names are made from the recordings, so nothing of a request ever becomes a path. Bytes of a run
 * that has ended never change: their SHA-256 is the strong ETag that If-Range needs. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api_run.h"
#include "server/config.h"
#include "server/store_result.h"

enum { NAME_SIZE = 512 };

static const struct {
	const char *name, *type;
	enum store_run_text text;
} texts[] = {
	{ "spec.json", "application/json", STORE_RUN_SPEC },
	{ "provenance.json", "application/json", STORE_RUN_PROVENANCE },
	{ "log.txt", "text/plain; charset=utf-8", STORE_RUN_LOG },
};

/* KIND.SUBJECT[.NAME].COLUMN.npy, of letters that need no escape. */
static void name_of(const struct store_recording *r, const struct store_column *column,
		    char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, "%.60s.%.150s%s%.150s.%.64s.npy", r->kind, r->subject,
		       *r->name ? "." : "", r->name, column->name);
	for (char *p = name; *p; p++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.",
			    *p))
			*p = '_';
}

static int header_of(const struct store_column *column, struct buf *out, struct err *err)
{
	const struct npy_header h = { .type = column->type,
				      .n_dims = column->width > 1 ? 2 : 1,
				      .dim = { column->rows, column->width } };

	return npy_write_header(out, &h, err);
}

static int find_run(const struct api *api, struct request *rq, struct store_run *ret,
		    struct store_recording **ret_list, size_t *ret_n, struct err_list *errors)
{
	struct err err = { 0 };
	int rc = api_run_find(api, rq, ret, errors);

	if (rc)
		return rc;
	if (!run_state_final(ret->state))
		return err_list_add(errors, ERR_STATE, "",
				    "the run is %s; its files are there when it has ended",
				    run_state_name(ret->state));
	if (store_result_find(api->store, ret->id, NULL, NULL, NULL, rq->arena, ret_list, ret_n,
			      &err))
		return api_run_fail(&err, errors);
	return 0;
}

/* ---- the list ---- */

static json_t *item(const struct store_run *run, const char *name, const char *type, uint64_t bytes)
{
	return json_pack("{s:s, s:I, s:s, s:o}", "name", name, "bytes", (json_int_t)bytes,
			 "content_type", type, "href",
			 json_sprintf("/v1/runs/%s/artifacts/%s", run->id, name));
}

int api_artifact_list(const struct api *api, struct request *rq, struct response *rs,
		      struct err_list *errors)
{
	struct store_recording *list = NULL;
	struct store_run run;
	struct err err = { 0 };
	json_t *items;
	const char *text;
	size_t n = 0;
	int rc = find_run(api, rq, &run, &list, &n, errors);

	if (rc)
		return rc;
	items = json_array();
	for (size_t i = 0; !rc && i < COUNTOF(texts); i++) {
		rc = store_run_text(api->store, run.id, texts[i].text, rq->arena, &text, &err);
		if (!rc)
			(void)json_array_append_new(
				items, item(&run, texts[i].name, texts[i].type, strlen(text)));
	}
	for (size_t i = 0; !rc && i < n; i++) {
		for (size_t k = 0; !rc && k < list[i].n_columns; k++) {
			const struct store_column *column = &list[i].columns[k];
			char name[NAME_SIZE];
			struct buf head;

			name_of(&list[i], column, name);
			buf_init(&head, 4096);
			rc = header_of(column, &head, &err);
			(void)json_array_append_new(
				items, item(&run, name, "application/octet-stream",
					    head.len + column->rows * column->width *
							       npy_size(column->type)));
			buf_release(&head);
		}
	}
	if (rc) {
		json_decref(items);
		return api_run_fail(&err, errors);
	}
	return api_json(rs, 200, json_pack("{s:s, s:o}", "run_id", run.id, "items", items), errors);
}

/* ---- one ---- */

/* The whole file into `out`; NOTFOUND. */
static int load(const struct api *api, struct request *rq, struct buf *out, const char **ret_type,
		struct err_list *errors)
{
	struct store_recording *list = NULL;
	struct err err = { 0 };
	struct store_run run;
	const char *text;
	size_t n = 0;
	int rc = find_run(api, rq, &run, &list, &n, errors);

	if (rc)
		return rc;
	for (size_t i = 0; i < COUNTOF(texts); i++) {
		if (strcmp(rq->arg[1], texts[i].name) != 0)
			continue;
		*ret_type = texts[i].type;
		rc = store_run_text(api->store, run.id, texts[i].text, rq->arena, &text, &err);
		return rc ? api_run_fail(&err, errors) : buf_str(out, text);
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < list[i].n_columns; k++) {
			const struct store_column *column = &list[i].columns[k];
			const void *rows = NULL;
			char name[NAME_SIZE];

			name_of(&list[i], column, name);
			if (strcmp(rq->arg[1], name) != 0)
				continue;
			*ret_type = "application/octet-stream";
			rc = header_of(column, out, &err);
			if (!rc)
				rc = store_result_read(api->store, column, 0, column->rows,
						       rq->arena, &rows, &err);
			return rc ? api_run_fail(&err, errors)
				  : buf_add(out, rows,
					    (size_t)(column->rows * column->width) *
						    npy_size(column->type));
		}
	}
	return err_list_add(errors, ERR_NOTFOUND, "",
			    "the run has no file \"%.100s\"; see artifacts", rq->arg[1]);
}

enum range { RANGE_NONE, RANGE_PART, RANGE_BAD };

/* "bytes=A-B", "bytes=A-" or "bytes=-N"; what is none of these, or more than one, is passed over as
 * HTTP allows. */
static enum range range_of(const char *text, uint64_t n, uint64_t *ret_from, uint64_t *ret_end)
{
	bool tail;
	char *end;
	uint64_t a, b = UINT64_MAX;

	if (!text || strncmp(text, "bytes=", 6) != 0 || strchr(text, ','))
		return RANGE_NONE;
	text += 6;
	tail = *text == '-';
	text += tail;
	if (*text < '0' || *text > '9')
		return RANGE_NONE;
	errno = 0;
	a = strtoull(text, &end, 10);
	if (!tail && *end++ != '-')
		return RANGE_NONE;
	if (!tail && *end >= '0' && *end <= '9')
		b = strtoull(end, &end, 10);
	if (errno || *end || b < a)
		return RANGE_NONE;
	*ret_from = !tail ? a : a < n ? n - a : 0;
	*ret_end = tail || b >= n ? n : b + 1;
	return *ret_from < n && (!tail || a > 0) ? RANGE_PART : RANGE_BAD;
}

/* 416 has no code of its own: the one answer that is written here. */
static int not_satisfiable(struct request *rq, struct response *rs, uint64_t n)
{
	char *all = mem_arena_printf(rq->arena, "bytes */%" PRIu64, n);

	if (all)
		http_add_header(rs, "Content-Range", all);
	buf_clear(&rs->body);
	(void)buf_printf(
		&rs->body,
		"{\"type\":\"/docs#out-of-range\",\"title\":\"Value out of range\","
		"\"status\":416,\"code\":\"out-of-range\",\"detail\":\"the file has %" PRIu64
		" bytes\",\"errors\":[]}",
		n);
	rs->content_type = "application/problem+json";
	rs->status = 416;
	return 0;
}

static int send_part(struct request *rq, struct response *rs, uint64_t from, uint64_t end)
{
	uint64_t n = rs->body.len;
	char *part = mem_arena_printf(rq->arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from,
				      end - 1, n);

	if (!part)
		return -ERR_NOMEM;
	http_add_header(rs, "Content-Range", part);
	memmove(rs->body.data, rs->body.data + from, (size_t)(end - from));
	rs->body.len = (size_t)(end - from);
	rs->status = 206;
	return 0;
}

int api_artifact_get(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	const char *if_range = http_header(rq, "If-Range"), *type = NULL;
	char hex[CRYPT_HEX_SIZE], etag[48];
	uint64_t from = 0, end = 0;
	enum range range;
	int rc = load(api, rq, &rs->body, &type, errors);

	if (rc)
		return err_list_count(errors) ? rc
					      : err_list_add(errors, ERR_LIMIT, "",
							     "the file is larger than one answer");
	if (!crypt_sha256(rs->body.data ? rs->body.data : "", rs->body.len, hex))
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	(void)snprintf(etag, sizeof(etag), "\"%.32s\"", hex);
	http_add_header(rs, "Accept-Ranges", "bytes");
	if (cond_not_modified(rq, rs, etag)) {
		buf_clear(&rs->body);
		return 0;
	}
	range = range_of(http_header(rq, "Range"), rs->body.len, &from, &end);
	if (if_range && strcmp(if_range, etag) != 0)
		range = RANGE_NONE;
	if (range == RANGE_BAD)
		return not_satisfiable(rq, rs, rs->body.len);
	rs->content_type = type;
	rs->status = 200;
	return range == RANGE_PART ? send_part(rq, rs, from, end) : 0;
}
