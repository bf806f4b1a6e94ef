/* stdp_calcium.c - the calcium rule of Graupner & Brunel (2012).
 *
 * The weight is the efficacy: rho = (w - w_min) / (w_max - w_min). With T[] = 1 above zero, else 0,
 *
 *   tau drho/dt = - rho (1 - rho) (rho_star - rho)                      if `bistable`
 *                 + gamma_p (1 - rho) T[c - theta_p] - gamma_d rho T[c - theta_d]
 *                 + sigma sqrt(tau) sqrt(T[c - theta_d] + T[c - theta_p]) eta(t)
 *
 * Calcium c decays with tau_Ca, jumps by C_post when a postsynaptic spike arrives and by C_pre a time
 * D after a presynaptic one; jumps of one time add up, so their order does not matter. It is never
 * stored: both parts are traces. The gammas are numbers, tau is in ms here and in s in the paper.
 *
 * Between two jumps calcium is above a threshold for tau_Ca log(c / theta), so rho is followed from
 * jump to jump without steps of time. Without `bistable` its drift is linear in each stretch and the
 * exponential is exact; with it, rho follows the Taylor series of the cubic drift to rounding. In
 * either case a sweep changes nothing but the rounding if sigma = 0.
 *
 * Noise is a normal draw per stretch between jumps in which calcium is above a threshold, with the
 * variance that the linear drift gives (the cubic term would change it by about one part in 10^4),
 * keyed by the synapse and the start of the stretch. A sweep ends a stretch, so sweeps choose the
 * noise and stand on a grid that the spec fixes; a read between sweeps sees the right distribution
 * and leaves later values as they are. With sigma > 0 rho is free to leave [0, 1], as in the paper:
 * the weight stays at the bound and the rest is kept beside it. */
/* SPDX-License-Identifier: MIT */
#include "core/model/plasticity.h"

enum {
	TAU_CA,
	C_PRE,
	C_POST,
	THETA_D,
	THETA_P,
	GAMMA_D,
	GAMMA_P,
	SIGMA,
	TAU,
	RHO_STAR,
	DELAY,
	BISTABLE,
	W_MIN,
	W_MAX,
	N_PARAMS
};

#define NUMBER(name, text, value, flags) \
	{ \
		name, text, UNIT_NONE, PARAM_NUMBER, value, 0, PARAM_INF, flags \
	}

/* The defaults are the set DP. */
static const struct param_def params[N_PARAMS] = {
	[TAU_CA] = { "tau_Ca", "Time constant of calcium.", UNIT_MS, PARAM_NUMBER, 20, 0, 1e6,
		     PARAM_OPEN_MIN | PARAM_OFFGRID },
	[C_PRE] = NUMBER("C_pre", "Calcium that a presynaptic spike lets in.", 1, 0),
	[C_POST] = NUMBER("C_post", "Calcium that a postsynaptic spike lets in.", 2, 0),
	[THETA_D] = NUMBER("theta_d", "Calcium above which depression acts.", 1, PARAM_OPEN_MIN),
	[THETA_P] =
		NUMBER("theta_p", "Calcium above which potentiation acts.", 1.3, PARAM_OPEN_MIN),
	[GAMMA_D] = NUMBER("gamma_d", "Rate of depression, in units of 1 / tau.", 200, PARAM_GAIN),
	[GAMMA_P] = NUMBER("gamma_p", "Rate of potentiation, in units of 1 / tau.", 321.808,
			   PARAM_GAIN),
	[SIGMA] = NUMBER("sigma", "Amplitude of the noise above the thresholds.", 2.8284,
			 PARAM_FIXED),
	[TAU] = { "tau", "Time constant of the efficacy.", UNIT_MS, PARAM_NUMBER, 150e3, 1, 1e9,
		  PARAM_OFFGRID },
	[RHO_STAR] = { "rho_star", "Efficacy that parts the two stable states.", UNIT_NONE,
		       PARAM_NUMBER, 0.5, 0, 1, PARAM_OPEN_MIN | PARAM_OPEN_MAX },
	[DELAY] = { "D", "Time from a presynaptic spike to its calcium.", UNIT_MS, PARAM_NUMBER,
		    13.7, 0, 1000, PARAM_OFFGRID | PARAM_FIXED },
	[BISTABLE] = { "bistable", "Whether the efficacy drifts to 0 or 1 by itself.", UNIT_NONE,
		       PARAM_BOOL, 1, 0, 1, 0 },
	[W_MIN] = { "w_min", "Weight's magnitude of efficacy 0.", UNIT_WEIGHT, PARAM_NUMBER, 0, 0,
		    PARAM_INF },
	[W_MAX] = { "w_max", "Weight's magnitude of efficacy 1.", UNIT_WEIGHT, PARAM_NUMBER, 1, 0,
		    PARAM_INF, PARAM_OPEN_MIN },
};

