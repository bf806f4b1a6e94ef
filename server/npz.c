/* npz.c - zip archives of arrays, out and in. */
/* SPDX-License-Identifier: MIT */
#include "server/npz.h"

#include <stdio.h>
#include <string.h>

#include "server/gzip.h"

enum {
	LOCAL_MAGIC = 0x04034b50,
	CENTRAL_MAGIC = 0x02014b50,
	END_MAGIC = 0x06054b50,
	LOCAL_SIZE = 30,
	CENTRAL_SIZE = 46,
	END_SIZE = 22,
	COMMENT_MAX = 65535,
	DATE = 0x21, /* 1980-01-01: nothing here tells the time */
	VERSION = 20,
	STORED = 0,
	DEFLATED = 8,
};

static uint32_t get(const unsigned char *p, int n)
{
	uint32_t v = 0;

	for (int i = 0; i < n; i++)
		v |= (uint32_t)p[i] << (8 * i);
	return v;
}

static void put(struct buf *b, uint32_t v, int n)
{
	for (int i = 0; i < n; i++)
		(void)buf_char(b, (char)(v >> (8 * i) & 0xff));
}

/* ---- writing ---- */

void npz_init(struct npz *z, struct buf *out)
{
	*z = (struct npz){ .out = out, .start = out->len };
	buf_init(&z->directory, (size_t)NPZ_ENTRIES_MAX * (CENTRAL_SIZE + NPZ_NAME_MAX + 8));
}

void npz_init_apart(struct npz *z, struct buf *out, struct buf_gap *gaps, size_t max)
{
	npz_init(z, out);
	z->gaps = gaps;
	z->gaps_max = max;
}

void npz_release(struct npz *z)
{
	buf_release(&z->directory);
}

/* Bytes of the file so far. */
static size_t length(const struct npz *z)
{
	return z->out->len - z->start + z->apart;
}

static int check(const struct npz *z, struct err *err)
{
	int failed = z->out->failed ? z->out->failed : z->directory.failed;

	if (failed == ERR_NOMEM)
		return err_nomem(err);
	if (failed || length(z) > UINT32_MAX)
		return err_set(err, ERR_LIMIT, NULL, "the archive would be larger than %zu bytes",
			       z->out->max);
	return 0;
}

/* The part that local and central headers share: from "version needed" on. */
static void common(struct buf *b, uint32_t crc, uint32_t size, size_t n_name)
{
	put(b, VERSION, 2);
	put(b, 0, 2);
	put(b, STORED, 2);
	put(b, 0, 2);
	put(b, DATE, 2);
	put(b, crc, 4);
	put(b, size, 4);
	put(b, size, 4);
	put(b, (uint32_t)n_name, 2);
	put(b, 0, 2);
}

static void central(struct npz *z, const char *file, uint32_t crc, uint32_t size, size_t offset)
{
	put(&z->directory, CENTRAL_MAGIC, 4);
	put(&z->directory, VERSION, 2);
	common(&z->directory, crc, size, strlen(file));
	put(&z->directory, 0, 2); /* comment */
	put(&z->directory, 0, 2); /* disk */
	put(&z->directory, 0, 2); /* attributes */
	put(&z->directory, 0, 4);
	put(&z->directory, (uint32_t)offset, 4);
	(void)buf_str(&z->directory, file);
	z->n++;
}

static void add_data(struct npz *z, const void *data, size_t n)
{
	if (!z->gaps) {
		(void)buf_add(z->out, data, n);
		return;
	}
	z->gaps[z->n_gaps++] = (struct buf_gap){ z->out->len, data, n };
	z->apart += n;
}

int npz_add(struct npz *z, const char *name, const struct npy_header *h, const void *data,
	    struct err *err)
{
	size_t offset = length(z), n = npy_size(h->type), size;
	char file[NPZ_NAME_MAX + 8];
	struct buf head;
	uint32_t crc;
	int rc;

