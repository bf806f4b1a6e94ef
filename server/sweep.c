/* sweep.c - the thread of sweeps, and what watchers of one hear. */
/* SPDX-License-Identifier: MIT */
#include "server/sweep.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/engine.h"
#include "core/spec_json.h"
#include "server/clock.h"
#include "server/crypt.h"
#include "server/dump.h"
#include "server/event.h"
#include "server/exec.h"
#include "server/lock.h"
#include "server/log.h"
#include "server/queue.h"
#include "server/space.h"
#include "server/store_db.h"
#include "server/store_space.h"
#include "server/sweep_plan.h"
#include "server/thread.h"

static const double RETRY_S = 2.0; /* no room in the queue or the storage, or something failed */
enum { LABEL_MAX = 200, TEXT_MAX = 1 << 30, DATA_MAX = 4096 };

struct sweep {
	struct sweep_config config;
	struct thread thread;
	struct lock lock; /* owns all below */
	struct lock_cond more;
	bool woken, stopping;
};

void sweep_wake(struct sweep *x)
{
	lock_take(&x->lock);
	x->woken = true;
	lock_cond_signal(&x->more);
	lock_drop(&x->lock);
}

static void on_run(void *self, const char *run_id)
{
	(void)run_id;
	sweep_wake(self);
}

static void tell(struct sweep *x, const char *id)
{
	char topic[STORE_SWEEP_TOPIC_MAX];

	store_sweep_topic(id, topic);
	event_wake_topic(x->config.event, topic);
	event_wake_topic(x->config.event, EVENT_TOPIC_HOOK);
}

/* ---- one point ---- */

/* What a point's run is made of. */
struct point {
	json_t *spec;
	char *text; /* mem_free */
	char sha256[CRYPT_HEX_SIZE];
	char label[LABEL_MAX];
	const char *tags; /* in the arena */
};

static void point_release(struct point *p)
{
	json_decref(p->spec);
	mem_free(p->text);
}

/* The sweep's tags, and one that names it. */
static const char *tags_of(const struct store_sweep *row, struct mem_arena *arena)
{
	json_t *tags = json_loads(row->tags, 0, NULL);
	const char *kept = NULL;
	struct buf text;

	buf_init(&text, TEXT_MAX);
	(void)json_array_append_new(tags, json_sprintf("sweep:%.8s", row->id));
	if (tags && !dump_json(&text, tags))
		kept = mem_arena_strdup(arena, text.data);
	buf_release(&text);
	json_decref(tags);
	return kept;
}

static int point_make(const struct store_sweep *row, const struct sweep_plan *plan,
		      struct mem_arena *arena, struct point *ret, struct err *err)
{
	size_t axis = 0, n = 0;
	struct buf text;
	char *canonical;
	bool ok;

	*ret = (struct point){ .spec = sweep_plan_spec(plan, row->next_point, &axis),
			       .tags = tags_of(row, arena) };
	buf_init(&text, TEXT_MAX);
	ok = ret->spec && ret->tags && !dump_json(&text, ret->spec);
	canonical = ok ? spec_json_canonical(ret->spec) : NULL;
	ok = canonical && crypt_sha256(canonical, strlen(canonical), ret->sha256);
	mem_free(canonical);
	if (ok)
		ret->text = buf_take(&text, &n);
	buf_release(&text);
	(void)snprintf(ret->label, sizeof(ret->label), "%.80s%s", row->name,
		       *row->name ? ": " : "");
	n = strlen(ret->label);
	sweep_plan_label(plan, row->next_point, ret->label + n, sizeof(ret->label) - n);
	if (ret->text)
		return 0;
	point_release(ret);
	return err_nomem(err);
}

/* A stored run of the same spec, if the sweep takes such. */
static bool point_known(struct sweep *x, const struct store_sweep *row, const struct point *p,
			struct mem_arena *arena, char id[ID_SIZE])
{
	struct store_run old;

	if (!row->reuse || store_run_by_spec(x->config.store, p->sha256, ENGINE_VERSION, row->owner,
					     arena, &old, NULL))
		return false;
	(void)snprintf(id, ID_SIZE, "%s", old.id);
	return true;
}

/* In one transaction: the run, and that the point has it. */
static int point_store(struct sweep *x, const struct store_sweep *row, const struct point *p,
		       const char *id, bool known, struct err *err)
{
	const struct store_run_new run = {
		.id = id,
		.name = p->label,
		.tags = p->tags,
		.preset = row->preset,
		.experiment = row->experiment,
		.spec = p->text,
		.spec_sha256 = p->sha256,
		.seed = json_string_value(json_object_get(p->spec, "seed")),
		.owner = row->owner,
		.sweep = row->id,
		.trace = row->trace,
		.threads = row->threads,
		.keep_days = row->keep_days,
		.owner_max = row->quota_runs,
		.duration_ms = json_number_value(json_object_get(p->spec, "duration_ms")),
	};
	int rc = store_begin(x->config.store, err);

	if (rc)
		return rc;
	rc = store_sweep_step(x->config.store, row->id, row->next_point, id, known, err);
	if (!rc && !known)
		rc = queue_push(x->config.queue, &run, err);
	return store_conclude(x->config.store, rc, err);
}

