/* test_once - Idempotency-Key: whatever is posted again takes effect once, also around a kill. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

#define NET \
	"{\"spec\":{\"duration_ms\":100,\"seed\":\"7\",\"populations\":{\"cell\":{\"model\":" \
	"\"iaf_psc_exp\",\"size\":20,\"params\":{\"I_e\":400}}},\"projections\":{}," \
	"\"record\":{\"spikes\":[\"cell\"]}}}"
#define BIG \
	"{\"spec\":{\"duration_ms\":100,\"seed\":\"7\",\"populations\":{\"cell\":{\"model\":" \
	"\"iaf_psc_exp\",\"size\":20000,\"params\":{\"I_e\":400}}},\"projections\":{}}}"

enum { PATH = 256, SAME_TIME = 8 };

static struct harness h;

static void setup(void)
{
	harness_new(&h, NULL);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(once, .init = setup, .fini = teardown, .timeout = 120);

static void nap(long ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

static struct reply post(const char *path, const char *body, const char *key)
{
	char line[128];
	const char *const headers[] = { line, NULL };

	(void)snprintf(line, sizeof(line), "Idempotency-Key: %s", key);
	return harness_ask(&h, "POST", path, body, headers);
}

/* The same until the first request is answered. */
static struct reply post_until(const char *path, const char *body, const char *key)
{
	for (int i = 0;; i++) {
		struct reply r = post(path, body, key);

		if (r.status != 409 || strcmp(reply_text(&r, "/code"), "request-underway") != 0)
			return r;
		cr_assert_lt(i, 1000);
		reply_release(&r);
		nap(20);
	}
}

/* Twice the same and the same answer; something else under that key is refused. The id, unless NULL. */
static void twice(const char *path, const char *body, const char *other, char *id)
{
	static int keys;
	char key[32], place[2][PATH] = { "", "" }, word[16] = "";
	struct reply a, b;

	(void)snprintf(key, sizeof(key), "twice-%d", keys++);
	a = post(path, body, key);
	cr_assert(a.status >= 200 && a.status < 300, "%s: %d %s", path, a.status, a.body);
	cr_assert_not(reply_header(&a, "Idempotent-Replayed", word, sizeof(word)));
	b = post(path, body, key);
	cr_assert_eq(b.status, a.status, "%s: %d, then %d %s", path, a.status, b.status, b.body);
	cr_assert_str_eq(b.body, a.body, "%s", path);
	cr_assert(reply_header(&b, "Idempotent-Replayed", word, sizeof(word)), "%s", path);
	cr_assert_eq(reply_header(&a, "Location", place[0], PATH),
		     reply_header(&b, "Location", place[1], PATH));
	cr_assert_str_eq(place[0], place[1]);
	if (id)
		(void)snprintf(id, 64, "%s", reply_text(&a, "/id"));
	reply_release(&a);
	reply_release(&b);
	a = post(path, other, key);
	cr_assert_eq(a.status, 422, "%s: %d %s", path, a.status, a.body);
	cr_assert_str_eq(reply_text(&a, "/code"), "idempotency-key");
	reply_release(&a);
}

static size_t count(const char *path)
{
	struct reply r = harness_get(&h, path);
	size_t n = json_array_size(reply_at(&r, "/items"));

	cr_assert_eq(r.status, 200, "%s", r.body);
	reply_release(&r);
	return n;
}

Test(once, every_post_about_runs)
{
	char id[64], path[PATH];
	struct reply r;

	twice("/v1/runs", SPECS_FAST, SPECS_MEDIUM, id);
	r = harness_wait(&h, id, 20.0);
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/rerun", id);
	twice(path, "{}", NULL, NULL);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/verify", id);
	twice(path, "{}", NULL, NULL);
	cr_assert_eq(count("/v1/runs"), 3);
	harness_run(&h, SPECS_SLOW, id);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/cancel", id);
	twice(path, NULL, "{}", NULL);
}

Test(once, every_post_about_sweeps)
{
	static const char body[] =
		"{\"spec\":" SPECS_NET("20", "5") ",\"axes\":[{\"path\":\"/duration_ms\","
						  "\"values\":[10,20]}]}";
	char id[64], path[PATH];

	twice("/v1/sweeps", body, "{}", id);
	cr_assert_eq(count("/v1/sweeps"), 1);
	(void)snprintf(path, sizeof(path), "/v1/sweeps/%s/cancel", id);
	twice(path, NULL, "{}", NULL);
}

