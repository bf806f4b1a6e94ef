/* kit_calcium.h - the closed form of Graupner & Brunel (2012) for pairs of spikes.
 *
 * With pairs of period T, calcium is above the thresholds for the parts a_d and a_p of the time.
 * Without the cubic term rho is then an Ornstein-Uhlenbeck process,
 *
 *   mean       m(t) = r + (rho_0 - r) exp(-t / s)      r = G_p / (G_p + G_d), s = tau / (G_p + G_d)
 *   variance   v(t) = sigma^2 (a_p + a_d) / (2 (G_p + G_d)) (1 - exp(-2 t / s))
 *
 * with G = gamma a. A synapse that started down is up in the end with U = P(rho > rho_star | 0), one
 * that started up is down with D = P(rho < rho_star | 1). With a part beta of them down at first, and
 * one that is up b times as strong as one that is down, strength changes by the factor
 *
 *   ((1 - U) beta + D (1 - beta) + b (U beta + (1 - D) (1 - beta))) / (beta + (1 - beta) b).
 *
 * All from the parameters of the rule's sets and no line of the rule. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_KIT_CALCIUM_H
#define CORE_KIT_CALCIUM_H

#include <stddef.h>

enum { KIT_CALCIUM_SETS = 9 };

/* Sets by number, in the rule's order; then "all", and NULL. */
extern const char *const kit_calcium_sets[];
/* Number of a set by name; KIT_CALCIUM_SETS if there is none. */
size_t kit_calcium_set(const char *name);

/* Pairs of spikes at one dt, t_post - t_pre at the synapse. */
struct kit_calcium_pairs {
	size_t set, pairs;
	double rate_hz, dt_ms;
};

/* U and D: how many change sides. */
struct kit_calcium_flips {
	double up, down;
};

struct kit_calcium_flips kit_calcium_theory(const struct kit_calcium_pairs *p);
/* The efficacy that parts up from down. */
double kit_calcium_rho_star(size_t set);
/* The factor by which strength changes. */
double kit_calcium_change(size_t set, struct kit_calcium_flips f);
/* Its standard error over n synapses of either kind. */
double kit_calcium_change_error(size_t set, struct kit_calcium_flips f, double n);

/* Changes computed beforehand from the paper's formulas and its authors' parameters, by a program of its
 * own in another language: 60 pairs at 1 Hz by dt for four sets, then 75 pairs by frequency for one. */
enum { KIT_CALCIUM_REFERENCES = 52 };
/* Pairs and change of reference i. */
double kit_calcium_reference(size_t i, struct kit_calcium_pairs *ret);

/* Pairing by frequency is of this set, with so many pairs of this dt either way. */
#define KIT_CALCIUM_RATE_SET "cortical_slices"
enum { KIT_CALCIUM_RATE_PAIRS = 75, KIT_CALCIUM_RATES = 8 };
#define KIT_CALCIUM_RATE_DT_MS 10.0
extern const double kit_calcium_rates_hz[KIT_CALCIUM_RATES];

#endif
