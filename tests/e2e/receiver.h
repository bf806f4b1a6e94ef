/* receiver.h - what stands at the other end of a webhook: it remembers what it was sent and answers as the
 * path says.
 *
 * /ok 200; /never 500; /later 500 twice, then 200; /moved 302 to /ok; /silent nothing, until
 * receiver_speak; /endless a 200 whose body does not end. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_E2E_RECEIVER_H
#define TESTS_E2E_RECEIVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { RECEIVER_MAX = 64, RECEIVER_TEXT = 16384 };

struct receiver {
	int fd, port;
	pthread_t thread;
	atomic_bool stopping, speaks;
	atomic_int connections;
	pthread_mutex_t mutex; /* owns all below */
	int n;
	char request[RECEIVER_MAX][RECEIVER_TEXT]; /* head and body as they came */
};

void receiver_new(struct receiver *r);
void receiver_free(struct receiver *r);
void receiver_speak(struct receiver *r); /* from now on /silent is /ok */
/* Request number i (from 0) to a path, when it has come: its text into text[RECEIVER_TEXT]. False: not
 * within `seconds`. */
bool receiver_wait(struct receiver *r, const char *path, int i, char *text, double seconds);
int receiver_count(struct receiver *r, const char *path); /* so far */
/* A header of such a text into value[n]; the body. */
bool receiver_header(const char *text, const char *name, char *value, size_t n);
const char *receiver_body(const char *text);

#endif
