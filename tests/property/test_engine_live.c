/* test_engine_live.c - a session computes what one run of its past computes, bit for bit: whatever the
 * slices, checkpoints, threads, ways back and changes of directory, and whatever came by while it ran. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/engine_live.h"
#include "core/net.h"
#include "tests/engine_case.h"
#include "tests/property/random_spec.h"

enum { CASES = 2, ACTS = 6, STEPS = 150 };

struct session {
	struct check_dir dir;
	struct engine_case_control clock;
	struct engine_control control;
	struct engine_live *live;
	unsigned saved; /* checkpoints by name: c0 to c(saved - 1) */
	int moved_fd;
	struct err err;
};

static void ok(const struct session *s, int rc)
{
	cr_assert_eq(rc, 0, "seed %llu: %s: %s", (unsigned long long)check_seed(), s->err.path,
		     s->err.text);
}

static void begin(struct session *s, const char *text, unsigned threads)
{
	struct err_list errors = { 0 };

	*s = (struct session){ .dir = check_dir(), .moved_fd = -1 };
	s->control = engine_case_default(&s->clock);
	s->control.progress = NULL;
	s->control.threads = threads;
	engine_case_write(&s->dir, "spec.json", text, strlen(text));
	ok(s, engine_live_open(&s->live, s->dir.fd, &s->control, NULL, &errors, &s->err));
	err_list_release(&errors);
}

static void end(struct session *s)
{
	engine_live_close(s->live);
	check_dir_release(&s->dir);
}

static int64_t now(struct session *s)
{
	return sim_now(engine_live_sim(s->live));
}

static void advance(struct session *s, int64_t steps)
{
	if (steps > 0)
		ok(s, engine_live_advance(s->live, now(s) + steps, &s->err));
}

static void change(struct session *s, json_t *entries)
{
	struct err_list errors = { 0 };

	ok(s, engine_live_change(s->live, entries, &errors, &s->err));
	err_list_release(&errors);
	json_decref(entries);
}

static uint64_t digest(struct session *s)
{
	uint64_t x = 0;

	ok(s, sim_digest(engine_live_sim(s->live), &x, &s->err));
	return x;
}

/* ---- random acts ---- */

static json_t *spikes(const struct spec_population *p, struct check_random *r)
{
	json_t *x =
		json_pack("{s:s, s:i}", "population", p->name, "count", 1 + (int)check_below(r, 3));

	if (p->model->kind == NEURON_CURRENT ||
	    (p->model->kind == NEURON_CELL && p->model->input == NEURON_IN_NONE)) {
		json_decref(x);
		return NULL;
	}
	if (p->model->kind == NEURON_CELL && p->model->input != NEURON_IN_COUNT)
		(void)json_object_set_new(x, "weight", json_real(check_uniform(r, -5, 20)));
	if (check_below(r, 2))
		(void)json_object_set_new(x, "neurons",
					  json_pack("[i, i]", 0, (int)check_below(r, p->size)));
	return json_pack("{s:o}", "spikes", x);
}

static json_t *entry(struct session *s, struct check_random *r)
{
	const struct spec *spec = sim_spec(engine_live_sim(s->live));
	const struct spec_population *p = &spec->populations[check_below(r, spec->n_populations)];
	const struct spec_projection *q = &spec->projections[check_below(r, spec->n_projections)];
	json_t *x = NULL;

	switch (check_below(r, 4)) {
	case 0:
		x = json_pack("{s:{s:b}}", "plasticity", "on", (int)check_below(r, 2));
		break;
	case 1:
		if (q->model->update)
			x = json_pack("{s:{s:s, s:f}}", "modulation", "projection", q->name,
				      "factor", check_uniform(r, 0, 2));
		break;
	case 2:
		if (param_find(p->model->params, p->model->n_params, "I_e") >= 0)
			x = json_pack("{s:{s:s, s:{s:f}}}", "set", "population", p->name, "params",
				      "I_e", check_uniform(r, 0, 500));
		break;
	default:
		x = spikes(p, r);
	}
	if (!x)
		return json_pack("{s:{s:b}}", "plasticity", "on", 1);
	if (check_below(r, 3))
		(void)json_object_set_new(
			x, "at_ms",
			json_real((double)(now(s) + (int64_t)check_below(r, 2 * STEPS)) *
				  spec->dt));
	return x;
}

