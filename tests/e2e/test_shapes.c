/* test_shapes - what answers look like: the keys callers rely on, the same for runs and sessions. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "server/route.h"
#include "tests/e2e/world.h"

static struct world w;

static void setup(void)
{
	world_new(&w, NULL);
}

static void teardown(void)
{
	world_free(&w);
}

TestSuite(shapes, .init = setup, .fini = teardown, .timeout = 120);

static struct reply good(const char *pattern)
{
	char path[WORLD_PATH_MAX];
	struct reply r;

	world_path(&w, pattern, path);
	r = world_ask(&w, "GET", path, NULL, NULL);
	cr_assert_eq(r.status, 200, "%s: %d %s", path, r.status, r.body);
	return r;
}

/* ---- keys ---- */

/* s a string, n a number, b a boolean, o an object, a a list, 0 null. */
static char letter(const json_t *v)
{
	static const char letters[] = {
		[JSON_OBJECT] = 'o', [JSON_ARRAY] = 'a', [JSON_STRING] = 's', [JSON_INTEGER] = 'n',
		[JSON_REAL] = 'n',   [JSON_TRUE] = 'b',	 [JSON_FALSE] = 'b',  [JSON_NULL] = '0'
	};

	return v ? letters[json_typeof(v)] : '-';
}

/* Each "pointer:letters" of the list holds in the answer. */
static void has(const struct reply *r, const char *keys)
{
	char word[128], *colon;

	for (const char *at = keys; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");
		char found;

		cr_assert_lt(n, sizeof(word));
		(void)snprintf(word, sizeof(word), "/%.*s", (int)n, at);
		colon = strchr(word, ':');
		*colon = '\0';
		found = letter(reply_at(r, word));
		cr_assert_not_null(strchr(colon + 1, found), "%s: expected %s, found %c in %s",
				   word, colon + 1, found, r->body);
		at += n;
	}
}

#define RUN	"/v1/runs/{id}"
#define SESSION "/v1/sessions/{id}"

