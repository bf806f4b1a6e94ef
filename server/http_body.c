/* http_body.c - the body of a response, with the parts that leave from where they are. */
/* SPDX-License-Identifier: MIT */
#include "server/http.h"

uint64_t http_length(const struct response *rs)
{
	uint64_t n = rs->body.len;

	if (rs->file.read)
		return rs->file.length;
	for (size_t i = 0; i < rs->n_gaps; i++)
		n += rs->gaps[i].n;
	return n;
}

const char *http_piece(const struct response *rs, uint64_t at, size_t *ret_n)
{
	size_t before = 0; /* of the body */

	for (size_t i = 0; i <= rs->n_gaps; i++) {
		const struct buf_gap *gap = i < rs->n_gaps ? &rs->gaps[i] : NULL;
		size_t n = (gap ? gap->at : rs->body.len) - before;

		if (at < n) {
			*ret_n = n - (size_t)at;
			return rs->body.data + before + at;
		}
		at -= n;
		before += n;
		if (gap && at < gap->n) {
			*ret_n = gap->n - (size_t)at;
			return (const char *)gap->data + at;
		}
		at -= gap ? gap->n : 0;
	}
	*ret_n = 0;
	return NULL;
}

void http_withdraw(struct response *rs)
{
	if (rs->stream.free)
		rs->stream.free(rs->stream.self);
	if (rs->file.free)
		rs->file.free(rs->file.self);
	rs->stream = (struct http_stream){ 0 };
	rs->file = (struct http_file){ 0 };
}
