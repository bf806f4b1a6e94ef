/* test_engine.c - engine_run: reasons to stop, errors, data sets, experiments. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "tests/engine_case.h"

#define SMALL(duration_ms, more) \
	"{\"duration_ms\":" duration_ms ",\"populations\":{" \
	"\"in\":{\"model\":\"poisson_generator\",\"size\":10,\"params\":{\"rate\":500}}," \
	"\"cell\":{\"model\":\"iaf_psc_delta\",\"size\":2,\"params\":{\"I_e\":400}}}," \
	"\"projections\":{\"syn\":{\"source\":\"in\",\"target\":\"cell\",\"connect\":" \
	"{\"rule\":\"all_to_all\"},\"synapse\":{\"model\":\"stdp_pair\",\"weight\":0.5," \
	"\"delay_ms\":1}}},\"record\":{\"spikes\":[\"cell\"],\"rates\":[{\"population\":" \
	"\"cell\",\"bin_ms\":10}]}" more "}"

static struct engine_case run_with(struct engine_case_control *self, const char *text,
				   size_t memory_limit)
{
	struct engine_case c = { .dir = check_dir() };
	struct engine_control control = engine_case_default(self);

	control.memory_limit = memory_limit;
	engine_case_write(&c.dir, "spec.json", text, strlen(text));
	c.rc = engine_run(c.dir.fd, &control, &c.err);
	c.result = engine_case_result(&c.dir);
	return c;
}

static void failed(const struct engine_case *c, enum err_code code, const char *path)
{
	cr_assert_eq(c->rc, -(int)code, "%d: %s: %s", c->rc, c->err.path, c->err.text);
	cr_assert_eq(c->err.code, (int)code);
	cr_assert_not_null(c->result);
	cr_assert_str_eq(engine_case_error(c), err_name((int)code));
	cr_assert_str_eq(engine_case_string(json_object_get(c->result, "error"), "path"), path);
	cr_assert(json_is_true(json_object_get(c->result, "partial")));
}

Test(engine, a_run_leaves_a_whole_result)
{
	struct engine_case c = engine_case_text(SMALL("100", ",\"seed\":\"5\""), 1);
	const json_t *counts = json_object_get(c.result, "counts");

	cr_assert_eq(c.rc, 0, "%s", c.err.text);
	cr_assert(json_is_false(json_object_get(c.result, "partial")));
	cr_assert_eq(strlen(engine_case_digest(&c)), 16);
	cr_assert_str_eq(engine_case_string(c.result, "seed"), "5");
	cr_assert_str_eq(engine_case_string(c.result, "version"), ENGINE_VERSION);
	cr_assert_eq(json_integer_value(json_object_get(counts, "steps")), 1000);
	cr_assert_eq(json_number_value(json_object_get(c.result, "model_ms")), 100);
	cr_assert_gt(json_number_value(json_object_get(c.result, "wall_s")), 0);
	engine_case_release(&c);
}

Test(engine, progress_is_told_at_most_ten_times_a_second_and_at_the_end)
{
	struct engine_case_control self = { 0 };
	struct engine_case c = run_with(&self, SMALL("20000", ""), 0);

	cr_assert_eq(c.rc, 0);
	cr_assert_geq(self.told, 1);
	cr_assert_leq(self.told, self.now / 0.1 + 1);
	cr_assert_eq(self.last.t_ms, 20000);
	cr_assert_eq(self.last.duration_ms, 20000);
	cr_assert_gt(self.last.spikes, 0);
	engine_case_release(&c);
}

/* A run that would take some hours is stopped; what was recorded so far is kept. */
static void stopped(enum err_code why)
{
	struct engine_case_control self = { .stop_at_s = 0.2, .stop_with = why };
	struct engine_case c = run_with(&self, SMALL("1000000000", ""), 0);
	size_t n = 0, n_rates = 0;
	double *step, *count, ms, spikes = 0;

	failed(&c, why, "");
	ms = json_number_value(json_object_get(c.result, "model_ms"));
	cr_assert_gt(ms, 0);
	step = engine_case_column(&c, engine_case_recording(&c, "spikes", "cell", 0), "step", &n);
	count = engine_case_column(&c, engine_case_recording(&c, "rates", "cell", 0), "count",
				   &n_rates);
	cr_assert_eq(n_rates, (size_t)ceil(ms / 10));
	for (size_t i = 0; i < n_rates; i++)
		spikes += count[i];
	cr_assert_eq(spikes, (double)n);
	cr_assert_not_null(engine_case_recording(&c, "final_weights", "syn", 0));
	mem_free(step);
	mem_free(count);
	engine_case_release(&c);
}