enum { DP, DPD, DPD_PRIME, P, D, D_PRIME, CORTICAL, CULTURES, SLICES, N_SETS };

/* The paper's tables; tau in s, as there; theta_d = 1, rho_star = 0.5. */
#define SET(tau_Ca, C_pre, C_post, theta_p, gamma_d, gamma_p, sigma, tau_s, D) \
	{ \
		tau_Ca, C_pre, C_post, 1, theta_p, gamma_d, gamma_p, sigma, (tau_s)*1e3, 0.5, D, \
			1, 0, 1 \
	}
static const double values[N_SETS][N_PARAMS] = {
	[DP] = SET(20, 1, 2, 1.3, 200, 321.808, 2.8284, 150, 13.7),
	[DPD] = SET(20, 0.9, 0.9, 1.3, 250, 550, 2.8284, 150, 4.6),
	[DPD_PRIME] = SET(20, 1, 2, 2.5, 50, 600, 2.8284, 150, 2.2),
	[P] = SET(20, 2, 2, 1.3, 160, 257.447, 2.8284, 150, 0),
	[D] = SET(20, 0.6, 0.6, 1.3, 500, 550, 5.6568, 150, 0),
	[D_PRIME] = SET(20, 1, 2, 3.5, 60, 600, 2.8284, 150, 0),
	[CORTICAL] =
		SET(22.6936, 0.5617539, 1.23964, 1.3, 331.909, 725.085, 3.3501, 346.3615, 4.6098),
	[CULTURES] = SET(11.9536, 0.58156, 1.76444, 1.3, 61.141, 113.6545, 2.5654, 33.7596, 10),
	[SLICES] = SET(48.8373, 1, 0.275865, 1.3, 313.0965, 1645.59, 9.1844, 688.355, 18.8008),
};

static const struct plasticity_set sets[N_SETS] = {
	{ "DP", "Depression, then potentiation as dt grows.", values[DP] },
	{ "DPD", "Potentiation between two regions of depression.", values[DPD] },
	{ "DPD_prime", "As DPD, with jumps of calcium that differ.", values[DPD_PRIME] },
	{ "P", "Potentiation only.", values[P] },
	{ "D", "Depression only.", values[D] },
	{ "D_prime", "As D, with jumps of calcium that differ.", values[D_PRIME] },
	{ "cortical_slices", "Fitted to pairs at several rates in cortical slices.",
	  values[CORTICAL] },
	{ "hippocampal_cultures", "Fitted to pairs in hippocampal cultures.", values[CULTURES] },
	{ "hippocampal_slices", "Fitted to pairs and bursts in hippocampal slices.",
	  values[SLICES] },
};

enum {
	C_TAU_CA, /* steps */
	C_PRE_JUMP,
	C_POST_JUMP,
	C_LOG_D, /* logarithms of the thresholds */
	C_LOG_P,
	C_LOWEST, /* of the thresholds */
	C_GAMMA_D,
	C_GAMMA_P,
	C_SIGMA,
	C_PER_STEP, /* dt / tau */
	C_RHO_STAR,
	C_LAG, /* D, steps */
	C_BISTABLE,
	C_MIN,
	C_MAX,
	N_COEFS
};

