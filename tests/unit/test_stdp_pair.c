/* test_stdp_pair.c - pair STDP against its formula, pair by pair. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "core/base/rng.h"
#include "tests/unit/one_synapse.h"

static const struct plasticity_model *const rule = &plasticity_stdp_pair;
static const char *const pairings[] = { "all_to_all", "nearest_symmetric", "nearest_pre_centered",
					"nearest_reduced_symmetric" };

static struct one o; /* too big for a stack frame that tests keep small */

static void set(double *p, const char *name, double value)
{
	one_set(rule, p, name, value);
}

static void choose(double *p, const char *name, const char *choice)
{
	int i = param_find(rule->params, rule->n_params, name);

	p[i] = param_choice(&rule->params[i], choice);
}

/* The comparing macros evaluate their arguments more than once. */
static void near(double got, double want)
{
	cr_assert(fabs(got - want) <= 1e-15, "%.17g, not %.17g", got, want);
}

/* Weight after one pair, dt in steps at the synapse, from w. */
static double pair(const double *p, int64_t dt, double w)
{
	one_init(&o, rule, p, 0.1, 10, w);
	one_post(&o, 3000 + dt - 10);
	one_update(&o, 3000, 1);
	return one_update(&o, 40000, 0);
}

static void variant(double *p, int v)
{
	one_defaults(rule, p);
	choose(p, "pairing", pairings[v % 4]);
	set(p, "tau_minus", 33.7);
	set(p, "A_plus", v & 4 ? -0.04 : 0.05);
	set(p, "A_minus", v & 8 ? 0.03 : -0.04);
	set(p, "w_min", 0.1);
	if (v >= 48)
		choose(p, "weight_dependence", "power");
	else if (v >= 16) {
		set(p, "mu_plus", v >= 32 ? 0.4 : 1);
		set(p, "mu_minus", v >= 32 ? 0.3 : 1);
	}
}

Test(stdp_pair, a_lone_pair_follows_the_closed_form_in_every_variant)
{
	static const double weights[] = { 0.1, 0.12, 0.5, 0.98, 1 };
	double p[PLASTICITY_PARAMS_MAX];

	for (int v = 0; v < 64; v++) {
		variant(p, v);
		for (int64_t dt = -1000; dt <= 1000; dt += 25) {
			for (size_t i = 0; i < COUNTOF(weights); i++) {
				double dw = rule->window(p, weights[i], 0.1 * (double)dt);
				double got = pair(p, dt, weights[i]) - weights[i];

				cr_assert_float_eq(got, dw, 1e-15, "variant %d dt %d w %g", v,
						   (int)dt, weights[i]);
			}
		}
	}
}

Test(stdp_pair, the_default_window_is_the_founding_formula)
{
	double p[PLASTICITY_PARAMS_MAX];

	one_defaults(rule, p);
	cr_assert_float_eq(rule->window(p, 0.5, 10), 0.005 * exp(-0.5), 1e-16);
	cr_assert_float_eq(rule->window(p, 0.5, -10), -0.00525 * exp(-0.5), 1e-16);
	cr_assert_eq(rule->window(p, 0.5, 0), 0);
	cr_assert_gt(pair(p, 1, 0.5), 0.5);
	cr_assert_lt(pair(p, -1, 0.5), 0.5);
}

Test(stdp_pair, spikes_that_meet_at_the_synapse_do_nothing_to_each_other)
{
	double p[PLASTICITY_PARAMS_MAX];

	one_defaults(rule, p);
	for (int v = 0; v < 4; v++) {
		choose(p, "pairing", pairings[v]);
		cr_assert_eq(pair(p, 0, 0.5), 0.5, "%s", pairings[v]);
	}
}

Test(stdp_pair, a_change_is_scaled_by_its_direction_and_keeps_the_bounds)
{
	double p[PLASTICITY_PARAMS_MAX];

	for (int v = 0; v < 64; v++) {
		variant(p, v);
		set(p, "A_plus", v & 4 ? -7 : 7);
		set(p, "A_minus", v & 8 ? 7 : -7);
		one_init(&o, rule, p, 0.1, 10, 0.5);
		for (int64_t t = 1; t < 60; t++) {
			one_post(&o, 100 * t - (t % 3));
			one_update(&o, 100 * t + 10, 1);
			cr_assert(o.w >= 0.1 && o.w <= 1, "variant %d: %g", v, o.w);
		}
	}
}

