/* http.c - libmicrohttpd: an epoll pool, bounded bodies, requests and streams that are parked and
 * woken.
 *
 * A request that waits is suspended under the lock of park.c, which wakes it by topic or time.
 * libmicrohttpd aborts when it is stopped with suspended connections, hence park_stop comes first:
 * from then on nothing sleeps. */
/* SPDX-License-Identifier: MIT */
#include "server/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/clock.h"
#include "server/http_address.h"
#include "server/http_head.h"
#include "server/http_wire.h"
#include "server/log.h"
#include "server/metric.h"
#include "server/park.h"
#include "server/problem.h"

enum {
	STREAM_BLOCK = 16384,
	PIECE_BLOCK = 1 << 18,
	FILE_BLOCK = 1 << 20,
	STREAM_MAX = 1 << 24,	/* bytes one read() of a stream may add */
	HEADER_MEMORY = 32768,	/* per connection */
	SPARE_CONNECTIONS = 32, /* over the limit, to be told 503 */
	DRAIN_MAX = 64 << 20,	/* bytes of a body over its limit that are taken, to answer it */
};

static const size_t ARENA_MAX = (size_t)1 << 30; /* bytes a request may take beside its answer */

struct http_conn {
	struct http *h;
	struct MHD_Connection *c;
	struct http_wire *wire;
	struct request rq;
	struct response rs;
	struct mem_arena arena;
	struct buf body;
	char id[HTTP_ID_SIZE];
	double t0, deadline; /* monotonic; deadline of the whole wait, 0: none yet */
	int unread;	     /* code: why the body is dropped as it comes */
	bool waiting, answered;
	struct buf out; /* of a stream, not yet sent */
	size_t out_at, sent;
	double said_at; /* monotonic, of the stream's last bytes */
	bool streams, ended;
	struct park_place place;
};

struct http {
	struct http_config config;
	struct MHD_Daemon *daemon;
	uint16_t port;
	struct park *park;
	struct http_wires *wires;
	atomic_uint open; /* connections */
	atomic_uint streams;
};

/* ---- parking ---- */

static void on_sleep(void *sleeper)
{
	MHD_suspend_connection(((struct http_conn *)sleeper)->c);
}

static void on_wake(void *sleeper)
{
	MHD_resume_connection(((struct http_conn *)sleeper)->c);
}

void http_wake(struct http *h, const char *topic)
{
	park_wake(h->park, topic);
}

/* ---- requests ---- */

static void conn_free(struct http_conn *c)
{
	if (!c)
		return;
	http_withdraw(&c->rs);
	if (c->streams) {
		(void)atomic_fetch_sub_explicit(&c->h->streams, 1, memory_order_relaxed);
		metric_add(METRIC_STREAMS, -1);
	}
	buf_release(&c->rs.body);
	buf_release(&c->body);
	buf_release(&c->out);
	mem_arena_release(&c->arena);
	mem_free(c);
}

static struct http_wire *wire_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static struct http_conn *conn_new(struct http *h, struct MHD_Connection *connection,
				  const char *url, const char *method)
{
	struct http_conn *c = mem_alloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->h = h;
	c->c = connection;
	c->t0 = clock_mono_s();
	c->wire = wire_of(connection);
	http_wire_enter(c->wire, HTTP_WIRE_BODY);
	mem_arena_init(&c->arena, ARENA_MAX);
	buf_init(&c->body, h->config.body_max);
	buf_init(&c->out, STREAM_MAX);
	c->place.topics = c->rs.topic;
	c->place.sleeper = c;
	c->rq.arena = &c->arena;
	c->rq.connection = connection;
	c->rq.method = mem_arena_strdup(&c->arena, method);
	c->rq.path = mem_arena_strdup(&c->arena, url);
	if (!c->rq.method || !c->rq.path) {
		conn_free(c);
		return NULL;
	}
	http_head_id(&c->rq, c->id);
	c->rq.id = c->id;
	c->rq.trace = http_head_trace(&c->rq);
	return c;
}

/* ---- responses ---- */

static void release(void *p)
{
	mem_free(p);
}

