/* lock.c - mutex and condition. */
/* SPDX-License-Identifier: MIT */
#include "server/lock.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <time.h>

static _Thread_local const struct lock *held;

void lock_init(struct lock *l)
{
	int rc = pthread_mutex_init(&l->mutex, NULL);

	assert(rc == 0);
	(void)rc;
}

void lock_release(struct lock *l)
{
	(void)pthread_mutex_destroy(&l->mutex);
}

LOCK_UNCHECKED void lock_take(struct lock *l)
{
	assert(!held);
	(void)pthread_mutex_lock(&l->mutex);
	held = l;
}

LOCK_UNCHECKED void lock_drop(struct lock *l)
{
	assert(held == l);
	held = NULL;
	(void)pthread_mutex_unlock(&l->mutex);
}

void lock_cond_init(struct lock_cond *c)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&c->cond, &attr);
	(void)pthread_condattr_destroy(&attr);
}

void lock_cond_release(struct lock_cond *c)
{
	(void)pthread_cond_destroy(&c->cond);
}

bool lock_cond_wait(struct lock_cond *c, struct lock *l, double deadline)
{
	struct timespec ts;

	if (!isfinite(deadline))
		return pthread_cond_wait(&c->cond, &l->mutex) == 0;
	ts.tv_sec = (time_t)deadline;
	ts.tv_nsec = (long)((deadline - (double)ts.tv_sec) * 1e9);
	return pthread_cond_timedwait(&c->cond, &l->mutex, &ts) == 0;
}

void lock_cond_signal(struct lock_cond *c)
{
	(void)pthread_cond_signal(&c->cond);
}
