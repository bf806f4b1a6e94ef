/* test_hooks - webhooks: signed, tried again, never to where they must not go, not lost, in nobody's way. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/crypt.h"
#include "tests/e2e/harness.h"
#include "tests/e2e/receiver.h"
#include "tests/e2e/specs.h"

static struct harness h;
static struct receiver to;
static char text[RECEIVER_TEXT];

static const char *const options[] = { "--webhook-private",
				       "--webhook-retry-s",
				       "0.05",
				       "--webhook-attempts",
				       "3",
				       "--webhook-timeout-s",
				       "60",
				       "--session-idle-s",
				       "100",
				       NULL };

static void setup(void)
{
	harness_new(&h, options);
	receiver_new(&to);
}

static void teardown(void)
{
	harness_free(&h);
	receiver_free(&to);
}

TestSuite(hooks, .init = setup, .fini = teardown, .timeout = 60);

/* A webhook to a path of the receiver; its id, and its secret if asked for. */
static void add(const char *path, const char *more, char id[64], char secret[128])
{
	char body[512];
	struct reply r;

	(void)snprintf(body, sizeof(body), "{\"url\":\"http://127.0.0.1:%d%s\"%s}", to.port, path,
		       more);
	r = harness_ask(&h, "POST", "/v1/webhooks", body, NULL);
	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(id, 64, "%s", reply_text(&r, "/id"));
	if (secret)
		(void)snprintf(secret, 128, "%s", reply_text(&r, "/secret"));
	cr_assert_eq(strncmp(reply_text(&r, "/secret"), "whsec_", 6), 0);
	reply_release(&r);
}

static struct reply deliveries(const char *id, const char *query)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "/v1/webhooks/%s/deliveries%s", id, query);
	return harness_get(&h, path);
}

/* Until a webhook has n deliveries that are over; the list of all. */
static struct reply over(const char *id, size_t n)
{
	for (int i = 0; i < 2000; i++) {
		struct reply r = deliveries(id, "");
		size_t ended = 0;

		for (size_t k = 0; k < json_array_size(reply_at(&r, "/items")); k++)
			ended +=
				strcmp(json_string_value(json_object_get(
					       json_array_get(reply_at(&r, "/items"), k), "state")),
				       "pending") != 0;
		if (ended >= n)
			return r;
		reply_release(&r);
		(void)receiver_wait(&to, "/nowhere", 0, text, 0.02);
	}
	cr_assert_fail("no %zu deliveries", n);
	return (struct reply){ 0 };
}

static int status(const char *method, const char *path, const char *body)
{
	struct reply r = harness_ask(&h, method, path, body, NULL);
	int code = r.status;

	reply_release(&r);
	return code;
}

Test(hooks, the_end_of_a_run_is_told_and_signed)
{
	char hook[64], secret[128], run[64], signature[200], signed_text[RECEIVER_TEXT + 32],
		hex[65], event[64];
	json_t *body;
	struct reply r;

	add("/ok", ",\"events\":[\"run.*\"],\"name\":\"mine\"", hook, secret);
	harness_run(&h, SPECS_FAST, run);
	cr_assert(receiver_wait(&to, "/ok", 0, text, 30.0));
	body = json_loads(receiver_body(text), 0, NULL);
	cr_assert_str_eq(json_string_value(json_object_get(body, "event")), "run.succeeded");
	body = json_object_get(body, "run");
	cr_assert_str_eq(json_string_value(json_object_get(body, "id")), run);
	cr_assert_str_eq(json_string_value(json_object_get(body, "state")), "succeeded");
	cr_assert_eq(strlen(json_string_value(json_object_get(body, "digest"))), 16);
	cr_assert(receiver_header(text, "Stdpd-Event", event, sizeof(event)));
	cr_assert_str_eq(event, "run.succeeded");
	cr_assert(receiver_header(text, "Stdpd-Signature", signature, sizeof(signature)));
	cr_assert_eq(strncmp(signature, "t=", 2), 0);
	(void)snprintf(signed_text, sizeof(signed_text), "%.*s.%s",
		       (int)strcspn(signature + 2, ","), signature + 2, receiver_body(text));
	cr_assert(crypt_hmac_sha256(secret, strlen(secret), signed_text, strlen(signed_text), hex));
	cr_assert_str_eq(strstr(signature, ",v1=") + 4, hex);
	r = over(hook, 1);
	cr_assert_str_eq(reply_text(&r, "/items/0/state"), "delivered");
	cr_assert_eq(reply_number(&r, "/items/0/status_code"), 200);
	cr_assert_eq(reply_number(&r, "/items/0/attempts"), 1);
	cr_assert_str_eq(reply_text(&r, "/items/0/body/run/id"), run);
	reply_release(&r);
	r = harness_get(&h, "/v1/webhooks");
	cr_assert_str_eq(reply_text(&r, "/items/0/name"), "mine");
	cr_assert_null(strstr(r.body, secret));
	reply_release(&r);
}

