/* test_sessions - live sessions over HTTP: one truth however they are driven, and nothing lost. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/e2e/harness.h"

/* Cells that fire, weights that move. */
#define NET \
	"{\"spec\":{\"duration_ms\":100,\"seed\":\"7\",\"populations\":{\"in\":{\"model\":" \
	"\"poisson_generator\",\"size\":20,\"params\":{\"rate\":40}},\"cell\":{\"model\":" \
	"\"iaf_psc_exp\",\"size\":20,\"params\":{\"I_e\":400}}},\"projections\":{\"wire\":{" \
	"\"source\":\"in\",\"target\":\"cell\",\"connect\":{\"rule\":\"all_to_all\"}," \
	"\"synapse\":{\"model\":\"stdp_pair\",\"weight\":50,\"delay_ms\":1,\"params\":{" \
	"\"w_max\":100}}}},\"record\":{\"spikes\":[\"cell\"]}}}"

enum { PATH = 256 };

static const char *const args[] = { "--session-idle-s", "300", NULL };
static struct harness h;

static void setup(void)
{
	harness_new(&h, args);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(sessions, .init = setup, .fini = teardown, .timeout = 180);

static void nap(void)
{
	const struct timespec t = { 0, 10000000 };

	(void)nanosleep(&t, NULL);
}

static struct reply on(const char *method, const char *id, const char *what, const char *body)
{
	char path[PATH];

	(void)snprintf(path, sizeof(path), "/v1/sessions/%s%s", id, what);
	return harness_ask(&h, method, path, body, NULL);
}

/* A command that must succeed; the time it tells. */
static double tell(const char *id, const char *what, const char *body)
{
	struct reply r = on("POST", id, what, body);
	double t_ms = reply_number(&r, "/t_ms");

	cr_assert(r.status == 200 || r.status == 201, "%s: %d %s", what, r.status, r.body);
	reply_release(&r);
	return t_ms;
}

/* Time stands there. */
static void at(double t_ms, double expected)
{
	cr_assert_float_eq(t_ms, expected, 1e-9, "%g ms, not %g", t_ms, expected);
}

static void refused(const char *id, const char *what, const char *body, int status,
		    const char *pointer)
{
	struct reply r = on("POST", id, what, body);

	cr_assert_eq(r.status, status, "%s: %d %s", what, r.status, r.body);
	cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), pointer, "%s", r.body);
	reply_release(&r);
}

/* POST that makes something; its id. */
static void made(const char *path, const char *body, char id[64])
{
	struct reply r = harness_ask(&h, "POST", path, body, NULL);

	cr_assert_eq(r.status, 201, "%d %s", r.status, r.body);
	(void)snprintf(id, 64, "%s", reply_text(&r, "/id"));
	cr_assert_eq(strlen(id), 32);
	reply_release(&r);
}

static void of_session(const char *id, const char *what, const char *body, char made_id[64])
{
	char path[PATH];

	(void)snprintf(path, sizeof(path), "/v1/sessions/%s%s", id, what);
	made(path, body, made_id);
}

static void new_session(char id[64])
{
	made("/v1/sessions", NET, id);
}

/* What it recorded and its weights, as text; free(). */
static char *recorded(const char *id)
{
	static const char *const views[] = { "/spikes?population=cell",
					     "/weights?projection=wire" };
	char *all = calloc(1, 1);

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		struct reply r = on("GET", id, views[i], NULL);

		cr_assert_eq(r.status, 200, "%s: %s", views[i], r.body);
		all = realloc(all, strlen(all) + r.len + 1);
		cr_assert_not_null(all);
		strcat(all, r.body);
		reply_release(&r);
	}
	cr_assert_gt(strlen(all), 500);
	return all;
}

static void same(const char *a, const char *b)
{
	char *x = recorded(a), *y = recorded(b);

	cr_assert_str_eq(x, y);
	free(x);
	free(y);
}

