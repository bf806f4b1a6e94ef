/* route_openapi.c - OpenAPI 3.1 from the table of addresses. */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/engine.h"
#include "server/route.h"
#include "server/run.h"

static json_t *ref(const char *name)
{
	return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", name));
}

/* ---- parameters ---- */

static json_t *path_parameters(const char *pattern)
{
	json_t *list = json_array();

	for (const char *at = strchr(pattern, '{'); at; at = strchr(at + 1, '{'))
		(void)json_array_append_new(list,
					    json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", at + 1,
						      strcspn(at + 1, "}"), "in", "path",
						      "required", 1, "schema", "type", "string"));
	return list;
}

static void query_parameters(json_t *list, const char *names)
{
	static const char *const whole[] = { "page_size", "since_version" };

	if (!names || strcmp(names, "*") == 0)
		return;
	for (const char *at = names; *at;) {
		size_t n = strcspn(at, " ");
		const char *type = n == 4 && strncmp(at, "wait", n) == 0 ? "number" : "string";

		for (size_t i = 0; i < COUNTOF(whole); i++)
			if (strlen(whole[i]) == n && strncmp(at, whole[i], n) == 0)
				type = "integer";
		(void)json_array_append_new(list, json_pack("{s:s%, s:s, s:{s:s}}", "name", at, n,
							    "in", "query", "schema", "type", type));
		at += n + (at[n] == ' ');
	}
}

static void key_parameter(json_t *list)
{
	(void)json_array_append_new(
		list, json_pack("{s:s, s:s, s:s, s:{s:s, s:i, s:i}}", "name", "Idempotency-Key",
				"in", "header", "description",
				"Sent again within 24 h, the request takes no second effect and is "
				"answered "
				"as the first time. 409 (request-underway, Retry-After) while that "
				"is still "
				"going on, 422 when the key was sent with another request.",
				"schema", "type", "string", "minLength", 1, "maxLength", 200));
}

/* ---- operations ---- */

static json_t *operation_id(const struct route *r)
{
	char text[128];
	size_t n = 0;

	for (const char *p = r->method; *p && n + 1 < sizeof(text); p++)
		text[n++] = (char)tolower((unsigned char)*p);
	for (const char *p = r->pattern; *p && n + 1 < sizeof(text); p++) {
		if (isalnum((unsigned char)*p))
			text[n++] = *p;
		else if (n && text[n - 1] != '_')
			text[n++] = '_';
	}
	while (n && text[n - 1] == '_')
		n--;
	return json_stringn(text, n);
}

static json_t *problem(const char *text)
{
	return json_pack("{s:s, s:{s:{s:o}}}", "description", text, "content",
			 "application/problem+json", "schema", ref("Problem"));
}

static bool ends(const char *pattern, const char *tail)
{
	size_t n = strlen(pattern), k = strlen(tail);

	return n >= k && strcmp(pattern + n - k, tail) == 0;
}

/* Who answers in other media types than JSON; with blanks between, in ANY of api_media(). */
#define ANY ""
// clang-format off
static const struct {
	api_handler *handler;
	const char *media;
} answers[] = {
	{ api_index, "text/html" }, { api_docs, "text/html" }, { api_run_log, "text/plain" },
	{ api_asset, "text/html text/javascript text/css image/svg+xml" },
	{ api_artifact_get, "application/json text/plain application/octet-stream" },
	{ api_run_events, "text/event-stream" }, { api_session_events, "text/event-stream" },
	{ api_sweep_events, "text/event-stream" }, { api_events, "text/event-stream" },
	{ api_rule_window, ANY }, { api_sweep_table, ANY },
	{ api_result_spikes, ANY }, { api_result_raster, ANY }, { api_result_rates, ANY }, { api_result_isi, ANY },
	{ api_result_states, ANY }, { api_result_weights, ANY }, { api_result_histogram, ANY },
	{ api_result_matrix, ANY }, { api_result_series, ANY }, { api_result_stdp, ANY }, { api_result_table, ANY },
	{ api_result_why, ANY }, { api_result_psth, ANY },
};
// clang-format on

