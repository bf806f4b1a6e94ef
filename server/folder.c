/* folder.c - result.json and columns, read where they lie. */
/* SPDX-License-Identifier: MIT */
#include "server/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/rundir.h"
#include "server/dump.h"

enum { RESULT_MAX = 1 << 28 };

/* Exactly n bytes from offset. */
static int read_whole(int fd, char *to, size_t n, uint64_t offset, struct err *err)
{
	while (n) {
		ssize_t got = pread(fd, to, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_IO, NULL, "a recording cannot be read: %s",
				       strerror(errno));
		if (got == 0)
			return err_set(err, ERR_CORRUPT, NULL,
				       "a recording is shorter than it says");
		to += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

static int open_file(const struct folder *f, const char *name, int *ret, struct err *err)
{
	*ret = openat(f->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*ret >= 0)
		return 0;
	return errno == ENOENT ? err_set(err, ERR_NOTFOUND, NULL, "there is no %s yet", name)
			       : err_set(err, ERR_IO, NULL, "%s cannot be opened: %s", name,
					 strerror(errno));
}

int folder_text(const struct folder *f, const char *name, size_t max, struct mem_arena *arena,
		const char **ret, struct err *err)
{
	struct stat st = { 0 };
	char *text = NULL;
	int fd, rc = open_file(f, name, &fd, err);

	if (rc)
		return rc;
	if (fstat(fd, &st) || st.st_size < 0 || (uint64_t)st.st_size > max) {
		(void)close(fd);
		return err_set(err, ERR_LIMIT, NULL, "%s is larger than %zu bytes", name, max);
	}
	text = mem_arena_alloc(arena, (size_t)st.st_size + 1, 1);
	rc = text ? read_whole(fd, text, (size_t)st.st_size, 0, err) : err_nomem(err);
	(void)close(fd);
	if (rc)
		return rc;
	text[st.st_size] = '\0';
	*ret = text;
	return 0;
}

int folder_open(struct folder *ret, const char *dir, const char *file, struct err *err)
{
	struct mem_arena arena;
	const char *text = NULL;
	int rc;

	*ret = (struct folder){ .fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	if (ret->fd < 0)
		return err_set(err, ERR_NOTFOUND, NULL, "its folder cannot be opened: %s",
			       strerror(errno));
	mem_arena_init(&arena, 0);
	rc = folder_text(ret, file, RESULT_MAX, &arena, &text, err);
	if (!rc) {
		ret->result = json_loads(text, 0, NULL);
		if (!ret->result)
			rc = err_set(err, ERR_CORRUPT, NULL, "%s is not JSON", file);
	}
	mem_arena_release(&arena);
	if (rc)
		folder_close(ret);
	return rc;
}

void folder_close(struct folder *f)
{
	json_decref(f->result);
	if (f->fd >= 0)
		(void)close(f->fd);
	*f = (struct folder){ .fd = -1 };
}

/* ---- recordings ---- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static bool wanted(const json_t *recording, const char *key, const char *value)
{
	return !value || strcmp(text_of(recording, key), value) == 0;
}

static uint64_t whole(const json_t *object, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(object, key));

	return v > 0 ? (uint64_t)v : 0;
}

/* Column `place` of recording `at`; its id says both. */
static int take_column(struct store_column *ret, const json_t *one, size_t at, size_t place,
		       struct err *err)
{
	enum npy_type type = 0;

	if (!store_column_type(text_of(one, "type"), &type))
		return err_set(err, ERR_CORRUPT, NULL, "a column has the unknown type %.16s",
			       text_of(one, "type"));
	*ret = (struct store_column){
		.id = (int64_t)(at * STORE_COLUMNS_MAX + place),
		.type = type,
		.rows = whole(one, "rows"),
		.width = whole(one, "width"),
	};
	(void)snprintf(ret->name, sizeof(ret->name), "%s", text_of(one, "name"));
	return 0;
}

static int take(struct store_recording *ret, const json_t *one, size_t at, struct mem_arena *arena,
		struct err *err)
{
	const json_t *columns = json_object_get(one, "columns");
	const json_t *meta = json_object_get(one, "meta");
	size_t n = json_array_size(columns);
	struct buf text;
	int rc;

	buf_init(&text, RESULT_MAX);
	rc = dump_json(&text, meta);
	*ret = (struct store_recording){
		.id = (int64_t)at,
		.kind = mem_arena_printf(arena, "%s", text_of(one, "kind")),
		.subject = mem_arena_printf(arena, "%s", text_of(one, "subject")),
		.name = mem_arena_printf(arena, "%s", text_of(one, "name")),
		.meta = mem_arena_printf(arena, "%s", rc ? "" : text.data),
		.n_columns = n,
		.columns = NEW(arena, struct store_column, n + 1),
	};
	buf_release(&text);
	if (rc || !ret->kind || !ret->subject || !ret->name || !ret->meta || !ret->columns)
		return err_nomem(err);
	if (n > STORE_COLUMNS_MAX)
		return err_set(err, ERR_CORRUPT, NULL, "a recording has %zu columns", n);
	for (size_t i = 0; !rc && i < n; i++)
		rc = take_column(&ret->columns[i], json_array_get(columns, i), at, i, err);
	return rc;
}

int folder_find(const struct folder *f, const char *kind, const char *subject, const char *name,
		struct mem_arena *arena, struct store_recording **ret, size_t *ret_n,
		struct err *err)
{
	const json_t *all = json_object_get(f->result, "recordings");
	struct store_recording *list = NEW(arena, struct store_recording, json_array_size(all) + 1);
	size_t n = 0;

	if (!list)
		return err_nomem(err);
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *one = json_array_get(all, i);
		int rc;

		if (!wanted(one, "kind", kind) || !wanted(one, "subject", subject) ||
		    !wanted(one, "name", name))
			continue;
		rc = take(&list[n++], one, i, arena, err);
		if (rc)
			return rc;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

int folder_file(const struct folder *f, const struct store_column *c, int *ret, struct err *err)
{
	const json_t *recording = json_array_get(json_object_get(f->result, "recordings"),
						 (size_t)c->id / STORE_COLUMNS_MAX);
	const json_t *column = json_array_get(json_object_get(recording, "columns"),
					      (size_t)c->id % STORE_COLUMNS_MAX);
	const char *file = text_of(column, "file");

	return strchr(file, '/')
		       ? err_set(err, ERR_CORRUPT, NULL, "a column names no file of its own")
		       : open_file(f, file, ret, err);
}

int folder_read(const struct folder *f, const struct store_column *c, uint64_t row0, uint64_t row1,
		struct mem_arena *arena, const void **ret, struct err *err)
{
	uint64_t row = store_column_row(c);
	char *out = NULL;
	int fd = -1, rc = store_column_room(c, row0, row1, arena, &out, err);

	if (rc)
		return rc;
	*ret = out;
	if (!row || row1 == row0)
		return 0;
	rc = folder_file(f, c, &fd, err);
	if (rc)
		return rc;
	rc = read_whole(fd, out, (size_t)((row1 - row0) * row), row0 * row, err);
	(void)close(fd);
	return rc;
}
