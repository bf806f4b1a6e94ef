/* harvest.h - the end of a run: what its process left moves into the store, its folder goes, unless the
 * run goes on later. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_HARVEST_H
#define SERVER_HARVEST_H

#include <stdbool.h>

#include "core/base/err.h"
#include "server/id.h"

struct event;
struct store;

struct harvest_job {
	char id[ID_SIZE];
	int code;   /* exit of the process as error code */
	int signal; /* that killed it; 0: none */
	double wall_s;
	bool requeue; /* if it was interrupted: queue it again (the server is not stopping) */
	bool kept;    /* out: it goes on later, in the same folder */
	char detail[ERR_TEXT_MAX]; /* what the server knows about a failure; "" */
};

/* Stage the results, then in one transaction: results visible, counts and digest written, state
 * moved. What fails on the way makes the run fail and say why. If not even that can be stored (a full
 * disk), -code: the job then says why, and harvest() is to be called again with it. */
int harvest(struct store *s, struct event *e, struct harvest_job *job) MUST_USE;
/* Remove DATA/FOLDER/NAME with all in it; NULL: everything in DATA/FOLDER. */
void harvest_remove(struct store *s, const char *folder, const char *name);

#endif
