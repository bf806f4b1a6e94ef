/* thread.h - a thread with all signals blocked: main alone takes signals. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_THREAD_H
#define SERVER_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#include "core/base/err.h"

struct thread {
	pthread_t id;
	bool started;
};

int thread_start(struct thread *t, void *(*run)(void *self), void *self, struct err *err) MUST_USE;
void thread_join(struct thread *t); /* fine on one never started */

#endif
