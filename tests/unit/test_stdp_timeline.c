/* test_stdp_timeline.c - rows that have all targets: to the same bits as rows that do not know it.
 *
 * One more cell, to which nothing leads and which never fires, and the list of all other pairs make
 * the same synapses in rows that are not whole. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "core/base/buf.h"
#include "tests/engine_case.h"

enum { SOURCES = 40, CELLS = 12 };

struct variant {
	const char *words, *params;
	double delay_ms;
	unsigned threads;
};

static void write_list(struct buf *b, int sources)
{
	(void)buf_str(b, "{\"rule\": \"list\", \"sources\": [");
	for (int i = 0; i < sources * CELLS; i++)
		(void)buf_printf(b, "%s%d", i ? ", " : "", i / CELLS);
	(void)buf_str(b, "], \"targets\": [");
	for (int i = 0; i < sources * CELLS; i++)
		(void)buf_printf(b, "%s%d", i ? ", " : "", i % CELLS);
	(void)buf_str(b, "]}");
}

/* Two currents let cells fire; between them is a silence longer than the tables of decay reach. Some
 * sources are so slow that many spikes come between two of theirs. */
static void write_spec(struct buf *b, const struct variant *v, bool whole)
{
	(void)buf_printf(
		b,
		"{\"duration_ms\": 10000, \"seed\": \"3\", \"populations\": {\"in\": {\"model\": "
		"\"poisson_generator\", \"size\": %d, \"params\": {\"rate\": {\"uniform\": [0.3, "
		"40]}}}, "
		"\"early\": {\"model\": \"dc_generator\", \"params\": {\"amplitude\": 600, "
		"\"stop\": 1500}}, "
		"\"late\": {\"model\": \"dc_generator\", \"params\": {\"amplitude\": 600, "
		"\"start\": 9000}}, "
		"\"cell\": {\"model\": \"iaf_psc_exp\", \"size\": %d, \"params\": {\"tau_m\": "
		"{\"uniform\": "
		"[10, 15]}, \"t_ref\": 0.2}}}, \"projections\": {",
		SOURCES, whole ? CELLS : CELLS + 1);
	for (int late = 0; late < 2; late++) {
		(void)buf_printf(
			b, "\"%s_in\": {\"source\": \"%s\", \"target\": \"cell\", \"connect\": ",
			late ? "late" : "early", late ? "late" : "early");
		write_list(b, 1);
		(void)buf_str(b, ", \"synapse\": {\"weight\": 1, \"delay_ms\": 0.1}}, ");
	}
	(void)buf_str(b, "\"syn\": {\"source\": \"in\", \"target\": \"cell\", \"connect\": ");
	if (whole)
		(void)buf_str(b, "{\"rule\": \"all_to_all\"}");
	else
		write_list(b, SOURCES);
	(void)buf_printf(
		b,
		", \"synapse\": {\"model\": \"stdp_pair\", \"weight\": {\"uniform\": [0, 9]}, "
		"\"delay_ms\": %g, \"params\": {\"w_max\": 9, %s}}}}, \"schedule\": [",
		v->delay_ms, v->params);
	for (int i = 0; i < SOURCES; i += 5)
		(void)buf_printf(
			b,
			"{\"at_ms\": %d, \"spikes\": {\"population\": \"in\", \"neurons\": [%d, "
			"7], \"count\": 2}}, ",
			300 + i, i);
	(void)buf_str(
		b, "{\"at_ms\": 700, \"plasticity\": {\"projection\": \"syn\", \"on\": false}}, "
		   "{\"at_ms\": 800, \"plasticity\": {\"projection\": \"syn\", \"on\": true}}]}");
}

static struct engine_case run(const struct variant *v, bool whole)
{
	struct buf b;
	struct engine_case c;
	char *text;

	buf_init(&b, 1 << 20);
	write_spec(&b, v, whole);
	text = buf_take(&b, NULL);
	cr_assert_not_null(text);
	c = engine_case_text(text, v->threads);
	cr_assert_eq(c.rc, 0, "%s: %s: %s", v->words, c.err.path, c.err.text);
	mem_free(text);
	return c;
}

Test(stdp_timeline, whole_rows_come_to_the_bits_of_others)
{
	static const struct variant variants[] = {
		{ "additive", "\"A_plus\": 0.6, \"A_minus\": -0.63", 1, 1 },
		{ "multiplicative",
		  "\"A_plus\": 2, \"A_minus\": -2.1, \"mu_plus\": 1, \"mu_minus\": 1", 0.1, 1 },
		{ "anti-Hebbian, three threads", "\"A_plus\": -0.6, \"A_minus\": 0.5", 2.5, 3 },
		{ "traces that stay",
		  "\"A_plus\": 0.01, \"A_minus\": -0.01, \"tau_plus\": 4000, \"tau_minus\": 4000",
		  1, 1 },
		{ "traces that fade",
		  "\"A_plus\": 6, \"A_minus\": -7, \"tau_plus\": 0.5, \"tau_minus\": 0.5", 1, 1 },
	};

	for (size_t i = 0; i < COUNTOF(variants); i++) {
		struct engine_case whole = run(&variants[i], true);
		struct engine_case other = run(&variants[i], false);
		const json_t *counts = json_object_get(whole.result, "counts");

		cr_expect_str_eq(engine_case_digest(&whole), engine_case_digest(&other), "%s",
				 variants[i].words);
		cr_assert_gt(engine_case_metric(&whole, "rate_hz.cell"), 5);
		cr_assert_gt(json_integer_value(json_object_get(counts, "plastic_updates")), 50000);
		engine_case_release(&whole);
		engine_case_release(&other);
	}
}
