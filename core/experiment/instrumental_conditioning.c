/* instrumental_conditioning - a network learns which of two answers is rewarded, and learns anew.
 *
 * After Izhikevich (2007): in the network of kit_dopamine.h a group S of neurons is made to fire every few
 * seconds, and the spikes of two groups A and B in the 20 ms after that are counted. The group that fired
 * more has answered (equal: a coin). An answer A is rewarded, up to a second later; after half of the trials
 * it is B instead. No neuron is told who answered: each synapse that was active in time has its
 * eligibility, and meets the dopamine.
 *
 * The defaults are a fifth of the paper's network, for a run of seconds; `make science` takes all of it.
 *
 * With `expected_trials` dopamine is by how much the outcome was better than the running mean of outcomes,
 * and falls short of its level when a reward fails to come (Schultz, Dayan & Montague 1997; Fremaux,
 * Sprekeler & Gerstner 2010); without, as in the paper, there is only reward.
 *
 * The control is yoked: a like network in which each trial ends as it did in the other, whatever it
 * answers itself. It cannot be right in both halves but by chance. */
/* SPDX-License-Identifier: MIT */
#include "core/model/experiment.h"

#include <math.h>
#include <stdio.h>

#include "core/base/rng.h"
#include "core/kit_dopamine.h"

enum {
	TRIALS,
	INTERVAL,
	SEEDS,
	NEURONS,
	OUTDEGREE,
	GROUP,
	REWARD,
	EXPECTED,
	W_MAX,
	NOISE,
	YOKED,
	N_PARAMS
};

static const struct param_def params[N_PARAMS] = {
	[TRIALS] = { "trials", "Trials before the reversal, and as many after it.", UNIT_NONE,
		     PARAM_INTEGER, 200, 15, 1000 },
	[INTERVAL] = { "interval_s", "Time between two trials.", UNIT_NONE, PARAM_NUMBER, 1.5, 1.2,
		       100 },
	[SEEDS] = { "seeds", "Networks, each with a control.", UNIT_NONE, PARAM_INTEGER, 1, 1,
		    100 },
	[NEURONS] = { "neurons", "Neurons; a fifth of them are inhibitory.", UNIT_NONE,
		      PARAM_INTEGER, 200, 20, 10000 },
	[OUTDEGREE] = { "synapses", "Synapses from each neuron.", UNIT_NONE, PARAM_INTEGER, 25, 1,
			1000 },
	[GROUP] = { "group", "Neurons of each of the three groups.", UNIT_NONE, PARAM_INTEGER, 50,
		    2, 1000 },
	[REWARD] = { "reward", "Dopamine of a reward; the paper's is 0.5.", UNIT_NONE, PARAM_NUMBER,
		     0.5, 0, 100 },
	[EXPECTED] = { "expected_trials",
		       "Trials of the running mean of outcomes from which dopamine is the "
		       "difference; 0: there is only reward, as in the paper.",
		       UNIT_NONE, PARAM_NUMBER, 8, 0, 1000 },
	[W_MAX] = { "w_max", "Largest weight.", UNIT_WEIGHT, PARAM_NUMBER, 4, 0, 100,
		    PARAM_OPEN_MIN },
	[NOISE] = { "noise", "Range of every neuron's current, drawn evenly each ms.", UNIT_PA,
		    PARAM_NUMBER, 13, 0, 100 },
	[YOKED] = { "control", "Whether the yoked controls are run.", UNIT_NONE, PARAM_BOOL, 1, 0,
		    1 },
};

enum { WITHIN_MS = 20, LEAST_MS = 100, MOST_MS = 1000, TRIALS_MAX = 2000, BLOCK = 25, LAST = 50 };
enum { BLOCKS_MAX = TRIALS_MAX / BLOCK };

/* Current that makes a neuron of S fire at once. */
#define STIMULUS 100.0
/* Learned: this part right in the last trials before and after the reversal. */
#define RIGHT 0.9

/* Groups by number: S, A, B, one behind the other. */
enum { GROUP_S, GROUP_A, GROUP_B };

