/* networks - specs of the benchmark's networks. */
/* SPDX-License-Identifier: MIT */
#include "tests/bench/networks.h"

#include <math.h>

static void balanced_cells(struct buf *b, double scale)
{
	const char *cell =
		"\"model\": \"iaf_psc_delta\", \"params\": {\"tau_m\": 20, \"t_ref\": 2, "
		"\"E_L\": 0, \"V_th\": 20, \"V_reset\": 10, \"C_m\": 250, \"I_e\": 0}, "
		"\"init\": {\"V_m\": {\"uniform\": [0, 20]}}";
	int n[] = { (int)(9000 * scale), (int)(2250 * scale) };

	for (int p = 0; p < 2; p++)
		(void)buf_printf(
			b,
			"\"%c\": {\"size\": %d, %s}, \"p%c\": {\"model\": "
			"\"poisson_generator\", \"size\": %d, \"params\": {\"rate\": %.17g}}%s",
			"ei"[p], n[p], cell, "ei"[p], n[p], 7000 * scale, p ? "" : ", ");
}

static void projection(struct buf *b, const char *source, const char *target, int indegree)
{
	(void)buf_printf(
		b,
		", \"%c%c\": {\"source\": \"%s\", \"target\": \"%s\", \"connect\": {\"rule\": "
		"\"fixed_indegree\", \"indegree\": %d, \"autapses\": false}, \"synapse\": ",
		source[0], target[0], source, target, indegree);
}

static void static_synapse(struct buf *b, double w)
{
	(void)buf_printf(b, "{\"model\": \"static\", \"weight\": %.17g, \"delay_ms\": 1.5}}", w);
}

/* The triplet rule has no weight dependence: a tenth of the amplitudes of its default set, in units
 * of J, leaves the network alive for the seconds that are measured. */
static void plastic_synapse(struct buf *b, enum balanced_rule rule, double j)
{
	switch (rule) {
	case RULE_MULTIPLICATIVE:
		(void)buf_printf(
			b,
			"{\"model\": \"stdp_synapse_hom\", \"weight\": %.17g, \"delay_ms\": 1.5, "
			"\"params\": {\"tau_plus\": 20, \"tau_minus\": 20, \"lambda\": 0.005, "
			"\"alpha\": 2.02, \"Wmax\": %.17g, \"mu_plus\": 1, \"mu_minus\": 1}}}",
			j, 3 * j);
		break;
	case RULE_POWER: /* with alpha = 1.02 J^(mu - 1) */
		(void)buf_printf(
			b,
			"{\"model\": \"stdp_pair\", \"weight\": %.17g, \"delay_ms\": 1.5, "
			"\"params\": {\"tau_plus\": 20, \"tau_minus\": 20, \"weight_dependence\": "
			"\"power\", \"mu\": 0.4, \"w_0\": 1, \"A_plus\": 0.005, \"A_minus\": "
			"%.17g, \"w_max\": 1e9}}}",
			j, -0.005 * 1.02 * pow(j, 0.4 - 1));
		break;
	case RULE_TRIPLET:
		(void)buf_printf(
			b,
			"{\"model\": \"stdp_triplet\", \"weight\": %.17g, \"delay_ms\": 1.5, "
			"\"params\": {\"A2_plus\": 5e-11, \"A3_plus\": %.17g, \"A2_minus\": "
			"%.17g, \"A3_minus\": %.17g, \"w_max\": %.17g}}}",
			j, 6.2e-4 * j, 7e-4 * j, 2.3e-5 * j, 3 * j);
		break;
	case RULE_STATIC:
	case RULE_N:
		static_synapse(b, j);
		break;
	}
}

void network_balanced(struct buf *b, double scale, enum balanced_rule rule)
{
	int k_e = (int)(9000 * scale) / 10, k_i = (int)(2250 * scale) / 10;
	double j = 0.2 / scale;

	(void)buf_str(b, "{\"duration_ms\": 100000, \"seed\": \"1\", \"populations\": {");
	balanced_cells(b, scale);
	(void)buf_str(b, "}, \"projections\": {");
	for (int p = 0; p < 2; p++) {
		(void)buf_printf(
			b,
			"%s\"x%c\": {\"source\": \"p%c\", \"target\": \"%c\", \"connect\": "
			"{\"rule\": \"one_to_one\"}, \"synapse\": ",
			p ? ", " : "", "ei"[p], "ei"[p], "ei"[p]);
		static_synapse(b, j);
	}
	projection(b, "e", "e", k_e);
	plastic_synapse(b, rule, j);
	projection(b, "e", "i", k_e);
	static_synapse(b, j);
	projection(b, "i", "e", k_i);
	static_synapse(b, -6 * j);
	projection(b, "i", "i", k_i);
	static_synapse(b, -6 * j);
	(void)buf_str(b, "}}");
}