static void change_somehow(struct session *s, struct check_random *r)
{
	json_t *all = json_array();

	for (uint64_t n = 1 + check_below(r, 3); n > 0; n--)
		(void)json_array_append_new(all, entry(s, r));
	change(s, all);
}

/* What is refused leaves no trace. */
static void be_refused(struct session *s, struct check_random *r)
{
	struct err_list errors = { 0 };
	json_t *all = json_pack("[o, {s:{s:s}}]", entry(s, r), "spikes", "population", "nobody");

	cr_assert_eq(engine_live_change(s->live, all, &errors, NULL), -ERR_UNKNOWN);
	err_list_release(&errors);
	json_decref(all);
}

/* Save by name, go on with something else, come back. */
static void stray(struct session *s, struct check_random *r)
{
	uint64_t bytes = 0, want = digest(s);
	int64_t at = now(s);
	char name[16];

	(void)snprintf(name, sizeof(name), "c%u", s->saved++);
	ok(s, engine_live_checkpoint(s->live, name, &bytes, &s->err));
	cr_assert_gt(bytes, 0);
	advance(s, (int64_t)check_below(r, STEPS));
	change_somehow(s, r);
	advance(s, (int64_t)check_below(r, STEPS));
	ok(s, engine_live_restore(&s->live, name, &s->err));
	cr_assert_eq(now(s), at);
	cr_assert_eq(digest(s), want);
}

/* Another process, with other threads, perhaps after steps that no checkpoint has. */
static void wake(struct session *s, struct check_random *r)
{
	int dir_fd = s->moved_fd >= 0 ? s->moved_fd : s->dir.fd;
	struct err_list errors = { 0 };
	uint64_t bytes = 0, want = digest(s);

	ok(s, engine_live_checkpoint(s->live, NULL, &bytes, &s->err));
	advance(s, (int64_t)check_below(r, STEPS));
	engine_live_close(s->live);
	s->live = NULL;
	s->control.threads = 1 + (unsigned)check_below(r, 3);
	ok(s, engine_live_open(&s->live, dir_fd, &s->control, NULL, &errors, &s->err));
	cr_assert_eq(digest(s), want);
	err_list_release(&errors);
}

static void look(struct session *s)
{
	const size_t first = 0;

	ok(s, engine_live_look(s->live, &first, 1, &s->err));
}

static void act(struct session *s, struct check_random *r)
{
	switch (check_below(r, 8)) {
	case 0:
		stray(s, r);
		break;
	case 1:
		wake(s, r);
		break;
	case 2:
		look(s);
		break;
	case 3:
		be_refused(s, r);
		break;
	case 4:
		sim_threads_stop(engine_live_sim(s->live));
		ok(s, sim_threads_start(engine_live_sim(s->live), &s->err));
		break;
	default:
		change_somehow(s, r);
	}
	advance(s, (int64_t)check_below(r, check_below(r, 4) ? STEPS : 5));
}

/* ---- compared ---- */

static char *file_of(const char *dir, const json_t *column, size_t *n)
{
	char path[600];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, engine_case_string(column, "file"));
	return check_read_file(path, n);
}

static void same_column(const char *a, const json_t *x, const char *b, const json_t *y)
{
	size_t n_x = 0, n_y = 0;
	char *p = file_of(a, x, &n_x), *q = file_of(b, y, &n_y);

	cr_assert(p && q);
	cr_assert_eq(n_x, n_y, "seed %llu: %s has %zu bytes, then %zu",
		     (unsigned long long)check_seed(), engine_case_string(x, "file"), n_x, n_y);
	cr_assert_eq(memcmp(p, q, n_x), 0, "seed %llu: %s differs",
		     (unsigned long long)check_seed(), engine_case_string(x, "file"));
	mem_free(p);
	mem_free(q);
}

