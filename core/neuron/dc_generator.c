/* dc_generator.c - a constant current between two times. */
/* SPDX-License-Identifier: MIT */
#include "core/model/neuron.h"

enum { AMPLITUDE, START, STOP, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[AMPLITUDE] = { "amplitude", "Current while active.", UNIT_PA, PARAM_NUMBER, 0, -1e9, 1e9 },
	[START] = { "start", "Active after this time.", UNIT_MS, PARAM_NUMBER, 0, 0, PARAM_INF },
	[STOP] = { "stop", "Active up to this time.", UNIT_MS, PARAM_NUMBER, PARAM_INF, 0,
		   PARAM_INF },
};

enum { CURRENT, FIRST, LAST, N_COEFS };

static int check(const double *p, struct err *err)
{
	if (p[STOP] < p[START])
		return err_set(err, ERR_CONFLICT, "stop",
			       "stop must not be before start = %g ms, not %g ms", p[START],
			       p[STOP]);
	return 0;
}

static void prepare(const double *p, double dt, double *coef)
{
	coef[CURRENT] = p[AMPLITUDE];
	coef[FIRST] = floor(p[START] / dt + 0.5) + 1; /* the step (start, start + dt] */
	coef[LAST] = floor(p[STOP] / dt + 0.5);
}

static void step(const struct neuron_ctx *c)
{
	const double *restrict current = c->coef[CURRENT];
	const double *restrict first = c->coef[FIRST], *restrict last = c->coef[LAST];
	double *restrict out = c->out, t = (double)c->step;

	for (size_t i = 0; i < c->n; i++) {
		size_t k = i * c->stride;

		out[i] = t >= first[k] && t <= last[k] ? current[k] : 0.0;
	}
}

const struct neuron_model neuron_dc_generator = {
	.name = "dc_generator",
	.doc = "A source of constant current.",
	.cite = "",
	.kind = NEURON_CURRENT,
	.input = NEURON_IN_NONE,
	.params = params,
	.n_params = N_PARAMS,
	.n_coefs = N_COEFS,
	.check = check,
	.prepare = prepare,
	.step = step,
};
