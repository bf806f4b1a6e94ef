/* exec_folder.h - DATA/runs/ID: made before a run's process starts, kept while the run can go on. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_EXEC_FOLDER_H
#define SERVER_EXEC_FOLDER_H

#include <stdbool.h>
#include <sys/stat.h>

#include "core/base/mem.h"
#include "server/store.h"

/* With all that the process needs: as it was, if there is a checkpoint in it, else new. */
int exec_folder_make(struct store *s, const char *id, const char *path, struct mem_arena *arena,
		     struct err *err) MUST_USE;
/* A new folder with a spec and its data sets. */
int exec_folder_fill(struct store *s, const char *path, const char *spec, struct err *err) MUST_USE;
/* The checkpoint of a folder; zeros: there is none. */
struct stat exec_folder_checkpoint(const char *path);
/* Remove the folders of runs that ended without a process: cancelled while they waited to go on.
 * Whether others remain. */
bool exec_folder_tidy(struct store *s);

#endif
