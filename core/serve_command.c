/* serve_command.c - what a session can be told, in one table. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/serve_part.h"
#include "core/spec_json.h"

/* One command while it is done. */
struct call {
	struct serve_call head;
	json_t *args;
	json_t *body; /* of the reply; NULL: none */
	struct err_list errors;
	int fd;	    /* goes with the reply; -1: none */
	bool later; /* the reply comes when it is done, or is the parent's to send */
};

struct command {
	const char *name;
	const char *keys; /* beside those of any command */
	bool any_time;	  /* does not wait for a step under way */
	int (*run)(struct serve *s, struct call *c, struct err *err);
};

static int packed(struct call *c, json_t *body, struct err *err)
{
	c->body = body;
	return body ? 0 : err_nomem(err);
}

/* ---- time ---- */

static int run_state(struct serve *s, struct call *c, struct err *err)
{
	json_t *state = serve_state(s);
	bool digest = false;
	char text[17];
	uint64_t x = 0;
	int rc = state ? serve_get_bool(c->args, "digest", &digest, err) : err_nomem(err);

	if (!rc && digest)
		rc = sim_digest(engine_live_sim(s->live), &x, err);
	if (rc) {
		json_decref(state);
		return rc;
	}
	(void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)x);
	if (digest)
		(void)json_object_set_new(state, "digest", json_string(text));
	return packed(c, json_pack("{s:o}", "state", state), err);
}

/* Time may move: it has not failed, and nothing moves it yet. */
static int may_move(const struct serve *s, struct err *err)
{
	const struct err *why = engine_live_failure(s->live);

	if (why)
		return err_set(err, ERR_STATE, "", "the simulation has failed: %.200s", why->text);
	if (s->mode == SERVE_PLAYING)
		return err_set(err, ERR_STATE, "", "it is playing: pause it first");
	return 0;
}

static int run_step(struct serve *s, struct call *c, struct err *err)
{
	double ms = 0;
	int64_t steps = 0;
	int rc = serve_get_number(c->args, "duration_ms", true, &ms, err);

	if (!rc)
		rc = may_move(s, err);
	if (!rc)
		rc = serve_steps(s, ms, "/duration_ms", &steps, err);
	if (!rc && steps < 1)
		rc = err_set(err, ERR_RANGE, "/duration_ms",
			     "must be at least one step, %.12g ms, found %.12g ms", serve_ms(s, 1),
			     ms);
	if (rc)
		return rc;
	s->mode = SERVE_STEPPING;
	s->step = (struct serve_call){ c->head.seq, json_incref(c->head.id) };
	s->step_to = serve_now(s) + steps;
	c->later = true;
	return 0;
}

static int run_play(struct serve *s, struct call *c, struct err *err)
{
	double speed = 0;
	int rc = serve_get_number(c->args, "speed", false, &speed, err);

	if (!rc && !(speed >= 0 && speed <= 1e9))
		rc = err_set(err, ERR_RANGE, "/speed", "must lie in [0, 1e9], found %.12g", speed);
	if (!rc && s->mode != SERVE_PLAYING) /* another speed may be asked for */
		rc = may_move(s, err);
	if (rc)
		return rc;
	s->mode = SERVE_PLAYING;
	s->speed = speed;
	s->play_s = serve_now_s(s);
	s->play_from = serve_now(s);
	return 0;
}

static int run_pause(struct serve *s, struct call *c, struct err *err)
{
	(void)c;
	(void)err;
	serve_stop(s, NULL);
	return 0;
}

/* ---- changes ---- */

static int run_change(struct serve *s, struct call *c, struct err *err)
{
	json_t *schedule = json_object_get(c->args, "schedule");

	if (!schedule)
		return err_set(err, ERR_MISSING, "/schedule",
			       "expected \"schedule\", found nothing");
	s->dirty = true;
	return engine_live_change(s->live, schedule, &c->errors, err);
}

/* ---- data ---- */

