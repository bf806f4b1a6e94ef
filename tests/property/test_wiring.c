/* test_wiring.c - degrees, no forbidden pairs, uniform draws, parts alone the same. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/wiring.h"

enum { PAIRS_MAX = 400000 };

struct drawn {
	uint32_t at[PAIRS_MAX];
	size_t n;
};

static struct drawn drawn, again;

static void emit(void *self, uint32_t source)
{
	struct drawn *d = self;

	cr_assert_lt(d->n, PAIRS_MAX);
	d->at[d->n++] = source;
}

static struct wiring_ctx context(size_t n_source, size_t n_target, bool same, const double *p)
{
	return (struct wiring_ctx){ .n_source = n_source,
				    .n_target = n_target,
				    .same = same,
				    .autapses = true,
				    .multapses = true,
				    .p = p,
				    .key = rng_key(5, RNG_WIRING, "projection") };
}

/* Pairs that are drawn together: those of one target, or all with SIZE_MAX. */
struct some {
	struct drawn *d;
	size_t target;
	size_t n_target, left;
};

static bool emit_pair(void *self, uint32_t source, uint32_t target)
{
	struct some *s = self;

	cr_assert_lt(target, s->n_target);
	if (s->target == target || s->target == SIZE_MAX)
		emit(s->d, source);
	return --s->left > 0;
}

static size_t draw(const struct wiring_rule *r, const struct wiring_ctx *c, uint32_t target,
		   struct drawn *d)
{
	struct some some = { d, target, c->n_target, SIZE_MAX };

	d->n = 0;
	if (r->sources)
		r->sources(c, target, emit, d);
	else
		r->pairs(c, emit_pair, &some);
	for (size_t i = 0; i < d->n; i++)
		cr_assert_lt(d->at[i], c->n_source, "%s", r->name);
	return d->n;
}

static size_t doubles(struct drawn *d, size_t n_source)
{
	unsigned char *seen = calloc(n_source, 1);
	size_t n = 0;

	cr_assert_not_null(seen);
	for (size_t i = 0; i < d->n; i++) {
		n += seen[d->at[i]];
		seen[d->at[i]] = 1;
	}
	free(seen);
	return n;
}

static const uint32_t list_source[] = { 3, 3, 1, 0, 7 }, list_target[] = { 0, 0, 2, 5, 5 };

/* A context in which every rule can work: 40 neurons with themselves. */
static struct wiring_ctx usual(const double *p)
{
	struct wiring_ctx c = context(40, 40, true, p);

	c.list_source = list_source;
	c.list_target = list_target;
	c.n_list = COUNTOF(list_source);
	return c;
}

static const double usual_p[WIRING_PARAMS_MAX] = { 0.3 }, usual_degree[WIRING_PARAMS_MAX] = { 10 },
		    usual_number[WIRING_PARAMS_MAX] = { 400 };

static const double *values(const struct wiring_rule *r)
{
	if (r == &wiring_fixed_total_number)
		return usual_number;
	return r == &wiring_fixed_indegree || r == &wiring_fixed_outdegree ? usual_degree : usual_p;
}

Test(wiring, a_target_drawn_alone_gets_the_same_sources)
{
	for (size_t k = 0; wiring_rules[k]; k++) {
		const struct wiring_rule *r = wiring_rules[k];
		struct wiring_ctx c = usual(values(r));

		cr_assert_eq(r->check(&c, NULL), 0);
		for (uint32_t t = 0; t < 40; t++)
			(void)draw(r, &c, t, &again);
		(void)draw(r, &c, 5, &drawn);
		(void)draw(r, &c, 39, &again);
		(void)draw(r, &c, 5, &again);
		cr_assert_eq(drawn.n, again.n);
		cr_assert_arr_eq(drawn.at, again.at, drawn.n * sizeof(*drawn.at), "%s", r->name);
		cr_assert_gt(drawn.n, 0, "%s", r->name);
	}
}

