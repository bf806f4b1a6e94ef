/* test_space - a full data folder refuses what is new, deletion makes room, quotas hold. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

static struct harness h;

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(space, .fini = teardown, .timeout = 60);

/* About 4 MB of recorded spikes. */
#define BIG \
	"{\"spec\":{\"duration_ms\":1000,\"seed\":\"1\",\"populations\":{\"a\":{\"model\":" \
	"\"poisson_generator\",\"size\":300,\"params\":{\"rate\":1000}}}," \
	"\"record\":{\"spikes\":[\"a\"]}}}"

static int status(const char *method, const char *path, const char *body, const char *header)
{
	const char *const headers[] = { header, NULL };
	struct reply r = harness_ask(&h, method, path, body, header ? headers : NULL);
	int code = r.status;

	if (code == 429 || code == 507)
		cr_assert_not_null(strstr(r.headers, "application/problem+json"), "%s", r.headers);
	reply_release(&r);
	return code;
}

static double used(void)
{
	struct reply r = harness_get(&h, "/v1");
	double bytes = reply_number(&r, "/storage/used_bytes");

	reply_release(&r);
	return bytes;
}

Test(space, a_full_folder_refuses_what_is_new_until_something_is_deleted)
{
	static const char *const args[] = { "--storage-max-mb", "3", NULL };
	const struct timespec nap = { 0, 100000000 };
	char id[64], path[96], file[300];
	struct stat before, after;
	struct reply r;

	harness_new(&h, args);
	harness_run(&h, BIG, id);
	cr_assert(harness_state(&h, id, "succeeded", 20));
	for (int i = 0; i < 50 && status("POST", "/v1/sessions", SPECS_FAST, NULL) != 507; i++)
		(void)nanosleep(&nap, NULL);
	r = harness_ask(&h, "POST", "/v1/runs", SPECS_FAST, NULL);
	cr_assert_eq(r.status, 507, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/code"), "storage-full");
	cr_assert_not_null(strstr(r.body, "3145728"), "%s", r.body);
	reply_release(&r);
	r = harness_send(&h, "POST", "/v1/datasets?name=a", "t_ms,neuron\n1,0\n", 16, "text/csv");
	cr_assert_eq(r.status, 507, "%s", r.body);
	reply_release(&r);
	r = harness_get(&h, "/v1");
	cr_assert_eq(reply_number(&r, "/limits/storage_max_bytes"), 3145728.0);
	cr_assert_gt(reply_number(&r, "/storage/used_bytes"), 3145728.0);
	reply_release(&r);
	cr_assert_eq(harness_stop(&h), 0); /* all pages are in the one file */
	(void)snprintf(file, sizeof(file), "%s/stdpd.db", h.dir);
	cr_assert_eq(stat(file, &before), 0);
	harness_again(&h, args);
	(void)snprintf(path, sizeof(path), "/v1/runs/%s", id);
	cr_assert_eq(status("DELETE", path, NULL, NULL), 204);
	for (int i = 0; i < 50 && used() > 3145728.0; i++)
		(void)nanosleep(&nap, NULL);
	harness_run(&h, SPECS_FAST, id);
	cr_assert(harness_state(&h, id, "succeeded", 20));
	cr_assert_eq(harness_stop(&h), 0);
	cr_assert_eq(stat(file, &after), 0);
	cr_assert_lt(after.st_size, before.st_size / 2, "%lld of %lld", (long long)after.st_size,
		     (long long)before.st_size);
}

Test(space, too_little_free_space_refuses_what_is_new)
{
	static const char *const args[] = { "--storage-free-mb", "1000000000", NULL };

	harness_new(&h, args);
	cr_assert_eq(status("POST", "/v1/runs", SPECS_FAST, NULL), 507);
	cr_assert_eq(status("POST", "/v1/sessions", SPECS_FAST, NULL), 507);
	cr_assert_eq(status("GET", "/v1/runs", NULL, NULL), 200);
}

Test(space, old_runs_go_and_pinned_ones_stay)
{
	char id[3][64], path[256], file[300];
	sqlite3 *db;
	struct reply r;

	harness_new(&h, NULL);
	for (int i = 0; i < 3; i++) {
		harness_run(&h, SPECS_FAST, id[i]);
		cr_assert(harness_state(&h, id[i], "succeeded", 20));
		(void)snprintf(path, sizeof(path), "/v1/runs/%s", id[i]);
		r = harness_ask(&h, "PATCH", path,
				i == 0	 ? "{\"keep_days\":1}"
				: i == 1 ? "{\"keep_days\":1,\"pinned\":true}"
					 : "{\"keep_days\":null}",
				NULL);
		cr_assert_eq(r.status, 200, "%s", r.body);
		cr_assert_eq(json_is_string(reply_at(&r, "/expires_at")), i == 0, "%s", r.body);
		reply_release(&r);
	}
	cr_assert_eq(status("PATCH", path, "{\"pinned\":1}", NULL), 422);
	cr_assert_eq(harness_stop(&h), 0);
	(void)snprintf(file, sizeof(file), "%s/stdpd.db", h.dir);
	cr_assert_eq(sqlite3_open(file, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, "UPDATE run SET finished_ms=1", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
	harness_again(&h, NULL);
	for (int i = 0; i < 3; i++) {
		const struct timespec nap = { 0, 20000000 };

		(void)snprintf(path, sizeof(path), "/v1/runs/%s", id[i]);
		for (int k = 0; i == 0 && k < 200 && status("GET", path, NULL, NULL) != 404; k++)
			(void)nanosleep(&nap, NULL);
		cr_assert_eq(status("GET", path, NULL, NULL), i ? 200 : 404, "%d", i);
	}
}

/* A token with these quotas; "Authorization: Bearer ..." into header[128]. */
static void token(const char *name, const char *quotas, const char *admin, char header[128])
{
	const char *const headers[] = { admin, NULL };
	struct reply r;
	char body[256];

	(void)snprintf(body, sizeof(body), "{\"name\":\"%s\",\"scopes\":[%s],\"quotas\":%s}", name,
		       admin ? "\"read\",\"run\",\"session\"" : "\"admin\",\"read\"", quotas);
	r = harness_ask(&h, "POST", "/v1/tokens", body, admin ? headers : NULL);
	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(header, 128, "Authorization: Bearer %s", reply_text(&r, "/token"));
	reply_release(&r);
}

Test(space, a_token_gets_what_its_quota_allows_and_others_are_not_touched)
{
	static const char *const args[] = { "--slots", "1", NULL };
	char admin[128], ada[128], ben[128], retry[16], body[70000];
	const char *const as_ada[] = { ada, NULL };
	struct reply r;

	harness_new(&h, args);
	token("boss", "{}", NULL, admin);
	token("ada", "{\"runs\":1,\"sessions\":1,\"storage_mb\":1}", admin, ada);
	token("ben", "{\"runs\":null}", admin, ben);
	r = harness_ask(&h, "POST", "/v1/runs", SPECS_SLOW, as_ada);
	cr_assert_eq(r.status, 202, "%s", r.body);
	(void)snprintf(body, sizeof(body), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	for (int i = 0; i < 20000; i++) { /* until it runs and so waits no more */
		r = harness_ask(&h, "GET", "/v1/me", NULL, as_ada);
		if (reply_number(&r, "/quotas/runs_queued/used") == 0.0)
			break;
		reply_release(&r);
	}
	cr_assert_eq(reply_number(&r, "/quotas/runs_queued/limit"), 1.0, "%s", r.body);
	cr_assert_eq(reply_number(&r, "/quotas/storage_bytes/limit"), 1048576.0, "%s", r.body);
	reply_release(&r);
	cr_assert_eq(status("POST", "/v1/runs", SPECS_SLOW, ada), 202);
	r = harness_ask(&h, "POST", "/v1/runs", SPECS_SLOW, as_ada);
	cr_assert_eq(r.status, 429, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/code"), "quota-exceeded");
	cr_assert_not_null(strstr(r.body, "found 1"), "%s", r.body);
	cr_assert(reply_header(&r, "Retry-After", retry, sizeof(retry)));
	reply_release(&r);
	cr_assert_eq(status("POST", "/v1/runs", SPECS_SLOW, ben), 202);
	cr_assert_eq(status("POST", "/v1/sessions", SPECS_FAST, ada), 201);
	cr_assert_eq(status("POST", "/v1/sessions", SPECS_FAST, ada), 429);
	cr_assert_eq(status("POST", "/v1/sessions", SPECS_FAST, ben), 201);
	cr_assert_eq(status("POST", "/v1/tokens",
			    "{\"name\":\"x\",\"scopes\":[\"read\"],\"quotas\":{\"runs\":0}}",
			    admin),
		     422);
}

Test(space, a_sweep_waits_where_its_owners_quota_is_used_up_and_goes_on)
{
	static const char *const args[] = { "--slots", "1", NULL };
	char admin[128], ada[128], path[96];
	const char *const as_ada[] = { ada, NULL };
	struct reply r;

	harness_new(&h, args);
	token("boss", "{}", NULL, admin);
	token("ada", "{\"runs\":1}", admin, ada);
	r = harness_ask(&h, "POST", "/v1/sweeps",
			"{\"spec\":" SPECS_NET("1000", "20") ",\"seeds\":[1,2,3,4,5]}", as_ada);
	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(path, sizeof(path), "/v1/sweeps/%s", reply_text(&r, "/id"));
	reply_release(&r);
	for (int i = 0; i < 5000; i++) {
		r = harness_ask(&h, "GET", path, NULL, as_ada);
		cr_assert_leq(reply_number(&r, "/progress/queued"), 1.0, "%s", r.body);
		if (strcmp(reply_text(&r, "/state"), "finished") == 0)
			break;
		reply_release(&r);
	}
	cr_assert_eq(reply_number(&r, "/counts/succeeded"), 5.0, "%s", r.body);
	reply_release(&r);
}

Test(space, a_data_set_is_its_owners_and_counts_as_theirs)
{
	char admin[128], ada[128], ben[128], path[96], id[64], spec[512];
	char *file = malloc(1100000);
	struct reply r;
	int n;

	harness_new(&h, NULL);
	token("boss", "{}", NULL, admin);
	token("ada", "{\"storage_mb\":1}", admin, ada);
	token("ben", "{}", admin, ben);
	{
		const char *const headers[] = { ada, "Content-Type: text/csv", NULL };

		r = harness_ask(&h, "POST", "/v1/datasets?name=a", "t_ms,neuron\n1,0\n", headers);
		cr_assert_eq(r.status, 201, "%s", r.body);
		cr_assert_str_eq(reply_text(&r, "/owner"), "ada");
		(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
		reply_release(&r);
		n = snprintf(file, 32, "t_ms,neuron\n");
		while (n < 1050000)
			n += snprintf(file + n, 32, "%d,0\n", n);
		r = harness_ask(&h, "POST", "/v1/datasets?name=b", file, headers);
		cr_assert_eq(r.status, 429, "%s", r.body);
		reply_release(&r);
	}
	free(file);
	(void)snprintf(path, sizeof(path), "/v1/datasets/%s", id);
	cr_assert_eq(status("GET", path, NULL, ben), 404);
	cr_assert_eq(status("DELETE", path, NULL, ben), 404);
	(void)snprintf(
		spec, sizeof(spec),
		"{\"spec\":{\"duration_ms\":10,\"seed\":\"1\",\"populations\":{\"a\":{"
		"\"model\":\"spike_source\",\"size\":1,\"spike_times\":{\"dataset\":\"%s\"}}}}}",
		id);
	r = harness_ask(&h, "POST", "/v1/runs", spec, (const char *const[]){ ben, NULL });
	cr_assert(r.status == 422 && strstr(r.body, "there is no data set"), "%s", r.body);
	reply_release(&r);
	(void)snprintf(spec, sizeof(spec),
		       "{\"spec\":{\"duration_ms\":10,\"populations\":{\"a\":{\"model\":\"spike_"
		       "generator\","
		       "\"size\":1,\"params\":{\"spike_times\":[1]}}}},\"axes\":[{\"path\":"
		       "\"/populations/a/params/spike_times\",\"values\":[{\"dataset\":\"%s\"}]}]}",
		       id);
	r = harness_ask(&h, "POST", "/v1/sweeps", spec, (const char *const[]){ ben, NULL });
	cr_assert(r.status == 422 && strstr(r.body, "there is no data set"), "%s", r.body);
	reply_release(&r);
	r = harness_ask(&h, "POST", "/v1/sweeps", spec, (const char *const[]){ ada, NULL });
	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(spec, sizeof(spec), "/v1/sweeps/%s", reply_text(&r, "/id"));
	reply_release(&r);
	cr_assert_eq(status("DELETE", path, NULL, ada), 409, "a sweep needs it");
	do
		r = harness_ask(&h, "GET", spec, NULL, (const char *const[]){ ada, NULL });
	while (strcmp(reply_text(&r, "/state"), "running") == 0 && (reply_release(&r), true));
	cr_assert_eq(reply_number(&r, "/counts/succeeded"), 1.0, "%s", r.body);
	reply_release(&r);
	r = harness_ask(&h, "GET", "/v1/datasets", NULL, (const char *const[]){ ben, NULL });
	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 0, "%s", r.body);
	reply_release(&r);
	cr_assert_eq(status("GET", path, NULL, admin), 200);
	cr_assert_eq(status("DELETE", path, NULL, ada), 204);
}
