/* view.c - windows, bins, buckets, histograms and matrices over arrays. */
/* SPDX-License-Identifier: MIT */
#include "server/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double view_time(int64_t step, double dt)
{
	double per_ms = floor(1.0 / dt + 0.5);

	/* One over a whole number: dividing rounds once, multiplying by a rounded dt twice. */
	if (per_ms >= 1.0 && fabs(per_ms * dt - 1.0) < 1e-12)
		return (double)step / per_ms;
	return (double)step * dt;
}

int64_t view_step(double t_ms, double dt)
{
	double s = ceil(t_ms / dt - 1e-6);

	if (!(s < 9e18))
		return INT64_MAX;
	return s > -9e18 ? (int64_t)s : INT64_MIN;
}

size_t view_lower(const int64_t *step, size_t n, int64_t key)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (step[mid] < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t place_of(const struct view_spikes *s, size_t i)
{
	return s->place ? s->place[s->neuron[i]] : s->neuron[i];
}

size_t view_count(const struct view_spikes *s)
{
	size_t n = 0;

	if (!s->place)
		return s->n;
	for (size_t i = 0; i < s->n; i++)
		n += place_of(s, i) != VIEW_NONE;
	return n;
}

void view_raster(const struct view_spikes *s, int64_t s0, int64_t s1, size_t rows, size_t cols,
		 uint32_t *counts)
{
	memset(counts, 0, rows * cols * sizeof(*counts));
	for (size_t i = 0; i < s->n; i++) {
		uint32_t place = place_of(s, i);
		size_t row, col;

		if (place == VIEW_NONE || s->step[i] < s0 || s->step[i] > s1)
			continue;
		row = (size_t)((uint64_t)place * rows / s->size);
		col = (size_t)((double)(s->step[i] - s0) / (double)(s1 - s0) * (double)cols);
		counts[row * cols + (col < cols ? col : cols - 1)]++;
	}
}

void view_bins(const struct view_spikes *s, int64_t s0, int64_t bin, size_t n_bins, int64_t *counts)
{
	memset(counts, 0, n_bins * sizeof(*counts));
	for (size_t i = 0; i < s->n; i++) {
		int64_t at = s->step[i] - s0 - 1;

		if (at >= 0 && (uint64_t)(at / bin) < n_bins && place_of(s, i) != VIEW_NONE)
			counts[at / bin]++;
	}
}

size_t view_intervals(const struct view_spikes *s, double dt, int64_t *last, double *isi)
{
	size_t n = 0;

	for (size_t i = 0; i < s->size; i++)
		last[i] = -1;
	for (size_t i = 0; i < s->n; i++) {
		uint32_t place = place_of(s, i);

		if (place == VIEW_NONE)
			continue;
		if (last[place] >= 0)
			isi[n++] = view_time(s->step[i] - last[place], dt);
		last[place] = s->step[i];
	}
	return n;
}

struct view_moments view_moments(const double *x, size_t n)
{
	struct view_moments m = { (double)NAN, (double)NAN, (double)NAN, (double)NAN };
	double sum = 0.0, squares = 0.0;

	if (!n)
		return m;
	m.min = m.max = x[0];
	for (size_t i = 0; i < n; i++) {
		sum += x[i];
		m.min = x[i] < m.min ? x[i] : m.min;
		m.max = x[i] > m.max ? x[i] : m.max;
	}
	m.mean = sum / (double)n;
	for (size_t i = 0; i < n; i++)
		squares += (x[i] - m.mean) * (x[i] - m.mean);
	m.cv = sqrt(squares / (double)n) / m.mean;
	return m;
}

void view_edges(double min, double max, size_t bins, double *edges)
{
	for (size_t i = 0; i <= bins; i++)
		edges[i] = i == bins ? max : min + (max - min) * (double)i / (double)bins;
}

void view_histogram(const double *x, size_t n, double min, double max, size_t bins, int64_t *counts)
{
	memset(counts, 0, bins * sizeof(*counts));
	for (size_t i = 0; i < n; i++) {
		size_t at;

		if (!(x[i] >= min && x[i] <= max))
			continue;
		at = (size_t)((x[i] - min) / (max - min) * (double)bins);
		counts[at < bins ? at : bins - 1]++;
	}
}

size_t view_buckets(size_t n, size_t max_points, enum view_method method)
{
	if (n <= max_points)
		return n;
	return method == VIEW_MINMAX ? max_points / 2 * 2 : max_points;
}

static void thin_mean(const double *x, size_t from, size_t to, size_t width, double *out,
		      double *at)
{
	for (size_t k = 0; k < width; k++) {
		double sum = 0.0;

		for (size_t i = from; i < to; i++)
			sum += x[i * width + k];
		out[k] = sum / (double)(to - from);
	}
	*at = 0.5 * (double)(from + to - 1);
}

/* Two rows: out[2][width], at[2]. */
static void thin_minmax(const double *x, size_t from, size_t to, size_t width, double *out,
			double *at)
{
	at[0] = (double)from;
	at[1] = (double)(to - 1);
	for (size_t k = 0; k < width; k++) {
		size_t lo = from, hi = from, first, second;

		for (size_t i = from; i < to; i++) {
			lo = x[i * width + k] < x[lo * width + k] ? i : lo;
			hi = x[i * width + k] > x[hi * width + k] ? i : hi;
		}
		first = lo < hi ? lo : hi;
		second = lo < hi ? hi : lo;
		out[k] = x[first * width + k];
		out[width + k] = x[second * width + k];
		if (width == 1 && first != second) {
			at[0] = (double)first;
			at[1] = (double)second;
		}
	}
}

void view_thin(const double *x, size_t n, size_t width, enum view_method method, size_t rows,
	       double *out, double *at)
{
	size_t step = method == VIEW_MINMAX ? 2 : 1, buckets = rows / step;

	for (size_t b = 0; b < buckets; b++) {
		size_t from = (size_t)((double)b / (double)buckets * (double)n);
		size_t to = b + 1 == buckets
				    ? n
				    : (size_t)((double)(b + 1) / (double)buckets * (double)n);
		double *o = out + b * step * width, *a = at + b * step;

		if (method == VIEW_MEAN)
			thin_mean(x, from, to, width, o, a);
		else
			thin_minmax(x, from, to, width, o, a);
	}
}

void view_matrix(const struct view_matrix *m, const uint32_t *source, const uint32_t *target,
		 const double *weight, size_t n, double *out, uint32_t *counts)
{
	memset(counts, 0, m->rows * m->cols * sizeof(*counts));
	memset(out, 0, m->rows * m->cols * sizeof(*out));
	for (size_t i = 0; i < n; i++) {
		size_t row = (size_t)((uint64_t)source[i] * m->rows / m->n_source);
		size_t col = (size_t)((uint64_t)target[i] * m->cols / m->n_target);

		out[row * m->cols + col] += weight[i];
		counts[row * m->cols + col]++;
	}
	for (size_t i = 0; i < m->rows * m->cols; i++)
		out[i] = counts[i] ? out[i] / (double)counts[i] : (double)NAN;
}

/* Position of a synapse in which[n], n if it is not there. */
static size_t find(const int64_t *which, size_t n, int64_t synapse)
{
	size_t at = view_lower(which, n, synapse);

	return at < n && which[at] == synapse ? at : n;
}

size_t view_series(const int64_t *synapse, size_t n, const int64_t *which, size_t n_which,
		   uint64_t *offset, uint64_t *order)
{
	memset(offset, 0, (n_which + 1) * sizeof(*offset));
	for (size_t i = 0; i < n; i++) {
		size_t at = find(which, n_which, synapse[i]);

		if (at < n_which)
			offset[at + 1]++;
	}
	for (size_t i = 0; i < n_which; i++)
		offset[i + 1] += offset[i];
	for (size_t i = 0; i < n; i++) {
		size_t at = find(which, n_which, synapse[i]);

		if (at < n_which)
			order[offset[at]++] = i;
	}
	/* Each offset stands at its list's end now, where the next one begins. */
	memmove(offset + 1, offset, n_which * sizeof(*offset));
	offset[0] = 0;
	return (size_t)offset[n_which];
}

bool view_pair(const int64_t *post, size_t n_post, int64_t before, int64_t now, int64_t *ret_dt)
{
	size_t after = view_lower(post, n_post, before + 1), last = view_lower(post, n_post, now);
	bool late = after < n_post && post[after] <= now;
	int64_t dt = late ? post[after] - before : 0;

	if (!late && last == 0)
		return false;
	if (!late || (last > 0 && now - post[last - 1] < dt))
		dt = post[last - 1] - now;
	*ret_dt = dt;
	return true;
}

static int by_key(const void *a, const void *b)
{
	const struct view_index *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

void view_index_sort(struct view_index *index, size_t n)
{
	qsort(index, n, sizeof(*index), by_key);
}

size_t view_index_find(const struct view_index *index, size_t n, int64_t key)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (index[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && index[lo].key == key ? index[lo].at : SIZE_MAX;
}
