/* test_park - who waits is woken by any of its topics, and by no other. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>

#include "server/clock.h"
#include "server/park.h"

static int slept, woken;

static void on_sleep(void *sleeper)
{
	(void)sleeper;
	slept++;
}

static void on_wake(void *sleeper)
{
	++*(int *)sleeper;
	woken++;
}

static struct park *park;

static void setup(void)
{
	slept = woken = 0;
	cr_assert_eq(park_new(&park, on_sleep, on_wake, NULL), 0);
}

static void teardown(void)
{
	park_free(park);
}

TestSuite(park, .init = setup, .fini = teardown, .timeout = 20);

Test(park, one_that_waits_for_many_is_woken_by_any_of_them)
{
	static const char *const wakes[] = { "run:1", "session:2", "run:33" };

	for (size_t i = 0; i < 3; i++) {
		int mine = 0, other = 0;
		struct park_place a = { .topics = "run:1 session:2 run:33 ", .sleeper = &mine };
		struct park_place b = { .topics = "run:3", .sleeper = &other };

		(void)park_look(park, &a);
		(void)park_look(park, &b);
		cr_assert_eq(park_wait(park, &a, (double)INFINITY), PARK_ASLEEP);
		cr_assert_eq(park_wait(park, &b, (double)INFINITY), PARK_ASLEEP);
		park_wake(park, "run:2");
		park_wake(park, "session:22");
		park_wake(park, "session");
		park_wake(park, "");
		cr_assert_eq(mine + other, 0);
		park_wake(park, wakes[i]);
		cr_assert_eq(mine, 1);
		cr_assert_eq(other, 0);
		cr_assert_not(park_look(park, &a), "it did not end by time");
		park_wake(park, "run:3");
		cr_assert_eq(other, 1);
	}
}

Test(park, a_wake_up_between_looking_and_waiting_is_noticed)
{
	int n = 0;
	struct park_place a = { .topics = "run:1 run:2", .sleeper = &n };

	(void)park_look(park, &a);
	park_wake(park, "run:2");
	cr_assert_eq(park_wait(park, &a, (double)INFINITY), PARK_AGAIN);
	cr_assert_eq(slept, 0);
	(void)park_look(park, &a);
	cr_assert_eq(park_wait(park, &a, clock_mono_s() - 1.0), PARK_ASLEEP);
	while (!park_look(park, &a)) /* the timer's thread */
		;
	cr_assert_eq(n, 1);
}

Test(park, nobody_sleeps_once_it_stops)
{
	int n = 0;
	struct park_place a = { .topics = "run:1", .sleeper = &n };

	(void)park_look(park, &a);
	cr_assert_eq(park_wait(park, &a, (double)INFINITY), PARK_ASLEEP);
	park_stop(park);
	cr_assert_eq(n, 1);
	cr_assert_eq(park_wait(park, &a, (double)INFINITY), PARK_STOPPING);
}
