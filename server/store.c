/* store.c - SQLite behind statements by name; the only file that knows sqlite3.h.
 *
 * WAL with synchronous FULL: what was acknowledged survives a power cut. Connections are without
 * mutexes of their own: the writer belongs to whoever holds store.lock, a reader to its thread. */
/* SPDX-License-Identifier: MIT */
#include "server/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "server/embed.h"
#include "server/lock.h"
#include "server/log.h"
#include "server/store_db.h"
#include "server/store_sql.h"

enum { BUSY_MS = 10000 };

struct store_conn;

struct store_stmt {
	sqlite3_stmt *q;
	struct store_conn *conn;
	int failed; /* first failed bind, SQLITE_OK if none */
	bool busy;  /* being executed */
	bool extra; /* a second execution of a busy statement: finalized at its end */
};

struct store_conn {
	sqlite3 *db;
	struct store_conn *next;
	struct store_stmt stmt[SQL_N];
};

struct store {
	char *dir;	   /* absolute */
	int lock_fd;	   /* DIR/lock, flocked */
	pthread_key_t key; /* the calling thread's reader */
	bool has_key;
	struct lock lock; /* owns the writer; held from store_begin to its end */
	struct store_conn *writer;
	struct lock list_lock; /* owns readers */
	struct store_conn *readers;
};

static const char *const sql_text[SQL_N] = {
#define X(name, sql) [SQL_##name] = (sql),
	STORE_SQL_RUN(X) STORE_SQL_RESULT(X) STORE_SQL_SESSION(X) STORE_SQL_SPACE(X)
		STORE_SQL_SWEEP(X) STORE_SQL_ONCE(X) STORE_SQL_HOOK(X)
#undef X
};

static _Thread_local const struct store *writing; /* this thread is between begin and commit */

/* ---- errors ---- */

