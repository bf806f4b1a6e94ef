/* thread.c - start and join. */
/* SPDX-License-Identifier: MIT */
#include "server/thread.h"

#include <signal.h>
#include <string.h>

int thread_start(struct thread *t, void *(*run)(void *self), void *self, struct err *err)
{
	sigset_t all, old;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&t->id, NULL, run, self);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	t->started = rc == 0;
	if (rc)
		return err_set(err, ERR_NOMEM, NULL, "no thread could be started (error %d)", rc);
	return 0;
}

void thread_join(struct thread *t)
{
	if (!t->started)
		return;
	(void)pthread_join(t->id, NULL);
	t->started = false;
}
