/* api_compare.c - GET /v1/compare?runs=a,b: where specs differ, and what came of it. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "server/api_run.h"
#include "server/auth.h"

enum { RUNS_MAX = 16, DIFFERENCES_MAX = 1000, POINTER_MAX = 1024, DEPTH_MAX = 24 };

struct compare {
	const struct api *api;
	size_t n;
	struct store_run run[RUNS_MAX];
	json_t *spec[RUNS_MAX];
	json_t *pointers; /* of the differences */
	json_t *values;	  /* of each, a list by run */
	size_t different;
};

/* ---- specs ---- */

static void add_difference(struct compare *c, const char *pointer, json_t *const *at)
{
	json_t *row;

	if (c->different++ >= DIFFERENCES_MAX)
		return;
	row = json_array();
	for (size_t i = 0; i < c->n; i++)
		(void)json_array_append_new(row, at[i] ? json_incref(at[i]) : json_null());
	(void)json_array_append_new(c->pointers, json_string(pointer));
	(void)json_array_append_new(c->values, row);
}

static bool all_equal(const struct compare *c, json_t *const *at)
{
	for (size_t i = 1; i < c->n; i++)
		if (at[0] != at[i] && (!at[0] || !at[i] || !json_equal(at[0], at[i])))
			return false;
	return true;
}

static bool all_objects(const struct compare *c, json_t *const *at)
{
	for (size_t i = 0; i < c->n; i++)
		if (!json_is_object(at[i]))
			return false;
	return true;
}

/* pointer + "/" + key, with ~ and / of the key written as JSON Pointer has them; false: too long. */
static bool extend(char out[POINTER_MAX], const char *pointer, const char *key)
{
	size_t n = strlen(pointer);

	memcpy(out, pointer, n);
	out[n++] = '/';
	for (; *key && n + 3 < POINTER_MAX; key++) {
		if (*key == '~' || *key == '/') {
			out[n++] = '~';
			out[n++] = *key == '~' ? '0' : '1';
		} else {
			out[n++] = *key;
		}
	}
	out[n] = '\0';
	return !*key;
}

static void differ(struct compare *c, const char *pointer, json_t *const *at, int depth);

/* The keys of run i's object that none before it has. */
static void differ_keys(struct compare *c, const char *pointer, json_t *const *at, size_t i,
			int depth)
{
	json_t *value, *below[RUNS_MAX];
	char longer[POINTER_MAX];
	const char *key;

	json_object_foreach(at[i], key, value)
	{
		bool seen = false;

		for (size_t k = 0; k < c->n; k++) {
			below[k] = json_object_get(at[k], key);
			seen = seen || (k < i && below[k]);
		}
		if (seen)
			continue;
		if (extend(longer, pointer, key))
			differ(c, longer, below, depth + 1);
		else
			add_difference(c, pointer, at);
	}
}

static void differ(struct compare *c, const char *pointer, json_t *const *at, int depth)
{
	if (all_equal(c, at))
		return;
	if (depth >= DEPTH_MAX || !all_objects(c, at)) {
		add_difference(c, pointer, at);
		return;
	}
	for (size_t i = 0; i < c->n; i++)
		differ_keys(c, pointer, at, i, depth);
}

/* ---- numbers ---- */

/* {"name": [], "values": [[by run]]} of the numbers that an object of each run has. */
static json_t *numbers(const struct compare *c, bool counts)
{
	json_t *names = json_array(), *rows = json_array(), *of[RUNS_MAX], *value;
	const char *key;

	for (size_t i = 0; i < c->n; i++) {
		const char *text = counts ? c->run[i].counts : c->run[i].metrics;

		of[i] = text ? json_loads(text, 0, NULL) : NULL;
	}
	for (size_t i = 0; i < c->n; i++) {
		json_object_foreach(of[i], key, value)
		{
			bool seen = false;
			json_t *row = json_array();

			for (size_t k = 0; k < c->n; k++) {
				json_t *own = json_object_get(of[k], key);

				seen = seen || (k < i && own);
				(void)json_array_append_new(row,
							    own ? json_incref(own) : json_null());
			}
			if (!seen) {
				(void)json_array_append_new(names, json_string(key));
				(void)json_array_append(rows, row);
			}
			json_decref(row);
		}
	}
	for (size_t i = 0; i < c->n; i++)
		json_decref(of[i]);
	return json_pack("{s:o, s:o}", "name", names, "values", rows);
}

