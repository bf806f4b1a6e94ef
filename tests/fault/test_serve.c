/* test_serve.c - stdp-run --serve as a process: commands and replies, branches, signals, ends. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* mkdtemp, strdup */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/engine_case.h"

enum { WAIT_MS = 30000, LINE_MAX_BYTES = 1 << 20 };

static const char spec[] =
	"{\"duration_ms\":500,\"seed\":\"7\",\"populations\":{\"in\":{\"model\":\"poisson_"
	"generator\","
	"\"size\":9,\"params\":{\"rate\":40}},\"cell\":{\"model\":\"iaf_psc_exp\",\"size\":7,"
	"\"params\":{"
	"\"I_e\":400}}},\"projections\":{\"s\":{\"source\":\"in\",\"target\":\"cell\",\"connect\":{"
	"\"rule\":"
	"\"all_to_all\"},\"synapse\":{\"model\":\"stdp_pair\",\"weight\":0.5,\"delay_ms\":1}}},"
	"\"record\":{\"spikes\":[\"in\",\"cell\"]}}";

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

/* One end of a session's socket. */
struct end {
	int fd, passed; /* -1, or a descriptor that came along */
	pid_t pid;
	char *bytes; /* [n] not yet taken */
	size_t n;
};

static struct end start(const struct check_dir *dir, const char *threads)
{
	struct end e = { .passed = -1 };
	int pair[2];

	cr_assert_eq(access(program(), X_OK), 0, "%s is not built", program());
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	e.bytes = malloc(LINE_MAX_BYTES);
	e.fd = pair[0];
	e.pid = fork();
	cr_assert_geq(e.pid, 0);
	if (e.pid == 0) {
		(void)dup2(pair[1], STDIN_FILENO);
		(void)dup2(pair[1], STDOUT_FILENO);
		(void)execl(program(), "stdp-run", "--serve", "--threads", threads, dir->path,
			    (char *)NULL);
		_exit(99);
	}
	(void)close(pair[1]);
	return e;
}

static void receive(struct end *e)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct pollfd p = { .fd = e->fd, .events = POLLIN };
	struct iovec io = { e->bytes + e->n, LINE_MAX_BYTES - e->n };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n;

	cr_assert_eq(poll(&p, 1, WAIT_MS), 1, "the session says nothing");
	n = recvmsg(e->fd, &m, MSG_CMSG_CLOEXEC);
	cr_assert_gt(n, 0, "the session has ended");
	e->n += (size_t)n;
	if (CMSG_FIRSTHDR(&m))
		memcpy(&e->passed, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
}

static json_t *line(struct end *e)
{
	char *end;
	json_t *json;

	while (!(end = memchr(e->bytes, '\n', e->n)))
		receive(e);
	json = json_loadb(e->bytes, (size_t)(end - e->bytes), 0, NULL);
	cr_assert_not_null(json);
	e->n -= (size_t)(end + 1 - e->bytes);
	memmove(e->bytes, end + 1, e->n);
	return json;
}

