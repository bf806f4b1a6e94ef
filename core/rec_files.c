/* rec_files.c - the files of a recorder: kept, numbered, flushed, moved, linked. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/rec_part.h"

void rec_keep(struct rec *r)
{
	r->keep = true;
}

void rec_prefix(struct rec *r, const char *prefix)
{
	(void)snprintf(r->prefix, sizeof(r->prefix), "%s", prefix);
}

void rec_take(struct rec *r, int from_fd, const char *of)
{
	r->taking = true;
	r->from_fd = from_fd;
	(void)snprintf(r->from_prefix, sizeof(r->from_prefix), "%s", of);
}

/* Do one thing to all columns, until it fails. */
static int each(struct rec *r, int (*what)(struct column *c, struct err *err), struct err *err)
{
	int rc = 0;

	for (struct rec_part *p = r->head; p && !rc; p = rec_part_after(p)) {
		for (size_t i = 0; i < p->entry.n_columns && !rc; i++) {
			struct rec_column *c = &p->entry.columns[i];

			rc = what(c->open, err);
			c->damaged = c->damaged || rc;
		}
	}
	return rc;
}

int rec_sync(struct rec *r, struct err *err)
{
	return each(r, column_sync, err);
}

int rec_flush(struct rec *r, struct err *err)
{
	return each(r, column_flush, err);
}

int rec_move(struct rec *r, int dir_fd, struct err *err)
{
	int rc = 0;

	for (struct rec_part *p = r->head; p && !rc; p = rec_part_after(p)) {
		for (size_t i = 0; i < p->entry.n_columns && !rc; i++)
			rc = column_move(p->entry.columns[i].open, dir_fd, err);
	}
	r->dir_fd = dir_fd;
	return rc;
}

int rec_link(const struct rec *r, int dir_fd, struct err *err)
{
	for (const struct rec_part *p = r->head; p; p = rec_part_after(p)) {
		for (size_t i = 0; i < p->entry.n_columns; i++) {
			const char *file = p->entry.columns[i].file;

			if (linkat(r->dir_fd, file, dir_fd, file, 0) < 0)
				return err_set(err, errno == ENOSPC ? ERR_NOSPACE : ERR_IO, "",
					       "cannot link %s: %s", file, strerror(errno));
		}
	}
	return 0;
}

void rec_remove(const struct rec *r)
{
	for (const struct rec_part *p = r->head; p; p = rec_part_after(p)) {
		for (size_t i = 0; i < p->entry.n_columns; i++)
			(void)unlinkat(r->dir_fd, p->entry.columns[i].file, 0);
	}
}
