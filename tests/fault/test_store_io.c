/* test_store_io - the disk under the database fails at every call in turn: nothing accepted is lost.
 *
 * A file system of the kind SQLite asks for stands before the real one and lets the k-th call of a kind fail,
 * once or from then on. After each round the store is opened anew without faults. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sqlite3.h>

#include "tests/desk.h"

/* ---- a file system that fails ---- */

enum call { CALL_READ, CALL_WRITE, CALL_SYNC, CALL_LOCK, CALL_N };

static struct {
	enum call call;
	int code;     /* what it answers */
	unsigned at;  /* the call that fails, counted from 1; 0: none */
	bool lasting; /* and all behind it */
	unsigned seen;
	unsigned failed;
} fault;

struct shim {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs *real_vfs;

static bool fails(enum call call)
{
	bool yes;

	if (!fault.at || call != fault.call)
		return false;
	fault.seen++;
	yes = fault.seen == fault.at || (fault.lasting && fault.seen > fault.at);
	fault.failed += yes;
	return yes;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((struct shim *)(void *)f)->real;
}

static int on_close(sqlite3_file *f)
{
	return real_of(f)->pMethods ? real_of(f)->pMethods->xClose(real_of(f)) : SQLITE_OK;
}

static int on_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return fails(CALL_READ) ? fault.code : real_of(f)->pMethods->xRead(real_of(f), p, n, at);
}

static int on_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	return fails(CALL_WRITE) ? fault.code : real_of(f)->pMethods->xWrite(real_of(f), p, n, at);
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	return fails(CALL_WRITE) ? fault.code : real_of(f)->pMethods->xTruncate(real_of(f), n);
}

static int on_sync(sqlite3_file *f, int flags)
{
	return fails(CALL_SYNC) ? fault.code : real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int on_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return real_of(f)->pMethods->xFileSize(real_of(f), n);
}

static int on_lock(sqlite3_file *f, int how)
{
	return fails(CALL_LOCK) ? fault.code : real_of(f)->pMethods->xLock(real_of(f), how);
}

static int on_unlock(sqlite3_file *f, int how)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), how);
}

static int on_reserved(sqlite3_file *f, int *ret)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), ret);
}

static int on_control(sqlite3_file *f, int op, void *p)
{
	return real_of(f)->pMethods->xFileControl(real_of(f), op, p);
}

static int on_sector(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int on_device(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int on_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, ret);
}

static int on_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	if ((flags & SQLITE_SHM_LOCK) && fails(CALL_LOCK))
		return fault.code;
	return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}

static void on_shm_barrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int on_shm_unmap(sqlite3_file *f, int del)
{
	return real_of(f)->pMethods->xShmUnmap(real_of(f), del);
}

/* Version 2: nothing is read past xRead, through memory maps. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_reserved,
	.xFileControl = on_control,
	.xSectorSize = on_sector,
	.xDeviceCharacteristics = on_device,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct shim *s = (struct shim *)(void *)f;
	int rc;

	(void)v;
	s->real = (sqlite3_file *)(void *)(s + 1);
	rc = real_vfs->xOpen(real_vfs, name, s->real, flags, ret_flags);
	s->base.pMethods = rc == SQLITE_OK ? &methods : NULL;
	return rc;
}

/* Nobody is waited for: the tries count, not the time. */
static int on_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return us;
}

