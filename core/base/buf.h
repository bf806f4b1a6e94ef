/* buf.h - a growing byte buffer with a maximum given at init.
 *
 * Adding to a failed buffer does nothing, so a writer may check once at the end. data is always
 * NUL-terminated behind len once something was added. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_BASE_BUF_H
#define CORE_BASE_BUF_H

#include <stddef.h>

#include "core/base/attr.h"

struct buf {
	char *data;
	size_t len, cap, max;
	int failed; /* 0, or ERR_NOMEM, or ERR_LIMIT (over max) */
};

/* Bytes that belong behind the first `at` bytes of a buffer without being copied into it. */
struct buf_gap {
	size_t at;
	const void *data; /* [n] */
	size_t n;
};

void buf_init(struct buf *b, size_t max);
int buf_add(struct buf *b, const void *p, size_t n); /* 0 or -code */
int buf_str(struct buf *b, const char *s);
int buf_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* A double as JSON: shortest text that reads back to the same bits; null for NaN and infinity. */
int buf_double(struct buf *b, double x);
/* A JSON string literal, quoted and escaped. */
int buf_json_string(struct buf *b, const char *s);
/* The bytes become the caller's (mem_free); the buffer is empty again. NULL if failed or empty. */
char *buf_take(struct buf *b, size_t *ret_len);
void buf_clear(struct buf *b); /* keep the memory */
void buf_release(struct buf *b);

#endif
