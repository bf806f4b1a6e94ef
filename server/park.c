/* park.c - the table of those that wait, and the thread that watches their deadlines. */
/* SPDX-License-Identifier: MIT */
#include "server/park.h"

#include <math.h>
#include <string.h>

#include "core/base/mem.h"
#include "server/clock.h"
#include "server/lock.h"
#include "server/thread.h"

enum { BUCKETS = 256 };

struct park {
	void (*sleep)(void *sleeper);
	void (*wake)(void *sleeper);
	struct thread timer;
	struct lock lock; /* owns all below */
	struct lock_cond sooner;
	bool stopping;
	uint64_t wakes,
		woken[BUCKETS]; /* number of the last wake-up among the topics of a bucket */
	double next_due;
	struct park_place *asleep;
};

static unsigned bucket(const char *topic, size_t n)
{
	unsigned x = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < n; i++)
		x = (x ^ (unsigned char)topic[i]) * 16777619U;
	return x % BUCKETS;
}

/* The first topic of a list, and the list behind it; false: there is none. */
static bool next_topic(const char **list, const char **ret, size_t *ret_n)
{
	*ret = *list + strspn(*list, " ");
	*ret_n = strcspn(*ret, " ");
	*list = *ret + *ret_n;
	return *ret_n > 0;
}

static bool has_topic(const char *list, const char *topic)
{
	size_t want = strlen(topic), n;
	const char *at;

	while (next_topic(&list, &at, &n))
		if (n == want && strncmp(at, topic, n) == 0)
			return true;
	return false;
}

/* Whether one of its topics was woken since it looked (or one that shares a bucket: it looks once more). */
static bool woken_since(const struct park *p, const struct park_place *place)
{
	const char *list = place->topics, *at;
	size_t n;

	while (next_topic(&list, &at, &n))
		if (p->woken[bucket(at, n)] > place->seen)
			return true;
	return false;
}

bool park_look(struct park *p, struct park_place *place)
{
	bool due;

	lock_take(&p->lock);
	place->seen = p->wakes;
	due = place->due;
	place->due = false;
	lock_drop(&p->lock);
	return due;
}

enum park_result park_wait(struct park *p, struct park_place *place, double wake_at)
{
	enum park_result result = PARK_ASLEEP;

	lock_take(&p->lock);
	if (p->stopping) {
		result = PARK_STOPPING;
	} else if (woken_since(p, place)) {
		result = PARK_AGAIN;
	} else {
		p->sleep(place->sleeper);
		place->wake_at = wake_at;
		place->prev = NULL;
		place->next = p->asleep;
		if (place->next)
			place->next->prev = place;
		p->asleep = place;
		if (wake_at < p->next_due) {
			p->next_due = wake_at;
			lock_cond_signal(&p->sooner);
		}
	}
	lock_drop(&p->lock);
	return result;
}

static void rouse(struct park *p, struct park_place *place, bool due)
{
	if (place->prev)
		place->prev->next = place->next;
	else
		p->asleep = place->next;
	if (place->next)
		place->next->prev = place->prev;
	place->due = due;
	p->wake(place->sleeper);
}

void park_wake(struct park *p, const char *topic)
{
	struct park_place *next;

	lock_take(&p->lock);
	p->woken[bucket(topic, strlen(topic))] = ++p->wakes;
	for (struct park_place *at = p->asleep; at; at = next) {
		next = at->next;
		if (has_topic(at->topics, topic))
			rouse(p, at, false);
	}
	lock_drop(&p->lock);
}

static void *timer(void *self)
{
	struct park *p = self;

	lock_take(&p->lock);
	while (!p->stopping) {
		double now = clock_mono_s();
		struct park_place *next;

		p->next_due = (double)INFINITY;
		for (struct park_place *at = p->asleep; at; at = next) {
			next = at->next;
			if (at->wake_at <= now)
				rouse(p, at, true);
			else if (at->wake_at < p->next_due)
				p->next_due = at->wake_at;
		}
		(void)lock_cond_wait(&p->sooner, &p->lock, p->next_due);
	}
	lock_drop(&p->lock);
	return NULL;
}

int park_new(struct park **ret, void (*sleep)(void *sleeper), void (*wake)(void *sleeper),
	     struct err *err)
{
	struct park *p = mem_alloc(1, sizeof(*p));
	int rc;

	if (!p)
		return err_nomem(err);
	p->sleep = sleep;
	p->wake = wake;
	p->next_due = (double)INFINITY;
	lock_init(&p->lock);
	lock_cond_init(&p->sooner);
	rc = thread_start(&p->timer, timer, p, err);
	if (rc) {
		park_free(p);
		return rc;
	}
	*ret = p;
	return 0;
}

void park_stop(struct park *p)
{
	lock_take(&p->lock);
	p->stopping = true;
	while (p->asleep)
		rouse(p, p->asleep, true);
	lock_cond_signal(&p->sooner);
	lock_drop(&p->lock);
}

void park_free(struct park *p)
{
	if (!p)
		return;
	park_stop(p);
	thread_join(&p->timer);
	lock_cond_release(&p->sooner);
	lock_release(&p->lock);
	mem_free(p);
}