static void same_recordings(const char *a, json_t *of_a, const char *b, json_t *of_b)
{
	json_t *x = json_object_get(of_a, "recordings"), *y = json_object_get(of_b, "recordings");

	cr_assert_gt(json_array_size(x), 0);
	cr_assert_eq(json_array_size(x), json_array_size(y));
	for (size_t i = 0; i < json_array_size(x); i++) {
		json_t *p = json_object_get(json_array_get(x, i), "columns");
		json_t *q = json_object_get(json_array_get(y, i), "columns");

		cr_assert_eq(json_array_size(p), json_array_size(q));
		for (size_t k = 0; k < json_array_size(p); k++)
			same_column(a, json_array_get(p, k), b, json_array_get(q, k));
	}
}

/* The session's past, left in its directory, against one run of the spec that it left. */
static void compare(struct session *s)
{
	struct engine_case run;
	char path[600];
	json_t *result;
	size_t n = 0;
	char *spec;

	ok(s, engine_live_save(s->live, &s->err));
	result = engine_case_result(&s->dir);
	(void)snprintf(path, sizeof(path), "%s/spec.json", s->dir.path);
	spec = check_read_file(path, &n);
	cr_assert(spec && result);
	run = engine_case_text(spec, 2);
	cr_assert_eq(run.rc, 0, "seed %llu: %s: %s", (unsigned long long)check_seed(), run.err.path,
		     run.err.text);
	cr_assert_str_eq(engine_case_digest(&run), engine_case_string(result, "digest"),
			 "seed %llu: digests differ", (unsigned long long)check_seed());
	cr_assert(json_equal(json_object_get(run.result, "counts"),
			     json_object_get(result, "counts")));
	cr_assert(json_equal(json_object_get(run.result, "metrics"),
			     json_object_get(result, "metrics")));
	same_recordings(s->dir.path, result, run.dir.path, run.result);
	json_decref(result);
	mem_free(spec);
	engine_case_release(&run);
}

TestSuite(property_live, .timeout = 240);

Test(property_live, a_session_computes_what_one_run_of_its_past_computes)
{
	struct check_random r = check_random("live");

	for (int i = 0; i < CASES; i++) {
		json_t *json = random_spec(&r);
		char *text = json_dumps(json, JSON_REAL_PRECISION(17));
		struct session s;

		begin(&s, text, 1 + (unsigned)check_below(&r, 3));
		for (int k = 0; k < ACTS; k++)
			act(&s, &r);
		advance(&s, 1);
		compare(&s);
		end(&s);
		free(text);
		json_decref(json);
	}
}

/* ---- one thing at a time ---- */

static const char cells[] =
	"{\"duration_ms\":10,\"populations\":{\"gen\":{\"model\":\"spike_generator\",\"size\":2},"
	"\"cell\":{\"model\":\"parrot_neuron\",\"size\":3},\"iaf\":{\"model\":\"iaf_psc_delta\","
	"\"size\":2}},"
	"\"projections\":{\"s\":{\"source\":\"gen\",\"target\":\"cell\",\"connect\":{\"rule\":"
	"\"all_to_all\"},\"synapse\":{\"weight\":1,\"delay_ms\":1}}},"
	"\"record\":{\"spikes\":[\"gen\",\"cell\",\"iaf\"]}}";

static json_t *parse(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	cr_assert_not_null(json, "bad test text: %s", text);
	return json;
}

/* Spikes asked for at 2 ms, now and later, whatever the slices: generators emit at 2.1, parrots repeat 1 ms
 * later; a parrot and a cell without any synapse get theirs at once. */