Test(stdp_pair, bounds_are_applied_after_every_single_change)
{
	double p[PLASTICITY_PARAMS_MAX];

	one_defaults(rule, p);
	set(p, "A_plus", 0.6);
	set(p, "A_minus", -0.25);
	one_init(&o, rule, p, 0.1, 1, 0.5);
	one_update(&o, 100, 1);
	one_post(&o, 109);
	one_post(&o, 109);
	/* Two times +0.57, cut at 1 each time, then the depression of two at once. */
	near(one_update(&o, 130, 1), 1 - 0.5 * exp(-2 / 20.0));
}

Test(stdp_pair, several_spikes_at_once_count_each)
{
	double p[PLASTICITY_PARAMS_MAX];

	one_defaults(rule, p);
	one_init(&o, rule, p, 0.1, 1, 0.5);
	one_post(&o, 99);
	near(one_update(&o, 200, 3), 0.5 - 3 * 0.00525 * exp(-0.5));
	cr_assert_eq(o.pre[0], 3);
	choose(p, "pairing", "nearest_reduced_symmetric");
	one_init(&o, rule, p, 0.1, 1, 0.5);
	one_post(&o, 99);
	near(one_update(&o, 200, 3), 0.5 - 0.00525 * exp(-0.5));
}

Test(stdp_pair, switched_off_weights_stand_still_while_traces_go_on)
{
	double p[PLASTICITY_PARAMS_MAX];

	one_defaults(rule, p);
	for (int v = 0; v < 4; v++) {
		choose(p, "pairing", pairings[v]);
		one_init(&o, rule, p, 0.1, 10, 0.5);
		one_post(&o, 50);
		o.row.on = false;
		cr_assert_eq(one_update(&o, 100, 1), 0.5, "%s", pairings[v]);
		o.row.on = true;
		one_post(&o, 190);
		near(one_update(&o, 300, 0), 0.5 + 0.005 * exp(-0.5));
	}
}

Test(stdp_pair, a_weight_outside_changed_bounds_comes_back_at_the_near_one)
{
	double p[PLASTICITY_PARAMS_MAX];

	for (int v = 0; v < 64; v++) {
		variant(p, v);
		set(p, "w_max", 0.4);
		near(pair(p, 20, 0.9), 0.4);
		near(pair(p, -20, 0.9), 0.4);
		set(p, "w_min", 0.2);
		near(pair(p, 20, 0.05), 0.2);
		near(pair(p, -20, 0.05), 0.2);
	}
}

enum { TRAIN = 400 };

/* Ascending steps, close enough together that many coincide. */
static void train(int64_t *at, uint64_t id)
{
	struct rng_key key = rng_key(7, RNG_EXPERIMENT, "trains");

	for (size_t i = 0; i < TRAIN; i++)
		at[i] = (i ? at[i - 1] : 40) + (int64_t)rng_below(key, id, i, 60) + (id == 0);
}

/* What a pair of steps contributes, for the additive rule. */
static double amount(int64_t dt)
{
	return dt > 0 ? 0.005 * exp(-(double)dt / 200) : -0.00525 * exp((double)dt / 200);
}

/* Sum over pairs by the definition of each pairing; post are arrivals. */
static double brute(const int64_t *pre, const int64_t *post, int pairing)
{
	double sum = 0;

	for (size_t i = 0; i < TRAIN; i++) {
		bool seen = false; /* a post arrival in (previous pre, this pre] */

		for (size_t j = 0; j < TRAIN; j++) {
			bool last_post =
				post[j] < pre[i] && (j + 1 == TRAIN || post[j + 1] >= pre[i]);
			bool last_pre =
				pre[i] < post[j] && (i + 1 == TRAIN || pre[i + 1] >= post[j]);
			bool first_post = pre[i] < post[j] && (j == 0 || post[j - 1] <= pre[i]);

			seen |= post[j] <= pre[i] && (i == 0 || post[j] > pre[i - 1]);
			if (post[j] > pre[TRAIN - 1] || post[j] == pre[i])
				continue;
			if (pairing == 0 || (pairing == 1 && (last_post || last_pre)) ||
			    (pairing == 2 && (last_post || first_post)) ||
			    (pairing == 3 && last_pre && first_post))
				sum += amount(post[j] - pre[i]);
		}
		for (size_t j = 0; pairing == 3 && seen && j < TRAIN; j++)
			if (post[j] < pre[i] && (j + 1 == TRAIN || post[j + 1] >= pre[i]))
				sum += amount(post[j] - pre[i]);
	}
	return sum;
}

