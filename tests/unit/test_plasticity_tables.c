/* test_plasticity_tables.c - what all plasticity rules' tables and aliases must keep. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "core/model/alias.h"
#include "core/model/plasticity.h"
#include "tests/unit/tables.h"

static void defaults(const struct param_def *defs, size_t n, double *p)
{
	for (size_t i = 0; i < n; i++)
		p[i] = defs[i].def;
}

Test(plasticity_tables, every_rule_and_alias_is_found_by_its_name)
{
	for (size_t i = 0; plasticity_models[i]; i++) {
		cr_assert_eq(plasticity_find(plasticity_models[i]->name), plasticity_models[i]);
		cr_assert_null(alias_find(plasticity_models[i]->name));
	}
	for (size_t i = 0; alias_list[i]; i++) {
		cr_assert_eq(alias_find(alias_list[i]->name), alias_list[i]);
		cr_assert_null(plasticity_find(alias_list[i]->name));
	}
}

Test(plasticity_tables, every_parameter_row_is_complete)
{
	for (size_t i = 0; plasticity_models[i]; i++) {
		const struct plasticity_model *m = plasticity_models[i];

		tables_doc("plasticity", m->name, m->doc);
		tables_check(m->name, m->params, m->n_params);
	}
	for (size_t i = 0; alias_list[i]; i++) {
		tables_doc("alias", alias_list[i]->name, alias_list[i]->doc);
		tables_check(alias_list[i]->name, alias_list[i]->params, alias_list[i]->n_params);
	}
}

Test(plasticity_tables, numbers_stay_within_the_limits_of_the_context)
{
	for (size_t i = 0; plasticity_models[i]; i++) {
		const struct plasticity_model *m = plasticity_models[i];

		cr_assert_leq(m->n_params, PLASTICITY_PARAMS_MAX);
		cr_assert_leq(m->n_coefs, PLASTICITY_COEFS_MAX);
		cr_assert_leq(m->n_decays, PLASTICITY_DECAYS_MAX);
		cr_assert_leq(m->n_traces, PLASTICITY_TRACES_MAX);
		cr_assert_leq(m->n_pre, PLASTICITY_PRE_MAX);
		cr_assert_not_null(m->cite);
		cr_assert(m->update || !m->on_post, "%s: a history for nothing", m->name);
	}
}

Test(plasticity_tables, prepare_writes_exactly_n_coefs_numbers_and_n_decays_times)
{
	for (size_t i = 0; plasticity_models[i]; i++) {
		const struct plasticity_model *m = plasticity_models[i];
		double p[PLASTICITY_PARAMS_MAX], coef[PLASTICITY_COEFS_MAX + 1];
		double tau[PLASTICITY_DECAYS_MAX + 1];

		if (!m->prepare)
			continue;
		defaults(m->params, m->n_params, p);
		cr_assert(!m->check || m->check(p, NULL) == 0);
		for (size_t k = 0; k <= PLASTICITY_COEFS_MAX; k++)
			coef[k] = (double)NAN;
		for (size_t k = 0; k <= PLASTICITY_DECAYS_MAX; k++)
			tau[k] = (double)NAN;
		m->prepare(p, 0.1, coef, tau);
		for (size_t k = 0; k <= PLASTICITY_COEFS_MAX; k++)
			cr_assert_eq(isnan(coef[k]) != 0, k >= m->n_coefs, "%s: %zu", m->name, k);
		for (size_t k = 0; k <= PLASTICITY_DECAYS_MAX; k++)
			cr_assert_eq(tau[k] > 0, k < m->n_decays, "%s: %zu", m->name, k);
	}
}

Test(plasticity_tables, named_sets_are_allowed_values_under_names_of_their_own)
{
	for (size_t i = 0; plasticity_models[i]; i++) {
		const struct plasticity_model *m = plasticity_models[i];

		for (size_t s = 0; s < m->n_sets; s++) {
			struct err err = { 0 };

			tables_doc(m->name, m->sets[s].name, m->sets[s].doc);
			for (size_t k = 0; k < m->n_params; k++)
				cr_assert_eq(param_check(&m->params[k], m->sets[s].p[k], "", &err),
					     0, "%s: %s", m->sets[s].name, err.text);
			cr_assert(!m->check || m->check(m->sets[s].p, NULL) == 0);
			for (size_t k = 0; k < s; k++)
				cr_assert_str_neq(m->sets[s].name, m->sets[k].name);
		}
	}
}

Test(plasticity_tables, an_alias_turns_its_defaults_into_allowed_values_all_of_them)
{
	for (size_t i = 0; alias_list[i]; i++) {
		const struct alias *a = alias_list[i];
		const struct plasticity_model *m = a->model;
		double from[PLASTICITY_PARAMS_MAX], to[PLASTICITY_PARAMS_MAX];
		struct err err = { 0 };

		defaults(a->params, a->n_params, from);
		for (size_t k = 0; k < PLASTICITY_PARAMS_MAX; k++)
			to[k] = (double)NAN;
		a->convert(from, to);
		for (size_t k = 0; k < m->n_params; k++)
			cr_assert_eq(param_check(&m->params[k], to[k], "", &err), 0, "%s: %s",
				     a->name, err.text);
		cr_assert(!m->check || m->check(to, NULL) == 0);
	}
}

static double get(const struct plasticity_model *m, const double *p, const char *name)
{
	return p[param_find(m->params, m->n_params, name)];
}

Test(plasticity_tables, stdp_synapse_means_fractions_of_wmax)
{
	const struct alias *a = alias_find("stdp_synapse");
	double from[PLASTICITY_PARAMS_MAX], to[PLASTICITY_PARAMS_MAX];

	defaults(a->params, a->n_params, from);
	from[param_find(a->params, a->n_params, "Wmax")] = 200;
	from[param_find(a->params, a->n_params, "alpha")] = 1.5;
	a->convert(from, to);
	cr_assert_float_eq(get(a->model, to, "A_plus"), 2, 1e-12);
	cr_assert_float_eq(get(a->model, to, "A_minus"), -3, 1e-12);
	cr_assert_eq(get(a->model, to, "w_max"), 200);
	cr_assert_eq(get(a->model, to, "virtual_first_spike"), 0);
}

Test(plasticity_tables, a_contradiction_names_its_parameter)
{
	const struct plasticity_model *m = &plasticity_stdp_pair;
	double p[PLASTICITY_PARAMS_MAX];
	struct err err = { 0 };

	defaults(m->params, m->n_params, p);
	p[param_find(m->params, m->n_params, "w_min")] = 1;
	cr_assert_eq(m->check(p, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "w_max");
	defaults(m->params, m->n_params, p);
	p[param_find(m->params, m->n_params, "w_max")] = PARAM_INF;
	cr_assert_eq(m->check(p, &err), 0);
	p[param_find(m->params, m->n_params, "mu_plus")] = 1;
	cr_assert_eq(m->check(p, &err), -ERR_CONFLICT);
}