static void is(const char *id, const char *state)
{
	char last[32] = "";

	for (int i = 0; i < 1000; i++) {
		struct reply r = on("GET", id, "", NULL);

		(void)snprintf(last, sizeof(last), "%s", reply_text(&r, "/state"));
		reply_release(&r);
		if (strcmp(last, state) == 0)
			return;
		nap();
	}
	cr_assert(false, "the session is %s, not %s", last, state);
}

Test(sessions, slices_make_no_difference)
{
	char a[64], b[64];

	new_session(a);
	new_session(b);
	at(tell(a, "/step", "{\"duration_ms\":300}"), 300);
	for (int i = 0; i < 30; i++)
		at(tell(b, "/step", "{\"duration_ms\":10}"), 10 * (i + 1));
	same(a, b);
}

Test(sessions, a_saved_session_is_the_run_of_its_past)
{
	char a[64], b[64], saved[64], run[64], path[PATH], body[128];
	struct reply r, q;

	new_session(a);
	(void)tell(a, "/step", "{\"duration_ms\":40}");
	(void)tell(a, "/parameters",
		   "{\"set\":{\"population\":\"cell\",\"params\":{\"I_e\":500}}}");
	(void)tell(a, "/step", "{\"duration_ms\":60}");
	of_session(a, "/save", "", saved);
	r = harness_wait(&h, saved, 30);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/rerun", saved);
	q = harness_ask(&h, "POST", path, "{}", NULL);
	(void)snprintf(run, sizeof(run), "%s", reply_text(&q, "/id"));
	reply_release(&q);
	q = harness_wait(&h, run, 30);
	cr_assert_str_eq(reply_text(&q, "/digest"), reply_text(&r, "/digest"), "%s", q.body);
	reply_release(&q);
	reply_release(&r);
	(void)snprintf(body, sizeof(body), "{\"from_run\":\"%s\"}", saved);
	made("/v1/sessions", body, b);
	(void)tell(b, "/step", "{\"duration_ms\":100}");
	same(a, b);
	at(tell(a, "/step", "{\"duration_ms\":1}"), 101);
}

Test(sessions, a_fork_goes_on_as_its_parent_would)
{
	char a[64], b[64], c[64];
	struct reply r;

	new_session(a);
	(void)tell(a, "/step", "{\"duration_ms\":120}");
	of_session(a, "/fork", "{\"name\":\"branch\"}", b);
	r = on("GET", b, "", NULL);
	cr_assert_str_eq(reply_text(&r, "/name"), "branch");
	cr_assert_str_eq(reply_text(&r, "/parent"), a);
	cr_assert_float_eq(reply_number(&r, "/t_ms"), 120, 1e-9);
	reply_release(&r);
	of_session(b, "/fork", NULL, c);
	(void)tell(a, "/step", "{\"duration_ms\":80}");
	(void)tell(b, "/step", "{\"duration_ms\":80}");
	(void)tell(c, "/parameters", "{\"plasticity\":{\"on\":false}}");
	(void)tell(c, "/step", "{\"duration_ms\":80}");
	same(a, b);
	{
		char *x = recorded(a), *y = recorded(c);

		cr_assert_str_neq(x, y);
		free(x);
		free(y);
	}
}

Test(sessions, a_fork_outlives_its_parent)
{
	char a[64], b[64];
	struct reply r;

	new_session(a);
	(void)tell(a, "/step", "{\"duration_ms\":20}");
	of_session(a, "/fork", NULL, b);
	r = on("DELETE", a, "", NULL);
	cr_assert_eq(r.status, 204, "%s", r.body);
	reply_release(&r);
	for (int i = 0; i < 20; i++) {
		at(tell(b, "/step", "{\"duration_ms\":10}"), 30 + 10 * i);
		nap();
	}
	r = on("GET", b, "", NULL);
	cr_assert_str_eq(reply_text(&r, "/state"), "ready", "%s", r.body);
	reply_release(&r);
}

