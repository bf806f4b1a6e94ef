/* hook.h - webhooks: one thread makes the deliveries that stand in the store's outbox.
 *
 * At least once: a delivery keeps its id over all attempts. Stopped or killed between an attempt and its
 * note, the attempt is made again. What a receiver does, or does not, delays nobody but its own webhook. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_HOOK_H
#define SERVER_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

struct hook;
struct store;

struct hook_config {
	struct store *store;
	bool private;	  /* to any address */
	double timeout_s; /* of an attempt */
	int64_t attempts; /* then it is given up */
	double retry_s;	  /* before the second attempt; twice as long before each further one */
};

int hook_new(struct hook **ret, const struct hook_config *config, struct err *err) MUST_USE;
/* There may be something new in the outbox. Any thread. */
void hook_wake(struct hook *h);
void hook_free(struct hook *h); /* what was not delivered is at the next start */

#endif
