/* catalog_schema.c - JSON Schema 2020-12 of a spec, from the tables.
 *
 * What a schema cannot say (names that must exist, times on the grid, conditions across
 * parameters) only the reader checks. */
/* SPDX-License-Identifier: MIT */
#include "core/catalog.h"

#include <math.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/model/alias.h"
#include "core/model/experiment.h"
#include "core/model/neuron.h"
#include "core/model/plasticity.h"
#include "core/model/synapse_option.h"
#include "core/model/wiring.h"

static bool put(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) == 0;
}

static json_t *finished(json_t *json, bool ok)
{
	if (ok)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *object_of(json_t *properties, json_t *required)
{
	return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties,
			 "required", required, "additionalProperties", 0);
}

static json_t *ref(const char *name)
{
	return json_pack("{s:s+}", "$ref", "#/$defs/", name);
}

/* Type and range of one number. */
static json_t *number(const struct param_def *def)
{
	json_t *o = json_pack("{s:s}", "type", def->type == PARAM_INTEGER ? "integer" : "number");
	bool ok = o != NULL;

	if (isfinite(def->min))
		ok = put(o, def->flags & PARAM_OPEN_MIN ? "exclusiveMinimum" : "minimum",
			 json_real(def->min)) &&
		     ok;
	if (isfinite(def->max))
		ok = put(o, def->flags & PARAM_OPEN_MAX ? "exclusiveMaximum" : "maximum",
			 json_real(def->max)) &&
		     ok;
	return finished(o, ok);
}

static json_t *one_value(const struct param_def *def)
{
	json_t *list;
	bool ok;

	switch (def->type) {
	case PARAM_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case PARAM_STRING:
		return json_pack("{s:s}", "type", "string");
	case PARAM_OBJECT:
		return json_pack("{s:s}", "type", "object");
	case PARAM_LIST:
		return ref("list");
	case PARAM_TIMES:
		return ref("times");
	case PARAM_VALUES:
		return ref("values");
	case PARAM_ENUM:
		list = json_array();
		ok = list != NULL;
		for (size_t i = 0; ok && def->choices[i]; i++)
			ok = json_array_append_new(list, json_string(def->choices[i])) == 0;
		return json_pack("{s:o}", "enum", finished(list, ok));
	case PARAM_NUMBER:
	case PARAM_INTEGER:
	case PARAM_TYPE_N:
		break;
	}
	return number(def);
}

/* A parameter of a population may differ by neuron, be drawn or come from data. */
static json_t *value_of(const struct param_def *def, bool many)
{
	if (!many || (def->flags & PARAM_SINGLE) || def->type == PARAM_TIMES ||
	    def->type == PARAM_VALUES)
		return one_value(def);
	if (def->type == PARAM_NUMBER)
		return json_pack("{s:[o, {s:s, s:o}, o, o]}", "anyOf", one_value(def), "type",
				 "array", "items", one_value(def), ref("distribution"),
				 ref("slice"));
	return json_pack("{s:[o, {s:s, s:o}]}", "anyOf", one_value(def), "type", "array", "items",
			 one_value(def));
}

static json_t *described(json_t *schema, const char *doc, const char *unit)
{
	bool ok = put(schema, "description", json_string(doc ? doc : ""));

	if (unit[0])
		ok = put(schema, "x-unit", json_string(unit)) && ok;
	return finished(schema, ok);
}

/* Adds the rows to `properties` and the names of those that must be there to `required`. */
static bool put_params(json_t *properties, json_t *required, const struct param_def *defs, size_t n,
		       bool many)
{
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		json_t *schema =
			described(value_of(&defs[i], many), defs[i].doc, unit_name(defs[i].unit));

		ok = put(properties, defs[i].name, schema) && ok;
		if (defs[i].flags & PARAM_REQUIRED)
			ok = json_array_append_new(required, json_string(defs[i].name)) == 0 && ok;
	}
	return ok;
}

static json_t *params_object(const struct param_def *defs, size_t n, bool many)
{
	json_t *properties = json_object(), *required = json_array();
	bool ok = put_params(properties, required, defs, n, many);

	return finished(object_of(properties, required), ok);
}

static json_t *init_object(const struct neuron_model *m)
{
	json_t *properties = json_object();
	bool ok = properties != NULL;

	for (size_t i = 0; i < m->n_states; i++)
		if (!m->states[i].internal)
			ok = put(properties, m->states[i].name,
				 described(ref("value"), m->states[i].doc,
					   unit_name(m->states[i].unit))) &&
			     ok;
	return finished(object_of(properties, json_array()), ok);
}