/* ---- the answer ---- */

static int add_run(struct compare *c, struct request *rq, const char *id, struct err_list *errors)
{
	struct err err = { 0 };
	const char *text;

	if (c->n == RUNS_MAX)
		return err_list_add(errors, ERR_LIMIT, "?runs", "expected at most %d runs",
				    RUNS_MAX);
	if (!id_valid(id))
		return err_list_add(errors, ERR_NOTFOUND, "?runs", "there is no run \"%.40s\"", id);
	if (store_run_get(c->api->store, id, rq->arena, &c->run[c->n], &err) ||
	    store_run_text(c->api->store, id, STORE_RUN_SPEC, rq->arena, &text, &err))
		return err_list_add(errors, (enum err_code)err.code, "?runs", "run %s: %s", id,
				    err.text);
	if (!auth_sees(&rq->who, c->run[c->n].owner))
		return err_list_add(errors, ERR_NOTFOUND, "?runs", "there is no run \"%.40s\"", id);
	c->spec[c->n] = json_loads(text, 0, NULL);
	if (!c->spec[c->n])
		return err_list_add(errors, ERR_CORRUPT, "", "the spec of a run is not JSON");
	c->n++;
	return 0;
}

static int read_runs(struct compare *c, struct request *rq, struct err_list *errors)
{
	const char *at = http_query(rq, "runs");
	int rc = 0;

	while (!rc && at && *at) {
		size_t n = strcspn(at, ",");
		char *id = mem_arena_printf(rq->arena, "%.*s", (int)(n < 64 ? n : 64), at);

		rc = id ? add_run(c, rq, id, errors)
			: err_list_add(errors, ERR_NOMEM, "", "out of memory");
		at += n + (at[n] == ',');
	}
	if (!rc && c->n < 2)
		rc = err_list_add(errors, ERR_MISSING, "?runs", "expected two runs or more: a,b");
	return rc;
}

/* true, false, or null while one of them has none. */
static json_t *same_digest(const struct compare *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->run[i].digest)
			return json_null();
	for (size_t i = 1; i < c->n; i++)
		if (strcmp(c->run[i].digest, c->run[0].digest) != 0)
			return json_false();
	return json_true();
}

static bool same_spec(const struct compare *c)
{
	for (size_t i = 1; i < c->n; i++)
		if (strcmp(c->run[i].spec_sha256, c->run[0].spec_sha256) != 0)
			return false;
	return true;
}

static json_t *answer(struct compare *c)
{
	json_t *runs = json_array(), *names = json_array(), *states = json_array(),
	       *digests = json_array();

	c->pointers = json_array();
	c->values = json_array();
	differ(c, "", c->spec, 0);
	for (size_t i = 0; i < c->n; i++) {
		const struct store_run *r = &c->run[i];

		(void)json_array_append_new(runs, json_string(r->id));
		(void)json_array_append_new(names, json_string(r->name));
		(void)json_array_append_new(states, json_string(run_state_name(r->state)));
		(void)json_array_append_new(digests,
					    r->digest ? json_string(r->digest) : json_null());
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:{s:o, s:o, s:I, s:b}, s:o, s:o}", "runs",
			 runs, "name", names, "state", states, "digest", digests, "same_spec",
			 same_spec(c), "same_digest", same_digest(c), "spec", "pointer",
			 c->pointers, "values", c->values, "count", (json_int_t)c->different,
			 "truncated", c->different > DIFFERENCES_MAX, "metrics", numbers(c, false),
			 "counts", numbers(c, true));
}

int api_compare(const struct api *api, struct request *rq, struct response *rs,
		struct err_list *errors)
{
	struct compare c = { .api = api };
	int rc = read_runs(&c, rq, errors);

	if (!rc)
		rc = api_json(rs, 200, answer(&c), errors);
	for (size_t i = 0; i < c.n; i++)
		json_decref(c.spec[i]);
	return rc;
}
