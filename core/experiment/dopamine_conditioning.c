/* dopamine_conditioning - one synapse of a network is found by rewards that come seconds later.
 *
 * Izhikevich (2007): 800 excitatory and 200 inhibitory neurons fire at about a hertz on noise. Whenever
 * a chosen neuron and then another one, onto which it has a synapse, fire within 20 ms, dopamine comes 1
 * to 3 s later. Which synapse earned it is only in the eligibilities by then, and chance coincidences
 * at all the others are as large; but only the chosen one's are followed by dopamine each time.
 *
 * The loop is closed by an observer: it sees the spikes, and promises rewards for the time to come. The
 * control is yoked: a like network that gets the same rewards at the same times, earned by another. The
 * network is that of kit_dopamine.h. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>

#include "core/base/rng.h"
#include "core/kit_dopamine.h"

enum { SECONDS, SEEDS, NEURONS, OUTDEGREE, REWARD, W_MAX, NOISE, YOKED, N_PARAMS };

static const struct param_def params[N_PARAMS] = {
	[SECONDS] = { "seconds", "Model time of each run.", UNIT_NONE, PARAM_INTEGER, 300, 10,
		      1e5 },
	[SEEDS] = { "seeds", "Networks, each with a control.", UNIT_NONE, PARAM_INTEGER, 1, 1,
		    100 },
	[NEURONS] = { "neurons", "Neurons; a fifth of them are inhibitory.", UNIT_NONE,
		      PARAM_INTEGER, 1000, 20, 10000 },
	[OUTDEGREE] = { "synapses", "Synapses from each neuron.", UNIT_NONE, PARAM_INTEGER, 100, 1,
			1000 },
	[REWARD] = { "reward", "Dopamine of a reward; the paper's is 0.5.", UNIT_NONE, PARAM_NUMBER,
		     0.5, 0, 100 },
	[W_MAX] = { "w_max", "Largest weight.", UNIT_WEIGHT, PARAM_NUMBER, 4, 0, 100,
		    PARAM_OPEN_MIN },
	[NOISE] = { "noise", "Range of every neuron's current, drawn evenly each ms.", UNIT_PA,
		    PARAM_NUMBER, 13, 0, 100 },
	[YOKED] = { "control", "Whether the yoked controls are run.", UNIT_NONE, PARAM_BOOL, 1, 0,
		    1 },
};

/* Reached: this part of w_max. Others: their mean's part of w_max. */
#define REACHED 0.99
#define OTHERS	0.3

enum { SAMPLES = 100, WITHIN_MS = 20, LEAST_MS = 1000, MOST_MS = 3000 };

/* The chosen pair; the synapse is a projection of its own. */
enum { PRE, POST };

struct network {
	const struct conditioning *x;
	uint64_t seed;
	struct kit_rewards rewards;
	const struct kit_rewards *yoke; /* whose rewards it gets; NULL: its own */
	struct rng_key key;
	int64_t pre_at; /* step of the chosen pre's last spike; -1: none, or paired */
	size_t population;
	struct kit_sample sample;
	size_t n; /* samples */
	double s[SAMPLES], chosen[SAMPLES], others[SAMPLES], earned[SAMPLES];
	uint64_t spikes;
	double reached_s; /* NaN: never */
};

struct conditioning {
	struct kit_dopamine of;
	double reward;
	size_t n;
	bool yoked;
	struct network *network, *control; /* [n] */
};

/* ---- the network -------------------------------------------------------------------------- */

static void build(struct kit_spec *k, const struct network *net)
{
	const struct kit_dopamine *of = &net->x->of;

	kit_dopamine_build(k, of, net->seed);
	kit_projection(
		k, "chosen", "exc", "exc",
		json_pack("{s:s, s:[i], s:[i]}", "rule", "list", "sources", PRE, "targets", POST),
		kit_dopamine_synapse(of, 0));
}

/* ---- the loop ----------------------------------------------------------------------------- */

