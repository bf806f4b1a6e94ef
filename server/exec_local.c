/* exec_local.c - posix_spawn, a pipe and a pidfd for each child. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* pipe2, syscall */
#include "server/exec_local.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/metric.h"

extern char **environ;

/* A group of its own, default dispositions, nothing blocked. */
static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, defaults;

	(void)sigemptyset(&none);
	(void)sigfillset(&defaults);
	(void)sigdelset(&defaults, SIGKILL);
	(void)sigdelset(&defaults, SIGSTOP);
	if (posix_spawnattr_setsigmask(attr, &none) ||
	    posix_spawnattr_setsigdefault(attr, &defaults) || posix_spawnattr_setpgroup(attr, 0))
		return -1;
	return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETSIGDEF);
}

static int set_files(posix_spawn_file_actions_t *files, int out, const struct exec_local_job *job)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/stderr", job->dir);
	if ((job->serve ? posix_spawn_file_actions_adddup2(files, out, STDIN_FILENO)
			: posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null",
							   O_RDONLY, 0)) ||
	    posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO) ||
	    posix_spawn_file_actions_addopen(files, STDERR_FILENO, path,
					     O_WRONLY | O_CREAT | O_TRUNC, 0600))
		return -1;
	return 0;
}

static int spawn(pid_t *ret, int out, const struct exec_local_job *job)
{
	char threads[64], memory[64], checkpoint[64], file[64], cpu[64], trace[128];
	char child[] = "--child", serve[] = "--serve";
	char program[4096], folder[4096];
	char *argv[] = { program,
			 threads,
			 memory,
			 checkpoint,
			 file,
			 cpu,
			 job->serve ? serve : child,
			 job->trace ? trace : folder,
			 job->trace ? folder : NULL,
			 NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int rc;

	(void)snprintf(program, sizeof(program), "%s", job->runner);
	(void)snprintf(folder, sizeof(folder), "%s", job->dir);
	(void)snprintf(threads, sizeof(threads), "--threads=%ld", job->threads);
	(void)snprintf(memory, sizeof(memory), "--memory-mb=%ld", job->memory_mb);
	(void)snprintf(file, sizeof(file), "--file-mb=%ld", job->file_mb);
	(void)snprintf(trace, sizeof(trace), "--trace=%s", job->trace ? job->trace : "");
	(void)snprintf(cpu, sizeof(cpu), "--cpu-s=%ld", job->cpu_s);
	(void)snprintf(checkpoint, sizeof(checkpoint), "--checkpoint-s=%.3f", job->checkpoint_s);
	if (posix_spawnattr_init(&attr))
		return ENOMEM;
	if (posix_spawn_file_actions_init(&files)) {
		(void)posix_spawnattr_destroy(&attr);
		return ENOMEM;
	}
	rc = set_attributes(&attr) || set_files(&files, out, job)
		     ? ENOMEM
		     : posix_spawn(ret, job->runner, &files, &attr, argv, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attr);
	return rc;
}

/* Watch the process over its pidfd and this end of its output. */
static int watch(struct exec_local *ret, pid_t pid, int fd)
{
	int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pid_fd < 0)
		return -1;
	if (fcntl(fd, F_SETFL, O_NONBLOCK)) {
		(void)close(pid_fd);
		return -1;
	}
	memset(ret, 0, sizeof(*ret));
	ret->pid = pid;
	ret->pid_fd = pid_fd;
	ret->out_fd = fd;
	return 0;
}

int exec_local_adopt(struct exec_local *ret, pid_t pid, int fd, struct err *err)
{
	if (!watch(ret, pid, fd))
		return 0;
	(void)close(fd);
	return err_set(err, ERR_INTERNAL, NULL, "a forked simulation cannot be watched: %s",
		       strerror(errno));
}

int exec_local_start(struct exec_local *ret, const struct exec_local_job *job, struct err *err)
{
	int fd[2], rc;
	pid_t pid;

	if (job->serve ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd)
		       : pipe2(fd, O_CLOEXEC))
		return err_set(err, ERR_BUSY, NULL, "no pipe for the simulation: %s",
			       strerror(errno));
	rc = spawn(&pid, fd[1], job);
	(void)close(fd[1]);
	if (rc) {
		(void)close(fd[0]);
		return err_set(err, ERR_INTERNAL, NULL, "stdp-run could not be started: %s",
			       strerror(rc));
	}
	metric_add(METRIC_CHILDREN, 1);
	if (watch(ret, pid, fd[0])) {
		rc = errno;
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		(void)close(fd[0]);
		return err_set(err, ERR_INTERNAL, NULL, "stdp-run cannot be watched: %s",
			       strerror(rc));
	}
	return 0;
}

void exec_local_signal(const struct exec_local *c, int sig)
{
	if (kill(-c->pid, sig)) /* the group exists until the child is reaped, but may not yet */
		(void)kill(c->pid, sig);
}

static void take_line(struct exec_local *c, void (*visit)(void *self, const char *line), void *self)
{
	c->line[c->n_line] = '\0';
	if (!c->overlong)
		visit(self, c->line);
	c->overlong = false;
	c->n_line = 0;
}

void exec_local_read(struct exec_local *c, void (*visit)(void *self, const char *line), void *self)
{
	char block[EXEC_LINE_MAX];

	for (int i = 0; c->out_fd >= 0 && i < 64;
	     i++) { /* a child that never stops talking must not hold us */
		ssize_t n = read(c->out_fd, block, sizeof(block));

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			(void)close(c->out_fd);
			c->out_fd = -1;
		}
		if (n <= 0)
			return;
		for (ssize_t k = 0; k < n; k++) {
			if (block[k] == '\n')
				take_line(c, visit, self);
			else if (c->n_line + 1 < sizeof(c->line))
				c->line[c->n_line++] = block[k];
			else
				c->overlong = true;
		}
	}
}

int exec_local_reap(struct exec_local *c, int *ret_signal)
{
	int status = 0, code;

	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)kill(-c->pid, SIGKILL); /* whatever it left behind */
	if (c->out_fd >= 0)
		(void)close(c->out_fd);
	(void)close(c->pid_fd);
	c->out_fd = c->pid_fd = -1;
	*ret_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	if (!WIFEXITED(status))
		return ERR_CRASHED;
	code = WEXITSTATUS(status);
	if (code == 0)
		return ERR_OK;
	code -= ERR_EXIT_BASE;
	return code > 0 && code < ERR_N ? code : ERR_CRASHED;
}