/* The next point gets its run. */
static int point_add(struct sweep *x, const struct store_sweep *row, const struct sweep_plan *plan,
		     bool *ret_known, struct err *err)
{
	struct mem_arena arena;
	struct point p;
	char id[ID_SIZE];
	int rc;

	mem_arena_init(&arena, 0);
	rc = point_make(row, plan, &arena, &p, err);
	if (!rc) {
		*ret_known = point_known(x, row, &p, &arena, id);
		if (!*ret_known)
			id_new(id);
		rc = point_store(x, row, &p, id, *ret_known, err);
		point_release(&p);
	}
	mem_arena_release(&arena);
	if (!rc && !*ret_known)
		event_wake(x->config.event, id);
	return rc;
}

/* ---- one sweep ---- */

static int has_room(struct sweep *x, const struct store_sweep *row, struct err *err)
{
	const struct sweep_config *c = &x->config;
	int64_t used = 0;
	int rc = space_check(c->store, c->storage_max_mb << 20, c->storage_free_mb << 20, err);

	if (!rc && row->owner && row->quota_mb)
		rc = store_space_bytes(c->store, row->owner, &used, err);
	if (!rc && row->owner)
		rc = store_space_allow("bytes of storage", used, row->quota_mb << 20, err);
	return rc;
}

/* Queue points until enough wait. */
static int fill(struct sweep *x, struct store_sweep *row, int64_t waiting, struct mem_arena *arena,
		struct err *err)
{
	struct sweep_plan plan = { 0 };
	const char *spec;
	bool known = false;
	int64_t n = 0;
	int rc = 0;

	if (row->next_point >= row->points || waiting >= x->config.ahead)
		return 0;
	rc = has_room(x, row, err);
	if (!rc)
		rc = store_sweep_spec(x->config.store, row->id, arena, &spec, err);
	if (!rc)
		rc = sweep_plan_read(&plan, spec, row->axes, row->seeds, err);
	while (!rc && row->next_point < row->points && waiting < x->config.ahead) {
		rc = point_add(x, row, &plan, &known, err);
		if (rc)
			break;
		row->next_point++;
		waiting += !known;
		n++;
	}
	sweep_plan_release(&plan);
	if (n)
		exec_wake(x->config.exec);
	return rc == -ERR_STATE ? 0 : rc; /* cancelled meanwhile */
}

static int64_t sum_live(const int64_t live[RUN_N])
{
	int64_t n = 0;

	for (int i = 0; i < RUN_N; i++)
		n += live[i];
	return n;
}

/* Nothing is left to be done of it. */
static int conclude(struct sweep *x, const struct store_sweep *row, struct err *err)
{
	bool cancelling = strcmp(row->state, "cancelling") == 0;
	int rc = store_begin(x->config.store, err);

	if (rc)
		return rc;
	rc = store_sweep_move(x->config.store, row, cancelling ? "cancelled" : "finished", err);
	rc = store_conclude(x->config.store, rc, err);
	return rc == -ERR_STATE ? 0 : rc; /* looked at again */
}

static int serve(struct sweep *x, struct store_sweep *row, struct mem_arena *arena, struct err *err)
{
	bool filling = strcmp(row->state, "running") == 0;
	int64_t live[RUN_N];
	int rc = store_sweep_live(x->config.store, row->id, live, err);

	if (!rc && filling)
		rc = fill(x, row, live[RUN_QUEUED] + live[RUN_INTERRUPTED], arena, err);
	if (!rc)
		rc = store_sweep_live(x->config.store, row->id, live, err);
	if (!rc && sum_live(live) == 0 && (!filling || row->next_point >= row->points))
		rc = conclude(x, row, err);
	tell(x, row->id);
	return rc;
}

/* All that are not over. False: something is to be tried again. */
static bool serve_all(struct sweep *x)
{
	struct store_sweep *rows;
	struct mem_arena arena;
	struct err err = { 0 };
	bool good = true;
	size_t n = 0;

	mem_arena_init(&arena, 0);
	if (store_sweep_active(x->config.store, &arena, &rows, &n, &err)) {
		log_err("looking for sweeps", &err);
		good = false;
		n = 0;
	}
	for (size_t i = 0; i < n; i++) {
		int rc = serve(x, &rows[i], &arena, &err);

		if (!rc)
			continue;
		good = false;
		if (rc != -ERR_QUEUEFULL && rc != -ERR_QUOTA && rc != -ERR_NOSPACE)
			log_err("going on with a sweep", &err);
	}
	mem_arena_release(&arena);
	return good;
}