static json_t *population(size_t i)
{
	const struct neuron_model *m = neuron_models[i];

	if (!m)
		return NULL;
	return object_of(json_pack("{s:{s:s}, s:{s:s, s:i}, s:o, s:o}", "model", "const", m->name,
				   "size", "type", "integer", "minimum", 1, "params",
				   params_object(m->params, m->n_params, true), "init",
				   init_object(m)),
			 json_pack("[s]", "model"));
}

/* What may stand beside any rule. */
static bool put_options(json_t *properties)
{
	bool ok = put(properties, "modulation",
		      json_pack("{s:s, s:i}", "type", "number", "minimum", 0));

	ok = put(properties, "stp", ref("stp")) && ok;
	for (size_t i = 0; i < OPTION_N; i++)
		ok = put(properties, synapse_options[i].name, ref(synapse_options[i].name)) && ok;
	return ok;
}

static json_t *set_names(const struct plasticity_model *m)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < m->n_sets; i++)
		ok = json_array_append_new(list, json_string(m->sets[i].name)) == 0;
	return json_pack("{s:o}", "enum", finished(list, ok));
}

static json_t *synapse_of(const char *name, const struct param_def *defs, size_t n,
			  const struct plasticity_model *m)
{
	json_t *properties =
		json_pack("{s:{s:s}, s:o, s:o, s:{s:s, s:i}, s:o}", "model", "const", name,
			  "weight", ref("value"), "delay_ms", ref("value"), "axonal_delay_ms",
			  "type", "number", "minimum", 0, "params", params_object(defs, n, false));
	bool ok = put_options(properties);

	if (m->on_signal)
		ok = put(properties, "modulator", ref("modulator")) && ok;
	if (m->n_sets && !strcmp(name, m->name))
		ok = put(properties, "set", set_names(m)) && ok;
	return finished(object_of(properties, strcmp(name, "static") ? json_pack("[s]", "model")
								     : json_array()),
			ok);
}

static json_t *synapse(size_t i)
{
	const struct alias *alias;
	size_t n = 0;

	while (plasticity_models[n])
		n++;
	if (i < n)
		return synapse_of(plasticity_models[i]->name, plasticity_models[i]->params,
				  plasticity_models[i]->n_params, plasticity_models[i]);
	alias = alias_list[i - n];
	return alias ? synapse_of(alias->name, alias->params, alias->n_params, alias->model) : NULL;
}

static json_t *connect(size_t i)
{
	const struct wiring_rule *w = wiring_rules[i];
	json_t *properties, *required;
	bool ok;

	if (!w)
		return NULL;
	required = json_pack("[s]", "rule");
	properties = json_pack("{s:{s:s}, s:{s:s}, s:{s:s}}", "rule", "const", w->name, "autapses",
			       "type", "boolean", "multapses", "type", "boolean");
	ok = put_params(properties, required, w->params, w->n_params, false);
	if (w->takes_list) {
		ok = put(properties, "sources", ref("neurons")) &&
		     put(properties, "targets", ref("neurons")) && ok;
		ok = json_array_append_new(required, json_string("sources")) == 0 && ok;
		ok = json_array_append_new(required, json_string("targets")) == 0 && ok;
	}
	return finished(object_of(properties, required), ok);
}

static json_t *experiment(size_t i)
{
	const struct experiment *e = experiments[i];

	if (!e)
		return NULL;
	return object_of(json_pack("{s:{s:s}, s:{s:s}, s:o, s:o}", "experiment", "const", e->name,
				   "name", "type", "string", "seed", ref("seed"), "params",
				   params_object(e->params, e->n_params, false)),
			 json_pack("[s]", "experiment"));
}

/* {"oneOf": all rows of a table}; a row is NULL behind the last, or without memory. */
static json_t *one_of(json_t *(*row)(size_t i), size_t n)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < n; i++)
		ok = json_array_append_new(list, row(i)) == 0;
	return json_pack("{s:o}", "oneOf", finished(list, ok));
}