static void say(const struct end *e, const char *text)
{
	cr_assert_eq(send(e->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* A command's reply; events that come before it are left out. */
static json_t *ask(struct end *e, const char *text)
{
	json_t *json = NULL;

	say(e, text);
	say(e, "\n");
	do {
		json_decref(json);
		json = line(e);
	} while (json_object_get(json, "event"));
	return json;
}

static double t_ms(const json_t *reply)
{
	return json_number_value(json_object_get(reply, "t_ms"));
}

static void done(json_t *reply)
{
	char *text = json_dumps(reply, 0);

	cr_assert(json_is_true(json_object_get(reply, "ok")), "%s", text);
	free(text);
	json_decref(reply);
}

static void refused(json_t *reply, const char *code, const char *path)
{
	json_t *error = json_object_get(reply, "error");

	cr_assert(json_is_false(json_object_get(reply, "ok")));
	cr_assert_str_eq(engine_case_string(error, "code"), code, "%s",
			 engine_case_string(error, "text"));
	cr_assert_str_eq(engine_case_string(error, "path"), path);
	json_decref(reply);
}

static void digest_now(struct end *e, char ret[17])
{
	json_t *reply = ask(e, "{\"cmd\":\"state\",\"digest\":true}");

	(void)snprintf(ret, 17, "%s",
		       engine_case_string(json_object_get(reply, "state"), "digest"));
	json_decref(reply);
}

static int ended(struct end *e)
{
	int status = 0;

	(void)close(e->fd);
	free(e->bytes);
	if (e->pid > 0)
		cr_assert_eq(waitpid(e->pid, &status, 0), e->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static struct check_dir folder(void)
{
	struct check_dir dir = check_dir();

	engine_case_write(&dir, "spec.json", spec, strlen(spec));
	return dir;
}

static void run_digest(const char *text, char ret[17])
{
	struct engine_case c = engine_case_text(text, 1);

	cr_assert_eq(c.rc, 0, "%s", c.err.text);
	(void)snprintf(ret, 17, "%s", engine_case_digest(&c));
	engine_case_release(&c);
}

TestSuite(serve, .timeout = 120);

Test(serve, steps_and_play_end_where_one_run_does)
{
	CLEANUP(check_dir_release) struct check_dir dir = folder();
	struct end e = start(&dir, "2");
	char want[17], got[17];
	json_t *reply = line(&e);

	cr_assert_eq(json_integer_value(json_object_get(reply, "seq")), 0);
	done(reply);
	done(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":0.1}"));
	done(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":123.4}"));
	done(ask(&e, "{\"cmd\":\"play\",\"speed\":10}"));
	(void)poll(NULL, 0, 10);
	reply = ask(&e, "{\"cmd\":\"pause\",\"id\":\"p\"}");
	cr_assert_str_eq(engine_case_string(reply, "id"), "p");
	if (t_ms(reply) < 500) {
		char step[64];

		(void)snprintf(step, sizeof(step), "{\"cmd\":\"step\",\"duration_ms\":%.1f}",
			       500 - t_ms(reply));
		done(ask(&e, step));
		run_digest(spec, want);
		digest_now(&e, got);
		cr_assert_str_eq(got, want);
	}
	json_decref(reply);
	done(ask(&e, "{\"cmd\":\"quit\"}"));
	cr_assert_eq(ended(&e), 0);
}

Test(serve, what_is_wrong_is_told_and_changes_nothing)
{
	CLEANUP(check_dir_release) struct check_dir dir = folder();
	struct end e = start(&dir, "1");
	char before[17], after[17];
	char *much = malloc((17 << 20) + 2);
	json_t *reply;

	done(line(&e));
	done(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":50}"));
	digest_now(&e, before);
	refused(ask(&e, "{\"cmd\":"), "malformed", "");
	refused(ask(&e, "[7]"), "missing", "/cmd");
	refused(ask(&e, "{\"cmd\":\"jump\"}"), "unknown-name", "/cmd");
	refused(ask(&e, "{\"cmd\":\"step\"}"), "missing", "/duration_ms");
	refused(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":0.05}"), "off-grid", "/duration_ms");
	refused(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":-1}"), "out-of-range", "/duration_ms");
	refused(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":\"1\"}"), "wrong-type", "/duration_ms");
	refused(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":1,\"speed\":2}"), "unknown-name",
		"/speed");
	refused(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":1,\"expect_t_ms\":49}"), "wrong-state",
		"/expect_t_ms");
	refused(ask(&e, "{\"cmd\":\"stimuli\",\"schedule\":[{\"at_ms\":49,\"plasticity\":{\"on\":"
			"true}}]}"),
		"out-of-range", "/schedule/0/at_ms");
	refused(ask(&e, "{\"cmd\":\"stimuli\",\"schedule\":[{\"plasticity\":{\"on\":false}},{"
			"\"spikes\":{"
			"\"population\":\"cell\"}}]}"),
		"missing", "/schedule/1/spikes/weight");
	refused(ask(&e, "{\"cmd\":\"values\",\"population\":\"cell\",\"variable\":\"x\"}"),
		"unknown-name", "/variable");
	refused(ask(&e, "{\"cmd\":\"restore\",\"name\":\"none\"}"), "not-found", "");
	refused(ask(&e, "{\"cmd\":\"watch\",\"events\":[{\"kind\":\"smell\"}]}"), "unknown-name",
		"/events");
	memset(much, ' ', 17 << 20);
	(void)strcpy(much + (17 << 20), "\n");
	for (size_t at = 0, n = (17 << 20) + 1; at < n;)
		at += (size_t)send(e.fd, much + at, n - at, MSG_NOSIGNAL);
	refused(line(&e), "limit-exceeded", "");
	free(much);
	digest_now(&e, after);
	cr_assert_str_eq(after, before);
	reply = ask(&e, "{\"cmd\":\"state\"}");
	cr_assert_eq(json_integer_value(json_object_get(reply, "seq")), 19);
	cr_assert_eq(t_ms(reply), 50);
	json_decref(reply);
	done(ask(&e, "{\"cmd\":\"quit\"}"));
	cr_assert_eq(ended(&e), 0);
}

