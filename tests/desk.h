/* desk.h - the server's handlers without its sockets and processes: a request is text, the answer stays here.
 *
 * To be included by one file of a program that is linked with the server: it defines what http_request.c,
 * http.c and exec.c would. A request is a head as it goes over the wire, lines end in \n, the body stands
 * behind an empty line; @ in its path or query is the id of a run that has ended. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_DESK_H
#define TESTS_DESK_H

#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/catalog.h"
#include "core/engine.h"
#include "server/config.h"
#include "server/event.h"
#include "server/exec.h"
#include "server/exec_folder.h"
#include "server/harvest.h"
#include "server/kept.h"
#include "server/queue.h"
#include "server/route.h"
#include "server/store_db.h"
#include "server/store_run.h"

enum { DESK_PAIRS = 64, DESK_HEAD = 1 << 16, DESK_ANSWER = 1 << 24, DESK_RUNS = 4 };

static const char desk_spec[] =
	"{\"duration_ms\":60,\"seed\":\"1\",\"populations\":{\"in\":{\"model\":\"poisson_"
	"generator\",\"size\":3,"
	"\"params\":{\"rate\":300}},\"cell\":{\"model\":\"iaf_psc_exp\",\"size\":2,\"params\":"
	"{\"I_e\":700}}},\"projections\":{\"syn\":{\"source\":\"in\",\"target\":\"cell\","
	"\"connect\":{\"rule\":\"all_to_all\"},\"synapse\":{\"model\":\"stdp_pair\","
	"\"weight\":0.5}}},\"record\":{\"spikes\":[\"in\",\"cell\"],\"states\":[{\"population\":"
	"\"cell\",\"variables\":[\"V_m\"],\"every_ms\":1}],\"weights\":[{\"projection\":\"syn\","
	"\"every_ms\":5,\"bins\":4},{\"projection\":\"syn\",\"every_ms\":20},{\"projection\":"
	"\"syn\",\"every\":\"update\",\"synapses\":[0,1,4]}],\"rates\":[{\"population\":\"cell\","
	"\"bin_ms\":10}]}}";

struct desk {
	struct config config;
	struct api api;
	char run[ID_SIZE]; /* that has ended; DESK_RUNS - 1 others wait */
	char folder[64];
};

static struct desk desk;
static volatile char desk_last; /* last byte of a piece: it can be read */

static inline void desk_no(const char *what, const char *detail)
{
	(void)fprintf(stderr, "desk: %s: %s\n", what, detail);
	abort();
}

/* ---- in the place of http.c ---- */

struct desk_pair {
	const char *name, *value;
};

static struct desk_pair desk_query[DESK_PAIRS], desk_header[DESK_PAIRS];
static size_t desk_n_query, desk_n_header;

static inline const char *desk_look(const struct desk_pair *pairs, size_t n, const char *name,
				    bool any_case)
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
	return desk_look(desk_query, desk_n_query, name, false);
}

const char *http_header(const struct request *rq, const char *name)
{
	(void)rq;
	return desk_look(desk_header, desk_n_header, name, true);
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
	for (size_t i = 0; i < desk_n_query; i++)
		visit(self, desk_query[i].name, desk_query[i].value);
}

