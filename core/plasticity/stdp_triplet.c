/* stdp_triplet.c - the triplet rule of Pfister & Gerstner (2006).
 *
 * Two traces of either side: r1, r2 of presynaptic spikes with tau_plus, tau_x; o1, o2 of
 * postsynaptic ones with tau_minus, tau_y. The amplitudes are magnitudes, as in the paper:
 *
 *   at a postsynaptic spike   w += r1 (A2_plus  + A3_plus  o2)   then o1, o2 take it in
 *   at a presynaptic spike    w -= o1 (A2_minus + A3_minus r2)   then r1, r2 take it in
 *
 * o2 and r2 are those just before the spike. To take a spike in means + 1 if all spikes interact,
 * = 1 if only the nearest do. The bounds are applied after every single change. */
/* SPDX-License-Identifier: MIT */
#include "core/model/plasticity.h"

enum {
	A2_PLUS,
	A3_PLUS,
	A2_MINUS,
	A3_MINUS,
	TAU_PLUS,
	TAU_MINUS,
	TAU_X,
	TAU_Y,
	PAIRING,
	W_MIN,
	W_MAX,
	N_PARAMS
};

enum { ALL_TO_ALL, NEAREST };

static const char *const pairings[] = { "all_to_all", "nearest", NULL };

#define AMPLITUDE(name, text, value) \
	{ \
		name, text, UNIT_WEIGHT, PARAM_NUMBER, value, 0, PARAM_INF, PARAM_GAIN \
	}
#define TAU(name, text, value) \
	{ \
		name, text, UNIT_MS, PARAM_NUMBER, value, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID \
	}

/* The defaults are the paper's full model of visual cortex, all to all. */
static const struct param_def params[N_PARAMS] = {
	[A2_PLUS] = AMPLITUDE("A2_plus", "Potentiation by a pair, a magnitude.", 5e-10),
	[A3_PLUS] = AMPLITUDE("A3_plus", "Potentiation by a post-pre-post triplet, a magnitude.",
			      6.2e-3),
	[A2_MINUS] = AMPLITUDE("A2_minus", "Depression by a pair, a magnitude.", 7e-3),
	[A3_MINUS] =
		AMPLITUDE("A3_minus", "Depression by a pre-post-pre triplet, a magnitude.", 2.3e-4),
	[TAU_PLUS] = TAU("tau_plus", "Time constant of the fast presynaptic trace r1.", 16.8),
	[TAU_MINUS] = TAU("tau_minus", "Time constant of the fast postsynaptic trace o1.", 33.7),
	[TAU_X] = TAU("tau_x", "Time constant of the slow presynaptic trace r2.", 101),
	[TAU_Y] = TAU("tau_y", "Time constant of the slow postsynaptic trace o2.", 125),
	[PAIRING] = { "pairing", "Whether all earlier spikes count or only the nearest.", UNIT_NONE,
		      PARAM_ENUM, ALL_TO_ALL, 0, 1, PARAM_FIXED, pairings },
	[W_MIN] = { "w_min", "Lower bound of the weight's magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 0,
		    0, PARAM_INF },
	[W_MAX] = { "w_max", "Upper bound of the weight's magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 1,
		    0, PARAM_INF, PARAM_OPEN_MIN },
};

/* The paper's fits to visual cortex (Sjoestroem 2001) and to hippocampal cultures (Wang 2005).
 * tau_plus and tau_minus are fixed there; a minimal model has no use for tau_x. */
// clang-format off
#define SET(a2p, a3p, a2m, a3m, tau_x, tau_y, pairing) \
	(const double[N_PARAMS]){ a2p, a3p, a2m, a3m, 16.8, 33.7, tau_x, tau_y, pairing, 0, 1 }

