/* rundir.h - what stands in a run's directory, and how stdp-run speaks to whoever started it.
 *
 * In:   spec.json   the spec, or {"experiment", "params", "seed"}
 *       data/       ID.FIELD.npy for every data set the spec names
 * Out:  *.col       columns (column.h), named in result.json
 *       result.json written as result.part and renamed: complete when it is there. Also after a
 *                   failure or a cancel ("partial": true).
 *       checkpoint  (ckpt.h) while it runs, and after SIGTERM; gone on from when it is there at the start
 *       stdout      one JSON object a line, at most ten a second:
 *                   {"t_ms": 12.5, "duration_ms": 100.0, "wall_s": 0.3, "spikes": 812}
 *       stderr      nothing, or a sentence each: it goes on from a checkpoint, or could not, or could
 *                   not write one; even result.json could not be written
 * Exit: 0, or ERR_EXIT_BASE + error code. SIGINT: cancel (ERR_CANCELLED). SIGTERM: stop in order
 *       (ERR_INTERRUPTED); the next start goes on from there. Experiments start over.
 *
 * result.json:
 *   {"version", "compiler", "flags", "threads", "seed": "42", "wall_s", "model_ms", "duration_ms",
 *    "dt_ms", "digest": "16 hex digits", "partial": false,
 *    "error": null | {"code": "numerical-failure", "path", "text"},
 *    "counts": {"spikes", "synaptic_events", "plastic_updates", "steps"}, "metrics": {name: number},
 *    "targets": [{"name", "unit", "value", "low", "high", "pass"}] (a bound that is null is none),
 *    "remarks": [sentence],
 *    "score": null | {"name", "unit", "value", "higher_is_better", "reference"},
 *    "populations": {name: {"model", "size"}},
 *    "projections": {name: {"source", "target", "model", "synapses"}},
 *    "recordings": [{"kind", "subject", "name", "meta": {},
 *                    "columns": [{"name", "type": "<f8", "file", "rows", "width"}]}]}
 *
 * kind, of what subject (name)      meta                  columns (type, width)
 * spikes, population                size                  step (<i8, 1) neuron (<u4, 1), a row a spike
 * states, population (variable)     unit, neurons, first, value (<f8, neurons); row i is at step
 *                                   every                 first + i * every
 * weights, projection               synapses: null (all)  source target (<u4, 1), a row a synapse;
 *                                   or [k]                at (<i8, 1; steps) weight (<f8, synapses),
 *                                                         a row a snapshot
 * final_weights, projection         synapses: null        as weights, one snapshot
 * weight_updates, projection        synapses, source,     step (<i8, 1) synapse (<i8, 1)
 *                                   target                weight (<f8, 1)
 * weight_histogram, projection      edges                 at (<i8, 1) count (<i8, bins)
 * rates, population                 bin (steps), size     count (<i8, 1): all spikes in bin i
 * table, name                       units {column: unit}  one column (<f8, 1) each
 */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_RUNDIR_H
#define CORE_RUNDIR_H

#define RUNDIR_SPEC	   "spec.json"
#define RUNDIR_DATA	   "data"
#define RUNDIR_RESULT	   "result.json"
#define RUNDIR_RESULT_PART "result.part"
#define RUNDIR_CKPT	   "checkpoint"
#define RUNDIR_CKPT_PART   "checkpoint.part"
#define RUNDIR_LOCK	   "lock"
/* Of a session (engine_live.h). */
#define RUNDIR_LIVE  "live.json"
#define RUNDIR_CKPTS "checkpoints"

#endif
