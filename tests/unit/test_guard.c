/* test_guard - what a guarded process is refused, and what it can still do. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* syscall */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/guard.h"

/* The exit of a process that does what `body` does. */
static int in_child(int (*body)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(body());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int limits(void)
{
	const struct guard_limits l = { .file_bytes = 1 << 20, .cpu_s = 1000 };
	struct rlimit core, file, cpu, files;
	int open_before = open("/dev/null", O_RDONLY);

	if (open_before < 3 || guard_process(&l))
		return 1;
	if (fcntl(open_before, F_GETFD) >= 0)
		return 2;
	if (getrlimit(RLIMIT_CORE, &core) || getrlimit(RLIMIT_FSIZE, &file) ||
	    getrlimit(RLIMIT_CPU, &cpu) || getrlimit(RLIMIT_NOFILE, &files))
		return 3;
	if (core.rlim_max != 0 || file.rlim_max != 1 << 20 || cpu.rlim_max != 1000 ||
	    files.rlim_max > 4096)
		return 4;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 5;
}

Test(guard, limits_hold_and_what_was_open_is_closed)
{
	cr_assert_eq(in_child(limits), 0, "step %d", in_child(limits));
}

#ifndef STDP_SANITIZED
static int refused(void)
{
	char *argv[] = { NULL };

	if (guard_process(&(struct guard_limits){ 0 }) || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 1;
	if (guard_calls())
		return 2;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 3;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 4;
	(void)execv("/bin/true", argv);
	if (errno != EPERM)
		return 5;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 || errno != EPERM)
		return 6;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 || errno != EPERM)
		return 7;
	errno = 0; /* the first and the last of the table stand for the jumps between */
	return syscall(SYS_bpf, 0, NULL, 0) < 0 && errno == EPERM ? 0 : 8;
}

static int grandchild(void)
{
	int pair[2], fd, status = 0;
	char c = 'x';
	pid_t pid;

	if (guard_process(&(struct guard_limits){ 0 }) || guard_calls() ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 1;
	fd = open("/dev/zero", O_RDONLY);
	if (fd < 0 || read(fd, &c, 1) != 1 || c)
		return 2;
	pid = fork();
	if (pid == 0)
		_exit(write(pair[1], "y", 1) == 1 && socket(AF_INET, SOCK_STREAM, 0) < 0 ? 0 : 1);
	if (pid < 0 || read(pair[0], &c, 1) != 1 || c != 'y' || waitpid(pid, &status, 0) != pid)
		return 3;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}

/* A place whose own filter knows no filters. */
static int without_filters(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	int fd;

	if (guard_process(&(struct guard_limits){ 0 }) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		return 1;
	if (guard_calls() == 0 || errno != EINVAL)
		return 2;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return fd >= 0 ? 0 : 3;
}

Test(guard, programs_sockets_debuggers_and_mounts_are_refused)
{
	int step = in_child(refused);

	cr_assert_eq(step, 0, "step %d", step);
}

Test(guard, files_forks_and_socket_pairs_stay_and_a_fork_is_guarded_too)
{
	int step = in_child(grandchild);

	cr_assert_eq(step, 0, "step %d", step);
}

Test(guard, without_filters_it_says_so_and_everything_is_as_before)
{
	int step = in_child(without_filters);

	cr_assert_eq(step, 0, "step %d", step);
}
#endif
