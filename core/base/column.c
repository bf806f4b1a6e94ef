/* column - append-only files of little-endian values. */
/* SPDX-License-Identifier: MIT */
#include "core/base/column.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mem.h"

/* Values go out as they lie in memory. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "columns are little-endian");

enum { BUFFER = 64 * 1024 };

struct column {
	int fd;
	uint64_t row_bytes;
	uint64_t rows; /* added, buffered ones included */
	size_t used;   /* bytes in the buffer */
	char name[64]; /* for messages */
	unsigned char buffer[BUFFER];
};

static int failed(const struct column *c, const char *what, struct err *err)
{
	enum err_code code =
		errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ERR_NOSPACE : ERR_IO;

	return err_set(err, code, NULL, "cannot %s %s: %s", what, c->name, strerror(errno));
}

static int open_column(struct column **ret, int dir_fd, const char *file, uint64_t row_bytes,
		       int flags, struct err *err)
{
	struct column *c = mem_alloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_nomem(err);
	c->row_bytes = row_bytes;
	(void)snprintf(c->name, sizeof(c->name), "%s", file);
	c->fd = openat(dir_fd, file, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	if (c->fd < 0) {
		r = failed(c, "create", err);
		mem_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

int column_open(struct column **ret, int dir_fd, const char *file, enum npy_type type,
		uint64_t width, struct err *err)
{
	return open_column(ret, dir_fd, file, width * npy_size(type), O_TRUNC, err);
}

int column_keep(struct column **ret, int dir_fd, const char *file, enum npy_type type,
		uint64_t width, struct err *err)
{
	return open_column(ret, dir_fd, file, width * npy_size(type), 0, err);
}

static int write_all(struct column *c, const unsigned char *p, size_t n, struct err *err)
{
	while (n > 0) {
		ssize_t done = write(c->fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return failed(c, "write", err);
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

int column_flush(struct column *c, struct err *err)
{
	size_t n = c->used;

	c->used = 0;
	return write_all(c, c->buffer, n, err);
}

int column_sync(struct column *c, struct err *err)
{
	int r = column_flush(c, err);

	return r || fdatasync(c->fd) == 0 ? r : failed(c, "write", err);
}

int column_restore(struct column *c, uint64_t rows, struct err *err)
{
	uint64_t bytes;
	struct stat st;
	int r = column_flush(c, err);

	if (r)
		return r;
	if (fstat(c->fd, &st) < 0)
		return failed(c, "read", err);
	if (__builtin_mul_overflow(rows, c->row_bytes, &bytes) || bytes > (uint64_t)st.st_size)
		return err_set(err, ERR_CORRUPT, NULL, "%s has fewer rows than were saved",
			       c->name);
	if (ftruncate(c->fd, (off_t)bytes) < 0 || lseek(c->fd, 0, SEEK_END) < 0)
		return failed(c, "truncate", err);
	c->rows = rows;
	return 0;
}

int column_add(struct column *c, const void *values, uint64_t rows, struct err *err)
{
	size_t bytes;
	int r = 0;

	if (__builtin_mul_overflow(rows, c->row_bytes, &bytes))
		return err_set(err, ERR_LIMIT, NULL, "too many rows for %s", c->name);
	if (bytes > BUFFER - c->used)
		r = column_flush(c, err);
	if (!r && bytes > BUFFER) {
		r = write_all(c, values, bytes, err);
	} else if (!r && bytes > 0) {
		memcpy(c->buffer + c->used, values, bytes);
		c->used += bytes;
	}
	if (!r)
		c->rows += rows;
	return r;
}

uint64_t column_rows(const struct column *c)
{
	return c->rows;
}

int column_close(struct column *c, struct err *err)
{
	int r;

	if (!c)
		return 0;
	r = column_flush(c, err);
	if (close(c->fd) < 0 && !r)
		r = failed(c, "close", err);
	mem_free(c);
	return r;
}
