/* fuzz_ckpt - checkpoints of any bytes: refused or loaded, never a crash or a huge allocation.
 *
 * Each input is tried as it is, and again with a header that makes its body look sound, so that what
 * loads it is reached. What was loaded can be saved. An input that begins with P is a list of changes to a
 * real checkpoint: 2 bytes that say which word, 1 how, 8 of a value. P alone must be taken. */
/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/hash.h"
#include "core/ckpt.h"
#include "core/rec.h"
#include "core/spec_json.h"
#include "tests/fuzz/fuzz.h"

enum { MAX = 1 << 20, WORDS = 8, MEMORY = 1 << 24, PATCH = 11, COLUMNS = 16, COLUMN = 1 << 16 };

static const struct ckpt_key key = { .spec = 1, .seed = 2, .engine = "fuzz" };
static const char text[] =
	"{\"duration_ms\":60,\"populations\":{\"in\":{\"model\":\"poisson_generator\",\"size\":2,"
	"\"params\":{\"rate\":300}},\"out\":{\"model\":\"iaf_psc_exp\",\"size\":2,\"params\":{\"I_"
	"e\":700}},"
	"\"volt\":{\"model\":\"aeif_psc_delta_clopath\",\"size\":2,\"params\":{\"I_e\":900}}},"
	"\"projections\":{"
	"\"pair\":{\"source\":\"in\",\"target\":\"out\",\"connect\":{\"rule\":\"all_to_all\"},"
	"\"synapse\":"
	"{\"model\":\"stdp_pair\",\"weight\":0.5,\"axonal_delay_ms\":3,\"stp\":{},\"scale\":{"
	"\"rate_hz\":9}}},"
	"\"volt\":{\"source\":\"in\",\"target\":\"volt\",\"connect\":{\"rule\":\"all_to_all\"},"
	"\"synapse\":"
	"{\"model\":\"stdp_clopath\",\"weight\":0.5}},"
	"\"calcium\":{\"source\":\"in\",\"target\":\"out\",\"connect\":{\"rule\":\"one_to_one\"},"
	"\"synapse\":"
	"{\"model\":\"stdp_calcium\",\"weight\":0.5}},"
	"\"reward\":{\"source\":\"in\",\"target\":\"out\",\"connect\":{\"rule\":\"one_to_one\"},"
	"\"synapse\":"
	"{\"model\":\"stdp_dopamine\",\"weight\":0.5,\"modulator\":{\"population\":\"out\",\"delay_"
	"ms\":9}}}},"
	"\"record\":{\"spikes\":[\"out\"],\"weights\":[{\"projection\":\"pair\",\"every_ms\":7,"
	"\"bins\":3}]}}";

/* In memory, if there is such a place: files are synced many times. */
static char folder[32] = "/dev/shm/fuzz-ckpt-XXXXXX";
static int dir_fd = -1;
static unsigned threads = 1;

struct world {
	struct mem_arena arena;
	struct ckpt_state state;
};

static void no(const char *what)
{
	(void)fprintf(stderr, "fuzz_ckpt: %s\n", what);
	abort();
}

static void tidy(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command))
		(void)fprintf(stderr, "%s stays\n", folder);
}

static void make(struct world *w, bool keep)
{
	struct err_list errors = { 0 };
	const struct spec *spec = NULL;
	json_t *json = NULL;

	if (dir_fd < 0) {
		if (access("/dev/shm", W_OK))
			(void)snprintf(folder, sizeof(folder), "/tmp/fuzz-ckpt-XXXXXX");
		dir_fd = mkdtemp(folder) ? open(folder, O_RDONLY | O_DIRECTORY) : -1;
		(void)atexit(tidy);
	}
	memset(w, 0, sizeof(*w));
	mem_arena_init(&w->arena, MEMORY);
	if (dir_fd < 0 || spec_json_load(&json, text, sizeof(text) - 1, NULL) ||
	    spec_json_read(&spec, json, "", NULL, NULL, &w->arena, &errors))
		no(errors.first.text);
	json_decref(json);
	w->state.rec = rec_new(dir_fd, &w->arena);
	if (sim_new(&w->state.sim, spec, &w->arena, threads, NULL, NULL))
		no("the network is not built");
	if (keep)
		rec_keep(w->state.rec);
	if (rec_attach(w->state.rec, w->state.sim, NULL))
		no("the recorders are not made");
}

static void drop(struct world *w)
{
	(void)rec_close(w->state.rec, NULL);
	sim_free(w->state.sim);
	mem_arena_release(&w->arena);
}

static void put(const char *name, const uint8_t *data, size_t n)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n || close(fd))
		no("the file cannot be written");
}

