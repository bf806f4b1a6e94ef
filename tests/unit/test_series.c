/* test_series.c - values in time: how they are read, and the generators that follow them. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/spec_case.h"

#include "tests/engine_case.h"

#define STEPS  "/populations/steps"
#define TIMES  STEPS "/params/amplitude_times"
#define VALUES STEPS "/params/amplitude_values"

static int load(void *self, const char *id, const char *field, int64_t row, struct mem_arena *arena,
		const double **ret_values, size_t *ret_n, struct err *err)
{
	static const double t[] = { 0, 5, 2.5 }, value[] = { 3, -4, 5 }, neuron[] = { 0, 0, 2 };

	(void)self;
	(void)row;
	(void)arena;
	*ret_n = strcmp(id, "short") ? 3 : 2;
	*ret_values = !strcmp(field, "t_ms") ? t : !strcmp(field, "value") ? value : neuron;
	if (!strcmp(field, "nothing"))
		return err_set(err, ERR_NOTFOUND, "", "there is no field \"%s\"", field);
	return 0;
}

static const struct spec_datasets datasets = { .load = load };

/* Three step current generators with these two texts. */
static void read(struct outcome *o, const char *times, const char *values)
{
	const struct change changes[PATCHES] = {
		{ STEPS, "{'model': 'step_current_generator', 'size': 3, 'params': {}}" },
		{ times ? TIMES : STEPS "/size", times ? times : "3" },
		{ values ? VALUES : STEPS "/size", values ? values : "3" },
	};

	read_patched(o, changes, "", &datasets, NULL);
}

static struct neuron_times ok(struct outcome *o, const char *times, const char *values)
{
	read(o, times, values);
	if (o->rc)
		show(o);
	cr_assert_eq(o->rc, 0, "%s %s", times, values);
	return o->spec->populations[spec_population(o->spec, "steps")].times;
}

Test(series, one_list_serves_all_neurons)
{
	struct outcome o;
	struct neuron_times x = ok(&o, "[0, 1.5, 20]", "[100, -50, 0]");

	cr_assert_eq(x.stride, 0);
	cr_assert(x.offset[0] == 0 && x.offset[1] == 3);
	cr_assert(x.step[0] == 0 && x.step[1] == 15 && x.step[2] == 200);
	cr_assert(x.value[0] == 100 && x.value[1] == -50 && x.value[2] == 0);
	release(&o);
}

Test(series, every_neuron_may_have_its_own_list)
{
	struct outcome o;
	struct neuron_times x = ok(&o, "[[1], [], [2, 3]]", "[[10], [], [20, 30]]");

	cr_assert_eq(x.stride, 1);
	cr_assert(x.offset[1] == 1 && x.offset[2] == 1 && x.offset[3] == 3);
	cr_assert(x.step[0] == 10 && x.step[1] == 20 && x.step[2] == 30);
	cr_assert(x.value[0] == 10 && x.value[1] == 20 && x.value[2] == 30);
	release(&o);
}

Test(series, lists_come_from_columns_of_a_data_set)
{
	struct outcome o;
	struct neuron_times x = ok(&o, "{'dataset': 'd', 'neuron_field': 'n'}", "{'dataset': 'd'}");

	cr_assert_eq(x.stride, 1);
	cr_assert(x.offset[1] == 2 && x.offset[2] == 2 && x.offset[3] == 3);
	cr_assert(x.step[0] == 0 && x.step[1] == 50 && x.step[2] == 25);
	cr_assert(x.value[0] == 3 && x.value[1] == -4 && x.value[2] == 5);
	release(&o);
	x = ok(&o, "[1, 2, 3]", "{'dataset': 'd', 'field': 'value'}");
	cr_assert(x.stride == 0 && x.value[1] == -4);
	release(&o);
}

Test(series, without_lists_there_is_nothing)
{
	struct outcome o;

	cr_assert_null(ok(&o, NULL, NULL).offset);
	release(&o);
	cr_assert_eq(ok(&o, "[]", "[]").offset[1], 0);
	release(&o);
}

