/* serve_watch.c - events of a session: what is watched, collected as it happens, told now and then. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "core/base/attr.h"
#include "core/base/mem.h"
#include "core/serve_part.h"

#define MAX_HZ 1000.0

static const char *const kinds[SERVE_EVENT_N] = { "state", "spikes", "rates", "weights" };

/* ---- collected ---- */

static int64_t next(void *self, int64_t t)
{
	(void)self;
	(void)t;
	return INT64_MAX;
}

static void collect(struct serve_watch *w, const struct sim_spike *spikes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		w->count += spikes[i].count;
		for (uint32_t k = 0; w->spikes && k < spikes[i].count && w->n < w->max; k++)
			w->spikes[w->n++] = spikes[i];
	}
}

static int slice(void *self, const struct sim_view *v, struct err *err)
{
	struct serve *s = self;

	(void)err;
	for (size_t i = 0; i < s->n_watches; i++) {
		struct serve_watch *w = &s->watches[i];

		if (w->kind == SERVE_SPIKES || w->kind == SERVE_RATES)
			collect(w, v->spikes[w->subject], v->n_spikes[w->subject]);
	}
	return 0;
}

/* Another simulation, perhaps at another time. */
void serve_watch_attach(void *self, struct sim *sim)
{
	struct serve *s = self;

	sim_observe(sim, (struct sim_observer){ s, next, slice });
	for (size_t i = 0; i < s->n_watches; i++) {
		s->watches[i].from = sim_now(sim);
		s->watches[i].count = s->watches[i].n = 0;
	}
}

/* ---- asked for ---- */

static void clear(struct serve_watch *watches, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mem_free(watches[i].spikes);
}

void serve_watch_clear(struct serve *s)
{
	clear(s->watches, s->n_watches);
	s->n_watches = 0;
}

static int read_count(const json_t *json, const char *key, double most, size_t *ret,
		      struct err *err)
{
	double x = (double)*ret;
	int rc = serve_get_number(json, key, false, &x, err);

	if (!rc && !(x >= 1 && x <= most && floor(x) == x))
		rc = err_set(err, ERR_RANGE, "/events", "%s must be a whole number from 1 to %.0f",
			     key, most);
	*ret = rc ? *ret : (size_t)x;
	return rc;
}

static int read_spikes(struct serve *s, json_t *json, struct serve_watch *w, struct err *err)
{
	const struct spec *spec = sim_spec(engine_live_sim(s->live));
	int rc = serve_check_keys(json, "/events", "kind max_hz population max", err);

	w->max = 1000;
	if (!rc)
		rc = serve_get_population(s, json, &w->subject, err);
	if (!rc)
		rc = read_count(json, "max", SERVE_SPIKES_MAX, &w->max, err);
	if (!rc && spec->populations[w->subject].model->kind == NEURON_CURRENT)
		rc = err_set(err, ERR_CONFLICT, "/events", "%s has no spikes",
			     spec->populations[w->subject].name);
	if (rc || w->kind == SERVE_RATES)
		return rc;
	w->spikes = mem_alloc(w->max, sizeof(*w->spikes));
	return w->spikes ? 0 : err_nomem(err);
}

static int read_weights(struct serve *s, json_t *json, struct serve_watch *w, struct err *err)
{
	int rc = serve_check_keys(json, "/events", "kind max_hz projection bins", err);

	w->max = 50;
	if (!rc)
		rc = serve_get_projection(s, json_object_get(json, "projection"), "/events",
					  &w->subject, err);
	return rc ? rc : read_count(json, "bins", SERVE_BINS_MAX, &w->max, err);
}

static int read_one(struct serve *s, json_t *json, struct serve_watch *w, struct err *err)
{
	const char *kind = NULL;
	int i = 0, rc = serve_get_string(json, "kind", true, &kind, err);

	w->max_hz = 10;
	w->from = serve_now(s);
	if (!rc)
		rc = serve_get_number(json, "max_hz", false, &w->max_hz, err);
	if (!rc && !(w->max_hz > 0 && w->max_hz <= MAX_HZ))
		rc = err_set(err, ERR_RANGE, "/events", "max_hz must lie in (0, %g]", MAX_HZ);
	while (!rc && i < SERVE_EVENT_N && strcmp(kinds[i], kind) != 0)
		i++;
	if (rc)
		return rc;
	w->kind = (enum serve_event)i;
	switch (w->kind) {
	case SERVE_STATE:
		return serve_check_keys(json, "/events", "kind max_hz", err);
	case SERVE_SPIKES:
	case SERVE_RATES:
		return read_spikes(s, json, w, err);
	case SERVE_WEIGHTS:
		return read_weights(s, json, w, err);
	case SERVE_EVENT_N:
		break;
	}
	return err_set(err, ERR_UNKNOWN, "/events",
		       "expected state, spikes, rates or weights, found \"%.64s\"", kind);
}

int serve_watch_set(struct serve *s, json_t *events, struct err *err)
{
	struct serve_watch fresh[SERVE_WATCHES_MAX] = { 0 };
	size_t n = json_array_size(events);
	int rc = 0;

	if (!json_is_array(events))
		return err_set(err, ERR_TYPE, "/events", "expected an array of events");
	if (n > SERVE_WATCHES_MAX)
		return err_set(err, ERR_LIMIT, "/events", "at most %d, found %zu",
			       SERVE_WATCHES_MAX, n);
	for (size_t i = 0; !rc && i < n; i++)
		rc = read_one(s, json_array_get(events, i), &fresh[i], err);
	if (rc) {
		clear(fresh, n);
		return rc;
	}
	serve_watch_clear(s);
	memcpy(s->watches, fresh, sizeof(fresh));
	s->n_watches = n;
	return 0;
}