static const char *media_of(const struct route *r)
{
	if (r->handler == api_artifact_get && strncmp(r->pattern, "/v1/sessions", 12) == 0)
		return "application/json application/octet-stream"; /* it has no log yet */
	for (size_t i = 0; i < COUNTOF(answers); i++)
		if (answers[i].handler == r->handler)
			return answers[i].media;
	return "application/json";
}

static const char *schema_of(const struct route *r)
{
	if (strcmp(r->pattern, "/v1/runs") == 0)
		return strcmp(r->method, "GET") == 0 ? "RunList" : "Run";
	if (strncmp(r->pattern, "/v1/sweeps", 10) == 0)
		return NULL;
	return ends(r->pattern, "/v1/runs/{id}") || ends(r->pattern, "/cancel") ||
			       ends(r->pattern, "/rerun") || ends(r->pattern, "/verify")
		       ? "Run"
		       : NULL;
}

/* Media types and schema of success. */
static json_t *content(const struct route *r)
{
	const char *media = media_of(r), *schema = schema_of(r);
	json_t *o = json_object();

	for (int f = 0; strcmp(media, ANY) == 0 && f < API_FORMAT_N; f++) {
		const char *type = api_media((enum api_format)f);

		(void)json_object_setn_new(o, type, strcspn(type, ";"), json_object());
	}
	for (const char *at = media; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		(void)json_object_setn_new(
			o, at, n,
			json_pack("{s:o}", "schema", schema ? ref(schema) : json_object()));
		at += n;
	}
	return o;
}

static json_t *responses(const struct route *r)
{
	json_t *o = json_object(), *good = json_pack("{s:s}", "description", r->doc);
	char status[8];

	if (r->status != 204)
		(void)json_object_set_new(good, "content", content(r));
	(void)snprintf(status, sizeof(status), "%d", r->status);
	if (r->status == 202)
		(void)json_object_set(
			o, strcmp(r->pattern, "/v1/runs/{id}/cancel") == 0 ? "200" : "201", good);
	(void)json_object_set_new(o, status, good);
	if (ends(r->pattern, "/events"))
		(void)json_object_set_new(o, "204",
					  json_pack("{s:s}", "description", "All was said."));
	if (ends(r->pattern, "/artifacts/{name}"))
		(void)json_object_set(o, "206", good);
	if (ends(r->pattern, "/why"))
		(void)json_object_set(o, "202", good);
	(void)json_object_set_new(o, "4XX", problem("The request is refused; errors[] says why."));
	(void)json_object_set_new(o, "5XX", problem("The server could not do it."));
	return o;
}

static json_t *request_body(const struct route *r)
{
	if (!*r->schema)
		return json_pack("{s:b, s:{s:{s:{}}}}", "required", 1, "content",
				 "application/octet-stream", "schema");
	return json_pack("{s:b, s:{s:{s:o}}}", "required", strcmp(r->schema, "empty") != 0,
			 "content", "application/json", "schema", ref(r->schema));
}

/* A token with the scope, or none as long as the server has none. */
static json_t *security(const struct route *r)
{
	return r->scope ? json_pack("[{s:[s]}, {}]", "token", r->scope) : json_array();
}

static json_t *operation(const struct route *r)
{
	json_t *o = json_pack("{s:o, s:s, s:o, s:o}", "operationId", operation_id(r), "summary",
			      r->doc, "responses", responses(r), "security", security(r));
	json_t *parameters = path_parameters(r->pattern);

	query_parameters(parameters, r->query);
	if (route_takes_key(r))
		key_parameter(parameters);
	if (json_array_size(parameters))
		(void)json_object_set(o, "parameters", parameters);
	json_decref(parameters);
	if (r->schema)
		(void)json_object_set_new(o, "requestBody", request_body(r));
	return o;
}

static json_t *paths(void)
{
	json_t *all = json_object();
	char method[8];

	for (size_t i = 0; route_at(i); i++) {
		const struct route *r = route_at(i);
		json_t *item = json_object_get(all, r->pattern);
		size_t n = strlen(r->method);

		if (!item) {
			item = json_object();
			(void)json_object_set_new(all, r->pattern, item);
		}
		for (size_t k = 0; k <= n && k < sizeof(method); k++)
			method[k] = (char)tolower((unsigned char)r->method[k]);
		(void)json_object_set_new(item, method, operation(r));
	}
	return all;
}

