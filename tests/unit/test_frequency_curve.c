/* test_frequency_curve.c - pairs by frequency: independent predictions, the control, any rule. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/engine_case.h"

static double *column(const struct engine_case *c, const char *table, const char *name, size_t *n)
{
	return engine_case_column(c, engine_case_recording(c, "table", table, 0), name, n);
}

Test(frequency_curve, the_triplet_rule_has_all_signs_of_the_data)
{
	struct engine_case c = engine_case_experiment("frequency_curve",
						      "{\"set\":\"visual_cortex_nearest_full\"}");
	/* An independent implementation, at 0.1, 10, 20, 40, 50 Hz. */
	static const double want[2][5] = { { 0, .104, .323, .560, .624 },
					   { -.294, -.411, -.338, .260, .619 } };
	size_t n = 0;
	double *dw[2] = { column(&c, "curve", "dw_plus", &n), column(&c, "curve", "dw_minus", &n) };

	engine_case_reached(&c, 2);
	cr_assert_eq(n, 5);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < 5; i++)
			cr_expect_float_eq(dw[k][i], want[k][i], 0.002, "%g", dw[k][i]);
	cr_expect_float_eq(engine_case_metric(&c, "E"), 0.23, 0.02);
	mem_free(dw[0]);
	mem_free(dw[1]);
	engine_case_release(&c);
}

/* All-to-all pairs at period T: sums of both geometric series, 60 pairs. */
static double pairs(double a_plus, double a_minus, double dt, double period)
{
	double sum = 0;

	for (int i = 0; i < 60; i++)
		for (int j = 0; j < 60; j++) {
			double d = dt + (i - j) * period;

			sum += d > 0 ? a_plus * exp(-d / 20) : a_minus * exp(d / 20);
		}
	return sum;
}

Test(frequency_curve, pairs_are_their_sums_and_miss_the_signs)
{
	struct engine_case c = engine_case_experiment(
		"frequency_curve",
		"{\"rule\":\"stdp_pair\",\"rates_hz\":[4,25],\"rule_params\":{\"A_plus\":0.005,"
		"\"A_minus\":-0.00525,\"tau_plus\":20,\"tau_minus\":20}}");
	size_t n = 0;
	double *plus = column(&c, "curve", "dw_plus", &n);
	double *minus = column(&c, "curve", "dw_minus", &n);
	double *shuffled = column(&c, "curve", "dw_shuffled", &n);

	cr_assert_eq(n, 2);
	for (size_t i = 0; i < 2; i++) {
		double period = i ? 40 : 250, mean = 0;

		cr_expect_float_eq(plus[i], pairs(.005, -.00525, 10, period), 1e-12);
		cr_expect_float_eq(minus[i], pairs(.005, -.00525, -10, period), 1e-12);
		for (int k = 0; k < 1000; k++)
			mean += pairs(.005, -.00525, (k + 0.5) * 1e-3 * period, period) / 1000;
		/* 20 synapses of 60 draws: 0.005 sqrt(60 / 20) exp(-dt / 20) and less. */
		cr_expect_float_eq(shuffled[i], mean, 0.02, "%g, not %g", shuffled[i], mean);
	}
	cr_expect(json_is_false(json_object_get(engine_case_target(&c, "signs_right"), "pass")));
	mem_free(plus);
	mem_free(minus);
	mem_free(shuffled);
	engine_case_release(&c);
}

/* The cell and the rule by small steps of time, in the synapse's: the cell's present arrives 1 ms late, what
 * it excites another 1 ms. A pulse makes a spike. */
enum { BACK = 1000 }; /* steps of 0.005 ms: the 5 ms by which filtered potentials are late */
static double late[BACK][2];

static double by_equations(double dt, double period, int pairs, double b)
{
	const double h = 0.005;
	double v = -70.6, a = 0, z = 0, th = -50.4, plus = v, minus = v, x = 0, w = 0.5, held = 0;
	double pre = 200, post = 200 + dt, hit = 202;

	for (int k = 0; k < BACK; k++)
		late[k][0] = late[k][1] = v;
	for (int k = 0; k * h < 200 + pairs * period + 100; k++) {
		double *was = late[k % BACK], up = 30 * 2 * exp(fmin((v - th) / 2, 20));

		x -= h * x / 15;
		w += 8e-5 * h * x * fmax(v + 45.3, 0) * fmax(was[0] + 70.6, 0);
		if (k * h >= pre - h / 2 && pre < 200 + pairs * period - 1) {
			w -= 14e-5 * fmax(was[1] + 70.6, 0);
			x += 1.0 / 15;
			pre += period;
		}
		was[0] = plus;
		was[1] = minus;
		plus += h * (v - plus) / 7;
		minus += h * (v - minus) / 10;
		if (held <= 0) {
			double slope = (-30 * (v + 70.6) + up - a + z) / 281;

			a += h * (4 * (v + 70.6) - a) / 144;
			v += h * slope;
		} else if ((held -= h) <= h / 2) {
			held = 0;
			v = -49.6;
		}
		z -= h * z / 40;
		th += h * (-50.4 - th) / 50;
		if (k * h >= hit - h / 2 && hit < 202 + pairs * period - 1) {
			v += held > 0 ? 0 : w;
			hit += period;
		}
		if (k * h >= post - h / 2 && post < 200 + dt + pairs * period - 1) {
			v = 33;
			held = 2;
			a += b;
			z = 400;
			th = 30.4;
			post += period;
		}
	}
	return w / 0.5 - 1;
}

