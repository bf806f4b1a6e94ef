/* rec.h - recorders: one observer of sim that writes what a spec asks for as columns (rundir.h).
 *
 * Everything here reads; nothing it does changes what is computed. A recorder that samples asks for
 * its next step, so that a slice ends there; spikes, rates and updates are taken as slices come.
 *
 * Times: states are sampled at every, 2 every, ...; weights and histograms at 0, every, ... and at
 * the end. Bin i of a rate holds the spikes of (i bin, (i + 1) bin]; the last may be cut by the end.
 * A histogram counts w in [edge i, edge i + 1), the last bin its upper edge too; what lies outside
 * its range is in no bin. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_REC_H
#define CORE_REC_H

#include "core/base/npy.h"
#include "core/sim.h"

struct rec;
struct column;
struct pack; /* core/base/pack.h */

enum rec_kind {
	REC_SPIKES,
	REC_STATES,
	REC_WEIGHTS,
	REC_FINAL_WEIGHTS,
	REC_UPDATES,
	REC_HISTOGRAM,
	REC_RATES,
	REC_TABLE,
	REC_KIND_N
};

struct rec_column {
	const char *name, *file;
	const char *unit; /* tables only */
	enum npy_type type;
	uint64_t width;	     /* values a row */
	uint64_t rows;	     /* written so far */
	struct column *open; /* NULL when closed */
	bool damaged;	     /* a write failed: the file has less than was added */
};

/* One recording, as result.json describes it. Fields that its kind does not have are 0. */
struct rec_entry {
	const struct rec_entry *next;
	enum rec_kind kind;
	const char *subject, *name;
	struct rec_column *columns; /* [n_columns] */
	size_t n_columns;
	bool ready;		 /* all its columns are open, or were */
	enum unit unit;		 /* states */
	size_t size;		 /* spikes, rates: of the population */
	int64_t every;		 /* steps; rates: the bin */
	const uint32_t *neurons; /* [n_neurons] states */
	size_t n_neurons;
	const uint64_t *synapses; /* [n_synapses] weights, updates; NULL: all */
	uint64_t n_synapses;
	const uint32_t *source, *target; /* [n_synapses] updates */
	const double *edges;		 /* [bins + 1] histogram; NULL before its first sample */
	size_t bins;
};

/* A recorder of nothing, in the arena; columns will be made in dir_fd. NULL: no memory. */
struct rec *rec_new(int dir_fd, struct mem_arena *arena);
/* Make the recordings of sim's spec and observe sim; once, before sim_start. */
int rec_attach(struct rec *r, struct sim *s, struct err *err) MUST_USE;
/* Before rec_attach: columns that an earlier process left are to be gone on from, by rec_pack. */
void rec_keep(struct rec *r);
/* Before rec_attach: names of columns begin with this (15 bytes at most), so that those of before stay;
 * and what rec_pack loads begins with rows of `from_fd`, whose columns' names begin with `of`. */
void rec_prefix(struct rec *r, const char *prefix);
void rec_take(struct rec *r, int from_fd, const char *of);
/* Have what was added so far in the files, to be read by others. */
int rec_flush(struct rec *r, struct err *err) MUST_USE;
/* All columns go on as copies in another directory: what a forked process does. */
int rec_move(struct rec *r, int dir_fd, struct err *err) MUST_USE;
/* Give the columns' files a second name in another directory. Errors: IO, NOSPACE. */
int rec_link(const struct rec *r, int dir_fd, struct err *err) MUST_USE;
/* Remove the files of a recorder that is closed. */
void rec_remove(const struct rec *r);
enum { REC_WEIGHTS_COLUMNS = 4 };
/* In a recorder of its own, not attached: the weights of now of one projection. */
int rec_weights_now(struct rec *r, const struct sim *s, size_t projection,
		    struct err *err) MUST_USE;
/* Have what was added so far on the disk. */
int rec_sync(struct rec *r, struct err *err) MUST_USE;
/* What the recorders have taken in, for a checkpoint; loading cuts the columns to what they were
 * then. sim stands between slices. */
int rec_pack(struct rec *r, struct pack *p);
/* Write what is due at the end: last snapshots, the last bin, final weights. sim stands between slices. */
int rec_finish(struct rec *r, const struct sim *s, struct err *err) MUST_USE;
/* Write a table at once: n_columns columns of n_rows doubles. Names and units are copied. */
int rec_table(struct rec *r, const char *name, size_t n_columns, const char *const *names,
	      const char *const *units, const double *const *columns, size_t n_rows,
	      struct err *err) MUST_USE;
/* Close all columns, also after a failure; the first error is kept. Twice is fine. */
int rec_close(struct rec *r, struct err *err);

const struct rec_entry *rec_entries(const struct rec *r); /* in order; NULL: none */
const char *rec_kind_name(enum rec_kind kind);		  /* "weight_updates" */
/* Spikes of a population so far, recorded or not. */
uint64_t rec_spikes(const struct rec *r, size_t population);
/* Mean and standard deviation of a plastic projection's weights at rec_finish(); false: has none. */
bool rec_weight_moments(const struct rec *r, size_t projection, double *ret_mean, double *ret_sd);

#endif