Test(once, every_post_about_sessions)
{
	static const char *const commands[][3] = {
		{ "stimuli", "{\"set\":{\"population\":\"cell\",\"params\":{\"I_e\":500}}}", "{}" },
		{ "parameters", "{\"set\":{\"population\":\"cell\",\"params\":{\"I_e\":400}}}",
		  "{}" },
		{ "play", "{\"speed\":0.01}", "{\"speed\":0.02}" },
		{ "pause", "{}", NULL },
		{ "fork", "{\"name\":\"twig\"}", "{}" },
		{ "save", "{}", NULL },
	};
	char id[64], saved[64], path[PATH], body[128];
	struct reply r;

	twice("/v1/sessions", NET, "{}", id);
	cr_assert_eq(count("/v1/sessions"), 1);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/step", id);
	twice(path, "{\"duration_ms\":10}", "{\"duration_ms\":20}", NULL);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s", id);
	r = harness_get(&h, path);
	cr_assert_float_eq(reply_number(&r, "/t_ms"), 10.0, 1e-9, "it went on twice");
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/checkpoints", id);
	twice(path, "{}", NULL, saved);
	cr_assert_eq(count(path), 1);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/restore", id);
	(void)snprintf(body, sizeof(body), "{\"checkpoint_id\":\"%s\"}", saved);
	twice(path, body, "{}", NULL);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		(void)snprintf(path, sizeof(path), "/v1/sessions/%s/%s", id, commands[i][0]);
		twice(path, commands[i][1], commands[i][2], NULL);
	}
	cr_assert_eq(count("/v1/sessions"), 2);
	cr_assert_eq(count("/v1/runs"), 1);
}

Test(once, uploads_and_the_query_counts)
{
	static const char *const headers[] = { "Idempotency-Key: k", "Content-Type: text/csv",
					       NULL };
	static const char *const names[] = { "a", "a", "b" };
	static const int expected[] = { 201, 201, 422 };
	char path[PATH];

	for (size_t i = 0; i < 3; i++) {
		struct reply r;

		(void)snprintf(path, sizeof(path), "/v1/datasets?name=%s", names[i]);
		r = harness_ask(&h, "POST", path, "1,2\n3,4\n", headers);
		cr_assert_eq(r.status, expected[i], "%d %s", r.status, r.body);
		reply_release(&r);
	}
	cr_assert_eq(count("/v1/datasets"), 1);
}

static void *upload(void *self)
{
	static const char *const headers[] = { "Idempotency-Key: k", "Content-Type: text/csv",
					       NULL };
	struct reply *r = self;

	*r = harness_ask(&h, "POST", "/v1/datasets", "1,2\n3,4\n", headers);
	return NULL;
}

Test(once, uploads_at_the_same_time)
{
	struct reply all[SAME_TIME];
	pthread_t threads[SAME_TIME];
	int good = 0;

	for (size_t i = 0; i < SAME_TIME; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, upload, &all[i]), 0);
	for (size_t i = 0; i < SAME_TIME; i++) {
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
		cr_assert(all[i].status == 201 || all[i].status == 409, "%d %s", all[i].status,
			  all[i].body);
		good += all[i].status == 201;
		reply_release(&all[i]);
	}
	cr_assert_geq(good, 1);
	cr_assert_eq(count("/v1/datasets"), 1);
}

Test(once, a_tokens_text_is_told_once_and_kept_nowhere)
{
	static const char body[] = "{\"name\":\"ada\",\"scopes\":[\"admin\",\"read\"]}";
	const char *headers[] = { "Idempotency-Key: second", NULL, NULL };
	char who[128], secret[128], command[1024];
	struct reply a = post("/v1/tokens", body, "first"), b;

	cr_assert_eq(a.status, 201, "%s", a.body);
	(void)snprintf(who, sizeof(who), "Authorization: Bearer %s", reply_text(&a, "/token"));
	headers[1] = who;
	reply_release(&a);
	a = harness_ask(&h, "POST", "/v1/tokens", body, headers);
	b = harness_ask(&h, "POST", "/v1/tokens", body, headers);
	cr_assert_eq(a.status, 201, "%s", a.body);
	cr_assert_eq(b.status, 201, "%s", b.body);
	cr_assert_str_eq(reply_text(&a, "/id"), reply_text(&b, "/id"));
	cr_assert(json_is_null(reply_at(&b, "/token")), "%s", b.body);
	(void)snprintf(secret, sizeof(secret), "%s", reply_text(&a, "/token") + 6 + 32);
	cr_assert_eq(strlen(secret), 32);
	reply_release(&a);
	reply_release(&b);
	(void)snprintf(command, sizeof(command), "! grep -rqa %s %s %s.log", secret, h.dir, h.dir);
	cr_assert_eq(system(command), 0, "the data folder has a token's text"); // NOLINT
}