Test(serve, a_pause_ends_a_long_step_and_commands_behind_it_wait)
{
	CLEANUP(check_dir_release) struct check_dir dir = folder();
	struct end e = start(&dir, "1");
	json_t *reply;

	done(line(&e));
	say(&e, "{\"cmd\":\"step\",\"duration_ms\":1e8}\n{\"cmd\":\"state\"}\n");
	reply = line(&e);
	cr_assert_eq(json_integer_value(json_object_get(reply, "seq")), 2);
	cr_assert_str_eq(engine_case_string(json_object_get(reply, "state"), "mode"), "stepping");
	json_decref(reply);
	say(&e, "{\"cmd\":\"pause\"}\n{\"cmd\":\"step\",\"duration_ms\":1}\n");
	reply = line(&e);
	cr_assert_eq(json_integer_value(json_object_get(reply, "seq")), 1);
	cr_assert(json_is_true(json_object_get(reply, "stopped")));
	json_decref(reply);
	done(line(&e));
	reply = line(&e);
	cr_assert_eq(json_integer_value(json_object_get(reply, "seq")), 4);
	done(reply);
	done(ask(&e, "{\"cmd\":\"quit\"}"));
	cr_assert_eq(ended(&e), 0);
}

/* Both ends of a fork go on: with the same commands to the same bits, with others apart; the parent may
 * end. */
Test(serve, a_branch_has_its_parents_past_and_its_own_future)
{
	CLEANUP(check_dir_release) struct check_dir dir = folder();
	CLEANUP(check_dir_release) struct check_dir other = check_dir();
	struct end e = start(&dir, "2"), f = { .passed = -1 };
	char text[600], a[17], b[17];
	json_t *reply;
	int status;

	done(line(&e));
	done(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":100}"));
	(void)snprintf(text, sizeof(text), "{\"cmd\":\"fork\",\"dir\":\"%s/branch\"}", other.path);
	done(ask(&e, text));
	cr_assert_geq(e.passed, 0, "no socket came along");
	f.fd = e.passed;
	f.bytes = malloc(LINE_MAX_BYTES);
	reply = line(&f);
	cr_assert_eq(t_ms(reply), 100);
	cr_assert_eq(json_integer_value(json_object_get(reply, "seq")), 0);
	done(reply);
	done(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":200}"));
	done(ask(&f, "{\"cmd\":\"step\",\"duration_ms\":150}"));
	done(ask(&f, "{\"cmd\":\"step\",\"duration_ms\":50}"));
	digest_now(&e, a);
	digest_now(&f, b);
	cr_assert_str_eq(a, b);
	done(ask(&f, "{\"cmd\":\"stimuli\",\"schedule\":[{\"spikes\":{\"population\":\"cell\","
		     "\"weight\":"
		     "5000}}]}"));
	done(ask(&f, "{\"cmd\":\"step\",\"duration_ms\":50}"));
	done(ask(&e, "{\"cmd\":\"quit\"}"));
	cr_assert_eq(ended(&e), 0);
	(void)snprintf(text, sizeof(text), "{\"cmd\":\"save\",\"dir\":\"%s/run\"}", other.path);
	digest_now(&f, b);
	reply = ask(&f, text);
	cr_assert_str_eq(engine_case_string(reply, "digest"), b);
	done(reply);
	(void)snprintf(text, sizeof(text), "%s/run/spec.json", other.path);
	{
		size_t n = 0;
		char *past = check_read_file(text, &n);

		cr_assert_not_null(past);
		run_digest(past, a);
		mem_free(past);
	}
	cr_assert_str_eq(a, b);
	done(ask(&f, "{\"cmd\":\"quit\"}"));
	(void)ended(&f);
	(void)waitpid(-1, &status, WNOHANG);
	(void)snprintf(text, sizeof(text), "rm -rf %s/branch %s/run", other.path, other.path);
	status = fork();
	if (status == 0) {
		(void)execl("/bin/sh", "sh", "-c", text, (char *)NULL);
		_exit(99);
	}
	cr_assert_eq(waitpid(status, NULL, 0), status);
}

