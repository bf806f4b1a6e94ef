/* istdp_balance - inhibitory plasticity brings excitation and inhibition into balance.
 *
 * Vogels, Sprekeler, Zenke, Clopath & Gerstner (2011), doi:10.1126/science.1211095: symmetric STDP of
 * inhibitory synapses with a step down at each presynaptic spike has its fixed point where the target
 * fires at rho_0 = alpha / (2 tau).
 *
 * One cell: 8 groups of 100 excitatory and 25 inhibitory inputs; the rate of a group goes up and down
 * with a signal of its own, and the cell prefers one group's excitation. Inhibition begins at next to
 * nothing and comes to mirror excitation, group by group. The control is the same cell without
 * plasticity.
 *
 * A network: 4 parts excitatory, 1 part inhibitory cells; the inhibitory synapses onto excitatory
 * cells learn, and a network that first fires in unison becomes asynchronous and irregular. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fmath.h"
#include "core/base/rng.h"
#include "core/kit_trains.h"

enum { RHO_0, ETA, CELL_S, NETWORK_S, NETWORK_RHO_0, NETWORK_ETA, NEURONS, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[RHO_0] = { "rho_0_hz", "The rate the cell's inhibition aims at.", UNIT_HZ, PARAM_NUMBER, 5,
		    0.1, 50 },
	[ETA] = { "eta", "Learning rate of the cell's inhibition.", UNIT_NS, PARAM_NUMBER, 0.002, 0,
		  1 },
	[CELL_S] = { "cell_s", "Time of the cell, seconds; the second half is measured.", UNIT_NONE,
		     PARAM_NUMBER, 200, 1, 1e4 },
	[NETWORK_S] = { "network_s", "Time of the network, seconds; the second half is measured.",
			UNIT_NONE, PARAM_NUMBER, 10, 1, 1e4 },
	[NETWORK_RHO_0] = { "network_rho_0_hz", "The rate the network's inhibition aims at.",
			    UNIT_HZ, PARAM_NUMBER, 3, 0.1, 50 },
	[NETWORK_ETA] = { "network_eta", "Learning rate of the network's inhibition.", UNIT_NS,
			  PARAM_NUMBER, 0.05, 0, 1 },
	[NEURONS] = { "neurons", "Cells of the network; each has 200 inputs.", UNIT_NONE,
		      PARAM_INTEGER, 1000, 500, 20000 },
};

enum { GROUPS = 8, EX = 100, IN = 25, PREFERRED = 4, DEGREE = 200 };

#define DT_MS	   0.2
#define TAU_MS	   20.0 /* of the plasticity */
#define TAU_EX_MS  5.0
#define TAU_IN_MS  10.0
#define E_EX_MV	   0.0
#define E_IN_MV	   -80.0
#define SIGNAL_MS  5.0	/* a group's rate is constant for so long */
#define SIGNAL_TAU 50.0 /* ms: how long it remembers */
#define RATE_MEAN  10.0 /* Hz, before what is below 0 is cut off */
#define RATE_SD	   10.0
#define G_EX	   0.2	/* nS, of the preferred group */
#define W_START	   1e-3 /* nS */
#define I_CELL \
	100.0 /* pA: to the threshold and no further, so that inputs need not add up to more than 0 */
#define I_NETWORK 200.0
#define CONTROL_S 20.0

/* ---- the cell ---- */

struct cell {
	double rho_0, eta, seconds;
	bool plastic;
	uint64_t seed;
	struct kit_spikes spikes; /* all of them */
	struct kit_sample sample;
	/* Every ms of the measured half. */
	double *t, *i_ex, *i_in; /* [n_samples] s, pA, pA */
	size_t n_samples, n_max;
	double v_sum;		/* of V_m over the samples */
	double rate_of[GROUPS]; /* mean, Hz */
	double w[GROUPS];	/* mean inhibitory weights at the end, nS */
};

