/* harness.c - start, ask, stop. */
/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* nftw */
#include "tests/e2e/harness.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGS_MAX = 32, START_S = 20, ASK_S = 60, STOP_S = 20 };

extern char **environ;

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void nap(double s)
{
	struct timespec ts = { (time_t)s, (long)((s - floor(s)) * 1e9) };

	(void)nanosleep(&ts, NULL);
}

/* ---- the process ---- */

static pid_t spawn(const char *dir, const char *const *args, int *ret_out)
{
	const char *program = getenv("STDPD"), *runner = getenv("STDP_RUN");
	const char *argv[ARGS_MAX] = { program ? program : "build/bin/stdpd", "--listen",
				       "127.0.0.1:0", "--data", dir };
	posix_spawn_file_actions_t files;
	char log[300];
	int n = 5, out[2];
	pid_t pid = 0;

	if (runner) {
		argv[n++] = "--runner";
		argv[n++] = runner;
	}
	for (int i = 0; args && args[i] && n + 1 < ARGS_MAX; i++)
		argv[n++] = args[i];
	cr_assert_eq(pipe(out), 0);
	(void)fcntl(out[0], F_SETFD, FD_CLOEXEC);
	(void)snprintf(log, sizeof(log), "%s.log", dir);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
	(void)posix_spawn_file_actions_addclose(&files, out[1]);
	(void)posix_spawn_file_actions_addopen(&files, STDERR_FILENO, log,
					       O_WRONLY | O_CREAT | O_APPEND, 0600);
	cr_assert_eq(posix_spawn(&pid, argv[0], &files, NULL, (char *const *)(const void *)argv,
				 environ),
		     0, "%s cannot be started", argv[0]);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)close(out[1]);
	*ret_out = out[0];
	return pid;
}

/* The line that says where it listens; 0: it ended or said nothing. */
static int read_port(int out, bool *ret_tls)
{
	char text[256] = "";
	size_t n = 0;
	double deadline = now_s() + START_S;
	const char *colon;

	while (n + 1 < sizeof(text) && !strchr(text, '\n') && now_s() < deadline) {
		struct pollfd p = { .fd = out, .events = POLLIN };
		ssize_t got = poll(&p, 1, 100) > 0 ? read(out, text + n, sizeof(text) - 1 - n) : -1;

		if (got == 0)
			break;
		if (got > 0)
			n += (size_t)got;
		text[n] = '\0';
	}
	colon = strrchr(text, ':');
	*ret_tls = strncmp(text, "listening on https://", 21) == 0;
	return (*ret_tls || strncmp(text, "listening on http://", 20) == 0) && colon
		       ? (int)strtol(colon + 1, NULL, 10)
		       : 0;
}

static int wait_end(pid_t pid, double seconds)
{
	double deadline = now_s() + seconds;
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_s() > deadline) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			break;
		}
		nap(0.005);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void read_log(const char *dir, char *text, size_t n)
{
	char path[300];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s.log", dir);
	f = fopen(path, "r");
	text[f ? fread(text, 1, n - 1, f) : 0] = '\0';
	if (f)
		(void)fclose(f);
}

void harness_again(struct harness *h, const char *const *args)
{
	char log[4096];
	bool tls;
	int out;

	h->pid = spawn(h->dir, args, &out);
	h->port = read_port(out, &tls);
	(void)close(out);
	if (!h->port) {
		(void)wait_end(h->pid, 0.0);
		read_log(h->dir, log, sizeof(log));
		cr_assert_fail("the server did not start: %s", log);
	}
	(void)snprintf(h->url, sizeof(h->url), "http%s://127.0.0.1:%d", tls ? "s" : "", h->port);
}

void harness_new(struct harness *h, const char *const *args)
{
	const char *tmp = getenv("TMPDIR");

	memset(h, 0, sizeof(*h));
	(void)snprintf(h->dir, sizeof(h->dir), "%s/stdpd-test-XXXXXX", tmp ? tmp : "/tmp");
	cr_assert_not_null(mkdtemp(h->dir));
	harness_again(h, args);
}

