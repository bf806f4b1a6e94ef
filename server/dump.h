/* dump.h - JSON as compact text with the shortest numbers that read back to the same bits. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_DUMP_H
#define SERVER_DUMP_H

#include <jansson.h>

#include "core/base/buf.h"

/* Append json; keys in their own order. 0 or -code (out->failed too). NULL is `null`. */
int dump_json(struct buf *out, const json_t *json);

#endif