void network_conductance(struct buf *b)
{
	const char *cell =
		"\"model\": \"iaf_cond_exp\", \"params\": {\"C_m\": 200, \"g_L\": 10, "
		"\"E_L\": -60, \"V_th\": -50, \"V_reset\": -60, \"t_ref\": 5, \"E_ex\": 0, "
		"\"E_in\": -80, \"tau_syn_ex\": 5, \"tau_syn_in\": 10, \"I_e\": 200}, "
		"\"init\": {\"V_m\": {\"uniform\": [-60, -50]}}";

	(void)buf_printf(
		b,
		"{\"duration_ms\": 100000, \"seed\": \"1\", \"populations\": {\"e\": {\"size\": "
		"3200, %s}, \"i\": {\"size\": 800, %s}}, \"projections\": {",
		cell, cell);
	for (int k = 0; k < 4; k++) {
		char from = "ei"[k / 2], to = "ei"[k % 2];

		(void)buf_printf(
			b,
			"%s\"%c%c\": {\"source\": \"%c\", \"target\": \"%c\", \"connect\": "
			"{\"rule\": \"pairwise_bernoulli\", \"p\": 0.02}, \"synapse\": {\"model\": "
			"\"static\", \"weight\": %d, \"delay_ms\": 0.8}}",
			k ? ", " : "", from, to, from, to, from == 'e' ? 4 : -51);
	}
	(void)buf_str(b, "}}");
}

void network_competition(struct buf *b, int cells)
{
	(void)buf_printf(
		b,
		"{\"duration_ms\": 1000000, \"seed\": \"1\", \"populations\": {\"inputs\": "
		"{\"model\": "
		"\"poisson_generator\", \"size\": 1000, \"params\": {\"rate\": 15}}, \"cell\": "
		"{\"model\": \"iaf_cond_exp\", \"size\": %d, \"params\": {\"C_m\": 100, \"g_L\": "
		"10, "
		"\"E_L\": -74, \"V_th\": -54, \"V_reset\": -60, \"t_ref\": 0, \"E_ex\": 0, "
		"\"tau_syn_ex\": 5, \"I_e\": 0}, \"init\": {\"V_m\": -74}}}, \"projections\": "
		"{\"in\": "
		"{\"source\": \"inputs\", \"target\": \"cell\", \"connect\": {\"rule\": "
		"\"all_to_all\"}, \"synapse\": {\"model\": \"stdp_pair\", \"weight\": "
		"{\"uniform\": "
		"[0, 0.1]}, \"delay_ms\": 0.1, \"params\": {\"A_plus\": 0.001, \"A_minus\": "
		"-0.00105, "
		"\"tau_plus\": 20, \"tau_minus\": 20, \"w_max\": 0.1}}}}}",
		cells);
}

void network_small(struct buf *b)
{
	const char *cell =
		"\"model\": \"iaf_psc_delta\", \"params\": {\"tau_m\": 20, \"E_L\": 0, "
		"\"V_th\": 20, \"V_reset\": 10}, \"init\": {\"V_m\": {\"uniform\": [0, 20]}}";

	(void)buf_printf(
		b,
		"{\"duration_ms\": 1000, \"seed\": \"1\", \"populations\": {\"e\": {\"size\": 80, "
		"%s}, "
		"\"i\": {\"size\": 20, %s}, \"p\": {\"model\": \"poisson_generator\", \"size\": "
		"80, "
		"\"params\": {\"rate\": 7000}}}, \"projections\": {\"pe\": {\"source\": \"p\", "
		"\"target\": \"e\", \"connect\": {\"rule\": \"one_to_one\"}, \"synapse\": "
		"{\"model\": "
		"\"static\", \"weight\": 0.2, \"delay_ms\": 1.5}}, \"ee\": {\"source\": \"e\", "
		"\"target\": \"e\", \"connect\": {\"rule\": \"fixed_indegree\", \"indegree\": 20}, "
		"\"synapse\": {\"model\": \"stdp_pair\", \"weight\": 0.2, \"delay_ms\": 1.5}}, "
		"\"ei\": {\"source\": \"e\", \"target\": \"i\", \"connect\": {\"rule\": "
		"\"fixed_indegree\", \"indegree\": 40}, \"synapse\": {\"model\": \"static\", "
		"\"weight\": 1, \"delay_ms\": 1.5}}, \"ie\": {\"source\": \"i\", \"target\": "
		"\"e\", "
		"\"connect\": {\"rule\": \"fixed_indegree\", \"indegree\": 10}, \"synapse\": "
		"{\"model\": \"static\", \"weight\": -1, \"delay_ms\": 1.5}}}, \"record\": "
		"{\"spikes\": [\"e\", \"i\"]}}",
		cell, cell);
}
