/* test_store - runs in SQLite: one winner a move, nothing half-written, one server a folder. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/clock.h"
#include "server/store_db.h"
#include "server/store_once.h"
#include "server/store_run.h"

static char dir[64];
static struct store *store;

static void setup(void)
{
	struct err err = { 0 };

	(void)snprintf(dir, sizeof(dir), "/tmp/stdpd-store-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(store_open(&store, dir, &err), 0, "%s", err.text);
}

static void teardown(void)
{
	static const char *const files[] = { "stdpd.db", "stdpd.db-wal", "stdpd.db-shm", "lock" };
	char path[128];

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

TestSuite(store, .init = setup, .fini = teardown);

static void add(const char *id, const char *tags)
{
	const struct store_run_new run = { .id = id,
					   .name = "a name",
					   .tags = tags,
					   .spec = "{}",
					   .spec_sha256 = "abc",
					   .seed = "1",
					   .threads = 1,
					   .duration_ms = 10.0 };

	cr_assert_eq(store_begin(store, NULL), 0);
	cr_assert_eq(store_run_add(store, &run, NULL), 0);
	cr_assert_eq(store_commit(store, NULL), 0);
}

static int move(const char *id, enum run_state from, enum run_event event)
{
	int rc;

	cr_assert_eq(store_begin(store, NULL), 0);
	rc = store_run_move(store, id, from, event, NULL);
	if (rc)
		store_rollback(store);
	else
		cr_assert_eq(store_commit(store, NULL), 0);
	return rc;
}

Test(store, a_run_comes_back_as_it_was_put_in)
{
	struct mem_arena arena;
	struct store_run run;

	mem_arena_init(&arena, 0);
	add("r1", "[\"x\"]");
	cr_assert_eq(store_run_get(store, "r1", &arena, &run, NULL), 0);
	cr_assert_eq(run.state, RUN_QUEUED);
	cr_assert_str_eq(run.name, "a name");
	cr_assert_str_eq(run.tags, "[\"x\"]");
	cr_assert_eq(run.version, 1);
	cr_assert_eq(run.started_ms, 0);
	cr_assert_null(run.digest);
	cr_assert_eq(store_run_get(store, "r2", &arena, &run, NULL), -ERR_NOTFOUND);
	mem_arena_release(&arena);
}

Test(store, a_move_from_another_state_is_refused)
{
	add("r1", "[]");
	cr_assert_eq(move("r1", RUN_QUEUED, RUN_START), 0);
	cr_assert_eq(move("r1", RUN_QUEUED, RUN_START), -ERR_STATE);
	cr_assert_eq(move("r1", RUN_RUNNING, RUN_REQUEUE), -ERR_STATE);
	cr_assert_eq(move("r1", RUN_RUNNING, RUN_END), 0);
	cr_assert_eq(move("r1", RUN_RUNNING, RUN_CANCEL), -ERR_STATE);
}

static atomic_int winners;

static void *racer(void *id)
{
	if (store_begin(store, NULL))
		return NULL;
	if (store_run_move(store, id, RUN_QUEUED, RUN_START, NULL) == 0 &&
	    store_commit(store, NULL) == 0)
		atomic_fetch_add(&winners, 1);
	else
		store_rollback(store);
	return NULL;
}

Test(store, of_many_threads_one_moves_a_run)
{
	static char id[] = "r1";
	pthread_t threads[8];

	add(id, "[]");
	for (int i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, racer, id), 0);
	for (int i = 0; i < 8; i++)
		(void)pthread_join(threads[i], NULL);
	cr_assert_eq(atomic_load(&winners), 1);
}

Test(store, what_is_rolled_back_was_never_there)
{
	const struct store_run_new run = {
		.id = "gone", .spec = "{}", .spec_sha256 = "", .seed = "0", .threads = 1
	};
	struct mem_arena arena;
	struct store_run row;

	mem_arena_init(&arena, 0);
	cr_assert_eq(store_begin(store, NULL), 0);
	cr_assert_eq(store_run_add(store, &run, NULL), 0);
	cr_assert_eq(store_run_get(store, "gone", &arena, &row, NULL), 0, "a write sees itself");
	store_rollback(store);
	cr_assert_eq(store_run_get(store, "gone", &arena, &row, NULL), -ERR_NOTFOUND);
	mem_arena_release(&arena);
}

Test(store, lists_filter_and_page_in_both_orders)
{
	struct store_run_filter f = { .limit = 2 };
	struct mem_arena arena;
	struct store_run *rows;
	int64_t count;
	size_t n;

	mem_arena_init(&arena, 0);
	add("a", "[\"one\"]");
	add("b", "[\"two\"]");
	add("c", "[\"one\",\"two\"]");
	cr_assert_eq(store_run_list(store, &f, &arena, &rows, &n, NULL), 0);
	cr_assert_eq(n, 2);
	cr_assert_str_eq(rows[0].id, "c");
	f.after_seq = rows[1].seq;
	cr_assert_eq(store_run_list(store, &f, &arena, &rows, &n, NULL), 0);
	cr_assert_eq(n, 1);
	cr_assert_str_eq(rows[0].id, "a");
	f = (struct store_run_filter){ .limit = 9, .tag = "two", .oldest_first = true };
	cr_assert_eq(store_run_list(store, &f, &arena, &rows, &n, NULL), 0);
	cr_assert_eq(n, 2);
	cr_assert_str_eq(rows[0].id, "b");
	f = (struct store_run_filter){ .limit = 9, .q = "A NAME" };
	cr_assert_eq(store_run_count(store, &f, &count, NULL), 0);
	cr_assert_eq(count, 3);
	f.q = "no such word";
	cr_assert_eq(store_run_count(store, &f, &count, NULL), 0);
	cr_assert_eq(count, 0);
	mem_arena_release(&arena);
}

static int on_event(void *self, int64_t seq, const char *kind, const char *data)
{
	char *text = self;

	cr_assert_gt(seq, 0);
	(void)strncat(text, kind, 100);
	(void)strncat(text, data, 100);
	return 0;
}

Test(store, each_move_leaves_an_event)
{
	char text[1024] = "";

	add("r1", "[]");
	cr_assert_eq(move("r1", RUN_QUEUED, RUN_START), 0);
	cr_assert_eq(store_event_read(store, "r1", 0, on_event, text, NULL), 0);
	cr_assert_not_null(strstr(text, "queued"));
	cr_assert_not_null(strstr(strstr(text, "queued"), "running"));
}

static int64_t fake_now;

static int64_t fake_clock(void)
{
	return fake_now;
}

/* ---- Idempotency-Keys ---- */

