/* test_neuron_adapt.c - neurons without a reference: closed forms, limits, independence. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "tests/reference/neuron_world.h"

static struct world world, other;
static double p[NEURON_PARAMS_MAX];

/* ---- lif_adaptive --------------------------------------------------------------------------- */

/* First spike and the interval to the second, in steps, under a constant current. */
static void two_spikes(const struct neuron_model *m, double dt, int64_t *ret_first,
		       int64_t *ret_interval)
{
	*ret_first = *ret_interval = 0;
	world_init(&world, m, p, dt, 0);
	for (int64_t t = 1; t < 20000; t++) {
		if (world_advance(&world, t, 0, 0) <= 0)
			continue;
		if (*ret_first) {
			*ret_interval = t - *ret_first;
			return;
		}
		*ret_first = t;
	}
}

Test(neuron_adapt, theta_jumps_at_a_spike_and_decays_by_tau_theta)
{
	const struct neuron_model *m = &neuron_lif_adaptive;
	double theta = 20;
	int spikes = 0;

	world_defaults(m, p);
	world_set(m, p, "tau_theta", 50);
	world_set(m, p, "theta_plus", 3);
	world_set(m, p, "I_e", 30);
	world_init(&world, m, p, 0.1, 0);
	for (int64_t t = 1; t <= 5000; t++) {
		double spike = world_advance(&world, t, 0, 0);

		theta = theta * exp(-0.1 / 50) + 3 * spike;
		cr_assert_float_eq(world_state(&world, "theta"), theta, 1e-9, "step %d", (int)t);
		cr_assert_leq(world_state(&world, "V_m"), -72 + theta);
		spikes += spike > 0;
	}
	cr_assert_gt(spikes, 5);
}

Test(neuron_adapt, the_threshold_starts_at_V_th_and_each_spike_raises_it_by_theta_plus)
{
	const struct neuron_model *m = &neuron_lif_adaptive;
	int64_t first, interval;
	double want;

	world_defaults(m, p);
	world_set(m, p, "I_e", 20);
	two_spikes(m, 0.1, &first, &interval);
	want = 100 * log(20 / (20 - 13.0));
	cr_assert_eq(first, (int64_t)ceil(want / 0.1));
	want = 5 + 100 * log(20 / (20 - 13.05));
	cr_assert_eq(interval, (int64_t)ceil(want / 0.1));
}

Test(neuron_adapt, without_adaptation_the_rate_is_that_of_a_leaky_integrator)
{
	const struct neuron_model *m = &neuron_lif_adaptive;
	static const double currents[] = { 14, 20, 50, 200 };

	for (size_t i = 0; i < COUNTOF(currents); i++) {
		double want = 5 + 100 * log(currents[i] / (currents[i] - 13));
		int64_t first, interval;

		world_defaults(m, p);
		world_set(m, p, "theta_plus", 0);
		world_set(m, p, "I_e", currents[i]);
		two_spikes(m, 0.5, &first, &interval);
		cr_assert_eq(interval, (int64_t)ceil(want / 0.5), "%g pA: %d steps, not %g ms",
			     currents[i], (int)interval, want);
	}
	world_set(m, p, "I_e", 13 - 1e-6); /* rheobase: 13 mV times 1 nS */
	two_spikes(m, 0.5, &(int64_t){ 0 }, &(int64_t){ 0 });
	cr_assert_lt(world_state(&world, "V_m"), -52);
}

/* V after one excitatory spike, by many small Euler steps of the equation. */
static double euler(double g, double tau, double rev, double t)
{
	double v = -65, h = 1e-5;

	for (double x = 0; x < t - h / 2; x += h)
		v += h * ((-65 - v) + g * exp(-x / tau) * (rev - v)) / 100;
	return v;
}

Test(neuron_adapt, a_spike_moves_V_m_by_its_conductance)
{
	const struct neuron_model *m = &neuron_lif_adaptive;

	world_defaults(m, p);
	world_set(m, p, "V_th", 1e3);
	world_init(&world, m, p, 0.5, 1);
	(void)world_advance(&world, 1, 5, 0);
	cr_assert_eq(world_state(&world, "V_m"), -65);
	cr_assert_eq(world_state(&world, "g_e"), 5);
	for (int64_t t = 2; t <= 21; t++)
		(void)world_advance(&world, t, 0, 0);
	cr_assert_float_eq(world_state(&world, "V_m"), euler(5, 1, 0, 10), 2e-4);
	cr_assert_float_eq(world_state(&world, "g_e"), 5 * exp(-10.0), 1e-12);
	world_init(&world, m, p, 0.5, 1);
	for (int64_t t = 1; t <= 21; t++)
		(void)world_advance(&world, t, 0, t == 1 ? -17 : 0);
	cr_assert_float_eq(world_state(&world, "V_m"), euler(17, 2, -100, 10), 2e-4);
}

