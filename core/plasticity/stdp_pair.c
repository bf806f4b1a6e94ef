/* stdp_pair.c - pair-based spike-timing-dependent plasticity.
 *
 *   dw = A_plus  * exp(-dt / tau_plus)   if dt > 0     dt = t_post - t_pre, at the synapse
 *   dw = A_minus * exp( dt / tau_minus)  if dt < 0
 *   dw = 0                               if dt = 0
 *
 * Amplitudes are signed. Each change is scaled by the weight it meets, and by the direction of
 * the change: with x = (w - w_min) / (w_max - w_min) bounded: upward by (1 - x)^mu_plus,
 * downward by x^mu_minus; power:   upward by w_0^(1 - mu) w^mu, downward by w; and the bounds
 * are applied after every single one. The pairings are those of Morrison, Diesmann, Gerstner
 * (2008), doi:10.1007/s00422-008-0233-1, as NEST understands them. */
/* SPDX-License-Identifier: MIT */
#include "core/model/pair.h"
#include "core/model/plasticity_group.h"

enum {
	A_PLUS,
	A_MINUS,
	TAU_PLUS,
	TAU_MINUS,
	W_MIN,
	W_MAX,
	MU_PLUS,
	MU_MINUS,
	DEPENDENCE,
	MU,
	W_0,
	PAIRING,
	VIRTUAL,
	N_PARAMS
};

enum { BOUNDED, POWER };
enum { ALL_TO_ALL, NEAREST_SYMMETRIC, NEAREST_PRE_CENTERED, NEAREST_REDUCED_SYMMETRIC };

static const char *const dependences[] = { "bounded", "power", NULL };
static const char *const pairings[] = { "all_to_all", "nearest_symmetric", "nearest_pre_centered",
					"nearest_reduced_symmetric", NULL };