/* ---- told ---- */

static const char *population(const struct serve *s, const struct serve_watch *w)
{
	return sim_spec(engine_live_sim(s->live))->populations[w->subject].name;
}

static json_t *tell_spikes(struct serve *s, const struct serve_watch *w)
{
	json_t *at = json_array(), *neuron = json_array();

	for (size_t i = 0; at && neuron && i < w->n; i++) {
		(void)json_array_append_new(at, serve_time(s, w->spikes[i].step));
		(void)json_array_append_new(neuron, json_integer((json_int_t)w->spikes[i].neuron));
	}
	return json_pack("{s:s, s:o, s:I, s:o, s:o}", "population", population(s, w), "from_ms",
			 serve_time(s, w->from), "count", (json_int_t)w->count, "at_ms", at,
			 "neuron", neuron);
}

static json_t *tell_rates(struct serve *s, const struct serve_watch *w)
{
	double size = (double)sim_spec(engine_live_sim(s->live))->populations[w->subject].size;
	double seconds = serve_ms(s, serve_now(s) - w->from) / 1000.0;
	double rate = size > 0 ? (double)w->count / size / seconds : 0.0;

	return json_pack("{s:s, s:o, s:f}", "population", population(s, w), "from_ms",
			 serve_time(s, w->from), "rate_hz", rate);
}

struct moments {
	double mean, sd, min, max;
};

static struct moments measure(const double *x, uint64_t n)
{
	struct moments m = { 0, 0, n ? x[0] : 0, n ? x[0] : 0 };
	double square = 0;

	for (uint64_t i = 0; i < n; i++) {
		m.mean += x[i] / (double)n;
		m.min = x[i] < m.min ? x[i] : m.min;
		m.max = x[i] > m.max ? x[i] : m.max;
	}
	for (uint64_t i = 0; i < n; i++)
		square += (x[i] - m.mean) * (x[i] - m.mean);
	m.sd = n ? sqrt(square / (double)n) : 0;
	return m;
}

static json_t *histogram(const double *x, uint64_t n, const struct moments *m, size_t bins)
{
	CLEANUP(mem_freep) uint64_t *count = mem_alloc(bins + 1, sizeof(*count));
	double width = (m->max - m->min) / (double)bins;
	json_t *edges = json_array(), *counts = json_array();

	for (uint64_t i = 0; count && i < n; i++) {
		size_t k = width > 0 ? (size_t)((x[i] - m->min) / width) : 0;

		count[k < bins ? k : bins - 1]++;
	}
	for (size_t k = 0; count && edges && counts && k <= bins; k++) {
		(void)json_array_append_new(edges, json_real(m->min + width * (double)k));
		if (k < bins)
			(void)json_array_append_new(counts, json_integer((json_int_t)count[k]));
	}
	return json_pack("{s:f, s:f, s:o, s:o}", "mean", m->mean, "sd", m->sd, "edges", edges,
			 "counts", counts);
}

static json_t *tell_weights(struct serve *s, const struct serve_watch *w)
{
	const struct sim *sim = engine_live_sim(s->live);
	uint64_t n = sim_synapses(sim, w->subject);
	CLEANUP(mem_freep) double *x = mem_alloc(n + 1, sizeof(*x));
	struct moments m;
	json_t *json;

	if (!x || sim_weights(sim, w->subject, x, NULL))
		return NULL;
	m = measure(x, n);
	json = histogram(x, n, &m, w->max);
	if (json)
		(void)json_object_set_new(json, "projection",
					  json_string(sim_spec(sim)->projections[w->subject].name));
	return json;
}

static json_t *tell_body(struct serve *s, const struct serve_watch *w)
{
	switch (w->kind) {
	case SERVE_SPIKES:
		return tell_spikes(s, w);
	case SERVE_RATES:
		return tell_rates(s, w);
	case SERVE_WEIGHTS:
		return tell_weights(s, w);
	case SERVE_STATE:
	case SERVE_EVENT_N:
		break;
	}
	return json_pack("{s:o}", "state", serve_state(s));
}

static void tell(struct serve *s, struct serve_watch *w)
{
	json_t *line = tell_body(s, w);

	if (!line)
		return;
	(void)json_object_set_new(line, "event", json_string(kinds[w->kind]));
	(void)json_object_set_new(line, "t_ms", serve_time(s, serve_now(s)));
	if (w->dropped)
		(void)json_object_set_new(line, "dropped", json_integer((json_int_t)w->dropped));
	serve_send(s, line);
	w->dropped = 0;
}

void serve_watch_tell(struct serve *s)
{
	double now = serve_now_s(s);

	for (size_t i = 0; i < s->n_watches; i++) {
		struct serve_watch *w = &s->watches[i];

		if (now < w->next_s || serve_now(s) == w->from)
			continue;
		w->next_s = now + 1.0 / w->max_hz;
		if (s->out.len > SERVE_OUT_SOFT)
			w->dropped++;
		else
			tell(s, w);
		w->from = serve_now(s);
		w->count = w->n = 0;
	}
}
