/* cond.c - ETags made and compared. */
/* SPDX-License-Identifier: MIT */
#include "server/cond.h"

#include <stdio.h>
#include <string.h>

#include "server/crypt.h"

static const char gzip[] = "-gzip\""; /* the end of a compressed body's ETag */

bool cond_etag(const void *bytes, size_t n, char etag[COND_ETAG_SIZE])
{
	char hex[CRYPT_HEX_SIZE];

	if (!crypt_sha256(n ? bytes : "", n, hex))
		return false;
	(void)snprintf(etag, COND_ETAG_SIZE, "\"%.32s\"", hex);
	return true;
}

const char *cond_packed(const struct request *rq, const char *etag)
{
	const char *packed =
		mem_arena_printf(rq->arena, "%.*s%s", (int)strlen(etag) - 1, etag, gzip);

	return packed ? packed : etag;
}

/* How a header's list has it. */
enum found { NOWHERE, PLAIN, PACKED };

/* W/ before it does not count; "*" is any. */
static enum found look(const char *list, const char *etag)
{
	size_t n = strlen(etag), k = strlen(gzip);

	while (*list) {
		size_t len;

		list += strspn(list, " ,\t");
		if (*list == '*')
			return PLAIN;
		if (strncmp(list, "W/", 2) == 0)
			list += 2;
		len = strcspn(list, ", \t");
		if (len == n && strncmp(list, etag, n) == 0)
			return PLAIN;
		if (len == n - 1 + k && strncmp(list, etag, n - 1) == 0 &&
		    strncmp(list + n - 1, gzip, k) == 0)
			return PACKED;
		list += strcspn(list, ",");
	}
	return NOWHERE;
}

bool cond_not_modified(const struct request *rq, struct response *rs, const char *etag)
{
	const char *have = http_header(rq, "If-None-Match");
	char *kept = mem_arena_strdup(rq->arena, etag);
	enum found found;

	if (!kept)
		return false;
	http_add_header(rs, "ETag", kept);
	found = have ? look(have, etag) : NOWHERE;
	if (found == NOWHERE)
		return false;
	if (found == PACKED)
		rs->headers[rs->n_headers - 1].value = cond_packed(rq, etag);
	rs->status = 304;
	return true;
}

int cond_match(const struct request *rq, const char *etag, struct err_list *errors)
{
	const char *want = http_header(rq, "If-Match");

	if (!want || look(want, etag) != NOWHERE)
		return 0;
	return err_list_add(errors, ERR_PRECONDITION, "", "expected %.80s, found %s by now", want,
			    etag);
}

static bool of_body(const struct response *rs, char etag[COND_ETAG_SIZE])
{
	size_t n = 0;
	const char *piece;
	struct buf hashes;
	bool ok = true;

	if (!rs->n_gaps)
		return cond_etag(rs->body.data, rs->body.len, etag);
	buf_init(&hashes, 1 << 20);
	for (uint64_t at = 0; (piece = http_piece(rs, at, &n)) != NULL && ok; at += n) {
		ok = cond_etag(piece, n, etag);
		(void)buf_str(&hashes, etag);
	}
	ok = ok && !hashes.failed && cond_etag(hashes.data, hashes.len, etag);
	buf_release(&hashes);
	return ok;
}

void cond_finish(const struct request *rq, struct response *rs, bool open)
{
	bool patch = strcmp(rq->method, "PATCH") == 0;
	bool get = strcmp(rq->method, "GET") == 0 || strcmp(rq->method, "HEAD") == 0;
	char etag[COND_ETAG_SIZE];

	if (rs->stream.read || rs->body.failed || !(get || patch))
		return;
	if (rs->status == 200 && !http_has_header(rs, "ETag") && of_body(rs, etag)) {
		if (patch)
			http_add_header(rs, "ETag", mem_arena_strdup(rq->arena, etag));
		else if (cond_not_modified(rq, rs, etag))
			rs->n_gaps = 0;
	}
	if (rs->status == 304)
		buf_clear(&rs->body);
	if (get && (rs->status == 200 || rs->status == 206 || rs->status == 304) &&
	    !http_has_header(rs, "Cache-Control"))
		http_add_header(rs, "Cache-Control", open ? "no-cache" : "private, no-cache");
}