static const struct plasticity_set sets[] = {
	{ "visual_cortex_all_to_all_full", "Visual cortex, all spikes, full model.",
	  SET(5e-10, 6.2e-3, 7e-3, 2.3e-4, 101, 125, ALL_TO_ALL) },
	{ "visual_cortex_all_to_all_minimal", "Visual cortex, all spikes, minimal model.",
	  SET(0, 6.5e-3, 7.1e-3, 0, 101, 114, ALL_TO_ALL) },
	{ "visual_cortex_nearest_full", "Visual cortex, nearest spikes, full model.",
	  SET(8.8e-11, 5.3e-2, 6.6e-3, 3.1e-3, 714, 40, NEAREST) },
	{ "visual_cortex_nearest_minimal", "Visual cortex, nearest spikes, minimal model.",
	  SET(0, 5e-2, 8e-3, 0, 101, 40, NEAREST) },
	{ "hippocampus_all_to_all_full", "Hippocampal culture, all spikes, full model.",
	  SET(6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3, 946, 27, ALL_TO_ALL) },
	{ "hippocampus_all_to_all_minimal", "Hippocampal culture, all spikes, minimal model.",
	  SET(5.3e-3, 8e-3, 3.5e-3, 0, 101, 40, ALL_TO_ALL) },
	{ "hippocampus_nearest_full", "Hippocampal culture, nearest spikes, full model.",
	  SET(4.6e-3, 9.1e-3, 3e-3, 7.5e-9, 575, 47, NEAREST) },
	{ "hippocampus_nearest_minimal", "Hippocampal culture, nearest spikes, minimal model.",
	  SET(4.6e-3, 9.1e-3, 3e-3, 0, 101, 48, NEAREST) },
};
// clang-format on

enum { C_A2_PLUS, C_A3_PLUS, C_A2_MINUS, C_A3_MINUS, C_MIN, C_MAX, C_PAIRING, N_COEFS };
enum { D_PLUS, D_MINUS, D_X, D_Y, N_DECAYS };
enum { R1, R2, N_PRE }; /* just after the last presynaptic spike */
enum { O1, O2_BEFORE, N_TRACES };

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
	coef[C_A2_PLUS] = p[A2_PLUS];
	coef[C_A3_PLUS] = p[A3_PLUS];
	coef[C_A2_MINUS] = p[A2_MINUS];
	coef[C_A3_MINUS] = p[A3_MINUS];
	coef[C_MIN] = p[W_MIN];
	coef[C_MAX] = p[W_MAX];
	coef[C_PAIRING] = p[PAIRING];
	tau[D_PLUS] = p[TAU_PLUS];
	tau[D_MINUS] = p[TAU_MINUS];
	tau[D_X] = p[TAU_X];
	tau[D_Y] = p[TAU_Y];
}

/* o2 is kept as the spike itself meets it, for that is when it is read. */
static void on_post(const struct plasticity_ctx *c, const struct plasticity_spike *prev,
		    int64_t step, double *k)
{
	bool all = c->coef[C_PAIRING] == ALL_TO_ALL;

	k[O1] = 1;
	k[O2_BEFORE] = 0;
	if (!prev)
		return;
	if (all)
		k[O1] += prev->k[O1] * fmath_decay_at(&c->decay[D_MINUS], step - prev->step);
	k[O2_BEFORE] = ((all ? prev->k[O2_BEFORE] : 0) + 1) *
		       fmath_decay_at(&c->decay[D_Y], step - prev->step);
}

/* What update() needs in its inner loop, in one place. */
struct work {
	const struct fmath_decay *plus, *minus;
	double a2_plus, a3_plus, min, max;
	/* A2_minus + A3_minus r2 of the presynaptic spike of now; if there are several: of the
	 * second, and by how much it grows from then on. */
	double depression, second, growth;
	double r1;
	int64_t t, t_last, t_pre;
	unsigned n_spikes;
};

static inline ALWAYS_INLINE double bound(const struct work *k, double w)
{
	return fmath_bound(w, k->min, k->max);
}

