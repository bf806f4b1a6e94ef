/* engine_data.c - files of a run's directory: bounded, never by a name that leaves it. */
/* SPDX-License-Identifier: MIT */
#include "core/engine_data.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/npy.h"
#include "core/rundir.h"

static int open_file(int dir_fd, const char *path, size_t max, size_t *ret_n, struct err *err)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	enum err_code code = ERR_IO;
	struct stat st;

	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "",
			       "cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*ret_n = (size_t)st.st_size;
		if (*ret_n <= max)
			return fd;
		code = ERR_LIMIT;
	}
	(void)close(fd);
	if (code == ERR_LIMIT)
		return err_set(err, ERR_LIMIT, "", "%s has %zu bytes, more than %zu", path, *ret_n,
			       max);
	return err_set(err, ERR_IO, "", "%s is not a regular file", path);
}

static int read_all(int fd, char *to, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, to, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		to += got;
		n -= (size_t)got;
	}
	return 0;
}

int engine_data_read(int dir_fd, const char *file, size_t max, char **ret, size_t *ret_n,
		     struct err *err)
{
	size_t n = 0;
	int fd = open_file(dir_fd, file, max, &n, err);
	int rc = 0;
	char *text;

	if (fd < 0)
		return fd;
	text = mem_alloc(n + 1, 1);
	if (!text)
		rc = err_nomem(err);
	else if (read_all(fd, text, n))
		rc = err_set(err, ERR_IO, "", "cannot read %s", file);
	(void)close(fd);
	if (rc) {
		mem_free(text);
		return rc;
	}
	*ret = text;
	*ret_n = n;
	return 0;
}

int engine_data_spec(int dir_fd, char **ret, size_t *ret_n, struct err *err)
{
	return engine_data_read(dir_fd, RUNDIR_SPEC, ENGINE_DATA_SPEC_MAX, ret, ret_n, err);
}

static int write_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, bytes, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		bytes += done;
		n -= (size_t)done;
	}
	return 0;
}

int engine_data_write(int dir_fd, const char *file, const char *bytes, size_t n, struct err *err)
{
	char part[2 * ENGINE_DATA_NAME_MAX + 16];
	int fd, rc;

	(void)snprintf(part, sizeof(part), "%s.part", file);
	fd = openat(dir_fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	rc = fd < 0 ? -1 : write_all(fd, bytes, n);
	if (fd >= 0 && (close(fd) || (!rc && renameat(dir_fd, part, dir_fd, file))))
		rc = -1;
	if (!rc)
		return 0;
	rc = err_set(err, errno == ENOSPC || errno == EDQUOT ? ERR_NOSPACE : ERR_IO, "",
		     "cannot write %s: %s", file, strerror(errno));
	(void)unlinkat(dir_fd, part, 0);
	return rc;
}

static bool is_name(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			     "0123456789_-");

	return n > 0 && n <= ENGINE_DATA_NAME_MAX && s[n] == '\0';
}

/* Rows [row, row + 1), or all, as doubles in the arena. */
static int convert(const void *bytes, size_t n, int64_t row, struct mem_arena *arena,
		   const double **ret_values, size_t *ret_n, struct err *err)
{
	struct npy_header h;
	size_t count = 1, first = 0;
	double *x;
	int rc = npy_parse(&h, bytes, n, err);

	if (rc)
		return rc;
	for (int i = 0; i < h.n_dims; i++)
		count *= row >= 0 && i == 0 ? 1 : (size_t)h.dim[i]; /* fits: the data are there */
	if (row >= 0) {
		if (h.n_dims == 0 || (uint64_t)row >= h.dim[0])
			return err_set(err, ERR_RANGE, "",
				       "the data set has %" PRIu64
				       " rows, so there is no row %" PRId64,
				       h.n_dims ? h.dim[0] : 0, row);
		first = (size_t)row * count;
	}
	x = NEW(arena, double, count + 1);
	if (!x)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++)
		x[i] = npy_get(h.type, (const char *)bytes + h.data_offset, first + i);
	*ret_values = x;
	*ret_n = count;
	return 0;
}

static int load(void *self, const char *id, const char *field, int64_t row, struct mem_arena *arena,
		const double **ret_values, size_t *ret_n, struct err *err)
{
	char path[2 * ENGINE_DATA_NAME_MAX + 16];
	size_t n = 0;
	void *bytes;
	int fd, rc;

	if (!is_name(id) || !is_name(field))
		return err_set(err, ERR_NOTFOUND, "", "there is no data set of that name");
	(void)snprintf(path, sizeof(path), RUNDIR_DATA "/%s.%s.npy", id, field);
	fd = open_file(*(int *)self, path, SIZE_MAX / 2, &n, err);
	if (fd == -ERR_NOTFOUND)
		return err_set(err, ERR_NOTFOUND, "", "data set \"%s\" has no field \"%s\"", id,
			       field);
	if (fd < 0)
		return fd;
	bytes = n ? mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	(void)close(fd);
	if (n == 0)
		return err_set(err, ERR_CORRUPT, "", "%s is empty", path);
	if (bytes == MAP_FAILED)
		return err_set(err, ERR_IO, "", "cannot map %s: %s", path, strerror(errno));
	rc = convert(bytes, n, row, arena, ret_values, ret_n, err);
	(void)munmap(bytes, n);
	return rc;
}

struct spec_datasets engine_data_sets(int *dir_fd)
{
	return (struct spec_datasets){ .self = dir_fd, .load = load };
}