Test(engine, a_cancelled_run_keeps_what_it_has)
{
	stopped(ERR_CANCELLED);
}

Test(engine, an_interrupted_run_keeps_what_it_has)
{
	stopped(ERR_INTERRUPTED);
}

static double slow_now(void *self)
{
	struct engine_case_control *c = self;

	return c->now += 1;
}

/* Where a step takes a second, the control is asked after each. */
Test(engine, a_slow_run_is_asked_after_every_step)
{
	struct engine_case c = { .dir = check_dir() };
	struct engine_case_control self = { .stop_at_s = 50, .stop_with = ERR_CANCELLED };
	struct engine_control control = engine_case_default(&self);
	const char *text = SMALL("1000000000", "");
	json_int_t steps;

	control.now_s = slow_now;
	engine_case_write(&c.dir, "spec.json", text, strlen(text));
	c.rc = engine_run(c.dir.fd, &control, &c.err);
	c.result = engine_case_result(&c.dir);
	failed(&c, ERR_CANCELLED, "");
	steps = json_integer_value(json_object_get(json_object_get(c.result, "counts"), "steps"));
	cr_assert_gt(steps, 0);
	cr_assert_leq(steps, 50);
	engine_case_release(&c);
}

Test(engine, a_network_that_is_being_built_can_be_stopped)
{
	struct engine_case_control self = { .stop_with = ERR_CANCELLED };
	struct engine_case c = run_with(
		&self,
		"{\"duration_ms\":10,\"populations\":{\"a\":{\"model\":\"parrot_neuron\",\"size\":"
		"500}},"
		"\"projections\":{\"p\":{\"source\":\"a\",\"target\":\"a\",\"connect\":{\"rule\":"
		"\"all_to_all\"}}}}",
		0);

	cr_assert_eq(c.rc, -ERR_CANCELLED);
	cr_assert(strstr(c.err.text, "while the network was built"), "%s", c.err.text);
	cr_assert(json_is_true(json_object_get(c.result, "partial")));
	engine_case_release(&c);
}

Test(engine, wall_s_ends_a_run)
{
	struct engine_case_control self = { 0 };
	struct engine_case c =
		run_with(&self, SMALL("1000000000", ",\"limits\":{\"wall_s\":0.2}"), 0);

	failed(&c, ERR_TIMEOUT, "/limits/wall_s");
	engine_case_release(&c);
}

Test(engine, wall_s_ends_an_experiment)
{
	struct engine_case_control self = { 0 };
	struct engine_case c =
		run_with(&self,
			 "{\"experiment\":\"stdp_window\",\"params\":{\"pairs\":40000,"
			 "\"dt_ms\":[1]},\"limits\":{\"wall_s\":0.02}}",
			 0);

	failed(&c, ERR_TIMEOUT, "/limits/wall_s");
	engine_case_release(&c);
}

Test(engine, a_directory_without_a_spec_is_not_found)
{
	struct engine_case c = { .dir = check_dir() };
	struct engine_case_control self = { 0 };
	struct engine_control control = engine_case_default(&self);

	c.rc = engine_run(c.dir.fd, &control, &c.err);
	c.result = engine_case_result(&c.dir);
	failed(&c, ERR_NOTFOUND, "");
	engine_case_release(&c);
}

Test(engine, a_spec_that_is_too_long_is_not_read)
{
	struct engine_case c = { .dir = check_dir() };
	struct engine_case_control self = { 0 };
	struct engine_control control = engine_case_default(&self);
	int fd = openat(c.dir.fd, "spec.json", O_WRONLY | O_CREAT, 0600);

	cr_assert_eq(ftruncate(fd, (64 << 20) + 1), 0);
	cr_assert_eq(close(fd), 0);
	c.rc = engine_run(c.dir.fd, &control, &c.err);
	c.result = engine_case_result(&c.dir);
	failed(&c, ERR_LIMIT, "");
	engine_case_release(&c);
}

