/* aeif_psc_delta_clopath.c - adaptive exponential integrate and fire, for the voltage rule.
 *
 *   C_m dV_m/dt = -g_L (V_m - E_L) + g_L Delta_T exp((V_m - V_th) / Delta_T) - w + z + I_e
 *   tau_w dw/dt = a (V_m - E_L) - w                  adaptation
 *   tau_z dz/dt = -z                                 current after a spike
 *   tau_V_th dV_th/dt = V_th_rest - V_th             threshold
 *   tau du_bar/dt = V_m - u_bar                      u_bar_plus and u_bar_minus: V_m, low-passed
 *   tau_u_bar_bar du_bar_bar/dt = u_bar_minus - u_bar_bar
 *
 * Input jumps V_m. V_m at V_peak is a spike at that very time inside the step: w += b, z = I_sp,
 * V_th = V_th_max, and V_m is held at V_clamp for t_clamp, then at V_reset for t_ref; w stands
 * still while V_m is clamped, and what arrives while V_m is held is lost. A t_clamp of 0 goes to
 * V_reset at once. With Delta_T = 0 spikes are at V_th.
 *
 * Integrated adaptively (core/model/ode.h). As in NEST the input of a step jumps V_m at the end of
 * the first part of it, which but near spikes is the whole step, and so does the end of the clamp.
 * Clopath, Buesing, Vasilaki, Gerstner (2010), doi:10.1038/nn.2479. */
/* SPDX-License-Identifier: MIT */
#include "core/model/neuron.h"
#include "core/model/ode.h"

enum {
	E_L,
	C_M,
	G_L,
	V_RESET,
	V_PEAK,
	V_CLAMP,
	V_TH_REST,
	V_TH_MAX,
	TAU_V_TH,
	DELTA_T,
	A,
	B,
	TAU_W,
	I_SP,
	TAU_Z,
	TAU_U_BAR_PLUS,
	TAU_U_BAR_MINUS,
	TAU_U_BAR_BAR,
	T_CLAMP,
	T_REF,
	I_E,
	TOLERANCE,
	N_PARAMS
};

static const struct param_def params[N_PARAMS] = {
	[E_L] = { "E_L", "Resting potential.", UNIT_MV, PARAM_NUMBER, -70.6, -1e6, 1e6 },
	[C_M] = { "C_m", "Membrane capacitance.", UNIT_PF, PARAM_NUMBER, 281, 0, 1e6,
		  PARAM_OPEN_MIN },
	[G_L] = { "g_L", "Leak conductance.", UNIT_NS, PARAM_NUMBER, 30, 0, 1e6 },
	[V_RESET] = { "V_reset", "Potential after a spike.", UNIT_MV, PARAM_NUMBER, -60, -1e6,
		      1e6 },
	[V_PEAK] = { "V_peak", "Potential at which a spike is detected.", UNIT_MV, PARAM_NUMBER, 33,
		     -1e6, 1e6 },
	[V_CLAMP] = { "V_clamp", "Potential during a spike.", UNIT_MV, PARAM_NUMBER, 33, -1e6,
		      1e6 },
	[V_TH_REST] = { "V_th_rest", "Threshold at rest.", UNIT_MV, PARAM_NUMBER, -50.4, -1e6,
			1e6 },
	[V_TH_MAX] = { "V_th_max", "Threshold just after a spike.", UNIT_MV, PARAM_NUMBER, 30.4,
		       -1e6, 1e6 },
	[TAU_V_TH] = { "tau_V_th", "Time constant of the threshold.", UNIT_MS, PARAM_NUMBER, 50,
		       1e-3, 1e6, PARAM_OFFGRID },
	[DELTA_T] = { "Delta_T", "Steepness of the beginning of a spike.", UNIT_MV, PARAM_NUMBER, 2,
		      0, 1e6 },
	[A] = { "a", "Adaptation by the potential.", UNIT_NS, PARAM_NUMBER, 4, -1e6, 1e6 },
	[B] = { "b", "Adaptation by a spike.", UNIT_PA, PARAM_NUMBER, 80.5, -1e6, 1e6 },
	[TAU_W] = { "tau_w", "Time constant of the adaptation.", UNIT_MS, PARAM_NUMBER, 144, 1e-3,
		    1e6, PARAM_OFFGRID },
	[I_SP] = { "I_sp", "Current just after a spike.", UNIT_PA, PARAM_NUMBER, 400, -1e9, 1e9 },
	[TAU_Z] = { "tau_z", "Time constant of the current after a spike.", UNIT_MS, PARAM_NUMBER,
		    40, 1e-3, 1e6, PARAM_OFFGRID },
	[TAU_U_BAR_PLUS] = { "tau_u_bar_plus", "Time constant of u_bar_plus.", UNIT_MS,
			     PARAM_NUMBER, 7, 1e-3, 1e6, PARAM_OFFGRID },
	[TAU_U_BAR_MINUS] = { "tau_u_bar_minus", "Time constant of u_bar_minus.", UNIT_MS,
			      PARAM_NUMBER, 10, 1e-3, 1e6, PARAM_OFFGRID },
	[TAU_U_BAR_BAR] = { "tau_u_bar_bar", "Time constant of u_bar_bar.", UNIT_MS, PARAM_NUMBER,
			    500, 1e-3, 1e6, PARAM_OFFGRID },
	[T_CLAMP] = { "t_clamp", "Duration of a spike.", UNIT_MS, PARAM_NUMBER, 2, 0, 1e6 },
	[T_REF] = { "t_ref", "Refractory time after it.", UNIT_MS, PARAM_NUMBER, 0, 0, 1e6 },
	[I_E] = { "I_e", "Constant input current.", UNIT_PA, PARAM_NUMBER, 0, -1e9, 1e9 },
	[TOLERANCE] = { "gsl_error_tol", "Error allowed in a step of the integration.", UNIT_NONE,
			PARAM_NUMBER, 1e-6, 1e-12, 1 },
};

