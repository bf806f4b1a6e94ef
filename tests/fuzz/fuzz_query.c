/* fuzz_query - requests of any path, query, header and cursor, against the real handlers and a real run.
 *
 * An input is a request as desk.h has it. What changes more than names, starts anything or waits is left
 * out. Every answer has a status; 500 is never right. */
/* SPDX-License-Identifier: MIT */
#include "tests/desk.h"
#include "tests/fuzz/fuzz.h"

static bool allowed(const char *method, const char *path)
{
	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		return strncmp(path, "/v1/rules/", 10) != 0; /* starts a run */
	if (strcmp(method, "PATCH") == 0)
		return strncmp(path, "/v1/runs/", 9) == 0;
	return strcmp(method, "POST") == 0 && strcmp(path, "/v1/specs/validate") == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct desk_request r;
	struct buf body;

	if (!desk.api.store) {
		desk_new();
		(void)atexit(desk_free);
	}
	if (!desk_read(&r, data, n) || !allowed(r.method, r.path))
		return 0;
	if (desk_ask(&r, &body) == 500)
		desk_no("status 500", body.data ? body.data : "");
	buf_release(&body);
	return 0;
}