Test(sessions, a_checkpoint_is_gone_back_to_and_gone_on_from)
{
	char a[64], b[64], point[64], body[128];
	struct reply r;

	new_session(a);
	(void)tell(a, "/step", "{\"duration_ms\":70}");
	of_session(a, "/checkpoints", NULL, point);
	(void)tell(a, "/step", "{\"duration_ms\":50}");
	(void)snprintf(body, sizeof(body), "{\"from_checkpoint\":\"%s\"}", point);
	made("/v1/sessions", body, b);
	(void)tell(b, "/step", "{\"duration_ms\":50}");
	same(a, b);
	(void)snprintf(body, sizeof(body), "{\"checkpoint_id\":\"%s\"}", point);
	at(tell(a, "/restore", body), 70);
	(void)tell(a, "/step", "{\"duration_ms\":50}");
	same(a, b);
	r = on("GET", a, "/checkpoints", NULL);
	cr_assert_str_eq(reply_text(&r, "/items/0/id"), point);
	cr_assert_gt(reply_number(&r, "/items/0/bytes"), 100);
	reply_release(&r);
	refused(b, "/restore", body, 422, "/checkpoint_id");
}

Test(sessions, commands_are_checked_and_lose_nothing)
{
	char a[64];

	new_session(a);
	(void)tell(a, "/step", "{\"duration_ms\":10}");
	refused(a, "/step", "{\"duration_ms\":10,\"expect_t_ms\":5}", 409, "/expect_t_ms");
	refused(a, "/step", "{\"duration_ms\":-1}", 422, "/duration_ms");
	refused(a, "/step", "{\"duration\":1}", 422, "/duration");
	refused(a, "/parameters", "{\"set\":{\"population\":\"cell\",\"params\":{\"I_x\":1}}}", 422,
		"/set/params/I_x");
	refused(a, "/parameters",
		"{\"schedule\":[{\"set\":{\"population\":\"none\",\"params\":{\"I_e\":1}}}]}", 422,
		"/schedule/0/set/population");
	refused(a, "/stimuli", "{\"at_ms\":5,\"reward\":1}", 422, "/at_ms");
	at(tell(a, "/step", "{\"duration_ms\":10,\"expect_t_ms\":10}"), 20);
	{
		struct reply r = harness_ask(&h, "POST", "/v1/sessions",
					     "{\"spec\":{\"duration_ms\":10,\"populations\":{\"a\":"
					     "{\"model\":\"iaf_psc_epx\",\"size\":1}}}}",
					     NULL);

		cr_assert_eq(r.status, 422);
		cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), "/spec/populations/a/model");
		reply_release(&r);
		r = harness_ask(&h, "POST", "/v1/sessions",
				"{\"experiment\":\"stdp_window\",\"params\":{}}", NULL);
		cr_assert_eq(r.status, 422);
		reply_release(&r);
		r = on("GET", "00000000000000000000000000000000", "", NULL);
		cr_assert_eq(r.status, 404);
		reply_release(&r);
	}
}

Test(sessions, it_plays_until_it_is_paused)
{
	char a[64], b[64], body[64];
	double t;

	new_session(a);
	new_session(b);
	(void)tell(a, "/play", "{\"speed\":1}");
	is(a, "playing");
	for (int i = 0; i < 500; i++) {
		struct reply r = on("GET", a, "", NULL);

		t = reply_number(&r, "/t_ms");
		reply_release(&r);
		if (t > 50)
			break;
		nap();
	}
	t = tell(a, "/pause", NULL);
	cr_assert_gt(t, 50);
	is(a, "ready");
	(void)snprintf(body, sizeof(body), "{\"duration_ms\":%.1f}", t);
	at(tell(b, "/step", body), t);
	same(a, b);
}

