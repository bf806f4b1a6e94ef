/* test_run - a run from its creation to its deletion, over HTTP. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

static struct harness h;

static void setup(void)
{
	harness_new(&h, NULL);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(run, .init = setup, .fini = teardown, .timeout = 60);

static struct reply on_run(const char *method, const char *id, const char *tail, const char *body,
			   const char *const *headers)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "/v1/runs/%s%s", id, tail);
	return harness_ask(&h, method, path, body, headers);
}

Test(run, a_run_is_accepted_ends_and_has_all_that_the_contract_names)
{
	static const char *const keys[] = { "/id",
					    "/state",
					    "/name",
					    "/tags",
					    "/created_at",
					    "/started_at",
					    "/finished_at",
					    "/spec_sha256",
					    "/seed",
					    "/digest",
					    "/progress/t_ms",
					    "/progress/duration_ms",
					    "/progress/fraction",
					    "/progress/wall_s",
					    "/progress/real_time_factor",
					    "/progress/eta_s",
					    "/queue_position",
					    "/metrics",
					    "/counts/spikes",
					    "/counts/synaptic_events",
					    "/counts/plastic_updates",
					    "/counts/steps",
					    "/error",
					    "/links/self" };
	struct reply r = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, NULL);
	char id[64], location[128];

	cr_assert_eq(r.status, 202, "%s", r.body);
	cr_assert(reply_header(&r, "Location", location, sizeof(location)));
	(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
	cr_assert_str_eq(location + strlen("/v1/runs/"), id);
	reply_release(&r);
	r = harness_wait(&h, id, 20);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		cr_assert_not_null(reply_at(&r, keys[i]), "%s is missing in %s", keys[i], r.body);
	cr_assert_str_eq(reply_text(&r, "/seed"), "7");
	cr_assert_eq(reply_number(&r, "/progress/t_ms"), 200.0);
	cr_assert_eq(reply_number(&r, "/progress/fraction"), 1.0);
	cr_assert_eq(reply_number(&r, "/counts/steps"), 2000.0);
	cr_assert(json_is_null(reply_at(&r, "/error")));
	reply_release(&r);
}

Test(run, waiting_answers_201_with_the_finished_run)
{
	static const char *const headers[] = { "Prefer: wait=20", NULL };
	struct reply r = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, headers);

	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded");
	reply_release(&r);
	r = harness_get(&h, "/v1/runs");
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 1, "waiting made one run only");
	reply_release(&r);
}

Test(run, waiting_for_what_takes_longer_answers_202)
{
	static const char *const headers[] = { "Prefer: wait=0.3", NULL };
	struct reply r = harness_ask(&h, "POST", "/v1/runs", SPECS_SLOW, headers);

	cr_assert_eq(r.status, 202, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/state"), "running");
	reply_release(&r);
}

Test(run, the_same_spec_has_the_same_hash_and_digest)
{
	char a[64], b[64];
	struct reply ra, rb;

	harness_run(&h, SPECS_FAST, a);
	harness_run(&h, SPECS_FAST, b);
	ra = harness_wait(&h, a, 20);
	rb = harness_wait(&h, b, 20);
	cr_assert_str_neq(a, b);
	cr_assert_str_eq(reply_text(&ra, "/spec_sha256"), reply_text(&rb, "/spec_sha256"));
	cr_assert_str_eq(reply_text(&ra, "/digest"), reply_text(&rb, "/digest"));
	cr_assert_eq(strlen(reply_text(&ra, "/digest")), 16);
	reply_release(&ra);
	reply_release(&rb);
}

Test(run, reuse_gives_the_stored_run_and_a_seed_makes_another)
{
	static const char *const reuse[] = { "Prefer: reuse", NULL };
	char id[64], applied[32];
	struct reply r;

	harness_run(&h, SPECS_FAST, id);
	r = harness_wait(&h, id, 20);
	reply_release(&r);
	r = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, reuse);
	cr_assert_eq(r.status, 201);
	cr_assert_str_eq(reply_text(&r, "/id"), id);
	cr_assert(reply_header(&r, "Preference-Applied", applied, sizeof(applied)));
	reply_release(&r);
	r = harness_ask(&h, "POST", "/v1/runs", "{\"seed\":8,\"spec\":" SPECS_NET("200", "10") "}",
			reuse);
	cr_assert_eq(r.status, 202);
	cr_assert_str_eq(reply_text(&r, "/seed"), "8");
	reply_release(&r);
}

Test(run, an_idempotency_key_makes_one_run)
{
	static const char *const key[] = { "Idempotency-Key: k-1", NULL };
	struct reply a = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, key);
	struct reply b = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, key);
	struct reply c = harness_ask(&h, "POST", "/v1/runs", SPECS_MEDIUM, key);

	cr_assert_eq(a.status, 202);
	cr_assert(b.status == 202 || b.status == 201, "%d", b.status);
	cr_assert_str_eq(reply_text(&a, "/id"), reply_text(&b, "/id"));
	cr_assert_eq(c.status, 422);
	reply_release(&a);
	reply_release(&b);
	reply_release(&c);
}

Test(run, overrides_change_the_spec_and_errors_point_at_them)
{
	struct reply r = harness_ask(
		&h, "POST", "/v1/runs",
		"{\"spec\":" SPECS_NET(
			"200",
			"10") ",\"overrides\":[{\"path\":\"/duration_ms\",\"value\":50},"
			      "{\"path\":\"/populations/cell/params\",\"value\":{\"tau_m\":5}}]}",
		NULL);
	char id[64];

	cr_assert_eq(r.status, 202, "%s", r.body);
	(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	r = on_run("GET", id, "/spec", NULL, NULL);
	cr_assert_eq(reply_number(&r, "/duration_ms"), 50.0);
	cr_assert_eq(reply_number(&r, "/populations/cell/params/tau_m"), 5.0);
	reply_release(&r);
	r = harness_ask(
		&h, "POST", "/v1/runs",
		"{\"spec\":" SPECS_NET(
			"200",
			"10") ",\"overrides\":["
			      "{\"path\":\"/populations/cell/params\",\"value\":{\"tau_m\":-5}}]}",
		NULL);
	cr_assert_eq(r.status, 422);
	cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), "/overrides/0/value/tau_m", "%s",
			 r.body);
	reply_release(&r);
	r = harness_ask(
		&h, "POST", "/v1/runs",
		"{\"spec\":" SPECS_NET(
			"200", "10") ",\"overrides\":[{\"path\":\"/no/such/place\",\"value\":1}]}",
		NULL);
	cr_assert_eq(r.status, 422);
	cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), "/overrides/0/path", "%s", r.body);
	reply_release(&r);
}

Test(run, an_experiment_is_a_spec_too)
{
	static const char *const wait[] = { "Prefer: wait=20", NULL };
	struct reply a = harness_ask(&h, "POST", "/v1/runs",
				     "{\"spec\":{\"experiment\":\"stdp_window\",\"params\":{\"dt_"
				     "ms\":[-10,10]},\"seed\":\"1\"}}",
				     wait);
	struct reply b = harness_ask(
		&h, "POST", "/v1/runs",
		"{\"experiment\":\"stdp_window\",\"params\":{\"dt_ms\":[-10,10]},\"seed\":\"1\"}",
		wait);
	struct reply c = harness_ask(
		&h, "POST", "/v1/runs",
		"{\"spec\":{\"experiment\":\"stdp_window\",\"params\":{\"dt\":1}}}", NULL);

	cr_assert_eq(a.status, 201, "%s", a.body);
	cr_assert_str_eq(reply_text(&a, "/experiment"), "stdp_window");
	cr_assert_str_eq(reply_text(&a, "/spec_sha256"), reply_text(&b, "/spec_sha256"));
	cr_assert_str_eq(reply_text(&a, "/targets/0/name"), "max_rel_error", "%s", a.body);
	cr_assert_eq(reply_number(&a, "/targets/0/high"), 1e-9);
	cr_assert(json_is_true(reply_at(&a, "/targets/0/pass")));
	cr_assert_eq(reply_number(&a, "/score/value"), reply_number(&a, "/targets/0/value"));
	cr_assert_eq(c.status, 422);
	cr_assert_str_eq(reply_text(&c, "/errors/0/pointer"), "/spec/params/dt", "%s", c.body);
	reply_release(&a);
	reply_release(&b);
	reply_release(&c);
}

Test(run, name_tags_and_notes_change_only_from_the_version_seen)
{
	char id[64], etag[64], match[96];
	const char *headers[] = { match, NULL };
	struct reply r;

	harness_run(&h, SPECS_FAST, id);
	r = harness_wait(&h, id, 20);
	cr_assert(reply_header(&r, "ETag", etag, sizeof(etag)));
	reply_release(&r);
	(void)snprintf(match, sizeof(match), "If-None-Match: %s", etag);
	r = on_run("GET", id, "", NULL, headers);
	cr_assert_eq(r.status, 304);
	reply_release(&r);
	(void)snprintf(match, sizeof(match), "If-Match: %s", etag);
	r = on_run("PATCH", id, "",
		   "{\"name\":\"n\",\"tags\":[\"t1\",\"t2\"],\"notes\":\"long \\u00e4\"}", headers);
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/name"), "n");
	cr_assert_str_eq(reply_text(&r, "/tags/1"), "t2");
	cr_assert_str_eq(reply_text(&r, "/notes"), "long \xc3\xa4");
	reply_release(&r);
	r = on_run("PATCH", id, "", "{\"name\":\"late\"}", headers);
	cr_assert_eq(r.status, 412);
	reply_release(&r);
	r = on_run("PATCH", id, "", "{\"state\":\"failed\"}", NULL);
	cr_assert_eq(r.status, 422);
	reply_release(&r);
	r = harness_get(&h, "/v1/runs?tag=t1");
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 1);
	reply_release(&r);
}

/* Wait until it has simulated something: what is cancelled before has no results, not even partial
 * ones. */
