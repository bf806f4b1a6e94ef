/* rng - Philox4x32-10 and the distributions on top of it. */
/* SPDX-License-Identifier: MIT */
#include "core/base/rng.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/base/fmath.h"
#include "core/base/hash.h"

/* Multipliers and key increments of the paper's table 2. */
enum { ROUNDS = 10 };
static const uint64_t mul0 = 0xd2511f53, mul1 = 0xcd9e8d57;
static const uint32_t weyl0 = 0x9e3779b9, weyl1 = 0xbb67ae85;

struct rng_key rng_key(uint64_t seed, enum rng_purpose purpose, const char *name)
{
	struct hash h;
	uint64_t key;

	hash_init(&h);
	hash_u64(&h, seed);
	hash_u64(&h, (uint64_t)purpose);
	hash_u64(&h, hash_bytes(name, strlen(name)));
	key = hash_end(&h);
	return (struct rng_key){ { (uint32_t)key, (uint32_t)(key >> 32) } };
}

void rng_bits(struct rng_key key, uint64_t id, uint64_t counter, uint32_t ret_bits[4])
{
	uint32_t x0 = (uint32_t)counter, x1 = (uint32_t)(counter >> 32);
	uint32_t x2 = (uint32_t)id, x3 = (uint32_t)(id >> 32);

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t p0 = mul0 * x0, p1 = mul1 * x2;

		x0 = (uint32_t)(p1 >> 32) ^ x1 ^ key.k[0];
		x1 = (uint32_t)p1;
		x2 = (uint32_t)(p0 >> 32) ^ x3 ^ key.k[1];
		x3 = (uint32_t)p0;
		key.k[0] += weyl0;
		key.k[1] += weyl1;
	}
	ret_bits[0] = x0;
	ret_bits[1] = x1;
	ret_bits[2] = x2;
	ret_bits[3] = x3;
}

uint64_t rng_u64(struct rng_key key, uint64_t id, uint64_t counter)
{
	uint32_t b[4];

	rng_bits(key, id, counter, b);
	return (uint64_t)b[1] << 32 | b[0];
}

/* An odd multiple of 2^-53: never 0, never 1, nothing is rounded. */
static double open_uniform(uint64_t bits)
{
	return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

double rng_uniform(struct rng_key key, uint64_t id, uint64_t counter)
{
	return open_uniform(rng_u64(key, id, counter));
}

/* The same bits without a conversion from integers, which few vector units have: the random bits
 * as the fraction of a number in [1, 2), from where neither step rounds. */
static inline double open_uniform_by_fraction(uint64_t bits)
{
	double x;

	bits = bits >> 12 | 0x3ff0000000000000;
	memcpy(&x, &bits, sizeof(x));
	return x - 1 + 0x1p-53;
}

#ifdef HAS_AVX2
/* Four and eight ids at a time in the low halves of 64-bit lanes, whose upper halves are never read.
 * Compilers do not see that these are products of 32 bits; by their widening product a draw takes a
 * quarter of the time. They return how many ids. */
AVX2 static size_t uniform_by_four(struct rng_key key, uint64_t id0, uint64_t counter, size_t n,
				   double *restrict ret)
{
	const __m256i m0 = _mm256_set1_epi64x((int64_t)mul0);
	const __m256i m1 = _mm256_set1_epi64x((int64_t)mul1);
	const __m256i lane = _mm256_set_epi64x(3, 2, 1, 0);
	size_t i = 0;

	for (; i + 4 <= n; i += 4) {
		__m256i x0 = _mm256_set1_epi64x((int64_t)counter), x1 = _mm256_srli_epi64(x0, 32);
		__m256i x2 = _mm256_add_epi64(_mm256_set1_epi64x((int64_t)(id0 + i)), lane);
		__m256i x3 = _mm256_srli_epi64(x2, 32), bits;
		uint32_t k0 = key.k[0], k1 = key.k[1];

		for (int r = 0; r < ROUNDS; r++) {
			__m256i p0 = _mm256_mul_epu32(m0, x0), p1 = _mm256_mul_epu32(m1, x2);

			x0 = _mm256_xor_si256(_mm256_srli_epi64(p1, 32),
					      _mm256_xor_si256(x1, _mm256_set1_epi64x(k0)));
			x1 = p1;
			x2 = _mm256_xor_si256(_mm256_srli_epi64(p0, 32),
					      _mm256_xor_si256(x3, _mm256_set1_epi64x(k1)));
			x3 = p0;
			k0 += weyl0;
			k1 += weyl1;
		}
		bits = _mm256_blend_epi32(_mm256_slli_epi64(x1, 32), x0, 0x55);
		bits = _mm256_or_si256(_mm256_srli_epi64(bits, 12),
				       _mm256_set1_epi64x(0x3ff0000000000000));
		_mm256_storeu_pd(ret + i, _mm256_add_pd(_mm256_sub_pd(_mm256_castsi256_pd(bits),
								      _mm256_set1_pd(1)),
							_mm256_set1_pd(0x1p-53)));
	}
	return i;
}

AVX512 static size_t uniform_by_eight(struct rng_key key, uint64_t id0, uint64_t counter, size_t n,
				      double *restrict ret)
{
	const __m512i m0 = _mm512_set1_epi64((int64_t)mul0), m1 = _mm512_set1_epi64((int64_t)mul1);
	const __m512i low = _mm512_set1_epi64(0xffffffff),
		      lane = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		__m512i x0 = _mm512_set1_epi64((int64_t)counter), x1 = _mm512_srli_epi64(x0, 32);
		__m512i x2 = _mm512_add_epi64(_mm512_set1_epi64((int64_t)(id0 + i)), lane);
		__m512i x3 = _mm512_srli_epi64(x2, 32), bits;
		uint32_t k0 = key.k[0], k1 = key.k[1];

		for (int r = 0; r < ROUNDS; r++) {
			__m512i p0 = _mm512_mul_epu32(m0, x0), p1 = _mm512_mul_epu32(m1, x2);

			x0 = _mm512_xor_si512(_mm512_srli_epi64(p1, 32),
					      _mm512_xor_si512(x1, _mm512_set1_epi64(k0)));
			x1 = p1;
			x2 = _mm512_xor_si512(_mm512_srli_epi64(p0, 32),
					      _mm512_xor_si512(x3, _mm512_set1_epi64(k1)));
			x3 = p0;
			k0 += weyl0;
			k1 += weyl1;
		}
		bits = _mm512_or_si512(_mm512_slli_epi64(x1, 32), _mm512_and_si512(x0, low));
		bits = _mm512_or_si512(_mm512_srli_epi64(bits, 12),
				       _mm512_set1_epi64(0x3ff0000000000000));
		_mm512_storeu_pd(ret + i, _mm512_add_pd(_mm512_sub_pd(_mm512_castsi512_pd(bits),
								      _mm512_set1_pd(1)),
							_mm512_set1_pd(0x1p-53)));
	}
	return i;
}
#endif

