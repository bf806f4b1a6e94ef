/* test_datasets - uploads, and runs that live on them, over HTTP. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/specs.h"

static struct harness h;

static void setup(void)
{
	harness_new(&h, NULL);
}

static void teardown(void)
{
	harness_free(&h);
}

TestSuite(datasets, .init = setup, .fini = teardown, .timeout = 120);

static struct reply upload(const char *name, const void *bytes, size_t n, const char *type)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/v1/datasets?name=%s", name);
	return harness_send(&h, "POST", path, bytes, n, type);
}

/* A file of ../shared; skips the test without it, fails it in CI. */
static char *shared(const char *file, size_t *ret_n)
{
	const char *root = getenv("STDP_SHARED");
	char path[512], *bytes;
	long n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", root ? root : "../shared", file);
	f = fopen(path, "rb");
	if (!f) {
		cr_assert(!getenv("CI"), "%s must be there", path);
		printf("skipped: no %s\n", path);
		cr_skip_test("no shared data");
	}
	cr_assert_eq(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	rewind(f);
	bytes = malloc((size_t)n + 1);
	cr_assert(bytes && fread(bytes, 1, (size_t)n, f) == (size_t)n);
	bytes[n] = '\0';
	(void)fclose(f);
	*ret_n = (size_t)n;
	return bytes;
}

/* Files in DATA/datasets. */
static int count_files(void)
{
	char path[320];
	DIR *dir;
	int n = 0;

	(void)snprintf(path, sizeof(path), "%s/datasets", h.dir);
	dir = opendir(path);
	cr_assert_not_null(dir);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		n += e->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}

Test(datasets, a_csv_is_kept_listed_and_deleted)
{
	static const char csv[] = "t_ms,neuron\n1.5,0\n2.5,1\n";
	struct reply r = upload("spikes", csv, sizeof(csv) - 1, "text/csv"), one;
	char path[128], location[128];

	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/kind"), "csv");
	cr_assert_str_eq(reply_text(&r, "/name"), "spikes");
	cr_assert_eq(strlen(reply_text(&r, "/sha256")), 64);
	cr_assert_eq(reply_number(&r, "/bytes"), sizeof(csv) - 1);
	cr_assert_str_eq(reply_text(&r, "/fields/0/name"), "t_ms");
	cr_assert_str_eq(reply_text(&r, "/fields/0/dtype"), "float64");
	cr_assert_eq(reply_number(&r, "/fields/1/shape/0"), 2);
	(void)snprintf(path, sizeof(path), "/v1/datasets/%s", reply_text(&r, "/id"));
	cr_assert(reply_header(&r, "Location", location, sizeof(location)));
	cr_assert_str_eq(location, path);
	one = harness_get(&h, path);
	cr_assert(json_equal(one.json, r.json), "%s", one.body);
	reply_release(&one);
	one = harness_get(&h, "/v1/datasets");
	cr_assert_eq(json_array_size(reply_at(&one, "/items")), 1);
	reply_release(&one);
	cr_assert_eq(count_files(), 2);
	one = harness_ask(&h, "DELETE", path, NULL, NULL);
	cr_assert_eq(one.status, 204, "%s", one.body);
	reply_release(&one);
	one = harness_get(&h, path);
	cr_assert_eq(one.status, 404);
	reply_release(&one);
	cr_assert_eq(count_files(), 0);
	reply_release(&r);
}

Test(datasets, sounds_have_a_field_each_and_their_rates)
{
	char bytes[4096];
	FILE *f = fopen("tests/fuzz/corpus/dataset/wav_zip", "rb");
	struct reply r;
	size_t n;

	cr_assert_not_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	(void)fclose(f);
	r = upload("sounds", bytes, n, "application/zip");
	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/kind"), "wav");
	cr_assert_eq(strlen(reply_text(&r, "/sha256")), 64);
	cr_assert_str_eq(reply_text(&r, "/fields/0/name"), "zero");
	cr_assert_str_eq(reply_text(&r, "/fields/0/dtype"), "int16");
	cr_assert_eq(reply_number(&r, "/fields/0/shape/0"), 4);
	cr_assert_str_eq(reply_text(&r, "/fields/1/dtype"), "uint8");
	cr_assert_str_eq(reply_text(&r, "/fields/2/name"), "rate_hz");
	cr_assert_eq(count_files(), 3);
	reply_release(&r);
}

Test(datasets, a_recorded_word_is_read_as_it_comes)
{
	size_t n = 0;
	char *bytes = shared("data/fsdd/recordings/0_george_27.wav", &n);
	struct reply r = upload("word", bytes, n, "audio/wav");

	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/fields/0/name"), "samples");
	cr_assert_str_eq(reply_text(&r, "/fields/0/dtype"), "int16");
	cr_assert_eq(reply_number(&r, "/fields/0/shape/0"), (double)((n - 44) / 2));
	reply_release(&r);
	free(bytes);
}

/* As the contract lists the types of a body; what is in it decides what it is. */
Test(datasets, the_content_tells_the_kind)
{
	static const struct {
		const char *seed, *type, *kind, *dtype;
	} cases[] = {
		{ "csv_spikes", "text/csv", "csv", "float64" },
		{ "npy_doubles", "application/octet-stream", "npy", "float64" },
		{ "npy_gz", "application/gzip", "npy", NULL },
		{ "npz_deflated", "application/zip", "npz", NULL },
		{ "idx_images", "application/octet-stream", "idx", "uint8" },
		{ "wav_16", "application/octet-stream", "wav", "int16" },
		{ "wav_double_gz", "application/gzip", "wav", "float64" },
		{ "wav_extensible", "text/csv", "wav", "int16" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[128], bytes[4096];
		struct reply r;
		size_t n;
		FILE *f;

		(void)snprintf(path, sizeof(path), "tests/fuzz/corpus/dataset/%s", cases[i].seed);
		f = fopen(path, "rb");
		cr_assert_not_null(f, "%s", path);
		n = fread(bytes, 1, sizeof(bytes), f);
		(void)fclose(f);
		r = upload(cases[i].seed, bytes, n, cases[i].type);
		cr_assert_eq(r.status, 201, "%s: %s", path, r.body);
		cr_assert_str_eq(reply_text(&r, "/kind"), cases[i].kind, "%s", r.body);
		if (cases[i].dtype)
			cr_assert_str_eq(reply_text(&r, "/fields/0/dtype"), cases[i].dtype);
		reply_release(&r);
	}
}

Test(datasets, pages_go_through_all_of_them)
{
	char path[160] = "/v1/datasets?page_size=2", seen[5][64];
	size_t n = 0;

	for (int i = 0; i < 5; i++) {
		struct reply r = upload("x", "1,2\n", 4, "text/csv");

		cr_assert_eq(r.status, 201, "%s", r.body);
		reply_release(&r);
	}
	for (int page = 0; page < 3; page++) {
		struct reply r = harness_get(&h, path);
		const json_t *items = reply_at(&r, "/items");

		cr_assert_eq(json_array_size(items), page < 2 ? 2 : 1, "%s", r.body);
		for (size_t i = 0; i < json_array_size(items); i++) {
			(void)snprintf(
				seen[n], sizeof(seen[n]), "%s",
				json_string_value(json_object_get(json_array_get(items, i), "id")));
			for (size_t k = 0; k < n; k++)
				cr_assert_str_neq(seen[k], seen[n]);
			n++;
		}
		cr_assert_eq(json_is_null(reply_at(&r, "/next_page_token")), page == 2);
		(void)snprintf(path, sizeof(path), "/v1/datasets?page_size=2&page_token=%s",
			       reply_text(&r, "/next_page_token"));
		reply_release(&r);
	}
	cr_assert_eq(n, 5);
}

Test(datasets, broken_files_are_refused_and_leave_nothing)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *type;
		int status;
		const char *says;
	} cases[] = {
		{ "\0\0\x08\x03\0\0\0\x09\0\0\0\x09\0\0\0\x09xyz", 19, "application/octet-stream",
		  422, "cut off" },
		{ "\x1f\x8b\x08\0\0\0\0\0\0\0broken", 16, "application/gzip", 422, "compressed" },
		{ "PK\x03\x04 and no more of it than that", 32, "application/zip", 422, "zip" },
		{ "\x93NUMPY\x01\x00\x10\x00{'descr': '>f8'}", 26, "application/octet-stream", 422,
		  "npy" },
		{ "t_ms,neuron\n1,2\n3\n", 18, "text/csv", 422, "line 3" },
		{ "\x01"
		  "ELF",
		  4, "application/octet-stream", 422, "expected IDX, NPY, NPZ, WAV" },
		{ "RIFF\x10\0\0\0WAVEdata\x08\0\0\0ab", 22, "audio/wav", 422,
		  "expected 8 bytes behind byte 20, found 2" },
		{ "{}", 2, "application/json", 415, "text/csv" },
		{ "a,b\n", 4, "image/png", 415, "image/png" },
		{ "", 0, "text/csv", 422, "nothing" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply r = upload("broken", cases[i].bytes, cases[i].n, cases[i].type);

		cr_assert_eq(r.status, cases[i].status, "case %zu: %d %s", i, r.status, r.body);
		cr_assert_not_null(strstr(r.body, cases[i].says), "case %zu: %s", i, r.body);
		reply_release(&r);
	}
	cr_assert_eq(count_files(), 0);
	struct reply r = harness_get(&h, "/v1/datasets");

	cr_assert_eq(json_array_size(reply_at(&r, "/items")), 0);
	reply_release(&r);
}

Test(datasets, a_repeated_upload_with_a_key_is_one_data_set)
{
	static const char *const headers[] = { "Idempotency-Key: once", "Content-Type: text/csv",
					       NULL };
	struct reply a = harness_ask(&h, "POST", "/v1/datasets?name=a", "1,2\n3,4\n", headers);
	struct reply b = harness_ask(&h, "POST", "/v1/datasets?name=a", "1,2\n3,4\n", headers);
	struct reply c = harness_ask(&h, "POST", "/v1/datasets?name=a", "5,6\n", headers);

	cr_assert_eq(a.status, 201, "%s", a.body);
	cr_assert_eq(b.status, 201, "%s", b.body);
	cr_assert_str_eq(reply_text(&a, "/id"), reply_text(&b, "/id"));
	cr_assert_eq(c.status, 422, "%s", c.body);
	reply_release(&a);
	reply_release(&b);
	reply_release(&c);
}

Test(datasets, one_that_a_run_needs_stays_until_it_ends)
{
	char id[64], run[64], path[128], body[2048];
	struct reply r = upload("rates", "rate\n20\n30\n", 11, "text/csv");

	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	(void)snprintf(body, sizeof(body),
		       "{\"spec\":{\"duration_ms\":50000000,\"seed\":\"1\",\"populations\":{\"in\":"
		       "{\"model\":\"poisson_generator\",\"size\":2,"
		       "\"params\":{\"rate\":{\"dataset\":\"%s\",\"field\":\"rate\"}}},\"cell\":{"
		       "\"model\":\"iaf_psc_exp\",\"size\":500}},"
		       "\"projections\":{\"p\":{\"source\":\"in\",\"target\":\"cell\",\"connect\":{"
		       "\"rule\":\"all_to_all\"},\"synapse\":"
		       "{\"model\":\"static\",\"weight\":1,\"delay_ms\":1}}},\"record\":{\"rates\":"
		       "[{\"population\":\"in\",\"bin_ms\":1000}]}}}",
		       id);
	harness_run(&h, body, run);
	(void)snprintf(path, sizeof(path), "/v1/datasets/%s", id);
	r = harness_ask(&h, "DELETE", path, NULL, NULL);
	cr_assert_eq(r.status, 409, "%s", r.body);
	cr_assert_not_null(strstr(r.body, run), "%s", r.body);
	reply_release(&r);
	cr_assert(harness_state(&h, run, "running", 10));
	(void)snprintf(path, sizeof(path), "/v1/runs/%s/cancel", run);
	r = harness_ask(&h, "POST", path, "{}", NULL);
	reply_release(&r);
	r = harness_wait(&h, run, 20);
	reply_release(&r);
	(void)snprintf(path, sizeof(path), "/v1/datasets/%s", id);
	r = harness_ask(&h, "DELETE", path, NULL, NULL);
	cr_assert_eq(r.status, 204, "%s", r.body);
	reply_release(&r);
}

Test(datasets, a_spec_that_names_none_there_is_refused_with_its_place)
{
	static const char body[] = "{\"preset\":\"digit_image\",\"overrides\":[{\"path\":\"/"
				   "populations/pixels/params/rate/dataset\","
				   "\"value\":\"0123456789abcdef0123456789abcdef\"}]}";
	struct reply r = harness_ask(&h, "POST", "/v1/runs", body, NULL);

	cr_assert_eq(r.status, 422, "%s", r.body);
	cr_assert_not_null(strstr(r.body, "/rate"), "%s", r.body);
	reply_release(&r);
}

/* ---- MNIST ---- */

static double correlation(const json_t *image, const unsigned char *pixels)
{
	double n = 784, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;

	for (size_t i = 0; i < 784; i++) {
		double x = json_number_value(json_array_get(json_array_get(image, i / 28), i % 28)),
		       y = pixels[i];

		sx += x;
		sy += y;
		sxx += x * x;
		syy += y * y;
		sxy += x * y;
	}
	return (sxy - sx * sy / n) / sqrt((sxx - sx * sx / n) * (syy - sy * sy / n));
}

/* One image out of MNIST as it comes, uploaded by itself to know its pixels here: rows are cut from
 * the NPY on disk. */
static void read_image(const char *id, int row, unsigned char pixels[784])
{
	char path[400];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/datasets/%s.images.npy", h.dir, id);
	f = fopen(path, "rb");
	cr_assert_not_null(f, "%s", path);
	cr_assert_eq(fseek(f, -(8000L - row) * 784, SEEK_END), 0);
	cr_assert_eq(fread(pixels, 1, 784, f), 784);
	(void)fclose(f);
}

Test(datasets, the_weights_of_the_digit_preset_come_to_show_the_digit)
{
	size_t n = 0;
	char *bytes = shared("data/mnist/test8k-images-idx3-ubyte.gz", &n), id[64], run[64],
	     path[160], body[256];
	struct reply r = upload("mnist", bytes, n, "application/gzip");
	unsigned char pixels[784];

	free(bytes);
	cr_assert_eq(r.status, 201, "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/fields/0/name"), "images");
	cr_assert_str_eq(reply_text(&r, "/fields/0/dtype"), "uint8");
	cr_assert_eq(reply_number(&r, "/fields/0/shape/0"), 8000);
	cr_assert_eq(reply_number(&r, "/fields/0/shape/1"), 28);
	cr_assert_eq(reply_number(&r, "/fields/0/shape/2"), 28);
	(void)snprintf(id, sizeof(id), "%s", reply_text(&r, "/id"));
	reply_release(&r);
	(void)snprintf(body, sizeof(body),
		       "{\"preset\":\"digit_image\",\"overrides\":[{\"path\":\"/populations/pixels/"
		       "params/rate/dataset\",\"value\":\"%s\"}]}",
		       id);
	harness_run(&h, body, run);
	r = harness_wait(&h, run, 90);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	reply_release(&r);
	read_image(id, 17, pixels);
	for (int cell = 0; cell < 4; cell++) {
		(void)snprintf(path, sizeof(path),
			       "/v1/runs/%s/weights/matrix?projection=pixels_to_cells&target=%d",
			       run, cell);
		r = harness_get(&h, path);
		cr_assert_eq(r.status, 200, "%s", r.body);
		cr_assert_eq(json_array_size(reply_at(&r, "/values")), 28);
		cr_assert_gt(correlation(reply_at(&r, "/values"), pixels), 0.5, "cell %d: %g", cell,
			     correlation(reply_at(&r, "/values"), pixels));
		reply_release(&r);
	}
}

