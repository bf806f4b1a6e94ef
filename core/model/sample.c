/* sample.c - samples without replacement: by drawing again what was drawn before while that is rare,
 * else by going through all numbers once (Fan, Muller, Rezucha 1962; Vitter 1984, method A). */
/* SPDX-License-Identifier: MIT */
#include "core/model/sample.h"

/* Open addressing on the stack; never more than half full. */
enum { TABLE = 8192, TABLE_BITS = 13 };

/* Whether `value` is new to the table; it is in it afterwards. */
static bool table_add(uint32_t *table, uint32_t value)
{
	uint32_t at = (value * 2654435769u) >> (32 - TABLE_BITS);

	for (; table[at]; at = (at + 1) % TABLE)
		if (table[at] == value + 1)
			return false;
	table[at] = value + 1;
	return true;
}

static void draw_again(struct rng_key key, uint64_t id, uint64_t k, uint64_t n, sample_emit *emit,
		       void *self)
{
	uint32_t table[TABLE] = { 0 }; /* value + 1, 0 is empty */

	for (uint64_t draw = 0; k > 0; draw++) {
		uint64_t at = rng_below(key, id, draw, n);

		if (!table_add(table, (uint32_t)at))
			continue;
		if (!emit(self, at))
			return;
		k--;
	}
}

/* Each time jump over as many as a uniform number says: P(skip >= s) = prod_i (n - k - i) / (n
 * - i). */
static void go_through(struct rng_key key, uint64_t id, uint64_t k, uint64_t n, sample_emit *emit,
		       void *self)
{
	uint64_t at = 0; /* n: not yet passed */

	for (uint64_t draw = 0; k > 0; draw++, k--) {
		double u = rng_uniform(key, id, draw);
		double more = (double)(n - k) / (double)n;

		while (more > u && n > k) {
			n--;
			at++;
			more *= (double)(n - k) / (double)n;
		}
		if (!emit(self, at))
			return;
		at++;
		n--;
	}
}

void sample_distinct(struct rng_key key, uint64_t id, uint64_t k, uint64_t n, sample_emit *emit,
		     void *self)
{
	if (k <= TABLE / 2 && k <= n / 2 && n <= UINT32_MAX)
		draw_again(key, id, k, n, emit, self);
	else
		go_through(key, id, k, n, emit, self);
}
