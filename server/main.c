/* main.c - stdpd: start in order, wait for a signal, stop in reverse. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/catalog.h"
#include "server/api.h"
#include "server/auth.h"
#include "server/clock.h"
#include "server/config.h"
#include "server/event.h"
#include "server/exec.h"
#include "server/hook.h"
#include "server/http.h"
#include "server/kept.h"
#include "server/log.h"
#include "server/post.h"
#include "server/queue.h"
#include "server/route.h"
#include "server/session.h"
#include "server/space.h"
#include "server/store.h"
#include "server/store_once.h"
#include "server/store_run.h"
#include "server/sweep.h"
#include "server/token.h"

enum { TICK_S = 60, PROBE_S = 3, EXIT_USAGE = 2, LARGE_BLOCK = 1 << 20 };

struct services {
	struct config config;
	struct api api;
	struct http *admin; /* NULL: no such listener */
	struct hook *hook;
	struct http_tls tls;
	char runner[4096];
};

static const char *env(const char *name)
{
	return getenv(name);
}

static void set_log_level(const char *name)
{
	static const char *const names[LOG_N] = { "error", "warn", "info", "debug" };

	for (int i = 0; i < LOG_N; i++)
		if (strcmp(name, names[i]) == 0)
			log_set_level((enum log_level)i);
}

/* stdp-run stands beside this program unless the options say otherwise. */
static int find_runner(struct services *s, struct err *err)
{
	ssize_t n;
	char *slash;

	if (s->config.runner) {
		(void)snprintf(s->runner, sizeof(s->runner), "%s", s->config.runner);
	} else {
		n = readlink("/proc/self/exe", s->runner, sizeof(s->runner) - 16);
		s->runner[n > 0 ? n : 0] = '\0';
		slash = strrchr(s->runner, '/');
		(void)snprintf(slash ? slash + 1 : s->runner, 16, "stdp-run");
	}
	if (access(s->runner, X_OK))
		return err_set(err, ERR_IO, NULL, "%s cannot be run: %s", s->runner,
			       strerror(errno));
	return 0;
}

/* 0 means "as the machine has". */
static void fill_in(struct config *c)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	n = n < 1 ? 1 : n > 1024 ? 1024 : n;
	if (!c->slots)
		c->slots = n;
	if (!c->run_threads)
		c->run_threads = n;
}

static void wake(void *self, const char *topic)
{
	struct services *s = self;

	if (strcmp(topic, EVENT_TOPIC_HOOK) == 0)
		hook_wake(s->hook);
	else
		http_wake(s->api.http, topic);
}

/* The end of a run may stand in the outbox. */
static void on_run(void *self, const char *run_id)
{
	struct services *s = self;

	(void)run_id;
	hook_wake(s->hook);
}

static void stop(struct services *s)
{
	sweep_stop(s->api.sweep);
	exec_free(s->api.exec); /* watchers still hear that their runs were interrupted */
	session_stop(s->api.session);
	if (s->api.event)
		event_bind(s->api.event, NULL, NULL);
	http_free(s->admin);
	http_free(s->api.http);
	hook_free(s->hook);
	session_free(s->api.session);
	sweep_free(s->api.sweep);
	queue_free(s->api.queue);
	event_free(s->api.event);
	http_tls_free(&s->tls);
	kept_free(s->api.models);
	kept_free(s->api.openapi);
	store_close(s->api.store);
}

static int start_http(struct services *s, struct err *err)
{
	const struct config *c = &s->config;
	const struct http_config config = {
		.address = c->address,
		.port = c->port,
		.threads = (unsigned)c->http_threads,
		.connections = (unsigned)c->connections,
		.per_address = (unsigned)c->per_address,
		.streams = (unsigned)c->streams,
		.body_max = (size_t)c->body_max_mb << 20,
		.answer_max = (size_t)c->answer_max_mb << 20,
		.idle_s = (unsigned)c->idle_s,
		.slow_s = c->slow_s,
		.heartbeat_s = c->heartbeat_s,
		.tls = s->tls,
		.handle = route_handle,
		.leave = route_leave,
		.self = &s->api,
	};

	return http_new(&s->api.http, &config, err);
}

