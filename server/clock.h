/* clock.h - wall and monotonic time, replaceable in tests; ISO-8601 in UTC. */
/* SPDX-License-Identifier: MIT */
#ifndef SERVER_CLOCK_H
#define SERVER_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_TEXT_MAX = 32 };

int64_t clock_wall_ms(void); /* since 1970, UTC */
double clock_mono_s(void);
/* Tests: take wall time from `wall_ms` (NULL: the real one again). Not while threads run. */
void clock_replace(int64_t (*wall_ms)(void));

/* "2026-01-02T03:04:05.678Z" into text; returns text. */
char *clock_text(int64_t wall_ms, char text[CLOCK_TEXT_MAX]);
/* "2026-01-02", or with "T03:04:05", fraction, and "Z" or "+hh:mm"; without a zone: UTC. False if
 * it is none. */
bool clock_parse(const char *text, int64_t *ret_wall_ms);

#endif
