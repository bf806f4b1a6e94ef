/* http_wire.h - connections as the kernel sees them: who sends or takes bytes too slowly is cut off.
 *
 * A thread looks at each connection a few times in `slow_s`. A head must be whole within that time. Of a
 * body, and of an answer as far as it waits for the client to take more, at least HTTP_WIRE_MIN_RATE bytes a
 * second must move in each such time. Who has closed its side while nothing is asked is closed too. What the
 * server takes its time for (a handler, a wait, a stream without news) counts against nobody. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_HTTP_WIRE_H
#define SERVER_HTTP_WIRE_H

#include <stdbool.h>

#include "core/base/err.h"

enum { HTTP_WIRE_MIN_RATE = 1024 }; /* bytes a second */

enum http_wire_phase {
	HTTP_WIRE_HEAD,	  /* nothing is asked yet, or part of a head is there */
	HTTP_WIRE_BODY,	  /* the body comes */
	HTTP_WIRE_BUSY,	  /* it is the server's turn */
	HTTP_WIRE_ANSWER, /* the answer leaves */
};

struct http_wire;
struct http_wires;

int http_wire_list_new(struct http_wires **ret, double slow_s, struct err *err) MUST_USE;
void http_wire_list_free(struct http_wires *ws);

/* Look at this socket until it is closed, before which http_wire_close is called. NULL: no memory, it is not
 * looked at. The other functions take NULL. */
struct http_wire *http_wire_open(struct http_wires *ws, int fd);
void http_wire_close(struct http_wires *ws, struct http_wire *w);
/* Any thread, cheap. */
void http_wire_enter(struct http_wire *w, enum http_wire_phase phase);
/* Whether it was cut off. */
bool http_wire_is_cut(const struct http_wire *w);

#endif