static const struct param_def params[N_PARAMS] = {
	[A_PLUS] = { "A_plus",
		     "Amplitude for a postsynaptic spike after a presynaptic one, with its "
		     "sign.",
		     UNIT_WEIGHT, PARAM_NUMBER, 0.005, -PARAM_INF, PARAM_INF, PARAM_GAIN },
	[A_MINUS] = { "A_minus",
		      "Amplitude for a presynaptic spike after a postsynaptic one, with its "
		      "sign.",
		      UNIT_WEIGHT, PARAM_NUMBER, -0.00525, -PARAM_INF, PARAM_INF, PARAM_GAIN },
	[TAU_PLUS] = { "tau_plus", "Time constant of the presynaptic trace.", UNIT_MS, PARAM_NUMBER,
		       20, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[TAU_MINUS] = { "tau_minus", "Time constant of the postsynaptic trace.", UNIT_MS,
			PARAM_NUMBER, 20, 0, 1e6, PARAM_OPEN_MIN | PARAM_OFFGRID },
	[W_MIN] = { "w_min", "Lower bound of the weight's magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 0,
		    0, PARAM_INF },
	[W_MAX] = { "w_max", "Upper bound of the weight's magnitude.", UNIT_WEIGHT, PARAM_NUMBER, 1,
		    0, PARAM_INF, PARAM_OPEN_MIN },
	[MU_PLUS] = { "mu_plus",
		      "Exponent of the bounded weight dependence of upward changes: 0 "
		      "additive, 1 multiplicative.",
		      UNIT_NONE, PARAM_NUMBER, 0, 0, 10 },
	[MU_MINUS] = { "mu_minus",
		       "Exponent of the bounded weight dependence of downward changes: 0 "
		       "additive, 1 multiplicative.",
		       UNIT_NONE, PARAM_NUMBER, 0, 0, 10 },
	[DEPENDENCE] = { "weight_dependence",
			 "How a change depends on the weight: by the distance to the bounds, "
			 "or as a power law.",
			 UNIT_NONE, PARAM_ENUM, BOUNDED, 0, 1, 0, dependences },
	[MU] = { "mu", "Exponent of the power law of upward changes.", UNIT_NONE, PARAM_NUMBER, 0.4,
		 0, 10 },
	[W_0] = { "w_0", "Reference weight of the power law.", UNIT_WEIGHT, PARAM_NUMBER, 1, 0,
		  PARAM_INF, PARAM_OPEN_MIN },
	[PAIRING] = { "pairing", "Which pairs of spikes count.", UNIT_NONE, PARAM_ENUM, ALL_TO_ALL,
		      0, 3, PARAM_FIXED, pairings },
	[VIRTUAL] = { "virtual_first_spike",
		      "Pair postsynaptic spikes before the first presynaptic one with a "
		      "virtual one at time 0, as NEST's nearest rules do.",
		      UNIT_NONE, PARAM_BOOL, 0, 0, 1, PARAM_FIXED | PARAM_HIDDEN },
};

enum {
	C_PLUS, /* amplitude, for the power law times w_0^(1 - mu) */
	C_MINUS,
	C_PLUS_SCALE, /* enum pair_scale */
	C_MINUS_SCALE,
	C_MIN,
	C_MAX,
	C_INV_RANGE, /* 1 / (w_max - w_min) */
	C_PLUS_EXP,
	C_MINUS_EXP,
	C_PAIRING,
	C_VIRTUAL,
	N_COEFS
};

enum { D_PLUS, D_MINUS, N_DECAYS };

static int check(const double *p, struct err *err)
{
	if (!(p[W_MIN] < p[W_MAX]))
		return err_set(err, ERR_CONFLICT, "w_max",
			       "w_max must be greater than w_min = %g, not %g", p[W_MIN], p[W_MAX]);
	if (p[DEPENDENCE] == BOUNDED && isinf(p[W_MAX]) && (p[MU_PLUS] != 0 || p[MU_MINUS] != 0))
		return err_set(err, ERR_CONFLICT, "w_max",
			       "w_max must be finite when mu_plus or mu_minus is not 0");
	return 0;
}

static void prepare_scale(const double *p, double amplitude, double *coef, int at, int scale,
			  int exponent)
{
	bool up = amplitude > 0;
	double mu = up ? p[MU_PLUS] : p[MU_MINUS];

	coef[at] = amplitude;
	if (p[DEPENDENCE] == POWER) {
		coef[scale] = up ? PAIR_POWER_LAW : PAIR_LINEAR;
		coef[exponent] = p[MU];
		if (up)
			coef[at] = amplitude * fmath_pow(p[W_0], 1 - p[MU]);
	} else if (mu == 0) {
		coef[scale] = PAIR_ONE;
	} else if (mu == 1) {
		coef[scale] = up ? PAIR_UP : PAIR_DOWN;
	} else {
		coef[scale] = up ? PAIR_UP_POW : PAIR_DOWN_POW;
		coef[exponent] = mu;
	}
}

static void prepare(const double *p, double dt, double *coef, double *tau)
{
	(void)dt;
	for (int i = 0; i < N_COEFS; i++)
		coef[i] = 0;
	prepare_scale(p, p[A_PLUS], coef, C_PLUS, C_PLUS_SCALE, C_PLUS_EXP);
	prepare_scale(p, p[A_MINUS], coef, C_MINUS, C_MINUS_SCALE, C_MINUS_EXP);
	coef[C_MIN] = p[W_MIN];
	coef[C_MAX] = p[W_MAX];
	coef[C_INV_RANGE] = 1 / (p[W_MAX] - p[W_MIN]);
	coef[C_PAIRING] = p[PAIRING];
	coef[C_VIRTUAL] = p[VIRTUAL];
	tau[D_PLUS] = p[TAU_PLUS];
	tau[D_MINUS] = p[TAU_MINUS];
}

/* One column where synapses of a row may differ in what pairs they have seen: the presynaptic
 * trace that the first postsynaptic spike uses up (pre-centred), or whether there was one since
 * the last presynaptic spike (reduced). */
static const struct plasticity_syn_def syn_defs[] = {
	{ "pairing_state",
	  "Presynaptic trace not used up yet, or whether a postsynaptic spike came since.", 0 },
};

static size_t n_syn(const double *coef)
{
	return coef[C_PAIRING] == NEAREST_PRE_CENTERED ||
	       coef[C_PAIRING] == NEAREST_REDUCED_SYMMETRIC;
}

static void on_post(const struct plasticity_ctx *c, const struct plasticity_spike *prev,
		    int64_t step, double *k)
{
	k[0] = 1;
	if (prev && c->coef[C_PAIRING] == ALL_TO_ALL)
		k[0] += prev->k[0] * fmath_decay_at(&c->decay[D_MINUS], step - prev->step);
}

/* Do synapses remember what pairs they have seen? */
static inline ALWAYS_INLINE bool has_state(int pairing)
{
	return pairing == NEAREST_PRE_CENTERED || pairing == NEAREST_REDUCED_SYMMETRIC;
}

/* The trace that a post arrival `since` steps after the presynaptic spike meets. */
static inline ALWAYS_INLINE double pre_trace(const struct pair_work *k, int pairing, int64_t since,
					     double *state)
{
	double trace = k->pre;

	if (pairing == NEAREST_PRE_CENTERED) {
		trace = *state;
		*state = 0;
	} else if (pairing == NEAREST_REDUCED_SYMMETRIC) {
		trace = *state == 0 ? k->pre : 0;
		*state = 1;
	}
	return trace == 0 ? 0 : trace * fmath_decay_at(k->plus, since);
}

/* How often the presynaptic spikes of now depress; takes them into the synapse's state. */
static inline ALWAYS_INLINE unsigned take_pre(const struct pair_work *k, int pairing, double *state)
{
	unsigned n = k->n_spikes;

	if (pairing == NEAREST_PRE_CENTERED) {
		*state *= fmath_decay_at(k->plus, k->t - k->t_pre);
		*state += n;
	} else if (pairing == NEAREST_REDUCED_SYMMETRIC) {
		n = *state != 0;
		*state = 0;
	}
	return n;
}

static inline ALWAYS_INLINE double one(const struct pair_work *k, int pairing, enum pair_scale plus,
				       enum pair_scale minus, const struct plasticity_history *h,
				       int64_t delay, double w, double *state)
{
	const struct plasticity_spike *at = h->at;
	size_t first, end = h->n;

	while (end > 0 && at[end - 1].step + delay > k->t)
		end--;
	for (first = end; first > 0 && at[first - 1].step + delay > k->t_last;)
		first--;
	for (size_t j = first; j < end; j++) {
		double trace = pre_trace(k, pairing, at[j].step + delay - k->t_pre, state);

		if (k->on && trace != 0)
			w = pair_change(k, plus, k->a_plus * trace, k->plus_exp, w);
	}
	if (!k->n_spikes)
		return w;
	while (end > 0 && at[end - 1].step + delay == k->t)
		end--;
	for (unsigned n = take_pre(k, pairing, state); k->on && end > 0 && n > 0; n--) {
		double trace = at[end - 1].k[0] *
			       fmath_decay_at(k->minus, k->t - delay - at[end - 1].step);

		w = pair_change(k, minus, k->a_minus * trace, k->minus_exp, w);
	}
	return w;
}

/* Change the weights of a column whose `met` is over `least`. */
static inline ALWAYS_INLINE void change_those(const struct pair_work *work, enum pair_scale scale,
					      double amplitude, double exponent,
					      const double *restrict trace,
					      const double *restrict met, double least, size_t n,
					      double *restrict w)
{
	const struct pair_work k = *work;

#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		double changed = pair_change(&k, scale, amplitude * trace[i], exponent, w[i]);

		w[i] = met[i] > least ? changed : w[i];
	}
}