static ssize_t on_read(void *cls, uint64_t pos, char *out, size_t max)
{
	struct http_conn *c = cls;

	(void)pos;
	for (;;) {
		double now;
		bool due;

		if (c->out_at < c->out.len) {
			size_t n = c->out.len - c->out_at;

			n = n < max ? n : max;
			memcpy(out, c->out.data + c->out_at, n);
			c->out_at += n;
			c->sent += n;
			return (ssize_t)n;
		}
		buf_clear(&c->out);
		c->out_at = 0;
		if (c->ended)
			return MHD_CONTENT_READER_END_OF_STREAM;
		due = park_look(c->h->park, &c->place);
		if (c->rs.stream.read(c->rs.stream.self, &c->out, &c->ended) || c->out.failed)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		now = clock_mono_s();
		if (!c->out.len && !c->ended &&
		    (due || now - c->said_at >= c->h->config.heartbeat_s))
			(void)buf_str(&c->out,
				      ": hb\n\n"); /* finds out, too, whether the client is there */
		if (c->out.len || c->ended) {
			c->said_at = now;
			continue;
		}
		switch (park_wait(c->h->park, &c->place, c->said_at + c->h->config.heartbeat_s)) {
		case PARK_ASLEEP:
			return 0;
		case PARK_STOPPING:
			return MHD_CONTENT_READER_END_OF_STREAM;
		case PARK_AGAIN:
		default:
			break;
		}
	}
}

/* The body and its gaps, piece by piece. */
static ssize_t on_pieces(void *cls, uint64_t pos, char *out, size_t max)
{
	const struct http_conn *c = cls;
	size_t n = 0;
	const char *from = http_piece(&c->rs, pos, &n);

	n = n < max ? n : max;
	if (!n)
		return MHD_CONTENT_READER_END_OF_STREAM;
	memcpy(out, from, n);
	return (ssize_t)n;
}

static ssize_t on_file(void *cls, uint64_t pos, char *out, size_t max)
{
	const struct http_file *file = &((const struct http_conn *)cls)->rs.file;
	size_t n = 0;

	return file->read(file->self, pos, out, max, &n) ? MHD_CONTENT_READER_END_WITH_ERROR
							 : (ssize_t)n;
}

static struct MHD_Response *make_response(struct http_conn *c)
{
	size_t n;
	char *body;
	struct MHD_Response *r;

	if (c->rs.stream.read)
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_read, c,
							 NULL);
	if (c->rs.body.failed)
		return NULL;
	c->sent = (size_t)http_length(&c->rs);
	if (c->rs.file.read)
		return MHD_create_response_from_callback(c->sent, FILE_BLOCK, on_file, c, NULL);
	if (c->rs.n_gaps)
		return MHD_create_response_from_callback(c->sent, PIECE_BLOCK, on_pieces, c, NULL);
	body = buf_take(&c->rs.body, &n);
	if (!body)
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	r = MHD_create_response_from_buffer_with_free_callback(n, body, release);
	if (!r)
		mem_free(body);
	return r;
}

bool http_has_header(const struct response *rs, const char *name)
{
	for (size_t i = 0; i < rs->n_headers; i++)
		if (strcasecmp(rs->headers[i].name, name) == 0)
			return true;
	return false;
}

static void add_headers(struct http_conn *c, struct MHD_Response *r)
{
	static const char *const always[][2] = {
		{ "X-Content-Type-Options", "nosniff" },
		{ "X-Frame-Options", "DENY" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Content-Security-Policy", "default-src 'self'; img-src 'self' data: blob:; "
					     "object-src 'none'; base-uri 'none'; "
					     "form-action 'self'; frame-ancestors 'none'" },
	};
	char timing[48];

	for (size_t i = 0; i < COUNTOF(always); i++)
		(void)MHD_add_response_header(r, always[i][0], always[i][1]);
	for (size_t i = 0; i < c->rs.n_headers; i++)
		(void)MHD_add_response_header(r, c->rs.headers[i].name, c->rs.headers[i].value);
	(void)MHD_add_response_header(r, "X-Request-Id", c->id);
	if (c->rq.trace)
		(void)MHD_add_response_header(r, "traceparent", c->rq.trace);
	(void)snprintf(timing, sizeof(timing), "total;dur=%.2f", (clock_mono_s() - c->t0) * 1e3);
	(void)MHD_add_response_header(r, "Server-Timing", timing);
	if (!http_has_header(&c->rs, "Cache-Control"))
		(void)MHD_add_response_header(r, "Cache-Control", "no-store");
	if (c->rs.status != 304 && c->rs.status != 204)
		(void)MHD_add_response_header(r, "Content-Type",
					      c->rs.content_type ? c->rs.content_type
								 : "application/json");
}

static enum MHD_Result send_response(struct http_conn *c)
{
	struct MHD_Response *r;
	enum MHD_Result rc;

