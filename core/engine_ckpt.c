/* engine_ckpt.c - when a plain run writes its checkpoint, and how it goes on from one. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "core/ckpt.h"
#include "core/engine_run.h"

/* However often it is asked for, writing takes at most a 50th of the time. */
#define SHARE 50.0

static void note(const struct experiment_ctx *c, const char *what, const char *why)
{
	char text[ERR_TEXT_MAX + 64];

	(void)snprintf(text, sizeof(text), "%s%s", what, why);
	if (c->control->note)
		c->control->note(c->control->self, text);
}

int engine_ckpt_key(struct experiment_ctx *c, const json_t *json, struct err *err)
{
	char *text = spec_json_canonical(json);

	if (!text)
		return err_nomem(err);
	c->ckpt.key = (struct ckpt_key){ .spec = hash_bytes(text, strlen(text)),
					 .seed = c->result.seed,
					 .engine = ENGINE_VERSION };
	mem_free(text);
	return 0;
}

int engine_ckpt_find(struct experiment_ctx *c, const json_t *json, struct err *err)
{
	struct err why = { 0 };
	int rc = engine_ckpt_key(c, json, err);

	if (rc)
		return rc;
	rc = ckpt_open(&c->ckpt.open, c->dir_fd, &c->ckpt.key, &why);
	if (rc == -ERR_CORRUPT || rc == -ERR_CONFLICT)
		note(c, "starting at 0 ms: ", why.text);
	if (rc == -ERR_CORRUPT || rc == -ERR_CONFLICT || rc == -ERR_NOTFOUND)
		return 0;
	if (rc) {
		if (err)
			*err = why;
		return rc;
	}
	if (ckpt_text(c->ckpt.open)[0])
		return err_set(err, ERR_STATE, "",
			       "the checkpoint in this directory is of a session, which goes on by "
			       "--serve");
	rec_keep(c->rec);
	return 0;
}

int engine_ckpt_load(struct experiment_ctx *c, struct err *err)
{
	struct ckpt_state s = { .sim = c->sim, .rec = c->rec };
	struct err why = { 0 };
	char text[64];
	int rc = ckpt_load(c->ckpt.open, &s, &why);

	ckpt_close(c->ckpt.open);
	c->ckpt.open = NULL;
	if (rc == -ERR_CORRUPT) {
		note(c, "starting at 0 ms: ", why.text);
		c->ckpt.refused = true;
	}
	if (rc) {
		if (err)
			*err = why;
		return rc;
	}
	c->started_s -= s.wall_s;
	(void)snprintf(text, sizeof(text), "%.10g ms",
		       (double)sim_now(c->sim) * sim_spec(c->sim)->dt);
	note(c, "goes on from its checkpoint at ", text);
	return 0;
}

/* What the run itself needs on the disk comes first; a checkpoint that finds no room is no failure. */
static int write_one(struct experiment_ctx *c, double now, struct err *err)
{
	struct ckpt_state s = { .sim = c->sim, .rec = c->rec, .wall_s = now - c->started_s };
	struct err why = { 0 };
	double after, took;
	int rc = rec_sync(c->rec, err);

	if (rc)
		return rc;
	if (ckpt_write(c->dir_fd, &c->ckpt.key, &s, &why))
		note(c, "there is no checkpoint: ", why.text);
	after = c->control->now_s(c->control->self);
	took = SHARE * (after - now);
	c->ckpt.next_s =
		after + (took > c->control->checkpoint_s ? took : c->control->checkpoint_s);
	return 0;
}

int engine_ckpt_due(struct experiment_ctx *c, double now, struct err *err)
{
	if (!c->ckpt.on || c->control->checkpoint_s <= 0)
		return 0;
	if (c->ckpt.next_s <= 0)
		c->ckpt.next_s = now + c->control->checkpoint_s;
	return now < c->ckpt.next_s ? 0 : write_one(c, now, err);
}

void engine_ckpt_interrupt(struct experiment_ctx *c, double now)
{
	struct err why = { 0 };

	if (c->ckpt.on && write_one(c, now, &why))
		note(c, "there is no checkpoint: ", why.text);
}

void engine_ckpt_end(struct experiment_ctx *c, int rc)
{
	bool unread = c->ckpt.open != NULL;

	ckpt_close(c->ckpt.open);
	c->ckpt.open = NULL;
	/* One that was not yet read stays for another attempt, unless the run has ended for good; a
	 * session's is not ours. */
	if (rc != -ERR_INTERRUPTED && !(unread && (rc == -ERR_NOMEM || rc == -ERR_STATE)))
		ckpt_remove(c->dir_fd);
}
