/* receiver.c - one thread that accepts and answers; connections that are not answered stay open. */
/* SPDX-License-Identifier: MIT */
#include "tests/e2e/receiver.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_MS = 2000, LOOK_MS = 20, BLOCK = 65536, BLOCKS = 64 };

static void pause_ms(long ms)
{
	const struct timespec ts = { .tv_nsec = ms * 1000000L };

	(void)nanosleep(&ts, NULL);
}

/* A whole request: head, and as much body as it says. */
static bool hear(int fd, char *text)
{
	size_t n = 0;

	text[0] = '\0';
	for (;;) {
		const char *end = strstr(text, "\r\n\r\n");
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char length[32] = "0";
		ssize_t got;

		if (end) {
			(void)receiver_header(text, "Content-Length", length, sizeof(length));
			if (n >= (size_t)(end + 4 - text) + strtoul(length, NULL, 10))
				return true;
		}
		if (n + 1 >= RECEIVER_TEXT || poll(&p, 1, READ_MS) != 1)
			return false;
		got = recv(fd, text + n, RECEIVER_TEXT - 1 - n, 0);
		if (got <= 0)
			return false;
		n += (size_t)got;
		text[n] = '\0';
	}
}

static bool is_to(const char *text, const char *path)
{
	size_t n = strlen(path);

	return strncmp(text, "POST ", 5) == 0 && strncmp(text + 5, path, n) == 0 &&
	       text[5 + n] == ' ';
}

static void say(int fd, const char *text)
{
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void say_without_end(int fd)
{
	char *block = calloc(1, BLOCK);

	say(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	for (int i = 0; block && i < BLOCKS; i++)
		if (send(fd, block, BLOCK, MSG_NOSIGNAL) < 0)
			break;
	free(block);
}

/* False: it is left without an answer. */
static bool reply(struct receiver *r, int fd, const char *text)
{
	static const char good[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
	static const char bad[] =
		"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

	if (is_to(text, "/silent") && !atomic_load(&r->speaks))
		return false;
	if (is_to(text, "/never") || (is_to(text, "/later") && receiver_count(r, "/later") <= 2))
		say(fd, bad);
	else if (is_to(text, "/moved"))
		say(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n"
			"Connection: close\r\n\r\n");
	else if (is_to(text, "/endless"))
		say_without_end(fd);
	else
		say(fd, good);
	return true;
}

static void serve(struct receiver *r, int fd)
{
	static char text[RECEIVER_TEXT];
	bool whole = hear(fd, text);

	if (whole) {
		(void)pthread_mutex_lock(&r->mutex);
		if (r->n < RECEIVER_MAX)
			memcpy(r->request[r->n++], text, sizeof(text));
		(void)pthread_mutex_unlock(&r->mutex);
	}
	if (!whole || reply(r, fd, text))
		(void)close(fd);
}

static void *work(void *self)
{
	struct receiver *r = self;

	while (!atomic_load(&r->stopping)) {
		struct pollfd p = { .fd = r->fd, .events = POLLIN };
		int fd = poll(&p, 1, LOOK_MS) == 1 ? accept(r->fd, NULL, NULL) : -1;

		if (fd < 0)
			continue;
		(void)atomic_fetch_add(&r->connections, 1);
		serve(r, fd);
	}
	return NULL;
}

void receiver_new(struct receiver *r)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t n = sizeof(at);

	memset(r, 0, sizeof(*r));
	(void)pthread_mutex_init(&r->mutex, NULL);
	(void)inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
	r->fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_geq(r->fd, 0);
	cr_assert_eq(bind(r->fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(listen(r->fd, 64), 0);
	cr_assert_eq(getsockname(r->fd, (struct sockaddr *)&at, &n), 0);
	r->port = ntohs(at.sin_port);
	cr_assert_eq(pthread_create(&r->thread, NULL, work, r), 0);
}

void receiver_free(struct receiver *r)
{
	atomic_store(&r->stopping, true);
	(void)pthread_join(r->thread, NULL);
	(void)close(r->fd);
	(void)pthread_mutex_destroy(&r->mutex);
}

void receiver_speak(struct receiver *r)
{
	atomic_store(&r->speaks, true);
}

/* Request i to a path; NULL: it has not come. */
static const char *look(struct receiver *r, const char *path, int i)
{
	for (int k = 0; k < r->n; k++)
		if (is_to(r->request[k], path) && i-- == 0)
			return r->request[k];
	return NULL;
}

bool receiver_wait(struct receiver *r, const char *path, int i, char *text, double seconds)
{
	for (double t = 0.0; t < seconds; t += 1e-3 * LOOK_MS) {
		const char *found;

		(void)pthread_mutex_lock(&r->mutex);
		found = look(r, path, i);
		if (found)
			memcpy(text, found, RECEIVER_TEXT);
		(void)pthread_mutex_unlock(&r->mutex);
		if (found)
			return true;
		pause_ms(LOOK_MS);
	}
	return false;
}

int receiver_count(struct receiver *r, const char *path)
{
	int n = 0;

	(void)pthread_mutex_lock(&r->mutex);
	for (int k = 0; k < r->n; k++)
		n += is_to(r->request[k], path);
	(void)pthread_mutex_unlock(&r->mutex);
	return n;
}

bool receiver_header(const char *text, const char *name, char *value, size_t n)
{
	size_t len = strlen(name);

	for (const char *line = strstr(text, "\r\n"); line && strncmp(line, "\r\n\r\n", 4) != 0;
	     line = strstr(line + 2, "\r\n")) {
		const char *at = line + 2 + len;

		if (strncasecmp(line + 2, name, len) != 0 || *at != ':')
			continue;
		at += 1 + strspn(at + 1, " ");
		(void)snprintf(value, n, "%.*s", (int)strcspn(at, "\r"), at);
		return true;
	}
	return false;
}

const char *receiver_body(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n");

	return end ? end + 4 : "";
}
