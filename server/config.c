/* config.c - the option table. */
/* SPDX-License-Identifier: MIT */
#include "server/config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/engine.h"

enum option_type { OPTION_TEXT, OPTION_INT, OPTION_DOUBLE, OPTION_FLAG, OPTION_HOSTS };

struct option {
	const char *name; /* without -- */
	enum option_type type;
	size_t offset;
	const char *def;
	double min, max;
	const char *arg, *doc;
};

#define AT(field) offsetof(struct config, field)

// clang-format off
static const struct option options[] = {
	{ "listen", OPTION_TEXT, AT(listen), "127.0.0.1:8080", 0, 0, "ADDR:PORT", "Where to listen; port 0 picks a free one." },
	{ "admin-listen", OPTION_TEXT, AT(admin_listen), NULL, 0, 0, "ADDR:PORT", "Where to serve /metrics (Prometheus) and nothing else of interest; without it nowhere." },
	{ "data", OPTION_TEXT, AT(data), "stdpd-data", 0, 0, "DIR", "Data folder: database, uploads, running simulations." },
	{ "behind-proxy", OPTION_FLAG, AT(behind_proxy), "0", 0, 0, "",
	  "Allow an address beyond this machine without access tokens: something in front (a reverse proxy, a container's port mapped to loopback) decides who gets in." },
	{ "first-token", OPTION_FLAG, AT(first_token), "0", 0, 0, "", "If there is no access token yet, make one with all scopes and print it, once." },
	{ "host", OPTION_HOSTS, AT(hosts), "", 0, 0, "NAME[,NAME...]", "Further host names to answer to; may be repeated." },
	{ "cors", OPTION_TEXT, AT(cors), NULL, 0, 0, "ORIGIN[,ORIGIN...]", "Other sites (https://example.org) whose pages may read and write here, with a token of their own; without it none." },
	{ "tls-cert", OPTION_TEXT, AT(tls_cert), NULL, 0, 0, "FILE", "Serve HTTPS, the admin listener too: certificate, then those between it and the root, PEM." },
	{ "tls-key", OPTION_TEXT, AT(tls_key), NULL, 0, 0, "FILE", "The key of --tls-cert, PEM, not readable for everybody. Both are read at the start." },
	{ "slots", OPTION_INT, AT(slots), "0", 0, 1024, "N", "Simulations at once; 0: one per processor." },
	{ "run-threads", OPTION_INT, AT(run_threads), "0", 0, 1024, "N", "Threads one run may ask for; 0: as many as processors." },
	{ "queue-max", OPTION_INT, AT(queue_max), "1000", 0, 1e6, "N", "Runs that may wait; beyond: 429." },
	{ "sweep-points", OPTION_INT, AT(sweep_points), "10000", 1, 1e6, "N", "Points of one sweep, seeds counted; beyond: 422." },
	{ "body-max-mb", OPTION_INT, AT(body_max_mb), "64", 1, 4096, "MB", "Largest request body." },
	{ "answer-max-mb", OPTION_INT, AT(answer_max_mb), "256", 1, 1024, "MB", "Largest answer." },
	{ "run-memory-mb", OPTION_INT, AT(run_memory_mb), "4096", 16, 1e7, "MB", "Memory of one simulation." },
	{ "checkpoint-s", OPTION_DOUBLE, AT(checkpoint_s), "30", 0, 1e6, "S", "Wall time between two checkpoints of a run, from which it goes on after a crash; 0: only when the server stops." },
	{ "sessions-max", OPTION_INT, AT(sessions_max), "10000", 0, 1e7, "N", "Sessions kept, parked ones too; beyond: 422." },
	{ "sessions-awake", OPTION_INT, AT(sessions_awake), "50", 1, 1024, "N", "Sessions awake at once; the idlest is parked for another." },
	{ "session-idle-s", OPTION_DOUBLE, AT(session_idle_s), "300", 0.05, 1e8, "S", "A session without a command for so long is parked." },
	{ "wall-max-s", OPTION_DOUBLE, AT(wall_max_s), "3600", 0.1, 1e8, "S", "Wall time of one run." },
	{ "connections", OPTION_INT, AT(connections), "1000", 1, 15000, "N", "Open connections; beyond: 503." },
	{ "per-address", OPTION_INT, AT(per_address), "500", 1, 15000, "N", "Open connections from one address." },
	{ "streams", OPTION_INT, AT(streams), "500", 1, 15000, "N", "Streams of events open at once; beyond: 503." },
	{ "http-threads", OPTION_INT, AT(http_threads), "4", 2, 64, "N", "Threads that answer requests." },
	{ "idle-s", OPTION_INT, AT(idle_s), "60", 1, 3600, "S", "Idle connections are closed after this." },
	{ "slow-s", OPTION_DOUBLE, AT(slow_s), "30", 0.1, 3600, "S", "A client that takes longer for the head of a request, or in such a time sends or takes less than 1024 bytes a second, is cut off." },
	{ "heartbeat-s", OPTION_DOUBLE, AT(heartbeat_s), "15", 0.01, 3600, "S", "A stream of events without news says at least so often that it is there." },
	{ "max-neurons", OPTION_DOUBLE, AT(max_neurons), "1e7", 1, 1e9, "N", "Neurons of one spec." },
	{ "max-synapses", OPTION_DOUBLE, AT(max_synapses), "1e9", 1, 1e11, "N", "Synapses of one spec (its memory counts too)." },
	{ "max-steps", OPTION_DOUBLE, AT(max_steps), "1e10", 1, 1e15, "N", "Time steps of one spec." },
	{ "max-result-mb", OPTION_INT, AT(max_result_mb), "16384", 1, 1e7, "MB", "Recorded data of one run, as far as it is known before." },
	{ "storage-max-mb", OPTION_INT, AT(storage_max_mb), "0", 0, 1e9, "MB", "Size of the data folder from which on nothing new begins (507); 0: no limit." },
	{ "storage-free-mb", OPTION_INT, AT(storage_free_mb), "16", 0, 1e9, "MB", "Free space on its disk below which nothing new begins (507)." },
	{ "keep-days", OPTION_INT, AT(keep_days), "0", 0, 36500, "DAYS", "Runs that ask for nothing else are deleted so long after their end; 0: never." },
	{ "max-points", OPTION_INT, AT(max_points), "10000000", 1000, 1e8, "N", "Values in one answer." },
	{ "webhooks-max", OPTION_INT, AT(webhooks_max), "1000", 0, 1e6, "N", "Webhooks kept; beyond: 422." },
	{ "webhook-private", OPTION_FLAG, AT(webhook_private), "0", 0, 0, "", "Let webhooks go to private, loopback and other addresses that are not public." },
	{ "webhook-timeout-s", OPTION_DOUBLE, AT(webhook_timeout_s), "10", 0.05, 300, "S", "Time an attempt to deliver to a webhook may take." },
	{ "webhook-attempts", OPTION_INT, AT(webhook_attempts), "10", 1, 100, "N", "Attempts to deliver to a webhook before it is given up." },
	{ "webhook-retry-s", OPTION_DOUBLE, AT(webhook_retry_s), "5", 0.01, 3600, "S", "Time to the second attempt; each further one waits twice as long, an hour at most." },
	{ "runner", OPTION_TEXT, AT(runner), NULL, 0, 0, "PATH", "The program stdp-run; default: beside stdpd." },
	{ "log-level", OPTION_TEXT, AT(log_level), "info", 0, 0, "LEVEL", "error, warn, info or debug." },
};
// clang-format on

