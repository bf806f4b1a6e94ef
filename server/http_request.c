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

uint64_t http_length(const struct response *rs)
{
	uint64_t n = rs->body.len;

	for (size_t i = 0; i < rs->n_gaps; i++)
		n += rs->gaps[i].n;
	return n;
}

const char *http_piece(const struct response *rs, uint64_t at, size_t *ret_n)
{
	size_t before = 0; /* of the body */

	for (size_t i = 0; i <= rs->n_gaps; i++) {
		const struct buf_gap *gap = i < rs->n_gaps ? &rs->gaps[i] : NULL;
		size_t n = (gap ? gap->at : rs->body.len) - before;

		if (at < n) {
			*ret_n = n - (size_t)at;
			return rs->body.data + before + at;
		}
		at -= n;
		before += n;
		if (gap && at < gap->n) {
			*ret_n = gap->n - (size_t)at;
			return (const char *)gap->data + at;
		}
		at -= gap ? gap->n : 0;
	}
	*ret_n = 0;
	return NULL;
}
