/* lif_adaptive.c - leaky integrate and fire, conductances, a threshold that rises with each spike.
 *
 *   tau_m dV_m/dt = E_L - V_m + (g_e (E_ex - V_m) + g_i (E_in - V_m) + I_e) / g_L
 *   dg/dt         = -g / tau, plus the weight's magnitude at each spike
 *   dtheta/dt     = -theta / tau_theta
 *   V_m >= V_th + theta - theta_offset: V_m = V_reset, theta += theta_plus
 *
 * As Diehl and Cook use it: each spike makes a neuron less eager, so that all of a layer get their
 * share. Theta starts at theta_offset, so the first threshold is V_th; it decays exactly in every
 * step, and V_m is compared with the decayed one. One step of V_m by core/model/conductance.h; the
 * conductances take the input of the step at its end. While refractory V_m is held at V_reset.
 * Their conductances are in units of the leak, which g_L = 1 nS leaves as nS.
 * Diehl, Cook (2015), doi:10.3389/fncom.2015.00099. */
/* SPDX-License-Identifier: MIT */
#include "core/model/coef.h"
#include "core/model/conductance.h"
#include "core/model/neuron.h"

enum {
	E_L,
	TAU_M,
	G_L,
	T_REF,
	V_TH,
	V_RESET,
	E_EX,
	E_IN,
	TAU_GE,
	TAU_GI,
	THETA_PLUS,
	TAU_THETA,
	THETA_OFFSET,
	I_E,
	N_PARAMS
};

