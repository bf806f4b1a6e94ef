/* test_engine_memory.c - out of memory at every allocation of a whole run. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <unistd.h>

#include "tests/engine_case.h"

static void hook(void)
{
	json_set_alloc_funcs(mem_json_alloc, mem_json_free);
}

TestSuite(engine_memory, .init = hook, .timeout = 300);

/* Each failure is one of memory, said in a result (it needs none), and leaves no block behind. */
static void torture(const char *text, unsigned threads)
{
	struct check_dir dir = check_dir();
	size_t failures = 0;

	engine_case_write(&dir, "spec.json", text, strlen(text));
	for (struct check_torture t = check_torture(); check_torture_next(&t);) {
		struct engine_case_control self = { 0 };
		struct engine_control control = engine_case_default(&self);
		struct err err = { 0 };
		int rc;

		control.threads = threads;
		rc = engine_run(dir.fd, &control, &err);
		t.done = rc == 0;
		if (rc == 0)
			continue;
		failures++;
		cr_assert_eq(rc, -ERR_NOMEM, "allocation %zu: %d: %s", t.k, rc, err.text);
		cr_assert_eq(faccessat(dir.fd, "result.json", F_OK, 0), 0, "allocation %zu", t.k);
	}
	cr_assert_gt(failures, 20);
	check_dir_release(&dir);
}

static const char spec[] =
	"{\"duration_ms\":20,\"populations\":{"
	"\"in\":{\"model\":\"poisson_generator\",\"size\":5,\"params\":{\"rate\":2000}},"
	"\"cell\":{\"model\":\"iaf_psc_delta\",\"size\":3,\"params\":{\"I_e\":400}}},"
	"\"projections\":{\"syn\":{\"source\":\"in\",\"target\":\"cell\",\"connect\":"
	"{\"rule\":\"all_to_all\"},\"synapse\":{\"model\":\"stdp_pair\",\"weight\":0.5,"
	"\"delay_ms\":1}}},\"record\":{\"spikes\":[\"cell\",\"in\"],\"states\":[{\"population\":"
	"\"cell\",\"variables\":[\"V_m\"],\"every_ms\":1}],\"weights\":[{\"projection\":\"syn\","
	"\"every_ms\":5},{\"projection\":\"syn\",\"every\":\"update\",\"synapses\":[1,2]},"
	"{\"projection\":\"syn\",\"every_ms\":5,\"bins\":4}],"
	"\"rates\":[{\"population\":\"cell\",\"bin_ms\":10}]},"
	"\"schedule\":[{\"at_ms\":10,\"set\":{\"population\":\"in\",\"params\":{\"rate\":20}}}]}";

Test(engine_memory, a_run_survives_any_failing_allocation)
{
	torture(spec, 1);
}

Test(engine_memory, values_in_time_and_pairs_survive_any_failing_allocation)
{
	torture("{\"duration_ms\":5,\"populations\":{\"in\":{\"size\":2,\"model\":"
		"\"inhomogeneous_poisson_generator\",\"params\":{\"rate_times\":[[1,2],[3]],"
		"\"rate_values\":[[900,0],[900]]}},\"dc\":{\"model\":\"step_current_generator\","
		"\"params\":{\"amplitude_times\":[1],\"amplitude_values\":[900]}},\"cell\":"
		"{\"model\":\"iaf_psc_delta\",\"size\":3}},\"projections\":{\"a\":{\"source\":"
		"\"in\","
		"\"target\":\"cell\",\"connect\":{\"rule\":\"fixed_outdegree\",\"outdegree\":2}},"
		"\"b\":{\"source\":\"dc\",\"target\":\"cell\",\"connect\":{\"rule\":"
		"\"fixed_total_number\",\"N\":4}}}}",
		1);
}

Test(engine_memory, a_run_of_two_threads_survives_any_failing_allocation)
{
	torture(spec, 2);
}

Test(engine_memory, an_experiment_survives_any_failing_allocation)
{
	torture("{\"experiment\":\"stdp_window\",\"params\":{\"dt_ms\":[-10,10],\"pairs\":2}}", 1);
}

