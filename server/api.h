/* api.h - the handlers: 5 to 40 lines each, called by the dispatcher alone.
 *
 * A handler returns 0 with the response filled, or -code with err filled: the dispatcher writes
 * problem+json. Several errors at once (a spec's) go through `errors`. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_API_H
#define SERVER_API_H

#include <jansson.h>

#include "core/base/err.h"
#include "core/spec.h"
#include "server/cond.h"
#include "server/crypt.h"
#include "server/http.h"

struct config;
struct store;
struct exec;
struct event;
struct queue;
struct session;
struct sweep;
struct kept;

/* The services, made by main; handlers pass on the one they use, never the whole. */
struct api {
	const struct config *config;
	struct store *store;
	struct exec *exec;
	struct event *event;
	struct queue *queue;
	struct session *session;
	struct sweep *sweep;
	struct http *http;
	struct kept *models, *openapi;
};

typedef int api_handler(const struct api *api, struct request *rq, struct response *rs,
			struct err_list *errors);

/* Helpers of api.c. */
int api_json(struct response *rs, int status, json_t *body_take,
	     struct err_list *errors); /* steals body; NULL: out of memory */
/* Make an answer that is kept; steals the body. Then what answers with it. */
int api_keep(struct kept **ret, json_t *body_take, struct err *err) MUST_USE;
int api_kept(const struct kept *k, const struct request *rq, struct response *rs,
	     struct err_list *errors);
/* A text; a time (ms since 1970) as ISO-8601; null for NULL and 0. */
json_t *api_text_or_null(const char *text);
json_t *api_time_or_null(int64_t ms);
/* The body as JSON: content type checked (415), syntax (400 with line and column). New reference.
 */
int api_body(const struct request *rq, json_t **ret, struct err_list *errors) MUST_USE;
/* A number from the query; `def` if absent; error RANGE with pointer "?name". */
int api_query_double(const struct request *rq, const char *name, double def, double min, double max,
		     double *ret, struct err_list *errors) MUST_USE;
int api_query_int(const struct request *rq, const char *name, int64_t def, int64_t min, int64_t max,
		  int64_t *ret, struct err_list *errors) MUST_USE;
/* ?page_size of a list: 50, at most 500. */
int api_query_page_size(const struct request *rq, int64_t *ret, struct err_list *errors);
/* page_size and page_token of a list of rows that go down by seq: at most *ret_size rows below *ret_seq.
 * A token is `letter`, told from other lists' by it, and a seq in hexadecimal digits. */
int api_query_page(const struct request *rq, char letter, int64_t *ret_size, int64_t *ret_seq,
		   struct err_list *errors) MUST_USE;
/* "Link: ...; rel=next", the same request with this page_token. */
void api_link(const struct request *rq, struct response *rs, const char *token);
/* Answer with such a page: `next_seq` is the seq of its last row, 0 when no more follow. */
int api_page(const struct request *rq, struct response *rs, json_t *items_take, char letter,
	     int64_t next_seq, struct err_list *errors);
/* JSON as text in the arena; NULL: no memory. */
const char *api_text(const json_t *json, struct mem_arena *arena);
/* Whether something new may begin that takes room, `bytes` of it as far as known: NOSPACE when the data
 * folder is full, QUOTA when what belongs to who asks is. */
int api_room(const struct api *api, const struct request *rq, int64_t bytes,
	     struct err_list *errors) MUST_USE;
/* Format asked for by ?format= or Accept, of the allowed (bit set of 1 << enum api_format);
 * ERR_ACCEPT otherwise. */
enum api_format { API_JSON, API_NDJSON, API_CSV, API_NPZ, API_FORMAT_N };
int api_format(const struct request *rq, unsigned allowed, enum api_format *ret,
	       struct err_list *errors) MUST_USE;
/* Its Content-Type. */
const char *api_media(enum api_format format);

/* PRECONDITION if there is an If-Match and `body` (stolen; NULL: out of memory), what a GET would answer
 * now, is another. */
int api_match(const struct request *rq, json_t *body_take, struct err_list *errors) MUST_USE;

/* What is known of a spec (or an experiment's) before it runs. */
struct api_spec {
	const char *experiment; /* NULL: a plain spec; lives in the json */
	double duration_ms;	/* 0 for experiments */
	struct spec_cost cost;	/* zero for experiments */
	char sha256[CRYPT_HEX_SIZE];
};
/* Validate a spec or {"experiment", "params", "seed"} against tables, data sets and this server's
 * limits; pointers get `prefix`. 0, or -code with all errors in the list. */
int api_spec_check(const struct api *api, json_t *spec, const char *prefix, struct mem_arena *arena,
		   struct api_spec *ret, struct err_list *errors) MUST_USE;
/* The spec of a preset, new reference (api_preset.c). NULL: there is none of this name, or no
 * memory. */
json_t *api_preset_spec(const char *name);

// clang-format off
#define API_HANDLERS(X) \
	X(api_index) X(api_asset) X(api_v1) X(api_openapi) X(api_docs) X(api_livez) X(api_readyz) X(api_schema) \
	X(api_model_list) X(api_model_get) X(api_rule_window) X(api_spec_validate) \
	X(api_preset_list) X(api_preset_get) \
	X(api_run_post) X(api_run_list) X(api_run_get) X(api_run_patch) X(api_run_delete) X(api_run_cancel) X(api_run_rerun) X(api_run_verify) \
	X(api_run_spec) X(api_run_provenance) X(api_run_log) X(api_run_events) X(api_events) X(api_compare) \
	X(api_result_manifest) X(api_result_spikes) X(api_result_raster) X(api_result_rates) X(api_result_isi) \
	X(api_result_states) X(api_result_weights) X(api_result_histogram) X(api_result_matrix) X(api_result_series) \
	X(api_result_stdp) X(api_result_table) X(api_result_why) X(api_result_psth) X(api_artifact_list) X(api_artifact_get) \
	X(api_session_post) X(api_session_list) X(api_session_get) X(api_session_delete) X(api_session_spec) \
	X(api_session_step) X(api_session_play) X(api_session_pause) X(api_session_stimuli) X(api_session_parameters) \
	X(api_session_fork) X(api_session_checkpoint_post) X(api_session_checkpoint_list) X(api_session_restore) \
	X(api_session_save) X(api_session_events) \
	X(api_sweep_post) X(api_sweep_list) X(api_sweep_get) X(api_sweep_spec) X(api_sweep_table) X(api_sweep_events) \
	X(api_sweep_cancel) X(api_sweep_delete) \
	X(api_dataset_post) X(api_dataset_list) X(api_dataset_get) X(api_dataset_delete) \
	X(api_hook_post) X(api_hook_list) X(api_hook_get) X(api_hook_patch) X(api_hook_delete) X(api_hook_deliveries) X(api_hook_test) \
	X(api_me) X(api_token_post) X(api_token_list) X(api_token_get) X(api_token_patch) X(api_token_delete) X(api_metrics)
// clang-format on

#define X(name) api_handler name;
API_HANDLERS(X)
#undef X

#endif
