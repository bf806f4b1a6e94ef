/* test_stp.c - short-term plasticity against NEST and its closed forms. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "core/base/mem.h"
#include "core/model/alias.h"
#include "tests/check.h"
#include "tests/engine_case.h"
#include "tests/unit/one_synapse.h"

static struct one o;

static double number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static void case_params(const json_t *c, double *p)
{
	const struct alias *a = alias_find(engine_case_string(c, "model"));
	double from[PLASTICITY_PARAMS_MAX];
	const char *key;
	json_t *value;

	cr_assert_not_null(a);
	for (size_t i = 0; i < a->n_params; i++)
		from[i] = a->params[i].def;
	json_object_foreach(json_object_get(c, "params"), key, value)
	{
		int i = param_find(a->params, a->n_params, key);

		cr_assert_geq(i, 0, "%s has no parameter %s", a->name, key);
		from[i] = json_number_value(value);
	}
	a->convert(from, p);
	cr_assert_eq(a->model, &plasticity_stp);
	cr_assert_eq(a->model->check(p, NULL), 0);
}

static bool near(double got, double want)
{
	return fabs(got - want) <= 1e-10 * fabs(want);
}

static void follow(const json_t *file, const json_t *c)
{
	const char *name = engine_case_string(c, "name");
	const json_t *state = json_object_get(c, "state_after_last_pre_spike");
	bool active = json_object_get(state, "y") != NULL;
	double p[PLASTICITY_PARAMS_MAX], w0 = number(c, "w0");
	size_t n, n_want;
	double *pre = check_doubles(file, "pre_times_ms", &n);
	double *want = check_doubles(c, "weights_at_pre_spikes", &n_want);

	cr_assert_eq(n, n_want);
	case_params(c, p);
	one_init(&o, &plasticity_stp, p, 0.1, 10, w0);
	for (size_t i = 0; i < n; i++) {
		one_update(&o, (int64_t)floor(pre[i] * 10 + 0.5), 1);
		cr_assert(near(o.tx, want[i]), "%s: spike %zu: %.17g, not %.17g", name, i, o.tx,
			  want[i]);
		cr_assert_eq(o.w, w0);
	}
	cr_assert(near(o.pre[0], number(state, "u")), "%s", name);
	if (active) {
		cr_assert(near(o.pre[1], number(state, "x")), "%s", name);
		cr_assert(near(o.pre[2], number(state, "y")), "%s", name);
	} else { /* there x is kept as the spike met it */
		cr_assert(near(o.pre[1], number(state, "x") * (1 - number(state, "u"))), "%s",
			  name);
	}
	mem_free(pre);
	mem_free(want);
}

Test(stp, both_variants_follow_nest)
{
	json_t *j = check_shared_json("reference/stp_tsodyks.json"), *c;
	size_t i;

	if (!j)
		cr_skip_test("no reference data");
	cr_assert_eq(json_array_size(json_object_get(j, "cases")), 6);
	json_array_foreach(json_object_get(j, "cases"), i, c) follow(j, c);
	json_decref(j);
}

/* Through the whole engine: what is recorded at a spike is what it transmits. */
Test(stp, transmitted_weights_of_the_engine_follow_nest)
{
	json_t *j = check_shared_json("reference/stp_tsodyks.json"), *c;
	size_t i;

	if (!j)
		cr_skip_test("no reference data");
	json_array_foreach(json_object_get(j, "cases"), i, c)
	{
		size_t n, n_want;
		struct engine_case run = engine_case_json(json_pack(
			"{s:f, s:f, s:{s:{s:s, s:i, s:{s:[O]}}, s:{s:s, s:i}},"
			" s:{s:{s:s, s:s, s:{s:s}, s:{s:O, s:O, s:f, s:O}}}, s:{s:[{s:s, s:s}]}}",
			"resolution_ms", 0.1, "duration_ms", 30000.0, "populations", "pre", "model",
			"spike_generator", "size", 1, "params", "spike_times",
			json_object_get(j, "pre_times_ms"), "post", "model", "iaf_psc_exp", "size",
			1, "projections", "syn", "source", "pre", "target", "post", "connect",
			"rule", "one_to_one", "synapse", "model", json_object_get(c, "model"),
			"weight", json_object_get(c, "w0"), "delay_ms", 1.0, "params",
			json_object_get(c, "params"), "record", "weights", "projection", "syn",
			"every", "update"));
		double *got = engine_case_column(
			&run, engine_case_recording(&run, "weight_updates", "syn", 0), "weight",
			&n);
		double *want = check_doubles(c, "weights_at_pre_spikes", &n_want);

		cr_assert_eq(n, n_want);
		for (size_t k = 0; k < n; k++)
			cr_assert(near(got[k], want[k]), "case %zu, spike %zu: %.17g, not %.17g", i,
				  k, got[k], want[k]);
		mem_free(got);
		mem_free(want);
		engine_case_release(&run);
	}
	json_decref(j);
}

