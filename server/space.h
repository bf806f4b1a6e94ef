/* space.h - how full the data folder is, and whether something new may begin. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_SPACE_H
#define SERVER_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/store.h"

struct space {
	int64_t used; /* bytes of the data folder, free pages of the database not counted */
	int64_t free; /* bytes of its file system that are left to this user */
};

/* What was measured last; at most about a second ago. Any thread. */
int space_look(struct store *s, struct space *ret, struct err *err) MUST_USE;
/* NOSPACE when `max` bytes (0: no limit) are used or fewer than `floor` are free. */
int space_check(struct store *s, int64_t max, int64_t floor, struct err *err) MUST_USE;
/* Give back what was deleted. */
void space_tidy(struct store *s, bool *ret_more);

#endif
