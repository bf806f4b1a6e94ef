/* engine_experiment.c - experiments: their keys, their parameters, and what they may ask of the engine. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine_run.h"

static int first_error(const struct experiment_ctx *c, struct err *err)
{
	for (size_t i = 0; i < c->errors.n; i++)
		if (c->errors.items[i].code == ERR_NOMEM)
			return err_nomem(err);
	if (c->errors.first.code == ERR_NOMEM)
		return err_nomem(err);
	return err_set(err, ERR_INVALID, c->errors.first.path, "%s", c->errors.first.text);
}

/* A seed is a text of digits, as everywhere, or a whole number. */
static bool read_seed(json_t *json, uint64_t *ret)
{
	const char *text = json_string_value(json);
	char *end = NULL;

	if (json_is_integer(json) && json_integer_value(json) >= 0) {
		*ret = (uint64_t)json_integer_value(json);
		return true;
	}
	if (!text || text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0;
}

static void read_limits(struct experiment_ctx *c, json_t *json)
{
	const char *key;
	json_t *value;

	if (!json_is_object(json)) {
		err_list_add(&c->errors, ERR_TYPE, "/limits", "expected an object");
		return;
	}
	json_object_foreach(json, key, value)
	{
		if (strcmp(key, "wall_s") != 0)
			err_list_add(&c->errors, ERR_UNKNOWN, "/limits",
				     "an experiment knows only the limit wall_s, not \"%.60s\"",
				     key);
		else if (!json_is_number(value) || !(json_number_value(value) > 0))
			err_list_add(&c->errors, ERR_RANGE, "/limits/wall_s",
				     "wall_s must be a number of seconds above 0");
		else
			c->wall_s = json_number_value(value);
	}
}

/* Keys that would need escapes in a pointer stand for their object. */
static void unknown_key(struct experiment_ctx *c, const char *key)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/%.60s", key);
	err_list_add(&c->errors, ERR_UNKNOWN, strpbrk(key, "~/") ? "" : path,
		     "an experiment knows the keys experiment, params, seed, name and limits, "
		     "not \"%.60s\"",
		     key);
}

static void read_key(struct experiment_ctx *c, const char *key, json_t *value)
{
	if (!strcmp(key, "seed")) {
		if (!read_seed(value, &c->result.seed))
			err_list_add(&c->errors, ERR_RANGE, "/seed",
				     "seed must be a whole number from 0 to 2^64 - 1, as a "
				     "string of digits");
	} else if (!strcmp(key, "limits")) {
		read_limits(c, value);
	} else if (!strcmp(key, "name")) {
		if (!json_is_string(value))
			err_list_add(&c->errors, ERR_TYPE, "/name", "expected a string");
	} else if (strcmp(key, "experiment") != 0 && strcmp(key, "params") != 0) {
		unknown_key(c, key);
	}
}

static int read_params(struct experiment_ctx *c, json_t *json, const struct experiment *x,
		       struct err *err)
{
	json_t *given = json_incref(json_object_get(json, "params"));

	if (!given)
		given = json_object();
	if (!given)
		return err_nomem(err);
	c->params = spec_json_params(given, x->params, x->n_params, "/params", &c->errors);
	json_decref(given);
	if (!c->params && err_list_count(&c->errors) == 0)
		return err_nomem(err);
	return 0;
}

static void take_score(struct experiment_ctx *c, const struct experiment *x)
{
	c->result.score = (struct result_score){
		.name = x->score.name,
		.unit = x->score.unit,
		.reference = x->score.reference,
		.higher_is_better = x->score.higher_is_better,
	};
}

int engine_run_experiment(struct experiment_ctx *c, json_t *json, struct err *err)
{
	const char *name = json_string_value(json_object_get(json, "experiment"));
	const struct experiment *x = name ? experiment_find(name) : NULL;
	const char *key;
	json_t *value;
	int rc;

	c->result.seed = 1;
	json_object_foreach(json, key, value) read_key(c, key, value);
	if (!name)
		err_list_add(&c->errors, ERR_TYPE, "/experiment",
			     "expected the name of an experiment");
	else if (!x)
		err_list_add(&c->errors, ERR_UNKNOWN, "/experiment",
			     "there is no experiment \"%.60s\"", name);
	rc = x ? read_params(c, json, x, err) : 0;
	if (!rc && err_list_count(&c->errors) > 0)
		rc = first_error(c, err);
	if (!rc) {
		take_score(c, x);
		rc = x->run(c, err);
	}
	if (!rc) {
		c->result.digest = hash_end(&c->digests);
		c->result.has_digest = true;
	}
	return rc;
}

const json_t *engine_params(const struct experiment_ctx *c)
{
	return c->params;
}

uint64_t engine_seed(const struct experiment_ctx *c)
{
	return c->result.seed;
}

int engine_table(struct experiment_ctx *c, const char *name, size_t n_columns,
		 const char *const *names, const char *const *units, const double *const *columns,
		 size_t n_rows, struct err *err)
{
	return rec_table(c->rec, name, n_columns, names, units, columns, n_rows, err);
}

int engine_metric(struct experiment_ctx *c, const char *name, double value, struct err *err)
{
	struct result_metric *m = NEW(&c->arena, struct result_metric, 1);
	char *own = mem_arena_strdup(&c->arena, name);

	if (!m || !own)
		return err_nomem(err);
	m->name = own;
	m->value = value;
	if (c->last)
		c->last->next = m;
	else
		c->result.metrics = m;
	c->last = m;
	return 0;
}

int engine_target(struct experiment_ctx *c, const struct engine_target *t, struct err *err)
{
	struct result_target *own = NEW(&c->arena, struct result_target, 1);
	char *name = mem_arena_strdup(&c->arena, t->name);
	char *unit = mem_arena_strdup(&c->arena, t->unit);

	if (!own || !name || !unit)
		return err_nomem(err);
	*own = (struct result_target){
		.name = name,
		.unit = unit,
		.value = t->value,
		.low = t->low,
		.high = t->high,
		.pass = t->value >= t->low && t->value <= t->high,
	};
	if (c->last_target)
		c->last_target->next = own;
	else
		c->result.targets = own;
	c->last_target = own;
	return 0;
}

void engine_score(struct experiment_ctx *c, double value)
{
	c->result.score.value = value;
	c->result.score.has_value = true;
}

int engine_remark(struct experiment_ctx *c, struct err *err, const char *fmt, ...)
{
	struct result_remark *r = NEW(&c->arena, struct result_remark, 1);
	char text[ERR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (r)
		r->text = mem_arena_strdup(&c->arena, text);
	if (!r || !r->text)
		return err_nomem(err);
	if (c->last_remark)
		c->last_remark->next = r;
	else
		c->result.remarks = r;
	c->last_remark = r;
	return 0;
}

int engine_dataset(struct experiment_ctx *c, const char *id, const char *field,
		   const double **ret_values, size_t *ret_n, struct err *err)
{
	return c->datasets.load(c->datasets.self, id, field, -1, &c->arena, ret_values, ret_n, err);
}