static bool has_progress(const char *id)
{
	const struct timespec nap = { 0, 20000000 };

	for (int i = 0; i < 1000; i++) {
		struct reply r = on_run("GET", id, "", NULL, NULL);
		bool some = reply_number(&r, "/progress/t_ms") > 0.0;

		reply_release(&r);
		if (some)
			return true;
		(void)nanosleep(&nap, NULL);
	}
	return false;
}

Test(run, a_cancel_ends_a_running_run_at_once_and_a_finished_one_never)
{
	struct reply r;
	char id[64];

	harness_run(&h, SPECS_SLOW, id);
	cr_assert(has_progress(id));
	r = on_run("DELETE", id, "", NULL, NULL);
	cr_assert_eq(r.status, 409, "a running run is not deleted");
	reply_release(&r);
	r = on_run("POST", id, "/cancel", NULL, NULL);
	cr_assert_eq(r.status, 202, "%s", r.body);
	reply_release(&r);
	cr_assert(harness_state(&h, id, "cancelled", 2));
	r = on_run("POST", id, "/cancel", "{}", NULL);
	cr_assert_eq(r.status, 200);
	cr_assert_str_eq(reply_text(&r, "/state"), "cancelled");
	cr_assert(json_is_true(reply_at(&r, "/partial")), "%s", r.body);
	reply_release(&r);
	harness_run(&h, SPECS_FAST, id);
	r = harness_wait(&h, id, 20);
	reply_release(&r);
	r = on_run("POST", id, "/cancel", NULL, NULL);
	cr_assert_eq(r.status, 409);
	reply_release(&r);
}

