/* test_streams - events have places: what was missed comes again, what is lost is told; many in one. */
/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

enum { TEXT_SIZE = 1 << 18 };

static const char *const args[] = { "--slots", "1", NULL };
static struct harness h;
static char text[TEXT_SIZE];
static size_t text_size = TEXT_SIZE; /* no more is heard */

static void setup(void)
{
	harness_new(&h, args);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(streams, .init = setup, .fini = teardown, .timeout = 120);

/* What a stream says within a second (or until it ends) to who heard `last` before. */
static const char *hear(const char *path, const char *last)
{
	char request[8192];

	(void)snprintf(
		request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n%s%s%s\r\n",
		path, last ? "Last-Event-ID: " : "", last ? last : "", last ? "\r\n" : "");
	harness_raw(&h, request, strlen(request), text, text_size);
	return text;
}

/* The last id in what was heard. */
static void last_id(char id[512])
{
	const char *at = text, *found = NULL;

	while ((at = strstr(at, "id: ")) != NULL)
		found = at += 4;
	cr_assert_not_null(found, "no id in %s", text);
	(void)snprintf(id, 512, "%.*s", (int)strcspn(found, "\r\n"), found);
}

static size_t count(const char *word)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

static void session(char id[64])
{
	struct reply r = harness_ask(&h, "POST", "/v1/sessions", SPECS_FAST, NULL);

	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(id, 64, "%s", reply_text(&r, "/id"));
	reply_release(&r);
}

static void step(const char *id, int times)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/step", id);
	for (int i = 0; i < times; i++) {
		struct reply r = harness_ask(&h, "POST", path, "{\"duration_ms\":0.1}", NULL);

		cr_assert_eq(r.status, 200, "%s", r.body);
		reply_release(&r);
	}
}

Test(streams, what_a_watcher_of_a_session_missed_comes_again)
{
	char id[64], path[128], last[512], again[512];

	session(id);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/events?rates=cell", id);
	(void)hear(path, NULL);
	last_id(last);
	step(id, 3);
	(void)hear(path, last);
	cr_assert_eq(count("event: gap"), 0, "%s", text);
	cr_assert_geq(count("event: state"), 1, "%s", text);
	last_id(again);
	cr_assert_str_neq(again, last);
	(void)hear(path, again);
	cr_assert_eq(count("event: state"), 0, "what was heard came again: %s", text);
}

Test(streams, what_is_lost_of_a_session_is_told)
{
	char id[64], path[256], first[512], last[512];
	struct reply r;

	text_size = 8192; /* it begins with what matters, and goes on for ever */
	session(id);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/play", id);
	r = harness_ask(&h, "POST", path, "{\"speed\":1}", NULL);
	cr_assert_eq(r.status, 200, "%s", r.body);
	reply_release(&r);
	(void)snprintf(path, sizeof(path),
		       "/v1/sessions/%s/events?rates=in,cell&weights=wire&max_hz=60", id);
	(void)hear(path, NULL);
	(void)snprintf(first, sizeof(first), "%.*s", (int)strcspn(strstr(text, "id: ") + 4, "\r\n"),
		       strstr(text, "id: ") + 4);
	/* Until there are more than are kept. */
	for (int i = 0; i < 600 && !count("event: gap"); i++) {
		(void)nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
		(void)hear(path, first);
	}
	cr_assert_eq(count("event: gap"), 1, "%.4000s", text);
	cr_assert_null(strstr(text, "{\"dropped\":null}"), "%.4000s", text);
	last_id(last);
	(void)hear(path, "abc:12"); /* of another life of it */
	cr_assert_not_null(strstr(text, "event: gap\ndata: {\"dropped\":null}"), "%.4000s", text);
	cr_assert_eq(harness_stop(&h), 0);
	harness_again(&h, args);
	(void)hear(path, last);
	cr_assert_not_null(strstr(text, "event: gap\ndata: {\"dropped\":null}"), "%.4000s", text);
}

