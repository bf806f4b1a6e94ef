/* test_run - the table of moves. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/base/err.h"
#include "server/run.h"

Test(run, a_final_state_is_never_left)
{
	for (int from = 0; from < RUN_N; from++) {
		if (!run_state_final((enum run_state)from))
			continue;
		for (int event = 0; event < RUN_EVENT_N; event++)
			cr_assert_eq(run_next((enum run_state)from, (enum run_event)event), RUN_N,
				     "%s by %d", run_state_name((enum run_state)from), event);
	}
}

Test(run, succeeded_is_reached_only_by_a_process_that_ended)
{
	for (int from = 0; from < RUN_N; from++)
		for (int event = 0; event < RUN_EVENT_N; event++)
			if (run_next((enum run_state)from, (enum run_event)event) == RUN_SUCCEEDED)
				cr_assert(event == RUN_END &&
					  (from == RUN_RUNNING || from == RUN_CANCELLING));
}

Test(run, every_state_but_queued_is_reached_and_every_one_not_final_is_left)
{
	for (int state = 0; state < RUN_N; state++) {
		int in = 0, out = 0;

		for (int event = 0; event < RUN_EVENT_N; event++) {
			out += run_next((enum run_state)state, (enum run_event)event) != RUN_N;
			for (int from = 0; from < RUN_N; from++)
				in += run_next((enum run_state)from, (enum run_event)event) ==
				      (enum run_state)state;
		}
		cr_assert_gt(in, 0, "%s", run_state_name((enum run_state)state));
		cr_assert_eq(out == 0, run_state_final((enum run_state)state), "%s",
			     run_state_name((enum run_state)state));
	}
}

Test(run, whatever_a_process_ends_with_there_is_a_move)
{
	for (int code = 0; code < ERR_N; code++) {
		cr_assert_neq(run_next(RUN_RUNNING, run_event_of(RUN_RUNNING, code)), RUN_N,
			      "running, %s", err_name(code));
		cr_assert_neq(run_next(RUN_CANCELLING, run_event_of(RUN_CANCELLING, code)), RUN_N,
			      "cancelling, %s", err_name(code));
	}
}

Test(run, names_and_states_are_one_to_one)
{
	for (int s = 0; s < RUN_N; s++)
		cr_assert_eq((int)run_state_find(run_state_name((enum run_state)s)), s);
	cr_assert_eq(run_state_find("done"), RUN_N);
	cr_assert_eq(run_state_find(""), RUN_N);
}