static void env_name(const struct option *o, char *text, size_t n)
{
	(void)snprintf(text, n, "STDPD_%s", o->name);
	for (char *p = text; *p; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
}

static int add_host(struct config *c, const char *value, const char *where, struct err *err)
{
	if (c->n_hosts == CONFIG_HOSTS_MAX)
		return err_set(err, ERR_LIMIT, NULL, "%s: at most %d values", where,
			       CONFIG_HOSTS_MAX);
	c->hosts[c->n_hosts++] = value;
	return 0;
}

static int set_number(struct config *c, const struct option *o, const char *value,
		      const char *where, struct err *err)
{
	char *end, *field = (char *)c + o->offset;
	double x;

	errno = 0;
	x = strtod(value, &end);
	if (end == value || *end || errno || !(x >= o->min && x <= o->max) ||
	    (o->type == OPTION_INT && x != floor(x)))
		return err_set(err, ERR_RANGE, NULL,
			       "%s: expected %s from %.15g to %.15g, found \"%s\"", where,
			       o->type == OPTION_INT ? "a whole number" : "a number", o->min,
			       o->max, value);
	if (o->type == OPTION_INT) {
		int64_t i = (int64_t)x;

		memcpy(field, &i, sizeof(i));
	} else {
		memcpy(field, &x, sizeof(x));
	}
	return 0;
}

static int set_flag(struct config *c, const struct option *o, const char *value, const char *where,
		    struct err *err)
{
	bool on = strcmp(value, "1") == 0 || strcmp(value, "true") == 0;

	if (!on && strcmp(value, "0") != 0 && strcmp(value, "false") != 0 && *value)
		return err_set(err, ERR_TYPE, NULL, "%s: expected 1 or 0, found \"%s\"", where,
			       value);
	memcpy((char *)c + o->offset, &on, sizeof(on));
	return 0;
}

static int set(struct config *c, const struct option *o, const char *value, const char *where,
	       struct err *err)
{
	switch (o->type) {
	case OPTION_INT:
	case OPTION_DOUBLE:
		return set_number(c, o, value, where, err);
	case OPTION_FLAG:
		return set_flag(c, o, value, where, err);
	case OPTION_HOSTS:
		return *value ? add_host(c, value, where, err) : 0;
	case OPTION_TEXT:
	default:
		if (!*value)
			return err_set(err, ERR_MISSING, NULL, "%s: expected %s", where, o->arg);
		memcpy((char *)c + o->offset, &value, sizeof(value));
		return 0;
	}
}

static const struct option *find(const char *name, size_t n)
{
	for (size_t i = 0; i < COUNTOF(options); i++)
		if (strlen(options[i].name) == n && strncmp(options[i].name, name, n) == 0)
			return &options[i];
	return NULL;
}

static void help_row(struct buf *out, const struct option *o, bool markdown)
{
	const char *def = o->type == OPTION_FLAG ? "off" : o->def ? o->def : "";
	char env[64], flag[96];

	env_name(o, env, sizeof(env));
	(void)snprintf(flag, sizeof(flag), "--%s%s%s", o->name, *o->arg ? " " : "", o->arg);
	if (markdown)
		(void)buf_printf(out, "| `%s` | `%s` | %s%s%s | %s |\n", flag, env, *def ? "`" : "",
				 def, *def ? "`" : "", o->doc);
	else
		(void)buf_printf(out, "  %-26s %s%s%s%s  [%s]\n", flag, o->doc,
				 *def ? " Default: " : "", def, *def ? "." : "", env);
}

void config_help(struct buf *out, bool markdown)
{
	(void)buf_str(
		out, markdown
			     ? "| flag | environment | default | what it does |\n"
			       "|---|---|---|---|\n"
			     : "usage: stdpd [--option VALUE]...\n"
			       "       stdpd --data DIR token add --name N --scopes "
			       "read,run[,session,admin] [--days D]\n"
			       "             [--quota-runs N] [--quota-sessions N] [--quota-mb N]\n"
			       "       stdpd --data DIR token list\n"
			       "       stdpd --data DIR token revoke ID\n\nA simulation "
			       "server for spike-timing-dependent plasticity.\n\n");
	for (size_t i = 0; i < COUNTOF(options); i++)
		help_row(out, &options[i], markdown);
	if (!markdown)
		(void)buf_str(out, "  --help, --version\n");
}

/* "ADDR:PORT", "[V6]:PORT", "localhost:PORT". */
static int parse_listen(const char *option, const char *text, char address[CONFIG_ADDRESS_MAX],
			uint16_t *ret_port, struct err *err)
{
	const char *colon = strrchr(text, ':'), *given = text;
	size_t n = colon ? (size_t)(colon - text) : 0;
	char *end = NULL;
	long port = colon ? strtol(colon + 1, &end, 10) : -1;

	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (!colon || n == 0 || n >= CONFIG_ADDRESS_MAX || end == colon + 1 || *end || port < 0 ||
	    port > 65535)
		return err_set(err, ERR_SYNTAX, NULL,
			       "--%s: expected ADDR:PORT like 127.0.0.1:8080, found \"%s\"", option,
			       given);
	memcpy(address, text, n);
	address[n] = '\0';
	if (strcasecmp(address, "localhost") == 0)
		(void)snprintf(address, CONFIG_ADDRESS_MAX, "127.0.0.1");
	*ret_port = (uint16_t)port;
	return 0;
}

/* -1: no address at all. */
static int is_loopback(const char *address)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, address, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	if (inet_pton(AF_INET6, address, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6) ? 1 : 0;
	return -1;
}

static int check(struct config *c, struct err *err)
{
	int rc = parse_listen("listen", c->listen, c->address, &c->port, err), loopback, admin = 1;

	if (!rc && c->admin_listen)
		rc = parse_listen("admin-listen", c->admin_listen, c->admin_address, &c->admin_port,
				  err);
	if (rc)
		return rc;
	if (!c->tls_cert != !c->tls_key)
		return err_set(err, ERR_MISSING, NULL,
			       "expected --tls-cert and --tls-key, found --%s alone",
			       c->tls_cert ? "tls-cert" : "tls-key");
	loopback = is_loopback(c->address);
	if (c->admin_listen)
		admin = is_loopback(c->admin_address);
	if (loopback < 0 || admin < 0)
		return err_set(err, ERR_SYNTAX, NULL,
			       "--%s: expected a numeric address or localhost, found \"%s\"",
			       loopback < 0 ? "listen" : "admin-listen",
			       loopback < 0 ? c->address : c->admin_address);
	c->loopback = loopback > 0 && admin > 0;
	return 0;
}

static int read_flags(struct config *c, int argc, char *const *argv, struct buf *out,
		      struct err *err)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i], *eq = strchr(arg, '=');
		size_t n = eq ? (size_t)(eq - arg) : strlen(arg);
		const struct option *o;
		int rc;

		if (strcmp(arg, "token") == 0) {
			c->command = i;
			return 0;
		}
		if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
			config_help(out, false);
			return 1;
		}
		if (strcmp(arg, "--version") == 0) {
			(void)buf_str(out, "stdpd " ENGINE_VERSION "\n");
			return 1;
		}
		o = n > 2 && strncmp(arg, "--", 2) == 0 ? find(arg + 2, n - 2) : NULL;
		if (!o)
			return err_set(err, ERR_UNKNOWN, NULL, "unknown option \"%s\"; see --help",
				       arg);
		if (!eq && o->type != OPTION_FLAG && i + 1 >= argc)
			return err_set(err, ERR_MISSING, NULL, "%s: expected %s", arg, o->arg);
		rc = set(c, o, eq ? eq + 1 : o->type == OPTION_FLAG ? "1" : argv[++i], arg, err);
		if (rc)
			return rc;
	}
	return 0;
}

