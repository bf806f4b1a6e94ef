/* api_meta.c - the server about itself: page, assets, limits, health, OpenAPI, manual. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "core/engine.h"
#include "server/api.h"
#include "server/config.h"
#include "server/embed.h"
#include "server/event_stream.h"
#include "server/problem.h"
#include "server/queue.h"
#include "server/route.h"
#include "server/space.h"
#include "server/store.h"

/* ---- files carried inside ---- */

static const struct embed_file *embedded(const char *name)
{
	for (const struct embed_file *f = embed_files; f->name; f++)
		if (strncmp(f->name, "web/", 4) == 0 && strcmp(f->name + 4, name) == 0)
			return f;
	return NULL;
}

static const char *media_of(const char *name)
{
	static const char *const types[][2] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
		{ ".json", "application/json" },
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < COUNTOF(types); i++)
		if (strcmp(dot, types[i][0]) == 0)
			return types[i][1];
	return "application/octet-stream";
}

static int send_bytes(struct response *rs, const void *data, size_t n, const char *type,
		      struct err_list *errors)
{
	if (buf_add(&rs->body, data, n))
		return err_list_add(errors, ERR_NOMEM, "", "out of memory");
	rs->content_type = type;
	rs->status = 200;
	return 0;
}

static int send_file(struct response *rs, const char *name, struct err_list *errors)
{
	const struct embed_file *f = embedded(name);

	if (!f)
		return err_list_add(errors, ERR_NOTFOUND, "", "there is nothing at this address");
	return send_bytes(rs, f->data, (size_t)(f->end - f->data), media_of(name), errors);
}

int api_index(const struct api *api, struct request *rq, struct response *rs,
	      struct err_list *errors)
{
	(void)api;
	(void)rq;
	return send_file(rs, "index.html", errors);
}

int api_asset(const struct api *api, struct request *rq, struct response *rs,
	      struct err_list *errors)
{
	(void)api;
	return send_file(rs, rq->arg[0], errors);
}

/* ---- health ---- */

int api_livez(const struct api *api, struct request *rq, struct response *rs,
	      struct err_list *errors)
{
	(void)api;
	(void)rq;
	http_add_header(rs, "Cache-Control", "no-store");
	return api_json(rs, 200, json_pack("{s:s}", "status", "ok"), errors);
}

int api_readyz(const struct api *api, struct request *rq, struct response *rs,
	       struct err_list *errors)
{
	struct err err = { 0 };

	(void)rq;
	if (store_check(api->store, &err))
		return err_list_add(errors, ERR_BUSY, "", "the database does not answer");
	http_add_header(rs, "Cache-Control", "no-store");
	return api_json(rs, 200, json_pack("{s:s}", "status", "ok"), errors);
}

/* ---- what it is and what it allows ---- */

static json_t *limits(const struct config *c)
{
	json_t *o = json_object();
	const struct {
		const char *name;
		double value;
	} rows[] = {
		{ "slots", (double)c->slots },
		{ "run_threads", (double)c->run_threads },
		{ "queue", (double)c->queue_max },
		{ "sweep_points", (double)c->sweep_points },
		{ "sessions", (double)c->sessions_max },
		{ "sessions_awake", (double)c->sessions_awake },
		{ "session_idle_s", c->session_idle_s },
		{ "body_bytes", (double)c->body_max_mb * 1048576.0 },
		{ "answer_bytes", (double)c->answer_max_mb * 1048576.0 },
		{ "answer_points", (double)c->max_points },
		{ "run_memory_bytes", (double)c->run_memory_mb * 1048576.0 },
		{ "wall_s", c->wall_max_s },
		{ "neurons", c->max_neurons },
		{ "synapses", c->max_synapses },
		{ "steps", c->max_steps },
		{ "result_bytes", (double)c->max_result_mb * 1048576.0 },
		{ "connections", (double)c->connections },
		{ "connections_per_address", (double)c->per_address },
		{ "streams", (double)c->streams },
		{ "heartbeat_s", c->heartbeat_s },
		{ "stream_topics", (double)EVENT_TOPICS_MAX },
		{ "storage_max_bytes", (double)c->storage_max_mb * 1048576.0 },
		{ "storage_free_min_bytes", (double)c->storage_free_mb * 1048576.0 },
		{ "keep_days", (double)c->keep_days },
		{ "webhooks", (double)c->webhooks_max },
		{ "webhook_attempts", (double)c->webhook_attempts },
		{ "webhook_timeout_s", c->webhook_timeout_s },
		{ "page_size", 500.0 },
		{ "json_depth", (double)JSON_PARSER_MAX_DEPTH },
		{ "wait_s", 30.0 },
		{ "idempotency_h", 24.0 },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		bool whole = rows[i].value == (double)(json_int_t)rows[i].value;

		(void)json_object_set_new(o, rows[i].name,
					  whole ? json_integer((json_int_t)rows[i].value)
						: json_real(rows[i].value));
	}
	return o;
}

