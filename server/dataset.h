/* dataset.h - uploads: what kind a file is, its fields, and where their values stand.
 *
 * The kind is told from the content: IDX, NPY, NPZ, WAV, a zip of WAVs, CSV, each also gzipped.
 * Everything read is checked against the bytes there are; what is expanded has a maximum. Values
 * stand in DATA/datasets/ID.FIELD.npy. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_DATASET_H
#define SERVER_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "core/base/npy.h"
#include "core/spec_json.h"
#include "server/store.h"

enum { DATASET_NAME_MAX = 64, DATASET_FIELDS_MAX = 1024 };

struct dataset_field {
	char name[DATASET_NAME_MAX]; /* letters, digits, _ and - only */
	struct npy_header shape;     /* data_offset is 0 */
	bool text;		     /* a CSV's column of words: named, but without values */
	const void
		*data; /* little-endian, C order; in the arena, in `plain`, or in the bytes given */
};

struct dataset {
	const char *kind; /* "csv", "npy", "npz", "idx", "wav" */
	size_t n_fields;
	struct dataset_field *fields; /* [n_fields] in the arena */
	struct buf plain;	      /* what a .gz held */
};

/* Read an upload. `max` bounds expanded bytes. Errors: CORRUPT (broken, with the place), MEDIA (no
 * known kind), LIMIT, NOMEM. */
int dataset_parse(struct dataset *ret, const void *bytes, size_t n, size_t max,
		  struct mem_arena *arena, struct err *err) MUST_USE;
void dataset_release(struct dataset *d);

/* May this be a field's name (and so a part of a file's)? */
bool dataset_field_valid(const char *name);
size_t dataset_bytes(const struct npy_header *shape); /* of the values */
const char *dataset_dtype(enum npy_type type);	      /* "float64" */

/* The files of a data set. save: each written beside its name and renamed; on failure nothing is
 * left. */
int dataset_save(struct store *s, const char *id, const struct dataset *d,
		 struct err *err) MUST_USE;
/* `fields`: the JSON text of the row in the store. */
void dataset_drop(struct store *s, const char *id, const char *fields);
/* Link (or copy) all files of data set `id` into the folder dir_fd, under the same names. Errors:
 * NOTFOUND, IO, NOSPACE. */
int dataset_link(struct store *s, const char *id, int dir_fd, struct err *err) MUST_USE;
/* What the validation of specs reads data sets through. Valid as long as the store. */
void dataset_source(struct spec_datasets *ret, struct store *s);

/* The readers, one a kind; called by dataset_parse. */
int dataset_idx(struct dataset *ret, const unsigned char *bytes, size_t n, struct mem_arena *arena,
		struct err *err) MUST_USE;
int dataset_npy(struct dataset *ret, const unsigned char *bytes, size_t n, struct mem_arena *arena,
		struct err *err) MUST_USE;
int dataset_npz(struct dataset *ret, const unsigned char *bytes, size_t n, size_t max,
		struct mem_arena *arena, struct err *err) MUST_USE;
bool dataset_wav_is(const unsigned char *bytes, size_t n);
int dataset_wav(struct dataset *ret, const unsigned char *bytes, size_t n, struct mem_arena *arena,
		struct err *err) MUST_USE;
struct npz_entry;
int dataset_wav_zip(struct dataset *ret, const struct npz_entry *entries, size_t n,
		    struct mem_arena *arena, struct err *err) MUST_USE;
int dataset_csv(struct dataset *ret, const char *text, size_t n, struct mem_arena *arena,
		struct err *err) MUST_USE;

#endif
