/* spec_json_limits.c - the limits a spec sets itself, and those of the place where it is to run.
 */
/* SPDX-License-Identifier: MIT */
#include "core/spec_json_read.h"

#define MAX_SPIKES  1e15
#define MAX_RATE_HZ 1e6
#define MAX_WALL_S  1e9

static void read_max_spikes(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			    void *out)
{
	double n;

	(void)out;
	if (spec_json_read_integer(r, json, at, 1.0, MAX_SPIKES, &n))
		r->spec->limits.max_spikes = (uint64_t)n;
}

static void read_positive(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  double max, const char *unit, double *ret)
{
	double x;

	if (!spec_json_read_number(r, json, at, &x))
		return;
	if (x > 0.0 && x <= max)
		*ret = x;
	else
		spec_json_read_fail(r, at, ERR_RANGE, "must lie in (0, %.12g] %s, found %.12g %s",
				    max, unit, x, unit);
}

static void read_max_rate(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			  void *out)
{
	(void)out;
	read_positive(r, json, at, MAX_RATE_HZ, "Hz", &r->spec->limits.max_rate_hz);
}

static void read_wall(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
		      void *out)
{
	double most = r->limits ? r->limits->max_wall_s : 0.0;

	(void)out;
	read_positive(r, json, at, MAX_WALL_S, "s", &r->spec->limits.wall_s);
	if (most > 0.0 && r->spec->limits.wall_s > most)
		spec_json_read_fail(r, at, ERR_LIMIT,
				    "at most %.12g s are allowed here, found %.12g s", most,
				    r->spec->limits.wall_s);
}

static const struct spec_json_key keys[] = {
	{ "max_spikes", read_max_spikes, false },
	{ "max_rate_hz", read_max_rate, false },
	{ "wall_s", read_wall, false },
};

void spec_json_limits_read(struct spec_json_reader *r, json_t *json, const struct spec_json_at *at,
			   void *out)
{
	spec_json_read_object(r, json, at, "limits", keys, COUNTOF(keys), out);
}

static void check(struct spec_json_reader *r, const struct spec_json_at *at, const char *key,
		  const char *what, double found, double most)
{
	struct spec_json_at here = spec_json_read_key(at, key);

	if (most > 0.0 && found > most)
		spec_json_read_fail(r, &here, ERR_LIMIT,
				    "at most %.12g %s are allowed here, found %.12g", most, what,
				    found);
}

void spec_json_limits_check(struct spec_json_reader *r, const struct spec_json_at *at)
{
	const struct spec_limits_json *l = r->limits;
	struct spec_cost cost;

	if (!l)
		return;
	cost = spec_cost(r->spec);
	check(r, at, "populations", "neurons", cost.neurons, l->max_neurons);
	check(r, at, "projections", "synapses", cost.synapses, l->max_synapses);
	check(r, at, r->spec->n_projections ? "projections" : "populations", "bytes of memory",
	      cost.bytes, l->max_bytes);
	check(r, at, "duration_ms", "steps", cost.steps, l->max_steps);
	check(r, at, "record", "bytes of results", cost.result_bytes, l->max_result_bytes);
}
