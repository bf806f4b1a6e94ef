/* test_stdp_calcium.c - the calcium rule against its equations, and the noise against its moments. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/check.h"
#include "tests/unit/one_synapse.h"

enum { DELAY = 7, START = 2000, N_SETS = 9 };

#define DT 0.1L

static const struct plasticity_model *const rule = &plasticity_stdp_calcium;
static struct one o, swept;

static double get(const double *p, const char *name)
{
	return p[param_find(rule->params, rule->n_params, name)];
}

static long double exact(const double *p, const char *name)
{
	return (long double)get(p, name);
}

static void use(double *p, size_t set, double sigma, bool bistable)
{
	memcpy(p, rule->sets[set].p, rule->n_params * sizeof(*p));
	one_set(rule, p, "sigma", sigma);
	one_set(rule, p, "bistable", bistable);
}

/* ---- the equations, by brute force in long double ------------------------------------------ */

struct equation {
	long double up, down, rho_star, cubic;
};

static struct equation equation_of(const double *p)
{
	return (struct equation){ exact(p, "gamma_p"), exact(p, "gamma_d"), exact(p, "rho_star"),
				  exact(p, "bistable") };
}

static long double slope(const struct equation *e, bool up, bool down, long double rho)
{
	return (up ? e->up * (1 - rho) : 0) - (down ? e->down * rho : 0) -
	       e->cubic * rho * (1 - rho) * (e->rho_star - rho);
}

/* Runge & Kutta's fourth order, in units of tau. */
static long double step(const struct equation *e, bool up, bool down, long double rho,
			long double h)
{
	long double a = slope(e, up, down, rho), b = slope(e, up, down, rho + h * a / 2);
	long double c = slope(e, up, down, rho + h * b / 2), d = slope(e, up, down, rho + h * c);

	return rho + h * (a + 2 * b + 2 * c + d) / 6;
}

enum { JUMPS_MAX = 240 };

struct jumps {
	long double at[JUMPS_MAX], by[JUMPS_MAX]; /* ms, in any order */
	size_t n;
	long double tau_Ca;
};

/* Calcium just after t: every spike for itself. */
static long double calcium(const struct jumps *x, long double t)
{
	long double c = 0;

	for (size_t i = 0; i < x->n; i++)
		if (x->at[i] <= t)
			c += x->by[i] * expl(-(t - x->at[i]) / x->tau_Ca);
	return c;
}

/* Where calcium, which does not jump in (a, b), falls below theta; b if it does not, a if it is
 * below it. */
static long double crossing(const struct jumps *x, long double a, long double b, long double theta)
{
	long double c = calcium(x, a), from = a;

	if (c <= theta)
		return a;
	if (c * expl(-(b - a) / x->tau_Ca) > theta)
		return b;
	for (int i = 0; i < 70; i++) {
		long double middle = (a + b) / 2;

		if (c * expl(-(middle - from) / x->tau_Ca) > theta)
			a = middle;
		else
			b = middle;
	}
	return b;
}

static long double sub_steps(const struct equation *e, bool up, bool down, long double rho,
			     long double h)
{
	for (int i = 0; i < 20; i++)
		rho = step(e, up, down, rho, h / 20);
	return rho;
}

/* The next jump after t, `end` if there is none before. */
static long double next_jump(const struct jumps *x, long double t, long double end)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->at[i] > t && x->at[i] < end)
			end = x->at[i];
	return end;
}

static long double by_equations(const double *p, const struct jumps *x, long double rho,
				long double t, long double end)
{
	struct equation e = equation_of(p);
	long double tau = exact(p, "tau"), d = exact(p, "theta_d"), q = exact(p, "theta_p");

	while (t < end) {
		long double next = next_jump(x, t, end);
		long double at_d = crossing(x, t, next, d), at_p = crossing(x, t, next, q);
		long double first = at_d < at_p ? at_d : at_p, last = at_d < at_p ? at_p : at_d;

		rho = sub_steps(&e, true, true, rho, (first - t) / tau);
		rho = sub_steps(&e, at_p > at_d, at_d > at_p, rho, (last - first) / tau);
		rho = sub_steps(&e, false, false, rho, (next - last) / tau);
		t = next;
	}
	return rho;
}

/* ---- random trains -------------------------------------------------------------------------- */

enum { SPIKES = 120 };

struct trains {
	int64_t pre[SPIKES], post[SPIKES]; /* steps, at the synapse */
};

