/* test_route - the table of addresses: no row hides another, and OpenAPI has them all. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "server/route.h"

/* A path that the row's own pattern matches: {part} becomes "part". */
static void sample(const char *pattern, char *path, size_t n)
{
	size_t k = 0;

	for (; *pattern && k + 1 < n; pattern++)
		if (*pattern != '{' && *pattern != '}')
			path[k++] = *pattern;
	path[k] = '\0';
}

static const struct route *find(const char *method, const char *path, char *allow,
				struct request *rq)
{
	rq->method = method;
	rq->path = path;
	return route_find(rq, allow, 128);
}

Test(route, every_row_is_found_by_its_own_address)
{
	struct mem_arena arena;
	struct request rq = { .arena = &arena };
	char path[256], allow[128];

	mem_arena_init(&arena, 0);
	for (size_t i = 0; route_at(i); i++) {
		const struct route *r = route_at(i);

		sample(r->pattern, path, sizeof(path));
		cr_assert_eq(find(r->method, path, allow, &rq), r, "%s %s", r->method, path);
	}
	mem_arena_release(&arena);
}

Test(route, every_row_is_described)
{
	for (size_t i = 0; route_at(i); i++) {
		const struct route *r = route_at(i);

		cr_assert_eq(r->doc[strlen(r->doc) - 1], '.', "%s %s", r->method, r->pattern);
		cr_assert(r->status >= 200 && r->status < 300);
		cr_assert_eq(r->pattern[0], '/');
		cr_assert(strcmp(r->method, "GET") == 0 || r->scope,
			  "%s %s changes something without a scope", r->method, r->pattern);
	}
}

Test(route, parts_of_a_path_become_arguments)
{
	struct mem_arena arena;
	struct request rq = { .arena = &arena };
	char allow[128];

	mem_arena_init(&arena, 0);
	cr_assert_not_null(find("GET", "/v1/models/neurons/iaf_psc_exp", allow, &rq));
	cr_assert_str_eq(rq.arg[0], "neurons");
	cr_assert_str_eq(rq.arg[1], "iaf_psc_exp");
	cr_assert_not_null(find("HEAD", "/v1/runs/abc", allow, &rq));
	cr_assert_str_eq(rq.arg[0], "abc");
	mem_arena_release(&arena);
}

Test(route, a_wrong_method_is_told_the_right_ones)
{
	struct mem_arena arena;
	struct request rq = { .arena = &arena };
	char allow[128];

	mem_arena_init(&arena, 0);
	cr_assert_null(find("PUT", "/v1/runs/abc", allow, &rq));
	cr_assert_str_eq(allow, "GET, HEAD, PATCH, DELETE");
	cr_assert_null(find("GET", "/v1/runs/abc/cancel", allow, &rq));
	cr_assert_str_eq(allow, "POST");
	mem_arena_release(&arena);
}

Test(route, what_is_no_address_is_not_found)
{
	static const char *const paths[] = { "/v1/",
					     "/v1/run",
					     "/v1/runs/",
					     "/v1/runs/a/b/c",
					     "/v1/runs//cancel",
					     "//",
					     "",
					     "/v1/models/neurons",
					     "/a/b" };
	struct mem_arena arena;
	struct request rq = { .arena = &arena };
	char allow[128];

	mem_arena_init(&arena, 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		cr_assert_null(find("GET", paths[i], allow, &rq), "%s", paths[i]);
		cr_assert_str_eq(allow, "", "%s", paths[i]);
	}
	mem_arena_release(&arena);
}

Test(route, openapi_has_every_row_once)
{
	json_t *api = route_openapi(), *paths = json_object_get(api, "paths"), *item, *operation;
	const char *path, *method;
	size_t rows = 0, operations = 0;

	cr_assert_not_null(api);
	cr_assert_str_eq(json_string_value(json_object_get(api, "openapi")), "3.1.0");
	while (route_at(rows))
		rows++;
	json_object_foreach(paths, path, item)
	{
		json_object_foreach(item, method, operation)
		{
			operations++;
			cr_assert(islower((unsigned char)method[0]));
			cr_assert_not_null(json_object_get(operation, "operationId"), "%s", path);
			cr_assert_gt(json_object_size(json_object_get(operation, "responses")), 1,
				     "%s", path);
			if (strchr(path, '{'))
				cr_assert_geq(
					json_array_size(json_object_get(operation, "parameters")),
					1, "%s", path);
		}
	}
	cr_assert_eq(operations, rows);
	json_decref(api);
}
