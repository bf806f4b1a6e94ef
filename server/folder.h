/* folder.h - recordings that stand in a folder (core/rundir.h), read as store_result.h reads a run's. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_FOLDER_H
#define SERVER_FOLDER_H

#include <jansson.h>
#include <stdint.h>

#include "server/store_result.h"

struct folder {
	int fd;
	json_t *result; /* the file as it was when the folder was opened */
};

/* Open DIR and what its FILE (result.json, live.json) describes: whole, because it is replaced by renaming;
 * columns only grow behind it. -NOTFOUND: nothing was written yet. Close with folder_close. */
int folder_open(struct folder *ret, const char *dir, const char *file, struct err *err) MUST_USE;
void folder_close(struct folder *f);

/* The recordings of one kind, subject and name (NULL: any), in the order of result.json. */
int folder_find(const struct folder *f, const char *kind, const char *subject, const char *name,
		struct mem_arena *arena, struct store_recording **ret, size_t *ret_n,
		struct err *err) MUST_USE;
/* Rows [row0, row1) of a column that folder_find gave, in the arena. */
int folder_read(const struct folder *f, const struct store_column *c, uint64_t row0, uint64_t row1,
		struct mem_arena *arena, const void **ret, struct err *err) MUST_USE;
/* Its file, whose bytes are the rows; the caller closes it. */
int folder_file(const struct folder *f, const struct store_column *c, int *ret,
		struct err *err) MUST_USE;
/* A whole file of the folder, at most `max` bytes, NUL-terminated, in the arena. */
int folder_text(const struct folder *f, const char *name, size_t max, struct mem_arena *arena,
		const char **ret, struct err *err) MUST_USE;

#endif