enum { D_CA, N_DECAYS };

static int check(const double *p, struct err *err)
{
	if (!(p[W_MIN] < p[W_MAX]) || isinf(p[W_MAX]))
		return err_set(err, ERR_CONFLICT, "w_max",
			       "w_max must be finite and greater than w_min = %g, not %g", p[W_MIN],
			       p[W_MAX]);
	return 0;
}

/* D in steps; on the grid exactly if it was meant so. */
static double lag_steps(double ms, double dt)
{
	double steps = ms / dt, whole = floor(steps + 0.5);

	return fabs(steps - whole) <= 1e-9 * (steps + 1) ? whole : steps;
}

static void prepare(const double *p, double dt, double *coef, double *tau)
{
	coef[C_TAU_CA] = p[TAU_CA] / dt;
	coef[C_PRE_JUMP] = p[C_PRE];
	coef[C_POST_JUMP] = p[C_POST];
	coef[C_LOG_D] = fmath_log(p[THETA_D]);
	coef[C_LOG_P] = fmath_log(p[THETA_P]);
	coef[C_LOWEST] = p[THETA_D] < p[THETA_P] ? p[THETA_D] : p[THETA_P];
	coef[C_GAMMA_D] = p[GAMMA_D];
	coef[C_GAMMA_P] = p[GAMMA_P];
	coef[C_SIGMA] = p[SIGMA];
	coef[C_PER_STEP] = dt / p[TAU];
	coef[C_RHO_STAR] = p[RHO_STAR];
	coef[C_LAG] = lag_steps(p[DELAY], dt);
	coef[C_BISTABLE] = p[BISTABLE];
	coef[C_MIN] = p[W_MIN];
	coef[C_MAX] = p[W_MAX];
	tau[D_CA] = p[TAU_CA];
}

static const struct plasticity_syn_def syn_defs[] = {
	{ "beyond", "What the efficacy has beyond its bounds, in units of the weight.", 0 },
};

static size_t n_syn(const double *coef)
{
	return coef[C_SIGMA] != 0;
}

static int64_t memory(const double *coef, double dt)
{
	(void)dt;
	return (int64_t)ceil(coef[C_LAG]);
}

/* Calcium of the postsynaptic spikes, in units of C_post. */
static void on_post(const struct plasticity_ctx *c, const struct plasticity_spike *prev,
		    int64_t step, double *k)
{
	k[0] = 1;
	if (prev)
		k[0] += prev->k[0] * fmath_decay_at(&c->decay[D_CA], step - prev->step);
}

/* What drives rho for a while; time in units of tau. */
struct drive {
	double up, down; /* gammas, 0 below the threshold */
};

/* ---- the drift ---------------------------------------------------------------------------- */

enum { TERMS = 8 };

/* A stretch for which these terms leave an error below rounding, times the rates of the drift. The
 * linear part has no singularities, those of the cubic one are some 1 / (2 y^2) away, y = rho - 1/2. */
#define STRIDE (1.0 / 12)

/* How far rho comes in a stretch of h: the Taylor series of d(h), d(0) = 0,
 * d' = f0 + f1 d + f2 d^2 - d^3. Its terms up to order k give those of d^2, d^3 up to k + 1, k + 2. */