/* Few connections, no bodies: who measures needs no more. */
static int start_admin(struct services *s, struct err *err)
{
	const struct http_config config = {
		.address = s->config.admin_address,
		.port = s->config.admin_port,
		.threads = 2,
		.connections = 16,
		.per_address = 16,
		.body_max = 4096,
		.answer_max = (size_t)1 << 20,
		.idle_s = (unsigned)s->config.idle_s,
		.slow_s = s->config.slow_s,
		.tls = s->tls,
		.handle = route_handle_admin,
		.self = &s->api,
	};
	int rc = s->config.admin_listen ? http_new(&s->admin, &config, err) : 0;

	if (!rc && s->admin)
		log_text(LOG_INFO, "metrics on port %u of %s", (unsigned)http_port(s->admin),
			 config.address);
	return rc;
}

/* Beyond this machine only those with a token get in, or those whom something in front lets in. */
static int check_tokens(struct services *s, struct err *err)
{
	char token[AUTH_TOKEN_SIZE], id[ID_SIZE];
	bool any = false;
	int rc = store_token_any(s->api.store, &any, err);

	if (!rc && !any && s->config.first_token) {
		rc = auth_new(s->api.store,
			      &(struct store_token){ .name = "first",
						     .scopes = "read,run,session,admin" },
			      0, token, id, err);
		if (!rc)
			(void)printf("the first access token, shown this once: %s\n", token);
		(void)fflush(stdout);
		any = true;
	}
	if (rc || any || s->config.loopback || s->config.behind_proxy)
		return rc;
	return err_set(
		err, ERR_FORBIDDEN, NULL,
		"--listen %s would let anybody on the network in: there are no access tokens "
		"yet; make one (stdpd --data DIR token add, or --first-token), use a loopback "
		"address, or --behind-proxy if something in front decides who gets in",
		s->config.listen);
}

static int start_sessions(struct services *s, struct err *err)
{
	const struct session_config config = {
		.store = s->api.store,
		.event = s->api.event,
		.runner = s->runner,
		.awake = s->config.sessions_awake,
		.memory_mb = s->config.run_memory_mb,
		.file_mb = s->config.run_memory_mb + s->config.max_result_mb,
		.idle_s = s->config.session_idle_s,
		.checkpoint_s = s->config.checkpoint_s,
	};

	return session_new(&s->api.session, &config, err);
}

static int start_sweeps(struct services *s, struct err *err)
{
	const struct sweep_config config = {
		.store = s->api.store,
		.event = s->api.event,
		.queue = s->api.queue,
		.exec = s->api.exec,
		.ahead = s->config.slots + 2,
		.storage_max_mb = s->config.storage_max_mb,
		.storage_free_mb = s->config.storage_free_mb,
	};

	return sweep_new(&s->api.sweep, &config, err);
}

static int start_hooks(struct services *s, struct err *err)
{
	const struct hook_config config = {
		.store = s->api.store,
		.private = s->config.webhook_private,
		.timeout_s = s->config.webhook_timeout_s,
		.attempts = s->config.webhook_attempts,
		.retry_s = s->config.webhook_retry_s,
	};

	return hook_new(&s->hook, &config, err);
}

