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
	int tries;		   /* so far, kept by harvest() */
};

/* Stage the results, then in one transaction: results visible, counts and digest written, state
 * moved. What may pass (no memory, a busy or faulty disk) is -code, and harvest() is to be called again with
 * the same job; after some tries, or where it cannot pass (a full disk), the run fails and says why. If not
 * even that can be stored, -code again: the job then says why. */
int harvest(struct store *s, struct event *e, struct harvest_job *job) MUST_USE;
/* Remove DATA/FOLDER/NAME with all in it; NULL: everything in DATA/FOLDER. */
void harvest_remove(struct store *s, const char *folder, const char *name);

#endif
