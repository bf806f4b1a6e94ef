/* fmath - elementary functions in + - * / sqrt only.
 *
 * Sums of two doubles ("hi + lo") carry what one rounding would lose; products are made exact by
 * splitting (Dekker 1971, doi:10.1007/BF01397083), since a fused multiply-add must not be used. */
/* SPDX-License-Identifier: MIT */
#include "core/base/fmath.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "core/base/attr.h"

static_assert(FLT_EVAL_METHOD == 0, "doubles must be computed as doubles");

double fmath_expm1(double x)
{
	double round, k, exact, rest, r, lost, one, s, e;

	if (fabs(x) < 0x1p-54 || x != x)
		return x;
	if (x > 710)
		return HUGE_VAL;
	if (x < -40)
		return -1;
	round = x * 0x1.71547652b82fep0 + FMATH_ROUND;
	k = round - FMATH_ROUND;
	exact = x - k * FMATH_LN2_HI;
	rest = k * FMATH_LN2_LO;
	r = exact - rest;
	lost = (exact - r) - rest;
	/* 2^k * ((1 - 2^-k) + r + lost + r^2 P(r)), the first sum kept whole */
	one = 1 - (k < 60 ? fmath_of_bits((uint64_t)(1023 - (int64_t)k) << 52) : 0);
	s = one + r;
	e = r - (s - one);
	return fmath_scale(s + (e + (lost + r * r * fmath_exp_series(r))), fmath_bits(round));
}

/* x = m * 2^k with m in [sqrt(1/2), sqrt(2)), for positive finite x. */
static inline ALWAYS_INLINE double split_normal(double x, double *ret_k)
{
	uint64_t bits = fmath_bits(x);
	uint64_t e = ((bits - 0x3fe6a09e667f3bcdu + (1023ull << 52)) >> 52) - 1023;

	*ret_k = fmath_of_bits(fmath_bits(FMATH_ROUND) + e) - FMATH_ROUND;
	return fmath_of_bits(bits - (e << 52));
}

static double split(double x, double *ret_k)
{
	double k, m;

	if (x >= DBL_MIN)
		return split_normal(x, ret_k);
	m = split_normal(x * 0x1p54, &k);
	*ret_k = k - 54;
	return m;
}

/* sum over n from `first` of 2 z^(n - first) / (2 n + 1), z <= 0.0295: log((1+s)/(1-s)) is
 * 2 s + s^3 (2/3 + 2/5 z + ...) with z = s^2. */
static inline ALWAYS_INLINE double atanh_series(double z)
{
	double z2 = z * z, z4 = z2 * z2;
	double a = (2.0 / 5 + z * (2.0 / 7)) + z2 * (2.0 / 9 + z * (2.0 / 11));
	double b = (2.0 / 13 + z * (2.0 / 15)) + z2 * (2.0 / 17 + z * (2.0 / 19));

	return a + z4 * (b + z4 * (2.0 / 21 + z * (2.0 / 23)));
}

/* log((1 + f) 2^k) + c for 1 + f in [sqrt(1/2), sqrt(2)], c tiny. */
static double log_parts(double f, double k, double c)
{
	double s = f / (2 + f), z = s * s, half = 0.5 * f * f;
	double series = z * (2.0 / 3 + z * atanh_series(z));

	return k * FMATH_LN2_HI - ((half - (s * (half + series) + (k * FMATH_LN2_LO + c))) - f);
}

double fmath_log(double x)
{
	double k, m;

	if (!(x > 0))
		return x == 0 ? -HUGE_VAL : (double)NAN;
	if (x == HUGE_VAL)
		return x;
	m = split(x, &k);
	return log_parts(m - 1, k, 0);
}

double fmath_log1p(double x)
{
	double u, k, m, c;

	if (!(x > -1))
		return x == -1 ? -HUGE_VAL : (double)NAN;
	if (fabs(x) < 0x1p-54 || x == HUGE_VAL)
		return x;
	u = 1 + x;
	m = split(u, &k);
	if (k == 0)
		return log_parts(x, 0, 0);
	c = x < 1 ? x - (u - 1) : 1 - (u - x); /* what 1 + x lost */
	return log_parts(m - 1, k, c / u);
}

/* ---- power ---------------------------------------------------------------------------------- */

struct sum {
	double hi, lo;
};

/* a + b, exactly, where |a| >= |b| or a = 0. */
static inline ALWAYS_INLINE struct sum add(double a, double b)
{
	double s = a + b;

	return (struct sum){ s, b - (s - a) };
}

/* a * b, exactly; neither beyond 2^990. */
static inline ALWAYS_INLINE struct sum mul(double a, double b)
{
	double ta = a * 0x1.0000002p27, tb = b * 0x1.0000002p27;
	double ah = ta - (ta - a), bh = tb - (tb - b), al = a - ah, bl = b - bh, p = a * b;

	return (struct sum){ p, ((ah * bh - p) + ah * bl + al * bh) + al * bl };
}

