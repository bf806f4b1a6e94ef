/* api_preset.c - ready specs, carried inside the program. */
/* SPDX-License-Identifier: MIT */
#include "server/api.h"

#include <string.h>

#include "server/embed.h"

static const char folder[] = "schema/presets/";

/* The name of a preset's file, without folder and ".json"; 0: it is none. */
static size_t name_of(const struct embed_file *f, const char **ret)
{
	size_t n = strlen(f->name);

	if (strncmp(f->name, folder, sizeof(folder) - 1) != 0 || n < sizeof(folder) + 5 ||
	    strcmp(f->name + n - 5, ".json") != 0)
		return 0;
	*ret = f->name + sizeof(folder) - 1;
	return n - (sizeof(folder) - 1) - 5;
}

static const struct embed_file *find(const char *name)
{
	for (const struct embed_file *f = embed_files; f->name; f++) {
		const char *own = NULL;
		size_t n = name_of(f, &own);

		if (n && n == strlen(name) && memcmp(own, name, n) == 0)
			return f;
	}
	return NULL;
}

static json_t *load(const struct embed_file *f)
{
	return json_loadb((const char *)f->data, (size_t)(f->end - f->data), 0, NULL);
}

json_t *api_preset_spec(const char *name)
{
	const struct embed_file *f = find(name);
	json_t *preset = f ? load(f) : NULL, *spec = json_object_get(preset, "spec");

	json_incref(spec);
	json_decref(preset);
	return spec;
}

int api_preset_get(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	const struct embed_file *f = find(rq->arg[0]);

	(void)api;
	if (!f)
		return err_list_add(errors, ERR_NOTFOUND, "", "there is no preset \"%.64s\"",
				    rq->arg[0]);
	return api_json(rs, 200, load(f), errors);
}

int api_preset_list(const struct api *api, struct request *rq, struct response *rs,
		    struct err_list *errors)
{
	json_t *items = json_array();

	(void)api;
	(void)rq;
	for (const struct embed_file *f = embed_files; f->name; f++) {
		const char *own = NULL;
		json_t *preset = name_of(f, &own) ? load(f) : NULL;

		if (!preset)
			continue;
		(void)json_object_del(preset, "spec");
		(void)json_array_append_new(items, preset);
	}
	return api_json(rs, 200, json_pack("{s:o, s:n}", "items", items, "next_page_token"),
			errors);
}
