/* serve_fork.c - a session's branches: a process that goes on elsewhere, and one that ends as a run. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/rundir.h"
#include "core/serve_part.h"

static int failed(const char *what, const char *name, struct err *err)
{
	return err_set(err, errno == ENOSPC ? ERR_NOSPACE : ERR_IO, "/dir", "cannot %s %.100s: %s",
		       what, name, strerror(errno));
}

/* The directory of a branch, new or without a spec, with what it starts from. */
static int prepare(struct serve *s, const char *dir, int *ret_fd, struct err *err)
{
	bool made = mkdir(dir, 0777) == 0;
	int fd, rc;

	if (!made && errno != EEXIST)
		return failed("create", dir, err);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return failed("open", dir, err);
	if (faccessat(fd, RUNDIR_SPEC, F_OK, 0) == 0)
		rc = err_set(err, ERR_CONFLICT, "/dir", "expected a directory without a spec.json");
	else
		rc = engine_live_furnish(s->live, fd, err);
	if (!rc) {
		*ret_fd = fd;
		return 0;
	}
	(void)close(fd);
	if (made)
		(void)rmdir(dir);
	return rc;
}

static int lock(int dir_fd, struct err *err)
{
	int fd = openat(dir_fd, RUNDIR_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);

	if (fd < 0)
		return failed("create", RUNDIR_LOCK, err);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	(void)close(fd);
	return err_set(err, ERR_BUSY, "/dir", "another stdp-run is at work there");
}

/* In the child: what was the parent's is let go, the rest goes on in the new directory. */
static int settle(struct serve *s, int dir_fd, struct err *err)
{
	int rc;

	(void)close(s->lock_fd);
	(void)close(s->dir_fd);
	s->dir_fd = dir_fd;
	buf_clear(&s->in);
	buf_clear(&s->out);
	s->in_from = 0;
	s->in_skip = s->in_wait = s->in_end = false;
	s->seq = 0;
	s->mode = SERVE_PAUSED;
	json_decref(s->step.id);
	s->step = (struct serve_call){ 0 };
	serve_watch_clear(s);
	serve_ckpt_forget(s);
	s->dirty = true;
	s->checkpoint_next_s = serve_now_s(s) + s->control.checkpoint_s / 10.0;
	s->lock_fd = lock(dir_fd, err);
	rc = s->lock_fd < 0 ? s->lock_fd : engine_live_move(s->live, dir_fd, err);
	return rc ? rc : sim_threads_start(engine_live_sim(s->live), err);
}

/* The child of a fork: it lives in the loop that called. */
static void begin_branch(struct serve *s, int socket, int dir_fd)
{
	struct err err = { 0 };
	int rc = 0;

	(void)setpgid(0, 0); /* what ends its parent with all its children is not for it */
	if (dup2(socket, STDIN_FILENO) < 0 || dup2(socket, STDOUT_FILENO) < 0)
		_exit(ERR_EXIT_BASE + ERR_IO);
	(void)close(socket);
	rc = settle(s, dir_fd, &err);
	serve_hello(s, rc ? &err : NULL, NULL);
	if (rc) {
		(void)serve_drain(s, 1.0);
		_exit(ERR_EXIT_BASE - rc);
	}
}

pid_t serve_fork_quietly(struct serve *s)
{
	pid_t pid;

	sim_threads_stop(engine_live_sim(s->live));
	pid = fork();
	return pid;
}

int serve_go_on(struct serve *s, pid_t pid, struct err *err)
{
	int why = errno;
	int rc = sim_threads_start(engine_live_sim(s->live), err);

	if (!rc && pid < 0)
		rc = err_set(err, ERR_NOMEM, "", "cannot fork: %s", strerror(why));
	return rc;
}

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

int serve_fork(struct serve *s, const char *dir, json_t **ret, int *ret_fd, struct err *err)
{
	int pair[2], dir_fd = -1, rc;
	pid_t pid;

	if (!is_socket(s->out_fd))
		return err_set(err, ERR_STATE, "",
			       "a fork needs a socket as standard output, to send its own over");
	rc = prepare(s, dir, &dir_fd, err);
	if (rc)
		return rc;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		(void)close(dir_fd);
		return failed("make", "a socket", err);
	}
	pid = serve_fork_quietly(s);
	if (pid == 0) {
		(void)close(pair[0]);
		begin_branch(s, pair[1], dir_fd);
		*ret_fd = -1;
		return SERVE_BRANCHED;
	}
	rc = serve_go_on(s, pid, err);
	(void)close(pair[1]);
	(void)close(dir_fd);
	if (rc) {
		(void)close(pair[0]);
		return rc;
	}
	*ret = json_pack("{s:I, s:s}", "pid", (json_int_t)pid, "dir", dir);
	*ret_fd = pair[0];
	return 0;
}

/* ---- save ---- */

struct outcome {
	int rc;
	uint64_t digest;
	struct err err;
};

/* The child of a save: it ends as a run does. */
static void end_branch(struct serve *s, int pipe_fd, int dir_fd)
{
	struct outcome o = { 0 };
	ssize_t done;

	o.rc = settle(s, dir_fd, &o.err);
	if (!o.rc)
		o.rc = engine_live_save(s->live, &o.err);
	if (!o.rc)
		o.rc = sim_digest(engine_live_sim(s->live), &o.digest, &o.err);
	done = write(pipe_fd, &o, sizeof(o));
	_exit(done == sizeof(o) && !o.rc ? 0 : ERR_EXIT_BASE + ERR_IO);
}

static int await(int pipe_fd, pid_t pid, struct outcome *o, struct err *err)
{
	ssize_t n;

	do
		n = read(pipe_fd, o, sizeof(*o));
	while (n < 0 && errno == EINTR);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(*o))
		return err_set(err, ERR_CRASHED, "", "the process that saved died");
	if (o->rc && err)
		*err = o->err;
	return o->rc;
}

int serve_save(struct serve *s, const char *dir, json_t **ret, struct err *err)
{
	struct outcome o = { 0 };
	int ends[2], dir_fd = -1, rc;
	char digest[17];
	pid_t pid;

	if (serve_now(s) == 0)
		return err_set(err, ERR_STATE, "", "no time has passed yet");
	rc = prepare(s, dir, &dir_fd, err);
	if (rc)
		return rc;
	if (pipe(ends) < 0) {
		(void)close(dir_fd);
		return failed("make", "a pipe", err);
	}
	pid = serve_fork_quietly(s);
	if (pid == 0) {
		(void)close(ends[0]);
		end_branch(s, ends[1], dir_fd);
	}
	(void)close(ends[1]);
	(void)close(dir_fd);
	rc = serve_go_on(s, pid, err);
	if (!rc)
		rc = await(ends[0], pid, &o, err);
	(void)close(ends[0]);
	if (rc)
		return rc;
	(void)snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)o.digest);
	*ret = json_pack("{s:s, s:s}", "dir", dir, "digest", digest);
	return 0;
}
