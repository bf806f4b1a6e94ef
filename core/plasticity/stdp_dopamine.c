/* stdp_dopamine.c - STDP that waits for dopamine (Izhikevich 2007; Potjans 2010).
 *
 *   dw/dt = c (n - b)                      bounded by w_min, w_max
 *   dc/dt = -c / tau_c + STDP              eligibility, one per synapse
 *   dn/dt = -n / tau_n + amount / tau_n    at every arrival of the modulator's signal
 *
 * STDP is what stdp_pair adds to the weight, all to all, with signed amplitudes:
 *
 *   at a postsynaptic spike   c += A_plus  * presynaptic trace
 *   at a presynaptic spike    c += A_minus * postsynaptic trace
 *
 * w is integrated in closed form from event to event, an event being a postsynaptic arrival, a
 * signal or a presynaptic spike, and the bounds are applied at events, as in NEST. A sweep is none:
 * where n - b may turn its sign between two events, what the integral has beyond a bound is kept
 * beside the weight until the next event. So sweeps change nothing but the last digits, by adding
 * one integral in two parts. */
/* SPDX-License-Identifier: MIT */
#include "core/model/plasticity.h"

enum { A_PLUS, A_MINUS, TAU_PLUS, TAU_MINUS, TAU_C, TAU_N, BASELINE, W_MIN, W_MAX, N_PARAMS };

#define TAU(name, text, value) \
	{ \
		name, text, UNIT_MS, PARAM_NUMBER, value, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID \
	}

static const struct param_def params[N_PARAMS] = {
	[A_PLUS] = { "A_plus",
		     "What a postsynaptic spike after a presynaptic one adds to the eligibility, "
		     "with its sign.",
		     UNIT_WEIGHT, PARAM_NUMBER, 1, -PARAM_INF, PARAM_INF, PARAM_GAIN },
	[A_MINUS] = { "A_minus",
		      "What a presynaptic spike after a postsynaptic one adds to the eligibility, "
		      "with its sign.",
		      UNIT_WEIGHT, PARAM_NUMBER, -1.5, -PARAM_INF, PARAM_INF, PARAM_GAIN },
	[TAU_PLUS] = TAU("tau_plus", "Time constant of the presynaptic trace.", 20),
	[TAU_MINUS] = TAU("tau_minus", "Time constant of the postsynaptic trace.", 20),
	[TAU_C] = TAU("tau_c", "Time constant of the eligibility c.", 1000),
	[TAU_N] = TAU("tau_n", "Time constant of the modulator's concentration n.", 200),
	[BASELINE] = { "b", "Concentration, in 1/ms, at which the weight stands still.", UNIT_NONE,
		       PARAM_NUMBER, 0, -PARAM_INF, PARAM_INF, PARAM_FIXED },
	[W_MIN] = { "w_min", "Lower bound of the weight's magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 0,
		    0, PARAM_INF },
	[W_MAX] = { "w_max", "Upper bound of the weight's magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 4,
		    0, PARAM_INF, PARAM_OPEN_MIN },
};

enum {
	C_PLUS,
	C_MINUS,
	C_MIN,
	C_MAX,
	C_JUMP,	   /* 1 / tau_n: what a signal of amount 1 adds to n */
	C_RATE,	   /* 1 / tau_c + 1 / tau_n, of the product c n */
	C_TAU_C,   /* ms */
	C_BASE_DW, /* b tau_c */
	N_COEFS
};

enum { D_PLUS, D_MINUS, D_C, D_N, N_DECAYS };
enum { S_ELIGIBILITY, S_EXCESS };

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
	coef[C_PLUS] = p[A_PLUS];
	coef[C_MINUS] = p[A_MINUS];
	coef[C_MIN] = p[W_MIN];
	coef[C_MAX] = p[W_MAX];
	coef[C_JUMP] = 1 / p[TAU_N];
	coef[C_RATE] = (p[TAU_C] + p[TAU_N]) / (p[TAU_C] * p[TAU_N]);
	coef[C_TAU_C] = p[TAU_C];
	coef[C_BASE_DW] = p[BASELINE] * p[TAU_C];
	tau[D_PLUS] = p[TAU_PLUS];
	tau[D_MINUS] = p[TAU_MINUS];
	tau[D_C] = p[TAU_C];
	tau[D_N] = p[TAU_N];
}

