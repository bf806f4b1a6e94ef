/* test_disk - a full disk: runs that cannot be stored fail and say so; the server goes on. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* unshare */
#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/e2e/harness.h"

/* About 12 MB of recorded spikes. */
#define BIG \
	"{\"spec\":{\"duration_ms\":2000,\"seed\":\"1\",\"populations\":{\"a\":{\"model\":" \
	"\"poisson_generator\",\"size\":500,\"params\":{\"rate\":1000}}}," \
	"\"record\":{\"spikes\":[\"a\"]}}}"

Test(disk, runs_that_cannot_be_stored_fail_and_the_server_goes_on, .timeout = 60)
{
	struct harness h = { 0 };
	char id[64];

	(void)snprintf(h.dir, sizeof(h.dir), "/tmp/stdpd-disk-XXXXXX");
	cr_assert_not_null(mkdtemp(h.dir));
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", h.dir, "tmpfs", 0, "size=3m")) {
		(void)rmdir(h.dir);
		cr_skip_test("skipped: a small file system cannot be mounted here");
	}
	harness_again(&h, (const char *const[]){ "--storage-free-mb", "0", NULL });
	for (int i = 0; i < 3;
	     i++) { /* together the first could leave no room to queue the others */
		struct reply r;

		harness_run(&h, BIG, id);
		r = harness_wait(&h, id, 20);
		cr_assert_str_eq(reply_text(&r, "/state"), "failed", "%s", r.body);
		cr_assert_str_eq(reply_text(&r, "/error/code"), "storage-full", "%s", r.body);
		cr_assert_null(strstr(r.body, h.dir), "a path of the machine: %s", r.body);
		reply_release(&r);
	}
	harness_run(&h, "{\"preset\":\"stdp_window\"}", id);
	cr_assert(harness_state(&h, id, "succeeded", 20));
	cr_assert_eq(harness_stop(&h), 0);
	(void)umount(h.dir);
	harness_free(&h);
}