/* ---- conductances --------------------------------------------------------------------------- */

Test(neuron_adapt, a_conductance_too_fast_for_the_step_still_pulls_V_m_to_its_reversal_potential)
{
	static const struct neuron_model *const models[] = { &neuron_iaf_cond_exp,
							     &neuron_lif_adaptive };

	for (size_t i = 0; i < COUNTOF(models); i++) {
		const struct neuron_model *m = models[i];
		double rev;

		world_defaults(m, p);
		rev = p[param_find(m->params, m->n_params, "E_in")];
		for (double g = 100; g < 1e9; g *= 7) {
			double low = 0;

			world_init(&world, m, p, 0.1, 0);
			for (int64_t t = 1; t <= 50; t++) {
				(void)world_advance(&world, t, 0, t == 1 ? -g : 0);
				low = fmin(low, world_state(&world, "V_m"));
				cr_assert_geq(low, rev - 1e-9, "%s: %g nS at step %d", m->name, g,
					      (int)t);
			}
			if (g > 1e5)
				cr_assert_lt(low, rev + 0.1, "%s: %g nS: %g", m->name, g, low);
		}
	}
}

/* ---- iaf_psc_alpha -------------------------------------------------------------------------- */

/* Potential at t after one spike of 100 pA with tau_syn = tau_m (t^2 / 2 instead of two terms). */
static double equal(double tau, double c, double t)
{
	return 100 * exp(1.0) / (tau * c) * 0.5 * t * t * exp(-t / tau);
}

static double unequal(double tau, double tau_m, double c, double t)
{
	double a = 1 / tau - 1 / tau_m;

	return 100 * exp(1.0) / (tau * c) *
	       ((exp(-t / tau_m) - exp(-t / tau)) / (a * a) - t * exp(-t / tau) / a);
}

Test(neuron_adapt, alpha_currents_with_equal_and_nearly_equal_time_constants_are_no_special_case)
{
	static const double taus[] = {
		10, 10 * (1 + 1e-15), 10 * (1 + 1e-12), 10 * (1 - 1e-9), 2, 100, 5e-4, 1e-2, 0.3,
		0.2
	};
	const struct neuron_model *m = &neuron_iaf_psc_alpha;

	for (size_t k = 0; k < COUNTOF(taus); k++) {
		bool same = fabs(taus[k] / 10 - 1) < 1e-8;

		world_defaults(m, p);
		world_set(m, p, "tau_syn_in", taus[k]);
		world_init(&world, m, p, 0.1, k % 2);
		(void)world_advance(&world, 1, 0, -100);
		for (int64_t t = 2; t <= 300; t++) {
			double x = 0.1 * (double)(t - 1);
			double want = same ? equal(10, 250, x) : unequal(taus[k], 10, 250, x);

			(void)world_advance(&world, t, 0, 0);
			cr_assert_float_eq(world_state(&world, "V_m"), -70 - want, 1e-8,
					   "tau %.17g step %d: %.17g", taus[k], (int)t, want);
		}
	}
}

/* ---- spikes --------------------------------------------------------------------------------- */

Test(neuron_adapt, a_bursting_cell_may_spike_several_times_in_a_step)
{
	const struct neuron_model *m = &neuron_aeif_cond_exp;
	double most = 0, w;

	world_defaults(m, p);
	world_set(m, p, "I_e", 1e5);
	world_set(m, p, "V_reset", -45);
	world_set(m, p, "b", 1);
	world_set(m, p, "tau_w", 1e6);
	world_init(&world, m, p, 0.1, 0);
	for (int64_t t = 1; t <= 10; t++) {
		double count = world_advance(&world, t, 0, 0);

		most = fmax(most, count);
	}
	cr_assert_gt(most, 1);
	w = world_state(&world, "w");
	cr_assert_gt(w, 10);
	cr_assert_lt(w, 200);
}

Test(neuron_adapt, without_upstroke_an_exponential_cell_spikes_at_V_th)
{
	static const struct neuron_model *const models[] = { &neuron_aeif_cond_exp,
							     &neuron_aeif_psc_delta_clopath };
	/* passive: 281 pF, 30 nS, from -70.6 mV to -50.4 mV */
	double want = 281.0 / 30 * log(1000 / (1000 - 30 * 20.2));

	for (size_t i = 0; i < COUNTOF(models); i++) {
		int64_t t = 1;

		world_defaults(models[i], p);
		world_set(models[i], p, "Delta_T", 0);
		world_set(models[i], p, "a", 0);
		world_set(models[i], p, "I_e", 1000);
		world_init(&world, models[i], p, 0.1, 0);
		while (t < 1000 && world_advance(&world, t, 0, 0) <= 0)
			t++;
		cr_assert_eq(t, (int64_t)ceil(want / 0.1), "%s: step %d", models[i]->name, (int)t);
	}
}