static void *run(void *self)
{
	struct sweep *x = self;
	bool stopping = false, good;

	while (!stopping) {
		good = serve_all(x);
		lock_take(&x->lock);
		if (!x->woken && !x->stopping)
			(void)lock_cond_wait(&x->more, &x->lock,
					     good ? (double)INFINITY : clock_mono_s() + RETRY_S);
		x->woken = false;
		stopping = x->stopping;
		lock_drop(&x->lock);
	}
	return NULL;
}

/* ---- life ---- */

int sweep_new(struct sweep **ret, const struct sweep_config *config, struct err *err)
{
	struct sweep *x = mem_alloc(1, sizeof(*x));

	if (!x)
		return err_nomem(err);
	x->config = *config;
	lock_init(&x->lock);
	lock_cond_init(&x->more);
	event_observe(config->event, on_run, x);
	*ret = x;
	return thread_start(&x->thread, run, x, err);
}

void sweep_stop(struct sweep *x)
{
	if (!x)
		return;
	lock_take(&x->lock);
	x->stopping = true;
	lock_cond_signal(&x->more);
	lock_drop(&x->lock);
	thread_join(&x->thread);
}

void sweep_free(struct sweep *x)
{
	if (!x)
		return;
	sweep_stop(x);
	lock_cond_release(&x->more);
	lock_release(&x->lock);
	mem_free(x);
}

/* ---- what watchers hear ---- */

json_t *sweep_progress(struct store *s, const struct store_sweep *row, struct err *err)
{
	bool over = row->finished_ms != 0;
	int64_t live[RUN_N], done, running, queued, left = over ? 0 : row->points - row->next_point;
	double wall_s =
		(double)((over ? row->finished_ms : clock_wall_ms()) - row->created_ms) * 1e-3;
	json_t *eta = NULL;

	if (store_sweep_live(s, row->id, live, err))
		return NULL;
	done = row->next_point - sum_live(live);
	if (over || done > 0)
		eta = json_real(over ? 0.0 : wall_s * (double)(row->points - done) / (double)done);
	running = live[RUN_RUNNING] + live[RUN_CANCELLING];
	queued = live[RUN_QUEUED] + live[RUN_INTERRUPTED];
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:o}", "points",
			 (json_int_t)row->points, "done", (json_int_t)done, "running",
			 (json_int_t)running, "queued", (json_int_t)queued, "pending",
			 (json_int_t)left, "fraction", (double)done / (double)row->points, "wall_s",
			 wall_s, "eta_s", eta ? eta : json_null());
}

struct source {
	struct event_stored stored;
	char id[ID_SIZE];
	json_int_t said[3]; /* done, running, queued */
	bool any;
};

/* What has changed since it was last said; not the clock alone. */
static int say_progress(struct source *st, const struct event_sink *to)
{
	static const char *const keys[] = { "done", "running", "queued" };
	struct store_sweep row;
	struct mem_arena arena;
	struct buf text;
	json_t *json = NULL;
	bool news = !st->any;
	int rc;

	mem_arena_init(&arena, 0);
	buf_init(&text, DATA_MAX);
	rc = store_sweep_get(st->stored.s, st->id, &arena, &row, NULL);
	if (!rc)
		json = sweep_progress(st->stored.s, &row, NULL);
	for (size_t i = 0; i < COUNTOF(keys); i++) {
		json_int_t n = json_integer_value(json_object_get(json, keys[i]));

		news = news || n != st->said[i];
		st->said[i] = n;
	}
	if (json && news && !dump_json(&text, json)) {
		to->say(to->self, NULL, "progress", text.data);
		st->any = true;
	}
	json_decref(json);
	buf_release(&text);
	mem_arena_release(&arena);
	if (rc == -ERR_NOTFOUND)
		st->stored.ended = true;
	return rc == -ERR_NOTFOUND ? 0 : rc;
}

static int source_read(void *self, const struct event_sink *to, bool *end)
{
	struct source *st = self;
	int rc = event_stored_read(&st->stored, to);

	if (!rc && !st->stored.ended)
		rc = say_progress(st, to);
	*end = st->stored.ended;
	return rc;
}

static bool final(const char *state)
{
	return strcmp(state, "finished") == 0 || strcmp(state, "cancelled") == 0;
}

int sweep_source(struct event_source *ret, struct store *s, const char *id, int64_t after,
		 struct err *err)
{
	struct source *st = mem_alloc(1, sizeof(*st));

	if (!st)
		return err_nomem(err);
	st->stored = (struct event_stored){ .s = s, .after = after, .final = final };
	store_sweep_topic(id, st->stored.topic);
	(void)snprintf(st->id, sizeof(st->id), "%s", id);
	*ret = (struct event_source){ .self = st, .read = source_read, .free = mem_free };
	(void)snprintf(ret->place, sizeof(ret->place), "%lld", (long long)after);
	return 0;
}