static void interpose(void)
{
	static sqlite3_vfs vfs;

	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.zName = "faulty";
	vfs.szOsFile += (int)sizeof(struct shim);
	vfs.xOpen = on_open;
	vfs.xSleep = on_sleep;
	cr_assert_eq(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
	desk_new();
}

TestSuite(store_io, .init = interpose, .fini = desk_free, .timeout = 120);

/* ---- what must hold ---- */

/* A run's life; which of its steps were answered with success. */
struct life {
	char id[ID_SIZE];
	bool accepted, started, ended;
	int rc; /* of the step that failed */
};

static void live(struct life *l)
{
	struct err err = { 0 };

	memset(l, 0, sizeof(*l));
	id_new(l->id);
	desk_close();
	l->rc = desk_open(&err); /* nothing is in memory yet */
	if (l->rc)
		return;
	l->rc = desk_add_run(l->id, &err);
	l->accepted = l->rc == 0;
	if (l->accepted)
		l->rc = desk_start_run(l->id, &err);
	l->started = l->accepted && l->rc == 0;
	if (l->started)
		l->rc = desk_simulate(l->id, &err);
	if (l->started && l->rc == 0) {
		l->rc = desk_harvest(l->id);
		l->ended = l->rc == 0;
	}
}

/* With the disk in order again: all that was said to be so is so, and what was left undone can be done. */
static void check_life(const struct life *l)
{
	struct mem_arena arena;
	struct store_run run;
	struct err err = { 0 };
	int rc;

	desk_close();
	cr_assert_eq(desk_open(&err), 0, "%s", err.text);
	cr_assert(desk_is_intact());
	mem_arena_init(&arena, 0);
	rc = store_run_get(desk.api.store, l->id, &arena, &run, &err);
	cr_assert(rc == 0 || (!l->accepted && rc == -ERR_NOTFOUND), "%s", err.text);
	if (rc == 0 && run.state == RUN_RUNNING && l->started)
		cr_assert_eq(desk_harvest(l->id), 0);
	mem_arena_release(&arena);
	if (rc)
		return;
	cr_assert_eq(store_run_get(desk.api.store, l->id, &arena, &run, &err), 0);
	if (fault.code == SQLITE_FULL && run.state == RUN_FAILED) /* it says so, and only so */
		cr_assert_not_null(strstr(run.error, "storage-full"), "%s", run.error);
	else if (l->started)
		cr_assert_eq(run.state, RUN_SUCCEEDED, "call %u: %s %s", fault.failed,
			     run_state_name(run.state), run.error ? run.error : "");
	else
		cr_assert(run.state == RUN_QUEUED || run.state == RUN_RUNNING);
	mem_arena_release(&arena);
	cr_assert_eq(store_run_get(desk.api.store, desk.run, &arena, &run, &err), 0);
	cr_assert_eq(run.state, RUN_SUCCEEDED);
	mem_arena_release(&arena);
}

/* One run's life after the other, each with a later call failing, until one goes well. */
static void torture(enum call call, int code, bool lasting)
{
	unsigned rounds = 0;
	struct life l;

	for (unsigned k = 1;; k += 1 + k / 6) {
		fault.call = call;
		fault.code = code;
		fault.lasting = lasting;
		fault.seen = fault.failed = 0;
		fault.at = k;
		live(&l);
		fault.at = 0;
		check_life(&l);
		rounds++;
		if (!fault.failed)
			break;
	}
	cr_assert(l.ended);
	cr_assert_gt(rounds, 3);
}

Test(store_io, a_write_that_fails_loses_nothing)
{
	torture(CALL_WRITE, SQLITE_IOERR_WRITE, false);
	torture(CALL_WRITE, SQLITE_IOERR_WRITE, true);
}

Test(store_io, a_full_disk_loses_nothing_that_was_accepted)
{
	torture(CALL_WRITE, SQLITE_FULL, false);
}

Test(store_io, a_sync_that_fails_loses_nothing)
{
	torture(CALL_SYNC, SQLITE_IOERR_FSYNC, false);
	torture(CALL_SYNC, SQLITE_IOERR_FSYNC, true);
}

Test(store_io, a_read_that_fails_loses_nothing)
{
	torture(CALL_READ, SQLITE_IOERR_READ, false);
	torture(CALL_READ, SQLITE_IOERR_READ, true);
}

Test(store_io, a_busy_database_is_waited_for)
{
	torture(CALL_LOCK, SQLITE_BUSY, false);
	torture(CALL_LOCK, SQLITE_BUSY, true);
}