Test(shapes, answers_have_the_keys_of_the_contract)
{
	static const struct {
		const char *pattern, *keys;
	} cases[] = {
		{ "/v1", "name:s version:s limits:o features:a links:o" },
		{ "/v1/models",
		  "neurons/0/name:s neurons/0/doc:s neurons/0/cite:s neurons/0/states:a "
		  "neurons/0/params/0/name:s neurons/0/params/0/unit:s neurons/0/params/0/type:s "
		  "neurons/0/params/0/default:nsba neurons/0/params/0/min:n0 "
		  "neurons/0/params/0/max:n0 neurons/0/params/0/doc:s plasticity/0/name:s "
		  "plasticity/0/params:a plasticity/0/cite:s wiring/0/name:s wiring/0/params:a "
		  "experiments/0/name:s experiments/0/params:a" },
		{ "/v1/presets",
		  "items/0/name:s items/0/title:s items/0/text:s items/0/look_at:s" },
		{ "/v1/presets/{name}", "name:s title:s text:s look_at:s spec:o" },
		{ "/v1/rules/{name}/window", "dt_ms:a dw:a dw_theory:a run_id:s" },
		{ "/v1/runs", "items:a next_page_token:0" },
		{ "/v1/sweeps", "items:a next_page_token:0" },
		{ "/v1/sessions", "items:a next_page_token:0" },
		{ "/v1/datasets", "items:a next_page_token:0" },
		{ "/v1/webhooks", "items:a next_page_token:0" },
		{ "/v1/tokens", "items:a next_page_token:0" },
		{ "/v1/webhooks/{id}/deliveries", "items:a next_page_token:0" },
		{ SESSION "/checkpoints", "items/0/id:s items/0/t_ms:n items/0/bytes:n" },
		{ "/v1/datasets/{id}",
		  "id:s fields/0/name:s fields/0/shape:a fields/0/dtype:s sha256:s" },
		{ RUN, "id:s state:s name:s tags:a created_at:s started_at:s finished_at:s "
		       "spec_sha256:s seed:s digest:s progress/t_ms:n progress/duration_ms:n "
		       "progress/fraction:n progress/wall_s:n progress/real_time_factor:n "
		       "progress/eta_s:n queue_position:0 metrics:o counts/spikes:n "
		       "counts/synaptic_events:n counts/plastic_updates:n counts/steps:n error:0 "
		       "links:o" },
		{ RUN "/spikes", "population:s count:n t_ms:a neuron:a downsampled:b" },
		{ RUN "/raster", "rows:n cols:n counts/0:a" },
		{ RUN "/rates", "population:s bin_ms:n t_ms:a rate_hz:a" },
		{ RUN "/isi", "population:s count:n edges_ms:a counts:a" },
		{ RUN "/states/{variable}",
		  "population:s variable:s unit:s neurons:a t_ms:a values/0:a values/1:a" },
		{ RUN "/weights", "projection:s at_ms:n count:n source:a target:a weight:a" },
		{ RUN "/weights/histogram", "edges:a counts/0:a at_ms:a" },
		{ RUN "/weights/matrix", "rows:n cols:n values/0:a" },
		{ RUN "/weights/series",
		  "projection:s synapses:a t_ms/0:a weight/0:a source:a target:a" },
		{ RUN "/stdp", "dt_ms:a dw:a window/dt_ms:a window/dw:a" },
		{ RUN "/why", "t_pre_ms:a t_post_ms:a dt_ms:a dw:a" },
		{ RUN "/psth", "t_ms:a counts:a rate_hz:a" },
		{ RUN "/tables/{name}",
		  "name:s columns/0/name:s columns/0/unit:s columns/0/values:a "
		  "columns/2/name:s" },
		{ RUN "/artifacts", "items/0/name:s items/0/bytes:n items/0/href:s" },
		{ "/v1/compare", "spec/pointer:a spec/values:a metrics/name:a metrics/values:a "
				 "counts/name:a" },
		{ "/v1/me", "name:s scopes:a" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply r = good(cases[i].pattern);

		has(&r, cases[i].keys);
		reply_release(&r);
	}
}

/* ---- names and times ---- */

static bool is_snake(const char *key)
{
	size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n == strlen(key) && islower((unsigned char)key[0]);
}

/* 2026-01-31T12:00:00.123Z */
static bool is_utc(const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	return true;
}

/* Of all objects below; names that the spec gives, and symbols of its parameters, are not ours. */
static size_t check_keys(const char *pattern, json_t *v)
{
	static const char *const theirs[] = { "spec", "params", "metrics", "meta", "sets" };
	json_t *one;
	const char *key;
	size_t i, n = 0;

	json_array_foreach(v, i, one) n += check_keys(pattern, one);
	json_object_foreach(v, key, one)
	{
		size_t len = strlen(key);
		bool skip = false;

		cr_assert(is_snake(key), "%s: the key %s", pattern, key);
		if (len > 3 && strcmp(key + len - 3, "_at") == 0 && json_is_string(one) &&
		    strcmp(key, "look_at") != 0)
			cr_assert(is_utc(json_string_value(one)), "%s: %s is %s", pattern, key,
				  json_string_value(one));
		for (i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
			skip = skip || strcmp(key, theirs[i]) == 0;
		n += 1 + (skip && json_is_object(one) ? 0 : check_keys(pattern, one));
	}
	return n;
}

static bool ends(const char *text, const char *with)
{
	size_t n = strlen(text), k = strlen(with);

	return n >= k && strcmp(text + n - k, with) == 0;
}

Test(shapes, keys_are_snake_case_and_times_are_utc)
{
	static const char *const others[] = { "/events", "/spec", "/openapi.json",
					      "/schemas/{name}", "/artifacts/{name}" };
	size_t seen = 0, n = 0;

	for (size_t i = 0; route_at(i); i++) {
		const struct route *r = route_at(i);
		bool skip = strcmp(r->method, "GET") != 0 || world_status(r->pattern, 200) != 200;
		struct reply a;

		for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
			skip = skip || ends(r->pattern, others[k]);
		if (skip)
			continue;
		a = good(r->pattern);
		if (a.json) {
			n += check_keys(r->pattern, a.json);
			seen++;
		}
		reply_release(&a);
	}
	cr_assert_gt(seen, 50);
	cr_assert_gt(n, 1000);
}

/* ---- runs and sessions ---- */

/* The session of the world has lived what the run did: every view shows the same. */
Test(shapes, a_session_shows_what_a_run_of_the_same_spec_does)
{
	static const char *const views[] = { "/spikes",
					     "/raster",
					     "/rates",
					     "/isi",
					     "/states/{variable}",
					     "/weights",
					     "/weights/histogram",
					     "/weights/matrix",
					     "/weights/series",
					     "/stdp",
					     "/why",
					     "/psth",
					     "/spec" };

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		static const char *const formats[] = { "json", "csv", "npz" };

		for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
			char pattern[2][64], path[2][WORLD_PATH_MAX + 16];
			struct reply r[2];

			for (size_t k = 0; k < 2; k++) {
				(void)snprintf(pattern[k], sizeof(pattern[k]), "%s%s",
					       k ? SESSION : RUN, views[i]);
				world_path(&w, pattern[k], path[k]);
				if (strcmp(views[i], "/spec") != 0)
					(void)snprintf(path[k] + strlen(path[k]), 16, "%cformat=%s",
						       strchr(path[k], '?') ? '&' : '?',
						       formats[f]);
				r[k] = world_ask(&w, "GET", path[k], NULL, NULL);
				cr_assert_eq(r[k].status, 200, "%s: %s", path[k], r[k].body);
			}
			cr_assert_eq(r[0].len, r[1].len, "%s\n%s\n%s", path[0], r[0].body,
				     r[1].body);
			cr_assert_arr_eq(r[0].body, r[1].body, r[0].len, "%s\n%s\n%s", path[0],
					 r[0].body, r[1].body);
			reply_release(&r[0]);
			reply_release(&r[1]);
		}
	}
}

