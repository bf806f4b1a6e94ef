/* http_head.h - what a request's head says before a handler is asked. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_HTTP_HEAD_H
#define SERVER_HTTP_HEAD_H

#include <stdint.h>

#include "server/http.h"

enum { HTTP_ID_SIZE = 64 + 1 };

/* Whether two servers in a row would read the same of it: one Host, one of a numeric Content-Length and
 * Transfer-Encoding: chunked, lines that follow each other without a gap, none without a name, and an empty
 * one behind the last. `method` is where it stands in what libmicrohttpd has read. *ret_length is what
 * Content-Length says, 0 without one. */
bool http_head_is_plain(const struct request *rq, const char *method, uint64_t *ret_length);

/* X-Request-Id if the client gave a plain one, else a new one. */
void http_head_id(const struct request *rq, char ret[HTTP_ID_SIZE]);

/* The traceparent (W3C) of the client's with a new span, in the request's arena; NULL if there is none, it is
 * not well formed or no memory. */
const char *http_head_trace(const struct request *rq);

#endif