static inline ALWAYS_INLINE double series(const struct drive *a, double rho_star, double rho,
					  double h)
{
	static const double part[TERMS] = { 1.0,     1.0 / 2, 1.0 / 3, 1.0 / 4,
					    1.0 / 5, 1.0 / 6, 1.0 / 7, 1.0 / 8 };
	double f0 = -rho * (1 - rho) * (rho_star - rho) + a->up * (1 - rho) - a->down * rho;
	double f1 = -rho_star + rho * (2 * (1 + rho_star) - 3 * rho) - (a->up + a->down);
	double f2 = 1 + rho_star - 3 * rho, sum = f0 * h;
	double d[TERMS + 1] = { 0, sum }, d2[TERMS + 1] = { 0 };

#pragma GCC unroll 8
	for (size_t k = 1; k < TERMS; k++) {
		double square = 0, cube = 0;

#pragma GCC unroll 8
		for (size_t i = 1; i < k; i++) {
			square += d[i] * d[k - i];
			cube += d[i] * d2[k - i];
		}
		d2[k] = square;
		d[k + 1] = h * part[k] * (f1 * d[k] + f2 * square - cube);
		sum += d[k + 1];
	}
	return sum;
}

static double follow(const struct drive *a, double rho_star, double rho, double h)
{
	while (h > 0) {
		double y = rho - 0.5;
		double stride = STRIDE / (fabs(a->up) + fabs(a->down) + 1 + 8 * y * y);
		double next = rho + series(a, rho_star, rho, stride < h ? stride : h);

		if (next == rho) /* it has come to rest */
			break;
		rho = next;
		h -= stride;
	}
	return rho;
}

/* The same without the cubic term. */
static double relax(const struct drive *a, double rho, double h)
{
	double rate = a->up + a->down, x = -rate * h;

	if (rate == 0)
		return rho + a->up * h;
	return rho + (a->up - rate * rho) * -fmath_expm1(x < 50 ? x : 50) / rate;
}

/* ---- one synapse -------------------------------------------------------------------------- */

/* What update() needs in its inner loop, in one place. Times in steps, from t_last on. */
struct work {
	const struct fmath_decay *decay;
	double tau_ca, pre_jump, post_jump, log_d, log_p, lowest;
	struct drive full; /* above both thresholds */
	double sigma, per_step, rho_star, lag, min, max;
	bool bistable;
	double pre;	     /* presynaptic calcium at t_last */
	const int64_t *past; /* [n_past] arrivals whose calcium comes in (t_last, t] */
	size_t n_past;
	int64_t t, t_last;
	struct rng_key key;
};

/* How far a synapse has come. */
struct path {
	double at;    /* time */
	double c;     /* calcium just after */
	double rho;   /* at the end of the last stretch above a threshold */
	double below; /* time since then */
	uint64_t id;
};

static inline ALWAYS_INLINE double drift(const struct work *k, const struct drive *a, double rho,
					 double steps)
{
	double h = steps * k->per_step;

	return k->bistable ? follow(a, k->rho_star, rho, h) : relax(a, rho, h);
}

static inline ALWAYS_INLINE double drift_below(const struct work *k, double rho, double steps)
{
	static const struct drive none = { 0, 0 };

	return k->bistable && steps > 0 ? follow(&none, k->rho_star, rho, steps * k->per_step)
					: rho;
}

/* The variance of rho after `steps` above n thresholds, given that before, in units of sigma^2. */
static double spread(const struct work *k, const struct drive *a, double n, double steps,
		     double before)
{
	double rate = 2 * (a->up + a->down), h = steps * k->per_step, x = -rate * h, lost;

	if (rate == 0)
		return before + n * h;
	lost = fmath_expm1(x < 50 ? x : 50);
	return before * (1 + lost) - n * lost / rate;
}

/* Every stretch of a synapse starts at a time of its own: at a step, or between two because D is. */
static uint64_t stretch(const struct work *k, double at)
{
	double step = floor(at);

	return 2 * (uint64_t)(k->t_last + (int64_t)step) + (at != step);
}

static double clip(double x, double max)
{
	return x < 0 ? 0 : x < max ? x : max;
}

/* The next `steps`, calcium being above the lower threshold at first: up to `both` it is above the
 * other one too, from `one` on below both. */