/* ---- NEST ---- */

static char *train(const json_t *times)
{
	size_t room = 16 + 16 * json_array_size(times), at;
	char *text = malloc(room);

	cr_assert_not_null(text);
	at = (size_t)snprintf(text, room, "t_ms,neuron\n");
	for (size_t i = 0; i < json_array_size(times); i++)
		at += (size_t)snprintf(text + at, room - at, "%.10g,0\n",
				       json_number_value(json_array_get(times, i)));
	return text;
}

static void upload_train(const json_t *times, char id[64])
{
	char *csv = train(times);
	struct reply r = upload("train", csv, strlen(csv), "text/csv");

	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(id, 64, "%s", reply_text(&r, "/id"));
	reply_release(&r);
	free(csv);
}

static json_t *generator(const char *dataset)
{
	return json_pack("{s:s, s:i, s:{s:{s:s}}}", "model", "spike_generator", "size", 1, "params",
			 "spike_times", "dataset", dataset);
}

static char *nest_body(const json_t *c, const char *pre, const char *post, double duration)
{
	json_t *params = json_deep_copy(json_object_get(c, "params")), *body;
	char *text;

	(void)json_object_update(params, json_object_get(c, "post_neuron_params"));
	body = json_pack("{s:{s:f, s:f, s:s, s:{s:o, s:o}, s:{s:{s:s, s:s, s:{s:s}, s:{s:O, s:O, "
			 "s:O, s:o}}}, s:{s:[{s:s, s:[i], s:s}]}}}",
			 "spec", "resolution_ms", 0.1, "duration_ms", duration, "seed", "1",
			 "populations", "pre", generator(pre), "post", generator(post),
			 "projections", "p", "source", "pre", "target", "post", "connect", "rule",
			 "one_to_one", "synapse", "model", json_object_get(c, "model"), "weight",
			 json_object_get(c, "w0"), "delay_ms", json_object_get(c, "delay_ms"),
			 "params", params, "record", "weights", "projection", "p", "synapses", 0,
			 "every", "update");
	cr_assert_not_null(body);
	text = json_dumps(body, 0);
	json_decref(body);
	return text;
}

