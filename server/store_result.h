/* store_result.h - results in SQLite: a run's directory moved in, columns read back by rows. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_RESULT_H
#define SERVER_STORE_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/mem.h"
#include "core/base/npy.h"
#include "server/store.h"

enum { STORE_COLUMNS_MAX = 64 };

struct store_column {
	int64_t id;
	char name[64];
	enum npy_type type;
	uint64_t rows, width;
};

/* Bytes of a row, and of all; the type of a name ("<f8"), false: there is none. */
uint64_t store_column_row(const struct store_column *c);
uint64_t store_column_bytes(const struct store_column *c);
bool store_column_type(const char *name, enum npy_type *ret);
/* Memory for rows [row0, row1) and a byte more, in the arena. Errors: LIMIT, INTERNAL (there are no such
 * rows). */
int store_column_room(const struct store_column *c, uint64_t row0, uint64_t row1,
		      struct mem_arena *arena, char **ret, struct err *err) MUST_USE;

struct store_recording {
	int64_t id;
	const char *kind, *subject, *name;
	const char *meta; /* JSON text */
	size_t n_columns;
	struct store_column *columns; /* all in the arena given */
};

/* Stage every recording of DIR/result.json into the store, in short transactions of chunks of at
 * most 4 MiB, invisible. Returns 0 or -code; on failure what was staged is dropped by
 * store_result_drop (or at start). dir_fd: the run's directory. */
int store_result_stage(struct store *s, const char *run_id, int dir_fd, struct err *err) MUST_USE;
/* Inside the caller's store_begin/commit: make the run's staged recordings visible. */
int store_result_show(struct store *s, const char *run_id, struct err *err) MUST_USE;
/* Drop all recordings of a run (with NULL: all invisible ones, at start), in a transaction of its
 * own. */
int store_result_drop(struct store *s, const char *run_id, struct err *err) MUST_USE;

/* The visible recordings of a run, of one kind and subject and name (NULL: any). */
int store_result_find(struct store *s, const char *run_id, const char *kind, const char *subject,
		      const char *name, struct mem_arena *arena, struct store_recording **ret,
		      size_t *ret_n, struct err *err) MUST_USE;
/* Rows [row0, row1) of a column, as stored, in the arena. */
int store_result_read(struct store *s, const struct store_column *c, uint64_t row0, uint64_t row1,
		      struct mem_arena *arena, const void **ret, struct err *err) MUST_USE;
/* Bytes of a column from `at` on, *ret_n of them: at most `max`, and as far as they stand together. */
int store_result_part(struct store *s, const struct store_column *c, uint64_t at, size_t max,
		      char *out, size_t *ret_n, struct err *err) MUST_USE;

#endif
