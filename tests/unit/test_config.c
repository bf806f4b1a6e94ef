/* test_config - options from flags and environment, and who is let in. */
/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "server/config.h"

static const char *env_name = "", *env_value = "";

static const char *env(const char *name)
{
	return strcmp(name, env_name) == 0 ? env_value : NULL;
}

/* Up to three arguments. */
static int read_args(struct config *c, const char *a, const char *b, const char *d, struct err *err)
{
	char text[4][64] = { "stdpd", "", "", "" };
	char *argv[] = { text[0], text[1], text[2], text[3], NULL };
	static char kept[3][64]; /* the config keeps its strings */
	const char *given[3] = { a, b, d };
	struct buf out;
	int argc = 1, rc;

	for (int i = 0; i < 3 && given[i]; i++) {
		(void)snprintf(kept[i], sizeof(kept[i]), "%s", given[i]);
		argv[argc++] = kept[i];
	}
	buf_init(&out, 1 << 20);
	rc = config_read(c, argc, argv, env, &out, err);
	buf_release(&out);
	return rc;
}

Test(config, without_options_it_listens_on_loopback)
{
	struct err err = { 0 };
	struct config c;

	cr_assert_eq(read_args(&c, NULL, NULL, NULL, &err), 0, "%s", err.text);
	cr_assert_str_eq(c.address, "127.0.0.1");
	cr_assert_eq(c.port, 8080);
	cr_assert_geq(c.max_neurons, 1e6);
	cr_assert_geq(c.max_synapses, 1e8);
	cr_assert_geq(c.wall_max_s, 3600.0);
	cr_assert_geq(c.per_address, 400);
}

Test(config, a_flag_wins_over_the_environment)
{
	struct err err = { 0 };
	struct config c;

	env_name = "STDPD_QUEUE_MAX";
	env_value = "7";
	cr_assert_eq(read_args(&c, NULL, NULL, NULL, &err), 0, "%s", err.text);
	cr_assert_eq(c.queue_max, 7);
	cr_assert_eq(read_args(&c, "--queue-max", "9", NULL, &err), 0, "%s", err.text);
	cr_assert_eq(c.queue_max, 9);
	cr_assert_eq(read_args(&c, "--queue-max=11", NULL, NULL, &err), 0, "%s", err.text);
	cr_assert_eq(c.queue_max, 11);
	env_name = "";
}

Test(config, an_address_is_known_as_one_of_this_machine_or_not)
{
	struct err err = { 0 };
	struct config c;

	static const char *const open[] = { "0.0.0.0:80", "[::]:80", "192.168.1.5:80" };

	for (size_t i = 0; i < 3; i++) {
		cr_assert_eq(read_args(&c, "--listen", open[i], NULL, &err), 0, "%s", err.text);
		cr_assert(!c.loopback, "%s", open[i]);
	}
	cr_assert_eq(read_args(&c, "--listen", "127.0.0.2:80", NULL, &err), 0, "%s", err.text);
	cr_assert(c.loopback);
	cr_assert_eq(read_args(&c, "--listen", "[::1]:0", NULL, &err), 0, "%s", err.text);
	cr_assert(c.loopback);
	cr_assert_str_eq(c.address, "::1");
}

Test(config, nonsense_is_named)
{
	static const struct {
		const char *a, *b;
		int code;
	} cases[] = {
		{ "--nonsense", NULL, ERR_UNKNOWN },
		{ "8080", NULL, ERR_UNKNOWN },
		{ "--listen", NULL, ERR_MISSING },
		{ "--listen", "127.0.0.1", ERR_SYNTAX },
		{ "--listen", "127.0.0.1:99999", ERR_SYNTAX },
		{ "--listen", "example.org:80", ERR_SYNTAX },
		{ "--slots", "-1", ERR_RANGE },
		{ "--slots", "two", ERR_RANGE },
		{ "--slots", "1.5", ERR_RANGE },
		{ "--wall-max-s", "nan", ERR_RANGE },
		{ "--data", "", ERR_MISSING },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { 0 };
		struct config c;

		cr_assert_eq(read_args(&c, cases[i].a, cases[i].b, NULL, &err), -cases[i].code,
			     "%s %s", cases[i].a, cases[i].b ? cases[i].b : "");
		cr_assert_neq(err.text[0], '\0');
	}
}

Test(config, only_own_names_are_answered)
{
	struct err err = { 0 };
	struct config c;

	cr_assert_eq(read_args(&c, "--host", "sim.example.org,other", NULL, &err), 0);
	cr_assert(config_host_allowed(&c, "localhost"));
	cr_assert(config_host_allowed(&c, "LOCALHOST:8080"));
	cr_assert(config_host_allowed(&c, "127.0.0.1:1234"));
	cr_assert(config_host_allowed(&c, "[::1]:8080"));
	cr_assert(config_host_allowed(&c, "sim.example.org"));
	cr_assert(config_host_allowed(&c, "other:80"));
	cr_assert(!config_host_allowed(&c, "evil.example"));
	cr_assert(!config_host_allowed(&c, "localhost.evil.example"));
	cr_assert(!config_host_allowed(&c, "localhost:8080:1"));
	cr_assert(!config_host_allowed(&c, ""));
	cr_assert(!config_host_allowed(&c, ":80"));
}

Test(config, help_names_every_flag_and_its_variable)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	config_help(&out, false);
	cr_assert_not_null(strstr(out.data, "--listen ADDR:PORT"));
	cr_assert_not_null(strstr(out.data, "STDPD_RUN_MEMORY_MB"));
	cr_assert_not_null(strstr(out.data, "--behind-proxy"));
	buf_release(&out);
}
