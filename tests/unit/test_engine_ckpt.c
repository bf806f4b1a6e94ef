/* test_engine_ckpt.c - what engine_run does with checkpoints: when it writes one, goes on, refuses. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/base/hash.h"
#include "core/ckpt.h"
#include "core/rec.h"
#include "core/spec_json.h"
#include "tests/engine_case.h"

static const char spec[] =
	"{\"duration_ms\":500,\"seed\":\"7\",\"populations\":{\"in\":{\"model\":\"poisson_"
	"generator\","
	"\"size\":9,\"params\":{\"rate\":40}},\"cell\":{\"model\":\"iaf_psc_exp\",\"size\":7,"
	"\"params\":{\"I_e\":400}}},\"projections\":{\"s\":{\"source\":\"in\",\"target\":\"cell\","
	"\"connect\":{\"rule\":\"all_to_all\"},\"synapse\":{\"model\":\"stdp_pair\",\"weight\":0.5,"
	"\"delay_ms\":1}}},\"record\":{\"spikes\":[\"in\"]}}";
static const char smaller[] =
	"{\"duration_ms\":500,\"seed\":\"7\",\"populations\":{\"cell\":{\"model\":"
	"\"iaf_psc_exp\",\"size\":3}}}";

/* What the engine was told to do, and what it said. */
struct script {
	struct engine_case_control base;
	unsigned stop_at_look; /* 0: never */
	enum err_code with;
	unsigned notes;
	char note[512];		     /* the last */
	double first, first_wall;    /* of progress, ms, s */
	double (*clock)(void *self); /* NULL: the real one */
	unsigned ticks;
};

static enum err_code script_stop(void *self)
{
	struct script *s = self;

	s->base.looks++;
	return s->stop_at_look && s->base.looks >= s->stop_at_look ? s->with : ERR_OK;
}

static void script_progress(void *self, const struct engine_progress *p)
{
	struct script *s = self;

	if (s->base.told++ > 0)
		return;
	s->first = p->t_ms;
	s->first_wall = p->wall_s;
}

static void script_note(void *self, const char *text)
{
	struct script *s = self;

	s->notes++;
	(void)snprintf(s->note, sizeof(s->note), "%s", text);
}

static int run(const struct check_dir *dir, struct script *s, double checkpoint_s)
{
	const struct engine_control control = {
		.self = s,
		.now_s = s->clock ? s->clock : engine_case_now,
		.stop = script_stop,
		.progress = script_progress,
		.note = script_note,
		.threads = 1,
		.checkpoint_s = checkpoint_s,
	};

	return engine_run(dir->fd, &control, NULL);
}

static void digest_in(const struct check_dir *dir, char ret[17])
{
	json_t *result = engine_case_result(dir);

	(void)snprintf(ret, 17, "%s", engine_case_string(result, "digest"));
	json_decref(result);
}

static bool there(const struct check_dir *dir)
{
	return faccessat(dir->fd, "checkpoint", F_OK, 0) == 0;
}

static void expected(char ret[17])
{
	struct engine_case c = engine_case_text(spec, 1);

	cr_assert_eq(c.rc, 0);
	(void)snprintf(ret, 17, "%s", engine_case_digest(&c));
	engine_case_release(&c);
}

/* At every look at stop() in turn, those while the network is built among them. */
Test(engine_ckpt, interrupted_at_any_look_it_goes_on)
{
	char want[17], got[17];

	expected(want);
	for (unsigned look = 1;; look += 2) {
		CLEANUP(check_dir_release) struct check_dir dir = check_dir();
		struct script first = { .stop_at_look = look, .with = ERR_INTERRUPTED };
		struct script second = { 0 };
		int rc;

		engine_case_write(&dir, "spec.json", spec, strlen(spec));
		rc = run(&dir, &first, 0);
		if (rc == 0) {
			cr_assert_gt(look, 2, "it was never stopped");
			return;
		}
		cr_assert_eq(rc, -ERR_INTERRUPTED);
		cr_assert(there(&dir));
		cr_assert_eq(run(&dir, &second, 0), 0);
		cr_assert_not_null(strstr(second.note, "goes on from its checkpoint at"));
		cr_assert(!there(&dir));
		digest_in(&dir, got);
		cr_assert_str_eq(got, want);
	}
}

Test(engine_ckpt, a_cancelled_run_leaves_none)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct script s = { .stop_at_look = 3, .with = ERR_CANCELLED };

	engine_case_write(&dir, "spec.json", spec, strlen(spec));
	cr_assert_eq(run(&dir, &s, 1e-9), -ERR_CANCELLED);
	cr_assert(!there(&dir));
}

