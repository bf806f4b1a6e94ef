/* view.h - what is asked of recordings, as pure functions over arrays: windows, bins, buckets,
 * histograms, matrices.
 *
 * Nothing here allocates or fails: the caller gives the room. Spike columns are in order of step.
 */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_VIEW_H
#define SERVER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A neuron that is not asked for, in a `place` map. */
#define VIEW_NONE UINT32_MAX

/* A step in ms: the double next to the decimal a person would write (0.3, not 0.30000000000000004).
 */
double view_time(int64_t step, double dt);
/* The first step at or after t_ms; within a millionth of a step counts as on it. */
int64_t view_step(double t_ms, double dt);
/* First i with step[i] >= key. */
size_t view_lower(const int64_t *step, size_t n, int64_t key);

/* Spikes [n]; place[neuron] is the neuron's position among those asked for (NULL: all, as they
 * are). */
struct view_spikes {
	const int64_t *step;
	const uint32_t *neuron;
	size_t n;
	const uint32_t *place;
	size_t size; /* neurons asked for */
};

/* How many of them are asked for. */
size_t view_count(const struct view_spikes *s);
/* counts[rows * cols] (zeroed here): rows over positions, columns over steps from s0 to s1; the
 * last column has its upper edge too. rows <= size. */
void view_raster(const struct view_spikes *s, int64_t s0, int64_t s1, size_t rows, size_t cols,
		 uint32_t *counts);
/* counts[n_bins] (zeroed here): bin i holds steps (s0 + i * bin, s0 + (i + 1) * bin], as the
 * recorder of rates has them. */
void view_bins(const struct view_spikes *s, int64_t s0, int64_t bin, size_t n_bins,
	       int64_t *counts);
/* Intervals between spikes of the same neuron, in ms, into isi[at most n]; last[size] is scratch.
 * Returns their number. */
size_t view_intervals(const struct view_spikes *s, double dt, int64_t *last, double *isi);

struct view_moments {
	double mean, cv, min, max; /* NaN if there are none; cv by the standard deviation over n */
};
struct view_moments view_moments(const double *x, size_t n);

/* edges[bins + 1], equal, from min to max. */
void view_edges(double min, double max, size_t bins, double *edges);
/* counts[bins] (zeroed here); the last bin has its upper edge too; what lies outside, and NaN, is
 * not counted. */
void view_histogram(const double *x, size_t n, double min, double max, size_t bins,
		    int64_t *counts);

/* Rows of samples [n][width] thinned out. out and at have room for view_buckets(...) rows. */
enum view_method { VIEW_MINMAX, VIEW_MEAN };
/* Rows that come out for at most max_points (>= 2 for VIEW_MINMAX). n if nothing needs thinning. */
size_t view_buckets(size_t n, size_t max_points, enum view_method method);
/* `rows` as view_buckets says, < n. at: sample numbers, which may lie between two. VIEW_MINMAX: two
 * rows a bucket, minimum and maximum in the order they came; their places are true for width 1,
 * else the bucket's first and last sample. */
void view_thin(const double *x, size_t n, size_t width, enum view_method method, size_t rows,
	       double *out, double *at);

/* Mean weight per cell of rows x cols; NaN where no synapse is. Both work arrays have rows * cols
 * items. */
struct view_matrix {
	size_t n_source, n_target, rows, cols;
};
void view_matrix(const struct view_matrix *m, const uint32_t *source, const uint32_t *target,
		 const double *weight, size_t n, double *out, uint32_t *counts);

/* Updates of synapses, sorted into lists. which[n_which]; offset[n_which + 1]; order[n] out: update
 * numbers, list by list (those of synapses not asked for are left out). Returns offset[n_which].
 * which must ascend. */
size_t view_series(const int64_t *synapse, size_t n, const int64_t *which, size_t n_which,
		   uint64_t *offset, uint64_t *order);

/* Where keys stand: sort once, find by halves. */
struct view_index {
	int64_t key;
	size_t at;
};
void view_index_sort(struct view_index *index, size_t n);
/* The `at` of a key; SIZE_MAX if it is not there. */
size_t view_index_find(const struct view_index *index, size_t n, int64_t key);

/* dt (steps) of the pair next to an update: the first post arrival after the update before, paired
 * with that one's pre spike, or the last post arrival before this one, paired with this one's.
 * False: there was none. */
bool view_pair(const int64_t *post, size_t n_post, int64_t before, int64_t now, int64_t *ret_dt);

#endif
