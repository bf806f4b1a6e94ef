/* kit_dopamine.c - see kit_dopamine.h. */
/* SPDX-License-Identifier: MIT */
#include "core/kit_dopamine.h"

#include <math.h>

/* Of the paper's update every 10 ms, DA + 0.002 becomes a rate per ms. */
#define PER_MS	 0.1
#define TAU_N_MS 200.0
#define TONIC	 0.002

static json_t *cells(double a, double d)
{
	return json_pack("{s:f, s:f, s:b}", "a", a, "d", d, "consistent_integration", 0);
}

json_t *kit_dopamine_synapse(const struct kit_dopamine *d, double weight)
{
	return json_pack("{s:s, s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f}}", "model", "stdp_dopamine",
			 "weight", weight, "delay_ms", 1.0, "params", "A_plus", 0.1, "A_minus",
			 -0.15, "tau_n", TAU_N_MS, "b", -TONIC * PER_MS, "w_max", d->w_max);
}

double kit_dopamine_amount(double da)
{
	return da * PER_MS * TAU_N_MS;
}

static json_t *steady(double weight)
{
	return json_pack("{s:s, s:f, s:f}", "model", "static", "weight", weight, "delay_ms", 1.0);
}

static json_t *outdegree(size_t n)
{
	return json_pack("{s:s, s:I, s:b}", "rule", "fixed_outdegree", "outdegree", (json_int_t)n,
			 "autapses", 0);
}

/* The noise: a generator of its own for each neuron. */
static void add_noise(struct kit_spec *k, const struct kit_dopamine *d, const char *name,
		      const char *target, size_t n)
{
	kit_population(
		k, name, "noise_generator", n,
		json_pack("{s:f, s:s}", "std", d->noise / sqrt(12.0), "distribution", "uniform"));
	kit_projection(k, name, name, target, kit_rule("one_to_one"), steady(1));
}

size_t kit_dopamine_excitatory(const struct kit_dopamine *d)
{
	return d->neurons - d->neurons / 5;
}

void kit_dopamine_build(struct kit_spec *k, const struct kit_dopamine *d, uint64_t seed)
{
	size_t exc = kit_dopamine_excitatory(d), inh = d->neurons - exc;
	size_t to_inh = d->outdegree * inh / d->neurons;

	kit_begin(k, 1, d->seconds * 1000, seed);
	kit_population(k, "exc", "izhikevich", exc, cells(0.02, 8));
	kit_population(k, "inh", "izhikevich", inh, cells(0.1, 2));
	kit_projection(k, "exc_exc", "exc", "exc", outdegree(d->outdegree - to_inh),
		       kit_dopamine_synapse(d, KIT_DOPAMINE_W_0));
	kit_projection(k, "exc_inh", "exc", "inh", outdegree(to_inh),
		       kit_dopamine_synapse(d, KIT_DOPAMINE_W_0));
	kit_projection(k, "inh_exc", "inh", "exc", outdegree(d->outdegree),
		       steady(-KIT_DOPAMINE_W_0));
	add_noise(k, d, "noise_exc", "exc", exc);
	add_noise(k, d, "noise_inh", "inh", inh);
}