Test(engine, a_spec_that_is_no_file_is_not_read)
{
	struct engine_case c = { .dir = check_dir() };
	struct engine_case_control self = { 0 };
	struct engine_control control = engine_case_default(&self);

	cr_assert_eq(mkfifoat(c.dir.fd, "spec.json", 0600), 0);
	c.rc = engine_run(c.dir.fd, &control, &c.err);
	c.result = engine_case_result(&c.dir);
	failed(&c, ERR_IO, "");
	engine_case_release(&c);
}

Test(engine, malformed_text_has_a_line)
{
	struct engine_case c = engine_case_text("{\n\"duration_ms\": }", 1);
	json_t *error = json_object_get(c.result, "error");

	failed(&c, ERR_SYNTAX, "");
	cr_assert_eq(json_integer_value(json_object_get(error, "line")), 2);
	engine_case_release(&c);
}

Test(engine, an_invalid_spec_names_all_its_errors)
{
	struct engine_case c = engine_case_text(
		"{\"duration_ms\":-1,\"populations\":{\"a\":{\"model\":\"nothing\",\"size\":1}}}",
		1);

	cr_assert_eq(c.rc, -ERR_INVALID);
	cr_assert_geq(json_array_size(json_object_get(c.result, "errors")), 2);
	engine_case_release(&c);
}

Test(engine, an_old_result_does_not_outlive_a_new_start)
{
	struct engine_case c = { .dir = check_dir() };
	struct engine_case_control self = { 0 };
	struct engine_control control = engine_case_default(&self);

	engine_case_write(&c.dir, "result.json", "old", 3);
	engine_case_write(&c.dir, "spec.json", SMALL("1", ""), strlen(SMALL("1", "")));
	cr_assert_eq(mkdirat(c.dir.fd, "0-0.col", 0700), 0); /* so that it cannot be written */
	c.rc = engine_run(c.dir.fd, &control, &c.err);
	c.result = engine_case_result(&c.dir);
	failed(&c, ERR_IO, "");
	engine_case_release(&c);
}

Test(engine, the_memory_limit_is_a_limit_and_not_a_lack_of_memory)
{
	struct engine_case_control self = { 0 };
	struct engine_case c = run_with(
		&self,
		"{\"duration_ms\":1,\"populations\":{\"p\":{\"model\":\"iaf_psc_exp\",\"size\":"
		"1000}},"
		"\"projections\":{\"s\":{\"source\":\"p\",\"target\":\"p\",\"connect\":{\"rule\":"
		"\"all_to_all\"},\"synapse\":{\"weight\":1,\"delay_ms\":1}}}}",
		1 << 20);

	failed(&c, ERR_LIMIT, "");
	engine_case_release(&c);
}

/* Data sets. */

static void write_npy(const struct check_dir *dir, const char *file, const double *x, uint64_t rows,
		      uint64_t width)
{
	struct npy_header h = { .type = NPY_F64, .n_dims = 2, .dim = { rows, width } };
	struct buf b;
	struct err err = { 0 };

	buf_init(&b, 1 << 20);
	cr_assert_eq(npy_write_header(&b, &h, &err), 0, "%s", err.text);
	cr_assert_eq(buf_add(&b, x, rows * width * sizeof(*x)), 0);
	engine_case_write(dir, file, b.data, b.len);
	buf_release(&b);
}

static struct engine_case run_data(const char *id, const char *field, int row)
{
	static const double currents[] = { 1, 2, 3, 100, 200, 300 };
	struct engine_case c = { .dir = check_dir() };
	struct engine_case_control self = { 0 };
	struct engine_control control = engine_case_default(&self);
	char text[1024];

	(void)snprintf(
		text, sizeof(text),
		"{\"duration_ms\":1,\"populations\":{\"p\":{\"model\":\"iaf_psc_exp\",\"size\":3,"
		"\"params\":{\"I_e\":{\"dataset\":\"%s\",\"field\":\"%s\",\"row\":%d}}}},"
		"\"record\":{\"states\":[{\"population\":\"p\",\"variables\":[\"V_m\"],"
		"\"every_ms\":0.1}]}}",
		id, field, row);
	cr_assert_eq(mkdirat(c.dir.fd, "data", 0700), 0);
	write_npy(&c.dir, "data/set-1.I.npy", currents, 2, 3);
	write_npy(&c.dir, "outside.I.npy", currents, 2, 3);
	engine_case_write(&c.dir, "data/bad.I.npy", "no npy", 6);
	engine_case_write(&c.dir, "data/empty.I.npy", "", 0);
	engine_case_write(&c.dir, "spec.json", text, strlen(text));
	c.rc = engine_run(c.dir.fd, &control, &c.err);
	c.result = engine_case_result(&c.dir);
	return c;
}

