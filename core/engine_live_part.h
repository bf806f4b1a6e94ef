/* engine_live_part.h - what a live simulation is; for its own files only. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_ENGINE_LIVE_PART_H
#define CORE_ENGINE_LIVE_PART_H

#include "core/engine_live.h"
#include "core/engine_run.h"
#include "core/spec_json_live.h"

enum { ENGINE_LIVE_GENERATIONS = 1000000000 };

struct engine_live {
	struct experiment_ctx c; /* its network, recorders, result */
	const struct engine_live_hook *hook;
	json_t *json; /* spec.json */
	struct spec_json_live *spec;
	unsigned
		generation; /* how often it was restored: columns of each have names of their own */
	unsigned looks;	    /* files of the weights of now are numbered too */
	struct err failure; /* code 0: none */
};

/* Where a simulation begins: nowhere (0 ms), from a checkpoint in its own directory, or from one elsewhere
 * with columns of a new generation. */
struct engine_live_source {
	int dir_fd;	     /* of the checkpoint */
	bool must;	     /* there is one, else NOTFOUND */
	unsigned generation; /* of a restored one; 0: go on with the columns as they are */
};

/* engine_live.c: STATE if it has failed. */
int engine_live_failed(const struct engine_live *l, struct err *err) MUST_USE;
int engine_live_make(struct engine_live **ret, int dir_fd, const struct engine_control *control,
		     const struct engine_live_hook *hook, const struct engine_live_source *from,
		     struct err_list *errors, struct err *err) MUST_USE;

#endif