/* Excitatory weights, nS: tuned to one group. */
static double g_ex(size_t group)
{
	double d = (double)group - PREFERRED;

	return G_EX * (0.3 + 1.1 / (1 + d * d * d * d)) / 1.4;
}

/* A group's rates: what is above 0 of a random walk that forgets; both lists of the generator. */
static json_t *signal(struct cell *x, size_t group)
{
	struct rng_key key = rng_key(x->seed, RNG_EXPERIMENT, "istdp_balance signal");
	double keep = fmath_exp(-SIGNAL_MS / SIGNAL_TAU), sum = 0, s = rng_normal(key, group, 0);
	size_t n = (size_t)ceil(1000 * x->seconds / SIGNAL_MS);
	json_t *times = json_array(), *rates = json_array();
	bool ok = times && rates;

	for (size_t i = 0; i < n && ok; i++) {
		double rate = fmax(0, RATE_MEAN + RATE_SD * s);

		s = keep * s + sqrt(1 - keep * keep) * rng_normal(key, group, i + 1);
		sum += rate;
		ok = !json_array_append_new(times, json_real((double)i * SIGNAL_MS)) &&
		     !json_array_append_new(rates, json_real(rate));
	}
	x->rate_of[group] = sum / (double)n;
	if (ok)
		return json_pack("{s:o, s:o}", "rate_times", times, "rate_values", rates);
	json_decref(times);
	json_decref(rates);
	return NULL;
}

static json_t *inhibitory(double eta, double rho_0)
{
	return json_pack("{s:s, s:f, s:f, s:{s:f, s:f, s:f, s:f, s:f}}", "model", "stdp_inhibitory",
			 "weight", -W_START, "delay_ms", 1.0, "params", "eta", eta, "alpha",
			 2e-3 * rho_0 * TAU_MS, "tau_plus", TAU_MS, "tau_minus", TAU_MS, "w_max",
			 100.0);
}

static json_t *fixed(double weight)
{
	return json_pack("{s:s, s:f, s:f}", "model", "static", "weight", weight, "delay_ms", 1.0);
}

static json_t *neuron(double i_e)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "C_m", 200.0,
			 "g_L", 10.0, "E_L", -60.0, "V_th", -50.0, "V_reset", -60.0, "t_ref", 5.0,
			 "E_ex", E_EX_MV, "E_in", E_IN_MV, "tau_syn_ex", TAU_EX_MS, "tau_syn_in",
			 TAU_IN_MS, "I_e", i_e);
}

static void name_of(char ret[32], const char *what, size_t group)
{
	(void)snprintf(ret, 32, "%s_%zu", what, group);
}

static void build_cell(struct kit_spec *k, struct cell *x)
{
	kit_begin(k, DT_MS, 1000 * x->seconds, x->seed);
	kit_population(k, "cell", "iaf_cond_exp", 1, neuron(I_CELL));
	for (size_t i = 0; i < GROUPS; i++) {
		char ex[32], in[32], name[32];
		json_t *rates = signal(x, i);

		name_of(ex, "ex", i);
		name_of(in, "in", i);
		kit_population(k, ex, "inhomogeneous_poisson_generator", EX, json_incref(rates));
		kit_population(k, in, "inhomogeneous_poisson_generator", IN, rates);
		name_of(name, "excite", i);
		kit_projection(k, name, ex, "cell", kit_rule("all_to_all"), fixed(g_ex(i)));
		name_of(name, "inhibit", i);
		kit_projection(k, name, in, "cell", kit_rule("all_to_all"),
			       x->plastic ? inhibitory(x->eta, x->rho_0) : fixed(-W_START));
	}
}

static double state_of(const struct sim *s, const char *population, const char *name)
{
	size_t p = (size_t)spec_population(sim_spec(s), population);
	const struct neuron_model *m = sim_spec(s)->populations[p].model;
	size_t i = 0;

	while (strcmp(m->states[i].name, name) != 0)
		i++;
	return sim_state(s, p, i)[0];
}