static const struct param_def params[N_PARAMS] = {
	[E_L] = { "E_L", "Resting potential.", UNIT_MV, PARAM_NUMBER, -65, -1e6, 1e6 },
	[TAU_M] = { "tau_m", "Membrane time constant.", UNIT_MS, PARAM_NUMBER, 100, 0, 1e6,
		    PARAM_OPEN_MIN | PARAM_OFFGRID },
	[G_L] = { "g_L", "Leak conductance.", UNIT_NS, PARAM_NUMBER, 1, 0, 1e6, PARAM_OPEN_MIN },
	[T_REF] = { "t_ref", "Refractory time.", UNIT_MS, PARAM_NUMBER, 5, 0, 1e6 },
	[V_TH] = { "V_th", "Threshold where theta is theta_offset.", UNIT_MV, PARAM_NUMBER, -52,
		   -1e6, 1e6 },
	[V_RESET] = { "V_reset", "Potential after a spike.", UNIT_MV, PARAM_NUMBER, -65, -1e6,
		      1e6 },
	[E_EX] = { "E_ex", "Excitatory reversal potential.", UNIT_MV, PARAM_NUMBER, 0, -1e6, 1e6 },
	[E_IN] = { "E_in", "Inhibitory reversal potential.", UNIT_MV, PARAM_NUMBER, -100, -1e6,
		   1e6 },
	[TAU_GE] = { "tau_ge", "Time constant of the excitatory conductance.", UNIT_MS,
		     PARAM_NUMBER, 1, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[TAU_GI] = { "tau_gi", "Time constant of the inhibitory conductance.", UNIT_MS,
		     PARAM_NUMBER, 2, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[THETA_PLUS] = { "theta_plus", "Rise of the threshold at a spike.", UNIT_MV, PARAM_NUMBER,
			 0.05, 0, 1e6 },
	[TAU_THETA] = { "tau_theta", "Time constant of the threshold's fall.", UNIT_MS,
			PARAM_NUMBER, 1e7, 0, 1e15, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[THETA_OFFSET] = { "theta_offset", "Part of theta that does not count; where it starts.",
			   UNIT_MV, PARAM_NUMBER, 20, -1e6, 1e6 },
	[I_E] = { "I_e", "Constant input current.", UNIT_PA, PARAM_NUMBER, 0, -1e9, 1e9 },
};

enum { V_M, G_E, G_I, THETA, REFRACTORY, N_STATES };

static const struct state_def states[N_STATES] = {
	[V_M] = { "V_m", "Membrane potential.", UNIT_MV, -65, E_L },
	[G_E] = { "g_e", "Excitatory conductance.", UNIT_NS, 0, -1 },
	[G_I] = { "g_i", "Inhibitory conductance.", UNIT_NS, 0, -1 },
	[THETA] = { "theta", "Adaptive part of the threshold.", UNIT_MV, 20, THETA_OFFSET },
	[REFRACTORY] = { "refractory_steps", "Steps until V_m moves again.", UNIT_NONE, 0, -1,
			 true },
};

enum {
	PER_C,
	LEAK,  /* 1/ms */
	DRIVE, /* mV/ms */
	REV_EX,
	REV_IN,
	HALF_EX,
	HALF_IN,
	DECAY_EX,
	DECAY_IN,
	TAU_EX,
	TAU_IN,
	THRESHOLD, /* without theta */
	RESET,
	REF_STEPS,
	DECAY_THETA,
	RISE,
	N_COEFS
};

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
	coef[PER_C] = 1 / (p[TAU_M] * p[G_L]);
	coef[LEAK] = 1 / p[TAU_M];
	coef[DRIVE] = p[E_L] / p[TAU_M] + p[I_E] * coef[PER_C];
	coef[REV_EX] = p[E_EX];
	coef[REV_IN] = p[E_IN];
	coef[HALF_EX] = fmath_exp(-0.5 * dt / p[TAU_GE]);
	coef[HALF_IN] = fmath_exp(-0.5 * dt / p[TAU_GI]);
	coef[DECAY_EX] = fmath_exp(-dt / p[TAU_GE]);
	coef[DECAY_IN] = fmath_exp(-dt / p[TAU_GI]);
	coef[TAU_EX] = p[TAU_GE];
	coef[TAU_IN] = p[TAU_GI];
	coef[THRESHOLD] = p[V_TH] - p[THETA_OFFSET];
	coef[RESET] = p[V_RESET];
	coef[REF_STEPS] = floor(p[T_REF] / dt + 0.5);
	coef[DECAY_THETA] = fmath_exp(-dt / p[TAU_THETA]);
	coef[RISE] = p[THETA_PLUS];
}

/* Neuron i as one part of a whole step; k is its place among the coefficients. */
static inline ALWAYS_INLINE struct conductance membrane(const struct neuron_ctx *c, size_t i,
							size_t k)
{
	return (struct conductance){
		.leak = c->coef[LEAK][k],
		.drive = c->coef[DRIVE][k] + c->current[i] * c->coef[PER_C][k],
		.rev_ex = c->coef[REV_EX][k],
		.rev_in = c->coef[REV_IN][k],
		.half_ex = c->coef[HALF_EX][k],
		.half_in = c->coef[HALF_IN][k],
		.width = c->dt,
	};
}

/* out[i] = V_m at the end of the step; returns how many membranes are too fast for that. */
static inline ALWAYS_INLINE double move(const struct neuron_ctx *c, size_t s)
{
	const double *restrict v_m = c->state[V_M], *restrict g_ex = c->state[G_E];
	const double *restrict g_in = c->state[G_I], *restrict per_c = c->coef[PER_C];
	double *restrict out = c->out, fast = 0;

#pragma omp simd reduction(+ : fast)
	for (size_t i = 0; i < c->n; i++) {
		struct conductance m = membrane(c, i, i * s);
		double ex = g_ex[i] * per_c[i * s], in = g_in[i] * per_c[i * s];

		out[i] = conductance_part(&m, v_m[i], ex, in);
		fast += conductance_speed(m.leak, ex, in, m.width) > 0.1 ? 1.0 : 0.0;
	}
	return fast;
}

/* The fast ones among neurons from..from + n. */
static void find_fast(const struct neuron_ctx *c, size_t from, size_t n, struct conductance_fast *f)
{
	size_t s = c->stride;

	f->n = 0;
	f->halves = NULL;
	for (size_t i = from; i < from + n; i++) {
		double ex = c->state[G_E][i] * c->coef[PER_C][i * s];
		double in = c->state[G_I][i] * c->coef[PER_C][i * s];

		f->at[f->n] = (uint32_t)i;
		f->n += conductance_speed(c->coef[LEAK][i * s], ex, in, c->dt) > 0.1;
	}
	for (size_t j = 0; j < f->n; j++) {
		/* The first f->n are set. NOLINTNEXTLINE(clang-analyzer-core.*) */
		size_t i = f->at[j], k = i * s;
		struct conductance m = membrane(c, i, k);

		conductance_fast_set(f, j, &m, c->state[V_M][i],
				     c->state[G_E][i] * c->coef[PER_C][k],
				     c->state[G_I][i] * c->coef[PER_C][k]);
		f->tau_ex[j] = c->coef[TAU_EX][k];
		f->tau_in[j] = c->coef[TAU_IN][k];
	}
}

static void move_fast(const struct neuron_ctx *c)
{
	struct conductance_fast f;

	for (size_t from = 0; from < c->n; from += CONDUCTANCE_BLOCK) {
		size_t left = c->n - from;

		find_fast(c, from, left < CONDUCTANCE_BLOCK ? left : CONDUCTANCE_BLOCK, &f);
		conductance_fast_run(&f, c->dt, c->out);
	}
}

/* Threshold, refractory time and input, from out[i] = V_m. */
static inline ALWAYS_INLINE void finish(const struct neuron_ctx *c, size_t s)
{
	const double *restrict decay_ex = c->coef[DECAY_EX], *restrict decay_in = c->coef[DECAY_IN];
	const double *restrict threshold = c->coef[THRESHOLD], *restrict reset = c->coef[RESET];
	const double *restrict ref_steps = c->coef[REF_STEPS], *restrict rise = c->coef[RISE];
	const double *restrict decay_theta = c->coef[DECAY_THETA];
	const double *restrict ex = c->in[0], *restrict in = c->in[1];
	double *restrict v_m = c->state[V_M], *restrict g_ex = c->state[G_E];
	double *restrict g_in = c->state[G_I], *restrict left = c->state[REFRACTORY];
	double *restrict theta = c->state[THETA], *restrict out = c->out;

#pragma omp simd
	for (size_t i = 0; i < c->n; i++) {
		size_t k = i * s;
		double r = left[i], v = r > 0 ? reset[k] : out[i];
		double high = theta[i] * decay_theta[k];
		double spike = v >= threshold[k] + high ? 1.0 : 0.0;

		r = r > 0 ? r - 1 : r;
		v_m[i] = spike > 0 ? reset[k] : v;
		left[i] = spike > 0 ? ref_steps[k] : r;
		theta[i] = spike > 0 ? high + rise[k] : high;
		g_ex[i] = g_ex[i] * decay_ex[k] + ex[i];
		g_in[i] = g_in[i] * decay_in[k] - in[i];
		out[i] = spike;
	}
}

/* `x` is c, with coefficients as the stride s has them. */
static inline ALWAYS_INLINE void run(const struct neuron_ctx *c, const struct neuron_ctx *x,
				     size_t s)
{
	if (move(x, s) > 0)
		move_fast(c);
	finish(x, s);
}

CLONES static void step(const struct neuron_ctx *c)
{
	double values[N_COEFS];
	struct neuron_ctx same;

	if (c->stride) {
		run(c, c, 1);
		return;
	}
	same = coef_same(c, N_COEFS, values);
	run(c, &same, 0);
}

const struct neuron_model neuron_lif_adaptive = {
	.name = "lif_adaptive",
	.doc = "Leaky integrate-and-fire neuron with conductances and an adaptive threshold.",
	.cite = "10.3389/fncom.2015.00099",
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
