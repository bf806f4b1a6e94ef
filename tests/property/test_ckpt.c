/* test_ckpt.c - a run that goes on from a checkpoint ends with the same bits as one that was left in
 * peace: every neuron model, every rule, all options and recorders, other numbers of threads. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ckpt.h"
#include "core/rec.h"
#include "core/sim.h"
#include "core/spec_json.h"
#include "tests/check.h"
#include "tests/property/random_spec.h"

enum { CASES = 12 };

static const struct ckpt_key key = { .spec = 1, .seed = 2, .engine = "test" };

/* One process of a run, as it were. */
struct world {
	struct mem_arena arena;
	struct rec *rec;
	struct sim *sim;
	struct err err;
};

static const struct spec *read_spec(json_t *json, struct mem_arena *arena)
{
	struct err_list errors = { 0 };
	const struct spec *spec = NULL;
	int rc = spec_json_read(&spec, json, "", NULL, NULL, arena, &errors);

	cr_assert_eq(rc, 0, "seed %llu: %s: %s", (unsigned long long)check_seed(),
		     errors.first.path, errors.first.text);
	err_list_release(&errors);
	return spec;
}

static void fail(const struct world *w, int rc)
{
	cr_assert_eq(rc, 0, "seed %llu: %s: %s", (unsigned long long)check_seed(), w->err.path,
		     w->err.text);
}

/* In dir, from its checkpoint or from 0. */
static void begin(struct world *w, json_t *json, const struct check_dir *dir, unsigned threads,
		  bool resume)
{
	struct ckpt_state state;
	struct ckpt *c = NULL;

	*w = (struct world){ 0 };
	mem_arena_init(&w->arena, 0);
	w->rec = rec_new(dir->fd, &w->arena);
	cr_assert_not_null(w->rec);
	if (resume) {
		fail(w, ckpt_open(&c, dir->fd, &key, &w->err));
		rec_keep(w->rec);
	}
	fail(w, sim_new(&w->sim, read_spec(json, &w->arena), &w->arena, threads, NULL, &w->err));
	fail(w, rec_attach(w->rec, w->sim, &w->err));
	state = (struct ckpt_state){ .sim = w->sim, .rec = w->rec };
	fail(w, c ? ckpt_load(c, &state, &w->err) : sim_start(w->sim, &w->err));
	ckpt_close(c);
}

static void save(struct world *w, const struct check_dir *dir)
{
	const struct ckpt_state state = { .sim = w->sim, .rec = w->rec, .wall_s = 1.5 };

	fail(w, rec_sync(w->rec, &w->err));
	fail(w, ckpt_write(dir->fd, &key, &state, &w->err));
}

static void end(struct world *w)
{
	cr_assert_eq(rec_close(w->rec, &w->err), 0, "%s", w->err.text);
	sim_free(w->sim);
	mem_arena_release(&w->arena);
}

static uint64_t finish(struct world *w, struct sim_counts *ret)
{
	int64_t last = sim_spec(w->sim)->steps;
	uint64_t digest = 0;

	if (sim_now(w->sim) < last)
		fail(w, sim_advance(w->sim, last, &w->err));
	fail(w, rec_finish(w->rec, w->sim, &w->err));
	fail(w, sim_digest(w->sim, &digest, &w->err));
	for (const struct rec_entry *e = rec_entries(w->rec); e; e = e->next)
		cr_assert(e->kind != REC_HISTOGRAM || e->edges);
	*ret = sim_counts(w->sim);
	for (size_t i = 0; i < sim_spec(w->sim)->n_populations; i++)
		digest += rec_spikes(w->rec, i) << (i % 32); /* as the rates are made of */
	end(w);
	return digest;
}

static char *read_in(const struct check_dir *dir, const char *name, size_t *n)
{
	char path[600];

	(void)snprintf(path, sizeof(path), "%s/%s", dir->path, name);
	return check_read_file(path, n);
}

static void same_file(const struct check_dir *a, const struct check_dir *b, const char *name)
{
	size_t n_a = 0, n_b = 0;
	char *x = read_in(a, name, &n_a), *y = read_in(b, name, &n_b);

	cr_assert(x && y, "seed %llu: %s is missing", (unsigned long long)check_seed(), name);
	cr_assert_eq(n_a, n_b, "seed %llu: %s has %zu bytes, then %zu",
		     (unsigned long long)check_seed(), name, n_a, n_b);
	cr_assert_eq(memcmp(x, y, n_a), 0, "seed %llu: %s differs",
		     (unsigned long long)check_seed(), name);
	mem_free(x);
	mem_free(y);
}

static void same_columns(const struct check_dir *a, const struct check_dir *b)
{
	DIR *all = opendir(a->path);
	struct dirent *one;

	while ((one = readdir(all)) != NULL) {
		if (strstr(one->d_name, ".col"))
			same_file(a, b, one->d_name);
	}
	(void)closedir(all);
}

