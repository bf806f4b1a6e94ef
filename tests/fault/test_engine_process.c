/* test_engine_process.c - stdp-run as a process: signals, lock, exit codes, the parent's death. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* usleep, strchrnul */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/engine_case.h"

static const char endless[] =
	"{\"duration_ms\":1e9,\"populations\":{\"cell\":{\"model\":\"iaf_psc_delta\",\"size\":10,"
	"\"params\":{\"I_e\":400}}},\"record\":{\"spikes\":[\"cell\"]}}";
static const char brief[] = "{\"duration_ms\":100,\"populations\":{\"cell\":{\"model\":\"iaf_psc_"
			    "delta\",\"size\":10}}}";

/* The program stands three folders above this test's: build/VARIANT/stdp-run. */
static const char *program(void)
{
	static char path[1024];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	const char *given = getenv("STDP_RUN");

	if (given)
		return given;
	cr_assert_gt(n, 0);
	path[n] = '\0';
	(void)dirname(dirname(dirname(path)));
	(void)snprintf(path + strlen(path), 16, "/stdp-run");
	return path;
}

struct process {
	pid_t pid;
	int out, err; /* ends to read */
};

static struct process start(const char *const *argv)
{
	struct process p;
	int out[2], err[2];

	cr_assert_eq(access(program(), X_OK), 0, "%s is not built", program());
	cr_assert_eq(pipe(out), 0);
	cr_assert_eq(pipe(err), 0);
	p.pid = fork();
	cr_assert_geq(p.pid, 0);
	if (p.pid == 0) {
		char *words[8] = { NULL };

		for (size_t i = 0; i < 7 && argv[i]; i++)
			words[i] = strdup(argv[i]);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)dup2(err[1], STDERR_FILENO);
		for (int fd = 3; fd < 64; fd++)
			(void)close(fd);
		(void)execv(program(), words);
		_exit(127);
	}
	(void)close(out[1]);
	(void)close(err[1]);
	p.out = out[0];
	p.err = err[0];
	return p;
}

static struct process start_in(const struct check_dir *dir, const char *spec)
{
	const char *argv[] = { "stdp-run", "--threads", "2", "--memory-mb", "64", dir->path, NULL };

	engine_case_write(dir, "spec.json", spec, strlen(spec));
	return start(argv);
}

/* Text so far, or up to the end of the stream. */
static void read_text(int fd, char *text, size_t max, bool whole)
{
	size_t n = 0;
	ssize_t got;

	do {
		got = read(fd, text + n, max - 1 - n);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0 && whole && n < max - 1);
	text[n] = '\0';
}

static int end(struct process *p)
{
	int status = 0;

	cr_assert_eq(waitpid(p->pid, &status, 0), p->pid);
	(void)close(p->out);
	(void)close(p->err);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TestSuite(engine_process, .timeout = 60);

Test(engine_process, success_is_0_with_progress_and_no_complaint)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct process p = start_in(&dir, brief);
	char out[4096], err[1024];
	json_t *line;

	read_text(p.out, out, sizeof(out), true);
	read_text(p.err, err, sizeof(err), true);
	cr_assert_eq(end(&p), 0);
	cr_assert_str_eq(err, "");
	line = json_loads(out, 0, NULL);
	cr_assert_eq(json_number_value(json_object_get(line, "t_ms")), 100, "%s", out);
	cr_assert_eq(json_number_value(json_object_get(line, "duration_ms")), 100);
	json_decref(line);
}

static void signalled(int number, enum err_code code)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct process p = start_in(&dir, endless);
	char out[4096];
	json_t *result;

	read_text(p.out, out, sizeof(out), false); /* it runs */
	cr_assert_eq(kill(p.pid, number), 0);
	cr_assert_eq(end(&p), ERR_EXIT_BASE + (int)code);
	result = engine_case_result(&dir);
	cr_assert_str_eq(engine_case_string(json_object_get(result, "error"), "code"),
			 err_name((int)code));
	json_decref(result);
}

Test(engine_process, an_interrupt_cancels)
{
	signalled(SIGINT, ERR_CANCELLED);
}

Test(engine_process, a_termination_stops_in_order)
{
	signalled(SIGTERM, ERR_INTERRUPTED);
}

/* ---- checkpoints ---- */

