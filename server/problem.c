/* problem.c - application/problem+json (RFC 9457). */
/* SPDX-License-Identifier: MIT */
#include "server/problem.h"

#include <stdbool.h>
#include <string.h>

enum { BODY_MAX = 1 << 20 };

int problem_status(int code)
{
	static const short status[ERR_N] = {
		[ERR_OK] = 200,	       [ERR_NOMEM] = 503,	 [ERR_SYNTAX] = 400,
		[ERR_TYPE] = 422,      [ERR_RANGE] = 422,	 [ERR_UNKNOWN] = 422,
		[ERR_MISSING] = 422,   [ERR_GRID] = 422,	 [ERR_CONFLICT] = 422,
		[ERR_LIMIT] = 422,     [ERR_IO] = 500,		 [ERR_NOSPACE] = 507,
		[ERR_CORRUPT] = 500,   [ERR_NUMERICAL] = 500,	 [ERR_RATE] = 500,
		[ERR_TIMEOUT] = 500,   [ERR_CANCELLED] = 409,	 [ERR_INTERRUPTED] = 503,
		[ERR_CRASHED] = 500,   [ERR_INVALID] = 422,	 [ERR_NOTFOUND] = 404,
		[ERR_GONE] = 410,      [ERR_STATE] = 409,	 [ERR_NOTRECORDED] = 409,
		[ERR_METHOD] = 405,    [ERR_ACCEPT] = 406,	 [ERR_MEDIA] = 415,
		[ERR_BODY] = 413,      [ERR_PRECONDITION] = 412, [ERR_IDEMPOTENCY] = 422,
		[ERR_QUEUEFULL] = 429, [ERR_BUSY] = 503,	 [ERR_FORBIDDEN] = 403,
		[ERR_INTERNAL] = 500,  [ERR_UNAUTHORIZED] = 401, [ERR_QUOTA] = 429,
		[ERR_UNDERWAY] = 409,  [ERR_UNCERTAIN] = 409,
	};

	return code >= 0 && code < ERR_N && status[code] ? status[code] : 500;
}

const char *problem_retry_after(int code)
{
	if (code == ERR_UNDERWAY)
		return "1";
	switch (problem_status(code)) {
	case 429:
		return "5";
	case 503:
		return "2";
	default:
		return NULL;
	}
}

json_t *problem_json(const struct err *err)
{
	char type[64] = "/docs#";
	json_t *p;

	strncat(type, err_name(err->code), sizeof(type) - 7);
	p = json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", type, "title", err_title(err->code),
		      "status", problem_status(err->code), "detail", err->text, "code",
		      err_name(err->code));
	if (p && err->path[0])
		(void)json_object_set_new(p, "pointer", json_string(err->path));
	return p;
}

/* A text that may hold any bytes, as a JSON string. */
static void member(struct buf *b, const char *key, const char *value)
{
	(void)buf_printf(b, ",\"%s\":", key);
	(void)buf_json_string(b, value);
}

static void place(struct buf *b, const struct err *e)
{
	if (e->line)
		(void)buf_printf(b, ",\"line\":%d,\"column\":%d", e->line, e->column);
}

static void item(struct buf *b, const struct err *e)
{
	(void)buf_str(b, "{\"pointer\":");
	(void)buf_json_string(b, e->path);
	member(b, "code", err_name(e->code));
	member(b, "detail", e->text);
	place(b, e);
	(void)buf_char(b, '}');
}

/* Whether the bytes are UTF-8 (overlong forms and surrogates are let through: they harm nobody
 * here). */
static bool is_utf8(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		int more = c < 0x80		   ? 0
			   : c >= 0xc2 && c < 0xe0 ? 1
			   : c >= 0xe0 && c < 0xf0 ? 2
			   : c >= 0xf0 && c < 0xf5 ? 3
						   : -1;

		if (more < 0)
			return false;
		for (; more > 0; more--)
			if (((unsigned char)*++text & 0xc0) != 0x80)
				return false;
	}
	return true;
}

/* An error may quote what the client sent, byte for byte; JSON must be UTF-8 all the same. */
static void make_utf8(struct buf *b)
{
	if (!b->data || is_utf8(b->data))
		return;
	for (size_t i = 0; i < b->len; i++)
		if ((unsigned char)b->data[i] >= 0x80)
			b->data[i] = '?';
}

static void start(struct response *rs, int code, const char *instance)
{
	buf_release(&rs->body);
	buf_init(&rs->body, BODY_MAX);
	http_withdraw(rs);
	rs->n_gaps = 0;
	rs->status = problem_status(code);
	rs->content_type = "application/problem+json";
	if (problem_retry_after(code))
		http_add_header(rs, "Retry-After", problem_retry_after(code));
	(void)buf_printf(&rs->body, "{\"type\":\"/docs#%s\",\"title\":\"%s\",\"status\":%d",
			 err_name(code), err_title(code), rs->status);
	member(&rs->body, "code", err_name(code));
	member(&rs->body, "instance", instance);
}

void problem_response(struct response *rs, int code, const char *instance,
		      const struct err_list *errors)
{
	struct buf *b = &rs->body;
	size_t n = errors ? err_list_count(errors) : 0;

	start(rs, code, instance);
	/* What is broken inside is for the log, not for the wire. */
	if (n && rs->status == 500)
		n = 0;
	if (n > 1)
		(void)buf_printf(b, ",\"detail\":\"%zu errors; see errors\"", n);
	else
		member(b, "detail", n ? errors->first.text : err_title(code));
	if (n)
		place(b, &errors->first);
	(void)buf_str(b, ",\"errors\":[");
	for (size_t i = 0; n && i < errors->n; i++) {
		if (i)
			(void)buf_char(b, ',');
		item(b, &errors->items[i]);
	}
	if (n && !errors->n)
		item(b, &errors->first);
	(void)buf_str(b, "]}");
	make_utf8(b);
}

void problem_text(struct response *rs, int code, const char *instance, const char *detail)
{
	struct err_list errors = { 0 };

	(void)err_list_add(&errors, code > 0 && code < ERR_N ? (enum err_code)code : ERR_INTERNAL,
			   "", "%s", detail);
	problem_response(rs, code, instance, &errors);
	err_list_release(&errors);
}