CHECK_LONG(frequency_curve, a_rule_of_potentials_has_a_cell_and_all_signs_of_the_data)
{
	struct engine_case c = engine_case_experiment(
		"frequency_curve", "{\"rule\":\"stdp_clopath\",\"rates_hz\":[20,40]}");
	size_t n = 0;
	double *dw[2] = { column(&c, "curve", "dw_plus", &n), column(&c, "curve", "dw_minus", &n) };
	double *model = column(&c, "data", "model", &n);

	engine_case_reached(&c, 2);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < 2; k++) {
			double want = by_equations(k ? -10 : 10, i ? 25 : 50, 60, 0.0805);

			cr_expect_float_eq(dw[k][i], want, 0.01, "%g, not %g", dw[k][i], want);
			cr_expect_eq(dw[k][i], model[4 + 2 * i + k]);
		}
	cr_expect(dw[1][0] < 0 && dw[1][1] > 0);
	mem_free(dw[0]);
	mem_free(dw[1]);
	mem_free(model);
	engine_case_release(&c);
}

/* Whether there is more than a second between two pairs does not matter; that the cell adapts does. */
Test(frequency_curve, a_cell_is_at_rest_a_second_after_a_pair_and_may_adapt)
{
	struct engine_case c = engine_case_experiment(
		"frequency_curve",
		"{\"rule\":\"stdp_clopath\",\"cell_params\":{\"b\":80.5},\"pairs\":4,"
		"\"rates_hz\":[0.5,1.2,40]}");
	size_t n = 0;
	double *dw = column(&c, "curve", "dw_minus", &n);
	double want = by_equations(-10, 25, 4, 80.5);

	cr_assert_eq(n, 3);
	cr_expect_lt(dw[0], -0.01, "%g", dw[0]);
	cr_expect_float_eq(dw[0], dw[1], 3e-3 * fabs(dw[0]), "%g, %g", dw[0], dw[1]);
	cr_expect_float_eq(dw[2], want, 0.002, "%g, not %g", dw[2], want);
	cr_expect(json_is_false(json_object_get(engine_case_target(&c, "signs_right"), "pass")));
	mem_free(dw);
	engine_case_release(&c);
}

CHECK_LONG(frequency_curve, many_noisy_synapses_have_the_mean_of_one_without_noise)
{
	static const char *const sigma[] = { "", "\"rule_params\":{\"sigma\":0},\"synapses\":1," };
	double *dw[2], *error;
	struct engine_case c[2];
	size_t n = 0;

	for (size_t i = 0; i < 2; i++) {
		char text[160];

		(void)snprintf(text, sizeof(text),
			       "{\"rule\":\"stdp_calcium\",\"set\":\"cortical_slices\",%s"
			       "\"rates_hz\":[10,40]}",
			       sigma[i]);
		c[i] = engine_case_experiment("frequency_curve", text);
		dw[i] = column(&c[i], "curve", "dw_minus", &n);
	}
	error = column(&c[0], "curve", "error_minus", &n);
	cr_assert_eq(n, 2);
	for (size_t i = 0; i < 2; i++) {
		/* sigma sqrt(time above a threshold / tau) / sqrt(200) / w_0 */
		cr_expect(error[i] > 0.01 && error[i] < 0.04, "%g", error[i]);
		cr_expect_float_eq(dw[0][i], dw[1][i], 4 * error[i], "%g, %g", dw[0][i], dw[1][i]);
	}
	cr_expect(json_is_true(json_object_get(engine_case_target(&c[0], "signs_right"), "pass")));
	for (size_t i = 0; i < 2; i++) {
		mem_free(dw[i]);
		engine_case_release(&c[i]);
	}
	mem_free(error);
}

Test(frequency_curve, what_is_refused_is_told)
{
	static const struct {
		const char *params, *path;
	} bad[] = {
		{ "\"rule\":\"nothing\"", "/params/rule" },
		{ "\"set\":\"nothing\"", "/params/set" },
		{ "\"rule\":\"stdp_clopath\",\"cell_params\":{\"V_peak\":-90}",
		  "/params/cell_params/V_reset" },
		{ "\"rates_hz\":[200]", "/params/rates_hz" },
		{ "\"rule_params\":{\"w_max\":0.5}", "/params/w_0" },
		{ "\"pairs\":10000,\"rates_hz\":{\"from\":1,\"to\":50,\"step\":0.1}",
		  "/params/rates_hz" },
	};

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		char text[256];
		struct engine_case c;

		(void)snprintf(text, sizeof(text),
			       "{\"experiment\":\"frequency_curve\",\"params\":{%s}}",
			       bad[i].params);
		c = engine_case_text(text, 1);
		cr_expect_neq(c.rc, 0);
		cr_expect_str_eq(c.err.path, bad[i].path, "%zu: %s: %s", i, c.err.path, c.err.text);
		engine_case_release(&c);
	}
}
