/* measure.h - one network, built and run in a process of its own, so that its peak memory is its
 * own; what it computed, to be judged; and where the time went.
 *
 * The phases of a slice are timed from outside: the program is linked with --wrap for sim_integrate,
 * sim_deliver and sim_visit, so the engine needs no clock. Only one slice in eight is timed, in a
 * window of its own. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"

enum { WINDOWS_MAX = 9 };
enum phase { PHASE_INTEGRATE, PHASE_ROWS, PHASE_DEPOSIT, PHASE_REST, PHASE_N };

struct plan {
	const char *cells;	/* population whose spikes are counted */
	const char *projection; /* whose weights are looked at; NULL: none */
	const char *others;	/* a second population, rate only; NULL: none */
	double w_max;		/* unit of the weights' histogram, in their own unit; 0: none */
	double warm_ms, window_ms;
	int windows;
	unsigned threads;
	bool phases; /* one more window to time the phases in */
};

struct measured {
	bool failed;
	double build_s, build_cpu_s;
	unsigned threads;				/* that the network keeps busy */
	double wall_s[WINDOWS_MAX], cpu_s[WINDOWS_MAX]; /* ascending; cpu: all threads */
	double synapses, peak_bytes, empty_bytes;	/* empty: before the network was built */
	/* of all windows together, per second of biological time */
	double spikes, deliveries, updates, neuron_steps;
	double phase[PHASE_N]; /* share of a slice's wall time on the first thread */
	double phase_s;	       /* seconds per biological second, all phases together */
	/* of the first window */
	double rate_hz, other_rate_hz, cv, fano;
	/* after the first window, and after the last */
	double w_mean, w_sd, w_05, w_50, w_95;
	double last_rate_hz, all_rate_hz, end_mean, end_below, end_above; /* of w_max */
};

struct measured measure(const struct buf *spec, const struct plan *plan);
double measure_clock(void); /* seconds */

#endif