int config_read(struct config *ret, int argc, char *const *argv,
		const char *(*env)(const char *name), struct buf *out, struct err *err)
{
	struct config c = { 0 };
	char name[64];
	int rc;

	for (size_t i = 0; i < COUNTOF(options); i++) {
		const struct option *o = &options[i];
		const char *value;

		rc = o->def ? set(&c, o, o->def, o->name, err) : 0;
		if (rc)
			return rc;
		env_name(o, name, sizeof(name));
		value = env(name);
		rc = value && *value ? set(&c, o, value, name, err) : 0;
		if (rc)
			return rc;
	}
	rc = read_flags(&c, argc, argv, out, err);
	if (!rc)
		rc = check(&c, err);
	if (!rc)
		*ret = c;
	return rc;
}

/* NAME equals one of a comma-separated list, whatever the case of letters. */
static bool in_list(const char *list, const char *name, size_t n)
{
	while (*list) {
		size_t len = strcspn(list, ",");

		if (len == n && strncasecmp(list, name, n) == 0)
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}

bool config_host_allowed(const struct config *c, const char *host)
{
	static const char own[] = "localhost,127.0.0.1,[::1]";
	const char *const addresses[] = { c->address, c->admin_address };
	const char *colon = strrchr(host, ':');
	size_t n = strlen(host);
	char bracketed[CONFIG_ADDRESS_MAX + 2];

	if (colon && !strchr(colon, ']') && colon[1] &&
	    strspn(colon + 1, "0123456789") == strlen(colon + 1))
		n = (size_t)(colon - host);
	if (n == 0)
		return false;
	if (in_list(own, host, n))
		return true;
	for (size_t i = 0; i < COUNTOF(addresses); i++) {
		(void)snprintf(bracketed, sizeof(bracketed),
			       strchr(addresses[i], ':') ? "[%s]" : "%s", addresses[i]);
		if (in_list(bracketed, host, n))
			return true;
	}
	for (size_t i = 0; i < c->n_hosts; i++)
		if (in_list(c->hosts[i], host, n))
			return true;
	return false;
}

bool config_origin_listed(const struct config *c, const char *origin)
{
	return c->cors && *origin && in_list(c->cors, origin, strlen(origin));
}
