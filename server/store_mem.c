/* store_mem - SQLite's memory comes from core/base/mem.h, and can be made to fail there. */
/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>

#include "core/base/mem.h"
#include "server/store.h"

enum { ROUND = 8 };

static void *on_alloc(int n)
{
	return mem_kept_alloc((size_t)n);
}

static void *on_resize(void *p, int n)
{
	return mem_kept_resize(p, (size_t)n);
}

static int on_size(void *p)
{
	return p ? (int)mem_kept_size(p) : 0;
}

static int on_round(int n)
{
	return (n + ROUND - 1) / ROUND * ROUND;
}

static int on_start(void *self)
{
	(void)self;
	return SQLITE_OK;
}

static void on_stop(void *self)
{
	(void)self;
}

bool store_hook_memory(void)
{
	static const struct sqlite3_mem_methods methods = { .xMalloc = on_alloc,
							    .xFree = mem_kept_free,
							    .xRealloc = on_resize,
							    .xSize = on_size,
							    .xRoundup = on_round,
							    .xInit = on_start,
							    .xShutdown = on_stop };

	return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK;
}
