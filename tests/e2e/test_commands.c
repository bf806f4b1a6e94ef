/* test_commands - what a session can be told: each has its effect, its place in line and its answer. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

/* Noise that drives cells, one train that says nothing by itself, and a rule that waits for a reward. */
#define NET \
	"{\"spec\":{\"duration_ms\":100,\"seed\":\"7\",\"populations\":{" \
	"\"noise\":{\"model\":\"poisson_generator\",\"size\":20,\"params\":{\"rate\":40}}," \
	"\"mute\":{\"model\":\"spike_generator\",\"size\":2}," \
	"\"cell\":{\"model\":\"iaf_psc_exp\",\"size\":20,\"params\":{\"I_e\":400}}}," \
	"\"projections\":{\"wire\":{\"source\":\"noise\",\"target\":\"cell\",\"connect\":{" \
	"\"rule\":\"all_to_all\"},\"synapse\":{\"model\":\"stdp_pair\",\"weight\":50," \
	"\"delay_ms\":1,\"params\":{\"w_max\":100}}},\"learn\":{\"source\":\"noise\",\"target\":" \
	"\"cell\",\"connect\":{\"rule\":\"all_to_all\"},\"synapse\":{\"model\":\"stdp_dopamine\"," \
	"\"weight\":1,\"delay_ms\":1,\"params\":{\"A_plus\":0.05,\"A_minus\":-0.04}," \
	"\"modulator\":{}}}},\"record\":{\"spikes\":[\"noise\",\"mute\",\"cell\"]}}}"

enum { PATH = 256, WORKERS = 6, STEPS = 5 };

static struct harness h;

