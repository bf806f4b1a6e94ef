/* hebb_rate.c - Hebb (1949) as a rule on rates.
 *
 * x and y are running rates of source and target in units of rate_0: each spike adds
 * 1000 / (tau rate_0), tau_x or tau_y in ms, and decays with it. Every update_ms, over h seconds:
 *
 *   plain        dw = eta h x y
 *   covariance   dw = eta h (x - theta_x) (y - theta_y)   Sejnowski, doi:10.1007/BF00275079
 *   oja          dw = eta h (x y - alpha y^2 w)           Oja, doi:10.1007/BF00275687
 *   bcm          dw = eta h x y (y - theta)               Bienenstock, Cooper & Munro,
 *                dtheta = (y^2 - theta) h / tau_theta     doi:10.1523/JNEUROSCI.02-01-00032.1982
 *
 * With `sliding` the thresholds of covariance are running means of x and y, with tau_theta from
 * theta_x and theta_y on. What moves a threshold acts from the next update on, by its exact decay.
 *
 * For a target that is linear in its input, y = g (w . x), oja comes to the first principal
 * component of <x x>, of length 1 / sqrt(alpha g); bcm comes to y = 1, rate_0, for one input, and for
 * one of n separate inputs that alternate to y = n for it and 0 for the others.
 *
 * Between updates weights stand: whoever looks sees those of the last one. A spike counts from its
 * arrival at the synapse on. */
/* SPDX-License-Identifier: MIT */
#include "core/model/plasticity.h"

enum {
	VARIANT,
	ETA,
	UPDATE_MS,
	TAU_X,
	TAU_Y,
	RATE_0,
	THETA_X,
	THETA_Y,
	SLIDING,
	TAU_THETA,
	ALPHA,
	W_MIN,
	W_MAX,
	N_PARAMS
};

enum variant { PLAIN, COVARIANCE, OJA, BCM };

static const char *const variants[] = { "plain", "covariance", "oja", "bcm", NULL };

#define TAU(name, text, value, max) \
	{ \
		name, text, UNIT_MS, PARAM_NUMBER, value, 0, max, PARAM_OPEN_MIN | PARAM_OFFGRID \
	}

static const struct param_def params[N_PARAMS] = {
	[VARIANT] = { "variant", "Which rule on rates it is.", UNIT_NONE, PARAM_ENUM, PLAIN, 0, 3,
		      PARAM_FIXED, variants },
	[ETA] = { "eta", "Change per second where both rates are rate_0, with its sign.",
		  UNIT_WEIGHT, PARAM_NUMBER, 0.001, -PARAM_INF, PARAM_INF, PARAM_GAIN },
	[UPDATE_MS] = { "update_ms", "Time between two updates.", UNIT_MS, PARAM_NUMBER, 10, 0, 1e6,
			PARAM_OPEN_MIN | PARAM_FIXED },
	[TAU_X] = TAU("tau_x", "Time constant of the source's running rate.", 100, 1e6),
	[TAU_Y] = TAU("tau_y", "Time constant of the target's running rate.", 100, 1e6),
	[RATE_0] = { "rate_0", "The rate that counts as 1; for bcm the one to come to.", UNIT_HZ,
		     PARAM_NUMBER, 10, 0, 1e5, PARAM_OPEN_MIN },
	[THETA_X] = { "theta_x", "Threshold of the source's rate; covariance only.", UNIT_HZ,
		      PARAM_NUMBER, 10, 0, 1e5 },
	[THETA_Y] = { "theta_y", "Threshold of the target's rate; covariance only.", UNIT_HZ,
		      PARAM_NUMBER, 10, 0, 1e5 },
	[SLIDING] = { "sliding",
		      "Whether the thresholds become running means of the rates; covariance only.",
		      UNIT_NONE, PARAM_BOOL, 0, 0, 1, PARAM_FIXED },
	/* The longest is as good as none: a threshold moves by 1e-6 of its way in a second. */
	[TAU_THETA] = TAU("tau_theta", "Time constant of thresholds that move.", 10000, 1e9),
	[ALPHA] = { "alpha", "Weight of the decay; oja only.", UNIT_NONE, PARAM_NUMBER, 1, 0,
		    PARAM_INF },
	[W_MIN] = { "w_min", "Lower bound of the weight's magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 0,
		    0, PARAM_INF },
	[W_MAX] = { "w_max", "Upper bound of the weight's magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 1,
		    0, PARAM_INF, PARAM_OPEN_MIN },
};

enum {
	C_VARIANT,
	C_ETA, /* eta h */
	C_X,   /* 1000 / (tau rate_0): a trace of spikes to a rate */
	C_Y,
	C_THETA_X, /* in units of rate_0 */
	C_THETA_Y,
	C_SLIDING,
	C_MOVE, /* part of its way that a threshold goes in an update */
	C_ALPHA,
	C_MIN,
	C_MAX,
	N_COEFS
};
enum { D_X, D_Y, N_DECAYS };

/* The trace just after the last presynaptic spike; how far a sliding threshold is from theta_x. */
enum { TRACE, MOVED_X, N_PRE };

static int check(const double *p, struct err *err)
{
	if (!(p[W_MIN] < p[W_MAX]))
		return err_set(err, ERR_CONFLICT, "w_max",
			       "w_max must be greater than w_min = %g, not %g", p[W_MIN], p[W_MAX]);
	return 0;
}