static int take_currents(void *self, const struct sim *s, double t_ms, struct err *err)
{
	struct cell *x = self;
	double v;

	(void)err;
	if (t_ms <= 500 * x->seconds || x->n_samples == x->n_max)
		return 0;
	v = state_of(s, "cell", "V_m");
	x->t[x->n_samples] = 1e-3 * t_ms;
	x->i_ex[x->n_samples] = state_of(s, "cell", "g_ex") * (E_EX_MV - v);
	x->i_in[x->n_samples++] = state_of(s, "cell", "g_in") * (E_IN_MV - v);
	x->v_sum += v;
	return 0;
}

static int cell_begins(void *self, struct sim *s, struct err *err)
{
	struct cell *x = self;
	int rc = kit_spikes_watch(&x->spikes, s, err);

	return rc ? rc : kit_sample_watch(&x->sample, s, err);
}

static int cell_ends(void *self, const struct sim *s, struct err *err)
{
	struct cell *x = self;
	int rc = 0;

	for (size_t i = 0; i < GROUPS && !rc; i++) {
		char name[32];
		double *w = NULL;
		size_t n = 0;

		name_of(name, "inhibit", i);
		rc = kit_weights(s, name, &w, &n, err);
		if (!rc)
			x->w[i] = -kit_mean(w, n);
		mem_free(w);
	}
	return rc;
}

static int begin_cell(struct cell *x, const json_t *p, bool plastic, uint64_t seed,
		      struct mem_arena *arena, struct err *err)
{
	*x = (struct cell){
		.rho_0 = kit_number(p, params[RHO_0].name),
		.eta = kit_number(p, params[ETA].name),
		.seconds = kit_number(p, params[CELL_S].name),
		.plastic = plastic,
		.seed = seed,
		.spikes = { .population = "cell" },
		.sample = { .every_ms = 1, .self = x, .at = take_currents },
	};
	x->n_max = (size_t)(500 * x->seconds) + 2;
	x->t = NEW(arena, double, x->n_max);
	x->i_ex = NEW(arena, double, x->n_max);
	x->i_in = NEW(arena, double, x->n_max);
	return x->t && x->i_ex && x->i_in ? 0 : err_nomem(err);
}

/* ---- the network ---- */

struct network {
	double rho_0, eta, seconds;
	size_t neurons;
	uint64_t seed;
	struct kit_spikes spikes, inhibitory; /* of the excitatory cells; of the others */
	struct kit_sample sample;
	double w[2]; /* mean of the plastic weights in the middle and at the end, nS */
};

static size_t excitatory(const struct network *x)
{
	return x->neurons - x->neurons / 5;
}

static json_t *sparse(const struct network *x)
{
	return json_pack("{s:s, s:f}", "rule", "pairwise_bernoulli", "p",
			 fmin(1, DEGREE / (double)x->neurons));
}

static void build_network(struct kit_spec *k, const struct network *x)
{
	kit_begin(k, DT_MS, 1000 * x->seconds, x->seed);
	kit_population(k, "e", "iaf_cond_exp", excitatory(x), neuron(I_NETWORK));
	kit_population(k, "i", "iaf_cond_exp", x->neurons / 5, neuron(I_NETWORK));
	kit_set(k, "populations", "e", "init",
		json_pack("{s:{s:[f, f]}}", "V_m", "uniform", -60.0, -50.0));
	kit_set(k, "populations", "i", "init",
		json_pack("{s:{s:[f, f]}}", "V_m", "uniform", -60.0, -50.0));
	kit_projection(k, "e_to_e", "e", "e", sparse(x), fixed(0.3));
	kit_projection(k, "e_to_i", "e", "i", sparse(x), fixed(0.3));
	kit_projection(k, "i_to_i", "i", "i", sparse(x), fixed(-3));
	kit_projection(k, "i_to_e", "i", "e", sparse(x), inhibitory(x->eta, x->rho_0));
}

