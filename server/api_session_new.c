/* api_session_new.c - what makes a session, or something of one: create, fork, checkpoint, restore, save. */
/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* linkat of every file of a folder */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/rundir.h"
#include "server/api_run.h"
#include "server/api_session.h"
#include "server/auth.h"
#include "server/clock.h"
#include "server/config.h"
#include "server/event.h"
#include "server/exec.h"
#include "server/exec_folder.h"
#include "server/folder.h"
#include "server/harvest.h"
#include "server/log.h"
#include "server/queue.h"
#include "server/store_db.h"
#include "server/store_once.h"

enum { PATH_SIZE = 4096, SPEC_MAX = 1 << 28 };

static int no_memory(struct err_list *errors)
{
	return err_list_add(errors, ERR_NOMEM, "", "out of memory");
}

/* ---- where a session begins ---- */

struct origin {
	struct store_session row;
	const char *checkpoint; /* folder whose files it goes on from; NULL: at 0 ms */
};

static int from_request(const struct api *api, struct request *rq, json_t *body, struct origin *o,
			struct err_list *errors)
{
	struct api_run_meta meta;
	struct api_spec known;
	json_t *spec = NULL;
	int rc = api_run_request(api, rq, body, &spec, &known, &meta, errors);

	if (!rc && known.experiment)
		rc = err_list_add(errors, ERR_CONFLICT, "/experiment",
				  "an experiment is a run; a session needs a network");
	if (!rc) {
		o->row.spec = api_text(spec, rq->arena);
		o->row.seed = mem_arena_strdup(rq->arena,
					       json_string_value(json_object_get(spec, "seed")));
		o->row.spec_sha256 = mem_arena_strdup(rq->arena, known.sha256);
		o->row.name = meta.name;
		o->row.threads = meta.threads;
		o->row.preset = json_string_value(json_object_get(body, "preset"));
		if (!o->row.spec || !o->row.seed || !o->row.spec_sha256)
			rc = no_memory(errors);
	}
	json_decref(spec);
	return rc;
}

static int from_run(const struct api *api, struct request *rq, const char *id, struct origin *o,
		    struct err_list *errors)
{
	struct store_run run;
	struct err err = { 0 };
	int rc =
		id_valid(id) ? store_run_get(api->store, id, rq->arena, &run, &err) : -ERR_NOTFOUND;

	if (rc == -ERR_NOTFOUND || (!rc && !auth_sees(&rq->who, run.owner)))
		return err_list_add(errors, ERR_UNKNOWN, "/from_run", "there is no such run");
	if (!rc && run.experiment)
		return err_list_add(errors, ERR_CONFLICT, "/from_run",
				    "this run is an experiment; a session needs a network");
	if (!rc)
		rc = store_run_text(api->store, id, STORE_RUN_SPEC, rq->arena, &o->row.spec, &err);
	if (rc)
		return api_run_fail(&err, errors);
	o->row.seed = run.seed;
	o->row.spec_sha256 = run.spec_sha256;
	o->row.threads = run.threads;
	o->row.preset = run.preset;
	o->row.parent = run.id;
	return 0;
}

static int from_checkpoint(const struct api *api, struct request *rq, const char *id,
			   struct origin *o, struct err_list *errors)
{
	struct store_session_checkpoint c;
	struct store_session old;
	struct err err = { 0 };
	char path[PATH_SIZE], more[64];
	int rc = id_valid(id) ? store_session_checkpoint_get(api->store, id, rq->arena, &c, &err)
			      : -ERR_NOTFOUND;

	if (!rc)
		rc = store_session_get(api->store, c.session_id, rq->arena, &old, &err);
	if (rc == -ERR_NOTFOUND || (!rc && !auth_sees(&rq->who, old.owner)))
		return err_list_add(errors, ERR_UNKNOWN, "/from_checkpoint",
				    "there is no such checkpoint");
	if (!rc)
		rc = store_session_spec(api->store, old.id, rq->arena, &o->row.spec, &err);
	if (rc)
		return api_run_fail(&err, errors);
	(void)snprintf(more, sizeof(more), "checkpoints/%.40s", c.id);
	session_path(api->store, old.id, more, path, sizeof(path));
	o->row.seed = old.seed;
	o->row.spec_sha256 = old.spec_sha256;
	o->row.threads = old.threads;
	o->row.preset = old.preset;
	o->row.t_ms = c.t_ms;
	o->row.parent = old.id;
	o->checkpoint = mem_arena_strdup(rq->arena, path);
	return o->checkpoint ? 0 : no_memory(errors);
}

