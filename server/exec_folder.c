/* exec_folder.c - what a simulation's process finds in its folder, and when the folder goes. */
/* SPDX-License-Identifier: MIT */
#include "server/exec_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/rundir.h"
#include "core/spec_json.h"
#include "server/dataset.h"
#include "server/harvest.h"
#include "server/store_db.h"
#include "server/store_run.h"

enum { PATH_SIZE = 4096 };

static int write_spec(int dir, const char *spec, struct err *err)
{
	size_t n = strlen(spec);
	int fd = openat(dir, RUNDIR_SPEC, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd >= 0;

	for (size_t at = 0; ok && at < n;) {
		ssize_t done = write(fd, spec + at, n - at);

		ok = done > 0 || (done < 0 && errno == EINTR);
		at += done > 0 ? (size_t)done : 0;
	}
	if (fd >= 0 && close(fd))
		ok = false;
	if (ok)
		return 0;
	return err_set(err, errno == ENOSPC ? ERR_NOSPACE : ERR_IO, NULL,
		       "the run's folder cannot be written: %s", strerror(errno));
}

static int link_datasets(struct store *s, int dir, const char *spec, struct err *err)
{
	json_t *json = json_loads(spec, 0, NULL), *ids = json ? spec_json_datasets(json) : NULL,
	       *id;
	int data, rc = ids ? 0 : err_nomem(err);
	size_t i;

	if (!rc && json_array_size(ids)) {
		data = mkdirat(dir, RUNDIR_DATA, 0700)
			       ? -1
			       : openat(dir, RUNDIR_DATA, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (data < 0)
			rc = err_set(err, ERR_IO, NULL, "the run's folder cannot be written: %s",
				     strerror(errno));
		json_array_foreach(ids, i, id) if (!rc) rc =
			dataset_link(s, json_string_value(id), data, err);
		if (data >= 0)
			(void)close(data);
	}
	json_decref(ids);
	json_decref(json);
	return rc;
}

struct stat exec_folder_checkpoint(const char *path)
{
	struct stat ret = { 0 };
	char file[PATH_SIZE + sizeof(RUNDIR_CKPT) + 1];

	(void)snprintf(file, sizeof(file), "%s/" RUNDIR_CKPT, path);
	if (lstat(file, &ret))
		memset(&ret, 0, sizeof(ret));
	return ret;
}

int exec_folder_fill(struct store *s, const char *path, const char *spec, struct err *err)
{
	int dir = mkdir(path, 0700) ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (dir < 0)
		return err_set(err, errno == ENOSPC ? ERR_NOSPACE : ERR_IO, NULL,
			       "the simulation's folder cannot be made: %s", strerror(errno));
	rc = write_spec(dir, spec, err);
	if (!rc)
		rc = link_datasets(s, dir, spec, err);
	(void)close(dir);
	return rc;
}

int exec_folder_make(struct store *s, const char *id, const char *path, struct mem_arena *arena,
		     struct err *err)
{
	const char *spec;
	int rc;

	if (exec_folder_checkpoint(path).st_ino)
		return 0;
	rc = store_run_text(s, id, STORE_RUN_SPEC, arena, &spec, err);
	if (rc)
		return rc;
	harvest_remove(s, "runs", id);
	return exec_folder_fill(s, path, spec, err);
}

/* Whether a folder's run may still need it. */
static bool is_needed(struct store *s, const char *id)
{
	struct mem_arena arena;
	struct store_run run;
	struct err err = { 0 };
	int rc;

	mem_arena_init(&arena, 0);
	rc = store_run_get(s, id, &arena, &run, &err);
	mem_arena_release(&arena);
	return rc ? rc != -ERR_NOTFOUND : !run_state_final(run.state);
}

bool exec_folder_tidy(struct store *s)
{
	char path[PATH_SIZE];
	struct dirent *entry;
	bool kept = false;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/runs", store_dir(s));
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (is_needed(s, entry->d_name))
			kept = true;
		else
			harvest_remove(s, "runs", entry->d_name);
	}
	if (dir)
		(void)closedir(dir);
	return kept;
}