struct network {
	const struct choice *x;
	uint64_t seed;
	struct kit_rewards rewards;
	const struct network *yoke; /* whose outcomes it gets; NULL: its own */
	struct rng_key key;
	size_t population, trial, count[GROUP_B + 1];
	double expected;
	bool right[TRIALS_MAX];
	struct kit_sample sample;
	size_t n; /* samples */
	double to[BLOCKS_MAX][GROUP_B + 1];
};

struct choice {
	struct kit_dopamine of;
	double interval_ms, reward, running; /* running: trials of the mean */
	size_t n, trials, group, last;	     /* trials: in all; last: of a half, to judge by */
	bool yoked;
	struct network *network, *control; /* [n] */
};

/* ---- the network -------------------------------------------------------------------------- */

/* The generator's spike of a trial; S fires a step later. */
static int64_t stimulus_at(const struct choice *x, size_t trial)
{
	return (int64_t)(x->interval_ms * (double)(trial + 1));
}

/* first, first + step, ...: NULL if there is no memory. */
static json_t *integers(size_t n, int64_t first, int64_t step)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++)
		if (json_array_append_new(list, json_integer(first + (json_int_t)i * step))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* From the generator to each of S. */
static json_t *onto_s(const struct choice *x)
{
	json_t *from = integers(x->group, 0, 0), *to = integers(x->group, 0, 1);

	if (from && to)
		return json_pack("{s:s, s:o, s:o}", "rule", "list", "sources", from, "targets", to);
	json_decref(from);
	json_decref(to);
	return NULL;
}

static void build(struct kit_spec *k, const struct network *net)
{
	const struct choice *x = net->x;
	int64_t first = stimulus_at(x, 0);
	json_t *times = integers(x->trials, first, stimulus_at(x, 1) - first);

	kit_dopamine_build(k, &x->of, net->seed);
	kit_population(k, "stimulus", "spike_generator", 1,
		       times ? json_pack("{s:o}", "spike_times", times) : NULL);
	kit_projection(k, "stimulus", "stimulus", "exc", onto_s(x),
		       json_pack("{s:s, s:f, s:f}", "model", "static", "weight", STIMULUS,
				 "delay_ms", 1.0));
}

/* ---- the loop ----------------------------------------------------------------------------- */

static int64_t never(void *self, int64_t t)
{
	(void)self;
	(void)t;
	return INT64_MAX;
}

/* What the trial brings: dopamine in a while, or less of it. */
static int reward(struct network *net, double outcome, int64_t t, struct err *err)
{
	const struct choice *x = net->x;
	double wait = LEAST_MS + 1 + (double)rng_below(net->key, 0, net->trial, MOST_MS - LEAST_MS);
	double da = outcome - (x->running > 0 ? net->expected : 0);

	if (x->running > 0)
		net->expected += (outcome - net->expected) / fmax(x->running, 1);
	if (da == 0)
		return 0;
	return kit_rewards_promise(&net->rewards, t + (int64_t)wait,
				   kit_dopamine_amount(x->reward * da), err);
}

/* The trial is over at t. */
static int judge(struct network *net, int64_t t, struct err *err)
{
	size_t a = net->count[GROUP_A], b = net->count[GROUP_B], i = net->trial;
	bool first = a != b ? a > b : rng_below(net->key, 1, i, 2) == 0;
	int rc;

	net->right[i] = first == (2 * i < net->x->trials);
	rc = reward(net, net->yoke ? net->yoke->right[i] : net->right[i], t, err);
	net->count[GROUP_A] = net->count[GROUP_B] = 0;
	net->trial++;
	return rc;
}

/* Trials whose time was over by t. */
static int judge_until(struct network *net, int64_t t, struct err *err)
{
	int rc = 0;

	while (!rc && net->trial < net->x->trials) {
		int64_t end = stimulus_at(net->x, net->trial) + 1 + WITHIN_MS;

		if (end > t)
			break;
		rc = judge(net, end, err);
	}
	return rc;
}

/* Spikes come in order, however slices are cut. */
static int take_spikes(void *self, const struct sim_view *v, struct err *err)
{
	struct network *net = self;
	const struct sim_spike *s = v->spikes ? v->spikes[net->population] : NULL;
	size_t n = s ? v->n_spikes[net->population] : 0, group = net->x->group;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		rc = judge_until(net, s[i].step - 1, err);
		if (net->trial < net->x->trials && s[i].neuron < (GROUP_B + 1) * group &&
		    s[i].step > stimulus_at(net->x, net->trial) + 1)
			net->count[s[i].neuron / group]++;
	}
	return rc ? rc : judge_until(net, v->t1, err);
}

