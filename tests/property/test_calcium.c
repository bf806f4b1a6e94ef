/* test_calcium.c - the calcium rule's published curves: the closed form from the times above the
 * thresholds that the rule has, and synapses of the engine against the closed form.
 *
 * Graupner & Brunel (2012): on average over a protocol of pairs rho obeys a linear equation with
 * noise. It is then normally distributed, and what counts is on which side of rho_star it ends. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/engine_case.h"
#include "tests/unit/one_synapse.h"

static const struct plasticity_model *const rule = &plasticity_stdp_calcium;
static struct one o;

/* Pairs of spikes, `pairs` of them at `rate_hz`, the post spike dt_ms after the pre spike. */
struct protocol {
	const char *set;
	double dt_ms, rate_hz, pairs;
};

static const double *parameters(const char *set)
{
	for (size_t i = 0; i < rule->n_sets; i++)
		if (!strcmp(rule->sets[i].name, set))
			return rule->sets[i].p;
	cr_assert(false, "there is no set %s", set);
	return NULL;
}

static double get(const double *p, const char *name)
{
	return p[param_find(rule->params, rule->n_params, name)];
}

/* 10 ms and the periods of all rates are whole steps. */
enum { STEPS_PER_MS = 30, PAIRS = 12, LEAD = 3000 };

/* Part of the time that calcium is above a threshold once the train of pairs has settled: with one
 * gamma alone, rho or what it lacks to 1 falls by exp(-gamma time / tau), whatever it is. */
static double part_above(const struct protocol *x, const double *set, bool potentiation)
{
	int64_t period = (int64_t)floor(STEPS_PER_MS * 1000 / x->rate_hz + 0.5);
	int64_t dt = (int64_t)floor(STEPS_PER_MS * x->dt_ms + 0.5);
	double p[PLASTICITY_PARAMS_MAX], left[2];

	memcpy(p, set, rule->n_params * sizeof(*p));
	one_set(rule, p, "sigma", 0);
	one_set(rule, p, "bistable", 0);
	one_set(rule, p, potentiation ? "gamma_d" : "gamma_p", 0);
	one_init(&o, rule, p, 1.0 / STEPS_PER_MS, 1, potentiation ? 0 : 1);
	for (int64_t i = 0; i < PAIRS; i++)
		one_post(&o, LEAD + i * period + dt - 1);
	for (int64_t i = 0; i < PAIRS; i++) {
		if (i >= PAIRS - 2) /* from just before a pair to just before the next */
			left[i - PAIRS + 2] = one_update(&o, LEAD + i * period - 3, 0);
		one_update(&o, LEAD + i * period, 1);
	}
	if (potentiation) {
		left[0] = 1 - left[0];
		left[1] = 1 - left[1];
	}
	return log(left[0] / left[1]) * get(p, "tau") /
	       get(p, potentiation ? "gamma_p" : "gamma_d") * x->rate_hz / 1000;
}

/* The probability to end above rho_star from rho. */
static double end_above(const struct protocol *x, double rho)
{
	const double *p = parameters(x->set);
	double up = part_above(x, p, true), down = part_above(x, p, false);
	double rate = up * get(p, "gamma_p") + down * get(p, "gamma_d");
	double to = up * get(p, "gamma_p") / rate, sigma = get(p, "sigma");
	double h = 1000 * x->pairs / x->rate_hz / get(p, "tau");
	double mean = to + (rho - to) * exp(-rate * h);
	double variance = sigma * sigma * (up + down) / (2 * rate) * (1 - exp(-2 * rate * h));

	if (!(up + down > 1e-12))
		return rho > get(p, "rho_star");
	return 0.5 * erfc((get(p, "rho_star") - mean) / sqrt(2 * variance));
}

/* After to before, when a part beta of the synapses starts at 0, an upper one being b times as strong. */
static double change(const struct protocol *x, double beta, double b)
{
	double up = beta * end_above(x, 0) + (1 - beta) * end_above(x, 1);

	return (1 - up + up * b) / (beta + (1 - beta) * b);
}