static int64_t never(void *self, int64_t t)
{
	(void)self;
	(void)t;
	return INT64_MAX;
}

/* Pre, then post within 20 ms: a reward in 1 to 3 s. Spikes come in order, however slices are cut; the
 * number of the pairing keys the wait. */
static int take_spikes(void *self, const struct sim_view *v, struct err *err)
{
	struct network *net = self;
	const struct sim_spike *x = v->spikes ? v->spikes[net->population] : NULL;
	size_t n = x ? v->n_spikes[net->population] : 0;
	int rc = 0;

	net->spikes += n;
	for (size_t i = 0; i < n && !rc; i++) {
		if (x[i].neuron == POST && net->pre_at >= 0 && x[i].step > net->pre_at &&
		    x[i].step - net->pre_at < WITHIN_MS) {
			int64_t wait =
				LEAST_MS + 1 +
				(int64_t)rng_below(net->key, 0, net->rewards.n, MOST_MS - LEAST_MS);

			rc = kit_rewards_promise(&net->rewards, x[i].step + wait,
						 kit_dopamine_amount(net->x->reward), err);
		}
		if (x[i].neuron == PRE)
			net->pre_at = x[i].step;
	}
	return rc;
}

static int mean_weight(const struct sim *s, const char *projection, double *sum, double *count,
		       struct err *err)
{
	double *w = NULL;
	size_t n = 0;
	int rc = kit_weights(s, projection, &w, &n, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		*sum += w[i];
	*count += (double)n;
	mem_free(w);
	return 0;
}

static int sample(void *self, const struct sim *s, double t_ms, struct err *err)
{
	struct network *net = self;
	double chosen = 0, one = 0, sum = 0, count = 0;
	int rc = mean_weight(s, "chosen", &chosen, &one, err);

	if (!rc)
		rc = mean_weight(s, "exc_exc", &sum, &count, err);
	if (!rc)
		rc = mean_weight(s, "exc_inh", &sum, &count, err);
	if (rc || net->n == SAMPLES)
		return rc;
	net->s[net->n] = t_ms / 1000;
	net->chosen[net->n] = chosen / net->x->of.w_max;
	net->others[net->n] = sum / count / net->x->of.w_max;
	net->earned[net->n] = (double)net->rewards.given;
	if (isnan(net->reached_s) && net->chosen[net->n] >= REACHED)
		net->reached_s = net->s[net->n];
	net->n++;
	return 0;
}

static int at_start(void *self, struct sim *s, struct err *err)
{
	struct network *net = self;
	int rc = kit_rewards_watch(&net->rewards, s, err);

	net->population = (size_t)spec_population(sim_spec(s), "exc");
	net->sample = (struct kit_sample){ .every_ms = net->x->of.seconds * 1000 / SAMPLES,
					   .self = net,
					   .at = sample };
	for (size_t i = 0; net->yoke && i < net->yoke->n && !rc; i++)
		rc = kit_rewards_promise(&net->rewards, net->yoke->list[i].at,
					 net->yoke->list[i].amount, err);
	if (!rc && !net->yoke)
		sim_observe(s, (struct sim_observer){ net, never, take_spikes });
	return rc ? rc : kit_sample_watch(&net->sample, s, err);
}

static int simulate(struct experiment_ctx *c, struct network *nets, size_t n, struct err *err)
{
	struct kit_spec *specs = mem_alloc(n, sizeof(*specs));
	struct engine_look *looks = mem_alloc(n, sizeof(*looks));
	int rc = specs && looks ? 0 : err_nomem(err);

	for (size_t i = 0; i < n && !rc; i++) {
		build(&specs[i], &nets[i]);
		looks[i] = (struct engine_look){ .self = &nets[i], .at_start = at_start };
	}
	if (!rc)
		rc = kit_simulate_many(c, specs, looks, n, err);
	for (size_t i = 0; i < n && specs; i++)
		kit_end(&specs[i]);
	mem_free(specs);
	mem_free(looks);
	return rc;
}

/* ---- what is left ------------------------------------------------------------------------- */

/* Learned: reached its maximum, and the others stayed low on average. */
static bool learned(const struct network *net)
{
	return !isnan(net->reached_s) && net->n && net->others[net->n - 1] < OTHERS;
}

static double part_learned(const struct network *nets, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += learned(&nets[i]);
	return sum / (double)n;
}

enum { T_SEED, T_S, T_CHOSEN, T_OTHERS, T_CONTROL, T_EARNED, T_COLUMNS };

static int leave_time(struct experiment_ctx *c, const struct conditioning *x, struct err *err)
{
	struct kit_column columns[T_COLUMNS] = {
		{ "seed", "", NULL },	{ "time_s", "s", NULL }, { "chosen", "", NULL },
		{ "others", "", NULL }, { "control", "", NULL }, { "rewards", "", NULL },
	};
	size_t rows = x->n * SAMPLES;
	double *v = mem_alloc(rows, T_COLUMNS * sizeof(*v));
	int rc;

	if (!v)
		return err_nomem(err);
	for (size_t k = 0; k < T_COLUMNS; k++)
		columns[k].x = v + k * rows;
	for (size_t i = 0; i < rows; i++) {
		size_t seed = i / SAMPLES, k = i % SAMPLES;
		const struct network *net = &x->network[seed];

		v[T_SEED * rows + i] = (double)seed + 1;
		v[T_S * rows + i] = net->s[k];
		v[T_CHOSEN * rows + i] = net->chosen[k];
		v[T_OTHERS * rows + i] = net->others[k];
		v[T_CONTROL * rows + i] =
			x->yoked ? x->control[i / SAMPLES].chosen[k] : (double)NAN;
		v[T_EARNED * rows + i] = net->earned[k];
	}
	rc = kit_table(c, "time", columns, T_COLUMNS, rows, err);
	mem_free(v);
	return rc;
}

enum { S_SEED, S_REACHED, S_CHOSEN, S_OTHERS, S_REWARDS, S_RATE, S_CONTROL, S_COLUMNS };

static int leave_seeds(struct experiment_ctx *c, const struct conditioning *x, struct err *err)
{
	struct kit_column columns[S_COLUMNS] = {
		{ "seed", "", NULL },	 { "reached_s", "s", NULL }, { "chosen", "", NULL },
		{ "others", "", NULL },	 { "rewards", "", NULL },    { "rate_hz", "Hz", NULL },
		{ "control", "", NULL },
	};
	double *v = mem_alloc(x->n, S_COLUMNS * sizeof(*v));
	int rc;

	if (!v)
		return err_nomem(err);
	for (size_t k = 0; k < S_COLUMNS; k++)
		columns[k].x = v + k * x->n;
	for (size_t i = 0; i < x->n; i++) {
		const struct network *net = &x->network[i];
		size_t exc = kit_dopamine_excitatory(&x->of);

		v[S_SEED * x->n + i] = (double)i + 1;
		v[S_REACHED * x->n + i] = net->reached_s;
		v[S_CHOSEN * x->n + i] = net->chosen[SAMPLES - 1];
		v[S_OTHERS * x->n + i] = net->others[SAMPLES - 1];
		v[S_REWARDS * x->n + i] = (double)net->rewards.given;
		v[S_RATE * x->n + i] = (double)net->spikes / (double)exc / x->of.seconds;
		v[S_CONTROL * x->n + i] =
			x->yoked ? x->control[i].chosen[SAMPLES - 1] : (double)NAN;
	}
	rc = kit_table(c, "seeds", columns, S_COLUMNS, x->n, err);
	mem_free(v);
	return rc;
}

static int leave(struct experiment_ctx *c, const struct conditioning *x, struct err *err)
{
	double part = part_learned(x->network, x->n);
	int rc = leave_time(c, x, err);

	engine_score(c, part);
	if (!rc)
		rc = leave_seeds(c, x, err);
	if (!rc)
		rc = engine_target(c, &(struct engine_target){ "part_learned", "", part, 0.8, 1 },
				   err);
	if (!rc && x->yoked)
		rc = engine_target(c,
				   &(struct engine_target){ "control_part_learned", "",
							    part_learned(x->control, x->n), 0,
							    0.2 },
				   err);
	return rc;
}

/* ---- the run ------------------------------------------------------------------------------ */

static int make(struct conditioning *x, uint64_t seed, struct err *err)
{
	struct rng_key key = rng_key(seed, RNG_EXPERIMENT, "dopamine_conditioning");

	x->network = mem_alloc(x->n, sizeof(*x->network));
	x->control = mem_alloc(x->n, sizeof(*x->control));
	if (!x->network || !x->control)
		return err_nomem(err);
	for (size_t i = 0; i < x->n; i++) {
		struct network net = { .x = x, .pre_at = -1, .reached_s = (double)NAN };

		net.seed = rng_u64(key, i, 0);
		net.key = rng_key(net.seed, RNG_EXPERIMENT, "reward");
		x->network[i] = net;
		net.seed = rng_u64(key, i, 1);
		net.yoke = &x->network[i].rewards;
		x->control[i] = net;
	}
	return 0;
}

static void forget(struct conditioning *x)
{
	for (size_t i = 0; i < x->n; i++) {
		if (x->network)
			kit_rewards_free(&x->network[i].rewards);
		if (x->control)
			kit_rewards_free(&x->control[i].rewards);
	}
	mem_free(x->network);
	mem_free(x->control);
}

static int run(struct experiment_ctx *c, struct err *err)
{
	const json_t *p = engine_params(c);
	struct conditioning x = {
		.of = { .neurons = (size_t)kit_number(p, params[NEURONS].name),
			.outdegree = (size_t)kit_number(p, params[OUTDEGREE].name),
			.w_max = kit_number(p, params[W_MAX].name),
			.noise = kit_number(p, params[NOISE].name),
			.seconds = kit_number(p, params[SECONDS].name) },
		.reward = kit_number(p, params[REWARD].name),
		.n = (size_t)kit_number(p, params[SEEDS].name),
		.yoked = kit_true(p, params[YOKED].name),
	};
	int rc = make(&x, engine_seed(c), err);

	if (!rc)
		rc = simulate(c, x.network, x.n, err);
	if (!rc && x.yoked)
		rc = simulate(c, x.control, x.n, err);
	if (!rc)
		rc = leave(c, &x, err);
	forget(&x);
	return rc;
}

static const struct experiment_plot plots[] = {
	{ .table = "time",
	  .title = "Weights over time, parts of the largest",
	  .text = "The chosen synapse climbs to the maximum while the mean of all others stays "
		  "low; "
		  "the same rewards leave the one of the control, which did not earn them, low "
		  "too.",
	  .x = "time_s",
	  .by = "seed",
	  .curve = { { .y = "chosen", .label = "chosen" },
		     { .y = "others", .label = "mean of the others" },
		     { .y = "control", .label = "chosen, rewards of another" } } },
	{ .table = "time",
	  .title = "Rewards",
	  .text = "Each follows the chosen pair by 1 to 3 s; they come faster as its synapse "
		  "grows.",
	  .x = "time_s",
	  .by = "seed",
	  .curve = { { .y = "rewards", .label = "rewards so far" } } },
};

const struct experiment experiment_dopamine_conditioning = {
	.name = "dopamine_conditioning",
	.title = "Reward that comes too late",
	.doc = "Rewards seconds after two neurons fired in order find the synapse between them "
	       "among "
	       "all that were active.",
	.cite = "10.1093/cercor/bhl152",
	.score = { "part_learned", "of seeds", true,
		   "Izhikevich (2007): the synapse reaches the maximum within about an hour; 8 of "
		   "10 "
		   "seeds are asked for." },
	.science = "{\"seconds\": 3600, \"seeds\": 10}",
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.run = run,
};
