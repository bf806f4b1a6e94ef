/* test_models - tables, schemas, presets, the checking of specs and the windows of rules, over HTTP. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
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

TestSuite(models, .init = setup, .fini = teardown, .timeout = 60);

static struct reply good(const char *path)
{
	struct reply r = harness_get(&h, path);

	cr_assert_eq(r.status, 200, "%s: %s", path, r.body);
	return r;
}

Test(models, every_model_of_the_list_is_also_found_alone)
{
	static const char *const kinds[] = { "neurons", "plasticity", "wiring", "experiments" };
	struct reply all = good("/v1/models");

	for (size_t k = 0; k < 4; k++) {
		const json_t *list = json_object_get(all.json, kinds[k]);

		cr_assert_gt(json_array_size(list), 0, "%s", kinds[k]);
		for (size_t i = 0; i < json_array_size(list); i++) {
			const char *name =
				json_string_value(json_object_get(json_array_get(list, i), "name"));
			struct reply one;
			char path[128];

			(void)snprintf(path, sizeof(path), "/v1/models/%s/%s", kinds[k], name);
			one = good(path);
			cr_assert_str_eq(reply_text(&one, "/name"), name);
			cr_assert(json_is_array(reply_at(&one, "/params")), "%s", one.body);
			cr_assert_not_null(strstr(all.body, one.body), "to the letter: %s",
					   one.body);
			reply_release(&one);
		}
	}
	reply_release(&all);
	all = harness_get(&h, "/v1/models/neurons/nobody");
	cr_assert_eq(all.status, 404);
	reply_release(&all);
	all = harness_get(&h, "/v1/models/planets/mars");
	cr_assert_eq(all.status, 404);
	reply_release(&all);
}

Test(models, schemas_are_json_schema)
{
	static const char *const names[] = { "spec", "run", "problem" };

	for (size_t i = 0; i < 3; i++) {
		char path[64];
		struct reply r;

		(void)snprintf(path, sizeof(path), "/v1/schemas/%s", names[i]);
		r = good(path);
		cr_assert_str_eq(reply_text(&r, "/$schema"),
				 "https://json-schema.org/draft/2020-12/schema", "%s", r.body);
		reply_release(&r);
	}
}

Test(models, every_preset_is_valid)
{
	struct reply all = good("/v1/presets");
	const json_t *items = reply_at(&all, "/items");

	cr_assert_geq(json_array_size(items), 5);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const char *name =
			json_string_value(json_object_get(json_array_get(items, i), "name"));
		char path[128], *body;
		struct reply one, verdict;
		json_t *request;

		(void)snprintf(path, sizeof(path), "/v1/presets/%s", name);
		one = good(path);
		request = json_pack("{s:O}", "spec", reply_at(&one, "/spec"));
		body = json_dumps(request, 0);
		verdict = harness_ask(&h, "POST", "/v1/specs/validate", body, NULL);
		cr_assert_eq(verdict.status, 200, "%s", verdict.body);
		/* the image's data set has to be uploaded first */
		if (strcmp(name, "digit_image") == 0)
			cr_assert_not_null(
				strstr(verdict.body, "/spec/populations/pixels/params/rate"), "%s",
				verdict.body);
		else
			cr_assert(json_is_true(reply_at(&verdict, "/valid")), "%s: %s", name,
				  verdict.body);
		free(body);
		json_decref(request);
		reply_release(&verdict);
		reply_release(&one);
	}
	reply_release(&all);
	all = harness_get(&h, "/v1/presets/none_such");
	cr_assert_eq(all.status, 404);
	reply_release(&all);
}

Test(models, a_valid_spec_is_costed)
{
	struct reply r = harness_ask(&h, "POST", "/v1/specs/validate", SPECS_FAST, NULL);

	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert(json_is_true(reply_at(&r, "/valid")), "%s", r.body);
	cr_assert_eq(reply_number(&r, "/estimate/neurons"), 20);
	cr_assert_eq(reply_number(&r, "/estimate/synapses"), 100);
	cr_assert_eq(reply_number(&r, "/estimate/steps"), 2000);
	cr_assert_gt(reply_number(&r, "/estimate/bytes"), 0);
	cr_assert_eq(strlen(reply_text(&r, "/spec_sha256")), 64);
	cr_assert(json_is_object(reply_at(&r, "/normalized")));
	cr_assert_eq(json_array_size(reply_at(&r, "/errors")), 0);
	cr_assert(json_is_array(reply_at(&r, "/warnings")), "%s", r.body);
	cr_assert_eq(json_array_size(reply_at(&r, "/warnings")), 0);
	reply_release(&r);
	r = harness_ask(&h, "POST", "/v1/specs/validate",
			"{\"spec\":{\"duration_ms\":10,\"populations\":{\"a\":{\"model\":"
			"\"iaf_psc_exp\",\"size\":1}}}}",
			NULL);
	cr_assert(json_is_true(reply_at(&r, "/valid")), "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/warnings/0/pointer"), "/spec/record", "%s", r.body);
	cr_assert_str_eq(reply_text(&r, "/warnings/0/code"), "nothing-recorded");
	reply_release(&r);
}

