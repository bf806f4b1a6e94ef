/* hook.c - the thread: what is due goes out, what came back is noted. */
/* SPDX-License-Identifier: MIT */
#include "server/hook.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "server/clock.h"
#include "server/crypt.h"
#include "server/id.h"
#include "server/log.h"
#include "server/metric.h"
#include "server/post.h"
#include "server/store_hook.h"
#include "server/thread.h"

enum { FLIGHTS_MAX = 32, PER_HOOK = 2, HEADER_MAX = 160 };

static const double LOOK_S = 30.0, LONGEST_S = 3600.0, TROUBLE_S = 5.0;

/* A delivery under way. */
struct flight {
	char id[ID_SIZE], hook_id[ID_SIZE], event[64];
	int64_t attempts; /* this one counted */
	bool used;
};

struct hook {
	struct hook_config config;
	struct post *post;
	struct thread thread;
	atomic_bool stopping, woken;
	/* Of the thread. */
	struct flight flight[FLIGHTS_MAX];
	double not_before; /* monotonic: the store could not note what was done */
};

/* ---- going out ---- */

static struct flight *seat(struct hook *h, const struct store_delivery *d)
{
	struct flight *empty = NULL;
	int n = 0;

	for (int i = 0; i < FLIGHTS_MAX; i++) {
		struct flight *f = &h->flight[i];

		if (!f->used)
			empty = f;
		else if (strcmp(f->id, d->id) == 0)
			return NULL;
		else
			n += strcmp(f->hook_id, d->hook_id) == 0;
	}
	return n < PER_HOOK ? empty : NULL;
}

/* t=SECONDS,v1=HMAC-SHA256(secret, "SECONDS.BODY") */
static bool sign(const struct store_delivery *d, int64_t now_s, struct mem_arena *arena,
		 char header[HEADER_MAX])
{
	const char *text = mem_arena_printf(arena, "%lld.%s", (long long)now_s, d->body);
	char hex[CRYPT_HEX_SIZE];

	if (!text || !crypt_hmac_sha256(d->secret, strlen(d->secret), text, strlen(text), hex))
		return false;
	(void)snprintf(header, HEADER_MAX, "Stdpd-Signature: t=%lld,v1=%s", (long long)now_s, hex);
	return true;
}

static int send_one(struct hook *h, struct flight *f, const struct store_delivery *d,
		    struct mem_arena *arena, struct err *err)
{
	char id[HEADER_MAX], event[HEADER_MAX], attempt[HEADER_MAX], signature[HEADER_MAX],
		trace[HEADER_MAX];
	const char *const headers[] = {
		"Content-Type: application/json", id,  event, attempt, signature,
		d->trace ? trace : NULL,	  NULL
	};
	int rc;

	f->attempts = d->attempts + 1;
	(void)snprintf(f->id, sizeof(f->id), "%s", d->id);
	(void)snprintf(f->hook_id, sizeof(f->hook_id), "%s", d->hook_id);
	(void)snprintf(f->event, sizeof(f->event), "%s", d->event);
	(void)snprintf(id, sizeof(id), "Stdpd-Delivery: %s", f->id);
	(void)snprintf(event, sizeof(event), "Stdpd-Event: %s", f->event);
	(void)snprintf(attempt, sizeof(attempt), "Stdpd-Attempt: %lld", (long long)f->attempts);
	(void)snprintf(trace, sizeof(trace), "traceparent: %s", d->trace ? d->trace : "");
	if (!sign(d, clock_wall_ms() / 1000, arena, signature))
		return err_nomem(err);
	rc = post_start(
		h->post,
		&(struct post_job){ .url = d->url, .headers = headers, .body = d->body, .self = f },
		err);
	f->used = rc == 0;
	return rc;
}

static void send_due(struct hook *h, int64_t now)
{
	const struct store_hook_due due = {
		.now_ms = now,
		.far_ms = now + (int64_t)(2.0 * LONGEST_S * 1e3),
		.per_hook = (int64_t)2 * PER_HOOK,
		.n = (size_t)2 * FLIGHTS_MAX,
	};
	struct store_delivery *rows;
	struct mem_arena arena;
	struct err err = { 0 };
	size_t n = 0;
	int rc;

	mem_arena_init(&arena, 0);
	rows = NEW(&arena, struct store_delivery, due.n);
	rc = rows ? store_hook_due(h->config.store, &due, &arena, rows, &n, &err) : err_nomem(&err);
	for (size_t i = 0; !rc && i < n; i++) {
		struct flight *f = seat(h, &rows[i]);

		if (f)
			rc = send_one(h, f, &rows[i], &arena, &err);
	}
	if (rc) {
		log_err("sending webhooks", &err);
		h->not_before = clock_mono_s() + TROUBLE_S;
	}
	mem_arena_release(&arena);
}