int harness_try(const char *dir, const char *const *args, char *log, size_t n)
{
	int out, port, code;
	bool tls;
	pid_t pid = spawn(dir, args, &out);

	port = read_port(out, &tls);
	(void)close(out);
	if (port)
		(void)kill(pid, SIGTERM);
	code = wait_end(pid, STOP_S);
	read_log(dir, log, n);
	return port ? -1 : code;
}

bool harness_sanitized(const char *program)
{
	const char *path = getenv(program);

	return path && (strstr(path, "-address/") || strstr(path, "-thread/"));
}

int harness_stop(struct harness *h)
{
	int code;

	if (!h->pid)
		return 0;
	(void)kill(h->pid, SIGTERM);
	code = wait_end(h->pid, STOP_S);
	h->pid = 0;
	return code;
}

void harness_kill(struct harness *h)
{
	if (!h->pid)
		return;
	(void)kill(h->pid, SIGKILL);
	(void)wait_end(h->pid, STOP_S);
	h->pid = 0;
}

static int on_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	(void)remove(path);
	return 0;
}

void harness_free(struct harness *h)
{
	char log[300];

	(void)harness_stop(h);
	(void)nftw(h->dir, on_remove, 16, FTW_DEPTH | FTW_PHYS);
	(void)snprintf(log, sizeof(log), "%s.log", h->dir);
	(void)unlink(log);
}

/* ---- requests ---- */

struct sink {
	char *data;
	size_t len;
};

static size_t on_data(char *data, size_t size, size_t n, void *self)
{
	struct sink *s = self;
	char *grown = realloc(s->data, s->len + size * n + 1);

	if (!grown)
		return 0;
	s->data = grown;
	memcpy(s->data + s->len, data, size * n);
	s->len += size * n;
	s->data[s->len] = '\0';
	return size * n;
}

static struct reply perform(const struct harness *h, const char *method, const char *path,
			    const void *body, size_t n, struct curl_slist *list)
{
	struct sink headers = { 0 }, data = { 0 };
	struct reply r = { 0 };
	CURL *easy = curl_easy_init();
	char url[2048];
	long status = 0;

	(void)snprintf(url, sizeof(url), "%s%s", h->url, path);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)ASK_S);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L); /* a pair made for the test */
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_data);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, &headers);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &data);
	if (body || strcmp(method, "POST") == 0) {
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body ? (const char *)body : "");
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
	}
	if (strcmp(method, "HEAD") == 0)
		(void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else
		(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
	(void)curl_easy_perform(easy); /* a cut connection still has the status that came before */
	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(easy);
	curl_slist_free_all(list);
	r.status = (int)status;
	r.headers = headers.data ? headers.data : calloc(1, 1);
	r.body = data.data ? data.data : calloc(1, 1);
	r.len = data.len;
	r.json = r.len ? json_loadb(r.body, r.len, JSON_DECODE_ANY, NULL) : NULL;
	return r;
}

struct reply harness_ask(const struct harness *h, const char *method, const char *path,
			 const char *body, const char *const *headers)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	bool typed = false;

	for (int i = 0; headers && headers[i]; i++) {
		typed = typed || strncasecmp(headers[i], "Content-Type:", 13) == 0;
		list = curl_slist_append(list, headers[i]);
	}
	if (!typed)
		list = curl_slist_append(list,
					 body ? "Content-Type: application/json" : "Content-Type:");
	return perform(h, method, path, body, body ? strlen(body) : 0, list);
}

struct reply harness_send(const struct harness *h, const char *method, const char *path,
			  const void *body, size_t n, const char *content_type)
{
	char header[128];

	(void)snprintf(header, sizeof(header), "Content-Type: %s", content_type);
	return perform(h, method, path, body, n,
		       curl_slist_append(curl_slist_append(NULL, "Expect:"), header));
}

struct reply harness_get(const struct harness *h, const char *path)
{
	return harness_ask(h, "GET", path, NULL, NULL);
}

