/* problem.h - errors on the wire: the only map from error code to HTTP status, and
 * application/problem+json. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_PROBLEM_H
#define SERVER_PROBLEM_H

#include <jansson.h>

#include "core/base/err.h"
#include "server/http.h"

int problem_status(int code); /* any int is allowed: 500 */
/* {"type", "title", "status", "detail", "code", "pointer"?}: how a failed run remembers its error.
 * NULL: no memory. */
json_t *problem_json(const struct err *err);
/* Fill rs with the problem of `code` (status by problem_status) and all errors of the list; rs may
 * hold a half-made answer, which is dropped. instance: the request's path. errors may be empty or
 * NULL. */
void problem_response(struct response *rs, int code, const char *instance,
		      const struct err_list *errors);
/* The same of one sentence. */
void problem_text(struct response *rs, int code, const char *instance, const char *detail);
/* Seconds a client should wait before it tries again, as text; NULL: it need not. */
const char *problem_retry_after(int code);

#endif
