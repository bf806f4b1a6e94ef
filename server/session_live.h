/* session_live.h - what session.c (callers' side) and session_owner.c (the thread's) share. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_SESSION_LIVE_H
#define SERVER_SESSION_LIVE_H

#include <stdatomic.h>

#include "core/base/buf.h"
#include "server/exec_local.h"
#include "server/lock.h"
#include "server/session.h"
#include "server/thread.h"

enum { SESSION_RING = 256, SESSION_LINGER_S = 30 };

struct session_command {
	uint64_t ticket;
	char id[ID_SIZE], fork[ID_SIZE]; /* fork "": none */
	char cmd[16];
	char *line; /* JSON and a newline; NULL once it was sent */
	json_t *reply;
	struct err err; /* instead of a reply */
	bool quiet;	/* a look that keeps nobody awake */
	double done_at; /* monotonic; 0: not yet */
	struct session_command *next;
};

struct session_live {
	char id[ID_SIZE];
	/* under the lock: */
	bool running; /* there is a process, or one is being made */
	bool drop;
	struct session_view view;
	size_t streams;
	json_t *watch;		  /* what all streams want beside the state; NULL: nothing */
	bool watch_changed;	  /* to be told to the process */
	char *ring[SESSION_RING]; /* "kind\0subject\0data" of event number n at n % SESSION_RING */
	uint64_t n_events;
	uint64_t epoch;	   /* events with another one cannot be found again */
	uint64_t epoch_at; /* number of the first event of this one */
	double watched_until; /* monotonic; what the last stream wanted is kept so long for its return */
	/* the owner's: */
	struct exec_local process;
	bool ending, stopped; /* it was told to */
	bool greeted;	      /* its first line came */
	double used_at, kill_at;
	struct buf in, out;
	size_t sent; /* of out */
	int passed;  /* a descriptor that came with the last bytes; -1: none */
	bool overlong;
	struct session_live *next;
};

struct session {
	struct session_config config;
	int wake_fd;
	atomic_bool stopping;
	struct thread owner;
	struct lock lock; /* owns all below */
	struct session_live *lives;
	struct session_command *commands; /* waiting to be sent, sent, or done and not fetched */
	uint64_t tickets;
};

/* The entry of a session, made if need be (NULL: no memory). Under the lock. */
struct session_live *session_live_find(struct session *x, const char *id);
struct session_live *session_live_make(struct session *x, const char *id);
/* An event for the streams; steals nothing. Under the lock. */
void session_live_say(struct session_live *l, const char *kind, const json_t *data);
/* Nobody watches any more: what comes from now on is not all there is. Under the lock. */
void session_live_unwatch(struct session_live *l);
void session_live_free(struct session_live *l);
void session_wake(struct session *x); /* the owner looks */
/* Wake who waits for it; without the lock. */
void session_tell(struct session *x, const char *id);
void *session_owner(void *self); /* the thread */

/* session_line.c, the owner's. Under the lock: */
bool session_has_commands(const struct session *x, const char *id, bool unsent);
/* Move the lines of waiting commands into the process's stream. */
void session_take_lines(struct session *x, struct session_live *l);
/* The state, for who asks, and what the streams want: a command whose reply nobody waits for. */
void session_tell_watch(struct session_live *l);
void session_forget(struct session *x, double now); /* replies nobody fetched */
/* Without the lock: */
/* Commands of this session end with `why`, or with `reply` (NULL: none): all, or those that were sent. */
void session_fail(struct session *x, const char *id, bool sent_only, const struct err *why,
		  const json_t *reply);
void session_hear(struct session *x, struct session_live *l); /* take what it says */
void session_feed(struct session_live *l);		      /* send what it can take */

#endif
