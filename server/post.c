/* post.c - requests to others, through libcurl. */
/* SPDX-License-Identifier: MIT */
#include "server/post.h"

#include <curl/curl.h>

static size_t ignore(char *data, size_t size, size_t n, void *self)
{
	(void)data;
	(void)self;
	return size * n;
}

int post_probe(const char *url, long timeout_s, long *ret_status, struct err *err)
{
	CURL *easy = curl_easy_init();
	CURLcode rc;

	if (!easy)
		return err_nomem(err);
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, timeout_s);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
	/* The certificate bears another name than the loopback address; nothing secret is sent. */
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	rc = curl_easy_perform(easy);
	if (rc == CURLE_OK)
		(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, ret_status);
	curl_easy_cleanup(easy);
	if (rc != CURLE_OK)
		return err_set(err, ERR_IO, "", "%s does not answer: %s", url,
			       curl_easy_strerror(rc));
	return 0;
}
