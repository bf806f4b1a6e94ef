/* http_request.c - what a handler reads of a request and adds to a response. */
/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <microhttpd.h>
#include <string.h>

#include "server/http.h"
#include "server/id.h"

const char *http_query(const struct request *rq, const char *name)
{
	const char *v = NULL;
	size_t n = 0;

	if (MHD_lookup_connection_value_n(rq->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name),
					  &v, &n) != MHD_YES)
		return NULL;
	return v ? v : "";
}

const char *http_header(const struct request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->connection, MHD_HEADER_KIND, name);
}

const char *http_cookie(const struct request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->connection, MHD_COOKIE_KIND, name);
}

struct each {
	void (*visit)(void *self, const char *name, const char *value);
	void *self;
};

static enum MHD_Result on_query(void *cls, enum MHD_ValueKind kind, const char *name,
				const char *value)
{
	struct each *e = cls;

	(void)kind;
	e->visit(e->self, name, value ? value : "");
	return MHD_YES;
}

void http_query_each(const struct request *rq,
		     void (*visit)(void *self, const char *name, const char *value), void *self)
{
	struct each e = { visit, self };

	(void)MHD_get_connection_values(rq->connection, MHD_GET_ARGUMENT_KIND, on_query, &e);
}

/* A traceparent (W3C) as it should be: version 00, ids that are not all zeros. */
static bool is_trace(const char *t)
{
	static const char hex[] = "0123456789abcdef";

	return strlen(t) == 55 && strncmp(t, "00-", 3) == 0 && strspn(t + 3, hex) == 32 &&
	       t[35] == '-' && strspn(t + 36, hex) == 16 && t[52] == '-' &&
	       strspn(t + 53, hex) == 2 && strspn(t + 3, "0") < 32 && strspn(t + 36, "0") < 16;
}

const char *http_trace(const struct request *rq)
{
	const char *given = http_header(rq, "traceparent");
	char span[ID_SIZE];

	if (!given || !is_trace(given))
		return NULL;
	do
		id_new(span);
	while (strspn(span, "0") >= 16);
	return mem_arena_printf(rq->arena, "%.36s%.16s%s", given, span, given + 52);
}

void http_add_header(struct response *rs, const char *name, const char *value)
{
	assert(rs->n_headers < HTTP_HEADERS_MAX);
	if (rs->n_headers >= HTTP_HEADERS_MAX)
		return;
	rs->headers[rs->n_headers].name = name;
	rs->headers[rs->n_headers++].value = value;
}
