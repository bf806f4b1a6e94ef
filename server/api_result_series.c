/* api_result_series.c - every update of the recorded synapses, and what pairs of spikes did to them. */
/* SPDX-License-Identifier: MIT */
#include "server/api_result_series.h"

#include <math.h>
#include <string.h>

#include "core/spec_json.h"
#include "server/dataset.h"

enum { WINDOW_POINTS = 201 };

static const char how_updates[] =
	"\"weights\": [{\"projection\", \"synapses\", \"every\": \"update\"}]";

static const double WINDOW_TAUS = 5.0, WINDOW_MS = 100.0;

static int64_t item(const json_t *list, size_t i)
{
	return json_integer_value(json_array_get(list, i));
}

static int make_index(struct api_result *c, struct api_result_series *s, const json_t *recorded)
{
	uint64_t all = api_result_shape(c, "projections", s->recording->subject, "synapses");
	bool some = json_is_array(recorded);

	s->n_index = some ? json_array_size(recorded) : (size_t)all;
	s->index = NEW(c->rq->arena, struct view_index, s->n_index + 1);
	if (!s->index)
		return err_nomem(&c->err);
	for (size_t i = 0; i < s->n_index; i++)
		s->index[i] = (struct view_index){ some ? item(recorded, i) : (int64_t)i, i };
	return 0;
}

/* The synapses asked for, each of which must be recorded; without a list all, in the recorder's order. */
static int choose(struct api_result *c, struct api_result_series *s, const json_t *meta)
{
	uint64_t all = api_result_shape(c, "projections", s->recording->subject, "synapses"),
		 *asked = NULL;
	const json_t *source = json_object_get(meta, "source"),
		     *target = json_object_get(meta, "target");
	bool ends = json_array_size(source) > 0;
	size_t n_asked = 0;
	int rc = api_result_list(c, s->param ? s->param : "synapses", all ? all : UINT32_MAX,
				 &asked, &n_asked);

	if (!rc)
		rc = make_index(c, s, json_object_get(meta, "synapses"));
	if (rc)
		return rc;
	s->n = asked ? n_asked : s->n_index;
	s->which = NEW(c->rq->arena, int64_t, s->n + 1);
	s->source = ends ? NEW(c->rq->arena, uint32_t, s->n + 1) : NULL;
	s->target = ends ? NEW(c->rq->arena, uint32_t, s->n + 1) : NULL;
	if (!s->which || (ends && (!s->source || !s->target)))
		return err_nomem(&c->err);
	for (size_t i = 0; !asked && i < s->n; i++)
		s->which[i] = s->index[i].key;
	view_index_sort(s->index, s->n_index);
	for (size_t i = 0; i < s->n; i++) {
		int64_t k = asked ? (int64_t)asked[i] : s->which[i];
		size_t at = view_index_find(s->index, s->n_index, k);

		if (at == SIZE_MAX)
			return err_set(&c->err, ERR_NOTRECORDED,
				       s->param ? "?synapse" : "?synapses",
				       "synapse %lld was not recorded; name it in %s", (long long)k,
				       how_updates);
		s->which[i] = k;
		if (ends) {
			s->source[i] = (uint32_t)item(source, at);
			s->target[i] = (uint32_t)item(target, at);
		}
	}
	return 0;
}

struct updates {
	const void *step, *synapse, *weight;
	size_t n;
};

static int read_updates(struct api_result *c, const struct store_recording *r, struct updates *ret)
{
	int64_t s0 = 0, s1 = 0;
	uint64_t row0 = 0, row1 = 0;
	int rc = api_result_window(c, &s0, &s1);

	if (!rc)
		rc = api_result_lower(c, r, "step", s0, &row0);
	if (!rc)
		rc = api_result_lower(c, r, "step", s1, &row1);
	if (!rc)
		rc = api_result_read(c, r, "step", row0, row1, NPY_I64, &ret->step);
	if (!rc)
		rc = api_result_read(c, r, "synapse", row0, row1, NPY_I64, &ret->synapse);
	if (!rc)
		rc = api_result_read(c, r, "weight", row0, row1, NPY_F64, &ret->weight);
	ret->n = (size_t)(row1 - row0);
	return rc;
}