/* Every link is an address of the table: read, it answers; what only takes a POST says so. */
Test(shapes, links_lead_somewhere)
{
	static const char *const patterns[] = { "/v1", RUN, SESSION, "/v1/sweeps/{id}" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct reply r = good(patterns[i]);
		const char *key;
		json_t *link;

		json_object_foreach(reply_at(&r, "/links"), key, link)
		{
			struct reply one =
				world_ask(&w, "PUT", json_string_value(link), "{}", NULL);

			cr_assert_eq(one.status, 405, "%s, %s: %d", patterns[i], key, one.status);
			if (strstr(one.headers, "GET") && strcmp(key, "events") != 0) {
				reply_release(&one);
				one = world_ask(&w, "GET", json_string_value(link), NULL, NULL);
				cr_assert_eq(one.status, 200, "%s, %s: %d", patterns[i], key,
					     one.status);
			}
			reply_release(&one);
			n++;
		}
		reply_release(&r);
	}
	cr_assert_gt(n, 20);
}

/* ---- formats ---- */

Test(shapes, the_format_is_named_by_accept_too)
{
	static const struct {
		const char *accept, *format, *type;
	} cases[] = {
		{ "application/json", "json", "application/json" },
		{ "application/x-ndjson", "ndjson", "application/x-ndjson" },
		{ "text/csv", "csv", "text/csv; charset=utf-8" },
		{ "application/zip", "npz", "application/zip" },
		{ "text/*;q=0.5, application/json;q=0.4", "csv", "text/csv; charset=utf-8" },
		{ "*/*", "json", "application/json" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[WORLD_PATH_MAX], named[WORLD_PATH_MAX + 16], line[128], type[64];
		struct reply a, b;

		world_path(&w, RUN "/spikes", path);
		(void)snprintf(named, sizeof(named), "%s&format=%s", path, cases[i].format);
		(void)snprintf(line, sizeof(line), "Accept: %s", cases[i].accept);
		a = world_ask(&w, "GET", path, NULL, line);
		b = world_ask(&w, "GET", named, NULL, NULL);
		cr_assert_eq(a.status, 200, "%s: %s", line, a.body);
		cr_assert(reply_header(&a, "Content-Type", type, sizeof(type)));
		cr_assert_str_eq(type, cases[i].type, "%s", line);
		cr_assert_eq(a.len, b.len, "%s", line);
		cr_assert_arr_eq(a.body, b.body, a.len, "%s", line);
		reply_release(&a);
		reply_release(&b);
	}
}

/* Kept with every run unless the spec says otherwise. */
Test(shapes, the_last_weights_are_there_without_a_recorder)
{
	static const char *const records[] = { "{}", "{\"final_weights\":false}" };

	for (size_t i = 0; i < 2; i++) {
		const char *const headers[] = { w.admin, "Prefer: wait=20", NULL };
		char body[1024], path[WORLD_PATH_MAX];
		struct reply r;

		(void)snprintf(
			body, sizeof(body),
			"{\"spec\":{\"duration_ms\":100,\"populations\":{\"in\":{\"model\":"
			"\"spike_generator\",\"size\":1,\"params\":{\"spike_times\":[10,30]}},"
			"\"out\":{\"model\":\"spike_generator\",\"size\":1,\"params\":{"
			"\"spike_times\":[15]}}},\"projections\":{\"learn\":{\"source\":\"in\","
			"\"target\":\"out\",\"connect\":{\"rule\":\"one_to_one\"},\"synapse\":{"
			"\"model\":\"stdp_pair\",\"weight\":0.5}}},\"record\":%s}}",
			records[i]);
		r = harness_ask(&w.h, "POST", "/v1/runs", body, headers);
		cr_assert_eq(r.status, 201, "%s", r.body);
		(void)snprintf(path, sizeof(path), "/v1/runs/%s/weights?projection=learn",
			       reply_text(&r, "/id"));
		reply_release(&r);
		r = world_ask(&w, "GET", path, NULL, NULL);
		cr_assert_eq(r.status, i ? 409 : 200, "%s", r.body);
		if (i) {
			cr_assert_str_eq(reply_text(&r, "/code"), "not-recorded");
		} else {
			cr_assert_eq(reply_number(&r, "/at_ms"), 100.0);
			cr_assert_neq(reply_number(&r, "/weight/0"), 0.5);
		}
		reply_release(&r);
	}
}

/* ---- results do not change ---- */

Test(shapes, a_result_keeps_its_etag_whatever_is_done_to_its_run)
{
	static const char *const views[] = { "/spikes", "/weights", "/states/{variable}",
					     "/artifacts/{name}" };
	char before[4][128], path[WORLD_PATH_MAX], pattern[64], after[128];
	struct reply r;

	for (int later = 0; later < 2; later++) {
		for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
			(void)snprintf(pattern, sizeof(pattern), "%s%s", RUN, views[i]);
			r = good(pattern);
			cr_assert(reply_header(&r, "ETag", later ? after : before[i], 128));
			if (later)
				cr_assert_str_eq(after, before[i], "%s", views[i]);
			reply_release(&r);
		}
		world_path(&w, RUN, path);
		r = world_ask(&w, "PATCH", path, "{\"name\":\"other\",\"tags\":[\"x\"]}", NULL);
		cr_assert_eq(r.status, 200, "%s", r.body);
		reply_release(&r);
		cr_assert_eq(harness_stop(&w.h), 0);
		harness_again(&w.h, NULL);
	}
}
