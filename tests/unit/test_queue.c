/* test_queue - first come, first served, and never more than allowed. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/queue.h"
#include "server/store_db.h"

enum { MAX = 3 };

static char dir[64];
static struct store *store;
static struct queue *queue;

static void setup(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/stdpd-queue-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(store_open(&store, dir, NULL), 0);
	cr_assert_eq(queue_new(&queue, store, MAX, NULL), 0);
}

static void teardown(void)
{
	static const char *const files[] = { "stdpd.db", "stdpd.db-wal", "stdpd.db-shm", "lock" };
	char path[128];

	queue_free(queue);
	store_close(store);
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/runs", dir);
	(void)rmdir(path);
	(void)snprintf(path, sizeof(path), "%s/datasets", dir);
	(void)rmdir(path);
	(void)rmdir(dir);
}

TestSuite(queue, .init = setup, .fini = teardown);

static int push(const char *id)
{
	const struct store_run_new run = {
		.id = id, .spec = "{}", .spec_sha256 = "", .seed = "0", .threads = 1
	};
	int rc;

	cr_assert_eq(store_begin(store, NULL), 0);
	rc = queue_push(queue, &run, NULL);
	if (rc)
		store_rollback(store);
	else
		cr_assert_eq(store_commit(store, NULL), 0);
	return rc;
}

static void start(const char *id)
{
	cr_assert_eq(store_begin(store, NULL), 0);
	cr_assert_eq(store_run_move(store, id, RUN_QUEUED, RUN_START, NULL), 0);
	cr_assert_eq(store_commit(store, NULL), 0);
}

Test(queue, runs_start_in_the_order_they_came)
{
	static const char *const ids[] = { "c", "a", "b" };
	char id[ID_SIZE];

	cr_assert_eq(queue_next(queue, id, NULL), -ERR_NOTFOUND);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(push(ids[i]), 0);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(queue_next(queue, id, NULL), 0);
		cr_assert_str_eq(id, ids[i]);
		start(id);
	}
	cr_assert_eq(queue_next(queue, id, NULL), -ERR_NOTFOUND);
}

Test(queue, one_more_than_allowed_is_refused_until_one_starts)
{
	int64_t n = 0;

	cr_assert_eq(push("a"), 0);
	cr_assert_eq(push("b"), 0);
	cr_assert_eq(push("c"), 0);
	cr_assert_eq(push("d"), -ERR_QUEUEFULL);
	cr_assert_eq(queue_length(queue, &n, NULL), 0);
	cr_assert_eq(n, MAX);
	start("a");
	cr_assert_eq(push("d"), 0);
}

Test(queue, a_place_counts_from_one_and_moves_up)
{
	struct mem_arena arena;
	struct store_run run;
	int64_t place = 0;

	mem_arena_init(&arena, 0);
	cr_assert_eq(push("a"), 0);
	cr_assert_eq(push("b"), 0);
	cr_assert_eq(store_run_get(store, "b", &arena, &run, NULL), 0);
	cr_assert_eq(queue_position(queue, &run, &place, NULL), 0);
	cr_assert_eq(place, 2);
	start("a");
	cr_assert_eq(queue_position(queue, &run, &place, NULL), 0);
	cr_assert_eq(place, 1);
	mem_arena_release(&arena);
}

Test(queue, an_interrupted_run_keeps_its_place)
{
	char id[ID_SIZE];

	cr_assert_eq(push("a"), 0);
	cr_assert_eq(push("b"), 0);
	start("a");
	cr_assert_eq(store_begin(store, NULL), 0);
	cr_assert_eq(store_run_move(store, "a", RUN_RUNNING, RUN_INTERRUPT, NULL), 0);
	cr_assert_eq(store_run_move(store, "a", RUN_INTERRUPTED, RUN_REQUEUE, NULL), 0);
	cr_assert_eq(store_commit(store, NULL), 0);
	cr_assert_eq(queue_next(queue, id, NULL), 0);
	cr_assert_str_eq(id, "a");
}
