/* route.h - the table of addresses: what the dispatcher, OpenAPI, the manual and the tests are made
 * from. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_ROUTE_H
#define SERVER_ROUTE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/api.h"

struct route {
	const char *method;
	const char *pattern; /* "/v1/runs/{id}": a {part} takes one path segment */
	api_handler *handler;
	const char *doc;    /* one sentence */
	int status;	    /* of success */
	const char *query;  /* allowed parameters, separated by blanks; "*": the handler checks;
			       NULL: none */
	const char *schema; /* of the request body: a component's name, "" for any bytes; NULL: no
			       body */
	const char *scope;  /* what a token needs; NULL: open to all */
};

/* Row i; NULL behind the last. */
const struct route *route_at(size_t i);
/* The row for a request; fills rq->arg from the path. NULL: none, and *ret_allow tells the methods
 * of this path ("" if there is no such path at all). */
const struct route *route_find(struct request *rq, char *ret_allow, size_t n_allow);
/* Whether an Idempotency-Key counts. */
bool route_takes_key(const struct route *r);
/* http's handler; self is the struct api. */
void route_handle(void *self, struct request *rq, struct response *rs);
/* The client of a waiting request has gone. */
void route_leave(void *self, const struct request *rq);
/* The same as route_handle for the admin listener, which has its own few addresses: /metrics. */
void route_handle_admin(void *self, struct request *rq, struct response *rs);
/* OpenAPI 3.1; new reference, NULL: no memory. */
json_t *route_openapi(void);

#endif
