/* alias.c - NEST's names for our rules.
 *
 * Amplitudes there are fractions of Wmax, and depression is alpha times potentiation. What NEST
 * keeps in the postsynaptic neuron (tau_minus) stands among the synapse's parameters. */
/* SPDX-License-Identifier: MIT */
#include "core/model/alias.h"

#include <string.h>

enum { TAU_PLUS, TAU_MINUS, LAMBDA, ALPHA, WMAX, MU_PLUS, MU_MINUS, N_PAIR };

#define TAU(name, text, value) \
	{ \
		name, text, UNIT_MS, PARAM_NUMBER, value, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID \
	}
#define TIME_CONSTANTS \
	[TAU_PLUS] = TAU("tau_plus", "Time constant of the presynaptic trace.", 20), \
	[TAU_MINUS] = TAU("tau_minus", "Time constant of the postsynaptic trace.", 20)

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

enum {
	TAU_PLUS_TRIPLET = TAU_MINUS + 1,
	TAU_MINUS_TRIPLET,
	APLUS,
	AMINUS,
	APLUS_TRIPLET,
	AMINUS_TRIPLET,
	TRIPLET_WMAX,
	N_TRIPLET
};

#define AMPLITUDE(name, text, value) \
	{ \
		name, text, UNIT_WEIGHT, PARAM_NUMBER, value, 0, PARAM_INF \
	}
/* In NEST they have the sign of the weights; ours are magnitudes. */
#define SIGNED_WMIN(value) \
	{ \
		"Wmin", "Smallest weight; its sign, if any, is that of the weights.", UNIT_WEIGHT, \
			PARAM_NUMBER, value, -PARAM_INF, PARAM_INF \
	}
#define SIGNED_WMAX(value) \
	{ \
		"Wmax", "Largest weight; its sign, if any, is that of the weights.", UNIT_WEIGHT, \
			PARAM_NUMBER, value, -PARAM_INF, PARAM_INF \
	}

static const struct param_def triplet_params[N_TRIPLET] = {
	[TAU_PLUS] = TAU("tau_plus", "Time constant of the fast presynaptic trace.", 16.8),
	[TAU_MINUS] = TAU("tau_minus", "Time constant of the fast postsynaptic trace.", 20),
	[TAU_PLUS_TRIPLET] =
		TAU("tau_plus_triplet", "Time constant of the slow presynaptic trace.", 101),
	[TAU_MINUS_TRIPLET] =
		TAU("tau_minus_triplet", "Time constant of the slow postsynaptic trace.", 110),
	[APLUS] = AMPLITUDE("Aplus", "Potentiation by a pair, a magnitude.", 5e-10),
	[AMINUS] = AMPLITUDE("Aminus", "Depression by a pair, a magnitude.", 7e-3),
	[APLUS_TRIPLET] =
		AMPLITUDE("Aplus_triplet", "Potentiation by a triplet, a magnitude.", 6.2e-3),
	[AMINUS_TRIPLET] =
		AMPLITUDE("Aminus_triplet", "Depression by a triplet, a magnitude.", 2.3e-4),
	[TRIPLET_WMAX] = SIGNED_WMAX(100),
};

enum { ETA = TAU_MINUS + 1, VOGELS_ALPHA, VOGELS_WMAX, N_VOGELS };

static const struct param_def vogels_params[N_VOGELS] = {
	[TAU_PLUS] = TAU("tau", "Time constant of the presynaptic trace.", 20),
	[TAU_MINUS] = TAU("tau_minus", "Time constant of the postsynaptic trace.", 20),
	[ETA] = { "eta", "Learning rate.", UNIT_WEIGHT, PARAM_NUMBER, 0.001, -PARAM_INF,
		  PARAM_INF },
	[VOGELS_ALPHA] = { "alpha", "Depression at every presynaptic spike, in units of eta.",
			   UNIT_NONE, PARAM_NUMBER, 0.12, -PARAM_INF, PARAM_INF },
	[VOGELS_WMAX] = SIGNED_WMAX(1),
};

enum {
	TAU_C = TAU_MINUS + 1,
	TAU_N,
	DOPAMINE_PLUS,
	DOPAMINE_MINUS,
	BASELINE,
	DOPAMINE_WMIN,
	DOPAMINE_WMAX,
	N_DOPAMINE
};