Test(stdp_pair, every_pairing_counts_the_pairs_of_its_definition)
{
	static int64_t pre[TRAIN], post[TRAIN];
	double p[PLASTICITY_PARAMS_MAX];

	train(pre, 0);
	train(post, 1);
	for (int v = 0; v < 8; v++) {
		one_defaults(rule, p);
		set(p, "w_max", 1000);
		choose(p, "pairing", pairings[v % 4]);
		one_init(&o, rule, p, 0.1, 15, 500);
		o.trim = v >= 4;
		for (size_t j = 0; j < TRAIN; j++)
			one_post(&o, post[j] - 15);
		for (size_t i = 0; i < TRAIN; i++)
			one_update(&o, pre[i], 1);
		cr_assert_float_eq(o.w - 500, brute(pre, post, v % 4), 1e-10, "%s",
				   pairings[v % 4]);
	}
}

Test(stdp_pair, trains_have_coincidences_to_test)
{
	static int64_t pre[TRAIN], post[TRAIN];
	size_t n = 0, twice = 0;

	train(pre, 0);
	train(post, 1);
	for (size_t i = 0; i < TRAIN; i++)
		for (size_t j = 0; j < TRAIN; j++)
			n += pre[i] == post[j];
	for (size_t j = 1; j < TRAIN; j++)
		twice += post[j] == post[j - 1];
	cr_assert_geq(n, 3);
	cr_assert_geq(twice, 2);
}

/* Three synapses on two targets with delays of their own, as one row and one by one. */
Test(stdp_pair, a_row_is_the_same_as_its_synapses_one_by_one)
{
	static struct one each[3];
	static const uint32_t target[3] = { 1, 0, 1 };
	static const uint16_t delay[3] = { 5, 17, 30 };
	static int64_t post[2][TRAIN], pre[TRAIN];
	double p[PLASTICITY_PARAMS_MAX], w[3], syn[3], tx[3], trace[1];
	struct plasticity_history history[2];

	train(pre, 0);
	train(post[0], 1);
	train(post[1], 2);
	for (int v = 0; v < 64; v++) {
		variant(p, v);
		for (size_t k = 0; k < 3; k++) {
			one_init(&each[k], rule, p, 0.1, delay[k], 0.3 + 0.2 * (double)k);
			for (size_t j = 0; j < TRAIN; j++)
				one_post(&each[k], post[target[k]][j]);
			w[k] = each[k].w;
			syn[k] = 0;
		}
		history[0] = each[1].history;
		history[1] = each[0].history;
		trace[0] = 0;
		o.ctx = each[0].ctx;
		o.ctx.post = history;
		o.row = (struct plasticity_row){ .t_pre = -1,
						 .on = true,
						 .pre = trace,
						 .n = 3,
						 .target = target,
						 .delay = delay,
						 .delay_stride = 1,
						 .w = w,
						 .syn = { syn },
						 .tx = tx };
		for (size_t i = 0; i < TRAIN; i++) {
			o.row.t = pre[i];
			o.row.n_spikes = 1;
			rule->update(&o.ctx, &o.row);
			o.row.t_last = o.row.t_pre = pre[i];
			for (size_t k = 0; k < 3; k++)
				cr_assert_eq(w[k], one_update(&each[k], pre[i], 1), "variant %d",
					     v);
		}
	}
}

enum { MANY = 150, TARGETS = 8, VISITS = 90, SPIKES = 1500, SLOWEST = 400 };

struct many {
	struct plasticity_spike spike[TARGETS][SPIKES];
	struct plasticity_history history[TARGETS];
	struct plasticity_recent recent[TARGETS];
	uint32_t target[MANY];
	uint16_t delay[MANY];
	double w[MANY], state[MANY], trace[1];
};

