/* fuzz_head - any bytes over a connection to the real HTTP layer: an answer or a closed connection.
 *
 * The handler looks at everything it may ask for. What two servers in a row might read differently never
 * gets to it; whatever comes back begins as an answer does, and no header has a line too many. */
/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "server/http.h"
#include "server/log.h"
#include "tests/fuzz/fuzz.h"

enum { BODY_MAX = 4096, ANSWER_MAX = 1 << 20, FIRST_US = 200000, LATER_US = 2000 };

static struct http *http;
static atomic_uint asked;

static void no(const char *what)
{
	(void)fprintf(stderr, "fuzz_head: %s\n", what);
	abort();
}

static void on_pair(void *self, const char *name, const char *value)
{
	struct buf *out = self;

	(void)buf_json_string(out, name);
	(void)buf_json_string(out, value);
}

static void handle(void *self, struct request *rq, struct response *rs)
{
	static const char *const names[] = { "Host", "Origin", "Accept", "Authorization", "Range" };

	(void)self;
	(void)atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed);
	(void)buf_json_string(&rs->body, rq->method);
	(void)buf_json_string(&rs->body, rq->path);
	for (size_t i = 0; i < COUNTOF(names); i++)
		if (http_header(rq, names[i]))
			(void)buf_json_string(&rs->body, http_header(rq, names[i]));
	if (http_cookie(rq, "stdpd_token"))
		(void)buf_json_string(&rs->body, http_cookie(rq, "stdpd_token"));
	http_query_each(rq, on_pair, &rs->body);
	if (rq->body_len > BODY_MAX || (rq->body && strlen(rq->body) > rq->body_len))
		no("a body beyond its bound");
	if (strlen(rq->id) == 0 || strlen(rq->id) > 64 || strpbrk(rq->id, "\r\n \""))
		no("a request id that is none");
	rs->status = 200;
}

static void start(void)
{
	const struct http_config config = {
		.address = "127.0.0.1",
		.threads = 2,
		.connections = 8,
		.per_address = 8,
		.streams = 8,
		.body_max = BODY_MAX,
		.answer_max = ANSWER_MAX,
		.idle_s = 5,
		.slow_s = 5,
		.heartbeat_s = 15,
		.handle = handle,
	};
	struct err err = { 0 };

	log_set_level(LOG_ERROR);
	if (http_new(&http, &config, &err))
		no(err.text);
}

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(http_port(http)) };
	const struct linger at_once = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		no("no connection");
	/* Ports are not kept: there are many connections a second. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	return fd;
}

/* What comes back. A connection kept alive stays open: after the first piece the patience is small. */
static size_t hear(int fd, char *text, size_t max)
{
	struct timeval patience = { .tv_usec = FIRST_US };
	size_t len = 0;
	ssize_t got = 1;

	while (got > 0 && len < max) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		got = recv(fd, text + len, max - len, 0);
		len += got > 0 ? (size_t)got : 0;
		patience.tv_usec = LATER_US;
	}
	return len;
}

/* Two lengths, or a length and an encoding, in a head of plain lines: counts of each. A ':' alone between two
 * ways to end a line is the end of the head (server/http_head.c says why). */
static void smuggle(const char *head, size_t n, int *ret_lengths, int *ret_encodings)
{
	*ret_lengths = *ret_encodings = 0;
	for (size_t i = 0; i + 2 < n; i++) {
		if (head[i] != '\n')
			continue;
		if (head[i + 1] == '\r' || head[i + 1] == '\n')
			return;
		if (head[i + 1] == ':' && (head[i + 2] == '\r') != (i > 0 && head[i - 1] == '\r'))
			return;
		if (n - i > 16 && strncasecmp(head + i + 1, "Content-Length:", 15) == 0)
			++*ret_lengths;
		if (n - i > 19 && strncasecmp(head + i + 1, "Transfer-Encoding:", 18) == 0)
			++*ret_encodings;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char text[4096];
	size_t len;
	int fd, lengths, encodings;
	unsigned before;

	if (!http)
		start();
	if (n == 0)
		return 0;
	fd = dial();
	before = atomic_load_explicit(&asked, memory_order_relaxed);
	(void)send(fd, data, n, MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
	len = hear(fd, text, sizeof(text));
	(void)close(fd);
	if (len && (len < 12 || strncmp(text, "HTTP/1.", 7) != 0))
		no("an answer that begins otherwise");
	smuggle((const char *)data, n, &lengths, &encodings);
	if (lengths + encodings > 1 && len && strncmp(text + 9, "200", 3) == 0 &&
	    atomic_load_explicit(&asked, memory_order_relaxed) > before)
		no("a body of two lengths was taken");
	return 0;
}