static void setup(void)
{
	harness_new(&h, NULL);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(commands, .init = setup, .fini = teardown, .timeout = 120);

static struct reply on(const char *method, const char *id, const char *what, const char *body)
{
	char path[PATH];

	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/%s", id, what);
	return harness_ask(&h, method, path, body, NULL);
}

/* POST that makes something; its id. */
static void made(const char *path, const char *body, char id[64])
{
	struct reply r = harness_ask(&h, "POST", path, body, NULL);

	cr_assert_eq(r.status, 201, "%s: %d %s", path, r.status, r.body);
	(void)snprintf(id, 64, "%s", reply_text(&r, "/id"));
	reply_release(&r);
}

static void step(const char *id, double to_ms)
{
	struct reply r = on("POST", id, "step", "{\"duration_ms\":50}");

	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert_float_eq(reply_number(&r, "/t_ms"), to_ms, 1e-9);
	reply_release(&r);
}

static bool same(const char *a, const char *b, const char *view)
{
	struct reply x = on("GET", a, view, NULL), y = on("GET", b, view, NULL);
	bool equal = strcmp(x.body, y.body) == 0;

	cr_assert_eq(x.status, 200, "%s: %s", view, x.body);
	cr_assert_eq(y.status, 200, "%s: %s", view, y.body);
	reply_release(&x);
	reply_release(&y);
	return equal;
}

/* Of two forks one is told something: from there on it goes another way, and only from there on. */
Test(commands, each_changes_what_comes_and_nothing_else)
{
	static const struct {
		const char *what, *body, *view; /* where the change shows */
	} cases[] = {
		{ "stimuli", "{\"spikes\":{\"population\":\"mute\",\"count\":1}}",
		  "spikes?population=mute" },
		{ "stimuli", "{\"spikes\":{\"population\":\"cell\",\"weight\":5000}}",
		  "spikes?population=cell" },
		{ "stimuli", "{\"set\":{\"population\":\"noise\",\"params\":{\"rate\":400}}}",
		  "spikes?population=noise" },
		{ "stimuli", "{\"set\":{\"population\":\"cell\",\"params\":{\"I_e\":900}}}",
		  "spikes?population=cell" },
		{ "stimuli",
		  "{\"schedule\":[{\"spikes\":{\"population\":\"mute\",\"count\":1}},"
		  "{\"spikes\":{\"population\":\"mute\",\"count\":2}}]}",
		  "spikes?population=mute" },
		{ "parameters", "{\"set\":{\"population\":\"cell\",\"params\":{\"tau_m\":30}}}",
		  "spikes?population=cell" },
		{ "parameters", "{\"plasticity\":{\"on\":false}}", "weights?projection=wire" },
		{ "parameters", "{\"plasticity\":{\"projection\":\"wire\",\"on\":false}}",
		  "weights?projection=wire" },
		{ "parameters", "{\"reward\":{\"projection\":\"learn\",\"amount\":20}}",
		  "weights?projection=learn" },
	};
	char root[64], plain[64], fork[PATH], told[64];

	made("/v1/sessions", NET, root);
	step(root, 50);
	(void)snprintf(fork, sizeof(fork), "/v1/sessions/%s/fork", root);
	made(fork, "{\"name\":\"plain\"}", plain);
	step(plain, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply r;

		made(fork, NULL, told);
		r = on("POST", told, cases[i].what, cases[i].body);
		cr_assert_eq(r.status, 200, "%s: %s", cases[i].body, r.body);
		cr_assert_float_eq(reply_number(&r, "/t_ms"), 50, 1e-9, "time moved: %s", r.body);
		cr_assert(json_is_integer(reply_at(&r, "/seq")), "%s", r.body);
		cr_assert_str_eq(reply_text(&r, "/id"), told);
		reply_release(&r);
		cr_assert(same(root, told, cases[i].view), "%s: it shows before time moves",
			  cases[i].body);
		step(told, 100);
		cr_assert_not(same(plain, told, cases[i].view), "%s: no effect", cases[i].body);
	}
	made(fork, NULL, told); /* and one that was told nothing */
	step(told, 100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert(same(plain, told, cases[i].view), "%s", cases[i].view);
}

/* ---- order ---- */

struct worker {
	const char *id;
	double seq[STEPS], t_ms[STEPS];
};

static void *work(void *self)
{
	struct worker *x = self;

	for (size_t i = 0; i < STEPS; i++) {
		struct reply r = on("POST", x->id, "step", "{\"duration_ms\":1}");

		x->seq[i] = r.status == 200 ? reply_number(&r, "/seq") : -1.0;
		x->t_ms[i] = reply_number(&r, "/t_ms");
		reply_release(&r);
	}
	return NULL;
}

/* Who has the later number has the later time; no step is lost, none is done twice. */
Test(commands, those_of_many_clients_are_done_one_after_the_other)
{
	struct worker workers[WORKERS];
	pthread_t threads[WORKERS];
	char id[64];

	made("/v1/sessions", NET, id);
	for (size_t i = 0; i < WORKERS; i++) {
		workers[i].id = id;
		cr_assert_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < WORKERS; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
	for (size_t i = 0; i < (size_t)WORKERS * STEPS; i++) {
		const struct worker *x = &workers[i / STEPS];
		double seq = x->seq[i % STEPS], earlier = 1.0;

		cr_assert_gt(seq, 0.0, "%g", seq);
		for (size_t k = 0; k < (size_t)WORKERS * STEPS; k++)
			earlier += workers[k / STEPS].seq[k % STEPS] < seq;
		cr_assert_float_eq(x->t_ms[i % STEPS], earlier, 1e-9, "number %g at %g ms", seq,
				   x->t_ms[i % STEPS]);
	}
}

/* The next of the answers that carry a time and a number. */
static double numbered(const char *id, const char *what, const char *body, double t_ms,
		       char made_id[64])
{
	struct reply r = on("POST", id, what, body);
	double seq = reply_number(&r, "/seq");

	cr_assert(r.status == 200 || r.status == 201, "%s: %d %s", what, r.status, r.body);
	cr_assert_float_eq(reply_number(&r, "/t_ms"), t_ms, 1e-9, "%s: %s", what, r.body);
	cr_assert_gt(seq, 0.0, "%s: %s", what, r.body);
	(void)snprintf(made_id, 64, "%s", reply_text(&r, "/id"));
	reply_release(&r);
	return seq;
}

Test(commands, each_answer_has_its_time_and_its_number)
{
	static const char *const cases[][2] = {
		{ "stimuli", "{\"spikes\":{\"population\":\"mute\",\"count\":1}}" },
		{ "parameters", "{\"plasticity\":{\"on\":false}}" },
		{ "fork", "{}" },
		{ "play", "{\"speed\":0.0001}" },
	};
	char id[64], point[64], other[64], body[128];
	double last, seq;

	made("/v1/sessions", NET, id);
	last = numbered(id, "step", "{\"duration_ms\":50}", 50, other);
	seq = numbered(id, "checkpoints", NULL, 50, point);
	cr_assert_gt(seq, last);
	last = numbered(id, "step", "{\"duration_ms\":50}", 100, other);
	cr_assert_gt(last, seq);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		seq = numbered(id, cases[i][0], cases[i][1], 100, other);
		cr_assert_gt(seq, last, "%s", cases[i][0]);
		last = seq;
	}
	(void)snprintf(body, sizeof(body), "{\"checkpoint_id\":\"%s\"}", point);
	(void)numbered(id, "restore", body, 50, other);
}

/* ---- bodies and beginnings ---- */

Test(commands, what_needs_no_input_takes_an_empty_object_or_nothing)
{
	static const char *const session[] = { "checkpoints", "save", "pause", "fork" };
	static const char *const run[] = { "rerun", "verify", "cancel" };
	char id[64], ended[64], path[PATH];
	struct reply r;

	made("/v1/sessions", NET, id);
	step(id, 50);
	harness_run(&h, SPECS_FAST, ended);
	r = harness_wait(&h, ended, 20);
	reply_release(&r);
	for (size_t i = 0; i < 7; i++) {
		const char *what = i < 4 ? session[i] : run[i - 4];
		int status[3];

		(void)snprintf(path, sizeof(path), "/v1/%s/%s/%s", i < 4 ? "sessions" : "runs",
			       i < 4 ? id : ended, what);
		for (size_t k = 0; k < 3; k++) {
			static const char *const bodies[] = { NULL, "{}", "[]" };

			if (strcmp(what, "cancel") == 0) { /* ends what it is asked of */
				harness_run(&h, SPECS_SLOW, ended);
				cr_assert(harness_state(&h, ended, "running", 20));
				(void)snprintf(path, sizeof(path), "/v1/runs/%s/cancel", ended);
			}
			r = harness_ask(&h, "POST", path, bodies[k], NULL);
			status[k] = r.status;
			reply_release(&r);
		}
		cr_assert(status[0] >= 200 && status[0] < 300, "%s: %d", what, status[0]);
		cr_assert_eq(status[1], status[0], "%s: %d", what, status[1]);
		cr_assert_eq(status[2], 422, "%s: %d", what, status[2]);
	}
}

Test(commands, a_session_begins_with_a_preset_too)
{
	char location[128];
	struct reply r =
		harness_ask(&h, "POST", "/v1/sessions",
			    "{\"preset\":\"balanced_plastic\",\"overrides\":[{\"path\":"
			    "\"/duration_ms\",\"value\":50}],\"seed\":9,\"name\":\"mine\"}",
			    NULL);
	struct reply one;

	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/preset"), "balanced_plastic");
	cr_assert_str_eq(reply_text(&r, "/name"), "mine");
	cr_assert_str_eq(reply_text(&r, "/seed"), "9");
	cr_assert_eq(reply_number(&r, "/t_ms"), 0.0);
	cr_assert(reply_header(&r, "Location", location, sizeof(location)));
	reply_release(&r);
	strncat(location, "/spec", sizeof(location) - strlen(location) - 1);
	one = harness_get(&h, location);
	cr_assert_eq(reply_number(&one, "/duration_ms"), 50.0, "%s", one.body);
	reply_release(&one);
}

Test(commands, a_session_begins_with_one_thing_that_is_there)
{
	static const char *const cases[][2] = {
		{ "{}", "" },
		{ "{\"preset\":\"none\"}", "/preset" },
		{ "{\"preset\":\"latency\",\"spec\":{}}", "" },
		{ "{\"from_run\":\"00000000000000000000000000000000\"}", "/from_run" },
		{ "{\"from_run\":7}", "/from_run" },
		{ "{\"from_checkpoint\":\"00000000000000000000000000000000\"}",
		  "/from_checkpoint" },
		{ "{\"from_run\":\"x\",\"from_checkpoint\":\"y\"}", "" },
		{ "{\"from_run\":\"x\",\"spec\":{}}", "/spec" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply r = harness_ask(&h, "POST", "/v1/sessions", cases[i][0], NULL);

		cr_assert_eq(r.status, 422, "%s: %d %s", cases[i][0], r.status, r.body);
		cr_assert_str_eq(reply_text(&r, "/errors/0/pointer"), cases[i][1], "%s", r.body);
		reply_release(&r);
	}
}
