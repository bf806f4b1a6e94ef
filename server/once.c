/* once.c - keys claimed, answers kept and given again. */
/* SPDX-License-Identifier: MIT */
#include "server/once.h"

#include <stdio.h>
#include <string.h>

#include "server/crypt.h"
#include "server/log.h"

enum { KEY_MAX = 200, TEXT_MAX = 1 << 20 };

/* ---- what a key stands for ---- */

static void add_query(void *self, const char *name, const char *value)
{
	struct buf *text = self;

	(void)buf_printf(text, "\n%zu %s=%zu %s", strlen(name), name, strlen(value), value);
}

/* Hash of method, path, query and body. */
static int hash(const struct request *rq, char hex[CRYPT_HEX_SIZE], struct err *err)
{
	char body[CRYPT_HEX_SIZE];
	struct buf text;
	bool ok = crypt_sha256(rq->body ? rq->body : "", rq->body_len, body);

	buf_init(&text, TEXT_MAX);
	(void)buf_printf(&text, "%s %s %s", rq->method, rq->path, body);
	http_query_each(rq, add_query, &text);
	ok = ok && !text.failed && crypt_sha256(text.data, text.len, hex);
	buf_release(&text);
	return ok ? 0 : err_nomem(err);
}

/* ---- the answer again ---- */

static int again(const struct request *rq, struct response *rs, const struct store_once_row *row,
		 struct err_list *errors)
{
	if (buf_add(&rs->body, row->body, row->body_len))
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	http_add_header(rs, "Idempotent-Replayed", "true");
	if (row->location)
		http_add_header(rs, "Location", mem_arena_strdup(rq->arena, row->location));
	rs->status = row->status;
	return 1;
}

int once_begin(struct store *s, struct request *rq, struct response *rs, struct err_list *errors)
{
	const char *key = http_header(rq, "Idempotency-Key");
	struct store_once *once = NEW(rq->arena, struct store_once, 1);
	struct store_once_row row = { 0 };
	char hex[CRYPT_HEX_SIZE];
	struct err err = { 0 };
	int rc;

	if (!key || rq->once) /* none was sent; or it waited, and the key is its own already */
		return 0;
	if (!*key || strlen(key) > KEY_MAX)
		return err_list_add(errors, ERR_RANGE, "",
				    "expected an Idempotency-Key of 1 to %d bytes", KEY_MAX);
	if (!once)
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	*once = (struct store_once){ rq->who.name ? rq->who.name : "",
				     mem_arena_strdup(rq->arena, key) };
	rc = once->key ? hash(rq, hex, &err) : err_nomem(&err);
	if (!rc)
		rc = store_once_claim(s, once, hex, rq->arena, &row, &err);
	if (rc)
		return err_list_add(errors, (enum err_code)err.code, "", "%s", err.text);
	if (row.state == STORE_ONCE_DONE)
		return again(rq, rs, &row, errors);
	rq->once = once;
	rq->lost = row.state == STORE_ONCE_LOST && !*row.note;
	(void)snprintf(rq->memo, sizeof(rq->memo), "%s", row.note);
	return 0;
}

/* ---- the first answer ---- */

static const char *location_of(const struct response *rs)
{
	for (size_t i = 0; i < rs->n_headers; i++)
		if (strcmp(rs->headers[i].name, "Location") == 0)
			return rs->headers[i].value;
	return NULL;
}

void once_end(struct store *s, const struct request *rq, const struct response *rs, int rc)
{
	const struct store_once_row answer = { .status = rs->status,
					       .location = location_of(rs),
					       .body = rs->body.data,
					       .body_len = rs->body.len };
	struct err err = { 0 };
	int failed = 0;

	if (!rq->once || (!rs->status && !rc))
		return;
	if (rc == -ERR_UNCERTAIN)
		failed = store_once_leave(s, rq->once, STORE_ONCE_LOST, NULL, &err);
	else if (rc && rq->timed_out) /* it was handed over, and may take effect yet */
		failed = store_once_leave(s, rq->once, STORE_ONCE_LEFT, rq->memo, &err);
	else if (rc || rs->status >= 300)
		failed = store_once_free(s, rq->once, &err);
	else if (!rs->secret)
		failed = store_once_done(s, rq->once, &answer, &err);
	if (failed)
		log_err("keeping an Idempotency-Key", &err);
}

void once_left(struct store *s, const struct request *rq)
{
	struct err err = { 0 };

	if (rq->once && store_once_leave(s, rq->once, STORE_ONCE_LEFT, rq->memo, &err))
		log_err("keeping an Idempotency-Key", &err);
}