/* The one origin that the body names. */
static int read_origin(const struct api *api, struct request *rq, json_t *body, struct origin *o,
		       struct err_list *errors)
{
	static const char *const keys[] = { "from_run", "from_checkpoint", "name" };
	json_t *run = json_object_get(body, "from_run"),
	       *checkpoint = json_object_get(body, "from_checkpoint"),
	       *name = json_object_get(body, "name");
	int rc;

	if (!run && !checkpoint)
		return from_request(api, rq, body, o, errors);
	rc = api_run_keys(body, keys, COUNTOF(keys), errors);
	if (!rc && run && checkpoint)
		rc = err_list_add(errors, ERR_CONFLICT, "",
				  "expected one of from_run, from_checkpoint");
	if (!rc && !json_is_string(run ? run : checkpoint))
		rc = err_list_add(errors, ERR_TYPE, run ? "/from_run" : "/from_checkpoint",
				  "expected an id, a string");
	if (!rc && name && !json_is_string(name))
		rc = err_list_add(errors, ERR_TYPE, "/name", "expected a string");
	if (!rc)
		rc = run ? from_run(api, rq, json_string_value(run), o, errors)
			 : from_checkpoint(api, rq, json_string_value(checkpoint), o, errors);
	o->row.name = json_string_value(name);
	return rc;
}

/* ---- creating ---- */

