/* space.c - walks the data folder, seldom. */
/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700
#include "server/space.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "server/clock.h"
#include "server/log.h"
#include "server/store_space.h"

/* A large folder is measured more seldom: the measuring must not be the load. */
static const double AGE_S = 0.5, AGE_PER_S = 20.0;
enum { DEPTH_MAX = 6, PATH_SIZE = 4096 };

static _Atomic int64_t last_files; /* bytes of the folders beside the database */
static _Atomic double valid_until;

static int64_t walk(int parent, const char *name, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int64_t sum = 0;

	while (dir && (entry = readdir(dir)) != NULL) {
		struct stat st;

		if (entry->d_name[0] == '.' || fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			sum += walk(fd, entry->d_name, depth + 1);
		else if (S_ISREG(st.st_mode)) /* a file of several names counts once */
			sum += (int64_t)st.st_blocks * 512 /
			       (st.st_nlink ? (int64_t)st.st_nlink : 1);
	}
	if (dir)
		(void)closedir(dir);
	else if (fd >= 0)
		(void)close(fd);
	return sum;
}

static int64_t files(struct store *s)
{
	static const char *const parts[] = { "runs", "sessions", "datasets" };
	double begun = clock_mono_s(), now;
	char path[PATH_SIZE];
	int64_t sum = 0;

	if (begun < atomic_load(&valid_until))
		return atomic_load(&last_files);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", store_dir(s), parts[i]);
		sum += walk(AT_FDCWD, path, 0);
	}
	now = clock_mono_s();
	atomic_store(&last_files, sum);
	atomic_store(&valid_until, now + fmax(AGE_S, (now - begun) * AGE_PER_S));
	return sum;
}

int space_look(struct store *s, struct space *ret, struct err *err)
{
	struct statvfs fs;
	int64_t all = 0, unused = 0;
	int rc = store_space_pages(s, &all, &unused, err);

	if (rc)
		return rc;
	if (statvfs(store_dir(s), &fs))
		return err_set(err, ERR_IO, NULL, "the data folder cannot be measured: %s",
			       strerror(errno));
	ret->used = files(s) + all - unused;
	ret->free = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	return 0;
}

int space_check(struct store *s, int64_t max, int64_t floor, struct err *err)
{
	struct space now = { 0 };
	int rc = max || floor ? space_look(s, &now, err) : 0;

	if (rc || (!max && !floor))
		return rc;
	if (max && now.used >= max)
		return err_set(err, ERR_NOSPACE, NULL,
			       "the data folder has %lld bytes, its limit is %lld; delete runs, "
			       "sessions or data sets",
			       (long long)now.used, (long long)max);
	if (now.free < floor)
		return err_set(err, ERR_NOSPACE, NULL,
			       "%lld bytes are free on the disk, expected at least %lld",
			       (long long)now.free, (long long)floor);
	return 0;
}

void space_tidy(struct store *s, bool *ret_more)
{
	struct err err = { 0 };

	if (store_space_vacuum(s, ret_more, &err))
		log_err("giving room back", &err);
}