Test(calcium, the_curves_of_60_pairs_at_1_hz_are_the_published_ones)
{
	static const double dt[] = { -60, -40, -20, -10, 0, 10, 20, 40, 60 };
	static const struct {
		const char *set;
		double want[COUNTOF(dt)];
	} rows[] = {
		{ "DP", { .941, .851, .764, .882, 1.008, 1.221, 1.172, 1.085, 1.035 } },
		{ "DPD", { 1, 1, .998, .859, .997, .961, .867, 1, 1 } },
		{ "P", { 1.019, 1.046, 1.098, 1.230, 1.238, 1.230, 1.098, 1.046, 1.019 } },
		{ "D", { 1, 1, 1, 1, .637, 1, 1, 1, 1 } },
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		for (size_t k = 0; k < COUNTOF(dt); k++) {
			struct protocol x = { rows[i].set, dt[k], 1, 60 };
			double got = change(&x, 0.5, 5);

			cr_expect(fabs(got - rows[i].want[k]) <= 0.001, "%s, %g ms: %.4f, not %.3f",
				  x.set, x.dt_ms, got, rows[i].want[k]);
		}
}

Test(calcium, the_curves_of_75_pairs_in_cortical_slices_are_the_published_ones)
{
	static const double rates[] = { 0.1, 1, 5, 10, 20, 30, 40, 50 };
	static const double want[2][COUNTOF(rates)] = {
		{ 1.061, 1.061, 1.062, 1.083, 1.253, 1.192, 1.553, 1.637 },
		{ .691, .691, .690, .621, .635, 1.186, 1.585, 1.637 },
	};

	for (size_t side = 0; side < 2; side++)
		for (size_t k = 0; k < COUNTOF(rates); k++) {
			struct protocol x = { "cortical_slices", side ? -10 : 10, rates[k], 75 };
			double got = change(&x, 0.5, 5.40988);

			cr_expect(fabs(got - want[side][k]) <= 0.001,
				  "%g ms, %g Hz: %.4f, not %.3f", x.dt_ms, x.rate_hz, got,
				  want[side][k]);
		}
}

/* ---- the engine ----------------------------------------------------------------------------- */

enum { SYNAPSES = 1000 };

static void times(const struct protocol *x, double first_ms, char *ret, size_t n)
{
	size_t len = 0;

	for (int i = 0; i < (int)x->pairs; i++) {
		double ms = floor(10 * (first_ms + 1000 * i / x->rate_hz) + 0.5) / 10;

		len += (size_t)snprintf(ret + len, n - len, "%s%.1f", i ? "," : "", ms);
	}
}

/* Of as many synapses between two neurons, how many end above rho_star: [0] from 0, [1] from 1. */
static void simulate(const struct protocol *x, bool bistable, size_t ret[2])
{
	static char pre[4096], post[4096], text[12288];
	static const char *const from[] = { "low", "high" };
	const char *cubic = bistable ? "true" : "false";
	struct engine_case c;

	times(x, 100, pre, sizeof(pre));
	times(x, 100 + x->dt_ms - 1, post, sizeof(post));
	(void)snprintf(
		text, sizeof(text),
		"{\"duration_ms\":%.1f,\"seed\":\"11\",\"populations\":{"
		"\"pre\":{\"model\":\"spike_generator\",\"params\":{\"spike_times\":[%s]}},"
		"\"post\":{\"model\":\"spike_generator\",\"params\":{\"spike_times\":[%s]}}},"
		"\"projections\":{"
		"\"low\":{\"source\":\"pre\",\"target\":\"post\",\"connect\":{\"rule\":"
		"\"fixed_indegree\",\"indegree\":%d},\"synapse\":{\"model\":\"stdp_calcium\","
		"\"set\":\"%s\",\"params\":{\"bistable\":%s},\"weight\":0,\"delay_ms\":1}},"
		"\"high\":{\"source\":\"pre\",\"target\":\"post\",\"connect\":{\"rule\":"
		"\"fixed_indegree\",\"indegree\":%d},\"synapse\":{\"model\":\"stdp_calcium\","
		"\"set\":\"%s\",\"params\":{\"bistable\":%s},\"weight\":1,\"delay_ms\":1}}}}",
		floor(1000 * x->pairs / x->rate_hz) + 200, pre, post, SYNAPSES, x->set, cubic,
		SYNAPSES, x->set, cubic);
	c = engine_case_text(text, 1);
	cr_assert_eq(c.rc, 0, "%s: %s", c.err.path, c.err.text);
	for (int k = 0; k < 2; k++) {
		size_t n = 0;
		double *w = engine_case_column(
			&c, engine_case_recording(&c, "final_weights", from[k], 0), "weight", &n);

		cr_assert_eq(n, SYNAPSES);
		ret[k] = 0;
		for (size_t i = 0; i < n; i++) {
			cr_assert(w[i] >= 0 && w[i] <= 1);
			ret[k] += w[i] > 0.5;
		}
		mem_free(w);
	}
	engine_case_release(&c);
}

static const struct protocol protocols[] = {
	{ "DP", 10, 1, 60 },
	{ "DP", -20, 1, 60 },
	{ "DPD", 0, 1, 60 },
	{ "P", -10, 1, 60 },
	{ "D", 0, 1, 60 },
	{ "cortical_slices", -10, 20, 75 },
	{ "cortical_slices", 10, 50, 75 },
	{ "hippocampal_cultures", 5, 1, 60 },
	{ "hippocampal_slices", 10, 5, 60 },
};

/* Over a protocol the cubic term, which the closed form leaves out, is less than chance. */
Test(calcium, synapses_of_the_engine_cross_as_often_as_the_closed_form_says)
{
	for (size_t i = 0; i < 2 * COUNTOF(protocols); i++) {
		const struct protocol *x = &protocols[i / 2];
		bool bistable = i % 2;
		size_t above[2];

		simulate(x, bistable, above);
		for (int k = 0; k < 2; k++) {
			double want = end_above(x, k), got = (double)above[k] / SYNAPSES;
			double error = sqrt(want * (1 - want) / SYNAPSES);

			cr_expect(fabs(got - want) <= 3 * error,
				  "%s, %g ms, bistable %d, from %d: %g, not %g", x->set, x->dt_ms,
				  bistable, k, got, want);
		}
	}
}