	if (c->rs.body.failed) /* over its maximum or no memory: say so instead */
		problem_text(&c->rs, c->rs.body.failed, c->rq.path,
			     "the answer is larger than the server allows");
	r = make_response(c);
	if (!r)
		return MHD_NO;
	add_headers(c, r);
	http_wire_enter(c->wire, HTTP_WIRE_ANSWER);
	rc = MHD_queue_response(c->c, (unsigned)c->rs.status, r);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result refuse(struct http_conn *c, enum err_code code, const char *detail)
{
	problem_text(&c->rs, (int)code, c->rq.path, detail);
	http_add_header(&c->rs, "Connection", "close");
	return send_response(c);
}

/* One more stream, as far as there may be; what is refused is released. */
static bool take_stream(struct http_conn *c)
{
	c->streams = atomic_fetch_add_explicit(&c->h->streams, 1, memory_order_relaxed) <
		     c->h->config.streams;
	c->said_at = clock_mono_s();
	if (c->streams) {
		metric_add(METRIC_STREAMS, 1);
		return true;
	}
	(void)atomic_fetch_sub_explicit(&c->h->streams, 1, memory_order_relaxed);
	return false;
}

/* Ask the handler until it has an answer or its request is parked. */
static enum MHD_Result run_handler(struct http_conn *c)
{
	bool stopping = false;

	for (;;) {
		bool due = park_look(c->h->park, &c->place);

		if (c->waiting)
			c->rq.resumed++;
		c->rq.timed_out = c->waiting && (due || stopping || clock_mono_s() >= c->deadline);
		buf_release(&c->rs.body);
		c->rs = (struct response){ 0 };
		buf_init(&c->rs.body, c->h->config.answer_max);
		c->h->config.handle(c->h->config.self, &c->rq, &c->rs);
		c->place.topics = c->rs.topics ? c->rs.topics : c->rs.topic;
		if (c->rs.stream.read && !take_stream(c))
			return refuse(c, ERR_BUSY, "all streams are in use");
		c->answered = c->rs.status || c->rs.stream.read;
		if (c->answered)
			return send_response(c);
		if (stopping)
			return refuse(c, ERR_BUSY, "the server is stopping");
		if (!c->waiting)
			c->deadline = clock_mono_s() + c->rs.wait_s;
		c->waiting = true;
		switch (park_wait(c->h->park, &c->place, c->deadline)) {
		case PARK_ASLEEP:
			return MHD_YES;
		case PARK_STOPPING:
			stopping = true;
			break;
		case PARK_AGAIN:
		default:
			break;
		}
	}
}

/* ---- libmicrohttpd's calls ---- */

/* Why the body was not read: it is too large, or there was no memory. */
static enum MHD_Result refuse_body(struct http_conn *c, uint64_t found)
{
	char text[96];

	if (c->unread != ERR_BODY)
		return refuse(c, (enum err_code)c->unread, "no memory for the body");
	(void)snprintf(text, sizeof(text), "expected a body of at most %zu bytes, found %llu",
		       c->h->config.body_max, (unsigned long long)found);
	return refuse(c, ERR_BODY, text);
}

/* The first call, headers only: refuse what can be refused before the body comes. Who sends a body without
 * asking would lose an answer that comes before all of it is taken, by the reset of the connection. */
static enum MHD_Result on_start(struct http_conn *c, const char *method)
{
	uint64_t length;