Test(run, a_finished_run_is_deleted_with_all_that_was_its)
{
	struct reply r;
	char id[64];

	harness_run(&h, SPECS_FAST, id);
	r = harness_wait(&h, id, 20);
	reply_release(&r);
	r = on_run("DELETE", id, "", NULL, NULL);
	cr_assert_eq(r.status, 204);
	reply_release(&r);
	r = on_run("GET", id, "", NULL, NULL);
	cr_assert_eq(r.status, 404);
	reply_release(&r);
	r = on_run("GET", id, "/events", NULL, NULL);
	cr_assert_eq(r.status, 404);
	reply_release(&r);
}

Test(run, a_rerun_is_a_new_run_of_the_same_spec)
{
	static const char *const wait[] = { "Prefer: wait=20", NULL };
	struct reply first, again;
	char id[64];

	harness_run(&h, SPECS_FAST, id);
	first = harness_wait(&h, id, 20);
	again = on_run("POST", id, "/rerun", NULL, wait);
	cr_assert_eq(again.status, 201, "%s", again.body);
	cr_assert_str_neq(reply_text(&again, "/id"), id);
	cr_assert_str_eq(reply_text(&again, "/digest"), reply_text(&first, "/digest"));
	reply_release(&first);
	reply_release(&again);
}

