/* api_result_why.c - why a weight is what it is: the spike pairs behind each of its updates. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "server/api_result_series.h"

static void add(struct api_result *c, const char *name, enum npy_type type, const void *data,
		size_t rows, unsigned in)
{
	api_result_add(c,
		       (struct api_result_column){
			       .name = name, .type = type, .data = data, .rows = rows, .in = in });
}

/* The pairs behind the updates of one synapse; without room they are only counted. */
struct why {
	const struct spec_projection *p;
	const struct api_result_series *s;
	const int64_t *post; /* [n_post] arrivals */
	size_t n_post;
	int64_t reach; /* steps */
	bool nearest;  /* a pairing that counts neighbours only */
	double dt;
	double *t_pre, *t_post, *dt_ms, *dw; /* [n] or NULL */
	int64_t *update;
	double *sum; /* [updates] */
	size_t n;
};

static void pair(struct why *y, uint64_t k, int64_t pre, int64_t post)
{
	double w = y->s->weight ? y->s->weight[k - 1] : (double)NAN, dw = (double)NAN;

	if (y->t_pre) {
		y->dt_ms[y->n] = view_time(post - pre, y->dt);
		if (y->p->model->window && y->s->weight)
			dw = y->p->model->window(y->p->params, fabs(w), y->dt_ms[y->n]);
		y->t_pre[y->n] = view_time(pre - y->p->axonal, y->dt);
		y->t_post[y->n] = view_time(post - y->p->delay_min, y->dt);
		y->dw[y->n] = w < 0.0 ? -dw : dw;
		y->update[y->n] = (int64_t)k;
		y->sum[k] += y->dw[y->n];
	}
	y->n++;
}

/* What update k, of the presynaptic arrival k, is made of: the spikes that came since the one
 * before against earlier arrivals, and this arrival against earlier spikes. */
static void pairs_of(struct why *y, uint64_t k)
{
	const int64_t *pre = y->s->step;
	size_t from = k ? view_lower(y->post, y->n_post, pre[k - 1] + 1) : 0,
	       to = view_lower(y->post, y->n_post, pre[k] + 1);

	for (size_t q = from; q < to; q++)
		for (uint64_t j = k; j-- > 0 && y->post[q] - pre[j] <= y->reach;) {
			if (y->post[q] > pre[j])
				pair(y, k, pre[j], y->post[q]);
			if (y->nearest)
				break;
		}
	for (size_t q = view_lower(y->post, y->n_post, pre[k]);
	     q-- > 0 && pre[k] - y->post[q] <= y->reach;) {
		pair(y, k, pre[k], y->post[q]);
		if (y->nearest)
			break;
	}
}

static void all_pairs(struct why *y)
{
	y->n = 0;
	for (uint64_t k = y->s->weight ? 1 : 0; k < y->s->total; k++)
		pairs_of(y, k);
}

static int why_room(struct api_result *c, struct why *y)
{
	size_t n = y->n + 1;

	y->t_pre = NEW(c->rq->arena, double, n);
	y->t_post = NEW(c->rq->arena, double, n);
	y->dt_ms = NEW(c->rq->arena, double, n);
	y->dw = NEW(c->rq->arena, double, n);
	y->update = NEW(c->rq->arena, int64_t, n);
	y->sum = NEW(c->rq->arena, double, y->s->total + 1);
	return y->t_pre && y->t_post && y->dt_ms && y->dw && y->update && y->sum
		       ? 0
		       : err_nomem(&c->err);
}

