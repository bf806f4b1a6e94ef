/* stdp_clopath.c - the voltage rule of Clopath, Buesing, Vasilaki & Gerstner (2010).
 *
 *   at every step            w += A_LTP dt x (u - theta_plus)+ (u_bar_plus - theta_minus)+
 *   at a presynaptic spike   w -= A_LTD (u_bar_minus - theta_minus)+ then x += 1 / tau_x
 *
 * ( )+ is the positive part, u the target's potential V_m. x decays with tau_x; u_bar_plus and
 * u_bar_minus are the target's filtered potentials as they were delay_u_bars ago, so that a spike
 * does not meet its own trace; in the first delay_u_bars of a run nothing changes. Without
 * A_LTD_const, A_LTD is multiplied by (u_bar_bar - u_rest)^2 / u_ref_squared.
 *
 * What the target does reaches the synapse a (dendritic) delay later, as postsynaptic spikes do in
 * other rules: the depression is by the potentials of the step that arrives with the presynaptic
 * spike. A step changes the weight by x as it was before a presynaptic spike at its arrival. The
 * bounds are applied after every single change. Amplitudes are magnitudes, as in the paper. */
/* SPDX-License-Identifier: MIT */
#include "core/model/plasticity.h"

enum {
	A_LTD,
	A_LTP,
	THETA_MINUS,
	THETA_PLUS,
	TAU_X,
	DELAY_U_BARS,
	A_LTD_CONST,
	U_REF_SQUARED,
	U_REST,
	W_MIN,
	W_MAX,
	N_PARAMS
};

