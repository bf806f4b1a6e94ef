/* test_tokens - who gets in: tokens from the command line and over HTTP, scopes, owners. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

static struct harness h;

static void setup(void)
{
	harness_new(&h, NULL);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(tokens, .init = setup, .fini = teardown, .timeout = 60);

/* stdpd --data DIR token ARGS: its exit code; what it printed into out[n]. */
static int command(const char *const *args, char *out, size_t n)
{
	const char *program = getenv("STDPD"), *argv[16] = { NULL };
	int pipes[2], status = 0, k = 0;
	size_t len = 0;
	ssize_t got;
	pid_t pid;

	argv[k++] = program ? program : "build/bin/stdpd";
	argv[k++] = "--data";
	argv[k++] = h.dir;
	argv[k++] = "token";
	for (int i = 0; args[i]; i++)
		argv[k++] = args[i];
	cr_assert_eq(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(pipes[1], STDOUT_FILENO);
		(void)execv(argv[0], (char *const *)(const void *)argv);
		_exit(99);
	}
	(void)close(pipes[1]);
	while (len + 1 < n && (got = read(pipes[0], out + len, n - 1 - len)) > 0)
		len += (size_t)got;
	out[len] = '\0';
	(void)close(pipes[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Make a token on the command line; "Authorization: Bearer ..." into header[128]. */
static void add(const char *name, const char *scopes, char header[128])
{
	const char *const args[] = { "add", "--name", name, "--scopes", scopes, NULL };
	char out[1024], *last;

	cr_assert_eq(command(args, out, sizeof(out)), 0, "%s", out);
	out[strlen(out) - 1] = '\0';
	last = strrchr(out, '\n');
	(void)snprintf(header, 128, "Authorization: Bearer %s", last + 1);
}

static int status(const char *method, const char *path, const char *body, const char *header)
{
	const char *const headers[] = { header, NULL };
	struct reply r = harness_ask(&h, method, path, body, header ? headers : NULL);
	int code = r.status;

	if (code >= 400)
		cr_assert_not_null(strstr(r.headers, "application/problem+json"), "%s", r.headers);
	reply_release(&r);
	return code;
}

static struct reply ask(const char *method, const char *path, const char *body, const char *header)
{
	const char *const headers[] = { header, "Prefer: wait=20", NULL };

	return harness_ask(&h, method, path, body, headers);
}

Test(tokens, once_there_is_one_every_request_needs_one_save_what_is_open)
{
	static const char *const open[] = { "/",   "/docs",  "/openapi.json",
					    "/v1", "/livez", "/readyz" };
	char header[128], challenge[128];
	struct reply r;

	cr_assert_eq(status("GET", "/v1/runs", NULL, NULL), 200);
	add("lab", "read", header); /* beside the running server */
	cr_assert_eq(status("GET", "/v1/runs", NULL, header), 200);
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		cr_assert_eq(status("GET", open[i], NULL, NULL), 200, "%s", open[i]);
	r = harness_get(&h, "/v1/runs");
	cr_assert_eq(r.status, 401);
	cr_assert_str_eq(reply_text(&r, "/code"), "unauthorized");
	cr_assert(reply_header(&r, "WWW-Authenticate", challenge, sizeof(challenge)));
	cr_assert_not_null(strstr(challenge, "Bearer"));
	reply_release(&r);
	header[strlen(header) - 1] ^= 1; /* another digit or none at all */
	cr_assert_eq(status("GET", "/v1/runs", NULL, header), 401);
	cr_assert_eq(status("GET", "/v1/runs", NULL, "Authorization: Bearer x"), 401);
	cr_assert_eq(status("GET", "/v1/runs", NULL, "Authorization: Basic eDp5"), 401);
	cr_assert_eq(status("POST", "/v1/runs", SPECS_FAST, NULL), 401);
}

Test(tokens, every_address_asks_for_its_scope)
{
	static const char *const scopes[] = { "read", "run", "session", "admin" };
	char exact[4][128], others[4][128], without[64];
	struct reply r = harness_get(&h, "/openapi.json");
	const char *path, *method;
	json_t *item, *op;
	int seen = 0;

	for (int i = 0; i < 4; i++) {
		without[0] = '\0';
		for (int k = 0; k < 4; k++)
			if (k != i)
				(void)snprintf(without + strlen(without),
					       sizeof(without) - strlen(without), "%s%s",
					       *without ? "," : "", scopes[k]);
		add("exact", scopes[i], exact[i]);
		add("others", without, others[i]);
	}
	json_object_foreach(json_object_get(r.json, "paths"), path, item)
	{
		json_object_foreach(item, method, op)
		{
			json_t *needs = json_object_get(
				json_array_get(json_object_get(op, "security"), 0), "token");
			const char *scope = json_string_value(json_array_get(needs, 0));
			char verb[8] = "";
			int i = 0, code;

			for (size_t k = 0; method[k] && k < 7; k++)
				verb[k] = (char)(method[k] - 'a' + 'A');
			if (!scope)
				continue;
			while (i < 3 && strcmp(scopes[i], scope) != 0)
				i++;
			code = status(verb, path, strcmp(verb, "GET") == 0 ? NULL : "{}",
				      others[i]);
			cr_assert_eq(code, 403, "%s %s without %s: %d", verb, path, scope, code);
			code = status(verb, path, strcmp(verb, "GET") == 0 ? NULL : "{\"x\":1}",
				      exact[i]);
			cr_assert(code != 401 && code != 403 && code < 500, "%s %s with %s: %d",
				  verb, path, scope, code);
			seen++;
		}
	}
	cr_assert_gt(seen, 30);
	reply_release(&r);
}

Test(tokens, a_revoked_or_old_token_is_none)
{
	static const char *const list[] = { "list", NULL };
	const char *revoke[] = { "revoke", NULL, NULL };
	char header[128], admin[128], id[40], path[64], out[4096];
	struct reply r;

	add("lab", "read,run", header);
	add("boss", "admin", admin);
	(void)snprintf(id, sizeof(id), "%.32s", header + strlen("Authorization: Bearer stdpd_"));
	revoke[1] = id;
	cr_assert_eq(status("GET", "/v1/me", NULL, header), 200);
	cr_assert_eq(command(revoke, out, sizeof(out)), 0);
	cr_assert_eq(status("GET", "/v1/me", NULL, header), 401);
	cr_assert_neq(command(revoke, out, sizeof(out)), 0, "revoked twice");
	cr_assert_eq(command(list, out, sizeof(out)), 0);
	cr_assert_not_null(strstr(out, "revoked"));
	cr_assert_null(strstr(out, header + strlen("Authorization: Bearer ")), "%s", out);
	/* Over HTTP too; and with none left it does not open again. */
	(void)snprintf(id, sizeof(id), "%.32s", admin + strlen("Authorization: Bearer stdpd_"));
	(void)snprintf(path, sizeof(path), "/v1/tokens/%s", id);
	r = ask("GET", path, NULL, admin);
	cr_assert_eq(r.status, 200);
	cr_assert_null(strstr(r.body, admin + strlen("Authorization: Bearer ")));
	cr_assert(json_is_true(reply_at(&r, "/active")));
	reply_release(&r);
	cr_assert_eq(status("DELETE", path, NULL, admin), 204);
	cr_assert_eq(status("GET", "/v1/tokens", NULL, admin), 401);
	cr_assert_eq(status("GET", "/v1/runs", NULL, NULL), 401);
}

Test(tokens, days_are_counted_from_now)
{
	static const char *const args[] = { "add",  "--name", "d", "--scopes",
					    "read", "--days", "2", NULL };
	char header[128], out[1024], now[32], then[32], *last;
	time_t t = time(NULL);
	struct reply r;

	(void)strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%S", gmtime(&t));
	t += 2 * 24 * 3600 + 60;
	(void)strftime(then, sizeof(then), "%Y-%m-%dT%H:%M:%S", gmtime(&t));
	cr_assert_eq(command(args, out, sizeof(out)), 0, "%s", out);
	out[strlen(out) - 1] = '\0';
	last = strrchr(out, '\n');
	(void)snprintf(header, sizeof(header), "Authorization: Bearer %s", last + 1);
	r = ask("GET", "/v1/me", NULL, header);
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert_gt(strcmp(reply_text(&r, "/expires_at"), now), 0, "%s", r.body);
	cr_assert_lt(strcmp(reply_text(&r, "/expires_at"), then), 0, "%s", r.body);
	reply_release(&r);
}

Test(tokens, they_are_made_changed_and_listed_over_http)
{
	char header[128], path[64], token[128];
	struct reply r = harness_ask(&h, "POST", "/v1/tokens",
				     "{\"name\":\"boss\",\"scopes\":[\"admin\",\"read\"]}", NULL);

	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/scopes/0"), "read");
	(void)snprintf(header, sizeof(header), "Authorization: Bearer %s",
		       reply_text(&r, "/token"));
	reply_release(&r);
	r = ask("POST", "/v1/tokens", "{\"name\":\"lab\",\"scopes\":[\"read\"],\"days\":1}",
		header);
	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert(json_is_string(reply_at(&r, "/expires_at")));
	(void)snprintf(path, sizeof(path), "/v1/tokens/%s", reply_text(&r, "/id"));
	(void)snprintf(token, sizeof(token), "Authorization: Bearer %s", reply_text(&r, "/token"));
	reply_release(&r);
	cr_assert_eq(status("POST", "/v1/runs", SPECS_FAST, token), 403);
	r = ask("PATCH", path, "{\"scopes\":[\"read\",\"run\"],\"days\":null}", header);
	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert(json_is_null(reply_at(&r, "/expires_at")));
	reply_release(&r);
	cr_assert_eq(status("POST", "/v1/runs", SPECS_FAST, token), 202);
	r = ask("GET", "/v1/me", NULL, token);
	cr_assert_str_eq(reply_text(&r, "/name"), "lab");
	cr_assert_str_eq(reply_text(&r, "/scopes/1"), "run");
	reply_release(&r);
	r = ask("GET", "/v1/tokens?page_size=1", NULL, header);
	cr_assert_str_eq(reply_text(&r, "/items/0/name"), "lab");
	cr_assert(json_is_string(reply_at(&r, "/next_page_token")));
	cr_assert_null(strstr(r.body, "sha256"));
	reply_release(&r);
	cr_assert_eq(status("POST", "/v1/tokens", "{\"name\":\"x\",\"scopes\":[\"rule\"]}", header),
		     422);
	cr_assert_eq(status("POST", "/v1/tokens", "{\"scopes\":[\"read\"]}", header), 422);
	cr_assert_eq(status("POST", "/v1/tokens", "{\"name\":\"x\",\"scopes\":[]}", header), 422);
}

Test(tokens, a_run_is_its_owners)
{
	static const char *const tails[] = {
		"", "/spec", "/log", "/events", "/results", "/spikes"
	};
	char ada[128], ben[128], boss[128], id[64], path[128];
	struct reply r;

	add("ada", "read,run", ada);
	add("ben", "read,run", ben);
	add("boss", "read,admin", boss);
	r = ask("POST", "/v1/runs", SPECS_FAST, ada);
	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/owner"), "ada");
	(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		(void)snprintf(path, sizeof(path), "/v1/runs/%s%s", id, tails[i]);
		cr_assert_eq(status("GET", path, NULL, ben), 404, "%s", path);
	}
	(void)snprintf(path, sizeof(path), "/v1/runs/%s", id);
	cr_assert_eq(status("GET", path, NULL, ada), 200);
	cr_assert_eq(status("GET", path, NULL, boss), 200);
	cr_assert_eq(status("DELETE", path, NULL, ben), 404);
	r = ask("GET", "/v1/runs?total=true", NULL, ben);
	cr_assert_eq(reply_number(&r, "/total"), 0.0);
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 0);
	reply_release(&r);
	r = ask("GET", "/v1/runs?total=true", NULL, boss);
	cr_assert_eq(reply_number(&r, "/total"), 1.0);
	reply_release(&r);
	cr_assert_eq(status("DELETE", path, NULL, ada), 204);
}

Test(tokens, a_sweep_is_its_owners_and_so_are_its_runs)
{
	static const char *const more[] = { "", "/spec", "/table", "/events" };
	char ada[128], bob[128], path[128];
	struct reply r;

	add("ada", "read,run", ada);
	add("bob", "read,run", bob);
	r = harness_ask(&h, "POST", "/v1/sweeps",
			"{\"spec\":" SPECS_NET("100", "10") ",\"seeds\":[1,2]}",
			(const char *const[]){ ada, NULL });
	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/owner"), "ada");
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		(void)snprintf(path, sizeof(path), "/v1/sweeps/%s%s", reply_text(&r, "/id"),
			       more[i]);
		cr_assert_eq(status("GET", path, NULL, bob), 404, "%s", path);
		cr_assert_eq(status("GET", path, NULL, ada), 200, "%s", path);
	}
	(void)snprintf(path, sizeof(path), "/v1/sweeps/%s/cancel", reply_text(&r, "/id"));
	cr_assert_eq(status("POST", path, "{}", bob), 404);
	(void)snprintf(path, sizeof(path), "/v1/runs?sweep=%s", reply_text(&r, "/id"));
	reply_release(&r);
	r = harness_ask(&h, "GET", path, NULL, (const char *const[]){ ada, NULL });
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 2, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/items/0/owner"), "ada");
	reply_release(&r);
	r = harness_ask(&h, "GET", path, NULL, (const char *const[]){ bob, NULL });
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 0, "%s", r.body);
	reply_release(&r);
	r = harness_ask(&h, "GET", "/v1/sweeps", NULL, (const char *const[]){ bob, NULL });
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 0, "%s", r.body);
	reply_release(&r);
}

