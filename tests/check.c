/* check - shared parts of tests. */
/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* nftw */
#include "tests/check.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"

/* ---- numbers -------------------------------------------------------------------------------- */

double check_rel(double a, double b)
{
	double scale = fmax(fabs(a), fabs(b));

	return a == b ? 0 : fabs(a - b) / scale;
}

bool check_close(double got, double want, double rel, double abs)
{
	return got == want || fabs(got - want) <= rel * fabs(want) + abs;
}

/* ---- files ---------------------------------------------------------------------------------- */

struct check_dir check_dir(void)
{
	const char *tmp = getenv("TMPDIR");
	struct check_dir dir;

	(void)snprintf(dir.path, sizeof(dir.path), "%s/stdp-test-XXXXXX", tmp ? tmp : "/tmp");
	cr_assert_not_null(mkdtemp(dir.path), "cannot make a folder %s", dir.path);
	dir.fd = open(dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(dir.fd, 0);
	return dir;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void check_dir_release(struct check_dir *dir)
{
	(void)close(dir->fd);
	(void)nftw(dir->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

char *check_read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t len = 0, got;

	if (!f)
		return NULL;
	do {
		char *more = mem_resize(text, len + 65536 + 1, 1);

		if (!more)
			break;
		text = more;
		got = fread(text + len, 1, 65536, f);
		len += got;
		text[len] = '\0';
	} while (got > 0);
	(void)fclose(f);
	if (ret_len)
		*ret_len = len;
	return text;
}

/* ---- reference data ------------------------------------------------------------------------- */

const char *check_shared(const char *file)
{
	static char path[512];
	const char *root = getenv("STDP_SHARED"), *ci = getenv("CI");

	(void)snprintf(path, sizeof(path), "%s/%s", root && *root ? root : "../shared", file);
	if (access(path, R_OK) == 0)
		return path;
	cr_assert(!ci || strcmp(ci, "true") != 0, "%s must be there in CI", path);
	(void)fprintf(stderr, "skipped: no %s\n", path);
	return NULL;
}

json_t *check_shared_json(const char *file)
{
	const char *path = check_shared(file);
	json_error_t error;
	json_t *json;

	if (!path)
		return NULL;
	json = json_load_file(path, 0, &error);
	cr_assert_not_null(json, "%s:%d: %s", path, error.line, error.text);
	return json;
}

double *check_doubles(const json_t *object, const char *key, size_t *ret_n)
{
	const json_t *array = json_object_get(object, key);
	size_t n = json_array_size(array);
	double *x;

	if (!json_is_array(array))
		return NULL;
	x = mem_alloc(n, sizeof(*x));
	for (size_t i = 0; x && i < n; i++)
		x[i] = json_number_value(json_array_get(array, i));
	*ret_n = n;
	return x;
}

/* ---- torture -------------------------------------------------------------------------------- */

/* Every allocation; in the slow sanitized builds every one to 40, then every second, third and so on. */
#ifdef STDP_SANITIZED
enum { TORTURE_DENSE = 40 };
#else
enum { TORTURE_DENSE = 1 << 30 };
#endif
enum { TORTURE_MAX = 200000 };

struct check_torture check_torture(void)
{
	return (struct check_torture){ .live = mem_live() };
}

bool check_torture_next(struct check_torture *t)
{
	mem_fail_at(0, false);
	if (t->k > 0) {
		cr_assert_eq(mem_live(), t->live, "allocation %zu failing%s left %zu blocks", t->k,
			     t->sticky ? " with all after it" : "", mem_live() - t->live);
		t->failures += !t->done;
	}
	cr_assert_lt(t->k, TORTURE_MAX, "the operation never succeeds");
	if (t->done && t->sticky)
		return false;
	if (t->done) {
		t->sticky = true;
		t->k = 0;
	}
	t->done = false;
	t->k += 1 + t->k / TORTURE_DENSE;
	mem_fail_at(t->k, t->sticky);
	return true;
}

/* ---- random cases --------------------------------------------------------------------------- */

uint64_t check_seed(void)
{
	const char *text = getenv("CHECK_SEED");

	return text ? strtoull(text, NULL, 0) : 20250101;
}

struct check_random check_random(const char *name)
{
	uint64_t seed = check_seed();

	(void)fprintf(stderr, "%s: CHECK_SEED=%" PRIu64 "\n", name, seed);
	return (struct check_random){ .key = rng_key(seed, RNG_EXPERIMENT, name) };
}

double check_uniform(struct check_random *r, double min, double max)
{
	return min + (max - min) * rng_uniform(r->key, 0, r->counter++);
}

uint64_t check_below(struct check_random *r, uint64_t n)
{
	return rng_below(r->key, 1, r->counter++, n);
}
