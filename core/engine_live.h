/* engine_live.h - a simulation kept warm in its directory: advanced by any steps, changed between them,
 * saved, taken back, gone on with in another directory by a forked process.
 *
 * Its duration is open. What came by engine_live_change stands in its schedule, so its past is a plain run
 * of the spec that engine_live_save leaves: same columns, same digest, however it was sliced.
 *
 * Files beside those of rundir.h: checkpoints/NAME/ (a checkpoint and hard links of the columns as they
 * grew until then; in itself a directory to go on in, but for spec.json), live.json (result.json's form,
 * of now). The checkpoint holds the schedule; spec.json is never changed. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_ENGINE_LIVE_H
#define CORE_ENGINE_LIVE_H

#include "core/engine.h"

struct engine_live;

enum { ENGINE_LIVE_NAME_MAX = 64 }; /* bytes of a checkpoint's name: letters, digits, _ and - */

/* Calls `attach` for every simulation that is made, before its first step; may be NULL. */
struct engine_live_hook {
	void *self;
	void (*attach)(void *self, struct sim *s);
};

/* Build what dir_fd/spec.json says and stand at 0 ms, or where dir_fd/checkpoint (of a session or of a plain
 * run) left it. `control` and `hook` are borrowed for as long as it lives; `errors` gets all of a spec's. */
int engine_live_open(struct engine_live **ret, int dir_fd, const struct engine_control *control,
		     const struct engine_live_hook *hook, struct err_list *errors,
		     struct err *err) MUST_USE;
/* Free it; files stay as they are. NULL is fine. */
void engine_live_close(struct engine_live *l);

struct sim *engine_live_sim(struct engine_live *l);
/* How often it was restored. */
unsigned engine_live_generation(const struct engine_live *l);
/* NULL, or why it can go on no more (but be read, saved and restored). */
const struct err *engine_live_failure(const struct engine_live *l);
/* Go on to step `to`. Errors: as sim_advance, and then it has failed; STATE: it had. */
int engine_live_advance(struct engine_live *l, int64_t to, struct err *err) MUST_USE;
/* Add entries to the schedule (spec_json_live_change): all or none. */
int engine_live_change(struct engine_live *l, json_t *added, struct err_list *errors,
		       struct err *err) MUST_USE;

/* Have all that was recorded in the files, so that a forked process writes none of it again. */
int engine_live_flush(struct engine_live *l, struct err *err) MUST_USE;
/* Save it: name NULL to dir/checkpoint, replacing the last; else to checkpoints/NAME, which must not be
 * there (CONFLICT). It goes on as before. Errors: STATE (it has failed), RANGE (name), IO, NOSPACE, NOMEM. */
int engine_live_checkpoint(struct engine_live *l, const char *name, uint64_t *ret_bytes,
			   struct err *err) MUST_USE;
/* Go back, or forward, to what was saved there; *l is another one then. On failure all is as it was.
 * Both are in memory for a moment. Errors: NOTFOUND, CORRUPT, CONFLICT (of another spec), IO, ... */
int engine_live_restore(struct engine_live **l, const char *name, struct err *err) MUST_USE;

/* Have all that was recorded in the files, the weights of now of `n` projections too, and live.json say
 * where. */
int engine_live_look(struct engine_live *l, const size_t *projections, size_t n,
		     struct err *err) MUST_USE;

/* Prepare an empty directory for a forked process: spec.json, data. */
int engine_live_furnish(const struct engine_live *l, int dir_fd, struct err *err) MUST_USE;
/* In that process: go on there. dir_fd is borrowed. */
int engine_live_move(struct engine_live *l, int dir_fd, struct err *err) MUST_USE;
/* End it as a run ends: last samples, result.json, and in spec.json its past. Only close is left.
 * STATE: no time has passed. */
int engine_live_save(struct engine_live *l, struct err *err) MUST_USE;

#endif
