/* kit_protocol.h - given trains of spikes at single synapses of any rule, one network for all of them.
 *
 * Times are those at the synapse, in ms from the first possible spike on, on a grid of 0.1 ms; a
 * postsynaptic spike is emitted one dendritic delay before.
 *
 * Rules that go by the target's potential (kit_protocol_has_cell) get a real cell for it, an
 * aeif_psc_delta_clopath in which a pulse of current, short as a step, sets off each postsynaptic spike; what
 * comes in the two ms in which it is clamped to a spike's potential is lost. The synapse excites it by its
 * weight, as it would. Resolution is 0.1 ms then. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_KIT_PROTOCOL_H
#define CORE_KIT_PROTOCOL_H

#include "core/base/mem.h"
#include "core/kit.h"
#include "core/model/plasticity.h"
#include "core/spec_json.h"

/* What one synapse meets: ascending, at or after -PROTOCOL_LEAD_MS. */
struct kit_protocol {
	const double *pre, *post; /* [n_pre], [n_post] ms */
	size_t n_pre, n_post;
};

#define PROTOCOL_LEAD_MS 200.0

/* What is repeated: times in ms, ascending on either side. */
enum { PROTOCOL_CYCLE_MAX = 4 };

struct kit_protocol_cycle {
	double pre[PROTOCOL_CYCLE_MAX], post[PROTOCOL_CYCLE_MAX];
	size_t n_pre, n_post;
	double period_ms;
};

/* A pair of spikes, dt = t_post - t_pre. */
struct kit_protocol_cycle kit_protocol_pair(double dt_ms, double rate_hz);
int kit_protocol_repeat(struct kit_protocol *ret, const struct kit_protocol_cycle *cycle,
			size_t repeats, struct mem_arena *arena, struct err *err) MUST_USE;

struct kit_protocol_rule {
	const char *model; /* our name or another simulator's */
	const char *set;   /* a named set of its parameters; NULL or "": none */
	json_t *params; /* borrowed; NULL: none. Pair and triplet rule without w_max: a bound far away */
	json_t *cell; /* parameters of the cell that differ from its authors'; borrowed or NULL */
	double w_0;
};

/* The parameters of an experiment that name a rule, as kit_protocol_translate knows them. */
#define PROTOCOL_RULE	     "rule"
#define PROTOCOL_SET	     "set"
#define PROTOCOL_RULE_PARAMS "rule_params"
#define PROTOCOL_CELL_PARAMS "cell_params"
#define PROTOCOL_W_0	     "w_0"

void kit_protocol_rule_read(struct kit_protocol_rule *ret, const json_t *params, double w_0);
/* Does the rule go by its target's potential, by our name or another simulator's? */
bool kit_protocol_has_cell(const char *rule);
/* A weight to begin with: the middle of the rule's bounds; 1 where they are far away or none; 0.5 where there
 * is a cell. */
double kit_protocol_start(const char *model);
/* Would the rule be accepted? As experiment->check. */
int kit_protocol_check(const struct kit_protocol_rule *rule, const char *prefix,
		       const struct spec_limits_json *limits, struct err_list *errors);
/* One error of an experiment's parameters among those of a request. */
int kit_protocol_refuse(const struct err *e, const char *prefix, struct err_list *errors);
/* Weights after the trains, relative to w_0: ret_dw[n]. ret_params[PLASTICITY_PARAMS_MAX], if not
 * NULL: the rule's parameters in our terms. */
int kit_protocol_run(struct experiment_ctx *c, const struct kit_protocol *p, size_t n,
		     const struct kit_protocol_rule *rule, double *ret_dw, double *ret_params,
		     struct err *err) MUST_USE;

#endif