Test(streams, many_topics_come_in_one_stream)
{
	char run[64], other[64], live[64], path[512], word[128], last[512];
	struct reply r;

	session(live);
	harness_run(&h, SPECS_FAST, run);
	r = harness_wait(&h, run, 20);
	reply_release(&r);
	r = harness_ask(&h, "POST", "/v1/sweeps",
			"{\"spec\":" SPECS_NET("100", "10") ",\"seeds\":[1,2]}", NULL);
	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(path, sizeof(path), "/v1/events?topics=run:%s,session:%s,sweep:%s", run,
		       live, reply_text(&r, "/id"));
	(void)snprintf(other, sizeof(other), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	(void)hear(path, NULL);
	(void)snprintf(word, sizeof(word), "data: {\"topic\":\"run:%s\",\"state\":\"succeeded\"",
		       run);
	cr_assert_not_null(strstr(text, word), "%s", text);
	(void)snprintf(word, sizeof(word), "data: {\"topic\":\"sweep:%s\",\"state\":\"finished\"",
		       other);
	cr_assert_not_null(strstr(text, word), "%s", text);
	last_id(last);
	cr_assert_not_null(strchr(last, ','));
	step(live, 2);
	(void)hear(path, last);
	cr_assert_eq(count("\"topic\":\"run:"), 0, "%s", text);
	cr_assert_eq(count("\"topic\":\"sweep:"), 0, "%s", text);
	(void)snprintf(word, sizeof(word), "event: state\ndata: {\"topic\":\"session:%s\",", live);
	cr_assert_not_null(strstr(text, word), "%s", text);
	cr_assert_eq(count("event: gap"), 0, "%s", text);
	(void)hear(path, "7"); /* an id of other topics */
	cr_assert_eq(count("event: gap"), 1, "%s", text);
	cr_assert_geq(count("\"topic\":\"run:"), 3, "%s", text);
}

static void refused_at(const char *pointer, const char *topics, int status, const char *code)
{
	char path[8192];
	struct reply r;

	(void)snprintf(path, sizeof(path), "/v1/events%s", topics);
	r = harness_get(&h, path);
	cr_assert_eq(r.status, status, "%.40s: %s", topics, r.body);
	cr_assert_str_eq(reply_text(&r, "/code"), code, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), pointer);
	reply_release(&r);
}

/* A population of both, and a projection of one alone. */
Test(streams, what_sessions_record_comes_in_one_stream_too)
{
	static const char lone[] =
		"{\"spec\":{\"resolution_ms\":0.1,\"duration_ms\":1000,\"populations\":{\"cell\":"
		"{\"model\":\"iaf_psc_exp\",\"size\":2,\"params\":{\"I_e\":900}}}}}";
	static const char *const kinds[] = { "state", "spikes", "rates", "weights" };
	char ids[2][64], path[512], word[256];
	struct reply r = harness_ask(&h, "POST", "/v1/sessions", lone, NULL);

	(void)snprintf(ids[0], sizeof(ids[0]), "%s", reply_text(&r, "/id"));
	cr_assert_eq(r.status, 201, "%s", r.body);
	reply_release(&r);
	session(ids[1]);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "/v1/sessions/%s/play", ids[i]);
		r = harness_ask(&h, "POST", path, "{\"speed\":1}", NULL);
		cr_assert_eq(r.status, 200, "%s", r.body);
		reply_release(&r);
	}
	text_size = 65536; /* it goes on for ever */
	(void)snprintf(path, sizeof(path),
		       "/v1/events?topics=session:%s,session:%s&spikes=cell&rates=cell&weights=wire"
		       "&max_hz=60",
		       ids[0], ids[1]);
	(void)hear(path, NULL);
	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			(void)snprintf(word, sizeof(word),
				       "event: %s\ndata: {\"topic\":\"session:%s\"", kinds[k],
				       ids[i]);
			cr_assert_eq(strstr(text, word) != NULL, i == 1 || k != 3, "%s in %s", word,
				     text);
		}
	(void)snprintf(path, sizeof(path), "?topics=session:%s&weights=wire", ids[0]);
	refused_at("?weights", path, 422, "unknown-name");
	(void)snprintf(path, sizeof(path), "?topics=session:%s&rates=cell&max_hz=1000", ids[0]);
	refused_at("?max_hz", path, 422, "out-of-range");
}

Test(streams, a_stream_of_many_ends_when_all_has_been_said)
{
	char a[64], b[64], path[256], last[512];
	struct reply r;

	harness_run(&h, SPECS_FAST, a);
	harness_run(&h, SPECS_FAST, b);
	(void)snprintf(path, sizeof(path), "/v1/events?topics=run:%s,run:%s", a, b);
	r = harness_get(&h, path); /* until it closes */
	cr_assert_eq(r.status, 200, "%s", r.body);
	(void)snprintf(text, sizeof(text), "%s", r.body);
	reply_release(&r);
	cr_assert_eq(count("\"state\":\"succeeded\""), 2, "%s", text);
	last_id(last);
	{
		char header[600];
		const char *const headers[] = { header, NULL };

		(void)snprintf(header, sizeof(header), "Last-Event-ID: %s", last);
		r = harness_ask(&h, "GET", path, NULL, headers);
		cr_assert_eq(r.status, 204, "%s", r.body);
		reply_release(&r);
	}
}