static int run_data(struct serve *s, struct call *c, struct err *err)
{
	const struct spec *spec = sim_spec(engine_live_sim(s->live));
	json_t *weights = json_object_get(c->args, "weights");
	size_t n = 0, *projections = mem_alloc(spec->n_projections + 1, sizeof(*projections));
	int rc = projections ? 0 : err_nomem(err);

	if (!rc && weights && !json_is_true(weights) && !json_is_array(weights))
		rc = err_set(err, ERR_TYPE, "/weights", "expected true or names of projections");
	if (!rc && json_array_size(weights) > spec->n_projections)
		rc = err_set(err, ERR_RANGE, "/weights", "there are only %zu projections",
			     spec->n_projections);
	for (size_t i = 0; !rc && i < json_array_size(weights); i++)
		rc = serve_get_projection(s, json_array_get(weights, i), "/weights",
					  &projections[n++], err);
	for (size_t j = 0; !rc && json_is_true(weights) && j < spec->n_projections; j++) {
		if (spec->projections[j].model->update)
			projections[n++] = j;
	}
	if (!rc)
		rc = engine_live_look(s->live, projections, n, err);
	mem_free(projections);
	return rc;
}

static int find_variable(const struct neuron_model *m, const char *name, struct err *err)
{
	for (size_t i = 0; i < m->n_states; i++) {
		if (!strcmp(m->states[i].name, name) && !m->states[i].internal)
			return (int)i;
	}
	return err_set(err, ERR_UNKNOWN, "/variable", "%s has no state \"%.64s\"", m->name, name);
}

static int add_value(json_t *list, const double *x, size_t size, json_t *which, size_t i,
		     struct err *err)
{
	json_int_t neuron = (json_int_t)i;

	if (which)
		neuron = json_integer_value(json_array_get(which, i));
	if (which &&
	    (!json_is_integer(json_array_get(which, i)) || neuron < 0 || (uint64_t)neuron >= size))
		return err_set(err, ERR_RANGE, "/neurons", "expected neurons from 0 to %zu",
			       size - 1);
	return json_array_append_new(list, json_real(x[neuron])) ? err_nomem(err) : 0;
}

static int run_values(struct serve *s, struct call *c, struct err *err)
{
	const struct sim *sim = engine_live_sim(s->live);
	const struct spec_population *p;
	json_t *which = json_object_get(c->args, "neurons"), *list;
	const char *name = NULL;
	size_t i = 0, n;
	int rc = serve_get_population(s, c->args, &i, err), variable;

	if (!rc)
		rc = serve_get_string(c->args, "variable", true, &name, err);
	if (rc)
		return rc;
	p = &sim_spec(sim)->populations[i];
	variable = find_variable(p->model, name, err);
	if (variable < 0)
		return variable;
	if (which && !json_is_array(which))
		return err_set(err, ERR_TYPE, "/neurons", "expected an array of neurons");
	n = which ? json_array_size(which) : p->size;
	if (n > SERVE_VALUES_MAX)
		return err_set(err, ERR_LIMIT, "/neurons", "at most %d neurons, found %zu",
			       SERVE_VALUES_MAX, n);
	list = json_array();
	rc = list ? 0 : err_nomem(err);
	for (size_t k = 0; !rc && k < n; k++)
		rc = add_value(list, sim_state(sim, i, (size_t)variable), p->size, which, k, err);
	if (rc) {
		json_decref(list);
		return rc;
	}
	return packed(c,
		      json_pack("{s:s, s:o}", "unit", unit_name(p->model->states[variable].unit),
				"values", list),
		      err);
}

static int run_watch(struct serve *s, struct call *c, struct err *err)
{
	return serve_watch_set(s, json_object_get(c->args, "events"), err);
}

/* ---- saved, taken back, branched ---- */

static int run_checkpoint(struct serve *s, struct call *c, struct err *err)
{
	const char *name = NULL;
	int rc = serve_get_string(c->args, "name", false, &name, err);

	if (!rc)
		rc = serve_ckpt_start(s, name, &c->head, err);
	c->later = !rc;
	return rc;
}

static int run_restore(struct serve *s, struct call *c, struct err *err)
{
	const char *name = NULL;
	int rc = serve_get_string(c->args, "name", false, &name, err);

	serve_ckpt_await(s);
	if (!rc)
		rc = engine_live_restore(&s->live, name, err);
	if (rc)
		return rc;
	s->dirty = false;
	serve_stop(s, NULL);
	return 0;
}

static int run_fork(struct serve *s, struct call *c, struct err *err)
{
	const char *dir = NULL;
	int rc = serve_get_string(c->args, "dir", true, &dir, err);

	if (!rc)
		rc = serve_fork(s, dir, &c->body, &c->fd, err);
	c->later = rc == SERVE_BRANCHED;
	return c->later ? 0 : rc;
}

static int run_save(struct serve *s, struct call *c, struct err *err)
{
	const char *dir = NULL;
	int rc = serve_get_string(c->args, "dir", true, &dir, err);

	return rc ? rc : serve_save(s, dir, &c->body, err);
}

