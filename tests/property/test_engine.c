/* test_engine.c - what must not change a bit: threads, recorders, slices, the order of a JSON text. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/engine_case.h"

enum { CASES = 18 };

static const char *const rules[] = { "stdp_pair",
				     "stdp_synapse",
				     "stdp_nn_symm_synapse",
				     "stdp_nn_pre_centered_synapse",
				     "stdp_nn_restr_synapse",
				     "stdp_pl_synapse_hom",
				     "stdp_calcium",
				     "stdp_triplet",
				     "stdp_inhibitory",
				     "stdp_dopamine",
				     "hebb_rate",
				     "stp" };
static const char *const wirings[] = { "{\"rule\":\"all_to_all\"}",
				       "{\"rule\":\"fixed_indegree\",\"indegree\":5}",
				       "{\"rule\":\"pairwise_bernoulli\",\"p\":0.3}",
				       "{\"rule\":\"fixed_outdegree\",\"outdegree\":4}",
				       "{\"rule\":\"fixed_total_number\",\"N\":90}" };

/* A random network: generators and cells, one plastic projection onto cells, one among them. */
static json_t *network(struct check_random *r)
{
	const char *rule = rules[check_below(r, COUNTOF(rules))];
	const char *wiring = wirings[check_below(r, COUNTOF(wirings))];
	double shortest = 0.1 * (double)(1 + check_below(r, 20));
	char text[2048];
	json_t *spec;

	(void)snprintf(
		text, sizeof(text),
		"{\"duration_ms\":%llu,\"seed\":\"%llu\",\"populations\":{"
		"\"in\":{\"model\":\"poisson_generator\",\"size\":%llu,\"params\":{\"rate\":%.3f}},"
		"\"cell\":{\"model\":\"iaf_psc_exp\",\"size\":%llu,\"params\":{\"I_e\":%.3f},"
		"\"init\":{\"V_m\":{\"uniform\":[-70,-56]}}}},\"projections\":{"
		"\"in\":{\"source\":\"in\",\"target\":\"cell\",\"connect\":%s,\"synapse\":"
		"{\"model\":\"%s\",\"weight\":0.5,\"delay_ms\":%.1f}},"
		"\"rec\":{\"source\":\"cell\",\"target\":\"cell\",\"connect\":%s,\"synapse\":"
		"{\"model\":\"stdp_pair\",\"weight\":{\"uniform\":[10,90]},\"delay_ms\":%.1f,"
		"\"params\":{\"A_plus\":1,\"A_minus\":-1.05,\"w_max\":100}}}}}",
		(unsigned long long)(50 + check_below(r, 400)),
		(unsigned long long)check_below(r, 1000000),
		(unsigned long long)(5 + check_below(r, 60)), check_uniform(r, 5, 200),
		(unsigned long long)(5 + check_below(r, 30)), check_uniform(r, 380, 600), wiring,
		rule, shortest, wirings[check_below(r, COUNTOF(wirings))],
		shortest + 0.1 * (double)check_below(r, 30));
	spec = json_loads(text, 0, NULL);
	cr_assert_not_null(spec, "%s", text);
	return spec;
}

static void digest(json_t *spec, unsigned threads, char ret[17])
{
	char *text = json_dumps(spec, JSON_REAL_PRECISION(17));
	struct engine_case c = engine_case_text(text, threads);

	cr_assert_eq(c.rc, 0, "%s: %s in %s", c.err.path, c.err.text, text);
	(void)snprintf(ret, 17, "%s", engine_case_digest(&c));
	free(text);
	engine_case_release(&c);
}

/* Recorders of everything, sampling at odd times, so that slices are cut anywhere. */
static json_t *recorders(struct check_random *r)
{
	char text[1024];

	(void)snprintf(
		text, sizeof(text),
		"{\"spikes\":[\"in\",\"cell\"],\"states\":[{\"population\":\"cell\","
		"\"variables\":[\"V_m\"],\"every_ms\":%.1f}],\"weights\":["
		"{\"projection\":\"in\",\"every_ms\":%.1f},"
		"{\"projection\":\"rec\",\"every_ms\":%.1f,\"bins\":7},"
		"{\"projection\":\"rec\",\"every\":\"update\"}],"
		"\"rates\":[{\"population\":\"in\",\"bin_ms\":%.1f}]}",
		0.1 * (double)(1 + check_below(r, 13)), 0.1 * (double)(1 + check_below(r, 70)),
		0.1 * (double)(1 + check_below(r, 170)), 0.1 * (double)(1 + check_below(r, 90)));
	return json_loads(text, 0, NULL);
}

