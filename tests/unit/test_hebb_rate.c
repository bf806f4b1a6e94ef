/* test_hebb_rate.c - Hebb's rule on rates, update by update, against its equations. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/check.h"
#include "tests/unit/one_synapse.h"

enum { PLAIN, COVARIANCE, OJA, BCM, VARIANTS };
enum { DELAY = 7, TICK = 50, SPIKES = 300, STEPS = 12000 };

static const struct plasticity_model *const rule = &plasticity_hebb_rate;
static struct one o, looked_at;

static void use(double *p, int variant, bool sliding)
{
	one_defaults(rule, p);
	one_set(rule, p, "variant", variant);
	one_set(rule, p, "eta", 0.2);
	one_set(rule, p, "update_ms", 5);
	one_set(rule, p, "tau_x", 40);
	one_set(rule, p, "tau_y", 60);
	one_set(rule, p, "rate_0", 250);
	one_set(rule, p, "theta_x", 200);
	one_set(rule, p, "theta_y", 300);
	one_set(rule, p, "sliding", sliding);
	one_set(rule, p, "tau_theta", 200);
	one_set(rule, p, "alpha", 0.7);
	one_set(rule, p, "w_max", 100);
}

/* A rate of spikes of either side, by step of arrival, and the equations' state. */
struct trains {
	unsigned pre[STEPS + 1], post[STEPS + 1];
};

static struct trains trains;

static void draw(struct check_random *r)
{
	memset(&trains, 0, sizeof(trains));
	for (int i = 0; i < SPIKES; i++) {
		trains.pre[20 + check_below(r, STEPS - 20)]++;
		trains.post[20 + check_below(r, STEPS - 20)]++;
	}
	trains.pre[40 * TICK] += 2; /* at the time of an update */
	trains.post[41 * TICK] += 2;
}

struct equations {
	double x, y, theta_x, theta, w; /* rates in units of rate_0 */
};

static void equations_step(struct equations *e, int variant, bool sliding, int64_t t)
{
	double h = 0.005, move = 1 - exp(-5.0 / 200), dw;

	e->x = e->x * exp(-0.1 / 40) + trains.pre[t] * 1000 / (40.0 * 250);
	e->y = e->y * exp(-0.1 / 60) + trains.post[t] * 1000 / (60.0 * 250);
	if (t % TICK)
		return;
	switch (variant) {
	case COVARIANCE:
		dw = (e->x - e->theta_x) * (e->y - e->theta);
		break;
	case OJA:
		dw = e->x * e->y - 0.7 * e->y * e->y * e->w;
		break;
	case BCM:
		dw = e->x * e->y * (e->y - e->theta);
		break;
	default:
		dw = e->x * e->y;
	}
	e->w = fmax(e->w + 0.2 * h * dw, 0);
	if (variant == BCM)
		e->theta += move * (e->y * e->y - e->theta);
	if (variant == COVARIANCE && sliding) {
		e->theta += move * (e->y - e->theta);
		e->theta_x += move * (e->x - e->theta_x);
	}
}

static double at(struct one *x, int64_t t, unsigned n, bool tick)
{
	x->row.tick = tick;
	return one_update(x, t, n);
}

static void begin(struct one *x, const double *p, double w)
{
	one_init(x, rule, p, 0.1, DELAY, w);
	x->trim = true;
	for (int64_t t = 1; t <= STEPS; t++)
		for (unsigned i = 0; i < trains.post[t]; i++)
			one_post(x, t - DELAY);
}

static void follow(struct check_random *r, int variant, bool sliding)
{
	struct equations e = { .theta_x = 0.8, .theta = variant == BCM ? 1 : 1.2, .w = 1 };
	double p[PLASTICITY_PARAMS_MAX];

	draw(r);
	use(p, variant, sliding);
	cr_assert_eq(rule->tick_ms(p), 5);
	begin(&o, p, 1);
	begin(&looked_at, p, 1);
	cr_assert_eq(rule->n_syn(o.ctx.coef), variant == BCM || (variant == COVARIANCE && sliding));
	for (int64_t t = 1; t <= STEPS; t++) {
		equations_step(&e, variant, sliding, t);
		if (trains.pre[t]) {
			at(&o, t, trains.pre[t], false);
			at(&looked_at, t, trains.pre[t], false);
		}
		if (t % TICK == 0) {
			at(&o, t, 0, true);
			at(&looked_at, t, 0, true);
			cr_assert(check_close(o.w, e.w, 1e-12, 0), "%d, step %d: %.17g, not %.17g",
				  variant, (int)t, o.w, e.w);
		} else if (check_below(r, 10) == 0) {
			at(&looked_at, t, 0, false);
		}
		cr_assert_eq(o.w, looked_at.w, "who looks changes nothing");
	}
	cr_assert(fabs(o.w - 1) > 1e-3, "variant %d learned nothing", variant);
}

