/* test_post - which addresses are on the public internet, which URLs may be posted to. */
/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#include "server/crypt.h"
#include "server/post.h"

static bool is_public(const char *text)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { 0 };

	if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
	} else {
		cr_assert_eq(inet_pton(AF_INET6, text, &a.v6.sin6_addr), 1, "%s", text);
		a.v6.sin6_family = AF_INET6;
	}
	return post_address_public(&a.any);
}

Test(post, only_addresses_of_the_public_internet_are_public)
{
	static const char *const good[] = {
		"1.1.1.1",	   "8.8.8.8",	      "9.255.255.255",	      "11.0.0.0",
		"100.63.255.255",  "100.128.0.0",     "172.15.0.1",	      "172.32.0.0",
		"192.167.255.255", "192.169.0.0",     "198.17.255.255",	      "198.20.0.0",
		"223.255.255.1",   "2606:4700::1111", "2a00:1450:4001::200e", "2001:4860:4860::8888"
	};
	static const char *const bad[] = {
		"0.0.0.0",
		"10.0.0.1",
		"100.64.0.1",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.1.1",
		"172.16.0.1",
		"172.31.255.255",
		"192.0.0.8",
		"192.0.2.1",
		"192.88.99.1",
		"192.168.0.1",
		"198.18.0.1",
		"198.19.255.1",
		"198.51.100.1",
		"203.0.113.1",
		"224.0.0.1",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::8.8.8.8",
		"::ffff:8.8.8.8",
		"::ffff:10.0.0.1",
		"64:ff9b::8.8.8.8",
		"64:ff9b:1::1",
		"100::1",
		"2001::1",
		"2001:db8::1",
		"2002:808:808::",
		"3fff::1",
		"fc00::1",
		"fd12::1",
		"fe80::1",
		"fec0::1",
		"ff02::1",
		"4000::1",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_assert(is_public(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(!is_public(bad[i]), "%s", bad[i]);
	cr_assert(!post_address_public(&(struct sockaddr){ .sa_family = AF_UNIX }));
}

Test(post, urls_are_http_with_a_host_that_may_be_reached)
{
	static const struct {
		const char *url;
		int rc, rc_private;
	} cases[] = {
		{ "https://example.com/hook?a=b", 0, 0 },
		{ "http://8.8.8.8:81/", 0, 0 },
		{ "http://[2606:4700::1111]/", 0, 0 },
		{ "http://127.0.0.1/", -ERR_FORBIDDEN, 0 },
		{ "http://127.1/", -ERR_FORBIDDEN, 0 },
		{ "http://0177.0.0.1/", -ERR_FORBIDDEN, 0 },
		{ "http://[::1]:80/", -ERR_FORBIDDEN, 0 },
		{ "http://[::ffff:1.1.1.1]/", -ERR_FORBIDDEN, 0 },
		{ "http://user@example.com/", -ERR_SYNTAX, -ERR_SYNTAX },
		{ "http://example.com/#x", -ERR_SYNTAX, -ERR_SYNTAX },
		{ "ftp://example.com/", -ERR_SYNTAX, -ERR_SYNTAX },
		{ "javascript:alert(1)", -ERR_SYNTAX, -ERR_SYNTAX },
		{ "/v1", -ERR_SYNTAX, -ERR_SYNTAX },
		{ "", -ERR_SYNTAX, -ERR_SYNTAX },
		{ "http://a b/", -ERR_SYNTAX, -ERR_SYNTAX },
		{ "http://a/\r\nX: y", -ERR_SYNTAX, -ERR_SYNTAX },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { 0 };

		cr_assert_eq(post_url_check(cases[i].url, false, &err), cases[i].rc, "%s: %s",
			     cases[i].url, err.text);
		cr_assert_eq(post_url_check(cases[i].url, true, &err), cases[i].rc_private, "%s",
			     cases[i].url);
	}
}

/* RFC 4231, cases 2 and 6. */
Test(post, signatures_are_those_of_the_standard)
{
	char hex[CRYPT_HEX_SIZE], key[131];

	cr_assert(crypt_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, hex));
	cr_assert_str_eq(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	cr_assert(crypt_hmac_sha256(key, sizeof(key),
				    "Test Using Larger Than Block-Size Key - Hash Key First", 54,
				    hex));
	cr_assert_str_eq(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
