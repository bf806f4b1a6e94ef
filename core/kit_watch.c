/* kit_watch.c - what an experiment sees while a simulation goes on. */
/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "core/kit.h"

static int64_t never(void *self, int64_t t)
{
	(void)self;
	(void)t;
	return INT64_MAX;
}

static int add(struct kit_spikes *k, double ms, uint32_t neuron, struct err *err)
{
	void *times = k->ms, *neurons = k->neuron;
	bool ok = mem_reserve(&times, k->n, &k->cap_ms, sizeof(*k->ms), 1024);

	k->ms = times;
	ok = ok && mem_reserve(&neurons, k->n, &k->cap_neuron, sizeof(*k->neuron), 1024);
	k->neuron = neurons;
	if (!ok)
		return err_nomem(err);
	k->ms[k->n] = ms;
	k->neuron[k->n++] = neuron;
	return 0;
}

static int take_spikes(void *self, const struct sim_view *v, struct err *err)
{
	struct kit_spikes *k = self;
	const struct sim_spike *spikes = v->spikes ? v->spikes[k->index] : NULL;
	size_t n = spikes ? v->n_spikes[k->index] : 0;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		double ms = (double)spikes[i].step * v->spec->dt;

		for (uint32_t j = 0; j < spikes[i].count && ms >= k->from_ms && !rc; j++)
			rc = add(k, ms, spikes[i].neuron, err);
	}
	return rc;
}

int kit_spikes_watch(struct kit_spikes *k, struct sim *s, struct err *err)
{
	int index = spec_population(sim_spec(s), k->population);

	if (index < 0)
		return err_set(err, ERR_INTERNAL, "", "there is no population %s", k->population);
	k->index = (size_t)index;
	sim_observe(s, (struct sim_observer){ k, never, take_spikes });
	return 0;
}

void kit_spikes_free(struct kit_spikes *k)
{
	mem_free(k->ms);
	mem_free(k->neuron);
	k->ms = NULL;
	k->neuron = NULL;
	k->n = k->cap_ms = k->cap_neuron = 0;
}

size_t kit_spikes_of(const struct kit_spikes *k, uint32_t neuron, double *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++) {
		if (k->neuron[i] != neuron)
			continue;
		if (n < max)
			ret[n] = k->ms[i];
		n++;
	}
	return n;
}

static int64_t next_sample(void *self, int64_t t)
{
	const struct kit_sample *k = self;

	return (t / k->every + 1) * k->every;
}

static int take_sample(void *self, const struct sim_view *v, struct err *err)
{
	struct kit_sample *k = self;

	if (v->t1 == 0 || v->t1 % k->every != 0)
		return 0;
	return k->at(k->self, v->sim, (double)v->t1 * v->spec->dt, err);
}

int kit_sample_watch(struct kit_sample *k, struct sim *s, struct err *err)
{
	double steps = k->every_ms / sim_spec(s)->dt;

	if (!(steps >= 0.5 && steps < 1e15))
		return err_set(err, ERR_GRID, "", "cannot sample every %g ms", k->every_ms);
	k->every = (int64_t)floor(steps + 0.5);
	sim_observe(s, (struct sim_observer){ k, next_sample, take_sample });
	return 0;
}

static int64_t next_reward(void *self, int64_t t)
{
	const struct kit_rewards *k = self;

	(void)t;
	return k->given < k->n ? k->list[k->given].at : INT64_MAX;
}

static int give(struct kit_rewards *k, double amount, struct err *err)
{
	const struct spec *spec = sim_spec(k->sim);
	int rc = 0;

	for (size_t j = 0; j < spec->n_projections && !rc; j++)
		if (spec->projections[j].model->on_signal)
			rc = sim_reward(k->sim, j, amount, err);
	return rc;
}

static int give_due(void *self, const struct sim_view *v, struct err *err)
{
	struct kit_rewards *k = self;
	int rc = 0;

	while (k->given < k->n && k->list[k->given].at <= v->t1 && !rc)
		rc = give(k, k->list[k->given++].amount, err);
	return rc;
}

int kit_rewards_watch(struct kit_rewards *k, struct sim *s, struct err *err)
{
	const struct spec *spec = sim_spec(s);
	bool any = false;

	for (size_t j = 0; j < spec->n_projections; j++)
		any = any || spec->projections[j].model->on_signal;
	if (!any)
		return err_set(err, ERR_INTERNAL, "", "no rule has a modulator to reward by");
	k->sim = s;
	sim_observe(s, (struct sim_observer){ k, next_reward, give_due });
	return 0;
}

int kit_rewards_promise(struct kit_rewards *k, int64_t at, double amount, struct err *err)
{
	void *list = k->list;
	size_t i = k->n;

	if (!mem_reserve(&list, k->n, &k->cap, sizeof(*k->list), 64))
		return err_nomem(err);
	k->list = list;
	for (; i > k->given && k->list[i - 1].at > at; i--)
		k->list[i] = k->list[i - 1];
	k->list[i] = (struct kit_reward){ at, amount };
	k->n++;
	return 0;
}

void kit_rewards_free(struct kit_rewards *k)
{
	mem_free(k->list);
	*k = (struct kit_rewards){ 0 };
}

int kit_weights(const struct sim *s, const char *projection, double **ret, size_t *ret_n,
		struct err *err)
{
	int index = spec_projection(sim_spec(s), projection);
	double *w;
	size_t n;
	int rc;

	if (index < 0)
		return err_set(err, ERR_INTERNAL, "", "there is no projection %s", projection);
	n = (size_t)sim_synapses(s, (size_t)index);
	w = mem_alloc(n + 1, sizeof(*w));
	if (!w)
		return err_nomem(err);
	rc = sim_weights(s, (size_t)index, w, err);
	if (rc) {
		mem_free(w);
		return rc;
	}
	*ret = w;
	*ret_n = n;
	return 0;
}