	if (!http_head_is_plain(&c->rq, method, &length))
		return refuse(c, ERR_SYNTAX,
			      "expected one Host, at most one of Content-Length and "
			      "Transfer-Encoding: chunked, and headers with names, a line each");
	if (atomic_load_explicit(&c->h->open, memory_order_relaxed) > c->h->config.connections)
		return refuse(c, ERR_BUSY, "all connections are in use");
	if (length <= c->h->config.body_max)
		return MHD_YES;
	c->unread = ERR_BODY;
	return http_header(&c->rq, "Expect") || length > c->h->config.body_max + DRAIN_MAX
		       ? refuse_body(c, length)
		       : MHD_YES;
}

static enum MHD_Result on_body(struct http_conn *c, const char *data, size_t *n)
{
	if (!c->unread && buf_add(&c->body, data, *n)) {
		c->unread = c->body.failed == ERR_LIMIT ? ERR_BODY : c->body.failed;
		buf_release(&c->body);
	}
	c->sent += *n; /* counts the body while it comes */
	*n = 0;
	return c->sent > c->h->config.body_max + DRAIN_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *n, void **state)
{
	struct http_conn *c = *state;

	(void)version;
	if (!c) {
		c = conn_new(cls, connection, url, method);
		if (!c)
			return MHD_NO;
		*state = c;
		return on_start(c, method);
	}
	if (*n)
		return on_body(c, data, n);
	if (c->unread)
		return refuse_body(c, c->sent);
	c->sent = 0;
	http_wire_enter(c->wire, HTTP_WIRE_BUSY);
	c->rq.body = c->body.len ? c->body.data : NULL;
	c->rq.body_len = c->body.len;
	return run_handler(c);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode how)
{
	static const char *const outcome[] = {
		[MHD_REQUEST_TERMINATED_COMPLETED_OK] = "",
		[MHD_REQUEST_TERMINATED_WITH_ERROR] = "broken off",
		[MHD_REQUEST_TERMINATED_TIMEOUT_REACHED] = "timed out",
		[MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN] = "server stopped",
		[MHD_REQUEST_TERMINATED_READ_ERROR] = "read failed",
		[MHD_REQUEST_TERMINATED_CLIENT_ABORT] = "client gone",
	};
	const char *why = (size_t)how < COUNTOF(outcome) ? outcome[how] : "unknown";
	struct http_conn *c = *state;

	(void)cls;
	(void)connection;
	if (!c)
		return;
	if (c->waiting && !c->answered && c->h->config.leave)
		c->h->config.leave(c->h->config.self, &c->rq);
	metric_add((enum metric)(METRIC_HTTP_NONE + c->rs.status / 100), 1);
	metric_add(METRIC_HTTP_SECONDS, (int64_t)((clock_mono_s() - c->t0) * 1e6));
	metric_add(METRIC_HTTP_BYTES, (int64_t)c->sent);
	if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK && http_wire_is_cut(c->wire))
		why = "too slow";
	log_request(&(struct log_request){
		.id = c->id,
		.trace = c->rq.trace,
		.method = c->rq.method,
		.path = c->rq.path,
		.status = c->rs.status,
		.ms = (clock_mono_s() - c->t0) * 1e3,
		.bytes = c->sent,
		.outcome = why,
	});
	http_wire_enter(c->wire, HTTP_WIRE_HEAD);
	conn_free(c);
	*state = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_state,
			  enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info;
	struct http *h = cls;

	metric_add(METRIC_HTTP_OPEN, what == MHD_CONNECTION_NOTIFY_STARTED ? 1 : -1);
	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		(void)atomic_fetch_sub_explicit(&h->open, 1, memory_order_relaxed);
		http_wire_close(h->wires, *socket_state);
		return;
	}
	(void)atomic_fetch_add_explicit(&h->open, 1, memory_order_relaxed);
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	*socket_state = info ? http_wire_open(h->wires, info->connect_fd) : NULL;
}

/* ---- life ---- */

static int start_daemon(struct http *h, struct err *err)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
	const union MHD_DaemonInfo *info;
	struct http_address a;
	struct MHD_OptionItem tls[HTTP_TLS_OPTIONS];
	int rc = http_address_read(&a, h->config.address, h->config.port, err);

	if (!rc)
		rc = http_tls_options(&h->config.tls, tls, err);
	if (rc)
		return rc;
	errno = 0;
	h->daemon = MHD_start_daemon(
		flags | (a.is_v6 ? (unsigned)MHD_USE_IPv6 : 0U) |
			(h->config.tls.cert ? (unsigned)MHD_USE_TLS : 0U),
		h->config.port, NULL, NULL, on_request, h, MHD_OPTION_SOCK_ADDR, &a.u.any,
		MHD_OPTION_THREAD_POOL_SIZE, h->config.threads, MHD_OPTION_CONNECTION_LIMIT,
		h->config.connections + SPARE_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		h->config.per_address, MHD_OPTION_CONNECTION_TIMEOUT, h->config.idle_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_MEMORY,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_ARRAY, tls,
		MHD_OPTION_END);
	if (!h->daemon && errno == 0 && h->config.tls.cert)
		return err_set(err, ERR_SYNTAX, NULL,
			       "--tls-cert and --tls-key: no certificate and the key of it");
	if (!h->daemon)
		return err_set(err, ERR_IO, NULL, "cannot listen on %s port %u: %s",
			       h->config.address, h->config.port, strerror(errno));
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
	h->port = info ? info->port : h->config.port;
	return 0;
}

int http_new(struct http **ret, const struct http_config *config, struct err *err)
{
	struct http *h = mem_alloc(1, sizeof(*h));
	int rc;

	if (!h)
		return err_nomem(err);
	h->config = *config;
	rc = park_new(&h->park, on_sleep, on_wake, err);
	if (!rc)
		rc = http_wire_list_new(&h->wires, config->slow_s, err);
	if (!rc)
		rc = start_daemon(h, err);
	if (rc) {
		http_free(h);
		return rc;
	}
	*ret = h;
	return 0;
}

uint16_t http_port(const struct http *h)
{
	return h->port;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	if (h->park)
		park_stop(h->park);
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	http_wire_list_free(h->wires);
	park_free(h->park);
	mem_free(h);
}
