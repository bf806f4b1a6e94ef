/* serve_ckpt.c - a session is saved by a process forked from it, while it goes on itself. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/serve_part.h"

/* Writing checkpoints takes at most a 50th of the time. */
#define SHARE 50.0

struct outcome {
	int rc;
	uint64_t bytes;
	struct err err;
};

static void set_next(struct serve *s, double began_s)
{
	double now = serve_now_s(s), pause = SHARE * (now - began_s);

	s->checkpoint_next_s =
		now + (pause > s->control.checkpoint_s ? pause : s->control.checkpoint_s);
}

int serve_checkpoint(struct serve *s, struct err *err)
{
	uint64_t bytes;
	double began_s;
	int rc;

	serve_ckpt_await(s);
	began_s = serve_now_s(s);
	rc = engine_live_checkpoint(s->live, NULL, &bytes, err);
	set_next(s, began_s);
	s->dirty = s->dirty && rc;
	return rc;
}

/* The child: saves, tells how it went, ends. It has no business when its parent is gone. */
static void save(struct serve *s, const char *name, int pipe_fd, pid_t parent)
{
	struct outcome o = { 0 };
	ssize_t done;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(ERR_EXIT_BASE + ERR_INTERRUPTED);
	o.rc = engine_live_checkpoint(s->live, name, &o.bytes, &o.err);
	done = write(pipe_fd, &o, sizeof(o));
	_exit(done == sizeof(o) && !o.rc ? 0 : ERR_EXIT_BASE + ERR_IO);
}

static void answer(struct serve *s, const struct serve_saving *x, const struct outcome *o)
{
	json_t *body = o->rc ? NULL
			     : json_pack("{s:I, s:s++, s:o}", "bytes", (json_int_t)o->bytes, "path",
					 x->name[0] ? "checkpoints/" : "checkpoint", x->name, "",
					 "saved_ms", serve_time(s, x->at));

	serve_send(s, serve_reply(s, &x->call, body, o->rc ? &o->err : NULL, NULL));
	json_decref(x->call.id);
}

static void conclude(struct serve *s, const struct serve_saving *x, const struct outcome *o)
{
	if (!x->name[0])
		set_next(s, x->began_s);
	if (!x->name[0] && o->rc)
		s->dirty = true;
	if (x->call.seq)
		answer(s, x, o);
	else if (o->rc && s->control.note)
		s->control.note(s->control.self, o->err.text);
}

void serve_ckpt_await(struct serve *s)
{
	struct serve_saving x = s->saving;
	struct outcome o = { 0 };
	ssize_t n;

	if (!x.pid)
		return;
	do
		n = read(x.fd, &o, sizeof(o));
	while (n < 0 && errno == EINTR);
	(void)close(x.fd);
	while (waitpid(x.pid, NULL, 0) < 0 && errno == EINTR)
		;
	s->saving = (struct serve_saving){ 0 };
	if (n != sizeof(o))
		o.rc = err_set(&o.err, ERR_CRASHED, "", "the process that saved died");
	conclude(s, &x, &o);
}

void serve_ckpt_forget(struct serve *s)
{
	if (s->saving.pid)
		(void)close(s->saving.fd);
	json_decref(s->saving.call.id);
	s->saving = (struct serve_saving){ 0 };
}

int serve_ckpt_start(struct serve *s, const char *name, const struct serve_call *call,
		     struct err *err)
{
	struct serve_saving x = { .at = serve_now(s) };
	pid_t self = getpid();
	int ends[2], rc;

	serve_ckpt_await(s);
	rc = engine_live_flush(s->live, err);
	if (!rc && pipe(ends) < 0)
		rc = err_set(err, ERR_IO, "", "cannot make a pipe: %s", strerror(errno));
	if (rc)
		return rc;
	x.began_s = serve_now_s(s);
	x.pid = serve_fork_quietly(s);
	if (x.pid == 0) {
		(void)close(ends[0]);
		save(s, name, ends[1], self);
	}
	(void)close(ends[1]);
	x.fd = ends[0];
	rc = serve_go_on(s, x.pid, err);
	if (x.pid < 0) {
		(void)close(ends[0]);
		return rc;
	}
	(void)snprintf(x.name, sizeof(x.name), "%s", name ? name : "");
	s->dirty = s->dirty && name;
	s->saving = x;
	if (call && !rc)
		s->saving.call = (struct serve_call){ call->seq, json_incref(call->id) };
	return rc;
}
