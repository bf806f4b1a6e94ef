/* sim_pool.c - the threads of one simulation: each runs the same phase for its own part, then all
 * meet.
 *
 * Phases of small networks take microseconds, so who waits looks for a while before it sleeps. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/sim_state.h"

#define LOOKS 2000 /* before a sleep: some 50 us */

/* What a slice costs, about, in ns; to meet twice a slice costs one or two thousand. */
#define NEURON_NS  1.0 /* and step */
#define DELIVER_NS 5.0 /* and synapse */
#define USUAL_HZ   10.0
#define WORTH_NS   4000.0 /* of a slice, for each thread beside the first */

unsigned sim_useful_threads(const struct spec *spec, unsigned threads)
{
	struct spec_cost cost = spec_cost(spec);
	double steps = NET_SLICE_MAX, work, most;

	for (size_t j = 0; j < spec->n_projections; j++) {
		double delay = (double)spec->projections[j].delay_min;

		steps = delay < steps ? delay : steps;
	}
	work = NEURON_NS * cost.neurons + DELIVER_NS * cost.synapses * USUAL_HZ * spec->dt / 1000.0;
	most = 1 + work * steps / WORTH_NS;
	return (double)threads < most ? threads : (unsigned)most;
}

struct sim_pool {
	struct sim *sim;
	size_t n; /* threads beside the caller's */
	bool running;
	pthread_t *thread;
	struct worker *worker;
	unsigned looks; /* 0 where threads share a processor: looking keeps the other from work */
	pthread_mutex_t lock; /* who wakes others holds it: no sleeper misses it */
	pthread_cond_t start, done;
	void (*fn)(struct sim *s, struct sim_part *part); /* of this round; NULL: end */
	_Atomic uint64_t round;
	_Atomic size_t pending; /* threads that have not done their part of it */
};

struct worker {
	struct sim_pool *pool;
	struct sim_part *part;
};

static void pause_briefly(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

/* Until a round begins after the one seen. */
static void await_start(struct sim_pool *p, uint64_t seen)
{
	for (unsigned i = 0; i < p->looks; i++) {
		if (p->round != seen)
			return;
		pause_briefly();
	}
	(void)pthread_mutex_lock(&p->lock);
	while (p->round == seen)
		(void)pthread_cond_wait(&p->start, &p->lock);
	(void)pthread_mutex_unlock(&p->lock);
}

static void await_done(struct sim_pool *p)
{
	for (unsigned i = 0; i < p->looks; i++) {
		if (p->pending == 0)
			return;
		pause_briefly();
	}
	(void)pthread_mutex_lock(&p->lock);
	while (p->pending > 0)
		(void)pthread_cond_wait(&p->done, &p->lock);
	(void)pthread_mutex_unlock(&p->lock);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct sim_pool *p = w->pool;

	for (uint64_t seen = 0;; seen++) {
		await_start(p, seen);
		if (!p->fn)
			return NULL;
		p->fn(p->sim, w->part);
		if (atomic_fetch_sub(&p->pending, 1) > 1)
			continue;
		(void)pthread_mutex_lock(&p->lock);
		(void)pthread_cond_signal(&p->done);
		(void)pthread_mutex_unlock(&p->lock);
	}
}

static void begin(struct sim_pool *p, void (*fn)(struct sim *s, struct sim_part *part))
{
	p->fn = fn;
	p->pending = p->n;
	(void)pthread_mutex_lock(&p->lock);
	p->round++;
	(void)pthread_cond_broadcast(&p->start);
	(void)pthread_mutex_unlock(&p->lock);
}

int sim_pool_start(struct sim_pool *p, struct err *err)
{
	size_t n = p->sim->net->n_parts - 1;

	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->start, NULL);
	(void)pthread_cond_init(&p->done, NULL);
	p->round = 0;
	p->pending = 0;
	for (p->n = 0; p->n < n; p->n++) {
		p->worker[p->n] = (struct worker){ p, &p->sim->part[p->n + 1] };
		if (pthread_create(&p->thread[p->n], NULL, work, &p->worker[p->n]) == 0)
			continue;
		(void)err_set(err, ERR_NOMEM, "", "expected to start %zu threads, could start %zu",
			      n, p->n);
		sim_pool_stop(p);
		return -ERR_NOMEM;
	}
	p->running = true;
	return 0;
}

int sim_pool_new(struct sim_pool **ret, struct sim *s, struct err *err)
{
	size_t n = s->net->n_parts - 1;
	struct sim_pool *p = NEW(s->arena, struct sim_pool, 1);
	int rc;

	if (!p)
		return err_nomem(err);
	p->sim = s;
	p->looks = sysconf(_SC_NPROCESSORS_ONLN) > (long)n ? LOOKS : 0;
	p->thread = NEW(s->arena, pthread_t, n + 1);
	p->worker = NEW(s->arena, struct worker, n + 1);
	if (!p->thread || !p->worker)
		return err_nomem(err);
	rc = sim_pool_start(p, err);
	if (!rc)
		*ret = p;
	return rc;
}

void sim_pool_run(struct sim_pool *p, void (*fn)(struct sim *s, struct sim_part *part))
{
	begin(p, fn);
	fn(p->sim, &p->sim->part[0]);
	await_done(p);
}

void sim_pool_stop(struct sim_pool *p)
{
	begin(p, NULL);
	for (size_t i = 0; i < p->n; i++)
		(void)pthread_join(p->thread[i], NULL);
	(void)pthread_cond_destroy(&p->start);
	(void)pthread_cond_destroy(&p->done);
	(void)pthread_mutex_destroy(&p->lock);
	p->running = false;
}

void sim_pool_free(struct sim_pool *p)
{
	if (p && p->running)
		sim_pool_stop(p);
}