static void draw(struct check_random *r, int64_t *at)
{
	int64_t t = START;

	for (size_t i = 0; i < SPIKES; i++)
		at[i] = t += (int64_t)check_below(r, 800); /* may be the same step */
}

static void draw_trains(struct trains *x)
{
	struct check_random r = check_random("calcium");

	draw(&r, x->pre);
	draw(&r, x->post);
	x->pre[50] = x->pre[51] = x->pre[49];
	x->post[50] = x->post[51] = x->post[49];
	x->post[20] = x->pre[20]; /* may break the order */
	for (size_t i = 1; i < SPIKES; i++)
		x->post[i] = x->post[i] < x->post[i - 1] ? x->post[i - 1] : x->post[i];
}

static void jumps_of(const struct trains *x, const double *p, struct jumps *ret)
{
	ret->n = 0;
	ret->tau_Ca = exact(p, "tau_Ca");
	for (size_t i = 0; i < SPIKES; i++) {
		ret->at[ret->n] = DT * (long double)x->pre[i] + exact(p, "D");
		ret->by[ret->n++] = exact(p, "C_pre");
		ret->at[ret->n] = DT * (long double)x->post[i];
		ret->by[ret->n++] = exact(p, "C_post");
	}
}

static void posts(struct one *x, const int64_t *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		one_post(x, at[i] - DELAY);
}

/* All presynaptic arrivals in turn, the last sweep at `end`; with sweeps between at random times. */
static double play(struct one *x, const int64_t *pre, size_t n_pre, int64_t end,
		   struct check_random *sweeps)
{
	for (size_t i = 0, n; i < n_pre; i += n) {
		for (n = 1; i + n < n_pre && pre[i + n] == pre[i];)
			n++;
		while (sweeps && pre[i] - x->row.t_last > 100)
			one_update(x, x->row.t_last + 1 + (int64_t)check_below(sweeps, 90), 0);
		one_update(x, pre[i], (unsigned)n);
	}
	return one_update(x, end, 0);
}

Test(stdp_calcium, random_trains_follow_the_equations_in_all_sets_with_and_without_sweeps)
{
	static struct trains x;
	static struct jumps jumps;
	struct check_random sweeps = check_random("sweeps");
	int64_t end;

	draw_trains(&x);
	end = x.pre[SPIKES - 1] + 3000;
	cr_assert_eq(rule->n_sets, N_SETS);
	for (size_t set = 0; set < N_SETS; set++)
		for (int k = 0; k < 3; k++) {
			double p[PLASTICITY_PARAMS_MAX], rho = 0.25 * (double)(set % 5);
			long double want;

			use(p, set, 0, k > 0);
			if (k == 2)
				one_set(rule, p, "rho_star", 0.3);
			if (k == 1 && set == 2) /* the thresholds may stand the other way round */
				one_set(rule, p, "theta_d", 2.75);
			jumps_of(&x, p, &jumps);
			want = by_equations(p, &jumps, (long double)rho, 0, DT * (long double)end);
			one_init(&o, rule, p, (double)DT, DELAY, rho);
			one_init(&swept, rule, p, (double)DT, DELAY, rho);
			swept.trim = true;
			posts(&o, x.post, SPIKES);
			posts(&swept, x.post, SPIKES);
			play(&o, x.pre, SPIKES, end, NULL);
			play(&swept, x.pre, SPIKES, end, &sweeps);
			cr_expect(fabsl((long double)o.w - want) < 1e-12L,
				  "%s, %d: %.17g, not %.17Lg", rule->sets[set].name, k, o.w, want);
			cr_expect(fabs(swept.w - o.w) < 1e-13, "%s, %d: swept %.17g, not %.17g",
				  rule->sets[set].name, k, swept.w, o.w);
			cr_expect(fabs(o.w - rho) > 1e-4, "%s: nothing happens",
				  rule->sets[set].name);
		}
}

Test(stdp_calcium, a_lone_pair_follows_the_window)
{
	static const double weights[] = { 0, 0.003, 0.5, 0.998, 1 };
	double p[PLASTICITY_PARAMS_MAX];

	for (size_t set = 0; set < N_SETS; set++)
		for (int64_t dt = -600; dt <= 600; dt += 23)
			for (size_t i = 0; i < COUNTOF(weights); i++) {
				int64_t pre[] = { START };
				double got, want = rule->window(rule->sets[set].p, weights[i],
								0.1 * (double)dt);

				use(p, set, 0, false);
				one_init(&o, rule, p, (double)DT, DELAY, weights[i]);
				one_post(&o, START + dt - DELAY);
				got = play(&o, pre, 1, START + 9000, NULL) - weights[i];
				cr_assert_float_eq(got, want, 1e-14, "%s, %g ms: %.17g, not %.17g",
						   rule->sets[set].name, 0.1 * (double)dt, got,
						   want);
			}
}

