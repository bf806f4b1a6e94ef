/* main_gen.c - program stdp-gen: write the generated files of schema/ into the directory named.
 */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "core/base/mem.h"
#include "core/catalog.h"
#include "server/route.h"

enum { PATH_LENGTH_MAX = 4096 };

static bool write_text(const char *dir, const char *name, const char *text)
{
	char path[PATH_LENGTH_MAX];
	bool ok;
	FILE *f;

	if (!text || snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return false;
	f = fopen(path, "w");
	if (!f)
		return false;
	ok = fputs(text, f) >= 0;
	return fclose(f) == 0 && ok;
}

/* Takes the reference. */
static bool write_json_take(const char *dir, const char *name, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) : NULL;
	size_t n = text ? strlen(text) : 0;
	char *line = text ? mem_alloc(n + 2, 1) : NULL;
	bool ok;

	if (line) {
		(void)snprintf(line, n + 2, "%s\n", text);
	}
	ok = write_text(dir, name, line);
	mem_free(line);
	mem_raw_free(text);
	json_decref(json);
	return ok;
}

int main(int argc, char **argv)
{
	char *manual;
	bool ok;

	if (argc != 2) {
		(void)fputs("usage: stdp-gen DIRECTORY\n", stderr);
		return 2;
	}
	json_set_alloc_funcs(mem_json_alloc, mem_json_free);
	manual = catalog_markdown();
	ok = write_text(argv[1], "models.md", manual);
	mem_free(manual);
	ok = write_json_take(argv[1], "models.json", catalog_models()) && ok;
	ok = write_json_take(argv[1], "spec.schema.json", catalog_schema_spec()) && ok;
	ok = write_json_take(argv[1], "openapi.json", route_openapi()) && ok;
	if (!ok)
		(void)fprintf(stderr, "stdp-gen: cannot write all files into %s\n", argv[1]);
	return ok ? 0 : 1;
}