/* About a second: long enough to be caught, several times. */
static const char longer[] =
	"{\"duration_ms\":100000,\"populations\":{\"in\":{\"model\":\"poisson_generator\",\"size\":"
	"50,"
	"\"params\":{\"rate\":20}},\"cell\":{\"model\":\"iaf_psc_exp\",\"size\":50,\"params\":{\"I_"
	"e\":350}}},"
	"\"projections\":{\"s\":{\"source\":\"in\",\"target\":\"cell\",\"connect\":{\"rule\":"
	"\"fixed_indegree\",\"indegree\":20},\"synapse\":{\"model\":\"stdp_pair\",\"weight\":50,"
	"\"delay_ms\":1,"
	"\"params\":{\"A_plus\":1,\"A_minus\":-1.05,\"w_max\":100}}}},"
	"\"record\":{\"spikes\":[\"cell\"],\"rates\":[{\"population\":\"cell\",\"bin_ms\":7}]}}";

static struct process start_longer(const struct check_dir *dir, const char *threads)
{
	const char *argv[] = { "stdp-run", "--threads", threads, "--checkpoint-s",
			       "0.05",	   dir->path,	NULL };

	engine_case_write(dir, "spec.json", longer, strlen(longer));
	return start(argv);
}

/* Its digest, once it has ended well; `first`: model time of the first line of progress. */
static void ends(struct process *p, const struct check_dir *dir, char digest[17], double *first)
{
	char out[1 << 16], err[4096];
	json_t *result, *line;

	read_text(p->out, out, sizeof(out), true);
	read_text(p->err, err, sizeof(err), true);
	cr_assert_eq(end(p), 0, "%s", err);
	*strchrnul(out, '\n') = '\0';
	line = json_loads(out, 0, NULL);
	*first = json_number_value(json_object_get(line, "t_ms"));
	json_decref(line);
	result = engine_case_result(dir);
	(void)snprintf(digest, 17, "%s", engine_case_string(result, "digest"));
	json_decref(result);
	cr_assert_neq(faccessat(dir->fd, "checkpoint", F_OK, 0), 0, "it is removed at the end");
}

static void calm(char digest[17])
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct process p = start_longer(&dir, "1");
	double first;

	ends(&p, &dir, digest, &first);
}

/* Number of the file; 0: there is none. */
static ino_t checkpoint(const struct check_dir *dir)
{
	struct stat st;

	return fstatat(dir->fd, "checkpoint", &st, 0) ? 0 : st.st_ino;
}

/* Interrupted three times, with 1 and 2 threads by turns, the run ends as if nothing had been. */
static void goes_on(int number, int want)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	static const char *const threads[] = { "1", "2" };
	char digest[17], expected[17], out[1 << 16];
	struct process p;
	double first;

	calm(expected);
	for (int i = 0; i < 3; i++) {
		ino_t before = checkpoint(&dir);

		p = start_longer(&dir, threads[i % 2]);
		for (int k = 0; k < 3000 && checkpoint(&dir) == before; k++)
			(void)usleep(2000);
		cr_assert_neq(checkpoint(&dir), before, "it writes one");
		cr_assert_eq(kill(p.pid, number), 0);
		read_text(p.out, out, sizeof(out), true);
		cr_assert_eq(end(&p), want);
		cr_assert_neq(checkpoint(&dir), 0);
	}
	p = start_longer(&dir, "2");
	ends(&p, &dir, digest, &first);
	cr_assert_gt(first, 0);
	cr_assert_str_eq(digest, expected);
}

Test(engine_process, killed_it_goes_on_from_its_checkpoint)
{
	goes_on(SIGKILL, 1000 + SIGKILL);
}

Test(engine_process, terminated_it_goes_on_from_its_checkpoint)
{
	goes_on(SIGTERM, ERR_EXIT_BASE + ERR_INTERRUPTED);
}

Test(engine_process, a_cancel_leaves_no_checkpoint)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct process p = start_longer(&dir, "1");

	for (int k = 0; k < 3000 && !checkpoint(&dir); k++)
		(void)usleep(2000);
	cr_assert_eq(kill(p.pid, SIGINT), 0);
	cr_assert_eq(end(&p), ERR_EXIT_BASE + ERR_CANCELLED);
	cr_assert_eq(checkpoint(&dir), 0);
}

