/* rec_part.h - one recorder as rec.c drives it; for the files of rec only. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_REC_PART_H
#define CORE_REC_PART_H

#include "core/base/column.h"
#include "core/rec.h"

struct rec_part {
	struct rec_entry entry; /* first: an entry is a part */
	size_t wanted;		/* columns it will have */
	size_t subject;		/* index of the population or projection */
	int64_t every;		/* sampled at multiples of it, steps; 0: asks for no step */
	int64_t last;		/* step of the last sample, -1 before the first */
	/* Look at one slice; NULL: nothing to see. */
	int (*slice)(struct rec *r, struct rec_part *p, const struct sim_view *v, struct err *err);
	int (*finish)(struct rec *r, struct rec_part *p, const struct sim *s, struct err *err);

	int variable;		/* states: index into model->states */
	double *row;		/* [width] one sample of a state, of chosen weights */
	int64_t *counts;	/* [bins] of a histogram */
	int64_t bin, count;	/* rates: the open bin and what is in it */
	double *edges;		/* [bins + 1] histogram */
	double min, max;	/* histogram: as asked */
	const uint64_t *sorted; /* [n_synapses] updates: filter; NULL: all that come */
};

struct rec {
	int dir_fd;
	bool keep;	 /* columns go on from an earlier process */
	char prefix[16]; /* of the names of columns */
	bool taking;	 /* columns begin with the rows of others */
	int from_fd;
	char from_prefix[16];
	struct mem_arena *arena;
	struct rec_part *head, *tail;
	size_t n;
	const struct spec *spec;
	uint64_t *spikes;  /* [n_populations] of all neurons */
	uint64_t recorded; /* rows of all spike recordings */
	double *weights;   /* scratch: the weights of one projection */
	double *mean, *sd; /* [n_projections] at the end; NAN: none */
};

/* Append a recording; its columns are added by rec_part_column. NULL: no memory. */
struct rec_part *rec_part_new(struct rec *r, enum rec_kind kind, const char *subject,
			      const char *name, size_t n_columns);
/* Open column i of a recording. */
int rec_part_column(struct rec *r, struct rec_part *p, size_t i, const char *name,
		    enum npy_type type, uint64_t width, struct err *err) MUST_USE;
/* Name of the file of column i of recording number `part`: ret[REC_PART_NAME]. */
enum { REC_PART_NAME = 64 };
void rec_part_name(char *ret, const char *prefix, size_t part, size_t i);
/* Append rows to column i. */
int rec_part_add(struct rec_part *p, size_t i, const void *values, uint64_t rows,
		 struct err *err) MUST_USE;

/* The recording after p; NULL: p is the last. */
struct rec_part *rec_part_after(const struct rec_part *p);

/* rec_weights.c: recordings of weights. */
int rec_weights_attach(struct rec *r, struct sim *s, struct err *err) MUST_USE;
int rec_weights_edges(struct rec *r, struct rec_part *p, struct err *err) MUST_USE;
int rec_weights_finish(struct rec *r, const struct sim *s, struct err *err) MUST_USE;

#endif
