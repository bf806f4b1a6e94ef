/* dataset.c - telling kinds apart, and the files of data sets. */
/* SPDX-License-Identifier: MIT */
#include "server/dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/gzip.h"
#include "server/id.h"
#include "server/npz.h"
#include "server/store_dataset.h"

enum { PATH_SIZE = 4096, COPY_BLOCK = 1 << 16 };

/* ---- kinds ---- */

static bool is_npy(const unsigned char *b, size_t n)
{
	return n >= 8 && memcmp(b, "\x93NUMPY", 6) == 0;
}

static bool is_idx(const unsigned char *b, size_t n)
{
	return n >= 4 && b[0] == 0 && b[1] == 0 && b[3] > 0;
}

/* No text has control characters but these. */
static bool is_text(const unsigned char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (b[i] < 32 && !strchr("\t\n\r\f", b[i]))
			return false;
	return n > 0 && !memchr(b, 0, n);
}

static int parse_plain(struct dataset *ret, const unsigned char *b, size_t n, size_t max,
		       struct mem_arena *arena, struct err *err)
{
	if (is_npy(b, n))
		return dataset_npy(ret, b, n, arena, err);
	if (npz_is(b, n))
		return dataset_npz(ret, b, n, max, arena, err);
	if (dataset_wav_is(b, n))
		return dataset_wav(ret, b, n, arena, err);
	if (is_idx(b, n))
		return dataset_idx(ret, b, n, arena, err);
	if (is_text(b, n))
		return dataset_csv(ret, (const char *)b, n, arena, err);
	return err_set(err, ERR_CORRUPT, NULL,
		       "expected IDX, NPY, NPZ, WAV, a zip of WAVs or CSV, each also gzipped; "
		       "these %zu bytes are none",
		       n);
}

int dataset_parse(struct dataset *ret, const void *bytes, size_t n, size_t max,
		  struct mem_arena *arena, struct err *err)
{
	struct dataset d = { 0 };
	int rc;

	if (gzip_is(bytes, n)) {
		buf_init(&d.plain, max);
		rc = gzip_expand(&d.plain, bytes, n, err);
		if (!rc)
			rc = parse_plain(&d, (const unsigned char *)d.plain.data, d.plain.len, max,
					 arena, err);
	} else {
		rc = parse_plain(&d, bytes, n, max, arena, err);
	}
	if (rc) {
		dataset_release(&d);
		return rc;
	}
	*ret = d;
	return 0;
}

void dataset_release(struct dataset *d)
{
	buf_release(&d->plain);
	*d = (struct dataset){ 0 };
}

bool dataset_field_valid(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

	return n > 0 && n < DATASET_NAME_MAX && name[n] == '\0';
}

size_t dataset_bytes(const struct npy_header *shape)
{
	size_t n = npy_size(shape->type);

	for (int i = 0; i < shape->n_dims; i++)
		n *= (size_t)shape->dim[i];
	return n;
}

const char *dataset_dtype(enum npy_type type)
{
	static const char *const name[NPY_N] = {
		[NPY_I64] = "int64",   [NPY_U32] = "uint32", [NPY_F64] = "float64",
		[NPY_F32] = "float32", [NPY_U8] = "uint8",   [NPY_I32] = "int32",
		[NPY_U16] = "uint16",  [NPY_I16] = "int16",  [NPY_I8] = "int8",
		[NPY_U64] = "uint64",  [NPY_BOOL] = "bool",
	};

	return name[type];
}

/* ---- files ---- */

static void path_of(const struct store *s, char path[PATH_SIZE], const char *id, const char *field,
		    const char *end)
{
	(void)snprintf(path, PATH_SIZE, "%s/datasets/%s.%s.npy%s", store_dir(s), id, field, end);
}

static int io_error(struct err *err, const char *what)
{
	return err_set(err, errno == ENOSPC || errno == EDQUOT ? ERR_NOSPACE : ERR_IO, NULL,
		       "%s: %s", what, strerror(errno));
}

static int write_all(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int save_field(struct store *s, const char *id, const struct dataset_field *f,
		      struct err *err)
{
	char part[PATH_SIZE], path[PATH_SIZE];
	struct buf head;
	int fd, rc;

	path_of(s, path, id, f->name, "");
	path_of(s, part, id, f->name, ".part");
	buf_init(&head, 4096);
	rc = npy_write_header(&head, &f->shape, err);
	if (rc) {
		buf_release(&head);
		return rc;
	}
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write_all(fd, head.data, head.len) ||
	    write_all(fd, f->data, dataset_bytes(&f->shape)) || fsync(fd))
		rc = io_error(err, "a field of the data set cannot be written");
	if (fd >= 0 && close(fd) && !rc)
		rc = io_error(err, "a field of the data set cannot be written");
	if (!rc && rename(part, path))
		rc = io_error(err, "a field of the data set cannot be renamed");
	if (rc)
		(void)unlink(part);
	buf_release(&head);
	return rc;
}

static void drop_field(struct store *s, const char *id, const char *field)
{
	char path[PATH_SIZE];

	path_of(s, path, id, field, "");
	(void)unlink(path);
}

