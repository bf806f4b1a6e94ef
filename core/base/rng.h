/* rng.h - random numbers as a pure function of (key, id, counter): Philox4x32-10.
 *
 * No stream object, hence no order, thread or rank to depend on.
 * Salmon, Moraes, Dror, Shaw (2011), doi:10.1145/2063384.2063405 */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_BASE_RNG_H
#define CORE_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

enum rng_purpose {
	RNG_SPIKES, /* what a generator emits */
	RNG_WIRING, /* who is connected; id = target */
	RNG_WEIGHT, /* initial weights; id = synapse */
	RNG_DELAY,  /* delays; id = synapse */
	RNG_PARAM,  /* distributed parameters; id = neuron, one key per parameter name */
	RNG_STATE,  /* distributed initial states */
	RNG_NOISE,  /* noise currents, noisy rules */
	RNG_EXPERIMENT,
	RNG_N
};

struct rng_key {
	uint32_t k[2];
};

/* The key of one object: seed, purpose, and the object's name (kind and detail may be part of it). */
struct rng_key rng_key(uint64_t seed, enum rng_purpose purpose, const char *name);

/* 128 random bits. */
void rng_bits(struct rng_key key, uint64_t id, uint64_t counter, uint32_t ret_bits[4]);
/* 64 random bits (the first two words). */
uint64_t rng_u64(struct rng_key key, uint64_t id, uint64_t counter);
/* Uniform in the open interval (0, 1), 53 bits. */
double rng_uniform(struct rng_key key, uint64_t id, uint64_t counter);
/* Uniform integer in [0, n), n < 2^32, by multiplication (bias below 2^-32). */
uint64_t rng_below(struct rng_key key, uint64_t id, uint64_t counter, uint64_t n);
/* Standard normal, by the inverse distribution function (Wichura 1988, AS 241). */
double rng_normal(struct rng_key key, uint64_t id, uint64_t counter);
/* Unit-rate exponential. */
double rng_exponential(struct rng_key key, uint64_t id, uint64_t counter);
/* Poisson count with mean `lambda` in [0, 1e6], exact up to rounding of the distribution function;
 * one draw for lambda < 10, further counters are not used: larger means use the id's 2^32 sub-counters. */
double rng_poisson(struct rng_key key, uint64_t id, uint64_t counter, double lambda);

/* The same draws for the ids id0 + i, i < n, in a fraction of the time: ret[i] has the very bits of
 * rng_uniform(key, id0 + i, counter), or of rng_poisson() with mean lambda[i * stride]. */
void rng_uniform_column(struct rng_key key, uint64_t id0, uint64_t counter, size_t n, double *ret);
void rng_poisson_column(struct rng_key key, uint64_t id0, uint64_t counter, size_t n,
			const double *lambda, size_t stride, double *ret);

#endif
