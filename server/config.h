/* config.h - every option of the server: one table makes flags, environment, --help and the manual.
 *
 * A flag --run-memory-mb is also STDPD_RUN_MEMORY_MB; the flag wins. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

enum { CONFIG_HOSTS_MAX = 16, CONFIG_ADDRESS_MAX = 64 };

struct config {
	const char *listen;		  /* ADDR:PORT as given */
	char address[CONFIG_ADDRESS_MAX]; /* its numeric address, without brackets */
	uint16_t port;
	const char *admin_listen; /* NULL: none */
	char admin_address[CONFIG_ADDRESS_MAX];
	uint16_t admin_port;
	const char *data;   /* data folder */
	const char *runner; /* path of stdp-run; NULL: beside the server's own program */
	const char *hosts[CONFIG_HOSTS_MAX]; /* further names a Host header may bear */
	size_t n_hosts;
	const char
		*cors; /* origins of other sites whose pages may ask, between commas; NULL: none */
	bool behind_proxy, first_token;
	const char *tls_cert, *tls_key; /* PEM files; NULL: no TLS */
	bool loopback;			/* the addresses are */
	int command;   /* index in argv of the word `token`, which ends the options; 0: none */
	int64_t slots; /* simulations at once; 0: one per processor */
	int64_t run_threads;  /* threads a run may ask for; 0: as many as processors */
	int64_t queue_max;    /* waiting runs */
	int64_t sweep_points; /* of one sweep */
	int64_t body_max_mb, answer_max_mb;
	int64_t run_memory_mb;
	double checkpoint_s;
	int64_t sessions_max, sessions_awake;
	double session_idle_s;
	double wall_max_s;
	int64_t connections, per_address, streams, http_threads, idle_s;
	double slow_s, heartbeat_s;
	double max_neurons, max_synapses, max_steps;
	int64_t storage_max_mb, storage_free_mb; /* 0: no limit */
	int64_t keep_days;			 /* 0: for ever */
	int64_t max_result_mb;
	int64_t max_points; /* values in one answer */
	int64_t webhooks_max, webhook_attempts;
	double webhook_timeout_s, webhook_retry_s;
	bool webhook_private;
	const char *log_level;
};

/* Defaults, then environment (env, as getenv), then flags. argv's strings are kept. Returns 0, 1
 * when --help or
 * --version was asked for (the text to print is in out), -code with err. */
int config_read(struct config *ret, int argc, char *const *argv,
		const char *(*env)(const char *name), struct buf *out, struct err *err) MUST_USE;
/* Manual of all options: plain text for --help, or a Markdown table. */
void config_help(struct buf *out, bool markdown);
/* A Host or Origin header's name (without port) is one this server answers to. */
bool config_host_allowed(const struct config *c, const char *host);
/* An Origin that --cors lists. */
bool config_origin_listed(const struct config *c, const char *origin);

#endif
