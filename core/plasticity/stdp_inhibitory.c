/* stdp_inhibitory.c - inhibitory plasticity of Vogels, Sprekeler et al. (2011).
 *
 *   at a postsynaptic spike   w += eta x_pre
 *   at a presynaptic spike    w += eta x_post, then w -= eta alpha
 *
 * A symmetric window, and a fixed step down at every presynaptic spike: the weight comes to rest
 * where the target fires at the rate alpha / (tau_plus + tau_minus), whatever drives it. Weights
 * are magnitudes; those of an inhibitory projection are negative. The bounds are applied after
 * every single change. */
/* SPDX-License-Identifier: MIT */
#include "core/model/plasticity.h"

enum { ETA, ALPHA, TAU_PLUS, TAU_MINUS, W_MIN, W_MAX, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[ETA] = { "eta", "Learning rate, with its sign.", UNIT_WEIGHT, PARAM_NUMBER, 0.001,
		  -PARAM_INF, PARAM_INF, PARAM_GAIN },
	[ALPHA] = { "alpha",
		    "Depression at every presynaptic spike, in units of eta; the target rate "
		    "times the sum of the time constants.",
		    UNIT_NONE, PARAM_NUMBER, 0.12, -PARAM_INF, PARAM_INF },
	[TAU_PLUS] = { "tau_plus", "Time constant of the presynaptic trace.", UNIT_MS, PARAM_NUMBER,
		       20, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[TAU_MINUS] = { "tau_minus", "Time constant of the postsynaptic trace.", UNIT_MS,
			PARAM_NUMBER, 20, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[W_MIN] = { "w_min", "Lower bound of the weight's magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 0,
		    0, PARAM_INF },
	[W_MAX] = { "w_max", "Upper bound of the weight's magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 1,
		    0, PARAM_INF, PARAM_OPEN_MIN },
};

enum { C_ETA, C_STEP, C_MIN, C_MAX, N_COEFS };
enum { D_PLUS, D_MINUS, N_DECAYS };

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
	coef[C_ETA] = p[ETA];
	coef[C_STEP] = -p[ALPHA] * p[ETA];
	coef[C_MIN] = p[W_MIN];
	coef[C_MAX] = p[W_MAX];
	tau[D_PLUS] = p[TAU_PLUS];
	tau[D_MINUS] = p[TAU_MINUS];
}

static void on_post(const struct plasticity_ctx *c, const struct plasticity_spike *prev,
		    int64_t step, double *k)
{
	k[0] = 1;
	if (prev)
		k[0] += prev->k[0] * fmath_decay_at(&c->decay[D_MINUS], step - prev->step);
}

/* What update() needs in its inner loop, in one place. */
struct work {
	const struct fmath_decay *plus, *minus;
	double eta, step, min, max;
	double pre; /* trace just after the last presynaptic spike, 0 if there is none */
	int64_t t, t_last, t_pre;
	unsigned n_spikes;
};

static inline ALWAYS_INLINE double change(const struct work *k, double w, double amount)
{
	return fmath_bound(w + amount, k->min, k->max);
}

static inline ALWAYS_INLINE double one(const struct work *k, const struct plasticity_history *h,
				       int64_t delay, double w)
{
	size_t end = plasticity_arrived(h, h->n, delay, k->t);
	double post = 0;

	if (k->pre != 0) {
		for (size_t j = plasticity_arrived(h, end, delay, k->t_last); j < end; j++)
			w = change(
				k, w,
				k->eta * k->pre *
					fmath_decay_at(k->plus, h->at[j].step + delay - k->t_pre));
	}
	if (!k->n_spikes)
		return w;
	end = plasticity_arrived(h, end, delay, k->t - 1);
	if (end > 0)
		post = h->at[end - 1].k[0] *
		       fmath_decay_at(k->minus, k->t - delay - h->at[end - 1].step);
	for (unsigned i = 0; i < k->n_spikes; i++)
		w = change(k, change(k, w, k->eta * post), k->step);
	return w;
}

static void weights(const struct plasticity_ctx *c, struct plasticity_row *row,
		    const struct work *work)
{
	const struct work k = *work;

	for (size_t i = 0; i < row->n; i++) {
		if (i + PLASTICITY_AHEAD < row->n)
			plasticity_read_ahead(&c->post[row->target[i + PLASTICITY_AHEAD]]);
		row->w[i] = one(&k, &c->post[row->target[i]], row->delay[i * row->delay_stride],
				row->w[i]);
	}
}

static void update(const struct plasticity_ctx *c, struct plasticity_row *row)
{
	struct work k = {
		.plus = &c->decay[D_PLUS],
		.minus = &c->decay[D_MINUS],
		.eta = c->coef[C_ETA],
		.step = c->coef[C_STEP],
		.min = c->coef[C_MIN],
		.max = c->coef[C_MAX],
		.pre = row->t_pre < 0 ? 0 : row->pre[0],
		.t = row->t,
		.t_last = row->t_last,
		.t_pre = row->t_pre,
		.n_spikes = row->n_spikes,
	};

	if (row->on)
		weights(c, row, &k);
	if (!row->n_spikes)
		return;
	if (row->t_pre >= 0)
		k.pre *= fmath_decay_at(k.plus, row->t - row->t_pre);
	row->pre[0] = k.pre + row->n_spikes;
}

static void bounds(const double *p, double *ret_min, double *ret_max)
{
	*ret_min = p[W_MIN];
	*ret_max = p[W_MAX];
}

static double bounded(const double *p, double w)
{
	w = w < p[W_MAX] ? w : p[W_MAX];
	return w > p[W_MIN] ? w : p[W_MIN];
}

/* The presynaptic spike of the pair takes its fixed step down too, wherever it stands. */
static double window(const double *p, double w, double dt_ms)
{
	double after = w;

	if (dt_ms < 0)
		after = bounded(p, after + p[ETA] * fmath_exp(dt_ms / p[TAU_MINUS]));
	after = bounded(p, after - p[ALPHA] * p[ETA]);
	if (dt_ms > 0)
		after = bounded(p, after + p[ETA] * fmath_exp(-dt_ms / p[TAU_PLUS]));
	return after - w;
}

const struct plasticity_model plasticity_stdp_inhibitory = {
	.name = "stdp_inhibitory",
	.doc = "Inhibitory plasticity that brings its target to a rate: a symmetric window and a "
	       "step down at every presynaptic spike.",
	.cite = "10.1126/science.1211095",
	.params = params,
	.n_params = N_PARAMS,
	.n_coefs = N_COEFS,
	.n_decays = N_DECAYS,
	.n_traces = 1,
	.n_pre = 1,
	.check = check,
	.prepare = prepare,
	.on_post = on_post,
	.update = update,
	.bounds = bounds,
	.window = window,
};