/* In the middle, and at the end. */
static int take_weights(void *self, const struct sim *s, double t_ms, struct err *err)
{
	struct network *x = self;
	double *w = NULL;
	size_t n = 0;
	int rc = kit_weights(s, "i_to_e", &w, &n, err);

	if (!rc)
		x->w[t_ms > 750 * x->seconds] = -kit_mean(w, n);
	mem_free(w);
	return rc;
}

static int network_begins(void *self, struct sim *s, struct err *err)
{
	struct network *x = self;
	int rc = kit_spikes_watch(&x->spikes, s, err);

	if (!rc)
		rc = kit_spikes_watch(&x->inhibitory, s, err);
	return rc ? rc : kit_sample_watch(&x->sample, s, err);
}

/* What the rule takes for the target's rate: a weight changes by eta (2 tau rate - alpha) for each
 * presynaptic spike. It is less than the rate where inhibition works, for the target is silent just
 * after a presynaptic spike. */
static double felt_rate(const struct network *x)
{
	double half = 500 * x->seconds;
	double spikes =
		0.5 * x->seconds * kit_trains_rate(&x->inhibitory, half, 2 * half, x->neurons / 5);

	return x->rho_0 + (x->w[1] - x->w[0]) / (x->eta * spikes * 2e-3 * TAU_MS);
}

static void begin_network(struct network *x, const json_t *p, uint64_t seed)
{
	*x = (struct network){
		.rho_0 = kit_number(p, params[NETWORK_RHO_0].name),
		.eta = kit_number(p, params[NETWORK_ETA].name),
		.seconds = kit_number(p, params[NETWORK_S].name),
		.neurons = (size_t)kit_number(p, params[NEURONS].name),
		.seed = seed,
		.spikes = { .population = "e" },
		.inhibitory = { .population = "i" },
		.sample = { .every_ms = 500 * kit_number(p, params[NETWORK_S].name),
			    .self = x,
			    .at = take_weights },
	};
}

/* ---- numbers ---- */

/* Rates in bins. */
static int leave_rate(struct experiment_ctx *c, const char *name, const struct kit_spikes *k,
		      double seconds, size_t neurons, struct mem_arena *arena, struct err *err)
{
	double bin = seconds / 100;
	enum { BINS = 100 };
	double *t = NEW(arena, double, BINS), *rate = NEW(arena, double, BINS);
	const struct kit_column columns[] = { { "t_s", "s", t }, { "rate_hz", "Hz", rate } };

	if (!t || !rate)
		return err_nomem(err);
	for (size_t i = 0; i < k->n; i++) {
		size_t at = (size_t)(1e-3 * k->ms[i] / bin);

		rate[at < BINS ? at : BINS - 1] += 1 / (bin * (double)neurons);
	}
	for (size_t i = 0; i < BINS; i++)
		t[i] = ((double)i + 0.5) * bin;
	return kit_table(c, name, columns, COUNTOF(columns), BINS, err);
}

/* ---- what is left ---- */

static int target(struct experiment_ctx *c, const char *name, const char *unit, double value,
		  double low, double high, struct err *err)
{
	return engine_target(c, &(struct engine_target){ name, unit, value, low, high }, err);
}

static int leave_groups(struct experiment_ctx *c, const struct cell *x, struct err *err)
{
	enum { GROUP, EXCITES, INHIBITS, NET, N };
	double v = x->v_sum / (double)x->n_samples, y[N][GROUPS];
	const struct kit_column columns[] = {
		{ "group", "", y[GROUP] },
		{ "i_ex", "pA", y[EXCITES] },
		{ "i_in_mirrored", "pA", y[INHIBITS] },
		{ "net", "pA", y[NET] },
		{ "w_in", "nS", x->w },
	};
	int rc;

	for (size_t i = 0; i < GROUPS; i++) {
		double rate = 1e-3 * x->rate_of[i];

		y[GROUP][i] = (double)i + 1;
		y[EXCITES][i] = EX * rate * TAU_EX_MS * g_ex(i) * (E_EX_MV - v);
		y[INHIBITS][i] = IN * rate * TAU_IN_MS * x->w[i] * (v - E_IN_MV);
		y[NET][i] = y[EXCITES][i] - y[INHIBITS][i];
	}
	rc = kit_table(c, "groups", columns, COUNTOF(columns), GROUPS, err);
	return rc ? rc
		  : target(c, "correlation of currents", "",
			   kit_correlation(y[EXCITES], y[INHIBITS], GROUPS), 0.9, 1, err);
}