/* ---- coming back ---- */

static int64_t retry_at(const struct hook *h, int64_t attempts)
{
	double wait_s = h->config.retry_s;

	for (int64_t i = 1; i < attempts && wait_s < LONGEST_S; i++)
		wait_s *= 2.0;
	wait_s = wait_s < LONGEST_S ? wait_s : LONGEST_S;
	return clock_wall_ms() + (int64_t)(wait_s * 1e3);
}

/* Where a private address was refused another attempt is of no use. */
static void note(struct hook *h, struct flight *f, const struct post_done *done)
{
	bool good = !*done->why, last = done->refused || f->attempts >= h->config.attempts;
	char why[POST_WHY_MAX + 64];
	struct err err = { 0 };
	struct store_delivery d = {
		.id = f->id,
		.state = good	? "delivered"
			 : last ? "failed"
				: "pending",
		.next_ms = good || last ? 0 : retry_at(h, f->attempts),
		.status = done->status,
		.duration_ms = done->duration_ms,
		.error = good ? NULL : why,
	};

	(void)snprintf(why, sizeof(why), "%s", done->why);
	if (!good && last && !done->refused)
		(void)snprintf(why, sizeof(why), "%s; given up after %lld attempts", done->why,
			       (long long)f->attempts);
	metric_add(good ? METRIC_HOOK_GOOD : METRIC_HOOK_BAD, 1);
	if (!good && last)
		log_text(LOG_WARN, "webhook %s, delivery %s of %s: %s", f->hook_id, f->id, f->event,
			 why);
	if (store_hook_tried(h->config.store, &d, &err)) {
		log_err("noting a webhook's delivery", &err);
		h->not_before = clock_mono_s() + TROUBLE_S;
	}
	f->used = false;
}

/* ---- the thread ---- */

/* `now`: what was due then has been sent; what came due since is waited for no longer. */
static double wait_s(struct hook *h, int64_t now)
{
	int64_t next = 0;
	double s = LOOK_S, trouble = h->not_before - clock_mono_s();
	struct err err = { 0 };

	if (trouble > 0.0)
		return trouble;
	if (store_hook_next(h->config.store, now, &next, &err) == 0 && next)
		s = (double)(next - clock_wall_ms()) * 1e-3 + 1e-3;
	return s < 0.0 ? 0.0 : s < LOOK_S ? s : LOOK_S;
}

static void *work(void *self)
{
	struct hook *h = self;

	while (!atomic_load_explicit(&h->stopping, memory_order_acquire)) {
		int64_t now = clock_wall_ms();
		struct post_done done;

		(void)atomic_exchange_explicit(&h->woken, false, memory_order_acq_rel);
		if (clock_mono_s() >= h->not_before)
			send_due(h, now);
		post_wait(h->post, wait_s(h, now));
		while (post_take(h->post, &done))
			note(h, done.self, &done);
	}
	return NULL;
}

int hook_new(struct hook **ret, const struct hook_config *config, struct err *err)
{
	struct hook *h = mem_alloc(1, sizeof(*h));
	int rc;

	if (!h)
		return err_nomem(err);
	h->config = *config;
	rc = post_new(
		&h->post,
		&(struct post_config){ .private = config->private, .timeout_s = config->timeout_s },
		err);
	if (!rc)
		rc = thread_start(&h->thread, work, h, err);
	if (rc) {
		hook_free(h);
		return rc;
	}
	*ret = h;
	return 0;
}

void hook_wake(struct hook *h)
{
	if (h && !atomic_exchange_explicit(&h->woken, true, memory_order_acq_rel))
		post_wake(h->post);
}

void hook_free(struct hook *h)
{
	if (!h)
		return;
	atomic_store_explicit(&h->stopping, true, memory_order_release);
	if (h->post)
		post_wake(h->post);
	thread_join(&h->thread);
	post_free(h->post);
	mem_free(h);
}
