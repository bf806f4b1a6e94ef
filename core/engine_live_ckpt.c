/* engine_live_ckpt.c - a live simulation saved, taken back, prepared for another directory. */
/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine_data.h"
#include "core/engine_live_part.h"
#include "core/rundir.h"

enum { PATH_BYTES = 128 };

static int failed(const char *what, const char *file, struct err *err)
{
	bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

	return err_set(err, full ? ERR_NOSPACE : ERR_IO, "", "cannot %s %s: %s", what, file,
		       strerror(errno));
}

/* ---- saved ---- */

/* What the checkpoint says beside the state (mem_free). */
static char *text_new(const struct engine_live *l)
{
	json_t *schedule = spec_json_live_schedule(l->spec);
	json_t *all = schedule ? json_pack("{s:I, s:o}", "generation", (json_int_t)l->generation,
					   "schedule", schedule)
			       : NULL;
	char *text = all ? spec_json_text(all) : NULL;

	json_decref(all);
	return text;
}

static int write_in(struct engine_live *l, int dir_fd, uint64_t *ret_bytes, struct err *err)
{
	char *text = text_new(l);
	struct ckpt_state s = { .sim = l->c.sim,
				.rec = l->c.rec,
				.wall_s = l->c.control->now_s(l->c.control->self) - l->c.started_s,
				.text = text };
	struct stat st;
	int rc = text ? rec_sync(l->c.rec, err) : err_nomem(err);

	if (!rc)
		rc = ckpt_write(dir_fd, &l->c.ckpt.key, &s, err);
	mem_free(text);
	if (!rc && fstatat(dir_fd, RUNDIR_CKPT, &st, 0) < 0)
		rc = failed("read", RUNDIR_CKPT, err);
	if (!rc)
		*ret_bytes = (uint64_t)st.st_size;
	return rc;
}

static int check_name(const char *name, struct err *err)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

	if (n > 0 && n <= ENGINE_LIVE_NAME_MAX && name[n] == '\0')
		return 0;
	return err_set(err, ERR_RANGE, "/name",
		       "expected 1 to %d letters, digits, _ or - as a name", ENGINE_LIVE_NAME_MAX);
}

static int open_dir(int dir_fd, const char *path, struct err *err)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND, "", "there is no %s", path);
	return fd < 0 ? failed("open", path, err) : fd;
}

/* Remove a directory of files. */
static void remove_dir(int dir_fd, const char *path)
{
	int fd = open_dir(dir_fd, path, NULL);
	DIR *all = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *one;

	while (all && (one = readdir(all)))
		(void)unlinkat(fd, one->d_name, 0);
	if (all)
		(void)closedir(all);
	else if (fd >= 0)
		(void)close(fd);
	(void)unlinkat(dir_fd, path, AT_REMOVEDIR);
}

/* A whole directory, under another name until it is complete. */
static int write_named(struct engine_live *l, const char *name, uint64_t *ret_bytes,
		       struct err *err)
{
	char path[PATH_BYTES], part[PATH_BYTES];
	int dir_fd = l->c.dir_fd, fd, rc;

	(void)snprintf(path, sizeof(path), RUNDIR_CKPTS "/%s", name);
	(void)snprintf(part, sizeof(part), RUNDIR_CKPTS "/%s.part", name);
	if (mkdirat(dir_fd, RUNDIR_CKPTS, 0777) < 0 && errno != EEXIST)
		return failed("create", RUNDIR_CKPTS, err);
	if (faccessat(dir_fd, path, F_OK, 0) == 0)
		return err_set(err, ERR_CONFLICT, "/name", "there is a checkpoint %s already",
			       name);
	remove_dir(dir_fd, part);
	if (mkdirat(dir_fd, part, 0777) < 0)
		return failed("create", part, err);
	fd = open_dir(dir_fd, part, err);
	rc = fd < 0 ? fd : write_in(l, fd, ret_bytes, err);
	if (!rc)
		rc = rec_link(l->c.rec, fd, err);
	if (fd >= 0)
		(void)close(fd);
	if (!rc && renameat(dir_fd, part, dir_fd, path) < 0)
		rc = failed("rename", part, err);
	if (rc)
		remove_dir(dir_fd, part);
	return rc;
}

int engine_live_flush(struct engine_live *l, struct err *err)
{
	return rec_flush(l->c.rec, err);
}

int engine_live_checkpoint(struct engine_live *l, const char *name, uint64_t *ret_bytes,
			   struct err *err)
{
	int rc = engine_live_failed(l, err);

