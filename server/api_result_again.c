/* api_result_again.c - the updates of a synapse that was not recorded, by simulating its run again. */
/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/engine.h"
#include "server/api_result_series.h"
#include "server/api_run.h"
#include "server/auth.h"
#include "server/problem.h"

enum { KEEP_DAYS = 30 };

static const char retry_s[] = "2";

/* Why it cannot be done, whoever asks; NULL: nothing is in the way. */
static const char *hindrance(struct api_result *c, const char *provenance)
{
	json_t *made = json_loads(provenance, 0, NULL);
	const char *version = json_string_value(json_object_get(made, "version")), *why = NULL;

	if (c->run.state != RUN_SUCCEEDED || !c->run.digest)
		why = "only a run that succeeded can be simulated again for it";
	else if (!version || strcmp(version, ENGINE_VERSION) != 0)
		why = mem_arena_printf(c->rq->arena,
				       "it was simulated by engine %.40s, and this is engine "
				       "%s, which may come to other bits",
				       version ? version : "of unknown version", ENGINE_VERSION);
	json_decref(made);
	return why;
}

/* The run's spec with nothing recorded but this synapse. New reference. */
static json_t *spec_of(const char *text, const struct api_result_series *s)
{
	json_t *spec = json_loads(text, 0, NULL);
	json_t *record = json_pack("{s:b, s:[{s:s, s:[I], s:s}]}", "final_weights", 0, "weights",
				   "projection", s->recording->subject, "synapses",
				   (json_int_t)s->which[0], "every", "update");

	if (!spec || !record || json_object_set(spec, "record", record)) {
		json_decref(spec);
		spec = NULL;
	}
	json_decref(record);
	return spec;
}

/* Find or queue that run, noted in rq->memo; what is in the way is in *ret_why. */
static int start(struct api_result *c, const struct api_result_series *s, const char **ret_why)
{
	const struct api_run_meta meta = { .name = mem_arena_printf(
						   c->rq->arena, "why: %.60s, synapse %lld",
						   s->recording->subject, (long long)s->which[0]),
					   .tags = "[\"why\"]",
					   .threads = c->run.threads,
					   .keep_days = KEEP_DAYS,
					   .verify_of = c->run.id,
					   .verify_digest = c->run.digest };
	struct err_list found = { 0 };
	struct api_spec known = { 0 };
	const char *text = NULL;
	json_t *spec;
	int rc = api_result_spec(c, &text);

	if (rc)
		return rc;
	spec = spec_of(text, s);
	if (!spec || !meta.name) {
		json_decref(spec);
		return err_nomem(&c->err);
	}
	rc = api_run_check(c->api, c->rq, spec, "", &known, &found);
	if (!rc)
		rc = api_run_of_spec(c->api, c->rq, spec, &known, &meta, &found);
	if (rc && problem_status(-rc) >= 500 && rc != -ERR_NOSPACE) {
		c->err = found.first; /* what is broken inside is no reason to tell */
	} else if (rc) {
		*ret_why = mem_arena_printf(
			c->rq->arena, "it cannot be simulated again now: %.300s", found.first.text);
		rc = *ret_why ? 0 : err_nomem(&c->err);
	}
	err_list_release(&found);
	json_decref(spec);
	return rc;
}

/* What has come of that run. */
static int outcome(struct api_result *c, struct api_result_series *s, const char **ret_why)
{
	struct api_result_series again = { .param = s->param };
	struct store_run run;
	double wait_s;
	bool reuse;
	int rc;

	api_run_prefer(c->rq, &wait_s, &reuse);
	rc = api_run_of_memo(c->api, c->rq, c->rs, wait_s, &run, &c->err);
	if (rc > 0 && wait_s > 0.0 && !c->rq->timed_out)
		return rc;
	if (rc > 0) {
		c->rs->status = 202;
		*ret_why = mem_arena_printf(c->rq->arena,
					    "run %s is simulating it again; ask again, or with "
					    "Prefer: wait=30",
					    run.id);
		return *ret_why ? 0 : err_nomem(&c->err);
	}
	if (rc)
		return rc;
	if (run.state != RUN_SUCCEEDED || !run.digest || strcmp(run.digest, c->run.digest) != 0) {
		*ret_why = mem_arena_printf(c->rq->arena,
					    "run %s, which was to simulate it again, %s", run.id,
					    run.state == RUN_SUCCEEDED ? "came to another digest"
								       : run_state_name(run.state));
		return *ret_why ? 0 : err_nomem(&c->err);
	}
	rc = api_result_series_of(c, &again, run.id);
	if (rc)
		return rc;
	s->step = again.step;
	s->synapse = again.synapse;
	s->weight = again.weight;
	s->total = again.total;
	s->again = run.id;
	return 0;
}

int api_result_series_again(struct api_result *c, struct api_result_series *s,
			    const char **ret_note)
{
	const char *provenance = NULL, *why = NULL;
	int rc = 0;

	if (c->folder)
		why = "save the session and ask the run that this makes";
	else if (!c->rq->memo[0])
		rc = store_run_text(c->api->store, c->run.id, STORE_RUN_PROVENANCE, c->rq->arena,
				    &provenance, &c->err);
	if (!rc && provenance)
		why = hindrance(c, provenance);
	if (!rc && !why && !(c->rq->who.scopes & auth_scope_bit("run")))
		why = "simulating it again takes a token with the scope run";
	if (!rc && !why && !c->rq->memo[0])
		rc = start(c, s, &why);
	if (!rc && !why)
		rc = outcome(c, s, &why);
	if (rc || !why)
		return rc;
	c->rs->n_headers = 0; /* the ETag of a run's views: this one may change */
	http_add_header(c->rs, "Vary", "Accept");
	if (c->rs->status == 202)
		http_add_header(c->rs, "Retry-After", retry_s);
	*ret_note = mem_arena_printf(
		c->rq->arena,
		"the updates of this synapse were not recorded: its pairs are known "
		"from the spikes, dw is not; %s",
		why);
	return *ret_note ? 0 : err_nomem(&c->err);
}
