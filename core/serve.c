/* serve.c - a session's process: time in pieces, commands between them, a checkpoint now and then. */
/* SPDX-License-Identifier: MIT */
#include "core/serve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/serve_part.h"

/* Wall time between two looks at the commands while time moves, and at most while it stands: a signal that
 * comes just before the wait would else be seen only with the next command. */
#define PIECE_S	   0.005
#define IDLE_MS	   1000
#define FAREWELL_S 5.0

double serve_now_s(const struct serve *s)
{
	return s->control.now_s(s->control.self);
}

int64_t serve_now(const struct serve *s)
{
	return sim_now(engine_live_sim(s->live));
}

double serve_ms(const struct serve *s, int64_t step)
{
	return (double)step * sim_spec(engine_live_sim(s->live))->dt;
}

/* 535.8, not 535.80000000000007: the double nearest to what 15 digits say. */
json_t *serve_time(const struct serve *s, int64_t step)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.15g", serve_ms(s, step));
	return json_real(strtod(text, NULL));
}

/* ---- state ---- */

static const char *mode_name(const struct serve *s)
{
	if (engine_live_failure(s->live))
		return "failed";
	if (s->mode == SERVE_STEPPING)
		return "stepping";
	return s->mode == SERVE_PLAYING ? "playing" : "paused";
}

json_t *serve_state(struct serve *s)
{
	const struct spec *spec = sim_spec(engine_live_sim(s->live));
	struct sim_counts n = sim_counts(engine_live_sim(s->live));
	const struct err *why = engine_live_failure(s->live);
	json_t *json = json_pack(
		"{s:s, s:f, s:i, s:f, s:I, s:i, s:i, s:{s:I, s:I, s:I, s:I}}", "mode", mode_name(s),
		"speed", s->speed, "pid", (int)getpid(), "dt_ms", spec->dt, "seed",
		(json_int_t)spec->seed, "threads", (int)s->control.threads, "generation",
		(int)engine_live_generation(s->live), "counts", "spikes", (json_int_t)n.spikes,
		"synaptic_events", (json_int_t)n.synaptic_events, "plastic_updates",
		(json_int_t)n.plastic_updates, "steps", (json_int_t)n.steps);

	if (json && why)
		(void)json_object_set_new(json, "error",
					  json_pack("{s:s, s:s, s:s}", "code", err_name(why->code),
						    "path", why->path, "text", why->text));
	return json;
}

void serve_hello(struct serve *s, const struct err *err, const struct err_list *errors)
{
	const struct serve_call first = { 0 };
	json_t *body = s->live ? json_pack("{s:o}", "state", serve_state(s)) : NULL;

	serve_send(s, serve_reply(s, &first, body, err, errors));
}

/* ---- time ---- */

static void answer_step(struct serve *s, bool stopped, const struct err *err)
{
	json_t *body = stopped ? json_pack("{s:b}", "stopped", 1) : NULL;

	serve_send(s, serve_reply(s, &s->step, body, err, NULL));
	json_decref(s->step.id);
	s->step = (struct serve_call){ 0 };
}

void serve_stop(struct serve *s, const struct err *why)
{
	bool stepping = s->mode == SERVE_STEPPING;

	s->mode = SERVE_PAUSED;
	if (stepping)
		answer_step(s, true, why);
}

/* It failed while time moved: whoever asked for the step, or everybody, is told. */
static void fail(struct serve *s, const struct err *why)
{
	bool stepping = s->mode == SERVE_STEPPING;

	s->mode = SERVE_PAUSED;
	if (stepping)
		answer_step(s, false, why);
	serve_send(s, json_pack("{s:s, s:o, s:o}", "event", "state", "t_ms",
				serve_time(s, serve_now(s)), "state", serve_state(s)));
}

/* How far time may go now; now: no further. */
static int64_t allowed(const struct serve *s)
{
	double ms;

	if (s->mode == SERVE_STEPPING)
		return s->step_to;
	if (s->speed <= 0)
		return INT64_MAX / 2;
	ms = (serve_now_s(s) - s->play_s) * 1000.0 * s->speed;
	return s->play_from + (int64_t)floor(ms / serve_ms(s, 1));
}

static int64_t next_piece(int64_t piece, double took)
{
	double ideal;

	if (took < PIECE_S / 2)
		return piece < INT64_MAX / 4 ? piece * 2 : piece;
	ideal = (double)piece * PIECE_S / took;
	return ideal < 1.0 ? 1 : (int64_t)ideal;
}

