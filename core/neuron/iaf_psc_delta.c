/* iaf_psc_delta.c - leaky integrate and fire, input as jumps of the potential, integrated
 * exactly.
 *
 *   dV_m/dt = -(V_m - E_L) / tau_m + I_e / C_m, plus the weight (mV) at each spike
 *
 * The step decays V_m, adds all jumps that arrive at its end, then compares with the threshold.
 * While refractory V_m is held and what arrives is lost. */
/* SPDX-License-Identifier: MIT */
#include "core/base/fmath.h"
#include "core/model/coef.h"
#include "core/model/neuron.h"

enum { E_L, C_M, TAU_M, T_REF, V_TH, V_RESET, I_E, N_PARAMS };

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
	[I_E] = { "I_e", "Constant input current.", UNIT_PA, PARAM_NUMBER, 0, -1e9, 1e9 },
};

enum { V_M, REFRACTORY, N_STATES };

static const struct state_def states[N_STATES] = {
	[V_M] = { "V_m", "Membrane potential.", UNIT_MV, -70, E_L },
	[REFRACTORY] = { "refractory_steps", "Steps until V_m moves again.", UNIT_NONE, 0, -1,
			 true },
};

enum { P_V, P_I, REST, THRESHOLD, RESET, REF_STEPS, DC, N_COEFS };

static int check(const double *p, struct err *err)
{
	if (!(p[V_RESET] < p[V_TH]))
		return err_set(err, ERR_CONFLICT, "V_reset",
			       "V_reset must be below V_th = %g mV, not %g mV", p[V_TH],
			       p[V_RESET]);
	return 0;
}

static void prepare(const double *p, double dt, double *coef)
{
	coef[P_V] = fmath_exp(-dt / p[TAU_M]);
	coef[P_I] = -p[TAU_M] / p[C_M] * fmath_expm1(-dt / p[TAU_M]);
	coef[REST] = p[E_L];
	coef[THRESHOLD] = p[V_TH];
	coef[RESET] = p[V_RESET];
	coef[REF_STEPS] = floor(p[T_REF] / dt + 0.5);
	coef[DC] = p[I_E];
}

static inline ALWAYS_INLINE void run(const struct neuron_ctx *c, size_t s)
{
	const double *restrict p_v = c->coef[P_V], *restrict p_i = c->coef[P_I];
	const double *restrict rest = c->coef[REST], *restrict threshold = c->coef[THRESHOLD];
	const double *restrict reset = c->coef[RESET], *restrict ref_steps = c->coef[REF_STEPS];
	const double *restrict dc = c->coef[DC], *restrict current = c->current;
	const double *restrict in = c->in[0];
	double *restrict v_m = c->state[V_M], *restrict left = c->state[REFRACTORY];
	double *restrict out = c->out;

#pragma omp simd
	for (size_t i = 0; i < c->n; i++) {
		size_t k = i * s;
		double v = v_m[i], r = left[i];
		double moved =
			rest[k] + ((v - rest[k]) * p_v[k] + (dc[k] + current[i]) * p_i[k] + in[i]);
		double spike;

		v = r > 0 ? v : moved;
		r = r > 0 ? r - 1 : r;
		spike = v >= threshold[k] ? 1.0 : 0.0;
		v_m[i] = spike > 0 ? reset[k] : v;
		left[i] = spike > 0 ? ref_steps[k] : r;
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

const struct neuron_model neuron_iaf_psc_delta = {
	.name = "iaf_psc_delta",
	.doc = "Leaky integrate-and-fire neuron whose input makes its potential jump.",
	.cite = "10.1007/s004220050570",
	.kind = NEURON_CELL,
	.input = NEURON_IN_SUM,
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