/* What came after a checkpoint was asked for is not in it, whoever is first; two of them are both whole. */
Test(serve, it_goes_on_while_it_is_saved)
{
	CLEANUP(check_dir_release) struct check_dir dir = folder();
	struct end e = start(&dir, "2");
	char want[17], end[17], got[17];
	unsigned seen = 0;

	done(line(&e));
	done(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":100}"));
	digest_now(&e, want);
	say(&e, "{\"cmd\":\"checkpoint\",\"name\":\"a\",\"id\":1}\n"
		"{\"cmd\":\"step\",\"duration_ms\":50,\"id\":2}\n"
		"{\"cmd\":\"checkpoint\",\"name\":\"b\",\"id\":3}\n"
		"{\"cmd\":\"checkpoint\",\"name\":\"a\",\"id\":4}\n"
		"{\"cmd\":\"step\",\"duration_ms\":50,\"id\":5}\n");
	for (int i = 0; i < 5; i++) {
		json_t *reply = line(&e);
		json_int_t id = json_integer_value(json_object_get(reply, "id"));

		cr_assert(id >= 1 && id <= 5);
		seen |= 1U << id;
		if (id == 1 || id == 3)
			cr_assert_eq(json_number_value(json_object_get(reply, "saved_ms")),
				     id == 1 ? 100 : 150);
		if (id == 4)
			refused(reply, "conflict", "/name");
		else
			done(reply);
	}
	cr_assert_eq(seen, 0x3eU);
	digest_now(&e, end);
	done(ask(&e, "{\"cmd\":\"restore\",\"name\":\"b\"}"));
	done(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":50,\"expect_t_ms\":150}"));
	digest_now(&e, got);
	cr_assert_str_eq(got, end);
	done(ask(&e, "{\"cmd\":\"restore\",\"name\":\"a\"}"));
	digest_now(&e, got);
	cr_assert_str_eq(got, want);
	say(&e, "{\"cmd\":\"checkpoint\",\"name\":\"c\"}\n{\"cmd\":\"quit\"}\n");
	done(line(&e));
	done(line(&e));
	cr_assert_eq(ended(&e), 0);
}

static void parks(bool by_signal)
{
	CLEANUP(check_dir_release) struct check_dir dir = folder();
	struct end e = start(&dir, "1");
	char before[17], after[17], end;

	done(line(&e));
	done(ask(&e, "{\"cmd\":\"stimuli\",\"schedule\":[{\"at_ms\":170,\"plasticity\":{\"on\":"
		     "false}}]}"));
	done(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":150}"));
	digest_now(&e, before);
	if (by_signal)
		cr_assert_eq(kill(e.pid, SIGTERM), 0);
	else
		(void)shutdown(e.fd, SHUT_WR);
	{
		int status = 0;

		cr_assert_eq(waitpid(e.pid, &status, 0), e.pid);
		cr_assert_eq(WEXITSTATUS(status), ERR_EXIT_BASE + ERR_INTERRUPTED);
		e.pid = 0;
	}
	(void)ended(&e);
	e = start(&dir, "2");
	done(line(&e));
	digest_now(&e, after);
	cr_assert_str_eq(after, before);
	done(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":0.1,\"expect_t_ms\":150}"));
	done(ask(&e, "{\"cmd\":\"quit\",\"checkpoint\":true}"));
	cr_assert_eq(ended(&e), 0);
	e = start(&dir, "1");
	done(line(&e));
	done(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":1,\"expect_t_ms\":150.1}"));
	cr_assert_eq(kill(e.pid, SIGINT), 0);
	cr_assert_eq(recv(e.fd, &end, 1, 0), 0, "it is over before this end is closed");
	cr_assert_eq(ended(&e), ERR_EXIT_BASE + ERR_CANCELLED);
}

Test(serve, a_signal_parks_it_and_it_wakes_where_it_was)
{
	parks(true);
}

Test(serve, the_end_of_input_parks_it_too)
{
	parks(false);
}