static int run_quit(struct serve *s, struct call *c, struct err *err)
{
	bool checkpoint = false;
	int rc = serve_get_bool(c->args, "checkpoint", &checkpoint, err);

	serve_ckpt_await(s);
	if (!rc && checkpoint)
		rc = serve_checkpoint(s, err);
	s->quit = !rc;
	return rc;
}

static const struct command commands[] = {
	{ "state", "digest", true, run_state },
	{ "step", "duration_ms", false, run_step },
	{ "play", "speed", false, run_play },
	{ "pause", "", true, run_pause },
	{ "stimuli", "schedule", false, run_change },
	{ "parameters", "schedule", false, run_change },
	{ "data", "weights", false, run_data },
	{ "values", "population variable neurons", false, run_values },
	{ "watch", "events", true, run_watch },
	{ "checkpoint", "name", false, run_checkpoint },
	{ "restore", "name", false, run_restore },
	{ "fork", "dir", false, run_fork },
	{ "save", "dir", false, run_save },
	{ "quit", "checkpoint", false, run_quit },
};

/* ---- lines ---- */

static const struct command *find(const json_t *args, struct err *err)
{
	const char *name = json_string_value(json_object_get(args, "cmd"));

	if (!name) {
		(void)err_set(err, ERR_MISSING, "/cmd", "expected {\"cmd\": name, ...}");
		return NULL;
	}
	for (size_t i = 0; i < COUNTOF(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	(void)err_set(err, ERR_UNKNOWN, "/cmd", "there is no command \"%.64s\"", name);
	return NULL;
}

static int check(struct serve *s, const struct command *command, struct call *c, struct err *err)
{
	char keys[128];
	double at = 0;
	int64_t steps = serve_now(s);
	int rc;

	(void)snprintf(keys, sizeof(keys), "cmd id expect_t_ms %s", command->keys);
	rc = serve_check_keys(c->args, "", keys, err);
	if (rc || !json_object_get(c->args, "expect_t_ms"))
		return rc;
	rc = serve_get_number(c->args, "expect_t_ms", true, &at, err);
	if (!rc)
		rc = serve_steps(s, at, "/expect_t_ms", &steps, err);
	if (!rc && steps != serve_now(s))
		rc = err_set(err, ERR_STATE, "/expect_t_ms",
			     "expected to stand at %.12g ms, found %.12g ms", at,
			     serve_ms(s, serve_now(s)));
	return rc;
}

static void answer(struct serve *s, struct call *c, const struct err *err)
{
	json_t *line;

	if (c->later && err->code == 0)
		return;
	line = serve_reply(s, &c->head, c->body, err, &c->errors);
	if (c->fd < 0) {
		serve_send(s, line);
		return;
	}
	(void)serve_send_fd(s, line,
			    c->fd); /* else whoever forked is gone, and the branch sees it */
	(void)close(c->fd);
}

static void do_line(struct serve *s, const struct command *command, struct call *c, struct err *err)
{
	json_t *id = json_object_get(c->args, "id");
	int rc = -1;

	c->head.seq = ++s->seq;
	if (json_is_string(id) || json_is_integer(id))
		c->head.id = id;
	if (command)
		rc = check(s, command, c, err);
	if (command && !rc)
		rc = command->run(s, c, err);
	if (rc && !err->code)
		(void)err_set(err, ERR_INTERNAL, "", "it failed without a reason");
	if (!rc)
		err->code = 0;
	answer(s, c, err);
	err_list_release(&c->errors);
}

bool serve_command(struct serve *s)
{
	struct call c = { .fd = -1 };
	const struct command *command = NULL;
	struct err err = { 0 };
	size_t from = s->in_from, n = 0;
	bool too_long;
	char *line;

	if (s->mode != SERVE_STEPPING)
		s->in_wait = false;
	if (s->in_wait)
		return false;
	line = serve_line(s, &n, &too_long);
	if (!line && !too_long)
		return false;
	if (too_long)
		(void)err_set(&err, ERR_LIMIT, "", "a command has at most %d bytes",
			      SERVE_LINE_MAX);
	else if (!spec_json_load(&c.args, line, n, &err))
		command = find(c.args, &err);
	if (s->mode == SERVE_STEPPING && !too_long && !(command && command->any_time)) {
		line[n] = '\n'; /* later */
		s->in_from = from;
		s->in_wait = true;
		json_decref(c.args);
		return false;
	}
	do_line(s, command, &c, &err);
	json_decref(c.args);
	return true;
}
