/* kit_trains.c - see kit_trains.h. */
/* SPDX-License-Identifier: MIT */
#include "core/kit_trains.h"

#include <math.h>

double kit_trains_rate(const struct kit_spikes *k, double from_ms, double to_ms, size_t neurons)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		n += k->ms[i] > from_ms && k->ms[i] <= to_ms;
	return 1000 * (double)n / ((to_ms - from_ms) * (double)neurons);
}

enum { COUNT_MS = 50, PAIRS = 200, SPIKES_MIN = 5 };

int kit_trains_correlation(const struct kit_spikes *k, double from_ms, double to_ms, size_t neurons,
			   struct mem_arena *arena, double *ret, struct err *err)
{
	size_t bins = (size_t)((to_ms - from_ms) / COUNT_MS), pairs = 0;
	size_t some = neurons < 2 * PAIRS ? neurons : 2 * PAIRS;
	double *count = NEW(arena, double, bins *some + 1), sum = 0;

	if (!count)
		return err_nomem(err);
	for (size_t i = 0; i < k->n; i++) {
		double at = (k->ms[i] - from_ms) / COUNT_MS;

		if (k->neuron[i] < some && at >= 0 && at < (double)bins)
			count[k->neuron[i] * bins + (size_t)at]++;
	}
	for (size_t i = 0; i + 1 < some; i += 2) {
		double r = kit_correlation(&count[i * bins], &count[(i + 1) * bins], bins);

		if (isnan(r))
			continue;
		sum += r;
		pairs++;
	}
	*ret = pairs ? sum / (double)pairs : 0;
	return 0;
}

/* Spikes sorted by neuron: counts, their sums, and each to its place. */
int kit_trains_cv(const struct kit_spikes *k, double from_ms, size_t neurons,
		  struct mem_arena *arena, double *ret, struct err *err)
{
	size_t *start = NEW(arena, size_t, neurons + 2), with = 0;
	double *ms = NEW(arena, double, k->n + 1), sum = 0;

	if (!start || !ms)
		return err_nomem(err);
	for (size_t i = 0; i < k->n; i++)
		start[k->neuron[i] + 2] += k->ms[i] > from_ms;
	for (size_t i = 2; i < neurons + 2; i++)
		start[i] += start[i - 1];
	for (size_t i = 0; i < k->n; i++)
		if (k->ms[i] > from_ms)
			ms[start[k->neuron[i] + 1]++] = k->ms[i];
	for (size_t i = 0; i < neurons; i++) {
		double cv = start[i + 1] - start[i] < SPIKES_MIN
				    ? (double)NAN
				    : kit_isi_cv(&ms[start[i]], start[i + 1] - start[i]);

		if (isnan(cv))
			continue;
		sum += cv;
		with++;
	}
	*ret = with ? sum / (double)with : (double)NAN;
	return 0;
}