static const struct param_def params[N_PARAMS] = {
	[A_LTD] = { "A_LTD", "Depression by a presynaptic spike per mV, a magnitude.", UNIT_WEIGHT,
		    PARAM_NUMBER, 14e-5, 0, PARAM_INF, PARAM_GAIN },
	[A_LTP] = { "A_LTP", "Potentiation per mV^2, a magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 8e-5,
		    0, PARAM_INF, PARAM_GAIN },
	[THETA_MINUS] = { "theta_minus", "Threshold of the filtered potentials.", UNIT_MV,
			  PARAM_NUMBER, -70.6, -1e6, 1e6 },
	[THETA_PLUS] = { "theta_plus", "Threshold of the potential for potentiation.", UNIT_MV,
			 PARAM_NUMBER, -45.3, -1e6, 1e6 },
	[TAU_X] = { "tau_x", "Time constant of the presynaptic trace.", UNIT_MS, PARAM_NUMBER, 15,
		    0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[DELAY_U_BARS] = { "delay_u_bars",
			   "How long ago the filtered potentials are that the rule compares.",
			   UNIT_MS, PARAM_NUMBER, 5, 0, 1e3, PARAM_FIXED },
	[A_LTD_CONST] = { "A_LTD_const",
			  "Whether A_LTD stays as it is, or follows the target's mean "
			  "potential (homeostasis).",
			  UNIT_NONE, PARAM_BOOL, 1, 0, 1 },
	[U_REF_SQUARED] = { "u_ref_squared",
			    "Square, in mV^2, of the mean depolarisation at which A_LTD is itself.",
			    UNIT_NONE, PARAM_NUMBER, 60, 0, PARAM_INF, PARAM_OPEN_MIN },
	[U_REST] = { "u_rest", "Potential from which the mean depolarisation counts.", UNIT_MV,
		     PARAM_NUMBER, -70.6, -1e6, 1e6 },
	[W_MIN] = { "w_min", "Lower bound of the weight's magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 0,
		    0, PARAM_INF },
	[W_MAX] = { "w_max", "Upper bound of the weight's magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 3,
		    0, PARAM_INF, PARAM_OPEN_MIN },
};

/* The paper's fits; the filters' time constants are the neuron's. */
// clang-format off
#define SET(ltd, ltp, minus, plus, fixed) \
	(const double[N_PARAMS]){ ltd, ltp, minus, plus, 15, 5, fixed, 60, -70.6, 0, 3 }

static const struct plasticity_set sets[] = {
	{ "visual_cortex", "Visual cortex, A_LTD fixed.", SET(14e-5, 8e-5, -70.6, -45.3, 1) },
	{ "visual_cortex_homeostatic", "Visual cortex, A_LTD by the mean potential.",
	  SET(14e-5, 8e-5, -70.6, -45.3, 0) },
	{ "hippocampus", "Hippocampal slices under voltage clamp, A_LTD fixed.",
	  SET(38e-5, 2e-5, -41, -38, 1) },
};
// clang-format on

enum {
	C_LTD,
	C_LTP, /* A_LTP dt / tau_x */
	C_THETA_MINUS,
	C_THETA_PLUS,
	C_PER_REF, /* 1 / u_ref_squared; 0: A_LTD is fixed */
	C_REST,
	C_LAG, /* ms */
	C_MIN,
	C_MAX,
	N_COEFS
};
enum { D_X, N_DECAYS };
enum { V_M, U_BAR_PLUS, U_BAR_MINUS, U_BAR_BAR };
enum { POTENTIATION, DEPRESSION };

static const char *const needs[] = {
	[V_M] = "V_m",
	[U_BAR_PLUS] = "u_bar_plus",
	[U_BAR_MINUS] = "u_bar_minus",
	[U_BAR_BAR] = "u_bar_bar",
	NULL,
};

static int check(const double *p, struct err *err)
{
	if (!(p[W_MIN] < p[W_MAX]))
		return err_set(err, ERR_CONFLICT, "w_max",
			       "w_max must be greater than w_min = %g, not %g", p[W_MIN], p[W_MAX]);
	return 0;
}

static void prepare(const double *p, double dt, double *coef, double *tau)
{
	coef[C_LTD] = p[A_LTD];
	coef[C_LTP] = p[A_LTP] * dt / p[TAU_X];
	coef[C_THETA_MINUS] = p[THETA_MINUS];
	coef[C_THETA_PLUS] = p[THETA_PLUS];
	coef[C_PER_REF] = p[A_LTD_CONST] != 0 ? 0 : 1 / p[U_REF_SQUARED];
	coef[C_REST] = p[U_REST];
	coef[C_LAG] = p[DELAY_U_BARS];
	coef[C_MIN] = p[W_MIN];
	coef[C_MAX] = p[W_MAX];
	tau[D_X] = p[TAU_X];
}

static int64_t lag(const double *coef, double dt)
{
	return (int64_t)floor(coef[C_LAG] / dt + 0.5);
}

static double above(double u, double threshold)
{
	return u > threshold ? u - threshold : 0;
}

/* Both without their amplitudes, which are those of the arrival. */
static bool on_step(const struct plasticity_ctx *c, const double *v, const double *lagged,
		    double *k)
{
	double mean = v[U_BAR_BAR] - c->coef[C_REST];

	if (!lagged)
		return false;
	k[POTENTIATION] = above(v[V_M], c->coef[C_THETA_PLUS]) *
			  above(lagged[U_BAR_PLUS], c->coef[C_THETA_MINUS]);
	k[DEPRESSION] = above(lagged[U_BAR_MINUS], c->coef[C_THETA_MINUS]);
	if (c->coef[C_PER_REF] > 0)
		k[DEPRESSION] *= mean * mean * c->coef[C_PER_REF];
	return k[POTENTIATION] > 0 || k[DEPRESSION] > 0;
}

/* What update() needs in its inner loop, in one place. */
struct work {
	const struct fmath_decay *decay;
	double potentiate; /* per mV^2, at t_pre; 0 before the first presynaptic spike */
	double depress;	   /* per mV */
	double min, max;
	int64_t t, t_last, t_pre;
	unsigned n_spikes;
};

static inline ALWAYS_INLINE double one(const struct work *k, const struct plasticity_history *log,
				       int64_t delay, double w)
{
	size_t end = plasticity_arrived(log, log->n, delay, k->t), j = end;
	const struct plasticity_spike *now = end > 0 ? &log->at[end - 1] : NULL;

	if (k->potentiate > 0)
		j = plasticity_arrived(log, end, delay, k->t_last);
	for (; j < end; j++) {
		const struct plasticity_spike *s = &log->at[j];

		if (s->k[POTENTIATION] <= 0)
			continue;
		w += k->potentiate * fmath_decay_at(k->decay, s->step + delay - k->t_pre) *
		     s->k[POTENTIATION];
		w = w < k->max ? w : k->max;
	}
	if (!now || now->step + delay != k->t)
		return w;
	for (unsigned i = 0; i < k->n_spikes; i++) {
		w -= k->depress * now->k[DEPRESSION];
		w = w > k->min ? w : k->min;
	}
	return w;
}

static void weights(const struct plasticity_ctx *c, struct plasticity_row *row,
		    const struct work *work)
{
	const struct work k = *work;

	for (size_t i = 0; i < row->n; i++) {
		if (i + PLASTICITY_AHEAD < row->n)
			plasticity_read_ahead(&c->log[row->target[i + PLASTICITY_AHEAD]]);
		row->w[i] = one(&k, &c->log[row->target[i]], row->delay[i * row->delay_stride],
				row->w[i]);
	}
}

static void update(const struct plasticity_ctx *c, struct plasticity_row *row)
{
	bool first = row->t_pre < 0;
	double x = first ? 0 : row->pre[0];
	struct work k = {
		.decay = &c->decay[D_X],
		.potentiate = c->coef[C_LTP] * x,
		.depress = c->coef[C_LTD],
		.min = c->coef[C_MIN],
		.max = c->coef[C_MAX],
		.t = row->t,
		.t_last = row->t_last,
		.t_pre = row->t_pre,
		.n_spikes = row->n_spikes,
	};

	if (row->on)
		weights(c, row, &k);
	if (!row->n_spikes)
		return;
	if (!first)
		x *= fmath_decay_at(&c->decay[D_X], row->t - row->t_pre);
	row->pre[0] = x + row->n_spikes;
}

static void bounds(const double *p, double *ret_min, double *ret_max)
{
	*ret_min = p[W_MIN];
	*ret_max = p[W_MAX];
}

/* No window: what a pair does depends on the target's potential. */
const struct plasticity_model plasticity_stdp_clopath = {
	.name = "stdp_clopath",
	.doc = "Voltage-based STDP: what a presynaptic spike does depends on the target's "
	       "filtered potential, with or without homeostasis.",
	.cite = "10.1038/nn.2479",
	.params = params,
	.n_params = N_PARAMS,
	.sets = sets,
	.n_sets = COUNTOF(sets),
	.n_coefs = N_COEFS,
	.n_decays = N_DECAYS,
	.n_pre = 1,
	.check = check,
	.prepare = prepare,
	.needs = needs,
	.lag = lag,
	.on_step = on_step,
	.update = update,
	.bounds = bounds,
};
