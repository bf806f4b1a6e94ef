/* http_head.c - lengths, hosts and names of a request. */
/* SPDX-License-Identifier: MIT */
#include "server/http_head.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/id.h"

enum { LF = 1, CRLF = 2 };

struct hygiene {
	int hosts, lengths, encodings;
	bool bad;
	uint64_t length;
	uintptr_t end; /* of the last value, where it was read; 0: none yet */
};

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name,
				 const char *value)
{
	struct hygiene *g = cls;

	(void)kind;
	value = value ? value : "";
	/* What was folded or has a zero byte in it leaves a gap. */
	if (!*name ||
	    (g->end && (uintptr_t)name - g->end != LF && (uintptr_t)name - g->end != CRLF))
		g->bad = true;
	g->end = (uintptr_t)value + strlen(value);
	if (strcasecmp(name, "Host") == 0) {
		g->hosts++;
	} else if (strcasecmp(name, "Content-Length") == 0) {
		g->lengths++;
		if (!*value || strspn(value, "0123456789") != strlen(value))
			g->bad = true;
		g->length = strtoull(value, NULL, 10);
	} else if (strcasecmp(name, "Transfer-Encoding") == 0) {
		g->encodings++;
		if (strcasecmp(value, "chunked") != 0)
			g->bad = true;
	}
	return MHD_YES;
}

/* libmicrohttpd 0.9.75 takes a line without a name (":") for the end of a head; what follows, headers for
 * others, would be a request of its own. Its bytes lie between the last value and the end. (Where it stands
 * between a bare LF and a CRLF it cannot be told from two CRLFs; no server passes lines on like that.) */
static bool ends_well(const struct request *rq, const char *method, uintptr_t last)
{
	const union MHD_ConnectionInfo *head =
		MHD_get_connection_info(rq->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	uintptr_t left = head ? (uintptr_t)method + head->header_size - last : 0;

	return !last || left == 2 * LF || left == 2 * CRLF;
}

bool http_head_is_plain(const struct request *rq, const char *method, uint64_t *ret_length)
{
	struct hygiene g = { 0 };

	(void)MHD_get_connection_values(rq->connection, MHD_HEADER_KIND, on_header, &g);
	*ret_length = g.length;
	return g.hosts <= 1 && g.lengths <= 1 && g.encodings <= 1 && !(g.lengths && g.encodings) &&
	       !g.bad && ends_well(rq, method, g.end);
}

void http_head_id(const struct request *rq, char ret[HTTP_ID_SIZE])
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	const char *given = http_header(rq, "X-Request-Id");
	size_t n = given ? strspn(given, plain) : 0;

	if (n && n < HTTP_ID_SIZE && !given[n])
		memcpy(ret, given, n + 1);
	else
		id_new(ret);
}

/* Version 00, ids that are not all zeros. */
static bool is_trace(const char *t)
{
	static const char hex[] = "0123456789abcdef";

	return strlen(t) == 55 && strncmp(t, "00-", 3) == 0 && strspn(t + 3, hex) == 32 &&
	       t[35] == '-' && strspn(t + 36, hex) == 16 && t[52] == '-' &&
	       strspn(t + 53, hex) == 2 && strspn(t + 3, "0") < 32 && strspn(t + 36, "0") < 16;
}

const char *http_head_trace(const struct request *rq)
{
	const char *given = http_header(rq, "traceparent");
	char span[ID_SIZE];

	if (!given || !is_trace(given))
		return NULL;
	do
		id_new(span);
	while (strspn(span, "0") >= 16);
	return mem_arena_printf(rq->arena, "%.36s%.16s%s", given, span, given + 52);
}