static const struct store_once once = { "", "key" };
static struct mem_arena keys;

/* How the key stands for a request of this hash; or -code. */
static int claim(const char *sha, struct store_once_row *ret)
{
	return store_once_claim(store, &once, sha, &keys, ret, NULL);
}

static void made(const char *note, bool settled)
{
	cr_assert_eq(store_begin(store, NULL), 0);
	cr_assert_eq(store_once_made(store, &once, note, settled, NULL), 0);
	cr_assert_eq(store_commit(store, NULL), 0);
}

Test(store, a_key_is_kept_with_its_answer_for_a_day)
{
	const struct store_once_row answer = {
		.status = 201, .location = "/v1/x", .body = "a\0b", .body_len = 3
	};
	const struct store_once others = { "ben", "key" };
	struct store_once_row row;

	mem_arena_init(&keys, 0);
	fake_now = 1000000000000;
	clock_replace(fake_clock);
	cr_assert_eq(claim("sha", &row), 0);
	cr_assert_eq(row.state, STORE_ONCE_NEW);
	cr_assert_eq(claim("sha", &row), -ERR_UNDERWAY);
	cr_assert_eq(claim("other", &row), -ERR_IDEMPOTENCY);
	cr_assert_eq(store_once_claim(store, &others, "other", &keys, &row, NULL), 0);
	cr_assert_eq(store_once_done(store, &once, &answer, NULL), 0);
	cr_assert_eq(store_once_free(store, &once, NULL), 0); /* what is answered stays */
	cr_assert_eq(claim("sha", &row), 0);
	cr_assert_eq(row.state, STORE_ONCE_DONE);
	cr_assert_eq(row.status, 201);
	cr_assert_str_eq(row.location, "/v1/x");
	cr_assert_eq(row.body_len, 3);
	cr_assert_arr_eq(row.body, "a\0b", 3);
	fake_now += 25 * 3600 * (int64_t)1000;
	cr_assert_eq(claim("other", &row), 0);
	cr_assert_eq(row.state, STORE_ONCE_NEW);
	clock_replace(NULL);
	mem_arena_release(&keys);
}

Test(store, a_key_of_what_failed_is_free_again)
{
	struct store_once_row row;

	mem_arena_init(&keys, 0);
	cr_assert_eq(claim("sha", &row), 0);
	cr_assert_eq(store_once_free(store, &once, NULL), 0);
	cr_assert_eq(claim("other", &row), 0);
	cr_assert_eq(row.state, STORE_ONCE_NEW);
	made("id", true);
	cr_assert_eq(store_once_free(store, &once, NULL), 0); /* not what was made */
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(claim("other", &row), 0);
		cr_assert_eq(row.state, STORE_ONCE_MADE);
		cr_assert_str_eq(row.note, "id");
	}
	mem_arena_release(&keys);
}