static void use(double *p, double u, double tau_rec, double tau_fac)
{
	one_defaults(&plasticity_stp, p);
	one_set(&plasticity_stp, p, "U", u);
	one_set(&plasticity_stp, p, "tau_rec", tau_rec);
	one_set(&plasticity_stp, p, "tau_fac", tau_fac);
}

Test(stp, a_regular_train_comes_to_the_steady_state)
{
	static const double sets[][3] = { { 0.5, 800, 0 }, { 0.05, 130, 530 }, { 0.25, 200, 100 } };

	for (size_t k = 0; k < COUNTOF(sets); k++)
		for (double f = 0.005; f < 0.2; f *= 2) { /* per ms */
			double p[PLASTICITY_PARAMS_MAX], u_step = sets[k][0];
			double to_rec = exp(-1 / (f * sets[k][1]));
			double to_fac = sets[k][2] > 0 ? exp(-1 / (f * sets[k][2])) : 0;
			double u = u_step / (1 - (1 - u_step) * to_fac);
			double x = (1 - to_rec) / (1 - (1 - u) * to_rec);

			use(p, u_step, sets[k][1], sets[k][2]);
			one_init(&o, &plasticity_stp, p, 1 / f / 64, 10, 3);
			for (int64_t i = 0; i < 2000; i++)
				one_update(&o, 64 * i, 1);
			cr_assert(check_close(o.tx, 3 * u * x, 1e-12, 0),
				  "%zu, %g Hz: %.17g, not %.17g", k, 1000 * f, o.tx, 3 * u * x);
		}
}

/* y, z, x by small steps of the equations, tau_psc above, at and below tau_rec. */
Test(stp, resources_of_three_states_follow_their_equations_for_equal_time_constants_too)
{
	static const double tau_psc[] = { 3, 49.999999, 50, 200 };

	for (size_t k = 0; k < COUNTOF(tau_psc); k++) {
		double p[PLASTICITY_PARAMS_MAX], h = 1e-3, u, x = 0.2, y = 0.7;

		use(p, 0.3, 50, 100);
		one_set(&plasticity_stp, p, "variant", 1);
		one_set(&plasticity_stp, p, "tau_psc", tau_psc[k]);
		one_set(&plasticity_stp, p, "x", x);
		one_set(&plasticity_stp, p, "y", y);
		one_set(&plasticity_stp, p, "u", 0.4);
		one_init(&o, &plasticity_stp, p, 0.1, 10, 1);
		one_update(&o, 400, 1);
		for (int i = 0; i < 40000; i++) { /* the midpoint rule */
			double y_mid = y - h / 2 * y / tau_psc[k];
			double x_mid = x + h / 2 * (1 - x - y) / 50;

			x += h * (1 - x_mid - y_mid) / 50;
			y -= h * y_mid / tau_psc[k];
		}
		u = 0.4 * exp(-0.4);
		u += 0.3 * (1 - u);
		cr_assert(check_close(o.tx, u * x, 1e-7, 0), "tau_psc %g: %.17g, not %.17g",
			  tau_psc[k], o.tx, u * x);
		cr_assert(check_close(o.pre[2], y + u * x, 1e-7, 0));
	}
}

Test(stp, two_spikes_of_a_step_release_what_they_would_one_after_the_other)
{
	double p[PLASTICITY_PARAMS_MAX];

	use(p, 0.5, 800, 100);
	for (int variant = 0; variant < 2; variant++) {
		one_set(&plasticity_stp, p, "variant", variant);
		one_init(&o, &plasticity_stp, p, 0.1, 10, 8);
		one_update(&o, 100, 2);
		/* u 0.5 of 1, then u 0.75 of 0.5 */
		cr_assert_float_eq(2 * o.tx, 8 * (0.5 + 0.375), 1e-14);
		one_update(&o, 200, 0);
		cr_assert_float_eq(o.pre[1], 0.125, 1e-15, "a sweep changes nothing");
	}
}

Test(stp, resources_beyond_one_are_refused)
{
	double p[PLASTICITY_PARAMS_MAX];
	struct err err = { 0 };

	use(p, 0.5, 800, 0);
	one_set(&plasticity_stp, p, "y", 0.5);
	cr_assert_eq(plasticity_stp.check(p, &err), 0);
	one_set(&plasticity_stp, p, "variant", 1);
	cr_assert_eq(plasticity_stp.check(p, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "y");
}