/* Calcium is 2, so above 1 and 1.3 for tau_Ca log(2 / theta), whatever the grid. */
Test(stdp_calcium, thresholds_are_crossed_at_their_very_time)
{
	static const double resolutions[] = { 0.1, 0.25, 1 };
	double both = 20 * log(2 / 1.3), down = 20 * log(1.3), rate = 200 + 321.808;
	double top = 321.808 / rate;
	double want = (top - top * exp(-rate * both / 150e3)) * exp(-200 * down / 150e3);
	double p[PLASTICITY_PARAMS_MAX];

	for (size_t i = 0; i < COUNTOF(resolutions); i++) {
		use(p, 0, 0, false);
		one_init(&o, rule, p, resolutions[i], 1, 0);
		one_post(&o, 99);
		cr_assert_float_eq(one_update(&o, 4000, 0), want, 1e-16);
	}
}

/* rho* = 1/2: with y = rho - 1/2 and E = exp(-t / 2 tau), 2 y = y0 / sqrt(y0^2 + (1/4 - y0^2) E). */
Test(stdp_calcium, hours_of_silence_follow_the_closed_form_in_one_stride_or_in_many)
{
	static const double starts[] = { -0.7, 0, 1e-9, 0.2, 0.499, 0.5, 0.51, 0.8, 1, 1.9 };
	double p[PLASTICITY_PARAMS_MAX];

	use(p, 0, 1, true); /* with noise the state may be out of bounds */
	for (int64_t s = 10; s <= 7200; s *= 3)
		for (size_t i = 0; i < COUNTOF(starts); i++) {
			long double y = (long double)starts[i] - 0.5L,
				    e = expl(-(long double)s / 300);
			long double want = 0.5L + 0.5L * y / sqrtl(y * y + (0.25L - y * y) * e);

			one_init(&o, rule, p, (double)DT, DELAY, 0);
			one_init(&swept, rule, p, (double)DT, DELAY, 0);
			o.syn[0] = swept.syn[0] = starts[i];
			for (int64_t k = 1; k < s / 4; k++)
				one_update(&swept, 40000 * k, 0);
			one_update(&o, 10000 * s, 0);
			one_update(&swept, 10000 * s, 0);
			cr_expect(fabsl((long double)(o.w + o.syn[0]) - want) < 1e-13L,
				  "%g after %g s: %.17g, not %.17Lg", starts[i], (double)s,
				  o.w + o.syn[0], want);
			cr_expect(fabs(swept.w + swept.syn[0] - o.w - o.syn[0]) < 1e-13);
			cr_expect(o.w >= 0 && o.w <= 1);
		}
}

/* t / tau, but for a constant: the integral of drho / slope by partial fractions. */
static double clock_of(double rho, double rho_star)
{
	return -log(rho) / rho_star - log(1 - rho) / (1 - rho_star) +
	       log(fabs(rho_star - rho)) / (rho_star * (1 - rho_star));
}

Test(stdp_calcium, another_rho_star_follows_the_implicit_solution_and_parts_the_two_states)
{
	static const double stars[] = { 0.1, 0.3, 0.75 };
	double p[PLASTICITY_PARAMS_MAX];

	for (size_t i = 0; i < COUNTOF(stars); i++)
		for (int k = 0; k < 10; k++) {
			double rho = 0.06 + 0.1 * k, after;

			use(p, 0, 0, true);
			one_set(rule, p, "rho_star", stars[i]);
			one_init(&o, rule, p, (double)DT, DELAY, rho);
			after = one_update(&o, 6000000, 0); /* 4 tau */
			cr_expect(fabs(clock_of(after, stars[i]) - clock_of(rho, stars[i]) - 4) <
					  1e-9,
				  "rho* %g: from %g to %.17g", stars[i], rho, after);
			after = one_update(&o, 600000000, 0);
			cr_expect(fabs(after - (rho > stars[i] ? 1 : 0)) < 1e-9);
		}
}

