/* log.h - one JSON object a line on stderr; the only file that writes there. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <stddef.h>

#include "core/base/attr.h"
#include "core/base/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_N };

/* Lines above this level are dropped. At start, before threads. */
void log_set_level(enum log_level level);
/* {"time", "level", "text"}; the line is written in one call. */
void log_text(enum log_level level, const char *fmt, ...) PRINTF(2, 3);
/* An error with its code and where it was met. */
void log_err(const char *where, const struct err *err);
/* One answered request. */
struct log_request {
	const char *id, *trace; /* trace NULL: none */
	const char *method, *path;
	int status;
	double ms;
	size_t bytes;
	const char *outcome; /* "" or why it did not end well */
};
void log_request(const struct log_request *r);

#endif
