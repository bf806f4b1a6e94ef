/* test_neuron_tables.c - what all neuron models' and wiring rules' tables must keep. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/model/neuron.h"
#include "core/model/wiring.h"
#include "tests/unit/tables.h"

static void defaults(const struct neuron_model *m, double *p)
{
	for (size_t i = 0; i < m->n_params; i++)
		p[i] = m->params[i].def;
}

Test(neuron_tables, every_model_is_found_by_its_name_and_by_no_other)
{
	for (size_t i = 0; neuron_models[i]; i++)
		cr_assert_eq(neuron_find(neuron_models[i]->name), neuron_models[i]);
	cr_assert_null(neuron_find("iaf"));
	for (size_t i = 0; wiring_rules[i]; i++)
		cr_assert_eq(wiring_find(wiring_rules[i]->name), wiring_rules[i]);
	cr_assert_null(wiring_find(""));
}

Test(neuron_tables, every_parameter_row_is_complete)
{
	for (size_t i = 0; neuron_models[i]; i++) {
		const struct neuron_model *m = neuron_models[i];

		tables_doc("neuron", m->name, m->doc);
		tables_check(m->name, m->params, m->n_params);
		cr_assert_not_null(m->cite);
	}
	for (size_t i = 0; wiring_rules[i]; i++) {
		const struct wiring_rule *r = wiring_rules[i];

		tables_doc("wiring", r->name, r->doc);
		tables_check(r->name, r->params, r->n_params);
		cr_assert_leq(r->n_params, WIRING_PARAMS_MAX);
		cr_assert(r->check && r->expect && (!r->sources) != (!r->pairs) && r->cite);
	}
}

Test(neuron_tables, every_state_row_is_complete)
{
	for (size_t i = 0; neuron_models[i]; i++) {
		const struct neuron_model *m = neuron_models[i];

		for (size_t k = 0; k < m->n_states; k++) {
			const struct state_def *d = &m->states[k];

			tables_doc(m->name, d->name, d->doc);
			cr_assert(isfinite(d->init));
			cr_assert_lt(d->init_param, (int)m->n_params);
			if (d->init_param >= 0)
				cr_assert_eq(d->unit, m->params[d->init_param].unit);
			for (size_t j = 0; j < k; j++)
				cr_assert_str_neq(d->name, m->states[j].name);
		}
	}
}

Test(neuron_tables, bookkeeping_starts_at_its_initial_value_not_at_a_parameter)
{
	for (size_t i = 0; neuron_models[i]; i++)
		for (size_t k = 0; k < neuron_models[i]->n_states; k++)
			if (neuron_models[i]->states[k].internal)
				cr_assert_lt(neuron_models[i]->states[k].init_param, 0, "%s.%s",
					     neuron_models[i]->name,
					     neuron_models[i]->states[k].name);
}

Test(neuron_tables, cells_start_at_rest)
{
	for (size_t i = 0; neuron_models[i]; i++) {
		const struct neuron_model *m = neuron_models[i];

		if (m->kind != NEURON_CELL)
			continue;
		cr_assert_str_eq(m->states[0].name, "V_m");
		if (param_find(m->params, m->n_params, "E_L") < 0 ||
		    !strcmp(m->name, "hh_psc_alpha")) /* at rest with open channels */
			continue;
		cr_assert_str_eq(m->params[m->states[0].init_param].name, "E_L");
	}
}

Test(neuron_tables, numbers_stay_within_the_limits_of_the_context)
{
	for (size_t i = 0; neuron_models[i]; i++) {
		const struct neuron_model *m = neuron_models[i];

		cr_assert_leq(m->n_params, NEURON_PARAMS_MAX);
		cr_assert_leq(m->n_states, NEURON_STATES_MAX);
		cr_assert_leq(m->n_coefs, NEURON_COEFS_MAX);
		cr_assert(m->prepare && m->step);
	}
}

Test(neuron_tables, prepare_writes_exactly_n_coefs_numbers_from_the_defaults)
{
	for (size_t i = 0; neuron_models[i]; i++) {
		const struct neuron_model *m = neuron_models[i];
		double p[NEURON_PARAMS_MAX], coef[NEURON_COEFS_MAX + 1];

		defaults(m, p);
		for (size_t k = 0; k <= NEURON_COEFS_MAX; k++)
			coef[k] = (double)NAN;
		cr_assert(!m->check || m->check(p, NULL) == 0, "%s", m->name);
		m->prepare(p, 0.1, coef);
		for (size_t k = 0; k <= NEURON_COEFS_MAX; k++)
			cr_assert_eq(isnan(coef[k]) != 0, k >= m->n_coefs, "%s: %zu", m->name, k);
	}
}

Test(neuron_tables, a_contradiction_names_its_parameter)
{
	static const struct {
		const char *model, *param;
		double value;
	} cases[] = { { "iaf_psc_exp", "V_reset", -55 },
		      { "iaf_psc_delta", "V_reset", -50 },
		      { "poisson_generator", "stop", -1 },
		      { "dc_generator", "stop", -1 } };

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		const struct neuron_model *m = neuron_find(cases[i].model);
		double p[NEURON_PARAMS_MAX];
		struct err err = { 0 };

		defaults(m, p);
		p[param_find(m->params, m->n_params, cases[i].param)] = cases[i].value;
		cr_assert_eq(m->check(p, &err), -ERR_CONFLICT, "%s", m->name);
		cr_assert_str_eq(err.path, cases[i].param);
	}
}