Test(stdp_calcium, fixed_points_stand_and_a_switched_off_row_keeps_its_weight_but_not_its_calcium)
{
	static const double stars[] = { 0.3, 0.5, 0.7 };
	int64_t pre[] = { START, START + 50, START + 100 };
	double p[PLASTICITY_PARAMS_MAX];

	for (size_t i = 0; i < COUNTOF(stars); i++) {
		double rest[] = { 0, stars[i], 1 };

		for (size_t k = 0; k < COUNTOF(rest); k++) {
			use(p, 0, 0, true);
			one_set(rule, p, "rho_star", stars[i]);
			one_init(&o, rule, p, (double)DT, DELAY, rest[k]);
			cr_assert_eq(one_update(&o, 100000000, 0), rest[k]);
		}
	}
	use(p, 0, 2, true);
	one_init(&o, rule, p, (double)DT, DELAY, 0.4);
	o.row.on = false;
	posts(&o, pre, 3);
	cr_assert_eq(play(&o, pre, 3, START + 237, NULL), 0.4);
	cr_assert_float_eq(o.pre[0], 1 + exp(-5 / 20.0) + exp(-10 / 20.0), 1e-14);
}

/* ---- other weights, bounds ------------------------------------------------------------------ */

Test(stdp_calcium, the_weight_is_the_efficacy_on_the_scale_of_its_bounds)
{
	static struct trains x;
	double p[PLASTICITY_PARAMS_MAX];

	draw_trains(&x);
	for (int noisy = 0; noisy < 2; noisy++) {
		use(p, 0, noisy, true);
		one_init(&o, rule, p, (double)DT, DELAY, 0.5);
		one_set(rule, p, "w_min", 10);
		one_set(rule, p, "w_max", 50);
		one_init(&swept, rule, p, (double)DT, DELAY, 30);
		posts(&o, x.post, SPIKES);
		posts(&swept, x.post, SPIKES);
		play(&o, x.pre, SPIKES, x.pre[SPIKES - 1], NULL);
		play(&swept, x.pre, SPIKES, x.pre[SPIKES - 1], NULL);
		cr_assert_float_eq(swept.w + swept.syn[0], 10 + 40 * (o.w + o.syn[0]), 1e-12);
	}
}