static int failed(sqlite3 *db, int rc, struct err *err)
{
	enum err_code code = ERR_INTERNAL;

	if (rc == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM)
		return err_nomem(err);
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL: /* too many tries for a lock of the log */
		code = ERR_BUSY;
		break;
	case SQLITE_FULL:
		code = ERR_NOSPACE;
		break;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
		code = ERR_IO;
		break;
	case SQLITE_CONSTRAINT:
		code = ERR_CONFLICT;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		code = ERR_CORRUPT;
		break;
	default:
		break;
	}
	return err_set(err, code, NULL, "the database answered: %s",
		       db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

static int sql(sqlite3 *db, const char *text, struct err *err)
{
	int rc = sqlite3_exec(db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : failed(db, rc, err);
}

/* ---- connections ---- */

static void conn_free(struct store_conn *c)
{
	if (!c)
		return;
	for (int i = 0; i < SQL_N; i++)
		(void)sqlite3_finalize(c->stmt[i].q);
	(void)sqlite3_close(c->db);
	mem_free(c);
}

static int conn_new(struct store_conn **ret, const char *dir, bool writer, struct err *err)
{
	struct store_conn *c = mem_alloc(1, sizeof(*c));
	int flags = writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	char path[4096];
	int rc;

	if (!c)
		return err_nomem(err);
	(void)snprintf(path, sizeof(path), "%s/stdpd.db", dir);
	rc = sqlite3_open_v2(path, &c->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK) {
		rc = failed(c->db, rc, err);
		conn_free(c);
		return rc;
	}
	(void)sqlite3_busy_timeout(c->db, BUSY_MS);
	(void)sqlite3_extended_result_codes(c->db, 1);
	rc = sql(c->db,
		 writer ? "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA "
			  "synchronous=FULL; PRAGMA foreign_keys=ON;"
			  "PRAGMA secure_delete=OFF; PRAGMA journal_size_limit=67108864"
			: "PRAGMA query_only=ON; PRAGMA mmap_size=268435456",
		 err);
	if (rc) {
		conn_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

static int conn_prepare(struct store_conn *c, int sql_id, sqlite3_stmt **ret, struct err *err)
{
	int rc = sqlite3_prepare_v3(c->db, sql_text[sql_id], -1, SQLITE_PREPARE_PERSISTENT, ret,
				    NULL);

	return rc == SQLITE_OK ? 0 : failed(c->db, rc, err);
}

/* The calling thread's reader, made at its first read. */
static int reader(struct store *s, struct store_conn **ret, struct err *err)
{
	struct store_conn *c = pthread_getspecific(s->key);
	int rc;

	if (!c) {
		rc = conn_new(&c, s->dir, false, err);
		if (rc)
			return rc;
		if (pthread_setspecific(s->key, c)) {
			conn_free(c);
			return err_nomem(err);
		}
		lock_take(&s->list_lock);
		c->next = s->readers;
		s->readers = c;
		lock_drop(&s->list_lock);
	}
	*ret = c;
	return 0;
}

/* ---- migrations ---- */

static int user_version(sqlite3 *db, int *ret, struct err *err)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc != SQLITE_ROW) {
		rc = failed(db, rc, err);
		(void)sqlite3_finalize(q);
		return rc;
	}
	*ret = sqlite3_column_int(q, 0);
	(void)sqlite3_finalize(q);
	return 0;
}

/* Number of a migration file: 1 of schema/sql/001_init.sql; 0: it is none. */
static int migration_number(const char *name)
{
	static const char folder[] = "schema/sql/";

	if (strncmp(name, folder, sizeof(folder) - 1) != 0)
		return 0;
	return (int)strtol(name + sizeof(folder) - 1, NULL, 10);
}

static int migrate(sqlite3 *db, bool alone, struct err *err)
{
	int have = 0, newest = 0, rc = user_version(db, &have, err);

	if (rc)
		return rc;
	for (const struct embed_file *f = embed_files; f->name;
	     f++) { /* sorted by name, so by number */
		int number = migration_number(f->name);
		char end[64];

		newest = number > newest ? number : newest;
		if (number <= have)
			continue;
		if (!alone)
			return err_set(
				err, ERR_CONFLICT, NULL,
				"the server that runs on this data folder is older than this "
				"program");
		(void)snprintf(end, sizeof(end), "; PRAGMA user_version=%d; COMMIT", number);
		rc = sql(db, "BEGIN IMMEDIATE", err);
		if (!rc)
			rc = sql(db, (const char *)f->data, err);
		if (!rc)
			rc = sql(db, end, err);
		if (rc) {
			(void)sql(db, "ROLLBACK", NULL);
			return rc;
		}
	}
	if (have > newest)
		return err_set(err, ERR_CONFLICT, NULL,
			       "the data folder has version %d, made by a newer program; this one "
			       "knows up to %d",
			       have, newest);
	return 0;
}

/* ---- the folder ---- */

/* mkdir -p, private to the user. */
static int make_dir(const char *dir, struct err *err)
{
	char path[4096];
	size_t n = strlen(dir);

	if (n + 16 >= sizeof(path) || n == 0)
		return err_set(err, ERR_RANGE, NULL,
			       "the path of the data folder must have 1 to %zu characters",
			       sizeof(path) - 17);
	memcpy(path, dir, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0700) && errno != EEXIST && errno != EROFS)
			return err_set(err, ERR_IO, NULL, "%s cannot be made: %s", path,
				       strerror(errno));
		path[i] = dir[i];
	}
	return 0;
}

static int make_sub(const char *dir, const char *name, struct err *err)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return make_dir(path, err);
}

/* `beside`: another server may have it; ret_alone tells whether none has. */
static int lock_dir(struct store *s, bool beside, bool *ret_alone, struct err *err)
{
	const struct timespec nap = { .tv_nsec = 25000000 };
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/lock", s->dir);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return err_set(err, ERR_IO, NULL, "%s cannot be opened: %s", path, strerror(errno));
	*ret_alone = flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0;
	/* A process that a server started as it was killed holds its lock for a moment more. */
	for (int i = 0; i < 40 && !*ret_alone && !beside; i++) {
		(void)nanosleep(&nap, NULL);
		*ret_alone = flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0;
	}
	if (!*ret_alone && !beside)
		return err_set(err, ERR_BUSY, NULL,
			       "the data folder %s is in use by another server", s->dir);
	return 0;
}