enum {
	V_M,
	W,
	Z,
	V_TH,
	U_BAR_PLUS,
	U_BAR_MINUS,
	U_BAR_BAR,
	CLAMPED,
	REFRACTORY,
	WIDTH,
	N_STATES,
	DIM = U_BAR_BAR + 1
};

static const struct state_def states[N_STATES] = {
	[V_M] = { "V_m", "Membrane potential.", UNIT_MV, -70.6, E_L },
	[W] = { "w", "Adaptation current.", UNIT_PA, 0, -1 },
	[Z] = { "z", "Current after a spike.", UNIT_PA, 0, -1 },
	[V_TH] = { "V_th", "Threshold.", UNIT_MV, -50.4, V_TH_REST },
	[U_BAR_PLUS] = { "u_bar_plus", "V_m, low-passed, for potentiation.", UNIT_MV, -70.6, E_L },
	[U_BAR_MINUS] = { "u_bar_minus", "V_m, low-passed, for depression.", UNIT_MV, -70.6, E_L },
	[U_BAR_BAR] = { "u_bar_bar", "u_bar_minus, low-passed, for homeostasis.", UNIT_MV, -70.6,
			E_L },
	[CLAMPED] = { "clamp_steps", "Steps until the end of the spike.", UNIT_NONE, 0, -1, true },
	[REFRACTORY] = { "refractory_steps", "Steps until V_m moves again.", UNIT_NONE, 0, -1,
			 true },
	[WIDTH] = { "integration_ms", "Width of the next try.", UNIT_MS, 0, -1, true },
};

enum {
	REST,
	PER_C,
	LEAK,
	UPSTROKE, /* g_L Delta_T */
	PER_DELTA,
	RESET,
	PEAK,
	CLAMP,
	TH_REST,
	TH_MAX,
	RATE_TH,
	A_W,
	B_W,
	RATE_W,
	AFTER,
	RATE_Z,
	RATE_PLUS,
	RATE_MINUS,
	RATE_BAR,
	CLAMP_STEPS,
	REF_STEPS,
	DC,
	TOL,
	N_COEFS
};