static void land(int64_t slice)
{
	static const double want[] = { 21, 0, 31, 0, 31, 1, 31, 2, 21, 2, 35, 0, 35, 0 };
	struct engine_case c = { 0 };
	struct session s;
	double *step, *neuron;
	size_t n = 0, k = 0;

	begin(&s, cells, 1);
	for (int64_t t = 0; t < 20; t += slice)
		advance(&s, slice < 20 - t ? slice : 20 - t);
	change(&s, parse("[{\"at_ms\":3.4,\"spikes\":{\"population\":\"cell\",\"neurons\":[0],"
			 "\"count\":2}},"
			 "{\"spikes\":{\"population\":\"gen\",\"neurons\":[0]}},"
			 "{\"spikes\":{\"population\":\"cell\",\"neurons\":[2]}},"
			 "{\"spikes\":{\"population\":\"iaf\",\"weight\":50}}]"));
	for (int64_t t = 0; t < 60; t += slice)
		advance(&s, slice);
	ok(&s, engine_live_save(s.live, &s.err));
	c.dir = s.dir;
	c.result = engine_case_result(&s.dir);
	for (const char *const *name = (const char *const[]){ "gen", "cell", "iaf", NULL }; *name;
	     name++) {
		step = engine_case_column(&c, engine_case_recording(&c, "spikes", *name, 0), "step",
					  &n);
		neuron = engine_case_column(&c, engine_case_recording(&c, "spikes", *name, 0),
					    "neuron", &k);
		if (!strcmp(*name, "gen")) {
			cr_assert_eq(n, 1);
			cr_assert_eq(step[0], want[0]);
			cr_assert_eq(neuron[0], want[1]);
		} else if (!strcmp(*name, "cell")) {
			const double steps[] = { 21, 31, 31, 31, 35, 35 };
			const double neurons[] = { 2, 0, 1, 2, 0, 0 };

			cr_assert_eq(n, 6, "%zu spikes", n);
			cr_assert_arr_eq(step, steps, sizeof(steps));
			cr_assert_arr_eq(neuron, neurons, sizeof(neurons));
		} else {
			cr_assert_eq(n, 2);
			cr_assert_eq(step[0], 21);
		}
		mem_free(step);
		mem_free(neuron);
	}
	json_decref(c.result);
	end(&s);
}

Test(property_live, spikes_from_outside_land_at_their_step_whatever_the_slices)
{
	land(1);
	land(7);
	land(20);
}

/* A branch as a forked process makes it: the same simulation in another directory. */
Test(property_live, in_another_directory_it_goes_on_and_the_old_one_stays)
{
	CLEANUP(check_dir_release) struct check_dir other = check_dir();
	CLEANUP(check_dir_release) struct check_dir third = check_dir();
	struct session s;
	struct err_list errors = { 0 };
	struct stat before, after;
	uint64_t bytes, want;

	begin(&s, cells, 1);
	change(&s, parse("[{\"spikes\":{\"population\":\"gen\"}}]"));
	advance(&s, 100);
	ok(&s, engine_live_checkpoint(s.live, NULL, &bytes, &s.err));
	cr_assert_eq(fstatat(s.dir.fd, "0-0.col", &before, 0), 0);
	ok(&s, engine_live_furnish(s.live, other.fd, &s.err));
	ok(&s, engine_live_move(s.live, other.fd, &s.err));
	change(&s, parse("[{\"spikes\":{\"population\":\"cell\"}}]"));
	advance(&s, 50);
	want = digest(&s);
	ok(&s, engine_live_checkpoint(s.live, NULL, &bytes, &s.err));
	ok(&s, engine_live_furnish(s.live, third.fd, &s.err));
	engine_live_close(s.live);
	cr_assert_eq(fstatat(s.dir.fd, "0-0.col", &after, 0), 0);
	cr_assert_eq(before.st_size, after.st_size);
	ok(&s, engine_live_open(&s.live, other.fd, &s.control, NULL, &errors, &s.err));
	cr_assert_eq(now(&s), 150);
	cr_assert_eq(digest(&s), want);
	engine_live_close(s.live);
	/* The one that was left goes on from its own checkpoint. */
	ok(&s, engine_live_open(&s.live, s.dir.fd, &s.control, NULL, &errors, &s.err));
	cr_assert_eq(now(&s), 100);
	end(&s);
}