/* How many steps V_m stands at V_reset after the first spike. */
static int64_t held(const struct neuron_model *m, double t_ref)
{
	double reset = p[param_find(m->params, m->n_params, "V_reset")];
	int64_t n = 0, t = 1;

	world_set(m, p, "t_ref", t_ref);
	world_init(&world, m, p, 0.1, 0);
	while (t < 5000 && world_advance(&world, t, 0, 0) <= 0)
		t++;
	while (t < 10000 && n < 1000 && world_state(&world, "V_m") > reset + 1e-9)
		(void)world_advance(&world, ++t, 0, 0);
	while (t < 10000 && world_state(&world, "V_m") == reset) {
		(void)world_advance(&world, ++t, 0, 0);
		n++;
	}
	return n;
}

Test(neuron_adapt, V_m_is_held_for_exactly_the_refractory_time)
{
	static const struct neuron_model *const models[] = {
		&neuron_iaf_psc_alpha, &neuron_iaf_cond_exp, &neuron_lif_adaptive,
		&neuron_aeif_cond_exp, &neuron_aeif_psc_delta_clopath
	};

	for (size_t i = 0; i < COUNTOF(models); i++) {
		world_defaults(models[i], p);
		world_set(models[i], p, "I_e", models[i] == &neuron_lif_adaptive ? 20 : 1000);
		/* The step of the spike ends at V_reset too. */
		cr_assert_eq(held(models[i], 3), 31, "%s", models[i]->name);
		cr_assert_eq(held(models[i], 0.1), 2, "%s", models[i]->name);
	}
}

Test(neuron_adapt, a_spike_without_clamp_goes_to_V_reset_at_once)
{
	const struct neuron_model *m = &neuron_aeif_psc_delta_clopath;
	int spikes = 0;

	world_defaults(m, p);
	world_set(m, p, "t_clamp", 0);
	world_set(m, p, "I_e", 1500);
	world_init(&world, m, p, 0.1, 0);
	for (int64_t t = 1; t <= 2000; t++) {
		if (world_advance(&world, t, 0, 0) <= 0)
			continue;
		spikes++;
		cr_assert_lt(world_state(&world, "V_m"), -40);
	}
	cr_assert_gt(spikes, 2);
	cr_assert_lt(spikes, 100);
}

/* ---- adaptive integration ------------------------------------------------------------------- */

static const struct neuron_model *const adaptive[] = { &neuron_aeif_cond_exp,
						       &neuron_aeif_psc_delta_clopath,
						       &neuron_hh_psc_alpha, &neuron_iaf_cond_exp,
						       &neuron_lif_adaptive };

/* Neuron i of world has a drive of its own; other has all neurons like neuron `alone`. */
static void alone_or_not(const struct neuron_model *m, size_t alone)
{
	double unit = m == &neuron_lif_adaptive ? 0.03 : 1, spikes = 0;

	world_defaults(m, p);
	world_init(&world, m, p, 0.1, 0);
	world_init(&other, m, p, 0.1, 1);
	for (size_t i = 0; i < WORLD_N; i++) {
		world.current[i] = unit * (100 + 80 * (double)i);
		other.current[i] = unit * (100 + 80 * (double)alone);
	}
	for (int64_t t = 1; t <= 2000; t++) {
		double ex = t % 70 == 0 ? 20 : 0, in = t % 90 == 0 ? -10 : 0;

		(void)world_advance(&world, t, ex, in);
		(void)world_advance(&other, t, ex, in);
		spikes += other.out[0];
		for (size_t k = 0; k < m->n_states; k++)
			cr_assert_eq(world.state[k][alone], other.state[k][0], "%s.%s step %d",
				     m->name, m->states[k].name, (int)t);
		cr_assert_eq(world.out[alone], other.out[0]);
	}
	if (alone == WORLD_N - 1)
		cr_assert_gt(spikes, 2, "%s", m->name);
}

Test(neuron_adapt, a_neuron_s_numbers_do_not_depend_on_its_neighbours)
{
	for (size_t k = 0; k < COUNTOF(adaptive); k++)
		for (size_t i = 0; i < WORLD_N; i += 5)
			alone_or_not(adaptive[k], i);
}