	if (!rc && name)
		rc = check_name(name, err);
	if (rc)
		return rc;
	return name ? write_named(l, name, ret_bytes, err)
		    : write_in(l, l->c.dir_fd, ret_bytes, err);
}

/* ---- taken back ---- */

/* A new generation beside the old; from then on the checkpoint of the directory names its columns, so a
 * process that dies at any moment finds one of the two whole. */
static int replace(struct engine_live **l, const struct engine_live_source *from, struct err *err)
{
	struct engine_live *old = *l, *fresh = NULL;
	struct err_list errors = { 0 };
	uint64_t bytes;
	int rc = rec_flush(old->c.rec, err);

	if (!rc)
		rc = engine_live_make(&fresh, old->c.dir_fd, old->c.control, old->hook, from,
				      &errors, err);
	err_list_release(&errors);
	if (!rc)
		rc = write_in(fresh, fresh->c.dir_fd, &bytes, err);
	if (rc) {
		if (fresh)
			rec_remove(fresh->c.rec);
		engine_live_close(fresh);
		return rc;
	}
	fresh->looks = old->looks;
	rec_remove(old->c.rec);
	engine_live_close(old);
	if (fresh->hook)
		fresh->hook->attach(fresh->hook->self, fresh->c.sim);
	*l = fresh;
	return 0;
}

int engine_live_restore(struct engine_live **l, const char *name, struct err *err)
{
	struct engine_live_source from = { .must = true, .generation = (*l)->generation + 1 };
	char path[PATH_BYTES] = ".";
	int rc = name ? check_name(name, err) : 0;

	if (!rc && from.generation > ENGINE_LIVE_GENERATIONS)
		rc = err_set(err, ERR_LIMIT, "", "restored too often");
	if (rc)
		return rc;
	if (name)
		(void)snprintf(path, sizeof(path), RUNDIR_CKPTS "/%s", name);
	from.dir_fd = open_dir((*l)->c.dir_fd, path, err);
	if (from.dir_fd < 0)
		return from.dir_fd;
	rc = replace(l, &from, err);
	(void)close(from.dir_fd);
	return rc;
}

/* ---- in another directory ---- */

/* A second name where the file system can, else a copy. */
static int link_file(int from_fd, const char *file, int to_fd, struct err *err)
{
	char *bytes = NULL;
	size_t n = 0;
	int rc;

	if (linkat(from_fd, file, to_fd, file, 0) == 0)
		return 0;
	if (errno != EXDEV && errno != EPERM && errno != EMLINK)
		return failed("link", file, err);
	rc = engine_data_read(from_fd, file, SIZE_MAX / 2, &bytes, &n, err);
	if (!rc)
		rc = engine_data_write(to_fd, file, bytes, n, err);
	mem_free(bytes);
	return rc;
}

static int link_all(int from_fd, int to_fd, struct err *err)
{
	int own = dup(from_fd), rc = 0;
	DIR *all = own < 0 ? NULL : fdopendir(own);
	const struct dirent *one;

	if (!all && own >= 0)
		(void)close(own);
	if (!all)
		return failed("read", RUNDIR_DATA, err);
	while (!rc && (one = readdir(all))) {
		if (one->d_name[0] != '.')
			rc = link_file(from_fd, one->d_name, to_fd, err);
	}
	(void)closedir(all);
	return rc;
}

int engine_live_furnish(const struct engine_live *l, int dir_fd, struct err *err)
{
	int rc = link_file(l->c.dir_fd, RUNDIR_SPEC, dir_fd, err);
	int from, to;

	if (rc || faccessat(l->c.dir_fd, RUNDIR_DATA, F_OK, 0) < 0)
		return rc;
	from = open_dir(l->c.dir_fd, RUNDIR_DATA, err);
	if (from < 0)
		return from;
	if (mkdirat(dir_fd, RUNDIR_DATA, 0777) < 0)
		rc = failed("create", RUNDIR_DATA, err);
	to = rc ? rc : open_dir(dir_fd, RUNDIR_DATA, err);
	rc = to < 0 ? to : link_all(from, to, err);
	if (to >= 0)
		(void)close(to);
	(void)close(from);
	return rc;
}

int engine_live_move(struct engine_live *l, int dir_fd, struct err *err)
{
	int rc = rec_move(l->c.rec, dir_fd, err);

	l->c.dir_fd = dir_fd;
	l->looks = 0;
	return rc;
}
