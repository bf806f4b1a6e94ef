/* once.h - Idempotency-Key: a POST that is sent again takes effect once, whatever it does.
 *
 * The dispatcher claims the key before the handler runs and keeps the answer behind it. What only
 * handlers can do is to write, in the transaction that makes something, a note from which a repeat
 * can be answered (store_once_made with rq->once): it is put into rq->memo of the repeat, as if that
 * were back from a wait. A repeat of a request whose effect nobody can know has rq->lost set. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_ONCE_H
#define SERVER_ONCE_H

#include "server/http.h"
#include "server/store_once.h"

/* Before the handler. 1: answered as the first time; 0: go on (also without a key); -code: RANGE,
 * IDEMPOTENCY, UNDERWAY. */
int once_begin(struct store *s, struct request *rq, struct response *rs,
	       struct err_list *errors) MUST_USE;
/* Behind it, with what it came to, unless the request waits. */
void once_end(struct store *s, const struct request *rq, const struct response *rs, int rc);
/* The client of a request that waits has gone. */
void once_left(struct store *s, const struct request *rq);

#endif