void http_add_header(struct response *rs, const char *name, const char *value)
{
	assert(rs->n_headers < HTTP_HEADERS_MAX);
	if (strpbrk(name, "\r\n") || strpbrk(value, "\r\n"))
		desk_no("a header of two lines", name);
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

/* ---- a store with a run that has ended and some that wait ---- */

static inline double desk_now(void *self)
{
	(void)self;
	return 0.0;
}

static inline enum err_code desk_go_on(void *self)
{
	(void)self;
	return ERR_OK;
}

/* Queue a run of the spec. */
static inline int desk_add_run(const char *id, struct err *err)
{
	const struct store_run_new run = { .id = id,
					   .name = "desk",
					   .tags = "[\"a\"]",
					   .spec = desk_spec,
					   .spec_sha256 = "0",
					   .seed = "1",
					   .threads = 1,
					   .duration_ms = 60 };
	int rc = store_begin(desk.api.store, err);

	return rc ? rc : store_conclude(desk.api.store, queue_push(desk.api.queue, &run, err), err);
}

/* As exec does: it is running, and its folder is there. */
static inline int desk_start_run(const char *id, struct err *err)
{
	char path[160];
	int rc = store_begin(desk.api.store, err);

	if (!rc)
		rc = store_conclude(desk.api.store,
				    store_run_move(desk.api.store, id, RUN_QUEUED, RUN_START, err),
				    err);
	if (rc)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/runs/%s", desk.folder, id);
	return exec_folder_fill(desk.api.store, path, desk_spec, err);
}

/* What its process does. */
static inline int desk_simulate(const char *id, struct err *err)
{
	const struct engine_control control = { .now_s = desk_now,
						.stop = desk_go_on,
						.threads = 1 };
	char path[160];
	int dir, rc;

	(void)snprintf(path, sizeof(path), "%s/runs/%s", desk.folder, id);
	dir = open(path, O_RDONLY | O_DIRECTORY);
	rc = dir < 0 ? -ERR_IO : engine_run(dir, &control, err);
	if (dir >= 0)
		(void)close(dir);
	return rc;
}

static inline int desk_harvest(const char *id)
{
	struct harvest_job job = { 0 };

	memcpy(job.id, id, ID_SIZE);
	return harvest(desk.api.store, desk.api.event, &job);
}

static inline const char *desk_no_env(const char *name)
{
	(void)name;
	return NULL;
}

/* The services on desk.folder, which may have been used before. */
static inline int desk_open(struct err *err)
{
	int rc = store_open(&desk.api.store, desk.folder, err);

	if (!rc)
		rc = event_new(&desk.api.event, err);
	if (!rc)
		rc = queue_new(&desk.api.queue, desk.api.store, 100000, err);
	return rc;
}

static inline void desk_close(void)
{
	queue_free(desk.api.queue);
	event_free(desk.api.event);
	store_close(desk.api.store);
	desk.api.queue = NULL;
	desk.api.event = NULL;
	desk.api.store = NULL;
}

/* A folder, in memory if there is such a place, and all in it. */
/* Whether SQLite finds nothing wrong with the database on the disk. */
static inline bool desk_is_intact(void)
{
	char path[128];
	sqlite3_stmt *q = NULL;
	sqlite3 *db = NULL;
	bool intact;

	(void)snprintf(path, sizeof(path), "%s/stdpd.db", desk.folder);
	intact = sqlite3_open(path, &db) == SQLITE_OK &&
		 sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL) == SQLITE_OK &&
		 sqlite3_step(q) == SQLITE_ROW &&
		 strcmp((const char *)sqlite3_column_text(q, 0), "ok") == 0;
	(void)sqlite3_finalize(q);
	(void)sqlite3_close(db);
	return intact;
}

static inline void desk_new(void)
{
	char name[] = "stdpd", *argv[] = { name, NULL }, id[ID_SIZE];
	struct err err = { 0 };

	(void)snprintf(desk.folder, sizeof(desk.folder), "%s/stdpd-desk-XXXXXX",
		       access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (config_read(&desk.config, 1, argv, desk_no_env, NULL, &err) || !mkdtemp(desk.folder) ||
	    desk_open(&err))
		desk_no("there is no server", err.text);
	if (api_keep(&desk.api.models, catalog_models(), &err) ||
	    api_keep(&desk.api.openapi, route_openapi(), &err))
		desk_no("there are no kept answers", err.text);
	desk.api.config = &desk.config;
	id_new(desk.run);
	if (desk_add_run(desk.run, &err) || desk_start_run(desk.run, &err) ||
	    desk_simulate(desk.run, &err) || desk_harvest(desk.run))
		desk_no("there is no run", err.text);
	for (int i = 1; i < DESK_RUNS; i++) {
		id_new(id);
		if (desk_add_run(id, &err))
			desk_no("no run can be added", err.text);
	}
}

static inline void desk_free(void)
{
	char command[96];

	desk_close();
	kept_free(desk.api.models);
	kept_free(desk.api.openapi);
	(void)snprintf(command, sizeof(command), "rm -rf %s", desk.folder);
	if (system(command))
		(void)fprintf(stderr, "%s stays\n", desk.folder);
}

/* ---- requests ---- */

static inline int desk_hex(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* %41 and +, in place. */
static inline void desk_decode(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		if (*at == '%' && desk_hex(at[1]) >= 0 && desk_hex(at[2]) >= 0) {
			*to++ = (char)(desk_hex(at[1]) << 4 | desk_hex(at[2]));
			at += 2;
		} else {
			*to++ = *at == '+' ? ' ' : *at;
		}
	}
	*to = '\0';
}

/* Copy with @ replaced. */
static inline void desk_expand(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; *from && n + ID_SIZE < size; from++) {
		if (*from == '@') {
			memcpy(to + n, desk.run, ID_LEN);
			n += ID_LEN;
		} else {
			to[n++] = *from;
		}
	}
	to[n] = '\0';
}

