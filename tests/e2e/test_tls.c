/* test_tls - HTTPS by options: what is refused at the start, and that waits, streams and long bodies work. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

enum { PATH_SIZE = 128, LONG_BODY = 400000, ZIP_END = 22 };

static char dir[] = "/tmp/stdpd-tls-XXXXXX";
static char cert[PATH_SIZE], key[PATH_SIZE], other[PATH_SIZE];

/* A pair that nobody vouches for. */
static void make_pair(const char *cert_path, const char *key_path)
{
	char command[512];

	(void)snprintf(command, sizeof(command),
		       "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
		       "-days 2 -subj /CN=localhost -keyout %s -out %s 2>/dev/null",
		       key_path, cert_path);
	cr_assert_eq(system(command), 0); // NOLINT(cert-env33-c)
	cr_assert_eq(chmod(key_path, 0600), 0);
}

static void setup(void)
{
	if (system("openssl version >/dev/null 2>&1") != 0) // NOLINT(cert-env33-c)
		cr_skip_test("skipped: openssl is not installed");
	cr_assert_not_null(mkdtemp(dir));
	(void)snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
	(void)snprintf(key, sizeof(key), "%s/key.pem", dir);
	(void)snprintf(other, sizeof(other), "%s/other.pem", dir);
	make_pair(cert, key);
}

static void teardown(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (!strstr(dir, "XXXXXX") && system(command) != 0) // NOLINT(cert-env33-c)
		(void)fprintf(stderr, "%s stays\n", dir);
}

TestSuite(tls, .init = setup, .fini = teardown, .timeout = 120);

/* It does not start, and says why. */
static void refused(const char *const *args, const char *why)
{
	char data[PATH_SIZE], log[4096];
	int code;

	(void)snprintf(data, sizeof(data), "%s/data", dir);
	code = harness_try(data, args, log, sizeof(log));
	cr_assert_gt(code, 0, "it started");
	cr_assert_not_null(strstr(log, why), "\"%s\" is not in: %s", why, log);
	(void)strcat(data, ".log");
	(void)unlink(data);
}

Test(tls, what_cannot_be_served_with_is_refused_with_the_reason)
{
	char nowhere[PATH_SIZE];

	(void)snprintf(nowhere, sizeof(nowhere), "%s/none.pem", dir);
	refused((const char *const[]){ "--tls-cert", cert, NULL }, "--tls-key");
	refused((const char *const[]){ "--tls-cert", nowhere, "--tls-key", key, NULL },
		"No such file");
	refused((const char *const[]){ "--tls-cert", cert, "--tls-key", nowhere, NULL },
		"No such file");
	refused((const char *const[]){ "--tls-cert", "/dev/zero", "--tls-key", key, NULL }, "PEM");
	cr_assert_eq(chmod(key, 0604), 0);
	refused((const char *const[]){ "--tls-cert", cert, "--tls-key", key, NULL }, "everybody");
	cr_assert_eq(chmod(key, 0600), 0);
	{
		char second[PATH_SIZE];

		(void)snprintf(second, sizeof(second), "%s/second.pem", dir);
		make_pair(second, other);
	}
	refused((const char *const[]){ "--tls-cert", cert, "--tls-key", other, NULL },
		"no certificate and the key of it");
}

static int post_from(const struct harness *h, const char *scheme)
{
	char origin[128];
	const char *const headers[] = { origin, NULL };
	struct reply r;
	int status;

	(void)snprintf(origin, sizeof(origin), "Origin: %s://127.0.0.1:%d", scheme, h->port);
	r = harness_ask(h, "POST", "/v1/specs/validate", SPECS_FAST, headers);
	status = r.status;
	reply_release(&r);
	return status;
}

static void long_body(const struct harness *h, const char *id)
{
	char path[PATH_SIZE];
	struct reply a, b;

	(void)snprintf(path, sizeof(path), "/v1/runs/%s/spikes?population=in&format=npz", id);
	a = harness_get(h, path);
	b = harness_get(h, path);
	cr_assert_eq(a.status, 200);
	cr_assert_gt(a.len, LONG_BODY);
	cr_assert_eq(memcmp(a.body + a.len - ZIP_END, "PK\5\6", 4), 0, "it has no end");
	cr_assert(a.len == b.len && memcmp(a.body, b.body, a.len) == 0);
	reply_release(&a);
	reply_release(&b);
}

Test(tls, waits_streams_and_long_bodies_are_as_without_it)
{
	const char *const args[] = { "--tls-cert", cert, "--tls-key", key, "--slots", "1", NULL };
	static const char plain[] = "GET /v1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
	char id[64], text[256];
	struct harness h;
	struct reply r;

	harness_new(&h, args);
	cr_assert_eq(strncmp(h.url, "https:", 6), 0);
	harness_raw(&h, plain, strlen(plain), text, sizeof(text));
	cr_assert_null(strstr(text, "HTTP/1.1 200"), "it speaks without TLS: %s", text);
	cr_assert_eq(post_from(&h, "https"), 200);
	cr_assert_eq(post_from(&h, "http"), 403);
	harness_run(&h, SPECS_MEDIUM, id);
	(void)snprintf(text, sizeof(text), "/v1/runs/%s/events", id);
	r = harness_get(&h, text); /* sleeps and wakes until the run has ended */
	cr_assert_eq(r.status, 200);
	cr_assert_not_null(strstr(r.body, "event: progress"), "%s", r.body);
	cr_assert_not_null(strstr(r.body, "\"state\":\"succeeded\""), "%s", r.body);
	reply_release(&r);
	r = harness_wait(&h, id, 30);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	reply_release(&r);
	long_body(&h, id);
	harness_free(&h);
}

/* What the client sends first is encrypted and swift, the rest is not. */
Test(tls, who_sends_slowly_is_cut_off)
{
	const char *const args[] = { "--tls-cert", cert,       "--tls-key", key, "--slow-s",
				     "0.5",	   "--idle-s", "60",	    NULL };
	char *body = calloc(1, LONG_BODY + 1), url[PATH_SIZE];
	CURL *easy = curl_easy_init();
	struct harness h;
	struct reply r;
	double s = 0;

	memset(body, ' ', LONG_BODY);
	harness_new(&h, args);
	(void)snprintf(url, sizeof(url), "%s/v1/specs/validate", h.url);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, 50L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
	(void)curl_easy_setopt(easy, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)100);
	cr_assert_neq(curl_easy_perform(easy), CURLE_OK);
	(void)curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME, &s);
	cr_assert_lt(s, 50.0, "it was not cut off, it gave up");
	curl_easy_cleanup(easy);
	r = harness_get(&h, "/livez");
	cr_assert_eq(r.status, 200);
	reply_release(&r);
	harness_free(&h);
	free(body);
}
