/* post_address.c - which addresses are on the public internet, and which URLs may be posted to. */
/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "core/base/attr.h"
#include "server/post.h"

enum { URL_MAX = 2000 };

/* IANA's special-purpose registry, and what is above it. */
static const struct {
	uint32_t net;
	unsigned bits;
} special_v4[] = {
	{ 0x00000000, 8 },  /* this network */
	{ 0x0a000000, 8 },  /* private */
	{ 0x64400000, 10 }, /* carriers' own */
	{ 0x7f000000, 8 },  /* loopback */
	{ 0xa9fe0000, 16 }, /* link-local, also clouds' metadata */
	{ 0xac100000, 12 }, /* private */
	{ 0xc0000000, 24 }, /* protocol assignments */
	{ 0xc0000200, 24 }, /* documentation */
	{ 0xc0586300, 24 }, /* 6to4 relays */
	{ 0xc0a80000, 16 }, /* private */
	{ 0xc6120000, 15 }, /* benchmarks */
	{ 0xc6336400, 24 }, /* documentation */
	{ 0xcb007100, 24 }, /* documentation */
	{ 0xe0000000, 3 },  /* multicast and reserved */
};

/* Of 2000::/3, the only public block. */
static const struct {
	uint8_t net[4];
	unsigned bits;
} special_v6[] = {
	{ { 0x20, 0x01, 0x00, 0x00 }, 23 }, /* protocols, Teredo */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
	{ { 0x20, 0x02, 0x00, 0x00 }, 16 }, /* 6to4: an IPv4 address within */
	{ { 0x3f, 0xff, 0x00, 0x00 }, 20 }, /* documentation */
};

static bool public_v4(uint32_t a)
{
	for (size_t i = 0; i < COUNTOF(special_v4); i++)
		if ((a ^ special_v4[i].net) >> (32 - special_v4[i].bits) == 0)
			return false;
	return true;
}

static uint32_t word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static bool public_v6(const uint8_t a[16])
{
	if (a[0] >> 5 != 1)
		return false;
	for (size_t i = 0; i < COUNTOF(special_v6); i++)
		if ((word(a) ^ word(special_v6[i].net)) >> (32 - special_v6[i].bits) == 0)
			return false;
	return true;
}

bool post_address_public(const struct sockaddr *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (a->sa_family == AF_INET) {
		memcpy(&v4, a, sizeof(v4));
		return public_v4(ntohl(v4.sin_addr.s_addr));
	}
	if (a->sa_family == AF_INET6) {
		memcpy(&v6, a, sizeof(v6));
		return public_v6(v6.sin6_addr.s6_addr);
	}
	return false;
}

/* ---- URLs ---- */

/* A name, or an address that is public. */
static bool host_public(const char *host)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	char text[INET6_ADDRSTRLEN] = "";
	size_t n = strlen(host);

	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
		return public_v4(ntohl(v4.sin_addr.s_addr));
	if (host[0] != '[')
		return true;
	if (n < 3 || n - 2 >= sizeof(text))
		return false;
	memcpy(text, host + 1, n - 2);
	return inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 && public_v6(v6.sin6_addr.s6_addr);
}

static int check_parts(CURLU *u, bool private, struct err *err)
{
	static const CURLUPart unwanted[] = { CURLUPART_USER, CURLUPART_PASSWORD,
					      CURLUPART_FRAGMENT };
	char *scheme = NULL, *host = NULL, *part = NULL;
	int rc = 0;

	if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0))
		rc = err_nomem(err);
	else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		rc = err_set(err, ERR_SYNTAX, NULL, "expected an http or https URL, found %.20s",
			     scheme);
	else if (!private && !host_public(host))
		rc = err_set(err, ERR_FORBIDDEN, NULL,
			     "%.60s is not a public address; see --webhook-private", host);
	for (size_t i = 0; !rc && i < COUNTOF(unwanted); i++)
		if (curl_url_get(u, unwanted[i], &part, 0) == CURLUE_OK) {
			curl_free(part);
			rc = err_set(err, ERR_SYNTAX, NULL,
				     "expected a URL without user, password and fragment");
		}
	curl_free(scheme);
	curl_free(host);
	return rc;
}

int post_url_check(const char *url, bool private, struct err *err)
{
	CURLU *u = curl_url();
	int rc;

	if (!u)
		return err_nomem(err);
	if (strlen(url) > URL_MAX || strcspn(url, " \t\r\n") != strlen(url) ||
	    curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME))
		rc = err_set(err, ERR_SYNTAX, NULL,
			     "expected an http or https URL of at most %d bytes", URL_MAX);
	else
		rc = check_parts(u, private, err);
	curl_url_cleanup(u);
	return rc;
}