/* Mean weights from S to the others. */
static int look(struct network *net, const struct sim *s, double *ret, struct err *err)
{
	size_t group = net->x->group, n = 0, of[GROUP_B + 1] = { 0 };
	double *w = NULL;
	uint32_t *from, *to;
	int rc = kit_weights(s, "exc_exc", &w, &n, err);

	if (rc)
		return rc;
	from = mem_alloc(n + 1, 2 * sizeof(*from));
	if (!from) {
		mem_free(w);
		return err_nomem(err);
	}
	to = from + n + 1;
	sim_endpoints(s, (size_t)spec_projection(sim_spec(s), "exc_exc"), from, to);
	for (size_t i = 0; i < n; i++)
		if (from[i] < group && to[i] < (GROUP_B + 1) * group) {
			ret[to[i] / group] += w[i];
			of[to[i] / group]++;
		}
	for (int g = GROUP_A; g <= GROUP_B; g++)
		ret[g] /= (double)of[g] * net->x->of.w_max;
	mem_free(from);
	mem_free(w);
	return 0;
}

static int sample(void *self, const struct sim *s, double t_ms, struct err *err)
{
	struct network *net = self;

	(void)t_ms;
	if (net->n * BLOCK >= net->x->trials)
		return 0;
	return look(net, s, net->to[net->n++], err);
}