Test(datasets, spike_trains_from_csv_drive_a_synapse_to_the_weights_of_nest)
{
	size_t n = 0;
	char *text = shared("reference/stdp_pair.json", &n), pre[64], post[64], run[64], path[160];
	json_t *file = json_loadb(text, n, 0, NULL), *c;
	const json_t *times = json_object_get(file, "pre_times_ms");
	double end =
		100.0 + floor(json_number_value(json_array_get(times, json_array_size(times) - 1)));
	size_t i;

	free(text);
	upload_train(times, pre);
	upload_train(json_object_get(file, "post_times_ms"), post);
	json_array_foreach(json_object_get(file, "cases"), i, c)
	{
		const json_t *want = json_object_get(c, "weights_at_pre_spikes"), *got;
		char *body = nest_body(c, pre, post, end);
		struct reply r;

		harness_run(&h, body, run);
		free(body);
		r = harness_wait(&h, run, 20);
		cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
		reply_release(&r);
		(void)snprintf(path, sizeof(path), "/v1/runs/%s/weights/series?projection=p", run);
		r = harness_get(&h, path);
		got = reply_at(&r, "/weight/0");
		cr_assert_eq(json_array_size(got), json_array_size(want), "case %zu", i);
		for (size_t k = 0; k < json_array_size(want); k++) {
			double x = json_number_value(json_array_get(got, k)),
			       y = json_number_value(json_array_get(want, k));

			cr_assert(fabs(x - y) <= 1e-10 * fmax(1.0, fabs(y)),
				  "case %zu, spike %zu: %.17g, not %.17g", i, k, x, y);
			cr_assert_eq(json_number_value(json_array_get(reply_at(&r, "/t_ms/0"), k)),
				     json_number_value(json_array_get(times, k)));
		}
		reply_release(&r);
	}
	json_decref(file);
}