Test(tokens, a_key_and_a_stored_run_serve_their_owner_only)
{
	char ada[128], ben[128], id[64];
	struct reply r;

	add("ada", "read,run", ada);
	add("ben", "read,run", ben);
	for (int i = 0; i < 2; i++) {
		const char *const headers[] = { i ? ben : ada, "Idempotency-Key: k",
						"Prefer: reuse, wait=20", NULL };

		r = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, headers);
		cr_assert_eq(r.status, 201, "%s", r.body);
		if (i)
			cr_assert_str_neq(reply_text(&r, "/id"), id);
		(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
		reply_release(&r);
	}
}

Test(tokens, the_pages_cookie_serves_as_well)
{
	char header[128], cookie[160];

	add("page", "read", header);
	(void)snprintf(cookie, sizeof(cookie), "Cookie: stdpd_token=%s",
		       header + strlen("Authorization: Bearer "));
	cr_assert_eq(status("GET", "/v1/runs", NULL, cookie), 200);
	cr_assert_eq(status("POST", "/v1/runs", SPECS_FAST, cookie), 403);
}

Test(tokens, beyond_this_machine_only_with_a_token)
{
	static const char *const open[] = { "--listen", "0.0.0.0:0", NULL };
	static const char *const first[] = { "--listen", "0.0.0.0:0", "--first-token", NULL };
	char header[128], log[8192], dir[300];

	(void)snprintf(dir, sizeof(dir), "%s", h.dir);
	cr_assert_eq(harness_stop(&h), 0);
	cr_assert_eq(harness_try(dir, open, log, sizeof(log)), 2);
	cr_assert_not_null(strstr(log, "token add"), "%s", log);
	add("lab", "read", header);
	cr_assert_eq(harness_try(dir, open, log, sizeof(log)), -1, "%s", log);
	cr_assert_eq(harness_try(dir, first, log, sizeof(log)), -1, "%s", log);
}

Test(tokens, nonsense_on_the_command_line_is_refused)
{
	static const char *const cases[][6] = {
		{ "add", "--name", "x", NULL },
		{ "add", "--name", "x", "--scopes", "fly", NULL },
		{ "add", "--name", "", "--scopes", "read", NULL },
		{ "revoke", "00000000000000000000000000000000", NULL },
		{ "forget", NULL },
		{ NULL },
	};
	char out[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_neq(command(cases[i], out, sizeof(out)), 0, "case %zu", i);
		cr_assert_str_eq(out, "", "case %zu", i);
	}
	cr_assert_eq(status("GET", "/v1/runs", NULL, NULL), 200, "none of them made a token");
}
