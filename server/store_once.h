/* store_once.h - Idempotency-Keys in SQLite: what each was first sent with, and what was answered.
 *
 * A key is kept for 24 hours. What a request makes and the note that it made it are one transaction
 * (store_once_made), so that a server which is killed never makes it twice. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_ONCE_H
#define SERVER_STORE_ONCE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/mem.h"
#include "server/store.h"

struct store_once {
	const char *owner; /* name of the token; "": there are none */
	const char *key;   /* Idempotency-Key */
};

enum store_once_state {
	STORE_ONCE_NEW,	  /* nobody has sent it before */
	STORE_ONCE_GOING, /* the first request is still going on */
	STORE_ONCE_LEFT,  /* its client went away before the answer; the note tells how to go on */
	STORE_ONCE_LOST, /* its server ended before the answer; the note tells what was made, if known */
	STORE_ONCE_MADE, /* what it made stands, and the note tells how to answer from it */
	STORE_ONCE_DONE, /* answered */
};

/* How a key stands; strings live in the arena it was read into. */
struct store_once_row {
	enum store_once_state state;
	const char *note;     /* "": none */
	int status;	      /* of DONE, as the rest */
	const char *location; /* NULL: none */
	const char *body;     /* [body_len] */
	size_t body_len;
};

/* Whether the request may go on: a key that is new, left or lost is going on from now on, and *ret says
 * what it was. A transaction of its own. Errors: IDEMPOTENCY (another request had it), UNDERWAY. */
int store_once_claim(struct store *s, const struct store_once *once, const char *request_sha256,
		     struct mem_arena *arena, struct store_once_row *ret, struct err *err) MUST_USE;
/* Inside the write that makes what the request is for: `note` goes to the handler of a repeat.
 * `settled`: a repeat may be answered from it at once. once NULL: nothing to do. */
int store_once_made(struct store *s, const struct store_once *once, const char *note, bool settled,
		    struct err *err) MUST_USE;
/* Each a transaction of its own. The answer; of two, the first is kept. */
int store_once_done(struct store *s, const struct store_once *once,
		    const struct store_once_row *answer, struct err *err) MUST_USE;
/* It had no effect: the key is free again. (What was made and settled stays.) */
int store_once_free(struct store *s, const struct store_once *once, struct err *err) MUST_USE;
/* From going on to LEFT or LOST, with a note for who comes back (NULL: none). */
int store_once_leave(struct store *s, const struct store_once *once, enum store_once_state state,
		     const char *note, struct err *err) MUST_USE;

/* At start: what was going on is lost. */
int store_once_restart(struct store *s, struct err *err) MUST_USE;
/* Drop what is older than a day. */
int store_once_expire(struct store *s, struct err *err) MUST_USE;

#endif
