/* post.h - requests to others, through libcurl. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_POST_H
#define SERVER_POST_H

#include "core/base/err.h"

/* GET url and give its status code; the body is thrown away. For health checks: at most `timeout_s`
 * seconds, no redirects, no proxy. Errors: IO. */
int post_probe(const char *url, long timeout_s, long *ret_status, struct err *err) MUST_USE;

#endif
