/* npy - header of .npy files, out and in. */
/* SPDX-License-Identifier: MIT */
#include "core/base/npy.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *descr;
	size_t size;
} types[NPY_N] = {
	[NPY_I64] = { "<i8", 8 }, [NPY_U32] = { "<u4", 4 },  [NPY_F64] = { "<f8", 8 },
	[NPY_F32] = { "<f4", 4 }, [NPY_U8] = { "|u1", 1 },   [NPY_I32] = { "<i4", 4 },
	[NPY_U16] = { "<u2", 2 }, [NPY_I16] = { "<i2", 2 },  [NPY_I8] = { "|i1", 1 },
	[NPY_U64] = { "<u8", 8 }, [NPY_BOOL] = { "|b1", 1 },
};

static const char magic[6] = "\x93NUMPY";
/* magic, version (two bytes), length of the text (two bytes) */
enum { PRELUDE = sizeof(magic) + 4, ALIGN = 64, TEXT_MAX = 1024 };

size_t npy_size(enum npy_type type)
{
	return types[type].size;
}

const char *npy_descr(enum npy_type type)
{
	return types[type].descr;
}

/* The little-endian word of `size` bytes at p, whatever the machine. */
static uint64_t word(const unsigned char *p, size_t size)
{
	uint64_t w = 0;

	for (size_t k = 0; k < size; k++)
		w |= (uint64_t)p[k] << (8 * k);
	return w;
}

double npy_get(enum npy_type type, const void *data, size_t i)
{
	uint64_t w = word((const unsigned char *)data + i * npy_size(type), npy_size(type));
	uint32_t half = (uint32_t)w;
	double d;
	float f;

	switch (type) {
	case NPY_F64:
		memcpy(&d, &w, sizeof(d));
		return d;
	case NPY_F32:
		memcpy(&f, &half, sizeof(f));
		return (double)f;
	case NPY_I64:
		return (double)(int64_t)w;
	case NPY_I32:
		return (double)(int32_t)half;
	case NPY_I16:
		return (double)(int16_t)half;
	case NPY_I8:
		return (double)(int8_t)half;
	case NPY_BOOL:
		return w ? 1 : 0;
	case NPY_U64:
	case NPY_U32:
	case NPY_U16:
	case NPY_U8:
	case NPY_N:
		break;
	}
	return (double)w;
}

int npy_write_header(struct buf *out, const struct npy_header *h, struct err *err)
{
	CLEANUP(buf_release) struct buf text;
	size_t len;

	buf_init(&text, TEXT_MAX);
	(void)buf_printf(&text, "{'descr': '%s', 'fortran_order': False, 'shape': (",
			 npy_descr(h->type));
	for (int i = 0; i < h->n_dims; i++)
		(void)buf_printf(&text, "%s%" PRIu64, i ? ", " : "", h->dim[i]);
	(void)buf_str(&text, h->n_dims == 1 ? ",), }" : "), }");
	while (!text.failed && (PRELUDE + text.len + 1) % ALIGN)
		(void)buf_char(&text, ' ');
	(void)buf_char(&text, '\n');
	len = text.len;
	(void)buf_add(out, magic, sizeof(magic));
	(void)buf_add(out, "\x01\x00", 2);
	(void)buf_char(out, (char)(len & 0xff));
	(void)buf_char(out, (char)(len >> 8));
	(void)buf_add(out, text.failed ? "" : text.data, text.failed ? 0 : len);
	if (text.failed || out->failed == ERR_NOMEM)
		return err_nomem(err);
	if (out->failed)
		return err_set(err, ERR_LIMIT, NULL, "no room for an .npy header within %zu bytes",
			       out->max);
	return 0;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* The header's text: a Python dict with three keys. */
struct text {
	const char *at, *end;
};

static void skip(struct text *t)
{
	while (t->at < t->end && (*t->at == ' ' || *t->at == '\n' || *t->at == '\t'))
		t->at++;
}

static bool eat(struct text *t, const char *what)
{
	size_t n = strlen(what);

	skip(t);
	if ((size_t)(t->end - t->at) < n || memcmp(t->at, what, n) != 0)
		return false;
	t->at += n;
	return true;
}

/* 'word' or "word" into ret[n]. */
static bool eat_string(struct text *t, char *ret, size_t n)
{
	char quote;
	size_t len = 0;

	skip(t);
	if (t->at == t->end || (*t->at != '\'' && *t->at != '"'))
		return false;
	quote = *t->at++;
	while (t->at < t->end && *t->at != quote && len + 1 < n)
		ret[len++] = *t->at++;
	ret[len] = '\0';
	return t->at < t->end && *t->at++ == quote;
}

static bool eat_number(struct text *t, uint64_t *ret)
{
	uint64_t x = 0;
	const char *start;

	skip(t);
	start = t->at;
	for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
		if (__builtin_mul_overflow(x, (uint64_t)10, &x) ||
		    __builtin_add_overflow(x, (uint64_t)(*t->at - '0'), &x))
			return false;
	}
	*ret = x;
	return t->at > start;
}