static int at_start(void *self, struct sim *s, struct err *err)
{
	struct network *net = self;
	int rc = kit_rewards_watch(&net->rewards, s, err);

	net->population = (size_t)spec_population(sim_spec(s), "exc");
	net->sample = (struct kit_sample){ .every_ms = net->x->interval_ms * BLOCK,
					   .self = net,
					   .at = sample };
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

/* Part of the right answers in n trials before `end`. */
static double part_right(const struct network *net, size_t end, size_t n)
{
	double sum = 0;

	for (size_t i = end - n; i < end; i++)
		sum += net->right[i];
	return sum / (double)n;
}

/* In the last trials before the reversal, and at the end. */
static double before(const struct network *net)
{
	return part_right(net, net->x->trials / 2, net->x->last);
}

static double after(const struct network *net)
{
	return part_right(net, net->x->trials, net->x->last);
}

/* Trials, from `begin` on, after which the last ones were right as often as that; NaN: never. */
static double reached(const struct network *net, size_t begin)
{
	size_t last = net->x->last;

	for (size_t end = begin + last; end <= begin + net->x->trials / 2; end++)
		if (part_right(net, end, last) >= RIGHT)
			return (double)(end - begin);
	return (double)NAN;
}

/* The mean over those that did, of either half. */
static double mean_reached(const struct choice *x, bool reversed)
{
	double sum = 0, n = 0;

	for (size_t i = 0; i < x->n; i++) {
		double trials = reached(&x->network[i], reversed ? x->trials / 2 : 0);

		sum += isnan(trials) ? 0 : trials;
		n += !isnan(trials);
	}
	return n > 0 ? sum / n : (double)INFINITY;
}

static double part_learned(const struct network *nets, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += before(&nets[i]) >= RIGHT && after(&nets[i]) >= RIGHT;
	return sum / (double)n;
}

enum { T_SEED, T_TRIAL, T_RIGHT, T_CONTROL, T_TO_A, T_TO_B, T_COLUMNS };

static int leave_trials(struct experiment_ctx *c, const struct choice *x, struct err *err)
{
	struct kit_column columns[T_COLUMNS] = {
		{ "seed", "", NULL },	 { "trial", "", NULL }, { "right", "", NULL },
		{ "control", "", NULL }, { "to_a", "", NULL },	{ "to_b", "", NULL },
	};
	size_t blocks = x->trials / BLOCK, rows = x->n * blocks;
	double *v = mem_alloc(rows, T_COLUMNS * sizeof(*v));
	int rc;

	if (!v)
		return err_nomem(err);
	for (size_t k = 0; k < T_COLUMNS; k++)
		columns[k].x = v + k * rows;
	for (size_t i = 0; i < rows; i++) {
		size_t seed = i / blocks, k = i % blocks, end = (k + 1) * BLOCK;
		const struct network *net = &x->network[seed];

		v[T_SEED * rows + i] = (double)seed + 1;
		v[T_TRIAL * rows + i] = (double)end;
		v[T_RIGHT * rows + i] = part_right(net, end, BLOCK);
		v[T_CONTROL * rows + i] =
			x->yoked ? part_right(&x->control[seed], end, BLOCK) : (double)NAN;
		v[T_TO_A * rows + i] = net->to[k][GROUP_A];
		v[T_TO_B * rows + i] = net->to[k][GROUP_B];
	}
	rc = kit_table(c, "trials", columns, T_COLUMNS, rows, err);
	mem_free(v);
	return rc;
}

enum {
	S_SEED,
	S_FIRST,
	S_LEARNED,
	S_RELEARNED,
	S_BEFORE,
	S_AFTER,
	S_C_BEFORE,
	S_C_AFTER,
	S_COLUMNS
};

static int leave_seeds(struct experiment_ctx *c, const struct choice *x, struct err *err)
{
	struct kit_column columns[S_COLUMNS] = {
		{ "seed", "", NULL },		{ "first", "", NULL },
		{ "learned", "trials", NULL },	{ "relearned", "trials", NULL },
		{ "before", "", NULL },		{ "after", "", NULL },
		{ "control_before", "", NULL }, { "control_after", "", NULL },
	};
	double *v = mem_alloc(x->n, S_COLUMNS * sizeof(*v));
	int rc;

	if (!v)
		return err_nomem(err);
	for (size_t k = 0; k < S_COLUMNS; k++)
		columns[k].x = v + k * x->n;
	for (size_t i = 0; i < x->n; i++) {
		const struct network *net = &x->network[i], *control = &x->control[i];

		v[S_SEED * x->n + i] = (double)i + 1;
		v[S_FIRST * x->n + i] = part_right(net, BLOCK, BLOCK);
		v[S_LEARNED * x->n + i] = reached(net, 0);
		v[S_RELEARNED * x->n + i] = reached(net, x->trials / 2);
		v[S_BEFORE * x->n + i] = before(net);
		v[S_AFTER * x->n + i] = after(net);
		v[S_C_BEFORE * x->n + i] = x->yoked ? before(control) : (double)NAN;
		v[S_C_AFTER * x->n + i] = x->yoked ? after(control) : (double)NAN;
	}
	rc = kit_table(c, "seeds", columns, S_COLUMNS, x->n, err);
	mem_free(v);
	return rc;
}

static int leave_targets(struct experiment_ctx *c, const struct choice *x, struct err *err)
{
	double part = part_learned(x->network, x->n);
	const struct engine_target targets[] = {
		{ "part_learned", "", part, 0.8, 1 },
		{ "trials_to_learn", "", mean_reached(x, false), 0, 150 },
		{ "control_part_learned", "", x->yoked ? part_learned(x->control, x->n) : 0, 0,
		  0.2 },
	};
	int rc = 0;

	engine_score(c, part);
	for (size_t i = 0; i < COUNTOF(targets) - !x->yoked && !rc; i++)
		rc = engine_target(c, &targets[i], err);
	return rc ? rc : engine_metric(c, "trials_to_relearn", mean_reached(x, true), err);
}

static int leave(struct experiment_ctx *c, const struct choice *x, struct err *err)
{
	int rc = leave_trials(c, x, err);

	if (!rc)
		rc = leave_seeds(c, x, err);
	return rc ? rc : leave_targets(c, x, err);
}

/* ---- the run ------------------------------------------------------------------------------ */

static int make(struct choice *x, uint64_t seed, struct err *err)
{
	struct rng_key key = rng_key(seed, RNG_EXPERIMENT, "instrumental_conditioning");

	x->network = mem_alloc(x->n, sizeof(*x->network));
	x->control = mem_alloc(x->n, sizeof(*x->control));
	if (!x->network || !x->control)
		return err_nomem(err);
	for (size_t i = 0; i < 2 * x->n; i++) {
		bool control = i >= x->n;
		struct network *net = control ? &x->control[i - x->n] : &x->network[i];

		*net = (struct network){ .x = x, .expected = 0.5 };
		net->seed = rng_u64(key, i % x->n, control);
		net->key = rng_key(net->seed, RNG_EXPERIMENT, "reward");
		net->yoke = control ? &x->network[i - x->n] : NULL;
	}
	return 0;
}

static void forget(struct choice *x)
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

static int read_params(struct choice *x, const json_t *p, struct err *err)
{
	*x = (struct choice){
		.of = { .neurons = (size_t)kit_number(p, params[NEURONS].name),
			.outdegree = (size_t)kit_number(p, params[OUTDEGREE].name),
			.w_max = kit_number(p, params[W_MAX].name),
			.noise = kit_number(p, params[NOISE].name) },
		.interval_ms = floor(1000 * kit_number(p, params[INTERVAL].name) + 0.5),
		.reward = kit_number(p, params[REWARD].name),
		.n = (size_t)kit_number(p, params[SEEDS].name),
		.trials = 2 * (size_t)kit_number(p, params[TRIALS].name),
		.group = (size_t)kit_number(p, params[GROUP].name),
		.running = kit_number(p, params[EXPECTED].name),
		.yoked = kit_true(p, params[YOKED].name),
	};
	x->last = x->trials / 2 < LAST ? x->trials / 2 : LAST;
	x->of.seconds = x->interval_ms / 1000 * (double)(x->trials + 1);
	if ((GROUP_B + 1) * x->group > kit_dopamine_excitatory(&x->of))
		return err_set(err, ERR_CONFLICT, "/params/group",
			       "three groups of %zu do not fit into %zu excitatory neurons",
			       x->group, kit_dopamine_excitatory(&x->of));
	return 0;
}

static int run(struct experiment_ctx *c, struct err *err)
{
	struct choice x;
	int rc = read_params(&x, engine_params(c), err);

	if (!rc)
		rc = make(&x, engine_seed(c), err);
	if (!rc)
		rc = simulate(c, x.network, x.n, err);
	if (!rc && x.yoked)
		rc = simulate(c, x.control, x.n, err);
	if (!rc)
		rc = leave(c, &x, err);
	forget(&x);
	return rc;
}

static int check(json_t *p, const char *prefix, const struct spec_limits_json *limits,
		 struct err_list *errors)
{
	struct choice x;
	struct err err = { 0 };
	char path[ERR_PATH_MAX];

	(void)limits;
	if (!read_params(&x, p, &err))
		return 0;
	(void)snprintf(path, sizeof(path), "%.90s%.100s", prefix, err.path);
	return err_list_add(errors, (enum err_code)err.code, path, "%s", err.text);
}

static const struct experiment_plot plots[] = {
	{ .table = "trials",
	  .title = "Right answers",
	  .text = "Of the 25 trials up to each point. Half at first, nearly all after some "
		  "hundred; "
		  "at the reversal what was right is wrong.",
	  .x = "trial",
	  .by = "seed",
	  .curve = { { .y = "right", .label = "right" },
		     { .y = "control", .label = "outcomes of another" } } },
	{ .table = "trials",
	  .title = "Mean weights from S, parts of the largest",
	  .text = "Those to the group whose answer is rewarded grow.",
	  .x = "trial",
	  .by = "seed",
	  .curve = { { .y = "to_a", .label = "to A" }, { .y = "to_b", .label = "to B" } } },
};

const struct experiment experiment_instrumental_conditioning = {
	.name = "instrumental_conditioning",
	.title = "Which answer is rewarded",
	.doc = "Two groups of neurons answer a stimulus; a network learns by late dopamine which "
	       "answer is rewarded, and learns anew when it is the other one.",
	.cite = "10.1093/cercor/bhl152",
	.score = { "part_learned", "of seeds", true,
		   "Izhikevich (2007): from half right to more than 0.9 in about 150 trials, and "
		   "again after reversal; 8 of 10 seeds are asked for." },
	.science = "{\"neurons\": 1000, \"synapses\": 100, \"group\": 50, \"interval_s\": 3, "
		   "\"seeds\": 10}",
	.plots = plots,
	.n_plots = COUNTOF(plots),
	.params = params,
	.n_params = N_PARAMS,
	.check = check,
	.run = run,
};
