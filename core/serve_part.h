/* serve_part.h - a session's process; for the files of serve only. */
/* SPDX-License-Identifier: MIT */
#ifndef CORE_SERVE_PART_H
#define CORE_SERVE_PART_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/buf.h"
#include "core/engine_live.h"
#include "core/serve.h"

enum serve_mode { SERVE_PAUSED, SERVE_STEPPING, SERVE_PLAYING };
enum serve_event { SERVE_STATE, SERVE_SPIKES, SERVE_RATES, SERVE_WEIGHTS, SERVE_EVENT_N };

enum {
	SERVE_LINE_MAX = 16 << 20,
	SERVE_OUT_MAX = 256 << 20, /* bytes of replies not yet taken */
	SERVE_OUT_SOFT = 1 << 20,  /* with more waiting no command is read, no event sent */
	SERVE_WATCHES_MAX = 32,
	SERVE_VALUES_MAX = 10000,
	SERVE_BINS_MAX = 1000,
	SERVE_SPIKES_MAX = 100000,
};

/* One kind of events asked for. */
struct serve_watch {
	enum serve_event kind;
	size_t subject; /* population or projection */
	double max_hz, next_s;
	size_t max;		  /* spikes kept, bins */
	struct sim_spike *spikes; /* [max] of which n are there */
	size_t n;
	uint64_t count;	  /* spikes since the last event */
	int64_t from;	  /* step of the last event */
	uint64_t dropped; /* since the last that was sent */
};

/* A command under way: what its reply needs. */
struct serve_call {
	uint64_t seq;
	json_t *id; /* NULL: none */
};

/* A checkpoint that a forked process writes. */
struct serve_saving {
	pid_t pid;			     /* 0: none */
	int fd;				     /* says how it went */
	char name[ENGINE_LIVE_NAME_MAX + 1]; /* "": that of the directory itself */
	struct serve_call call;		     /* seq 0: nobody asked */
	int64_t at;			     /* step it stands at */
	double began_s;
};

struct serve {
	int dir_fd, lock_fd, in_fd, out_fd;
	struct engine_control control;
	struct engine_live_hook hook;
	struct engine_live *live;
	struct buf in, out;
	size_t in_from; /* bytes of `in` that are done with */
	bool in_skip;	/* the line under way is too long: its end is awaited */
	bool in_wait;	/* the next command waits for the end of a step */
	bool in_end;	/* end of input */
	bool quit;	/* told to end */
	int exit_code;
	uint64_t seq;
	enum serve_mode mode;
	struct serve_call step; /* under way */
	int64_t step_to;
	double speed, play_s; /* of play: since when */
	int64_t play_from;    /* and from where */
	int64_t piece;	      /* steps between two looks at the commands */
	struct serve_saving saving;
	bool dirty; /* there is something that no checkpoint has */
	double checkpoint_next_s;
	struct serve_watch watches[SERVE_WATCHES_MAX];
	size_t n_watches;
};

/* serve.c */
double serve_now_s(const struct serve *s);
int64_t serve_now(const struct serve *s); /* steps */
double serve_ms(const struct serve *s, int64_t step);
json_t *serve_time(const struct serve *s, int64_t step); /* in ms, as JSON */
/* A new object, the state's keys; NULL: no memory. */
json_t *serve_state(struct serve *s);
/* Stop a step or play; a step is answered. */
void serve_stop(struct serve *s, const struct err *why);
/* The first line of a process. */
void serve_hello(struct serve *s, const struct err *err, const struct err_list *errors);

/* serve_ckpt.c. Save to the directory itself, and say when the next is due. */
int serve_checkpoint(struct serve *s, struct err *err);
/* The same, or to a checkpoint of this name, by a forked process. The call (NULL: none) is answered when it
 * has ended. One at a time: the one before is waited for. */
int serve_ckpt_start(struct serve *s, const char *name, const struct serve_call *call,
		     struct err *err) MUST_USE;
/* Wait for the process that saves, if there is one, and do what its end asks for. */
void serve_ckpt_await(struct serve *s);
/* In a branch: it is the parent's. */
void serve_ckpt_forget(struct serve *s);

/* serve_line.c: bytes in and out. Wait at most so long (ms) for input, room or the end of a checkpoint; move
 * bytes. */
void serve_exchange(struct serve *s, int wait_ms);
/* The next line (NUL-terminated, until the next call); NULL: none yet. *ret_long: it was too long, and is
 * gone. */
char *serve_line(struct serve *s, size_t *ret_n, bool *ret_long);
/* Add a line; the reference is taken. */
void serve_send(struct serve *s, json_t *line);
/* Send all that waits, then this line with a descriptor beside it. False: it did not go. */
bool serve_send_fd(struct serve *s, json_t *line, int fd);
/* Send all that waits, for at most so many seconds. */
bool serve_drain(struct serve *s, double seconds);
/* The reply to a call; body (its reference is taken) may be NULL; err->code 0: ok. */
json_t *serve_reply(struct serve *s, const struct serve_call *call, json_t *body,
		    const struct err *err, const struct err_list *errors);

/* serve_command.c: the next line, if it may be done now; false: there is none. */
bool serve_command(struct serve *s);

/* serve_read.c: members of a command. A member that is not there leaves *ret as it is. */
int serve_get_number(const json_t *args, const char *key, bool required, double *ret,
		     struct err *err) MUST_USE;
int serve_get_bool(const json_t *args, const char *key, bool *ret, struct err *err) MUST_USE;
int serve_get_string(const json_t *args, const char *key, bool required, const char **ret,
		     struct err *err) MUST_USE;
int serve_get_population(struct serve *s, const json_t *args, size_t *ret,
			 struct err *err) MUST_USE;
int serve_get_projection(struct serve *s, const json_t *value, const char *path, size_t *ret,
			 struct err *err) MUST_USE;
/* A number of ms as steps. */
int serve_steps(const struct serve *s, double ms, const char *path, int64_t *ret,
		struct err *err) MUST_USE;
/* Keys that are not in the list ("cmd id expect_t_ms" are always). */
int serve_check_keys(json_t *args, const char *path, const char *keys, struct err *err) MUST_USE;

/* serve_fork.c: commands. *ret_fd: goes with the reply. In the child, which has said hello already,
 * serve_fork returns SERVE_BRANCHED. */
/* A fork without threads, which do not survive it; then, in the parent, with threads again. */
pid_t serve_fork_quietly(struct serve *s);
int serve_go_on(struct serve *s, pid_t pid, struct err *err) MUST_USE;
enum { SERVE_BRANCHED = 1 };
int serve_fork(struct serve *s, const char *dir, json_t **ret, int *ret_fd, struct err *err);
int serve_save(struct serve *s, const char *dir, json_t **ret, struct err *err);

/* serve_watch.c */
void serve_watch_attach(void *self, struct sim *sim); /* for the hook */
int serve_watch_set(struct serve *s, json_t *events, struct err *err) MUST_USE;
void serve_watch_tell(struct serve *s); /* what is due */
void serve_watch_clear(struct serve *s);

#endif