Test(property_engine, threads_and_recorders_change_no_bits)
{
	struct check_random r = check_random("engine");

	for (int i = 0; i < CASES; i++) {
		json_t *spec = network(&r);
		unsigned threads = 2 + (unsigned)check_below(&r, 4);
		char plain[17], threaded[17], recorded[17], both[17];

		digest(spec, 1, plain);
		digest(spec, threads, threaded);
		cr_assert_eq(json_object_set_new(spec, "record", recorders(&r)), 0);
		digest(spec, 1, recorded);
		digest(spec, threads, both);
		cr_assert_str_eq(threaded, plain, "seed %llu, case %d: %u threads",
				 (unsigned long long)check_seed(), i, threads);
		cr_assert_str_eq(recorded, plain, "seed %llu, case %d: recorded",
				 (unsigned long long)check_seed(), i);
		cr_assert_str_eq(both, plain, "seed %llu, case %d: recorded, %u threads",
				 (unsigned long long)check_seed(), i, threads);
		json_decref(spec);
	}
}

/* What is recorded does not depend on threads either: all columns, byte for byte. */
Test(property_engine, threads_change_no_byte_of_a_recording)
{
	struct check_random r = check_random("engine columns");

	for (int i = 0; i < CASES / 2; i++) {
		json_t *spec = network(&r), *recording, *column;
		struct engine_case one, four;
		size_t k, j;
		char *text;

		cr_assert_eq(json_object_set_new(spec, "record", recorders(&r)), 0);
		text = json_dumps(spec, JSON_REAL_PRECISION(17));
		one = engine_case_text(text, 1);
		four = engine_case_text(text, 4);
		cr_assert_eq(one.rc, 0);
		cr_assert(json_equal(json_object_get(one.result, "recordings"),
				     json_object_get(four.result, "recordings")));
		cr_assert(json_equal(json_object_get(one.result, "metrics"),
				     json_object_get(four.result, "metrics")));
		json_array_foreach(json_object_get(one.result, "recordings"), k, recording)
		{
			json_array_foreach(json_object_get(recording, "columns"), j, column)
			{
				const char *file = engine_case_string(column, "file");
				char a[512], b[512];
				size_t n_a = 0, n_b = 0;
				char *x, *y;

				(void)snprintf(a, sizeof(a), "%s/%s", one.dir.path, file);
				(void)snprintf(b, sizeof(b), "%s/%s", four.dir.path, file);
				x = check_read_file(a, &n_a);
				y = check_read_file(b, &n_b);
				cr_assert_eq(n_a, n_b);
				cr_assert_eq(memcmp(x, y, n_a), 0, "case %d, %s of %s", i, file,
					     engine_case_string(recording, "kind"));
				mem_free(x);
				mem_free(y);
			}
		}
		free(text);
		json_decref(spec);
		engine_case_release(&one);
		engine_case_release(&four);
	}
}

Test(property_engine, the_order_of_a_text_changes_no_bits_and_the_seed_does)
{
	struct check_random r = check_random("engine order");

	for (int i = 0; i < CASES / 2; i++) {
		json_t *spec = network(&r), *sorted, *turned = json_object();
		json_t *populations = json_object_get(spec, "populations");
		char *text = json_dumps(spec, JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
		char plain[17], other[17], seeded[17];

		digest(spec, 1, plain);
		sorted = json_loads(text, 0, NULL);
		json_object_set(turned, "in", json_object_get(populations, "in"));
		json_object_set(turned, "cell", json_object_get(populations, "cell"));
		json_object_set_new(spec, "populations", turned);
		digest(spec, 1, other);
		cr_assert_str_eq(other, plain);
		digest(sorted, 1, other);
		cr_assert_str_eq(other, plain);
		json_object_set_new(sorted, "seed", json_string("123456789"));
		digest(sorted, 1, seeded);
		cr_assert_str_neq(seeded, plain);
		free(text);
		json_decref(sorted);
		json_decref(spec);
	}
}
