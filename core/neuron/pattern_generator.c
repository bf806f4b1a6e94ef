/* pattern_generator.c - patterns of spikes that come again and again, hidden in like spikes.
 *
 * Every afferent's rate walks at random between 0 and rate_max: its speed changes by up to a fifth
 * of the largest speed every millisecond, which would take it through the whole range in 50 ms. In
 * each millisecond (bin) it emits a spike with the probability its rate says, and does so anyway
 * after quiet_ms without one. A pattern is such a stretch of pattern_ms, frozen; in the windows that
 * show it (core/model/pattern.h) the first pattern_size afferents emit it, each spike moved by a
 * normal number times jitter_ms, in place of their own spikes; what would leave the window is
 * reflected at its end. Spikes of a Poisson process of noise_hz come on top, always.
 *
 * Nothing but the walks' states is remembered: patterns are a pure function of the key. A bin's
 * spikes are drawn when it begins and stand in slots of a step (or a tenth of the bin) each.
 * Masquelier, Guyonneau, Thorpe (2008), doi:10.1371/journal.pone.0001377; several patterns as in
 * their (2009), doi:10.1162/neco.2008.06-08-804. */
/* SPDX-License-Identifier: MIT */
#include "core/base/fmath.h"
#include "core/model/neuron.h"
#include "core/model/pattern.h"

enum {
	RATE_MAX,
	QUIET,
	PATTERN_MS,
	PATTERN_SIZE,
	PATTERN_SHARE,
	N_PATTERNS,
	JITTER,
	NOISE_HZ,
	N_PARAMS
};

enum { MASKS = 8, SLOTS = 10 };
enum { MASK_BINS = 50 }; /* bits of a double that are bins */

#define FIXED (PARAM_SINGLE | PARAM_FIXED)

static const struct param_def params[N_PARAMS] = {
	[RATE_MAX] = { "rate_max", "Highest rate of an afferent's walk.", UNIT_HZ, PARAM_NUMBER, 90,
		       0, 1000, FIXED },
	[QUIET] = { "quiet_ms", "Longest time without a spike of the walk; 0: any.", UNIT_MS,
		    PARAM_NUMBER, 50, 0, 1e6, FIXED },
	[PATTERN_MS] = { "pattern_ms", "Length of a pattern and of a window.", UNIT_MS,
			 PARAM_NUMBER, 50, 5, MASKS *MASK_BINS, FIXED },
	[PATTERN_SIZE] = { "pattern_size", "Afferents that take part, the first ones.", UNIT_NONE,
			   PARAM_INTEGER, 1000, 0, 4294967295.0, FIXED },
	[PATTERN_SHARE] = { "pattern_share",
			    "Share of the windows that show a pattern, never two in a row.",
			    UNIT_NONE, PARAM_NUMBER, 0.25, 0, 0.5, FIXED },
	[N_PATTERNS] = { "n_patterns", "Patterns, each as likely.", UNIT_NONE, PARAM_INTEGER, 1, 1,
			 MASKS, FIXED },
	[JITTER] = { "jitter_ms", "Standard deviation of the pattern's spike times.", UNIT_MS,
		     PARAM_NUMBER, 1, 0, 100, PARAM_SINGLE | PARAM_OFFGRID },
	[NOISE_HZ] = { "noise_hz", "Rate of the spikes that come on top.", UNIT_HZ, PARAM_NUMBER,
		       10, 0, 1000, PARAM_SINGLE },
};

enum {
	RATE,
	SPEED,
	SINCE,
	NOISE,
	DRAWS,
	MASK_0,
	SLOT_0 = MASK_0 + MASKS,
	N_STATES = SLOT_0 + SLOTS
};

#define MASK(k) \
	{ \
		"mask_" #k, "Bins of frozen spikes, a bit each.", UNIT_NONE, 0, -1, true \
	}
#define SLOT(k) \
	{ \
		"slot_" #k, "Spikes in this part of the bin.", UNIT_NONE, 0, -1, true \
	}

static const struct state_def states[N_STATES] = {
	[RATE] = { "walk_rate", "Rate of the walk.", UNIT_HZ, 0, -1, true },
	[SPEED] = { "speed", "Its change, Hz per bin.", UNIT_HZ, 0, -1, true },
	[SINCE] = { "since", "Bins since the walk's last spike; -1 before the walk.", UNIT_NONE, -1,
		    -1, true },
	[NOISE] = { "noise_left", "Hazard until the next spike of noise.", UNIT_NONE, 0, -1, true },
	[DRAWS] = { "draws", "Intervals of noise drawn so far.", UNIT_NONE, 0, -1, true },
	MASK(0),
	MASK(1),
	MASK(2),
	MASK(3),
	MASK(4),
	MASK(5),
	MASK(6),
	MASK(7),
	SLOT(0),
	SLOT(1),
	SLOT(2),
	SLOT(3),
	SLOT(4),
	SLOT(5),
	SLOT(6),
	SLOT(7),
	SLOT(8),
	SLOT(9),
};