Test(series, what_is_wrong_is_said_where_it_stands)
{
	static const struct {
		const char *times, *values;
		struct expected e;
	} cases[] = {
		{ "[1, 2]", NULL, { VALUES, ERR_MISSING } },
		{ NULL, "[1, 2]", { TIMES, ERR_MISSING } },
		{ "[1, 2]", "[1]", { VALUES, ERR_CONFLICT } },
		{ "[2, 1]", "[1, 2]", { TIMES, ERR_RANGE } },
		{ "[1, 1]", "[1, 2]", { TIMES, ERR_RANGE } },
		{ "[1, 2.05]", "[1, 2]", { TIMES "/1", ERR_GRID } },
		{ "[-1, 2]", "[1, 2]", { TIMES "/0", ERR_RANGE } },
		{ "[1, 2]", "[1, 2e9]", { VALUES "/1", ERR_RANGE } },
		{ "[1, 2]", "[1, 'x']", { VALUES "/1", ERR_TYPE } },
		{ "3", "[1]", { TIMES, ERR_TYPE } },
		{ "[[1], [2]]", "[[1], [2]]", { TIMES, ERR_RANGE } },
		{ "[[1], [2], 3]", "[[1], [2], [3]]", { TIMES "/2", ERR_TYPE } },
		{ "[[1], [2], [3]]", "[[1, 2], [], [3]]", { VALUES, ERR_CONFLICT } },
		{ "[[2, 1], [], []]", "[[1, 2], [], []]", { TIMES, ERR_RANGE } },
		{ "[1, 2, 3]", "[[1], [2], [3]]", { VALUES, ERR_CONFLICT } },
		{ "{'dataset': 'd'}", "{'dataset': 'd'}", { TIMES, ERR_RANGE } },
		{ "{'dataset': 'd', 'neuron_field': 'value'}",
		  "{'dataset': 'd'}",
		  { TIMES, ERR_RANGE } },
		{ "{'dataset': 'd', 't_field': 'nothing'}",
		  "{'dataset': 'd'}",
		  { TIMES, ERR_NOTFOUND } },
		{ "{'dataset': 'd', 'neuron_field': 'n'}",
		  "{'dataset': 'short'}",
		  { VALUES, ERR_CONFLICT } },
		{ "{'dataset': 'd'}",
		  "{'dataset': 'd', 'row': 1}",
		  { VALUES "/row", ERR_UNKNOWN } },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct outcome o;

		read(&o, cases[i].times, cases[i].values);
		cr_assert_neq(o.rc, 0, "%s %s", cases[i].times, cases[i].values);
		if (!has(&o, &cases[i].e))
			show(&o);
		cr_assert(has(&o, &cases[i].e), "%s %s", cases[i].times, cases[i].values);
		release(&o);
	}
}

Test(series, the_schedule_may_not_change_a_list)
{
	static const struct change changes[PATCHES] = {
		{ STEPS, "{'model': 'step_current_generator'}" },
		{ "/schedule/0", "{'at_ms': 1, 'set': {'population': 'steps', 'params': "
				 "{'amplitude_values': [1]}}}" },
	};
	struct outcome o;

	read_patched(&o, changes, "", NULL, NULL);
	cr_assert_eq(o.errors.first.code, ERR_CONFLICT);
	release(&o);
}

Test(series, a_parameter_of_a_whole_population_is_one_value)
{
	static const char *const values[] = { "[10, 20, 30]", "{'uniform': [1, 2]}" };

	for (size_t i = 0; i < COUNTOF(values); i++) {
		const struct change changes[PATCHES] = {
			{ STEPS, "{'model': 'correlated_poisson_generator', 'size': 3}" },
			{ STEPS "/params/rate", values[i] },
		};
		struct outcome o;

		read_patched(&o, changes, "", NULL, NULL);
		cr_assert_eq(o.errors.first.code, ERR_TYPE);
		cr_assert_str_eq(o.errors.first.path, STEPS "/params/rate");
		release(&o);
	}
}

/* Digest of a spec in which `generator` (named "in", 5 of it) drives cells one to one. */
static void drive(const char *generator, const char *cell, const char *schedule, unsigned threads,
		  char ret[17])
{
	char text[2048];
	struct engine_case c;

	(void)snprintf(
		text, sizeof(text),
		"{'duration_ms': 400, 'seed': '3', 'populations': {'in': {'size': 5, %s},"
		"'cell': {'size': 5, 'model': '%s'}}, 'projections': {'p': {'source': 'in',"
		"'target': 'cell', 'connect': {'rule': 'one_to_one'}, 'synapse': {'weight': %d,"
		"'delay_ms': 1}}}, 'schedule': [%s]}",
		generator, cell, strcmp(cell, "iaf_psc_delta") ? 1 : 8, schedule);
	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	c = engine_case_text(text, threads);
	cr_assert_eq(c.rc, 0, "%s: %s", c.err.path, c.err.text);
	cr_assert_gt(
		json_integer_value(json_object_get(json_object_get(c.result, "counts"), "spikes")),
		20, "%s", text);
	(void)snprintf(ret, 17, "%s", engine_case_digest(&c));
	engine_case_release(&c);
}

