/* measure - a network in a child process, timed and looked at. */
/* SPDX-License-Identifier: MIT */
#include "tests/bench/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/sim_state.h"
#include "core/spec_json.h"

static double clock_s(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double measure_clock(void)
{
	return clock_s(CLOCK_MONOTONIC);
}

static double peak_bytes(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_maxrss * 1024;
}

/* ---- phases --------------------------------------------------------------------------------- */

enum { SAMPLE = 8 };

/* Of the first thread. */
static struct {
	bool on, timed;
	unsigned slice;
	double began, now[PHASE_N]; /* the slice under way */
	double sum[PHASE_N], total;
} phases;

void __real_sim_integrate(struct sim *s, struct sim_part *part);
void __real_sim_deliver(struct sim *s, struct sim_part *part);
const double *__real_sim_visit(struct sim *s, struct sim_part *part, size_t projection,
			       size_t source, unsigned count, int64_t t);
void __wrap_sim_integrate(struct sim *s, struct sim_part *part);
void __wrap_sim_deliver(struct sim *s, struct sim_part *part);
const double *__wrap_sim_visit(struct sim *s, struct sim_part *part, size_t projection,
			       size_t source, unsigned count, int64_t t);

void __wrap_sim_integrate(struct sim *s, struct sim_part *part)
{
	double t0;

	if (!phases.on || part->id) {
		__real_sim_integrate(s, part);
		return;
	}
	t0 = measure_clock();
	for (int i = 0; phases.timed && i < PHASE_N; i++)
		phases.sum[i] += phases.now[i];
	if (phases.timed)
		phases.total += t0 - phases.began;
	memset(phases.now, 0, sizeof(phases.now));
	phases.timed = phases.slice++ % SAMPLE == 0;
	phases.began = t0;
	__real_sim_integrate(s, part);
	if (phases.timed)
		phases.now[PHASE_INTEGRATE] = measure_clock() - t0;
}

void __wrap_sim_deliver(struct sim *s, struct sim_part *part)
{
	double t0;

	if (!phases.timed || part->id) {
		__real_sim_deliver(s, part);
		return;
	}
	t0 = measure_clock();
	__real_sim_deliver(s, part);
	phases.now[PHASE_DEPOSIT] = measure_clock() - t0 - phases.now[PHASE_ROWS];
}

const double *__wrap_sim_visit(struct sim *s, struct sim_part *part, size_t projection,
			       size_t source, unsigned count, int64_t t)
{
	const double *tx;
	double t0;

	if (!phases.timed || part->id)
		return __real_sim_visit(s, part, projection, source, count, t);
	t0 = measure_clock();
	tx = __real_sim_visit(s, part, projection, source, count, t);
	phases.now[PHASE_ROWS] += measure_clock() - t0;
	return tx;
}

static void take_phases(struct measured *m)
{
	double known = 0;

	for (int i = 0; i < PHASE_REST; i++)
		known += phases.sum[i];
	phases.sum[PHASE_REST] = phases.total - known;
	for (int i = 0; i < PHASE_N; i++)
		m->phase[i] = phases.sum[i] / phases.total;
}

/* ---- spikes --------------------------------------------------------------------------------- */

enum { BIN_MS = 3, FANO_CELLS = 1000, FEWEST = 5 };

/* What is counted of two populations; of the first, in the first window, every spike is kept. */
struct watch {
	size_t population[2];
	double spikes[2];
	bool keep;
	struct sim_spikes kept;
};

static int64_t never(void *self, int64_t t)
{
	(void)self;
	(void)t;
	return INT64_MAX;
}

static int look(void *self, const struct sim_view *v, struct err *err)
{
	struct watch *w = self;

	for (int k = 0; k < 2; k++) {
		const struct sim_spike *x = v->spikes[w->population[k]];
		size_t n = v->n_spikes[w->population[k]];

		w->spikes[k] += (double)n;
		for (size_t i = 0; k == 0 && w->keep && i < n; i++)
			if (!sim_push_spike(&w->kept, x[i]))
				return err_nomem(err);
	}
	return 0;
}

/* Mean over cells with a few spikes of sd / mean of their intervals. */
static double mean_cv(const struct sim_spikes *x, size_t n_cells)
{
	struct cell {
		double last, n, sum, sum2;
	} *cell = calloc(n_cells, sizeof(*cell));
	double sum = 0, n = 0;

	for (size_t i = 0; cell && i < x->n; i++) {
		struct cell *c = &cell[x->at[i].neuron];
		double d = (double)x->at[i].step - c->last;

		if (c->n > 0) {
			c->sum += d;
			c->sum2 += d * d;
		}
		c->last = (double)x->at[i].step;
		c->n++;
	}
	for (size_t k = 0; cell && k < n_cells; k++) {
		double intervals = cell[k].n - 1, mean = cell[k].sum / intervals;

		if (cell[k].n < FEWEST)
			continue;
		sum += sqrt(fmax(0, cell[k].sum2 / intervals - mean * mean)) / mean;
		n++;
	}
	free(cell);
	return n > 0 ? sum / n : 0;
}

/* Variance over mean of the spikes of the first cells in bins. */
static double fano(const struct sim_spikes *x, int64_t from, int64_t steps, double dt)
{
	int64_t bin = (int64_t)(BIN_MS / dt + 0.5);
	size_t n = (size_t)(steps / bin);
	double *count = calloc(n + 1, sizeof(*count)), sum = 0, sum2 = 0;

	for (size_t i = 0; count && i < x->n; i++) {
		size_t at = (size_t)((x->at[i].step - from - 1) / bin);

		if (x->at[i].neuron < FANO_CELLS && at < n)
			count[at]++;
	}
	for (size_t i = 0; count && i < n; i++) {
		sum += count[i];
		sum2 += count[i] * count[i];
	}
	free(count);
	return sum > 0 ? (sum2 / (double)n - sum / (double)n * sum / (double)n) / (sum / (double)n)
		       : 0;
}

/* ---- weights -------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double *sorted_weights(const struct sim *s, size_t projection, size_t *ret_n)
{
	double *w;

	*ret_n = (size_t)sim_synapses(s, projection);
	w = malloc((*ret_n + 1) * sizeof(*w));
	if (!w || sim_weights(s, projection, w, NULL))
		exit(1);
	qsort(w, *ret_n, sizeof(*w), ascending);
	return w;
}

static void first_weights(const struct sim *s, size_t projection, struct measured *m)
{
	size_t n;
	double *w = sorted_weights(s, projection, &n), sum = 0, sum2 = 0;

	for (size_t i = 0; i < n; i++)
		sum += w[i];
	m->w_mean = sum / (double)n;
	for (size_t i = 0; i < n; i++)
		sum2 += (w[i] - m->w_mean) * (w[i] - m->w_mean);
	m->w_sd = sqrt(sum2 / (double)n);
	m->w_05 = w[n / 20];
	m->w_50 = w[n / 2];
	m->w_95 = w[n - n / 20 - 1];
	free(w);
}

static void last_weights(const struct sim *s, size_t projection, double w_max, struct measured *m)
{
	size_t n;
	double *w = sorted_weights(s, projection, &n), sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum += w[i] / w_max;
		m->end_below += w[i] < 0.1 * w_max ? 1.0 : 0.0;
		m->end_above += w[i] > 0.9 * w_max ? 1.0 : 0.0;
	}
	m->end_mean = sum / (double)n;
	m->end_below /= (double)n;
	m->end_above /= (double)n;
	free(w);
}

/* ---- one run -------------------------------------------------------------------------------- */

static const struct spec *read_spec(const struct buf *text, struct mem_arena *arena)
{
	struct spec_limits_json none = { 0 };
	struct err_list errors = { 0 };
	const struct spec *spec = NULL;
	struct err err = { 0 };
	json_t *json;

	if (spec_json_load(&json, text->data, text->len, &err) ||
	    spec_json_read(&spec, json, "", NULL, &none, arena, &errors)) {
		(void)fprintf(stderr, "%s %s %s %s\n", err.path, err.text, errors.first.path,
			      errors.first.text);
		exit(1);
	}
	json_decref(json);
	return spec;
}

static void advance(struct sim *s, double ms)
{
	struct err err = { 0 };

	if (sim_advance(s, sim_now(s) + (int64_t)(ms / sim_spec(s)->dt + 0.5), &err)) {
		(void)fprintf(stderr, "%s: %s\n", err.path, err.text);
		exit(1);
	}
}

static void windows(struct sim *s, const struct plan *p, struct watch *w, struct measured *m)
{
	const struct spec *spec = sim_spec(s);
	int projection = p->projection ? spec_projection(spec, p->projection) : -1;
	double n[2], seconds = p->window_ms / 1000;
	int64_t from = sim_now(s);

	for (int k = 0; k < 2; k++)
		n[k] = (double)spec->populations[w->population[k]].size;
	w->spikes[0] = w->spikes[1] = 0;
	for (int i = 0; i < p->windows; i++) {
		double before = w->spikes[0], wall = measure_clock();
		double cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);

		w->keep = i == 0;
		advance(s, p->window_ms);
		m->wall_s[i] = (measure_clock() - wall) / seconds;
		m->cpu_s[i] = (clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu) / seconds;
		m->last_rate_hz = (w->spikes[0] - before) / n[0] / seconds;
		if (i > 0)
			continue;
		m->rate_hz = w->spikes[0] / n[0] / seconds;
		m->other_rate_hz = w->spikes[1] / n[1] / seconds;
		m->cv = mean_cv(&w->kept, (size_t)n[0]);
		m->fano = fano(&w->kept, from, sim_now(s) - from, spec->dt);
		if (projection >= 0)
			first_weights(s, (size_t)projection, m);
	}
	m->all_rate_hz = w->spikes[0] / n[0] / seconds / p->windows;
	if (projection >= 0 && p->w_max > 0)
		last_weights(s, (size_t)projection, p->w_max, m);
	qsort(m->wall_s, (size_t)p->windows, sizeof(double), ascending);
	qsort(m->cpu_s, (size_t)p->windows, sizeof(double), ascending);
}

