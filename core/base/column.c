/* column - append-only files of little-endian values. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* copy_file_range */
#include "core/base/column.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mem.h"

/* Values go out as they lie in memory. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "columns are little-endian");

enum { BUFFER = 64 * 1024, CHUNK = 1 << 30 };

struct column {
	int dir_fd; /* borrowed */
	int fd;
	uint64_t row_bytes;
	uint64_t rows; /* added, buffered ones included */
	size_t used;   /* bytes in the buffer */
	bool unsynced; /* there is something that may not be on the disk */
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
	struct column *c = mem_raw_alloc(sizeof(*c));
	int r;

	if (!c)
		return err_nomem(err);
	/* Not the buffer: pages that nothing is written to cost nothing. */
	memset(c, 0, offsetof(struct column, buffer));
	c->unsynced = true;
	c->row_bytes = row_bytes;
	c->dir_fd = dir_fd;
	(void)snprintf(c->name, sizeof(c->name), "%s", file);
	c->fd = openat(dir_fd, file, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644);
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

	if (r || !c->unsynced)
		return r;
	if (fdatasync(c->fd) < 0)
		return failed(c, "write", err);
	c->unsynced = false;
	return 0;
}

/* The first `bytes` bytes of a file into another, by the file system itself where it can: it may then
 * share them. Offsets are told: others may have the same open file. 0, or -1 with errno. */
static int copy(int from, int to, uint64_t bytes)
{
	unsigned char buffer[4096];
	off_t at = 0, end = (off_t)bytes;

	while (at < end) {
		size_t left = (size_t)(end - at);
		off_t in = at, out = at;
		ssize_t n = copy_file_range(from, &in, to, &out, left < CHUNK ? left : CHUNK, 0);

		if (n < 0 && errno != EINTR && errno != ENOSPC && errno != EDQUOT) {
			n = pread(from, buffer, left < sizeof(buffer) ? left : sizeof(buffer), at);
			if (n > 0)
				n = pwrite(to, buffer, (size_t)n, at);
		}
		if (n == 0)
			errno = EIO; /* it has less than was said */
		if (n == 0 || (n < 0 && errno != EINTR))
			return -1;
		at += n > 0 ? n : 0;
	}
	return lseek(to, end, SEEK_SET) < 0 ? -1 : 0;
}

/* Bytes of so many rows, which the file must have. */
static int measure(const struct column *c, int fd, uint64_t rows, uint64_t *ret_bytes,
		   nlink_t *ret_links, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failed(c, "read", err);
	if (__builtin_mul_overflow(rows, c->row_bytes, ret_bytes) ||
	    *ret_bytes > (uint64_t)st.st_size)
		return err_set(err, ERR_CORRUPT, NULL, "%s has fewer rows than were saved",
			       c->name);
	*ret_links = st.st_nlink;
	return 0;
}

/* Go on in a new file: made under another name, then put in the old one's place. */
static int replace(struct column *c, int dir_fd, uint64_t bytes, struct err *err)
{
	char part[sizeof(c->name) + 8];
	int fd, r = 0;

	(void)snprintf(part, sizeof(part), "%s.part", c->name);
	fd = openat(dir_fd, part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return failed(c, "create", err);
	if (copy(c->fd, fd, bytes) || renameat(dir_fd, part, dir_fd, c->name))
		r = failed(c, "copy", err);
	if (r) {
		(void)unlinkat(dir_fd, part, 0);
		(void)close(fd);
		return r;
	}
	(void)close(c->fd);
	c->fd = fd;
	c->dir_fd = dir_fd;
	c->unsynced = true;
	return 0;
}

int column_restore(struct column *c, uint64_t rows, struct err *err)
{
	uint64_t bytes = 0;
	nlink_t links = 0;
	int r = column_flush(c, err);

	if (!r)
		r = measure(c, c->fd, rows, &bytes, &links, err);
	if (r)
		return r;
	c->rows = rows;
	c->unsynced = true;
	if (links > 1)
		return replace(c, c->dir_fd, bytes, err);
	if (ftruncate(c->fd, (off_t)bytes) < 0 || lseek(c->fd, 0, SEEK_END) < 0)
		return failed(c, "truncate", err);
	return 0;
}

int column_take(struct column *c, int dir_fd, const char *file, uint64_t rows, struct err *err)
{
	int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint64_t bytes = 0;
	nlink_t links = 0;
	int r;

	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, NULL,
			       "cannot open %s: %s", file, strerror(errno));
	r = measure(c, fd, rows, &bytes, &links, err);
	c->used = 0;
	c->unsynced = true;
	if (!r && (copy(fd, c->fd, bytes) || ftruncate(c->fd, (off_t)bytes)))
		r = failed(c, "copy", err);
	(void)close(fd);
	c->rows = r ? 0 : rows;
	return r;
}

int column_move(struct column *c, int dir_fd, struct err *err)
{
	return replace(c, dir_fd, c->rows * c->row_bytes - c->used, err);
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
	c->unsynced = c->unsynced || rows > 0;
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
