/* mem.h - the only road to malloc: counted, overflow-checked, able to fail on demand. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_BASE_MEM_H
#define CORE_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/attr.h"

/* Zeroed memory for n things of `size` bytes (n * size checked), NULL when there is none. */
void *mem_alloc(size_t n, size_t size) MUST_USE;
/* As realloc(p, n * size); the grown part is not zeroed. On NULL the old block lives on. */
void *mem_resize(void *p, size_t n, size_t size) MUST_USE;
/* Room for one more item of `size` bytes in *at, which holds n and has room for *cap: twice as many
 * as before, `first` at the beginning. False: no memory, nothing changed. */
bool mem_reserve(void **at, size_t n, size_t *cap, size_t size, size_t first) MUST_USE;
void mem_free(void *p); /* NULL is fine */
char *mem_strdup(const char *s) MUST_USE;

/* For libraries' allocator hooks: not zeroed, same counting and failing. */
void *mem_raw_alloc(size_t size);
void *mem_raw_resize(void *p, size_t size);
void mem_raw_free(void *p);

/* The same for libjansson (mem_json.c says why it needs its own). */
void *mem_json_alloc(size_t size);
void mem_json_free(void *p);

/* For a library that keeps what it has (caches, statements): refused as told, but not among the blocks alive.
 * `size` is what a block has room for, at least what was asked for. */
void *mem_kept_alloc(size_t size);
void *mem_kept_resize(void *p, size_t size);
void mem_kept_free(void *p);
size_t mem_kept_size(void *p);

/* For CLEANUP(mem_freep): frees *(void **)p. */
void mem_freep(void *p);

/* Blocks alive now; for leak tests. */
size_t mem_live(void);
/* Allocations refused to this thread so far: unchanged means that a library that was hooked to this got
 * all it asked for. */
size_t mem_refused(void);
/* Let the k-th allocation from now fail (1 = the next); sticky: all after it too. 0 switches off. */
void mem_fail_at(size_t k, bool sticky);

/* An arena: many allocations that die together. Zeroed memory, 64-byte aligned for big blocks
 * (64 bytes and up), 16 otherwise. Blocks of 2 MiB and up ask for huge pages. */
struct mem_block;
struct mem_arena {
	struct mem_block *head;
	size_t used;  /* bytes handed out */
	size_t limit; /* bytes that may be handed out; 0 = no limit */
	bool met;     /* an allocation failed because of the limit */
};

void mem_arena_init(struct mem_arena *a, size_t limit);
/* NULL when memory or the limit is exhausted. */
void *mem_arena_alloc(struct mem_arena *a, size_t n, size_t size) MUST_USE;
char *mem_arena_strdup(struct mem_arena *a, const char *s) MUST_USE;
char *mem_arena_printf(struct mem_arena *a, const char *fmt, ...) MUST_USE PRINTF(2, 3);
void mem_arena_release(struct mem_arena *a); /* everything at once; the arena can be used again */

#define NEW(arena, type, n) ((type *)mem_arena_alloc((arena), (n), sizeof(type)))

#endif