static bool load(struct err *err)
{
	struct ckpt *c = NULL;
	struct world w;
	bool ok;

	if (ckpt_open(&c, dir_fd, &key, err))
		return false;
	make(&w, true);
	ok = ckpt_load(c, &w.state, err) == 0;
	ckpt_close(c);
	if (ok && ckpt_write(dir_fd, &key, &w.state, NULL))
		no("what was loaded cannot be saved");
	drop(&w);
	return ok;
}

/* Say that the body is sound. */
static void vouch(uint8_t *bytes, size_t n)
{
	uint64_t w[WORDS], word;
	struct hash h;

	hash_init(&h);
	for (size_t i = sizeof(w); i < n; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		hash_u64(&h, word);
	}
	memcpy(w, "STDPCKPT", 8);
	w[1] = 2;
	w[2] = key.spec;
	w[3] = hash_bytes(key.engine, strlen(key.engine));
	w[4] = key.seed;
	w[5] = n - sizeof(w);
	w[6] = hash_end(&h);
	w[7] = hash_bytes(w, 7 * sizeof(word));
	memcpy(bytes, w, sizeof(w));
}

/* What the recorders of the real one had written: a checkpoint that is loaded cuts it. */
static struct column {
	char name[64];
	uint8_t bytes[COLUMN];
	size_t n;
} columns[COLUMNS];

static size_t read_file(const char *name, uint8_t *bytes, size_t max)
{
	int fd = openat(dir_fd, name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, max);

	if (n < 0 || (size_t)n == max || close(fd))
		no("a file cannot be read");
	return (size_t)n;
}

static void keep_columns(void)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	size_t n = 0;

	while (dir && (entry = readdir(dir)) != NULL) {
		if (!strstr(entry->d_name, ".col"))
			continue;
		if (n == COLUMNS)
			no("there are too many columns");
		(void)snprintf(columns[n].name, sizeof(columns[n].name), "%.60s", entry->d_name);
		columns[n].n = read_file(entry->d_name, columns[n].bytes, COLUMN);
		n++;
	}
	if (dir)
		(void)closedir(dir);
	if (!n)
		no("there are no columns");
}

static void put_columns(void)
{
	for (size_t i = 0; i < COLUMNS && columns[i].name[0]; i++)
		put(columns[i].name, columns[i].bytes, columns[i].n);
}

/* A real one, at 30 ms, into bytes[MAX]. */
static size_t take_real(uint8_t *bytes)
{
	struct world w;
	size_t n;

	make(&w, false);
	if (sim_start(w.state.sim, NULL) || sim_advance(w.state.sim, 300, NULL) ||
	    rec_sync(w.state.rec, NULL) || ckpt_write(dir_fd, &key, &w.state, NULL))
		no("there is no checkpoint to change");
	keep_columns();
	drop(&w);
	n = read_file("checkpoint", bytes, MAX);
	vouch(bytes, n);
	return n;
}

static void patch(uint8_t *bytes, size_t *n, const uint8_t *how)
{
	size_t word = ((size_t)how[0] | (size_t)how[1] << 8) % (*n / 8);
	uint64_t value, old;

	memcpy(&value, how + 3, sizeof(value));
	memcpy(&old, bytes + 8 * word, sizeof(old));
	switch (how[2] % 4) {
	case 0:
		break;
	case 1:
		value += old;
		break;
	case 2:
		value ^= old;
		break;
	case 3:
	default: /* cut here */
		*n = 8 * (word ? word : 1);
		return;
	}
	memcpy(bytes + 8 * word, &value, sizeof(value));
}

/* Both ways, each beside what the real one had recorded. */
static void try_bytes(uint8_t *bytes, size_t n)
{
	size_t whole = n / 8 * 8;

	put_columns();
	put("checkpoint", bytes, n);
	(void)load(NULL);
	if (whole < WORDS * sizeof(uint64_t))
		return;
	vouch(bytes, whole);
	put_columns();
	put("checkpoint", bytes, whole);
	(void)load(NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint8_t real[MAX], copy[MAX];
	static size_t n_real;
	struct err err = { 0 };
	size_t n_copy = n;

	threads = n > 1 && data[n - 1] % 8 == 0 ? 2 : 1;
	if (n > MAX)
		no("an input is too large");
	if (!n_real)
		n_real = take_real(real);
	if (n && data[0] == 'P') {
		n_copy = n_real;
		memcpy(copy, real, n_real);
		for (size_t at = 1; at + PATCH <= n; at += PATCH)
			patch(copy, &n_copy, data + at);
	} else if (n) {
		memcpy(copy, data, n);
	}
	try_bytes(copy, n_copy);
	if (n == 1 && data[0] == 'P' && !load(&err)) /* once more */
		no(err.text);
	return 0;
}
