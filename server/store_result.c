/* store_result.c - columns of a run's directory into chunks, and rows out of them.
 *
 * Chunks are smaller than they might be (1 MiB): a window of a long column then reads little more
 * than itself. All but a column's last have the same size, so a byte's chunk is known without
 * asking. */
/* SPDX-License-Identifier: MIT */
#include "server/store_result.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/rundir.h"
#include "server/dump.h"
#include "server/store_db.h"
#include "server/store_sql.h"

enum { CHUNK = 1 << 20, CHUNKS_AT_ONCE = 4, RESULT_MAX = 1 << 28 };

/* ---- staging ---- */

struct stage {
	struct store *s;
	int dir_fd;
	char *block; /* [CHUNK] */
	bool open;   /* a transaction is */
	int chunks;  /* in it */
};

static int begin(struct stage *g, struct err *err)
{
	int rc = g->open ? 0 : store_begin(g->s, err);

	g->open = rc == 0;
	return rc;
}

static int commit(struct stage *g, struct err *err)
{
	if (!g->open)
		return 0;
	g->open = false;
	g->chunks = 0;
	return store_commit(g->s, err);
}

/* The id an INSERT ... RETURNING gives. */
static int returned(struct store_stmt *q, int64_t *ret, struct err *err)
{
	int rc = store_step(q, err);

	if (rc == 1) {
		*ret = store_int(q, 0);
		rc = store_step(q, err);
	}
	store_end(q);
	return rc < 0 ? rc : 0;
}

static int read_block(int fd, char *to, size_t n, struct err *err)
{
	while (n > 0) {
		ssize_t got = read(fd, to, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_IO, NULL, "a column cannot be read: %s",
				       strerror(errno));
		if (got == 0)
			return err_set(err, ERR_CORRUPT, NULL,
				       "a column is shorter than result.json says");
		to += got;
		n -= (size_t)got;
	}
	return 0;
}

static int add_chunk(struct stage *g, int64_t column, uint64_t offset, size_t n, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = begin(g, err);

	if (!rc)
		rc = store_start(&q, g->s, SQL_CHUNK_ADD, err);
	if (rc)
		return rc;
	store_bind_int(q, 1, column);
	store_bind_int(q, 2, (int64_t)offset);
	store_bind_blob(q, 3, g->block, n);
	rc = store_step(q, err);
	store_end(q);
	if (rc < 0)
		return rc;
	return ++g->chunks >= CHUNKS_AT_ONCE ? commit(g, err) : 0;
}