void reply_release(struct reply *r)
{
	json_decref(r->json);
	free(r->headers);
	free(r->body);
	memset(r, 0, sizeof(*r));
}

bool reply_header(const struct reply *r, const char *name, char *text, size_t n)
{
	size_t len = strlen(name);

	for (const char *at = r->headers; at && *at;
	     at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		if (strncasecmp(at, name, len) != 0 || at[len] != ':')
			continue;
		at += len + 1;
		at += strspn(at, " ");
		(void)snprintf(text, n, "%.*s", (int)strcspn(at, "\r\n"), at);
		return true;
	}
	return false;
}

json_t *reply_at(const struct reply *r, const char *pointer)
{
	json_t *at = r->json;

	while (at && *pointer == '/') {
		size_t n = strcspn(++pointer, "/");
		char key[128];

		(void)snprintf(key, sizeof(key), "%.*s", (int)n, pointer);
		at = json_is_array(at) ? json_array_get(at, strtoul(key, NULL, 10))
				       : json_object_get(at, key);
		pointer += n;
	}
	return at;
}

const char *reply_text(const struct reply *r, const char *pointer)
{
	const char *text = json_string_value(reply_at(r, pointer));

	return text ? text : "";
}

double reply_number(const struct reply *r, const char *pointer)
{
	json_t *v = reply_at(r, pointer);

	return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

void harness_run(const struct harness *h, const char *body, char id[64])
{
	struct reply r = harness_ask(h, "POST", "/v1/runs", body, NULL);

	cr_assert(r.status == 201 || r.status == 202, "status %d: %s", r.status, r.body);
	(void)snprintf(id, 64, "%s", reply_text(&r, "/id"));
	cr_assert_neq(id[0], '\0');
	reply_release(&r);
}

struct reply harness_wait(const struct harness *h, const char *id, double seconds)
{
	double deadline = now_s() + seconds;
	char path[128];

	(void)snprintf(path, sizeof(path), "/v1/runs/%s?wait=2", id);
	for (;;) {
		struct reply r = harness_get(h, path);

		if (r.status != 200 || json_is_string(reply_at(&r, "/finished_at")) ||
		    now_s() > deadline)
			return r;
		reply_release(&r);
	}
}

bool harness_state(const struct harness *h, const char *id, const char *state, double seconds)
{
	double deadline = now_s() + seconds;
	char path[128];

	(void)snprintf(path, sizeof(path), "/v1/runs/%s", id);
	do {
		struct reply r = harness_get(h, path);
		bool there = strcmp(reply_text(&r, "/state"), state) == 0;

		reply_release(&r);
		if (there)
			return true;
		nap(0.01);
	} while (now_s() < deadline);
	return false;
}

void harness_raw(const struct harness *h, const char *bytes, size_t len, char *text, size_t n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)h->port) };
	struct pollfd p = { .fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN };
	size_t at = 0;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(connect(p.fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	cr_assert_eq(send(p.fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
	while (at + 1 < n && poll(&p, 1, 1000) > 0) {
		ssize_t got = recv(p.fd, text + at, n - 1 - at, 0);

		if (got <= 0)
			break;
		at += (size_t)got;
	}
	text[at] = '\0';
	(void)close(p.fd);
}

pid_t harness_child(const char *id)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (!found && (entry = readdir(proc)) != NULL) {
		char path[300], text[4096] = "";
		size_t n;
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
		f = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		if (!f)
			continue;
		n = fread(text, 1, sizeof(text) - 1, f);
		for (size_t i = 0; i < n; i++) /* arguments are separated by zeros */
			text[i] = text[i] ? text[i] : ' ';
		if (strstr(text, "stdp-run") && strstr(text, id))
			found = (pid_t)strtol(entry->d_name, NULL, 10);
		(void)fclose(f);
	}
	(void)closedir(proc);
	return found;
}

pid_t harness_child_soon(const char *id)
{
	double deadline = now_s() + 20;
	pid_t pid = harness_child(id);

	while (!pid && now_s() < deadline) {
		nap(0.001);
		pid = harness_child(id);
	}
	return pid;
}