Test(engine, a_row_of_a_data_set_sets_a_parameter_per_neuron)
{
	struct engine_case c = run_data("set-1", "I", 1);
	size_t n = 0;
	double *v;

	cr_assert_eq(c.rc, 0, "%s: %s", c.err.path, c.err.text);
	v = engine_case_column(&c, engine_case_recording(&c, "states", "p", 0), "value", &n);
	cr_assert_eq(n, 30);
	/* V + 70 is proportional to the current as long as there are no spikes. */
	cr_assert_float_eq((v[28] + 70) / (v[27] + 70), 2, 1e-9);
	cr_assert_float_eq((v[29] + 70) / (v[27] + 70), 3, 1e-9);
	mem_free(v);
	engine_case_release(&c);
}

Test(engine, a_data_set_that_is_not_there_or_damaged_is_an_error)
{
	static const struct {
		const char *id, *field;
		int row;
	} cases[] = {
		{ "set-2", "I", 0 },	 { "set-1", "J", 0 },	       { "set-1", "I", 2 },
		{ "bad", "I", 0 },	 { "empty", "I", 0 },	       { "../outside", "I", 0 },
		{ "set-1.I", "npy", 0 }, { "set-1", "../set-1.I", 0 }, { "", "I", 0 },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct engine_case c = run_data(cases[i].id, cases[i].field, cases[i].row);

		cr_assert_neq(c.rc, 0, "%s.%s", cases[i].id, cases[i].field);
		cr_assert_not_null(c.result);
		engine_case_release(&c);
	}
}

/* Experiments. */

Test(engine, an_experiment_knows_its_keys)
{
	struct engine_case c = engine_case_text("{\"experiment\":\"nothing\",\"foo\":1,\"seed\":-1,"
						"\"name\":2,\"limits\":{\"x\":1}}",
						1);

	cr_assert_eq(c.rc, -ERR_INVALID);
	cr_assert_eq(json_array_size(json_object_get(c.result, "errors")), 5);
	engine_case_release(&c);
}

static void window_fails(const char *params, enum err_code code, const char *path)
{
	char text[1024];
	struct engine_case c;

	(void)snprintf(text, sizeof(text), "{\"experiment\":\"stdp_window\",\"params\":%s}",
		       params);
	c = engine_case_text(text, 1);
	failed(&c, code, path);
	engine_case_release(&c);
}

Test(engine, errors_of_the_window_name_its_own_parameters)
{
	window_fails("{\"rule\":\"none\"}", ERR_UNKNOWN, "/params/rule");
	window_fails("{\"w_0\":7}", ERR_INVALID, "/params/w_0");
	window_fails("{\"rule_params\":{\"tau_plus\":-1}}", ERR_INVALID,
		     "/params/rule_params/tau_plus");
	window_fails("{\"dt_ms\":[0.0001]}", ERR_GRID, "/params/dt_ms");
	window_fails("{\"delay_ms\":0.00001}", ERR_GRID, "/params/delay_ms");
	window_fails("{\"pairs\":0}", ERR_INVALID, "/params/pairs");
	window_fails("{\"pairs\":100000,\"dt_ms\":{\"from\":1,\"to\":1000,\"step\":1}}", ERR_LIMIT,
		     "/params/dt_ms");
}