/* From updates in order of time to lists by synapse, in the order asked for. */
static int sort_updates(struct api_result *c, struct api_result_series *s, const struct updates *u)
{
	int64_t *keys = NEW(c->rq->arena, int64_t, s->n_index + 1);
	uint64_t *offset = NEW(c->rq->arena, uint64_t, s->n_index + 1),
		 *order = NEW(c->rq->arena, uint64_t, u->n + 1), total = 0;

	s->offset = NEW(c->rq->arena, uint64_t, s->n + 1);
	if (!keys || !offset || !order || !s->offset)
		return err_nomem(&c->err);
	for (size_t i = 0; i < s->n_index; i++)
		keys[i] = s->index[i].key;
	(void)view_series(u->synapse, u->n, keys, s->n_index, offset, order);
	for (size_t i = 0; i < s->n; i++) {
		size_t at = view_lower(keys, s->n_index, s->which[i]);

		total += offset[at + 1] - offset[at];
		s->offset[i + 1] = total;
	}
	s->total = (size_t)total;
	s->step = NEW(c->rq->arena, int64_t, s->total + 1);
	s->synapse = NEW(c->rq->arena, int64_t, s->total + 1);
	s->weight = NEW(c->rq->arena, double, s->total + 1);
	if (!s->step || !s->synapse || !s->weight)
		return err_nomem(&c->err);
	for (size_t i = 0; i < s->n; i++) {
		const uint64_t *from = order + offset[view_lower(keys, s->n_index, s->which[i])];

		for (uint64_t k = s->offset[i]; k < s->offset[i + 1]; k++) {
			uint64_t at = from[k - s->offset[i]];

			s->step[k] = ((const int64_t *)u->step)[at];
			s->synapse[k] = s->which[i];
			s->weight[k] = ((const double *)u->weight)[at];
		}
	}
	return api_result_limit(c, s->total);
}

static int read_series(struct api_result *c, struct api_result_series *s)
{
	struct store_recording *list = NULL;
	struct updates u = { 0 };
	size_t n = 0;
	json_t *meta;
	int rc = api_result_find(c, "weight_updates", NULL, how_updates, &list, &n);

	if (rc)
		return rc;
	s->recording = list;
	meta = api_result_meta(c, list);
	rc = meta ? choose(c, s, meta) : -ERR_CORRUPT;
	json_decref(meta);
	if (!rc)
		rc = read_updates(c, list, &u);
	return rc ? rc : sort_updates(c, s, &u);
}

double *api_result_series_times(struct api_result *c, const int64_t *step, size_t n)
{
	double *t = NEW(c->rq->arena, double, n + 1);

	for (size_t i = 0; t && i < n; i++)
		t[i] = view_time(step[i], c->dt);
	return t;
}

static void add(struct api_result *c, const char *name, enum npy_type type, const void *data,
		size_t rows, unsigned in)
{
	api_result_add(c,
		       (struct api_result_column){
			       .name = name, .type = type, .data = data, .rows = rows, .in = in });
}

static int series(struct api_result *c)
{
	struct api_result_series s = { 0 };
	double *t;
	int rc = read_series(c, &s);

	if (rc)
		return rc;
	t = api_result_series_times(c, s.step, s.total);
	if (!t)
		return err_nomem(&c->err);
	api_result_text(c, "projection", s.recording->subject);
	api_result_integer(c, "count", s.total);
	add(c, "synapses", NPY_I64, s.which, s.n, API_RESULT_BESIDE);
	if (s.source) {
		add(c, "source", NPY_U32, s.source, s.n, API_RESULT_BESIDE);
		add(c, "target", NPY_U32, s.target, s.n, API_RESULT_BESIDE);
	}
	add(c, "synapse", NPY_I64, s.synapse, s.total, API_RESULT_ROWS | API_RESULT_NPZ);
	api_result_add(c, (struct api_result_column){ .name = "t_ms",
						      .type = NPY_F64,
						      .data = t,
						      .rows = s.total,
						      .offset = s.offset,
						      .n_lists = s.n,
						      .in = API_RESULT_ALL });
	api_result_add(c, (struct api_result_column){ .name = "weight",
						      .type = NPY_F64,
						      .data = s.weight,
						      .rows = s.total,
						      .offset = s.offset,
						      .n_lists = s.n,
						      .in = API_RESULT_ALL });
	return 0;
}

