/* serve.h - a live session: a simulation that does what it is told (stdp-run --serve DIR).
 *
 * DIR is a run's directory (rundir.h): spec.json, data/, and from its checkpoint, if there is one, the
 * session goes on. Beside what a run leaves there: checkpoints/NAME/, live.json (engine_live.h).
 *
 * Channel. Commands are lines of JSON on standard input, at most 16 MiB each; replies and events are lines of
 * JSON on standard output. Whoever starts a session makes a socketpair (AF_UNIX, SOCK_STREAM) and gives one
 * end as both; pipes do too, but then it cannot fork: a fork needs a connection of its own, and the new
 * socket travels as SCM_RIGHTS with the first byte of the reply. No name in the file system, so nothing to
 * race for, to protect or to clean up, and the end of either process is seen as the end of input.
 *
 * First line, when the network is built:  {"seq":0,"t_ms":T,"ok":true,"state":{...}}, or
 * {"seq":0,"ok":false,"error":{...},"errors":[...]} and the process exits.
 * Reply to the n-th line received:   {"seq":n,"t_ms":T,"ok":true,...} or
 *                                    {"seq":n,"t_ms":T,"ok":false,"error":{"code","path","text"}}
 * with the command's "id" (a string or an integer) if it has one. "path" points into the command; errors of
 * a schedule come with "errors":[{"code","path","text"}], all of them. An error has changed nothing, a line
 * that is no JSON neither. Replies come in the order of the commands, but for those to "state", "pause" and
 * "watch", which do not wait for a step under way, and to "checkpoint". Any command may
 * have "expect_t_ms": refused (wrong-state) where time stands elsewhere.
 *
 * cmd         keys                   what; keys of the reply
 * state       digest: bool           {"mode": "paused"|"stepping"|"playing"|"failed", "speed", "pid",
 *                                    "dt_ms", "seed", "threads", "generation": how often it was restored,
 *                                    "counts": {spikes, synaptic_events, plastic_updates, steps},
 *                                    "error" if it has failed, "digest" if asked for}, all in "state"
 * step        duration_ms            go on by so much; replies when it is done. "stopped": true if a pause
 *                                    ended it before
 * play        speed                  go on until a pause: speed times real time, 0: as fast as possible
 * pause                              stand (at the step it has come to)
 * stimuli     schedule: [entry]      add entries of a spec's schedule, each at its at_ms or now, without
 * parameters  the same               one: {"spikes": {"population", "neurons", "count", "weight"}}, {"set": {
 *                                    "population"|"projection", "params"}} (a current step is I_e, or
 *                                    amplitude of a dc_generator; a rate is rate), {"plasticity":
 *                                    {"projection" (none: all), "on"}}, {"modulation"}, {"reward"},
 *                                    {"normalise"}. All or none.
 * data        weights: [name]|true   have all recordings in the files, the weights of now of these
 *                                    projections (true: all plastic ones) as recordings "final_weights";
 *                                    live.json, in the form of result.json, says where. Its files stay until
 *                                    the second data command after this one
 * values      population, variable,  {"unit", "values": [number]}: a state of now, of all neurons or of these
 *             neurons: [n]           (at most 10000)
 * watch       events: [{"kind", ..., replaces what was watched; kinds below. Nothing is sent while
 *             "max_hz": 10}]         time stands
 * checkpoint  name                   {"bytes", "path", "saved_ms"}: save to DIR/checkpoints/NAME, or, without
 *                                    a name, to DIR/checkpoint, from which the next start goes on. A forked
 *                                    process writes what is now, at "saved_ms"; the reply comes when it
 *                                    is safe on the disk, commands behind it are done meanwhile
 * restore     name                   take back what was saved there; a step or play under way is over
 * fork        dir                    a process of its own goes on in this directory, which is made if it is
 *                                    not there and else is empty: same past, its own future, paused.
 *                                    {"pid", "dir"} and its socket, on which its own first line comes
 * save        dir                    leave the past as a finished run in this directory: spec.json (its
 *                                    schedule with all that came), columns, result.json. {"dir", "digest"}
 * quit        checkpoint: bool       end; with true after a checkpoint. Exits with 0
 *
 * Events: {"event": kind, "t_ms": T, ...}, between any two lines, at most max_hz a second (1000 at most); if
 * the reader is slow they are left out, and the next says how many ("dropped").
 * state                              {"state": as above}. Also unasked when a simulation fails
 * spikes    population, max: 1000    {"population", "from_ms", "count", "at_ms": [], "neuron": []}: since
 *                                    the last, the first `max` of them; count is of all
 * rates     population               {"population", "from_ms", "rate_hz"}: mean since the last
 * weights   projection, bins: 50     {"projection", "mean", "sd", "edges": [bins + 1], "counts": []} of now
 *
 * Time moves by step and play only, and its end is open. What a session computes is what one run of its past
 * computes, bit for bit, whatever the slices, forks, checkpoints and threads.
 *
 * A checkpoint is written to DIR/checkpoint every --checkpoint-s seconds in which something changed. End of
 * input and SIGTERM: one more, exit ERR_EXIT_BASE + ERR_INTERRUPTED; SIGINT: none, ERR_CANCELLED. SIGKILL
 * loses what came after the last one. A simulation that failed (a state not finite, a rate over its limit)
 * stays to be read, saved and restored. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_SERVE_H
#define CORE_SERVE_H

#include "core/engine.h"

struct serve_options {
	int dir_fd, lock_fd;	       /* both become the session's; the lock is let go by a fork */
	struct engine_control control; /* progress is not called */
};

/* Serve until the end; returns what the process exits with. */
int serve(const struct serve_options *o);

#endif