Test(store, who_comes_back_goes_on_where_the_client_left)
{
	struct store_once_row row;

	mem_arena_init(&keys, 0);
	cr_assert_eq(claim("sha", &row), 0);
	made("0 id", false);
	cr_assert_eq(store_once_leave(store, &once, STORE_ONCE_LEFT, "17 id", NULL), 0);
	cr_assert_eq(claim("sha", &row), 0);
	cr_assert_eq(row.state, STORE_ONCE_LEFT);
	cr_assert_str_eq(row.note, "17 id");
	cr_assert_eq(claim("sha", &row), -ERR_UNDERWAY); /* one of those who come back */
	cr_assert_eq(store_once_leave(store, &once, STORE_ONCE_LEFT, "17 id", NULL), 0);
	cr_assert_eq(store_once_restart(store, NULL), 0); /* notes of a process end with it */
	cr_assert_eq(claim("sha", &row), 0);
	cr_assert_eq(row.state, STORE_ONCE_LOST);
	cr_assert_str_eq(row.note, "0 id");
	mem_arena_release(&keys);
}

Test(store, a_run_goes_when_its_days_have_passed)
{
	const struct store_run_new run = { .id = "r1",
					   .spec = "{}",
					   .spec_sha256 = "",
					   .seed = "0",
					   .threads = 1,
					   .keep_days = 2 };
	struct mem_arena arena;
	struct store_run row;

	mem_arena_init(&arena, 0);
	fake_now = 1000000000000;
	clock_replace(fake_clock);
	cr_assert_eq(store_begin(store, NULL), 0);
	cr_assert_eq(store_run_add(store, &run, NULL), 0);
	cr_assert_eq(store_run_move(store, "r1", RUN_QUEUED, RUN_CANCEL, NULL), 0);
	cr_assert_eq(store_commit(store, NULL), 0);
	fake_now += 47 * 3600 * (int64_t)1000;
	cr_assert_eq(store_run_expire(store, NULL), 0);
	cr_assert_eq(store_run_get(store, "r1", &arena, &row, NULL), 0);
	fake_now += 2 * 3600 * (int64_t)1000;
	cr_assert_eq(store_run_expire(store, NULL), 0);
	cr_assert_eq(store_run_get(store, "r1", &arena, &row, NULL), -ERR_NOTFOUND);
	clock_replace(NULL);
	mem_arena_release(&arena);
}

Test(store, a_second_server_is_told_that_the_folder_is_in_use)
{
	struct store *other = NULL;
	struct err err = { 0 };

	cr_assert_eq(store_open(&other, dir, &err), -ERR_BUSY);
	cr_assert_not_null(strstr(err.text, "in use"));
	cr_assert_null(other);
}

/* As when a server is killed between fork and exec: the child still has the lock. */
Test(store, a_lock_that_is_about_to_go_is_waited_for)
{
	const struct timespec nap = { .tv_nsec = 100000000 };
	pid_t pid = fork();

	if (pid == 0) {
		(void)nanosleep(&nap, NULL);
		_exit(0);
	}
	cr_assert_gt(pid, 0);
	store_close(store);
	cr_assert_eq(store_open(&store, dir, NULL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

Test(store, what_was_committed_is_there_after_it_was_closed)
{
	struct mem_arena arena;
	struct store_run run;

	mem_arena_init(&arena, 0);
	add("r1", "[]");
	store_close(store);
	cr_assert_eq(store_open(&store, dir, NULL), 0);
	cr_assert_eq(store_run_get(store, "r1", &arena, &run, NULL), 0);
	mem_arena_release(&arena);
}

Test(store, times_are_read_and_written_alike)
{
	char text[CLOCK_TEXT_MAX];
	int64_t ms = 0;

	cr_assert(clock_parse("2026-01-31T12:34:56.789Z", &ms));
	cr_assert_str_eq(clock_text(ms, text), "2026-01-31T12:34:56.789Z");
	cr_assert(clock_parse("2024-02-29", &ms));
	cr_assert_str_eq(clock_text(ms, text), "2024-02-29T00:00:00.000Z");
	cr_assert(clock_parse("2026-01-31T12:00:00+02:00", &ms));
	cr_assert_str_eq(clock_text(ms, text), "2026-01-31T10:00:00.000Z");
	cr_assert(!clock_parse("yesterday", &ms));
	cr_assert(!clock_parse("2026-13-01", &ms));
	cr_assert(!clock_parse("2026-01-31T25:00:00Z", &ms));
	cr_assert(!clock_parse("2026-01-31Tx", &ms));
}