static inline void desk_read_query(char *text)
{
	desk_n_query = 0;
	for (char *part = strtok(text, "&"); part && desk_n_query < DESK_PAIRS;
	     part = strtok(NULL, "&")) {
		char *eq = strchr(part, '=');

		if (eq)
			*eq = '\0';
		desk_decode(part);
		if (eq)
			desk_decode(eq + 1);
		desk_query[desk_n_query++] = (struct desk_pair){ part, eq ? eq + 1 : "" };
	}
}

static inline void desk_read_headers(char *text)
{
	desk_n_header = 0;
	for (char *line = strtok(text, "\n"); line && desk_n_header < DESK_PAIRS - 2;
	     line = strtok(NULL, "\n")) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		line[strcspn(line, "\r")] = '\0';
		colon[1 + strcspn(colon + 1, "\r")] = '\0';
		desk_header[desk_n_header++] =
			(struct desk_pair){ line, colon + 1 + strspn(colon + 1, " \t") };
	}
	/* Where none was given. */
	desk_header[desk_n_header++] = (struct desk_pair){ "Host", "localhost" };
	desk_header[desk_n_header++] = (struct desk_pair){ "Content-Type", "application/json" };
}

struct desk_request {
	char text[DESK_HEAD], path[DESK_HEAD], query[DESK_HEAD];
	const char *method, *body; /* body NULL: none */
};

/* Take a head apart; its query and headers stand at the desk afterwards. False: it is too long. */
static inline bool desk_read(struct desk_request *r, const void *bytes, size_t n)
{
	char *body, *headers, *target, *mark;

	if (n >= DESK_HEAD)
		return false;
	memcpy(r->text, bytes, n);
	r->text[n] = '\0';
	body = strstr(r->text, "\n\n");
	if (body) {
		*body = '\0';
		body += 2;
	}
	headers = r->text + strcspn(r->text, "\n");
	if (*headers)
		*headers++ = '\0';
	target = r->text + strcspn(r->text, " ");
	if (*target)
		*target++ = '\0';
	mark = target + strcspn(target, "?");
	if (*mark)
		*mark++ = '\0';
	desk_expand(r->path, sizeof(r->path), target);
	desk_expand(r->query, sizeof(r->query), mark);
	desk_decode(r->path);
	desk_read_query(r->query);
	desk_read_headers(headers);
	r->method = r->text;
	r->body = body && *body ? body : NULL;
	return true;
}

/* What a stream says at first. */
static inline void desk_drain(struct response *rs)
{
	struct buf out;
	bool end = false;

	buf_init(&out, DESK_ANSWER);
	(void)rs->stream.read(rs->stream.self, &out, &end);
	buf_release(&out);
}

/* Ask; the answer's body is the caller's to release. Returns its status, 200 for a stream, 0: it waits. */
static inline int desk_ask(const struct desk_request *r, struct buf *ret_body)
{
	struct mem_arena arena;
	struct response rs = { 0 };
	struct request rq = { .method = r->method,
			      .path = r->path,
			      .id = "desk",
			      .body = r->body,
			      .body_len = r->body ? strlen(r->body) : 0,
			      .arena = &arena };
	int status;

	mem_arena_init(&arena, (size_t)1 << 28);
	buf_init(&rs.body, DESK_ANSWER);
	route_handle(&desk.api, &rq, &rs);
	status = rs.stream.read ? 200 : rs.status;
	if (rs.stream.read)
		desk_drain(&rs);
	else if (rs.status == 0 && !(rs.wait_s > 0.0 && (*rs.topic || rs.topics)))
		desk_no("neither an answer nor a wait", r->path);
	if (rs.body.failed)
		status = 503;				       /* as http.c has it */
	for (uint64_t at = 0, n = http_length(&rs); at < n;) { /* all of it is there */
		char block[4096];
		size_t len = 0;
		const char *piece = rs.file.read ? block : http_piece(&rs, at, &len);

		if (rs.file.read && rs.file.read(rs.file.self, at, block, sizeof(block), &len)) {
			status = 503; /* the connection would end here */
			break;
		}
		desk_last = len ? piece[len - 1] : 0;
		if (!len)
			desk_no("a body that ends early", r->path);
		at += len;
	}
	http_withdraw(&rs);
	*ret_body = rs.body;
	mem_arena_release(&arena);
	return status;
}

#endif