int api_result_series(const struct api *api, struct request *rq, struct response *rs,
		      struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors, "projection synapses t0_ms t1_ms", series);
}

/* ---- dt and dw ---- */

/* The window of an experiment: its table. */
static int stdp_of_experiment(struct api_result *c)
{
	const double *values[STORE_COLUMNS_MAX], *theory = NULL;
	struct store_recording *r = NULL;
	uint64_t rows = 0;
	size_t dt = 0;
	int rc = api_result_table_read(c, "window", &r, values);

	for (size_t k = 0; !rc && k < r->n_columns; k++) {
		const char *name = r->columns[k].name;

		rows = r->columns[k].rows;
		add(c, name, NPY_F64, values[k], (size_t)rows, API_RESULT_ALL);
		if (strcmp(name, "dw_theory") == 0)
			theory = values[k];
		if (strcmp(name, "dt_ms") == 0)
			dt = k;
	}
	if (rc || !theory)
		return rc;
	api_result_text(c, "from", "experiment");
	api_result_raw(c, "window", "{\"dt_ms\":[");
	for (uint64_t i = 0; i < rows; i++) {
		(void)buf_str(&c->head, i ? "," : "");
		(void)buf_double(&c->head, values[dt][i]);
	}
	(void)buf_str(&c->head, "],\"dw\":[");
	for (uint64_t i = 0; i < rows; i++) {
		(void)buf_str(&c->head, i ? "," : "");
		(void)buf_double(&c->head, theory[i]);
	}
	(void)buf_str(&c->head, "]}");
	return 0;
}

/* The spec of the run, read as the engine reads it. */
static int read_spec(struct api_result *c, const struct spec **ret)
{
	const struct spec_limits_json limits = { 0 };
	struct spec_datasets datasets;
	const char *text = NULL;
	struct err_list errors = { 0 };
	json_t *json;
	int rc = api_result_spec(c, &text);

	if (rc)
		return rc;
	json = json_loads(text, 0, NULL);
	if (!json)
		return err_set(&c->err, ERR_CORRUPT, NULL, "the spec of the run is not JSON");
	dataset_source(&datasets, c->api->store);
	rc = spec_json_read(ret, json, "/spec", &datasets, &limits, c->rq->arena, &errors);
	if (rc)
		rc = err_set(&c->err, ERR_STATE, NULL,
			     "the run's spec can no longer be read: %.200s", errors.first.text);
	err_list_release(&errors);
	json_decref(json);
	return rc;
}

static int read_arrivals(struct api_result *c, const char *population, size_t size, int64_t delay,
			 struct api_result_arrivals *ret)
{
	struct store_recording *r = NULL;
	const void *step = NULL, *neuron = NULL;
	uint64_t *next = NEW(c->rq->arena, uint64_t, size + 1), rows = 0;
	const uint32_t *id;
	size_t n = 0;
	int rc = api_result_recordings(c, "spikes", population, NULL, &r, &n);

	if (!rc && n == 0)
		return err_set(&c->err, ERR_NOTRECORDED, NULL,
			       "spikes of %s were not recorded; put \"spikes\": [\"%s\"] into the "
			       "spec's record",
			       population, population);
	if (!rc && api_result_column(r, "step"))
		rows = api_result_column(r, "step")->rows;
	if (!rc)
		rc = api_result_read(c, r, "step", 0, rows, NPY_I64, &step);
	if (!rc)
		rc = api_result_read(c, r, "neuron", 0, rows, NPY_U32, &neuron);
	if (rc)
		return rc;
	id = neuron;
	ret->offset = NEW(c->rq->arena, uint64_t, size + 1);
	ret->step = NEW(c->rq->arena, int64_t, rows + 1);
	if (!next || !ret->offset || !ret->step)
		return err_nomem(&c->err);
	for (uint64_t i = 0; i < rows; i++) {
		if (id[i] >= size)
			return err_set(&c->err, ERR_CORRUPT, NULL,
				       "a recorded spike is of no neuron of %s", population);
		ret->offset[id[i] + 1]++;
	}
	for (size_t i = 0; i < size; i++) {
		ret->offset[i + 1] += ret->offset[i];
		next[i] = ret->offset[i];
	}
	for (uint64_t i = 0; i < rows; i++)
		ret->step[next[id[i]]++] = ((const int64_t *)step)[i] + delay;
	return 0;
}

