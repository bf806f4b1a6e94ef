/* dataset_wav.c - sound: one WAV file (fields "samples" and "rate_hz"), or a zip of them (a field each,
 * of its name, and "rate_hz" in their order).
 *
 * RIFF, little-endian: chunks of an id, a size and as many bytes, padded to an even number. Samples keep the
 * type they have in the file, but for 24 bits, which become int32 of the same value. */
/* SPDX-License-Identifier: MIT */
#include "server/dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/npz.h"

enum { HEAD = 12, CHUNK_HEAD = 8, FORMAT_MIN = 16, EXTENSIBLE_MIN = 26 };
enum { PCM = 1, FLOAT = 3, EXTENSIBLE = 0xfffe };

struct wav {
	const char *name; /* for errors */
	const unsigned char *bytes;
	size_t n;
	size_t format, n_format; /* the chunk "fmt "; 0: not found */
	size_t data, n_data;
	unsigned channels, bits;
	uint64_t moments;
	uint32_t rate;
};

static uint32_t little(const unsigned char *p, int n)
{
	uint32_t v = 0;

	for (int i = 0; i < n; i++)
		v |= (uint32_t)p[i] << (8 * i);
	return v;
}

bool dataset_wav_is(const unsigned char *b, size_t n)
{
	return n >= HEAD && memcmp(b, "RIFF", 4) == 0 && memcmp(b + 8, "WAVE", 4) == 0;
}

/* Where "fmt " and "data" stand, the first of each. */
static int find_chunks(struct wav *w, struct err *err)
{
	for (size_t at = HEAD; !w->data; at += (size_t)(at & 1)) {
		const unsigned char *p = w->bytes + at;
		size_t size;

		if (at > w->n || w->n - at < CHUNK_HEAD)
			return err_set(
				err, ERR_CORRUPT, NULL,
				"%s: expected a chunk \"data\" at byte %zu, found the end of the "
				"file",
				w->name, at);
		size = little(p + 4, 4);
		at += CHUNK_HEAD;
		if (size > w->n - at)
			return err_set(
				err, ERR_CORRUPT, NULL,
				"%s: expected %zu bytes behind byte %zu, found %zu; it may be "
				"cut off",
				w->name, size, at, w->n - at);
		if (memcmp(p, "fmt ", 4) == 0 && !w->format) {
			w->format = at;
			w->n_format = size;
		} else if (memcmp(p, "data", 4) == 0) {
			w->data = at;
			w->n_data = size;
		}
		at += size;
	}
	return 0;
}

static int type_of(const struct wav *w, unsigned tag, enum npy_type *ret, struct err *err)
{
	static const struct {
		unsigned tag, bits;
		enum npy_type type;
	} known[] = { { PCM, 8, NPY_U8 },   { PCM, 16, NPY_I16 },   { PCM, 24, NPY_I32 },
		      { PCM, 32, NPY_I32 }, { FLOAT, 32, NPY_F32 }, { FLOAT, 64, NPY_F64 } };

	for (size_t i = 0; i < COUNTOF(known); i++) {
		if (known[i].tag == tag && known[i].bits == w->bits) {
			*ret = known[i].type;
			return 0;
		}
	}
	return err_set(
		err, ERR_CORRUPT, NULL,
		"%s: byte %zu: expected whole numbers (1) of 8, 16, 24 or 32 bits, or floats (3) "
		"of 32 or 64, found format %u of %u bits",
		w->name, w->format, tag, w->bits);
}