CLONES static void uniform_column(struct rng_key key, uint64_t id0, uint64_t counter, size_t n,
				  double *restrict ret)
{
#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		uint32_t x0 = (uint32_t)counter, x1 = (uint32_t)(counter >> 32);
		uint32_t x2 = (uint32_t)(id0 + i), x3 = (uint32_t)((id0 + i) >> 32);
		uint32_t k0 = key.k[0], k1 = key.k[1];

		for (int r = 0; r < ROUNDS; r++) {
			uint64_t p0 = mul0 * x0, p1 = mul1 * x2;

			x0 = (uint32_t)(p1 >> 32) ^ x1 ^ k0;
			x1 = (uint32_t)p1;
			x2 = (uint32_t)(p0 >> 32) ^ x3 ^ k1;
			x3 = (uint32_t)p0;
			k0 += weyl0;
			k1 += weyl1;
		}
		ret[i] = open_uniform_by_fraction((uint64_t)x1 << 32 | x0);
	}
}

void rng_uniform_column(struct rng_key key, uint64_t id0, uint64_t counter, size_t n, double *ret)
{
	size_t done = 0;

#ifdef HAS_AVX2
	if (HAS_AVX512)
		done = uniform_by_eight(key, id0, counter, n, ret);
	if (HAS_AVX2)
		done += uniform_by_four(key, id0 + done, counter, n - done, ret + done);
#endif
	if (done < n)
		uniform_column(key, id0 + done, counter, n - done, ret + done);
}

uint64_t rng_below(struct rng_key key, uint64_t id, uint64_t counter, uint64_t n)
{
	uint64_t u = rng_u64(key, id, counter);

	return ((u >> 32) * n + ((u & 0xffffffffu) * n >> 32)) >> 32;
}

double rng_normal(struct rng_key key, uint64_t id, uint64_t counter)
{
	return fmath_normal_quantile(rng_uniform(key, id, counter));
}

double rng_exponential(struct rng_key key, uint64_t id, uint64_t counter)
{
	return -fmath_log(rng_uniform(key, id, counter));
}

/* The smallest k whose distribution function reaches u. Beyond 200 the mass is below 1e-100. */
static double poisson_invert(double lambda, double u)
{
	double p = fmath_exp(-lambda), sum = p;
	int k = 0;

	while (u > sum && k < 200) {
		k++;
		p *= lambda / k;
		sum += p;
	}
	return k;
}

