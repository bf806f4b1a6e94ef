/* api_page.c - lists that come in pages: where one begins, and how the next is asked for. */
/* SPDX-License-Identifier: MIT */
#include "server/api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_DEFAULT = 50, PAGE_MAX = 500, LINK_MAX = 4096 };

int api_query_page_size(const struct request *rq, int64_t *ret, struct err_list *errors)
{
	int rc = api_query_int(rq, "page_size", PAGE_DEFAULT, 1, INT64_MAX, ret, errors);

	*ret = *ret > PAGE_MAX ? PAGE_MAX : *ret;
	return rc;
}

int api_query_page(const struct request *rq, char letter, int64_t *ret_size, int64_t *ret_seq,
		   struct err_list *errors)
{
	const char *token = http_query(rq, "page_token");
	char *end = NULL;
	int rc = api_query_page_size(rq, ret_size, errors);

	*ret_seq = INT64_MAX;
	if (rc || !token)
		return rc;
	if (token[0] == letter)
		*ret_seq = strtoll(token + 1, &end, 16);
	if (!end || end == token + 1 || *end || *ret_seq <= 0)
		return err_list_add(errors, ERR_RANGE, "?page_token",
				    "expected the next_page_token of another page");
	return 0;
}

static void percent(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~",
			   *text))
			(void)buf_char(b, *text);
		else
			(void)buf_printf(b, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

static void on_query(void *self, const char *name, const char *value)
{
	struct buf *b = self;

	if (strcmp(name, "page_token") == 0)
		return;
	percent(b, name);
	(void)buf_char(b, '=');
	percent(b, value);
	(void)buf_char(b, '&');
}

void api_link(const struct request *rq, struct response *rs, const char *token)
{
	struct buf b;
	char *kept;

	buf_init(&b, LINK_MAX);
	(void)buf_printf(&b, "<%s?", rq->path);
	http_query_each(rq, on_query, &b);
	(void)buf_printf(&b, "page_token=%s>; rel=\"next\"", token);
	kept = b.failed ? NULL
			: mem_arena_strdup(rq->arena, b.data); /* next_page_token says the same */
	if (kept)
		http_add_header(rs, "Link", kept);
	buf_release(&b);
}

int api_page(const struct request *rq, struct response *rs, json_t *items_take, char letter,
	     int64_t next_seq, struct err_list *errors)
{
	const char *token =
		next_seq ? mem_arena_printf(rq->arena, "%c%" PRIx64, letter, (uint64_t)next_seq)
			 : NULL;

	if (token)
		api_link(rq, rs, token);
	return api_json(rs, 200,
			json_pack("{s:o, s:o}", "items", items_take, "next_page_token",
				  token ? json_string(token) : json_null()),
			errors);
}
