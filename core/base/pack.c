/* pack - state to a file and back. */
/* SPDX-License-Identifier: MIT */
#include "core/base/pack.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "state is saved as it lies in memory");

static void start(struct pack *p, int fd)
{
	p->fd = fd;
	p->rc = 0;
	p->at = p->n = 0;
	p->bytes = 0;
	p->err = (struct err){ 0 };
	hash_init(&p->hash);
}

void pack_save(struct pack *p, int fd)
{
	start(p, fd);
	p->loading = false;
}

void pack_load(struct pack *p, int fd, uint64_t bytes)
{
	start(p, fd);
	p->loading = true;
	p->bytes = bytes;
}

static int failed(struct pack *p, const char *what)
{
	bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

	p->rc = err_set(&p->err, full ? ERR_NOSPACE : ERR_IO, "", "cannot %s the state: %s", what,
			strerror(errno));
	return p->rc;
}

int pack_wrong(struct pack *p, const char *what)
{
	if (!p->rc)
		p->rc = err_set(&p->err, ERR_CORRUPT, "", "the saved state has a wrong %s", what);
	return p->rc;
}

int pack_nomem(struct pack *p)
{
	if (!p->rc)
		p->rc = err_nomem(&p->err);
	return p->rc;
}

/* Write the buffer out; it holds whole words. */
static int flush(struct pack *p)
{
	for (size_t i = 0; i < p->at; i += 8) {
		uint64_t word;

		memcpy(&word, p->buffer + i, sizeof(word));
		hash_u64(&p->hash, word);
	}
	for (size_t done = 0; done < p->at;) {
		ssize_t n = write(p->fd, p->buffer + done, p->at - done);

		if (n < 0 && errno != EINTR)
			return failed(p, "write");
		done += n > 0 ? (size_t)n : 0;
	}
	p->bytes += p->at;
	p->at = 0;
	return 0;
}

/* Read the next piece; there must be one. */
static int refill(struct pack *p)
{
	size_t want = p->bytes < PACK_BUFFER ? (size_t)p->bytes : PACK_BUFFER;

	p->at = p->n = 0;
	if (want == 0)
		return pack_wrong(p, "length: it ends too early");
	while (p->n < want) {
		ssize_t n = read(p->fd, p->buffer + p->n, want - p->n);

		if (n < 0 && errno != EINTR)
			return failed(p, "read");
		if (n == 0)
			return pack_wrong(p, "length: the file is cut");
		p->n += n > 0 ? (size_t)n : 0;
	}
	p->bytes -= want;
	return 0;
}

static int save(struct pack *p, const unsigned char *from, size_t n)
{
	static const unsigned char zero[8];
	size_t pad = (8 - n % 8) % 8;

	while (n > 0 && !p->rc) {
		size_t room = PACK_BUFFER - p->at, take = n < room ? n : room;

		memcpy(p->buffer + p->at, from, take);
		p->at += take;
		from += take;
		n -= take;
		if (n == 0) { /* room for it: the buffer is a multiple of 8 */
			memcpy(p->buffer + p->at, zero, pad);
			p->at += pad;
		}
		if (p->at == PACK_BUFFER)
			(void)flush(p);
	}
	return p->rc;
}

static int load(struct pack *p, unsigned char *to, size_t n)
{
	size_t pad = (8 - n % 8) % 8;

	while (n > 0 && !p->rc) {
		size_t take = p->n - p->at;

		if (take == 0) {
			(void)refill(p);
			continue;
		}
		take = n < take ? n : take;
		memcpy(to, p->buffer + p->at, take);
		p->at += take;
		to += take;
		n -= take;
		if (n == 0)
			p->at += pad;
	}
	return p->rc;
}

int pack_bytes(struct pack *p, void *at, size_t n, size_t size)
{
	size_t bytes;

	if (p->rc)
		return p->rc;
	if (__builtin_mul_overflow(n, size, &bytes))
		return pack_nomem(p);
	return p->loading ? load(p, at, bytes) : save(p, at, bytes);
}

int pack_u64(struct pack *p, uint64_t *x)
{
	return pack_bytes(p, x, 1, sizeof(*x));
}

int pack_f64(struct pack *p, double *x)
{
	return pack_bytes(p, x, 1, sizeof(*x));
}

int pack_i64(struct pack *p, int64_t *x, int64_t min, int64_t max, const char *what)
{
	int64_t value = *x;

	if (pack_bytes(p, &value, 1, sizeof(value)))
		return p->rc;
	if (value < min || value > max)
		return pack_wrong(p, what);
	*x = value;
	return 0;
}

int pack_size(struct pack *p, size_t *n, size_t size, const char *what)
{
	uint64_t value = *n, left;

	if (pack_u64(p, &value))
		return p->rc;
	left = p->bytes + (p->n - p->at);
	if (p->loading && value > left / size)
		return pack_wrong(p, what);
	*n = (size_t)value;
	return 0;
}

int pack_same(struct pack *p, uint64_t x, const char *what)
{
	uint64_t value = x;

	if (pack_u64(p, &value))
		return p->rc;
	if (value == x)
		return 0;
	p->rc = err_set(&p->err, ERR_CORRUPT, "",
			"the saved state has another %s: expected %" PRIu64 ", found %" PRIu64,
			what, x, value);
	return p->rc;
}

int pack_end(struct pack *p, struct err *err)
{
	if (!p->rc && !p->loading)
		(void)flush(p);
	if (!p->rc && p->loading && p->bytes + (p->n - p->at) > 0)
		(void)pack_wrong(p, "length: there is more than was saved");
	if (p->rc && err)
		*err = p->err;
	return p->rc;
}