Test(serve, events_come_at_most_so_often_and_only_while_time_moves)
{
	CLEANUP(check_dir_release) struct check_dir dir = folder();
	struct end e = start(&dir, "1");
	unsigned seen[4] = { 0 };
	json_t *reply;

	done(line(&e));
	done(ask(&e, "{\"cmd\":\"watch\",\"events\":[{\"kind\":\"state\",\"max_hz\":100},{\"kind\":"
		     "\"rates\",\"population\":\"in\",\"max_hz\":100},{\"kind\":\"spikes\","
		     "\"population\":"
		     "\"in\",\"max\":5,\"max_hz\":100},{\"kind\":\"weights\",\"projection\":\"s\","
		     "\"bins\":"
		     "4,\"max_hz\":100}]}"));
	done(ask(&e, "{\"cmd\":\"play\"}"));
	while (!seen[0] || !seen[1] || !seen[2] || !seen[3]) {
		reply = line(&e);
		seen[0] += !strcmp(engine_case_string(reply, "event"), "state");
		if (!strcmp(engine_case_string(reply, "event"), "rates")) {
			seen[1]++;
			cr_assert_geq(json_number_value(json_object_get(reply, "rate_hz")), 0);
		} else if (!strcmp(engine_case_string(reply, "event"), "spikes")) {
			size_t n = json_array_size(json_object_get(reply, "at_ms"));

			seen[2]++;
			cr_assert_leq(n, 5);
			cr_assert_geq(json_integer_value(json_object_get(reply, "count")),
				      (json_int_t)n);
		} else if (!strcmp(engine_case_string(reply, "event"), "weights")) {
			seen[3]++;
			cr_assert_eq(json_array_size(json_object_get(reply, "counts")), 4);
			cr_assert_eq(json_array_size(json_object_get(reply, "edges")), 5);
		}
		json_decref(reply);
	}
	done(ask(&e, "{\"cmd\":\"pause\"}"));
	done(ask(&e, "{\"cmd\":\"watch\",\"events\":[]}"));
	done(ask(&e, "{\"cmd\":\"data\",\"weights\":true}"));
	cr_assert_eq(faccessat(dir.fd, "live.json", F_OK, 0), 0);
	done(ask(&e, "{\"cmd\":\"quit\"}"));
	cr_assert_eq(ended(&e), 0);
}

Test(serve, a_spec_that_is_none_is_told_in_the_first_line)
{
	static const char wrong[] =
		"{\"duration_ms\":1,\"populations\":{\"a\":{\"model\":\"x\",\"size\":1}}}";
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct end e;

	engine_case_write(&dir, "spec.json", wrong, strlen(wrong));
	e = start(&dir, "1");
	refused(line(&e), "invalid-spec", "/populations/a/model");
	cr_assert_eq(ended(&e), ERR_EXIT_BASE + ERR_INVALID);
}

/* A rate over its limit: the state stays to be read and saved, and a way back leads on. */
Test(serve, a_failed_simulation_can_be_read_and_taken_back)
{
	static const char hot[] =
		"{\"duration_ms\":1,\"populations\":{\"cell\":{\"model\":\"iaf_psc_delta\","
		"\"size\":2}},"
		"\"record\":{\"spikes\":[\"cell\"]},\"limits\":{\"max_rate_hz\":100}}";
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct end e;
	json_t *reply;

	engine_case_write(&dir, "spec.json", hot, strlen(hot));
	e = start(&dir, "1");
	done(line(&e));
	done(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":50}"));
	done(ask(&e, "{\"cmd\":\"checkpoint\",\"name\":\"before\"}"));
	done(ask(&e, "{\"cmd\":\"parameters\",\"schedule\":[{\"set\":{\"population\":\"cell\","
		     "\"params\":{"
		     "\"I_e\":5000}}}]}"));
	refused(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":500}"), "rate-limit",
		"/limits/max_rate_hz");
	reply = line(&e);
	cr_assert_str_eq(engine_case_string(json_object_get(reply, "state"), "mode"), "failed");
	json_decref(reply);
	refused(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":500}"), "wrong-state", "");
	refused(ask(&e, "{\"cmd\":\"checkpoint\"}"), "wrong-state", "");
	done(ask(&e, "{\"cmd\":\"data\"}"));
	done(ask(&e, "{\"cmd\":\"restore\",\"name\":\"before\"}"));
	done(ask(&e, "{\"cmd\":\"step\",\"duration_ms\":500,\"expect_t_ms\":50}"));
	done(ask(&e, "{\"cmd\":\"quit\"}"));
	cr_assert_eq(ended(&e), 0);
}