static const struct param_def dopamine_params[N_DOPAMINE] = {
	TIME_CONSTANTS,
	[TAU_C] = TAU("tau_c", "Time constant of the eligibility.", 1000),
	[TAU_N] = TAU("tau_n", "Time constant of the dopamine concentration.", 200),
	[DOPAMINE_PLUS] = { "A_plus",
			    "Eligibility of a postsynaptic spike after a presynaptic one.",
			    UNIT_WEIGHT, PARAM_NUMBER, 1, -PARAM_INF, PARAM_INF, PARAM_GAIN },
	[DOPAMINE_MINUS] = { "A_minus",
			     "Eligibility, taken away, of a presynaptic spike after a postsynaptic "
			     "one.",
			     UNIT_WEIGHT, PARAM_NUMBER, 1.5, -PARAM_INF, PARAM_INF, PARAM_GAIN },
	[BASELINE] = { "b", "Concentration, in 1/ms, at which the weight stands still.", UNIT_NONE,
		       PARAM_NUMBER, 0, -PARAM_INF, PARAM_INF, PARAM_FIXED },
	[DOPAMINE_WMIN] = SIGNED_WMIN(0),
	[DOPAMINE_WMAX] = SIGNED_WMAX(200),
};

enum {
	CLOPATH_LTD,
	CLOPATH_LTP,
	CLOPATH_CONST,
	THETA_MINUS,
	THETA_PLUS,
	U_REF_SQUARED,
	DELAY_U_BARS,
	TAU_X,
	CLOPATH_WMIN,
	CLOPATH_WMAX,
	N_CLOPATH
};

static const struct param_def clopath_params[N_CLOPATH] = {
	[CLOPATH_LTD] = { "A_LTD", "Depression per mV, a magnitude.", UNIT_WEIGHT, PARAM_NUMBER,
			  14e-5, 0, PARAM_INF, PARAM_GAIN },
	[CLOPATH_LTP] = { "A_LTP", "Potentiation per mV^2, a magnitude.", UNIT_WEIGHT, PARAM_NUMBER,
			  8e-5, 0, PARAM_INF, PARAM_GAIN },
	[CLOPATH_CONST] = { "A_LTD_const",
			    "Whether A_LTD stays as it is, or grows with the square of the mean "
			    "potential.",
			    UNIT_NONE, PARAM_BOOL, 1, 0, 1 },
	[THETA_MINUS] = { "theta_minus", "Threshold of the filtered potentials.", UNIT_MV,
			  PARAM_NUMBER, -70.6, -1e6, 1e6 },
	[THETA_PLUS] = { "theta_plus", "Threshold of the potential.", UNIT_MV, PARAM_NUMBER, -45.3,
			 -1e6, 1e6 },
	[U_REF_SQUARED] = { "u_ref_squared",
			    "Square, in mV^2, of the mean potential at which A_LTD is itself.",
			    UNIT_NONE, PARAM_NUMBER, 60, 0, PARAM_INF, PARAM_OPEN_MIN },
	[DELAY_U_BARS] = { "delay_u_bars", "Delay of the filtered potentials.", UNIT_MS,
			   PARAM_NUMBER, 5, 0, 1e3, PARAM_FIXED },
	[TAU_X] = TAU("tau_x", "Time constant of the presynaptic trace.", 15),
	[CLOPATH_WMIN] = SIGNED_WMIN(0),
	[CLOPATH_WMAX] = SIGNED_WMAX(100),
};

enum { STP_U, STP_TAU_REC, STP_TAU_FAC, STP_U_0, STP_X_0, N_TSODYKS2 };
enum { STP_TAU_PSC = N_TSODYKS2, STP_Y_0, N_TSODYKS };

#define PART(name, text, value) \
	{ \
		name, text, UNIT_NONE, PARAM_NUMBER, value, 0, 1, PARAM_FIXED \
	}
#define TSODYKS(u_text, u_value) \
	[STP_U] = { "U",       "Part of the unused release that a spike adds to u.", \
		    UNIT_NONE, PARAM_NUMBER, \
		    0.5,       0, \
		    1,	       PARAM_OPEN_MIN }, \
	[STP_TAU_REC] = TAU("tau_rec", "Time constant of recovery.", 800), \
	[STP_TAU_FAC] = { "tau_fac", "Time constant of facilitation; 0: none.", \
			  UNIT_MS,   PARAM_NUMBER, \
			  0,	     0, \
			  1e6,	     PARAM_OFFGRID }, \
	[STP_U_0] = PART("u", u_text, u_value), \
	[STP_X_0] = PART("x", "Available resources at the start.", 1)

