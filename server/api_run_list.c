/* api_run_list.c - GET /v1/runs: filters, order, pages. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api_run.h"
#include "server/clock.h"

/* ---- cursors: order and place, with a sum that tells a made-up one ---- */

static unsigned sum(char order, long long seq)
{
	unsigned long long x =
		((unsigned long long)seq + 0x9e3779b9U) * 0x2545f491U + (unsigned char)order;

	return (unsigned)((x ^ x >> 17) & 0xffffU);
}

static char *cursor_make(struct mem_arena *arena, bool oldest_first, int64_t seq)
{
	char order = oldest_first ? 'u' : 'd';

	return mem_arena_printf(arena, "%c%04x%llx", order, sum(order, seq),
				(unsigned long long)seq);
}

static bool cursor_read(const char *text, bool oldest_first, int64_t *ret)
{
	char order = oldest_first ? 'u' : 'd', part[5] = "", *end;
	long long seq;

	if (text[0] != order || strlen(text) < 6 || strlen(text) > 20 ||
	    strspn(text + 1, "0123456789abcdef") != strlen(text + 1))
		return false;
	memcpy(part, text + 1, 4);
	seq = strtoll(text + 5, &end, 16);
	if (*end || seq <= 0 || strtoul(part, NULL, 16) != sum(order, seq))
		return false;
	*ret = seq;
	return true;
}

/* ---- filters ---- */

static int read_filter(const struct request *rq, struct store_run_filter *f,
		       struct err_list *errors)
{
	const char *state = http_query(rq, "state"), *sort = http_query(rq, "sort"),
		   *token = http_query(rq, "page_token");
	const char *after = http_query(rq, "created_after"), *total = http_query(rq, "total");
	size_t before = err_list_count(errors);

	*f = (struct store_run_filter){
		.state = state,
		.preset = http_query(rq, "preset"),
		.tag = http_query(rq, "tag"),
		.q = http_query(rq, "q"),
		.spec_sha256 = http_query(rq, "spec_sha256"),
		.owner = api_run_owner(rq),
		.sweep = http_query(rq, "sweep"),
	};
	if (state && run_state_find(state) == RUN_N)
		(void)err_list_add(errors, ERR_UNKNOWN, "?state", "there is no state \"%s\"",
				   state);
	if (sort && strcmp(sort, "created_at") == 0)
		f->oldest_first = true;
	else if (sort && strcmp(sort, "-created_at") != 0)
		(void)err_list_add(errors, ERR_UNKNOWN, "?sort",
				   "expected created_at or -created_at, found \"%s\"", sort);
	if (total && strcmp(total, "true") != 0 && strcmp(total, "false") != 0)
		(void)err_list_add(errors, ERR_UNKNOWN, "?total",
				   "expected true or false, found \"%s\"", total);
	if (after && !clock_parse(after, &f->created_after_ms))
		(void)err_list_add(errors, ERR_TYPE, "?created_after",
				   "expected a time like 2026-01-31T12:00:00Z, found \"%s\"",
				   after);
	if (token && *token && !cursor_read(token, f->oldest_first, &f->after_seq))
		(void)err_list_add(errors, ERR_TYPE, "?page_token",
				   "expected a page_token that this list gave, in the same order");
	(void)api_query_page_size(rq, &f->limit, errors);
	return err_list_count(errors) > before ? -ERR_INVALID : 0;
}

int api_run_list(const struct api *api, struct request *rq, struct response *rs,
		 struct err_list *errors)
{
	const char *total = http_query(rq, "total");
	json_t *body, *items;
	struct store_run_filter f;
	struct store_run *rows;
	struct err err = { 0 };
	char *token = NULL;
	int64_t count = 0;
	size_t n = 0, page;
	int rc = read_filter(rq, &f, errors);

	page = (size_t)f.limit;
	f.limit++; /* one more tells whether there is a next page */
	if (!rc && store_run_list(api->store, &f, rq->arena, &rows, &n, &err))
		rc = api_run_fail(&err, errors);
	if (!rc && total && strcmp(total, "true") == 0 &&
	    store_run_count(api->store, &f, &count, &err))
		rc = api_run_fail(&err, errors);
	if (rc)
		return rc;
	items = json_array();
	for (size_t i = 0; i < n && i < page; i++)
		(void)json_array_append_new(items, api_run_json(api, &rows[i], true));
	if (n > page)
		token = cursor_make(rq->arena, f.oldest_first, rows[page - 1].seq);
	if (token)
		api_link(rq, rs, token);
	body = json_pack("{s:o, s:o}", "items", items, "next_page_token",
			 token ? json_string(token) : json_null());
	if (total && strcmp(total, "true") == 0)
		(void)json_object_set_new(body, "total", json_integer(count));
	return api_json(rs, 200, body, errors);
}