Test(sessions, an_idle_one_is_parked_and_woken_by_a_command)
{
	static const char *const idle[] = { "--session-idle-s", "0.2", NULL };
	char a[64], b[64];
	struct reply r;

	cr_assert_eq(harness_stop(&h), 0);
	harness_again(&h, idle);
	new_session(a);
	new_session(b);
	(void)tell(a, "/step", "{\"duration_ms\":50}");
	(void)tell(b, "/step", "{\"duration_ms\":100}");
	is(a, "parked");
	is(b, "parked");
	cr_assert_eq(harness_child(a), 0);
	r = on("GET", a, "", NULL);
	cr_assert_float_eq(reply_number(&r, "/t_ms"), 50, 1e-9);
	reply_release(&r);
	free(recorded(a)); /* a look does not wake it */
	cr_assert_eq(harness_child(a), 0);
	at(tell(a, "/step", "{\"duration_ms\":50,\"expect_t_ms\":50}"), 100);
	same(a, b);
}

Test(sessions, they_outlive_their_server)
{
	char a[64], b[64];

	new_session(a);
	new_session(b);
	(void)tell(a, "/step", "{\"duration_ms\":30}");
	cr_assert_eq(harness_stop(&h), 0);
	harness_again(&h, args);
	is(a, "parked");
	(void)tell(a, "/step", "{\"duration_ms\":30,\"expect_t_ms\":30}");
	harness_kill(&h); /* its processes see the end of their input */
	for (int i = 0; i < 500 && (harness_child(a) || harness_child(b)); i++)
		nap();
	harness_again(&h, args);
	(void)tell(a, "/step", "{\"duration_ms\":30,\"expect_t_ms\":60}");
	(void)tell(b, "/step", "{\"duration_ms\":90,\"expect_t_ms\":0}");
	same(a, b);
}

Test(sessions, a_crash_touches_no_other_and_says_so)
{
	char a[64], b[64];
	struct reply r;
	pid_t child;

	new_session(a);
	new_session(b);
	(void)tell(a, "/step", "{\"duration_ms\":30}");
	(void)tell(b, "/step", "{\"duration_ms\":30}");
	child = harness_child(a);
	cr_assert_gt(child, 0);
	cr_assert_eq(kill(child, SIGKILL), 0);
	is(a, "failed");
	r = on("GET", a, "", NULL);
	cr_assert_not_null(strstr(reply_text(&r, "/error/detail"), "signal 9"), "%s", r.body);
	reply_release(&r);
	refused(a, "/step", "{\"duration_ms\":1}", 409, "");
	(void)tell(b, "/step", "{\"duration_ms\":30,\"expect_t_ms\":30}");
	at(tell(a, "/restore", "{}"), 0);
	(void)tell(a, "/step", "{\"duration_ms\":60}");
	same(a, b);
}

Test(sessions, a_deleted_one_leaves_nothing)
{
	char a[64], path[512];
	struct reply r;
	struct stat st;

	new_session(a);
	(void)snprintf(path, sizeof(path), "%s/sessions/%s", h.dir, a);
	cr_assert_eq(stat(path, &st), 0);
	r = on("DELETE", a, "", NULL);
	cr_assert_eq(r.status, 204);
	reply_release(&r);
	for (int i = 0; i < 500 && (stat(path, &st) == 0 || harness_child(a)); i++)
		nap();
	cr_assert_neq(stat(path, &st), 0);
	cr_assert_eq(harness_child(a), 0);
	r = on("GET", a, "", NULL);
	cr_assert_eq(r.status, 404);
	reply_release(&r);
	r = harness_get(&h, "/v1/sessions");
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 0);
	reply_release(&r);
}

Test(sessions, more_than_may_be_awake_take_turns)
{
	static const char *const few[] = { "--sessions-awake", "2", "--sessions-max", "4", NULL };
	char ids[4][64];
	struct reply r;

	cr_assert_eq(harness_stop(&h), 0);
	harness_again(&h, few);
	for (int i = 0; i < 4; i++)
		new_session(ids[i]);
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < 4; i++)
			at(tell(ids[i], "/step", "{\"duration_ms\":10}"), 10 * (k + 1));
	same(ids[0], ids[3]);
	r = harness_ask(&h, "POST", "/v1/sessions", NET, NULL);
	cr_assert_eq(r.status, 422, "%s", r.body);
	reply_release(&r);
}

