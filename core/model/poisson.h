/* poisson.h - Poisson processes of a column of neurons, each its own, whose rates change on the way.
 *
 * A low rate (below POISSON_INTERVALS spikes a step) is drawn by intervals: an exponential amount of
 * hazard (the integral of the rate) is left until the next spike, and every step takes rate * dt of
 * it. As hazard has no unit of time, a change of rate needs nothing mended and is exact. A higher
 * rate is drawn as a count per step. A neuron that comes from counts to intervals draws a fresh
 * interval, which is exact too, since the process has no memory. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_MODEL_POISSON_H
#define CORE_MODEL_POISSON_H

#include "core/model/neuron.h"

#define POISSON_INTERVALS 0.05

struct poisson {
	const double *lambda;	    /* [n] spikes a step */
	const double *first, *last; /* steps of activity; as coefficients of the context are */
	double *hazard;		    /* [n] left until the next spike, 0 if not drawn */
	double *draws;		    /* [n] intervals drawn so far */
};

/* Exponential interval number *draws of neuron i, mean 1; counts it. */
double poisson_interval(const struct neuron_ctx *c, double *draws, size_t i);
/* After the rate of neuron i was set. */
void poisson_mend(const struct neuron_ctx *c, const struct poisson *p, size_t i);
/* out[] becomes the spikes of this step. */
void poisson_step(const struct neuron_ctx *c, const struct poisson *p);

#endif
