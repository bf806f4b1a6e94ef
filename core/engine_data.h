/* engine_data.h - what the engine reads from a run's directory: the spec's text, data sets. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_ENGINE_DATA_H
#define CORE_ENGINE_DATA_H

#include "core/spec_json.h"

enum { ENGINE_DATA_SPEC_MAX = 64 << 20, ENGINE_DATA_NAME_MAX = 100 };

/* The bytes of dir_fd/spec.json; mem_free them. Errors: NOTFOUND, IO, LIMIT, NOMEM. */
int engine_data_spec(int dir_fd, char **ret, size_t *ret_n, struct err *err) MUST_USE;
/* All of a regular file of at most `max` bytes (mem_free; a NUL follows them). */
int engine_data_read(int dir_fd, const char *file, size_t max, char **ret, size_t *ret_n,
		     struct err *err) MUST_USE;
/* Put a file in the place of another, whole. */
int engine_data_write(int dir_fd, const char *file, const char *bytes, size_t n,
		      struct err *err) MUST_USE;
/* Data sets of a run: `self` is the address of its directory's descriptor. */
struct spec_datasets engine_data_sets(int *dir_fd);

#endif