/* The updates themselves: when, to which weight, by how much, and what the pairs leave open. */
static int why_updates(struct api_result *c, const struct why *y)
{
	size_t n = y->s->total;
	double *t = api_result_series_times(c, y->s->step, n),
	       *dw = NEW(c->rq->arena, double, n + 1), *rest = NEW(c->rq->arena, double, n + 1);

	if (!t || !dw || !rest)
		return err_nomem(&c->err);
	add(c, "update_t_ms", NPY_F64, t, n, API_RESULT_BESIDE);
	if (!y->s->weight)
		return 0;
	for (size_t k = 0; k < n; k++) {
		dw[k] = k ? y->s->weight[k] - y->s->weight[k - 1] : (double)NAN;
		rest[k] = dw[k] - y->sum[k];
	}
	add(c, "update_weight", NPY_F64, y->s->weight, n, API_RESULT_BESIDE);
	add(c, "update_dw", NPY_F64, dw, n, API_RESULT_BESIDE);
	add(c, "update_residual", NPY_F64, rest, n, API_RESULT_BESIDE);
	return 0;
}

static bool nearest_only(const struct spec_projection *p)
{
	for (size_t i = 0; i < p->model->n_params; i++)
		if (strcmp(p->model->params[i].name, "pairing") == 0)
			return p->params[i] != 0.0; /* all_to_all is the first of them */
	return false;
}

static const char *note_of(const struct why *y)
{
	return y->p->model->window
		       ? "dw is what the rule gives for the pair alone at the weight before; "
			 "update_residual is what an update has beyond its pairs"
		       : "this rule has no window of a single pair: dw is not known, update_dw is";
}

/* All of `y`; 1: it waits for its run to be simulated again. */
static int find(struct api_result *c, struct why *y, struct api_result_series *s,
		const char **ret_missing)
{
	struct api_result_arrivals post = { 0 };
	uint32_t target;
	size_t size = 0;
	int rc = api_result_series_pairs(c, s, &y->p, &post, &size);

	if (!rc && s->n != 1)
		rc = err_set(&c->err, ERR_RANGE, "?synapse", "expected one synapse, found %zu",
			     s->n);
	if (!rc && !s->weight)
		rc = api_result_series_again(c, s, ret_missing);
	if (rc)
		return rc;
	target = s->target ? s->target[0] : 0;
	if (target < size) {
		y->post = post.step + post.offset[target];
		y->n_post = (size_t)(post.offset[target + 1] - post.offset[target]);
	}
	y->nearest = nearest_only(y->p);
	y->reach = (int64_t)ceil(2.0 * api_result_series_reach(y->p) / c->dt);
	all_pairs(y);
	rc = api_result_limit(c, y->n);
	if (!rc)
		rc = why_room(c, y);
	if (!rc)
		all_pairs(y);
	return rc;
}

static int why(struct api_result *c)
{
	struct api_result_series s = { .param = "synapse", .or_spikes = true };
	struct why y = { .s = &s, .dt = c->dt };
	const char *missing = NULL;
	int rc = http_query(c->rq, "synapse")
			 ? 0
			 : err_set(&c->err, ERR_MISSING, "?synapse", "expected synapse=K");

	if (!rc)
		rc = find(c, &y, &s, &missing);
	if (rc)
		return rc;
	api_result_text(c, "projection", y.p->name);
	api_result_integer(c, "synapse", (uint64_t)s.which[0]);
	if (s.source) {
		api_result_integer(c, "source", s.source[0]);
		api_result_integer(c, "target", s.target[0]);
	}
	api_result_integer(c, "count", y.n);
	api_result_raw(c, "recorded", s.weight && !s.again ? "true" : "false");
	if (s.again)
		api_result_text(c, "run_id", s.again);
	api_result_text(c, "note", missing ? missing : note_of(&y));
	add(c, "t_pre_ms", NPY_F64, y.t_pre, y.n, API_RESULT_ALL);
	add(c, "t_post_ms", NPY_F64, y.t_post, y.n, API_RESULT_ALL);
	add(c, "dt_ms", NPY_F64, y.dt_ms, y.n, API_RESULT_ALL);
	add(c, "dw", NPY_F64, y.dw, y.n, API_RESULT_ALL);
	add(c, "update", NPY_I64, y.update, y.n, API_RESULT_ALL);
	return why_updates(c, &y);
}

int api_result_why(const struct api *api, struct request *rq, struct response *rs,
		   struct err_list *errors)
{
	return api_result_serve(api, rq, rs, errors, "projection synapse", why);
}
