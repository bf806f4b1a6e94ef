/* test_errors - what is refused, how, and that the server stays well. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

static struct harness h;

static void setup(void)
{
	static const char *const args[] = { "--body-max-mb", "1", "--max-neurons", "1000", NULL };

	harness_new(&h, args);
}

static void teardown(void)
{
	struct reply r = harness_get(&h, "/livez");

	cr_assert_eq(r.status, 200, "the server does not live any more");
	reply_release(&r);
	cr_assert_eq(harness_stop(&h), 0);
	harness_free(&h);
}

TestSuite(errors, .init = setup, .fini = teardown, .timeout = 60);

/* A problem of this status with at least one error. */
static struct reply refused(const char *method, const char *path, const char *body,
			    const char *const *headers, int status)
{
	struct reply r = harness_ask(&h, method, path, body, headers);
	char type[64];

	cr_assert_eq(r.status, status, "%s %s: %d, not %d: %s", method, path, r.status, status,
		     r.body);
	cr_assert(reply_header(&r, "Content-Type", type, sizeof(type)));
	cr_assert_str_eq(type, "application/problem+json");
	cr_assert_eq(reply_number(&r, "/status"), (double)status);
	cr_assert_str_neq(reply_text(&r, "/type"), "");
	cr_assert_str_neq(reply_text(&r, "/title"), "");
	cr_assert_str_neq(reply_text(&r, "/detail"), "");
	cr_assert_str_neq(reply_text(&r, "/instance"), "");
	return r;
}

Test(errors, malformed_json_is_400_with_line_and_column)
{
	struct reply r = refused("POST", "/v1/runs", "{\"spec\":\n  {oops}}", NULL, 400);

	cr_assert_eq(reply_number(&r, "/errors/0/line"), 2.0, "%s", r.body);
	cr_assert_gt(reply_number(&r, "/errors/0/column"), 0.0);
	reply_release(&r);
	r = refused("POST", "/v1/runs", "", NULL, 400);
	reply_release(&r);
	r = refused("POST", "/v1/runs", "{\"a\":1,\"a\":2}", NULL, 400);
	reply_release(&r);
	r = refused("POST", "/v1/runs", "{\"spec\":{}}garbage", NULL, 400);
	reply_release(&r);
	r = refused("POST", "/v1/runs", "\"\xff\xfe\"", NULL, 400);
	reply_release(&r);
}

Test(errors, deep_nesting_is_refused_not_followed)
{
	enum { DEPTH = 100000 };
	char *deep = malloc(DEPTH + 1);
	struct reply r;

	memset(deep, '[', DEPTH);
	deep[DEPTH] = '\0';
	r = refused("POST", "/v1/runs", deep, NULL, 400);
	reply_release(&r);
	free(deep);
}

/* As deep as GET /v1 says is read, and found to be no request; one more is not. */
Test(errors, json_is_as_deep_as_the_limit_says)
{
	struct reply v1 = harness_get(&h, "/v1"), r;
	size_t depth = (size_t)reply_number(&v1, "/limits/json_depth");

	cr_assert(depth >= 100 && depth < 100000, "%zu", depth);
	for (size_t n = depth; n <= depth + 1; n++) {
		char *deep = malloc(2 * n + 1);

		memset(deep, '[', n);
		memset(deep + n, ']', n);
		deep[2 * n] = '\0';
		r = refused("POST", "/v1/runs", deep, NULL, n > depth ? 400 : 422);
		reply_release(&r);
		free(deep);
	}
	reply_release(&v1);
}

Test(errors, a_wrong_spec_is_422_with_all_its_errors_at_their_places)
{
	struct reply r = refused("POST", "/v1/runs",
				 "{\"nonsense\":1,\"tags\":\"x\",\"spec\":{\"duration_ms\":-1,"
				 "\"populations\":{\"c\":{\"model\":\"no_such\","
				 "\"size\":1}}}}",
				 NULL, 422);
	const char *want[] = { "/nonsense", "/tags", "/spec/duration_ms",
			       "/spec/populations/c/model" };

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		bool found = false;

		for (size_t k = 0; k < json_array_size(reply_at(&r, "/errors")); k++) {
			json_t *e = json_array_get(reply_at(&r, "/errors"), k);

			found = found || strcmp(json_string_value(json_object_get(e, "pointer")),
						want[i]) == 0;
			cr_assert_not_null(json_object_get(e, "code"));
			cr_assert_not_null(json_object_get(e, "detail"));
		}
		cr_assert(found, "no error at %s: %s", want[i], r.body);
	}
	reply_release(&r);
}