static void count(const struct sim *s, struct sim_counts before, double seconds, struct measured *m)
{
	const struct spec *spec = sim_spec(s);
	struct sim_counts now = sim_counts(s);

	m->spikes = (double)(now.spikes - before.spikes) / seconds;
	m->deliveries = (double)(now.synaptic_events - before.synaptic_events) / seconds;
	m->updates = (double)(now.plastic_updates - before.plastic_updates) / seconds;
	for (size_t i = 0; i < spec->n_populations; i++)
		m->neuron_steps += (double)spec->populations[i].size * 1000 / spec->dt;
	for (size_t j = 0; j < spec->n_projections; j++)
		m->synapses += (double)sim_synapses(s, j);
}

static void run(const struct buf *text, const struct plan *p, struct measured *m)
{
	struct mem_arena arena;
	struct watch w = { 0 };
	const struct spec *spec;
	struct err err = { 0 };
	double wall, cpu;
	struct sim_counts before;
	struct sim *s;

	mem_arena_init(&arena, 0);
	spec = read_spec(text, &arena);
	w.population[0] = (size_t)spec_population(spec, p->cells);
	w.population[1] = (size_t)spec_population(spec, p->others ? p->others : p->cells);
	m->empty_bytes = peak_bytes();
	wall = measure_clock();
	cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	m->threads = sim_useful_threads(spec, p->threads);
	if (sim_new(&s, spec, &arena, m->threads, NULL, &err)) {
		(void)fprintf(stderr, "%s: %s\n", err.path, err.text);
		exit(1);
	}
	m->build_s = measure_clock() - wall;
	m->build_cpu_s = clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	sim_observe(s, (struct sim_observer){ &w, never, look });
	if (sim_start(s, &err))
		exit(1);
	advance(s, p->warm_ms);
	m->peak_bytes = peak_bytes(); /* looking at weights and spikes takes memory of its own */
	before = sim_counts(s);
	windows(s, p, &w, m);
	count(s, before, p->window_ms / 1000 * p->windows, m);
	if (!p->phases)
		return;
	phases.on = true;
	wall = measure_clock();
	advance(s, p->window_ms);
	m->phase_s = (measure_clock() - wall) / (p->window_ms / 1000);
	take_phases(m);
}

struct measured measure(const struct buf *spec, const struct plan *plan)
{
	struct measured m = { .failed = true };
	int end[2], status = 0;
	pid_t child;

	(void)fflush(NULL);
	if (pipe(end) || (child = fork()) < 0)
		return m;
	if (child == 0) {
		m.failed = false;
		run(spec, plan, &m);
		_exit(write(end[1], &m, sizeof(m)) == (ssize_t)sizeof(m) ? 0 : 1);
	}
	(void)close(end[1]);
	if (read(end[0], &m, sizeof(m)) != (ssize_t)sizeof(m))
		m.failed = true;
	(void)close(end[0]);
	(void)waitpid(child, &status, 0);
	return m;
}