/* The same where the scale is a power: amounts first, then a change by PAIR_ONE. */
CLONES static void change_by_powers(const struct pair_work *k, enum pair_scale scale,
				    double amplitude, double exponent, const double *trace,
				    const double *met, double least, size_t n, double *w)
{
	double of[PLASTICITY_GROUP], amount[PLASTICITY_GROUP];

	if (n == 0)
		return;
#pragma omp simd
	for (size_t i = 0; i < n; i++)
		of[i] = pair_base(k, scale, w[i]);
	fmath_pow_column(of, n, exponent, amount);
#pragma omp simd
	for (size_t i = 0; i < n; i++)
		amount[i] = amplitude * trace[i] * amount[i];
	change_those(k, PAIR_ONE, 1, exponent, amount, met, least, n, w);
}

CLONES static void change_column(const struct pair_work *k, enum pair_scale scale, bool up,
				 const double *trace, const double *met, double least, size_t n,
				 double *w)
{
	double a = up ? k->a_plus : k->a_minus, e = up ? k->plus_exp : k->minus_exp;

	switch (scale) {
	case PAIR_ONE:
		change_those(k, PAIR_ONE, a, e, trace, met, least, n, w);
		break;
	case PAIR_UP:
		change_those(k, PAIR_UP, a, e, trace, met, least, n, w);
		break;
	case PAIR_DOWN:
		change_those(k, PAIR_DOWN, a, e, trace, met, least, n, w);
		break;
	case PAIR_LINEAR:
		change_those(k, PAIR_LINEAR, a, e, trace, met, least, n, w);
		break;
	case PAIR_UP_POW:
	case PAIR_DOWN_POW:
	case PAIR_POWER_LAW:
		change_by_powers(k, scale, a, e, trace, met, least, n, w);
		break;
	}
}

