/* test_pattern.c - frozen patterns in walking rates: when, what, and how far from it. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "core/model/pattern.h"
#include "tests/unit/generator_world.h"

static struct world a, b;

static void pattern(struct world *x, size_t n, uint64_t id0, double dt)
{
	world_init(x, &neuron_pattern_generator, n, id0);
	x->c.dt = dt;
	world_set(x, "pattern_size", (double)n / 2);
}

/* Spikes of one window, each with its step in it. */
struct window {
	size_t n;
	uint32_t neuron[WORLD_N * 20];
	int step[WORLD_N * 20];
};

static struct window one, two;

static void take(struct world *x, int64_t steps, struct window *w)
{
	w->n = 0;
	for (int t = 0; t < steps; t++) {
		world_step(x);
		for (size_t i = 0; i < x->c.n; i++)
			for (double k = 0; k < x->out[i]; k++) {
				cr_assert_lt(w->n, COUNTOF(w->neuron));
				w->neuron[w->n] = (uint32_t)i;
				w->step[w->n++] = t;
			}
	}
}

Test(pattern, shown_windows_have_their_share_and_never_follow_each_other)
{
	static const double shares[] = { 0, 0.05, 0.25, 0.45, 0.5 };

	for (size_t k = 0; k < COUNTOF(shares); k++) {
		struct rng_key key = rng_key(k, RNG_SPIKES, "x");
		double n = 100000, shown = 0, which[3] = { 0 }, sd = sqrt(n * shares[k] * 0.75);

		for (int64_t w = 0, last = -1; w < (int64_t)n; w++) {
			int q = pattern_shown(key, shares[k], 3, w);

			cr_assert(q < 0 || last < 0, "share %g: windows %d", shares[k], (int)w);
			last = q;
			shown += q >= 0;
			which[q < 0 ? 0 : q] += q >= 0;
		}
		cr_assert_leq(fabs(shown - n * shares[k]), shares[k] < 0.5 ? 3.5 * sd : 0,
			      "share %g: %g", shares[k], shown / n);
		for (int q = 0; q < 3; q++)
			cr_assert_leq(fabs(which[q] - shown / 3), 3.5 * sqrt(shown * 2 / 9));
	}
}

Test(pattern, the_share_0_25_means_windows_after_empty_ones_show_it_by_a_third)
{
	struct rng_key key = rng_key(1, RNG_SPIKES, "x");
	double free = 0, shown = 0;

	for (int64_t w = 1; w < 100000; w++) {
		bool after = pattern_shown(key, 0.25, 1, w - 1) < 0;

		free += after;
		shown += after && pattern_shown(key, 0.25, 1, w) >= 0;
	}
	cr_assert_lt(fabs(shown / free - 1.0 / 3), 3.5 * sqrt(2.0 / 9 / free));
}

/* The paper's figures: 54 Hz of the walks, 64 Hz with the noise. */
Test(pattern, afferents_fire_at_the_paper_s_rate_in_patterns_and_out_of_them)
{
	static const double dts[] = { 0.1, 1, 0.05 };

	for (size_t k = 0; k < COUNTOF(dts); k++) {
		double in = 0, out = 0, n_in = 0, n_out = 0, rest = 0;

		pattern(&a, 1000, 0, dts[k]);
		world_set(&a, "noise_hz", 10);
		world_start(&a);
		for (int64_t w = 0; w < 200; w++) {
			bool shown = pattern_shown(a.c.key, 0.25, 1, w) >= 0;

			take(&a, pattern_window(50, dts[k]), &one);
			(shown ? &n_in : &n_out)[0]++;
			for (size_t i = 0; i < one.n; i++)
				(one.neuron[i] >= 500 ? &rest : shown ? &in : &out)[0]++;
		}
		/* Hz; a walk stays long where it is, so windows of one afferent are not
		 * independent. */
		in /= n_in * 500 * 0.05;
		out /= n_out * 500 * 0.05;
		rest /= 200 * 500 * 0.05;
		cr_assert_lt(fabs(out - 64), 1, "dt %g: %g Hz", dts[k], out);
		cr_assert_lt(fabs(rest - 64), 1, "dt %g: %g Hz", dts[k], rest);
		/* One pattern of 500 afferents: 27 spikes a window in all but 0.05 of noise. */
		cr_assert_lt(fabs(in - 64), 4, "dt %g: %g Hz in the pattern", dts[k], in);
	}
}

