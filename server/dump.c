/* dump.c - JSON as text. */
/* SPDX-License-Identifier: MIT */
#include "server/dump.h"

#include <stdbool.h>
#include <stdint.h>

static void put(struct buf *out, const json_t *json);

static void put_array(struct buf *out, const json_t *json)
{
	(void)buf_char(out, '[');
	for (size_t i = 0; i < json_array_size(json); i++) {
		if (i)
			(void)buf_char(out, ',');
		put(out, json_array_get(json, i));
	}
	(void)buf_char(out, ']');
}

/* json_object_foreach wants a pointer to what may change; iterators do not change anything either.
 */
static void put_object(struct buf *out, json_t *json)
{
	const char *key;
	json_t *value;
	bool first = true;

	(void)buf_char(out, '{');
	json_object_foreach(json, key, value)
	{
		if (!first)
			(void)buf_char(out, ',');
		first = false;
		(void)buf_json_string(out, key);
		(void)buf_char(out, ':');
		put(out, value);
	}
	(void)buf_char(out, '}');
}

/* Depth is bounded: what was parsed is at most as deep as jansson's parser allows. */
static void put(struct buf *out, const json_t *json)
{
	if (json_is_object(json))
		/* jansson iterates over objects that it may change. */
		put_object(out, (json_t *)(uintptr_t)json); // NOLINT(performance-no-int-to-ptr)
	else if (json_is_array(json))
		put_array(out, json);
	else if (json_is_string(json))
		(void)buf_json_string(out, json_string_value(json));
	else if (json_is_integer(json))
		(void)buf_printf(out, "%lld", (long long)json_integer_value(json));
	else if (json_is_real(json))
		(void)buf_double(out, json_real_value(json));
	else
		(void)buf_str(out, json_is_true(json)	 ? "true"
				   : json_is_false(json) ? "false"
							 : "null");
}

int dump_json(struct buf *out, const json_t *json)
{
	put(out, json);
	return -out->failed;
}
