/* test_kit.c - what experiments share: numbers of samples, specs in pieces, spikes and weights seen. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/kit.h"
#include "core/spec_json.h"

Test(kit, moments_of_known_samples)
{
	static const double x[] = { 2, 4, 4, 4, 5, 5, 7, 9 }, y[] = { 9, 7, 5, 5, 4, 4, 4, 2 };

	cr_assert_float_eq(kit_mean(x, 8), 5, 1e-15);
	cr_assert_float_eq(kit_sd(x, 8), sqrt(32.0 / 7), 1e-15);
	cr_assert_float_eq(kit_part(x, 8, 4, 5), 3.0 / 8, 0, "the upper end is not in");
	cr_assert_float_eq(kit_correlation(x, x, 8), 1, 1e-15);
	cr_assert_lt(kit_correlation(x, y, 8), 0);
	cr_assert(isnan(kit_mean(x, 0)) && isnan(kit_sd(x, 1)) && isnan(kit_part(x, 0, 0, 1)));
}

Test(kit, variation_of_intervals)
{
	static const double clock[] = { 5, 15, 25, 35 }, pairs[] = { 0, 1, 4, 5, 8 };

	cr_assert_float_eq(kit_isi_cv(clock, 4), 0, 1e-15);
	/* intervals 1 3 1 3: mean 2, sd sqrt(4/3) */
	cr_assert_float_eq(kit_isi_cv(pairs, 5), sqrt(4.0 / 3) / 2, 1e-15);
	cr_assert(isnan(kit_isi_cv(clock, 2)));
}

Test(kit, bimodality_tells_one_hump_from_two)
{
	enum { N = 2000 };
	double flat[N], two[N], hump[N];

	for (size_t i = 0; i < N; i++) {
		double u = ((double)i + 0.5) / N;

		flat[i] = u;
		two[i] = i % 2 ? 0.9 + 0.1 * u : 0.1 * u;
		hump[i] = 0.5 + 0.1 * tan(2.2 * (u - 0.5)); /* tails on either side */
	}
	cr_assert_float_eq(kit_bimodality(flat, N), 5.0 / 9, 2e-3);
	cr_assert_gt(kit_bimodality(two, N), 0.95);
	cr_assert_lt(kit_bimodality(hump, N), 0.5);
	cr_assert(isnan(kit_bimodality(flat, 3)));
}

/* Two generators onto one another's synapses, weights of 0.5. */
static void build(struct kit_spec *k)
{
	static const double first[] = { 1, 2, 2.5 }, second[] = { 1.5 };

	kit_begin(k, 0.1, 10, 7);
	kit_population(
		k, "a", "spike_generator", 2,
		json_pack("{s:[o, o]}", "spike_times", kit_array(first, 3), kit_array(second, 1)));
	kit_population(k, "b", "iaf_psc_delta", 2, json_object());
	kit_projection(
		k, "ab", "a", "b", kit_rule("one_to_one"),
		json_pack("{s:s, s:f, s:f}", "model", "stdp_pair", "weight", 0.5, "delay_ms", 0.5));
}

struct seen {
	struct kit_spikes spikes;
	double times[16];
	size_t n;
};

static int look(void *self, const struct sim *s, double t_ms, struct err *err)
{
	struct seen *seen = self;
	double *w = NULL;
	size_t n = 0;
	int rc = kit_weights(s, "ab", &w, &n, err);

	if (rc)
		return rc;
	cr_assert_eq(n, 2);
	cr_assert_float_eq(w[0], 0.5, 1e-15);
	mem_free(w);
	seen->times[seen->n++] = t_ms;
	return 0;
}

