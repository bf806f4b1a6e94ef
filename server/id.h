/* id.h - random names nobody can guess. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_ID_H
#define SERVER_ID_H

#include <stdbool.h>

enum { ID_LEN = 32, ID_SIZE = ID_LEN + 1 };

/* 128 random bits as 32 hex digits. */
void id_new(char text[ID_SIZE]);
/* Whether text looks like an id; what does not is never used in a path or a query. */
bool id_valid(const char *text);

#endif
