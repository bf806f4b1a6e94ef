/* store.h - the data folder and its database: opened once, migrated, locked against a second
 * server.
 *
 * The queries stand in store_run.c, store_result.c, store_dataset.c; what they are made of in
 * store_db.h. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STORE_H
#define SERVER_STORE_H

#include <stdbool.h>

#include "core/base/err.h"

struct store;

/* Let SQLite take its memory from core/base/mem.h; before the first store is opened. False: too late. */
bool store_hook_memory(void);
/* Make DIR with its folders if need be, lock it, open DIR/stdpd.db and bring it to the newest
 * version. Errors: BUSY (another server has it), IO, CORRUPT, CONFLICT (made by a newer program).
 */
int store_open(struct store **ret, const char *dir, struct err *err) MUST_USE;
/* The same beside a server that may be running, for a short look or write; its database must be of
 * this version then. */
int store_open_beside(struct store **ret, const char *dir, struct err *err) MUST_USE;
/* No other thread may use it any more. NULL is fine. */
void store_close(struct store *s);
/* Absolute path of the data folder; runs/ and datasets/ stand in it. */
const char *store_dir(const struct store *s);
/* Can it be read? For /readyz. */
int store_check(struct store *s, struct err *err) MUST_USE;

#endif