static const struct param_def tsodyks2_params[N_TSODYKS2] = {
	TSODYKS("Part of the resources that the first spike uses.", 0.5),
};

static const struct param_def tsodyks_params[N_TSODYKS] = {
	TSODYKS("Part in use at time 0.", 0),
	[STP_TAU_PSC] = TAU("tau_psc", "Time constant of the active resources.", 3),
	[STP_Y_0] = PART("y", "Active resources at time 0.", 0),
};

static void set(const struct plasticity_model *m, double *to, const char *name, double value)
{
	to[param_find(m->params, m->n_params, name)] = value;
}

/* By name, for an alias converts once per projection. */
static void choose(const struct plasticity_model *m, double *to, const char *name,
		   const char *choice)
{
	int i = param_find(m->params, m->n_params, name);

	to[i] = param_choice(&m->params[i], choice);
}

static void all_defaults(const struct plasticity_model *m, double *to)
{
	for (size_t i = 0; i < m->n_params; i++)
		to[i] = m->params[i].def;
}

/* What all rules with two traces share. */
static void defaults(const struct plasticity_model *m, const double *from, double *to)
{
	all_defaults(m, to);
	set(m, to, "tau_plus", from[TAU_PLUS]);
	set(m, to, "tau_minus", from[TAU_MINUS]);
}

static void convert_pair(const double *from, double *to)
{
	const struct plasticity_model *m = &plasticity_stdp_pair;

	defaults(m, from, to);
	set(m, to, "A_plus", from[LAMBDA] * from[WMAX]);
	set(m, to, "A_minus", -from[ALPHA] * from[LAMBDA] * from[WMAX]);
	set(m, to, "w_max", from[WMAX]);
	set(m, to, "mu_plus", from[MU_PLUS]);
	set(m, to, "mu_minus", from[MU_MINUS]);
}

static void convert_symmetric(const double *from, double *to)
{
	const struct plasticity_model *m = &plasticity_stdp_pair;

	convert_pair(from, to);
	choose(m, to, "pairing", "nearest_symmetric");
	set(m, to, "virtual_first_spike", 1);
}

static void convert_pre_centered(const double *from, double *to)
{
	convert_pair(from, to);
	choose(&plasticity_stdp_pair, to, "pairing", "nearest_pre_centered");
}

static void convert_reduced(const double *from, double *to)
{
	const struct plasticity_model *m = &plasticity_stdp_pair;

	convert_pair(from, to);
	choose(m, to, "pairing", "nearest_reduced_symmetric");
	set(m, to, "virtual_first_spike", 1);
}

static void convert_power(const double *from, double *to)
{
	const struct plasticity_model *m = &plasticity_stdp_pair;

	defaults(m, from, to);
	set(m, to, "A_plus", from[LAMBDA]);
	set(m, to, "A_minus", -from[ALPHA] * from[LAMBDA]);
	set(m, to, "w_max", PARAM_INF);
	set(m, to, "mu", from[POWER_MU]);
	set(m, to, "w_0", 1);
	choose(m, to, "weight_dependence", "power");
}

static void convert_triplet(const double *from, double *to)
{
	const struct plasticity_model *m = &plasticity_stdp_triplet;

	defaults(m, from, to);
	set(m, to, "A2_plus", from[APLUS]);
	set(m, to, "A3_plus", from[APLUS_TRIPLET]);
	set(m, to, "A2_minus", from[AMINUS]);
	set(m, to, "A3_minus", from[AMINUS_TRIPLET]);
	set(m, to, "tau_x", from[TAU_PLUS_TRIPLET]);
	set(m, to, "tau_y", from[TAU_MINUS_TRIPLET]);
	set(m, to, "w_max", fabs(from[TRIPLET_WMAX]));
}

static void convert_vogels(const double *from, double *to)
{
	const struct plasticity_model *m = &plasticity_stdp_inhibitory;

	defaults(m, from, to);
	set(m, to, "eta", from[ETA]);
	set(m, to, "alpha", from[VOGELS_ALPHA]);
	set(m, to, "w_max", fabs(from[VOGELS_WMAX]));
}

