/* world.c - a network, an experiment, a session, a sweep, a data set, a token. */
/* SPDX-License-Identifier: MIT */
#include "tests/e2e/world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Two inputs that teach one cell, all of it recorded. */
#define NETWORK \
	"{\"spec\":{\"resolution_ms\":0.1,\"duration_ms\":100,\"seed\":\"1\",\"populations\":{" \
	"\"in\":{\"model\":\"spike_generator\",\"size\":2,\"params\":{\"spike_times\":[[10,30,50]" \
	",[20,60]]}}," \
	"\"out\":{\"model\":\"spike_generator\",\"size\":1,\"params\":{\"spike_times\":[15,35.5," \
	"80]}}," \
	"\"cell\":{\"model\":\"iaf_psc_exp\",\"size\":3}},\"projections\":{" \
	"\"learn\":{\"source\":\"in\",\"target\":\"out\",\"connect\":{\"rule\":\"all_to_all\"}," \
	"\"synapse\":{\"model\":\"stdp_pair\",\"weight\":0.5,\"delay_ms\":1,\"params\":{\"w_" \
	"max\":1}}}},\"record\":{" \
	"\"spikes\":[\"in\",\"out\"]," \
	"\"states\":[{\"population\":\"cell\",\"variables\":[\"V_m\"],\"neurons\":[2,0],\"every_" \
	"ms\":0.5}]," \
	"\"weights\":[{\"projection\":\"learn\",\"every_ms\":25}," \
	"{\"projection\":\"learn\",\"synapses\":[1,0],\"every\":\"update\"}]," \
	"\"rates\":[{\"population\":\"in\",\"bin_ms\":10}]}}}"
#define WINDOW \
	"{\"experiment\":\"stdp_window\",\"params\":{\"rule\":\"stdp_pair\",\"dt_ms\":[-10,10]}}"
#define SWEEP \
	"{\"experiment\":\"stdp_window\",\"params\":{\"rule\":\"stdp_pair\",\"dt_ms\":[10]," \
	"\"pairs\":1}," \
	"\"axes\":[{\"path\":\"/params/pairs\",\"values\":[1,2]}]}"

/* A POST that makes something; its id. */
static void make(const struct world *w, const char *path, const char *body, char id[64])
{
	struct reply r = harness_ask(&w->h, "POST", path, body, NULL);

	cr_assert_eq(r.status, 201, "%s: %d %s", path, r.status, r.body);
	(void)snprintf(id, 64, "%s", reply_text(&r, "/id"));
	reply_release(&r);
}

static void wait_run(const struct world *w, const char *body, char id[64])
{
	struct reply r;

	harness_run(&w->h, body, id);
	r = harness_wait(&w->h, id, 20);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	reply_release(&r);
}