Test(engine_memory, an_experiment_on_data_survives_any_failing_allocation)
{
	torture("{\"experiment\":\"stdp_fit\",\"params\":{\"dt_ms\":[-10,0,5,10,20],\"dw\":"
		"[-1,0,1,0.7,0.2],\"sem\":[1,1,1,1,1],\"shuffles\":2}}",
		1);
}

Test(engine_memory, conditioning_survives_any_failing_allocation)
{
	torture("{\"experiment\":\"dopamine_conditioning\",\"params\":{\"seconds\":10,"
		"\"neurons\":20,\"synapses\":1,\"noise\":25,\"control\":false}}",
		1);
}

Test(engine_memory, instrumental_conditioning_survives_any_failing_allocation)
{
	torture("{\"experiment\":\"instrumental_conditioning\",\"params\":{\"trials\":15,"
		"\"interval_s\":1.2,\"neurons\":20,\"synapses\":2,\"group\":2,\"control\":false}}",
		1);
}

Test(engine_memory, pattern_detection_survives_any_failing_allocation)
{
	torture("{\"experiment\":\"pattern_detection\",\"params\":{\"seconds\":3,"
		"\"afferents\":100}}",
		1);
}

Test(engine_memory, the_calcium_curve_survives_any_failing_allocation)
{
	torture("{\"experiment\":\"calcium_curve\",\"params\":{\"dt_ms\":[10],\"pairs\":1,"
		"\"synapses\":2,\"rates_hz\":[50]}}",
		1);
}

Test(engine_memory, an_experiment_on_rates_survives_any_failing_allocation)
{
	torture("{\"experiment\":\"stdp_bcm\",\"params\":{\"duration_s\":1,\"rates_hz\":[5,10,"
		"20],\"repeats\":2}}",
		1);
}

Test(engine_memory, rules_on_rates_survive_any_failing_allocation)
{
	torture("{\"experiment\":\"rate_rules\",\"params\":{\"duration_s\":0.1}}", 1);
}

Test(engine_memory, watching_experiments_survive_any_failing_allocation)
{
	torture("{\"experiment\":\"pairing_schemes\",\"params\":{\"spikes\":3}}", 1);
	torture("{\"experiment\":\"song_abbott\",\"params\":{\"rates_hz\":[20],"
		"\"duration_s\":0.1,\"resolution_ms\":1}}",
		2);
}

Test(engine_memory, volleys_survive_any_failing_allocation)
{
	torture("{\"experiment\":\"latency\",\"params\":{\"volleys\":10,\"sd_ms\":1,"
		"\"afferents\":10}}",
		2);
}

Test(engine_memory, correlated_inputs_survive_any_failing_allocation)
{
	torture("{\"experiment\":\"correlated_inputs\",\"params\":{\"duration_s\":0.2,"
		"\"inputs\":10}}",
		2);
}

Test(engine_memory, an_invalid_spec_survives_any_failing_allocation)
{
	/* It never succeeds, so the rounds are counted here. */
	static const char text[] = "{\"duration_ms\":-1,\"populations\":{\"a\":{\"model\":\"x\"}}}";
	struct check_dir dir = check_dir();
	size_t live = mem_live();
	int rc = -ERR_NOMEM;

	engine_case_write(&dir, "spec.json", text, strlen(text));
	for (size_t k = 1; rc == -ERR_NOMEM; k++) {
		struct engine_case_control self = { 0 };
		struct engine_control control = engine_case_default(&self);
		struct err err = { 0 };

		mem_fail_at(k, true);
		rc = engine_run(dir.fd, &control, &err);
		mem_fail_at(0, false);
		cr_assert_lt(rc, 0);
		cr_assert_eq(mem_live(), live, "allocation %zu", k);
		cr_assert_eq(faccessat(dir.fd, "result.json", F_OK, 0), 0);
	}
	cr_assert_eq(rc, -ERR_INVALID);
	check_dir_release(&dir);
}
