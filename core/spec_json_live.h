/* spec_json_live.h - a spec whose schedule grows while it runs: entries come, are validated as those of
 * a spec's text are, and stand in it afterwards.
 *
 * Its duration is open. What has happened so far is itself a spec: that of a run which ends now. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_SPEC_JSON_LIVE_H
#define CORE_SPEC_JSON_LIVE_H

#include "core/spec_json.h"

struct spec_json_live;

/* What spec_json_live_change gives: the schedule from now on, valid until the next call. */
struct spec_json_live_changes {
	const struct spec_change *at; /* [n] */
	size_t n;
};

/* Read a spec's text into `arena` (errors as spec_json_read, pointers from "/"). Its schedule is
 * `schedule`, or its own where that is NULL. */
int spec_json_live_new(struct spec_json_live **ret, json_t *json, json_t *schedule,
		       const struct spec_datasets *datasets, struct mem_arena *arena,
		       struct err_list *errors) MUST_USE;
void spec_json_live_free(struct spec_json_live *l); /* NULL is fine */
const struct spec *spec_json_live_spec(const struct spec_json_live *l);
/* Add entries (an array; NULL: none) at step `now`; without at_ms they stand there, and none may stand
 * before. All of them or none: -ERR_INVALID with all errors, pointers into "/schedule", or -ERR_NOMEM.
 * *ret: all changes at now and later. */
int spec_json_live_change(struct spec_json_live *l, json_t *added, int64_t now,
			  struct spec_json_live_changes *ret, struct err_list *errors) MUST_USE;
/* The whole schedule, every entry with its at_ms: a new reference, NULL: out of memory. */
json_t *spec_json_live_schedule(const struct spec_json_live *l);
/* The spec of a run that ends at step `now` (above 0): a new reference, NULL: out of memory. */
json_t *spec_json_live_past(const struct spec_json_live *l, int64_t now);

#endif
