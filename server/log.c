/* log.c - structured lines. */
/* SPDX-License-Identifier: MIT */
#include "server/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "server/clock.h"

enum { LINE_MAX_BYTES = 8192 };

static const char *const level_name[LOG_N] = { "error", "warn", "info", "debug" };
static enum log_level max_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	max_level = level;
}

static void line_start(struct buf *b, enum log_level level)
{
	char time[CLOCK_TEXT_MAX];

	buf_init(b, LINE_MAX_BYTES);
	(void)buf_printf(b, "{\"time\":\"%s\",\"level\":\"%s\"", clock_text(clock_wall_ms(), time),
			 level_name[level]);
}

static void line_text(struct buf *b, const char *key, const char *value)
{
	(void)buf_printf(b, ",\"%s\":", key);
	(void)buf_json_string(b, value);
}

static void line_end(struct buf *b)
{
	(void)buf_str(b, "}\n");
	if (!b->failed && b->data) {
		ssize_t n = write(STDERR_FILENO, b->data, b->len); /* nobody to tell if it fails */

		(void)n;
	}
	buf_release(b);
}

void log_text(enum log_level level, const char *fmt, ...)
{
	char text[1024];
	struct buf b;
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line_start(&b, level);
	line_text(&b, "text", text);
	line_end(&b);
}

void log_err(const char *where, const struct err *err)
{
	log_text(LOG_ERROR, "%s: %s: %s", where, err_name(err->code), err->text);
}

void log_request(const struct log_request *r)
{
	struct buf b;

	if (LOG_INFO > max_level)
		return;
	line_start(&b, LOG_INFO);
	line_text(&b, "request_id", r->id);
	if (r->trace)
		line_text(&b, "traceparent", r->trace);
	line_text(&b, "method", r->method);
	line_text(&b, "path", r->path);
	(void)buf_printf(&b, ",\"status\":%d,\"ms\":%.2f,\"bytes\":%zu", r->status, r->ms,
			 r->bytes);
	if (*r->outcome)
		line_text(&b, "outcome", r->outcome);
	line_end(&b);
}
