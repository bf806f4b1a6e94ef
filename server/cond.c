/* cond.c - ETags made and compared. */
/* SPDX-License-Identifier: MIT */
#include "server/cond.h"

#include <stdio.h>
#include <string.h>

#include "server/crypt.h"

bool cond_etag(const void *bytes, size_t n, char etag[COND_ETAG_SIZE])
{
	char hex[CRYPT_HEX_SIZE];

	if (!crypt_sha256(n ? bytes : "", n, hex))
		return false;
	(void)snprintf(etag, COND_ETAG_SIZE, "\"%.32s\"", hex);
	return true;
}

/* Whether a header's list has it, or "*"; W/ before it does not count. */
static bool has(const char *list, const char *etag)
{
	size_t n = strlen(etag);

	while (*list) {
		size_t len;

		list += strspn(list, " ,\t");
		if (*list == '*')
			return true;
		if (strncmp(list, "W/", 2) == 0)
			list += 2;
		len = strcspn(list, ",");
		while (len && (list[len - 1] == ' ' || list[len - 1] == '\t'))
			len--;
		if (len == n && strncmp(list, etag, n) == 0)
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

bool cond_not_modified(const struct request *rq, struct response *rs, const char *etag)
{
	const char *have = http_header(rq, "If-None-Match");
	char *kept = mem_arena_strdup(rq->arena, etag);

	if (!kept)
		return false;
	http_add_header(rs, "ETag", kept);
	if (!have || !has(have, etag))
		return false;
	rs->status = 304;
	return true;
}

int cond_match(const struct request *rq, const char *etag, struct err_list *errors)
{
	const char *want = http_header(rq, "If-Match");

	if (!want || has(want, etag))
		return 0;
	return err_list_add(errors, ERR_PRECONDITION, "", "expected %.80s, found %s by now", want,
			    etag);
}

void cond_finish(const struct request *rq, struct response *rs, bool open)
{
	bool patch = strcmp(rq->method, "PATCH") == 0;
	bool get = strcmp(rq->method, "GET") == 0 || strcmp(rq->method, "HEAD") == 0;
	char etag[COND_ETAG_SIZE];

	if (rs->stream.read || rs->body.failed || !(get || patch))
		return;
	if (rs->status == 200 && !http_has_header(rs, "ETag") &&
	    cond_etag(rs->body.data, rs->body.len, etag)) {
		if (patch)
			http_add_header(rs, "ETag", mem_arena_strdup(rq->arena, etag));
		else if (cond_not_modified(rq, rs, etag))
			buf_clear(&rs->body);
	}
	if (get && (rs->status == 200 || rs->status == 206 || rs->status == 304) &&
	    !http_has_header(rs, "Cache-Control"))
		http_add_header(rs, "Cache-Control", open ? "no-cache" : "private, no-cache");
}
