/* cond.h - conditions on what a client has: ETag, If-None-Match, If-Match, Cache-Control.
 *
 * Every 200 to a GET or PATCH bears an ETag: the handler's own, where it has one before the body is
 * made, else a hash of the body, added by the dispatcher (cond_finish). */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_COND_H
#define SERVER_COND_H

#include "server/http.h"

enum { COND_ETAG_SIZE = 36 };

/* The ETag of these bytes, with its quotes. False: out of memory. */
bool cond_etag(const void *bytes, size_t n, char etag[COND_ETAG_SIZE]) MUST_USE;
/* Set the ETag header; true if If-None-Match has it (status is 304 then). */
bool cond_not_modified(const struct request *rq, struct response *rs, const char *etag);
/* The same ETag for the compressed body, in the arena: "x" is "x-gzip" then. Conditions take both for one. */
const char *cond_packed(const struct request *rq, const char *etag);
/* PRECONDITION if there is an If-Match that does not have it. */
int cond_match(const struct request *rq, const char *etag, struct err_list *errors) MUST_USE;
/* What every answer needs behind its handler; `open`: it is everybody's. */
void cond_finish(const struct request *rq, struct response *rs, bool open);

#endif