/* dw of each update since the one before, against the dt of the pair next to it. */
static int measure(struct api_result *c, const struct api_result_series *s,
		   const struct api_result_arrivals *post, size_t size)
{
	double *dt = NEW(c->rq->arena, double, s->total + 1),
	       *dw = NEW(c->rq->arena, double, s->total + 1);
	double *t = NEW(c->rq->arena, double, s->total + 1);
	int64_t *synapse = NEW(c->rq->arena, int64_t, s->total + 1), pair = 0;
	size_t n = 0;

	if (!dt || !dw || !t || !synapse)
		return err_nomem(&c->err);
	for (size_t i = 0; i < s->n; i++) {
		uint32_t target = s->target ? s->target[i] : 0;
		const int64_t *arrival = post->step + (target < size ? post->offset[target] : 0);
		size_t n_post = target < size
					? (size_t)(post->offset[target + 1] - post->offset[target])
					: 0;

		for (uint64_t k = s->offset[i] + 1; k < s->offset[i + 1]; k++) {
			if (!view_pair(arrival, n_post, s->step[k - 1], s->step[k], &pair))
				continue;
			dt[n] = view_time(pair, c->dt);
			dw[n] = s->weight[k] - s->weight[k - 1];
			t[n] = view_time(s->step[k], c->dt);
			synapse[n++] = s->which[i];
		}
	}
	api_result_integer(c, "count", n);
	add(c, "synapse", NPY_I64, synapse, n, API_RESULT_ALL);
	add(c, "t_ms", NPY_F64, t, n, API_RESULT_ALL);
	add(c, "dt_ms", NPY_F64, dt, n, API_RESULT_ALL);
	add(c, "dw", NPY_F64, dw, n, API_RESULT_ALL);
	return 0;
}

double api_result_series_reach(const struct spec_projection *p)
{
	double tau = 0.0;

	for (size_t i = 0; i < p->model->n_params; i++)
		if (strncmp(p->model->params[i].name, "tau_", 4) == 0 && isfinite(p->params[i]) &&
		    p->params[i] > tau)
			tau = p->params[i];
	return tau > 0.0 ? WINDOW_TAUS * tau : WINDOW_MS;
}

/* The rule's window for one pair alone, from the mean of the weights seen. */
static void add_window(struct api_result *c, const struct spec_projection *p,
		       const struct api_result_series *s)
{
	struct view_moments m = view_moments(s->weight, s->total);
	double w = s->total ? fabs(m.mean) : 0.0, far = api_result_series_reach(p);

	if (!p->model->window)
		return;
	api_result_raw(c, "window", "{\"w\":");
	(void)buf_double(&c->head, w);
	for (int column = 0; column < 2; column++) {
		(void)buf_str(&c->head, column ? "],\"dw\":[" : ",\"dt_ms\":[");
		for (int i = 0; i < WINDOW_POINTS; i++) {
			double dt = far * (2.0 * i / (WINDOW_POINTS - 1) - 1.0);

			(void)buf_str(&c->head, i ? "," : "");
			(void)buf_double(&c->head,
					 column ? p->model->window(p->params, w, dt) : dt);
		}
	}
	(void)buf_str(&c->head, "]}");
}

