/* test_server_memory - out of memory at every allocation of a request: the answer is whole, or says so.
 *
 * A read answers as before or with 503; a write that answered with success has had its effect. Nothing is
 * left over, and the next request is served. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sqlite3.h>

#include "tests/check.h"
#include "tests/desk.h"

static void setup(void)
{
	json_set_alloc_funcs(mem_json_alloc, mem_json_free);
	cr_assert(store_hook_memory());
	cr_assert_eq(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0),
		     SQLITE_OK); /* no small reserves */
	desk_new();
}

TestSuite(server_memory, .init = setup, .fini = desk_free, .timeout = 300);

static int ask(const char *text, struct buf *body)
{
	static struct desk_request r;

	cr_assert(desk_read(&r, text, strlen(text)));
	return desk_ask(&r, body);
}

static bool equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

/* `same`: it answers the same each time. */
static void torture(const char *text, bool same)
{
	struct buf first, body;
	int want = ask(text, &first), status;
	size_t failures = 0;

	cr_assert_lt(want, 300, "%s: %d %s", text, want, first.data ? first.data : "");
	for (struct check_torture t = check_torture(); check_torture_next(&t);) {
		size_t refused = mem_refused();

		status = ask(text, &body);
		t.done = mem_refused() == refused;
		failures += status == 503;
		cr_assert(status == want || (!t.done && status == 503), "%s, allocation %zu: %d %s",
			  text, t.k, status, body.data ? body.data : "");
		cr_assert(status != want || !same || equal(&first, &body),
			  "%s, allocation %zu: another answer: %s", text, t.k,
			  body.data ? body.data : "");
		buf_release(&body);
	}
	cr_assert_gt(failures, 2, "%s", text);
	buf_release(&first);
}

Test(server_memory, what_is_read_is_whole_or_503)
{
	static const char *const requests[] = {
		"GET /v1/runs?page_size=2&total=true&tag=a",
		"GET /v1/runs/@",
		"GET /v1/runs/@/provenance",
		"GET /v1/runs/@/results",
		"GET /v1/runs/@/artifacts",
		"GET /v1/runs/@/artifacts/spikes.in.neuron.npy",
		"GET /v1/runs/@/spikes?population=in&neurons=0-1&t1_ms=20",
		"GET /v1/runs/@/spikes?population=in&format=csv&t1_ms=20",
		"GET /v1/runs/@/raster?population=in&rows=2&cols=4",
		"GET /v1/runs/@/rates?population=cell&bin_ms=20",
		"GET /v1/runs/@/isi?population=in&bins=3",
		"GET /v1/runs/@/psth?population=cell&events_ms=15,50",
		"GET /v1/runs/@/states/V_m?population=cell&max_points=6",
		"GET /v1/runs/@/weights?projection=syn",
		"GET /v1/runs/@/weights/histogram?projection=syn",
		"GET /v1/runs/@/weights/matrix?projection=syn",
		"GET /v1/runs/@/weights/series?projection=syn&synapses=1&t1_ms=30",
		"GET /v1/runs/@/stdp?projection=syn&t1_ms=30",
		"GET /v1/runs/@/why?projection=syn&synapse=0",
		"GET /v1/runs/@/why?projection=syn&synapse=2", /* 202: to be simulated again */
		"GET /v1/compare?runs=@,@",
		"GET /v1/presets/stdp_window",
		"GET /v1/webhooks",
		"GET /v1/datasets",
		"GET /v1/me",
	};

	for (size_t i = 0; i < COUNTOF(requests); i++)
		torture(requests[i], true);
}

Test(server_memory, a_spec_is_checked_wholly_or_503)
{
	torture("POST /v1/specs/validate\n\n{\"spec\":{\"duration_ms\":5,\"populations\":{\"a\":"
		"{\"model\":\"iaf_psc_exp\",\"size\":3,\"params\":{\"tau_m\":10}}}}}",
		true);
	torture("POST /v1/specs/validate\n\n{\"spec\":{\"duration_ms\":-5,\"populations\":{\"a\":"
		"{\"model\":\"none\",\"size\":3}}}}",
		true);
}

/* The store is opened, a run added and read, by connections that are made anew: done, or out of memory. */
static int reopen(struct err *err)
{
	int rc = desk_open(err);
	struct mem_arena arena;
	struct store_run run;
	char id[ID_SIZE];

	id_new(id);
	mem_arena_init(&arena, 0);
	if (!rc)
		rc = desk_add_run(id, err);
	if (!rc)
		rc = store_run_get(desk.api.store, id, &arena, &run, err);
	if (!rc)
		cr_assert_eq(run.state, RUN_QUEUED);
	mem_arena_release(&arena);
	return rc;
}