Test(kit, a_built_spec_is_watched)
{
	struct seen seen = { .spikes = { .population = "a", .from_ms = 1.4 } };
	struct kit_sample sample = { .every_ms = 2.5, .self = &seen, .at = look };
	struct mem_arena arena;
	struct err_list errors = { 0 };
	struct err err = { 0 };
	const struct spec *spec = NULL;
	struct sim *s = NULL;
	struct kit_spec k;
	double of[4];

	mem_arena_init(&arena, 0);
	build(&k);
	cr_assert_not(k.failed);
	cr_assert_eq(spec_json_read(&spec, k.json, "", NULL, NULL, &arena, &errors), 0, "%s: %s",
		     errors.first.path, errors.first.text);
	cr_assert_eq(spec->seed, 7);
	cr_assert_eq(sim_new(&s, spec, &arena, 1, NULL, &err), 0, "%s", err.text);
	cr_assert_eq(kit_spikes_watch(&seen.spikes, s, &err), 0);
	cr_assert_eq(kit_sample_watch(&sample, s, &err), 0);
	cr_assert_eq(sim_start(s, &err), 0);
	cr_assert_eq(sim_advance(s, spec->steps, &err), 0, "%s", err.text);

	cr_assert_eq(seen.spikes.n, 3, "what is before from_ms is not kept");
	cr_assert_eq(kit_spikes_of(&seen.spikes, 0, of, 4), 2);
	cr_assert_float_eq(of[0], 2, 1e-12);
	cr_assert_float_eq(of[1], 2.5, 1e-12);
	cr_assert_eq(kit_spikes_of(&seen.spikes, 1, of, 0), 1, "counted beyond the room");
	cr_assert_eq(seen.n, 4);
	for (size_t i = 0; i < 4; i++)
		cr_assert_float_eq(seen.times[i], 2.5 * (double)(i + 1), 1e-12);
	kit_spikes_free(&seen.spikes);
	sim_free(s);
	kit_end(&k);
	mem_arena_release(&arena);
}

Test(kit, what_is_not_there_is_said)
{
	struct kit_spikes spikes = { .population = "nobody" };
	struct kit_sample never = { .every_ms = 0 };
	struct mem_arena arena;
	struct err_list errors = { 0 };
	struct err err = { 0 };
	const struct spec *spec = NULL;
	struct sim *s = NULL;
	struct kit_spec k;
	double *w = NULL;
	size_t n;

	mem_arena_init(&arena, 0);
	build(&k);
	cr_assert_eq(spec_json_read(&spec, k.json, "", NULL, NULL, &arena, &errors), 0);
	cr_assert_eq(sim_new(&s, spec, &arena, 1, NULL, &err), 0);
	cr_assert_eq(kit_spikes_watch(&spikes, s, &err), -ERR_INTERNAL);
	cr_assert_eq(kit_sample_watch(&never, s, &err), -ERR_GRID);
	cr_assert_eq(kit_weights(s, "nothing", &w, &n, &err), -ERR_INTERNAL);
	sim_free(s);
	kit_population(&k, "c", "iaf_psc_delta", 1, NULL);
	cr_assert(k.failed, "params that could not be made are a failure");
	kit_end(&k);
	mem_arena_release(&arena);
}

/* Two pairs of a dopamine rule, rewarded by an observer or by the schedule. */
static void build_rewarded(struct kit_spec *k, bool schedule)
{
	static const double pre[] = { 2, 12 }, post[] = { 4, 11 };

	kit_begin(k, 0.1, 40, 7);
	kit_population(k, "pre", "spike_generator", 1,
		       json_pack("{s:[o]}", "spike_times", kit_array(pre, 2)));
	kit_population(k, "post", "spike_generator", 1,
		       json_pack("{s:[o]}", "spike_times", kit_array(post, 2)));
	kit_projection(k, "syn", "pre", "post", kit_rule("one_to_one"),
		       json_pack("{s:s, s:f, s:f}", "model", "stdp_dopamine", "weight", 1.0,
				 "delay_ms", 1.0));
	if (schedule)
		kit_set(k, NULL, NULL, "schedule",
			json_pack("[{s:f, s:{s:s, s:f}}, {s:f, s:{s:s, s:f}}]", "at_ms", 14.3,
				  "reward", "projection", "syn", "amount", 2.0, "at_ms", 21.0,
				  "reward", "projection", "syn", "amount", -0.5));
}

