/* hh_psc_alpha.c - Hodgkin and Huxley's neuron, alpha-shaped currents.
 *
 *   C_m dV_m/dt = -g_Na m^3 h (V_m - E_Na) - g_K n^4 (V_m - E_K) - g_L (V_m - E_L)
 *                 + I_syn_ex + I_syn_in + I_e
 *   dx/dt       = alpha_x(V_m) (1 - x) - beta_x(V_m) x     for m, h, n (Act_m, Inact_h, Act_n)
 *   I_syn       = weight * e / tau_syn * t * exp(-t / tau_syn) after each spike
 *
 * Integrated adaptively (core/model/ode.h), error at most 1e-3 a try in any variable as in NEST.
 * The currents take the input of the step at its end. A spike is the step after a maximum of V_m
 * at or above 0 mV, none within t_ref of another. Hodgkin, Huxley (1952),
 * doi:10.1113/jphysiol.1952.sp004764. */
/* SPDX-License-Identifier: MIT */
#include "core/model/neuron.h"
#include "core/model/ode.h"

enum { E_L, C_M, G_NA, G_K, G_L, E_NA, E_K, T_REF, TAU_SYN_EX, TAU_SYN_IN, I_E, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[E_L] = { "E_L", "Reversal potential of the leak.", UNIT_MV, PARAM_NUMBER, -54.402, -1e6,
		  1e6 },
	[C_M] = { "C_m", "Membrane capacitance.", UNIT_PF, PARAM_NUMBER, 100, 0, 1e6,
		  PARAM_OPEN_MIN },
	[G_NA] = { "g_Na", "Peak conductance of sodium.", UNIT_NS, PARAM_NUMBER, 12000, 0, 1e9 },
	[G_K] = { "g_K", "Peak conductance of potassium.", UNIT_NS, PARAM_NUMBER, 3600, 0, 1e9 },
	[G_L] = { "g_L", "Leak conductance.", UNIT_NS, PARAM_NUMBER, 30, 0, 1e9 },
	[E_NA] = { "E_Na", "Reversal potential of sodium.", UNIT_MV, PARAM_NUMBER, 50, -1e6, 1e6 },
	[E_K] = { "E_K", "Reversal potential of potassium.", UNIT_MV, PARAM_NUMBER, -77, -1e6,
		  1e6 },
	[T_REF] = { "t_ref", "Time without a further spike.", UNIT_MS, PARAM_NUMBER, 2, 0, 1e6 },
	[TAU_SYN_EX] = { "tau_syn_ex", "Time to the peak of the excitatory current.", UNIT_MS,
			 PARAM_NUMBER, 0.2, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[TAU_SYN_IN] = { "tau_syn_in", "Time to the peak of the inhibitory current.", UNIT_MS,
			 PARAM_NUMBER, 2, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[I_E] = { "I_e", "Constant input current.", UNIT_PA, PARAM_NUMBER, 0, -1e9, 1e9 },
};

enum {
	V_M,
	ACT_M,
	INACT_H,
	ACT_N,
	DI_EX,
	I_EX,
	DI_IN,
	I_IN,
	REFRACTORY,
	WIDTH,
	N_STATES,
	DIM = I_IN + 1
};

/* V_m and the open channels: at rest with each other. */
static const struct state_def states[N_STATES] = {
	[V_M] = { "V_m", "Membrane potential.", UNIT_MV, -65, -1 },
	[ACT_M] = { "Act_m", "Activation of sodium.", UNIT_NONE, 0.05293248525724958, -1 },
	[INACT_H] = { "Inact_h", "Inactivation of sodium.", UNIT_NONE, 0.5961207535084603, -1 },
	[ACT_N] = { "Act_n", "Activation of potassium.", UNIT_NONE, 0.3176769140606974, -1 },
	[DI_EX] = { "dI_syn_ex", "Rise of the excitatory current, pA/ms.", UNIT_NONE, 0, -1, true },
	[I_EX] = { "I_syn_ex", "Excitatory synaptic current.", UNIT_PA, 0, -1 },
	[DI_IN] = { "dI_syn_in", "Rise of the inhibitory current, pA/ms.", UNIT_NONE, 0, -1, true },
	[I_IN] = { "I_syn_in", "Inhibitory synaptic current.", UNIT_PA, 0, -1 },
	[REFRACTORY] = { "refractory_steps", "Steps until it may spike again.", UNIT_NONE, 0, -1,
			 true },
	[WIDTH] = { "integration_ms", "Width of the next try.", UNIT_MS, 0, -1, true },
};

enum {
	REST,
	PER_C,
	SODIUM,
	POTASSIUM,
	LEAK,
	REV_NA,
	REV_K,
	REF_STEPS,
	RATE_EX,
	RATE_IN,
	PEAK_EX, /* from a weight to dI */
	PEAK_IN,
	DC,
	N_COEFS
};

static void prepare(const double *p, double dt, double *coef)
{
	const double e = 0x1.5bf0a8b145769p1;

	coef[REST] = p[E_L];
	coef[PER_C] = 1 / p[C_M];
	coef[SODIUM] = p[G_NA];
	coef[POTASSIUM] = p[G_K];
	coef[LEAK] = p[G_L];
	coef[REV_NA] = p[E_NA];
	coef[REV_K] = p[E_K];
	coef[REF_STEPS] = floor(p[T_REF] / dt + 0.5);
	coef[RATE_EX] = 1 / p[TAU_SYN_EX];
	coef[RATE_IN] = 1 / p[TAU_SYN_IN];
	coef[PEAK_EX] = e / p[TAU_SYN_EX];
	coef[PEAK_IN] = e / p[TAU_SYN_IN];
	coef[DC] = p[I_E];
}

struct cell {
	double coef[N_COEFS][ODE_LANES];
	double in[ODE_LANES]; /* pA */
};

/* x / (1 - exp(-x)) given exp(-x); at 0, where that is 0 / 0, by its series. */
static inline ALWAYS_INLINE double opening(double x, double e)
{
	double near = 1 + 0.5 * x, far = x / (1 - e);

	return fabs(x) < 1e-5 ? near : far;
}

/* The six rates take two exponentials: exp(-(V + 65) / 80) to the 4th and 8th power are those over
 * 20 and 10 mV, and a shift of V is a factor. */
static inline ALWAYS_INLINE void rate(struct ode_lanes s, const struct ode_vec *y,
				      struct ode_vec *ret, const void *cell)
{
	const struct cell *x = cell;

#pragma omp simd
	for (size_t l = s.at; l < s.at + s.n; l++) {
		double v = y->at[V_M][l], m = y->at[ACT_M][l], h = y->at[INACT_H][l];
		double n = y->at[ACT_N][l], n2 = n * n;
		double e80 = fmath_exp((v + 65) * (-1.0 / 80)), e40 = e80 * e80, e20 = e40 * e40;
		double e10 = e20 * e20, e18 = fmath_exp((v + 65) * (-1.0 / 18));
		double alpha_n = 0.1 * opening((v + 55) * 0.1, e10 * 0x1.5bf0a8b145769p1);
		double alpha_m = opening((v + 40) * 0.1, e10 * 0x1.85d6fd931e0bbp3);
		double beta_h = 1 / (1 + e10 * 0x1.415e5bf6fb106p4);
		double na = x->coef[SODIUM][l] * m * m * m * h * (v - x->coef[REV_NA][l]);
		double k = x->coef[POTASSIUM][l] * n2 * n2 * (v - x->coef[REV_K][l]);
		double leak = x->coef[LEAK][l] * (v - x->coef[REST][l]);
		double i = y->at[I_EX][l] + y->at[I_IN][l] + x->in[l] - (na + k + leak);

		ret->at[V_M][l] = i * x->coef[PER_C][l];
		ret->at[ACT_M][l] = alpha_m * (1 - m) - 4 * e18 * m;
		ret->at[INACT_H][l] = 0.07 * e20 * (1 - h) - beta_h * h;
		ret->at[ACT_N][l] = alpha_n * (1 - n) - 0.125 * e80 * n;
		ret->at[DI_EX][l] = -y->at[DI_EX][l] * x->coef[RATE_EX][l];
		ret->at[I_EX][l] = y->at[DI_EX][l] - y->at[I_EX][l] * x->coef[RATE_EX][l];
		ret->at[DI_IN][l] = -y->at[DI_IN][l] * x->coef[RATE_IN][l];
		ret->at[I_IN][l] = y->at[DI_IN][l] - y->at[I_IN][l] * x->coef[RATE_IN][l];
	}
}

/* Input, and spikes at maxima: `before` is V_m at the start of the step, `left` refractory steps. */
static inline ALWAYS_INLINE void finish(const struct cell *x, struct ode_vec *y,
					const double *before, const double *ex, const double *in,
					double *left, double *out)
{
#pragma omp simd
	for (size_t l = 0; l < ODE_LANES; l++) {
		double falls = before[l] > y->at[V_M][l] ? 1.0 : 0.0;
		double spike = y->at[V_M][l] >= 0 ? falls : 0.0;

		spike = left[l] > 0 ? 0.0 : spike;
		left[l] = left[l] > 0 ? left[l] - 1 : 0.0;
		left[l] = spike > 0 ? x->coef[REF_STEPS][l] : left[l];
		out[l] = spike;
		y->at[DI_EX][l] += ex[l] * x->coef[PEAK_EX][l];
		y->at[DI_IN][l] += in[l] * x->coef[PEAK_IN][l];
	}
}

static inline ALWAYS_INLINE void block(const struct neuron_ctx *c, struct cell *x, size_t base)
{
	double ex[ODE_LANES], in[ODE_LANES], left[ODE_LANES], out[ODE_LANES], before[ODE_LANES];
	struct ode_vec y;
	struct ode o;

	for (size_t d = 0; d < DIM; d++)
		ode_load(y.at[d], c->state[d], base, c->n, 1);
	ode_load(before, c->state[V_M], base, c->n, 1);
	ode_load(left, c->state[REFRACTORY], base, c->n, 1);
	ode_load(x->in, c->current, base, c->n, 1);
	ode_load(ex, c->in[0], base, c->n, 1);
	ode_load(in, c->in[1], base, c->n, 1);
	ode_begin(&o, c->dt, c->state[WIDTH], base, c->n);
	for (size_t l = 0; l < ODE_LANES; l++) {
		x->in[l] += x->coef[DC][l];
		o.tol[l] = 1e-3;
	}
	ode_step(DIM, false, rate, NULL, x, &o, &y);
	finish(x, &y, before, ex, in, left, out);
	for (size_t d = 0; d < DIM; d++)
		ode_store(c->state[d], y.at[d], base, c->n);
	ode_store(c->state[REFRACTORY], left, base, c->n);
	ode_store(c->state[WIDTH], o.h, base, c->n);
	ode_store(c->out, out, base, c->n);
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

const struct neuron_model neuron_hh_psc_alpha = {
	.name = "hh_psc_alpha",
	.doc = "Hodgkin-Huxley neuron with alpha-shaped synaptic currents.",
	.cite = "10.1113/jphysiol.1952.sp004764",
	.kind = NEURON_CELL,
	.input = NEURON_IN_SIGNED,
	.takes_current = true,
	.params = params,
	.n_params = N_PARAMS,
	.states = states,
	.n_states = N_STATES,
	.n_coefs = N_COEFS,
	.prepare = prepare,
	.step = step,
};