Test(once, an_error_leaves_the_key_free)
{
	struct reply r = post("/v1/runs", "{\"spec\":{}}", "k");

	cr_assert_eq(r.status, 422, "%s", r.body);
	reply_release(&r);
	r = post("/v1/runs", SPECS_FAST, "k");
	cr_assert_eq(r.status, 202, "%s", r.body);
	reply_release(&r);
}

Test(once, a_repeat_needs_no_room_of_its_own)
{
	static const char quota[] = "{\"name\":\"ada\",\"scopes\":[\"session\",\"read\"],"
				    "\"quotas\":{\"sessions\":1}}";
	const char *headers[] = { NULL, "Idempotency-Key: one", NULL };
	struct reply r = post("/v1/tokens", quota, "t");
	static const int expected[] = { 201, 201, 429 };
	char who[128], id[64] = "";

	(void)snprintf(who, sizeof(who), "Authorization: Bearer %s", reply_text(&r, "/token"));
	reply_release(&r);
	headers[0] = who;
	for (size_t i = 0; i < 3; i++) {
		headers[1] = i < 2 ? "Idempotency-Key: one" : "Idempotency-Key: two";
		r = harness_ask(&h, "POST", "/v1/sessions", NET, headers);
		cr_assert_eq(r.status, expected[i], "%d %s", r.status, r.body);
		if (i == 1)
			cr_assert_str_eq(reply_text(&r, "/id"), id);
		(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
		reply_release(&r);
	}
}

/* ---- while the first is going on ---- */

struct step {
	char path[PATH];
	struct reply r;
};

static void *step(void *self)
{
	struct step *s = self;

	s->r = post(s->path, "{\"duration_ms\":2000}", "s");
	return NULL;
}

Test(once, the_second_is_told_to_wait)
{
	struct step first = { 0 };
	char id[64], wait[16];
	pthread_t thread;
	struct reply r;

	r = post("/v1/sessions", BIG, "b");
	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	(void)snprintf(first.path, PATH, "/v1/sessions/%s/step", id);
	cr_assert_eq(pthread_create(&thread, NULL, step, &first), 0);
	for (int i = 0;; i++) { /* until it is on its way */
		char path[PATH];
		bool stepping;

		(void)snprintf(path, sizeof(path), "/v1/sessions/%s", id);
		r = harness_get(&h, path);
		stepping = strcmp(reply_text(&r, "/state"), "stepping") == 0;
		reply_release(&r);
		cr_assert_lt(i, 1000);
		if (stepping)
			break;
		nap(5);
	}
	r = post(first.path, "{\"duration_ms\":2000}", "s");
	cr_assert_eq(r.status, 409, "%d %s", r.status, r.body);
	cr_assert(reply_header(&r, "Retry-After", wait, sizeof(wait)));
	reply_release(&r);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert_eq(first.r.status, 200, "%s", first.r.body);
	r = post_until(first.path, "{\"duration_ms\":2000}", "s");
	cr_assert_str_eq(r.body, first.r.body);
	reply_release(&r);
	reply_release(&first.r);
}

Test(once, a_client_that_went_away_finds_its_answer)
{
	static const char body[] = "{\"duration_ms\":3000}";
	char id[64], text[1024], path[PATH], answer[256];
	struct reply r = post("/v1/sessions", BIG, "b");

	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/step", id);
	(void)snprintf(text, sizeof(text),
		       "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nIdempotency-Key: s\r\n"
		       "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		       path, strlen(body), body);
	harness_raw(&h, text, strlen(text), answer, 1); /* asks, and goes */
	r = post_until(path, body, "s");
	cr_assert_eq(r.status, 200, "%d %s", r.status, r.body);
	cr_assert_float_eq(reply_number(&r, "/t_ms"), 3000.0, 1e-9, "%s", r.body);
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s", id);
	r = harness_get(&h, path);
	cr_assert_float_eq(reply_number(&r, "/t_ms"), 3000.0, 1e-9, "it went on twice");
	reply_release(&r);
}

/* ---- around a kill ---- */

struct ask {
	const char *path, *body, *key;
};

static void *quietly(void *self)
{
	const struct ask *a = self;
	struct reply r = post(a->path, a->body, a->key);

	reply_release(&r);
	return NULL;
}

/* The server dies this long after it was asked. */
static void ask_and_kill(struct ask *a, long ms)
{
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, quietly, a), 0);
	nap(ms);
	harness_kill(&h);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	harness_again(&h, NULL);
}

