/* api_artifact.c - the files of a run or session: spec, provenance, log, each recorded column as .npy.
 *
 * Names are made from the recordings, so nothing of a request ever becomes a path. A column is sent
 * from where it lies, in the store or in the session's folder, whatever its size. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/hash.h"
#include "server/api_result.h"
#include "server/api_run.h"
#include "server/api_session.h"

enum { HEADER_MAX = 4096 };

/* A session has its spec alone: it is not over. */
static const struct {
	const char *name, *type;
	enum store_run_text text;
} texts[] = {
	{ "spec.json", "application/json", STORE_RUN_SPEC },
	{ "provenance.json", "application/json", STORE_RUN_PROVENANCE },
	{ "log.txt", "text/plain; charset=utf-8", STORE_RUN_LOG },
};

/* A file that is asked for: `head`, then the rows of `column`, from the store or from `fd`. */
struct artifact {
	const char *type, *head;
	size_t n_head;
	struct store_column column; /* name "": none */
	uint64_t n_column;	    /* bytes of its rows */
	struct store *store;
	int fd;	       /* -1: in the store */
	uint64_t from; /* what is sent begins here */
	char etag[COND_ETAG_SIZE];
};

/* A column under its name. */
struct file {
	const struct store_column *column;
	char *name;
	unsigned nth; /* of those that would have this name, from 1 */
};

/* KIND.SUBJECT[.NAME].COLUMN.npy, of letters that need no escape. NULL: no memory. */
static char *name_of(const struct store_recording *r, const struct store_column *column,
		     struct mem_arena *arena)
{
	char *name = mem_arena_printf(arena, "%.60s.%.150s%s%.150s.%.64s.npy", r->kind, r->subject,
				      *r->name ? "." : "", r->name, column->name);

	for (char *p = name; p && *p; p++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.",
			    *p))
			*p = '_';
	return name;
}

static int by_name(const void *a, const void *b)
{
	const struct file *x = *(struct file *const *)a, *y = *(struct file *const *)b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x > y) - (x < y);
}

/* Recorders of one subject, and names that differ in other letters only, come to the same name: behind the
 * first stand NAME~2.npy, NAME~3.npy. */
static int number(struct file *files, size_t n, struct mem_arena *arena)
{
	struct file **sorted = NEW(arena, struct file *, n);

	for (size_t i = 0; sorted && i < n; i++)
		sorted[i] = &files[i];
	if (!sorted)
		return -ERR_NOMEM;
	qsort(sorted, n, sizeof(struct file *), by_name);
	for (size_t i = 1; i < n; i++)
		if (strcmp(sorted[i]->name, sorted[i - 1]->name) == 0)
			sorted[i]->nth = sorted[i - 1]->nth + 1;
	for (size_t i = 0; i < n; i++) {
		struct file *f = &files[i];

		if (f->nth > 1)
			f->name = mem_arena_printf(arena, "%.*s~%u.npy", (int)strlen(f->name) - 4,
						   f->name, f->nth);
		if (!f->name)
			return -ERR_NOMEM;
	}
	return 0;
}

/* All columns in their order, in the arena. */
static int files_of(struct api_result *c, struct file **ret, size_t *ret_n)
{
	struct store_recording *list = NULL;
	struct file *files;
	size_t n_list = 0, n = 0;
	int rc = api_result_recordings(c, NULL, NULL, NULL, &list, &n_list);

	if (rc)
		return rc;
	for (size_t i = 0; i < n_list; i++)
		n += list[i].n_columns;
	files = NEW(c->rq->arena, struct file, n + 1);
	n = 0;
	for (size_t i = 0; files && i < n_list; i++) {
		for (size_t k = 0; k < list[i].n_columns; k++, n++) {
			files[n] = (struct file){ .column = &list[i].columns[k], .nth = 1 };
			files[n].name = name_of(&list[i], files[n].column, c->rq->arena);
			if (!files[n].name)
				return err_nomem(&c->err);
		}
	}
	if (!files || number(files, n, c->rq->arena))
		return err_nomem(&c->err);
	*ret = files;
	*ret_n = n;
	return 0;
}

