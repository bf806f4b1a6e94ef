/* store_db.h - statements over SQLite for the store_*.c files; hides sqlite3.h from everybody else.
 *
 * One writer connection under store.lock, one read-only connection per thread. A write runs inside
 * store_begin / store_commit (or _rollback) of one thread; reads need nothing. Statements are
 * prepared once per connection and named by their position in the STORE_STATEMENTS table of
 * store.c: a typo fails at start. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_DB_H
#define SERVER_STORE_DB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/mem.h"
#include "server/store.h"

struct store_stmt; /* one execution of a statement */

/* Start executing statement `sql_id` (enum store_sql in store_sql.h). Reads take the calling
 * thread's reader; inside a write (store_begin) the writer. Ends with store_end. Bind position
 * counts from 1. */
int store_start(struct store_stmt **ret, struct store *s, int sql_id, struct err *err) MUST_USE;
void store_bind_int(struct store_stmt *q, int at, int64_t v);
void store_bind_double(struct store_stmt *q, int at, double v);	   /* NaN: NULL */
void store_bind_text(struct store_stmt *q, int at, const char *v); /* NULL: SQL NULL; copied */
void store_bind_blob(struct store_stmt *q, int at, const void *v,
		     size_t n); /* borrowed until store_end */
/* 1: a row stands; 0: done; -code: error (BUSY, IO, NOSPACE, CONFLICT for a constraint). */
int store_step(struct store_stmt *q, struct err *err) MUST_USE;
bool store_is_null(struct store_stmt *q, int col); /* columns count from 0 */
int64_t store_int(struct store_stmt *q, int col);
double store_double(struct store_stmt *q, int col);
const char *store_text(struct store_stmt *q, int col); /* valid until the next step */
const void *store_blob(struct store_stmt *q, int col,
		       size_t *ret_n); /* valid until the next step */
void store_end(struct store_stmt *q);  /* NULL is fine */
/* One statement without rows: start, bind by format (i int64_t, d double, t text), step, end. */
int store_exec(struct store *s, int sql_id, struct err *err, const char *format, ...) MUST_USE;

/* Its parameters, by such a format. */
void store_bind(struct store_stmt *q, const char *format, va_list ap);

/* A text in an arena; NULL stays NULL. *failed becomes true for want of memory, else stays. */
const char *store_copy(struct mem_arena *arena, struct store_stmt *q, int col, bool *failed);

/* Where the rows of a query go: n of them have room, and n becomes how many came. */
struct store_rows {
	/* Make the row that stands into *ret. */
	int (*take)(struct store_stmt *q, struct mem_arena *arena, void *ret, struct err *err);
	struct mem_arena *arena;
	void *at; /* [n] of `size` bytes each */
	size_t size, n;
};

/* One statement that reads: start, bind by format, take the rows, end. No row is no error. */
int store_read(struct store *s, int sql_id, struct store_rows *rows, struct err *err,
	       const char *format, ...) MUST_USE;

/* One whose only row is a number; without a row *ret stays. */
int store_number(struct store *s, int sql_id, int64_t *ret, struct err *err, const char *format,
		 ...) MUST_USE;

int store_begin(struct store *s, struct err *err) MUST_USE; /* takes store.lock */
int store_commit(struct store *s,
		 struct err *err) MUST_USE; /* drops it, also on error (rolled back then) */
void store_rollback(struct store *s);
/* End a write that came to `rc`: commit if it is 0, else roll back. rc, or why it could not commit. */
int store_conclude(struct store *s, int rc, struct err *err) MUST_USE;
int64_t store_changes(struct store *s); /* rows the last statement of this write changed */

#endif
