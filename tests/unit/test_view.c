/* test_view - windows, bins, buckets and matrices over small arrays whose answers are known. */
/* SPDX-License-Identifier: MIT */
#include "server/view.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const int64_t step[] = { 1, 3, 3, 7, 10, 10, 12, 20 };
static const uint32_t neuron[] = { 0, 1, 2, 0, 1, 3, 0, 3 };

static struct view_spikes all(void)
{
	return (struct view_spikes){ step, neuron, 8, NULL, 4 };
}

Test(view, a_time_is_the_decimal_a_person_would_write)
{
	cr_assert_eq(view_time(3, 0.1), 0.3);
	cr_assert_eq(view_time(498, 0.1), 49.8);
	cr_assert_eq(view_time(7, 0.025), 0.175);
	cr_assert_eq(view_time(5, 0.3), 5 * 0.3);
	cr_assert_eq(view_time(9, 2.0), 18.0);
}

Test(view, every_step_is_found_again_by_its_time)
{
	static const double dts[] = { 0.1, 0.025, 0.05, 0.3, 1.0, 0.01 };

	for (size_t i = 0; i < sizeof(dts) / sizeof(dts[0]); i++)
		for (int64_t s = 0; s < 100000; s += 7)
			cr_assert_eq(view_step(view_time(s, dts[i]), dts[i]), s, "step %lld of %g",
				     (long long)s, dts[i]);
	cr_assert_eq(view_step(0.31, 0.1), 4);
	cr_assert_eq(view_step(HUGE_VAL, 0.1), INT64_MAX);
}

Test(view, lower_is_the_first_not_below)
{
	for (int64_t key = 0; key < 25; key++) {
		size_t expected = 0;

		while (expected < 8 && step[expected] < key)
			expected++;
		cr_assert_eq(view_lower(step, 8, key), expected);
	}
	cr_assert_eq(view_lower(NULL, 0, 5), 0);
}

Test(view, a_raster_counts_every_spike_once)
{
	struct view_spikes s = all();
	uint32_t counts[8], sum = 0;

	view_raster(&s, 0, 20, 2, 4, counts);
	for (int i = 0; i < 8; i++)
		sum += counts[i];
	cr_assert_eq(sum, 8);
	/* neurons 0, 1 in steps 0-4: 1, 3 */
	cr_assert_eq(counts[0], 2);
	/* the spike at the upper edge is in the last column */
	cr_assert_eq(counts[7], 1);
	view_raster(&s, 5, 11, 1, 1, counts);
	cr_assert_eq(counts[0], 3);
}

Test(view, a_place_map_leaves_others_out)
{
	uint32_t place[4] = { VIEW_NONE, VIEW_NONE, VIEW_NONE, 0 }, counts[2];
	struct view_spikes s = { step, neuron, 8, place, 1 };

	cr_assert_eq(view_count(&s), 2);
	view_raster(&s, 0, 20, 1, 2, counts);
	cr_assert_eq(counts[0] + counts[1], 2);
	cr_assert_eq(counts[1], 2);
}

Test(view, a_bin_holds_its_upper_edge_as_the_recorder_has_it)
{
	struct view_spikes s = all();
	int64_t counts[4];

	view_bins(&s, 0, 5, 4, counts);
	cr_assert_eq(counts[0], 3); /* 1 3 3 */
	cr_assert_eq(counts[1], 3); /* 7 10 10 */
	cr_assert_eq(counts[2], 1); /* 12 */
	cr_assert_eq(counts[3], 1); /* 20 */
	view_bins(&s, 10, 5, 2, counts);
	cr_assert_eq(counts[0], 1);
	cr_assert_eq(counts[1], 1);
}

Test(view, intervals_are_within_one_neuron)
{
	struct view_spikes s = all();
	struct view_moments m;
	int64_t last[4];
	double isi[8];
	size_t n = view_intervals(&s, 0.1, last, isi);

	cr_assert_eq(n, 4); /* 0: 6, 5 steps; 1: 7; 3: 10 */
	cr_assert_float_eq(isi[0], 0.6, 1e-12);
	m = view_moments(isi, n);
	cr_assert_float_eq(m.mean, 0.7, 1e-12);
	cr_assert_float_eq(m.cv, sqrt((0.01 + 0.04 + 0.0 + 0.09) / 4) / 0.7, 1e-12);
	cr_assert_eq(m.min, 0.5);
	cr_assert_eq(m.max, 1.0);
	cr_assert(isnan(view_moments(isi, 0).mean));
}

Test(view, a_histogram_keeps_both_edges_and_drops_nan)
{
	static const double x[] = { 0.0, 0.1, 0.5, 0.99, 1.0, 1.1, -0.1, (double)NAN };
	int64_t counts[2];
	double edges[3];

	view_edges(0.0, 1.0, 2, edges);
	cr_assert_eq(edges[1], 0.5);
	view_histogram(x, 8, 0.0, 1.0, 2, counts);
	cr_assert_eq(counts[0], 2);
	cr_assert_eq(counts[1], 3);
}

