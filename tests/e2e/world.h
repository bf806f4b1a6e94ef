/* world.h - a server that has one of everything, and an address for each route of its table. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_E2E_WORLD_H
#define TESTS_E2E_WORLD_H

#include "tests/e2e/harness.h"

enum { WORLD_PATH_MAX = 256 };

struct world {
	struct harness h;
	char run[64],
		window[64]; /* a network with everything recorded; an experiment with a table */
	char session[64], checkpoint[64], sweep[64], dataset[64], token[64], hook[64];
	char admin[128]; /* "Authorization: Bearer ..." of a token that may do all */
};

/* Start a server (args as harness_new) and fill it; it asks for tokens from then on. */
void world_new(struct world *w, const char *const *args);
void world_free(struct world *w);
/* A request with the token, and one more header line (NULL: none). */
struct reply world_ask(const struct world *w, const char *method, const char *path,
		       const char *body, const char *header);
/* The address at which a pattern of the route table ("/v1/runs/{id}/spikes") answers a GET with 200; fails
 * the test for a pattern it does not know. */
void world_path(const struct world *w, const char *pattern, char path[WORLD_PATH_MAX]);
/* What a GET there answers: `declared`, but where the world has none of it. */
int world_status(const char *pattern, int declared);

#endif
