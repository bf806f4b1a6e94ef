/* encode.h - answers compressed for who accepts it and where it pays. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_ENCODE_H
#define SERVER_ENCODE_H

#include <stdbool.h>

#include "server/http.h"

/* Behind everything else: gzip a whole answer of text, give its ETag another name, and say what it depends
 * on. Never a part of a file, a stream or what is compressed already. */
void encode_finish(const struct request *rq, struct response *rs);
/* For a handler that keeps its answer packed: whether the client takes it, and that it is. */
bool encode_accepted(const struct request *rq);
void encode_packed(const struct request *rq, struct response *rs);

#endif