static void move(struct serve *s)
{
	struct err err = { 0 };
	int64_t now = serve_now(s), to = allowed(s);
	double before = serve_now_s(s);
	bool whole = to - now > s->piece;

	if (to <= now)
		return;
	s->dirty = true;
	if (engine_live_advance(s->live, whole ? now + s->piece : to, &err)) {
		fail(s, &err);
		return;
	}
	if (whole)
		s->piece = next_piece(s->piece, serve_now_s(s) - before);
	else if (serve_now_s(s) - before > PIECE_S)
		s->piece = next_piece(to - now, serve_now_s(s) - before);
	if (s->mode == SERVE_STEPPING && serve_now(s) == s->step_to) {
		s->mode = SERVE_PAUSED;
		answer_step(s, false, NULL);
	}
}

/* ---- checkpoints ---- */

static void checkpoint_due(struct serve *s)
{
	struct err why = { 0 };

	if (!s->dirty || s->saving.pid || s->control.checkpoint_s <= 0 ||
	    engine_live_failure(s->live) || serve_now_s(s) < s->checkpoint_next_s)
		return;
	if (serve_ckpt_start(s, NULL, NULL, &why) && s->control.note)
		s->control.note(s->control.self, why.text);
}

/* ---- the loop ---- */

/* Until something can be done, in ms. */
static int patience(const struct serve *s)
{
	double ms;

	if (s->mode == SERVE_PAUSED)
		return IDLE_MS;
	if (s->mode == SERVE_STEPPING || s->speed <= 0 || allowed(s) > serve_now(s))
		return 0;
	ms = serve_ms(s, serve_now(s) + 1 - s->play_from) / s->speed -
	     (serve_now_s(s) - s->play_s) * 1000.0;
	return ms > IDLE_MS ? IDLE_MS : ms > 1.0 ? (int)ms : 1;
}

static enum err_code stopped(const struct serve *s)
{
	return s->control.stop ? s->control.stop(s->control.self) : ERR_OK;
}

static enum err_code loop(struct serve *s)
{
	enum err_code why = ERR_OK;

	while (!s->quit && !s->in_end && !(why = stopped(s))) {
		bool more = true;

		serve_exchange(s, patience(s));
		while (more && !s->quit && s->out.len < SERVE_OUT_SOFT)
			more = serve_command(s);
		if (s->mode != SERVE_PAUSED)
			move(s);
		serve_watch_tell(s);
		checkpoint_due(s);
		while (waitpid(-1, NULL, WNOHANG) > 0) /* branches that ended */
			;
	}
	/* What had come before the end of input is done, unless it waits. */
	while (!why && !s->quit && s->in_end && serve_command(s))
		if (s->mode == SERVE_STEPPING)
			break;
	/* A cancel that came with the end of input is one. */
	return why ? why : stopped(s);
}

/* The last words: a step is answered, what changed is saved. */
static int end(struct serve *s, enum err_code why)
{
	struct err err = { 0 };
	int exit_code = 0;

	serve_ckpt_await(s);
	if (!s->quit) {
		exit_code = ERR_EXIT_BASE + (int)(why ? why : ERR_INTERRUPTED);
		(void)err_set(&err, why ? why : ERR_INTERRUPTED, "", "the session ends");
		serve_stop(s, &err);
	}
	err = (struct err){ 0 };
	if (!s->quit && why != ERR_CANCELLED && s->dirty && !engine_live_failure(s->live) &&
	    serve_checkpoint(s, &err) && s->control.note)
		s->control.note(s->control.self, err.text);
	(void)serve_drain(s, FAREWELL_S);
	return exit_code;
}

int serve(const struct serve_options *o)
{
	struct serve s = { .dir_fd = o->dir_fd,
			   .lock_fd = o->lock_fd,
			   .in_fd = STDIN_FILENO,
			   .out_fd = STDOUT_FILENO,
			   .control = o->control,
			   .piece = 1 };
	struct err_list errors = { 0 };
	struct err err = { 0 };
	int code;

	buf_init(&s.in, (size_t)2 * SERVE_LINE_MAX);
	buf_init(&s.out, SERVE_OUT_MAX);
	s.hook = (struct engine_live_hook){ &s, serve_watch_attach };
	s.control.progress = NULL;
	s.checkpoint_next_s = serve_now_s(&s) + s.control.checkpoint_s;
	code = engine_live_open(&s.live, s.dir_fd, &s.control, &s.hook, &errors, &err);
	serve_hello(&s, code ? &err : NULL, &errors);
	err_list_release(&errors);
	if (code) {
		(void)serve_drain(&s, FAREWELL_S);
		code = ERR_EXIT_BASE - code;
	} else {
		code = end(&s, loop(&s));
	}
	serve_watch_clear(&s);
	engine_live_close(s.live);
	buf_release(&s.in);
	buf_release(&s.out);
	(void)close(s.lock_fd);
	(void)close(s.dir_fd);
	return code;
}