Test(view, thinning_keeps_the_extremes_and_their_times)
{
	double x[1000], out[10], at[10], min = 0.0, max = 0.0;
	size_t rows;

	for (int i = 0; i < 1000; i++)
		x[i] = sin(i * 0.02);
	x[417] = 5.0;
	x[611] = -7.0;
	rows = view_buckets(1000, 11, VIEW_MINMAX);
	cr_assert_eq(rows, 10);
	view_thin(x, 1000, 1, VIEW_MINMAX, rows, out, at);
	for (size_t i = 0; i < rows; i++) {
		cr_assert_eq(out[i], x[(size_t)at[i]]);
		cr_assert(i == 0 || at[i] >= at[i - 1]);
		min = out[i] < min ? out[i] : min;
		max = out[i] > max ? out[i] : max;
	}
	cr_assert_eq(min, -7.0);
	cr_assert_eq(max, 5.0);
	cr_assert_eq(view_buckets(5, 11, VIEW_MINMAX), 5);
}

Test(view, thinned_means_have_the_whole_mean)
{
	double x[60], out[12], at[6], sum = 0.0;

	for (int i = 0; i < 30; i++) {
		x[2 * i] = i;
		x[2 * i + 1] = -i;
	}
	view_thin(x, 30, 2, VIEW_MEAN, 6, out, at);
	for (int i = 0; i < 6; i++) {
		sum += out[2 * i];
		cr_assert_float_eq(out[2 * i], -out[2 * i + 1], 1e-12);
	}
	cr_assert_float_eq(sum / 6, 14.5, 1e-12);
	cr_assert_float_eq(at[0], 2.0, 1e-12);
}

Test(view, a_matrix_has_means_and_gaps)
{
	static const uint32_t source[] = { 0, 0, 1, 3 }, target[] = { 0, 0, 1, 1 };
	static const double weight[] = { 1.0, 3.0, 5.0, 7.0 };
	struct view_matrix full = { 4, 2, 4, 2 }, half = { 4, 2, 2, 1 };
	uint32_t counts[8];
	double out[8];

	view_matrix(&full, source, target, weight, 4, out, counts);
	cr_assert_eq(out[0], 2.0);
	cr_assert(isnan(out[1]));
	cr_assert_eq(out[3], 5.0);
	cr_assert(isnan(out[4]));
	cr_assert_eq(out[7], 7.0);
	view_matrix(&half, source, target, weight, 4, out, counts);
	cr_assert_eq(out[0], 3.0);
	cr_assert_eq(out[1], 7.0);
}

Test(view, updates_fall_into_lists_in_their_order)
{
	static const int64_t synapse[] = { 5, 2, 9, 5, 2, 5 }, which[] = { 2, 5, 7 };
	uint64_t offset[4], order[6];

	cr_assert_eq(view_series(synapse, 6, which, 3, offset, order), 5);
	cr_assert_eq(offset[0], 0);
	cr_assert_eq(offset[1], 2);
	cr_assert_eq(offset[2], 5);
	cr_assert_eq(offset[3], 5);
	cr_assert_eq(order[0], 1);
	cr_assert_eq(order[1], 4);
	cr_assert_eq(order[2], 0);
	cr_assert_eq(order[3], 3);
	cr_assert_eq(order[4], 5);
}

Test(view, an_index_finds_what_is_there)
{
	struct view_index index[] = { { 9, 0 }, { 2, 1 }, { 5, 2 } };

	view_index_sort(index, 3);
	cr_assert_eq(view_index_find(index, 3, 9), 0);
	cr_assert_eq(view_index_find(index, 3, 2), 1);
	cr_assert_eq(view_index_find(index, 3, 5), 2);
	cr_assert_eq(view_index_find(index, 3, 4), SIZE_MAX);
	cr_assert_eq(view_index_find(index, 0, 4), SIZE_MAX);
}

Test(view, a_pair_is_the_nearest_of_the_two_that_an_update_sees)
{
	static const int64_t post[] = { 100, 130, 200 };
	int64_t dt = 0;

	/* 130 is 10 after the update at 120 and 40 before that at 170 */
	cr_assert(view_pair(post, 3, 120, 170, &dt));
	cr_assert_eq(dt, 10);
	/* 130 is 29 after, but 1 before the next: it depresses */
	cr_assert(view_pair(post, 3, 101, 131, &dt));
	cr_assert_eq(dt, -1);
	/* none between: the last one before */
	cr_assert(view_pair(post, 3, 140, 150, &dt));
	cr_assert_eq(dt, -20);
	/* an arrival at the update itself has facilitated */
	cr_assert(view_pair(post, 1, 90, 100, &dt));
	cr_assert_eq(dt, 10);
	cr_assert_not(view_pair(post, 3, 10, 50, &dt));
}
