/* kit_stat.c - numbers of samples. Sums go in order, in two passes: the same bits everywhere. */
/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "core/kit.h"

double kit_mean(const double *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += x[i];
	return n ? sum / (double)n : (double)NAN;
}

/* Sum of (x - mean)^power. */
static double moment(const double *x, size_t n, double mean, int power)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		double d = x[i] - mean, term = d;

		for (int k = 1; k < power; k++)
			term *= d;
		sum += term;
	}
	return sum;
}

double kit_sd(const double *x, size_t n)
{
	return n < 2 ? (double)NAN : sqrt(moment(x, n, kit_mean(x, n), 2) / (double)(n - 1));
}

double kit_part(const double *x, size_t n, double low, double high)
{
	size_t in = 0;

	for (size_t i = 0; i < n; i++)
		in += x[i] >= low && x[i] < high;
	return n ? (double)in / (double)n : (double)NAN;
}

double kit_isi_cv(const double *ms, size_t n)
{
	double mean, sum = 0;

	if (n < 3)
		return (double)NAN;
	mean = (ms[n - 1] - ms[0]) / (double)(n - 1);
	for (size_t i = 1; i < n; i++) {
		double d = ms[i] - ms[i - 1] - mean;

		sum += d * d;
	}
	return sqrt(sum / (double)(n - 2)) / mean;
}

double kit_bimodality(const double *x, size_t n)
{
	double m = kit_mean(x, n), k = (double)n, m2, g1, g2, skewness, kurtosis;

	if (n < 4)
		return (double)NAN;
	m2 = moment(x, n, m, 2) / k;
	if (!(m2 > 0))
		return (double)NAN;
	g1 = moment(x, n, m, 3) / k / (m2 * sqrt(m2));
	g2 = moment(x, n, m, 4) / k / (m2 * m2) - 3;
	skewness = g1 * sqrt(k * (k - 1)) / (k - 2);
	kurtosis = (k - 1) / ((k - 2) * (k - 3)) * ((k + 1) * g2 + 6);
	return (skewness * skewness + 1) / (kurtosis + 3 * (k - 1) * (k - 1) / ((k - 2) * (k - 3)));
}

double kit_correlation(const double *x, const double *y, size_t n)
{
	double mx = kit_mean(x, n), my = kit_mean(y, n), xx = 0, yy = 0, xy = 0;

	for (size_t i = 0; i < n; i++) {
		xx += (x[i] - mx) * (x[i] - mx);
		yy += (y[i] - my) * (y[i] - my);
		xy += (x[i] - mx) * (y[i] - my);
	}
	return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : (double)NAN;
}
