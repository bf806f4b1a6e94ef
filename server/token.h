/* token.h - `stdpd --data DIR token add|list|revoke`: tokens from the command line, also beside a
 * running server. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_TOKEN_H
#define SERVER_TOKEN_H

#include "core/base/buf.h"
#include "core/base/err.h"

/* argv[0] is "add", "list" or "revoke". What is to be said is appended to out; a new token is its
 * last line. */
int token_command(int argc, char *const *argv, const char *dir, struct buf *out,
		  struct err *err) MUST_USE;

#endif