	for (int i = 0; i < h->n_dims; i++)
		n *= (size_t)h->dim[i]; /* fits: the data are in memory */
	if (n > UINT32_MAX / 2 || z->n >= NPZ_ENTRIES_MAX || (z->gaps && z->n_gaps >= z->gaps_max))
		return err_set(err, ERR_LIMIT, NULL,
			       "array %s has %zu bytes, more than an archive holds", name, n);
	(void)snprintf(file, sizeof(file), "%.*s.npy", NPZ_NAME_MAX - 1, name);
	buf_init(&head, 4096);
	rc = npy_write_header(&head, h, err);
	if (rc) {
		buf_release(&head);
		return rc;
	}
	crc = gzip_crc(gzip_crc(0, head.data, head.len), data, n);
	size = head.len + n;
	put(z->out, LOCAL_MAGIC, 4);
	common(z->out, crc, (uint32_t)size, strlen(file));
	(void)buf_str(z->out, file);
	(void)buf_add(z->out, head.data, head.len);
	add_data(z, data, n);
	buf_release(&head);
	central(z, file, crc, (uint32_t)size, offset);
	return check(z, err);
}

int npz_end(struct npz *z, struct err *err)
{
	size_t at = length(z);

	(void)buf_add(z->out, z->directory.data, z->directory.len);
	put(z->out, END_MAGIC, 4);
	put(z->out, 0, 4);
	put(z->out, (uint32_t)z->n, 2);
	put(z->out, (uint32_t)z->n, 2);
	put(z->out, (uint32_t)z->directory.len, 4);
	put(z->out, (uint32_t)at, 4);
	put(z->out, 0, 2);
	return check(z, err);
}

/* ---- reading ---- */

bool npz_is(const void *bytes, size_t n)
{
	return n >= END_SIZE && (get(bytes, 4) == LOCAL_MAGIC || get(bytes, 4) == END_MAGIC);
}

/* The record at the file's end, behind which only a comment may stand. */
static const unsigned char *find_end(const unsigned char *b, size_t n)
{
	size_t lowest = n > END_SIZE + COMMENT_MAX ? n - END_SIZE - COMMENT_MAX : 0;

	if (n < END_SIZE)
		return NULL;
	for (size_t at = n - END_SIZE + 1; at-- > lowest;)
		if (get(b + at, 4) == END_MAGIC)
			return b + at;
	return NULL;
}

struct central {
	uint32_t flags, method, crc, packed, size, n_name, skip, offset;
	const unsigned char *name;
};

static int read_central(struct central *ret, const unsigned char *b, size_t n, size_t at,
			size_t index, struct err *err)
{
	const unsigned char *p = b + at;

	if (n - at < CENTRAL_SIZE || get(p, 4) != CENTRAL_MAGIC)
		return err_set(err, ERR_CORRUPT, NULL,
			       "expected entry %zu of the zip's directory at byte %zu", index, at);
	*ret = (struct central){ .flags = get(p + 8, 2),
				 .method = get(p + 10, 2),
				 .crc = get(p + 16, 4),
				 .packed = get(p + 20, 4),
				 .size = get(p + 24, 4),
				 .n_name = get(p + 28, 2),
				 .offset = get(p + 42, 4),
				 .name = p + CENTRAL_SIZE };
	ret->skip = CENTRAL_SIZE + ret->n_name + get(p + 30, 2) + get(p + 32, 2);
	if (ret->skip > n - at)
		return err_set(err, ERR_CORRUPT, NULL,
			       "entry %zu of the zip's directory goes beyond its end", index);
	return 0;
}

/* Where an entry's bytes begin; its local header has lengths of its own. */
static int locate(const struct central *c, const unsigned char *b, size_t n, const char *name,
		  const unsigned char **ret, struct err *err)
{
	size_t at = c->offset;

	if (n < LOCAL_SIZE || at > n - LOCAL_SIZE || get(b + at, 4) != LOCAL_MAGIC)
		return err_set(err, ERR_CORRUPT, NULL,
			       "zip entry %s: expected its header at byte %zu", name, at);
	at += LOCAL_SIZE + get(b + at + 26, 2) + get(b + at + 28, 2);
	if (at > n || c->packed > n - at)
		return err_set(err, ERR_CORRUPT, NULL,
			       "zip entry %s: expected %u bytes, found the end of the file", name,
			       (unsigned)c->packed);
	*ret = b + at;
	return 0;
}

static int expand(const struct central *c, const unsigned char *packed, const char *name,
		  struct mem_arena *arena, const unsigned char **ret, struct err *err)
{
	unsigned char *plain;
	int rc;

