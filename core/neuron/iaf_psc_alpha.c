/* iaf_psc_alpha.c - leaky integrate and fire, alpha-shaped currents, integrated exactly.
 *
 *   dV_m/dt = -(V_m - E_L) / tau_m + (I_syn_ex + I_syn_in + I_e) / C_m
 *   I_syn   = weight * e / tau_syn * t * exp(-t / tau_syn) after each spike: the peak is the
 *             weight, tau_syn after the spike
 *
 * Each current is two states, I and dI, of which a spike raises dI. V_m moves with the currents at
 * the start of the step, then these move, then the input of the step is added: what arrives at t
 * acts on V_m after t. V_m is held while refractory, the currents are not.
 * Rotter, Diesmann (1999), doi:10.1007/s004220050570. */
/* SPDX-License-Identifier: MIT */
#include "core/base/fmath.h"
#include "core/model/coef.h"
#include "core/model/neuron.h"

enum { E_L, C_M, TAU_M, T_REF, V_TH, V_RESET, TAU_SYN_EX, TAU_SYN_IN, I_E, V_MIN, N_PARAMS };

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
	[TAU_SYN_EX] = { "tau_syn_ex", "Time to the peak of the excitatory current.", UNIT_MS,
			 PARAM_NUMBER, 2, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[TAU_SYN_IN] = { "tau_syn_in", "Time to the peak of the inhibitory current.", UNIT_MS,
			 PARAM_NUMBER, 2, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[I_E] = { "I_e", "Constant input current.", UNIT_PA, PARAM_NUMBER, 0, -1e9, 1e9 },
	[V_MIN] = { "V_min", "Lower bound of V_m.", UNIT_MV, PARAM_NUMBER, -PARAM_INF, -PARAM_INF,
		    1e6 },
};

enum { V_M, I_SYN_EX, I_SYN_IN, DI_SYN_EX, DI_SYN_IN, REFRACTORY, N_STATES };

static const struct state_def states[N_STATES] = {
	[V_M] = { "V_m", "Membrane potential.", UNIT_MV, -70, E_L },
	[I_SYN_EX] = { "I_syn_ex", "Excitatory synaptic current.", UNIT_PA, 0, -1 },
	[I_SYN_IN] = { "I_syn_in", "Inhibitory synaptic current.", UNIT_PA, 0, -1 },
	[DI_SYN_EX] = { "dI_syn_ex", "Rise of the excitatory current, pA/ms.", UNIT_NONE, 0, -1,
			true },
	[DI_SYN_IN] = { "dI_syn_in", "Rise of the inhibitory current, pA/ms.", UNIT_NONE, 0, -1,
			true },
	[REFRACTORY] = { "refractory_steps", "Steps until V_m moves again.", UNIT_NONE, 0, -1,
			 true },
};

enum {
	P_V,
	P_EX,
	P_DEX,
	P_IN,
	P_DIN,
	P_I,
	DECAY_EX,
	DECAY_IN,
	RISE_EX, /* from dI to I */
	RISE_IN,
	PEAK_EX, /* from a weight to dI */
	PEAK_IN,
	REST,
	THRESHOLD,
	RESET,
	BOUND,
	REF_STEPS,
	DC,
	N_COEFS
};

static int check(const double *p, struct err *err)
{
	if (!(p[V_RESET] < p[V_TH]))
		return err_set(err, ERR_CONFLICT, "V_reset",
			       "V_reset must be below V_th = %g mV, not %g mV", p[V_TH],
			       p[V_RESET]);
	if (p[V_RESET] < p[V_MIN])
		return err_set(err, ERR_CONFLICT, "V_min",
			       "V_min must not be above V_reset = %g mV, not %g mV", p[V_RESET],
			       p[V_MIN]);
	return 0;
}

/* (exp(x) - 1 - x) / x^2 */
static double second(double x)
{
	return fabs(x) < 0.34 ? fmath_exp_series(x) : (fmath_expm1(x) - x) / (x * x);
}

/* From I and dI with time constant `tau` to V_m, within one step. Written with exp(x) - 1 and its
 * like in x = h (1 / tau - 1 / tau_m), so that tau close to and equal to tau_m is no special case:
 *   I:  (exp(-h / tau_m) - exp(-h / tau)) h / (C x)
 *   dI: (exp(-h / tau_m) - exp(-h / tau) (1 + x)) h^2 / (C x^2) */
static void propagators(double tau, double tau_m, double c, double h, double *ret_i, double *ret_di)
{
	double x = h * ((tau_m - tau) / (tau_m * tau)), e = fmath_exp(-h / tau);

	if (x > 600) { /* beyond the range of exp(x); exp(-h / tau) is nothing then */
		*ret_i = fmath_exp(-h / tau_m) / c * (h / x);
		*ret_di = fmath_exp(-h / tau_m) / c * (h / x) * (h / x);
		return;
	}
	*ret_i = e * h / c * (x == 0 ? 1 : fmath_expm1(x) / x);
	*ret_di = e * h * h / c * second(x);
}

static void prepare(const double *p, double dt, double *coef)
{
	const double e = 0x1.5bf0a8b145769p1;

	propagators(p[TAU_SYN_EX], p[TAU_M], p[C_M], dt, &coef[P_EX], &coef[P_DEX]);
	propagators(p[TAU_SYN_IN], p[TAU_M], p[C_M], dt, &coef[P_IN], &coef[P_DIN]);
	coef[P_V] = fmath_exp(-dt / p[TAU_M]);
	coef[P_I] = -p[TAU_M] / p[C_M] * fmath_expm1(-dt / p[TAU_M]);
	coef[DECAY_EX] = fmath_exp(-dt / p[TAU_SYN_EX]);
	coef[DECAY_IN] = fmath_exp(-dt / p[TAU_SYN_IN]);
	coef[RISE_EX] = dt * coef[DECAY_EX];
	coef[RISE_IN] = dt * coef[DECAY_IN];
	coef[PEAK_EX] = e / p[TAU_SYN_EX];
	coef[PEAK_IN] = e / p[TAU_SYN_IN];
	coef[REST] = p[E_L];
	coef[THRESHOLD] = p[V_TH];
	coef[RESET] = p[V_RESET];
	coef[BOUND] = p[V_MIN];
	coef[REF_STEPS] = floor(p[T_REF] / dt + 0.5);
	coef[DC] = p[I_E];
}

/* The potentials of all neurons, from the currents at the start of the step. */
static inline ALWAYS_INLINE void move(const struct neuron_ctx *c, size_t s)
{
	const double *restrict p_v = c->coef[P_V], *restrict p_i = c->coef[P_I];
	const double *restrict p_ex = c->coef[P_EX], *restrict p_dex = c->coef[P_DEX];
	const double *restrict p_in = c->coef[P_IN], *restrict p_din = c->coef[P_DIN];
	const double *restrict rest = c->coef[REST], *restrict threshold = c->coef[THRESHOLD];
	const double *restrict reset = c->coef[RESET], *restrict ref_steps = c->coef[REF_STEPS];
	const double *restrict bound = c->coef[BOUND], *restrict dc = c->coef[DC];
	const double *restrict i_ex = c->state[I_SYN_EX], *restrict d_ex = c->state[DI_SYN_EX];
	const double *restrict i_in = c->state[I_SYN_IN], *restrict d_in = c->state[DI_SYN_IN];
	const double *restrict current = c->current;
	double *restrict v_m = c->state[V_M], *restrict left = c->state[REFRACTORY];
	double *restrict out = c->out;

#pragma omp simd
	for (size_t i = 0; i < c->n; i++) {
		size_t k = i * s;
		double v = v_m[i], r = left[i], spike;
		double moved = rest[k] + ((v - rest[k]) * p_v[k] + d_ex[i] * p_dex[k] +
					  i_ex[i] * p_ex[k] + d_in[i] * p_din[k] +
					  i_in[i] * p_in[k] + (dc[k] + current[i]) * p_i[k]);

		moved = moved < bound[k] ? bound[k] : moved;
		v = r > 0 ? v : moved;
		r = r > 0 ? r - 1 : r;
		spike = v >= threshold[k] ? 1.0 : 0.0;
		v_m[i] = spike > 0 ? reset[k] : v;
		left[i] = spike > 0 ? ref_steps[k] : r;
		out[i] = spike;
	}
}

/* One current, with the input of the step at its end. */
static inline ALWAYS_INLINE void receive(const struct neuron_ctx *c, size_t s,
					 double *restrict i_syn, double *restrict d_syn,
					 const double *restrict decay, const double *restrict rise,
					 const double *restrict peak, const double *restrict in)
{
#pragma omp simd
	for (size_t i = 0; i < c->n; i++) {
		size_t k = i * s;

		i_syn[i] = i_syn[i] * decay[k] + d_syn[i] * rise[k];
		d_syn[i] = d_syn[i] * decay[k] + in[i] * peak[k];
	}
}

static inline ALWAYS_INLINE void run(const struct neuron_ctx *c, size_t s)
{
	move(c, s);
	receive(c, s, c->state[I_SYN_EX], c->state[DI_SYN_EX], c->coef[DECAY_EX], c->coef[RISE_EX],
		c->coef[PEAK_EX], c->in[0]);
	receive(c, s, c->state[I_SYN_IN], c->state[DI_SYN_IN], c->coef[DECAY_IN], c->coef[RISE_IN],
		c->coef[PEAK_IN], c->in[1]);
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

const struct neuron_model neuron_iaf_psc_alpha = {
	.name = "iaf_psc_alpha",
	.doc = "Leaky integrate-and-fire neuron with alpha-shaped synaptic currents.",
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