Test(neuron_adapt, an_equation_too_stiff_gives_no_number_rather_than_a_wrong_one)
{
	static const struct neuron_model *const models[] = { &neuron_hh_psc_alpha,
							     &neuron_aeif_cond_exp };

	for (size_t i = 0; i < COUNTOF(models); i++) {
		world_defaults(models[i], p);
		world_set(models[i], p, "C_m", 1e-9);
		world_set(models[i], p, "I_e", -1000);
		world_init(&world, models[i], p, 0.1, 0);
		for (int64_t t = 1; t <= 3; t++)
			(void)world_advance(&world, t, 0, 0);
		cr_assert(isnan(world_state(&world, "V_m")), "%s: %g mV", models[i]->name,
			  world_state(&world, "V_m"));
	}
}

/* ---- noise_generator ------------------------------------------------------------------------ */

static void noise_init(double mean, double std, double dt)
{
	const struct neuron_model *m = &neuron_noise_generator;

	world_defaults(m, p);
	world_set(m, p, "mean", mean);
	world_set(m, p, "std", std);
	world_set(m, p, "dt", dt);
	world_set(m, p, "start", 0.5);
	world_set(m, p, "stop", 2000);
	world_init(&world, m, p, 0.1, 0);
	world.c.key = rng_key(7, RNG_SPIKES, "noise");
}

Test(neuron_adapt, noise_changes_every_dt_between_start_and_stop)
{
	double before = 0;

	noise_init(10, 5, 0.3);
	for (int64_t t = 1; t <= 20010; t++) {
		double now = world_advance(&world, t, 0, 0);

		if (t <= 5 || t > 20000)
			cr_assert_eq(now, 0);
		else
			cr_assert_eq(now != before, (t - 6) % 3 == 0, "step %d", (int)t);
		cr_assert_eq(now, world_state(&world, "I"));
		cr_assert_neq(t == 6 ? world.out[0] : -1, now);
		before = now;
	}
}

Test(neuron_adapt, noise_has_its_mean_and_standard_deviation_and_no_memory)
{
	double sum = 0, square = 0, lag = 0, before = 0, n = 0;

	noise_init(100, 20, 0.1);
	for (int64_t t = 6; t <= 20000; t++) {
		(void)world_advance(&world, t, 0, 0);
		for (size_t i = 0; i < WORLD_N; i++) {
			double x = (world.out[i] - 100) / 20;

			sum += x;
			square += x * x;
			lag += x * before;
			before = x;
			n++;
		}
	}
	cr_assert_lt(fabs(sum) / sqrt(n), 4);
	cr_assert_lt(fabs(square - n) / sqrt(2 * n), 4);
	cr_assert_lt(fabs(lag) / sqrt(n), 4);
}

Test(neuron_adapt, even_noise_is_bounded_and_the_same_for_one_or_all)
{
	const struct neuron_model *m = &neuron_noise_generator;
	static struct world alone;
	double square = 0, most = 0, n = 0;

	noise_init(0, 2, 0.1);
	world_set(m, p, "distribution", 1);
	world_init(&world, m, p, 0.1, 0);
	world_init(&alone, m, p, 0.1, 1);
	world.c.key = alone.c.key = rng_key(7, RNG_SPIKES, "noise");
	for (int64_t t = 6; t <= 20000; t++) {
		(void)world_advance(&world, t, 0, 0);
		(void)world_advance(&alone, t, 0, 0);
		for (size_t i = 0; i < WORLD_N; i++) {
			double x = world.out[i] / 2;

			cr_assert_eq(world.out[i], alone.out[i]);
			square += x * x;
			most = fmax(most, fabs(x));
			n++;
		}
	}
	cr_assert_leq(most, sqrt(3.0));
	cr_assert_gt(most, 0.999 * sqrt(3.0));
	/* the fourth moment is 9 / 5 */
	cr_assert_lt(fabs(square - n) / sqrt(0.8 * n), 4);
}

/* ---- contradictions ------------------------------------------------------------------------- */