	if (c->flags & 1)
		return err_set(err, ERR_CORRUPT, NULL, "zip entry %s is encrypted", name);
	if (c->method == STORED && c->packed == c->size) {
		*ret = packed;
		return 0;
	}
	if (c->method != DEFLATED)
		return err_set(err, ERR_CORRUPT, NULL,
			       "zip entry %s: expected it stored or deflated, found method %u",
			       name, (unsigned)c->method);
	plain = NEW(arena, unsigned char, (size_t)c->size + 1);
	if (!plain)
		return err_nomem(err);
	rc = gzip_inflate(plain, c->size, packed, c->packed, err);
	*ret = plain;
	return rc;
}

static bool ends(const struct central *c, const char *with)
{
	return memcmp(c->name + c->n_name - 4, with, 4) == 0;
}

static int read_entry(const struct central *c, const unsigned char *b, size_t n,
		      struct mem_arena *arena, struct npz_entry *ret, struct err *err)
{
	const unsigned char *packed = NULL;
	int rc;

	(void)snprintf(ret->name, sizeof(ret->name), "%.*s", (int)c->n_name - 4,
		       (const char *)c->name);
	ret->wav = ends(c, ".wav");
	rc = locate(c, b, n, ret->name, &packed, err);
	if (!rc)
		rc = expand(c, packed, ret->name, arena, &ret->bytes, err);
	if (rc)
		return rc;
	ret->n = c->size;
	if (gzip_crc(0, ret->bytes, ret->n) != c->crc)
		return err_set(err, ERR_CORRUPT, NULL, "zip entry %s: its check sum does not match",
			       ret->name);
	return 0;
}

/* Without the folders before it. */
static void strip(struct central *c)
{
	uint32_t n = c->n_name;

	while (n > 0 && c->name[n - 1] != '/')
		n--;
	c->name += n;
	c->n_name -= n;
}

/* 1: one of those that are read; 0: it is passed over. */
static int is_wanted(const struct central *c, size_t index, struct err *err)
{
	if (c->n_name <= 4 || c->name[0] == '.' || !(ends(c, ".npy") || ends(c, ".wav")))
		return 0;
	if (c->n_name - 4 >= NPZ_NAME_MAX)
		return err_set(err, ERR_CORRUPT, NULL,
			       "zip entry %zu: expected a name of at most %d bytes, found %u",
			       index, NPZ_NAME_MAX - 1, (unsigned)c->n_name - 4);
	return 1;
}

int npz_read(const void *bytes, size_t n, size_t max, struct mem_arena *arena,
	     struct npz_entry **ret, size_t *ret_n, struct err *err)
{
	const unsigned char *b = bytes, *end = find_end(b, n);
	size_t count = end ? get(end + 10, 2) : 0, at = end ? get(end + 16, 4) : 0, found = 0,
	       sum = 0;
	struct npz_entry *entries;
	int rc = 0;

	if (!end)
		return err_set(
			err, ERR_CORRUPT, NULL,
			"expected a zip's directory at the end of the file; it may be cut off");
	if (count > NPZ_ENTRIES_MAX)
		return err_set(err, ERR_LIMIT, NULL,
			       "expected at most %d files in the zip, found %zu", NPZ_ENTRIES_MAX,
			       count);
	entries = NEW(arena, struct npz_entry, count + 1);
	if (!entries)
		return err_nomem(err);
	for (size_t i = 0; !rc && i < count; i++) {
		struct central c = { 0 };

		if (at > n)
			return err_set(err, ERR_CORRUPT, NULL,
				       "expected the zip's directory at byte %zu of %zu", at, n);
		rc = read_central(&c, b, n, at, i, err);
		if (rc)
			return rc;
		at += c.skip;
		strip(&c);
		rc = is_wanted(&c, i, err);
		if (rc <= 0)
			continue;
		if (c.size > max - sum)
			return err_set(err, ERR_LIMIT, NULL,
				       "expected at most %zu bytes when expanded, found more", max);
		sum += c.size;
		rc = read_entry(&c, b, n, arena, &entries[found++], err);
	}
	if (rc)
		return rc;
	*ret = entries;
	*ret_n = found;
	return 0;
}