/* Every file of a checkpoint gets a second name in the new folder: copied when it is gone on from. */
static int link_files(const char *from, const char *to, struct err *err)
{
	DIR *dir = opendir(from);
	struct dirent *entry;
	int fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (!dir || fd < 0)
		rc = err_set(err, ERR_NOTFOUND, "/from_checkpoint",
			     "what was saved cannot be read: %s", strerror(errno));
	while (!rc && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (linkat(dirfd(dir), entry->d_name, fd, entry->d_name, 0) && errno != EEXIST)
			rc = err_set(err, errno == ENOSPC ? ERR_NOSPACE : ERR_IO, NULL,
				     "the session's folder cannot be written: %s", strerror(errno));
	}
	if (dir)
		(void)closedir(dir);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* A repeat is answered from the session (api_session_back). */
static void made_note(const char *id, char note[HTTP_MEMO_MAX])
{
	(void)snprintf(note, HTTP_MEMO_MAX, "0 %.32s", id);
}

static int make(const struct api *api, const struct origin *o, const struct store_once *once,
		struct err *err)
{
	char path[PATH_SIZE], note[HTTP_MEMO_MAX];
	int rc;

	made_note(o->row.id, note);
	session_path(api->store, o->row.id, NULL, path, sizeof(path));
	rc = exec_folder_fill(api->store, path, o->row.spec, err);
	if (!rc && o->checkpoint)
		rc = link_files(o->checkpoint, path, err);
	if (!rc)
		rc = store_session_add(api->store, &o->row, once, note, api->config->sessions_max,
				       err);
	if (rc)
		harvest_remove(api->store, "sessions", o->row.id);
	return rc;
}

static void unmake(const struct api *api, const char *id)
{
	struct err err = { 0 };

	if (store_session_drop(api->store, id, false, &err))
		log_err("dropping a session", &err);
	session_drop(api->session, id);
}

/* The session stands when its process has built the network. */
static int greet(const struct api *api, struct request *rq, struct response *rs, const char *id,
		 struct err_list *errors)
{
	const struct api_session_ask ask = { .id = id, .to = "/spec", .note = id };
	json_t *reply = NULL;
	int rc = api_session_ask(api, rq, rs, &ask,
				 api_session_told(rq) ? NULL : json_pack("{s:s}", "cmd", "state"),
				 &reply, errors);

	if (rc < 0)
		unmake(api, id);
	if (rc)
		return rc > 0 ? 0 : rc;
	return api_session_answer(api, rq, rs, id, 201, reply, errors);
}

int api_session_post(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	struct origin o = { .row = { .threads = 1, .state = "parked" } };
	struct err err = { 0 };
	char id[ID_SIZE];
	json_t *body = NULL;
	int rc;

	if (api_session_back(rq, id)) {
		if (!rq->resumed) /* sent again by another client: its own question */
			made_note(id, rq->memo);
		return greet(api, rq, rs, id, errors);
	}
	rc = api_room(api, rq, 0, errors);
	if (!rc)
		rc = api_body(rq, &body, errors);
	if (!rc)
		rc = read_origin(api, rq, body, &o, errors);
	if (!rc) {
		id_new(id);
		o.row.id = id;
		o.row.owner = rq->who.name;
		o.row.trace = rq->trace;
		o.row.owner_max = rq->who.quota_sessions;
		o.row.created_ms = clock_wall_ms();
		rc = make(api, &o, rq->once, &err);
		if (rc)
			rc = api_run_fail(&err, errors);
	}
	json_decref(body);
	return rc ? rc : greet(api, rq, rs, id, errors);
}

/* ---- forking ---- */

/* Its row, before there is a process. */
static int add_fork(const struct api *api, struct request *rq, const struct store_session *parent,
		    const char *name, const char *id, struct err_list *errors)
{
	struct store_session row = *parent;
	struct session_view view = { .t_ms = parent->t_ms };
	char note[HTTP_MEMO_MAX];
	struct err err = { 0 };
	int rc = store_session_spec(api->store, parent->id, rq->arena, &row.spec, &err);

	(void)session_look(api->session, parent->id, &view);
	row.id = id;
	row.state = "awake";
	row.name = name ? name : parent->name;
	row.owner = rq->who.name;
	row.trace = rq->trace;
	row.owner_max = rq->who.quota_sessions;
	row.parent = parent->id;
	row.created_ms = clock_wall_ms();
	row.t_ms = view.t_ms;
	made_note(id, note);
	if (!rc)
		rc = store_session_add(api->store, &row, rq->once, note, api->config->sessions_max,
				       &err);
	return rc ? api_run_fail(&err, errors) : 0;
}

int api_session_fork(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	static const char *const keys[] = { "name", "expect_t_ms" };
	struct api_session_ask ask = { 0 };
	struct store_session row;
	json_t *body = NULL, *reply = NULL, *command = NULL;
	char id[ID_SIZE], path[PATH_SIZE];
	int rc = api_session_find(api, rq, &row, errors);

	if (!rc && !api_session_back(rq, id)) {
		const char *name;

		rc = api_room(api, rq, 0, errors);
		if (!rc)
			rc = rq->body_len ? api_body(rq, &body, errors) : 0;
		if (!rc && body)
			rc = api_run_keys(body, keys, COUNTOF(keys), errors);
		name = json_string_value(json_object_get(body, "name"));
		id_new(id);
		session_path(api->store, id, NULL, path, sizeof(path));
		if (!rc)
			rc = add_fork(api, rq, &row, name, id, errors);
		if (!rc)
			command = json_pack("{s:s, s:s, s:O*}", "cmd", "fork", "dir", path,
					    "expect_t_ms", json_object_get(body, "expect_t_ms"));
		json_decref(body);
	}
	if (rc)
		return rc;
	if (rq->memo[0] && !api_session_told(rq)) /* an earlier server made it */
		return api_session_answer(api, rq, rs, id, 201, NULL, errors);
	ask = (struct api_session_ask){ .id = row.id, .fork = id, .note = id };
	rc = api_session_ask(api, rq, rs, &ask, command, &reply, errors);
	if (rc)
		return rc > 0 ? 0 : rc;
	return api_session_answer(api, rq, rs, id, 201, reply, errors);
}

/* ---- checkpoints ---- */

static json_t *checkpoint_json(const struct store_session_checkpoint *c)
{
	char text[CLOCK_TEXT_MAX];

	return json_pack("{s:s, s:s, s:f, s:I, s:s}", "id", c->id, "session_id", c->session_id,
			 "t_ms", c->t_ms, "bytes", (json_int_t)c->bytes, "created_at",
			 clock_text(c->created_ms, text));
}

static int checkpoint_again(const struct api *api, struct request *rq, struct response *rs,
			    const char *id, struct err_list *errors)
{
	struct store_session_checkpoint c;
	struct err err = { 0 };

	if (store_session_checkpoint_get(api->store, id, rq->arena, &c, &err))
		return api_run_fail(&err, errors);
	return api_json(rs, 201, checkpoint_json(&c), errors);
}

int api_session_checkpoint_post(const struct api *api, struct request *rq, struct response *rs,
				struct err_list *errors)
{
	struct store_session_checkpoint c = { .created_ms = clock_wall_ms() };
	struct api_session_ask ask = { 0 };
	struct store_session row;
	struct err err = { 0 };
	json_t *reply = NULL;
	char id[ID_SIZE], note[HTTP_MEMO_MAX];
	bool back = api_session_back(rq, id);
	int rc = api_session_find(api, rq, &row, errors);

	if (!rc && !back)
		rc = api_room(api, rq, 0, errors);
	if (rc)
		return rc;
	if (back && !api_session_told(rq))
		return checkpoint_again(api, rq, rs, id, errors);
	if (!back)
		id_new(id);
	ask = (struct api_session_ask){ .id = row.id, .note = id };
	rc = api_session_ask(api, rq, rs, &ask,
			     back ? NULL : json_pack("{s:s, s:s}", "cmd", "checkpoint", "name", id),
			     &reply, errors);
	if (rc)
		return rc > 0 ? 0 : rc;
	c.id = id;
	c.session_id = row.id;
	c.t_ms = json_number_value(json_object_get(reply, "saved_ms"));
	c.bytes = json_integer_value(json_object_get(reply, "bytes"));
	made_note(id, note);
	if (store_session_checkpoint_add(api->store, &c, rq->once, note, &err)) {
		json_decref(reply);
		return api_run_fail(&err, errors);
	}
	return api_json(rs, 201, api_session_numbered(checkpoint_json(&c), reply), errors);
}

int api_session_checkpoint_list(const struct api *api, struct request *rq, struct response *rs,
				struct err_list *errors)
{
	struct store_session_checkpoint *all = NULL;
	struct store_session row;
	struct err err = { 0 };
	json_t *items;
	size_t n = 0;
	int rc = api_session_find(api, rq, &row, errors);

	if (rc)
		return rc;
	if (store_session_checkpoint_list(api->store, row.id, rq->arena, &all, &n, &err))
		return api_run_fail(&err, errors);
	items = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(items, checkpoint_json(&all[i]));
	return api_json(rs, 200, json_pack("{s:o, s:n}", "items", items, "next_page_token"),
			errors);
}

/* The command that goes back to the checkpoint the body names, or (a failed session, {}) wakes it where it
 * was saved last. */
static int restore_command(const struct api *api, struct request *rq,
			   const struct store_session *row, json_t **ret, struct err_list *errors)
{
	static const char *const keys[] = { "checkpoint_id" };
	bool failed = strcmp(row->state, "failed") == 0;
	struct store_session_checkpoint c;
	json_t *body = NULL;
	const char *id;
	struct err err = { 0 };
	int rc = rq->body_len ? api_body(rq, &body, errors) : 0;

	if (!rc && body)
		rc = api_run_keys(body, keys, COUNTOF(keys), errors);
	id = json_string_value(json_object_get(body, "checkpoint_id"));
	if (!rc && !id && !failed)
		rc = err_list_add(errors, ERR_MISSING, "/checkpoint_id",
				  "expected the id of a checkpoint, a string");
	if (!rc && id &&
	    (!id_valid(id) || store_session_checkpoint_get(api->store, id, rq->arena, &c, &err) ||
	     strcmp(c.session_id, row->id) != 0))
		rc = err_list_add(errors, ERR_UNKNOWN, "/checkpoint_id",
				  "this session has no such checkpoint");
	if (!rc && failed &&
	    store_session_state(api->store, row->id, "parked", (double)NAN, NULL, &err))
		rc = api_run_fail(&err, errors);
	if (!rc)
		*ret = id ? json_pack("{s:s, s:s}", "cmd", "restore", "name", id)
			  : json_pack("{s:s}", "cmd", "state");
	json_decref(body);
	return rc;
}

int api_session_restore(const struct api *api, struct request *rq, struct response *rs,
			struct err_list *errors)
{
	struct api_session_ask ask = { 0 };
	struct store_session row;
	json_t *command = NULL, *reply = NULL;
	char note[ID_SIZE];
	int rc = api_session_find(api, rq, &row, errors);

	if (!rc && !api_session_back(rq, note))
		rc = restore_command(api, rq, &row, &command, errors);
	if (rc)
		return rc;
	ask.id = row.id;
	rc = api_session_ask(api, rq, rs, &ask, command, &reply, errors);
	if (rc)
		return rc > 0 ? 0 : rc;
	return api_session_answer(api, rq, rs, row.id, 200, reply, errors);
}

/* ---- saving ---- */

/* The run stands, and is waited for. */
static const char *run_note(const char *id, char note[HTTP_MEMO_MAX])
{
	(void)snprintf(note, HTTP_MEMO_MAX, "run %.32s", id);
	return note;
}

/* A run whose folder lies complete becomes a row and is brought in like any other. */
static int add_run(const struct api *api, struct request *rq, const struct store_session *row,
		   const char *id, struct err *err)
{
	struct store_run_new run = { .id = id,
				     .name = row->name,
				     .preset = row->preset,
				     .seed = row->seed,
				     .threads = row->threads,
				     .owner = rq->who.name,
				     .trace = rq->trace };
	struct api_spec known = { 0 };
	struct err_list errors = { 0 };
	struct folder folder = { .fd = -1 };
	char path[PATH_SIZE], note[HTTP_MEMO_MAX];
	json_t *json;
	int rc;

	(void)snprintf(path, sizeof(path), "%s/runs/%s", store_dir(api->store), id);
	rc = folder_open(&folder, path, RUNDIR_RESULT, err);
	if (!rc)
		rc = folder_text(&folder, RUNDIR_SPEC, SPEC_MAX, rq->arena, &run.spec, err);
	folder_close(&folder);
	json = rc ? NULL : json_loads(run.spec, 0, NULL);
	if (!rc && api_spec_check(api, json, "/spec", rq->arena, &known, &errors))
		rc = err_set(err, ERR_STATE, NULL, "the session's past is no run: %.200s",
			     errors.first.text);
	err_list_release(&errors);
	json_decref(json);
	run.spec_sha256 = known.sha256;
	run.duration_ms = known.duration_ms;
	if (!rc)
		rc = store_begin(api->store, err);
	if (rc)
		return rc;
	rc = queue_push(api->queue, &run, err);
	if (!rc)
		rc = store_run_move(api->store, id, RUN_QUEUED, RUN_START, err);
	if (!rc)
		rc = store_once_made(api->store, rq->once, run_note(id, note), true, err);
	if (rc) {
		store_rollback(api->store);
		return rc;
	}
	return store_commit(api->store, err);
}

/* Second wait: until the run is there. */
static int answer_run(const struct api *api, struct request *rq, struct response *rs,
		      const char *id, struct err_list *errors)
{
	struct store_run run;
	struct err err = { 0 };

	if (store_run_get(api->store, id, rq->arena, &run, &err))
		return api_run_fail(&err, errors);
	if (run_state_final(run.state) || rq->timed_out)
		return api_run_answer(api, rq, rs, &run, 201, errors);
	(void)run_note(id, rq->memo);
	event_topic(id, rs->topic);
	rs->wait_s = 30.0;
	rs->status = 0;
	return 0;
}

int api_session_save(const struct api *api, struct request *rq, struct response *rs,
		     struct err_list *errors)
{
	struct api_session_ask ask = { 0 };
	struct store_session row;
	struct err err = { 0 };
	char id[ID_SIZE], path[PATH_SIZE];
	bool back = api_session_back(rq, id);
	json_t *reply = NULL;
	int rc = api_session_find(api, rq, &row, errors);

	if (rc)
		return rc;
	if (back && strncmp(rq->memo, "run ", 4) == 0)
		return answer_run(api, rq, rs, id, errors);
	if (!back) {
		rc = api_room(api, rq, 0, errors);
		if (rc)
			return rc;
		id_new(id);
	}
	(void)snprintf(path, sizeof(path), "%s/runs/%s", store_dir(api->store), id);
	ask = (struct api_session_ask){ .id = row.id, .note = id };
	rc = api_session_ask(api, rq, rs, &ask,
			     back ? NULL : json_pack("{s:s, s:s}", "cmd", "save", "dir", path),
			     &reply, errors);
	json_decref(reply);
	if (rc)
		return rc > 0 ? 0 : rc;
	if (add_run(api, rq, &row, id, &err)) {
		harvest_remove(api->store, "runs", id);
		return api_run_fail(&err, errors);
	}
	exec_harvest(api->exec, id);
	return answer_run(api, rq, rs, id, errors);
}