static int leave_currents(struct experiment_ctx *c, const struct cell *x, struct err *err)
{
	enum { SHOWN = 1000 };
	size_t n = x->n_samples < SHOWN ? x->n_samples : SHOWN, from = x->n_samples - n;
	const struct kit_column columns[] = {
		{ "t_s", "s", x->t + from },
		{ "i_ex", "pA", x->i_ex + from },
		{ "i_in", "pA", x->i_in + from },
	};
	int rc = kit_table(c, "currents", columns, COUNTOF(columns), n, err);

	return rc ? rc
		  : engine_metric(c, "correlation_in_time",
				  -kit_correlation(x->i_ex, x->i_in, x->n_samples), err);
}

static int leave_cell(struct experiment_ctx *c, const struct cell *x, const struct cell *control,
		      struct mem_arena *arena, struct err *err)
{
	double half = 500 * x->seconds, cv = 0;
	double rate = kit_trains_rate(&x->spikes, half, 2 * half, 1);
	double without = kit_trains_rate(&control->spikes, 500 * control->seconds,
					 1000 * control->seconds, 1);
	int rc = kit_trains_cv(&x->spikes, half, 1, arena, &cv, err);

	engine_score(c, fabs(rate / x->rho_0 - 1));
	if (!rc)
		rc = leave_rate(c, "cell_rate", &x->spikes, x->seconds, 1, arena, err);
	if (!rc)
		rc = target(c, "cell rate", "Hz", rate, 0.9 * x->rho_0, 1.1 * x->rho_0, err);
	if (!rc)
		rc = leave_groups(c, x, err);
	if (!rc)
		rc = target(c, "cell CV", "", cv, 0.8, HUGE_VAL, err);
	if (!rc)
		rc = target(c, "cell rate without plasticity", "Hz", without, 2 * x->rho_0,
			    HUGE_VAL, err);
	return rc ? rc : leave_currents(c, x, err);
}

static int leave_network(struct experiment_ctx *c, const struct network *x, struct mem_arena *arena,
			 struct err *err)
{
	double half = 500 * x->seconds, cv = 0, correlation = 0;
	size_t n = excitatory(x);
	double rate = kit_trains_rate(&x->spikes, half, 2 * half, n);
	int rc = kit_trains_cv(&x->spikes, half, n, arena, &cv, err);

	if (!rc)
		rc = kit_trains_correlation(&x->spikes, half, 2 * half, n, arena, &correlation,
					    err);
	if (!rc)
		rc = leave_rate(c, "network_rate", &x->spikes, x->seconds, n, arena, err);
	if (!rc)
		rc = engine_metric(c, "network_rate_at_first",
				   kit_trains_rate(&x->spikes, 0, 50, n), err);
	if (!rc)
		rc = target(c, "network rate", "Hz", rate, 0.9 * x->rho_0, 1.1 * x->rho_0, err);
	if (!rc && x->eta > 0)
		rc = target(c, "network rate felt by the rule", "Hz", felt_rate(x), 0.9 * x->rho_0,
			    1.1 * x->rho_0, err);
	if (!rc && rate > 1.1 * x->rho_0)
		rc = engine_remark(c, err,
				   "The network fires at %.2f Hz for a rho_0 of %g Hz: inhibitory "
				   "spikes silence their targets for a while, which the rule takes "
				   "for a lower rate.",
				   rate, x->rho_0);
	if (!rc)
		rc = target(c, "network CV", "", cv, 0.8, HUGE_VAL, err);
	return rc ? rc : target(c, "network correlation", "", correlation, -HUGE_VAL, 0.05, err);
}