Test(series, a_step_of_current_is_a_direct_current_from_start_to_stop)
{
	char steps[17], direct[17];

	drive("'model': 'dc_generator', 'params': {'amplitude': 700, 'start': 10.5, 'stop': 300}",
	      "iaf_psc_exp", "", 1, direct);
	drive("'model': 'step_current_generator', 'params': {'amplitude_times': [10.5, 300],"
	      "'amplitude_values': [700, 0]}",
	      "iaf_psc_exp", "", 1, steps);
	cr_assert_str_eq(steps, direct);
	drive("'model': 'step_current_generator', 'params': {'amplitude_times': [0, 4, 5],"
	      "'amplitude_values': [100, 0, 700], 'start': 10.5, 'stop': 300}",
	      "iaf_psc_exp", "", 3, steps);
	cr_assert_str_eq(steps, direct);
	drive("'model': 'step_current_generator', 'params': {'amplitude_times': [9.5, 300],"
	      "'amplitude_values': [700, 0]}",
	      "iaf_psc_exp", "", 1, steps);
	cr_assert_str_neq(steps, direct);
}

/* The same draws as a poisson_generator whose rate the schedule sets: by intervals, by counts and
 * from one to the other. */
Test(series, a_rate_in_time_is_a_rate_set_by_the_schedule)
{
	static const char in_time[] = "'model': 'inhomogeneous_poisson_generator', 'params': "
				      "{'rate_times': [0, 50, 100.1,"
				      "200, 300], 'rate_values': [40, 2000, 0, 100, 900]}";
	static const char each[] =
		"'model': 'inhomogeneous_poisson_generator', 'params': {'rate_times': [[0, 50, "
		"100.1, 200, 300], [0, 50, 100.1, 200, 300], [0, 50, 100.1, 200, 300], [0, 50, "
		"100.1, 200, 300], [0, 50, 100.1, 200, 300]], 'rate_values': [[40, 2000, 0, 100, "
		"900], [40, 2000, 0, 100, 900], [40, 2000, 0, 100, 900], [40, 2000, 0, 100, 900], "
		"[40, 2000, 0, 100, 900]]}";
	static const char schedule[] =
		"{'at_ms': 50, 'set': {'population': 'in', 'params': {'rate': 2000}}},"
		"{'at_ms': 100.1, 'set': {'population': 'in', 'params': {'rate': 0}}},"
		"{'at_ms': 200, 'set': {'population': 'in', 'params': {'rate': 100}}},"
		"{'at_ms': 300, 'set': {'population': 'in', 'params': {'rate': 900}}}";
	char want[17], found[17];

	drive("'model': 'poisson_generator', 'params': {'rate': 40}", "iaf_psc_delta", schedule, 1,
	      want);
	drive(in_time, "iaf_psc_delta", "", 1, found);
	cr_assert_str_eq(found, want);
	drive(in_time, "iaf_psc_delta", "", 4, found);
	cr_assert_str_eq(found, want);
	drive(each, "iaf_psc_delta", "", 3, found);
	cr_assert_str_eq(found, want);
	drive("'model': 'poisson_generator', 'params': {'rate': 60}", "iaf_psc_delta", schedule, 1,
	      found);
	cr_assert_str_neq(found, want);
}

Test(series, rates_in_time_have_the_spikes_their_integral_says)
{
	static const char text[] =
		"{\"duration_ms\": 3000, \"populations\": {\"in\": {\"size\": 400, \"model\":"
		"\"inhomogeneous_poisson_generator\", \"params\": {\"rate_times\": [500, 1000, "
		"2000],"
		"\"rate_values\": [20, 800, 5], \"start\": 600, \"stop\": 2900}}},"
		"\"record\": {\"rates\": [{\"population\": \"in\", \"bin_ms\": 100}]}}";
	struct engine_case c = engine_case_text(text, 2);
	size_t n = 0;
	double *count;

	cr_assert_eq(c.rc, 0, "%s: %s", c.err.path, c.err.text);
	count = engine_case_column(&c, engine_case_recording(&c, "rates", "in", 0), "count", &n);
	cr_assert_eq(n, 30);
	for (size_t i = 0; i < n; i++) {
		double rate = i < 6 || i >= 29 ? 0 : i < 10 ? 20 : i < 20 ? 800 : 5;
		double want = 400 * 0.1 * rate;

		cr_assert_leq(fabs(count[i] - want), 3.5 * sqrt(want), "bin %zu: %g, not %g", i,
			      count[i], want);
	}
	mem_free(count);
	engine_case_release(&c);
}