static void wait_sweep(const struct world *w)
{
	char path[WORLD_PATH_MAX];
	bool over = false;

	(void)snprintf(path, sizeof(path), "/v1/sweeps/%s", w->sweep);
	for (int i = 0; i < 2000 && !over; i++) {
		struct reply r = harness_get(&w->h, path);

		over = strcmp(reply_text(&r, "/state"), "finished") == 0;
		reply_release(&r);
		(void)nanosleep(&(const struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	cr_assert(over, "the sweep does not end");
}

static void make_token(struct world *w)
{
	struct reply r = harness_ask(&w->h, "POST", "/v1/tokens",
				     "{\"name\":\"world\",\"scopes\":[\"read\",\"run\",\"session\","
				     "\"admin\"]}",
				     NULL);

	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(w->token, sizeof(w->token), "%s", reply_text(&r, "/id"));
	(void)snprintf(w->admin, sizeof(w->admin), "Authorization: Bearer %s",
		       reply_text(&r, "/token"));
	reply_release(&r);
}

void world_new(struct world *w, const char *const *args)
{
	char path[WORLD_PATH_MAX];
	struct reply r;

	memset(w, 0, sizeof(*w));
	harness_new(&w->h, args);
	wait_run(w, NETWORK, w->run);
	wait_run(w, WINDOW, w->window);
	make(w, "/v1/sweeps", SWEEP, w->sweep);
	make(w, "/v1/sessions", NETWORK, w->session);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/step", w->session);
	r = harness_ask(&w->h, "POST", path, "{\"duration_ms\":100}", NULL);
	cr_assert_eq(r.status, 200, "%s", r.body);
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/sessions/%s/checkpoints", w->session);
	make(w, path, "{}", w->checkpoint);
	r = harness_send(&w->h, "POST", "/v1/datasets?name=few", "t_ms,neuron\n1,0\n2,1\n", 20,
			 "text/csv");
	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(w->dataset, sizeof(w->dataset), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	make(w, "/v1/webhooks", "{\"url\":\"http://localhost:9/x\",\"active\":false}", w->hook);
	wait_sweep(w);
	make_token(w);
}

void world_free(struct world *w)
{
	harness_free(&w->h);
}

struct reply world_ask(const struct world *w, const char *method, const char *path,
		       const char *body, const char *header)
{
	const char *const headers[] = { w->admin, header, NULL };

	return harness_ask(&w->h, method, path, body, headers);
}

/* ---- addresses ---- */

/* What stands for {names} behind a pattern, and the query that it needs. */
static const struct {
	const char *tail;    /* of the pattern, behind that of a run or session */
	const char *instead; /* NULL: the same */
	const char *query;
} views[] = {
	{ "/spikes", NULL, "?population=in" },
	{ "/raster", NULL, "?population=in&cols=5" },
	{ "/rates", NULL, "?population=in&bin_ms=20" },
	{ "/isi", NULL, "?population=in" },
	{ "/states/{variable}", "/states/V_m", "?population=cell" },
	{ "/weights", NULL, "?projection=learn" },
	{ "/weights/histogram", NULL, "?projection=learn" },
	{ "/weights/matrix", NULL, "?projection=learn" },
	{ "/weights/series", NULL, "?projection=learn" },
	{ "/stdp", NULL, "?projection=learn" },
	{ "/why", NULL, "?projection=learn&synapse=0" },
	{ "/psth", NULL, "?population=out&events_ms=15,50" },
	{ "/artifacts/{name}", "/artifacts/spec.json", "" },
	{ "/tables/{name}", "/tables/window", "" },
};

static const char *const plain[][2] = {
	{ "/", "/" },
	{ "/{file}", "/style.css" },
	{ "/v1/models/{kind}/{name}", "/v1/models/plasticity/stdp_pair" },
	{ "/v1/schemas/{name}", "/v1/schemas/spec" },
	{ "/v1/rules/{name}/window", "/v1/rules/stdp_pair/window?dt_ms=-10,10" },
	{ "/v1/presets/{name}", "/v1/presets/latency" },
};

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Of one run, session, sweep ...: `group` and {id}, then the tail. */
static bool path_in(const char *pattern, const char *group, const char *id, char *path)
{
	const char *tail = pattern + strlen(group) + strlen("{id}"), *query = "";

	if (!starts(pattern, group) || !starts(pattern + strlen(group), "{id}"))
		return false;
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		if (strcmp(views[i].tail, tail) != 0)
			continue;
		query = views[i].query;
		tail = views[i].instead ? views[i].instead : tail;
		break;
	}
	(void)snprintf(path, WORLD_PATH_MAX, "%s%s%s%s", group, id, tail, query);
	return true;
}

void world_path(const struct world *w, const char *pattern, char path[WORLD_PATH_MAX])
{
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (strcmp(pattern, plain[i][0]) != 0)
			continue;
		(void)snprintf(path, WORLD_PATH_MAX, "%s", plain[i][1]);
		return;
	}
	if (strcmp(pattern, "/v1/compare") == 0)
		(void)snprintf(path, WORLD_PATH_MAX, "/v1/compare?runs=%s,%s", w->run, w->window);
	else if (strcmp(pattern, "/v1/events") == 0)
		(void)snprintf(path, WORLD_PATH_MAX, "/v1/events?topics=run:%s", w->run);
	else if (strcmp(pattern, "/v1/runs/{id}/tables/{name}") == 0)
		(void)snprintf(path, WORLD_PATH_MAX, "/v1/runs/%s/tables/window", w->window);
	else if (!path_in(pattern, "/v1/runs/", w->run, path) &&
		 !path_in(pattern, "/v1/sessions/", w->session, path) &&
		 !path_in(pattern, "/v1/sweeps/", w->sweep, path) &&
		 !path_in(pattern, "/v1/datasets/", w->dataset, path) &&
		 !path_in(pattern, "/v1/tokens/", w->token, path) &&
		 !path_in(pattern, "/v1/webhooks/", w->hook, path))
		(void)snprintf(path, WORLD_PATH_MAX, "%s", pattern);
	cr_assert_null(strchr(path, '{'), "tests/e2e/world.c has no address for %s", pattern);
}

int world_status(const char *pattern, int declared)
{
	/* An experiment leaves tables, and is no session. */
	return strcmp(pattern, "/v1/sessions/{id}/tables/{name}") == 0 ? 404 : declared;
}
