/* route.c - the table of addresses and the dispatcher. */
/* SPDX-License-Identifier: MIT */
#include "server/route.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/api_run.h"
#include "server/auth.h"
#include "server/cond.h"
#include "server/config.h"
#include "server/encode.h"
#include "server/log.h"
#include "server/once.h"
#include "server/problem.h"

#define RUN	"/v1/runs/{id}"
#define SESSION "/v1/sessions/{id}"
#define SWEEP	"/v1/sweeps/{id}"

// clang-format off
static const struct route routes[] = {
	{ "GET", "/", api_index, "The web page.", 200, "*", NULL, NULL },
	{ "GET", "/livez", api_livez, "The process is alive.", 200, NULL, NULL, NULL },
	{ "GET", "/readyz", api_readyz, "The server can work: its database answers.", 200, NULL, NULL, NULL },
	{ "GET", "/openapi.json", api_openapi, "This interface as OpenAPI 3.1.", 200, NULL, NULL, NULL },
	{ "GET", "/docs", api_docs, "This interface as a page.", 200, NULL, NULL, NULL },
	{ "GET", "/v1", api_v1, "Name, version, limits, features, links.", 200, NULL, NULL, NULL },
	{ "GET", "/v1/me", api_me, "Who asks: name, scopes and end of the token.", 200, NULL, NULL, "read" },
	{ "GET", "/v1/models", api_model_list, "All neuron models, plasticity rules and options, wiring rules and experiments with their parameters.", 200, NULL, NULL, "read" },
	{ "GET", "/v1/models/{kind}/{name}", api_model_get, "One model with its parameters.", 200, NULL, NULL, "read" },
	{ "GET", "/v1/schemas/{name}", api_schema, "A JSON Schema (2020-12).", 200, NULL, NULL, "read" },
	{ "GET", "/v1/rules/{name}/window", api_rule_window, "The rule's learning window, computed by driving one synapse with spike pairs.", 200, "*", NULL, "read" },
	{ "GET", "/v1/presets", api_preset_list, "Ready specs with a title and what to look at.", 200, NULL, NULL, "read" },
	{ "GET", "/v1/presets/{name}", api_preset_get, "One preset with its spec.", 200, NULL, NULL, "read" },
	{ "POST", "/v1/specs/validate", api_spec_validate, "Check a spec without running it: all errors, normal form, cost.", 200, NULL, "spec_request", "read" },
	{ "POST", "/v1/runs", api_run_post, "Queue a run of a spec, a preset with overrides, or an experiment. Prefer: wait=N waits for its end.", 202, NULL, "run_request", "run" },
	{ "GET", "/v1/runs", api_run_list, "Runs, newest first, by filter and page.", 200,
	  "state preset tag q sweep spec_sha256 created_after sort page_size page_token total", NULL, "read" },
	{ "GET", RUN, api_run_get, "One run; with wait, when it has ended or has a newer version than since_version.", 200, "wait since_version", NULL, "read" },
	{ "PATCH", RUN, api_run_patch, "Change name, tags, notes or keep_days (null: for ever); pinned runs are not deleted by the server.", 200, NULL, "run_patch", "run" },
	{ "DELETE", RUN, api_run_delete, "Delete a run that has ended, with its results.", 204, NULL, NULL, "run" },
	{ "POST", RUN "/cancel", api_run_cancel, "Stop a run; what it has recorded is kept and marked as partial.", 202, NULL, "empty", "run" },
	{ "POST", RUN "/rerun", api_run_rerun, "Queue the same spec again.", 202, NULL, "empty", "run" },
	{ "POST", RUN "/verify", api_run_verify, "Run the same spec again and compare the digests: see verification.equal of the run this makes.", 202, NULL, "empty", "run" },
	{ "GET", RUN "/spec", api_run_spec, "The spec as it runs: overrides applied, seed filled in.", 200, NULL, NULL, "read" },
	{ "GET", RUN "/provenance", api_run_provenance, "What made the result: versions, compiler, seed, threads, digest.", 200, NULL, NULL, "read" },
	{ "GET", RUN "/log", api_run_log, "What the run said, as text.", 200, NULL, NULL, "read" },
	{ "GET", RUN "/events", api_run_events, "Server-sent events: state, progress, log; resumes by Last-Event-ID; 204 when all was said.", 200, NULL, NULL, "read" },
	{ "GET", RUN "/results", api_result_manifest, "What was recorded.", 200, "*", NULL, "read" },
	{ "GET", RUN "/spikes", api_result_spikes, "Spikes of a population in a window.", 200, "*", NULL, "read" },
	{ "GET", RUN "/raster", api_result_raster, "Spikes counted in rows and columns.", 200, "*", NULL, "read" },
	{ "GET", RUN "/rates", api_result_rates, "Rates of a population over time.", 200, "*", NULL, "read" },
	{ "GET", RUN "/isi", api_result_isi, "Histogram of the intervals between spikes.", 200, "*", NULL, "read" },
	{ "GET", RUN "/states/{variable}", api_result_states, "A state variable over time.", 200, "*", NULL, "read" },
	{ "GET", RUN "/weights", api_result_weights, "Weights of a projection at a time.", 200, "*", NULL, "read" },
	{ "GET", RUN "/weights/histogram", api_result_histogram, "Histograms of weights over time.", 200, "*", NULL, "read" },
	{ "GET", RUN "/weights/matrix", api_result_matrix, "Weights as a matrix of mean values.", 200, "*", NULL, "read" },
	{ "GET", RUN "/weights/series", api_result_series, "Every update of the recorded synapses.", 200, "*", NULL, "read" },
	{ "GET", RUN "/stdp", api_result_stdp, "Measured pairs of (dt, dw) and the rule's window.", 200, "*", NULL, "read" },
	{ "GET", RUN "/why", api_result_why, "The spike pairs that moved one synapse, and what each did. One whose updates were not recorded is simulated again, once (Prefer: wait=N waits for it; 202 until then, or where note says why not: the pairs alone, from the recorded spikes of both populations).", 200, "*", NULL, "read" },
	{ "GET", RUN "/psth", api_result_psth, "Spikes around events: at given times, or at another population's spikes.", 200, "*", NULL, "read" },
	{ "GET", RUN "/artifacts", api_artifact_list, "The files of a run.", 200, NULL, NULL, "read" },
	{ "GET", RUN "/artifacts/{name}", api_artifact_get, "One file of a run; Range and If-Range are kept to.", 200, NULL, NULL, "read" },
	{ "GET", RUN "/tables/{name}", api_result_table, "A table that an experiment left.", 200, "*", NULL, "read" },
	{ "GET", "/v1/compare", api_compare, "Runs side by side: where their specs differ, digests, metrics, counts.", 200, "runs", NULL, "read" },
	{ "POST", "/v1/sweeps", api_sweep_post, "One spec over a grid of values and seeds; its points become runs, a few at a time. Prefer: reuse takes stored runs of the same spec.", 201, NULL, "sweep_request", "run" },
	{ "GET", "/v1/sweeps", api_sweep_list, "Sweeps, newest first, by filter and page.", 200, "state tag q page_size page_token", NULL, "read" },
	{ "GET", SWEEP, api_sweep_get, "One sweep: axes, seeds, progress, its runs by state, the best point.", 200, "metric goal", NULL, "read" },
	{ "DELETE", SWEEP, api_sweep_delete, "Delete a sweep that is over; runs=delete: with its runs, but for pinned ones.", 204, "runs", NULL, "run" },
	{ "POST", SWEEP "/cancel", api_sweep_cancel, "Queue no more points and cancel its runs.", 202, NULL, "empty", "run" },
	{ "GET", SWEEP "/spec", api_sweep_spec, "The spec before the axes are set.", 200, NULL, NULL, "read" },
	{ "GET", SWEEP "/table", api_sweep_table, "One row a point: values of the axes, seed, run, state, metrics; over=seeds: one row for all seeds, with mean and standard deviation.", 200, "format over", NULL, "read" },
	{ "GET", SWEEP "/events", api_sweep_events, "Server-sent events: state, progress; resumes by Last-Event-ID; 204 when all was said.", 200, NULL, NULL, "read" },
	{ "POST", "/v1/sessions", api_session_post, "A live session of a spec, a preset with overrides, a run's spec (from_run) or a checkpoint (from_checkpoint).", 201, NULL, "session_request", "session" },
	{ "GET", "/v1/sessions", api_session_list, "Sessions, newest first.", 200, "state page_size page_token", NULL, "read" },
	{ "GET", SESSION, api_session_get, "One session: ready, stepping, playing, parked or failed, and where its time stands.", 200, NULL, NULL, "read" },
	{ "DELETE", SESSION, api_session_delete, "End a session and remove all that is its.", 204, NULL, NULL, "session" },
	{ "GET", SESSION "/spec", api_session_spec, "The spec it began with.", 200, NULL, NULL, "read" },
	{ "POST", SESSION "/step", api_session_step, "Go on by duration_ms; answers when it is done. expect_t_ms: refused where time stands elsewhere.", 200, NULL, "session_step", "session" },
	{ "POST", SESSION "/play", api_session_play, "Go on until a pause, speed times real time; 0: as fast as possible.", 200, NULL, "session_play", "session" },
	{ "POST", SESSION "/pause", api_session_pause, "Stand where it has come to.", 200, NULL, "empty", "session" },
	{ "POST", SESSION "/stimuli", api_session_stimuli, "Spikes, rates, currents, reward: entries of a spec's schedule, now or at at_ms.", 200, NULL, "session_change", "session" },
	{ "POST", SESSION "/parameters", api_session_parameters, "Parameters, plasticity on or off, modulation: entries of a spec's schedule, now or at at_ms.", 200, NULL, "session_change", "session" },
	{ "POST", SESSION "/fork", api_session_fork, "A session of its own with the same past.", 201, NULL, "session_fork", "session" },
	{ "POST", SESSION "/checkpoints", api_session_checkpoint_post, "Save it as it stands.", 201, NULL, "empty", "session" },
	{ "GET", SESSION "/checkpoints", api_session_checkpoint_list, "What was saved of it.", 200, NULL, NULL, "read" },
	{ "POST", SESSION "/restore", api_session_restore, "Go back to a checkpoint; a failed one with {}: to what was saved last by itself.", 200, NULL, "session_restore", "session" },
	{ "POST", SESSION "/save", api_session_save, "Its past becomes a run, with all results.", 201, NULL, "empty", "session" },
	{ "GET", SESSION "/events", api_session_events, "Server-sent events: state, and spikes=POPULATION,..., rates=POPULATION,..., weights=PROJECTION,... (\\, is a comma of a name), at most max_hz of each; resumes by Last-Event-ID, gap where something is lost.", 200, "spikes rates weights max_hz", NULL, "read" },
	{ "GET", SESSION "/results", api_result_manifest, "What was recorded.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/spikes", api_result_spikes, "Spikes of a population in a window.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/raster", api_result_raster, "Spikes counted in rows and columns.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/rates", api_result_rates, "Rates of a population over time.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/isi", api_result_isi, "Histogram of the intervals between spikes.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/states/{variable}", api_result_states, "A state variable over time.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/weights", api_result_weights, "Weights of a projection at a time.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/weights/histogram", api_result_histogram, "Histograms of weights over time.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/weights/matrix", api_result_matrix, "Weights as a matrix of mean values.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/weights/series", api_result_series, "Every update of the recorded synapses.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/stdp", api_result_stdp, "Measured pairs of (dt, dw) and the rule's window.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/why", api_result_why, "The spike pairs that moved one synapse, and what each did; of one whose updates were not recorded the pairs alone, from the recorded spikes of both populations.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/psth", api_result_psth, "Spikes around events: at given times, or at another population's spikes.", 200, "*", NULL, "read" },
	{ "GET", SESSION "/artifacts", api_artifact_list, "The files of a session.", 200, NULL, NULL, "read" },
	{ "GET", SESSION "/artifacts/{name}", api_artifact_get, "One file of a session; Range and If-Range are kept to.", 200, NULL, NULL, "read" },
	{ "GET", SESSION "/tables/{name}", api_result_table, "A table that a recorder left.", 200, "*", NULL, "read" },
	{ "GET", "/v1/events", api_events, "Server-sent events of several at once, topics=run:ID,session:ID,sweep:ID: those of their own streams, data with its topic; spikes, rates, weights and max_hz as for one session, of each that has such a population or projection; resumes by Last-Event-ID, gap where something is lost; 204 when all was said.", 200, "topics spikes rates weights max_hz", NULL, "read" },
	{ "POST", "/v1/datasets", api_dataset_post, "Upload a data set: CSV, NPY, NPZ, IDX, WAV or a zip of WAVs, also gzipped.", 201, "name", "", "run" },
	{ "GET", "/v1/datasets", api_dataset_list, "Data sets, newest first.", 200, "page_size page_token", NULL, "read" },
	{ "GET", "/v1/datasets/{id}", api_dataset_get, "One data set: fields, shapes, hash.", 200, NULL, NULL, "read" },
	{ "DELETE", "/v1/datasets/{id}", api_dataset_delete, "Delete a data set that no waiting or running run needs.", 204, NULL, NULL, "run" },
	{ "POST", "/v1/webhooks", api_hook_post, "Be told of the end of runs, sessions and sweeps by a signed POST; the secret is in this answer and nowhere else.", 201, NULL, "webhook_request", "run" },
	{ "GET", "/v1/webhooks", api_hook_list, "Webhooks, newest first.", 200, "page_size page_token", NULL, "read" },
	{ "GET", "/v1/webhooks/{id}", api_hook_get, "One webhook, without its secret.", 200, NULL, NULL, "read" },
	{ "PATCH", "/v1/webhooks/{id}", api_hook_patch, "Change name, url, events or whether it is active.", 200, NULL, "webhook_patch", "run" },
	{ "DELETE", "/v1/webhooks/{id}", api_hook_delete, "Delete a webhook with all that is still to be delivered.", 204, NULL, NULL, "run" },
	{ "GET", "/v1/webhooks/{id}/deliveries", api_hook_deliveries, "What was sent and is to be sent, newest first: attempts, status code, time taken, error.", 200, "state page_size page_token", NULL, "read" },
	{ "POST", "/v1/webhooks/{id}/test", api_hook_test, "Send it an event named test.", 202, NULL, "empty", "run" },
	{ "POST", "/v1/tokens", api_token_post, "Make an access token; its text is in this answer and nowhere else (a repeat with the same Idempotency-Key has null there).", 201, NULL, "token_request", "admin" },
	{ "GET", "/v1/tokens", api_token_list, "Access tokens, newest first, revoked ones too.", 200, "page_size page_token", NULL, "admin" },
	{ "GET", "/v1/tokens/{id}", api_token_get, "One access token, without its text.", 200, NULL, NULL, "admin" },
	{ "PATCH", "/v1/tokens/{id}", api_token_patch, "Change name, scopes, quotas or days to live from now.", 200, NULL, "token_patch", "admin" },
	{ "DELETE", "/v1/tokens/{id}", api_token_delete, "Revoke an access token, at once and for ever.", 204, NULL, NULL, "admin" },
	{ "GET", "/{file}", api_asset, "A file of the web page.", 200, "*", NULL, NULL },
};
// clang-format on