static inline ALWAYS_INLINE double one(const struct work *k, const struct plasticity_history *h,
				       int64_t delay, double w)
{
	size_t end = plasticity_arrived(h, h->n, delay, k->t);

	if (k->r1 != 0) {
		for (size_t j = plasticity_arrived(h, end, delay, k->t_last); j < end; j++) {
			const struct plasticity_spike *s = &h->at[j];
			double r1 = k->r1 * fmath_decay_at(k->plus, s->step + delay - k->t_pre);

			w = bound(k, w + r1 * (k->a2_plus + k->a3_plus * s->k[O2_BEFORE]));
		}
	}
	if (!k->n_spikes)
		return w;
	end = plasticity_arrived(h, end, delay, k->t - 1);
	if (end > 0) {
		const struct plasticity_spike *s = &h->at[end - 1];
		double o1 = s->k[O1] * fmath_decay_at(k->minus, k->t - delay - s->step);

		w = bound(k, w - o1 * k->depression);
		for (unsigned i = 1; i < k->n_spikes; i++)
			w = bound(k, w - o1 * (k->second + (i - 1) * k->growth));
	}
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
	bool all = c->coef[C_PAIRING] == ALL_TO_ALL, first = row->t_pre < 0;
	int64_t since = row->t - row->t_pre;
	double r1 = first ? 0 : row->pre[R1] * fmath_decay_at(&c->decay[D_PLUS], since);
	double r2 = first ? 0 : row->pre[R2] * fmath_decay_at(&c->decay[D_X], since);
	struct work k = {
		.plus = &c->decay[D_PLUS],
		.minus = &c->decay[D_MINUS],
		.a2_plus = c->coef[C_A2_PLUS],
		.a3_plus = c->coef[C_A3_PLUS],
		.min = c->coef[C_MIN],
		.max = c->coef[C_MAX],
		.depression = c->coef[C_A2_MINUS] + c->coef[C_A3_MINUS] * r2,
		.second = c->coef[C_A2_MINUS] + c->coef[C_A3_MINUS] * ((all ? r2 : 0) + 1),
		.growth = all ? c->coef[C_A3_MINUS] : 0,
		.r1 = first ? 0 : row->pre[R1],
		.t = row->t,
		.t_last = row->t_last,
		.t_pre = row->t_pre,
		.n_spikes = row->n_spikes,
	};

	if (row->on)
		weights(c, row, &k);
	if (!row->n_spikes)
		return;
	row->pre[R1] = all ? r1 + row->n_spikes : 1;
	row->pre[R2] = all ? r2 + row->n_spikes : 1;
}

static void bounds(const double *p, double *ret_min, double *ret_max)
{
	*ret_min = p[W_MIN];
	*ret_max = p[W_MAX];
}

/* One pair has no third spike: the pair terms are all there is. */
static double window(const double *p, double w, double dt_ms)
{
	double after = w;

	if (dt_ms > 0)
		after += p[A2_PLUS] * fmath_exp(-dt_ms / p[TAU_PLUS]);
	if (dt_ms < 0)
		after -= p[A2_MINUS] * fmath_exp(dt_ms / p[TAU_MINUS]);
	if (after > p[W_MAX])
		after = p[W_MAX];
	if (after < p[W_MIN])
		after = p[W_MIN];
	return after - w;
}

const struct plasticity_model plasticity_stdp_triplet = {
	.name = "stdp_triplet",
	.doc = "The triplet rule: pairs and triplets of spikes, all to all or nearest.",
	.cite = "10.1523/JNEUROSCI.1425-06.2006",
	.params = params,
	.n_params = N_PARAMS,
	.sets = sets,
	.n_sets = COUNTOF(sets),
	.n_coefs = N_COEFS,
	.n_decays = N_DECAYS,
	.n_traces = N_TRACES,
	.n_pre = N_PRE,
	.check = check,
	.prepare = prepare,
	.on_post = on_post,
	.update = update,
	.bounds = bounds,
	.window = window,
};