Test(neuron_adapt, a_contradiction_among_parameters_names_one_of_them)
{
	static const struct {
		const char *model, *param;
		double value;
	} cases[] = { { "iaf_psc_alpha", "V_reset", -55 },
		      { "iaf_psc_alpha", "V_min", -60 },
		      { "iaf_cond_exp", "V_reset", -55 },
		      { "lif_adaptive", "V_reset", -52 },
		      { "aeif_cond_exp", "V_reset", 0 },
		      { "aeif_cond_exp", "V_peak", -51 },
		      { "aeif_cond_exp", "Delta_T", 0.01 },
		      { "aeif_psc_delta_clopath", "V_reset", 33 },
		      { "aeif_psc_delta_clopath", "V_th_max", -51 },
		      { "izhikevich", "c", 30 },
		      { "izhikevich", "V_min", 30 },
		      { "noise_generator", "stop", -1 } };

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		const struct neuron_model *m = neuron_find(cases[i].model);
		struct err err = { 0 };

		world_defaults(m, p);
		world_set(m, p, cases[i].param, cases[i].value);
		cr_assert_eq(m->check(p, &err), -ERR_CONFLICT, "%s.%s", m->name, cases[i].param);
		cr_assert_str_eq(err.path, cases[i].param, "%s", m->name);
	}
}

/* ---- Diehl and Cook's cells ----------------------------------------------------------------- */

/* Their two kinds of cell, by their names. */
struct cell {
	double tau, rest, reset, threshold, refractory, e_in, theta_plus, offset;
};

static const struct cell cells[] = { { 100, -65, -65, -52, 5, -100, 0.05, 20 },
				     { 10, -60, -45, -40, 2, -85, 0, 0 } };

struct state {
	double v, ge, gi, theta, left; /* left: refractory steps */
};

static double slope(const struct cell *c, double v, double ge, double gi)
{
	return (c->rest - v + ge * (0 - v) + gi * (c->e_in - v)) / c->tau;
}

/* One step of half a millisecond by 200 of Runge and Kutta's, with the threshold at its end. */
static bool cell_step(const struct cell *c, struct state *s, double ex, double in)
{
	const double h = 0.5 / 200, he = exp(-h / 2), hi = exp(-h / 4); /* tau 1 and 2 ms */
	bool spike;

	for (int i = 0; i < 200; i++) {
		double k1, k2, k3, k4;

		k1 = slope(c, s->v, s->ge, s->gi);
		k2 = slope(c, s->v + h / 2 * k1, s->ge * he, s->gi * hi);
		k3 = slope(c, s->v + h / 2 * k2, s->ge * he, s->gi * hi);
		k4 = slope(c, s->v + h * k3, s->ge * he * he, s->gi * hi * hi);
		s->v = s->left > 0 ? c->reset : s->v + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
		s->ge *= he * he;
		s->gi *= hi * hi;
	}
	s->left -= s->left > 0;
	s->theta *= exp(-0.5 / 1e7);
	spike = s->v >= s->theta - c->offset + c->threshold;
	if (spike) {
		s->v = c->reset;
		s->theta += c->theta_plus;
		s->left = c->refractory / 0.5;
	}
	s->ge += ex;
	s->gi += in;
	return spike;
}

Test(neuron_adapt, the_cells_of_Diehl_and_Cook_follow_their_equations)
{
	const struct neuron_model *m = &neuron_lif_adaptive;

	for (size_t k = 0; k < COUNTOF(cells); k++) {
		const struct cell *c = &cells[k];
		struct state s = { .v = c->rest, .theta = c->offset };
		struct rng_key key = rng_key(k, RNG_SPIKES, "in");
		int spikes = 0;

		world_defaults(m, p);
		if (k) { /* the defaults are the first one */
			world_set(m, p, "tau_m", c->tau);
			world_set(m, p, "E_L", c->rest);
			world_set(m, p, "V_reset", c->reset);
			world_set(m, p, "V_th", c->threshold);
			world_set(m, p, "t_ref", c->refractory);
			world_set(m, p, "E_in", c->e_in);
			world_set(m, p, "theta_plus", c->theta_plus);
			world_set(m, p, "theta_offset", c->offset);
		}
		world_init(&world, m, p, 0.5, 0);
		for (int64_t t = 1; t <= 10000; t++) {
			/* 80 inputs of 0.3 at 20 Hz; now and then inhibition of 17. */
			double ex = 0.3 * rng_poisson(key, 0, (uint64_t)t, 80 * 20 * 0.5e-3);
			double in = 17 * rng_poisson(key, 1, (uint64_t)t, 4 * 0.5e-3);
			bool want = cell_step(c, &s, ex, in);

			cr_assert_eq(world_advance(&world, t, ex, -in) > 0, want,
				     "cell %zu, step %d", k, (int)t);
			cr_assert_float_eq(world_state(&world, "V_m"), s.v, 1e-3,
					   "cell %zu, step %d: %.9g, not %.9g", k, (int)t,
					   world_state(&world, "V_m"), s.v);
			cr_assert_float_eq(world_state(&world, "theta"), s.theta, 1e-9);
			spikes += want;
		}
		cr_assert_gt(spikes, 20, "cell %zu: %d spikes", k, spikes);
	}
}
