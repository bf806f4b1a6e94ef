/* srm.c - spike response model: kernels instead of equations, all input is forgotten at a spike.
 *
 *   V_m(t) = sum w K (exp(-s / tau_m) - exp(-s / tau_s)), s = t - arrival, over what came since the
 *            last spike; K makes the largest value 1 for a weight of 1
 *          + V_th (K_1 exp(-r / tau_m) - K_2 (exp(-r / tau_m) - exp(-r / tau_s))), r since it
 *
 * V_m counts from rest. A spike is V_m rising through V_th: with K_1 above 1 it is above the
 * threshold for a while after a spike, and emits none; nor does it where input holds it there. Both
 * kernels are sums of the same two exponentials, so two columns hold everything, exactly. What
 * arrives at t acts after t, at a spike's time too. Gerstner, Ritz, van Hemmen (1993); the numbers
 * are those of Masquelier, Guyonneau, Thorpe (2008), doi:10.1371/journal.pone.0001377. */
/* SPDX-License-Identifier: MIT */
#include "core/base/fmath.h"
#include "core/model/neuron.h"

enum { TAU_M, TAU_S, V_TH, K_1, K_2, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[TAU_M] = { "tau_m", "Membrane time constant.", UNIT_MS, PARAM_NUMBER, 10, 0, 1e6,
		    PARAM_OPEN_MIN | PARAM_OFFGRID },
	[TAU_S] = { "tau_s", "Synaptic time constant, shorter than tau_m.", UNIT_MS, PARAM_NUMBER,
		    2.5, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[V_TH] = { "V_th", "Threshold above rest.", UNIT_MV, PARAM_NUMBER, 500, 0, 1e6,
		   PARAM_OPEN_MIN },
	[K_1] = { "K_1", "Potential after a spike, in thresholds.", UNIT_NONE, PARAM_NUMBER, 2, 0,
		  1e3 },
	[K_2] = { "K_2", "Strength of the undershoot, in thresholds.", UNIT_NONE, PARAM_NUMBER, 4,
		  0, 1e3 },
};

enum { V_M, FAST, N_STATES };

static const struct state_def states[N_STATES] = {
	[V_M] = { "V_m", "Potential above rest.", UNIT_MV, 0, -1 },
	[FAST] = { "fast", "Decays with tau_s; V_m and it together decay with tau_m.", UNIT_MV, 0,
		   -1, true },
};

enum { P_M, P_S, GAIN, THRESHOLD, AFTER, AFTER_FAST, N_COEFS };

static int check(const double *p, struct err *err)
{
	if (!(p[TAU_S] < p[TAU_M]))
		return err_set(err, ERR_CONFLICT, "tau_s",
			       "tau_s must be below tau_m = %g ms, not %g ms", p[TAU_M], p[TAU_S]);
	return 0;
}

static void prepare(const double *p, double dt, double *coef)
{
	/* The difference of the exponentials is largest at tau_m ratio ln(1 / ratio) / (1 - ratio). */
	double ratio = p[TAU_S] / p[TAU_M], at = -ratio / (1 - ratio) * fmath_log(ratio);

	coef[P_M] = fmath_exp(-dt / p[TAU_M]);
	coef[P_S] = fmath_exp(-dt / p[TAU_S]);
	coef[GAIN] = 1 / (fmath_exp(-at) - fmath_exp(-at / ratio));
	coef[THRESHOLD] = p[V_TH];
	coef[AFTER] = p[K_1] * p[V_TH];
	coef[AFTER_FAST] = -p[K_2] * p[V_TH];
}

static inline ALWAYS_INLINE void run(const struct neuron_ctx *c, size_t s)
{
	const double *restrict p_m = c->coef[P_M], *restrict p_s = c->coef[P_S];
	const double *restrict gain = c->coef[GAIN], *restrict threshold = c->coef[THRESHOLD];
	const double *restrict after = c->coef[AFTER], *restrict in = c->in[0];
	const double *restrict after_fast = c->coef[AFTER_FAST];
	double *restrict v_m = c->state[V_M], *restrict fast = c->state[FAST];
	double *restrict out = c->out;

#pragma omp simd
	for (size_t i = 0; i < c->n; i++) {
		size_t k = i * s;
		double f = fast[i] * p_s[k], v = (v_m[i] + fast[i]) * p_m[k] - f;
		double rises = v_m[i] < threshold[k] ? 1.0 : 0.0;
		double spike = v >= threshold[k] ? rises : 0.0;

		v_m[i] = spike > 0 ? after[k] : v;
		fast[i] = (spike > 0 ? after_fast[k] : f) + gain[k] * in[i];
		out[i] = spike;
	}
}

CLONES static void step(const struct neuron_ctx *c)
{
	if (c->stride)
		run(c, 1);
	else
		run(c, 0);
}

const struct neuron_model neuron_srm = {
	.name = "srm",
	.doc = "Spike response model with exponential kernels; input before a spike is forgotten.",
	.cite = "10.1371/journal.pone.0001377",
	.kind = NEURON_CELL,
	.input = NEURON_IN_SUM,
	.takes_current = false,
	.params = params,
	.n_params = N_PARAMS,
	.states = states,
	.n_states = N_STATES,
	.n_coefs = N_COEFS,
	.check = check,
	.prepare = prepare,
	.step = step,
};
