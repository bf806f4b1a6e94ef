/* fuzz_ckpt - checkpoints of any bytes: refused or loaded, never a crash or a huge allocation.
 *
 * Each input is tried as it is, and again with a header that makes its body look sound, so that what
 * loads it is reached. What was loaded can be saved. With clang: -fsanitize=fuzzer,address,undefined
 * -DFUZZER. Without, a plain program: it reads the files named, or changes bytes of a real checkpoint N
 * / 4 times (first argument -N, default 5000; each makes two networks) with a seed that it prints. */
/* SPDX-License-Identifier: MIT */
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

enum { MAX = 1 << 20, WORDS = 8, MEMORY = 1 << 24 };

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

static void put(const uint8_t *data, size_t n)
{
	int fd = openat(dir_fd, "checkpoint", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n || close(fd))
		no("the file cannot be written");
}

static bool load(void)
{
	struct ckpt *c = NULL;
	struct world w;
	bool ok;

	if (ckpt_open(&c, dir_fd, &key, NULL))
		return false;
	make(&w, true);
	ok = ckpt_load(c, &w.state, NULL) == 0;
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t whole = n / 8 * 8;
	uint8_t *copy = malloc(n + 1);
	struct world w;

	threads = n > 0 && data[n - 1] % 8 == 0 ? 2 : 1;
	if (dir_fd < 0) {
		make(&w, false);
		drop(&w);
	}
	if (!copy)
		return 0;
	put(data, n);
	(void)load();
	memcpy(copy, data, n);
	if (whole >= WORDS * sizeof(uint64_t)) {
		vouch(copy, whole);
		put(copy, whole);
		(void)load();
	}
	free(copy);
	return 0;
}

#ifndef FUZZER

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static size_t read_file(const char *path, uint8_t *bytes)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(bytes, 1, MAX, f) : 0;

	if (f)
		(void)fclose(f);
	return n;
}

/* A real one, at 30 ms; it must be taken. */
static size_t seed(uint8_t *bytes)
{
	char path[sizeof(folder) + 16];
	struct world w;
	size_t n;

	make(&w, false);
	if (sim_start(w.state.sim, NULL) || sim_advance(w.state.sim, 300, NULL) ||
	    rec_sync(w.state.rec, NULL) || ckpt_write(dir_fd, &key, &w.state, NULL))
		no("there is no seed");
	drop(&w);
	(void)snprintf(path, sizeof(path), "%s/checkpoint", folder);
	n = read_file(path, bytes);
	vouch(bytes, n);
	put(bytes, n);
	if (!load())
		no("the seed is refused");
	return n;
}

static void once(uint64_t *state, const uint8_t *from, size_t n)
{
	uint8_t *bytes = malloc(n);

	if (!bytes)
		return;
	memcpy(bytes, from, n);
	for (uint64_t k = next(state) % 4; k > 0; k--) {
		uint64_t word = next(state) % 3 ? next(state) >> next(state) % 64 : UINT64_MAX;

		memcpy(bytes + next(state) % (n / 8) * 8, &word, sizeof(word));
	}
	if (next(state) % 4 == 0)
		n = (size_t)(next(state) % (n + 1));
	(void)LLVMFuzzerTestOneInput(bytes, n);
	free(bytes);
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 && argv[1][0] == '-' ? strtol(argv[1] + 1, NULL, 10) : 5000;
	uint8_t *bytes = malloc(MAX);
	uint64_t state = 88172645463325252ULL;
	size_t n;

	if (!bytes)
		return 1;
	for (int i = 1; i < argc && argv[1][0] != '-'; i++)
		(void)LLVMFuzzerTestOneInput(bytes, read_file(argv[i], bytes));
	if (argc <= 1 || argv[1][0] == '-') {
		(void)printf("seed %llu, %ld rounds\n", (unsigned long long)state, rounds / 4);
		n = seed(bytes);
		for (long i = 0; i < rounds / 4; i++)
			once(&state, bytes, n);
	}
	free(bytes);
	return 0;
}

#endif