static void refused(const char *topics, int status, const char *code)
{
	refused_at("?topics", topics, status, code);
}

#define NOBODY "0123456789abcdef0123456789abcdef"

Test(streams, topics_that_are_none_are_refused)
{
	char id[64], topics[8192];

	harness_run(&h, SPECS_FAST, id);
	refused("", 422, "missing");
	refused("?topics=", 422, "missing");
	refused("?topics=walk:" NOBODY, 422, "unknown-name");
	refused("?topics=run", 422, "unknown-name");
	refused("?topics=run:" NOBODY, 404, "not-found");
	refused("?topics=session:" NOBODY, 404, "not-found");
	refused("?topics=sweep:../x", 404, "not-found");
	(void)snprintf(topics, sizeof(topics), "?topics=run:%s,run:%s", id, id);
	refused(topics, 422, "conflict");
	(void)snprintf(topics, sizeof(topics), "?topics=");
	for (int i = 0; i < 65; i++)
		(void)snprintf(topics + strlen(topics), sizeof(topics) - strlen(topics), "run:%d,",
			       i);
	refused(topics, 422, "limit-exceeded");
}

/* A connection that asks and stays. */
static int stay(const char *path)
{
	char request[256];
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)h.port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(connect(fd, (const struct sockaddr *)(const void *)&at, sizeof(at)), 0);
	(void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
		       path);
	cr_assert_eq(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
	cr_assert_gt(recv(fd, request, sizeof(request), 0), 0);
	return fd;
}

/* A session that nothing happens to. */
Test(streams, a_stream_without_news_says_that_it_is_there)
{
	static const char *const often[] = { "--heartbeat-s", "0.2", NULL };
	char id[64], path[128];
	struct reply r;
	size_t at = 0;
	int fd;

	session(id);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/events", id);
	(void)hear(path, NULL); /* until nothing came for a second */
	cr_assert_eq(count("\nretry: "), 1, "%s", text);
	cr_assert_eq(count(": hb"), 0, "%s", text);
	cr_assert_eq(harness_stop(&h), 0);
	harness_again(&h, often);
	r = harness_get(&h, "/v1");
	cr_assert_eq(reply_number(&r, "/limits/heartbeat_s"), 0.2);
	reply_release(&r);
	fd = stay(path);
	text[0] = '\0';
	while (count("\n: hb\n\n") < 3 && at + 1 < TEXT_SIZE) {
		ssize_t got = recv(fd, text + at, TEXT_SIZE - 1 - at, 0);

		cr_assert_gt(got, 0, "the stream ended: %s", text);
		at += (size_t)got;
		text[at] = '\0';
	}
	(void)close(fd);
}

Test(streams, streams_are_counted)
{
	char id[64], path[128];
	static const char *const few[] = { "--streams", "3", NULL };
	struct reply r;
	int fds[3];

	cr_assert_eq(harness_stop(&h), 0);
	harness_again(&h, few);
	session(id);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/events", id);
	for (int i = 0; i < 3; i++)
		fds[i] = stay(path);
	r = harness_get(&h, path);
	cr_assert_eq(r.status, 503, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/code"), "busy");
	cr_assert(reply_header(&r, "Retry-After", text, 16));
	reply_release(&r);
	r = harness_get(&h, "/v1");
	cr_assert_eq(r.status, 200, "others are served");
	cr_assert_eq(reply_number(&r, "/limits/streams"), 3.0);
	cr_assert_eq(reply_number(&r, "/limits/stream_topics"), 64.0);
	reply_release(&r);
	for (int i = 0; i < 3; i++)
		(void)close(fds[i]);
	step(id, 3); /* something to say, by which it finds out who has gone */
	for (int i = 0; i < 100; i++) {
		(void)hear(path, NULL);
		if (strstr(text, "200 OK"))
			break;
	}
	cr_assert_not_null(strstr(text, "200 OK"), "%s", text);
}
