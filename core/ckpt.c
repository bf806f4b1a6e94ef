/* ckpt.c - the file of a checkpoint. */
/* SPDX-License-Identifier: MIT */
#include "core/ckpt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/base/pack.h"
#include "core/rec.h"
#include "core/rundir.h"
#include "core/sim.h"

/* A change of what is packed is a new version. */
enum { VERSION = 2 };
static const uint64_t MAGIC = UINT64_C(0x54504b4350445453); /* "STDPCKPT" */

enum word { W_MAGIC, W_VERSION, W_SPEC, W_ENGINE, W_SEED, W_BYTES, W_BODY, W_HEADER, N_WORDS };
enum { HEADER = N_WORDS * sizeof(uint64_t) };

struct ckpt {
	int fd;
	uint64_t bytes; /* of the body */
	char *text;
	struct pack pack;
};

static int failed(const char *what, struct err *err)
{
	bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

	return err_set(err, full ? ERR_NOSPACE : ERR_IO, "", "cannot %s the checkpoint: %s", what,
		       strerror(errno));
}

static void fill_header(uint64_t *w, const struct ckpt_key *key, const struct pack *p)
{
	w[W_MAGIC] = MAGIC;
	w[W_VERSION] = VERSION;
	w[W_SPEC] = key->spec;
	w[W_ENGINE] = hash_bytes(key->engine, strlen(key->engine));
	w[W_SEED] = key->seed;
	w[W_BYTES] = p->bytes;
	w[W_BODY] = hash_end(&p->hash);
	w[W_HEADER] = hash_bytes(w, W_HEADER * sizeof(*w));
}

/* The text, for which loading takes memory. */
static int text(struct pack *p, char **at)
{
	size_t n = p->loading ? 0 : strlen(*at);

	if (pack_size(p, &n, 1, "length of the text"))
		return p->rc;
	if (p->loading)
		*at = mem_alloc(n + 1, 1);
	return *at ? pack_bytes(p, *at, n, 1) : pack_nomem(p);
}

static int body(struct pack *p, struct ckpt_state *s)
{
	(void)pack_f64(p, &s->wall_s);
	(void)sim_pack(s->sim, p);
	return rec_pack(s->rec, p);
}

static int write_file(int fd, const struct ckpt_key *key, const struct ckpt_state *s,
		      struct pack *p, struct err *err)
{
	struct ckpt_state copy = *s;
	uint64_t header[N_WORDS] = { 0 };
	char *words = mem_strdup(s->text ? s->text : "");
	int rc;

	if (!words)
		return err_nomem(err);
	rc = lseek(fd, HEADER, SEEK_SET) < 0 ? failed("write", err) : 0;
	if (!rc) {
		pack_save(p, fd);
		(void)text(p, &words);
		(void)body(p, &copy);
		rc = pack_end(p, err);
	}
	mem_free(words);
	if (rc)
		return rc;
	fill_header(header, key, p);
	if (pwrite(fd, header, HEADER, 0) != HEADER || fsync(fd) < 0)
		return failed("write", err);
	return 0;
}

int ckpt_write(int dir_fd, const struct ckpt_key *key, const struct ckpt_state *s, struct err *err)
{
	struct pack *p = mem_alloc(1, sizeof(*p));
	int fd, rc;

	if (!p)
		return err_nomem(err);
	fd = openat(dir_fd, RUNDIR_CKPT_PART, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0644);
	rc = fd < 0 ? failed("create", err) : write_file(fd, key, s, p, err);
	mem_free(p);
	if (fd >= 0 && close(fd) < 0 && !rc)
		rc = failed("close", err);
	if (!rc && renameat(dir_fd, RUNDIR_CKPT_PART, dir_fd, RUNDIR_CKPT) < 0)
		rc = failed("rename", err);
	if (rc)
		(void)unlinkat(dir_fd, RUNDIR_CKPT_PART, 0);
	else
		(void)fsync(dir_fd); /* else the old one is found after a loss of power */
	return rc;
}