static void above(const struct work *k, struct path *s, double steps)
{
	double log_c = fmath_log(s->c);
	double d = clip(k->tau_ca * (log_c - k->log_d), steps);
	double p = clip(k->tau_ca * (log_c - k->log_p), steps);
	double both = d < p ? d : p, one = d < p ? p : d, variance = 0;
	struct drive lower = { d < p ? k->full.up : 0, d < p ? 0 : k->full.down };

	s->rho = drift_below(k, s->rho, s->below);
	s->below = steps - one;
	if (both > 0) {
		s->rho = drift(k, &k->full, s->rho, both);
		if (k->sigma != 0)
			variance = spread(k, &k->full, 2, both, 0);
	}
	if (one > both) {
		s->rho = drift(k, &lower, s->rho, one - both);
		if (k->sigma != 0)
			variance = spread(k, &lower, 1, one - both, variance);
	}
	if (variance > 0)
		s->rho += k->sigma * sqrt(variance) * rng_normal(k->key, s->id, stretch(k, s->at));
}

/* To the time `to`, where calcium jumps. */
static inline ALWAYS_INLINE void advance(const struct work *k, struct path *s, double to,
					 double jump)
{
	double steps = to - s->at;

	if (steps > 0) {
		if (s->c > k->lowest)
			above(k, s, steps);
		else
			s->below += steps;
		s->c *= fmath_exp(-steps / k->tau_ca);
		s->at = to;
	}
	s->c += jump;
}

/* rho at t; at t_last it was `rho`. */
static double one(const struct work *k, const struct plasticity_history *h, int64_t delay,
		  uint64_t id, double rho)
{
	size_t end = plasticity_arrived(h, h->n, delay, k->t);
	size_t j = plasticity_arrived(h, end, delay, k->t_last), i = 0;
	struct path s = { .c = k->pre, .rho = rho, .id = id };

	if (j > 0)
		s.c += k->post_jump * h->at[j - 1].k[0] *
		       fmath_decay_at(k->decay, k->t_last - delay - h->at[j - 1].step);
	while (i < k->n_past || j < end) {
		double pre = HUGE_VAL, post = HUGE_VAL;

		if (i < k->n_past)
			pre = (double)(k->past[i] - k->t_last) + k->lag;
		if (j < end)
			post = (double)(h->at[j].step + delay - k->t_last);
		if (pre <= post) {
			advance(k, &s, pre, k->pre_jump);
			i++;
		} else {
			advance(k, &s, post, k->post_jump);
			j++;
		}
	}
	advance(k, &s, (double)(k->t - k->t_last), 0);
	return drift_below(k, s.rho, s.below);
}

/* ---- the row ------------------------------------------------------------------------------ */

/* rho is kept within so many ranges of its bounds, where only a negative gain could bring it. */
#define BEYOND_MAX 4.0

static void weights(const struct plasticity_ctx *c, struct plasticity_row *row,
		    const struct work *work)
{
	const struct work k = *work;
	double range = k.max - k.min, *beyond = k.sigma != 0 ? row->syn[0] : NULL;

	for (size_t i = 0; i < row->n; i++) {
		double w = row->w[i] + (beyond ? beyond[i] : 0), rho = (w - k.min) / range, next;

		if (i + PLASTICITY_AHEAD < row->n)
			plasticity_read_ahead(&c->post[row->target[i + PLASTICITY_AHEAD]]);
		next = one(&k, &c->post[row->target[i]], row->delay[i * row->delay_stride],
			   plasticity_synapse(row, i), rho);
		w += range * (next - rho);
		row->w[i] = fmath_bound(w, k.min, k.max);
		if (beyond)
			beyond[i] =
				fmath_bound(w - row->w[i], -BEYOND_MAX * range, BEYOND_MAX * range);
	}
}

/* Of the past arrivals, those whose calcium comes in (t_last, t]. */
static void take_past(struct work *k, const struct plasticity_row *row)
{
	size_t first = 0, end = row->n_past;

	while (first < end && (double)(row->past[first] - k->t_last) + k->lag <= 0)
		first++;
	while (end > first && (double)(row->past[end - 1] - k->t) + k->lag > 0)
		end--;
	k->past = end > first ? row->past + first : NULL;
	k->n_past = end - first;
}

