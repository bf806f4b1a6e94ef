/* stress_threads - one network on 1, 2, 3 and 4 threads: equal digests, and silent under
 * ThreadSanitizer. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sim.h"
#include "core/spec_json.h"

/* Every kind of traffic: recurrent plastic synapses, delays that vary, an axonal delay, currents,
 * both signs, a schedule. */
static const char text[] =
	"{\"duration_ms\": 60, \"seed\": \"7\", \"populations\": {"
	"\"e\": {\"model\": \"iaf_psc_delta\", \"size\": 101, \"params\": {\"V_th\": -60}},"
	"\"x\": {\"model\": \"iaf_psc_exp\", \"size\": 53, \"params\": {\"V_th\": -60}},"
	"\"p\": {\"model\": \"poisson_generator\", \"size\": 101, \"params\": {\"rate\": 2000}},"
	"\"d\": {\"model\": \"dc_generator\", \"size\": 3, \"params\": {\"amplitude\": 200}}},"
	"\"projections\": {"
	"\"ee\": {\"source\": \"e\", \"target\": \"e\", \"connect\": {\"rule\": "
	"\"fixed_indegree\", \"indegree\": 20},"
	" \"synapse\": {\"model\": \"stdp_pair\", \"weight\": {\"uniform\": [0.1, 0.9]}, "
	"\"delay_ms\": 1.5,"
	" \"axonal_delay_ms\": 0.7}},"
	"\"ex\": {\"source\": \"e\", \"target\": \"x\", \"connect\": {\"rule\": "
	"\"pairwise_bernoulli\", \"p\": 0.2},"
	" \"synapse\": {\"model\": \"stdp_pair\", \"weight\": 20, \"delay_ms\": {\"uniform\": "
	"[0.5, 3]},"
	" \"params\": {\"w_max\": 40, \"pairing\": \"nearest_pre_centered\"}}},"
	"\"xe\": {\"source\": \"x\", \"target\": \"e\", \"connect\": {\"rule\": \"all_to_all\"},"
	" \"synapse\": {\"model\": \"static\", \"weight\": {\"normal\": {\"mean\": 0, \"sd\": "
	"0.3}}, \"delay_ms\": 0.5}},"
	"\"pe\": {\"source\": \"p\", \"target\": \"e\", \"connect\": {\"rule\": \"one_to_one\"},"
	" \"synapse\": {\"model\": \"static\", \"weight\": 4, \"delay_ms\": 1}},"
	"\"dx\": {\"source\": \"d\", \"target\": \"x\", \"connect\": {\"rule\": \"all_to_all\"},"
	" \"synapse\": {\"model\": \"static\", \"weight\": 1, \"delay_ms\": 1}}},"
	"\"schedule\": [{\"at_ms\": 20, \"plasticity\": {\"projection\": \"ee\", \"on\": false}},"
	" {\"at_ms\": 33.3, \"set\": {\"population\": \"p\", \"params\": {\"rate\": 200}}},"
	" {\"at_ms\": 40, \"plasticity\": {\"projection\": \"ee\", \"on\": true}}]}";

static void die(const char *what, const struct err *err)
{
	(void)fprintf(stderr, "not ok - stress_threads: %s: %s %s\n", what, err->path, err->text);
	exit(1);
}

static uint64_t run(unsigned threads, uint64_t *ret_spikes)
{
	struct spec_limits_json none = { 0 };
	struct err_list errors = { 0 };
	struct mem_arena arena;
	const struct spec *spec;
	struct err err = { 0 };
	struct sim *s;
	json_t *json;
	uint64_t digest = 0;

	mem_arena_init(&arena, 0);
	if (spec_json_load(&json, text, strlen(text), &err))
		die("syntax", &err);
	if (spec_json_read(&spec, json, "", NULL, &none, &arena, &errors))
		die("spec", &errors.first);
	if (sim_new(&s, spec, &arena, threads, NULL, &err) || sim_start(s, &err) ||
	    sim_advance(s, spec->steps, &err) || sim_digest(s, &digest, &err))
		die("run", &err);
	*ret_spikes = sim_counts(s).spikes;
	sim_free(s);
	json_decref(json);
	mem_arena_release(&arena);
	return digest;
}

int main(void)
{
	uint64_t spikes, first = run(1, &spikes);

	for (unsigned threads = 2; threads <= 4; threads++) {
		uint64_t also, digest = run(threads, &also);

		if (digest != first || also != spikes) {
			(void)fprintf(
				stderr,
				"not ok - stress_threads: %u threads: %016llx, expected %016llx\n",
				threads, (unsigned long long)digest, (unsigned long long)first);
			return 1;
		}
	}
	(void)printf("ok - stress_threads: %llu spikes, digest %016llx on 1 to 4 threads\n",
		     (unsigned long long)spikes, (unsigned long long)first);
	return 0;
}