static int add_chunks(struct stage *g, int64_t column, const char *file, uint64_t bytes,
		      struct err *err)
{
	int fd = openat(g->dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int rc = 0;

	if (fd < 0)
		return err_set(err, ERR_CORRUPT, NULL, "column file %s cannot be opened: %s", file,
			       strerror(errno));
	for (uint64_t at = 0; !rc && at < bytes; at += CHUNK) {
		size_t n = bytes - at < CHUNK ? (size_t)(bytes - at) : CHUNK;

		rc = read_block(fd, g->block, n, err);
		if (!rc)
			rc = add_chunk(g, column, at, n, err);
	}
	(void)close(fd);
	return rc;
}

bool store_column_type(const char *descr, enum npy_type *ret)
{
	for (int t = 0; descr && t < (int)NPY_N; t++)
		if (strcmp(npy_descr((enum npy_type)t), descr) == 0) {
			*ret = (enum npy_type)t;
			return true;
		}
	return false;
}

static int64_t whole(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static int stage_column(struct stage *g, int64_t recording, int64_t position, const json_t *column,
			struct err *err)
{
	const char *name = json_string_value(json_object_get(column, "name"));
	const char *type = json_string_value(json_object_get(column, "type"));
	const char *file = json_string_value(json_object_get(column, "file"));
	int64_t rows = whole(column, "rows"), width = whole(column, "width"), bytes, id = 0;
	struct store_stmt *q = NULL;
	enum npy_type t = NPY_N;
	int rc;

	if (!name || !file || strchr(file, '/') || !store_column_type(type, &t) || rows < 0 ||
	    width < 0 || __builtin_mul_overflow(rows, width, &bytes) ||
	    __builtin_mul_overflow(bytes, (int64_t)npy_size(t), &bytes))
		return err_set(err, ERR_CORRUPT, NULL,
			       "result.json: column %" PRId64 " of a recording is malformed",
			       position);
	rc = begin(g, err);
	if (!rc)
		rc = store_start(&q, g->s, SQL_COLUMN_ADD, err);
	if (rc)
		return rc;
	store_bind_int(q, 1, recording);
	store_bind_int(q, 2, position);
	store_bind_text(q, 3, name);
	store_bind_text(q, 4, type);
	store_bind_int(q, 5, rows);
	store_bind_int(q, 6, width);
	rc = returned(q, &id, err);
	return rc || bytes == 0 ? rc : add_chunks(g, id, file, (uint64_t)bytes, err);
}

static int add_recording(struct stage *g, const char *run_id, const json_t *r, int64_t *ret,
			 struct err *err)
{
	const char *kind = json_string_value(json_object_get(r, "kind"));
	const char *subject = json_string_value(json_object_get(r, "subject"));
	const char *name = json_string_value(json_object_get(r, "name"));
	const json_t *meta = json_object_get(r, "meta");
	CLEANUP(buf_release) struct buf text;
	struct store_stmt *q = NULL;
	int rc = begin(g, err);

	buf_init(&text, RESULT_MAX);
	if (meta)
		(void)dump_json(&text, meta);
	else
		(void)buf_str(&text, "{}");
	if (!rc && text.failed)
		rc = err_nomem(err);
	if (!rc && (!kind || !subject || !name))
		rc = err_set(err, ERR_CORRUPT, NULL,
			     "result.json: a recording has no kind, subject or name");
	if (!rc)
		rc = store_start(&q, g->s, SQL_RECORDING_ADD, err);
	if (!rc) {
		store_bind_text(q, 1, run_id);
		store_bind_text(q, 2, kind);
		store_bind_text(q, 3, subject);
		store_bind_text(q, 4, name);
		store_bind_text(q, 5, text.data);
		rc = returned(q, ret, err);
	}
	return rc;
}

static int stage_recording(struct stage *g, const char *run_id, const json_t *r, struct err *err)
{
	const json_t *columns = json_object_get(r, "columns"), *column;
	int64_t id = 0;
	size_t i;
	int rc;

	if (json_array_size(columns) > STORE_COLUMNS_MAX)
		return err_set(err, ERR_LIMIT, NULL, "a recording has %zu columns, more than %d",
			       json_array_size(columns), STORE_COLUMNS_MAX);
	rc = add_recording(g, run_id, r, &id, err);
	json_array_foreach(columns, i, column)
	{
		if (rc)
			break;
		rc = stage_column(g, id, (int64_t)i, column, err);
	}
	return rc;
}

static int load_result(int dir_fd, json_t **ret, struct err *err)
{
	int fd = openat(dir_fd, RUNDIR_RESULT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	char *text;
	int rc;

	if (fd < 0)
		return err_set(err, ERR_CORRUPT, NULL, "the run left no result.json");
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > RESULT_MAX) {
		(void)close(fd);
		return err_set(err, ERR_CORRUPT, NULL,
			       "result.json is not a file of at most %d bytes", RESULT_MAX);
	}
	text = mem_alloc((size_t)st.st_size + 1, 1);
	rc = text ? read_block(fd, text, (size_t)st.st_size, err) : err_nomem(err);
	(void)close(fd);
	if (!rc) {
		*ret = json_loadb(text, (size_t)st.st_size, 0, NULL);
		if (!*ret)
			rc = err_set(err, ERR_CORRUPT, NULL, "result.json is not JSON");
	}
	mem_free(text);
	return rc;
}

int store_result_stage(struct store *s, const char *run_id, int dir_fd, struct err *err)
{
	struct stage g = { .s = s, .dir_fd = dir_fd };
	json_t *result = NULL, *recording;
	size_t i;
	int rc = load_result(dir_fd, &result, err);

	if (rc)
		return rc;
	g.block = mem_alloc(CHUNK, 1);
	if (!g.block)
		rc = err_nomem(err);
	json_array_foreach(json_object_get(result, "recordings"), i, recording)
	{
		if (rc)
			break;
		rc = stage_recording(&g, run_id, recording, err);
	}
	if (!rc)
		rc = commit(&g, err);
	else if (g.open)
		store_rollback(s);
	mem_free(g.block);
	json_decref(result);
	return rc;
}

int store_result_show(struct store *s, const char *run_id, struct err *err)
{
	return store_exec(s, SQL_RECORDING_SHOW, err, "t", run_id);
}

int store_result_drop(struct store *s, const char *run_id, struct err *err)
{
	int rc = store_begin(s, err);

	if (rc)
		return rc;
	rc = run_id ? store_exec(s, SQL_RECORDING_DROP, err, "t", run_id)
		    : store_exec(s, SQL_RECORDING_DROP_HIDDEN, err, "");
	if (rc) {
		store_rollback(s);
		return rc;
	}
	return store_commit(s, err);
}

/* ---- reading ---- */

static int read_columns(struct store *s, struct store_recording *r, struct mem_arena *arena,
			struct err *err)
{
	struct store_stmt *q = NULL;
	int rc;

	r->columns = NEW(arena, struct store_column, STORE_COLUMNS_MAX);
	if (!r->columns)
		return err_nomem(err);
	rc = store_start(&q, s, SQL_COLUMN_LIST, err);
	if (rc)
		return rc;
	store_bind_int(q, 1, r->id);
	while (r->n_columns < STORE_COLUMNS_MAX && (rc = store_step(q, err)) == 1) {
		struct store_column *c = &r->columns[r->n_columns++];

		c->id = store_int(q, 0);
		(void)snprintf(c->name, sizeof(c->name), "%s", store_text(q, 1));
		if (!store_column_type(store_text(q, 2), &c->type)) {
			rc = err_set(err, ERR_CORRUPT, NULL, "column %s has an unknown type",
				     c->name);
			break;
		}
		c->rows = (uint64_t)store_int(q, 3);
		c->width = (uint64_t)store_int(q, 4);
	}
	store_end(q);
	return rc < 0 ? rc : 0;
}

/* A list that grows in an arena; what it leaves behind is at most as much again. */
static int grow(struct mem_arena *arena, struct store_recording **list, size_t n, size_t *cap,
		struct err *err)
{
	struct store_recording *bigger;

	if (n < *cap)
		return 0;
	*cap = *cap ? 2 * *cap : 8;
	bigger = NEW(arena, struct store_recording, *cap);
	if (!bigger)
		return err_nomem(err);
	if (n)
		memcpy(bigger, *list, n * sizeof(**list));
	*list = bigger;
	return 0;
}

static int take(struct store_stmt *q, struct mem_arena *arena, struct store_recording *ret,
		struct err *err)
{
	*ret = (struct store_recording){
		.id = store_int(q, 0),
		.kind = mem_arena_strdup(arena, store_text(q, 1)),
		.subject = mem_arena_strdup(arena, store_text(q, 2)),
		.name = mem_arena_strdup(arena, store_text(q, 3)),
		.meta = mem_arena_strdup(arena, store_text(q, 4)),
	};
	return ret->kind && ret->subject && ret->name && ret->meta ? 0 : err_nomem(err);
}

int store_result_find(struct store *s, const char *run_id, const char *kind, const char *subject,
		      const char *name, struct mem_arena *arena, struct store_recording **ret,
		      size_t *ret_n, struct err *err)
{
	struct store_recording *list = NULL;
	struct store_stmt *q = NULL;
	size_t n = 0, cap = 0;
	int rc = store_start(&q, s, SQL_RECORDING_FIND, err);

	if (rc)
		return rc;
	store_bind_text(q, 1, run_id);
	store_bind_text(q, 2, kind);
	store_bind_text(q, 3, subject);
	store_bind_text(q, 4, name);
	while ((rc = store_step(q, err)) == 1) {
		rc = grow(arena, &list, n, &cap, err);
		if (!rc)
			rc = take(q, arena, &list[n], err);
		if (rc)
			break;
		n++;
	}
	store_end(q);
	for (size_t i = 0; rc >= 0 && i < n; i++)
		rc = read_columns(s, &list[i], arena, err);
	if (rc < 0)
		return rc;
	*ret = list;
	*ret_n = n;
	return 0;
}

/* Bytes [from, to) of a column. */
static int read_bytes(struct store *s, const struct store_column *c, uint64_t from, uint64_t to,
		      char *out, struct err *err)
{
	struct store_stmt *q = NULL;
	uint64_t at = from;
	int rc = store_start(&q, s, SQL_CHUNK_READ, err);

	if (rc)
		return rc;
	store_bind_int(q, 1, c->id);
	store_bind_int(q, 2, (int64_t)(from - from % CHUNK));
	store_bind_int(q, 3, (int64_t)to);
	while (at < to && (rc = store_step(q, err)) == 1) {
		uint64_t offset = (uint64_t)store_int(q, 0), end;
		size_t n = 0;
		const char *data = store_blob(q, 1, &n);

		end = offset + n < to ? offset + n : to;
		if (offset > at || end <= at)
			break;
		memcpy(out + (at - from), data + (at - offset), (size_t)(end - at));
		at = end;
	}
	store_end(q);
	if (rc < 0)
		return rc;
	return at == to ? 0
			: err_set(err, ERR_CORRUPT, NULL,
				  "column %s: bytes are missing at %" PRIu64, c->name, at);
}

uint64_t store_column_row(const struct store_column *c)
{
	return c->width * npy_size(c->type);
}

uint64_t store_column_bytes(const struct store_column *c)
{
	return c->rows * store_column_row(c);
}

int store_column_room(const struct store_column *c, uint64_t row0, uint64_t row1,
		      struct mem_arena *arena, char **ret, struct err *err)
{
	uint64_t row = store_column_row(c);

	if (row1 > c->rows || row0 > row1)
		return err_set(err, ERR_INTERNAL, NULL,
			       "rows %" PRIu64 " to %" PRIu64 " of a column with %" PRIu64, row0,
			       row1, c->rows);
	*ret = mem_arena_alloc(arena, (size_t)(row1 - row0) + 1, (size_t)row + (row == 0));
	return *ret ? 0
		    : err_set(err, ERR_LIMIT, NULL,
			      "this answer needs more memory than a request may have; ask for "
			      "less at once");
}

int store_result_read(struct store *s, const struct store_column *c, uint64_t row0, uint64_t row1,
		      struct mem_arena *arena, const void **ret, struct err *err)
{
	uint64_t row = store_column_row(c);
	char *out = NULL;
	int rc = store_column_room(c, row0, row1, arena, &out, err);

	if (!rc && row && row1 > row0)
		rc = read_bytes(s, c, row0 * row, row1 * row, out, err);
	if (!rc)
		*ret = out;
	return rc;
}

int store_result_part(struct store *s, const struct store_column *c, uint64_t at, size_t max,
		      char *out, size_t *ret_n, struct err *err)
{
	uint64_t bytes = store_column_bytes(c), end = at - at % CHUNK + CHUNK;

	end = end < bytes ? end : bytes;
	if (at >= end)
		return err_set(err, ERR_INTERNAL, NULL,
			       "byte %" PRIu64 " of a column with %" PRIu64, at, bytes);
	*ret_n = end - at < max ? (size_t)(end - at) : max;
	return read_bytes(s, c, at, at + *ret_n, out, err);
}
