/* networks.h - the networks that the benchmark measures, as specs. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_NETWORKS_H
#define TESTS_BENCH_NETWORKS_H

#include "core/base/buf.h"

/* The rule of the balanced network's E->E synapses. */
enum balanced_rule { RULE_STATIC, RULE_MULTIPLICATIVE, RULE_POWER, RULE_TRIPLET, RULE_N };

/* B1: `scale` 1 is 9000 E and 2250 I cells and 12,656,250 synapses. Smaller: fewer cells and
 * in-degrees, weights so much stronger and external spikes so much rarer that the mean input
 * stays; scale^2 times the synapses. Populations e, i; E->E is the projection "ee". */
void network_balanced(struct buf *b, double scale, enum balanced_rule rule);

/* B2: 3200 E and 800 I conductance cells that keep themselves active. Populations e, i. */
void network_conductance(struct buf *b);

/* B3: 1000 Poisson inputs on `cells` cells, additive STDP. Population "cell", projection "in". */
void network_competition(struct buf *b, int cells);

/* A small run as somebody at a page starts it: 80 E and 20 I cells, 1 s, plastic E->E, recorded. */
void network_small(struct buf *b);

#endif