/* log(k!) by Stirling's series, shifted so that the first left-out term is below 1e-15. */
static double log_factorial(double k)
{
	double x = k + 1, shift = 1, r;

	while (x < 12) {
		shift *= x;
		x += 1;
	}
	r = 1 / (x * x);
	r = (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / x;
	/* 0.9189... = log(2 pi) / 2 */
	return (x - 0.5) * fmath_log(x) - x + 0.91893853320467274178 + r - fmath_log(shift);
}

/* Transformed rejection with squeeze, PTRS of Hoermann (1993), doi:10.1016/0167-6687(93)90997-4,
 * for means of 10 and up. Each try is one draw of its own: the id's upper half counts them. */
static double poisson_reject(struct rng_key key, uint64_t id, uint64_t counter, double lambda)
{
	const double log_lambda = fmath_log(lambda), b = 0.931 + 2.53 * sqrt(lambda);
	const double a = -0.059 + 0.02483 * b, inv_alpha = 1.1239 + 1.1328 / (b - 3.4);
	const double v_r = 0.9277 - 3.6224 / (b - 2);

	for (uint64_t sub = 1; sub < 10000; sub++) {
		uint32_t r[4];
		double u, v, us, k;

		rng_bits(key, id + (sub << 32), counter, r);
		u = open_uniform((uint64_t)r[1] << 32 | r[0]) - 0.5;
		v = open_uniform((uint64_t)r[3] << 32 | r[2]);
		us = 0.5 - fabs(u);
		k = floor((2 * a / us + b) * u + lambda + 0.43);
		if (us >= 0.07 && v <= v_r)
			return k;
		if (k < 0 || (us < 0.013 && v > us))
			continue;
		if (fmath_log(v * inv_alpha / (a / (us * us) + b)) <=
		    k * log_lambda - lambda - log_factorial(k))
			return k;
	}
	return floor(lambda); /* not reached: a try is accepted with probability 0.7 and more */
}

double rng_poisson(struct rng_key key, uint64_t id, uint64_t counter, double lambda)
{
	if (lambda < 10)
		return poisson_invert(lambda, rng_uniform(key, id, counter));
	return poisson_reject(key, id, counter, lambda);
}

enum { BLOCK = 256, FEW = 8, CDF_MAX = 32 };

/* The distribution function from 0 on, with the very sums of poisson_invert(), until little is
 * left; a multiple of four. For means below 10 that is 28 at most. */
static size_t poisson_cdf(double lambda, double *cdf)
{
	double p = fmath_exp(-lambda), sum = p;
	size_t n = 0;

	cdf[n++] = sum;
	while (n < CDF_MAX && (sum < 1 - 1e-4 || n % 4)) {
		p *= lambda / (double)n;
		sum += p;
		cdf[n++] = sum;
	}
	return n;
}

/* How many of the n_cdf values are below u: the function ascends, so that is where it reaches u. Is
 * some u above them all? */
CLONES static bool count_below(const double *restrict u, size_t n, const double *restrict cdf,
			       size_t n_cdf, double *restrict ret)
{
	double last = cdf[n_cdf - 1], above = 0;

	memset(ret, 0, n * sizeof(*ret));
	for (size_t k = 0; k < n_cdf; k += 4) {
		double a = cdf[k], b = cdf[k + 1], c = cdf[k + 2], d = cdf[k + 3];

#pragma omp simd
		for (size_t i = 0; i < n; i++)
			ret[i] += ((u[i] > a ? 1.0 : 0.0) + (u[i] > b ? 1.0 : 0.0)) +
				  ((u[i] > c ? 1.0 : 0.0) + (u[i] > d ? 1.0 : 0.0));
	}
#pragma omp simd reduction(+ : above)
	for (size_t i = 0; i < n; i++)
		above += u[i] > last ? 1.0 : 0.0;
	return above > 0;
}

/* The distribution function that was asked for last, by this thread: in every step of a generator it
 * is the same. */
struct cdf {
	double lambda; /* 0: none yet */
	size_t n;
	double at[CDF_MAX];
};

static const struct cdf *shared_cdf(double lambda)
{
	static _Thread_local struct cdf last;

	if (lambda != last.lambda) {
		last.n = poisson_cdf(lambda, last.at);
		last.lambda = lambda;
	}
	return &last;
}

/* One mean below 10 for all. */
static void poisson_shared(const double *u, size_t n, const struct cdf *cdf, double *ret)
{
	if (!count_below(u, n, cdf->at, cdf->n, ret))
		return;
	for (size_t i = 0; i < n; i++)
		if (u[i] > cdf->at[cdf->n - 1])
			ret[i] = poisson_invert(cdf->lambda, u[i]);
}

void rng_poisson_column(struct rng_key key, uint64_t id0, uint64_t counter, size_t n,
			const double *lambda, size_t stride, double *ret)
{
	bool shared = stride == 0 && n >= FEW && *lambda < 10 && *lambda > 0;
	const struct cdf *cdf = shared ? shared_cdf(*lambda) : NULL;
	double u[BLOCK];

	for (size_t at = 0, m; at < n; at += m) {
		m = n - at < BLOCK ? n - at : BLOCK;
		rng_uniform_column(key, id0 + at, counter, m, u);
		if (cdf) {
			poisson_shared(u, m, cdf, ret + at);
			continue;
		}
		for (size_t i = 0; i < m; i++) {
			double mean = lambda[(at + i) * stride];

			ret[at + i] = mean < 10 ? poisson_invert(mean, u[i])
						: poisson_reject(key, id0 + at + i, counter, mean);
		}
	}
}
