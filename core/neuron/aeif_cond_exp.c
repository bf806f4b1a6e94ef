/* aeif_cond_exp.c - adaptive exponential integrate and fire, exponential conductances.
 *
 *   C_m dV_m/dt = -g_L (V_m - E_L) + g_L Delta_T exp((V_m - V_th) / Delta_T)
 *                 - g_ex (V_m - E_ex) - g_in (V_m - E_in) - w + I_e
 *   tau_w dw/dt = a (V_m - E_L) - w
 *   dg/dt       = -g / tau_syn, plus the weight's magnitude at each spike
 *
 * Integrated adaptively (core/model/ode.h). V_m at V_peak is a spike at that very time inside the
 * step: V_m = V_reset and w += b there, and the rest of the step is integrated from there unless
 * V_m is held (t_ref). So a bursting cell may spike more than once in a step. The conductances
 * take the input of the step at its end. With Delta_T = 0 spikes are at V_th.
 * Brette, Gerstner (2005), doi:10.1152/jn.00686.2005. */
/* SPDX-License-Identifier: MIT */
#include "core/model/neuron.h"
#include "core/model/ode.h"

enum {
	E_L,
	C_M,
	G_L,
	V_TH,
	V_RESET,
	V_PEAK,
	DELTA_T,
	A,
	B,
	TAU_W,
	T_REF,
	E_EX,
	E_IN,
	TAU_SYN_EX,
	TAU_SYN_IN,
	I_E,
	TOLERANCE,
	N_PARAMS
};

static const struct param_def params[N_PARAMS] = {
	[E_L] = { "E_L", "Resting potential.", UNIT_MV, PARAM_NUMBER, -70.6, -1e6, 1e6 },
	[C_M] = { "C_m", "Membrane capacitance.", UNIT_PF, PARAM_NUMBER, 281, 0, 1e6,
		  PARAM_OPEN_MIN },
	[G_L] = { "g_L", "Leak conductance.", UNIT_NS, PARAM_NUMBER, 30, 0, 1e6 },
	[V_TH] = { "V_th", "Potential at which spikes begin.", UNIT_MV, PARAM_NUMBER, -50.4, -1e6,
		   1e6 },
	[V_RESET] = { "V_reset", "Potential after a spike.", UNIT_MV, PARAM_NUMBER, -60, -1e6,
		      1e6 },
	[V_PEAK] = { "V_peak", "Potential at which a spike is detected.", UNIT_MV, PARAM_NUMBER, 0,
		     -1e6, 1e6 },
	[DELTA_T] = { "Delta_T", "Steepness of the beginning of a spike.", UNIT_MV, PARAM_NUMBER, 2,
		      0, 1e6 },
	[A] = { "a", "Adaptation by the potential.", UNIT_NS, PARAM_NUMBER, 4, -1e6, 1e6 },
	[B] = { "b", "Adaptation by a spike.", UNIT_PA, PARAM_NUMBER, 80.5, -1e6, 1e6 },
	[TAU_W] = { "tau_w", "Time constant of the adaptation.", UNIT_MS, PARAM_NUMBER, 144, 1e-3,
		    1e6, PARAM_OFFGRID },
	[T_REF] = { "t_ref", "Refractory time.", UNIT_MS, PARAM_NUMBER, 0, 0, 1e6 },
	[E_EX] = { "E_ex", "Excitatory reversal potential.", UNIT_MV, PARAM_NUMBER, 0, -1e6, 1e6 },
	[E_IN] = { "E_in", "Inhibitory reversal potential.", UNIT_MV, PARAM_NUMBER, -85, -1e6,
		   1e6 },
	[TAU_SYN_EX] = { "tau_syn_ex", "Time constant of the excitatory conductance.", UNIT_MS,
			 PARAM_NUMBER, 0.2, 1e-3, 1e6, PARAM_OFFGRID },
	[TAU_SYN_IN] = { "tau_syn_in", "Time constant of the inhibitory conductance.", UNIT_MS,
			 PARAM_NUMBER, 2, 1e-3, 1e6, PARAM_OFFGRID },
	[I_E] = { "I_e", "Constant input current.", UNIT_PA, PARAM_NUMBER, 0, -1e9, 1e9 },
	[TOLERANCE] = { "gsl_error_tol", "Error allowed in a step of the integration.", UNIT_NONE,
			PARAM_NUMBER, 1e-6, 1e-12, 1 },
};

enum { V_M, G_EX, G_IN, W, REFRACTORY, WIDTH, N_STATES, DIM = W + 1 };