Test(hooks, a_failed_attempt_is_made_again_until_it_succeeds)
{
	char hook[64], first[64], last[64], attempt[8];
	struct reply r;

	add("/later", "", hook, NULL);
	harness_run(&h, SPECS_FAST, first);
	cr_assert(receiver_wait(&to, "/later", 0, text, 30.0));
	cr_assert(receiver_header(text, "Stdpd-Delivery", first, sizeof(first)));
	cr_assert(receiver_wait(&to, "/later", 2, text, 30.0));
	cr_assert(receiver_header(text, "Stdpd-Delivery", last, sizeof(last)));
	cr_assert(receiver_header(text, "Stdpd-Attempt", attempt, sizeof(attempt)));
	cr_assert_str_eq(first, last);
	cr_assert_str_eq(attempt, "3");
	r = over(hook, 1);
	cr_assert_str_eq(reply_text(&r, "/items/0/state"), "delivered");
	cr_assert_eq(reply_number(&r, "/items/0/attempts"), 3);
	cr_assert_str_eq(reply_text(&r, "/items/0/id"), last);
	reply_release(&r);
}

Test(hooks, what_never_succeeds_is_given_up_and_says_so)
{
	char hook[64], moved[64], endless[64], run[64];
	struct reply r;

	add("/never", "", hook, NULL);
	add("/moved", "", moved, NULL);
	add("/endless", "", endless, NULL);
	harness_run(&h, SPECS_FAST, run);
	r = over(hook, 1);
	cr_assert_str_eq(reply_text(&r, "/items/0/state"), "failed");
	cr_assert_eq(reply_number(&r, "/items/0/status_code"), 500);
	cr_assert_eq(reply_number(&r, "/items/0/attempts"), 3);
	cr_assert_not_null(strstr(reply_text(&r, "/items/0/error"), "given up after 3"));
	cr_assert(json_is_null(reply_at(&r, "/items/0/next_attempt_at")));
	reply_release(&r);
	cr_assert_eq(receiver_count(&to, "/never"), 3);
	r = over(moved, 1);
	cr_assert_str_eq(reply_text(&r, "/items/0/state"), "failed");
	cr_assert_eq(reply_number(&r, "/items/0/status_code"), 302);
	cr_assert_not_null(strstr(reply_text(&r, "/items/0/error"), "redirects"));
	reply_release(&r);
	cr_assert_eq(receiver_count(&to, "/ok"), 0);
	r = over(endless, 1);
	cr_assert_str_eq(reply_text(&r, "/items/0/state"), "delivered");
	reply_release(&r);
}

Test(hooks, one_that_says_nothing_is_in_nobodys_way)
{
	char hook[64], good[64], run[64];
	struct reply r;

	add("/silent", "", hook, NULL);
	add("/ok", "", good, NULL);
	for (int i = 0; i < 5; i++) {
		harness_run(&h, SPECS_FAST, run);
		r = harness_wait(&h, run, 30.0);
		cr_assert_str_eq(reply_text(&r, "/state"), "succeeded");
		reply_release(&r);
	}
	r = over(good, 5);
	reply_release(&r);
	r = deliveries(hook, "?state=pending");
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 5);
	reply_release(&r);
	cr_assert_eq(harness_stop(&h), 0);
}

