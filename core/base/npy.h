/* npy.h - the .npy format (numpy), version 1.0: header out, header in.
 *
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_BASE_NPY_H
#define CORE_BASE_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/buf.h"
#include "core/base/err.h"

enum npy_type {
	NPY_I64,
	NPY_U32,
	NPY_F64,
	NPY_F32,
	NPY_U8,
	NPY_I32,
	NPY_U16,
	NPY_I16,
	NPY_I8,
	NPY_U64,
	NPY_BOOL,
	NPY_N
};
enum { NPY_DIMS_MAX = 4 };

struct npy_header {
	enum npy_type type;
	int n_dims;
	uint64_t dim[NPY_DIMS_MAX];
	size_t data_offset; /* bytes of header, when parsed */
};

size_t npy_size(enum npy_type type);	   /* bytes per element */
const char *npy_descr(enum npy_type type); /* "<f8" */
/* Element i of a little-endian array as a double. */
double npy_get(enum npy_type type, const void *data, size_t i);
/* Append the header (a multiple of 64 bytes) to `out`. */
int npy_write_header(struct buf *out, const struct npy_header *h, struct err *err) MUST_USE;
/* Parse the header of a file given as bytes, check that the data are all there (total length n) and
 * C-ordered, little-endian. Bounded: never reads beyond n. Errors: CORRUPT. */
int npy_parse(struct npy_header *ret, const void *bytes, size_t n, struct err *err) MUST_USE;

#endif