/* Of the admin listener. */
static const struct route admin_routes[] = {
	{ "GET", "/metrics", api_metrics, "Counters and gauges for Prometheus.", 200, NULL, NULL,
	  "admin" },
	{ "GET", "/livez", api_livez, "The process is alive.", 200, NULL, NULL, NULL },
	{ "GET", "/readyz", api_readyz, "The server can work.", 200, NULL, NULL, NULL },
};

const struct route *route_at(size_t i)
{
	return i < COUNTOF(routes) ? &routes[i] : NULL;
}

/* ---- matching ---- */

/* Match a path against a pattern; parts go into rq->arg. */
static bool match(const char *pattern, const char *path, struct request *rq)
{
	int n_args = 0;

	while (*pattern && *path) {
		if (*pattern == '{') {
			size_t n = strcspn(path, "/");
			char *arg;

			if (n == 0 || n_args == HTTP_ARGS_MAX)
				return false;
			arg = mem_arena_printf(rq->arena, "%.*s", (int)n, path);
			if (!arg)
				return false;
			rq->arg[n_args++] = arg;
			path += n;
			pattern += strcspn(pattern, "}") + 1;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return !*pattern && !*path;
}

static void allow(char *text, size_t n, const char *method)
{
	size_t len = strlen(text);

	(void)snprintf(text + len, n - len, "%s%s%s", len ? ", " : "", method,
		       strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

static const struct route *find(const struct route *rows, size_t n_rows, struct request *rq,
				char *ret_allow, size_t n_allow)
{
	const char *method = strcmp(rq->method, "HEAD") == 0 ? "GET" : rq->method;

	ret_allow[0] = '\0';
	for (size_t i = 0; i < n_rows; i++) {
		if (!match(rows[i].pattern, rq->path, rq))
			continue;
		if (strcmp(rows[i].method, method) == 0)
			return &rows[i];
		allow(ret_allow, n_allow, rows[i].method);
	}
	return NULL;
}

const struct route *route_find(struct request *rq, char *ret_allow, size_t n_allow)
{
	return find(routes, COUNTOF(routes), rq, ret_allow, n_allow);
}

/* ---- who may ask ---- */

/* Whether a page of a site that --cors lists asks; it may read the answer then. */
static bool share(const struct config *c, const struct request *rq, struct response *rs)
{
	const char *origin = http_header(rq, "Origin");
	char *kept = origin && config_origin_listed(c, origin) ? mem_arena_strdup(rq->arena, origin)
							       : NULL;

	if (c->cors)
		http_add_header(rs, "Vary", "Origin");
	if (!kept)
		return false;
	http_add_header(rs, "Access-Control-Allow-Origin", kept);
	http_add_header(rs, "Access-Control-Expose-Headers",
			"ETag, Link, Location, Retry-After, Content-Range, X-Request-Id, "
			"Idempotent-Replayed, Server-Timing");
	return true;
}

/* Its browser asks first what it may send. */
static bool preflight(const struct request *rq, struct response *rs)
{
	if (strcmp(rq->method, "OPTIONS") != 0 || !http_header(rq, "Access-Control-Request-Method"))
		return false;
	http_add_header(rs, "Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE");
	http_add_header(rs, "Access-Control-Allow-Headers",
			"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
			"If-Range, Last-Event-ID, Prefer, Range, X-Request-Id, traceparent");
	http_add_header(rs, "Access-Control-Max-Age", "600");
	rs->status = 204;
	return true;
}

/* Pages of other sites must not reach a server on this machine: neither by a name that resolves
 * here (Host) nor by a request sent from their page (Origin). */
static int check_origin(const struct config *c, const struct request *rq, bool shared,
			struct err_list *errors)
{
	const char *host = http_header(rq, "Host"), *origin = http_header(rq, "Origin");
	const char *site = http_header(rq, "Sec-Fetch-Site"), *name;

	if (!host)
		return err_list_add(errors, ERR_SYNTAX, "", "expected a Host header");
	if (!config_host_allowed(c, host))
		return err_list_add(
			errors, ERR_FORBIDDEN, "",
			"this server does not answer to the host name %.100s; see --host", host);
	if (shared || strcmp(rq->method, "GET") == 0 || strcmp(rq->method, "HEAD") == 0)
		return 0;
	if (site && strcmp(site, "cross-site") == 0)
		return err_list_add(errors, ERR_FORBIDDEN, "",
				    "requests from other sites' pages are refused");
	if (!origin)
		return 0;
	name = strstr(origin, "://");
	if (!name || strcasecmp(name + 3, host) != 0 ||
	    (c->tls_cert && strncmp(origin, "https:", 6) != 0))
		return err_list_add(errors, ERR_FORBIDDEN, "",
				    "requests from other sites' pages are refused (Origin: %.100s)",
				    origin);
	return 0;
}

/* "Bearer TOKEN", or the cookie of the page, whose streams cannot bear headers. */
static const char *token_of(const struct request *rq)
{
	const char *value = http_header(rq, "Authorization");

	if (!value)
		return http_cookie(rq, "stdpd_token");
	return strncasecmp(value, "Bearer ", 7) == 0 ? value + 7 + strspn(value + 7, " ") : "";
}

static int check_token(const struct api *api, const struct route *r, struct request *rq,
		       struct response *rs, struct err_list *errors)
{
	struct err err = { 0 };
	int rc;

	if (!r->scope)
		return 0;
	rc = auth_who(api->store, token_of(rq), rq->arena, &rq->who, &err);
	if (rc == -ERR_UNAUTHORIZED)
		http_add_header(rs, "WWW-Authenticate", "Bearer realm=\"stdpd\"");
	if (rc)
		return err_list_add(errors, (enum err_code)err.code, "", "%s", err.text);
	if (rq->who.scopes & auth_scope_bit(r->scope))
		return 0;
	http_add_header(rs, "WWW-Authenticate",
			"Bearer realm=\"stdpd\", error=\"insufficient_scope\"");
	return err_list_add(errors, ERR_FORBIDDEN, "", "this needs a token with the scope %s",
			    r->scope);
}

struct query_check {
	const char *allowed;
	struct err_list *errors;
};

static void on_query(void *self, const char *name, const char *value)
{
	struct query_check *q = self;
	size_t n = strlen(name);
	char pointer[ERR_PATH_MAX];

	(void)value;
	for (const char *at = q->allowed; at && *at;) {
		size_t len = strcspn(at, " ");

		if (len == n && strncmp(at, name, n) == 0)
			return;
		at += len + (at[len] == ' ');
	}
	(void)snprintf(pointer, sizeof(pointer), "?%.150s", name);
	(void)err_list_add(q->errors, ERR_UNKNOWN, pointer, "there is no parameter %.100s here",
			   name);
}

static int check_query(const struct route *r, const struct request *rq, struct err_list *errors)
{
	struct query_check q = { r->query, errors };

	if (r->query && strcmp(r->query, "*") == 0)
		return 0;
	http_query_each(rq, on_query, &q);
	return err_list_count(errors) ? -ERR_UNKNOWN : 0;
}

/* No body, or {}. */
static int check_empty(const struct request *rq, struct err_list *errors)
{
	json_t *body = NULL;
	int rc = rq->body_len ? api_body(rq, &body, errors) : 0;

	if (!rc && body)
		rc = api_run_keys(body, NULL, 0, errors);
	json_decref(body);
	return rc;
}

/* ---- dispatch ---- */

/* Other methods may be repeated anyway, and who may only read changes nothing. */
bool route_takes_key(const struct route *r)
{
	return strcmp(r->method, "POST") == 0 && strcmp(r->scope ? r->scope : "", "read") != 0;
}

static int dispatch(const struct api *api, bool admin, struct request *rq, struct response *rs,
		    struct err_list *errors)
{
	const struct route *r;
	char allowed[128];
	bool shared = !admin && share(api->config, rq, rs);
	int rc = check_origin(api->config, rq, shared, errors);

	if (rc || (shared && preflight(rq, rs)))
		return rc;
	r = admin ? find(admin_routes, COUNTOF(admin_routes), rq, allowed, sizeof(allowed))
		  : route_find(rq, allowed, sizeof(allowed));
	if (!r && allowed[0]) {
		char *kept = mem_arena_strdup(rq->arena, allowed);

		if (kept)
			http_add_header(rs, "Allow", kept);
		return err_list_add(errors, ERR_METHOD, "", "expected %s, found %.32s", allowed,
				    rq->method);
	}
	if (!r)
		return err_list_add(errors, ERR_NOTFOUND, "", "there is nothing at this address");
	rc = check_token(api, r, rq, rs, errors);
	if (!rc)
		rc = check_query(r, rq, errors);
	if (!rc && r->schema && strcmp(r->schema, "empty") == 0)
		rc = check_empty(rq, errors);
	if (!rc && route_takes_key(r))
		rc = once_begin(api->store, rq, rs, errors);
	if (rc)
		return rc > 0 ? 0 : rc;
	rc = r->handler(api, rq, rs, errors);
	if (!rc)
		cond_finish(rq, rs, !r->scope);
	return rc;
}

/* Some memory was not to be had: whatever the handler came to, a part may be missing. */
static int starve(struct response *rs, struct err_list *errors)
{
	rs->n_headers = 0;
	err_list_release(errors);
	*errors = (struct err_list){ 0 };
	return err_list_add(errors, ERR_NOMEM, "", "out of memory");
}

static void handle(void *self, bool admin, struct request *rq, struct response *rs)
{
	struct err_list errors = { 0 };
	size_t refused = mem_refused();
	int rc = dispatch(self, admin, rq, rs, &errors);
	bool answered = rc < 0 || rs->status || rs->stream.read;

	if (answered && (mem_refused() != refused || rq->arena->met))
		rc = starve(rs, &errors);
	if (rc < 0) {
		if (problem_status(-rc) >= 500)
			log_text(LOG_ERROR, "request %s: %s: %s", rq->id, err_name(-rc),
				 errors.first.text);
		problem_response(rs, -rc, rq->path, &errors);
	}
	once_end(((const struct api *)self)->store, rq, rs, rc);
	encode_finish(rq, rs);
	err_list_release(&errors);
}

void route_leave(void *self, const struct request *rq)
{
	once_left(((const struct api *)self)->store, rq);
}

void route_handle(void *self, struct request *rq, struct response *rs)
{
	handle(self, false, rq, rs);
}

void route_handle_admin(void *self, struct request *rq, struct response *rs)
{
	handle(self, true, rq, rs);
}
