/* test_ckpt - the file of a checkpoint: cut anywhere, any bit wrong, another's. */
/* SPDX-License-Identifier: MIT */
#include "core/ckpt.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/hash.h"
#include "core/base/mem.h"
#include "core/rec.h"
#include "core/sim.h"
#include "core/spec_json.h"
#include "tests/check.h"

static const struct ckpt_key key = { .spec = 11, .seed = 12, .engine = "1.2.3" };
static const char text[] =
	"{\"duration_ms\":40,\"populations\":{\"in\":{\"model\":\"poisson_generator\",\"size\":2,"
	"\"params\":{\"rate\":200}},\"out\":{\"model\":\"iaf_psc_exp\",\"size\":2,\"params\":{\"I_"
	"e\":500}}},"
	"\"projections\":{\"p\":{\"source\":\"in\",\"target\":\"out\",\"connect\":{\"rule\":\"all_"
	"to_all\"},"
	"\"synapse\":{\"model\":\"stdp_pair\",\"weight\":0.5,\"delay_ms\":0.2,\"axonal_delay_ms\":"
	"3}}},"
	"\"record\":{\"spikes\":[\"out\"]}}";

struct world {
	struct mem_arena arena;
	struct rec *rec;
	struct sim *sim;
};

static void make(struct world *w, const struct check_dir *dir, bool keep)
{
	struct err_list errors = { 0 };
	const struct spec *spec = NULL;
	json_t *json = NULL;

	mem_arena_init(&w->arena, 0);
	cr_assert_eq(spec_json_load(&json, text, sizeof(text) - 1, NULL), 0);
	cr_assert_eq(spec_json_read(&spec, json, "", NULL, NULL, &w->arena, &errors), 0, "%s",
		     errors.first.text);
	json_decref(json);
	cr_assert_eq(sim_new(&w->sim, spec, &w->arena, 1, NULL, NULL), 0);
	w->rec = rec_new(dir->fd, &w->arena);
	if (keep)
		rec_keep(w->rec);
	cr_assert_eq(rec_attach(w->rec, w->sim, NULL), 0);
}

static void drop(struct world *w)
{
	cr_assert_eq(rec_close(w->rec, NULL), 0);
	sim_free(w->sim);
	mem_arena_release(&w->arena);
}

/* A checkpoint at 30 ms in dir; its bytes (mem_free). */
static char *written(const struct check_dir *dir, size_t *n)
{
	struct ckpt_state s;
	struct world w;
	char path[300];

	make(&w, dir, false);
	cr_assert_eq(sim_start(w.sim, NULL), 0);
	cr_assert_eq(sim_advance(w.sim, 300, NULL), 0);
	s = (struct ckpt_state){ .sim = w.sim, .rec = w.rec, .wall_s = 4.5 };
	cr_assert_eq(rec_sync(w.rec, NULL), 0);
	cr_assert_eq(ckpt_write(dir->fd, &key, &s, NULL), 0);
	drop(&w);
	(void)snprintf(path, sizeof(path), "%s/checkpoint", dir->path);
	return check_read_file(path, n);
}

static int look(const struct check_dir *dir, const struct ckpt_key *k, struct err *err)
{
	struct ckpt *c = NULL;
	int rc = ckpt_open(&c, dir->fd, k, err);

	ckpt_close(c);
	return rc;
}

static void put(const struct check_dir *dir, const char *bytes, size_t n)
{
	int fd = openat(dir->fd, "checkpoint", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
	(void)close(fd);
}

Test(ckpt, it_is_there_as_a_whole_and_nothing_else)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	size_t n = 0;
	char *bytes = written(&dir, &n);
	struct ckpt_state s = { 0 };
	struct ckpt *c = NULL;
	struct world w;

	cr_assert_eq(memcmp(bytes, "STDPCKPT", 8), 0);
	cr_assert_neq(faccessat(dir.fd, "checkpoint.part", F_OK, 0), 0);
	make(&w, &dir, true);
	s.sim = w.sim;
	s.rec = w.rec;
	cr_assert_eq(ckpt_open(&c, dir.fd, &key, NULL), 0);
	cr_assert_eq(ckpt_load(c, &s, NULL), 0);
	ckpt_close(c);
	cr_assert_eq(sim_now(w.sim), 300);
	cr_assert_eq(s.wall_s, 4.5);
	drop(&w);
	ckpt_remove(dir.fd);
	cr_assert_eq(look(&dir, &key, NULL), -ERR_NOTFOUND);
	mem_free(bytes);
}

