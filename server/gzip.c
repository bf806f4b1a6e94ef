/* gzip.c - deflate through zlib; its only home. */
/* SPDX-License-Identifier: MIT */
#include "server/gzip.h"

#include <limits.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "core/base/mem.h"

enum {
	BLOCK = 1 << 16,
	WINDOW_GZIP = 15 + 16,
	WINDOW_RAW = -15,
	/* 16 KiB and tables of that size: what zlib allocates stays below what malloc maps and unmaps each
	 * time, which would cost a short answer a millisecond. */
	PACK_WINDOW = 14 + 16,
	PACK_MEMORY = 7,
};

static void *take(void *opaque, uInt n, uInt size)
{
	(void)opaque;
	return mem_alloc(n, size);
}

static void give(void *opaque, void *p)
{
	(void)opaque;
	mem_free(p);
}

static int start(z_stream *z, int window, struct err *err)
{
	*z = (z_stream){ .zalloc = take, .zfree = give };
	return inflateInit2(z, window) == Z_OK ? 0 : err_nomem(err);
}

/* Give zlib as much of the input as it can count. */
static void feed(z_stream *z, const unsigned char **at, size_t *left)
{
	uInt n = *left < UINT_MAX ? (uInt)*left : UINT_MAX;

	z->next_in = *at;
	z->avail_in = n;
	*at += n;
	*left -= n;
}

bool gzip_is(const void *bytes, size_t n)
{
	static const unsigned char magic[] = { 0x1f, 0x8b, 8 };

	return n >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

static int bad(const z_stream *z, int rc, struct err *err)
{
	if (rc == Z_MEM_ERROR)
		return err_nomem(err);
	return err_set(err, ERR_CORRUPT, NULL,
		       "expected compressed data, found damage after %lu bytes of output%s%s",
		       z->total_out, z->msg ? ": " : "", z->msg ? z->msg : "");
}

/* One step of zlib into out; returns zlib's code or -code of out. */
static int step(z_stream *z, struct buf *out)
{
	unsigned char block[BLOCK];
	int rc, added;

	z->next_out = block;
	z->avail_out = sizeof(block);
	rc = inflate(z, Z_NO_FLUSH);
	added = buf_add(out, block, sizeof(block) - z->avail_out);
	return added ? -1000 + added : rc;
}

int gzip_expand(struct buf *out, const void *bytes, size_t n, struct err *err)
{
	const unsigned char *at = bytes;
	size_t left = n;
	z_stream z;
	int rc = start(&z, WINDOW_GZIP, err);

	if (rc)
		return rc;
	for (;;) {
		if (z.avail_in == 0 && left > 0)
			feed(&z, &at, &left);
		rc = step(&z, out);
		if (rc == Z_STREAM_END) {
			bool more = z.avail_in > 0 || left > 0;

			if (!more ||
			    !gzip_is(z.next_in, z.avail_in)) /* padding behind the last member */
				break;
			rc = inflateReset(&z);
		}
		if (rc != Z_OK)
			break;
	}
	if (rc <= -1000)
		rc = out->failed == ERR_NOMEM
			     ? err_nomem(err)
			     : err_set(err, ERR_LIMIT, NULL,
				       "expected at most %zu bytes when expanded, found more",
				       out->max);
	else
		rc = rc == Z_STREAM_END ? 0 : bad(&z, rc, err);
	(void)inflateEnd(&z);
	return rc;
}

int gzip_inflate(void *ret, size_t size, const void *bytes, size_t n, struct err *err)
{
	const unsigned char *at = bytes;
	unsigned char *to = ret, spare;
	size_t left = n, room = size;
	z_stream z;
	int rc = start(&z, WINDOW_RAW, err);

	if (rc)
		return rc;
	do {
		if (z.avail_in == 0 && left > 0)
			feed(&z, &at, &left);
		if (z.avail_out ==
		    0) { /* at the end a spare byte shows whether there is more than was said */
			uInt chunk = room < UINT_MAX ? (uInt)room : UINT_MAX;

			z.next_out = room ? to : &spare;
			z.avail_out = room ? chunk : 1;
			to += chunk;
			room -= chunk;
		}
		rc = inflate(&z, Z_NO_FLUSH);
	} while (rc == Z_OK && z.total_out <= size);
	if (rc == Z_STREAM_END && z.total_out == size)
		rc = 0;
	else if (rc == Z_STREAM_END || rc == Z_OK)
		rc = err_set(err, ERR_CORRUPT, NULL, "expected %zu bytes when expanded, found %s",
			     size, z.total_out < size ? "fewer" : "more");
	else
		rc = bad(&z, rc, err);
	(void)inflateEnd(&z);
	return rc;
}

int gzip_pack(struct buf *out, const void *bytes, size_t n, struct err *err)
{
	const unsigned char *at = bytes;
	unsigned char block[BLOCK];
	z_stream z = { .zalloc = take, .zfree = give };
	size_t left = n;
	int rc, failed = 0;

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, PACK_WINDOW, PACK_MEMORY,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return err_nomem(err);
	do {
		if (z.avail_in == 0 && left > 0)
			feed(&z, &at, &left);
		z.next_out = block;
		z.avail_out = sizeof(block);
		rc = deflate(&z, left ? Z_NO_FLUSH : Z_FINISH);
		failed = buf_add(out, block, sizeof(block) - z.avail_out);
	} while (rc == Z_OK && !failed);
	(void)deflateEnd(&z);
	if (failed)
		return failed == -ERR_NOMEM
			       ? err_nomem(err)
			       : err_set(err, ERR_LIMIT, NULL,
					 "expected at most %zu bytes when compressed, found more",
					 out->max);
	return rc == Z_STREAM_END ? 0 : err_set(err, ERR_INTERNAL, NULL, "deflate answered %d", rc);
}

uint32_t gzip_crc(uint32_t crc, const void *bytes, size_t n)
{
	return (uint32_t)crc32_z(crc, n ? bytes : (const void *)"", n); /* NULL would start anew */
}
