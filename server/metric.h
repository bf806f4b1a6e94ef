/* metric.h - what the process counts, in one table, and its text for Prometheus. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_METRIC_H
#define SERVER_METRIC_H

#include <stdint.h>

#include "core/base/buf.h"

// clang-format off
/* id, name, label, kind, what it is; rows of one name stand together */
#define METRICS(X) \
	X(HTTP_NONE,    "stdpd_http_requests_total",     "code=\"none\"", COUNTER, "Requests by class of status; none: cut before an answer.") \
	X(HTTP_1XX,     "stdpd_http_requests_total",     "code=\"1xx\"",  COUNTER, "") \
	X(HTTP_2XX,     "stdpd_http_requests_total",     "code=\"2xx\"",  COUNTER, "") \
	X(HTTP_3XX,     "stdpd_http_requests_total",     "code=\"3xx\"",  COUNTER, "") \
	X(HTTP_4XX,     "stdpd_http_requests_total",     "code=\"4xx\"",  COUNTER, "") \
	X(HTTP_5XX,     "stdpd_http_requests_total",     "code=\"5xx\"",  COUNTER, "") \
	X(HTTP_SECONDS, "stdpd_http_request_seconds_total", "",           SECONDS, "Time from a request's head to the end of its answer, waits and streams included.") \
	X(HTTP_BYTES,   "stdpd_http_sent_bytes_total",   "",              COUNTER, "Bytes of answers' bodies.") \
	X(HTTP_OPEN,    "stdpd_http_connections",        "",              GAUGE,   "Open connections.") \
	X(HTTP_CUT,     "stdpd_http_cut_off_total",      "",              COUNTER, "Connections cut off: too slow, or closed by the other side with nothing asked.") \
	X(STREAMS,      "stdpd_http_streams",            "",              GAUGE,   "Open streams of events.") \
	X(CHILDREN,     "stdpd_children_started_total",  "",              COUNTER, "Simulation processes started.") \
	X(HOOK_GOOD,    "stdpd_webhook_attempts_total",  "result=\"delivered\"", COUNTER, "Attempts to deliver to a webhook.") \
	X(HOOK_BAD,     "stdpd_webhook_attempts_total",  "result=\"failed\"", COUNTER, "")
// clang-format on

enum metric {
#define X(id, name, label, kind, help) METRIC_##id,
	METRICS(X)
#undef X
		METRIC_N
};

/* Any thread; microseconds for what is in seconds. */
void metric_add(enum metric m, int64_t n);
/* All of the table, in Prometheus' text format. */
void metric_write(struct buf *out);
/* One more sample: # HELP and # TYPE too if help is not NULL. */
void metric_sample(struct buf *out, const char *name, const char *label, const char *help,
		   double value);

#endif
