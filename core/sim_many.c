/* sim_many.c - a queue of numbers and the threads that take them. */
/* SPDX-License-Identifier: MIT */
#include "core/sim_many.h"

#include <pthread.h>

enum { THREADS_MAX = 64 };

struct many {
	size_t n, next; /* next: under the lock */
	void (*job)(void *self, size_t i);
	void *self;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void sim_many_lock(void)
{
	(void)pthread_mutex_lock(&lock);
}

void sim_many_unlock(void)
{
	(void)pthread_mutex_unlock(&lock);
}

static void *work(void *arg)
{
	struct many *m = arg;

	for (;;) {
		size_t i;

		sim_many_lock();
		i = m->next;
		m->next += i < m->n;
		sim_many_unlock();
		if (i == m->n)
			return NULL;
		m->job(m->self, i);
	}
}

void sim_many(size_t n, unsigned threads, void (*job)(void *self, size_t i), void *self)
{
	struct many m = { .n = n, .job = job, .self = self };
	pthread_t thread[THREADS_MAX];
	size_t more = threads > THREADS_MAX ? THREADS_MAX : threads, started = 0;

	more = more > n ? n : more;
	while (started + 1 < more && pthread_create(&thread[started], NULL, work, &m) == 0)
		started++;
	(void)work(&m);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(thread[i], NULL);
}