Test(run, lists_come_in_pages_with_a_link)
{
	char id[64], link[512], path[512];
	struct reply r;

	for (int i = 0; i < 5; i++)
		harness_run(&h, "{\"name\":\"of five\",\"spec\":" SPECS_NET("10", "2") "}", id);
	r = harness_get(&h, "/v1/runs?page_size=2&q=five&total=true");
	cr_assert_eq(r.status, 200);
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 2);
	cr_assert_eq(reply_number(&r, "/total"), 5.0);
	cr_assert_str_eq(reply_text(&r, "/items/0/id"), id, "newest first");
	cr_assert(reply_header(&r, "Link", link, sizeof(link)));
	cr_assert_not_null(strstr(link, "rel=\"next\""));
	(void)snprintf(path, sizeof(path), "%.*s", (int)strcspn(link + 1, ">"), link + 1);
	reply_release(&r);
	r = harness_get(&h, path);
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 2);
	(void)snprintf(path, sizeof(path), "/v1/runs?page_size=2&q=five&page_token=%s",
		       reply_text(&r, "/next_page_token"));
	reply_release(&r);
	r = harness_get(&h, path);
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 1);
	cr_assert(json_is_null(reply_at(&r, "/next_page_token")));
	reply_release(&r);
	r = harness_get(&h, "/v1/runs?q=five&sort=created_at");
	cr_assert_str_eq(reply_text(&r, "/items/4/id"), id, "oldest first");
	cr_assert_null(reply_at(&r, "/total"), "only when asked");
	(void)snprintf(path, sizeof(path), "/v1/runs?q=five&created_after=%s",
		       reply_text(&r, "/items/0/created_at"));
	cr_assert_geq(strlen(reply_text(&r, "/items/0/created_at")), 20);
	reply_release(&r);
	r = harness_get(&h, path);
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert_geq(json_array_size(reply_at(&r, "/items")), 1);
	reply_release(&r);
	r = harness_get(&h, "/v1/runs?q=five&created_after=2999-01-01T00:00:00Z");
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 0);
	reply_release(&r);
	r = harness_get(&h, "/v1/runs?page_size=9999&state=failed");
	cr_assert_eq(r.status, 200, "more than 500 is taken as 500");
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 0);
	reply_release(&r);
}

Test(run, a_long_poll_answers_with_the_next_version)
{
	struct reply r;
	char id[64], path[128];

	harness_run(&h, SPECS_SLOW, id);
	cr_assert(harness_state(&h, id, "running", 20));
	(void)snprintf(path, sizeof(path), "?wait=20&since_version=1");
	r = on_run("GET", id, path, NULL, NULL);
	cr_assert_eq(reply_number(&r, "/version"), 2.0);
	reply_release(&r);
	r = on_run("GET", id, "?wait=0.3&since_version=2", NULL, NULL);
	cr_assert_eq(r.status, 200);
	cr_assert_eq(reply_number(&r, "/version"), 2.0, "nothing new within the wait");
	cr_assert_gt(reply_number(&r, "/progress/t_ms"), 0.0, "but progress: %s", r.body);
	cr_assert_eq(reply_number(&r, "/progress/duration_ms"), 50000000.0);
	reply_release(&r);
}

/* Each by itself a number that tells something, together no contradiction. */
Test(run, progress_says_how_fast_and_how_long_still)
{
	double t, duration, wall, factor;
	struct reply r;
	char id[64];

	harness_run(&h, SPECS_SLOW, id);
	cr_assert(has_progress(id));
	r = on_run("GET", id, "", NULL, NULL);
	t = reply_number(&r, "/progress/t_ms");
	duration = reply_number(&r, "/progress/duration_ms");
	wall = reply_number(&r, "/progress/wall_s");
	factor = reply_number(&r, "/progress/real_time_factor");
	cr_assert(t > 0.0 && t < duration && wall > 0.0, "%s", r.body);
	cr_assert_float_eq(reply_number(&r, "/progress/fraction"), t / duration, 1e-9);
	cr_assert_float_eq(factor, wall / (t / 1000.0), 1e-9 * factor, "%s", r.body);
	cr_assert_float_eq(reply_number(&r, "/progress/eta_s"), factor * (duration - t) / 1000.0,
			   1e-9 * factor * duration, "%s", r.body);
	reply_release(&r);
}

