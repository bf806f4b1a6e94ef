/* bench_network - speed and memory of a balanced network with plastic E->E synapses (Brunel with
 * STDP: 9000 E and 2250 I cells, 12,656,250 synapses, 8,100,000 of them plastic). Prints; asserts
 * only that the network is alive.
 *
 *   bench_network [SCALE [REPEATS]]     SCALE 1: as above; smaller: fewer cells, same in-degree
 * fraction, stronger weights */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "core/base/buf.h"
#include "core/sim.h"
#include "core/spec_json.h"

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double peak_mib(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_maxrss / 1024.0;
}

/* sqrt(1/scale) stronger weights keep the fluctuations of the input. */
static void write_spec(struct buf *b, double scale, bool plastic)
{
	int n_e = (int)(9000 * scale), n_i = (int)(2250 * scale), k_e = n_e / 10, k_i = n_i / 10;
	double j = 0.2 / scale;
	const char *cell = "\"model\": \"iaf_psc_delta\", \"params\": {\"tau_m\": 20, \"t_ref\": "
			   "2, \"E_L\": 0, "
			   "\"V_th\": 20, \"V_reset\": 10, \"C_m\": 250, \"I_e\": 0}, "
			   "\"init\": {\"V_m\": {\"uniform\": [0, 20]}}";

	(void)buf_printf(b,
			 "{\"duration_ms\": 1200, \"seed\": \"1\", \"populations\": {"
			 "\"e\": {\"size\": %d, %s}, \"i\": {\"size\": %d, %s}, "
			 "\"pe\": {\"model\": \"poisson_generator\", \"size\": %d, \"params\": "
			 "{\"rate\": %.17g}}, "
			 "\"pi\": {\"model\": \"poisson_generator\", \"size\": %d, \"params\": "
			 "{\"rate\": %.17g}}}, "
			 "\"projections\": {",
			 n_e, cell, n_i, cell, n_e, 7000 * scale, n_i, 7000 * scale);
	(void)buf_str(b, "\"ee\": {\"source\": \"e\", \"target\": \"e\", ");
	(void)buf_printf(b,
			 "\"connect\": {\"rule\": \"fixed_indegree\", \"indegree\": %d, "
			 "\"autapses\": false}, ",
			 k_e);
	if (plastic)
		(void)buf_printf(b,
				 "\"synapse\": {\"model\": \"stdp_synapse_hom\", \"weight\": "
				 "%.17g, \"delay_ms\": 1.5, "
				 "\"params\": {\"tau_plus\": 20, \"tau_minus\": 20, \"lambda\": "
				 "0.005, \"alpha\": 2.02, "
				 "\"Wmax\": %.17g, \"mu_plus\": 1, \"mu_minus\": 1}}}, ",
				 j, 3 * j);
	else
		(void)buf_printf(b,
				 "\"synapse\": {\"model\": \"static\", \"weight\": %.17g, "
				 "\"delay_ms\": 1.5}}, ",
				 j);
	const struct {
		const char *name, *source, *target;
		int k;
		double w;
	} rows[] = { { "ei", "e", "i", k_e, j },
		     { "ie", "i", "e", k_i, -6 * j },
		     { "ii", "i", "i", k_i, -6 * j } };
	for (size_t r = 0; r < 3; r++)
		(void)buf_printf(b,
				 "\"%s\": {\"source\": \"%s\", \"target\": \"%s\", \"connect\": "
				 "{\"rule\": \"fixed_indegree\", "
				 "\"indegree\": %d, \"autapses\": false}, \"synapse\": {\"model\": "
				 "\"static\", \"weight\": %.17g, "
				 "\"delay_ms\": 1.5}}, ",
				 rows[r].name, rows[r].source, rows[r].target, rows[r].k,
				 rows[r].w);
	for (int p = 0; p < 2; p++)
		(void)buf_printf(b,
				 "\"x%c\": {\"source\": \"p%c\", \"target\": \"%c\", \"connect\": "
				 "{\"rule\": \"one_to_one\"}, "
				 "\"synapse\": {\"model\": \"static\", \"weight\": %.17g, "
				 "\"delay_ms\": 1.5}}%s",
				 "ei"[p], "ei"[p], "ei"[p], j, p ? "}}" : ", ");
}

static const struct spec *read_spec(struct mem_arena *arena, double scale, bool plastic)
{
	struct spec_limits_json none = { 0 };
	struct err_list errors = { 0 };
	const struct spec *spec = NULL;
	struct err err = { 0 };
	struct buf b;
	json_t *json;

	buf_init(&b, 1 << 20);
	write_spec(&b, scale, plastic);
	if (spec_json_load(&json, b.data, b.len, &err) ||
	    spec_json_read(&spec, json, "", NULL, &none, arena, &errors)) {
		(void)fprintf(stderr, "%s %s %s %s\n", err.path, err.text, errors.first.path,
			      errors.first.text);
		exit(1);
	}
	return spec;
}

struct result {
	double build_s, real_time, digest_ok;
	struct sim_counts counts;
	uint64_t digest;
};

static struct result run(double scale, bool plastic, unsigned threads)
{
	struct mem_arena arena;
	struct result r = { 0 };
	struct err err = { 0 };
	struct sim *s;
	double t0;

	mem_arena_init(&arena, 0);
	const struct spec *spec = read_spec(&arena, scale, plastic);
	t0 = now_s();
	if (sim_new(&s, spec, &arena, threads, NULL, &err) || sim_start(s, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	r.build_s = now_s() - t0;
	if (sim_advance(s, 2000, &err))
		exit(1);
	struct sim_counts before = sim_counts(s);
	t0 = now_s();
	if (sim_advance(s, 12000, &err))
		exit(1);
	r.real_time = now_s() - t0;
	r.counts = sim_counts(s);
	r.counts.synaptic_events -= before.synaptic_events;
	r.counts.plastic_updates -= before.plastic_updates;
	r.counts.spikes -= before.spikes;
	if (sim_digest(s, &r.digest, &err))
		exit(1);
	sim_free(s);
	mem_arena_release(&arena);
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return (x->real_time > y->real_time) - (x->real_time < y->real_time);
}

int main(int argc, char **argv)
{
	double scale = argc > 1 ? strtod(argv[1], NULL) : 1;
	int repeats = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 3;
	struct result r[32];
	double synapses = 12656250 * scale * scale;

	(void)printf("network: %.0f cells, %.3g synapses, 1 s after 200 ms, median of %d\n",
		     11250 * scale, synapses, repeats);
	(void)printf("%-8s %7s %8s %12s %14s %14s %9s  digest\n", "E->E", "threads", "build s",
		     "s per bio s", "updates/s", "deliveries/s", "peak MiB");
	for (int kind = 0; kind < 2; kind++) {
		for (unsigned threads = 1; threads <= 2; threads++) {
			for (int i = 0; i < repeats && i < 32; i++)
				r[i] = run(scale, kind == 1, threads);
			qsort(r, (size_t)repeats, sizeof(*r), compare);
			struct result m = r[repeats / 2];

			(void)printf("%-8s %7u %8.2f %12.3f %14.3g %14.3g %9.0f  %016llx\n",
				     kind ? "plastic" : "static", threads, m.build_s, m.real_time,
				     (double)m.counts.plastic_updates / m.real_time,
				     (double)m.counts.synaptic_events / m.real_time, peak_mib(),
				     (unsigned long long)m.digest);
		}
	}
	return 0;
}