static void update(const struct plasticity_ctx *c, struct plasticity_row *row)
{
	const double *coef = c->coef;
	struct work k = {
		.decay = &c->decay[D_CA],
		.tau_ca = coef[C_TAU_CA],
		.pre_jump = coef[C_PRE_JUMP],
		.post_jump = coef[C_POST_JUMP],
		.log_d = coef[C_LOG_D],
		.log_p = coef[C_LOG_P],
		.lowest = coef[C_LOWEST],
		.full = { coef[C_GAMMA_P], coef[C_GAMMA_D] },
		.sigma = coef[C_SIGMA],
		.per_step = coef[C_PER_STEP],
		.rho_star = coef[C_RHO_STAR],
		.lag = coef[C_LAG],
		.min = coef[C_MIN],
		.max = coef[C_MAX],
		.bistable = coef[C_BISTABLE] != 0,
		.pre = coef[C_PRE_JUMP] * row->pre[0],
		.t = row->t,
		.t_last = row->t_last,
		.key = c->key,
	};

	take_past(&k, row);
	if (row->on)
		weights(c, row, &k);
	row->pre[0] *= fmath_decay_at(k.decay, row->t - row->t_last);
	for (size_t i = 0; i < k.n_past; i++)
		row->pre[0] += fmath_exp(((double)(k.past[i] - k.t) + k.lag) / k.tau_ca);
	if (k.lag == 0)
		row->pre[0] += row->n_spikes;
}

static void bounds(const double *p, double *ret_min, double *ret_max)
{
	*ret_min = p[W_MIN];
	*ret_max = p[W_MAX];
}

/* ---- the window --------------------------------------------------------------------------- */

/* rho after calcium has fallen from c for `ms`. */
static double fall(const double *p, double rho, double c, double ms)
{
	double d = clip(p[TAU_CA] * fmath_log(c / p[THETA_D]), ms);
	double q = clip(p[TAU_CA] * fmath_log(c / p[THETA_P]), ms);
	double both = (d < q ? d : q) / p[TAU], up = (q - d) / p[TAU], down = (d - q) / p[TAU];
	double total = p[GAMMA_P] + p[GAMMA_D], to = total > 0 ? p[GAMMA_P] / total : 0;

	rho = to + (rho - to) * fmath_exp(-total * both);
	if (up > 0)
		rho = 1 - (1 - rho) * fmath_exp(-p[GAMMA_P] * up);
	if (down > 0)
		rho *= fmath_exp(-p[GAMMA_D] * down);
	return rho;
}

/* The mean change once calcium has gone; the cubic term, which never ends, is left out. */
static double window(const double *p, double w, double dt_ms)
{
	double range = p[W_MAX] - p[W_MIN], rho = (w - p[W_MIN]) / range,
	       between = dt_ms - p[DELAY];
	double first = between < 0 ? p[C_POST] : p[C_PRE], after = rho;
	double second = p[C_PRE] + p[C_POST] - first;

	if (first > 0)
		after = fall(p, after, first, fabs(between));
	second += first * fmath_exp(-fabs(between) / p[TAU_CA]);
	if (second > 0)
		after = fall(p, after, second, PARAM_INF);
	return range * (after - rho);
}

const struct plasticity_model plasticity_stdp_calcium = {
	.name = "stdp_calcium",
	.doc = "The calcium rule: calcium above two thresholds moves the efficacy up and down.",
	.cite = "10.1073/pnas.1109359109",
	.params = params,
	.n_params = N_PARAMS,
	.sets = sets,
	.n_sets = N_SETS,
	.n_coefs = N_COEFS,
	.n_decays = N_DECAYS,
	.n_traces = 1,
	.n_pre = 1,
	.syn = syn_defs,
	.check = check,
	.prepare = prepare,
	.n_syn = n_syn,
	.on_post = on_post,
	.memory = memory,
	.update = update,
	.bounds = bounds,
	.window = window,
};
