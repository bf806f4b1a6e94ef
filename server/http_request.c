/* http_request.c - what a handler reads of a request and adds to a response. */
/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <microhttpd.h>
#include <string.h>

#include "server/http.h"

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

void http_add_header(struct response *rs, const char *name, const char *value)
{
	assert(rs->n_headers < HTTP_HEADERS_MAX);
	if (rs->n_headers >= HTTP_HEADERS_MAX)
		return;
	rs->headers[rs->n_headers].name = name;
	rs->headers[rs->n_headers++].value = value;
}
