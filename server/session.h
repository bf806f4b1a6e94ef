/* session.h - live sessions: their processes, the commands to them, what they say.
 *
 * One thread owns the processes. A command is a line of core/serve.h; it wakes a parked session, and its
 * reply waits to be fetched by ticket. Topic of all that happens to a session: "session:ID". */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_SESSION_H
#define SERVER_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "server/event_stream.h"
#include "server/id.h"

struct event;
struct session;
struct store;

enum {
	SESSION_TOPIC_MAX = 48,
	SESSION_WATCHES_MAX = 31, /* of all streams of a session together; beside the state */
};

struct session_config {
	struct store *store;
	struct event *event;
	const char *runner; /* path of stdp-run */
	int64_t awake;	    /* processes at once */
	int64_t memory_mb;  /* of one */
	int64_t file_mb;    /* of one file it writes */
	double idle_s;	    /* after that long without a command it is parked */
	double checkpoint_s;
};

/* What is known of an awake one; of others session_look says false. */
struct session_view {
	char mode[16]; /* of core/serve.h: paused, stepping, playing, failed */
	double t_ms, speed;
	uint64_t version; /* grows with everything it says */
};

/* All that an earlier server left awake is parked. */
int session_new(struct session **ret, const struct session_config *config,
		struct err *err) MUST_USE;
/* Stop in order: every session is parked; commands are not taken any more. */
void session_stop(struct session *x);
void session_free(struct session *x); /* behind session_stop, and after the last stream */

void session_topic(const char *id, char topic[SESSION_TOPIC_MAX]);
/* DATA/sessions/ID[/MORE] into path; MORE may be NULL. */
void session_path(const struct store *s, const char *id, const char *more, char *path, size_t n);

/* Hand a command over (borrowed; gets an "id"). `fork`: the id of the session that it makes, whose row
 * stands already, or NULL. The session's row exists; if it has failed, only after store_session_state. */
int session_send(struct session *x, const char *id, json_t *command, const char *fork,
		 uint64_t *ret_ticket, struct err *err) MUST_USE;
/* 1: no reply yet. 0: *ret is it, a new reference, of {"ok": true}. -code: what it refused, all of it in
 * `errors`, pointers that begin with `from` beginning with `to`; BUSY: no process for it; CRASHED: its
 * process died; UNCERTAIN: the reply was fetched before, or nobody did so in a minute. The ticket is used
 * up unless it is 1. */
int session_reply(struct session *x, uint64_t ticket, json_t **ret, const char *from,
		  const char *to, struct err_list *errors) MUST_USE;
bool session_look(struct session *x, const char *id, struct session_view *ret);
/* End its process, if there is one, and remove its folder. Its row is gone already. */
void session_drop(struct session *x, const char *id);

/* The events of a session: state, and what `watch` names, [{"kind", ...}] of core/serve.h (borrowed). It
 * does not wake it and does not keep it awake. `last`: the place of the last event heard before, from where
 * it goes on as far as events are kept; what is missing is told by the event `gap` ({"dropped": how many,
 * null: not known}). NULL: from now on. */
int session_source(struct event_source *ret, struct session *x, const char *id, const json_t *watch,
		   const char *last, struct err *err) MUST_USE;

#endif
