/* test_clock - the wall clock jumps: order, results, waiting and deliveries do not follow it. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "server/clock.h"
#include "server/store_hook.h"
#include "tests/desk.h"

static const int64_t DAY_MS = 24 * 3600 * (int64_t)1000, START_MS = 1800000000000;

static int64_t now_ms;

static int64_t wall(void)
{
	return now_ms;
}

static void setup(void)
{
	now_ms = START_MS;
	clock_replace(wall);
	desk_new();
}

static void teardown(void)
{
	clock_replace(NULL);
	desk_free();
}

TestSuite(clock, .init = setup, .fini = teardown, .timeout = 60);

static enum run_state state_of(const char *id)
{
	struct mem_arena arena;
	struct store_run run = { .state = RUN_N };

	mem_arena_init(&arena, 0);
	if (store_run_get(desk.api.store, id, &arena, &run, NULL))
		run.state = RUN_N;
	mem_arena_release(&arena);
	return run.state;
}

/* Before each step of its life another jump. */
Test(clock, a_run_ends_well_whatever_the_clock_does)
{
	static const int64_t jumps[][4] = {
		{ 1, -1, 1, -1 },
		{ -400, 800, -1, 0 },
		{ 3650, -3650, 0, 1 },
	};

	for (size_t i = 0; i < COUNTOF(jumps); i++) {
		char id[ID_SIZE];

		id_new(id);
		now_ms = START_MS + jumps[i][0] * DAY_MS;
		cr_assert_eq(desk_add_run(id, NULL), 0);
		now_ms += jumps[i][1] * DAY_MS;
		cr_assert_eq(desk_start_run(id, NULL), 0);
		now_ms += jumps[i][2] * DAY_MS;
		cr_assert_eq(desk_simulate(id, NULL), 0);
		now_ms += jumps[i][3] * DAY_MS;
		cr_assert_eq(desk_harvest(id), 0);
		cr_assert_eq(state_of(id), RUN_SUCCEEDED);
		cr_assert_eq(store_run_expire(desk.api.store, NULL), 0);
		cr_assert_eq(state_of(id), RUN_SUCCEEDED, "no days to keep were asked for");
	}
}

Test(clock, runs_start_in_the_order_they_came)
{
	char id[2][ID_SIZE], next[ID_SIZE];
	int64_t waiting = 0;

	id_new(id[0]);
	id_new(id[1]);
	cr_assert_eq(desk_add_run(id[0], NULL), 0);
	now_ms -= DAY_MS;
	cr_assert_eq(desk_add_run(id[1], NULL), 0);
	cr_assert_eq(queue_length(desk.api.queue, &waiting, NULL), 0);
	for (; waiting > 2; waiting--) {
		cr_assert_eq(queue_next(desk.api.queue, next, NULL), 0);
		cr_assert_eq(desk_start_run(next, NULL), 0);
	}
	cr_assert_eq(queue_next(desk.api.queue, next, NULL), 0);
	cr_assert_str_eq(next, id[0]);
}

static size_t due(int64_t at_ms, struct mem_arena *arena, struct store_delivery rows[4])
{
	const struct store_hook_due want = {
		.now_ms = at_ms, .far_ms = at_ms + DAY_MS / 12, .per_hook = 4, .n = 4
	};
	size_t n = 0;

	cr_assert_eq(store_hook_due(desk.api.store, &want, arena, rows, &n, NULL), 0);
	return n;
}

/* A delivery that waits for its next attempt as the clock goes back by a month does not wait for a month. */
Test(clock, a_delivery_does_not_wait_for_a_clock_that_went_back)
{
	const struct store_hook hook = { .id = "0123456789abcdef0123456789abcdef",
					 .name = "",
					 .url = "https://example.com/",
					 .events = "[\"*\"]",
					 .secret = "s",
					 .active = true };
	struct store_delivery rows[4];
	struct mem_arena arena;
	char id[ID_SIZE];

	mem_arena_init(&arena, 0);
	cr_assert_eq(store_hook_add(desk.api.store, &hook, NULL, 10, NULL), 0);
	id_new(id);
	cr_assert_eq(desk_add_run(id, NULL), 0);
	cr_assert_eq(desk_start_run(id, NULL), 0);
	cr_assert_eq(desk_simulate(id, NULL), 0);
	cr_assert_eq(desk_harvest(id), 0);
	cr_assert_eq(due(now_ms, &arena, rows), 1);
	rows[0].state = "pending";
	rows[0].next_ms = now_ms + 60000;
	rows[0].error = "no answer";
	cr_assert_eq(store_hook_tried(desk.api.store, &rows[0], NULL), 0);
	cr_assert_eq(due(now_ms, &arena, rows), 0);
	cr_assert_eq(due(now_ms + 60000, &arena, rows), 1);
	cr_assert_eq(due(now_ms - 30 * DAY_MS, &arena, rows), 1);
	mem_arena_release(&arena);
}

/* A key of the future is as good as any; one that a jump has made old is dropped, its run is not. */
Test(clock, keys_and_their_runs_survive_a_jump)
{
	static const char post[] =
		"POST /v1/runs\nIdempotency-Key: k\n\n{\"preset\":\"stdp_window\"}";
	static struct desk_request r;
	struct buf first, again;
	int64_t n = 0, more = 0;

	cr_assert(desk_read(&r, post, sizeof(post) - 1));
	cr_assert_eq(desk_ask(&r, &first), 202);
	cr_assert_eq(store_run_count(desk.api.store, &(struct store_run_filter){ 0 }, &n, NULL), 0);
	now_ms -= 2 * DAY_MS;
	cr_assert_eq(desk_ask(&r, &again), 202);
	cr_assert_eq(first.len, again.len);
	cr_assert_eq(memcmp(first.data, again.data, first.len), 0);
	buf_release(&again);
	now_ms += 5 * DAY_MS;
	cr_assert_eq(desk_ask(&r, &again), 202);
	cr_assert_eq(store_run_count(desk.api.store, &(struct store_run_filter){ 0 }, &more, NULL),
		     0);
	cr_assert_eq(more, n + 1);
	buf_release(&first);
	buf_release(&again);
}
