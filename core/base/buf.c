/* buf - a growing byte buffer with a maximum. */
/* SPDX-License-Identifier: MIT */
#include "core/base/buf.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/err.h"
#include "core/base/mem.h"

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

/* Room for n bytes and the NUL behind them. */
static int reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap;
	char *data;

	if (b->failed)
		return -b->failed;
	if (n > b->max - b->len) {
		b->failed = ERR_LIMIT;
		return -ERR_LIMIT;
	}
	if (b->data && n < cap - b->len)
		return 0;
	cap = cap < b->max / 2 ? 2 * cap : b->max;
	if (cap < b->len + n)
		cap = b->len + n;
	if (cap < 64)
		cap = 64;
	data = mem_resize(b->data, cap + 1, 1);
	if (!data) {
		b->failed = ERR_NOMEM;
		return -ERR_NOMEM;
	}
	b->data = data;
	b->cap = cap + 1;
	return 0;
}

int buf_add(struct buf *b, const void *p, size_t n)
{
	int r = reserve(b, n);

	if (r)
		return r;
	if (n)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
	return 0;
}

int buf_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int buf_char(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = b->failed ? b->failed : ERR_LIMIT;
		return -b->failed;
	}
	r = reserve(b, (size_t)n);
	if (r)
		return r;
	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

int buf_double(struct buf *b, double x)
{
	char text[32];

	if (!isfinite(x))
		return buf_str(b, "null");
	/* 15 digits always survive, except in the subnormals. */
	for (int digits = fabs(x) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, x);
		if (strtod(text, NULL) == x)
			break;
	}
	return buf_str(b, text);
}

static int add_escaped(struct buf *b, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = c ? strchr(from, c) : NULL;

	if (at)
		return buf_printf(b, "\\%c", to[at - from]);
	if (c < 0x20 || c == 0x7f)
		return buf_printf(b, "\\u%04x", (unsigned)c);
	return buf_char(b, (char)c);
}

int buf_json_string(struct buf *b, const char *s)
{
	(void)buf_char(b, '"');
	for (; *s; s++)
		(void)add_escaped(b, (unsigned char)*s);
	return buf_char(b, '"');
}

char *buf_take(struct buf *b, size_t *ret_len)
{
	char *data = b->data;

	if (b->failed || !data) {
		buf_release(b);
		return NULL;
	}
	if (ret_len)
		*ret_len = b->len;
	buf_init(b, b->max);
	return data;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = 0;
	if (b->data)
		b->data[0] = '\0';
}

void buf_release(struct buf *b)
{
	mem_free(b->data);
	buf_init(b, b->max);
}