/* ---- the run ---- */

enum { CELL, CONTROL, NETWORK, N_SIMS };

static int run_all(struct experiment_ctx *c, struct cell *cell, struct network *net,
		   struct mem_arena *arena, struct err *err)
{
	const json_t *p = engine_params(c);
	const struct engine_look looks[N_SIMS] = {
		[CELL] = { &cell[0], cell_begins, cell_ends },
		[CONTROL] = { &cell[1], cell_begins, cell_ends },
		[NETWORK] = { net, network_begins, NULL },
	};
	struct kit_spec specs[N_SIMS];
	int rc = begin_cell(&cell[0], p, true, engine_seed(c), arena, err);

	if (!rc)
		rc = begin_cell(&cell[1], p, false, engine_seed(c), arena, err);
	if (rc)
		return rc;
	cell[1].seconds = fmin(cell[1].seconds, CONTROL_S);
	begin_network(net, p, engine_seed(c));
	build_cell(&specs[CELL], &cell[0]);
	build_cell(&specs[CONTROL], &cell[1]);
	build_network(&specs[NETWORK], net);
	rc = kit_simulate_many(c, specs, looks, N_SIMS, err);
	for (size_t i = 0; i < N_SIMS; i++)
		kit_end(&specs[i]);
	if (!rc)
		rc = leave_cell(c, &cell[0], &cell[1], arena, err);
	return rc ? rc : leave_network(c, net, arena, err);
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct cell cell[2] = { 0 };
	struct network net = { 0 };
	struct mem_arena arena;
	int rc;

	mem_arena_init(&arena, 0);
	rc = run_all(c, cell, &net, &arena, err);
	kit_spikes_free(&cell[0].spikes);
	kit_spikes_free(&cell[1].spikes);
	kit_spikes_free(&net.spikes);
	kit_spikes_free(&net.inhibitory);
	mem_arena_release(&arena);
	return rc;
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct network net;
	struct kit_spec k;
	int rc;

	begin_network(&net, p, 1);
	build_network(&k, &net);
	rc = kit_check(&k, prefix, limits, errors);
	kit_end(&k);
	return rc;
}

static const struct experiment_plot plots[] = {
	{ .table = "cell_rate",
	  .title = "Rate of the cell",
	  .text = "From far above it comes down to rho_0 and stays.",
	  .x = "t_s",
	  .curve = { { .y = "rate_hz" } } },
	{ .table = "groups",
	  .title = "Currents by group of inputs",
	  .text = "Inhibition, mirrored, lies on excitation: it has found the preferred group.",
	  .x = "group",
	  .curve = { { .y = "i_ex" }, { .y = "i_in_mirrored" }, { .y = "net" } } },
	{ .table = "currents",
	  .title = "Currents of the last second",
	  .text = "Inhibition follows excitation, a little later and smoother.",
	  .x = "t_s",
	  .curve = { { .y = "i_ex" }, { .y = "i_in" } } },
	{ .table = "network_rate",
	  .title = "Rate of the network's excitatory cells",
	  .text = "It begins at the cells' highest rate and ends at its rho_0.",
	  .x = "t_s",
	  .curve = { { .y = "rate_hz" } } },
};

const struct experiment experiment_istdp_balance = {
	.name = "istdp_balance",
	.title = "Inhibitory plasticity finds the balance",
	.doc = "Inhibitory STDP brings a cell and a network to a rate and inhibition to mirror "
	       "excitation, input by input.",
	.cite = "10.1126/science.1211095",
	.score = { "rate_error", "", false,
		   "Fixed point alpha / (2 tau) of uncorrelated spikes (Vogels et al. 2011): the "
		   "cell's rate is rho_0; relative." },
	.science = "{\"cell_s\": 400, \"network_s\": 60, \"neurons\": 10000}",
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