/* The presynaptic trace that the j-th latest spikes at synapses of a group meet, all pairs counting. */
CLONES static void pre_traces(const struct pair_work *k, const struct plasticity_group *g,
			      const uint32_t *restrict at, size_t n, size_t j,
			      double *restrict trace)
{
	const struct fmath_decay *plus = k->plus;
	int64_t t_pre = k->t_pre;
	double pre = k->pre;

#pragma omp simd
	for (size_t i = 0; i < n; i++)
		trace[i] = pre * plasticity_decay(plus, plasticity_arrival(g, at[i], j) - t_pre);
}

/* At `count` synapses each postsynaptic spike since, from the oldest on, meets a presynaptic trace. */
static inline ALWAYS_INLINE void facilitate(const struct pair_work *k, int pairing,
					    enum pair_scale plus, const struct plasticity_group *g,
					    size_t count, const struct plasticity_row *part)
{
	const uint32_t *at = g->at[count];
	size_t n = g->n[count];
	double w[PLASTICITY_GROUP], trace[PLASTICITY_GROUP];

	if (n == 0 || (!has_state(pairing) && (k->pre == 0 || !k->on)))
		return;
	for (size_t i = 0; i < n; i++)
		w[i] = part->w[at[i]];
	for (size_t j = count; j-- > 0;) {
		if (!has_state(pairing))
			pre_traces(k, g, at, n, j, trace);
		for (size_t i = 0; has_state(pairing) && i < n; i++)
			trace[i] = pre_trace(k, pairing, plasticity_arrival(g, at[i], j) - k->t_pre,
					     &part->syn[0][at[i]]);
		if (k->on)
			change_column(k, plus, true, trace, trace, 0, n, w);
	}
	for (size_t i = 0; i < n; i++)
		part->w[at[i]] = w[i];
}

/* The postsynaptic trace that the presynaptic spikes of now meet. */
CLONES static void post_traces(const struct pair_work *k, const struct plasticity_group *restrict g,
			       size_t n, double *restrict trace, double *restrict times)
{
	const struct fmath_decay *minus = k->minus;
	double n_spikes = k->n_spikes;

#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		trace[i] = g->k[i] * plasticity_decay(minus, g->age[i]);
		times[i] = g->met[i] * n_spikes;
	}
}

static inline ALWAYS_INLINE void depress(const struct pair_work *k, int pairing,
					 enum pair_scale minus, const struct plasticity_group *g,
					 const struct plasticity_row *part)
{
	double trace[PLASTICITY_GROUP], times[PLASTICITY_GROUP];

	if (!k->n_spikes)
		return;
	post_traces(k, g, part->n, trace, times);
	for (size_t i = 0; has_state(pairing) && i < part->n; i++)
		if (g->count[i] < PLASTICITY_FEW)
			times[i] = g->met[i] * take_pre(k, pairing, &part->syn[0][i]);
	for (unsigned i = 0; k->on && i < k->n_spikes; i++)
		change_column(k, minus, false, trace, times, i, part->n, part->w);
}

static inline ALWAYS_INLINE void walk(const struct plasticity_ctx *c, const struct pair_work *k,
				      int pairing, enum pair_scale plus, enum pair_scale minus,
				      const struct plasticity_row *row, size_t i)
{
	double none = 0, *state = &none;

	if (has_state(pairing))
		state = &row->syn[0][i];
	row->w[i] = one(k, pairing, plus, minus, &c->post[row->target[i]],
			row->delay[i * row->delay_stride], row->w[i], state);
}