/* Measured and computed curve agree, for each rule, pairing and weight dependence. */
static void window_agrees(const char *params)
{
	char text[1024];
	struct engine_case c;
	size_t n = 0;
	double *dw, largest = 0;

	(void)snprintf(text, sizeof(text), "{\"experiment\":\"stdp_window\",\"params\":%s}",
		       params);
	c = engine_case_text(text, 1);
	cr_assert_eq(c.rc, 0, "%s: %s: %s", params, c.err.path, c.err.text);
	dw = engine_case_column(&c, engine_case_recording(&c, "table", "window", 0), "dw", &n);
	for (size_t i = 0; i < n; i++)
		largest = fmax(largest, fabs(dw[i]));
	cr_assert_gt(largest, 1e-3, "%s", params);
	cr_assert_leq(engine_case_metric(&c, "max_rel_error"), 1e-9, "%s: %g", params,
		      engine_case_metric(&c, "max_rel_error"));
	engine_case_reached(&c, 1);
	cr_assert_eq(
		json_number_value(json_object_get(json_object_get(c.result, "score"), "value")),
		engine_case_metric(&c, "max_rel_error"));
	mem_free(dw);
	engine_case_release(&c);
}

Test(engine, the_window_of_one_pair_is_the_formula)
{
	window_agrees("{}");
	window_agrees("{\"delay_ms\":7.5}");
	window_agrees(
		"{\"w_0\":-0.4}"); /* a weight's sign is the projection's, its magnitude learns */
	window_agrees("{\"dt_ms\":[-1.37,0.001,2.5,0]}");
	window_agrees("{\"rule_params\":{\"A_plus\":-0.01,\"A_minus\":0.02,\"mu_plus\":0.3,\"mu_"
		      "minus\":1}}");
	window_agrees("{\"rule_params\":{\"A_plus\":0.3},\"w_0\":0.9}"); /* the bound cuts */
	window_agrees("{\"rule\":\"stdp_pl_synapse_hom\",\"w_0\":45}");
	window_agrees("{\"rule\":\"stdp_nn_symm_synapse\"}");
	window_agrees(
		"{\"rule\":\"stdp_calcium\",\"rule_params\":{\"sigma\":0,\"bistable\":false}}");
}

Test(engine, the_window_of_many_pairs_is_the_sum_over_pairs)
{
	static const char *const rules[] = {
		"\"rule\":\"stdp_pair\",\"rule_params\":{\"pairing\":\"all_to_all\"}",
		"\"rule\":\"stdp_pair\",\"rule_params\":{\"pairing\":\"nearest_symmetric\"}",
		"\"rule\":\"stdp_pair\",\"rule_params\":{\"pairing\":\"nearest_pre_centered\"}",
		("\"rule\":\"stdp_pair\",\"rule_params\":{\"pairing\":"
		 "\"nearest_reduced_symmetric\"}"),
		"\"rule\":\"stdp_pair\",\"rule_params\":{\"mu_plus\":1,\"mu_minus\":1}",
		"\"rule\":\"stdp_synapse\",\"rule_params\":{\"mu_plus\":0.4,\"mu_minus\":0.6}",
		"\"rule\":\"stdp_nn_symm_synapse\"",
		"\"rule\":\"stdp_nn_restr_synapse\"",
		"\"rule\":\"stdp_pl_synapse_hom\",\"w_0\":45",
	};
	/* 50 ms apart the spikes of other pairs count too, and at dt = 50 they coincide. */
	for (size_t i = 0; i < COUNTOF(rules); i++) {
		char params[512];

		(void)snprintf(params, sizeof(params), "{%s,\"pairs\":60,\"rate_hz\":20}",
			       rules[i]);
		window_agrees(params);
	}
}

/* What outlives the simulations: their resolution, time and counts. */
Test(engine, an_experiment_tells_the_resolution_of_its_simulations)
{
	struct engine_case c =
		engine_case_experiment("stdp_window", "{\"dt_ms\":[-10,10.01],\"pairs\":1}");

	cr_assert_eq(json_number_value(json_object_get(c.result, "dt_ms")), 0.01);
	cr_assert_gt(json_number_value(json_object_get(c.result, "model_ms")), 10);
	engine_case_release(&c);
}

Test(engine, a_rule_without_a_window_has_no_theory_column)
{
	struct engine_case c = engine_case_text(
		"{\"experiment\":\"stdp_window\",\"params\":{\"rule\":\"static\"}}", 1);
	json_t *recording = engine_case_recording(&c, "table", "window", 0);

	cr_assert_eq(c.rc, 0, "%s", c.err.text);
	cr_assert_eq(json_array_size(json_object_get(recording, "columns")), 2);
	engine_case_reached(&c, 0);
	cr_assert(json_is_null(json_object_get(json_object_get(c.result, "score"), "value")));
	engine_case_release(&c);
}