Test(ckpt, cut_anywhere_it_is_corrupt)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	size_t n = 0;
	char *bytes = written(&dir, &n);

	for (size_t k = 0; k < n; k++) {
		struct err err = { 0 };

		put(&dir, bytes, k);
		cr_assert_eq(look(&dir, &key, &err), -ERR_CORRUPT, "cut at %zu: %s", k, err.text);
		cr_assert_neq(err.text[0], '\0');
	}
	put(&dir, bytes, n);
	cr_assert_eq(look(&dir, &key, NULL), 0);
	mem_free(bytes);
}

Test(ckpt, any_bit_wrong_is_noticed)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	size_t n = 0;
	char *bytes = written(&dir, &n);
	int fd = openat(dir.fd, "checkpoint", O_WRONLY);

	for (size_t bit = 0; bit < 8 * n; bit++) {
		char *at = &bytes[bit / 8], right = *at;
		struct err err = { 0 };

		*at = (char)(*at ^ 1 << (bit & 7));
		cr_assert_eq(pwrite(fd, at, 1, (off_t)(bit / 8)), 1);
		cr_assert_eq(look(&dir, &key, &err), -ERR_CORRUPT, "bit %zu: %s", bit, err.text);
		*at = right;
		cr_assert_eq(pwrite(fd, at, 1, (off_t)(bit / 8)), 1);
	}
	cr_assert_eq(look(&dir, &key, NULL), 0);
	(void)close(fd);
	mem_free(bytes);
}

Test(ckpt, another_specs_seeds_or_engines_is_refused)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct ckpt_key other[3] = { key, key, key };
	size_t n = 0;
	char *bytes = written(&dir, &n);

	other[0].spec++;
	other[1].seed++;
	other[2].engine = "1.2.4";
	for (size_t i = 0; i < 3; i++) {
		struct err err = { 0 };

		cr_assert_eq(look(&dir, &other[i], &err), -ERR_CONFLICT);
		cr_assert_not_null(strstr(err.text, "another"), "%s", err.text);
	}
	mem_free(bytes);
}

/* The header is a sound one of a later version. */
Test(ckpt, another_version_is_refused)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	struct err err = { 0 };
	size_t n = 0;
	char *bytes = written(&dir, &n);
	uint64_t header[8];

	memcpy(header, bytes, sizeof(header));
	header[1] = 999;
	header[7] = hash_bytes(header, 7 * sizeof(header[0]));
	memcpy(bytes, header, sizeof(header));
	put(&dir, bytes, n);
	cr_assert_eq(look(&dir, &key, &err), -ERR_CONFLICT);
	cr_assert_not_null(strstr(err.text, "not 999"), "%s", err.text);
	mem_free(bytes);
}

Test(ckpt, what_is_no_file_is_refused)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();

	cr_assert_eq(mkdirat(dir.fd, "checkpoint", 0700), 0);
	cr_assert_lt(look(&dir, &key, NULL), 0);
	cr_assert_eq(unlinkat(dir.fd, "checkpoint", AT_REMOVEDIR), 0);
	cr_assert_eq(mkfifoat(dir.fd, "checkpoint", 0600), 0);
	cr_assert_eq(look(&dir, &key, NULL), -ERR_CORRUPT);
	cr_assert_eq(unlinkat(dir.fd, "checkpoint", 0), 0);
	cr_assert_eq(symlinkat("/dev/zero", dir.fd, "checkpoint"), 0);
	cr_assert_lt(look(&dir, &key, NULL), 0);
}

/* Memory gives out at each place: an error, nothing left over, the older checkpoint untouched. */
Test(ckpt, without_memory_nothing_is_lost)
{
	CLEANUP(check_dir_release) struct check_dir dir = check_dir();
	size_t n = 0, n_after = 0;
	char *bytes = written(&dir, &n), *after, path[300];

	for (struct check_torture t = check_torture(); check_torture_next(&t);) {
		struct ckpt_state s = { 0 };
		struct ckpt *c = NULL;
		struct err err = { 0 };
		struct world w;
		size_t k = t.k;
		int rc;

		mem_fail_at(0, false);
		make(&w, &dir, true);
		s.sim = w.sim;
		s.rec = w.rec;
		mem_fail_at(k, t.sticky);
		rc = ckpt_open(&c, dir.fd, &key, &err);
		if (!rc)
			rc = ckpt_load(c, &s, &err);
		ckpt_close(c);
		if (!rc)
			rc = ckpt_write(dir.fd, &key, &s, &err);
		mem_fail_at(0, false);
		cr_assert(rc == 0 || rc == -ERR_NOMEM, "%s", err.text);
		drop(&w);
		t.done = rc == 0;
	}
	(void)snprintf(path, sizeof(path), "%s/checkpoint", dir.path);
	after = check_read_file(path, &n_after);
	cr_assert_eq(n_after, n);
	cr_assert_eq(look(&dir, &key, NULL), 0);
	mem_free(after);
	mem_free(bytes);
}