/* Some steps further, so that columns and histories go beyond the checkpoint; then the process is gone. */
static void stray(struct world *w, struct check_random *r)
{
	int64_t last = sim_spec(w->sim)->steps;
	int64_t to = sim_now(w->sim) + (int64_t)check_below(r, 400);

	to = to < last ? to : last;
	if (to > sim_now(w->sim))
		fail(w, sim_advance(w->sim, to, &w->err));
	end(w);
}

/* Up to three checkpoints on the way, each with another number of threads. */
static uint64_t interrupted(json_t *json, const struct check_dir *dir, struct check_random *r,
			    struct sim_counts *ret)
{
	CLEANUP(check_dir_release) struct check_dir copy = check_dir();
	struct world w;

	begin(&w, json, dir, 1 + (unsigned)check_below(r, 4), false);
	for (uint64_t k = 1 + check_below(r, 3); k > 0; k--) {
		int64_t left = sim_spec(w.sim)->steps - sim_now(w.sim);
		int64_t to = sim_now(w.sim) + (int64_t)check_below(r, (uint64_t)left + 1);

		to = check_below(r, 5) ? to : sim_spec(w.sim)->steps; /* nothing is left to do */

		if (to > sim_now(w.sim))
			fail(&w, sim_advance(w.sim, to, &w.err));
		save(&w, dir);
		stray(&w, r);
		begin(&w, json, dir, 1 + (unsigned)check_below(r, 4), true);
		cr_assert_eq(sim_now(w.sim), to);
		/* What was loaded is all that was saved, whatever the threads. */
		save(&w, &copy);
		same_file(dir, &copy, "checkpoint");
	}
	return finish(&w, ret);
}

TestSuite(property_ckpt, .timeout = 240);

Test(property_ckpt, a_resumed_run_has_the_bits_of_one_left_in_peace)
{
	struct check_random r = check_random("ckpt");

	for (int i = 0; i < CASES; i++) {
		CLEANUP(check_dir_release) struct check_dir calm = check_dir();
		CLEANUP(check_dir_release) struct check_dir rough = check_dir();
		json_t *json = random_spec(&r);
		struct sim_counts a, b;
		uint64_t want, got;
		struct world w;

		cr_assert_not_null(json);
		begin(&w, json, &calm, 1, false);
		want = finish(&w, &a);
		got = interrupted(json, &rough, &r, &b);
		cr_assert_eq(got, want, "seed %llu, case %d: digests differ",
			     (unsigned long long)check_seed(), i);
		cr_assert_eq(a.spikes, b.spikes);
		cr_assert_eq(a.synaptic_events, b.synaptic_events);
		cr_assert_eq(a.plastic_updates, b.plastic_updates);
		cr_assert_eq(a.steps, b.steps);
		cr_assert_gt(a.plastic_updates, 0);
		same_columns(&calm, &rough);
		json_decref(json);
	}
}

/* A run with counts towards a limit, which it meets: the same sentence at the same time, with a
 * checkpoint in between or not. */
static void meets(const char *text, enum err_code code)
{
	CLEANUP(check_dir_release) struct check_dir calm = check_dir();
	CLEANUP(check_dir_release) struct check_dir rough = check_dir();
	json_t *json = json_loads(text, 0, NULL);
	struct world w;
	char want[ERR_TEXT_MAX];

	cr_assert_not_null(json);
	begin(&w, json, &calm, 1, false);
	cr_assert_eq(sim_advance(w.sim, 5000, &w.err), -(int)code, "%s", w.err.text);
	(void)snprintf(want, sizeof(want), "%s", w.err.text);
	end(&w);
	begin(&w, json, &rough, 1, false);
	fail(&w, sim_advance(w.sim, 700, &w.err));
	save(&w, &rough);
	end(&w);
	begin(&w, json, &rough, 2, true);
	cr_assert_eq(sim_advance(w.sim, 5000, &w.err), -(int)code, "%s", w.err.text);
	cr_assert_str_eq(w.err.text, want);
	end(&w);
	json_decref(json);
}

/* 13 spikes in 100 ms, of which 9 are before the checkpoint. */
#define REGULAR(record, limits) \
	"{\"duration_ms\":500,\"populations\":{\"a\":{\"model\":\"iaf_psc_delta\",\"size\":3," \
	"\"params\":{\"I_e\":750}}},\"record\":{" record "},\"limits\":{" limits "}}"

Test(property_ckpt, limits_are_met_at_the_same_step)
{
	meets(REGULAR("", "\"max_rate_hz\":100"), ERR_RATE);
	meets(REGULAR("\"spikes\":[\"a\"]", "\"max_spikes\":40"), ERR_LIMIT);
}
