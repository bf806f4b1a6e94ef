/* test_hash - the digest. */
/* SPDX-License-Identifier: MIT */
#include "core/base/hash.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static uint64_t of_words(uint64_t a, uint64_t b)
{
	struct hash h;

	hash_init(&h);
	hash_u64(&h, a);
	hash_u64(&h, b);
	return hash_end(&h);
}

static uint64_t of_double(double x)
{
	struct hash h;

	hash_init(&h);
	hash_double(&h, x);
	return hash_end(&h);
}

Test(hash, order_and_number_of_words_matter)
{
	struct hash h;

	hash_init(&h);
	cr_assert_neq(of_words(1, 2), of_words(2, 1));
	cr_assert_neq(of_words(0, 0), hash_end(&h));
	hash_u64(&h, 0);
	cr_assert_eq(h.count, 1);
	cr_assert_neq(of_words(0, 0), hash_end(&h));
}

Test(hash, ending_does_not_disturb_going_on)
{
	struct hash h;

	hash_init(&h);
	hash_u64(&h, 1);
	(void)hash_end(&h);
	hash_u64(&h, 2);
	cr_assert_eq(hash_end(&h), of_words(1, 2));
}

Test(hash, zeros_are_equal_and_all_nans_are)
{
	cr_assert_eq(of_double(-0.0), of_double(0.0));
	cr_assert_eq(of_double((double)NAN), of_double(-(double)NAN));
	cr_assert_neq(of_double(1), of_double(nextafter(1, 2)));
}

Test(hash, each_bit_of_a_word_flips_about_half_of_the_digest)
{
	for (int i = 0; i < 64; i++) {
		uint64_t diff = of_words(0, 0) ^ of_words(1ull << i, 0);
		int bits = __builtin_popcountll(diff);

		cr_assert(bits > 12 && bits < 52, "bit %d flips %d", i, bits);
	}
}

Test(hash, bytes_of_each_length_differ)
{
	unsigned char zeros[20] = { 0 };

	for (size_t i = 0; i < sizeof(zeros); i++)
		for (size_t j = 0; j < i; j++)
			cr_assert_neq(hash_bytes(zeros, i), hash_bytes(zeros, j));
	cr_assert_eq(hash_bytes("abc", 3), hash_bytes("abcd", 3));
}

Test(hash, digests_are_pinned)
{
	cr_assert_eq(of_words(1, 2), 0x02c48e13b1f5b9c3u, "0x%016llx",
		     (unsigned long long)of_words(1, 2));
	cr_assert_eq(hash_bytes("stdp", 4), 0x0a78f1d16827eddeu, "0x%016llx",
		     (unsigned long long)hash_bytes("stdp", 4));
}