Test(errors, what_an_experiments_rule_refuses_is_told_before_it_runs)
{
	struct reply r = refused("POST", "/v1/runs",
				 "{\"spec\": {\"experiment\": \"stdp_window\", \"params\": "
				 "{\"rule_params\": {\"tau_plus\": -3, \"A_pls\": 1}}}}",
				 NULL, 422);

	cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), "/spec/params/rule_params/tau_plus",
			 "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/errors/1/pointer"), "/spec/params/rule_params/A_pls");
	reply_release(&r);
	r = refused("POST", "/v1/runs",
		    "{\"experiment\": \"stdp_window\", \"params\": {\"rule\": \"nope\"}}", NULL,
		    422);
	cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), "/params/rule", "%s", r.body);
	reply_release(&r);
}

Test(errors, a_body_must_say_one_thing)
{
	static const char *const bodies[] = {
		"{}",
		"[]",
		"{\"spec\":7}",
		"{\"spec\":{},\"preset\":\"x\"}",
		"{\"preset\":\"no such preset\"}",
		"{\"experiment\":\"no such experiment\"}",
		"{\"experiment\":7}",
		"{\"spec\":" SPECS_NET("10", "2") ",\"seed\":-1}",
		"{\"spec\":" SPECS_NET("10", "2") ",\"seed\":\"99999999999999999999\"}",
		"{\"spec\":" SPECS_NET("10", "2") ",\"threads\":0}",
		"{\"spec\":" SPECS_NET("10", "2") ",\"threads\":100000}",
		"{\"spec\":" SPECS_NET("10", "2") ",\"tags\":[\"\"]}",
		"{\"spec\":" SPECS_NET("10", "2") ",\"keep_days\":1.5}",
		"{\"spec\":" SPECS_NET("10", "2") ",\"overrides\":{}}",
		"{\"spec\":" SPECS_NET("10", "2") ",\"params\":{}}",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct reply r = refused("POST", "/v1/runs", bodies[i], NULL, 422);

		cr_assert_geq(json_array_size(reply_at(&r, "/errors")), 1, "%s", bodies[i]);
		reply_release(&r);
	}
}

Test(errors, a_spec_over_the_servers_limit_is_422)
{
	struct reply r =
		refused("POST", "/v1/runs", "{\"spec\":" SPECS_NET("10", "2000") "}", NULL, 422);

	cr_assert_str_eq(reply_text(&r, "/errors/0/code"), "limit-exceeded", "%s", r.body);
	reply_release(&r);
}

Test(errors, only_json_is_read)
{
	static const char *const form[] = { "Content-Type: application/x-www-form-urlencoded",
					    NULL };
	static const char *const text[] = { "Content-Type: text/plain", NULL };
	static const char *const utf8[] = { "Content-Type: application/json; charset=utf-8", NULL };
	struct reply r = refused("POST", "/v1/runs", SPECS_FAST, form, 415);

	reply_release(&r);
	r = refused("POST", "/v1/runs", SPECS_FAST, text, 415);
	reply_release(&r);
	r = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, utf8);
	cr_assert_eq(r.status, 202);
	reply_release(&r);
}

Test(errors, too_large_a_body_is_413_with_and_without_a_length)
{
	enum { SIZE = 3 << 20, TIMES = 20 };
	static const char *const chunked[] = { "Transfer-Encoding: chunked", NULL };
	char *big = malloc(SIZE + 1);

	memset(big, ' ', SIZE);
	big[SIZE] = '\0';
	for (int i = 0; i < TIMES; i++) { /* an answer that is lost is lost now and then */
		struct reply r = refused("POST", "/v1/runs", big, i % 2 ? chunked : NULL, 413);

		cr_assert_str_eq(reply_text(&r, "/detail"),
				 "expected a body of at most 1048576 bytes, found 3145728");
		reply_release(&r);
	}
	free(big);
}

Test(errors, who_asks_before_sending_too_much_is_told_at_once)
{
	static const char *const requests[] = {
		"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n",
		"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: 1000000000000\r\n\r\n",
	};
	char answer[4096];

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		harness_raw(&h, requests[i], strlen(requests[i]), answer, sizeof(answer));
		cr_assert_eq(strncmp(answer, "HTTP/1.1 413", 12), 0, "%s\n%s", requests[i], answer);
	}
}

Test(errors, unknown_addresses_methods_and_parameters_are_named)
{
	struct reply r = refused("GET", "/v1/nothing", NULL, NULL, 404);
	char allow[128];

	reply_release(&r);
	r = refused("GET", "/../../etc/passwd", NULL, NULL, 404);
	reply_release(&r);
	r = refused("GET", "/v1/runs/00000000000000000000000000000000", NULL, NULL, 404);
	reply_release(&r);
	r = refused("GET", "/v1/runs/%27%20OR%201=1%20--", NULL, NULL, 404);
	reply_release(&r);
	r = refused("PUT", "/v1/runs", "{}", NULL, 405);
	cr_assert(reply_header(&r, "Allow", allow, sizeof(allow)));
	cr_assert_str_eq(allow, "POST, GET, HEAD");
	reply_release(&r);
	r = refused("GET", "/v1/runs?stat=failed", NULL, NULL, 422);
	cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), "?stat");
	reply_release(&r);
}