Test(server_memory, a_store_is_opened_and_used_or_says_why)
{
	size_t rounds = 0;
	bool done = false;

	desk_close();
	for (int sticky = 0; sticky < 2; sticky++, done = false) {
		for (size_t k = 1; !done; k += 1 + k / 32) {
			size_t live = mem_live(), refused = mem_refused();
			struct err err = { 0 };
			int rc;

			mem_fail_at(k, sticky);
			rc = reopen(&err);
			mem_fail_at(0, false);
			done = mem_refused() == refused;
			cr_assert(rc ? !done && err.code == ERR_NOMEM : true,
				  "allocation %zu: %s: %s", k, err_name(err.code), err.text);
			desk_close();
			cr_assert_eq(mem_live(), live, "allocation %zu", k);
			rounds++;
		}
	}
	cr_assert_gt(rounds, 50);
	cr_assert(desk_is_intact());
	cr_assert_eq(desk_open(NULL), 0);
}

static int64_t runs(void)
{
	int64_t n = 0;

	cr_assert_eq(store_run_count(desk.api.store, &(struct store_run_filter){ 0 }, &n, NULL), 0);
	return n;
}

/* Ids of all that was accepted are there; nothing is there twice. */
Test(server_memory, an_accepted_run_is_there)
{
	static const char text[] = "POST /v1/runs\n\n{\"preset\":\"stdp_window\",\"overrides\":[{"
				   "\"path\":\"/params/pairs\",\"value\":2}],\"name\":\"n\"}";
	int64_t before = runs(), accepted = 0;
	struct buf body;

	for (struct check_torture t = check_torture(); check_torture_next(&t);) {
		size_t refused = mem_refused();
		int status = ask(text, &body);
		json_t *run;

		t.done = mem_refused() == refused;
		mem_fail_at(0, false);
		cr_assert(status == 202 || (!t.done && status == 503), "allocation %zu: %d %s", t.k,
			  status, body.data ? body.data : "");
		if (status == 202) {
			struct mem_arena arena;
			struct store_run row;

			run = json_loadb(body.data, body.len, 0, NULL);
			mem_arena_init(&arena, 0);
			cr_assert_eq(store_run_get(desk.api.store,
						   json_string_value(json_object_get(run, "id")),
						   &arena, &row, NULL),
				     0);
			cr_assert_eq(row.state, RUN_QUEUED);
			mem_arena_release(&arena);
			json_decref(run);
			accepted++;
		}
		buf_release(&body);
	}
	cr_assert_geq(runs(), before + accepted);
	cr_assert(desk_is_intact());
}

Test(server_memory, what_is_changed_is_changed_or_503)
{
	torture("PATCH /v1/runs/@\n\n{\"name\":\"b\",\"tags\":[\"x\",\"y\"],\"notes\":\"c\","
		"\"pinned\":true}",
		false);
	torture("POST /v1/webhooks\n\n{\"url\":\"https://example.com/\",\"events\":[\"run.*\"]}",
		false);
	torture("POST /v1/datasets?name=n\nContent-Type: text/csv\n\nt_ms,neuron\n1,0\n2,1\n",
		false);
}

static void make_ended(char id[ID_SIZE])
{
	id_new(id);
	cr_assert_eq(desk_add_run(id, NULL), 0);
	cr_assert_eq(desk_start_run(id, NULL), 0);
	cr_assert_eq(desk_simulate(id, NULL), 0);
}

/* Spikes of a run, as they are read. */
static void spikes(const char *id, struct buf *body)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "GET /v1/runs/%s/spikes?population=in", id);
	cr_assert_eq(ask(text, body), 200);
}

/* Bring it in with allocation k failing, then again with memory. False: nothing was refused. */
static bool bring_in(size_t k, bool sticky, const struct buf *want)
{
	struct harvest_job job = { 0 };
	struct mem_arena arena;
	struct store_run run;
	struct buf body;
	char id[ID_SIZE];
	size_t refused = mem_refused(), live;
	bool failed;
	int rc;

	make_ended(id);
	memcpy(job.id, id, ID_SIZE);
	live = mem_live();
	mem_fail_at(k, sticky);
	rc = harvest(desk.api.store, desk.api.event, &job);
	mem_fail_at(0, false);
	failed = mem_refused() != refused;
	cr_assert(!rc || failed, "allocation %zu", k);
	if (rc)
		cr_assert_eq(harvest(desk.api.store, desk.api.event, &job), 0, "allocation %zu", k);
	mem_arena_init(&arena, 0);
	cr_assert_eq(store_run_get(desk.api.store, id, &arena, &run, NULL), 0);
	cr_assert_eq(run.state, RUN_SUCCEEDED, "allocation %zu: %s", k,
		     run.error ? run.error : run_state_name(run.state));
	cr_assert_eq(strlen(run.digest), 16, "allocation %zu", k);
	mem_arena_release(&arena);
	spikes(id, &body);
	cr_assert(equal(want, &body), "allocation %zu", k);
	buf_release(&body);
	cr_assert_eq(mem_live(), live, "allocation %zu", k);
	return failed;
}

/* The process of a run has ended, and memory is short as its result is brought in: with memory again it
 * is there, whole. */
Test(server_memory, a_finished_result_is_not_lost)
{
	struct buf want;
	size_t rounds = 0;

	spikes(desk.run, &want);
	for (int sticky = 0; sticky < 2; sticky++)
		for (size_t k = 1; bring_in(k, sticky, &want); k += 1 + k / 8)
			rounds++;
	cr_assert_gt(rounds, 20);
	buf_release(&want);
	cr_assert(desk_is_intact());
}