static bool eat_shape(struct text *t, struct npy_header *h)
{
	if (!eat(t, "("))
		return false;
	h->n_dims = 0;
	while (!eat(t, ")")) {
		if (h->n_dims == NPY_DIMS_MAX || !eat_number(t, &h->dim[h->n_dims++]))
			return false;
		if (!eat(t, ",") && !eat(t, ")"))
			return false;
		if (t->at[-1] == ')')
			return true;
	}
	return true;
}

static bool type_of(const char *descr, enum npy_type *ret)
{
	for (int i = 0; i < (int)NPY_N; i++) {
		/* The order of bytes means nothing where there is one byte. */
		if (strcmp(descr + (types[i].size == 1 && descr[0] ? 1 : 0),
			   types[i].descr + (types[i].size == 1 ? 1 : 0)) == 0) {
			*ret = (enum npy_type)i;
			return true;
		}
	}
	return false;
}

/* One "'key': value"; the bit of the key, 0 if malformed. */
static unsigned eat_item(struct text *t, struct npy_header *h, char *descr, size_t descr_size)
{
	char key[20];

	if (!eat_string(t, key, sizeof(key)) || !eat(t, ":"))
		return 0;
	if (strcmp(key, "descr") == 0)
		return eat_string(t, descr, descr_size) ? 1 : 0;
	if (strcmp(key, "fortran_order") == 0)
		return eat(t, "False") ? 2 : 0;
	if (strcmp(key, "shape") == 0)
		return eat_shape(t, h) ? 4 : 0;
	return 0;
}

static int parse_dict(struct text t, struct npy_header *h, struct err *err)
{
	char descr[16] = "";
	unsigned seen = 0;

	if (!eat(&t, "{"))
		return err_set(err, ERR_CORRUPT, NULL, "expected an .npy header, found no dict");
	while (!eat(&t, "}")) {
		unsigned bit = eat_item(&t, h, descr, sizeof(descr));

		if (!bit || seen & bit || (!eat(&t, ",") && (t.at == t.end || *t.at != '}')))
			return err_set(err, ERR_CORRUPT, NULL,
				       "expected descr, fortran_order False and a shape of at most "
				       "%d dimensions in the .npy header",
				       NPY_DIMS_MAX);
		seen |= bit;
	}
	if (seen != 7)
		return err_set(err, ERR_CORRUPT, NULL,
			       "expected descr, fortran_order and shape in the .npy header");
	if (!type_of(descr, &h->type))
		return err_set(err, ERR_CORRUPT, NULL,
			       "expected a little-endian number type, found descr '%s'", descr);
	return 0;
}

/* Are dim[0] * ... * size bytes there behind the header? */
static int check_length(const struct npy_header *h, size_t n, struct err *err)
{
	uint64_t bytes = npy_size(h->type);
	bool fits = true, empty = false;

	for (int i = 0; i < h->n_dims; i++)
		empty = empty || h->dim[i] == 0;
	for (int i = 0; i < h->n_dims && !empty; i++)
		fits = fits && !__builtin_mul_overflow(bytes, h->dim[i], &bytes);
	if (empty)
		bytes = 0;
	if (!fits || bytes > n - h->data_offset)
		return err_set(err, ERR_CORRUPT, NULL,
			       "the .npy header promises more data than the %zu bytes that follow",
			       n - h->data_offset);
	return 0;
}

int npy_parse(struct npy_header *ret, const void *bytes, size_t n, struct err *err)
{
	const unsigned char *p = bytes;
	struct npy_header h = { .n_dims = 0 };
	size_t prelude = PRELUDE, len;
	int r;

	if (n < PRELUDE + 2 || memcmp(p, magic, sizeof(magic)) != 0)
		return err_set(err, ERR_CORRUPT, NULL, "expected an .npy file, found no magic");
	if (p[6] < 1 || p[6] > 3)
		return err_set(err, ERR_CORRUPT, NULL, "expected .npy version 1 to 3, found %d",
			       p[6]);
	len = (size_t)word(p + 8, p[6] == 1 ? 2 : 4);
	prelude += p[6] == 1 ? 0 : 2;
	if (len > n - prelude)
		return err_set(err, ERR_CORRUPT, NULL, "the .npy header is cut short");
	h.data_offset = prelude + len;
	r = parse_dict((struct text){ (const char *)p + prelude, (const char *)p + h.data_offset },
		       &h, err);
	if (!r)
		r = check_length(&h, n, err);
	if (!r)
		*ret = h;
	return r;
}
