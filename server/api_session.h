/* api_session.h - what the handlers of sessions share. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_API_SESSION_H
#define SERVER_API_SESSION_H

#include <jansson.h>

#include "server/api.h"
#include "server/id.h"
#include "server/session.h"
#include "server/store_session.h"

/* The session named in the path, which the request may see; errors: NOTFOUND. */
int api_session_find(const struct api *api, const struct request *rq, struct store_session *ret,
		     struct err_list *errors) MUST_USE;
/* As the contract has it. New reference, NULL: no memory. */
json_t *api_session_json(const struct api *api, const struct store_session *row);
/* `body` with the number that the reply of a process bears, if there is one (NULL: none). */
json_t *api_session_numbered(json_t *body, json_t *reply_take);
/* Answer with the row of `id` as it is now, numbered as `reply`. */
int api_session_answer(const struct api *api, struct request *rq, struct response *rs,
		       const char *id, int status, json_t *reply_take, struct err_list *errors);

/* A command and its reply over the waits of one request. */
struct api_session_ask {
	const char *id; /* the session that is told */
	const char *from,
		*to;	  /* pointers of errors that begin with `from` begin with `to`; NULL: "" */
	const char *fork; /* the session it makes; NULL: none */
	const char *note; /* comes back from api_session_note; NULL: none */
};
/* Not told yet: hand `command` over (stolen) and wait; later (command NULL): the reply. 0: *ret is it,
 * new reference; 1: it waits, the handler returns 0; -code. */
int api_session_ask(const struct api *api, struct request *rq, struct response *rs,
		    const struct api_session_ask *ask, json_t *command, json_t **ret,
		    struct err_list *errors) MUST_USE;
/* Whether the request is back from a wait, or repeats one whose effect stands (a memo "0 NOTE"); and the
 * note that was left ("": none). */
bool api_session_back(const struct request *rq, char note[ID_SIZE]);
/* Whether the command is on its way. */
bool api_session_told(const struct request *rq);

/* What the query asks a stream of this session to tell beside its state, new reference:
 * ?spikes=population,...&rates=population,...&weights=projection,...&max_hz=. Names that its spec does not
 * have are errors, or with `any` passed over: the stream is of several sessions, and then each name must be
 * among what is `watched` of all. */
int api_session_watch(const struct api *api, const struct request *rq, const char *id, bool any,
		      json_t **ret, struct err_list *errors) MUST_USE;
int api_session_watched(const struct request *rq, const json_t *watched,
			struct err_list *errors) MUST_USE;

/* Whether the path is a session's. */
bool api_session_is(const struct request *rq);
/* Have all recordings in its folder: 0: they are there; 1: it waits; -code. */
int api_session_look(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors) MUST_USE;

#endif