enum {
	BIN_STEPS,
	SLOT_STEPS,
	N_SLOTS,
	BINS, /* of a window */
	TOP,
	TOP_SPEED,
	KICK, /* largest change of speed, Hz per bin */
	BIN_S,
	QUIET_BINS,
	SIZE,
	SHARE,
	PATTERNS,
	JITTER_BINS,
	NOISE_BIN, /* hazard of a bin */
	N_COEFS
};

static int check(const double *p, struct err *err)
{
	double masks = p[N_PATTERNS] * ceil(p[PATTERN_MS] / MASK_BINS);

	if (masks > MASKS)
		return err_set(err, ERR_CONFLICT, "n_patterns",
			       "n_patterns must be at most %g where pattern_ms is %g ms, not %g",
			       floor(MASKS / ceil(p[PATTERN_MS] / MASK_BINS)), p[PATTERN_MS],
			       p[N_PATTERNS]);
	if (p[JITTER] > p[PATTERN_MS] / 4)
		return err_set(err, ERR_CONFLICT, "jitter_ms",
			       "jitter_ms must be at most a quarter of pattern_ms = %g ms, not %g",
			       p[PATTERN_MS], p[JITTER]);
	return 0;
}

static void prepare(const double *p, double dt, double *coef)
{
	double bin = (double)pattern_bin(dt), ms = bin * dt, per_slot = ceil(bin / SLOTS);

	coef[BIN_STEPS] = bin;
	coef[SLOT_STEPS] = per_slot;
	coef[N_SLOTS] = ceil(bin / per_slot);
	coef[BINS] = (double)pattern_bins(p[PATTERN_MS], dt);
	coef[TOP] = p[RATE_MAX];
	coef[TOP_SPEED] = p[RATE_MAX] * ms / 50;
	/* A walk of as many kicks as milliseconds spreads as far. */
	coef[KICK] = 2 * coef[TOP_SPEED] / 5 * sqrt(ms);
	coef[BIN_S] = ms / 1000;
	coef[QUIET_BINS] = p[QUIET] > 0 ? ceil(p[QUIET] / ms - 1e-9) : PARAM_INF;
	coef[SIZE] = p[PATTERN_SIZE];
	coef[SHARE] = p[PATTERN_SHARE];
	coef[PATTERNS] = p[N_PATTERNS];
	coef[JITTER_BINS] = p[JITTER] / ms;
	coef[NOISE_BIN] = p[NOISE_HZ] * ms / 1000;
}

/* ---- walks ---------------------------------------------------------------------------------- */

enum { BLOCK = 256, WARM_UP = 300 };

struct walk {
	double *rate, *speed, *since;
};

static void walk_start(const struct neuron_ctx *c, struct rng_key key, uint64_t id0, size_t n,
		       struct walk w)
{
	double quiet = *c->coef[QUIET_BINS];

	for (size_t i = 0; i < n; i++) {
		w.rate[i] = *c->coef[TOP] * rng_uniform(key, id0 + i, 0);
		w.speed[i] = *c->coef[TOP_SPEED] * (2 * rng_uniform(key, id0 + i, 1) - 1);
		w.since[i] = isinf(quiet) ? 0 : floor(quiet * rng_uniform(key, id0 + i, 2));
	}
}

/* One bin of n walks: at[i] becomes where in the bin the spike is, [0, 1], or -1. Of the uniform
 * number's bits the upper half draws the spike, the lower one the change of speed. */
static inline ALWAYS_INLINE void walk_bin(const struct neuron_ctx *c, size_t n,
					  const double *restrict u, struct walk w,
					  double *restrict at)
{
	double bin_s = *c->coef[BIN_S], top = *c->coef[TOP], top_speed = *c->coef[TOP_SPEED];
	double kick = *c->coef[KICK], quiet = *c->coef[QUIET_BINS];
	double *restrict rate = w.rate, *restrict speed = w.speed, *restrict since = w.since;

#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		double x = u[i] * 0x1p26, whole = (x + 0x1p52) - 0x1p52; /* to the nearest */
		double p = rate[i] * bin_s, first = whole * 0x1p-26, second = x - whole;
		double late = since[i] + 1 >= quiet ? (first - p) / (1 - p) : -1.0;
		double r = rate[i] + speed[i], s = speed[i] + kick * second;

		at[i] = first < p ? first / p : late;
		since[i] = at[i] >= 0 ? 0.0 : since[i] + 1;
		r = r < 0 ? 0.0 : r;
		rate[i] = r > top ? top : r;
		s = s < -top_speed ? -top_speed : s;
		speed[i] = s > top_speed ? top_speed : s;
	}
}