int dataset_save(struct store *s, const char *id, const struct dataset *d, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < d->n_fields; i++)
		if (!d->fields[i].text)
			rc = save_field(s, id, &d->fields[i], err);
	for (size_t i = 0; rc && i < d->n_fields; i++)
		drop_field(s, id, d->fields[i].name);
	return rc;
}

void dataset_drop(struct store *s, const char *id, const char *fields)
{
	json_t *all = json_loads(fields, 0, NULL), *f;
	size_t i;

	json_array_foreach(all, i, f)
	{
		const char *name = json_string_value(json_object_get(f, "name"));

		if (name && dataset_field_valid(name))
			drop_field(s, id, name);
	}
	json_decref(all);
}

static int copy(const char *path, int dir_fd, const char *name, struct err *err)
{
	char block[COPY_BLOCK];
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int to = from < 0 ? -1
			  : openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = 0;
	int rc = 0;

	if (to < 0)
		rc = io_error(err, "a data set cannot be copied");
	while (!rc && (n = read(from, block, sizeof(block))) != 0)
		if ((n < 0 && errno != EINTR) || (n > 0 && write_all(to, block, (size_t)n)))
			rc = io_error(err, "a data set cannot be copied");
	if (from >= 0)
		(void)close(from);
	if (to >= 0 && close(to) && !rc)
		rc = io_error(err, "a data set cannot be copied");
	return rc;
}

static int link_field(struct store *s, const char *id, const char *field, int dir_fd,
		      struct err *err)
{
	char path[PATH_SIZE], name[ID_SIZE + DATASET_NAME_MAX + 8];

	path_of(s, path, id, field, "");
	(void)snprintf(name, sizeof(name), "%s.%s.npy", id, field);
	if (linkat(AT_FDCWD, path, dir_fd, name, 0) == 0 || errno == EEXIST)
		return 0;
	return copy(path, dir_fd, name, err);
}

int dataset_link(struct store *s, const char *id, int dir_fd, struct err *err)
{
	struct store_dataset d;
	struct mem_arena arena;
	json_t *fields, *f;
	size_t i;
	int rc;

	mem_arena_init(&arena, 0);
	rc = store_dataset_get(s, id, &arena, &d, err);
	fields = rc ? NULL : json_loads(d.fields, 0, NULL);
	json_array_foreach(fields, i, f)
	{
		const char *name = json_string_value(json_object_get(f, "name"));

		if (!rc && name && dataset_field_valid(name) &&
		    !json_is_true(json_object_get(f, "text")))
			rc = link_field(s, id, name, dir_fd, err);
	}
	if (!rc && !fields)
		rc = err_nomem(err);
	json_decref(fields);
	mem_arena_release(&arena);
	return rc;
}

/* ---- for the validation of specs ---- */

/* Row `row` of the array, or all of it, as doubles. */
static int convert(const unsigned char *bytes, size_t n, int64_t row, struct mem_arena *arena,
		   const double **ret_values, size_t *ret_n, struct err *err)
{
	struct npy_header h = { 0 };
	size_t count = 1, first = 0;
	double *x;
	int rc = npy_parse(&h, bytes, n, err);

	if (rc)
		return rc;
	for (int i = row >= 0 ? 1 : 0; i < h.n_dims; i++)
		count *= (size_t)h.dim[i];
	if (row >= 0 && (h.n_dims == 0 || (uint64_t)row >= h.dim[0]))
		return err_set(err, ERR_RANGE, NULL,
			       "the data set has rows 0 to %" PRIu64
			       ", so there is no row %" PRId64,
			       h.n_dims ? h.dim[0] - 1 : 0, row);
	if (row > 0)
		first = (size_t)row * count;
	x = NEW(arena, double, count + 1);
	if (!x)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++)
		x[i] = npy_get(h.type, bytes + h.data_offset, first + i);
	*ret_values = x;
	*ret_n = count;
	return 0;
}

static int load(void *self, const char *id, const char *field, int64_t row, struct mem_arena *arena,
		const double **ret_values, size_t *ret_n, struct err *err)
{
	char path[PATH_SIZE];
	struct stat st;
	void *bytes = MAP_FAILED;
	int fd, rc;

	if (!id_valid(id) || !dataset_field_valid(field))
		return err_set(err, ERR_NOTFOUND, NULL,
			       "there is no data set \"%.40s\" with a field \"%.40s\"", id, field);
	path_of(self, path, id, field, "");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_NOTFOUND, NULL,
			       "there is no data set \"%s\" with a field \"%s\"", id, field);
	if (fstat(fd, &st) == 0 && st.st_size > 0)
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	if (bytes == MAP_FAILED)
		return err_set(err, ERR_IO, NULL, "data set \"%s\" cannot be read", id);
	rc = convert(bytes, (size_t)st.st_size, row, arena, ret_values, ret_n, err);
	(void)munmap(bytes, (size_t)st.st_size);
	return rc;
}

void dataset_source(struct spec_datasets *ret, struct store *s)
{
	*ret = (struct spec_datasets){ .self = s, .load = load };
}
