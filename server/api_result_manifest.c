/* api_result_manifest.c - what was recorded, and through which view it is read. */
/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/api_result.h"
#include "server/dump.h"

/* The view a kind of recording is read through. */
static const struct {
	const char *kind, *path, *param;
} views[] = {
	{ "spikes", "spikes", "population" },
	{ "states", "states", "population" },
	{ "rates", "rates", "population" },
	{ "weights", "weights", "projection" },
	{ "final_weights", "weights", "projection" },
	{ "weight_updates", "weights/series", "projection" },
	{ "weight_histogram", "weights/histogram", "projection" },
	{ "table", "tables", NULL },
};

static void add_escaped(struct buf *b, const char *s)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.~";

	for (; *s; s++) {
		if (strchr(plain, *s))
			(void)buf_char(b, *s);
		else
			(void)buf_printf(b, "%%%02X", (unsigned)(unsigned char)*s);
	}
}

static void add_link(const struct api_result *c, struct buf *b, const struct store_recording *r)
{
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		bool named = strcmp(r->kind, "states") == 0;

		if (strcmp(views[i].kind, r->kind) != 0)
			continue;
		(void)buf_printf(b, ",\"href\":\"/v1/%s/%s/%s", c->folder ? "sessions" : "runs",
				 c->run.id, views[i].path);
		if (named || !views[i].param)
			(void)buf_char(b, '/');
		if (named)
			add_escaped(b, r->name);
		if (views[i].param)
			(void)buf_printf(b, "?%s=", views[i].param);
		add_escaped(b, r->subject);
		(void)buf_char(b, '"');
	}
}

/* Lists of more than a few items are told by their length. */
static json_t *short_meta(struct api_result *c, const struct store_recording *r)
{
	json_t *meta = api_result_meta(c, r), *value;
	const char *name;
	void *next;

	json_object_foreach_safe(meta, next, name, value)
	{
		enum { SHOWN_MAX = 128 };
		char count[80];

		if (!json_is_array(value) || json_array_size(value) <= SHOWN_MAX)
			continue;
		(void)snprintf(count, sizeof(count), "n_%.64s", name);
		(void)json_object_set_new(meta, count,
					  json_integer((json_int_t)json_array_size(value)));
		(void)json_object_del(meta, name);
	}
	return meta;
}

static int manifest_item(struct api_result *c, const struct store_recording *r)
{
	struct buf *b = &c->head;
	json_t *meta = short_meta(c, r);

	if (!meta)
		return -ERR_CORRUPT;
	(void)buf_str(b, "{\"kind\":");
	(void)buf_json_string(b, r->kind);
	(void)buf_str(b, ",\"subject\":");
	(void)buf_json_string(b, r->subject);
	(void)buf_str(b, ",\"name\":");
	(void)buf_json_string(b, r->name);
	add_link(c, b, r);
	(void)buf_str(b, ",\"meta\":");
	(void)dump_json(b, meta);
	json_decref(meta);
	(void)buf_str(b, ",\"columns\":[");
	for (size_t i = 0; i < r->n_columns; i++) {
		(void)buf_str(b, i ? ",{\"name\":" : "{\"name\":");
		(void)buf_json_string(b, r->columns[i].name);
		(void)buf_printf(b, ",\"dtype\":\"%s\",\"shape\":[%" PRIu64,
				 npy_descr(r->columns[i].type), r->columns[i].rows);
		if (r->columns[i].width != 1)
			(void)buf_printf(b, ",%" PRIu64, r->columns[i].width);
		(void)buf_str(b, "]}");
	}
	(void)buf_str(b, "]}");
	return 0;
}

static int manifest(struct api_result *c)
{
	struct store_recording *r = NULL;
	size_t n = 0;
	int rc = api_result_recordings(c, NULL, NULL, NULL, &r, &n);

	if (rc)
		return rc;
	if (c->format != API_JSON)
		return err_set(&c->err, ERR_ACCEPT, NULL, "the manifest is JSON");
	api_result_text(c, c->folder ? "session_id" : "run_id", c->run.id);
	if (!c->folder)
		api_result_text(c, "state", run_state_name(c->run.state));
	api_result_number(c, "dt_ms", c->dt);
	api_result_number(c, "duration_ms", view_time(c->steps, c->dt));
	api_result_raw(c, "formats", "[\"json\",\"ndjson\",\"csv\",\"npz\"]");
	api_result_raw(c, "recordings", "[");
	for (size_t i = 0; !rc && i < n; i++) {
		if (i)
			(void)buf_char(&c->head, ',');
		rc = manifest_item(c, &r[i]);
	}
	(void)buf_char(&c->head, ']');
	return rc;
}

int api_result_manifest(const struct api *api, struct request *rq, struct response *rs,
			struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors, "", manifest);
}
