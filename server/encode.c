/* encode.c - Accept-Encoding. */
/* SPDX-License-Identifier: MIT */
#include "server/encode.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/cond.h"
#include "server/gzip.h"

/* What fits into one packet arrives no sooner when it is shorter. */
enum { BYTES_MIN = 1400 };

/* Whether the header names the coding, or "*", with a quality above 0. The exact name wins. */
static bool accepts(const char *list, const char *coding)
{
	size_t n = strlen(coding);
	bool any = false;

	while (list && *list) {
		size_t item, len;
		const char *q;
		bool good;

		list += strspn(list, " \t,");
		item = strcspn(list, ",");
		len = strcspn(list, ",; \t");
		q = strstr(list, "q=");
		good = !q || q >= list + item || strtod(q + 2, NULL) > 0.0;
		if (len == n && strncasecmp(list, coding, n) == 0)
			return good;
		if (len == 1 && *list == '*')
			any = good;
		list += item;
	}
	return any;
}

static bool is_text(const char *type)
{
	static const char *const packed[] = { "application/json", "application/x-ndjson",
					      "application/problem+json", "image/svg+xml",
					      "text/" };

	for (size_t i = 0; i < COUNTOF(packed); i++)
		if (strncmp(type, packed[i], strlen(packed[i])) == 0)
			return true;
	return false;
}

static void rename_etag(const struct request *rq, struct response *rs)
{
	for (size_t i = 0; i < rs->n_headers; i++)
		if (strcmp(rs->headers[i].name, "ETag") == 0)
			rs->headers[i].value = cond_packed(rq, rs->headers[i].value);
}

bool encode_accepted(const struct request *rq)
{
	return accepts(http_header(rq, "Accept-Encoding"), "gzip");
}

void encode_packed(const struct request *rq, struct response *rs)
{
	http_add_header(rs, "Content-Encoding", "gzip");
	rename_etag(rq, rs);
}

void encode_finish(const struct request *rq, struct response *rs)
{
	struct buf packed;

	if (rs->stream.read || rs->file.read || rs->body.failed ||
	    http_has_header(rs, "Accept-Ranges") ||
	    !is_text(rs->content_type ? rs->content_type : "application/json"))
		return;
	if (rs->status == 200 || rs->status == 304)
		http_add_header(rs, "Vary", "Accept-Encoding");
	if (rs->body.len < BYTES_MIN || http_has_header(rs, "Content-Encoding") ||
	    !encode_accepted(rq))
		return;
	buf_init(&packed, rs->body.len - rs->body.len / 8); /* else it does not pay */
	if (gzip_pack(&packed, rs->body.data, rs->body.len, NULL)) {
		buf_release(&packed);
		return;
	}
	buf_release(&rs->body);
	rs->body = packed;
	encode_packed(rq, rs);
}
