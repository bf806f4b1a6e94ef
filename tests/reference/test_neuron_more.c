/* test_neuron_more.c - further neurons against trajectories made with NEST. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/base/mem.h"
#include "tests/reference/neuron_world.h"

enum { STEPS = 10000 };

static struct world_input input;
static struct world world;

static void input_init(const json_t *j)
{
	const json_t *in = json_object_get(j, "input");
	double delay = json_number_value(json_object_get(in, "delay_ms"));

	memset(&input, 0, sizeof(input));
	world_add(input.ex, json_object_get(in, "exc_spike_times_ms"), delay,
		  json_number_value(json_object_get(j, "w_exc")));
	world_add(input.in, json_object_get(in, "inh_spike_times_ms"), delay,
		  json_number_value(json_object_get(j, "w_inh")));
}

/* Python writes an infinity that is no JSON; as V_min any number far enough below will do. */
static json_t *load(const char *name)
{
	char file[128], *text;
	const char *path;
	json_t *j;

	(void)snprintf(file, sizeof(file), "reference/neuron_%s.json", name);
	path = check_shared(file);
	if (!path)
		cr_skip_test("no reference data");
	text = check_read_file(path, NULL);
	cr_assert_not_null(text);
	for (char *at = text; (at = strstr(at, "-Infinity"));)
		memcpy(at, "-1.0e+300", 9);
	j = json_loads(text, 0, NULL);
	cr_assert_not_null(j, "%s", path);
	mem_free(text);
	return j;
}

static void params_init(const struct neuron_model *m, json_t *set, double *p)
{
	json_t *value;
	const char *key;

	world_defaults(m, p);
	json_object_foreach(set, key, value) world_set(
		m, p, key, json_is_boolean(value) ? json_is_true(value) : json_number_value(value));
}

struct column {
	const char *json, *state; /* a sample every ms, from the first ms on */
	double tolerance;
};

struct follow {
	const char *file, *model;
	double tolerance; /* mV */
	struct column columns[3];
	bool by_current; /* I_e from outside instead */
	size_t stride;
};

static void columns_follow(const struct follow *f, const json_t *j, int64_t t)
{
	for (size_t k = 0; t % 10 == 0 && k < COUNTOF(f->columns) && f->columns[k].json; k++) {
		const json_t *want = json_object_get(j, f->columns[k].json);
		size_t at = (size_t)(t / 10 - 1);

		cr_assert_lt(at, json_array_size(want));
		cr_assert_float_eq(world_state(&world, f->columns[k].state),
				   json_number_value(json_array_get(want, at)),
				   f->columns[k].tolerance, "%s at step %d", f->columns[k].state,
				   (int)t);
	}
}

static void spikes_follow(const json_t *spikes, size_t *n, int64_t t, double count)
{
	for (; count > 0; count--)
		cr_assert_eq(t, world_steps(json_number_value(json_array_get(spikes, (*n)++))),
			     "spike %zu at step %d", *n, (int)t);
}

static void voltage_follows(const struct follow *f, const json_t *v, int64_t t, double *worst)
{
	double want = json_number_value(json_array_get(v, (size_t)(t - 1)));
	double got = world_state(&world, "V_m");

	cr_assert_float_eq(got, want, f->tolerance, "V_m at step %d: %.17g, not %.17g", (int)t, got,
			   want);
	*worst = fmax(*worst, fabs(got - want));
}

static void follow(struct follow f)
{
	const struct neuron_model *m = neuron_find(f.model);
	double p[NEURON_PARAMS_MAX], extra = 0, worst = 0;
	const json_t *v, *spikes;
	json_t *j = load(f.file);
	size_t n = 0;

	v = json_object_get(j, "V_m_mV");
	spikes = json_object_get(j, "spike_times_ms");
	cr_assert_eq(world_steps(json_number_value(json_object_get(j, "first_sample_ms"))), 1);
	cr_assert_eq(json_array_size(v), STEPS);
	input_init(j);
	params_init(m, json_object_get(j, "set_params"), p);
	if (f.by_current) {
		extra = p[param_find(m->params, m->n_params, "I_e")];
		world_set(m, p, "I_e", 0);
	}
	world_init(&world, m, p, 0.1, f.stride);
	for (size_t i = 0; i < WORLD_N; i++)
		world.current[i] = extra;
	for (int64_t t = 1; t <= STEPS; t++) {
		double count = world_advance(&world, t, input.ex[t], input.in[t]);

		spikes_follow(spikes, &n, t, count);
		voltage_follows(&f, v, t, &worst);
		columns_follow(&f, j, t);
	}
	cr_assert_geq(n, 8);
	cr_assert(n == json_array_size(spikes) ||
		  world_steps(json_number_value(json_array_get(spikes, n))) > STEPS);
	cr_log_info("%s: V_m within %g mV", f.model, worst);
	json_decref(j);
}

/* With one set of coefficients, with a column of each, and with the current from outside. */
static void follow_all(struct follow f)
{
	follow(f);
	f.stride = 1;
	f.by_current = true;
	follow(f);
}

Test(neuron_more, aeif_cond_exp_follows_nest)
{
	follow_all((struct follow){ "aeif_cond_exp",
				    "aeif_cond_exp",
				    1e-3,
				    { { "w_every_1ms", "w", 1e-3 },
				      { "g_ex_every_1ms", "g_ex", 1e-5 },
				      { "g_in_every_1ms", "g_in", 1e-5 } } });
}

Test(neuron_more, iaf_psc_alpha_follows_nest)
{
	follow_all((struct follow){ "iaf_psc_alpha",
				    "iaf_psc_alpha",
				    1e-10,
				    { { "I_syn_ex_every_1ms", "I_syn_ex", 1e-9 },
				      { "I_syn_in_every_1ms", "I_syn_in", 1e-9 } } });
}

Test(neuron_more, izhikevich_follows_nest)
{
	follow_all((struct follow){
		"izhikevich_RS", "izhikevich", 1e-10, { { "U_m_every_1ms", "U_m", 1e-10 } } });
}

Test(neuron_more, izhikevich_follows_nest_by_the_scheme_of_the_paper)
{
	follow_all((struct follow){ "izhikevich_RS_legacy_integration",
				    "izhikevich",
				    1e-8,
				    { { "U_m_every_1ms", "U_m", 1e-8 } } });
}

Test(neuron_more, iaf_cond_exp_follows_nest)
{
	follow_all((struct follow){
		"iaf_cond_exp",
		"iaf_cond_exp",
		1e-3,
		{ { "g_ex_every_1ms", "g_ex", 1e-5 }, { "g_in_every_1ms", "g_in", 1e-5 } } });
}

Test(neuron_more, hh_psc_alpha_follows_nest)
{
	follow_all((struct follow){ "hh_psc_alpha",
				    "hh_psc_alpha",
				    1e-3,
				    { { "Act_m_every_1ms", "Act_m", 1e-5 },
				      { "Inact_h_every_1ms", "Inact_h", 1e-5 },
				      { "Act_n_every_1ms", "Act_n", 1e-5 } } });
}