static const struct state_def states[N_STATES] = {
	[V_M] = { "V_m", "Membrane potential.", UNIT_MV, -70.6, E_L },
	[G_EX] = { "g_ex", "Excitatory conductance.", UNIT_NS, 0, -1 },
	[G_IN] = { "g_in", "Inhibitory conductance.", UNIT_NS, 0, -1 },
	[W] = { "w", "Adaptation current.", UNIT_PA, 0, -1 },
	[REFRACTORY] = { "refractory_steps", "Steps until V_m moves again.", UNIT_NONE, 0, -1,
			 true },
	[WIDTH] = { "integration_ms", "Width of the next try.", UNIT_MS, 0, -1, true },
};

enum {
	REST,
	PER_C,
	LEAK,
	UPSTROKE, /* g_L Delta_T */
	RHEOBASE,
	PER_DELTA,
	RESET,
	PEAK,
	FIRE,
	A_W,
	B_W,
	RATE_W,
	REV_EX,
	REV_IN,
	RATE_EX,
	RATE_IN,
	DC,
	TOL,
	REF_STEPS,
	N_COEFS
};

static int check(const double *p, struct err *err)
{
	if (!(p[V_RESET] < p[V_PEAK]))
		return err_set(err, ERR_CONFLICT, "V_reset",
			       "V_reset must be below V_peak = %g mV, not %g mV", p[V_PEAK],
			       p[V_RESET]);
	if (p[V_PEAK] < p[V_TH])
		return err_set(err, ERR_CONFLICT, "V_peak",
			       "V_peak must not be below V_th = %g mV, not %g mV", p[V_TH],
			       p[V_PEAK]);
	/* The upstroke must stay a number, with room for what it is multiplied by. */
	if (p[DELTA_T] > 0 && (p[V_PEAK] - p[V_TH]) / p[DELTA_T] > 600)
		return err_set(err, ERR_CONFLICT, "Delta_T",
			       "Delta_T must be 0 or at least (V_peak - V_th) / 600 = %g mV, not "
			       "%g mV",
			       (p[V_PEAK] - p[V_TH]) / 600, p[DELTA_T]);
	if (p[DELTA_T] == 0 && !(p[V_RESET] < p[V_TH]))
		return err_set(err, ERR_CONFLICT, "V_reset",
			       "V_reset must be below V_th = %g mV for Delta_T = 0, not %g mV",
			       p[V_TH], p[V_RESET]);
	return 0;
}

static void prepare(const double *p, double dt, double *coef)
{
	coef[REST] = p[E_L];
	coef[PER_C] = 1 / p[C_M];
	coef[LEAK] = p[G_L];
	coef[UPSTROKE] = p[G_L] * p[DELTA_T];
	coef[RHEOBASE] = p[V_TH];
	coef[PER_DELTA] = p[DELTA_T] > 0 ? 1 / p[DELTA_T] : 0;
	coef[RESET] = p[V_RESET];
	coef[PEAK] = p[V_PEAK];
	coef[FIRE] = p[DELTA_T] > 0 ? p[V_PEAK] : p[V_TH];
	coef[A_W] = p[A];
	coef[B_W] = p[B];
	coef[RATE_W] = 1 / p[TAU_W];
	coef[REV_EX] = p[E_EX];
	coef[REV_IN] = p[E_IN];
	coef[RATE_EX] = 1 / p[TAU_SYN_EX];
	coef[RATE_IN] = 1 / p[TAU_SYN_IN];
	coef[DC] = p[I_E];
	coef[TOL] = p[TOLERANCE];
	coef[REF_STEPS] = floor(p[T_REF] / dt + 0.5);
}

struct cell {
	double coef[N_COEFS][ODE_LANES];
	double held[ODE_LANES]; /* refractory steps left */
	double in[ODE_LANES];	/* pA */
	double out[ODE_LANES];	/* spikes */
};

static inline ALWAYS_INLINE void rate(struct ode_lanes s, const struct ode_vec *y,
				      struct ode_vec *ret, const void *cell)
{
	const struct cell *x = cell;

#pragma omp simd
	for (size_t l = s.at; l < s.at + s.n; l++) {
		double bound = y->at[V_M][l] < x->coef[PEAK][l] ? y->at[V_M][l] : x->coef[PEAK][l];
		double v = x->held[l] > 0 ? x->coef[RESET][l] : bound;
		double g_ex = y->at[G_EX][l], g_in = y->at[G_IN][l], w = y->at[W][l];
		double up = x->coef[UPSTROKE][l] *
			    fmath_exp((v - x->coef[RHEOBASE][l]) * x->coef[PER_DELTA][l]);
		double away = v - x->coef[REST][l];
		double i = up - x->coef[LEAK][l] * away - g_ex * (v - x->coef[REV_EX][l]) -
			   g_in * (v - x->coef[REV_IN][l]) - w + x->in[l];

		ret->at[V_M][l] = x->held[l] > 0 ? 0.0 : i * x->coef[PER_C][l];
		ret->at[G_EX][l] = -g_ex * x->coef[RATE_EX][l];
		ret->at[G_IN][l] = -g_in * x->coef[RATE_IN][l];
		ret->at[W][l] = (x->coef[A_W][l] * away - w) * x->coef[RATE_W][l];
	}
}

