/* api_run.h - what the handlers of runs share. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_API_RUN_H
#define SERVER_API_RUN_H

#include <jansson.h>

#include "server/api.h"
#include "server/event_stream.h"
#include "server/store_run.h"

enum { API_RUN_ETAG_MAX = 64 };

/* The run as the contract has it; `list`: without what only one run's own page shows. New
 * reference, NULL: no memory. */
json_t *api_run_json(const struct api *api, const struct store_run *run, bool list);
/* Answer with the run, its ETag and, if it is new, its Location. */
int api_run_answer(const struct api *api, const struct request *rq, struct response *rs,
		   const struct store_run *run, int status, struct err_list *errors);
/* The run named in the path; errors: NOTFOUND. */
int api_run_find(const struct api *api, const struct request *rq, struct store_run *ret,
		 struct err_list *errors) MUST_USE;
void api_run_etag(const struct api *api, const struct store_run *run, char etag[API_RUN_ETAG_MAX]);
/* Whose runs are asked for; NULL: all, for who may see them all. */
const char *api_run_owner(const struct request *rq);
/* If-Match names this version, or is absent; PRECONDITION otherwise. */
int api_run_match(const struct request *rq, const struct store_run *run,
		  struct err_list *errors) MUST_USE;
/* Answer with the events of one source, which is taken over. */
int api_event_one(struct response *rs, struct event_source source, struct err_list *errors);
/* Pass a store error on. */
int api_run_fail(const struct err *err, struct err_list *errors);

/* What a request gives beside the spec; checked by api_run_meta. Strings live in the JSON or the
 * arena. */
struct api_run_meta {
	const char *name, *notes;	       /* NULL: not given */
	const char *tags;		       /* JSON text, NULL: not given */
	int64_t threads, keep_days;	       /* keep_days 0: for ever, or not given */
	const char *verify_of, *verify_digest; /* NULL: repeats no run */
	bool common;			       /* everybody's, in nobody's quota */
};
int api_run_meta(const struct api *api, const struct request *rq, json_t *body,
		 struct api_run_meta *ret, struct err_list *errors);
/* What the body of POST /v1/runs asks for: the spec (new reference), what is known of it, what stands
 * beside it. All errors at once, as far as they can be told. */
int api_run_request(const struct api *api, const struct request *rq, json_t *body,
		    json_t **ret_spec, struct api_spec *ret_known, struct api_run_meta *ret_meta,
		    struct err_list *errors) MUST_USE;
/* Its parts. The spec that a body names (spec, preset or experiment), overrides applied, seed filled in, not
 * checked: new reference, NULL with errors; `prefix`: pointer of what it came from. */
json_t *api_run_base(json_t *body, const char *prefix, struct err_list *errors);
/* Whether it can run, for who asks: all errors. */
int api_run_check(const struct api *api, const struct request *rq, json_t *spec, const char *prefix,
		  struct api_spec *ret, struct err_list *errors) MUST_USE;
/* An error at a place that an override has set is the override's: "/spec/a/b/c" ->
 * "/overrides/0/value/c". */
void api_run_repoint(struct err *e, json_t *overrides, const char *prefix);
/* Queue a run of `spec` and answer, after Prefer: wait if asked for; with Prefer: reuse. */
int api_run_start(const struct api *api, struct request *rq, struct response *rs, json_t *spec,
		  const struct api_spec *known, const char *preset, const struct api_run_meta *meta,
		  struct err_list *errors);
/* A run that an answer is made from: the newest of `spec` that succeeded with this engine, one on its way,
 * or else a new one. Its id is noted in rq->memo. */
int api_run_of_spec(const struct api *api, struct request *rq, json_t *spec,
		    const struct api_spec *known, const struct api_run_meta *meta,
		    struct err_list *errors) MUST_USE;
/* That run: 0 when it has ended, 1 while it goes on; then, unless wait_s (0: do not wait) has passed, `rs`
 * waits for it; -code. */
int api_run_of_memo(const struct api *api, const struct request *rq, struct response *rs,
		    double wait_s, struct store_run *ret, struct err *err) MUST_USE;
/* Seconds of `Prefer: wait=N`, at most 30, 0 without; and whether it has the word `reuse`. */
void api_run_prefer(const struct request *rq, double *ret_wait, bool *ret_reuse);
/* A waiting POST is back, or repeats one whose run stands: 1: answered (or waits on); 0: go on;
 * -code. */
int api_run_resume(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors) MUST_USE;
/* Refuse a body that is no object or has other keys than these. */
int api_run_keys(json_t *body, const char *const *known, size_t n,
		 struct err_list *errors) MUST_USE;
/* "" or the text of a seed given as digits or a whole number; NULL: it is neither. */
const char *api_run_seed(const json_t *seed, char text[24]);

#endif