static json_t *features(void)
{
	// clang-format off
	static const char *const names[] = {
		"runs", "experiments", "presets", "datasets", "events", "long_poll", "idempotency", "reuse",
		"results", "npz", "verify", "compare", "tokens", "why", "psth", "artifacts",
		"sessions", "storage", "quotas", "sweeps", "topics", "webhooks",
	};
	// clang-format on
	json_t *list = json_array();

	for (size_t i = 0; i < COUNTOF(names); i++)
		(void)json_array_append_new(list, json_string(names[i]));
	return list;
}

static json_t *links(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "self", "/v1",
			 "models", "/v1/models", "presets", "/v1/presets", "runs", "/v1/runs",
			 "sweeps", "/v1/sweeps", "sessions", "/v1/sessions", "datasets",
			 "/v1/datasets", "validate", "/v1/specs/validate", "openapi",
			 "/openapi.json", "docs", "/docs");
}

int api_v1(const struct api *api, struct request *rq, struct response *rs, struct err_list *errors)
{
	int64_t waiting = 0;
	struct space room = { 0 };
	struct err err = { 0 };

	(void)rq;
	if (queue_length(api->queue, &waiting, &err) || space_look(api->store, &room, &err))
		return err_list_add(errors, (enum err_code)err.code, "", "%s", err.text);
	return api_json(rs, 200,
			json_pack("{s:s, s:s, s:s, s:I, s:{s:I, s:I}, s:o, s:o, s:o}", "name",
				  "stdpd", "version", ENGINE_VERSION, "engine_version",
				  ENGINE_VERSION, "queued", (json_int_t)waiting, "storage",
				  "used_bytes", (json_int_t)room.used, "free_bytes",
				  (json_int_t)room.free, "limits", limits(api->config), "features",
				  features(), "links", links()),
			errors);
}

int api_openapi(const struct api *api, struct request *rq, struct response *rs,
		struct err_list *errors)
{
	return api_kept(api->openapi, rq, rs, errors);
}

/* ---- the manual ---- */

static void html(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (*text == '<' || *text == '>' || *text == '&')
			(void)buf_printf(b, "&#%d;", *text);
		else
			(void)buf_char(b, *text);
	}
}

static void docs_routes(struct buf *b)
{
	(void)buf_str(b, "<h2 "
			 "id=\"routes\">Addresses</h2>\n<table>\n<tr><th>Method</th><th>Address</"
			 "th><th>What it does</th></tr>\n");
	for (size_t i = 0; route_at(i); i++) {
		const struct route *r = route_at(i);

		(void)buf_printf(b, "<tr><td>%s</td><td><code>%s</code></td><td>", r->method,
				 r->pattern);
		html(b, r->doc);
		(void)buf_str(b, "</td></tr>\n");
	}
	(void)buf_str(b, "</table>\n");
}

static void docs_errors(struct buf *b)
{
	(void)buf_str(b, "<h2 id=\"errors\">Errors</h2>\n<p>All errors are "
			 "<code>application/problem+json</code> with "
			 "<code>errors[]</code> of <code>pointer</code>, <code>code</code>, "
			 "<code>detail</code>.</p>\n"
			 "<table>\n<tr><th>Code</th><th>Status</th><th>Meaning</th></tr>\n");
	for (int code = 1; code < ERR_N; code++)
		(void)buf_printf(
			b, "<tr id=\"%s\"><td><code>%s</code></td><td>%d</td><td>%s</td></tr>\n",
			err_name(code), err_name(code), problem_status(code), err_title(code));
	(void)buf_str(b, "</table>\n");
}

int api_docs(const struct api *api, struct request *rq, struct response *rs,
	     struct err_list *errors)
{
	struct buf b;
	int rc;

	(void)api;
	(void)rq;
	buf_init(&b, 1 << 20);
	(void)buf_str(&b, "<!doctype html>\n<html lang=\"en\">\n<head><meta "
			  "charset=\"utf-8\"><title>stdpd " ENGINE_VERSION
			  ": the HTTP interface</title><meta name=\"viewport\" "
			  "content=\"width=device-width\">"
			  "<link rel=\"stylesheet\" "
			  "href=\"/style.css\"></head>\n<body>\n<main>\n<h1>stdpd " ENGINE_VERSION
			  ": the HTTP interface</h1>\n<p>The same as a machine reads it: <a "
			  "href=\"/openapi.json\">OpenAPI 3.1</a>. "
			  "Models and their parameters: <a href=\"/v1/models\">/v1/models</a>. "
			  "Limits: <a href=\"/v1\">/v1</a>.</p>\n");
	docs_routes(&b);
	docs_errors(&b);
	(void)buf_str(&b, "</main>\n</body>\n</html>\n");
	rc = b.failed ? err_list_add(errors, ERR_NOMEM, "", "out of memory")
		      : send_bytes(rs, b.data, b.len, "text/html; charset=utf-8", errors);
	buf_release(&b);
	return rc;
}