enum { FEW_SYNAPSES = 8 }; /* not worth a group */

static inline ALWAYS_INLINE void group(const struct plasticity_ctx *c,
				       const struct plasticity_row *part, const struct pair_work *k,
				       int pairing, enum pair_scale plus, enum pair_scale minus)
{
	struct plasticity_group g;

	plasticity_group(c, part, &g);
	for (size_t i = 0; i < g.n[PLASTICITY_FEW]; i++)
		plasticity_read_ahead(&c->post[part->target[g.at[PLASTICITY_FEW][i]]]);
	for (size_t count = 1; count < PLASTICITY_FEW; count++)
		facilitate(k, pairing, plus, &g, count, part);
	depress(k, pairing, minus, &g, part);
	for (size_t i = 0; i < g.n[PLASTICITY_FEW]; i++)
		walk(c, k, pairing, plus, minus, part, g.at[PLASTICITY_FEW][i]);
}

static inline ALWAYS_INLINE void all(const struct plasticity_ctx *c,
				     const struct plasticity_row *row, const struct pair_work *k,
				     int pairing, enum pair_scale plus, enum pair_scale minus)
{
	struct plasticity_row part;

	for (size_t i = 0; row->n <= FEW_SYNAPSES && i < row->n; i++)
		walk(c, k, pairing, plus, minus, row, i);
	for (size_t from = 0; row->n > FEW_SYNAPSES && from < row->n; from += part.n) {
		part = plasticity_part(c, row, from);
		group(c, &part, k, pairing, plus, minus);
	}
}

enum { LATE = 64 };

/* By the timeline, if the row has one that reaches back far enough. Targets of whose spikes some
 * arrive at t or later are looked up in their histories as ever. */
static inline ALWAYS_INLINE bool by_timeline(const struct plasticity_ctx *c,
					     const struct plasticity_row *row,
					     const struct pair_work *k, enum pair_scale plus,
					     enum pair_scale minus)
{
	struct plasticity_timeline *l = row->timeline;
	int64_t delay = *row->delay, last = k->t_last > delay ? k->t_last - delay : 0;
	double apart[LATE], none = 0;
	size_t late, n = l ? l->n : 0;

	if (!l || row->n <= FEW_SYNAPSES || l->from > last || !k->on)
		return false;
	plasticity_read_row(row);
	for (late = n; late > 0 && l->step[late - 1] + delay >= k->t; late--) {
		if (n - late == LATE)
			return false;
	}
	for (size_t j = late; j < n; j++)
		apart[j - late] = one(k, ALL_TO_ALL, plus, minus, &c->post[l->first + l->at[j]],
				      delay, row->w[l->at[j]], &none);
	if (k->pre != 0)
		pair_facilitate(k, plus, l, plasticity_emitted(l, last), late, delay, row->w);
	pair_depress(k, minus, l, &c->recent[l->first], delay, row->w, row->n);
	for (size_t j = late; j < n; j++)
		row->w[l->at[j]] = apart[j - late];
	return true;
}

/* The usual rules have code of their own, without a branch per synapse. */
static void all_additive(const struct plasticity_ctx *c, struct plasticity_row *row,
			 const struct pair_work *k)
{
	if (!by_timeline(c, row, k, PAIR_ONE, PAIR_ONE))
		all(c, row, k, ALL_TO_ALL, PAIR_ONE, PAIR_ONE);
}

static void all_multiplicative(const struct plasticity_ctx *c, struct plasticity_row *row,
			       const struct pair_work *k)
{
	if (!by_timeline(c, row, k, PAIR_UP, PAIR_DOWN))
		all(c, row, k, ALL_TO_ALL, PAIR_UP, PAIR_DOWN);
}

static void all_power_law(const struct plasticity_ctx *c, struct plasticity_row *row,
			  const struct pair_work *k)
{
	all(c, row, k, ALL_TO_ALL, PAIR_POWER_LAW, PAIR_LINEAR);
}

static void all_general(const struct plasticity_ctx *c, struct plasticity_row *row,
			const struct pair_work *k)
{
	all(c, row, k, (int)c->coef[C_PAIRING], (enum pair_scale)c->coef[C_PLUS_SCALE],
	    (enum pair_scale)c->coef[C_MINUS_SCALE]);
}