Test(engine_process, with_a_damaged_checkpoint_it_starts_at_0_and_says_so)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	char digest[17], expected[17], err[4096];
	struct process p;
	double first;

	calm(expected);
	engine_case_write(&dir, "checkpoint", longer, sizeof(longer));
	p = start_longer(&dir, "1");
	read_text(p.err, err, sizeof(err), false);
	cr_assert_not_null(strstr(err, "starting at 0 ms: the checkpoint is no checkpoint"), "%s",
			   err);
	ends(&p, &dir, digest, &first);
	cr_assert_str_eq(digest, expected);
}

Test(engine_process, a_second_writer_is_refused_and_harms_nothing)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct process first = start_in(&dir, endless), second;
	char out[4096], err[1024];

	read_text(first.out, out, sizeof(out), false);
	second = start_in(&dir, endless);
	read_text(second.err, err, sizeof(err), true);
	cr_assert_eq(end(&second), ERR_EXIT_BASE + ERR_BUSY);
	cr_assert_not_null(strstr(err, "another stdp-run"), "%s", err);
	cr_assert_eq(kill(first.pid, SIGINT), 0);
	cr_assert_eq(end(&first), ERR_EXIT_BASE + ERR_CANCELLED);
	cr_assert_eq(faccessat(dir.fd, "result.json", F_OK, 0), 0);
}

Test(engine_process, nobody_reading_does_not_kill_it)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct process p = start_in(&dir, brief);

	(void)close(p.out);
	p.out = open("/dev/null", O_RDONLY);
	cr_assert_eq(end(&p), 0);
}

/* A parent starts a child that follows it and dies; the child dies too and frees the lock. */
Test(engine_process, a_child_dies_with_its_parent)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	const char *argv[] = { "stdp-run", "--child", dir.path, NULL };
	pid_t parent;
	int status = 0;

	engine_case_write(&dir, "spec.json", endless, strlen(endless));
	parent = fork();
	if (parent == 0) {
		struct process p = start(argv);
		char out[4096];

		read_text(p.out, out, sizeof(out), false);
		_exit(0);
	}
	cr_assert_eq(waitpid(parent, &status, 0), parent);
	for (int i = 0; i < 500; i++) {
		struct process p = start_in(&dir, brief);
		int code = end(&p);

		if (code == 0)
			return;
		cr_assert_eq(code, ERR_EXIT_BASE + ERR_BUSY);
		(void)usleep(10000);
	}
	cr_assert(false, "the child lives on");
}

Test(engine_process, failures_have_their_exit_codes)
{
	static const struct {
		const char *spec;
		enum err_code code;
	} cases[] = {
		{ "{", ERR_SYNTAX },
		{ "{}", ERR_INVALID },
		{ "{\"duration_ms\":1,\"populations\":{\"p\":{\"model\":\"iaf_psc_exp\",\"size\":"
		  "3000}},"
		  "\"projections\":{\"s\":{\"source\":\"p\",\"target\":\"p\",\"connect\":{\"rule\":"
		  "\"all_to_all\"},\"synapse\":{\"weight\":1,\"delay_ms\":1}}}}",
		  ERR_LIMIT },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		CLEANUP(check_dir_release) struct check_dir dir = check_dir();
		struct process p = start_in(&dir, cases[i].spec);

		cr_assert_eq(end(&p), ERR_EXIT_BASE + (int)cases[i].code, "%s", cases[i].spec);
	}
}

Test(engine_process, wrong_words_get_the_usage)
{
	static const char *const cases[][4] = {
		{ "stdp-run", NULL },
		{ "stdp-run", "a", "b", NULL },
		{ "stdp-run", "--threads", "0", NULL },
		{ "stdp-run", "--threads=two", "a", NULL },
		{ "stdp-run", "--memory-mb=-1", "a", NULL },
		{ "stdp-run", "--checkpoint-s=-1", "a", NULL },
		{ "stdp-run", "--checkpoint-s=1s", "a", NULL },
		{ "stdp-run", "--nothing", "a", NULL },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct process p = start(cases[i]);

		cr_assert_eq(end(&p), 2, "case %zu", i);
	}
}

Test(engine_process, the_version_is_told)
{
	const char *argv[] = { "stdp-run", "--version", NULL };
	struct process p = start(argv);
	char out[256];

	read_text(p.out, out, sizeof(out), true);
	cr_assert_eq(end(&p), 0);
	cr_assert_str_eq(out, "stdp-run " ENGINE_VERSION "\n");
}