/* ---- components ---- */

static json_t *problem_schema(void)
{
	return json_loads("{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\","
			  "\"detail\"],\"properties\":{"
			  "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},"
			  "\"status\":{\"type\":\"integer\"},"
			  "\"detail\":{\"type\":\"string\"},\"code\":{\"type\":\"string\"},"
			  "\"instance\":{\"type\":\"string\"},"
			  "\"line\":{\"type\":\"integer\"},\"column\":{\"type\":\"integer\"},"
			  "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
			  "\"required\":[\"pointer\",\"code\",\"detail\"],"
			  "\"properties\":{\"pointer\":{\"type\":\"string\"},\"code\":{\"type\":"
			  "\"string\"},\"detail\":{\"type\":\"string\"},"
			  "\"line\":{\"type\":\"integer\"},\"column\":{\"type\":\"integer\"}}}}}}",
			  0, NULL);
}

static json_t *run_schema(void)
{
	json_t *o = json_loads(
		"{\"type\":\"object\",\"required\":[\"id\",\"state\",\"created_at\",\"spec_"
		"sha256\",\"seed\",\"progress\",\"links\"],"
		"\"properties\":{\"id\":{\"type\":\"string\"},\"version\":{\"type\":\"integer\"},"
		"\"name\":{\"type\":\"string\"},"
		"\"notes\":{\"type\":\"string\"},\"tags\":{\"type\":\"array\",\"items\":{\"type\":"
		"\"string\"}},"
		"\"preset\":{\"type\":[\"string\",\"null\"]},\"experiment\":{\"type\":[\"string\","
		"\"null\"]},"
		"\"created_at\":{\"type\":\"string\",\"format\":\"date-time\"},"
		"\"started_at\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"},"
		"\"finished_at\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"},"
		"\"spec_sha256\":{\"type\":\"string\"},\"seed\":{\"type\":\"string\"},\"digest\":{"
		"\"type\":[\"string\",\"null\"]},"
		"\"threads\":{\"type\":\"integer\"},\"partial\":{\"type\":\"boolean\"},"
		"\"progress\":{\"type\":\"object\",\"properties\":{\"t_ms\":{\"type\":\"number\"},"
		"\"duration_ms\":{\"type\":\"number\"},"
		"\"fraction\":{\"type\":\"number\"},\"wall_s\":{\"type\":\"number\"},"
		"\"real_time_factor\":{\"type\":[\"number\",\"null\"]},\"eta_s\":{\"type\":["
		"\"number\",\"null\"]}}},"
		"\"queue_position\":{\"type\":[\"integer\",\"null\"]},\"metrics\":{\"type\":"
		"\"object\"},\"targets\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
		"\"properties\":{"
		"\"name\":{\"type\":\"string\"},\"unit\":{\"type\":\"string\"},"
		"\"value\":{\"type\":[\"number\",\"null\"]},\"low\":{\"type\":[\"number\",\"null\"]"
		"},"
		"\"high\":{\"type\":[\"number\",\"null\"]},\"pass\":{\"type\":\"boolean\"}}}},"
		"\"remarks\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
		"\"score\":{\"type\":[\"object\",\"null\"],\"properties\":{"
		"\"name\":{\"type\":\"string\"},\"unit\":{\"type\":\"string\"},"
		"\"value\":{\"type\":[\"number\",\"null\"]},\"higher_is_better\":{\"type\":"
		"\"boolean\"},"
		"\"reference\":{\"type\":\"string\"}}},"
		"\"counts\":{\"type\":\"object\"},"
		"\"verification\":{\"type\":[\"object\",\"null\"],\"properties\":{"
		"\"run_id\":{\"type\":\"string\"},\"digest\":{\"type\":\"string\"},"
		"\"equal\":{\"type\":[\"boolean\",\"null\"]}}},"
		"\"error\":{\"type\":[\"object\",\"null\"]},\"keep_days\":{\"type\":[\"integer\","
		"\"null\"]},\"links\":{\"type\":\"object\"}}}",
		0, NULL);
	json_t *states = json_array();

	for (int s = 0; s < RUN_N; s++)
		(void)json_array_append_new(states, json_string(run_state_name((enum run_state)s)));
	(void)json_object_set_new(json_object_get(o, "properties"), "state",
				  json_pack("{s:s, s:o}", "type", "string", "enum", states));
	return o;
}