static int check(const double *p, struct err *err)
{
	if (!(p[V_RESET] < p[V_PEAK]))
		return err_set(err, ERR_CONFLICT, "V_reset",
			       "V_reset must be below V_peak = %g mV, not %g mV", p[V_PEAK],
			       p[V_RESET]);
	if (p[V_PEAK] < p[V_TH_REST])
		return err_set(err, ERR_CONFLICT, "V_peak",
			       "V_peak must not be below V_th_rest = %g mV, not %g mV",
			       p[V_TH_REST], p[V_PEAK]);
	if (p[V_TH_MAX] < p[V_TH_REST])
		return err_set(err, ERR_CONFLICT, "V_th_max",
			       "V_th_max must not be below V_th_rest = %g mV, not %g mV",
			       p[V_TH_REST], p[V_TH_MAX]);
	/* The upstroke must stay a number, with room for what it is multiplied by. */
	if (p[DELTA_T] > 0 && (p[V_PEAK] - p[V_TH_REST]) / p[DELTA_T] > 600)
		return err_set(err, ERR_CONFLICT, "Delta_T",
			       "Delta_T must be 0 or at least (V_peak - V_th_rest) / 600 = %g mV, "
			       "not %g mV",
			       (p[V_PEAK] - p[V_TH_REST]) / 600, p[DELTA_T]);
	if (p[DELTA_T] == 0 && !(p[V_RESET] < p[V_TH_REST]))
		return err_set(err, ERR_CONFLICT, "V_reset",
			       "V_reset must be below V_th_rest = %g mV for Delta_T = 0, not %g mV",
			       p[V_TH_REST], p[V_RESET]);
	return 0;
}

static void prepare(const double *p, double dt, double *coef)
{
	coef[REST] = p[E_L];
	coef[PER_C] = 1 / p[C_M];
	coef[LEAK] = p[G_L];
	coef[UPSTROKE] = p[G_L] * p[DELTA_T];
	coef[PER_DELTA] = p[DELTA_T] > 0 ? 1 / p[DELTA_T] : 0;
	coef[RESET] = p[V_RESET];
	coef[PEAK] = p[V_PEAK];
	coef[CLAMP] = p[V_CLAMP];
	coef[TH_REST] = p[V_TH_REST];
	coef[TH_MAX] = p[V_TH_MAX];
	coef[RATE_TH] = 1 / p[TAU_V_TH];
	coef[A_W] = p[A];
	coef[B_W] = p[B];
	coef[RATE_W] = 1 / p[TAU_W];
	coef[AFTER] = p[I_SP];
	coef[RATE_Z] = 1 / p[TAU_Z];
	coef[RATE_PLUS] = 1 / p[TAU_U_BAR_PLUS];
	coef[RATE_MINUS] = 1 / p[TAU_U_BAR_MINUS];
	coef[RATE_BAR] = 1 / p[TAU_U_BAR_BAR];
	coef[CLAMP_STEPS] = floor(p[T_CLAMP] / dt + 0.5);
	coef[REF_STEPS] = floor(p[T_REF] / dt + 0.5);
	coef[DC] = p[I_E];
	coef[TOL] = p[TOLERANCE];
}

struct cell {
	double coef[N_COEFS][ODE_LANES];
	double clamped[ODE_LANES], held[ODE_LANES]; /* steps left at V_clamp, at V_reset */
	double in[ODE_LANES];			    /* pA */
	double jump[ODE_LANES];			    /* mV, still to come in this step */
	double out[ODE_LANES];			    /* spikes */
};

static inline ALWAYS_INLINE void rate(struct ode_lanes s, const struct ode_vec *y,
				      struct ode_vec *ret, const void *cell)
{
	const struct cell *x = cell;

#pragma omp simd
	for (size_t l = s.at; l < s.at + s.n; l++) {
		double clamped = x->clamped[l], still = clamped + x->held[l];
		double bound = y->at[V_M][l] < x->coef[PEAK][l] ? y->at[V_M][l] : x->coef[PEAK][l];
		double at = clamped > 0 ? x->coef[CLAMP][l] : x->coef[RESET][l];
		double v = still > 0 ? at : bound, away = v - x->coef[REST][l];
		double w = y->at[W][l], z = y->at[Z][l], th = y->at[V_TH][l];
		double up = x->coef[UPSTROKE][l] * fmath_exp((v - th) * x->coef[PER_DELTA][l]);
		double i = up - x->coef[LEAK][l] * away - w + z + x->in[l];
		double adapt = (x->coef[A_W][l] * away - w) * x->coef[RATE_W][l];
		double minus = y->at[U_BAR_MINUS][l], bar = y->at[U_BAR_BAR][l];

		ret->at[V_M][l] = still > 0 ? 0.0 : i * x->coef[PER_C][l];
		ret->at[W][l] = clamped > 0 ? 0.0 : adapt;
		ret->at[Z][l] = -z * x->coef[RATE_Z][l];
		ret->at[V_TH][l] = (x->coef[TH_REST][l] - th) * x->coef[RATE_TH][l];
		ret->at[U_BAR_PLUS][l] = (v - y->at[U_BAR_PLUS][l]) * x->coef[RATE_PLUS][l];
		ret->at[U_BAR_MINUS][l] = (v - minus) * x->coef[RATE_MINUS][l];
		ret->at[U_BAR_BAR][l] = (minus - bar) * x->coef[RATE_BAR][l];
	}
}

