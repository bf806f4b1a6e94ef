/* hash - digest of words: xor, multiply and rotate, then a final mix. Not for secrets.
 *
 * The round is that of MurmurHash3 (Appleby, public domain) for 64-bit lanes; the end is
 * splitmix64's mix (Steele, Lea, Flood 2014, doi:10.1145/2714064.2660195). */
/* SPDX-License-Identifier: MIT */
#include "core/base/hash.h"

#include <string.h>

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

void hash_init(struct hash *h)
{
	*h = (struct hash){ .state = 0x9e3779b97f4a7c15u };
}

void hash_u64(struct hash *h, uint64_t word)
{
	word = rotate(word * 0x87c37b91114253d5u, 31) * 0x4cf5ad432745937fu;
	h->state = rotate(h->state ^ word, 27) * 5 + 0x52dce729u;
	h->count++;
}

void hash_double(struct hash *h, double x)
{
	uint64_t word;

	x += 0.0; /* -0.0 + 0.0 = 0.0 */
	memcpy(&word, &x, sizeof(word));
	hash_u64(h, x == x ? word : 0x7ff8000000000000u); /* NaNs differ between processors */
}

uint64_t hash_end(const struct hash *h)
{
	return mix(h->state ^ mix(h->count));
}

uint64_t hash_bytes(const void *p, size_t n)
{
	const unsigned char *bytes = p;
	struct hash h;

	hash_init(&h);
	for (size_t i = 0; i < n; i += 8) {
		uint64_t word = 0;

		for (size_t k = 0; k < 8 && i + k < n; k++)
			word |= (uint64_t)bytes[i + k] << (8 * k);
		hash_u64(&h, word);
	}
	hash_u64(&h, n);
	return hash_end(&h);
}
