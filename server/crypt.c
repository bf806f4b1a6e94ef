/* crypt.c - SHA-256 and HMAC by libcrypto. */
/* SPDX-License-Identifier: MIT */
#include "server/crypt.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { DIGEST = 32 };

static void to_hex(const unsigned char md[DIGEST], char hex[CRYPT_HEX_SIZE])
{
	static const char digit[] = "0123456789abcdef";

	for (unsigned i = 0; i < DIGEST; i++) {
		hex[2 * i] = digit[md[i] >> 4];
		hex[2 * i + 1] = digit[md[i] & 15];
	}
	hex[CRYPT_HEX_SIZE - 1] = '\0';
}

bool crypt_sha256(const void *bytes, size_t n, char hex[CRYPT_HEX_SIZE])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!EVP_Digest(bytes, n, md, &len, EVP_sha256(), NULL) || len != DIGEST)
		return false;
	to_hex(md, hex);
	return true;
}

bool crypt_hmac_sha256(const void *key, size_t n_key, const void *bytes, size_t n,
		       char hex[CRYPT_HEX_SIZE])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!HMAC(EVP_sha256(), key, (int)n_key, bytes, n, md, &len) || len != DIGEST)
		return false;
	to_hex(md, hex);
	return true;
}

bool crypt_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
