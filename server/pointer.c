/* pointer.c - parts of a pointer, one at a time. */
/* SPDX-License-Identifier: MIT */
#include "server/pointer.h"

#include <stdlib.h>
#include <string.h>

enum { PART_MAX = 192, DIGITS_MAX = 9 };

/* The next part, ~0 and ~1 undone; false at its end. */
static bool next_part(const char **at, char *part, size_t size)
{
	size_t n = 0;
	const char *p = *at;

	if (*p != '/')
		return false;
	for (p++; *p && *p != '/' && n + 1 < size; p++) {
		if (*p == '~' && (p[1] == '0' || p[1] == '1'))
			part[n++] = *++p == '0' ? '~' : '/';
		else
			part[n++] = *p;
	}
	part[n] = '\0';
	*at = p;
	return true;
}

static bool index_of(const char *part, size_t n, size_t *ret)
{
	*ret = strtoul(part, NULL, 10);
	return *part && strspn(part, "0123456789") == strlen(part) && strlen(part) <= DIGITS_MAX &&
	       *ret < n;
}

bool pointer_set(json_t *root, const char *pointer, json_t *value)
{
	char part[PART_MAX];
	json_t *at = root;
	size_t i;

	if (!next_part(&pointer, part, sizeof(part)))
		return false;
	while (*pointer) {
		if (json_is_array(at))
			at = index_of(part, json_array_size(at), &i) ? json_array_get(at, i) : NULL;
		else
			at = json_object_get(at, part);
		if (!at || !next_part(&pointer, part, sizeof(part)))
			return false;
	}
	if (json_is_object(at))
		return json_object_set(at, part, value) == 0;
	if (!json_is_array(at))
		return false;
	if (strcmp(part, "-") == 0)
		return json_array_append(at, value) == 0;
	return index_of(part, json_array_size(at), &i) && json_array_set(at, i, value) == 0;
}

void pointer_last(const char *pointer, char *text, size_t n)
{
	const char *slash = strrchr(pointer, '/');

	text[0] = '\0';
	if (slash)
		(void)next_part(&slash, text, n);
}

const char *pointer_below(const char *path, const char *pointer)
{
	size_t n = strlen(pointer);

	return strncmp(path, pointer, n) == 0 && (!path[n] || path[n] == '/') ? path + n : NULL;
}