Test(pattern, no_afferent_is_silent_for_more_than_quiet_ms)
{
	static int64_t last[200];

	pattern(&a, 200, 0, 0.1);
	world_set(&a, "noise_hz", 0);
	world_set(&a, "pattern_share", 0);
	world_start(&a);
	for (int64_t t = 1; t <= 50000; t++) {
		world_step(&a);
		for (size_t i = 0; i < 200; i++) {
			/* 50 ms from bin to bin, the places in them beside. */
			cr_assert_leq(t - last[i], 510, "afferent %zu", i);
			last[i] = a.out[i] > 0 ? t : last[i];
		}
	}
}

static int by_neuron(const void *x, const void *y)
{
	const int64_t *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

/* Spikes of the members as numbers that sort by afferent and step. */
static size_t members(const struct window *w, size_t size, int64_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->neuron[i] < size)
			ret[n++] = (int64_t)w->neuron[i] << 32 | w->step[i];
	qsort(ret, n, sizeof(*ret), by_neuron);
	return n;
}

static int64_t frozen[3][WORLD_N * 20], seen[WORLD_N * 20];

Test(pattern, without_jitter_and_noise_a_pattern_is_repeated_to_the_step)
{
	static const double dts[] = { 0.1, 1, 0.05, 0.3 };

	for (size_t k = 0; k < COUNTOF(dts); k++) {
		size_t n[3] = { 0 }, times[3] = { 0 };

		pattern(&a, 300, 0, dts[k]);
		world_set(&a, "noise_hz", 0);
		world_set(&a, "jitter_ms", 0);
		world_set(&a, "n_patterns", 3);
		world_start(&a);
		for (int64_t w = 0; w < 60; w++) {
			int q = pattern_shown(a.c.key, 0.25, 3, w);
			size_t n_seen;

			take(&a, pattern_window(50, dts[k]), &one);
			n_seen = members(&one, 150, seen);
			for (int other = 0; other < 3; other++) {
				bool same = n_seen == n[other] &&
					    !memcmp(seen, frozen[other], n_seen * sizeof(*seen));

				if (times[other])
					cr_assert_eq(same, q == other, "dt %g, window %d", dts[k],
						     (int)w);
			}
			if (q >= 0 && !times[q]++) {
				memcpy(frozen[q], seen, sizeof(seen));
				n[q] = n_seen;
			}
		}
		for (int q = 0; q < 3; q++)
			cr_assert(times[q] > 1 && n[q] > 300);
	}
}

/* A long pattern has its bins in several masks. */
Test(pattern, a_pattern_of_120_ms_is_repeated_too)
{
	size_t n = 0, times = 0, bins = 0;

	pattern(&a, 300, 0, 0.1);
	world_set(&a, "pattern_ms", 120);
	world_set(&a, "noise_hz", 0);
	world_set(&a, "jitter_ms", 0);
	world_set(&a, "pattern_share", 0.5);
	world_start(&a);
	for (int64_t w = 0; w < 6; w++) {
		take(&a, pattern_window(120, 0.1), &one);
		if (w % 2)
			continue;
		if (times++) {
			cr_assert_eq(members(&one, 150, seen), n);
			cr_assert_eq(memcmp(seen, frozen[0], n * sizeof(*seen)), 0);
		}
		n = members(&one, 150, frozen[0]);
		for (size_t i = 0; i < n; i++)
			bins += (frozen[0][i] & 0xffff) > 1000;
	}
	cr_assert(times == 3 && bins > 50);
}

