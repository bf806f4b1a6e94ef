/* mem - allocator seam: counts, fails on demand; arenas on top of it. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* madvise */
#include "core/base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCK_MIN = 64 * 1024, HUGE_PAGE = 2 * 1024 * 1024, PAGE = 4096, LINE = 64, SMALL = 16 };

static atomic_size_t live;	     /* blocks handed out and not freed */
static atomic_size_t countdown;	     /* allocations until the one that fails; 0 = off */
static atomic_bool fail_sticky;	     /* all after it fail too */
static atomic_bool fail_forever;     /* a sticky failure has begun */
static _Thread_local size_t refused; /* allocations of this thread that got nothing */

size_t mem_live(void)
{
	return atomic_load(&live);
}

size_t mem_refused(void)
{
	return refused;
}

void mem_fail_at(size_t k, bool sticky)
{
	atomic_store(&fail_forever, false);
	atomic_store(&fail_sticky, sticky);
	atomic_store(&countdown, k);
}

/* Is this allocation the one that shall fail? Two loads when nothing is to fail. */
static bool told_to_fail(void)
{
	size_t k = atomic_load_explicit(&countdown, memory_order_relaxed);

	while (k > 0) {
		if (!atomic_compare_exchange_weak(&countdown, &k, k - 1))
			continue;
		if (k > 1)
			return false;
		atomic_store(&fail_forever, atomic_load(&fail_sticky));
		return true;
	}
	return atomic_load_explicit(&fail_forever, memory_order_relaxed);
}

static bool fails(void)
{
	bool yes = told_to_fail();

	if (yes)
		refused++;
	return yes;
}

static void *counted(void *p)
{
	if (p)
		atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
	else
		refused++;
	return p;
}

void *mem_alloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || fails())
		return NULL;
	return counted(calloc(1, bytes ? bytes : 1));
}

void *mem_resize(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return mem_raw_resize(p, bytes);
}

bool mem_reserve(void **at, size_t n, size_t *cap, size_t size, size_t first)
{
	size_t wanted = *cap ? *cap * 2 : first;
	void *grown;

	if (n < *cap)
		return true;
	grown = mem_resize(*at, wanted, size);
	if (!grown)
		return false;
	*at = grown;
	*cap = wanted;
	return true;
}

void mem_free(void *p)
{
	mem_raw_free(p);
}

char *mem_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = mem_raw_alloc(n);

	return copy ? memcpy(copy, s, n) : NULL;
}

void *mem_raw_alloc(size_t size)
{
	return fails() ? NULL : counted(malloc(size ? size : 1));
}

void *mem_raw_resize(void *p, size_t size)
{
	void *q;

	if (fails())
		return NULL;
	q = realloc(p, size ? size : 1);
	return p ? q : counted(q);
}

void mem_raw_free(void *p)
{
	if (!p)
		return;
	atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
	free(p);
}

static void *got(void *p)
{
	refused += !p;
	return p;
}

void *mem_kept_alloc(size_t size)
{
	return fails() ? NULL : got(malloc(size ? size : 1));
}

void *mem_kept_resize(void *p, size_t size)
{
	return fails() ? NULL : got(realloc(p, size ? size : 1));
}

void mem_kept_free(void *p)
{
	free(p);
}

size_t mem_kept_size(void *p)
{
	return malloc_usable_size(p);
}

void mem_freep(void *p)
{
	void *block;

	memcpy(&block, p, sizeof(block)); /* a T ** seen as void **, without breaking aliasing */
	mem_free(block);
}

/* ---- arena -------------------------------------------------------------------------------- */

struct mem_block {
	struct mem_block *next;
	size_t used, size;	   /* bytes of data */
	unsigned char *data, *own; /* aligned, and where its memory begins */
};

void mem_arena_init(struct mem_arena *a, size_t limit)
{
	*a = (struct mem_arena){ .limit = limit };
}

/* Zeroed bytes, of which only those in use cost pages; from 2 MiB on aligned to and advised for huge
 * pages. */
static void *block_data(struct mem_block *b, size_t size)
{
	size_t align = size >= HUGE_PAGE ? (size_t)HUGE_PAGE : (size_t)LINE;
	unsigned char *data;

	if (fails() || size > SIZE_MAX - align)
		return NULL;
	b->own = counted(calloc(1, size + align));
	if (!b->own)
		return NULL;
	data = b->own + (-(uintptr_t)b->own & (align - 1));
	if (align == HUGE_PAGE)
		(void)madvise(data, size & ~(size_t)(PAGE - 1), MADV_HUGEPAGE);
	return data;
}

static struct mem_block *block_new(size_t size)
{
	struct mem_block *b = mem_alloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->data = block_data(b, size);
	if (!b->data) {
		mem_free(b);
		return NULL;
	}
	b->size = size;
	return b;
}

/* A block with room for `bytes`. A thing larger than a common block gets its own, behind the
 * head, so that the head's room is not lost. */
static struct mem_block *room(struct mem_arena *a, size_t bytes, size_t align)
{
	struct mem_block *b = a->head;
	size_t skip = b ? -b->used & (align - 1) : 0;

	if (b && b->size - b->used >= skip && b->size - b->used - skip >= bytes)
		return b;
	b = block_new(bytes > BLOCK_MIN / 4 ? bytes : (size_t)BLOCK_MIN);
	if (!b)
		return NULL;
	if (a->head && bytes > BLOCK_MIN / 4) {
		b->next = a->head->next;
		a->head->next = b;
	} else {
		b->next = a->head;
		a->head = b;
	}
	return b;
}

void *mem_arena_alloc(struct mem_arena *a, size_t n, size_t size)
{
	struct mem_block *b;
	size_t bytes, align;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	if (a->limit && (a->used > a->limit || bytes > a->limit - a->used)) {
		a->met = true;
		return NULL;
	}
	if (bytes == 0)
		bytes = 1;
	align = bytes >= LINE ? LINE : SMALL;
	b = room(a, bytes, align);
	if (!b)
		return NULL;
	b->used += -b->used & (align - 1);
	p = b->data + b->used;
	b->used += bytes;
	a->used += bytes;
	return p;
}

char *mem_arena_strdup(struct mem_arena *a, const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = mem_arena_alloc(a, n, 1);

	return copy ? memcpy(copy, s, n) : NULL;
}

char *mem_arena_printf(struct mem_arena *a, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	text = mem_arena_alloc(a, (size_t)n + 1, 1);
	if (!text)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}

void mem_arena_release(struct mem_arena *a)
{
	struct mem_block *b = a->head;

	while (b) {
		struct mem_block *next = b->next;

		mem_raw_free(b->own);
		mem_free(b);
		b = next;
	}
	mem_arena_init(a, a->limit);
}