static json_t *request_schema(void)
{
	return json_loads("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
			  "\"spec\":{\"type\":\"object\",\"description\":\"A spec (GET "
			  "/v1/schemas/spec) or {experiment, params, seed}.\"},"
			  "\"preset\":{\"type\":\"string\"},\"experiment\":{\"type\":\"string\"},"
			  "\"params\":{\"type\":\"object\"},"
			  "\"overrides\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
			  "\"required\":[\"path\",\"value\"],"
			  "\"properties\":{\"path\":{\"type\":\"string\",\"description\":\"JSON "
			  "Pointer into the spec.\"},\"value\":{}}}},"
			  "\"seed\":{\"type\":[\"string\",\"integer\"]},\"name\":{\"type\":"
			  "\"string\"},\"notes\":{\"type\":\"string\"},"
			  "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
			  "\"threads\":{\"type\":\"integer\",\"minimum\":1},"
			  "\"keep_days\":{\"type\":\"integer\",\"minimum\":1}}}",
			  0, NULL);
}

static json_t *sweep_schema(void)
{
	json_t *o = request_schema(), *properties = json_object_get(o, "properties");

	(void)json_object_update_new(
		properties,
		json_loads("{\"axes\":{\"type\":\"array\",\"maxItems\":8,\"items\":{\"type\":"
			   "\"object\",\"required\":[\"path\",\"values\"],\"properties\":{"
			   "\"path\":{\"type\":\"string\",\"description\":\"JSON Pointer into the "
			   "spec.\"},\"name\":{\"type\":\"string\"},\"values\":{\"oneOf\":[{"
			   "\"type\":\"array\"},{\"type\":\"object\",\"required\":[\"from\","
			   "\"to\"],\"properties\":{\"from\":{\"type\":\"number\"},\"to\":{"
			   "\"type\":\"number\"},\"step\":{\"type\":\"number\"},\"count\":{"
			   "\"type\":\"integer\"},\"log\":{\"type\":\"boolean\"}}}]}}}},"
			   "\"seeds\":{\"oneOf\":[{\"type\":\"array\",\"items\":{\"type\":["
			   "\"string\",\"integer\"]}},{\"type\":\"object\",\"required\":["
			   "\"from\",\"count\"],\"properties\":{\"from\":{\"type\":\"integer\"},"
			   "\"count\":{\"type\":\"integer\"}}}]},\"metric\":{\"type\":"
			   "\"string\"},\"best\":{\"enum\":[\"max\",\"min\"]}}",
			   0, NULL));
	return o;
}

static json_t *token_schema(bool whole)
{
	json_t *o =
		json_loads("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
			   "\"name\":{\"type\":\"string\"},"
			   "\"scopes\":{\"type\":\"array\",\"items\":{\"type\":\"string\","
			   "\"enum\":[\"read\",\"run\",\"session\",\"admin\"]}},"
			   "\"days\":{\"type\":[\"integer\",\"null\"],\"minimum\":1},"
			   "\"quotas\":{\"type\":\"object\",\"additionalProperties\":{"
			   "\"type\":[\"integer\",\"null\"],\"minimum\":1}}}}",
			   0, NULL);

	if (whole)
		(void)json_object_set_new(o, "required", json_pack("[s,s]", "name", "scopes"));
	return o;
}

static json_t *hook_schema(bool whole)
{
	json_t *o =
		json_loads("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
			   "\"name\":{\"type\":\"string\"},"
			   "\"url\":{\"type\":\"string\",\"format\":\"uri\"},"
			   "\"events\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":"
			   "\"string\"}},\"active\":{\"type\":\"boolean\"}}}",
			   0, NULL);

	if (whole)
		(void)json_object_set_new(o, "required", json_pack("[s]", "url"));
	return o;
}