Test(wiring, without_autapses_no_neuron_is_its_own_source)
{
	for (size_t k = 0; wiring_rules[k]; k++) {
		const struct wiring_rule *r = wiring_rules[k];
		struct wiring_ctx c = usual(values(r));

		c.autapses = false;
		if (r->takes_list)
			continue;
		for (int multapses = 0; multapses < 2; multapses++) {
			c.multapses = multapses;
			for (uint32_t t = 0; t < 40; t++) {
				(void)draw(r, &c, t, &drawn);
				for (size_t i = 0; i < drawn.n; i++)
					cr_assert_neq(drawn.at[i], t, "%s", r->name);
			}
		}
	}
}

Test(wiring, the_flag_for_autapses_means_nothing_between_two_populations)
{
	for (size_t k = 0; wiring_rules[k]; k++) {
		const struct wiring_rule *r = wiring_rules[k];
		struct wiring_ctx c = usual(values(r));

		c.same = false;
		for (uint32_t t = 0; t < 40; t++) {
			c.autapses = true;
			(void)draw(r, &c, t, &drawn);
			c.autapses = false;
			(void)draw(r, &c, t, &again);
			cr_assert_eq(drawn.n, again.n);
			cr_assert_arr_eq(drawn.at, again.at, drawn.n * sizeof(*drawn.at));
		}
	}
}

Test(wiring, the_expected_number_is_what_is_drawn)
{
	for (size_t k = 0; wiring_rules[k]; k++) {
		const struct wiring_rule *r = wiring_rules[k];
		struct wiring_ctx c = usual(values(r));

		for (int autapses = 0; autapses < 2; autapses++) {
			double n = 0, want;

			c.autapses = autapses || r->takes_list;
			for (uint32_t t = 0; t < 40; t++)
				n += (double)draw(r, &c, t, &drawn);
			want = r->expect(&c);
			cr_assert_leq(fabs(n - want),
				      r == &wiring_pairwise_bernoulli ? 3.5 * sqrt(want * 0.7) : 0,
				      "%s: %g, not %g", r->name, n, want);
		}
	}
}

Test(wiring, one_to_one_needs_equal_sizes)
{
	struct wiring_ctx c = context(3, 4, false, NULL);
	struct err err = { 0 };

	cr_assert_eq(wiring_one_to_one.check(&c, &err), -ERR_CONFLICT);
	c.n_target = 3;
	cr_assert_eq(wiring_one_to_one.check(&c, &err), 0);
	cr_assert_eq(draw(&wiring_one_to_one, &c, 2, &drawn), 1);
	cr_assert_eq(drawn.at[0], 2);
}

Test(wiring, all_to_all_is_every_source_once)
{
	struct wiring_ctx c = context(100, 3, false, NULL);

	cr_assert_eq(draw(&wiring_all_to_all, &c, 1, &drawn), 100);
	cr_assert_eq(doubles(&drawn, 100), 0);
}

Test(wiring, fixed_indegree_is_exact_and_without_multapses_all_differ)
{
	static const struct {
		size_t n_source, indegree;
	} cases[] = { { 40, 1 },      { 40, 20 },     { 40, 39 },     { 40, 40 },
		      { 9000, 4096 }, { 9000, 4097 }, { 9000, 8999 }, { 200000, 100 } };

	for (size_t k = 0; k < COUNTOF(cases); k++) {
		double p = (double)cases[k].indegree;
		struct wiring_ctx c = context(cases[k].n_source, 40, false, &p);

		c.multapses = false;
		cr_assert_eq(wiring_fixed_indegree.check(&c, NULL), 0);
		for (uint32_t t = 0; t < 40; t += 13) {
			cr_assert_eq(draw(&wiring_fixed_indegree, &c, t, &drawn),
				     cases[k].indegree);
			cr_assert_eq(doubles(&drawn, c.n_source), 0);
		}
	}
}