/* The .npy header of a column, in the arena. */
static int header_of(struct api_result *c, const struct store_column *column, const char **ret,
		     size_t *ret_n)
{
	const struct npy_header h = { .type = column->type,
				      .n_dims = column->width > 1 ? 2 : 1,
				      .dim = { column->rows, column->width } };
	struct buf head;
	char *kept;
	int rc;

	buf_init(&head, HEADER_MAX);
	rc = npy_write_header(&head, &h, &c->err);
	kept = rc ? NULL : mem_arena_alloc(c->rq->arena, head.len, 1);
	if (kept)
		memcpy(kept, head.data, head.len);
	*ret = kept;
	*ret_n = head.len;
	buf_release(&head);
	return rc || kept ? rc : err_nomem(&c->err);
}

static size_t n_texts(const struct api_result *c)
{
	return c->folder ? 1 : COUNTOF(texts);
}

static int text_of(struct api_result *c, size_t i, const char **ret)
{
	return texts[i].text == STORE_RUN_SPEC
		       ? api_result_spec(c, ret)
		       : store_run_text(c->api->store, c->run.id, texts[i].text, c->rq->arena, ret,
					&c->err);
}

/* ---- the list ---- */

static void add_item(const struct api_result *c, json_t *items, const char *name, const char *type,
		     uint64_t bytes)
{
	(void)json_array_append_new(
		items, json_pack("{s:s, s:I, s:s, s:o}", "name", name, "bytes", (json_int_t)bytes,
				 "content_type", type, "href",
				 json_sprintf("/v1/%s/%s/artifacts/%s",
					      c->folder ? "sessions" : "runs", c->run.id, name)));
}

static int add_all(struct api_result *c, json_t *items)
{
	struct file *files = NULL;
	const char *text = NULL;
	size_t n = 0, n_head;
	int rc = files_of(c, &files, &n);

	for (size_t i = 0; !rc && i < n_texts(c); i++) {
		rc = text_of(c, i, &text);
		if (!rc)
			add_item(c, items, texts[i].name, texts[i].type, strlen(text));
	}
	for (size_t i = 0; !rc && i < n; i++) {
		rc = header_of(c, files[i].column, &text, &n_head);
		if (!rc)
			add_item(c, items, files[i].name, "application/octet-stream",
				 n_head + store_column_bytes(files[i].column));
	}
	return rc;
}

static int list_files(struct api_result *c)
{
	json_t *items = json_array();
	int rc = add_all(c, items);

	if (rc) {
		json_decref(items);
		return rc;
	}
	return api_json(c->rs, 200,
			json_pack("{s:s, s:o}", c->folder ? "session_id" : "run_id", c->run.id,
				  "items", items),
			c->errors);
}

int api_artifact_list(const struct api *api, struct request *rq, struct response *rs,
		      struct err_list *errors)
{
	return api_result_serve_file(api, rq, rs, errors, list_files);
}

/* ---- one ---- */

/* Of a text by its bytes. The bytes of a run's column never change, a session's are told from what was there
 * before a restore by the file and when it was written. */
static int make_etag(struct api_result *c, struct artifact *a)
{
	struct stat st = { 0 };
	struct hash hash;

	if (!*a->column.name)
		return cond_etag(a->head, a->n_head, a->etag) ? 0 : err_nomem(&c->err);
	if (a->fd >= 0 && fstat(a->fd, &st))
		return err_set(&c->err, ERR_IO, NULL, "a recording cannot be read: %s",
			       strerror(errno));
	hash_init(&hash);
	hash_u64(&hash, hash_bytes(c->rq->path, strlen(c->rq->path)));
	hash_u64(&hash, hash_bytes(a->head, a->n_head));
	hash_u64(&hash, (uint64_t)st.st_ino);
	hash_u64(&hash, (uint64_t)st.st_mtim.tv_sec);
	hash_u64(&hash, (uint64_t)st.st_mtim.tv_nsec);
	(void)snprintf(a->etag, sizeof(a->etag), "\"%016" PRIx64 "\"", hash_end(&hash));
	return 0;
}

static int take_column(struct api_result *c, const struct store_column *column, struct artifact *a)
{
	int rc = header_of(c, column, &a->head, &a->n_head);

	a->type = "application/octet-stream";
	a->column = *column;
	a->n_column = store_column_bytes(column);
	if (!rc && c->folder && a->n_column)
		rc = folder_file(c->folder, column, &a->fd, &c->err);
	return rc;
}

