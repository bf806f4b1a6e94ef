/* kept.h - an answer that changes only with the program: made, hashed and packed once. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_KEPT_H
#define SERVER_KEPT_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "server/http.h"

struct kept;

/* text's memory is taken, also on failure. */
int kept_new(struct kept **ret, struct buf *text, struct err *err) MUST_USE;
void kept_free(struct kept *k);
/* Answer 200 (or 304) with it as JSON, packed for who accepts that. 0 or -NOMEM, -LIMIT. */
int kept_answer(const struct kept *k, const struct request *rq, struct response *rs) MUST_USE;

#endif