Test(wiring, fixed_indegree_refuses_more_sources_than_there_are)
{
	double p = 40;
	struct wiring_ctx c = context(40, 40, true, &p);
	struct err err = { 0 };

	c.multapses = false;
	cr_assert_eq(wiring_fixed_indegree.check(&c, &err), 0);
	c.autapses = false;
	cr_assert_eq(wiring_fixed_indegree.check(&c, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "indegree");
	c.multapses = true;
	cr_assert_eq(wiring_fixed_indegree.check(&c, &err), 0);
	c.n_source = 1;
	cr_assert_eq(wiring_fixed_indegree.check(&c, &err), -ERR_CONFLICT);
}

/* Each of 20 sources is drawn equally often over many targets: chi square with 19 degrees of
 * freedom. */
static void uniform(size_t indegree, bool multapses)
{
	double p = (double)indegree, seen[20] = { 0 }, want = 50000 * p / 20, chi = 0;
	double share = multapses ? 1 : 1 - p / 20; /* draws without replacement vary less */
	struct wiring_ctx c = context(20, 50000, false, &p);

	c.multapses = multapses;
	for (uint32_t t = 0; t < 50000; t++) {
		(void)draw(&wiring_fixed_indegree, &c, t, &drawn);
		for (size_t i = 0; i < drawn.n; i++)
			seen[drawn.at[i]]++;
	}
	for (size_t i = 0; i < 20; i++)
		chi += (seen[i] - want) * (seen[i] - want) / want / share;
	cr_assert(chi > 4.5 && chi < 44, "indegree %zu: chi square %g", indegree, chi);
}

Test(wiring, fixed_indegree_draws_uniformly_in_all_its_ways)
{
	uniform(8, true);
	uniform(3, false);
	uniform(10, false);
	uniform(13, false);
	uniform(19, false);
}

/* All pairs {i, j} of 6 sources, sampled 4 at a time through the sources, are equally likely. */
Test(wiring, samples_without_replacement_have_no_preferred_pairs)
{
	double p = 4, seen[6][6] = { { 0 } }, chi = 0, want = 60000 * 12.0 / 30;
	struct wiring_ctx c = context(6, 60000, false, &p);

	c.multapses = false;
	for (uint32_t t = 0; t < 60000; t++) {
		(void)draw(&wiring_fixed_indegree, &c, t, &drawn);
		for (size_t i = 0; i < 4; i++)
			for (size_t j = 0; j < 4; j++)
				seen[drawn.at[i]][drawn.at[j]] += drawn.at[i] < drawn.at[j];
	}
	for (size_t i = 0; i < 6; i++)
		for (size_t j = i + 1; j < 6; j++)
			chi += (seen[i][j] - want) * (seen[i][j] - want) / want;
	cr_assert_lt(chi, 36, "chi square %g", chi); /* 14 degrees of freedom at most: p < 0.001 */
}

Test(wiring, with_multapses_a_source_may_come_twice)
{
	double p = 30;
	struct wiring_ctx c = context(40, 1, false, &p);

	(void)draw(&wiring_fixed_indegree, &c, 0, &drawn);
	cr_assert_gt(doubles(&drawn, 40), 0);
}

Test(wiring, bernoulli_draws_every_pair_with_its_probability)
{
	static const double ps[] = { 0.002, 0.1, 0.5, 0.97 };

	for (size_t k = 0; k < COUNTOF(ps); k++) {
		struct wiring_ctx c = context(500, 400, false, &ps[k]);
		double n = 0, first = 0, last = 0, want = 200000 * ps[k];

		for (uint32_t t = 0; t < 400; t++) {
			n += (double)draw(&wiring_pairwise_bernoulli, &c, t, &drawn);
			cr_assert_eq(doubles(&drawn, 500), 0);
			for (size_t i = 0; i < drawn.n; i++) {
				first += drawn.at[i] < 250;
				last += drawn.at[i] >= 250;
			}
		}
		cr_assert_lt(fabs(n - want), 3.5 * sqrt(want * (1 - ps[k])), "p %g: %g", ps[k], n);
		cr_assert_lt(fabs(first - last), 3.5 * sqrt(want * (1 - ps[k])), "p %g", ps[k]);
	}
}

Test(wiring, bernoulli_of_none_and_all_is_none_and_all)
{
	double p = 0;
	struct wiring_ctx c = context(500, 4, false, &p);

	cr_assert_eq(draw(&wiring_pairwise_bernoulli, &c, 0, &drawn), 0);
	p = 1;
	cr_assert_eq(draw(&wiring_pairwise_bernoulli, &c, 0, &drawn), 500);
	p = 1e-300;
	cr_assert_eq(draw(&wiring_pairwise_bernoulli, &c, 0, &drawn), 0);
}

Test(wiring, targets_draw_independently_of_each_other)
{
	double p = 0.5, equal = 0;
	struct wiring_ctx c = context(5000, 2, false, &p);
	static unsigned char in[2][5000];

	for (uint32_t t = 0; t < 2; t++) {
		(void)draw(&wiring_pairwise_bernoulli, &c, t, &drawn);
		for (size_t i = 0; i < drawn.n; i++)
			in[t][drawn.at[i]] = 1;
	}
	for (size_t i = 0; i < 5000; i++)
		equal += in[0][i] == in[1][i];
	cr_assert_lt(fabs(equal - 2500), 3.5 * sqrt(1250));
}

Test(wiring, a_list_is_given_back_in_its_order)
{
	struct wiring_ctx c = usual(NULL);
	struct err err = { 0 };

	cr_assert_eq(draw(&wiring_list, &c, 0, &drawn), 2);
	cr_assert(drawn.at[0] == 3 && drawn.at[1] == 3);
	cr_assert_eq(draw(&wiring_list, &c, 1, &drawn), 0);
	cr_assert_eq(draw(&wiring_list, &c, 2, &drawn), 1);
	cr_assert_eq(draw(&wiring_list, &c, 5, &drawn), 2);
	cr_assert(drawn.at[0] == 0 && drawn.at[1] == 7);
	cr_assert_eq(draw(&wiring_list, &c, 39, &drawn), 0);
	c.n_source = 7;
	cr_assert_eq(wiring_list.check(&c, &err), -ERR_RANGE);
	cr_assert_str_eq(err.path, "sources");
	c.n_source = 8;
	c.n_target = 5;
	cr_assert_eq(wiring_list.check(&c, &err), -ERR_RANGE);
	cr_assert_str_eq(err.path, "targets");
}

/* ---- rules that draw pairs ------------------------------------------------------------------ */

/* Number of synapses of each pair, [n_source][n_target] of at most 40 by 40. */
static unsigned grid[40][40];

struct counted {
	size_t n, left;
	uint32_t last;
	bool ascends;
};

static bool count_pair(void *self, uint32_t source, uint32_t target)
{
	struct counted *x = self;

	cr_assert_lt(source, 40);
	cr_assert_lt(target, 40);
	x->ascends = x->ascends && (x->n == 0 || source >= x->last);
	x->last = source;
	grid[source][target]++;
	x->n++;
	return --x->left > 0;
}

static struct counted count_all(const struct wiring_rule *r, const struct wiring_ctx *c)
{
	struct counted x = { .left = SIZE_MAX, .ascends = true };

	memset(grid, 0, sizeof(grid));
	r->pairs(c, count_pair, &x);
	return x;
}

Test(wiring, fixed_outdegree_is_exact_and_without_multapses_all_differ)
{
	static const double degrees[] = { 0, 1, 10, 20, 39, 40 };

	for (size_t k = 0; k < COUNTOF(degrees); k++)
		for (int flags = 0; flags < 4; flags++) {
			struct wiring_ctx c = context(40, 40, true, &degrees[k]);
			int most = 0;

			c.autapses = flags & 1;
			c.multapses = flags & 2;
			if (wiring_fixed_outdegree.check(&c, NULL)) {
				cr_assert(degrees[k] == 40 && !flags);
				continue;
			}
			cr_assert(count_all(&wiring_fixed_outdegree, &c).ascends);
			for (size_t i = 0; i < 40; i++) {
				unsigned n = 0;

				for (size_t j = 0; j < 40; j++) {
					n += grid[i][j];
					most = (int)grid[i][j] > most ? (int)grid[i][j] : most;
				}
				cr_assert_eq(n, degrees[k]);
				cr_assert(c.autapses || grid[i][i] == 0);
			}
			cr_assert(c.multapses ? most > 1 || degrees[k] < 10 : most <= 1);
		}
}

/* In-degrees of a fixed out-degree with multapses are binomial: mean and variance. */
Test(wiring, targets_of_fixed_outdegree_are_uniform_and_independent)
{
	for (int multapses = 0; multapses < 2; multapses++) {
		double p = 30, sum = 0, square = 0, share = multapses ? 1.0 / 1000 : 30.0 / 1000;
		double variance =
			multapses ? 500 * 30 * share * (1 - share) : 500 * share * (1 - share);
		struct wiring_ctx c = context(500, 1000, false, &p);

		c.multapses = multapses;
		for (uint32_t t = 0; t < 1000; t += 5) {
			double n = (double)draw(&wiring_fixed_outdegree, &c, t, &drawn);

			cr_assert(multapses || doubles(&drawn, 500) == 0);
			sum += n;
			square += (n - 15) * (n - 15);
		}
		cr_assert_lt(fabs(sum / 200 - 15), 3.5 * sqrt(variance / 200));
		cr_assert_lt(fabs(square / 200 / variance - 1), 3.5 * sqrt(2.0 / 200), "%g, not %g",
			     square / 200, variance);
	}
}

Test(wiring, fixed_total_number_is_exact_and_its_pairs_are_uniform)
{
	for (int flags = 0; flags < 4; flags++) {
		double p = 800, chi = 0;
		struct wiring_ctx c = context(40, 40, true, &p);
		double pairs = flags & 1 ? 1600 : 1560, want = 300 * p / pairs;
		static double sum[40][40];

		c.autapses = flags & 1;
		c.multapses = flags & 2;
		memset(sum, 0, sizeof(sum));
		for (unsigned run = 0; run < 300; run++) {
			c.key.k[0] = run;
			cr_assert_eq(count_all(&wiring_fixed_total_number, &c).n, 800);
			for (size_t i = 0; i < 40; i++)
				for (size_t j = 0; j < 40; j++) {
					cr_assert(c.multapses || grid[i][j] <= 1);
					sum[i][j] += grid[i][j];
				}
		}
		for (size_t i = 0; i < 40; i++)
			for (size_t j = 0; j < 40; j++) {
				cr_assert(c.autapses || i != j || sum[i][j] == 0);
				if (c.autapses || i != j)
					chi += (sum[i][j] - want) * (sum[i][j] - want) / want;
			}
		chi /= c.multapses ? 1 : 1 - p / pairs; /* without replacement: less */
		cr_assert_lt(fabs(chi - pairs), 3.5 * sqrt(2 * pairs), "flags %d: chi square %g",
			     flags, chi);
	}
}

Test(wiring, fixed_total_number_without_multapses_takes_up_to_all_pairs)
{
	static const double numbers[] = { 0, 1, 1559, 1560 };

	for (size_t k = 0; k < COUNTOF(numbers); k++) {
		struct wiring_ctx c = context(40, 40, true, &numbers[k]);
		struct counted x;

		c.autapses = c.multapses = false;
		cr_assert_eq(wiring_fixed_total_number.check(&c, NULL), 0);
		x = count_all(&wiring_fixed_total_number, &c);
		cr_assert_eq((double)x.n, numbers[k]);
		for (size_t i = 0; i < 40; i++)
			for (size_t j = 0; j < 40; j++)
				cr_assert_leq(grid[i][j], i != j);
	}
}

Test(wiring, rules_that_draw_pairs_refuse_what_cannot_be)
{
	double p = 1601;
	struct wiring_ctx c = context(40, 40, true, &p);
	struct err err = { 0 };

	cr_assert_eq(wiring_fixed_total_number.check(&c, &err), 0);
	c.multapses = false;
	cr_assert_eq(wiring_fixed_total_number.check(&c, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "N");
	cr_assert_eq(wiring_fixed_outdegree.check(&c, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "outdegree");
	c.multapses = true;
	c.autapses = false;
	c.n_source = c.n_target = 1;
	cr_assert_eq(wiring_fixed_total_number.check(&c, &err), -ERR_CONFLICT);
	cr_assert_eq(wiring_fixed_outdegree.check(&c, &err), -ERR_CONFLICT);
}

Test(wiring, drawing_pairs_ends_when_nobody_wants_more)
{
	for (size_t k = 0; wiring_rules[k]; k++) {
		const struct wiring_rule *r = wiring_rules[k];
		struct wiring_ctx c = usual(values(r));

		for (int multapses = 0; r->pairs && multapses < 2; multapses++) {
			struct some some = { &drawn, SIZE_MAX, 40, 7 };

			c.multapses = multapses;
			drawn.n = 0;
			r->pairs(&c, emit_pair, &some);
			cr_assert_eq(drawn.n, 7, "%s", r->name);
		}
	}
}
