/* err - error codes, records and lists of records. */
/* SPDX-License-Identifier: MIT */
#include "core/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"

static const struct {
	const char *name, *title;
} codes[] = {
#define X(code, name, title) { name, title },
	ERR_CODES(X)
#undef X
};

static void fill(struct err *err, enum err_code code, const char *path, const char *fmt, va_list ap)
	PRINTF(4, 0);

static void fill(struct err *err, enum err_code code, const char *path, const char *fmt, va_list ap)
{
	*err = (struct err){ .code = (int)code };
	(void)snprintf(err->path, sizeof(err->path), "%s", path ? path : "");
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
}

int err_set(struct err *err, enum err_code code, const char *path, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		fill(err, code, path, fmt, ap);
		va_end(ap);
	}
	return -(int)code;
}

int err_nomem(struct err *err)
{
	return err_set(err, ERR_NOMEM, NULL, "out of memory");
}

const char *err_name(int code)
{
	return codes[code >= 0 && code < ERR_N ? code : ERR_INTERNAL].name;
}

const char *err_title(int code)
{
	return codes[code >= 0 && code < ERR_N ? code : ERR_INTERNAL].title;
}

/* Room for one more, or false: the list is full or there is no memory. */
static bool grow(struct err_list *list)
{
	size_t cap = list->cap ? 2 * list->cap : 8;
	struct err *items;

	if (list->n == ERR_LIST_MAX)
		return false;
	if (list->n < list->cap)
		return true;
	items = mem_resize(list->items, cap, sizeof(*items));
	if (!items)
		return false;
	list->items = items;
	list->cap = cap;
	return true;
}

int err_list_add(struct err_list *list, enum err_code code, const char *path, const char *fmt, ...)
{
	struct err e;
	va_list ap;

	va_start(ap, fmt);
	fill(&e, code, path, fmt, ap);
	va_end(ap);
	if (err_list_count(list) == 0)
		list->first = e;
	if (grow(list))
		list->items[list->n++] = e;
	else
		list->dropped++;
	return -(int)code;
}

size_t err_list_count(const struct err_list *list)
{
	return list->n + list->dropped;
}

void err_list_release(struct err_list *list)
{
	mem_free(list->items);
	*list = (struct err_list){ .items = NULL };
}
