/* exec_local.h - simulations as child processes of this machine: start, signal, read, reap. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_EXEC_LOCAL_H
#define SERVER_EXEC_LOCAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/err.h"

enum { EXEC_LINE_MAX = 4096 };

struct exec_local {
	pid_t pid;
	int pid_fd; /* readable when the process has ended */
	int out_fd; /* its standard output, not blocking; -1 after its end. Of a live session: both ways */
	char line[EXEC_LINE_MAX];
	size_t n_line;
	bool overlong; /* the line being read is dropped */
};

struct exec_local_job {
	const char *runner; /* path of stdp-run */
	const char *dir;    /* the run's folder */
	const char *trace;  /* traceparent, for its lines on stderr; NULL: none */
	long threads, memory_mb;
	long file_mb;	     /* of one file it writes */
	long cpu_s;	     /* of all threads; 0: no limit */
	double checkpoint_s; /* 0: only when it is told to stop */
	bool serve;	     /* a live session: out_fd is a socket, its standard input too */
};

/* Start the runner in its own process group on the folder; stderr goes to DIR/stderr. */
int exec_local_start(struct exec_local *ret, const struct exec_local_job *job,
		     struct err *err) MUST_USE;
/* A process that a live session forked: not our child, so its exit stays unknown. fd becomes out_fd; it
 * is closed on failure. */
int exec_local_adopt(struct exec_local *ret, pid_t pid, int fd, struct err *err) MUST_USE;
/* To the whole group. */
void exec_local_signal(const struct exec_local *c, int sig);
/* Take what stands in the pipe; visit whole lines. */
void exec_local_read(struct exec_local *c, void (*visit)(void *self, const char *line), void *self);
/* After pid_fd became readable: the exit as error code (0: well; ERR_CRASHED with the signal's
 * number: killed); closes both descriptors. */
int exec_local_reap(struct exec_local *c, int *ret_signal);

#endif