/* What depends on no table. */
static const char fixed_defs[] =
	"{'seed': {'anyOf': [{'type': 'string', 'pattern': '^[0-9]+$'}, {'type': 'integer', "
	"'minimum': 0}]},"
	" 'neurons': {'type': 'array', 'items': {'type': 'integer', 'minimum': 0}},"
	" 'list': {'anyOf': [{'type': 'array', 'items': {'type': 'number'}},"
	"   {'type': 'object', 'required': ['from', 'to', 'step'], 'additionalProperties': false,"
	"    'properties': {'from': {'type': 'number'}, 'to': {'type': 'number'}, 'step': "
	"{'type': 'number'}}}]},"
	" 'times': {'anyOf': [{'$ref': '#/$defs/numbers'},"
	"   {'type': 'object', 'required': ['dataset'], 'additionalProperties': false,"
	"    'properties': {'dataset': {'type': 'string'}, 't_field': {'type': 'string'}, "
	"'neuron_field': {'type': 'string'}}}]},"
	" 'values': {'anyOf': [{'$ref': '#/$defs/numbers'},"
	"   {'type': 'object', 'required': ['dataset'], 'additionalProperties': false,"
	"    'properties': {'dataset': {'type': 'string'}, 'field': {'type': 'string'}}}]},"
	" 'numbers': {'anyOf': [{'type': 'array', 'items': {'type': 'number'}},"
	"   {'type': 'array', 'items': {'type': 'array', 'items': {'type': 'number'}}}]},"
	" 'distribution': {'type': 'object', 'minProperties': 1, 'maxProperties': 1, "
	"'additionalProperties': false, 'properties': {"
	"   'uniform': {'type': 'array', 'items': {'type': 'number'}, 'minItems': 2, 'maxItems': "
	"2},"
	"   'normal': {'type': 'object', 'required': ['mean', 'sd'], 'additionalProperties': "
	"false,"
	"     'properties': {'mean': {'type': 'number'}, 'sd': {'type': 'number', 'minimum': "
	"0}}},"
	"   'lognormal': {'type': 'object', 'required': ['mu', 'sigma'], 'additionalProperties': "
	"false,"
	"     'properties': {'mu': {'type': 'number'}, 'sigma': {'type': 'number', 'minimum': "
	"0}}}}},"
	" 'slice': {'type': 'object', 'required': ['dataset', 'field'], 'additionalProperties': "
	"false, 'properties': {"
	"   'dataset': {'type': 'string'}, 'field': {'type': 'string'}, 'row': {'type': "
	"'integer', 'minimum': 0},"
	"   'scale': {'type': 'number'}, 'offset': {'type': 'number'}}},"
	" 'value': {'anyOf': [{'type': 'number'}, {'type': 'array', 'items': {'type': 'number'}},"
	"   {'$ref': '#/$defs/distribution'}, {'$ref': '#/$defs/slice'}]},"
	" 'every': {'type': 'number', 'exclusiveMinimum': 0},"
	" 'record': {'type': 'object', 'additionalProperties': false, 'properties': {"
	"   'spikes': {'type': 'array', 'items': {'type': 'string'}},"
	"   'states': {'type': 'array', 'items': {'type': 'object', 'required': ['population', "
	"'variables'],"
	"     'additionalProperties': false, 'properties': {'population': {'type': 'string'},"
	"     'variables': {'type': 'array', 'minItems': 1, 'items': {'type': 'string'}},"
	"     'neurons': {'$ref': '#/$defs/neurons'}, 'every_ms': {'$ref': '#/$defs/every'}}}},"
	"   'weights': {'type': 'array', 'items': {'type': 'object', 'required': ['projection'],"
	"     'additionalProperties': false, 'properties': {'projection': {'type': 'string'},"
	"     'every_ms': {'$ref': '#/$defs/every'}, 'every': {'const': 'update'},"
	"     'synapses': {'type': 'array', 'minItems': 1, 'items': {'type': 'integer', "
	"'minimum': 0}},"
	"     'bins': {'type': 'integer', 'minimum': 1, 'maximum': 10000}, 'min': {'type': "
	"'number'}, 'max': {'type': 'number'}}}},"
	"   'rates': {'type': 'array', 'items': {'type': 'object', 'required': ['population', "
	"'bin_ms'],"
	"     'additionalProperties': false, 'properties': {'population': {'type': 'string'},"
	"     'bin_ms': {'$ref': '#/$defs/every'}}}},"
	"   'final_weights': {'type': 'boolean'}}},"
	" 'limits': {'type': 'object', 'additionalProperties': false, 'properties': {"
	"   'max_spikes': {'type': 'integer', 'minimum': 1}, 'max_rate_hz': {'type': 'number', "
	"'exclusiveMinimum': 0},"
	"   'wall_s': {'type': 'number', 'exclusiveMinimum': 0}}}}";

