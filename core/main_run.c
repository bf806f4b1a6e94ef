/* main_run - the program stdp-run: one simulation in one directory (rundir.h). */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "core/engine.h"
#include "core/guard.h"
#include "core/rundir.h"
#include "core/serve.h"

enum { EXIT_USAGE = 2, THREADS_MAX = 256, MEMORY_MB_MAX = 1 << 24, CHECKPOINT_S_MAX = 1000000 };
enum { CHECKPOINT_S = 30, FILE_MB_MAX = 1 << 30, CPU_S_MAX = 2000000000 };

static const char usage[] =
	"usage: stdp-run [--threads N] [--memory-mb M] [--checkpoint-s S] [--file-mb M]\n"
	"                [--cpu-s S] [--trace T] [--child] [--serve] DIR\n"
	"       stdp-run --version\n"
	"Runs DIR/spec.json and leaves columns and result.json in DIR. What SIGTERM or\n"
	"a crash interrupted goes on from DIR/checkpoint (experiments start over).\n"
	"  --threads N    threads at most; changes nothing but time (default 1)\n"
	"  --memory-mb M  memory the run may use; 0: no limit (default 0)\n"
	"  --checkpoint-s S  seconds between two checkpoints; 0: only at SIGTERM\n"
	"                 (default 30)\n"
	"  --file-mb M    size of one file the run may write; 0: no limit (default 0)\n"
	"  --cpu-s S      processor time of all threads; 0: no limit (default 0)\n"
	"  --trace T      traceparent, to stand in each line on standard error\n"
	"  --child        die with the process that started this one\n"
	"  --serve        a live session: commands on standard input (core/serve.h); it ends\n"
	"                 with that input, so --child adds nothing\n";

struct options {
	unsigned threads;
	uint64_t memory_mb, file_mb, cpu_s;
	double checkpoint_s;
	bool child, serve, version;
	const char *dir;
};

static const char *trace; /* NULL: none */

static volatile sig_atomic_t stop_reason = ERR_OK;
static bool child_alone; /* started as a child, and nobody reads any more */

static void on_signal(int number)
{
	/* A cancel stands over an orderly stop. */
	if (number == SIGINT)
		stop_reason = ERR_CANCELLED;
	else if (stop_reason == ERR_OK)
		stop_reason = ERR_INTERRUPTED;
}

static int parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	char *end = NULL;
	unsigned long long n;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end != '\0' || n > max)
		return -1;
	*ret = n;
	return 0;
}

static int parse_seconds(const char *text, double *ret)
{
	char *end = NULL;
	double x;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	x = strtod(text, &end);
	if (*end != '\0' || !(x <= CHECKPOINT_S_MAX))
		return -1;
	*ret = x;
	return 0;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {
		{ "threads", required_argument, NULL, 't' },
		{ "memory-mb", required_argument, NULL, 'm' },
		{ "checkpoint-s", required_argument, NULL, 's' },
		{ "file-mb", required_argument, NULL, 'f' },
		{ "cpu-s", required_argument, NULL, 'u' },
		{ "trace", required_argument, NULL, 'T' },
		{ "child", no_argument, NULL, 'c' },
		{ "serve", no_argument, NULL, 'S' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t threads = 1;
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'c')
			o->child = true;
		else if (c == 'S')
			o->serve = true;
		else if (c == 'v')
			o->version = true;
		else if (c == 'T' && optarg[strspn(optarg, "0123456789abcdef-")] == '\0')
			trace = optarg;
		else if ((c == 't' && !parse_number(optarg, THREADS_MAX, &threads) && threads) ||
			 (c == 's' && !parse_seconds(optarg, &o->checkpoint_s)) ||
			 (c == 'f' && !parse_number(optarg, FILE_MB_MAX, &o->file_mb)) ||
			 (c == 'u' && !parse_number(optarg, CPU_S_MAX, &o->cpu_s)))
			continue;
		else if (c != 'm' || parse_number(optarg, MEMORY_MB_MAX, &o->memory_mb))
			return -1;
	}
	o->threads = (unsigned)threads;
	o->dir = argv[optind];
	return o->version || argc - optind == 1 ? 0 : -1;
}