Test(stdp_calcium, bounds_hold_whatever_the_noise_and_are_refused_the_wrong_way_round)
{
	static struct trains x;
	double p[PLASTICITY_PARAMS_MAX], beyond = 0;
	struct err err = { 0 };

	draw_trains(&x);
	use(p, 0, 20, true);
	one_init(&o, rule, p, (double)DT, DELAY, 0.5);
	posts(&o, x.post, SPIKES);
	for (size_t i = 0; i < SPIKES; i++) {
		if (i > 0 && x.pre[i] == x.pre[i - 1])
			continue;
		one_update(&o, x.pre[i], 1);
		cr_assert(o.w >= 0 && o.w <= 1);
		cr_assert(o.syn[0] == 0 || o.w == (o.syn[0] > 0));
		beyond = fabs(o.syn[0]) > beyond ? fabs(o.syn[0]) : beyond;
	}
	cr_assert_gt(beyond, 0.5);
	cr_assert_eq(rule->check(p, &err), 0);
	one_set(rule, p, "w_min", 1);
	cr_assert_eq(rule->check(p, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "w_max");
	one_set(rule, p, "w_max", PARAM_INF);
	cr_assert_eq(rule->check(p, &err), -ERR_CONFLICT);
}

/* ---- noise ---------------------------------------------------------------------------------- */

struct moments {
	double n, sum, square;
};

static void add(struct moments *m, double x)
{
	m->n++;
	m->sum += x;
	m->square += x * x;
}

/* Mean and variance within 4 standard errors. */
static void expect_moments(const struct moments *m, double mean, double variance, const char *what)
{
	double got = m->sum / m->n, v = m->square / m->n - got * got;

	cr_expect(fabs(got - mean) < 4 * sqrt(variance / m->n), "%s: mean %.9g, not %.9g", what,
		  got, mean);
	cr_expect(fabs(v / variance - 1) < 4 * sqrt(2 / m->n), "%s: variance %.9g, not %.9g", what,
		  v, variance);
}

/* rho after one postsynaptic spike of calcium 2 and, if there is one, a sweep on the way. */
static double noisy_post(const double *p, uint64_t id, int64_t sweep)
{
	one_init(&o, rule, p, (double)DT, DELAY, 0.5);
	o.ctx.key = rng_key(1, RNG_NOISE, "calcium");
	o.row.k0 = id;
	one_post(&o, START - DELAY);
	if (sweep)
		one_update(&o, sweep, 0);
	one_update(&o, START + 1000, 0);
	return o.w + o.syn[0];
}

Test(stdp_calcium, noise_has_the_moments_of_the_linear_equation_swept_or_not)
{
	enum { N = 20000 };
	static const int64_t sweeps[] = { 0, START + 33, START + 111 }; /* both above, one above */
	double both = 20 * log(2 / 1.3) / 150e3, down = 20 * log(1.3) / 150e3;
	double rate = 200 + 321.808, top = 321.808 / rate, sigma = 2.8284;
	double mean = (top + (0.5 - top) * exp(-rate * both)) * exp(-200 * down);
	double first = 2 * (1 - exp(-2 * rate * both)) / (2 * rate);
	double variance = first * exp(-400 * down) + (1 - exp(-400 * down)) / 400;
	double p[PLASTICITY_PARAMS_MAX];

	use(p, 0, sigma, false);
	for (size_t k = 0; k < COUNTOF(sweeps); k++) {
		struct moments m = { 0 };

		for (uint64_t id = 0; id < N; id++)
			add(&m, noisy_post(p, id, sweeps[k]));
		expect_moments(&m, mean, sigma * sigma * variance, k ? "swept" : "at once");
	}
}

/* By how much rho moves in a step in which calcium jumps at its start and, if `pre`, in its middle. */
static double noisy_step(const double *p, uint64_t id, bool pre)
{
	one_init(&o, rule, p, (double)DT, DELAY, 0.5);
	o.ctx.key = rng_key(2, RNG_NOISE, "calcium");
	o.row.k0 = id;
	one_post(&o, START + 100 - DELAY);
	one_update(&o, START, pre);
	return one_update(&o, START + 101, 0) + o.syn[0] - 0.5;
}

Test(stdp_calcium, stretches_and_synapses_have_noises_of_their_own)
{
	enum { N = 20000 };
	double p[PLASTICITY_PARAMS_MAX], last = 0;
	struct moments whole = { 0 }, product = { 0 }, neighbours = { 0 };

	use(p, 0, 1, false);
	one_set(rule, p, "D", 10.05);
	one_set(rule, p, "gamma_d", 0);
	one_set(rule, p, "gamma_p", 0);
	for (uint64_t id = 0; id < N; id++) {
		double first = noisy_step(p, id, false);
		double second = noisy_step(p, id, true) - first / sqrt(2.0);

		add(&whole, first);
		add(&product, first * second);
		if (id)
			add(&neighbours, first * last);
		last = first;
	}
	expect_moments(&whole, 0, 2 * 0.1 / 150e3, "a step");
	cr_expect_gt(product.square, 0);
	cr_expect(fabs(product.sum) < 4 * sqrt(product.square));
	cr_expect(fabs(neighbours.sum) < 4 * sqrt(neighbours.square));
}

Test(stdp_calcium, a_read_changes_nothing_that_comes_later)
{
	static struct trains x;
	static struct one copy;
	struct check_random r = check_random("reads");
	double p[PLASTICITY_PARAMS_MAX], want;

	draw_trains(&x);
	use(p, 6, 3, true);
	one_init(&o, rule, p, (double)DT, DELAY, 0.5);
	posts(&o, x.post, SPIKES);
	want = play(&o, x.pre, SPIKES, x.pre[SPIKES - 1], NULL);
	one_init(&swept, rule, p, (double)DT, DELAY, 0.5);
	posts(&swept, x.post, SPIKES);
	for (size_t i = 0, n; i < SPIKES; i += n) {
		for (n = 1; i + n < SPIKES && x.pre[i + n] == x.pre[i];)
			n++;
		copy = swept; /* what update() may write stands in scratch memory */
		swept.row.w = &copy.w;
		swept.row.pre = copy.pre;
		swept.row.syn[0] = copy.syn;
		swept.row.n_spikes = 0;
		swept.row.t = swept.row.t_last + (int64_t)check_below(&r, 100);
		one_past(&swept);
		rule->update(&swept.ctx, &swept.row);
		swept.row.w = &swept.w;
		swept.row.pre = swept.pre;
		swept.row.syn[0] = swept.syn;
		one_update(&swept, x.pre[i], (unsigned)n);
	}
	cr_assert_eq(swept.w, want);
	cr_assert_neq(want, 0.5);
}
