/* err.h - what went wrong, for people and for programs.
 *
 * A function that can fail for more than one reason returns 0 or -code and fills the caller's
 * struct err (which may be NULL). The idiom is `return err_set(err, ERR_RANGE, path, "...");`. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_BASE_ERR_H
#define CORE_BASE_ERR_H

#include <stddef.h>

#include "core/base/attr.h"

/* code, name on the wire, title. stdp-run exits with ERR_EXIT_BASE + code. New codes go last. */
// clang-format off
#define ERR_CODES(X) \
	X(OK,            "ok",                 "No error") \
	X(NOMEM,         "out-of-memory",      "Out of memory") \
	X(SYNTAX,        "malformed",          "Malformed input") \
	X(TYPE,          "wrong-type",         "Wrong type") \
	X(RANGE,         "out-of-range",       "Value out of range") \
	X(UNKNOWN,       "unknown-name",       "Unknown name") \
	X(MISSING,       "missing",            "Required value missing") \
	X(GRID,          "off-grid",           "Time off the grid") \
	X(CONFLICT,      "conflict",           "Values contradict each other") \
	X(LIMIT,         "limit-exceeded",     "Limit exceeded") \
	X(IO,            "io",                 "Input or output failed") \
	X(NOSPACE,       "storage-full",       "Storage full") \
	X(CORRUPT,       "corrupt",            "Damaged data") \
	X(NUMERICAL,     "numerical-failure",  "Numerical failure") \
	X(RATE,          "rate-limit",         "Firing rate over the limit") \
	X(TIMEOUT,       "timed-out",          "Time limit reached") \
	X(CANCELLED,     "cancelled",          "Cancelled") \
	X(INTERRUPTED,   "interrupted",        "Interrupted") \
	X(CRASHED,       "crashed",            "The simulation process died") \
	X(INVALID,       "invalid-spec",       "The spec is not valid") \
	X(NOTFOUND,      "not-found",          "Not found") \
	X(GONE,          "gone",               "Gone") \
	X(STATE,         "wrong-state",        "Not possible in this state") \
	X(NOTRECORDED,   "not-recorded",       "This was not recorded") \
	X(METHOD,        "method-not-allowed", "Method not allowed") \
	X(ACCEPT,        "not-acceptable",     "No acceptable format") \
	X(MEDIA,         "unsupported-media",  "Unsupported content type") \
	X(BODY,          "body-too-large",     "Request body too large") \
	X(PRECONDITION,  "precondition",       "Precondition failed") \
	X(IDEMPOTENCY,   "idempotency-key",    "Idempotency key reused with another request") \
	X(UNDERWAY,      "request-underway",   "The first request of this key is still going on") \
	X(UNCERTAIN,     "outcome-unknown",    "Whether it took effect is not known") \
	X(QUEUEFULL,     "queue-full",         "The queue is full") \
	X(BUSY,          "busy",               "Temporarily unavailable") \
	X(FORBIDDEN,     "forbidden",          "Forbidden") \
	X(INTERNAL,      "internal",           "Internal error") \
	X(UNAUTHORIZED,  "unauthorized",       "Access token needed") \
	X(QUOTA,         "quota-exceeded",     "This token's quota is used up")
// clang-format on

enum err_code {
#define X(code, name, title) ERR_##code,
	ERR_CODES(X)
#undef X
		ERR_N
};

enum { ERR_EXIT_BASE = 10, ERR_PATH_MAX = 192, ERR_TEXT_MAX = 320 };

struct err {
	int code;		 /* enum err_code */
	int line, column;	 /* of malformed text, from 1; 0 if unknown */
	char path[ERR_PATH_MAX]; /* JSON Pointer of the offending value, "" if none */
	char text[ERR_TEXT_MAX]; /* one sentence: expected what, found what */
};

/* Fill err (if not NULL) and return -code. path may be NULL. */
int err_set(struct err *err, enum err_code code, const char *path, const char *fmt, ...)
	PRINTF(4, 5);

/* The out-of-memory error, always the same text. Returns -ERR_NOMEM. */
int err_nomem(struct err *err);

/* Name on the wire ("out-of-range") and title of a code; any int is allowed ("internal"). */
const char *err_name(int code);
const char *err_title(int code);

/* All errors of one input at once. The list owns its items; beyond `max` they are only counted. */
struct err_list {
	struct err *items; /* [n] */
	size_t n, cap;
	size_t dropped;	  /* errors beyond ERR_LIST_MAX or for which there was no memory */
	struct err first; /* a copy of the first, valid even if there was no memory for items */
};

enum { ERR_LIST_MAX = 100 };

/* Add one error; returns -code, so `return err_list_add(...)` works as err_set does. */
int err_list_add(struct err_list *list, enum err_code code, const char *path, const char *fmt, ...)
	PRINTF(4, 5);
/* Errors met so far, dropped ones included. */
size_t err_list_count(const struct err_list *list);
void err_list_release(struct err_list *list);

#endif