Test(hooks, a_server_killed_before_the_delivery_makes_it_after_its_restart)
{
	char hook[64], run[64], first[64], again[64];
	struct reply r;

	add("/silent", "", hook, NULL);
	harness_run(&h, SPECS_FAST, run);
	cr_assert(receiver_wait(&to, "/silent", 0, text, 30.0));
	cr_assert(receiver_header(text, "Stdpd-Delivery", first, sizeof(first)));
	harness_kill(&h);
	receiver_speak(&to);
	harness_again(&h, options);
	cr_assert(receiver_wait(&to, "/silent", 1, text, 30.0));
	cr_assert(receiver_header(text, "Stdpd-Delivery", again, sizeof(again)));
	cr_assert_str_eq(first, again);
	cr_assert_not_null(strstr(receiver_body(text), run));
	r = over(hook, 1);
	cr_assert_str_eq(reply_text(&r, "/items/0/state"), "delivered");
	cr_assert_eq(reply_number(&r, "/items/0/attempts"), 1);
	reply_release(&r);
}

Test(hooks, private_addresses_are_refused_where_they_are_connected_to)
{
	static const char *const refused[] = {
		"http://127.0.0.1/x",
		"http://10.1.2.3/",
		"http://[::1]/",
		"http://169.254.169.254",
		"http://0x7f.1/",
		"http://[::ffff:8.8.8.8]/",
		"http://2130706433/",
		"ftp://example.com/x",
		"http://a:b@example.com/",
		"file:///etc/passwd",
		"http://example.com/#x",
		"example.com",
		"http://",
		"http://[fe80::1%25lo]/",
	};
	char body[256], hook[64];
	struct reply r;

	cr_assert_eq(harness_stop(&h), 0);
	harness_again(&h, NULL);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		(void)snprintf(body, sizeof(body), "{\"url\":\"%s\"}", refused[i]);
		r = harness_ask(&h, "POST", "/v1/webhooks", body, NULL);
		cr_assert_eq(r.status, 422, "%s: %d", refused[i], r.status);
		cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), "/url");
		reply_release(&r);
	}
	/* A name is let through; where it leads to is not. */
	(void)snprintf(body, sizeof(body), "{\"url\":\"http://localhost:%d/ok\"}", to.port);
	r = harness_ask(&h, "POST", "/v1/webhooks", body, NULL);
	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(hook, sizeof(hook), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	(void)snprintf(body, sizeof(body), "/v1/webhooks/%s/test", hook);
	cr_assert_eq(status("POST", body, NULL), 202);
	r = over(hook, 1);
	cr_assert_str_eq(reply_text(&r, "/items/0/state"), "failed");
	cr_assert_eq(reply_number(&r, "/items/0/attempts"), 1);
	cr_assert_not_null(strstr(reply_text(&r, "/items/0/error"), "not public"), "%s", r.body);
	reply_release(&r);
	cr_assert_eq(atomic_load(&to.connections), 0);
}

Test(hooks, sessions_tell_of_their_end)
{
	char hook[64], path[160];
	struct reply r;

	add("/ok", ",\"events\":[\"session.failed\",\"session.deleted\"]", hook, NULL);
	r = harness_ask(&h, "POST", "/v1/sessions", SPECS_FAST, NULL);
	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s", reply_text(&r, "/id"));
	cr_assert_gt(harness_child(reply_text(&r, "/id")), 0);
	cr_assert_eq(kill(harness_child(reply_text(&r, "/id")), SIGKILL), 0);
	reply_release(&r);
	cr_assert(receiver_wait(&to, "/ok", 0, text, 30.0));
	cr_assert_not_null(strstr(receiver_body(text), "\"session.failed\""), "%s", text);
	cr_assert_not_null(strstr(receiver_body(text), "killed by signal 9"), "%s", text);
	cr_assert_eq(status("DELETE", path, NULL), 204);
	cr_assert(receiver_wait(&to, "/ok", 1, text, 30.0));
	cr_assert_not_null(strstr(receiver_body(text), "\"session.deleted\""));
}

