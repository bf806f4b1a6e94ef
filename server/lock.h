/* lock.h - mutex and condition; a thread holds one lock at most, which lock_take asserts.
 *
 * clang's -Wthread-safety proves that each function drops what it takes. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_LOCK_H
#define SERVER_LOCK_H

#include <pthread.h>
#include <stdbool.h>

#if defined(__clang__)
#define LOCK_TYPE      __attribute__((capability("mutex")))
#define LOCK_TAKES(l)  __attribute__((acquire_capability(l)))
#define LOCK_DROPS(l)  __attribute__((release_capability(l)))
#define LOCK_NEEDS(l)  __attribute__((requires_capability(l)))
#define LOCK_UNCHECKED __attribute__((no_thread_safety_analysis))
#else
#define LOCK_TYPE
#define LOCK_TAKES(l)
#define LOCK_DROPS(l)
#define LOCK_NEEDS(l)
#define LOCK_UNCHECKED
#endif

struct LOCK_TYPE lock {
	pthread_mutex_t mutex;
};

struct lock_cond {
	pthread_cond_t cond;
};

void lock_init(struct lock *l);
void lock_release(struct lock *l);
void lock_take(struct lock *l) LOCK_TAKES(*l);
void lock_drop(struct lock *l) LOCK_DROPS(*l);

void lock_cond_init(struct lock_cond *c);
void lock_cond_release(struct lock_cond *c);
/* Wait until signalled or until monotonic second `deadline` (INFINITY: for ever). False: the
 * deadline passed. */
bool lock_cond_wait(struct lock_cond *c, struct lock *l, double deadline) LOCK_NEEDS(*l);
void lock_cond_signal(struct lock_cond *c);

#endif
