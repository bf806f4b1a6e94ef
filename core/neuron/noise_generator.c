/* noise_generator.c - a random current, constant for dt at a time, each neuron's its own.
 *
 * The k-th value after start is mean + std times the k-th random number of the neuron, of mean 0 and
 * variance 1, whatever was asked in between: a change of mean or std acts at once, on the number of the
 * moment. */
/* SPDX-License-Identifier: MIT */
#include "core/model/neuron.h"

enum { MEAN, STD, DT, START, STOP, DISTRIBUTION, N_PARAMS };

static const char *const distributions[] = { "normal", "uniform", NULL };
enum { NORMAL, UNIFORM };

static const struct param_def params[N_PARAMS] = {
	[MEAN] = { "mean", "Mean current.", UNIT_PA, PARAM_NUMBER, 0, -1e9, 1e9 },
	[STD] = { "std", "Standard deviation of the current.", UNIT_PA, PARAM_NUMBER, 0, 0, 1e9 },
	[DT] = { "dt", "Time between changes of the current.", UNIT_MS, PARAM_NUMBER, 1, 0, 1e6,
		 PARAM_OPEN_MIN },
	[START] = { "start", "Active after this time.", UNIT_MS, PARAM_NUMBER, 0, 0, PARAM_INF },
	[STOP] = { "stop", "Active up to this time.", UNIT_MS, PARAM_NUMBER, PARAM_INF, 0,
		   PARAM_INF },
	[DISTRIBUTION] = { "distribution", "Of the random numbers.", UNIT_NONE, PARAM_ENUM, NORMAL,
			   0, 1, PARAM_FIXED | PARAM_SINGLE, distributions },
};

enum { CURRENT, NUMBER, DRAWN, N_STATES };

static const struct state_def states[N_STATES] = {
	[CURRENT] = { "I", "Current of the last step.", UNIT_PA, 0, -1 },
	[NUMBER] = { "normal", "Random number of the moment.", UNIT_NONE, 0, -1, true },
	[DRAWN] = { "drawn", "Which one it is, from 1; 0 before the first.", UNIT_NONE, 0, -1,
		    true },
};

enum { MEAN_I, STD_I, LENGTH, FIRST, LAST, IS_UNIFORM, N_COEFS };

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
	double length = floor(p[DT] / dt + 0.5);

	coef[MEAN_I] = p[MEAN];
	coef[STD_I] = p[STD];
	coef[LENGTH] = length < 1 ? 1 : length;
	coef[FIRST] = floor(p[START] / dt + 0.5) + 1; /* the step (start, start + dt] */
	coef[LAST] = floor(p[STOP] / dt + 0.5);
	coef[IS_UNIFORM] = p[DISTRIBUTION] == UNIFORM;
}

/* Evenly from -sqrt(3) to sqrt(3). */
static double even(double u)
{
	return 2 * sqrt(3.0) * (u - 0.5);
}

static double draw(const struct neuron_ctx *c, size_t i, double which)
{
	if (c->coef[IS_UNIFORM][0] > 0)
		return even(rng_uniform(c->key, c->id0 + i, (uint64_t)which));
	return rng_normal(c->key, c->id0 + i, (uint64_t)which);
}

/* The same numbers at once, where all neurons need them. */
static void draw_all(const struct neuron_ctx *c, double which)
{
	double *number = c->state[NUMBER];

	rng_uniform_column(c->key, c->id0, (uint64_t)which, c->n, number);
	for (size_t i = 0; i < c->n; i++) {
		number[i] = even(number[i]);
		c->state[DRAWN][i] = which;
	}
}

static double which_at(const struct neuron_ctx *c, size_t k)
{
	return floor(((double)c->step - c->coef[FIRST][k]) / c->coef[LENGTH][k]) + 1;
}

static bool is_active(const struct neuron_ctx *c, size_t k)
{
	double t = (double)c->step;

	return t >= c->coef[FIRST][k] && t <= c->coef[LAST][k];
}

static void step(const struct neuron_ctx *c)
{
	const double *mean = c->coef[MEAN_I], *std = c->coef[STD_I];
	double *number = c->state[NUMBER], *drawn = c->state[DRAWN];

	/* One for all: they have drawn alike. */
	if (c->stride == 0 && c->coef[IS_UNIFORM][0] > 0 && is_active(c, 0) &&
	    which_at(c, 0) != drawn[0])
		draw_all(c, which_at(c, 0));
	for (size_t i = 0; i < c->n; i++) {
		size_t k = i * c->stride;
		double which;

		c->out[i] = 0;
		if (is_active(c, k)) {
			which = which_at(c, k);
			if (which != drawn[i]) {
				number[i] = draw(c, i, which);
				drawn[i] = which;
			}
			c->out[i] = mean[k] + std[k] * number[i];
		}
		c->state[CURRENT][i] = c->out[i];
	}
}

const struct neuron_model neuron_noise_generator = {
	.name = "noise_generator",
	.doc = "A source of Gaussian current for every neuron, constant for dt at a time.",
	.cite = "",
	.kind = NEURON_CURRENT,
	.input = NEURON_IN_NONE,
	.params = params,
	.n_params = N_PARAMS,
	.states = states,
	.n_states = N_STATES,
	.n_coefs = N_COEFS,
	.check = check,
	.prepare = prepare,
	.step = step,
};
