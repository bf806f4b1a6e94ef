/* iaf_psc_exp.c - leaky integrate and fire, exponential currents, integrated exactly.
 *
 *   dV_m/dt = -(V_m - E_L) / tau_m + (I_syn_ex + I_syn_in + I_e) / C_m
 *   dI/dt   = -I / tau_syn, plus the weight at each spike
 *
 * V_m moves with the currents at the start of the step, then these decay, then the input of the
 * step is added: what arrives at t acts on V_m after t. V_m is held while refractory, the
 * currents are not. Rotter, Diesmann (1999), doi:10.1007/s004220050570. */
/* SPDX-License-Identifier: MIT */
#include "core/base/fmath.h"
#include "core/model/coef.h"
#include "core/model/neuron.h"

enum { E_L, C_M, TAU_M, T_REF, V_TH, V_RESET, TAU_SYN_EX, TAU_SYN_IN, I_E, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[E_L] = { "E_L", "Resting potential.", UNIT_MV, PARAM_NUMBER, -70, -1e6, 1e6 },
	[C_M] = { "C_m", "Membrane capacitance.", UNIT_PF, PARAM_NUMBER, 250, 0, 1e6,
		  PARAM_OPEN_MIN },
	[TAU_M] = { "tau_m", "Membrane time constant.", UNIT_MS, PARAM_NUMBER, 10, 0, 1e6,
		    PARAM_OPEN_MIN | PARAM_OFFGRID },
	[T_REF] = { "t_ref", "Refractory time.", UNIT_MS, PARAM_NUMBER, 2, 0, 1e6 },
	[V_TH] = { "V_th", "Threshold.", UNIT_MV, PARAM_NUMBER, -55, -1e6, 1e6 },
	[V_RESET] = { "V_reset", "Potential after a spike.", UNIT_MV, PARAM_NUMBER, -70, -1e6,
		      1e6 },
	[TAU_SYN_EX] = { "tau_syn_ex", "Time constant of the excitatory current.", UNIT_MS,
			 PARAM_NUMBER, 2, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[TAU_SYN_IN] = { "tau_syn_in", "Time constant of the inhibitory current.", UNIT_MS,
			 PARAM_NUMBER, 2, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[I_E] = { "I_e", "Constant input current.", UNIT_PA, PARAM_NUMBER, 0, -1e9, 1e9 },
};

enum { V_M, I_SYN_EX, I_SYN_IN, REFRACTORY, N_STATES };

static const struct state_def states[N_STATES] = {
	[V_M] = { "V_m", "Membrane potential.", UNIT_MV, -70, E_L },
	[I_SYN_EX] = { "I_syn_ex", "Excitatory synaptic current.", UNIT_PA, 0, -1 },
	[I_SYN_IN] = { "I_syn_in", "Inhibitory synaptic current.", UNIT_PA, 0, -1 },
	[REFRACTORY] = { "refractory_steps", "Steps until V_m moves again.", UNIT_NONE, 0, -1,
			 true },
};

enum { P_V, P_EX, P_IN, P_I, DECAY_EX, DECAY_IN, REST, THRESHOLD, RESET, REF_STEPS, DC, N_COEFS };

static int check(const double *p, struct err *err)
{
	if (!(p[V_RESET] < p[V_TH]))
		return err_set(err, ERR_CONFLICT, "V_reset",
			       "V_reset must be below V_th = %g mV, not %g mV", p[V_TH],
			       p[V_RESET]);
	return 0;
}

/* From a current with time constant `tau` to V_m, within one step. By expm1, so that tau close
 * to and equal to tau_m is no special case: (exp(-h / tau_m) - exp(-h / tau)) / (C (1 / tau - 1
 * / tau_m)). */
static double propagator(double tau, double tau_m, double c, double h)
{
	double a = (tau_m - tau) / (tau_m * tau);
	double integral = a == 0 ? h : fmath_expm1(h * a) / a;

	/* Beyond expm1's range both exponentials are small, but not equally. */
	if (h * a > 600)
		return (fmath_exp(-h / tau_m) - fmath_exp(-h / tau)) / (c * a);
	return fmath_exp(-h / tau) * integral / c;
}

static void prepare(const double *p, double dt, double *coef)
{
	coef[P_V] = fmath_exp(-dt / p[TAU_M]);
	coef[P_EX] = propagator(p[TAU_SYN_EX], p[TAU_M], p[C_M], dt);
	coef[P_IN] = propagator(p[TAU_SYN_IN], p[TAU_M], p[C_M], dt);
	coef[P_I] = -p[TAU_M] / p[C_M] * fmath_expm1(-dt / p[TAU_M]);
	coef[DECAY_EX] = fmath_exp(-dt / p[TAU_SYN_EX]);
	coef[DECAY_IN] = fmath_exp(-dt / p[TAU_SYN_IN]);
	coef[REST] = p[E_L];
	coef[THRESHOLD] = p[V_TH];
	coef[RESET] = p[V_RESET];
	coef[REF_STEPS] = floor(p[T_REF] / dt + 0.5);
	coef[DC] = p[I_E];
}

static inline ALWAYS_INLINE void run(const struct neuron_ctx *c, size_t s)
{
	const double *restrict p_v = c->coef[P_V], *restrict p_ex = c->coef[P_EX];
	const double *restrict p_in = c->coef[P_IN], *restrict p_i = c->coef[P_I];
	const double *restrict decay_ex = c->coef[DECAY_EX], *restrict decay_in = c->coef[DECAY_IN];
	const double *restrict rest = c->coef[REST], *restrict threshold = c->coef[THRESHOLD];
	const double *restrict reset = c->coef[RESET], *restrict ref_steps = c->coef[REF_STEPS];
	const double *restrict dc = c->coef[DC], *restrict current = c->current;
	const double *restrict ex = c->in[0], *restrict in = c->in[1];
	double *restrict v_m = c->state[V_M], *restrict i_ex = c->state[I_SYN_EX];
	double *restrict i_in = c->state[I_SYN_IN], *restrict left = c->state[REFRACTORY];
	double *restrict out = c->out;

#pragma omp simd
	for (size_t i = 0; i < c->n; i++) {
		size_t k = i * s;
		double v = v_m[i], r = left[i];
		double moved = rest[k] + ((v - rest[k]) * p_v[k] + i_ex[i] * p_ex[k] +
					  i_in[i] * p_in[k] + (dc[k] + current[i]) * p_i[k]);
		double spike;

		v = r > 0 ? v : moved;
		r = r > 0 ? r - 1 : r;
		spike = v >= threshold[k] ? 1.0 : 0.0;
		v_m[i] = spike > 0 ? reset[k] : v;
		left[i] = spike > 0 ? ref_steps[k] : r;
		i_ex[i] = i_ex[i] * decay_ex[k] + ex[i];
		i_in[i] = i_in[i] * decay_in[k] + in[i];
		out[i] = spike;
	}
}

CLONES static void step(const struct neuron_ctx *c)
{
	double values[N_COEFS];
	struct neuron_ctx same;

	if (c->stride) {
		run(c, 1);
		return;
	}
	same = coef_same(c, N_COEFS, values);
	run(&same, 0);
}

const struct neuron_model neuron_iaf_psc_exp = {
	.name = "iaf_psc_exp",
	.doc = "Leaky integrate-and-fire neuron with exponential synaptic currents.",
	.cite = "10.1007/s004220050570",
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