static int check_header(const uint64_t *w, uint64_t size, const struct ckpt_key *key,
			struct err *err)
{
	if (w[W_MAGIC] != MAGIC)
		return err_set(err, ERR_CORRUPT, "", "the checkpoint is no checkpoint");
	if (w[W_HEADER] != hash_bytes(w, W_HEADER * sizeof(*w)))
		return err_set(err, ERR_CORRUPT, "", "the checkpoint's header is damaged");
	if (w[W_VERSION] != VERSION)
		return err_set(err, ERR_CONFLICT, "",
			       "the checkpoint must have version %d, not %" PRIu64, VERSION,
			       w[W_VERSION]);
	if (w[W_ENGINE] != hash_bytes(key->engine, strlen(key->engine)))
		return err_set(err, ERR_CONFLICT, "",
			       "the checkpoint is of another version of the engine than %s",
			       key->engine);
	if (w[W_SPEC] != key->spec || w[W_SEED] != key->seed)
		return err_set(err, ERR_CONFLICT, "", "the checkpoint is of another spec");
	if (w[W_BYTES] % 8 || w[W_BYTES] != size - HEADER)
		return err_set(err, ERR_CORRUPT, "",
			       "the checkpoint is cut: it must have %" PRIu64
			       " bytes behind its header, not %" PRIu64,
			       w[W_BYTES], size - HEADER);
	return 0;
}

/* Read all of the body once and compare its hash. */
static int check_body(struct ckpt *c, uint64_t want, struct err *err)
{
	struct pack *p = &c->pack;
	struct hash h;
	uint64_t word = 0;

	hash_init(&h);
	pack_load(p, c->fd, c->bytes);
	for (uint64_t left = c->bytes; left > 0 && !pack_u64(p, &word); left -= sizeof(word))
		hash_u64(&h, word);
	if (p->rc && err)
		*err = p->err;
	if (p->rc)
		return p->rc;
	if (hash_end(&h) != want)
		return err_set(err, ERR_CORRUPT, "", "the checkpoint is damaged");
	return 0;
}

/* What stands before the state (mem_free). */
static int load_text(struct ckpt *c, char **ret, struct err *err)
{
	if (lseek(c->fd, HEADER, SEEK_SET) < 0)
		return failed("read", err);
	pack_load(&c->pack, c->fd, c->bytes);
	if (text(&c->pack, ret) && err)
		*err = c->pack.err;
	return c->pack.rc;
}

static int verify(struct ckpt *c, const struct ckpt_key *key, struct err *err)
{
	uint64_t w[N_WORDS];
	struct stat st;
	int rc;

	if (fstat(c->fd, &st) < 0)
		return failed("read", err);
	if (!S_ISREG(st.st_mode) || st.st_size < HEADER)
		return err_set(err, ERR_CORRUPT, "", "the checkpoint is no checkpoint");
	if (read(c->fd, w, HEADER) != HEADER)
		return failed("read", err);
	rc = check_header(w, (uint64_t)st.st_size, key, err);
	c->bytes = w[W_BYTES];
	if (!rc)
		rc = check_body(c, w[W_BODY], err);
	if (!rc)
		rc = load_text(c, &c->text, err);
	return rc;
}

int ckpt_open(struct ckpt **ret, int dir_fd, const struct ckpt_key *key, struct err *err)
{
	int fd = openat(dir_fd, RUNDIR_CKPT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct ckpt *c;
	int rc;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND, "", "there is no checkpoint");
	if (fd < 0)
		return failed("open", err);
	c = mem_alloc(1, sizeof(*c));
	if (!c) {
		(void)close(fd);
		return err_nomem(err);
	}
	c->fd = fd;
	rc = verify(c, key, err);
	if (rc)
		ckpt_close(c);
	else
		*ret = c;
	return rc;
}

int ckpt_load(struct ckpt *c, struct ckpt_state *s, struct err *err)
{
	char *again = NULL;
	int rc = load_text(c, &again, err);

	mem_free(again);
	if (rc)
		return rc;
	(void)body(&c->pack, s);
	return pack_end(&c->pack, err);
}

const char *ckpt_text(const struct ckpt *c)
{
	return c->text;
}

void ckpt_close(struct ckpt *c)
{
	if (!c)
		return;
	(void)close(c->fd);
	mem_free(c->text);
	mem_free(c);
}

void ckpt_remove(int dir_fd)
{
	(void)unlinkat(dir_fd, RUNDIR_CKPT, 0);
	(void)unlinkat(dir_fd, RUNDIR_CKPT_PART, 0);
}