/* NOTFOUND. */
static int find(struct api_result *c, const char *wanted, struct artifact *a)
{
	struct file *files = NULL;
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < n_texts(c); i++) {
		if (strcmp(wanted, texts[i].name) != 0)
			continue;
		rc = text_of(c, i, &a->head);
		a->type = texts[i].type;
		a->n_head = rc ? 0 : strlen(a->head);
		return rc;
	}
	rc = files_of(c, &files, &n);
	for (size_t i = 0; !rc && i < n; i++)
		if (strcmp(wanted, files[i].name) == 0)
			return take_column(c, files[i].column, a);
	return rc ? rc
		  : err_set(&c->err, ERR_NOTFOUND, NULL,
			    "there is no file \"%.100s\"; see artifacts", wanted);
}

static int read_file(int fd, uint64_t at, size_t max, char *out, size_t *ret_n)
{
	ssize_t got;

	do
		got = pread(fd, out, max, (off_t)at);
	while (got < 0 && errno == EINTR);
	*ret_n = got > 0 ? (size_t)got : 0;
	return got > 0 ? 0 : -ERR_IO;
}

static int on_read(void *self, uint64_t at, char *out, size_t max, size_t *ret_n)
{
	const struct artifact *a = self;

	at += a->from;
	if (at < a->n_head) {
		*ret_n = a->n_head - (size_t)at < max ? a->n_head - (size_t)at : max;
		memcpy(out, a->head + at, *ret_n);
		return 0;
	}
	at -= a->n_head;
	if (a->fd < 0)
		return store_result_part(a->store, &a->column, at, max, out, ret_n, NULL);
	return read_file(a->fd, at, max < a->n_column - at ? max : (size_t)(a->n_column - at), out,
			 ret_n);
}

static void on_free(void *self)
{
	const struct artifact *a = self;

	if (a->fd >= 0)
		(void)close(a->fd);
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
		" bytes\",\"errors\":[],\"instance\":",
		n);
	(void)buf_json_string(&rs->body, rq->path);
	(void)buf_char(&rs->body, '}');
	rs->content_type = "application/problem+json";
	rs->status = 416;
	return 0;
}

/* Bytes [from, end). */
static int send_bytes(struct api_result *c, struct artifact *a, uint64_t from, uint64_t end,
		      bool part)
{
	uint64_t n = a->n_head + a->n_column;
	char *range = mem_arena_printf(c->rq->arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from,
				       end - 1, n);

	if (!range)
		return err_nomem(&c->err);
	if (part)
		http_add_header(c->rs, "Content-Range", range);
	a->from = from;
	c->rs->file = (struct http_file){
		.self = a, .length = end - from, .read = on_read, .free = on_free
	};
	c->rs->content_type = a->type;
	c->rs->status = part ? 206 : 200;
	return 0;
}

static int answer(struct api_result *c, struct artifact *a)
{
	const char *if_range = http_header(c->rq, "If-Range");
	uint64_t n = a->n_head + a->n_column, from = 0, end = n;
	enum range range;
	int rc = make_etag(c, a);

	if (rc)
		return rc;
	http_add_header(c->rs, "Accept-Ranges", "bytes");
	if (cond_not_modified(c->rq, c->rs, a->etag))
		return 0;
	range = range_of(http_header(c->rq, "Range"), n, &from, &end);
	if (if_range && strcmp(if_range, a->etag) != 0)
		range = RANGE_NONE;
	if (range == RANGE_BAD)
		return not_satisfiable(c->rq, c->rs, n);
	return range == RANGE_PART ? send_bytes(c, a, from, end, true)
				   : send_bytes(c, a, 0, n, false);
}

static int one(struct api_result *c)
{
	struct artifact *a = NEW(c->rq->arena, struct artifact, 1);
	int rc;

	if (!a)
		return err_nomem(&c->err);
	*a = (struct artifact){ .store = c->api->store, .fd = -1 };
	rc = find(c, c->rq->arg[1], a);
	if (!rc)
		rc = answer(c, a);
	if (!c->rs->file.read)
		on_free(a);
	return rc;
}

int api_artifact_get(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	return api_result_serve_file(api, rq, rs, errors, one);
}
