/* pointer.h - JSON Pointers (RFC 6901): write the value that one names. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_POINTER_H
#define SERVER_POINTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Set the value at a pointer (borrowed); the last part of an object may be new, "-" appends to a list. False:
 * there is no such place, or no memory. */
bool pointer_set(json_t *root, const char *pointer, json_t *value);
/* The last part of a pointer as text, ~0 and ~1 undone, cut to n - 1 bytes; "" of "". */
void pointer_last(const char *pointer, char *text, size_t n);
/* The rest of `path` behind `pointer` if it is that place or lies below it; NULL: it is elsewhere. */
const char *pointer_below(const char *path, const char *pointer);

#endif