/* With jitter every spike is there, moved by a normal number: seen where an afferent has one. */
Test(pattern, jitter_moves_every_spike_by_its_standard_deviation)
{
	double square = 0, sum = 0, n = 0, far = 0;

	pattern(&a, WORLD_N, 0, 0.1);
	pattern(&b, WORLD_N, 0, 0.1);
	for (struct world *x = &a; x; x = x == &a ? &b : NULL) {
		world_set(x, "noise_hz", 0);
		world_set(x, "jitter_ms", x == &a ? 0 : 1);
		world_set(x, "pattern_share", 0.5);
		world_start(x);
	}
	for (int w = 0; w < 6; w++) {
		static int first[WORLD_N], second[WORLD_N], count[2][WORLD_N];

		take(&a, 500, &one);
		take(&b, 500, &two);
		memset(count, 0, sizeof(count));
		for (size_t i = 0; i < one.n; i++) {
			count[0][one.neuron[i]]++;
			first[one.neuron[i]] = one.step[i];
		}
		for (size_t i = 0; i < two.n; i++) {
			count[1][two.neuron[i]]++;
			second[two.neuron[i]] = two.step[i];
		}
		for (size_t i = 0; i < WORLD_N; i++) {
			double d = 0.1 * (second[i] - first[i]);

			cr_assert_eq(count[0][i], count[1][i]);
			if (w % 2 || i >= WORLD_N / 2)
				cr_assert(count[0][i] == 0 || second[i] == first[i]);
			else if (count[0][i] == 1 && first[i] >= 50 && first[i] < 450) {
				square += d * d;
				sum += d;
				far += fabs(d) > 1.96;
				n++;
			}
		}
	}
	cr_assert_gt(n, 300);
	cr_assert_lt(fabs(sum / n), 3.5 / sqrt(n));
	cr_assert_lt(fabs(square / n - 1), 3.5 * sqrt(2 / n), "variance %g of %g", square / n, n);
	cr_assert_lt(fabs(far / n - 0.05), 3.5 * sqrt(0.0475 / n));
}

Test(pattern, a_part_of_the_afferents_emits_the_same_alone)
{
	double spikes = 0;

	pattern(&a, 300, 0, 0.1);
	pattern(&b, 70, 130, 0.1);
	world_set(&b, "pattern_size", 150);
	world_start(&a);
	world_start(&b);
	for (int t = 0; t < 10000; t++) {
		world_step(&a);
		world_step(&b);
		for (size_t i = 0; i < 70; i++) {
			cr_assert_eq(a.out[130 + i], b.out[i]);
			spikes += b.out[i];
		}
	}
	cr_assert_gt(spikes, 1000);
}

/* At the finest resolution a spike may be at any tenth of its millisecond. */
Test(pattern, spikes_stand_anywhere_in_their_bins)
{
	double seen_at[10] = { 0 }, sum = 0;

	pattern(&a, 1000, 0, 0.1);
	world_start(&a);
	for (int t = 0; t < 20000; t++) {
		world_step(&a);
		for (size_t i = 0; i < 1000; i++) {
			seen_at[t % 10] += a.out[i];
			sum += a.out[i];
		}
	}
	for (int k = 0; k < 10; k++)
		cr_assert_lt(fabs(seen_at[k] - sum / 10), 4 * sqrt(sum / 10), "tenth %d", k);
}

Test(pattern, what_cannot_be_is_refused)
{
	static const struct {
		const char *name;
		double value;
		bool ok;
	} cases[] = { { "n_patterns", 8, true },  { "pattern_ms", 51, false },
		      { "n_patterns", 4, true },  { "pattern_ms", 400, false },
		      { "n_patterns", 1, true },  { "jitter_ms", 100, true },
		      { "pattern_ms", 50, false } };

	world_init(&a, &neuron_pattern_generator, 10, 0);
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct err err = { 0 };

		world_set(&a, cases[i].name, cases[i].value);
		cr_assert_eq(a.model->check(a.p, &err) == 0, cases[i].ok, "%s = %g: %s",
			     cases[i].name, cases[i].value, err.text);
	}
}