static struct many m;

/* Target 0 never fires, 1 once, the others at rates from low to high, some spikes in one step. */
static void fire_until(struct rng_key key, int64_t from, int64_t to)
{
	for (size_t k = 1; k < TARGETS; k++) {
		struct plasticity_history *h = &m.history[k];
		uint64_t slow = k < 3 ? 20000 : SLOWEST >> (k - 3);

		for (int64_t t = from + 1; t <= to && (k > 1 || h->n == 0) && h->n < SPIKES; t++) {
			struct plasticity_spike *x = &m.spike[k][h->n];

			/* After the long silences the last steps will do. */
			t = to - t > 3000 ? to - 3000 : t;
			if (rng_below(key, k, (uint64_t)t, slow) > 0)
				continue;
			x->step = t;
			rule->on_post(&o.ctx, h->n > 0 ? x - 1 : NULL, t, x->k);
			h->n++;
			t -= rng_below(key, k + TARGETS, (uint64_t)t + h->n, 5) == 0 ? 1 : 0;
		}
		m.recent[k] = plasticity_look_back(h);
	}
}

static void many_begin(const double *p, struct rng_key key)
{
	one_init(&o, rule, p, 0.1, 1, 0);
	o.ctx.post = m.history;
	o.ctx.recent = m.recent;
	m.trace[0] = 0;
	for (size_t k = 0; k < TARGETS; k++) {
		m.history[k] = (struct plasticity_history){ m.spike[k], 0 };
		m.recent[k] = plasticity_look_back(&m.history[k]);
	}
	for (size_t i = 0; i < MANY; i++) {
		m.target[i] = (uint32_t)rng_below(key, i, 0, TARGETS);
		m.delay[i] = (uint16_t)(1 + rng_below(key, i, 1, 30));
		m.w[i] = 0.1 + 0.9 * rng_uniform(key, i, 2);
		m.state[i] = 0;
	}
	o.row = (struct plasticity_row){ .t_pre = -1,
					 .on = true,
					 .pre = m.trace,
					 .n = MANY,
					 .target = m.target,
					 .delay = m.delay,
					 .delay_stride = 1,
					 .w = m.w,
					 .tx = m.w,
					 .syn = { m.state } };
}

/* Bring the row to its time, and each synapse by itself: to the same bits. */
static void many_update(int v)
{
	static double w[MANY], state[MANY];
	double trace = m.trace[0];

	for (size_t i = 0; i < MANY; i++) {
		struct plasticity_row alone = o.row;
		double before = trace;

		w[i] = m.w[i];
		state[i] = m.state[i];
		alone.n = 1;
		alone.target = &m.target[i];
		alone.delay = &m.delay[i];
		alone.w = alone.tx = &w[i];
		alone.syn[0] = &state[i];
		alone.pre = &before;
		rule->update(&o.ctx, &alone);
	}
	rule->update(&o.ctx, &o.row);
	for (size_t i = 0; i < MANY; i++)
		cr_assert(w[i] == m.w[i] && state[i] == m.state[i],
			  "variant %d, step %ld, synapse %zu: %.17g, alone %.17g", v, (long)o.row.t,
			  i, m.w[i], w[i]);
}

/* Rows of many synapses are computed in columns: spikes on their way, at the very step, many since,
 * longer ago than is told, and none at all. */
Test(stdp_pair, many_synapses_are_the_same_as_each_of_them_alone)
{
	struct rng_key key = rng_key(7, RNG_EXPERIMENT, "many");
	double p[PLASTICITY_PARAMS_MAX];

	for (int v = 0; v < 64; v++) {
		variant(p, v);
		many_begin(p, key);
		for (uint64_t i = 0; i < VISITS; i++) {
			int64_t t = o.row.t + 1 + (int64_t)rng_below(key, MANY, i, 150);

			t += i % 20 == 19 ? 70000 : 0;
			fire_until(key, o.row.t, t);
			o.row.t = t;
			o.row.on = i % 10 != 9;
			o.row.n_spikes = (unsigned)rng_below(key, MANY + 1, i, 3);
			many_update(v);
			o.row.t_last = t;
			if (o.row.n_spikes > 0)
				o.row.t_pre = t;
		}
	}
}
