/* pattern.h - which pattern a pattern_generator shows when: a pure function of its key.
 *
 * Time is cut into windows of the pattern's length from 0 on. Each one alone would show a pattern
 * with probability q; it does if the windows before it that would too, in a row, are even in number:
 * so no two in a row show one, and a share of q / (1 + q) does. An experiment asks with the key of
 * the generator's population, spec_key(spec, RNG_SPIKES, name, ""). */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_PATTERN_H
#define CORE_MODEL_PATTERN_H

#include <math.h>
#include <stdbool.h>

#include "core/base/rng.h"

/* Draws of a pattern generator, each under a key of its own. */
enum pattern_draw {
	PATTERN_ONSET = 1,
	PATTERN_WHICH,
	PATTERN_START,	/* where a walk begins */
	PATTERN_WALK,	/* of the background */
	PATTERN_PLACE,	/* of a frozen spike in its bin */
	PATTERN_JITTER, /* of a spike in one window */
	PATTERN_NOISE,
	PATTERN_NOISE_PLACE,
	PATTERN_FROZEN /* walk of pattern 0; further patterns follow */
};

static inline struct rng_key pattern_key(struct rng_key key, unsigned what)
{
	return (struct rng_key){ { key.k[0], key.k[1] ^ 0x9e3779b9u * what } };
}

/* Steps of a bin, in which a neuron's walk emits one spike at most: a millisecond, or a step where
 * that is longer. */
static inline int64_t pattern_bin(double dt)
{
	double n = ceil(1 / dt - 1e-9);

	return n > 1 ? (int64_t)n : 1;
}

/* Bins of a window, and so of a pattern: its length, rounded. */
static inline int64_t pattern_bins(double pattern_ms, double dt)
{
	double n = floor(pattern_ms / ((double)pattern_bin(dt) * dt) + 0.5);

	return n > 1 ? (int64_t)n : 1;
}

/* Steps of a window; window w covers steps (w * steps, (w + 1) * steps]. */
static inline int64_t pattern_window(double pattern_ms, double dt)
{
	return pattern_bins(pattern_ms, dt) * pattern_bin(dt);
}

/* The pattern shown in window w (from 0), -1 for none; share in [0, 0.5]. */
static inline int pattern_shown(struct rng_key key, double share, unsigned n_patterns, int64_t w)
{
	struct rng_key onset = pattern_key(key, PATTERN_ONSET);
	double q = share / (1 - share);
	int64_t run = 0;

	if (q >= 1)
		run = w + 1;
	else
		while (run <= w && rng_uniform(onset, 0, (uint64_t)(w - run)) < q)
			run++;
	if (run % 2 == 0)
		return -1;
	return (int)rng_below(pattern_key(key, PATTERN_WHICH), 0, (uint64_t)w, n_patterns);
}

#endif
