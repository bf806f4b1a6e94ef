/* harness.h - a real server with a data folder of its own, and requests to it.
 *
 * The program is $STDPD, by default build/bin/stdpd below the working directory. What it logs
 * stands in DIR.log, shown when it does not start. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_E2E_HARNESS_H
#define TESTS_E2E_HARNESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct harness {
	pid_t pid; /* 0: not running */
	int port;
	char dir[256]; /* data folder */
	char url[64];  /* http://127.0.0.1:PORT, or https */
};

struct reply {
	int status;    /* 0: no answer */
	char *headers; /* raw, NUL-terminated */
	char *body;    /* [len], NUL-terminated */
	size_t len;
	json_t *json; /* of the body; NULL: it is none */
};

/* Start on a free port; args: further arguments, NULL-terminated, or NULL. `new` makes a fresh data
 * folder, `again` uses h->dir. They fail the test when the server does not come up. */
void harness_new(struct harness *h, const char *const *args);
void harness_again(struct harness *h, const char *const *args);
/* Try to start on a folder: the exit code if it ended instead, with what it logged in log[n]; -1:
 * it runs (and is stopped). */
int harness_try(const char *dir, const char *const *args, char *log, size_t n);
bool harness_sanitized(
	const char *program);	      /* whether $STDPD or $STDP_RUN is built with a sanitizer */
int harness_stop(struct harness *h);  /* SIGTERM, wait; exit code (128 + signal if killed) */
void harness_kill(struct harness *h); /* SIGKILL, wait */
void harness_free(struct harness *h); /* stop if need be, remove the folder */

/* One request. body NULL: none; a body goes out as application/json unless a header says otherwise.
 * headers: "Name: value", NULL-terminated, or NULL. Release the reply. */
struct reply harness_ask(const struct harness *h, const char *method, const char *path,
			 const char *body, const char *const *headers);
struct reply harness_send(const struct harness *h, const char *method, const char *path,
			  const void *body, size_t n, const char *content_type);
struct reply harness_get(const struct harness *h, const char *path);
void reply_release(struct reply *r);
/* Value of a header into text[n]; false: absent. */
bool reply_header(const struct reply *r, const char *name, char *text, size_t n);
/* The value at a JSON Pointer; NULL: there is none. */
json_t *reply_at(const struct reply *r, const char *pointer);
const char *reply_text(const struct reply *r, const char *pointer); /* "" unless it is a string */
double reply_number(const struct reply *r, const char *pointer);    /* NaN unless it is a number */

/* POST /v1/runs with this body; the id into id[64]; asserts 201 or 202. */
void harness_run(const struct harness *h, const char *body, char id[64]);
/* Wait until the run is in a final state (or `seconds` passed) and give the run. */
struct reply harness_wait(const struct harness *h, const char *id, double seconds);
/* Wait until it is in `state`; false: not within `seconds`. */
bool harness_state(const struct harness *h, const char *id, const char *state, double seconds);
/* Raw bytes over a new connection; the answer (up to n - 1 bytes, until it closes or a second
 * passes) into text. */
void harness_raw(const struct harness *h, const char *bytes, size_t len, char *text, size_t n);
/* Process id of the simulation in DATA/runs/ID: whose command line names that folder. 0: none. */
pid_t harness_child(const char *id);
/* The same, waited for: a run is said to be running before its process is there. 0: none in 20 s. */
pid_t harness_child_soon(const char *id);

#endif