static int read_format(struct wav *w, enum npy_type *ret_type, struct err *err)
{
	const unsigned char *p = w->bytes + w->format;
	unsigned tag, block;

	if (!w->format || w->format > w->data || w->n_format < FORMAT_MIN)
		return err_set(err, ERR_CORRUPT, NULL,
			       "%s: expected a chunk \"fmt \" of at least %d bytes before byte %zu",
			       w->name, FORMAT_MIN, w->data - CHUNK_HEAD);
	tag = little(p, 2);
	w->channels = little(p + 2, 2);
	w->rate = little(p + 4, 4);
	block = little(p + 12, 2);
	w->bits = little(p + 14, 2);
	if (tag == EXTENSIBLE && w->n_format >= EXTENSIBLE_MIN)
		tag = little(p + 24, 2);
	if (w->channels == 0 || w->rate == 0)
		return err_set(
			err, ERR_CORRUPT, NULL,
			"%s: byte %zu: expected channels and samples a second, found %u and %u",
			w->name, w->format + 2, w->channels, (unsigned)w->rate);
	if (type_of(w, tag, ret_type, err))
		return -ERR_CORRUPT;
	if (block != w->channels * (w->bits / 8))
		return err_set(err, ERR_CORRUPT, NULL,
			       "%s: byte %zu: expected %u bytes a moment, %u channels of %u bits, "
			       "found %u",
			       w->name, w->format + 12, w->channels * (w->bits / 8), w->channels,
			       w->bits, block);
	if (w->n_data == 0 || w->n_data % block)
		return err_set(err, ERR_CORRUPT, NULL,
			       "%s: byte %zu: expected whole moments of %u bytes, found %zu bytes",
			       w->name, w->data, block, w->n_data);
	w->moments = w->n_data / block;
	return 0;
}

/* 24 bits, of which the last is the sign. */
static const void *widen(const struct wav *w, struct mem_arena *arena)
{
	size_t n = w->n_data / 3;
	unsigned char *to = NEW(arena, unsigned char, n * 4);

	for (size_t i = 0; to && i < n; i++) {
		const unsigned char *from = w->bytes + w->data + 3 * i;

		memcpy(to + 4 * i, from, 3);
		to[4 * i + 3] = from[2] & 0x80 ? 0xff : 0;
	}
	return to;
}

static int read_wav(struct dataset_field *f, const char *name, const unsigned char *bytes, size_t n,
		    struct mem_arena *arena, double *ret_rate, struct err *err)
{
	struct wav w = { .name = name, .bytes = bytes, .n = n };
	int rc = dataset_wav_is(bytes, n) ? 0
					  : err_set(err, ERR_CORRUPT, NULL,
						    "%s: byte 0: expected RIFF and WAVE", name);

	if (!rc)
		rc = find_chunks(&w, err);
	if (!rc)
		rc = read_format(&w, &f->shape.type, err);
	if (rc)
		return rc;
	f->data = w.bits == 24 ? widen(&w, arena) : bytes + w.data;
	if (!f->data)
		return err_nomem(err);
	f->shape.n_dims = w.channels > 1 ? 2 : 1;
	f->shape.dim[0] = w.moments;
	f->shape.dim[1] = w.channels > 1 ? w.channels : 0;
	*ret_rate = w.rate;
	return 0;
}

/* The field behind the sounds; `rates` are in the arena. */
static void add_rates(struct dataset *ret, struct dataset_field *f, size_t n, const double *rates)
{
	f[n] = (struct dataset_field){
		.name = "rate_hz",
		.shape = { .type = NPY_F64, .n_dims = 1, .dim = { n } },
		.data = rates,
	};
	ret->kind = "wav";
	ret->fields = f;
	ret->n_fields = n + 1;
}

int dataset_wav(struct dataset *ret, const unsigned char *bytes, size_t n, struct mem_arena *arena,
		struct err *err)
{
	struct dataset_field *f = NEW(arena, struct dataset_field, 2);
	double *rate = NEW(arena, double, 1);
	int rc = f && rate ? read_wav(f, "WAV", bytes, n, arena, rate, err) : err_nomem(err);

	if (rc)
		return rc;
	(void)snprintf(f->name, sizeof(f->name), "samples");
	add_rates(ret, f, 1, rate);
	return 0;
}

int dataset_wav_zip(struct dataset *ret, const struct npz_entry *entries, size_t n,
		    struct mem_arena *arena, struct err *err)
{
	struct dataset_field *f = NEW(arena, struct dataset_field, n + 1);
	double *rates = NEW(arena, double, n);

	if (!f || !rates)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		char name[NPZ_NAME_MAX + 8];
		int rc;

		(void)snprintf(name, sizeof(name), "%s.wav", entries[i].name);
		rc = read_wav(&f[i], name, entries[i].bytes, entries[i].n, arena, &rates[i], err);
		if (rc)
			return rc;
		(void)snprintf(f[i].name, sizeof(f[i].name), "%s", entries[i].name);
	}
	add_rates(ret, f, n, rates);
	return 0;
}