static void prepare(const double *p, double dt, double *coef, double *tau)
{
	(void)dt;
	coef[C_VARIANT] = p[VARIANT];
	coef[C_ETA] = p[ETA] * p[UPDATE_MS] * 1e-3;
	coef[C_X] = 1e3 / (p[TAU_X] * p[RATE_0]);
	coef[C_Y] = 1e3 / (p[TAU_Y] * p[RATE_0]);
	coef[C_THETA_X] = p[THETA_X] / p[RATE_0];
	coef[C_THETA_Y] = p[THETA_Y] / p[RATE_0];
	coef[C_SLIDING] = p[SLIDING];
	coef[C_MOVE] = -fmath_expm1(-p[UPDATE_MS] / p[TAU_THETA]);
	coef[C_ALPHA] = p[ALPHA];
	coef[C_MIN] = p[W_MIN];
	coef[C_MAX] = p[W_MAX];
	tau[D_X] = p[TAU_X];
	tau[D_Y] = p[TAU_Y];
}

static const struct plasticity_syn_def syn_defs[] = {
	{ "threshold",
	  "How far the target's threshold, in units of rate_0, is from where it began.", 0 },
};

static size_t n_syn(const double *coef)
{
	return coef[C_VARIANT] == BCM || (coef[C_VARIANT] == COVARIANCE && coef[C_SLIDING] != 0);
}

static double tick_ms(const double *p)
{
	return p[UPDATE_MS];
}

static void on_post(const struct plasticity_ctx *c, const struct plasticity_spike *prev,
		    int64_t step, double *k)
{
	k[0] = 1;
	if (prev)
		k[0] += prev->k[0] * fmath_decay_at(&c->decay[D_Y], step - prev->step);
}

static inline ALWAYS_INLINE double rate_of_target(const struct plasticity_ctx *c,
						  const struct plasticity_history *h, int64_t delay,
						  int64_t t)
{
	size_t n = plasticity_arrived(h, h->n, delay, t);

	if (n == 0)
		return 0;
	return c->coef[C_Y] * h->at[n - 1].k[0] *
	       fmath_decay_at(&c->decay[D_Y], t - delay - h->at[n - 1].step);
}

/* The change for the rates x and y at a weight w; theta is the target's threshold, theta_x within x
 * already. */
static inline ALWAYS_INLINE double change(const double *coef, double x, double y, double theta,
					  double w)
{
	switch ((enum variant)coef[C_VARIANT]) {
	case COVARIANCE:
		return coef[C_ETA] * x * (y - theta);
	case OJA:
		return coef[C_ETA] * (x * y - coef[C_ALPHA] * y * y * w);
	case BCM:
		return coef[C_ETA] * x * y * (y - theta);
	case PLAIN:
	default:
		return coef[C_ETA] * x * y;
	}
}

/* All synapses of the row at a multiple of update_ms, x being the source's rate. */
static void tick(const struct plasticity_ctx *c, struct plasticity_row *row, double x)
{
	const double *coef = c->coef;
	bool bcm = coef[C_VARIANT] == BCM;
	double *moved = row->syn[0], start = bcm ? 1 : coef[C_THETA_Y];

	for (size_t i = 0; i < row->n; i++) {
		double y = rate_of_target(c, &c->post[row->target[i]],
					  row->delay[i * row->delay_stride], row->t);
		double theta = start + (moved ? moved[i] : 0);

		if (i + PLASTICITY_AHEAD < row->n)
			plasticity_read_ahead(&c->post[row->target[i + PLASTICITY_AHEAD]]);
		if (row->on) {
			double w = row->w[i] + change(coef, x, y, theta, row->w[i]);

			w = w < coef[C_MAX] ? w : coef[C_MAX];
			row->w[i] = w > coef[C_MIN] ? w : coef[C_MIN];
		}
		if (moved)
			moved[i] += coef[C_MOVE] * ((bcm ? y * y : y) - theta);
	}
}

static void update(const struct plasticity_ctx *c, struct plasticity_row *row)
{
	const double *coef = c->coef;
	double trace = row->t_pre < 0 ? 0
				      : row->pre[TRACE] *
						fmath_decay_at(&c->decay[D_X], row->t - row->t_pre);

	if (row->n_spikes)
		row->pre[TRACE] = trace + row->n_spikes;
	if (row->tick && coef[C_VARIANT] == COVARIANCE) {
		double x = coef[C_X] * trace - coef[C_THETA_X] - row->pre[MOVED_X];

		tick(c, row, x);
		if (coef[C_SLIDING] != 0)
			row->pre[MOVED_X] += coef[C_MOVE] * x;
	} else if (row->tick) {
		tick(c, row, coef[C_X] * trace);
	}
}

static void bounds(const double *p, double *ret_min, double *ret_max)
{
	*ret_min = p[W_MIN];
	*ret_max = p[W_MAX];
}

/* No window: a pair of spikes is not what it looks at. */
const struct plasticity_model plasticity_hebb_rate = {
	.name = "hebb_rate",
	.doc = "Hebb's rule on running rates: plain, covariance, Oja's, or with the sliding "
	       "threshold of Bienenstock, Cooper and Munro.",
	.cite = "10.4324/9781410612403",
	.params = params,
	.n_params = N_PARAMS,
	.n_coefs = N_COEFS,
	.n_decays = N_DECAYS,
	.n_traces = 1,
	.n_pre = N_PRE,
	.syn = syn_defs,
	.check = check,
	.prepare = prepare,
	.n_syn = n_syn,
	.tick_ms = tick_ms,
	.on_post = on_post,
	.update = update,
	.bounds = bounds,
};