/* A checkpoint that cannot be used changes nothing. */
Test(property_live, a_way_back_that_is_none_leaves_it_where_it_is)
{
	struct session s;
	uint64_t bytes, want;
	int fd;

	begin(&s, cells, 2);
	advance(&s, 10);
	ok(&s, engine_live_checkpoint(s.live, "a", &bytes, &s.err));
	advance(&s, 10);
	want = digest(&s);
	cr_assert_eq(engine_live_restore(&s.live, "b", &s.err), -ERR_NOTFOUND);
	cr_assert_eq(engine_live_restore(&s.live, "../a", &s.err), -ERR_RANGE);
	fd = openat(s.dir.fd, "checkpoints/a/checkpoint", O_WRONLY);
	cr_assert_eq(pwrite(fd, "x", 1, 100), 1);
	(void)close(fd);
	cr_assert_eq(engine_live_restore(&s.live, "a", &s.err), -ERR_CORRUPT);
	cr_assert_eq(now(&s), 20);
	cr_assert_eq(digest(&s), want);
	cr_assert_eq(engine_live_checkpoint(s.live, "a", &bytes, &s.err), -ERR_CONFLICT);
	ok(&s, engine_live_checkpoint(s.live, NULL, &bytes, &s.err));
	advance(&s, 10);
	ok(&s, engine_live_restore(&s.live, NULL, &s.err));
	cr_assert_eq(now(&s), 20);
	end(&s);
}

/* A plain run does not start over what a session left. */
Test(property_live, a_run_refuses_the_checkpoint_of_a_session)
{
	struct session s;
	uint64_t bytes;

	begin(&s, cells, 1);
	advance(&s, 10);
	ok(&s, engine_live_checkpoint(s.live, NULL, &bytes, &s.err));
	engine_live_close(s.live);
	s.live = NULL;
	cr_assert_eq(engine_run(s.dir.fd, &s.control, &s.err), -ERR_STATE);
	cr_assert_eq(faccessat(s.dir.fd, "checkpoint", F_OK, 0), 0);
	end(&s);
}

/* What a rule's alias moves depends on what came before in time, not in order of telling. */
Test(property_live, an_earlier_entry_told_later_is_taken_first)
{
	static const char text[] =
		"{\"duration_ms\":10,\"populations\":{\"in\":{\"model\":\"poisson_generator\","
		"\"size\":4,"
		"\"params\":{\"rate\":200}},\"out\":{\"model\":\"iaf_psc_delta\",\"size\":3,"
		"\"params\":{"
		"\"I_e\":400}}},\"projections\":{\"s\":{\"source\":\"in\",\"target\":\"out\","
		"\"connect\":{"
		"\"rule\":\"all_to_all\"},\"synapse\":{\"model\":\"stdp_pair\",\"weight\":0.5}}},"
		"\"record\":{\"weights\":[{\"projection\":\"s\",\"every_ms\":5}]}}";
	struct session s;

	begin(&s, text, 1);
	advance(&s, 500);
	change(&s, parse("[{\"at_ms\":200,\"set\":{\"projection\":\"s\",\"params\":{\"A_plus\":0."
			 "05}}}]"));
	change(&s, parse("[{\"set\":{\"projection\":\"s\",\"params\":{\"A_plus\":0.05}}},"
			 "{\"at_ms\":100,\"set\":{\"projection\":\"s\",\"params\":{\"A_plus\":0."
			 "002}}}]"));
	advance(&s, 2000);
	compare(&s);
	end(&s);
}