/* Spikes and the hold after a try. */
static inline ALWAYS_INLINE void fire(struct ode_lanes s, const struct ode *o, struct ode_vec *y,
				      void *cell)
{
	struct cell *x = cell;

#pragma omp simd
	for (size_t l = s.at; l < s.at + s.n; l++) {
		double v = y->at[V_M][l], held = x->held[l], steps = x->coef[REF_STEPS][l];
		double at_peak = v >= x->coef[FIRE][l] ? o->moved[l] : 0.0;
		double spike = held > 0 ? 0.0 : at_peak;

		v = spike > 0 ? x->coef[RESET][l] : v;
		v = held > 0 ? x->coef[RESET][l] : v;
		y->at[V_M][l] = v;
		y->at[W][l] = spike > 0 ? y->at[W][l] + x->coef[B_W][l] : y->at[W][l];
		/* One more than held: the count goes down at the end of this very step. */
		steps = steps > 0 ? steps + 1 : 0.0;
		x->held[l] = spike > 0 ? steps : held;
		x->out[l] += spike;
	}
}

/* Where NEST gives up too: an integration that ran away must not pass for a result. */
static inline ALWAYS_INLINE void fail_if_absurd(struct ode_vec *y)
{
#pragma omp simd
	for (size_t l = 0; l < ODE_LANES; l++) {
		double v = y->at[V_M][l] < -1e3 ? (double)NAN : y->at[V_M][l];

		y->at[V_M][l] = fabs(y->at[W][l]) > 1e6 ? (double)NAN : v;
	}
}

static inline ALWAYS_INLINE void block(const struct neuron_ctx *c, struct cell *x, size_t base)
{
	double ex[ODE_LANES], in[ODE_LANES];
	struct ode_vec y;
	struct ode o;

	for (size_t d = 0; d < DIM; d++)
		ode_load(y.at[d], c->state[d], base, c->n, 1);
	ode_load(x->held, c->state[REFRACTORY], base, c->n, 1);
	ode_load(x->in, c->current, base, c->n, 1);
	ode_load(ex, c->in[0], base, c->n, 1);
	ode_load(in, c->in[1], base, c->n, 1);
	ode_begin(&o, c->dt, c->state[WIDTH], base, c->n);
	for (size_t l = 0; l < ODE_LANES; l++) {
		x->in[l] += x->coef[DC][l];
		x->out[l] = 0;
		o.tol[l] = x->coef[TOL][l];
	}
	ode_step(DIM, true, rate, fire, x, &o, &y);
	for (size_t l = 0; l < ODE_LANES; l++) {
		x->held[l] = x->held[l] > 0 ? x->held[l] - 1 : 0;
		y.at[G_EX][l] += ex[l];
		y.at[G_IN][l] -= in[l];
	}
	fail_if_absurd(&y);
	for (size_t d = 0; d < DIM; d++)
		ode_store(c->state[d], y.at[d], base, c->n);
	ode_store(c->state[REFRACTORY], x->held, base, c->n);
	ode_store(c->state[WIDTH], o.h, base, c->n);
	ode_store(c->out, x->out, base, c->n);
}

CLONES static void step(const struct neuron_ctx *c)
{
	struct cell x;

	for (size_t base = 0; base < c->n; base += ODE_LANES) {
		if (c->stride || base == 0)
			for (size_t k = 0; k < N_COEFS; k++)
				ode_load(x.coef[k], c->coef[k], base, c->n, c->stride);
		block(c, &x, base);
	}
}

const struct neuron_model neuron_aeif_cond_exp = {
	.name = "aeif_cond_exp",
	.doc = "Adaptive exponential integrate-and-fire neuron with exponential conductances.",
	.cite = "10.1152/jn.00686.2005",
	.kind = NEURON_CELL,
	.input = NEURON_IN_SIGNED,
	.takes_current = true,
	.params = params,
	.n_params = N_PARAMS,
	.states = states,
	.n_states = N_STATES,
	.n_coefs = N_COEFS,
	.check = check,
	.prepare = prepare,
	.step = step,
};