static const struct plasticity_syn_def syn_defs[] = {
	[S_ELIGIBILITY] = { "c", "Eligibility.", 0 },
	[S_EXCESS] = { "excess", "What the integral of now has beyond a bound.", 0 },
};

/* Without a baseline n - b keeps its sign between events. */
static size_t n_syn(const double *coef)
{
	return coef[C_BASE_DW] != 0 ? 2 : 1;
}

static void on_post(const struct plasticity_ctx *c, const struct plasticity_spike *prev,
		    int64_t step, double *k)
{
	k[0] = 1;
	if (prev)
		k[0] += prev->k[0] * fmath_decay_at(&c->decay[D_MINUS], step - prev->step);
}

static double on_signal(const struct plasticity_ctx *c, const struct plasticity_signal *prev,
			int64_t step, double amount)
{
	double n = prev ? prev->k * fmath_decay_at(&c->decay[D_N], step - prev->step) : 0;

	return n + amount * c->coef[C_JUMP];
}

/* What update() needs in its inner loop, in one place. */
struct work {
	const struct plasticity_ctx *c;
	size_t first, end; /* signals in (t_last, t] */
	double pre;	   /* trace just after the last presynaptic spike, 0 if there is none */
	double whole;	   /* gain over (t_last, t] if nothing happens in between */
	int64_t t, t_last, t_pre;
	unsigned n_spikes;
	bool on;
};

/* A synapse on its way through time. */
struct synapse {
	double w, c;   /* at `at` */
	size_t signal; /* how many have come */
	int64_t at;
};

static inline ALWAYS_INLINE double bound(const struct work *k, double w)
{
	return fmath_bound(w, k->c->coef[C_MIN], k->c->coef[C_MAX]);
}

/* Change of the weight over (from, to] for an eligibility of 1 at `from`, nothing happening in
 * between; `n_signal` have come by then. */
static double gain(const struct plasticity_ctx *c, size_t n_signal, int64_t from, int64_t to)
{
	const struct plasticity_signal *last = n_signal ? &c->signal[n_signal - 1] : NULL;
	double ms = (double)(to - from) * c->dt, sum = 0;

	if (last) {
		double n = last->k * fmath_decay_at(&c->decay[D_N], from - last->step);

		sum -= n / c->coef[C_RATE] * fmath_expm1(-ms * c->coef[C_RATE]);
	}
	if (c->coef[C_BASE_DW] != 0)
		sum += c->coef[C_BASE_DW] * fmath_expm1(-ms / c->coef[C_TAU_C]);
	return sum;
}

/* To `to`, nothing happening in between. */
static inline ALWAYS_INLINE void pass(const struct work *k, struct synapse *s, int64_t to)
{
	if (to == s->at)
		return;
	if (k->on && s->c != 0) {
		bool whole = s->at == k->t_last && to == k->t && s->signal == k->first;

		s->w += s->c * (whole ? k->whole : gain(k->c, s->signal, s->at, to));
	}
	s->c *= fmath_decay_at(&k->c->decay[D_C], to - s->at);
	s->at = to;
}

/* To the event at `to`, signals up to there included. */
static inline ALWAYS_INLINE void advance(const struct work *k, struct synapse *s, int64_t to)
{
	while (s->signal < k->end && k->c->signal[s->signal].step <= to) {
		pass(k, s, k->c->signal[s->signal].step);
		s->w = k->on ? bound(k, s->w) : s->w;
		s->signal++;
	}
	pass(k, s, to);
}

