/* alias.c - NEST's names for our rules.
 *
 * Amplitudes there are fractions of Wmax, and depression is alpha times potentiation. What NEST
 * keeps in the postsynaptic neuron (tau_minus) stands among the synapse's parameters. */
/* SPDX-License-Identifier: MIT */
#include "core/model/alias.h"

#include <string.h>

enum { TAU_PLUS, TAU_MINUS, LAMBDA, ALPHA, WMAX, MU_PLUS, MU_MINUS, N_PAIR };

#define TAU(name, text) \
	{ \
		name, text, UNIT_MS, PARAM_NUMBER, 20, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID \
	}
#define TIME_CONSTANTS \
	[TAU_PLUS] = TAU("tau_plus", "Time constant of the presynaptic trace."), \
	[TAU_MINUS] = TAU("tau_minus", "Time constant of the postsynaptic trace.")

static const struct param_def pair_params[N_PAIR] = {
	TIME_CONSTANTS,
	[LAMBDA] = { "lambda", "Step size.", UNIT_NONE, PARAM_NUMBER, 0.01, -PARAM_INF, PARAM_INF },
	[ALPHA] = { "alpha", "Asymmetry: depression relative to potentiation.", UNIT_NONE,
		    PARAM_NUMBER, 1, -PARAM_INF, PARAM_INF },
	[WMAX] = { "Wmax", "Largest weight.", UNIT_WEIGHT, PARAM_NUMBER, 100, 0, PARAM_INF,
		   PARAM_OPEN_MIN },
	[MU_PLUS] = { "mu_plus", "Exponent of the weight dependence of potentiation.", UNIT_NONE,
		      PARAM_NUMBER, 1, 0, 10 },
	[MU_MINUS] = { "mu_minus", "Exponent of the weight dependence of depression.", UNIT_NONE,
		       PARAM_NUMBER, 1, 0, 10 },
};

enum { POWER_MU = ALPHA + 1, N_POWER };

static const struct param_def power_params[N_POWER] = {
	TIME_CONSTANTS,
	[LAMBDA] = { "lambda", "Step size.", UNIT_NONE, PARAM_NUMBER, 0.1, -PARAM_INF, PARAM_INF },
	[ALPHA] = { "alpha", "Asymmetry: depression relative to potentiation.", UNIT_NONE,
		    PARAM_NUMBER, 1, -PARAM_INF, PARAM_INF },
	[POWER_MU] = { "mu", "Exponent of the weight dependence of potentiation.", UNIT_NONE,
		       PARAM_NUMBER, 0.4, 0, 10 },
};

static void set(double *to, const char *name, double value)
{
	const struct plasticity_model *m = &plasticity_stdp_pair;

	to[param_find(m->params, m->n_params, name)] = value;
}

/* By name, for an alias converts once per projection. */
static void choose(double *to, const char *name, const char *choice)
{
	const struct plasticity_model *m = &plasticity_stdp_pair;
	int i = param_find(m->params, m->n_params, name);

	to[i] = param_choice(&m->params[i], choice);
}

static void defaults(const double *from, double *to)
{
	const struct plasticity_model *m = &plasticity_stdp_pair;

	for (size_t i = 0; i < m->n_params; i++)
		to[i] = m->params[i].def;
	set(to, "tau_plus", from[TAU_PLUS]);
	set(to, "tau_minus", from[TAU_MINUS]);
}

static void convert_pair(const double *from, double *to)
{
	defaults(from, to);
	set(to, "A_plus", from[LAMBDA] * from[WMAX]);
	set(to, "A_minus", -from[ALPHA] * from[LAMBDA] * from[WMAX]);
	set(to, "w_max", from[WMAX]);
	set(to, "mu_plus", from[MU_PLUS]);
	set(to, "mu_minus", from[MU_MINUS]);
}

static void convert_symmetric(const double *from, double *to)
{
	convert_pair(from, to);
	choose(to, "pairing", "nearest_symmetric");
	set(to, "virtual_first_spike", 1);
}

static void convert_pre_centered(const double *from, double *to)
{
	convert_pair(from, to);
	choose(to, "pairing", "nearest_pre_centered");
}

static void convert_reduced(const double *from, double *to)
{
	convert_pair(from, to);
	choose(to, "pairing", "nearest_reduced_symmetric");
	set(to, "virtual_first_spike", 1);
}

static void convert_power(const double *from, double *to)
{
	defaults(from, to);
	set(to, "A_plus", from[LAMBDA]);
	set(to, "A_minus", -from[ALPHA] * from[LAMBDA]);
	set(to, "w_max", PARAM_INF);
	set(to, "mu", from[POWER_MU]);
	set(to, "w_0", 1);
	choose(to, "weight_dependence", "power");
}

static void convert_nothing(const double *from, double *to)
{
	(void)from;
	(void)to;
}

#define PAIR(alias_name, fn, text) \
	static const struct alias alias_name = { #alias_name, text,   &plasticity_stdp_pair, \
						 pair_params, N_PAIR, fn }

PAIR(stdp_synapse, convert_pair, "NEST's pair STDP.");
PAIR(stdp_synapse_hom, convert_pair, "NEST's pair STDP with common parameters.");
PAIR(stdp_nn_symm_synapse, convert_symmetric,
     "NEST's STDP with symmetric nearest-neighbour pairing.");
PAIR(stdp_nn_pre_centered_synapse, convert_pre_centered,
     "NEST's STDP with presynaptically centred nearest-neighbour pairing.");
PAIR(stdp_nn_restr_synapse, convert_reduced,
     "NEST's STDP with restricted symmetric nearest-neighbour pairing.");

static const struct alias stdp_pl_synapse_hom = { "stdp_pl_synapse_hom",
						  "NEST's STDP with power-law potentiation.",
						  &plasticity_stdp_pair,
						  power_params,
						  N_POWER,
						  convert_power };
static const struct alias static_synapse = {
	"static_synapse", "NEST's static synapse.", &plasticity_static, NULL, 0, convert_nothing
};

const struct alias *const alias_list[] = { &static_synapse,
					   &stdp_synapse,
					   &stdp_synapse_hom,
					   &stdp_nn_symm_synapse,
					   &stdp_nn_pre_centered_synapse,
					   &stdp_nn_restr_synapse,
					   &stdp_pl_synapse_hom,
					   NULL };

const struct alias *alias_find(const char *name)
{
	for (size_t i = 0; alias_list[i]; i++)
		if (!strcmp(alias_list[i]->name, name))
			return alias_list[i];
	return NULL;
}