CLONES static void walk_on(const struct neuron_ctx *c, size_t n, const double *u, struct walk w,
			   double *at)
{
	walk_bin(c, n, u, w, at);
}

/* ---- frozen patterns ------------------------------------------------------------------------ */

static size_t columns_of(const struct neuron_ctx *c)
{
	return ((size_t)*c->coef[BINS] + MASK_BINS - 1) / MASK_BINS;
}

/* How many of this part's neurons take part in patterns: the first ones. */
static size_t members(const struct neuron_ctx *c)
{
	double n = *c->coef[SIZE] - (double)c->id0;

	if (n <= 0)
		return 0;
	return n < (double)c->n ? (size_t)n : c->n;
}

/* Masks of neurons [from, from + n) in pattern k. */
static void freeze(const struct neuron_ctx *c, unsigned k, size_t from, size_t n)
{
	struct rng_key key = pattern_key(c->key, PATTERN_FROZEN + k);
	double rate[BLOCK] = { 0 }, speed[BLOCK] = { 0 }, since[BLOCK] = { 0 };
	double u[BLOCK], at[BLOCK];
	struct walk w = { rate, speed, since };
	size_t columns = columns_of(c), bins = (size_t)*c->coef[BINS];

	walk_start(c, pattern_key(key, PATTERN_START), c->id0 + from, n, w);
	for (size_t m = 0; m < columns; m++)
		for (size_t i = 0; i < n; i++)
			c->state[MASK_0 + k * columns + m][from + i] = 0;
	for (size_t b = 0; b < WARM_UP + bins; b++) {
		size_t bin = b - WARM_UP;
		double bit = (double)((uint64_t)1 << bin % MASK_BINS);

		rng_uniform_column(key, c->id0 + from, b, n, u);
		walk_on(c, n, u, w, at);
		for (size_t i = 0; b >= WARM_UP && i < n; i++)
			c->state[MASK_0 + k * columns + bin / MASK_BINS][from + i] +=
				at[i] >= 0 ? bit : 0.0;
	}
}

static void changed(const struct neuron_ctx *c)
{
	struct walk w = { c->state[RATE], c->state[SPEED], c->state[SINCE] };
	size_t n = members(c);

	if (c->n > 0 && w.since[0] < 0) {
		walk_start(c, pattern_key(c->key, PATTERN_START), c->id0, c->n, w);
		for (size_t i = 0; i < c->n; i++)
			c->state[NOISE][i] =
				rng_exponential(pattern_key(c->key, PATTERN_NOISE), c->id0 + i, 0);
	}
	for (unsigned k = 0; k < (unsigned)*c->coef[PATTERNS]; k++)
		for (size_t at = 0; at < n; at += BLOCK)
			freeze(c, k, at, n - at < BLOCK ? n - at : BLOCK);
}

/* ---- bins ----------------------------------------------------------------------------------- */

/* A spike of neuron i in this bin, at a fraction of it. */
static void put(const struct neuron_ctx *c, size_t i, double fraction)
{
	double n = *c->coef[N_SLOTS], slot = floor(fraction * n);

	c->state[SLOT_0 + (slot < n ? (size_t)slot : (size_t)n - 1)][i]++;
}

static void background(const struct neuron_ctx *c, int64_t bin, bool shown)
{
	struct rng_key key = pattern_key(c->key, PATTERN_WALK);
	size_t silent = shown ? members(c) : 0;
	double u[BLOCK], at[BLOCK];

	for (size_t from = 0, n; from < c->n; from += n) {
		struct walk w = { c->state[RATE] + from, c->state[SPEED] + from,
				  c->state[SINCE] + from };

		n = c->n - from < BLOCK ? c->n - from : BLOCK;
		rng_uniform_column(key, c->id0 + from, (uint64_t)bin, n, u);
		walk_on(c, n, u, w, at);
		for (size_t i = 0; i < n; i++)
			if (at[i] >= 0 && from + i >= silent)
				put(c, from + i, at[i]);
	}
}