static inline ALWAYS_INLINE void one(const struct work *k, const struct plasticity_history *h,
				     int64_t delay, struct synapse *s)
{
	size_t end = plasticity_arrived(h, h->n, delay, k->t);
	const struct fmath_decay *d = k->c->decay;

	for (size_t j = plasticity_arrived(h, end, delay, k->t_last); j < end; j++) {
		int64_t at = h->at[j].step + delay;

		advance(k, s, at);
		s->w = k->on ? bound(k, s->w) : s->w;
		if (k->pre != 0)
			s->c += k->c->coef[C_PLUS] *
				(k->pre * fmath_decay_at(&d[D_PLUS], at - k->t_pre));
	}
	advance(k, s, k->t);
	if (!k->n_spikes)
		return;
	s->w = k->on ? bound(k, s->w) : s->w;
	end = plasticity_arrived(h, end, delay, k->t - 1);
	if (end > 0) {
		const struct plasticity_spike *o = &h->at[end - 1];

		s->c += k->n_spikes *
			(k->c->coef[C_MINUS] *
			 (o->k[0] * fmath_decay_at(&d[D_MINUS], k->t - delay - o->step)));
	}
}

static void synapses(const struct plasticity_ctx *c, struct plasticity_row *row,
		     const struct work *work)
{
	const struct work k = *work;
	double *excess = row->syn[S_EXCESS];

	for (size_t i = 0; i < row->n; i++) {
		struct synapse s = { row->w[i], row->syn[S_ELIGIBILITY][i], k.first, k.t_last };

		if (i + PLASTICITY_AHEAD < row->n)
			plasticity_read_ahead(&c->post[row->target[i + PLASTICITY_AHEAD]]);
		if (excess && k.on)
			s.w += excess[i];
		one(&k, &c->post[row->target[i]], row->delay[i * row->delay_stride], &s);
		row->w[i] = k.on ? bound(&k, s.w) : s.w;
		row->syn[S_ELIGIBILITY][i] = s.c;
		if (excess)
			excess[i] = k.on ? s.w - row->w[i] : 0;
	}
}

static size_t signals_until(const struct plasticity_ctx *c, size_t end, int64_t t)
{
	while (end > 0 && c->signal[end - 1].step > t)
		end--;
	return end;
}

static void update(const struct plasticity_ctx *c, struct plasticity_row *row)
{
	struct work k = {
		.c = c,
		.pre = row->t_pre < 0 ? 0 : row->pre[0],
		.t = row->t,
		.t_last = row->t_last,
		.t_pre = row->t_pre,
		.n_spikes = row->n_spikes,
		.on = row->on,
	};

	k.end = signals_until(c, c->n_signal, k.t);
	k.first = signals_until(c, k.end, k.t_last);
	k.whole = gain(c, k.first, k.t_last, k.t);
	synapses(c, row, &k);
	if (!row->n_spikes)
		return;
	if (row->t_pre >= 0)
		k.pre *= fmath_decay_at(&c->decay[D_PLUS], row->t - row->t_pre);
	row->pre[0] = k.pre + row->n_spikes;
}

static void bounds(const double *p, double *ret_min, double *ret_max)
{
	*ret_min = p[W_MIN];
	*ret_max = p[W_MAX];
}

/* No window: a pair alone moves the eligibility, not the weight. */
const struct plasticity_model plasticity_stdp_dopamine = {
	.name = "stdp_dopamine",
	.doc = "STDP modulated by dopamine: pairs leave an eligibility, the modulator's signal "
	       "turns it into weight.",
	.cite = "10.1093/cercor/bhl152",
	.params = params,
	.n_params = N_PARAMS,
	.n_coefs = N_COEFS,
	.n_decays = N_DECAYS,
	.n_traces = 1,
	.n_pre = 1,
	.syn = syn_defs,
	.check = check,
	.prepare = prepare,
	.n_syn = n_syn,
	.on_post = on_post,
	.on_signal = on_signal,
	.update = update,
	.bounds = bounds,
};
