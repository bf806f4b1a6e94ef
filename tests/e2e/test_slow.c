/* test_slow - clients that send or take a byte now and then are cut off, while others are served. */
/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

/* A network whose spikes are many bytes. */
#define NET \
	"{\"spec\":{\"duration_ms\":100,\"seed\":\"7\",\"populations\":{\"in\":{\"model\":" \
	"\"poisson_generator\",\"size\":2000,\"params\":{\"rate\":100}}},\"record\":{\"spikes\":[" \
	"\"in\"]}}}"

enum { PIPELINED = 200, REQUEST_MAX = 1 << 14, ROUNDS = 400, ROUND_MS = 50 };

static const char *const args[] = { "--slow-s", "0.5", "--idle-s", "60", NULL };
static struct harness h;

static void setup(void)
{
	harness_new(&h, args);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(slow, .init = setup, .fini = teardown, .timeout = 120);

/* One that takes little at a time: its side has room for a few packets only. */
static int open_client(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)h.port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), room = 4096;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0, "%s", strerror(errno));
	return fd;
}

static void say(int fd, const char *text)
{
	cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

struct client {
	const char *is;
	const char *sends; /* a byte a round, again and again, "": nothing; NULL: it takes one */
	int fd;
	bool over;
};

/* A byte more; whether the connection has ended. */
static bool trickle(struct client *c, int round)
{
	char byte;

	if (c->sends) {
		ssize_t got;

		if (*c->sends) {
			byte = c->sends[(size_t)round % strlen(c->sends)];
			(void)send(c->fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		}
		got = recv(c->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
		return got == 0 || (got < 0 && errno != EAGAIN);
	}
	(void)recv(c->fd, &byte, 1, MSG_DONTWAIT);
	/* What lies in its own room is told before the end is: the end shows by sending. */
	return send(c->fd, "\n", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN;
}

static void ask_for_much(int fd)
{
	char text[REQUEST_MAX] = "";

	for (int i = 0; i < PIPELINED; i++)
		(void)strcat(text, "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
	say(fd, text);
}

/* A request, its answer, and a little of another request. */
static void ask_once_and_begin(int fd)
{
	char text[4096];

	say(fd, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
	cr_assert_gt(recv(fd, text, sizeof(text), 0), 12);
	(void)poll(NULL, 0, ROUND_MS); /* the request is over for the server, too */
	say(fd, "GET /liv");
}

static void listen_to_session(int fd)
{
	struct reply r = harness_ask(&h, "POST", "/v1/sessions", NET, NULL);
	char id[64], text[256];

	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	(void)snprintf(text, sizeof(text), "/v1/sessions/%s/play", id);
	r = harness_ask(&h, "POST", text, "{\"speed\":0}", NULL);
	cr_assert_eq(r.status, 200, "%s", r.body);
	reply_release(&r);
	(void)snprintf(text, sizeof(text),
		       "GET /v1/sessions/%s/events?spikes=in&max_hz=60 HTTP/1.1\r\nHost: "
		       "localhost\r\n\r\n",
		       id);
	say(fd, text);
}

/* The size of the limit is told by the option; that it ends at all is what is tested, not when. */
Test(slow, who_is_slow_is_cut_off_and_others_are_served)
{
	struct client clients[] = {
		{ "sends a head", "GET /v1 HTTP/1.1\r\nX: ", 0, false },
		{ "sends a body", " ", 0, false },
		{ "takes an answer", NULL, 0, false },
		{ "takes a stream", NULL, 0, false },
		{ "begins a second head and sends nothing more", "", 0, false },
	};
	size_t n = sizeof(clients) / sizeof(clients[0]), left = n;

	for (size_t i = 0; i < n; i++)
		clients[i].fd = open_client();
	say(clients[1].fd, "POST /v1/specs/validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
			   "application/json\r\nContent-Length: 100000\r\n\r\n");
	ask_for_much(clients[2].fd);
	listen_to_session(clients[3].fd);
	ask_once_and_begin(clients[4].fd);
	for (int round = 0; round < ROUNDS && left; round++) {
		struct reply r = harness_get(&h, "/v1");

		cr_assert_eq(r.status, 200, "others are not served");
		reply_release(&r);
		for (size_t i = 0; i < n; i++) {
			if (clients[i].over || !trickle(&clients[i], round))
				continue;
			clients[i].over = true;
			left--;
		}
		(void)poll(NULL, 0, ROUND_MS);
	}
	for (size_t i = 0; i < n; i++) {
		cr_assert(clients[i].over, "who %s, slowly, is still there", clients[i].is);
		(void)close(clients[i].fd);
	}
}

/* It closes its side behind its request: it gets the answer, and can ask for nothing any more. */
Test(slow, who_has_closed_its_side_holds_no_place)
{
	int fd = open_client();
	char text[4096];
	size_t got = 0;
	ssize_t n;

	say(fd, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
	cr_assert_eq(shutdown(fd, SHUT_WR), 0);
	n = recv(fd, text, sizeof(text), 0);
	cr_assert_gt(n, 12);
	cr_assert_eq(strncmp(text, "HTTP/1.1 200", 12), 0);
	for (int i = 0; i < ROUNDS && n > 0; i++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, ROUND_MS) == 1)
			n = recv(fd, text, sizeof(text), 0);
		got += n > 0 ? (size_t)n : 0;
	}
	cr_assert_eq(n, 0, "the connection is still open");
	cr_assert_lt(got, sizeof(text));
	(void)close(fd);
}

/* A stream without news and a client that thinks between its requests are not slow. */
Test(slow, who_has_nothing_to_do_is_left_alone)
{
	struct reply r = harness_ask(&h, "POST", "/v1/sessions", NET, NULL);
	int stream = open_client(), idle = open_client();
	char text[256];

	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(text, sizeof(text),
		       "GET /v1/sessions/%s/events?spikes=in HTTP/1.1\r\nHost: localhost\r\n\r\n",
		       reply_text(&r, "/id"));
	reply_release(&r);
	say(stream, text);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(poll(NULL, 0, 600), 0);
		say(idle, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
		cr_assert_gt(recv(idle, text, sizeof(text), 0), 12, "cut off, though not slow");
	}
	cr_assert_geq(send(stream, "\n", 1, MSG_NOSIGNAL), 1);
	cr_assert_eq(poll(NULL, 0, 50), 0);
	cr_assert_geq(send(stream, "\n", 1, MSG_NOSIGNAL), 1, "the stream was cut off");
	(void)close(stream);
	(void)close(idle);
}