/* Everything but HTTP, in the order in which each needs the one before. */
static int start(struct services *s, struct err *err)
{
	struct exec_config config;
	int rc = find_runner(s, err);

	s->api.config = &s->config;
	if (!rc)
		rc = store_open(&s->api.store, s->config.data, err);
	if (!rc)
		rc = store_once_restart(s->api.store, err);
	if (!rc)
		rc = check_tokens(s, err);
	if (!rc)
		rc = event_new(&s->api.event, err);
	if (!rc)
		rc = queue_new(&s->api.queue, s->api.store, s->config.queue_max, err);
	if (rc)
		return rc;
	config = (struct exec_config){
		.store = s->api.store,
		.event = s->api.event,
		.queue = s->api.queue,
		.runner = s->runner,
		.slots = s->config.slots,
		.memory_mb = s->config.run_memory_mb,
		.file_mb = s->config.run_memory_mb + s->config.max_result_mb,
		.checkpoint_s = s->config.checkpoint_s,
		.wall_max_s = s->config.wall_max_s,
	};
	rc = exec_new(&s->api.exec, &config, err);
	if (!rc)
		rc = start_sweeps(s, err);
	if (!rc)
		rc = start_sessions(s, err);
	if (!rc && s->config.tls_cert)
		rc = http_tls_read(&s->tls, s->config.tls_cert, s->config.tls_key, err);
	if (!rc)
		rc = api_keep(&s->api.models, catalog_models(), err);
	if (!rc)
		rc = api_keep(&s->api.openapi, route_openapi(), err);
	if (!rc)
		rc = start_http(s, err);
	if (!rc)
		rc = start_admin(s, err);
	if (!rc)
		rc = start_hooks(s, err);
	if (rc)
		return rc;
	event_bind(s->api.event, wake, s);
	event_observe(s->api.event, on_run, s);
	return 0;
}

/* Wait for SIGTERM or SIGINT; once a minute delete what need not be kept any longer. */
static void serve(struct services *s, const sigset_t *signals)
{
	bool more = false;

	for (;;) {
		struct err err = { 0 };
		int sig;

		if (store_run_expire(s->api.store, &err))
			log_err("deleting old runs", &err);
		if (store_once_expire(s->api.store, &err))
			log_err("deleting old keys", &err);
		space_tidy(s->api.store, &more);
		sig = sigtimedwait(signals, NULL,
				   &(struct timespec){ .tv_sec = more ? 1 : TICK_S });
		if (sig == SIGTERM || sig == SIGINT) {
			log_text(LOG_INFO, "stopping on signal %d", sig);
			return;
		}
	}
}

/* stdpd --probe URL: for health checks in images without any other client. */
static int probe(const char *url)
{
	struct err err = { 0 };
	long status = 0;

	if (post_probe(url, PROBE_S, &status, &err)) {
		log_err("probe", &err);
		return 1;
	}
	return status == 200 ? 0 : 1;
}

static int run(struct services *s, const sigset_t *signals)
{
	struct err err = { 0 };
	bool v6 = strchr(s->config.address, ':');

	if (start(s, &err)) {
		log_err("start", &err);
		stop(s);
		return err.code == ERR_FORBIDDEN ? EXIT_USAGE : 1;
	}
	(void)printf("listening on http%s://%s%s%s:%u\n", s->tls.cert ? "s" : "", v6 ? "[" : "",
		     s->config.address, v6 ? "]" : "", (unsigned)http_port(s->api.http));
	(void)fflush(stdout);
	serve(s, signals);
	stop(s);
	return 0;
}

/* stdpd --data DIR token ... */
static int token(int argc, char *const *argv, const char *dir)
{
	struct err err = { 0 };
	struct buf out;
	int rc;

	buf_init(&out, 1 << 24);
	rc = token_command(argc, argv, dir, &out, &err);
	if (!rc && out.data)
		(void)fputs(out.data, stdout);
	buf_release(&out);
	if (rc)
		log_err("token", &err);
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	static struct services s;
	struct err err = { 0 };
	sigset_t signals;
	struct buf out;
	int rc;

	/* What a large answer took goes back when it has left, and does not stay with its thread. */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	json_set_alloc_funcs(mem_json_alloc, mem_json_free);
	(void)store_hook_memory();
	json_object_seed(0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	if (argc == 3 && strcmp(argv[1], "--probe") == 0)
		return probe(argv[2]);
	buf_init(&out, 1 << 20);
	rc = config_read(&s.config, argc, argv, env, &out, &err);
	if (rc == 1 && out.data)
		(void)fputs(out.data, stdout);
	buf_release(&out);
	if (rc < 0)
		log_err("options", &err);
	if (rc)
		return rc < 0 ? EXIT_USAGE : 0;
	if (s.config.command)
		return token(argc - s.config.command - 1, argv + s.config.command + 1,
			     s.config.data);
	fill_in(&s.config);
	set_log_level(s.config.log_level);
	return run(&s, &signals);
}