static int open_folder(struct store *s, const char *dir, bool beside, bool *ret_alone,
		       struct err *err)
{
	char path[4096] = "";
	int rc = make_dir(dir, err);

	if (rc)
		return rc;
	if (dir[0] != '/' && !getcwd(path, sizeof(path) / 2))
		return err_set(err, ERR_IO, NULL, "the current folder has no path: %s",
			       strerror(errno));
	if (*path)
		(void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s", dir);
	s->dir = mem_strdup(*path ? path : dir);
	if (!s->dir)
		return err_nomem(err);
	rc = make_sub(s->dir, "runs", err);
	if (!rc)
		rc = make_sub(s->dir, "sessions", err);
	if (!rc)
		rc = make_sub(s->dir, "datasets", err);
	return rc ? rc : lock_dir(s, beside, ret_alone, err);
}

static int open_store(struct store **ret, const char *dir, bool beside, struct err *err)
{
	struct store *s = mem_alloc(1, sizeof(*s));
	bool alone = true;
	int rc;

	if (!s)
		return err_nomem(err);
	lock_init(&s->lock);
	lock_init(&s->list_lock);
	s->lock_fd = -1;
	s->has_key = pthread_key_create(&s->key, NULL) == 0;
	rc = s->has_key ? open_folder(s, dir, beside, &alone, err) : err_nomem(err);
	if (!rc)
		rc = conn_new(&s->writer, s->dir, true, err);
	if (!rc)
		rc = migrate(s->writer->db, alone, err);
	for (int i = 0; !rc && i < SQL_N; i++)
		rc = conn_prepare(s->writer, i, &s->writer->stmt[i].q, err);
	if (rc) {
		store_close(s);
		return rc;
	}
	*ret = s;
	return 0;
}

int store_open(struct store **ret, const char *dir, struct err *err)
{
	return open_store(ret, dir, false, err);
}

int store_open_beside(struct store **ret, const char *dir, struct err *err)
{
	return open_store(ret, dir, true, err);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	while (s->readers) {
		struct store_conn *c = s->readers;

		s->readers = c->next;
		conn_free(c);
	}
	conn_free(s->writer);
	if (s->has_key)
		(void)pthread_key_delete(s->key);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	lock_release(&s->lock);
	lock_release(&s->list_lock);
	mem_free(s->dir);
	mem_free(s);
}

const char *store_dir(const struct store *s)
{
	return s->dir;
}

int store_check(struct store *s, struct err *err)
{
	struct store_stmt *q = NULL;
	int rc = store_start(&q, s, SQL_RUN_QUEUED, err);

	if (!rc)
		rc = store_step(q, err);
	store_end(q);
	return rc < 0 ? rc : 0;
}

/* ---- statements ---- */

int store_start(struct store_stmt **ret, struct store *s, int sql_id, struct err *err)
{
	struct store_conn *c = s->writer;
	struct store_stmt *q;
	int rc;

	if (writing != s) {
		rc = reader(s, &c, err);
		if (rc)
			return rc;
	}
	q = &c->stmt[sql_id];
	if (q->busy) {
		q = mem_alloc(1, sizeof(*q));
		if (!q)
			return err_nomem(err);
		q->extra = true;
	}
	if (!q->q) {
		rc = conn_prepare(c, sql_id, &q->q, err);
		if (rc) {
			if (q->extra)
				mem_free(q);
			return rc;
		}
	}
	q->conn = c;
	q->failed = SQLITE_OK;
	q->busy = true;
	*ret = q;
	return 0;
}

static void bound(struct store_stmt *q, int rc)
{
	assert(rc == SQLITE_OK || rc == SQLITE_NOMEM || rc == SQLITE_TOOBIG);
	if (q->failed == SQLITE_OK)
		q->failed = rc;
}

void store_bind_int(struct store_stmt *q, int at, int64_t v)
{
	bound(q, sqlite3_bind_int64(q->q, at, v));
}

void store_bind_double(struct store_stmt *q, int at, double v)
{
	bound(q, isnan(v) ? sqlite3_bind_null(q->q, at) : sqlite3_bind_double(q->q, at, v));
}

void store_bind_text(struct store_stmt *q, int at, const char *v)
{
	bound(q, sqlite3_bind_text(q->q, at, v, -1, SQLITE_TRANSIENT));
}

void store_bind_blob(struct store_stmt *q, int at, const void *v, size_t n)
{
	bound(q, n ? sqlite3_bind_blob64(q->q, at, v, n, SQLITE_STATIC)
		   : sqlite3_bind_zeroblob(q->q, at, 0));
}

int store_step(struct store_stmt *q, struct err *err)
{
	int rc;

	if (q->failed != SQLITE_OK)
		return failed(NULL, q->failed, err);
	rc = sqlite3_step(q->q);
	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : failed(q->conn->db, rc, err);
}

bool store_is_null(struct store_stmt *q, int col)
{
	return sqlite3_column_type(q->q, col) == SQLITE_NULL;
}

int64_t store_int(struct store_stmt *q, int col)
{
	return sqlite3_column_int64(q->q, col);
}

double store_double(struct store_stmt *q, int col)
{
	return sqlite3_column_double(q->q, col);
}

const char *store_text(struct store_stmt *q, int col)
{
	return (const char *)sqlite3_column_text(q->q, col);
}

const void *store_blob(struct store_stmt *q, int col, size_t *ret_n)
{
	const void *p = sqlite3_column_blob(q->q, col);

	*ret_n = (size_t)sqlite3_column_bytes(q->q, col);
	return p;
}

void store_end(struct store_stmt *q)
{
	if (!q)
		return;
	if (q->extra) {
		(void)sqlite3_finalize(q->q);
		mem_free(q);
		return;
	}
	(void)sqlite3_reset(q->q);
	(void)sqlite3_clear_bindings(q->q);
	q->busy = false;
}

/* ---- writes ---- */

/* BEGIN, COMMIT or ROLLBACK: prepared long ago, so that want of memory keeps none of them from happening. */
static int turn(struct store *s, int sql_id, struct err *err)
{
	sqlite3_stmt *q = s->writer->stmt[sql_id].q;
	int rc = sqlite3_step(q);

	rc = rc == SQLITE_DONE ? 0 : failed(s->writer->db, rc, err);
	(void)sqlite3_reset(q);
	return rc;
}

LOCK_UNCHECKED int store_begin(struct store *s, struct err *err)
{
	int rc;

	lock_take(&s->lock);
	rc = turn(s, SQL_BEGIN, err);
	if (rc)
		lock_drop(&s->lock);
	else
		writing = s;
	return rc;
}

LOCK_UNCHECKED int store_commit(struct store *s, struct err *err)
{
	int rc = turn(s, SQL_COMMIT, err);

	if (rc) {
		store_rollback(s);
		return rc;
	}
	writing = NULL;
	lock_drop(&s->lock);
	return 0;
}

LOCK_UNCHECKED void store_rollback(struct store *s)
{
	if (!sqlite3_get_autocommit(s->writer->db)) /* some errors roll back by themselves */
		(void)turn(s, SQL_ROLLBACK, NULL);
	writing = NULL;
	lock_drop(&s->lock);
}

int store_conclude(struct store *s, int rc, struct err *err)
{
	if (!rc)
		return store_commit(s, err);
	store_rollback(s);
	return rc;
}

int64_t store_changes(struct store *s)
{
	return sqlite3_changes64(s->writer->db);
}
