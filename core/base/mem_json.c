/* mem_json - the allocator of libjansson: mem_raw_*, and a small reserve for one case.
 *
 * Its lexer keeps the text of a token in a buffer that doubles from 32 bytes on, goes on when that cannot
 * grow, and then ends the process by an assertion as it takes back the character behind a number
 * (2.14, load.c, lex_unget_unsave). So where nothing is to be had, a block of such a size comes from a
 * reserve: the reader ends in order, since its other allocations fail, and mem_refused tells of it. */
/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdint.h>

#include "core/base/mem.h"

enum { SLOT_MIN = 32, SLOT_MAX = 1 << 15, SLOTS = 16 };

static char reserve[SLOTS][SLOT_MAX];
static atomic_bool taken[SLOTS];

static bool is_text_buffer(size_t size)
{
	return size >= SLOT_MIN && size <= SLOT_MAX && (size & (size - 1)) == 0;
}

void *mem_json_alloc(size_t size)
{
	void *p = mem_raw_alloc(size);

	for (size_t i = 0; !p && is_text_buffer(size) && i < SLOTS; i++)
		if (!atomic_exchange_explicit(&taken[i], true, memory_order_acquire))
			p = reserve[i];
	return p;
}

void mem_json_free(void *p)
{
	uintptr_t at = (uintptr_t)p - (uintptr_t)reserve;

	if (p && at < sizeof(reserve))
		atomic_store_explicit(&taken[at / SLOT_MAX], false, memory_order_release);
	else
		mem_raw_free(p);
}