/* Where the synapse stands whose updates were not recorded: the final weights say it. */
static int read_ends(struct api_result *c, struct api_result_series *s)
{
	struct store_recording *list = NULL;
	const void *source = NULL, *target = NULL;
	uint64_t *asked = NULL;
	size_t n = 0;
	int rc = api_result_find(c, "final_weights", NULL,
				 "\"final_weights\": true (of a plastic projection), or this "
				 "synapse at \"every\": \"update\",",
				 &list, &n);

	if (rc)
		return rc;
	rc = api_result_list(c, s->param,
			     api_result_shape(c, "projections", list->subject, "synapses"), &asked,
			     &n);
	if (rc || !asked || n != 1)
		return rc ? rc : err_set(&c->err, ERR_RANGE, "?synapse", "expected one synapse");
	rc = api_result_read(c, list, "source", *asked, *asked + 1, NPY_U32, &source);
	if (!rc)
		rc = api_result_read(c, list, "target", *asked, *asked + 1, NPY_U32, &target);
	s->which = NEW(c->rq->arena, int64_t, 1);
	s->source = NEW(c->rq->arena, uint32_t, 1);
	s->target = NEW(c->rq->arena, uint32_t, 1);
	if (rc || !s->which || !s->source || !s->target)
		return rc ? rc : err_nomem(&c->err);
	s->recording = list;
	s->which[0] = (int64_t)*asked;
	s->source[0] = *(const uint32_t *)source;
	s->target[0] = *(const uint32_t *)target;
	s->n = 1;
	s->weight = NULL;
	return 0;
}

/* When its source's spikes arrive. */
static int read_pre(struct api_result *c, struct api_result_series *s, const struct spec *spec,
		    const struct spec_projection *p)
{
	const struct spec_population *source = &spec->populations[p->source];
	struct api_result_arrivals pre = { 0 };
	int rc = read_arrivals(c, source->name, source->size, p->axonal, &pre);

	if (rc)
		return rc;
	if (s->source[0] >= source->size)
		return err_set(&c->err, ERR_CORRUPT, NULL, "a synapse comes from no neuron of %s",
			       source->name);
	s->step = pre.step + pre.offset[s->source[0]];
	s->total = (size_t)(pre.offset[s->source[0] + 1] - pre.offset[s->source[0]]);
	return 0;
}

int api_result_series_of(struct api_result *c, struct api_result_series *s, const char *id)
{
	const char *own = c->run.id;
	int rc;

	c->run.id = id;
	rc = read_series(c, s);
	c->run.id = own;
	return rc;
}

int api_result_series_pairs(struct api_result *c, struct api_result_series *s,
			    const struct spec_projection **ret, struct api_result_arrivals *post,
			    size_t *ret_size)
{
	const struct spec_projection *p;
	const struct spec *spec = NULL;
	int at, rc = read_series(c, s);

	if (rc == -ERR_NOTRECORDED && s->or_spikes) {
		c->err = (struct err){ 0 };
		rc = read_ends(c, s);
	}
	if (!rc)
		rc = read_spec(c, &spec);
	if (rc)
		return rc;
	at = spec_projection(spec, s->recording->subject);
	if (at < 0)
		return err_set(&c->err, ERR_CORRUPT, NULL, "the run's spec has no projection %s",
			       s->recording->subject);
	p = *ret = &spec->projections[at];
	if (p->delay_min != p->delay_max)
		return err_set(&c->err, ERR_NOTRECORDED, NULL,
			       "delays vary from synapse to synapse and are not recorded, so dt at "
			       "the synapse is not known");
	*ret_size = spec->populations[p->target].size;
	rc = s->weight ? 0 : read_pre(c, s, spec, p);
	return rc ? rc
		  : read_arrivals(c, spec->populations[p->target].name, *ret_size, p->delay_min,
				  post);
}

static int stdp(struct api_result *c)
{
	const struct spec_projection *p = NULL;
	struct api_result_arrivals post = { 0 };
	struct api_result_series s = { 0 };
	size_t size = 0;
	int rc;

	if (c->run.experiment)
		return stdp_of_experiment(c);
	rc = api_result_series_pairs(c, &s, &p, &post, &size);
	if (rc)
		return rc;
	api_result_text(c, "projection", p->name);
	api_result_text(c, "from", "weight updates");
	api_result_text(c, "note",
			"dw is the change between two updates, dt that of the nearest pair; other "
			"spikes near add to dw");
	add_window(c, p, &s);
	return measure(c, &s, &post, size);
}

int api_result_stdp(const struct api *api, struct request *rq, struct response *rs,
		    struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors, "projection synapses t0_ms t1_ms", stdp);
}