/* Before, while and behind it makes one; whoever asks again gets one, and there is one. */
static void kill_around(const char *path, const char *body)
{
	static const long after_ms[] = { 0, 1, 2, 4, 8, 16, 32, 64 };

	for (size_t i = 0; i < sizeof(after_ms) / sizeof(after_ms[0]); i++) {
		char key[16];
		struct ask a = { path, body, key };
		struct reply r;

		(void)snprintf(key, sizeof(key), "k%zu", i);
		ask_and_kill(&a, after_ms[i]);
		r = post(path, body, key);
		cr_assert(r.status >= 200 && r.status < 300, "%d %s", r.status, r.body);
		cr_assert_eq(strlen(reply_text(&r, "/id")), 32, "%s", r.body);
		reply_release(&r);
		cr_assert_eq(count(path), i + 1, "killed after %ld ms", after_ms[i]);
	}
}

Test(once, a_kill_makes_no_second_run)
{
	kill_around("/v1/runs", SPECS_FAST);
}

Test(once, what_was_made_and_deleted_since_is_gone)
{
	static const char body[] = SPECS_SLOW;
	char id[64] = "", text[2048], path[PATH], answer[64];
	struct reply r;

	(void)snprintf(text, sizeof(text),
		       "POST /v1/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nIdempotency-Key: g\r\n"
		       "Prefer: wait=30\r\nContent-Type: application/json\r\n"
		       "Content-Length: %zu\r\n\r\n%s",
		       strlen(body), body);
	harness_raw(&h, text, strlen(text), answer, 1); /* asks, and goes */
	for (int i = 0; i < 500 && !*id; i++) {
		r = harness_get(&h, "/v1/runs");
		(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/items/0/id"));
		reply_release(&r);
		(void)nanosleep(&(const struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	cr_assert(*id);
	harness_kill(&h); /* before there is an answer to keep */
	harness_again(&h, NULL);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/cancel", id);
	r = harness_ask(&h, "POST", path, "{}", NULL);
	cr_assert_lt(r.status, 300, "%s", r.body);
	reply_release(&r);
	r = harness_wait(&h, id, 30);
	cr_assert_str_eq(reply_text(&r, "/state"), "cancelled", "%s", r.body);
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s", id);
	r = harness_ask(&h, "DELETE", path, NULL, NULL);
	cr_assert_eq(r.status, 204, "%s", r.body);
	reply_release(&r);
	r = post("/v1/runs", body, "g");
	cr_assert_eq(r.status, 410, "%d %s", r.status, r.body);
	cr_assert_str_eq(reply_text(&r, "/code"), "gone");
	reply_release(&r);
}

Test(once, a_kill_makes_no_second_sweep)
{
	kill_around("/v1/sweeps",
		    "{\"spec\":" SPECS_NET("20", "5") ",\"axes\":[{\"path\":"
						      "\"/duration_ms\",\"values\":[10,20]}]}");
}

Test(once, a_kill_makes_no_second_session)
{
	kill_around("/v1/sessions", NET);
}

Test(once, a_step_that_a_kill_cut_off_is_not_done_again_unseen)
{
	char id[64], path[PATH];
	struct ask a = { path, "{\"duration_ms\":100000}", "s" };
	struct reply r = post("/v1/sessions", BIG, "b");

	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/step", id);
	ask_and_kill(&a, 200);
	for (int i = 0; i < 2; i++) {
		r = post(path, a.body, a.key);
		cr_assert_eq(r.status, 409, "%d %s", r.status, r.body);
		cr_assert_str_eq(reply_text(&r, "/code"), "outcome-unknown");
		reply_release(&r);
	}
	r = post(path, "{\"duration_ms\":1}", "t");
	cr_assert_eq(r.status, 200, "%d %s", r.status, r.body);
	reply_release(&r);
}