/* Leave a checkpoint that is sound, and says that it is of `of`, but holds the state of `state`. */
static void plant(const struct check_dir *dir, const char *of, const char *state,
		  const char *engine)
{
	CLEANUP(check_dir_release) struct check_dir other = check_dir();
	struct mem_arena arena;
	struct err_list errors = { 0 };
	const struct spec *s = NULL;
	struct ckpt_state in = { 0 };
	json_t *json = NULL, *named = NULL;
	char *canonical;
	struct ckpt_key key;

	mem_arena_init(&arena, 0);
	cr_assert_eq(spec_json_load(&json, state, strlen(state), NULL), 0);
	cr_assert_eq(spec_json_load(&named, of, strlen(of), NULL), 0);
	cr_assert_eq(spec_json_read(&s, json, "", NULL, NULL, &arena, &errors), 0);
	cr_assert_eq(sim_new(&in.sim, s, &arena, 1, NULL, NULL), 0);
	in.rec = rec_new(other.fd, &arena);
	cr_assert_eq(rec_attach(in.rec, in.sim, NULL), 0);
	canonical = spec_json_canonical(named);
	key = (struct ckpt_key){ hash_bytes(canonical, strlen(canonical)), 7, engine };
	cr_assert_eq(ckpt_write(dir->fd, &key, &in, NULL), 0);
	mem_free(canonical);
	json_decref(json);
	json_decref(named);
	cr_assert_eq(rec_close(in.rec, NULL), 0);
	sim_free(in.sim);
	mem_arena_release(&arena);
}

static void starts_over(const char *state, const char *engine, const char *says)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct script s = { 0 };
	char want[17], got[17];
	size_t live;

	expected(want);
	engine_case_write(&dir, "spec.json", spec, strlen(spec));
	plant(&dir, spec, state, engine);
	live = mem_live();
	cr_assert_eq(run(&dir, &s, 0), 0);
	cr_assert_eq(mem_live(), live);
	cr_assert_eq(s.notes, 1);
	cr_assert_not_null(strstr(s.note, "starting at 0 ms: "), "%s", s.note);
	cr_assert_not_null(strstr(s.note, says), "%s", s.note);
	digest_in(&dir, got);
	cr_assert_str_eq(got, want);
	cr_assert(!there(&dir));
}

Test(engine_ckpt, of_another_engine_it_is_left_aside)
{
	starts_over(spec, "0.0.0", "another version of the engine");
}

/* The network does not fit, which is found only when half of it is loaded. */
Test(engine_ckpt, what_does_not_fit_is_left_aside_and_all_made_anew)
{
	starts_over(smaller, ENGINE_VERSION, "another number of populations");
}

/* The columns are shorter than the checkpoint says. */
Test(engine_ckpt, without_its_columns_it_is_left_aside)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct script first = { .stop_at_look = 9, .with = ERR_INTERRUPTED }, second = { 0 };
	char want[17], got[17];

	expected(want);
	engine_case_write(&dir, "spec.json", spec, strlen(spec));
	cr_assert_eq(run(&dir, &first, 0), -ERR_INTERRUPTED);
	cr_assert_eq(unlinkat(dir.fd, "0-0.col", 0), 0);
	cr_assert_eq(run(&dir, &second, 0), 0);
	cr_assert_not_null(strstr(second.note, "0-0.col has fewer rows"), "%s", second.note);
	digest_in(&dir, got);
	cr_assert_str_eq(got, want);
}

Test(engine_ckpt, an_experiment_starts_over)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	static const char text[] = "{\"experiment\":\"stdp_window\",\"params\":{\"dt_ms\":[-10,10],"
				   "\"pairs\":2}}";
	struct script s = { 0 };

	engine_case_write(&dir, "spec.json", text, strlen(text));
	engine_case_write(&dir, "checkpoint", text, strlen(text));
	cr_assert_eq(run(&dir, &s, 1e-9), 0);
	cr_assert(!there(&dir));
}

/* A hundredth of a second goes by with every look at the clock. */
static double slow_clock(void *self)
{
	struct script *s = self;

	return 0.01 * ++s->ticks;
}

/* Time taken before counts: for the limit and in the result. */
Test(engine_ckpt, wall_time_goes_on_too)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct script first = { .stop_at_look = 200, .with = ERR_INTERRUPTED }, second = { 0 };

	engine_case_write(&dir, "spec.json", spec, strlen(spec));
	first.clock = second.clock = slow_clock;
	cr_assert_eq(run(&dir, &first, 0), -ERR_INTERRUPTED);
	cr_assert_gt(first.ticks, 200);
	cr_assert_eq(run(&dir, &second, 0), 0);
	cr_assert_gt(second.first, 0, "progress starts where it stood");
	cr_assert_gt(second.first_wall, 2.0);
}
