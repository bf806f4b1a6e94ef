/* check.h - what several tests share: closeness, folders, reference data, torture, random cases. */
/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/rng.h"

/* |a - b| relative to the larger of the two; 0 for equal ones (both infinite too), NaN never. */
double check_rel(double a, double b);
/* |got - want| <= rel * |want| + abs; false for NaN. */
bool check_close(double got, double want, double rel, double abs);

/* A Test() of what comes of long simulated times. Sanitized builds do without: the engine is many times
 * slower in them, and shorter tests take the same paths. */
#ifdef STDP_SANITIZED
#define CHECK_LONG(...)		  static __attribute__((unused)) void NAME_OF(__VA_ARGS__, )(void)
#define NAME_OF(suite, test, ...) suite##_##test
#else
#define CHECK_LONG Test
#endif

/* A folder of the test's own, removed with all that is in it:
 *	CLEANUP(check_dir_release) struct check_dir dir = check_dir(); */
struct check_dir {
	char path[256];
	int fd;
};

struct check_dir check_dir(void);
void check_dir_release(struct check_dir *dir);
/* All bytes of a file (mem_free), NUL-terminated; NULL when it cannot be read. */
char *check_read_file(const char *path, size_t *ret_len);

/* Path of a file of ../shared (STDP_SHARED says otherwise), valid until the next call. Where the
 * data are absent: NULL, a line "skipped: ...", and with CI=true the test fails. */
const char *check_shared(const char *file);
/* The same file as JSON, or NULL. */
json_t *check_shared_json(const char *file);
/* Numbers of the array object[key] (mem_free); NULL when it is not one. */
double *check_doubles(const json_t *object, const char *key, size_t *ret_n);

/* Do something with one allocation after the other failing, once alone and once with all after it:
 *
 *	for (struct check_torture t = check_torture(); check_torture_next(&t);) {
 *		r = thing_new(&thing);
 *		if (r == 0)
 *			thing_free(thing);
 *		t.done = r == 0;
 *	}
 *
 * After each round nothing may be left over; at the end the operation must have succeeded. */
struct check_torture {
	bool done; /* set by the loop's body: it succeeded */
	bool sticky;
	size_t k;	 /* allocation that fails in this round */
	size_t live;	 /* blocks before */
	size_t failures; /* rounds in which the operation failed */
};

struct check_torture check_torture(void);
bool check_torture_next(struct check_torture *t);

/* Random cases: the same in each run unless CHECK_SEED gives another seed. */
struct check_random {
	struct rng_key key;
	uint64_t counter;
};

uint64_t check_seed(void);
struct check_random check_random(const char *name);
double check_uniform(struct check_random *r, double min, double max);
uint64_t check_below(struct check_random *r, uint64_t n);

#endif
