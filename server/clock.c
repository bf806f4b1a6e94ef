/* clock.c - time, and its text. */
/* SPDX-License-Identifier: MIT */
#include "server/clock.h"

#include <stddef.h>
#include <stdio.h>
#include <time.h>

static int64_t (*wall)(void);

int64_t clock_wall_ms(void)
{
	struct timespec ts;

	if (wall)
		return wall();
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

double clock_mono_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

void clock_replace(int64_t (*wall_ms)(void))
{
	wall = wall_ms;
}

char *clock_text(int64_t wall_ms, char text[CLOCK_TEXT_MAX])
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	size_t n;

	text[0] = '\0';
	if (!gmtime_r(&s, &tm))
		return text;
	n = strftime(text, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + n, CLOCK_TEXT_MAX - n, ".%03dZ", (int)(wall_ms % 1000));
	return text;
}

/* Digits [n] as a number; -1 if one is none. */
static int digits(const char **at, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		v = v * 10 + (**at - '0');
	}
	return v;
}

static bool literal(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant's days_from_civil). */
static int64_t days(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* ".678": milliseconds; further digits are dropped. */
static int fraction(const char **at)
{
	int ms = 0, scale = 100;

	if (!literal(at, '.'))
		return 0;
	for (; **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
		ms += (**at - '0') * scale;
	return ms;
}

/* "Z", "" or "+hh:mm": minutes east of Greenwich; false if it is none of these. */
static bool zone(const char **at, int *ret_minutes)
{
	int sign = **at == '-' ? -1 : 1, h, m;

	*ret_minutes = 0;
	if (literal(at, 'Z') || !**at)
		return true;
	if (!literal(at, '+') && !literal(at, '-') && !literal(at, ' '))
		return false; /* an unescaped + in a query arrives as a blank */
	h = digits(at, 2);
	(void)literal(at, ':');
	m = digits(at, 2);
	*ret_minutes = sign * (h * 60 + m);
	return h >= 0 && h < 24 && m >= 0 && m < 60;
}

bool clock_parse(const char *text, int64_t *ret_wall_ms)
{
	int y = digits(&text, 4), mo, d, h = 0, mi = 0, s = 0, ms = 0, minutes = 0;

	if (y < 1970 || !literal(&text, '-'))
		return false;
	mo = digits(&text, 2);
	if (mo < 1 || mo > 12 || !literal(&text, '-'))
		return false;
	d = digits(&text, 2);
	if (d < 1 || d > 31)
		return false;
	if (literal(&text, 'T')) {
		h = digits(&text, 2);
		if (h < 0 || h > 23 || !literal(&text, ':'))
			return false;
		mi = digits(&text, 2);
		if (mi < 0 || mi > 59)
			return false;
		if (literal(&text, ':'))
			s = digits(&text, 2);
		if (s < 0 || s > 60)
			return false;
		ms = fraction(&text);
		if (!zone(&text, &minutes))
			return false;
	}
	if (*text)
		return false;
	*ret_wall_ms = (((days(y, mo, d) * 24 + h) * 60 + mi - minutes) * 60 + s) * 1000 + ms;
	return true;
}
