/* token.c - the commands. */
/* SPDX-License-Identifier: MIT */
#include "server/token.h"

#include <stdlib.h>
#include <string.h>

#include "server/auth.h"
#include "server/clock.h"

enum { PAGE = 200, NUMBER_MAX = 1000000000 };

static const char usage[] =
	"expected: token add --name N --scopes read,run[,session,admin] [--days D] "
	"[--quota-runs N] [--quota-sessions N] [--quota-mb N], "
	"token list, or token revoke ID";

/* A whole number from 1; absent: 0. */
static int number(const char *option, const char *text, int64_t *ret, struct err *err)
{
	char *end = NULL;

	*ret = text ? strtoll(text, &end, 10) : 0;
	if (text && (end == text || *end || *ret < 1 || *ret > NUMBER_MAX))
		return err_set(err, ERR_RANGE, NULL, "%s: expected a number from 1, found \"%s\"",
			       option, text);
	return 0;
}

static int add(struct store *s, int argc, char *const *argv, struct buf *out, struct err *err)
{
	enum { NAME, SCOPES, DAYS, RUNS, SESSIONS, MB, N };
	static const char *const names[N] = { "--name",	      "--scopes",	  "--days",
					      "--quota-runs", "--quota-sessions", "--quota-mb" };
	const char *value[N] = { NULL };
	char token[AUTH_TOKEN_SIZE], id[ID_SIZE];
	struct store_token want = { 0 };
	int64_t days = 0;
	int64_t *const to[N] = { [DAYS] = &days,
				 [RUNS] = &want.quota_runs,
				 [SESSIONS] = &want.quota_sessions,
				 [MB] = &want.quota_mb };
	int rc = 0;

	for (int i = 0; i < argc; i += 2) {
		int k = 0;

		while (k < N && strcmp(argv[i], names[k]) != 0)
			k++;
		if (k == N || i + 1 == argc)
			return err_set(err, ERR_UNKNOWN, NULL, "%s", usage);
		value[k] = argv[i + 1];
	}
	if (!value[NAME] || !value[SCOPES])
		return err_set(err, ERR_MISSING, NULL, "%s", usage);
	for (int k = DAYS; !rc && k < N; k++)
		rc = number(names[k], value[k], to[k], err);
	if (rc)
		return rc;
	want.name = value[NAME];
	want.scopes = value[SCOPES];
	rc = auth_new(s, &want, days, token, id, err);
	if (!rc)
		(void)buf_printf(out,
				 "id %s\nThe token, shown this once; send it as Authorization: "
				 "Bearer TOKEN\n%s\n",
				 id, token);
	return rc;
}

static void row(struct buf *out, const struct store_token *t)
{
	char created[CLOCK_TEXT_MAX], end[CLOCK_TEXT_MAX];
	bool expired = t->expires_ms && t->expires_ms <= clock_wall_ms();

	(void)buf_printf(out, "%s  %-22s  %s  %s  %s\n", t->id, t->scopes,
			 clock_text(t->created_ms, created),
			 t->revoked_ms	 ? "revoked"
			 : expired	 ? "expired"
			 : t->expires_ms ? clock_text(t->expires_ms, end)
					 : "for ever",
			 t->name);
}

static int list(struct store *s, struct buf *out, struct err *err)
{
	int64_t seq = INT64_MAX;
	size_t n = PAGE;
	int rc = 0;

	while (!rc && n == PAGE) {
		struct mem_arena arena;
		struct store_token *rows;

		mem_arena_init(&arena, 0);
		rows = NEW(&arena, struct store_token, PAGE);
		rc = rows ? store_token_list(s, seq, PAGE, &arena, rows, &n, err) : err_nomem(err);
		for (size_t i = 0; !rc && i < n; i++) {
			row(out, &rows[i]);
			seq = rows[i].seq;
		}
		mem_arena_release(&arena);
	}
	return rc;
}

static int command(struct store *s, int argc, char *const *argv, struct buf *out, struct err *err)
{
	if (strcmp(argv[0], "add") == 0)
		return add(s, argc - 1, argv + 1, out, err);
	if (strcmp(argv[0], "list") == 0 && argc == 1)
		return list(s, out, err);
	if (strcmp(argv[0], "revoke") == 0 && argc == 2)
		return store_token_revoke(s, argv[1], err);
	return err_set(err, ERR_UNKNOWN, NULL, "%s", usage);
}

int token_command(int argc, char *const *argv, const char *dir, struct buf *out, struct err *err)
{
	struct store *s = NULL;
	int rc;

	if (argc < 1)
		return err_set(err, ERR_MISSING, NULL, "%s", usage);
	rc = store_open_beside(&s, dir, err);
	if (!rc)
		rc = command(s, argc, argv, out, err);
	store_close(s);
	return rc;
}