static void work_init(struct pair_work *k, const struct plasticity_ctx *c,
		      const struct plasticity_row *row)
{
	bool first = row->t_pre < 0;

	k->plus = &c->decay[D_PLUS];
	k->minus = &c->decay[D_MINUS];
	k->a_plus = c->coef[C_PLUS];
	k->a_minus = c->coef[C_MINUS];
	k->plus_exp = c->coef[C_PLUS_EXP];
	k->minus_exp = c->coef[C_MINUS_EXP];
	k->min = c->coef[C_MIN];
	k->max = c->coef[C_MAX];
	k->inv_range = c->coef[C_INV_RANGE];
	k->t = row->t;
	k->t_last = row->t_last;
	k->t_pre = first ? 0 : row->t_pre;
	k->pre = first ? 0 : row->pre[0];
	if (first && c->coef[C_VIRTUAL] != 0)
		k->pre = 1;
	k->n_spikes = row->n_spikes;
	k->on = row->on;
}

static void update(const struct plasticity_ctx *c, struct plasticity_row *row)
{
	int pairing = (int)c->coef[C_PAIRING];
	enum pair_scale plus = (enum pair_scale)c->coef[C_PLUS_SCALE],
			minus = (enum pair_scale)c->coef[C_MINUS_SCALE];
	struct pair_work k;

	work_init(&k, c, row);
	if (pairing == ALL_TO_ALL && plus == PAIR_ONE && minus == PAIR_ONE)
		all_additive(c, row, &k);
	else if (pairing == ALL_TO_ALL && plus == PAIR_UP && minus == PAIR_DOWN)
		all_multiplicative(c, row, &k);
	else if (pairing == ALL_TO_ALL && plus == PAIR_POWER_LAW && minus == PAIR_LINEAR)
		all_power_law(c, row, &k);
	else
		all_general(c, row, &k);
	if (!row->n_spikes)
		return;
	if (pairing == ALL_TO_ALL)
		row->pre[0] = (row->t_pre < 0 ? 0
					      : row->pre[0] * fmath_decay_at(k.plus,
									     row->t - row->t_pre)) +
			      row->n_spikes;
	else
		row->pre[0] = 1;
}

static void bounds(const double *p, double *ret_min, double *ret_max)
{
	*ret_min = p[W_MIN];
	*ret_max = p[W_MAX];
}

static double window(const double *p, double w, double dt_ms)
{
	double amount, scale, after;

	if (dt_ms == 0)
		return 0;
	amount = dt_ms > 0 ? p[A_PLUS] * fmath_exp(-dt_ms / p[TAU_PLUS])
			   : p[A_MINUS] * fmath_exp(dt_ms / p[TAU_MINUS]);
	if (p[DEPENDENCE] == POWER)
		scale = amount > 0 ? fmath_pow(p[W_0], 1 - p[MU]) * fmath_pow(w, p[MU]) : w;
	else if (amount > 0)
		scale = p[MU_PLUS] == 0
				? 1
				: fmath_pow((p[W_MAX] - w) / (p[W_MAX] - p[W_MIN]), p[MU_PLUS]);
	else
		scale = p[MU_MINUS] == 0
				? 1
				: fmath_pow((w - p[W_MIN]) / (p[W_MAX] - p[W_MIN]), p[MU_MINUS]);
	after = w + amount * scale;
	if (after > p[W_MAX])
		after = p[W_MAX];
	if (after < p[W_MIN])
		after = p[W_MIN];
	return after - w;
}

const struct plasticity_model plasticity_stdp_pair = {
	.name = "stdp_pair",
	.doc = "Pair-based STDP with signed amplitudes, weight dependence and a choice of "
	       "pairings.",
	.cite = "10.1007/s00422-008-0233-1",
	.params = params,
	.n_params = N_PARAMS,
	.n_coefs = N_COEFS,
	.n_decays = N_DECAYS,
	.n_traces = 1,
	.n_pre = 1,
	.timeline = true,
	.syn = syn_defs,
	.check = check,
	.prepare = prepare,
	.n_syn = n_syn,
	.on_post = on_post,
	.update = update,
	.bounds = bounds,
	.window = window,
};