/* A spike in lane l: V_m is held from now on. Counts are one more, since they go down at the end
 * of this very step. */
static inline ALWAYS_INLINE void spike(struct cell *x, struct ode_vec *y, size_t l)
{
	double clamp = x->coef[CLAMP_STEPS][l], ref = x->coef[REF_STEPS][l];

	y->at[W][l] += x->coef[B_W][l];
	y->at[Z][l] = x->coef[AFTER][l];
	y->at[V_TH][l] = x->coef[TH_MAX][l];
	y->at[V_M][l] = clamp > 0 ? x->coef[CLAMP][l] : x->coef[RESET][l];
	x->clamped[l] = clamp > 0 ? clamp + 1 : 0;
	x->held[l] = clamp > 0 || ref <= 0 ? 0 : ref + 1;
	x->out[l]++;
}

/* Input, spikes and the end of the clamp, after a part of the step. */
static inline ALWAYS_INLINE void moved(struct ode_lanes s, const struct ode *o, struct ode_vec *y,
				       void *cell)
{
	struct cell *x = cell;

	for (size_t l = s.at; l < s.at + s.n; l++) {
		double ref = x->coef[REF_STEPS][l], fire = x->coef[PEAK][l];

		if (o->moved[l] <= 0)
			continue;
		if (x->coef[PER_DELTA][l] <= 0)
			fire = y->at[V_TH][l];
		if (x->clamped[l] <= 0 && x->held[l] <= 0)
			y->at[V_M][l] += x->jump[l];
		x->jump[l] = 0;
		if (x->clamped[l] <= 0 && x->held[l] <= 0 && y->at[V_M][l] >= fire) {
			spike(x, y, l);
		} else if (x->clamped[l] == 1) {
			y->at[V_M][l] = x->coef[RESET][l];
			x->clamped[l] = 0;
			x->held[l] = ref > 0 ? ref + 1 : 0;
		}
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
	struct ode_vec y;
	struct ode o;

	for (size_t d = 0; d < DIM; d++)
		ode_load(y.at[d], c->state[d], base, c->n, 1);
	ode_load(x->clamped, c->state[CLAMPED], base, c->n, 1);
	ode_load(x->held, c->state[REFRACTORY], base, c->n, 1);
	ode_load(x->in, c->current, base, c->n, 1);
	ode_load(x->jump, c->in[0], base, c->n, 1);
	ode_begin(&o, c->dt, c->state[WIDTH], base, c->n);
	for (size_t l = 0; l < ODE_LANES; l++) {
		x->in[l] += x->coef[DC][l];
		x->out[l] = 0;
		o.tol[l] = x->coef[TOL][l];
	}
	ode_step(DIM, true, rate, moved, x, &o, &y);
	for (size_t l = 0; l < ODE_LANES; l++) {
		x->clamped[l] = x->clamped[l] > 0 ? x->clamped[l] - 1 : 0;
		x->held[l] = x->held[l] > 0 ? x->held[l] - 1 : 0;
	}
	fail_if_absurd(&y);
	for (size_t d = 0; d < DIM; d++)
		ode_store(c->state[d], y.at[d], base, c->n);
	ode_store(c->state[CLAMPED], x->clamped, base, c->n);
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

const struct neuron_model neuron_aeif_psc_delta_clopath = {
	.name = "aeif_psc_delta_clopath",
	.doc = "Adaptive exponential integrate-and-fire neuron with the filtered voltages of the "
	       "Clopath rule.",
	.cite = "10.1038/nn.2479",
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
