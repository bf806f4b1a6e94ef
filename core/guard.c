/* guard.c - rlimits, prctl and a seccomp filter. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* syscall */
#include "core/guard.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILES_MAX = 4096, FIRST_OWN = 3, CALLS_MAX = 200, X32_BIT = 0x40000000 };

/* Never above what was allowed before. */
static int lower(int which, uint64_t max)
{
	struct rlimit l;

	if (getrlimit((__rlimit_resource_t)which, &l))
		return -1;
	l.rlim_max = l.rlim_max < max ? l.rlim_max : max;
	l.rlim_cur = l.rlim_cur < max ? l.rlim_cur : max;
	return setrlimit((__rlimit_resource_t)which, &l);
}

static void close_inherited(void)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, FIRST_OWN, ~0U, 0) == 0)
		return;
#endif
	for (int fd = FIRST_OWN; fd < FILES_MAX; fd++) /* an older kernel */
		(void)close(fd);
}

#ifdef STDP_SANITIZED
/* Shadow memory is terabytes of address space, and leaks are looked for as a debugger does. */
static int close_doors(const struct guard_limits *limits)
{
	(void)limits;
	return 0;
}

int guard_calls(void)
{
	return 0;
}
#else
static int close_doors(const struct guard_limits *limits)
{
	if (limits->memory_bytes && lower(RLIMIT_AS, limits->memory_bytes))
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* What a simulation has no use for; where a system call is unknown to the headers, it is left out. */
static const unsigned short refused[] = {
	/* other programs, other processes */
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
#ifdef SYS_pidfd_getfd
	SYS_pidfd_getfd,
#endif
	/* the network; socketpair, over which a session is forked, stays */
	SYS_socket,
	SYS_connect,
	SYS_bind,
	SYS_listen,
	SYS_accept,
	SYS_accept4,
	/* file systems and name spaces */
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_unshare,
	SYS_setns,
	SYS_swapon,
	SYS_swapoff,
	SYS_quotactl,
	SYS_open_by_handle_at,
#ifdef SYS_move_mount
	SYS_move_mount,
	SYS_open_tree,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
#endif
	/* rights */
	SYS_setuid,
	SYS_setgid,
	SYS_setreuid,
	SYS_setregid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setgroups,
	SYS_setfsuid,
	SYS_setfsgid,
	SYS_capset,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_mknodat,
	/* the machine and large parts of the kernel */
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_reboot,
	SYS_acct,
	SYS_syslog,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_adjtimex,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_fanotify_init,
	SYS_personality,
#ifdef SYS_io_uring_setup
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
#endif
#ifdef __x86_64__
	SYS_iopl,
	SYS_ioperm,
	SYS_mknod,
#endif
};

#if defined(__x86_64__)
#define ARCH_OURS AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH_OURS AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH_OURS
int guard_calls(void)
{
	enum { HEAD = 5, N = (int)(sizeof(refused) / sizeof(refused[0])) };
	struct sock_filter code[HEAD + N + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH_OURS, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, N + 1, 0),
	};
	const struct sock_fprog program = { HEAD + N + 2, code };

	_Static_assert((int)N < CALLS_MAX, "a jump reaches 255 steps");
	for (int i = 0; i < N; i++) /* each jumps to the last word, which refuses */
		code[HEAD + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[i],
							      (unsigned char)(N - i), 0);
	code[HEAD + N] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[HEAD + N + 1] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}
#else
int guard_calls(void)
{
	errno = ENOSYS;
	return -1;
}
#endif
#endif

int guard_process(const struct guard_limits *limits)
{
	close_inherited();
	if (lower(RLIMIT_CORE, 0) || lower(RLIMIT_NOFILE, FILES_MAX) ||
	    (limits->file_bytes && lower(RLIMIT_FSIZE, limits->file_bytes)) ||
	    (limits->cpu_s && lower(RLIMIT_CPU, limits->cpu_s)) || close_doors(limits))
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
