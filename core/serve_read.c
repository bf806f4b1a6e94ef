/* serve_read.c - members of a command, checked. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/err.h"
#include "core/serve_part.h"

#define STEPS_MAX 1e12
#define TOLERANCE 1e-6 /* of a step */

static int missing(const char *key, struct err *err)
{
	char path[ERR_PATH_MAX];

	(void)snprintf(path, sizeof(path), "/%s", key);
	return err_set(err, ERR_MISSING, path, "expected \"%s\", found nothing", key);
}

static int wrong_type(const char *key, const char *expected, struct err *err)
{
	char path[ERR_PATH_MAX];

	(void)snprintf(path, sizeof(path), "/%s", key);
	return err_set(err, ERR_TYPE, path, "expected %s as \"%s\"", expected, key);
}

int serve_get_number(const json_t *args, const char *key, bool required, double *ret,
		     struct err *err)
{
	json_t *value = json_object_get(args, key);

	if (!value)
		return required ? missing(key, err) : 0;
	if (!json_is_number(value))
		return wrong_type(key, "a number", err);
	*ret = json_number_value(value);
	return 0;
}

int serve_get_bool(const json_t *args, const char *key, bool *ret, struct err *err)
{
	json_t *value = json_object_get(args, key);

	if (value && !json_is_boolean(value))
		return wrong_type(key, "true or false", err);
	if (value)
		*ret = json_is_true(value);
	return 0;
}

int serve_get_string(const json_t *args, const char *key, bool required, const char **ret,
		     struct err *err)
{
	json_t *value = json_object_get(args, key);

	if (!value)
		return required ? missing(key, err) : 0;
	if (!json_is_string(value))
		return wrong_type(key, "a string", err);
	*ret = json_string_value(value);
	return 0;
}

int serve_get_population(struct serve *s, const json_t *args, size_t *ret, struct err *err)
{
	const char *name = NULL;
	int rc = serve_get_string(args, "population", true, &name, err);
	int i = rc ? -1 : spec_population(sim_spec(engine_live_sim(s->live)), name);

	if (rc)
		return rc;
	if (i < 0)
		return err_set(err, ERR_UNKNOWN, "/population", "there is no population \"%.64s\"",
			       name);
	*ret = (size_t)i;
	return 0;
}

int serve_get_projection(struct serve *s, const json_t *value, const char *path, size_t *ret,
			 struct err *err)
{
	const char *name = json_string_value(value);
	int i = name ? spec_projection(sim_spec(engine_live_sim(s->live)), name) : -1;

	if (!name)
		return err_set(err, ERR_TYPE, path, "expected the name of a projection");
	if (i < 0)
		return err_set(err, ERR_UNKNOWN, path, "there is no projection \"%.64s\"", name);
	*ret = (size_t)i;
	return 0;
}

int serve_steps(const struct serve *s, double ms, const char *path, int64_t *ret, struct err *err)
{
	double dt = serve_ms(s, 1), x = ms / dt, whole = floor(x + 0.5);

	if (!(x >= 0.0 && x <= STEPS_MAX))
		return err_set(err, ERR_RANGE, path, "must lie in [0, %g] ms, found %.12g ms",
			       STEPS_MAX * dt, ms);
	if (fabs(x - whole) > TOLERANCE)
		return err_set(err, ERR_GRID, path,
			       "must be a multiple of resolution_ms = %.12g ms, found %.15g ms", dt,
			       ms);
	*ret = (int64_t)whole;
	return 0;
}

static bool in_list(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; n && (at = strstr(at, word)); at += n) {
		if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	}
	return false;
}

int serve_check_keys(json_t *args, const char *path, const char *keys, struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach(args, key, value)
	{
		char here[ERR_PATH_MAX];

		if (in_list(keys, key))
			continue;
		(void)snprintf(here, sizeof(here), "%s/%.100s", path, key);
		return err_set(err, ERR_UNKNOWN, here, "expected one of: %.200s; found \"%.64s\"",
			       keys[0] ? keys : "none", key);
	}
	return 0;
}