/* Promises both rewards, the later one first, when it sees the first postsynaptic spike. */
static int promise(void *self, const struct sim_view *v, struct err *err)
{
	struct kit_rewards *k = self;
	size_t post = (size_t)spec_population(v->spec, "post");
	int rc;

	if (!v->spikes || v->n_spikes[post] == 0 || v->spikes[post][0].step != 40)
		return 0;
	rc = kit_rewards_promise(k, 210, -0.5, err);
	return rc ? rc : kit_rewards_promise(k, 143, 2, err);
}

static int64_t no_stop(void *self, int64_t t)
{
	(void)self;
	(void)t;
	return INT64_MAX;
}

static uint64_t rewarded(bool schedule, int64_t piece, double *ret_w)
{
	struct kit_rewards rewards = { 0 };
	struct mem_arena arena;
	struct err_list errors = { 0 };
	struct err err = { 0 };
	const struct spec *spec = NULL;
	struct sim *s = NULL;
	struct kit_spec k;
	uint64_t digest = 0;

	mem_arena_init(&arena, 0);
	build_rewarded(&k, schedule);
	cr_assert_eq(spec_json_read(&spec, k.json, "", NULL, NULL, &arena, &errors), 0, "%s: %s",
		     errors.first.path, errors.first.text);
	cr_assert_eq(sim_new(&s, spec, &arena, 1, NULL, &err), 0, "%s", err.text);
	if (!schedule) {
		cr_assert_eq(kit_rewards_watch(&rewards, s, &err), 0);
		sim_observe(s, (struct sim_observer){ &rewards, no_stop, promise });
	}
	cr_assert_eq(sim_start(s, &err), 0);
	for (int64_t t = 0; t < spec->steps; t += piece)
		cr_assert_eq(
			sim_advance(s, t + piece < spec->steps ? t + piece : spec->steps, &err), 0,
			"%s", err.text);
	cr_assert_eq(rewards.given, schedule ? 0 : 2);
	cr_assert_eq(sim_weights(s, 0, ret_w, &err), 0);
	cr_assert_eq(sim_digest(s, &digest, &err), 0);
	kit_rewards_free(&rewards);
	sim_free(s);
	kit_end(&k);
	mem_arena_release(&arena);
	return digest;
}

Test(kit, promised_rewards_are_those_of_the_schedule)
{
	double by_schedule, whole, pieces;
	uint64_t digest = rewarded(true, 400, &by_schedule);

	cr_assert_gt(fabs(by_schedule - 1), 1e-3, "the rewards did nothing");
	cr_assert_eq(rewarded(false, 400, &whole), digest);
	cr_assert_eq(rewarded(false, 3, &pieces), digest, "where slices end has changed bits");
	cr_assert_float_eq(whole, by_schedule, 0);
	cr_assert_float_eq(pieces, by_schedule, 0);
}

Test(kit, a_rule_without_a_modulator_cannot_be_rewarded)
{
	struct kit_rewards rewards = { 0 };
	struct mem_arena arena;
	struct err_list errors = { 0 };
	struct err err = { 0 };
	const struct spec *spec = NULL;
	struct sim *s = NULL;
	struct kit_spec k;

	mem_arena_init(&arena, 0);
	build(&k);
	cr_assert_eq(spec_json_read(&spec, k.json, "", NULL, NULL, &arena, &errors), 0);
	cr_assert_eq(sim_new(&s, spec, &arena, 1, NULL, &err), 0);
	cr_assert_eq(sim_reward(s, 0, 1, &err), -ERR_CONFLICT);
	cr_assert_eq(kit_rewards_watch(&rewards, s, &err), -ERR_INTERNAL);
	sim_free(s);
	kit_end(&k);
	mem_arena_release(&arena);
}