Test(datasets, uploaded_measurements_are_fitted_and_doubts_are_spoken)
{
	/* LTP on the curve 0.8 exp(-dt / 20) but for a little; LTD at one dt only. */
	static const char csv[] = "dt_ms,dw,sem\n2,0.73,0.02\n5,0.62,0.02\n10,0.49,0.02\n"
				  "20,0.30,0.02\n40,0.11,0.02\n80,0.01,0.02\n0,0.1,0.02\n"
				  "-10,-0.2,0.05\n-10,-0.3,0.05\n-10,-0.25,0.05\n";
	char body[256], run[64];
	struct reply r = upload("measured.csv", csv, strlen(csv), "text/csv");
	const json_t *remarks;

	cr_assert_eq(r.status, 201, "%s", r.body);
	(void)snprintf(body, sizeof(body),
		       "{\"spec\":{\"experiment\":\"stdp_fit\",\"params\":{\"data\":{\"dataset\":"
		       "\"%s\"}}}}",
		       reply_text(&r, "/id"));
	reply_release(&r);
	harness_run(&h, body, run);
	r = harness_wait(&h, run, 20);
	cr_assert_str_eq(reply_text(&r, "/state"), "succeeded", "%s", r.body);
	cr_expect_float_eq(reply_number(&r, "/metrics/A_plus"), 0.8, 0.05);
	cr_expect_float_eq(reply_number(&r, "/metrics/tau_plus"), 20, 2.5);
	cr_expect_eq(reply_number(&r, "/metrics/tau_plus_determined"), 1);
	cr_expect_eq(reply_number(&r, "/metrics/tau_minus_determined"), 0);
	remarks = reply_at(&r, "/remarks");
	cr_assert_eq(json_array_size(remarks), 3, "%s", r.body);
	cr_expect_str_eq(json_string_value(json_array_get(remarks, 1)),
			 "tau_minus is not determined: all points of this side are at one dt.");
	reply_release(&r);
	r = harness_ask(&h, "POST", "/v1/runs",
			"{\"spec\":{\"experiment\":\"stdp_fit\",\"params\":{\"data\":{\"dataset\":"
			"\"nothing\"}}}}",
			NULL);
	cr_assert_eq(r.status, 422, "%s", r.body);
	cr_expect_str_eq(reply_text(&r, "/errors/0/pointer"), "/spec/params");
	reply_release(&r);
}
