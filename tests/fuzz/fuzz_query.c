/* fuzz_query - requests of any path, query, header and cursor, against the real handlers and a real run.
 *
 * This file stands in for http.c: an input is a head as it goes over the wire (lines end in \n), the body
 * behind an empty line; @ in a path or query is the run's id. What changes more than names, starts
 * anything or waits is left out. Every answer has a status; 500 is never right. */
/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine.h"
#include "server/config.h"
#include "server/event.h"
#include "server/exec.h"
#include "server/exec_folder.h"
#include "server/harvest.h"
#include "server/queue.h"
#include "server/route.h"
#include "server/store_db.h"
#include "server/store_run.h"
#include "tests/fuzz/fuzz.h"

enum { PAIRS_MAX = 64, HEAD_MAX = 1 << 16, ANSWER_MAX = 1 << 24, RUNS = 4 };

static const char spec[] =
	"{\"duration_ms\":60,\"populations\":{\"in\":{\"model\":\"poisson_generator\",\"size\":3,"
	"\"params\":{\"rate\":300}},\"cell\":{\"model\":\"iaf_psc_exp\",\"size\":2,\"params\":"
	"{\"I_e\":700}}},\"projections\":{\"syn\":{\"source\":\"in\",\"target\":\"cell\","
	"\"connect\":{\"rule\":\"all_to_all\"},\"synapse\":{\"model\":\"stdp_pair\","
	"\"weight\":0.5}}},\"record\":{\"spikes\":[\"in\",\"cell\"],\"states\":[{\"population\":"
	"\"cell\",\"variables\":[\"V_m\"],\"every_ms\":1}],\"weights\":[{\"projection\":\"syn\","
	"\"every_ms\":5,\"bins\":4},{\"projection\":\"syn\",\"every_ms\":20},{\"projection\":"
	"\"syn\",\"every\":\"update\",\"synapses\":[0,1,4]}],\"rates\":[{\"population\":\"cell\","
	"\"bin_ms\":10}]}}";

static struct config config;
static struct api api;
static char run_id[ID_SIZE];
static char folder[64] = "/dev/shm/fuzz-query-XXXXXX";

static void no(const char *what, const char *detail)
{
	(void)fprintf(stderr, "fuzz_query: %s: %s\n", what, detail);
	abort();
}

/* ---- in the place of http.c ---- */

struct pair {
	const char *name, *value;
};

static struct pair query[PAIRS_MAX], header[PAIRS_MAX];
static size_t n_query, n_header;

static const char *look(const struct pair *pairs, size_t n, const char *name, bool any_case)
{
	for (size_t i = 0; i < n; i++)
		if (any_case ? strcasecmp(pairs[i].name, name) == 0
			     : strcmp(pairs[i].name, name) == 0)
			return pairs[i].value;
	return NULL;
}

const char *http_query(const struct request *rq, const char *name)
{
	(void)rq;
	return look(query, n_query, name, false);
}

const char *http_header(const struct request *rq, const char *name)
{
	(void)rq;
	return look(header, n_header, name, true);
}

const char *http_cookie(const struct request *rq, const char *name)
{
	(void)rq;
	(void)name;
	return NULL;
}

void http_query_each(const struct request *rq,
		     void (*visit)(void *self, const char *name, const char *value), void *self)
{
	(void)rq;
	for (size_t i = 0; i < n_query; i++)
		visit(self, query[i].name, query[i].value);
}

void http_add_header(struct response *rs, const char *name, const char *value)
{
	assert(rs->n_headers < HTTP_HEADERS_MAX);
	if (strpbrk(name, "\r\n") || strpbrk(value, "\r\n"))
		no("a header of two lines", name);
	rs->headers[rs->n_headers].name = name;
	rs->headers[rs->n_headers++].value = value;
}

bool http_has_header(const struct response *rs, const char *name)
{
	for (size_t i = 0; i < rs->n_headers; i++)
		if (strcasecmp(rs->headers[i].name, name) == 0)
			return true;
	return false;
}

void http_wake(struct http *h, const char *topic)
{
	(void)h;
	(void)topic;
}

/* Nor is anything executed. */
void exec_wake(struct exec *e)
{
	(void)e;
}

void exec_harvest(struct exec *e, const char *id)
{
	(void)e;
	(void)id;
}

/* ---- the world: a store with a run that has ended and some that wait ---- */

static double now(void *self)
{
	(void)self;
	return 0.0;
}

static enum err_code go_on(void *self)
{
	(void)self;
	return ERR_OK;
}

static void tidy(void)
{
	char command[96];

	store_close(api.store);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command))
		(void)fprintf(stderr, "%s stays\n", folder);
}

static void add_run(const char *id, struct err *err)
{
	const struct store_run_new run = { .id = id,
					   .name = "fuzzed",
					   .tags = "[\"a\"]",
					   .spec = spec,
					   .spec_sha256 = "0",
					   .seed = "1",
					   .threads = 1,
					   .duration_ms = 60 };

	if (store_begin(api.store, err) ||
	    store_conclude(api.store, store_run_add(api.store, &run, err), err))
		no("no run can be added", err->text);
}