Test(run, what_a_failed_run_left_says_partial)
{
	struct reply r;
	char id[64];

	harness_run(&h,
		    "{\"spec\":{\"duration_ms\":1000,\"populations\":{\"a\":{\"model\":"
		    "\"poisson_generator\",\"size\":100,\"params\":{\"rate\":500}}},\"record\":{"
		    "\"spikes\":[\"a\"]},\"limits\":{\"max_spikes\":1000,\"max_rate_hz\":10}}}",
		    id);
	r = harness_wait(&h, id, 20);
	/* not by the rate: generators are not watched */
	cr_assert_str_eq(reply_text(&r, "/state"), "failed", "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/error/code"), "limit-exceeded", "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/error/pointer"), "/limits/max_spikes", "%s", r.body);
	cr_assert(json_is_true(reply_at(&r, "/partial")));
	reply_release(&r);
	r = on_run("GET", id, "/spikes?population=a", NULL, NULL);
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert_eq(reply_number(&r, "/count"), 1000.0);
	cr_assert(json_is_true(reply_at(&r, "/partial")));
	reply_release(&r);
}

Test(run, events_are_told_in_order_and_resumed_where_they_broke_off)
{
	static const char *const from_two[] = { "Last-Event-ID: 2", NULL };
	static const char *const from_end[] = { "Last-Event-ID: 1000", NULL };
	const char *queued, *running, *succeeded;
	struct reply r;
	char id[64], type[64];

	harness_run(&h, SPECS_FAST, id);
	r = on_run("GET", id, "/events", NULL, NULL); /* ends with the run */
	cr_assert_eq(r.status, 200);
	cr_assert(reply_header(&r, "Content-Type", type, sizeof(type)));
	cr_assert_str_eq(type, "text/event-stream");
	queued = strstr(r.body, "\"queued\"");
	running = strstr(r.body, "\"running\"");
	succeeded = strstr(r.body, "\"succeeded\"");
	cr_assert(queued && running && succeeded && queued < running && running < succeeded, "%s",
		  r.body);
	cr_assert_not_null(strstr(r.body, "{\"state\":\"queued\",\"version\":1,\"at\":\"20"), "%s",
			   r.body);
	reply_release(&r);
	r = on_run("GET", id, "/events", NULL, from_two);
	cr_assert_eq(r.status, 200);
	cr_assert_null(strstr(r.body, "\"running\""));
	cr_assert_not_null(strstr(r.body, "id: 3\nevent: state\ndata: {"), "%s", r.body);
	reply_release(&r);
	r = on_run("GET", id, "/events", NULL, from_end);
	cr_assert_eq(r.status, 204);
	reply_release(&r);
}

static void *cancel_soon(void *id)
{
	const struct timespec nap = { 1, 0 };
	struct reply r;

	(void)nanosleep(&nap, NULL);
	r = on_run("POST", id, "/cancel", NULL, NULL);
	reply_release(&r);
	return NULL;
}

Test(run, the_stream_of_a_long_run_carries_progress_until_it_is_cancelled)
{
	pthread_t other;
	struct reply r;
	char id[64];

	harness_run(&h, SPECS_SLOW, id);
	cr_assert(harness_state(&h, id, "running", 20));
	cr_assert_eq(pthread_create(&other, NULL, cancel_soon, id), 0);
	r = on_run("GET", id, "/events", NULL, NULL);
	(void)pthread_join(other, NULL);
	cr_assert_not_null(strstr(r.body, "event: progress\ndata: {\"t_ms\":"), "%s", r.body);
	cr_assert_not_null(strstr(r.body, "\"cancelling\""), "%s", r.body);
	cr_assert_not_null(strstr(r.body, "\"cancelled\""), "%s", r.body);
	reply_release(&r);
}

Test(run, provenance_and_log_tell_what_made_it)
{
	struct reply r;
	char id[64];

	harness_run(&h, SPECS_FAST, id);
	r = harness_wait(&h, id, 20);
	reply_release(&r);
	r = on_run("GET", id, "/provenance", NULL, NULL);
	cr_assert_eq(r.status, 200);
	cr_assert_str_neq(reply_text(&r, "/engine_version"), "");
	cr_assert_str_neq(reply_text(&r, "/compiler"), "");
	cr_assert_str_eq(reply_text(&r, "/seed"), "7");
	cr_assert_eq(strlen(reply_text(&r, "/spec_sha256")), 64);
	reply_release(&r);
	r = on_run("GET", id, "/log", NULL, NULL);
	cr_assert_eq(r.status, 200);
	cr_assert_not_null(strstr(r.body, "succeeded"));
	reply_release(&r);
}
