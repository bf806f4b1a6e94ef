/* store_rows.c - the rows of a query as structs in an arena. */
/* SPDX-License-Identifier: MIT */
#include "server/store_db.h"

void store_bind(struct store_stmt *q, const char *format, va_list ap)
{
	for (int i = 0; format[i]; i++) {
		if (format[i] == 'i')
			store_bind_int(q, i + 1, va_arg(ap, int64_t));
		else if (format[i] == 'd')
			store_bind_double(q, i + 1, va_arg(ap, double));
		else
			store_bind_text(q, i + 1, va_arg(ap, const char *));
	}
}

const char *store_copy(struct mem_arena *arena, struct store_stmt *q, int col, bool *failed)
{
	const char *text;

	if (store_is_null(q, col))
		return NULL;
	text = mem_arena_strdup(arena, store_text(q, col));
	*failed |= !text;
	return text;
}

int store_read(struct store *s, int sql_id, struct store_rows *rows, struct err *err,
	       const char *format, ...)
{
	struct store_stmt *q = NULL;
	size_t room = rows->n;
	va_list ap;
	int rc = store_start(&q, s, sql_id, err);

	rows->n = 0;
	if (rc)
		return rc;
	va_start(ap, format);
	store_bind(q, format, ap);
	va_end(ap);
	while (rows->n < room && (rc = store_step(q, err)) == 1) {
		rc = rows->take(q, rows->arena, (char *)rows->at + rows->n * rows->size, err);
		if (rc)
			break;
		rows->n++;
	}
	store_end(q);
	return rc < 0 ? rc : 0;
}

/* A statement that has one row at most; its number, if `ret` wants it. */
static int run_once(struct store *s, int sql_id, int64_t *ret, struct err *err, const char *format,
		    va_list ap)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, sql_id, err);

	if (rc)
		return rc;
	store_bind(q, format, ap);
	rc = store_step(q, err);
	if (rc == 1 && ret)
		*ret = store_int(q, 0);
	store_end(q);
	return rc < 0 ? rc : 0;
}

int store_number(struct store *s, int sql_id, int64_t *ret, struct err *err, const char *format,
		 ...)
{
	va_list ap;
	int rc;

	va_start(ap, format);
	rc = run_once(s, sql_id, ret, err, format, ap);
	va_end(ap);
	return rc;
}

int store_exec(struct store *s, int sql_id, struct err *err, const char *format, ...)
{
	va_list ap;
	int rc;

	va_start(ap, format);
	rc = run_once(s, sql_id, NULL, err, format, ap);
	va_end(ap);
	return rc;
}