/* A spike of a frozen bin in window `window`: put it if it falls into bin `bin` there. */
static void repeat(const struct neuron_ctx *c, size_t i, unsigned k, int64_t window, int64_t frozen,
		   int64_t bin)
{
	double bins = *c->coef[BINS], at = (double)frozen, jitter = *c->coef[JITTER_BINS];
	uint64_t id = c->id0 + i;

	if (jitter > 0) {
		double z = rng_normal(pattern_key(c->key, PATTERN_JITTER), id,
				      (uint64_t)window << 10 | (uint64_t)frozen);

		z = z < -4 ? -4.0 : z > 4 ? 4.0 : z;
		at += z * jitter;
	}
	at += rng_uniform(pattern_key(c->key, PATTERN_PLACE), id,
			  (uint64_t)k << 10 | (uint64_t)frozen);
	at = at < 0 ? -at : at;
	at = at >= bins ? 2 * bins - at : at;
	at = at >= bins ? bins - 0x1p-20 : at; /* of -0 and bins itself */
	if (floor(at) == (double)bin)
		put(c, i, at - (double)bin);
}

/* Bits [lo, hi] of a mask. */
static uint64_t cut(double mask, int64_t lo, int64_t hi)
{
	return ((uint64_t)mask & (((uint64_t)2 << hi) - 1)) >> lo << lo;
}

/* The frozen spikes that may fall into this bin are those of the bins around. */
static void repeat_all(const struct neuron_ctx *c, unsigned k, int64_t window, int64_t bin)
{
	int64_t reach = (int64_t)ceil(4 * *c->coef[JITTER_BINS]) + (*c->coef[JITTER_BINS] > 0);
	int64_t lo = bin - reach < 0 ? 0 : bin - reach, hi = bin + reach;
	size_t columns = columns_of(c), n = members(c);

	hi = hi < (int64_t)*c->coef[BINS] ? hi : (int64_t)*c->coef[BINS] - 1;
	for (int64_t m = lo / MASK_BINS; m <= hi / MASK_BINS; m++) {
		const double *mask = c->state[MASK_0 + k * columns + (size_t)m];
		int64_t base = m * MASK_BINS, from = lo > base ? lo - base : 0;
		int64_t to = hi - base < MASK_BINS ? hi - base : MASK_BINS - 1;

		for (size_t i = 0; i < n; i++)
			for (uint64_t bits = cut(mask[i], from, to); bits; bits &= bits - 1)
				repeat(c, i, k, window, base + __builtin_ctzll(bits), bin);
	}
}

static void noise(const struct neuron_ctx *c)
{
	struct rng_key key = pattern_key(c->key, PATTERN_NOISE);
	struct rng_key place = pattern_key(c->key, PATTERN_NOISE_PLACE);
	double *left = c->state[NOISE], *draws = c->state[DRAWS], by = *c->coef[NOISE_BIN];

	for (size_t i = 0; i < c->n; i++)
		left[i] -= by;
	for (size_t i = 0; i < c->n; i++)
		while (left[i] <= 0) {
			uint64_t draw = (uint64_t)++draws[i];

			left[i] += rng_exponential(key, c->id0 + i, draw);
			put(c, i, rng_uniform(place, c->id0 + i, draw));
		}
}

static void begin_bin(const struct neuron_ctx *c, int64_t bin)
{
	int64_t bins = (int64_t)*c->coef[BINS], window = bin / bins;
	int shown = pattern_shown(c->key, *c->coef[SHARE], (unsigned)*c->coef[PATTERNS], window);

	for (size_t k = 0; k < (size_t)*c->coef[N_SLOTS]; k++)
		for (size_t i = 0; i < c->n; i++)
			c->state[SLOT_0 + k][i] = 0;
	background(c, bin, shown >= 0);
	if (shown >= 0)
		repeat_all(c, (unsigned)shown, window, bin % bins);
	noise(c);
}

static void step(const struct neuron_ctx *c)
{
	int64_t bin_steps = (int64_t)*c->coef[BIN_STEPS], per_slot = (int64_t)*c->coef[SLOT_STEPS];
	int64_t at = (c->step - 1) % bin_steps;
	const double *slot = c->state[SLOT_0 + (size_t)(at / per_slot)];

	if (at == 0)
		begin_bin(c, (c->step - 1) / bin_steps);
	for (size_t i = 0; i < c->n; i++)
		c->out[i] = at % per_slot == 0 ? slot[i] : 0.0;
}

const struct neuron_model neuron_pattern_generator = {
	.name = "pattern_generator",
	.doc = "Afferents with rates that walk at random and frozen patterns that come again.",
	.cite = "10.1371/journal.pone.0001377",
	.kind = NEURON_SPIKES,
	.input = NEURON_IN_NONE,
	.params = params,
	.n_params = N_PARAMS,
	.states = states,
	.n_states = N_STATES,
	.n_coefs = N_COEFS,
	.check = check,
	.prepare = prepare,
	.changed = changed,
	.step = step,
};
