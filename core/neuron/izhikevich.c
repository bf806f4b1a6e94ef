/* izhikevich.c - the two-variable model of Izhikevich.
 *
 *   dV_m/dt = 0.04 V_m^2 + 5 V_m + 140 - U_m + I,   dU_m/dt = a (b V_m - U_m)
 *   V_m >= V_th: V_m = c, U_m += d
 *
 * consistent_integration: one Euler step of both from the old values, the input is added to V_m as
 * it is. Otherwise the scheme of the paper: the input is a current, V_m moves in two half steps,
 * then U_m with the new V_m; meant for steps of 1 ms. Its numbers are the model's definition, so
 * nothing more exact is tried. Izhikevich (2003), doi:10.1109/TNN.2003.820440. */
/* SPDX-License-Identifier: MIT */
#include "core/model/coef.h"
#include "core/model/neuron.h"

enum { A, B, C, D, V_TH, V_MIN, I_E, CONSISTENT, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[A] = { "a", "Rate of the recovery, per ms.", UNIT_NONE, PARAM_NUMBER, 0.02, -1e6, 1e6 },
	[B] = { "b", "Sensitivity of the recovery to V_m.", UNIT_NONE, PARAM_NUMBER, 0.2, -1e6,
		1e6 },
	[C] = { "c", "Potential after a spike.", UNIT_MV, PARAM_NUMBER, -65, -1e6, 1e6 },
	[D] = { "d", "Jump of the recovery at a spike.", UNIT_MV, PARAM_NUMBER, 8, -1e6, 1e6 },
	[V_TH] = { "V_th", "Potential at which a spike is detected.", UNIT_MV, PARAM_NUMBER, 30,
		   -1e6, 1e6 },
	[V_MIN] = { "V_min", "Lower bound of V_m.", UNIT_MV, PARAM_NUMBER, -PARAM_INF, -PARAM_INF,
		    1e6 },
	[I_E] = { "I_e", "Constant input current.", UNIT_PA, PARAM_NUMBER, 0, -1e9, 1e9 },
	[CONSISTENT] = { "consistent_integration",
			 "One Euler step; otherwise the scheme of the paper.", UNIT_NONE,
			 PARAM_BOOL, 1, 0, 1 },
};

enum { V_M, U_M, N_STATES };

static const struct state_def states[N_STATES] = {
	[V_M] = { "V_m", "Membrane potential.", UNIT_MV, -65, -1 },
	[U_M] = { "U_m", "Recovery.", UNIT_MV, -13, -1 },
};

/* EULER, PAPER: the width of the steps in one scheme, 0 in the other. */
enum { RATE, SLOPE, RESET, JUMP, THRESHOLD, BOUND, DC, EULER, PAPER, N_COEFS };

static int check(const double *p, struct err *err)
{
	if (!(p[C] < p[V_TH]))
		return err_set(err, ERR_CONFLICT, "c", "c must be below V_th = %g mV, not %g mV",
			       p[V_TH], p[C]);
	if (!(p[V_MIN] < p[V_TH]))
		return err_set(err, ERR_CONFLICT, "V_min",
			       "V_min must be below V_th = %g mV, not %g mV", p[V_TH], p[V_MIN]);
	return 0;
}

static void prepare(const double *p, double dt, double *coef)
{
	coef[RATE] = p[A];
	coef[SLOPE] = p[B];
	coef[RESET] = p[C];
	coef[JUMP] = p[D];
	coef[THRESHOLD] = p[V_TH];
	coef[BOUND] = p[V_MIN];
	coef[DC] = p[I_E];
	coef[EULER] = p[CONSISTENT] > 0 ? dt : 0;
	coef[PAPER] = p[CONSISTENT] > 0 ? 0 : dt;
}

static inline ALWAYS_INLINE double slope(double v, double u, double i, double dc)
{
	return 0.04 * v * v + 5.0 * v + 140.0 - u + i + dc;
}

static inline ALWAYS_INLINE void run(const struct neuron_ctx *c, size_t s)
{
	const double *restrict rate = c->coef[RATE], *restrict b = c->coef[SLOPE];
	const double *restrict reset = c->coef[RESET], *restrict jump = c->coef[JUMP];
	const double *restrict threshold = c->coef[THRESHOLD], *restrict bound = c->coef[BOUND];
	const double *restrict dc = c->coef[DC], *restrict euler = c->coef[EULER];
	const double *restrict paper = c->coef[PAPER], *restrict current = c->current;
	const double *restrict in = c->in[0];
	double *restrict v_m = c->state[V_M], *restrict u_m = c->state[U_M];
	double *restrict out = c->out;

#pragma omp simd
	for (size_t i = 0; i < c->n; i++) {
		size_t k = i * s;
		double v0 = v_m[i], u0 = u_m[i], now = current[i], v, u, spike;
		double ve = v0 + (euler[k] * slope(v0, u0, now, dc[k]) + in[i]);
		double ue = u0 + euler[k] * rate[k] * (b[k] * v0 - u0);
		double vp = v0 + paper[k] * 0.5 * (slope(v0, u0, now, dc[k]) + in[i]);
		double up;

		vp = vp + paper[k] * 0.5 * (slope(vp, u0, now, dc[k]) + in[i]);
		up = u0 + paper[k] * rate[k] * (b[k] * vp - u0);
		v = euler[k] > 0 ? ve : vp;
		u = euler[k] > 0 ? ue : up;
		v = v < bound[k] ? bound[k] : v;
		spike = v >= threshold[k] ? 1.0 : 0.0;
		v_m[i] = spike > 0 ? reset[k] : v;
		u_m[i] = spike > 0 ? u + jump[k] : u;
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

const struct neuron_model neuron_izhikevich = {
	.name = "izhikevich",
	.doc = "Izhikevich's neuron: quadratic spikes and a recovery variable.",
	.cite = "10.1109/TNN.2003.820440",
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