static inline ALWAYS_INLINE struct sum mul_sum(struct sum a, struct sum b)
{
	struct sum p = mul(a.hi, b.hi);

	return add(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

/* log(m 2^k) to about 2^-65 of itself, for m from split(). */
static inline ALWAYS_INLINE struct sum log_sum(double m, double k)
{
	const struct sum two_thirds = { 2.0 / 3, 0x1.5555555555555p-55 };
	double f = m - 1, hi, q;
	struct sum t = add(2, f), p, s, z, r, l, whole;

	hi = f / t.hi;
	p = mul(hi, t.hi);
	s = add(hi, ((f - p.hi) - p.lo - hi * t.lo) / t.hi);
	z = mul_sum(s, s);
	q = z.hi * atanh_series(z.hi);
	r = add(two_thirds.hi, q);
	r.lo += two_thirds.lo;
	r = mul_sum(mul_sum(s, z), r);
	l = add(2 * s.hi, r.hi);
	l.lo += 2 * s.lo + r.lo;
	t = add(k * FMATH_LN2_HI, l.hi);
	whole = add(t.hi, t.lo + (l.lo + k * FMATH_LN2_LO));
	l = add(l.hi, l.lo);
	return (struct sum){ k == 0 ? l.hi : whole.hi, k == 0 ? l.lo : whole.lo };
}

/* exp(y l) */
static inline ALWAYS_INLINE double exp_product(double y, struct sum l)
{
	double rough = y * l.hi, r;
	struct sum p = mul(y, l.hi);

	r = fmath_exp_sum(p.hi, p.lo + y * l.lo);
	r = rough < -750 ? 0 : r;
	return rough > 710 ? HUGE_VAL : r;
}

/* x^y where no logarithm is needed or none exists; false for the others. */
static bool pow_special(double x, double y, double *ret)
{
	if (y == 0 || x == 1)
		*ret = 1;
	else if (y == 1 || x != x)
		*ret = x;
	else if (x < 0 || y != y)
		*ret = (double)NAN;
	else if (x == 0 || x == HUGE_VAL)
		*ret = (x == 0) == (y > 0) ? 0 : HUGE_VAL;
	else if (fabs(y) == HUGE_VAL)
		*ret = (x < 1) == (y > 0) ? 0 : HUGE_VAL;
	else
		return false;
	return true;
}

double fmath_pow(double x, double y)
{
	double r, k, m;

	if (pow_special(x, y, &r))
		return r;
	m = split(x, &k);
	return exp_product(y, log_sum(m, k));
}

/* Is x^y an ordinary power, if y is an ordinary exponent? 1 or 0. */
static inline ALWAYS_INLINE double is_ordinary(double x)
{
	double yes = x >= DBL_MIN ? 1 : 0;

	yes = x < HUGE_VAL ? yes : 0;
	return x != 1 ? yes : 0;
}

enum { LANES = 8 }; /* side by side: what is left over after them would be computed one by one */

/* The ordinary ones of n, a multiple of LANES; returns how many these are. */
CLONES static double pow_ordinary(const double *restrict x, size_t n, double y,
				  double *restrict ret)
{
	double ordinary = 0;

	for (size_t from = 0; from < n; from += LANES) {
#pragma omp simd reduction(+ : ordinary)
		for (size_t i = from; i < from + LANES; i++) {
			double k, m = split_normal(x[i], &k);

			ret[i] = exp_product(y, log_sum(m, k));
			ordinary += is_ordinary(x[i]);
		}
	}
	return ordinary;
}

void fmath_pow_column(const double *x, size_t n, double y, double *ret)
{
	bool usual = y != 0 && y != 1 && fabs(y) < HUGE_VAL;
	size_t rest = n % LANES, whole = n - rest;
	double last[LANES] = { 2, 2, 2, 2, 2, 2, 2, 2 }, powers[LANES], n_done = 0;

	if (usual) {
		n_done = pow_ordinary(x, whole, y, ret);
		for (size_t i = 0; i < rest; i++)
			last[i] = x[whole + i];
		n_done += pow_ordinary(last, rest ? LANES : 0, y, powers);
		for (size_t i = 0; i < rest; i++)
			ret[whole + i] = powers[i];
	}
	if (n_done == (double)(rest ? whole + LANES : whole))
		return;
	for (size_t i = 0; i < n; i++) {
		if (!usual || is_ordinary(x[i]) == 0)
			ret[i] = fmath_pow(x[i], y);
	}
}

/* ---- normal distribution -------------------------------------------------------------------- */

enum { DEGREE = 7 };

static double ratio(double r, const double num[DEGREE + 1], const double den[DEGREE + 1])
{
	double a = num[DEGREE], b = den[DEGREE];

	for (int i = DEGREE - 1; i >= 0; i--) {
		a = a * r + num[i];
		b = b * r + den[i];
	}
	return a / b;
}

/* PPND16 of Wichura (1988), Algorithm AS 241, doi:10.2307/2347330. */
// clang-format off
static const double centre_num[] = {
	3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
	4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
};
static const double centre_den[] = {
	1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
	2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
};
static const double middle_num[] = {
	1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
	1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
};
static const double middle_den[] = {
	1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
	1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
};
static const double far_num[] = {
	6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
	2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
};
static const double far_den[] = {
	1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
	7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
};
// clang-format on

double fmath_normal_quantile(double p)
{
	double q = p - 0.5, r;

	if (fabs(q) <= 0.425)
		return q * ratio(0.180625 - q * q, centre_num, centre_den);
	r = sqrt(-fmath_log(q < 0 ? p : 1 - p));
	r = r <= 5 ? ratio(r - 1.6, middle_num, middle_den) : ratio(r - 5, far_num, far_den);
	if (p == 0 || p == 1)
		r = HUGE_VAL;
	return q < 0 ? -r : r;
}

/* ---- decay ---------------------------------------------------------------------------------- */

void fmath_decay_init(struct fmath_decay *d, double tau_steps)
{
	d->tau = tau_steps;
	for (int i = 0; i < 256; i++) {
		d->low[i] = fmath_exp(-i / tau_steps);
		d->high[i] = fmath_exp(-256 * i / tau_steps);
	}
}

double fmath_decay_far(const struct fmath_decay *d, int64_t n)
{
	return fmath_exp(-(double)n / d->tau);
}