Test(hebb_rate, all_variants_follow_their_equations_whatever_is_swept)
{
	struct check_random r = check_random("hebb");

	for (int variant = 0; variant < VARIANTS; variant++)
		follow(&r, variant, false);
	follow(&r, COVARIANCE, true);
}

Test(hebb_rate, spikes_alone_change_no_weight_and_the_trace_counts_each)
{
	double p[PLASTICITY_PARAMS_MAX];

	use(p, PLAIN, false);
	memset(&trains, 0, sizeof(trains));
	trains.post[60] = 3;
	begin(&o, p, 1);
	at(&o, 50, 2, false);
	at(&o, 90, 3, false);
	cr_assert_eq(at(&o, 99, 0, false), 1);
	cr_assert_float_eq(o.pre[0], 3 + 2 * exp(-4.0 / 40), 1e-15);
	at(&o, 100, 0, true);
	/* 1000 / (tau rate_0) a spike on either side */
	cr_assert_float_eq(o.w,
			   1 + 0.2 * 0.005 * (3 * exp(-1.0 / 40) + 2 * exp(-5.0 / 40)) * 0.1 * 3 *
					   exp(-4.0 / 60) / 15,
			   1e-15);
}

/* Before the delay has passed a target's spike is not there; its own time is. */
Test(hebb_rate, a_spike_counts_from_its_arrival_on)
{
	double p[PLASTICITY_PARAMS_MAX];

	use(p, PLAIN, false);
	memset(&trains, 0, sizeof(trains));
	trains.post[101] = 1;
	begin(&o, p, 1);
	at(&o, 50, 1, false);
	cr_assert_eq(at(&o, 100, 0, true), 1);
	cr_assert_gt(at(&o, 150, 0, true), 1);
	memset(&trains, 0, sizeof(trains));
	trains.post[100] = 1;
	begin(&o, p, 1);
	at(&o, 100, 1, false);
	cr_assert_gt(at(&o, 100, 0, true), 1);
}

Test(hebb_rate, bounds_hold_in_either_direction)
{
	double p[PLASTICITY_PARAMS_MAX];

	use(p, PLAIN, false);
	one_set(rule, p, "w_min", 0.9);
	one_set(rule, p, "w_max", 1.1);
	memset(&trains, 0, sizeof(trains));
	trains.post[90] = 5;
	for (int sign = -1; sign <= 1; sign += 2) {
		one_set(rule, p, "eta", 1000 * sign);
		begin(&o, p, 1);
		at(&o, 50, 5, false);
		cr_assert_eq(at(&o, 100, 0, true), sign > 0 ? 1.1 : 0.9);
	}
}

Test(hebb_rate, a_switched_off_row_keeps_its_weight_and_thresholds_go_on)
{
	double p[PLASTICITY_PARAMS_MAX];

	memset(&trains, 0, sizeof(trains));
	trains.post[90] = 50;
	for (int variant = COVARIANCE; variant <= BCM; variant += BCM - COVARIANCE) {
		use(p, variant, true);
		begin(&o, p, 1);
		o.row.on = false;
		at(&o, 50, 5, false);
		cr_assert_eq(at(&o, 100, 0, true), 1);
		cr_assert_gt(o.syn[0], 0);
		cr_assert_gt(o.pre[0], 4);
		o.row.on = true;
		cr_assert_neq(at(&o, 150, 0, true), 1);
	}
}

Test(hebb_rate, bounds_the_wrong_way_round_are_refused)
{
	double p[PLASTICITY_PARAMS_MAX];
	struct err err = { 0 };

	use(p, OJA, false);
	cr_assert_eq(rule->check(p, &err), 0);
	one_set(rule, p, "w_min", 100);
	cr_assert_eq(rule->check(p, &err), -ERR_CONFLICT);
	cr_assert_str_eq(err.path, "w_max");
}
