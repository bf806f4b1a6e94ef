/* http.h - HTTP over libmicrohttpd: requests in, responses out, streams parked and woken; knows
 * nothing of routes. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/mem.h"
#include "server/http_tls.h"

enum { HTTP_ARGS_MAX = 4, HTTP_HEADERS_MAX = 16, HTTP_MEMO_MAX = 64 };

/* Who asks, filled by the dispatcher. */
struct http_who {
	const char *name;     /* owner of what is made; NULL: there are no tokens */
	const char *token_id; /* NULL: none */
	unsigned scopes;      /* bits of auth.h */
	int64_t expires_ms;   /* 0: never */
	int64_t quota_runs, quota_sessions, quota_mb; /* 0: no limit */
	bool sees_all;				      /* what others made, too */
};

struct store_once;

/* One request; valid while its handler runs (and again when it is resumed). */
struct request {
	const char *method, *path;
	const char *id;			/* request id, also in the log and in X-Request-Id */
	const char *trace;		/* of its traceparent; NULL: none */
	const char *arg[HTTP_ARGS_MAX]; /* path parameters in the order of the route's pattern */
	const char *body;		/* [body_len], NUL behind it; NULL without a body */
	size_t body_len;
	struct mem_arena *arena;  /* dies with the request */
	int resumed;		  /* how often this request waited before */
	bool timed_out;		  /* the wait's deadline passed */
	char memo[HTTP_MEMO_MAX]; /* a handler's note to its resumed self, "" at first */
	struct http_who who;
	const struct store_once
		*once; /* its Idempotency-Key, filled by the dispatcher; NULL: none */
	bool lost;     /* sent before to a server that ended: whether it took effect is not known */
	void *connection;
};

const char *http_query(const struct request *rq, const char *name);  /* NULL if absent */
const char *http_header(const struct request *rq, const char *name); /* NULL if absent */
const char *http_cookie(const struct request *rq, const char *name); /* NULL if absent */
/* Visit all query parameters (to refuse unknown ones). */
void http_query_each(const struct request *rq,
		     void (*visit)(void *self, const char *name, const char *value), void *self);

/* A stream of server-sent events: read() appends what is new to out; it sets *end when all has been
 * said. Called again when `topic` is woken or a heartbeat is due. */
struct http_stream {
	void *self;
	int (*read)(void *self, struct buf *out, bool *end);
	void (*free)(void *self);
};

/* A body that is read while it is sent, `length` bytes of it; read() gives *ret_n > 0 of them from
 * byte `at` on, or -code: the connection ends then. */
struct http_file {
	void *self;
	uint64_t length;
	int (*read)(void *self, uint64_t at, char *out, size_t max, size_t *ret_n);
	void (*free)(void *self);
};

struct response {
	int status;		  /* 0: see wait */
	const char *content_type; /* NULL: application/json */
	struct buf body;
	const struct buf_gap
		*gaps; /* [n_gaps] ascending, large parts that leave from where they are: in
				       the request's arena, as their data */
	size_t n_gaps;
	struct {
		const char *name, *value; /* live in the request's arena or are static */
	} headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	struct http_stream stream; /* read != NULL: body is ignored */
	struct http_file file;	   /* the same */
	/* A handler that must wait sets status 0 and these; it is called again on http_wake(topic)
	 * or at the deadline. */
	char topic[HTTP_MEMO_MAX];
	const char *topics; /* instead, where there are several: blanks between, in the arena */
	double wait_s;
	bool secret; /* not to be kept for a repeat with the same Idempotency-Key */
};

/* Add a header; both strings must outlive the response (arena). Silently ignored over
 * HTTP_HEADERS_MAX in release, asserted. */
void http_add_header(struct response *rs, const char *name, const char *value);
bool http_has_header(const struct response *rs, const char *name);
/* Bytes of the file, or of the body with its gaps; and those of the latter from byte `at` on that stand
 * together, *ret_n of them (0: none, at its end). */
uint64_t http_length(const struct response *rs);
const char *http_piece(const struct response *rs, uint64_t at, size_t *ret_n);
/* Take back the stream or file. */
void http_withdraw(struct response *rs);

struct http;
struct http_config {
	const char *address;
	uint16_t port;
	unsigned threads, connections, per_address, streams;
	size_t body_max, answer_max; /* bytes */
	unsigned idle_s;
	double slow_s;	     /* http_wire.h */
	double heartbeat_s;  /* a stream says something at least so often */
	struct http_tls tls; /* borrowed */
	/* Called for every complete request; fills rs. Never fails: errors are responses too. */
	void (*handle)(void *self, struct request *rq, struct response *rs);
	/* Called for a request that waits and is not handled again: its client has gone. May be NULL. */
	void (*leave)(void *self, const struct request *rq);
	void *self;
};

int http_new(struct http **ret, const struct http_config *config, struct err *err) MUST_USE;
uint16_t http_port(const struct http *h);
/* Wake every parked request and stream of a topic ("run:ID"). Any thread. */
void http_wake(struct http *h, const char *topic);
void http_free(struct http *h); /* resumes what is parked, then stops */

#endif
