/* iaf_cond_exp.c - leaky integrate and fire, exponential conductances.
 *
 *   C_m dV_m/dt = -g_L (V_m - E_L) - g_ex (V_m - E_ex) - g_in (V_m - E_in) + I_e
 *   dg/dt       = -g / tau_syn, plus the weight's magnitude at each spike
 *
 * One step by core/model/conductance.h. The conductances take the input of the step at its end:
 * what arrives at t acts on V_m after t. While refractory V_m is held at V_reset. */
/* SPDX-License-Identifier: MIT */
#include "core/model/coef.h"
#include "core/model/conductance.h"
#include "core/model/neuron.h"

enum { E_L, C_M, G_L, T_REF, V_TH, V_RESET, E_EX, E_IN, TAU_SYN_EX, TAU_SYN_IN, I_E, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[E_L] = { "E_L", "Resting potential.", UNIT_MV, PARAM_NUMBER, -70, -1e6, 1e6 },
	[C_M] = { "C_m", "Membrane capacitance.", UNIT_PF, PARAM_NUMBER, 250, 0, 1e6,
		  PARAM_OPEN_MIN },
	[G_L] = { "g_L", "Leak conductance.", UNIT_NS, PARAM_NUMBER, 16.6667, 0, 1e6 },
	[T_REF] = { "t_ref", "Refractory time.", UNIT_MS, PARAM_NUMBER, 2, 0, 1e6 },
	[V_TH] = { "V_th", "Threshold.", UNIT_MV, PARAM_NUMBER, -55, -1e6, 1e6 },
	[V_RESET] = { "V_reset", "Potential after a spike.", UNIT_MV, PARAM_NUMBER, -60, -1e6,
		      1e6 },
	[E_EX] = { "E_ex", "Excitatory reversal potential.", UNIT_MV, PARAM_NUMBER, 0, -1e6, 1e6 },
	[E_IN] = { "E_in", "Inhibitory reversal potential.", UNIT_MV, PARAM_NUMBER, -85, -1e6,
		   1e6 },
	[TAU_SYN_EX] = { "tau_syn_ex", "Time constant of the excitatory conductance.", UNIT_MS,
			 PARAM_NUMBER, 0.2, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[TAU_SYN_IN] = { "tau_syn_in", "Time constant of the inhibitory conductance.", UNIT_MS,
			 PARAM_NUMBER, 2, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[I_E] = { "I_e", "Constant input current.", UNIT_PA, PARAM_NUMBER, 0, -1e9, 1e9 },
};

enum { V_M, G_EX, G_IN, REFRACTORY, N_STATES };

static const struct state_def states[N_STATES] = {
	[V_M] = { "V_m", "Membrane potential.", UNIT_MV, -70, E_L },
	[G_EX] = { "g_ex", "Excitatory conductance.", UNIT_NS, 0, -1 },
	[G_IN] = { "g_in", "Inhibitory conductance.", UNIT_NS, 0, -1 },
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
	THRESHOLD,
	RESET,
	REF_STEPS,
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
	coef[PER_C] = 1 / p[C_M];
	coef[LEAK] = p[G_L] / p[C_M];
	coef[DRIVE] = (p[G_L] * p[E_L] + p[I_E]) / p[C_M];
	coef[REV_EX] = p[E_EX];
	coef[REV_IN] = p[E_IN];
	coef[HALF_EX] = fmath_exp(-0.5 * dt / p[TAU_SYN_EX]);
	coef[HALF_IN] = fmath_exp(-0.5 * dt / p[TAU_SYN_IN]);
	coef[DECAY_EX] = fmath_exp(-dt / p[TAU_SYN_EX]);
	coef[DECAY_IN] = fmath_exp(-dt / p[TAU_SYN_IN]);
	coef[TAU_EX] = p[TAU_SYN_EX];
	coef[TAU_IN] = p[TAU_SYN_IN];
	coef[THRESHOLD] = p[V_TH];
	coef[RESET] = p[V_RESET];
	coef[REF_STEPS] = floor(p[T_REF] / dt + 0.5);
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

/* Neurons from..from + n: out[i] = V_m at the end of the step, and how fast each membrane is that
 * moves; returns how many are too fast for that. */
static inline ALWAYS_INLINE double move(const struct neuron_ctx *c, size_t s, size_t from, size_t n,
					double *restrict speed)
{
	const double *restrict v_m = c->state[V_M], *restrict g_ex = c->state[G_EX];
	const double *restrict g_in = c->state[G_IN], *restrict per_c = c->coef[PER_C];
	const double *restrict left = c->state[REFRACTORY];
	double *restrict out = c->out, fast = 0;

#pragma omp simd reduction(+ : fast)
	for (size_t i = from; i < from + n; i++) {
		struct conductance m = membrane(c, i, i * s);
		double ex = g_ex[i] * per_c[i * s], in = g_in[i] * per_c[i * s];
		double own = conductance_speed(m.leak, ex, in, m.width);

		out[i] = conductance_part(&m, v_m[i], ex, in);
		own = left[i] > 0 ? 0 : own;
		speed[i - from] = own;
		fast += own > 0.1 ? 1.0 : 0.0;
	}
	return fast;
}

/* Which of n membranes are fast, but not so fast or fed by such quick conductances that they cannot be
 * followed. */
static inline ALWAYS_INLINE size_t which_follow(const struct neuron_ctx *c, size_t s, size_t from,
						size_t n, const double *restrict speed,
						uint32_t *restrict ret_at)
{
	const double *restrict tau_ex = c->coef[TAU_EX], *restrict tau_in = c->coef[TAU_IN];
	double least = CONDUCTANCE_SLOW * c->dt;
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = (from + i) * s;

		ret_at[m] = (uint32_t)(from + i);
		m += (speed[i] > 0.1) & (speed[i] <= 100) & (tau_ex[k] >= least) &
		     (tau_in[k] >= least);
	}
	return m;
}

/* Those, side by side, since it takes far more than move(): out[i] in one step. How many of `fast` are
 * left; if any, `speed` knows only these as fast. */
static inline ALWAYS_INLINE double follow(const struct neuron_ctx *c, size_t s, size_t from,
					  size_t n, double fast, double *restrict speed)
{
	const double *restrict v_m = c->state[V_M], *restrict g_ex = c->state[G_EX];
	const double *restrict g_in = c->state[G_IN], *restrict per_c = c->coef[PER_C];
	uint32_t at[CONDUCTANCE_BLOCK + CONDUCTANCE_LANES];
	double v[CONDUCTANCE_BLOCK + CONDUCTANCE_LANES];
	size_t m = which_follow(c, s, from, n, speed, at), whole = m;

	while (whole % CONDUCTANCE_LANES) /* whole groups of lanes */
		at[whole++] = at[m - 1];
#pragma omp simd
	for (size_t j = 0; j < whole; j++) {
		/* The first `whole` are set. NOLINTNEXTLINE(clang-analyzer-core.*) */
		size_t i = at[j], k = i * s;
		struct conductance mem = membrane(c, i, k);

		v[j] = conductance_follow(&mem, v_m[i], g_ex[i] * per_c[k], g_in[i] * per_c[k]);
	}
	for (size_t j = 0; j < m; j++)
		c->out[at[j]] = v[j]; /* NOLINT(clang-analyzer-core.*): m <= whole */
	for (size_t j = 0; (double)m < fast && j < m; j++)
		speed[at[j] - from] = 0;
	return fast - (double)m;
}

static void move_fast(const struct neuron_ctx *c, size_t from, size_t n, const double *speed,
		      const struct conductance_halves *halves)
{
	struct conductance_fast f;

	f.n = 0;
	f.halves = c->stride ? NULL : halves;
	for (size_t i = 0; i < n; i++) {
		f.at[f.n] = (uint32_t)(from + i);
		f.n += speed[i] > 0.1;
	}
	for (size_t j = 0; j < f.n; j++) {
		/* The first f.n are set. NOLINTNEXTLINE(clang-analyzer-core.*) */
		size_t i = f.at[j], k = i * c->stride;
		struct conductance m = membrane(c, i, k);

		conductance_fast_set(&f, j, &m, c->state[V_M][i],
				     c->state[G_EX][i] * c->coef[PER_C][k],
				     c->state[G_IN][i] * c->coef[PER_C][k]);
		f.tau_ex[j] = c->coef[TAU_EX][k];
		f.tau_in[j] = c->coef[TAU_IN][k];
	}
	conductance_fast_run(&f, c->dt, c->out);
}

/* Threshold, refractory time and input, from out[i] = V_m. */
static inline ALWAYS_INLINE void finish(const struct neuron_ctx *c, size_t s, size_t from, size_t n)
{
	const double *restrict decay_ex = c->coef[DECAY_EX], *restrict decay_in = c->coef[DECAY_IN];
	const double *restrict threshold = c->coef[THRESHOLD], *restrict reset = c->coef[RESET];
	const double *restrict ref_steps = c->coef[REF_STEPS];
	const double *restrict ex = c->in[0], *restrict in = c->in[1];
	double *restrict v_m = c->state[V_M], *restrict g_ex = c->state[G_EX];
	double *restrict g_in = c->state[G_IN], *restrict left = c->state[REFRACTORY];
	double *restrict out = c->out;

#pragma omp simd
	for (size_t i = from; i < from + n; i++) {
		size_t k = i * s;
		double r = left[i], v = r > 0 ? reset[k] : out[i];
		double spike = v >= threshold[k] ? 1.0 : 0.0;

		r = r > 0 ? r - 1 : r;
		v_m[i] = spike > 0 ? reset[k] : v;
		left[i] = spike > 0 ? ref_steps[k] : r;
		g_ex[i] = g_ex[i] * decay_ex[k] + ex[i];
		g_in[i] = g_in[i] * decay_in[k] - in[i];
		out[i] = spike;
	}
}

/* `x` is c, with coefficients as the stride s has them. */
static inline ALWAYS_INLINE void run(const struct neuron_ctx *c, const struct neuron_ctx *x,
				     size_t s)
{
	double speed[CONDUCTANCE_BLOCK], fast;
	struct conductance_halves halves;
	bool known = false;

	for (size_t from = 0, n; from < c->n; from += n) {
		n = c->n - from < CONDUCTANCE_BLOCK ? c->n - from : CONDUCTANCE_BLOCK;
		fast = move(x, s, from, n, speed);
		if (fast > 0 && follow(x, s, from, n, fast, speed) > 0) {
			if (s == 0 && !known)
				conductance_halves_init(&halves, x->dt, x->coef[TAU_EX][0],
							x->coef[TAU_IN][0]);
			known = true;
			move_fast(c, from, n, speed, &halves);
		}
		finish(x, s, from, n);
	}
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

const struct neuron_model neuron_iaf_cond_exp = {
	.name = "iaf_cond_exp",
	.doc = "Leaky integrate-and-fire neuron with exponential synaptic conductances.",
	.cite = "10.1007/s10827-007-0038-6",
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