static const char schedule_defs[] =
	"{'schedule': {'type': 'array', 'items': {'type': 'object', 'required': ['at_ms'], "
	"'additionalProperties': false,"
	"   'oneOf': [{'required': ['set']}, {'required': ['plasticity']}, {'required': "
	"['modulation']},"
	"     {'required': ['reward']}, {'required': ['normalise']}, {'required': ['spikes']}], "
	"'properties': {"
	"   'at_ms': {'type': 'number', 'minimum': 0},"
	"   'set': {'type': 'object', 'required': ['params'], 'additionalProperties': false,"
	"     'oneOf': [{'required': ['population']}, {'required': ['projection']}], "
	"'properties': {"
	"     'population': {'type': 'string'}, 'projection': {'type': 'string'}, 'params': "
	"{'type': 'object'}}},"
	"   'plasticity': {'type': 'object', 'required': ['on'], "
	"'additionalProperties': false, 'properties': {"
	"     'projection': {'type': 'string'}, 'on': {'type': 'boolean'}}},"
	"   'modulation': {'type': 'object', 'required': ['projection', 'factor'], "
	"'additionalProperties': false, 'properties': {"
	"     'projection': {'type': 'string'}, 'factor': {'type': 'number', 'minimum': 0}}},"
	"   'reward': {'type': 'object', 'required': ['projection', 'amount'], "
	"'additionalProperties': false, 'properties': {"
	"     'projection': {'type': 'string'}, 'amount': {'type': 'number'}}},"
	"   'normalise': {'type': 'object', 'required': ['projection'], "
	"'additionalProperties': false, 'properties': {"
	"     'projection': {'type': 'string'}}},"
	"   'spikes': {'type': 'object', 'required': ['population'], "
	"'additionalProperties': false, 'properties': {"
	"     'population': {'type': 'string'}, 'neurons': {'type': 'array', 'items': {'type': "
	"'integer', 'minimum': 0}},"
	"     'count': {'type': 'integer', 'minimum': 1}, 'weight': {'type': 'number'}}}}}},"
	" 'modulator': {'type': 'object', 'additionalProperties': false, 'properties': {"
	"   'population': {'type': 'string'}, 'delay_ms': {'type': 'number', "
	"'exclusiveMinimum': 0}}}}";

/* The texts above hold ' for ": they are easier to read so, and have no other '. */
static json_t *defs(const char *quoted)
{
	json_t *json = NULL;
	char *text = mem_strdup(quoted);

	for (size_t i = 0; text && text[i]; i++)
		text[i] = text[i] == '\'' ? '"' : text[i];
	if (text)
		json = json_loads(text, 0, NULL);
	mem_free(text);
	return json;
}

static size_t count(json_t *models, const char *kind)
{
	return json_array_size(json_object_get(models, kind));
}

static bool put_tables(json_t *to)
{
	json_t *models = catalog_models();
	bool ok = models != NULL;

	ok = ok &&
	     put(to, "stp", params_object(plasticity_stp.params, plasticity_stp.n_params, false));
	for (size_t i = 0; i < OPTION_N; i++)
		ok = ok && put(to, synapse_options[i].name,
			       params_object(synapse_options[i].params, synapse_options[i].n_params,
					     false));
	ok = ok && put(to, "population", one_of(population, count(models, "neurons")));
	ok = ok && put(to, "synapse", one_of(synapse, count(models, "plasticity")));
	ok = ok && put(to, "connect", one_of(connect, count(models, "wiring")));
	ok = ok && put(to, "experiment", one_of(experiment, count(models, "experiments")));
	ok = ok && put(to, "projection",
		       object_of(json_pack("{s:{s:s}, s:{s:s}, s:o, s:o}", "source", "type",
					   "string", "target", "type", "string", "connect",
					   ref("connect"), "synapse", ref("synapse")),
				 json_pack("[s, s, s]", "source", "target", "connect")));
	json_decref(models);
	return ok;
}

static json_t *simulation(void)
{
	json_t *p = json_object();
	bool ok = put(p, "name", json_pack("{s:s}", "type", "string"));

	ok = put(p, "resolution_ms",
		 json_pack("{s:s, s:f, s:f, s:f}", "type", "number", "minimum", 0.001, "maximum",
			   100.0, "default", 0.1)) &&
	     ok;
	ok = put(p, "duration_ms", ref("every")) && ok;
	ok = put(p, "seed", ref("seed")) && ok;
	ok = put(p, "populations",
		 json_pack("{s:s, s:i, s:o}", "type", "object", "minProperties", 1,
			   "additionalProperties", ref("population"))) &&
	     ok;
	ok = put(p, "projections",
		 json_pack("{s:s, s:o}", "type", "object", "additionalProperties",
			   ref("projection"))) &&
	     ok;
	ok = put(p, "record", ref("record")) && ok;
	ok = put(p, "schedule", ref("schedule")) && ok;
	ok = put(p, "limits", ref("limits")) && ok;
	return finished(object_of(p, json_pack("[s, s]", "duration_ms", "populations")), ok);
}

json_t *catalog_schema_spec(void)
{
	json_t *all = defs(fixed_defs), *schedule = defs(schedule_defs);
	bool ok = all && schedule && json_object_update(all, schedule) == 0 && put_tables(all) &&
		  put(all, "simulation", simulation());

	json_decref(schedule);
	return json_pack("{s:s, s:s, s:s, s:[o, o], s:o}", "$schema",
			 "https://json-schema.org/draft/2020-12/schema", "title", "spec",
			 "description", "One simulation, or one experiment.", "oneOf",
			 ref("simulation"), ref("experiment"), "$defs", finished(all, ok));
}