static void convert_dopamine(const double *from, double *to)
{
	const struct plasticity_model *m = &plasticity_stdp_dopamine;

	defaults(m, from, to);
	set(m, to, "tau_c", from[TAU_C]);
	set(m, to, "tau_n", from[TAU_N]);
	set(m, to, "A_plus", from[DOPAMINE_PLUS]);
	set(m, to, "A_minus", -from[DOPAMINE_MINUS]);
	set(m, to, "b", from[BASELINE]);
	set(m, to, "w_min", fabs(from[DOPAMINE_WMIN]));
	set(m, to, "w_max", fabs(from[DOPAMINE_WMAX]));
}

/* The mean potential is there that of the membrane, not of its depolarisation. */
static void convert_clopath(const double *from, double *to)
{
	const struct plasticity_model *m = &plasticity_stdp_clopath;

	all_defaults(m, to);
	set(m, to, "A_LTD", from[CLOPATH_LTD]);
	set(m, to, "A_LTP", from[CLOPATH_LTP]);
	set(m, to, "A_LTD_const", from[CLOPATH_CONST]);
	set(m, to, "theta_minus", from[THETA_MINUS]);
	set(m, to, "theta_plus", from[THETA_PLUS]);
	set(m, to, "u_ref_squared", from[U_REF_SQUARED]);
	set(m, to, "u_rest", 0);
	set(m, to, "delay_u_bars", from[DELAY_U_BARS]);
	set(m, to, "tau_x", from[TAU_X]);
	set(m, to, "w_min", fabs(from[CLOPATH_WMIN]));
	set(m, to, "w_max", fabs(from[CLOPATH_WMAX]));
}

/* u after the first spike's own step, there; before it, here. With U = 1 every spike uses all. */
static void convert_tsodyks2(const double *from, double *to)
{
	const struct plasticity_model *m = &plasticity_stp;
	double u = from[STP_U];

	all_defaults(m, to);
	set(m, to, "U", u);
	set(m, to, "tau_rec", from[STP_TAU_REC]);
	set(m, to, "tau_fac", from[STP_TAU_FAC]);
	set(m, to, "u", u < 1 ? (from[STP_U_0] - u) / (1 - u) : 0);
	set(m, to, "x", from[STP_X_0]);
}

static void convert_tsodyks(const double *from, double *to)
{
	const struct plasticity_model *m = &plasticity_stp;

	convert_tsodyks2(from, to);
	choose(m, to, "variant", "three_state");
	set(m, to, "u", from[STP_U_0]);
	set(m, to, "tau_psc", from[STP_TAU_PSC]);
	set(m, to, "y", from[STP_Y_0]);
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
static const struct alias stdp_triplet_synapse = { "stdp_triplet_synapse",
						   "NEST's triplet STDP.",
						   &plasticity_stdp_triplet,
						   triplet_params,
						   N_TRIPLET,
						   convert_triplet };
static const struct alias vogels_sprekeler_synapse = { "vogels_sprekeler_synapse",
						       "NEST's inhibitory STDP.",
						       &plasticity_stdp_inhibitory,
						       vogels_params,
						       N_VOGELS,
						       convert_vogels };
static const struct alias stdp_dopamine_synapse = { "stdp_dopamine_synapse",
						    "NEST's dopamine-modulated STDP.",
						    &plasticity_stdp_dopamine,
						    dopamine_params,
						    N_DOPAMINE,
						    convert_dopamine };
static const struct alias clopath_synapse = { "clopath_synapse",
					      "NEST's voltage-based STDP.",
					      &plasticity_stdp_clopath,
					      clopath_params,
					      N_CLOPATH,
					      convert_clopath };
static const struct alias tsodyks_synapse = {
	"tsodyks_synapse", "NEST's short-term plasticity with active resources.",
	&plasticity_stp,   tsodyks_params,
	N_TSODYKS,	   convert_tsodyks
};
static const struct alias tsodyks2_synapse = {
	"tsodyks2_synapse", "NEST's short-term plasticity of two states.",
	&plasticity_stp,    tsodyks2_params,
	N_TSODYKS2,	    convert_tsodyks2
};
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
					   &stdp_triplet_synapse,
					   &vogels_sprekeler_synapse,
					   &stdp_dopamine_synapse,
					   &clopath_synapse,
					   &tsodyks_synapse,
					   &tsodyks2_synapse,
					   NULL };

const struct alias *alias_find(const char *name)
{
	for (size_t i = 0; alias_list[i]; i++)
		if (!strcmp(alias_list[i]->name, name))
			return alias_list[i];
	return NULL;
}