static void execute(struct err *err)
{
	const struct engine_control control = { .now_s = now, .stop = go_on, .threads = 1 };
	struct harvest_job job = { 0 };
	char path[160];
	int dir;

	if (store_begin(api.store, err) ||
	    store_conclude(api.store, store_run_move(api.store, run_id, RUN_QUEUED, RUN_START, err),
			   err))
		no("the run does not start", err->text);
	(void)snprintf(path, sizeof(path), "%s/runs/%s", folder, run_id);
	if (exec_folder_fill(api.store, path, spec, err))
		no("there is no folder", err->text);
	dir = open(path, O_RDONLY | O_DIRECTORY);
	if (dir < 0 || engine_run(dir, &control, err))
		no("the run fails", err->text);
	(void)close(dir);
	memcpy(job.id, run_id, ID_SIZE);
	if (harvest(api.store, api.event, &job))
		no("the run is not brought in", job.detail);
}

static const char *no_env(const char *name)
{
	(void)name;
	return NULL;
}

static void make(void)
{
	char name[] = "stdpd", *argv[] = { name, NULL }, id[ID_SIZE];
	struct err err = { 0 };

	if (access("/dev/shm", W_OK))
		(void)snprintf(folder, sizeof(folder), "/tmp/fuzz-query-XXXXXX");
	if (config_read(&config, 1, argv, no_env, NULL, &err) || !mkdtemp(folder) ||
	    store_open(&api.store, folder, &err) || event_new(&api.event, &err) ||
	    queue_new(&api.queue, api.store, 100, &err))
		no("there is no server", err.text);
	api.config = &config;
	(void)atexit(tidy);
	id_new(run_id);
	add_run(run_id, &err);
	execute(&err);
	for (int i = 1; i < RUNS; i++) {
		id_new(id);
		add_run(id, &err);
	}
}

/* ---- a head ---- */

static int hex(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* %41 and +, in place. */
static void decode(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		if (*at == '%' && hex(at[1]) >= 0 && hex(at[2]) >= 0) {
			*to++ = (char)(hex(at[1]) << 4 | hex(at[2]));
			at += 2;
		} else {
			*to++ = *at == '+' ? ' ' : *at;
		}
	}
	*to = '\0';
}

/* Copy with @ replaced. */
static void expand(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from && n + ID_SIZE < size; from++) {
		if (*from == '@') {
			memcpy(to + n, run_id, ID_LEN);
			n += ID_LEN;
		} else {
			to[n++] = *from;
		}
	}
	to[n] = '\0';
}

static void read_query(char *text)
{
	n_query = 0;
	for (char *part = strtok(text, "&"); part && n_query < PAIRS_MAX;
	     part = strtok(NULL, "&")) {
		char *eq = strchr(part, '=');

		if (eq)
			*eq = '\0';
		decode(part);
		if (eq)
			decode(eq + 1);
		query[n_query++] = (struct pair){ part, eq ? eq + 1 : "" };
	}
}

static void read_headers(char *text)
{
	n_header = 0;
	header[n_header++] = (struct pair){ "Host", "localhost" };
	header[n_header++] = (struct pair){ "Content-Type", "application/json" };
	for (char *line = strtok(text, "\n"); line && n_header < PAIRS_MAX;
	     line = strtok(NULL, "\n")) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		line[strcspn(line, "\r")] = '\0';
		colon[1 + strcspn(colon + 1, "\r")] = '\0';
		header[n_header++] = (struct pair){ line, colon + 1 + strspn(colon + 1, " \t") };
	}
}

static bool allowed(const char *method, const char *path)
{
	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		return strncmp(path, "/v1/rules/", 10) != 0; /* starts a run */
	if (strcmp(method, "PATCH") == 0)
		return strncmp(path, "/v1/runs/", 9) == 0;
	return strcmp(method, "POST") == 0 && strcmp(path, "/v1/specs/validate") == 0;
}

/* What a stream says at first. */
static void drain(struct response *rs)
{
	struct buf out;
	bool end = false;

	buf_init(&out, ANSWER_MAX);
	(void)rs->stream.read(rs->stream.self, &out, &end);
	buf_release(&out);
	rs->stream.free(rs->stream.self);
}

static void ask(char *method, char *path, const char *body)
{
	struct mem_arena arena;
	struct response rs = { 0 };
	struct request rq = { .method = method,
			      .path = path,
			      .id = "fuzz",
			      .body = body,
			      .body_len = body ? strlen(body) : 0,
			      .arena = &arena };

	mem_arena_init(&arena, (size_t)1 << 28);
	buf_init(&rs.body, ANSWER_MAX);
	route_handle(&api, &rq, &rs);
	if (rs.stream.read)
		drain(&rs);
	else if (rs.status == 0 && !(rs.wait_s > 0.0 && (*rs.topic || rs.topics)))
		no("neither an answer nor a wait", path);
	else if (rs.status == 500)
		no("status 500", rs.body.data ? rs.body.data : "");
	buf_release(&rs.body);
	mem_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char text[HEAD_MAX], path[HEAD_MAX], rest[HEAD_MAX];
	char *body, *headers, *method = text, *target, *mark;

	if (!api.store)
		make();
	if (n >= HEAD_MAX)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	body = strstr(text, "\n\n");
	if (body) {
		*body = '\0';
		body += 2;
	}
	headers = text + strcspn(text, "\n");
	if (*headers)
		*headers++ = '\0';
	target = text + strcspn(text, " ");
	if (*target)
		*target++ = '\0';
	mark = target + strcspn(target, "?");
	if (*mark)
		*mark++ = '\0';
	expand(path, sizeof(path), target);
	expand(rest, sizeof(rest), mark);
	decode(path);
	read_query(rest);
	read_headers(headers);
	if (allowed(method, path))
		ask(method, path, body && *body ? body : NULL);
	return 0;
}
