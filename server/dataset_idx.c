/* dataset_idx.c - IDX files: the format MNIST comes in, big-endian.
 *
 * Four bytes: 0, 0, type, number of dimensions; the dimensions, four bytes each; the values. */
/* SPDX-License-Identifier: MIT */
#include "server/dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint32_t big(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool type_of(unsigned char code, enum npy_type *ret)
{
	switch (code) {
	case 0x08:
		*ret = NPY_U8;
		return true;
	case 0x09:
		*ret = NPY_I8;
		return true;
	case 0x0b:
		*ret = NPY_I16;
		return true;
	case 0x0c:
		*ret = NPY_I32;
		return true;
	case 0x0d:
		*ret = NPY_F32;
		return true;
	case 0x0e:
		*ret = NPY_F64;
		return true;
	default:
		return false;
	}
}

static const char *name_of(int n_dims)
{
	if (n_dims == 1)
		return "labels";
	return n_dims == 3 ? "images" : "values";
}

/* The number of values, if the file ends where they end. */
static int count(const struct npy_header *h, size_t at, size_t n, size_t *ret, struct err *err)
{
	size_t size = npy_size(h->type), total = 1, room = (n - at) / size;

	for (int i = 0; i < h->n_dims; i++) {
		uint64_t dim = h->dim[i];

		if (dim == 0)
			return err_set(err, ERR_CORRUPT, NULL, "IDX dimension %d is 0", i + 1);
		if (dim > room / total)
			return err_set(err, ERR_CORRUPT, NULL,
				       "IDX dimension %d is %" PRIu64
				       ", more than the file's %zu bytes hold; it may be cut off",
				       i + 1, dim, n);
		total *= (size_t)dim;
	}
	if (at + total * size != n)
		return err_set(err, ERR_CORRUPT, NULL,
			       "expected an IDX file of %zu bytes by its dimensions, found %zu",
			       at + total * size, n);
	*ret = total;
	return 0;
}

static int swap(struct dataset_field *f, const unsigned char *from, size_t total,
		struct mem_arena *arena, struct err *err)
{
	size_t size = npy_size(f->shape.type);
	unsigned char *to;

	f->data = from;
	if (size == 1)
		return 0;
	to = NEW(arena, unsigned char, total *size);
	if (!to)
		return err_nomem(err);
	for (size_t i = 0; i < total; i++)
		for (size_t k = 0; k < size; k++)
			to[i * size + k] = from[i * size + size - 1 - k];
	f->data = to;
	return 0;
}

int dataset_idx(struct dataset *ret, const unsigned char *bytes, size_t n, struct mem_arena *arena,
		struct err *err)
{
	struct dataset_field *f = NEW(arena, struct dataset_field, 1);
	size_t at, total = 0;
	int n_dims, rc;

	if (!f)
		return err_nomem(err);
	if (n < 4 || !type_of(bytes[2], &f->shape.type))
		return err_set(err, ERR_CORRUPT, NULL,
			       "expected an IDX type of 8, 9, 11, 12, 13 or 14, found %d",
			       n < 4 ? -1 : (int)bytes[2]);
	n_dims = bytes[3];
	if (n_dims < 1 || n_dims > NPY_DIMS_MAX)
		return err_set(err, ERR_CORRUPT, NULL, "expected 1 to %d IDX dimensions, found %d",
			       NPY_DIMS_MAX, n_dims);
	at = 4 + 4 * (size_t)n_dims;
	if (n < at)
		return err_set(err, ERR_CORRUPT, NULL,
			       "expected %zu bytes of IDX header, found %zu", at, n);
	f->shape.n_dims = n_dims;
	for (int i = 0; i < n_dims; i++)
		f->shape.dim[i] = big(bytes + 4 + 4 * (size_t)i);
	rc = count(&f->shape, at, n, &total, err);
	if (rc)
		return rc;
	(void)snprintf(f->name, sizeof(f->name), "%s", name_of(n_dims));
	rc = swap(f, bytes + at, total, arena, err);
	if (rc)
		return rc;
	ret->kind = "idx";
	ret->fields = f;
	ret->n_fields = 1;
	return 0;
}