static double now_s(void *self)
{
	struct timespec t;

	(void)self;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enum err_code stop(void *self)
{
	(void)self;
	if (child_alone && stop_reason == ERR_OK)
		return ERR_INTERRUPTED;
	return (enum err_code)stop_reason;
}

static void progress(void *self, const struct engine_progress *p)
{
	const struct options *o = self;

	(void)printf(
		"{\"t_ms\": %.15g, \"duration_ms\": %.15g, \"wall_s\": %.3f, \"spikes\": %" PRIu64
		"}\n",
		p->t_ms, p->duration_ms, p->wall_s, p->spikes);
	if (fflush(stdout) && errno == EPIPE && o->child)
		child_alone = true;
}

/* A line about `what` ("": nothing to name) on stderr. */
static void say(const char *what, const char *text)
{
	(void)fprintf(stderr, "stdp-run: %s%s%s%s%s\n", what, what[0] ? ": " : "", text,
		      trace ? ", traceparent " : "", trace ? trace : "");
}

static void note(void *self, const char *text)
{
	(void)self;
	say("", text);
}

static int install_signals(void)
{
	struct sigaction stop_action = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t ours;

	if (sigaction(SIGINT, &stop_action, NULL) || sigaction(SIGTERM, &stop_action, NULL) ||
	    sigaction(SIGPIPE, &ignore, NULL) || sigaction(SIGXFSZ, &ignore, NULL))
		return -1;
	/* Whoever started this may have blocked them. */
	if (sigemptyset(&ours) || sigaddset(&ours, SIGINT) || sigaddset(&ours, SIGTERM))
		return -1;
	return sigprocmask(SIG_UNBLOCK, &ours, NULL);
}

/* Die with the parent, even if it died while this process started. */
static int follow(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		return -1;
	return 0;
}

/* Beside the run's arena: the program, JSON, buffers; a stack and an allocator's reserve a thread. */
static int limit_process(const struct options *o)
{
	uint64_t bytes = o->memory_mb << 20;

	bytes += bytes / 4 + (UINT64_C(1) << 30) + o->threads * (UINT64_C(160) << 20);
	return guard_process(&(struct guard_limits){ .memory_bytes = o->memory_mb ? bytes : 0,
						     .file_bytes = o->file_mb << 20,
						     .cpu_s = o->cpu_s });
}

/* A kernel or container without filters is no reason not to run. */
static void refuse_calls(void)
{
	if (guard_calls())
		say("system calls are not filtered here", strerror(errno));
}

static int fail(enum err_code code, const char *what, const char *why)
{
	say(what, why);
	return ERR_EXIT_BASE + (int)code;
}

/* A predecessor that was killed with its server may take a moment to die. */
static int lock_or_wait(int fd, bool child)
{
	const struct timespec nap = { 0, 100000000 };

	for (int i = 0; child && i < 50; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		(void)nanosleep(&nap, NULL);
	}
	return flock(fd, LOCK_EX | LOCK_NB);
}

/* The lock goes with the process, however it ends. */
static int take_lock(int dir_fd, const struct options *o, int *ret_exit)
{
	int fd = openat(dir_fd, RUNDIR_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);

	if (fd < 0) {
		*ret_exit = fail(ERR_IO, o->dir, strerror(errno));
		return -1;
	}
	if (lock_or_wait(fd, o->child)) {
		*ret_exit = fail(ERR_BUSY, o->dir, "another stdp-run is at work in this directory");
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int run(int dir_fd, int lock_fd, struct options *o)
{
	const struct engine_control control = {
		.self = o,
		.now_s = now_s,
		.stop = stop,
		.progress = progress,
		.note = note,
		.threads = o->threads,
		.memory_limit = (size_t)o->memory_mb << 20,
		.checkpoint_s = o->checkpoint_s,
	};
	struct err err = { 0 };
	int rc;

	if (o->serve)
		return serve(&(struct serve_options){ dir_fd, lock_fd, control });
	rc = engine_run(dir_fd, &control, &err);
	if (!rc)
		return 0;
	/* A result tells what went wrong; without one, and to a person, say it here. */
	if (faccessat(dir_fd, RUNDIR_RESULT, F_OK, 0) || isatty(STDERR_FILENO))
		say(err.path, err.text);
	return ERR_EXIT_BASE - rc;
}

int main(int argc, char **argv)
{
	pid_t parent = getppid();
	struct options o = { .checkpoint_s = CHECKPOINT_S };
	int dir_fd, lock_fd, code = 0;

	if (parse(argc, argv, &o)) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (o.version) {
		(void)printf("stdp-run %s\n", ENGINE_VERSION);
		return 0;
	}
	json_set_alloc_funcs(mem_json_alloc, mem_json_free);
	if (install_signals() || (o.child && !o.serve && follow(parent)) || limit_process(&o))
		return fail(ERR_INTERNAL, o.dir, "cannot set signals or limits");
	refuse_calls();
	dir_fd = open(o.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return fail(errno == ENOENT ? ERR_NOTFOUND : ERR_IO, o.dir, strerror(errno));
	lock_fd = take_lock(dir_fd, &o, &code);
	if (lock_fd < 0)
		return code;
	return run(dir_fd, lock_fd, &o);
}