Test(hooks, sweeps_tell_of_their_end)
{
	char hook[64];
	struct reply r;

	add("/ok", ",\"events\":[\"sweep.*\"]", hook, NULL);
	r = harness_ask(&h, "POST", "/v1/sweeps",
			"{\"preset\":\"stdp_window\",\"axes\":[{\"path\":\"/params/pairs\","
			"\"values\":[1,2]}]}",
			NULL);
	cr_assert_lt(r.status, 300, "%s", r.body);
	cr_assert(receiver_wait(&to, "/ok", 0, text, 30.0));
	cr_assert_not_null(strstr(receiver_body(text), "\"sweep.finished\""), "%s", text);
	cr_assert_not_null(strstr(receiver_body(text), reply_text(&r, "/id")), "%s", text);
	reply_release(&r);
}

Test(hooks, a_post_that_is_sent_again_makes_one)
{
	static const char *const key[] = { "Idempotency-Key: k", NULL };
	char body[128], path[160];
	struct reply first, again;

	(void)snprintf(body, sizeof(body), "{\"url\":\"http://127.0.0.1:%d/ok\"}", to.port);
	first = harness_ask(&h, "POST", "/v1/webhooks", body, key);
	again = harness_ask(&h, "POST", "/v1/webhooks", body, key);
	cr_assert_eq(again.status, 201);
	cr_assert_str_eq(first.body, again.body, "%s\n%s", first.body, again.body);
	(void)snprintf(path, sizeof(path), "/v1/webhooks/%s/test", reply_text(&first, "/id"));
	reply_release(&first);
	reply_release(&again);
	first = harness_ask(&h, "POST", path, NULL, key + 1);
	cr_assert_eq(first.status, 202);
	reply_release(&first);
	first = harness_get(&h, "/v1/webhooks");
	cr_assert_eq(json_array_size(reply_at(&first, "/items")), 1);
	reply_release(&first);
	cr_assert(receiver_wait(&to, "/ok", 0, text, 30.0));
}

Test(hooks, a_page_token_of_another_list_is_refused)
{
	cr_assert_eq(status("GET", "/v1/webhooks?page_token=w1", NULL), 422); /* of sweeps */
	cr_assert_eq(status("GET", "/v1/sweeps?page_token=h1", NULL), 422);
	cr_assert_eq(status("GET", "/v1/webhooks?page_token=h1&page_size=100000", NULL), 200);
}

Test(hooks, they_are_changed_switched_off_and_deleted)
{
	char hook[64], path[160], run[64];
	struct reply r;

	add("/ok", ",\"events\":[\"run.failed\"]", hook, NULL);
	(void)snprintf(path, sizeof(path), "/v1/webhooks/%s", hook);
	harness_run(&h, SPECS_FAST, run); /* which it does not want to hear of */
	r = harness_wait(&h, run, 30.0);
	reply_release(&r);
	r = harness_ask(&h, "PATCH", path, "{\"events\":[\"*\"],\"active\":false,\"name\":\"b\"}",
			NULL);
	cr_assert_eq(r.status, 200);
	cr_assert_str_eq(reply_text(&r, "/name"), "b");
	cr_assert(json_is_false(reply_at(&r, "/active")));
	reply_release(&r);
	harness_run(&h, SPECS_FAST, run);
	r = harness_wait(&h, run, 30.0);
	reply_release(&r);
	r = deliveries(hook, "");
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 0);
	reply_release(&r);
	r = harness_ask(&h, "PATCH", path, "{}", (const char *const[]){ "If-Match: \"x\"", NULL });
	cr_assert_eq(r.status, 412);
	reply_release(&r);
	cr_assert_eq(status("PATCH", path, "{\"events\":[\"run.exploded\"]}"), 422);
	cr_assert_eq(status("PATCH", path, "{\"secret\":\"x\"}"), 422);
	cr_assert_eq(status("POST", "/v1/webhooks", "{}"), 422);
	cr_assert_eq(status("DELETE", path, NULL), 204);
	cr_assert_eq(status("GET", path, NULL), 404);
	cr_assert_eq(status("DELETE", path, NULL), 404);
	r = deliveries(hook, "");
	cr_assert_eq(r.status, 404);
	reply_release(&r);
}