Test(models, the_hash_is_that_of_the_run)
{
	struct reply v = harness_ask(&h, "POST", "/v1/specs/validate", SPECS_FAST, NULL), r;
	char id[64];

	harness_run(&h, SPECS_FAST, id);
	r = harness_wait(&h, id, 20);
	cr_assert_str_eq(reply_text(&r, "/spec_sha256"), reply_text(&v, "/spec_sha256"));
	reply_release(&r);
	reply_release(&v);
}

Test(models, an_invalid_spec_has_all_its_errors_with_their_places)
{
	static const char body[] =
		"{\"spec\":{\"duration_ms\":-5,\"populations\":{\"a\":{\"model\":\"iaf_psc_expp\","
		"\"size\":2},"
		"\"b\":{\"model\":\"iaf_psc_exp\",\"size\":2,\"params\":{\"tau_m\":-1}}}}}";
	struct reply r = harness_ask(&h, "POST", "/v1/specs/validate", body, NULL);

	cr_assert_eq(r.status, 200, "%s", r.body);
	cr_assert(json_is_false(reply_at(&r, "/valid")));
	cr_assert_geq(json_array_size(reply_at(&r, "/errors")), 3, "%s", r.body);
	cr_assert_not_null(strstr(r.body, "\"/spec/populations/b/params/tau_m\""), "%s", r.body);
	cr_assert_not_null(strstr(r.body, "\"/spec/populations/a/model\""), "%s", r.body);
	cr_assert_null(reply_at(&r, "/spec_sha256"));
	reply_release(&r);
	r = harness_ask(&h, "POST", "/v1/specs/validate", "{\"spec\":", NULL);
	cr_assert_eq(r.status, 400);
	reply_release(&r);
}

Test(models, a_window_is_measured_and_lies_on_the_formula)
{
	struct reply r = good("/v1/rules/stdp_pair/window?dt_ms=-40:40:5&A_plus=0.01"), again;
	const json_t *dt = reply_at(&r, "/dt_ms");
	char first[64];

	cr_assert_eq(json_array_size(dt), 17, "%s", r.body);
	for (size_t i = 0; i < 17; i++) {
		double x = json_number_value(json_array_get(dt, i));
		double want = x > 0 ? 0.01 * exp(-x / 20) : x < 0 ? -0.00525 * exp(x / 20) : 0.0;

		cr_assert_float_eq(json_number_value(json_array_get(reply_at(&r, "/dw"), i)), want,
				   1e-12, "dt %g", x);
		cr_assert_float_eq(json_number_value(json_array_get(reply_at(&r, "/dw_theory"), i)),
				   want, 1e-12, "dt %g", x);
	}
	(void)snprintf(first, sizeof(first), "%s", reply_text(&r, "/run_id"));
	again = good("/v1/rules/stdp_pair/window?A_plus=0.01&dt_ms=-40:40:5");
	cr_assert_str_eq(reply_text(&again, "/run_id"), first, "the run is used again");
	reply_release(&again);
	reply_release(&r);
}

Test(models, a_window_that_cannot_be_says_why)
{
	static const struct {
		const char *path;
		int status;
		const char *says;
	} cases[] = {
		{ "/v1/rules/none_such/window", 404, "none_such" },
		{ "/v1/rules/stdp_pair/window?A_pls=1", 422, "?A_pls" },
		{ "/v1/rules/stdp_pair/window?tau_plus=-3", 422, "tau_plus" },
		{ "/v1/rules/stdp_pair/window?dt_ms=5:1:1", 422, "?dt_ms" },
		{ "/v1/rules/stdp_pair/window?dt_ms=0:1e9:0.1", 422, "?dt_ms" },
		{ "/v1/rules/stdp_pair/window?dt_ms=x", 422, "?dt_ms" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply r = harness_get(&h, cases[i].path);

		cr_assert_eq(r.status, cases[i].status, "%s: %s", cases[i].path, r.body);
		cr_assert_not_null(strstr(r.body, cases[i].says), "%s: %s", cases[i].path, r.body);
		reply_release(&r);
	}
}
