/* ckpt.h - a run's checkpoint: one file from which the same run goes on, with any number of threads,
 * to the same bits.
 *
 * File: header of 8 words of 64 bits (little-endian): magic, version, hash of the spec's canonical
 * text, hash of the engine's version, seed, bytes of the body, hash of the body, hash of the seven
 * words before. Body: what engine, simulation and recorders pack (base/pack.h), behind a text of the
 * engine's that can be read before the rest is loaded.
 * Written beside its name, synced, renamed: the file is a whole checkpoint or is not there, and
 * whoever is killed at any moment finds the last whole one. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_CKPT_H
#define CORE_CKPT_H

#include <stdint.h>

#include "core/base/err.h"

struct rec;
struct sim;

/* What a checkpoint belongs to: without all of it equal it is refused. */
struct ckpt_key {
	uint64_t spec; /* hash of the canonical text */
	uint64_t seed;
	const char *engine; /* version */
};

/* What goes along beside the simulation. */
struct ckpt_state {
	struct sim *sim;
	struct rec *rec;
	double wall_s;	  /* taken so far */
	const char *text; /* saving: NULL is "" */
};

struct ckpt; /* an open one, verified */

/* Write it; an older one is replaced at the end, and stays after a failure. The columns must be
 * synced. Errors: NOMEM, IO, NOSPACE. */
int ckpt_write(int dir_fd, const struct ckpt_key *key, const struct ckpt_state *s,
	       struct err *err) MUST_USE;
/* Open and verify: nothing is loaded before the whole file has been checked. Errors: NOTFOUND;
 * CORRUPT (damaged); CONFLICT (of another version, spec or seed); NOMEM, IO. */
int ckpt_open(struct ckpt **ret, int dir_fd, const struct ckpt_key *key, struct err *err) MUST_USE;
/* Load into a simulation and recorders just made, instead of sim_start. After a failure they can only
 * be freed. Errors: CORRUPT, NOMEM, IO. */
int ckpt_load(struct ckpt *c, struct ckpt_state *s, struct err *err) MUST_USE;
const char *ckpt_text(const struct ckpt *c); /* until it is closed */
void ckpt_close(struct ckpt *c);	     /* NULL is fine */
/* Remove it, and what is left of an attempt. */
void ckpt_remove(int dir_fd);

#endif