/* What the stream of a session says, as far as text goes. */
static void listen_to(const char *id, const char *query, char *text, size_t n)
{
	char request[256];

	(void)snprintf(request, sizeof(request),
		       "GET /v1/sessions/%s/events?%s&max_hz=20 HTTP/1.1\r\n"
		       "Host: localhost\r\n\r\n",
		       id, query);
	harness_raw(&h, request, strlen(request), text, n);
}

Test(sessions, events_are_streamed_while_it_plays)
{
	char a[64], text[16384];

	new_session(a);
	(void)tell(a, "/play", "{\"speed\":1}");
	listen_to(a, "spikes=cell&rates=cell&weights=wire", text, sizeof(text));
	cr_assert_not_null(strstr(text, "text/event-stream"), "%s", text);
	cr_assert_not_null(strstr(text, "event: state\n"), "%s", text);
	cr_assert_not_null(strstr(text, "event: spikes\n"), "%s", text);
	cr_assert_not_null(strstr(text, "event: rates\n"), "%s", text);
	cr_assert_not_null(strstr(text, "event: weights\n"), "%s", text);
}

Test(sessions, a_stream_brings_what_it_names_and_nothing_else)
{
	char a[64], text[16384];
	struct reply r;

	new_session(a);
	r = on("GET", a, "/events?spikes=cell,cell_2&weights=wires", NULL);
	cr_assert_eq(r.status, 422, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), "?spikes", "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/errors/1/pointer"), "?weights", "%s", r.body);
	reply_release(&r);
	(void)tell(a, "/play", "{\"speed\":1}");
	listen_to(a, "rates=in,cell", text, sizeof(text));
	cr_assert_not_null(strstr(text, "{\"population\":\"in\""), "%s", text);
	cr_assert_not_null(strstr(text, "{\"population\":\"cell\""), "%s", text);
	cr_assert_null(strstr(text, "event: spikes\n"), "%s", text);
}

Test(sessions, a_name_with_a_comma_in_it_can_be_watched)
{
	char a[64], text[16384];
	struct reply r = harness_ask(
		&h, "POST", "/v1/sessions",
		"{\"spec\":{\"duration_ms\":10,\"populations\":{"
		"\"a,b\":{\"model\":\"iaf_psc_exp\",\"size\":1},"
		"\"c\\\\\":{\"model\":\"iaf_psc_exp\",\"size\":1}},\"projections\":{}}}",
		NULL);

	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(a, sizeof(a), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	r = on("GET", a, "/events?rates=a,b", NULL);
	cr_assert_eq(r.status, 422, "%s", r.body);
	reply_release(&r);
	(void)tell(a, "/play", "{\"speed\":1}");
	listen_to(a, "rates=a%5C%2Cb,c%5C%5C", text, sizeof(text));
	cr_assert_not_null(strstr(text, "{\"population\":\"a,b\""), "%s", text);
	cr_assert_not_null(strstr(text, "{\"population\":\"c\\\\\""), "%s", text);
}

Test(sessions, a_list_comes_in_pages_that_end)
{
	char ids[3][64], path[PATH] = "/v1/sessions?page_size=1";
	struct reply r;

	for (int i = 0; i < 3; i++)
		new_session(ids[i]);
	for (int i = 2; i >= 0; i--) { /* the newest first */
		r = harness_get(&h, path);
		cr_assert_str_eq(reply_text(&r, "/items/0/id"), ids[i], "%s", r.body);
		cr_assert_eq(json_array_size(reply_at(&r, "/items")), 1);
		cr_assert_eq(json_is_null(reply_at(&r, "/next_page_token")), i == 0, "%s", r.body);
		(void)snprintf(path, sizeof(path), "/v1/sessions?page_size=1&page_token=%.64s",
			       reply_text(&r, "/next_page_token"));
		reply_release(&r);
	}
	r = harness_get(&h, "/v1/sessions?page_token=d1");
	cr_assert_eq(r.status, 422);
	cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), "?page_token");
	reply_release(&r);
}
