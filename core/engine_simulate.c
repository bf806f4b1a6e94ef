/* engine_simulate.c - the simulations of an experiment: one with all threads, or several side by side. */
/* SPDX-License-Identifier: MIT */
#include "core/engine_run.h"
#include "core/net.h"
#include "core/sim_many.h"

/* One simulation: what it is made of and what is left of it. */
struct simulation {
	const struct engine_look *look;
	const struct spec *spec;
	struct mem_arena arena;
	struct sim_counts counts;
	double model_ms, dt_ms;
	uint64_t digest;
	unsigned threads;
	struct err err;
	int rc;
};

struct simulations {
	struct experiment_ctx *c;
	struct simulation *list; /* [n] */
	size_t n;
	bool failed; /* one has: no further one begins; under sim_many's lock */
};

static int run(struct experiment_ctx *c, struct simulation *x, struct err *err)
{
	const struct net_guard guard = { engine_run_look, c };
	const struct engine_look *look = x->look;
	struct sim *s = NULL;
	int rc = sim_new(&s, x->spec, &x->arena, x->threads, &guard, err);

	if (!rc && look->at_start)
		rc = look->at_start(look->self, s, err);
	if (!rc)
		rc = sim_start(s, err);
	if (!rc)
		rc = engine_run_advance(c, s, err);
	if (!rc)
		rc = sim_digest(s, &x->digest, err);
	if (!rc) {
		x->counts = sim_counts(s);
		x->dt_ms = x->spec->dt;
		x->model_ms = (double)sim_now(s) * x->dt_ms;
	}
	if (!rc && look->at_end)
		rc = look->at_end(look->self, s, err);
	rc = engine_run_memory(&x->arena, rc, err);
	sim_free(s);
	return rc;
}

static void job(void *self, size_t i)
{
	struct simulations *all = self;
	struct simulation *x = &all->list[i];
	bool failed;

	sim_many_lock();
	failed = all->failed;
	sim_many_unlock();
	if (!failed)
		x->rc = run(all->c, x, &x->err);
	if (x->rc) {
		sim_many_lock();
		all->failed = true;
		sim_many_unlock();
	}
	mem_arena_release(&x->arena);
}

/* Counts, model time and digests go into the run's in the order of the list, whoever was first. */
static int account(struct simulations *all, struct err *err)
{
	struct experiment_ctx *c = all->c;

	for (size_t i = 0; i < all->n; i++) {
		const struct simulation *x = &all->list[i];

		if (x->rc) {
			if (err)
				*err = x->err;
			return x->rc;
		}
		if (all->failed)
			continue;
		c->counts.spikes += x->counts.spikes;
		c->counts.synaptic_events += x->counts.synaptic_events;
		c->counts.plastic_updates += x->counts.plastic_updates;
		c->counts.steps += x->counts.steps;
		c->before_ms += x->model_ms;
		c->result.duration_ms += x->model_ms;
		c->result.dt_ms = x->dt_ms;
		hash_u64(&c->digests, x->digest);
	}
	return 0;
}

int engine_simulate_many(struct experiment_ctx *c, json_t *const *specs,
			 const struct engine_look *looks, size_t n, struct err *err)
{
	struct simulations all = { .c = c, .n = n };
	unsigned threads = c->result.threads;
	size_t most = n < threads ? n : threads; /* that live at one time */
	int rc = 0;

	all.list = mem_alloc(n + 1, sizeof(*all.list));
	if (!all.list)
		return err_nomem(err);
	for (size_t i = 0; i < n && !rc; i++) {
		struct simulation *x = &all.list[i];

		x->look = &looks[i];
		mem_arena_init(&x->arena, most > 1 ? c->arena.limit / most : c->arena.limit);
		rc = engine_run_read(c, &x->spec, specs[i], &x->arena, err);
		rc = engine_run_memory(&x->arena, rc, err);
		if (!rc)
			x->threads = n == 1 ? engine_run_threads(c, x->spec) : 1;
	}
	if (!rc) {
		sim_many(n, threads, job, &all);
		rc = account(&all, err);
	}
	if (rc) /* their pointers mean the experiment's own spec: it says what they mean in its params */
		err_list_release(&c->errors);
	for (size_t i = 0; i < n; i++)
		mem_arena_release(&all.list[i].arena);
	mem_free(all.list);
	return rc;
}

int engine_simulate(struct experiment_ctx *c, json_t *spec, const struct engine_look *look,
		    struct err *err)
{
	return engine_simulate_many(c, &spec, look, 1, err);
}
