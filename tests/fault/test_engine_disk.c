/* test_engine_disk.c - no room for results, and numbers that are none. */
/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* unshare */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/engine_case.h"

/* 16 MB of states. */
static const char big[] =
	"{\"duration_ms\":1000,\"populations\":{\"cell\":{\"model\":\"iaf_psc_delta\",\"size\":200,"
	"\"params\":{\"I_e\":400}}},\"record\":{\"spikes\":[\"cell\"],\"states\":[{\"population\":"
	"\"cell\",\"variables\":[\"V_m\"],\"every_ms\":0.1}]}}";

static void run(struct engine_case *c, const char *text)
{
	struct engine_case_control self = { 0 };
	struct engine_control control = engine_case_default(&self);

	engine_case_write(&c->dir, "spec.json", text, strlen(text));
	c->rc = engine_run(c->dir.fd, &control, &c->err);
	c->result = engine_case_result(&c->dir);
}

/* Storage is full, the result says so, and its columns have the rows that it says. */
static void is_full(struct engine_case *c)
{
	size_t n = 0;
	double *v;

	cr_assert_eq(c->rc, -ERR_NOSPACE, "%d: %s", c->rc, c->err.text);
	cr_assert_not_null(c->result);
	cr_assert_str_eq(engine_case_error(c), "storage-full");
	cr_assert(json_is_true(json_object_get(c->result, "partial")));
	v = engine_case_column(c, engine_case_recording(c, "spikes", "cell", 0), "step", &n);
	mem_free(v);
}

Test(engine_disk, a_file_that_may_not_grow_is_storage_full)
{
	struct engine_case c = { .dir = check_dir() };
	struct rlimit limit = { 1 << 20, 1 << 20 };
	json_t *states, *column;

	(void)signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	run(&c, big);
	is_full(&c);
	states = engine_case_recording(&c, "states", "cell", 0);
	column = json_array_get(json_object_get(states, "columns"), 0);
	cr_assert_eq(json_integer_value(json_object_get(column, "rows")), (1 << 20) / (200 * 8));
	engine_case_release(&c);
}

Test(engine_disk, a_full_disk_still_takes_the_result)
{
	struct engine_case c = { .dir = check_dir() };

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", c.dir.path, "tmpfs", 0, "size=1m")) {
		check_dir_release(&c.dir);
		printf("skipped: a disk of its own needs root\n");
		cr_skip_test("no root");
	}
	(void)close(c.dir.fd);
	c.dir.fd = open(c.dir.path, O_RDONLY | O_DIRECTORY);
	run(&c, big);
	is_full(&c);
	json_decref(c.result);
	(void)close(c.dir.fd);
	(void)umount(c.dir.path);
	(void)rmdir(c.dir.path);
}

/* A checkpoint of a megabyte, columns of some kilobytes. */
static const char wide[] = "{\"duration_ms\":300,\"populations\":{\"in\":{\"model\":\"poisson_"
			   "generator\",\"size\":300,"
			   "\"params\":{\"rate\":5}},\"cell\":{\"model\":\"iaf_psc_exp\",\"size\":"
			   "300,\"params\":{\"I_e\":380}}},"
			   "\"projections\":{\"s\":{\"source\":\"in\",\"target\":\"cell\","
			   "\"connect\":{\"rule\":\"all_to_all\"},"
			   "\"synapse\":{\"model\":\"stdp_pair\",\"weight\":0.5,\"delay_ms\":1}}},"
			   "\"record\":{\"spikes\":[\"cell\"],\"final_weights\":false}}";

static unsigned notes;

static void count_note(void *self, const char *text)
{
	(void)self;
	notes++;
	cr_assert_not_null(strstr(text, "there is no checkpoint: cannot write"), "%s", text);
}

Test(engine_disk, no_room_for_a_checkpoint_does_not_harm_the_run)
{
	struct engine_case calm = engine_case_text(wide, 1), c = { .dir = check_dir() };
	struct rlimit limit = { 1 << 18, 1 << 18 };
	struct engine_case_control self = { 0 };
	struct engine_control control = engine_case_default(&self);

	cr_assert_eq(calm.rc, 0, "%s", calm.err.text);
	(void)signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	control.checkpoint_s = 1e-6;
	control.note = count_note;
	engine_case_write(&c.dir, "spec.json", wide, strlen(wide));
	cr_assert_eq(engine_run(c.dir.fd, &control, &c.err), 0, "%s", c.err.text);
	c.result = engine_case_result(&c.dir);
	cr_assert_gt(notes, 0);
	cr_assert_str_eq(engine_case_digest(&c), engine_case_digest(&calm));
	cr_assert_neq(faccessat(c.dir.fd, "checkpoint", F_OK, 0), 0);
	cr_assert_neq(faccessat(c.dir.fd, "checkpoint.part", F_OK, 0), 0);
	engine_case_release(&c);
	engine_case_release(&calm);
}

Test(engine_disk, a_directory_that_is_gone_is_an_error)
{
	struct engine_case c = { .dir = check_dir() };
	struct engine_case_control self = { 0 };
	struct engine_control control = engine_case_default(&self);

	cr_assert_eq(rmdir(c.dir.path), 0);
	cr_assert_lt(engine_run(c.dir.fd, &control, &c.err), 0);
	cr_assert_neq(c.err.text[0], '\0');
	(void)close(c.dir.fd);
}

static void fails_with(const char *text, enum err_code code)
{
	struct engine_case c = { .dir = check_dir() };

	run(&c, text);
	cr_assert_eq(c.rc, -(int)code, "%d: %s", c.rc, c.err.text);
	cr_assert_str_eq(engine_case_error(&c), err_name((int)code));
	cr_assert_neq(c.err.text[0], '\0');
	engine_case_release(&c);
}

Test(engine_disk, a_state_that_is_no_number_is_a_failure)
{
	fails_with(
		"{\"duration_ms\":1000,\"populations\":{\"in\":{\"model\":\"spike_generator\","
		"\"size\":1,"
		"\"params\":{\"spike_times\":[1,2,3]}},\"cell\":{\"model\":\"iaf_psc_exp\","
		"\"size\":2,"
		"\"params\":{\"t_ref\":0.1}}},\"projections\":{\"s\":{\"source\":\"in\",\"target\":"
		"\"cell\",\"connect\":{\"rule\":\"all_to_all\"},\"synapse\":{\"weight\":-1.7e308,"
		"\"delay_ms\":1}}}}",
		ERR_NUMERICAL);
}

Test(engine_disk, too_high_a_rate_is_a_failure)
{
	fails_with("{\"duration_ms\":1000,\"populations\":{\"cell\":{\"model\":\"iaf_psc_exp\","
		   "\"size\":2,"
		   "\"params\":{\"I_e\":5000,\"t_ref\":1}}},\"limits\":{\"max_rate_hz\":50}}",
		   ERR_RATE);
}
