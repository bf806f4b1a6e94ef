/* test_options.c - what stands beside a rule: scaling, noise, normalisation, short-term plasticity,
 * modulation; through the whole engine. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/engine_case.h"

/* A network of given trains, with ' for ": every source onto every target. */
static struct engine_case run(const char *duration_ms, const char *trains, const char *synapse,
			      const char *more, unsigned threads)
{
	char text[4096];

	(void)snprintf(text, sizeof(text),
		       "{'duration_ms':%s,'seed':'7','populations':{%s},'projections':{'syn':{"
		       "'source':'pre','target':'post','connect':{'rule':'all_to_all'},"
		       "'synapse':{%s}}}%s}",
		       duration_ms, trains, synapse, more);
	for (char *c = text; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	return engine_case_text(text, threads);
}

static double *last_weights(const struct engine_case *c, size_t *ret_n)
{
	const json_t *r = engine_case_recording(c, "final_weights", "syn", 0);

	cr_assert_eq(c->rc, 0, "%s: %s", c->err.path, c->err.text);
	cr_assert_not_null(r);
	return engine_case_column(c, r, "weight", ret_n);
}

/* Updates of the synapses as recorded: the weights transmitted. */
static double *transmitted(const struct engine_case *c, size_t *ret_n)
{
	const json_t *r = engine_case_recording(c, "weight_updates", "syn", 0);

	cr_assert_eq(c->rc, 0, "%s: %s", c->err.path, c->err.text);
	cr_assert_not_null(r);
	return engine_case_column(c, r, "weight", ret_n);
}

#define POISSON(n_pre, n_post) \
	"'pre':{'model':'poisson_generator','size':" n_pre ",'params':{'rate':30}}," \
	"'post':{'model':'poisson_generator','size':" n_post ",'params':{'rate':30}}"
#define PAIR	"'model':'stdp_pair','weight':{'uniform':[0.2,0.8]},'delay_ms':1"
#define UPDATES ",'record':{'weights':[{'projection':'syn','every':'update'}]}"

static void sums_are(const struct engine_case *c, double sum)
{
	size_t n = 0;
	double *w = last_weights(c, &n);

	cr_assert_eq(n, 60);
	for (size_t j = 0; j < 6; j++) {
		double got = 0;

		for (size_t i = 0; i < 10; i++)
			got += w[i * 6 + j];
		cr_assert_float_eq(got, sum, 1e-12 * sum, "target %zu: %.17g", j, got);
	}
	mem_free(w);
}

Test(options, normalisation_keeps_the_sum_of_each_target)
{
	/* The end is a multiple of every_ms: nothing moved since. */
	struct engine_case c =
		run("1000", POISSON("10", "6"), PAIR ",'normalise':{'sum':4,'every_ms':50}", "", 1);
	struct engine_case four =
		run("1000", POISSON("10", "6"), PAIR ",'normalise':{'sum':4,'every_ms':50}", "", 4);

	sums_are(&c, 4);
	cr_assert_str_eq(engine_case_digest(&c), engine_case_digest(&four));
	engine_case_release(&c);
	engine_case_release(&four);
}

Test(options, normalisation_holds_from_the_start)
{
	struct engine_case c =
		run("0.1", POISSON("10", "6"), PAIR ",'normalise':{'sum':3,'every_ms':50}", "", 1);

	sums_are(&c, 3);
	engine_case_release(&c);
}

Test(options, normalisation_on_demand_is_the_schedules)
{
	static const char synapse[] = PAIR ",'normalise':{'sum':2.5}";
	struct engine_case c =
		run("200", POISSON("10", "6"), synapse,
		    ",'schedule':[{'at_ms':199.9,'plasticity':{'projection':'syn','on':false}},"
		    "{'at_ms':199.9,'normalise':{'projection':'syn'}}]",
		    1);
	struct engine_case never = run("200", POISSON("10", "6"), synapse, "", 1);

	sums_are(&c, 2.5);
	cr_assert_str_neq(engine_case_digest(&c), engine_case_digest(&never));
	engine_case_release(&c);
	engine_case_release(&never);
}

Test(options, normalisation_keeps_the_bounds)
{
	struct engine_case c =
		run("100", POISSON("10", "6"), PAIR ",'normalise':{'sum':40,'every_ms':10}", "", 1);
	size_t n = 0;
	double *w = last_weights(&c, &n);

	for (size_t k = 0; k < n; k++)
		cr_assert_eq(w[k], 1, "w_max is 1, found %.17g", w[k]);
	mem_free(w);
	engine_case_release(&c);
}

/* The rule's amplitudes are 0: only scaling moves the weight. */
#define STILL(w, more) \
	"'model':'stdp_pair','weight':" w ",'delay_ms':1,'params':{'A_plus':0,'A_minus':0," \
	"'w_max':100}," more
#define ONE_TARGET(times) \
	"'pre':{'model':'spike_generator','params':{'spike_times':[5]}}," \
	"'post':{'model':'spike_generator','params':{'spike_times':[" times "]}}"

Test(options, scaling_follows_its_equation)
{
	/* beta w (rate - r), r an exponential average of the target's spikes that starts at rate_hz. */
	static const double spikes[] = { 20, 21, 100, 130, 130.1, 333 };
	struct engine_case c = run("500", ONE_TARGET("20,21,100,130,130.1,333"),
				   STILL("2", "'scale':{'rate_hz':4,'beta':0.3,'tau_ms':150,"
					      "'every_ms':100}"),
				   "", 1);
	long double w = 2, r;
	size_t n = 0;
	double *got = last_weights(&c, &n);

	for (int t = 100; t <= 500; t += 100) {
		r = 4 * expl(-t / 150.0L);
		for (size_t i = 0; i < COUNTOF(spikes); i++)
			if (spikes[i] <= t)
				r += 1000.0L / 150 * expl(-(t - (long double)spikes[i]) / 150);
		w *= expl(0.3L * (4 - r) * 0.1L);
	}
	cr_assert_float_eq(got[0], (double)w, 1e-13 * (double)w, "%.17g, not %.17g", got[0],
			   (double)w);
	mem_free(got);
	engine_case_release(&c);
}

Test(options, scaling_stands_still_while_plasticity_is_off)
{
	struct engine_case c = run("500", ONE_TARGET("20"),
				   STILL("2", "'scale':{'rate_hz':4,'beta':0.3,'every_ms':100}"),
				   ",'schedule':[{'at_ms':0,'plasticity':{'projection':'syn','on':"
				   "false}}]",
				   1);
	size_t n = 0;
	double *w = last_weights(&c, &n);

	cr_assert_eq(w[0], 2);
	mem_free(w);
	engine_case_release(&c);
}

Test(options, noise_has_its_moments_and_its_seed)
{
	/* 100 draws of sd 0.01 on 400 synapses: the log's variance is 0.01, its mean -0.005. */
	static const char trains[] =
		"'pre':{'model':'poisson_generator','size':20,'params':{'rate':0}},"
		"'post':{'model':'poisson_generator','size':20,'params':{'rate':0}}";
	struct engine_case c =
		run("1000", trains, STILL("5", "'noise':{'sd':0.01,'every_ms':10}"), "", 1);
	struct engine_case four =
		run("1000", trains, STILL("5", "'noise':{'sd':0.01,'every_ms':10}"), "", 4);
	double sum = 0, square = 0;
	size_t n = 0;
	double *w = last_weights(&c, &n);

	cr_assert_eq(n, 400);
	for (size_t k = 0; k < n; k++) {
		double x = log(w[k] / 5);

		sum += x;
		square += x * x;
	}
	/* Five standard errors of the mean, and of the variance. */
	cr_assert_float_eq(sum / 400, -0.005, 5 * 0.1 / 20, "mean %g", sum / 400);
	cr_assert_float_eq(square / 400, 0.01, 5 * 0.01 * sqrt(2 / 400.0), "variance %g",
			   square / 400);
	cr_assert_str_eq(engine_case_digest(&c), engine_case_digest(&four));
	mem_free(w);
	engine_case_release(&c);
	engine_case_release(&four);
}

Test(options, modulation_multiplies_the_amplitudes)
{
#define AMPLITUDES(a) "'params':{'A_plus':" a ",'A_minus':-" a ",'w_max':100}"
	static const char half[] = PAIR "," AMPLITUDES("0.005");
	static const char whole[] = PAIR "," AMPLITUDES("0.01") ",'modulation':0.5";
	static const char later[] = PAIR "," AMPLITUDES("0.01");
	struct engine_case a = run("500", POISSON("5", "5"), half, "", 1);
	struct engine_case b = run("500", POISSON("5", "5"), whole, "", 1);
	struct engine_case d = run("500", POISSON("5", "5"), later,
				   ",'schedule':[{'at_ms':0,'modulation':{'projection':'syn',"
				   "'factor':0.5}}]",
				   1);
	struct engine_case e = run("500", POISSON("5", "5"), later, "", 1);

	cr_assert_eq(a.rc, 0, "%s: %s", a.err.path, a.err.text);
	cr_assert_str_eq(engine_case_digest(&a), engine_case_digest(&b));
	cr_assert_str_eq(engine_case_digest(&a), engine_case_digest(&d));
	cr_assert_str_neq(engine_case_digest(&a), engine_case_digest(&e));
	engine_case_release(&a);
	engine_case_release(&b);
	engine_case_release(&d);
	engine_case_release(&e);
}

#define DEPRESSING "{'U':0.4,'tau_rec':300,'tau_fac':50}"

/* What each spike transmits is the product: w of the rule alone, u x of short-term plasticity alone. */
Test(options, short_term_plasticity_multiplies_what_any_rule_transmits)
{
	struct engine_case rule = run("800", POISSON("3", "3"), PAIR, UPDATES, 1);
	struct engine_case both =
		run("800", POISSON("3", "3"), PAIR ",'stp':" DEPRESSING, UPDATES, 1);
	struct engine_case ux =
		run("800", POISSON("3", "3"),
		    "'model':'stp','weight':1,'delay_ms':1,'params':" DEPRESSING, UPDATES, 1);
	size_t n = 0, n_both = 0, n_ux = 0;
	double *w = transmitted(&rule, &n), *wux = transmitted(&both, &n_both);
	double *factor = transmitted(&ux, &n_ux);

	cr_assert_eq(n, n_both);
	cr_assert_eq(n, n_ux);
	cr_assert_gt(n, 100);
	for (size_t k = 0; k < n; k++)
		cr_assert_eq(wux[k], w[k] * factor[k]);
	/* The weights themselves are the rule's: generators spike as they did. */
	cr_assert_str_eq(engine_case_digest(&rule), engine_case_digest(&both));
	mem_free(w);
	mem_free(wux);
	mem_free(factor);
	engine_case_release(&rule);
	engine_case_release(&both);
	engine_case_release(&ux);
}

Test(options, a_static_weight_with_it_is_the_rule_stp)
{
	struct engine_case block = run("300", POISSON("3", "3"),
				       "'model':'static','weight':2,'stp':" DEPRESSING, UPDATES, 1);
	struct engine_case rule = run("300", POISSON("3", "3"),
				      "'model':'stp','weight':2,'params':" DEPRESSING, UPDATES, 1);
	size_t n = 0, m = 0;
	double *a = transmitted(&block, &n), *b = transmitted(&rule, &m);

	cr_assert_eq(n, m);
	cr_assert_eq(memcmp(a, b, n * sizeof(*a)), 0);
	mem_free(a);
	mem_free(b);
	engine_case_release(&block);
	engine_case_release(&rule);
}

Test(options, what_is_wrong_is_said_with_its_place)
{
	static const struct {
		const char *synapse, *more, *path;
	} cases[] = {
		{ "'model':'static','scale':{'rate_hz':3}", "", "/synapse/scale" },
		{ PAIR ",'scale':{}", "", "/synapse/scale/rate_hz" },
		{ PAIR ",'scale':{'rate_hz':3,'every_ms':0}", "", "/synapse/scale/every_ms" },
		{ PAIR ",'scale':{'rate_hz':3,'every_ms':0.15}", "", "/synapse/scale/every_ms" },
		{ PAIR ",'noise':{'sd':-1}", "", "/synapse/noise/sd" },
		{ PAIR ",'noise':{'sd':1,'bogus':2}", "", "/synapse/noise/bogus" },
		{ PAIR ",'normalise':{'sum':0}", "", "/synapse/normalise/sum" },
		{ PAIR ",'normalise':3", "", "/synapse/normalise" },
		{ PAIR ",'modulation':-1", "", "/synapse/modulation" },
		{ PAIR ",'modulator':{'population':'pre'}", "", "/synapse/modulator" },
		{ PAIR ",'set':'bogus'", "", "/synapse/set" },
		{ PAIR ",'stp':{'U':2}", "", "/synapse/stp/U" },
		{ "'model':'stp','stp':{'U':0.5}", "", "/synapse/stp" },
		{ PAIR, ",'schedule':[{'at_ms':1,'normalise':{'projection':'syn'}}]",
		  "/schedule/0/normalise/projection" },
		{ PAIR, ",'schedule':[{'at_ms':1,'reward':{'projection':'syn','amount':1}}]",
		  "/schedule/0/reward/projection" },
		{ PAIR, ",'schedule':[{'at_ms':1,'modulation':{'projection':'syn','factor':-2}}]",
		  "/schedule/0/modulation/factor" },
		{ PAIR, ",'schedule':[{'at_ms':1}]", "/schedule/0" },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct engine_case c =
			run("10", POISSON("2", "2"), cases[i].synapse, cases[i].more, 1);
		const char *path = c.err.path;

		cr_assert_eq(c.rc, -(int)ERR_INVALID, "case %zu: %d %s", i, c.rc, c.err.text);
		if (!strncmp(path, "/projections/syn", 16))
			path += 16;
		cr_assert_str_eq(path, cases[i].path, "case %zu: %s", i, c.err.text);
		engine_case_release(&c);
	}
}