/* Bodies of sessions' commands; what they hold is said by core/serve.h and checked there. */
static void session_schemas(json_t *o)
{
	static const struct {
		const char *name, *properties;
	} rows[] = {
		{ "session_step", "{\"duration_ms\":{\"type\":\"number\"},\"expect_t_ms\":{"
				  "\"type\":\"number\"}}" },
		{ "session_play", "{\"speed\":{\"type\":\"number\",\"minimum\":0},"
				  "\"expect_t_ms\":{\"type\":\"number\"}}" },
		{ "session_fork", "{\"name\":{\"type\":\"string\"},\"expect_t_ms\":{"
				  "\"type\":\"number\"}}" },
		{ "session_restore", "{\"checkpoint_id\":{\"type\":\"string\"}}" },
		{ "session_change",
		  "{\"schedule\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
		  "\"at_ms\":{\"type\":\"number\"},\"spikes\":{\"type\":\"object\"},"
		  "\"set\":{\"type\":\"object\"},\"plasticity\":{\"type\":\"object\"},"
		  "\"modulation\":{},\"reward\":{},\"normalise\":{},"
		  "\"expect_t_ms\":{\"type\":\"number\"}}" },
	};
	json_t *request = request_schema();
	json_t *properties = json_object_get(request, "properties");

	for (size_t i = 0; i < COUNTOF(rows); i++)
		(void)json_object_set_new(o, rows[i].name,
					  json_pack("{s:s, s:b, s:o}", "type", "object",
						    "additionalProperties", 0, "properties",
						    json_loads(rows[i].properties, 0, NULL)));
	(void)json_object_set_new(properties, "from_run", json_pack("{s:s}", "type", "string"));
	(void)json_object_set_new(properties, "from_checkpoint",
				  json_pack("{s:s}", "type", "string"));
	(void)json_object_set_new(o, "session_request", request);
}

static json_t *schemas(void)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "Problem", problem_schema());
	(void)json_object_set_new(o, "Run", run_schema());
	(void)json_object_set_new(o, "RunList",
				  json_pack("{s:s, s:{s:{s:s, s:o}, s:{s:[s,s]}, s:{s:s}}}", "type",
					    "object", "properties", "items", "type", "array",
					    "items", ref("Run"), "next_page_token", "type",
					    "string", "null", "total", "type", "integer"));
	(void)json_object_set_new(o, "run_request", request_schema());
	(void)json_object_set_new(o, "sweep_request", sweep_schema());
	(void)json_object_set_new(
		o, "run_patch",
		json_pack(
			"{s:s, s:b, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:[s, s]}, s:{s:s, s:{s:s}}}}",
			"type", "object", "additionalProperties", 0, "properties", "name", "type",
			"string", "notes", "type", "string", "pinned", "type", "boolean",
			"keep_days", "type", "integer", "null", "tags", "type", "array", "items",
			"type", "string"));
	(void)json_object_set_new(
		o, "empty", json_pack("{s:s, s:b}", "type", "object", "additionalProperties", 0));
	(void)json_object_set_new(o, "token_request", token_schema(true));
	(void)json_object_set_new(o, "token_patch", token_schema(false));
	(void)json_object_set_new(o, "webhook_request", hook_schema(true));
	(void)json_object_set_new(o, "webhook_patch", hook_schema(false));
	(void)json_object_set_new(o, "spec_request", json_pack("{s:s}", "type", "object"));
	session_schemas(o);
	return o;
}

json_t *route_openapi(void)
{
	return json_pack(
		"{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:[{s:s}], s:o, s:{s:o, s:{s:{s:s, s:s}}}}",
		"openapi", "3.1.0", "info", "title", "stdpd", "version", ENGINE_VERSION,
		"description",
		"Simulations of spike-timing-dependent plasticity. Columns rather than "
		"arrays of objects; units in names; "
		"times in ISO-8601, UTC.",
		"license", "name", "MIT", "identifier", "MIT", "servers", "url", "/", "paths",
		paths(), "components", "schemas", schemas(), "securitySchemes", "token", "type",
		"http", "scheme", "bearer");
}
