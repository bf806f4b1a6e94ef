/* catalog_markdown.c - the manual of all models, from the tables. */
/* SPDX-License-Identifier: MIT */
#include "core/catalog.h"

#include <math.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/model/alias.h"
#include "core/model/experiment.h"
#include "core/model/neuron.h"
#include "core/model/plasticity.h"
#include "core/model/synapse_option.h"
#include "core/model/wiring.h"

enum { MANUAL_MAX = 4 << 20, RANGE_MAX = 120 };

static void put_default(struct buf *b, const struct param_def *def)
{
	if (def->flags & PARAM_REQUIRED)
		(void)buf_str(b, "required");
	else if (def->type == PARAM_ENUM)
		(void)buf_printf(b, "`%s`", def->choices[(size_t)def->def]);
	else if (def->type == PARAM_BOOL)
		(void)buf_str(b, def->def != 0.0 ? "true" : "false");
	else if (def->type == PARAM_STRING && def->choices && def->choices[0] && def->choices[0][0])
		(void)buf_printf(b, "`%s`", def->choices[0]);
	else if ((def->type == PARAM_NUMBER || def->type == PARAM_INTEGER) && isfinite(def->def))
		(void)buf_printf(b, "%.10g", def->def);
	else
		(void)buf_str(b, "none");
}

/* A range as a table holds it: "must lie in" is understood there. */
static void put_range(struct buf *b, const struct param_def *def)
{
	static const char prefix[] = "must lie in ";
	char text[RANGE_MAX] = "";
	bool skip;

	if (def->type == PARAM_ENUM) {
		for (size_t i = 0; def->choices[i]; i++)
			(void)buf_printf(b, "%s`%s`", i ? ", " : "", def->choices[i]);
		return;
	}
	if (def->type != PARAM_NUMBER && def->type != PARAM_INTEGER && def->type != PARAM_LIST)
		return;
	param_range_text(def, text, sizeof(text));
	skip = !strncmp(text, prefix, sizeof(prefix) - 1);
	(void)buf_str(b, skip ? text + sizeof(prefix) - 1 : text);
}

static void put_params(struct buf *b, const struct param_def *defs, size_t n)
{
	if (n == 0) {
		(void)buf_str(b, "No parameters.\n\n");
		return;
	}
	(void)buf_str(b, "| Parameter | Unit | Type | Default | Range | Meaning "
			 "|\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < n; i++) {
		const struct param_def *def = &defs[i];

		(void)buf_printf(b, "| `%s` | %s | %s | ", def->name, unit_name(def->unit),
				 param_type_name(def->type));
		put_default(b, def);
		(void)buf_str(b, " | ");
		put_range(b, def);
		(void)buf_printf(b, " | %s%s |\n", def->doc,
				 def->flags & PARAM_FIXED ? " Fixed while a simulation runs." : "");
	}
	(void)buf_char(b, '\n');
}

static void put_head(struct buf *b, const char *name, const char *doc, const char *cite)
{
	(void)buf_printf(b, "### `%s`\n\n%s", name, doc);
	if (cite && cite[0])
		(void)buf_printf(b, " doi:%s", cite);
	(void)buf_str(b, "\n\n");
}

static void put_neurons(struct buf *b)
{
	(void)buf_str(b, "## Neurons and inputs\n\n");
	for (size_t i = 0; neuron_models[i]; i++) {
		const struct neuron_model *m = neuron_models[i];
		size_t n = 0;

		put_head(b, m->name, m->doc, m->cite);
		put_params(b, m->params, m->n_params);
		for (size_t k = 0; k < m->n_states; k++) {
			const struct state_def *s = &m->states[k];

			if (s->internal)
				continue;
			if (n++ == 0)
				(void)buf_str(b, "| State | Unit | Meaning |\n|---|---|---|\n");
			(void)buf_printf(b, "| `%s` | %s | %s |\n", s->name, unit_name(s->unit),
					 s->doc);
		}
		if (n > 0)
			(void)buf_char(b, '\n');
	}
}

static void put_sets(struct buf *b, const struct plasticity_model *m)
{
	if (m->n_sets == 0)
		return;
	(void)buf_str(b, "| Set | Meaning |\n|---|---|\n");
	for (size_t i = 0; i < m->n_sets; i++)
		(void)buf_printf(b, "| `%s` | %s |\n", m->sets[i].name, m->sets[i].doc);
	(void)buf_char(b, '\n');
}

static void put_options(struct buf *b)
{
	(void)buf_str(b,
		      "## Beside the rule\n\n"
		      "Blocks of a synapse that go with any plastic rule. `stp` has the parameters "
		      "of the rule `stp` and multiplies what is transmitted; `modulation` is a "
		      "factor on all amplitudes; `modulator` names the population whose spikes "
		      "are the signal of a rule that has one, and its `delay_ms`.\n\n");
	for (size_t i = 0; i < OPTION_N; i++) {
		const struct synapse_option *o = &synapse_options[i];

		put_head(b, o->name, o->doc, o->cite);
		put_params(b, o->params, o->n_params);
	}
}

static void put_plasticity(struct buf *b)
{
	(void)buf_str(b, "## Plasticity\n\n");
	for (size_t i = 0; plasticity_models[i]; i++) {
		const struct plasticity_model *m = plasticity_models[i];

		put_head(b, m->name, m->doc, m->cite);
		put_params(b, m->params, m->n_params);
		put_sets(b, m);
	}
	put_options(b);
	(void)buf_str(b, "## NEST's names\n\n");
	for (size_t i = 0; alias_list[i]; i++) {
		const struct alias *a = alias_list[i];

		put_head(b, a->name, a->doc, NULL);
		(void)buf_printf(b, "Another name of `%s`, with parameters of its own.\n\n",
				 a->model->name);
		put_params(b, a->params, a->n_params);
	}
}

static void put_wiring(struct buf *b)
{
	(void)buf_str(b, "## Wiring\n\n");
	for (size_t i = 0; wiring_rules[i]; i++) {
		const struct wiring_rule *w = wiring_rules[i];

		put_head(b, w->name, w->doc, w->cite);
		if (w->takes_list)
			(void)buf_str(b, "Takes `sources` and `targets`: arrays of neurons, "
					 "equally long.\n\n");
		put_params(b, w->params, w->n_params);
	}
}

static void put_score(struct buf *b, const struct experiment_score *s)
{
	if (!s->name)
		return;
	(void)buf_printf(b, "Score: `%s`%s%s%s, %s is better. %s\n\n", s->name,
			 *s->unit ? " (" : "", s->unit, *s->unit ? ")" : "",
			 s->higher_is_better ? "more" : "less", s->reference);
}

static void put_experiments(struct buf *b)
{
	(void)buf_str(b, "## Experiments\n\n");
	for (size_t i = 0; experiments[i]; i++) {
		const struct experiment *e = experiments[i];

		put_head(b, e->name, e->doc, e->cite);
		put_score(b, &e->score);
		put_params(b, e->params, e->n_params);
	}
}

char *catalog_markdown(void)
{
	struct buf b;
	char *text;

	buf_init(&b, MANUAL_MAX);
	(void)buf_str(
		&b,
		"<!-- Generated by stdp-gen from the tables in core/; run `make schema`. -->\n\n"
		"# Models\n\nUnits: ms, mV, pA, pF, nS, Hz. A value of a population's parameter "
		"is a number, an array of "
		"length `size`, a distribution or a slice of a data set.\n\n");
	put_neurons(&b);
	put_plasticity(&b);
	put_wiring(&b);
	put_experiments(&b);
	text = buf_take(&b, NULL);
	buf_release(&b);
	return text;
}