Test(errors, wrong_filters_and_cursors_are_422)
{
	static const char *const queries[] = { "state=done",	     "sort=color",
					       "page_size=0",	     "page_size=many",
					       "page_token=abc",     "page_token=d00001",
					       "page_token=u0000ff", "created_after=yesterday",
					       "page_token=d%00",    "page_token=%ff%fe" };
	char path[128];

	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		struct reply r;

		(void)snprintf(path, sizeof(path), "/v1/runs?%s", queries[i]);
		r = refused("GET", path, NULL, NULL, 422);
		reply_release(&r);
	}
}

Test(errors, other_sites_are_kept_out)
{
	static const char *const host[] = { "Host: evil.example", NULL };
	static const char *const origin[] = { "Origin: http://evil.example", NULL };
	static const char *const null_origin[] = { "Origin: null", NULL };
	char own[128];
	const char *own_origin[] = { own, NULL };
	struct reply r = refused("GET", "/v1", NULL, host, 403);

	reply_release(&r);
	r = refused("POST", "/v1/runs", SPECS_FAST, origin, 403);
	reply_release(&r);
	r = refused("POST", "/v1/runs", SPECS_FAST, null_origin, 403);
	reply_release(&r);
	(void)snprintf(own, sizeof(own), "Origin: %s", h.url);
	r = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, own_origin);
	cr_assert_eq(r.status, 202);
	reply_release(&r);
}

Test(errors, what_two_servers_might_read_differently_is_400)
{
	static const char *const requests[] = {
		"GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: "
		"close\r\n\r\n",
		"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n",
		"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: "
		"3\r\nConnection: close\r\n\r\n{}",
		"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
		"2\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
		"0\r\n\r\n",
		"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\nConnection: "
		"close\r\n\r\n{}",
		"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, "
		"chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: localhost\r\n:\r\nGET /readyz HTTP/1.1\r\nHost: "
		"localhost\r\n\r\n",
		"GET /livez HTTP/1.1\nHost: localhost\n:\nContent-Length: 3\n\n",
		"GET /livez HTTP/1.1\r\nHost: localhost\r\n: x\r\nContent-Length: 3\r\n\r\n",
		"GET /livez HTTP/1.1\r\n: x\r\nHost: localhost\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\nConnection: close\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
	};
	char answer[4096];

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		harness_raw(&h, requests[i], strlen(requests[i]), answer, sizeof(answer));
		cr_assert_eq(strncmp(answer, "HTTP/1.1 400", 12), 0, "%s\n%s", requests[i], answer);
		cr_assert_null(strstr(answer, " 200 OK"), "%s\n%s", requests[i], answer);
	}
}

/* Bare line feeds, spaces around values, values that are empty, and a head that is long. */
Test(errors, a_head_that_all_read_alike_is_taken)
{
	static const char *const heads[] = {
		"GET /livez HTTP/1.1\nHost: localhost\nConnection: close\n\n",
		"GET /livez HTTP/1.1\r\nHost:localhost\r\nX:\r\nConnection:   close  \r\n\r\n",
		"\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX:\r\n\r\n",
	};
	char answer[4096], longer[20000] = "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ";
	size_t at = strlen(longer);

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		harness_raw(&h, heads[i], strlen(heads[i]), answer, sizeof(answer));
		cr_assert_not_null(strstr(answer, " 200 OK"), "%s\n%s", heads[i], answer);
	}
	memset(longer + at, 'x', sizeof(longer) - at - 40);
	(void)strcat(longer, "\r\nY: y\r\nConnection: close\r\n\r\n");
	harness_raw(&h, longer, strlen(longer), answer, sizeof(answer));
	cr_assert_not_null(strstr(answer, " 200 OK"), "%s", answer);
}

Test(errors, a_client_that_goes_away_while_it_sends_does_no_harm)
{
	static const char part[] =
		"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
		"Content-Length: 100000\r\n\r\n{\"spec\":";
	char answer[16];
	struct reply r;

	for (int i = 0; i < 5; i++)
		harness_raw(&h, part, strlen(part), answer, 1); /* closes at once */
	harness_raw(&h, "\x16\x03\x01\x02garbage\r\n\r\n", 15, answer, 1);
	r = harness_get(&h, "/v1/runs");
	cr_assert_eq(r.status, 200);
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 0);
	reply_release(&r);
}

Test(errors, a_bad_idempotency_key_is_refused)
{
	char key[300] = "Idempotency-Key: ";
	const char *headers[] = { key, NULL };
	struct reply r;

	memset(key + 17, 'k', 250);
	r = refused("POST", "/v1/runs", SPECS_FAST, headers, 422);
	reply_release(&r);
}
